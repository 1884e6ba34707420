//! What every store must do, as a suite that any store runs from three lines of test code, and the scenario player.
//!
//! ```
//! use leadledger::conformance::{Place, run};
//! use leadledger::{MemoryStore, Store};
//! use std::sync::Arc;
//!
//! struct Memory(Arc<MemoryStore>);
//! impl Place for Memory {
//!     fn open(&self) -> Arc<dyn Store> {
//!         Arc::clone(&self.0) as Arc<dyn Store>
//!     }
//! }
//! assert!(run(&|| Box::new(Memory(Arc::new(MemoryStore::new())))) > 30);
//! ```
//!
//! Each case is one sentence of the contract in [`crate::Store`], or one promise of the ledger on top of it. What the
//! suite cannot force from outside (a full disk, a commit whose outcome is unknown, a process that is killed) is in
//! the tests of the stores themselves.

// A suite fails by panicking, and its sums are small and its own.
#![allow(clippy::unwrap_used, clippy::panic, clippy::arithmetic_side_effects)]

mod audits;
mod damages;
mod due;
mod excerpts;
mod explanations;
mod exports;
mod feeds;
mod figures;
mod ground;
mod keys;
mod lists;
mod openings;
mod promises;
mod proofs;
mod scenarios;
mod story;
mod subscribers;
mod transactions;

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;

use crate::ids::MerchantId;
use crate::store::Store;
use ground::Ground;

pub use scenarios::{Mismatch, Played, check_shape, merchants_of, play, scenario_files};

/// Where a store keeps its books: a file, a schema, a piece of memory. Empty at first.
pub trait Place {
    /// A handle on the books that are here: another one with each call, if the store can. What was committed through
    /// one is seen through all, and stays when all are dropped and another is opened.
    fn open(&self) -> Arc<dyn Store>;

    /// Returns once all that is committed by now is in the feed over all books: where others write in the same place, a
    /// store may hold an entry back until it knows that none before it is to come.
    fn settle(&self) {}

    /// Damages what is stored of one book behind the store's back; false where this place cannot. No handle is open
    /// meanwhile.
    fn damage(&self, merchant: MerchantId, damage: Damage) -> bool {
        let _ = (merchant, damage);
        false
    }
}

/// Damage that somebody or something does to the stored rows of a book.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Damage {
    /// A row that every command needs (a deposit that is open) cannot be read any more.
    UnreadableRow,
    /// A deposit has one minor unit more.
    DepositBalance,
    /// A deposit reserves one minor unit more.
    Reservation,
    /// A captured lead gives another part to the partner.
    Lead,
    /// A partner has one minor unit more.
    Partner,
    /// The platform has one minor unit more.
    Platform,
    /// A top-up received another amount.
    TopUp,
    /// A payout has another amount.
    Payout,
    /// An agreement gives another share.
    Agreement,
    /// The payload of an entry says something else.
    Payload,
    /// The hash of the last entry is another.
    Hash,
    /// An entry in the middle is gone.
    MissingEntry,
    /// The last entry is gone, and the head names the one before.
    MissingTail,
    /// An idempotency key leads to another entry.
    Key,
    /// A text beside the journal is another.
    PrivateText,
    /// A text that came in with a book's opening is another; not among [`Damage::ALL`], since few books begin with one.
    OpeningText,
    /// The head says that nothing will ever be due.
    NextDue,
    /// The head gives another last receipt.
    Receipt,
}

impl Damage {
    /// All that any book can suffer.
    pub const ALL: [Self; 17] = [
        Self::UnreadableRow,
        Self::DepositBalance,
        Self::Reservation,
        Self::Lead,
        Self::Partner,
        Self::Platform,
        Self::TopUp,
        Self::Payout,
        Self::Agreement,
        Self::Payload,
        Self::Hash,
        Self::MissingEntry,
        Self::MissingTail,
        Self::Key,
        Self::PrivateText,
        Self::NextDue,
        Self::Receipt,
    ];
}

/// A case: its sentence, and what must hold on an empty place.
type Case = (&'static str, fn(&Ground));

/// Runs every case, each on a place of its own, and says how many there were.
///
/// # Panics
/// When a case fails; the message names each one that did.
pub fn run(empty: &dyn Fn() -> Box<dyn Place>) -> usize {
    let groups = [
        transactions::CASES,
        excerpts::CASES,
        due::CASES,
        lists::CASES,
        feeds::CASES,
        figures::CASES,
        subscribers::CASES,
        keys::CASES,
        promises::CASES,
        damages::CASES,
        exports::CASES,
        audits::CASES,
        explanations::CASES,
        proofs::CASES,
        openings::CASES,
    ];
    let mut faults = Vec::new();
    for (sentence, case) in groups.iter().copied().flatten() {
        let ground = Ground::new(empty());
        if let Err(panic) = catch_unwind(AssertUnwindSafe(|| case(&ground))) {
            let what = panic.downcast_ref::<String>().map(String::as_str);
            let what = what.or_else(|| panic.downcast_ref::<&str>().copied()).unwrap_or("a panic");
            faults.push(format!("- {sentence}: {what}"));
        }
    }
    assert!(faults.is_empty(), "{} conformance cases fail:\n{}", faults.len(), faults.join("\n"));
    groups.iter().map(|cases| cases.len()).sum()
}
