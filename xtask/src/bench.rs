//! The measurements, in release. Not a step of `ci`: a busy machine measures nothing.

use crate::run::{self, Failure, cargo};

pub(crate) fn run(arguments: &[String]) -> Result<(), Failure> {
    if let [option, store, rest @ ..] = arguments
        && option == "--store"
    {
        return match store.as_str() {
            "postgres" => compare(rest),
            "sqlite" => alone(rest),
            other => Err(format!("--store is sqlite or postgres, not {other:?}").into()),
        };
    }
    alone(arguments)
}

/// The engine on SQLite, and decisions alone, in memory.
fn alone(arguments: &[String]) -> Result<(), Failure> {
    run::run(
        cargo(&["run", "--release", "--package", "leadledger-bench", "--bin", "leadledger-bench", "--"])
            .args(arguments),
    )?;
    run::run(&mut cargo(&["bench", "--package", "leadledger-bench", "--bench", "decide"]))
}

/// The engine on PostgreSQL against today's backend, on a private server.
fn compare(arguments: &[String]) -> Result<(), Failure> {
    let program = ["--package", "leadledger-bench", "--features", "postgres", "--bin", "leadledger-compare", "--"];
    run::run(cargo(&["run", "--release"]).args(program).args(arguments))
}
