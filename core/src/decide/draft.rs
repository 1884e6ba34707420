//! An entry in the making: what a decision would do, before anything is done.
//!
//! A draft sees the book as it would be, lets the levels follow each movement of a deposit (alerts, pauses,
//! resumptions), and ends as an [`Entry`] whose postings sum to zero and whose balances fit, or as a refusal.

use std::collections::BTreeMap;

use crate::account::{Account, Posting, Postings};
use crate::alert::Level;
use crate::book::Book;
use crate::campaign::CampaignStatus;
use crate::deposit::{Deposit, DepositStatus};
use crate::entry::{Cause, Entry, Fact, Kind};
use crate::faults::{Fault, planted};
use crate::ids::{CampaignId, DepositId};
use crate::money::Currency;
use crate::refusal::Refusal;
use crate::settings::Settings;
use crate::text::Reference;
use crate::time::Timestamp;
use crate::top_up::Method;

/// See the module's text.
pub(crate) struct Draft<'a> {
    pub(crate) book: &'a Book,
    pub(crate) settings: &'a Settings,
    pub(crate) at: Timestamp,
    kind: Kind,
    currency: Currency,
    lines: Vec<Posting>,
    facts: Vec<Fact>,
    deposits: BTreeMap<DepositId, Deposit>,
    campaigns: BTreeMap<CampaignId, CampaignStatus>,
}

impl<'a> Draft<'a> {
    pub(crate) fn new(book: &'a Book, settings: &'a Settings, at: Timestamp, kind: Kind) -> Self {
        Self {
            book,
            settings,
            at,
            kind,
            currency: Currency::MAD,
            lines: Vec::new(),
            facts: Vec::new(),
            deposits: BTreeMap::new(),
            campaigns: BTreeMap::new(),
        }
    }

    /// What the entry will be.
    pub(crate) fn kind(&self) -> Kind {
        self.kind
    }

    /// Whether the entry would say nothing.
    pub(crate) fn is_empty(&self) -> bool {
        self.lines.is_empty() && self.facts.is_empty()
    }

    /// All postings of the entry are in this currency.
    pub(crate) fn in_currency(mut self, currency: Currency) -> Self {
        self.currency = currency;
        self
    }

    pub(crate) fn note(&mut self, fact: Fact) {
        self.facts.push(fact);
    }

    /// A deposit as it would be.
    pub(crate) fn deposit(&self, id: DepositId) -> Option<Deposit> {
        self.deposits.get(&id).copied().or_else(|| self.book.deposits.get(&id).copied())
    }

    /// Changes a deposit as it would be; the entry must say so too.
    pub(crate) fn change_deposit(&mut self, id: DepositId, change: impl FnOnce(&mut Deposit)) {
        if let Some(mut deposit) = self.deposit(id) {
            change(&mut deposit);
            self.deposits.insert(id, deposit);
        }
    }

    fn campaign_status(&self, id: CampaignId) -> Option<CampaignStatus> {
        self.campaigns.get(&id).copied().or_else(|| self.book.campaigns.get(&id).map(|campaign| campaign.status))
    }

    /// Posts `amount` (debit positive) to `account`. The sum is checked at the end, and so are the balances: here
    /// they only saturate.
    pub(crate) fn post(&mut self, account: Account, amount: i64) {
        if amount == 0 {
            return;
        }
        self.lines.push((account, amount));
        if let Account::Deposit(id) = account {
            self.change_deposit(id, |deposit| {
                deposit.balance_minor = deposit.balance_minor.saturating_sub(amount);
                deposit.rearm_auto_top_up();
            });
        }
    }

    /// Changes what pending leads hold of a deposit.
    pub(crate) fn reserve(&mut self, id: DepositId, amount: i64) {
        self.change_deposit(id, |deposit| {
            deposit.reserved_minor = deposit.reserved_minor.saturating_add(amount);
            deposit.rearm_auto_top_up();
        });
    }

    /// What the merchant would owe.
    pub(crate) fn debt(&self) -> i64 {
        let moved = self.lines.iter().filter(|(account, _)| *account == Account::Receivable);
        moved.fold(self.book.debt_minor(self.currency), |debt, (_, amount)| debt.saturating_add(*amount))
    }

    /// The open deposits of the draft's currency, in the order in which they were opened.
    pub(crate) fn open_deposits(&self) -> Vec<DepositId> {
        let mut open = self.book.open_deposits(self.currency);
        open.retain(|id| self.deposit(*id).is_some_and(|deposit| deposit.is_open()));
        open.extend(self.deposits.keys().filter(|id| self.book.deposits.get(id).is_none()));
        open
    }

    /// The open deposit of exactly this scope, as it would be.
    fn own_deposit(&self, campaign: Option<CampaignId>) -> Option<DepositId> {
        self.open_deposits()
            .into_iter()
            .find(|id| self.deposit(*id).is_some_and(|deposit| deposit.campaign == campaign))
    }

