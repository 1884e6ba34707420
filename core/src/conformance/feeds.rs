//! The journal: forwards, backwards and over all books; the ledger's event feed on top of it.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, Ordering};

use super::Case;
use super::ground::{DEPOSIT, Ground, commit, id, merchant, prepared, send, top_up};
use super::story::{in_memory, on};
use crate::entry::{Recorded, chain_hash, genesis_hash};
use crate::error::StoreError;
use crate::ids::MerchantId;
use crate::store::{Cursor, JournalQuery, Store};

pub(super) const CASES: &[Case] = &[
    ("a book's journal is read from any number, forwards and backwards, within the limit", by_book),
    ("each entry carries the hash of the one before, and says the same as in the memory store", chained),
    ("all books' entries come once, each book's in order, page by page", all_books),
    ("the cursor over all books is given even where no entry follows", at_the_end),
    ("the cursor at the end of all books leaves out what is there, and nothing that comes", at_the_present_end),
    ("a cursor of another store is refused", foreign_cursors),
    ("a feed that is read while books are written misses nothing", while_written),
];

fn seqs(entries: &[Recorded]) -> Vec<u64> {
    entries.iter().map(|recorded| recorded.entry.seq).collect()
}

fn by_book(ground: &Ground) {
    let (store, who, other) = (ground.store(), merchant(1), merchant(2));
    for who in [who, other] {
        commit(&*store, ground.now(), &prepared(who));
    }
    // Longer than any step by which a store may find its way, and mixed with another book's.
    for _ in 0..75 {
        let payment = |who| top_up(who, id(DEPOSIT), "100.00");
        commit(&*store, ground.now(), &[payment(who), payment(other), payment(who)]);
    }
    let last = 152;
    for start in (0..=last + 2).filter(|seq| seq % 7 < 2 || seq % 64 < 2 || *seq > last - 2) {
        for limit in [0, 1, 3, 70, 1_000] {
            let count = u64::try_from(limit).unwrap();
            let page = store.journal(&JournalQuery::After { merchant: who, seq: start }, limit).unwrap();
            let expected: Vec<u64> = (start + 1..=last.min(start + count)).collect();
            assert_eq!(seqs(&page.items), expected, "after {start}, limit {limit}");
            assert!(page.items.iter().all(|recorded| recorded.merchant == who));
            let page = store.journal(&JournalQuery::Before { merchant: who, seq: Some(start) }, limit).unwrap();
            let first = start.saturating_sub(1).min(last);
            let expected: Vec<u64> = (1..=first).rev().take(limit).collect();
            assert_eq!(seqs(&page.items), expected, "before {start}, limit {limit}");
        }
    }
    let page = store.journal(&JournalQuery::Before { merchant: who, seq: None }, 2).unwrap();
    assert_eq!(seqs(&page.items), [last, last - 1]);
    for seq in [u64::MAX - 1, u64::MAX] {
        assert!(store.journal(&JournalQuery::After { merchant: who, seq }, 1).unwrap().items.is_empty());
        let page = store.journal(&JournalQuery::Before { merchant: who, seq: Some(seq) }, 1).unwrap();
        assert_eq!(seqs(&page.items), [last]);
    }
}

fn chained(ground: &Ground) {
    let who = merchant(1);
    let (model, _ledger) = in_memory(&[who]);
    drop(on(ground, &[who]));
    let query = JournalQuery::After { merchant: who, seq: 0 };
    let (found, model) = (ground.store().journal(&query, 1_000).unwrap(), model.journal(&query, 1_000).unwrap());
    let mut hash = genesis_hash(who);
    for (found, model) in found.items.iter().zip(&model.items) {
        hash = chain_hash(&hash, &found.payload);
        assert_eq!(hash, found.hash, "entry {}", found.entry.seq);
        let says = |recorded: &Recorded| {
            let entry = &recorded.entry;
            (entry.at, entry.kind, entry.postings.clone(), entry.facts.clone())
        };
        assert_eq!(says(found), says(model));
    }
    assert_eq!(found.items.len(), model.items.len());
    assert!(found.items.len() > 90);
}

/// Follows all books to the end, and checks what a reader may rely on.
fn follow(store: &dyn Store, mut after: Option<Cursor>, limit: usize) -> (BTreeMap<MerchantId, u64>, Option<Cursor>) {
    let mut last: BTreeMap<MerchantId, u64> = BTreeMap::new();
    loop {
        let page = store.journal(&JournalQuery::All { after }, limit).unwrap();
        assert!(page.items.len() <= limit);
        for recorded in &page.items {
            let seq = last.entry(recorded.merchant).or_default();
            assert_eq!(recorded.entry.seq, *seq + 1, "of {}", recorded.merchant);
            *seq = recorded.entry.seq;
        }
        after = page.next;
        assert!(after.is_some(), "a page without a cursor");
        if page.items.is_empty() {
            return (last, after);
        }
    }
}

