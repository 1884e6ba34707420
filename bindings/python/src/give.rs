//! Values to Python, in the forms that their shapes say.

use leadledger_facade::{Family, Fault, Form};
use pyo3::ffi;
use pyo3::intern;
use pyo3::prelude::*;
use pyo3::types::{PyBool, PyDict, PyString, PyTuple, PyType};
use serde_json::{Map, Value};

use crate::errors::Failure;
use crate::registry::{Operation, Record, Registry};

type Given<'py> = Result<Bound<'py, PyAny>, Failure>;

fn misshapen(form: &Form, value: &Value) -> Failure {
    Fault::new(Family::Internal, "internal", format!("internal fault: {value} is not of the form {form:?}")).into()
}

/// What an operation gives.
pub(crate) fn answer<'py>(py: Python<'py>, registry: &Registry, operation: &Operation, value: &Value) -> Given<'py> {
    if !operation.is_command {
        return give(py, registry, &operation.gives, value);
    }
    let Value::Object(done) = value else { return Err(misshapen(&operation.gives, value)) };
    let answer = give(py, registry, &operation.gives, done.get("answer").unwrap_or(&Value::Null))?;
    let made = object(py, registry, &registry.done, done)?;
    set(&made, intern!(py, "answer"), &answer)?;
    Ok(made)
}

/// A value of this form.
pub(crate) fn give<'py>(py: Python<'py>, registry: &Registry, form: &Form, value: &Value) -> Given<'py> {
    let python = &registry.python;
    Ok(match (form, value) {
        (Form::Nothing | Form::Optional(_), Value::Null) => py.None().into_bound(py),
        (Form::Optional(inner), value) => give(py, registry, inner, value)?,
        (Form::Text | Form::Choice(_), Value::String(text)) => PyString::new(py, text).into_any(),
        (Form::Integer, Value::Number(number)) => match (number.as_u64(), number.as_i64()) {
            (Some(number), _) => number.into_pyobject(py).map_err(PyErr::from)?.into_any(),
            (None, Some(number)) => number.into_pyobject(py).map_err(PyErr::from)?.into_any(),
            _ => return Err(misshapen(form, value)),
        },
        (Form::Flag, Value::Bool(flag)) => PyBool::new(py, *flag).to_owned().into_any(),
        (Form::Decimal, Value::String(text)) => python.decimal.bind(py).call1((text,))?,
        (Form::Id, Value::String(text)) => python.uuid.bind(py).call1((text,))?,
        (Form::Time, Value::String(text)) => {
            // Python 3.10 does not read the Z, nor fewer than six digits of a second.
            let (seconds, rest) = text.split_at_checked(19).ok_or_else(|| misshapen(form, value))?;
            let digits = rest.trim_start_matches('.').trim_end_matches('Z');
            python.moment_of.bind(py).call1((format!("{seconds}.{digits:0<6}+00:00"),))?
        }
        (Form::Day, Value::String(text)) => python.day_of.bind(py).call1((text,))?,
        (Form::Record(name), Value::Object(fields)) => object(py, registry, registry.record(name)?, fields)?,
        (Form::Event, Value::Object(fields)) => {
            let kind = fields.get("type").and_then(Value::as_str).unwrap_or_default();
            object(py, registry, registry.event(kind)?, fields)?
        }
        (Form::List(inner), Value::Array(items)) => {
            let items = items.iter().map(|item| give(py, registry, inner, item)).collect::<Result<Vec<_>, _>>()?;
            PyTuple::new(py, items)?.into_any()
        }
        (Form::Table(key, inner), Value::Object(rows)) => {
            let made = PyDict::new(py);
            for (name, row) in rows {
                let name = give(py, registry, key, &Value::from(name.as_str()))?;
                made.set_item(name, give(py, registry, inner, row)?)?;
            }
            made.into_any()
        }
        _ => return Err(misshapen(form, value)),
    })
}

/// An instance of a record's class, which is frozen: made as its own constructor does, but without going through it.
fn object<'py>(py: Python<'py>, registry: &Registry, record: &Record, fields: &Map<String, Value>) -> Given<'py> {
    let made = new(record.class.bind(py))?;
    for field in &record.fields {
        // What is not there is null: texts that are left out where there is nothing to say.
        let value = give(py, registry, &field.form, fields.get(field.name).unwrap_or(&Value::Null))?;
        set(&made, field.attribute.bind(py), &value)?;
    }
    Ok(made)
}

/// `object.__new__(class)`, of a class that adds nothing to it but slots: half of what a call costs.
fn new<'py>(class: &Bound<'py, PyType>) -> PyResult<Bound<'py, PyAny>> {
    // SAFETY: the class is a dataclass of the package's, with `object`'s layout and its own slots, which may be empty; the
    // object that is given is owned, or null with the exception set.
    unsafe { Bound::from_owned_ptr_or_err(class.py(), ffi::PyType_GenericAlloc(class.as_type_ptr(), 0)) }
}

/// `object.__setattr__(made, name, value)`: the class's own refuses, since it is frozen.
fn set(made: &Bound<'_, PyAny>, name: &Bound<'_, PyString>, value: &Bound<'_, PyAny>) -> PyResult<()> {
    // SAFETY: all three are alive, and the GIL is held.
    match unsafe { ffi::PyObject_GenericSetAttr(made.as_ptr(), name.as_ptr(), value.as_ptr()) } {
        0 => Ok(()),
        _ => Err(PyErr::fetch(made.py())),
    }
}
