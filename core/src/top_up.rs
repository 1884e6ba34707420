//! A top-up: a payment into a deposit through a payment method (DOMAIN.md chapter 7).

use crate::ids::{CampaignId, DepositId};
use crate::lead::named;
use crate::money::Currency;
use crate::text::Reference;
use serde::{Deserialize, Serialize};

named! {
    /// How money comes in or goes out.
    Method {
        /// Stripe.
        Stripe = "stripe",
        /// Centre Monétique Interbancaire.
        Cmi = "cmi",
        /// A bank transfer.
        BankTransfer = "bank_transfer",
        /// A crypto-currency.
        Crypto = "crypto",
        /// By hand; the default of direct payments.
        Manual = "manual",
    }
}

named! {
    /// Where a top-up stands.
    TopUpStatus {
        /// Begun; the provider has not answered.
        Pending = "pending",
        /// Credited.
        Succeeded = "succeeded",
        /// The provider said no; may still succeed.
        Failed = "failed",
        /// Given up; may still succeed.
        Cancelled = "cancelled",
        /// The payer disputes it; the money is out.
        Disputed = "disputed",
        /// All of it was taken back.
        Refunded = "refunded",
    }
}

/// A receipt's number: gapless per merchant and year (of the merchant's time zone).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct ReceiptNumber {
    /// The local year.
    pub year: i32,
    /// 1, 2, 3, ...
    pub number: u32,
}

impl std::fmt::Display for ReceiptNumber {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}-{:06}", self.year, self.number)
    }
}

/// A top-up as it stands, amounts in minor units of `currency`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TopUp {
    /// The payment method.
    pub method: Method,
    /// The campaign whose deposit it is for; none: the merchant-wide one.
    pub campaign: Option<CampaignId>,
    /// The currency.
    pub currency: Currency,
    /// What was intended.
    pub amount_minor: i64,
    /// What was received and credited.
    pub received_minor: i64,
    /// What was refunded since.
    pub refunded_minor: i64,
    /// Where it stands.
    pub status: TopUpStatus,
    /// The provider's reference: attached, then the one that succeeded.
    pub reference: Option<Reference>,
    /// The deposit that was credited last.
    pub deposit: Option<DepositId>,
    /// The receipt, once it succeeded.
    pub receipt: Option<ReceiptNumber>,
    /// The entry that credited it, whose answer a repeated success repeats.
    pub succeeded_seq: Option<u64>,
    /// The entry that began it: the order among top-ups.
    pub begun_seq: u64,
}

impl TopUp {
    /// What a refund or dispute can still take back.
    pub fn left_minor(&self) -> i64 {
        self.received_minor.saturating_sub(self.refunded_minor)
    }
}
