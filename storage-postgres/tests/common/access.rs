//! Roles and databases of a test's own, and what the server says to them.

use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant};

use leadledger::{Cursor, JournalQuery, Recorded, Store, StoreError};
use leadledger_postgres::{Migrated, Migration, PostgresOptions, PostgresStore};

use super::{Direct, direct};

/// A name that no other test has.
pub fn unique(what: &str) -> String {
    static COUNT: AtomicU32 = AtomicU32::new(0);
    format!("{what}_{}_{}", std::process::id(), COUNT.fetch_add(1, Ordering::Relaxed))
}

/// The same address for another role, without a password.
pub fn url_as(url: &str, role: &str) -> String {
    let (_, place) = url.split_once('@').unwrap();
    format!("postgres://{role}@{place}")
}

/// The same address for another database.
pub fn url_to(url: &str, database: &str) -> String {
    let (server, rest) = url.rsplit_once('/').unwrap();
    let options = rest.find('?').map_or("", |at| &rest[at..]);
    format!("{server}/{database}{options}")
}

/// A role, dropped with this.
pub struct Role {
    pub name: String,
}

impl Role {
    /// With `CREATE ROLE`'s options.
    pub fn new(options: &str) -> Self {
        let name = unique("role");
        Direct::connect(direct()).batch(&format!("CREATE ROLE {name} {options}")).unwrap();
        Self { name }
    }

    /// Straight to the shared server's database.
    pub fn url(&self) -> String {
        url_as(direct(), &self.name)
    }
}

impl Drop for Role {
    fn drop(&mut self) {
        let sql = format!("DROP OWNED BY {0}; DROP ROLE {0}", self.name);
        if let Err(fault) = Direct::connect(direct()).batch(&sql) {
            eprintln!("role {} stays: {fault}", self.name);
        }
    }
}

/// A database, dropped with this.
pub struct Database {
    pub name: String,
}

impl Database {
    /// With `CREATE DATABASE`'s options.
    pub fn new(options: &str) -> Self {
        let name = unique("db");
        Direct::connect(direct()).batch(&format!("CREATE DATABASE {name} {options}")).unwrap();
        Self { name }
    }

    pub fn url(&self) -> String {
        url_to(direct(), &self.name)
    }
}

impl Drop for Database {
    fn drop(&mut self) {
        if let Err(fault) = Direct::connect(direct()).batch(&format!("DROP DATABASE {} WITH (FORCE)", self.name)) {
            eprintln!("database {} stays: {fault}", self.name);
        }
    }
}

/// The SQLSTATE with which statements end; "ok" where they do not fail.
pub fn state(connection: &Direct, sql: &str) -> String {
    match connection.batch(sql) {
        Ok(()) => "ok".to_owned(),
        Err(fault) => fault.code().map_or_else(|| fault.to_string(), |code| code.code().to_owned()),
    }
}

/// What opening a schema says.
pub fn opened(url: &str, schema: &str) -> Result<PostgresStore, StoreError> {
    let options = PostgresOptions { schema: schema.to_owned(), ..PostgresOptions::default() };
    PostgresStore::open_with(url, options)
}

/// What migrating a schema says.
pub fn migrated(url: &str, schema: &str) -> Result<Migrated, StoreError> {
    PostgresStore::migrate(url, &Migration { schema: schema.to_owned(), ..Migration::default() })
}

/// The code of an error that says one line, and has the words in it; "ok" where there is none.
pub fn code<T>(said: Result<T, StoreError>, words: &str) -> &'static str {
    let Err(fault) = said else { return "ok" };
    let text = fault.to_string();
    assert!(text.contains(words) && !text.contains('\n'), "{text:?} has no {words:?}, or is not one line");
    fault.code()
}

/// All books' entries after a cursor, page by page, so many of them: whatever else writes on the server holds them back
/// for a moment.
pub fn feed(store: &dyn Store, mut after: Option<Cursor>, wanted: usize) -> Vec<Recorded> {
    let begun = Instant::now();
    let mut all = Vec::new();
    loop {
        let page = store.journal(&JournalQuery::All { after }, 17).unwrap();
        if page.items.is_empty() && all.len() >= wanted {
            return all;
        }
        if page.items.is_empty() {
            assert!(begun.elapsed() < Duration::from_mins(1), "{} of {wanted} entries came", all.len());
            std::thread::sleep(Duration::from_millis(10));
        }
        all.extend(page.items);
        after = page.next;
    }
}
