//! Lines of an export as they come in: whole, bounded, counted, digested, and of a form that is known.

use std::io::{BufRead, Read};

use serde_json::Value;
use sha2::{Digest, Sha256};

use crate::book::{Missed, Private};
use crate::entry::{Hash, Recorded};
use crate::export::ExportReport;
use crate::export::jsonl::{FORMAT, Line, VERSION};
use crate::hex::unhex;
use crate::ids::{LeadId, MerchantId};
use crate::import::ImportError;
use crate::money::{parse_decimal, to_minor};

/// No line that was ever written is nearly as long.
const LONGEST: u64 = 1 << 30;
/// How every export begins.
const BEGINNING: &str = "{\"header\":{\"format\":\"leadledger-books\",";

/// What a line says.
pub(super) enum Item {
    Entry(Recorded),
    Private(MerchantId, Private),
    Missed(MerchantId, LeadId, Missed),
    Head(MerchantId, u64, Hash),
}

/// See the module's text.
pub(super) struct Lines<'a> {
    source: &'a mut dyn BufRead,
    /// The line that was read last.
    pub(super) line: u64,
    sha: Sha256,
    /// Whether private texts may come.
    private: bool,
    /// What has come, and at the end its digest.
    pub(super) seen: ExportReport,
}

impl<'a> Lines<'a> {
    /// Reads the header.
    pub(super) fn open(source: &'a mut dyn BufRead) -> Result<Self, ImportError> {
        let seen = ExportReport { books: 0, entries: 0, private: 0, missed: 0, sha256: Hash::default() };
        let mut lines = Self { source, line: 0, sha: Sha256::new(), private: false, seen };
        let text = match lines.text() {
            Ok(text) => text.unwrap_or_default(),
            // What is not even text is nothing of ours.
            Err(ImportError::Damaged { .. }) => return Err(ImportError::NotBooks),
            Err(fault) => return Err(fault),
        };
        let header: Option<Value> = serde_json::from_str(&text).ok();
        let header = header.as_ref().and_then(|line| line.get("header"));
        let format = header.and_then(|header| header.get("format")).and_then(Value::as_str);
        let version = header.and_then(|header| header.get("version"));
        match (format, version) {
            (Some(FORMAT), Some(version)) if version.as_u64() != Some(VERSION) => {
                return Err(ImportError::Version { found: version.to_string() });
            }
            (Some(FORMAT), Some(_)) => {}
            _ => return Err(ImportError::NotBooks),
        }
        match lines.parse(&text)? {
            Line::Header { private, .. } => lines.private = private,
            _ => return Err(ImportError::NotBooks),
        }
        lines.sha.update(text.as_bytes());
        Ok(lines)
    }

    /// At the line that was read last.
    pub(super) fn damaged(&self, what: impl Into<String>) -> ImportError {
        ImportError::Damaged { line: self.line, what: what.into() }
    }

    /// The next line; none after the trailer, which is compared with what has come.
    pub(super) fn next(&mut self) -> Result<Option<Item>, ImportError> {
        let Some(text) = self.text()? else { return Err(ImportError::Cut { line: self.line }) };
        let item = match self.parse(&text)? {
            Line::Header { .. } => return Err(self.damaged("a second header")),
            Line::Trailer { .. } => {
                self.seen.sha256 = self.sha.finalize_reset().into();
                if text != Line::trailer(&self.seen).text() {
                    return Err(self.damaged("the trailer is not that of the lines before: some of them were changed"));
                }
                return match self.text()? {
                    None => Ok(None),
                    Some(_) => Err(self.damaged("something follows the trailer")),
                };
            }
            Line::Entry { merchant, hash, payload } => {
                let hash = unhex(&hash).ok_or_else(|| self.damaged("the hash is none"))?;
                let recorded = Recorded::from_row(merchant, payload.into_owned(), hash);
                self.seen.entries = self.seen.entries.saturating_add(1);
                Item::Entry(recorded.map_err(|fault| self.damaged(fault.to_string()))?)
            }
            Line::Private { merchant, seq, lead, salt, text } => {
                if !self.private {
                    return Err(self.damaged("the header says that there are no private texts"));
                }
                let salt = unhex(&salt).ok_or_else(|| self.damaged("the salt is none"))?;
                self.seen.private = self.seen.private.saturating_add(1);
                Item::Private(merchant, Private { seq, lead, salt, text: text.into_owned() })
            }
            Line::Missed { merchant, lead, day, currency, commission } => {
                let day = day.parse().map_err(|_| self.damaged("the day is none"))?;
                let amount = parse_decimal(&commission).ok().and_then(|amount| to_minor(amount, currency).ok());
                let commission_minor = amount.filter(|minor| *minor >= 0);
                let commission_minor = commission_minor.ok_or_else(|| self.damaged("the commission is none"))?;
                self.seen.missed = self.seen.missed.saturating_add(1);
                Item::Missed(merchant, lead, Missed { day, currency, commission_minor })
            }
            Line::Head { merchant, seq, hash } => {
                self.seen.books = self.seen.books.saturating_add(1);
                Item::Head(merchant, seq, unhex(&hash).ok_or_else(|| self.damaged("the hash is none"))?)
            }
        };
        self.sha.update(text.as_bytes());
        Ok(Some(item))
    }

    /// A whole line with its line feed; none at the end.
    fn text(&mut self) -> Result<Option<String>, ImportError> {
        self.line = self.line.saturating_add(1);
        let mut bytes = Vec::new();
        let read = (&mut *self.source).take(LONGEST).read_until(b'\n', &mut bytes);
        if let Err(fault) = read {
            return Err(ImportError::Source { line: self.line, why: fault.to_string() });
        }
        if bytes.is_empty() {
            return Ok(None);
        }
        if u64::try_from(bytes.len()).is_ok_and(|length| length >= LONGEST) {
            return Err(self.damaged("the line is longer than any that was ever written"));
        }
        if bytes.last() != Some(&b'\n') {
            let ours = self.line > 1 || bytes.starts_with(BEGINNING.as_bytes());
            return Err(if ours { ImportError::Cut { line: self.line } } else { ImportError::NotBooks });
        }
        match String::from_utf8(bytes) {
            Ok(text) => Ok(Some(text)),
            Err(_) => Err(self.damaged("this is not UTF-8")),
        }
    }

    fn parse<'t>(&self, text: &'t str) -> Result<Line<'t>, ImportError> {
        serde_json::from_str(text).map_err(|fault| self.damaged(format!("this is not a line of an export: {fault}")))
    }
}
