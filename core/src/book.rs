//! A book: all of one merchant's money, leads and campaigns, and the fold of an entry into it.
//!
//! [`Book::apply`] is the only thing that changes a book; it repeats on replay exactly what it did when the entry was
//! made. Stores load the rows that a batch needs, and write those that changed.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde_json::Value;
use thiserror::Error;

use crate::account::{Account, PartnerAccounts, PlatformAccounts};
use crate::agreement::Agreement;
use crate::campaign::{Campaign, CampaignStatus};
use crate::deposit::{AutoTopUp, Deposit, DepositStatus};
use crate::entry::{Cause, Entry, Fact, Hash, Recorded, chain_hash, genesis_hash, short_hash};
use crate::faults::{Fault, planted};
use crate::figures::{Day, DayKey, Tally};
use crate::ids::{CampaignId, DepositId, LeadId, MerchantId, PartnerId, PayoutId, TopUpId};
use crate::lead::{Due, Lead, LeadStatus, LeadTerms, PartPlace};
use crate::money::Currency;
use crate::payout::{Payout, PayoutStatus};
use crate::rows::Rows;
use crate::text::{Key, Reference};
use crate::time::Timestamp;
use crate::top_up::{Method, ReceiptNumber, TopUp, TopUpStatus};

/// Where a book's journal stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Head {
    /// The last entry's number, 0 before the first.
    pub seq: u64,
    /// The last entry's hash.
    pub hash: Hash,
    /// The last entry's time: a book's time never runs backwards.
    pub last_at: Timestamp,
    /// The local day that the book is in; none before the first entry.
    pub day: Option<chrono::NaiveDate>,
    /// Nothing is due before this; none: nothing will ever be due. May be earlier than what is really due next.
    pub next_due: Option<Timestamp>,
    /// The last receipt's number.
    pub receipt: Option<ReceiptNumber>,
}

impl Head {
    /// Before the first entry.
    pub fn genesis(merchant: MerchantId) -> Self {
        Self { seq: 0, hash: genesis_hash(merchant), last_at: Timestamp::MIN, day: None, next_due: None, receipt: None }
    }

    /// Whether something is due at `now`, as far as the head tells.
    pub fn is_due(&self, now: Timestamp) -> bool {
        self.next_due.is_some_and(|next| next <= now)
    }
}

/// A lead that was refused for want of money: a figure beside the books.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Missed {
    /// The local day of the last refusal.
    pub day: chrono::NaiveDate,
    /// The currency.
    pub currency: Currency,
    /// What it would have cost.
    pub commission_minor: i64,
}

/// Missed leads of one day and currency.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct MissedDay {
    /// How many.
    pub leads: u64,
    /// What they would have cost.
    pub commission_minor: i128,
}

/// How much of what time alone will do is loaded.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DueLoaded {
    /// Only that of leads which were loaded for another reason: nothing was due.
    Some,
    /// Everything up to and with this.
    UpTo(Due),
    /// Everything.
    All,
}

/// The private fields of an entry: apart from the journal, erasable with the lead's customer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Private {
    /// The entry they came with.
    pub seq: u64,
    /// The lead they are about, if any.
    pub lead: Option<LeadId>,
    /// Random: without it nobody can guess the text from the digest in the journal.
    pub salt: [u8; 16],
    /// The fields, as JSON text.
    pub text: String,
}

impl Private {
    /// The digest that the entry's payload carries.
    pub fn digest(&self) -> [u8; 16] {
        short_hash(&self.salt, &self.text)
    }
}

/// The entry behind an idempotency key, with its private fields where they are not erased.
#[derive(Clone, Debug)]
pub struct Keyed {
    /// The entry.
    pub entry: Arc<Entry>,
    /// Its private fields.
    pub private: Option<Private>,
}

