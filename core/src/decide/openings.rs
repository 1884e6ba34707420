//! The opening of a book from elsewhere: everything in one entry, or nothing (docs/adr/0011).
//!
//! Checks: `book_not_empty`; then each part in the order campaigns, agreements, deposits, leads, lines, with the refusal
//! that its own command would give, or `invalid_opening` for what only an opening can get wrong; then
//! `insufficient_funds` where pending leads reserve more than their deposit has.

use std::collections::BTreeMap;

use rust_decimal::Decimal;

use crate::account::Account;
use crate::alert::Level;
use crate::book::Book;
use crate::campaign::{Campaign, CampaignSettings, CampaignStatus, SettingsTerms};
use crate::command::OpenBook;
use crate::commission::Policy;
use crate::decide::Draft;
use crate::entry::{Cause, Entry, Fact};
use crate::ids::{DepositId, LeadId, PartnerId};
use crate::lead::{LeadStatus, PartPlace, Source};
use crate::money::{Currency, to_decimal, to_minor, to_positive_minor};
use crate::opening::{
    ImportedDeposit, ImportedLead, ImportedLine, OpeningCampaign, OpeningDeposit, OpeningLead, OpeningLine,
    OpeningStatus,
};
use crate::percent::Percent;
use crate::refusal::Refusal;

pub(super) fn open(draft: Draft<'_>, command: &OpenBook) -> Result<Entry, Refusal> {
    if draft.book.head.seq != 0 {
        return Err(Refusal::BookNotEmpty);
    }
    let currency = command.currency.unwrap_or(Currency::MAD);
    // What the levels look at: the campaigns that come in with the deposits.
    let mut book = Book::complete(draft.book.merchant);
    let mut registered = Vec::with_capacity(command.campaigns.len());
    for campaign in &command.campaigns {
        registered.extend(take_campaign(&mut book, &draft, currency, campaign)?);
    }
    let mut draft = Draft::new(&book, draft.settings, draft.at, draft.kind()).in_currency(currency);
    registered.into_iter().for_each(|fact| draft.note(fact));
    take_agreements(&mut draft, command)?;
    take_deposits(&mut draft, currency, &command.deposits)?;
    take_leads(&mut draft, currency, &command.leads)?;
    for line in &command.lines {
        take_line(&mut draft, currency, line)?;
    }
    for deposit in &command.deposits {
        follow(&mut draft, deposit);
    }
    if draft.is_empty() {
        return Err(invalid(None, "nothing comes in"));
    }
    draft.finish()
}

fn invalid(id: Option<uuid::Uuid>, what: &'static str) -> Refusal {
    Refusal::InvalidOpening { id: id.unwrap_or_default(), what }
}

/// A place in an order that ends with 0: a book's own entries come after.
fn order(place: usize, count: usize) -> i64 {
    let before = count.saturating_sub(place).saturating_sub(1);
    i64::try_from(before).unwrap_or(i64::MAX).saturating_neg()
}

fn not_negative(amount: Decimal, currency: Currency) -> Result<i64, Refusal> {
    if amount < Decimal::ZERO { Err(Refusal::InvalidAmount) } else { to_minor(amount, currency) }
}

fn days(delay: Option<i64>) -> Result<u32, Refusal> {
    u32::try_from(delay.unwrap_or(0)).map_err(|_| Refusal::InvalidAgreement { field: "payout_delay_days" })
}

fn share(share: Decimal) -> Result<Percent, Refusal> {
    Percent::new(share).ok_or(Refusal::InvalidAgreement { field: "share" })
}

fn take_campaign(
    book: &mut Book,
    draft: &Draft<'_>,
    currency: Currency,
    campaign: &OpeningCampaign,
) -> Result<Vec<Fact>, Refusal> {
    let mut terms = campaign.policy;
    let minimum = to_decimal(draft.settings.minimums(currency).value_minor, currency);
    terms.minimum_value = terms.minimum_value.or(Some(minimum));
    let policy = Policy::new(currency, terms)?;
    let rules = SettingsTerms {
        window_hours: campaign.validation_window_hours,
        minimum_quality: campaign.minimum_quality.map(Some),
        auto_stop: campaign.auto_stop,
        on_timeout: campaign.on_timeout,
    };
    let settings = CampaignSettings::new(policy).ruled(policy, rules)?;
    let id = campaign.campaign;
    if book.campaigns.get(&id).is_some() {
        return Err(Refusal::CampaignExists);
    }
    let mut facts = vec![Fact::CampaignRegistered { campaign: id, settings }];
    let mut status = CampaignStatus::Active;
    if campaign.paused {
        facts.push(Fact::CampaignPaused { campaign: id, by: Cause::Person });
        status = CampaignStatus::PausedByPerson;
    }
    book.campaigns.put(id, Campaign { settings, status });
    Ok(facts)
}

