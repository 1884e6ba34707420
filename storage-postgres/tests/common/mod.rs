//! Schemas for tests: each test has its own, dropped with it.

#![allow(dead_code, clippy::unwrap_used, missing_docs, unreachable_pub)]

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use leadledger::{Ledger, ManualClock, Options, Store, SystemClock, Timestamp};
use leadledger_postgres::{Migration, PostgresOptions, PostgresStore};
use tokio_postgres::{Client, NoTls};

/// Where the migrations and the tests' own statements go.
pub fn direct() -> &'static str {
    leadledger_testbed::server().unwrap().url()
}

/// Through a pooler in transaction mode.
pub fn pooled() -> &'static str {
    leadledger_testbed::server().unwrap().pooled_url().unwrap()
}

/// With TLS, the server's certificate verified.
pub fn tls() -> &'static str {
    leadledger_testbed::server().unwrap().tls_url().unwrap()
}

/// A migrated schema of its own, reached by `url`.
pub struct Schema {
    pub name: String,
    pub url: String,
}

impl Schema {
    pub fn new() -> Self {
        Self::reached_by(direct())
    }

    pub fn reached_by(url: &str) -> Self {
        static COUNT: AtomicU32 = AtomicU32::new(0);
        let count = COUNT.fetch_add(1, Ordering::Relaxed);
        let name = format!("test_{}_{count}", std::process::id());
        let migration = Migration { schema: name.clone(), ..Migration::default() };
        PostgresStore::migrate(direct(), &migration).unwrap();
        Self { name, url: url.to_owned() }
    }

    pub fn options(&self) -> PostgresOptions {
        PostgresOptions { schema: self.name.clone(), lanes: 2, ..PostgresOptions::default() }
    }

    pub fn store(&self) -> PostgresStore {
        PostgresStore::open_with(&self.url, self.options()).unwrap()
    }

    pub fn ledger(&self) -> Ledger {
        Ledger::with(self.store(), SystemClock, Options::default()).unwrap()
    }

    pub fn ledger_by(&self, clock: &Arc<ManualClock>) -> Ledger {
        Ledger::with_shared(Arc::new(self.store()), clock.clone(), Options::default()).unwrap()
    }

    /// Runs statements as the owner, with this schema as the path.
    pub fn run(&self, sql: &str) {
        let sql = format!("SET search_path = {}; {sql}", self.name);
        Direct::connect(direct()).batch(&sql).unwrap();
    }
}

impl Drop for Schema {
    fn drop(&mut self) {
        if let Err(fault) = Direct::connect(direct()).batch(&format!("DROP SCHEMA {} CASCADE", self.name)) {
            eprintln!("schema {} stays: {fault}", self.name);
        }
    }
}

/// A connection of the test's own.
pub struct Direct {
    pub client: Client,
    runtime: tokio::runtime::Runtime,
}

impl Direct {
    pub fn connect(url: &str) -> Self {
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
        let (client, driver) = runtime.block_on(tokio_postgres::connect(url, NoTls)).unwrap();
        runtime.spawn(driver);
        Self { client, runtime }
    }

    pub fn batch(&self, sql: &str) -> Result<(), tokio_postgres::Error> {
        self.runtime.block_on(self.client.batch_execute(sql))
    }

    /// The first column of all rows, as text; none where it is null.
    pub fn texts(&self, sql: &str) -> Result<Vec<Option<String>>, tokio_postgres::Error> {
        let messages = self.runtime.block_on(self.client.simple_query(sql))?;
        let rows = messages.into_iter().filter_map(|message| match message {
            tokio_postgres::SimpleQueryMessage::Row(row) => Some(row.get(0).map(str::to_owned)),
            _ => None,
        });
        Ok(rows.collect())
    }

    /// The one value that a statement gives.
    pub fn text(&self, sql: &str) -> String {
        let rows = self.texts(sql).unwrap();
        assert_eq!(rows.len(), 1, "{sql}");
        rows.into_iter().next().unwrap().unwrap_or_default()
    }
}

/// A clock that stands at the beginning of time.
pub fn clock() -> Arc<ManualClock> {
    Arc::new(ManualClock::new(Timestamp::MIN))
}

/// A store as the conformance suite takes it.
pub fn shared(store: PostgresStore) -> Arc<dyn Store> {
    Arc::new(store)
}

pub mod access;
pub mod story;

/// Waits until no transaction runs any more that ran when this began: then nothing holds back the feed of what is
/// committed by now.
pub fn settle() {
    let server = Direct::connect(direct());
    let now = server.text("SELECT pg_snapshot_xmax(pg_current_snapshot())");
    while server.text(&format!("SELECT pg_snapshot_xmin(pg_current_snapshot()) >= '{now}'")) != "t" {
        std::thread::yield_now();
    }
}
