//! What a large file costs: opening it, reading from it, keeping it; each against a small one in the same run.

use std::path::Path;
use std::time::Instant;

use leadledger::{LeadQuery, Ledger, ValidateLead};
use leadledger_sqlite::SqliteStore;
use serde_json::{Value, json};

use leadledger_bench::Fault;
use leadledger_bench::cycle::{Shop, shops};

/// Leads of a small book.
const SMALL: u64 = 1_000;
/// Reads that one figure is the median of.
const READS: usize = 400;

/// What reading from one file cost.
struct Costs {
    open_micros: u64,
    page_micros: u64,
    deposit_micros: u64,
    grown_kib: u64,
    bytes_a_cycle: u64,
}

/// Measures a file of `leads` leads of one merchant against one of a thousand.
pub(crate) fn run(leads: u64) -> Result<Value, Fault> {
    let folder = tempfile::tempdir_in("target")?;
    let mut costs = Vec::new();
    for (name, leads) in [("small.db", SMALL), ("large.db", leads)] {
        let file = folder.path().join(name);
        let shop = fill(&file, leads)?;
        costs.push(measure(&file, shop, leads)?);
    }
    let [small, large] = costs.as_slice() else { return Err("two files were measured".into()) };
    let ratio = |large: u64, small: u64| {
        let percent = large * 100 / small.max(1);
        format!("{}.{:02}", percent / 100, percent % 100)
    };
    println!("\n{leads} leads in the file, against {SMALL}");
    println!(
        "opening {} ms, memory grown by {} KiB (small: {})",
        large.open_micros / 1_000,
        large.grown_kib,
        small.grown_kib
    );
    let (page, deposit) =
        (ratio(large.page_micros, small.page_micros), ratio(large.deposit_micros, small.deposit_micros));
    println!("a page of 50 leads {} us, {page} times the small one's", large.page_micros);
    println!("a deposit read {} us, {deposit} times the small one's", large.deposit_micros);
    println!("{} bytes on disk a cycle", large.bytes_a_cycle);
    Ok(json!({
        "leads": leads,
        "open_micros": large.open_micros,
        "memory_grown_kib": large.grown_kib,
        "memory_grown_kib_small": small.grown_kib,
        "page_micros": large.page_micros,
        "page_ratio": page,
        "deposit_micros": large.deposit_micros,
        "deposit_ratio": deposit,
        "bytes_a_cycle": large.bytes_a_cycle,
    }))
}

/// Writes `leads` whole cycles of one merchant.
fn fill(file: &Path, leads: u64) -> Result<Shop, Fault> {
    let ledger = Ledger::open(SqliteStore::open(file)?)?;
    let shop = *shops(&ledger, 1)?.first().ok_or("no merchant")?;
    let mut left = leads;
    while left > 0 {
        let some = left.min(4_000);
        left -= some;
        let created: Result<Vec<_>, Fault> =
            (0..some).map(|_| Ok(ledger.create_lead(shop.lead("600.00".parse()?)).send())).collect();
        let mut validated = Vec::new();
        for created in created? {
            let lead = created.wait()?.answer.lead;
            validated.push(ledger.validate_lead(ValidateLead::new(shop.merchant, lead)).send());
        }
        for validated in validated {
            validated.wait()?;
        }
    }
    Ok(shop)
}

fn measure(file: &Path, shop: Shop, leads: u64) -> Result<Costs, Fault> {
    let before = resident_kib()?;
    let begun = Instant::now();
    let ledger = Ledger::open(SqliteStore::open(file)?)?;
    let deposit = ledger.deposits(shop.merchant).wait()?.first().ok_or("no deposit")?.id;
    let open_micros = micros(begun);
    let grown_kib = resident_kib()?.saturating_sub(before);
    // The second page, so that a cursor is followed.
    let mut query = LeadQuery::of(shop.merchant);
    query.after = ledger.leads(query.clone()).wait()?.next;
    let page_micros = median(|| {
        let page = ledger.leads(query.clone()).wait()?;
        if page.items.len() == 50 { Ok(()) } else { Err("not a whole page".into()) }
    })?;
    let deposit_micros = median(|| match ledger.deposit(shop.merchant, deposit).wait()? {
        Some(_) => Ok(()),
        None => Err("no deposit".into()),
    })?;
    drop(ledger);
    let bytes_a_cycle = std::fs::metadata(file)?.len() / leads;
    Ok(Costs { open_micros, page_micros, deposit_micros, grown_kib, bytes_a_cycle })
}

fn median(mut read: impl FnMut() -> Result<(), Fault>) -> Result<u64, Fault> {
    let mut times = Vec::with_capacity(READS);
    for _ in 0..READS {
        let begun = Instant::now();
        read()?;
        times.push(micros(begun));
    }
    times.sort_unstable();
    times.get(READS / 2).copied().ok_or_else(|| "no reads".into())
}

fn micros(since: Instant) -> u64 {
    u64::try_from(since.elapsed().as_micros()).unwrap_or(u64::MAX)
}

/// Memory of this process, as Linux tells it.
fn resident_kib() -> Result<u64, Fault> {
    let status = std::fs::read_to_string("/proc/self/status")?;
    let line = status.lines().find(|line| line.starts_with("VmRSS:")).ok_or("no VmRSS")?;
    Ok(line.split_whitespace().nth(1).ok_or("no VmRSS")?.parse()?)
}
