//! `play`: a story into the store, compared step by step with what it says.

use std::sync::Arc;

use leadledger::conformance::{Mismatch, Played, check_shape, merchants_of, play};
use leadledger::{InvalidInput, ManualClock, Timestamp};
use leadledger_facade::{Family, Fault};
use serde_json::{Value, json};

use crate::cli::{Global, Play};
use crate::commands::{has_book, open_by};
use crate::errors::Failure;
use crate::output::{Output, visible};

pub(crate) fn run(global: &Global, arguments: &Play, out: &mut Output) -> Result<(), Failure> {
    let story = read(&arguments.story)?;
    let clock = Arc::new(ManualClock::new(Timestamp::MIN));
    let ledger = open_by(global, clock.clone())?;
    for merchant in merchants_of(&story)? {
        if has_book(&ledger, merchant)? {
            let what = format!("merchant {merchant} of the story has a book here: a story begins with none");
            let fault = Fault::new(Family::Refused, "book_exists", what).with("merchant", merchant.to_string());
            return Err(fault.into());
        }
    }
    let played = play(&story, &ledger, &clock)?;
    let told = tell(&played, out);
    let count = played.mismatches.len();
    if count == 0 {
        return Ok(told?);
    }
    // Mismatches are told by the exit code, whether or not somebody read so far.
    let what = format!("{count} times something else happened than the story says");
    Err(Fault::new(Family::CheckFailed, "story_mismatch", what).with("mismatches", count).into())
}

fn tell(Played { steps, mismatches }: &Played, out: &mut Output) -> std::io::Result<()> {
    if out.json {
        let mismatch = |Mismatch { step, what, expected, got }: &Mismatch| json!({ "step": step, "what": what, "expected": expected, "got": got });
        let mismatches: Vec<Value> = mismatches.iter().map(mismatch).collect();
        out.json(&json!({ "steps": steps, "mismatches": mismatches }))?;
    } else {
        for mismatch in mismatches {
            out.line(visible(&mismatch.to_string()))?;
        }
        out.line(format_args!("{steps} steps, {} mismatches", mismatches.len()))?;
    }
    out.flush()
}

/// The story of a file, in the shape of one.
fn read(file: &std::path::Path) -> Result<Value, Fault> {
    let invalid = |what: String| InvalidInput::new("invalid_scenario", "story", what);
    let text = std::fs::read_to_string(file).map_err(|fault| invalid(format!("{}: {fault}", file.display())))?;
    let story =
        serde_json::from_str(&text).map_err(|fault| invalid(format!("{}: not JSON: {fault}", file.display())))?;
    check_shape(&story)?;
    Ok(story)
}
