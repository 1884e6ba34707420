//! Group commit: a worker takes all that waits, decides it in one store transaction, and answers after the commit.
//!
//! No timer: while one batch commits, the next one collects. A refused command costs the others nothing, a book that
//! cannot be read fails alone, and a command that panics is found by running its batch one by one. When the outcome
//! of a commit is unknown, the journal tells whether it happened: a command's entry that the batch would have written
//! is there with its hash (which no other ledger's can have), or the batch runs again.

use std::any::Any;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::sync::Arc;
use std::time::Duration;

use crate::answer::DueSettled;
use crate::book::{Book, Keyed, Private};
use crate::command::Command;
use crate::decide::{Decision, decide, settle_next};
use crate::entry::{Entry, Hash, Kind, Recorded, ShortHash, short_hash};
use crate::error::{Error, StoreError};
use crate::faults::{Fault, planted};
use crate::ids::{LeadId, MerchantId};
use crate::ledger::Options;
use crate::ledger::hub::Hub;
use crate::ledger::queue::Queue;
use crate::ledger::reply::{Sender, Waiting};
use crate::opening::{LeadSecret, bind};
use crate::refusal::Refusal;
use crate::store::{Books, JournalQuery, Scope, Store};
use crate::text::Key;
use crate::time::{Clock, Timestamp};

/// What a caller gets for an accepted command.
#[derive(Clone, Debug)]
pub(super) struct Accepted {
    pub(super) entry: Arc<Entry>,
    pub(super) replayed: bool,
}

/// What a worker is asked for.
#[derive(Debug)]
pub(super) struct Job {
    pub(super) merchant: MerchantId,
    pub(super) work: Work,
    /// What was settled for it in batches before.
    pub(super) settled: DueSettled,
}

#[derive(Debug)]
pub(super) enum Work {
    Command {
        request: Box<Request>,
        reply: Sender<Accepted>,
    },
    /// Settles what is due, a bounded step at a time.
    Settle {
        reply: Sender<DueSettled>,
    },
}

/// A command as it waits in the queue, with all that is random already drawn.
#[derive(Debug)]
pub(super) struct Request {
    pub(super) command: Command,
    pub(super) key: Option<Key>,
    pub(super) fingerprint: Option<ShortHash>,
    /// The lead's id, where the ledger made it: nothing can be known of it yet, so nothing has to be looked up.
    pub(super) new_lead: Option<LeadId>,
    /// The private fields and the salt for their digest.
    pub(super) private: Option<(String, [u8; 16])>,
    /// The private fields of the leads of an opening.
    pub(super) secrets: Vec<LeadSecret>,
    /// Where nothing else is random.
    pub(super) mark: Option<u32>,
}

/// What a job came to in one attempt.
enum Outcome {
    Accepted(Accepted),
    Settled,
    Failed(Error),
    /// More is due than one batch settles: it goes on in the next.
    Unfinished,
}

pub(super) struct Worker {
    pub(super) store: Arc<dyn Store>,
    pub(super) clock: Arc<dyn Clock>,
    pub(super) options: Arc<Options>,
    pub(super) queue: Arc<Queue<Job>>,
    pub(super) hub: Arc<Hub>,
    pub(super) lane: usize,
}

/// What one attempt at a batch did, in memory.
struct Attempt {
    outcomes: Vec<(Outcome, DueSettled)>,
    /// New entries, and their hashes, that are all in the journal only if this was committed.
    proof: Vec<(MerchantId, u64, Hash)>,
    /// How far the books that it moved on have got with it.
    heads: Vec<(MerchantId, u64)>,
}

/// What one try came to.
enum Tried {
    Committed(Attempt),
    /// Nothing was written, or nobody knows: it may be tried again.
    Again(StoreError),
    /// Nothing was written, nor would be.
    Failed(StoreError),
}

impl Attempt {
    /// Whether an unknown commit can have happened: all books of the proof moved on since, or cannot be read.
    fn may_be_in(&self, books: &Books) -> bool {
        let stands = |(merchant, seq, _): &(MerchantId, u64, Hash)| {
            books.get(merchant).is_some_and(|book| book.as_ref().is_ok_and(|book| book.head.seq < *seq))
        };
        !self.proof.is_empty() && !self.proof.iter().any(stands)
    }
}

