//! What is kept in memory between batches: books as they were last committed, and which of them are being worked on.
//!
//! A book is worked on by one batch at a time, whoever asks: a batch claims all its books at once, and waits while one
//! of them is claimed. What is kept is true as long as no other connection has written; each time one has, a new
//! epoch begins and all of it is forgotten.

use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};

use foldhash::{HashMap, HashMapExt, HashSet, HashSetExt};
use leadledger::{DueLoaded, MerchantId};

use crate::load::Loaded;

/// Rows that grow with the books and are kept, over all books, at most.
const KEPT_ROWS: usize = 131_072;
/// Books that are kept, at most.
const KEPT_BOOKS: usize = 16_384;

/// See the module's text.
#[derive(Debug)]
pub(crate) struct Kept {
    state: Mutex<State>,
    freed: Condvar,
}

#[derive(Debug)]
struct State {
    books: HashMap<MerchantId, Loaded>,
    rows: usize,
    epoch: u64,
    claimed: HashSet<MerchantId>,
}

/// Books that are claimed, until this is dropped.
pub(crate) struct Claim<'k> {
    kept: &'k Kept,
    merchants: Vec<MerchantId>,
    /// The epoch in which they were claimed.
    pub(crate) epoch: u64,
}

impl Kept {
    pub(crate) fn new() -> Self {
        let state = State { books: HashMap::new(), rows: 0, epoch: 0, claimed: HashSet::new() };
        Self { state: Mutex::new(state), freed: Condvar::new() }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        // No code of others runs under this lock.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Claims books, and takes out what is kept of them.
    pub(crate) fn claim(&self, merchants: Vec<MerchantId>) -> (Claim<'_>, HashMap<MerchantId, Loaded>) {
        let mut state = self.state();
        while merchants.iter().any(|merchant| state.claimed.contains(merchant)) {
            state = self.freed.wait(state).unwrap_or_else(PoisonError::into_inner);
        }
        let mut taken = HashMap::with_capacity(merchants.len());
        for merchant in &merchants {
            state.claimed.insert(*merchant);
            if let Some(loaded) = state.books.remove(merchant) {
                state.rows = state.rows.saturating_sub(loaded.weight());
                taken.insert(*merchant, loaded);
            }
        }
        let epoch = state.epoch;
        (Claim { kept: self, merchants, epoch }, taken)
    }

    /// Keeps books as they were committed in `epoch`, unless that is over.
    pub(crate) fn keep(&self, books: Vec<Loaded>, epoch: u64) {
        let mut state = self.state();
        if state.epoch == epoch {
            for loaded in books {
                state.keep(loaded);
            }
        }
    }

    /// Another connection has written, or may have: nothing that was kept is known to be true.
    pub(crate) fn begin_epoch(&self, epoch: u64) {
        let mut state = self.state();
        state.books.clear();
        state.rows = 0;
        state.epoch = epoch;
    }
}

impl Drop for Claim<'_> {
    fn drop(&mut self) {
        let mut state = self.kept.state();
        for merchant in &self.merchants {
            state.claimed.remove(merchant);
        }
        drop(state);
        self.kept.freed.notify_all();
    }
}

impl State {
    fn keep(&mut self, mut loaded: Loaded) {
        if loaded.place.whole {
            return;
        }
        loaded.book.settle_changes();
        loaded.book.due_loaded = DueLoaded::Some;
        loaded.book.private.clear();
        // These answer one batch only.
        loaded.book.keys.forget();
        loaded.book.successes.forget();
        loaded.book.references.forget();
        loaded.book.top_ups.forget();
        loaded.book.payouts.forget();
        loaded.book.days.forget();
        if self.rows.saturating_add(loaded.weight()) > KEPT_ROWS {
            self.books.values_mut().for_each(Loaded::forget_large);
            self.rows = self.books.values().map(Loaded::weight).sum();
            loaded.forget_large();
        }
        if self.books.len() >= KEPT_BOOKS {
            self.books.clear();
            self.rows = 0;
        }
        self.rows = self.rows.saturating_add(loaded.weight());
        self.books.insert(loaded.book.merchant, loaded);
    }
}
