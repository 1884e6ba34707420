//! A store that fails as stores do: it loses acknowledgements, leaves outcomes unknown, crashes between load and
//! commit, and is away now and then. What it keeps, it keeps in a store that does not.
//!
//! It fails by its own dice, which each step of a simulation throws anew: so a step fails the same way again, whatever
//! threads did in the steps before.

use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use leadledger::{
    Book, BookQuery, Books, Cursor, Head, JournalQuery, Lead, LeadId, LeadQuery, MerchantId, Needs, Page, Recorded,
    Scope, Store, StoreError, SubscriberName, Subscribers,
};

use crate::dice::Dice;

/// A way in which the store fails.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Injury {
    /// The commit happened; the acknowledgement was lost.
    AckLost,
    /// The work was done and nothing committed, but nobody knows.
    Undone,
    /// Away before any work.
    Unavailable,
    /// The work was done; the store went away before it wrote anything.
    Crash,
    /// The same, by a panic.
    Panic,
    /// One book's rows cannot be read.
    Unreadable,
    /// A read fails.
    ReadFailed,
}

impl Injury {
    /// All of them.
    pub const ALL: [Self; 7] =
        [Self::AckLost, Self::Undone, Self::Unavailable, Self::Crash, Self::Panic, Self::Unreadable, Self::ReadFailed];
}

/// What a panic of this store says: no other may come out of a ledger.
pub const PANIC: &str = "injected panic";

/// How likely each failure is, in thousandths, and how many there may be.
#[derive(Clone, Debug)]
pub struct Weather {
    /// For every transaction, one of these.
    pub commits: &'static [(Injury, u64)],
    /// For every read.
    pub reads: u64,
    /// After so many, nothing fails any more.
    pub budget: u32,
    /// How the first transaction fails, whatever the dice say.
    pub first: Option<Injury>,
}

impl Weather {
    /// Nothing fails.
    pub const FAIR: Self = Self { commits: &[], reads: 0, budget: 0, first: None };

    /// Everything fails now and then.
    pub const fn rough(budget: u32) -> Self {
        let commits = &[
            (Injury::AckLost, 90),
            (Injury::Undone, 70),
            (Injury::Unavailable, 60),
            (Injury::Crash, 40),
            (Injury::Panic, 30),
            (Injury::Unreadable, 30),
        ];
        Self { commits, reads: 100, budget, first: None }
    }

    /// Only what the engine makes good by itself fails, where it tries again more than `budget` times.
    pub const fn passing(budget: u32) -> Self {
        let commits = &[(Injury::AckLost, 180), (Injury::Undone, 150), (Injury::Unavailable, 60), (Injury::Crash, 40)];
        Self { commits, reads: 100, budget, first: None }
    }

    /// The first transaction fails so, and from then on the store is gone.
    pub const fn fatal(first: Injury) -> Self {
        Self { commits: &[(Injury::Unavailable, 1_000)], reads: 1_000, budget: u32::MAX, first: Some(first) }
    }
}

/// How often each failure happened; and what the engine did that it must not.
#[derive(Debug, Default)]
pub struct Injuries {
    counts: [AtomicU64; Injury::ALL.len()],
    panics: AtomicU64,
}

impl Injuries {
    /// How often this one did.
    pub fn count(&self, injury: Injury) -> u64 {
        self.counts[injury as usize].load(Ordering::SeqCst)
    }

    /// How often a decision panicked. The engine survives that, and its callers may never know.
    pub fn panics(&self) -> u64 {
        self.panics.load(Ordering::SeqCst)
    }

    /// How often a commit's outcome was left unknown.
    pub fn doubts(&self) -> u64 {
        self.count(Injury::AckLost) + self.count(Injury::Undone)
    }
}

/// A store that fails.
pub struct FaultyStore {
    inner: Arc<dyn Store>,
    injuries: Arc<Injuries>,
    state: Mutex<(Dice, Weather)>,
    gate: Mutex<()>,
}

impl FaultyStore {
    /// One that does not fail yet, and counts what it does in `injuries`.
    pub fn new(inner: Arc<dyn Store>, injuries: Arc<Injuries>) -> Self {
        Self { inner, injuries, state: Mutex::new((Dice::new(0), Weather::FAIR)), gate: Mutex::new(()) }
    }

    /// From here on it fails like this.
    pub fn set(&self, seed: u64, weather: Weather) {
        *self.state.lock().unwrap_or_else(PoisonError::into_inner) = (Dice::new(seed), weather);
    }