/// A command's entry is like no other and proves its whole batch. What time does, another ledger may have noted to the
/// letter: where there is nothing else, it takes every book's.
fn proof(books: &Books) -> Vec<(MerchantId, u64, Hash)> {
    let place = |recorded: &Recorded| (recorded.merchant, recorded.entry.seq, recorded.hash);
    let books = || books.values().flatten();
    match books().flat_map(|book| &book.new_entries).find(|recorded| !recorded.entry.kind.is_of_time()) {
        Some(command) => vec![place(command)],
        None => books().filter_map(|book| book.new_entries.last()).map(place).collect(),
    }
}

impl Worker {
    pub(super) fn run(self) {
        let mut unfinished: Vec<Job> = Vec::new();
        loop {
            // What a backlog left unfinished goes first, so that a book's commands stay in order.
            let mut jobs = std::mem::take(&mut unfinished);
            if jobs.is_empty() {
                match self.queue.take(self.options.batch) {
                    Some(taken) => jobs = taken,
                    None => return,
                }
            }
            unfinished = self.run_batch(jobs);
        }
    }

    fn run_batch(&self, jobs: Vec<Job>) -> Vec<Job> {
        match catch_unwind(AssertUnwindSafe(|| self.attempt(&jobs))) {
            Ok(Ok(attempt)) => {
                // First, so that whoever is answered finds it told.
                self.hub.tell(&attempt.heads);
                answer(jobs, attempt)
            }
            Ok(Err(fault)) => {
                jobs.into_iter().for_each(|job| job.fail(Error::Store(fault.clone())));
                Vec::new()
            }
            Err(_) if jobs.len() > 1 => jobs.into_iter().flat_map(|job| self.run_batch(vec![job])).collect(),
            Err(panic) => {
                let fault = internal(&*panic);
                jobs.into_iter().for_each(|job| job.fail(fault.clone()));
                Vec::new()
            }
        }
    }

    /// Runs a batch until it is known to be committed, or known not to be.
    fn attempt(&self, jobs: &[Job]) -> Result<Attempt, StoreError> {
        let mut doubt: Option<Attempt> = None;
        let mut fault = StoreError::Unavailable("it was not tried".to_owned());
        for attempt in 0..=self.options.retries {
            if let Some(earlier) = attempt.checked_sub(1) {
                let pause = self.options.first_pause.saturating_mul(2_u32.saturating_pow(earlier));
                std::thread::sleep(pause.min(Duration::from_secs(1)));
            }
            match catch_unwind(AssertUnwindSafe(|| self.try_once(jobs, &mut doubt))) {
                Ok(Tried::Committed(attempt)) => return Ok(attempt),
                Ok(Tried::Again(last)) => fault = last,
                Ok(Tried::Failed(last)) => return Err(last),
                // A panic writes nothing, but does not say what became of the attempt before.
                Err(_) if doubt.is_some() => {}
                Err(panic) => resume_unwind(panic),
            }
        }
        Err(match doubt {
            Some(_) => StoreError::Unknown("the store did not come back to tell".to_owned()),
            None => fault,
        })
    }

    /// `doubt` is the attempt before, while nobody knows whether it was committed.
    fn try_once(&self, jobs: &[Job], doubt: &mut Option<Attempt>) -> Tried {
        let now = self.clock.now();
        let scope = self.scope(jobs, now);
        let mut made: Option<Attempt> = None;
        let mut undecided = false;
        let outcome = self.store.transact(self.lane, &scope, &mut |books| {
            // Nothing is decided before the journal has told whose entries moved the books on.
            undecided = doubt.as_ref().is_some_and(|doubt| doubt.may_be_in(books)) && !planted(Fault::DoubleApply);
            if !undecided {
                made = Some(self.decide_all(jobs, books, now));
            }
        });
        if undecided {
            let told = doubt.as_ref().map_or(Ok(false), |doubt| self.is_committed(doubt));
            if let Ok(committed) = told
                && let Some(attempt) = doubt.take()
                && committed
            {
                return Tried::Committed(attempt);
            }
            return Tried::Again(StoreError::Unavailable("another ledger wrote first".to_owned()));
        }
        if made.is_some() {
            *doubt = None;
        }
        match (outcome, made) {
            (Ok(()), Some(made)) => Tried::Committed(made),
            (Err(fault @ StoreError::Unknown(_)), Some(made)) => {
                *doubt = Some(made);
                Tried::Again(fault)
            }
            (Err(fault @ StoreError::Unavailable(_)), _) => Tried::Again(fault),
            // In doubt, no error is the last word: the attempt before may have been committed.
            (Err(fault), _) if doubt.is_some() => Tried::Again(fault),
            (Err(fault), _) => Tried::Failed(fault),
            (Ok(()), None) => Tried::Again(StoreError::Unavailable("the store did no work".to_owned())),
        }
    }

