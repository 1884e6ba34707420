//! What reads give: the books as people and programs look at them, amounts as decimals of their currency.

use std::collections::BTreeMap;

use rust_decimal::Decimal;
use serde::Serialize;
use serde_json::{Map, Value, json};

use crate::account::{Account, PartnerAccounts};
use crate::agreement::Agreement;
use crate::alert::Level;
use crate::book::Book;
use crate::campaign::{Campaign, CampaignSettings, CampaignStatus};
use crate::deposit::{Basis, Deposit, DepositStatus, ReferenceKind};
use crate::entry::{Entry, Fact, Kind};
use crate::ids::{CampaignId, DepositId, LeadId, PartnerId, PayoutId, TopUpId};
use crate::lead::{Customer, Lead, LeadStatus, ReviewPriority, review_priority};
use crate::money::{Currency, to_decimal};
use crate::payout::Payout;
use crate::shaped;
use crate::store::Cursor;
use crate::text::{Line, Paragraph};
use crate::time::Timestamp;
use crate::top_up::TopUp;

shaped! {
    /// A deposit.
    #[derive(Clone, Debug, PartialEq, Eq, Serialize)]
    pub struct DepositView {
        /// Its id.
        pub id: DepositId,
        /// The campaign it is for; none: all that have no own.
        pub campaign: Option<CampaignId>,
        /// The currency of all amounts here.
        pub currency: Currency,
        /// Money in it.
        pub balance: Decimal,
        /// The part that pending leads hold.
        pub reserved: Decimal,
        /// The rest.
        pub available: Decimal,
        /// How low it is; none when closed.
        pub level: Option<Level>,
        /// What the level is measured on.
        pub basis: Basis,
        /// What kind of reference it is measured against.
        pub reference_kind: ReferenceKind,
        /// That reference.
        pub reference: Decimal,
        /// Whether it takes reservations.
        pub status: DepositStatus,
    }
}

impl DepositView {
    pub(crate) fn of(id: DepositId, deposit: &Deposit) -> Self {
        let money = |minor| to_decimal(minor, deposit.currency);
        Self {
            id,
            campaign: deposit.campaign,
            currency: deposit.currency,
            balance: money(deposit.balance_minor),
            reserved: money(deposit.reserved_minor),
            available: money(deposit.available_minor()),
            level: deposit.measured_level(),
            basis: deposit.basis,
            reference_kind: deposit.reference,
            reference: money(deposit.reference_minor()),
            status: deposit.status,
        }
    }
}

/// A lead.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LeadView {
    /// Its id.
    pub id: LeadId,
    /// The row, amounts in minor units.
    pub lead: Lead,
    /// Its estimated value.
    pub value: Decimal,
    /// The commission.
    pub commission: Decimal,
    /// The partner's part.
    pub partner_part: Decimal,
    /// The platform's part.
    pub platform_part: Decimal,
    /// How urgent it is, while it is pending.
    pub review_priority: Option<ReviewPriority>,
}

impl LeadView {
    pub(crate) fn of(id: LeadId, lead: Lead, now: Timestamp) -> Self {
        let money = |minor| to_decimal(minor, lead.currency);
        Self {
            id,
            lead,
            value: money(lead.value_minor),
            commission: money(lead.commission_minor),
            partner_part: money(lead.partner_minor),
            platform_part: money(lead.platform_minor()),
            review_priority: (lead.status == LeadStatus::Pending)
                .then(|| review_priority(lead.expires_at().since(now))),
        }
    }
}

shaped! {
    /// A partner's earnings with one merchant, in one currency.
    #[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
    pub struct PartnerView {
        /// The currency.
        pub currency: Currency,
        /// Captured, before the payout delay.
        pub held: Decimal,
        /// After it; negative where the partner owes.
        pub payable: Decimal,
        /// On its way out.
        pub in_payout: Decimal,
        /// Ever paid out.
        pub paid: Decimal,
    }
}

/// A campaign.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CampaignView {
    /// Its id.
    pub id: CampaignId,
    /// Its terms now.
    pub settings: CampaignSettings,
    /// Whether it takes leads, and who said that it does not.
    pub status: CampaignStatus,
}

