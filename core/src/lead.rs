//! A lead: a prospect, its commission as agreed at creation, and its one way to end (DOMAIN.md chapter 6).

use chrono::TimeDelta;
use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};

use crate::campaign::OnTimeout;
use crate::commission::CommissionKind;
use crate::ids::{CampaignId, DepositId, PartnerId};
use crate::money::{Currency, to_minor};
use crate::percent::Percent;
use crate::shaped;
use crate::text::{Line, Paragraph};
use crate::time::Timestamp;

macro_rules! named {
    ($(#[$doc:meta])* $type:ident { $($(#[$variant_doc:meta])* $variant:ident = $name:literal),* $(,)? }) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[serde(rename_all = "snake_case")]
        pub enum $type {$( $(#[$variant_doc])* $variant, )*}

        impl $type {
            /// All of them.
            pub const ALL: &'static [Self] = &[$( Self::$variant ),*];

            /// The permanent name.
            pub const fn name(self) -> &'static str {
                match self {$( Self::$variant => $name ),*}
            }

            /// The inverse of `name`.
            pub fn from_name(name: &str) -> Option<Self> {
                match name {
                    $( $name => Some(Self::$variant), )*
                    _ => None,
                }
            }
        }
    };
}
pub(crate) use named;

named! {
    /// Where a lead stands.
    LeadStatus {
        /// Waits for the merchant; its commission is reserved.
        Pending = "pending",
        /// Captured.
        Validated = "validated",
        /// Released, with a reason.
        Rejected = "rejected",
        /// Released by time alone.
        Expired = "expired",
        /// Captured, and became a sale.
        Converted = "converted",
        /// Captured, and came to nothing.
        Lost = "lost",
        /// Captured, then given back.
        Reversed = "reversed",
    }
}

named! {
    /// Where a lead came from.
    Source {
        /// Instagram.
        Instagram = "instagram",
        /// TikTok.
        Tiktok = "tiktok",
        /// WhatsApp.
        Whatsapp = "whatsapp",
        /// Facebook.
        Facebook = "facebook",
        /// Direct contact.
        Direct = "direct",
        /// Anything else, and the default.
        Other = "other",
    }
}

named! {
    /// How urgent a pending lead is to the merchant.
    ReviewPriority {
        /// Under 24 hours left.
        High = "high",
        /// Under 48 hours left.
        Medium = "medium",
        /// More.
        Low = "low",
    }
}

named! {
    /// Where the partner's part of a lead is.
    PartPlace {
        /// Not captured.
        None = "none",
        /// Captured, before the payout delay.
        Held = "held",
        /// Captured, after it.
        Payable = "payable",
        /// Taken back by a reversal.
        Returned = "returned",
    }
}

/// What a lead took from its campaign and its partner's agreement at creation; later changes leave it alone.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LeadTerms {
    /// The version of the campaign's policy.
    pub policy_version: u32,
    /// The rate, where the commission is a percentage; else it is the policy's fixed amount.
    pub rate: Option<Percent>,
    /// The partner's share.
    pub share: Percent,
    /// Days between validation and payable.
    pub payout_delay_days: u32,
    /// The least score that validates it.
    pub minimum_quality: Option<u8>,
    /// What time alone does to it.
    pub on_timeout: OnTimeout,
    /// How long it waits for validation.
    pub window_hours: u32,
}

impl LeadTerms {
    /// How the commission was found.
    pub fn kind(&self) -> CommissionKind {
        CommissionKind::of(self.rate)
    }
}

/// A lead as it stands, amounts in minor units of `currency`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Lead {
    /// The campaign.
    pub campaign: CampaignId,
    /// Who brought it.
    pub partner: PartnerId,
    /// The deposit that pays for it.
    pub deposit: DepositId,
    /// The campaign's currency.
    pub currency: Currency,
    /// Where it came from.
    pub source: Source,
    /// Its estimated value.
    pub value_minor: i64,
    /// The commission.
    pub commission_minor: i64,
    /// The partner's part of it; the rest is the platform's.
    pub partner_minor: i64,
    /// The terms that led there.
    pub terms: LeadTerms,
    /// Where it stands.
    pub status: LeadStatus,
    /// When it was created.
    pub created_at: Timestamp,
    /// When it left `pending`.
    pub decided_at: Option<Timestamp>,
    /// The quality score.
    pub score: Option<u8>,
    /// Where the partner's part is.
    pub part: PartPlace,
    /// When a held part becomes payable.
    pub matures_at: Option<Timestamp>,
    /// The entry that created it, 0 or less where it came in with the book's opening: the order among leads.
    pub created_seq: i64,
}

impl Lead {
    /// The platform's part of the commission.
    pub fn platform_minor(&self) -> i64 {
        if crate::faults::planted(crate::faults::Fault::RemainderLost) {
            let share = self.terms.share.parts_per_million();
            return crate::money::share_of(self.commission_minor, 1_000_000_u32.saturating_sub(share))
                .saturating_sub(1);
        }
        self.commission_minor.saturating_sub(self.partner_minor)
    }

    /// The entry that brought it into the book: its creation, or the book's opening.
    pub fn first_seq(&self) -> u64 {
        u64::try_from(self.created_seq).unwrap_or(0).max(1)
    }

    /// Whether it came in with the book's opening.
    pub fn is_imported(&self) -> bool {
        self.created_seq <= 0
    }

    /// When time alone decides on it, while it is pending.
    pub fn expires_at(&self) -> Timestamp {
        self.created_at.plus_hours(self.terms.window_hours)
    }

    /// Whether its commission was captured and not given back.
    pub fn is_captured(&self) -> bool {
        matches!(self.status, LeadStatus::Validated | LeadStatus::Converted | LeadStatus::Lost)
    }

    /// When time alone will next move it, if ever: what orders the due list.
    pub fn due(&self) -> Option<Due> {
        match (self.status, self.part) {
            (LeadStatus::Pending, _) => {
                Some(Due { at: self.expires_at(), rank: DueRank::Timeout, created_seq: self.created_seq })
            }
            (_, PartPlace::Held) => {
                self.matures_at.map(|at| Due { at, rank: DueRank::Maturity, created_seq: self.created_seq })
            }
            _ => None,
        }
    }
}

/// When, and in which order, time moves a lead: by due time, expiries first, then in order of creation.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Due {
    /// The due time.
    pub at: Timestamp,
    /// Expiries and acceptances before maturities.
    pub rank: DueRank,
    /// In order of creation.
    pub created_seq: i64,
}

