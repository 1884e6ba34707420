//! The reference store: books in memory, gone with the process. The other stores must behave as it does.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use chrono::NaiveDate;

use crate::account::{PartnerAccounts, PlatformAccounts};
use crate::book::{Book, DueLoaded, Head};
use crate::deposit::Deposit;
use crate::entry::Recorded;
use crate::error::StoreError;
use crate::figures::{Day, DayKey};
use crate::ids::{LeadId, MerchantId, PartnerId};
use crate::lead::{Lead, LeadStatus};
use crate::money::Currency;
use crate::store::{
    BookQuery, Books, Cursor, JournalQuery, LeadOrder, LeadQuery, Needs, Page, Scope, Store, Subscribers, Totals,
};
use crate::text::SubscriberName;
use crate::time::Timestamp;
use crate::top_up::Method;

/// Books in memory.
#[derive(Debug, Default)]
pub struct MemoryStore {
    kept: Mutex<Kept>,
}

#[derive(Debug, Default)]
struct Kept {
    books: HashMap<MerchantId, KeptBook>,
    /// All entries, in the order of their commits.
    log: Vec<Recorded>,
    subscribers: HashMap<SubscriberName, Cursor>,
}

#[derive(Debug)]
struct KeptBook {
    book: Book,
    /// Where this book's entries are in the log.
    entries: Vec<usize>,
}

impl MemoryStore {
    /// An empty store.
    pub fn new() -> Self {
        Self::default()
    }

