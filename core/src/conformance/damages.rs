//! Damage behind the store's back, where the place can do it: a check names it, and no other book suffers.

use super::Case;
use super::Damage;
use super::ground::{DEPOSIT, Ground, id, merchant, prepared, scope, send, take, top_up};
use super::story::{MAIN, on};
use crate::error::{Error, StoreError};
use crate::store::Needs;

pub(super) const CASES: &[Case] = &[
    ("a check finds each kind of damage, and only in the damaged book", found),
    ("a book whose rows cannot be read fails alone", fails_alone),
];

fn found(ground: &Ground) {
    // One book for each damage, and one that stays whole.
    let merchants: Vec<_> = (0..).zip(Damage::ALL).map(|(n, damage)| (merchant(20 + n), damage)).collect();
    let whole = merchant(1);
    let all: Vec<_> = merchants.iter().map(|(who, _)| *who).chain([whole]).collect();
    let ledger = on(ground, &all);
    for who in &all {
        ledger.submit(top_up(*who, id(MAIN), "100.00")).key("the last").wait().unwrap();
    }
    drop(ledger);
    let damaged: Vec<_> = merchants.iter().filter(|(who, damage)| ground.damage(*who, *damage)).collect();
    assert!(damaged.is_empty() || damaged.len() == Damage::ALL.len(), "a place does all damage or none");
    let ledger = ground.ledger();
    for (who, damage) in damaged {
        match ledger.check(*who).wait() {
            Err(Error::CheckFailed { merchant, .. }) => assert_eq!(merchant, *who),
            Err(Error::Store(StoreError::Corrupt(_))) => {}
            other => panic!("{damage:?} is not found: {other:?}"),
        }
    }
    ledger.check(whole).wait().unwrap();
}

fn fails_alone(ground: &Ground) {
    let (sick, sound) = (merchant(1), merchant(2));
    let ledger = ground.ledger();
    for who in [sick, sound] {
        send(&ledger, prepared(who));
    }
    drop(ledger);
    if !ground.damage(sick, Damage::UnreadableRow) {
        return;
    }
    let store = ground.store();
    let mut scope = scope(ground.now());
    scope.books.extend([(sick, Needs::default()), (sound, Needs::default())]);
    let payment = top_up(sound, id(DEPOSIT), "100.00");
    store
        .transact(0, &scope, &mut |books| {
            assert!(matches!(books[&sick], Err(StoreError::Corrupt(_))), "{:?}", books[&sick]);
            take(books, ground.now(), &payment).unwrap();
        })
        .unwrap();
    assert!(matches!(store.book(sick, &Needs::default()), Err(StoreError::Corrupt(_))));
    assert_eq!(store.book(sound, &Needs::default()).unwrap().head.seq, 3);
    // In one batch of the ledger, too: each caller has its own answer.
    let ledger = ground.ledger();
    let calls = [sick, sound, sick, sound].map(|who| ledger.submit(top_up(who, id(DEPOSIT), "100.00")).send());
    let answers = calls.map(|call| call.wait().map_err(|fault| fault.code()).map(|done| done.entry.seq));
    assert_eq!(answers, [Err("store_corrupt"), Ok(4), Err("store_corrupt"), Ok(5)]);
    assert_eq!(ledger.deposits(sick).wait().unwrap_err().code(), "store_corrupt");
    ledger.check(sound).wait().unwrap();
}
