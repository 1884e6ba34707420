//! Stories on two ledgers over a store that fails: none shows a difference, unless a fault is planted.

#![allow(clippy::panic, reason = "so a test fails")]

use leadledger::faults::Fault;
use leadledger_simulator::counters::Counters;
use leadledger_simulator::hunt::hunt;
use leadledger_simulator::simulate::simulate;

const SEEDS: u64 = 60;
const STEPS: usize = 300;

/// One test, for a planted fault is planted in the whole process.
#[test]
fn stories_go_as_the_model_says_and_planted_faults_are_found() {
    let mut counters = Counters::default();
    for seed in 0..SEEDS {
        if let Err(finding) = simulate(seed, STEPS, &mut counters) {
            panic!("{finding}");
        }
    }
    print!("{counters}");
    assert_eq!(counters.seeds, SEEDS);
    assert!(counters.idle().is_empty(), "never happened: {:?}", counters.idle());

    let hunts = Fault::ALL.map(|fault| hunt(fault, 0, SEEDS, STEPS));
    for hunted in &hunts {
        println!("{hunted}");
    }
    let missed: Vec<_> = hunts.iter().filter(|hunted| hunted.finding.is_none()).map(|hunted| hunted.fault).collect();
    assert!(missed.is_empty(), "not found: {missed:?}");
}
