//! `tail`: the journal of all books as it grows.

use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};
use std::time::Duration;

use leadledger::{Currency, Cursor, Fact, Ledger, MerchantId, Postings, Recorded, answer_fields, to_decimal};
use leadledger_facade::{Family, Fault};
use serde_json::{Value, json};

use crate::cli::Tail;
use crate::commands::optional_id;
use crate::errors::Failure;
use crate::output::{Output, visible};

/// How many entries one read gives at most.
const PAGE: usize = 1_000;
/// How long to wait before looking again.
const PAUSE: Duration = Duration::from_millis(200);

pub(crate) fn run(ledger: &Ledger, arguments: &Tail, out: &mut Output) -> Result<(), Failure> {
    let merchant: Option<MerchantId> = optional_id("merchant", arguments.merchant.as_deref())?;
    let interrupted = interruption()?;
    let mut left = arguments.limit.unwrap_or(u64::MAX);
    let mut after = if arguments.from_start { None } else { end(ledger, &interrupted)? };
    loop {
        let page = ledger.all_events(after, PAGE).wait()?;
        let none = page.items.is_empty();
        for recorded in page.items.iter().filter(|recorded| merchant.is_none_or(|only| only == recorded.merchant)) {
            tell(recorded, out)?;
            left -= 1;
            if left == 0 {
                return Ok(());
            }
        }
        out.flush()?;
        after = page.next;
        let pause = if none { PAUSE } else { Duration::ZERO };
        if interrupted.recv_timeout(pause) != Err(RecvTimeoutError::Timeout) {
            return Ok(());
        }
    }
}

/// Gives something when the user has enough.
fn interruption() -> Result<Receiver<()>, Fault> {
    let (sender, receiver) = channel();
    // Who has ended already needs no further signal.
    let handler = move || _ = sender.send(());
    ctrlc::set_handler(handler)
        .map_err(|error| Fault::new(Family::Internal, "internal", format!("no handler for Ctrl-C: {error}")))?;
    Ok(receiver)
}

/// Where the journal ends now.
fn end(ledger: &Ledger, interrupted: &Receiver<()>) -> Result<Option<Cursor>, Failure> {
    let mut after = None;
    loop {
        let page = ledger.all_events(after, PAGE).wait()?;
        after = page.next;
        if page.items.is_empty() || interrupted.try_recv().is_ok() {
            return Ok(after);
        }
    }
}

fn tell(recorded: &Recorded, out: &mut Output) -> std::io::Result<()> {
    if out.json {
        return out.json(&json_of(recorded));
    }
    let line = line(recorded, out);
    out.line(line)
}

fn currency_of(recorded: &Recorded) -> Option<Currency> {
    recorded.entry.postings.as_ref().map(Postings::currency)
}

/// Postings with decimal amounts, debit positive.
fn postings(recorded: &Recorded) -> impl Iterator<Item = (String, rust_decimal::Decimal, Currency)> {
    let currency = currency_of(recorded).unwrap_or(Currency::MAD);
    let lines = recorded.entry.lines().iter();
    lines.map(move |(account, minor)| (account.to_string(), to_decimal(*minor, currency), currency))
}

/// The alerts that an entry raised, with their levels.
fn alerts(recorded: &Recorded) -> impl Iterator<Item = (leadledger::DepositId, leadledger::Level)> {
    recorded.entry.facts.iter().filter_map(|fact| match fact {
        Fact::AlertRaised { deposit, level, .. } => Some((*deposit, *level)),
        _ => None,
    })
}

fn line(recorded: &Recorded, out: &Output) -> String {
    let entry = &recorded.entry;
    let mut line = format!("{}  {} #{}  {}", out.time(entry.at), recorded.merchant, entry.seq, entry.kind.name());
    if let Some(key) = &entry.key {
        line = format!("{line}  key {}", visible(key.as_str()));
    }
    for (account, amount, currency) in postings(recorded) {
        line = format!("{line}\n    {account}  {}", out.money(amount, currency));
    }
    for (deposit, level) in alerts(recorded) {
        line = format!("{line}\n    alert: deposit {deposit} is {}", out.on_level(level, level.name()));
    }
    line
}

fn json_of(recorded: &Recorded) -> Value {
    let entry = &recorded.entry;
    let posting = |(account, amount, _): (String, rust_decimal::Decimal, Currency)| json!({ "account": account, "amount": amount.to_string() });
    let alert = |(deposit, level): (leadledger::DepositId, leadledger::Level)| json!({ "deposit": deposit, "level": level.name() });
    json!({
        "merchant": recorded.merchant,
        "seq": entry.seq,
        "at": entry.at,
        "kind": entry.kind.name(),
        "key": entry.key,
        "currency": currency_of(recorded),
        "postings": postings(recorded).map(posting).collect::<Vec<_>>(),
        "answer": answer_fields(entry),
        "alerts": alerts(recorded).map(alert).collect::<Vec<_>>(),
    })
}
