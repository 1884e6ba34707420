//! The SQLite store passes the suite that every store must pass, and plays all scenarios on a file.

#![allow(clippy::unwrap_used, missing_docs)]

use std::path::Path;
use std::sync::Arc;

use leadledger::conformance::{Damage, Place, play, run, scenario_files};
use leadledger::{Ledger, ManualClock, MerchantId, Options, Store, Timestamp};
use leadledger_sqlite::SqliteStore;
use rusqlite::Connection;

/// A file of its own for each case.
struct File(tempfile::TempDir);

impl Place for File {
    fn open(&self) -> Arc<dyn Store> {
        Arc::new(SqliteStore::open(self.0.path().join("ledger.db")).unwrap())
    }

    fn damage(&self, merchant: MerchantId, damage: Damage) -> bool {
        let file = Connection::open(self.0.path().join("ledger.db")).unwrap();
        let triggers = "DROP TRIGGER IF EXISTS journal_no_update; DROP TRIGGER IF EXISTS journal_no_delete;";
        file.execute_batch(triggers).unwrap();
        let sql = "SELECT no FROM books WHERE merchant = ?";
        let book: i64 = file.query_row(sql, [merchant.0.into_bytes()], |row| row.get(0)).unwrap();
        let row = |seq: &str| format!("(SELECT row FROM journal WHERE book = ?1 ORDER BY row {seq})");
        let (middle, last) = (row("LIMIT 1 OFFSET 40"), row("DESC LIMIT 1"));
        let sql = match damage {
            Damage::UnreadableRow => "UPDATE deposits SET currency = 'XXX' WHERE book = ?1".to_owned(),
            Damage::DepositBalance => "UPDATE deposits SET balance = balance + 1 WHERE book = ?1".to_owned(),
            Damage::Reservation => "UPDATE deposits SET reserved = reserved + 1 WHERE book = ?1 AND reserved > 0 AND \
                                    reserved < balance"
                .to_owned(),
            Damage::Lead => "UPDATE leads SET partner_part = 0 WHERE book = ?1 AND status = 4".to_owned(),
            Damage::Partner => "UPDATE partners SET payable = payable + 1 WHERE book = ?1".to_owned(),
            Damage::Platform => "UPDATE platform SET commission = commission - 1 WHERE book = ?1".to_owned(),
            Damage::TopUp => "UPDATE top_ups SET received = received + 1 WHERE book = ?1".to_owned(),
            Damage::Payout => "UPDATE payouts SET amount = amount + 1 WHERE book = ?1".to_owned(),
            Damage::Agreement => "UPDATE agreements SET share = share + 1 WHERE book = ?1".to_owned(),
            Damage::Payload => {
                format!(
                    "UPDATE journal SET payload = replace(payload, '\"at\":\"2026', '\"at\":\"2025') WHERE row = {middle}"
                )
            }
            Damage::Hash => format!("UPDATE journal SET hash = zeroblob(32) WHERE row = {last}"),
            Damage::MissingEntry => format!("DELETE FROM journal WHERE row = {middle}"),
            Damage::MissingTail => {
                let before = row("DESC LIMIT 1 OFFSET 1");
                format!(
                    "UPDATE books SET last_row = {before}, seq = seq - 1, hash = (SELECT hash FROM journal WHERE row = \
                     {before}), last_at = last_at WHERE no = ?1"
                )
            }
            Damage::Key => format!("UPDATE keys SET row = {middle} WHERE book = ?1"),
            Damage::PrivateText => "UPDATE private SET text = '{}' WHERE book = ?1".to_owned(),
            Damage::OpeningText => "UPDATE opening_private SET text = '{}' WHERE book = ?1".to_owned(),
            Damage::NextDue => "UPDATE books SET next_due = NULL WHERE no = ?1".to_owned(),
            Damage::Receipt => "UPDATE books SET receipt_number = receipt_number + 1 WHERE no = ?1".to_owned(),
        };
        let changed = file.execute(&sql, [book]).unwrap();
        assert!(changed > 0, "{damage:?} did nothing");
        true
    }
}

#[test]
fn contract() {
    assert!(run(&|| Box::new(File(tempfile::tempdir().unwrap()))) > 30);
}

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
