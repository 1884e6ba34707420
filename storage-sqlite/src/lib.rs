//! The SQLite store of leadledger: one file, write-ahead log, `synchronous=FULL`. The embedded default.
//!
//! One connection writes, in `IMMEDIATE` transactions; reads have connections of their own. Other processes may use
//! the same file: what this process keeps in memory is dropped as soon as another one has written.
//!
//! ```
//! use leadledger::{Ledger, MerchantId, OpenDeposit};
//! use leadledger_sqlite::SqliteStore;
//! let folder = tempfile::tempdir().unwrap();
//! let file = folder.path().join("ledger.db");
//! let ledger = Ledger::open(SqliteStore::open(&file).unwrap()).unwrap();
//! ledger.open_deposit(OpenDeposit::new(MerchantId::generate(), "5000.00".parse().unwrap())).wait().unwrap();
//! std::fs::write(folder.path().join("other"), "not a database, but long enough to be looked at").unwrap();
//! assert_eq!(SqliteStore::open(folder.path().join("other")).unwrap_err().code(), "store_foreign");
//! ```

#![forbid(unsafe_code)]
#![cfg_attr(test, allow(clippy::unwrap_used))]

mod commit;
mod error;
mod load;
mod query;
mod rows;
mod schema;

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError};

use leadledger::{
    Book, Books, DueLoaded, JournalQuery, Lead, LeadId, LeadQuery, MerchantId, Needs, Page, Recorded, Scope, Store,
    StoreError, Timestamp,
};
use rusqlite::Connection;

use crate::error::OrStoreError;
use crate::load::{Loaded, load_needs, load_small};

/// Rows that grow with the books and are kept in memory, over all books, at most.
const KEPT_ROWS: usize = 131_072;
/// Books that are kept in memory, at most.
const KEPT_BOOKS: usize = 16_384;
/// Read connections that are kept open, at most.
const KEPT_READERS: usize = 8;

/// Books in a SQLite file.
#[derive(Debug)]
pub struct SqliteStore {
    path: PathBuf,
    writer: Mutex<Writer>,
    readers: Mutex<Vec<Connection>>,
}

#[derive(Debug)]
struct Writer {
    /// None after a commit whose outcome is unknown: the file is opened anew.
    connection: Option<Connection>,
    kept: HashMap<MerchantId, Loaded>,
    kept_rows: usize,
    /// Changes when another connection has written.
    data_version: i64,
}

impl SqliteStore {
    /// Opens or creates the file, and brings its schema up to date. Refuses a file that is not a ledger's
    /// (`store_foreign`), newer than this code (`store_newer`), read-only or damaged.
    pub fn open(path: impl AsRef<Path>) -> Result<Self, StoreError> {
        let path = path.as_ref().to_path_buf();
        let connection = schema::open_writer(&path)?;
        let writer =
            Writer { connection: Some(connection), kept: HashMap::new(), kept_rows: 0, data_version: i64::MIN };
        Ok(Self { path, writer: Mutex::new(writer), readers: Mutex::new(Vec::new()) })
    }

    /// The file.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Runs `read` in one read transaction, on a connection of its own.
    fn read<T>(&self, read: impl FnOnce(&Connection) -> Result<T, StoreError>) -> Result<T, StoreError> {
        let idle = self.readers.lock().unwrap_or_else(PoisonError::into_inner).pop();
        let mut connection = match idle {
            Some(connection) => connection,
            None => schema::open_reader(&self.path)?,
        };
        let transaction = connection.transaction().or_store_error()?;
        let answer = read(&transaction);
        transaction.finish().or_store_error()?;
        let mut readers = self.readers.lock().unwrap_or_else(PoisonError::into_inner);
        if readers.len() < KEPT_READERS {
            readers.push(connection);
        }
        answer
    }

    fn writer(&self) -> MutexGuard<'_, Writer> {
        self.writer.lock().unwrap_or_else(|poisoned| {
            // `work` panicked. Its transaction was rolled back; what was kept in memory may be half changed.
            self.writer.clear_poison();
            let mut writer = poisoned.into_inner();
            writer.forget_all();
            writer
        })
    }
}

impl Writer {
    fn forget_all(&mut self) {
        self.kept.clear();
        self.kept_rows = 0;
        if let Some(connection) = &self.connection
            && !connection.is_autocommit()
            && connection.execute_batch("ROLLBACK").is_err()
        {
            self.connection = None;
        }
    }

    /// Begins a transaction; forgets what is kept in memory where another connection has written since.
    fn begin(&mut self, path: &Path) -> Result<(), StoreError> {
        if self.connection.is_none() {
            self.forget_all();
            self.connection = Some(schema::open_writer(path)?);
            self.data_version = i64::MIN;
        }
        let Some(connection) = &self.connection else { return Ok(()) };
        connection.prepare_cached("BEGIN IMMEDIATE").and_then(|mut begin| begin.execute([])).or_store_error()?;
        let mut statement = connection.prepare_cached("PRAGMA data_version").or_store_error()?;
        let version = statement.query_row([], |row| row.get(0)).or_store_error()?;
        drop(statement);
        if version != self.data_version {
            self.kept.clear();
            self.kept_rows = 0;
            self.data_version = version;
        }
        Ok(())
    }

