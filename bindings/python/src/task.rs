//! Waiting for the ledger: blocking without the GIL and open to Ctrl-C, or on an asyncio loop.
//!
//! Answers come from the ledger's own threads. They must never wait for the GIL, so a waker notes which task has an
//! answer and writes a byte into a socket that the loop watches; the loop's thread then takes all that are there.

use std::future::Future;
use std::io::{Read as _, Write as _};
use std::os::fd::AsRawFd;
use std::os::unix::net::UnixStream;
use std::pin::Pin;
use std::sync::{Arc, Mutex, OnceLock, PoisonError};
use std::task::{Context, Poll, Wake, Waker};
use std::thread::{Thread, ThreadId};
use std::time::{Duration, Instant};

use leadledger_facade::{Answered, Form, Running};
use pyo3::exceptions::PyRuntimeError;
use pyo3::intern;
use pyo3::prelude::*;

use crate::errors::{Failure, guarded};
use crate::fork::Own;
use crate::give;
use crate::registry::Registry;

/// How often a wait looks whether Ctrl-C was pressed.
const SLICE: Duration = Duration::from_millis(50);

/// The thread that Python runs signal handlers in, once it is known.
pub(crate) static MAIN: OnceLock<ThreadId> = OnceLock::new();

/// What makes the answer a Python value.
#[derive(Clone)]
pub(crate) enum Gives {
    /// An operation's answer, by its name.
    Operation(&'static str),
    /// A value of this form.
    Form(Form),
}

impl Gives {
    fn give<'py>(&self, py: Python<'py>, answered: Answered) -> Result<Bound<'py, PyAny>, Failure> {
        let registry = Registry::get(py)?;
        let value = answered?;
        match self {
            Self::Operation(name) => give::answer(py, registry, registry.operation(name)?, &value),
            Self::Form(form) => give::give(py, registry, form, &value),
        }
    }
}

pub(crate) type Awaiting = Pin<Box<dyn Future<Output = Answered> + Send>>;

/// What is to be waited for.
pub(crate) enum Work {
    /// May be done in the thread that waits.
    Running(Running),
    /// Is done elsewhere.
    Awaiting(Awaiting),
}

impl Work {
    fn into_future(self) -> Awaiting {
        match self {
            Self::Running(running) => running.into_future(),
            Self::Awaiting(awaiting) => awaiting,
        }
    }
}

/// Something that was asked for. Nothing happens before it is waited for or run on a loop, once.
#[pyclass(frozen, module = "leadledger._native")]
pub(crate) struct Task {
    work: Own<Mutex<Option<Work>>>,
    gives: Gives,
}

impl Task {
    pub(crate) fn new(work: Work, gives: Gives) -> Self {
        Self { work: Own::new(Mutex::new(Some(work))), gives }
    }

    fn take(&self) -> Result<Work, Failure> {
        let taken = self.work.get()?.lock().unwrap_or_else(PoisonError::into_inner).take();
        taken.ok_or_else(|| PyRuntimeError::new_err("this was waited for already").into())
    }
}

struct Unpark(Thread);

impl Wake for Unpark {
    fn wake(self: Arc<Self>) {
        self.0.unpark();
    }
}

#[pymethods]
impl Task {
    /// Blocks until it is answered; none where it is not within `timeout` seconds.
    #[pyo3(signature = (timeout = None))]
    fn wait<'py>(&self, py: Python<'py>, timeout: Option<f64>) -> PyResult<Bound<'py, PyAny>> {
        guarded(py, || {
            let work = self.take()?;
            let elsewhere = MAIN.get().is_some_and(|main| *main != std::thread::current().id());
            let future = match work {
                // No signal is handled in this thread, so that it can do the work itself.
                Work::Running(running) if elsewhere && timeout.is_none() => {
                    let answered = py.detach(|| running.wait());
                    return self.gives.give(py, answered);
                }
                work => work.into_future(),
            };
            let timeout = timeout.map(|seconds| Duration::try_from_secs_f64(seconds.max(0.0)).unwrap_or(Duration::MAX));
            let until = timeout.and_then(|timeout| Instant::now().checked_add(timeout));
            match wait_for(py, future, timeout.is_some(), until)? {
                Some(answered) => self.gives.give(py, answered),
                None => Ok(py.None().into_bound(py)),
            }
        })
    }
}

