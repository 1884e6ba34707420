//! What time alone does: expiries, acceptances, maturities, in order of their due time (DOMAIN.md chapter 6).

use crate::account::Account;
use crate::answer::DueSettled;
use crate::book::{Book, DueLoaded};
use crate::campaign::OnTimeout;
use crate::decide::{Draft, leads};
use crate::entry::{Entry, Fact, Kind};
use crate::lead::DueRank;
use crate::refusal::Refusal;
use crate::settings::Settings;
use crate::time::Timestamp;

/// The entry of what is due next on `book` at `now`; none where nothing more is due, or what is due is not loaded.
/// Its time is the due time: it happened then, whoever looks when. Counts it in `settled`.
pub fn settle_next(book: &Book, settings: &Settings, now: Timestamp, settled: &mut DueSettled) -> Option<Entry> {
    let (due, id) = book.due.first_key_value()?;
    let loaded = match book.due_loaded {
        DueLoaded::All => true,
        DueLoaded::UpTo(horizon) => *due <= horizon,
        DueLoaded::Some => false,
    };
    if due.at > now || !loaded {
        return None;
    }
    let lead = book.leads.get(id)?;
    let draft = |kind| Draft::new(book, settings, due.at.max(book.head.last_at), kind).in_currency(lead.currency);
    let (entry, count) = match (due.rank, lead.terms.on_timeout) {
        (DueRank::Maturity, _) => {
            let mut draft = draft(Kind::PART_MATURED);
            draft.post(Account::Held(lead.partner), lead.partner_minor);
            draft.post(Account::Payable(lead.partner), lead.partner_minor.saturating_neg());
            draft.note(Fact::PartMatured { lead: *id });
            (draft.finish(), &mut settled.matured)
        }
        (DueRank::Timeout, OnTimeout::Accept) => {
            (leads::capture(draft(Kind::LEAD_ACCEPTED), *id, lead, None), &mut settled.accepted)
        }
        (DueRank::Timeout, OnTimeout::Expire) => {
            let expired = Fact::LeadExpired { lead: *id };
            (leads::release(draft(Kind::LEAD_EXPIRED), lead, expired), &mut settled.expired)
        }
    };
    *count = count.saturating_add(1);
    match entry {
        Ok(entry) => Some(entry),
        // Time cannot be refused. Only a balance beyond 2^63-1 could: then the lead expires instead of being
        // accepted, and a part that cannot mature stays held.
        Err(_) if due.rank == DueRank::Timeout => {
            leads::release(draft(Kind::LEAD_EXPIRED), lead, Fact::LeadExpired { lead: *id }).ok()
        }
        Err(_) => None,
    }
}

pub(super) fn run_due(mut draft: Draft<'_>, settled: DueSettled) -> Result<Entry, Refusal> {
    let DueSettled { expired, accepted, matured } = settled;
    draft.note(Fact::DueSettled { expired, accepted, matured });
    draft.finish()
}
