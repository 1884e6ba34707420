//! Reads: over the store's own connections, after what is due on the book was settled.

use std::future::{Future, IntoFuture};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::Pin;
use std::sync::Arc;

use serde_json::Value;

use crate::answer::DueSettled;
use crate::book::Book;
use crate::check::{CheckReport, check};
use crate::entry::Recorded;
use crate::error::{Error, StoreError};
use crate::faults::{Fault, planted};
use crate::ids::{DepositId, LeadId, MerchantId, PartnerId, PayoutId, TopUpId};
use crate::ledger::reply::channel;
use crate::ledger::worker::internal;
use crate::ledger::{Inner, Ledger};
use crate::payout::Payout;
use crate::store::{BookQuery, Cursor, JournalQuery, LeadQuery, Needs, Page};
use crate::top_up::TopUp;
use crate::view::{
    BookView, CampaignView, DepositView, LeadTexts, LeadView, PartnerView, Statement, StatementLine, partner_view,
};

/// A read that waits to be made: with [`Read::wait`] in this thread, or with `.await` on one of the ledger's.
#[must_use = "a read does nothing until it is awaited or waited for"]
pub struct Read<T> {
    inner: Arc<Inner>,
    run: Run<T>,
}

type Run<T> = Box<dyn FnOnce(&Inner) -> Result<T, Error> + Send>;

impl<T> Read<T> {
    pub(super) fn of(inner: &Arc<Inner>, run: impl FnOnce(&Inner) -> Result<T, Error> + Send + 'static) -> Self {
        Self { inner: Arc::clone(inner), run: Box::new(run) }
    }
}

impl<T: Send + 'static> Read<T> {
    /// Reads in this thread. A panic in the store is an [`Error::Internal`], and no thread's end.
    pub fn wait(self) -> Result<T, Error> {
        let Self { inner, run } = self;
        catch_unwind(AssertUnwindSafe(|| run(&inner))).unwrap_or_else(|panic| Err(internal(&*panic)))
    }
}

impl<T: Send + 'static> IntoFuture for Read<T> {
    type Output = Result<T, Error>;
    type IntoFuture = Pin<Box<dyn Future<Output = Self::Output> + Send>>;

    fn into_future(self) -> Self::IntoFuture {
        let (sender, receiver) = channel();
        let inner = Arc::clone(&self.inner);
        let task = Box::new(move || sender.send(self.wait()));
        // A task that is not taken drops its sender, which answers that the ledger is closed.
        let _ = inner.tasks.push(task);
        Box::pin(receiver)
    }
}

/// How many entries a page of a statement looks at, at most, so that a page costs the same in any book.
const STATEMENT_REACH: usize = 4_096;

impl Ledger {
    pub(super) fn read<T>(&self, run: impl FnOnce(&Inner) -> Result<T, Error> + Send + 'static) -> Read<T> {
        Read::of(&self.inner, run)
    }

    /// A deposit; none where this merchant has none with this id.
    pub fn deposit(&self, merchant: MerchantId, id: DepositId) -> Read<Option<DepositView>> {
        self.read(move |inner| {
            let needs = Needs { deposits: [id].into(), ..Needs::default() };
            Ok(inner.settled(merchant, &needs)?.deposits.get(&id).map(|row| DepositView::of(id, row)))
        })
    }

    /// A merchant's open deposits, in the order in which they were opened.
    pub fn deposits(&self, merchant: MerchantId) -> Read<Vec<DepositView>> {
        self.read(move |inner| {
            let book = inner.settled(merchant, &Needs::default())?;
            let mut open: Vec<_> = book.deposits.iter().filter(|(_, row)| row.is_open()).collect();
            open.sort_by_key(|(_, row)| row.opened_seq);
            Ok(open.into_iter().map(|(id, row)| DepositView::of(*id, row)).collect())
        })
    }

    /// A lead; none where this merchant has none with this id.
    pub fn lead(&self, merchant: MerchantId, id: LeadId) -> Read<Option<LeadView>> {
        self.read(move |inner| {
            let needs = Needs { leads: [id].into(), ..Needs::default() };
            let book = inner.settled(merchant, &needs)?;
            Ok(book.leads.get(&id).map(|lead| LeadView::of(id, *lead, inner.clock.now())))
        })
    }

