//! The PostgreSQL store passes the suite that every store must pass, and plays all scenarios: direct, through a pooler in
//! transaction mode, and over TLS.

#![allow(clippy::unwrap_used, missing_docs)]

mod common;

use std::path::Path;
use std::sync::Arc;

use common::{Direct, Schema, clock, direct, pooled, settle, shared, tls};
use leadledger::conformance::{Damage, Place, play, run, scenario_files};
use leadledger::{MerchantId, Store};

/// A schema of its own for each case.
struct Place_(Schema);

impl Place for Place_ {
    fn open(&self) -> Arc<dyn Store> {
        shared(self.0.store())
    }

    fn settle(&self) {
        settle();
    }

    fn damage(&self, merchant: MerchantId, damage: Damage) -> bool {
        let sql = match damage {
            Damage::UnreadableRow => "UPDATE deposits SET currency = 'XXX' WHERE $",
            Damage::DepositBalance => "UPDATE deposits SET balance_minor = balance_minor + 1 WHERE $",
            Damage::Reservation => {
                "UPDATE deposits SET reserved_minor = reserved_minor + 1 WHERE $ AND reserved_minor > 0 \
                 AND reserved_minor < balance_minor"
            }
            Damage::Lead => "UPDATE leads SET partner_minor = 0 WHERE $ AND status = 4",
            Damage::Partner => "UPDATE partners SET payable_minor = payable_minor + 1 WHERE $",
            Damage::Platform => "UPDATE platform SET commission_minor = commission_minor - 1 WHERE $",
            Damage::TopUp => "UPDATE top_ups SET received_minor = received_minor + 1 WHERE $",
            Damage::Payout => "UPDATE payouts SET amount_minor = amount_minor + 1 WHERE $",
            Damage::Agreement => "UPDATE agreements SET share = share + 1 WHERE $",
            Damage::Payload => {
                "UPDATE journal SET payload = replace(payload, '\"at\":\"2026', '\"at\":\"2025') WHERE $ AND seq = 41"
            }
            Damage::Hash => {
                "UPDATE journal SET hash = decode(repeat('00', 32), 'hex') \
                 WHERE $ AND seq = (SELECT seq FROM books WHERE $)"
            }
            Damage::MissingEntry => "DELETE FROM journal WHERE $ AND seq = 41",
            Damage::MissingTail => {
                "UPDATE books SET seq = seq - 1, hash = (SELECT hash FROM journal j WHERE j.merchant_id = \
                 books.merchant_id AND j.seq = books.seq - 1) WHERE $; \
                 DELETE FROM journal WHERE $ AND seq > (SELECT seq FROM books WHERE $)"
            }
            Damage::Key => {
                "UPDATE journal SET key = NULL WHERE $ AND key IS NOT NULL; \
                 UPDATE journal SET key = 'another' WHERE $ AND seq = 41"
            }
            Damage::PrivateText => "UPDATE private SET text = '{}' WHERE $",
            Damage::OpeningText => "UPDATE opening_private SET text = '{}' WHERE $",
            Damage::NextDue => "UPDATE books SET next_due = NULL WHERE $",
            Damage::Receipt => "UPDATE books SET receipt_number = receipt_number + 1 WHERE $",
        };
        let sql = sql.replace('$', &format!("merchant_id = '{merchant}'"));
        let owner = Direct::connect(direct());
        owner.batch(&format!("SET search_path = {}; ALTER TABLE journal DISABLE TRIGGER ALL", self.0.name)).unwrap();
        let before = owner.text(FINGERPRINT);
        owner.batch(&sql).unwrap();
        assert_ne!(owner.text(FINGERPRINT), before, "{damage:?} did nothing");
        true
    }
}

/// Of all that damage may touch.
const FINGERPRINT: &str = "SELECT md5(string_agg(t::text, '')) FROM (SELECT 1, b::text FROM books b \
    UNION ALL SELECT 2, b::text FROM journal b UNION ALL SELECT 3, b::text FROM deposits b \
    UNION ALL SELECT 4, b::text FROM leads b UNION ALL SELECT 5, b::text FROM partners b \
    UNION ALL SELECT 6, b::text FROM platform b UNION ALL SELECT 7, b::text FROM top_ups b \
    UNION ALL SELECT 8, b::text FROM payouts b UNION ALL SELECT 9, b::text FROM agreements b \
    UNION ALL SELECT 10, b::text FROM private b UNION ALL SELECT 11, b::text FROM opening_private b ORDER BY 1, 2) t";

#[test]
fn contract() {
    assert!(run(&|| Box::new(Place_(Schema::new()))) > 30);
}

#[test]
fn contract_through_a_pooler() {
    assert!(run(&|| Box::new(Place_(Schema::reached_by(pooled())))) > 30);
}

#[test]
fn contract_over_tls() {
    assert!(run(&|| Box::new(Place_(Schema::reached_by(tls())))) > 30);
}

#[test]
fn scenarios() {
    let folder = Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/../core/conformance/scenarios"));
    let files = scenario_files(folder).unwrap();
    assert!(files.len() > 30);
    let mut faults = Vec::new();
    for (number, file) in files.iter().enumerate() {
        let scenario = serde_json::from_str(&std::fs::read_to_string(file).unwrap()).unwrap();
        let ways = [direct(), pooled(), tls()];
        let schema = Schema::reached_by(ways[number % ways.len()]);
        let clock = clock();
        let ledger = schema.ledger_by(&clock);
        let played = play(&scenario, &ledger, &clock).unwrap();
        let name = file.file_name().unwrap().to_string_lossy().into_owned();
        faults.extend(played.mismatches.into_iter().take(4).map(|mismatch| format!("{name}: {mismatch}")));
    }
    assert!(faults.is_empty(), "{}", faults.join("\n"));
}
