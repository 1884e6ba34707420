//! What is due: loaded in its order and within the limit, listed over all books, and settled before anybody looks.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use super::Case;
use super::ground::{CAMPAIGN, DEPOSIT, Ground, commit, entries, id, lead, merchant, prepared, scope, send};
use crate::answer::DueSettled;
use crate::book::{Book, DueLoaded};
use crate::command::{Command, RegisterCampaign, RejectLead, RunDue, SetAgreement, ValidateLead};
use crate::entry::Kind;
use crate::error::StoreError;
use crate::ids::{LeadId, MerchantId};
use crate::lead::{Due, LeadStatus};
use crate::ledger::Options;
use crate::store::{BookQuery, Books, LeadQuery, Needs, Scope, Store};
use crate::text::Paragraph;
use crate::time::Timestamp;

pub(super) const CASES: &[Case] = &[
    ("what is due is loaded, the longest due first, within the limit", loaded_in_order),
    ("leads that are loaded already do not hide what is due", loaded_among_others),
    ("books are listed: what is due, the longest first; all by merchant; some; at most so many", listed),
    ("a book whose due leads were decided is due no more", listed_no_more),
    ("what is due is settled before a command and before a read", settled_first),
    ("a backlog is settled in bounded commits, in order", bounded),
];

/// Leads 20.. with windows of 5, 3, 1, 4, 2 hours and a maturity between them.
fn backlog(merchant: MerchantId) -> Vec<Command> {
    let mut commands = prepared(merchant).to_vec();
    for (n, hours) in [(0, 5), (1, 3), (2, 1), (3, 4), (4, 2)] {
        let mut campaign = RegisterCampaign::new(merchant);
        campaign.campaign = Some(id(40 + n));
        campaign.validation_window_hours = Some(hours);
        commands.extend([campaign.into(), lead(merchant, id(40 + n), id(20 + n), "600.00").into()]);
    }
    let mut agreement = SetAgreement::new(merchant, super::ground::partner(1), "30".parse().unwrap());
    agreement.payout_delay_days = Some(1);
    let held = lead(merchant, id(CAMPAIGN), id(25), "600.00");
    commands.extend([agreement.into(), held.into(), ValidateLead::new(merchant, id(25)).into()]);
    commands
}

/// The order in which [`backlog`] is due.
const ORDER: [u32; 6] = [22, 24, 21, 23, 20, 25];

/// What of a loaded book can be settled: what is due, as far as it says that it is loaded.
fn reachable(book: &Book, now: Timestamp) -> Vec<LeadId> {
    let within = |due: &Due| match book.due_loaded {
        DueLoaded::Some => false,
        DueLoaded::UpTo(horizon) => *due <= horizon,
        DueLoaded::All => true,
    };
    book.due.iter().filter(|(due, _)| due.at <= now && within(due)).map(|(_, id)| *id).collect()
}

fn loaded_in_order(ground: &Ground) {
    let who = merchant(1);
    commit(&*ground.store(), ground.now(), &backlog(who));
    let store = ground.store();
    for (hour, count) in [(0, 0), (1, 1), (3, 3), (5, 5), (24, 6)] {
        for limit in 1..8 {
            let mut scope = scope(ground.at_hour(hour));
            scope.due_limit = limit;
            scope.books.insert(who, Needs::default());
            store
                .transact(0, &scope, &mut |books| {
                    let book = books[&who].as_ref().unwrap();
                    let found = reachable(book, scope.now);
                    let expected: Vec<LeadId> = ORDER[..count.min(limit)].iter().map(|n| id(*n)).collect();
                    assert_eq!(found, expected, "at hour {hour}, limit {limit}");
                    if count > limit {
                        assert_ne!(book.due_loaded, DueLoaded::All, "at hour {hour}, limit {limit}");
                    }
                    for lead in found.iter().map(|id| book.leads.get(id).unwrap()) {
                        assert!(book.deposits.get(&lead.deposit).is_some());
                        assert!(book.partners.knows(&(lead.partner, lead.currency)));
                    }
                })
                .unwrap();
        }
    }
}

