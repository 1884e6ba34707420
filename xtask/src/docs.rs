//! The documentation of all crates; a warning (a broken link, above all) is an error.

use crate::run::{self, Failure, cargo};

pub(crate) fn run(arguments: &[String]) -> Result<(), Failure> {
    run::no_arguments(arguments)?;
    run::run(cargo(&["doc", "--no-deps", "--workspace"]).env("RUSTDOCFLAGS", "-D warnings"))
}
