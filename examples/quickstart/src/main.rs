//! The ledger's story on a SQLite file: one lead from deposit to commission, one deposit down to nothing and back,
//! then the file opened again and its books checked.
//!
//! `cargo run -p quickstart` tells it in a temporary folder; `cargo run -p quickstart -- FILE` keeps the file, and can
//! be run on the same file again.

mod alerts;
mod lead;
mod print;

use std::error::Error;
use std::path::{Path, PathBuf};

use leadledger::{Currency, Ledger};
use leadledger_sqlite::SqliteStore;

use crate::lead::Merchant;

fn main() -> Result<(), Box<dyn Error>> {
    // Kept until the end: the folder goes when this is dropped.
    let folder;
    let file = if let Some(path) = std::env::args_os().nth(1) {
        PathBuf::from(path)
    } else {
        folder = tempfile::tempdir()?;
        folder.path().join("quickstart.db")
    };

    println!("A ledger on {}. All amounts are Moroccan dirhams.", file.display());
    let ledger = open(&file)?;
    let first = lead::tell(&ledger)?;
    let second = alerts::tell(&ledger)?;
    // The last handle closes the ledger: what was queued is done, the file is let go.
    drop(ledger);

    print::chapter("Closed. The same file, opened again");
    let ledger = open(&file)?;
    check(&ledger, "first merchant", &first)?;
    check(&ledger, "second merchant", &second)?;
    println!("{}", summary(&ledger, &first)?);
    Ok(())
}

fn open(file: &Path) -> Result<Ledger, Box<dyn Error>> {
    Ok(Ledger::open(SqliteStore::open(file)?)?)
}

/// Replays the journal and compares it with every stored row; a difference ends the program.
fn check(ledger: &Ledger, name: &str, merchant: &Merchant) -> Result<(), Box<dyn Error>> {
    let report = ledger.check(merchant.id).wait()?;
    println!(
        "  {name}: entries replayed {}, leads compared {}, accounts summed {}, differences 0",
        report.entries, report.leads, report.accounts
    );
    Ok(())
}

/// What stands in the file for this merchant.
fn summary(ledger: &Ledger, merchant: &Merchant) -> Result<String, Box<dyn Error>> {
    let deposit = ledger.deposit(merchant.id, merchant.deposit).wait()?.ok_or("the deposit is not in the file")?;
    let earnings = ledger.partner(merchant.id, merchant.partner).wait()?;
    let earned = earnings.iter().find(|view| view.currency == Currency::MAD).ok_or("the partner earned nothing")?;
    let platform = ledger.book(merchant.id).wait()?.platform.get(&Currency::MAD).copied().unwrap_or_default();
    Ok(format!(
        "ok: balance {} reserved {} available {} partner {} platform {}",
        deposit.balance, deposit.reserved, deposit.available, earned.payable, platform.commission
    ))
}
