//! What an accepted command answers: read from its entry, so that a repeated command gives the first one's answer.

use rust_decimal::Decimal;
use serde::{Serialize, Serializer};
use serde_json::{Map, Value, json};

use crate::account::{Account, Postings};
use crate::commission::CommissionKind;
use crate::entry::{Entry, Fact, Kind};
use crate::ids::{CampaignId, DepositId, LeadId, PayoutId, TopUpId};
use crate::money::{Currency, to_decimal};
use crate::shaped;
use crate::time::Timestamp;
use crate::top_up::ReceiptNumber;

/// An answer that an entry gives.
pub trait Answer: Sized + Send + Serialize + 'static {
    /// Reads it from the entry of the command that it answers; none for the entry of another command.
    fn of(entry: &Entry) -> Option<Self>;
}

impl Answer for () {
    fn of(_: &Entry) -> Option<Self> {
        Some(())
    }
}

macro_rules! id_answers {
    ($($id:ty: $($variant:ident.$field:ident)|+),* $(,)?) => {$(
        impl Answer for $id {
            fn of(entry: &Entry) -> Option<Self> {
                entry.facts.iter().find_map(|fact| match fact {
                    $( Fact::$variant { $field, .. } => Some(*$field), )+
                    _ => None,
                })
            }
        }
    )*};
}

id_answers! {
    CampaignId: CampaignRegistered.campaign,
    DepositId: DisputeWon.deposit | DepositOpened.deposit,
    TopUpId: TopUpBegun.top_up,
    PayoutId: PayoutRequested.payout,
}

shaped! {
    /// A lead was recorded.
    #[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
    pub struct LeadCreated {
        /// Its id.
        pub lead: LeadId,
        /// The deposit that holds its reservation.
        pub deposit: DepositId,
        /// How the commission was found.
        pub kind: CommissionKind,
        /// The whole commission, in the campaign's currency.
        pub commission: Decimal,
        /// The partner's part.
        pub partner_part: Decimal,
        /// The platform's part: the rest.
        pub platform_part: Decimal,
        /// When time alone decides on it.
        pub expires_at: Timestamp,
    }
}

impl Answer for LeadCreated {
    fn of(entry: &Entry) -> Option<Self> {
        entry.facts.iter().find_map(|fact| match fact {
            Fact::LeadCreated { lead, deposit, rate, commission, part, window_hours, currency, .. } => Some(Self {
                lead: *lead,
                deposit: *deposit,
                kind: CommissionKind::of(*rate),
                commission: to_decimal(*commission, *currency),
                partner_part: to_decimal(*part, *currency),
                platform_part: to_decimal(commission.saturating_sub(*part), *currency),
                expires_at: entry.at.plus_hours(*window_hours),
            }),
            _ => None,
        })
    }
}

shaped! {
    /// A payment was credited.
    #[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
    pub struct TopUpSucceeded {
        /// The deposit that was credited, or opened.
        pub deposit: DepositId,
        /// The receipt's number.
        #[serde(serialize_with = "as_text")]
        pub receipt: ReceiptNumber,
    }
}

impl Answer for TopUpSucceeded {
    fn of(entry: &Entry) -> Option<Self> {
        entry.facts.iter().find_map(|fact| match fact {
            Fact::TopUpSucceeded { deposit, receipt, .. } => Some(Self { deposit: *deposit, receipt: *receipt }),
            _ => None,
        })
    }
}

shaped! {
    /// A deposit was closed.
    #[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
    pub struct DepositClosed {
        /// What the debt left of its money.
        pub paid_back: Decimal,
    }
}

impl Answer for DepositClosed {
    fn of(entry: &Entry) -> Option<Self> {
        entry.facts.iter().find_map(|fact| match fact {
            Fact::DepositClosed { paid_back, currency, .. } => {
                Some(Self { paid_back: to_decimal(*paid_back, *currency) })
            }
            _ => None,
        })
    }
}

shaped! {
    /// A debt became a loss.
    #[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
    pub struct WrittenOff {
        /// How much.
        pub written_off: Decimal,
    }
}

impl Answer for WrittenOff {
    fn of(entry: &Entry) -> Option<Self> {
        entry.facts.iter().find_map(|fact| match fact {
            Fact::WrittenOff { amount, currency, .. } => Some(Self { written_off: to_decimal(*amount, *currency) }),
            _ => None,
        })
    }
}

