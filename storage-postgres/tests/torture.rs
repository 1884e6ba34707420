//! Connections and servers that die under load, and processes that get into each other's way. Every command that was
//! acknowledged is there once, none is there twice, and all books check.
//!
//! A few cycles by default; with `LEADLEDGER_TORTURE_MINUTES` (`cargo xtask torture postgres --minutes N`) each test goes
//! on for its part of that time. A second process is this test binary again.

#![allow(clippy::unwrap_used, missing_docs)]

mod common;
#[path = "common/load.rs"]
mod load;

use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use common::{Schema, direct, pooled};
use leadledger::{Ledger, MerchantId, Options, SystemClock};
use leadledger_postgres::{Migration, PostgresOptions, PostgresStore};
use leadledger_testbed::{Cluster, Stop, server};
use load::{Caller, Dice, Follower, Step, Told, Watch, merchants, prepare};

/// How many tests share the time.
const TESTS: f64 = 5.0;

fn seed() -> u64 {
    std::env::var("LEADLEDGER_SEED").map_or_else(|_| u64::from(std::process::id()), |seed| seed.parse().unwrap())
}

/// Runs the cycle so often, or as long as this test has time. Gives how often it ran.
fn cycles(least: u64, mut cycle: impl FnMut(u64)) -> u64 {
    let minutes = std::env::var("LEADLEDGER_TORTURE_MINUTES").map(|minutes| minutes.parse::<f64>().unwrap());
    let time = Duration::from_secs_f64(minutes.unwrap_or_default() * 60.0 / TESTS);
    let start = Instant::now();
    let mut number = 0;
    while number < least || start.elapsed() < time {
        cycle(number);
        number += 1;
    }
    number
}

/// Two ledgers as two processes would have them: one tries again by itself, the other leaves that to its callers.
fn ledgers(url: &str, options: &PostgresOptions) -> [Ledger; 2] {
    [0, 8].map(|retries| {
        let store = PostgresStore::open_with(url, options.clone()).unwrap();
        Ledger::with(store, SystemClock, Options { retries, ..Options::default() }).unwrap()
    })
}

/// The callers of one cycle and their books, apart from every other cycle's.
fn cast(cycle: u64, callers: u64, books: u64) -> (Vec<Caller>, Vec<MerchantId>) {
    let callers = Caller::all(cycle * callers..(cycle + 1) * callers).collect();
    (callers, merchants(cycle * books..(cycle + 1) * books))
}

/// All callers work, on either ledger, while `meanwhile` runs; it is told when they are done.
fn work(
    told: &Told,
    ledgers: &[Ledger; 2],
    callers: &[Caller],
    books: &[MerchantId],
    rounds: u64,
    meanwhile: impl FnOnce(&AtomicBool) + Send,
) {
    let done = AtomicBool::new(false);
    std::thread::scope(|scope| {
        let busy = scope.spawn(|| meanwhile(&done));
        let (callers, last): (Vec<_>, usize) = (callers.to_vec(), callers.len());
        let threads: Vec<_> = (0..last)
            .map(|n| (callers[n], &ledgers[n % 2]))
            .map(|(caller, ledger)| scope.spawn(move || told.drive(caller, ledger, books, 0..rounds)))
            .collect();
        let outcomes: Vec<_> = threads.into_iter().map(std::thread::ScopedJoinHandle::join).collect();
        done.store(true, Ordering::SeqCst);
        outcomes.into_iter().for_each(|outcome| outcome.unwrap());
        busy.join().unwrap();
    });
}

/// Waits until so many more commands are acknowledged, or none will be; says which.
fn goes_on(told: &Told, more: u64, done: &AtomicBool) -> bool {
    let before = told.count();
    while told.count() < before + more {
        if done.load(Ordering::SeqCst) {
            return false;
        }
        std::thread::sleep(Duration::from_millis(1));
    }
    true
}

fn line(told: &Told) -> String {
    format!(
        "{} acknowledged, {} sent again by their keys, {} undone and not there, {} unknown",
        told.count(),
        told.retried.load(Ordering::SeqCst),
        told.undone.lock().unwrap().len(),
        told.unknown.load(Ordering::SeqCst),
    )
}