/// One merchant's book, wholly or partly loaded.
#[derive(Clone, Debug)]
pub struct Book {
    /// Whose.
    pub merchant: MerchantId,
    /// Where its journal stands.
    pub head: Head,
    /// Campaigns; always loaded whole.
    pub campaigns: Rows<CampaignId, Campaign>,
    /// Deposits; those that are open are always loaded.
    pub deposits: Rows<DepositId, Deposit>,
    /// The accounts that belong neither to a deposit nor to a partner; always loaded whole.
    pub platform: Rows<Currency, PlatformAccounts>,
    /// Partners' earnings, from their first captured lead.
    pub partners: Rows<(PartnerId, Currency), PartnerAccounts>,
    /// Partners' terms.
    pub agreements: Rows<(PartnerId, Option<CampaignId>), Agreement>,
    /// Leads.
    pub leads: Rows<LeadId, Lead>,
    /// Top-ups.
    pub top_ups: Rows<TopUpId, TopUp>,
    /// Payouts.
    pub payouts: Rows<PayoutId, Payout>,
    /// Whose a provider's reference is.
    pub references: Rows<(Method, Reference), TopUpId>,
    /// Idempotency keys that were used.
    pub keys: Rows<Key, Keyed>,
    /// Missed leads.
    pub missed: Rows<LeadId, Missed>,
    /// Days that are over, as far as somebody asked for them.
    pub days: Rows<DayKey, Day>,
    /// Missed leads and their commissions by day, where they were asked for.
    pub missed_days: BTreeMap<(Currency, chrono::NaiveDate), MissedDay>,
    /// The entries that a repeated success of a top-up answers with, by sequence number.
    pub successes: Rows<u64, Arc<Entry>>,
    /// What time alone will do, as far as it is loaded.
    pub due: BTreeMap<Due, LeadId>,
    /// How much of it is loaded.
    pub due_loaded: DueLoaded,
    /// Whether `head.next_due` was found to be later than stored.
    pub next_due_moved: bool,
    /// The private fields of the leads that were asked for.
    pub private: Vec<Private>,
    /// Entries that are not stored yet.
    pub new_entries: Vec<Recorded>,
    /// Private fields that are not stored yet.
    pub new_private: Vec<Private>,
    /// Private fields of leads that came in with an opening and are not stored yet.
    pub new_opening_private: Vec<Private>,
    /// Leads whose private fields are to be erased, as far as they came before this entry.
    pub erased: Vec<(LeadId, u64)>,
}

/// An entry that does not fit the book it is folded into: the journal is damaged.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[error("entry {seq} does not fit the book: {what}")]
pub struct Broken {
    /// Which entry.
    pub seq: u64,
    /// What does not fit.
    pub what: String,
}

impl Book {
    /// An empty book that holds everything there is.
    pub fn complete(merchant: MerchantId) -> Self {
        Self {
            merchant,
            head: Head::genesis(merchant),
            campaigns: Rows::complete(),
            deposits: Rows::complete(),
            platform: Rows::complete(),
            partners: Rows::complete(),
            agreements: Rows::complete(),
            leads: Rows::complete(),
            top_ups: Rows::complete(),
            payouts: Rows::complete(),
            references: Rows::complete(),
            keys: Rows::complete(),
            missed: Rows::complete(),
            days: Rows::complete(),
            missed_days: BTreeMap::new(),
            successes: Rows::complete(),
            due: BTreeMap::new(),
            due_loaded: DueLoaded::All,
            next_due_moved: false,
            private: Vec::new(),
            new_entries: Vec::new(),
            new_private: Vec::new(),
            new_opening_private: Vec::new(),
            erased: Vec::new(),
        }
    }

    /// A book whose small sets (campaigns, platform accounts) the store loads whole, and the others row by row.
    pub fn partial(merchant: MerchantId, head: Head) -> Self {
        Self {
            head,
            deposits: Rows::partial(),
            partners: Rows::partial(),
            agreements: Rows::partial(),
            leads: Rows::partial(),
            top_ups: Rows::partial(),
            payouts: Rows::partial(),
            references: Rows::partial(),
            keys: Rows::partial(),
            missed: Rows::partial(),
            days: Rows::partial(),
            successes: Rows::partial(),
            due_loaded: DueLoaded::Some,
            ..Self::complete(merchant)
        }
    }

    /// Makes a complete book one that is loaded in part, with what it holds: for a store that keeps it, while others may
    /// write rows that it does not hold.
    pub fn make_partial(&mut self) {
        self.deposits.make_partial();
        self.partners.make_partial();
        self.agreements.make_partial();
        self.leads.make_partial();
        self.top_ups.make_partial();
        self.payouts.make_partial();
        self.references.make_partial();
        self.keys.make_partial();
        self.missed.make_partial();
        self.days.make_partial();
        self.successes.make_partial();
        self.due_loaded = DueLoaded::Some;
    }

