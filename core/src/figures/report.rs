//! What happened on one local day: the report that merchants get each morning.

use chrono::NaiveDate;
use rust_decimal::Decimal;
use serde::Serialize;

use crate::book::Book;
use crate::figures::merchant::MissedFigures;
use crate::figures::ratio::{rate, sum};
use crate::figures::{Counts, Day};
use crate::ids::MerchantId;
use crate::money::Currency;
use crate::shaped;

shaped! {
    /// A merchant's local day.
    #[derive(Clone, Debug, PartialEq, Eq, Serialize)]
    pub struct DailyReport {
        /// Whose.
        pub merchant: MerchantId,
        /// The local day.
        pub day: NaiveDate,
        /// The zone in which it began and ended.
        pub time_zone: String,
        /// Whether it is over.
        pub complete: bool,
        /// By currency, in the order of their codes.
        pub currencies: Vec<CurrencyReport>,
    }

    /// The same in one currency. Amounts are decimals of it.
    #[derive(Clone, Debug, PartialEq, Eq, Serialize)]
    pub struct CurrencyReport {
        /// The currency.
        pub currency: Currency,
        /// In all deposits when the day began.
        pub opening_balance: Decimal,
        /// And when it ended, or now.
        pub closing_balance: Decimal,
        /// The part of that which pending leads held.
        pub reserved: Decimal,
        /// Leads created.
        pub generated: u64,
        /// Leads captured, and not reversed since.
        pub validated: u64,
        /// Leads rejected, or expired.
        pub rejected: u64,
        /// Those of them that expired.
        pub expired: u64,
        /// Captured, of those decided on the day.
        pub validation_rate: Option<Decimal>,
        /// Leads that became a sale on the day.
        pub converted: u64,
        /// Leads that came to nothing on the day.
        pub lost: u64,
        /// Leads reversed on the day, whenever they had been captured.
        pub reversed: u64,
        /// The commission of those validated.
        pub commission: Decimal,
        /// Brought in from elsewhere by the book's opening.
        pub brought_in: Decimal,
        /// Paid in.
        pub deposited: Decimal,
        /// Refunded or disputed, less what won disputes brought again.
        pub refunded: Decimal,
        /// Paid back by closing.
        pub paid_back: Decimal,
        /// Operators' corrections.
        pub adjusted: Decimal,
        /// Leads refused for want of money on the day.
        pub missed: MissedFigures,
    }
}

impl DailyReport {
    /// `book` has its small sets, the day, the last one before, and the missed leads loaded.
    pub(crate) fn of(book: &Book, day: NaiveDate, zone: chrono_tz::Tz, today: NaiveDate) -> Self {
        let mut currencies: Vec<Currency> = book.platform.iter().map(|(currency, _)| *currency).collect();
        currencies.sort_unstable();
        Self {
            merchant: book.merchant,
            day,
            time_zone: zone.name().to_owned(),
            complete: day < today,
            currencies: currencies.into_iter().map(|currency| CurrencyReport::of(book, currency, day)).collect(),
        }
    }
}

impl CurrencyReport {
    fn of(book: &Book, currency: Currency, day: NaiveDate) -> Self {
        let own = || book.days.iter().filter(|(key, _)| key.currency == currency && key.deposit.is_none());
        let ended = own().find(|(key, _)| key.day == day).map(|(_, row)| *row);
        let before = own().filter(|(key, _)| key.day < day).max_by_key(|(key, _)| key.day).map(|(_, row)| *row);
        let present = book.head.day.is_none_or(|present| day >= present);
        let today = book.platform.get(&currency).map(|accounts| accounts.counts.today).unwrap_or_default();
        let counts = match ended {
            Some(row) => row.counts,
            None if book.head.day == Some(day) => today,
            None => Counts::default(),
        };
        let now = || now(book, currency);
        let end = |row: Option<Day>| row.map_or((0, 0), |row| (row.balance_minor, row.reserved_minor));
        let closing = if present { now() } else { end(ended.or(before)) };
        // After the present day, or where nothing was counted on it, what it began with is what there is.
        let quiet = present && counts == Counts::default();
        let opening = if quiet { now() } else { end(before) };
        let money = |minor| sum(minor, currency);
        let (leads, turnover) = (counts.leads, counts.turnover);
        Self {
            currency,
            opening_balance: money(opening.0),
            closing_balance: money(closing.0),
            reserved: money(closing.1),
            generated: leads.created,
            validated: leads.captured,
            rejected: leads.rejected.saturating_add(leads.expired),
            expired: leads.expired,
            validation_rate: rate(leads.captured, leads.decided()),
            converted: turnover.converted,
            lost: turnover.lost,
            reversed: turnover.reversed,
            commission: money(leads.captured_minor),
            brought_in: money(turnover.brought_in_minor),
            deposited: money(turnover.deposited_minor),
            refunded: money(turnover.refunded_minor),
            paid_back: money(turnover.paid_back_minor),
            adjusted: money(turnover.adjusted_minor),
            missed: MissedFigures::of(book, currency, |missed| missed == day),
        }
    }
}

/// What is in a book's deposits, and what pending leads hold of it.
fn now(book: &Book, currency: Currency) -> (i128, i128) {
    let own = book.deposits.iter().map(|(_, deposit)| deposit).filter(|deposit| deposit.currency == currency);
    own.fold((0_i128, 0_i128), |(balance, reserved), deposit| {
        (balance.saturating_add(deposit.balance_minor.into()), reserved.saturating_add(deposit.reserved_minor.into()))
    })
}