    fn kept(&self) -> MutexGuard<'_, Kept> {
        // What is kept changes only after `work` is done, so a panic in it leaves nothing half changed.
        self.kept.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Store for MemoryStore {
    fn transact(&self, _lane: usize, scope: &Scope, work: &mut dyn FnMut(&mut Books)) -> Result<(), StoreError> {
        let mut kept = self.kept();
        let mut books = Books::new();
        for (merchant, needs) in &scope.books {
            books.insert(*merchant, Ok(Box::new(kept.excerpt(*merchant, needs, Some((scope.now, scope.due_limit))))));
        }
        work(&mut books);
        for book in books.into_values().flatten().filter(|book| book.is_changed()) {
            kept.keep(&book);
        }
        Ok(())
    }

    fn book(&self, merchant: MerchantId, needs: &Needs) -> Result<Book, StoreError> {
        Ok(self.kept().excerpt(merchant, needs, None))
    }

    fn leads(&self, query: &LeadQuery) -> Result<Page<(LeadId, Lead)>, StoreError> {
        let kept = self.kept();
        let Some(KeptBook { book, .. }) = kept.books.get(&query.merchant) else {
            return Ok(Page { items: Vec::new(), next: None });
        };
        let mut leads: Vec<_> =
            book.leads.iter().filter(|(_, lead)| query.admits(lead)).map(|(id, lead)| (*id, *lead)).collect();
        // The lead where the page before ended may have moved on since: its place in the order stays.
        let after = query.after.as_ref().map(parse_cursor::<i64>).transpose()?;
        let last = after.and_then(|seq| book.leads.iter().map(|(_, lead)| *lead).find(|lead| lead.created_seq == seq));
        match query.order {
            LeadOrder::Newest => {
                leads.retain(|(_, lead)| after.is_none_or(|seq| lead.created_seq < seq));
                leads.sort_by_key(|(_, lead)| std::cmp::Reverse(lead.created_seq));
            }
            LeadOrder::ReviewPriority => {
                let place = |lead: &Lead| (lead.expires_at(), lead.created_seq);
                leads.retain(|(_, lead)| lead.status == LeadStatus::Pending);
                leads.retain(|(_, lead)| last.is_none_or(|last| place(lead) > place(&last)));
                leads.sort_by_key(|(_, lead)| place(lead));
            }
        }
        let more = leads.len() > query.limit;
        leads.truncate(query.limit);
        let last = leads.last().map(|(_, lead)| lead.created_seq);
        Ok(Page { next: last.filter(|_| more).map(cursor), items: leads })
    }

    fn journal(&self, query: &JournalQuery, limit: usize) -> Result<Page<Recorded>, StoreError> {
        let kept = self.kept();
        let of = |merchant: &MerchantId| kept.books.get(merchant).map_or(&[][..], |book| &book.entries);
        let pick = |places: &[usize]| places.iter().filter_map(|place| kept.log.get(*place).cloned()).collect();
        match query {
            JournalQuery::After { merchant, seq } => {
                let skip = usize::try_from(*seq).unwrap_or(usize::MAX);
                let places: Vec<_> = of(merchant).iter().skip(skip).take(limit).copied().collect();
                Ok(Page { items: pick(&places), next: None })
            }
            JournalQuery::Before { merchant, seq } => {
                let entries = of(merchant);
                let end = seq.map_or(entries.len(), |seq| usize::try_from(seq.saturating_sub(1)).unwrap_or(usize::MAX));
                let places: Vec<_> = entries.iter().take(end).rev().take(limit).copied().collect();
                Ok(Page { items: pick(&places), next: None })
            }
            JournalQuery::All { after } => {
                let start = after.as_ref().map(parse_cursor::<u64>).transpose()?.unwrap_or(0);
                let skip = usize::try_from(start).unwrap_or(usize::MAX);
                let items: Vec<_> = kept.log.iter().skip(skip).take(limit).cloned().collect();
                let end = start.saturating_add(u64::try_from(items.len()).unwrap_or(u64::MAX));
                Ok(Page { items, next: Some(cursor(end)) })
            }
            JournalQuery::End => {
                let end = u64::try_from(kept.log.len()).unwrap_or(u64::MAX);
                Ok(Page { items: Vec::new(), next: Some(cursor(end)) })
            }
        }
    }

    fn books(&self, query: &BookQuery, limit: usize) -> Result<Vec<(MerchantId, Head)>, StoreError> {
        let kept = self.kept();
        let admits = |book: &Book| match query {
            BookQuery::Due(now) => book.is_due(*now),
            BookQuery::After(last) => last.is_none_or(|last| book.merchant > last),
            BookQuery::Of(merchants) => merchants.contains(&book.merchant),
        };
        let mut found: Vec<_> = kept.books.values().map(|kept| &kept.book).filter(|book| admits(book)).collect();
        found.sort_by_key(|book| match query {
            BookQuery::Due(_) => (book.head.next_due, book.merchant),
            BookQuery::After(_) | BookQuery::Of(_) => (None, book.merchant),
        });
        Ok(found.into_iter().take(limit).map(|book| (book.merchant, book.head)).collect())
    }
}

impl Totals for MemoryStore {
    fn partner(&self, partner: PartnerId) -> Result<Vec<(MerchantId, Currency, PartnerAccounts)>, StoreError> {
        let kept = self.kept();
        let rows = kept.books.values().flat_map(|kept| {
            let rows = kept.book.partners.iter().filter(move |((id, _), _)| *id == partner);
            rows.map(|((_, currency), row)| (kept.book.merchant, *currency, *row))
        });
        let mut rows: Vec<_> = rows.collect();
        rows.sort_by_key(|(merchant, currency, _)| (*merchant, *currency));
        Ok(rows)
    }

    fn platform(
        &self,
        after: Option<(MerchantId, Currency)>,
        limit: usize,
    ) -> Result<Vec<(MerchantId, Currency, PlatformAccounts)>, StoreError> {
        let kept = self.kept();
        let rows = kept
            .books
            .values()
            .flat_map(|kept| kept.book.platform.iter().map(|(currency, row)| (kept.book.merchant, *currency, *row)));
        let mut rows: Vec<_> =
            rows.filter(|(merchant, currency, _)| after.is_none_or(|after| (*merchant, *currency) > after)).collect();
        rows.sort_by_key(|(merchant, currency, _)| (*merchant, *currency));
        rows.truncate(limit);
        Ok(rows)
    }
}

impl Subscribers for MemoryStore {
    fn cursor(&self, name: &SubscriberName) -> Result<Option<Cursor>, StoreError> {
        Ok(self.kept().subscribers.get(name).cloned())
    }

