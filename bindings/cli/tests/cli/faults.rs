//! What goes wrong, and how the program says so: exit codes by family, codes, and no secrets.

use std::os::unix::fs::PermissionsExt;
use std::os::unix::process::CommandExt;
use std::process::{Command, Stdio};

use serde_json::{Value, json};

use crate::ground::{CAMPAIGN, DEPOSIT, LEAD, MERCHANT, NOBODY, Ran, Store, binary, of_merchant, run};

#[test]
fn bad_input_is_refused_with_its_code_and_changes_nothing() {
    let store = Store::sqlite().prepared();
    let before = store.run(&["check"]).ok();
    let missing = store.folder.path().join("missing.json").display().to_string();
    let lead = |fields: Value| of_merchant(fields);
    let float = format!(r#"{{"merchant":"{MERCHANT}","deposit":"{DEPOSIT}","amount":100.5}}"#);
    let twice = format!(r#"{{"merchant":"{MERCHANT}","deposit":"{DEPOSIT}","amount":"100","amount":"200"}}"#);
    let table: &[(&[&str], i32, &str)] = &[
        // The command line.
        (&[], 2, "Usage: leadledger"),
        (&["stauts"], 2, "'status'"),
        (&["leads"], 2, "<MERCHANT>"),
        (&["leads", MERCHANT, "--status", "new"], 2, "possible values: pending"),
        (&["leads", MERCHANT, "--pending", "--status", "lost"], 2, "cannot be used with"),
        (&["leads", MERCHANT, "--limit", "0"], 2, "--limit"),
        (&["do", "run_due"], 2, "(usage)"),
        (&["do", "run_due", "--with", "{}", "--json", "{}"], 2, "given twice"),
        (&["status", "--url", ""], 2, "(url_missing)"),
        (&["figures", MERCHANT, "--partner", MERCHANT], 2, "cannot be used with"),
        (&["figures", MERCHANT, "--day", "2026-01-01", "--yesterday"], 2, "cannot be used with"),
        (&["figures", "--day", "2026-01-01"], 2, "<MERCHANT>"),
        (&["tail", "--as", "n", "--from-start"], 2, "cannot be used with"),
        (&["tail", "--as", "n", "--merchant", MERCHANT], 2, "cannot be used with"),
        (&["tail", "--limit", "0"], 2, "--limit"),
        (&["balances", MERCHANT, "--entry", "1", "--at", "noon"], 2, "cannot be used with"),
        (&["proof", MERCHANT, "1"], 2, "--out"),
        // Refused by the rules.
        (&["explain", MERCHANT, NOBODY], 3, "(lead_not_found)"),
        (&["explain", NOBODY, LEAD], 3, "(lead_not_found)"),
        (&["statement", MERCHANT, NOBODY], 3, "(deposit_not_found)"),
        (&["statement", NOBODY, DEPOSIT], 3, "(deposit_not_found)"),
        (&["do", "convert_lead", "--with", &lead(json!({ "lead": LEAD }))], 3, "no move from pending to converted"),
        (&["do", "top_up", "--with", &lead(json!({ "deposit": DEPOSIT, "amount": "1.00" }))], 3, "(below_minimum)"),
        // Invalid input.
        (&["status", "--url", "mysql://u:secret@h/d"], 4, "(invalid_url)"),
        (&["status", "--url", "postgres://u:se/cret@h/d"], 4, "(invalid_url)"),
        (&["status", "--url", "sqlite://h/d"], 4, "(invalid_url)"),
        (&["status", "--time-zone", "Mars/Olympus"], 4, "(unknown_time_zone)"),
        (&["status", "--time-zone", "casablanca"], 4, "(unknown_time_zone)"),
        (&["status", "12"], 4, "(invalid_id)"),
        (&["status", NOBODY], 4, "(unknown_merchant)"),
        (&["leads", NOBODY], 4, "(unknown_merchant)"),
        (&["check", NOBODY], 4, "(unknown_merchant)"),
        (&["run-due", NOBODY], 4, "(unknown_merchant)"),
        (&["leads", MERCHANT, "--campaign", "x"], 4, "campaign: \"x\" is not an id"),
        (&["leads", MERCHANT, "--after", "x"], 4, "(invalid_cursor)"),
        (&["statement", MERCHANT, "x"], 4, "(invalid_id)"),
        (&["statement", MERCHANT, DEPOSIT, "--after", "x"], 4, "(invalid_cursor)"),
        (&["tail", "--merchant", "x"], 4, "(invalid_id)"),
        (&["tail", "--as", ""], 4, "(text_empty)"),
        (&["figures", "x"], 4, "(invalid_id)"),
        (&["figures", "--partner", "x"], 4, "(invalid_id)"),
        (&["figures", NOBODY], 4, "(unknown_merchant)"),
        (&["figures", NOBODY, "--yesterday"], 4, "(unknown_merchant)"),
        (&["figures", MERCHANT, "--day", "22/11/2026"], 4, "(invalid_day)"),
        (&["figures", MERCHANT, "--day", "2026-02-30"], 4, "(invalid_day)"),
        (&["figures", MERCHANT, "--day", "2020-01-01"], 4, "(before_first_entry)"),
        (&["figures", MERCHANT, "--day", "9999-01-01"], 4, "(day_not_begun)"),
        (&["figures", MERCHANT, "--time-zone", "Mars/Olympus"], 4, "(unknown_time_zone)"),
        (&["balances", NOBODY], 4, "(unknown_merchant)"),
        (&["balances", MERCHANT, "--at", "noon"], 4, "(invalid_time)"),
        (&["balances", MERCHANT, "--at", "2020-01-01T00:00:00Z"], 4, "(before_first_entry)"),
        (&["balances", MERCHANT, "--entry", "0"], 4, "(before_first_entry)"),
        (&["balances", MERCHANT, "--entry", "4"], 4, "(entry_not_found)"),
        (&["explain", MERCHANT, "x"], 4, "(invalid_id)"),
        (&["proof", NOBODY, "1", "--out", "-"], 4, "(unknown_merchant)"),
        (&["proof", MERCHANT, "4", "--out", "-"], 4, "(entry_not_found)"),
        (&["export", "--format", "jsonl", "--out", "-", "--merchant", NOBODY], 4, "(unknown_merchant)"),
        (&["import", &missing], 4, "missing.json"),
        (&["do", "create_laed", "--with", "{}"], 4, "did you mean create_lead? (unknown_command)"),
        (&["do", "create_laed", "--list"], 4, "did you mean create_lead? (unknown_command)"),
        (&["do", "run_due", "--with", "{"], 4, "not JSON"),
        (&["do", "run_due", "--with", "{}"], 4, "missing field `merchant`"),
        (&["do", "run_due", "--with", &lead(json!({ "merchnat": 1 }))], 4, "did you mean merchant?"),
        (&["do", "run_due", "--with", "{\"merchant\": \"x\"}"], 4, "is not an id"),
        (&["do", "run_due", "--with", &lead(json!({})), "--key", ""], 4, "(text_empty)"),
        (&["do", "run_due", "--with", &format!("@{missing}")], 4, "missing.json"),
        (&["do", "top_up", "--with", &float], 4, "amount: an amount or percent is a string"),
        (&["do", "top_up", "--with", &twice], 4, "duplicate field `amount`"),
        (&["play", &missing], 4, "missing.json"),
        (&["play", "."], 4, "(invalid_scenario)"),
        // The store.
        (&["status", "--url", "sqlite:no/such/file.db"], 5, "there is no file no/such/file.db"),
        (&["migrate", "--url", "sqlite:no-such.db"], 5, "(store_unavailable)"),
        (&["init", "--url", "sqlite:no/such/folder.db"], 5, "(store_unavailable)"),
        (&["status", "--url", "postgres://u:secret@127.0.0.1:1/d"], 5, "(store_unavailable)"),
        (&["status", "--url", "postgres://u:secret@h/d?sslmode=prefer"], 6, "(store_misconfigured)"),
        (&["status", "--url", "postgres://u:secret@h/d?schema=No-Name"], 6, "(store_misconfigured)"),
    ];
    for (arguments, code, said) in table {
        let ran = store.run(arguments);
        assert!(ran.out.is_empty(), "{arguments:?} wrote {}", ran.out);
        let err = ran.failed(*code);
        assert!(err.contains(said), "{arguments:?}: {said:?} is not in {err}");
        assert!(!err.contains("secret"), "{arguments:?} tells a secret: {err}");
    }
    assert_eq!(store.run(&["check"]).ok(), before);
}

#[test]
fn errors_are_json_objects_where_json_is_asked_for() {
    let store = Store::sqlite().prepared();
    let error = |arguments: &[&str], code: i32| -> Value {
        let err = store.run(arguments).failed(code);
        let value: Value = serde_json::from_str(&err).unwrap_or_else(|fault| panic!("{fault}: {err}"));
        value["error"].clone()
    };
    let poor = of_merchant(json!({ "deposit": DEPOSIT, "amount": "-4999.99", "reason": "a slip" }));
    assert_eq!(
        error(&["do", "adjust_deposit", "--json", &poor], 3),
        json!({
            "code": "insufficient_funds",
            "family": "refused",
            "message": "4940.00 is available, 4999.99 is required",
            "details": { "available": "4940.00", "required": "4999.99" },
            "transient": false,
        })
    );
    let typo = error(&["do", "validate_laed", "--json", "{}"], 4);
    assert_eq!((&typo["code"], &typo["family"]), (&json!("unknown_command"), &json!("invalid_input")));
    assert_eq!(typo["details"], json!({ "field": "do", "suggestion": "validate_lead" }));
    assert_eq!(error(&["leads", "--json"], 2)["code"], json!("usage"));
    let gone = error(&["--json", "status", "--url", "postgres://u:secret@127.0.0.1:1/d"], 5);
    assert_eq!((&gone["family"], &gone["transient"]), (&json!("store_unavailable"), &json!(true)));
    assert!(!gone.to_string().contains("secret"));
    let missing = run(&["status", "--json"]).failed(2);
    assert!(missing.contains("\"url_missing\""), "{missing}");
}

#[test]
fn somebody_elses_files_and_newer_ones_are_left_alone() {
    let store = Store::sqlite();
    store.damage("CREATE TABLE songs (title TEXT)");
    for subcommand in ["init", "status", "check"] {
        assert!(store.run(&[subcommand]).failed(6).contains("(store_foreign)"));
    }
    let store = Store::sqlite().prepared();
    store.damage("PRAGMA user_version = 999");
    let newer: Value = serde_json::from_str(&store.run(&["status", "--json"]).failed(6)).unwrap();
    assert_eq!((&newer["error"]["code"], &newer["error"]["details"]["found"]), (&json!("store_newer"), &json!(999)));
}

#[test]
fn a_file_that_may_only_be_read_is_told() {
    let store = Store::sqlite().prepared();
    let folder = store.folder.path();
    let program = folder.join("leadledger");
    std::fs::copy(env!("CARGO_BIN_EXE_leadledger"), &program).unwrap();
    let allow = |path: &std::path::Path, mode| std::fs::set_permissions(path, PermissionsExt::from_mode(mode)).unwrap();
    allow(&folder.join("ledger.db"), 0o444);
    allow(folder, 0o555);
    let mut command = Command::new(&program);
    command.args(["status", "--url", &store.url]).env_remove("LEADLEDGER_URL").stdin(Stdio::null());
    // Nothing is read-only to root.
    if std::os::unix::fs::MetadataExt::uid(&std::fs::metadata("/proc/self").unwrap()) == 0 {
        command.uid(65_534).gid(65_534);
    }
    let output = loop {
        match command.output() {
            // A program of another test's that is being started still holds this one open, as it was copied.
            Err(fault) if fault.kind() == std::io::ErrorKind::ExecutableFileBusy => {
                std::thread::sleep(std::time::Duration::from_millis(20));
            }
            output => break output.unwrap(),
        }
    };
    let ran = Ran::of(output);
    allow(folder, 0o755);
    assert!(ran.failed(6).contains("(store_read_only)"));
}

#[test]
fn a_check_lists_each_book_that_fails_and_goes_on() {
    let store = Store::sqlite().prepared();
    let other = json!({ "merchant": NOBODY, "amount": "2000.00" }).to_string();
    store.run(&["do", "open_deposit", "--json", &other]).json();
    store.damage(
        "UPDATE deposits SET balance = balance + 1 \
         WHERE book = (SELECT no FROM books WHERE hex(merchant) = '442A26AE0F1E5C1D8A4AD8421E3D1E5E')",
    );
    let ran = store.run(&["check"]);
    assert!(
        ran.out.starts_with(&format!("{MERCHANT}  ")) && ran.out.ends_with("2 books, 1 entries, 0 leads: 1 fail\n")
    );
    assert_eq!(ran.failed(7), "error: 1 of 2 books fail their check (check_failed)\n");
    let ran = store.run(&["check", "--json"]);
    let report: Value = serde_json::from_str(&ran.out).unwrap();
    assert_eq!(report["failures"][0]["merchant"], json!(MERCHANT));
    assert!(report["failures"][0]["difference"].as_str().unwrap().contains("deposit"));
    assert!(ran.failed(7).contains("\"check_failed\""));
    store.run(&["check", NOBODY]).ok();
    // Rows that cannot be read at all.
    store.damage("UPDATE deposits SET status = 99 WHERE balance = 500001");
    assert!(store.run(&["status", MERCHANT]).failed(6).contains("(store_corrupt)"));
    let ran = store.run(&["check"]);
    assert!(
        ran.out.starts_with(&format!("{MERCHANT}  ")) && ran.out.ends_with("2 books, 1 entries, 0 leads: 1 fail\n")
    );
    ran.failed(7);
}

#[test]
fn an_answer_that_cannot_be_written_is_a_fault() {
    let store = Store::sqlite().prepared();
    for arguments in [&["status"][..], &["--help"], &["completions", "bash"]] {
        let full = std::fs::File::options().write(true).open("/dev/full").unwrap();
        let ran = Ran::of(store.command(arguments).stdout(full).output().unwrap());
        assert!(ran.failed(1).contains("(output_failed)"), "{arguments:?}");
    }
}

#[test]
fn a_campaign_is_not_a_merchant_whose_book_begins_by_a_slip() {
    let store = Store::sqlite().prepared();
    store.run(&["run-due", CAMPAIGN]).failed(4);
    let all = store.run(&["status", "--json"]).json();
    assert_eq!(all["merchants"].as_array().unwrap().len(), 1);
}

#[test]
fn help_hides_the_url_of_the_environment() {
    let mut command = binary();
    command.args(["status", "--help"]).env("LEADLEDGER_URL", "postgres://u:secret@h/d");
    assert!(!Ran::of(command.output().unwrap()).ok().contains("secret"));
}