    /// Personal data and free text of a lead, as far as they are not erased; none where there is no such lead.
    pub fn lead_texts(&self, merchant: MerchantId, id: LeadId) -> Read<Option<LeadTexts>> {
        self.read(move |inner| {
            let needs = Needs { leads: [id].into(), private: [id].into(), ..Needs::default() };
            let book = inner.settled(merchant, &needs)?;
            if book.leads.get(&id).is_none() {
                return Ok(None);
            }
            let mut texts = LeadTexts::default();
            for private in &book.private {
                take_texts(&mut texts, &private.text).map_err(|fault| StoreError::Corrupt(fault.to_string()))?;
            }
            Ok(Some(texts))
        })
    }

    /// A page of a merchant's leads, of at least one.
    pub fn leads(&self, mut query: LeadQuery) -> Read<Page<LeadView>> {
        query.limit = query.limit.max(1);
        self.read(move |inner| {
            inner.settled(query.merchant, &Needs::default())?;
            let page = inner.store.leads(&query)?;
            let now = inner.clock.now();
            let items = page.items.into_iter().map(|(id, lead)| LeadView::of(id, lead, now)).collect();
            Ok(Page { items, next: page.next })
        })
    }

    /// A page of a deposit's statement, newest first; none where this merchant has no such deposit.
    pub fn statement(
        &self,
        merchant: MerchantId,
        deposit: DepositId,
        after: Option<Cursor>,
        limit: usize,
    ) -> Read<Option<Statement>> {
        self.read(move |inner| inner.statement(merchant, deposit, after.as_ref(), limit))
    }

    /// A partner's earnings with one merchant, by currency; from the first captured lead.
    pub fn partner(&self, merchant: MerchantId, partner: PartnerId) -> Read<Vec<PartnerView>> {
        self.read(move |inner| {
            let book = inner.settled(merchant, &Needs::default())?;
            let currencies: std::collections::BTreeSet<_> =
                book.platform.iter().map(|(currency, _)| *currency).collect();
            let keys: std::collections::BTreeSet<_> = currencies.iter().map(|currency| (partner, *currency)).collect();
            let book = inner.store.book(merchant, &Needs { partners: keys.clone(), ..Needs::default() })?;
            let earned = |key| book.partners.get(key).filter(|row| row.has_earned());
            Ok(keys.iter().filter_map(|key| earned(key).map(|row| partner_view(row, key.1))).collect())
        })
    }

    /// A merchant's campaigns, by id.
    pub fn campaigns(&self, merchant: MerchantId) -> Read<Vec<CampaignView>> {
        self.read(move |inner| {
            let book = inner.settled(merchant, &Needs::default())?;
            let mut campaigns: Vec<_> = book.campaigns.iter().map(|(id, row)| CampaignView::of(*id, row)).collect();
            campaigns.sort_by_key(|campaign| campaign.id);
            Ok(campaigns)
        })
    }

    /// A top-up, amounts in minor units; none where this merchant has none with this id.
    pub fn top_up_state(&self, merchant: MerchantId, id: TopUpId) -> Read<Option<TopUp>> {
        self.read(move |inner| {
            let needs = Needs { top_ups: [id].into(), ..Needs::default() };
            Ok(inner.settled(merchant, &needs)?.top_ups.get(&id).cloned())
        })
    }

    /// A payout, amounts in minor units; none where this merchant has none with this id.
    pub fn payout_state(&self, merchant: MerchantId, id: PayoutId) -> Read<Option<Payout>> {
        self.read(move |inner| {
            let needs = Needs { payouts: [id].into(), ..Needs::default() };
            Ok(inner.settled(merchant, &needs)?.payouts.get(&id).copied())
        })
    }

    /// One merchant's whole book. Grows with the book: for checks and small books.
    pub fn book(&self, merchant: MerchantId) -> Read<BookView> {
        self.read(move |inner| {
            Ok(BookView::of(&inner.settled(merchant, &Needs { everything: true, ..Needs::default() })?))
        })
    }

    /// One book's entries after `seq` (0 for the first), in order, at most `limit`.
    pub fn events(&self, merchant: MerchantId, seq: u64, limit: usize) -> Read<Vec<Recorded>> {
        self.read(move |inner| {
            let mut items = inner.store.journal(&JournalQuery::After { merchant, seq }, limit)?.items;
            if planted(Fault::EventMissed) {
                items.retain(|recorded| recorded.entry.seq.checked_rem(7) != Some(3));
            }
            Ok(items)
        })
    }

    /// All books' entries, each book's in order, from where the page before ended.
    pub fn all_events(&self, after: Option<Cursor>, limit: usize) -> Read<Page<Recorded>> {
        self.read(move |inner| Ok(inner.store.journal(&JournalQuery::All { after }, limit)?))
    }

