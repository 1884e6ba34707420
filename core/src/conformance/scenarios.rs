//! The player of scenario files: stories made by an independent model, with what must be seen after each step.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use serde_json::{Map, Value, json};

use crate::alert::Level;
use crate::command::Command;
use crate::entry::Fact;
use crate::error::{Error, InvalidInput};
use crate::ids::MerchantId;
use crate::ledger::Ledger;
use crate::money::Currency;
use crate::time::{ManualClock, Timestamp};

/// Where a story went another way than its file says.
#[derive(Clone, Debug)]
pub struct Mismatch {
    /// Which step, from 0; none: after the last.
    pub step: Option<usize>,
    /// What was compared.
    pub what: String,
    /// What the file says.
    pub expected: Value,
    /// What was seen.
    pub got: Value,
}

impl std::fmt::Display for Mismatch {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self.step {
            Some(step) => write!(f, "step {step}: ")?,
            None => f.write_str("at the end: ")?,
        }
        write!(f, "{}: expected {}, got {}", self.what, self.expected, self.got)
    }
}

/// What playing a scenario found.
#[derive(Clone, Debug, Default)]
pub struct Played {
    /// How many steps were played.
    pub steps: usize,
    /// Where it went another way.
    pub mismatches: Vec<Mismatch>,
}

/// The scenario files of a folder, by name.
pub fn scenario_files(folder: &Path) -> std::io::Result<Vec<PathBuf>> {
    let mut files = Vec::new();
    for entry in std::fs::read_dir(folder)? {
        let path = entry?.path();
        if path.extension().is_some_and(|extension| extension == "json") {
            files.push(path);
        }
    }
    files.sort();
    Ok(files)
}

/// Refuses, with `invalid_scenario`, a story that lacks what it takes to be one: the player takes what is absent for
/// empty, which would pass, and would stop halfway at what it cannot read.
pub fn check_shape(story: &Value) -> Result<(), InvalidInput> {
    let invalid = |what: String| InvalidInput::new("invalid_scenario", "story", what);
    let steps = story["steps"].as_array().filter(|steps| !steps.is_empty());
    let steps = steps.ok_or_else(|| invalid("not a scenario: no steps".to_owned()))?;
    for (index, step) in steps.iter().enumerate() {
        for (field, is_there) in [
            ("at", step["at"].is_string()),
            ("do", step["do"].is_string()),
            ("with", step["with"].is_object()),
            ("changed", step["changed"].is_object()),
            ("ok or refused", step["ok"].is_object() != step["refused"].is_string()),
        ] {
            if !is_there {
                let what = format!("not a scenario: step {index}: {field} is missing, or not what it should be");
                return Err(invalid(what));
            }
        }
    }
    let books = story["final"].as_object().filter(|books| !books.is_empty());
    let books = books.ok_or_else(|| invalid("not a scenario: no final state".to_owned()))?;
    for (index, step) in steps.iter().enumerate() {
        if time_of(step).is_none() {
            return Err(invalid(format!("not a scenario: step {index}: {} is not a time", step["at"])));
        }
        if merchant_of(&step["with"]["merchant"]).is_err() {
            return Err(invalid(format!("not a scenario: step {index}: the merchant is not an id")));
        }
    }
    match books.keys().find(|merchant| merchant.parse::<MerchantId>().is_err()) {
        Some(merchant) => Err(invalid(format!("not a scenario: final: {merchant:?} is not an id"))),
        None => Ok(()),
    }
}

fn time_of(step: &Value) -> Option<Timestamp> {
    step["at"].as_str().and_then(|at| at.parse().ok())
}

/// The merchants whose books a story writes.
pub fn merchants_of(story: &Value) -> Result<BTreeSet<MerchantId>, Error> {
    let steps = story["steps"].as_array().into_iter().flatten();
    steps.map(|step| merchant_of(&step["with"]["merchant"])).collect()
}

/// The story being played.
struct Player<'a> {
    ledger: &'a Ledger,
    currency: Currency,
    /// By merchant: the state when last looked at, and how many entries were seen.
    seen: BTreeMap<MerchantId, (Value, u64)>,
    played: Played,
}

/// Plays a scenario on an empty ledger whose clock is `clock`, and checks every book after the last step.
pub fn play(scenario: &Value, ledger: &Ledger, clock: &ManualClock) -> Result<Played, Error> {
    let currency = scenario["currency"].as_str().unwrap_or("MAD").parse()?;
    let mut player = Player { ledger, currency, seen: BTreeMap::new(), played: Played::default() };
    for (index, step) in scenario["steps"].as_array().into_iter().flatten().enumerate() {
        let at = time_of(step).ok_or_else(|| InvalidInput::new("invalid_scenario", "at", "not a time"))?;
        clock.set(at);
        player.step(index, step)?;
        player.played.steps = index.saturating_add(1);
    }
    for (merchant, expected) in scenario["final"].as_object().into_iter().flatten() {
        let merchant = merchant_of(&json!(merchant))?;
        let got = ledger.book(merchant).wait()?.to_json(currency);
        player.compare(None, "final", expected, &got);
        let report = ledger.check(merchant).wait();
        if let Err(fault) = report {
            player.compare(None, "check", &json!("no difference"), &json!(fault.to_string()));
        }
    }
    Ok(player.played)
}

