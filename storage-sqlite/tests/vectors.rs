//! All scenarios on a SQLite file.

use std::path::Path;
use std::sync::Arc;

use leadledger::conformance::{play, scenario_files};
use leadledger::{Ledger, ManualClock, Options, Timestamp};
use leadledger_sqlite::SqliteStore;

#[test]
fn scenarios() {
    let folder = Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/../core/conformance/scenarios"));
    let files = scenario_files(folder).unwrap();
    assert!(files.len() > 30);
    let mut faults = Vec::new();
    for file in files {
        let scenario = serde_json::from_str(&std::fs::read_to_string(&file).unwrap()).unwrap();
        let home = tempfile::tempdir().unwrap();
        let store = SqliteStore::open(home.path().join("ledger.db")).unwrap();
        let clock = Arc::new(ManualClock::new(Timestamp::MIN));
        let ledger = Ledger::with_shared(Arc::new(store), clock.clone(), Options::default()).unwrap();
        let played = play(&scenario, &ledger, &clock).unwrap();
        let name = file.file_name().unwrap().to_string_lossy().into_owned();
        faults.extend(played.mismatches.into_iter().take(4).map(|mismatch| format!("{name}: {mismatch}")));
    }
    assert!(faults.is_empty(), "{}", faults.join("\n"));
}
