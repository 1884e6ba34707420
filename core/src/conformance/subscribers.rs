//! Following what happens: subscribers whose place the store keeps, and watches that are told of new entries.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::Duration;

use super::Case;
use super::ground::{CAMPAIGN, DEPOSIT, Ground, commit, id, lead, merchant, prepared, send, top_up};
use super::story::on;
use crate::book::Head;
use crate::error::{Error, StoreError};
use crate::event::{Event, EventBody};
use crate::ids::MerchantId;
use crate::ledger::{Options, Subscription};
use crate::store::{BookQuery, Cursor, Store};
use crate::text::SubscriberName;

pub(super) const CASES: &[Case] = &[
    ("a subscriber's place is moved only from where it was read, by one of many, and stays", compared_and_set),
    ("a subscriber gets the events of every entry once, each book's in order, however often it starts anew", once_each),
    ("what was not acknowledged comes again", again),
    ("of two readers with one name only one acknowledges, and the other goes on after it", two_with_one_name),
    ("a subscriber goes back to the beginning or to a place, and not to one of another store", sought),
    ("a subscriber that keeps up while books are written misses nothing", while_written),
    ("events of all kinds of entries come back from JSON as they went", events_of_a_story),
    ("a watch is told at once of what its own ledger commits, without a look at the store", told_at_once),
    ("a watch is told of what another ledger commits", told_of_others),
    ("a watch settles what is due and is told of it", told_of_time),
];

/// Long enough for the slowest machine; nothing waits so long unless it fails.
const PATIENCE: Duration = Duration::from_mins(1);

fn name(text: &str) -> SubscriberName {
    SubscriberName::new(text).unwrap()
}

fn place(text: &str) -> Cursor {
    Cursor(text.to_owned())
}

fn compared_and_set(ground: &Ground) {
    let store = ground.store();
    let odd = "é".repeat(255);
    for text in ["mails", "Mails", " ", "'; DROP TABLE subscribers; --", "%_\\\n", &odd] {
        let name = name(text);
        assert_eq!(store.cursor(&name).unwrap(), None, "{text:?}");
        assert!(!store.advance(&name, Some(&place("a")), &place("b")).unwrap(), "{text:?} was nowhere");
        assert_eq!(store.cursor(&name).unwrap(), None, "{text:?}");
        assert!(store.advance(&name, None, &place("a")).unwrap());
        assert!(!store.advance(&name, None, &place("b")).unwrap(), "{text:?} was somewhere");
        assert!(!store.advance(&name, Some(&place("A")), &place("b")).unwrap());
        assert_eq!(store.cursor(&name).unwrap(), Some(place("a")), "{text:?}");
        assert!(store.advance(&name, Some(&place("a")), &place(&odd)).unwrap());
        assert!(store.advance(&name, Some(&place(&odd)), &place(&odd)).unwrap(), "where it is already");
    }
    // Through other handles, as other processes would.
    let (name, turns) = (name("race"), 8_u32);
    let handles = [store, ground.store(), ground.store()];
    for turn in 0..turns {
        let before = turn.checked_sub(1).map(|turn| place(&turn.to_string()));
        let won = AtomicUsize::new(0);
        std::thread::scope(|scope| {
            for store in &handles {
                scope.spawn(|| {
                    let moved = store.advance(&name, before.as_ref(), &place(&turn.to_string()));
                    won.fetch_add(usize::from(moved.unwrap()), Ordering::SeqCst);
                });
            }
        });
        assert_eq!(won.load(Ordering::SeqCst), 1, "turn {turn}");
    }
    assert_eq!(ground.store().cursor(&name).unwrap(), Some(place(&(turns - 1).to_string())));
}

/// How far each book was followed, entry by entry, and that nothing came twice or out of order.
#[derive(Default)]
struct Followed(BTreeMap<MerchantId, (u64, u32)>);

impl Followed {
    fn take(&mut self, events: &[Event]) {
        for event in events {
            let (seq, next) = self.0.entry(event.merchant).or_default();
            if event.seq == *seq {
                assert_eq!(event.index, *next, "entry {seq} of {}", event.merchant);
            } else {
                assert_eq!((event.seq, event.index), (*seq + 1, 0), "after entry {seq} of {}", event.merchant);
            }
            (*seq, *next) = (event.seq, event.index + 1);
        }
    }

