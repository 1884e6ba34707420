//! Finding what explains a lead: its entries, and the terms that were in force when it was created.
//!
//! The journal is not read through. The creation is found by its number, the decision and the maturity by bisecting
//! their times; what has no time of its own (converted, lost, reversed) by reading on from the decision. The terms
//! are found by reading back from the creation, and only where today's rows leave it open what they were.

use std::collections::BTreeMap;
use std::ops::ControlFlow;

use rust_decimal::Decimal;

use crate::agreement::Agreement;
use crate::audit::{
    Actor, Explanation, LeadEvent, Moment, PolicyInForce, ShareSource, Step, StepEffect, StepPosting, Trail,
};
use crate::book::Book;
use crate::commission::{CommissionKind, Policy, Split};
use crate::entry::{Fact, Kind, Recorded};
use crate::error::Error;
use crate::ids::{CampaignId, LeadId, PartnerId};
use crate::lead::{Lead, LeadStatus, PartPlace};
use crate::money::{Currency, to_decimal};
use crate::opening::ImportedLead;
use crate::store::{Needs, Store};

/// See [`Ledger::explain`](crate::Ledger::explain). `book` has the lead loaded, and ends where `trail` ends.
pub(crate) fn explain(
    store: &dyn Store,
    trail: &Trail<'_>,
    book: &Book,
    id: LeadId,
) -> Result<Option<Explanation>, Error> {
    let Some(lead) = book.leads.get(&id) else { return Ok(None) };
    let first = lead.first_seq();
    let brought = trail.entry(first)?;
    if !(created_so(&brought, id, lead) || imported_so(&brought, id, lead)) {
        return Err(trail.differs(format!("lead {id} is not what entry {first} created")));
    }
    // What was agreed elsewhere is not in this journal.
    let terms = if lead.is_imported() {
        Terms { policy: None, share_from: ShareSource::Elsewhere }
    } else {
        Terms::find(store, trail, book, lead)?
    };
    let steps = History { trail, id, lead, steps: BTreeMap::new() }.find()?;
    let money = |minor| to_decimal(minor, lead.currency);
    Ok(Some(Explanation {
        merchant: trail.merchant,
        lead: id,
        of: Moment { seq: trail.head.seq, at: trail.head.last_at, hash: trail.head.hash },
        status: lead.status,
        campaign: lead.campaign,
        partner: lead.partner,
        deposit: lead.deposit,
        currency: lead.currency,
        value: money(lead.value_minor),
        commission: money(lead.commission_minor),
        partner_part: money(lead.partner_minor),
        platform_part: money(lead.platform_minor()),
        policy_version: lead.terms.policy_version,
        rate: lead.terms.rate,
        share: lead.terms.share,
        share_from: terms.share_from,
        payout_delay_days: lead.terms.payout_delay_days,
        policy: terms.policy.map(|policy| in_force(policy, lead)),
        expires_at: lead.expires_at(),
        on_timeout: lead.terms.on_timeout,
        part: lead.part,
        matures_at: lead.matures_at,
        steps,
    }))
}

/// Whether an entry created the lead with what its row says: what is told of the row is then the journal's word.
fn created_so(recorded: &Recorded, id: LeadId, lead: &Lead) -> bool {
    let created = Fact::LeadCreated {
        lead: id,
        campaign: lead.campaign,
        partner: lead.partner,
        deposit: lead.deposit,
        source: lead.source,
        currency: lead.currency,
        value: lead.value_minor,
        commission: lead.commission_minor,
        part: lead.partner_minor,
        policy: lead.terms.policy_version,
        rate: lead.terms.rate,
        share: lead.terms.share,
        delay_days: lead.terms.payout_delay_days,
        minimum_quality: lead.terms.minimum_quality,
        on_timeout: lead.terms.on_timeout,
        window_hours: lead.terms.window_hours,
    };
    recorded.entry.at == lead.created_at && recorded.entry.facts.contains(&created)
}

fn imported_so(recorded: &Recorded, id: LeadId, lead: &Lead) -> bool {
    imported(recorded, id).is_some_and(|imported| {
        let row = imported.row();
        let as_it_came = Lead { status: row.status, decided_at: row.decided_at, score: row.score, ..*lead };
        let as_it_came = Lead { part: row.part, matures_at: row.matures_at, ..as_it_came };
        as_it_came == row
    })
}

/// What an opening says of the lead.
fn imported(recorded: &Recorded, id: LeadId) -> Option<&ImportedLead> {
    recorded.entry.facts.iter().find_map(|fact| match fact {
        Fact::LeadImported(imported) if imported.lead == id => Some(&**imported),
        _ => None,
    })
}

