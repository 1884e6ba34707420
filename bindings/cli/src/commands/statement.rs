//! `statement`: a page of a deposit's movements.

use leadledger::{Cursor, DepositId, Ledger, MerchantId, Refusal};
use serde_json::{Value, json};

use crate::cli::Statement;
use crate::commands::{id, page_fault};
use crate::errors::Failure;
use crate::output::{Column, Output};

pub(crate) fn run(ledger: &Ledger, arguments: &Statement, out: &mut Output) -> Result<(), Failure> {
    let merchant: MerchantId = id("merchant", &arguments.merchant)?;
    let deposit: DepositId = id("deposit", &arguments.deposit)?;
    let limit = usize::try_from(arguments.page.limit).unwrap_or(usize::MAX);
    let view = ledger.deposit(merchant, deposit).wait()?.ok_or(Refusal::DepositNotFound)?;
    let mut next = arguments.page.after.clone().map(Cursor);
    let mut lines = Vec::new();
    // A page is short where few of the entries that it looked at moved the deposit.
    loop {
        let page = ledger.statement(merchant, deposit, next.clone(), limit - lines.len()).wait();
        let page = page.map_err(|error| page_fault(error, next.as_ref()))?.ok_or(Refusal::DepositNotFound)?;
        lines.extend(page.lines);
        next = page.next;
        if lines.len() >= limit || next.is_none() {
            break;
        }
    }
    if out.json {
        let line = |line: &leadledger::StatementLine| {
            json!({
                "seq": line.seq,
                "at": line.at,
                "kind": line.kind.name(),
                "lead": line.lead,
                "amount": line.amount.to_string(),
                "balance_after": line.balance_after.to_string(),
            })
        };
        return Ok(out.json(&json!({
            "merchant": merchant,
            "deposit": deposit,
            "currency": view.currency,
            "lines": lines.iter().map(line).collect::<Vec<Value>>(),
            "next": next,
        }))?);
    }
    let row = |line: &leadledger::StatementLine| {
        vec![
            line.seq.to_string(),
            out.time(line.at),
            line.kind.name().to_owned(),
            line.lead.map_or_else(String::new, |lead| lead.to_string()),
            out.money(line.amount, view.currency),
            out.money(line.balance_after, view.currency),
        ]
    };
    let rows: Vec<Vec<String>> = lines.iter().map(row).collect();
    let columns = [
        Column::Number("ENTRY"),
        Column::Text("AT"),
        Column::Text("WHAT"),
        Column::Text("LEAD"),
        Column::Number("AMOUNT"),
        Column::Number("BALANCE"),
    ];
    out.table(&columns, &rows)?;
    match next {
        Some(next) => Ok(out.line(format_args!("more: --after {}", next.0))?),
        None => Ok(()),
    }
}
