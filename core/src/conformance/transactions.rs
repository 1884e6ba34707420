//! `transact`: atomic, isolated, durable, and nothing where nothing changed.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicBool, Ordering};

use super::Case;
use super::ground::{
    CAMPAIGN, DEPOSIT, Ground, commit, entries, everything, id, lead, merchant, open, prepared, scope, take, top_up,
};
use crate::check::check;
use crate::ids::MerchantId;
use crate::lead::LeadStatus;
use crate::store::{BookQuery, JournalQuery, LeadQuery, Needs};
use crate::time::Timestamp;

pub(super) const CASES: &[Case] = &[
    ("a book that was never written is loaded empty", never_written),
    ("work is called with the books of the scope", called_with),
    ("what work records is stored when transact returns", durable),
    ("a missed lead is stored without an entry", missed_alone),
    ("where nothing changed, nothing is written", nothing_changed),
    ("a panic in work writes nothing, and the store goes on", panicking_work),
    ("what one handle commits, the other works on", two_handles),
    ("transactions on one book exclude each other", exclusive),
    ("no reader sees half of a transaction", atomic),
    ("a book loaded with everything is written like any other", all_rows_loaded),
];

fn never_written(ground: &Ground) {
    let (store, nobody) = (ground.store(), merchant(7));
    let mut scope = scope(ground.now());
    scope.books.insert(nobody, Needs { leads: [id(1)].into(), ..Needs::default() });
    store
        .transact(0, &scope, &mut |books| {
            let book = books[&nobody].as_ref().unwrap();
            assert_eq!(book.head, crate::book::Head::genesis(nobody));
            assert!(book.leads.get(&id(1)).is_none());
        })
        .unwrap();
    for needs in [Needs::default(), everything()] {
        let book = store.book(nobody, &needs).unwrap();
        assert_eq!((book.head.seq, book.deposits.iter().count(), book.leads.iter().count()), (0, 0, 0));
    }
    assert!(store.leads(&LeadQuery::of(nobody)).unwrap().items.is_empty());
    assert!(entries(&*store, nobody).is_empty());
    assert!(store.journal(&JournalQuery::Before { merchant: nobody, seq: None }, 10).unwrap().items.is_empty());
    assert!(store.books(&BookQuery::Due(Timestamp::MAX), 10).unwrap().is_empty());
    assert_eq!(check(&*store, nobody).unwrap().entries, 0);
}

fn called_with(ground: &Ground) {
    let store = ground.store();
    let mut scope = scope(ground.now());
    scope.books.extend([(merchant(1), Needs::default()), (merchant(2), Needs::default())]);
    let mut calls = Vec::new();
    store.transact(0, &scope, &mut |books| calls.push(books.keys().copied().collect::<Vec<_>>())).unwrap();
    assert_eq!(calls, [[merchant(1), merchant(2)]]);
}

fn durable(ground: &Ground) {
    let who = merchant(1);
    commit(&*ground.store(), ground.now(), &prepared(who));
    let more = [
        lead(who, id(CAMPAIGN), id(10), "600.00").into(),
        lead(who, id(CAMPAIGN), id(11), "2500.00").into(),
        top_up(who, id(DEPOSIT), "100.00"),
    ];
    commit(&*ground.store(), ground.now(), &more);
    let store = ground.store();
    let book = store.book(who, &everything()).unwrap();
    assert_eq!(book.head.seq, 5);
    let deposit = book.deposits.get(&id(DEPOSIT)).unwrap();
    assert_eq!((deposit.balance_minor, deposit.reserved_minor), (510_000, 14_000));
    assert_eq!(book.leads.get(&id(11)).unwrap().status, LeadStatus::Pending);
    assert_eq!(entries(&*store, who).iter().map(|recorded| recorded.entry.seq).collect::<Vec<_>>(), [1, 2, 3, 4, 5]);
    assert_eq!(check(&*store, who).unwrap().leads, 2);
}

fn missed_alone(ground: &Ground) {
    let (store, who) = (ground.store(), merchant(1));
    commit(&*store, ground.now(), &prepared(who));
    let costly = |n| super::ground::lead(who, id(CAMPAIGN), id(n), "1000.00");
    // 62 leads of 80.00 leave 40.00.
    commit(&*store, ground.now(), &(100..162).map(|n| costly(n).into()).collect::<Vec<_>>());
    commit(&*store, ground.now(), &[costly(200).into()]);
    commit(&*store, ground.now(), &[costly(200).into(), costly(201).into()]);
    let book = ground.store().book(who, &everything()).unwrap();
    assert_eq!((book.head.seq, book.missed.iter().count()), (64, 2));
    // Created after all, it is missed no longer.
    commit(&*store, ground.now(), &[top_up(who, id(DEPOSIT), "100.00"), costly(200).into()]);
    let book = ground.store().book(who, &everything()).unwrap();
    assert_eq!(book.missed.iter().map(|(id, _)| *id).collect::<Vec<_>>(), [id(201)]);
    check(&*store, who).unwrap();
}

fn nothing_changed(ground: &Ground) {
    let (store, who) = (ground.store(), merchant(1));
    commit(&*store, ground.now(), &prepared(who));
    let all = || {
        ground.settle();
        store.journal(&JournalQuery::All { after: None }, 100).unwrap()
    };
    let before = (all(), store.book(who, &everything()).unwrap().head);
    let mut scope = scope(ground.now());
    scope.books.extend([(who, everything()), (merchant(2), Needs::default())]);
    store.transact(0, &scope, &mut |_| {}).unwrap();
    assert_eq!((all(), store.book(who, &everything()).unwrap().head), before);
    assert_eq!(store.book(merchant(2), &Needs::default()).unwrap().head.seq, 0);
}

