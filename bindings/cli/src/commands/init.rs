//! `init`: makes a store, or brings one up to date, and says which.

use leadledger_facade::{Address, Migration, Prepared, Realtime};
use serde_json::json;

use crate::cli::{self, Global, Init, Setup};
use crate::commands::address;
use crate::errors::Failure;
use crate::output::Output;

pub(crate) fn run(global: &Global, arguments: &Init, out: &mut Output) -> Result<(), Failure> {
    prepare(&address(global)?, &arguments.setup, out)
}

/// Prepares the store and tells what that did.
pub(super) fn prepare(address: &Address, setup: &Setup, out: &mut Output) -> Result<(), Failure> {
    let migration = Migration {
        roles: setup.roles.clone(),
        merchants_of: setup.merchants_of.clone(),
        realtime: match setup.realtime {
            cli::Realtime::Keep => Realtime::Keep,
            cli::Realtime::On => Realtime::WherePossible,
            cli::Realtime::Off => Realtime::Off,
        },
        ..Migration::default()
    };
    let prepared = address.prepare(&migration)?;
    let (answer, line) = match (prepared, address) {
        (Prepared::Postgres(done), Address::Postgres { schema, .. }) => {
            let line = match (done.from, done.to) {
                (0, to) => format!("schema {schema} is made, version {to}; its roles are {}_*", setup.roles),
                (from, to) if from == to => format!("schema {schema} is up to date, version {to}"),
                (from, to) => format!("schema {schema} is brought from version {from} to {to}"),
            };
            let told = if done.realtime { "; commits are told to Realtime" } else { "" };
            let answer = json!({
                "store": "postgres",
                "created": done.from == 0,
                "schema": schema,
                "from": done.from,
                "to": done.to,
                "realtime": done.realtime,
            });
            (answer, format!("{line}{told}"))
        }
        (Prepared::Sqlite { created }, Address::Sqlite(path)) => {
            let done = if created { "is made" } else { "is up to date" };
            (json!({ "store": "sqlite", "created": created }), format!("file {} {done}", path.display()))
        }
        _ => (json!({ "store": "memory", "created": true }), "a store in memory needs no preparation".to_owned()),
    };
    Ok(out.answer(&answer, line)?)
}
