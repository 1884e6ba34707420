//! The opening of a book from elsewhere: what `open_book` takes, what its entry says, and how that is folded into a book.
//!
//! An import is one entry. Deposits come in with their balances (the other side is `payments:opening`), leads as they
//! stand, with their history; lines of an old statement are kept as facts and move nothing (docs/adr/0011).

use chrono::NaiveDate;
use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use uuid::Uuid;

use crate::alert::Level;
use crate::book::{Book, Private};
use crate::campaign::OnTimeout;
use crate::command::OpenBook;
use crate::commission::PolicyTerms;
use crate::deposit::{AutoTopUp, Deposit, DepositStatus};
use crate::entry::{Entry, Fact, short_hash};
use crate::hex::{hex, unhex};
use crate::ids::{CampaignId, DepositId, LeadId, PartnerId};
use crate::lead::{Customer, Lead, LeadStatus, LeadTerms, PartPlace, Source, named};
use crate::money::{Currency, decimal_text};
use crate::percent::Percent;
use crate::shaped;
use crate::text::{Line, Paragraph, Reference};
use crate::time::Timestamp;
use crate::top_up::Method;

fn is_false(flag: &bool) -> bool {
    !*flag
}

shaped! {
    /// A campaign, as `register_campaign` takes it, and whether a person has paused it.
    #[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
    #[serde(deny_unknown_fields)]
    pub struct OpeningCampaign {
        /// Its id.
        pub campaign: CampaignId,
        /// The commission policy; what is left out has DOMAIN.md's default.
        #[serde(default)]
        pub policy: PolicyTerms,
        /// Hours that a lead waits for validation; 72 where left out.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        pub validation_window_hours: Option<i64>,
        /// The least score that validates, 1..=10.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        pub minimum_quality: Option<i64>,
        /// Whether depletion pauses it; yes where left out.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        pub auto_stop: Option<bool>,
        /// What time alone does to a pending lead; it expires where left out.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        pub on_timeout: Option<OnTimeout>,
        /// A person has paused it.
        #[serde(default, skip_serializing_if = "is_false")]
        pub paused: bool,
    }
}

impl OpeningCampaign {
    /// A campaign with the defaults.
    pub fn new(campaign: CampaignId) -> Self {
        Self {
            campaign,
            policy: PolicyTerms::default(),
            validation_window_hours: None,
            minimum_quality: None,
            auto_stop: None,
            on_timeout: None,
            paused: false,
        }
    }
}

shaped! {
    /// A partner's terms, as `set_agreement` takes them.
    #[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
    #[serde(deny_unknown_fields)]
    pub struct OpeningAgreement {
        /// The partner.
        pub partner: PartnerId,
        /// Only for this campaign.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        pub campaign: Option<CampaignId>,
        /// The partner's percent of a commission.
        #[serde(with = "decimal_text")]
        pub share: Decimal,
        /// Days between validation and payable; 0 where left out.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        pub payout_delay_days: Option<i64>,
    }
}

named! {
    /// How a deposit comes in.
    OpeningStatus {
        /// It takes reservations.
        Active = "active",
        /// An operator has suspended it.
        Suspended = "suspended",
        /// Closed for good: without money, or with its money moved to another.
        Closed = "closed",
    }
}

shaped! {
    /// A deposit, in the order in which it was opened among those of the opening.
    #[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
    #[serde(deny_unknown_fields)]
    pub struct OpeningDeposit {
        /// Its id.
        pub deposit: DepositId,
        /// Only for this campaign.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        pub campaign: Option<CampaignId>,
        /// Money in it, never negative.
        #[serde(with = "decimal_text")]
        pub balance: Decimal,
        /// What the level is measured against: what its first payment left in it; the balance where left out.
        #[serde(default, with = "decimal_text::option", skip_serializing_if = "Option::is_none")]
        pub initial: Option<Decimal>,
        /// How it comes in.
        pub status: OpeningStatus,
        /// Of one that comes in closed: the open deposit that gets its balance, by postings of the same entry.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        pub moved_to: Option<DepositId>,
        /// How low it was last told to be; healthy where left out. What is lower now raises an alert with the opening.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        pub told: Option<Level>,
        /// Below this an automatic top-up is asked for; with `auto_amount`, or not at all.
        #[serde(default, with = "decimal_text::option", skip_serializing_if = "Option::is_none")]
        pub auto_threshold: Option<Decimal>,
        /// What to ask for.
        #[serde(default, with = "decimal_text::option", skip_serializing_if = "Option::is_none")]
        pub auto_amount: Option<Decimal>,
        /// When it was opened, a memo.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        pub opened_at: Option<Timestamp>,
    }
}

