//! The books as JSON lines: everything that a ledger has to know, to be kept elsewhere or taken into another store.
//!
//! | Line | When |
//! | --- | --- |
//! | `{"header":{"format":"leadledger-books","version":1,"private":true}}` | first |
//! | `{"entry":{"merchant":…,"hash":…,"payload":…}}` | each entry of a book, in order; `payload` is the exact text that is hashed |
//! | `{"private":{"merchant":…,"seq":…,"lead":…,"salt":…,"text":…}}` | after its entry, where it is not erased |
//! | `{"missed":{"merchant":…,"lead":…,"day":…,"currency":…,"commission":…}}` | after the entries, by lead |
//! | `{"head":{"merchant":…,"seq":…,"hash":…}}` | ends a book |
//! | `{"trailer":{"books":…,"entries":…,"private":…,"missed":…,"sha256":…}}` | last: SHA-256 over all lines before, line ends included |
//!
//! Books come in the order of their merchants' ids. Every line ends with a line feed, the last one too
//! (docs/adr/0010-export-format.md).

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};
use std::io::{BufWriter, Write};

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use crate::book::Head;
use crate::book::Private;
use crate::entry::Hash;
use crate::error::Error;
use crate::export::{ExportError, ExportReport, Progress, Stage, Which, each_book, finish};
use crate::hex::hex;
use crate::ids::{LeadId, MerchantId};
use crate::money::{Currency, to_decimal};
use crate::pages::Pages;
use crate::store::{Needs, Store};

/// What the header calls it.
pub(crate) const FORMAT: &str = "leadledger-books";
/// The only version yet.
pub(crate) const VERSION: u64 = 1;

/// A line: borrowed to write, owned to read.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub(crate) enum Line<'a> {
    Header {
        format: Cow<'a, str>,
        version: u64,
        private: bool,
    },
    Entry {
        merchant: MerchantId,
        hash: Cow<'a, str>,
        payload: Cow<'a, str>,
    },
    Private {
        merchant: MerchantId,
        seq: u64,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        lead: Option<LeadId>,
        salt: Cow<'a, str>,
        text: Cow<'a, str>,
    },
    Missed {
        merchant: MerchantId,
        lead: LeadId,
        day: Cow<'a, str>,
        currency: Currency,
        commission: Cow<'a, str>,
    },
    Head {
        merchant: MerchantId,
        seq: u64,
        hash: Cow<'a, str>,
    },
    Trailer {
        books: u64,
        entries: u64,
        private: u64,
        missed: u64,
        sha256: Cow<'a, str>,
    },
}

impl Line<'_> {
    /// As it stands in a file, with its line feed.
    pub(crate) fn text(&self) -> String {
        let mut text = serde_json::to_string(self).expect("a line has only string keys and serialises");
        text.push('\n');
        text
    }

    /// The last line of what `report` says.
    pub(crate) fn trailer(report: &ExportReport) -> Line<'static> {
        let ExportReport { books, entries, private, missed, sha256 } = *report;
        Line::Trailer { books, entries, private, missed, sha256: hex(&sha256).into() }
    }
}

/// Entries, or missed leads, in one page.
const PAGE: usize = 512;

struct Export<'a> {
    store: &'a dyn Store,
    out: BufWriter<&'a mut dyn Write>,
    sha: Sha256,
    report: ExportReport,
    progress: &'a mut dyn FnMut(Progress),
}

/// Writes the books; see the module's text. Settles nothing: it is the journal as it stands.
pub(crate) fn export_jsonl(
    store: &dyn Store,
    which: Which,
    with_private: bool,
    out: &mut dyn Write,
    progress: &mut dyn FnMut(Progress),
) -> Result<ExportReport, ExportError> {
    let report = ExportReport { books: 0, entries: 0, private: 0, missed: 0, sha256: Hash::default() };
    let mut export = Export { store, out: BufWriter::new(out), sha: Sha256::new(), report, progress };
    export.line(&Line::Header { format: FORMAT.into(), version: VERSION, private: with_private })?;
    each_book(store, which, |merchant, head| export.book(merchant, &head, with_private))?;
    export.report.sha256 = export.sha.finalize_reset().into();
    export.out.write_all(Line::trailer(&export.report).text().as_bytes())?;
    finish(export.out)?;
    Ok(export.report)
}

impl Export<'_> {
    fn line(&mut self, line: &Line<'_>) -> Result<(), ExportError> {
        let text = line.text();
        self.sha.update(text.as_bytes());
        self.out.write_all(text.as_bytes())?;
        Ok(())
    }

    fn book(&mut self, merchant: MerchantId, head: &Head, with_private: bool) -> Result<(), ExportError> {
        let mut pages = Pages::new(merchant, PAGE);
        loop {
            let page = pages.page(self.store, head)?;
            if page.is_empty() {
                break;
            }
            let bound = page.iter().filter(|recorded| with_private && recorded.has_private());
            let private_of: BTreeSet<u64> = bound.map(|recorded| recorded.entry.seq).collect();
            let mut texts: BTreeMap<u64, Vec<Private>> = BTreeMap::new();
            if !private_of.is_empty() {
                let book = self.store.book(merchant, &Needs { private_of, ..Needs::default() })?;
                for private in book.private {
                    texts.entry(private.seq).or_default().push(private);
                }
            }
            for recorded in &page {
                let seq = recorded.entry.seq;
                self.line(&Line::Entry {
                    merchant,
                    hash: hex(&recorded.hash).into(),
                    payload: recorded.payload.as_str().into(),
                })?;
                self.report.entries = self.report.entries.saturating_add(1);
                let Some(mut own) = texts.remove(&seq) else { continue };
                let bound = recorded.texts();
                own.sort_by_key(|private| private.lead);
                for private in own {
                    if !bound.bind(&private) {
                        let difference = format!("the private text of entry {seq} is not the one it was made with");
                        return Err(Error::CheckFailed { merchant, difference }.into());
                    }
                    let (salt, text) = (hex(&private.salt).into(), private.text.as_str().into());
                    self.line(&Line::Private { merchant, seq, lead: private.lead, salt, text })?;
                    self.report.private = self.report.private.saturating_add(1);
                }
            }
            self.tell();
        }
        self.missed(merchant)?;
        self.line(&Line::Head { merchant, seq: head.seq, hash: hex(&head.hash).into() })?;
        self.report.books = self.report.books.saturating_add(1);
        self.tell();
        Ok(())
    }

    fn missed(&mut self, merchant: MerchantId) -> Result<(), ExportError> {
        let mut after = None;
        loop {
            let book = self.store.book(merchant, &Needs { missed_page: Some((after, PAGE)), ..Needs::default() })?;
            let mut page: Vec<_> = book.missed.iter().map(|(lead, missed)| (*lead, *missed)).collect();
            page.sort_by_key(|(lead, _)| *lead);
            let Some((last, _)) = page.last() else { return Ok(()) };
            after = Some(*last);
            for (lead, missed) in page {
                self.line(&Line::Missed {
                    merchant,
                    lead,
                    day: missed.day.to_string().into(),
                    currency: missed.currency,
                    commission: to_decimal(missed.commission_minor, missed.currency).to_string().into(),
                })?;
                self.report.missed = self.report.missed.saturating_add(1);
            }
        }
    }

    fn tell(&mut self) {
        let ExportReport { books, entries, .. } = self.report;
        (self.progress)(Progress { stage: Stage::Exporting, books, entries });
    }
}
