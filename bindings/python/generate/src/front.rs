//! The package's front room: written by hand, but for the list of its public names. Type checkers read that list, and
//! not all of them understand one that is put together at run time.

use leadledger_facade::{FUNCTIONS, choices, records};

use crate::text::{all, class};

/// What is written by hand.
const OWN: [&str; 28] = [
    "UNSET",
    "Amount",
    "AsyncLedger",
    "AsyncSubscription",
    "AsyncWatch",
    "CheckFailed",
    "Closed",
    "Done",
    "Event",
    "ForkedLedger",
    "Id",
    "Internal",
    "InvalidInput",
    "Ledger",
    "LeadledgerError",
    "ManualClock",
    "Opening",
    "REFUSALS",
    "Record",
    "RefusalCode",
    "Refused",
    "StoreUnavailable",
    "StoreUnusable",
    "Subscription",
    "Unset",
    "Watch",
    "__version__",
    "events",
];

/// The text with the list that it has to have.
pub(crate) fn front_module(there: &str) -> String {
    const BEGIN: &str = "__all__ = [\n";
    const END: &str = "\n]\n";
    let own = OWN.iter().map(|name| (*name).to_owned());
    let choices = choices().into_iter().map(|choice| choice.name.to_owned());
    let records = records().into_iter().map(|shape| class(shape.name).to_owned());
    let functions = FUNCTIONS.iter().map(|function| function.name.to_owned());
    let names: Vec<_> = own.chain(choices).chain(records).chain(functions).collect();
    let (before, rest) = there.split_once(BEGIN).unwrap_or((there, ""));
    let after = rest.split_once(END).map_or("", |(_, after)| after);
    format!("{before}{}{after}", all(&names))
}
