//! `play`: the conformance suite's stories, and stories that are none.

use std::path::PathBuf;

use serde_json::{Value, json};

use crate::ground::{Store, run};

fn folder() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../core/conformance/scenarios")
}

fn committed() -> Vec<PathBuf> {
    let mut files: Vec<PathBuf> = std::fs::read_dir(folder()).unwrap().map(|entry| entry.unwrap().path()).collect();
    files.retain(|file| file.extension().is_some_and(|extension| extension == "json"));
    files.sort();
    assert!(files.len() > 10, "the stories are not where they were");
    files
}

#[test]
fn every_story_of_the_suite_goes_as_it_says() {
    for file in committed() {
        let store = Store::sqlite();
        store.run(&["init"]).ok();
        let story: Value = serde_json::from_str(&std::fs::read_to_string(&file).unwrap()).unwrap();
        let steps = story["steps"].as_array().unwrap().len();
        let file = file.display().to_string();
        let played = store.run(&["play", &file, "--json"]).json();
        assert_eq!(played, json!({ "steps": steps, "mismatches": [] }), "{file}");
    }
}

#[test]
fn a_story_is_played_once_in_a_store_and_beside_others() {
    let store = Store::postgres("play");
    store.run(&["init"]).ok();
    let [first, second] = [0, 1].map(|number| committed()[number].display().to_string());
    let played = store.run(&["play", &first]).ok();
    assert!(played.ends_with(" steps, 0 mismatches\n"), "{played}");
    assert!(store.run(&["play", &first]).failed(3).contains("(book_exists)"));
    let different = |file: &str| std::fs::read_to_string(file).unwrap();
    assert_ne!(different(&first), different(&second));
    let checked = store.run(&["check", "--json"]).json();
    assert_eq!(checked["failures"], json!([]));
}

#[test]
fn a_story_that_says_something_else_is_told_step_by_step() {
    let store = Store::sqlite();
    let text = std::fs::read_to_string(&committed()[0]).unwrap().replacen("\"18.00\"", "\"17.00\"", 1);
    let file = store.folder.path().join("other.json");
    std::fs::write(&file, text).unwrap();
    let file = file.display().to_string();
    let ran = run(&["play", &file, "--url", "memory:"]);
    assert!(ran.out.starts_with("step ") && ran.out.contains("17.00") && ran.out.contains("18.00"), "{}", ran.out);
    assert!(ran.failed(7).contains("(story_mismatch)"));
    let ran = run(&["play", &file, "--url", "memory:", "--json"]);
    let played: Value = serde_json::from_str(&ran.out).unwrap();
    assert!(played["mismatches"][0]["expected"].to_string().contains("17.00"), "{played}");
}

#[test]
fn what_is_no_story_leaves_no_trace() {
    let store = Store::sqlite();
    store.run(&["init"]).ok();
    let file = store.folder.path().join("story.json");
    let path = file.display().to_string();
    let step = |at: &str, merchant: &str| json!({ "at": at, "do": "run_due", "with": { "merchant": merchant }, "changed": {}, "ok": {} });
    let (fine, who) = ("2026-01-05T08:00:00Z", "d48451ba-bfa2-579b-b818-81e6de19fe20");
    for (story, said) in [
        (json!([]), "no steps"),
        (json!({ "steps": [{}] }), "at is missing"),
        (json!({ "steps": [step(fine, who)] }), "no final state"),
        (
            json!({ "steps": [step(fine, who), step("noon", who)], "final": { who: {} } }),
            "step 1: \"noon\" is not a time",
        ),
        (json!({ "steps": [step(fine, who), step(fine, "x")], "final": { who: {} } }), "step 1: the merchant"),
        (json!({ "steps": [step(fine, who)], "final": { "x": {} } }), "final: \"x\" is not an id"),
    ] {
        std::fs::write(&file, story.to_string()).unwrap();
        let err = store.run(&["play", &path]).failed(4);
        assert!(err.contains(said) && err.contains("(invalid_scenario)"), "{said:?} is not in {err}");
    }
    std::fs::write(&file, "once upon a time").unwrap();
    assert!(store.run(&["play", &path]).failed(4).contains("not JSON"));
    assert_eq!(store.run(&["status", "--json"]).json(), json!({ "merchants": [] }));
}
