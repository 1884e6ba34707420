//! A proof's text withstands every small edit: it is refused, or still proves exactly the same.

#![allow(clippy::unwrap_used, clippy::panic, missing_docs)]

use std::sync::{Arc, LazyLock};

use leadledger::{
    CreateLead, Ledger, ManualClock, MemoryStore, MerchantId, OpenDeposit, Options, PartnerId, Proof, ProvenEntry,
    RegisterCampaign, Timestamp, ValidateLead, verify_proof,
};
use proptest::prelude::*;
use proptest::test_runner::FileFailurePersistence;
use uuid::Uuid;

/// Proofs of the first entry and of one in the middle, as text, with what they prove.
static PROOFS: LazyLock<[(String, ProvenEntry); 2]> = LazyLock::new(|| {
    let clock = Arc::new(ManualClock::new(Timestamp::from_micros(1_767_600_000_000_000)));
    let ledger = Ledger::with_shared(Arc::new(MemoryStore::new()), clock, Options::default()).unwrap();
    let merchant = MerchantId(Uuid::from_u128(1));
    let campaign = ledger.register_campaign(RegisterCampaign::new(merchant)).wait().unwrap().answer;
    ledger.open_deposit(OpenDeposit::new(merchant, "5000.00".parse().unwrap())).wait().unwrap();
    let partner = PartnerId(Uuid::from_u128(2));
    let lead = CreateLead::new(merchant, campaign, partner, "600.00".parse().unwrap());
    let lead = ledger.create_lead(lead).key("form \"1\"").wait().unwrap().answer.lead;
    ledger.validate_lead(ValidateLead { score: Some(8), ..ValidateLead::new(merchant, lead) }).wait().unwrap();
    [1, 3].map(|seq| {
        let proof = ledger.proof(merchant, seq).wait().unwrap();
        (proof.to_json(), verify_proof(&proof).unwrap())
    })
});

/// Whether an edited text is refused; one that is not must prove the same.
fn refused(edited: &[u8], proven: &ProvenEntry, what: &dyn std::fmt::Debug) -> bool {
    let Ok(text) = std::str::from_utf8(edited) else { return true };
    match Proof::from_json(text).and_then(|proof| verify_proof(&proof)) {
        Err(_) => true,
        Ok(found) => {
            assert_eq!(found, *proven, "edit {what:?} proves something else: {text}");
            false
        }
    }
}

#[test]
fn no_single_byte_can_be_another() {
    for (text, proven) in &*PROOFS {
        let mut bytes = text.clone().into_bytes();
        let (mut tried, mut accepted) = (0_u32, 0_u32);
        for place in 0..bytes.len() {
            let kept = bytes[place];
            let flipped = (0..8).map(|bit| kept ^ (1 << bit));
            for other in flipped.chain(*b"0189afAF \"\\,:{}[]-+e.") {
                if other != kept {
                    bytes[place] = other;
                    tried += 1;
                    accepted += u32::from(!refused(&bytes, proven, &(place, char::from(other))));
                }
            }
            bytes[place] = kept;
            // Gone, and there twice.
            let shorter = [&bytes[..place], &bytes[place + 1..]].concat();
            let longer = [&bytes[..place], &[kept], &bytes[place..]].concat();
            refused(&shorter, proven, &("without", place));
            refused(&longer, proven, &("twice", place));
        }
        // Only the letters of an id may be large or small.
        assert!(tried > 30_000 && accepted < 100, "{accepted} of {tried} edits are accepted");
        assert!(!refused(&bytes, proven, &"none"));
    }
}

proptest! {
    // A failure prints its seed and the smallest edit, and is kept beside this file.
    #![proptest_config(ProptestConfig {
        cases: 4_000,
        failure_persistence: Some(Box::new(FileFailurePersistence::WithSource("regressions"))),
        ..ProptestConfig::default()
    })]

    #[test]
    fn random_edits_prove_nothing_else(
        which in 0_usize..2,
        edits in prop::collection::vec((any::<prop::sample::Index>(), 0_usize..4, prop::collection::vec(any::<u8>(), 0..3)), 1..4),
    ) {
        let (text, proven) = &PROOFS[which];
        let mut bytes = text.clone().into_bytes();
        for (place, gone, put) in &edits {
            let place = place.index(bytes.len());
            let end = (place + gone).min(bytes.len());
            bytes.splice(place..end, put.iter().copied());
        }
        refused(&bytes, proven, &edits);
    }

    #[test]
    fn any_text_is_read_or_refused(text in ".{0,200}", head in "[0-9]{1,25}") {
        prop_assert!(Proof::from_json(&text).is_err());
        let seq = PROOFS[1].0.replace("\"head\":{\"seq\":4", &format!("\"head\":{{\"seq\":{head}"));
        prop_assert_eq!(refused(seq.as_bytes(), &PROOFS[1].1, &head), head != "4");
    }
}