fn take_agreements(draft: &mut Draft<'_>, command: &OpenBook) -> Result<(), Refusal> {
    let mut seen = std::collections::BTreeSet::new();
    for agreement in &command.agreements {
        let (share, delay) = (share(agreement.share)?, days(agreement.payout_delay_days)?);
        super::check_campaign(draft.book, agreement.campaign, None)?;
        if !seen.insert((agreement.partner, agreement.campaign)) {
            return Err(invalid(Some(agreement.partner.0), "this partner's terms come in twice"));
        }
        draft.note(Fact::AgreementSet {
            partner: agreement.partner,
            campaign: agreement.campaign,
            share,
            payout_delay_days: delay,
        });
    }
    Ok(())
}

fn take_deposits(draft: &mut Draft<'_>, currency: Currency, deposits: &[OpeningDeposit]) -> Result<(), Refusal> {
    let mut scopes = std::collections::BTreeSet::new();
    let mut taken = Vec::with_capacity(deposits.len());
    for (place, deposit) in deposits.iter().enumerate() {
        let imported = deposit_fact(draft, deposit, currency, order(place, deposits.len()))?;
        super::check_campaign(draft.book, deposit.campaign, None)?;
        let open = deposit.status != OpeningStatus::Closed;
        let used = draft.deposit(deposit.deposit).is_some();
        if used || (open && !scopes.insert(deposit.campaign)) {
            return Err(Refusal::DepositExists);
        }
        draft.bring_in(deposit.deposit, &imported.row());
        draft.note(Fact::DepositImported(Box::new(imported.clone())));
        taken.push(imported);
    }
    for deposit in taken {
        draft.post(Account::Opening, deposit.balance);
        draft.post(Account::Deposit(deposit.deposit), deposit.balance.saturating_neg());
        if deposit.status != OpeningStatus::Closed {
            continue;
        }
        match deposit.moved_to {
            Some(to) if draft.deposit(to).is_some_and(|row| row.is_open()) => {
                draft.post(Account::Deposit(deposit.deposit), deposit.balance);
                draft.post(Account::Deposit(to), deposit.balance.saturating_neg());
            }
            Some(to) => return Err(invalid(Some(to.0), "a balance moves to what is no open deposit")),
            None if deposit.balance > 0 => {
                return Err(invalid(Some(deposit.deposit.0), "a closed deposit comes in with money"));
            }
            None => {}
        }
    }
    Ok(())
}

fn deposit_fact(
    draft: &Draft<'_>,
    deposit: &OpeningDeposit,
    currency: Currency,
    order: i64,
) -> Result<ImportedDeposit, Refusal> {
    let balance = not_negative(deposit.balance, currency)?;
    let initial = deposit.initial.map_or(Ok(balance), |initial| not_negative(initial, currency))?;
    let positive = |amount: Decimal| to_positive_minor(amount, currency);
    let auto_top_up = match (deposit.auto_threshold, deposit.auto_amount) {
        (None, None) => None,
        (Some(threshold), Some(amount)) => Some((positive(threshold)?, positive(amount)?)),
        _ => return Err(Refusal::InvalidAmount),
    };
    let minimum = draft.settings.minimums(currency).auto_top_up_minor;
    if auto_top_up.is_some_and(|(_, amount)| amount < minimum) {
        return Err(Refusal::BelowMinimum { minimum: to_decimal(minimum, currency) });
    }
    if deposit.moved_to.is_some() && deposit.status != OpeningStatus::Closed {
        return Err(invalid(Some(deposit.deposit.0), "the balance of an open deposit does not move"));
    }
    Ok(ImportedDeposit {
        deposit: deposit.deposit,
        campaign: deposit.campaign,
        currency,
        order,
        status: deposit.status,
        balance,
        initial,
        told: deposit.told.unwrap_or(Level::Healthy),
        moved_to: deposit.moved_to,
        auto_top_up,
        opened_at: deposit.opened_at,
    })
}

fn take_leads(draft: &mut Draft<'_>, currency: Currency, leads: &[OpeningLead]) -> Result<(), Refusal> {
    let mut seen: std::collections::BTreeSet<LeadId> = std::collections::BTreeSet::new();
    // What is owed to partners, held or payable: one posting each, however many leads it comes from.
    let mut owed: BTreeMap<(PartnerId, bool), i64> = BTreeMap::new();
    for (place, lead) in leads.iter().enumerate() {
        let imported = lead_fact(draft, lead, currency, order(place, leads.len()))?;
        if !seen.insert(lead.lead) {
            return Err(Refusal::LeadExists);
        }
        if imported.status == LeadStatus::Pending {
            reserve(draft, lead.deposit, imported.commission, currency)?;
        }
        if lead.owed {
            let sum = owed.entry((lead.partner, imported.place == PartPlace::Held)).or_default();
            *sum = sum.checked_add(imported.part).ok_or(Refusal::AmountTooLarge)?;
        }
        draft.note(Fact::LeadImported(Box::new(imported)));
    }
    for ((partner, held), part) in owed {
        let account = if held { Account::Held(partner) } else { Account::Payable(partner) };
        draft.post(account, part.saturating_neg());
        draft.post(Account::Opening, part);
    }
    Ok(())
}

