//! A past moment of a book: asked for by entry or by time, answered by the entry that was the last one then.

use serde_json::{Value, json};

use crate::entry::Hash;
use crate::hex::hex;
use crate::time::Timestamp;

/// A moment of a book that is asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum AsOf {
    /// Right after the entry of this number, 1 for the first.
    Entry(u64),
    /// Right after the last entry whose time is not later than this one. A time that has not come yet gives the last
    /// entry there is; the answer for a time is final once the book has an entry of a later one.
    Time(Timestamp),
}

/// The entry that was a book's last one at the moment asked for. With its hash anybody can tell later whether the
/// journal still says the same.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Moment {
    /// The entry's number.
    pub seq: u64,
    /// The entry's time.
    pub at: Timestamp,
    /// The entry's hash.
    pub hash: Hash,
}

impl Moment {
    /// `{"seq", "at", "hash"}`, the hash in lower-case hexadecimal digits.
    pub fn to_json(&self) -> Value {
        json!({ "seq": self.seq, "at": self.at, "hash": hex(&self.hash) })
    }
}
