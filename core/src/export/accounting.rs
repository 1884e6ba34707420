//! The books as a plain-text accounting journal, for tools that were written by others and that add up on their own.
//!
//! Each entry that moves money is one transaction; at the end stands what the store has in each account, taken from its
//! rows and not from the postings, for the tool to compare with its own sums (docs/export.md).

use std::cmp::Reverse;
use std::collections::{BTreeMap, BinaryHeap};
use std::io::{BufWriter, Write};

use chrono::NaiveDate;

use crate::account::{Account, Postings};
use crate::book::{Book, Head};
use crate::entry::{Fact, Recorded};
use crate::error::Error;
use crate::export::beancount::Beancount;
use crate::export::hledger::Hledger;
use crate::export::{ExportError, Progress, Stage, finish};
use crate::ids::{LeadId, MerchantId};
use crate::money::{Currency, to_decimal};
use crate::pages::Pages;
use crate::store::{Needs, Store};

/// Which tool's journal.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    /// hledger (1.25 or later).
    Hledger,
    /// beancount (3 or later).
    Beancount,
}

/// What an accounting export wrote.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct AccountingReport {
    /// Books.
    pub books: u64,
    /// Transactions: entries that moved money.
    pub transactions: u64,
    /// Balances that the tool has to come to, one for each account and currency.
    pub balances: u64,
}

/// One book as it is exported: up to `head`, with the balances that the store has there.
#[derive(Debug)]
pub(crate) struct Plan {
    merchant: MerchantId,
    head: Head,
    /// By currency and account: the local day of the first posting, and the stored balance in minor units.
    accounts: BTreeMap<(Currency, Account), (NaiveDate, i64)>,
}

/// An account in the exported file: the name is the same for all books where they share it.
pub(super) type Named = (String, Currency);

/// A transaction of the file.
pub(super) struct Transaction<'a> {
    pub(super) date: NaiveDate,
    pub(super) recorded: &'a Recorded,
    pub(super) postings: &'a Postings,
}

impl Transaction<'_> {
    /// The lead whose money moves, if it is one's.
    pub(super) fn lead(&self) -> Option<LeadId> {
        self.recorded.entry.facts.iter().find_map(|fact| match fact {
            Fact::LeadValidated { lead, .. } | Fact::LeadReversed { lead, .. } | Fact::PartMatured { lead, .. } => {
                Some(*lead)
            }
            _ => None,
        })
    }
}

