//! Callers in trouble: futures that are dropped, a full queue, a store that panics, a commit that nobody knows of.
//! No test sleeps: a store with a gate says where the worker stands.

#![allow(clippy::unwrap_used, clippy::panic, missing_docs)]

use std::future::{Future, IntoFuture};
use std::pin::{Pin, pin};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Condvar, Mutex};
use std::task::{Context, Poll, Wake, Waker};
use std::time::Duration;

use leadledger::{
    Book, Books, Call, DepositId, Error, JournalQuery, Lead, LeadId, LeadQuery, Ledger, ManualClock, MemoryStore,
    MerchantId, Needs, OpenDeposit, Options, Page, Recorded, Scope, Store, StoreError, TopUpDeposit,
};
use uuid::Uuid;

/// What a store does instead of its work.
type Trouble = dyn Fn(&MemoryStore, &Scope, &mut dyn FnMut(&mut Books)) -> Result<(), StoreError> + Send + Sync;

/// A memory store whose transactions and reads go through somebody else's hands.
struct Troubled {
    inner: MemoryStore,
    transact: Box<Trouble>,
    read: Box<dyn Fn() -> Result<(), StoreError> + Send + Sync>,
}

leadledger::delegate_totals!(Troubled, inner);
leadledger::delegate_subscribers!(Troubled, inner);

impl Store for Troubled {
    leadledger::delegate_store!(inner: books);

    fn transact(&self, _lane: usize, scope: &Scope, work: &mut dyn FnMut(&mut Books)) -> Result<(), StoreError> {
        (self.transact)(&self.inner, scope, work)
    }
    fn book(&self, merchant: MerchantId, needs: &Needs) -> Result<Book, StoreError> {
        (self.read)()?;
        self.inner.book(merchant, needs)
    }
    fn leads(&self, query: &LeadQuery) -> Result<Page<(LeadId, Lead)>, StoreError> {
        (self.read)()?;
        self.inner.leads(query)
    }
    fn journal(&self, query: &JournalQuery, limit: usize) -> Result<Page<Recorded>, StoreError> {
        (self.read)()?;
        self.inner.journal(query, limit)
    }
}

fn merchant(n: u128) -> MerchantId {
    MerchantId(Uuid::from_u128(n))
}

fn deposit() -> DepositId {
    DepositId(Uuid::from_u128(77))
}

/// A ledger on a store in trouble; its book of merchant 1 and 2 have 5000.00 each, opened before the trouble.
fn ledger(options: Options, transact: Box<Trouble>) -> Ledger {
    ledger_with_reads(options, transact, Box::new(|| Ok(())))
}

fn ledger_with_reads(
    options: Options,
    transact: Box<Trouble>,
    read: Box<dyn Fn() -> Result<(), StoreError> + Send + Sync>,
) -> Ledger {
    let calm = Arc::new(MemoryStore::new());
    let clock = Arc::new(ManualClock::new("2026-01-05T08:00:00Z".parse().unwrap()));
    let opening = Ledger::with_shared(calm.clone(), clock.clone(), Options::default()).unwrap();
    for n in [1, 2] {
        let mut open = OpenDeposit::new(merchant(n), "5000.00".parse().unwrap());
        open.deposit = Some(deposit());
        opening.open_deposit(open).wait().unwrap();
    }
    drop(opening);
    let inner = Arc::into_inner(calm).unwrap();
    let options = Options { first_pause: Duration::ZERO, ..options };
    Ledger::with_shared(Arc::new(Troubled { inner, transact, read }), clock, options).unwrap()
}

fn pay(ledger: &Ledger, n: u128) -> Call<()> {
    ledger.top_up(TopUpDeposit::new(merchant(n), deposit(), "100.00".parse().unwrap()))
}

