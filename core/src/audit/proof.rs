//! A proof that an entry stands in a book's journal, for somebody who has no database: the hash before the entry, the
//! exact texts from the entry to the head, and the head.
//!
//! `hash = SHA-256(previous hash || payload text)`, so that nobody can change one of these texts and still end at the
//! same head. What a proof is worth is what its head is worth: the reader compares it with a head that was noted
//! elsewhere. Below the first entry, nothing in the chain says whose book it is; that, too, the reader has from where
//! the head was noted.

use std::ops::ControlFlow;

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use thiserror::Error;

use crate::audit::{Trail, verify_proof};
use crate::entry::{Hash, genesis_hash};
use crate::error::Error;
use crate::hex::hex;
use crate::ids::MerchantId;

/// A proof of one entry. As JSON: `{"version": 1, "merchant": id, "before": hash, "entries": [{"payload": text,
/// "hash": hash}, ...], "head": {"seq": number, "hash": hash}, "seal": hash}`, hashes in 64 lower-case hexadecimal
/// digits. It grows with the number of entries after the one proven.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Proof {
    /// The version of this format: 1.
    pub version: u32,
    /// Whose book.
    pub merchant: MerchantId,
    /// The hash before the entry; for entry 1, SHA-256 of the merchant's id as text.
    #[serde(with = "hash_text")]
    pub before: Hash,
    /// The entry proven, and all that follow, up to the head.
    pub entries: Vec<ProofEntry>,
    /// Where the journal stood.
    pub head: ProofHead,
    /// SHA-256 over whose book it is and where it begins and ends: a slip in these is noticed at once. It stops no
    /// forger; the trusted head does.
    #[serde(with = "hash_text")]
    pub seal: Hash,
}

/// An entry in a proof.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ProofEntry {
    /// The exact text that was hashed.
    pub payload: String,
    /// SHA-256 of the hash before it and the text.
    #[serde(with = "hash_text")]
    pub hash: Hash,
}

/// Where a journal stood.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ProofHead {
    /// The last entry's number.
    pub seq: u64,
    /// The last entry's hash.
    #[serde(with = "hash_text")]
    pub hash: Hash,
}

/// Why a proof proves nothing.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum ProofError {
    /// The text is not a proof's JSON.
    #[error("this is no proof: {0}")]
    NotReadable(String),
    /// The format is of another version.
    #[error("the proof has version {found}; this code knows version {known}")]
    WrongVersion {
        /// The version found.
        found: u32,
        /// The version that this code knows.
        known: u32,
    },
    /// It holds no entry.
    #[error("the proof holds no entry")]
    Empty,
    /// A text is not an entry's.
    #[error("the text in place {place} of the proof is not an entry: {fault}")]
    PayloadNotReadable {
        /// 1 for the entry proven.
        place: u64,
        /// What is wrong.
        fault: String,
    },
    /// The entries are not numbered one after another.
    #[error("entry {expected} is expected in the proof and entry {found} is there")]
    NotConsecutive {
        /// The number that should come.
        expected: u64,
        /// The number that comes.
        found: u64,
    },
    /// Entry 1 does not begin this merchant's book.
    #[error("the proof does not begin with the book of merchant {merchant}")]
    GenesisDiffers {
        /// Whose book the proof says it is.
        merchant: MerchantId,
    },
    /// An entry's hash does not follow from the one before and its text.
    #[error("the hash of entry {seq} does not follow from the one before and its text")]
    HashMismatch {
        /// Which entry.
        seq: u64,
    },
    /// The head is not the last entry.
    #[error("the head that the proof names is not its last entry, {seq}")]
    HeadDiffers {
        /// The last entry's number.
        seq: u64,
    },
    /// Merchant, beginning or head are not those that the proof was made with.
    #[error("the proof's seal is broken: its merchant, beginning or head was changed")]
    SealBroken,
    /// It is of another merchant's book than the trusted head.
    #[error("the proof is of the book of merchant {found}, the trusted head of merchant {expected}")]
    MerchantDiffers {
        /// Whose head is trusted.
        expected: MerchantId,
        /// Whose book the proof is of.
        found: MerchantId,
    },
    /// It does not lead to the trusted head.
    #[error("the proof does not lead to the trusted head")]
    HeadNotTrusted,
}