fn all_books(ground: &Ground) {
    let store = ground.store();
    let merchants: Vec<_> = (1..6).map(merchant).collect();
    for who in &merchants {
        commit(&*store, ground.now(), &prepared(*who));
    }
    for round in 0..12 {
        let payments: Vec<_> = merchants[round % 4..].iter().map(|who| top_up(*who, id(DEPOSIT), "100.00")).collect();
        commit(&*store, ground.now(), &payments);
    }
    ground.settle();
    let expected: BTreeMap<_, _> = merchants.iter().copied().zip([5, 8, 11, 14, 14]).collect();
    for limit in [1, 3, 7, 1_000] {
        assert_eq!(follow(&*store, None, limit).0, expected, "pages of {limit}");
    }
}

fn at_the_end(ground: &Ground) {
    let (store, who) = (ground.store(), merchant(1));
    let page = |after| {
        ground.settle();
        store.journal(&JournalQuery::All { after }, 10).unwrap()
    };
    let empty = page(None);
    assert!(empty.items.is_empty());
    commit(&*store, ground.now(), &prepared(who));
    let first = page(empty.next.clone());
    assert_eq!(seqs(&first.items), [1, 2]);
    let nothing = page(first.next);
    assert!(nothing.items.is_empty());
    commit(&*store, ground.now(), &[top_up(who, id(DEPOSIT), "100.00")]);
    // Through another handle, as another process would.
    let query = JournalQuery::All { after: nothing.next };
    ground.settle();
    assert_eq!(seqs(&ground.store().journal(&query, 10).unwrap().items), [3]);
    assert_eq!(seqs(&page(empty.next).items), [1, 2, 3]);
}

fn at_the_present_end(ground: &Ground) {
    let (store, who, other) = (ground.store(), merchant(1), merchant(2));
    let end = || {
        ground.settle();
        let page = store.journal(&JournalQuery::End, 10).unwrap();
        assert!(page.items.is_empty());
        assert!(page.next.is_some(), "an end without a cursor");
        page.next
    };
    let from = |after: &Option<Cursor>| {
        ground.settle();
        let page = ground.store().journal(&JournalQuery::All { after: after.clone() }, 10).unwrap();
        page.items.iter().map(|recorded| (recorded.merchant, recorded.entry.seq)).collect::<Vec<_>>()
    };
    let empty = end();
    assert_eq!(from(&empty), []);
    commit(&*store, ground.now(), &prepared(who));
    assert_eq!(from(&empty), [(who, 1), (who, 2)]);
    let first = end();
    assert_eq!(from(&first), []);
    commit(&*store, ground.now(), &[top_up(who, id(DEPOSIT), "100.00")]);
    commit(&*store, ground.now(), &prepared(other));
    assert_eq!(from(&first), [(who, 3), (other, 1), (other, 2)]);
    assert_eq!(from(&end()), []);
    // Of the ledger too, and good for a subscriber's place.
    let ledger = ground.ledger();
    let reader = ledger.subscribe("from-now-on").wait().unwrap();
    reader.seek(Some(ledger.events_end().wait().unwrap())).wait().unwrap();
    send(&ledger, [top_up(who, id(DEPOSIT), "100.00")]);
    ground.settle();
    assert_eq!(reader.next(10).wait().unwrap().iter().map(|event| event.seq).max(), Some(4));
    assert_eq!(reader.next(10).wait().unwrap().iter().map(|event| event.seq).min(), Some(4));
}

fn foreign_cursors(ground: &Ground) {
    let store = ground.store();
    for text in ["", "elsewhere:1", "1", "memory:x", "sqlite:row:x:0", "statement:1:1"] {
        let refused = store.journal(&JournalQuery::All { after: Some(Cursor(text.to_owned())) }, 10);
        assert!(matches!(refused, Err(StoreError::Foreign(_))), "{text:?}: {refused:?}");
    }
}

fn while_written(ground: &Ground) {
    let merchants: Vec<_> = (1..4).map(merchant).collect();
    let reader = ground.store();
    let ledger = ground.ledger();
    for who in &merchants {
        send(&ledger, prepared(*who));
    }
    let written = AtomicBool::new(false);
    std::thread::scope(|scope| {
        scope.spawn(|| {
            std::thread::scope(|scope| {
                for who in &merchants {
                    let ledger = ledger.clone();
                    scope.spawn(move || send(&ledger, (0..60).map(|_| top_up(*who, id(DEPOSIT), "100.00"))));
                }
            });
            written.store(true, Ordering::SeqCst);
        });
        let mut last: BTreeMap<MerchantId, u64> = BTreeMap::new();
        let mut after = None;
        loop {
            let done = written.load(Ordering::SeqCst);
            if done {
                ground.settle();
            }
            let page = reader.journal(&JournalQuery::All { after }, 5).unwrap();
            for recorded in &page.items {
                let seq = last.entry(recorded.merchant).or_default();
                assert_eq!(recorded.entry.seq, *seq + 1, "of {}", recorded.merchant);
                *seq = recorded.entry.seq;
            }
            after = page.next;
            if done && page.items.is_empty() {
                break;
            }
        }
        assert!(merchants.iter().all(|who| last[who] == 62), "{last:?}");
    });
}
