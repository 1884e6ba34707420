//! What callers do to books while something breaks, and how it is shown afterwards that every command that was
//! acknowledged was done once, and none twice.

#![allow(dead_code, clippy::unwrap_used, clippy::panic, missing_docs, unreachable_pub)]

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::ops::Range;
use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use leadledger::{
    Books, CampaignId, Command, CreateLead, Cursor, DepositId, Error, Fact, JournalQuery, LeadId, Ledger, MerchantId,
    Needs, OpenDeposit, Paragraph, PartnerId, Pending, Recorded, Reference, RegisterCampaign, RejectLead, Scope, Store,
    StoreError, TopUpDeposit, ValidateLead,
};
use leadledger_postgres::PostgresStore;
use uuid::Uuid;

use crate::common::{Direct, direct};

pub fn id<T: From<Uuid>>(n: u64) -> T {
    Uuid::from_u128(0x0190_0000_0000_7000_8000_0000_0000_0000 | u128::from(n)).into()
}

pub fn merchants(numbers: Range<u64>) -> Vec<MerchantId> {
    numbers.map(id).collect()
}

fn deposit() -> DepositId {
    id(1)
}

fn campaign() -> CampaignId {
    id(2)
}

/// A command, and by what its effect is known in the journal.
#[derive(Clone, Debug)]
pub struct Step {
    pub command: Command,
    pub key: Option<String>,
    pub mark: String,
}

impl Step {
    fn new(command: impl Into<Command>, mark: String) -> Self {
        Self { command: command.into(), key: None, mark }
    }

    pub fn open(who: MerchantId) -> Self {
        let open = OpenDeposit { deposit: Some(deposit()), ..OpenDeposit::new(who, "100000.00".parse().unwrap()) };
        Self::new(open, format!("{who} opened"))
    }

    pub fn register(who: MerchantId) -> Self {
        let register = RegisterCampaign { campaign: Some(campaign()), ..RegisterCampaign::new(who) };
        Self::new(register, format!("{who} registered"))
    }

    pub fn pay(who: MerchantId, n: u64) -> Self {
        let reference = Some(Reference::new(format!("payment-{n}")).unwrap());
        let pay = TopUpDeposit { reference, ..TopUpDeposit::new(who, deposit(), "100.00".parse().unwrap()) };
        Self::new(pay, format!("{who} paid payment-{n}"))
    }

    pub fn create(who: MerchantId, n: u64) -> Self {
        let create = CreateLead::new(who, campaign(), id::<PartnerId>(3), "600.00".parse().unwrap());
        let lead: LeadId = id(n);
        Self::new(CreateLead { lead: Some(lead), ..create }, format!("{who} created {lead}"))
    }

    pub fn validate(who: MerchantId, n: u64) -> Self {
        let lead: LeadId = id(n);
        Self::new(ValidateLead::new(who, lead), format!("{who} validated {lead}"))
    }

    pub fn reject(who: MerchantId, n: u64) -> Self {
        let lead: LeadId = id(n);
        Self::new(RejectLead::new(who, lead, Paragraph::new("no answer").unwrap()), format!("{who} rejected {lead}"))
    }

    /// With its mark as its idempotency key.
    pub fn keyed(self) -> Self {
        Self { key: Some(self.mark.replace(' ', ".")), ..self }
    }

    pub fn send(&self, ledger: &Ledger) -> Pending<()> {
        let call = ledger.submit(self.command.clone());
        match &self.key {
            Some(key) => call.key(key.clone()).send(),
            None => call.send(),
        }
    }
}

/// The mark of the command behind an entry; none for what time did.
pub fn mark(recorded: &Recorded) -> Option<String> {
    let who = recorded.merchant;
    recorded.entry.facts.iter().find_map(|fact| match fact {
        Fact::DepositOpened { .. } => Some(format!("{who} opened")),
        Fact::CampaignRegistered { .. } => Some(format!("{who} registered")),
        Fact::PaidIn { reference: Some(reference), .. } => Some(format!("{who} paid {reference}")),
        Fact::LeadCreated { lead, .. } => Some(format!("{who} created {lead}")),
        Fact::LeadValidated { lead, .. } => Some(format!("{who} validated {lead}")),
        Fact::LeadRejected { lead } => Some(format!("{who} rejected {lead}")),
        _ => None,
    })
}

/// Books that callers can work on.
pub fn prepare(ledger: &Ledger, merchants: &[MerchantId]) {
    let steps = merchants.iter().flat_map(|who| [Step::open(*who), Step::register(*who)]);
    let sent: Vec<_> = steps.map(|step| step.send(ledger)).collect();
    sent.into_iter().for_each(|pending| _ = pending.wait().unwrap());
}

/// One caller among many.
#[derive(Clone, Copy, Debug)]
pub struct Caller {
    pub number: u64,
    pub keyed: bool,
}

impl Caller {
    /// The first half with keys, the others without.
    pub fn all(numbers: Range<u64>) -> impl Iterator<Item = Self> {
        let half = numbers.start.midpoint(numbers.end);
        numbers.map(move |number| Self { number, keyed: number < half })
    }

