//! The PostgreSQL store of leadledger: for plain servers (15 or later), Supabase, and poolers in transaction mode.
//!
//! A batch costs two round trips, however many commands and books it has: one locks the books in the order of their ids
//! and loads what is needed, the other writes what changed and commits. Statements are typed and have no names, nothing
//! lives in a session, and every setting ends with its transaction.
//!
//! ```no_run
//! use leadledger::Ledger;
//! use leadledger_postgres::{Migration, PostgresStore};
//! // Once, by the owner, on a direct connection.
//! PostgresStore::migrate("postgres://postgres@localhost/postgres", &Migration::default()).unwrap();
//! // By any number of ledgers, through a pooler as well.
//! let store = PostgresStore::open("postgres://app@localhost:6543/postgres").unwrap();
//! let ledger = Ledger::open(store).unwrap();
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

mod address;
mod commit;
mod error;
mod foreign;
mod kept;
mod link;
mod load;
mod query;
mod readers;
mod rows;
mod schema;
mod subscribers;
mod wire;

use std::collections::{BTreeMap, HashMap};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use leadledger::{
    Book, BookQuery, Books, Currency, Head, JournalQuery, Lead, LeadId, LeadQuery, MerchantId, Needs, Page,
    PartnerAccounts, PartnerId, PlatformAccounts, Recorded, Scope, Store, StoreError, Totals,
};
use tokio_postgres::Row;

use crate::address::Address;
use crate::kept::Kept;
use crate::link::{Fault, Link};
use crate::load::Loading;
use crate::query::Marks;
use crate::readers::Readers;
use crate::wire::{Param, Statement};

pub use crate::foreign::{ForeignTables, TextRow};
pub use crate::schema::{Migrated, Migration};

/// How a ledger works with its server.
#[derive(Clone, Debug)]
pub struct PostgresOptions {
    /// The schema, as it was migrated.
    pub schema: String,
    /// How many batches are under way at once, each on a connection of its own.
    pub lanes: usize,
    /// How many connections there are for reads, at most; further reads wait for one.
    pub readers: usize,
    /// How long the server may work on one statement.
    pub statement_timeout: Duration,
    /// How long a batch waits for a book that another ledger has locked.
    pub lock_timeout: Duration,
    /// How long to wait for one attempt to connect.
    pub connect_timeout: Duration,
    /// How long a batch goes on trying to connect, before its commands fail: as long as a server takes to start again.
    pub reconnect_for: Duration,
    /// Opens a ledger on a server that does not write durably (`fsync=off` or `synchronous_commit=off`): what was
    /// acknowledged may be lost when the server's machine fails. Never for money.
    pub accept_data_loss: bool,
}

impl Default for PostgresOptions {
    fn default() -> Self {
        Self {
            schema: "leadledger".to_owned(),
            lanes: 4,
            readers: 8,
            statement_timeout: Duration::from_secs(30),
            lock_timeout: Duration::from_secs(20),
            connect_timeout: Duration::from_secs(10),
            reconnect_for: Duration::from_secs(15),
            accept_data_loss: false,
        }
    }
}

impl PostgresOptions {
    /// How long to wait for an exchange: the server ends what takes too long, unless it is not there any more.
    fn patience(&self) -> Duration {
        self.statement_timeout.saturating_add(self.lock_timeout).saturating_add(Duration::from_secs(5))
    }
}

/// Whether commits are told to Supabase's Realtime.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Realtime {
    /// As it is.
    Keep,
    /// Yes, if the database has `realtime.send`.
    WherePossible,
    /// No.
    Off,
}

/// Whatever the server's defaults are.
const BEGIN: &str = "BEGIN ISOLATION LEVEL READ COMMITTED READ WRITE";

/// How often a batch is begun anew at once, where it gave way to another one.
const GIVING_WAY: usize = 16;

/// Books in a PostgreSQL schema.
#[derive(Debug)]
pub struct PostgresStore {
    address: Address,
    options: PostgresOptions,
    marks: Marks,
    lock: String,
    begin_read: String,
    lanes: Vec<Mutex<Lane>>,
    readers: Readers,
}

/// What one worker uses.
#[derive(Debug, Default)]
struct Lane {
    /// None before the first batch, and after a connection was lost.
    link: Option<Link>,
    kept: Kept,
}

/// Why an attempt at a batch failed.
enum Failed {
    /// It gave way to another one, or lost its connection before it wrote: it can be begun anew.
    GaveWay(StoreError),
    For(StoreError),
}

