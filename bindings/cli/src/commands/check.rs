//! `check`: replays every book, and lists each one that fails.

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use leadledger::{Error, Ledger, MerchantId, StoreError};
use leadledger_facade::{Family, Fault};
use serde_json::json;

use crate::cli::Check;
use crate::commands::{known_merchant, merchants};
use crate::errors::Failure;
use crate::output::{Output, visible};

pub(crate) fn run(ledger: &Ledger, arguments: &Check, out: &mut Output) -> Result<(), Failure> {
    let books = match &arguments.merchant {
        Some(merchant) => vec![known_merchant(ledger, merchant)?],
        None => merchants(ledger)?,
    };
    let bar = progress(books.len(), out);
    let (mut entries, mut leads) = (0, 0);
    let mut failures: Vec<(MerchantId, String)> = Vec::new();
    for merchant in &books {
        match ledger.check(*merchant).wait() {
            Ok(report) => {
                entries += report.entries;
                leads += report.leads;
            }
            Err(Error::CheckFailed { difference, .. }) => failures.push((*merchant, difference)),
            // Rows of this book that cannot be read: the others are still looked at.
            Err(Error::Store(StoreError::Corrupt(what))) => failures.push((*merchant, what)),
            Err(error) => return Err(error.into()),
        }
        bar.inc(1);
    }
    bar.finish_and_clear();
    let told = tell(&books, entries, leads, &failures, out);
    if failures.is_empty() {
        return Ok(told?);
    }
    // Books that fail are told by the exit code, whether or not somebody read so far.
    let what = format!("{} of {} books fail their check", failures.len(), books.len());
    Err(Fault::new(Family::CheckFailed, "check_failed", what).with("failures", failures.len()).into())
}

fn tell(
    books: &[MerchantId],
    entries: u64,
    leads: u64,
    failures: &[(MerchantId, String)],
    out: &mut Output,
) -> std::io::Result<()> {
    if out.json {
        let failure =
            |(merchant, difference): &(MerchantId, String)| json!({ "merchant": merchant, "difference": difference });
        out.json(&json!({
            "books": books.len(),
            "entries": entries,
            "leads": leads,
            "failures": failures.iter().map(failure).collect::<Vec<_>>(),
        }))?;
    } else {
        for (merchant, difference) in failures {
            out.line(format_args!("{merchant}  {}", visible(difference)))?;
        }
        out.line(format_args!("{} books, {entries} entries, {leads} leads: {} fail", books.len(), failures.len()))?;
    }
    out.flush()
}

/// On stderr, where somebody looks at it.
fn progress(books: usize, out: &Output) -> ProgressBar {
    let target = if out.terminal && !out.json { ProgressDrawTarget::stderr() } else { ProgressDrawTarget::hidden() };
    let bar = ProgressBar::with_draw_target(Some(u64::try_from(books).unwrap_or(u64::MAX)), target);
    // The style is text of ours; without it the bar is only plainer.
    match ProgressStyle::with_template("{wide_bar} {pos}/{len} books, {eta} left") {
        Ok(style) => bar.with_style(style),
        Err(_) => bar,
    }
}
