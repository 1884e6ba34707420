//! How a ledger is opened and made ready, flat.

use std::collections::BTreeMap;
use std::sync::Arc;

use leadledger::{Clock, Currency, InvalidInput, Ledger, Options, Settings, shaped, to_minor};
use leadledger_postgres::{Migration, Realtime};
use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::address::{Address, Prepared};
use crate::choice::RealtimeChoice;
use crate::fault::Fault;

shaped! {
    /// Smallest amounts in one currency.
    #[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
    #[serde(deny_unknown_fields)]
    pub struct Minimums {
        /// A lead's value, where a campaign says nothing.
        pub value: Decimal,
        /// The payment that opens a deposit.
        pub opening: Decimal,
        /// A top-up.
        pub top_up: Decimal,
        /// An automatic top-up.
        pub auto_top_up: Decimal,
    }

    /// How a ledger works. What is left out has the core's default.
    #[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
    #[serde(deny_unknown_fields, default)]
    pub struct Setup {
        /// Where a day and a receipt's year begin, by its name in the IANA database; `Africa/Casablanca` where left out.
        pub time_zone: Option<String>,
        /// Smallest payments, by currency; one that is not named has none, but for MAD, which has DOMAIN.md's.
        pub minimums: Option<BTreeMap<Currency, Minimums>>,
        /// How many commands may wait for each worker; beyond, callers wait for room.
        pub queue: Option<usize>,
        /// How many commands one commit takes at most.
        pub batch: Option<usize>,
        /// How many threads run reads that are awaited; 8 on PostgreSQL, else 2.
        pub readers: Option<usize>,
    }

    /// What making a store ready did.
    #[derive(Clone, Debug, PartialEq, Eq, Serialize)]
    pub struct Ready {
        /// `memory`, `sqlite` or `postgres`.
        pub store: String,
        /// Whether there was none before.
        pub created: bool,
        /// PostgreSQL: the schema's version before, 0 where there was none.
        pub from_version: Option<u32>,
        /// PostgreSQL: its version now.
        pub to_version: Option<u32>,
        /// PostgreSQL: whether commits are told to Supabase's Realtime now.
        pub realtime: Option<bool>,
    }
}

/// A ledger on the store at `url`, set up as the fields of [`Setup`] say, by a clock of the host's. Refuses with
/// `invalid_setup`, and as [`crate::open`] does.
pub fn open_with(url: &str, given: Map<String, Value>, clock: Arc<dyn Clock>) -> Result<Ledger, Fault> {
    let invalid = |field: &str, what: String| Fault::from(InvalidInput::new("invalid_setup", field, what));
    let setup: Setup =
        serde_json::from_value(Value::Object(given)).map_err(|fault| invalid("setup", fault.to_string()))?;
    let address = Address::parse(url)?;
    let mut options = Options::default();
    if let Some(name) = &setup.time_zone {
        options.settings.time_zone = Settings::zone(name)?;
    }
    for (currency, minimums) in setup.minimums.unwrap_or_default() {
        let minor = |field: &str, amount: Decimal| match to_minor(amount, currency) {
            Ok(minor) if minor >= 0 => Ok(minor),
            Ok(_) => Err(invalid(field, format!("a minimum in {currency} is negative"))),
            Err(refusal) => Err(invalid(field, refusal.to_string())),
        };
        let minimums = leadledger::Minimums {
            value_minor: minor("value", minimums.value)?,
            opening_minor: minor("opening", minimums.opening)?,
            top_up_minor: minor("top_up", minimums.top_up)?,
            auto_top_up_minor: minor("auto_top_up", minimums.auto_top_up)?,
        };
        options.settings.minimums.insert(currency, minimums);
    }
    let positive = |field: &str, number: Option<usize>, before: usize| match number {
        Some(0) => Err(invalid(field, "must be at least 1".to_owned())),
        other => Ok(other.unwrap_or(before)),
    };
    options.queue = positive("queue", setup.queue, options.queue)?;
    options.batch = positive("batch", setup.batch, options.batch)?;
    let readers = if matches!(address, Address::Postgres { .. }) { 8 } else { options.readers };
    options.readers = positive("readers", setup.readers, readers)?;
    Ok(Ledger::with_shared(address.store()?, clock, options)?)
}

/// Makes the store at `url` ready, or brings it up to date.
pub(crate) fn migrate(
    url: &str,
    roles: Option<String>,
    merchants_of: Option<String>,
    realtime: RealtimeChoice,
) -> Result<Ready, Fault> {
    let mut migration = Migration { merchants_of, ..Migration::default() };
    if let Some(roles) = roles {
        migration.roles = roles;
    }
    migration.realtime = match realtime {
        RealtimeChoice::Keep => Realtime::Keep,
        RealtimeChoice::On => Realtime::WherePossible,
        RealtimeChoice::Off => Realtime::Off,
    };
    let ready = |store: &str, created| Ready {
        store: store.to_owned(),
        created,
        from_version: None,
        to_version: None,
        realtime: None,
    };
    Ok(match Address::parse(url)?.prepare(&migration)? {
        Prepared::Memory => ready("memory", true),
        Prepared::Sqlite { created } => ready("sqlite", created),
        Prepared::Postgres(done) => Ready {
            from_version: Some(done.from),
            to_version: Some(done.to),
            realtime: Some(done.realtime),
            ..ready("postgres", done.from == 0)
        },
    })
}
