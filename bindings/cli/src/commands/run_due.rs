//! `run-due`: what time alone does, now.

use leadledger::{DueSettled, Ledger, RunDue as Settle};
use serde_json::json;

use crate::cli::RunDue;
use crate::commands::known_merchant;
use crate::errors::Failure;
use crate::output::Output;

/// How many books one step settles at most.
const STEP: usize = 1_000;

pub(crate) fn run(ledger: &Ledger, arguments: &RunDue, out: &mut Output) -> Result<(), Failure> {
    let (settled, books) = match &arguments.merchant {
        Some(merchant) => (ledger.run_due(Settle::new(known_merchant(ledger, merchant)?)).wait()?.answer, 1),
        None => everywhere(ledger)?,
    };
    let DueSettled { expired, accepted, matured } = settled;
    let answer = json!({ "books": books, "expired": expired, "accepted": accepted, "matured": matured });
    Ok(out.answer(
        &answer,
        format_args!("{books} books: {expired} leads expired, {accepted} accepted, {matured} parts matured"),
    )?)
}

/// All books that have something due. Stops where nothing moves any more, so that it always ends.
fn everywhere(ledger: &Ledger) -> Result<(DueSettled, usize), Failure> {
    let (mut total, mut books) = (DueSettled::default(), 0);
    loop {
        let (settled, count) = ledger.run_due_everywhere(STEP).wait()?;
        books += count;
        total.expired += settled.expired;
        total.accepted += settled.accepted;
        total.matured += settled.matured;
        if count < STEP || settled == DueSettled::default() {
            return Ok((total, books));
        }
    }
}
