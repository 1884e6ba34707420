//! The memory store passes the suite that every store must pass, and all vectors: commission, levels, scenarios.

#![allow(clippy::unwrap_used, missing_docs)]

use std::path::Path;
use std::sync::Arc;

use leadledger::conformance::{Place, play, run, scenario_files};
use leadledger::{
    Currency, Ledger, Level, ManualClock, MemoryStore, Options, Percent, Policy, PolicyTerms, Store, Timestamp,
    alert_level, preview_commission,
};

struct Memory(Arc<MemoryStore>);

impl Place for Memory {
    fn open(&self) -> Arc<dyn Store> {
        self.0.clone()
    }
}

#[test]
fn contract() {
    assert!(run(&|| Box::new(Memory(Arc::new(MemoryStore::new())))) > 30);
}
fn vectors() -> &'static Path {
    Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/conformance"))
}

fn rows(name: &str) -> Vec<serde_json::Value> {
    serde_json::from_str(&std::fs::read_to_string(vectors().join(name)).unwrap()).unwrap()
}

#[test]
fn commissions() {
    let rows = rows("commission.json");
    for row in &rows {
        let decimal = |name: &str| Some(row[name].as_str().unwrap().parse().unwrap());
        let terms = PolicyTerms {
            threshold: decimal("threshold"),
            rate: decimal("rate"),
            fixed: decimal("fixed"),
            minimum_value: Some("0.01".parse().unwrap()),
            ..PolicyTerms::default()
        };
        let policy = Policy::new(Currency::MAD, terms).unwrap();
        let share = Percent::new(decimal("share").unwrap()).unwrap();
        let preview = preview_commission(&policy, share, decimal("value").unwrap()).unwrap();
        assert_eq!(preview.kind.name(), row["type"], "{row}");
        assert_eq!(preview.commission.to_string(), row["commission"], "{row}");
        assert_eq!(preview.partner_part.to_string(), row["partner_part"], "{row}");
        assert_eq!(preview.platform_part.to_string(), row["platform_part"], "{row}");
    }
    assert!(rows.len() > 100);
}

#[test]
fn levels() {
    let rows = rows("alert_levels.json");
    for row in &rows {
        let decimal = |name: &str| row[name].as_str().unwrap().parse().unwrap();
        let level: Level = alert_level(decimal("balance"), decimal("reference"));
        assert_eq!(level.name(), row["level"], "{row}");
        assert_eq!(level.priority(), row["priority"], "{row}");
    }
    assert!(rows.len() > 50);
}

#[test]
fn scenarios() {
    let files = scenario_files(&vectors().join("scenarios")).unwrap();
    assert!(files.len() > 30);
    let mut faults = Vec::new();
    for file in files {
        let scenario = serde_json::from_str(&std::fs::read_to_string(&file).unwrap()).unwrap();
        let clock = Arc::new(ManualClock::new(Timestamp::MIN));
        let ledger = Ledger::with_shared(Arc::new(MemoryStore::new()), clock.clone(), Options::default()).unwrap();
        let played = play(&scenario, &ledger, &clock).unwrap();
        let name = file.file_name().unwrap().to_string_lossy().into_owned();
        faults.extend(played.mismatches.into_iter().take(4).map(|mismatch| format!("{name}: {mismatch}")));
    }
    assert!(faults.is_empty(), "{}", faults.join("\n"));
}
