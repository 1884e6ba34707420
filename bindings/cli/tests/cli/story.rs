//! A whole story, from `init` to `check`, on each store: every subcommand, in text and in JSON.

use std::process::Stdio;
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::ground::{CAMPAIGN, DEPOSIT, LEAD, MERCHANT, PARTNER, Store, lead_fields, of_merchant};
use crate::{audits, figures};

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
    figures::the_story(store);
    audits::the_story(store);
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
        "available": "4860.00", "level": "healthy", "basis": "balance", "reference": "5000.00", "percent": "98.80",
        "leads_left": 81, "days_left": null, "auto_top_up_threshold": null, "auto_top_up_amount": null,
        "paused_campaigns": [], "status": "active",
    });
    let all = json!({ "merchants": [{ "merchant": MERCHANT, "deposits": [deposit] }] });
    assert_eq!(store.run(&["status", "--json"]).json(), all);
    assert_eq!(store.run(&["--json", "status"]).json(), all);
    let table = store.run(&["status"]).ok();
    let row = format!("{MERCHANT}  all    4940.00 MAD  4860.00 MAD  98.8%     -  Sain");
    assert_eq!(table.lines().nth(1), Some(row.as_str()), "{table}");
    assert!(!table.contains('\u{1b}'), "colours without a terminal");

    let card = store.run(&["status", MERCHANT]).ok();
    for line in [
        "  balance    4940.00 MAD  [###################-] 98.80% of 5000.00 MAD\n",
        "  reserved     80.00 MAD\n",
        "  available  4860.00 MAD  leads left ~\u{a0}81, days left -\n",
        "  level      Sain (healthy)\n",
        "  top-up     automatic: off\n",
        "    leads today                             2    spent                           60.00 MAD\n",
        "    validation rate                   100.00%    return                           -100.00%\n",
        "campaigns  1 active, 0 paused\n",
        "to review  1 leads: 0 high, 0 medium, 1 low\n",
    ] {
        assert!(card.contains(line), "{line:?} is not in {card}");
    }
    let card = store.run(&["status", MERCHANT, "--json"]).json();
    assert_eq!(card["deposits"], json!([deposit]));
    assert_eq!(card["campaigns"], json!([{ "campaign": CAMPAIGN, "status": "active" }]));
    assert_eq!(card["to_review"], json!({ "high": 0, "medium": 0, "low": 1 }));
    assert_eq!(card["figures"][0]["leads"]["generated"], json!(2));

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
    let events =
        |text: String| -> Vec<Value> { text.lines().map(|line| serde_json::from_str(line).unwrap()).collect() };
    let lines = events(store.run(&["tail", "--from-start", "--limit", "5", "--json"]).ok());
    let said: Vec<Value> = lines.iter().map(|line| json!([line["seq"], line["index"], line["type"]])).collect();
    let expected = [
        json!([1, 0, "campaign_registered"]),
        json!([2, 0, "deposit_opened"]),
        json!([2, 1, "payment_received"]),
        json!([3, 0, "lead_created"]),
        json!([4, 0, "lead_validated"]),
        json!([5, 0, "lead_created"]),
    ];
    assert_eq!(said, expected);
    assert_eq!((&lines[4]["commission"], &lines[4]["partner_part"]), (&json!("60.00"), &json!("18.00")));
    let one = ["tail", "--from-start", "--limit", "5", "--merchant", MERCHANT, "--json"];
    assert_eq!(events(store.run(&one).ok()), lines);
    let text = store.run(&["tail", "--from-start", "--limit", "4", "--merchant", MERCHANT]).ok();
    let last = text.lines().last().unwrap();
    assert!(
        last.contains("  442a26ae..1e5e #4     lead_validated          lead 9c035e99..7cdf: 60.00 MAD = "),
        "{text}"
    );
    assert!(last.ends_with(" = 18.00 MAD partner + 42.00 MAD platform, score 8"), "{text}");

    // A name goes on where it was, whatever its run before left out of an entry's page.
    let as_books = |limit: &str| events(store.run(&["tail", "--as", "books", "--json", "--limit", limit]).ok());
    assert_eq!(as_books("2"), lines[..3]);
    assert_eq!(as_books("1"), lines[3..4]);
    assert_eq!(as_books("2"), lines[4..]);
    let other = store.run(&["tail", "--as", "others", "--limit", "1"]).ok();
    assert!(other.contains(" #1     campaign_registered "), "{other}");

    // Without --from-start, only what is new: in all books, and in one.
    for scope in [&[][..], &["--merchant", MERCHANT]] {
        let arguments = [&["tail", "--json", "--limit", "1"], scope].concat();
        let mut waiting = store.command(&arguments).stdout(Stdio::piped()).spawn().unwrap();
        let until = Instant::now() + Duration::from_mins(1);
        while waiting.try_wait().unwrap().is_none() {
            assert!(Instant::now() < until, "tail {scope:?} sees nothing new");
            // It may not have looked yet where the journal ends: what comes later is new to it as well.
            store.send("top_up", json!({ "deposit": DEPOSIT, "amount": "100.00" }));
            std::thread::sleep(Duration::from_millis(300));
        }
        let out = String::from_utf8(waiting.wait_with_output().unwrap().stdout).unwrap();
        let line: Value = serde_json::from_str(&out).unwrap();
        assert_eq!((&line["type"], &line["kind"]), (&json!("payment_received"), &json!("top_up")), "{out}");
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
    assert!(text.starts_with("1 books, ") && text.contains(" 2 leads: 0 fail\nhead: entry "), "{text}");
    let one = store.run(&["check", MERCHANT, "--json"]).json();
    assert_eq!(one["head"]["seq"], checked["entries"]);
    assert!(text.ends_with(&format!(" {}\n", one["head"]["hash"].as_str().unwrap())), "{text}");
}
