//! Text from outside: bounded, and without NUL (which Postgres refuses and SQLite keeps).
//!
//! | Type | Longest, in characters |
//! | --- | --- |
//! | [`Key`] | 255, at least 1 |
//! | [`Reference`] | 255, at least 1 |
//! | [`SubscriberName`] | 255, at least 1 |
//! | [`Line`] (names, email, phone, product) | 255 |
//! | [`Paragraph`] (notes, feedback, reasons) | 4000 |

use serde::{Deserialize, Deserializer, Serialize};

use crate::error::InvalidInput;

macro_rules! texts {
    ($($(#[$doc:meta])* $name:ident: $least:literal..=$most:literal),* $(,)?) => {$(
        $(#[$doc])*
        #[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
        #[serde(transparent)]
        pub struct $name(String);

        impl $name {
            /// Checks length and characters; a text that does not fit is refused whole, never cut.
            pub fn new(text: impl Into<String>) -> Result<Self, InvalidInput> {
                let text = text.into();
                check(&text, stringify!($name), $least, $most)?;
                Ok(Self(text))
            }

            /// The text.
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl<'de> Deserialize<'de> for $name {
            fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                Self::new(String::deserialize(deserializer)?).map_err(serde::de::Error::custom)
            }
        }

        impl TryFrom<&str> for $name {
            type Error = InvalidInput;
            fn try_from(text: &str) -> Result<Self, InvalidInput> {
                Self::new(text)
            }
        }

        impl std::fmt::Display for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str(&self.0)
            }
        }
    )*};
}

texts! {
    /// An idempotency key, unique per book.
    Key: 1..=255,
    /// A payment provider's reference, unique per method in a book.
    Reference: 1..=255,
    /// A subscriber's name, unique in a store.
    SubscriberName: 1..=255,
    /// One line of free text.
    Line: 0..=255,
    /// Free text of some length: notes, feedback, reasons.
    #[derive(Default)]
    Paragraph: 0..=4000,
}

impl Paragraph {
    /// Whether it says nothing: a blank reason is no reason.
    pub fn is_blank(&self) -> bool {
        self.0.trim().is_empty()
    }
}

fn check(text: &str, field: &'static str, least: usize, most: usize) -> Result<(), InvalidInput> {
    if text.contains('\0') {
        return Err(InvalidInput::new("text_has_nul", field, "text must not contain NUL"));
    }
    // A character has at most four bytes, so most texts need no counting.
    if text.len() > most && text.chars().count() > most {
        return Err(InvalidInput::new("text_too_long", field, "text is longer than the limit"));
    }
    if text.len() < least {
        return Err(InvalidInput::new("text_empty", field, "text must not be empty"));
    }
    Ok(())
}