    /// The campaigns that draw on a deposit: its own, or all that have none.
    fn drawing_on(&self, id: DepositId) -> Vec<CampaignId> {
        match self.deposit(id).map(|deposit| deposit.campaign) {
            None => Vec::new(),
            Some(Some(campaign)) => vec![campaign],
            Some(None) => {
                let same = self.book.campaigns.iter().filter(|(_, row)| row.settings.policy.currency == self.currency);
                let mut drawing: Vec<_> =
                    same.map(|(id, _)| *id).filter(|id| self.own_deposit(Some(*id)).is_none()).collect();
                drawing.sort_unstable();
                drawing
            }
        }
    }

    /// Opens a deposit; its first payment comes with [`Draft::pay_in`].
    pub(crate) fn open(&mut self, id: DepositId, campaign: Option<CampaignId>) {
        self.note(Fact::DepositOpened { deposit: id, campaign, currency: self.currency });
        let opened_seq = i64::try_from(self.book.head.seq).unwrap_or(i64::MAX).saturating_add(1);
        self.deposits.insert(id, Deposit::opened(campaign, self.currency, opened_seq));
    }

    /// A deposit as it comes in from elsewhere, before its balance is posted.
    pub(crate) fn bring_in(&mut self, id: DepositId, deposit: &Deposit) {
        self.deposits.insert(id, *deposit);
    }

    /// A payment into a deposit: the debt first, the rest to the deposit, whose level then follows.
    pub(crate) fn pay_in(&mut self, id: DepositId, amount: i64, method: Method, reference: Option<Reference>) {
        let to_debt = self.debt().min(amount);
        let credited = amount.saturating_sub(to_debt);
        self.post(Account::Payments(method), amount);
        self.post(Account::Receivable, to_debt.saturating_neg());
        self.post(Account::Deposit(id), credited.saturating_neg());
        self.note(Fact::PaidIn { deposit: id, amount, credited, method, reference });
        self.change_deposit(id, |deposit| deposit.note_payment(credited));
        let opened = self.book.deposits.get(&id).is_none();
        if opened || credited > 0 {
            self.follow_level(id);
        }
        if opened && self.deposit(id).is_some_and(|deposit| deposit.balance_minor > 0) {
            self.resume_drawing_on(id);
        }
        self.follow_debt();
    }

    /// Takes `amount` back out: from `first`, then from the other open deposits, then as debt.
    pub(crate) fn take_back(&mut self, first: Option<DepositId>, amount: i64, method: Method) {
        let mut sources = self.open_deposits();
        if let Some(first) = first
            && let Some(place) = sources.iter().position(|id| *id == first)
        {
            sources.remove(place);
            sources.insert(0, first);
        }
        let mut missing = amount;
        let mut moved = Vec::new();
        for id in sources {
            let available = self.deposit(id).map_or(0, |deposit| deposit.available_minor());
            let taken = missing.min(available);
            if taken > 0 {
                self.post(Account::Deposit(id), taken);
                missing = missing.saturating_sub(taken);
                moved.push(id);
            }
        }
        self.post(Account::Receivable, missing);
        self.post(Account::Payments(method), amount.saturating_neg());
        for id in moved {
            self.follow_level(id);
        }
        self.follow_debt();
    }

    /// Suspends every active deposit while there is debt; makes those active again once there is none.
    pub(crate) fn follow_debt(&mut self) {
        let in_debt = self.debt() > 0;
        for id in self.open_deposits() {
            let status = self.deposit(id).map(|deposit| deposit.status);
            match status {
                Some(DepositStatus::Active) if in_debt => {
                    self.note(Fact::DepositSuspended { deposit: id, by: Cause::Ledger });
                    self.change_deposit(id, |deposit| deposit.status = DepositStatus::SuspendedForDebt);
                }
                Some(DepositStatus::SuspendedForDebt) if !in_debt => {
                    self.note(Fact::DepositResumed { deposit: id, by: Cause::Ledger });
                    self.change_deposit(id, |deposit| deposit.status = DepositStatus::Active);
                }
                _ => {}
            }
        }
    }

    /// Lets the remembered level follow a movement of a deposit: an alert where it became worse, quietly where it
    /// became better; pauses and resumes where it crossed into or out of `depleted`.
    pub(crate) fn follow_level(&mut self, id: DepositId) {
        let Some((deposit, level)) = self.deposit(id).and_then(|deposit| Some((deposit, deposit.measured_level()?)))
        else {
            return;
        };
        let again = planted(Fault::AlertRepeated) && level == deposit.level && level > Level::Healthy;
        if planted(Fault::AlertMissed) && level == Level::Warning {
            self.change_deposit(id, |deposit| deposit.level = level);
        } else if level > deposit.level || again {
            self.note(Fact::AlertRaised {
                deposit: id,
                level,
                currency: deposit.currency,
                balance: deposit.balance_minor,
                available: deposit.available_minor(),
                reference: deposit.reference_minor(),
            });
            self.change_deposit(id, |deposit| deposit.level = level);
            if level == Level::Depleted {
                self.pause_drawing_on(id);
            }
        } else {
            self.follow_level_up(id);
        }
        self.follow_auto_top_up(id);
    }

