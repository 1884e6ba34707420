//! Connections for reads: a bounded number, opened as they are needed, and handed from one read to the next.

use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};

use crate::link::Link;

/// See the module's text.
#[derive(Debug)]
pub(crate) struct Readers {
    state: Mutex<State>,
    freed: Condvar,
}

#[derive(Debug)]
struct State {
    idle: Vec<Link>,
    /// How many more reads may be made at once.
    free: usize,
}

/// A read's turn: with a connection, if one was idle. What it holds when it is dropped goes to the next.
#[derive(Debug)]
pub(crate) struct Turn<'r> {
    readers: &'r Readers,
    pub(crate) link: Option<Link>,
}

impl Readers {
    pub(crate) fn new(count: usize) -> Self {
        Self { state: Mutex::new(State { idle: Vec::new(), free: count.max(1) }), freed: Condvar::new() }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        // No code of others runs under this lock.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Waits for a turn.
    pub(crate) fn take(&self) -> Turn<'_> {
        let mut state = self.state();
        while state.free == 0 {
            state = self.freed.wait(state).unwrap_or_else(PoisonError::into_inner);
        }
        state.free -= 1;
        Turn { readers: self, link: state.idle.pop() }
    }
}

impl Drop for Turn<'_> {
    fn drop(&mut self) {
        let mut state = self.readers.state();
        state.free += 1;
        state.idle.extend(self.link.take());
        drop(state);
        self.readers.freed.notify_one();
    }
}
