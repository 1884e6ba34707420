//! `explain`: why a lead cost what it cost, in words or as data.

use leadledger::{LeadId, Ledger, MerchantId, Refusal};

use crate::cli::Explain;
use crate::commands::id;
use crate::errors::Failure;
use crate::output::{Output, visible};

pub(crate) fn run(ledger: &Ledger, arguments: &Explain, out: &mut Output) -> Result<(), Failure> {
    let merchant: MerchantId = id("merchant", &arguments.merchant)?;
    let lead: LeadId = id("lead", &arguments.lead)?;
    let explained = ledger.explain(merchant, lead).wait()?.ok_or(Refusal::LeadNotFound)?;
    if out.json {
        return Ok(out.json(&explained.to_json())?);
    }
    // It names keys, which are text from outside.
    for line in explained.to_string().lines() {
        out.line(visible(line))?;
    }
    Ok(())
}
