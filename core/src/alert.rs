//! The five alert levels that follow a deposit's balance down (DOMAIN.md chapter 5).

use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};

/// How low a deposit is, from best to worst.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Level {
    /// Above 50 % of the reference.
    Healthy,
    /// Above 20 %.
    Attention,
    /// Above 10 %.
    Warning,
    /// Above nothing.
    Critical,
    /// Nothing left, or nothing to measure by. Campaigns pause.
    Depleted,
}

/// Where an alert is told.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Channel {
    /// The merchant's dashboard.
    Dashboard,
    /// An email.
    Email,
    /// An email marked urgent.
    UrgentEmail,
    /// An email marked critical.
    CriticalEmail,
    /// A push notification.
    Push,
    /// A text message.
    Sms,
    /// A WhatsApp message.
    Whatsapp,
    /// The partners of the campaigns concerned.
    Partners,
}

impl Channel {
    /// All of them.
    pub const ALL: &'static [Self] = &[
        Self::Dashboard,
        Self::Email,
        Self::UrgentEmail,
        Self::CriticalEmail,
        Self::Push,
        Self::Sms,
        Self::Whatsapp,
        Self::Partners,
    ];
}

impl Level {
    /// All levels, from best to worst.
    pub const ALL: [Self; 5] = [Self::Healthy, Self::Attention, Self::Warning, Self::Critical, Self::Depleted];

    /// 0 (healthy) to 4 (depleted).
    pub const fn priority(self) -> u8 {
        self as u8
    }

    /// The level of a [`Level::priority`].
    pub fn from_priority(priority: u8) -> Option<Self> {
        Self::ALL.get(usize::from(priority)).copied()
    }

    /// The permanent name.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Healthy => "healthy",
            Self::Attention => "attention",
            Self::Warning => "warning",
            Self::Critical => "critical",
            Self::Depleted => "depleted",
        }
    }

    /// The colour's name.
    pub const fn colour(self) -> &'static str {
        match self {
            Self::Healthy => "green",
            Self::Attention => "yellow",
            Self::Warning => "orange",
            Self::Critical => "red",
            Self::Depleted => "black",
        }
    }

    /// The colour as `#rrggbb`.
    pub const fn hex(self) -> &'static str {
        match self {
            Self::Healthy => "#10b981",
            Self::Attention => "#f59e0b",
            Self::Warning => "#f97316",
            Self::Critical => "#ef4444",
            Self::Depleted => "#000000",
        }
    }

    /// The French label that merchants see.
    pub const fn label_fr(self) -> &'static str {
        match self {
            Self::Healthy => "Sain",
            Self::Attention => "Attention",
            Self::Warning => "Critique",
            Self::Critical => "Urgence",
            Self::Depleted => "Épuisé",
        }
    }
}

/// Where a fall to `level` is told; nowhere for `healthy`.
pub const fn channels_for(level: Level) -> &'static [Channel] {
    use Channel::{CriticalEmail, Dashboard, Email, Partners, Push, Sms, UrgentEmail, Whatsapp};
    match level {
        Level::Healthy => &[],
        Level::Attention => &[Dashboard],
        Level::Warning => &[Dashboard, Email, Push],
        Level::Critical => &[Dashboard, UrgentEmail, Sms, Whatsapp, Push],
        Level::Depleted => &[Dashboard, CriticalEmail, Sms, Whatsapp, Push, Partners],
    }
}

/// The level of `balance` against `reference`, both of one currency, compared exactly.
///
/// ```
/// use leadledger::{Level, alert_level};
/// assert_eq!(alert_level("2500.00".parse().unwrap(), "5000.00".parse().unwrap()), Level::Attention);
/// assert_eq!(alert_level("2500.01".parse().unwrap(), "5000.00".parse().unwrap()), Level::Healthy);
/// assert_eq!(alert_level("10.00".parse().unwrap(), "0".parse().unwrap()), Level::Depleted);
/// ```
pub fn alert_level(balance: Decimal, reference: Decimal) -> Level {
    if balance <= Decimal::ZERO || reference <= Decimal::ZERO {
        return Level::Depleted;
    }
    // Dividing the reference by 2, 5 or 10 is exact in decimals, where multiplying the balance could overflow.
    let above = |divisor: i64| reference.checked_div(divisor.into()).is_some_and(|border| balance > border);
    ladder(above)
}

/// [`alert_level`] in minor units.
pub(crate) fn level_of(balance_minor: i64, reference_minor: i64) -> Level {
    if balance_minor <= 0 || reference_minor <= 0 {
        return Level::Depleted;
    }
    ladder(|divisor| i128::from(balance_minor).saturating_mul(i128::from(divisor)) > i128::from(reference_minor))
}

fn ladder(above_one_in: impl Fn(i64) -> bool) -> Level {
    match () {
        () if above_one_in(2) => Level::Healthy,
        () if above_one_in(5) => Level::Attention,
        () if above_one_in(10) => Level::Warning,
        () => Level::Critical,
    }
}
