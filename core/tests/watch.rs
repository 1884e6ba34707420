//! Watches and subscriptions in trouble: a ledger that closes, a store that is away or does not tell, futures that are
//! dropped, books that cannot be settled.

#![allow(clippy::unwrap_used, clippy::panic, missing_docs)]

use std::future::{Future, IntoFuture};
use std::pin::pin;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll, Wake, Waker};
use std::time::{Duration, Instant};

use leadledger::{
    BookQuery, Books, CampaignId, CreateLead, Cursor, DepositId, Event, Head, Ledger, ManualClock, MemoryStore,
    MerchantId, OpenDeposit, Options, PartnerId, RegisterCampaign, RunDue, Scope, Store, StoreError, SubscriberName,
    Subscribers, Timestamp, TopUpDeposit,
};
use uuid::Uuid;

/// Long enough for the slowest machine; nothing waits so long unless it fails.
const PATIENCE: Duration = Duration::from_mins(1);

/// A memory store that others hold too, and that fails when it is told to.
#[derive(Default)]
struct Frail {
    inner: Arc<MemoryStore>,
    /// Heads cannot be read.
    away: AtomicBool,
    /// Nothing can be written.
    read_only: AtomicBool,
    looks: AtomicUsize,
    transactions: AtomicUsize,
    /// How the next moves of a subscriber end: written or not, and nobody knows.
    unknown: Mutex<Vec<bool>>,
}

leadledger::delegate_totals!(Frail, inner);

impl Subscribers for Frail {
    fn cursor(&self, name: &SubscriberName) -> Result<Option<Cursor>, StoreError> {
        self.inner.cursor(name)
    }
    fn advance(&self, name: &SubscriberName, from: Option<&Cursor>, to: &Cursor) -> Result<bool, StoreError> {
        let Some(written) = self.unknown.lock().unwrap().pop() else { return self.inner.advance(name, from, to) };
        if written {
            self.inner.advance(name, from, to)?;
        }
        Err(StoreError::Unknown("the answer was lost".to_owned()))
    }
}

impl Store for Frail {
    leadledger::delegate_store!(inner: book, leads, journal);

    fn transact(&self, lane: usize, scope: &Scope, work: &mut dyn FnMut(&mut Books)) -> Result<(), StoreError> {
        self.transactions.fetch_add(1, Ordering::SeqCst);
        if self.read_only.load(Ordering::SeqCst) {
            return Err(StoreError::Misconfigured("no right to write".to_owned()));
        }
        self.inner.transact(lane, scope, work)
    }
    fn books(&self, query: &BookQuery, limit: usize) -> Result<Vec<(MerchantId, Head)>, StoreError> {
        self.looks.fetch_add(1, Ordering::SeqCst);
        if self.away.load(Ordering::SeqCst) {
            return Err(StoreError::Unavailable("away".to_owned()));
        }
        self.inner.books(query, limit)
    }
}

impl Frail {
    /// Waits until so many looks at the heads were made.
    fn until(&self, looks: usize) {
        let start = Instant::now();
        while self.looks.load(Ordering::SeqCst) < looks {
            assert!(start.elapsed() < PATIENCE, "nobody looks");
            std::thread::sleep(Duration::from_millis(5));
        }
    }
}

struct Place {
    store: Arc<Frail>,
    clock: Arc<ManualClock>,
}

const MERCHANT: MerchantId = MerchantId(Uuid::from_u128(1));
const DEPOSIT: DepositId = DepositId(Uuid::from_u128(77));

impl Place {
    /// A book with 5000.00 in a deposit.
    fn new() -> Self {
        let clock = Arc::new(ManualClock::new("2026-01-05T08:00:00Z".parse().unwrap()));
        let place = Self { store: Arc::default(), clock };
        let mut open = OpenDeposit::new(MERCHANT, "5000.00".parse().unwrap());
        open.deposit = Some(DEPOSIT);
        place.other().open_deposit(open).wait().unwrap();
        place
    }

    /// The ledger that is tested.
    fn ledger(&self) -> Ledger {
        Ledger::with_shared(self.store.clone(), self.clock.clone(), Options::default()).unwrap()
    }

    /// Another one on the same books, whose store never fails.
    fn other(&self) -> Ledger {
        Ledger::with_shared(self.store.inner.clone(), self.clock.clone(), Options::default()).unwrap()
    }

    fn later(&self, hours: u32) -> Timestamp {
        let later = Timestamp::from_micros(1_767_600_000_000_000).plus_hours(hours);
        self.clock.set(later);
        later
    }
}