    fn seqs(&self) -> BTreeMap<MerchantId, u64> {
        self.0.iter().map(|(merchant, (seq, _))| (*merchant, *seq)).collect()
    }
}

fn subscribe(ground: &Ground, name: &str) -> Subscription {
    ground.ledger().subscribe(name).wait().unwrap()
}

fn once_each(ground: &Ground) {
    let store = ground.store();
    let merchants: Vec<_> = (1..4).map(merchant).collect();
    for who in &merchants {
        commit(&*store, ground.now(), &prepared(*who));
    }
    for round in 0..10 {
        let payments: Vec<_> = merchants[round % 3..].iter().map(|who| top_up(*who, id(DEPOSIT), "100.00")).collect();
        commit(&*store, ground.now(), &payments);
    }
    ground.settle();
    let expected: BTreeMap<_, _> = merchants.iter().copied().zip([6, 9, 12]).collect();
    for limit in [0, 1, 3, 7, 1_000] {
        let mut followed = Followed::default();
        loop {
            // Another handle and another ledger each time: the place is in the store.
            let subscription = subscribe(ground, &format!("of {limit}"));
            let events = subscription.next(limit).wait().unwrap();
            let entries = events.iter().filter(|event| event.index == 0).count();
            assert!(entries <= limit.max(1), "{entries} entries, limit {limit}");
            followed.take(&events);
            subscription.ack().wait().unwrap();
            if events.is_empty() {
                break;
            }
        }
        assert_eq!(followed.seqs(), expected, "pages of {limit}");
    }
}

fn again(ground: &Ground) {
    let who = merchant(1);
    commit(&*ground.store(), ground.now(), &prepared(who));
    ground.settle();
    let subscription = subscribe(ground, "again");
    let first = subscription.next(1).wait().unwrap();
    assert_eq!(first[0].seq, 1);
    assert_eq!(subscription.next(1).wait().unwrap(), first);
    assert_eq!(subscribe(ground, "again").next(1).wait().unwrap(), first, "another process");
    assert_eq!(subscription.position().wait().unwrap(), None);
    subscription.ack().wait().unwrap();
    let second = subscription.next(1).wait().unwrap();
    assert_eq!(second[0].seq, 2);
    assert_eq!(subscribe(ground, "again").next(1).wait().unwrap(), second);
    // Acknowledging is for what the last call gave, once.
    subscription.ack().wait().unwrap();
    let position = subscription.position().wait().unwrap();
    subscription.ack().wait().unwrap();
    assert!(subscription.next(1).wait().unwrap().is_empty());
    subscription.ack().wait().unwrap();
    assert_eq!(subscription.position().wait().unwrap(), position);
}

fn two_with_one_name(ground: &Ground) {
    let who = merchant(1);
    commit(&*ground.store(), ground.now(), &prepared(who));
    commit(&*ground.store(), ground.now(), &[top_up(who, id(DEPOSIT), "100.00")]);
    ground.settle();
    let (one, other) = (subscribe(ground, "twins"), subscribe(ground, "twins"));
    let apart = subscribe(ground, "apart");
    for (limit, seq) in [(1, 1), (2, 2)] {
        assert_eq!(one.next(limit).wait().unwrap()[0].seq, seq);
        assert_eq!(other.next(1).wait().unwrap()[0].seq, seq);
        other.ack().wait().unwrap();
        let position = other.position().wait().unwrap();
        let refused = one.ack().wait().unwrap_err();
        assert_eq!((refused.code(), refused.is_transient()), ("cursor_moved", false));
        assert_eq!(refused, Error::CursorMoved { name: name("twins") });
        assert_eq!(one.position().wait().unwrap(), position, "the refused one has moved it");
        one.ack().wait().unwrap();
        assert_eq!(one.position().wait().unwrap(), position, "nothing is left to acknowledge");
    }
    assert_eq!(one.next(5).wait().unwrap()[0].seq, 3, "it goes on after the other");
    assert_eq!(apart.next(5).wait().unwrap()[0].seq, 1, "another name is another reader");
}

