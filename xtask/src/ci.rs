//! The continuous integration: every step in order, each with its wall time, until the first that fails.

use std::time::{Duration, Instant};

use crate::run::{self, Failure, root};
use crate::{docs, fmt, lint, python, quickstart, scenarios, simulate, test, tidy};

/// Enough seeds to make everything happen that the simulator counts, and few enough to run on every change; a longer
/// search is `cargo xtask simulate --seeds N`.
const SEEDS: &str = "40";

type Step = (&'static str, fn(&[String]) -> Result<(), Failure>, Vec<String>);

fn steps() -> Vec<Step> {
    let owned = |arguments: &[&str]| arguments.iter().map(|argument| (*argument).to_owned()).collect::<Vec<_>>();
    let folder = root().join("core/conformance/scenarios").display().to_string();
    vec![
        ("fmt", fmt::run, Vec::new()),
        ("lint", lint::run, Vec::new()),
        ("tidy", tidy::run, Vec::new()),
        ("test", test::run, Vec::new()),
        ("scenarios, memory", scenarios::run, owned(&[&folder, "--store", "memory"])),
        ("scenarios, sqlite", scenarios::run, owned(&[&folder, "--store", "sqlite"])),
        ("scenarios, postgres", scenarios::run, owned(&[&folder, "--store", "postgres"])),
        ("simulate", simulate::run, owned(&["--seeds", SEEDS])),
        ("quickstart", quickstart::run, Vec::new()),
        ("python", python::run, Vec::new()),
        ("docs", docs::run, Vec::new()),
    ]
}

pub(crate) fn run(arguments: &[String]) -> Result<(), Failure> {
    run::no_arguments(arguments)?;
    let mut done: Vec<(&str, Duration, &str)> = Vec::new();
    let mut outcome = Ok(());
    let steps = steps();
    let count = steps.len();
    for (number, (name, step, with)) in (1..).zip(steps) {
        println!("\n==> {number}/{count} {name}");
        let start = Instant::now();
        let result = step(&with);
        let took = start.elapsed();
        println!("<== {name}: {took:.1?}");
        done.push((name, took, if result.is_ok() { "ok" } else { "FAILED" }));
        if let Err(failure) = result {
            outcome = Err(format!("stopped at step {number} of {count}, {name}: {failure}").into());
            break;
        }
    }
    println!("\n{:<20} {:>10}", "step", "wall time");
    for (name, took, verdict) in &done {
        println!("{name:<20} {:>10}   {verdict}", format!("{took:.1?}"));
    }
    let total: Duration = done.iter().map(|(_, took, _)| *took).sum();
    println!("{:<20} {:>10}   {} of {count} steps", "all", format!("{total:.1?}"), done.len());
    outcome
}
