//! The front door: a [`Ledger`] takes commands, gives them to the worker that owns their book, and answers reads.

mod audits;
mod exports;
mod figures;
mod hub;
mod queue;
mod reads;
mod reply;
mod subscription;
mod watch;
mod worker;

use std::future::{Future, IntoFuture};
use std::marker::PhantomData;
use std::pin::Pin;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll};
use std::thread::JoinHandle;
use std::time::Duration;

use serde_json::{Map, Value};

use crate::answer::{Answer, DueSettled, answer_fields};
use crate::book::Book;
use crate::command::{Command, Operation, for_each_command};
use crate::entry::Entry;
use crate::error::{Error, InvalidInput, StoreError};
use crate::ids::MerchantId;
use crate::settings::Settings;
use crate::store::Store;
use crate::text::Key;
use crate::time::{Clock, SystemClock, Timestamp};

use hub::Hub;
use queue::{Queue, Rejected};
pub use reads::Read;
use reply::{Receiver, channel};
pub use subscription::Subscription;
pub use watch::{Changed, Watch};
use worker::{Accepted, Job, Request, Work, Worker};

/// How a ledger works, beside the rules of the domain.
#[derive(Clone, Debug)]
pub struct Options {
    /// The rules that are the host's.
    pub settings: Settings,
    /// How many commands may wait for each worker; beyond, callers wait for room.
    pub queue: usize,
    /// How many commands one commit takes at most.
    pub batch: usize,
    /// How many leads that are due one commit settles of one book, at most.
    pub due_step: usize,
    /// How often a batch is tried again when the store is unavailable or the outcome of its commit unknown.
    pub retries: u32,
    /// How long to wait before the first of these; twice as long before each of the next, at most a second.
    pub first_pause: Duration,
    /// How many threads run reads that are awaited.
    pub readers: usize,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            settings: Settings::default(),
            queue: 8_192,
            batch: 4_096,
            due_step: 512,
            retries: 8,
            first_pause: Duration::from_millis(2),
            readers: 2,
        }
    }
}

/// A ledger: cheap to clone, to be shared between threads and tasks. The last clone that is dropped lets the queued
/// commands finish and closes it.
///
/// ```
/// use leadledger::{Ledger, MemoryStore, MerchantId, OpenDeposit};
/// let ledger = Ledger::open(MemoryStore::new()).unwrap();
/// let merchant = MerchantId::generate();
/// let opened = ledger.open_deposit(OpenDeposit::new(merchant, "5000.00".parse().unwrap())).wait().unwrap();
/// let deposit = ledger.deposit(merchant, opened.answer).wait().unwrap().unwrap();
/// assert_eq!(deposit.available.to_string(), "5000.00");
/// let refused = ledger.open_deposit(OpenDeposit::new(merchant, "1999.99".parse().unwrap())).wait().unwrap_err();
/// assert_eq!(refused.code(), "below_minimum");
/// ```
#[derive(Clone)]
pub struct Ledger {
    inner: Arc<Inner>,
}

type Task = Box<dyn FnOnce() + Send>;

struct Inner {
    store: Arc<dyn Store>,
    clock: Arc<dyn Clock>,
    settings: Settings,
    queues: Vec<Arc<Queue<Job>>>,
    tasks: Arc<Queue<Task>>,
    hub: Arc<Hub>,
    threads: Mutex<Vec<JoinHandle<()>>>,
    /// The next command's mark. The first one is random, so that no other ledger counts beside this one.
    marks: AtomicU32,
}

impl std::fmt::Debug for Ledger {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Ledger").field("workers", &self.inner.queues.len()).finish_non_exhaustive()
    }
}

impl Ledger {
    /// A ledger on `store`, with the machine's clock and the default options.
    pub fn open(store: impl Store) -> Result<Self, Error> {
        Self::with(store, SystemClock, Options::default())
    }

    /// A ledger on `store`, with a clock and options of the host's.
    pub fn with(store: impl Store, clock: impl Clock, options: Options) -> Result<Self, Error> {
        Self::with_shared(Arc::new(store), Arc::new(clock), options)
    }

    /// A ledger on a store and a clock that others hold too.
    pub fn with_shared(store: Arc<dyn Store>, clock: Arc<dyn Clock>, options: Options) -> Result<Self, Error> {
        let options = Arc::new(options);
        let mut threads = Vec::new();
        let spawn = |name: String, run: Task| {
            std::thread::Builder::new()
                .name(name)
                .spawn(run)
                .map_err(|fault| Error::Store(StoreError::Unavailable(format!("no thread: {fault}"))))
        };
        let lanes = store.lanes().max(1);
        let queues: Vec<_> = (0..lanes).map(|_| Arc::new(Queue::new(options.queue))).collect();
        let hub = Arc::new(Hub::new(Arc::clone(&store), Arc::clone(&clock), queues.clone()));
        for (lane, queue) in queues.iter().enumerate() {
            let worker = Worker {
                store: Arc::clone(&store),
                clock: Arc::clone(&clock),
                options: Arc::clone(&options),
                queue: Arc::clone(queue),
                hub: Arc::clone(&hub),
                lane,
            };
            threads.push(spawn(format!("leadledger-{lane}"), Box::new(move || worker.run()))?);
        }
        let tasks: Arc<Queue<Task>> = Arc::new(Queue::new(options.queue));
        for reader in 0..options.readers.max(1) {
            let tasks = Arc::clone(&tasks);
            let run = move || {
                while let Some(taken) = tasks.take(1) {
                    taken.into_iter().for_each(|task| task());
                }
            };
            threads.push(spawn(format!("leadledger-read-{reader}"), Box::new(run))?);
        }
        let marks = AtomicU32::new(uuid::Uuid::new_v4().as_fields().0);
        let (settings, threads) = (options.settings.clone(), Mutex::new(threads));
        Ok(Self { inner: Arc::new(Inner { store, clock, settings, queues, tasks, hub, threads, marks }) })
    }