fn reserve(draft: &mut Draft<'_>, id: DepositId, commission: i64, currency: Currency) -> Result<(), Refusal> {
    let available = draft.deposit(id).map_or(0, |deposit| deposit.available_minor());
    if available < commission {
        return Err(Refusal::InsufficientFunds {
            available: to_decimal(available, currency),
            required: to_decimal(commission, currency),
        });
    }
    draft.reserve(id, commission);
    Ok(())
}

fn lead_fact(draft: &Draft<'_>, lead: &OpeningLead, currency: Currency, order: i64) -> Result<ImportedLead, Refusal> {
    let wrong = |what| Err(invalid(Some(lead.lead.0), what));
    let value = not_negative(lead.value, currency)?;
    let commission = not_negative(lead.commission, currency)?;
    let part = not_negative(lead.partner_part, currency)?;
    if part > commission {
        return wrong("the partner's part is more than the commission");
    }
    let rate = match lead.rate {
        None => None,
        Some(rate) => Some(Percent::new(rate).ok_or(Refusal::InvalidPolicy { field: "rate" })?),
    };
    let (share, delay_days) = (share(lead.share)?, days(lead.payout_delay_days)?);
    let score = match lead.score.map(u8::try_from) {
        None => None,
        Some(Ok(score @ 1..=10)) => Some(score),
        Some(_) => return Err(Refusal::InvalidScore),
    };
    let campaign = draft.book.campaigns.get(&lead.campaign).ok_or(Refusal::CampaignNotFound)?.settings;
    let deposit = draft.deposit(lead.deposit).ok_or(Refusal::DepositNotFound)?;
    let pending = lead.status == LeadStatus::Pending;
    let captured = matches!(lead.status, LeadStatus::Validated | LeadStatus::Converted | LeadStatus::Lost);
    let times = [Some(lead.created_at), lead.decided_at, lead.converted_at];
    match () {
        () if pending && !deposit.is_open() => return Err(Refusal::DepositClosed),
        () if pending && lead.decided_at.is_some() => return wrong("a pending lead was decided"),
        () if lead.owed && !captured => return wrong("of a lead that is not captured nothing is owed"),
        () if lead.owed && delay_days > 0 && lead.decided_at.is_none() => {
            return wrong("when the part becomes payable is not known");
        }
        () if times.iter().flatten().any(|time| *time > draft.at) => return wrong("a time is still to come"),
        () if lead.decided_at.is_some_and(|decided| decided < lead.created_at) => {
            return wrong("it was decided before it was created");
        }
        () => {}
    }
    let matures_at = lead.decided_at.map(|decided| decided.plus_days(delay_days));
    let matures_at = matures_at.filter(|at| lead.owed && delay_days > 0 && *at > draft.at);
    let place = match lead.status {
        LeadStatus::Reversed => PartPlace::Returned,
        _ if !captured => PartPlace::None,
        _ if matures_at.is_some() => PartPlace::Held,
        _ => PartPlace::Payable,
    };
    Ok(ImportedLead {
        lead: lead.lead,
        order,
        campaign: lead.campaign,
        partner: lead.partner,
        deposit: lead.deposit,
        currency,
        source: lead.source.unwrap_or(Source::Other),
        value,
        commission,
        part,
        policy: campaign.policy.version,
        rate,
        share,
        delay_days,
        minimum_quality: campaign.minimum_quality,
        on_timeout: campaign.on_timeout,
        window_hours: campaign.window_hours,
        status: lead.status,
        created_at: lead.created_at,
        created_day: lead.created_at.local_date(draft.settings.time_zone),
        decided_day: lead.decided_at.map(|at| at.local_date(draft.settings.time_zone)),
        decided_at: lead.decided_at,
        converted_at: lead.converted_at,
        score,
        place,
        matures_at,
        private: None,
    })
}

fn take_line(draft: &mut Draft<'_>, currency: Currency, line: &OpeningLine) -> Result<(), Refusal> {
    if draft.deposit(line.deposit).is_none() {
        return Err(Refusal::DepositNotFound);
    }
    draft.note(Fact::LineKept(Box::new(ImportedLine {
        line: line.line,
        deposit: line.deposit,
        kind: line.kind,
        amount: to_minor(line.amount, currency)?,
        before: to_minor(line.before, currency)?,
        after: to_minor(line.after, currency)?,
        at: line.at,
        lead: line.lead,
        method: line.method,
        reference: line.reference.clone(),
    })));
    Ok(())
}

/// Lets the level follow what came in. A depletion that was told before is not told again, but pauses all the same.
fn follow(draft: &mut Draft<'_>, deposit: &OpeningDeposit) {
    let told = deposit.told == Some(Level::Depleted);
    let depleted = draft.deposit(deposit.deposit).and_then(|row| row.measured_level()) == Some(Level::Depleted);
    draft.follow_level(deposit.deposit);
    if told && depleted {
        draft.pause_drawing_on(deposit.deposit);
    }
}
