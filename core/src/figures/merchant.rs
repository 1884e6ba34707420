//! What a merchant sees: deposits, leads, money, trends.

use chrono::NaiveDate;
use rust_decimal::Decimal;
use serde::Serialize;

use crate::alert::Level;
use crate::book::Book;
use crate::deposit::Deposit;
use crate::figures::leads::LeadFigures;
use crate::figures::ratio::{RATE_DECIMALS, average, quotient, rate, sum, times_left};
use crate::figures::span::Span;
use crate::figures::{BookCounts, Tally};
use crate::ids::{MerchantId, PartnerId};
use crate::lead::Source;
use crate::money::Currency;
use crate::shaped;
use crate::time::Timestamp;

/// How many partners the list of the best ones names.
const TOP_PARTNERS: usize = 10;

shaped! {
    /// A merchant's figures (DOMAIN.md chapter 9), by currency. Everything is net of reversals.
    #[derive(Clone, Debug, PartialEq, Eq, Serialize)]
    pub struct MerchantFigures {
        /// Whose.
        pub merchant: MerchantId,
        /// The moment they are of.
        pub at: Timestamp,
        /// The zone in which days are counted.
        pub time_zone: String,
        /// The present day there.
        pub today: NaiveDate,
        /// By currency, in the order of their codes; none before the first payment.
        pub currencies: Vec<CurrencyFigures>,
    }

    /// A merchant's figures in one currency. Amounts are decimals of it.
    #[derive(Clone, Debug, PartialEq, Eq, Serialize)]
    pub struct CurrencyFigures {
        /// The currency.
        pub currency: Currency,
        /// Money.
        pub deposits: DepositFigures,
        /// Leads.
        pub leads: LeadFigures,
        /// What leads cost, and what they brought.
        pub money: MoneyFigures,
        /// How it goes.
        pub trends: Trends,
    }

    /// All of a merchant's deposits in one currency.
    #[derive(Clone, Debug, PartialEq, Eq, Serialize)]
    pub struct DepositFigures {
        /// Money in them.
        pub balance: Decimal,
        /// The part that pending leads hold.
        pub reserved: Decimal,
        /// The rest.
        pub available: Decimal,
        /// Brought in from elsewhere by the book's opening: balances, and what captured leads that came in had cost before.
        pub brought_in: Decimal,
        /// Ever paid in, whatever of it paid a debt.
        pub deposited: Decimal,
        /// Refunded to payers, or held back by disputes that were not won.
        pub refunded: Decimal,
        /// Paid back by closing.
        pub paid_back: Decimal,
        /// Operators' corrections.
        pub adjusted: Decimal,
        /// Captured, less what was reversed.
        pub spent: Decimal,
        /// The worst level of an open deposit.
        pub worst_level: Option<Level>,
        /// How many days `available` lasts: by what was captured a day in the last full local days, at most seven. None
        /// where nothing was.
        pub days_left: Option<u64>,
    }

    /// What leads cost and brought.
    #[derive(Clone, Debug, PartialEq, Eq, Serialize)]
    pub struct MoneyFigures {
        /// Commission of captured leads.
        pub paid: Decimal,
        /// The partners' part of it.
        pub partners: Decimal,
        /// The platform's.
        pub platform: Decimal,
        /// Paid, a captured lead.
        pub average_commission: Option<Decimal>,
        /// Paid, a converted lead.
        pub cost_per_acquisition: Option<Decimal>,
        /// (value of converted leads - paid) / paid.
        pub roi: Option<Decimal>,
    }

    /// How it goes.
    #[derive(Clone, Debug, PartialEq, Eq, Serialize)]
    pub struct Trends {
        /// The last seven local days, the present one last.
        pub days: Vec<DayTrend>,
        /// Partners by captured commission, the best first, at most ten.
        pub top_partners: Vec<TopPartner>,
        /// Sources by leads, the best first; those without any are left out.
        pub top_sources: Vec<TopSource>,
        /// Leads refused for want of money.
        pub missed: MissedFigures,
    }

    /// One local day.
    #[derive(Clone, Debug, PartialEq, Eq, Serialize)]
    pub struct DayTrend {
        /// The day.
        pub day: NaiveDate,
        /// Leads created on it.
        pub generated: u64,
        /// Leads decided on it.
        pub decided: u64,
        /// Ever validated, of these.
        pub validation_rate: Option<Decimal>,
    }

    /// A partner's part in a merchant's leads.
    #[derive(Clone, Debug, PartialEq, Eq, Serialize)]
    pub struct TopPartner {
        /// Who.
        pub partner: PartnerId,
        /// Captured leads.
        pub captured: u64,
        /// Their commission, both parts.
        pub commission: Decimal,
    }

    /// Leads from one source.
    #[derive(Clone, Debug, PartialEq, Eq, Serialize)]
    pub struct TopSource {
        /// Where they came from.
        pub source: Source,
        /// How many.
        pub leads: u64,
    }

    /// Leads refused for want of money: a figure beside the books.
    #[derive(Clone, Debug, PartialEq, Eq, Serialize)]
    pub struct MissedFigures {
        /// How many.
        pub leads: u64,
        /// What they would have cost.
        pub commission: Decimal,
    }
}

