//! A merchant's day, as `figures --day` shows it.

use leadledger::figures::DailyReport;

use crate::output::Output;

pub(super) fn show(report: &DailyReport, out: &mut Output) -> std::io::Result<()> {
    let complete = if report.complete { "" } else { ", not over yet" };
    out.line(format_args!("merchant {}, {} {}{complete}", report.merchant, report.day, report.time_zone))?;
    if report.currencies.is_empty() {
        return out.line("no payment came in yet");
    }
    for own in &report.currencies {
        let money = |amount| out.money(amount, own.currency);
        let deposits = [
            ("began with", money(own.opening_balance)),
            ("ended with", money(own.closing_balance)),
            ("  of it reserved", money(own.reserved)),
            ("commission", money(own.commission)),
            ("paid in", money(own.deposited)),
            ("refunded", money(own.refunded)),
            ("paid back", money(own.paid_back)),
            ("adjusted", money(own.adjusted)),
        ];
        let leads = [
            ("generated", out.count(own.generated)),
            ("validated", out.count(own.validated)),
            ("rejected", out.count(own.rejected)),
            ("  of them expired", out.count(own.expired)),
            ("validation rate", out.rate(own.validation_rate)),
            ("converted", out.count(own.converted)),
            ("lost", out.count(own.lost)),
            ("reversed", out.count(own.reversed)),
            ("missed", out.count(own.missed.leads)),
            ("  would have cost", money(own.missed.commission)),
        ];
        out.line("")?;
        out.pairs(&format!("deposits, {}", own.currency), &deposits)?;
        out.line("")?;
        out.pairs("leads", &leads)?;
    }
    Ok(())
}
