//! The store's contract: what the engine asks of a place that keeps books. Each sentence here has a case in
//! [`crate::conformance`].
//!
//! A store is blocking and shared between threads. It keeps no rule of the domain: it loads rows, hands them to
//! `work` under the books' locks, and writes what changed, all or nothing.

use std::collections::{BTreeMap, BTreeSet};

use chrono::NaiveDate;
use serde::{Deserialize, Serialize};

use crate::account::{PartnerAccounts, PlatformAccounts};
use crate::book::{Book, Head};
use crate::command::Command;
use crate::entry::Recorded;
use crate::error::StoreError;
use crate::ids::{CampaignId, DepositId, LeadId, MerchantId, PartnerId, PayoutId, TopUpId};
use crate::lead::{Lead, LeadStatus, Source};
use crate::money::Currency;
use crate::text::{Key, Reference, SubscriberName};
use crate::time::Timestamp;

/// The rows that some commands need of one book. What hangs on a row comes with it: a lead's deposit and its
/// partner's accounts, a payout's partner's accounts, a top-up's deposit and the entry that credited it; and with the
/// terms for a campaign the partner's accounts in its currency (MAD where it is not there yet), since a lead that is
/// created may be validated in the same batch.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Needs {
    /// Leads.
    pub leads: BTreeSet<LeadId>,
    /// Missed leads.
    pub missed: BTreeSet<LeadId>,
    /// Deposits that may be closed; open ones are always loaded.
    pub deposits: BTreeSet<DepositId>,
    /// Partners' terms.
    pub agreements: BTreeSet<(PartnerId, Option<CampaignId>)>,
    /// Partners' earnings.
    pub partners: BTreeSet<(PartnerId, Currency)>,
    /// Top-ups.
    pub top_ups: BTreeSet<TopUpId>,
    /// Payouts.
    pub payouts: BTreeSet<PayoutId>,
    /// Whose a reference is, for every method.
    pub references: BTreeSet<Reference>,
    /// Idempotency keys, each with its entry and private fields.
    pub keys: BTreeSet<Key>,
    /// The private fields of these leads.
    pub private: BTreeSet<LeadId>,
    /// The days on which these leads were decided, of the book and of their deposits, as far as they are over.
    pub reversals: BTreeSet<LeadId>,
    /// Days that are over, from one to another, of the book and of its open deposits; and of each of them the last
    /// one before.
    pub days: Option<(NaiveDate, NaiveDate)>,
    /// All partners' earnings.
    pub all_partners: bool,
    /// Missed leads by day.
    pub missed_days: bool,
    /// The private fields of the entries with these numbers: made for a page of the journal, and costs what lies between
    /// the first and the last.
    pub private_of: BTreeSet<u64>,
    /// A page of the missed leads by id: after this one (none: from the first), at most so many.
    pub missed_page: Option<(Option<LeadId>, usize)>,
    /// All rows of the book, whatever else is asked for; but for idempotency keys and the entries that repeated
    /// commands are answered with: it is for reading, not for deciding.
    pub everything: bool,
}

