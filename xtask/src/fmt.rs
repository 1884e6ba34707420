//! The formatting: checked, or mended with `--fix`.

use crate::run::{self, Failure, cargo};

pub(crate) fn run(arguments: &[String]) -> Result<(), Failure> {
    match arguments {
        [] => run::run(&mut cargo(&["fmt", "--all", "--check"])),
        [fix] if fix == "--fix" => run::run(&mut cargo(&["fmt", "--all"])),
        _ => Err("takes nothing but --fix".into()),
    }
}
