//! Lists of leads: every filter, both orders, page by page, compared with the memory store.

use super::Case;
use super::ground::{CAMPAIGN, Ground, commit, id, lead, merchant, partner, prepared};
use super::story::{CAMPAIGNS, in_memory, on};
use crate::command::ValidateLead;
use crate::error::StoreError;
use crate::ids::LeadId;
use crate::lead::{Lead, LeadStatus, Source};
use crate::store::{Cursor, LeadOrder, LeadQuery, Store};

pub(super) const CASES: &[Case] = &[
    ("leads are listed by every filter in both orders, page by page", pages),
    ("a page goes on where the one before ended, whatever happened meanwhile", pages_in_motion),
    ("a cursor of another store is refused", foreign_cursors),
    ("no merchant's leads are listed for another", apart),
];

/// All pages of a query, each at most `limit` long.
fn all(store: &dyn Store, mut query: LeadQuery) -> Vec<(LeadId, Lead)> {
    let mut found = Vec::new();
    for _ in 0..1_000 {
        let page = store.leads(&query).unwrap();
        assert!(page.items.len() <= query.limit, "{query:?}: a page of {}", page.items.len());
        found.extend(page.items);
        query.after = page.next;
        if query.after.is_none() {
            return found;
        }
    }
    panic!("{query:?}: the pages do not end");
}

fn pages(ground: &Ground) {
    let merchants = [merchant(1), merchant(2)];
    let (model, _ledger) = in_memory(&merchants);
    drop(on(ground, &merchants));
    let store = ground.store();
    let some = |n: u32| (n > 0).then_some(n);
    let mut listed = 0;
    for order in [LeadOrder::Newest, LeadOrder::ReviewPriority] {
        for status in std::iter::once(None).chain(LeadStatus::ALL.iter().copied().map(Some)) {
            for campaign in (0..3).map(|n| some(n).map(|n| id(CAMPAIGNS[n as usize - 1]))) {
                for partner in (0..4).map(|n| some(n).map(partner)) {
                    for source in [None, Some(Source::Tiktok), Some(Source::Other)] {
                        let filters = [campaign.is_some(), partner.is_some(), source.is_some()];
                        let alone = filters.iter().filter(|filter| **filter).count() < 2;
                        for limit in if alone { &[1, 3, 100][..] } else { &[4][..] } {
                            let query = LeadQuery {
                                status,
                                campaign,
                                partner,
                                source,
                                order,
                                limit: *limit,
                                ..LeadQuery::of(merchants[0])
                            };
                            let found = all(&*store, query.clone());
                            assert_eq!(found, all(&*model, query.clone()), "{query:?}");
                            listed += found.len();
                        }
                    }
                }
            }
        }
    }
    assert!(listed > 500, "only {listed} leads were compared");
}

fn pages_in_motion(ground: &Ground) {
    let (store, who) = (ground.store(), merchant(1));
    commit(&*store, ground.now(), &prepared(who));
    let create = |n| lead(who, id(CAMPAIGN), id(n), "600.00").into();
    commit(&*store, ground.now(), &(10..20).map(create).collect::<Vec<_>>());
    let ids = |numbers: &[u32]| numbers.iter().map(|n| id(*n)).collect::<Vec<LeadId>>();
    let orders = [
        (LeadOrder::ReviewPriority, [[10, 11, 12], [13, 14, 15]]),
        (LeadOrder::Newest, [[101, 100, 19], [18, 17, 16]]),
    ];
    let mut newer = 100..;
    for (order, expected) in orders {
        let mut query = LeadQuery { status: Some(LeadStatus::Pending), order, limit: 3, ..LeadQuery::of(who) };
        for (place, expected) in expected.into_iter().enumerate() {
            assert_eq!(query.after.is_some(), place > 0, "{order:?}: the second page is missing");
            let page = store.leads(&query).unwrap();
            assert_eq!(page.items.iter().map(|(id, _)| *id).collect::<Vec<_>>(), ids(&expected), "{order:?}");
            // All of the page are decided on, the last one too, and a newer one comes.
            let validate = |n: u32| ValidateLead::new(who, id(n)).into();
            commit(&*store, ground.now(), &expected.map(validate));
            commit(&*store, ground.now(), &newer.next().map(create).into_iter().collect::<Vec<_>>());
            query.after = page.next;
        }
    }
}

fn foreign_cursors(ground: &Ground) {
    let (store, who) = (ground.store(), merchant(1));
    commit(&*store, ground.now(), &prepared(who));
    commit(&*store, ground.now(), &[lead(who, id(CAMPAIGN), id(10), "600.00").into()]);
    for text in ["", "elsewhere:1", "elsewhere:lead:1:1", "1", "memory:x", "sqlite:lead:x:1", "postgres:"] {
        for order in [LeadOrder::Newest, LeadOrder::ReviewPriority] {
            let after = Some(Cursor(text.to_owned()));
            let refused = store.leads(&LeadQuery { order, after, ..LeadQuery::of(who) });
            assert!(matches!(refused, Err(StoreError::Foreign(_))), "{text:?}: {refused:?}");
        }
    }
}

fn apart(ground: &Ground) {
    let (store, one, other) = (ground.store(), merchant(1), merchant(2));
    for who in [one, other] {
        commit(&*store, ground.now(), &prepared(who));
    }
    commit(&*store, ground.now(), &[lead(one, id(CAMPAIGN), id(10), "600.00").into()]);
    // The same id in another book is another lead.
    commit(&*store, ground.now(), &[lead(other, id(CAMPAIGN), id(10), "700.00").into()]);
    commit(&*store, ground.now(), &[ValidateLead::new(other, id(10)).into()]);
    for (who, value, status) in [(one, 60_000, LeadStatus::Pending), (other, 70_000, LeadStatus::Validated)] {
        let found = all(&*store, LeadQuery::of(who));
        assert_eq!(found.len(), 1);
        assert_eq!((found[0].1.value_minor, found[0].1.status), (value, status));
    }
}
