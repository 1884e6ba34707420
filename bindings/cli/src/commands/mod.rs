//! The subcommands, and what they share: opening the ledger, and understanding ids.

mod balances;
mod check;
mod completions;
mod do_command;
mod explain;
mod export;
mod figures;
mod import;
mod init;
mod leads;
mod migrate;
mod play;
mod proof;
mod report;
mod run_due;
mod statement;
mod status;
mod tail;
mod totals;

use std::str::FromStr;
use std::sync::Arc;

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use leadledger::{Clock, Cursor, Error, InvalidInput, Ledger, MerchantId, Options, Settings, StoreError, SystemClock};
use leadledger_facade::{Address, Family, Fault};

use crate::cli::{Cli, Command, Global};
use crate::errors::Failure;
use crate::output::Output;

/// Runs what was asked for.
pub(crate) fn run(cli: &Cli, out: &mut Output) -> Result<(), Failure> {
    let global = &cli.global;
    out.zone = Settings::zone(&global.time_zone)?;
    match &cli.command {
        Command::Init(arguments) => init::run(global, arguments, out),
        Command::Migrate(arguments) => migrate::run(global, arguments, out),
        Command::Status(arguments) => status::run(&open(global)?, arguments, out),
        Command::Figures(arguments) => figures::run(&open(global)?, arguments, out),
        Command::Leads(arguments) => leads::run(&open(global)?, arguments, out),
        Command::Statement(arguments) => statement::run(&open(global)?, arguments, out),
        Command::Explain(arguments) => explain::run(&open(global)?, arguments, out),
        Command::Balances(arguments) => balances::run(&open(global)?, arguments, out),
        Command::Tail(arguments) => tail::run(&open(global)?, arguments, out),
        Command::RunDue(arguments) => run_due::run(&open(global)?, arguments, out),
        Command::Check(arguments) => check::run(&open(global)?, arguments, out),
        Command::Proof(arguments) => proof::run(global, arguments, out),
        Command::Export(arguments) => export::run(global, arguments, out),
        Command::Import(arguments) => import::run(&open(global)?, arguments, out),
        Command::Play(arguments) => play::run(global, arguments, out),
        Command::Do(arguments) => do_command::run(global, arguments, out),
        Command::Completions(arguments) => completions::run(arguments, out),
    }?;
    Ok(out.flush()?)
}

/// Where the ledger is.
fn address(global: &Global) -> Result<Address, Failure> {
    let Some(url) = global.url.as_deref().filter(|url| !url.is_empty()) else {
        let what = "where is the ledger? Give --url URL, or set LEADLEDGER_URL";
        return Err(Failure::Usage(Fault::new(Family::InvalidInput, "url_missing", what)));
    };
    Ok(Address::parse(url)?)
}

/// The ledger, by the machine's clock.
fn open(global: &Global) -> Result<Ledger, Failure> {
    open_by(global, Arc::new(SystemClock))
}

/// The ledger, by another clock. A file that is not there is an error: a slip in its name must not make a new ledger.
fn open_by(global: &Global, clock: Arc<dyn Clock>) -> Result<Ledger, Failure> {
    let address = address(global)?;
    address
        .require_there()
        .map_err(|fault| Fault { message: format!("{} (`leadledger init` makes one)", fault.message), ..fault })?;
    let settings = Settings { time_zone: Settings::zone(&global.time_zone)?, ..Settings::default() };
    Ok(Ledger::with_shared(address.store()?, clock, Options { settings, ..Options::default() })?)
}

/// An id that was given as `field`.
fn id<T: FromStr>(field: &str, text: &str) -> Result<T, Fault> {
    let invalid = || InvalidInput::new("invalid_id", field, format!("{text:?} is not an id (a UUID)")).into();
    text.parse().map_err(|_| invalid())
}

/// An id that may have been given.
fn optional_id<T: FromStr>(field: &str, text: Option<&str>) -> Result<Option<T>, Fault> {
    text.map(|text| id(field, text)).transpose()
}

/// A merchant who has a book. Without one there is nothing to look at: more likely a slip than a new merchant.
fn known_merchant(ledger: &Ledger, text: &str) -> Result<MerchantId, Failure> {
    let merchant = id("merchant", text)?;
    if has_book(ledger, merchant)? {
        return Ok(merchant);
    }
    Err(InvalidInput::new("unknown_merchant", "merchant", format!("{merchant} has no book here")).into())
}

fn has_book(ledger: &Ledger, merchant: MerchantId) -> Result<bool, Error> {
    Ok(!ledger.events(merchant, 0, 1).wait()?.is_empty())
}

/// All merchants who have a book.
fn merchants(ledger: &Ledger) -> Result<Vec<MerchantId>, Error> {
    const PAGE: usize = 1_000;
    let mut all = Vec::new();
    loop {
        let page = ledger.merchants(all.last().copied(), PAGE).wait()?;
        if page.is_empty() {
            return Ok(all);
        }
        all.extend(page);
    }
}

/// How far something is, on stderr, where somebody looks at it.
fn progress(out: &Output, total: Option<u64>, template: &str) -> ProgressBar {
    let target = if out.terminal && !out.json { ProgressDrawTarget::stderr() } else { ProgressDrawTarget::hidden() };
    let bar = ProgressBar::with_draw_target(total, target);
    // The style is text of ours; without it the bar is only plainer.
    match ProgressStyle::with_template(template) {
        Ok(style) => bar.with_style(style),
        Err(_) => bar,
    }
}

/// A page's error: in a store that could be opened, only a cursor can be foreign.
fn page_fault(error: Error, after: Option<&Cursor>) -> Failure {
    match (&error, after) {
        (Error::Store(StoreError::Foreign(what)), Some(_)) => {
            InvalidInput::new("invalid_cursor", "after", what.clone()).into()
        }
        _ => error.into(),
    }
}