fn sought(ground: &Ground) {
    let who = merchant(1);
    commit(&*ground.store(), ground.now(), &prepared(who));
    ground.settle();
    let subscription = subscribe(ground, "seeker");
    assert_eq!(subscription.next(1).wait().unwrap()[0].seq, 1);
    subscription.ack().wait().unwrap();
    let after_first = subscription.position().wait().unwrap();
    for text in ["", "elsewhere:1", "1", "memory:x", "sqlite:row:x:0", "statement:1:1"] {
        let refused = subscription.seek(Some(place(text))).wait();
        assert!(matches!(refused, Err(Error::Store(StoreError::Foreign(_)))), "{text:?}: {refused:?}");
        assert_eq!(subscription.position().wait().unwrap(), after_first, "{text:?}");
    }
    assert_eq!(subscription.next(5).wait().unwrap()[0].seq, 2);
    subscription.seek(None).wait().unwrap();
    subscription.ack().wait().unwrap();
    assert_eq!(subscribe(ground, "seeker").next(5).wait().unwrap()[0].seq, 1);
    subscription.seek(after_first).wait().unwrap();
    assert_eq!(subscribe(ground, "seeker").next(5).wait().unwrap()[0].seq, 2);
    // What a store of another mark has left there is refused too, until somebody says where to go on.
    let here = subscription.position().wait().unwrap();
    assert!(ground.store().advance(&name("seeker"), here.as_ref(), &place("elsewhere:1")).unwrap());
    let refused = subscription.next(5).wait();
    assert!(matches!(refused, Err(Error::Store(StoreError::Foreign(_)))), "{refused:?}");
    subscribe(ground, "seeker").seek(None).wait().unwrap();
    assert_eq!(subscription.next(5).wait().unwrap()[0].seq, 1);
}

fn while_written(ground: &Ground) {
    let merchants: Vec<_> = (1..4).map(merchant).collect();
    let ledger = ground.ledger();
    for who in &merchants {
        send(&ledger, prepared(*who));
    }
    let subscription = ledger.subscribe("busy").wait().unwrap();
    let written = AtomicBool::new(false);
    std::thread::scope(|scope| {
        scope.spawn(|| {
            std::thread::scope(|scope| {
                for who in &merchants {
                    let ledger = ledger.clone();
                    scope.spawn(move || send(&ledger, (0..30).map(|_| top_up(*who, id(DEPOSIT), "100.00"))));
                }
            });
            written.store(true, Ordering::SeqCst);
        });
        let mut followed = Followed::default();
        loop {
            let done = written.load(Ordering::SeqCst);
            if done {
                ground.settle();
            }
            let events = subscription.next(7).wait().unwrap();
            followed.take(&events);
            subscription.ack().wait().unwrap();
            if done && events.is_empty() {
                break;
            }
        }
        assert!(merchants.iter().all(|who| followed.seqs()[who] == 32), "{:?}", followed.seqs());
    });
    for who in merchants {
        ledger.check(who).wait().unwrap();
    }
}

fn events_of_a_story(ground: &Ground) {
    let who = merchant(1);
    let ledger = on(ground, &[who]);
    ground.settle();
    let events = ledger.subscribe("story").wait().unwrap().next(10_000).wait().unwrap();
    let mut names: BTreeMap<&str, usize> = BTreeMap::new();
    for event in &events {
        *names.entry(event.name()).or_default() += 1;
        let text = event.to_json().to_string();
        assert_eq!(Event::from_json(&serde_json::from_str(&text).unwrap()).as_ref(), Ok(event), "{text}");
    }
    assert!(names.len() > 25, "{names:?}");
    // The events' amounts are the book's: what was captured and not given back is the platform's commission.
    let mut commission = rust_decimal::Decimal::ZERO;
    for event in &events {
        match &event.body {
            EventBody::LeadValidated { platform_part, .. } => commission += *platform_part,
            EventBody::LeadReversed { platform_part, .. } => commission -= *platform_part,
            _ => {}
        }
    }
    let book = ledger.book(who).wait().unwrap();
    assert_eq!(commission, book.platform[&crate::money::Currency::MAD].commission);
    assert!(!commission.is_zero());
}

