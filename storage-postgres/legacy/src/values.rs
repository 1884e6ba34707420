//! What the tables' texts mean: ids, amounts in centimes, times. What cannot be understood says so and is never rounded,
//! cut or replaced here.

use leadledger::{Currency, Timestamp, parse_decimal, to_decimal, to_minor};
use rust_decimal::Decimal;
use uuid::Uuid;

/// A value of a column.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Value<T> {
    /// Null.
    Missing,
    /// Something else than it should be.
    Unreadable,
    /// It.
    Is(T),
}

impl<T> Value<T> {
    pub(crate) fn ok(self) -> Option<T> {
        match self {
            Self::Is(value) => Some(value),
            Self::Missing | Self::Unreadable => None,
        }
    }

    /// Of what is there, only what passes.
    pub(crate) fn filter(self, passes: impl FnOnce(&T) -> bool) -> Self {
        match self {
            Self::Is(value) if passes(&value) => Self::Is(value),
            Self::Is(_) => Self::Unreadable,
            other => other,
        }
    }
}

fn value<T>(text: Option<&String>, read: impl FnOnce(&str) -> Option<T>) -> Value<T> {
    match text {
        None => Value::Missing,
        Some(text) => read(text).map_or(Value::Unreadable, Value::Is),
    }
}

pub(crate) fn id<T: From<Uuid>>(text: Option<&String>) -> Value<T> {
    value(text, |text| Uuid::parse_str(text).ok().map(T::from))
}

/// An amount in centimes; one with more than two decimals, or `NaN`, is unreadable.
pub(crate) fn amount(text: Option<&String>) -> Value<i64> {
    value(text, |text| to_minor(parse_decimal(text).ok()?, Currency::MAD).ok())
}

/// What an amount counts for in a sum: nothing, where it cannot be read.
pub(crate) fn counted(text: Option<&String>) -> i64 {
    amount(text).ok().unwrap_or(0)
}

pub(crate) fn decimal(text: Option<&String>) -> Value<Decimal> {
    value(text, |text| parse_decimal(text).ok())
}

pub(crate) fn number(text: Option<&String>) -> Value<i64> {
    value(text, |text| text.parse().ok())
}

pub(crate) fn flag(text: Option<&String>) -> Value<bool> {
    value(text, |text| match text {
        "true" | "t" => Some(true),
        "false" | "f" => Some(false),
        _ => None,
    })
}

/// A time in UTC, as the server spells `timestamp` in ISO 8601; `infinity` and years beyond 9999 are unreadable.
pub(crate) fn time(text: Option<&String>) -> Value<Timestamp> {
    value(text, |text| {
        let plain = text.strip_suffix("+00").unwrap_or(text);
        let (date, time) = plain.split_once(' ')?;
        format!("{date}T{time}Z").parse().ok()
    })
}

/// An amount as people write it.
pub(crate) fn dirhams(minor: i64) -> String {
    to_decimal(minor, Currency::MAD).to_string()
}

pub(crate) fn shown(text: Option<&String>) -> String {
    text.cloned().unwrap_or_else(|| "null".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn amounts_are_exact_or_unreadable() {
        for (given, minor) in [("60.00", 6_000), ("-0.01", -1), ("0", 0), ("99999999.99", 9_999_999_999)] {
            assert_eq!(amount(Some(&given.to_owned())), Value::Is(minor), "{given}");
        }
        for given in ["NaN", "Infinity", "0.001", "1e3", "", " 1", "9".repeat(30).as_str()] {
            assert_eq!(amount(Some(&given.to_owned())), Value::Unreadable, "{given}");
        }
        assert_eq!(amount(None), Value::Missing);
    }

    #[test]
    fn times_are_utc_or_unreadable() {
        let at = |given: &str| time(Some(&given.to_owned()));
        let said = |given: &str| at(given).ok().unwrap().to_string();
        assert_eq!(said("2026-01-05 08:00:00"), "2026-01-05T08:00:00Z");
        assert_eq!(said("2026-01-05 08:00:00.1"), "2026-01-05T08:00:00.100000Z");
        assert_eq!(said("2026-01-05 08:00:00.000001+00"), "2026-01-05T08:00:00.000001Z");
        for given in ["infinity", "-infinity", "2026-01-05", "0044-03-15 12:00:00 BC", "20260-01-01 00:00:00", ""] {
            assert_eq!(at(given), Value::Unreadable, "{given}");
        }
    }
}
