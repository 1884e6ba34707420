//! Reading somebody else's tables: one snapshot of a database that is not a ledger's, nothing written, every value as the
//! server spells it.

use std::time::Duration;

use leadledger::StoreError;

use crate::address::Address;
use crate::error::corrupt;
use crate::link::Link;
use crate::wire::{Param, Statement};

/// How long one attempt to connect may take, and one exchange.
const CONNECT: Duration = Duration::from_secs(10);
const PATIENCE: Duration = Duration::from_mins(2);

/// Times in ISO 8601 and UTC, and an error instead of rows that row-level security would hide.
const BEGIN: &str = "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY; SET LOCAL datestyle = 'ISO, YMD'; \
    SET LOCAL timezone = 'UTC'; SET LOCAL row_security = off; SET LOCAL extra_float_digits = 1; \
    SET LOCAL statement_timeout = '110s'; SET LOCAL idle_in_transaction_session_timeout = 0";

/// A row, each value as text; none where it is null.
pub type TextRow = Vec<Option<String>>;

/// A read-only transaction that sees one moment of a database, whatever others write meanwhile. It goes through a pooler
/// in transaction mode, and ends when it is dropped.
///
/// ```no_run
/// use leadledger_postgres::ForeignTables;
/// let mut tables = ForeignTables::open("postgres://reader@db.example.org/shop").unwrap();
/// let rows = tables.rows("SELECT name::text FROM shops WHERE city = $1", &["Rabat"]).unwrap();
/// assert!(rows.iter().all(|row| row.len() == 1));
/// ```
#[derive(Debug)]
pub struct ForeignTables {
    link: Link,
}

impl ForeignTables {
    /// Connects and begins. The address is one as for [`crate::PostgresStore::open`]; what a server must be like to keep
    /// a ledger is not asked of this one.
    pub fn open(url: &str) -> Result<Self, StoreError> {
        let address = Address::parse(url, CONNECT)?;
        let mut link = Link::open(&address, CONNECT, PATIENCE)?;
        link.exchange(Some(BEGIN), &[], None).map_err(|fault| fault.store_error())?;
        Ok(Self { link })
    }

    /// The rows of a query whose columns are all of type `text`; `params` are texts too.
    pub fn rows(&mut self, sql: &str, params: &[&str]) -> Result<Vec<TextRow>, StoreError> {
        let params = params.iter().map(|text| Param::Text((*text).to_owned().into())).collect();
        let statement = Statement { sql: sql.to_owned().into(), params };
        let answers = self.link.exchange(None, &[statement], None).map_err(|fault| fault.store_error())?;
        let rows = answers.into_iter().next().unwrap_or_default();
        rows.iter().map(|row| (0..row.len()).map(|place| row.try_get(place).map_err(corrupt)).collect()).collect()
    }

    /// All rows of such a query, in pages of at most `page`, so that no answer grows with the table.
    pub fn each_page(&mut self, sql: &str, page: usize, mut take: impl FnMut(Vec<TextRow>)) -> Result<(), StoreError> {
        self.rows(&format!("DECLARE leadledger_pages NO SCROLL CURSOR FOR {sql}"), &[])?;
        let fetch = format!("FETCH {} FROM leadledger_pages", page.max(1));
        loop {
            let rows = self.rows(&fetch, &[])?;
            if rows.is_empty() {
                break;
            }
            take(rows);
        }
        self.rows("CLOSE leadledger_pages", &[]).map(|_| ())
    }
}
