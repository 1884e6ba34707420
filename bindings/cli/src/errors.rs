//! How the program ends: exit codes by family, and what it says on stderr.

use std::io::Write;
use std::process::ExitCode;

use leadledger_facade::{Family, Fault};
use serde_json::json;

/// Why a subcommand ended before its end.
#[derive(Debug)]
pub(crate) enum Failure {
    /// Something went wrong.
    Fault(Fault),
    /// The command line lacks something.
    Usage(Fault),
    /// The answer could not be written; by a closed pipe, above all.
    Output(std::io::Error),
}

macro_rules! faults {
    ($($type:ty),*) => {$(
        impl From<$type> for Failure {
            fn from(fault: $type) -> Self {
                Self::Fault(fault.into())
            }
        }
    )*};
}
faults!(
    Fault,
    leadledger::Error,
    leadledger::InvalidInput,
    leadledger::Refusal,
    leadledger::ExportError,
    leadledger::ImportError,
    leadledger::ProofError
);

impl From<leadledger_legacy::ImportError> for Failure {
    fn from(error: leadledger_legacy::ImportError) -> Self {
        use leadledger_legacy::ImportError;
        let (code, message) = (error.code(), error.to_string());
        Self::Fault(match error {
            ImportError::Schema { missing, .. } => {
                let names: Vec<String> = missing.iter().map(ToString::to_string).collect();
                Fault::new(Family::InvalidInput, code, message).with("missing", names)
            }
            // Of the database that is read, not of the store.
            ImportError::Source(fault) => Fault::from(fault),
            ImportError::Ledger { fault, report } => Fault::from(fault).with("books_made", report.made()),
        })
    }
}

impl From<std::io::Error> for Failure {
    fn from(error: std::io::Error) -> Self {
        Self::Output(error)
    }
}

/// The exit codes of `leadledger --help`.
const fn exit_code(family: Family) -> u8 {
    match family {
        Family::Internal | Family::Closed => 1,
        Family::Refused => 3,
        Family::InvalidInput => 4,
        Family::StoreUnavailable => 5,
        Family::StoreUnusable => 6,
        Family::CheckFailed => 7,
    }
}

/// Says on stderr what went wrong, and gives the exit code.
pub(crate) fn report(failure: &Failure, json: bool) -> ExitCode {
    match failure {
        Failure::Fault(fault) => {
            tell(fault, json);
            ExitCode::from(exit_code(fault.family))
        }
        Failure::Usage(fault) => {
            tell(fault, json);
            ExitCode::from(2)
        }
        // Whoever read the answer has enough of it.
        Failure::Output(error) if error.kind() == std::io::ErrorKind::BrokenPipe => ExitCode::SUCCESS,
        Failure::Output(error) => {
            tell(&Fault::new(Family::Internal, "output_failed", format!("the answer is not written: {error}")), json);
            ExitCode::FAILURE
        }
    }
}

/// Says that the command line is not understood.
pub(crate) fn report_usage(error: &clap::Error, json: bool) -> ExitCode {
    if json {
        let said = error.to_string();
        let said = said.trim_end().strip_prefix("error: ").unwrap_or(&said).to_owned();
        tell(&Fault::new(Family::InvalidInput, "usage", said), true);
    } else {
        // Where stderr is closed, nobody can be told.
        let _ = write!(std::io::stderr(), "{error}");
    }
    ExitCode::from(2)
}

fn tell(fault: &Fault, json: bool) {
    let mut stderr = std::io::stderr();
    // Where stderr is closed, nobody can be told.
    let _ = if json {
        writeln!(stderr, "{}", json!({ "error": fault.to_json() }))
    } else {
        writeln!(stderr, "error: {} ({})", crate::output::visible(&fault.message), fault.code)
    };
}
