//! What a conformance case stands on: a place, a clock, and short words for what most cases do first.

use std::sync::Arc;

use uuid::Uuid;

use super::{Damage, Place};
use crate::answer::DueSettled;
use crate::command::{Command, CreateLead, OpenDeposit, RegisterCampaign, TopUpDeposit};
use crate::decide::{Decision, decide};
use crate::entry::Recorded;
use crate::error::StoreError;
use crate::ids::{CampaignId, DepositId, LeadId, MerchantId, PartnerId};
use crate::ledger::{Ledger, Options};
use crate::refusal::Refusal;
use crate::settings::Settings;
use crate::store::{Books, JournalQuery, Needs, Scope, Store};
use crate::time::{Clock, ManualClock, Timestamp};

pub(super) struct Ground {
    place: Box<dyn Place>,
    pub(super) clock: Arc<ManualClock>,
}

/// 2026-01-05T08:00:00Z, a Monday.
pub(super) const START: i64 = 1_767_600_000_000_000;

impl Ground {
    pub(super) fn new(place: Box<dyn Place>) -> Self {
        Self { place, clock: Arc::new(ManualClock::new(Timestamp::from_micros(START))) }
    }

    /// A handle on the place's books.
    pub(super) fn store(&self) -> Arc<dyn Store> {
        self.place.open()
    }

    /// A ledger on a handle of its own.
    pub(super) fn ledger(&self) -> Ledger {
        self.ledger_on(self.store(), Options::default())
    }

    pub(super) fn ledger_on(&self, store: Arc<dyn Store>, options: Options) -> Ledger {
        Ledger::with_shared(store, self.clock.clone(), options).unwrap()
    }

    /// The time so many hours after the start.
    pub(super) fn at_hour(&self, hours: u32) -> Timestamp {
        let at = Timestamp::from_micros(START).plus_hours(hours);
        self.clock.set(at);
        at
    }

    pub(super) fn now(&self) -> Timestamp {
        self.clock.now()
    }

    /// See [`Place::settle`].
    pub(super) fn settle(&self) {
        self.place.settle();
    }

    pub(super) fn damage(&self, merchant: MerchantId, damage: Damage) -> bool {
        self.place.damage(merchant, damage)
    }
}

/// The id number `n` of a kind, the same in every run.
pub(super) fn id<T: From<Uuid>>(n: u32) -> T {
    Uuid::from_u128(0x0190_0000_0000_7000_8000_0000_0000_0000 | u128::from(n)).into()
}

pub(super) fn merchant(n: u32) -> MerchantId {
    id(n)
}

/// Commits commands in one transaction, decided as the engine does; refusals are the case's mistake.
pub(super) fn commit(store: &dyn Store, now: Timestamp, commands: &[Command]) {
    try_commit(store, now, commands).unwrap();
}

pub(super) fn try_commit(store: &dyn Store, now: Timestamp, commands: &[Command]) -> Result<(), StoreError> {
    let mut scope = scope(now);
    for command in commands {
        scope.books.entry(command.merchant()).or_default().add(command, None);
    }
    // A store may call again, on fresher books: only the last call counts.
    let mut taken = Ok(());
    let outcome = store.transact(0, &scope, &mut |books| {
        taken = commands.iter().try_for_each(|command| take(books, now, command));
    });
    taken.unwrap();
    outcome
}

/// Decides one command on the loaded books.
pub(super) fn take(books: &mut Books, now: Timestamp, command: &Command) -> Result<(), Refusal> {
    let Some(Ok(book)) = books.get_mut(&command.merchant()) else { return Ok(()) };
    match decide(book, &Settings::default(), now, command, DueSettled::default()) {
        Ok(Decision::Accept(entry)) => _ = book.record(entry, None).unwrap(),
        Ok(Decision::Repeat(_)) => {}
        Err(refused) => match refused.missed {
            Some((lead, missed)) => book.missed.put(lead, missed),
            None => return Err(refused.refusal),
        },
    }
    Ok(())
}

pub(super) fn scope(now: Timestamp) -> Scope {
    Scope { now, due_limit: 100, books: std::collections::BTreeMap::new() }
}

pub(super) fn everything() -> Needs {
    Needs { everything: true, ..Needs::default() }
}

/// All of one book's entries, in order.
pub(super) fn entries(store: &dyn Store, merchant: MerchantId) -> Vec<Recorded> {
    store.journal(&JournalQuery::After { merchant, seq: 0 }, 100_000).unwrap().items
}

pub(super) fn open(merchant: MerchantId, deposit: DepositId, amount: &str) -> Command {
    OpenDeposit { deposit: Some(deposit), ..OpenDeposit::new(merchant, amount.parse().unwrap()) }.into()
}

pub(super) fn top_up(merchant: MerchantId, deposit: DepositId, amount: &str) -> Command {
    TopUpDeposit::new(merchant, deposit, amount.parse().unwrap()).into()
}

pub(super) fn register(merchant: MerchantId, campaign: CampaignId) -> Command {
    RegisterCampaign { campaign: Some(campaign), ..RegisterCampaign::new(merchant) }.into()
}

pub(super) fn lead(merchant: MerchantId, campaign: CampaignId, lead: LeadId, value: &str) -> CreateLead {
    CreateLead { lead: Some(lead), ..CreateLead::new(merchant, campaign, partner(1), value.parse().unwrap()) }
}

pub(super) fn partner(n: u32) -> PartnerId {
    id(9_000 + n)
}

/// The deposit and the campaign of [`prepared`].
pub(super) const DEPOSIT: u32 = 1;
pub(super) const CAMPAIGN: u32 = 2;

/// A book with a campaign and 5000.00 in a deposit, by two entries.
pub(super) fn prepared(merchant: MerchantId) -> [Command; 2] {
    [open(merchant, id(DEPOSIT), "5000.00"), register(merchant, id(CAMPAIGN))]
}

/// Sends commands one after another; refusals are the case's mistake.
pub(super) fn send(ledger: &Ledger, commands: impl IntoIterator<Item = Command>) {
    for command in commands {
        let name = command.name();
        if let Err(fault) = ledger.submit(command).wait() {
            panic!("{name}: {fault}");
        }
    }
}
