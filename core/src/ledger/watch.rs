//! Watches: what happens in one book from now on, blocking or awaited.

use std::future::{Future, IntoFuture};
use std::pin::Pin;
use std::sync::{Arc, Weak};
use std::task::{Context, Poll};
use std::time::{Duration, Instant};

use crate::entry::Recorded;
use crate::error::Error;
use crate::event::Event;
use crate::ids::MerchantId;
use crate::ledger::hub::{Hub, Seat};
use crate::ledger::{Inner, Ledger, Read};
use crate::store::{BookQuery, JournalQuery};

/// How many entries a watch takes at once, at most; the rest comes with the next call.
const TAKEN: usize = 256;

/// Follows one book: the events of each entry after the last one when it began, in order, each once.
///
/// It is told at once of what its own ledger commits, and within a second of what other ledgers and processes on the
/// same store do. What is due on a watched book is settled, so that it is told as well. It does not keep the ledger
/// open, and ends with it ([`Error::Closed`]). A watch that is not asked costs nothing but its place.
///
/// ```
/// use leadledger::{Ledger, MemoryStore, MerchantId, OpenDeposit};
/// use std::time::Duration;
/// let ledger = Ledger::open(MemoryStore::new()).unwrap();
/// let merchant = MerchantId::generate();
/// let mut watch = ledger.watch(merchant).wait().unwrap();
/// assert_eq!(watch.next(Duration::ZERO).unwrap(), None);
/// ledger.open_deposit(OpenDeposit::new(merchant, "5000.00".parse().unwrap())).wait().unwrap();
/// let events = watch.next(Duration::from_secs(5)).unwrap().unwrap();
/// assert_eq!((events[0].name(), events[0].seq), ("deposit_opened", 1));
/// drop(ledger);
/// assert_eq!(watch.next(Duration::from_secs(5)).unwrap_err().code(), "closed");
/// ```
pub struct Watch {
    merchant: MerchantId,
    /// The last entry that was given.
    seq: u64,
    seat: Arc<Seat>,
    inner: Weak<Inner>,
    hub: Weak<Hub>,
}

impl std::fmt::Debug for Watch {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Watch").field("merchant", &self.merchant).field("seq", &self.seq).finish_non_exhaustive()
    }
}

impl Ledger {
    /// Watches a merchant's book from its present head on. Reading that head is a read, so it is waited for or awaited
    /// as one; from the moment when it is answered nothing is missed.
    pub fn watch(&self, merchant: MerchantId) -> Read<Watch> {
        let weak = Arc::downgrade(&self.inner);
        self.read(move |inner| {
            // The seat first: what is committed after the head was read is then told.
            let seat = inner.hub.sit(merchant)?;
            let mut watch = Watch { merchant, seq: 0, seat, inner: weak, hub: Arc::downgrade(&inner.hub) };
            let heads = inner.store.books(&BookQuery::Of([merchant].into()), 1)?;
            watch.seq = heads.first().map_or(0, |(_, head)| head.seq);
            Ok(watch)
        })
    }
}

impl Watch {
    /// Whose book.
    pub fn merchant(&self) -> MerchantId {
        self.merchant
    }

    /// The last entry whose events were given, or the head when the watch began.
    pub fn seq(&self) -> u64 {
        self.seq
    }

    /// Blocks until something happens, and gives its events, whole entries only; none where nothing does within
    /// `timeout`. A store that cannot be read is an error, and so is one that stays away while nothing comes; the watch
    /// goes on with the next call.
    pub fn next(&mut self, timeout: Duration) -> Result<Option<Vec<Event>>, Error> {
        let until = Instant::now().checked_add(timeout);
        while self.seat.wait(self.seq, until)? {
            // Only for as long as it reads does it hold the ledger open.
            let entries = self.read()?.wait()?;
            if let Some(events) = self.take(&entries) {
                return Ok(Some(events));
            }
        }
        Ok(None)
    }

    /// The same, awaited, on any runtime: until something happens. Dropping the future loses nothing.
    pub fn changed(&mut self) -> Changed<'_> {
        Changed { watch: self, reading: None }
    }

    /// The entries after the last one that was given.
    fn read(&self) -> Result<Read<Vec<Recorded>>, Error> {
        let inner = self.inner.upgrade().ok_or(Error::Closed)?;
        let after = JournalQuery::After { merchant: self.merchant, seq: self.seq };
        Ok(Read::of(&inner, move |inner| Ok(inner.store.journal(&after, TAKEN)?.items)))
    }

    /// Takes entries that were read; none where they say nothing.
    fn take(&mut self, entries: &[Recorded]) -> Option<Vec<Event>> {
        match entries.last() {
            Some(last) => self.seq = last.entry.seq,
            None => self.seat.nothing_after(self.seq),
        }
        let events: Vec<Event> = entries.iter().flat_map(Event::of).collect();
        (!events.is_empty()).then_some(events)
    }
}

impl Drop for Watch {
    fn drop(&mut self) {
        if let Some(hub) = self.hub.upgrade() {
            hub.leave(self.merchant, &self.seat);
        }
    }
}

/// The next events of a [`Watch`], when there are some.
#[must_use = "a future does nothing until it is awaited"]
pub struct Changed<'w> {
    watch: &'w mut Watch,
    reading: Option<<Read<Vec<Recorded>> as IntoFuture>::IntoFuture>,
}

impl Future for Changed<'_> {
    type Output = Result<Vec<Event>, Error>;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        let Self { watch, reading } = &mut *self;
        loop {
            if let Some(read) = reading {
                let Poll::Ready(entries) = read.as_mut().poll(context) else { return Poll::Pending };
                *reading = None;
                if let Some(events) = watch.take(&entries?) {
                    return Poll::Ready(Ok(events));
                }
            }
            match watch.seat.poll(watch.seq, context.waker()) {
                Poll::Ready(Ok(())) => *reading = Some(watch.read()?.into_future()),
                Poll::Ready(Err(fault)) => return Poll::Ready(Err(fault)),
                Poll::Pending => return Poll::Pending,
            }
        }
    }
}
