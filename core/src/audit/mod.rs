//! What an auditor asks of a book: what it held at any past moment, why a lead cost what it cost, whether all books
//! are whole, and a proof of an entry that needs no database.
//!
//! All of it is read through the [`Store`](crate::Store) contract, so that every store answers alike, and nothing here
//! writes.

mod as_of;
mod balances;
mod check_all;
mod explain;
mod explanation;
mod proof;
mod trail;
mod verify;
mod words;

pub use as_of::{AsOf, Moment};
pub use balances::{AccountBalance, Balances, DepositBalance};
pub use check_all::{CheckAllReport, CheckEnd, CheckFailure, CheckProgress};
pub use explanation::{
    Actor, Explanation, LeadEvent, PolicyInForce, ReservationChange, ShareSource, Step, StepEffect, StepPosting,
};
pub use proof::{Proof, ProofEntry, ProofError, ProofHead};
pub use verify::{ProvenEntry, verify_proof, verify_proof_against};

pub(crate) use balances::balances;
pub(crate) use check_all::check_all;
pub(crate) use explain::explain;
pub(crate) use proof::proof;
pub(crate) use trail::Trail;
