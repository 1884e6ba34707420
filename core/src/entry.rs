//! A journal entry: what one accepted command (or time alone) did to a book, and the exact text that is hashed.
//!
//! The payload is the JSON text of the entry, kept to the letter: `hash = SHA-256(previous hash || payload text)`,
//! with SHA-256 of the merchant's id (as text) before the first. It holds ids, amounts in minor units and codes;
//! never personal data or free text, of which it carries only a salted digest.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::sync::Arc;

use chrono::NaiveDate;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use crate::account::{Posting, Postings};
use crate::alert::Level;
use crate::book::Private;
use crate::campaign::{CampaignSettings, OnTimeout};
use crate::command::Command;
use crate::deposit::{Basis, ReferenceKind};
use crate::error::StoreError;
use crate::hex::{hex, unhex};
use crate::ids::{CampaignId, DepositId, LeadId, MerchantId, PartnerId, PayoutId, TopUpId};
use crate::lead::Source;
use crate::money::Currency;
use crate::opening::{ImportedDeposit, ImportedLead, ImportedLine};
use crate::percent::Percent;
use crate::text::{Key, Reference};
use crate::time::Timestamp;
use crate::top_up::{Method, ReceiptNumber};

/// SHA-256.
pub type Hash = [u8; 32];
/// The first half of a SHA-256, enough to compare by.
pub type ShortHash = [u8; 16];

/// What an entry is: the command's name, or what time alone did.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Kind(&'static str);

impl Serialize for Kind {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.0)
    }
}

impl Kind {
    /// A pending lead's window ended and its reservation was released.
    pub const LEAD_EXPIRED: Self = Self("lead_expired");
    /// A pending lead's window ended and it was validated.
    pub const LEAD_ACCEPTED: Self = Self("lead_accepted");
    /// A held part became payable.
    pub const PART_MATURED: Self = Self("part_matured");

    /// A book was brought in from elsewhere.
    pub const OPEN_BOOK: Self = Self("open_book");

    /// The kind of a command's entry.
    pub fn of(command: &Command) -> Self {
        Self(command.name())
    }

    /// The permanent name.
    pub const fn name(self) -> &'static str {
        self.0
    }

    /// Whether time alone did it.
    pub fn is_of_time(self) -> bool {
        [Self::LEAD_EXPIRED, Self::LEAD_ACCEPTED, Self::PART_MATURED].contains(&self)
    }

    /// The inverse of [`Kind::name`].
    pub fn from_name(name: &str) -> Option<Self> {
        let due = [Self::LEAD_EXPIRED, Self::LEAD_ACCEPTED, Self::PART_MATURED];
        let command = || Command::NAMES.iter().find(|known| **known == name).map(|known| Self(known));
        due.into_iter().find(|kind| kind.0 == name).or_else(command)
    }
}

/// Who paused or suspended something.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Cause {
    /// A person.
    Person,
    /// The ledger: depletion or debt.
    Ledger,
}

impl Cause {
    /// All of them.
    pub const ALL: &'static [Self] = &[Self::Person, Self::Ledger];
}

fn is_zero(days: &u32) -> bool {
    *days == 0
}

fn is_other(source: &Source) -> bool {
    *source == Source::Other
}

fn mad() -> Currency {
    Currency::MAD
}

fn is_mad(currency: &Currency) -> bool {
    *currency == Currency::MAD
}

fn first() -> u32 {
    1
}

fn is_first(version: &u32) -> bool {
    *version == 1
}

fn three_days() -> u32 {
    72
}

fn is_three_days(hours: &u32) -> bool {
    *hours == 72
}

fn other() -> Source {
    Source::Other
}

fn is_expire(on_timeout: &OnTimeout) -> bool {
    *on_timeout == OnTimeout::Expire
}