fn loaded_among_others(ground: &Ground) {
    let (store, who) = (ground.store(), merchant(1));
    commit(&*store, ground.now(), &backlog(who));
    let mut scope = scope(ground.at_hour(4));
    scope.due_limit = 2;
    // The one that is due last is asked for by name; it must not pass for the next one.
    scope.books.insert(who, Needs { leads: [id(20), id(23)].into(), ..Needs::default() });
    for _ in 0..2 {
        store
            .transact(0, &scope, &mut |books| {
                let found = reachable(books[&who].as_ref().unwrap(), scope.now);
                assert_eq!(found, [id(22), id(24)]);
            })
            .unwrap();
    }
}

fn listed(ground: &Ground) {
    let store = ground.store();
    let windows = [(1, 5), (2, 2), (3, 9), (4, 2), (5, 1)];
    for (n, hours) in windows {
        let mut campaign = RegisterCampaign::new(merchant(n));
        campaign.campaign = Some(id(40));
        campaign.validation_window_hours = Some(hours);
        let lead = lead(merchant(n), id(40), id(20), "600.00");
        commit(&*store, ground.now(), &prepared(merchant(n)));
        commit(&*store, ground.now(), &[campaign.into(), lead.into()]);
    }
    commit(&*store, ground.now(), &prepared(merchant(6)));
    let all: Vec<_> = [5, 2, 4, 1, 3].map(merchant).into();
    for (hour, count) in [(0, 0), (1, 1), (2, 3), (4, 3), (5, 4), (9, 5), (1_000, 5)] {
        for limit in [0, 1, 2, 10] {
            let found = due(&*store, ground.at_hour(hour), limit);
            assert_eq!(found, all[..count.min(limit)], "at hour {hour}, limit {limit}");
        }
    }
    assert!(due(&*store, Timestamp::from_micros(ground.at_hour(1).micros() - 1), 10).is_empty());
    let everyone: Vec<_> = (1..=6).map(merchant).collect();
    for (last, skipped) in [(None, 0), (Some(merchant(0)), 0), (Some(merchant(2)), 2), (Some(merchant(6)), 6)] {
        for limit in [0, 1, 4, 10] {
            let expected: Vec<_> = everyone.iter().skip(skipped).take(limit).copied().collect();
            assert_eq!(listing(&*store, &BookQuery::After(last), limit), expected, "after {last:?}, limit {limit}");
        }
    }
    let asked = BookQuery::Of([merchant(4), merchant(9), merchant(2)].into());
    assert_eq!(listing(&*store, &asked, 10), [merchant(2), merchant(4)]);
    for (who, head) in store.books(&asked, 10).unwrap() {
        assert_eq!(head, store.book(who, &Needs::default()).unwrap().head);
    }
}

fn listing(store: &dyn Store, query: &BookQuery, limit: usize) -> Vec<MerchantId> {
    store.books(query, limit).unwrap().into_iter().map(|(merchant, _)| merchant).collect()
}

fn due(store: &dyn Store, now: Timestamp, limit: usize) -> Vec<MerchantId> {
    listing(store, &BookQuery::Due(now), limit)
}

fn listed_no_more(ground: &Ground) {
    let (ledger, store) = (ground.ledger(), ground.store());
    for who in [merchant(1), merchant(2)] {
        send(&ledger, prepared(who));
        send(&ledger, [lead(who, id(CAMPAIGN), id(20), "600.00").into()]);
    }
    send(&ledger, [RejectLead::new(merchant(1), id(20), Paragraph::new("no").unwrap()).into()]);
    let now = ground.at_hour(72);
    let done = ledger.run_due_everywhere(10).wait().unwrap();
    assert_eq!(done.0, DueSettled { expired: 1, accepted: 0, matured: 0 });
    assert_eq!(due(&*store, now, 10), [], "a book stays on the list");
    assert_eq!((entries(&*store, merchant(1)).len(), entries(&*store, merchant(2)).len()), (4, 4));
}