    fn advance(&self, name: &SubscriberName, from: Option<&Cursor>, to: &Cursor) -> Result<bool, StoreError> {
        let mut kept = self.kept();
        let there = kept.subscribers.get(name) == from;
        if there {
            kept.subscribers.insert(name.clone(), to.clone());
        }
        Ok(there)
    }
}

fn cursor(position: impl std::fmt::Display) -> Cursor {
    Cursor(format!("memory:{position}"))
}

fn parse_cursor<N: std::str::FromStr>(cursor: &Cursor) -> Result<N, StoreError> {
    let position = cursor.0.strip_prefix("memory:").and_then(|position| position.parse().ok());
    position.ok_or_else(|| StoreError::Foreign(format!("cursor {:?} is not of this store", cursor.0)))
}

impl Kept {
    /// A copy of the rows that are needed, as another store would load them.
    fn excerpt(&self, merchant: MerchantId, needs: &Needs, due: Option<(Timestamp, usize)>) -> Book {
        let empty = Book::complete(merchant);
        let kept = self.books.get(&merchant).map_or(&empty, |kept| &kept.book);
        if needs.everything {
            return kept.clone();
        }
        let mut book = Book::partial(merchant, kept.head);
        for (id, row) in kept.campaigns.iter() {
            book.campaigns.load(*id, Some(*row));
        }
        for (id, row) in kept.platform.iter() {
            book.platform.load(*id, Some(*row));
        }
        for (id, row) in kept.deposits.iter().filter(|(_, row)| row.is_open()) {
            book.deposits.load(*id, Some(*row));
        }
        let mut partners = needs.partners.clone();
        let mut deposits = needs.deposits.clone();
        let mut leads = needs.leads.clone();
        if let Some((now, limit)) = due
            && kept.is_due(now)
        {
            let mut listed = kept.due.iter();
            let mut last = None;
            for (due, id) in listed.by_ref().take(limit.max(1)) {
                leads.insert(*id);
                last = Some(*due);
            }
            book.due_loaded = match last {
                Some(last) if listed.next().is_some() => DueLoaded::UpTo(last),
                _ => DueLoaded::All,
            };
        }
        for id in &leads {
            let lead = kept.leads.get(id).copied();
            if let Some(lead) = lead {
                partners.insert((lead.partner, lead.currency));
                deposits.insert(lead.deposit);
            }
            book.load_lead(*id, lead);
        }
        for id in &needs.missed {
            book.missed.load(*id, kept.missed.get(id).copied());
        }
        for (partner, campaign) in &needs.agreements {
            book.agreements.load((*partner, *campaign), kept.agreements.get(&(*partner, *campaign)).copied());
            if let Some(campaign) = campaign {
                let currency = kept.campaigns.get(campaign).map(|campaign| campaign.settings.policy.currency);
                partners.insert((*partner, currency.unwrap_or(Currency::MAD)));
            }
        }
        for id in &needs.top_ups {
            let top_up = kept.top_ups.get(id).cloned();
            if let Some(top_up) = &top_up {
                deposits.extend(top_up.deposit);
                if let Some(seq) = top_up.succeeded_seq {
                    book.successes.load(seq, kept.successes.get(&seq).map(Arc::clone));
                }
            }
            book.top_ups.load(*id, top_up);
        }
        for id in &needs.payouts {
            let payout = kept.payouts.get(id).copied();
            partners.extend(payout.map(|payout| (payout.partner, payout.currency)));
            book.payouts.load(*id, payout);
        }
        for reference in &needs.references {
            for method in Method::ALL {
                let claim = (*method, reference.clone());
                let owner = kept.references.get(&claim).copied();
                book.references.load(claim, owner);
            }
        }
        for id in &needs.reversals {
            let Some(lead) = kept.leads.get(id) else { continue };
            let ended_after = |key: &DayKey, row: &Day| {
                key.currency == lead.currency
                    && key.deposit.is_none()
                    && lead.decided_at.is_some_and(|at| row.until >= at)
            };
            let ended = kept.days.iter().filter(|(key, row)| ended_after(key, row)).map(|(key, _)| *key);
            if let Some(key) = ended.min_by_key(|key| key.day) {
                for key in [key, DayKey { deposit: Some(lead.deposit), ..key }] {
                    book.days.load(key, kept.days.get(&key).copied());
                }
            }
        }
        if let Some((from, to)) = needs.days {
            kept.days_between(from, to).for_each(|(key, row)| book.days.load(key, Some(row)));
        }
        if needs.all_partners {
            kept.partners.iter().for_each(|(key, row)| book.partners.load(*key, Some(*row)));
        }
        if needs.missed_days {
            for (_, row) in kept.missed.iter() {
                let day = book.missed_days.entry((row.currency, row.day)).or_default();
                day.leads = day.leads.saturating_add(1);
                day.commission_minor = day.commission_minor.saturating_add(row.commission_minor.into());
            }
        }
        for key in &needs.keys {
            book.keys.load(key.clone(), kept.keys.get(key).cloned());
        }
        for id in &deposits {
            book.deposits.load(*id, kept.deposits.get(id).copied());
        }
        for id in &partners {
            book.partners.load(*id, kept.partners.get(id).copied());
        }
        book.private = kept
            .private
            .iter()
            .filter(|private| {
                private.lead.is_some_and(|lead| needs.private.contains(&lead))
                    || needs.private_of.contains(&private.seq)
            })
            .cloned()
            .collect();
        if let Some((after, limit)) = needs.missed_page {
            let mut missed: Vec<_> =
                kept.missed.iter().filter(|(id, _)| after.is_none_or(|after| **id > after)).collect();
            missed.sort_by_key(|(id, _)| **id);
            for (id, row) in missed.into_iter().take(limit) {
                book.missed.load(*id, Some(*row));
            }
        }
        book
    }