    /// Pays, creates a lead, and decides on it, in turn. Without keys it decides nothing: it could not know whether the
    /// lead is there.
    pub fn step(&self, merchants: &[MerchantId], round: u64) -> Step {
        let (turn, kind) = (round / 3, round % 3);
        let places = u64::try_from(merchants.len()).unwrap();
        // Callers meet everywhere, and all books are met.
        let who = merchants[usize::try_from((self.number + turn * 101) % places).unwrap()];
        let n = (self.number + 1) << 32 | round << 2;
        let lead = (self.number + 1) << 32 | turn << 2 | 1;
        let step = match kind {
            0 => Step::pay(who, n),
            1 => Step::create(who, lead),
            _ if !self.keyed => Step::pay(who, n),
            _ if turn % 2 == 0 => Step::validate(who, lead),
            _ => Step::reject(who, lead),
        };
        if self.keyed { step.keyed() } else { step }
    }
}

/// What callers were told, kept outside the database.
#[derive(Debug, Default)]
pub struct Told {
    /// By mark, with the entry's number.
    pub acknowledged: Mutex<BTreeMap<String, u64>>,
    /// Commands that failed for good, and whose outcome nobody knows.
    pub unknown: AtomicU64,
    /// Commands that failed for good, of which nothing may be there.
    pub undone: Mutex<BTreeSet<String>>,
    /// Commands that failed and were sent again.
    pub retried: AtomicU64,
}

impl Told {
    pub fn count(&self) -> u64 {
        u64::try_from(self.acknowledged.lock().unwrap().len()).unwrap()
    }

    pub fn acknowledge(&self, mark: String, seq: u64) {
        let before = self.acknowledged.lock().unwrap().insert(mark.clone(), seq);
        assert_eq!(before, None, "{mark} was acknowledged twice");
    }

    /// Notes a failure of a command that is not sent again.
    pub fn give_up(&self, mark: String, fault: &Error) {
        match fault.code() {
            "store_outcome_unknown" => _ = self.unknown.fetch_add(1, Ordering::SeqCst),
            "store_unavailable" => _ = self.undone.lock().unwrap().insert(mark),
            _ => panic!("{mark}: {fault}"),
        }
    }

    /// One caller's rounds; a command with a key is sent until it is acknowledged.
    pub fn drive(&self, caller: Caller, ledger: &Ledger, merchants: &[MerchantId], rounds: Range<u64>) {
        for round in rounds {
            let step = caller.step(merchants, round);
            loop {
                match step.send(ledger).wait() {
                    Ok(done) => break self.acknowledge(step.mark, done.entry.seq),
                    Err(fault) if fault.is_transient() && caller.keyed => {
                        self.retried.fetch_add(1, Ordering::SeqCst);
                    }
                    Err(fault) => break self.give_up(step.mark, &fault),
                }
            }
        }
    }

    /// Checks the books, and that each holds what was acknowledged once, and nothing twice. Gives the number of entries.
    pub fn audit(&self, ledger: &Ledger, merchants: &[MerchantId]) -> u64 {
        const AT_ONCE: usize = 4;
        let found = std::thread::scope(|scope| {
            let chunks = merchants.chunks(merchants.len().div_ceil(AT_ONCE).max(1));
            let threads: Vec<_> = chunks.map(|chunk| scope.spawn(|| found(ledger, chunk))).collect();
            threads.into_iter().flat_map(|thread| thread.join().unwrap()).collect::<BTreeMap<_, _>>()
        });
        let undone = self.undone.lock().unwrap();
        for (mark, seqs) in &found {
            assert_eq!(seqs.len(), 1, "{mark} is there more than once: {seqs:?}");
            assert!(!undone.contains(mark), "{mark} failed, and is there");
        }
        let acknowledged = self.acknowledged.lock().unwrap();
        let whose: BTreeSet<String> = merchants.iter().map(ToString::to_string).collect();
        for (mark, seq) in acknowledged.iter() {
            let (who, _) = mark.split_once(' ').unwrap();
            if whose.contains(who) {
                assert_eq!(found.get(mark), Some(&vec![*seq]), "{mark} was acknowledged");
            }
        }
        u64::try_from(found.len()).unwrap()
    }
}

/// Every command that is in these books, with its entries' numbers.
fn found(ledger: &Ledger, merchants: &[MerchantId]) -> BTreeMap<String, Vec<u64>> {
    let mut found: BTreeMap<String, Vec<u64>> = BTreeMap::new();
    for who in merchants {
        let report = ledger.check(*who).wait().unwrap();
        let entries = ledger.events(*who, 0, usize::MAX).wait().unwrap();
        assert_eq!(u64::try_from(entries.len()).unwrap(), report.entries);
        for recorded in &entries {
            if let Some(mark) = mark(recorded) {
                found.entry(mark).or_default().push(recorded.entry.seq);
            }
        }
    }
    found
}

/// Reads all books' entries as they come: each book's in order, none twice, none skipped.
#[derive(Debug, Default)]
pub struct Follower {
    after: Option<Cursor>,
    /// Each book's last number.
    pub last: BTreeMap<MerchantId, u64>,
    pub entries: u64,
}

