//! All tests and doctests, the README's example among them.

use crate::run::{self, Failure, cargo};

pub(crate) fn run(arguments: &[String]) -> Result<(), Failure> {
    // Named, although other members turn it on too: without it the core's vectors would be left out silently.
    run::run(cargo(&["test", "--workspace", "--features", "leadledger/conformance"]).args(arguments))
}
