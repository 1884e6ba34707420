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

/// SQL text that is put together once.
macro_rules! sql {
    ($($argument:tt)*) => {{
        static SQL: std::sync::LazyLock<String> = std::sync::LazyLock::new(|| format!($($argument)*));
        SQL.as_str()
    }};
}

mod checkpoint;
mod commit;
mod error;
mod kept;
mod load;
mod query;
mod rows;
mod schema;
mod subscribers;

use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError};

use foldhash::{HashMap, HashMapExt};
use leadledger::{
    Book, BookQuery, Books, Currency, Head, JournalQuery, Lead, LeadId, LeadQuery, MerchantId, Needs, Page,
    PartnerAccounts, PartnerId, PlatformAccounts, Recorded, Scope, Store, StoreError, Totals,
};
use rusqlite::Connection;

use crate::checkpoint::Checkpointer;
use crate::commit::Commit;
use crate::error::{OrStoreError, store_error};
use crate::kept::Kept;
use crate::load::{Loaded, Place, load_needs, load_small};

/// Read connections that are kept open, at most.
const KEPT_READERS: usize = 8;

/// Books in a SQLite file.
#[derive(Debug)]
pub struct SqliteStore {
    path: PathBuf,
    kept: Kept,
    writer: Mutex<Writer>,
    readers: Mutex<Vec<Connection>>,
    checkpointer: Checkpointer,
}

/// The one connection that writes.
#[derive(Debug)]
struct Writer {
    /// None after a commit whose outcome is unknown: the file is opened anew.
    connection: Option<Connection>,
    /// Changes when another connection has written.
    data_version: i64,
    /// Counts these changes.
    epoch: u64,
    /// Counts the entries that were committed.
    entries: u64,
}

impl SqliteStore {
    /// Opens or creates the file, and brings its schema up to date. Refuses a file that is not a ledger's
    /// (`store_foreign`), newer than this code (`store_newer`), read-only or damaged.
    pub fn open(path: impl AsRef<Path>) -> Result<Self, StoreError> {
        let path = path.as_ref().to_path_buf();
        let connection = schema::open_writer(&path)?;
        let data_version = data_version(&connection)?;
        let writer = Writer { connection: Some(connection), data_version, epoch: 0, entries: 0 };
        let checkpointer = Checkpointer::start(&path)?;
        let (writer, readers) = (Mutex::new(writer), Mutex::new(Vec::new()));
        Ok(Self { path, kept: Kept::new(), writer, readers, checkpointer })
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
            // `work` panicked in a transaction.
            self.writer.clear_poison();
            let mut writer = poisoned.into_inner();
            writer.roll_back();
            writer
        })
    }

    /// Begins a new epoch where another connection has written since the last look.
    fn follow(&self, writer: &mut Writer) -> Result<(), StoreError> {
        let version = data_version(writer.connection(&self.path)?)?;
        if version != writer.data_version {
            writer.data_version = version;
            writer.epoch = writer.epoch.saturating_add(1);
            self.kept.begin_epoch(writer.epoch);
        }
        Ok(())
    }

    /// Commits what was done in `epoch`, or does it again where another connection has written since: then it may have
    /// been decided, or refused, on what is no longer so.
    fn settle(
        &self,
        writer: &mut Writer,
        scope: &Scope,
        mut done: Vec<Loaded>,
        epoch: u64,
        work: &mut dyn FnMut(&mut Books),
    ) -> Result<Vec<Loaded>, StoreError> {
        let changed = |done: &[Loaded]| done.iter().any(|loaded| loaded.book.is_changed());
        if changed(&done) {
            writer.begin(&self.path)?;
        }
        self.follow(writer)?;
        if writer.epoch != epoch {
            if !changed(&done) {
                writer.begin(&self.path)?;
                self.follow(writer)?;
            }
            done = run(writer.connection(&self.path)?, scope, HashMap::new(), work)?;
        }
        if changed(&done) {
            self.commit(writer, &mut done)?;
        }
        Ok(done)
    }

    /// Writes what changed and commits; the books are then as they are in the file.
    fn commit(&self, writer: &mut Writer, done: &mut [Loaded]) -> Result<(), StoreError> {
        let connection = writer.connection(&self.path)?;
        let mut commit = Commit::begin(connection)?;
        for Loaded { book, place } in done.iter_mut().filter(|loaded| loaded.book.is_changed()) {
            commit.write(book, place)?;
        }
        drop(commit);
        writer.end()?;
        let entries = done.iter().fold(0_u64, |sum, loaded| {
            sum.saturating_add(u64::try_from(loaded.book.new_entries.len()).unwrap_or(u64::MAX))
        });
        self.checkpointer.committed(writer.entries, entries);
        writer.entries = writer.entries.saturating_add(entries);
        Ok(())
    }
}

impl Writer {
    fn connection(&mut self, path: &Path) -> Result<&Connection, StoreError> {
        match &mut self.connection {
            Some(connection) => Ok(connection),
            none => {
                // No version that was seen before means anything on a new connection.
                self.data_version = i64::MIN;
                Ok(none.insert(schema::open_writer(path)?))
            }
        }
    }

