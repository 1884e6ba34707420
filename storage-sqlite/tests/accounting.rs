//! Tools that were written by others add the books up: hledger and beancount read what is exported of random histories,
//! and must come to the balances that the store has.

#![allow(clippy::unwrap_used, missing_docs)]

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::process::Command as Process;
use std::sync::Arc;

use leadledger::conformance::play;
use leadledger::{
    AccountingReport, Clock, Command, Currency, Format, Ledger, ManualClock, MerchantId, Method, Needs, Options, Store,
    Timestamp, Which,
};
use leadledger_simulator::story::Story;
use leadledger_sqlite::SqliteStore;
use leadledger_testbed::Tool;
use rust_decimal::Decimal;

/// Set to a number, this history is told again.
const SEED_VARIABLE: &str = "LEADLEDGER_ACCOUNTING_SEED";
const STORIES: u64 = 3;
const STEPS: usize = 800;

/// What moves money in most histories.
const MOVES: [&str; 13] = [
    "open_deposit",
    "top_up",
    "adjust_deposit",
    "close_deposit",
    "validate_lead",
    "reverse_lead",
    "part_matured",
    "succeed_top_up",
    "refund_top_up",
    "dispute_top_up",
    "request_payout",
    "settle_payout",
    "write_off",
];

/// Account and currency, to an amount that is not zero.
type Balances = BTreeMap<(String, String), String>;

struct Told {
    folder: tempfile::TempDir,
    clock: Arc<ManualClock>,
    merchants: BTreeSet<MerchantId>,
}

impl Told {
    fn file(&self) -> PathBuf {
        self.folder.path().join("ledger.db")
    }

    fn open(&self) -> (Arc<SqliteStore>, Ledger) {
        let store = Arc::new(SqliteStore::open(self.file()).unwrap());
        let ledger = Ledger::with_shared(store.clone(), self.clock.clone(), Options::default()).unwrap();
        (store, ledger)
    }

    fn export(&self, ledger: &Ledger, format: Format) -> (PathBuf, AccountingReport) {
        let path = self.folder.path().join(format!("{format:?}"));
        let mut file = std::fs::File::create(&path).unwrap();
        let report = ledger.export_accounting(format, Which::All, &mut file, &mut |_| {}).unwrap();
        (path, report)
    }
}

/// Several stories, each of its own merchants, on one file.
fn tell(seed: u64) -> Told {
    let clock = Arc::new(ManualClock::new(Timestamp::MIN));
    let mut told = Told { folder: tempfile::tempdir().unwrap(), clock, merchants: BTreeSet::new() };
    let (store, ledger) = told.open();
    let mut kinds: BTreeMap<&str, u64> = BTreeMap::new();
    let mut latest = i64::MIN;
    for seed in seed..seed + STORIES {
        let mut story = Story::new(seed);
        told.merchants.extend(story.merchants().iter().map(|id| id.parse::<MerchantId>().unwrap()));
        for _ in 0..STEPS {
            let step = story.next();
            latest = latest.max(step.at_micros);
            told.clock.set(Timestamp::from_micros(step.at_micros));
            let Ok(command) = Command::from_json(&step.command, step.with) else { continue };
            let call = ledger.submit(command);
            // Many are refused: that is what the stories are like.
            let answer = match step.key {
                Some(key) => call.key(key).wait(),
                None => call.wait(),
            };
            if let Ok(done) = answer
                && done.entry.postings.is_some()
                && !done.replayed
            {
                *kinds.entry(done.entry.kind.name()).or_default() += 1;
            }
        }
    }
    // What stories seldom come to.
    for name in ["03-debt-and-back", "11-debt-over-two-deposits", "12-written-off"] {
        let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/../core/conformance/scenarios");
        let text = std::fs::read_to_string(format!("{folder}/{name}.json")).unwrap();
        let scenario: serde_json::Value = serde_json::from_str(&text).unwrap();
        let merchants: Vec<MerchantId> =
            scenario["final"].as_object().unwrap().keys().map(|id| id.parse().unwrap()).collect();
        told.merchants.extend(merchants);
        assert!(play(&scenario, &ledger, &told.clock).unwrap().mismatches.is_empty(), "{name}");
        latest = latest.max(told.clock.now().micros());
    }
    // All books at one moment.
    told.clock.set(Timestamp::from_micros(latest));
    drop((store, ledger));
    println!("seed {seed}: {} merchants, {kinds:?}", told.merchants.len());
    told
}