impl PostgresStore {
    /// Brings a schema up to date, creating it and its roles where they are missing: on a direct connection (not through
    /// a pooler in transaction mode), as a role that may create them. Two at once are safe.
    pub fn migrate(url: &str, migration: &Migration) -> Result<Migrated, StoreError> {
        let options = PostgresOptions::default();
        schema::migrate(&Address::parse(url, options.connect_timeout)?, &options, migration)
    }

    /// Opens the schema `leadledger` with the default options; see [`PostgresStore::open_with`].
    pub fn open(url: &str) -> Result<Self, StoreError> {
        Self::open_with(url, PostgresOptions::default())
    }

    /// Opens a schema that was migrated, as a role that may write to it. The address is a `postgres://` URL; `sslmode` is
    /// `disable`, `require` or `verify-full` (with `sslrootcert=FILE`, or the machine's authorities), by default
    /// `require` for all hosts but this one.
    ///
    /// Refuses a schema that is older (`store_outdated`) or newer (`store_newer`) than this code, or not a ledger's
    /// (`store_foreign`), and a server or an address that cannot keep one (`store_misconfigured`).
    pub fn open_with(url: &str, options: PostgresOptions) -> Result<Self, StoreError> {
        schema::check_name("schema", &options.schema)?;
        let address = Address::parse(url, options.connect_timeout)?;
        let mut link = connect(&address, &options)?;
        let store = schema::check_schema(&mut link, &options.schema)?;
        // The whole text once, since only one schema's books are locked: it is where the path begins.
        let lock = format!("SELECT {} FROM {}.lock_books($1, $2, $3, $4)", rows::BOOK, options.schema);
        let begin_read = format!(
            "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY; SET LOCAL search_path = {}, pg_temp; \
             SET LOCAL statement_timeout = {}; SET LOCAL jit = off; SET LOCAL enable_seqscan = off; \
             SET LOCAL enable_bitmapscan = off; \
             SET LOCAL enable_hashjoin = off; SET LOCAL enable_mergejoin = off; \
             SET LOCAL plan_cache_mode = force_generic_plan",
            options.schema,
            millis(options.statement_timeout),
        );
        let mut lanes: Vec<Mutex<Lane>> = (0..options.lanes.max(1)).map(|_| Mutex::default()).collect();
        if let Some(first) = lanes.first_mut() {
            first.get_mut().unwrap_or_else(PoisonError::into_inner).link = Some(link);
        }
        let (marks, readers) = (Marks { store }, Readers::new(options.readers));
        Ok(Self { address, options, marks, lock, begin_read, lanes, readers })
    }

    /// The schema.
    pub fn schema(&self) -> &str {
        &self.options.schema
    }

    fn connect(&self) -> Result<Link, StoreError> {
        connect(&self.address, &self.options)
    }

    /// Connects, trying again while the server cannot be reached.
    fn reconnect(&self) -> Result<Link, StoreError> {
        let until = Instant::now() + self.options.reconnect_for;
        let mut pause = Duration::from_millis(20);
        loop {
            match self.connect() {
                Err(StoreError::Unavailable(_)) if Instant::now() + pause < until => {
                    std::thread::sleep(pause);
                    pause = (pause * 2).min(Duration::from_secs(1));
                }
                connected => return connected,
            }
        }
    }

