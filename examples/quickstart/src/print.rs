//! How the story looks: chapters, steps, and the deposit after each step.

use leadledger::{DepositId, Error, Ledger, MerchantId};

/// A new part of the story.
pub(crate) fn chapter(title: &str) {
    println!("\n{title}");
}

/// One thing that happened, and the deposit after it as a reader sees it.
pub(crate) fn step(ledger: &Ledger, merchant: MerchantId, deposit: DepositId, what: &str) -> Result<(), Error> {
    println!("  {what}");
    if let Some(view) = ledger.deposit(merchant, deposit).wait()? {
        let level = view.level.map_or("closed", leadledger::Level::name);
        println!(
            "      balance {:>8}   reserved {:>6}   available {:>8}   {level}",
            view.balance, view.reserved, view.available
        );
    }
    Ok(())
}

/// A refusal, as a program sees it: a code that never changes, and its details by name.
pub(crate) fn refusal(error: &Error) {
    let details = error.refusal().map(leadledger::Refusal::details).unwrap_or_default();
    let details: Vec<_> = details.iter().map(|(name, value)| format!("{name}: {value}")).collect();
    println!("      refused: {} {{{}}} ({error})", error.code(), details.join(", "));
}
