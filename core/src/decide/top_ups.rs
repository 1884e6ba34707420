//! Top-ups: intents, successes, refunds, disputes (DOMAIN.md chapter 7).

use chrono::Datelike;
use rust_decimal::Decimal;

use crate::command::{
    AttachReference, BeginTopUp, CancelTopUp, DisputeTopUp, FailTopUp, LoseDispute, RefundTopUp, SucceedTopUp,
    WinDispute,
};
use crate::decide::{Decision, Draft, check_campaign, currency_of, filled};
use crate::entry::{Entry, Fact};
use crate::ids::{CampaignId, DepositId, TopUpId};
use crate::money::{Currency, to_decimal, to_positive_minor};
use crate::refusal::Refusal;
use crate::top_up::{ReceiptNumber, TopUp, TopUpStatus};

pub(super) fn begin(draft: Draft<'_>, command: &BeginTopUp) -> Result<Entry, Refusal> {
    let currency = currency_of(draft.book, command.campaign, command.currency);
    let mut draft = draft.in_currency(currency);
    let amount = to_positive_minor(command.amount, currency)?;
    let id = filled(command.top_up);
    if draft.book.top_ups.get(&id).is_some() {
        return Err(Refusal::TopUpExists);
    }
    check_campaign(draft.book, command.campaign, command.currency)?;
    let minimums = draft.settings.minimums(currency);
    let minimum = match draft.book.open_deposit(command.campaign, currency) {
        Some(_) => minimums.top_up_minor,
        None => minimums.opening_minor,
    };
    if amount < minimum {
        return Err(Refusal::BelowMinimum { minimum: to_decimal(minimum, currency) });
    }
    draft.note(Fact::TopUpBegun { top_up: id, campaign: command.campaign, currency, amount, method: command.method });
    draft.finish()
}

pub(super) fn attach_reference(mut draft: Draft<'_>, command: &AttachReference) -> Result<Entry, Refusal> {
    let top_up = found(&draft, command.top_up)?;
    if top_up.status != TopUpStatus::Pending {
        return Err(Refusal::InvalidTransition { from: top_up.status.name(), to: "pending" });
    }
    let claimed = draft.book.references.get(&(top_up.method, command.reference.clone()));
    if claimed.is_some_and(|owner| *owner != command.top_up) {
        return Err(Refusal::ReferenceUsed);
    }
    draft.note(Fact::ReferenceAttached { top_up: command.top_up, reference: command.reference.clone() });
    draft.finish()
}

pub(super) fn succeed(draft: Draft<'_>, command: &SucceedTopUp) -> Result<Decision, Refusal> {
    let received = positive_in(&draft, command.top_up, command.received)?;
    let top_up = found(&draft, command.top_up)?.clone();
    let mut draft = draft.in_currency(top_up.currency);
    match (top_up.status, top_up.succeeded_seq) {
        (TopUpStatus::Pending | TopUpStatus::Failed | TopUpStatus::Cancelled, _) => {}
        (_, Some(seq)) if top_up.reference.as_ref() == Some(&command.reference) => {
            if received != top_up.received_minor {
                return Err(Refusal::AmountMismatch {
                    expected: to_decimal(top_up.received_minor, top_up.currency),
                    given: to_decimal(received, top_up.currency),
                });
            }
            return Ok(Decision::Repeat(seq));
        }
        (status, _) => return Err(Refusal::InvalidTransition { from: status.name(), to: "succeeded" }),
    }
    let claimed = draft.book.references.get(&(top_up.method, command.reference.clone()));
    if claimed.is_some_and(|owner| *owner != command.top_up) {
        return Err(Refusal::ReferenceUsed);
    }
    let deposit = deposit_for(&mut draft, top_up.campaign, top_up.currency, filled(command.deposit))?;
    let receipt = next_receipt(&draft);
    draft.note(Fact::TopUpSucceeded {
        top_up: command.top_up,
        reference: command.reference.clone(),
        received,
        deposit,
        receipt,
    });
    draft.pay_in(deposit, received, top_up.method, Some(command.reference.clone()));
    draft.finish().map(Decision::Accept)
}

pub(super) fn fail(mut draft: Draft<'_>, command: &FailTopUp) -> Result<Entry, Refusal> {
    in_status(&draft, command.top_up, TopUpStatus::Pending, "failed")?;
    draft.note(Fact::TopUpFailed { top_up: command.top_up });
    draft.finish()
}