/// What the store has in each account, from its rows, under the names that `name` gives.
fn stored(store: &dyn Store, merchants: &BTreeSet<MerchantId>, name: &dyn Fn(MerchantId, &str) -> String) -> Balances {
    // A single account may be as large as any amount: their sums are larger.
    let mut sums: BTreeMap<(String, Currency), i128> = BTreeMap::new();
    for who in merchants {
        let book = store.book(*who, &Needs { everything: true, ..Needs::default() }).unwrap();
        let mut add = |account: String, currency, minor: i64| {
            *sums.entry((name(*who, &account), currency)).or_default() += i128::from(minor);
        };
        for (id, row) in book.deposits.iter() {
            add(format!("deposit:{id}"), row.currency, -row.balance_minor);
        }
        for ((id, currency), row) in book.partners.iter() {
            add(format!("partner:{id}:held"), *currency, -row.held_minor);
            add(format!("partner:{id}:payable"), *currency, -row.payable_minor);
            add(format!("partner:{id}:in_payout"), *currency, -row.in_payout_minor);
        }
        for (currency, row) in book.platform.iter() {
            add("commission".to_owned(), *currency, row.commission_minor);
            add("receivable".to_owned(), *currency, row.receivable_minor);
            add("losses".to_owned(), *currency, row.losses_minor);
            add("adjustments".to_owned(), *currency, row.adjustments_minor);
            for (method, minor) in Method::ALL.iter().zip(row.payments_minor) {
                add(format!("payments:{}", method.name()), *currency, minor);
            }
        }
    }
    let shown = |((name, currency), minor): ((String, Currency), i128)| {
        let amount = Decimal::from_i128_with_scale(minor, currency.decimals());
        ((name, currency.code().to_owned()), amount.to_string())
    };
    sums.into_iter().filter(|(_, minor)| *minor != 0).map(shown).collect()
}

fn of_hledger(who: MerchantId, account: &str) -> String {
    match account {
        "commission" => "income:commission".to_owned(),
        "receivable" => format!("assets:receivable:{who}"),
        "losses" | "adjustments" => format!("expenses:{account}"),
        payments if payments.starts_with("payments:") => format!("assets:{payments}"),
        others => format!("liabilities:merchants:{who}:{others}"),
    }
}

fn of_beancount(who: MerchantId, account: &str) -> String {
    let name = of_hledger(who, account).replace('_', "-");
    let word = |word: &str| word[..1].to_uppercase() + &word[1..];
    let parts = name.split(':').map(|part| match part {
        // Ids have digits.
        id if id.len() == 36 => id.to_uppercase(),
        words => words.split('-').map(word).collect::<Vec<_>>().join("-"),
    });
    parts.collect::<Vec<_>>().join(":")
}

fn run(tool: &Tool, arguments: &[&str], file: &Path) -> (bool, String) {
    let mut process: Process = tool.command();
    let output = process.args(arguments).arg(file).env("LC_ALL", "C.UTF-8").output().unwrap();
    let text = [output.stdout, output.stderr].concat();
    (output.status.success(), String::from_utf8(text).unwrap())
}

fn head(text: &str, lines: usize) -> String {
    text.lines().take(lines).map(|line| format!("    {line}\n")).collect()
}

fn hledger_balances(hledger: &Tool, file: &Path) -> Balances {
    let arguments = ["balance", "--flat", "--no-total", "--empty", "--layout=bare", "-O", "csv", "-f"];
    let (ok, text) = run(hledger, &arguments, file);
    assert!(ok, "{text}");
    println!("hledger balance:\n{}", head(&text, 6));
    let mut lines = text.lines().map(|line| line.split(',').map(|field| field.trim_matches('"').to_owned()));
    assert_eq!(lines.next().unwrap().collect::<Vec<_>>(), ["account", "commodity", "balance"]);
    let row = |mut fields: Box<dyn Iterator<Item = String>>| {
        let (name, code, amount) = (fields.next().unwrap(), fields.next().unwrap(), fields.next().unwrap());
        ((name, code), amount)
    };
    let rows = lines.map(|line| row(Box::new(line)));
    rows.filter(|(_, amount)| amount.bytes().any(|byte| (b'1'..=b'9').contains(&byte))).collect()
}

/// Loads a file, and says what is wrong with it and what is in each account.
const BEANCOUNT: &str = r"
import sys
import beancount
from beancount import loader
from beancount.core import data, realization
entries, errors, options = loader.load_file(sys.argv[1])
for error in errors[:5]:
    print('error', error.message)
print('version', getattr(beancount, '__version__', '?'))
print('transactions', sum(isinstance(entry, data.Transaction) for entry in entries))
print('balances', sum(isinstance(entry, data.Balance) for entry in entries))
for account in realization.iter_children(realization.realize(entries)):
    for position in account.balance:
        print('account', account.account, position.units.currency, position.units.number)
