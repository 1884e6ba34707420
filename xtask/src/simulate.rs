//! The seeded simulator, in release: how many seeds it can try is what it is worth.

use crate::run::{self, Failure, cargo};

pub(crate) fn run(arguments: &[String]) -> Result<(), Failure> {
    let simulator = ["run", "--release", "--package", "leadledger-simulator", "--bin", "simulate", "--"];
    run::run(cargo(&simulator).args(arguments))
}