/// Payments that merchant `n` has made beside the opening, as the books say.
fn payments(ledger: &Ledger, n: u128) -> u64 {
    let report = ledger.check(merchant(n)).wait().unwrap();
    let view = ledger.deposit(merchant(n), deposit()).wait().unwrap().unwrap();
    let expected = 5_000 + 100 * (report.entries - 1);
    assert_eq!(view.balance, expected.into(), "the journal and the deposit differ");
    report.entries - 1
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

fn bell() -> Arc<Bell> {
    Arc::new(Bell { rung: AtomicUsize::new(0), thread: std::thread::current() })
}

/// The smallest runtime there is.
fn block_on<F: IntoFuture>(future: F) -> F::Output {
    let bell = bell();
    let waker = Waker::from(Arc::clone(&bell));
    let mut future = pin!(future.into_future());
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

/// A gate in front of the store: transactions wait until it is open.
#[derive(Default)]
struct Gate {
    /// How many may pass, and how many have come.
    state: Mutex<(usize, usize)>,
    moved: Condvar,
}

impl Gate {
    fn pass(&self) {
        let mut state = self.state.lock().unwrap();
        state.1 += 1;
        self.moved.notify_all();
        while state.0 == 0 {
            state = self.moved.wait(state).unwrap();
        }
        state.0 -= 1;
    }

    fn open(&self, times: usize) {
        self.state.lock().unwrap().0 = times;
        self.moved.notify_all();
    }

    /// Waits until so many transactions have come to the gate.
    fn until(&self, come: usize) {
        let mut state = self.state.lock().unwrap();
        while state.1 < come {
            state = self.moved.wait(state).unwrap();
        }
    }
}

fn gated(options: Options) -> (Arc<Gate>, Ledger) {
    let gate = Arc::new(Gate::default());
    let guard = Arc::clone(&gate);
    let transact = Box::new(move |store: &MemoryStore, scope: &Scope, work: &mut dyn FnMut(&mut Books)| {
        guard.pass();
        store.transact(0, scope, work)
    });
    (gate, ledger(options, transact))
}

#[test]
fn a_future_is_dropped_at_each_poll() {
    for polls in 0..6 {
        let (gate, ledger) = gated(Options::default());
        {
            let mut future = pin!(pay(&ledger, 1).into_future());
            for _ in 0..polls {
                let waker = Waker::noop();
                assert!(future.as_mut().poll(&mut Context::from_waker(waker)).is_pending());
            }
        }
        gate.open(usize::MAX);
        // Whatever was sent before is done before this one.
        pay(&ledger, 1).wait().unwrap();
        let sent = u64::from(polls > 0);
        assert_eq!(payments(&ledger, 1), 1 + sent, "dropped after {polls} polls");
    }
}

#[test]
fn a_future_is_dropped_while_the_commit_runs_and_after() {
    let (gate, ledger) = gated(Options::default());
    let bell = bell();
    let waker = Waker::from(Arc::clone(&bell));
    let mut running = Box::pin(pay(&ledger, 1).into_future());
    assert!(running.as_mut().poll(&mut Context::from_waker(Waker::noop())).is_pending());
    gate.until(1);
    drop(running);
    let mut done = Box::pin(pay(&ledger, 1).into_future());
    assert!(done.as_mut().poll(&mut Context::from_waker(&waker)).is_pending());
    gate.open(usize::MAX);
    while bell.rung.load(Ordering::SeqCst) == 0 {
        std::thread::park();
    }
    drop(done);
    assert_eq!(payments(&ledger, 1), 2);
    // Polled once more than needed, a future says that there is nothing to come; it does not panic.
    let mut future = pin!(pay(&ledger, 1).into_future());
    while future.as_mut().poll(&mut Context::from_waker(Waker::noop())).is_pending() {
        std::thread::yield_now();
    }
    assert!(matches!(future.as_mut().poll(&mut Context::from_waker(Waker::noop())), Poll::Ready(Err(Error::Closed))));
    assert_eq!(payments(&ledger, 1), 3);
}

#[test]
fn a_full_queue_is_told_or_waited_for() {
    let (gate, ledger) = gated(Options { queue: 2, batch: 1, ..Options::default() });
    let taken = pay(&ledger, 1).send();
    gate.until(1);
    let queued = [pay(&ledger, 1).send(), pay(&ledger, 2).send()];
    for n in [1, 2] {
        let refused = pay(&ledger, n).try_send().err().unwrap();
        assert_eq!((refused.code(), refused.is_transient()), ("overloaded", true));
    }
    // A future waits for room without a thread; dropped meanwhile, it was never sent.
    let bell = bell();
    let waker = Waker::from(Arc::clone(&bell));
    let mut waiting = Box::pin(pay(&ledger, 1).into_future());
    let mut dropped = Box::pin(pay(&ledger, 1).into_future());
    for future in [&mut waiting, &mut dropped] {
        assert!(future.as_mut().poll(&mut Context::from_waker(&waker)).is_pending());
    }
    drop(dropped);
    std::thread::scope(|scope| {
        let blocked = scope.spawn(|| pay(&ledger, 2).wait());
        assert_eq!(bell.rung.load(Ordering::SeqCst), 0);
        gate.open(usize::MAX);
        taken.wait().unwrap();
        queued.into_iter().for_each(|pending| _ = pending.wait().unwrap());
        block_on(Pin::new(&mut waiting)).unwrap();
        assert!(bell.rung.load(Ordering::SeqCst) > 0, "nobody told the waiting future");
        blocked.join().unwrap().unwrap();
    });
    assert_eq!((payments(&ledger, 1), payments(&ledger, 2)), (3, 2));
    pay(&ledger, 1).try_send().ok().unwrap().wait().unwrap();
}

#[test]
fn a_ledger_that_is_dropped_finishes_what_was_sent() {
    let (gate, ledger) = gated(Options::default());
    let sent: Vec<_> = (0..10).map(|_| pay(&ledger, 1).send()).collect();
    gate.open(usize::MAX);
    drop(ledger);
    let seqs: Vec<_> = sent.into_iter().map(|pending| pending.wait().unwrap().entry.seq).collect();
    assert_eq!(seqs, (2..12).collect::<Vec<_>>());
}

#[test]
fn a_store_that_panics_costs_only_its_own_callers() {
    let calls = Arc::new(AtomicUsize::new(0));
    let count = Arc::clone(&calls);
    let transact = Box::new(move |store: &MemoryStore, scope: &Scope, work: &mut dyn FnMut(&mut Books)| {
        // In turn: before the work, after it, not at all; and never for merchant 2 alone.
        let sick = scope.books.contains_key(&merchant(1));
        let turn = count.fetch_add(1, Ordering::SeqCst) % 3;
        assert!(!(sick && turn == 0), "before the work");
        store.transact(0, scope, &mut |books| {
            work(books);
            assert!(!(sick && turn == 1), "within the transaction");
        })
    });
    let ledger = ledger(Options::default(), transact);
    let (mut done, mut failed) = (0, 0);
    for _ in 0..20 {
        let sent: Vec<_> = [1, 2, 1, 2].into_iter().map(|n| (n, pay(&ledger, n).send())).collect();
        for (n, pending) in sent {
            match pending.wait() {
                Ok(_) if n == 1 => done += 1,
                Ok(_) => {}
                Err(Error::Internal(what)) if n == 1 => {
                    assert!(what == "before the work" || what == "within the transaction", "{what}");
                    failed += 1;
                }
                Err(fault) => panic!("merchant {n}: {fault}"),
            }
        }
    }
    assert!(failed > 0, "the store never panicked");
    assert_eq!(done + failed, 40);
    assert_eq!((payments(&ledger, 1), payments(&ledger, 2)), (done, 40));
}

#[test]
fn a_store_that_panics_on_reads_is_an_error() {
    let sick = Arc::new(AtomicUsize::new(0));
    let count = Arc::clone(&sick);
    let read = Box::new(move || {
        let left = count.load(Ordering::SeqCst);
        assert!(left == 0, "a read in trouble");
        Ok(())
    });
    let calm =
        Box::new(|store: &MemoryStore, scope: &Scope, work: &mut dyn FnMut(&mut Books)| store.transact(0, scope, work));
    let ledger = ledger_with_reads(Options { readers: 2, ..Options::default() }, calm, read);
    sick.store(1, Ordering::SeqCst);
    let fault = Err(Error::Internal("a read in trouble".to_owned()));
    assert_eq!(ledger.deposit(merchant(1), deposit()).wait(), fault);
    // More of them than there are threads to read.
    for _ in 0..5 {
        assert_eq!(block_on(ledger.deposit(merchant(1), deposit())), fault);
    }
    pay(&ledger, 1).wait().unwrap();
    sick.store(0, Ordering::SeqCst);
    assert!(block_on(ledger.deposit(merchant(1), deposit())).unwrap().is_some());
    assert_eq!(payments(&ledger, 1), 1);
}

/// What becomes of one attempt to commit.
#[derive(Clone, Copy)]
enum Fate {
    Done,
    /// Committed, but the answer is lost.
    Lost,
    /// Not committed, and nobody knows.
    Undone,
    /// The store cannot be reached at all.
    Away,
}

fn fated(fates: Vec<Fate>, options: Options) -> (Arc<AtomicUsize>, Ledger) {
    let turn = Arc::new(AtomicUsize::new(0));
    let count = Arc::clone(&turn);
    let transact = Box::new(move |store: &MemoryStore, scope: &Scope, work: &mut dyn FnMut(&mut Books)| {
        let fate = fates[count.fetch_add(1, Ordering::SeqCst) % fates.len()];
        let unknown = || Err(StoreError::Unknown("the line is dead".to_owned()));
        match fate {
            Fate::Done => store.transact(0, scope, work),
            Fate::Lost => store.transact(0, scope, work).and_then(|()| unknown()),
            Fate::Undone => store.transact(0, scope, &mut |books| work(&mut books.clone())).and_then(|()| unknown()),
            Fate::Away => Err(StoreError::Unavailable("nobody there".to_owned())),
        }
    });
    (turn, ledger(options, transact))
}

/// Every order of three fates before one that is known: each payment is there exactly once, with and without a key.
#[test]
fn an_unknown_commit_is_resolved_exactly_once() {
    let all = [Fate::Done, Fate::Lost, Fate::Undone, Fate::Away];
    for plan in 0..64 {
        let fates = vec![all[plan % 4], all[plan / 4 % 4], all[plan / 16], Fate::Done];
        let (turns, ledger) = fated(fates, Options { retries: 20, ..Options::default() });
        std::thread::scope(|scope| {
            for thread in 0..4_usize {
                let ledger = &ledger;
                scope.spawn(move || {
                    for round in 0..10 {
                        let call = pay(ledger, 1 + (thread % 2) as u128);
                        let call = if round % 2 == 0 { call.key(format!("{thread} {round}")) } else { call };
                        assert!(!call.wait().unwrap().replayed, "plan {plan}");
                    }
                });
            }
        });
        assert_eq!((payments(&ledger, 1), payments(&ledger, 2)), (20, 20), "plan {plan}");
        assert!(turns.load(Ordering::SeqCst) > 0);
    }
}

/// Where the store never tells, the caller is told so; the same key afterwards gives one payment, whatever happened.
#[test]
fn what_stays_unknown_is_said_and_the_key_resolves_it() {
    for first in [Fate::Lost, Fate::Undone] {
        let fates = vec![first, Fate::Away, Fate::Away, Fate::Away, Fate::Done, Fate::Done, Fate::Done];
        let (_, ledger) = fated(fates, Options { retries: 3, ..Options::default() });
        let fault = pay(&ledger, 1).key("k").wait().unwrap_err();
        assert_eq!((fault.code(), fault.is_transient()), ("store_outcome_unknown", true));
        let again = pay(&ledger, 1).key("k").wait().unwrap();
        assert_eq!(again.replayed, matches!(first, Fate::Lost));
        assert!(pay(&ledger, 1).key("k").wait().unwrap().replayed);
        assert_eq!(payments(&ledger, 1), 1);
    }
}

#[test]
fn a_store_that_stays_away_is_said_and_nothing_is_lost() {
    let (turns, ledger) =
        fated(vec![Fate::Away, Fate::Away, Fate::Away, Fate::Done], Options { retries: 2, ..Options::default() });
    let fault = pay(&ledger, 1).wait().unwrap_err();
    assert_eq!((fault.code(), fault.is_transient()), ("store_unavailable", true));
    assert_eq!(turns.load(Ordering::SeqCst), 3);
    pay(&ledger, 1).wait().unwrap();
    assert_eq!(payments(&ledger, 1), 1);
}
