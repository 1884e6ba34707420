//! JSON as plain Python values: what errors say of themselves.

use pyo3::prelude::*;
use pyo3::types::{PyBool, PyDict, PyList, PyString};
use serde_json::{Map, Value};

/// A fault's details as a dictionary of plain values.
pub(crate) fn details<'py>(py: Python<'py>, details: &Map<String, Value>) -> PyResult<Bound<'py, PyDict>> {
    let made = PyDict::new(py);
    for (name, value) in details {
        made.set_item(name, plain(py, value)?)?;
    }
    Ok(made)
}

fn plain<'py>(py: Python<'py>, value: &Value) -> PyResult<Bound<'py, PyAny>> {
    Ok(match value {
        Value::Null => py.None().into_bound(py),
        Value::Bool(flag) => PyBool::new(py, *flag).to_owned().into_any(),
        Value::Number(number) => match number.as_i64() {
            Some(number) => number.into_pyobject(py)?.into_any(),
            None => PyString::new(py, &number.to_string()).into_any(),
        },
        Value::String(text) => PyString::new(py, text).into_any(),
        Value::Array(items) => {
            PyList::new(py, items.iter().map(|item| plain(py, item)).collect::<PyResult<Vec<_>>>()?)?.into_any()
        }
        Value::Object(fields) => details(py, fields)?.into_any(),
    })
}
