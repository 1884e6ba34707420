//! One flat error for all that can go wrong, in the shape in which other languages and scripts take it.

use leadledger::{Error, ExportError, ImportError, InvalidInput, ProofError, Refusal, StoreError};
use serde_json::{Map, Value, json};

/// What kind of trouble it is: one exception class, or one exit code, each.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Family {
    /// The rules refuse: an answer, and nothing changed.
    Refused,
    /// The input could never be a command, an address or a setting.
    InvalidInput,
    /// The store cannot do its work now, or has no room; later it may.
    StoreUnavailable,
    /// The store is set up in a way that cannot keep this ledger, is somebody else's, or is damaged: somebody has to do
    /// something about it first.
    StoreUnusable,
    /// Books that do not agree with their journal, or with what was expected of them; a proof that proves nothing.
    CheckFailed,
    /// The ledger was closed by its host, or its queue is full.
    Closed,
    /// A fault in the ledger itself, or in what it writes its answer to.
    Internal,
}

impl Family {
    /// The permanent name.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Refused => "refused",
            Self::InvalidInput => "invalid_input",
            Self::StoreUnavailable => "store_unavailable",
            Self::StoreUnusable => "store_unusable",
            Self::CheckFailed => "check_failed",
            Self::Closed => "closed",
            Self::Internal => "internal",
        }
    }
}

/// What went wrong.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{message} ({code})")]
pub struct Fault {
    /// What kind of trouble it is.
    pub family: Family,
    /// The permanent code, such as `insufficient_funds`.
    pub code: &'static str,
    /// For people, in English; never holds a password or personal data.
    pub message: String,
    /// What the message says, by name; amounts are strings.
    pub details: Map<String, Value>,
    /// Whether the same call may succeed later, unchanged.
    pub transient: bool,
}

impl Fault {
    /// A fault without details that does not pass by itself.
    pub fn new(family: Family, code: &'static str, message: impl Into<String>) -> Self {
        Self { family, code, message: message.into(), details: Map::new(), transient: false }
    }

    /// With one detail more.
    pub fn with(mut self, name: &str, value: impl Into<Value>) -> Self {
        self.details.insert(name.to_owned(), value.into());
        self
    }

    /// As JSON: `{"code", "family", "message", "details", "transient"}`.
    pub fn to_json(&self) -> Value {
        json!({
            "code": self.code,
            "family": self.family.name(),
            "message": self.message,
            "details": self.details,
            "transient": self.transient,
        })
    }
}

impl From<Refusal> for Fault {
    fn from(refusal: Refusal) -> Self {
        Self { details: refusal.details(), ..Self::new(Family::Refused, refusal.code(), refusal.to_string()) }
    }
}

impl From<InvalidInput> for Fault {
    fn from(input: InvalidInput) -> Self {
        let message = format!("{}: {}", input.field(), input.message());
        Self::new(Family::InvalidInput, input.code(), message).with("field", input.field())
    }
}

impl From<StoreError> for Fault {
    fn from(error: StoreError) -> Self {
        let (family, transient) = match error {
            StoreError::Unavailable(_) | StoreError::Unknown(_) => (Family::StoreUnavailable, true),
            StoreError::Full(_) => (Family::StoreUnavailable, false),
            StoreError::ReadOnly(_)
            | StoreError::Corrupt(_)
            | StoreError::Foreign(_)
            | StoreError::Newer { .. }
            | StoreError::Outdated { .. }
            | StoreError::Misconfigured(_) => (Family::StoreUnusable, false),
        };
        let fault = Self { transient, ..Self::new(family, error.code(), error.to_string()) };
        match error {
            StoreError::Newer { found, known } => fault.with("found", found).with("known", known),
            StoreError::Outdated { found, needed } => fault.with("found", found).with("needed", needed),
            _ => fault,
        }
    }
}

