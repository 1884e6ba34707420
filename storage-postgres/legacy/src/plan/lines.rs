//! Lines of statements: kept as they are, and looked over for what does not add up.

use std::collections::{BTreeMap, BTreeSet};

use leadledger::{
    Currency, DepositId, LeadId, LineKind, MerchantId, Method, OpeningLine, Reference, Timestamp, to_decimal,
};
use uuid::Uuid;

use crate::cause::Cause;
use crate::plan::Planning;
use crate::plan::rows::{Kind, of_line};
use crate::report::Difference;
use crate::source::{Table, TransactionRow};
use crate::values::{Value, amount, dirhams, id, shown, time};

/// What lines say of a lead.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct LeadHistory {
    /// What was taken for it, less what was given back.
    pub(super) taken_minor: i64,
    /// The deposit that it was taken from first, and whose that is.
    pub(super) deposit: Option<(MerchantId, DepositId)>,
}

/// A line that has a place in its deposit's chain.
struct Read {
    line: Uuid,
    at: Timestamp,
    /// None where it is no amount.
    amount_minor: Option<i64>,
    before_minor: i64,
    after_minor: i64,
}

const LINES: Kind<TransactionRow> = Kind {
    table: Table::Transactions,
    id: |row| row.id.as_ref(),
    merchant: |row| row.merchant_id.as_ref(),
    worth: of_line,
};

