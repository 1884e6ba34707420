//! Opening a file: whose it is, which schema it has, and how it is written.

use std::path::Path;
use std::time::{Duration, Instant};

use leadledger::StoreError;
use rusqlite::{Connection, ErrorCode, OpenFlags, TransactionBehavior};

use crate::error::{OrStoreError, store_error};

/// Marks a file as ours (`PRAGMA application_id`): "ldgr".
const APPLICATION_ID: i64 = 0x6c64_6772;

/// How long to wait for another process that writes.
const BUSY: Duration = Duration::from_secs(20);

/// Numbered from 1; a file's `user_version` says how many it has.
const MIGRATIONS: [&str; 3] = [
    include_str!("migrations/0001_books.sql"),
    include_str!("migrations/0002_views.sql"),
    include_str!("migrations/0003_subscribers.sql"),
];

/// The newest schema that this code knows.
pub(crate) fn known_version() -> u32 {
    u32::try_from(MIGRATIONS.len()).unwrap_or(u32::MAX)
}

/// Opens the file for writing, and brings its schema up to date.
pub(crate) fn open_writer(path: &Path) -> Result<Connection, StoreError> {
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_CREATE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let mut connection = Connection::open_with_flags(path, flags).or_store_error()?;
    connection.busy_timeout(BUSY).or_store_error()?;
    if connection.is_readonly("main").or_store_error()? {
        return Err(StoreError::ReadOnly(format!("{} may only be read", path.display())));
    }
    check_owner(&connection)?;
    // WAL with FULL is the only mode that keeps every acknowledged commit over a power cut.
    write_ahead(&connection)?;
    connection.pragma_update(None, "synchronous", "full").or_store_error()?;
    configure(&connection)?;
    migrate(&mut connection)?;
    Ok(connection)
}

/// Switches to the write-ahead log. Where two open a new file at once, SQLite does not let one wait for the other here,
/// whatever the busy timeout.
fn write_ahead(connection: &Connection) -> Result<(), StoreError> {
    let until = Instant::now() + BUSY;
    loop {
        match connection.pragma_update(None, "journal_mode", "wal") {
            Err(fault) if fault.sqlite_error_code() == Some(ErrorCode::DatabaseBusy) && Instant::now() < until => {
                std::thread::sleep(Duration::from_millis(1));
            }
            switched => return switched.or_store_error(),
        }
    }
}

/// Opens the file for reading; it exists and has our schema.
pub(crate) fn open_reader(path: &Path) -> Result<Connection, StoreError> {
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let connection = Connection::open_with_flags(path, flags).or_store_error()?;
    connection.busy_timeout(BUSY).or_store_error()?;
    connection.pragma_update(None, "query_only", true).or_store_error()?;
    configure(&connection)?;
    Ok(connection)
}

/// Opens the file for checkpoints; it exists and has our schema.
pub(crate) fn open_checkpointer(path: &Path) -> Result<Connection, StoreError> {
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let connection = Connection::open_with_flags(path, flags).or_store_error()?;
    // A checkpoint copies as durably as a commit writes.
    connection.pragma_update(None, "synchronous", "full").or_store_error()?;
    Ok(connection)
}

fn configure(connection: &Connection) -> Result<(), StoreError> {
    connection.set_prepared_statement_cache_capacity(128);
    // Kibibytes, negative by SQLite's convention: bounded, however large the file.
    connection.pragma_update(None, "cache_size", -32_768).or_store_error()?;
    connection.pragma_update(None, "wal_autocheckpoint", 32_768).or_store_error()?;
    connection.pragma_update(None, "foreign_keys", false).or_store_error()
}

/// Refuses a file of somebody else's, and one that is newer than this code.
fn check_owner(connection: &Connection) -> Result<u32, StoreError> {
    // One statement, so that all three are of one moment: another process may be making the file.
    let sql = "SELECT (SELECT count(*) FROM sqlite_schema), (SELECT application_id FROM pragma_application_id), \
               (SELECT user_version FROM pragma_user_version)";
    let (tables, owner, version): (i64, i64, i64) =
        connection.query_row(sql, [], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?))).or_store_error()?;
    if owner != APPLICATION_ID && (tables > 0 || owner != 0 || version != 0) {
        return Err(StoreError::Foreign("the file is another application's database".to_owned()));
    }
    let found = u32::try_from(version).map_err(|_| StoreError::Foreign("its version is negative".to_owned()))?;
    let known = known_version();
    if found > known { Err(StoreError::Newer { found, known }) } else { Ok(found) }
}

/// Applies what is missing, each migration in a transaction with its version; two processes at once are safe.
fn migrate(connection: &mut Connection) -> Result<(), StoreError> {
    let outdated = |connection: &Connection| Ok::<_, StoreError>(check_owner(connection)? < known_version());
    if !outdated(connection)? {
        return Ok(());
    }
    let transaction =
        connection.transaction_with_behavior(TransactionBehavior::Immediate).map_err(|fault| store_error(&fault))?;
    let done = check_owner(&transaction)?;
    transaction.pragma_update(None, "application_id", APPLICATION_ID).or_store_error()?;
    for (version, sql) in (1_u32..).zip(MIGRATIONS) {
        if version > done {
            transaction.execute_batch(sql).or_store_error()?;
            transaction.pragma_update(None, "user_version", version).or_store_error()?;
        }
    }
    transaction.commit().or_store_error()
}
