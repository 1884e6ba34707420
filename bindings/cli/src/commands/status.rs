//! `status`: how full the deposits are.

use leadledger::figures::{BalanceCard, CurrencyFigures};
use leadledger::{
    CampaignStatus, DepositStatus, DepositView, LeadOrder, LeadQuery, LeadView, Ledger, Level, MerchantId,
    ReviewPriority,
};
use rust_decimal::Decimal;
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

/// Leads whose time runs out first, as many as the card names.
const FIRST: usize = 5;

/// An open deposit, and its card.
type Shown = (DepositView, BalanceCard);

/// A merchant's open deposits, in the order in which they were opened.
fn deposits(ledger: &Ledger, merchant: MerchantId) -> Result<Vec<Shown>, Failure> {
    let mut shown = Vec::new();
    for view in ledger.deposits(merchant).wait()? {
        if let Some(card) = ledger.balance_card(merchant, view.id).wait()? {
            shown.push((view, card));
        }
    }
    Ok(shown)
}

fn all(ledger: &Ledger, out: &mut Output) -> Result<(), Failure> {
    let mut answer = Vec::new();
    let mut rows = Vec::new();
    for merchant in merchants(ledger)? {
        let deposits = deposits(ledger, merchant)?;
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
        Column::Text("SCOPE"),
        Column::Number("BALANCE"),
        Column::Number("AVAILABLE"),
        Column::Number("FULL"),
        Column::Number("DAYS"),
        Column::Text("LEVEL"),
    ];
    Ok(out.table(&columns, &rows)?)
}

fn row(merchant: MerchantId, (view, card): &Shown, out: &Output) -> Vec<String> {
    let money = |amount| out.money(amount, card.currency);
    let level = card.level.as_ref().map_or_else(String::new, |level| out.on_level(level.level, level.label));
    let status = match view.status {
        DepositStatus::Active => String::new(),
        other => format!(", {}", other.name()),
    };
    vec![
        merchant.to_string(),
        card.campaign.map_or_else(|| "all".to_owned(), |campaign| campaign.to_string().chars().take(8).collect()),
        money(card.balance),
        money(card.available),
        out.percent(card.percent.map(|percent| percent.trunc_with_scale(1))),
        out.about(card.days_left),
        format!("{level}{status}"),
    ]
}

fn scope(card: &BalanceCard) -> String {
    card.campaign.map_or_else(|| "all campaigns".to_owned(), |campaign| format!("campaign {campaign}"))
}

fn json_of(deposits: &[Shown]) -> Vec<Value> {
    let text = |amount: Option<Decimal>| amount.map(|amount| amount.to_string());
    let one = |(view, card): &Shown| {
        json!({
            "deposit": card.deposit,
            "campaign": card.campaign,
            "currency": card.currency,
            "balance": card.balance.to_string(),
            "reserved": card.reserved.to_string(),
            "available": card.available.to_string(),
            "level": card.level.as_ref().map(|level| level.level.name()),
            "basis": view.basis,
            "reference": card.reference.to_string(),
            "percent": text(card.percent),
            "leads_left": card.leads_left,
            "days_left": card.days_left,
            "auto_top_up_threshold": text(card.auto_top_up_threshold),
            "auto_top_up_amount": text(card.auto_top_up_amount),
            "paused_campaigns": card.paused_campaigns,
            "status": view.status.name(),
        })
    };
    deposits.iter().map(one).collect()
}

