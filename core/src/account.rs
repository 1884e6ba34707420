//! Accounts and postings: double entry by construction (DOMAIN.md chapter 8).
//!
//! A debit is positive, a credit negative. [`Postings`] that do not sum to zero cannot be built, and are refused
//! again when a journal is read back.

use std::str::FromStr;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::figures::{BookCounts, Tally};
use crate::ids::{DepositId, PartnerId};
use crate::money::Currency;
use crate::top_up::Method;

/// An account of one merchant's book. Its text form is DOMAIN.md's (`partner:<partner>:held`).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Account {
    /// Asset: money held at a payment provider.
    Payments(Method),
    /// Liability to the merchant.
    Deposit(DepositId),
    /// Liability to a partner, before the payout delay.
    Held(PartnerId),
    /// Liability to a partner, after it.
    Payable(PartnerId),
    /// Liability to a partner, on its way out.
    InPayout(PartnerId),
    /// Income.
    Commission,
    /// Asset: what the merchant owes.
    Receivable,
    /// Expense: what was written off.
    Losses,
    /// Expense: the other side of an operator's correction.
    Adjustments,
    /// Asset: the other side of what was brought in from elsewhere, `payments:opening`.
    Opening,
}

impl Account {
    /// The text form, put together without the formatting machinery: every posting of every entry goes through here.
    fn text(self) -> String {
        let with_id = |before: &str, id: uuid::Uuid, after: &str| {
            let mut digits = uuid::Uuid::encode_buffer();
            [before, id.hyphenated().encode_lower(&mut digits), after].concat()
        };
        match self {
            Self::Payments(method) => ["payments:", method.name()].concat(),
            Self::Deposit(id) => with_id("deposit:", id.0, ""),
            Self::Held(id) => with_id("partner:", id.0, ":held"),
            Self::Payable(id) => with_id("partner:", id.0, ":payable"),
            Self::InPayout(id) => with_id("partner:", id.0, ":in_payout"),
            Self::Commission => "platform:commission".to_owned(),
            Self::Receivable => "receivable:merchant".to_owned(),
            Self::Losses => "platform:losses".to_owned(),
            Self::Adjustments => "platform:adjustments".to_owned(),
            Self::Opening => "payments:opening".to_owned(),
        }
    }
}

impl std::fmt::Display for Account {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.text())
    }
}

impl FromStr for Account {
    type Err = &'static str;
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        const UNKNOWN: &str = "unknown account";
        let mut parts = text.split(':');
        let account = match (parts.next(), parts.next(), parts.next()) {
            (Some("payments"), Some("opening"), None) => Self::Opening,
            (Some("payments"), Some(method), None) => Self::Payments(Method::from_name(method).ok_or(UNKNOWN)?),
            (Some("deposit"), Some(id), None) => Self::Deposit(id.parse().map_err(|_| UNKNOWN)?),
            (Some("partner"), Some(id), Some(place)) => {
                let id = id.parse().map_err(|_| UNKNOWN)?;
                match place {
                    "held" => Self::Held(id),
                    "payable" => Self::Payable(id),
                    "in_payout" => Self::InPayout(id),
                    _ => return Err(UNKNOWN),
                }
            }
            (Some("platform"), Some("commission"), None) => Self::Commission,
            (Some("platform"), Some("losses"), None) => Self::Losses,
            (Some("platform"), Some("adjustments"), None) => Self::Adjustments,
            (Some("receivable"), Some("merchant"), None) => Self::Receivable,
            _ => return Err(UNKNOWN),
        };
        if parts.next().is_some() { Err(UNKNOWN) } else { Ok(account) }
    }
}

impl Serialize for Account {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.text())
    }
}

impl<'de> Deserialize<'de> for Account {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = std::borrow::Cow::<'de, str>::deserialize(deserializer)?;
        text.parse().map_err(serde::de::Error::custom)
    }
}

/// One side of an entry: an account and a signed amount in minor units, debit positive.
pub type Posting = (Account, i64);

/// The postings of one entry: of one currency, summing to zero, none of them zero.
///
/// ```
/// use leadledger::{Account, Currency, Method, Postings};
/// let lines = vec![(Account::Payments(Method::Manual), 100), (Account::Commission, -99)];
/// assert!(Postings::new(Currency::MAD, lines).is_none());
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Postings {
    currency: Currency,
    lines: Vec<Posting>,
}

impl Postings {
    /// None where the lines do not sum to zero, or one of them is zero.
    pub fn new(currency: Currency, lines: Vec<Posting>) -> Option<Self> {
        let sum = lines.iter().try_fold(0_i128, |sum, (_, amount)| sum.checked_add(i128::from(*amount)))?;
        let whole = lines.iter().all(|(_, amount)| *amount != 0 && *amount != i64::MIN);
        (sum == 0 && whole).then_some(Self { currency, lines })
    }

    /// No money moves.
    pub fn none(currency: Currency) -> Self {
        Self { currency, lines: Vec::new() }
    }

    /// The currency of all lines.
    pub fn currency(&self) -> Currency {
        self.currency
    }

    /// The lines, in the order in which they were made.
    pub fn lines(&self) -> &[Posting] {
        &self.lines
    }
}

/// A partner's earnings with one merchant, in minor units.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct PartnerAccounts {
    /// Captured, before the payout delay.
    pub held_minor: i64,
    /// After it; negative where the partner owes.
    pub payable_minor: i64,
    /// On its way out.
    pub in_payout_minor: i64,
    /// Ever paid out: a memo, not an account.
    pub paid_minor: i64,
    /// The partner's leads with this merchant.
    pub leads: Tally,
}

impl PartnerAccounts {
    /// Whether a lead of the partner was ever captured here, be it with a part of 0.
    pub fn has_earned(&self) -> bool {
        self.leads.captured > 0 || self.leads.reversed > 0
    }
}

/// The accounts of a book that belong neither to a deposit nor to a partner, in one currency: balances in minor
/// units, debit positive.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct PlatformAccounts {
    /// Commission earned: income, so a credit balance is negative.
    pub commission_minor: i64,
    /// What the merchant owes, never negative.
    pub receivable_minor: i64,
    /// What was written off.
    pub losses_minor: i64,
    /// The other side of operators' corrections.
    pub adjustments_minor: i64,
    /// The other side of what was brought in from elsewhere.
    pub opening_minor: i64,
    /// Money held at each payment provider, in the order of [`Method::ALL`].
    pub payments_minor: [i64; Method::ALL.len()],
    /// What the book counts in this currency.
    pub counts: BookCounts,
}

impl PlatformAccounts {
    /// The balance of `account`; none where it belongs to a deposit or a partner.
    pub fn balance_minor(&self, account: Account) -> Option<i64> {
        let mut accounts = *self;
        accounts.balance_mut(account).map(|balance| *balance)
    }

    pub(crate) fn balance_mut(&mut self, account: Account) -> Option<&mut i64> {
        match account {
            Account::Commission => Some(&mut self.commission_minor),
            Account::Receivable => Some(&mut self.receivable_minor),
            Account::Losses => Some(&mut self.losses_minor),
            Account::Adjustments => Some(&mut self.adjustments_minor),
            Account::Opening => Some(&mut self.opening_minor),
            Account::Payments(method) => self.payments_minor.get_mut(method as usize),
            Account::Deposit(_) | Account::Held(_) | Account::Payable(_) | Account::InPayout(_) => None,
        }
    }
}
