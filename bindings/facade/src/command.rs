//! Commands, and the arguments of operations, from JSON, with faults that help: which field is wrong, and what was
//! probably meant.

use leadledger::{Command, FieldShape, InvalidInput, Line, Paragraph, Reference, parse_decimal};
use serde::de::DeserializeOwned;
use serde_json::{Map, Value};

use crate::fault::Fault;
use crate::shapes::choices;

/// Parses a command from its name and the JSON text of its fields.
///
/// Refuses with `unknown_command`, or with `invalid_command`: text that is not a JSON object, an unknown, missing or
/// repeated field, a value of the wrong form (an amount as a JSON number, above all). The details hold the `field`, and
/// a `suggestion` where something else was probably meant.
///
/// ```
/// use leadledger_facade::command;
/// assert_eq!(command("open_deposti", "{}").unwrap_err().details["suggestion"], "open_deposit");
/// let number = r#"{ "merchant": "442a26ae-0f1e-5c1d-8a4a-d8421e3d1e5e", "amount": 5000.00 }"#;
/// assert_eq!(command("open_deposit", number).unwrap_err().details["field"], "amount");
/// ```
pub fn command(name: &str, fields: &str) -> Result<Command, Fault> {
    let Some(shape) = Command::SHAPES.iter().find(|shape| shape.name == name) else {
        return Err(unknown("unknown_command", "do", &format!("no command {name:?}"), name, Command::NAMES));
    };
    let value: Value = serde_json::from_str(fields).map_err(|fault| invalid(name, &format!("not JSON: {fault}")))?;
    let Value::Object(value) = value else {
        return Err(invalid(name, "the fields must be a JSON object"));
    };
    check(name, shape.fields, &value)?;
    // From the text and not from the value, which has forgotten a field that is there twice.
    let tagged = format!(r#"{{"do":"{name}","with":{fields}}}"#);
    serde_json::from_str(&tagged)
        .map_err(|fault| blamed(name, fault, &value, |rest| Command::of_fields(name, &Value::Object(rest)).is_ok()))
}

/// The command of this name with these fields. Refuses as [`command`] does.
pub(crate) fn command_of(name: &str, fields: Map<String, Value>) -> Result<Command, Fault> {
    let Some(shape) = Command::SHAPES.iter().find(|shape| shape.name == name) else {
        return Err(unknown("unknown_command", "do", &format!("no command {name:?}"), name, Command::NAMES));
    };
    parsed(name, shape.fields, fields, |fields| Command::of_fields(name, fields))
}

/// The arguments of the operation of this name.
pub(crate) fn arguments<T: DeserializeOwned>(
    name: &str,
    fields: &[FieldShape],
    given: Map<String, Value>,
) -> Result<T, Fault> {
    parsed(name, fields, given, |given| T::deserialize(given))
}

/// The faults are looked for only where there is one.
fn parsed<T>(
    name: &str,
    fields: &[FieldShape],
    given: Map<String, Value>,
    parse: impl Fn(&Value) -> Result<T, serde_json::Error>,
) -> Result<T, Fault> {
    let value = Value::Object(given);
    parse(&value).map_err(|fault| {
        let Value::Object(given) = &value else { return invalid(name, "not an object") };
        match check(name, fields, given) {
            Err(fault) => fault,
            Ok(()) => blamed(name, fault, given, |rest| parse(&Value::Object(rest)).is_ok()),
        }
    })
}

/// Blames the field without which the rest would do, where there is one that may be left out.
fn blamed(
    name: &str,
    fault: serde_json::Error,
    fields: &Map<String, Value>,
    will_do: impl Fn(Map<String, Value>) -> bool,
) -> Fault {
    let said = fault.to_string();
    // The place is in a text that the caller has not seen.
    let said = shown(said.split(" at line ").next().unwrap_or_default(), LONGEST_MESSAGE);
    let culprit = fields.keys().map(String::as_str).find(|field| {
        let mut rest = fields.clone();
        rest.remove(*field);
        will_do(rest)
    });
    invalid(culprit.unwrap_or(name), &said)
}

/// Characters of a message that repeats what was given, at most.
const LONGEST_MESSAGE: usize = 300;
/// Characters of a value that a message repeats, at most.
const LONGEST_VALUE: usize = 64;

/// A text, cut where it is longer than a message should be.
fn shown(text: &str, most: usize) -> String {
    match text.char_indices().nth(most) {
        None => text.to_owned(),
        Some((end, _)) => format!("{}..", &text[..end]),
    }
}

fn invalid(field: &str, what: &str) -> Fault {
    InvalidInput::new("invalid_command", field, what).into()
}

fn unknown(code: &'static str, field: &str, what: &str, given: &str, known: &[&str]) -> Fault {
    match nearest(given, known) {
        None => InvalidInput::new(code, field, what).into(),
        Some(nearest) => {
            let what = format!("{what}: did you mean {nearest}?");
            Fault::from(InvalidInput::new(code, field, what)).with("suggestion", nearest)
        }
    }
}

/// The known name that `given` was probably meant to be, if any is near enough.
fn nearest<'a>(given: &str, known: &[&'a str]) -> Option<&'a str> {
    let scored = known.iter().map(|known| (strsim::jaro_winkler(given, known), *known));
    scored.filter(|(score, _)| *score > 0.8).max_by(|one, other| one.0.total_cmp(&other.0)).map(|(_, known)| known)
}

