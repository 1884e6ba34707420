//! The terminal's side: languages, pipes, signals, completions.

use std::io::{BufRead, BufReader, Read};
use std::process::{Command, Stdio};

use serde_json::json;

use crate::ground::{DEPOSIT, LEAD, MERCHANT, Ran, Store, of_merchant, run};

#[test]
fn amounts_are_in_the_terminals_language_and_never_so_in_json() {
    let store = Store::sqlite().prepared();
    let plain = store.run(&["status", "--json"]).ok();
    for (variables, written) in [
        (&[][..], "5000.00 MAD"),
        (&[("LC_ALL", "fr_FR.UTF-8")], "5\u{202f}000,00\u{a0}MAD"),
        (&[("LANG", "ar_MA.UTF-8")], "5.000,00\u{a0}MAD"),
        (&[("LANG", "fr_FR.UTF-8"), ("LC_NUMERIC", "en_US.UTF-8")], "5,000.00\u{a0}MAD"),
        (&[("LANG", "fr_FR.UTF-8"), ("LC_ALL", "C")], "5000.00 MAD"),
    ] {
        let run = |arguments: &[&str]| {
            Ran::of(store.command(arguments).envs(variables.iter().copied()).output().unwrap()).ok()
        };
        for arguments in [
            &["status"][..],
            &["status", MERCHANT],
            &["statement", MERCHANT, DEPOSIT],
            &["tail", "--from-start", "--limit", "2"],
            &["figures", MERCHANT],
            &["figures"],
            &["balances", MERCHANT],
        ] {
            let out = run(arguments);
            assert!(out.contains(written), "{variables:?} {arguments:?} gave {out}");
        }
        assert_eq!(run(&["status", "--json"]), plain, "{variables:?}");
    }
}

#[test]
fn times_are_local_for_people_and_utc_for_programs() {
    let store = Store::sqlite().prepared();
    let at = store.run(&["statement", MERCHANT, DEPOSIT, "--json"]).json()["lines"][0]["at"].clone();
    let at = at.as_str().unwrap();
    assert!(at.ends_with('Z'), "{at}");
    let hour = |zone: &str| {
        let text = store.run(&["statement", MERCHANT, DEPOSIT, "--time-zone", zone]).ok();
        // `ENTRY  AT  WHAT`
        text.lines().nth(1).unwrap().trim_start().split("  ").nth(1).unwrap()[..13].to_owned()
    };
    assert_eq!(hour("UTC"), at[..13].replace('T', " "));
    assert_ne!(hour("Asia/Tokyo"), hour("UTC"));
}

#[test]
fn a_reader_that_has_enough_is_no_fault() {
    let store = Store::sqlite().prepared();
    for arguments in [
        &["tail", "--from-start"][..],
        &["do", "--list"],
        &["status"],
        &["status", "--json"],
        &["leads", MERCHANT],
        &["figures"],
        &["figures", MERCHANT],
        &["balances", MERCHANT],
        &["explain", MERCHANT, LEAD],
        &["proof", MERCHANT, "1", "--out", "-"],
        &["export", "--format", "jsonl", "--out", "-"],
        &["export", "--format", "hledger", "--out", "-"],
        &["check"],
        &["--help"],
        &["--version"],
        &["completions", "zsh"],
    ] {
        let (reader, writer) = std::io::pipe().unwrap();
        drop(reader);
        let ran = Ran::of(store.command(arguments).stdout(writer).output().unwrap());
        assert_eq!((ran.code, ran.err.as_str()), (Some(0), ""), "{arguments:?}");
    }
    // What was found is told by the exit code all the same.
    store.damage("UPDATE deposits SET balance = balance + 1");
    let (reader, writer) = std::io::pipe().unwrap();
    drop(reader);
    Ran::of(store.command(&["check"]).stdout(writer).output().unwrap()).failed(7);
}

