//! Why a lead cost what it cost and where the money went, as data; its `Display` says the same in words.

use rust_decimal::Decimal;
use serde_json::{Value, json};

use crate::account::Account;
use crate::alert::Level;
use crate::audit::Moment;
use crate::campaign::OnTimeout;
use crate::commission::{CommissionKind, Policy};
use crate::entry::Kind;
use crate::ids::{CampaignId, DepositId, LeadId, MerchantId, PartnerId};
use crate::lead::{LeadStatus, PartPlace};
use crate::money::{Currency, to_decimal};
use crate::percent::Percent;
use crate::text::Key;
use crate::time::Timestamp;

/// One lead explained, from its creation to the last entry about it. [`std::fmt::Display`] gives it as English
/// sentences, [`Explanation::to_json`] as JSON. It holds no personal data and no free text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Explanation {
    /// Whose book.
    pub merchant: MerchantId,
    /// The lead.
    pub lead: LeadId,
    /// The book's last entry when this was told.
    pub of: Moment,
    /// Where the lead stands.
    pub status: LeadStatus,
    /// The campaign it was brought for.
    pub campaign: CampaignId,
    /// Who brought it.
    pub partner: PartnerId,
    /// The deposit that pays for it.
    pub deposit: DepositId,
    /// The currency of all amounts here.
    pub currency: Currency,
    /// Its estimated value.
    pub value: Decimal,
    /// The commission.
    pub commission: Decimal,
    /// The partner's part of it.
    pub partner_part: Decimal,
    /// The platform's part: the rest, so that both add up to the commission.
    pub platform_part: Decimal,
    /// The version of the campaign's policy.
    pub policy_version: u32,
    /// The rate, where the commission is a percentage; else it is the policy's fixed amount.
    pub rate: Option<Percent>,
    /// The partner's share of the commission.
    pub share: Percent,
    /// Where the share and the delay come from.
    pub share_from: ShareSource,
    /// Days between validation and payable.
    pub payout_delay_days: u32,
    /// The policy that was in force when the lead was created; none where the journal does not hold that version.
    pub policy: Option<PolicyInForce>,
    /// When time alone decides on it, where nobody did before.
    pub expires_at: Timestamp,
    /// What time alone does then.
    pub on_timeout: OnTimeout,
    /// Where the partner's part is.
    pub part: PartPlace,
    /// When a held part becomes payable.
    pub matures_at: Option<Timestamp>,
    /// What happened, in order. Erasing the customer's data is no step: it moves nothing.
    pub steps: Vec<Step>,
}

/// A campaign's policy when a lead was created, and what it gives.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PolicyInForce {
    /// The policy, amounts in minor units.
    pub policy: Policy,
    /// What it gives for the lead's value before it is rounded to the currency.
    pub exact: Decimal,
    /// Whether it gives exactly the commission and the parts that the lead has. Not so where they were recorded from
    /// elsewhere.
    pub agrees: bool,
}

/// Where a lead's share and payout delay come from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ShareSource {
    /// The merchant's agreement with the partner for this campaign, as entry `seq` set it.
    CampaignAgreement {
        /// The entry.
        seq: u64,
        /// When.
        at: Timestamp,
    },
    /// The merchant's agreement with the partner for all campaigns, as entry `seq` set it: there was none for this
    /// campaign.
    MerchantAgreement {
        /// The entry.
        seq: u64,
        /// When.
        at: Timestamp,
    },
    /// The campaign's default share, without delay: there was no agreement with the partner.
    CampaignDefault,
    /// None of these gives the lead's terms: they were recorded from elsewhere.
    Elsewhere,
}

impl ShareSource {
    /// The permanent name.
    pub const fn name(self) -> &'static str {
        match self {
            Self::CampaignAgreement { .. } => "campaign_agreement",
            Self::MerchantAgreement { .. } => "merchant_agreement",
            Self::CampaignDefault => "campaign_default",
            Self::Elsewhere => "elsewhere",
        }
    }
}

/// Who took a step. The journal does not hold who sent a command.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Actor {
    /// Somebody sent a command.
    Command,
    /// Time alone.
    Time,
}

impl Actor {
    /// `command` or `time`.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Command => "command",
            Self::Time => "time",
        }
    }
}

/// What happened to a lead in an entry.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum LeadEvent {
    /// It was recorded.
    Created,
    /// It came in with the book's opening.
    Imported {
        /// Where it stood then.
        status: LeadStatus,
    },
    /// It was validated.
    Validated {
        /// The quality score, 1 to 10.
        score: Option<u8>,
    },
    /// It was validated by time alone.
    Accepted,
    /// It was rejected.
    Rejected,
    /// It expired.
    Expired,
    /// The partner's held part became payable.
    Matured,
    /// It became a sale.
    Converted,
    /// It came to nothing.
    Lost,
    /// It was given back.
    Reversed,
}

impl LeadEvent {
    /// The permanent name.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Created => "created",
            Self::Imported { .. } => "imported",
            Self::Validated { .. } => "validated",
            Self::Accepted => "accepted",
            Self::Rejected => "rejected",
            Self::Expired => "expired",
            Self::Matured => "matured",
            Self::Converted => "converted",
            Self::Lost => "lost",
            Self::Reversed => "reversed",
        }
    }

    /// What it does to the lead's reservation.
    pub const fn reservation(self) -> Option<ReservationChange> {
        match self {
            Self::Created | Self::Imported { status: LeadStatus::Pending } => Some(ReservationChange::Made),
            Self::Validated { .. } | Self::Accepted => Some(ReservationChange::Captured),
            Self::Rejected | Self::Expired => Some(ReservationChange::Released),
            Self::Imported { .. } | Self::Matured | Self::Converted | Self::Lost | Self::Reversed => None,
        }
    }
}