    /// Takes a lead as the store has it, and what is due on it.
    pub fn load_lead(&mut self, id: LeadId, lead: Option<Lead>) {
        if let Some(due) = lead.and_then(|lead| lead.due()) {
            self.due.insert(due, id);
        }
        self.leads.load(id, lead);
    }

    /// Whether a commit would write anything.
    pub fn is_changed(&self) -> bool {
        !self.new_entries.is_empty() || self.next_due_moved || self.missed.changes().next().is_some()
    }

    /// Forgets what changed, once it is stored.
    pub fn settle_changes(&mut self) {
        self.campaigns.settle_changes();
        self.deposits.settle_changes();
        self.platform.settle_changes();
        self.partners.settle_changes();
        self.agreements.settle_changes();
        self.leads.settle_changes();
        self.top_ups.settle_changes();
        self.payouts.settle_changes();
        self.references.settle_changes();
        self.keys.settle_changes();
        self.missed.settle_changes();
        self.days.settle_changes();
        self.successes.settle_changes();
        self.next_due_moved = false;
        self.new_entries.clear();
        self.new_private.clear();
        self.new_opening_private.clear();
        self.erased.clear();
    }

    /// Whether something is due at `now`, as far as the head tells.
    pub fn is_due(&self, now: Timestamp) -> bool {
        self.head.is_due(now)
    }

    /// After all that is loaded and due was settled: notes when to look next. Says whether that is after `now`.
    pub(crate) fn note_next_due(&mut self, now: Timestamp) -> bool {
        let first = self.due.first_key_value().map(|(due, _)| due.at);
        let next = match self.due_loaded {
            DueLoaded::Some => return !self.is_due(now),
            DueLoaded::All => first,
            // Beyond the horizon is more: its own time is as early as that can be.
            DueLoaded::UpTo(horizon) => Some(first.map_or(horizon.at, |at| at.min(horizon.at))),
        };
        self.next_due_moved |= next != self.head.next_due;
        self.head.next_due = next;
        !self.is_due(now)
    }

    /// The balance of a platform account, debit positive.
    pub fn platform_minor(&self, currency: Currency, account: Account) -> i64 {
        self.platform.get(&currency).and_then(|accounts| accounts.balance_minor(account)).unwrap_or(0)
    }

    /// What the merchant owes, never negative.
    pub fn debt_minor(&self, currency: Currency) -> i64 {
        self.platform_minor(currency, Account::Receivable)
    }

    /// A partner's earnings here.
    pub fn partner(&self, partner: PartnerId, currency: Currency) -> PartnerAccounts {
        self.partners.get(&(partner, currency)).copied().unwrap_or_default()
    }

    /// The balance of any account, debit positive.
    pub fn balance_minor(&self, currency: Currency, account: Account) -> i64 {
        match account {
            Account::Deposit(id) => self.deposits.get(&id).map_or(0, |deposit| deposit.balance_minor.saturating_neg()),
            Account::Held(id) => self.partner(id, currency).held_minor.saturating_neg(),
            Account::Payable(id) => self.partner(id, currency).payable_minor.saturating_neg(),
            Account::InPayout(id) => self.partner(id, currency).in_payout_minor.saturating_neg(),
            _ => self.platform_minor(currency, account),
        }
    }

    /// The open deposits of `currency`, in the order in which they were opened.
    pub fn open_deposits(&self, currency: Currency) -> Vec<DepositId> {
        let mut open: Vec<_> =
            self.deposits.iter().filter(|(_, deposit)| deposit.is_open() && deposit.currency == currency).collect();
        open.sort_by_key(|(_, deposit)| deposit.opened_seq);
        open.into_iter().map(|(id, _)| *id).collect()
    }

    /// The open deposit of exactly this scope.
    pub fn open_deposit(&self, campaign: Option<CampaignId>, currency: Currency) -> Option<DepositId> {
        let exact =
            |deposit: &Deposit| deposit.is_open() && deposit.campaign == campaign && deposit.currency == currency;
        self.deposits.iter().find(|(_, deposit)| exact(deposit)).map(|(id, _)| *id)
    }