impl OpeningDeposit {
    /// An active merchant-wide deposit with `balance` in it.
    pub fn new(deposit: DepositId, balance: Decimal) -> Self {
        Self {
            deposit,
            campaign: None,
            balance,
            initial: None,
            status: OpeningStatus::Active,
            moved_to: None,
            told: None,
            auto_threshold: None,
            auto_amount: None,
            opened_at: None,
        }
    }
}

shaped! {
    /// A lead as it stands, in the order of creation among those of the opening. Its window, its minimum quality and what
    /// time does to it are its campaign's.
    #[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
    #[serde(deny_unknown_fields)]
    pub struct OpeningLead {
        /// Its id.
        pub lead: LeadId,
        /// The campaign.
        pub campaign: CampaignId,
        /// Who brought it.
        pub partner: PartnerId,
        /// The deposit that pays, or paid, for it.
        pub deposit: DepositId,
        /// Its estimated value.
        #[serde(with = "decimal_text")]
        pub value: Decimal,
        /// The commission.
        #[serde(with = "decimal_text")]
        pub commission: Decimal,
        /// The partner's part of it.
        #[serde(with = "decimal_text")]
        pub partner_part: Decimal,
        /// The rate, where the commission is a percentage; else it is a fixed amount.
        #[serde(default, with = "decimal_text::option", skip_serializing_if = "Option::is_none")]
        pub rate: Option<Decimal>,
        /// The partner's share that led to the part.
        #[serde(with = "decimal_text")]
        pub share: Decimal,
        /// Days between validation and payable; 0 where left out.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        pub payout_delay_days: Option<i64>,
        /// Where it came from; `other` where left out.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        pub source: Option<Source>,
        /// Where it stands. A pending one reserves its commission; what was captured is no longer in the deposit's balance.
        pub status: LeadStatus,
        /// When it was created.
        pub created_at: Timestamp,
        /// When it left `pending`, as far as that is known; none while it is pending.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        pub decided_at: Option<Timestamp>,
        /// When it became a sale, a memo.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        pub converted_at: Option<Timestamp>,
        /// The quality score, 1..=10.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        pub score: Option<i64>,
        /// Of a captured one: the partner's part is still owed, and comes in as held or payable. Otherwise nothing is owed.
        #[serde(default, skip_serializing_if = "is_false")]
        pub owed: bool,
        /// Personal data, kept apart and erasable.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        pub customer: Option<Customer>,
        /// A reference to the product, kept apart.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        pub product: Option<Line>,
        /// What the merchant said when validating, kept apart.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        pub feedback: Option<Paragraph>,
        /// Why it was rejected or reversed, kept apart.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        pub reason: Option<Paragraph>,
    }
}

impl OpeningLead {
    /// The fields that hold free text or personal data, taken out; none where there are none.
    fn take_texts(&mut self) -> Option<String> {
        let mut fields = Map::new();
        let mut put = |name: &str, value: Option<Value>| {
            if let Some(value) = value {
                fields.insert(name.to_owned(), value);
            }
        };
        let text = |text: Option<Paragraph>| text.map(|text| Value::from(text.as_str()));
        let customer = self.customer.take().map(serde_json::to_value);
        put("customer", customer.and_then(Result::ok));
        put("product", self.product.take().map(|product| Value::from(product.as_str())));
        put("feedback", text(self.feedback.take()));
        put("reason", text(self.reason.take()));
        (!fields.is_empty()).then(|| Value::Object(fields).to_string())
    }
}

named! {
    /// What a line of an old statement was.
    LineKind {
        /// The first payment.
        Initial = "initial",
        /// A later payment.
        Recharge = "recharge",
        /// The commission of a lead.
        Deduction = "deduction",
        /// A commission given back.
        Refund = "refund",
        /// A correction.
        Adjustment = "adjustment",
    }
}

