//! What every store must do, as a suite that any store runs from three lines of test code, and the scenario player.
//!
//! ```ignore
//! leadledger::conformance::run(&|| Box::new(Fixture::new()));
//! ```

mod scenarios;

pub use scenarios::{Mismatch, Played, play, scenario_files};
