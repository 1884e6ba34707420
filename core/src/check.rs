//! The ledger's own check of a book: DOMAIN.md chapter 11, by replay.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Debug;
use std::hash::Hash as StdHash;

use crate::account::Account;
use crate::book::{Book, Keyed};
use crate::entry::{Fact, Hash, ShortHash};
use crate::error::Error;
use crate::ids::{LeadId, MerchantId};
use crate::lead::{Lead, LeadStatus};
use crate::money::Currency;
use crate::pages::Pages;
use crate::rows::Rows;
use crate::store::{Needs, Store};

/// What a check that found no difference looked at.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CheckReport {
    /// Whose book.
    pub merchant: MerchantId,
    /// Entries replayed.
    pub entries: u64,
    /// Leads compared.
    pub leads: u64,
    /// Accounts whose balance is the sum of their postings.
    pub accounts: u64,
    /// The last entry's hash.
    pub head: Hash,
}

/// Entries in one page of a replay.
const PAGE: usize = 1_000;

/// Replays the journal from empty and compares with every stored row; verifies numbers, hashes and sums.
pub(crate) fn check(store: &dyn Store, merchant: MerchantId) -> Result<CheckReport, Error> {
    let stored = store.book(merchant, &Needs { everything: true, ..Needs::default() })?;
    let differs = |difference: String| Error::CheckFailed { merchant, difference };
    let mut replayed = Book::complete(merchant);
    let mut sums: BTreeMap<(Currency, Account), i128> = BTreeMap::new();
    let with_private: BTreeSet<u64> = stored.private.iter().map(|private| private.seq).collect();
    let mut digests: BTreeMap<(u64, Option<LeadId>), ShortHash> = BTreeMap::new();
    // Only as far as the state that was read: commands may go on meanwhile.
    let mut pages = Pages::new(merchant, PAGE);
    while replayed.head.seq < stored.head.seq {
        let mut keys = BTreeMap::new();
        for recorded in pages.page(store, &stored.head)? {
            let entry = &recorded.entry;
            replayed.apply(entry, recorded.hash).map_err(|broken| differs(broken.to_string()))?;
            for (account, amount) in entry.lines() {
                let currency = entry.postings.as_ref().map_or(Currency::MAD, crate::account::Postings::currency);
                let sum = sums.entry((currency, *account)).or_default();
                *sum = sum.saturating_add(i128::from(*amount));
            }
            if with_private.contains(&entry.seq) {
                digests.extend(entry.private_digest.map(|digest| ((entry.seq, None), digest)));
                let imported = entry.facts.iter().filter_map(|fact| match fact {
                    Fact::LeadImported(imported) => Some(((entry.seq, Some(imported.lead)), imported.digest()?)),
                    _ => None,
                });
                digests.extend(imported);
            }
            if let Some(key) = &entry.key {
                keys.insert(key.clone(), entry.seq);
            }
        }
        let needs = Needs { keys: keys.keys().cloned().collect(), ..Needs::default() };
        let known = if keys.is_empty() { None } else { Some(store.book(merchant, &needs)?) };
        for (key, seq) in keys {
            let found = known.as_ref().and_then(|book| book.keys.get(&key));
            if found.map(|keyed: &Keyed| keyed.entry.seq) != Some(seq) {
                return Err(differs(format!("key {key} does not lead to entry {seq}")));
            }
        }
    }
    compare(&replayed, &stored).map_err(differs)?;
    balances(&stored, &sums).map_err(differs)?;
    reservations(&stored).map_err(differs)?;
    for private in &stored.private {
        let of_entry = || digests.get(&(private.seq, None));
        let digest = digests.get(&(private.seq, private.lead)).or_else(of_entry);
        if digest != Some(&private.digest()) {
            return Err(differs(format!("the private text of entry {} is not the one it was made with", private.seq)));
        }
    }
    Ok(CheckReport {
        merchant,
        entries: stored.head.seq,
        leads: u64::try_from(stored.leads.iter().count()).unwrap_or(u64::MAX),
        accounts: u64::try_from(sums.len()).unwrap_or(u64::MAX),
        head: stored.head.hash,
    })
}

