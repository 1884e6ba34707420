//! Exports of the books: what leaves the ledger as text, page by page, into whatever the host writes to.
//!
//! Core opens no file: an export goes into any [`Write`]. Each book is exported to the head that it had when its export
//! began, however long that takes and whatever is written meanwhile.

mod accounting;
mod beancount;
mod hledger;
pub(crate) mod jsonl;
mod statement;

use std::io::Write;

use thiserror::Error;

use crate::entry::Hash;
use crate::error::{Error, StoreError};
use crate::ids::MerchantId;
use crate::store::{BookQuery, Store};

pub use accounting::{AccountingReport, Format};
pub(crate) use accounting::{Plan, plan, write_accounting};
pub(crate) use jsonl::export_jsonl;
pub use statement::{StatementOrder, write_statement_csv};
pub(crate) use statement::{oldest_first, statement_writer};

/// Which books to export.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Which {
    /// All there are, in the order of their merchants' ids.
    All,
    /// One merchant's; nothing where there is none.
    One(MerchantId),
}

/// How far an export or import is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Progress {
    /// What is being done.
    pub stage: Stage,
    /// Books that are done.
    pub books: u64,
    /// Entries that are done, of all books.
    pub entries: u64,
}

/// What an export or import is doing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stage {
    /// Reads the journals for what has to be known before anything is written out.
    Reading,
    /// Writes out.
    Exporting,
    /// Verifies what is to be imported; nothing is written.
    Verifying,
    /// Writes into the store.
    Importing,
}

/// What an export of the books wrote.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ExportReport {
    /// Books.
    pub books: u64,
    /// Journal entries.
    pub entries: u64,
    /// Private texts.
    pub private: u64,
    /// Missed leads.
    pub missed: u64,
    /// SHA-256 over all lines before the trailer, as the trailer has it.
    pub sha256: Hash,
}

/// Why an export did not come to its end. What was written until then is not an export.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum ExportError {
    /// The ledger or its store did not answer, or the books do not agree with their journal.
    #[error(transparent)]
    Ledger(#[from] Error),
    /// What is written to did not take it.
    #[error("the export cannot be written: {0}")]
    Output(String),
}

impl ExportError {
    /// The permanent code: `export_output`, or that of the ledger's error.
    pub fn code(&self) -> &'static str {
        match self {
            Self::Ledger(fault) => fault.code(),
            Self::Output(_) => "export_output",
        }
    }
}

impl From<StoreError> for ExportError {
    fn from(fault: StoreError) -> Self {
        Self::Ledger(fault.into())
    }
}

impl From<std::io::Error> for ExportError {
    fn from(fault: std::io::Error) -> Self {
        Self::Output(fault.to_string())
    }
}

/// Calls `each` with the head of one book after another, as it is when that book's turn comes.
pub(crate) fn each_book(
    store: &dyn Store,
    which: Which,
    mut each: impl FnMut(MerchantId, crate::book::Head) -> Result<(), ExportError>,
) -> Result<(), ExportError> {
    if let Which::One(merchant) = which {
        let found = store.books(&BookQuery::Of([merchant].into()), 1)?;
        return found.into_iter().try_for_each(|(merchant, head)| each(merchant, head));
    }
    let mut after = None;
    while let Some((merchant, head)) = store.books(&BookQuery::After(after), 1)?.into_iter().next() {
        each(merchant, head)?;
        after = Some(merchant);
    }
    Ok(())
}

/// Writes what is left in the buffer.
pub(crate) fn finish(mut out: std::io::BufWriter<&mut dyn Write>) -> Result<(), ExportError> {
    Ok(out.flush()?)
}
