//! `figures`: a merchant's, a partner's or the platform's, as tables; `report` has a merchant's day, `totals` what is
//! over all merchants.

use chrono::{Days, NaiveDate, Utc};
use leadledger::figures::{CurrencyFigures, DayTrend, LeadFigures, MerchantFigures, MoneyFigures, Trends};
use leadledger::{Currency, InvalidInput, Ledger, Level};
use rust_decimal::Decimal;
use serde_json::Value;

use crate::cli::Figures;
use crate::commands::{id, known_merchant, report, totals};
use crate::errors::Failure;
use crate::output::{Column, Output, bar};

pub(crate) fn run(ledger: &Ledger, arguments: &Figures, out: &mut Output) -> Result<(), Failure> {
    let Some(merchant) = &arguments.merchant else {
        return match &arguments.partner {
            Some(partner) => {
                let figures = ledger.partner_figures(id("partner", partner)?).wait()?;
                show(&figures, out, |out| totals::partner(&figures, out))
            }
            None => {
                let figures = ledger.platform_figures().wait()?;
                show(&figures, out, |out| totals::platform(&figures, out))
            }
        };
    };
    let day = day(arguments, out)?;
    let merchant = known_merchant(ledger, merchant)?;
    if let Some(day) = day {
        let figures = ledger.daily_report(merchant, day).wait()?;
        return show(&figures, out, |out| report::show(&figures, out));
    }
    let figures = ledger.merchant_figures(merchant).wait()?;
    show(&figures, out, |out| text(&figures, out))
}

/// The figures' own JSON, or a text.
fn show(
    figures: &impl serde::Serialize,
    out: &mut Output,
    text: impl FnOnce(&mut Output) -> std::io::Result<()>,
) -> Result<(), Failure> {
    if !out.json {
        return Ok(text(out)?);
    }
    let json: Value = serde_json::to_value(figures).map_err(|fault| leadledger::Error::Internal(fault.to_string()))?;
    Ok(out.json(&json)?)
}

/// The day of a report; none: no report.
fn day(arguments: &Figures, out: &Output) -> Result<Option<NaiveDate>, InvalidInput> {
    if arguments.yesterday {
        return Ok(Utc::now().with_timezone(&out.zone).date_naive().checked_sub_days(Days::new(1)));
    }
    let parse = |text: &String| {
        let day = NaiveDate::parse_from_str(text, "%Y-%m-%d");
        day.map_err(|_| InvalidInput::new("invalid_day", "day", format!("{text:?} is no day such as 2026-11-22")))
    };
    arguments.day.as_ref().map(parse).transpose()
}

fn text(figures: &MerchantFigures, out: &mut Output) -> std::io::Result<()> {
    out.line(format_args!("merchant {}, {} {}", figures.merchant, out.time(figures.at), figures.time_zone))?;
    if figures.currencies.is_empty() {
        return out.line("no payment came in yet");
    }
    figures.currencies.iter().try_for_each(|own| in_currency(own, out))
}

fn in_currency(own: &CurrencyFigures, out: &mut Output) -> std::io::Result<()> {
    let (currency, deposits) = (own.currency, &own.deposits);
    let money = |amount| out.money(amount, currency);
    let pairs = [
        ("balance", money(deposits.balance)),
        ("reserved", money(deposits.reserved)),
        ("available", money(deposits.available)),
        ("worst level", shown(deposits.worst_level, out)),
        ("days left", out.about(deposits.days_left)),
        ("paid in", money(deposits.deposited)),
        ("spent", money(deposits.spent)),
        ("refunded", money(deposits.refunded)),
        ("paid back", money(deposits.paid_back)),
        ("adjusted", money(deposits.adjusted)),
    ];
    out.line("")?;
    out.pairs(&format!("deposits, {currency}"), &pairs)?;
    leads(&own.leads, currency, out)?;
    spent(&own.money, currency, out)?;
    trends(&own.trends, currency, out)
}

fn shown(level: Option<Level>, out: &Output) -> String {
    level.map_or_else(|| "-".to_owned(), |level| out.on_level(level, level.label_fr()))
}

/// Leads, the same of a merchant, a partner and the platform.
pub(super) fn leads(leads: &LeadFigures, currency: Currency, out: &mut Output) -> std::io::Result<()> {
    let pairs = [
        ("generated", out.count(leads.generated)),
        ("pending", out.count(leads.pending)),
        ("validated", out.count(leads.validated)),
        ("converted", out.count(leads.converted)),
        ("lost", out.count(leads.lost)),
        ("reversed", out.count(leads.reversed)),
        ("rejected", out.count(leads.rejected)),
        ("  of them expired", out.count(leads.expired)),
        ("validation rate", out.rate(leads.validation_rate)),
        ("conversion rate", out.rate(leads.conversion_rate)),
        ("average score", out.some_decimal(leads.average_score)),
        ("average value", out.some_money(leads.average_value, currency)),
    ];
    out.line("")?;
    out.pairs("leads", &pairs)
}

/// What leads cost, and what they brought.
pub(super) fn spent(spent: &MoneyFigures, currency: Currency, out: &mut Output) -> std::io::Result<()> {
    let pairs = [
        ("commission paid", out.money(spent.paid, currency)),
        ("  to partners", out.money(spent.partners, currency)),
        ("  to the platform", out.money(spent.platform, currency)),
        ("a captured lead", out.some_money(spent.average_commission, currency)),
        ("an acquisition", out.some_money(spent.cost_per_acquisition, currency)),
        ("return", out.rate(spent.roi)),
    ];
    out.line("")?;
    out.pairs("money", &pairs)
}

fn trends(trends: &Trends, currency: Currency, out: &mut Output) -> std::io::Result<()> {
    let most = trends.days.iter().map(|day| day.generated).max().unwrap_or_default();
    let row = |day: &DayTrend| {
        vec![
            day.day.format("    %Y-%m-%d").to_string(),
            bar(Decimal::from(day.generated), Decimal::from(most), 24),
            out.count(day.generated),
            out.count(day.decided),
            out.rate(day.validation_rate),
        ]
    };
    let rows: Vec<Vec<String>> = trends.days.iter().map(row).collect();
    let columns = [
        Column::Text("    DAY"),
        Column::Text("LEADS"),
        Column::Number(""),
        Column::Number("DECIDED"),
        Column::Number("VALIDATED"),
    ];
    out.line("")?;
    out.line("  seven days")?;
    out.table(&columns, &rows)?;
    if !trends.top_partners.is_empty() {
        let row = |top: &leadledger::figures::TopPartner| {
            vec![format!("    {}", top.partner), out.count(top.captured), out.money(top.commission, currency)]
        };
        let rows: Vec<Vec<String>> = trends.top_partners.iter().map(row).collect();
        out.line("")?;
        out.line("  top partners")?;
        out.table(&[Column::Text("    PARTNER"), Column::Number("CAPTURED"), Column::Number("COMMISSION")], &rows)?;
    }
    if !trends.top_sources.is_empty() {
        let row =
            |top: &leadledger::figures::TopSource| vec![format!("    {}", top.source.name()), out.count(top.leads)];
        let rows: Vec<Vec<String>> = trends.top_sources.iter().map(row).collect();
        out.line("")?;
        out.line("  top sources")?;
        out.table(&[Column::Text("    SOURCE"), Column::Number("LEADS")], &rows)?;
    }
    let missed = &trends.missed;
    let (leads, commission) = (out.count(missed.leads), out.money(missed.commission, currency));
    out.line("")?;
    out.line(format_args!("  missed for want of money: {leads} leads, which would have cost {commission}"))
}
