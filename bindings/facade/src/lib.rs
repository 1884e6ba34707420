//! What the command line and the bindings to other languages share, so that they say the same: a ledger by URL
//! ([`open`]), everything that it does by name with JSON values in and out ([`start`], [`function`]; what they take and
//! give is in [`READS`], [`FUNCTIONS`], `Command::SHAPES`, [`records()`] and [`choices`]), and one flat error ([`Fault`]).
//!
//! ```
//! use leadledger_facade::{Family, command, open};
//! let ledger = open("memory:", Default::default()).unwrap();
//! let fields = r#"{ "merchant": "442a26ae-0f1e-5c1d-8a4a-d8421e3d1e5e", "amount": "5000.00" }"#;
//! assert!(ledger.submit(command("open_deposit", fields).unwrap()).wait().is_ok());
//! assert_eq!(open("mysql://root:secret@db/shop", Default::default()).unwrap_err().family, Family::InvalidInput);
//! ```

#![forbid(unsafe_code)]
#![cfg_attr(test, allow(clippy::unwrap_used))]

mod address;
mod choice;
mod command;
mod fault;
mod file;
mod flatten;
mod form;
mod operation;
pub mod records;
mod running;
mod setup;
mod shapes;
mod start;

pub use address::{Address, Prepared};
pub use choice::{AccountingFormat, Order, RealtimeChoice};
pub use command::command;
pub use fault::{Family, Fault};
pub use file::write_file;
pub use form::Form;
pub use leadledger_postgres::{Migrated, Migration, Realtime};
pub use operation::{FUNCTIONS, OperationShape, READS, function};
pub use running::{Answered, Awaited, Running};
pub use setup::{Minimums, Ready, Setup, open_with};
pub use shapes::{Choice, choices, records};
pub use start::start;

use std::sync::Arc;

use leadledger::{Ledger, Options, SystemClock};

/// A SHA-256 from its 64 hexadecimal digits. Refuses anything else with `invalid_hash`.
pub(crate) fn hash_of(digits: &str) -> Result<leadledger::Hash, Fault> {
    leadledger::unhex(digits).ok_or_else(|| {
        leadledger::InvalidInput::new("invalid_hash", "head", "not 64 lower-case hexadecimal digits").into()
    })
}

/// A ledger on the store at `url` (see [`Address::parse`]), by the machine's clock. A SQLite file is made, or brought up
/// to date, where that is needed; a PostgreSQL schema has to be migrated before.
pub fn open(url: &str, options: Options) -> Result<Ledger, Fault> {
    let store = Address::parse(url)?.store()?;
    Ok(Ledger::with_shared(store, Arc::new(SystemClock), options)?)
}
