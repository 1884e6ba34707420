//! Past moments of a book, and the check of all books.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::ControlFlow;
use std::sync::{Arc, Mutex};

use serde_json::json;

use super::ground::{
    CAMPAIGN, DEPOSIT, Ground, START, commit, entries, id, lead, merchant, partner, prepared, send, top_up,
};
use super::story::tell_watched;
use super::{Case, Damage};
use crate::account::{Account, Postings};
use crate::audit::{AsOf, Balances, CheckEnd, CheckProgress};
use crate::book::{Book, Head};
use crate::command::ValidateLead;
use crate::error::StoreError;
use crate::ids::MerchantId;
use crate::ledger::{Ledger, Options};
use crate::money::Currency;
use crate::store::{BookQuery, Needs, Store};
use crate::time::Timestamp;
use crate::top_up::Method;
use crate::view::{BookView, DepositView};

pub(super) const CASES: &[Case] = &[
    ("balances as of each entry are the sums up to it, and what the book showed then", every_entry),
    ("balances are read in the sense of people, and sum to zero", sense),
    ("a time is resolved to the last entry that is not later, also in a long book with ties", by_time),
    ("what was due at a past moment has happened there, whoever looks when", due_then),
    ("a moment that a book does not have is refused", no_such_moment),
    ("balances of a damaged journal are not told", damaged_journal),
    ("all books are checked, and every failure is collected", all_checked),
    ("a check of all books goes on after store errors and panics, and stops when told to", goes_on),
];

fn balances(ledger: &Ledger, who: MerchantId, as_of: AsOf) -> Balances {
    ledger.balances(who, as_of).wait().unwrap()
}

/// A view without what leaves nothing in the journal.
fn journalled(view: &BookView) -> BookView {
    BookView { missed: BTreeMap::new(), ..view.clone() }
}

/// The deposits' amounts of a book as it was seen.
fn seen_deposits<'a>(rows: impl Iterator<Item = &'a DepositView>) -> Vec<String> {
    rows.map(|row| format!("{} {} {} {} {:?}", row.id, row.balance, row.reserved, row.available, row.status.name()))
        .collect()
}

fn told_deposits(told: &Balances) -> Vec<String> {
    let status = |id| told.deposits[id].closed.then_some("closed");
    let row =
        |id, balance, reserved, available, status: &str| format!("{id} {balance} {reserved} {available} {status:?}");
    told.deposits
        .iter()
        .map(|(id, of)| row(*id, of.balance, of.reserved, of.available, status(id).unwrap_or("open")))
        .collect()
}

/// `active` and `suspended` are `open` in balances.
fn open(rows: Vec<String>) -> Vec<String> {
    rows.into_iter().map(|row| row.replace("\"active\"", "\"open\"").replace("\"suspended\"", "\"open\"")).collect()
}

fn every_entry(ground: &Ground) {
    let (who, ledger) = (merchant(1), ground.ledger());
    let mut seen = BTreeMap::new();
    tell_watched(&ledger, &ground.clock, who, &mut || {
        let view = ledger.book(who).wait().unwrap();
        seen.insert(view.entries, view);
    });
    assert!(seen.values().any(|view| !view.missed.is_empty()));
    let all = entries(&*ground.store(), who);
    let mut book = Book::complete(who);
    let mut named: BTreeSet<(Currency, Account)> = BTreeSet::new();
    let mut live = 0;
    for recorded in &all {
        let (seq, entry) = (recorded.entry.seq, &recorded.entry);
        book.apply(entry, recorded.hash).unwrap();
        let currency = entry.postings.as_ref().map_or(Currency::MAD, Postings::currency);
        named.extend(entry.lines().iter().map(|(account, _)| (currency, *account)));
        let told = balances(&ledger, who, AsOf::Entry(seq));
        assert_eq!((told.merchant, told.of.seq, told.of.at, told.of.hash), (who, seq, entry.at, recorded.hash));
        let expected: BTreeMap<_, _> = named.iter().map(|of| (*of, book.balance_minor(of.0, of.1))).collect();
        let found: BTreeMap<_, _> = told.accounts.iter().map(|(of, row)| (*of, row.debit_minor)).collect();
        assert_eq!(found, expected, "as of entry {seq}");
        assert_eq!(told.accounts.values().map(|row| i128::from(row.debit_minor)).sum::<i128>(), 0);
        let replayed = BookView::of(&book);
        assert_eq!(told_deposits(&told), open(seen_deposits(replayed.deposits.values())), "as of entry {seq}");
        if let Some(view) = seen.get(&seq) {
            live += 1;
            assert_eq!(told_deposits(&told), open(seen_deposits(view.deposits.values())), "live at entry {seq}");
            let then = ledger.book_at(who, AsOf::Entry(seq)).wait().unwrap();
            assert_eq!(then, journalled(view), "the book at entry {seq}");
        }
    }
    assert!(live > 70 && all.len() > live + 10, "{live} of {} entries were seen live", all.len());
    let last = ledger.balances(who, AsOf::Entry(all.len() as u64)).wait().unwrap();
    assert!(last.deposits.values().any(|row| row.closed) && last.accounts.len() > 12);
}

