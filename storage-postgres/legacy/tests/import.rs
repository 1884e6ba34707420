//! The existing backend's tables, made up with every fault there is, come into all three stores; the report names the faults
//! that were planted, all of them and no others.

#![allow(clippy::unwrap_used, clippy::panic, missing_docs)]

mod world;

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use leadledger::{
    Account, Books, Currency, EraseCustomer, Lead, LeadStatus, Ledger, ManualClock, MemoryStore, MerchantId, Options,
    Paragraph, PartPlace, ReverseLead, Scope, Settings, Store, StoreError, Timestamp, ValidateLead, to_decimal,
};
use leadledger_legacy::{
    BookState, Cause, Earnings, ImportError, Measure, PastWindow, PlanOptions, Report, Source, Table, Uncovered,
    import, plan, read,
};
use leadledger_postgres::{Migration, PostgresOptions, PostgresStore};
use leadledger_sqlite::SqliteStore;
use world::database::{Database, url};
use world::{MERCHANTS, NOW, Planted, World, minor};

fn now() -> Timestamp {
    Timestamp::from_micros(NOW)
}

fn seed() -> u64 {
    let given = std::env::var("LEADLEDGER_SEED").ok().map(|seed| seed.parse().unwrap());
    let seed = given.unwrap_or_else(|| uuid::Uuid::new_v4().as_u64_pair().0);
    println!("LEADLEDGER_SEED={seed}");
    seed
}

fn ledger(store: Arc<dyn Store>) -> Ledger {
    Ledger::with_shared(store, Arc::new(ManualClock::new(now())), Options { retries: 0, ..Options::default() }).unwrap()
}

fn memory() -> Ledger {
    ledger(Arc::new(MemoryStore::new()))
}

/// Imports and says what became of the books, by state.
fn run(source: &Source, ledger: &Ledger) -> (Report, BTreeMap<String, usize>) {
    let plan = plan(source, now(), PlanOptions::default());
    let mut states = BTreeMap::new();
    let mut last = 0;
    let report = import(plan, ledger, &mut |progress| {
        assert_eq!(progress.done, last + 1);
        last = progress.done;
        *states.entry(progress.state.name().to_owned()).or_default() += 1;
    })
    .unwrap();
    assert_eq!(last, report.books.len());
    (report, states)
}

/// The planted faults and the report's, in one order.
fn faults(report: &Report) -> Vec<Planted> {
    let mut faults: Vec<Planted> =
        report.differences.iter().map(|found| (found.cause, found.merchant, found.rows.clone())).collect();
    faults.sort();
    faults
}

fn assert_same(found: &[Planted], planted: &[Planted]) {
    let count = |all: &[Planted]| {
        let mut counts: BTreeMap<Planted, i32> = BTreeMap::new();
        all.iter().for_each(|fault| *counts.entry(fault.clone()).or_default() += 1);
        counts
    };
    let (found, planted) = (count(found), count(planted));
    let missing = |one: &BTreeMap<Planted, i32>, other: &BTreeMap<Planted, i32>| -> Vec<String> {
        let more = one.iter().filter(|(fault, count)| **count > other.get(*fault).copied().unwrap_or(0));
        more.map(|((cause, merchant, rows), _)| format!("{} {merchant:?} {rows:?}", cause.code())).collect()
    };
    let (missed, invented) = (missing(&planted, &found), missing(&found, &planted));
    assert!(missed.is_empty() && invented.is_empty(), "missed:\n{missed:#?}\ninvented:\n{invented:#?}");
}