/// What the tools' languages differ in.
pub(super) trait Language {
    /// An account's name. Those that hold the platform's own money are the same in all books.
    fn name(&self, merchant: MerchantId, account: Account) -> String;
    /// What comes first: every account, with the day of its first posting.
    fn opening(&self, accounts: &BTreeMap<Named, NaiveDate>) -> String;
    /// One transaction.
    fn transaction(&self, transaction: &Transaction<'_>) -> String;
    /// What comes last: the balance of every account at the end of that day.
    fn closing(&self, day: NaiveDate, balances: &BTreeMap<Named, i128>) -> String;
}

/// A decimal of `currency`, exact for any sum.
pub(super) fn shown(minor: i128, currency: Currency) -> String {
    let digits = usize::try_from(currency.decimals()).unwrap_or_default();
    let sign = if minor < 0 { "-" } else { "" };
    let text = format!("{:0>width$}", minor.unsigned_abs(), width = digits.saturating_add(1));
    match text.split_at_checked(text.len().saturating_sub(digits)) {
        Some((whole, fraction)) if !fraction.is_empty() => format!("{sign}{whole}.{fraction}"),
        _ => format!("{sign}{text}"),
    }
}

/// Entries that are looked at, or wait to be written, at once.
const WAITING: usize = 16_384;
const PAGE: usize = 512;

/// Looks through a book for its accounts, until their rows and its head are known as of one moment.
pub(crate) fn plan(
    store: &dyn Store,
    zone: chrono_tz::Tz,
    merchant: MerchantId,
    mut tell: impl FnMut(usize),
) -> Result<Plan, ExportError> {
    let mut plan = Plan { merchant, head: Head::genesis(merchant), accounts: BTreeMap::new() };
    let mut pages = Pages::new(merchant, PAGE);
    loop {
        let mut needs = Needs::default();
        for (currency, account) in plan.accounts.keys() {
            match account {
                Account::Deposit(id) => _ = needs.deposits.insert(*id),
                Account::Held(id) | Account::Payable(id) | Account::InPayout(id) => {
                    needs.partners.insert((*id, *currency));
                }
                _ => {}
            }
        }
        let known = plan.accounts.len();
        let book = store.book(merchant, &needs)?;
        loop {
            let page = pages.page(store, &book.head)?;
            if page.is_empty() {
                break;
            }
            tell(page.len());
            for recorded in page {
                let Some(postings) = &recorded.entry.postings else { continue };
                let day = recorded.entry.at.local_date(zone);
                for (account, _) in postings.lines() {
                    let first = plan.accounts.entry((postings.currency(), *account)).or_insert((day, 0));
                    first.0 = first.0.min(day);
                }
            }
        }
        // Nothing that moved since the rows were asked for is in an account that was not among them.
        if plan.accounts.len() == known {
            plan.head = book.head;
            take_balances(&mut plan, &book);
            return Ok(plan);
        }
    }
}

fn take_balances(plan: &mut Plan, book: &Book) {
    for ((currency, account), (_, balance)) in &mut plan.accounts {
        *balance = book.balance_minor(*currency, *account);
    }
}

/// Writes books that were looked through, by date and then in the order of `plans`.
pub(crate) fn write_accounting(
    store: &dyn Store,
    zone: chrono_tz::Tz,
    format: Format,
    plans: &[Plan],
    out: &mut dyn Write,
    progress: &mut dyn FnMut(Progress),
) -> Result<AccountingReport, ExportError> {
    let language: &dyn Language = match format {
        Format::Hledger => &Hledger,
        Format::Beancount => &Beancount,
    };
    let mut out = BufWriter::new(out);
    let mut opened: BTreeMap<Named, NaiveDate> = BTreeMap::new();
    let mut balances: BTreeMap<Named, i128> = BTreeMap::new();
    for plan in plans {
        for ((currency, account), (day, balance)) in &plan.accounts {
            let named = (language.name(plan.merchant, *account), *currency);
            let first = opened.entry(named.clone()).or_insert(*day);
            *first = (*day).min(*first);
            let sum = balances.entry(named).or_default();
            *sum = sum.saturating_add(i128::from(*balance));
        }
    }
    out.write_all(language.opening(&opened).as_bytes())?;
    let page = WAITING.checked_div(plans.len()).unwrap_or(PAGE).clamp(8, PAGE);
    let mut readers: Vec<Pages> = plans.iter().map(|plan| Pages::new(plan.merchant, page)).collect();
    let mut waiting: BinaryHeap<Reverse<(NaiveDate, usize, u64)>> = BinaryHeap::new();
    let mut heads: Vec<Option<Recorded>> = Vec::with_capacity(plans.len());
    let mut report = AccountingReport { books: 0, transactions: 0, balances: 0 };
    let mut entries = 0_u64;
    let next = |index: usize, readers: &mut [Pages]| -> Result<Option<(NaiveDate, Recorded)>, Error> {
        let (Some(reader), Some(plan)) = (readers.get_mut(index), plans.get(index)) else { return Ok(None) };
        while let Some(recorded) = reader.next(store, &plan.head)? {
            if recorded.entry.postings.is_some() {
                return Ok(Some((recorded.entry.at.local_date(zone), recorded)));
            }
        }
        Ok(None)
    };
    for index in 0..plans.len() {
        let found = next(index, &mut readers)?;
        if let Some((date, recorded)) = &found {
            waiting.push(Reverse((*date, index, recorded.entry.seq)));
        }
        heads.push(found.map(|(_, recorded)| recorded));
    }
    let mut last = None;
    while let Some(Reverse((date, index, _))) = waiting.pop() {
        let Some(recorded) = heads.get_mut(index).and_then(Option::take) else { continue };
        if let Some(postings) = &recorded.entry.postings {
            let transaction = Transaction { date, recorded: &recorded, postings };
            out.write_all(language.transaction(&transaction).as_bytes())?;
        }
        report.transactions = report.transactions.saturating_add(1);
        last = last.max(Some(date));
        let found = next(index, &mut readers)?;
        if let Some((date, recorded)) = found {
            waiting.push(Reverse((date, index, recorded.entry.seq)));
            if let Some(place) = heads.get_mut(index) {
                *place = Some(recorded);
            }
        } else {
            report.books = report.books.saturating_add(1);
            let read = readers.get(index).map_or(0, Pages::seq);
            entries = entries.saturating_add(read);
            progress(Progress { stage: Stage::Exporting, books: report.books, entries });
        }
    }
    if let Some(last) = last {
        out.write_all(language.closing(last, &balances).as_bytes())?;
        report.balances = u64::try_from(balances.len()).unwrap_or(u64::MAX);
    }
    report.books = u64::try_from(plans.len()).unwrap_or(u64::MAX);
    finish(out)?;
    Ok(report)
}

/// A posting's amount, as its language writes it.
pub(super) fn amount(minor: i64, currency: Currency) -> String {
    to_decimal(minor, currency).to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sums_of_any_size() {
        let show = |minor, code: &str| shown(minor, code.parse().unwrap());
        assert_eq!(show(-5, "MAD"), "-0.05");
        assert_eq!(show(0, "MAD"), "0.00");
        assert_eq!(show(123_456, "TND"), "123.456");
        assert_eq!(show(-7, "JPY"), "-7");
        assert_eq!(show(i128::from(i64::MAX) * 3, "MAD"), "276701161105643274.21");
    }
}