    /// Records `entry` as the book's next: folds it in and chains its hash. `private` goes beside the journal.
    pub fn record(&mut self, entry: Entry, private: Option<Private>) -> Result<Arc<Entry>, Broken> {
        let payload = entry.to_payload();
        let hash = chain_hash(&self.head.hash, &payload);
        let entry = Arc::new(entry);
        self.take(Recorded { merchant: self.merchant, entry: Arc::clone(&entry), payload, hash }, private)?;
        Ok(entry)
    }

    /// Takes an entry that another ledger recorded as the next of this very book: its text stays as it is, to the letter.
    /// An entry of another book, or one whose hash does not follow from this head, does not fit.
    pub fn adopt(&mut self, recorded: Recorded, private: Vec<Private>) -> Result<(), Broken> {
        let broken = |what: &str| Broken { seq: recorded.entry.seq, what: what.to_owned() };
        if recorded.merchant != self.merchant {
            return Err(broken("it is of another book"));
        }
        if recorded.hash != chain_hash(&self.head.hash, &recorded.payload) {
            return Err(broken("its hash does not follow from the one before"));
        }
        let texts = recorded.texts();
        if !private.iter().all(|private| texts.bind(private)) {
            return Err(broken("the private text is not the one it was made with"));
        }
        let (opening, own): (Vec<_>, Vec<_>) = private.into_iter().partition(|private| texts.bind_opening(private));
        self.take(recorded, own.into_iter().next())?;
        self.new_opening_private.extend(opening);
        Ok(())
    }

    fn take(&mut self, recorded: Recorded, private: Option<Private>) -> Result<(), Broken> {
        let entry = &recorded.entry;
        self.apply(entry, recorded.hash)?;
        if let Some(key) = &entry.key {
            self.keys.put(key.clone(), Keyed { entry: Arc::clone(entry), private: private.clone() });
        }
        self.new_private.extend(private);
        self.new_entries.push(recorded);
        Ok(())
    }

    /// Folds an entry into the book: exactly what it says, nothing decided anew.
    pub fn apply(&mut self, entry: &Arc<Entry>, hash: Hash) -> Result<(), Broken> {
        let broken = |what: &str| Broken { seq: entry.seq, what: what.to_owned() };
        if Some(entry.seq) != self.head.seq.checked_add(1) {
            return Err(broken("its number is not the next one"));
        }
        if let Some(day) = entry.day {
            self.begin_day(day);
        }
        for fact in &entry.facts {
            if is_before_postings(fact) {
                self.apply_fact(entry, fact)?;
            }
        }
        if let Some(postings) = &entry.postings {
            for (account, amount) in postings.lines() {
                self.apply_posting(postings.currency(), *account, *amount)
                    .ok_or_else(|| broken(&format!("posting {amount} to {account}")))?;
            }
        }
        for fact in &entry.facts {
            if !is_before_postings(fact) {
                self.apply_fact(entry, fact)?;
            }
        }
        self.count_adjustment(entry).ok_or_else(|| broken("its correction is of no account"))?;
        self.head.seq = entry.seq;
        self.head.hash = hash;
        self.head.last_at = entry.at;
        Ok(())
    }

    fn apply_posting(&mut self, currency: Currency, account: Account, amount: i64) -> Option<()> {
        let credit = amount.checked_neg()?;
        let partner = |place: fn(&mut PartnerAccounts) -> &mut i64, book: &mut Self, id: PartnerId| {
            let mut accounts = book.partner(id, currency);
            let balance = place(&mut accounts);
            *balance = balance.checked_add(credit)?;
            book.partners.put((id, currency), accounts);
            Some(())
        };
        match account {
            Account::Deposit(id) => {
                let deposit = self.deposits.change(&id)?;
                deposit.balance_minor = deposit.balance_minor.checked_add(credit).filter(|balance| *balance >= 0)?;
                deposit.rearm_auto_top_up();
            }
            Account::Held(id) => partner(|accounts| &mut accounts.held_minor, self, id)?,
            Account::Payable(id) => partner(|accounts| &mut accounts.payable_minor, self, id)?,
            Account::InPayout(id) => partner(|accounts| &mut accounts.in_payout_minor, self, id)?,
            Account::Payments(_)
            | Account::Commission
            | Account::Receivable
            | Account::Losses
            | Account::Adjustments
            | Account::Opening => {
                if self.platform.get(&currency).is_none() {
                    self.platform.put(currency, PlatformAccounts::default());
                }
                let balance = self.platform.change(&currency)?.balance_mut(account)?;
                *balance = balance.checked_add(amount)?;
            }
        }
        Some(())
    }

