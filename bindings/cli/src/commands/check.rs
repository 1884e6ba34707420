//! `check`: replays every book, and lists each one that fails.

use std::ops::ControlFlow;

use leadledger::{CheckAllReport, CheckEnd, CheckFailure, Error, Ledger, StoreError, hex};
use leadledger_facade::{Family, Fault};
use serde_json::json;

use crate::cli::Check;
use crate::commands::{known_merchant, progress};
use crate::errors::Failure;
use crate::output::{Output, visible};

pub(crate) fn run(ledger: &Ledger, arguments: &Check, out: &mut Output) -> Result<(), Failure> {
    let (mut report, mut head) =
        (CheckAllReport { books: 1, entries: 0, leads: 0, failures: Vec::new(), end: CheckEnd::Complete }, None);
    match &arguments.merchant {
        None => report = all(ledger, out)?,
        Some(merchant) => {
            let merchant = known_merchant(ledger, merchant)?;
            match ledger.check(merchant).wait() {
                Ok(found) => {
                    (report.entries, report.leads) = (found.entries, found.leads);
                    head = Some(hex(&found.head));
                }
                Err(error) => report.failures.push(CheckFailure { merchant, error }),
            }
        }
    }
    // What keeps a store from being read is not the books' failure.
    if let Some(failure) = report.failures.iter().find(|failure| difference(&failure.error).is_none()) {
        return Err(failure.error.clone().into());
    }
    if let CheckEnd::Unlisted(_, error) = report.end {
        return Err(Error::from(error).into());
    }
    let told = tell(&report, head.as_deref(), out);
    if report.failures.is_empty() {
        return Ok(told?);
    }
    // Books that fail are told by the exit code, whether or not somebody read so far.
    let what = format!("{} of {} books fail their check", report.failures.len(), report.books);
    Err(Fault::new(Family::CheckFailed, "check_failed", what).with("failures", report.failures.len()).into())
}

fn all(ledger: &Ledger, out: &Output) -> Result<CheckAllReport, Error> {
    let bar = progress(out, Some(0), "{wide_bar} {pos}/{len} entries, {msg}, {eta} left");
    let shown = bar.clone();
    let report = ledger.check_all(move |progress| {
        shown.set_length(progress.entries_total);
        shown.set_position(progress.entries);
        shown.set_message(format!("{}/{} books, {} fail", progress.books, progress.books_total, progress.failed));
        ControlFlow::Continue(())
    });
    let report = report.wait();
    bar.finish_and_clear();
    report
}

/// What is wrong with a book; none where it is something else that went wrong.
fn difference(error: &Error) -> Option<&str> {
    match error {
        Error::CheckFailed { difference, .. } => Some(difference),
        // Rows of this book that cannot be read: the others are still looked at.
        Error::Store(StoreError::Corrupt(what)) => Some(what),
        _ => None,
    }
}

fn tell(report: &CheckAllReport, head: Option<&str>, out: &mut Output) -> std::io::Result<()> {
    let failures =
        || report.failures.iter().filter_map(|failure| Some((failure.merchant, difference(&failure.error)?)));
    if out.json {
        let failures =
            failures().map(|(merchant, difference)| json!({ "merchant": merchant, "difference": difference }));
        let mut answer = json!({
            "books": report.books,
            "entries": report.entries,
            "leads": report.leads,
            "failures": failures.collect::<Vec<_>>(),
        });
        if let Some(hash) = head {
            answer["head"] = json!({ "seq": report.entries, "hash": hash });
        }
        out.json(&answer)?;
    } else {
        for (merchant, difference) in failures() {
            out.line(format_args!("{merchant}  {}", visible(difference)))?;
        }
        let (books, entries, leads) = (report.books, report.entries, report.leads);
        out.line(format_args!("{books} books, {entries} entries, {leads} leads: {} fail", report.failures.len()))?;
        if let Some(hash) = head {
            out.line(format_args!("head: entry {entries} {hash}"))?;
        }
    }
    out.flush()
}
