//! Exports and imports: what leaves one store comes to another as it was, or not at all.

use std::collections::VecDeque;
use std::io::Cursor as Source;
use std::sync::{Arc, Mutex};

use super::Case;
use super::ground::{CAMPAIGN, DEPOSIT, Ground, entries, everything, id, lead, merchant, prepared, send, top_up};
use super::story::{MAIN, MISSED, in_memory, on};
use crate::book::Head;
use crate::command::{AdjustDeposit, CreateLead, EraseCustomer, WriteOff};
use crate::error::StoreError;
use crate::export::{ExportReport, StatementOrder, Which};
use crate::ids::{LeadId, MerchantId};
use crate::import::{ImportError, ImportReport};
use crate::ledger::{Ledger, Options};
use crate::store::{BookQuery, Books, Scope, Store};

pub(super) const CASES: &[Case] = &[
    ("books that were exported come into an empty store to the letter", to_the_letter),
    ("books that were exported come out of this store to the letter", and_back),
    ("an import that was interrupted goes on where it was", interrupted),
    ("a cut or edited file is refused, and nothing is written", refused),
    ("a book with another history is refused, and a longer one left as it is", other_history),
    ("private texts are exported only where they are asked for", without_private),
    ("a deposit's whole statement comes as CSV, in both orders", statements),
];

fn export(ledger: &Ledger, which: Which) -> (Vec<u8>, ExportReport) {
    let mut file = Vec::new();
    let report = ledger.export_jsonl(which, true, &mut file, &mut |_| {}).unwrap();
    (file, report)
}

fn import(ledger: &Ledger, file: &[u8], chunk: usize) -> Result<ImportReport, ImportError> {
    ledger.import_in_chunks(&mut Source::new(file), chunk, &mut |_| {})
}

fn heads(store: &dyn Store) -> Vec<(MerchantId, Head)> {
    store.books(&BookQuery::After(None), 1_000).unwrap()
}

fn places(store: &dyn Store) -> Vec<(MerchantId, u64, crate::entry::Hash)> {
    heads(store).into_iter().map(|(who, head)| (who, head.seq, head.hash)).collect()
}

/// Three merchants' stories, with what they leave out: keys, private text without a lead, and many missed leads.
fn told(ledger: &Ledger, merchants: &[MerchantId]) {
    for who in merchants {
        let adjust =
            AdjustDeposit::new(*who, id(MAIN), "3.21".parse().unwrap(), "counted \"twice\"\n".try_into().unwrap());
        ledger.adjust_deposit(adjust).key(format!("correct {who}")).wait().unwrap();
        let other = CreateLead { lead: Some(id(7_000)), ..lead(*who, id(super::story::CAMPAIGNS[0]), id(0), "900.00") };
        let other = CreateLead { product: Some("Ünïcode 👟".try_into().unwrap()), ..other };
        ledger.create_lead(other).key(format!("create {who}")).wait().unwrap();
        miss(ledger, *who, 5);
    }
}

/// Leads beyond the money: the first takes what the dry deposit has.
fn miss(ledger: &Ledger, who: MerchantId, count: u32) {
    let lead = |n| lead(who, id(super::story::CAMPAIGNS[2]), id(7_100 + n), "1500.00");
    ledger.create_lead(lead(0)).wait().unwrap();
    for n in 1..=count {
        assert_eq!(ledger.create_lead(lead(n)).wait().unwrap_err().code(), "insufficient_funds");
    }
}

fn same(found: &dyn Store, model: &dyn Store, merchants: &[MerchantId]) {
    for who in merchants {
        assert_eq!(entries(found, *who), entries(model, *who));
        let rows = |store: &dyn Store| {
            let book = store.book(*who, &everything()).unwrap();
            let mut missed: Vec<_> = book.missed.iter().map(|(id, row)| (*id, *row)).collect();
            missed.sort_by_key(|(id, _)| *id);
            let mut private = book.private;
            private.sort_by_key(|private| private.seq);
            (book.head.seq, book.head.hash, book.head.last_at, book.head.receipt, missed, private)
        };
        assert_eq!(rows(found), rows(model));
        assert!(rows(found).4.iter().any(|(lead, _)| *lead == id(MISSED)));
    }
}

