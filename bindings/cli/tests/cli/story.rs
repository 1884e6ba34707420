//! A whole story, from `init` to `check`, on each store: every subcommand, in text and in JSON.

use std::process::Stdio;
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::ground::{CAMPAIGN, DEPOSIT, LEAD, MERCHANT, PARTNER, Store, lead_fields, of_merchant};

#[test]
fn a_ledger_in_a_file_is_looked_after_from_init_to_check() {
    let store = Store::sqlite();
    let file = store.url.strip_prefix("sqlite:").unwrap();
    assert_eq!(store.run(&["init"]).ok(), format!("file {file} is made\n"));
    assert_eq!(store.run(&["init"]).ok(), format!("file {file} is up to date\n"));
    assert_eq!(store.run(&["migrate", "--json"]).json(), json!({ "store": "sqlite", "created": false }));
    the_story(&store);
}

#[test]
fn a_ledger_on_a_server_is_looked_after_from_init_to_check() {
    let store = Store::postgres("story");
    let needs_migration = store.run(&["status"]).failed(6);
    assert!(needs_migration.contains("(store_outdated)"), "{needs_migration}");
    for setup in [["--roles", "No Name"], ["--merchants-of", "no_schema"]] {
        let refused = store.run(&[&["init"][..], &setup].concat()).failed(6);
        assert!(refused.contains("(store_misconfigured)"), "{refused}");
    }
    let made = store.run(&["init", "--json"]).json();
    let to = made["to"].as_u64().unwrap();
    assert_eq!((&made["store"], &made["created"], &made["from"]), (&json!("postgres"), &json!(true), &json!(0)));
    assert!(store.run(&["migrate"]).ok().contains(&format!("is up to date, version {to}")));
    assert_eq!(store.run(&["init", "--realtime", "off", "--json"]).json()["from"], json!(to));
    the_story(&store);
}

fn the_story(store: &Store) {
    assert_eq!(store.run(&["status"]).ok(), "no merchant has a book here yet\n");
    assert_eq!(store.run(&["status", "--json"]).json(), json!({ "merchants": [] }));
    commands(store);
    reads(store);
    feed(store);
    ends(store);
}

fn commands(store: &Store) {
    store.send("register_campaign", json!({ "campaign": CAMPAIGN }));
    let opening = of_merchant(json!({ "deposit": DEPOSIT, "amount": "5000.00" }));
    let opened = store.run(&["do", "open_deposit", "--json", &opening, "--key", "first"]).json();
    assert_eq!((&opened["seq"], &opened["replayed"]), (&json!(2), &json!(false)));
    assert_eq!(opened["answer"], json!({ "deposit": DEPOSIT }));
    let again = store.run(&["--json", "do", "open_deposit", "--with", &opening, "--key", "first"]).json();
    assert_eq!((&again["seq"], &again["replayed"]), (&json!(2), &json!(true)));
    let text = store.run(&["do", "open_deposit", "--with", &opening, "--key", "first"]).ok();
    assert!(text.starts_with("open_deposit: was done before: entry 2, "), "{text}");

    let created = store.run_with_stdin(&["do", "create_lead", "--with", "-"], &of_merchant(lead_fields())).ok();
    for line in ["create_lead: entry 3, ", "  commission     60.00 MAD\n", "  partner_part   18.00 MAD\n"] {
        assert!(created.contains(line), "{line:?} is not in {created}");
    }
    let file = store.folder.path().join("validate.json");
    std::fs::write(&file, of_merchant(json!({ "lead": LEAD, "score": 8 }))).unwrap();
    let validated = store.run(&["do", "validate_lead", "--json", &format!("@{}", file.display())]).json();
    assert_eq!((&validated["seq"], &validated["answer"]), (&json!(4), &json!({})));
    let second = store.send("create_lead", json!({ "campaign": CAMPAIGN, "partner": PARTNER, "value": "2500.00" }));
    assert_eq!(second["answer"]["commission"], json!("80.00"));
}

