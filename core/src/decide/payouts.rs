//! Payouts and write-offs: what leaves a partner's earnings, and what will never come (DOMAIN.md chapters 7 and 8).

use crate::account::Account;
use crate::command::{CancelPayout, RequestPayout, SettlePayout, WriteOff};
use crate::decide::{Draft, filled};
use crate::entry::{Entry, Fact};
use crate::ids::PayoutId;
use crate::money::{Currency, to_decimal, to_positive_minor};
use crate::payout::{Payout, PayoutStatus};
use crate::refusal::Refusal;
use crate::top_up::Method;

pub(super) fn request(draft: Draft<'_>, command: &RequestPayout) -> Result<Entry, Refusal> {
    let currency = command.currency.unwrap_or(Currency::MAD);
    let mut draft = draft.in_currency(currency);
    let amount = to_positive_minor(command.amount, currency)?;
    let payout = filled(command.payout);
    if draft.book.payouts.get(&payout).is_some() {
        return Err(Refusal::PayoutExists);
    }
    let payable = draft.book.partner(command.partner, currency).payable_minor;
    if payable < amount {
        return Err(Refusal::InsufficientFunds {
            available: to_decimal(payable, currency),
            required: to_decimal(amount, currency),
        });
    }
    draft.post(Account::Payable(command.partner), amount);
    draft.post(Account::InPayout(command.partner), amount.saturating_neg());
    draft.note(Fact::PayoutRequested { payout, partner: command.partner, currency, amount });
    draft.finish()
}

pub(super) fn settle(draft: Draft<'_>, command: &SettlePayout) -> Result<Entry, Refusal> {
    let payout = requested(&draft, command.payout, "paid")?;
    let mut draft = draft.in_currency(payout.currency);
    let method = command.method.unwrap_or(Method::Manual);
    draft.post(Account::InPayout(payout.partner), payout.amount_minor);
    draft.post(Account::Payments(method), payout.amount_minor.saturating_neg());
    draft.note(Fact::PayoutSettled { payout: command.payout, method, reference: command.reference.clone() });
    let paid = draft.book.partner(payout.partner, payout.currency).paid_minor;
    if paid.checked_add(payout.amount_minor).is_none() {
        return Err(Refusal::AmountTooLarge);
    }
    draft.finish()
}

pub(super) fn cancel(draft: Draft<'_>, command: &CancelPayout) -> Result<Entry, Refusal> {
    let payout = requested(&draft, command.payout, "cancelled")?;
    let mut draft = draft.in_currency(payout.currency);
    draft.post(Account::InPayout(payout.partner), payout.amount_minor);
    draft.post(Account::Payable(payout.partner), payout.amount_minor.saturating_neg());
    draft.note(Fact::PayoutCancelled { payout: command.payout });
    draft.finish()
}

pub(super) fn write_off(draft: Draft<'_>, command: &WriteOff) -> Result<Entry, Refusal> {
    if command.reason.is_blank() {
        return Err(Refusal::ReasonRequired);
    }
    let currency = command.currency.unwrap_or(Currency::MAD);
    let mut draft = draft.in_currency(currency);
    let (account, amount) = match command.partner {
        None => (Account::Receivable, draft.debt()),
        Some(partner) => {
            (Account::Payable(partner), draft.book.partner(partner, currency).payable_minor.saturating_neg())
        }
    };
    if amount <= 0 {
        return Err(Refusal::NothingOwed);
    }
    draft.post(Account::Losses, amount);
    draft.post(account, amount.saturating_neg());
    draft.note(Fact::WrittenOff { partner: command.partner, currency, amount });
    draft.follow_debt();
    draft.finish()
}

fn requested(draft: &Draft<'_>, id: PayoutId, to: &'static str) -> Result<Payout, Refusal> {
    let payout = *draft.book.payouts.get(&id).ok_or(Refusal::PayoutNotFound)?;
    match payout.status {
        PayoutStatus::Requested => Ok(payout),
        other => Err(Refusal::InvalidTransition { from: other.name(), to }),
    }
}
