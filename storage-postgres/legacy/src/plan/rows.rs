//! Rows with an id: each once, and what each of them is worth.

use std::collections::BTreeMap;

use leadledger::MerchantId;

use crate::cause::Cause;
use crate::plan::Planning;
use crate::report::{Difference, Measure};
use crate::source::{DepositRow, LeadRow, Table, TransactionRow};
use crate::values::{counted, id, shown};

/// What a row adds to the totals, beside itself.
pub(super) type Worth = Vec<(Measure, i64)>;

pub(super) fn of_deposit(row: &DepositRow) -> Worth {
    vec![
        (Measure::Initial, counted(row.initial_amount.as_ref())),
        (Measure::Balance, counted(row.current_balance.as_ref())),
        (Measure::Reserved, counted(row.reserved_amount.as_ref())),
    ]
}

pub(super) fn of_line(row: &TransactionRow) -> Worth {
    vec![(Measure::LineAmount, counted(row.amount.as_ref()))]
}

pub(super) fn of_lead(row: &LeadRow) -> Worth {
    vec![
        (Measure::Value, counted(row.estimated_value.as_ref())),
        (Measure::Commission, counted(row.commission_amount.as_ref())),
        (Measure::Part, counted(row.influencer_commission.as_ref())),
    ]
}

/// A kind of row, as [`Planning::unique`] looks at it.
pub(super) struct Kind<R> {
    pub(super) table: Table,
    pub(super) id: fn(&R) -> Option<&String>,
    pub(super) merchant: fn(&R) -> Option<&String>,
    pub(super) worth: fn(&R) -> Worth,
}

impl Planning<'_> {
    /// Each row once; those without an id, and those of one id that differ, are left out.
    pub(super) fn unique<'r, R: PartialEq>(&mut self, kind: &Kind<R>, rows: &'r [R]) -> Vec<&'r R> {
        let mut by_id: BTreeMap<&String, Vec<&R>> = BTreeMap::new();
        for row in rows {
            match (kind.id)(row) {
                Some(id) => by_id.entry(id).or_default().push(row),
                None => self.leave_out(kind, Cause::IdUnusable, &[row]),
            }
        }
        let mut unique = Vec::with_capacity(by_id.len());
        for same in by_id.into_values() {
            match same.split_first() {
                Some((first, [])) => unique.push(*first),
                Some((first, rest)) if rest.iter().all(|row| row == first) => {
                    self.leave_out(kind, Cause::RowTwice, rest);
                    unique.push(*first);
                }
                _ => self.leave_out(kind, Cause::RowsDiffer, &same),
            }
        }
        unique
    }

    /// Leaves rows out for a cause that says all there is to say.
    pub(super) fn leave_out<R>(&mut self, kind: &Kind<R>, cause: Cause, rows: &[&R]) {
        let ids = rows.iter().map(|row| shown((kind.id)(row)));
        let merchant = rows.first().and_then(|row| id::<MerchantId>((kind.merchant)(row)).ok());
        let worth: Worth = rows.iter().flat_map(|row| (kind.worth)(row)).collect();
        let difference = Difference::new(cause, merchant, kind.table, ids);
        let difference = difference.was(format!("{} rows", rows.len())).is("none more").out(&worth);
        self.note(difference);
    }
}
