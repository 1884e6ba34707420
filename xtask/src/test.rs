//! All tests and doctests, the README's example among them, with one PostgreSQL server for all of them.

use crate::postgres;
use crate::run::{self, Failure, cargo};

pub(crate) fn run(arguments: &[String]) -> Result<(), Failure> {
    // Named, although other members turn it on too: without it the core's vectors would be left out silently.
    let mut tests = postgres::with_server(cargo(&["test", "--workspace", "--features", "leadledger/conformance"]))?;
    run::run(tests.args(arguments))
}
