//! What can go wrong, by family: a refusal is an answer, a store error an accident, invalid input the caller's slip.

use thiserror::Error;

use crate::ids::MerchantId;
use crate::refusal::Refusal;
use crate::text::SubscriberName;

/// Input that cannot be a command at all: wrong type, NUL, over-long, an unknown currency or field.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[error("{field}: {message} ({code})")]
pub struct InvalidInput {
    code: &'static str,
    field: String,
    message: String,
}

impl InvalidInput {
    /// `code` is permanent; `field` and `message` are for people.
    pub fn new(code: &'static str, field: impl Into<String>, message: impl Into<String>) -> Self {
        Self { code, field: field.into(), message: message.into() }
    }

    /// The permanent code, such as `text_too_long`.
    pub fn code(&self) -> &'static str {
        self.code
    }

    /// What of the input it is about: a field, a command or a setting.
    pub fn field(&self) -> &str {
        &self.field
    }

    /// What is wrong with it, for people.
    pub fn message(&self) -> &str {
        &self.message
    }
}

/// What a store says when it could not do its work. Nothing of the batch concerned is in the books, except after
/// [`StoreError::Unknown`], which the engine resolves before anybody is answered.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum StoreError {
    /// The store cannot be reached, is locked by another for too long, or the machine refused (I/O).
    #[error("the store is unavailable: {0}")]
    Unavailable(String),
    /// No room is left on the disk. Nothing was written.
    #[error("the store's disk is full: {0}")]
    Full(String),
    /// The store or its file may only be read.
    #[error("the store is read-only: {0}")]
    ReadOnly(String),
    /// What was read back breaks the store's own rules.
    #[error("the store is corrupt: {0}")]
    Corrupt(String),
    /// The file or database belongs to something else.
    #[error("not a leadledger store: {0}")]
    Foreign(String),
    /// The schema is newer than this code knows.
    #[error("the store's schema is version {found}; this code knows up to {known}")]
    Newer {
        /// The version found.
        found: u32,
        /// The newest version that this code knows.
        known: u32,
    },
    /// The schema is older than this code needs, or not there yet (version 0): it has to be migrated first.
    #[error("the store's schema is version {found}; this code needs {needed}: migrate it first")]
    Outdated {
        /// The version found; 0 where there is none.
        found: u32,
        /// The version that this code needs.
        needed: u32,
    },
    /// The store is reached, or set up, in a way that cannot keep a ledger, or may not: an address that is none, a server
    /// that does not write durably, a right that is missing. Trying again does not help.
    #[error("the store is misconfigured: {0}")]
    Misconfigured(String),
    /// The commit's outcome is unknown: it may have happened.
    #[error("the outcome of the commit is unknown: {0}")]
    Unknown(String),
}

impl StoreError {
    /// The permanent code.
    pub fn code(&self) -> &'static str {
        match self {
            Self::Unavailable(_) => "store_unavailable",
            Self::Full(_) => "store_full",
            Self::ReadOnly(_) => "store_read_only",
            Self::Corrupt(_) => "store_corrupt",
            Self::Foreign(_) => "store_foreign",
            Self::Newer { .. } => "store_newer",
            Self::Outdated { .. } => "store_outdated",
            Self::Misconfigured(_) => "store_misconfigured",
            Self::Unknown(_) => "store_outcome_unknown",
        }
    }
}

/// Why a call on the ledger gave no answer.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum Error {
    /// The rules refuse the command; the books are as they were (but for what was due anyway).
    #[error(transparent)]
    Refused(#[from] Refusal),
    /// The input cannot be a command.
    #[error(transparent)]
    InvalidInput(#[from] InvalidInput),
    /// The store could not do its work. After `store_outcome_unknown` the command may be applied: send it again with
    /// the same idempotency key.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The queue is full (only from the `try_` form).
    #[error("the ledger's queue is full")]
    Overloaded,
    /// The ledger was closed before the command was taken.
    #[error("the ledger is closed")]
    Closed,
    /// Another reader of the same name has moved on meanwhile; nothing was changed.
    #[error("the cursor of subscriber {name} was moved by another reader of this name")]
    CursorMoved {
        /// The subscriber.
        name: SubscriberName,
    },
    /// A fault in the ledger itself; nothing was written.
    #[error("internal fault: {0}")]
    Internal(String),
    /// The books do not agree with their journal.
    #[error("the book of merchant {merchant} fails its check: {difference}")]
    CheckFailed {
        /// Whose book.
        merchant: MerchantId,
        /// The first difference.
        difference: String,
    },
}

impl Error {
    /// The permanent code, of the refusal where it is one.
    pub fn code(&self) -> &'static str {
        match self {
            Self::Refused(refusal) => refusal.code(),
            Self::InvalidInput(input) => input.code(),
            Self::Store(store) => store.code(),
            Self::Overloaded => "overloaded",
            Self::Closed => "closed",
            Self::CursorMoved { .. } => "cursor_moved",
            Self::Internal(_) => "internal",
            Self::CheckFailed { .. } => "check_failed",
        }
    }

    /// The refusal, where it is one.
    pub fn refusal(&self) -> Option<&Refusal> {
        match self {
            Self::Refused(refusal) => Some(refusal),
            _ => None,
        }
    }

    /// Whether the same call may succeed later, unchanged.
    pub fn is_transient(&self) -> bool {
        matches!(self, Self::Overloaded | Self::Store(StoreError::Unavailable(_) | StoreError::Unknown(_)))
    }
}
