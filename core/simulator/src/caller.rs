//! A caller of two ledgers: sends a command until it is answered, and compares the answer with the model's.

use leadledger::{Command, Done, EraseCustomer, Error, LeadId, Ledger, MerchantId, Pending, StoreError};
use serde_json::{Map, Value, json};

use crate::model::Outcome;
use crate::store::PANIC;
use crate::story::Step;

/// How often a caller tries; the weather clears long before.
pub(crate) const TRIES: usize = 60;

/// A command, and what the model says of it.
pub(crate) struct Told {
    pub(crate) step: Step,
    pub(crate) outcome: Outcome,
}

/// What the ledgers said of a command in the end.
pub(crate) struct Given {
    pub(crate) result: Result<Map<String, Value>, String>,
    pub(crate) replayed: bool,
    /// An earlier sending ended in doubt, so that this answer may be the earlier one's.
    pub(crate) doubted: bool,
    pub(crate) resent: u64,
}

/// What differs: what was compared, expected, got.
pub(crate) type Difference = (String, Value, Value);

/// A command that is refused and leaves nothing.
pub(crate) fn plug() -> Command {
    EraseCustomer::new(MerchantId::generate(), LeadId::generate()).into()
}

pub(crate) fn show(step: &Step) -> String {
    format!("{} {} (key {:?})", step.command, step.with, step.key)
}

pub(crate) fn submit(ledger: &Ledger, step: &Step) -> Result<Pending<()>, Error> {
    let call = ledger.submit(Command::from_json(&step.command, step.with.clone())?);
    Ok(match &step.key {
        Some(key) => call.key(key).send(),
        None => call.send(),
    })
}

/// Sends a command until it is answered, to one ledger after the other; without a key, until it is in doubt.
pub(crate) fn send(ledgers: [&Ledger; 2], step: &Step) -> Given {
    let (mut doubted, mut resent) = (false, 0);
    let mut ledgers = ledgers.into_iter().cycle().take(TRIES);
    loop {
        let Some(ledger) = ledgers.next() else {
            return Given { result: Err("no answer".to_owned()), replayed: false, doubted: false, resent };
        };
        let answer = submit(ledger, step).and_then(Pending::wait);
        let again = answer.as_ref().is_err_and(is_injected);
        let given = Given::of(answer);
        doubted |= given.doubted;
        if !again || (doubted && step.key.is_none()) {
            return Given { doubted, resent, ..given };
        }
        resent += 1;
    }
}

impl Given {
    pub(crate) fn of(answer: Result<Done<()>, Error>) -> Self {
        let doubted = matches!(&answer, Err(Error::Store(StoreError::Unknown(_))));
        match answer {
            Ok(done) => Self { result: Ok(done.fields()), replayed: done.replayed, doubted, resent: 0 },
            Err(Error::Internal(what)) => Self { result: Err(what), replayed: false, doubted, resent: 0 },
            Err(fault) => Self { result: Err(fault.code().to_owned()), replayed: false, doubted, resent: 0 },
        }
    }
}

/// Where an answer is not the model's. `together`: another may have settled what was due meanwhile.
pub(crate) fn difference(told: &Told, given: &Given, together: bool) -> Option<Difference> {
    let Told { step, outcome } = told;
    let differs = |what: &str, expected: Value, got: Value| (expected != got).then(|| (what.to_owned(), expected, got));
    match (&outcome.result, &given.result) {
        (Ok(expected), Ok(got)) => {
            // What an earlier sending settled, this one did not find.
            let partial = step.command == "run_due" && (together || given.resent > 0 || outcome.replayed);
            let named = expected.iter().filter(|_| !partial);
            let named: Map<_, _> = named.map(|(name, value)| (name.clone(), value.clone())).collect();
            let got = named.keys().map(|name| (name.clone(), got.get(name).cloned().unwrap_or_default()));
            let got = Value::Object(got.collect());
            let replayed = outcome.replayed || (given.doubted && given.replayed);
            differs("answer", Value::Object(named), got)
                .or_else(|| differs("replayed", json!(replayed), json!(given.replayed)))
        }
        (expected, got) => {
            let told = |result: &Result<Map<String, Value>, String>| match result {
                Ok(_) => "accepted".to_owned(),
                Err(code) => code.clone(),
            };
            differs("answer", json!(told(expected)), json!(told(got)))
        }
    }
}

/// Whether the same call may be made again because an injected failure came between.
pub(crate) fn is_injected(fault: &Error) -> bool {
    fault.is_transient() || matches!(fault, Error::Internal(what) if what == PANIC)
}
