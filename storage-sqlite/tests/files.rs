//! Files in trouble: somebody else's, newer, read-only, damaged, on a full disk; and two writers on one file.
//!
//! Tests may run as root, which permission bits do not bind, so the read-only file is opened by a child process that
//! has given root up. The full disk is a real one: a tmpfs of two megabytes, mounted by a child process in a mount
//! namespace of its own (`unshare`), so that nothing is left behind. Where a machine allows neither, these tests fail;
//! they are not skipped.

#![cfg(target_os = "linux")]
#![allow(clippy::unwrap_used, clippy::panic, missing_docs)]

use std::os::unix::fs::PermissionsExt;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use leadledger::{
    CampaignId, CreateLead, DepositId, Error, LeadId, LeadStatus, Ledger, MerchantId, OpenDeposit, PartnerId,
    RegisterCampaign, StoreError, TopUpDeposit, ValidateLead,
};
use leadledger_sqlite::SqliteStore;
use rusqlite::Connection;
use uuid::Uuid;

fn merchant(n: u128) -> MerchantId {
    MerchantId(Uuid::from_u128(n))
}

fn deposit() -> DepositId {
    DepositId(Uuid::from_u128(1_001))
}

fn campaign() -> CampaignId {
    CampaignId(Uuid::from_u128(1_002))
}

fn open(path: &Path) -> Result<Ledger, Error> {
    Ledger::open(SqliteStore::open(path)?)
}

/// A ledger whose merchants have a campaign and 5000.00 each.
fn prepared(path: &Path, merchants: &[MerchantId]) -> Ledger {
    let ledger = open(path).unwrap();
    for who in merchants {
        let mut command = OpenDeposit::new(*who, "5000.00".parse().unwrap());
        command.deposit = Some(deposit());
        ledger.open_deposit(command).wait().unwrap();
        let mut command = RegisterCampaign::new(*who);
        command.campaign = Some(campaign());
        ledger.register_campaign(command).wait().unwrap();
    }
    ledger
}

fn pay(ledger: &Ledger, who: MerchantId) -> Result<u64, Error> {
    let command = TopUpDeposit::new(who, deposit(), "100.00".parse().unwrap());
    ledger.top_up(command).wait().map(|done| done.entry.seq)
}

fn create(ledger: &Ledger, who: MerchantId, lead: LeadId) -> Result<(), Error> {
    let partner = PartnerId(Uuid::from_u128(1_003));
    let mut create = CreateLead::new(who, campaign(), partner, "600.00".parse().unwrap());
    create.lead = Some(lead);
    ledger.create_lead(create).wait().map(|_| ())
}

/// A cycle: a lead is created and validated.
fn cycle(ledger: &Ledger, who: MerchantId, lead: LeadId) -> Result<(), Error> {
    create(ledger, who, lead)?;
    ledger.validate_lead(ValidateLead::new(who, lead)).wait()?;
    Ok(())
}

/// This test binary again, for one test that does something else when it is told where.
fn again(test: &str, program: &Path, told: &Path) -> Command {
    let mut command = Command::new(program);
    command.args(["--exact", test, "--nocapture", "--test-threads=1"]).env("LEADLEDGER_CHILD", told);
    command
}

fn told() -> Option<PathBuf> {
    std::env::var_os("LEADLEDGER_CHILD").map(PathBuf::from)
}

fn own_binary() -> PathBuf {
    std::env::current_exe().unwrap()
}

fn expect_success(mut command: Command) {
    let output = command.output().unwrap();
    let (out, errors) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    assert!(output.status.success() && out.contains("1 passed"), "the child failed:\n{out}\n{errors}");
}

#[test]
fn somebody_elses_file_is_refused_and_left_alone() {
    let home = tempfile::tempdir().unwrap();
    let file = |name: &str| home.path().join(name);
    let make = |name: &str, sql: &str| Connection::open(file(name)).unwrap().execute_batch(sql).unwrap();
    make("other.db", "CREATE TABLE songs (title TEXT); INSERT INTO songs VALUES ('Zina')");
    make("marked.db", "PRAGMA application_id = 252006674; CREATE TABLE features (id INTEGER)");
    make("marked-empty.db", "PRAGMA application_id = 252006674");
    make("versioned.db", "PRAGMA user_version = 2; CREATE TABLE journal (row INTEGER)");
    std::fs::write(file("text"), "Dear diary, ".repeat(1_000)).unwrap();
    std::fs::write(file("short"), "hello").unwrap();
    for name in ["other.db", "marked.db", "marked-empty.db", "versioned.db", "text", "short"] {
        let before = std::fs::read(file(name)).unwrap();
        let refused = SqliteStore::open(file(name)).unwrap_err();
        assert_eq!(refused.code(), "store_foreign", "{name}: {refused}");
        assert_eq!(std::fs::read(file(name)).unwrap(), before, "{name} was written to");
    }
    // An empty file is nobody's yet, and a folder is no file.
    std::fs::write(file("empty"), "").unwrap();
    prepared(&file("empty"), &[merchant(1)]);
    assert_eq!(SqliteStore::open(home.path()).unwrap_err().code(), "store_unavailable");
    assert_eq!(SqliteStore::open(file("no/such/folder")).unwrap_err().code(), "store_unavailable");
}

