//! Forms: what kind of value a field holds, as a binding has to know it.

use crate::shapes::{choices, records};

/// The form of a value in JSON, and what it stands for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Form {
    /// `null`.
    Nothing,
    /// Text.
    Text,
    /// The path of a file.
    Path,
    /// A whole number.
    Integer,
    /// True or false.
    Flag,
    /// A decimal, as text.
    Decimal,
    /// A UUID, as text.
    Id,
    /// A moment in UTC, as text such as `2026-11-23T08:00:00Z`.
    Time,
    /// A day, as text such as `2026-11-23`.
    Day,
    /// A duration, in whole microseconds.
    Duration,
    /// The number of an entry, or a moment.
    AsOf,
    /// One of the names of this choice.
    Choice(&'static str),
    /// An object with the fields of this record.
    Record(&'static str),
    /// An object with the fields of the event that its `type` names.
    Event,
    /// The form, or `null`.
    Optional(Box<Form>),
    /// A list.
    List(Box<Form>),
    /// An object with a value of the second form for each key of the first.
    Table(Box<Form>, Box<Form>),
}

impl Form {
    /// The form of a Rust type, as a shape's field names it; none for a type that no field should have.
    pub fn of(rust: &str) -> Option<Self> {
        let rust: String = rust.chars().filter(|character| !character.is_whitespace()).collect();
        let inside = |wrapper: &str| {
            let rest = rust.strip_prefix(wrapper)?.strip_prefix('<')?.strip_suffix('>')?;
            Self::of(rest).map(Box::new)
        };
        if let Some(inner) = inside("Option") {
            return Some(Self::Optional(inner));
        }
        if let Some(inner) = inside("Vec") {
            return Some(Self::List(inner));
        }
        if let Some((inner, _)) = rust.strip_prefix('[').and_then(|rest| rest.split_once(';')) {
            return Self::of(inner).map(|inner| Self::List(Box::new(inner)));
        }
        let pair = rust.strip_prefix("BTreeMap<").and_then(|rest| rest.strip_suffix('>'));
        if let Some((key, value)) = pair.and_then(|pair| pair.split_once(',')) {
            return Some(Self::Table(Box::new(Self::of(key)?), Box::new(Self::of(value)?)));
        }
        Some(match rust.as_str() {
            "()" => Self::Nothing,
            "String" | "&'staticstr" | "Key" | "Line" | "Paragraph" | "Reference" | "Kind" | "Currency" | "Cursor"
            | "ReceiptNumber" | "SubscriberName" => Self::Text,
            "PathBuf" => Self::Path,
            "u8" | "u32" | "u64" | "i64" | "usize" => Self::Integer,
            "bool" => Self::Flag,
            "Decimal" | "Percent" => Self::Decimal,
            "Uuid" => Self::Id,
            "Timestamp" => Self::Time,
            "NaiveDate" => Self::Day,
            "TimeDelta" => Self::Duration,
            "AsOf" => Self::AsOf,
            "Event" => Self::Event,
            id if id.ends_with("Id") => Self::Id,
            name => {
                let choice = choices().into_iter().find(|choice| choice.name == name);
                let record = || records().into_iter().find(|record| record.name == name);
                return match choice {
                    Some(choice) => Some(Self::Choice(choice.name)),
                    None => record().map(|record| Self::Record(record.name)),
                };
            }
        })
    }
}

#[cfg(test)]
mod tests {
    use leadledger::{Command, EventBody};

    use super::*;
    use crate::operation::{FUNCTIONS, READS};

    #[test]
    fn every_field_and_answer_has_a_form() {
        let commands = Command::SHAPES.iter();
        let answers = commands.clone().map(|shape| (shape.name, shape.answer));
        let taken = commands.flat_map(|shape| shape.fields.iter().map(|field| (shape.name, field.form)));
        let operations = || READS.iter().chain(FUNCTIONS);
        let gives = operations().map(|shape| (shape.name, shape.gives));
        let asked = operations().flat_map(|shape| shape.fields.iter().map(|field| (shape.name, field.form)));
        let held = records().into_iter().chain(EventBody::SHAPES.iter().copied());
        let held = held.flat_map(|shape| shape.fields.iter().map(move |field| (shape.name, field.form)));
        let mut count = 0;
        for (name, form) in answers.chain(taken).chain(gives).chain(asked).chain(held) {
            assert!(Form::of(form).is_some(), "{name}: no form for {form}");
            count += 1;
        }
        assert!(count > 500, "{count}");
    }

    #[test]
    fn forms_nest() {
        let id = || Box::new(Form::Id);
        assert_eq!(Form::of("Option < LeadId >"), Some(Form::Optional(id())));
        assert_eq!(Form::of("Vec<Option<Uuid>>"), Some(Form::List(Box::new(Form::Optional(id())))));
        assert_eq!(Form::of("[Decimal; 3]"), Some(Form::List(Box::new(Form::Decimal))));
        assert_eq!(Form::of("Option<Level>"), Some(Form::Optional(Box::new(Form::Choice("Level")))));
        assert_eq!(Form::of("DepositView"), Some(Form::Record("DepositView")));
        assert_eq!(Form::of("HashMap<String, f64>"), None);
    }
}
