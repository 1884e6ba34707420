//! The native half of the Python package: it translates values and waits, and decides nothing. The other half
//! (`python/leadledger`) is classes and methods, most of them written by `generate` from the facade's tables.

// Unsafe only for forks (`fork.rs`), and where a record is made of its class (`give.rs`).
#![deny(unsafe_op_in_unsafe_fn)]

mod errors;
mod fork;
mod give;
mod ledger;
mod plain;
mod registry;
mod take;
mod task;

use pyo3::prelude::*;

/// The native half of leadledger.
#[pymodule]
mod _native {
    use leadledger_facade::function;
    use pyo3::prelude::*;
    use pyo3::types::{PyDict, PyTuple};

    #[pymodule_export]
    use crate::ledger::{Handle, PyManualClock, Subscribed, Watching};
    #[pymodule_export]
    use crate::task::{Bridge, Task};

    use crate::errors::guarded;
    use crate::registry::Registry;
    use crate::take::arguments;

    #[pymodule_init]
    fn init(module: &Bound<'_, PyModule>) -> PyResult<()> {
        let py = module.py();
        let threading = py.import("threading")?;
        let main = threading.call_method0("main_thread")?;
        if threading.call_method0("current_thread")?.is(&main) {
            let _ = crate::task::MAIN.set(std::thread::current().id());
        }
        crate::fork::count()?;
        module.add("__version__", env!("CARGO_PKG_VERSION"))
    }

    /// Takes the package's classes by name: records, events by type, exceptions, and the mark of what is left out.
    #[pyfunction]
    fn register(
        py: Python<'_>,
        records: &Bound<'_, PyDict>,
        events: &Bound<'_, PyDict>,
        errors: &Bound<'_, PyDict>,
        unset: Py<PyAny>,
    ) -> PyResult<()> {
        Registry::register(py, records, events, errors, unset)
    }

    /// Computes a function that needs no ledger, by name, with its arguments in the order of its shape.
    #[pyfunction]
    fn compute<'py>(py: Python<'py>, name: &str, given: &Bound<'py, PyTuple>) -> PyResult<Bound<'py, PyAny>> {
        guarded(py, || {
            let registry = Registry::get(py)?;
            let operation = registry.function(name)?;
            let given = arguments(py, registry, operation, given)?;
            let value = if operation.blocks { py.detach(|| function(name, given)) } else { function(name, given) }?;
            crate::give::give(py, registry, &operation.gives, &value)
        })
    }

    /// Panics, for the test that shows what becomes of a panic.
    #[pyfunction]
    fn plant_panic(py: Python<'_>) -> PyResult<()> {
        guarded(py, || {
            #[allow(clippy::panic)]
            {
                panic!("planted")
            }
        })
    }
}
