//! The journal in hledger's language: strict enough for `hledger check --strict`.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write;

use chrono::NaiveDate;

use crate::account::Account;
use crate::export::accounting::{Language, Named, Transaction, amount, shown};
use crate::hex::hex;
use crate::ids::MerchantId;
use crate::money::Currency;

pub(super) struct Hledger;

impl Language for Hledger {
    fn name(&self, merchant: MerchantId, account: Account) -> String {
        match account {
            Account::Payments(method) => format!("assets:payments:{}", method.name()),
            Account::Receivable => format!("assets:receivable:{merchant}"),
            Account::Deposit(id) => format!("liabilities:merchants:{merchant}:deposit:{id}"),
            Account::Held(id) => format!("liabilities:merchants:{merchant}:partner:{id}:held"),
            Account::Payable(id) => format!("liabilities:merchants:{merchant}:partner:{id}:payable"),
            Account::InPayout(id) => format!("liabilities:merchants:{merchant}:partner:{id}:in_payout"),
            Account::Commission => "income:commission".to_owned(),
            Account::Losses => "expenses:losses".to_owned(),
            Account::Adjustments => "expenses:adjustments".to_owned(),
            Account::Opening => "assets:payments:opening".to_owned(),
        }
    }

    fn opening(&self, accounts: &BTreeMap<Named, NaiveDate>) -> String {
        let mut text = "; leadledger books for hledger\ndecimal-mark .\n".to_owned();
        let currencies: BTreeSet<Currency> = accounts.keys().map(|(_, currency)| *currency).collect();
        for currency in currencies {
            // The mark must be there even where no decimals follow it.
            let decimals = usize::try_from(currency.decimals()).unwrap_or_default();
            _ = writeln!(text, "commodity {currency} 1000.{}", "0".repeat(decimals));
        }
        let names: BTreeSet<&str> = accounts.keys().map(|(name, _)| name.as_str()).collect();
        for name in names {
            _ = writeln!(text, "account {name}");
        }
        text
    }

    fn transaction(&self, transaction: &Transaction<'_>) -> String {
        let Transaction { date, recorded, postings } = transaction;
        let (seq, kind, merchant) = (recorded.entry.seq, recorded.entry.kind.name(), recorded.merchant);
        let mut text = format!("\n{date} ({}) {seq} {kind}  ; merchant:{merchant}, seq:{seq}", hex(&recorded.hash));
        if let Some(lead) = transaction.lead() {
            _ = write!(text, ", lead:{lead}");
        }
        text.push('\n');
        let currency = postings.currency();
        for (account, minor) in postings.lines() {
            let name = self.name(merchant, *account);
            _ = writeln!(text, "    {name}  {currency} {}", amount(*minor, currency));
        }
        text
    }

    fn closing(&self, day: NaiveDate, balances: &BTreeMap<Named, i128>) -> String {
        let mut text = format!("\n{day} balances in the store\n");
        for ((name, currency), minor) in balances {
            let zero = shown(0, *currency);
            _ = writeln!(text, "    {name}  {currency} {zero} = {currency} {}", shown(*minor, *currency));
        }
        text
    }
}