impl From<Error> for Fault {
    fn from(error: Error) -> Self {
        let transient = error.is_transient();
        let (code, message) = (error.code(), error.to_string());
        match error {
            Error::Refused(refusal) => refusal.into(),
            Error::InvalidInput(input) => input.into(),
            Error::Store(error) => error.into(),
            Error::Overloaded | Error::Closed => Self { transient, ..Self::new(Family::Closed, code, message) },
            // An answer of the books, as a refusal is: somebody else was there first.
            Error::CursorMoved { name } => Self::new(Family::Refused, code, message).with("name", name.as_str()),
            Error::Internal(_) => Self::new(Family::Internal, code, message),
            Error::CheckFailed { merchant, difference } => Self::new(Family::CheckFailed, code, message)
                .with("merchant", merchant.to_string())
                .with("difference", difference),
        }
    }
}

impl From<ExportError> for Fault {
    fn from(error: ExportError) -> Self {
        let (code, message) = (error.code(), error.to_string());
        match error {
            ExportError::Ledger(error) => error.into(),
            ExportError::Output(_) => Self::new(Family::Internal, code, message),
        }
    }
}

impl From<ImportError> for Fault {
    fn from(error: ImportError) -> Self {
        let (code, message) = (error.code(), error.to_string());
        let fault = |family| Self::new(family, code, message);
        match error {
            ImportError::Ledger(error) => error.into(),
            ImportError::NotBooks => fault(Family::InvalidInput).with("line", 1),
            ImportError::Version { found } => fault(Family::InvalidInput).with("line", 1).with("found", found),
            ImportError::Source { line, .. }
            | ImportError::Cut { line }
            | ImportError::Damaged { line, .. }
            | ImportError::SourceChanged { line, .. } => fault(Family::InvalidInput).with("line", line),
            // The store's book has a history of its own: nothing was written.
            ImportError::BookDiffers { line, merchant, seq } => {
                fault(Family::Refused).with("line", line).with("merchant", merchant.to_string()).with("seq", seq)
            }
            // Something was: the book is not what it should have become.
            ImportError::BookMoved { line, merchant } => {
                fault(Family::CheckFailed).with("line", line).with("merchant", merchant.to_string())
            }
        }
    }
}

