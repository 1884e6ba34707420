//! Rows of one kind in a book that may be loaded only in part: what is known to be there, what is known to be
//! absent, and what changed since it was loaded.

use std::hash::Hash;

// The keys are ids from outside: a seeded hash, several times faster than the standard one.
use foldhash::{HashMap, HashMapExt, HashSet, HashSetExt};

/// Rows by key. A partly loaded set answers only for the keys that were loaded; asking for another is a fault of the
/// engine and stops it, since "not loaded" must never pass for "does not exist".
#[derive(Clone, Debug)]
pub struct Rows<K, V> {
    known: HashMap<K, Option<V>>,
    changed: HashSet<K>,
    complete: bool,
}

impl<K: Clone + Eq + Hash + std::fmt::Debug, V> Rows<K, V> {
    /// All rows are here: a key that is not has no row.
    pub fn complete() -> Self {
        Self { known: HashMap::new(), changed: HashSet::new(), complete: true }
    }

    /// Only what [`Rows::load`] brings is known.
    pub fn partial() -> Self {
        Self { known: HashMap::new(), changed: HashSet::new(), complete: false }
    }

    /// From now on, only what is here is known: rows may come that are not.
    pub(crate) fn make_partial(&mut self) {
        self.complete = false;
    }

    /// Whether the row of `key` is known, be it there or absent.
    pub fn knows(&self, key: &K) -> bool {
        self.complete || self.known.contains_key(key)
    }

    /// Takes a row as the store has it; none: the store has no such row.
    pub fn load(&mut self, key: K, row: Option<V>) {
        self.known.insert(key, row);
    }

    /// The row of `key`.
    pub fn get(&self, key: &K) -> Option<&V> {
        match self.known.get(key) {
            Some(row) => row.as_ref(),
            None => {
                assert!(self.complete, "row {key:?} was not loaded");
                None
            }
        }
    }

    /// Adds or replaces a row, and notes the change.
    pub(crate) fn put(&mut self, key: K, row: V) {
        self.changed.insert(key.clone());
        self.known.insert(key, Some(row));
    }

    /// Removes a row, and notes the change.
    pub(crate) fn remove(&mut self, key: &K) {
        self.changed.insert(key.clone());
        self.known.insert(key.clone(), None);
    }

    /// The row of `key`, to be changed.
    pub(crate) fn change(&mut self, key: &K) -> Option<&mut V> {
        let row = self.known.get_mut(key)?.as_mut()?;
        self.changed.insert(key.clone());
        Some(row)
    }

    /// All rows that are there, in no order.
    pub fn iter(&self) -> impl Iterator<Item = (&K, &V)> {
        self.known.iter().filter_map(|(key, row)| row.as_ref().map(|row| (key, row)))
    }

    /// What changed since the last call: the key, and the row or none where it was removed.
    pub fn changes(&self) -> impl Iterator<Item = (&K, Option<&V>)> {
        self.changed.iter().map(|key| (key, self.known.get(key).and_then(Option::as_ref)))
    }

    /// Forgets what changed, once it is stored.
    pub fn settle_changes(&mut self) {
        self.changed.clear();
    }

    /// All keys that are known, be their rows there or absent, in no order.
    pub fn keys(&self) -> impl Iterator<Item = &K> {
        self.known.keys()
    }

    /// How many keys are known.
    pub fn known(&self) -> usize {
        self.known.len()
    }

    /// Forgets all rows of a partly loaded set; they must be loaded again.
    pub fn forget(&mut self) {
        if !self.complete {
            self.known.clear();
            self.changed.clear();
        }
    }
}
