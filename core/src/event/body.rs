//! What can happen, one variant each. Amounts are in the `currency` beside them, with that currency's decimals.

use rust_decimal::Decimal;
use serde_json::{Map, Value};

use crate::alert::{Channel, Level};
use crate::campaign::OnTimeout;
use crate::deposit::{Basis, ReferenceKind};
use crate::entry::Cause;
use crate::error::InvalidInput;
use crate::event::json::{Field, Fields};
use crate::ids::{CampaignId, DepositId, LeadId, PartnerId, PayoutId, TopUpId};
use crate::lead::{LeadStatus, Source};
use crate::money::Currency;
use crate::opening::OpeningStatus;
use crate::percent::Percent;
use crate::shape::{FieldShape, RecordShape, about};
use crate::text::Reference;
use crate::time::Timestamp;
use crate::top_up::{Method, ReceiptNumber};

macro_rules! bodies {
    ($($(#[doc = $doc:literal])* $variant:ident = $name:literal { $($(#[doc = $field_doc:literal])* $field:ident: $type:ty,)* })*) => {
        /// What happened. The names of the variants in JSON, and of their fields, are permanent.
        #[derive(Clone, Debug, PartialEq, Eq)]
        #[allow(missing_docs)] // field names are the glossary's
        pub enum EventBody {$(
            $(#[doc = $doc])*
            $variant { $($(#[doc = $field_doc])* $field: $type,)* },
        )*}

        impl EventBody {
            /// The names of all of them.
            pub const NAMES: &'static [&'static str] = &[$( $name ),*];

            /// What each of them holds, in the order of [`EventBody::NAMES`].
            pub const SHAPES: &'static [RecordShape] = &[$( RecordShape {
                name: stringify!($variant),
                about: about!($(#[doc = $doc])*),
                fields: &[$( FieldShape {
                    name: stringify!($field),
                    form: stringify!($type),
                    required: true,
                    about: about!($(#[doc = $field_doc])*),
                } ),*],
            } ),*];

            /// The permanent name.
            pub const fn name(&self) -> &'static str {
                match self {$( Self::$variant { .. } => $name, )*}
            }

            /// Adds its fields to a JSON object.
            pub(super) fn put(&self, object: &mut Map<String, Value>) {
                match self {$(
                    Self::$variant { $($field),* } => {
                        $( Field::put($field, stringify!($field), object); )*
                    }
                )*}
            }

            /// Reads back what [`EventBody::put`] wrote.
            pub(super) fn take(name: &str, fields: &Fields<'_>) -> Result<Self, InvalidInput> {
                match name {
                    $( $name => Ok(Self::$variant { $( $field: fields.take(stringify!($field))?, )* }), )*
                    _ => Err(InvalidInput::new("unknown_event_type", "type", format!("no event {name:?}"))),
                }
            }
        }
    };
}

bodies! {
    /// A lead was recorded and its commission reserved; time alone decides on it at `expires_at`.
    LeadCreated = "lead_created" {
        lead: LeadId,
        campaign: CampaignId,
        partner: PartnerId,
        deposit: DepositId,
        source: Source,
        currency: Currency,
        value: Decimal,
        commission: Decimal,
        partner_part: Decimal,
        platform_part: Decimal,
        expires_at: Timestamp,
    }
    /// A lead's commission was captured: by the merchant, or, with `accepted`, by time alone.
    LeadValidated = "lead_validated" {
        lead: LeadId,
        accepted: bool,
        score: Option<u8>,
        /// None where the commission is nothing.
        deposit: Option<DepositId>,
        /// None where its part is nothing.
        partner: Option<PartnerId>,
        currency: Currency,
        commission: Decimal,
        partner_part: Decimal,
        platform_part: Decimal,
    }
    /// A lead was rejected; its reservation was released.
    LeadRejected = "lead_rejected" { lead: LeadId, }
    /// A lead expired; its reservation was released.
    LeadExpired = "lead_expired" { lead: LeadId, }
    /// A validated lead became a sale.
    LeadConverted = "lead_converted" { lead: LeadId, }
    /// A validated lead came to nothing.
    LeadLost = "lead_lost" { lead: LeadId, }
    /// A captured lead was given back: the amounts are what went back.
    LeadReversed = "lead_reversed" {
        lead: LeadId,
        /// None where the commission was nothing.
        deposit: Option<DepositId>,
        /// None where its part was nothing.
        partner: Option<PartnerId>,
        currency: Currency,
        commission: Decimal,
        partner_part: Decimal,
        platform_part: Decimal,
    }
    /// A partner's held part became payable.
    PartMatured = "part_matured" {
        lead: LeadId,
        /// None where the part is nothing.
        partner: Option<PartnerId>,
        currency: Currency,
        amount: Decimal,
    }
    /// A deposit's level became worse than the one that was last told.
    AlertRaised = "alert_raised" {
        deposit: DepositId,
        level: Level,
        /// 1 (attention) to 4 (depleted).
        priority: u8,
        /// The colour's name.
        colour: String,
        /// The French label that merchants see.
        label: String,
        /// Where it is to be told.
        channels: Vec<Channel>,
        currency: Currency,
        balance: Decimal,
        available: Decimal,
        /// The amount that the level is measured against.
        reference: Decimal,
    }
    /// A deposit's level became better.
    AlertCleared = "alert_cleared" { deposit: DepositId, level: Level, }
    /// A campaign began.
    CampaignRegistered = "campaign_registered" {
        campaign: CampaignId,
        currency: Currency,
        policy_version: u32,
        minimum_value: Decimal,
        threshold: Decimal,
        rate: Percent,
        fixed: Decimal,
        default_share: Percent,
        validation_window_hours: u32,
        minimum_quality: Option<u8>,
        auto_stop: bool,
        on_timeout: OnTimeout,
    }
    /// A campaign's terms changed: these hold now.
    CampaignUpdated = "campaign_updated" {
        campaign: CampaignId,
        currency: Currency,
        policy_version: u32,
        minimum_value: Decimal,
        threshold: Decimal,
        rate: Percent,
        fixed: Decimal,
        default_share: Percent,
        validation_window_hours: u32,
        minimum_quality: Option<u8>,
        auto_stop: bool,
        on_timeout: OnTimeout,
    }
    /// A campaign takes no leads: a person said so, or (`ledger`) its deposit is depleted.
    CampaignPaused = "campaign_paused" { campaign: CampaignId, by: Cause, }
    /// A campaign takes leads again.
    CampaignResumed = "campaign_resumed" { campaign: CampaignId, by: Cause, }
    /// A partner's terms were agreed, for one campaign or (none) for all that have no own.
    AgreementSet = "agreement_set" {
        partner: PartnerId,
        campaign: Option<CampaignId>,
        share: Percent,
        payout_delay_days: u32,
    }
    /// A deposit began, for one campaign or (none) for all that have no own.
    DepositOpened = "deposit_opened" { deposit: DepositId, campaign: Option<CampaignId>, currency: Currency, }
    /// A payment came in; `credited` is what the debt left of it.
    PaymentReceived = "payment_received" {
        deposit: DepositId,
        currency: Currency,
        amount: Decimal,
        credited: Decimal,
        method: Method,
        reference: Option<Reference>,
    }
    /// A deposit takes no reservations: a person said so, or (`ledger`) the merchant owes.
    DepositSuspended = "deposit_suspended" { deposit: DepositId, by: Cause, }
    /// A deposit takes reservations again.
    DepositResumed = "deposit_resumed" { deposit: DepositId, by: Cause, }
    /// A deposit ended; `paid_back` is what the debt left of it.
    DepositClosed = "deposit_closed" {
        deposit: DepositId,
        currency: Currency,
        paid_back: Decimal,
        method: Method,
        reference: Option<Reference>,
    }
    /// An operator corrected a deposit: `amount` was given, or, where it is negative, taken.
    DepositAdjusted = "deposit_adjusted" { deposit: DepositId, currency: Currency, amount: Decimal, }
    /// What a deposit's level is measured on and against.
    AlertSettingsSet = "alert_settings_set" { deposit: DepositId, basis: Basis, reference_kind: ReferenceKind, }
    /// The automatic top-up request was set; without amounts it is off.
    AutoTopUpSet = "auto_top_up_set" {
        deposit: DepositId,
        currency: Currency,
        threshold: Option<Decimal>,
        amount: Option<Decimal>,
    }
    /// The host is asked for a payment of `amount`.
    AutoTopUpRequested = "auto_top_up_requested" { deposit: DepositId, currency: Currency, amount: Decimal, }
    /// A payment was intended.
    TopUpBegun = "top_up_begun" {
        top_up: TopUpId,
        campaign: Option<CampaignId>,
        currency: Currency,
        amount: Decimal,
        method: Method,
    }
    /// The provider's reference of a top-up was noted.
    ReferenceAttached = "reference_attached" { top_up: TopUpId, reference: Reference, }
    /// A top-up was paid; `payment_received` of the same entry says what was credited.
    TopUpSucceeded = "top_up_succeeded" {
        top_up: TopUpId,
        deposit: DepositId,
        currency: Currency,
        received: Decimal,
        reference: Reference,
        receipt: ReceiptNumber,
    }
    /// The provider said no.
    TopUpFailed = "top_up_failed" { top_up: TopUpId, }
    /// The payer gave up.
    TopUpCancelled = "top_up_cancelled" { top_up: TopUpId, }
    /// Money of a top-up went back out.
    TopUpRefunded = "top_up_refunded" { top_up: TopUpId, currency: Currency, amount: Decimal, }
    /// All that was left of a top-up went back out.
    TopUpDisputed = "top_up_disputed" { top_up: TopUpId, currency: Currency, amount: Decimal, }
    /// A disputed amount was credited again, to `deposit`.
    DisputeWon = "dispute_won" { top_up: TopUpId, deposit: DepositId, }
    /// A disputed amount stays out.
    DisputeLost = "dispute_lost" { top_up: TopUpId, }
    /// Earnings of a partner are on their way out.
    PayoutRequested = "payout_requested" {
        payout: PayoutId,
        partner: PartnerId,
        currency: Currency,
        amount: Decimal,
    }
    /// Earnings were paid.
    PayoutSettled = "payout_settled" {
        payout: PayoutId,
        /// As the postings tell.
        partner: Option<PartnerId>,
        currency: Currency,
        amount: Decimal,
        method: Method,
        reference: Option<Reference>,
    }
    /// Earnings were given back to payable.
    PayoutCancelled = "payout_cancelled" {
        payout: PayoutId,
        /// As the postings tell.
        partner: Option<PartnerId>,
        currency: Currency,
        amount: Decimal,
    }
    /// A debt became a loss: a partner's, or (none) the merchant's.
    WrittenOff = "written_off" { partner: Option<PartnerId>, currency: Currency, amount: Decimal, }
    /// A lead's personal data and free text were erased: whoever copied them erases the copy.
    CustomerErased = "customer_erased" { lead: LeadId, }
    /// A deposit came in with the book's opening.
    DepositImported = "deposit_imported" {
        deposit: DepositId,
        campaign: Option<CampaignId>,
        currency: Currency,
        balance: Decimal,
        status: OpeningStatus,
    }
    /// A lead came in with the book's opening.
    LeadImported = "lead_imported" {
        lead: LeadId,
        campaign: CampaignId,
        partner: PartnerId,
        deposit: DepositId,
        source: Source,
        currency: Currency,
        value: Decimal,
        commission: Decimal,
        partner_part: Decimal,
        status: LeadStatus,
        created_at: Timestamp,
    }
    /// A line of an old statement is kept; it moves nothing.
    LineKept = "line_kept" { deposit: DepositId, lead: Option<LeadId>, line_at: Timestamp, }
    /// `run_due` was called and settled so many leads, each with an entry of its own before this one.
    DueSettled = "due_settled" { expired: u64, accepted: u64, matured: u64, }
}