shaped! {
    /// What was due and was settled, counted in leads.
    #[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
    pub struct DueSettled {
        /// Leads that expired.
        pub expired: u64,
        /// Leads that were accepted by timeout.
        pub accepted: u64,
        /// Leads whose held part became payable.
        pub matured: u64,
    }
}

impl Answer for DueSettled {
    fn of(entry: &Entry) -> Option<Self> {
        entry.facts.iter().find_map(|fact| match fact {
            Fact::DueSettled { expired, accepted, matured } => {
                Some(Self { expired: *expired, accepted: *accepted, matured: *matured })
            }
            _ => None,
        })
    }
}

shaped! {
    /// How much came in with an opening.
    #[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
    pub struct BookOpened {
        /// Campaigns.
        pub campaigns: u64,
        /// Partners' terms.
        pub agreements: u64,
        /// Deposits.
        pub deposits: u64,
        /// Leads.
        pub leads: u64,
        /// Lines of old statements.
        pub lines: u64,
        /// All balances and all that is owed to partners: what `payments:opening` stands for.
        pub brought_in: Decimal,
    }
}

impl Answer for BookOpened {
    fn of(entry: &Entry) -> Option<Self> {
        if entry.kind != Kind::OPEN_BOOK {
            return None;
        }
        let mut opened = Self::default();
        for fact in &entry.facts {
            let count = match fact {
                Fact::CampaignRegistered { .. } => &mut opened.campaigns,
                Fact::AgreementSet { .. } => &mut opened.agreements,
                Fact::DepositImported(_) => &mut opened.deposits,
                Fact::LeadImported(_) => &mut opened.leads,
                Fact::LineKept(_) => &mut opened.lines,
                _ => continue,
            };
            *count = count.saturating_add(1);
        }
        let currency = entry.postings.as_ref().map_or(Currency::MAD, Postings::currency);
        let sides = entry.lines().iter().filter(|(account, _)| *account == Account::Opening);
        let sum = sides.fold(0_i64, |sum, (_, amount)| sum.saturating_add(*amount));
        opened.brought_in = to_decimal(sum, currency);
        Some(opened)
    }
}

pub(crate) fn as_text<T: std::fmt::Display, S: Serializer>(value: &T, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_str(value)
}

/// The answer of any command as JSON fields, amounts as strings: what the vectors call `ok`.
pub fn answer_fields(entry: &Entry) -> Map<String, Value> {
    let mut fields = Map::new();
    let mut put = |name: &str, value: Value| _ = fields.insert(name.to_owned(), value);
    let money = |minor: i64, currency: Currency| json!(to_decimal(minor, currency).to_string());
    if let Some(opened) = BookOpened::of(entry) {
        put("campaigns", json!(opened.campaigns));
        put("agreements", json!(opened.agreements));
        put("deposits", json!(opened.deposits));
        put("leads", json!(opened.leads));
        put("lines", json!(opened.lines));
        put("brought_in", json!(opened.brought_in.to_string()));
        return fields;
    }
    for fact in &entry.facts {
        match fact {
            Fact::LeadCreated { lead, rate, commission, part, currency, window_hours, .. } => {
                put("lead", json!(lead));
                put("type", json!(CommissionKind::of(*rate).name()));
                put("commission", money(*commission, *currency));
                put("partner_part", money(*part, *currency));
                put("platform_part", money(commission.saturating_sub(*part), *currency));
                put("expires_at", json!(entry.at.plus_hours(*window_hours)));
            }
            Fact::CampaignRegistered { campaign, .. } => put("campaign", json!(campaign)),
            Fact::DepositOpened { deposit, .. } | Fact::DisputeWon { deposit, .. } => put("deposit", json!(deposit)),
            Fact::DepositClosed { paid_back, currency, .. } => put("paid_back", money(*paid_back, *currency)),
            Fact::WrittenOff { amount, currency, .. } => put("written_off", money(*amount, *currency)),
            Fact::DueSettled { expired, accepted, matured } => {
                put("expired", json!(expired));
                put("accepted", json!(accepted));
                put("matured", json!(matured));
            }
            Fact::TopUpBegun { top_up, .. } => put("top_up", json!(top_up)),
            Fact::TopUpSucceeded { deposit, receipt, .. } => {
                put("deposit", json!(deposit));
                put("receipt", json!(receipt.to_string()));
            }
            Fact::PayoutRequested { payout, .. } => put("payout", json!(payout)),
            _ => {}
        }
    }
    fields
}
