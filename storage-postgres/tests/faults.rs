//! What breaks between a ledger and its server: cut connections, silence, panics, dropped futures, transactions that
//! are slow or collide. Each command that was acknowledged is there once, none is there twice, and the ledger goes on.

#![allow(clippy::unwrap_used, clippy::panic, missing_docs)]

mod common;
#[path = "common/load.rs"]
mod load;

use std::collections::BTreeMap;
use std::future::{Future, IntoFuture};
use std::net::{SocketAddr, ToSocketAddrs};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::Pin;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Barrier, mpsc};
use std::task::{Context, Wake, Waker};
use std::thread::Thread;
use std::time::{Duration, Instant};

use common::{Direct, Schema, direct, pooled};
use leadledger::{
    BookQuery, Error, JournalQuery, LeadQuery, Ledger, Needs, Options, Scope, Store, SystemClock, Timestamp,
};
use leadledger_postgres::{PostgresOptions, PostgresStore};
use leadledger_testbed::{Cut, Proxy, Side};
use load::{Follower, Hooked, Step, Told, Watch, eventually, id, merchants, prepare};

fn proxy_to(url: &str) -> Arc<Proxy> {
    let (_, place) = url.rsplit_once('@').unwrap();
    let place = place.split(['/', '?']).next().unwrap();
    let place = if place.contains(':') { place.to_owned() } else { format!("{place}:5432") };
    let upstream: SocketAddr = place.to_socket_addrs().unwrap().next().unwrap();
    Arc::new(Proxy::start(upstream).unwrap())
}

/// One lane, so that what is sent together comes into one batch.
fn one_lane(schema: &Schema) -> PostgresOptions {
    PostgresOptions { lanes: 1, ..schema.options() }
}

fn hooked(url: &str, options: PostgresOptions) -> Arc<Hooked> {
    Arc::new(Hooked::new(PostgresStore::open_with(url, options).unwrap()))
}

fn ledger_on(store: &Arc<Hooked>, retries: u32) -> Ledger {
    let options = Options { retries, ..Options::default() };
    Ledger::with_shared(Arc::<Hooked>::clone(store), Arc::new(SystemClock), options).unwrap()
}

/// A lead that is nowhere.
fn refused(step: u64) -> Step {
    Step::validate(id(999_999), step)
}

/// Sends the steps so that they come into one batch, behind a command that changes nothing; `begins` runs before the
/// batch does.
fn in_one_batch(
    store: &Hooked,
    ledger: &Ledger,
    steps: &[Step],
    begins: impl FnOnce() + Send + 'static,
) -> Vec<Result<u64, Error>> {
    let (come, reached) = mpsc::channel();
    let (open, gate) = mpsc::channel::<()>();
    store.before(move || {
        come.send(()).unwrap();
        gate.recv().unwrap();
    });
    store.before(begins);
    let plug = refused(1).send(ledger);
    reached.recv().unwrap();
    let sent: Vec<_> = steps.iter().map(|step| step.send(ledger)).collect();
    open.send(()).unwrap();
    assert_eq!(plug.wait().unwrap_err().code(), "lead_not_found");
    sent.into_iter().map(|pending| pending.wait().map(|done| done.entry.seq)).collect()
}