impl Needs {
    /// Adds what deciding on `command` with `key` needs.
    pub fn add(&mut self, command: &Command, key: Option<&Key>) {
        self.keys.extend(key.cloned());
        match command {
            Command::CreateLead(command) => {
                self.leads.extend(command.lead);
                self.missed.extend(command.lead);
                self.agreements.insert((command.partner, Some(command.campaign)));
                self.agreements.insert((command.partner, None));
            }
            Command::ValidateLead(command) => _ = self.leads.insert(command.lead),
            Command::RejectLead(command) => _ = self.leads.insert(command.lead),
            Command::ConvertLead(command) => _ = self.leads.insert(command.lead),
            Command::LoseLead(command) => _ = self.leads.insert(command.lead),
            Command::ReverseLead(command) => {
                self.leads.insert(command.lead);
                self.reversals.insert(command.lead);
            }
            Command::EraseCustomer(command) => _ = self.leads.insert(command.lead),
            Command::OpenDeposit(command) => self.deposits.extend(command.deposit),
            Command::TopUpDeposit(command) => _ = self.deposits.insert(command.deposit),
            Command::AdjustDeposit(command) => _ = self.deposits.insert(command.deposit),
            Command::SetAlertSettings(command) => _ = self.deposits.insert(command.deposit),
            Command::SetAutoTopUp(command) => _ = self.deposits.insert(command.deposit),
            Command::SuspendDeposit(command) => _ = self.deposits.insert(command.deposit),
            Command::ResumeDeposit(command) => _ = self.deposits.insert(command.deposit),
            Command::CloseDeposit(command) => _ = self.deposits.insert(command.deposit),
            Command::BeginTopUp(command) => self.top_ups.extend(command.top_up),
            Command::AttachReference(command) => {
                self.top_ups.insert(command.top_up);
                self.references.insert(command.reference.clone());
            }
            Command::SucceedTopUp(command) => {
                self.top_ups.insert(command.top_up);
                self.references.insert(command.reference.clone());
                self.deposits.extend(command.deposit);
            }
            Command::FailTopUp(command) => _ = self.top_ups.insert(command.top_up),
            Command::CancelTopUp(command) => _ = self.top_ups.insert(command.top_up),
            Command::RefundTopUp(command) => _ = self.top_ups.insert(command.top_up),
            Command::DisputeTopUp(command) => _ = self.top_ups.insert(command.top_up),
            Command::LoseDispute(command) => _ = self.top_ups.insert(command.top_up),
            Command::WinDispute(command) => {
                self.top_ups.insert(command.top_up);
                self.deposits.extend(command.deposit);
            }
            Command::WriteOff(command) => {
                let currency = command.currency.unwrap_or(Currency::MAD);
                self.partners.extend(command.partner.map(|partner| (partner, currency)));
            }
            Command::RequestPayout(command) => {
                self.payouts.extend(command.payout);
                self.partners.insert((command.partner, command.currency.unwrap_or(Currency::MAD)));
            }
            Command::SettlePayout(command) => _ = self.payouts.insert(command.payout),
            Command::CancelPayout(command) => _ = self.payouts.insert(command.payout),
            Command::OpenBook(command) => {
                // The book is empty: only what may be asked for, to find it absent.
                let currency = command.currency.unwrap_or(Currency::MAD);
                self.partners.extend(command.leads.iter().map(|lead| (lead.partner, currency)));
            }
            Command::RegisterCampaign(_)
            | Command::UpdateCampaign(_)
            | Command::PauseCampaign(_)
            | Command::ResumeCampaign(_)
            | Command::SetAgreement(_)
            | Command::RunDue(_) => {}
        }
    }
}

/// What one batch needs: books in the order in which they are to be locked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Scope {
    /// What is due at this moment is loaded too.
    pub now: Timestamp,
    /// At most so many leads of what is due, of each book.
    pub due_limit: usize,
    /// Each book's needs.
    pub books: BTreeMap<MerchantId, Needs>,
}

/// The books of a batch. One that could not be loaded fails alone.
pub type Books = BTreeMap<MerchantId, Result<Box<Book>, StoreError>>;

/// Which leads to list, of one merchant.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LeadQuery {
    /// Whose.
    pub merchant: MerchantId,
    /// Only these.
    pub status: Option<LeadStatus>,
    /// Only this campaign's.
    pub campaign: Option<CampaignId>,
    /// Only this partner's.
    pub partner: Option<PartnerId>,
    /// Only from here.
    pub source: Option<Source>,
    /// In which order.
    pub order: LeadOrder,
    /// Where the page before ended.
    pub after: Option<Cursor>,
    /// At most so many.
    pub limit: usize,
}

impl LeadQuery {
    /// All of a merchant's leads, newest first.
    pub fn of(merchant: MerchantId) -> Self {
        Self {
            merchant,
            status: None,
            campaign: None,
            partner: None,
            source: None,
            order: LeadOrder::Newest,
            after: None,
            limit: 50,
        }
    }

    /// Whether a lead passes the filters.
    pub fn admits(&self, lead: &Lead) -> bool {
        self.status.is_none_or(|status| status == lead.status)
            && self.campaign.is_none_or(|campaign| campaign == lead.campaign)
            && self.partner.is_none_or(|partner| partner == lead.partner)
            && self.source.is_none_or(|source| source == lead.source)
    }
}

/// The order of a list of leads.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum LeadOrder {
    /// The last one created first.
    #[default]
    Newest,
    /// Pending ones only, the one that expires first before the others.
    ReviewPriority,
}

/// Where a page ended: opaque, valid only in the store that gave it.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Cursor(pub String);