fn to_the_letter(ground: &Ground) {
    let merchants: Vec<_> = (1..4).map(merchant).collect();
    let (model, elsewhere) = in_memory(&merchants);
    told(&elsewhere, &merchants);
    let (file, exported) = export(&elsewhere, Which::All);
    let ledger = ground.ledger();
    let imported = import(&ledger, &file, 40).unwrap();
    assert_eq!((imported.new_books, imported.new_entries), (3, exported.entries));
    assert_eq!(
        (imported.books, imported.entries, imported.private, imported.missed, imported.sha256),
        (exported.books, exported.entries, exported.private, exported.missed, exported.sha256)
    );
    assert!(exported.private > 30 && exported.missed == 18, "{exported:?}");
    same(&*ground.store(), &*model, &merchants);
    for who in &merchants {
        let replayed = ledger.check(*who).wait().unwrap();
        // Exactly: what is due is not looked for in vain.
        let next = ground.store().book(*who, &everything()).unwrap();
        assert_eq!(next.head.next_due, next.due.first_key_value().map(|(due, _)| due.at));
        assert_eq!(replayed.head, next.head.hash);
    }
    let before = heads(&*ground.store());
    assert_eq!(export(&ledger, Which::All).0, file);
    let again = import(&ledger, &file, 40).unwrap();
    assert_eq!((again.new_books, again.new_entries), (0, 0));
    assert_eq!(heads(&*ground.store()), before);
    // It is a ledger like any other: keys are known, time goes on, texts can be erased.
    ground.at_hour(super::story::END);
    let who = merchants[0];
    let adjust = AdjustDeposit::new(who, id(MAIN), "3.21".parse().unwrap(), "counted \"twice\"\n".try_into().unwrap());
    assert!(ledger.adjust_deposit(adjust).key(format!("correct {who}")).wait().unwrap().replayed);
    ledger.erase_customer(EraseCustomer::new(who, id(7_000))).wait().unwrap();
    assert!(ledger.lead_texts(who, id(7_000)).wait().unwrap().unwrap().product.is_none());
    ground.at_hour(2_000);
    let owed = WriteOff::new(who, "gone".try_into().unwrap());
    assert_eq!(ledger.write_off(owed).wait().unwrap_err().code(), "nothing_owed");
    for who in &merchants {
        ledger.check(*who).wait().unwrap();
    }
}

fn and_back(ground: &Ground) {
    let merchants: Vec<_> = (1..4).map(merchant).collect();
    let ledger = on(ground, &merchants);
    told(&ledger, &merchants);
    let (file, exported) = export(&ledger, Which::All);
    let (model, elsewhere) = in_memory(&[]);
    import(&elsewhere, &file, 7).unwrap();
    same(&*model, &*ground.store(), &merchants);
    assert_eq!(export(&elsewhere, Which::All), (file, exported));
    // One book alone, then all: the others come to it.
    let (one, _) = export(&ledger, Which::One(merchants[1]));
    let (model, elsewhere) = in_memory(&[]);
    assert_eq!(import(&elsewhere, &one, 1_000).unwrap().books, 1);
    assert_eq!(heads(&*model).len(), 1);
    let none = export(&ledger, Which::One(merchant(99)));
    assert_eq!((none.1.books, none.1.entries), (0, 0));
    assert_eq!(import(&elsewhere, &none.0, 10).unwrap().books, 0);
    let (all, _) = export(&ledger, Which::All);
    assert_eq!(import(&elsewhere, &all, 1_000).unwrap().new_books, 2);
    same(&*model, &*ground.store(), &merchants);
}

/// What happens to a transaction.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Mishap {
    None,
    Unavailable,
    /// It was committed, and nobody is told.
    AckLost,
    /// It was not committed, and nobody is told.
    Undone,
    /// The end of it.
    Full,
}

