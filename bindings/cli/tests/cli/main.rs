//! The binary, run as a user runs it.

#![allow(clippy::panic, clippy::unwrap_used, missing_docs)]

mod audits;
mod documents;
mod exports;
mod faults;
mod figures;
mod ground;
mod legacy;
mod stories;
mod story;
mod terminal;