#[test]
fn a_newer_schema_is_refused_and_left_alone() {
    let home = tempfile::tempdir().unwrap();
    let file = home.path().join("ledger.db");
    drop(prepared(&file, &[merchant(1)]));
    let raw = Connection::open(&file).unwrap();
    let known: u32 = raw.pragma_query_value(None, "user_version", |row| row.get(0)).unwrap();
    raw.pragma_update(None, "user_version", known + 1).unwrap();
    drop(raw);
    let refused = SqliteStore::open(&file).unwrap_err();
    assert_eq!(refused, StoreError::Newer { found: known + 1, known });
    Connection::open(&file).unwrap().pragma_update(None, "user_version", known).unwrap();
    assert_eq!(pay(&open(&file).unwrap(), merchant(1)), Ok(3));
    Connection::open(&file).unwrap().pragma_update(None, "user_version", -1).unwrap();
    assert_eq!(SqliteStore::open(&file).unwrap_err().code(), "store_foreign");
}

#[test]
fn a_read_only_file_is_told() {
    if let Some(folder) = told() {
        assert_eq!(SqliteStore::open(folder.join("ledger.db")).unwrap_err().code(), "store_read_only");
        return;
    }
    let home = tempfile::tempdir().unwrap();
    let allow = |path: &Path, mode| std::fs::set_permissions(path, PermissionsExt::from_mode(mode)).unwrap();
    let (file, program) = (home.path().join("ledger.db"), home.path().join("program"));
    drop(prepared(&file, &[merchant(1)]));
    // Where the child may read it, wherever this binary lies.
    std::fs::copy(own_binary(), &program).unwrap();
    allow(&program, 0o755);
    allow(&file, 0o444);
    allow(home.path(), 0o555);
    let mut child = again("a_read_only_file_is_told", &program, home.path());
    let is_root = std::fs::metadata("/proc/self").map(|me| std::os::unix::fs::MetadataExt::uid(&me)).unwrap() == 0;
    if is_root {
        child.uid(65_534).gid(65_534);
    }
    expect_success(child);
    allow(home.path(), 0o755);
    allow(&file, 0o644);
    assert_eq!(pay(&open(&file).unwrap(), merchant(1)), Ok(3));
}

#[test]
fn a_full_disk_is_told_and_nothing_is_half_written() {
    if let Some(folder) = told() {
        return fill(&folder);
    }
    let home = tempfile::tempdir().unwrap();
    let mut child = Command::new("unshare");
    let script = "mount -t tmpfs -o size=2m tmpfs \"$LEADLEDGER_CHILD\" && exec \"$0\" \"$@\"";
    let inner = again("a_full_disk_is_told_and_nothing_is_half_written", &own_binary(), home.path());
    child.args(["--user", "--map-root-user", "--mount", "sh", "-c", script]);
    child.arg(inner.get_program()).args(inner.get_args()).env("LEADLEDGER_CHILD", home.path());
    expect_success(child);
}

/// On a disk of two megabytes: works until it is full, and goes on when there is room again.
fn fill(disk: &Path) {
    let file = disk.join("ledger.db");
    let stuffing = disk.join("stuffing");
    std::fs::write(&stuffing, vec![0; 400_000]).unwrap();
    let who = merchant(1);
    let ledger = prepared(&file, &[who]);
    let mut lead = 0;
    for round in 0..3 {
        let fault = loop {
            lead += 1;
            if let Err(fault) = cycle(&ledger, who, LeadId(Uuid::from_u128(10_000 + lead))) {
                break fault;
            }
            if lead % 20 == 0 {
                pay_for(&ledger, who);
            }
            assert!(lead < 20_000, "the disk does not fill up");
        };
        assert_eq!(fault.code(), "store_full", "{fault}");
        // Nothing of what failed is there, however often it is tried and whoever looks.
        let mut events = ledger.events(who, 0, usize::MAX).wait().unwrap().len();
        for _ in 0..3 {
            lead += 1;
            let unlucky = LeadId(Uuid::from_u128(10_000 + lead));
            // The smaller half of a cycle may still find room, and is then there.
            let created = create(&ledger, who, unlucky);
            assert!(
                ledger.validate_lead(ValidateLead::new(who, unlucky)).wait().is_err(),
                "the disk had room after all"
            );
            let there = ledger.lead(who, unlucky).wait().unwrap();
            assert_eq!(there.map(|view| view.lead.status), created.is_ok().then_some(LeadStatus::Pending));
            events += usize::from(created.is_ok());
        }
        assert_eq!(ledger.events(who, 0, usize::MAX).wait().unwrap().len(), events);
        ledger.check(who).wait().unwrap();
        // Room is made, a little less each time.
        let left = [200_000, 100_000, 0][round];
        std::fs::write(&stuffing, vec![0; left]).unwrap();
        let paid = pay(&ledger, who).unwrap();
        assert_eq!(paid, u64::try_from(events).unwrap() + 1);
    }
    drop(ledger);
    open(&file).unwrap().check(who).wait().unwrap();
}

