//! Postgres's errors as the store's.

use leadledger::StoreError;
use tokio_postgres::error::{DbError, Severity, SqlState};

/// What a statement that failed means for the transaction that it was part of: nothing of it will be kept.
pub(crate) fn store_error(fault: &tokio_postgres::Error) -> StoreError {
    match fault.as_db_error() {
        Some(told) => told_error(told),
        None if is_value(fault) => StoreError::Corrupt(text(fault)),
        None if is_setting(fault) => StoreError::Misconfigured(text(fault)),
        None => StoreError::Unavailable(text(fault)),
    }
}

fn told_error(told: &DbError) -> StoreError {
    let what = || format!("{} ({})", told.message(), told.code().code());
    match told.code().code() {
        // A disk or a quota without room.
        "53100" => StoreError::Full(what()),
        // A standby, or a database that is set to read only.
        "25006" => StoreError::ReadOnly(what()),
        "42501" | "28000" | "28P01" | "3D000" => StoreError::Misconfigured(what()),
        // Fewer rows than the ledger knows of.
        "LL001" => StoreError::Corrupt(what()),
        _ => match class(told) {
            // Values that a row must not hold; and the server's own words for damaged data.
            "22" | "23" | "XX" => StoreError::Corrupt(what()),
            // Schemas, tables, columns or functions that are not there, or not so.
            "3F" | "42" => StoreError::Foreign(what()),
            _ => StoreError::Unavailable(what()),
        },
    }
}

/// The kind of an error: the first two characters of its code.
fn class(told: &DbError) -> &str {
    told.code().code().get(..2).unwrap_or_default()
}

/// Whether the transaction gave way to another one, and may go through when it is begun anew: a deadlock, a conflict of
/// serialisation, or a new book that another one began first.
pub(crate) fn gave_way(fault: &tokio_postgres::Error) -> bool {
    let Some(told) = fault.as_db_error() else { return false };
    let begun = |key: &str| key.starts_with("books_pkey") || key.starts_with("journal_pkey");
    match told.code() {
        &SqlState::T_R_SERIALIZATION_FAILURE | &SqlState::T_R_DEADLOCK_DETECTED => true,
        &SqlState::UNIQUE_VIOLATION => told.constraint().is_some_and(begun),
        _ => false,
    }
}

/// Whether the server itself said, as an answer within the conversation, that a statement failed: the transaction is
/// then rolled back, whatever was sent after it. What a pooler says, or a server that goes down, may come at any time,
/// also after a commit.
pub(crate) fn is_answer(fault: &tokio_postgres::Error) -> bool {
    fault
        .as_db_error()
        .is_some_and(|told| told.parsed_severity() == Some(Severity::Error) && !matches!(class(told), "08" | "57"))
}

/// Whether the connection can be used again after this.
pub(crate) fn leaves_connection(fault: &tokio_postgres::Error) -> bool {
    fault.as_db_error().is_some_and(|told| told.parsed_severity() == Some(Severity::Error))
}

/// The driver names the place first and gives the reason as its source.
pub(crate) fn text(fault: &dyn std::error::Error) -> String {
    let mut text = fault.to_string();
    let mut source = fault.source();
    while let Some(inner) = source {
        let more = inner.to_string();
        if !text.contains(&more) {
            text = format!("{text}: {more}");
        }
        source = inner.source();
    }
    text
}

/// Whether a value could not be sent or read.
fn is_value(fault: &tokio_postgres::Error) -> bool {
    let text = fault.to_string();
    text.starts_with("error serializing parameter") || text.starts_with("error deserializing column")
}

/// Whether the way to the server is not as it must be: no password where one is asked for, a certificate that is not
/// trusted or names another host, no TLS where it is required.
fn is_setting(fault: &tokio_postgres::Error) -> bool {
    let mut source = std::error::Error::source(fault);
    while let Some(inner) = source {
        let wrapped = inner.downcast_ref::<std::io::Error>().and_then(std::io::Error::get_ref);
        let refused = wrapped.and_then(|inner| inner.downcast_ref::<rustls::Error>()).is_some();
        if refused || inner.is::<rustls::Error>() || inner.to_string() == "server does not support TLS" {
            return true;
        }
        source = inner.source();
    }
    let text = fault.to_string();
    text.starts_with("invalid configuration") || text.starts_with("authentication error")
}

/// A value that a row must not hold.
pub(crate) fn corrupt(what: impl std::fmt::Display) -> StoreError {
    StoreError::Corrupt(what.to_string())
}
