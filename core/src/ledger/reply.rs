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

impl<T> Slot<T> {
    fn fill(&self, answer: Result<T, Error>) {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        let before = std::mem::replace(&mut *state, State::Filled(answer));
        drop(state);
        if let State::Empty { waker, blocked } = before {
            if blocked {
                self.filled.notify_all();
            }
            if let Some(waker) = waker {
                waker.wake();
            }
        }
    }
}

impl<T> Sender<T> {
    pub(super) fn send(mut self, answer: Result<T, Error>) {
        if let Some(slot) = self.0.take() {
            slot.fill(answer);
        }
    }
}

impl<T> Drop for Sender<T> {
    fn drop(&mut self) {
        if let Some(slot) = self.0.take() {
            slot.fill(Err(Error::Closed));
        }
    }
}

impl<T> Receiver<T> {
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