fn terminated(way: &str, url: &str) {
    const CALLERS: u64 = 32;
    const BOOKS: u64 = 5;
    let schema = Schema::new();
    let (url, watch) = Watch::over(url);
    let calm = schema.ledger();
    let reader = schema.store();
    let ledgers = ledgers(&url, &schema.options());
    let seed = seed();
    let (told, mut dice) = (Told::default(), Dice(seed));
    let mut feed = Follower::default();
    let (mut terminated, mut there, mut all) = (0, 0, Vec::new());
    let cycles = cycles(2, |cycle| {
        let (callers, books) = cast(cycle, CALLERS, BOOKS);
        prepare(&calm, &books);
        work(&told, &ledgers, &callers, &books, 18, |done| {
            while goes_on(&told, dice.roll(16), done) {
                terminated += u64::from(watch.terminate_one());
                feed.read(&reader);
            }
        });
        watch.settled();
        there += told.audit(&calm, &books);
        all.extend(books);
        feed.catch_up(&reader, &all);
    });
    println!(
        "backends {way}: seed {seed}, {cycles} cycles, {terminated} terminated; {}; {there} there, each once",
        line(&told)
    );
    assert!(terminated > 20, "{terminated}");
    assert_eq!(feed.entries, there);
}

#[test]
fn terminated_backends() {
    terminated("direct", direct());
}

#[test]
fn terminated_backends_behind_a_pooler() {
    terminated("behind a pooler", pooled());
}

/// A way to end a server.
type End = (&'static str, fn(&mut Cluster));

fn dying_server((name, end): End) {
    const CALLERS: u64 = 24;
    const BOOKS: u64 = 4;
    let seed = seed();
    let home = tempfile::tempdir().unwrap();
    let mut cluster = Cluster::start(home.path()).unwrap();
    PostgresStore::migrate(&cluster.url(), &Migration::default()).unwrap();
    let options = PostgresOptions { lanes: 2, ..PostgresOptions::default() };
    let ledgers = ledgers(&cluster.url(), &options);
    let calm = Ledger::open(PostgresStore::open_with(&cluster.url(), options.clone()).unwrap()).unwrap();
    let reader = PostgresStore::open_with(&cluster.url(), options).unwrap();
    let (told, mut dice) = (Told::default(), Dice(seed));
    let mut feed = Follower::default();
    let (mut acknowledged_before, mut there, mut all) = (0, 0, Vec::new());
    let mut last_books: Vec<MerchantId> = Vec::new();
    let cycles = cycles(3, |cycle| {
        let (callers, books) = cast(cycle, CALLERS, BOOKS);
        prepare(&calm, &books);
        work(&told, &ledgers, &callers, &books, 18, |done| {
            goes_on(&told, dice.roll(150), done);
            // Somewhere within the next commits.
            for _ in 0..dice.roll(300_000) {
                std::hint::spin_loop();
            }
            acknowledged_before += u64::from(!done.load(Ordering::SeqCst));
            end(&mut cluster);
            cluster.restart().unwrap();
        });
        there += told.audit(&calm, &books);
        // What was there before the crash is there still.
        told.audit(&calm, &last_books);
        last_books.clone_from(&books);
        all.extend(books);
        feed.catch_up(&reader, &all);
    });
    assert_eq!(told.audit(&calm, &all), there);
    println!(
        "{name}: seed {seed}, {cycles} cycles, {acknowledged_before} under load; {}; {there} there, each once",
        line(&told)
    );
    assert!(acknowledged_before > 0);
    assert_eq!(feed.entries, there);
}

#[test]
fn immediate_shutdown() {
    dying_server(("immediate shutdown", |cluster| cluster.stop(Stop::Immediate).unwrap()));
}

#[test]
fn killed_server() {
    dying_server(("kill -9", |cluster| cluster.kill().unwrap()));
}

const CALLERS: u64 = 64;

/// What a process does: it makes the books, as the other one does at the same time, and then works on them.
fn child(url: &str, part: &str) {
    let numbers: Vec<u64> = part.split(':').map(|number| number.parse().unwrap()).collect();
    let [process, first, books, rounds] = numbers[..] else { unreachable!("{part}") };
    let schema = std::env::var("LEADLEDGER_CHILD_SCHEMA").unwrap();
    let store = PostgresStore::open_with(url, PostgresOptions { schema, ..PostgresOptions::default() }).unwrap();
    let ledger = Ledger::open(store).unwrap();
    let books = merchants(first..first + books);
    let steps = books.iter().flat_map(|who| [Step::open(*who).keyed(), Step::register(*who).keyed()]);
    let sent: Vec<_> = steps.map(|step| step.send(&ledger)).collect();
    sent.into_iter().for_each(|pending| _ = pending.wait().unwrap());
    let told = Told::default();
    let callers = (first * 2 + process) * CALLERS;
    std::thread::scope(|scope| {
        for caller in Caller::all(callers..callers + CALLERS) {
            let (told, ledger, books) = (&told, &ledger, &books);
            scope.spawn(move || told.drive(caller, ledger, books, 0..rounds));
        }
    });
    for (mark, seq) in told.acknowledged.lock().unwrap().iter() {
        println!("done {seq} {mark}");
    }
}

fn spawn(url: &str, schema: &Schema, part: String) -> Child {
    Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "two_processes", "--nocapture", "--test-threads=1"])
        .env("LEADLEDGER_CHILD_URL", url)
        .env("LEADLEDGER_CHILD_SCHEMA", &schema.name)
        .env("LEADLEDGER_CHILD_PART", part)
        .stdout(Stdio::piped())
        .spawn()
        .unwrap()
}