impl MerchantFigures {
    /// `book` has its small sets, the days of the longest window, all partners and the missed leads loaded.
    pub(crate) fn of(book: &Book, zone: chrono_tz::Tz, now: Timestamp) -> Self {
        let today = now.local_date(zone);
        let mut counted: Vec<(Currency, BookCounts)> =
            book.platform.iter().map(|(currency, accounts)| (*currency, accounts.counts)).collect();
        counted.sort_by_key(|(currency, _)| *currency);
        let currencies =
            counted.iter().map(|(currency, counts)| CurrencyFigures::of(book, *currency, counts, today)).collect();
        Self { merchant: book.merchant, at: now, time_zone: zone.name().to_owned(), today, currencies }
    }

    /// In one currency.
    pub fn currency(&self, currency: Currency) -> Option<&CurrencyFigures> {
        self.currencies.iter().find(|figures| figures.currency == currency)
    }
}

impl CurrencyFigures {
    fn of(book: &Book, currency: Currency, counts: &BookCounts, today: NaiveDate) -> Self {
        let span = Span::of(book, currency, None, today);
        let leads = &counts.total.leads;
        Self {
            currency,
            deposits: DepositFigures::of(book, currency, counts, &span),
            leads: LeadFigures::of(leads, currency),
            money: MoneyFigures::of(leads, currency),
            trends: Trends {
                days: span.last_week().map(|(day, counts)| DayTrend::of(day, &counts.leads)).collect(),
                top_partners: top_partners(book, currency),
                top_sources: top_sources(leads),
                missed: MissedFigures::of(book, currency, |_| true),
            },
        }
    }
}

impl DepositFigures {
    fn of(book: &Book, currency: Currency, counts: &BookCounts, span: &Span) -> Self {
        let open = || book.deposits.iter().map(|(_, row)| row).filter(|row| row.is_open() && row.currency == currency);
        let total =
            |minor: fn(&Deposit) -> i64| open().fold(0_i128, |sum, deposit| sum.saturating_add(minor(deposit).into()));
        let (balance, reserved) = (total(|deposit| deposit.balance_minor), total(|deposit| deposit.reserved_minor));
        let available = balance.saturating_sub(reserved);
        let turnover = &counts.total.turnover;
        let (week, full_days) = span.full_days();
        let money = |minor| sum(minor, currency);
        Self {
            balance: money(balance),
            reserved: money(reserved),
            available: money(available),
            brought_in: money(turnover.brought_in_minor),
            deposited: money(turnover.deposited_minor),
            refunded: money(turnover.refunded_minor),
            paid_back: money(turnover.paid_back_minor),
            adjusted: money(turnover.adjusted_minor),
            spent: money(counts.total.leads.captured_minor),
            worst_level: open().filter_map(Deposit::measured_level).max(),
            days_left: times_left(available, full_days, week.captured_minor),
        }
    }
}

impl MoneyFigures {
    pub(super) fn of(leads: &Tally, currency: Currency) -> Self {
        let paid = leads.captured_minor;
        Self {
            paid: sum(paid, currency),
            partners: sum(leads.part_minor, currency),
            platform: sum(paid.saturating_sub(leads.part_minor), currency),
            average_commission: average(paid, leads.captured, currency),
            cost_per_acquisition: average(paid, leads.converted, currency),
            roi: quotient(leads.converted_value_minor.saturating_sub(paid), paid, RATE_DECIMALS),
        }
    }
}

impl DayTrend {
    fn of(day: NaiveDate, leads: &Tally) -> Self {
        let decided = leads.decided();
        Self { day, generated: leads.created, decided, validation_rate: rate(leads.captured, decided) }
    }
}

impl MissedFigures {
    /// Those of the days that `admits` lets pass.
    pub(super) fn of(book: &Book, currency: Currency, admits: impl Fn(NaiveDate) -> bool) -> Self {
        let days = book.missed_days.iter().filter(|((of, day), _)| *of == currency && admits(*day));
        let (leads, commission) = days.fold((0_u64, 0_i128), |(leads, commission), (_, day)| {
            (leads.saturating_add(day.leads), commission.saturating_add(day.commission_minor))
        });
        Self { leads, commission: sum(commission, currency) }
    }
}

fn top_partners(book: &Book, currency: Currency) -> Vec<TopPartner> {
    let own = book.partners.iter().filter(|((_, of), row)| *of == currency && row.leads.captured > 0);
    let mut best: Vec<_> = own.map(|((partner, _), row)| (row.leads, *partner)).collect();
    best.sort_by_key(|(leads, partner)| {
        (std::cmp::Reverse(leads.captured_minor), std::cmp::Reverse(leads.captured), *partner)
    });
    best.truncate(TOP_PARTNERS);
    let shown = |(leads, partner): (Tally, PartnerId)| TopPartner {
        partner,
        captured: leads.captured,
        commission: sum(leads.captured_minor, currency),
    };
    best.into_iter().map(shown).collect()
}

fn top_sources(leads: &Tally) -> Vec<TopSource> {
    let counted = Source::ALL.iter().zip(leads.sources).filter(|(_, leads)| *leads > 0);
    let mut best: Vec<_> = counted.map(|(source, leads)| TopSource { source: *source, leads }).collect();
    // Stable: equal ones stay in the order of their names' list.
    best.sort_by_key(|top| std::cmp::Reverse(top.leads));
    best
}
