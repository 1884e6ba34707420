//! What a book counts as it goes, so that no figure has to count leads when it is read (DOMAIN.md chapter 9).
//!
//! Sums are wider than any amount: a sum of values is no balance, and nothing is refused because of it.

use serde::{Deserialize, Serialize};

use crate::error::StoreError;
use crate::ids::DepositId;
use crate::lead::{Lead, LeadStatus, Source};
use crate::money::Currency;
use crate::time::Timestamp;

fn is_zero<T: Default + PartialEq>(value: &T) -> bool {
    *value == T::default()
}

/// Leads counted: of a book, a day, a partner or a deposit. What a reversal takes back is no longer counted: it is as if
/// it had not been captured, on the day when it was. Amounts in minor units.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Tally {
    /// Created, whatever became of them.
    #[serde(skip_serializing_if = "is_zero")]
    pub created: u64,
    /// Their estimated values.
    #[serde(skip_serializing_if = "is_zero")]
    pub value_minor: i128,
    /// Those created, by source, in the order of [`Source::ALL`].
    #[serde(skip_serializing_if = "is_zero")]
    pub sources: [u64; Source::ALL.len()],
    /// Ever validated: captured, and not reversed.
    #[serde(skip_serializing_if = "is_zero")]
    pub captured: u64,
    /// Their commission.
    #[serde(skip_serializing_if = "is_zero")]
    pub captured_minor: i128,
    /// The partners' part of it.
    #[serde(skip_serializing_if = "is_zero")]
    pub part_minor: i128,
    /// How many of them have a quality score.
    #[serde(skip_serializing_if = "is_zero")]
    pub scored: u64,
    /// The sum of these scores.
    #[serde(skip_serializing_if = "is_zero")]
    pub score_sum: u64,
    /// Rejected by the merchant.
    #[serde(skip_serializing_if = "is_zero")]
    pub rejected: u64,
    /// Expired.
    #[serde(skip_serializing_if = "is_zero")]
    pub expired: u64,
    /// Captured once and reversed since.
    #[serde(skip_serializing_if = "is_zero")]
    pub reversed: u64,
    /// Converted, and not reversed. Not counted by day: see [`Turnover::converted`].
    #[serde(skip_serializing_if = "is_zero")]
    pub converted: u64,
    /// Their estimated values.
    #[serde(skip_serializing_if = "is_zero")]
    pub converted_value_minor: i128,
    /// Lost, and not reversed. Not counted by day: see [`Turnover::lost`].
    #[serde(skip_serializing_if = "is_zero")]
    pub lost: u64,
}

impl Tally {
    /// Leads that are no longer pending.
    pub fn decided(&self) -> u64 {
        self.captured.saturating_add(self.rejected).saturating_add(self.expired).saturating_add(self.reversed)
    }

    /// Leads that are.
    pub fn pending(&self) -> u64 {
        self.created.saturating_sub(self.decided())
    }

    /// Captured leads that neither became a sale nor came to nothing yet.
    pub fn validated(&self) -> u64 {
        self.captured.saturating_sub(self.converted).saturating_sub(self.lost)
    }

    pub(crate) fn create(&mut self, lead: &Lead) {
        self.created = self.created.saturating_add(1);
        self.value_minor = self.value_minor.saturating_add(lead.value_minor.into());
        if let Some(count) = self.sources.get_mut(lead.source as usize) {
            *count = count.saturating_add(1);
        }
    }

    /// `lead` has just left `pending`.
    pub(crate) fn decide(&mut self, lead: &Lead) {
        match lead.status {
            LeadStatus::Rejected => self.rejected = self.rejected.saturating_add(1),
            LeadStatus::Expired => self.expired = self.expired.saturating_add(1),
            _ => {
                self.captured = self.captured.saturating_add(1);
                self.captured_minor = self.captured_minor.saturating_add(lead.commission_minor.into());
                self.part_minor = self.part_minor.saturating_add(lead.partner_minor.into());
                if let Some(score) = lead.score {
                    self.scored = self.scored.saturating_add(1);
                    self.score_sum = self.score_sum.saturating_add(score.into());
                }
            }
        }
    }

    pub(crate) fn convert(&mut self, lead: &Lead) {
        self.converted = self.converted.saturating_add(1);
        self.converted_value_minor = self.converted_value_minor.saturating_add(lead.value_minor.into());
    }

    pub(crate) fn lose(&mut self) {
        self.lost = self.lost.saturating_add(1);
    }

    /// Takes a captured lead back; `with_sale` where conversions are counted too. `lead` is as it was before.
    pub(crate) fn reverse(&mut self, lead: &Lead, with_sale: bool) {
        self.reversed = self.reversed.saturating_add(1);
        self.captured = self.captured.saturating_sub(1);
        self.captured_minor = self.captured_minor.saturating_sub(lead.commission_minor.into());
        self.part_minor = self.part_minor.saturating_sub(lead.partner_minor.into());
        if let Some(score) = lead.score {
            self.scored = self.scored.saturating_sub(1);
            self.score_sum = self.score_sum.saturating_sub(score.into());
        }
        match lead.status {
            LeadStatus::Converted if with_sale => {
                self.converted = self.converted.saturating_sub(1);
                self.converted_value_minor = self.converted_value_minor.saturating_sub(lead.value_minor.into());
            }
            LeadStatus::Lost if with_sale => self.lost = self.lost.saturating_sub(1),
            _ => {}
        }
    }