    fn lane(&self, lane: usize) -> MutexGuard<'_, Lane> {
        let lane = &self.lanes[lane % self.lanes.len()];
        // Where `work` panicked, the link was taken out and dropped, and what is kept is checked again.
        lane.lock().unwrap_or_else(|poisoned| {
            lane.clear_poison();
            poisoned.into_inner()
        })
    }

    fn attempt(&self, lane: &mut Lane, scope: &Scope, work: &mut dyn FnMut(&mut Books)) -> Result<(), Failed> {
        let mut link = match lane.link.take() {
            Some(link) => link,
            None => self.reconnect().map_err(Failed::For)?,
        };
        // From here on a return, or a panic in `work`, that does not put the link back drops it: its transaction ends.
        let Lane { link: place, kept } = lane;
        let due = Some((scope.now, scope.due_limit));
        let mut loading = Loading::new(&scope.books, due, |merchant| kept.take(merchant));
        let loaded = self.load(&mut link, &mut loading, scope);
        if let Err(fault) = loaded {
            return Err(give_up(fault, link, place));
        }
        let (mut books, positions) = loading.into_books();
        work(&mut books);
        let changed: Vec<&Book> =
            books.values().flatten().map(|book| &**book).filter(|book| book.is_changed()).collect();
        let statements = commit::statements(&changed, &positions);
        if statements.is_empty() {
            // However it ends, it ends.
            let ended = link.exchange(None, &[], Some("ROLLBACK")).is_ok();
            *place = Some(link).filter(|_| ended);
        } else if let Err(fault) = link.exchange(None, &statements, Some("COMMIT")) {
            let error = fault.commit_error();
            // After an answer the server has ended the transaction, commit and all.
            *place = Some(link).filter(|_| fault.leaves_connection());
            return Err(if fault.gave_way() { Failed::GaveWay(error) } else { Failed::For(error) });
        } else {
            *place = Some(link);
        }
        drop(statements);
        for book in books.into_values().flatten() {
            // One with all its rows is too large to keep, and one without any is not there.
            if book.head.seq > 0 && !scope.books[&book.merchant].everything {
                kept.keep(book);
            }
        }
        Ok(())
    }

    fn lock(&self, merchants: Vec<MerchantId>) -> Statement<'static> {
        let time = |time: Duration| Param::Text(millis(time).to_string().into());
        let PostgresOptions { lock_timeout, statement_timeout, .. } = self.options;
        // Where this process is gone without a word, its locks must go too.
        let idle = self.options.patience();
        let params = vec![load::ids(merchants), time(lock_timeout), time(statement_timeout), time(idle)];
        Statement { sql: self.lock.clone().into(), params }
    }

    /// Locks the books and loads them, in one exchange; in two where a book is not as it was kept.
    fn load(&self, link: &mut Link, loading: &mut Loading<'_>, scope: &Scope) -> Result<(), LoadFault> {
        let merchants: Vec<MerchantId> = scope.books.keys().copied().collect();
        let mut questions = loading.questions(&merchants);
        questions.statements.insert(0, self.lock(merchants));
        let answers = link.exchange(Some(BEGIN), &questions.statements, None)?;
        let (heads, answers) = answers.split_first().ok_or_else(unanswered)?;
        loading.take_heads(heads)?;
        loading.take_answers(&questions, answers)?;
        let stale = loading.take_stale();
        if !stale.is_empty() {
            let questions = loading.questions(&stale);
            loading.take_answers(&questions, &link.exchange(None, &questions.statements, None)?)?;
        }
        if loading.moved() {
            return Err(LoadFault::Moved);
        }
        loading.finish();
        Ok(())
    }

    /// Runs statements in one read-only transaction, in one exchange, on a connection of their own.
    fn read(&self, statements: &[Statement<'_>]) -> Result<Vec<Vec<Row>>, StoreError> {
        let mut turn = self.readers.take();
        let was_idle = turn.link.is_some();
        let mut link = turn.link.take().map_or_else(|| self.connect(), Ok)?;
        let mut answers = link.exchange(Some(&self.begin_read), statements, Some("COMMIT"));
        // One that was idle may have been closed meanwhile; a read can be made twice.
        if was_idle && answers.as_ref().is_err_and(Fault::lost_connection) {
            link = self.connect()?;
            answers = link.exchange(Some(&self.begin_read), statements, Some("COMMIT"));
        }
        turn.link = Some(link).filter(|_| answers.as_ref().err().is_none_or(Fault::leaves_connection));
        answers.map_err(|fault| fault.store_error())
    }
}

/// Connects to a server that can keep a ledger.
fn connect(address: &Address, options: &PostgresOptions) -> Result<Link, StoreError> {
    let mut link = Link::open(address, options.connect_timeout, options.patience())?;
    schema::check_server(&mut link, options.accept_data_loss)?;
    Ok(link)
}

/// Why books were not loaded.
enum LoadFault {
    Exchange(Fault),
    Rows(StoreError),
    /// Another ledger began a book between the exchange's first statement and its last.
    Moved,
}

impl From<Fault> for LoadFault {
    fn from(fault: Fault) -> Self {
        Self::Exchange(fault)
    }
}

impl From<StoreError> for LoadFault {
    fn from(fault: StoreError) -> Self {
        Self::Rows(fault)
    }
}

