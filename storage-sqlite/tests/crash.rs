//! The crash loop: a child process takes commands from several threads and tells each acknowledgement; the parent
//! kills it with SIGKILL at a random moment, opens the file, and looks for every command that was acknowledged.
//!
//! The child is this test binary again. A command that was never acknowledged may be there or not, but never half:
//! sending all keys of the last cycle again must apply exactly those that are missing.

#![cfg(unix)]
#![allow(clippy::unwrap_used, clippy::panic, missing_docs)]

use std::collections::{BTreeMap, BTreeSet};
use std::io::{BufRead, BufReader, Read, Write};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use leadledger::{
    CampaignId, CreateLead, DepositId, LeadId, Ledger, MerchantId, OpenDeposit, PartnerId, RegisterCampaign,
    TopUpDeposit, ValidateLead,
};
use leadledger_sqlite::SqliteStore;
use uuid::Uuid;

const CYCLES: u64 = 200;
const THREADS: u64 = 3;
const MERCHANTS: u64 = 2;
/// Commands that a thread of the child sends at most, before it waits for its end.
const ROUNDS: u64 = 4_000;

fn merchant(n: u64) -> MerchantId {
    MerchantId(Uuid::from_u128(u128::from(n % MERCHANTS) + 1))
}

fn deposit() -> DepositId {
    DepositId(Uuid::from_u128(1_001))
}

fn campaign() -> CampaignId {
    CampaignId(Uuid::from_u128(1_002))
}

/// The command of a key: a third each pays, creates a lead, and validates the one that was created before.
fn command(cycle: u64, thread: u64, round: u64) -> (MerchantId, String, leadledger::Command) {
    let who = merchant(thread + round / 3);
    let key = format!("{cycle}.{thread}.{round}");
    let lead = LeadId(Uuid::from_u128((u128::from(cycle + 1) << 64) | u128::from((thread << 32) | (round / 3))));
    let command = match round % 3 {
        0 => TopUpDeposit::new(who, deposit(), "100.00".parse().unwrap()).into(),
        1 => {
            let partner = PartnerId(Uuid::from_u128(1_003));
            let mut create = CreateLead::new(who, campaign(), partner, "600.00".parse().unwrap());
            create.lead = Some(lead);
            create.into()
        }
        _ => ValidateLead::new(who, lead).into(),
    };
    (who, key, command)
}

fn open(path: &Path) -> Ledger {
    Ledger::open(SqliteStore::open(path).unwrap()).unwrap()
}

/// What the child does until it is killed.
fn work(path: &Path, cycle: u64) {
    let ledger = open(path);
    println!("ready");
    std::thread::scope(|scope| {
        for thread in 0..THREADS {
            let ledger = &ledger;
            scope.spawn(move || {
                for round in 0..ROUNDS {
                    let (_, key, command) = command(cycle, thread, round);
                    let done = ledger.submit(command).key(key.clone()).wait().unwrap();
                    // One write for the whole line: the parent never reads a part of a key as a key.
                    let line = format!("done {key} {}\n", done.entry.seq);
                    let mut out = std::io::stdout().lock();
                    out.write_all(line.as_bytes()).and_then(|()| out.flush()).unwrap();
                }
            });
        }
    });
    // Killed from outside, never ended from inside.
    let _ = std::io::stdin().read(&mut [0]);
}

/// A small generator (SplitMix64), so that a run can be repeated from its seed.
struct Dice(u64);

impl Dice {
    fn roll(&mut self, sides: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (mixed ^ (mixed >> 31)) % sides
    }
}

