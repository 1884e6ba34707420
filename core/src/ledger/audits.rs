//! The reads of an auditor: past moments, explanations, the check of all books, proofs.

use std::ops::ControlFlow;
use std::panic::{AssertUnwindSafe, catch_unwind};

use crate::audit::{
    AsOf, Balances, CheckAllReport, CheckProgress, Explanation, Proof, Trail, balances, check_all, explain, proof,
};
use crate::book::Book;
use crate::check::check;
use crate::ids::{LeadId, MerchantId};
use crate::ledger::worker::internal;
use crate::ledger::{Ledger, Read};
use crate::store::Needs;
use crate::view::BookView;

impl Ledger {
    /// Every balance of a book as of a past entry or time: each account's, and each deposit's with what was reserved
    /// and available. Summed from the journal alone, whose hashes are verified on the way: it costs a pass over the
    /// entries up to that moment, in memory that does not grow with them.
    ///
    /// What is due is settled first, like before any read, and with its due time: what was due at the moment asked
    /// for has happened in the answer, even where nobody had looked by then.
    ///
    /// Invalid input: `merchant_not_found` where there is no book, `before_first_entry` for a time before it or entry
    /// 0, `entry_not_found` beyond the last one. [`Error::CheckFailed`](crate::Error::CheckFailed) where the journal
    /// contradicts itself.
    ///
    /// ```
    /// use leadledger::{AsOf, Ledger, MemoryStore, MerchantId, OpenDeposit, TopUpDeposit};
    /// let ledger = Ledger::open(MemoryStore::new()).unwrap();
    /// let merchant = MerchantId::generate();
    /// let amount = |text: &str| text.parse().unwrap();
    /// let opened = ledger.open_deposit(OpenDeposit::new(merchant, amount("5000.00"))).wait().unwrap();
    /// ledger.top_up(TopUpDeposit::new(merchant, opened.answer, amount("100.00"))).wait().unwrap();
    /// let then = ledger.balances(merchant, AsOf::Entry(1)).wait().unwrap();
    /// assert_eq!(then.deposits[&opened.answer].available.to_string(), "5000.00");
    /// let refused = ledger.balances(merchant, AsOf::Entry(3)).wait().unwrap_err();
    /// assert_eq!(refused.code(), "entry_not_found");
    /// ```
    pub fn balances(&self, merchant: MerchantId, as_of: AsOf) -> Read<Balances> {
        self.read(move |inner| {
            let head = inner.settled(merchant, &Needs::default())?.head;
            balances(&Trail::new(&*inner.store, merchant, head), as_of)
        })
    }

    /// The whole book as [`Ledger::book`] would have shown it right after that entry, by replay. Only missed leads
    /// are not in it: they leave nothing in the journal. Grows with the book; else as [`Ledger::balances`].
    pub fn book_at(&self, merchant: MerchantId, as_of: AsOf) -> Read<BookView> {
        self.read(move |inner| {
            let head = inner.settled(merchant, &Needs::default())?.head;
            let trail = Trail::new(&*inner.store, merchant, head);
            let mut book = Book::complete(merchant);
            trail.replay(trail.resolve(as_of)?, &mut |recorded| {
                let applied = book.apply(&recorded.entry, recorded.hash);
                applied.map_err(|broken| trail.differs(broken.to_string()))
            })?;
            Ok(BookView::of(&book))
        })
    }

    /// Why a lead cost what it cost and where the money went: the terms and where they come from, and each entry from
    /// its creation to the last one about it. As data, as JSON and in words. None where this merchant has no such
    /// lead. It reads the lead's entries, and between them no more than it must: see ARCHITECTURE.md.
    pub fn explain(&self, merchant: MerchantId, lead: LeadId) -> Read<Option<Explanation>> {
        self.read(move |inner| {
            let book = inner.settled(merchant, &Needs { leads: [lead].into(), ..Needs::default() })?;
            explain(&*inner.store, &Trail::new(&*inner.store, merchant, book.head), &book, lead)
        })
    }

    /// Checks all books as [`Ledger::check`] does, by merchant, and goes on after one that fails or cannot be read:
    /// the report has every failure. `progress` is told before each book, and may stop the check there. A book that
    /// begins meanwhile may or may not be looked at. An error only where the books cannot be counted at all.
    ///
    /// ```
    /// use std::ops::ControlFlow;
    /// use leadledger::{Ledger, MemoryStore, MerchantId, OpenDeposit};
    /// let ledger = Ledger::open(MemoryStore::new()).unwrap();
    /// ledger.open_deposit(OpenDeposit::new(MerchantId::generate(), "5000.00".parse().unwrap())).wait().unwrap();
    /// let report = ledger.check_all(|_progress| ControlFlow::Continue(())).wait().unwrap();
    /// assert!(report.is_sound());
    /// ```
    pub fn check_all(
        &self,
        mut progress: impl FnMut(&CheckProgress) -> ControlFlow<()> + Send + 'static,
    ) -> Read<CheckAllReport> {
        self.read(move |inner| {
            let store = &*inner.store;
            let check = |merchant| {
                // One book's panic is that book's failure.
                let checked = catch_unwind(AssertUnwindSafe(|| check(store, merchant)));
                checked.unwrap_or_else(|panic| Err(internal(&*panic)))
            };
            check_all(store, &check, &mut progress)
        })
    }

    /// A proof that an entry stands in a book's journal, for somebody without the database: see
    /// [`verify_proof`](crate::verify_proof). It holds every entry from this one to the head. Errors as of
    /// [`Ledger::balances`]; a journal that contradicts itself gives no proof.
    pub fn proof(&self, merchant: MerchantId, seq: u64) -> Read<Proof> {
        self.read(move |inner| {
            let head = inner.settled(merchant, &Needs::default())?.head;
            proof(&Trail::new(&*inner.store, merchant, head), seq)
        })
    }
}
