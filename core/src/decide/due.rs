//! What time alone does: expiries, acceptances, maturities, in order of their due time (DOMAIN.md chapter 6).

use crate::account::Account;
use crate::answer::DueSettled;
use crate::book::{Book, DueLoaded};
use crate::campaign::OnTimeout;
use crate::decide::{Draft, leads};
use crate::entry::{Entry, Fact, Kind};
use crate::ids::LeadId;
use crate::lead::{Due, DueRank};
use crate::refusal::Refusal;
use crate::settings::Settings;
use crate::time::Timestamp;

/// The entry of what is due next on `book` at `now`; none where nothing more is due, or what is due is not loaded.
/// Its time is the due time: it happened then, whoever looks when. Counts it in `settled`.
pub fn settle_next(book: &Book, settings: &Settings, now: Timestamp, settled: &mut DueSettled) -> Option<Entry> {
    let loaded = |due: &Due| match book.due_loaded {
        DueLoaded::All => true,
        DueLoaded::UpTo(horizon) => *due <= horizon,
        DueLoaded::Some => false,
    };
    let mut due = book.due.iter().take_while(|(due, _)| due.at <= now && loaded(due));
    due.find_map(|(due, id)| settle(book, settings, *due, *id, settled))
}

/// Time cannot be refused. Only a balance beyond 2^63-1 could: then the lead expires instead of being accepted, and a
/// part that cannot mature stays held (none) and does not keep what is due after it waiting.
fn settle(book: &Book, settings: &Settings, due: Due, id: LeadId, settled: &mut DueSettled) -> Option<Entry> {
    let lead = book.leads.get(&id)?;
    let draft = |kind| Draft::new(book, settings, due.at.max(book.head.last_at), kind).in_currency(lead.currency);
    let (entry, count) = match due.rank {
        DueRank::Maturity => {
            let mut draft = draft(Kind::PART_MATURED);
            draft.post(Account::Held(lead.partner), lead.partner_minor);
            draft.post(Account::Payable(lead.partner), lead.partner_minor.saturating_neg());
            draft.note(Fact::PartMatured { lead: id, currency: lead.currency });
            (draft.finish().ok()?, &mut settled.matured)
        }
        DueRank::Timeout => {
            let accepted = match lead.terms.on_timeout {
                OnTimeout::Accept => leads::capture(draft(Kind::LEAD_ACCEPTED), id, lead, None).ok(),
                OnTimeout::Expire => None,
            };
            if let Some(entry) = accepted {
                (entry, &mut settled.accepted)
            } else {
                let expired = Fact::LeadExpired { lead: id };
                (leads::release(draft(Kind::LEAD_EXPIRED), lead, expired).ok()?, &mut settled.expired)
            }
        }
    };
    *count = count.saturating_add(1);
    Some(entry)
}

pub(super) fn run_due(mut draft: Draft<'_>, settled: DueSettled) -> Result<Entry, Refusal> {
    let DueSettled { expired, accepted, matured } = settled;
    draft.note(Fact::DueSettled { expired, accepted, matured });
    draft.finish()
}
