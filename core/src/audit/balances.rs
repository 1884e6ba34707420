//! Every balance of a book at a past moment, as a sum over its journal.
//!
//! The sum runs forward from the first entry. From the head it would be shorter for a recent moment, but would rest on
//! stored rows, and a book can name its partners' accounts and closed deposits only when it is loaded whole. Forward,
//! it needs nothing but the journal, whose hashes are verified on the way, and keeps in memory only the accounts and
//! the leads that are pending.

use std::collections::{BTreeMap, HashMap};

use rust_decimal::Decimal;
use serde_json::{Map, Value, json};

use crate::account::Account;
use crate::audit::{AsOf, Moment, Trail};
use crate::entry::{Entry, Fact};
use crate::error::Error;
use crate::ids::{CampaignId, DepositId, LeadId, MerchantId};
use crate::lead::LeadStatus;
use crate::money::{Currency, to_decimal};
use crate::opening::OpeningStatus;

/// The balance of an account at a past moment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct AccountBalance {
    /// The sum of its postings in minor units, debit positive.
    pub debit_minor: i64,
    /// The same in the sense in which people read it: what a deposit holds, what a partner earned and the platform's
    /// commission (credits) are positive, and so are money at a provider, what the merchant owes, losses and
    /// adjustments in the merchant's favour (debits). A partner's payable is negative where the partner owes.
    pub balance: Decimal,
}

/// A deposit at a past moment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct DepositBalance {
    /// The campaign it is for; none: all that have no own.
    pub campaign: Option<CampaignId>,
    /// The currency of all amounts here.
    pub currency: Currency,
    /// Money in it.
    pub balance: Decimal,
    /// The part that pending leads held.
    pub reserved: Decimal,
    /// The rest.
    pub available: Decimal,
    /// Whether it was closed by then.
    pub closed: bool,
}

/// All balances of one book right after one entry.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Balances {
    /// Whose book.
    pub merchant: MerchantId,
    /// The entry that was the last one.
    pub of: Moment,
    /// Every account that had a posting by then, also where the sum is zero. Those of one currency sum to zero.
    pub accounts: BTreeMap<(Currency, Account), AccountBalance>,
    /// Every deposit that was opened by then, closed ones too.
    pub deposits: BTreeMap<DepositId, DepositBalance>,
}

impl Balances {
    /// The balances as JSON, amounts as strings: `{"merchant", "of", "accounts": {currency: {account: balance}},
    /// "deposits": {deposit: {...}}}`, account balances in the sense of [`AccountBalance::balance`].
    pub fn to_json(&self) -> Value {
        let mut accounts: BTreeMap<String, Map<String, Value>> = BTreeMap::new();
        for ((currency, account), row) in &self.accounts {
            let rows = accounts.entry(currency.to_string()).or_default();
            rows.insert(account.to_string(), json!(row.balance.to_string()));
        }
        let deposits = self.deposits.iter().map(|(id, row)| {
            let view = json!({
                "campaign": row.campaign,
                "currency": row.currency,
                "balance": row.balance.to_string(),
                "reserved": row.reserved.to_string(),
                "available": row.available.to_string(),
                "closed": row.closed,
            });
            (id.to_string(), view)
        });
        json!({
            "merchant": self.merchant,
            "of": self.of.to_json(),
            "accounts": accounts,
            "deposits": deposits.collect::<Map<_, _>>(),
        })
    }
}

/// Whether people read credits to the account as positive.
fn reads_credit(account: Account) -> bool {
    match account {
        Account::Deposit(_) | Account::Held(_) | Account::Payable(_) | Account::InPayout(_) | Account::Commission => {
            true
        }
        Account::Payments(_) | Account::Receivable | Account::Losses | Account::Adjustments | Account::Opening => false,
    }
}

/// A deposit while the sum runs; its balance is its account's.
struct Running {
    campaign: Option<CampaignId>,
    currency: Currency,
    reserved: i128,
    closed: bool,
}

