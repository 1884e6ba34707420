//! Faults as exceptions of the package's tree. Nothing here panics across the border: what does becomes `Internal`.

use std::panic::{AssertUnwindSafe, catch_unwind};

use leadledger_facade::{Family, Fault};
use pyo3::exceptions::PyTypeError;
use pyo3::prelude::*;

use crate::registry::Registry;

/// Why something asked for from Python fails.
pub(crate) enum Failure {
    /// In the ledger, or in a value.
    Fault(Box<Fault>),
    /// An exception of Python's own, such as a `TypeError`.
    Python(PyErr),
}

impl From<Fault> for Failure {
    fn from(fault: Fault) -> Self {
        Self::Fault(Box::new(fault))
    }
}

impl From<PyErr> for Failure {
    fn from(error: PyErr) -> Self {
        Self::Python(error)
    }
}

impl From<leadledger::InvalidInput> for Failure {
    fn from(input: leadledger::InvalidInput) -> Self {
        Fault::from(input).into()
    }
}

impl Failure {
    pub(crate) fn wrong_type(field: &str, expected: &str, given: &Bound<'_, PyAny>) -> Self {
        let name = given.get_type().name().map_or_else(|_| "an object".to_owned(), |name| name.to_string());
        Self::Python(PyTypeError::new_err(format!("{field}: {expected}, not {name}")))
    }

    /// As an exception.
    pub(crate) fn raise(self, py: Python<'_>) -> PyErr {
        match self {
            Self::Python(error) => error,
            Self::Fault(fault) => exception(py, &fault).unwrap_or_else(|error| error),
        }
    }
}

/// The exception of a fault: its family's class, made of code, message, details and whether it passes.
fn exception(py: Python<'_>, fault: &Fault) -> PyResult<PyErr> {
    let registry = Registry::get(py)?;
    let name = if fault.code == FORKED {
        "ForkedLedger"
    } else {
        match fault.family {
            Family::Refused => "Refused",
            Family::InvalidInput => "InvalidInput",
            Family::StoreUnavailable => "StoreUnavailable",
            Family::StoreUnusable => "StoreUnusable",
            Family::CheckFailed => "CheckFailed",
            Family::Closed => "Closed",
            Family::Internal => "Internal",
        }
    };
    let details = crate::plain::details(py, &fault.details)?;
    let made = registry.error(py, name)?.call1((fault.code, &fault.message, details, fault.transient))?;
    Ok(PyErr::from_value(made))
}

const FORKED: &str = "forked";

/// What a ledger that another process opened answers.
pub(crate) fn forked() -> Failure {
    let what = "this ledger was opened before the process forked: open one in each process";
    Fault::new(Family::Closed, FORKED, what).into()
}

/// Runs what belongs to the border. A panic is an `Internal` fault, and no end of the process.
pub(crate) fn guarded<T>(py: Python<'_>, run: impl FnOnce() -> Result<T, Failure>) -> PyResult<T> {
    let ran = catch_unwind(AssertUnwindSafe(run)).unwrap_or_else(|panic| {
        let said = panic.downcast_ref::<&str>().map(ToString::to_string);
        let said = said.or_else(|| panic.downcast_ref::<String>().cloned()).unwrap_or_default();
        Err(Fault::new(Family::Internal, "internal", format!("internal fault: {said}")).into())
    });
    ran.map_err(|failure| failure.raise(py))
}