fn pay_for(ledger: &Ledger, who: MerchantId) {
    let command = TopUpDeposit::new(who, deposit(), "2000.00".parse().unwrap());
    // The disk may fill up just here: the next cycle tells.
    let _ = ledger.top_up(command).wait();
}

/// Every page of the file is damaged in turn: whatever it holds, nobody is told a wrong balance as a checked one.
#[test]
fn a_damaged_file_is_told_by_name() {
    let home = tempfile::tempdir().unwrap();
    let file = home.path().join("ledger.db");
    let merchants: Vec<_> = (1..4).map(merchant).collect();
    let ledger = prepared(&file, &merchants);
    for n in 0..40 {
        for who in &merchants {
            cycle(&ledger, *who, LeadId(Uuid::from_u128(20_000 + n))).unwrap();
        }
    }
    let expected: Vec<_> = merchants.iter().map(|who| ledger.check(*who).wait().unwrap()).collect();
    drop(ledger);
    let whole = std::fs::read(&file).unwrap();
    assert!(!file.with_extension("db-wal").exists(), "the write-ahead log is still there");
    let page = 4_096;
    let (mut found, mut sound) = (0, 0);
    for place in 0..whole.len() / page {
        let mut damaged = whole.clone();
        // Cells grow from the end of a page.
        damaged[place * page + page / 2..place * page + page].iter_mut().for_each(|byte| *byte ^= 0x55);
        let copy = home.path().join(format!("damaged-{place}.db"));
        std::fs::write(&copy, damaged).unwrap();
        let ledger = match open(&copy) {
            Ok(ledger) => ledger,
            Err(fault) => {
                assert!(matches!(fault.code(), "store_corrupt" | "store_foreign"), "page {place}: {fault}");
                found += 1;
                continue;
            }
        };
        for (who, expected) in merchants.iter().zip(&expected) {
            match ledger.check(*who).wait() {
                Ok(report) => {
                    // What the check did not look at (an index, an older page) may be damaged; the book is not.
                    assert_eq!(&report, expected, "page {place}");
                    sound += 1;
                }
                Err(Error::CheckFailed { merchant, difference }) => {
                    assert_eq!((merchant, difference.is_empty()), (*who, false));
                    found += 1;
                }
                Err(fault) => {
                    assert_eq!(fault.code(), "store_corrupt", "page {place}: {fault}");
                    found += 1;
                }
            }
        }
    }
    assert!(found > 10 && sound > 10, "{found} books were found damaged, {sound} sound");
}

/// One merchant's rows lie on a page that cannot be read: its callers are told, the others go on.
#[test]
fn a_damaged_book_does_not_stop_the_others() {
    let home = tempfile::tempdir().unwrap();
    let file = home.path().join("ledger.db");
    let (sick, sound) = (merchant(1), merchant(2));
    drop(prepared(&file, &[sick, sound]));
    let raw = Connection::open(&file).unwrap();
    let book: i64 =
        raw.query_row("SELECT no FROM books WHERE merchant = ?", [sick.0.into_bytes()], |row| row.get(0)).unwrap();
    assert!(raw.execute("UPDATE deposits SET currency = 'XXX' WHERE book = ?", [book]).unwrap() > 0);
    drop(raw);
    let ledger = open(&file).unwrap();
    for round in 0..3 {
        assert_eq!(pay(&ledger, sick).unwrap_err().code(), "store_corrupt");
        assert_eq!(pay(&ledger, sound), Ok(3 + round));
    }
    assert_eq!(ledger.check(sick).wait().unwrap_err().code(), "store_corrupt");
    assert_eq!(ledger.check(sound).wait().unwrap().entries, 5);
}

