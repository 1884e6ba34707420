//! Where a ledger is kept, as a URL says it. No error repeats the URL: it may hold a password.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use leadledger::{InvalidInput, MemoryStore, Store, StoreError};
use leadledger_postgres::{Migrated, Migration, PostgresOptions, PostgresStore};
use leadledger_sqlite::SqliteStore;

use crate::fault::Fault;

/// Where a ledger is kept.
#[derive(Clone, PartialEq, Eq)]
pub enum Address {
    /// In this process, and gone with it.
    Memory,
    /// In a file.
    Sqlite(PathBuf),
    /// In a schema of a PostgreSQL server.
    Postgres {
        /// The server's URL, without `schema`.
        url: String,
        /// The schema's name.
        schema: String,
    },
}

/// What [`Address::prepare`] did.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Prepared {
    /// Nothing: a store in memory is always new.
    Memory,
    /// The file has the schema of this code.
    Sqlite {
        /// Whether there was no such file, or an empty one.
        created: bool,
    },
    /// The schema was migrated.
    Postgres(Migrated),
}

impl std::fmt::Debug for Address {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Memory => f.write_str("Memory"),
            Self::Sqlite(path) => f.debug_tuple("Sqlite").field(path).finish(),
            Self::Postgres { schema, .. } => f.debug_struct("Postgres").field("schema", schema).finish_non_exhaustive(),
        }
    }
}

fn invalid(what: impl Into<String>) -> Fault {
    InvalidInput::new("invalid_url", "url", what).into()
}

impl Address {
    /// Understands a URL:
    ///
    /// - `memory:`
    /// - `sqlite:shop.db` (from the working folder), `sqlite:/var/lib/shop.db`, `sqlite:///var/lib/shop.db`
    /// - `postgres://user:password@host:port/database?schema=NAME&sslmode=verify-full`; the schema is `leadledger` where
    ///   it is left out, the rest is [`PostgresStore::open_with`]'s
    ///
    /// Refuses anything else with `invalid_url`, without repeating it.
    pub fn parse(url: &str) -> Result<Self, Fault> {
        const FORMS: &str = "a ledger is at sqlite:PATH, postgres://USER@HOST/DATABASE or memory:";
        if url == "memory:" {
            return Ok(Self::Memory);
        }
        if let Some(place) = url.strip_prefix("sqlite:") {
            return sqlite(place).map(Self::Sqlite);
        }
        if let Some(place) = url.strip_prefix("postgres://").or_else(|| url.strip_prefix("postgresql://")) {
            return postgres(place);
        }
        Err(invalid(FORMS))
    }

    /// The store. A SQLite file is made, or brought up to date, where that is needed.
    pub fn store(&self) -> Result<Arc<dyn Store>, Fault> {
        Ok(match self {
            Self::Memory => Arc::new(MemoryStore::new()),
            Self::Sqlite(path) => Arc::new(SqliteStore::open(path)?),
            Self::Postgres { url, schema } => {
                let options = PostgresOptions { schema: schema.clone(), ..PostgresOptions::default() };
                Arc::new(PostgresStore::open_with(url, options)?)
            }
        })
    }

    /// Makes the store, or brings it up to date. What `migration` says is for PostgreSQL; its schema is the address's.
    pub fn prepare(&self, migration: &Migration) -> Result<Prepared, Fault> {
        Ok(match self {
            Self::Memory => Prepared::Memory,
            Self::Sqlite(path) => {
                let created = is_empty(path);
                SqliteStore::open(path)?;
                Prepared::Sqlite { created }
            }
            Self::Postgres { url, schema } => {
                let migration = Migration { schema: schema.clone(), ..migration.clone() };
                Prepared::Postgres(PostgresStore::migrate(url, &migration)?)
            }
        })
    }

    /// Refuses, with `store_unavailable`, an address where nothing can be yet: so that a slip in a path does not quietly
    /// make a new ledger.
    pub fn require_there(&self) -> Result<(), Fault> {
        match self {
            Self::Sqlite(path) if !path.exists() => {
                Err(StoreError::Unavailable(format!("there is no file {}", path.display())).into())
            }
            _ => Ok(()),
        }
    }
}

fn is_empty(path: &Path) -> bool {
    std::fs::metadata(path).map_or(true, |found| found.is_file() && found.len() == 0)
}

/// A path as it stands, without escapes and parameters.
fn sqlite(place: &str) -> Result<PathBuf, Fault> {
    let path = match place.strip_prefix("//") {
        None => place,
        Some(rest) if rest.starts_with('/') => rest,
        Some(_) => return Err(invalid("sqlite:PATH or sqlite:///PATH: a file is on no host")),
    };
    match path {
        "" => Err(invalid("sqlite: names no file")),
        ":memory:" => Err(invalid("a ledger in memory is at memory:")),
        _ if path.contains('?') => Err(invalid("sqlite: takes no parameters")),
        _ if path.contains('\0') => Err(invalid("sqlite: a path has no NUL")),
        _ => Ok(PathBuf::from(path)),
    }
}