fn pay(ledger: &Ledger) {
    ledger.top_up(TopUpDeposit::new(MERCHANT, DEPOSIT, "100.00".parse().unwrap())).wait().unwrap();
}

fn seqs(events: &[Event]) -> Vec<u64> {
    events.iter().map(|event| event.seq).collect()
}

/// Counts how often it is woken, and unparks the thread that made it.
struct Bell {
    rung: AtomicUsize,
    thread: std::thread::Thread,
}

impl Wake for Bell {
    fn wake(self: Arc<Self>) {
        self.rung.fetch_add(1, Ordering::SeqCst);
        self.thread.unpark();
    }
}

/// The smallest runtime there is.
fn block_on<F: Future>(future: F) -> F::Output {
    let bell = Arc::new(Bell { rung: AtomicUsize::new(0), thread: std::thread::current() });
    let waker = Waker::from(Arc::clone(&bell));
    let mut future = pin!(future);
    loop {
        let rung = bell.rung.load(Ordering::SeqCst);
        if let Poll::Ready(output) = future.as_mut().poll(&mut Context::from_waker(&waker)) {
            return output;
        }
        while bell.rung.load(Ordering::SeqCst) == rung {
            std::thread::park();
        }
    }
}

#[test]
fn a_ledger_that_closes_ends_its_watches() {
    let place = Place::new();
    for asked in [true, false] {
        let ledger = place.ledger();
        let mut watches: Vec<_> = (0..3).map(|_| ledger.watch(MERCHANT).wait().unwrap()).collect();
        let subscription = ledger.clone().subscribe("kept").wait().unwrap();
        std::thread::scope(|scope| {
            let mut ends = Vec::new();
            for (n, watch) in watches.iter_mut().enumerate() {
                ends.push(scope.spawn(move || match n {
                    0 => block_on(watch.changed()).unwrap_err(),
                    _ => watch.next(PATIENCE).unwrap_err(),
                }));
            }
            if asked {
                // Whatever the thread that looks is doing.
                place.store.until(place.store.looks.load(Ordering::SeqCst) + 1);
            }
            drop(subscription);
            let closing = Instant::now();
            drop(ledger);
            assert!(closing.elapsed() < PATIENCE / 4, "it took {:?}", closing.elapsed());
            for end in ends {
                assert_eq!(end.join().unwrap().code(), "closed");
            }
        });
        assert_eq!(watches[0].next(Duration::ZERO).unwrap_err().code(), "closed");
        assert_eq!(block_on(watches[1].changed()).unwrap_err().code(), "closed");
        assert_eq!(Arc::strong_count(&place.store), 1, "the store is given back");
    }
}

#[test]
fn awaited() {
    let place = Place::new();
    let ledger = place.ledger();
    let mut watch = block_on(ledger.watch(MERCHANT).into_future()).unwrap();
    let bell = Arc::new(Bell { rung: AtomicUsize::new(0), thread: std::thread::current() });
    let waker = Waker::from(Arc::clone(&bell));
    {
        let mut changed = pin!(watch.changed());
        assert!(changed.as_mut().poll(&mut Context::from_waker(&waker)).is_pending());
        assert_eq!(bell.rung.load(Ordering::SeqCst), 0);
        pay(&ledger);
        assert_eq!(bell.rung.load(Ordering::SeqCst), 1, "woken by the time the command is answered");
        assert_eq!(seqs(&block_on(changed).unwrap()), [2]);
    }
    // Dropped at any point before it is ready, it has taken nothing.
    let mut found = Vec::new();
    for polls in 0..4 {
        pay(&ledger);
        let mut changed = pin!(watch.changed());
        for _ in 0..polls {
            if let Poll::Ready(events) = changed.as_mut().poll(&mut Context::from_waker(Waker::noop())) {
                found.extend(seqs(&events.unwrap()));
                break;
            }
        }
    }
    while watch.seq() < 6 {
        found.extend(seqs(&watch.next(PATIENCE).unwrap().unwrap()));
    }
    assert_eq!(found, [3, 4, 5, 6]);
    assert_eq!(watch.next(Duration::ZERO), Ok(None));
}

#[test]
fn a_store_that_stays_away_is_told_and_the_watch_goes_on() {
    let place = Place::new();
    let (ledger, other) = (place.ledger(), place.other());
    let mut watch = ledger.watch(MERCHANT).wait().unwrap();
    place.store.away.store(true, Ordering::SeqCst);
    let fault = watch.next(PATIENCE).unwrap_err();
    assert_eq!((fault.code(), fault.is_transient()), ("store_unavailable", true));
    // Its own ledger tells it all the same.
    pay(&ledger);
    assert_eq!(seqs(&watch.next(PATIENCE).unwrap().unwrap()), [2]);
    pay(&other);
    place.store.away.store(false, Ordering::SeqCst);
    // What was told before the store came back may still be there.
    let found = loop {
        match watch.next(PATIENCE) {
            Err(fault) => assert_eq!(fault.code(), "store_unavailable"),
            Ok(found) => break found.unwrap(),
        }
    };
    assert_eq!(seqs(&found), [3]);
    place.store.away.store(true, Ordering::SeqCst);
    assert_eq!(ledger.watch(MERCHANT).wait().unwrap_err().code(), "store_unavailable");
}