    /// Adds what another one counted.
    pub(crate) fn add(&mut self, other: &Self) {
        let counts = [
            (&mut self.created, other.created),
            (&mut self.captured, other.captured),
            (&mut self.scored, other.scored),
            (&mut self.score_sum, other.score_sum),
            (&mut self.rejected, other.rejected),
            (&mut self.expired, other.expired),
            (&mut self.reversed, other.reversed),
            (&mut self.converted, other.converted),
            (&mut self.lost, other.lost),
        ];
        for (count, more) in counts {
            *count = count.saturating_add(more);
        }
        let sums = [
            (&mut self.value_minor, other.value_minor),
            (&mut self.captured_minor, other.captured_minor),
            (&mut self.part_minor, other.part_minor),
            (&mut self.converted_value_minor, other.converted_value_minor),
        ];
        for (sum, more) in sums {
            *sum = sum.saturating_add(more);
        }
        for (count, more) in self.sources.iter_mut().zip(other.sources) {
            *count = count.saturating_add(more);
        }
    }
}

/// What happened and what moved, counted when it did. Amounts in minor units.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Turnover {
    /// Leads that became a sale.
    #[serde(skip_serializing_if = "is_zero")]
    pub converted: u64,
    /// Leads that came to nothing.
    #[serde(skip_serializing_if = "is_zero")]
    pub lost: u64,
    /// Leads that were reversed, whenever they had been captured.
    #[serde(skip_serializing_if = "is_zero")]
    pub reversed: u64,
    /// Brought in from elsewhere by the book's opening: balances, and in a total what captured leads had cost before.
    #[serde(skip_serializing_if = "is_zero")]
    pub brought_in_minor: i128,
    /// Paid in, whatever of it the debt took.
    #[serde(skip_serializing_if = "is_zero")]
    pub deposited_minor: i128,
    /// Refunded to payers or held back by disputes, less what won disputes brought again.
    #[serde(skip_serializing_if = "is_zero")]
    pub refunded_minor: i128,
    /// Paid back by closing.
    #[serde(skip_serializing_if = "is_zero")]
    pub paid_back_minor: i128,
    /// Operators' corrections.
    #[serde(skip_serializing_if = "is_zero")]
    pub adjusted_minor: i128,
}

impl Turnover {
    /// Adds what another one counted.
    pub(crate) fn add(&mut self, other: &Self) {
        self.converted = self.converted.saturating_add(other.converted);
        self.lost = self.lost.saturating_add(other.lost);
        self.reversed = self.reversed.saturating_add(other.reversed);
        self.brought_in_minor = self.brought_in_minor.saturating_add(other.brought_in_minor);
        self.deposited_minor = self.deposited_minor.saturating_add(other.deposited_minor);
        self.refunded_minor = self.refunded_minor.saturating_add(other.refunded_minor);
        self.paid_back_minor = self.paid_back_minor.saturating_add(other.paid_back_minor);
        self.adjusted_minor = self.adjusted_minor.saturating_add(other.adjusted_minor);
    }
}

/// Both kinds of counts, of one span of time.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Counts {
    /// Leads.
    #[serde(skip_serializing_if = "is_zero")]
    pub leads: Tally,
    /// What happened and moved.
    #[serde(skip_serializing_if = "is_zero")]
    pub turnover: Turnover,
}

/// What a book counts in one currency.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct BookCounts {
    /// Since its beginning.
    #[serde(skip_serializing_if = "is_zero")]
    pub total: Counts,
    /// Since its present day began; then it becomes a [`Day`].
    #[serde(skip_serializing_if = "is_zero")]
    pub today: Counts,
}

/// Which local day of a book: of all its deposits in one currency, or of one of them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct DayKey {
    /// The currency.
    pub currency: Currency,
    /// The deposit; none: all.
    pub deposit: Option<DepositId>,
    /// The local day.
    pub day: chrono::NaiveDate,
}

/// A local day that is over. Days on which nothing was counted have no row. Amounts in minor units.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Day {
    /// When the book's last entry of that day was.
    pub until: Timestamp,
    /// What was counted. A later reversal takes its lead back from the day of its capture.
    pub counts: Counts,
    /// What was in the deposits at the end of the day.
    pub balance_minor: i128,
    /// What pending leads held of it.
    pub reserved_minor: i128,
}

macro_rules! as_text {
    ($($type:ident),*) => {$(
        impl $type {
            /// As stores keep it: JSON, without what is zero.
            pub fn to_text(&self) -> String {
                serde_json::to_string(self).expect("counts have only string keys and serialise")
            }

            /// The inverse of `to_text`.
            pub fn from_text(text: &str) -> Result<Self, StoreError> {
                serde_json::from_str(text).map_err(|fault| StoreError::Corrupt(format!("counts {text:?}: {fault}")))
            }
        }
    )*};
}
as_text!(Tally, Counts, BookCounts);

/// The JSON shape of a [`Day`], but for its `until`.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct DayText {
    #[serde(default, skip_serializing_if = "is_zero")]
    leads: Tally,
    #[serde(default, skip_serializing_if = "is_zero")]
    turnover: Turnover,
    balance_minor: i128,
    reserved_minor: i128,
}

impl Day {
    /// As stores keep it beside `until`: JSON, without what is zero.
    pub fn to_text(&self) -> String {
        let Self { counts, balance_minor, reserved_minor, .. } = *self;
        let text = DayText { leads: counts.leads, turnover: counts.turnover, balance_minor, reserved_minor };
        serde_json::to_string(&text).expect("a day has only string keys and serialises")
    }

    /// The inverse of `to_text`.
    pub fn from_text(until: Timestamp, text: &str) -> Result<Self, StoreError> {
        let found: DayText =
            serde_json::from_str(text).map_err(|fault| StoreError::Corrupt(format!("day {text:?}: {fault}")))?;
        let counts = Counts { leads: found.leads, turnover: found.turnover };
        Ok(Self { until, counts, balance_minor: found.balance_minor, reserved_minor: found.reserved_minor })
    }
}
