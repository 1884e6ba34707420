//! A partner's and the platform's figures over all merchants.

use leadledger::figures::{PartnerFigures, PlatformFigures};

use crate::commands::figures::{leads, spent};
use crate::output::Output;

pub(super) fn partner(figures: &PartnerFigures, out: &mut Output) -> std::io::Result<()> {
    out.line(format_args!("partner {}, {}", figures.partner, out.time(figures.at)))?;
    if figures.currencies.is_empty() {
        return out.line("no merchant has a lead of this partner");
    }
    for own in &figures.currencies {
        let money = |amount| out.money(amount, own.currency);
        let earnings = [
            ("merchants", out.count(own.merchants)),
            ("earned", money(own.earned)),
            ("held", money(own.held)),
            ("payable", money(own.payable)),
            ("in payout", money(own.in_payout)),
            ("paid out", money(own.paid)),
        ];
        out.line("")?;
        out.pairs(&format!("earnings, {}", own.currency), &earnings)?;
        leads(&own.leads, own.currency, out)?;
    }
    Ok(())
}

pub(super) fn platform(figures: &PlatformFigures, out: &mut Output) -> std::io::Result<()> {
    out.line(format_args!("platform, {}", out.time(figures.at)))?;
    if figures.currencies.is_empty() {
        return out.line("no payment came in yet");
    }
    for own in &figures.currencies {
        let money = |amount| out.money(amount, own.currency);
        let accounts = [
            ("merchants", out.count(own.merchants)),
            ("income", money(own.commission)),
            ("losses", money(own.losses)),
            ("adjustments", money(own.adjustments)),
            ("merchants owe", money(own.receivable)),
            ("owed to all", money(own.owed)),
            ("paid in", money(own.deposited)),
            ("refunded", money(own.refunded)),
            ("paid back", money(own.paid_back)),
        ];
        let payments: Vec<_> = own.payments.iter().map(|(method, amount)| (method.name(), money(*amount))).collect();
        out.line("")?;
        out.pairs(&format!("accounts, {}", own.currency), &accounts)?;
        if !payments.is_empty() {
            out.line("")?;
            out.pairs("money at the providers", &payments)?;
        }
        leads(&own.leads, own.currency, out)?;
        spent(&own.money, own.currency, out)?;
    }
    Ok(())
}
