//! The days of a book or of one of its deposits, with the present one among them, as a figure looks back over them.

use std::collections::BTreeMap;

use chrono::{Days, NaiveDate};

use crate::book::Book;
use crate::figures::{Counts, Tally};
use crate::ids::DepositId;
use crate::money::Currency;

/// How far back the longest window goes, the present day included.
pub(crate) const WINDOW_DAYS: u64 = 30;

/// Days by date; those on which nothing was counted are not there.
pub(super) struct Span {
    days: BTreeMap<NaiveDate, Counts>,
    today: NaiveDate,
}

impl Span {
    /// What `book` has loaded of the days in one currency: of one deposit, or of all.
    pub(super) fn of(book: &Book, currency: Currency, deposit: Option<DepositId>, today: NaiveDate) -> Self {
        let own = book.days.iter().filter(|(key, _)| key.currency == currency && key.deposit == deposit);
        let mut days: BTreeMap<_, _> = own.map(|(key, row)| (key.day, row.counts)).collect();
        let present = match deposit {
            None => book.platform.get(&currency).map(|accounts| accounts.counts.today),
            Some(id) => book.deposits.get(&id).map(|deposit| deposit.today),
        };
        if let (Some(day), Some(counts)) = (book.head.day, present.filter(|counts| *counts != Counts::default())) {
            days.insert(day, counts);
        }
        // The clock may have been put back since the last entry.
        Self { days, today: book.head.day.map_or(today, |day| day.max(today)) }
    }

    pub(super) fn on(&self, day: NaiveDate) -> Counts {
        self.days.get(&day).copied().unwrap_or_default()
    }

    /// The day so many days before the present one.
    fn back(&self, days: u64) -> NaiveDate {
        self.today.checked_sub_days(Days::new(days)).unwrap_or(NaiveDate::MIN)
    }

    fn between(&self, from: NaiveDate, to: NaiveDate) -> Tally {
        let mut sum = Tally::default();
        self.days.iter().filter(|(day, _)| (from..=to).contains(*day)).for_each(|(_, counts)| sum.add(&counts.leads));
        sum
    }

    /// The last seven local days, the present one last.
    pub(super) fn last_week(&self) -> impl Iterator<Item = (NaiveDate, Counts)> {
        (0..7).rev().map(|days| (self.back(days), self.on(self.back(days))))
    }

    /// What was counted in the last 30 local days, the present one included.
    pub(super) fn last_month(&self) -> Tally {
        self.between(self.back(WINDOW_DAYS.saturating_sub(1)), self.today)
    }

    /// What was counted in the last full local days, at most seven, as far as there is history; and how many they are.
    pub(super) fn full_days(&self) -> (Tally, u64) {
        let first = self.days.keys().next().copied().unwrap_or(self.today);
        let history = self.today.signed_duration_since(first).num_days().clamp(0, 7);
        (self.between(self.back(7), self.back(1)), u64::try_from(history).unwrap_or(0))
    }
}
