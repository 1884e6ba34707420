//! The binary, run as a user runs it.

#![allow(clippy::panic, clippy::unwrap_used, missing_docs)]

mod documents;
mod faults;
mod ground;
mod stories;
mod story;
mod terminal;
