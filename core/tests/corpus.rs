//! What the fuzzer starts from and what it found (`fuzz/corpus`), run without a fuzzer.

#![allow(clippy::unwrap_used, clippy::panic, missing_docs)]

#[path = "../../fuzz/src/lib.rs"]
#[allow(unreachable_pub)] // public to the fuzz targets
mod fuzz;

use std::path::Path;

/// Runs a folder of the corpus, and each input cut off and changed at many places; says how many inputs were good.
fn run(folder: &str, target: fn(&[u8]) -> bool) -> usize {
    let folder = Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/../fuzz/corpus")).join(folder);
    let mut good = 0;
    for file in std::fs::read_dir(folder).unwrap() {
        let bytes = std::fs::read(file.unwrap().path()).unwrap();
        good += usize::from(target(&bytes));
        for place in (0..bytes.len()).step_by(7) {
            target(&bytes[..place]);
            for changed in [b'"', b'9', b'-', b'}', bytes[place] ^ 1] {
                let mut bytes = bytes.clone();
                bytes[place] = changed;
                target(&bytes);
            }
        }
    }
    good
}

#[test]
fn entries() {
    assert!(run("entry", fuzz::entry) >= leadledger::Command::NAMES.len() + 3, "every kind of entry is in the corpus");
}

#[test]
fn commands() {
    assert!(run("command", fuzz::command) >= leadledger::Command::NAMES.len(), "every command is in the corpus");
}
