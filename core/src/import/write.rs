//! The second reading: the entries that are not there yet are written, in bounded commits.
//!
//! Until a book is there whole, its head says that nothing is due, so that nobody who looks through the ledger meanwhile
//! settles what the next entries say.

use std::collections::BTreeMap;
use std::io::BufRead;
use std::time::Duration;

use crate::book::{Book, Missed, Private};
use crate::entry::{Hash, Recorded};
use crate::error::{Error, StoreError};
use crate::export::{Progress, Stage};
use crate::ids::LeadId;
use crate::import::source::{Item, Lines};
use crate::import::{Import, ImportError, Verified};
use crate::store::{Books, Needs, Scope};
use crate::time::Timestamp;

/// How often a commit is tried again when the store is unavailable or its outcome unknown.
const RETRIES: u32 = 8;
const FIRST_PAUSE: Duration = Duration::from_millis(2);

/// What of one book is to be written next.
#[derive(Default)]
struct Chunk {
    entries: Vec<(Recorded, Vec<Private>)>,
    missed: Vec<(LeadId, Missed)>,
}

/// A book that is being written.
struct Writing<'b> {
    verified: &'b Verified,
    /// The last entry that is in the store, and its hash.
    seq: u64,
    hash: Hash,
    chunk: Chunk,
}

/// What a transaction came to.
enum Outcome {
    Adopted,
    /// The book is not where the entries before left it.
    Moved,
    /// An entry does not follow, although it did when it was verified.
    Broken(String),
    Failed(Error),
}

impl Import<'_> {
    pub(super) fn write(&mut self, source: &mut dyn BufRead, books: &[Verified]) -> Result<(), ImportError> {
        let mut line = 1;
        self.write_all(source, books, &mut line).map_err(|fault| match fault {
            // All of it was right when it was read before.
            ImportError::Ledger(_) | ImportError::Source { .. } | ImportError::BookMoved { .. } => fault,
            fault => ImportError::SourceChanged { line, what: fault.to_string() },
        })
    }

    fn write_all(&mut self, source: &mut dyn BufRead, books: &[Verified], line: &mut u64) -> Result<(), ImportError> {
        let mut lines = Lines::open(source)?;
        let mut books = books.iter();
        let mut writing: Option<Writing<'_>> = None;
        let (mut done, mut entries) = (0_u64, 0_u64);
        loop {
            let item = lines.next();
            *line = lines.line;
            let Some(item) = item? else { break };
            let current = match &mut writing {
                Some(current) => current,
                none => {
                    let verified = books.next().ok_or_else(|| lines.damaged("another book"))?;
                    let (seq, hash) = (verified.stored.seq, verified.stored.hash);
                    none.insert(Writing { verified, seq, hash, chunk: Chunk::default() })
                }
            };
            let merchant = current.verified.merchant;
            // What the store has already, it has whole: entries with their private texts, and missed leads before the
            // last entry.
            let is_whole = current.verified.stored.seq >= current.verified.seq;
            match item {
                Item::Entry(recorded) if recorded.merchant == merchant => {
                    entries = entries.saturating_add(1);
                    if recorded.entry.seq > current.verified.stored.seq {
                        if current.chunk.entries.len() >= self.chunk {
                            self.flush(current, 0, lines.line)?;
                            (self.progress)(Progress { stage: Stage::Importing, books: done, entries });
                        }
                        current.chunk.entries.push((recorded, Vec::new()));
                    }
                }
                Item::Private(of, private) if of == merchant => {
                    if let Some((_, texts)) = current.chunk.entries.last_mut()
                        && private.seq > current.verified.stored.seq
                    {
                        texts.push(private);
                    }
                }
                Item::Missed(of, lead, missed) if of == merchant => {
                    if !is_whole {
                        // The last entry is kept back until all of them are there: a book that has it is whole.
                        let is_there = current.seq > 0 || current.chunk.entries.len() > 1;
                        if current.chunk.missed.len() >= self.chunk && is_there {
                            self.flush(current, 1, lines.line)?;
                        }
                        current.chunk.missed.push((lead, missed));
                    }
                }
                Item::Head(of, seq, _) if of == merchant && seq == current.verified.seq => {
                    if !is_whole {
                        self.flush(current, 0, lines.line)?;
                    }
                    writing = None;
                    done = done.saturating_add(1);
                    (self.progress)(Progress { stage: Stage::Importing, books: done, entries });
                }
                _ => return Err(lines.damaged("a line of another book")),
            }
        }
        Ok(())
    }

    /// Writes what waits, but for the last `keep` entries; as one commit, tried again until it is known to be there.
    fn flush(&mut self, writing: &mut Writing<'_>, keep: usize, line: u64) -> Result<(), ImportError> {
        let count = writing.chunk.entries.len().saturating_sub(keep);
        let kept = writing.chunk.entries.split_off(count);
        let chunk = std::mem::replace(&mut writing.chunk, Chunk { entries: kept, missed: Vec::new() });
        let merchant = writing.verified.merchant;
        let mut needs = Needs::of_entries(chunk.entries.iter().map(|(recorded, _)| &*recorded.entry));
        needs.missed.extend(chunk.missed.iter().map(|(lead, _)| *lead));
        // At the beginning of time nothing is due.
        let scope = Scope { now: Timestamp::MIN, due_limit: 1, books: BTreeMap::from([(merchant, needs)]) };
        let mut fault = StoreError::Unavailable("it was not tried".to_owned());
        for attempt in 0..=RETRIES {
            if let Some(earlier) = attempt.checked_sub(1) {
                let pause = FIRST_PAUSE.saturating_mul(2_u32.saturating_pow(earlier));
                std::thread::sleep(pause.min(Duration::from_secs(1)));
            }
            let mut outcome = Outcome::Failed(Error::Internal("the store did no work".to_owned()));
            let ended = self.store.transact((self.lane)(merchant), &scope, &mut |books| {
                outcome = writing.adopt(&chunk, books);
            });
            match (ended, outcome) {
                (Ok(()), Outcome::Adopted) => {
                    if let Some((last, _)) = chunk.entries.last() {
                        (writing.seq, writing.hash) = (last.entry.seq, last.hash);
                    }
                    return Ok(());
                }
                (Ok(()), Outcome::Moved) => return Err(ImportError::BookMoved { line, merchant }),
                (Ok(()), Outcome::Broken(what)) => return Err(ImportError::Damaged { line, what }),
                (Ok(()), Outcome::Failed(fault)) => return Err(fault.into()),
                // After an unknown outcome the book's head tells, in the next transaction.
                (Err(last @ (StoreError::Unknown(_) | StoreError::Unavailable(_))), _) => fault = last,
                (Err(last), _) => return Err(last.into()),
            }
        }
        Err(fault.into())
    }
}

