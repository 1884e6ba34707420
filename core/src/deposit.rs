//! A deposit: a merchant's prepaid account (DOMAIN.md chapters 4 and 5).

use serde::{Deserialize, Serialize};

use crate::alert::{Level, level_of};
use crate::figures::Counts;
use crate::ids::CampaignId;
use crate::money::Currency;

/// Whether a deposit takes reservations, and who said that it does not.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum DepositStatus {
    /// It takes reservations.
    Active,
    /// An operator suspended it; only an operator resumes it.
    SuspendedByOperator,
    /// The merchant owes; paying the debt makes it active again.
    SuspendedForDebt,
    /// Closed for good.
    Closed,
}

impl DepositStatus {
    /// All of them, in the order of their codes in stores.
    pub const ALL: &'static [Self] = &[Self::Active, Self::SuspendedByOperator, Self::SuspendedForDebt, Self::Closed];

    /// `active`, `suspended` or `closed`.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Active => "active",
            Self::SuspendedByOperator | Self::SuspendedForDebt => "suspended",
            Self::Closed => "closed",
        }
    }
}

/// What of a deposit the level is measured on.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Basis {
    /// The whole balance.
    #[default]
    Balance,
    /// What pending leads do not hold.
    Available,
}

impl Basis {
    /// All of them, in the order of their codes in stores.
    pub const ALL: &'static [Self] = &[Self::Balance, Self::Available];
}

/// What the level is measured against.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ReferenceKind {
    /// What the first payment left in the deposit.
    #[default]
    Initial,
    /// The balance after the last payment in.
    LastTopUp,
}

impl ReferenceKind {
    /// All of them, in the order of their codes in stores.
    pub const ALL: &'static [Self] = &[Self::Initial, Self::LastTopUp];
}

/// An automatic top-up request: below `threshold_minor`, the host is asked once for `amount_minor`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct AutoTopUp {
    /// Below this, of the deposit's basis.
    pub threshold_minor: i64,
    /// What to ask for.
    pub amount_minor: i64,
    /// Whether it was asked for since the deposit was last above.
    pub requested: bool,
}

/// A deposit as it stands, amounts in minor units of `currency`. Always `0 <= reserved <= balance`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Deposit {
    /// The campaign it is for; none: all campaigns of the merchant that have no own.
    pub campaign: Option<CampaignId>,
    /// The currency.
    pub currency: Currency,
    /// Whether it takes reservations.
    pub status: DepositStatus,
    /// Money in it.
    pub balance_minor: i64,
    /// The part held by pending leads.
    pub reserved_minor: i64,
    /// What the first payment that left something left; 0 while none did.
    pub initial_minor: i64,
    /// The balance after the last payment that left something.
    pub topped_up_minor: i64,
    /// The remembered level: what was last told.
    pub level: Level,
    /// What is measured.
    pub basis: Basis,
    /// Against what.
    pub reference: ReferenceKind,
    /// The automatic top-up request.
    pub auto_top_up: Option<AutoTopUp>,
    /// The entry that opened it, 0 or less where it came in with the book's opening: the order among deposits.
    pub opened_seq: i64,
    /// What it counted since the book's present day began: its leads, and what was paid in, corrected and paid back.
    pub today: Counts,
}

impl Deposit {
    /// A deposit as it is opened by entry `opened_seq`, before its first payment.
    pub(crate) fn opened(campaign: Option<CampaignId>, currency: Currency, opened_seq: i64) -> Self {
        Self {
            campaign,
            currency,
            status: DepositStatus::Active,
            balance_minor: 0,
            reserved_minor: 0,
            initial_minor: 0,
            topped_up_minor: 0,
            level: Level::Healthy,
            basis: Basis::default(),
            reference: ReferenceKind::default(),
            auto_top_up: None,
            opened_seq,
            today: Counts::default(),
        }
    }

    /// The entry that brought it into the book: its own opening, or the book's.
    pub fn first_seq(&self) -> u64 {
        u64::try_from(self.opened_seq).unwrap_or(0).max(1)
    }

    /// Whether it is not closed.
    pub fn is_open(&self) -> bool {
        self.status != DepositStatus::Closed
    }

    /// `balance - reserved`.
    pub fn available_minor(&self) -> i64 {
        self.balance_minor.saturating_sub(self.reserved_minor)
    }

    /// What the level is measured on.
    pub fn measure_minor(&self) -> i64 {
        match self.basis {
            Basis::Balance => self.balance_minor,
            Basis::Available => self.available_minor(),
        }
    }

    /// What the level is measured against.
    pub fn reference_minor(&self) -> i64 {
        match self.reference {
            ReferenceKind::Initial => self.initial_minor,
            ReferenceKind::LastTopUp => self.topped_up_minor,
        }
    }

    /// The level as measured now; none when closed.
    pub fn measured_level(&self) -> Option<Level> {
        self.is_open().then(|| level_of(self.measure_minor(), self.reference_minor()))
    }

    /// Takes a payment's part into the references: the first that leaves something sets the initial one.
    pub(crate) fn note_payment(&mut self, credited_minor: i64) {
        if credited_minor > 0 {
            if self.initial_minor == 0 {
                self.initial_minor = credited_minor;
            }
            self.topped_up_minor = self.balance_minor;
        }
    }

    /// Whether the automatic request is due and not yet made.
    pub(crate) fn wants_top_up(&self) -> Option<AutoTopUp> {
        self.auto_top_up.filter(|auto| self.is_open() && !auto.requested && self.measure_minor() < auto.threshold_minor)
    }

    /// Lets a later fall ask again once the deposit is no longer below.
    pub(crate) fn rearm_auto_top_up(&mut self) {
        let measure = self.measure_minor();
        if let Some(auto) = &mut self.auto_top_up
            && measure >= auto.threshold_minor
        {
            auto.requested = false;
        }
    }
}