fn merchant_of(id: &Value) -> Result<MerchantId, Error> {
    let id = id.as_str().and_then(|id| id.parse().ok());
    id.ok_or_else(|| InvalidInput::new("invalid_scenario", "merchant", "not an id").into())
}

impl Player<'_> {
    fn compare(&mut self, step: Option<usize>, what: &str, expected: &Value, got: &Value) {
        if expected != got {
            let mismatch = Mismatch { step, what: what.to_owned(), expected: expected.clone(), got: got.clone() };
            self.played.mismatches.push(mismatch);
        }
    }

    fn step(&mut self, index: usize, step: &Value) -> Result<(), Error> {
        let merchant = merchant_of(&step["with"]["merchant"])?;
        let name = step["do"].as_str().unwrap_or_default();
        let outcome = Command::from_json(name, step["with"].clone()).map_err(Error::from).and_then(|command| {
            let call = self.ledger.submit(command);
            match step["key"].as_str() {
                Some(key) => call.key(key).wait(),
                None => call.wait(),
            }
        });
        match outcome {
            Ok(done) => {
                if let Some(code) = step.get("refused") {
                    self.compare(Some(index), "answer", &json!({ "refused": code }), &json!("accepted"));
                }
                let expected = step.get("ok").cloned().unwrap_or_default();
                let fields = done.fields();
                let named = expected.as_object().into_iter().flatten();
                let got = named.map(|(name, _)| (name.clone(), fields.get(name).cloned().unwrap_or_default()));
                let got = Value::Object(got.collect::<Map<_, _>>());
                if step.get("refused").is_none() {
                    self.compare(Some(index), "answer", &expected, &got);
                }
                let replayed = step.get("replayed").cloned().unwrap_or(json!(false));
                self.compare(Some(index), "replayed", &replayed, &json!(done.replayed));
            }
            Err(Error::Store(fault)) => return Err(fault.into()),
            Err(fault) => {
                let expected = step.get("refused").cloned().unwrap_or(json!("accepted"));
                self.compare(Some(index), "answer", &expected, &json!(fault.code()));
            }
        }
        let (before, seq) = self.seen.remove(&merchant).unwrap_or((Value::Null, 0));
        let view = self.ledger.book(merchant).wait()?;
        self.alerts(index, step, merchant, seq)?;
        let state = view.to_json(self.currency);
        let changed = difference(&before, &state);
        self.compare(Some(index), "changed", &step["changed"], &changed);
        self.seen.insert(merchant, (state, view.entries));
        Ok(())
    }

    fn alerts(&mut self, index: usize, step: &Value, merchant: MerchantId, seq: u64) -> Result<(), Error> {
        let (mut raised, mut cleared) = (Vec::new(), 0_u64);
        for recorded in self.ledger.events(merchant, seq, usize::MAX).wait()? {
            for fact in &recorded.entry.facts {
                match fact {
                    Fact::AlertRaised { deposit, level, .. } => {
                        raised.push(json!({ "deposit": deposit, "level": Level::name(*level) }));
                    }
                    Fact::AlertCleared { .. } => cleared = cleared.saturating_add(1),
                    _ => {}
                }
            }
        }
        let expected = step.get("alerts").cloned().unwrap_or(json!([]));
        self.compare(Some(index), "alerts", &expected, &json!(raised));
        let expected = step.get("alerts_cleared").cloned().unwrap_or(json!(0));
        self.compare(Some(index), "alerts_cleared", &expected, &json!(cleared));
        Ok(())
    }
}

/// What of `after` differs from `before`, in the shape of the files: single rows of the sets, `platform` and `missed`
/// whole.
fn difference(before: &Value, after: &Value) -> Value {
    let mut changed = Map::new();
    for (section, rows) in after.as_object().into_iter().flatten() {
        let earlier = &before[section.as_str()];
        if section == "platform" || section == "missed" {
            if earlier != rows {
                changed.insert(section.clone(), rows.clone());
            }
            continue;
        }
        let differs = |(id, row): &(&String, &Value)| earlier.get(id.as_str()) != Some(*row);
        let rows = rows.as_object().into_iter().flatten().filter(differs);
        let rows: Map<_, _> = rows.map(|(id, row)| (id.clone(), row.clone())).collect();
        if !rows.is_empty() {
            changed.insert(section.clone(), Value::Object(rows));
        }
    }
    Value::Object(changed)
}