#[test]
fn every_planted_fault_and_no_other_in_every_store() {
    let mut world = World::new(seed());
    let database = Database::new("legacy whole");
    database.fill(&world.source);
    let mut source = read(url(), &database.schema).unwrap();
    assert_eq!(world.merchants.len(), MERCHANTS);
    assert!(source.leads.len() >= world::LEADS);

    // What was read is what was written, row for row.
    macro_rules! sorted {
        ($($rows:ident),*) => {$(
            let (mut read, mut made) = (source.$rows.clone(), world.source.$rows.clone());
            read.sort();
            made.sort();
            assert!(read == made, "{} are read as they are not", stringify!($rows));
        )*};
    }
    sorted!(deposits, transactions, leads, agreements, settings);

    let report = plan(&source, now(), PlanOptions::default()).report;
    world.planted.sort();
    assert_same(&faults(&report), &world.planted);
    let in_a_run = [Cause::ChangedSince, Cause::OtherBook, Cause::Refused, Cause::BalanceRaised];
    for cause in Cause::ALL.iter().filter(|cause| !in_a_run.contains(cause)) {
        assert!(world.planted.iter().any(|fault| fault.0 == *cause), "{} was not planted", cause.code());
    }
    assert_eq!(report.unexplained(), []);
    totals(&database, &report);

    // The order of the rows makes no difference.
    source.leads.reverse();
    source.deposits.reverse();
    source.transactions.reverse();
    source.agreements.reverse();
    source.settings.reverse();
    assert_eq!(plan(&source, now(), PlanOptions::default()).report, report);

    let folder = tempfile::tempdir().unwrap();
    let schema = format!("import_{}", std::process::id());
    PostgresStore::migrate(url(), &Migration { schema: schema.clone(), ..Migration::default() }).unwrap();
    let options = PostgresOptions { schema: schema.clone(), lanes: 2, ..PostgresOptions::default() };
    let stores: [(&str, Arc<dyn Store>); 3] = [
        ("memory", Arc::new(MemoryStore::new())),
        ("sqlite", Arc::new(SqliteStore::open(folder.path().join("ledger.db")).unwrap())),
        ("postgres", Arc::new(PostgresStore::open_with(url(), options).unwrap())),
    ];
    let mut first: BTreeMap<MerchantId, leadledger::BookView> = BTreeMap::new();
    for (name, store) in stores {
        let ledger = ledger(store);
        let (done, states) = run(&source, &ledger);
        assert_eq!(states, BTreeMap::from([("made".to_owned(), MERCHANTS)]), "{name}");
        assert_eq!(done.differences, report.differences, "{name}");
        let merchants = ledger.merchants(None, 1_000).wait().unwrap();
        assert_eq!(merchants.len(), MERCHANTS, "{name}");
        for merchant in &merchants {
            let book = ledger.book(*merchant).wait().unwrap();
            let checked = ledger.check(*merchant).wait().unwrap();
            assert_eq!((checked.entries, checked.leads), (1, u64::try_from(book.leads.len()).unwrap()), "{name}");
            let expected = world.expected[merchant];
            let sum = |of: fn(&leadledger::DepositView) -> rust_decimal::Decimal| book.deposits.values().map(of).sum();
            assert_eq!(to_decimal(expected.balance, Currency::MAD), sum(|row| row.balance), "{name} {merchant}");
            assert_eq!(to_decimal(expected.reserved, Currency::MAD), sum(|row| row.reserved), "{name} {merchant}");
            assert_eq!(expected.leads, book.leads.len(), "{name} {merchant}");
            let entry = ledger.events(*merchant, 0, 1).wait().unwrap().remove(0).entry;
            let opening = entry.lines().iter().filter(|(account, _)| *account == Account::Opening);
            assert_eq!(opening.map(|line| line.1).sum::<i64>(), expected.balance, "{name} {merchant}");
            match first.get(merchant) {
                None => _ = first.insert(*merchant, book),
                Some(before) => assert!(*before == book, "{name} has another book of {merchant}"),
            }
        }
        let events = || ledger.all_events(None, 1_000).wait().unwrap().items;
        let before: Vec<_> = events().iter().map(|recorded| recorded.hash).collect();
        let (again, states) = run(&source, &ledger);
        assert_eq!(states, BTreeMap::from([("there".to_owned(), MERCHANTS)]), "{name}");
        assert_eq!(again.differences, report.differences, "{name}: a second run finds the same");
        assert_eq!(events().iter().map(|recorded| recorded.hash).collect::<Vec<_>>(), before, "{name}");
        println!("{name}: {MERCHANTS} books made, checked, and left alone by a second run");
    }
    database.run(&format!("DROP SCHEMA {schema} CASCADE"));
    let text = report.to_text();
    assert_eq!(report.to_json()["differences"].as_array().unwrap().len(), report.differences.len());
    for secret in ["Customer O'", "example.org", "+2126", "no answer"] {
        assert!(
            !text.contains(secret) && !report.to_json().to_string().contains(secret),
            "the report tells {secret:?}"
        );
    }
    println!("{text}");
}

