//! The example that the README names: it must run, and its figures, read back from its file, must be the known ones.

use std::process::Stdio;

use crate::run::{self, Failure, cargo, line_of};

const LAST_LINE: &str = "ok: balance 4940.00 reserved 0.00 available 4940.00 partner 18.00 platform 42.00";

pub(crate) fn run(arguments: &[String]) -> Result<(), Failure> {
    run::no_arguments(arguments)?;
    let mut example = cargo(&["run", "--package", "quickstart"]);
    eprintln!("$ {}", line_of(&example));
    let output = example.stderr(Stdio::inherit()).output()?;
    let text = String::from_utf8_lossy(&output.stdout);
    print!("{text}");
    if !output.status.success() {
        return Err(format!("the example ended with {}", output.status).into());
    }
    match text.lines().last() {
        Some(LAST_LINE) => Ok(()),
        last => Err(format!("the last line is {:?}, not {LAST_LINE:?}", last.unwrap_or_default()).into()),
    }
}