    fn apply_fact(&mut self, entry: &Arc<Entry>, fact: &Fact) -> Result<(), Broken> {
        self.fold(entry, fact)
            .ok_or_else(|| Broken { seq: entry.seq, what: format!("{fact:?} names what is not there") })
    }

    /// None where the fact names something that the book does not have, or counts beyond its bounds.
    fn fold(&mut self, entry: &Arc<Entry>, fact: &Fact) -> Option<()> {
        match fact {
            Fact::CampaignRegistered { campaign, settings } => {
                self.campaigns.put(*campaign, Campaign { settings: *settings, status: CampaignStatus::Active });
            }
            Fact::CampaignUpdated { campaign, settings } => self.campaigns.change(campaign)?.settings = *settings,
            Fact::CampaignPaused { campaign, by } => {
                self.campaigns.change(campaign)?.status = match by {
                    Cause::Person => CampaignStatus::PausedByPerson,
                    Cause::Ledger => CampaignStatus::PausedByDepletion,
                };
            }
            Fact::CampaignResumed { campaign, .. } => self.campaigns.change(campaign)?.status = CampaignStatus::Active,
            Fact::AgreementSet { partner, campaign, share, payout_delay_days } => {
                let agreement = Agreement { share: *share, payout_delay_days: *payout_delay_days };
                self.agreements.put((*partner, *campaign), agreement);
            }
            Fact::DepositOpened { deposit, campaign, currency } => {
                self.deposits.put(*deposit, Deposit::opened(*campaign, *currency, place(entry)));
            }
            Fact::PaidIn { deposit, credited, .. } => {
                self.deposits.change(deposit)?.note_payment(*credited);
                self.count_money(entry, fact)?;
            }
            Fact::DepositSuspended { deposit, by } => {
                self.deposits.change(deposit)?.status = match by {
                    Cause::Person => DepositStatus::SuspendedByOperator,
                    Cause::Ledger => DepositStatus::SuspendedForDebt,
                };
            }
            Fact::DepositResumed { deposit, .. } => self.deposits.change(deposit)?.status = DepositStatus::Active,
            Fact::DepositClosed { deposit, .. } => {
                self.deposits.change(deposit)?.status = DepositStatus::Closed;
                self.count_money(entry, fact)?;
                self.end_deposit_day(*deposit, self.head.day?);
            }
            Fact::AlertSettingsSet { deposit, basis, reference } => {
                let deposit = self.deposits.change(deposit)?;
                deposit.basis = *basis;
                deposit.reference = *reference;
            }
            Fact::AutoTopUpSet { deposit, threshold, amount, .. } => {
                let auto = threshold.zip(*amount).map(|(threshold_minor, amount_minor)| AutoTopUp {
                    threshold_minor,
                    amount_minor,
                    requested: false,
                });
                self.deposits.change(deposit)?.auto_top_up = auto;
            }
            Fact::AutoTopUpRequested { deposit, .. } => {
                self.deposits.change(deposit)?.auto_top_up.as_mut()?.requested = true;
            }
            Fact::AlertRaised { deposit, level, .. } | Fact::AlertCleared { deposit, level } => {
                self.deposits.change(deposit)?.level = *level;
            }
            Fact::LeadCreated { .. } => self.fold_lead_created(entry, fact)?,
            Fact::LeadValidated { lead, score, .. } => {
                let mut row = self.decide_lead(entry, *lead, LeadStatus::Validated)?;
                row.score = *score;
                if row.terms.payout_delay_days > 0 {
                    row.part = PartPlace::Held;
                    row.matures_at = Some(entry.at.plus_days(row.terms.payout_delay_days));
                } else {
                    row.part = PartPlace::Payable;
                }
                self.count_lead(&row, Tally::decide)?;
                self.put_lead(*lead, row);
            }
            Fact::LeadRejected { lead } => {
                let row = self.decide_lead(entry, *lead, LeadStatus::Rejected)?;
                self.count_lead(&row, Tally::decide)?;
                self.put_lead(*lead, row);
            }
            Fact::LeadExpired { lead } => {
                let row = self.decide_lead(entry, *lead, LeadStatus::Expired)?;
                self.count_lead(&row, Tally::decide)?;
                self.put_lead(*lead, row);
            }
            Fact::LeadConverted { lead } => {
                let row = self.leads.change(lead)?;
                row.status = LeadStatus::Converted;
                let row = *row;
                self.count_outcome(&row, Tally::convert, |turnover| &mut turnover.converted)?;
            }
            Fact::LeadLost { lead } => {
                let row = self.leads.change(lead)?;
                row.status = LeadStatus::Lost;
                let row = *row;
                self.count_outcome(&row, |tally, _| tally.lose(), |turnover| &mut turnover.lost)?;
            }
            Fact::LeadReversed { lead, .. } => {
                let mut row = *self.leads.get(lead)?;
                self.take_due(&row);
                self.count_reversal(&row)?;
                row.status = LeadStatus::Reversed;
                row.part = PartPlace::Returned;
                row.matures_at = None;
                self.put_lead(*lead, row);
            }
            Fact::PartMatured { lead, .. } => {
                let mut row = *self.leads.get(lead)?;
                self.take_due(&row);
                row.part = PartPlace::Payable;
                row.matures_at = None;
                self.put_lead(*lead, row);
            }
            Fact::CustomerErased { lead } => {
                self.leads.get(lead)?;
                self.erased.push((*lead, entry.seq));
            }
            Fact::TopUpBegun { top_up, campaign, currency, amount, method } => {
                let begun = TopUp {
                    method: *method,
                    campaign: *campaign,
                    currency: *currency,
                    amount_minor: *amount,
                    received_minor: 0,
                    refunded_minor: 0,
                    status: TopUpStatus::Pending,
                    reference: None,
                    deposit: None,
                    receipt: None,
                    succeeded_seq: None,
                    begun_seq: entry.seq,
                };
                self.top_ups.put(*top_up, begun);
            }
            Fact::ReferenceAttached { top_up, reference } => {
                let row = self.top_ups.change(top_up)?;
                row.reference = Some(reference.clone());
                let method = row.method;
                self.references.put((method, reference.clone()), *top_up);
            }
            Fact::TopUpSucceeded { top_up, reference, received, deposit, receipt } => {
                let row = self.top_ups.change(top_up)?;
                row.status = TopUpStatus::Succeeded;
                row.reference = Some(reference.clone());
                row.received_minor = *received;
                row.deposit = Some(*deposit);
                row.receipt = Some(*receipt);
                row.succeeded_seq = Some(entry.seq);
                let method = row.method;
                self.references.put((method, reference.clone()), *top_up);
                self.successes.put(entry.seq, Arc::clone(entry));
                self.head.receipt = Some(*receipt);
            }
            Fact::TopUpFailed { top_up } => self.top_ups.change(top_up)?.status = TopUpStatus::Failed,
            Fact::TopUpCancelled { top_up } => self.top_ups.change(top_up)?.status = TopUpStatus::Cancelled,
            Fact::TopUpRefunded { top_up, amount } => {
                let row = self.top_ups.change(top_up)?;
                row.refunded_minor = row.refunded_minor.checked_add(*amount)?;
                if row.left_minor() == 0 {
                    row.status = TopUpStatus::Refunded;
                }
                self.count_money(entry, fact)?;
            }
            Fact::TopUpDisputed { top_up, .. } => {
                self.top_ups.change(top_up)?.status = TopUpStatus::Disputed;
                self.count_money(entry, fact)?;
            }
            Fact::DisputeWon { top_up, deposit } => {
                let row = self.top_ups.change(top_up)?;
                row.status = TopUpStatus::Succeeded;
                row.deposit = Some(*deposit);
            }
            Fact::DisputeLost { top_up } => self.top_ups.change(top_up)?.status = TopUpStatus::Refunded,
            Fact::WrittenOff { .. } | Fact::DueSettled { .. } | Fact::LineKept(_) => {}
            Fact::DepositImported(imported) => self.fold_imported_deposit(imported),
            Fact::LeadImported(imported) => self.fold_imported_lead(imported)?,
            Fact::PayoutRequested { payout, partner, currency, amount } => {
                let row = Payout {
                    partner: *partner,
                    currency: *currency,
                    amount_minor: *amount,
                    status: PayoutStatus::Requested,
                    requested_seq: entry.seq,
                };
                self.payouts.put(*payout, row);
            }
            Fact::PayoutSettled { payout, .. } => {
                let row = self.payouts.change(payout)?;
                row.status = PayoutStatus::Paid;
                let (partner, currency, amount) = (row.partner, row.currency, row.amount_minor);
                let accounts = self.partners.change(&(partner, currency))?;
                accounts.paid_minor = accounts.paid_minor.checked_add(amount)?;
            }
            Fact::PayoutCancelled { payout } => self.payouts.change(payout)?.status = PayoutStatus::Cancelled,
        }
        Some(())
    }