fn settled_first(ground: &Ground) {
    let (ledger, who) = (ground.ledger(), merchant(1));
    let clean = |n: u32| {
        ground.at_hour(0);
        let who = merchant(n);
        send(&ledger, prepared(who));
        send(&ledger, [lead(who, id(CAMPAIGN), id(20), "600.00").into()]);
        ground.at_hour(72);
        who
    };
    // Each look at a book of its own, so that no other look settles it first.
    let deposit = ledger.deposit(clean(10), id(DEPOSIT)).wait().unwrap().unwrap();
    assert_eq!(deposit.reserved.to_string(), "0.00");
    assert_eq!(ledger.deposits(clean(11)).wait().unwrap()[0].reserved.to_string(), "0.00");
    let seen = ledger.lead(clean(12), id(20)).wait().unwrap().unwrap();
    assert_eq!((seen.lead.status, seen.review_priority), (LeadStatus::Expired, None));
    let page = ledger.leads(LeadQuery::of(clean(13))).wait().unwrap();
    assert_eq!(page.items[0].lead.status, LeadStatus::Expired);
    let book = ledger.book(clean(14)).wait().unwrap();
    assert_eq!(book.leads[&id(20)].status, LeadStatus::Expired);
    let statement = ledger.statement(clean(15), id(DEPOSIT), None, 10).wait().unwrap().unwrap();
    assert_eq!(statement.lines.len(), 1);
    // A refused command settles too, and is refused for what it then finds.
    let late = ledger.validate_lead(ValidateLead::new(clean(16), id(20))).wait().unwrap_err();
    assert_eq!(late.code(), "lead_expired");
    assert_eq!(ledger.events(merchant(16), 0, 10).wait().unwrap().len(), 4);
    // One microsecond before, it is still pending.
    send(&ledger, prepared(who));
    let created = ground.now();
    send(&ledger, [lead(who, id(CAMPAIGN), id(20), "600.00").into()]);
    ground.clock.set(Timestamp::from_micros(created.plus_hours(72).micros() - 1));
    send(&ledger, [ValidateLead::new(who, id(20)).into()]);
}

/// A store that counts the entries of each commit.
struct Counting {
    inner: Arc<dyn Store>,
    most: Arc<AtomicUsize>,
}

crate::delegate_totals!(Counting, inner);
crate::delegate_subscribers!(Counting, inner);

impl Store for Counting {
    crate::delegate_store!(inner: book, leads, journal, books);

    fn transact(&self, lane: usize, scope: &Scope, work: &mut dyn FnMut(&mut Books)) -> Result<(), StoreError> {
        self.inner.transact(lane, scope, &mut |books| {
            work(books);
            let entries = books.values().flatten().map(|book| book.new_entries.len()).sum();
            self.most.fetch_max(entries, Ordering::SeqCst);
        })
    }
}

fn bounded(ground: &Ground) {
    let (who, most) = (merchant(1), Arc::new(AtomicUsize::new(0)));
    commit(&*ground.store(), ground.now(), &backlog(who));
    let leads: Vec<_> = (100..120).map(|n| lead(who, id(CAMPAIGN), id(n), "600.00").into()).collect();
    commit(&*ground.store(), ground.now(), &leads);
    let store = Arc::new(Counting { inner: ground.store(), most: Arc::clone(&most) });
    let ledger = ground.ledger_on(store, Options { due_step: 4, ..Options::default() });
    ground.at_hour(72);
    let before = entries(&*ground.store(), who).len();
    let done = ledger.run_due(RunDue::new(who)).wait().unwrap();
    assert_eq!(done.answer, DueSettled { expired: 25, accepted: 0, matured: 1 });
    let most = most.load(Ordering::SeqCst);
    assert!((4..=5).contains(&most), "{most} entries in a commit: four leads, and perhaps the command itself");
    let after = entries(&*ground.store(), who);
    let times: Vec<_> = after[before..].iter().map(|recorded| recorded.entry.at).collect();
    assert_eq!(times.len(), 27);
    assert!(times.is_sorted(), "what is due first happens first");
    let matured = after[before..].iter().position(|recorded| recorded.entry.kind == Kind::PART_MATURED);
    assert_eq!(matured, Some(5));
    ledger.check(who).wait().unwrap();
}
