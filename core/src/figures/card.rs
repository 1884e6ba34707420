//! A deposit's card: what is in it, how low that is, and how long it lasts.

use rust_decimal::Decimal;
use serde::Serialize;

use crate::alert::Level;
use crate::book::Book;
use crate::campaign::CampaignStatus;
use crate::deposit::DepositStatus;
use crate::figures::ratio::{quotient, sum, times_left};
use crate::figures::span::Span;
use crate::ids::{CampaignId, DepositId};
use crate::lead::USUAL_COMMISSION;
use crate::money::{Currency, to_decimal};
use crate::shaped;
use crate::time::Timestamp;

/// What merchants are offered to pay, beside any other amount (DOMAIN.md chapter 4).
const PRESETS: [i128; 3] = [2_000, 5_000, 10_000];

shaped! {
    /// A deposit's card. Amounts are decimals of its currency.
    #[derive(Clone, Debug, PartialEq, Eq, Serialize)]
    pub struct BalanceCard {
        /// The deposit.
        pub deposit: DepositId,
        /// The campaign it is for; none: all that have no own.
        pub campaign: Option<CampaignId>,
        /// The currency.
        pub currency: Currency,
        /// `active`, `suspended` or `closed`.
        pub status: &'static str,
        /// Money in it.
        pub balance: Decimal,
        /// The part that pending leads hold.
        pub reserved: Decimal,
        /// The rest.
        pub available: Decimal,
        /// What the level is measured against.
        pub reference: Decimal,
        /// What is measured, in percent of the reference, with two decimals; none where there is no reference.
        pub percent: Option<Decimal>,
        /// How low it is; none when closed.
        pub level: Option<LevelShown>,
        /// How many more leads `available` pays for, by the average of those captured in the last 30 local days, else by
        /// 60.00 each; none where leads cost nothing, and when closed.
        pub leads_left: Option<u64>,
        /// How many days `available` lasts, by what was captured a day in the last full local days, at most seven, that
        /// the deposit has; none where nothing was, and when closed.
        pub days_left: Option<u64>,
        /// Below this, the host is asked for an automatic top-up.
        pub auto_top_up_threshold: Option<Decimal>,
        /// Of this amount.
        pub auto_top_up_amount: Option<Decimal>,
        /// Campaigns that draw on it and that its depletion paused.
        pub paused_campaigns: Vec<CampaignId>,
        /// Amounts to offer for a top-up.
        pub presets: [Decimal; 3],
    }

    /// A level as people see it.
    #[derive(Clone, Debug, PartialEq, Eq, Serialize)]
    pub struct LevelShown {
        /// The level.
        pub level: Level,
        /// 0 (healthy) to 4 (depleted).
        pub priority: u8,
        /// The colour's name.
        pub colour: &'static str,
        /// The colour as `#rrggbb`.
        pub hex: &'static str,
        /// The French label.
        pub label: &'static str,
    }
}

impl From<Level> for LevelShown {
    fn from(level: Level) -> Self {
        let (priority, colour, hex, label) = (level.priority(), level.colour(), level.hex(), level.label_fr());
        Self { level, priority, colour, hex, label }
    }
}

impl BalanceCard {
    /// None where `book` has no such deposit. It has its small sets, the deposit, and the days of the longest window
    /// loaded.
    pub(crate) fn of(book: &Book, id: DepositId, zone: chrono_tz::Tz, now: Timestamp) -> Option<Self> {
        let deposit = book.deposits.get(&id)?;
        let currency = deposit.currency;
        let money = |minor| to_decimal(minor, currency);
        let span = Span::of(book, currency, Some(id), now.local_date(zone));
        let (month, (week, full_days)) = (span.last_month(), span.full_days());
        let available = i128::from(deposit.available_minor());
        let whole = 10_i128.saturating_pow(currency.decimals());
        let (spent, leads) = match month.captured {
            0 => (whole.saturating_mul(USUAL_COMMISSION.into()), 1),
            captured => (month.captured_minor, captured),
        };
        let (measure, reference) = (i128::from(deposit.measure_minor()), i128::from(deposit.reference_minor()));
        let auto = deposit.auto_top_up;
        let own = |campaign: &CampaignId| book.open_deposit(Some(*campaign), currency);
        let draws = |campaign: &CampaignId| own(campaign).or_else(|| book.open_deposit(None, currency)) == Some(id);
        let paused = book.campaigns.iter().filter(|(_, row)| row.status == CampaignStatus::PausedByDepletion);
        let in_currency = paused.filter(|(_, row)| row.settings.policy.currency == currency);
        let mut paused_campaigns: Vec<_> = in_currency.map(|(campaign, _)| *campaign).filter(draws).collect();
        paused_campaigns.sort_unstable();
        Some(Self {
            deposit: id,
            campaign: deposit.campaign,
            currency,
            status: DepositStatus::name(deposit.status),
            balance: money(deposit.balance_minor),
            reserved: money(deposit.reserved_minor),
            available: money(deposit.available_minor()),
            reference: money(deposit.reference_minor()),
            percent: quotient(measure.saturating_mul(100), reference, 2),
            level: deposit.measured_level().map(LevelShown::from),
            leads_left: times_left(available, leads, spent).filter(|_| deposit.is_open()),
            days_left: times_left(available, full_days, week.captured_minor).filter(|_| deposit.is_open()),
            auto_top_up_threshold: auto.map(|auto| money(auto.threshold_minor)),
            auto_top_up_amount: auto.map(|auto| money(auto.amount_minor)),
            paused_campaigns,
            presets: PRESETS.map(|amount| sum(whole.saturating_mul(amount), currency)),
        })
    }
}