    fn is_committed(&self, attempt: &Attempt) -> Result<bool, StoreError> {
        for (merchant, seq, hash) in &attempt.proof {
            let after = JournalQuery::After { merchant: *merchant, seq: seq.saturating_sub(1) };
            let page = self.store.journal(&after, 1)?;
            if page.items.first().is_none_or(|found| found.entry.seq != *seq || found.hash != *hash) {
                return Ok(false);
            }
        }
        Ok(!attempt.proof.is_empty())
    }

    fn scope(&self, jobs: &[Job], now: Timestamp) -> Scope {
        let mut scope = Scope { now, due_limit: self.options.due_step, books: std::collections::BTreeMap::new() };
        for job in jobs {
            let needs = scope.books.entry(job.merchant).or_default();
            if let Work::Command { request, .. } = &job.work {
                needs.add(&request.command, request.key.as_ref());
                if let Some(lead) = request.new_lead {
                    needs.leads.remove(&lead);
                    needs.missed.remove(&lead);
                }
            }
        }
        scope
    }

    fn decide_all(&self, jobs: &[Job], books: &mut Books, now: Timestamp) -> Attempt {
        let mut attempt = Attempt { outcomes: Vec::with_capacity(jobs.len()), proof: Vec::new(), heads: Vec::new() };
        for job in jobs {
            let mut settled = DueSettled::default();
            let outcome = match books.get_mut(&job.merchant) {
                Some(Ok(book)) => self.decide_one(job, book, now, &mut settled),
                Some(Err(fault)) => Outcome::Failed(Error::Store(fault.clone())),
                None => Outcome::Failed(Error::Internal("the store did not load the book".to_owned())),
            };
            attempt.outcomes.push((outcome, settled));
        }
        attempt.proof = proof(books);
        let moved = books.values().flatten().filter_map(|book| book.new_entries.last());
        attempt.heads = moved.map(|recorded| (recorded.merchant, recorded.entry.seq)).collect();
        attempt
    }

    fn decide_one(&self, job: &Job, book: &mut Book, now: Timestamp, settled: &mut DueSettled) -> Outcome {
        match self.settle(book, now, settled) {
            Ok(true) => {}
            Ok(false) => return Outcome::Unfinished,
            Err(fault) => return Outcome::Failed(fault),
        }
        let Work::Command { request, .. } = &job.work else { return Outcome::Settled };
        if let Some(lead) = request.new_lead {
            book.leads.load(lead, None);
        }
        match self.decide_command(request, book, now, add(job.settled, *settled)) {
            Ok(accepted) => Outcome::Accepted(accepted),
            Err(fault) => Outcome::Failed(fault),
        }
    }

    /// Settles what is due and loaded; says whether that was all.
    fn settle(&self, book: &mut Book, now: Timestamp, settled: &mut DueSettled) -> Result<bool, Error> {
        if !book.is_due(now) || planted(Fault::ExpiredCaptured) {
            return Ok(true);
        }
        let mut step = 0;
        while step < self.options.due_step
            && let Some(entry) = settle_next(book, &self.options.settings, now, settled)
        {
            book.record(entry, None).map_err(|broken| Error::Internal(broken.to_string()))?;
            step = step.saturating_add(1);
        }
        // Where nothing moved in the whole batch, what is still due cannot be done by time: waiting for it would never
        // end. What time did in a batch comes first in it.
        let moved = book.new_entries.first().is_some_and(|first| first.entry.kind.is_of_time());
        Ok(book.note_next_due(now) || !moved)
    }

