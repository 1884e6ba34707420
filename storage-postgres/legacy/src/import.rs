//! The run: one merchant at a time, each by one command, and never twice.

use std::collections::BTreeMap;

use leadledger::{DepositId, Error, Fact, Kind, LeadId, Ledger, MerchantId, OpenBook, Recorded, to_decimal};
use rust_decimal::Decimal;

use crate::cause::Cause;
use crate::error::ImportError;
use crate::plan::Plan;
use crate::report::{BookState, Difference, Report};
use crate::source::Table;

/// How far a run has got.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Progress {
    /// Merchants that are done with.
    pub done: usize,
    /// Merchants of the plan.
    pub of: usize,
    /// The last one.
    pub merchant: MerchantId,
    /// What became of its book.
    pub state: BookState,
}

/// The idempotency key of a merchant's opening.
pub fn key_of(merchant: MerchantId) -> String {
    format!("import:legacy:{merchant}")
}

/// Carries a plan out. A book that is there already is left as it is, whoever made it, and nothing in it moves; so a run
/// that was cut off is made again and goes on with the rest. A refusal costs its own merchant only; a fault of the store
/// ends the run, with the report as far as it got.
pub fn import(plan: Plan, ledger: &Ledger, progress: &mut dyn FnMut(&Progress)) -> Result<Report, ImportError> {
    let Plan { openings, mut report } = plan;
    let of = openings.len();
    for (place, opening) in openings.into_iter().enumerate() {
        let merchant = opening.merchant;
        let outcome = open(ledger, merchant, opening.command);
        let (state, differences) = match outcome {
            Ok(made) => made,
            Err(fault) => return Err(ImportError::Ledger { fault, report: Box::new(report) }),
        };
        report.differences.extend(differences);
        if let Some(book) = report.books.get_mut(place) {
            book.state = state.clone();
        }
        progress(&Progress { done: place.saturating_add(1), of, merchant, state });
    }
    Ok(report)
}

type Outcome = (BookState, Option<Difference>);

fn open(ledger: &Ledger, merchant: MerchantId, command: OpenBook) -> Result<Outcome, Error> {
    // Looking at the journal settles nothing: a book that is there does not even notice.
    if let Some(first) = first_entry(ledger, merchant)? {
        return Ok(there(merchant, &first, &command));
    }
    match ledger.open_book(command.clone()).key(key_of(merchant)).wait() {
        Ok(done) if done.replayed => Ok((BookState::There, None)),
        Ok(_) => Ok((BookState::Made, None)),
        Err(Error::Refused(refusal)) => match first_entry(ledger, merchant)? {
            // Another run was faster.
            Some(first) => Ok(there(merchant, &first, &command)),
            None => {
                let difference = Difference::new(Cause::Refused, Some(merchant), Table::Deposits, []);
                let difference = difference.was("planned").is(format!("{}: {refusal}", refusal.code()));
                Ok((BookState::Refused(refusal.code().to_owned()), Some(difference)))
            }
        },
        Err(fault) => Err(fault),
    }
}

fn first_entry(ledger: &Ledger, merchant: MerchantId) -> Result<Option<Recorded>, Error> {
    Ok(ledger.events(merchant, 0, 1).wait()?.into_iter().next())
}

/// A book that is there: by an import or otherwise, and whether the tables still say the same.
fn there(merchant: MerchantId, first: &Recorded, command: &OpenBook) -> Outcome {
    let entry = &first.entry;
    let ours = entry.kind == Kind::OPEN_BOOK && entry.key.as_ref().is_some_and(|key| key.as_str() == key_of(merchant));
    let about = |cause, before: String| {
        Difference::new(cause, Some(merchant), Table::Deposits, []).was(before).is("left as it is")
    };
    if !ours {
        let begun = format!("begun by {} at {}", entry.kind.name(), entry.at);
        return (BookState::Other, Some(about(Cause::OtherBook, begun)));
    }
    let changed = changes(first, command);
    (BookState::There, changed.map(|changed| about(Cause::ChangedSince, changed)))
}

/// What the tables say now that they did not say when the book was opened. Time alone changes nothing: a lead that has
/// become too old since is the ledger's to expire.
fn changes(first: &Recorded, command: &OpenBook) -> Option<String> {
    let mut deposits: BTreeMap<DepositId, Decimal> = BTreeMap::new();
    let mut leads: BTreeMap<LeadId, &str> = BTreeMap::new();
    for fact in &first.entry.facts {
        match fact {
            Fact::DepositImported(row) => _ = deposits.insert(row.deposit, to_decimal(row.balance, row.currency)),
            Fact::LeadImported(row) => _ = leads.insert(row.lead, stage(row.status)),
            _ => {}
        }
    }
    let other = |deposit: &&leadledger::OpeningDeposit| deposits.remove(&deposit.deposit) != Some(deposit.balance);
    let balances = command.deposits.iter().filter(other).count();
    let other = |lead: &&leadledger::OpeningLead| leads.remove(&lead.lead) != Some(stage(lead.status));
    let moved = command.leads.iter().filter(other).count();
    let gone = deposits.len() + leads.len();
    (balances + moved + gone > 0)
        .then(|| format!("{balances} deposits and {moved} leads are new or other, {gone} are gone"))
}

/// A status, as far as time alone does not change it.
fn stage(status: leadledger::LeadStatus) -> &'static str {
    match status {
        leadledger::LeadStatus::Expired => leadledger::LeadStatus::Pending.name(),
        other => other.name(),
    }
}