#[test]
fn round_trips() {
    let schema = Schema::new();
    let proxy = proxy_to(direct());
    let books = merchants(0..4);
    let elsewhere = schema.ledger();
    prepare(&elsewhere, &books);
    let store = hooked(&proxy.url(&schema.url).unwrap(), one_lane(&schema));
    let ledger = ledger_on(&store, 8);
    let one = |step: Step| {
        let before = proxy.round_trips();
        step.send(&ledger).wait().unwrap();
        proxy.round_trips() - before
    };
    let mut told: Vec<(&str, u64, u64)> = vec![
        ("a cold batch", 2, one(Step::pay(books[0], 1))),
        ("a warm one", 2, one(Step::create(books[0], 2))),
        ("with a key", 2, one(Step::validate(books[0], 2).keyed())),
        ("a new book", 2, one(Step::open(id(100)))),
    ];
    for steps in [1, 2].map(|n| books.iter().map(|who| Step::pay(*who, n * 10).keyed()).collect::<Vec<_>>()) {
        let (tell, begun) = mpsc::channel();
        let meter = Arc::clone(&proxy);
        let done = in_one_batch(&store, &ledger, &steps, move || tell.send(meter.round_trips()).unwrap());
        assert!(done.iter().all(Result::is_ok), "{done:?}");
        told.push(("several books", 2, proxy.round_trips() - begun.recv().unwrap()));
    }
    Step::pay(books[0], 3).send(&elsewhere).wait().unwrap();
    told.push(("a book that another ledger moved on", 3, one(Step::pay(books[0], 4))));
    let before = proxy.round_trips();
    assert_eq!(refused(1).send(&ledger).wait().unwrap_err().code(), "lead_not_found");
    told.push(("a refused command", 2, proxy.round_trips() - before));

    let everything = Needs { everything: true, ..Needs::default() };
    let reads: [(&str, &dyn Fn()); 5] = [
        ("a book", &|| drop(store.book(books[0], &Needs::default()).unwrap())),
        ("a whole book", &|| drop(store.book(books[0], &everything).unwrap())),
        ("leads", &|| drop(store.leads(&LeadQuery::of(books[0])).unwrap())),
        ("all entries", &|| drop(store.journal(&JournalQuery::All { after: None }, 100).unwrap())),
        ("what is due", &|| drop(store.books(&BookQuery::Due(Timestamp::MIN), 10).unwrap())),
    ];
    // Connects.
    reads[0].1();
    for (what, read) in reads {
        let before = proxy.round_trips();
        read();
        told.push((what, 1, proxy.round_trips() - before));
    }
    let line: Vec<_> = told.iter().map(|(what, _, cost)| format!("{what} {cost}")).collect();
    println!("round trips: {}", line.join(", "));
    for (what, expected, cost) in told {
        assert_eq!(cost, expected, "{what}");
    }
}

