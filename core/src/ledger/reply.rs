//! A one-shot reply: a future that needs no runtime, and blockable. Dropping the receiving half cancels nothing; a
//! sending half that is dropped unsent answers that the ledger is closed, so that nobody waits for ever.

use std::future::Future;
use std::pin::Pin;
use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::task::{Context, Poll, Waker};

use crate::error::Error;

#[derive(Debug)]
struct Slot<T> {
    state: Mutex<State<T>>,
    filled: Condvar,
}

#[derive(Debug)]
enum State<T> {
    Empty { waker: Option<Waker>, blocked: bool },
    Filled(Result<T, Error>),
    Taken,
}

/// The half that answers.
#[derive(Debug)]
pub(super) struct Sender<T>(Option<Arc<Slot<T>>>);

/// The half that waits.
#[derive(Debug)]
pub(super) struct Receiver<T>(Arc<Slot<T>>);

pub(super) fn channel<T>() -> (Sender<T>, Receiver<T>) {
    let slot =
        Arc::new(Slot { state: Mutex::new(State::Empty { waker: None, blocked: false }), filled: Condvar::new() });
    (Sender(Some(Arc::clone(&slot))), Receiver(slot))
}

/// Whoever waits for an answer that is there now, to be woken.
#[must_use = "whoever waits sleeps on"]
pub(super) struct Waiting<T> {
    slot: Arc<Slot<T>>,
    waker: Option<Waker>,
    blocked: bool,
}

impl<T> Waiting<T> {
    pub(super) fn wake(self) {
        if self.blocked {
            self.slot.filled.notify_all();
        }
        if let Some(waker) = self.waker {
            waker.wake();
        }
    }
}

fn fill<T>(slot: Arc<Slot<T>>, answer: Result<T, Error>) -> Option<Waiting<T>> {
    let mut state = slot.state.lock().unwrap_or_else(PoisonError::into_inner);
    let before = std::mem::replace(&mut *state, State::Filled(answer));
    drop(state);
    match before {
        State::Empty { waker, blocked } => Some(Waiting { slot, waker, blocked }),
        State::Filled(_) | State::Taken => None,
    }
}

impl<T> Sender<T> {
    /// Answers, and wakes whoever waits.
    pub(super) fn send(self, answer: Result<T, Error>) {
        if let Some(waiting) = self.fill(answer) {
            waiting.wake();
        }
    }

    /// Answers without waking, so that a batch's answers are all there before anybody wakes and asks for more.
    pub(super) fn fill(mut self, answer: Result<T, Error>) -> Option<Waiting<T>> {
        self.0.take().and_then(|slot| fill(slot, answer))
    }
}

impl<T> Drop for Sender<T> {
    fn drop(&mut self) {
        if let Some(waiting) = self.0.take().and_then(|slot| fill(slot, Err(Error::Closed))) {
            waiting.wake();
        }
    }
}

impl<T> Receiver<T> {
    /// Whether the answer is there.
    pub(super) fn is_answered(&self) -> bool {
        !matches!(*self.0.state.lock().unwrap_or_else(PoisonError::into_inner), State::Empty { .. })
    }

    pub(super) fn wait(self) -> Result<T, Error> {
        let mut state = self.0.state.lock().unwrap_or_else(PoisonError::into_inner);
        loop {
            match std::mem::replace(&mut *state, State::Taken) {
                State::Filled(answer) => return answer,
                State::Empty { waker, .. } => *state = State::Empty { waker, blocked: true },
                State::Taken => return Err(Error::Closed),
            }
            state = self.0.filled.wait(state).unwrap_or_else(PoisonError::into_inner);
        }
    }
}

impl<T> Future for Receiver<T> {
    type Output = Result<T, Error>;

    fn poll(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        let mut state = self.0.state.lock().unwrap_or_else(PoisonError::into_inner);
        match std::mem::replace(&mut *state, State::Taken) {
            State::Filled(answer) => Poll::Ready(answer),
            State::Empty { blocked, .. } => {
                *state = State::Empty { waker: Some(context.waker().clone()), blocked };
                Poll::Pending
            }
            State::Taken => Poll::Ready(Err(Error::Closed)),
        }
    }
}
