//! An agreement: a merchant's terms with one partner, for one campaign or for all (DOMAIN.md chapters 1 and 3).

use serde::{Deserialize, Serialize};

use crate::percent::Percent;

/// The partner's share, and when captured parts become payable. Both come from the same agreement.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Agreement {
    /// The partner's part of a commission.
    pub share: Percent,
    /// Days between validation and payable.
    pub payout_delay_days: u32,
}