/// What is cut: its name, what goes before it (here, or by another ledger), and the batch.
type Script = (&'static str, fn(u64) -> Vec<(bool, Step)>, fn(u64) -> Vec<Step>);

const HERE: bool = true;
const ELSEWHERE: bool = false;

const SCRIPTS: [Script; 7] = [
    ("a payment", |n| vec![(HERE, Step::pay(id(0), n))], |n| vec![Step::pay(id(0), n + 1)]),
    ("a lead, with a key", |n| vec![(HERE, Step::pay(id(0), n))], |n| vec![Step::create(id(0), n).keyed()]),
    (
        "a validation of a lead that another ledger took",
        |n| vec![(HERE, Step::pay(id(1), n)), (ELSEWHERE, Step::create(id(1), n))],
        |n| vec![Step::validate(id(1), n).keyed()],
    ),
    ("a rejection", |n| vec![(HERE, Step::create(id(2), n))], |n| vec![Step::reject(id(2), n)]),
    ("a new book, with a key", |n| vec![(HERE, Step::pay(id(0), n))], |n| vec![Step::open(id(1_000_000 + n)).keyed()]),
    (
        "three books",
        |n| vec![(HERE, Step::create(id(1), n))],
        |n| vec![Step::pay(id(0), n), Step::validate(id(1), n).keyed(), Step::open(id(1_000_000 + n))],
    ),
    ("a refused command", |n| vec![(HERE, Step::pay(id(0), n))], |n| vec![refused(n)]),
];

/// The connection is cut at every message of every batch: with retries the caller does not notice; without, it gets an
/// error that says whether the command can have been done.
fn cut_everywhere(way: &str, url: &str, sides: &[Side]) {
    let schema = Schema::reached_by(url);
    let proxy = proxy_to(url);
    let elsewhere = schema.ledger();
    prepare(&elsewhere, &merchants(0..3));
    let (url, watch) = Watch::over(&proxy.url(&schema.url).unwrap());
    let store = hooked(&url, one_lane(&schema));
    let (patient, impatient) = (ledger_on(&store, 8), ledger_on(&store, 0));
    let told = Told::default();
    let mut n = 0;
    let mut new_books = Vec::new();
    for (name, before, batch) in SCRIPTS {
        let (cuts, start) = (proxy.cuts(), Instant::now());
        let mut longest = 0;
        for side in sides.iter().copied() {
            for message in 1.. {
                n += 10;
                let tries = if message % 2 == 0 { &patient } else { &impatient };
                for (here, step) in before(n) {
                    let ledger = if here { &patient } else { &elsewhere };
                    let done = step.send(ledger).wait().unwrap();
                    told.acknowledge(step.mark, done.entry.seq);
                }
                let steps = batch(n);
                new_books.extend(steps.iter().map(|step| step.command.merchant()).filter(|who| *who >= id(1_000_000)));
                let cut = Cut::at(message, side);
                let outcomes = if let [step] = steps.as_slice() {
                    proxy.arm(cut);
                    vec![step.send(tries).wait().map(|done| done.entry.seq)]
                } else {
                    let armed = Arc::clone(&proxy);
                    in_one_batch(&store, tries, &steps, move || armed.arm(cut))
                };
                let was_cut = proxy.armed() == 0;
                proxy.disarm();
                watch.settled();
                for (step, outcome) in steps.into_iter().zip(outcomes) {
                    let place = format!("{name}: {} at {message} {side:?}", step.mark);
                    match outcome {
                        Ok(seq) => told.acknowledge(step.mark, seq),
                        Err(fault) if fault.code() == "lead_not_found" => assert_eq!(name, "a refused command"),
                        Err(fault) => {
                            assert!(was_cut && message % 2 == 1, "{place}: {fault}");
                            if step.key.is_some() {
                                let done = step.send(&patient).wait().unwrap();
                                told.acknowledge(step.mark, done.entry.seq);
                                told.retried.fetch_add(1, Ordering::SeqCst);
                            } else {
                                told.give_up(step.mark, &fault);
                            }
                        }
                    }
                }
                if !was_cut {
                    break;
                }
                longest = longest.max(message);
            }
        }
        let cuts = proxy.cuts() - cuts;
        println!("cuts {way}, {name}: {cuts} cuts, {longest} messages, {:.1?}", start.elapsed());
        assert!(cuts >= 10 * u64::try_from(sides.len()).unwrap());
    }
    let books: Vec<_> = merchants(0..3).into_iter().chain(new_books).collect();
    let there = told.audit(&elsewhere, &books);
    println!(
        "cuts {way}: {} in all; {} acknowledged, {} sent again by their keys, {} said to be undone and not there, {} unknown; \
         {there} there, each once; {} books check",
        proxy.cuts(),
        told.count(),
        told.retried.load(Ordering::SeqCst),
        told.undone.lock().unwrap().len(),
        told.unknown.load(Ordering::SeqCst),
        books.len(),
    );
}

#[test]
fn cuts() {
    cut_everywhere("direct", direct(), &[Side::Before, Side::After, Side::AfterBeforeAnswer, Side::MidAnswer(7)]);
}

#[test]
fn cuts_behind_a_pooler() {
    cut_everywhere("behind a pooler", pooled(), &[Side::Before, Side::AfterBeforeAnswer]);
}

/// Wakes the thread that polls.
struct Bell {
    thread: Thread,
    rung: AtomicUsize,
}

impl Wake for Bell {
    fn wake(self: Arc<Self>) {
        self.rung.fetch_add(1, Ordering::SeqCst);
        self.thread.unpark();
    }
}

/// Polls at most so often, each time when woken or at once again, and drops the future; says whether it was ready.
fn poll(future: Pin<Box<dyn Future<Output = ()> + '_>>, polls: usize, when_woken: bool) -> bool {
    let mut future = future;
    let bell = Arc::new(Bell { thread: std::thread::current(), rung: AtomicUsize::new(0) });
    let waker = Waker::from(Arc::clone(&bell));
    for _ in 0..polls {
        let rung = bell.rung.load(Ordering::SeqCst);
        if future.as_mut().poll(&mut Context::from_waker(&waker)).is_ready() {
            return true;
        }
        while when_woken && bell.rung.load(Ordering::SeqCst) == rung {
            std::thread::park();
        }
    }
    false
}

#[test]
fn futures_are_dropped() {
    const POLLS: usize = 4;
    let schema = Schema::new();
    let (url, watch) = Watch::over(&schema.url);
    let store = hooked(&url, schema.options());
    let ledger = ledger_on(&store, 8);
    let mut books = merchants(0..3);
    prepare(&ledger, &books);
    let (mut dropped, mut ready, mut sent, mut n) = (0, 0, 0, 0);
    for polls in 0..=POLLS {
        for when_woken in [false, true] {
            n += 10;
            let steps = [
                Step::pay(books[0], n),
                Step::pay(books[1], n).keyed(),
                Step::create(books[2], n).keyed(),
                Step::open(id(1_000 + n)).keyed(),
            ];
            books.push(id(1_000 + n));
            let who = books[0];
            let mut futures: Vec<Pin<Box<dyn Future<Output = ()>>>> = Vec::new();
            for step in steps {
                let call = ledger.submit(step.command);
                let call = if let Some(key) = step.key { call.key(key) } else { call };
                futures.push(Box::pin(async { _ = call.into_future().await.unwrap() }));
            }
            let commands = futures.len();
            futures.push(Box::pin(async { _ = ledger.book(who).into_future().await.unwrap() }));
            futures.push(Box::pin(async { _ = ledger.lead(who, id(n)).into_future().await.unwrap() }));
            futures.push(Box::pin(async { _ = ledger.leads(LeadQuery::of(who)).into_future().await.unwrap() }));
            futures.push(Box::pin(async { _ = ledger.check(who).into_future().await.unwrap() }));
            futures.push(Box::pin(async { _ = ledger.all_events(None, 1_000).into_future().await.unwrap() }));
            sent += if polls > 0 { commands } else { 0 };
            for future in futures {
                if poll(future, polls, when_woken) {
                    ready += 1;
                } else {
                    dropped += 1;
                }
            }
        }
    }
    // What was sent before is done before this.
    for who in &books {
        Step::validate(*who, 1).send(&ledger).wait().unwrap_err();
    }
    watch.settled();
    let there = Told::default().audit(&ledger, &books);
    assert_eq!(there, u64::try_from(6 + sent).unwrap());
    println!(
        "futures: {dropped} dropped, {ready} ready before; {sent} commands sent, all there once; {} books check",
        books.len()
    );
    assert!(dropped > 30 && ready > 10);
}

#[test]
fn a_panic_leaves_no_transaction() {
    let schema = Schema::new();
    let (url, watch) = Watch::over(&schema.url);
    let store = hooked(&url, one_lane(&schema));
    let ledger = ledger_on(&store, 8);
    let books = merchants(0..2);
    prepare(&ledger, &books);
    let needs = books.iter().map(|who| (*who, Needs::default()));
    let scope = Scope { now: ledger.now(), due_limit: 10, books: needs.collect() };
    let told = Told::default();
    const PANICS: u64 = 20;
    for n in 0..PANICS {
        if n % 2 == 0 {
            let panics = AssertUnwindSafe(|| store.transact(0, &scope, &mut |_| panic!("planned")));
            catch_unwind(panics).unwrap_err();
        } else {
            store.decided(|| panic!("planned"));
            let fault = Step::pay(books[0], n).send(&ledger).wait().unwrap_err();
            assert_eq!((fault.code(), fault.to_string().contains("planned")), ("internal", true));
        }
        watch.settled();
        assert_eq!(watch.count("state LIKE 'idle in transaction%'"), 0);
        schema.run("BEGIN; SELECT 1 FROM books FOR UPDATE NOWAIT; ROLLBACK");
        if n % 3 == 0 {
            let step = Step::pay(books[1], n);
            let done = step.send(&ledger).wait().unwrap();
            told.acknowledge(step.mark, done.entry.seq);
        }
    }
    let there = told.audit(&ledger, &books);
    assert_eq!(there, 4 + told.count());
    println!("panics: {PANICS}, no transaction and no lock left, {} commands after them", told.count());
}

/// Short ones, and how long a call may take at most.
fn impatient(schema: &Schema) -> (PostgresOptions, Duration) {
    let second = Duration::from_secs(1);
    let options = PostgresOptions {
        statement_timeout: second,
        lock_timeout: second,
        connect_timeout: second,
        reconnect_for: second,
        ..one_lane(schema)
    };
    // The store's own margin, a connection, and a busy machine.
    (options, second * 2 + Duration::from_secs(5) + second * 20)
}

#[test]
fn silence_ends_within_the_patience() {
    type Case = (&'static str, fn(&Arc<Proxy>, &Arc<Hooked>, u64) -> String);
    const CASES: [Case; 4] = [
        ("before a batch", |proxy, store, n| {
            let ledger = ledger_on(store, 0);
            let step = Step::pay(id(n), 2).keyed();
            proxy.hold();
            let first = step.send(&ledger).wait().unwrap_err();
            // There is no connection any more, nor a new one.
            let second = step.send(&ledger).wait().unwrap_err();
            proxy.release();
            let done = step.send(&ledger).wait().unwrap();
            format!("{} {} {}", first.code(), second.code(), done.replayed)
        }),
        ("before the commit", |proxy, store, n| {
            let ledger = ledger_on(store, 0);
            let step = Step::pay(id(n), 2).keyed();
            let hole = Arc::clone(proxy);
            store.decided(move || hole.hold());
            let first = step.send(&ledger).wait().unwrap_err();
            // What was swallowed reaches the server after all.
            proxy.release();
            step.send(&ledger_on(store, 8)).wait().unwrap();
            first.code().to_owned()
        }),
        ("before the commit, with retries", |proxy, store, n| {
            let ledger = ledger_on(store, 8);
            let hole = Arc::clone(proxy);
            store.decided(move || hole.hold());
            let connections = proxy.connections();
            let pending = Step::pay(id(n), 2).send(&ledger);
            eventually("another connection", || proxy.connections() > connections);
            proxy.release();
            pending.wait().unwrap();
            String::new()
        }),
        ("before a read", |proxy, store, n| {
            let ledger = ledger_on(store, 0);
            ledger.events(id(n), 0, 10).wait().unwrap();
            proxy.hold();
            let first = ledger.events(id(n), 0, 10).wait().unwrap_err();
            proxy.release();
            ledger.events(id(n), 0, 10).wait().unwrap();
            first.code().to_owned()
        }),
    ];
    const EXPECTED: [&str; 4] =
        ["store_unavailable store_unavailable false", "store_outcome_unknown", "", "store_unavailable"];
    let schema = Schema::new();
    let ledger = schema.ledger();
    let books = merchants(0..4);
    prepare(&ledger, &books);
    let (options, patience) = impatient(&schema);
    std::thread::scope(|scope| {
        for (n, ((name, case), expected)) in (0..).zip(CASES.into_iter().zip(EXPECTED)) {
            let (schema, options) = (&schema, options.clone());
            scope.spawn(move || {
                let proxy = proxy_to(direct());
                let (url, watch) = Watch::over(&proxy.url(&schema.url).unwrap());
                let store = hooked(&url, options);
                Step::pay(id(n), 1).send(&ledger_on(&store, 0)).wait().unwrap();
                let start = Instant::now();
                let told = case(&proxy, &store, n);
                let took = start.elapsed();
                println!("silence {name}: {told} after {took:.1?}");
                assert_eq!(told, expected, "{name}");
                assert!(took < patience, "{name} took {took:?}");
                watch.settled();
            });
        }
    });
    // The payment before the silence, and the one in it: once each.
    let there = Told::default().audit(&ledger, &books);
    assert_eq!(there, 4 * 2 + 4 * 2 - 1);
}

/// Holds a transaction of `steps` open, all decided and nothing written, while `meanwhile` runs.
fn held_open(store: &Arc<Hooked>, ledger: &Ledger, steps: &[Step], meanwhile: impl FnOnce(&mpsc::Receiver<()>)) {
    let (reached, told) = mpsc::channel();
    let (release, released) = mpsc::channel::<()>();
    // The command in front of the batch is decided first.
    store.decided(|| {});
    store.decided(move || {
        reached.send(()).unwrap();
        released.recv().unwrap();
    });
    std::thread::scope(|scope| {
        let batch = scope.spawn(|| in_one_batch(store, ledger, steps, || {}));
        meanwhile(&told);
        release.send(()).unwrap();
        assert!(batch.join().unwrap().iter().all(Result::is_ok));
    });
}

#[test]
fn the_feed_waits_for_slow_transactions() {
    let schema = Schema::new();
    let (url, watch) = Watch::over(&schema.url);
    let store = hooked(&url, one_lane(&schema));
    let slow = ledger_on(&store, 8);
    let others = [schema.ledger(), schema.ledger()];
    let books = merchants(0..6);
    prepare(&others[0], &books);
    let reader = schema.store();
    let mut feed = Follower::default();
    feed.catch_up(&reader, &books);
    let (mut waits, mut came, mut n) = (0, 0, 0);
    let mut commit = |who: usize, ledger: usize| {
        n += 1;
        Step::pay(books[who], 1_000 + n).send(&others[ledger]).wait().unwrap();
    };

    // A slow one on one book, on several, and the first one of a book while others go on.
    let cases: [&[Step]; 3] = [
        &[Step::pay(books[0], 1)],
        &[Step::pay(books[0], 2), Step::pay(books[3], 2), Step::pay(books[1], 2)],
        &[Step::pay(books[5], 3), Step::open(id(100))],
    ];
    for steps in cases {
        let busy: Vec<_> = steps.iter().map(|step| step.command.merchant()).collect();
        held_open(&store, &slow, steps, |reached| {
            reached.recv().unwrap();
            for round in 0..6 {
                for (who, book) in books.iter().enumerate() {
                    if !busy.contains(book) {
                        commit(who, round % 2);
                    }
                }
                assert_eq!(feed.read(&reader), 0, "what came after a transaction that is under way");
                waits += 1;
            }
        });
        let all: Vec<_> = books.iter().copied().chain([id(100)].into_iter().filter(|who| busy.contains(who))).collect();
        let before = feed.entries;
        feed.catch_up(&reader, &all);
        came += feed.entries - before;
    }

    // It has its number from the first book, and waits for the second; the third one moves on meanwhile.
    let blocker = Direct::connect(direct());
    let lock = format!(
        "BEGIN; SET LOCAL search_path = {}; SELECT 1 FROM books WHERE merchant_id = '{}' FOR UPDATE",
        schema.name, books[1]
    );
    blocker.batch(&lock).unwrap();
    let steps = [Step::pay(books[0], 4), Step::pay(books[1], 4), Step::pay(books[2], 4)];
    let before = feed.entries;
    held_open(&store, &slow, &steps, |reached| {
        watch.until("wait_event_type = 'Lock'", 1);
        commit(2, 0);
        commit(2, 1);
        assert_eq!(feed.read(&reader), 0);
        blocker.batch("COMMIT").unwrap();
        reached.recv().unwrap();
        commit(4, 0);
        assert_eq!(feed.read(&reader), 0);
        waits += 2;
    });
    let all: Vec<_> = books.iter().copied().chain([id(100)]).collect();
    feed.catch_up(&reader, &all);
    came += feed.entries - before;
    let place = |who: usize| {
        let sql = format!("SELECT max(position) FROM {}.journal WHERE merchant_id = '{}'", schema.name, books[who]);
        blocker.text(&sql).parse::<u64>().unwrap()
    };
    assert!(place(0) < place(2), "the third book's last entry has its transaction's number");
    assert_eq!(place(0), place(1));
    let there = Told::default().audit(&others[0], &all);
    assert_eq!(there, feed.entries);
    println!("feed: {waits} reads gave nothing while a transaction was under way; then {came} entries, each once");
}

#[test]
fn ledgers_work_on_the_same_books() {
    const ROUNDS: u64 = 30;
    let schema = Schema::new();
    let stores = [hooked(&schema.url, one_lane(&schema)), hooked(&schema.url, one_lane(&schema))];
    let ledgers = stores.each_ref().map(|store| ledger_on(store, 0));
    let told = Told::default();
    let mut books = merchants(0..2);
    prepare(&ledgers[0], &books);
    let send = |side: usize, step: Step| {
        let done = step.send(&ledgers[side]).wait().unwrap();
        told.acknowledge(step.mark, done.entry.seq);
    };
    // In turn: what each keeps is stale.
    for n in 0..ROUNDS {
        let side = usize::from(n % 2 == 0);
        send(side, Step::create(books[0], n));
        send(1 - side, if n % 3 == 0 { Step::reject(books[0], n) } else { Step::validate(books[0], n).keyed() });
        send(side, Step::pay(books[1], n));
    }
    // At once: both find no book, and one gives way.
    let mut replayed = 0;
    for n in 0..ROUNDS {
        let who = id(100 + n);
        books.push(who);
        let together = Arc::new(Barrier::new(2));
        for store in &stores {
            let together = Arc::clone(&together);
            store.decided(move || _ = together.wait());
        }
        let steps = match n % 3 {
            0 => [Step::open(who), Step::register(who)],
            1 => [Step::register(who), Step::open(who).keyed()],
            _ => [Step::open(who).keyed(), Step::open(who).keyed()],
        };
        let sent = [0, 1].map(|side| steps[side].send(&ledgers[side]));
        let done = sent.map(|pending| pending.wait().unwrap());
        assert_eq!(done.iter().filter(|done| done.replayed).count(), usize::from(n % 3 == 2));
        replayed += usize::from(n % 3 == 2);
        let firsts: BTreeMap<_, _> =
            steps.into_iter().zip(done).map(|(step, done)| (step.mark, done.entry.seq)).collect();
        firsts.into_iter().for_each(|(mark, seq)| told.acknowledge(mark, seq));
    }
    let there = told.audit(&ledgers[1], &books);
    assert_eq!(there, 4 + told.count());
    println!("two ledgers: {} commands in turn, {ROUNDS} new books at once ({replayed} by the same key)", ROUNDS * 3);
}