fn compare(replayed: &Book, stored: &Book) -> Result<(), String> {
    if replayed.head.hash != stored.head.hash || replayed.head.seq != stored.head.seq {
        return Err("the head is not the last entry".to_owned());
    }
    if (replayed.head.receipt, replayed.head.last_at, replayed.head.day)
        != (stored.head.receipt, stored.head.last_at, stored.head.day)
    {
        return Err("the head's time, day or receipt is not the last entry's".to_owned());
    }
    let next = replayed.due.first_key_value().map(|(due, _)| due.at);
    if let Some(next) = next
        && stored.head.next_due.is_none_or(|stored| stored > next)
    {
        return Err(format!("something is due at {next}, and the head does not say so"));
    }
    same("campaign", &replayed.campaigns, &stored.campaigns)?;
    same("deposit", &replayed.deposits, &stored.deposits)?;
    same("platform", &replayed.platform, &stored.platform)?;
    same("partner", &replayed.partners, &stored.partners)?;
    same("agreement", &replayed.agreements, &stored.agreements)?;
    same("lead", &replayed.leads, &stored.leads)?;
    same("top-up", &replayed.top_ups, &stored.top_ups)?;
    same("payout", &replayed.payouts, &stored.payouts)?;
    same("day", &replayed.days, &stored.days)?;
    same("reference", &replayed.references, &stored.references)?;
    if replayed.due != stored.due {
        return Err("the due list is not that of the leads".to_owned());
    }
    Ok(())
}

fn same<K, V>(what: &str, replayed: &Rows<K, V>, stored: &Rows<K, V>) -> Result<(), String>
where
    K: Clone + Debug + Eq + Ord + StdHash,
    V: Debug + PartialEq,
{
    let rows = |rows: &Rows<K, V>| rows.iter().map(|(id, _)| id.clone()).collect::<std::collections::BTreeSet<_>>();
    for id in rows(replayed).union(&rows(stored)) {
        let (expected, found) = (replayed.get(id), stored.get(id));
        if expected != found {
            return Err(format!("{what} {id:?}: replay gives {expected:?}, the store has {found:?}"));
        }
    }
    Ok(())
}

fn balances(stored: &Book, sums: &BTreeMap<(Currency, Account), i128>) -> Result<(), String> {
    let mut totals: BTreeMap<Currency, i128> = BTreeMap::new();
    for ((currency, account), sum) in sums {
        let total = totals.entry(*currency).or_default();
        *total = total.saturating_add(*sum);
        let balance = i128::from(stored.balance_minor(*currency, *account));
        if balance != *sum {
            return Err(format!("account {account} has {balance} minor units, its postings sum to {sum}"));
        }
    }
    match totals.iter().find(|(_, total)| **total != 0) {
        Some((currency, total)) => Err(format!("all postings in {currency} sum to {total}")),
        None => Ok(()),
    }
}

pub(crate) fn reservations(stored: &Book) -> Result<(), String> {
    let mut pending: BTreeMap<_, i128> = BTreeMap::new();
    let is_pending = |lead: &&Lead| lead.status == LeadStatus::Pending;
    for lead in stored.leads.iter().map(|(_, lead)| lead).filter(is_pending) {
        let sum = pending.entry(lead.deposit).or_default();
        *sum = sum.saturating_add(i128::from(lead.commission_minor));
    }
    for (id, deposit) in stored.deposits.iter() {
        let sum = pending.get(id).copied().unwrap_or(0);
        if i128::from(deposit.reserved_minor) != sum {
            return Err(format!("deposit {id} reserves {}, its pending leads {sum}", deposit.reserved_minor));
        }
        if deposit.reserved_minor < 0 || deposit.reserved_minor > deposit.balance_minor {
            return Err(format!("deposit {id} breaks 0 <= reserved <= balance"));
        }
    }
    Ok(())
}
