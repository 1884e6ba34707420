//! Explanations of leads: every status, every source of a share, and the words to the letter for some.
use super::Case;
pub(super) const CASES: &[Case] = &[];