struct Shaky {
    store: Arc<dyn Store>,
    mishaps: Mutex<VecDeque<Mishap>>,
}

crate::delegate_totals!(Shaky, store);
crate::delegate_subscribers!(Shaky, store);

impl Store for Shaky {
    crate::delegate_store!(store: lanes, book, leads, journal, books);

    fn transact(&self, lane: usize, scope: &Scope, work: &mut dyn FnMut(&mut Books)) -> Result<(), StoreError> {
        let mishap = self.mishaps.lock().unwrap().pop_front().unwrap_or(Mishap::None);
        let fault = || format!("{mishap:?}");
        match mishap {
            Mishap::None => self.store.transact(lane, scope, work),
            Mishap::Unavailable => Err(StoreError::Unavailable(fault())),
            Mishap::AckLost => self.store.transact(lane, scope, work).and(Err(StoreError::Unknown(fault()))),
            Mishap::Undone => Err(StoreError::Unknown(fault())),
            Mishap::Full => Err(StoreError::Full(fault())),
        }
    }
}

fn interrupted(ground: &Ground) {
    let merchants = [merchant(1), merchant(2)];
    let (model, elsewhere) = in_memory(&merchants);
    for who in &merchants {
        miss(&elsewhere, *who, 40);
    }
    let (file, _) = export(&elsewhere, Which::All);
    let seed = uuid::Uuid::new_v4().as_u128();
    let mut random = seed;
    let mut stops = 0;
    loop {
        // Each goes on a little, and then stops.
        let mut mishaps = VecDeque::new();
        for _ in 0..3 {
            random = random.wrapping_mul(0x2360_ED05_1FC6_5DA4_4385_DF64_9FCC_F645).wrapping_add(1);
            mishaps.push_back(match (random >> 96) % 4 {
                0 => Mishap::None,
                1 => Mishap::Unavailable,
                2 => Mishap::AckLost,
                _ => Mishap::Undone,
            });
        }
        mishaps.extend([Mishap::None, Mishap::Full]);
        let shaky = Arc::new(Shaky { store: ground.store(), mishaps: Mutex::new(mishaps) });
        let ledger = ground.ledger_on(shaky, Options::default());
        match import(&ledger, &file, 17) {
            Ok(report) => {
                assert!(report.new_entries < report.entries, "seed {seed}");
                break;
            }
            Err(fault) => assert_eq!(fault.code(), "store_full", "seed {seed}: {fault}"),
        }
        stops += 1;
        // Missed leads leave no mark in a book, and are written again until its last entry is there.
        assert!(stops < 200, "seed {seed}: it does not go on");
        // Nobody who looks through a ledger settles anything in a book that is not there whole.
        ground.at_hour(10_000);
        let reader = ground.ledger();
        for who in &merchants {
            reader.deposits(*who).wait().unwrap();
        }
        ground.clock.set(elsewhere.now());
        let whole: Vec<_> = places(&*model);
        let seqs = |all: &[(MerchantId, u64, crate::entry::Hash)]| all.iter().map(|(_, seq, _)| *seq).sum::<u64>();
        if seqs(&places(&*ground.store())) > seqs(&whole) {
            // One of them was whole already, and time went on in it.
            break;
        }
    }
    assert!(stops > 2, "seed {seed}: {stops} stops");
    let ledger = ground.ledger();
    import(&ledger, &file, 17).unwrap();
    for who in &merchants {
        ledger.check(*who).wait().unwrap();
        let book = ground.store().book(*who, &everything()).unwrap();
        assert_eq!(book.missed.iter().count(), 41, "seed {seed}");
        let (found, expected) = (entries(&*ground.store(), *who), entries(&*model, *who));
        assert_eq!(found[..expected.len()], expected, "seed {seed}");
    }
}