/// Waits in slices, between which signals are handled. `until` counts where there is a timeout at all.
fn wait_for(
    py: Python<'_>,
    mut future: Awaiting,
    limited: bool,
    until: Option<Instant>,
) -> Result<Option<Answered>, Failure> {
    loop {
        let polled = py.detach(|| {
            let waker = Waker::from(Arc::new(Unpark(std::thread::current())));
            let mut context = Context::from_waker(&waker);
            let slice = Instant::now() + SLICE;
            loop {
                if let Poll::Ready(answered) = future.as_mut().poll(&mut context) {
                    return Some(answered);
                }
                let now = Instant::now();
                let end = until.filter(|_| limited).map_or(slice, |until| until.min(slice));
                if now >= end {
                    return None;
                }
                std::thread::park_timeout(end - now);
            }
        });
        if polled.is_some() {
            return Ok(polled);
        }
        py.check_signals()?;
        if limited && until.is_some_and(|until| Instant::now() >= until) {
            return Ok(None);
        }
    }
}

/// What wakers tell a loop.
struct Ready {
    /// Which tasks are to be looked at.
    tasks: Mutex<Vec<usize>>,
    bell: UnixStream,
    /// Here, so that a bell that nobody hears any more is no broken pipe, whose signal may end the process.
    heard: UnixStream,
}

struct Ring {
    ready: Arc<Ready>,
    task: usize,
}

impl Wake for Ring {
    fn wake(self: Arc<Self>) {
        let first = {
            let mut tasks = self.ready.tasks.lock().unwrap_or_else(PoisonError::into_inner);
            tasks.push(self.task);
            tasks.len() == 1
        };
        if first {
            // Where the socket is full the loop is told already.
            let _ = (&self.ready.bell).write(&[1]);
        }
    }
}

struct Waiting {
    future: Awaiting,
    gives: Gives,
    told: Py<PyAny>,
}

/// Tasks of one asyncio loop. All of it happens in the loop's thread, but for the wakers.
#[pyclass(frozen, module = "leadledger._native")]
pub(crate) struct Bridge {
    /// Of one process: a fork that ran the same loop on would take its parent's bytes out of the socket.
    sides: Own<Sides>,
    create_future: Py<PyAny>,
}

struct Sides {
    ready: Arc<Ready>,
    waiting: Mutex<Slots>,
}

#[derive(Default)]
struct Slots {
    slots: Vec<Option<Waiting>>,
    free: Vec<usize>,
}

#[pymethods]
impl Bridge {
    /// For the running loop, which has to call `drain` when the socket can be read.
    #[new]
    fn new(running_loop: &Bound<'_, PyAny>) -> PyResult<Self> {
        let (heard, bell) = UnixStream::pair()?;
        heard.set_nonblocking(true)?;
        bell.set_nonblocking(true)?;
        Ok(Self {
            sides: Own::new(Sides {
                ready: Arc::new(Ready { tasks: Mutex::default(), bell, heard }),
                waiting: Mutex::default(),
            }),
            create_future: running_loop.getattr("create_future")?.unbind(),
        })
    }

    /// The socket's number.
    fn fileno(&self, py: Python<'_>) -> PyResult<i32> {
        guarded(py, || Ok(self.sides.get()?.ready.heard.as_raw_fd()))
    }

