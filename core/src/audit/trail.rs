//! One book's journal as audits read it: up to a head, page by page, in memory that does not grow with the book.

use std::ops::ControlFlow;

use crate::audit::{AsOf, Moment};
use crate::book::Head;
use crate::entry::{Fact, Recorded, genesis_hash};
use crate::error::{Error, InvalidInput};
use crate::ids::MerchantId;
use crate::pages::Pages;
use crate::store::{JournalQuery, Store};
use crate::time::Timestamp;

/// Entries in the first page of a search, and in the largest: what is looked for is often near.
const FIRST_PAGE: usize = 16;
const PAGE: usize = 512;

/// See the module's text.
pub(crate) struct Trail<'s> {
    store: &'s dyn Store,
    pub(crate) merchant: MerchantId,
    /// Commands may go on meanwhile: what comes after this head is not looked at.
    pub(crate) head: Head,
}

impl<'s> Trail<'s> {
    pub(crate) fn new(store: &'s dyn Store, merchant: MerchantId, head: Head) -> Self {
        Self { store, merchant, head }
    }

    /// The journal contradicts itself or the head.
    pub(crate) fn differs(&self, difference: impl Into<String>) -> Error {
        Error::CheckFailed { merchant: self.merchant, difference: difference.into() }
    }

    /// A number that has an entry here.
    pub(crate) fn number(&self, seq: u64) -> Result<u64, Error> {
        let last = self.head.seq;
        let fault = |code, message: String| Err(InvalidInput::new(code, "entry", message).into());
        match seq {
            _ if last == 0 => fault("merchant_not_found", format!("merchant {} has no book", self.merchant)),
            0 => fault("before_first_entry", "the first entry is number 1".to_owned()),
            _ if seq > last => fault("entry_not_found", format!("the last entry is number {last}, there is no {seq}")),
            _ => Ok(seq),
        }
    }

    /// The number of the entry that was the last one at the moment asked for.
    pub(crate) fn resolve(&self, as_of: AsOf) -> Result<u64, Error> {
        match as_of {
            AsOf::Entry(seq) => self.number(seq),
            AsOf::Time(time) => {
                self.number(self.head.seq)?;
                let seq = self.last_where(|at| at <= time)?;
                if seq == 0 {
                    let message = format!("{time} is before the first entry");
                    return Err(InvalidInput::new("before_first_entry", "time", message).into());
                }
                Ok(seq)
            }
        }
    }

    /// The entry of a number within the head.
    pub(crate) fn entry(&self, seq: u64) -> Result<Recorded, Error> {
        let query = JournalQuery::After { merchant: self.merchant, seq: seq.saturating_sub(1) };
        let found = self.store.journal(&query, 1)?.items.pop().filter(|recorded| recorded.entry.seq == seq);
        found.ok_or_else(|| self.differs(format!("entry {seq} is missing")))
    }

    /// The last entry whose time `admits`; 0 where none does. A book's time never runs backwards, so that what is
    /// admitted comes before what is not, and a bisection finds the border.
    pub(crate) fn last_where(&self, admits: impl Fn(Timestamp) -> bool) -> Result<u64, Error> {
        if admits(self.head.last_at) {
            return Ok(self.head.seq);
        }
        let (mut admitted, mut last) = (0_u64, self.head.seq.saturating_sub(1));
        while admitted < last {
            let middle = admitted.midpoint(last).saturating_add(1);
            if admits(self.entry(middle)?.entry.at) {
                admitted = middle;
            } else {
                last = middle.saturating_sub(1);
            }
        }
        Ok(admitted)
    }

    /// Visits the entries after `after`, up to and with `until`, in order, until the visitor breaks.
    pub(crate) fn forward(
        &self,
        after: u64,
        until: u64,
        visit: &mut dyn FnMut(Recorded) -> Result<ControlFlow<()>, Error>,
    ) -> Result<(), Error> {
        let (mut seq, mut limit) = (after, FIRST_PAGE);
        while seq < until {
            let page = self.store.journal(&JournalQuery::After { merchant: self.merchant, seq }, limit)?.items;
            limit = limit.saturating_mul(2).min(PAGE);
            let before = seq;
            for recorded in page.into_iter().take_while(|recorded| recorded.entry.seq <= until) {
                seq = self.next(recorded.entry.seq, seq.saturating_add(1))?;
                if visit(recorded)?.is_break() {
                    return Ok(());
                }
            }
            if seq == before {
                return Err(self.differs(format!("entry {} is missing", seq.saturating_add(1))));
            }
        }
        Ok(())
    }

    /// Visits the facts before entry `before`, the last ones first, until the visitor breaks or the journal begins.
    pub(crate) fn facts_before(
        &self,
        before: u64,
        visit: &mut dyn FnMut(&Recorded, &Fact) -> ControlFlow<()>,
    ) -> Result<(), Error> {
        let (mut seq, mut limit) = (before, FIRST_PAGE);
        while seq > 1 {
            let query = JournalQuery::Before { merchant: self.merchant, seq: Some(seq) };
            let page = self.store.journal(&query, limit)?.items;
            limit = limit.saturating_mul(2).min(PAGE);
            if page.is_empty() {
                return Err(self.differs(format!("entry {} is missing", seq.saturating_sub(1))));
            }
            for recorded in page {
                seq = self.next(recorded.entry.seq, seq.saturating_sub(1))?;
                for fact in recorded.entry.facts.iter().rev() {
                    if visit(&recorded, fact).is_break() {
                        return Ok(());
                    }
                }
            }
        }
        Ok(())
    }

    fn next(&self, found: u64, expected: u64) -> Result<u64, Error> {
        if found == expected { Ok(found) } else { Err(self.differs(format!("entry {expected} is missing"))) }
    }

    /// Visits every entry from the first to `until`, and verifies the chain of hashes on the way: what is told from
    /// them rests on the journal alone.
    pub(crate) fn replay(
        &self,
        until: u64,
        visit: &mut dyn FnMut(&Recorded) -> Result<(), Error>,
    ) -> Result<Moment, Error> {
        let mut moment = Moment { seq: 0, at: Timestamp::MIN, hash: genesis_hash(self.merchant) };
        let mut pages = Pages::new(self.merchant, PAGE).up_to(until);
        while let Some(recorded) = pages.next(self.store, &self.head)? {
            moment = Moment { seq: recorded.entry.seq, at: recorded.entry.at, hash: recorded.hash };
            visit(&recorded)?;
        }
        Ok(moment)
    }
}