    /// Any command, with its typed answer.
    pub fn call<O: Operation>(&self, operation: O) -> Call<O::Answer> {
        Call { inner: Arc::clone(&self.inner), command: operation.into(), key: None, answer: PhantomData }
    }

    /// Any command, by value: the answer is read from its entry (see [`Done::fields`]).
    pub fn submit(&self, command: Command) -> Call<()> {
        Call { inner: Arc::clone(&self.inner), command, key: None, answer: PhantomData }
    }

    /// The ledger's time.
    pub fn now(&self) -> Timestamp {
        self.inner.clock.now()
    }
}

macro_rules! command_methods {
    ($($snake:ident: $name:ident,)*) => {
        impl Ledger {$(
            #[doc = concat!("See [`", stringify!($name), "`](crate::", stringify!($name), ").")]
            pub fn $snake(&self, command: crate::command::$name) -> Call<<crate::command::$name as Operation>::Answer> {
                self.call(command)
            }
        )*}
    };
}
for_each_command!(command_methods);

/// Which of so many lanes a book's batches always run in.
fn lane_of(lanes: usize, merchant: MerchantId) -> usize {
    // The last bytes of a UUID are the random ones.
    let lanes = u128::try_from(lanes.max(1)).unwrap_or(1);
    let lane = merchant.0.as_u128().checked_rem(lanes).unwrap_or(0);
    usize::try_from(lane).unwrap_or(0)
}

impl Inner {
    fn queue(&self, merchant: MerchantId) -> Option<&Arc<Queue<Job>>> {
        self.queues.get(lane_of(self.queues.len(), merchant))
    }

    /// Settles all that is due on a book now, and says what that was.
    fn settle(&self, merchant: MerchantId) -> Result<DueSettled, Error> {
        let (reply, receiver) = channel();
        let job = Job { merchant, work: Work::Settle { reply }, settled: DueSettled::default() };
        match self.queue(merchant) {
            Some(queue) if queue.push(job) => receiver.wait(),
            _ => Err(Error::Closed),
        }
    }
}

impl Drop for Inner {
    fn drop(&mut self) {
        self.queues.iter().for_each(|queue| queue.close());
        self.tasks.close();
        self.hub.close();
        let threads = std::mem::take(&mut *self.threads.lock().unwrap_or_else(PoisonError::into_inner));
        for thread in threads {
            // A read may hold the last clone: its thread cannot wait for itself.
            if thread.thread().id() != std::thread::current().id() {
                let _ = thread.join();
            }
        }
    }
}

/// A command that waits to be sent: with [`Call::wait`], with `.await` on any runtime, or with [`Call::send`].
/// Nothing happens before.
#[must_use = "a command does nothing until it is awaited, waited for or sent"]
pub struct Call<A> {
    inner: Arc<Inner>,
    command: Command,
    key: Option<Result<Key, InvalidInput>>,
    answer: PhantomData<fn() -> A>,
}

impl<A: Answer> Call<A> {
    /// With an idempotency key: the same key and command give the same answer, once applied. Without one, sending
    /// the command again is another command.
    pub fn key(mut self, key: impl Into<String>) -> Self {
        self.key = Some(Key::new(key));
        self
    }

    /// Sends it and blocks until it is answered.
    pub fn wait(self) -> Result<Done<A>, Error> {
        self.send().wait()
    }

    /// Sends it, blocking only while the queue is full; the answer comes later.
    pub fn send(self) -> Pending<A> {
        match self.prepare() {
            Err(fault) => Pending::failed(fault),
            Ok((inner, job, receiver)) => match inner.queue(job.merchant) {
                Some(queue) if queue.push(job) => Pending::sent(receiver),
                _ => Pending::failed(Error::Closed),
            },
        }
    }

    /// Sends it if the queue has room, else [`Error::Overloaded`].
    pub fn try_send(self) -> Result<Pending<A>, Error> {
        let (inner, job, receiver) = self.prepare()?;
        match inner.queue(job.merchant).map(|queue| queue.try_push(job, None)) {
            Some(Ok(())) => Ok(Pending::sent(receiver)),
            Some(Err(Rejected::Full(_))) => Err(Error::Overloaded),
            _ => Err(Error::Closed),
        }
    }

