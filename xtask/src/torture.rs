//! The tests that break a server under load, in release, for as long as one likes. A few cycles of them are part of
//! `test`.

use crate::run::{self, Failure, cargo};

const USAGE: &str = "torture postgres [--minutes N]";

pub(crate) fn run(arguments: &[String]) -> Result<(), Failure> {
    let words: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let minutes = match words[..] {
        ["postgres"] => "10",
        ["postgres", "--minutes", minutes] => minutes,
        _ => return Err(format!("usage: {USAGE}").into()),
    };
    if !minutes.parse::<f64>().is_ok_and(|minutes| minutes.is_finite() && minutes >= 0.0) {
        return Err(format!("{minutes:?} is no number of minutes").into());
    }
    // One after the other: each has its part of the time.
    let tests = ["test", "--release", "--package", "leadledger-postgres", "--test", "torture", "--"];
    let mut tests = cargo(&tests);
    run::run(tests.args(["--nocapture", "--test-threads=1"]).env("LEADLEDGER_TORTURE_MINUTES", minutes))
}
