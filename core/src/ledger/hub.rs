//! Who watches which book, and how they learn that it moved on: at once from the workers of this ledger, and from one
//! thread that asks the store how far the watched books have got, for what other ledgers commit.
//!
//! A watcher is told a number, never an entry: it reads the journal itself, when it likes. So nothing queues up for one
//! that is slow, and telling costs the worker next to nothing. The thread is there only while somebody watches.

use std::collections::{BTreeMap, BTreeSet};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::task::{Poll, Waker};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use crate::answer::DueSettled;
use crate::book::Head;
use crate::error::{Error, StoreError};
use crate::ids::MerchantId;
use crate::ledger::lane_of;
use crate::ledger::queue::Queue;
use crate::ledger::reply::{Receiver, channel};
use crate::ledger::worker::{Job, Work, internal};
use crate::store::{BookQuery, Store};
use crate::time::Clock;

/// How often the store is asked how far the watched books have got.
const POLL: Duration = Duration::from_millis(250);
/// The longest pause after failures of the store.
const LONGEST: Duration = Duration::from_secs(4);
/// How many failures in a row watchers are not troubled with.
const BORNE: u32 = 3;
/// The longest pause between attempts to settle a book on which something stays due.
const SELDOM: Duration = Duration::from_mins(1);

/// What one watch waits on.
#[derive(Debug, Default)]
pub(super) struct Seat {
    state: Mutex<SeatState>,
    told: Condvar,
}

#[derive(Debug, Default)]
struct SeatState {
    /// The book's last entry, as far as it was told.
    head: u64,
    fault: Option<Error>,
    closed: bool,
    waker: Option<Waker>,
}

impl SeatState {
    /// What a watch that has seen the entries up to `seq` has to know, if anything.
    fn news(&mut self, seq: u64) -> Option<Result<(), Error>> {
        if self.closed {
            return Some(Err(Error::Closed));
        }
        if self.head > seq {
            return Some(Ok(()));
        }
        self.fault.take().map(Err)
    }
}

impl Seat {
    fn state(&self) -> MutexGuard<'_, SeatState> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Changes what is known, and wakes whoever waits.
    fn tell(&self, change: impl FnOnce(&mut SeatState)) {
        let mut state = self.state();
        change(&mut state);
        let waker = state.waker.take();
        drop(state);
        self.told.notify_all();
        if let Some(waker) = waker {
            waker.wake();
        }
    }

    fn tell_head(&self, head: u64) {
        if self.state().head < head {
            self.tell(|state| state.head = state.head.max(head));
        }
    }

    /// Blocks until there are entries after `seq`; false where there are none by `until`.
    pub(super) fn wait(&self, seq: u64, until: Option<Instant>) -> Result<bool, Error> {
        let mut state = self.state();
        loop {
            if let Some(news) = state.news(seq) {
                return news.map(|()| true);
            }
            let Some(until) = until else {
                state = self.told.wait(state).unwrap_or_else(PoisonError::into_inner);
                continue;
            };
            let left = until.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return Ok(false);
            }
            state = self.told.wait_timeout(state, left).unwrap_or_else(PoisonError::into_inner).0;
        }
    }

    /// Ready once there are entries after `seq`; until then `waker` will be woken.
    pub(super) fn poll(&self, seq: u64, waker: &Waker) -> Poll<Result<(), Error>> {
        let mut state = self.state();
        match state.news(seq) {
            Some(news) => Poll::Ready(news),
            None => {
                state.waker = Some(waker.clone());
                Poll::Pending
            }
        }
    }

    /// The journal has nothing after `seq`, whatever was told: not to be asked again for nothing.
    pub(super) fn nothing_after(&self, seq: u64) {
        let mut state = self.state();
        state.head = state.head.min(seq);
    }
}

/// See the module's text.
pub(super) struct Hub {
    store: Arc<dyn Store>,
    clock: Arc<dyn Clock>,
    queues: Vec<Arc<Queue<Job>>>,
    /// How many watches there are: a worker that has none to tell looks no further.
    watches: AtomicUsize,
    state: Mutex<State>,
    changed: Condvar,
}

#[derive(Default)]
struct State {
    seats: BTreeMap<MerchantId, Vec<Arc<Seat>>>,
    thread: Option<JoinHandle<()>>,
    running: bool,
    closed: bool,
}

