//! The ids of DOMAIN.md chapter 1: UUIDs, one type for each noun, so that a lead cannot be passed for a deposit.

use serde::{Deserialize, Serialize};
use uuid::Uuid;

macro_rules! ids {
    ($($(#[$doc:meta])* $name:ident),* $(,)?) => {$(
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[serde(transparent)]
        pub struct $name(pub Uuid);

        impl $name {
            /// A new time-ordered id (UUIDv7). What the caller leaves out gets one from the ledger; time-ordered ids
            /// also keep the stores' indexes compact.
            pub fn generate() -> Self {
                Self(Uuid::now_v7())
            }
        }

        impl std::fmt::Display for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                self.0.fmt(f)
            }
        }

        impl std::str::FromStr for $name {
            type Err = uuid::Error;
            fn from_str(text: &str) -> Result<Self, Self::Err> {
                Uuid::parse_str(text).map(Self)
            }
        }

        impl From<Uuid> for $name {
            fn from(id: Uuid) -> Self {
                Self(id)
            }
        }
    )*};
}

ids! {
    /// A company that prepays and receives leads: the consistency boundary, one book each.
    MerchantId,
    /// Who brings leads: an influencer or a commercial.
    PartnerId,
    /// A merchant's offer that leads are generated for.
    CampaignId,
    /// A prepaid account of a merchant.
    DepositId,
    /// A prospect that waits for the merchant's validation.
    LeadId,
    /// A payment into a deposit through a payment method.
    TopUpId,
    /// Money that leaves a partner's earnings.
    PayoutId,
}
