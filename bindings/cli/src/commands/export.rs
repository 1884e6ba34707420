//! `export`: books into a file, whole or not at all.

use std::io::Write;

use indicatif::ProgressBar;
use leadledger::{DepositId, Format, Ledger, MerchantId, Progress, Refusal, Stage, StatementOrder, Which, hex};
use leadledger_facade::{Family, Fault};
use serde_json::{Value, json};

use crate::cli::{Export, ExportFormat, Global};
use crate::commands::{id, known_merchant, open, progress};
use crate::errors::Failure;
use crate::files::Target;
use crate::output::Output;

pub(crate) fn run(global: &Global, arguments: &Export, out: &mut Output) -> Result<(), Failure> {
    fits(arguments)?;
    let deposit: Option<DepositId> = arguments.deposit.as_deref().map(|text| id("deposit", text)).transpose()?;
    let target = Target::of(&arguments.out, arguments.force)?;
    let ledger = open(global)?;
    let merchant = arguments.merchant.as_deref().map(|text| known_merchant(&ledger, text)).transpose()?;
    let bar = progress(out, None, "{spinner} {msg}, {elapsed}");
    if target.is_stdout() {
        bar.set_draw_target(indicatif::ProgressDrawTarget::hidden());
    }
    let exported = target.write(|file| match (arguments.format, merchant.zip(deposit)) {
        (ExportFormat::Csv, Some((merchant, deposit))) => statement(&ledger, merchant, deposit, file),
        (format, _) => books(&ledger, format, merchant, !arguments.without_private, file, &bar),
    });
    bar.finish_and_clear();
    let (mut answer, line) = exported?;
    // What was asked for went to stdout: nothing else does.
    if target.is_stdout() {
        return Ok(());
    }
    answer["file"] = json!(arguments.out);
    Ok(out.answer(&answer, format_args!("{}: {line}", crate::output::visible(&arguments.out)))?)
}

/// What the options say together.
fn fits(arguments: &Export) -> Result<(), Failure> {
    let (csv, jsonl) = (arguments.format == ExportFormat::Csv, arguments.format == ExportFormat::Jsonl);
    let wrong = if csv && arguments.deposit.is_none() {
        "csv is one deposit's statement: give --merchant and --deposit"
    } else if !csv && arguments.deposit.is_some() {
        "--deposit is for csv"
    } else if !jsonl && arguments.without_private {
        "--without-private is for jsonl; the other formats have no private texts"
    } else {
        return Ok(());
    };
    Err(Failure::Usage(Fault::new(Family::InvalidInput, "usage", wrong)))
}

fn statement(
    ledger: &Ledger,
    merchant: MerchantId,
    deposit: DepositId,
    file: &mut dyn Write,
) -> Result<(Value, String), Failure> {
    let lines = ledger.export_statement_csv(merchant, deposit, StatementOrder::OldestFirst, file)?;
    let lines = lines.ok_or(Refusal::DepositNotFound)?;
    Ok((json!({ "format": "csv", "lines": lines }), format!("{lines} lines")))
}

fn books(
    ledger: &Ledger,
    format: ExportFormat,
    merchant: Option<MerchantId>,
    with_private: bool,
    file: &mut dyn Write,
    bar: &ProgressBar,
) -> Result<(Value, String), Failure> {
    let which = merchant.map_or(Which::All, Which::One);
    let told = &mut |progress: Progress| tell(bar, progress);
    let format = match format {
        ExportFormat::Hledger => Format::Hledger,
        ExportFormat::Beancount => Format::Beancount,
        ExportFormat::Jsonl | ExportFormat::Csv => {
            let report = ledger.export_jsonl(which, with_private, file, told)?;
            let answer = json!({
                "format": "jsonl",
                "books": report.books,
                "entries": report.entries,
                "private": report.private,
                "missed": report.missed,
                "sha256": hex(&report.sha256),
            });
            let line = format!(
                "{} books, {} entries, {} private texts, {} missed leads",
                report.books, report.entries, report.private, report.missed
            );
            return Ok((answer, line));
        }
    };
    let report = ledger.export_accounting(format, which, file, told)?;
    let name = if format == Format::Hledger { "hledger" } else { "beancount" };
    let answer = json!({
        "format": name,
        "books": report.books,
        "transactions": report.transactions,
        "balances": report.balances,
    });
    let line = format!("{} books, {} transactions, {} balances", report.books, report.transactions, report.balances);
    Ok((answer, line))
}

/// Shows how far an export or import is.
pub(super) fn tell(bar: &ProgressBar, progress: Progress) {
    let doing = match progress.stage {
        Stage::Reading => "reading",
        Stage::Exporting => "exporting",
        Stage::Verifying => "verifying",
        Stage::Importing => "importing",
    };
    bar.set_message(format!("{doing}: {} books, {} entries", progress.books, progress.entries));
    bar.tick();
}