/// Ends a transaction in which nothing was written yet.
fn give_up(fault: LoadFault, mut link: Link, place: &mut Option<Link>) -> Failed {
    let (failed, usable) = match fault {
        LoadFault::Rows(fault) => (Failed::For(fault), true),
        LoadFault::Moved => {
            (Failed::GaveWay(StoreError::Unavailable("another ledger began the book meanwhile".to_owned())), true)
        }
        LoadFault::Exchange(fault) if fault.gave_way() => (Failed::GaveWay(fault.store_error()), true),
        // It may have been closed while it was idle. Nothing was written: another one will do.
        LoadFault::Exchange(fault) if fault.lost_connection() => (Failed::GaveWay(fault.store_error()), false),
        LoadFault::Exchange(fault) => (Failed::For(fault.store_error()), fault.leaves_connection()),
    };
    if usable && link.exchange(None, &[], Some("ROLLBACK")).is_ok() {
        *place = Some(link);
    }
    failed
}

fn unanswered() -> StoreError {
    StoreError::Unavailable("the server left a question unanswered".to_owned())
}

fn millis(time: Duration) -> u128 {
    // 0 would mean for ever.
    time.as_millis().clamp(1, 2_147_483_647)
}

impl Store for PostgresStore {
    fn lanes(&self) -> usize {
        self.lanes.len()
    }

    fn transact(&self, lane: usize, scope: &Scope, work: &mut dyn FnMut(&mut Books)) -> Result<(), StoreError> {
        let mut lane = self.lane(lane);
        let mut fault = unanswered();
        for turn in 0..GIVING_WAY {
            // The first times at once: whoever went first is done by now.
            if let Some(pauses) = turn.checked_sub(2) {
                std::thread::sleep(Duration::from_millis(1 << pauses.min(6)));
            }
            match self.attempt(&mut lane, scope, work) {
                Ok(()) => return Ok(()),
                Err(Failed::For(fault)) => return Err(fault),
                Err(Failed::GaveWay(told)) => fault = told,
            }
        }
        Err(StoreError::Unavailable(format!("it gave way {GIVING_WAY} times: {fault}")))
    }

    fn book(&self, merchant: MerchantId, needs: &Needs) -> Result<Book, StoreError> {
        let books = BTreeMap::from([(merchant, needs.clone())]);
        let mut loading = Loading::new(&books, None, |_| None);
        let mut questions = loading.questions(&[merchant]);
        questions.statements.insert(0, load::look([merchant]));
        let answers = self.read(&questions.statements)?;
        let (heads, answers) = answers.split_first().ok_or_else(unanswered)?;
        loading.take_heads(heads)?;
        loading.take_answers(&questions, answers)?;
        loading.finish();
        let (mut books, _): (Books, HashMap<MerchantId, i64>) = loading.into_books();
        books.remove(&merchant).ok_or_else(unanswered)?.map(|book| *book)
    }

    fn leads(&self, query: &LeadQuery) -> Result<Page<(LeadId, Lead)>, StoreError> {
        let answers = self.read(&query::leads(query, self.marks)?)?;
        query::leads_page(query, self.marks, &answers)
    }

    fn journal(&self, query: &JournalQuery, limit: usize) -> Result<Page<Recorded>, StoreError> {
        let answers = self.read(&[query::journal(query, limit, self.marks)?])?;
        query::journal_page(query, self.marks, answers.first().ok_or_else(unanswered)?)
    }

    fn books(&self, query: &BookQuery, limit: usize) -> Result<Vec<(MerchantId, Head)>, StoreError> {
        let answers = self.read(&[query::books(query, limit)])?;
        query::heads(answers.first().ok_or_else(unanswered)?)
    }
}

impl Totals for PostgresStore {
    fn partner(&self, partner: PartnerId) -> Result<Vec<(MerchantId, Currency, PartnerAccounts)>, StoreError> {
        query::partner_rows(self.read(&[query::partner(partner)])?.first().ok_or_else(unanswered)?)
    }

    fn platform(
        &self,
        after: Option<(MerchantId, Currency)>,
        limit: usize,
    ) -> Result<Vec<(MerchantId, Currency, PlatformAccounts)>, StoreError> {
        query::platform_rows(self.read(&[query::platform(after, limit)])?.first().ok_or_else(unanswered)?)
    }
}

/// The README's examples, compiled and run: this crate's tests can use all crates that they show.
#[cfg(doctest)]
#[doc = include_str!("../../README.md")]
struct ReadmeDoctests;
