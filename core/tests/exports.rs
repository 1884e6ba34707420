//! A small export, broken in every place: nothing of it is ever imported.

#![allow(clippy::unwrap_used, clippy::panic, missing_docs)]

use std::io::{Cursor, Write};
use std::sync::Arc;

use leadledger::{
    BookQuery, CreateLead, Format, ImportReport, Ledger, MemoryStore, MerchantId, OpenDeposit, Options, Progress,
    RegisterCampaign, Stage, Store, SystemClock, ValidateLead, Which,
};

/// One book of four entries, with a private text and a missed lead.
fn small() -> (Ledger, MerchantId, Vec<u8>) {
    let ledger = Ledger::open(MemoryStore::new()).unwrap();
    let who = MerchantId::generate();
    let amount = |text: &str| text.parse().unwrap();
    let costly = Some(amount("1500.00"));
    let register = RegisterCampaign { threshold: costly, fixed: costly, ..RegisterCampaign::new(who) };
    let campaign = ledger.register_campaign(register).wait().unwrap().answer;
    ledger.open_deposit(OpenDeposit::new(who, amount("2000.00"))).wait().unwrap();
    let lead = CreateLead::new(who, campaign, uuid::Uuid::now_v7().into(), amount("1500.00"));
    let lead = CreateLead { product: Some("a \"house\"".try_into().unwrap()), ..lead };
    let created = ledger.create_lead(lead.clone()).key("one").wait().unwrap().answer;
    ledger.validate_lead(ValidateLead::new(who, created.lead)).wait().unwrap();
    assert_eq!(ledger.create_lead(lead).wait().unwrap_err().code(), "insufficient_funds");
    let mut file = Vec::new();
    let report = ledger.export_jsonl(Which::All, true, &mut file, &mut |_| {}).unwrap();
    assert_eq!((report.books, report.missed), (1, 1));
    (ledger, who, file)
}

fn target() -> (Arc<MemoryStore>, Ledger) {
    let store = Arc::new(MemoryStore::new());
    let ledger = Ledger::with_shared(store.clone(), Arc::new(SystemClock), Options::default()).unwrap();
    (store, ledger)
}

#[test]
fn no_byte_can_be_another() {
    let (_ledger, _, file) = small();
    let (store, other) = target();
    let seed = uuid::Uuid::new_v4().as_u128();
    println!("seed {seed}, {} bytes", file.len());
    let mut random = seed;
    for at in 0..file.len() {
        random = random.wrapping_mul(0x2360_ED05_1FC6_5DA4_4385_DF64_9FCC_F645).wrapping_add(1);
        let mut edited = file.clone();
        edited[at] ^= u8::try_from(1 + (random >> 96) % 255).unwrap();
        let fault = other.import_jsonl(&mut Cursor::new(&edited), &mut |_| {});
        let fault = fault.err().unwrap_or_else(|| panic!("seed {seed}: byte {at} is another, and it is imported"));
        assert!(fault.code().starts_with("import_"), "seed {seed}, byte {at}: {fault}");
    }
    assert!(store.books(&BookQuery::After(None), 1).unwrap().is_empty());
}

#[test]
fn no_part_passes_for_the_whole() {
    let (_ledger, who, file) = small();
    let (store, other) = target();
    for end in 0..file.len() {
        let fault = other.import_jsonl(&mut Cursor::new(&file[..end]), &mut |_| {}).unwrap_err();
        let expected = if end < 39 { "import_not_books" } else { "import_cut" };
        assert_eq!(fault.code(), expected, "cut at {end}: {fault}");
    }
    assert!(store.books(&BookQuery::After(None), 1).unwrap().is_empty());
    // From where the source stands, not from its beginning.
    let mut source = Cursor::new([b"before\n", &file[..]].concat());
    source.set_position(7);
    let mut stages = Vec::new();
    let mut note = |progress: Progress| stages.push(progress.stage);
    let report: ImportReport = other.import_jsonl(&mut source, &mut note).unwrap();
    assert_eq!((report.new_books, report.new_entries), (1, 4));
    stages.dedup();
    assert_eq!(stages, [Stage::Verifying, Stage::Importing]);
    other.check(who).wait().unwrap();
}

/// Whoever changes a line can also make the digest anew: the chain and the texts' own digests still tell.
#[test]
fn a_new_digest_does_not_help() {
    let (_ledger, _, file) = small();
    let text = String::from_utf8(file).unwrap();
    let signed = |lines: &str| {
        use sha2::Digest;
        let (body, trailer) = lines.trim_end().rsplit_once('\n').unwrap();
        let body = format!("{body}\n");
        let digest: String = sha2::Sha256::digest(&body).iter().map(|byte| format!("{byte:02x}")).collect();
        let end = trailer.find("\"sha256\":\"").unwrap() + 10;
        format!("{body}{}{digest}\"}}}}\n", &trailer[..end])
    };
    let (store, other) = target();
    assert_eq!(signed(&text), text);
    let edits = [
        ("a \\\\\\\"house\\\\\\\"", "a \\\\\\\"horse\\\\\\\"", "the private text is not that"),
        ("\\\"commission\\\":150000", "\\\"commission\\\":140000", "does not follow"),
        ("\"commission\":\"1500.00\"", "\"commission\":\"-1500.00\"", "the commission is none"),
        ("{\"head\":", "{\"tail\":", "not a line of an export"),
        ("\"private\":true", "\"private\":false", "no private texts"),
    ];
    for (old, new, expected) in edits {
        assert!(text.contains(old), "{old}");
        let edited = signed(&text.replacen(old, new, 1));
        let fault = other.import_jsonl(&mut Cursor::new(&edited), &mut |_| {}).unwrap_err();
        assert!(fault.to_string().contains(expected) && fault.code() == "import_damaged", "{new}: {fault}");
    }
    // Without its text an entry is as after an erasure; without its lead the text could never be erased.
    let loosen = |line: &str| {
        let Some((start, rest)) = line.split_once(",\"lead\":\"").filter(|_| line.starts_with("{\"private\":")) else {
            return format!("{line}\n");
        };
        format!("{start}{}\n", rest.split_once('"').unwrap().1)
    };
    let loose: String = text.lines().map(loosen).collect();
    let fault = other.import_jsonl(&mut Cursor::new(&signed(&loose)), &mut |_| {}).unwrap_err();
    assert!(fault.to_string().contains("the private text is not that"), "{fault}");
    assert!(store.books(&BookQuery::After(None), 1).unwrap().is_empty());
}

struct Full(usize);

impl Write for Full {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0 = self.0.checked_sub(bytes.len()).ok_or_else(|| std::io::Error::other("no room"))?;
        Ok(bytes.len())
    }
    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

#[test]
fn an_export_that_cannot_be_written_says_so() {
    let (ledger, who, file) = small();
    for room in [0, 100, file.len() - 1] {
        let fault = ledger.export_jsonl(Which::All, true, &mut Full(room), &mut |_| {}).unwrap_err();
        assert_eq!(fault.code(), "export_output");
    }
    ledger.export_jsonl(Which::One(who), true, &mut Full(file.len()), &mut |_| {}).unwrap();
    for format in [Format::Hledger, Format::Beancount] {
        let fault = ledger.export_accounting(format, Which::All, &mut Full(10), &mut |_| {}).unwrap_err();
        assert_eq!(fault.code(), "export_output");
    }
    let panics = ledger.export_jsonl(Which::All, true, &mut Vec::new(), &mut |_| panic!("the host's"));
    assert_eq!(panics.unwrap_err().code(), "internal");
}
