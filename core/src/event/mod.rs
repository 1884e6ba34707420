//! Events: what a journal's entries say, for whoever follows it. One entry gives one event for each of its facts, with
//! the amounts as decimals; the journal stays the truth, and the same entry always gives the same events.
//!
//! An event never holds personal data or free text: neither does the journal. Names of types and fields are permanent;
//! `version` changes where their meaning does.

mod body;
mod facts;
mod json;

use crate::entry::{Kind, Recorded};
use crate::ids::MerchantId;
use crate::time::Timestamp;

pub use body::EventBody;

/// One thing that happened in a merchant's book.
///
/// ```
/// use leadledger::{Event, EventBody, Ledger, MemoryStore, MerchantId, OpenDeposit};
/// let ledger = Ledger::open(MemoryStore::new()).unwrap();
/// let merchant = MerchantId::generate();
/// ledger.open_deposit(OpenDeposit::new(merchant, "5000.00".parse().unwrap())).wait().unwrap();
/// let entries = ledger.events(merchant, 0, 10).wait().unwrap();
/// let events: Vec<Event> = entries.iter().flat_map(Event::of).collect();
/// assert!(matches!(&events[1].body, EventBody::PaymentReceived { amount, .. } if amount.to_string() == "5000.00"));
/// let json = events[1].to_json();
/// assert_eq!((&json["type"], &json["amount"]), (&"payment_received".into(), &"5000.00".into()));
/// assert_eq!(Event::from_json(&json).unwrap(), events[1]);
/// assert_eq!(Event::from_json(&serde_json::json!({ "version": 2 })).unwrap_err().code(), "unknown_event_version");
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Event {
    /// Whose book.
    pub merchant: MerchantId,
    /// The entry's number in that book.
    pub seq: u64,
    /// Its place among the events of that entry: 0, 1, 2, ... With merchant and `seq` it names the event for ever.
    pub index: u32,
    /// When it happened.
    pub at: Timestamp,
    /// The kind of the entry: the command's name, or what time alone did.
    pub kind: Kind,
    /// What happened.
    pub body: EventBody,
}

impl Event {
    /// The events of an entry, in the order in which things happened; none where it says nothing.
    pub fn of(recorded: &Recorded) -> Vec<Self> {
        let entry = &recorded.entry;
        let event = |(index, body)| Self {
            merchant: recorded.merchant,
            seq: entry.seq,
            index,
            at: entry.at,
            kind: entry.kind,
            body,
        };
        (0_u32..).zip(facts::bodies(entry)).map(event).collect()
    }

    /// The permanent name of what happened, such as `lead_created`.
    pub fn name(&self) -> &'static str {
        self.body.name()
    }
}