    /// Lets no transaction begin while it is held, so that commands gather behind one.
    pub fn hold(&self) -> MutexGuard<'_, ()> {
        self.gate.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn strike(&self, menu: impl FnOnce(&Weather) -> Vec<(Injury, u64)>) -> Option<Injury> {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        let (dice, weather) = &mut *state;
        let mut rolled = dice.below(1_000);
        if weather.budget == 0 {
            return None;
        }
        let injury = menu(weather).into_iter().find_map(|(injury, odds)| {
            let hit = rolled < odds;
            rolled = rolled.saturating_sub(odds);
            hit.then_some(injury)
        })?;
        weather.budget -= 1;
        self.injuries.counts[injury as usize].fetch_add(1, Ordering::SeqCst);
        Some(injury)
    }

    fn strike_commit(&self) -> Option<Injury> {
        let first = self.state.lock().unwrap_or_else(PoisonError::into_inner).1.first.take();
        self.strike(|weather| first.map_or_else(|| weather.commits.to_vec(), |first| vec![(first, 1_000)]))
    }

    fn read<T>(&self, read: impl FnOnce(&dyn Store) -> Result<T, StoreError>) -> Result<T, StoreError> {
        match self.strike(|weather| vec![(Injury::ReadFailed, weather.reads)]) {
            Some(_) => Err(StoreError::Unavailable("injected: a read failed".to_owned())),
            None => read(&*self.inner),
        }
    }
}

leadledger::delegate_totals!(FaultyStore, inner);

impl std::fmt::Debug for FaultyStore {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("FaultyStore").field("injuries", &self.injuries).finish_non_exhaustive()
    }
}

impl Subscribers for FaultyStore {
    fn cursor(&self, name: &SubscriberName) -> Result<Option<Cursor>, StoreError> {
        self.read(|store| store.cursor(name))
    }

    fn advance(&self, name: &SubscriberName, from: Option<&Cursor>, to: &Cursor) -> Result<bool, StoreError> {
        self.read(|store| store.advance(name, from, to))
    }
}

impl Store for FaultyStore {
    fn lanes(&self) -> usize {
        self.inner.lanes()
    }

    fn transact(&self, lane: usize, scope: &Scope, work: &mut dyn FnMut(&mut Books)) -> Result<(), StoreError> {
        drop(self.hold());
        let unknown = || Err(StoreError::Unknown("injected: no acknowledgement".to_owned()));
        let away = || StoreError::Unavailable("injected: away".to_owned());
        let mut work = |books: &mut Books| {
            if let Err(panic) = catch_unwind(AssertUnwindSafe(|| work(books))) {
                self.injuries.panics.fetch_add(1, Ordering::SeqCst);
                resume_unwind(panic);
            }
        };
        // Books that are gone when the work is done are not written.
        let mut unwritten = |books: &mut Books| {
            work(books);
            books.clear();
        };
        match self.strike_commit() {
            None | Some(Injury::ReadFailed) => self.inner.transact(lane, scope, &mut work),
            Some(Injury::AckLost) => self.inner.transact(lane, scope, &mut work).and_then(|()| unknown()),
            Some(Injury::Undone) => self.inner.transact(lane, scope, &mut unwritten).and_then(|()| unknown()),
            Some(Injury::Crash) => self.inner.transact(lane, scope, &mut unwritten).and_then(|()| Err(away())),
            Some(Injury::Unavailable) => Err(away()),
            Some(Injury::Panic) => self.inner.transact(lane, scope, &mut |books| {
                unwritten(books);
                resume_unwind(Box::new(PANIC));
            }),
            Some(Injury::Unreadable) => self.inner.transact(lane, scope, &mut |books| {
                if let Some(book) = books.values_mut().next() {
                    *book = Err(away());
                }
                work(books);
            }),
        }
    }

    fn book(&self, merchant: MerchantId, needs: &Needs) -> Result<Book, StoreError> {
        self.read(|store| store.book(merchant, needs))
    }

    fn leads(&self, query: &LeadQuery) -> Result<Page<(LeadId, Lead)>, StoreError> {
        self.read(|store| store.leads(query))
    }

    fn journal(&self, query: &JournalQuery, limit: usize) -> Result<Page<Recorded>, StoreError> {
        self.read(|store| store.journal(query, limit))
    }

    fn books(&self, query: &BookQuery, limit: usize) -> Result<Vec<(MerchantId, Head)>, StoreError> {
        self.read(|store| store.books(query, limit))
    }
}