    fn decide_command(
        &self,
        request: &Request,
        book: &mut Book,
        now: Timestamp,
        settled: DueSettled,
    ) -> Result<Accepted, Error> {
        if let Some(key) = &request.key
            && !planted(Fault::KeyOutsideTransaction)
            && let Some(keyed) = book.keys.get(key)
        {
            if !repeats(request, keyed) {
                return Err(Refusal::IdempotencyMismatch.into());
            }
            return Ok(Accepted { entry: Arc::clone(&keyed.entry), replayed: true });
        }
        match decide(book, &self.options.settings, now, &request.command, settled) {
            Ok(Decision::Accept(mut entry)) => {
                let private = request.private.as_ref().map(|(text, salt)| Private {
                    seq: entry.seq,
                    lead: lead_of(&request.command),
                    salt: *salt,
                    text: text.clone(),
                });
                entry.key.clone_from(&request.key);
                entry.fingerprint = request.fingerprint;
                entry.mark = request.mark;
                entry.private_digest = private.as_ref().map(Private::digest);
                let secrets = bind(&mut entry, &request.secrets);
                let entry = book.record(entry, private).map_err(|broken| Error::Internal(broken.to_string()))?;
                book.new_opening_private.extend(secrets);
                Ok(Accepted { entry, replayed: false })
            }
            Ok(Decision::Repeat(seq)) => {
                let entry = book.successes.get(&seq).map(Arc::clone);
                let entry = entry.ok_or_else(|| Error::Internal(format!("entry {seq} is not there")))?;
                Ok(Accepted { entry, replayed: true })
            }
            Err(refused) => {
                if let Some((lead, missed)) = refused.missed {
                    book.missed.put(lead, missed);
                }
                if planted(Fault::RefusalLeavesTrace) {
                    plant_trace(book, now);
                }
                Err(refused.refusal.into())
            }
        }
    }
}

/// A panic as the error that its caller gets.
pub(super) fn internal(panic: &(dyn Any + Send)) -> Error {
    let what = panic.downcast_ref::<String>().map(String::as_str);
    Error::Internal(what.or_else(|| panic.downcast_ref::<&str>().copied()).unwrap_or("a panic").to_owned())
}

/// Whether `request` is the command behind `keyed`. Private fields that were erased can no longer be compared.
fn repeats(request: &Request, keyed: &Keyed) -> bool {
    if planted(Fault::KeyWithOtherPayload) {
        return true;
    }
    let same_private = match (keyed.entry.private_digest, &keyed.private, &request.private) {
        (None, _, None) => true,
        (Some(digest), Some(stored), Some((text, _))) => short_hash(&stored.salt, text) == digest,
        (Some(_), None, _) => true,
        _ => false,
    };
    same_private && keyed.entry.fingerprint == request.fingerprint
}

/// The lead that a command's private fields are about.
fn lead_of(command: &Command) -> Option<LeadId> {
    match command {
        Command::CreateLead(command) => command.lead,
        Command::ValidateLead(command) => Some(command.lead),
        Command::RejectLead(command) => Some(command.lead),
        Command::ReverseLead(command) => Some(command.lead),
        _ => None,
    }
}

/// The planted fault "a refused command leaves a trace": an entry that nobody asked for.
fn plant_trace(book: &mut Book, now: Timestamp) {
    let entry = Entry {
        seq: book.head.seq.saturating_add(1),
        at: now.max(book.head.last_at),
        day: None,
        kind: Kind::PART_MATURED,
        key: None,
        fingerprint: None,
        private_digest: None,
        mark: None,
        postings: None,
        facts: Vec::new(),
    };
    // A planted fault may fail as it likes.
    let _ = book.record(entry, None);
}

/// Answers all jobs of a committed batch; gives back those that go on.
fn answer(jobs: Vec<Job>, attempt: Attempt) -> Vec<Job> {
    let (mut unfinished, mut waiting) = (Vec::new(), Vec::new());
    for (mut job, (outcome, settled)) in jobs.into_iter().zip(attempt.outcomes) {
        job.settled = add(job.settled, settled);
        match (outcome, job.work) {
            (Outcome::Accepted(accepted), Work::Command { reply, .. }) => waiting.extend(reply.fill(Ok(accepted))),
            (Outcome::Settled, Work::Settle { reply }) => reply.send(Ok(job.settled)),
            (Outcome::Unfinished, work) => unfinished.push(Job { work, ..job }),
            (Outcome::Failed(fault), work) => work.fail(fault),
            (_, work) => work.fail(Error::Internal("an answer to another question".to_owned())),
        }
    }
    waiting.into_iter().for_each(Waiting::wake);
    unfinished
}

fn add(one: DueSettled, other: DueSettled) -> DueSettled {
    DueSettled {
        expired: one.expired.saturating_add(other.expired),
        accepted: one.accepted.saturating_add(other.accepted),
        matured: one.matured.saturating_add(other.matured),
    }
}

impl Work {
    fn fail(self, fault: Error) {
        match self {
            Self::Command { reply, .. } => reply.send(Err(fault)),
            Self::Settle { reply } => reply.send(Err(fault)),
        }
    }
}

impl Job {
    fn fail(self, fault: Error) {
        self.work.fail(fault);
    }
}