fn panicking_work(ground: &Ground) {
    let (store, who) = (ground.store(), merchant(1));
    commit(&*store, ground.now(), &prepared(who));
    let mut scope = scope(ground.now());
    let payment = top_up(who, id(DEPOSIT), "100.00");
    scope.books.entry(who).or_default().add(&payment, None);
    let outcome = catch_unwind(AssertUnwindSafe(|| {
        store.transact(0, &scope, &mut |books| {
            take(books, ground.now(), &payment).unwrap();
            std::panic::resume_unwind(Box::new("a planned panic"));
        })
    }));
    assert!(outcome.is_err(), "the panic was swallowed");
    assert_eq!(entries(&*store, who).len(), 2);
    commit(&*store, ground.now(), &[payment]);
    let book = store.book(who, &everything()).unwrap();
    assert_eq!((book.head.seq, book.deposits.get(&id(DEPOSIT)).unwrap().balance_minor), (3, 510_000));
    check(&*store, who).unwrap();
}

fn two_handles(ground: &Ground) {
    let (one, other, who) = (ground.store(), ground.store(), merchant(1));
    commit(&*one, ground.now(), &prepared(who));
    for round in 0_u64..6 {
        for store in [&other, &one] {
            commit(&**store, ground.now(), &[top_up(who, id(DEPOSIT), "100.00")]);
        }
        for store in [&one, &other] {
            assert_eq!(store.book(who, &Needs::default()).unwrap().head.seq, 2 * round + 4);
        }
    }
    check(&*one, who).unwrap();
}

/// Threads with handles of their own, all on the same book.
fn exclusive(ground: &Ground) {
    let who = merchant(1);
    commit(&*ground.store(), ground.now(), &prepared(who));
    let (threads, rounds) = (4_u32, 25_u32);
    let now = ground.now();
    let handles: Vec<_> = (0..threads).map(|_| ground.store()).collect();
    std::thread::scope(|scope| {
        for (thread, store) in (0..threads).zip(&handles) {
            scope.spawn(move || {
                for round in 0..rounds {
                    let lead = lead(who, id(CAMPAIGN), id(1_000 + thread * rounds + round), "60.00");
                    commit(&**store, now, &[top_up(who, id(DEPOSIT), "100.00"), lead.into()]);
                }
            });
        }
    });
    let store = ground.store();
    let count = i64::from(threads * rounds);
    let book = store.book(who, &everything()).unwrap();
    let deposit = book.deposits.get(&id(DEPOSIT)).unwrap();
    assert_eq!((deposit.balance_minor, deposit.reserved_minor), (500_000 + 10_000 * count, 600 * count));
    assert_eq!(i64::try_from(book.head.seq).unwrap(), 2 + 2 * count);
    check(&*store, who).unwrap();
}

/// One transaction always writes both books; whoever reads one and then the other must not find the second behind.
fn atomic(ground: &Ground) {
    let both = [merchant(1), merchant(2)];
    let (writer, reader, now) = (ground.store(), ground.store(), ground.now());
    for who in both {
        commit(&*writer, now, &[open(who, id(DEPOSIT), "5000.00")]);
    }
    let written = AtomicBool::new(false);
    std::thread::scope(|scope| {
        scope.spawn(|| {
            for _ in 0..50 {
                commit(&*writer, now, &both.map(|who| top_up(who, id(DEPOSIT), "100.00")));
            }
            written.store(true, Ordering::SeqCst);
        });
        let seen = |who: MerchantId| {
            let book = reader.book(who, &everything()).unwrap();
            let seq = i64::try_from(book.head.seq).unwrap();
            assert_eq!(book.deposits.get(&id(DEPOSIT)).unwrap().balance_minor, 490_000 + 10_000 * seq);
            seq
        };
        let mut last = 0;
        while !written.load(Ordering::SeqCst) || last < 51 {
            for [first, second] in [both, [both[1], both[0]]] {
                let earlier = seen(first);
                last = seen(second);
                assert!(earlier <= last, "half a transaction is seen: {earlier}, then {last}");
            }
        }
    });
    for who in both {
        check(&*reader, who).unwrap();
    }
}

fn all_rows_loaded(ground: &Ground) {
    let (store, who, now) = (ground.store(), merchant(1), ground.now());
    commit(&*store, now, &prepared(who));
    commit(&*store, now, &[lead(who, id(CAMPAIGN), id(10), "600.00").into()]);
    let validate = crate::command::ValidateLead::new(who, id(10)).into();
    let second = lead(who, id(CAMPAIGN), id(11), "700.00").into();
    for command in [validate, second] {
        let mut scope = scope(now);
        scope.books.insert(who, everything());
        let mut taken = Ok(());
        store.transact(0, &scope, &mut |books| taken = take(books, now, &command)).unwrap();
        taken.unwrap();
    }
    // What was loaded whole must not be taken for whole later, when another handle has written.
    commit(&*ground.store(), now, &[lead(who, id(CAMPAIGN), id(12), "800.00").into()]);
    let reject = crate::command::ValidateLead::new(who, id(12)).into();
    commit(&*store, now, &[reject]);
    assert_eq!(check(&*store, who).unwrap().leads, 3);
}