    /// Takes over what changed.
    fn keep(&mut self, changed: &Book) {
        let merchant = changed.merchant;
        let kept = self
            .books
            .entry(merchant)
            .or_insert_with(|| KeptBook { book: Book::complete(merchant), entries: Vec::new() });
        for recorded in &changed.new_entries {
            kept.entries.push(self.log.len());
            self.log.push(recorded.clone());
        }
        kept.book.absorb(changed);
    }
}

impl Book {
    /// See [`Needs::days`].
    fn days_between(&self, from: NaiveDate, to: NaiveDate) -> impl Iterator<Item = (DayKey, Day)> {
        let is_open = |id| self.deposits.get(&id).is_some_and(Deposit::is_open);
        let shown = self.days.iter().filter(|(key, _)| key.day <= to && key.deposit.is_none_or(is_open));
        let mut before: HashMap<_, (DayKey, Day)> = HashMap::new();
        let mut found = Vec::new();
        for (key, row) in shown {
            if key.day >= from {
                found.push((*key, *row));
            } else {
                let last = before.entry((key.currency, key.deposit)).or_insert((*key, *row));
                if key.day > last.0.day {
                    *last = (*key, *row);
                }
            }
        }
        found.into_iter().chain(before.into_values())
    }

    /// Takes over the changed rows, private texts and head of another load of the same book.
    fn absorb(&mut self, changed: &Self) {
        macro_rules! absorb {
            ($($rows:ident),*) => {$(
                for (id, row) in changed.$rows.changes() {
                    self.$rows.load(id.clone(), row.cloned());
                }
            )*};
        }
        for (id, lead) in changed.leads.changes() {
            if let Some(due) = self.leads.get(id).and_then(Lead::due) {
                self.due.remove(&due);
            }
            self.load_lead(*id, lead.copied());
        }
        absorb!(campaigns, deposits, platform, partners, agreements, top_ups, payouts, references, keys, missed);
        absorb!(successes, days);
        self.private.extend(changed.new_private.iter().chain(&changed.new_opening_private).cloned());
        let erased = |private: &crate::book::Private| {
            changed.erased.iter().any(|(lead, seq)| private.lead == Some(*lead) && private.seq < *seq)
        };
        self.private.retain(|private| !erased(private));
        let erased_keys: Vec<_> = self
            .keys
            .iter()
            .filter(|(_, keyed)| keyed.private.as_ref().is_some_and(erased))
            .map(|(key, keyed)| (key.clone(), crate::book::Keyed { entry: Arc::clone(&keyed.entry), private: None }))
            .collect();
        for (key, keyed) in erased_keys {
            self.keys.load(key, Some(keyed));
        }
        self.head = Head { ..changed.head };
    }
}