#[test]
fn ctrl_c_ends_a_tail_cleanly() {
    let store = Store::sqlite().prepared();
    for whose in [&["--from-start"][..], &["--from-start", "--merchant", MERCHANT], &["--as", "reader"]] {
        let arguments = [&["tail", "--json"], whose].concat();
        let mut child = store.command(&arguments).stdout(Stdio::piped()).spawn().unwrap();
        let mut out = BufReader::new(child.stdout.take().unwrap());
        let mut line = String::new();
        // The deposit's opening says two things.
        for _ in 0..4 {
            out.read_line(&mut line).unwrap();
        }
        assert_eq!(line.lines().count(), 4, "{whose:?}: {line}");
        let killed = Command::new("kill").args(["-INT", &child.id().to_string()]).status().unwrap();
        assert!(killed.success());
        assert_eq!(child.wait().unwrap().code(), Some(0), "{whose:?}");
        line.clear();
        out.read_to_string(&mut line).unwrap();
        assert_eq!(line, "", "{whose:?}");
    }
    // What the name was given is acknowledged: only what comes now is new to it.
    store.send("top_up", json!({ "deposit": DEPOSIT, "amount": "100.00" }));
    let next = store.run(&["tail", "--as", "reader", "--limit", "1", "--json"]).json();
    assert_eq!((&next["type"], &next["seq"]), (&json!("payment_received"), &json!(4)));
}

#[test]
fn what_could_not_be_written_is_not_acknowledged() {
    let store = Store::sqlite().prepared();
    let run = |out: std::process::Stdio| {
        let mut command = store.command(&["tail", "--as", "reader", "--limit", "2", "--json"]);
        Ran::of(command.stdout(out).output().unwrap())
    };
    let full = std::fs::File::options().write(true).open("/dev/full").unwrap();
    assert!(run(full.into()).failed(1).contains("output_failed"));
    let (reader, writer) = std::io::pipe().unwrap();
    drop(reader);
    run(writer.into()).ok();
    let first = run(Stdio::piped()).ok();
    assert!(first.contains("campaign_registered"), "{first}");
}

#[test]
fn text_from_outside_does_not_control_the_terminal() {
    let store = Store::sqlite().prepared();
    let fields = of_merchant(json!({ "deposit": DEPOSIT, "amount": "100.00", "reference": "\u{1b}[2J\nx" }));
    store.run(&["do", "top_up", "--with", &fields]).ok();
    let out = store.run(&["tail", "--from-start", "--limit", "4"]).ok();
    assert!(out.contains("reference \\u{1b}[2J\\nx"), "{out}");
    let validated = of_merchant(json!({ "lead": LEAD }));
    store.run(&["do", "validate_lead", "--with", &validated, "--key", "\u{1b}[2J\nx"]).ok();
    let out = store.run(&["explain", MERCHANT, LEAD]).ok();
    assert!(out.contains("\\u{1b}[2J") && !out.contains('\u{1b}'), "{out}");
    assert!(!store.run(&["do", "\u{1b}[2J", "--with", "{}"]).failed(4).contains('\u{1b}'));
}

#[test]
fn completions_are_scripts_that_name_the_subcommands() {
    for shell in ["bash", "zsh", "fish"] {
        let script = run(&["completions", shell]).ok();
        for name in ["statement", "run-due", "time-zone", "from-start"] {
            assert!(script.contains(name), "{shell}: {name}");
        }
        // The generator completes no positional values in fish.
        assert_eq!(script.contains("open_deposit"), shell != "fish", "{shell}");
    }
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("completion");
    std::fs::write(&file, run(&["completions", "bash"]).ok()).unwrap();
    let checked = Command::new("bash").arg("-n").arg(&file).output().unwrap();
    assert!(checked.status.success() && checked.stderr.is_empty(), "{checked:?}");
    assert!(run(&["completions", "powershell"]).failed(2).contains("possible values: bash, zsh, fish"));
}

#[test]
fn the_list_of_commands_tells_every_field() {
    let list = run(&["do", "--list", "--json"]).json();
    let commands = list["commands"].as_array().unwrap();
    assert!(commands.len() > 30, "{}", commands.len());
    let one = run(&["do", "top_up", "--list", "--json"]).json();
    let names: Vec<_> = one["commands"][0]["fields"].as_array().unwrap().iter().map(|field| &field["name"]).collect();
    assert_eq!(names, ["merchant", "deposit", "amount", "method", "reference"]);
    let text = run(&["do", "top_up", "--list"]).ok();
    assert!(text.contains("  [method]     stripe|cmi|bank_transfer|crypto|manual  "), "{text}");
}
