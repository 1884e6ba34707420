//! `simulate`: plays seeds, and exits with 1 where one finds something.
//!
//! ```text
//! simulate [--seeds N] [--first S] [--steps M]   play seeds S, S+1, ...; a finding names the seed that shows it again
//! simulate --faults [--seeds N] ...              plant every fault, and say how many seeds it takes to find it
//! ```

use std::process::ExitCode;

use leadledger::faults::Fault;
use leadledger_simulator::counters::Counters;
use leadledger_simulator::hunt::hunt;
use leadledger_simulator::simulate::simulate;

/// A run of fewer steps may miss what is rare, and shows no idle counters.
const LONG_STEPS: u64 = 10_000;

struct Arguments {
    seeds: u64,
    first: u64,
    steps: usize,
    faults: bool,
}

fn arguments() -> Result<Arguments, String> {
    let mut arguments = Arguments { seeds: 200, first: 0, steps: 300, faults: false };
    let mut words = std::env::args().skip(1);
    while let Some(word) = words.next() {
        let mut number = || {
            let number = words.next().and_then(|number| number.parse::<u64>().ok());
            number.ok_or_else(|| format!("{word} wants a number"))
        };
        match word.as_str() {
            "--seeds" => arguments.seeds = number()?,
            "--first" => arguments.first = number()?,
            "--steps" => arguments.steps = usize::try_from(number()?).map_err(|fault| fault.to_string())?,
            "--faults" => arguments.faults = true,
            _ => return Err(format!("unknown argument {word}; known: --seeds N --first S --steps M --faults")),
        }
    }
    Ok(arguments)
}

fn main() -> ExitCode {
    let arguments = match arguments() {
        Ok(arguments) => arguments,
        Err(fault) => {
            eprintln!("{fault}");
            return ExitCode::from(2);
        }
    };
    let good = if arguments.faults { hunt_all(&arguments) } else { play(&arguments) };
    if good { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

fn play(arguments: &Arguments) -> bool {
    let mut counters = Counters::default();
    let mut findings = 0_u64;
    for seed in arguments.first..arguments.first + arguments.seeds {
        if let Err(finding) = simulate(seed, arguments.steps, &mut counters) {
            println!("{finding}");
            findings += 1;
        }
    }
    print!("{counters}");
    let idle = if counters.steps < LONG_STEPS { Vec::new() } else { counters.idle() };
    for name in &idle {
        println!("never happened: {name}");
    }
    println!("{} seeds, {} steps, {findings} findings", arguments.seeds, counters.steps);
    findings == 0 && idle.is_empty()
}

fn hunt_all(arguments: &Arguments) -> bool {
    println!("{:<22}| seeds | what was seen", "fault");
    let mut missed = 0;
    for fault in Fault::ALL {
        let hunted = hunt(fault, arguments.first, arguments.seeds, arguments.steps);
        println!("{hunted}");
        missed += usize::from(hunted.finding.is_none());
    }
    println!("{} faults, {missed} not found", Fault::ALL.len());
    missed == 0
}