    /// Where the journal over all books ends now, for [`Ledger::all_events`]: what is committed from now on comes after
    /// it. Costs the same however long the journal is.
    pub fn events_end(&self) -> Read<Cursor> {
        self.read(move |inner| {
            let end = inner.store.journal(&JournalQuery::End, 0)?;
            end.next.ok_or_else(|| Error::Internal("the end of all books without a cursor".to_owned()))
        })
    }

    /// Replays a book's journal and compares it with every stored row; names the first difference.
    pub fn check(&self, merchant: MerchantId) -> Read<CheckReport> {
        self.read(move |inner| check(&*inner.store, merchant))
    }

    /// Merchants who have a book, by id, after `after`, at most `limit`.
    pub fn merchants(&self, after: Option<MerchantId>, limit: usize) -> Read<Vec<MerchantId>> {
        self.read(move |inner| {
            let books = inner.store.books(&BookQuery::After(after), limit)?;
            Ok(books.into_iter().map(|(merchant, _)| merchant).collect())
        })
    }

    /// Settles what is due in all books, at most `most` of them; says what that was, and in how many books.
    pub fn run_due_everywhere(&self, most: usize) -> Read<(DueSettled, usize)> {
        self.read(move |inner| {
            let mut total = DueSettled::default();
            let due = inner.store.books(&BookQuery::Due(inner.clock.now()), most)?;
            for (merchant, _) in &due {
                let settled = inner.settle(*merchant)?;
                total.expired = total.expired.saturating_add(settled.expired);
                total.accepted = total.accepted.saturating_add(settled.accepted);
                total.matured = total.matured.saturating_add(settled.matured);
            }
            Ok((total, due.len()))
        })
    }
}

impl Inner {
    /// The rows of a book, after all that is due on it was settled.
    pub(super) fn settled(&self, merchant: MerchantId, needs: &Needs) -> Result<Book, Error> {
        let book = self.store.book(merchant, needs)?;
        if !book.is_due(self.clock.now()) {
            return Ok(book);
        }
        self.settle(merchant)?;
        Ok(self.store.book(merchant, needs)?)
    }

    pub(super) fn statement(
        &self,
        merchant: MerchantId,
        id: DepositId,
        after: Option<&Cursor>,
        limit: usize,
    ) -> Result<Option<Statement>, Error> {
        let needs = Needs { deposits: [id].into(), ..Needs::default() };
        let book = self.settled(merchant, &needs)?;
        let Some(deposit) = book.deposits.get(&id) else { return Ok(None) };
        let start = (book.head.seq.saturating_add(1), deposit.balance_minor);
        let (mut seq, mut balance) = after.map(|after| parse_statement_cursor(after, id)).transpose()?.unwrap_or(start);
        let first = deposit.first_seq();
        let mut statement = Statement { lines: Vec::new(), next: None };
        let mut looked = 0_usize;
        while seq > first {
            if statement.lines.len() >= limit || looked >= STATEMENT_REACH {
                statement.next = Some(Cursor(format!("statement:{id}:{seq}:{balance}")));
                break;
            }
            let page = self.store.journal(&JournalQuery::Before { merchant, seq: Some(seq) }, limit.clamp(16, 512))?;
            for recorded in page.items {
                if statement.lines.len() >= limit {
                    break;
                }
                looked = looked.saturating_add(1);
                let entry = recorded.entry;
                seq = entry.seq;
                let amount = StatementLine::moved_minor(&entry, id);
                if amount != 0 {
                    statement.lines.push(StatementLine::of(&entry, amount, balance, deposit.currency));
                    balance = balance.saturating_sub(amount);
                }
            }
        }
        Ok(Some(statement))
    }
}

fn parse_statement_cursor(cursor: &Cursor, deposit: DepositId) -> Result<(u64, i64), Error> {
    let foreign = || StoreError::Foreign(format!("cursor {:?} is not of this deposit's statement", cursor.0));
    let own = cursor.0.strip_prefix(&format!("statement:{deposit}:"));
    let (seq, balance) = own.and_then(|rest| rest.split_once(':')).ok_or_else(foreign)?;
    Ok((seq.parse().map_err(|_| foreign())?, balance.parse().map_err(|_| foreign())?))
}

fn take_texts(texts: &mut LeadTexts, json: &str) -> Result<(), serde_json::Error> {
    let Value::Object(fields) = serde_json::from_str(json)? else { return Ok(()) };
    for (name, value) in fields {
        match name.as_str() {
            "customer" => texts.customer = serde_json::from_value(value)?,
            "product" => texts.product = serde_json::from_value(value)?,
            "feedback" => texts.feedback = serde_json::from_value(value)?,
            "reason" => texts.reason = serde_json::from_value(value)?,
            _ => {}
        }
    }
    Ok(())
}
