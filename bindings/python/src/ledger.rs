//! The ledger, its watches and its subscriptions, as Python holds them.

use std::sync::{Arc, Mutex, PoisonError, Weak};

use futures_util::lock::Mutex as AsyncMutex;
use leadledger::{
    Clock, Cursor, Error, Event, InvalidInput, Ledger, ManualClock, MerchantId, SubscriberName, Subscription,
    SystemClock, Timestamp, Watch,
};
use leadledger_facade::{Fault, Form, open_with, start};
use pyo3::prelude::*;
use pyo3::types::{PyDict, PyString, PyTuple};
use serde_json::{Map, Value, json};

use crate::errors::{Failure, guarded};
use crate::fork::Own;
use crate::give;
use crate::registry::Registry;
use crate::take::{arguments, take, text_of};
use crate::task::{Awaiting, Gives, Task, Work};

/// The fault, of the argument that people know.
fn named(argument: &str, fault: &InvalidInput) -> Failure {
    InvalidInput::new(fault.code(), argument, fault.message()).into()
}

fn closed() -> Failure {
    Fault::from(Error::Closed).into()
}

/// Lets go without the GIL: closing waits for the ledger's threads.
fn let_go<T: Send>(value: T) {
    let mut value = Some(value);
    let detached = Python::try_attach(|py| py.detach(|| drop(value.take())));
    // Where there is no interpreter any more nobody waits for the GIL either.
    if detached.is_none() {
        drop(value);
    }
}

type Slot<T> = Arc<Mutex<Option<T>>>;

fn inside<T: Clone>(slot: &Slot<T>) -> Result<T, Failure> {
    slot.lock().unwrap_or_else(PoisonError::into_inner).clone().ok_or_else(closed)
}

/// A ledger that is open, or was.
#[pyclass(frozen, module = "leadledger._native")]
pub(crate) struct Handle(Own<Inside>);

struct Inside {
    ledger: Slot<Ledger>,
    /// They keep the ledger open, so closing it takes them away.
    subscriptions: Mutex<Vec<Weak<Mutex<Option<Subscription>>>>>,
}

impl Drop for Inside {
    fn drop(&mut self) {
        let_go(self.ledger.lock().unwrap_or_else(PoisonError::into_inner).take());
    }
}

impl Handle {
    fn ledger(&self) -> Result<Ledger, Failure> {
        inside(&self.0.get()?.ledger)
    }
}

/// The JSON of a setup's fields.
fn setup(py: Python<'_>, registry: &Registry, given: &Bound<'_, PyDict>) -> Result<Map<String, Value>, Failure> {
    let mut fields = Map::new();
    for (name, form) in [
        ("time_zone", Form::Text),
        ("minimums", Form::Table(Box::new(Form::Text), Box::new(Form::Record("Minimums")))),
        ("queue", Form::Integer),
        ("batch", Form::Integer),
        ("readers", Form::Integer),
    ] {
        if let Some(value) = given.get_item(name)?.filter(|value| !value.is_none()) {
            fields.insert(name.to_owned(), take(py, registry, &form, &value, name)?);
        }
    }
    Ok(fields)
}

#[pymethods]
impl Handle {
    /// Opens the ledger at `url`. Blocks, without the GIL.
    #[staticmethod]
    fn open(
        py: Python<'_>,
        url: &Bound<'_, PyAny>,
        given: &Bound<'_, PyDict>,
        clock: Option<&Bound<'_, PyManualClock>>,
    ) -> PyResult<Self> {
        guarded(py, || {
            let registry = Registry::get(py)?;
            let Ok(url) = url.cast::<PyString>() else { return Err(Failure::wrong_type("url", "str", url)) };
            let url = text_of(url, "url")?;
            let given = setup(py, registry, given)?;
            let clock: Arc<dyn Clock> = match clock {
                None => Arc::new(SystemClock),
                Some(clock) => clock.get().0.clone(),
            };
            let ledger = py.detach(|| open_with(&url, given, clock))?;
            let ledger = Arc::new(Mutex::new(Some(ledger)));
            Ok(Self(Own::new(Inside { ledger, subscriptions: Mutex::default() })))
        })
    }

    /// Asks for an operation by name, with its arguments in the order of its shape.
    fn ask(&self, py: Python<'_>, name: &str, given: &Bound<'_, PyTuple>, key: &Bound<'_, PyAny>) -> PyResult<Task> {
        guarded(py, || {
            let ledger = self.ledger()?;
            let registry = Registry::get(py)?;
            let operation = registry.operation(name)?;
            let given = arguments(py, registry, operation, given)?;
            let key = match take(py, registry, &Form::Optional(Box::new(Form::Text)), key, "key")? {
                Value::String(key) => Some(key),
                _ => None,
            };
            let running = start(&ledger, operation.name, given, key.as_deref())?;
            Ok(Task::new(Work::Running(running), Gives::Operation(operation.name)))
        })
    }

