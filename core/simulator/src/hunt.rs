//! The hunt for a planted fault: how many seeds the simulator needs to see it. One that it cannot see would say that
//! it does not look there.

use leadledger::faults::{Fault, plant};

use crate::counters::Counters;
use crate::finding::Finding;
use crate::simulate::simulate;

/// What a hunt came to.
#[derive(Clone, Debug)]
pub struct Hunt {
    /// The fault that was planted.
    pub fault: Fault,
    /// How many seeds were played, with the one that found it.
    pub seeds: u64,
    /// How it was seen; none: it was not.
    pub finding: Option<Finding>,
}

/// How much of what was seen a line of the table shows.
const WIDTH: usize = 120;

/// Takes the fault out again, whatever happens.
struct Planted;

impl Drop for Planted {
    fn drop(&mut self) {
        plant(None);
    }
}

/// Plants `fault` in this process and plays stories from `first` on until one finds it, at most `seeds`.
pub fn hunt(fault: Fault, first: u64, seeds: u64, steps: usize) -> Hunt {
    plant(Some(fault));
    let _planted = Planted;
    for tried in 0..seeds {
        if let Err(finding) = simulate(first + tried, steps, &mut Counters::default()) {
            return Hunt { fault, seeds: tried + 1, finding: Some(*finding) };
        }
    }
    Hunt { fault, seeds, finding: None }
}

impl std::fmt::Display for Hunt {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let seen = self.finding.as_ref().map_or_else(
            || "not found".to_owned(),
            |found| format!("{}: expected {}, got {}", found.what, found.expected, found.got),
        );
        let seen: String = seen.chars().take(WIDTH).collect();
        write!(f, "{:<22}| {:>5} | {seen}", format!("{:?}", self.fault), self.seeds)
    }
}