/// The totals, by SQL alone.
fn totals(database: &Database, report: &Report) {
    let real = "WHERE $ <> 'NaN'";
    let sum = |table: &str, column: &str| {
        let filter = real.replace('$', column);
        minor(&Some(database.text(&format!("SELECT coalesce(sum({column}), 0)::numeric(14,2) FROM {table} {filter}"))))
    };
    for measure in Measure::ALL {
        let before = match measure {
            Measure::Rows(table) => database.text(&format!("SELECT count(*) FROM {}", table.name())).parse().unwrap(),
            _ => sum(measure.table().name(), measure.name()),
        };
        assert_eq!(report.totals[&measure].before, i128::from(before), "{measure:?}");
    }
    // What comes in: each deposit once, with what money it has.
    let balance = "SELECT sum(greatest(current_balance, 0)) FROM (SELECT DISTINCT id, current_balance FROM \
                   company_deposits WHERE current_balance <> 'NaN') d";
    assert_eq!(report.totals[&Measure::Balance].after, i128::from(minor(&Some(database.text(balance)))));
    let lines = "SELECT count(DISTINCT t.id) FROM deposit_transactions t JOIN company_deposits d ON d.id = t.deposit_id \
                 WHERE t.amount <> 'NaN' AND isfinite(t.created_at) \
                 AND transaction_type IN ('initial', 'recharge', 'deduction', 'refund', 'adjustment')";
    assert_eq!(report.totals[&Measure::Rows(Table::Transactions)].after.to_string(), database.text(lines));
}

#[test]
fn a_run_that_is_cut_off_goes_on_where_it_was() {
    let world = World::new(seed());
    let kept: Arc<dyn Store> = Arc::new(MemoryStore::new());
    let cut = Arc::new(Cut { inner: kept.clone(), left: AtomicUsize::new(17) });
    let planned = plan(&world.source, now(), PlanOptions::default());
    match import(planned, &ledger(cut), &mut |_| {}) {
        Err(fault @ ImportError::Ledger { .. }) => {
            assert_eq!(fault.code(), "store_unavailable");
            let ImportError::Ledger { report, .. } = fault else { unreachable!() };
            assert_eq!(report.made(), 17);
            assert!(report.books[17..].iter().all(|book| book.state == BookState::Planned));
        }
        other => panic!("a store that fails is not told: {other:?}"),
    }
    let ledger = ledger(kept);
    assert_eq!(ledger.merchants(None, 100).wait().unwrap().len(), 17);
    let (_, states) = run(&world.source, &ledger);
    assert_eq!(states, BTreeMap::from([("there".to_owned(), 17), ("made".to_owned(), MERCHANTS - 17)]));
}

/// A store that is gone after so many transactions.
struct Cut {
    inner: Arc<dyn Store>,
    left: AtomicUsize,
}

leadledger::delegate_totals!(Cut, inner);
leadledger::delegate_subscribers!(Cut, inner);

impl Store for Cut {
    leadledger::delegate_store!(inner: book, leads, journal, books);

    fn transact(&self, lane: usize, scope: &Scope, work: &mut dyn FnMut(&mut Books)) -> Result<(), StoreError> {
        if self.left.fetch_sub(1, Ordering::SeqCst) == 0 {
            self.left.store(0, Ordering::SeqCst);
            return Err(StoreError::Unavailable("it is gone".to_owned()));
        }
        self.inner.transact(lane, scope, work)
    }
}

#[test]
fn books_that_are_there_are_left_alone() {
    let mut world = World::new(seed());
    let ledger = memory();
    let begun = world.merchant_id(0);
    let deposit = leadledger::OpenDeposit::new(begun, "2000".parse().unwrap());
    ledger.open_deposit(deposit).wait().unwrap();
    let (report, states) = run(&world.source, &ledger);
    assert_eq!(states, BTreeMap::from([("made".to_owned(), MERCHANTS - 1), ("other".to_owned(), 1)]));
    let found: Vec<_> = report.differences.iter().filter(|found| found.cause == Cause::OtherBook).collect();
    assert_eq!((found.len(), found[0].merchant), (1, Some(begun)));
    assert_eq!(ledger.book(begun).wait().unwrap().entries, 1);

    // The old backend went on: a lead is decided, another is new. Nothing is merged, all is told.
    let changed = world.merchant_id(1);
    let wide = world.deposit_of(1);
    let planned = plan(&world.source, now(), PlanOptions::default()).openings;
    let opening = planned.iter().find(|opening| opening.merchant == changed).unwrap();
    let pending = |lead: &&leadledger::OpeningLead| lead.status == LeadStatus::Pending && lead.deposit == wide;
    let lead = opening.command.leads.iter().find(pending).unwrap().lead.to_string();
    let row = world.source.leads.iter_mut().find(|row| row.id.as_deref() == Some(lead.as_str())).unwrap();
    row.status = world::some("rejected");
    let book = ledger.book(changed).wait().unwrap();
    let (report, states) = run(&world.source, &ledger);
    assert_eq!(states, BTreeMap::from([("there".to_owned(), MERCHANTS - 1), ("other".to_owned(), 1)]));
    let found: Vec<_> = report.differences.iter().filter(|found| found.cause == Cause::ChangedSince).collect();
    assert_eq!((found.len(), found[0].merchant), (1, Some(changed)));
    assert!(found[0].before.contains("1 leads"), "{}", found[0].before);
    assert_eq!(ledger.book(changed).wait().unwrap(), book);
}