    /// The ledger's time.
    fn now<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        guarded(py, || give::give(py, Registry::get(py)?, &Form::Time, &json!(self.ledger()?.now())))
    }

    /// Lets what was sent finish, and closes the ledger. Blocks, without the GIL. In a forked process it does nothing, so
    /// that the blocks that the parent had entered can be left there.
    fn close(&self, py: Python<'_>) -> PyResult<()> {
        guarded(py, || {
            let Ok(inside) = self.0.get() else { return Ok(()) };
            let subscriptions =
                std::mem::take(&mut *inside.subscriptions.lock().unwrap_or_else(PoisonError::into_inner));
            let ledger = inside.ledger.lock().unwrap_or_else(PoisonError::into_inner).take();
            py.detach(|| {
                for subscription in subscriptions.iter().filter_map(Weak::upgrade) {
                    drop(subscription.lock().unwrap_or_else(PoisonError::into_inner).take());
                }
                drop(ledger);
            });
            Ok(())
        })
    }

    /// Whether it was closed.
    fn is_closed(&self, py: Python<'_>) -> PyResult<bool> {
        guarded(py, || Ok(self.0.get()?.ledger.lock().unwrap_or_else(PoisonError::into_inner).is_none()))
    }

    /// Asks for a watch on a merchant's book, which `Watching.of` then holds.
    fn ask_watch(&self, py: Python<'_>, merchant: &Bound<'_, PyAny>) -> PyResult<(Task, Watching)> {
        guarded(py, || {
            let ledger = self.ledger()?;
            let merchant = take(py, Registry::get(py)?, &Form::Id, merchant, "merchant")?;
            let merchant: MerchantId = serde_json::from_value(merchant)
                .map_err(|fault| InvalidInput::new("invalid_id", "merchant", fault.to_string()))?;
            let watching: Slot<Arc<AsyncMutex<Watch>>> = Arc::default();
            let begun = Arc::clone(&watching);
            let begin: Awaiting = Box::pin(async move {
                let watch = ledger.watch(merchant).await?;
                drop(ledger);
                *begun.lock().unwrap_or_else(PoisonError::into_inner) = Some(Arc::new(AsyncMutex::new(watch)));
                Ok(Value::Null)
            });
            let task = Task::new(Work::Awaiting(begin), Gives::Form(Form::Nothing));
            Ok((task, Watching(Own::new(watching))))
        })
    }

    /// Asks for the subscription of this name, which `Subscribed` then holds.
    fn ask_subscribe(&self, py: Python<'_>, name: &Bound<'_, PyAny>) -> PyResult<(Task, Subscribed)> {
        guarded(py, || {
            let ledger = self.ledger()?;
            let name = take(py, Registry::get(py)?, &Form::Text, name, "name")?;
            let name = name.as_str().unwrap_or_default().to_owned();
            SubscriberName::new(name.as_str()).map_err(|fault| named("name", &fault))?;
            let slot: Slot<Subscription> = Arc::default();
            let mut subscriptions = self.0.get()?.subscriptions.lock().unwrap_or_else(PoisonError::into_inner);
            // Those that Python has let go of would otherwise be remembered for ever.
            subscriptions.retain(|subscription| subscription.strong_count() > 0);
            subscriptions.push(Arc::downgrade(&slot));
            drop(subscriptions);
            let begun = Arc::clone(&slot);
            let begin: Awaiting = Box::pin(async move {
                let subscription = ledger.subscribe(name).await?;
                drop(ledger);
                *begun.lock().unwrap_or_else(PoisonError::into_inner) = Some(subscription);
                Ok(Value::Null)
            });
            let task = Task::new(Work::Awaiting(begin), Gives::Form(Form::Nothing));
            Ok((task, Subscribed(Own::new(slot))))
        })
    }
}

fn events(events: &[Event]) -> Value {
    events.iter().map(Event::to_json).collect()
}

fn list_of_events() -> Gives {
    Gives::Form(Form::List(Box::new(Form::Event)))
}

/// A watch on a book.
#[pyclass(frozen, module = "leadledger._native")]
pub(crate) struct Watching(Own<Slot<Arc<AsyncMutex<Watch>>>>);