/// One thing that an entry says, beside its postings. Amounts are minor units: of the fact's own currency, or else of
/// the postings', which an entry with such a fact always has.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
#[allow(missing_docs)] // field names are the glossary's
pub enum Fact {
    /// A campaign began.
    CampaignRegistered { campaign: CampaignId, settings: CampaignSettings },
    /// A campaign's terms changed.
    CampaignUpdated { campaign: CampaignId, settings: CampaignSettings },
    /// A campaign takes no leads.
    CampaignPaused { campaign: CampaignId, by: Cause },
    /// A campaign takes leads again.
    CampaignResumed { campaign: CampaignId, by: Cause },
    /// A partner's terms were agreed.
    AgreementSet {
        partner: PartnerId,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        campaign: Option<CampaignId>,
        share: Percent,
        payout_delay_days: u32,
    },
    /// A deposit began.
    DepositOpened {
        deposit: DepositId,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        campaign: Option<CampaignId>,
        currency: Currency,
    },
    /// A payment came in; `credited` is what the debt left of it.
    PaidIn {
        deposit: DepositId,
        amount: i64,
        credited: i64,
        method: Method,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        reference: Option<Reference>,
    },
    /// A deposit takes no reservations.
    DepositSuspended { deposit: DepositId, by: Cause },
    /// A deposit takes reservations again.
    DepositResumed { deposit: DepositId, by: Cause },
    /// A deposit ended; `paid_back` is what the debt left of it.
    DepositClosed {
        deposit: DepositId,
        currency: Currency,
        paid_back: i64,
        method: Method,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        reference: Option<Reference>,
    },
    /// What a deposit's level is measured on and against.
    AlertSettingsSet { deposit: DepositId, basis: Basis, reference: ReferenceKind },
    /// The automatic top-up request: threshold and amount, or off.
    AutoTopUpSet {
        deposit: DepositId,
        #[serde(default = "mad", skip_serializing_if = "is_mad")]
        currency: Currency,
        threshold: Option<i64>,
        amount: Option<i64>,
    },
    /// The host is asked for a payment.
    AutoTopUpRequested {
        deposit: DepositId,
        #[serde(default = "mad", skip_serializing_if = "is_mad")]
        currency: Currency,
        amount: i64,
    },
    /// The level became worse than the remembered one.
    AlertRaised {
        deposit: DepositId,
        level: Level,
        #[serde(default = "mad", skip_serializing_if = "is_mad")]
        currency: Currency,
        balance: i64,
        available: i64,
        reference: i64,
    },
    /// The remembered level followed the level up.
    AlertCleared { deposit: DepositId, level: Level },
    /// A lead was recorded and its commission reserved.
    LeadCreated {
        lead: LeadId,
        campaign: CampaignId,
        partner: PartnerId,
        deposit: DepositId,
        #[serde(default = "other", skip_serializing_if = "is_other")]
        source: Source,
        #[serde(default = "mad", skip_serializing_if = "is_mad")]
        currency: Currency,
        value: i64,
        commission: i64,
        part: i64,
        #[serde(default = "first", skip_serializing_if = "is_first")]
        policy: u32,
        /// None: the policy's fixed amount.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        rate: Option<Percent>,
        share: Percent,
        #[serde(default, skip_serializing_if = "is_zero")]
        delay_days: u32,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        minimum_quality: Option<u8>,
        #[serde(default, skip_serializing_if = "is_expire")]
        on_timeout: OnTimeout,
        #[serde(default = "three_days", skip_serializing_if = "is_three_days")]
        window_hours: u32,
    },
    /// A lead's commission was captured.
    LeadValidated {
        lead: LeadId,
        #[serde(default = "mad", skip_serializing_if = "is_mad")]
        currency: Currency,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        score: Option<u8>,
    },
    /// A lead was rejected; its reservation was released.
    LeadRejected { lead: LeadId },
    /// A lead expired; its reservation was released.
    LeadExpired { lead: LeadId },
    /// A lead became a sale.
    LeadConverted { lead: LeadId },
    /// A lead came to nothing.
    LeadLost { lead: LeadId },
    /// A captured lead was given back.
    LeadReversed {
        lead: LeadId,
        #[serde(default = "mad", skip_serializing_if = "is_mad")]
        currency: Currency,
    },
    /// A held part became payable.
    PartMatured {
        lead: LeadId,
        #[serde(default = "mad", skip_serializing_if = "is_mad")]
        currency: Currency,
    },
    /// A lead's personal data and free text were erased.
    CustomerErased { lead: LeadId },
    /// A payment was intended.
    TopUpBegun {
        top_up: TopUpId,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        campaign: Option<CampaignId>,
        currency: Currency,
        amount: i64,
        method: Method,
    },
    /// The provider's reference was noted.
    ReferenceAttached { top_up: TopUpId, reference: Reference },
    /// A payment was credited.
    TopUpSucceeded { top_up: TopUpId, reference: Reference, received: i64, deposit: DepositId, receipt: ReceiptNumber },
    /// The provider said no.
    TopUpFailed { top_up: TopUpId },
    /// The payer gave up.
    TopUpCancelled { top_up: TopUpId },
    /// Money of a top-up went back out.
    TopUpRefunded { top_up: TopUpId, amount: i64 },
    /// All that was left of a top-up went back out.
    TopUpDisputed { top_up: TopUpId, amount: i64 },
    /// A disputed amount was credited again.
    DisputeWon { top_up: TopUpId, deposit: DepositId },
    /// A disputed amount stays out.
    DisputeLost { top_up: TopUpId },
    /// A debt became a loss.
    WrittenOff {
        #[serde(default, skip_serializing_if = "Option::is_none")]
        partner: Option<PartnerId>,
        currency: Currency,
        amount: i64,
    },
    /// Earnings are on their way out.
    PayoutRequested { payout: PayoutId, partner: PartnerId, currency: Currency, amount: i64 },
    /// Earnings were paid.
    PayoutSettled {
        payout: PayoutId,
        method: Method,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        reference: Option<Reference>,
    },
    /// Earnings were given back to payable.
    PayoutCancelled { payout: PayoutId },
    /// What `run_due` found and settled, counted in leads.
    DueSettled { expired: u64, accepted: u64, matured: u64 },
    /// A deposit came in with the book's opening.
    DepositImported(Box<ImportedDeposit>),
    /// A lead came in with the book's opening.
    LeadImported(Box<ImportedLead>),
    /// A line of an old statement is kept; it moves nothing.
    LineKept(Box<ImportedLine>),
}