impl Writing<'_> {
    /// Takes in what the book does not have. Where that fails, the book is taken out: nothing is written of it.
    fn adopt(&self, chunk: &Chunk, books: &mut Books) -> Outcome {
        let merchant = self.verified.merchant;
        let outcome = match books.get_mut(&merchant) {
            Some(Ok(book)) => self.adopt_into(chunk, book),
            Some(Err(fault)) => Outcome::Failed(fault.clone().into()),
            None => Outcome::Failed(Error::Internal("the store did not load the book".to_owned())),
        };
        if !matches!(outcome, Outcome::Adopted) {
            books.remove(&merchant);
        }
        outcome
    }

    fn adopt_into(&self, chunk: &Chunk, book: &mut Book) -> Outcome {
        let head = (book.head.seq, book.head.hash);
        let last = chunk.entries.last().map_or((self.seq, self.hash), |(last, _)| (last.entry.seq, last.hash));
        if head != (self.seq, self.hash) {
            // An attempt before whose outcome was unknown has been committed, or somebody else wrote.
            return if head == last { Outcome::Adopted } else { Outcome::Moved };
        }
        for (recorded, private) in &chunk.entries {
            if let Err(broken) = book.adopt(recorded.clone(), private.clone()) {
                return Outcome::Broken(broken.to_string());
            }
        }
        for (lead, missed) in &chunk.missed {
            book.missed.put(*lead, *missed);
        }
        let is_whole = book.head.seq == self.verified.seq;
        book.head.next_due = self.verified.next_due.filter(|_| is_whole);
        Outcome::Adopted
    }
}
