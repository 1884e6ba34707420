//! The command line of leadledger: `leadledger --help`.
//!
//! One file for each subcommand in `commands`; `cli` says what may be written, `output` how answers look, `errors` how
//! the program ends.

#![forbid(unsafe_code)]
#![cfg_attr(test, allow(clippy::unwrap_used))]

mod cli;
mod commands;
mod errors;
mod events;
mod files;
mod numbers;
mod output;

use std::process::ExitCode;

use clap::Parser;

use cli::Cli;
use output::Output;

fn main() -> ExitCode {
    let cli = match Cli::try_parse() {
        Ok(cli) => cli,
        // Help and version are asked for; a closed pipe is nobody's fault.
        Err(asked) if !asked.use_stderr() => {
            return output::print(&asked.to_string())
                .map_or_else(|fault| errors::report(&fault.into(), false), |()| ExitCode::SUCCESS);
        }
        Err(error) => {
            let json = std::env::args_os().any(|argument| argument == "--json");
            return errors::report_usage(&error, json);
        }
    };
    let json = cli.wants_json();
    let ended = commands::run(&cli, &mut Output::new(json));
    ended.map_or_else(|failure| errors::report(&failure, json), |()| ExitCode::SUCCESS)
}
