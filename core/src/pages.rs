//! A book's journal by pages, up to a head that was read before, verified on the way: whoever replays it, for a check, a
//! past moment or an export, does not go on where it does not chain.

use std::collections::VecDeque;

use crate::book::Head;
use crate::entry::{Hash, Recorded, chain_hash, genesis_hash};
use crate::error::Error;
use crate::ids::MerchantId;
use crate::store::{JournalQuery, Store};

/// See the module's text.
#[derive(Debug)]
pub(crate) struct Pages {
    merchant: MerchantId,
    /// The last entry that was read, and its hash.
    seq: u64,
    hash: Hash,
    page: usize,
    /// No further than this entry.
    until: u64,
    waiting: VecDeque<Recorded>,
}

impl Pages {
    /// From the first entry on, `page` at a time.
    pub(crate) fn new(merchant: MerchantId, page: usize) -> Self {
        Self {
            merchant,
            seq: 0,
            hash: genesis_hash(merchant),
            page: page.max(1),
            until: u64::MAX,
            waiting: VecDeque::new(),
        }
    }

    /// Only up to and with entry `until`, where the head is further.
    pub(crate) fn up_to(self, until: u64) -> Self {
        Self { until, ..self }
    }

    /// The number of the last entry that was given.
    pub(crate) fn seq(&self) -> u64 {
        self.seq.saturating_sub(u64::try_from(self.waiting.len()).unwrap_or(u64::MAX))
    }

    /// The next page up to `head`, empty at the end; not to be mixed with [`Pages::next`].
    pub(crate) fn page(&mut self, store: &dyn Store, head: &Head) -> Result<Vec<Recorded>, Error> {
        self.fill(store, head)?;
        Ok(self.waiting.drain(..).collect())
    }

    /// The next entry up to `head`.
    pub(crate) fn next(&mut self, store: &dyn Store, head: &Head) -> Result<Option<Recorded>, Error> {
        if self.waiting.is_empty() {
            self.fill(store, head)?;
        }
        Ok(self.waiting.pop_front())
    }

    fn fill(&mut self, store: &dyn Store, head: &Head) -> Result<(), Error> {
        let left = usize::try_from(head.seq.min(self.until).saturating_sub(self.seq)).unwrap_or(usize::MAX);
        if left == 0 {
            return Ok(());
        }
        let query = JournalQuery::After { merchant: self.merchant, seq: self.seq };
        let merchant = self.merchant;
        let differs = |difference: String| Error::CheckFailed { merchant, difference };
        for recorded in store.journal(&query, left.min(self.page))?.items {
            let seq = recorded.entry.seq;
            if Some(seq) != self.seq.checked_add(1) {
                return Err(differs(format!("entry {} is missing", self.seq.saturating_add(1))));
            }
            if chain_hash(&self.hash, &recorded.payload) != recorded.hash {
                return Err(differs(format!("the hash of entry {seq} does not follow from the one before")));
            }
            (self.seq, self.hash) = (seq, recorded.hash);
            self.waiting.push_back(recorded);
        }
        if self.waiting.is_empty() {
            return Err(differs(format!("entry {} is missing", self.seq.saturating_add(1))));
        }
        if self.seq == head.seq && self.hash != head.hash {
            return Err(differs("the head is not the last entry".to_owned()));
        }
        Ok(())
    }
}
