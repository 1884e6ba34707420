//! What simulations did: a run that found nothing has shown something only if these grew.

use std::collections::BTreeMap;

use crate::store::{Injuries, Injury};

/// Progress, summed over seeds.
#[derive(Clone, Debug, Default)]
pub struct Counters {
    /// Stories played to their end.
    pub seeds: u64,
    /// Commands told to the model; one that is sent twice at once counts twice.
    pub steps: u64,
    /// Accepted, and done.
    pub accepted: u64,
    /// Refused, by code.
    pub refused: BTreeMap<String, u64>,
    /// Answered with an earlier answer.
    pub replayed: u64,
    /// Alerts raised.
    pub alerts: u64,
    /// Remembered levels that improved.
    pub cleared: u64,
    /// What time alone did.
    pub settled: u64,
    /// Entries read from the feeds of books.
    pub entries: u64,
    /// Whole books compared, each in every currency.
    pub states: u64,
    /// Books checked by the ledger itself.
    pub checks: u64,
    /// Failures of the store, by kind.
    pub injured: BTreeMap<Injury, u64>,
    /// Steps in which a commit's outcome was unknown and the engine found it out.
    pub doubts_resolved: u64,
    /// Steps in which the caller was told that the outcome is unknown, and found it out.
    pub doubts_told: u64,
    /// Commands sent again after a failure.
    pub resent: u64,
    /// Commands sent to both ledgers at once.
    pub twins: u64,
    /// Commands sent together without waiting.
    pub bursts: u64,
    /// Ledgers opened again on the same store.
    pub reopened: u64,
}

impl Counters {
    /// Adds another run's.
    pub fn add(&mut self, other: &Self) {
        let Self { refused, injured, .. } = other;
        for (code, count) in refused {
            *self.refused.entry(code.clone()).or_default() += count;
        }
        for (injury, count) in injured {
            *self.injured.entry(*injury).or_default() += count;
        }
        self.seeds += other.seeds;
        self.steps += other.steps;
        self.accepted += other.accepted;
        self.replayed += other.replayed;
        self.alerts += other.alerts;
        self.cleared += other.cleared;
        self.settled += other.settled;
        self.entries += other.entries;
        self.states += other.states;
        self.checks += other.checks;
        self.doubts_resolved += other.doubts_resolved;
        self.doubts_told += other.doubts_told;
        self.resent += other.resent;
        self.twins += other.twins;
        self.bursts += other.bursts;
        self.reopened += other.reopened;
    }

    /// Adds what a store did wrong.
    pub fn add_injuries(&mut self, injuries: &Injuries) {
        for injury in Injury::ALL {
            *self.injured.entry(injury).or_default() += injuries.count(injury);
        }
    }

    fn named(&self) -> Vec<(&'static str, u64)> {
        vec![
            ("accepted", self.accepted),
            ("refused", self.refused.values().sum()),
            ("replayed", self.replayed),
            ("alerts raised", self.alerts),
            ("alerts cleared", self.cleared),
            ("due entries settled", self.settled),
            ("entries read", self.entries),
            ("states compared", self.states),
            ("books checked", self.checks),
            ("doubts resolved by the engine", self.doubts_resolved),
            ("doubts resolved by the caller", self.doubts_told),
            ("commands sent again", self.resent),
            ("commands sent twice at once", self.twins),
            ("commands sent together", self.bursts),
            ("ledgers reopened", self.reopened),
        ]
    }

    /// What stayed at nothing, though a run of some length must meet it.
    pub fn idle(&self) -> Vec<String> {
        let mut idle: Vec<String> =
            self.named().into_iter().filter(|(_, count)| *count == 0).map(|(name, _)| name.to_owned()).collect();
        let unhurt = |injury: &Injury| self.injured.get(injury).is_none_or(|count| *count == 0);
        idle.extend(Injury::ALL.into_iter().filter(unhurt).map(|injury| format!("injury {injury:?}")));
        if !self.refused.contains_key("idempotency_mismatch") {
            idle.push("refused idempotency_mismatch".to_owned());
        }
        idle
    }
}

impl std::fmt::Display for Counters {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        for (name, count) in self.named() {
            writeln!(f, "{count:>9} {name}")?;
        }
        for (code, count) in &self.refused {
            writeln!(f, "{count:>9} refused {code}")?;
        }
        for (injury, count) in &self.injured {
            writeln!(f, "{count:>9} injury {injury:?}")?;
        }
        Ok(())
    }
}
