//! How a book counts while entries are folded into it. The local day is the entry's word, not a clock's or a setting's,
//! so that replay counts as it was counted.

use chrono::NaiveDate;

use crate::account::{Account, PartnerAccounts, PlatformAccounts};
use crate::book::Book;
use crate::entry::{Entry, Fact};
use crate::figures::{Counts, Day, DayKey, Tally, Turnover};
use crate::ids::DepositId;
use crate::lead::{Lead, LeadStatus};
use crate::money::Currency;
use crate::time::Timestamp;

impl Book {
    /// The book's present day is over: what it counted becomes a row of its own.
    pub(crate) fn begin_day(&mut self, day: NaiveDate) {
        if let Some(over) = self.head.day.replace(day) {
            let currencies: Vec<Currency> = self.platform.iter().map(|(currency, _)| *currency).collect();
            for currency in currencies {
                self.end_day(currency, over);
            }
            let deposits: Vec<DepositId> = self.deposits.iter().map(|(id, _)| *id).collect();
            for id in deposits {
                self.end_deposit_day(id, over);
            }
        }
    }

    fn end_day(&mut self, currency: Currency, over: NaiveDate) {
        let counts = self.platform.get(&currency).map(|accounts| accounts.counts.today).unwrap_or_default();
        if counts == Counts::default() {
            return;
        }
        let (mut balance_minor, mut reserved_minor) = (0_i128, 0_i128);
        for (_, deposit) in self.deposits.iter().filter(|(_, deposit)| deposit.currency == currency) {
            balance_minor = balance_minor.saturating_add(deposit.balance_minor.into());
            reserved_minor = reserved_minor.saturating_add(deposit.reserved_minor.into());
        }
        let row = Day { until: self.head.last_at, counts, balance_minor, reserved_minor };
        self.days.put(DayKey { currency, deposit: None, day: over }, row);
        if let Some(accounts) = self.platform.change(&currency) {
            accounts.counts.today = Counts::default();
        }
    }

    /// Also when a deposit is closed, since closed ones are not always loaded.
    pub(crate) fn end_deposit_day(&mut self, id: DepositId, over: NaiveDate) {
        let Some(deposit) = self.deposits.get(&id).filter(|deposit| deposit.today != Counts::default()) else { return };
        let row = Day {
            until: self.head.last_at,
            counts: deposit.today,
            balance_minor: deposit.balance_minor.into(),
            reserved_minor: deposit.reserved_minor.into(),
        };
        self.days.put(DayKey { currency: deposit.currency, deposit: Some(id), day: over }, row);
        if let Some(deposit) = self.deposits.change(&id) {
            deposit.today = Counts::default();
        }
    }

    /// Counts a lead that was created, or has just left `pending`.
    pub(crate) fn count_lead(&mut self, lead: &Lead, count: fn(&mut Tally, &Lead)) -> Option<()> {
        let accounts = self.platform.change(&lead.currency)?;
        count(&mut accounts.counts.total.leads, lead);
        count(&mut accounts.counts.today.leads, lead);
        count(&mut self.deposits.change(&lead.deposit)?.today.leads, lead);
        self.count_partner(lead, count)
    }

    fn count_partner(&mut self, lead: &Lead, count: impl FnOnce(&mut Tally, &Lead)) -> Option<()> {
        let partner = (lead.partner, lead.currency);
        if self.partners.get(&partner).is_none() {
            self.partners.put(partner, PartnerAccounts::default());
        }
        count(&mut self.partners.change(&partner)?.leads, lead);
        Some(())
    }

    /// Counts a sale, or that a lead came to nothing.
    pub(crate) fn count_outcome(
        &mut self,
        lead: &Lead,
        count: fn(&mut Tally, &Lead),
        happened: fn(&mut Turnover) -> &mut u64,
    ) -> Option<()> {
        let accounts = self.platform.change(&lead.currency)?;
        count(&mut accounts.counts.total.leads, lead);
        for counts in [&mut accounts.counts.total, &mut accounts.counts.today] {
            let times = happened(&mut counts.turnover);
            *times = times.saturating_add(1);
        }
        self.count_partner(lead, count)
    }

    /// Takes a lead, as it was before its reversal, back from all counts.
    pub(crate) fn count_reversal(&mut self, lead: &Lead) -> Option<()> {
        let accounts = self.platform.change(&lead.currency)?;
        accounts.counts.total.leads.reverse(lead, true);
        for counts in [&mut accounts.counts.total, &mut accounts.counts.today] {
            counts.turnover.reversed = counts.turnover.reversed.saturating_add(1);
        }
        match self.day_of(lead) {
            // An imported lead of which nobody knows when it was decided is counted on no day.
            _ if lead.decided_at.is_none() => {}
            None => {
                self.platform.change(&lead.currency)?.counts.today.leads.reverse(lead, false);
                self.deposits.change(&lead.deposit)?.today.leads.reverse(lead, false);
            }
            Some(key) => {
                self.days.change(&key)?.counts.leads.reverse(lead, false);
                let key = DayKey { deposit: Some(lead.deposit), ..key };
                self.days.change(&key)?.counts.leads.reverse(lead, false);
            }
        }
        self.count_partner(lead, |tally, lead| tally.reverse(lead, true))
    }