impl Planning<'_> {
    pub(super) fn take_lines(&mut self) {
        let leads: BTreeSet<LeadId> = self.source.leads.iter().filter_map(|row| id(row.id.as_ref()).ok()).collect();
        let deposits: BTreeMap<DepositId, MerchantId> = self
            .books
            .iter()
            .flat_map(|(merchant, book)| book.deposits.iter().map(|deposit| (deposit.id, *merchant)))
            .collect();
        let mut chains: BTreeMap<(MerchantId, DepositId), Vec<Read>> = BTreeMap::new();
        let mut kept: BTreeMap<MerchantId, Vec<OpeningLine>> = BTreeMap::new();
        for row in self.unique(&LINES, &self.source.transactions) {
            let Some(line) = id::<Uuid>(row.id.as_ref()).ok() else {
                self.leave_out(&LINES, Cause::IdUnusable, &[row]);
                continue;
            };
            let deposit: Value<DepositId> = id(row.deposit_id.as_ref());
            let Some((deposit, merchant)) = deposit.ok().and_then(|id| Some((id, *deposits.get(&id)?))) else {
                self.leave_out(&LINES, Cause::LineOrphan, &[row]);
                continue;
            };
            let about = |cause| Difference::new(cause, Some(merchant), Table::Transactions, [line.to_string()]);
            if id(row.merchant_id.as_ref()) != Value::Is(merchant) {
                self.note(about(Cause::LineMerchant).was(shown(row.merchant_id.as_ref())).is(merchant));
            }
            let lead: Value<LeadId> = id(row.lead_id.as_ref());
            let Some(read) = read(line, row).filter(|_| lead != Value::Unreadable) else {
                self.leave_out(&LINES, Cause::LineUnreadable, &[row]);
                continue;
            };
            if let Some(lead) = lead.ok().filter(|lead| !leads.contains(lead)) {
                self.note(about(Cause::LineLeadUnknown).was(lead).is("kept"));
            }
            let kind = row.transaction_type.as_deref().and_then(LineKind::from_name);
            match (kind, read.amount_minor) {
                (Some(kind), Some(amount)) => {
                    if let (LineKind::Deduction | LineKind::Refund, Some(lead)) = (kind, lead.ok()) {
                        let history = self.history.entry(lead).or_default();
                        history.taken_minor = history.taken_minor.saturating_sub(amount);
                        history.deposit.get_or_insert((merchant, deposit));
                    }
                    let opening = self.line(merchant, deposit, kind, amount, &read, row);
                    kept.entry(merchant).or_default().push(opening);
                }
                (None, _) => self.leave_out(&LINES, Cause::LineTypeUnknown, &[row]),
                (_, None) => self.leave_out(&LINES, Cause::LineUnreadable, &[row]),
            }
            chains.entry((merchant, deposit)).or_default().push(read);
        }
        for (merchant, mut lines) in kept {
            lines.sort_by_key(|line| (line.at, line.line));
            self.book(merchant).lines = lines;
        }
        self.look_over(chains);
    }

    fn line(
        &mut self,
        merchant: MerchantId,
        deposit: DepositId,
        kind: LineKind,
        amount_minor: i64,
        read: &Read,
        row: &TransactionRow,
    ) -> OpeningLine {
        let about = |cause| Difference::new(cause, Some(merchant), Table::Transactions, [read.line.to_string()]);
        let method = row.payment_method.as_deref().filter(|text| !text.is_empty());
        let known = method.and_then(Method::from_name);
        if method.is_some() && known.is_none() {
            self.note(about(Cause::MethodUnknown).was(shown(row.payment_method.as_ref())).is("none"));
        }
        let reference = row.payment_reference.as_deref().filter(|text| !text.is_empty());
        let reference = reference.map(|text| Reference::new(text).map_err(|_| text.chars().count()));
        if let Some(Err(length)) = reference {
            self.note(about(Cause::ReferenceUnusable).was(format!("{length} characters")).is("none"));
        }
        let money = |minor| to_decimal(minor, Currency::MAD);
        OpeningLine {
            line: read.line,
            deposit,
            kind,
            amount: money(amount_minor),
            before: money(read.before_minor),
            after: money(read.after_minor),
            at: read.at,
            lead: id(row.lead_id.as_ref()).ok(),
            method: known,
            reference: reference.and_then(Result::ok),
        }
    }

    /// Each deposit's lines in the order of their times: where one does not follow from the one before.
    fn look_over(&mut self, mut chains: BTreeMap<(MerchantId, DepositId), Vec<Read>>) {
        let mut noted = Vec::new();
        for (merchant, book) in &self.books {
            for deposit in &book.deposits {
                let about = |cause, table, row: String| Difference::new(cause, Some(*merchant), table, [row]);
                let mut chain = chains.remove(&(*merchant, deposit.id)).unwrap_or_default();
                chain.sort_by_key(|line| (line.at, line.line));
                if chain.is_empty() && deposit.had_money {
                    let difference = about(Cause::ChainMissing, Table::Deposits, deposit.id.to_string());
                    noted.push(difference.was("no lines").is(dirhams(deposit.balance_minor)));
                }
                let mut before: Option<&Read> = None;
                for line in &chain {
                    let lines = |cause| about(cause, Table::Transactions, line.line.to_string());
                    let begins = dirhams(line.before_minor);
                    match before {
                        None if line.before_minor != 0 => noted.push(lines(Cause::ChainStart).was(&begins).is("kept")),
                        Some(before) if before.after_minor != line.before_minor => {
                            let difference = lines(Cause::ChainBreak).was(format!(
                                "{} ends at {}, this one begins at {begins}",
                                before.line,
                                dirhams(before.after_minor)
                            ));
                            noted.push(difference.is("kept"));
                        }
                        _ => {}
                    }
                    let sum = line.amount_minor.map(|amount| line.before_minor.saturating_add(amount));
                    if sum.is_some_and(|sum| sum != line.after_minor) {
                        let amount = line.amount_minor.map(dirhams).unwrap_or_default();
                        let after = dirhams(line.after_minor);
                        let begins = dirhams(line.before_minor);
                        noted.push(lines(Cause::LineSum).was(format!("{begins} and {amount} is {after}")).is("kept"));
                    }
                    before = Some(line);
                }
                if let Some((last, said)) = before.zip(deposit.said_minor)
                    && last.after_minor != said
                {
                    let difference = about(Cause::ChainEnd, Table::Deposits, deposit.id.to_string());
                    noted.push(difference.was(dirhams(last.after_minor)).is(dirhams(said)));
                }
            }
        }
        self.differences.extend(noted);
    }
}

fn read(line: Uuid, row: &TransactionRow) -> Option<Read> {
    Some(Read {
        line,
        at: time(row.created_at.as_ref()).ok()?,
        amount_minor: amount(row.amount.as_ref()).ok(),
        before_minor: amount(row.balance_before.as_ref()).ok()?,
        after_minor: amount(row.balance_after.as_ref()).ok()?,
    })
}
