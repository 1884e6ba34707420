//! `completions`: scripts for shells.

use clap::CommandFactory;
use clap::builder::PossibleValuesParser;
use clap_complete::aot;
use leadledger::Command;

use crate::cli::{Cli, Completions, Shell};
use crate::errors::Failure;
use crate::output::{Output, print};

pub(crate) fn run(arguments: &Completions, out: &mut Output) -> Result<(), Failure> {
    let shell = match arguments.shell {
        Shell::Bash => aot::Shell::Bash,
        Shell::Zsh => aot::Shell::Zsh,
        Shell::Fish => aot::Shell::Fish,
    };
    // Only here, since an unknown command is the ledger's to refuse, with its code.
    let names = PossibleValuesParser::new(Command::NAMES);
    let mut line =
        Cli::command().mut_subcommand("do", |line| line.mut_arg("command", |argument| argument.value_parser(names)));
    let mut script = Vec::new();
    aot::generate(shell, &mut line, "leadledger", &mut script);
    out.flush()?;
    Ok(print(&String::from_utf8_lossy(&script))?)
}