    /// Begins a task, and gives the loop's future of its answer.
    fn run<'py>(&self, py: Python<'py>, task: &Task) -> PyResult<Bound<'py, PyAny>> {
        guarded(py, || {
            let sides = self.sides.get()?;
            let told = self.create_future.bind(py).call0()?;
            let future = task.take()?.into_future();
            sides.look(py, None, Waiting { future, gives: task.gives.clone(), told: told.clone().unbind() })?;
            Ok(told)
        })
    }

    /// Lets go of what nobody waits for any more: what may never be answered would else be kept for as long as the loop.
    fn sweep(&self, py: Python<'_>) -> PyResult<()> {
        guarded(py, || self.sides.get()?.sweep(py))
    }

    /// Gives every answer that has come to its future. What is wrong with one keeps no other from being given.
    fn drain(&self, py: Python<'_>) -> PyResult<()> {
        guarded(py, || {
            let sides = self.sides.get()?;
            let mut bytes = [0_u8; 64];
            while matches!((&sides.ready.heard).read(&mut bytes), Ok(read) if read == bytes.len()) {}
            let tasks = std::mem::take(&mut *sides.ready.tasks.lock().unwrap_or_else(PoisonError::into_inner));
            let mut outcome = Ok(());
            for task in tasks {
                if let Err(error) = guarded(py, || sides.answer(py, task)) {
                    outcome = Err(error.into());
                }
            }
            outcome
        })
    }
}

impl Sides {
    fn sweep(&self, py: Python<'_>) -> Result<(), Failure> {
        // Python is not asked while the lock is held.
        let all: Vec<(usize, Waiting)> = {
            let mut waiting = self.waiting.lock().unwrap_or_else(PoisonError::into_inner);
            let slots = waiting.slots.iter_mut().enumerate();
            slots.filter_map(|(task, slot)| slot.take().map(|taken| (task, taken))).collect()
        };
        for (task, taken) in all {
            if taken.told.bind(py).call_method0(intern!(py, "done"))?.is_truthy()? {
                self.free(task);
            } else {
                self.keep(task, taken);
            }
        }
        Ok(())
    }

    fn keep(&self, task: usize, waiting: Waiting) {
        if let Some(slot) = self.waiting.lock().unwrap_or_else(PoisonError::into_inner).slots.get_mut(task) {
            *slot = Some(waiting);
        }
    }

    fn free(&self, task: usize) {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner).free.push(task);
    }

    /// Looks at a task whose bell rang.
    fn answer(&self, py: Python<'_>, task: usize) -> Result<(), Failure> {
        let taken = {
            let mut waiting = self.waiting.lock().unwrap_or_else(PoisonError::into_inner);
            waiting.slots.get_mut(task).and_then(Option::take)
        };
        // A second ring of a task that was answered at the first.
        let Some(taken) = taken else { return Ok(()) };
        if taken.told.bind(py).call_method0(intern!(py, "done"))?.is_truthy()? {
            self.free(task);
            return Ok(());
        }
        self.look(py, Some(task), taken)
    }

    /// Polls a task, and keeps it where it is not answered yet.
    fn look(&self, py: Python<'_>, task: Option<usize>, mut waiting: Waiting) -> Result<(), Failure> {
        let task = task.unwrap_or_else(|| {
            let mut all = self.waiting.lock().unwrap_or_else(PoisonError::into_inner);
            let slots = &mut *all;
            slots.free.pop().unwrap_or_else(|| {
                slots.slots.push(None);
                slots.slots.len() - 1
            })
        });
        let waker = Waker::from(Arc::new(Ring { ready: Arc::clone(&self.ready), task }));
        match waiting.future.as_mut().poll(&mut Context::from_waker(&waker)) {
            Poll::Ready(answered) => {
                self.free(task);
                let told = waiting.told.bind(py);
                match waiting.gives.give(py, answered) {
                    Ok(value) => told.call_method1(intern!(py, "set_result"), (value,))?,
                    Err(failure) => told.call_method1(intern!(py, "set_exception"), (failure.raise(py),))?,
                };
            }
            Poll::Pending => self.keep(task, waiting),
        }
        Ok(())
    }
}
