//! What the measurements share: the cycle that all of them run, and what figures cost.

pub mod cycle;
pub mod figures;

/// Why a measurement was not made.
pub type Fault = Box<dyn std::error::Error>;
