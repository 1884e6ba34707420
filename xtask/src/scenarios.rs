//! Plays a folder of scenario files on a store, each on an empty ledger, and tells every difference.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use leadledger::conformance::{Mismatch, Played, check_shape, play, scenario_files};
use leadledger::{Ledger, ManualClock, MemoryStore, Options, Store, Timestamp};
use leadledger_postgres::{Migration, PostgresOptions, PostgresStore};
use leadledger_sqlite::SqliteStore;
use serde_json::Value;

use crate::postgres;
use crate::run::Failure;

/// How many differences of one file are told; the rest is counted.
const TOLD: usize = 10;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum StoreKind {
    Memory,
    Sqlite,
    Postgres,
}

impl StoreKind {
    const ALL: [(&str, Self); 3] = [("memory", Self::Memory), ("sqlite", Self::Sqlite), ("postgres", Self::Postgres)];
}

/// A scenario file that has the shape of one.
struct Scenario {
    name: String,
    story: Value,
}

pub(crate) fn run(arguments: &[String]) -> Result<(), Failure> {
    let (folder, store) = parse(arguments)?;
    let scenarios = load(&folder)?;
    let (mut steps, mut mismatches) = (0, 0);
    for (number, Scenario { name, story }) in scenarios.iter().enumerate() {
        let played = play_on(store, number, story).map_err(|fault| format!("{name}: {fault}"))?;
        for mismatch in played.mismatches.iter().take(TOLD) {
            println!("{name}: {}", told(story, mismatch));
        }
        if played.mismatches.len() > TOLD {
            println!("{name}: and {} more", played.mismatches.len() - TOLD);
        }
        steps += played.steps;
        mismatches += played.mismatches.len();
    }
    println!("{} scenarios, {steps} steps, {mismatches} mismatches", scenarios.len());
    if mismatches == 0 { Ok(()) } else { Err("the store does not do what the scenarios say".into()) }
}

/// The step with its command, and what was expected of it and seen.
fn told(story: &Value, Mismatch { step, what, expected, got }: &Mismatch) -> String {
    let place = match step {
        Some(step) => format!("step {step} ({})", story["steps"][*step]["do"].as_str().unwrap_or_default()),
        None => "at the end".to_owned(),
    };
    format!("{place}: {what}: expected {expected}, got {got}")
}

fn parse(arguments: &[String]) -> Result<(PathBuf, StoreKind), Failure> {
    let (mut folder, mut store) = (None, None);
    let mut rest = arguments.iter();
    while let Some(argument) = rest.next() {
        if argument == "--store" {
            let name = rest.next().map(String::as_str).unwrap_or_default();
            let known = StoreKind::ALL.iter().find(|(known, _)| *known == name);
            store = Some(known.ok_or_else(|| format!("--store is memory, sqlite or postgres, not {name:?}"))?.1);
        } else if argument.starts_with('-') || folder.replace(PathBuf::from(argument)).is_some() {
            return Err(format!("unexpected argument {argument:?}").into());
        }
    }
    let folder = folder.ok_or("which folder? scenarios DIR [--store memory|sqlite|postgres]")?;
    Ok((folder, store.unwrap_or(StoreKind::Memory)))
}

/// All scenario files of a folder. None at all, or one that is not a scenario, is an error: what was not played must
/// not pass.
fn load(folder: &Path) -> Result<Vec<Scenario>, Failure> {
    let files = scenario_files(folder).map_err(|fault| format!("{}: {fault}", folder.display()))?;
    if files.is_empty() {
        return Err(format!("{}: no *.json file", folder.display()).into());
    }
    let read = |file: &PathBuf| -> Result<Scenario, Failure> {
        let text = std::fs::read_to_string(file).map_err(|fault| format!("{}: {fault}", file.display()))?;
        let story = serde_json::from_str(&text).map_err(|fault| format!("{}: not JSON: {fault}", file.display()))?;
        check_shape(&story).map_err(|what| format!("{}: {what}", file.display()))?;
        let name = file.file_name().unwrap_or(file.as_os_str()).to_string_lossy().into_owned();
        Ok(Scenario { name, story })
    };
    files.iter().map(read).collect()
}

