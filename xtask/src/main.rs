//! Every developer command: `cargo xtask NAME`. The continuous integration is `cargo xtask ci` and nothing else; each
//! of its steps runs alone under its own name.

#![cfg_attr(test, allow(clippy::unwrap_used))]

mod bench;
mod ci;
mod docs;
mod fmt;
mod lint;
mod postgres;
mod python;
mod quickstart;
mod run;
mod scenarios;
mod simulate;
mod test;
mod tidy;
mod torture;

use std::process::ExitCode;

use run::Failure;

/// A subcommand: its name, what it takes and does, and how it runs.
struct Subcommand {
    name: &'static str,
    takes: &'static str,
    does: &'static str,
    run: fn(&[String]) -> Result<(), Failure>,
}

const SUBCOMMANDS: [Subcommand; 13] = [
    Subcommand { name: "ci", takes: "", does: "all steps that a change must pass, in order", run: ci::run },
    Subcommand { name: "fmt", takes: "[--fix]", does: "checks the formatting, or mends it", run: fmt::run },
    Subcommand { name: "lint", takes: "", does: "clippy over everything, warnings are errors", run: lint::run },
    Subcommand { name: "tidy", takes: "", does: "checks prose, headers, lengths and manifests", run: tidy::run },
    Subcommand { name: "test", takes: "[ARGS]", does: "all tests and doctests; ARGS go to cargo test", run: test::run },
    Subcommand {
        name: "scenarios",
        takes: "DIR [--store memory|sqlite|postgres]",
        does: "plays every scenario file of a folder",
        run: scenarios::run,
    },
    Subcommand {
        name: "simulate",
        takes: "[--seeds N] [ARGS]",
        does: "the seeded simulator; all arguments go to it",
        run: simulate::run,
    },
    Subcommand {
        name: "postgres",
        takes: "",
        does: "a server for tests by hand: prints its URLs for the shell",
        run: postgres::run,
    },
    Subcommand {
        name: "torture",
        takes: "postgres [--minutes N]",
        does: "kills servers and connections under load, in release",
        run: torture::run,
    },
    Subcommand {
        name: "quickstart",
        takes: "",
        does: "runs the example and checks its last line",
        run: quickstart::run,
    },
    Subcommand {
        name: "python",
        takes: "[--fix | bench | PYTEST ARGS]",
        does: "builds the Python package, checks and tests it where nothing else is installed",
        run: python::run,
    },
    Subcommand { name: "docs", takes: "", does: "builds the documentation, warnings are errors", run: docs::run },
    Subcommand {
        name: "bench",
        takes: "[--store sqlite|postgres] [ARGS]",
        does: "the measurements, in release; the other arguments go to them",
        run: bench::run,
    },
];

fn main() -> ExitCode {
    let arguments: Result<Vec<String>, _> = std::env::args_os().skip(1).map(std::ffi::OsString::into_string).collect();
    let Ok(arguments) = arguments else {
        eprintln!("xtask: the arguments are not UTF-8");
        return ExitCode::from(2);
    };
    let Some((name, rest)) = arguments.split_first() else {
        print!("{}", usage());
        return ExitCode::from(2);
    };
    if matches!(name.as_str(), "help" | "--help" | "-h") {
        print!("{}", usage());
        return ExitCode::SUCCESS;
    }
    let Some(subcommand) = SUBCOMMANDS.iter().find(|subcommand| subcommand.name == name) else {
        eprintln!("xtask: no subcommand {name:?}\n\n{}", usage());
        return ExitCode::from(2);
    };
    match (subcommand.run)(rest) {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            eprintln!("xtask {name}: {failure}");
            ExitCode::FAILURE
        }
    }
}

fn usage() -> String {
    let line = |subcommand: &Subcommand| {
        let call = format!("{} {}", subcommand.name, subcommand.takes);
        format!("  {call:<38} {}\n", subcommand.does)
    };
    std::iter::once("cargo xtask SUBCOMMAND\n".to_owned()).chain(SUBCOMMANDS.iter().map(line)).collect()
}