#[test]
fn what_the_ledger_refuses_costs_its_own_merchant_only() {
    let world = World::new(seed());
    let mut settings = Settings::default();
    let minimums = settings.minimums.get_mut(&Currency::MAD).unwrap();
    // More than the tables' automatic recharges of 2000.00.
    minimums.auto_top_up_minor = 200_001;
    let options = Options { settings, ..Options::default() };
    let ledger = Ledger::with(MemoryStore::new(), ManualClock::new(now()), options).unwrap();
    let (report, states) = run(&world.source, &ledger);
    let refused = report.differences.iter().filter(|found| found.cause == Cause::Refused).count();
    assert!(refused > 5 && refused < MERCHANTS, "{refused}");
    assert_eq!(states, BTreeMap::from([("made".to_owned(), MERCHANTS - refused), ("refused".to_owned(), refused)]));
    assert_eq!(report.made(), ledger.merchants(None, 100).wait().unwrap().len());
    // Told what the ledger asks for, the plan leaves those recharges out, and the rest comes in.
    let options = PlanOptions { minimum_auto_top_up_minor: 200_001, ..PlanOptions::default() };
    let planned = plan(&world.source, now(), options);
    assert_eq!(planned.report.unexplained(), []);
    assert_eq!(import(planned, &ledger, &mut |_| {}).unwrap().made(), refused);
}

#[test]
fn the_guide_lists_every_cause() {
    let guide = include_str!("../../../docs/import.md");
    for cause in Cause::ALL {
        let row = format!("| `{}` | {} |", cause.code(), cause.rule());
        assert!(guide.contains(&row), "docs/import.md lacks: {row}");
    }
}

#[test]
fn what_came_in_lives_by_the_ledgers_rules() {
    let world = World::new(seed());
    let ledger = memory();
    run(&world.source, &ledger);
    let (mut validated, mut reversed) = (0, 0);
    for merchant in ledger.merchants(None, 1_000).wait().unwrap() {
        let book = ledger.book(merchant).wait().unwrap();
        let open = |lead: &Lead| book.deposits[&lead.deposit].status != leadledger::DepositStatus::Closed;
        if let Some((id, _)) = book.leads.iter().find(|(_, lead)| lead.status == LeadStatus::Pending) {
            let validate = ValidateLead { score: Some(10), ..ValidateLead::new(merchant, *id) };
            ledger.validate_lead(validate).wait().unwrap();
            validated += 1;
        }
        let captured = |lead: &Lead| lead.is_captured() && lead.part == PartPlace::Payable && open(lead);
        let (id, lead) = book.leads.iter().find(|(_, lead)| captured(lead)).unwrap();
        let (deposit, partner) = (book.deposits[&lead.deposit].clone(), lead.partner);
        let payable = |ledger: &Ledger| ledger.partner(merchant, partner).wait().unwrap()[0].payable;
        let (before, pays) = (payable(&ledger), lead.commission_minor);
        let drawn = ledger.deposit(merchant, deposit.id).wait().unwrap().unwrap().balance;
        ledger.reverse_lead(ReverseLead::new(merchant, *id, Paragraph::new("fraud").unwrap())).wait().unwrap();
        let after = ledger.deposit(merchant, deposit.id).wait().unwrap().unwrap().balance;
        assert_eq!(after - drawn, to_decimal(pays, Currency::MAD));
        assert_eq!(before - payable(&ledger), to_decimal(lead.partner_minor, Currency::MAD));
        assert!(ledger.lead_texts(merchant, *id).wait().unwrap().unwrap().customer.is_some());
        ledger.erase_customer(EraseCustomer::new(merchant, *id)).wait().unwrap();
        assert!(ledger.lead_texts(merchant, *id).wait().unwrap().unwrap().customer.is_none());
        ledger.check(merchant).wait().unwrap();
        reversed += 1;
    }
    assert!(validated > MERCHANTS / 2 && reversed == MERCHANTS);
}