impl Hub {
    pub(super) fn new(store: Arc<dyn Store>, clock: Arc<dyn Clock>, queues: Vec<Arc<Queue<Job>>>) -> Self {
        let (state, changed) = (Mutex::new(State::default()), Condvar::new());
        Self { store, clock, queues, watches: AtomicUsize::new(0), state, changed }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A seat for one more watch; the first one starts the thread.
    pub(super) fn sit(self: &Arc<Self>, merchant: MerchantId) -> Result<Arc<Seat>, Error> {
        let mut state = self.state();
        if state.closed {
            return Err(Error::Closed);
        }
        if !state.running {
            let hub = Arc::clone(self);
            let thread = std::thread::Builder::new().name("leadledger-watch".to_owned()).spawn(move || hub.run());
            let thread = thread.map_err(|fault| StoreError::Unavailable(format!("no thread: {fault}")))?;
            // The one before has nothing left to do but to end.
            if let Some(before) = state.thread.replace(thread) {
                let _ = before.join();
            }
            state.running = true;
        }
        let seat = Arc::new(Seat::default());
        state.seats.entry(merchant).or_default().push(Arc::clone(&seat));
        self.watches.fetch_add(1, Ordering::SeqCst);
        Ok(seat)
    }

    /// A watch is gone; the last one ends the thread.
    pub(super) fn leave(&self, merchant: MerchantId, seat: &Arc<Seat>) {
        let mut state = self.state();
        let Some(seats) = state.seats.get_mut(&merchant) else { return };
        if let Some(place) = seats.iter().position(|other| Arc::ptr_eq(other, seat)) {
            seats.swap_remove(place);
            self.watches.fetch_sub(1, Ordering::SeqCst);
        }
        if seats.is_empty() {
            state.seats.remove(&merchant);
        }
        let last = state.seats.is_empty();
        drop(state);
        if last {
            self.changed.notify_all();
        }
    }

    fn seats(&self, merchant: MerchantId) -> Vec<Arc<Seat>> {
        self.state().seats.get(&merchant).cloned().unwrap_or_default()
    }

    /// Tells who watches a book how far it has got. Called by the workers after each commit.
    pub(super) fn tell(&self, heads: &[(MerchantId, u64)]) {
        if self.watches.load(Ordering::SeqCst) == 0 {
            return;
        }
        for (merchant, head) in heads {
            self.seats(*merchant).iter().for_each(|seat| seat.tell_head(*head));
        }
    }

    /// Ends all watches and waits for the thread.
    pub(super) fn close(&self) {
        let mut state = self.state();
        state.closed = true;
        let seats = std::mem::take(&mut state.seats);
        let thread = state.thread.take();
        drop(state);
        self.changed.notify_all();
        seats.into_values().flatten().for_each(|seat| seat.tell(|state| state.closed = true));
        if let Some(thread) = thread
            && thread.thread().id() != std::thread::current().id()
        {
            let _ = thread.join();
        }
    }

    fn run(&self) {
        let mut settling = Settling::default();
        let (mut pause, mut failures) = (POLL, 0_u32);
        while let Some(merchants) = self.pause(pause) {
            let asked = BookQuery::Of(merchants);
            let BookQuery::Of(merchants) = &asked else { return };
            let answer = catch_unwind(AssertUnwindSafe(|| self.store.books(&asked, merchants.len())));
            match answer.map_err(|panic| internal(&*panic)).and_then(|heads| heads.map_err(Error::Store)) {
                Ok(heads) => {
                    if failures > 0 {
                        self.each(merchants, |seat| seat.state().fault = None);
                    }
                    (pause, failures) = (POLL, 0);
                    for (merchant, head) in &heads {
                        self.seats(*merchant).iter().for_each(|seat| seat.tell_head(head.seq));
                    }
                    settling.go_on(self, &heads);
                }
                Err(fault) => {
                    failures = failures.saturating_add(1);
                    pause = pause.saturating_mul(2).min(LONGEST);
                    if failures >= BORNE {
                        self.each(merchants, |seat| seat.tell(|state| state.fault = Some(fault.clone())));
                    }
                }
            }
        }
    }

    fn each(&self, merchants: &BTreeSet<MerchantId>, mut with: impl FnMut(&Seat)) {
        merchants.iter().flat_map(|merchant| self.seats(*merchant)).for_each(|seat| with(&seat));
    }

    /// Sleeps, and gives whose books are watched then; none where nobody watches, or the ledger closes: this thread is
    /// then no longer the hub's.
    fn pause(&self, pause: Duration) -> Option<BTreeSet<MerchantId>> {
        let until = Instant::now().checked_add(pause);
        let mut state = self.state();
        loop {
            if state.closed || state.seats.is_empty() {
                state.running = false;
                return None;
            }
            let left = until.map_or(pause, |until| until.saturating_duration_since(Instant::now()));
            if left.is_zero() {
                return Some(state.seats.keys().copied().collect());
            }
            state = self.changed.wait_timeout(state, left).unwrap_or_else(PoisonError::into_inner).0;
        }
    }
}

/// Settles watched books on which something is due, so that what time alone does is told too. Where that fails (by a
/// login that may only read, say) or leaves something due, it is tried again, ever more seldom: others may do it.
#[derive(Default)]
struct Settling {
    books: BTreeMap<MerchantId, Attempt>,
}

struct Attempt {
    /// The book as it was then: one that moved on since was settled.
    head: Head,
    /// While the worker is at it.
    reply: Receiver<DueSettled>,
    /// Not before.
    next: Instant,
    pause: Duration,
}

impl Settling {
    fn go_on(&mut self, hub: &Hub, heads: &[(MerchantId, Head)]) {
        let (now, moment) = (hub.clock.now(), Instant::now());
        let is_due = |head: &Head| head.next_due.is_some_and(|next| next <= now);
        let due: BTreeMap<MerchantId, Head> = heads.iter().filter(|(_, head)| is_due(head)).copied().collect();
        self.books.retain(|merchant, attempt| {
            !attempt.reply.is_answered() || due.get(merchant).is_some_and(|head| *head == attempt.head)
        });
        for (merchant, head) in due {
            let before = self.books.get(&merchant);
            if before.is_some_and(|attempt| !attempt.reply.is_answered() || moment < attempt.next) {
                continue;
            }
            let pause = before.map_or(POLL, |attempt| attempt.pause.saturating_mul(2).min(SELDOM));
            let (reply, receiver) = channel();
            let job = Job { merchant, work: Work::Settle { reply }, settled: DueSettled::default() };
            // A full queue has better things to do: what is due is settled with them.
            let Some(queue) = hub.queues.get(lane_of(hub.queues.len(), merchant)) else { continue };
            if queue.try_push(job, None).is_ok() {
                let next = moment.checked_add(pause).unwrap_or(moment);
                self.books.insert(merchant, Attempt { head, reply: receiver, next, pause });
            }
        }
    }
}
