//! `proof`: an entry, proven to somebody who has no ledger; and such proofs, verified.

use std::io::Read;

use leadledger::{
    Hash, InvalidInput, MerchantId, Postings, Proof as Proven, ProofError, ProvenEntry, hex, to_decimal, verify_proof,
    verify_proof_against,
};
use leadledger_facade::{Family, Fault};
use serde_json::json;

use crate::cli::{Global, Proof};
use crate::commands::{known_merchant, open, optional_id};
use crate::errors::Failure;
use crate::files::Target;
use crate::output::{Output, visible};

pub(crate) fn run(global: &Global, arguments: &Proof, out: &mut Output) -> Result<(), Failure> {
    match (&arguments.verify, &arguments.merchant, arguments.seq, &arguments.out) {
        (Some(file), ..) => verify(file, arguments, out),
        (None, Some(merchant), Some(seq), Some(file)) => prove(global, merchant, seq, file, arguments.force, out),
        _ => {
            let what = "give MERCHANT, SEQ and --out FILE, or --verify FILE";
            Err(Failure::Usage(Fault::new(Family::InvalidInput, "usage", what)))
        }
    }
}

fn prove(global: &Global, merchant: &str, seq: u64, file: &str, force: bool, out: &mut Output) -> Result<(), Failure> {
    let target = Target::of(file, force)?;
    let ledger = open(global)?;
    let merchant = known_merchant(&ledger, merchant)?;
    let proof = ledger.proof(merchant, seq).wait()?;
    target.write(|to| Ok(writeln!(to, "{}", proof.to_json())?))?;
    if target.is_stdout() {
        return Ok(());
    }
    let head = hex(&proof.head.hash);
    let answer = json!({
        "file": file,
        "merchant": merchant,
        "seq": seq,
        "entries": proof.entries.len(),
        "head": { "seq": proof.head.seq, "hash": head },
    });
    let line = format!("{}: entry {seq} up to the head, entry {} {head}", visible(file), proof.head.seq);
    Ok(out.answer(&answer, line)?)
}

fn verify(file: &str, arguments: &Proof, out: &mut Output) -> Result<(), Failure> {
    let merchant: Option<MerchantId> = optional_id("merchant", arguments.merchant.as_deref())?;
    let head = arguments.head.as_deref().map(hash).transpose()?;
    let proof = Proven::from_json(&read(file)?)?;
    let proven = match head {
        // Without a merchant, whose book it is only the proof says, and the answer tells that.
        Some(head) => verify_proof_against(&proof, merchant.unwrap_or(proof.merchant), &head)?,
        None => verify_proof(&proof)?,
    };
    if let Some(expected) = merchant.filter(|merchant| *merchant != proven.merchant) {
        return Err(ProofError::MerchantDiffers { expected, found: proven.merchant }.into());
    }
    tell(&proven, head.is_some(), merchant.is_some(), out)
}

fn tell(proven: &ProvenEntry, head: bool, merchant: bool, out: &mut Output) -> Result<(), Failure> {
    let entry = &proven.entry;
    let currency = entry.postings.as_ref().map(Postings::currency);
    let lines = entry.postings.iter().flat_map(|postings| {
        let currency = postings.currency();
        postings
            .lines()
            .iter()
            .map(move |(account, minor)| (account.to_string(), to_decimal(*minor, currency), currency))
    });
    if out.json {
        let posting = |(account, amount, _): (String, rust_decimal::Decimal, _)| json!({ "account": account, "amount": amount.to_string() });
        return Ok(out.json(&json!({
            "merchant": proven.merchant,
            "seq": entry.seq,
            "at": entry.at,
            "kind": entry.kind.name(),
            "currency": currency,
            "postings": lines.map(posting).collect::<Vec<_>>(),
            "hash": hex(&proven.hash),
            "head": { "seq": proven.head.seq, "hash": hex(&proven.head.hash) },
            "head_compared": head,
            "merchant_compared": merchant,
        }))?);
    }
    let said = if merchant { "" } else { " (so the proof says)" };
    out.line(format_args!("proven    entry {}, {}, {}", entry.seq, entry.kind.name(), out.time(entry.at)))?;
    out.line(format_args!("merchant  {}{said}", proven.merchant))?;
    for (account, amount, currency) in lines {
        let amount = out.money(amount, currency);
        out.line(format_args!("          {account}  {amount}"))?;
    }
    let compared = if head { "the one that was noted" } else { "not compared with a noted one: --head HEX does that" };
    Ok(out.line(format_args!("head      entry {} {}, {compared}", proven.head.seq, hex(&proven.head.hash)))?)
}

/// The text of a proof.
fn read(file: &str) -> Result<String, Failure> {
    let mut text = String::new();
    let read = match file {
        "-" => std::io::stdin().read_to_string(&mut text).map(drop),
        file => std::fs::read_to_string(file).map(|found| text = found),
    };
    let unread = |fault| InvalidInput::new("proof_not_readable", "verify", format!("{file}: {fault}"));
    Ok(read.map(|()| text).map_err(unread)?)
}

/// A hash as 64 hexadecimal digits.
fn hash(text: &str) -> Result<Hash, InvalidInput> {
    let invalid = || InvalidInput::new("invalid_hash", "head", format!("{text:?} is not 64 hexadecimal digits"));
    let mut hash = Hash::default();
    if text.len() != 2 * hash.len() || !text.bytes().all(|digit| digit.is_ascii_hexdigit()) {
        return Err(invalid());
    }
    for (at, byte) in hash.iter_mut().enumerate() {
        let pair = text.get(2 * at..2 * at + 2).ok_or_else(invalid)?;
        *byte = u8::from_str_radix(pair, 16).map_err(|_| invalid())?;
    }
    Ok(hash)
}
