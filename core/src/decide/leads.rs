//! Leads: reserve, capture, release, reverse (DOMAIN.md chapters 3, 4 and 6).

use crate::account::Account;
use crate::agreement::Agreement;
use crate::book::{Book, Missed};
use crate::campaign::{Campaign, CampaignStatus};
use crate::command::{ConvertLead, CreateLead, EraseCustomer, LoseLead, RejectLead, ReverseLead, ValidateLead};
use crate::commission::CommissionKind;
use crate::decide::{Draft, Refused, currency_of, filled};
use crate::deposit::{Basis, Deposit, DepositStatus};
use crate::entry::{Entry, Fact};
use crate::ids::{DepositId, LeadId, PartnerId};
use crate::lead::{Lead, LeadStatus, PartPlace, Source};
use crate::money::{to_decimal, to_positive_minor};
use crate::refusal::Refusal;

pub(super) fn create(draft: Draft<'_>, command: &CreateLead) -> Result<Entry, Refused> {
    let currency = currency_of(draft.book, Some(command.campaign), None);
    let mut draft = draft.in_currency(currency);
    let value = to_positive_minor(command.value, currency)?;
    let id = filled(command.lead);
    if draft.book.leads.get(&id).is_some() {
        return Err(Refusal::LeadExists.into());
    }
    let campaign = *draft.book.campaigns.get(&command.campaign).ok_or(Refusal::CampaignNotFound)?;
    let agreement = agreement(draft.book, command, &campaign);
    let policy = campaign.settings.policy;
    let split = policy.split(value, agreement.share);
    let missed = |refusal| Refused {
        refusal,
        missed: Some((
            id,
            Missed {
                day: draft.at.local_date(draft.settings.time_zone),
                currency,
                commission_minor: split.commission_minor,
            },
        )),
    };
    match campaign.status {
        CampaignStatus::Active => {}
        CampaignStatus::PausedByPerson => return Err(Refusal::CampaignPaused.into()),
        CampaignStatus::PausedByDepletion => return Err(missed(Refusal::CampaignPaused)),
    }
    if value < policy.minimum_value_minor {
        let minimum = to_decimal(policy.minimum_value_minor, currency);
        return Err(Refusal::ValueBelowMinimum { minimum }.into());
    }
    let own = draft.book.open_deposit(Some(command.campaign), currency);
    let deposit_id = own.or_else(|| draft.book.open_deposit(None, currency)).ok_or(Refusal::NoActiveDeposit)?;
    let deposit = draft.book.deposits.get(&deposit_id).ok_or(Refusal::NoActiveDeposit)?;
    if deposit.status != DepositStatus::Active {
        return Err(Refusal::DepositSuspended.into());
    }
    if deposit.available_minor() < split.commission_minor {
        return Err(missed(Refusal::InsufficientFunds {
            available: to_decimal(deposit.available_minor(), currency),
            required: to_decimal(split.commission_minor, currency),
        }));
    }
    draft.note(Fact::LeadCreated {
        lead: id,
        campaign: command.campaign,
        partner: command.partner,
        deposit: deposit_id,
        source: command.source.unwrap_or(Source::Other),
        currency,
        value,
        commission: split.commission_minor,
        part: split.partner_minor,
        policy: policy.version,
        rate: (split.kind == CommissionKind::Percentage).then_some(policy.rate),
        share: agreement.share,
        delay_days: agreement.payout_delay_days,
        minimum_quality: campaign.settings.minimum_quality,
        on_timeout: campaign.settings.on_timeout,
        window_hours: campaign.settings.window_hours,
    });
    hold(&mut draft, deposit_id, split.commission_minor);
    Ok(draft.finish()?)
}

pub(super) fn validate(draft: Draft<'_>, command: &ValidateLead) -> Result<Entry, Refusal> {
    let score = match command.score {
        None => None,
        Some(score) => match u8::try_from(score) {
            Ok(score @ 1..=10) => Some(score),
            _ => return Err(Refusal::InvalidScore),
        },
    };
    let lead = *pending(draft.book, command.lead, "validated")?;
    if let Some(minimum) = lead.terms.minimum_quality {
        match score {
            None => return Err(Refusal::QualityRequired { minimum }),
            Some(score) if score < minimum => return Err(Refusal::QualityBelowMinimum { minimum }),
            Some(_) => {}
        }
    }
    capture(draft, command.lead, &lead, score)
}

pub(super) fn reject(draft: Draft<'_>, command: &RejectLead) -> Result<Entry, Refusal> {
    if command.reason.is_blank() {
        return Err(Refusal::ReasonRequired);
    }
    let lead = *pending(draft.book, command.lead, "rejected")?;
    release(draft, &lead, Fact::LeadRejected { lead: command.lead })
}

