//! The simulator's stories, played on PostgreSQL as they are in memory: the model says at every step what the ledgers
//! must answer and leave behind. Direct, through a pooler and over TLS, without failures and with the simulator's own.

#![allow(clippy::unwrap_used, clippy::panic, missing_docs)]

mod common;

use std::time::Instant;

use common::{Schema, direct, pooled, settle, shared, tls};
use leadledger_postgres::{PostgresOptions, PostgresStore};
use leadledger_simulator::counters::Counters;
use leadledger_simulator::simulate::{Ground, simulate_on};

const STEPS: usize = 120;

/// Each seed in a schema of its own; both ledgers of a story have a store of their own.
fn play(way: &str, url: &str, fails: bool, seeds: std::ops::Range<u64>) {
    let start = Instant::now();
    let mut counters = Counters::default();
    for seed in seeds.clone() {
        let schema = Schema::reached_by(url);
        let open = || {
            // With one lane a step fails the same way again.
            let options = PostgresOptions { lanes: 1, ..schema.options() };
            shared(PostgresStore::open_with(&schema.url, options).unwrap())
        };
        if let Err(finding) = simulate_on(Ground { open: &open, settle: &settle, fails }, seed, STEPS, &mut counters) {
            panic!("{way}, failures {fails}: {finding}");
        }
    }
    println!(
        "stories {way}, failures {fails}: seeds {seeds:?}, {} steps, {} accepted, {} replayed, {} refused, {} entries read, \
         {} books compared, {} checked, {} failures, {:.1?}",
        counters.steps,
        counters.accepted,
        counters.replayed,
        counters.refused.values().sum::<u64>(),
        counters.entries,
        counters.states,
        counters.checks,
        counters.injured.values().sum::<u64>(),
        start.elapsed()
    );
    assert_eq!(counters.seeds, seeds.end - seeds.start);
    assert_eq!(counters.injured.values().any(|count| *count > 0), fails);
}

#[test]
fn direct_without_failures() {
    play("direct", direct(), false, 0..3);
}

#[test]
fn direct_with_failures() {
    play("direct", direct(), true, 10..15);
}

#[test]
fn pooled_without_failures() {
    play("through a pooler", pooled(), false, 20..23);
}

#[test]
fn pooled_with_failures() {
    play("through a pooler", pooled(), true, 30..35);
}

#[test]
fn over_tls_without_failures() {
    play("over TLS", tls(), false, 40..42);
}

#[test]
fn over_tls_with_failures() {
    play("over TLS", tls(), true, 50..53);
}