fn reads(store: &Store) {
    let deposit = json!({
        "deposit": DEPOSIT, "campaign": null, "currency": "MAD", "balance": "4940.00", "reserved": "80.00",
        "available": "4860.00", "level": "healthy", "basis": "balance", "reference": "5000.00", "status": "active",
    });
    let all = json!({ "merchants": [{ "merchant": MERCHANT, "deposits": [deposit] }] });
    assert_eq!(store.run(&["status", "--json"]).json(), all);
    assert_eq!(store.run(&["--json", "status"]).json(), all);
    let table = store.run(&["status"]).ok();
    let row = format!("{MERCHANT}  {DEPOSIT}  all campaigns  4940.00 MAD  80.00 MAD  4860.00 MAD  healthy  active");
    assert_eq!(table.lines().nth(1), Some(row.as_str()), "{table}");
    assert!(!table.contains('\u{1b}'), "colours without a terminal");

    let card = store.run(&["status", MERCHANT]).ok();
    for line in [
        "  balance    4940.00 MAD  [###################-] of 5000.00 MAD\n",
        "  reserved     80.00 MAD\n",
        "  level      healthy (Sain)\n",
        "campaigns  1 active, 0 paused\n",
        "to review  1 leads: 0 high, 0 medium, 1 low\n",
    ] {
        assert!(card.contains(line), "{line:?} is not in {card}");
    }
    let card = store.run(&["status", MERCHANT, "--json"]).json();
    assert_eq!(card["deposits"], json!([deposit]));
    assert_eq!(card["campaigns"], json!([{ "campaign": CAMPAIGN, "status": "active" }]));
    assert_eq!(card["to_review"], json!({ "high": 0, "medium": 0, "low": 1 }));

    let leads = |more: &[&str]| -> Vec<Value> {
        let found = store.run(&[&["leads", MERCHANT, "--json"], more].concat()).json();
        found["leads"].as_array().unwrap().clone()
    };
    let all = leads(&[]);
    assert_eq!(all.len(), 2);
    assert_eq!((&all[1]["lead"], &all[1]["status"]), (&json!(LEAD), &json!("validated")));
    assert_eq!((&all[1]["value"], &all[1]["platform_part"]), (&json!("600.00"), &json!("42.00")));
    assert_eq!(leads(&["--status", "validated"]), all[1..]);
    assert_eq!(leads(&["--source", "tiktok", "--partner", PARTNER]), all[1..]);
    assert_eq!(leads(&["--pending", "--campaign", CAMPAIGN]), all[..1]);
    assert_eq!(leads(&["--campaign", DEPOSIT]), Vec::<Value>::new());
    let first = store.run(&["leads", MERCHANT, "--json", "--limit", "1"]).json();
    assert_eq!(first["leads"], json!(all[..1]));
    assert_eq!(leads(&["--after", first["next"].as_str().unwrap()]), all[1..]);
    let table = store.run(&["leads", MERCHANT, "--limit", "1"]).ok();
    assert!(table.lines().nth(1).unwrap().contains(" pending  low "), "{table}");
    assert!(table.contains("\nmore: --after "), "{table}");

    let statement = store.run(&["statement", MERCHANT, DEPOSIT, "--json"]).json();
    let amounts =
        |line: &Value| json!([line["seq"], line["kind"], line["lead"], line["amount"], line["balance_after"]]);
    let lines: Vec<Value> = statement["lines"].as_array().unwrap().iter().map(amounts).collect();
    let expected = [
        json!([4, "validate_lead", LEAD, "-60.00", "4940.00"]),
        json!([2, "open_deposit", null, "5000.00", "5000.00"]),
    ];
    assert_eq!(lines, expected);
    let first = store.run(&["statement", MERCHANT, DEPOSIT, "--json", "--limit", "1"]).json();
    let rest = store.run(&["statement", MERCHANT, DEPOSIT, "--after", first["next"].as_str().unwrap()]).ok();
    assert_eq!(rest.lines().count(), 2, "{rest}");
    assert!(rest.contains(" open_deposit ") && rest.ends_with(" 5000.00 MAD  5000.00 MAD\n"), "{rest}");
}

fn feed(store: &Store) {
    let lines = store.run(&["tail", "--from-start", "--limit", "5", "--json"]).ok();
    let lines: Vec<Value> = lines.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let seqs: Vec<u64> = lines.iter().map(|line| line["seq"].as_u64().unwrap()).collect();
    assert_eq!(seqs, [1, 2, 3, 4, 5]);
    assert_eq!((&lines[1]["key"], &lines[1]["kind"]), (&json!("first"), &json!("open_deposit")));
    let captured = json!([
        { "account": format!("deposit:{DEPOSIT}"), "amount": "60.00" },
        { "account": format!("partner:{PARTNER}:payable"), "amount": "-18.00" },
        { "account": "platform:commission", "amount": "-42.00" },
    ]);
    assert_eq!(lines[3]["postings"], captured);
    let text = store.run(&["tail", "--from-start", "--limit", "2", "--merchant", MERCHANT]).ok();
    assert!(text.contains("#2  open_deposit  key first\n    payments:manual  5000.00 MAD\n"), "{text}");

    // Without --from-start, only what is new.
    let waiting = store.command(&["tail", "--json", "--limit", "1"]).stdout(Stdio::piped()).spawn().unwrap();
    let until = Instant::now() + Duration::from_mins(1);
    let mut waiting = Some(waiting);
    while let Some(mut child) = waiting.take() {
        assert!(Instant::now() < until, "tail sees nothing new");
        // It may not have looked yet where the journal ends: what comes later is new to it as well.
        store.send("top_up", json!({ "deposit": DEPOSIT, "amount": "100.00" }));
        std::thread::sleep(Duration::from_millis(300));
        if child.try_wait().unwrap().is_none() {
            waiting = Some(child);
            continue;
        }
        let out = String::from_utf8(child.wait_with_output().unwrap().stdout).unwrap();
        let line: Value = serde_json::from_str(&out).unwrap();
        assert_eq!(line["kind"], json!("top_up"), "{out}");
    }
}

fn ends(store: &Store) {
    assert_eq!(
        store.run(&["run-due", "--json"]).json(),
        json!({ "books": 0, "expired": 0, "accepted": 0, "matured": 0 })
    );
    assert_eq!(store.run(&["run-due", MERCHANT]).ok(), "1 books: 0 leads expired, 0 accepted, 0 parts matured\n");
    let checked = store.run(&["check", "--json"]).json();
    assert_eq!((&checked["books"], &checked["leads"], &checked["failures"]), (&json!(1), &json!(2), &json!([])));
    let text = store.run(&["check", MERCHANT]).ok();
    assert!(text.starts_with("1 books, ") && text.ends_with(" 2 leads: 0 fail\n"), "{text}");
}