/// A store that is asked for heads no more than so often: no watch can be told by a look at it after that.
struct Blind {
    inner: Arc<dyn Store>,
    looks: AtomicUsize,
}

crate::delegate_totals!(Blind, inner);
crate::delegate_subscribers!(Blind, inner);

impl Store for Blind {
    crate::delegate_store!(inner: lanes, transact, book, leads, journal);

    fn books(&self, query: &BookQuery, limit: usize) -> Result<Vec<(MerchantId, Head)>, StoreError> {
        let looks = self.looks.fetch_update(Ordering::SeqCst, Ordering::SeqCst, |looks| looks.checked_sub(1));
        // Nothing is ever there to be seen, which is no error.
        if looks.is_ok() { self.inner.books(query, limit) } else { Ok(Vec::new()) }
    }
}

fn told_at_once(ground: &Ground) {
    let who = merchant(1);
    commit(&*ground.store(), ground.now(), &prepared(who));
    let store = Arc::new(Blind { inner: ground.store(), looks: AtomicUsize::new(2) });
    let ledger = ground.ledger_on(store, Options::default());
    let mut watch = ledger.watch(who).wait().unwrap();
    let mut other = ledger.watch(merchant(2)).wait().unwrap();
    assert_eq!((watch.seq(), other.seq()), (2, 0), "from the present head on");
    // Once a command is answered, whoever watches was told.
    send(&ledger, [top_up(who, id(DEPOSIT), "100.00")]);
    let events = watch.next(Duration::ZERO).unwrap().unwrap();
    assert_eq!(events.iter().map(|event| (event.seq, event.name())).collect::<Vec<_>>(), [(3, "payment_received")]);
    assert_eq!(watch.next(Duration::ZERO), Ok(None));
    assert_eq!(other.next(Duration::ZERO), Ok(None));
    // One that sleeps is woken; none is told of another's book.
    std::thread::scope(|scope| {
        let waiting = scope.spawn(|| watch.next(PATIENCE));
        send(&ledger, [top_up(who, id(DEPOSIT), "100.00")]);
        assert_eq!(waiting.join().unwrap().unwrap().unwrap()[0].seq, 4);
    });
    send(&ledger, prepared(merchant(2)));
    let events = other.next(Duration::ZERO).unwrap().unwrap();
    assert_eq!((events[0].seq, events.last().unwrap().seq), (1, 2));
    assert_eq!(watch.next(Duration::ZERO), Ok(None));
}

fn told_of_others(ground: &Ground) {
    let who = merchant(1);
    let (one, other) = (ground.ledger(), ground.ledger());
    send(&other, prepared(who));
    let mut watches = [one.watch(who).wait().unwrap(), one.watch(who).wait().unwrap()];
    for seq in 3..6 {
        send(&other, [top_up(who, id(DEPOSIT), "100.00")]);
        for watch in &mut watches {
            assert_eq!(watch.next(PATIENCE).unwrap().unwrap()[0].seq, seq);
        }
    }
    // Many entries while nobody looks, and a page at a time.
    send(&other, (0..300).map(|_| top_up(who, id(DEPOSIT), "100.00")));
    let mut followed = Followed::default();
    followed.0.insert(who, (5, 1));
    while followed.seqs()[&who] < 305 {
        followed.take(&watches[0].next(PATIENCE).unwrap().unwrap());
    }
    assert_eq!(watches[0].next(Duration::ZERO), Ok(None));
}

fn told_of_time(ground: &Ground) {
    let (ledger, who) = (ground.ledger(), merchant(1));
    send(&ledger, prepared(who));
    send(&ledger, [lead(who, id(CAMPAIGN), id(20), "600.00").into()]);
    let mut watch = ledger.watch(who).wait().unwrap();
    ground.at_hour(72);
    let events = watch.next(PATIENCE).unwrap().unwrap();
    assert_eq!(events[0].body, EventBody::LeadExpired { lead: id(20) });
    assert_eq!(events[0].at, ground.now());
}
