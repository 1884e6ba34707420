//! A payout: money that leaves a partner's earnings account (DOMAIN.md chapter 8).

use crate::ids::PartnerId;
use crate::lead::named;
use crate::money::Currency;
use serde::{Deserialize, Serialize};

named! {
    /// Where a payout stands.
    PayoutStatus {
        /// On its way; no longer payable.
        Requested = "requested",
        /// Paid out.
        Paid = "paid",
        /// Given back to payable.
        Cancelled = "cancelled",
    }
}

/// A payout as it stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Payout {
    /// To whom.
    pub partner: PartnerId,
    /// The currency.
    pub currency: Currency,
    /// How much, in minor units.
    pub amount_minor: i64,
    /// Where it stands.
    pub status: PayoutStatus,
    /// The entry that requested it: the order among payouts.
    pub requested_seq: u64,
}