pub(super) fn cancel(mut draft: Draft<'_>, command: &CancelTopUp) -> Result<Entry, Refusal> {
    in_status(&draft, command.top_up, TopUpStatus::Pending, "cancelled")?;
    draft.note(Fact::TopUpCancelled { top_up: command.top_up });
    draft.finish()
}

pub(super) fn refund(draft: Draft<'_>, command: &RefundTopUp) -> Result<Entry, Refusal> {
    let amount = command.amount.map(|amount| positive_in(&draft, command.top_up, amount)).transpose()?;
    let top_up = in_status(&draft, command.top_up, TopUpStatus::Succeeded, "refunded")?.clone();
    let mut draft = draft.in_currency(top_up.currency);
    let left = top_up.left_minor();
    let amount = amount.unwrap_or(left);
    if amount > left {
        return Err(Refusal::RefundExceeds { left: to_decimal(left, top_up.currency) });
    }
    draft.take_back(top_up.deposit, amount, top_up.method);
    draft.note(Fact::TopUpRefunded { top_up: command.top_up, amount });
    draft.finish()
}

pub(super) fn dispute(draft: Draft<'_>, command: &DisputeTopUp) -> Result<Entry, Refusal> {
    let top_up = in_status(&draft, command.top_up, TopUpStatus::Succeeded, "disputed")?.clone();
    let mut draft = draft.in_currency(top_up.currency);
    draft.take_back(top_up.deposit, top_up.left_minor(), top_up.method);
    draft.note(Fact::TopUpDisputed { top_up: command.top_up, amount: top_up.left_minor() });
    draft.finish()
}

pub(super) fn win_dispute(draft: Draft<'_>, command: &WinDispute) -> Result<Entry, Refusal> {
    let top_up = in_status(&draft, command.top_up, TopUpStatus::Disputed, "succeeded")?.clone();
    let mut draft = draft.in_currency(top_up.currency);
    let deposit = deposit_for(&mut draft, top_up.campaign, top_up.currency, filled(command.deposit))?;
    draft.note(Fact::DisputeWon { top_up: command.top_up, deposit });
    draft.pay_in(deposit, top_up.left_minor(), top_up.method, top_up.reference);
    draft.finish()
}

pub(super) fn lose_dispute(mut draft: Draft<'_>, command: &LoseDispute) -> Result<Entry, Refusal> {
    in_status(&draft, command.top_up, TopUpStatus::Disputed, "refunded")?;
    draft.note(Fact::DisputeLost { top_up: command.top_up });
    draft.finish()
}

/// The open deposit of exactly this scope, looked up now, and opened with `id` where there is none.
fn deposit_for(
    draft: &mut Draft<'_>,
    campaign: Option<CampaignId>,
    currency: Currency,
    id: DepositId,
) -> Result<DepositId, Refusal> {
    if let Some(open) = draft.book.open_deposit(campaign, currency) {
        return Ok(open);
    }
    if draft.book.deposits.get(&id).is_some() {
        return Err(Refusal::DepositExists);
    }
    draft.open(id, campaign);
    Ok(id)
}

/// The next number of the local year. Years only go forwards, as a book's time does.
fn next_receipt(draft: &Draft<'_>) -> ReceiptNumber {
    let year = draft.at.local_date(draft.settings.time_zone).year();
    match draft.book.head.receipt {
        Some(last) if last.year >= year => ReceiptNumber { year: last.year, number: last.number.saturating_add(1) },
        _ => ReceiptNumber { year, number: 1 },
    }
}

fn found<'b>(draft: &Draft<'b>, id: TopUpId) -> Result<&'b TopUp, Refusal> {
    draft.book.top_ups.get(&id).ok_or(Refusal::TopUpNotFound)
}

fn in_status<'b>(draft: &Draft<'b>, id: TopUpId, status: TopUpStatus, to: &'static str) -> Result<&'b TopUp, Refusal> {
    let top_up = found(draft, id)?;
    if top_up.status == status {
        Ok(top_up)
    } else {
        Err(Refusal::InvalidTransition { from: top_up.status.name(), to })
    }
}

/// A positive amount in the currency of a top-up, which may not exist: then in MAD.
fn positive_in(draft: &Draft<'_>, id: TopUpId, amount: Decimal) -> Result<i64, Refusal> {
    let currency = draft.book.top_ups.get(&id).map_or(Currency::MAD, |top_up| top_up.currency);
    to_positive_minor(amount, currency)
}
