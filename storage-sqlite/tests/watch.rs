//! Two processes on one file: one watches and follows while the other commits. The other one is this test binary again.

#![allow(clippy::unwrap_used, clippy::panic, missing_docs)]

use std::io::{BufRead, BufReader, Write};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use leadledger::{DepositId, Event, Ledger, MerchantId, OpenDeposit, TopUpDeposit};
use leadledger_sqlite::SqliteStore;
use uuid::Uuid;

const MERCHANT: MerchantId = MerchantId(Uuid::from_u128(1));
const DEPOSIT: DepositId = DepositId(Uuid::from_u128(2));

/// How many payments the other process makes.
const PAYMENTS: u64 = 20;

fn open(path: &Path) -> Ledger {
    Ledger::open(SqliteStore::open(path).unwrap()).unwrap()
}

/// What the other process does: for each line that it reads a payment, after which it tells the entry's number.
fn pay(path: &Path) {
    let ledger = open(path);
    for line in std::io::stdin().lines() {
        let amount = line.unwrap().parse().unwrap();
        let done = ledger.top_up(TopUpDeposit::new(MERCHANT, DEPOSIT, amount)).wait().unwrap();
        let told = format!("paid {}\n", done.entry.seq);
        std::io::stdout().lock().write_all(told.as_bytes()).unwrap();
    }
}

fn spawn(path: &Path) -> Child {
    Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "one_watches_what_another_commits", "--nocapture", "--test-threads=1"])
        .env("LEADLEDGER_WATCH_FILE", path)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap()
}

#[test]
fn one_watches_what_another_commits() {
    if let Some(path) = std::env::var_os("LEADLEDGER_WATCH_FILE") {
        return pay(Path::new(&path));
    }
    let home = tempfile::tempdir().unwrap();
    let path = home.path().join("ledger.db");
    let ledger = open(&path);
    let mut opened = OpenDeposit::new(MERCHANT, "5000.00".parse().unwrap());
    opened.deposit = Some(DEPOSIT);
    ledger.open_deposit(opened).wait().unwrap();
    let mut watch = ledger.watch(MERCHANT).wait().unwrap();
    let follower = ledger.subscribe("follower").wait().unwrap();
    assert_eq!(follower.next(10).wait().unwrap().len(), 2);
    follower.ack().wait().unwrap();

    let mut other = spawn(&path);
    let mut orders = other.stdin.take().unwrap();
    // The test harness prints its own lines beside, perhaps before ours on the same one.
    let mut told = BufReader::new(other.stdout.take().unwrap()).lines().filter_map(|line| {
        let line = line.unwrap();
        line.split_once("paid ").map(|(_, seq)| seq.parse::<u64>().unwrap())
    });
    let (mut longest, mut followed) = (Duration::ZERO, Vec::new());
    for seq in 2..=PAYMENTS + 1 {
        writeln!(orders, "100.0{}", seq % 10).unwrap();
        assert_eq!(told.next(), Some(seq));
        let committed = Instant::now();
        let events = watch.next(Duration::from_mins(1)).unwrap().unwrap();
        longest = longest.max(committed.elapsed());
        let found: Vec<_> = events.iter().map(|event| (event.seq, event.name())).collect();
        assert_eq!(found, [(seq, "payment_received")]);
        assert_eq!(events[0].to_json()["amount"], format!("100.0{}", seq % 10));
        if seq % 3 == 0 {
            followed.extend(follower.next(100).wait().unwrap().iter().map(|event: &Event| event.seq));
            follower.ack().wait().unwrap();
        }
    }
    drop(orders);
    assert!(other.wait().unwrap().success());
    followed.extend(follower.next(100).wait().unwrap().iter().map(|event| event.seq));
    assert_eq!(followed, (2..=PAYMENTS + 1).collect::<Vec<_>>());
    ledger.check(MERCHANT).wait().unwrap();
    println!("watch: {PAYMENTS} commits of another process, told after {longest:?} at the longest");
}