fn sense(ground: &Ground) {
    let (who, ledger) = (merchant(1), ground.ledger());
    send(&ledger, prepared(who));
    send(&ledger, [lead(who, id(CAMPAIGN), id(10), "600.00").into(), ValidateLead::new(who, id(10)).into()]);
    let told = balances(&ledger, who, AsOf::Entry(4));
    let read = |account| {
        let row = told.accounts[&(Currency::MAD, account)];
        (row.debit_minor, row.balance.to_string())
    };
    assert_eq!(read(Account::Payments(Method::Manual)), (500_000, "5000.00".to_owned()));
    assert_eq!(read(Account::Deposit(id(DEPOSIT))), (-494_000, "4940.00".to_owned()));
    assert_eq!(read(Account::Payable(partner(1))), (-1_800, "18.00".to_owned()));
    assert_eq!(read(Account::Commission), (-4_200, "42.00".to_owned()));
    assert_eq!(told.accounts.len(), 4);
    let deposit = crate::ids::DepositId::to_string(&id(DEPOSIT));
    let reserved = balances(&ledger, who, AsOf::Entry(3)).to_json();
    assert_eq!(
        reserved["deposits"][&deposit],
        json!({
            "campaign": null, "currency": "MAD", "balance": "5000.00", "reserved": "60.00", "available": "4940.00",
            "closed": false,
        })
    );
    assert_eq!(
        reserved["accounts"],
        json!({ "MAD": {
            "payments:manual": "5000.00", format!("deposit:{deposit}"): "5000.00",
        }})
    );
    assert_eq!(reserved["of"]["seq"], 3);
    assert_eq!(reserved["of"]["at"], "2026-01-05T08:00:00Z");
}

fn by_time(ground: &Ground) {
    let (who, store) = (merchant(1), ground.store());
    commit(&*store, ground.now(), &prepared(who));
    // More than a page of the journal; many entries share a time.
    for hour in 1..9_u32 {
        let payments: Vec<_> = (0..hour * 31).map(|_| top_up(who, id(DEPOSIT), "100.00")).collect();
        commit(&*store, ground.at_hour(hour), &payments);
    }
    let all = entries(&*store, who);
    assert_eq!(all.len(), 1_118);
    let ledger = ground.ledger();
    let times: BTreeSet<_> = all.iter().map(|recorded| recorded.entry.at.micros()).collect();
    assert_eq!(times.len(), 9);
    for time in times.iter().flat_map(|time| [time - 1, *time, time + 1]).chain([i64::MAX]) {
        let time = Timestamp::from_micros(time);
        let last = all.iter().rfind(|recorded| recorded.entry.at <= time);
        let told = ledger.balances(who, AsOf::Time(time)).wait();
        let Some(last) = last else {
            assert_eq!(told.unwrap_err().code(), "before_first_entry");
            continue;
        };
        let told = told.unwrap();
        assert_eq!((told.of.seq, told.of.hash), (last.entry.seq, last.hash), "at {time}");
        // Two entries of `prepared`, then 100.00 each.
        let balance = 5_000 + 100 * i64::try_from(last.entry.seq - 2).unwrap();
        assert_eq!(told.deposits[&id(DEPOSIT)].balance, balance.into(), "at {time}");
    }
}

fn due_then(ground: &Ground) {
    let (who, ledger) = (merchant(1), ground.ledger());
    send(&ledger, prepared(who));
    send(&ledger, [lead(who, id(CAMPAIGN), id(10), "600.00").into()]);
    // Nobody looks while the lead expires, 72 hours later.
    ground.at_hour(100);
    let expired = Timestamp::from_micros(START).plus_hours(72);
    let told = balances(&ledger, who, AsOf::Time(Timestamp::from_micros(START).plus_hours(80)));
    assert_eq!((told.of.seq, told.of.at), (4, expired));
    let before = Timestamp::from_micros(expired.micros() - 1);
    for (time, seq, reserved) in [(before, 3, "60.00"), (expired, 4, "0.00"), (ground.now(), 4, "0.00")] {
        let told = balances(&ledger, who, AsOf::Time(time));
        assert_eq!((told.of.seq, told.deposits[&id(DEPOSIT)].reserved.to_string()), (seq, reserved.to_owned()));
    }
}

