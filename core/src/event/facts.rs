//! From an entry to what it says: one body for each fact, with what the postings add.

use rust_decimal::Decimal;

use crate::account::{Account, Posting};
use crate::alert::channels_for;
use crate::campaign::CampaignSettings;
use crate::entry::{Entry, Fact, Kind};
use crate::event::EventBody;
use crate::ids::{CampaignId, DepositId, PartnerId};
use crate::money::{Currency, to_decimal};

/// What an entry says, in order. A correction has no fact of its own: its postings say it all.
pub(super) fn bodies(entry: &Entry) -> Vec<EventBody> {
    let mut bodies = Vec::with_capacity(entry.facts.len());
    if entry.kind.name() == "adjust_deposit" {
        bodies.extend(adjusted(entry));
    }
    bodies.extend(entry.facts.iter().map(|fact| body(entry, fact)));
    bodies
}

/// What an operator's correction did.
fn adjusted(entry: &Entry) -> Option<EventBody> {
    let (deposit, amount) = moved(entry, |account| match account {
        Account::Deposit(deposit) => Some(deposit),
        _ => None,
    })?;
    let currency = currency_of(entry);
    Some(EventBody::DepositAdjusted { deposit, currency, amount: to_decimal(amount.saturating_neg(), currency) })
}

/// The currency of an entry's postings.
fn currency_of(entry: &Entry) -> Currency {
    entry.postings.as_ref().map_or(Currency::MAD, crate::account::Postings::currency)
}

/// The first posting to an account of some sort: whose it is, and the amount (debit positive).
fn moved<T>(entry: &Entry, of: impl Fn(Account) -> Option<T>) -> Option<(T, i64)> {
    entry.lines().iter().find_map(|(account, amount): &Posting| Some((of(*account)?, *amount)))
}

/// The partner's account of some sort that an entry moved.
fn partner_in(entry: &Entry, of: impl Fn(Account) -> Option<PartnerId>) -> (Option<PartnerId>, i64) {
    moved(entry, of).map_or((None, 0), |(partner, amount)| (Some(partner), amount.saturating_abs()))
}

/// What a capture took, or a reversal gave back.
struct Captured {
    deposit: Option<DepositId>,
    partner: Option<PartnerId>,
    commission: Decimal,
    partner_part: Decimal,
    platform_part: Decimal,
}

impl Captured {
    fn of(entry: &Entry, currency: Currency) -> Self {
        let from = moved(entry, |account| match account {
            Account::Deposit(deposit) => Some(deposit),
            _ => None,
        });
        let (partner, part) = partner_in(entry, |account| match account {
            Account::Held(partner) | Account::Payable(partner) => Some(partner),
            _ => None,
        });
        let platform = moved(entry, |account| (account == Account::Commission).then_some(()));
        let money = |minor: i64| to_decimal(minor.saturating_abs(), currency);
        Self {
            deposit: from.map(|(deposit, _)| deposit),
            partner,
            commission: money(from.map_or(0, |(_, amount)| amount)),
            partner_part: money(part),
            platform_part: money(platform.map_or(0, |((), amount)| amount)),
        }
    }
}

/// A payout's partner and amount: it moves both ways through one account.
fn paid_out(entry: &Entry, currency: Currency) -> (Option<PartnerId>, Decimal) {
    let (partner, amount) = partner_in(entry, |account| match account {
        Account::InPayout(partner) => Some(partner),
        _ => None,
    });
    (partner, to_decimal(amount, currency))
}