impl From<ProofError> for Fault {
    fn from(error: ProofError) -> Self {
        let fault = |family| Self::new(family, error.code(), error.to_string());
        match &error {
            ProofError::NotReadable(_) => fault(Family::InvalidInput),
            ProofError::WrongVersion { found, known } => {
                fault(Family::InvalidInput).with("found", *found).with("known", *known)
            }
            ProofError::Empty | ProofError::SealBroken | ProofError::HeadNotTrusted => fault(Family::CheckFailed),
            ProofError::PayloadNotReadable { place, .. } => fault(Family::CheckFailed).with("place", *place),
            ProofError::NotConsecutive { expected, found } => {
                fault(Family::CheckFailed).with("expected", *expected).with("found", *found)
            }
            ProofError::GenesisDiffers { merchant } => {
                fault(Family::CheckFailed).with("merchant", merchant.to_string())
            }
            ProofError::HashMismatch { seq } | ProofError::HeadDiffers { seq } => {
                fault(Family::CheckFailed).with("seq", *seq)
            }
            ProofError::MerchantDiffers { expected, found } => {
                fault(Family::CheckFailed).with("expected", expected.to_string()).with("found", found.to_string())
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_error_has_its_family_and_keeps_its_code() {
        let merchant = leadledger::MerchantId::generate();
        let said = String::new;
        let table = [
            (Error::from(Refusal::LeadNotFound), Family::Refused, false),
            (InvalidInput::new("text_too_long", "Key", "too long").into(), Family::InvalidInput, false),
            (StoreError::Unavailable(said()).into(), Family::StoreUnavailable, true),
            (StoreError::Unknown(said()).into(), Family::StoreUnavailable, true),
            (StoreError::Full(said()).into(), Family::StoreUnavailable, false),
            (StoreError::ReadOnly(said()).into(), Family::StoreUnusable, false),
            (StoreError::Corrupt(said()).into(), Family::StoreUnusable, false),
            (StoreError::Foreign(said()).into(), Family::StoreUnusable, false),
            (StoreError::Newer { found: 9, known: 2 }.into(), Family::StoreUnusable, false),
            (StoreError::Outdated { found: 1, needed: 2 }.into(), Family::StoreUnusable, false),
            (StoreError::Misconfigured(said()).into(), Family::StoreUnusable, false),
            (Error::Overloaded, Family::Closed, true),
            (Error::Closed, Family::Closed, false),
            (Error::CursorMoved { name: leadledger::SubscriberName::new("n").unwrap() }, Family::Refused, false),
            (Error::Internal(said()), Family::Internal, false),
            (Error::CheckFailed { merchant, difference: said() }, Family::CheckFailed, false),
        ];
        for (error, family, transient) in table {
            let fault = Fault::from(error.clone());
            assert_eq!((fault.family, fault.code, fault.transient), (family, error.code(), transient), "{error}");
        }
    }

    #[test]
    fn exports_imports_and_proofs_have_codes_of_their_own() {
        let merchant = leadledger::MerchantId::generate();
        let said = String::new;
        let exports = [
            (ExportError::Output(said()), Family::Internal),
            (ExportError::Ledger(StoreError::Unavailable(said()).into()), Family::StoreUnavailable),
        ];
        for (error, family) in exports {
            let fault = Fault::from(error.clone());
            assert_eq!((fault.family, fault.code), (family, error.code()), "{error}");
        }
        let imports = [
            (ImportError::Source { line: 7, why: said() }, Family::InvalidInput),
            (ImportError::NotBooks, Family::InvalidInput),
            (ImportError::Version { found: said() }, Family::InvalidInput),
            (ImportError::Cut { line: 7 }, Family::InvalidInput),
            (ImportError::Damaged { line: 7, what: said() }, Family::InvalidInput),
            (ImportError::SourceChanged { line: 7, what: said() }, Family::InvalidInput),
            (ImportError::BookDiffers { line: 7, merchant, seq: 3 }, Family::Refused),
            (ImportError::BookMoved { line: 7, merchant }, Family::CheckFailed),
            (ImportError::Ledger(Error::Closed), Family::Closed),
        ];
        for (error, family) in imports {
            let fault = Fault::from(error.clone());
            assert_eq!((fault.family, fault.code), (family, error.code()), "{error}");
            // The line that the message names is there for programs too.
            let named = fault.message.strip_prefix("line ").and_then(|rest| rest.split(':').next());
            let line = fault.details.get("line").map(Value::to_string);
            assert_eq!(line.as_deref(), named, "{error}");
        }
        let other = leadledger::MerchantId::generate();
        let proofs = [
            (ProofError::NotReadable(said()), Family::InvalidInput),
            (ProofError::WrongVersion { found: 9, known: 1 }, Family::InvalidInput),
            (ProofError::Empty, Family::CheckFailed),
            (ProofError::PayloadNotReadable { place: 1, fault: said() }, Family::CheckFailed),
            (ProofError::NotConsecutive { expected: 1, found: 2 }, Family::CheckFailed),
            (ProofError::GenesisDiffers { merchant }, Family::CheckFailed),
            (ProofError::HashMismatch { seq: 1 }, Family::CheckFailed),
            (ProofError::HeadDiffers { seq: 1 }, Family::CheckFailed),
            (ProofError::SealBroken, Family::CheckFailed),
            (ProofError::MerchantDiffers { expected: merchant, found: other }, Family::CheckFailed),
            (ProofError::HeadNotTrusted, Family::CheckFailed),
        ];
        for (error, family) in proofs {
            let fault = Fault::from(error.clone());
            assert_eq!((fault.family, fault.code, fault.transient), (family, error.code(), false), "{error}");
        }
    }

    #[test]
    fn details_are_by_name_and_amounts_are_strings() {
        let (available, required) = ("4.50".parse().unwrap(), "60.00".parse().unwrap());
        let fault = Fault::from(Refusal::InsufficientFunds { available, required });
        let expected = json!({
            "code": "insufficient_funds",
            "family": "refused",
            "message": "4.50 is available, 60.00 is required",
            "details": { "available": "4.50", "required": "60.00" },
            "transient": false,
        });
        assert_eq!(fault.to_json(), expected);
        let fault = Fault::from(StoreError::Outdated { found: 1, needed: 2 });
        assert_eq!(Value::Object(fault.details), json!({ "found": 1, "needed": 2 }));
        let fault = Fault::from(InvalidInput::new("unknown_time_zone", "time_zone", "no time zone \"Mars\""));
        assert_eq!(fault.to_string(), "time_zone: no time zone \"Mars\" (unknown_time_zone)");
    }
}
