//! `balances`: what a book held, now or at a past moment.

use chrono::NaiveDateTime;
use leadledger::{AsOf, InvalidInput, Ledger, Timestamp, hex};

use crate::cli::Balances;
use crate::commands::known_merchant;
use crate::errors::Failure;
use crate::output::{Column, Output};

pub(crate) fn run(ledger: &Ledger, arguments: &Balances, out: &mut Output) -> Result<(), Failure> {
    let as_of = match (&arguments.at, arguments.entry) {
        (Some(at), _) => AsOf::Time(time(at, out)?),
        (None, Some(seq)) => AsOf::Entry(seq),
        (None, None) => AsOf::Time(Timestamp::MAX),
    };
    let merchant = known_merchant(ledger, &arguments.merchant)?;
    let balances = ledger.balances(merchant, as_of).wait()?;
    if out.json {
        return Ok(out.json(&balances.to_json())?);
    }
    let of = balances.of;
    out.line(format_args!("merchant  {merchant}"))?;
    out.line(format_args!("as of     entry {}, {}, hash {}", of.seq, out.time(of.at), hex(&of.hash)))?;
    let mut rows = Vec::new();
    for (id, deposit) in &balances.deposits {
        let money = |amount| out.money(amount, deposit.currency);
        rows.push(vec![
            id.to_string(),
            money(deposit.balance),
            money(deposit.reserved),
            money(deposit.available),
            if deposit.closed { "closed" } else { "open" }.to_owned(),
        ]);
    }
    if !rows.is_empty() {
        let columns = [
            Column::Text("DEPOSIT"),
            Column::Number("BALANCE"),
            Column::Number("RESERVED"),
            Column::Number("AVAILABLE"),
            Column::Text("STATUS"),
        ];
        out.line("")?;
        out.table(&columns, &rows)?;
    }
    let row =
        |((currency, account), row): (&(leadledger::Currency, leadledger::Account), &leadledger::AccountBalance)| {
            vec![account.to_string(), out.money(row.balance, *currency)]
        };
    let rows: Vec<Vec<String>> = balances.accounts.iter().map(row).collect();
    if !rows.is_empty() {
        out.line("")?;
        out.table(&[Column::Text("ACCOUNT"), Column::Number("BALANCE")], &rows)?;
    }
    Ok(())
}

/// A time with its offset, or as the terminal shows times.
fn time(text: &str, out: &Output) -> Result<Timestamp, InvalidInput> {
    if let Ok(time) = text.parse() {
        return Ok(time);
    }
    let forms = ["%Y-%m-%d %H:%M:%S%.f", "%Y-%m-%dT%H:%M:%S%.f", "%Y-%m-%d %H:%M"];
    let local = forms.iter().find_map(|form| NaiveDateTime::parse_from_str(text, form).ok());
    // Where clocks are set back, an hour comes twice: its later time is the one that holds everything.
    let utc = local.and_then(|local| local.and_local_timezone(out.zone).latest());
    utc.map(|utc| Timestamp::from_micros(utc.timestamp_micros())).ok_or_else(|| {
        let what = format!("{text:?} is no time such as 2026-11-22T17:00:00Z or '2026-11-22 18:00:00'");
        InvalidInput::new("invalid_time", "at", what)
    })
}
