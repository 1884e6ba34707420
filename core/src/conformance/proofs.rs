//! Proofs of entries: made by a ledger on any store, verified without one, and refused once anything was changed.

use super::Case;
use super::ground::{DEPOSIT, Ground, entries, id, merchant, prepared, send, top_up};
use super::story::on;
use crate::account::Account;
use crate::audit::{Proof, ProofEntry, ProofError, verify_proof, verify_proof_against};
use crate::entry::{chain_hash, genesis_hash};
use crate::ids::MerchantId;
use crate::top_up::Method;

pub(super) const CASES: &[Case] = &[
    ("every entry of a book is proven, against any head noted since", every_entry),
    ("a proof that was changed is refused, each change by its code", tampered),
    ("a forger who makes a whole chain meets the trusted head", forged),
];

fn every_entry(ground: &Ground) {
    let who = merchant(1);
    let ledger = on(ground, &[who]);
    let all = entries(&*ground.store(), who);
    let head = all.last().unwrap();
    assert!(all.len() > 90);
    for recorded in &all {
        let seq = recorded.entry.seq;
        let made = ledger.proof(who, seq).wait().unwrap();
        let proof = Proof::from_json(&made.to_json()).unwrap();
        assert_eq!(proof, made);
        let proven = verify_proof(&proof).unwrap();
        assert_eq!((proven.merchant, &proven.entry, proven.hash), (who, &*recorded.entry, recorded.hash));
        assert_eq!((proven.head.seq, proven.head.hash), (head.entry.seq, head.hash));
        assert_eq!(verify_proof_against(&proof, who, &head.hash), Ok(proven.clone()));
        // A head that was noted at any moment since the entry will do, and none from before it.
        for noted in all.iter().step_by(7) {
            let outcome = verify_proof_against(&proof, who, &noted.hash);
            if noted.entry.seq < seq {
                assert_eq!(outcome, Err(ProofError::HeadNotTrusted));
            } else {
                let outcome = outcome.unwrap();
                assert_eq!((&outcome.entry, outcome.head.seq), (&proven.entry, noted.entry.seq));
                assert_eq!(outcome.head.hash, noted.hash);
            }
        }
        let other = verify_proof_against(&proof, merchant(2), &head.hash);
        assert_eq!(other, Err(ProofError::MerchantDiffers { expected: merchant(2), found: who }));
    }
}

/// The proof of entry `seq` of a book of five.
fn five(ground: &Ground, who: MerchantId, seq: u64) -> Proof {
    let ledger = ground.ledger();
    send(&ledger, prepared(who));
    send(&ledger, (0..3).map(|_| top_up(who, id(DEPOSIT), "100.00")));
    ledger.proof(who, seq).wait().unwrap()
}

type Change = fn(&mut Proof);

