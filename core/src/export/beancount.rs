//! The journal in beancount's language. Balances are compared without tolerance: one minor unit away does not pass.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write;

use chrono::NaiveDate;

use crate::account::Account;
use crate::export::accounting::{Language, Named, Transaction, amount, shown};
use crate::hex::hex;
use crate::ids::MerchantId;
use crate::money::Currency;
use crate::top_up::Method;

pub(super) struct Beancount;

/// A part of an account's name begins with a capital letter or a digit: an id in capitals always does.
fn part(id: uuid::Uuid) -> String {
    id.hyphenated().to_string().to_uppercase()
}

impl Language for Beancount {
    fn name(&self, merchant: MerchantId, account: Account) -> String {
        let of_merchant = |rest: String| format!("Liabilities:Merchants:{}:{rest}", part(merchant.0));
        match account {
            Account::Payments(method) => {
                let method = match method {
                    Method::Stripe => "Stripe",
                    Method::Cmi => "Cmi",
                    Method::BankTransfer => "Bank-Transfer",
                    Method::Crypto => "Crypto",
                    Method::Manual => "Manual",
                };
                format!("Assets:Payments:{method}")
            }
            Account::Receivable => format!("Assets:Receivable:{}", part(merchant.0)),
            Account::Deposit(id) => of_merchant(format!("Deposit:{}", part(id.0))),
            Account::Held(id) => of_merchant(format!("Partner:{}:Held", part(id.0))),
            Account::Payable(id) => of_merchant(format!("Partner:{}:Payable", part(id.0))),
            Account::InPayout(id) => of_merchant(format!("Partner:{}:In-Payout", part(id.0))),
            Account::Commission => "Income:Commission".to_owned(),
            Account::Losses => "Expenses:Losses".to_owned(),
            Account::Adjustments => "Expenses:Adjustments".to_owned(),
            Account::Opening => "Assets:Payments:Opening".to_owned(),
        }
    }

    fn opening(&self, accounts: &BTreeMap<Named, NaiveDate>) -> String {
        let mut text = "; leadledger books for beancount\noption \"title\" \"leadledger\"\n".to_owned();
        let mut opened: BTreeMap<&str, (NaiveDate, BTreeSet<Currency>)> = BTreeMap::new();
        for ((name, currency), day) in accounts {
            let (first, currencies) = opened.entry(name).or_insert_with(|| (*day, BTreeSet::new()));
            *first = (*first).min(*day);
            currencies.insert(*currency);
        }
        for (name, (day, currencies)) in opened {
            let codes: Vec<&str> = currencies.iter().map(Currency::code).collect();
            _ = writeln!(text, "{day} open {name} {}", codes.join(","));
        }
        text
    }

    fn transaction(&self, transaction: &Transaction<'_>) -> String {
        let Transaction { date, recorded, postings } = transaction;
        let (seq, kind, merchant) = (recorded.entry.seq, recorded.entry.kind.name(), recorded.merchant);
        let mut text = format!(
            "\n{date} * \"{seq} {kind}\"\n  merchant: \"{merchant}\"\n  seq: {seq}\n  at: \"{}\"\n  hash: \"{}\"\n",
            recorded.entry.at,
            hex(&recorded.hash)
        );
        if let Some(lead) = transaction.lead() {
            _ = writeln!(text, "  lead: \"{lead}\"");
        }
        let currency = postings.currency();
        for (account, minor) in postings.lines() {
            let name = self.name(merchant, *account);
            _ = writeln!(text, "  {name}  {} {currency}", amount(*minor, currency));
        }
        text
    }

    fn closing(&self, day: NaiveDate, balances: &BTreeMap<Named, i128>) -> String {
        // It is compared at the beginning of its day.
        let day = day.succ_opt().unwrap_or(day);
        let mut text = "\n".to_owned();
        for ((name, currency), minor) in balances {
            _ = writeln!(text, "{day} balance {name}  {} ~ 0 {currency}", shown(*minor, *currency));
        }
        text
    }
}
