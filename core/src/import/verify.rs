//! The first reading: everything is looked at, nothing is written.
//!
//! A digest only says that a file is as it was written. What is to become somebody's books is also replayed: every entry
//! must follow from the one before, fit the book as it then is, and keep what every store demands of its rows.

use std::collections::BTreeMap;
use std::io::BufRead;

use foldhash::{HashSet, HashSetExt};

use crate::account::Account;
use crate::book::{Book, Head};
use crate::check::reservations;
use crate::entry::{Entry, Fact, Recorded, Texts, chain_hash};
use crate::export::{Progress, Stage};
use crate::ids::{CampaignId, LeadId, MerchantId};
use crate::import::source::{Item, Lines};
use crate::import::{Import, ImportError, ImportReport, Verified};
use crate::store::{BookQuery, JournalQuery};
use crate::text::Key;

/// Lines between two words about the progress.
const TELL_EVERY: u64 = 1_024;

/// The book that is being read.
struct Reading {
    book: Book,
    /// As the store has it.
    stored: Head,
    keys: HashSet<Key>,
    /// The texts of the entry that was read last; none once something else has come that a private text cannot follow.
    last: Option<Texts>,
    /// Whose private text of it was read last.
    told: Option<Option<LeadId>>,
    missed: Option<LeadId>,
}

impl Import<'_> {
    pub(super) fn verify(&mut self, source: &mut dyn BufRead) -> Result<(ImportReport, Vec<Verified>), ImportError> {
        let mut lines = Lines::open(source)?;
        let mut books: BTreeMap<MerchantId, Verified> = BTreeMap::new();
        let mut reading: Option<Reading> = None;
        while let Some(item) = lines.next()? {
            let merchant = match &item {
                Item::Entry(recorded) => recorded.merchant,
                Item::Private(merchant, _) | Item::Missed(merchant, ..) | Item::Head(merchant, ..) => *merchant,
            };
            let current = match &mut reading {
                Some(current) if current.book.merchant == merchant => current,
                Some(_) => return Err(lines.damaged("a book begins before the one before has ended")),
                none => {
                    if books.last_key_value().is_some_and(|(last, _)| *last >= merchant) {
                        return Err(lines.damaged("books are not in the order of their merchants"));
                    }
                    none.insert(self.begin(merchant)?)
                }
            };
            match item {
                Item::Entry(recorded) => current.entry(recorded, &lines)?,
                Item::Private(_, private) => {
                    let in_order = current.told.is_none_or(|told| told < private.lead);
                    if !(in_order && current.last.as_ref().is_some_and(|last| last.bind(&private))) {
                        return Err(lines.damaged("the private text is not that of the entry before it"));
                    }
                    current.told = Some(private.lead);
                }
                Item::Missed(_, lead, _) => {
                    current.last = None;
                    let in_order = current.missed.is_none_or(|last| last < lead);
                    if !in_order || current.book.head.seq == 0 || current.book.leads.get(&lead).is_some() {
                        return Err(lines.damaged("the missed lead is not in its place, or was created after all"));
                    }
                    current.missed = Some(lead);
                }
                Item::Head(_, seq, hash) => {
                    let Some(current) = reading.take() else { continue };
                    if seq == 0 || (current.book.head.seq, current.book.head.hash) != (seq, hash) {
                        return Err(lines.damaged("the head is not the book's last entry"));
                    }
                    reservations(&current.book).map_err(|what| lines.damaged(what))?;
                    books.insert(merchant, self.end(&current, &lines)?);
                }
            }
            if lines.line.is_multiple_of(TELL_EVERY) {
                self.tell(&lines);
            }
        }
        if reading.is_some() {
            return Err(lines.damaged("the last book has no head"));
        }
        self.tell(&lines);
        let seen = lines.seen;
        let report = ImportReport {
            books: seen.books,
            entries: seen.entries,
            private: seen.private,
            missed: seen.missed,
            sha256: seen.sha256,
            ..ImportReport::default()
        };
        Ok((report, books.into_values().collect()))
    }

    fn tell(&mut self, lines: &Lines<'_>) {
        let (books, entries) = (lines.seen.books, lines.seen.entries);
        (self.progress)(Progress { stage: Stage::Verifying, books, entries });
    }

    fn begin(&self, merchant: MerchantId) -> Result<Reading, ImportError> {
        let found = self.store.books(&BookQuery::Of([merchant].into()), 1)?;
        let stored = found.first().map_or_else(|| Head::genesis(merchant), |(_, head)| *head);
        Ok(Reading {
            book: Book::complete(merchant),
            stored,
            keys: HashSet::new(),
            last: None,
            told: None,
            missed: None,
        })
    }

    fn end(&self, current: &Reading, lines: &Lines<'_>) -> Result<Verified, ImportError> {
        let (merchant, head, stored) = (current.book.merchant, &current.book.head, current.stored);
        if stored.seq > head.seq {
            let after = JournalQuery::After { merchant, seq: head.seq.saturating_sub(1) };
            let found = self.store.journal(&after, 1)?.items;
            if found.first().is_none_or(|found| found.entry.seq != head.seq || found.hash != head.hash) {
                return Err(ImportError::BookDiffers { line: lines.line, merchant, seq: head.seq });
            }
        }
        let next_due = current.book.due.first_key_value().map(|(due, _)| due.at);
        Ok(Verified { merchant, stored, seq: head.seq, next_due })
    }
}