/// What time does to a lead.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum DueRank {
    /// The validation window ends.
    Timeout,
    /// The held part becomes payable.
    Maturity,
}

shaped! {
    /// Personal data and free text of a lead: apart from the journal, erasable.
    #[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
    #[serde(default, deny_unknown_fields)]
    pub struct Customer {
        /// The customer's name.
        #[serde(skip_serializing_if = "Option::is_none")]
        pub name: Option<Line>,
        /// Email address.
        #[serde(skip_serializing_if = "Option::is_none")]
        pub email: Option<Line>,
        /// Telephone number.
        #[serde(skip_serializing_if = "Option::is_none")]
        pub phone: Option<Line>,
        /// The customer's company.
        #[serde(skip_serializing_if = "Option::is_none")]
        pub company: Option<Line>,
        /// What the partner wrote about the customer.
        #[serde(skip_serializing_if = "Option::is_none")]
        pub notes: Option<Paragraph>,
    }
}

/// How urgent a pending lead is: under 24 h left `high`, under 48 h `medium`, else `low`.
///
/// ```
/// use leadledger::{ReviewPriority, review_priority};
/// assert_eq!(review_priority(chrono::TimeDelta::hours(24)), ReviewPriority::Medium);
/// ```
pub fn review_priority(left: TimeDelta) -> ReviewPriority {
    if left < TimeDelta::hours(24) {
        ReviewPriority::High
    } else if left < TimeDelta::hours(48) {
        ReviewPriority::Medium
    } else {
        ReviewPriority::Low
    }
}

/// What a lead costs where none was captured in the last 30 days, in whole units of its currency.
pub(crate) const USUAL_COMMISSION: i64 = 60;

/// Leads that `available` still pays for: floor(available / average commission of the last 30 days, else 60.00).
/// None where that average is zero. `captured` is the sum over `leads` captured leads of those days.
pub fn estimated_leads_left(available: Decimal, captured: Decimal, leads: u64) -> Option<Decimal> {
    let (total, count) = if leads == 0 { (Decimal::from(USUAL_COMMISSION), 1) } else { (captured, leads) };
    quotient_floor(available, count, total)
}

/// Days that `available` lasts: floor(available / average captured per day over `full_days` local days of history,
/// at most the last 7); none without any capture.
pub fn estimated_days_left(available: Decimal, captured: Decimal, full_days: u64) -> Option<Decimal> {
    quotient_floor(available, full_days, captured)
}

/// floor(available x count / total), exactly, in the minor units of a four-decimal currency.
fn quotient_floor(available: Decimal, count: u64, total: Decimal) -> Option<Decimal> {
    let scaled = |amount| to_minor(amount, "CLF".parse().ok()?).ok().map(i128::from);
    let whole = times_left(scaled(available)?, count, scaled(total)?)?;
    Decimal::try_from_i128_with_scale(whole, 0).ok()
}

/// floor(`available` x `count` / `spent`), in minor units: how many times the average of what was spent is still there.
/// None where nothing was spent.
pub(crate) fn times_left(available: i128, count: u64, spent: i128) -> Option<i128> {
    if spent <= 0 || count == 0 {
        return None;
    }
    available.checked_mul(i128::from(count))?.checked_div_euclid(spent)
}