/// What a policy gives for a lead, and whether that is what the lead has.
fn in_force(policy: Policy, lead: &Lead) -> PolicyInForce {
    let given = policy.split(lead.value_minor, lead.terms.share);
    let exact = match given.kind {
        CommissionKind::Fixed => to_decimal(given.commission_minor, lead.currency),
        CommissionKind::Percentage => {
            // 2^63 x 10^6 is far within a decimal's 28 digits.
            let parts = i128::from(policy.rate.parts_per_million());
            let product = i128::from(lead.value_minor).saturating_mul(parts);
            Decimal::from_i128_with_scale(product, lead.currency.decimals().saturating_add(6)).normalize()
        }
    };
    let recorded = Split {
        kind: lead.terms.kind(),
        commission_minor: lead.commission_minor,
        partner_minor: lead.partner_minor,
        platform_minor: lead.platform_minor(),
    };
    let rate = lead.terms.rate.is_none_or(|rate| rate == policy.rate);
    PolicyInForce { policy, exact, agrees: given == recorded && rate }
}

/// The terms in force when a lead was created.
struct Terms {
    policy: Option<Policy>,
    share_from: ShareSource,
}

/// The agreements in force at a lead's creation, as far as the search has come.
#[derive(Default)]
struct Agreements {
    own: Option<(ShareSource, Agreement)>,
    wide: Option<(ShareSource, Agreement)>,
    /// Whether it is known what they were.
    own_known: bool,
    wide_known: bool,
}

impl Terms {
    fn find(store: &dyn Store, trail: &Trail<'_>, book: &Book, lead: &Lead) -> Result<Self, Error> {
        let (own, wide) = ((lead.partner, Some(lead.campaign)), (lead.partner, None));
        let rows = store.book(trail.merchant, &Needs { agreements: [own, wide].into(), ..Needs::default() })?;
        // An agreement is changed but never taken back: one that is not there today was never there.
        let mut found = Agreements {
            own_known: rows.agreements.get(&own).is_none(),
            wide_known: rows.agreements.get(&wide).is_none(),
            ..Agreements::default()
        };
        // A version of a policy never changes: today's row has it, unless there are newer ones.
        let today = book.campaigns.get(&lead.campaign).map(|campaign| campaign.settings.policy);
        let same = |policy: &Policy| policy.version == lead.terms.policy_version && policy.currency == lead.currency;
        let mut policy = today.filter(same);
        let mut policy_known = policy.is_some();
        let is_known = |found: &Agreements| found.own_known && (found.wide_known || found.own.is_some());
        if !(policy_known && is_known(&found)) {
            trail.facts_before(lead.first_seq(), &mut |recorded, fact| {
                match fact {
                    Fact::CampaignRegistered { campaign, settings } | Fact::CampaignUpdated { campaign, settings }
                        if *campaign == lead.campaign =>
                    {
                        if !policy_known {
                            policy = Some(settings.policy).filter(same);
                            policy_known = true;
                        }
                        // An agreement for a campaign needs the campaign: there is none before its registration.
                        found.own_known |= matches!(fact, Fact::CampaignRegistered { .. });
                    }
                    _ => found.note(recorded, fact, lead.partner, lead.campaign),
                }
                if policy_known && is_known(&found) { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
            })?;
        }
        let (source, agreement) = found.own.or(found.wide).unzip();
        let gives = match (agreement, policy) {
            (Some(agreement), _) => Some(agreement),
            (None, Some(policy)) => Some(Agreement { share: policy.default_share, payout_delay_days: 0 }),
            (None, None) => None,
        };
        let has = Agreement { share: lead.terms.share, payout_delay_days: lead.terms.payout_delay_days };
        let share_from =
            if gives == Some(has) { source.unwrap_or(ShareSource::CampaignDefault) } else { ShareSource::Elsewhere };
        Ok(Self { policy, share_from })
    }
}

impl Agreements {
    /// Takes an agreement of this partner, the last one first.
    fn note(&mut self, recorded: &Recorded, fact: &Fact, partner: PartnerId, campaign: CampaignId) {
        let Fact::AgreementSet { partner: of, campaign: scope, share, payout_delay_days } = fact else { return };
        if *of != partner {
            return;
        }
        let agreement = Agreement { share: *share, payout_delay_days: *payout_delay_days };
        let (seq, at) = (recorded.entry.seq, recorded.entry.at);
        match scope {
            Some(scope) if *scope == campaign && !self.own_known => {
                self.own = Some((ShareSource::CampaignAgreement { seq, at }, agreement));
                self.own_known = true;
            }
            None if !self.wide_known => {
                self.wide = Some((ShareSource::MerchantAgreement { seq, at }, agreement));
                self.wide_known = true;
            }
            _ => {}
        }
    }
}

/// A lead's entries, as far as they are found.
struct History<'a> {
    trail: &'a Trail<'a>,
    id: LeadId,
    lead: &'a Lead,
    /// By the entry's number, and by the place of the fact in it.
    steps: BTreeMap<(u64, usize), Step>,
}