/// Takes `schema` out of the parameters. A password that is not escaped would end up in another part of the URL, and from
/// there in an error's text: such a URL is refused here.
fn postgres(place: &str) -> Result<Address, Fault> {
    let end = place.find(['/', '?', '#']).unwrap_or(place.len());
    let (authority, rest) = place.split_at(end);
    if authority.matches('@').count() > 1 || rest.contains('@') {
        return Err(invalid(
            "what is special in a user's name or password must be escaped: %40 for @, %2F for /, %3F for ?",
        ));
    }
    if rest.contains('#') {
        return Err(invalid("a postgres:// URL has no #; in a password it is %23"));
    }
    let (path, query) = rest.split_once('?').unwrap_or((rest, ""));
    let (mut schema, mut kept) = (None, Vec::new());
    for pair in query.split('&').filter(|pair| !pair.is_empty()) {
        match pair.strip_prefix("schema=") {
            None => kept.push(pair),
            Some(name) if schema.is_none() => schema = Some(name.to_owned()),
            Some(_) => return Err(invalid("the schema is named twice")),
        }
    }
    let query = if kept.is_empty() { String::new() } else { format!("?{}", kept.join("&")) };
    Ok(Address::Postgres {
        url: format!("postgres://{authority}{path}{query}"),
        schema: schema.unwrap_or_else(|| PostgresOptions::default().schema),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn urls_say_where_a_ledger_is() {
        let file = |path: &str| Address::Sqlite(PathBuf::from(path));
        let server = |url: &str, schema: &str| Address::Postgres { url: url.to_owned(), schema: schema.to_owned() };
        for (url, expected) in [
            ("memory:", Address::Memory),
            ("sqlite:shop.db", file("shop.db")),
            ("sqlite:a folder/shop 100%.db", file("a folder/shop 100%.db")),
            ("sqlite:/var/shop.db", file("/var/shop.db")),
            ("sqlite:///var/shop.db", file("/var/shop.db")),
            ("postgres://u:p@h:5/d", server("postgres://u:p@h:5/d", "leadledger")),
            ("postgresql://h", server("postgres://h", "leadledger")),
            ("postgres://h/d?schema=shop", server("postgres://h/d", "shop")),
            (
                "postgres://h/d?sslmode=require&schema=shop&application_name=x",
                server("postgres://h/d?sslmode=require&application_name=x", "shop"),
            ),
        ] {
            assert_eq!(Address::parse(url), Ok(expected), "{url}");
        }
    }

    #[test]
    fn what_is_no_url_is_refused_without_being_repeated() {
        for url in [
            "",
            "shop.db",
            "memory",
            "memory:x",
            "sqlite",
            "sqlite:",
            "sqlite://",
            "sqlite::memory:",
            "sqlite://secret/shop.db",
            "sqlite:secret.db?mode=ro",
            "sqlite:secret\0.db",
            "mysql://u:secret@h/d",
            "POSTGRES://u:secret@h/d",
            "postgres://u:p@secret@h/d",
            "postgres://u:p/secret@h/d",
            "postgres://u:p?secret=1@h/d",
            "postgres://u:p#secret@h/d",
            "postgres://h/d#secret",
            "postgres://h/d?schema=secret&schema=b",
        ] {
            let fault = Address::parse(url).unwrap_err();
            assert_eq!(fault.code, "invalid_url", "{url}");
            assert!(!fault.to_string().contains("secret"), "{url} gave {fault}");
        }
    }

    #[test]
    fn nothing_that_a_server_or_its_driver_refuses_repeats_the_password() {
        for url in [
            "postgres://u:secret@h:port/d",
            "postgres://u:secret@h/d?no_such=1",
            "postgres://u:secret@h/d?sslmode=prefer",
            "postgres://u:secret%ZZ@h/d",
            "postgres://u:secret@",
            "postgres://u:secret@127.0.0.1:1/d",
            "postgres://u:secret@127.0.0.1:1/d?schema=No-Name",
            "postgres://127.0.0.1:1/d?user=u&password=secret&connect_timeout=x",
        ] {
            let address = Address::parse(url).unwrap();
            assert!(!format!("{address:?}").contains("secret"));
            let migration = Migration::default();
            for fault in [address.prepare(&migration).map(|_| ()), address.store().map(|_| ())] {
                let fault = fault.unwrap_err();
                assert!(!fault.to_string().contains("secret"), "{url} gave {fault}");
            }
        }
    }

    #[test]
    fn a_file_is_made_once() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("ledger.db");
        let address = Address::Sqlite(path.clone());
        assert_eq!(address.require_there().unwrap_err().code, "store_unavailable");
        assert!(!path.exists(), "asking made the file");
        let migration = Migration::default();
        assert_eq!(address.prepare(&migration), Ok(Prepared::Sqlite { created: true }));
        assert_eq!(address.prepare(&migration), Ok(Prepared::Sqlite { created: false }));
        assert_eq!(address.require_there(), Ok(()));
    }
}