sys.exit(1 if errors else 0)
";

#[test]
fn tools_of_others_come_to_the_same_balances() {
    let given = std::env::var(SEED_VARIABLE).ok().map(|seed| seed.parse().unwrap());
    let seed = given.unwrap_or_else(|| u64::from(uuid::Uuid::new_v4().as_fields().0));
    let (hledger, python) = (leadledger_testbed::hledger().unwrap(), leadledger_testbed::beancount_python().unwrap());
    let told = tell(seed);
    let (store, ledger) = told.open();

    let (file, report) = told.export(&ledger, Format::Hledger);
    println!("seed {seed}: {report:?}");
    println!("{}", run(&hledger, &["--version"], Path::new("--version")).1.trim());
    let (ok, said) = run(&hledger, &["check", "--strict", "-f"], &file);
    assert!(ok, "seed {seed}: {said}");
    println!("hledger check --strict: ok {said}");
    assert_eq!(hledger_balances(&hledger, &file), stored(&*store, &told.merchants, &of_hledger), "seed {seed}");
    assert_eq!(report.books, u64::try_from(told.merchants.len()).unwrap(), "seed {seed}");
    assert!(report.transactions > 200, "seed {seed}: {report:?}");
    let text = std::fs::read_to_string(&file).unwrap();
    for kind in MOVES {
        assert!(text.contains(&format!(" {kind}  ;")), "seed {seed}: no {kind}");
    }
    let dates: Vec<_> = text.lines().filter(|line| line.starts_with("202")).map(|line| &line[..10]).collect();
    assert!(dates.is_sorted(), "seed {seed}");
    assert_eq!(dates.len(), usize::try_from(report.transactions).unwrap() + 1, "seed {seed}");

    let (file, report) = told.export(&ledger, Format::Beancount);
    let (ok, said) = run(&python, &["-c", BEANCOUNT], &file);
    assert!(ok, "seed {seed}: {said}");
    println!("beancount:\n{}", head(&said, 6));
    let line = |words: &str| said.lines().any(|line| line == words);
    assert!(line(&format!("transactions {}", report.transactions)), "seed {seed}: {report:?}");
    assert!(line(&format!("balances {}", report.balances)), "seed {seed}: {report:?}");
    let rows = said.lines().filter_map(|line| line.strip_prefix("account "));
    let row = |row: &str| {
        let words: Vec<_> = row.split(' ').map(str::to_owned).collect();
        ((words[0].clone(), words[1].clone()), words[2].clone())
    };
    let found: Balances = rows.map(row).collect();
    assert_eq!(found, stored(&*store, &told.merchants, &of_beancount), "seed {seed}");
    drop((store, ledger));

    // What is in the rows and not in the postings does not go unseen.
    let database = rusqlite::Connection::open(told.file()).unwrap();
    let sql = "UPDATE deposits SET balance = balance + 1 WHERE no = (SELECT max(no) FROM deposits)";
    assert_eq!(database.execute(sql, []).unwrap(), 1);
    drop(database);
    let (_store, ledger) = told.open();
    let (ok, said) = run(&hledger, &["check", "-f"], &told.export(&ledger, Format::Hledger).0);
    println!("a row that is one minor unit off:\n{}", head(&said, 4));
    assert!(!ok && said.contains("balance assertion"), "seed {seed}: {said}");
    let (ok, said) = run(&python, &["-c", BEANCOUNT], &told.export(&ledger, Format::Beancount).0);
    println!("{}", head(&said, 1));
    assert!(!ok && said.contains("error Balance failed"), "seed {seed}: {said}");
}

#[test]
fn empty_books_are_a_journal_too() {
    let (hledger, python) = (leadledger_testbed::hledger().unwrap(), leadledger_testbed::beancount_python().unwrap());
    let clock = Arc::new(ManualClock::new(Timestamp::MIN));
    let told = Told { folder: tempfile::tempdir().unwrap(), clock, merchants: BTreeSet::new() };
    let (_store, ledger) = told.open();
    let (file, report) = told.export(&ledger, Format::Hledger);
    assert_eq!((report.books, report.transactions, report.balances), (0, 0, 0));
    let (ok, said) = run(&hledger, &["check", "--strict", "-f"], &file);
    assert!(ok, "{said}");
    let (ok, said) = run(&python, &["-c", BEANCOUNT], &told.export(&ledger, Format::Beancount).0);
    assert!(ok, "{said}");
}
