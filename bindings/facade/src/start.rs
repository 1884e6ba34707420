//! Everything that a ledger does, begun by name.

use leadledger::{InvalidInput, Key, Ledger};
use serde_json::{Map, Value};

use crate::command::command_of;
use crate::fault::Fault;
use crate::operation::{READS, start_read};
use crate::running::Running;

/// Begins the command, read or export of this name. `given` has its arguments by name, in the forms that its shape says.
/// A key is for commands.
///
/// ```
/// let ledger = leadledger_facade::open("memory:", Default::default()).unwrap();
/// let given = |text| serde_json::from_str(text).unwrap();
/// let merchant = "442a26ae-0f1e-5c1d-8a4a-d8421e3d1e5e";
/// let fields = serde_json::json!({ "merchant": merchant, "amount": "5000.00" }).as_object().unwrap().clone();
/// let done = leadledger_facade::start(&ledger, "open_deposit", fields, Some("k1")).unwrap().wait().unwrap();
/// assert_eq!((&done["seq"], &done["replayed"]), (&1.into(), &false.into()));
/// let of = serde_json::json!({ "merchant": merchant, "deposit": done["answer"] }).as_object().unwrap().clone();
/// let deposit = leadledger_facade::start(&ledger, "deposit", of, None).unwrap().wait().unwrap();
/// assert_eq!(deposit["available"], "5000.00");
/// let fault = leadledger_facade::start(&ledger, "depositt", given("{}"), None).unwrap_err();
/// assert_eq!(fault.code, "unknown_command");
/// ```
pub fn start(ledger: &Ledger, name: &str, given: Map<String, Value>, key: Option<&str>) -> Result<Running, Fault> {
    if READS.iter().any(|shape| shape.name == name) {
        return start_read(ledger, name, given);
    }
    let command = command_of(name, given)?;
    if let Some(key) = key {
        Key::new(key).map_err(|fault| InvalidInput::new(fault.code(), "key", fault.message()))?;
    }
    let name = command.name();
    let call = ledger.submit(command);
    let call = match key {
        None => call,
        Some(key) => call.key(key),
    };
    Ok(Running::command(name, call))
}