#[test]
fn a_person_may_choose_otherwise() {
    let world = World::new(seed());
    let options = PlanOptions {
        past_window: PastWindow::AsCampaign,
        uncovered: Uncovered::Cover,
        earnings: Earnings::Owed,
        ..PlanOptions::default()
    };
    let planned = plan(&world.source, now(), options);
    assert_eq!(planned.report.unexplained(), []);
    let counts = planned.report.counts();
    assert!(!counts.contains_key(&Cause::PendingTooOldAccepting) && !counts.contains_key(&Cause::PendingUncovered));
    assert_eq!(counts[&Cause::BalanceRaised], 2);
    let ledger = memory();
    let report = import(planned, &ledger, &mut |_| {}).unwrap();
    assert_eq!(report.made(), MERCHANTS);
    let mut owed: BTreeMap<MerchantId, rust_decimal::Decimal> = BTreeMap::new();
    for earned in &report.earned {
        assert!(earned.brought_in);
        *owed.entry(earned.merchant).or_default() += earned.part;
    }
    let mut accepted = 0;
    for (merchant, owed) in owed {
        // Before anything is settled: what partners have is what the report says.
        let entry = ledger.events(merchant, 0, 1).wait().unwrap().remove(0).entry;
        let partners =
            entry.lines().iter().filter(|(account, _)| matches!(account, Account::Held(_) | Account::Payable(_)));
        let credited: i64 = partners.map(|line| -line.1).sum();
        assert_eq!(to_decimal(credited, Currency::MAD), owed);
        let book = ledger.book(merchant).wait().unwrap();
        let entries = ledger.events(merchant, 1, 1_000).wait().unwrap();
        accepted += entries.iter().filter(|entry| entry.entry.kind.name() == "lead_accepted").count();
        assert!(book.leads.values().all(|lead| lead.status != LeadStatus::Pending || lead.expires_at() > now()));
        ledger.check(merchant).wait().unwrap();
    }
    assert_eq!(accepted, 2);
}

#[test]
fn a_schema_that_is_not_the_backends_is_told_whole() {
    let database = Database::new("legacy part");
    database.run(
        "DROP TABLE influencer_agreements; ALTER TABLE leads DROP COLUMN influencer_percentage, DROP COLUMN source; \
         ALTER TABLE company_deposits RENAME COLUMN reserved_amount TO reserved",
    );
    let fault = read(url(), &database.schema).unwrap_err();
    assert_eq!(fault.code(), "legacy_schema");
    let ImportError::Schema { missing, .. } = &fault else { panic!("{fault}") };
    let mut names: Vec<String> = missing.iter().map(ToString::to_string).collect();
    names.sort();
    let expected =
        ["company_deposits.reserved_amount", "influencer_agreements", "leads.influencer_percentage", "leads.source"];
    assert_eq!(names, expected);
    assert!(expected.iter().all(|name| fault.to_string().contains(name)), "{fault}");
    let ImportError::Schema { missing, .. } = read(url(), "no such schema").unwrap_err() else { panic!("it is there") };
    assert_eq!(missing.len(), Table::ALL.len());
    assert_eq!(read("mysql://u@h/d", "public").unwrap_err().code(), "store_misconfigured");
}

#[test]
fn rows_that_the_reader_may_not_see_are_an_error_and_not_absent() {
    static ONE_AT_A_TIME: Mutex<()> = Mutex::new(());
    let _turn = ONE_AT_A_TIME.lock().unwrap();
    let database = Database::new("legacy hidden");
    let role = format!("legacy_reader_{}", std::process::id());
    database.run(&format!(
        "CREATE ROLE {role} LOGIN; GRANT USAGE ON SCHEMA \"{0}\" TO {role}; \
         GRANT SELECT ON ALL TABLES IN SCHEMA \"{0}\" TO {role}",
        database.schema
    ));
    let joint = if url().contains('?') { '&' } else { '?' };
    let as_role = format!("{}{joint}options=-c%20role%3D{role}", url());
    assert_eq!(read(&as_role, &database.schema).unwrap(), Source::default());
    database.run("ALTER TABLE leads ENABLE ROW LEVEL SECURITY");
    let fault = read(&as_role, &database.schema).unwrap_err();
    assert!(fault.to_string().contains("row-level security"), "{fault}");
    database.run(&format!("DROP OWNED BY {role}; DROP ROLE {role}"));
}
