//! SQLite's errors as the store's.

use leadledger::StoreError;
use rusqlite::ErrorCode;

/// What a failed statement means: nothing of the transaction will be kept.
pub(crate) fn store_error(fault: &rusqlite::Error) -> StoreError {
    let text = fault.to_string();
    match fault.sqlite_error_code() {
        Some(ErrorCode::DiskFull) => StoreError::Full(text),
        Some(ErrorCode::ReadOnly | ErrorCode::PermissionDenied) => StoreError::ReadOnly(text),
        Some(ErrorCode::NotADatabase) => StoreError::Foreign(text),
        // A check that fails, or a type that does not fit a STRICT table, is a row that must not be there.
        Some(ErrorCode::DatabaseCorrupt | ErrorCode::ConstraintViolation | ErrorCode::TypeMismatch) => {
            StoreError::Corrupt(text)
        }
        Some(_) => StoreError::Unavailable(text),
        None => StoreError::Corrupt(text),
    }
}

/// A value that a row must not hold.
pub(crate) fn corrupt(what: impl std::fmt::Display) -> StoreError {
    StoreError::Corrupt(what.to_string())
}

/// Turns rusqlite's results into the store's.
pub(crate) trait OrStoreError<T> {
    fn or_store_error(self) -> Result<T, StoreError>;
}

impl<T> OrStoreError<T> for rusqlite::Result<T> {
    fn or_store_error(self) -> Result<T, StoreError> {
        self.map_err(|fault| store_error(&fault))
    }
}