    /// Draws what is random, and takes the fingerprint before ids are filled in.
    fn prepare(self) -> Result<(Arc<Inner>, Job, Receiver<Accepted>), Error> {
        let mut command = self.command;
        let key = self.key.transpose()?;
        let (mut fingerprint, mut private) = (None, None);
        if key.is_some() || command.has_private() {
            let (public, fields) = command.split_private();
            fingerprint = key.as_ref().map(|_| Book::fingerprint(command.name(), &public));
            private = fields.map(|fields| (fields.to_string(), uuid::Uuid::new_v4().into_bytes()));
        }
        let lead_given = matches!(&command, Command::CreateLead(create) if create.lead.is_some());
        command.fill_ids();
        let secrets = match &mut command {
            Command::OpenBook(opening) => opening.take_secrets(),
            _ => Vec::new(),
        };
        let new_lead = match &command {
            Command::CreateLead(create) if !lead_given => create.lead,
            _ => None,
        };
        let (reply, receiver) = channel();
        let merchant = command.merchant();
        let mark = (private.is_none() && new_lead.is_none()).then(|| self.inner.marks.fetch_add(1, Ordering::Relaxed));
        let request = Box::new(Request { command, key, fingerprint, new_lead, private, secrets, mark });
        let job = Job { merchant, work: Work::Command { request, reply }, settled: DueSettled::default() };
        Ok((self.inner, job, receiver))
    }
}

impl<A: Answer> IntoFuture for Call<A> {
    type Output = Result<Done<A>, Error>;
    type IntoFuture = Pending<A>;

    fn into_future(self) -> Pending<A> {
        match self.prepare() {
            Err(fault) => Pending::failed(fault),
            Ok((inner, job, receiver)) => {
                Pending { state: State::Unsent(Some((inner, job, receiver))), ..Pending::failed(Error::Closed) }
            }
        }
    }
}

/// A command on its way. Dropping it cancels nothing that was sent.
#[must_use = "the answer comes when it is awaited or waited for"]
pub struct Pending<A> {
    state: State,
    answer: PhantomData<fn() -> A>,
}

enum State {
    Unsent(Option<(Arc<Inner>, Job, Receiver<Accepted>)>),
    Sent(Receiver<Accepted>),
    Failed(Error),
}

impl<A: Answer> Pending<A> {
    fn sent(receiver: Receiver<Accepted>) -> Self {
        Self { state: State::Sent(receiver), answer: PhantomData }
    }

    fn failed(fault: Error) -> Self {
        Self { state: State::Failed(fault), answer: PhantomData }
    }

    /// Blocks until it is answered.
    pub fn wait(self) -> Result<Done<A>, Error> {
        match self.state {
            State::Failed(fault) => Err(fault),
            State::Sent(receiver) => Done::of(receiver.wait()?),
            State::Unsent(None) => Err(Error::Closed),
            State::Unsent(Some((inner, job, receiver))) => match inner.queue(job.merchant) {
                Some(queue) if queue.push(job) => Done::of(receiver.wait()?),
                _ => Err(Error::Closed),
            },
        }
    }
}

impl<A: Answer> Future for Pending<A> {
    type Output = Result<Done<A>, Error>;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        if let State::Unsent(unsent) = &mut self.state {
            let Some((inner, job, receiver)) = unsent.take() else { return Poll::Ready(Err(Error::Closed)) };
            let pushed = inner.queue(job.merchant).map(|queue| queue.try_push(job, Some(context.waker())));
            match pushed {
                Some(Ok(())) => self.state = State::Sent(receiver),
                Some(Err(Rejected::Full(job))) => {
                    *unsent = Some((inner, job, receiver));
                    return Poll::Pending;
                }
                _ => return Poll::Ready(Err(Error::Closed)),
            }
        }
        match &mut self.state {
            State::Sent(receiver) => Pin::new(receiver).poll(context).map(|answer| Done::of(answer?)),
            State::Failed(fault) => Poll::Ready(Err(fault.clone())),
            State::Unsent(_) => Poll::Ready(Err(Error::Closed)),
        }
    }
}

/// An accepted command, durable.
#[derive(Clone, Debug)]
pub struct Done<A> {
    /// Its answer.
    pub answer: A,
    /// Its entry: number, time, postings and what else it says.
    pub entry: Arc<Entry>,
    /// Whether it was accepted before and nothing changed now.
    pub replayed: bool,
}

impl<A: Answer> Done<A> {
    fn of(accepted: Accepted) -> Result<Self, Error> {
        let answer = A::of(&accepted.entry)
            .ok_or_else(|| Error::Internal("the entry does not hold this command's answer".to_owned()))?;
        Ok(Self { answer, entry: accepted.entry, replayed: accepted.replayed })
    }

    /// The answer as JSON fields, amounts as strings.
    pub fn fields(&self) -> Map<String, Value> {
        answer_fields(&self.entry)
    }
}