/// A page of a list. A filter that admits few can make a page short, even empty, with more to come: only a page
/// without `next` is the last.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Page<T> {
    /// What was found, in order.
    pub items: Vec<T>,
    /// Where the next page begins; none after the last.
    pub next: Option<Cursor>,
}

/// Which part of the journal to read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum JournalQuery {
    /// One book's entries after a number, in order.
    After {
        /// Whose.
        merchant: MerchantId,
        /// 0 for the first.
        seq: u64,
    },
    /// One book's entries before a number, the last one first; none: from the head.
    Before {
        /// Whose.
        merchant: MerchantId,
        /// Not included.
        seq: Option<u64>,
    },
    /// All books' entries, each book's in order, none skipped, none that was rolled back.
    All {
        /// Where the page before ended.
        after: Option<Cursor>,
    },
    /// No entry, but the cursor over all books at their end: it leaves out everything that a read over all books gives
    /// at this moment, and nothing else. Costs the same however long the journal is.
    End,
}

/// Which books to list.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum BookQuery {
    /// Those with something due at this moment, the longest due first.
    Due(Timestamp),
    /// All of them by merchant, after this one; none: from the first.
    After(Option<MerchantId>),
    /// These, by merchant.
    Of(BTreeSet<MerchantId>),
}

/// Accounts over all books. The rows of one answer are of one moment; a merchant's and another's answers may not be.
pub trait Totals {
    /// A partner's accounts in every book that has any, by merchant and currency.
    fn partner(&self, partner: PartnerId) -> Result<Vec<(MerchantId, Currency, PartnerAccounts)>, StoreError>;

    /// The platform's accounts in every book, by merchant and currency, after `after`, at most `limit`.
    fn platform(
        &self,
        after: Option<(MerchantId, Currency)>,
        limit: usize,
    ) -> Result<Vec<(MerchantId, Currency, PlatformAccounts)>, StoreError>;
}

/// Remembers, beside the books, how far named subscribers have got with the journal over all books.
pub trait Subscribers {
    /// How far the subscriber of this name has got; none where it never advanced.
    fn cursor(&self, name: &SubscriberName) -> Result<Option<Cursor>, StoreError>;

    /// Moves a subscriber `from` where it was read (none: where it never advanced) `to` another place, durably, and says
    /// whether it was still there: where it was not, nothing changes. Neither place is looked at. On an error nothing
    /// changes, but for [`StoreError::Unknown`], after which it may have.
    fn advance(&self, name: &SubscriberName, from: Option<&Cursor>, to: &Cursor) -> Result<bool, StoreError>;
}

/// A place that keeps books. See the module's text; every sentence below has a conformance case.
pub trait Store: Totals + Subscribers + Send + Sync + 'static {
    /// How many batches can be under way at once, each in a lane of its own; at least 1.
    fn lanes(&self) -> usize {
        1
    }

    /// One atomic transaction: locks the books of `scope` in order, loads what it needs (and, where something is due,
    /// the leads that are due), calls `work`, and writes every new entry, private text and changed row, durably, before
    /// it returns. It may call `work` again, on books loaded anew, where the ones it saw turned out to be stale: only
    /// the last call counts. Where nothing changed, nothing is written. On an error nothing is written, but for
    /// [`StoreError::Unknown`], which says that it may have been. A book that was never written is loaded empty; one
    /// whose rows cannot be read is an error of its own and does not keep the others from being worked on.
    fn transact(&self, lane: usize, scope: &Scope, work: &mut dyn FnMut(&mut Books)) -> Result<(), StoreError>;

    /// A committed state of one book, with the rows of `needs`; empty where it was never written.
    fn book(&self, merchant: MerchantId, needs: &Needs) -> Result<Book, StoreError>;

    /// A page of one merchant's leads.
    fn leads(&self, query: &LeadQuery) -> Result<Page<(LeadId, Lead)>, StoreError>;

    /// A page of the journal, at most `limit` entries, only what is committed. The cursor is for
    /// [`JournalQuery::All`], and is given even where no entry follows, and by [`JournalQuery::End`]. Over all books, an entry may be held back for as
    /// long as a transaction runs that may still write one before it.
    fn journal(&self, query: &JournalQuery, limit: usize) -> Result<Page<Recorded>, StoreError>;

    /// Books with their heads, only what is committed, at most `limit`; one that was never written is left out.
    fn books(&self, query: &BookQuery, limit: usize) -> Result<Vec<(MerchantId, Head)>, StoreError>;
}
