//! What the measurements share: the cycle that all of them run.

pub mod cycle;

/// Why a measurement was not made.
pub type Fault = Box<dyn std::error::Error>;
