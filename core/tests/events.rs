//! Events as JSON: every type pinned by a row of `core/conformance/events.json`, what is read back, what is refused.

#![allow(clippy::unwrap_used, clippy::panic, missing_docs)]

use std::collections::BTreeSet;
use std::path::Path;

use leadledger::{Event, EventBody, MerchantId, Recorded, StoreError};
use serde_json::{Value, json};

/// Whose journal the rows are of.
const MERCHANT: &str = "00000000-0000-7000-8000-000000000009";

/// The vectors: an entry's payload, and the events that it gives.
fn rows() -> Vec<Value> {
    let file = Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/conformance/events.json"));
    serde_json::from_str(&std::fs::read_to_string(file).unwrap()).unwrap()
}

fn events(entry: &Value) -> Result<Vec<Event>, StoreError> {
    let merchant: MerchantId = MERCHANT.parse().unwrap();
    Ok(Event::of(&Recorded::from_row(merchant, entry.to_string(), [0; 32])?))
}

/// Whoever changes what an event says changes what programs elsewhere read: that takes another version.
#[test]
fn each_type_is_written_as_it_always_was() {
    let rows = rows();
    let mut faults = Vec::new();
    let mut names: BTreeSet<String> = BTreeSet::new();
    for row in &rows {
        let events = events(&row["entry"]).unwrap();
        let found: Vec<Value> = events.iter().map(Event::to_json).collect();
        if json!(found) != row["events"] {
            faults.push(format!("{}\ngives {}\nnot   {}", row["entry"], json!(found), row["events"]));
        }
        for event in events {
            let json = event.to_json();
            names.insert(event.name().to_owned());
            assert_eq!(Event::from_json(&json).as_ref(), Ok(&event));
            assert_eq!(Event::from_json(&json).unwrap().to_json(), json, "not to the letter");
        }
    }
    assert!(faults.is_empty(), "{}", faults.join("\n"));
    let known: BTreeSet<String> = EventBody::NAMES.iter().map(|name| (*name).to_owned()).collect();
    assert_eq!(names, known, "every type has a row");
}

/// Each field that is taken away or spoilt is refused, or was not needed; none of it panics.
#[test]
fn what_is_no_event_is_refused() {
    let (mut refused, mut optional) = (0, BTreeSet::new());
    for event in rows().iter().flat_map(|row| row["events"].as_array().unwrap()) {
        let read = |change: &dyn Fn(&mut Value)| {
            let mut event = event.clone();
            change(&mut event);
            Event::from_json(&event).map_err(|fault| (fault.code(), event.to_string()))
        };
        assert!(read(&|_| {}).is_ok());
        assert_eq!(read(&|event| event["version"] = json!(2)).unwrap_err().0, "unknown_event_version");
        assert_eq!(read(&|event| event["type"] = json!("lead_forgotten")).unwrap_err().0, "unknown_event_type");
        let later = read(&|event| event["added_later"] = json!({ "in": ["version", 1] }));
        assert!(later.is_ok(), "a field may be added");
        for field in event.as_object().unwrap().keys() {
            match read(&|event| _ = event.as_object_mut().unwrap().remove(field)) {
                Ok(_) => _ = optional.insert(field.clone()),
                Err((code, _)) => assert_eq!(code, "invalid_event", "{event} without {field}"),
            }
            for spoilt in [json!({}), json!(-1), json!(1.5), json!("\0"), json!("1e3"), json!("0.00001"), json!([7])] {
                if let Err((code, _)) = read(&|event| event[field] = spoilt.clone()) {
                    let kinds = ["invalid_event", "unknown_event_version", "unknown_event_type"];
                    assert!(kinds.contains(&code), "{code}");
                    refused += 1;
                }
            }
        }
    }
    let expected = ["amount", "campaign", "deposit", "minimum_quality", "partner", "reference", "score", "threshold"];
    assert_eq!(optional.iter().map(String::as_str).collect::<Vec<_>>(), expected, "what may be missing somewhere");
    assert!(refused > 1_000, "{refused}");
    for not in [json!(null), json!([]), json!("event"), json!({})] {
        assert_eq!(Event::from_json(&not).unwrap_err().code(), "invalid_event", "{not}");
    }
}

/// An amount comes back with the decimals of its currency, and none that its currency does not have.
#[test]
fn amounts_are_of_their_currency() {
    let event = |currency: &str, amount: Value| {
        Event::from_json(&json!({
            "version": 1, "type": "auto_top_up_requested", "merchant": MERCHANT, "seq": 1, "index": 0,
            "at": "2026-01-05T08:00:00Z", "kind": "validate_lead", "deposit": MERCHANT,
            "currency": currency, "amount": amount,
        }))
    };
    for (currency, amount, read) in [
        ("MAD", "60", Some("60.00")),
        ("MAD", "60.1", Some("60.10")),
        ("MAD", "60.001", None),
        ("JPY", "60.00", Some("60")),
        ("JPY", "0.5", None),
        ("TND", "-0.125", Some("-0.125")),
        ("CLF", "922337203685477.58", Some("922337203685477.5800")),
        ("CLF", "92233720368547758.07", None),
        ("MAD", "92233720368547758.07", Some("92233720368547758.07")),
        ("MAD", "92233720368547758.08", None),
        ("XYZ", "60", None),
        ("MAD", "", None),
    ] {
        let found = event(currency, json!(amount)).map(|event| event.to_json()["amount"].as_str().unwrap().to_owned());
        match read {
            Some(read) => assert_eq!(found.as_deref(), Ok(read), "{amount} {currency}"),
            None => assert_eq!(found.unwrap_err().code(), "invalid_event", "{amount} {currency}"),
        }
    }
    assert_eq!(event("MAD", json!(60)).unwrap_err().code(), "invalid_event", "no number: it went through a float");
}