shaped! {
    /// A line of an old statement: kept as it is, whether it adds up or not. It moves nothing.
    #[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
    #[serde(deny_unknown_fields)]
    pub struct OpeningLine {
        /// Its id.
        pub line: Uuid,
        /// Whose statement.
        pub deposit: DepositId,
        /// What it was.
        pub kind: LineKind,
        /// How much, negative for what went out.
        #[serde(with = "decimal_text")]
        pub amount: Decimal,
        /// The balance before it, as it was written.
        #[serde(with = "decimal_text")]
        pub before: Decimal,
        /// The balance after it, as it was written.
        #[serde(with = "decimal_text")]
        pub after: Decimal,
        /// When.
        pub at: Timestamp,
        /// The lead it was about.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        pub lead: Option<LeadId>,
        /// How it was paid.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        pub method: Option<Method>,
        /// The payment's reference.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        pub reference: Option<Reference>,
    }
}

/// What an opening says of a deposit. Amounts are minor units; its balance is in the postings.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ImportedDeposit {
    /// Its id.
    pub deposit: DepositId,
    /// Only for this campaign.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub campaign: Option<CampaignId>,
    /// The currency.
    pub currency: Currency,
    /// Its place among deposits: 0 for the last of the opening, less for those before.
    pub order: i64,
    /// How it came in.
    pub status: OpeningStatus,
    /// What it had: of one that is closed, what was moved.
    pub balance: i64,
    /// What the level is measured against.
    pub initial: i64,
    /// How low it was last told to be.
    pub told: Level,
    /// Where the balance went.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub moved_to: Option<DepositId>,
    /// The automatic top-up: below what, and how much.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub auto_top_up: Option<(i64, i64)>,
    /// When it was opened.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub opened_at: Option<Timestamp>,
}

impl ImportedDeposit {
    /// The row, before the opening's postings.
    pub(crate) fn row(&self) -> Deposit {
        Deposit {
            status: match self.status {
                OpeningStatus::Active => DepositStatus::Active,
                OpeningStatus::Suspended => DepositStatus::SuspendedByOperator,
                OpeningStatus::Closed => DepositStatus::Closed,
            },
            initial_minor: self.initial,
            topped_up_minor: self.initial,
            level: self.told,
            auto_top_up: self.auto_top_up.map(|(threshold_minor, amount_minor)| AutoTopUp {
                threshold_minor,
                amount_minor,
                requested: false,
            }),
            ..Deposit::opened(self.campaign, self.currency, self.order)
        }
    }
}

/// What an opening says of a lead. Amounts are minor units.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ImportedLead {
    /// Its id.
    pub lead: LeadId,
    /// Its place among leads: 0 for the last of the opening, less for those before.
    pub order: i64,
    /// The campaign.
    pub campaign: CampaignId,
    /// Who brought it.
    pub partner: PartnerId,
    /// The deposit that pays, or paid, for it.
    pub deposit: DepositId,
    /// The currency.
    pub currency: Currency,
    /// Where it came from.
    pub source: Source,
    /// Its estimated value.
    pub value: i64,
    /// The commission.
    pub commission: i64,
    /// The partner's part of it.
    pub part: i64,
    /// The version of the campaign's policy.
    pub policy: u32,
    /// None: a fixed amount.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rate: Option<Percent>,
    /// The partner's share.
    pub share: Percent,
    /// Days between validation and payable.
    pub delay_days: u32,
    /// The least score that validates it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub minimum_quality: Option<u8>,
    /// What time alone does to it.
    pub on_timeout: OnTimeout,
    /// How long it waits for validation.
    pub window_hours: u32,
    /// Where it stands.
    pub status: LeadStatus,
    /// When it was created.
    pub created_at: Timestamp,
    /// The local day of that.
    pub created_day: NaiveDate,
    /// The local day on which it left `pending`, as far as that is known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub decided_day: Option<NaiveDate>,
    /// When it left `pending`, as far as that is known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub decided_at: Option<Timestamp>,
    /// When it became a sale.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub converted_at: Option<Timestamp>,
    /// The quality score.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub score: Option<u8>,
    /// Where the partner's part is. Of what is no longer owed it is `payable` too: from there a reversal takes it back.
    pub place: PartPlace,
    /// When a held part becomes payable.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub matures_at: Option<Timestamp>,
    /// The salted digest of its private fields, 32 hexadecimal digits.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub private: Option<String>,
}

