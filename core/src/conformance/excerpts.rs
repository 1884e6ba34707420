//! Excerpts: the rows that are asked for, known to be there or known to be absent, with what hangs on them; compared
//! with what the memory store gives for the same story.

use std::collections::BTreeSet;
use std::fmt::Debug;
use std::hash::Hash;

use super::Case;
use super::ground::{Ground, everything, id, merchant, partner, scope};
use super::story::{CAMPAIGNS, CLOSED, LEADS, MISSED, PAYOUTS, TOP_UPS, in_memory, on};
use crate::book::Book;
use crate::ids::{LeadId, PayoutId, TopUpId};
use crate::money::Currency;
use crate::rows::Rows;
use crate::store::{Needs, Store};
use crate::text::{Key, Reference};

pub(super) const CASES: &[Case] = &[
    ("book gives each row that is asked for, and what hangs on it", single_needs),
    ("transact loads the same rows as book", in_transactions),
    ("a book asked for whole holds every row", whole),
    ("a key leads to its entry and its private fields", keys),
    ("private fields are given for the entries that are asked for", private_of_entries),
    ("missed leads are given by page, in order of their ids", missed_pages),
];

/// One need after another: each lead, top-up, payout, ... alone.
fn needs() -> Vec<(String, Needs)> {
    let mut needs = vec![("nothing".to_owned(), Needs::default())];
    let mut put = |what: String, need: Needs| needs.push((what, need));
    for n in LEADS.chain([MISSED - 1, MISSED, 7]) {
        put(format!("lead {n}"), Needs { leads: [id(n)].into(), ..Needs::default() });
        put(format!("texts of lead {n}"), Needs { private: [id(n)].into(), ..Needs::default() });
    }
    for n in [CLOSED, 7] {
        put(format!("deposit {n}"), Needs { deposits: [id(n)].into(), ..Needs::default() });
    }
    for n in TOP_UPS.chain([7]) {
        put(format!("top-up {n}"), Needs { top_ups: [id(n)].into(), ..Needs::default() });
        let reference = Reference::new(format!("pi_{n}")).unwrap();
        put(format!("reference {n}"), Needs { references: [reference].into(), ..Needs::default() });
    }
    for n in PAYOUTS.chain([7]) {
        put(format!("payout {n}"), Needs { payouts: [id(n)].into(), ..Needs::default() });
    }
    for n in 1..5 {
        let partners = [(partner(n), Currency::MAD), (partner(n), "EUR".parse().unwrap())].into();
        put(format!("partner {n}"), Needs { partners, ..Needs::default() });
        let agreements = [(partner(n), None), (partner(n), Some(id(CAMPAIGNS[0])))].into();
        put(format!("agreements {n}"), Needs { agreements, ..Needs::default() });
    }
    let leads: BTreeSet<LeadId> = LEADS.map(id).collect();
    let top_ups: BTreeSet<TopUpId> = TOP_UPS.map(id).collect();
    let payouts: BTreeSet<PayoutId> = PAYOUTS.map(id).collect();
    put("many".to_owned(), Needs { private: leads.clone(), leads, top_ups, payouts, ..Needs::default() });
    needs
}

/// All that `model` knows, `book` must know, and the same.
fn covers(what: &str, book: &Book, model: &Book) {
    fn rows<K: Clone + Debug + Eq + Hash, V: Debug>(what: &str, name: &str, found: &Rows<K, V>, model: &Rows<K, V>) {
        let row = |row: Option<&V>| format!("{row:?}");
        for key in model.keys() {
            assert!(found.knows(key), "{what}: {name} {key:?} is not loaded");
            assert_eq!(row(found.get(key)), row(model.get(key)), "{what}: {name} {key:?}");
        }
        for (key, found) in found.iter() {
            if model.knows(key) {
                assert_eq!(row(Some(found)), row(model.get(key)), "{what}: {name} {key:?} is not there");
            }
        }
    }
    rows(what, "campaign", &book.campaigns, &model.campaigns);
    rows(what, "deposit", &book.deposits, &model.deposits);
    rows(what, "partner", &book.partners, &model.partners);
    rows(what, "agreement", &book.agreements, &model.agreements);
    rows(what, "lead", &book.leads, &model.leads);
    rows(what, "top-up", &book.top_ups, &model.top_ups);
    rows(what, "payout", &book.payouts, &model.payouts);
    rows(what, "reference", &book.references, &model.references);
    rows(what, "missed lead", &book.missed, &model.missed);
    // Balances of zero may have no row; entries differ in their random salts.
    for (currency, accounts) in model.platform.iter() {
        assert_eq!(book.platform.get(currency), Some(accounts), "{what}: {currency}");
    }
    let texts = |book: &Book| {
        let texts = book.private.iter().map(|private| (private.seq, private.lead, private.text.clone()));
        texts.collect::<BTreeSet<_>>()
    };
    assert_eq!(texts(book), texts(model), "{what}: texts");
    assert_eq!((book.head.seq, book.head.last_at), (model.head.seq, model.head.last_at), "{what}: head");
    assert_eq!(book.head.receipt, model.head.receipt, "{what}: receipt");
}

/// The entries that a repeated success of a top-up answers with.
fn successes(what: &str, book: &Book, model: &Book) {
    let seqs = |book: &Book| book.successes.iter().map(|(seq, entry)| (*seq, entry.seq)).collect::<BTreeSet<_>>();
    assert!(seqs(book).is_superset(&seqs(model)), "{what}: the entry that credited a top-up");
}