fn play_on(kind: StoreKind, number: usize, story: &Value) -> Result<Played, Failure> {
    match kind {
        StoreKind::Memory => play_in(Arc::new(MemoryStore::new()), story),
        StoreKind::Sqlite => {
            let home = tempfile::tempdir()?;
            play_in(Arc::new(SqliteStore::open(home.path().join("ledger.db"))?), story)
        }
        StoreKind::Postgres => {
            // In turns: direct, through a pooler in transaction mode, over TLS.
            let ways = postgres::variables()?.map(|(_, url)| url);
            let schema = format!("scenario_{}_{number}", std::process::id());
            PostgresStore::migrate(ways[0], &Migration { schema: schema.clone(), ..Migration::default() })?;
            let options = PostgresOptions { schema: schema.clone(), ..PostgresOptions::default() };
            let played = play_in(Arc::new(PostgresStore::open_with(ways[number % ways.len()], options)?), story);
            postgres::drop_schema(&schema)?;
            played
        }
    }
}

fn play_in(store: Arc<dyn Store>, story: &Value) -> Result<Played, Failure> {
    let clock = Arc::new(ManualClock::new(Timestamp::MIN));
    let ledger = Ledger::with_shared(store, clock.clone(), Options::default())?;
    Ok(play(story, &ledger, &clock)?)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn committed() -> PathBuf {
        crate::run::root().join("core/conformance/scenarios")
    }

    fn worked_example() -> String {
        std::fs::read_to_string(committed().join("00-seed-worked-example.json")).unwrap()
    }

    /// What the subcommand says of a folder with one file of this text.
    fn outcome(text: &str, store: &str) -> Result<(), String> {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("one.json"), text).unwrap();
        let arguments = [folder.path().display().to_string(), "--store".to_owned(), store.to_owned()];
        run(&arguments).map_err(|failure| failure.to_string())
    }

    #[test]
    fn a_true_story_passes_and_a_changed_one_does_not() {
        let text = worked_example();
        for (store, _) in StoreKind::ALL {
            assert_eq!(outcome(&text, store), Ok(()));
            for (from, to) in [("\"4940.00\"", "\"4940.01\""), ("\"18.00\"", "\"17.00\""), ("healthy", "warning")] {
                assert!(text.contains(from));
                assert!(outcome(&text.replacen(from, to, 1), store).is_err(), "{from} on {store}");
            }
        }
    }

    #[test]
    fn a_mismatch_names_its_step_and_both_sides() {
        let text = worked_example().replacen("\"18.00\"", "\"17.00\"", 1);
        let story = serde_json::from_str(&text).unwrap();
        let played = play_on(StoreKind::Memory, 0, &story).unwrap();
        let line = told(&story, &played.mismatches[0]);
        assert!(line.starts_with("step ") && line.contains("create_lead"), "{line}");
        assert!(line.contains("expected") && line.contains("17.00") && line.contains("18.00"), "{line}");
    }

    #[test]
    fn what_is_not_a_scenario_is_an_error() {
        let cases = [
            ("", "not JSON"),
            ("[]", "no steps"),
            ("{}", "no steps"),
            (r#"{"steps": []}"#, "no steps"),
            (r#"{"steps": [{}]}"#, "at is missing"),
            (r#"{"steps": [{"at": "x", "do": "run_due", "with": {}, "changed": {}}]}"#, "ok or refused"),
            (r#"{"steps": [{"at": "x", "do": "run_due", "with": {}, "changed": {}, "ok": {}}]}"#, "no final"),
            (
                r#"{"steps": [{"at": "x", "do": "run_due", "with": {}, "changed": {}, "ok": {}}], "final": {"a": {}}}"#,
                "not a time",
            ),
        ];
        for (text, what) in cases {
            let failure = outcome(text, "memory").unwrap_err();
            assert!(failure.contains(what), "{text:?} gave {failure:?}");
        }
    }

    #[test]
    fn a_folder_without_scenarios_is_an_error() {
        let folder = tempfile::tempdir().unwrap();
        let failure = |arguments: &[&str]| {
            run(&arguments.iter().map(|argument| (*argument).to_owned()).collect::<Vec<_>>()).unwrap_err().to_string()
        };
        let path = folder.path().display().to_string();
        assert!(failure(&[&path]).contains("no *.json"));
        assert!(failure(&[&format!("{path}/nowhere")]).contains("nowhere"));
        assert!(failure(&[&path, "--store", "paper"]).contains("paper"));
        assert!(failure(&[&path, &path]).contains("unexpected"));
        assert!(failure(&[]).contains("which folder"));
    }
}