#[pymethods]
impl Watching {
    /// Asks for the next events. A task that is given up loses none.
    fn ask_changed(&self, py: Python<'_>) -> PyResult<Task> {
        guarded(py, || {
            let watch = inside(self.0.get()?)?;
            let next: Awaiting = Box::pin(async move {
                // Owned, so that giving up lets go of it.
                let mut watch = watch.lock_owned().await;
                Ok(events(&watch.changed().await?))
            });
            Ok(Task::new(Work::Awaiting(next), list_of_events()))
        })
    }

    /// The last entry whose events were given, or the head when it began; none while somebody waits for more.
    fn seq(&self, py: Python<'_>) -> PyResult<Option<u64>> {
        guarded(py, || Ok(inside(self.0.get()?)?.try_lock().map(|watch| watch.seq())))
    }

    /// Ends it. In a forked process it does nothing.
    fn close(&self, py: Python<'_>) -> PyResult<()> {
        guarded(py, || {
            let Ok(slot) = self.0.get() else { return Ok(()) };
            let taken = slot.lock().unwrap_or_else(PoisonError::into_inner).take();
            py.detach(|| drop(taken));
            Ok(())
        })
    }
}

/// A subscription.
#[pyclass(frozen, module = "leadledger._native")]
pub(crate) struct Subscribed(Own<Slot<Subscription>>);

impl Subscribed {
    fn task<T, F>(&self, py: Python<'_>, gives: Gives, ask: F) -> PyResult<Task>
    where
        F: FnOnce(&Subscription) -> Result<leadledger::Read<T>, Failure>,
        T: Send + Into<Told> + 'static,
    {
        guarded(py, || {
            let read = ask(&inside(self.0.get()?)?)?;
            let awaiting: Awaiting = Box::pin(async move { Ok(read.await?.into().0) });
            Ok(Task::new(Work::Awaiting(awaiting), gives))
        })
    }
}

/// What a subscription says, as JSON.
struct Told(Value);

impl From<()> for Told {
    fn from((): ()) -> Self {
        Self(Value::Null)
    }
}

impl From<Vec<Event>> for Told {
    fn from(given: Vec<Event>) -> Self {
        Self(events(&given))
    }
}

impl From<Option<Cursor>> for Told {
    fn from(cursor: Option<Cursor>) -> Self {
        Self(cursor.map_or(Value::Null, |cursor| Value::from(cursor.0)))
    }
}

#[pymethods]
impl Subscribed {
    fn ask_next(&self, py: Python<'_>, limit: usize) -> PyResult<Task> {
        self.task(py, list_of_events(), |subscription| Ok(subscription.next(limit)))
    }

    fn ask_ack(&self, py: Python<'_>) -> PyResult<Task> {
        self.task(py, Gives::Form(Form::Nothing), |subscription| Ok(subscription.ack()))
    }

    fn ask_position(&self, py: Python<'_>) -> PyResult<Task> {
        self.task(py, Gives::Form(Form::Optional(Box::new(Form::Text))), |subscription| Ok(subscription.position()))
    }

    fn ask_seek(&self, py: Python<'_>, to: &Bound<'_, PyAny>) -> PyResult<Task> {
        self.task(py, Gives::Form(Form::Nothing), |subscription| {
            let to = take(py, Registry::get(py)?, &Form::Optional(Box::new(Form::Text)), to, "to")?;
            Ok(subscription.seek(to.as_str().map(|text| Cursor(text.to_owned()))))
        })
    }
}

/// A clock that stands still until it is set: for tests, and for replaying a story.
#[pyclass(frozen, name = "ManualClock", module = "leadledger")]
pub(crate) struct PyManualClock(Arc<ManualClock>);

fn timestamp(py: Python<'_>, at: &Bound<'_, PyAny>) -> Result<Timestamp, Failure> {
    let text = take(py, Registry::get(py)?, &Form::Time, at, "at")?;
    let parsed = text.as_str().and_then(|text| text.parse().ok());
    parsed.ok_or_else(|| leadledger::InvalidInput::new("invalid_datetime", "at", "not a moment").into())
}

#[pymethods]
impl PyManualClock {
    /// A clock that says `at`, an aware datetime.
    #[new]
    fn new(py: Python<'_>, at: &Bound<'_, PyAny>) -> PyResult<Self> {
        guarded(py, || Ok(Self(Arc::new(ManualClock::new(timestamp(py, at)?)))))
    }

    /// Sets it, forwards or backwards.
    fn set(&self, py: Python<'_>, at: &Bound<'_, PyAny>) -> PyResult<()> {
        guarded(py, || {
            self.0.set(timestamp(py, at)?);
            Ok(())
        })
    }

    /// What it says.
    fn now<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        guarded(py, || give::give(py, Registry::get(py)?, &Form::Time, &json!(self.0.now())))
    }
}
