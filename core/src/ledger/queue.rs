//! A worker's bounded queue: callers wait for room, blocking or as a future; the worker takes all that is there.

use std::collections::VecDeque;
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::task::Waker;

#[derive(Debug)]
pub(super) struct Queue<T> {
    state: Mutex<State<T>>,
    filled: Condvar,
    drained: Condvar,
    capacity: usize,
}

#[derive(Debug)]
struct State<T> {
    jobs: VecDeque<T>,
    waiting: Vec<Waker>,
    closed: bool,
    /// Whether the worker sleeps: only then does a push have to wake it.
    idle: bool,
}

/// Why a job was not taken; it comes back.
pub(super) enum Rejected<T> {
    Full(T),
    Closed,
}

impl<T> Queue<T> {
    pub(super) fn new(capacity: usize) -> Self {
        let state = State { jobs: VecDeque::new(), waiting: Vec::new(), closed: false, idle: false };
        Self { state: Mutex::new(state), filled: Condvar::new(), drained: Condvar::new(), capacity: capacity.max(1) }
    }

    fn lock(&self) -> MutexGuard<'_, State<T>> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Adds a job where there is room; else, with a `waker`, has it woken when there is.
    pub(super) fn try_push(&self, job: T, waker: Option<&Waker>) -> Result<(), Rejected<T>> {
        let mut state = self.lock();
        if state.closed {
            return Err(Rejected::Closed);
        }
        if state.jobs.len() >= self.capacity {
            state.waiting.extend(waker.cloned());
            return Err(Rejected::Full(job));
        }
        state.jobs.push_back(job);
        if state.idle {
            self.filled.notify_one();
        }
        Ok(())
    }

    /// Adds a job, waiting for room; false where the queue is closed.
    pub(super) fn push(&self, job: T) -> bool {
        let mut state = self.lock();
        while state.jobs.len() >= self.capacity && !state.closed {
            state = self.drained.wait(state).unwrap_or_else(PoisonError::into_inner);
        }
        if state.closed {
            return false;
        }
        state.jobs.push_back(job);
        if state.idle {
            self.filled.notify_one();
        }
        true
    }

    /// Takes what is there, at most `most`, after waiting for the first; none once the queue is closed and empty.
    pub(super) fn take(&self, most: usize) -> Option<Vec<T>> {
        let mut state = self.lock();
        while state.jobs.is_empty() {
            if state.closed {
                return None;
            }
            state.idle = true;
            state = self.filled.wait(state).unwrap_or_else(PoisonError::into_inner);
        }
        state.idle = false;
        let count = state.jobs.len().min(most.max(1));
        let taken = state.jobs.drain(..count).collect();
        let waiting = std::mem::take(&mut state.waiting);
        drop(state);
        self.drained.notify_all();
        waiting.into_iter().for_each(Waker::wake);
        Some(taken)
    }

    /// Takes no more jobs; those that are there will still be taken.
    pub(super) fn close(&self) {
        let mut state = self.lock();
        state.closed = true;
        let waiting = std::mem::take(&mut state.waiting);
        drop(state);
        self.filled.notify_all();
        self.drained.notify_all();
        waiting.into_iter().for_each(Waker::wake);
    }
}
