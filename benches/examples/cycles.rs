//! One figure of the Rust engine, for a program in another language to compare itself with in the same run.
//!
//! `cycles --callers N [--merchants N] [--seconds N]` prints lead cycles a second on a new SQLite file;
//! `cycles --previews N` prints the nanoseconds of one `preview_commission`, over so many.

use std::hint::black_box;
use std::sync::Arc;
use std::time::{Duration, Instant};

use leadledger::{Currency, Policy, PolicyTerms, preview_commission};
use leadledger_bench::{Fault, cycle, options};
use leadledger_sqlite::SqliteStore;
use rust_decimal::Decimal;

fn main() -> Result<(), Fault> {
    let (mut callers, mut merchants, mut seconds, mut previews) = (0, 1, 3, 0);
    for (name, value) in options()? {
        match name.as_str() {
            "--callers" => callers = usize::try_from(value)?,
            "--merchants" => merchants = usize::try_from(value.max(1))?,
            "--seconds" => seconds = value.max(1),
            "--previews" => previews = value,
            _ => return Err(format!("unknown option {name}").into()),
        }
    }
    if previews > 0 {
        println!("{}", preview(previews)?);
    }
    if callers > 0 {
        std::fs::create_dir_all("target")?;
        let folder = tempfile::tempdir_in("target")?;
        let store = Arc::new(SqliteStore::open(folder.path().join("cycles.db"))?);
        let measured = cycle::run(store, callers, merchants, Duration::from_secs(seconds))?;
        println!("{}", measured.cycles_per_second);
    }
    Ok(())
}

/// Nanoseconds of one.
fn preview(times: u64) -> Result<u64, Fault> {
    let policy = Policy::new(Currency::MAD, PolicyTerms::default())?;
    let value: Decimal = "600.00".parse()?;
    let begun = Instant::now();
    for _ in 0..times {
        black_box(preview_commission(black_box(&policy), black_box(policy.default_share), black_box(value))?);
    }
    Ok(u64::try_from(begun.elapsed().as_nanos())? / times)
}
