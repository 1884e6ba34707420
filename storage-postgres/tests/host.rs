//! The store inside a host that has an async runtime of its own: nothing blocks within it, and nothing is dropped wrongly.

#![allow(clippy::unwrap_used, missing_docs)]

mod common;

use common::Schema;
use leadledger::{BookQuery, CreateLead, MerchantId, OpenDeposit, PartnerId, RegisterCampaign, Store};

#[test]
fn inside_a_runtime() {
    let schema = Schema::new();
    for threads in [0, 2] {
        let runtime = match threads {
            0 => tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap(),
            _ => tokio::runtime::Builder::new_multi_thread().worker_threads(threads).enable_all().build().unwrap(),
        };
        runtime.block_on(async {
            // Opened, used and dropped by a task, awaited and waited for.
            let ledger = schema.ledger();
            let merchant = MerchantId::generate();
            let campaign = ledger.register_campaign(RegisterCampaign::new(merchant)).await.unwrap().answer;
            let deposit = ledger.open_deposit(OpenDeposit::new(merchant, "5000.00".parse().unwrap())).wait().unwrap();
            let lead = CreateLead::new(merchant, campaign, PartnerId::generate(), "600.00".parse().unwrap());
            ledger.create_lead(lead).await.unwrap();
            let view = ledger.deposit(merchant, deposit.answer).wait().unwrap().unwrap();
            assert_eq!(view.reserved.to_string(), "60.00");
            assert_eq!(ledger.deposit(merchant, deposit.answer).await.unwrap().unwrap(), view);
            ledger.check(merchant).wait().unwrap();
            let store = schema.store();
            assert_eq!(store.books(&BookQuery::Due(long_ago()), 10).unwrap(), []);
        });
    }
}

fn long_ago() -> leadledger::Timestamp {
    leadledger::Timestamp::MIN
}

#[test]
fn more_reads_than_connections() {
    let schema = Schema::new();
    let store = leadledger_postgres::PostgresStore::open_with(
        &schema.url,
        leadledger_postgres::PostgresOptions { readers: 1, ..schema.options() },
    )
    .unwrap();
    std::thread::scope(|scope| {
        for _ in 0..8 {
            scope.spawn(|| {
                for _ in 0..20 {
                    assert_eq!(store.books(&BookQuery::Due(long_ago()), 10).unwrap(), []);
                }
            });
        }
    });
}
