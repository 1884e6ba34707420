//! What must hold of any bytes that arrive as a journal payload or as a command. The fuzz targets feed it what they
//! find, and `core/tests/corpus.rs` feeds it what is kept in `corpus/`, so that it is run without a fuzzer too.

use leadledger::{Command, Entry, Error, Ledger, MemoryStore};

/// Bytes as a journal payload: refused, or an entry that comes back as it went. Says whether it was one.
pub fn entry(bytes: &[u8]) -> bool {
    let Ok(text) = std::str::from_utf8(bytes) else { return false };
    let Ok(entry) = Entry::from_payload(text) else { return false };
    let written = entry.to_payload();
    let again = Entry::from_payload(&written).expect("what was written is read");
    assert_eq!(again, entry);
    assert_eq!(again.to_payload(), written, "one entry has one text");
    assert_eq!(entry.lines().iter().map(|(_, amount)| i128::from(*amount)).sum::<i128>(), 0);
    true
}

/// Bytes as a command (`{"do": .., "with": {..}}`): refused, or a command that comes back as it went and that an
/// empty ledger accepts or refuses, without a fault of its own. Says whether it was one.
pub fn command(bytes: &[u8]) -> bool {
    let Ok(mut input) = serde_json::from_slice::<serde_json::Value>(bytes) else { return false };
    let Some(name) = input["do"].as_str().map(str::to_owned) else { return false };
    let Ok(command) = Command::from_json(&name, input["with"].take()) else { return false };
    let mut written = serde_json::to_value(&command).expect("a command has only string keys");
    assert_eq!(written["do"], name);
    let again = Command::from_json(&name, written["with"].take()).expect("what was written is read");
    assert_eq!(again, command);
    let merchant = command.merchant();
    let ledger = Ledger::open(MemoryStore::new()).expect("threads can be started");
    match ledger.submit(command).key("key").wait() {
        Ok(done) => assert!(entry(done.entry.to_payload().as_bytes())),
        Err(Error::Refused(_)) => {}
        Err(fault) => panic!("{name}: {fault}"),
    }
    ledger.check(merchant).wait().expect("the book agrees with its journal");
    true
}