#[test]
fn nobody_looks_when_nobody_watches() {
    let place = Place::new();
    let ledger = place.ledger();
    assert_eq!(place.store.looks.load(Ordering::SeqCst), 0);
    for _ in 0..3 {
        let watches: Vec<_> = (0..20).map(|n| ledger.watch(MerchantId(Uuid::from_u128(n))).wait().unwrap()).collect();
        let looks = place.store.looks.load(Ordering::SeqCst);
        place.store.until(looks + 2);
        drop(watches);
        let looks = place.store.looks.load(Ordering::SeqCst);
        // Not a wait for something: whoever still looked would look twice in this time.
        std::thread::sleep(Duration::from_millis(700));
        let more = place.store.looks.load(Ordering::SeqCst) - looks;
        assert!(more <= 1, "{more} looks for nobody");
    }
}

#[test]
fn what_cannot_be_settled_is_left_to_others() {
    let place = Place::new();
    let other = place.other();
    let campaign = CampaignId(Uuid::from_u128(5));
    other
        .register_campaign(RegisterCampaign { campaign: Some(campaign), ..RegisterCampaign::new(MERCHANT) })
        .wait()
        .unwrap();
    other
        .create_lead(CreateLead::new(MERCHANT, campaign, PartnerId::generate(), "600.00".parse().unwrap()))
        .wait()
        .unwrap();
    place.store.read_only.store(true, Ordering::SeqCst);
    let ledger = place.ledger();
    let mut watch = ledger.watch(MERCHANT).wait().unwrap();
    place.later(72);
    let (looks, before) = (place.store.looks.load(Ordering::SeqCst), place.store.transactions.load(Ordering::SeqCst));
    place.store.until(looks + 8);
    let tried = place.store.transactions.load(Ordering::SeqCst) - before;
    assert!((1..=5).contains(&tried), "{tried} attempts in 8 looks");
    assert_eq!(watch.next(Duration::ZERO), Ok(None), "no fault of the watch");
    other.run_due(RunDue::new(MERCHANT)).wait().unwrap();
    let events = watch.next(PATIENCE).unwrap().unwrap();
    assert_eq!(events.iter().map(Event::name).collect::<Vec<_>>(), ["lead_expired", "due_settled"]);
}

#[test]
fn an_acknowledgement_that_nobody_knows_of_is_tried_again() {
    for written in [true, false] {
        let place = Place::new();
        let ledger = place.ledger();
        let subscription = ledger.subscribe("lost").wait().unwrap();
        assert_eq!(seqs(&subscription.next(9).wait().unwrap()), [1, 1]);
        *place.store.unknown.lock().unwrap() = vec![written, written];
        for _ in 0..2 {
            assert_eq!(subscription.ack().wait().unwrap_err().code(), "store_outcome_unknown");
        }
        subscription.ack().wait().unwrap();
        assert!(subscription.next(9).wait().unwrap().is_empty());
        // Another one has moved on meanwhile: what nobody knew of is then no excuse.
        pay(&ledger);
        assert_eq!(seqs(&subscription.next(9).wait().unwrap()), [2]);
        *place.store.unknown.lock().unwrap() = vec![written];
        assert_eq!(subscription.ack().wait().unwrap_err().code(), "store_outcome_unknown");
        pay(&ledger);
        let twin = ledger.subscribe("lost").wait().unwrap();
        assert_eq!(seqs(&twin.next(9).wait().unwrap()), if written { vec![3] } else { vec![2, 3] });
        twin.ack().wait().unwrap();
        assert_eq!(subscription.ack().wait().unwrap_err().code(), "cursor_moved");
    }
}

#[test]
fn names_that_are_none() {
    let ledger = Place::new().ledger();
    for (name, code) in [("", "text_empty"), ("a\0b", "text_has_nul"), (&*"x".repeat(256), "text_too_long")] {
        assert_eq!(ledger.subscribe(name).wait().unwrap_err().code(), code, "{name:?}");
    }
    assert_eq!(ledger.subscribe("x".repeat(255)).wait().unwrap().name().as_str().len(), 255);
}
