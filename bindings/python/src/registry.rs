//! What the Python half of the package has told this one: its classes, and what each operation takes and gives.

use std::collections::HashMap;

use leadledger::{Command, EventBody, FieldShape};
use leadledger_facade::{FUNCTIONS, Form, READS, records};
use pyo3::exceptions::{PyKeyError, PyRuntimeError};
use pyo3::prelude::*;
use pyo3::sync::PyOnceLock;
use pyo3::types::{PyDict, PyString, PyType};

/// What an operation takes and gives.
pub(crate) struct Operation {
    pub(crate) name: &'static str,
    pub(crate) fields: Vec<Field>,
    pub(crate) gives: Form,
    /// Whether what it gives is a command's answer, with what is said of its entry.
    pub(crate) is_command: bool,
    /// Of a function: whether it may take long.
    pub(crate) blocks: bool,
}

/// A field of an operation or of a record.
pub(crate) struct Field {
    pub(crate) name: &'static str,
    /// The same, as Python has it.
    pub(crate) attribute: Py<PyString>,
    pub(crate) form: Form,
    pub(crate) required: bool,
}

/// A record's or an event's class.
pub(crate) struct Record {
    pub(crate) class: Py<PyType>,
    pub(crate) fields: Vec<Field>,
}

/// Python's own classes and functions that values are made of.
pub(crate) struct Python3 {
    pub(crate) decimal: Py<PyAny>,
    pub(crate) uuid: Py<PyAny>,
    pub(crate) datetime: Py<PyAny>,
    pub(crate) date: Py<PyAny>,
    pub(crate) timedelta: Py<PyAny>,
    pub(crate) utc: Py<PyAny>,
    pub(crate) moment_of: Py<PyAny>,
    pub(crate) day_of: Py<PyAny>,
    pub(crate) unset: Py<PyAny>,
    pub(crate) mapping: Py<PyAny>,
}

/// Everything that is looked up.
pub(crate) struct Registry {
    pub(crate) python: Python3,
    pub(crate) done: Record,
    operations: HashMap<&'static str, Operation>,
    functions: HashMap<&'static str, Operation>,
    records: HashMap<&'static str, Record>,
    events: HashMap<&'static str, Record>,
    errors: HashMap<String, Py<PyAny>>,
}

static REGISTRY: PyOnceLock<Registry> = PyOnceLock::new();

fn fields(py: Python<'_>, shapes: &[FieldShape]) -> PyResult<Vec<Field>> {
    let field = |shape: &FieldShape| {
        let unknown = || PyRuntimeError::new_err(format!("{}: no form for {}", shape.name, shape.form));
        let form = Form::of(shape.form).ok_or_else(unknown)?;
        let attribute = PyString::intern(py, shape.name).unbind();
        Ok(Field { name: shape.name, attribute, form, required: shape.required })
    };
    shapes.iter().map(field).collect()
}

fn operation(
    py: Python<'_>,
    name: &'static str,
    shapes: &[FieldShape],
    gives: &str,
) -> PyResult<(&'static str, Operation)> {
    let unknown = || PyRuntimeError::new_err(format!("{name}: no form for {gives}"));
    let gives = Form::of(gives).ok_or_else(unknown)?;
    let made = Operation { name, fields: fields(py, shapes)?, gives, is_command: false, blocks: false };
    Ok((name, made))
}

impl Registry {
    /// Refuses before the package has registered its classes.
    pub(crate) fn get(py: Python<'_>) -> PyResult<&Self> {
        REGISTRY.get(py).ok_or_else(|| PyRuntimeError::new_err("leadledger was not imported whole"))
    }

