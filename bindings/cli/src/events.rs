//! An event in one line, for people who follow the journal.

use leadledger::{Basis, CampaignId, Cause, Currency, DepositId, Event, EventBody, Percent, Reference, ReferenceKind};
use rust_decimal::Decimal;

use crate::output::{Output, short, visible};

/// `2026-11-23 09:15:03  442a26ae..1e5e #3  lead_created  lead 9c035e99..7cdf: 60.00 MAD reserved, ...`
pub(crate) fn line(event: &Event, out: &Output) -> String {
    let (at, merchant, name) = (out.time(event.at), short(event.merchant), event.name());
    let seq = format!("#{}", event.seq);
    format!("{at}  {merchant} {seq:<5}  {name:<22}  {}", say(&event.body, out)).trim_end().to_owned()
}

/// What happened, in words and amounts.
fn say(body: &EventBody, out: &Output) -> String {
    let money = |amount: &Decimal, currency: &Currency| out.money(*amount, *currency);
    let of = |deposit: &DepositId| format!("deposit {}", short(deposit));
    match body {
        EventBody::LeadCreated { lead, partner, source, currency, value, commission, .. } => format!(
            "lead {}: {} reserved for a value of {}, from {}, partner {}",
            short(lead),
            money(commission, currency),
            money(value, currency),
            source.name(),
            short(partner)
        ),
        EventBody::LeadValidated {
            lead, accepted, score, currency, commission, partner_part, platform_part, ..
        } => format!(
            "lead {}: {} = {} partner + {} platform{}{}",
            short(lead),
            money(commission, currency),
            money(partner_part, currency),
            money(platform_part, currency),
            score.map_or_else(String::new, |score| format!(", score {score}")),
            if *accepted { ", accepted by time" } else { "" }
        ),
        EventBody::DepositImported { deposit, currency, balance, status, .. } => {
            format!("{}: {} brought in, {}", of(deposit), money(balance, currency), status.name())
        }
        EventBody::LeadImported { lead, partner, currency, commission, status, .. } => format!(
            "lead {}: {}, commission {}, partner {}",
            short(lead),
            status.name(),
            money(commission, currency),
            short(partner)
        ),
        EventBody::LineKept { deposit, line_at, .. } => format!("{}: of {}", of(deposit), out.time(*line_at)),
        EventBody::LeadReversed { lead, currency, commission, .. } => {
            format!("lead {}: {} given back", short(lead), money(commission, currency))
        }
        EventBody::LeadRejected { lead }
        | EventBody::LeadExpired { lead }
        | EventBody::LeadConverted { lead }
        | EventBody::LeadLost { lead }
        | EventBody::CustomerErased { lead } => format!("lead {}", short(lead)),
        EventBody::PartMatured { lead, partner, currency, amount } => format!(
            "lead {}: {} payable{}",
            short(lead),
            money(amount, currency),
            partner.map_or_else(String::new, |partner| format!(" to partner {}", short(partner)))
        ),
        EventBody::AlertRaised { deposit, level, label, currency, balance, reference, .. } => format!(
            "deposit {}: {} ({}), {} of {}",
            short(deposit),
            out.on_level(*level, level.name()),
            visible(label),
            money(balance, currency),
            money(reference, currency)
        ),
        EventBody::AlertCleared { deposit, level } => {
            format!("deposit {}: {} ({})", short(deposit), out.on_level(*level, level.name()), level.label_fr())
        }
        EventBody::CampaignRegistered { campaign, currency, policy_version, threshold, rate, fixed, .. }
        | EventBody::CampaignUpdated { campaign, currency, policy_version, threshold, rate, fixed, .. } => format!(
            "campaign {}: {} of a value below {}, else {}; version {policy_version}",
            short(campaign),
            percent(*rate, out),
            money(threshold, currency),
            money(fixed, currency)
        ),
        EventBody::CampaignPaused { campaign, by } | EventBody::CampaignResumed { campaign, by } => {
            format!("campaign {}, {}", short(campaign), who(*by, "its deposit"))
        }
        EventBody::AgreementSet { partner, campaign, share, payout_delay_days } => format!(
            "partner {}: {} {}, payable after {payout_delay_days} days",
            short(partner),
            percent(*share, out),
            for_campaign(campaign.as_ref())
        ),
        EventBody::PaymentReceived { deposit, currency, amount, credited, method, reference } => format!(
            "deposit {}: {} by {}{}{}",
            short(deposit),
            money(amount, currency),
            method.name(),
            referred(reference.as_ref()),
            if credited == amount { String::new() } else { format!(", {} after the debt", money(credited, currency)) }
        ),
        EventBody::DepositOpened { deposit, campaign, currency } => {
            format!("{}, {currency}, {}", of(deposit), for_campaign(campaign.as_ref()))
        }
        EventBody::DepositSuspended { deposit, by } | EventBody::DepositResumed { deposit, by } => {
            format!("{}, {}", of(deposit), who(*by, "the debt"))
        }
        EventBody::DepositClosed { deposit, currency, paid_back, method, reference } => format!(
            "{}: {} paid back by {}{}",
            of(deposit),
            money(paid_back, currency),
            method.name(),
            referred(reference.as_ref())
        ),
        EventBody::DepositAdjusted { deposit, currency, amount } => {
            format!("{}: {}", of(deposit), money(amount, currency))
        }
        EventBody::AlertSettingsSet { deposit, basis, reference_kind } => {
            let basis = match basis {
                Basis::Balance => "balance",
                Basis::Available => "what is available",
            };
            let reference = match reference_kind {
                ReferenceKind::Initial => "the first payment",
                ReferenceKind::LastTopUp => "the balance after the last payment",
            };
            format!("{}: {basis} against {reference}", of(deposit))
        }
        EventBody::AutoTopUpSet { deposit, currency, threshold, amount } => match (threshold, amount) {
            (Some(threshold), Some(amount)) => {
                format!("{}: {} below {}", of(deposit), money(amount, currency), money(threshold, currency))
            }
            _ => format!("{}: off", of(deposit)),
        },
        EventBody::AutoTopUpRequested { deposit, currency, amount } => {
            format!("{}: {} is asked for", of(deposit), money(amount, currency))
        }
        EventBody::TopUpBegun { top_up, currency, amount, method, .. } => {
            format!("top-up {}: {} by {}", short(top_up), money(amount, currency), method.name())
        }
        EventBody::ReferenceAttached { top_up, reference } => {
            format!("top-up {}{}", short(top_up), referred(Some(reference)))
        }
        EventBody::TopUpSucceeded { top_up, currency, received, reference, receipt, .. } => format!(
            "top-up {}: {}, receipt {receipt}{}",
            short(top_up),
            money(received, currency),
            referred(Some(reference))
        ),
        EventBody::TopUpFailed { top_up }
        | EventBody::TopUpCancelled { top_up }
        | EventBody::DisputeWon { top_up, .. }
        | EventBody::DisputeLost { top_up } => format!("top-up {}", short(top_up)),
        EventBody::TopUpRefunded { top_up, currency, amount }
        | EventBody::TopUpDisputed { top_up, currency, amount } => {
            format!("top-up {}: {} taken back", short(top_up), money(amount, currency))
        }
        EventBody::PayoutRequested { payout, partner, currency, amount } => {
            format!("payout {}: {} to partner {}", short(payout), money(amount, currency), short(partner))
        }
        EventBody::PayoutSettled { payout, currency, amount, method, reference, .. } => format!(
            "payout {}: {} by {}{}",
            short(payout),
            money(amount, currency),
            method.name(),
            referred(reference.as_ref())
        ),
        EventBody::PayoutCancelled { payout, currency, amount, .. } => {
            format!("payout {}: {}", short(payout), money(amount, currency))
        }
        EventBody::WrittenOff { partner, currency, amount } => format!(
            "{} of {}",
            money(amount, currency),
            partner.map_or_else(|| "the merchant".to_owned(), |partner| format!("partner {}", short(partner)))
        ),
        EventBody::DueSettled { expired, accepted, matured } => {
            format!("{expired} leads expired, {accepted} accepted, {matured} parts matured")
        }
    }
}

fn percent(percent: Percent, out: &Output) -> String {
    out.percent(Some(percent.to_decimal()))
}

fn for_campaign(campaign: Option<&CampaignId>) -> String {
    campaign.map_or_else(|| "all campaigns".to_owned(), |campaign| format!("campaign {}", short(campaign)))
}

/// Text from outside.
fn referred(reference: Option<&Reference>) -> String {
    reference.map_or_else(String::new, |reference| format!(", reference {}", visible(reference.as_str())))
}

fn who(by: Cause, ledger: &str) -> String {
    match by {
        Cause::Person => "by a person".to_owned(),
        Cause::Ledger => format!("because of {ledger}"),
    }
}