#[test]
fn two_processes_lose_nothing_and_double_nothing() {
    let merchants = [merchant(1), merchant(2)];
    const CYCLES: u128 = 40;
    if let Some(place) = told() {
        let number: u128 = place.extension().unwrap().to_str().unwrap().parse().unwrap();
        // Two stores in each process, on the same books as the other process.
        let ledgers = [open(&place.with_extension("")).unwrap(), open(&place.with_extension("")).unwrap()];
        std::thread::scope(|scope| {
            for (thread, ledger) in (0_u128..).zip(&ledgers) {
                scope.spawn(move || {
                    for n in 0..CYCLES {
                        let lead = LeadId(Uuid::from_u128(30_000 + (number * 2 + thread) * 1_000 + n));
                        cycle(ledger, merchants[(n % 2) as usize], lead).unwrap();
                        // All four send the same payment.
                        let pay = TopUpDeposit::new(merchants[0], deposit(), "100.00".parse().unwrap());
                        ledger.top_up(pay).key(format!("pay {n}")).wait().unwrap();
                    }
                });
            }
        });
        return;
    }
    let home = tempfile::tempdir().unwrap();
    // Neither process finds the file there: both create it.
    let file = home.path().join("ledger");
    let ledger = prepared(&file, &merchants);
    let children: Vec<_> = (0..2)
        .map(|number| {
            let place = file.with_extension(number.to_string());
            let mut child = again("two_processes_lose_nothing_and_double_nothing", &own_binary(), &place);
            child.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap()
        })
        .collect();
    // And this process reads and checks meanwhile.
    for child in children {
        merchants.iter().for_each(|who| assert!(ledger.check(*who).wait().unwrap().entries >= 2));
        let output = child.wait_with_output().unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    }
    let entries = merchants.map(|who| ledger.check(who).wait().unwrap().entries);
    let cycles = u64::try_from(CYCLES).unwrap();
    assert_eq!(entries, [2 + 4 * cycles + cycles, 2 + 4 * cycles]);
    let balances = merchants.map(|who| ledger.deposit(who, deposit()).wait().unwrap().unwrap().balance);
    // 80 leads of 60.00 each, and 40 payments of 100.00.
    assert_eq!(balances.map(|balance| balance.to_string()), ["4200.00", "200.00"]);
}

#[test]
fn many_open_a_new_file_at_once() {
    for _ in 0..10 {
        let home = tempfile::tempdir().unwrap();
        let file = home.path().join("ledger.db");
        std::thread::scope(|scope| {
            for n in 0..6 {
                let file = &file;
                scope.spawn(move || drop(prepared(file, &[merchant(n)])));
            }
        });
        let ledger = open(&file).unwrap();
        (0..6).for_each(|n| assert_eq!(ledger.check(merchant(n)).wait().unwrap().entries, 2));
    }
}

#[test]
fn the_journal_is_append_only_and_the_views_add_up() {
    let home = tempfile::tempdir().unwrap();
    let file = home.path().join("ledger.db");
    let ledger = prepared(&file, &[merchant(1), merchant(2)]);
    cycle(&ledger, merchant(1), LeadId(Uuid::from_u128(40_000))).unwrap();
    let raw = Connection::open(&file).unwrap();
    for sql in [
        "UPDATE journal SET payload = payload",
        "UPDATE journal SET hash = hash WHERE row = 1",
        "DELETE FROM journal",
        "DELETE FROM journal WHERE row = (SELECT max(row) FROM journal)",
    ] {
        let refused = raw.execute(sql, []).unwrap_err().to_string();
        assert!(refused.contains("append-only"), "{sql}: {refused}");
    }
    let count = |sql: &str| raw.query_row(sql, [], |row| row.get::<_, i64>(0)).unwrap();
    assert_eq!(count("SELECT count(*) FROM entries_view"), 6);
    assert_eq!(count("SELECT count(*) FROM postings_view"), 7);
    assert_eq!(count("SELECT sum(amount) FROM postings_view"), 0);
    assert_eq!(
        count("SELECT count(*) FROM (SELECT 1 FROM postings_view GROUP BY merchant, seq HAVING sum(amount) <> 0)"),
        0
    );
    let spent = "SELECT sum(amount) FROM postings_view WHERE account LIKE 'deposit:%' AND amount > 0";
    assert_eq!(count(spent), 6_000);
    assert_eq!(count("SELECT sum(balance) FROM deposits_view"), 994_000);
    let lead = "SELECT status || ' ' || commission || ' ' || source FROM leads_view";
    assert_eq!(raw.query_row(lead, [], |row| row.get::<_, String>(0)).unwrap(), "validated 6000 other");
    let names = "SELECT name FROM sqlite_schema WHERE type = 'view'";
    let mut statement = raw.prepare(names).unwrap();
    let views: Vec<String> = statement.query_map([], |row| row.get(0)).unwrap().map(Result::unwrap).collect();
    assert!(views.len() >= 4);
    for view in views {
        assert!(count(&format!("SELECT count(*) FROM {view}")) > 0, "{view} is empty");
    }
}
