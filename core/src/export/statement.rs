//! A deposit's statement as CSV (RFC 4180), for spreadsheets: amounts are plain decimals, a capture with a minus sign.

use std::io::{BufWriter, Write};

use crate::book::Book;
use crate::error::Error;
use crate::export::ExportError;
use crate::ids::DepositId;
use crate::money::Currency;
use crate::store::{JournalQuery, Store};
use crate::view::StatementLine;

/// In which order a statement's lines are.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum StatementOrder {
    /// As [`Ledger::statement`](crate::Ledger::statement) has them.
    #[default]
    NewestFirst,
    /// As they happened.
    OldestFirst,
}

/// Columns of the file.
const COLUMNS: [&str; 7] = ["seq", "at", "kind", "lead", "amount", "balance_after", "currency"];

/// A statement on its way out.
pub(crate) struct StatementWriter<'a> {
    csv: csv::Writer<BufWriter<&'a mut dyn Write>>,
    currency: Currency,
    lines: u64,
}

/// Begins with the names of the columns.
pub(crate) fn statement_writer(out: &mut dyn Write, currency: Currency) -> Result<StatementWriter<'_>, ExportError> {
    let mut csv = csv::Writer::from_writer(BufWriter::new(out));
    csv.write_record(COLUMNS).map_err(output)?;
    Ok(StatementWriter { csv, currency, lines: 0 })
}

impl StatementWriter<'_> {
    pub(crate) fn line(&mut self, line: &StatementLine) -> Result<(), ExportError> {
        let lead = line.lead.map(|lead| lead.to_string()).unwrap_or_default();
        let (seq, at) = (line.seq.to_string(), line.at.to_string());
        let (amount, balance) = (line.amount.to_string(), line.balance_after.to_string());
        let fields = [&*seq, &*at, line.kind.name(), &*lead, &*amount, &*balance, self.currency.code()];
        self.csv.write_record(fields).map_err(output)?;
        self.lines = self.lines.saturating_add(1);
        Ok(())
    }

    /// How many lines there were, without that of the names.
    pub(crate) fn finish(mut self) -> Result<u64, ExportError> {
        self.csv.flush()?;
        Ok(self.lines)
    }
}

fn output(fault: csv::Error) -> ExportError {
    ExportError::Output(fault.to_string())
}

/// Writes lines of a statement as CSV, in the order in which they come: `seq`, `at` (UTC), `kind`, `lead`, `amount`
/// (signed), `balance_after`, `currency`. Says how many there were.
///
/// ```
/// use leadledger::{Currency, Ledger, MemoryStore, MerchantId, OpenDeposit, write_statement_csv};
/// let ledger = Ledger::open(MemoryStore::new()).unwrap();
/// let merchant = MerchantId::generate();
/// let opened = ledger.open_deposit(OpenDeposit::new(merchant, "5000.00".parse().unwrap())).wait().unwrap();
/// let statement = ledger.statement(merchant, opened.answer, None, 10).wait().unwrap().unwrap();
/// let mut csv = Vec::new();
/// assert_eq!(write_statement_csv(&mut csv, Currency::MAD, &statement.lines).unwrap(), 1);
/// assert!(String::from_utf8(csv).unwrap().ends_with(",open_deposit,,5000.00,5000.00,MAD\n"));
/// ```
pub fn write_statement_csv<'l>(
    out: &mut dyn Write,
    currency: Currency,
    lines: impl IntoIterator<Item = &'l StatementLine>,
) -> Result<u64, ExportError> {
    let mut writer = statement_writer(out, currency)?;
    lines.into_iter().try_for_each(|line| writer.line(line))?;
    writer.finish()
}

/// Entries in one page of the journal.
const PAGE: usize = 512;

/// Walks the journal from the deposit's opening to the head of `book`, which knows the deposit.
pub(crate) fn oldest_first(
    store: &dyn Store,
    book: &Book,
    id: DepositId,
    writer: &mut StatementWriter<'_>,
) -> Result<(), ExportError> {
    let Some(deposit) = book.deposits.get(&id) else { return Ok(()) };
    let merchant = book.merchant;
    let (mut seq, mut balance) = (deposit.first_seq().saturating_sub(1), 0_i64);
    while seq < book.head.seq {
        let left = usize::try_from(book.head.seq.saturating_sub(seq)).unwrap_or(usize::MAX);
        let page = store.journal(&JournalQuery::After { merchant, seq }, left.min(PAGE))?.items;
        if page.is_empty() {
            let difference = format!("entry {} is missing", seq.saturating_add(1));
            return Err(Error::CheckFailed { merchant, difference }.into());
        }
        for recorded in page {
            let entry = recorded.entry;
            seq = entry.seq;
            let amount = StatementLine::moved_minor(&entry, id);
            if amount != 0 {
                balance = balance.saturating_add(amount);
                writer.line(&StatementLine::of(&entry, amount, balance, deposit.currency))?;
            }
        }
    }
    if balance != deposit.balance_minor {
        let difference =
            format!("deposit {id} has {} minor units, its postings sum to {balance}", deposit.balance_minor);
        return Err(Error::CheckFailed { merchant, difference }.into());
    }
    Ok(())
}