pub(super) fn convert(mut draft: Draft<'_>, command: &ConvertLead) -> Result<Entry, Refusal> {
    validated(draft.book, command.lead, "converted")?;
    draft.note(Fact::LeadConverted { lead: command.lead });
    draft.finish()
}

pub(super) fn lose(mut draft: Draft<'_>, command: &LoseLead) -> Result<Entry, Refusal> {
    validated(draft.book, command.lead, "lost")?;
    draft.note(Fact::LeadLost { lead: command.lead });
    draft.finish()
}

pub(super) fn reverse(draft: Draft<'_>, command: &ReverseLead) -> Result<Entry, Refusal> {
    if command.reason.is_blank() {
        return Err(Refusal::ReasonRequired);
    }
    let lead = *found(draft.book, command.lead)?;
    if !lead.is_captured() {
        return Err(Refusal::InvalidTransition { from: lead.status.name(), to: "reversed" });
    }
    if !draft.book.deposits.get(&lead.deposit).is_some_and(Deposit::is_open) {
        return Err(Refusal::DepositClosed);
    }
    let mut draft = draft.in_currency(lead.currency);
    let place = if lead.part == PartPlace::Held { Account::Held } else { Account::Payable };
    draft.post(Account::Deposit(lead.deposit), lead.commission_minor.saturating_neg());
    draft.post(place(lead.partner), lead.partner_minor);
    draft.post(Account::Commission, lead.platform_minor());
    draft.note(Fact::LeadReversed { lead: command.lead, currency: lead.currency });
    if lead.commission_minor > 0 {
        draft.follow_level(lead.deposit);
    }
    draft.finish()
}

pub(super) fn erase_customer(mut draft: Draft<'_>, command: &EraseCustomer) -> Result<Entry, Refusal> {
    found(draft.book, command.lead)?;
    draft.note(Fact::CustomerErased { lead: command.lead });
    draft.finish()
}

/// Captures a pending lead's commission: out of the deposit, to the partner and the platform.
pub(super) fn capture(draft: Draft<'_>, id: LeadId, lead: &Lead, score: Option<u8>) -> Result<Entry, Refusal> {
    let mut draft = draft.in_currency(lead.currency);
    let place: fn(PartnerId) -> Account =
        if lead.terms.payout_delay_days > 0 { Account::Held } else { Account::Payable };
    draft.post(Account::Deposit(lead.deposit), lead.commission_minor);
    draft.post(place(lead.partner), lead.partner_minor.saturating_neg());
    draft.post(Account::Commission, lead.platform_minor().saturating_neg());
    draft.reserve(lead.deposit, lead.commission_minor.saturating_neg());
    draft.note(Fact::LeadValidated { lead: id, currency: lead.currency, score });
    if lead.commission_minor > 0 {
        draft.follow_level(lead.deposit);
    }
    draft.finish()
}

/// Releases a pending lead's reservation, saying why with `fact`.
pub(super) fn release(draft: Draft<'_>, lead: &Lead, fact: Fact) -> Result<Entry, Refusal> {
    let mut draft = draft.in_currency(lead.currency);
    draft.note(fact);
    hold(&mut draft, lead.deposit, lead.commission_minor.saturating_neg());
    draft.finish()
}

/// Reserves or releases. Reservations are not postings: they move the level only where it is measured on what is
/// available.
fn hold(draft: &mut Draft<'_>, deposit: DepositId, amount: i64) {
    draft.reserve(deposit, amount);
    if amount != 0 && draft.deposit(deposit).is_some_and(|deposit| deposit.basis == Basis::Available) {
        draft.follow_level(deposit);
    }
}

/// The agreement for this campaign, else the merchant-wide one, else the campaign's default share without delay.
fn agreement(book: &Book, command: &CreateLead, campaign: &Campaign) -> Agreement {
    let of = |scope| book.agreements.get(&(command.partner, scope)).copied();
    of(Some(command.campaign))
        .or_else(|| of(None))
        .unwrap_or(Agreement { share: campaign.settings.policy.default_share, payout_delay_days: 0 })
}

fn found(book: &Book, id: LeadId) -> Result<&Lead, Refusal> {
    book.leads.get(&id).ok_or(Refusal::LeadNotFound)
}

fn pending<'b>(book: &'b Book, id: LeadId, to: &'static str) -> Result<&'b Lead, Refusal> {
    let lead = found(book, id)?;
    match lead.status {
        LeadStatus::Pending => Ok(lead),
        LeadStatus::Expired => Err(Refusal::LeadExpired),
        other => Err(Refusal::InvalidTransition { from: other.name(), to }),
    }
}

fn validated(book: &Book, id: LeadId, to: &'static str) -> Result<(), Refusal> {
    let lead = found(book, id)?;
    match lead.status {
        LeadStatus::Validated => Ok(()),
        other => Err(Refusal::InvalidTransition { from: other.name(), to }),
    }
}