fn body(entry: &Entry, fact: &Fact) -> EventBody {
    let posted = currency_of(entry);
    match fact {
        Fact::CampaignRegistered { campaign, settings } => registered(*campaign, settings),
        Fact::CampaignUpdated { campaign, settings } => updated(*campaign, settings),
        Fact::CampaignPaused { campaign, by } => EventBody::CampaignPaused { campaign: *campaign, by: *by },
        Fact::CampaignResumed { campaign, by } => EventBody::CampaignResumed { campaign: *campaign, by: *by },
        Fact::AgreementSet { partner, campaign, share, payout_delay_days } => EventBody::AgreementSet {
            partner: *partner,
            campaign: *campaign,
            share: *share,
            payout_delay_days: *payout_delay_days,
        },
        Fact::DepositOpened { deposit, campaign, currency } => {
            EventBody::DepositOpened { deposit: *deposit, campaign: *campaign, currency: *currency }
        }
        Fact::PaidIn { deposit, amount, credited, method, reference } => EventBody::PaymentReceived {
            deposit: *deposit,
            currency: posted,
            amount: to_decimal(*amount, posted),
            credited: to_decimal(*credited, posted),
            method: *method,
            reference: reference.clone(),
        },
        Fact::DepositSuspended { deposit, by } => EventBody::DepositSuspended { deposit: *deposit, by: *by },
        Fact::DepositResumed { deposit, by } => EventBody::DepositResumed { deposit: *deposit, by: *by },
        Fact::DepositClosed { deposit, currency, paid_back, method, reference } => EventBody::DepositClosed {
            deposit: *deposit,
            currency: *currency,
            paid_back: to_decimal(*paid_back, *currency),
            method: *method,
            reference: reference.clone(),
        },
        Fact::AlertSettingsSet { deposit, basis, reference } => {
            EventBody::AlertSettingsSet { deposit: *deposit, basis: *basis, reference_kind: *reference }
        }
        Fact::AutoTopUpSet { deposit, currency, threshold, amount } => EventBody::AutoTopUpSet {
            deposit: *deposit,
            currency: *currency,
            threshold: threshold.map(|threshold| to_decimal(threshold, *currency)),
            amount: amount.map(|amount| to_decimal(amount, *currency)),
        },
        Fact::AutoTopUpRequested { deposit, currency, amount } => EventBody::AutoTopUpRequested {
            deposit: *deposit,
            currency: *currency,
            amount: to_decimal(*amount, *currency),
        },
        Fact::AlertRaised { deposit, level, currency, balance, available, reference } => EventBody::AlertRaised {
            deposit: *deposit,
            level: *level,
            priority: level.priority(),
            colour: level.colour().to_owned(),
            label: level.label_fr().to_owned(),
            channels: channels_for(*level).to_vec(),
            currency: *currency,
            balance: to_decimal(*balance, *currency),
            available: to_decimal(*available, *currency),
            reference: to_decimal(*reference, *currency),
        },
        Fact::AlertCleared { deposit, level } => EventBody::AlertCleared { deposit: *deposit, level: *level },
        Fact::LeadCreated {
            lead,
            campaign,
            partner,
            deposit,
            source,
            currency,
            value,
            commission,
            part,
            window_hours,
            ..
        } => EventBody::LeadCreated {
            lead: *lead,
            campaign: *campaign,
            partner: *partner,
            deposit: *deposit,
            source: *source,
            currency: *currency,
            value: to_decimal(*value, *currency),
            commission: to_decimal(*commission, *currency),
            partner_part: to_decimal(*part, *currency),
            platform_part: to_decimal(commission.saturating_sub(*part), *currency),
            expires_at: entry.at.plus_hours(*window_hours),
        },
        Fact::LeadValidated { lead, currency, score } => {
            let Captured { deposit, partner, commission, partner_part, platform_part } = Captured::of(entry, *currency);
            EventBody::LeadValidated {
                lead: *lead,
                accepted: entry.kind == Kind::LEAD_ACCEPTED,
                score: *score,
                deposit,
                partner,
                currency: *currency,
                commission,
                partner_part,
                platform_part,
            }
        }
        Fact::LeadRejected { lead } => EventBody::LeadRejected { lead: *lead },
        Fact::LeadExpired { lead } => EventBody::LeadExpired { lead: *lead },
        Fact::LeadConverted { lead } => EventBody::LeadConverted { lead: *lead },
        Fact::LeadLost { lead } => EventBody::LeadLost { lead: *lead },
        Fact::LeadReversed { lead, currency } => {
            let Captured { deposit, partner, commission, partner_part, platform_part } = Captured::of(entry, *currency);
            EventBody::LeadReversed {
                lead: *lead,
                deposit,
                partner,
                currency: *currency,
                commission,
                partner_part,
                platform_part,
            }
        }
        Fact::PartMatured { lead, currency } => {
            let (partner, amount) = partner_in(entry, |account| match account {
                Account::Held(partner) => Some(partner),
                _ => None,
            });
            EventBody::PartMatured { lead: *lead, partner, currency: *currency, amount: to_decimal(amount, *currency) }
        }
        Fact::CustomerErased { lead } => EventBody::CustomerErased { lead: *lead },
        Fact::TopUpBegun { top_up, campaign, currency, amount, method } => EventBody::TopUpBegun {
            top_up: *top_up,
            campaign: *campaign,
            currency: *currency,
            amount: to_decimal(*amount, *currency),
            method: *method,
        },
        Fact::ReferenceAttached { top_up, reference } => {
            EventBody::ReferenceAttached { top_up: *top_up, reference: reference.clone() }
        }
        Fact::TopUpSucceeded { top_up, reference, received, deposit, receipt } => EventBody::TopUpSucceeded {
            top_up: *top_up,
            deposit: *deposit,
            currency: posted,
            received: to_decimal(*received, posted),
            reference: reference.clone(),
            receipt: *receipt,
        },
        Fact::TopUpFailed { top_up } => EventBody::TopUpFailed { top_up: *top_up },
        Fact::TopUpCancelled { top_up } => EventBody::TopUpCancelled { top_up: *top_up },
        Fact::TopUpRefunded { top_up, amount } => {
            EventBody::TopUpRefunded { top_up: *top_up, currency: posted, amount: to_decimal(*amount, posted) }
        }
        Fact::TopUpDisputed { top_up, amount } => {
            EventBody::TopUpDisputed { top_up: *top_up, currency: posted, amount: to_decimal(*amount, posted) }
        }
        Fact::DisputeWon { top_up, deposit } => EventBody::DisputeWon { top_up: *top_up, deposit: *deposit },
        Fact::DisputeLost { top_up } => EventBody::DisputeLost { top_up: *top_up },
        Fact::WrittenOff { partner, currency, amount } => {
            EventBody::WrittenOff { partner: *partner, currency: *currency, amount: to_decimal(*amount, *currency) }
        }
        Fact::PayoutRequested { payout, partner, currency, amount } => EventBody::PayoutRequested {
            payout: *payout,
            partner: *partner,
            currency: *currency,
            amount: to_decimal(*amount, *currency),
        },
        Fact::PayoutSettled { payout, method, reference } => {
            let (partner, amount) = paid_out(entry, posted);
            EventBody::PayoutSettled {
                payout: *payout,
                partner,
                currency: posted,
                amount,
                method: *method,
                reference: reference.clone(),
            }
        }
        Fact::PayoutCancelled { payout } => {
            let (partner, amount) = paid_out(entry, posted);
            EventBody::PayoutCancelled { payout: *payout, partner, currency: posted, amount }
        }
        Fact::DepositImported(came) => EventBody::DepositImported {
            deposit: came.deposit,
            campaign: came.campaign,
            currency: came.currency,
            balance: to_decimal(came.balance, came.currency),
            status: came.status,
        },
        Fact::LeadImported(came) => EventBody::LeadImported {
            lead: came.lead,
            campaign: came.campaign,
            partner: came.partner,
            deposit: came.deposit,
            source: came.source,
            currency: came.currency,
            value: to_decimal(came.value, came.currency),
            commission: to_decimal(came.commission, came.currency),
            partner_part: to_decimal(came.part, came.currency),
            status: came.status,
            created_at: came.created_at,
        },
        Fact::LineKept(line) => EventBody::LineKept { deposit: line.deposit, lead: line.lead, line_at: line.at },
        Fact::DueSettled { expired, accepted, matured } => {
            EventBody::DueSettled { expired: *expired, accepted: *accepted, matured: *matured }
        }
    }
}

macro_rules! terms {
    ($function:ident: $variant:ident) => {
        fn $function(campaign: CampaignId, settings: &CampaignSettings) -> EventBody {
            let policy = &settings.policy;
            let money = |minor| to_decimal(minor, policy.currency);
            EventBody::$variant {
                campaign,
                currency: policy.currency,
                policy_version: policy.version,
                minimum_value: money(policy.minimum_value_minor),
                threshold: money(policy.threshold_minor),
                rate: policy.rate,
                fixed: money(policy.fixed_minor),
                default_share: policy.default_share,
                validation_window_hours: settings.window_hours,
                minimum_quality: settings.minimum_quality,
                auto_stop: settings.auto_stop,
                on_timeout: settings.on_timeout,
            }
        }
    };
}
terms!(registered: CampaignRegistered);
terms!(updated: CampaignUpdated);
