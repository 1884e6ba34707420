//! An event as JSON and back. Whatever is not there is `null` or left out; what a reader does not know it ignores, since
//! fields may be added within a version.

use rust_decimal::Decimal;
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::{Map, Value, json};

use crate::alert::{Channel, Level};
use crate::campaign::OnTimeout;
use crate::deposit::{Basis, ReferenceKind};
use crate::entry::{Cause, Kind};
use crate::error::InvalidInput;
use crate::event::{Event, EventBody};
use crate::ids::{CampaignId, DepositId, LeadId, MerchantId, PartnerId, PayoutId, TopUpId};
use crate::lead::{LeadStatus, Source};
use crate::money::{Currency, parse_decimal, to_decimal, to_minor};
use crate::opening::OpeningStatus;
use crate::percent::Percent;
use crate::text::Reference;
use crate::time::Timestamp;
use crate::top_up::{Method, ReceiptNumber};

/// What `version` says in all events that this code writes, and reads.
const VERSION: u64 = 1;

impl Event {
    /// The event as a JSON object: `version`, `type`, `merchant`, `seq`, `index`, `at`, `kind`, and the body's fields
    /// beside them. Ids, amounts, percentages and times are strings.
    pub fn to_json(&self) -> Value {
        let mut object = Map::new();
        object.insert("version".to_owned(), json!(VERSION));
        object.insert("type".to_owned(), json!(self.name()));
        Field::put(&self.merchant, "merchant", &mut object);
        Field::put(&self.seq, "seq", &mut object);
        Field::put(&self.index, "index", &mut object);
        Field::put(&self.at, "at", &mut object);
        Field::put(&self.kind, "kind", &mut object);
        self.body.put(&mut object);
        Value::Object(object)
    }

    /// Reads back what [`Event::to_json`] wrote. Refuses another version (`unknown_event_version`), a type that this
    /// code does not know (`unknown_event_type`) and a field that is missing or is not what it must be
    /// (`invalid_event`), such as an amount with more decimals than its currency has.
    pub fn from_json(json: &Value) -> Result<Self, InvalidInput> {
        let object = json.as_object().ok_or_else(|| invalid("event", "not an object"))?;
        let fields = Fields { object };
        match fields.take::<u64>("version") {
            Ok(VERSION) => {}
            Ok(other) => {
                let what = format!("version {other} is not known, only {VERSION} is");
                return Err(InvalidInput::new("unknown_event_version", "version", what));
            }
            Err(fault) => return Err(fault),
        }
        Ok(Self {
            merchant: fields.take("merchant")?,
            seq: fields.take("seq")?,
            index: fields.take("index")?,
            at: fields.take("at")?,
            kind: fields.take("kind")?,
            body: EventBody::take(&fields.take::<String>("type")?, &fields)?,
        })
    }
}

fn invalid(field: &str, what: impl std::fmt::Display) -> InvalidInput {
    InvalidInput::new("invalid_event", field, what.to_string())
}

/// The fields of an event that is read.
pub(super) struct Fields<'a> {
    object: &'a Map<String, Value>,
}

impl Fields<'_> {
    pub(super) fn take<T: Field>(&self, name: &str) -> Result<T, InvalidInput> {
        T::take(self.object.get(name).unwrap_or(&Value::Null), self).map_err(|what| invalid(name, what))
    }
}

/// A value that an event may hold.
pub(super) trait Field: Sized {
    fn value(&self) -> Value;

    /// Reads a value back; `fields` has those beside it. Says what is wrong with it.
    fn take(value: &Value, fields: &Fields<'_>) -> Result<Self, String>;

    fn put(&self, name: &str, object: &mut Map<String, Value>) {
        object.insert(name.to_owned(), self.value());
    }
}

macro_rules! serde_fields {
    ($($type:ty),* $(,)?) => {$(
        impl Field for $type {
            fn value(&self) -> Value {
                written(self)
            }

            fn take(value: &Value, _: &Fields<'_>) -> Result<Self, String> {
                read(value)
            }
        }
    )*};
}
serde_fields! {
    MerchantId, PartnerId, CampaignId, DepositId, LeadId, TopUpId, PayoutId, Timestamp, Currency, Percent, Reference,
    Source, Level, Vec<Channel>, OnTimeout, Basis, ReferenceKind, Cause, Method, LeadStatus, OpeningStatus, String, bool, u8, u32, u64,
}

fn written<T: Serialize>(value: &T) -> Value {
    serde_json::to_value(value).expect("an event's fields are texts, numbers and lists of them")
}

fn read<T: DeserializeOwned>(value: &Value) -> Result<T, String> {
    T::deserialize(value).map_err(|fault| fault.to_string())
}

impl Field for Decimal {
    fn value(&self) -> Value {
        json!(self.to_string())
    }

    fn take(value: &Value, fields: &Fields<'_>) -> Result<Self, String> {
        let text = value.as_str().ok_or("an amount is a string")?;
        let currency: Currency = fields.take("currency").map_err(|fault| fault.to_string())?;
        let amount = parse_decimal(text).map_err(|fault| fault.to_string())?;
        // With all the decimals of its currency again.
        Ok(to_decimal(to_minor(amount, currency).map_err(|refusal| refusal.to_string())?, currency))
    }
}

impl Field for Kind {
    fn value(&self) -> Value {
        json!(self.name())
    }

    fn take(value: &Value, _: &Fields<'_>) -> Result<Self, String> {
        Self::from_name(&read::<String>(value)?).ok_or_else(|| "not a kind of entry".to_owned())
    }
}

impl Field for ReceiptNumber {
    fn value(&self) -> Value {
        json!(self.to_string())
    }

    fn take(value: &Value, _: &Fields<'_>) -> Result<Self, String> {
        let text = read::<String>(value)?;
        let parts = text
            .split_once('-')
            .and_then(|(year, number)| Some(Self { year: year.parse().ok()?, number: number.parse().ok()? }));
        parts.filter(|receipt| receipt.to_string() == text).ok_or_else(|| "not a receipt's number".to_owned())
    }
}

impl<T: Field> Field for Option<T> {
    fn value(&self) -> Value {
        self.as_ref().map_or(Value::Null, Field::value)
    }

    fn take(value: &Value, fields: &Fields<'_>) -> Result<Self, String> {
        if value.is_null() { Ok(None) } else { T::take(value, fields).map(Some) }
    }

    fn put(&self, name: &str, object: &mut Map<String, Value>) {
        if let Some(value) = self {
            value.put(name, object);
        }
    }
}