impl CampaignView {
    pub(crate) fn of(id: CampaignId, campaign: &Campaign) -> Self {
        Self { id, settings: campaign.settings, status: campaign.status }
    }
}

shaped! {
    /// One movement of a deposit.
    #[derive(Clone, Debug, PartialEq, Eq, Serialize)]
    pub struct StatementLine {
        /// The entry.
        pub seq: u64,
        /// When.
        pub at: Timestamp,
        /// What: the entry's kind.
        pub kind: Kind,
        /// The lead concerned, if any.
        pub lead: Option<LeadId>,
        /// How much, up positive.
        pub amount: Decimal,
        /// The balance after it.
        pub balance_after: Decimal,
    }
}

impl StatementLine {
    /// What an entry moved of a deposit, up positive; 0 where nothing.
    pub(crate) fn moved_minor(entry: &Entry, deposit: DepositId) -> i64 {
        let moved = entry.lines().iter().filter(|(account, _)| *account == Account::Deposit(deposit));
        moved.fold(0_i64, |sum, (_, amount)| sum.saturating_sub(*amount))
    }

    /// Of an entry that moved so much, and left so much.
    pub(crate) fn of(entry: &Entry, moved_minor: i64, balance_minor: i64, currency: Currency) -> Self {
        Self {
            seq: entry.seq,
            at: entry.at,
            kind: entry.kind,
            lead: entry.facts.iter().find_map(lead_of),
            amount: to_decimal(moved_minor, currency),
            balance_after: to_decimal(balance_minor, currency),
        }
    }
}

/// The lead that a fact is about, where it moves money.
fn lead_of(fact: &Fact) -> Option<LeadId> {
    match fact {
        Fact::LeadValidated { lead, .. } | Fact::LeadReversed { lead, .. } => Some(*lead),
        _ => None,
    }
}

shaped! {
    /// A page of a deposit's statement, newest first.
    #[derive(Clone, Debug, PartialEq, Eq, Serialize)]
    pub struct Statement {
        /// The movements.
        pub lines: Vec<StatementLine>,
        /// Where the next page begins; none after the last.
        pub next: Option<Cursor>,
    }

    /// Personal data and free text of a lead, as far as they are not erased.
    #[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
    pub struct LeadTexts {
        /// The customer.
        pub customer: Option<Customer>,
        /// The product's reference.
        pub product: Option<Line>,
        /// What the merchant said when validating.
        pub feedback: Option<Paragraph>,
        /// Why it was rejected or reversed; the last one given.
        pub reason: Option<Paragraph>,
    }

    /// The platform's accounts in one book and currency, in the sense in which people read them (income positive).
    #[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
    pub struct PlatformView {
        /// Commission earned.
        pub commission: Decimal,
        /// Written off.
        pub losses: Decimal,
        /// Given to merchants by correction.
        pub adjustments: Decimal,
        /// Owed by the merchant.
        pub receivable: Decimal,
    }

    /// Missed leads in one book and currency.
    #[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
    pub struct MissedView {
        /// How many.
        pub leads: u64,
        /// What they would have cost.
        pub commission: Decimal,
    }
}

/// One merchant's whole book.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct BookView {
    /// How many entries its journal has.
    pub entries: u64,
    /// Deposits, closed ones too.
    pub deposits: BTreeMap<DepositId, DepositView>,
    /// Leads.
    pub leads: BTreeMap<LeadId, Lead>,
    /// Campaigns.
    pub campaigns: BTreeMap<CampaignId, CampaignView>,
    /// Partners' terms.
    pub agreements: BTreeMap<(PartnerId, Option<CampaignId>), Agreement>,
    /// Partners' earnings.
    pub partners: BTreeMap<(PartnerId, Currency), PartnerView>,
    /// Top-ups.
    pub top_ups: BTreeMap<TopUpId, TopUp>,
    /// Payouts.
    pub payouts: BTreeMap<PayoutId, Payout>,
    /// The platform's accounts.
    pub platform: BTreeMap<Currency, PlatformView>,
    /// Missed leads.
    pub missed: BTreeMap<Currency, MissedView>,
}