impl ImportedLead {
    pub(crate) fn row(&self) -> Lead {
        Lead {
            campaign: self.campaign,
            partner: self.partner,
            deposit: self.deposit,
            currency: self.currency,
            source: self.source,
            value_minor: self.value,
            commission_minor: self.commission,
            partner_minor: self.part,
            terms: LeadTerms {
                policy_version: self.policy,
                rate: self.rate,
                share: self.share,
                payout_delay_days: self.delay_days,
                minimum_quality: self.minimum_quality,
                on_timeout: self.on_timeout,
                window_hours: self.window_hours,
            },
            status: self.status,
            created_at: self.created_at,
            decided_at: self.decided_at,
            score: self.score,
            part: self.place,
            matures_at: self.matures_at,
            created_seq: self.order,
        }
    }

    /// The digest of its private fields, where it came with some.
    pub(crate) fn digest(&self) -> Option<[u8; 16]> {
        self.private.as_deref().and_then(unhex)
    }
}

/// A line of an old statement, amounts in minor units.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ImportedLine {
    /// Its id.
    pub line: Uuid,
    /// Whose statement.
    pub deposit: DepositId,
    /// What it was.
    pub kind: LineKind,
    /// How much, negative for what went out.
    pub amount: i64,
    /// The balance before it, as it was written.
    pub before: i64,
    /// The balance after it, as it was written.
    pub after: i64,
    /// When.
    pub at: Timestamp,
    /// The lead it was about.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub lead: Option<LeadId>,
    /// How it was paid.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub method: Option<Method>,
    /// The payment's reference.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reference: Option<Reference>,
}

impl Book {
    /// A deposit as it comes in, before the opening's postings.
    pub(crate) fn fold_imported_deposit(&mut self, imported: &ImportedDeposit) {
        self.deposits.put(imported.deposit, imported.row());
        self.count_brought_in(imported.currency, imported.balance);
    }

    /// A lead as it comes in; none where it does not fit its deposit.
    pub(crate) fn fold_imported_lead(&mut self, imported: &ImportedLead) -> Option<()> {
        let row = imported.row();
        let deposit = self.deposits.get(&row.deposit)?;
        if row.status == LeadStatus::Pending {
            let reserved = deposit.reserved_minor.checked_add(row.commission_minor)?;
            let reserved = Some(reserved).filter(|reserved| *reserved <= deposit.balance_minor)?;
            self.deposits.change(&row.deposit)?.reserved_minor = reserved;
        }
        self.count_imported(&row, imported.created_day, imported.decided_day)?;
        self.put_lead(imported.lead, row);
        Some(())
    }
}

/// The private fields of a lead that comes in, and the salt for their digest.
#[derive(Clone, Debug)]
pub(crate) struct LeadSecret {
    lead: LeadId,
    salt: [u8; 16],
    text: String,
}

impl OpenBook {
    /// Takes the leads' private fields out, each with a random salt.
    pub(crate) fn take_secrets(&mut self) -> Vec<LeadSecret> {
        let secret = |lead: &mut OpeningLead| {
            let text = lead.take_texts()?;
            Some(LeadSecret { lead: lead.lead, salt: Uuid::new_v4().into_bytes(), text })
        };
        self.leads.iter_mut().filter_map(secret).collect()
    }
}

/// Binds each lead's private fields to its fact, and gives what goes beside the journal.
pub(crate) fn bind(entry: &mut Entry, secrets: &[LeadSecret]) -> Vec<Private> {
    let mut left = secrets.iter().peekable();
    let mut private = Vec::with_capacity(secrets.len());
    // Facts and secrets are in the order of the command's leads.
    for fact in &mut entry.facts {
        if let Fact::LeadImported(imported) = fact
            && let Some(secret) = left.next_if(|secret| secret.lead == imported.lead)
        {
            imported.private = Some(hex(&short_hash(&secret.salt, &secret.text)));
            let (seq, lead) = (entry.seq, Some(secret.lead));
            private.push(Private { seq, lead, salt: secret.salt, text: secret.text.clone() });
        }
    }
    private
}