fn tampered(ground: &Ground) {
    let (second, first) = (five(ground, merchant(1), 2), five(ground, merchant(2), 1));
    let changes: [(&str, Change); 17] = [
        ("proof_wrong_version", |proof| proof.version = 2),
        ("proof_empty", |proof| proof.entries.clear()),
        ("proof_payload_not_readable", |proof| proof.entries[0].payload = String::from("{}")),
        ("proof_payload_not_readable", |proof| proof.entries[0].payload.push('}')),
        ("proof_payload_not_readable", |proof| proof.entries[2].payload = String::from("not json")),
        ("proof_not_consecutive", |proof| _ = proof.entries.remove(1)),
        ("proof_not_consecutive", |proof| proof.entries.swap(1, 2)),
        ("proof_not_consecutive", |proof| proof.entries.insert(1, proof.entries[1].clone())),
        ("proof_hash_mismatch", |proof| proof.entries[2].payload = proof.entries[2].payload.replace("10000", "90000")),
        ("proof_hash_mismatch", |proof| proof.entries[1].hash[31] ^= 1),
        ("proof_hash_mismatch", |proof| proof.entries[0].payload.push(' ')),
        ("proof_head_differs", |proof| _ = proof.entries.pop()),
        ("proof_head_differs", |proof| proof.head.seq += 1),
        ("proof_head_differs", |proof| proof.head.hash[0] ^= 128),
        ("proof_seal_broken", |proof| proof.seal[7] ^= 2),
        ("proof_seal_broken", |proof| proof.merchant = merchant(9)),
        ("proof_hash_mismatch", |proof| proof.before[0] ^= 1),
    ];
    for (place, (code, change)) in changes.into_iter().enumerate() {
        for (number, proof) in [(1, &first), (2, &second)] {
            let mut changed = proof.clone();
            change(&mut changed);
            assert_ne!(changed, *proof);
            let code = match (number, code, place) {
                // The first entry is bound to its merchant.
                (1, "proof_seal_broken", 15) | (1, _, 16) => "proof_genesis_differs",
                _ => code,
            };
            assert_eq!(verify_proof(&changed).unwrap_err().code(), code, "change {place} of the proof of {number}");
            // As text, too: what can be written and read back is refused for the same reason.
            let read = Proof::from_json(&changed.to_json()).and_then(|proof| verify_proof(&proof));
            assert_eq!(read.unwrap_err().code(), code, "change {place} of the proof of {number}, as text");
        }
    }
    assert_eq!(
        verify_proof(&Proof { entries: second.entries.iter().take(2).cloned().collect(), ..first.clone() }),
        Err(ProofError::NotConsecutive { expected: 1, found: 2 }),
        "the beginning of a book belongs to its first entry"
    );
    let mut wrong = second.clone();
    wrong.entries[1].hash[0] ^= 1;
    assert_eq!(verify_proof(&wrong), Err(ProofError::HashMismatch { seq: 3 }), "it is said where");
    let text = second.to_json();
    for (code, text) in [
        ("proof_not_readable", String::new()),
        ("proof_not_readable", "null".to_owned()),
        ("proof_not_readable", "[".repeat(10_000)),
        ("proof_not_readable", text.replace("\"seal\"", "\"seals\"")),
        ("proof_not_readable", text.replace("\"version\":1", "\"version\":-1")),
        ("proof_not_readable", text.replace("\"version\":1,", "\"version\":1,\"version\":1,")),
        ("proof_not_readable", text.replace("\"before\":\"", "\"before\":\"0")),
        ("proof_not_readable", text.to_uppercase()),
        ("proof_not_readable", text[..text.len() - 1].to_owned()),
        ("proof_wrong_version", "{\"version\":7,\"other\":[]}".to_owned()),
    ] {
        assert_eq!(Proof::from_json(&text).unwrap_err().code(), code, "{text:.80}");
    }
}

/// A proof of these texts, made by somebody who may write what he likes.
fn forge(merchant: MerchantId, payloads: impl IntoIterator<Item = String>, last: u64) -> Proof {
    let before = genesis_hash(merchant);
    let mut proof = Proof {
        version: Proof::VERSION,
        merchant,
        before,
        entries: Vec::new(),
        head: crate::audit::ProofHead { seq: last, hash: before },
        seal: before,
    };
    for payload in payloads {
        proof.head.hash = chain_hash(&proof.head.hash, &payload);
        proof.entries.push(ProofEntry { payload, hash: proof.head.hash });
    }
    Proof { seal: proof.sealed(), ..proof }
}

fn forged(ground: &Ground) {
    let who = merchant(1);
    let honest = five(ground, who, 1);
    let payloads = || honest.entries.iter().map(|link| link.payload.clone());
    assert_eq!(forge(who, payloads(), 5), honest, "the format is all there is to it");
    // Ten times the money: consistent in itself, and not the journal that the head was noted of.
    let forged = forge(who, payloads().map(|payload| payload.replace("500000", "5000000")), 5);
    let proven = verify_proof(&forged).unwrap();
    assert_eq!(proven.entry.lines()[0], (Account::Payments(Method::Manual), 5_000_000));
    let head = honest.head.hash;
    assert_eq!(verify_proof_against(&forged, who, &head), Err(ProofError::HeadNotTrusted));
    assert_eq!(verify_proof_against(&honest, who, &head).unwrap().entry.lines()[0].1, 500_000);
    // Postings that do not sum to zero are no entry, whoever chained them.
    let unbalanced = forge(who, payloads().map(|payload| payload.replacen("500000", "5000000", 1)), 5);
    assert_eq!(verify_proof(&unbalanced).unwrap_err().code(), "proof_payload_not_readable");
}
