//! Subscriptions: events of all books for a named reader, whose place the store remembers.
//!
//! Each entry comes at least once, and each book's in order. A reader that handles what it was given and acknowledges
//! it afterwards misses nothing, whenever it stops; what it handled and did not acknowledge comes again.

use std::sync::{Arc, Mutex, PoisonError};

use crate::error::{Error, StoreError};
use crate::event::Event;
use crate::ledger::{Inner, Ledger, Read};
use crate::store::{Cursor, JournalQuery};
use crate::text::SubscriberName;

/// A named reader of all books' events. A name is one reader's: two that share it get the same events, and one of them
/// is refused when it acknowledges them (`cursor_moved`).
///
/// ```
/// use leadledger::{Ledger, MemoryStore, MerchantId, OpenDeposit};
/// let ledger = Ledger::open(MemoryStore::new()).unwrap();
/// ledger.open_deposit(OpenDeposit::new(MerchantId::generate(), "5000.00".parse().unwrap())).wait().unwrap();
/// let mails = ledger.subscribe("mails").wait().unwrap();
/// let names = |limit| -> Vec<_> { mails.next(limit).wait().unwrap().iter().map(|event| event.name()).collect() };
/// assert_eq!(names(10), ["deposit_opened", "payment_received"]);
/// assert_eq!(names(10), ["deposit_opened", "payment_received"], "not acknowledged, so they come again");
/// mails.ack().wait().unwrap();
/// assert!(names(10).is_empty());
/// assert_eq!(ledger.subscribe("").wait().unwrap_err().code(), "text_empty");
/// ```
#[derive(Clone)]
pub struct Subscription {
    inner: Arc<Inner>,
    reader: Arc<Reader>,
}

struct Reader {
    name: SubscriberName,
    /// What was given last and is not acknowledged.
    given: Mutex<Option<Given>>,
}

/// Where the entries that were given begin and end.
struct Given {
    from: Option<Cursor>,
    to: Cursor,
    /// An acknowledgement failed in a way that does not tell whether it happened.
    doubt: bool,
}

impl std::fmt::Debug for Subscription {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Subscription").field("name", &self.reader.name).finish_non_exhaustive()
    }
}

impl Ledger {
    /// The reader of this name (1 to 255 characters without NUL), who goes on after what it has acknowledged; a new one
    /// begins at the first entry. Nothing is written before the first acknowledgement.
    pub fn subscribe(&self, name: impl Into<String>) -> Read<Subscription> {
        let name = SubscriberName::new(name);
        let shared = Arc::clone(&self.inner);
        self.read(move |inner| {
            let name = name?;
            inner.store.cursor(&name)?;
            Ok(Subscription { inner: shared, reader: Arc::new(Reader { name, given: Mutex::new(None) }) })
        })
    }
}

impl Subscription {
    /// Its name.
    pub fn name(&self) -> &SubscriberName {
        &self.reader.name
    }

    /// The events of the entries after the last one that is acknowledged, at most `limit` entries (at least one), each
    /// with all its events; none where there are no more yet. The same again until they are acknowledged.
    ///
    /// What time alone does is there once it was settled: by whoever uses the book, or by
    /// [`Ledger::run_due_everywhere`].
    pub fn next(&self, limit: usize) -> Read<Vec<Event>> {
        self.run(move |inner, reader| {
            // Held to the end: what is acknowledged is what this gave.
            let mut given = reader.given.lock().unwrap_or_else(PoisonError::into_inner);
            *given = None;
            let from = inner.store.cursor(&reader.name)?;
            let page = inner.store.journal(&JournalQuery::All { after: from.clone() }, limit.max(1))?;
            if !page.items.is_empty() {
                let to = page.next.ok_or_else(|| Error::Internal("a page of all books without a cursor".to_owned()))?;
                *given = Some(Given { from, to, doubt: false });
            }
            Ok(page.items.iter().flat_map(Event::of).collect())
        })
    }

    /// Acknowledges, durably, what the last [`Subscription::next`] gave; nothing, where it gave nothing. After an error
    /// of the store it may be tried again.
    ///
    /// Where another reader of this name has moved on meanwhile it is refused ([`Error::CursorMoved`]), nothing is
    /// changed, and the next events are those after that reader's place.
    pub fn ack(&self) -> Read<()> {
        self.run(|inner, reader| {
            let mut given = reader.given.lock().unwrap_or_else(PoisonError::into_inner);
            let Some(Given { from, to, doubt }) = &mut *given else { return Ok(()) };
            match inner.store.advance(&reader.name, from.as_ref(), to) {
                Ok(true) => {}
                // By the attempt before, of which nobody knew; or by one that acknowledged the same.
                Ok(false) if *doubt && inner.store.cursor(&reader.name)?.as_ref() == Some(&*to) => {}
                Ok(false) => {
                    *given = None;
                    return Err(Error::CursorMoved { name: reader.name.clone() });
                }
                Err(fault) => {
                    *doubt |= matches!(fault, StoreError::Unknown(_));
                    return Err(fault.into());
                }
            }
            *given = None;
            Ok(())
        })
    }

    /// Where it has got to: after everything that is acknowledged; none where nothing ever was.
    pub fn position(&self) -> Read<Option<Cursor>> {
        self.run(|inner, reader| Ok(inner.store.cursor(&reader.name)?))
    }

    /// Moves it to a place that [`Ledger::all_events`] or [`Subscription::position`] gave, or to the first entry: the
    /// next events are those after it. Refuses a cursor of another store ([`StoreError::Foreign`]), and gives way to a
    /// reader of this name who moves at the same moment ([`Error::CursorMoved`]).
    pub fn seek(&self, to: Option<Cursor>) -> Read<()> {
        self.run(move |inner, reader| {
            let mut given = reader.given.lock().unwrap_or_else(PoisonError::into_inner);
            // A store says what it thinks of a cursor when it reads there, and its own word for the beginning.
            let here = inner.store.journal(&JournalQuery::All { after: to.clone() }, 0)?;
            let to =
                to.or(here.next).ok_or_else(|| Error::Internal("a page of all books without a cursor".to_owned()))?;
            let from = inner.store.cursor(&reader.name)?;
            if !inner.store.advance(&reader.name, from.as_ref(), &to)? {
                return Err(Error::CursorMoved { name: reader.name.clone() });
            }
            *given = None;
            Ok(())
        })
    }

    fn run<T>(&self, run: impl FnOnce(&Inner, &Reader) -> Result<T, Error> + Send + 'static) -> Read<T> {
        let reader = Arc::clone(&self.reader);
        Read::of(&self.inner, move |inner| run(inner, &reader))
    }
}