    fn fold_lead_created(&mut self, entry: &Arc<Entry>, fact: &Fact) -> Option<()> {
        let Fact::LeadCreated {
            lead,
            campaign,
            partner,
            deposit,
            source,
            currency,
            value,
            commission,
            part,
            policy,
            rate,
            share,
            delay_days,
            minimum_quality,
            on_timeout,
            window_hours,
        } = fact
        else {
            return None;
        };
        let row = Lead {
            campaign: *campaign,
            partner: *partner,
            deposit: *deposit,
            currency: *currency,
            source: *source,
            value_minor: *value,
            commission_minor: *commission,
            partner_minor: *part,
            terms: LeadTerms {
                policy_version: *policy,
                rate: *rate,
                share: *share,
                payout_delay_days: *delay_days,
                minimum_quality: *minimum_quality,
                on_timeout: *on_timeout,
                window_hours: *window_hours,
            },
            status: LeadStatus::Pending,
            created_at: entry.at,
            decided_at: None,
            score: None,
            part: PartPlace::None,
            matures_at: None,
            created_seq: place(entry),
        };
        let deposit = self.deposits.change(deposit)?;
        let reserved = deposit.reserved_minor.checked_add(*commission)?;
        deposit.reserved_minor = Some(reserved).filter(|reserved| *reserved <= deposit.balance_minor)?;
        if self.missed.knows(lead) && self.missed.get(lead).is_some() {
            self.missed.remove(lead);
        }
        self.count_lead(&row, Tally::create)?;
        self.put_lead(*lead, row);
        Some(())
    }