fn refused(ground: &Ground) {
    let (_model, elsewhere) = in_memory(&[merchant(1), merchant(2)]);
    told_one(&elsewhere);
    let (file, _) = export(&elsewhere, Which::All);
    let ledger = ground.ledger();
    let is_refused = |what: &str, file: &[u8]| {
        let fault = import(&ledger, file, 50).err().unwrap_or_else(|| panic!("{what} is imported"));
        assert!(fault.code().starts_with("import_"), "{what}: {fault}");
        assert_eq!(heads(&*ground.store()), [], "{what}: {fault}");
        fault
    };
    let ends: Vec<usize> = (0..file.len()).filter(|at| file[*at] == b'\n').map(|at| at + 1).collect();
    for end in &ends[..ends.len() - 1] {
        assert_eq!(is_refused(&format!("cut at {end}"), &file[..*end]).code(), "import_cut");
    }
    let seed = uuid::Uuid::new_v4().as_u128();
    let mut random = seed;
    let mut below = |bound: usize| {
        random = random.wrapping_mul(0x2360_ED05_1FC6_5DA4_4385_DF64_9FCC_F645).wrapping_add(1);
        usize::try_from((random >> 64) % u128::try_from(bound).unwrap()).unwrap()
    };
    for _ in 0..25 {
        let at = below(file.len());
        is_refused(&format!("seed {seed}: cut at {at}"), &file[..at]);
        let mut edited = file.clone();
        let at = below(file.len());
        edited[at] ^= u8::try_from(1 + below(255)).unwrap();
        is_refused(&format!("seed {seed}: byte {at} edited"), &edited);
        let mut swapped: Vec<&[u8]> = file.split_inclusive(|byte| *byte == b'\n').collect();
        let (one, other) = (below(swapped.len()), below(swapped.len()));
        if swapped[one] != swapped[other] {
            swapped.swap(one, other);
            is_refused(&format!("seed {seed}: lines {one} and {other} swapped"), &swapped.concat());
        }
    }
    assert_eq!(is_refused("more", &[&file[..], b"\n"].concat()).code(), "import_damaged");
    assert_eq!(is_refused("another file", b"hello\nworld\n").code(), "import_not_books");
    assert_eq!(is_refused("nothing", b"").code(), "import_not_books");
    let newer = String::from_utf8(file.clone()).unwrap().replacen("\"version\":1", "\"version\":2,\"more\":0", 1);
    assert_eq!(is_refused("a newer format", newer.as_bytes()).code(), "import_version");
    // And the file itself is right.
    assert_eq!(import(&ledger, &file, 50).unwrap().books, 2);
}

fn told_one(ledger: &Ledger) {
    let erase = EraseCustomer::new(merchant(1), id(300));
    ledger.erase_customer(erase).wait().unwrap();
}

fn other_history(ground: &Ground) {
    let (one, other) = (merchant(1), merchant(2));
    let (_model, elsewhere) = in_memory(&[one]);
    send(&elsewhere, prepared(other));
    let (file, _) = export(&elsewhere, Which::All);
    let ledger = ground.ledger();
    // Longer, with the file's book as its beginning.
    import(&ledger, &export(&elsewhere, Which::One(other)).0, 10).unwrap();
    send(&ledger, [top_up(other, id(DEPOSIT), "100.00")]);
    let report = import(&ledger, &file, 10).unwrap();
    assert_eq!((report.books, report.new_books), (2, 1));
    assert_eq!(entries(&*ground.store(), other).len(), 3);
    let before = heads(&*ground.store());
    // As long, and another.
    send(&elsewhere, [top_up(other, id(DEPOSIT), "250.00")]);
    let third = merchant(3);
    send(&elsewhere, prepared(third));
    for _ in 0..2 {
        let (file, _) = export(&elsewhere, Which::All);
        let fault = import(&ledger, &file, 10).unwrap_err();
        let line = file.split(|byte| *byte == b'\n').count();
        assert!(
            matches!(&fault, ImportError::BookDiffers { merchant, seq: 3, line: found }
            if *merchant == other && usize::try_from(*found).unwrap() < line),
            "{fault:?}"
        );
        // Longer than the store's, and another.
        send(&elsewhere, [top_up(other, id(DEPOSIT), "300.00")]);
    }
    // Shorter than the store's, and another.
    send(&ledger, (0..4).map(|_| top_up(other, id(DEPOSIT), "100.00")));
    let (file, _) = export(&elsewhere, Which::All);
    assert_eq!(import(&ledger, &file, 10).unwrap_err().code(), "import_book_differs");
    let after = heads(&*ground.store());
    assert_eq!(after.len(), before.len(), "the third merchant's book came in with a file that was refused");
    assert_eq!(before[0], after[0]);
}