    /// Takes the package's classes by name: records, events (by type), exceptions, and the mark of what is left out.
    pub(crate) fn register(
        py: Python<'_>,
        classes: &Bound<'_, PyDict>,
        event_classes: &Bound<'_, PyDict>,
        errors: &Bound<'_, PyDict>,
        unset: Py<PyAny>,
    ) -> PyResult<()> {
        let class = |of: &Bound<'_, PyDict>, name: &str| -> PyResult<Py<PyType>> {
            let found = of.get_item(name)?.ok_or_else(|| PyKeyError::new_err(name.to_owned()))?;
            Ok(found.cast_into::<PyType>()?.unbind())
        };
        let import = |module: &str, name: &str| py.import(module)?.getattr(name);
        let datetime = import("datetime", "datetime")?;
        let date = import("datetime", "date")?;
        let python = Python3 {
            decimal: import("decimal", "Decimal")?.unbind(),
            uuid: import("uuid", "UUID")?.unbind(),
            moment_of: datetime.getattr("fromisoformat")?.unbind(),
            day_of: date.getattr("fromisoformat")?.unbind(),
            datetime: datetime.unbind(),
            date: date.unbind(),
            timedelta: import("datetime", "timedelta")?.unbind(),
            utc: import("datetime", "timezone")?.getattr("utc")?.unbind(),
            mapping: import("collections.abc", "Mapping")?.unbind(),
            unset,
        };
        let mut registry = Self {
            python,
            done: Record { class: class(classes, "Done")?, fields: fields(py, DONE)? },
            operations: HashMap::new(),
            functions: HashMap::new(),
            records: HashMap::new(),
            events: HashMap::new(),
            errors: errors.extract()?,
        };
        for shape in Command::SHAPES {
            let (name, made) = operation(py, shape.name, shape.fields, shape.answer)?;
            registry.operations.insert(name, Operation { is_command: true, ..made });
        }
        for shape in READS {
            let (name, made) = operation(py, shape.name, shape.fields, shape.gives)?;
            registry.operations.insert(name, made);
        }
        for shape in FUNCTIONS {
            let (name, made) = operation(py, shape.name, shape.fields, shape.gives)?;
            registry.functions.insert(name, Operation { blocks: shape.blocks, ..made });
        }
        for shape in records() {
            let record = Record { class: class(classes, shape.name)?, fields: fields(py, shape.fields)? };
            registry.records.insert(shape.name, record);
        }
        for (name, shape) in EventBody::NAMES.iter().zip(EventBody::SHAPES) {
            let mut all = fields(py, EVENT)?;
            all.extend(fields(py, shape.fields)?);
            registry.events.insert(name, Record { class: class(event_classes, name)?, fields: all });
        }
        REGISTRY.set(py, registry).map_err(|_| PyRuntimeError::new_err("leadledger is registered already"))
    }

    pub(crate) fn operation(&self, name: &str) -> PyResult<&Operation> {
        self.operations.get(name).ok_or_else(|| PyKeyError::new_err(name.to_owned()))
    }

    pub(crate) fn function(&self, name: &str) -> PyResult<&Operation> {
        self.functions.get(name).ok_or_else(|| PyKeyError::new_err(name.to_owned()))
    }

    pub(crate) fn record(&self, name: &str) -> PyResult<&Record> {
        self.records.get(name).ok_or_else(|| PyKeyError::new_err(name.to_owned()))
    }

    pub(crate) fn event(&self, name: &str) -> PyResult<&Record> {
        self.events.get(name).ok_or_else(|| PyKeyError::new_err(name.to_owned()))
    }

    pub(crate) fn error<'py>(&self, py: Python<'py>, name: &str) -> PyResult<&Bound<'py, PyAny>> {
        self.errors.get(name).map(|class| class.bind(py)).ok_or_else(|| PyKeyError::new_err(name.to_owned()))
    }
}

const fn shape(name: &'static str, form: &'static str) -> FieldShape {
    FieldShape { name, form, required: true, about: "" }
}

/// What every event has.
const EVENT: &[FieldShape] = &[
    shape("merchant", "MerchantId"),
    shape("seq", "u64"),
    shape("index", "u32"),
    shape("at", "Timestamp"),
    shape("kind", "Kind"),
];

/// What is said of an accepted command's entry, beside the answer.
const DONE: &[FieldShape] = &[shape("seq", "u64"), shape("at", "Timestamp"), shape("replayed", "bool")];