    /// Takes a pending lead out of `pending` and frees its reservation; the caller puts it back.
    fn decide_lead(&mut self, entry: &Entry, id: LeadId, status: LeadStatus) -> Option<Lead> {
        let mut row = self.leads.get(&id).copied().filter(|lead| lead.status == LeadStatus::Pending)?;
        self.take_due(&row);
        let deposit = self.deposits.change(&row.deposit)?;
        let reserved = deposit.reserved_minor.checked_sub(row.commission_minor)?;
        deposit.reserved_minor = Some(reserved).filter(|reserved| *reserved >= 0)?;
        if planted(Fault::ReleaseTwice) && status != LeadStatus::Validated {
            deposit.reserved_minor = reserved.saturating_sub(row.commission_minor).max(0);
        }
        deposit.rearm_auto_top_up();
        row.status = status;
        row.decided_at = Some(entry.at);
        Some(row)
    }

    fn take_due(&mut self, lead: &Lead) {
        if let Some(due) = lead.due() {
            self.due.remove(&due);
        }
    }

    pub(crate) fn put_lead(&mut self, id: LeadId, lead: Lead) {
        if let Some(due) = lead.due() {
            self.due.insert(due, id);
            self.head.next_due = Some(self.head.next_due.map_or(due.at, |at| at.min(due.at)));
        }
        self.leads.put(id, lead);
    }

    /// The public fields of a command, as text to compare by.
    pub(crate) fn fingerprint(command: &str, public: &Value) -> [u8; 16] {
        short_hash(command.as_bytes(), &public.to_string())
    }
}

/// Whether a fact makes what the entry's postings move.
fn is_before_postings(fact: &Fact) -> bool {
    matches!(fact, Fact::DepositOpened { .. } | Fact::DepositImported(_))
}

/// Where what an entry makes stands among its kind.
fn place(entry: &Entry) -> i64 {
    i64::try_from(entry.seq).unwrap_or(i64::MAX)
}