fn no_such_moment(ground: &Ground) {
    let (who, ledger) = (merchant(1), ground.ledger());
    send(&ledger, prepared(who));
    let before = Timestamp::from_micros(START - 1);
    for (who, as_of, code) in [
        (merchant(2), AsOf::Entry(1), "merchant_not_found"),
        (merchant(2), AsOf::Entry(0), "merchant_not_found"),
        (merchant(2), AsOf::Time(ground.now()), "merchant_not_found"),
        (who, AsOf::Entry(0), "before_first_entry"),
        (who, AsOf::Entry(3), "entry_not_found"),
        (who, AsOf::Entry(u64::MAX), "entry_not_found"),
        (who, AsOf::Time(before), "before_first_entry"),
        (who, AsOf::Time(Timestamp::MIN), "before_first_entry"),
    ] {
        assert_eq!(ledger.balances(who, as_of).wait().unwrap_err().code(), code, "{as_of:?}");
        assert_eq!(ledger.book_at(who, as_of).wait().unwrap_err().code(), code, "{as_of:?}");
    }
    assert!(ledger.explain(merchant(2), id(10)).wait().unwrap().is_none());
    assert!(ledger.explain(who, id(10)).wait().unwrap().is_none());
    for (who, seq, code) in [
        (merchant(2), 1, "merchant_not_found"),
        (who, 0, "before_first_entry"),
        (who, 3, "entry_not_found"),
        (who, u64::MAX, "entry_not_found"),
    ] {
        assert_eq!(ledger.proof(who, seq).wait().unwrap_err().code(), code, "proof of {seq}");
    }
    assert_eq!(entries(&*ground.store(), who).len(), 2);
    assert!(entries(&*ground.store(), merchant(2)).is_empty());
}

/// Damage that a read of the journal notices by itself.
const IN_JOURNAL: [Damage; 3] = [Damage::Payload, Damage::Hash, Damage::MissingEntry];

/// How many entries [`small_books`] have: a place damages the 41st.
const ENTRIES: u64 = 46;

/// Books of [`ENTRIES`] entries, each with a lead that was validated.
fn small_books(ground: &Ground, merchants: impl IntoIterator<Item = MerchantId>) {
    let ledger = ground.ledger();
    for who in merchants {
        send(&ledger, prepared(who));
        send(&ledger, [lead(who, id(CAMPAIGN), id(10), "600.00").into(), ValidateLead::new(who, id(10)).into()]);
        let payments: Vec<_> = (4..ENTRIES).map(|_| top_up(who, id(DEPOSIT), "100.00")).collect();
        commit(&*ground.store(), ground.now(), &payments);
    }
}

fn damaged_journal(ground: &Ground) {
    let books: Vec<_> = (1..).map(merchant).zip(IN_JOURNAL).collect();
    small_books(ground, books.iter().map(|(who, _)| *who));
    for (who, damage) in books.into_iter().filter(|(who, damage)| ground.damage(*who, *damage)) {
        let ledger = ground.ledger();
        let codes = [
            ledger.balances(who, AsOf::Entry(ENTRIES)).wait().unwrap_err().code(),
            ledger.book_at(who, AsOf::Entry(ENTRIES)).wait().unwrap_err().code(),
            ledger.proof(who, 1).wait().unwrap_err().code(),
        ];
        for code in codes {
            assert!(["check_failed", "store_corrupt"].contains(&code), "{damage:?}: {code}");
        }
        // What comes before the damage is told; a store may not find its way past an entry that is gone.
        if damage != Damage::MissingEntry {
            assert_eq!(balances(&ledger, who, AsOf::Entry(20)).of.seq, 20, "{damage:?}");
        }
    }
}

