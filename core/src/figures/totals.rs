//! Figures over all books: what a partner sees of its work for every merchant, and the platform of everything.

use std::collections::BTreeMap;

use rust_decimal::Decimal;
use serde::Serialize;

use crate::account::{PartnerAccounts, PlatformAccounts};
use crate::figures::leads::LeadFigures;
use crate::figures::merchant::MoneyFigures;
use crate::figures::ratio::sum;
use crate::figures::{Tally, Turnover};
use crate::ids::PartnerId;
use crate::money::Currency;
use crate::shaped;
use crate::time::Timestamp;
use crate::top_up::Method;

shaped! {
    /// A partner's figures over all merchants, by currency.
    #[derive(Clone, Debug, PartialEq, Eq, Serialize)]
    pub struct PartnerFigures {
        /// Who.
        pub partner: PartnerId,
        /// The moment they are of.
        pub at: Timestamp,
        /// By currency, in the order of their codes; none before the first lead.
        pub currencies: Vec<PartnerCurrency>,
    }

    /// The same in one currency. Amounts are decimals of it.
    #[derive(Clone, Debug, PartialEq, Eq, Serialize)]
    pub struct PartnerCurrency {
        /// The currency.
        pub currency: Currency,
        /// How many merchants the partner brought leads to.
        pub merchants: u64,
        /// Leads.
        pub leads: LeadFigures,
        /// The partner's part of all captured commission.
        pub earned: Decimal,
        /// Before the payout delay.
        pub held: Decimal,
        /// After it; negative where the partner owes.
        pub payable: Decimal,
        /// On its way out.
        pub in_payout: Decimal,
        /// Ever paid out.
        pub paid: Decimal,
    }

    /// The platform's figures over all merchants, by currency.
    #[derive(Clone, Debug, PartialEq, Eq, Serialize)]
    pub struct PlatformFigures {
        /// The moment they are of: of each book, a moment while they were read.
        pub at: Timestamp,
        /// By currency, in the order of their codes.
        pub currencies: Vec<PlatformCurrency>,
    }

    /// The same in one currency. Amounts are decimals of it.
    #[derive(Clone, Debug, PartialEq, Eq, Serialize)]
    pub struct PlatformCurrency {
        /// The currency.
        pub currency: Currency,
        /// Merchants with accounts in it.
        pub merchants: u64,
        /// Leads.
        pub leads: LeadFigures,
        /// What leads cost merchants, and what they brought them.
        pub money: MoneyFigures,
        /// Brought in from elsewhere by books' openings.
        pub brought_in: Decimal,
        /// Ever paid in by merchants.
        pub deposited: Decimal,
        /// Refunded, or held back by disputes that were not won.
        pub refunded: Decimal,
        /// Paid back by closing.
        pub paid_back: Decimal,
        /// The platform's commission: income.
        pub commission: Decimal,
        /// Written off: expense.
        pub losses: Decimal,
        /// Given to merchants by correction: expense.
        pub adjustments: Decimal,
        /// What merchants owe.
        pub receivable: Decimal,
        /// Money at the payment providers, by method; those with none are left out.
        pub payments: BTreeMap<Method, Decimal>,
        /// What deposits and partners' accounts hold together: what the platform owes them.
        pub owed: Decimal,
    }
}

#[derive(Default)]
struct PartnerSum {
    merchants: u64,
    leads: Tally,
    held: i128,
    payable: i128,
    in_payout: i128,
    paid: i128,
}

impl PartnerFigures {
    pub(crate) fn of(
        partner: PartnerId,
        at: Timestamp,
        rows: impl IntoIterator<Item = (Currency, PartnerAccounts)>,
    ) -> Self {
        let mut sums: BTreeMap<Currency, PartnerSum> = BTreeMap::new();
        for (currency, row) in rows {
            let sum = sums.entry(currency).or_default();
            sum.merchants = sum.merchants.saturating_add(1);
            sum.leads.add(&row.leads);
            sum.held = sum.held.saturating_add(row.held_minor.into());
            sum.payable = sum.payable.saturating_add(row.payable_minor.into());
            sum.in_payout = sum.in_payout.saturating_add(row.in_payout_minor.into());
            sum.paid = sum.paid.saturating_add(row.paid_minor.into());
        }
        let shown = |(currency, own): (Currency, PartnerSum)| PartnerCurrency {
            currency,
            merchants: own.merchants,
            leads: LeadFigures::of(&own.leads, currency),
            earned: sum(own.leads.part_minor, currency),
            held: sum(own.held, currency),
            payable: sum(own.payable, currency),
            in_payout: sum(own.in_payout, currency),
            paid: sum(own.paid, currency),
        };
        Self { partner, at, currencies: sums.into_iter().map(shown).collect() }
    }
}

/// Sums of the platform's accounts, while books are read page by page.
#[derive(Default)]
pub(crate) struct PlatformSums(BTreeMap<Currency, PlatformSum>);

#[derive(Default)]
struct PlatformSum {
    merchants: u64,
    leads: Tally,
    turnover: Turnover,
    commission: i128,
    receivable: i128,
    losses: i128,
    adjustments: i128,
    opening: i128,
    payments: [i128; Method::ALL.len()],
}

impl PlatformSums {
    pub(crate) fn add(&mut self, currency: Currency, row: &PlatformAccounts) {
        let own = self.0.entry(currency).or_default();
        own.merchants = own.merchants.saturating_add(1);
        own.leads.add(&row.counts.total.leads);
        own.turnover.add(&row.counts.total.turnover);
        own.commission = own.commission.saturating_add(row.commission_minor.into());
        own.receivable = own.receivable.saturating_add(row.receivable_minor.into());
        own.losses = own.losses.saturating_add(row.losses_minor.into());
        own.adjustments = own.adjustments.saturating_add(row.adjustments_minor.into());
        own.opening = own.opening.saturating_add(row.opening_minor.into());
        for (sum, balance) in own.payments.iter_mut().zip(row.payments_minor) {
            *sum = sum.saturating_add(balance.into());
        }
    }

    pub(crate) fn figures(self, at: Timestamp) -> PlatformFigures {
        PlatformFigures { at, currencies: self.0.into_iter().map(|(currency, own)| own.figures(currency)).collect() }
    }
}

impl PlatformSum {
    fn figures(&self, currency: Currency) -> PlatformCurrency {
        let money = |minor| sum(minor, currency);
        let own = [self.commission, self.receivable, self.losses, self.adjustments, self.opening];
        // All accounts sum to zero: what these hold, debit positive, is what the others are owed.
        let owed = own.iter().chain(&self.payments).fold(0_i128, |sum, balance| sum.saturating_add(*balance));
        let payments = Method::ALL.iter().copied().zip(self.payments).filter(|(_, balance)| *balance != 0);
        PlatformCurrency {
            currency,
            merchants: self.merchants,
            leads: LeadFigures::of(&self.leads, currency),
            money: MoneyFigures::of(&self.leads, currency),
            brought_in: money(self.turnover.brought_in_minor),
            deposited: money(self.turnover.deposited_minor),
            refunded: money(self.turnover.refunded_minor),
            paid_back: money(self.turnover.paid_back_minor),
            commission: money(self.commission.saturating_neg()),
            losses: money(self.losses),
            adjustments: money(self.adjustments),
            receivable: money(self.receivable),
            payments: payments.map(|(method, balance)| (method, money(balance))).collect(),
            owed: money(owed),
        }
    }
}