#[test]
fn two_processes() {
    if let Ok(url) = std::env::var("LEADLEDGER_CHILD_URL") {
        return child(&url, &std::env::var("LEADLEDGER_CHILD_PART").unwrap());
    }
    // How many books, and how often each caller sends a command.
    const SHAPES: [(&str, u64, u64); 2] = [("one hot book", 1, 30), ("1000 books", 1_000, 30)];
    let schema = Schema::new();
    let (url, watch) = Watch::over(direct());
    let calm = schema.ledger();
    let reader = schema.store();
    let mut feed = Follower::default();
    let deadlocks = || -> u64 {
        let sql = "SELECT deadlocks FROM pg_stat_database WHERE datname = current_database()";
        watch.server.text(sql).parse().unwrap()
    };
    let log = || {
        let cluster = server().unwrap().cluster()?;
        let text = std::fs::read_to_string(cluster.log()).unwrap();
        Some(text.matches("deadlock detected").count())
    };
    let before = (deadlocks(), log());
    let (mut first, mut all, mut there) = (0, Vec::new(), 0);
    cycles(1, |_| {
        for (name, books, rounds) in SHAPES {
            let start = Instant::now();
            let children = [0, 1].map(|process| spawn(&url, &schema, format!("{process}:{first}:{books}:{rounds}")));
            let shape = Told::default();
            std::thread::scope(|scope| {
                let threads = children.map(|child| scope.spawn(move || child.wait_with_output().unwrap()));
                while !threads.iter().all(std::thread::ScopedJoinHandle::is_finished) {
                    feed.read(&reader);
                    std::thread::sleep(Duration::from_millis(5));
                }
                for output in threads.map(|thread| thread.join().unwrap()) {
                    assert!(output.status.success(), "{name}: {}", String::from_utf8_lossy(&output.stdout));
                    // The test harness prints its own lines beside, perhaps before ours on the same one.
                    for line in String::from_utf8(output.stdout).unwrap().lines() {
                        let Some((_, done)) = line.split_once("done ") else { continue };
                        let (seq, mark) = done.split_once(' ').unwrap();
                        shape.acknowledge(mark.to_owned(), seq.parse().unwrap());
                    }
                }
            });
            let worked = start.elapsed();
            let mine = merchants(first..first + books);
            let found = shape.audit(&calm, &mine);
            assert_eq!(shape.count(), 2 * CALLERS * rounds);
            assert_eq!(found, shape.count() + 2 * books);
            there += found;
            println!(
                "two processes x {CALLERS} callers on {name}: {} acknowledged in {worked:.1?}; {found} there, each once, and \
                 {books} books check, after {:.1?}",
                shape.count(),
                start.elapsed()
            );
            first += books;
            all.extend(mine);
        }
    });
    feed.catch_up(&reader, &all);
    assert_eq!(feed.entries, there);
    // What a connection counted is told at its end.
    load::eventually("the processes' connections end", || watch.count("true") == 0);
    let after = (deadlocks(), log());
    println!(
        "two processes: deadlocks {} (in the log: {:?})",
        after.0 - before.0,
        after.1.map(|n| n - before.1.unwrap_or(0))
    );
    assert_eq!(before, after, "deadlocks");
}