impl History<'_> {
    fn find(mut self) -> Result<Vec<Step>, Error> {
        let Lead { status, decided_at, .. } = *self.lead;
        let first = self.lead.first_seq();
        let came = imported(&self.trail.entry(first)?, self.id).map(|imported| (imported.status, imported.place));
        let is_first = |event| matches!(event, LeadEvent::Created | LeadEvent::Imported { .. });
        self.take_until(first.saturating_sub(1), is_first)?;
        let decided_elsewhere = came.is_some_and(|(status, _)| status != LeadStatus::Pending);
        if decided_elsewhere || decided_at.is_some() {
            let decided_at = decided_at.unwrap_or(self.lead.created_at);
            let decided = if decided_elsewhere {
                first
            } else {
                let before = self.trail.last_where(|at| at < decided_at)?.max(first);
                self.take_until(before, |event| event.reservation().is_some())?
            };
            let last = match status {
                _ if came.is_some_and(|(came, _)| came == status) => None,
                LeadStatus::Converted => Some(LeadEvent::Converted),
                LeadStatus::Lost => Some(LeadEvent::Lost),
                LeadStatus::Reversed => Some(LeadEvent::Reversed),
                _ => None,
            };
            if let Some(last) = last {
                self.take_until(decided, |event| event == last)?;
            }
            let delay = self.lead.terms.payout_delay_days;
            let matured = came.is_none_or(|(status, place)| status == LeadStatus::Pending || place == PartPlace::Held);
            if delay > 0 && matured && self.lead.part == PartPlace::Payable {
                let due = decided_at.plus_days(delay);
                let before = self.trail.last_where(|at| at < due)?.max(decided);
                self.take_until(before, |event| event == LeadEvent::Matured)?;
            }
        }
        Ok(self.steps.into_values().collect())
    }

    /// Takes every step after entry `after`, up to and with the first that is `last`; says which entry that was.
    fn take_until(&mut self, after: u64, last: impl Fn(LeadEvent) -> bool) -> Result<u64, Error> {
        let (trail, id, currency) = (self.trail, self.id, self.lead.currency);
        let mut found = None;
        trail.forward(after, trail.head.seq, &mut |recorded| {
            for (place, fact) in recorded.entry.facts.iter().enumerate() {
                if let Some(event) = event_of(recorded.entry.kind, fact, id) {
                    self.steps.insert((recorded.entry.seq, place), step(&recorded, event, currency));
                    if last(event) {
                        found = Some(recorded.entry.seq);
                        return Ok(ControlFlow::Break(()));
                    }
                }
            }
            Ok(ControlFlow::Continue(()))
        })?;
        let status = self.lead.status.name();
        found.ok_or_else(|| trail.differs(format!("lead {id} is {status}, and the journal does not say how")))
    }
}

/// What a fact says about the lead, if it does.
fn event_of(kind: Kind, fact: &Fact, id: LeadId) -> Option<LeadEvent> {
    let (lead, event) = match fact {
        Fact::LeadCreated { lead, .. } => (lead, LeadEvent::Created),
        Fact::LeadImported(imported) => (&imported.lead, LeadEvent::Imported { status: imported.status }),
        Fact::LeadValidated { lead, .. } if kind == Kind::LEAD_ACCEPTED => (lead, LeadEvent::Accepted),
        Fact::LeadValidated { lead, score, .. } => (lead, LeadEvent::Validated { score: *score }),
        Fact::LeadRejected { lead } => (lead, LeadEvent::Rejected),
        Fact::LeadExpired { lead } => (lead, LeadEvent::Expired),
        Fact::PartMatured { lead, .. } => (lead, LeadEvent::Matured),
        Fact::LeadConverted { lead } => (lead, LeadEvent::Converted),
        Fact::LeadLost { lead } => (lead, LeadEvent::Lost),
        Fact::LeadReversed { lead, .. } => (lead, LeadEvent::Reversed),
        _ => return None,
    };
    (*lead == id).then_some(event)
}

fn step(recorded: &Recorded, event: LeadEvent, currency: Currency) -> Step {
    let entry = &recorded.entry;
    let money = |minor: i64| to_decimal(minor, currency);
    let postings = entry.lines().iter();
    Step {
        seq: entry.seq,
        at: entry.at,
        kind: entry.kind,
        by: if entry.kind.is_of_time() { Actor::Time } else { Actor::Command },
        key: entry.key.clone(),
        event,
        postings: postings.map(|(account, minor)| StepPosting { account: *account, amount: money(*minor) }).collect(),
        effects: entry.facts.iter().filter_map(|fact| effect(fact, currency)).collect(),
    }
}

/// What else an entry says beside the lead. The deposits it names have the lead's currency.
fn effect(fact: &Fact, currency: Currency) -> Option<StepEffect> {
    let money = |minor: i64| to_decimal(minor, currency);
    match fact {
        Fact::AlertRaised { deposit, level, balance, available, reference, .. } => Some(StepEffect::AlertRaised {
            deposit: *deposit,
            level: *level,
            balance: money(*balance),
            available: money(*available),
            reference: money(*reference),
        }),
        Fact::AlertCleared { deposit, level } => Some(StepEffect::AlertCleared { deposit: *deposit, level: *level }),
        Fact::CampaignPaused { campaign, .. } => Some(StepEffect::CampaignPaused { campaign: *campaign }),
        Fact::CampaignResumed { campaign, .. } => Some(StepEffect::CampaignResumed { campaign: *campaign }),
        Fact::AutoTopUpRequested { deposit, amount, .. } => {
            Some(StepEffect::TopUpRequested { deposit: *deposit, amount: money(*amount) })
        }
        _ => None,
    }
}