fn all_checked(ground: &Ground) {
    let damages = [
        Damage::DepositBalance,
        Damage::UnreadableRow,
        Damage::Payload,
        Damage::Partner,
        Damage::Hash,
        Damage::MissingEntry,
    ];
    // Between and around the damaged books are whole ones.
    let sick: BTreeMap<_, _> = (2..).step_by(2).map(merchant).zip(damages).collect();
    let all: Vec<_> = (1..=13).map(merchant).collect();
    small_books(ground, all.iter().copied());
    let damaged: Vec<_> = sick.iter().filter(|(who, damage)| ground.damage(**who, **damage)).collect();
    assert!(damaged.is_empty() || damaged.len() == damages.len(), "a place does all damage or none");
    let ledger = ground.ledger();
    let told: Arc<Mutex<Vec<CheckProgress>>> = Arc::default();
    let telling = Arc::clone(&told);
    let report = ledger
        .check_all(move |progress| {
            telling.lock().unwrap().push(*progress);
            ControlFlow::Continue(())
        })
        .wait()
        .unwrap();
    assert_eq!((report.books, &report.end), (13, &CheckEnd::Complete));
    let failed: Vec<_> = report.failures.iter().map(|failure| failure.merchant).collect();
    assert_eq!(failed, damaged.iter().map(|(who, _)| **who).collect::<Vec<_>>());
    for failure in &report.failures {
        assert!(["check_failed", "store_corrupt"].contains(&failure.error.code()), "{failure}");
        assert!(failure.to_string().contains(&failure.merchant.to_string()), "{failure}");
    }
    let whole = 13 - damaged.len() as u64;
    assert_eq!((report.entries, report.leads), (whole * ENTRIES, whole));
    assert_eq!(report.is_sound(), damaged.is_empty());
    let told = told.lock().unwrap();
    assert_eq!(told.iter().map(|progress| progress.merchant).collect::<Vec<_>>(), all);
    assert!(told.iter().zip(0..).all(|(progress, books)| progress.books == books && progress.books_total == 13));
    let last = told.last().unwrap();
    assert_eq!(
        (last.failed, last.entries, last.entries_total),
        (damaged.len() as u64, (whole - 1) * ENTRIES, 13 * ENTRIES)
    );
}

/// A store that fails where it is told to.
struct Failing {
    inner: Arc<dyn Store>,
    unavailable: MerchantId,
    panics: MerchantId,
    /// The list that begins after this book fails, the second time it is asked for.
    unlisted: Option<(MerchantId, Mutex<u32>)>,
}

crate::delegate_totals!(Failing, inner);
crate::delegate_subscribers!(Failing, inner);

impl Store for Failing {
    crate::delegate_store!(inner: transact, leads, journal);

    fn book(&self, merchant: MerchantId, needs: &Needs) -> Result<Book, StoreError> {
        assert!(merchant != self.panics, "a fault of the store");
        if merchant == self.unavailable {
            return Err(StoreError::Unavailable("planted".to_owned()));
        }
        self.inner.book(merchant, needs)
    }
    fn books(&self, query: &BookQuery, limit: usize) -> Result<Vec<(MerchantId, Head)>, StoreError> {
        if let Some((after, asked)) = &self.unlisted
            && *query == BookQuery::After(Some(*after))
        {
            let mut asked = asked.lock().unwrap();
            *asked += 1;
            if *asked > 1 {
                return Err(StoreError::Unavailable("planted".to_owned()));
            }
        }
        self.inner.books(query, limit)
    }
}

fn goes_on(ground: &Ground) {
    small_books(ground, (1..=6).map(merchant));
    let failing = |unlisted: Option<u32>| {
        let unlisted = unlisted.map(|n| (merchant(n), Mutex::new(0)));
        let (unavailable, panics) = (merchant(2), merchant(4));
        let store = Failing { inner: ground.store(), unavailable, panics, unlisted };
        ground.ledger_on(Arc::new(store), Options::default())
    };
    let outcome = |ledger: Ledger, stop: Option<MerchantId>| {
        let progress = move |progress: &CheckProgress| match stop {
            Some(stop) if stop == progress.merchant => ControlFlow::Break(()),
            _ => ControlFlow::Continue(()),
        };
        let report = ledger.check_all(progress).wait().unwrap();
        let failures: Vec<_> = report.failures.iter().map(|failure| (failure.merchant, failure.error.code())).collect();
        assert!(!report.is_sound());
        (report.books, failures, report.end)
    };
    let (second, fourth) = ((merchant(2), "store_unavailable"), (merchant(4), "internal"));
    assert_eq!(outcome(failing(None), None), (6, vec![second, fourth], CheckEnd::Complete));
    let stopped = CheckEnd::Stopped(merchant(3));
    assert_eq!(outcome(failing(None), Some(merchant(3))), (2, vec![second], stopped));
    assert_eq!(outcome(ground.ledger(), Some(merchant(1))), (0, vec![], CheckEnd::Stopped(merchant(1))));
    let unlisted = CheckEnd::Unlisted(Some(merchant(6)), StoreError::Unavailable("planted".to_owned()));
    assert_eq!(outcome(failing(Some(6)), None), (6, vec![second, fourth], unlisted));
}
