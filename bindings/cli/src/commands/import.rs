//! `import`: exported books into this store, verified before anything is written; or the existing backend's tables.

use std::fs::File;
use std::io::BufReader;
use std::path::Path;

use leadledger::{ImportError, Ledger, hex};
use leadledger_legacy::{Earnings, PastWindow, PlanOptions, Uncovered};
use serde_json::json;

use crate::cli::Import;
use crate::commands::{export, progress};
use crate::errors::Failure;
use crate::output::{Output, visible};

pub(crate) fn run(ledger: &Ledger, arguments: &Import, out: &mut Output) -> Result<(), Failure> {
    match (&arguments.file, &arguments.legacy) {
        (Some(file), _) => books(ledger, file, out),
        (None, Some(url)) => legacy(ledger, url, arguments, out),
        (None, None) => Ok(()),
    }
}

/// The tables of the existing backend.
fn legacy(ledger: &Ledger, url: &str, arguments: &Import, out: &mut Output) -> Result<(), Failure> {
    let options = PlanOptions {
        past_window: if arguments.accept_overdue { PastWindow::AsCampaign } else { PastWindow::Expire },
        uncovered: if arguments.cover_pending { Uncovered::Cover } else { Uncovered::LeaveOut },
        earnings: if arguments.earnings_owed { Earnings::Owed } else { Earnings::Settled },
        ..PlanOptions::default()
    };
    let source = leadledger_legacy::read(url, &arguments.schema)?;
    let plan = leadledger_legacy::plan(&source, ledger.now(), options);
    let report = if arguments.dry_run {
        plan.report
    } else {
        let bar = progress(out, Some(plan.openings.len() as u64), "{wide_bar} {pos}/{len} books, {elapsed}");
        let imported = leadledger_legacy::import(plan, ledger, &mut |told| bar.set_position(told.done as u64));
        bar.finish_and_clear();
        imported?
    };
    Ok(out.answer(&report.to_json(), format_args!("{}", report.to_text().trim_end()))?)
}

fn books(ledger: &Ledger, file: &Path, out: &mut Output) -> Result<(), Failure> {
    let name = file.display();
    let unread = |fault: std::io::Error| ImportError::Source { line: 1, why: format!("{name}: {fault}") };
    let file = File::open(file).map_err(unread)?;
    let size = file.metadata().map_err(unread)?.len();
    let bar = progress(out, Some(size), "{wide_bar} {msg}, {elapsed}");
    // It is read twice, from the beginning: the bar goes back with it.
    let mut source = BufReader::new(bar.wrap_read(file));
    let imported = ledger.import_jsonl(&mut source, &mut |progress| export::tell(&bar, progress));
    bar.finish_and_clear();
    let report = imported?;
    let answer = json!({
        "books": report.books,
        "entries": report.entries,
        "private": report.private,
        "missed": report.missed,
        "new_books": report.new_books,
        "new_entries": report.new_entries,
        "sha256": hex(&report.sha256),
    });
    Ok(out.answer(
        &answer,
        format_args!(
            "{}: {} books, {} entries, {} private texts, {} missed leads; new are {} books, {} entries",
            visible(&name.to_string()),
            report.books,
            report.entries,
            report.private,
            report.missed,
            report.new_books,
            report.new_entries
        ),
    )?)
}