/// The sums so far.
#[derive(Default)]
struct Sums {
    accounts: BTreeMap<(Currency, Account), i128>,
    deposits: BTreeMap<DepositId, Running>,
    pending: HashMap<LeadId, (DepositId, i64)>,
}

impl Sums {
    /// None where the entry names a lead or deposit that is not there.
    fn add(&mut self, entry: &Entry) -> Option<()> {
        if let Some(postings) = &entry.postings {
            for (account, amount) in postings.lines() {
                let sum = self.accounts.entry((postings.currency(), *account)).or_default();
                *sum = sum.checked_add(i128::from(*amount))?;
            }
        }
        for fact in &entry.facts {
            match fact {
                Fact::DepositOpened { deposit, campaign, currency } => {
                    let opened = Running { campaign: *campaign, currency: *currency, reserved: 0, closed: false };
                    self.deposits.insert(*deposit, opened);
                }
                Fact::DepositImported(came) => {
                    let closed = came.status == OpeningStatus::Closed;
                    let (campaign, currency) = (came.campaign, came.currency);
                    self.deposits.insert(came.deposit, Running { campaign, currency, reserved: 0, closed });
                }
                Fact::LeadImported(came) if came.status == LeadStatus::Pending => {
                    self.reserve(came.deposit, i128::from(came.commission))?;
                    self.pending.insert(came.lead, (came.deposit, came.commission));
                }
                Fact::DepositClosed { deposit, .. } => self.deposits.get_mut(deposit)?.closed = true,
                Fact::LeadCreated { lead, deposit, commission, .. } => {
                    self.reserve(*deposit, i128::from(*commission))?;
                    self.pending.insert(*lead, (*deposit, *commission));
                }
                Fact::LeadValidated { lead, .. } | Fact::LeadRejected { lead } | Fact::LeadExpired { lead } => {
                    let (deposit, commission) = self.pending.remove(lead)?;
                    self.reserve(deposit, i128::from(commission).checked_neg()?)?;
                }
                _ => {}
            }
        }
        Some(())
    }

    fn reserve(&mut self, deposit: DepositId, amount: i128) -> Option<()> {
        let reserved = &mut self.deposits.get_mut(&deposit)?.reserved;
        *reserved = reserved.checked_add(amount)?;
        Some(())
    }

    /// None where an amount is beyond what a book can hold.
    fn finish(self, merchant: MerchantId, of: Moment) -> Option<Balances> {
        let mut accounts = BTreeMap::new();
        for ((currency, account), sum) in &self.accounts {
            let debit_minor = i64::try_from(*sum).ok()?;
            let read = if reads_credit(*account) { debit_minor.checked_neg()? } else { debit_minor };
            let row = AccountBalance { debit_minor, balance: to_decimal(read, *currency) };
            accounts.insert((*currency, *account), row);
        }
        let mut deposits = BTreeMap::new();
        for (id, row) in self.deposits {
            let balance = accounts.get(&(row.currency, Account::Deposit(id))).map_or(0, |row| row.debit_minor);
            let balance = balance.checked_neg()?;
            let reserved = i64::try_from(row.reserved).ok()?;
            let money = |minor| to_decimal(minor, row.currency);
            let view = DepositBalance {
                campaign: row.campaign,
                currency: row.currency,
                balance: money(balance),
                reserved: money(reserved),
                available: money(balance.checked_sub(reserved)?),
                closed: row.closed,
            };
            deposits.insert(id, view);
        }
        Some(Balances { merchant, of, accounts, deposits })
    }
}

/// See [`Ledger::balances`](crate::Ledger::balances).
pub(crate) fn balances(trail: &Trail<'_>, as_of: AsOf) -> Result<Balances, Error> {
    let until = trail.resolve(as_of)?;
    let mut sums = Sums::default();
    let of = trail.replay(until, &mut |recorded| {
        let fits = sums.add(&recorded.entry);
        fits.ok_or_else(|| trail.differs(format!("entry {} names what is not there", recorded.entry.seq)))
    })?;
    let fits = sums.finish(trail.merchant, of);
    fits.ok_or_else(|| trail.differs("the postings sum to more than an account can hold"))
}
