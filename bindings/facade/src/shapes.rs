//! All records and choices that cross a border, by name.

use leadledger::figures::{
    BalanceCard, CurrencyFigures, CurrencyReport, DailyReport, DayTrend, DepositFigures, LeadFigures, LevelShown,
    MerchantFigures, MissedFigures, MoneyFigures, PartnerCurrency, PartnerFigures, PlatformCurrency, PlatformFigures,
    TopPartner, TopSource, Trends,
};
use leadledger::{
    Basis, BookOpened, CampaignStatus, Cause, Channel, CommissionKind, CommissionPreview, Customer, DepositClosed,
    DepositStatus, DepositView, DueSettled, LeadCreated, LeadStatus, LeadTexts, Level, LineKind, Method, OnTimeout,
    OpeningAgreement, OpeningCampaign, OpeningDeposit, OpeningLead, OpeningLine, OpeningStatus, PartPlace, PartnerView,
    PayoutStatus, PolicyTerms, RecordShape, ReferenceKind, ReviewPriority, Source, Statement, StatementLine,
    TopUpStatus, TopUpSucceeded, WrittenOff,
};

use crate::choice::{AccountingFormat, Order, RealtimeChoice};
use crate::records as flat;
use crate::setup::{Minimums, Ready};

/// A value that is one of a few names.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Choice {
    /// The Rust type's name.
    pub name: &'static str,
    /// The names, in order.
    pub names: Vec<String>,
}

fn name_of(value: impl serde::Serialize) -> String {
    serde_json::to_value(value).ok().and_then(|name| name.as_str().map(str::to_owned)).unwrap_or_default()
}

macro_rules! choices {
    ($($type:ident),* $(,)?) => {
        /// Every choice, with the names that its values have in JSON.
        pub fn choices() -> Vec<Choice> {
            vec![$( Choice { name: stringify!($type), names: $type::ALL.iter().map(name_of).collect() } ),*]
        }
    };
}

choices! {
    Level, Channel, LeadStatus, Source, ReviewPriority, PartPlace, CommissionKind, OnTimeout, CampaignStatus, Basis,
    ReferenceKind, DepositStatus, Method, TopUpStatus, PayoutStatus, Cause, OpeningStatus, LineKind, Order,
    AccountingFormat, RealtimeChoice,
}

macro_rules! records {
    ($($($path:ident)::+,)*) => {
        /// Every record.
        pub fn records() -> Vec<RecordShape> {
            vec![$( $($path)::+::SHAPE ),*]
        }
    };
}

records! {
    LeadCreated, TopUpSucceeded, DepositClosed, WrittenOff, DueSettled, BookOpened, CommissionPreview,
    DepositView, flat::Lead, flat::LeadPage, Customer, LeadTexts, StatementLine, Statement, PartnerView,
    flat::Campaign, flat::Agreement, flat::TopUp, flat::Payout,
    flat::BookPartner, flat::BookPlatform, flat::BookMissed, flat::Book,
    flat::Posting, flat::JournalEntry, flat::EntryPage,
    flat::CheckReport, flat::CheckFailure, flat::CheckAllReport, flat::DueEverywhere,
    flat::Moment, flat::AccountBalance, flat::DepositBalance, flat::Balances,
    flat::ExplanationEffect,
    flat::ExplanationStep, flat::Explanation, flat::ProvenEntry,
    flat::ExportReport, flat::ImportReport, flat::AccountingReport,
    LevelShown, BalanceCard, LeadFigures, DepositFigures, MoneyFigures, DayTrend, TopPartner, TopSource, MissedFigures,
    Trends, CurrencyFigures, MerchantFigures, CurrencyReport, DailyReport, PartnerCurrency, PartnerFigures,
    PlatformCurrency, PlatformFigures,
    Minimums, Ready, PolicyTerms, OpeningCampaign, OpeningAgreement, OpeningDeposit, OpeningLead, OpeningLine,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_choice_has_names() {
        for choice in choices() {
            assert!(choice.names.len() > 1 && choice.names.iter().all(|name| !name.is_empty()), "{choice:?}");
        }
    }

    #[test]
    fn no_two_have_one_name() {
        let choices = choices();
        let records = records();
        let names = choices.iter().map(|choice| choice.name).chain(records.iter().map(|record| record.name));
        let distinct: std::collections::BTreeSet<_> = names.clone().collect();
        assert_eq!(distinct.len(), names.count());
    }
}