    /// Begins a write transaction, waiting for other processes to end theirs.
    fn begin(&mut self, path: &Path) -> Result<(), StoreError> {
        let connection = self.connection(path)?;
        connection.prepare_cached("BEGIN IMMEDIATE").and_then(|mut begin| begin.execute([])).or_store_error()?;
        Ok(())
    }

    /// Commits the transaction that was begun.
    fn end(&mut self) -> Result<(), StoreError> {
        let Some(connection) = &self.connection else {
            return Err(StoreError::Unavailable("no transaction was begun".to_owned()));
        };
        let ended = connection.prepare_cached("COMMIT").and_then(|mut commit| commit.execute([]));
        let Err(fault) = ended else { return Ok(()) };
        match store_error(&fault) {
            // The frame that commits is the last one to be written: without room it was not, and SQLite has rolled
            // back.
            full @ StoreError::Full(_) if connection.is_autocommit() => Err(full),
            // The transaction may be there when the file is opened again.
            _ => {
                self.connection = None;
                Err(StoreError::Unknown(fault.to_string()))
            }
        }
    }

    /// Ends a transaction that was not committed, if there is one.
    fn roll_back(&mut self) {
        if let Some(connection) = &self.connection
            && !connection.is_autocommit()
            && connection.execute_batch("ROLLBACK").is_err()
        {
            self.connection = None;
        }
    }
}

fn data_version(connection: &Connection) -> Result<i64, StoreError> {
    let mut statement = connection.prepare_cached("PRAGMA data_version").or_store_error()?;
    statement.query_row([], |row| row.get(0)).or_store_error()
}

/// Loads what `scope` needs, on top of what is `kept`, and has it worked on.
fn run(
    connection: &Connection,
    scope: &Scope,
    mut kept: HashMap<MerchantId, Loaded>,
    work: &mut dyn FnMut(&mut Books),
) -> Result<Vec<Loaded>, StoreError> {
    let mut places: Vec<(MerchantId, Place)> = Vec::with_capacity(scope.books.len());
    let mut books = Books::new();
    for (merchant, needs) in &scope.books {
        let loaded = match kept.remove(merchant) {
            Some(kept) => Ok(kept),
            None => load_small(connection, *merchant),
        };
        let loaded = loaded.and_then(|mut loaded| {
            load_needs(connection, &mut loaded, needs, Some((scope.now, scope.due_limit)))?;
            Ok(loaded)
        });
        let book = match loaded {
            Ok(Loaded { book, place }) => {
                places.push((*merchant, place));
                Ok(book)
            }
            // A row that cannot be understood is this book's trouble; anything else is the file's.
            Err(fault @ StoreError::Corrupt(_)) => Err(fault),
            Err(fault) => return Err(fault),
        };
        books.insert(*merchant, book);
    }
    work(&mut books);
    let done = places.into_iter().filter_map(|(merchant, place)| match books.remove(&merchant) {
        Some(Ok(book)) => Some(Loaded { book, place }),
        _ => None,
    });
    Ok(done.collect())
}

impl Store for SqliteStore {
    /// While one batch is being written, another one, of other books, is decided.
    fn lanes(&self) -> usize {
        2
    }

    fn transact(&self, _lane: usize, scope: &Scope, work: &mut dyn FnMut(&mut Books)) -> Result<(), StoreError> {
        let (claim, kept) = self.kept.claim(scope.books.keys().copied().collect());
        let done = self.read(|connection| run(connection, scope, kept, work))?;
        let mut writer = self.writer();
        let settled = self.settle(&mut writer, scope, done, claim.epoch, work);
        writer.roll_back();
        let (done, epoch) = (settled?, writer.epoch);
        drop(writer);
        self.kept.keep(done, epoch);
        Ok(())
    }

    fn book(&self, merchant: MerchantId, needs: &Needs) -> Result<Book, StoreError> {
        self.read(|connection| {
            let mut loaded = load_small(connection, merchant)?;
            load_needs(connection, &mut loaded, needs, None)?;
            Ok(*loaded.book)
        })
    }

    fn leads(&self, query: &LeadQuery) -> Result<Page<(LeadId, Lead)>, StoreError> {
        self.read(|connection| query::leads(connection, query))
    }

    fn journal(&self, query: &JournalQuery, limit: usize) -> Result<Page<Recorded>, StoreError> {
        self.read(|connection| query::journal(connection, query, limit))
    }

    fn books(&self, query: &BookQuery, limit: usize) -> Result<Vec<(MerchantId, Head)>, StoreError> {
        self.read(|connection| query::books(connection, query, limit))
    }
}

impl Totals for SqliteStore {
    fn partner(&self, partner: PartnerId) -> Result<Vec<(MerchantId, Currency, PartnerAccounts)>, StoreError> {
        self.read(|connection| query::partner(connection, partner))
    }

    fn platform(
        &self,
        after: Option<(MerchantId, Currency)>,
        limit: usize,
    ) -> Result<Vec<(MerchantId, Currency, PlatformAccounts)>, StoreError> {
        self.read(|connection| query::platform(connection, after, limit))
    }
}
