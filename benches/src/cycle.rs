//! The cycle: create a lead (reserve), validate it (capture and split), both durable; by so many callers, over so
//! many merchants, through the engine on any store.

use std::cell::RefCell;
use std::rc::Rc;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use futures::executor::LocalPool;
use futures::task::LocalSpawnExt;
use leadledger::{
    Books, CampaignId, CreateLead, Ledger, MerchantId, OpenDeposit, Options, PartnerId, RegisterCampaign, Scope, Store,
    StoreError, SystemClock, ValidateLead,
};
use rust_decimal::Decimal;

use crate::Fault;

/// As long as the texts in which the engine keeps the counts of a book, a partner and a deposit after some thousand leads:
/// what a bare program writes for the same rows.
pub const COUNTS_BYTES: [usize; 3] = [376, 149, 149];

/// What a run measured.
#[derive(Clone, Debug)]
pub struct Measured {
    /// Cycles that were finished, per second.
    pub cycles_per_second: u64,
    /// Of one command, from sending it to its answer: half of them took no longer.
    pub p50_micros: u64,
    /// 99 in 100 took no longer.
    pub p99_micros: u64,
    /// Commands in one commit, on average.
    pub batch: u64,
}

/// A store, counting its commits.
struct Counted {
    store: Arc<dyn Store>,
    commits: Arc<AtomicU64>,
}

leadledger::delegate_totals!(Counted, store);
leadledger::delegate_subscribers!(Counted, store);

impl Store for Counted {
    leadledger::delegate_store!(store: lanes, book, leads, journal, books);

    fn transact(&self, lane: usize, scope: &Scope, work: &mut dyn FnMut(&mut Books)) -> Result<(), StoreError> {
        self.commits.fetch_add(1, Ordering::Relaxed);
        self.store.transact(lane, scope, work)
    }
}

/// A merchant that takes leads, and a partner that brings them.
#[derive(Clone, Copy)]
pub struct Shop {
    /// The merchant.
    pub merchant: MerchantId,
    /// Its campaign.
    pub campaign: CampaignId,
    /// The partner.
    pub partner: PartnerId,
}

impl Shop {
    /// A lead of `value`.
    pub fn lead(&self, value: Decimal) -> CreateLead {
        CreateLead::new(self.merchant, self.campaign, self.partner, value)
    }
}

/// Sets up `count` merchants, each with a campaign and money for any number of leads.
pub fn shops(ledger: &Ledger, count: usize) -> Result<Vec<Shop>, Fault> {
    let mut shops = Vec::with_capacity(count);
    let mut pending = Vec::new();
    for _ in 0..count {
        let merchant = MerchantId::generate();
        let campaign = CampaignId::generate();
        let mut register = RegisterCampaign::new(merchant);
        register.campaign = Some(campaign);
        let register = ledger.register_campaign(register).send();
        let open = ledger.open_deposit(OpenDeposit::new(merchant, "50000000000.00".parse()?)).send();
        pending.push((register, open));
        shops.push(Shop { merchant, campaign, partner: PartnerId::generate() });
    }
    for (register, open) in pending {
        register.wait()?;
        open.wait()?;
    }
    Ok(shops)
}

/// One caller's cycle.
async fn cycle(ledger: &Ledger, shop: Shop, latencies: &RefCell<Vec<u64>>) -> Result<(), Fault> {
    let micros = |since: Instant| u64::try_from(since.elapsed().as_micros()).unwrap_or(u64::MAX);
    let begun = Instant::now();
    let lead = ledger.create_lead(shop.lead("600.00".parse()?)).await?.answer.lead;
    latencies.borrow_mut().push(micros(begun));
    let begun = Instant::now();
    let mut validate = ValidateLead::new(shop.merchant, lead);
    validate.score = Some(8);
    ledger.validate_lead(validate).await?;
    latencies.borrow_mut().push(micros(begun));
    Ok(())
}

/// Runs cycles for `length`, by `callers` at once, over `merchants`.
pub fn run(store: Arc<dyn Store>, callers: usize, merchants: usize, length: Duration) -> Result<Measured, Fault> {
    let commits = Arc::new(AtomicU64::new(0));
    let counted = Counted { store, commits: Arc::clone(&commits) };
    let ledger = Ledger::with(counted, SystemClock, Options::default())?;
    let shops = Rc::new(shops(&ledger, merchants)?);
    let latencies = Rc::new(RefCell::new(Vec::new()));
    let failed = Rc::new(RefCell::new(None));
    let mut pool = LocalPool::new();
    commits.store(0, Ordering::Relaxed);
    let begun = Instant::now();
    for caller in 0..callers {
        let (ledger, shops, latencies) = (ledger.clone(), Rc::clone(&shops), Rc::clone(&latencies));
        let failed = Rc::clone(&failed);
        pool.spawner().spawn_local(async move {
            let mut turn = caller;
            while begun.elapsed() < length && failed.borrow().is_none() {
                let Some(shop) = shops.get(turn % shops.len()) else { return };
                if let Err(fault) = cycle(&ledger, *shop, &latencies).await {
                    *failed.borrow_mut() = Some(fault);
                }
                turn += callers;
            }
        })?;
    }
    pool.run();
    let elapsed = begun.elapsed();
    if let Some(fault) = failed.borrow_mut().take() {
        return Err(fault);
    }
    for shop in shops.iter().take(2) {
        ledger.check(shop.merchant).wait()?;
    }
    let mut latencies = latencies.borrow_mut();
    latencies.sort_unstable();
    let at = |percent: usize| latencies.get(latencies.len() * percent / 100).copied().unwrap_or(0);
    let commands = u64::try_from(latencies.len())?;
    Ok(Measured {
        cycles_per_second: per_second(commands / 2, elapsed),
        p50_micros: at(50),
        p99_micros: at(99),
        batch: commands / commits.load(Ordering::Relaxed).max(1),
    })
}

/// A rate, rounded down.
pub fn per_second(count: u64, elapsed: Duration) -> u64 {
    let micros = elapsed.as_micros().max(1);
    u64::try_from(u128::from(count) * 1_000_000 / micros).unwrap_or(u64::MAX)
}
