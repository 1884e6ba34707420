//! What can stop an import. What is wrong with single rows does not: that is in the report.

use leadledger::{Error, StoreError};
use thiserror::Error;

use crate::report::Report;

/// A table, or a column of a table, that the source should have.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Missing {
    /// The table.
    pub table: &'static str,
    /// The column; none where the whole table is missing.
    pub column: Option<&'static str>,
}

impl std::fmt::Display for Missing {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self.column {
            None => f.write_str(self.table),
            Some(column) => write!(f, "{}.{column}", self.table),
        }
    }
}

/// Why an import stopped.
#[derive(Debug, Error)]
pub enum ImportError {
    /// The schema is not that of the existing backend. Nothing was changed.
    #[error("the schema {schema:?} lacks {}", missing.iter().map(ToString::to_string).collect::<Vec<_>>().join(", "))]
    Schema {
        /// Where was looked.
        schema: String,
        /// Every table and column that is not there.
        missing: Vec<Missing>,
    },
    /// The tables could not be read. Nothing was changed.
    #[error("the tables cannot be read: {0}")]
    Source(StoreError),
    /// The ledger failed on the way. The books that were made are whole; another run goes on with the others.
    #[error("the ledger failed after {} books: {fault}", report.made())]
    Ledger {
        /// What it said.
        fault: Error,
        /// How far it got.
        report: Box<Report>,
    },
}

impl ImportError {
    /// The permanent code.
    pub fn code(&self) -> &'static str {
        match self {
            Self::Schema { .. } => "legacy_schema",
            Self::Source(fault) => fault.code(),
            Self::Ledger { fault, .. } => fault.code(),
        }
    }
}
