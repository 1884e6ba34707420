//! The documents that show the command line: what they say is what the binary says and does.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::ground::{binary, run};

const SUBCOMMANDS: [&str; 17] = [
    "init",
    "migrate",
    "status",
    "figures",
    "leads",
    "statement",
    "explain",
    "balances",
    "tail",
    "run-due",
    "check",
    "proof",
    "export",
    "import",
    "play",
    "do",
    "completions",
];

fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../..")
}

/// The reference as the binary's help gives it.
fn reference() -> String {
    let mut text = "# Command line\n\nWhat `leadledger --help` and its subcommands say. A test compares this page with \
                    them: after a change,\n`LEADLEDGER_BLESS=1 cargo test -p leadledger-cli documents` writes it anew.\n"
        .to_owned();
    let mut section = |title: &str, arguments: &[&str]| {
        let help = run(arguments).ok();
        let help: Vec<&str> = help.trim_end().lines().map(str::trim_end).collect();
        let _ = write!(text, "\n## {title}\n\n```text\n{}\n```\n", help.join("\n"));
    };
    section("leadledger", &["--help"]);
    for subcommand in SUBCOMMANDS {
        section(subcommand, &[subcommand, "--help"]);
    }
    text
}

#[test]
fn the_reference_is_what_help_says() {
    let file = root().join("docs/cli.md");
    let reference = reference();
    if std::env::var_os("LEADLEDGER_BLESS").is_some() {
        std::fs::write(&file, &reference).unwrap();
    }
    let written = std::fs::read_to_string(&file).unwrap();
    assert!(written == reference, "docs/cli.md is stale: LEADLEDGER_BLESS=1 cargo test -p leadledger-cli documents");
}

#[test]
fn every_subcommand_has_examples_and_is_in_the_reference() {
    let help = run(&["--help"]).ok();
    let listed = help.lines().skip_while(|line| *line != "Commands:").skip(1).take_while(|line| !line.is_empty());
    let listed: Vec<&str> = listed.filter_map(|line| line.split_whitespace().next()).collect();
    assert_eq!(listed[..listed.len() - 1], SUBCOMMANDS);
    for subcommand in SUBCOMMANDS {
        let help = run(&[subcommand, "--help"]).ok();
        assert!(help.contains("Examples:\n  "), "{subcommand}");
    }
}

#[test]
fn the_readmes_session_can_be_pasted() {
    let readme = std::fs::read_to_string(root().join("README.md")).unwrap();
    let section = readme.split("\n## Command line\n").nth(1).unwrap();
    let session = section.split("```sh\n").nth(1).unwrap().split("```").next().unwrap();
    assert!(session.contains("leadledger init") && session.contains("leadledger check"), "{session}");
    let folder = tempfile::tempdir().unwrap();
    let program = binary();
    let programs = Path::new(program.get_program()).parent().unwrap();
    let path = std::env::join_paths(
        std::iter::once(programs.to_path_buf()).chain(std::env::split_paths(&std::env::var_os("PATH").unwrap())),
    );
    let mut shell = Command::new("sh");
    shell.args(["-e", "-c", session]).current_dir(folder.path()).env("PATH", path.unwrap());
    let ran = shell.env("LC_ALL", "C").output().unwrap();
    let (out, err) = (String::from_utf8_lossy(&ran.stdout), String::from_utf8_lossy(&ran.stderr));
    assert!(ran.status.success() && err.is_empty(), "{out}\n{err}");
    // What the comments of the session promise.
    for said in ["60.00 MAD", "4940.00 MAD", "10 % of 600.00 MAD is 60.00 MAD", "1 books, 4 entries, 1 leads: 0 fail"] {
        assert!(out.contains(said) && session.contains(said), "{said:?}: {out}");
    }
}
