//! Deposits: opening, payments, corrections, suspensions, closing (DOMAIN.md chapters 4, 5 and 7).

use crate::account::Account;
use crate::command::{
    AdjustDeposit, CloseDeposit, OpenDeposit, ResumeDeposit, SetAlertSettings, SetAutoTopUp, SuspendDeposit,
    TopUpDeposit,
};
use crate::decide::{Draft, check_campaign, currency_of, filled, open_deposit, positive_in, signed_in};
use crate::deposit::{AutoTopUp, DepositStatus};
use crate::entry::{Cause, Entry, Fact};
use crate::money::{to_decimal, to_positive_minor};
use crate::refusal::Refusal;
use crate::top_up::Method;

pub(super) fn open(draft: Draft<'_>, command: &OpenDeposit) -> Result<Entry, Refusal> {
    let currency = currency_of(draft.book, command.campaign, command.currency);
    let mut draft = draft.in_currency(currency);
    let amount = to_positive_minor(command.amount, currency)?;
    check_campaign(draft.book, command.campaign, command.currency)?;
    let minimum = draft.settings.minimums(currency).opening_minor;
    if amount < minimum {
        return Err(Refusal::BelowMinimum { minimum: to_decimal(minimum, currency) });
    }
    let id = filled(command.deposit);
    let used = draft.book.deposits.get(&id).is_some();
    if used || draft.book.open_deposit(command.campaign, currency).is_some() {
        return Err(Refusal::DepositExists);
    }
    draft.open(id, command.campaign);
    draft.pay_in(id, amount, command.method.unwrap_or(Method::Manual), command.reference.clone());
    draft.finish()
}

pub(super) fn top_up(draft: Draft<'_>, command: &TopUpDeposit) -> Result<Entry, Refusal> {
    let amount = positive_in(draft.book.deposits.get(&command.deposit), command.amount)?;
    let currency = open_deposit(draft.book, command.deposit)?.currency;
    let mut draft = draft.in_currency(currency);
    let minimum = draft.settings.minimums(currency).top_up_minor;
    if amount < minimum {
        return Err(Refusal::BelowMinimum { minimum: to_decimal(minimum, currency) });
    }
    draft.pay_in(command.deposit, amount, command.method.unwrap_or(Method::Manual), command.reference.clone());
    draft.finish()
}

pub(super) fn adjust(draft: Draft<'_>, command: &AdjustDeposit) -> Result<Entry, Refusal> {
    let amount = signed_in(draft.book.deposits.get(&command.deposit), command.amount)?;
    if command.reason.is_blank() {
        return Err(Refusal::ReasonRequired);
    }
    let deposit = open_deposit(draft.book, command.deposit)?;
    let mut draft = draft.in_currency(deposit.currency);
    if amount < 0 && deposit.available_minor() < amount.saturating_neg() {
        return Err(Refusal::InsufficientFunds {
            available: to_decimal(deposit.available_minor(), deposit.currency),
            required: to_decimal(amount.saturating_neg(), deposit.currency),
        });
    }
    draft.post(Account::Adjustments, amount);
    draft.post(Account::Deposit(command.deposit), amount.saturating_neg());
    draft.follow_level(command.deposit);
    draft.finish()
}

pub(super) fn set_alert_settings(draft: Draft<'_>, command: &SetAlertSettings) -> Result<Entry, Refusal> {
    let deposit = *open_deposit(draft.book, command.deposit)?;
    let mut draft = draft.in_currency(deposit.currency);
    let basis = command.basis.unwrap_or(deposit.basis);
    let reference = command.reference.unwrap_or(deposit.reference);
    draft.note(Fact::AlertSettingsSet { deposit: command.deposit, basis, reference });
    draft.change_deposit(command.deposit, |deposit| {
        deposit.basis = basis;
        deposit.reference = reference;
    });
    // No money moved, so a worse level waits for the next movement; a better one is followed at once.
    draft.follow_level_up(command.deposit);
    draft.finish()
}