    /// Lets the remembered level follow the level up, never down.
    pub(crate) fn follow_level_up(&mut self, id: DepositId) {
        let Some((deposit, level)) = self.deposit(id).and_then(|deposit| Some((deposit, deposit.measured_level()?)))
        else {
            return;
        };
        if level < deposit.level {
            self.note(Fact::AlertCleared { deposit: id, level });
            self.change_deposit(id, |deposit| deposit.level = level);
            if deposit.level == Level::Depleted {
                self.resume_drawing_on(id);
            }
        }
    }

    /// Asks for an automatic top-up where the deposit is below its threshold and it was not asked for yet.
    pub(crate) fn follow_auto_top_up(&mut self, id: DepositId) {
        let wanted = self.deposit(id).and_then(|deposit| Some((deposit.currency, deposit.wants_top_up()?)));
        if let Some((currency, auto)) = wanted {
            self.note(Fact::AutoTopUpRequested { deposit: id, currency, amount: auto.amount_minor });
            self.change_deposit(id, |deposit| {
                deposit.auto_top_up = Some(crate::deposit::AutoTopUp { requested: true, ..auto });
            });
        }
    }

    pub(crate) fn pause_drawing_on(&mut self, id: DepositId) {
        for campaign in self.drawing_on(id) {
            let auto_stop = self.book.campaigns.get(&campaign).is_some_and(|row| row.settings.auto_stop);
            if auto_stop && self.campaign_status(campaign) == Some(CampaignStatus::Active) {
                self.note(Fact::CampaignPaused { campaign, by: Cause::Ledger });
                self.campaigns.insert(campaign, CampaignStatus::PausedByDepletion);
            }
        }
    }

    pub(crate) fn resume_drawing_on(&mut self, id: DepositId) {
        for campaign in self.drawing_on(id) {
            self.resume_depleted(campaign);
        }
    }

    fn resume_depleted(&mut self, campaign: CampaignId) {
        let status = self.campaign_status(campaign);
        let persons = planted(Fault::ResumesPersonsPause) && status == Some(CampaignStatus::PausedByPerson);
        if status == Some(CampaignStatus::PausedByDepletion) || persons {
            self.note(Fact::CampaignResumed { campaign, by: Cause::Ledger });
            self.campaigns.insert(campaign, CampaignStatus::Active);
        }
    }

    /// A deposit is closed: its campaign may fall back on the merchant-wide one, where that is not depleted.
    pub(crate) fn close(&mut self, id: DepositId) {
        let scope = self.deposit(id).and_then(|deposit| deposit.campaign);
        self.change_deposit(id, |deposit| deposit.status = DepositStatus::Closed);
        if let Some(campaign) = scope
            && let Some(fallback) = self.own_deposit(None)
            && self.deposit(fallback).and_then(|deposit| deposit.measured_level()) != Some(Level::Depleted)
        {
            self.resume_depleted(campaign);
        }
    }

    /// The entry, once the last check holds: every balance fits.
    pub(crate) fn finish(self) -> Result<Entry, Refusal> {
        let mut deltas: BTreeMap<Account, i128> = BTreeMap::new();
        for (account, amount) in &self.lines {
            let delta = deltas.entry(*account).or_default();
            *delta = delta.saturating_add(i128::from(*amount));
        }
        for (account, delta) in deltas {
            let before = i128::from(match account {
                Account::Deposit(id) if self.book.deposits.get(&id).is_none() => 0,
                _ => self.book.balance_minor(self.currency, account),
            });
            let after = before.saturating_add(delta);
            if after.unsigned_abs() > i64::MAX.unsigned_abs().into() {
                return Err(Refusal::AmountTooLarge);
            }
        }
        let postings = if self.lines.is_empty() {
            None
        } else {
            let postings = Postings::new(self.currency, self.lines);
            assert!(postings.is_some(), "every decision posts both sides of what it moves");
            postings
        };
        let day = self.at.local_date(self.settings.time_zone);
        Ok(Entry {
            seq: self.book.head.seq.saturating_add(1),
            at: self.at,
            // A day that has begun is not gone back from, where a zone puts its clocks back at midnight.
            day: self.book.head.day.is_none_or(|last| day > last).then_some(day),
            kind: self.kind,
            key: None,
            fingerprint: None,
            private_digest: None,
            mark: None,
            postings,
            facts: self.facts,
        })
    }
}