fn single_needs(ground: &Ground) {
    let merchants = [merchant(1), merchant(2)];
    let (model, _ledger) = in_memory(&merchants);
    drop(on(ground, &merchants));
    let store = ground.store();
    for (what, needs) in needs() {
        let (book, model) = (store.book(merchants[1], &needs).unwrap(), model.book(merchants[1], &needs).unwrap());
        covers(&what, &book, &model);
        successes(&what, &book, &model);
    }
}

fn in_transactions(ground: &Ground) {
    let who = merchant(1);
    let (model, _ledger) = in_memory(&[who]);
    drop(on(ground, &[who]));
    let store = ground.store();
    for (what, needs) in needs() {
        let expected = model.book(who, &needs).unwrap();
        let mut scope = scope(ground.now());
        scope.books.insert(who, needs);
        store
            .transact(0, &scope, &mut |books| {
                let book = books[&who].as_ref().unwrap();
                covers(&what, book, &expected);
                successes(&what, book, &expected);
            })
            .unwrap();
    }
}

fn whole(ground: &Ground) {
    let who = merchant(1);
    let (model, _ledger) = in_memory(&[who]);
    drop(on(ground, &[who]));
    let (book, model) = (ground.store().book(who, &everything()).unwrap(), model.book(who, &everything()).unwrap());
    covers("everything", &book, &model);
    covers("everything, the other way round", &model, &book);
    assert_eq!(book.due, model.due);
}

fn keys(ground: &Ground) {
    let ledger = ground.ledger();
    let (who, store) = (merchant(1), ground.store());
    super::ground::send(&ledger, super::ground::prepared(who));
    let mut command = super::ground::lead(who, id(super::ground::CAMPAIGN), id(10), "600.00");
    command.product = Some("shoes".try_into().unwrap());
    let done = ledger.create_lead(command).key("the key").wait().unwrap();
    let known: Key = "the key".try_into().unwrap();
    let unknown: Key = "The Key".try_into().unwrap();
    let needs = Needs { keys: [known.clone(), unknown.clone()].into(), ..Needs::default() };
    let book = store.book(who, &needs).unwrap();
    let keyed = book.keys.get(&known).unwrap();
    assert_eq!(keyed.entry, done.entry);
    let private = keyed.private.as_ref().unwrap();
    assert_eq!((private.seq, private.lead), (done.entry.seq, Some(id(10))));
    assert_eq!(Some(private.digest()), done.entry.private_digest);
    assert!(book.keys.get(&unknown).is_none());
    let book = store.book(merchant(2), &needs).unwrap();
    assert!(book.keys.get(&known).is_none(), "a key of another book");
}

fn private_of_entries(ground: &Ground) {
    let who = merchant(1);
    drop(on(ground, &[who]));
    let store = ground.store();
    let all = store.book(who, &everything()).unwrap().private;
    assert!(all.iter().any(|private| private.lead.is_none()) && all.len() > 5, "{all:?}");
    let last = store.book(who, &Needs::default()).unwrap().head.seq;
    for step in [1, 2, 7, 70] {
        for first in 0..4 {
            let private_of: BTreeSet<u64> = (first..last + 3).step_by(step).collect();
            let mut expected = all.clone();
            expected.retain(|private| private_of.contains(&private.seq));
            let mut found = store.book(who, &Needs { private_of, ..Needs::default() }).unwrap().private;
            found.sort_by_key(|private| private.seq);
            assert_eq!(found, expected, "from {first} by {step}");
        }
    }
}

fn missed_pages(ground: &Ground) {
    let (ledger, store, who) = (ground.ledger(), ground.store(), merchant(1));
    super::ground::send(&ledger, super::ground::prepared(who));
    super::ground::send(&ledger, super::ground::prepared(merchant(2)));
    // Each would cost 80.00, which is more than is left.
    let all = super::ground::lead(who, id(super::ground::CAMPAIGN), id(1_000), "2000.00");
    for n in 0..62 {
        ledger.create_lead(crate::command::CreateLead { lead: Some(id(1_000 + n)), ..all.clone() }).wait().unwrap();
    }
    let missed: Vec<u32> = vec![1_109, 1_101, 1_104, 1_102, 1_108];
    for n in &missed {
        let lead = crate::command::CreateLead { lead: Some(id(*n)), ..all.clone() };
        assert_eq!(ledger.create_lead(lead).wait().unwrap_err().code(), "insufficient_funds");
    }
    let mut expected: Vec<LeadId> = missed.into_iter().map(id).collect();
    expected.sort();
    for limit in [1, 2, 3, 5, 100] {
        let (mut found, mut after) = (Vec::new(), None);
        loop {
            let book = store.book(who, &Needs { missed_page: Some((after, limit)), ..Needs::default() }).unwrap();
            let mut page: Vec<LeadId> = book.missed.iter().map(|(id, _)| *id).collect();
            page.sort();
            let Some(last) = page.last() else { break };
            assert!(page.len() <= limit, "{page:?}");
            after = Some(*last);
            found.extend(page);
        }
        assert_eq!(found, expected, "pages of {limit}");
    }
    let other = store.book(merchant(2), &Needs { missed_page: Some((None, 10)), ..Needs::default() }).unwrap();
    assert_eq!(other.missed.iter().count(), 0);
}