impl Reading {
    fn entry(&mut self, recorded: Recorded, lines: &Lines<'_>) -> Result<(), ImportError> {
        let entry = &recorded.entry;
        if self.missed.is_some() {
            return Err(lines.damaged("an entry after the missed leads"));
        }
        if chain_hash(&self.book.head.hash, &recorded.payload) != recorded.hash {
            return Err(lines.damaged(format!("the hash of entry {} does not follow from the one before", entry.seq)));
        }
        if let Some(key) = &entry.key
            && !self.keys.insert(key.clone())
        {
            return Err(lines.damaged(format!("key {key} is used for a second time")));
        }
        fits(&self.book, entry).map_err(|what| lines.damaged(what))?;
        self.book.apply(entry, recorded.hash).map_err(|broken| lines.damaged(broken.to_string()))?;
        keeps(&self.book, entry).map_err(|what| lines.damaged(what))?;
        if entry.seq == self.stored.seq && recorded.hash != self.stored.hash {
            let (line, merchant, seq) = (lines.line, recorded.merchant, entry.seq);
            return Err(ImportError::BookDiffers { line, merchant, seq });
        }
        self.last = Some(recorded.texts());
        self.told = None;
        Ok(())
    }
}

/// What applying does not ask: that what begins is new, and that what it is for is there.
fn fits(book: &Book, entry: &Entry) -> Result<(), String> {
    let fault = |what: &str| Err(format!("entry {} {what}", entry.seq));
    if entry.at < book.head.last_at {
        return fault("is older than the one before");
    }
    // An opening names campaigns that it begins itself.
    let mut begun: HashSet<CampaignId> = HashSet::new();
    let mut came: HashSet<uuid::Uuid> = HashSet::new();
    for fact in &entry.facts {
        let campaign = |id: &CampaignId| book.campaigns.get(id).is_some() || begun.contains(id);
        let is_new = match fact {
            Fact::CampaignRegistered { campaign, .. } => book.campaigns.get(campaign).is_none(),
            Fact::DepositOpened { deposit, .. } => book.deposits.get(deposit).is_none(),
            Fact::LeadCreated { lead, .. } => book.leads.get(lead).is_none(),
            Fact::DepositImported(of) => book.deposits.get(&of.deposit).is_none() && came.insert(of.deposit.0),
            Fact::LeadImported(of) => book.leads.get(&of.lead).is_none() && came.insert(of.lead.0),
            Fact::TopUpBegun { top_up, .. } => book.top_ups.get(top_up).is_none(),
            Fact::PayoutRequested { payout, .. } => book.payouts.get(payout).is_none(),
            _ => true,
        };
        if !is_new {
            return fault("begins what is there already");
        }
        let is_known = match fact {
            Fact::LeadCreated { campaign: id, .. } => campaign(id),
            Fact::LeadImported(of) => campaign(&of.campaign),
            Fact::DepositImported(of) => of.campaign.as_ref().is_none_or(campaign),
            Fact::AgreementSet { campaign: id, .. }
            | Fact::DepositOpened { campaign: id, .. }
            | Fact::TopUpBegun { campaign: id, .. } => id.as_ref().is_none_or(campaign),
            _ => true,
        };
        if !is_known {
            return fault("names a campaign that is not there");
        }
        if let Fact::CampaignRegistered { campaign, .. } = fact {
            begun.insert(*campaign);
        }
    }
    Ok(())
}

/// What stores demand of the rows that an entry touched.
fn keeps(book: &Book, entry: &Entry) -> Result<(), String> {
    let mut right = true;
    if let Some(postings) = &entry.postings {
        let currency = postings.currency();
        for (account, _) in postings.lines() {
            right &= match account {
                Account::Deposit(id) => book.deposits.get(id).is_some_and(|deposit| {
                    deposit.currency == currency && (0..=deposit.balance_minor).contains(&deposit.reserved_minor)
                }),
                Account::Receivable => book.debt_minor(currency) >= 0,
                _ => true,
            };
        }
    }
    for fact in &entry.facts {
        right &= match fact {
            Fact::CampaignRegistered { settings, .. } | Fact::CampaignUpdated { settings, .. } => {
                let policy = &settings.policy;
                (0..=policy.threshold_minor).contains(&policy.fixed_minor)
                    && policy.minimum_value_minor >= 0
                    && settings.window_hours > 0
                    && settings.minimum_quality.is_none_or(|least| (1..=10).contains(&least))
            }
            Fact::LeadCreated { lead, .. } => book.leads.get(lead).is_some_and(|lead| {
                (0..=lead.commission_minor).contains(&lead.partner_minor)
                    && book.deposits.get(&lead.deposit).is_some_and(|deposit| deposit.currency == lead.currency)
            }),
            Fact::LeadImported(of) => {
                (0..=of.commission).contains(&of.part)
                    && book.deposits.get(&of.deposit).is_some_and(|deposit| deposit.currency == of.currency)
            }
            Fact::TopUpBegun { amount, .. } | Fact::PayoutRequested { amount, .. } => *amount > 0,
            Fact::TopUpSucceeded { top_up, .. } | Fact::TopUpRefunded { top_up, .. } => book
                .top_ups
                .get(top_up)
                .is_some_and(|top_up| (0..=top_up.received_minor).contains(&top_up.refunded_minor)),
            _ => true,
        };
    }
    if right { Ok(()) } else { Err(format!("entry {} breaks what always holds of a book's rows", entry.seq)) }
}
