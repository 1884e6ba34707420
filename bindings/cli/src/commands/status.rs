//! `status`: how full the deposits are.

use leadledger::{Basis, DepositStatus, DepositView, LeadOrder, LeadQuery, Ledger, Level, MerchantId, ReviewPriority};
use serde_json::{Value, json};

use crate::cli::Status;
use crate::commands::{known_merchant, merchants};
use crate::errors::Failure;
use crate::output::{Column, Output, bar};

pub(crate) fn run(ledger: &Ledger, arguments: &Status, out: &mut Output) -> Result<(), Failure> {
    match &arguments.merchant {
        None => all(ledger, out),
        Some(merchant) => one(ledger, known_merchant(ledger, merchant)?, out),
    }
}

fn all(ledger: &Ledger, out: &mut Output) -> Result<(), Failure> {
    let mut answer = Vec::new();
    let mut rows = Vec::new();
    for merchant in merchants(ledger)? {
        let deposits = ledger.deposits(merchant).wait()?;
        if out.json {
            answer.push(json!({ "merchant": merchant, "deposits": json_of(&deposits) }));
        } else if deposits.is_empty() {
            rows.push(vec![merchant.to_string(), "no open deposit".to_owned()]);
        } else {
            rows.extend(deposits.iter().map(|deposit| row(merchant, deposit, out)));
        }
    }
    if out.json {
        return Ok(out.json(&json!({ "merchants": answer }))?);
    }
    if rows.is_empty() {
        return Ok(out.line("no merchant has a book here yet")?);
    }
    let columns = [
        Column::Text("MERCHANT"),
        Column::Text("DEPOSIT"),
        Column::Text("SCOPE"),
        Column::Number("BALANCE"),
        Column::Number("RESERVED"),
        Column::Number("AVAILABLE"),
        Column::Text("LEVEL"),
        Column::Text("STATUS"),
    ];
    Ok(out.table(&columns, &rows)?)
}

fn row(merchant: MerchantId, deposit: &DepositView, out: &Output) -> Vec<String> {
    let money = |amount| out.money(amount, deposit.currency);
    vec![
        merchant.to_string(),
        deposit.id.to_string(),
        scope(deposit),
        money(deposit.balance),
        money(deposit.reserved),
        money(deposit.available),
        deposit.level.map_or_else(String::new, |level| out.on_level(level, level.name())),
        deposit.status.name().to_owned(),
    ]
}

fn scope(deposit: &DepositView) -> String {
    deposit.campaign.map_or_else(|| "all campaigns".to_owned(), |campaign| campaign.to_string())
}

fn json_of(deposits: &[DepositView]) -> Vec<Value> {
    let one = |deposit: &DepositView| {
        json!({
            "deposit": deposit.id,
            "campaign": deposit.campaign,
            "currency": deposit.currency,
            "balance": deposit.balance.to_string(),
            "reserved": deposit.reserved.to_string(),
            "available": deposit.available.to_string(),
            "level": deposit.level.map(Level::name),
            "basis": deposit.basis,
            "reference": deposit.reference.to_string(),
            "status": deposit.status.name(),
        })
    };
    deposits.iter().map(one).collect()
}

/// One merchant's card.
fn one(ledger: &Ledger, merchant: MerchantId, out: &mut Output) -> Result<(), Failure> {
    let deposits = ledger.deposits(merchant).wait()?;
    let campaigns = ledger.campaigns(merchant).wait()?;
    let review = to_review(ledger, merchant)?;
    if out.json {
        let campaign = |view: &leadledger::CampaignView| json!({ "campaign": view.id, "status": view.status.name() });
        let review =
            ReviewPriority::ALL.iter().zip(review).map(|(priority, leads)| (priority.name().to_owned(), json!(leads)));
        return Ok(out.json(&json!({
            "merchant": merchant,
            "deposits": json_of(&deposits),
            "campaigns": campaigns.iter().map(campaign).collect::<Vec<_>>(),
            "to_review": Value::Object(review.collect()),
        }))?);
    }
    out.line(format_args!("merchant   {merchant}"))?;
    if deposits.is_empty() {
        out.line("deposits   none is open")?;
    }
    for deposit in &deposits {
        card(deposit, out)?;
    }
    let active = campaigns.iter().filter(|campaign| campaign.status.name() == "active").count();
    out.line(format_args!("campaigns  {active} active, {} paused", campaigns.len() - active))?;
    let leads: u64 = review.iter().sum();
    let [high, medium, low] = review;
    Ok(out.line(format_args!("to review  {leads} leads: {high} high, {medium} medium, {low} low"))?)
}

fn card(deposit: &DepositView, out: &mut Output) -> Result<(), Failure> {
    let money = |amount| out.money(amount, deposit.currency);
    let amounts = [money(deposit.balance), money(deposit.reserved), money(deposit.available)];
    let wide = amounts.iter().map(|amount| amount.chars().count()).max().unwrap_or_default();
    let measured = match deposit.basis {
        Basis::Balance => deposit.balance,
        Basis::Available => deposit.available,
    };
    let status = match deposit.status {
        DepositStatus::SuspendedByOperator => "suspended by an operator",
        DepositStatus::SuspendedForDebt => "suspended for debt",
        DepositStatus::Active | DepositStatus::Closed => deposit.status.name(),
    };
    let [balance, reserved, available] = amounts;
    let of = format!("{} of {}", bar(measured, deposit.reference, 20), money(deposit.reference));
    let level = deposit
        .level
        .map_or_else(String::new, |level| format!("{} ({})", out.on_level(level, level.name()), level.label_fr()));
    out.line(format_args!("deposit    {}, {}", deposit.id, scope(deposit)))?;
    out.line(format_args!("  balance    {balance:>wide$}  {of}"))?;
    out.line(format_args!("  reserved   {reserved:>wide$}"))?;
    out.line(format_args!("  available  {available:>wide$}"))?;
    out.line(format_args!("  level      {level}"))?;
    Ok(out.line(format_args!("  status     {status}"))?)
}

/// How many leads wait for the merchant, by review priority.
fn to_review(ledger: &Ledger, merchant: MerchantId) -> Result<[u64; 3], Failure> {
    let mut counts = [0; 3];
    let mut query = LeadQuery { order: LeadOrder::ReviewPriority, limit: 1_000, ..LeadQuery::of(merchant) };
    loop {
        let page = ledger.leads(query.clone()).wait()?;
        for priority in page.items.iter().filter_map(|lead| lead.review_priority) {
            match priority {
                ReviewPriority::High => counts[0] += 1,
                ReviewPriority::Medium => counts[1] += 1,
                ReviewPriority::Low => counts[2] += 1,
            }
        }
        if page.next.is_none() {
            return Ok(counts);
        }
        query.after = page.next;
    }
}
