//! Clippy over every crate, target and feature, with the lints of the workspace; a warning is an error.

use crate::run::{self, Failure, cargo};

pub(crate) fn run(arguments: &[String]) -> Result<(), Failure> {
    run::no_arguments(arguments)?;
    run::run(&mut cargo(&["clippy", "--workspace", "--all-targets", "--all-features", "--", "-D", "warnings"]))
}
