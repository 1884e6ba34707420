//! Values from Python, in the forms that their shapes say. A value of a wrong type is a `TypeError` that names the
//! argument; one that its form cannot have is an `InvalidInput`.

use leadledger::InvalidInput;
use leadledger_facade::Form;
use pyo3::prelude::*;
use pyo3::types::{PyBool, PyBytes, PyDict, PyFloat, PyInt, PyString, PyTuple};
use serde_json::{Map, Value};

use crate::errors::Failure;
use crate::registry::{Operation, Registry};

type Taken = Result<Value, Failure>;

/// Digits before or after the point beyond which all decimals meet the same refusal: no amount has as many.
const MOST_DIGITS: i64 = 1_000;

/// The arguments of an operation by name; those that are left out are not there.
pub(crate) fn arguments(
    py: Python<'_>,
    registry: &Registry,
    operation: &Operation,
    given: &Bound<'_, PyTuple>,
) -> Result<Map<String, Value>, Failure> {
    let mut arguments = Map::new();
    let unset = registry.python.unset.bind(py);
    for (field, value) in operation.fields.iter().zip(given.iter_borrowed()) {
        let nullable = matches!(field.form, Form::Optional(_));
        if value.is(unset) || (!field.required && !nullable && value.is_none()) {
            continue;
        }
        arguments.insert(field.name.to_owned(), take(py, registry, &field.form, &value, field.name)?);
    }
    Ok(arguments)
}

fn invalid(code: &'static str, field: &str, what: &str) -> Failure {
    InvalidInput::new(code, field, what).into()
}

/// A value of this form; `field` is what it is called.
pub(crate) fn take(py: Python<'_>, registry: &Registry, form: &Form, value: &Bound<'_, PyAny>, field: &str) -> Taken {
    let python = &registry.python;
    let is = |class: &Py<PyAny>| value.is_instance(class.bind(py));
    let wrong = |expected: &str| Err(Failure::wrong_type(field, expected, value));
    match form {
        Form::Optional(_) | Form::Nothing if value.is_none() => Ok(Value::Null),
        Form::Optional(inner) => take(py, registry, inner, value, field),
        Form::Nothing => wrong("None"),
        Form::Text | Form::Choice(_) => match value.cast::<PyString>() {
            Ok(text) => Ok(Value::String(text_of(text, field)?)),
            Err(_) => wrong("str"),
        },
        Form::Path => {
            if value.is_instance_of::<PyBytes>() {
                return wrong("str or os.PathLike");
            }
            let Ok(path) = value.extract::<std::path::PathBuf>() else { return wrong("str or os.PathLike") };
            let text = path.into_os_string().into_string();
            let text = text.map_err(|_| invalid("invalid_text", field, "the path is not Unicode"))?;
            if text.is_empty() || text.contains('\0') {
                return Err(invalid("invalid_text", field, "a path is not empty and has no NUL"));
            }
            Ok(Value::String(text))
        }
        Form::Flag => match value.cast::<PyBool>() {
            Ok(flag) => Ok(Value::Bool(flag.is_true())),
            Err(_) => wrong("bool"),
        },
        Form::Integer if is_integer(value) => integer(value, field),
        Form::Integer => wrong("int"),
        Form::Decimal => decimal(py, registry, value, field),
        Form::Id => {
            if is(&python.uuid)? {
                return Ok(Value::String(value.str()?.to_str()?.to_owned()));
            }
            let Ok(text) = value.cast::<PyString>() else { return wrong("UUID or str") };
            let text = text_of(text, field)?;
            if text.parse::<leadledger::MerchantId>().is_err() {
                let shown: String = text.chars().take(64).collect();
                return Err(invalid("invalid_id", field, &format!("{shown:?} is not an id (a UUID)")));
            }
            Ok(Value::String(text))
        }
        Form::Time if is(&python.datetime)? => moment(py, registry, value, field),
        Form::Time => wrong("datetime"),
        Form::AsOf if is_integer(value) => integer(value, field),
        Form::AsOf if is(&python.datetime)? => moment(py, registry, value, field),
        Form::AsOf => wrong("int or datetime"),
        Form::Day if is(&python.date)? && !is(&python.datetime)? => {
            Ok(Value::String(value.call_method0("isoformat")?.extract()?))
        }
        Form::Day => wrong("date"),
        Form::Duration if is(&python.timedelta)? => {
            let part = |name| value.getattr(name)?.extract::<i64>();
            let seconds = part("days")?.saturating_mul(86_400).saturating_add(part("seconds")?);
            Ok(Value::from(seconds.saturating_mul(1_000_000).saturating_add(part("microseconds")?)))
        }
        Form::Duration => wrong("timedelta"),
        Form::Record(name) => record(py, registry, name, value, field),
        Form::Event => wrong("nothing"),
        Form::List(inner) => {
            if value.is_instance_of::<PyString>() || value.is_instance_of::<PyBytes>() {
                return wrong("a sequence");
            }
            let Ok(items) = value.try_iter() else { return wrong("a sequence") };
            let item = |item: PyResult<Bound<'_, PyAny>>| take(py, registry, inner, &item?, field);
            Ok(Value::Array(items.map(item).collect::<Result<_, _>>()?))
        }
        Form::Table(key, inner) => {
            let Ok(rows) = value.cast::<PyDict>() else { return wrong("dict") };
            let mut made = Map::new();
            for (name, row) in rows {
                let Value::String(name) = take(py, registry, key, &name, field)? else { return wrong("dict of str") };
                made.insert(name, take(py, registry, inner, &row, field)?);
            }
            Ok(Value::Object(made))
        }
    }
}

