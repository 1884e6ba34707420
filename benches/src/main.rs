//! Measurements of the engine on SQLite, durable. Absolute times on a shared machine drift by half, so what counts is
//! the ratio to bare rusqlite writing the same rows, taken in turns within one run.
//!
//! `leadledger-bench [--seconds N] [--rounds N] [--leads N]`; the table goes to standard output, the figures as JSON
//! to `target/bench/sqlite.json`.

mod bare;
mod large;

use std::sync::Arc;
use std::time::Duration;

use bare::Ids;
use leadledger_bench::{Fault, cycle, options};
use leadledger_sqlite::SqliteStore;
use serde_json::{Value, json};

/// What to measure, and for how long.
struct Plan {
    length: Duration,
    rounds: usize,
    leads: u64,
}

fn plan() -> Result<Plan, Fault> {
    let mut plan = Plan { length: Duration::from_secs(2), rounds: 3, leads: 1_000_000 };
    for (name, value) in options()? {
        match name.as_str() {
            "--seconds" => plan.length = Duration::from_secs(value.max(1)),
            // 0: only what follows.
            "--rounds" => plan.rounds = usize::try_from(value)?,
            "--leads" => plan.leads = value.max(2_000),
            _ => return Err(format!("unknown option {name}").into()),
        }
    }
    Ok(plan)
}

fn main() -> Result<(), Fault> {
    let plan = plan()?;
    let mut figures = Vec::new();
    println!("create + validate, SQLite, WAL, synchronous=FULL; bare: the same rows and batch sizes, no decisions");
    println!("(and, last, bare without even the index that keeps lead ids unique)");
    println!("merchants  callers   cycles/s   p50 us    p99 us   batch   bare/s   ratio   no index/s   ratio");
    let sizes: &[usize] = if plan.rounds == 0 { &[] } else { &[1, 1_000] };
    for merchants in sizes {
        for callers in [1, 32, 1_024, 16_384] {
            figures.push(compare(&plan, *merchants, callers)?);
        }
    }
    let large = large::run(plan.leads)?;
    let folder = tempfile::tempdir_in("target")?;
    let store = |name| Ok::<_, Fault>(Arc::new(SqliteStore::open(folder.path().join(name))?));
    let read = leadledger_bench::figures::run(store("few.db")?, store("many.db")?, plan.leads)?;
    let report = json!({ "cycle": figures, "large": large, "figures": read });
    std::fs::create_dir_all("target/bench")?;
    std::fs::write("target/bench/sqlite.json", serde_json::to_string_pretty(&report)?)?;
    println!("figures: target/bench/sqlite.json");
    Ok(())
}

/// The engine and the bare program in turns; the round with the median ratio.
fn compare(plan: &Plan, merchants: usize, callers: usize) -> Result<Value, Fault> {
    let mut rounds = Vec::new();
    for _ in 0..plan.rounds {
        let folder = tempfile::tempdir_in("target")?;
        let store = Arc::new(SqliteStore::open(folder.path().join("engine.db"))?);
        let measured = cycle::run(store, callers, merchants, plan.length)?;
        let (batch, merchants) = (i64::try_from(measured.batch)?, i64::try_from(merchants)?);
        let bare = bare::run(&folder.path().join("bare.db"), batch, merchants, plan.length, Ids::Unique)?;
        let floor = bare::run(&folder.path().join("floor.db"), batch, merchants, plan.length, Ids::Unchecked)?;
        rounds.push((measured.cycles_per_second * 100 / bare.max(1), measured, bare, floor));
    }
    rounds.sort_by_key(|(ratio, ..)| *ratio);
    let (_, measured, bare, floor) = rounds.get(rounds.len() / 2).ok_or("no rounds")?;
    let ratio = |to: u64| {
        let percent = measured.cycles_per_second * 100 / to.max(1);
        format!("{}.{:02}", percent / 100, percent % 100)
    };
    println!(
        "{merchants:>9} {callers:>8} {:>10} {:>8} {:>9} {:>7} {bare:>8} {:>7} {floor:>12} {:>7}",
        measured.cycles_per_second,
        measured.p50_micros,
        measured.p99_micros,
        measured.batch,
        ratio(*bare),
        ratio(*floor),
    );
    Ok(json!({
        "merchants": merchants,
        "callers": callers,
        "cycles_per_second": measured.cycles_per_second,
        "p50_micros": measured.p50_micros,
        "p99_micros": measured.p99_micros,
        "commands_per_commit": measured.batch,
        "bare_cycles_per_second": bare,
        "ratio": ratio(*bare),
        "bare_without_index_cycles_per_second": floor,
        "ratio_without_index": ratio(*floor),
    }))
}
