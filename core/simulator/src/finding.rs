//! What a simulation found: where the engine and the model, or the engine and its own promises, part.

use serde_json::Value;

/// A difference, with the seed that shows it again.
#[derive(Clone, Debug, PartialEq)]
pub struct Finding {
    /// The story's seed.
    pub seed: u64,
    /// How many steps were told when it was seen.
    pub step: usize,
    /// What was compared.
    pub what: String,
    /// The command or the book that it is about.
    pub about: String,
    /// What the model says.
    pub expected: Value,
    /// What the engine said or left.
    pub got: Value,
}

impl std::fmt::Display for Finding {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "seed {} step {}: {}: ", self.seed, self.step, self.what)?;
        write!(f, "expected {}, got {}; {}", self.expected, self.got, self.about)
    }
}

impl std::error::Error for Finding {}