fn without_private(ground: &Ground) {
    let who = merchant(1);
    let ledger = on(ground, &[who]);
    let mut file = Vec::new();
    let report = ledger.export_jsonl(Which::All, false, &mut file, &mut |_| {}).unwrap();
    let text = String::from_utf8(file.clone()).unwrap();
    assert!(report.private == 0 && !text.contains("{\"private\":") && !text.contains("Customer"));
    assert!(String::from_utf8(export(&ledger, Which::All).0).unwrap().contains("Customer"));
    let (store, elsewhere) = in_memory(&[]);
    import(&elsewhere, &file, 10).unwrap();
    elsewhere.check(who).wait().unwrap();
    assert_eq!(store.book(who, &everything()).unwrap().private, []);
    // With the texts it says the same of the books, and brings no text back.
    assert_eq!(import(&elsewhere, &export(&ledger, Which::All).0, 10).unwrap().new_entries, 0);
    assert_eq!(store.book(who, &everything()).unwrap().private, []);
}

fn statements(ground: &Ground) {
    let (ledger, who) = (ground.ledger(), merchant(1));
    send(&ledger, prepared(who));
    for n in 0..30 {
        let create = lead(who, id(CAMPAIGN), id(100 + n), "600.00");
        ledger.create_lead(create).wait().unwrap();
        let validate = crate::command::ValidateLead::new(who, id(100 + n));
        ledger.validate_lead(validate).wait().unwrap();
        send(&ledger, [top_up(who, id(DEPOSIT), "100.00")]);
    }
    let csv = |order| {
        let mut file = Vec::new();
        let lines = ledger.export_statement_csv(who, id(DEPOSIT), order, &mut file).unwrap();
        assert_eq!(lines, Some(61));
        let mut reader = csv::Reader::from_reader(&file[..]);
        let names: Vec<_> = reader.headers().unwrap().iter().map(str::to_owned).collect();
        assert_eq!(names, ["seq", "at", "kind", "lead", "amount", "balance_after", "currency"]);
        let row = |row: csv::StringRecord| row.iter().map(str::to_owned).collect::<Vec<_>>();
        reader.records().map(|found| row(found.unwrap())).collect::<Vec<_>>()
    };
    let (newest, mut oldest) = (csv(StatementOrder::NewestFirst), csv(StatementOrder::OldestFirst));
    assert_eq!(oldest[0][4..], ["5000.00", "5000.00", "MAD"]);
    assert_eq!(oldest[1][2..], ["validate_lead", &id::<LeadId>(100).to_string(), "-60.00", "4940.00", "MAD"]);
    oldest.reverse();
    assert_eq!(newest, oldest);
    let page = ledger.statement(who, id(DEPOSIT), None, 1_000).wait().unwrap().unwrap();
    let lines = page.lines.iter().map(|line| (line.seq.to_string(), line.amount.to_string(), line.at.to_string()));
    assert!(lines.eq(newest.iter().map(|row| (row[0].clone(), row[4].clone(), row[1].clone()))));
    let mut nothing = Vec::new();
    let unknown = ledger.export_statement_csv(who, id(9), StatementOrder::NewestFirst, &mut nothing);
    assert_eq!((unknown.unwrap(), nothing.len()), (None, 0));
}