/// An entry of one merchant's journal.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    /// 1, 2, 3, ... within the book.
    pub seq: u64,
    /// When it happened: for what time alone did, the due time.
    pub at: Timestamp,
    /// The local day that began with it; none where the book was in that day already.
    pub day: Option<NaiveDate>,
    /// What it is.
    pub kind: Kind,
    /// The caller's idempotency key.
    pub key: Option<Key>,
    /// Of the command's public fields, where there is a key to compare by.
    pub fingerprint: Option<ShortHash>,
    /// Salted, of the private fields.
    pub private_digest: Option<ShortHash>,
    /// Random: sets a command's entry apart from the one that another ledger makes of an equal command at the same
    /// moment. None where a salt or a generated id does, and for what time alone did, which is the same whoever
    /// notes it.
    pub mark: Option<u32>,
    /// The money that moved; none where none did.
    pub postings: Option<Postings>,
    /// What else it says.
    pub facts: Vec<Fact>,
}

/// The JSON shape of the payload: borrowed to write, owned to read.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Payload<'a> {
    seq: u64,
    at: Timestamp,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    day: Option<NaiveDate>,
    #[serde(rename = "do")]
    kind: &'a str,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    key: Option<Cow<'a, Key>>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    fingerprint: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    private: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    mark: Option<u32>,
    #[serde(default = "mad", skip_serializing_if = "is_mad")]
    currency: Currency,
    #[serde(default, skip_serializing_if = "<[_]>::is_empty")]
    postings: Cow<'a, [Posting]>,
    #[serde(default, skip_serializing_if = "<[_]>::is_empty")]
    facts: Cow<'a, [Fact]>,
}

impl Entry {
    /// The exact text that is stored and hashed.
    pub fn to_payload(&self) -> String {
        let payload = Payload {
            seq: self.seq,
            at: self.at,
            day: self.day,
            kind: self.kind.name(),
            key: self.key.as_ref().map(Cow::Borrowed),
            fingerprint: self.fingerprint.as_ref().map(|digest| hex(digest)),
            private: self.private_digest.as_ref().map(|digest| hex(digest)),
            mark: self.mark,
            currency: self.postings.as_ref().map_or(Currency::MAD, Postings::currency),
            postings: Cow::Borrowed(self.lines()),
            facts: Cow::Borrowed(&self.facts),
        };
        serde_json::to_string(&payload).expect("an entry has only string keys and serialises")
    }