pub(super) fn set_auto_top_up(draft: Draft<'_>, command: &SetAutoTopUp) -> Result<Entry, Refusal> {
    use Refusal::{AmountPrecision, InvalidAmount};
    let known = draft.book.deposits.get(&command.deposit);
    let auto = match (command.threshold, command.amount) {
        (None, None) => None,
        (Some(threshold), Some(amount)) => {
            // Both are looked at for their sign, then both for their precision, then both for their size.
            match (positive_in(known, threshold), positive_in(known, amount)) {
                (Ok(threshold_minor), Ok(amount_minor)) => {
                    Some(AutoTopUp { threshold_minor, amount_minor, requested: false })
                }
                (Err(refusal @ InvalidAmount), _) | (_, Err(refusal @ InvalidAmount)) => return Err(refusal),
                (Err(refusal @ AmountPrecision { .. }), _) | (_, Err(refusal @ AmountPrecision { .. })) => {
                    return Err(refusal);
                }
                (Err(refusal), _) | (_, Err(refusal)) => return Err(refusal),
            }
        }
        _ => return Err(Refusal::InvalidAmount),
    };
    let currency = open_deposit(draft.book, command.deposit)?.currency;
    let mut draft = draft.in_currency(currency);
    let minimum = draft.settings.minimums(currency).auto_top_up_minor;
    if auto.is_some_and(|auto| auto.amount_minor < minimum) {
        return Err(Refusal::BelowMinimum { minimum: to_decimal(minimum, currency) });
    }
    draft.note(Fact::AutoTopUpSet {
        deposit: command.deposit,
        currency,
        threshold: auto.map(|auto| auto.threshold_minor),
        amount: auto.map(|auto| auto.amount_minor),
    });
    draft.change_deposit(command.deposit, |deposit| deposit.auto_top_up = auto);
    draft.follow_auto_top_up(command.deposit);
    draft.finish()
}

pub(super) fn suspend(mut draft: Draft<'_>, command: &SuspendDeposit) -> Result<Entry, Refusal> {
    if open_deposit(draft.book, command.deposit)?.status == DepositStatus::SuspendedByOperator {
        return Err(Refusal::InvalidTransition { from: "suspended", to: "suspended" });
    }
    draft.note(Fact::DepositSuspended { deposit: command.deposit, by: Cause::Person });
    draft.finish()
}

pub(super) fn resume(mut draft: Draft<'_>, command: &ResumeDeposit) -> Result<Entry, Refusal> {
    let deposit = open_deposit(draft.book, command.deposit)?;
    if deposit.status == DepositStatus::Active {
        return Err(Refusal::InvalidTransition { from: "active", to: "active" });
    }
    let owed = draft.book.debt_minor(deposit.currency);
    if owed > 0 {
        return Err(Refusal::DebtOutstanding { owed: to_decimal(owed, deposit.currency) });
    }
    draft.note(Fact::DepositResumed { deposit: command.deposit, by: Cause::Person });
    draft.finish()
}

pub(super) fn close(draft: Draft<'_>, command: &CloseDeposit) -> Result<Entry, Refusal> {
    let deposit = *open_deposit(draft.book, command.deposit)?;
    let mut draft = draft.in_currency(deposit.currency);
    if deposit.reserved_minor > 0 {
        return Err(Refusal::ReservationsPending { reserved: to_decimal(deposit.reserved_minor, deposit.currency) });
    }
    let to_debt = draft.debt().min(deposit.balance_minor);
    let paid_back = deposit.balance_minor.saturating_sub(to_debt);
    let method = command.method.unwrap_or(Method::Manual);
    draft.post(Account::Deposit(command.deposit), deposit.balance_minor);
    draft.post(Account::Receivable, to_debt.saturating_neg());
    draft.post(Account::Payments(method), paid_back.saturating_neg());
    draft.note(Fact::DepositClosed {
        deposit: command.deposit,
        currency: deposit.currency,
        paid_back,
        method,
        reference: command.reference.clone(),
    });
    draft.close(command.deposit);
    draft.follow_debt();
    draft.finish()
}
