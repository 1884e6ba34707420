//! `migrate`: as `init`, but of a store that is there.

use crate::cli::{Global, Migrate};
use crate::commands::{address, init};
use crate::errors::Failure;
use crate::output::Output;

pub(crate) fn run(global: &Global, arguments: &Migrate, out: &mut Output) -> Result<(), Failure> {
    let address = address(global)?;
    address.require_there()?;
    init::prepare(&address, &arguments.setup, out)
}