impl ProofError {
    /// The permanent code.
    pub fn code(&self) -> &'static str {
        match self {
            Self::NotReadable(_) => "proof_not_readable",
            Self::WrongVersion { .. } => "proof_wrong_version",
            Self::Empty => "proof_empty",
            Self::PayloadNotReadable { .. } => "proof_payload_not_readable",
            Self::NotConsecutive { .. } => "proof_not_consecutive",
            Self::GenesisDiffers { .. } => "proof_genesis_differs",
            Self::HashMismatch { .. } => "proof_hash_mismatch",
            Self::HeadDiffers { .. } => "proof_head_differs",
            Self::SealBroken => "proof_seal_broken",
            Self::MerchantDiffers { .. } => "proof_merchant_differs",
            Self::HeadNotTrusted => "proof_head_not_trusted",
        }
    }
}

impl Proof {
    /// The version of the format that this code writes and reads.
    pub const VERSION: u32 = 1;

    /// The proof as JSON text, to hand out.
    pub fn to_json(&self) -> String {
        serde_json::to_string(self).expect("a proof has only string keys and serialises")
    }

    /// Reads a proof back. That it can be read says nothing yet: see [`verify_proof`].
    pub fn from_json(text: &str) -> Result<Self, ProofError> {
        #[derive(Deserialize)]
        struct Versioned {
            version: u32,
        }
        let fault = |fault: serde_json::Error| ProofError::NotReadable(fault.to_string());
        // Another version may have other fields: it is told by its version.
        let Versioned { version } = serde_json::from_str(text).map_err(fault)?;
        Self::known(version)?;
        serde_json::from_str(text).map_err(fault)
    }

    pub(super) fn known(version: u32) -> Result<(), ProofError> {
        match version {
            Self::VERSION => Ok(()),
            found => Err(ProofError::WrongVersion { found, known: Self::VERSION }),
        }
    }

    /// What [`Proof::seal`] must be.
    pub(crate) fn sealed(&self) -> Hash {
        let Self { version, merchant, before, entries: _, head, seal: _ } = self;
        let (before, last) = (hex(before), hex(&head.hash));
        let seq = head.seq;
        Sha256::digest(format!("leadledger proof {version}\n{merchant}\n{before}\n{seq}\n{last}\n").as_bytes()).into()
    }
}

/// See [`Ledger::proof`](crate::Ledger::proof).
pub(crate) fn proof(trail: &Trail<'_>, seq: u64) -> Result<Proof, Error> {
    let seq = trail.number(seq)?;
    let before = match seq.saturating_sub(1) {
        0 => genesis_hash(trail.merchant),
        before => trail.entry(before)?.hash,
    };
    let mut entries = Vec::new();
    trail.forward(seq.saturating_sub(1), trail.head.seq, &mut |recorded| {
        entries.push(ProofEntry { payload: recorded.payload, hash: recorded.hash });
        Ok(ControlFlow::Continue(()))
    })?;
    let head = ProofHead { seq: trail.head.seq, hash: trail.head.hash };
    let unsealed =
        Proof { version: Proof::VERSION, merchant: trail.merchant, before, entries, head, seal: Hash::default() };
    let proof = Proof { seal: unsealed.sealed(), ..unsealed };
    // A damaged journal gives no proof.
    verify_proof(&proof).map_err(|fault| trail.differs(fault.to_string()))?;
    Ok(proof)
}

/// Hashes as text in JSON.
mod hash_text {
    use super::Hash;
    use crate::hex::{hex, unhex};
    use serde::{Deserialize, Deserializer, Serializer};

    pub(super) fn serialize<S: Serializer>(hash: &Hash, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&hex(hash))
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Hash, D::Error> {
        let text = std::borrow::Cow::<'de, str>::deserialize(deserializer)?;
        unhex(&text).ok_or_else(|| serde::de::Error::custom("a hash is 64 lower-case hexadecimal digits"))
    }
}