/// A surrogate alone is no text.
pub(crate) fn text_of(text: &Bound<'_, PyString>, field: &str) -> Result<String, Failure> {
    // Not to_str: a subclass may answer otherwise, and the text is what counts.
    match text.to_cow() {
        Ok(text) => Ok(text.into_owned()),
        Err(_) => Err(invalid("invalid_text", field, "a surrogate is not a character")),
    }
}

fn is_integer(value: &Bound<'_, PyAny>) -> bool {
    value.is_instance_of::<PyInt>() && !value.is_instance_of::<PyBool>()
}

fn integer(value: &Bound<'_, PyAny>, field: &str) -> Taken {
    if let Ok(number) = value.extract::<i64>() {
        return Ok(Value::from(number));
    }
    let too_large = |_| invalid("invalid_command", field, "a whole number beyond 64 bits");
    value.extract::<u64>().map(Value::from).map_err(too_large)
}

/// A decimal as plain digits. One that is far beyond every amount becomes another that meets the same refusal.
fn decimal(py: Python<'_>, registry: &Registry, value: &Bound<'_, PyAny>, field: &str) -> Taken {
    if let Ok(text) = value.cast::<PyString>() {
        let text = text_of(text, field)?;
        if leadledger::parse_decimal(&text).is_err() {
            let shown: String = text.chars().take(64).collect();
            let what = format!("{shown:?} is not a plain decimal, such as \"600.00\"");
            return Err(invalid("invalid_decimal", field, &what));
        }
        return Ok(Value::String(text));
    }
    if is_integer(value) {
        if let Ok(number) = value.extract::<i64>() {
            return Ok(Value::String(number.to_string()));
        }
        let negative = value.lt(0)?;
        let number = value.extract::<i128>().map(|number| number.to_string());
        return Ok(Value::String(number.unwrap_or_else(|_| beyond(negative))));
    }
    if value.is_instance_of::<PyFloat>() || !value.is_instance(registry.python.decimal.bind(py))? {
        return Err(Failure::wrong_type(field, "Decimal, int or str", value));
    }
    let shown = value.str()?;
    let shown = shown.to_cow()?;
    if shown.bytes().all(|byte| byte.is_ascii_digit() || byte == b'.' || byte == b'-') {
        return Ok(Value::String(shown.into_owned()));
    }
    if !value.call_method0("is_finite")?.is_truthy()? {
        return Err(invalid("invalid_decimal", field, "an amount is a finite number"));
    }
    let negative = value.call_method0("is_signed")?.is_truthy()?;
    if value.call_method0("is_zero")?.is_truthy()? {
        return Ok(Value::from("0"));
    }
    let adjusted: i64 = value.call_method0("adjusted")?.extract()?;
    let exponent: i64 = value.call_method0("as_tuple")?.getattr("exponent")?.extract()?;
    Ok(Value::String(if adjusted > MOST_DIGITS {
        beyond(negative)
    } else if exponent < -MOST_DIGITS {
        let zeros = "0".repeat(40);
        format!("{}0.{zeros}1", if negative { "-" } else { "" })
    } else {
        value.call_method1("__format__", ("f",))?.extract()?
    }))
}

/// More than every amount.
fn beyond(negative: bool) -> String {
    let digits = "1".repeat(40);
    if negative { format!("-{digits}") } else { digits }
}

fn moment(py: Python<'_>, registry: &Registry, value: &Bound<'_, PyAny>, field: &str) -> Taken {
    if value.call_method0("utcoffset")?.is_none() {
        return Err(invalid("naive_datetime", field, "a datetime without a time zone names no moment"));
    }
    let utc = value.call_method1("astimezone", (registry.python.utc.bind(py),));
    let utc = utc.map_err(|_| invalid("invalid_datetime", field, "beyond the years 1 to 9999 in UTC"))?;
    Ok(Value::String(utc.call_method0("isoformat")?.extract()?))
}

/// An instance of the record's class, or a mapping with its fields.
fn record(py: Python<'_>, registry: &Registry, name: &str, value: &Bound<'_, PyAny>, field: &str) -> Taken {
    let record = registry.record(name)?;
    let mut made = Map::new();
    if value.is_instance(record.class.bind(py))? {
        for part in &record.fields {
            let given = value.getattr(part.attribute.bind(py))?;
            if !given.is_none() {
                made.insert(part.name.to_owned(), take(py, registry, &part.form, &given, part.name)?);
            }
        }
        return Ok(Value::Object(made));
    }
    if !value.is_instance(registry.python.mapping.bind(py))? {
        let class = record.class.bind(py).name()?;
        return Err(Failure::wrong_type(field, &format!("{class} or a mapping"), value));
    }
    for row in value.call_method0("items")?.try_iter()? {
        let (name, given): (Bound<'_, PyAny>, Bound<'_, PyAny>) = row?.extract()?;
        let Ok(name) = name.cast::<PyString>() else {
            return Err(Failure::wrong_type(field, "keys that are str", &name));
        };
        let name = text_of(name, field)?;
        let Some(part) = record.fields.iter().find(|part| part.name == name) else {
            return Err(invalid("invalid_command", field, &format!("no field {name:?}")));
        };
        if !given.is_none() {
            made.insert(name, take(py, registry, &part.form, &given, part.name)?);
        }
    }
    Ok(Value::Object(made))
}
