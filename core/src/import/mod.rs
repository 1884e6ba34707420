//! Imports of the books from JSON lines (docs/export.md): verified whole before the first entry is written, then written
//! in bounded commits that can be interrupted and gone on with.

mod needs;
mod source;
mod verify;
mod write;

use std::io::{BufRead, Seek, SeekFrom};

use thiserror::Error;

use crate::book::Head;
use crate::entry::Hash;
use crate::error::{Error, StoreError};
use crate::export::Progress;
use crate::ids::MerchantId;
use crate::store::Store;
use crate::time::Timestamp;

/// Entries, or missed leads, in one commit.
pub(crate) const CHUNK: usize = 512;

/// What an import found, and what it wrote.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ImportReport {
    /// Books in the file.
    pub books: u64,
    /// Entries in the file.
    pub entries: u64,
    /// Private texts in the file.
    pub private: u64,
    /// Missed leads in the file.
    pub missed: u64,
    /// Books that were not there before, or not whole.
    pub new_books: u64,
    /// Entries that were not there before.
    pub new_entries: u64,
    /// SHA-256 over all lines before the trailer, as the trailer has it.
    pub sha256: Hash,
}

/// Why books were not imported. Lines are counted from 1.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum ImportError {
    /// The source cannot be read.
    #[error("line {line}: the source cannot be read: {why}")]
    Source {
        /// Where.
        line: u64,
        /// What it said.
        why: String,
    },
    /// The first line is not the header of exported books.
    #[error("line 1: this is not an export of books")]
    NotBooks,
    /// A version that this code does not know.
    #[error("line 1: the format is version {found}; this code knows version 1")]
    Version {
        /// The version found, as it stands there.
        found: String,
    },
    /// It ends before its trailer.
    #[error("line {line}: the file is cut off here")]
    Cut {
        /// The line that is not whole, or not there.
        line: u64,
    },
    /// It is not as it was written.
    #[error("line {line}: {what}")]
    Damaged {
        /// Where.
        line: u64,
        /// What is wrong.
        what: String,
    },
    /// The store has a book of this merchant with another history.
    #[error("line {line}: the store's book of merchant {merchant} has another entry {seq}")]
    BookDiffers {
        /// Where in the file.
        line: u64,
        /// Whose.
        merchant: MerchantId,
        /// The entry that is another.
        seq: u64,
    },
    /// Somebody else wrote to the book while it was being imported. What was imported of it stays.
    #[error("line {line}: somebody wrote to the book of merchant {merchant} during the import")]
    BookMoved {
        /// Where in the file.
        line: u64,
        /// Whose.
        merchant: MerchantId,
    },
    /// The source was another when it was read again. What was imported until then stays.
    #[error("line {line}: the source changed during the import: {what}")]
    SourceChanged {
        /// Where.
        line: u64,
        /// What is another.
        what: String,
    },
    /// The ledger or its store did not do its work. An import that was interrupted so can be run again.
    #[error(transparent)]
    Ledger(#[from] Error),
}

impl ImportError {
    /// The permanent code, that of the ledger's error where it is one.
    pub fn code(&self) -> &'static str {
        match self {
            Self::Source { .. } => "import_source",
            Self::NotBooks => "import_not_books",
            Self::Version { .. } => "import_version",
            Self::Cut { .. } => "import_cut",
            Self::Damaged { .. } => "import_damaged",
            Self::BookDiffers { .. } => "import_book_differs",
            Self::BookMoved { .. } => "import_book_moved",
            Self::SourceChanged { .. } => "import_source_changed",
            Self::Ledger(fault) => fault.code(),
        }
    }
}

impl From<StoreError> for ImportError {
    fn from(fault: StoreError) -> Self {
        Self::Ledger(fault.into())
    }
}

/// A book of the file that was found to be right.
#[derive(Clone, Copy, Debug)]
struct Verified {
    merchant: MerchantId,
    /// As the store had it before; at number 0 where it had none.
    stored: Head,
    /// The last entry in the file.
    seq: u64,
    /// When something is due first, after that entry.
    next_due: Option<Timestamp>,
}

/// An import, and what it is made with.
pub(crate) struct Import<'a> {
    pub(crate) store: &'a dyn Store,
    /// Which lane a book's batches go through.
    pub(crate) lane: &'a dyn Fn(MerchantId) -> usize,
    /// Entries in one commit, at most.
    pub(crate) chunk: usize,
    pub(crate) progress: &'a mut dyn FnMut(Progress),
}

impl Import<'_> {
    /// Reads twice from where `source` stands: to verify, and to write.
    pub(crate) fn run(&mut self, source: &mut (impl BufRead + Seek)) -> Result<ImportReport, ImportError> {
        let moved = |fault: std::io::Error| ImportError::Source { line: 1, why: fault.to_string() };
        let start = source.stream_position().map_err(moved)?;
        let (mut report, books) = self.verify(source)?;
        for book in books.iter().filter(|book| book.stored.seq < book.seq) {
            report.new_books = report.new_books.saturating_add(1);
            report.new_entries = report.new_entries.saturating_add(book.seq.saturating_sub(book.stored.seq));
        }
        if report.new_books > 0 {
            source.seek(SeekFrom::Start(start)).map_err(moved)?;
            self.write(source, &books)?;
        }
        Ok(report)
    }
}
