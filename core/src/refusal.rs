//! Every reason for which the rules refuse a command. Codes are permanent (DOMAIN.md, "Order of checks").

use rust_decimal::Decimal;
use serde_json::{Map, Value, json};
use thiserror::Error;

use crate::money::Currency;

macro_rules! refusals {
    ($($(#[doc = $doc:literal])* $name:ident $({ $($(#[$field_doc:meta])* $field:ident: $type:ty),* $(,)? })? = $code:literal, $message:literal;)*) => {
        /// A refusal: an answer, not an accident. What was refused changed nothing.
        #[derive(Clone, Debug, PartialEq, Eq, Error)]
        pub enum Refusal {$(
            $(#[doc = $doc])*
            #[error($message)]
            $name $({ $($(#[$field_doc])* $field: $type),* })?,
        )*}

        impl Refusal {
            /// Every code, and what it says. Texts begin with a space, as doc comments do.
            pub const CODES: &'static [(&'static str, &'static str)] = &[$( ($code, concat!($( $doc, "\n" ),*)) ),*];

            /// The permanent code.
            pub fn code(&self) -> &'static str {
                match self {$( Self::$name $({ $($field: _),* })? => $code, )*}
            }

            /// The details by name, amounts as strings.
            pub fn details(&self) -> Map<String, Value> {
                match self {$(
                    Self::$name $({ $($field),* })? => {
                        #[allow(unused_mut)]
                        let mut details = Map::new();
                        $($( details.insert(stringify!($field).to_owned(), json!($field.to_string())); )*)?
                        details
                    }
                )*}
            }
        }
    };
}

refusals! {
    /// Zero or negative where a positive amount is needed.
    InvalidAmount = "invalid_amount", "the amount must be positive";
    /// More decimals than the currency has.
    AmountPrecision {
        /// Whose decimals.
        currency: Currency,
    } = "amount_precision", "the amount has more decimals than {currency} has";
    /// An amount or a balance beyond 2^63-1 minor units.
    AmountTooLarge = "amount_too_large", "the amount or a balance would be beyond 2^63-1 minor units";
    /// The command says another currency than the thing it names has.
    CurrencyMismatch {
        /// The thing's currency.
        expected: Currency,
        /// What the command says.
        given: Currency,
    } = "currency_mismatch", "the currency is {expected}, not {given}";
    /// The key was used with another payload.
    IdempotencyMismatch = "idempotency_mismatch", "this idempotency key was used with another payload";
    /// Commission terms or validation rules outside their bounds.
    InvalidPolicy {
        /// Which field.
        field: &'static str,
    } = "invalid_policy", "the policy's {field} is not valid";
    /// A share or delay outside its bounds.
    InvalidAgreement {
        /// Which field.
        field: &'static str,
    } = "invalid_agreement", "the agreement's {field} is not valid";
    /// No such campaign in this book.
    CampaignNotFound = "campaign_not_found", "no such campaign";
    /// The id was used.
    CampaignExists = "campaign_exists", "this campaign exists";
    /// The campaign takes no leads now.
    CampaignPaused = "campaign_paused", "the campaign is paused";
    /// No such deposit in this book.
    DepositNotFound = "deposit_not_found", "no such deposit";
    /// The id was used, or a deposit is open for this scope.
    DepositExists = "deposit_exists", "a deposit exists with this id or for this scope";
    /// The deposit is closed for good.
    DepositClosed = "deposit_closed", "the deposit is closed";
    /// The deposit takes no new reservations.
    DepositSuspended = "deposit_suspended", "the deposit is suspended";
    /// Leads still hold parts of the deposit.
    ReservationsPending {
        /// What is reserved.
        reserved: Decimal,
    } = "reservations_pending", "{reserved} is still reserved by pending leads";
    /// The merchant still owes.
    DebtOutstanding {
        /// What is owed.
        owed: Decimal,
    } = "debt_outstanding", "the merchant still owes {owed}";
    /// Neither the campaign nor the merchant has an open deposit.
    NoActiveDeposit = "no_active_deposit", "no open deposit for this campaign";
    /// What is available does not cover it.
    InsufficientFunds {
        /// What is there.
        available: Decimal,
        /// What it takes.
        required: Decimal,
    } = "insufficient_funds", "{available} is available, {required} is required";
    /// Below the smallest amount for this payment.
    BelowMinimum {
        /// The smallest amount.
        minimum: Decimal,
    } = "below_minimum", "the smallest amount is {minimum}";
    /// A lead below the campaign's smallest value.
    ValueBelowMinimum {
        /// The smallest value.
        minimum: Decimal,
    } = "value_below_minimum", "the smallest value of a lead is {minimum}";
    /// A reason is mandatory.
    ReasonRequired = "reason_required", "a reason is required";
    /// A quality score outside 1..=10.
    InvalidScore = "invalid_score", "the quality score must be 1 to 10";
    /// The campaign requires a score.
    QualityRequired {
        /// The campaign's minimum.
        minimum: u8,
    } = "quality_required", "a quality score of at least {minimum} is required";
    /// The score is below the campaign's minimum.
    QualityBelowMinimum {
        /// The campaign's minimum.
        minimum: u8,
    } = "quality_below_minimum", "the quality score must be at least {minimum}";
    /// No such lead in this book.
    LeadNotFound = "lead_not_found", "no such lead";
    /// The id was used.
    LeadExists = "lead_exists", "this lead exists";
    /// The time to decide on the lead is over.
    LeadExpired = "lead_expired", "the lead has expired";
    /// The thing is in a state from which this move is not allowed.
    InvalidTransition {
        /// The present state.
        from: &'static str,
        /// The state asked for.
        to: &'static str,
    } = "invalid_transition", "no move from {from} to {to}";
    /// No such top-up in this book.
    TopUpNotFound = "top_up_not_found", "no such top-up";
    /// The id was used.
    TopUpExists = "top_up_exists", "this top-up exists";
    /// The provider's reference belongs to another top-up.
    ReferenceUsed = "reference_used", "this reference belongs to another top-up";
    /// The same payment was reported with another amount.
    AmountMismatch {
        /// What was credited.
        expected: Decimal,
        /// What is reported now.
        given: Decimal,
    } = "amount_mismatch", "{expected} was credited, {given} is reported now";
    /// More than what is left of the top-up.
    RefundExceeds {
        /// What is left.
        left: Decimal,
    } = "refund_exceeds", "only {left} is left to refund";
    /// There is nothing to write off.
    NothingOwed = "nothing_owed", "nothing is owed";
    /// What is to be opened has entries already.
    BookNotEmpty = "book_not_empty", "the book is not empty";
    /// An opening that does not fit together.
    InvalidOpening {
        /// Of what does not fit; the nil UUID where it is the whole.
        id: uuid::Uuid,
        /// What does not fit.
        what: &'static str,
    } = "invalid_opening", "{what} ({id})";
    /// No such payout in this book.
    PayoutNotFound = "payout_not_found", "no such payout";
    /// The id was used.
    PayoutExists = "payout_exists", "this payout exists";
}