    /// Counts a lead that comes in with the book's opening, on the days of its past as far as they are known.
    pub(crate) fn count_imported(&mut self, lead: &Lead, created: NaiveDate, decided: Option<NaiveDate>) -> Option<()> {
        self.begin_counting(lead.currency);
        let own = |tally: &mut Tally, lead: &Lead| {
            tally.create(lead);
            match lead.status {
                LeadStatus::Pending => {}
                LeadStatus::Reversed => tally.reversed = tally.reversed.saturating_add(1),
                LeadStatus::Converted => {
                    tally.decide(lead);
                    tally.convert(lead);
                }
                LeadStatus::Lost => {
                    tally.decide(lead);
                    tally.lose();
                }
                _ => tally.decide(lead),
            }
        };
        let total = &mut self.platform.change(&lead.currency)?.counts.total;
        own(&mut total.leads, lead);
        if lead.is_captured() {
            // It was paid out of what was paid in elsewhere.
            let sum = &mut total.turnover.brought_in_minor;
            *sum = sum.saturating_add(lead.commission_minor.into());
        }
        self.count_partner(lead, own)?;
        self.count_past(lead, created, lead.created_at, Tally::create)?;
        if let (Some(day), Some(at)) = (decided, lead.decided_at) {
            self.count_past(lead, day, at, |tally, lead| match lead.status {
                LeadStatus::Reversed => tally.reversed = tally.reversed.saturating_add(1),
                _ => tally.decide(lead),
            })?;
        }
        Some(())
    }

    /// Counts what happened `at` a moment of a day, which may be over, to a lead and its deposit.
    fn count_past(&mut self, lead: &Lead, day: NaiveDate, at: Timestamp, count: fn(&mut Tally, &Lead)) -> Option<()> {
        if self.head.day.is_none_or(|today| day >= today) {
            count(&mut self.platform.change(&lead.currency)?.counts.today.leads, lead);
            count(&mut self.deposits.change(&lead.deposit)?.today.leads, lead);
            return Some(());
        }
        for deposit in [None, Some(lead.deposit)] {
            let key = DayKey { currency: lead.currency, deposit, day };
            // Before its opening a book has no days: one that was not loaded is not there.
            let there = if self.days.knows(&key) { self.days.get(&key).copied() } else { None };
            let counts = Counts::default();
            let mut row = there.unwrap_or(Day { until: at, counts, balance_minor: 0, reserved_minor: 0 });
            row.until = row.until.max(at);
            count(&mut row.counts.leads, lead);
            self.days.put(key, row);
        }
        Some(())
    }

    /// Counts the balance of a deposit that comes in with the book's opening.
    pub(crate) fn count_brought_in(&mut self, currency: Currency, balance_minor: i64) {
        self.begin_counting(currency);
        if let Some(accounts) = self.platform.change(&currency) {
            for counts in [&mut accounts.counts.total, &mut accounts.counts.today] {
                let sum = &mut counts.turnover.brought_in_minor;
                *sum = sum.saturating_add(balance_minor.into());
            }
        }
    }

    fn begin_counting(&mut self, currency: Currency) {
        if self.platform.get(&currency).is_none() {
            self.platform.put(currency, PlatformAccounts::default());
        }
    }

    /// The row of the day on which a lead was decided; none: the book's present day.
    fn day_of(&self, lead: &Lead) -> Option<DayKey> {
        let decided_at = lead.decided_at?;
        let ended_after = self
            .days
            .iter()
            .filter(|(key, row)| key.currency == lead.currency && key.deposit.is_none() && row.until >= decided_at);
        ended_after.map(|(key, _)| *key).min_by_key(|key| key.day)
    }

    /// Counts money that came in or went out beside commissions.
    pub(crate) fn count_money(&mut self, entry: &Entry, fact: &Fact) -> Option<()> {
        let currency = entry.postings.as_ref().map_or(Currency::MAD, crate::account::Postings::currency);
        match fact {
            // What a won dispute brings was paid in before.
            Fact::PaidIn { amount, .. } if entry.facts.iter().any(|fact| matches!(fact, Fact::DisputeWon { .. })) => {
                let again = i128::from(*amount).saturating_neg();
                self.count_turnover(currency, None, |turnover| &mut turnover.refunded_minor, again)
            }
            Fact::PaidIn { deposit, amount, .. } => self.count_turnover(
                currency,
                Some(*deposit),
                |turnover| &mut turnover.deposited_minor,
                (*amount).into(),
            ),
            Fact::TopUpRefunded { amount, .. } | Fact::TopUpDisputed { amount, .. } => {
                self.count_turnover(currency, None, |turnover| &mut turnover.refunded_minor, (*amount).into())
            }
            Fact::DepositClosed { deposit, currency, paid_back, .. } => self.count_turnover(
                *currency,
                Some(*deposit),
                |turnover| &mut turnover.paid_back_minor,
                (*paid_back).into(),
            ),
            _ => Some(()),
        }
    }

    /// Counts an operator's correction.
    pub(crate) fn count_adjustment(&mut self, entry: &Entry) -> Option<()> {
        let Some(postings) = &entry.postings else { return Some(()) };
        let corrected = postings.lines().iter().find(|(account, _)| *account == Account::Adjustments);
        let Some((_, amount)) = corrected else { return Some(()) };
        let deposit = postings.lines().iter().find_map(|(account, _)| match account {
            Account::Deposit(id) => Some(*id),
            _ => None,
        });
        self.count_turnover(postings.currency(), deposit, |turnover| &mut turnover.adjusted_minor, (*amount).into())
    }

    fn count_turnover(
        &mut self,
        currency: Currency,
        deposit: Option<DepositId>,
        sum: fn(&mut Turnover) -> &mut i128,
        amount: i128,
    ) -> Option<()> {
        let add = |counts: &mut Counts| {
            let sum = sum(&mut counts.turnover);
            *sum = sum.saturating_add(amount);
        };
        let accounts = self.platform.change(&currency)?;
        add(&mut accounts.counts.total);
        add(&mut accounts.counts.today);
        if let Some(id) = deposit {
            add(&mut self.deposits.change(&id)?.today);
        }
        Some(())
    }
}
