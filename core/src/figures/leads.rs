//! Leads, counted and rated: the same of a merchant, a partner, or the platform.

use rust_decimal::Decimal;
use serde::Serialize;

use crate::figures::Tally;
use crate::figures::ratio::{average, quotient, rate};
use crate::money::Currency;
use crate::shaped;

shaped! {
    /// Leads by what became of them, net of reversals. Rates are fractions with four decimals, none over nothing.
    #[derive(Clone, Debug, PartialEq, Eq, Serialize)]
    pub struct LeadFigures {
        /// Created, whatever became of them.
        pub generated: u64,
        /// Waiting for the merchant.
        pub pending: u64,
        /// Captured, and neither converted nor lost.
        pub validated: u64,
        /// Captured, whatever became of them then.
        pub ever_validated: u64,
        /// Rejected by the merchant, or expired.
        pub rejected: u64,
        /// Those of them that expired.
        pub expired: u64,
        /// Became a sale.
        pub converted: u64,
        /// Captured, and came to nothing.
        pub lost: u64,
        /// Captured once and given back: neither validated nor rejected, but decided.
        pub reversed: u64,
        /// Ever validated, of those no longer pending.
        pub validation_rate: Option<Decimal>,
        /// Converted, of those ever validated.
        pub conversion_rate: Option<Decimal>,
        /// The average quality score of those ever validated that have one, with two decimals.
        pub average_score: Option<Decimal>,
        /// The average estimated value of all that were created.
        pub average_value: Option<Decimal>,
    }
}

impl LeadFigures {
    pub(super) fn of(leads: &Tally, currency: Currency) -> Self {
        Self {
            generated: leads.created,
            pending: leads.pending(),
            validated: leads.validated(),
            ever_validated: leads.captured,
            rejected: leads.rejected.saturating_add(leads.expired),
            expired: leads.expired,
            converted: leads.converted,
            lost: leads.lost,
            reversed: leads.reversed,
            validation_rate: rate(leads.captured, leads.decided()),
            conversion_rate: rate(leads.converted, leads.captured),
            average_score: quotient(leads.score_sum.into(), leads.scored.into(), 2),
            average_value: average(leads.value_minor, leads.created, currency),
        }
    }
}