impl BookView {
    pub(crate) fn of(book: &Book) -> Self {
        let mut view = Self {
            entries: book.head.seq,
            deposits: book.deposits.iter().map(|(id, row)| (*id, DepositView::of(*id, row))).collect(),
            leads: book.leads.iter().map(|(id, row)| (*id, *row)).collect(),
            campaigns: book.campaigns.iter().map(|(id, row)| (*id, CampaignView::of(*id, row))).collect(),
            agreements: book.agreements.iter().map(|(id, row)| (*id, *row)).collect(),
            partners: earning(book).map(|(id, row)| (*id, partner_view(row, id.1))).collect(),
            top_ups: book.top_ups.iter().map(|(id, row)| (*id, row.clone())).collect(),
            payouts: book.payouts.iter().map(|(id, row)| (*id, *row)).collect(),
            platform: BTreeMap::new(),
            missed: BTreeMap::new(),
        };
        for (currency, accounts) in book.platform.iter() {
            let money = |minor| to_decimal(minor, *currency);
            let platform = PlatformView {
                commission: money(accounts.commission_minor.saturating_neg()),
                losses: money(accounts.losses_minor),
                adjustments: money(accounts.adjustments_minor),
                receivable: money(accounts.receivable_minor),
            };
            view.platform.insert(*currency, platform);
        }
        let mut missed: BTreeMap<Currency, (u64, i64)> = BTreeMap::new();
        for (_, row) in book.missed.iter() {
            let (leads, commission) = missed.entry(row.currency).or_default();
            *leads = leads.saturating_add(1);
            *commission = commission.saturating_add(row.commission_minor);
        }
        view.missed = missed
            .into_iter()
            .map(|(currency, (leads, commission))| {
                (currency, MissedView { leads, commission: to_decimal(commission, currency) })
            })
            .collect();
        view
    }

    /// The book in the shape that the scenario files call `final`, with the accounts of one currency.
    pub fn to_json(&self, currency: Currency) -> Value {
        let money = |amount: Decimal| {
            let mut amount = amount;
            amount.rescale(currency.decimals());
            json!(amount.to_string())
        };
        let named = |rows: Vec<(String, Value)>| Value::Object(rows.into_iter().collect::<Map<_, _>>());
        let deposits = self.deposits.values().map(|row| {
            let view = json!({
                "balance": row.balance.to_string(),
                "reserved": row.reserved.to_string(),
                "available": row.available.to_string(),
                "level": row.level.map(Level::name),
                "status": row.status.name(),
            });
            (row.id.to_string(), view)
        });
        let partners = self.partners.iter().filter(|((_, of), _)| *of == currency).map(|((id, _), row)| {
            let view = json!({
                "held": row.held.to_string(),
                "payable": row.payable.to_string(),
                "in_payout": row.in_payout.to_string(),
                "paid": row.paid.to_string(),
            });
            (id.to_string(), view)
        });
        let platform = self.platform.get(&currency).copied().unwrap_or_default();
        let missed = self.missed.get(&currency).copied().unwrap_or_default();
        json!({
            "deposits": named(deposits.collect()),
            "leads": named(self.leads.iter().map(|(id, row)| (id.to_string(), json!(row.status.name()))).collect()),
            "campaigns": named(
                self.campaigns.values().map(|row| (row.id.to_string(), json!(row.status.name()))).collect()
            ),
            "partners": named(partners.collect()),
            "top_ups": named(self.top_ups.iter().map(|(id, row)| (id.to_string(), json!(row.status.name()))).collect()),
            "platform": {
                "commission": money(platform.commission),
                "losses": money(platform.losses),
                "adjustments": money(platform.adjustments),
                "receivable": money(platform.receivable),
            },
            "missed": { "leads": missed.leads, "commission": money(missed.commission) },
        })
    }
}

/// Partners show from their first captured lead.
fn earning(book: &Book) -> impl Iterator<Item = (&(PartnerId, Currency), &PartnerAccounts)> {
    book.partners.iter().filter(|(_, row)| row.has_earned())
}

pub(crate) fn partner_view(row: &PartnerAccounts, currency: Currency) -> PartnerView {
    let money = |minor| to_decimal(minor, currency);
    PartnerView {
        currency,
        held: money(row.held_minor),
        payable: money(row.payable_minor),
        in_payout: money(row.in_payout_minor),
        paid: money(row.paid_minor),
    }
}