/// Starts the child and kills it after so many acknowledgements; gives all that it told, by merchant.
fn kill_after(path: &Path, cycle: u64, acknowledgements: u64, spin: u64) -> BTreeMap<String, u64> {
    let mut child = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "nothing_acknowledged_is_lost", "--nocapture", "--test-threads=1"])
        .env("LEADLEDGER_CRASH_FILE", path)
        .env("LEADLEDGER_CRASH_CYCLE", cycle.to_string())
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut told = BTreeMap::new();
    let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
    let take = |line: &str, told: &mut BTreeMap<String, u64>| {
        // The test harness prints its own lines beside, perhaps before ours on the same one.
        let Some((_, said)) = line.split_once("done ") else { return };
        let (key, seq) = said.split_once(' ').unwrap();
        assert_eq!(told.insert(key.to_owned(), seq.parse().unwrap()), None, "{key} was acknowledged twice");
    };
    // None: at once after it opened the file, or even before.
    let mut ready = acknowledgements == 0;
    while !(ready && told.len() as u64 >= acknowledgements) {
        let line = lines.next().expect("the child ended by itself").unwrap();
        ready |= line.ends_with("ready");
        take(&line, &mut told);
    }
    // Somewhere within the next commit.
    for _ in 0..spin {
        std::hint::spin_loop();
    }
    child.kill().unwrap();
    child.wait().unwrap();
    for line in lines.map_while(Result::ok) {
        take(&line, &mut told);
    }
    told
}

#[test]
fn nothing_acknowledged_is_lost() {
    if let Some(path) = std::env::var_os("LEADLEDGER_CRASH_FILE") {
        let cycle = std::env::var("LEADLEDGER_CRASH_CYCLE").unwrap().parse().unwrap();
        return work(&PathBuf::from(path), cycle);
    }
    let seed =
        std::env::var("LEADLEDGER_SEED").map_or_else(|_| u64::from(std::process::id()), |seed| seed.parse().unwrap());
    println!("crash loop: seed {seed}");
    let mut dice = Dice(seed);
    let home = tempfile::tempdir().unwrap();
    let path = home.path().join("ledger.db");
    let ledger = open(&path);
    for n in 0..MERCHANTS {
        let mut command = OpenDeposit::new(merchant(n), "5000.00".parse().unwrap());
        command.deposit = Some(deposit());
        ledger.open_deposit(command).wait().unwrap();
        let mut command = RegisterCampaign::new(merchant(n));
        command.campaign = Some(campaign());
        ledger.register_campaign(command).wait().unwrap();
    }
    drop(ledger);
    let (mut acknowledged, mut unacknowledged) = (0, 0);
    let mut seen: BTreeMap<MerchantId, u64> = BTreeMap::new();
    for cycle in 0..CYCLES {
        let (count, spin) = (dice.roll(60), dice.roll(200_000));
        let told = kill_after(&path, cycle, count, spin);
        acknowledged += told.len();
        let ledger = open(&path);
        let mut found: BTreeSet<String> = BTreeSet::new();
        for n in 0..MERCHANTS {
            let who = merchant(n);
            ledger.check(who).wait().unwrap();
            let after = seen.entry(who).or_insert(2);
            for recorded in ledger.events(who, *after, usize::MAX).wait().unwrap() {
                *after = recorded.entry.seq;
                let key = recorded.entry.key.as_ref().unwrap().to_string();
                assert!(key.starts_with(&format!("{cycle}.")), "seed {seed}: {key} came in cycle {cycle}");
                if let Some(seq) = told.get(&key) {
                    assert_eq!(*seq, recorded.entry.seq, "seed {seed}: {key} moved");
                }
                assert!(found.insert(key.clone()), "seed {seed}: {key} is there twice");
            }
        }
        let lost: Vec<_> = told.keys().filter(|key| !found.contains(*key)).collect();
        assert!(lost.is_empty(), "seed {seed}, cycle {cycle}: acknowledged and lost: {lost:?}");
        unacknowledged += found.len() - told.len();
        // Each caller sends its last command again, as it would after a crash.
        for thread in 0..THREADS {
            let of = format!("{cycle}.{thread}.");
            let done = found.iter().filter(|key| key.starts_with(&of)).count() as u64;
            for round in done.saturating_sub(1)..=done {
                let (who, key, command) = command(cycle, thread, round);
                let outcome = ledger.submit(command).key(key).wait().unwrap();
                assert_eq!(outcome.replayed, round < done, "seed {seed}, cycle {cycle}, thread {thread}");
                seen.entry(who).and_modify(|seq| *seq = (*seq).max(outcome.entry.seq));
            }
        }
        if (cycle + 1) % 50 == 0 {
            let cycles = cycle + 1;
            println!("crash loop: {cycles} cycles, {acknowledged} acknowledged, {unacknowledged} found unacknowledged");
        }
    }
    assert!(acknowledged as u64 > CYCLES, "the child hardly worked: {acknowledged} acknowledgements");
}
