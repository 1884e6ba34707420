//! `import`: exported books into this store, verified before anything is written.

use std::fs::File;
use std::io::BufReader;

use leadledger::{ImportError, Ledger};
use serde_json::json;

use crate::cli::Import;
use crate::commands::{export, hex, progress};
use crate::errors::Failure;
use crate::output::{Output, visible};

pub(crate) fn run(ledger: &Ledger, arguments: &Import, out: &mut Output) -> Result<(), Failure> {
    let name = arguments.file.display();
    let unread = |fault: std::io::Error| ImportError::Source { line: 1, why: format!("{name}: {fault}") };
    let file = File::open(&arguments.file).map_err(unread)?;
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
