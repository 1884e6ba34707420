//! A command, a read or an export that was asked for: to be waited for, or awaited on any runtime.

use std::future::{Future, IntoFuture};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::Pin;

use leadledger::{Call, Command, Done, Error, Read, StoreError};
use serde::Serialize;
use serde_json::{Value, json};

use crate::fault::{Family, Fault};

/// What was asked for gives: JSON in the form that its shape says.
pub type Answered = Result<Value, Fault>;
/// The same, awaited.
pub type Awaited = Pin<Box<dyn Future<Output = Answered> + Send>>;

/// Something that was asked for; nothing happens before it is waited for or awaited.
#[must_use = "nothing happens before it is waited for or awaited"]
pub struct Running(Box<dyn Run>);

trait Run: Send {
    fn wait(self: Box<Self>) -> Answered;
    fn into_future(self: Box<Self>) -> Awaited;
}

impl std::fmt::Debug for Running {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Running").finish_non_exhaustive()
    }
}

impl Running {
    /// Waits, in this thread.
    pub fn wait(self) -> Answered {
        self.0.wait()
    }

    pub(crate) fn command(name: &'static str, call: Call<()>) -> Self {
        Self(Box::new(OfCall { name, call }))
    }

    pub(crate) fn read<T: Send + 'static, F: Serialize>(
        read: Read<T>,
        make_flat: impl FnOnce(T) -> F + Send + 'static,
    ) -> Self {
        Self(Box::new(OfRead { read, make_flat }))
    }

    pub(crate) fn blocking<F: Serialize>(run: impl FnOnce() -> Result<F, Fault> + Send + 'static) -> Self {
        Self(Box::new(Blocking(run)))
    }
}

impl IntoFuture for Running {
    type Output = Answered;
    type IntoFuture = Awaited;

    fn into_future(self) -> Awaited {
        self.0.into_future()
    }
}

/// What a record says, as JSON.
pub(crate) fn flat<T: Serialize>(value: T) -> Answered {
    serde_json::to_value(value).map_err(|fault| Fault::new(Family::Internal, "internal", fault.to_string()))
}

struct OfCall {
    name: &'static str,
    call: Call<()>,
}

fn done(name: &str, done: Result<Done<()>, Error>) -> Answered {
    let Done { entry, replayed, .. } = done?;
    let answer = Command::answer_json(name, &entry);
    let answer = answer.ok_or_else(|| Error::Internal(format!("the entry does not hold the answer of {name}")))?;
    Ok(json!({ "answer": answer, "seq": entry.seq, "at": entry.at, "replayed": replayed }))
}

impl Run for OfCall {
    fn wait(self: Box<Self>) -> Answered {
        done(self.name, self.call.wait())
    }

    fn into_future(self: Box<Self>) -> Awaited {
        let (name, pending) = (self.name, self.call.into_future());
        Box::pin(async move { done(name, pending.await) })
    }
}

struct OfRead<T, M> {
    read: Read<T>,
    make_flat: M,
}

impl<T: Send + 'static, F: Serialize, M: FnOnce(T) -> F + Send + 'static> Run for OfRead<T, M> {
    fn wait(self: Box<Self>) -> Answered {
        flat((self.make_flat)(self.read.wait()?))
    }

    fn into_future(self: Box<Self>) -> Awaited {
        let Self { read, make_flat } = *self;
        let pending = read.into_future();
        Box::pin(async move { flat(make_flat(pending.await?)) })
    }
}

struct Blocking<R>(R);

impl<F: Serialize, R: FnOnce() -> Result<F, Fault> + Send + 'static> Run for Blocking<R> {
    fn wait(self: Box<Self>) -> Answered {
        let ran = catch_unwind(AssertUnwindSafe(self.0));
        let panicked = || Fault::new(Family::Internal, "internal", "internal fault: a panic in an export or import");
        flat(ran.unwrap_or_else(|_| Err(panicked()))?)
    }

    /// In a thread of its own: it goes on where nobody awaits it any more.
    fn into_future(self: Box<Self>) -> Awaited {
        let (sender, receiver) = futures_channel::oneshot::channel();
        let run = move || _ = sender.send(self.wait());
        let thread = std::thread::Builder::new().name("leadledger-file".to_owned()).spawn(run);
        Box::pin(async move {
            let no_thread = |fault: std::io::Error| StoreError::Unavailable(format!("no thread: {fault}"));
            thread.map_err(no_thread)?;
            let gone = |_| Fault::new(Family::Internal, "internal", "internal fault: the thread of a file is gone");
            receiver.await.map_err(gone)?
        })
    }
}