    /// Reads a payload back; postings that do not sum to zero are refused here as everywhere.
    pub fn from_payload(text: &str) -> Result<Self, StoreError> {
        let corrupt = |what: String| StoreError::Corrupt(format!("journal payload: {what}"));
        let payload: Payload<'_> = serde_json::from_str(text).map_err(|fault| corrupt(fault.to_string()))?;
        let short = |digits: Option<String>| match digits {
            None => Ok(None),
            Some(digits) => unhex(&digits).map(Some).ok_or_else(|| corrupt("not a digest".to_owned())),
        };
        let postings = if payload.postings.is_empty() {
            None
        } else {
            let postings = Postings::new(payload.currency, payload.postings.into_owned());
            Some(postings.ok_or_else(|| corrupt("postings do not sum to zero".to_owned()))?)
        };
        Ok(Self {
            seq: payload.seq,
            at: payload.at,
            day: payload.day,
            kind: Kind::from_name(payload.kind).ok_or_else(|| corrupt(format!("unknown kind {:?}", payload.kind)))?,
            key: payload.key.map(Cow::into_owned),
            fingerprint: short(payload.fingerprint)?,
            private_digest: short(payload.private)?,
            mark: payload.mark,
            postings,
            facts: payload.facts.into_owned(),
        })
    }

    /// The postings' lines, none where no money moved.
    pub fn lines(&self) -> &[Posting] {
        self.postings.as_ref().map_or(&[], Postings::lines)
    }
}

/// An entry as it stands in the journal.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Recorded {
    /// Whose book.
    pub merchant: MerchantId,
    /// What it says.
    pub entry: Arc<Entry>,
    /// The exact text that was hashed.
    pub payload: String,
    /// SHA-256 of the previous entry's hash and the payload text.
    pub hash: Hash,
}

impl Recorded {
    /// Reads a journal row back.
    pub fn from_row(merchant: MerchantId, payload: String, hash: Hash) -> Result<Self, StoreError> {
        Ok(Self { merchant, entry: Arc::new(Entry::from_payload(&payload)?), payload, hash })
    }

    /// Which private texts this entry was made with.
    pub fn texts(&self) -> Texts {
        let lead = self.entry.facts.iter().find_map(|fact| match fact {
            Fact::LeadCreated { lead, .. }
            | Fact::LeadValidated { lead, .. }
            | Fact::LeadRejected { lead }
            | Fact::LeadReversed { lead, .. } => Some(*lead),
            _ => None,
        });
        let came = self.entry.facts.iter().filter_map(|fact| match fact {
            Fact::LeadImported(came) => Some((came.lead, came.digest()?)),
            _ => None,
        });
        Texts { seq: self.entry.seq, lead, digest: self.entry.private_digest, opening: came.collect() }
    }

    /// Whether it came with private texts.
    pub(crate) fn has_private(&self) -> bool {
        self.entry.private_digest.is_some() || self.entry.kind == Kind::OPEN_BOOK
    }
}

/// The private texts that an entry was made with, by their digests.
#[derive(Clone, Debug)]
pub struct Texts {
    seq: u64,
    lead: Option<LeadId>,
    digest: Option<ShortHash>,
    opening: BTreeMap<LeadId, ShortHash>,
}

impl Texts {
    /// Whether `private` is one of them, and is kept under the lead whose erasure erases it.
    pub fn bind(&self, private: &Private) -> bool {
        let own = private.lead == self.lead && self.digest == Some(private.digest());
        private.seq == self.seq && (own || self.bind_opening(private))
    }

    /// Whether it is the text of a lead that came in with the book's opening.
    pub(crate) fn bind_opening(&self, private: &Private) -> bool {
        let digest = private.lead.and_then(|lead| self.opening.get(&lead));
        private.seq == self.seq && digest == Some(&private.digest())
    }
}

/// What stands before the first entry: SHA-256 of the merchant's id, so that no chain can pass for another's.
pub fn genesis_hash(merchant: MerchantId) -> Hash {
    Sha256::digest(merchant.to_string().as_bytes()).into()
}

/// The hash of an entry after `previous`.
pub fn chain_hash(previous: &Hash, payload: &str) -> Hash {
    let mut sha = Sha256::new();
    sha.update(previous);
    sha.update(payload.as_bytes());
    sha.finalize().into()
}

/// The first half of a SHA-256 over `salt` and `text`.
pub(crate) fn short_hash(salt: &[u8], text: &str) -> ShortHash {
    let mut sha = Sha256::new();
    sha.update(salt);
    sha.update(text.as_bytes());
    let whole: Hash = sha.finalize().into();
    let mut short = ShortHash::default();
    short.copy_from_slice(&whole[..16]);
    short
}
