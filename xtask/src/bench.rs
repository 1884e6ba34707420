//! The measurements, in release. Not a step of `ci`: a busy machine measures nothing.

use crate::run::{self, Failure, cargo};

pub(crate) fn run(arguments: &[String]) -> Result<(), Failure> {
    run::run(cargo(&["run", "--release", "--package", "leadledger-bench", "--"]).args(arguments))?;
    // Decisions alone, in memory, by criterion.
    run::run(&mut cargo(&["bench", "--package", "leadledger-bench", "--bench", "decide"]))
}