/// What became of the lead's reservation, always its whole commission.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum ReservationChange {
    /// The deposit holds it.
    Made,
    /// It was paid.
    Captured,
    /// The deposit is free of it.
    Released,
}

impl ReservationChange {
    /// The permanent name.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Made => "made",
            Self::Captured => "captured",
            Self::Released => "released",
        }
    }
}

/// One posting of a step.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct StepPosting {
    /// The account.
    pub account: Account,
    /// How much, debit positive.
    pub amount: Decimal,
}

/// What else happened in the entry of a step, because of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum StepEffect {
    /// A deposit fell to this level.
    AlertRaised {
        /// The deposit.
        deposit: DepositId,
        /// The level.
        level: Level,
        /// The deposit's balance then.
        balance: Decimal,
        /// What of it no pending lead held.
        available: Decimal,
        /// What the level is measured against.
        reference: Decimal,
    },
    /// A deposit rose to this level.
    AlertCleared {
        /// The deposit.
        deposit: DepositId,
        /// The level.
        level: Level,
    },
    /// A campaign takes no leads from here on.
    CampaignPaused {
        /// The campaign.
        campaign: CampaignId,
    },
    /// A campaign takes leads again.
    CampaignResumed {
        /// The campaign.
        campaign: CampaignId,
    },
    /// The host was asked for a payment into a deposit.
    TopUpRequested {
        /// The deposit.
        deposit: DepositId,
        /// How much.
        amount: Decimal,
    },
}

/// One entry of a lead's history.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Step {
    /// The entry's number.
    pub seq: u64,
    /// The entry's time.
    pub at: Timestamp,
    /// The entry's kind: the command's name, or what time did.
    pub kind: Kind,
    /// Who took it.
    pub by: Actor,
    /// The caller's idempotency key.
    pub key: Option<Key>,
    /// What happened to the lead.
    pub event: LeadEvent,
    /// The money that moved.
    pub postings: Vec<StepPosting>,
    /// What else happened.
    pub effects: Vec<StepEffect>,
}

impl Explanation {
    /// How the commission was found.
    pub fn kind(&self) -> CommissionKind {
        CommissionKind::of(self.rate)
    }

    /// The explanation as JSON, amounts and percentages as strings. A posting's amount is debit positive.
    pub fn to_json(&self) -> Value {
        let source = match self.share_from {
            ShareSource::CampaignAgreement { seq, at } | ShareSource::MerchantAgreement { seq, at } => {
                json!({ "source": self.share_from.name(), "seq": seq, "at": at })
            }
            other => json!({ "source": other.name() }),
        };
        let policy = self.policy.map(|found| {
            let money = |minor| to_decimal(minor, self.currency).to_string();
            json!({
                "threshold": money(found.policy.threshold_minor),
                "rate": found.policy.rate,
                "fixed": money(found.policy.fixed_minor),
                "minimum_value": money(found.policy.minimum_value_minor),
                "default_share": found.policy.default_share,
                "exact": found.exact.to_string(),
                "agrees": found.agrees,
            })
        });
        json!({
            "merchant": self.merchant,
            "lead": self.lead,
            "of": self.of.to_json(),
            "status": self.status,
            "campaign": self.campaign,
            "partner": self.partner,
            "deposit": self.deposit,
            "currency": self.currency,
            "value": self.value.to_string(),
            "type": self.kind(),
            "commission": self.commission.to_string(),
            "partner_part": self.partner_part.to_string(),
            "platform_part": self.platform_part.to_string(),
            "policy_version": self.policy_version,
            "rate": self.rate,
            "share": self.share,
            "share_from": source,
            "payout_delay_days": self.payout_delay_days,
            "policy": policy,
            "expires_at": self.expires_at,
            "on_timeout": self.on_timeout,
            "part": self.part,
            "matures_at": self.matures_at,
            "steps": self.steps.iter().map(|step| step.to_json(self)).collect::<Vec<_>>(),
        })
    }
}

impl Step {
    fn to_json(&self, of: &Explanation) -> Value {
        let postings = self
            .postings
            .iter()
            .map(|posting| json!({ "account": posting.account.to_string(), "amount": posting.amount.to_string() }));
        let reservation = self.event.reservation().map(
            |change| json!({ "change": change.name(), "deposit": of.deposit, "amount": of.commission.to_string() }),
        );
        let score = match self.event {
            LeadEvent::Validated { score } => score,
            _ => None,
        };
        json!({
            "seq": self.seq,
            "at": self.at,
            "kind": self.kind.name(),
            "by": self.by.name(),
            "key": self.key,
            "event": self.event.name(),
            "score": score,
            "postings": postings.collect::<Vec<_>>(),
            "reservation": reservation,
            "effects": self.effects.iter().copied().map(StepEffect::to_json).collect::<Vec<_>>(),
        })
    }
}

impl StepEffect {
    fn to_json(self) -> Value {
        match self {
            Self::AlertRaised { deposit, level, balance, available, reference } => json!({
                "effect": "alert_raised",
                "deposit": deposit,
                "level": level,
                "balance": balance.to_string(),
                "available": available.to_string(),
                "reference": reference.to_string(),
            }),
            Self::AlertCleared { deposit, level } => {
                json!({ "effect": "alert_cleared", "deposit": deposit, "level": level })
            }
            Self::CampaignPaused { campaign } => json!({ "effect": "campaign_paused", "campaign": campaign }),
            Self::CampaignResumed { campaign } => json!({ "effect": "campaign_resumed", "campaign": campaign }),
            Self::TopUpRequested { deposit, amount } => {
                json!({ "effect": "top_up_requested", "deposit": deposit, "amount": amount.to_string() })
            }
        }
    }
}
