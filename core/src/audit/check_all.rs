//! The check of all books of a store, one after another: a book that fails does not keep the next from being looked
//! at.

use std::ops::ControlFlow;

use crate::check::CheckReport;
use crate::error::{Error, StoreError};
use crate::ids::MerchantId;
use crate::store::{BookQuery, Store};

/// How far a check of all books has come; told before each book.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CheckProgress {
    /// The book that comes next.
    pub merchant: MerchantId,
    /// Books looked at, failed ones too.
    pub books: u64,
    /// Books when the check began; others may have come since.
    pub books_total: u64,
    /// Entries replayed, of books that passed.
    pub entries: u64,
    /// Entries of all books when the check began.
    pub entries_total: u64,
    /// Books that failed.
    pub failed: u64,
}

/// A book that does not pass its check, or could not be read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CheckFailure {
    /// Whose book.
    pub merchant: MerchantId,
    /// [`Error::CheckFailed`] with the first difference, or why the book could not be checked.
    pub error: Error,
}

impl std::fmt::Display for CheckFailure {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match &self.error {
            // It names the merchant itself.
            Error::CheckFailed { .. } => self.error.fmt(f),
            error => write!(f, "the book of merchant {} cannot be checked: {error}", self.merchant),
        }
    }
}

/// How a check of all books ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum CheckEnd {
    /// Every book was looked at.
    Complete,
    /// The caller stopped it; this book and those after it were not looked at.
    Stopped(MerchantId),
    /// The store could not list the books after this one, if any was looked at.
    Unlisted(Option<MerchantId>, StoreError),
}

/// What a check of all books found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CheckAllReport {
    /// Books looked at, failed ones too.
    pub books: u64,
    /// Entries replayed, of books that passed.
    pub entries: u64,
    /// Leads compared, of books that passed.
    pub leads: u64,
    /// Every book that failed, by merchant.
    pub failures: Vec<CheckFailure>,
    /// Whether it came to the end.
    pub end: CheckEnd,
}

impl CheckAllReport {
    /// Whether every book was looked at and none failed.
    pub fn is_sound(&self) -> bool {
        self.failures.is_empty() && self.end == CheckEnd::Complete
    }
}

/// Books in one page of the list.
const PAGE: usize = 1_000;

/// See [`Ledger::check_all`](crate::Ledger::check_all); `check` checks one book.
pub(crate) fn check_all(
    store: &dyn Store,
    check: &dyn Fn(MerchantId) -> Result<CheckReport, Error>,
    progress: &mut dyn FnMut(&CheckProgress) -> ControlFlow<()>,
) -> Result<CheckAllReport, Error> {
    let (mut books_total, mut entries_total) = (0_u64, 0_u64);
    let mut after = None;
    loop {
        let page = store.books(&BookQuery::After(after), PAGE)?;
        let Some((last, _)) = page.last() else { break };
        after = Some(*last);
        for (_, head) in &page {
            books_total = books_total.saturating_add(1);
            entries_total = entries_total.saturating_add(head.seq);
        }
    }
    let mut report = CheckAllReport { books: 0, entries: 0, leads: 0, failures: Vec::new(), end: CheckEnd::Complete };
    after = None;
    loop {
        let page = match store.books(&BookQuery::After(after), PAGE) {
            Ok(page) => page,
            // What was found so far is worth more than this error alone.
            Err(error) => {
                report.end = CheckEnd::Unlisted(after, error);
                return Ok(report);
            }
        };
        if page.is_empty() {
            return Ok(report);
        }
        for (merchant, _) in page {
            let told = CheckProgress {
                merchant,
                books: report.books,
                books_total,
                entries: report.entries,
                entries_total,
                failed: u64::try_from(report.failures.len()).unwrap_or(u64::MAX),
            };
            if progress(&told).is_break() {
                report.end = CheckEnd::Stopped(merchant);
                return Ok(report);
            }
            match check(merchant) {
                Ok(checked) => {
                    report.entries = report.entries.saturating_add(checked.entries);
                    report.leads = report.leads.saturating_add(checked.leads);
                }
                Err(error) => report.failures.push(CheckFailure { merchant, error }),
            }
            report.books = report.books.saturating_add(1);
            after = Some(merchant);
        }
    }
}
