//! Figures: what merchants, partners and the platform see (DOMAIN.md chapter 9). They are counted as the books go, by
//! local day, so that a read costs the same whatever the number of leads. All of them serialise to JSON, amounts and
//! rates as strings.

mod card;
mod count;
mod leads;
mod merchant;
mod ratio;
mod report;
mod span;
mod tally;
mod totals;

pub use card::{BalanceCard, LevelShown};
pub use leads::LeadFigures;
pub use merchant::{
    CurrencyFigures, DayTrend, DepositFigures, MerchantFigures, MissedFigures, MoneyFigures, TopPartner, TopSource,
    Trends,
};
pub use report::{CurrencyReport, DailyReport};
pub(crate) use span::WINDOW_DAYS;
pub use tally::{BookCounts, Counts, Day, DayKey, Tally, Turnover};
pub(crate) use totals::PlatformSums;
pub use totals::{PartnerCurrency, PartnerFigures, PlatformCurrency, PlatformFigures};
