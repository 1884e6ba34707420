//! The model plays every vector: what `core/conformance` says, field by field.

#![allow(clippy::panic, reason = "so a test fails")]

use leadledger_simulator::model::Model;
use leadledger_simulator::money::{self, PERCENT_PLACES};
use serde_json::{Map, Value, json};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

fn conformance() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../conformance")
}

fn read(path: &Path) -> Value {
    let text = std::fs::read_to_string(path).unwrap_or_else(|e| panic!("{}: {e}", path.display()));
    serde_json::from_str(&text).unwrap_or_else(|e| panic!("{}: {e}", path.display()))
}

/// `2026-01-05T08:00:00Z`, with or without a fraction of the second, since 1970.
fn micros(at: &str) -> i64 {
    let number = |range: std::ops::Range<usize>| at[range].parse::<i64>().expect("digits");
    let (year, month, day) = (number(0..4), number(5..7), number(8..10));
    let (y, m) = if month > 2 { (year, month - 3) } else { (year - 1, month + 9) };
    let days = 365 * y + y / 4 - y / 100 + y / 400 + (153 * m + 2) / 5 + day - 1 - 719_468;
    let seconds = days * 86_400 + number(11..13) * 3600 + number(14..16) * 60 + number(17..19);
    let fraction = at[19..].trim_start_matches('.').trim_end_matches('Z');
    seconds * 1_000_000 + format!("{fraction:0<6}").parse::<i64>().expect("digits")
}

/// What of `now` is not in `before`; single ids in the maps, `platform` and `missed` whole.
fn changed(before: Option<&Value>, now: &Value) -> Value {
    let mut changes = Map::new();
    for (section, value) in now.as_object().expect("an object") {
        let old = before.map(|before| &before[section]);
        let whole = section == "platform" || section == "missed";
        if whole && old != Some(value) {
            changes.insert(section.clone(), value.clone());
        } else if !whole {
            let entries = value.as_object().expect("an object").iter();
            let differs = |id: &str, entry: &Value| old.is_none_or(|old| old[id] != *entry);
            let some: Map<_, _> = entries
                .filter(|(id, entry)| differs(id, entry))
                .map(|(id, entry)| (id.clone(), entry.clone()))
                .collect();
            if !some.is_empty() {
                changes.insert(section.clone(), Value::Object(some));
            }
        }
    }
    Value::Object(changes)
}

fn play(path: &Path) -> usize {
    let story = read(path);
    let currency = story["currency"].as_str().expect("a currency");
    let steps = story["steps"].as_array().expect("steps");
    let (mut model, mut seen) = (Model::default(), BTreeMap::<String, Value>::new());
    let mut last = 0;
    for (index, step) in steps.iter().enumerate() {
        let place = format!("{} step {index}: {}", path.display(), step["do"]);
        let with = &step["with"];
        last = micros(step["at"].as_str().expect("a time"));
        let command = step["do"].as_str().expect("a command");
        let outcome = model.step(last, step["key"].as_str(), command, with);
        match &outcome.result {
            Ok(answer) => assert_eq!(step["ok"], Value::Object(answer.clone()), "{place}"),
            Err(code) => assert_eq!(step["refused"], json!(code), "{place}"),
        }
        assert_eq!(step["replayed"].as_bool().unwrap_or(false), outcome.replayed, "{place}");
        let alerts: Vec<Value> =
            outcome.alerts.iter().map(|(id, level)| json!({ "deposit": id, "level": level })).collect();
        let expected = step["alerts"].as_array().cloned().unwrap_or_default();
        assert_eq!(expected, alerts, "{place}");
        assert_eq!(step["alerts_cleared"].as_u64().unwrap_or(0), u64::from(outcome.cleared), "{place}");
        let merchant = with["merchant"].as_str().expect("a merchant").to_owned();
        let state = model.state_in(last, &merchant, currency);
        assert_eq!(step["changed"], changed(seen.get(&merchant), &state), "{place}");
        seen.insert(merchant, state);
        model.check().unwrap_or_else(|broken| panic!("{place}: {broken}"));
    }
    for (merchant, state) in story["final"].as_object().expect("a final state") {
        let actual = model.state_in(last, merchant, currency);
        assert_eq!(*state, actual, "{} at the end, {merchant}", path.display());
        if currency == "MAD" {
            assert_eq!(actual, model.state(last, merchant));
        }
    }
    steps.len()
}

#[test]
fn the_model_plays_every_scenario() {
    let folder = conformance().join("scenarios");
    let files = std::fs::read_dir(&folder).expect("the scenarios").map(|f| f.expect("a file").path());
    let mut files: Vec<PathBuf> = files.filter(|f| f.extension().is_some_and(|e| e == "json")).collect();
    files.sort();
    let steps: usize = files.iter().map(|file| play(file)).sum();
    println!("{} scenarios, {steps} steps", files.len());
    assert!(files.len() >= 34 && steps >= 2954, "only {} scenarios, {steps} steps", files.len());
}

#[test]
fn the_model_computes_every_commission() {
    let rows = read(&conformance().join("commission.json"));
    let rows = rows.as_array().expect("rows");
    assert!(!rows.is_empty());
    for row in rows {
        let given =
            |field: &str, places| money::scaled(row[field].as_str().expect("a decimal"), places).expect("few decimals");
        let cost = money::commission(
            given("value", 2),
            given("rate", PERCENT_PLACES),
            given("threshold", 2),
            given("fixed", 2),
            given("share", PERCENT_PLACES),
        );
        assert_eq!(row["type"], json!(cost.kind), "{row}");
        assert_eq!(row["commission"], json!(money::show(cost.total, 2)), "{row}");
        assert_eq!(row["partner_part"], json!(money::show(cost.partner_part, 2)), "{row}");
        assert_eq!(row["platform_part"], json!(money::show(cost.platform_part, 2)), "{row}");
    }
}

#[test]
fn the_model_knows_every_level() {
    let rows = read(&conformance().join("alert_levels.json"));
    let rows = rows.as_array().expect("rows");
    assert!(!rows.is_empty());
    for row in rows {
        let given = |field: &str| money::scaled(row[field].as_str().expect("a decimal"), 2).expect("cents");
        let level = money::level(given("balance"), given("reference"));
        assert_eq!(row["level"], json!(level.name()), "{row}");
        assert_eq!(row["priority"], json!(level as u8), "{row}");
    }
}