    fn load(&mut self, merchant: MerchantId, scope: &Scope, needs: &Needs) -> Result<Loaded, StoreError> {
        let Some(connection) = &self.connection else {
            return Err(StoreError::Unavailable("no connection".to_owned()));
        };
        let mut loaded = match self.kept.remove(&merchant) {
            Some(kept) => {
                self.kept_rows = self.kept_rows.saturating_sub(kept.weight());
                kept
            }
            None => load_small(connection, merchant)?,
        };
        load_needs(connection, &mut loaded, needs, Some((scope.now, scope.due_limit)))?;
        Ok(loaded)
    }

    fn keep(&mut self, mut loaded: Loaded) {
        loaded.book.settle_changes();
        loaded.book.due_loaded = DueLoaded::Some;
        loaded.book.private.clear();
        // These answer one batch only; a book that was never written before knows them all, and is loaded anew.
        loaded.book.keys.forget();
        loaded.book.successes.forget();
        loaded.book.references.forget();
        loaded.book.top_ups.forget();
        loaded.book.payouts.forget();
        if self.kept_rows.saturating_add(loaded.weight()) > KEPT_ROWS {
            self.kept.values_mut().for_each(Loaded::forget_large);
            self.kept_rows = self.kept.values().map(Loaded::weight).sum();
            loaded.forget_large();
        }
        if self.kept.len() >= KEPT_BOOKS {
            self.kept.clear();
            self.kept_rows = 0;
        }
        self.kept_rows = self.kept_rows.saturating_add(loaded.weight());
        self.kept.insert(loaded.book.merchant, loaded);
    }

    /// Everything between BEGIN and COMMIT; says whether there is something to commit.
    fn work(
        &mut self,
        scope: &Scope,
        work: &mut dyn FnMut(&mut Books),
    ) -> Result<(HashMap<MerchantId, Loaded>, bool), StoreError> {
        let mut beside = HashMap::new();
        let mut books = Books::new();
        for (merchant, needs) in &scope.books {
            match self.load(*merchant, scope, needs) {
                Ok(mut loaded) => {
                    let empty = Book::partial(*merchant, loaded.book.head);
                    books.insert(*merchant, Ok(std::mem::replace(&mut loaded.book, empty)));
                    beside.insert(*merchant, loaded);
                }
                // A row that cannot be understood is this book's trouble; anything else is the file's.
                Err(fault @ StoreError::Corrupt(_)) => _ = books.insert(*merchant, Err(fault)),
                Err(fault) => return Err(fault),
            }
        }
        work(&mut books);
        let Some(connection) = &self.connection else {
            return Err(StoreError::Unavailable("no connection".to_owned()));
        };
        let mut changed = false;
        for (merchant, book) in books {
            let Ok(book) = book else { continue };
            if let Some(loaded) = beside.get_mut(&merchant) {
                let write = book.is_changed();
                loaded.book = book;
                if write {
                    commit::write_book(connection, loaded)?;
                    changed = true;
                }
            }
        }
        Ok((beside, changed))
    }
}

impl Store for SqliteStore {
    fn transact(&self, _lane: usize, scope: &Scope, work: &mut dyn FnMut(&mut Books)) -> Result<(), StoreError> {
        let mut writer = self.writer();
        writer.begin(&self.path)?;
        let done = writer.work(scope, work);
        let Some(connection) = &writer.connection else { return Ok(()) };
        match done {
            Err(fault) => {
                writer.forget_all();
                Err(fault)
            }
            Ok((books, changed)) => {
                let end = if changed { "COMMIT" } else { "ROLLBACK" };
                let ended = connection.prepare_cached(end).and_then(|mut end| end.execute([]));
                if let Err(fault) = ended {
                    // The transaction may be there when the file is opened again.
                    writer.connection = None;
                    writer.forget_all();
                    return Err(StoreError::Unknown(fault.to_string()));
                }
                // A book that has no row yet is known whole, by its absence; it is not worth keeping.
                books.into_values().filter(|loaded| loaded.no.is_some()).for_each(|loaded| writer.keep(loaded));
                Ok(())
            }
        }
    }

    fn book(&self, merchant: MerchantId, needs: &Needs) -> Result<Book, StoreError> {
        self.read(|connection| {
            let mut loaded = load_small(connection, merchant)?;
            load_needs(connection, &mut loaded, needs, None)?;
            Ok(loaded.book)
        })
    }

    fn leads(&self, query: &LeadQuery) -> Result<Page<(LeadId, Lead)>, StoreError> {
        self.read(|connection| query::leads(connection, query))
    }

    fn journal(&self, query: &JournalQuery, limit: usize) -> Result<Page<Recorded>, StoreError> {
        self.read(|connection| query::journal(connection, query, limit))
    }

    fn due(&self, now: Timestamp, limit: usize) -> Result<Vec<MerchantId>, StoreError> {
        self.read(|connection| query::due(connection, now, limit))
    }
}