impl Follower {
    /// Reads on to the end, and says how many entries came.
    pub fn read(&mut self, store: &dyn Store) -> u64 {
        let before = self.entries;
        loop {
            let page = store.journal(&JournalQuery::All { after: self.after.clone() }, 500).unwrap();
            for recorded in &page.items {
                let last = self.last.entry(recorded.merchant).or_default();
                assert_eq!(recorded.entry.seq, *last + 1, "of {}", recorded.merchant);
                *last = recorded.entry.seq;
                self.entries += 1;
            }
            self.after = page.next;
            if page.items.is_empty() {
                return self.entries - before;
            }
        }
    }

    /// Reads until it has all that the books hold.
    pub fn catch_up(&mut self, store: &dyn Store, merchants: &[MerchantId]) {
        let head = |who: &MerchantId| store.book(*who, &Needs::default()).unwrap().head.seq;
        let expected: BTreeMap<MerchantId, u64> = merchants.iter().map(|who| (*who, head(who))).collect();
        eventually("all entries in the feed", || {
            self.read(store);
            self.last == expected
        });
    }
}

/// Looks at the server's connections of one application.
pub struct Watch {
    pub server: Direct,
    application: String,
}

impl Watch {
    /// A URL with an application name of its own, and who looks at its connections.
    pub fn over(url: &str) -> (String, Self) {
        Self::at(direct(), url)
    }

    /// The same on a server of the test's own.
    pub fn at(server: &str, url: &str) -> (String, Self) {
        static COUNT: AtomicU64 = AtomicU64::new(0);
        let application = format!("watched_{}_{}", std::process::id(), COUNT.fetch_add(1, Ordering::SeqCst));
        let joint = if url.contains('?') { '&' } else { '?' };
        (format!("{url}{joint}application_name={application}"), Self { server: Direct::connect(server), application })
    }

    /// How many of its connections are like that.
    pub fn count(&self, like: &str) -> u64 {
        let sql = format!(
            "SELECT count(*) FROM pg_stat_activity WHERE application_name = '{}' AND ({like})",
            self.application
        );
        self.server.text(&sql).parse().unwrap()
    }

    /// Waits until at least so many are like that.
    pub fn until(&self, like: &str, count: u64) {
        eventually(like, || self.count(like) >= count);
    }

    /// Waits until no connection is in a transaction: all that was begun is over.
    pub fn settled(&self) {
        // A connection that ends clears the one before the other.
        let within = "xact_start IS NOT NULL OR state LIKE 'idle in transaction%'";
        eventually("no connection in a transaction", || self.count(within) == 0);
    }

    /// Ends one of its connections, which any; says whether there was one.
    pub fn terminate_one(&self) -> bool {
        let sql = format!(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = '{}' \
             AND backend_type = 'client backend' ORDER BY random() LIMIT 1",
            self.application
        );
        !self.server.texts(&sql).unwrap().is_empty()
    }
}

/// Waits for what must come to pass.
pub fn eventually(what: &str, mut come: impl FnMut() -> bool) {
    let start = Instant::now();
    while !come() {
        assert!(start.elapsed() < Duration::from_mins(1), "it never came: {what}");
        std::thread::sleep(Duration::from_millis(2));
    }
}

type Hook = Box<dyn FnOnce() + Send>;

/// A store that lets a test come in between.
pub struct Hooked {
    inner: PostgresStore,
    before: Mutex<VecDeque<Hook>>,
    decided: Mutex<VecDeque<Hook>>,
}

impl Hooked {
    pub fn new(inner: PostgresStore) -> Self {
        Self { inner, before: Mutex::default(), decided: Mutex::default() }
    }

    /// Runs before one of the transactions to come.
    pub fn before(&self, hook: impl FnOnce() + Send + 'static) {
        self.before.lock().unwrap().push_back(Box::new(hook));
    }

    /// Runs within one of the transactions to come, when all is decided and nothing is written.
    pub fn decided(&self, hook: impl FnOnce() + Send + 'static) {
        self.decided.lock().unwrap().push_back(Box::new(hook));
    }

    fn run(hooks: &Mutex<VecDeque<Hook>>) {
        let hook = hooks.lock().unwrap().pop_front();
        if let Some(hook) = hook {
            hook();
        }
    }
}

leadledger::delegate_totals!(Hooked, inner);
leadledger::delegate_subscribers!(Hooked, inner);

impl Store for Hooked {
    leadledger::delegate_store!(inner: lanes, book, leads, journal, books);

    fn transact(&self, lane: usize, scope: &Scope, work: &mut dyn FnMut(&mut Books)) -> Result<(), StoreError> {
        Self::run(&self.before);
        self.inner.transact(lane, scope, &mut |books| {
            work(books);
            Self::run(&self.decided);
        })
    }
}

/// A small generator (SplitMix64), so that a run can be repeated from its seed.
pub struct Dice(pub u64);

impl Dice {
    pub fn roll(&mut self, sides: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (mixed ^ (mixed >> 31)) % sides
    }
}
