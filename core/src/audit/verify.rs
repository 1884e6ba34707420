//! Verifying a proof: computation alone, no database and no ledger.

use serde::Deserialize;

use crate::audit::{Proof, ProofError, ProofHead};
use crate::entry::{Entry, Hash, chain_hash, genesis_hash};
use crate::ids::MerchantId;

/// What a proof proves: that this entry stands in the journal whose head is `head`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ProvenEntry {
    /// Whose book, as the proof says; of an entry after the first, only the trusted head tells.
    pub merchant: MerchantId,
    /// The entry: number, time, kind, postings and what else it says.
    pub entry: Entry,
    /// The entry's hash.
    pub hash: Hash,
    /// Where the proof leads: to be compared with a head noted elsewhere.
    pub head: ProofHead,
}

/// Verifies that a proof holds in itself, and says what it proves. Whether its head is the book's is still to be
/// compared: [`verify_proof_against`] does that.
///
/// ```
/// use leadledger::{Ledger, MemoryStore, MerchantId, OpenDeposit, Proof, verify_proof, verify_proof_against};
/// let ledger = Ledger::open(MemoryStore::new()).unwrap();
/// let merchant = MerchantId::generate();
/// ledger.open_deposit(OpenDeposit::new(merchant, "5000.00".parse().unwrap())).wait().unwrap();
/// let text = ledger.proof(merchant, 1).wait().unwrap().to_json();
///
/// let proof = Proof::from_json(&text).unwrap();
/// let proven = verify_proof(&proof).unwrap();
/// assert_eq!((proven.entry.seq, proven.entry.kind.name()), (1, "open_deposit"));
/// assert!(verify_proof_against(&proof, merchant, &proven.head.hash).is_ok());
///
/// let forged = Proof::from_json(&text.replace("500000", "900000")).unwrap();
/// assert_eq!(verify_proof(&forged).unwrap_err().code(), "proof_hash_mismatch");
/// ```
pub fn verify_proof(proof: &Proof) -> Result<ProvenEntry, ProofError> {
    Proof::known(proof.version)?;
    let first = proof.entries.first().ok_or(ProofError::Empty)?;
    let not_readable = |place, fault: String| ProofError::PayloadNotReadable { place, fault };
    let entry = Entry::from_payload(&first.payload).map_err(|fault| not_readable(1, fault.to_string()))?;
    let genesis = genesis_hash(proof.merchant);
    if entry.seq == 0 || (proof.before == genesis && entry.seq != 1) {
        return Err(ProofError::NotConsecutive { expected: 1, found: entry.seq });
    }
    if entry.seq == 1 && proof.before != genesis {
        return Err(ProofError::GenesisDiffers { merchant: proof.merchant });
    }
    let mut last = ProofHead { seq: entry.seq.saturating_sub(1), hash: proof.before };
    for (place, link) in (1_u64..).zip(&proof.entries) {
        let found = number(&link.payload).map_err(|fault| not_readable(place, fault.to_string()))?;
        match last.seq.checked_add(1) {
            Some(expected) if expected == found => {}
            expected => {
                return Err(ProofError::NotConsecutive { expected: expected.unwrap_or(u64::MAX), found });
            }
        }
        if chain_hash(&last.hash, &link.payload) != link.hash {
            return Err(ProofError::HashMismatch { seq: found });
        }
        last = ProofHead { seq: found, hash: link.hash };
    }
    if last != proof.head {
        return Err(ProofError::HeadDiffers { seq: last.seq });
    }
    if proof.sealed() != proof.seal {
        return Err(ProofError::SealBroken);
    }
    Ok(ProvenEntry { merchant: proof.merchant, entry, hash: first.hash, head: proof.head })
}

/// [`verify_proof`], against a head that was noted elsewhere for this merchant's book: the last entry's hash at any
/// moment since the entry. The answer's head is that one; what the proof holds beyond it is not proven by it.
pub fn verify_proof_against(proof: &Proof, merchant: MerchantId, head: &Hash) -> Result<ProvenEntry, ProofError> {
    let proven = verify_proof(proof)?;
    if proof.merchant != merchant {
        return Err(ProofError::MerchantDiffers { expected: merchant, found: proof.merchant });
    }
    let mut links = (proven.entry.seq..).zip(&proof.entries);
    let (seq, _) = links.find(|(_, link)| link.hash == *head).ok_or(ProofError::HeadNotTrusted)?;
    Ok(ProvenEntry { head: ProofHead { seq, hash: *head }, ..proven })
}

/// The number in a payload. Nothing else of the entries after the one proven matters, so that a reader need not know
/// every kind of entry that a later ledger writes.
fn number(payload: &str) -> Result<u64, serde_json::Error> {
    #[derive(Deserialize)]
    struct Numbered {
        seq: u64,
    }
    serde_json::from_str(payload).map(|Numbered { seq }| seq)
}
