//! What a host may set once for its ledger: the time zone, and the smallest payments by currency.

use std::collections::BTreeMap;

use crate::error::InvalidInput;
use crate::money::Currency;

/// Smallest amounts in one currency, in minor units.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Minimums {
    /// A lead's value, where a campaign says nothing.
    pub value_minor: i64,
    /// The payment that opens a deposit.
    pub opening_minor: i64,
    /// A top-up.
    pub top_up_minor: i64,
    /// An automatic top-up.
    pub auto_top_up_minor: i64,
}

/// The rules that are not the merchants' but the host's. Changing them changes what is decided from then on; what is
/// in the journal stays as it was decided.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Settings {
    /// Where a day and a receipt's year begin.
    pub time_zone: chrono_tz::Tz,
    /// By currency; one that is not named has no minimums.
    pub minimums: BTreeMap<Currency, Minimums>,
}

impl Settings {
    /// A time zone by its name in the IANA database; [`InvalidInput`] with `unknown_time_zone` where there is none.
    ///
    /// ```
    /// use leadledger::Settings;
    /// assert_eq!(Settings::zone("Africa/Casablanca").unwrap(), Settings::default().time_zone);
    /// assert_eq!(Settings::zone("Mars/Olympus").unwrap_err().code(), "unknown_time_zone");
    /// ```
    pub fn zone(name: &str) -> Result<chrono_tz::Tz, InvalidInput> {
        let unknown = || InvalidInput::new("unknown_time_zone", "time_zone", format!("no time zone {name:?}"));
        name.parse().map_err(|_| unknown())
    }

    /// The smallest amounts in `currency`.
    pub fn minimums(&self, currency: Currency) -> Minimums {
        self.minimums.get(&currency).copied().unwrap_or_default()
    }
}

impl Default for Settings {
    /// Africa/Casablanca, and DOMAIN.md's minimums for MAD: 50.00, 2000.00, 100.00, 1000.00.
    fn default() -> Self {
        let mad =
            Minimums { value_minor: 5_000, opening_minor: 200_000, top_up_minor: 10_000, auto_top_up_minor: 100_000 };
        Self { time_zone: chrono_tz::Africa::Casablanca, minimums: BTreeMap::from([(Currency::MAD, mad)]) }
    }
}
