//! `explain`, `balances`, `proof` and `check`: what an auditor asks.

use serde_json::{Value, json};

use crate::ground::{DEPOSIT, LEAD, MERCHANT, NOBODY, PARTNER, Store, run};

/// Of the story's first part: the lead of entry 3 was validated by entry 4.
pub(crate) fn the_story(store: &Store) {
    let text = store.run(&["explain", MERCHANT, LEAD]).ok();
    assert!(text.contains("10 % of 600.00 MAD is 60.00 MAD."), "{text}");
    let data = store.run(&["explain", MERCHANT, LEAD, "--json"]).json();
    let events: Vec<&Value> = data["steps"].as_array().unwrap().iter().map(|step| &step["event"]).collect();
    assert_eq!((&data["partner_part"], events), (&json!("18.00"), vec![&json!("created"), &json!("validated")]));

    let then = store.run(&["balances", MERCHANT, "--entry", "3", "--json"]).json();
    let held = &then["deposits"][DEPOSIT];
    assert_eq!(
        (&held["balance"], &held["reserved"], &then["of"]["seq"]),
        (&json!("5000.00"), &json!("60.00"), &json!(3))
    );
    let at = then["of"]["at"].as_str().unwrap();
    let same = store.run(&["balances", MERCHANT, "--at", at, "--json"]).json();
    assert_eq!(same["of"]["at"], then["of"]["at"]);
    let local = store.run(&["balances", MERCHANT, "--at", &at[..26].replace('T', " "), "--time-zone", "UTC", "--json"]);
    assert_eq!(local.json(), same);
    let now = store.run(&["balances", MERCHANT]).ok();
    for line in [
        format!("{DEPOSIT}  4940.00 MAD  80.00 MAD  4860.00 MAD  open\n"),
        format!("deposit:{DEPOSIT}          4940.00 MAD\n"),
        format!("partner:{PARTNER}:payable    18.00 MAD\n"),
    ] {
        assert!(now.contains(&line), "{line:?} is not in {now}");
    }
    assert!(now.contains("\nas of     entry 5, "), "{now}");

    let file = store.folder.path().join("proof.json").display().to_string();
    let made = store.run(&["proof", MERCHANT, "4", "--out", &file, "--json"]).json();
    assert_eq!((&made["entries"], &made["head"]["seq"]), (&json!(2), &json!(5)));
    let head = made["head"]["hash"].as_str().unwrap();
    let noted = store.run(&["check", MERCHANT, "--json"]).json();
    assert_eq!(noted["head"]["hash"], json!(head));
    let there = store.run(&["proof", MERCHANT, "4", "--out", &file]).failed(4);
    assert!(there.contains("(file_exists)"), "{there}");
    let told = store.run(&["proof", MERCHANT, "4", "--out", &file, "--force"]).ok();
    assert_eq!(told, format!("{file}: entry 4 up to the head, entry 5 {head}\n"));
    // No ledger is needed from here on.
    let text = run(&["proof", "--verify", &file]).ok();
    for line in
        ["proven    entry 4, validate_lead, ", "(so the proof says)\n", "not compared", ":payable  -18.00 MAD\n"]
    {
        assert!(text.contains(line), "{line:?} is not in {text}");
    }
    let proven = run(&["proof", MERCHANT, "--verify", &file, "--head", head, "--json"]).json();
    assert_eq!((&proven["seq"], &proven["kind"]), (&json!(4), &json!("validate_lead")));
    assert_eq!((&proven["head_compared"], &proven["merchant_compared"]), (&json!(true), &json!(true)));
    assert_eq!(proven["postings"][0]["amount"], json!("60.00"));
    let shown = store.run(&["proof", MERCHANT, "4", "--out", "-"]).ok();
    assert_eq!(shown, std::fs::read_to_string(&file).unwrap());
    assert_eq!(store.run_with_stdin(&["proof", "--verify", "-"], &shown).ok(), text);
}

#[test]
fn a_proof_that_does_not_hold_is_refused() {
    let store = Store::sqlite().prepared();
    let file = store.folder.path().join("proof.json");
    let path = file.display().to_string();
    store.run(&["proof", MERCHANT, "2", "--out", &path]).ok();
    let genuine = std::fs::read_to_string(&file).unwrap();
    let head = "0".repeat(64);
    let refused = |arguments: &[&str], code: i32, said: &str| {
        let err = run(&[&["proof"][..], arguments].concat()).failed(code);
        assert!(err.contains(said), "{arguments:?}: {said:?} is not in {err}");
    };
    refused(&["--verify", &path, "--head", &head], 7, "(proof_head_not_trusted)");
    refused(&[NOBODY, "--verify", &path], 7, "(proof_merchant_differs)");
    refused(&["--verify", &path, "--head", "12"], 4, "(invalid_hash)");
    refused(&["--verify", "no-such.json"], 4, "(proof_not_readable)");
    refused(&["--head", &head], 2, "--verify");
    refused(&[MERCHANT, "2"], 2, "--out");
    for (from, to, code, said) in [
        ("open_deposit", "open_deposyt", 7, "(proof_"),
        ("}\"", "} \"", 7, "(proof_hash_mismatch)"),
        ("\"version\":1", "\"version\":2", 4, "(proof_wrong_version)"),
        ("{\"version\"", "", 4, "(proof_not_readable)"),
        (MERCHANT, NOBODY, 7, "(proof_seal_broken)"),
    ] {
        assert!(genuine.contains(from), "{from}");
        std::fs::write(&file, genuine.replacen(from, to, 1)).unwrap();
        refused(&["--verify", &path], code, said);
    }
    std::fs::write(&file, genuine).unwrap();
    run(&["proof", "--verify", &path]).ok();
}