/// What can be said of each field alone.
fn check(of: &str, shapes: &[FieldShape], fields: &Map<String, Value>) -> Result<(), Fault> {
    for (given, value) in fields {
        let Some(field) = shapes.iter().find(|field| field.name == given) else {
            let what = format!("{of} has no field {given:?}");
            let names: Vec<&str> = shapes.iter().map(|field| field.name).collect();
            return Err(unknown("invalid_command", given, &what, given, &names));
        };
        check_form(field, value)?;
    }
    Ok(())
}

fn check_form(FieldShape { name, form, .. }: &FieldShape, value: &Value) -> Result<(), Fault> {
    let Value::String(text) = value else {
        return match value {
            Value::Number(_) if *form == "Decimal" => {
                Err(invalid(name, "an amount or percent is a string, such as \"600.00\": a number could be rounded"))
            }
            _ => Ok(()),
        };
    };
    let given = shown(text, LONGEST_VALUE);
    if *form == "Decimal" && parse_decimal(text).is_err() {
        return Err(invalid(name, &format!("{given:?} is not a plain decimal, such as \"600.00\"")));
    }
    if form.ends_with("Id") && text.parse::<leadledger::MerchantId>().is_err() {
        return Err(invalid(name, &format!("{given:?} is not an id (a UUID)")));
    }
    let text_fault = match *form {
        "Line" => Line::new(text.as_str()).err(),
        "Paragraph" => Paragraph::new(text.as_str()).err(),
        "Reference" => Reference::new(text.as_str()).err(),
        _ => None,
    };
    if let Some(fault) = text_fault {
        return Err(InvalidInput::new(fault.code(), *name, fault.message()).into());
    }
    match choices().into_iter().find(|choice| choice.name == *form) {
        Some(choice) if !choice.names.contains(text) => {
            let names = choice.names.join(", ");
            Err(invalid(name, &format!("unknown variant {given:?}, expected one of {names}")))
        }
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MERCHANT: &str = r#""merchant":"442a26ae-0f1e-5c1d-8a4a-d8421e3d1e5e""#;

    #[test]
    fn what_is_no_command_says_why() {
        let table = [
            ("open_deposti", "{}", "unknown_command", "did you mean open_deposit?"),
            ("", "{}", "unknown_command", "no command"),
            ("zzz", "{}", "unknown_command", "no command \"zzz\""),
            ("run_due", "", "invalid_command", "not JSON"),
            ("run_due", "{\"merchant\":", "invalid_command", "line 1 column"),
            ("run_due", "{}, {}", "invalid_command", "not JSON"),
            ("run_due", "[]", "invalid_command", "must be a JSON object"),
            ("run_due", "{}", "invalid_command", "missing field `merchant`"),
            ("run_due", r#"{"merchant": "x"}"#, "invalid_command", "merchant: \"x\" is not an id"),
            ("run_due", r#"{"merchant": 5}"#, "invalid_command", "invalid type"),
            ("run_due", "{MERCHANT, MERCHANT}", "invalid_command", "duplicate field `merchant`"),
            ("open_deposit", "{MERCHANT}", "invalid_command", "missing field `amount`"),
            ("open_deposit", r#"{MERCHANT, "amont": "5.00"}"#, "invalid_command", "did you mean amount?"),
            ("open_deposit", r#"{MERCHANT, "qqqq": "5.00"}"#, "invalid_command", "no field \"qqqq\""),
            (
                "open_deposit",
                r#"{MERCHANT, "amount": 5000.00}"#,
                "invalid_command",
                "amount: an amount or percent is a string",
            ),
            (
                "open_deposit",
                r#"{MERCHANT, "amount": 5000}"#,
                "invalid_command",
                "amount: an amount or percent is a string",
            ),
            (
                "open_deposit",
                r#"{MERCHANT, "amount": "5e3"}"#,
                "invalid_command",
                "amount: \"5e3\" is not a plain decimal",
            ),
            (
                "open_deposit",
                r#"{MERCHANT, "amount": "1", "amount": "2"}"#,
                "invalid_command",
                "duplicate field `amount`",
            ),
            ("open_deposit", r#"{MERCHANT, "amount": "1", "currency": "XYZ"}"#, "invalid_command", "currency: "),
            (
                "open_deposit",
                r#"{MERCHANT, "amount": "1", "method": "cash"}"#,
                "invalid_command",
                "method: unknown variant",
            ),
            ("open_deposit", r#"{MERCHANT, "amount": "1", "reference": "\u0000"}"#, "text_has_nul", "reference: "),
        ];
        for (name, fields, code, said) in table {
            let fault = command(name, &fields.replace("MERCHANT", MERCHANT)).unwrap_err();
            assert!(fault.code == code && fault.message.contains(said), "{name} {fields} gave {fault}");
            assert!(!fault.message.contains("with"), "{name} {fields} tells what the caller has not seen: {fault}");
        }
    }

    #[test]
    fn every_command_has_a_shape_that_its_parser_knows() {
        for (shape, name) in Command::SHAPES.iter().zip(Command::NAMES) {
            assert_eq!(shape.name, *name);
            assert!(shape.about.len() > 10, "{name}");
            // The parser lists the fields that it knows when it meets one that it does not.
            let fault = Command::from_json(name, serde_json::json!({ "no such field": 1 })).unwrap_err().to_string();
            for field in shape.fields {
                assert!(fault.contains(&format!("`{}`", field.name)), "{name}.{}: {fault}", field.name);
                assert!(field.about.trim().len() > 2, "{name}.{}", field.name);
            }
            assert_eq!(fault.matches('`').count() / 2, shape.fields.len() + 1, "{name}: {fault}");
        }
    }
}