/// One merchant's card.
fn one(ledger: &Ledger, merchant: MerchantId, out: &mut Output) -> Result<(), Failure> {
    let deposits = deposits(ledger, merchant)?;
    let campaigns = ledger.campaigns(merchant).wait()?;
    let figures = ledger.merchant_figures(merchant).wait()?;
    let review = to_review(ledger, merchant)?;
    let first = ledger.pending_leads(merchant, None, FIRST).wait()?.items;
    if out.json {
        let campaign = |view: &leadledger::CampaignView| json!({ "campaign": view.id, "status": view.status.name() });
        let review =
            ReviewPriority::ALL.iter().zip(review).map(|(priority, leads)| (priority.name().to_owned(), json!(leads)));
        let figures = serde_json::to_value(&figures.currencies);
        return Ok(out.json(&json!({
            "merchant": merchant,
            "deposits": json_of(&deposits),
            "campaigns": campaigns.iter().map(campaign).collect::<Vec<_>>(),
            "to_review": Value::Object(review.collect()),
            "figures": figures.map_err(|fault| leadledger::Error::Internal(fault.to_string()))?,
        }))?);
    }
    out.line(format_args!("merchant   {merchant}"))?;
    if deposits.is_empty() {
        out.line("deposits   none is open")?;
    }
    for deposit in &deposits {
        card(deposit, out)?;
    }
    for own in &figures.currencies {
        key_figures(own, out)?;
    }
    let active = campaigns.iter().filter(|campaign| campaign.status == CampaignStatus::Active).count();
    out.line("")?;
    out.line(format_args!("campaigns  {active} active, {} paused", campaigns.len() - active))?;
    let leads: u64 = review.iter().sum();
    let [high, medium, low] = review.map(|count| out.count(count));
    let leads = out.count(leads);
    out.line(format_args!("to review  {leads} leads: {high} high, {medium} medium, {low} low"))?;
    let rows: Vec<Vec<String>> = first.iter().map(|lead| review_row(lead, out)).collect();
    if rows.is_empty() {
        return Ok(());
    }
    let columns = [
        Column::Text("  LEAD"),
        Column::Text("EXPIRES"),
        Column::Text("PRIORITY"),
        Column::Number("VALUE"),
        Column::Number("COMMISSION"),
    ];
    Ok(out.table(&columns, &rows)?)
}

fn review_row(view: &LeadView, out: &Output) -> Vec<String> {
    vec![
        format!("  {}", view.id),
        out.time(view.lead.expires_at()),
        view.review_priority.map_or_else(String::new, |priority| priority.name().to_owned()),
        out.money(view.value, view.lead.currency),
        out.money(view.commission, view.lead.currency),
    ]
}

fn card((view, card): &Shown, out: &mut Output) -> Result<(), Failure> {
    let money = |amount| out.money(amount, card.currency);
    let amounts = [money(card.balance), money(card.reserved), money(card.available)];
    let wide = amounts.iter().map(|amount| amount.chars().count()).max().unwrap_or_default();
    let status = match view.status {
        DepositStatus::SuspendedByOperator => "suspended by an operator",
        DepositStatus::SuspendedForDebt => "suspended for debt",
        DepositStatus::Active | DepositStatus::Closed => view.status.name(),
    };
    let [balance, reserved, available] = amounts;
    let measured = match view.basis {
        leadledger::Basis::Balance => card.balance,
        leadledger::Basis::Available => card.available,
    };
    let full =
        format!("{} {} of {}", bar(measured, card.reference, 20), out.percent(card.percent), money(card.reference));
    let level = card.level.as_ref().map_or_else(String::new, |level| {
        format!("{} ({})", out.on_level(level.level, level.label), Level::name(level.level))
    });
    let auto = match (card.auto_top_up_threshold, card.auto_top_up_amount) {
        (Some(threshold), Some(amount)) => format!("{} below {}", money(amount), money(threshold)),
        _ => "off".to_owned(),
    };
    let paused: Vec<String> = card.paused_campaigns.iter().map(ToString::to_string).collect();
    out.line("")?;
    out.line(format_args!("deposit    {}, {}", card.deposit, scope(card)))?;
    out.line(format_args!("  balance    {balance:>wide$}  {full}"))?;
    out.line(format_args!("  reserved   {reserved:>wide$}"))?;
    let (leads, days) = (out.about(card.leads_left), out.about(card.days_left));
    out.line(format_args!("  available  {available:>wide$}  leads left {leads}, days left {days}"))?;
    out.line(format_args!("  level      {level}"))?;
    out.line(format_args!("  status     {status}"))?;
    out.line(format_args!("  top-up     automatic: {auto}"))?;
    paused.iter().try_for_each(|campaign| out.line(format_args!("  paused     campaign {campaign}, by depletion")))?;
    Ok(())
}

/// The figures that a merchant looks at first.
fn key_figures(own: &CurrencyFigures, out: &mut Output) -> Result<(), Failure> {
    let today = own.trends.days.last().map_or(0, |day| day.generated);
    let pairs = [
        ("leads today", out.count(today)),
        ("leads", out.count(own.leads.generated)),
        ("validation rate", out.rate(own.leads.validation_rate)),
        ("conversion rate", out.rate(own.leads.conversion_rate)),
        ("spent", out.money(own.money.paid, own.currency)),
        ("an acquisition", out.some_money(own.money.cost_per_acquisition, own.currency)),
        ("return", out.rate(own.money.roi)),
        ("missed leads", out.count(own.trends.missed.leads)),
    ];
    out.line("")?;
    Ok(out.pairs(&format!("figures, {}", own.currency), &pairs)?)
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
