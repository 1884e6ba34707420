//! Brings the tables of the existing backend into a ledger: reads them in one snapshot, plans without any I/O what comes
//! in and what does not, and opens one book for each merchant. Nothing is guessed silently: whatever differs is in the
//! report, with its cause and the amounts before and after.
//!
//! ```no_run
//! use leadledger::Ledger;
//! use leadledger_legacy::{PlanOptions, import, plan, read};
//! use leadledger_postgres::PostgresStore;
//! let source = read("postgres://reader@db.example.org/postgres", "public").unwrap();
//! let ledger = Ledger::open(PostgresStore::open("postgres://app@localhost/postgres").unwrap()).unwrap();
//! let plan = plan(&source, ledger.now(), PlanOptions::default());
//! println!("{}", plan.report.to_text());
//! let report = import(plan, &ledger, &mut |progress| eprintln!("{}/{}", progress.done, progress.of)).unwrap();
//! println!("{}", report.to_text());
//! ```

#![forbid(unsafe_code)]
#![cfg_attr(test, allow(clippy::unwrap_used))]

mod cause;
mod error;
mod import;
mod plan;
mod report;
mod source;
mod values;

pub use cause::Cause;
pub use error::{ImportError, Missing};
pub use import::{Progress, import, key_of};
pub use plan::{Earnings, Opening, PastWindow, Plan, PlanOptions, Uncovered, plan};
pub use report::{BookLine, BookState, Difference, Earned, Measure, Report, Total};
pub use source::{AgreementRow, DepositRow, LeadRow, SettingsRow, Source, Table, TransactionRow, read};
