//! The rows that entries touch when they are folded into a book that is loaded in part.

use crate::account::Account;
use crate::entry::{Entry, Fact};
use crate::store::Needs;

impl Needs {
    /// What [`Book::adopt`](crate::Book::adopt) needs to take in these entries, one after the other.
    pub fn of_entries<'e>(entries: impl IntoIterator<Item = &'e Entry>) -> Self {
        let mut needs = Self::default();
        for entry in entries {
            let postings = entry.postings.iter();
            for (currency, account) in postings
                .flat_map(|postings| postings.lines().iter().map(|(account, _)| (postings.currency(), *account)))
            {
                match account {
                    Account::Deposit(id) => _ = needs.deposits.insert(id),
                    Account::Held(id) | Account::Payable(id) | Account::InPayout(id) => {
                        needs.partners.insert((id, currency));
                    }
                    Account::Payments(_)
                    | Account::Commission
                    | Account::Receivable
                    | Account::Losses
                    | Account::Adjustments
                    | Account::Opening => {}
                }
            }
            entry.facts.iter().for_each(|fact| needs.add_fact(fact));
        }
        needs
    }

    fn add_fact(&mut self, fact: &Fact) {
        match fact {
            Fact::DepositOpened { deposit, .. }
            | Fact::PaidIn { deposit, .. }
            | Fact::DepositSuspended { deposit, .. }
            | Fact::DepositResumed { deposit, .. }
            | Fact::DepositClosed { deposit, .. }
            | Fact::AlertSettingsSet { deposit, .. }
            | Fact::AutoTopUpSet { deposit, .. }
            | Fact::AutoTopUpRequested { deposit, .. }
            | Fact::AlertRaised { deposit, .. }
            | Fact::AlertCleared { deposit, .. } => _ = self.deposits.insert(*deposit),
            Fact::LeadCreated { lead, deposit, partner, currency, .. } => {
                self.leads.insert(*lead);
                self.missed.insert(*lead);
                self.deposits.insert(*deposit);
                // It may be validated by one of the next entries.
                self.partners.insert((*partner, *currency));
            }
            Fact::LeadValidated { lead, .. }
            | Fact::LeadRejected { lead }
            | Fact::LeadExpired { lead }
            | Fact::LeadConverted { lead }
            | Fact::LeadLost { lead }
            | Fact::PartMatured { lead, .. }
            | Fact::CustomerErased { lead } => _ = self.leads.insert(*lead),
            Fact::DepositImported(came) => _ = self.deposits.insert(came.deposit),
            Fact::LeadImported(came) => {
                self.leads.insert(came.lead);
                self.deposits.insert(came.deposit);
                self.partners.insert((came.partner, came.currency));
            }
            Fact::LeadReversed { lead, .. } => {
                self.leads.insert(*lead);
                self.reversals.insert(*lead);
            }
            Fact::TopUpSucceeded { top_up, deposit, reference, .. } => {
                self.top_ups.insert(*top_up);
                self.deposits.insert(*deposit);
                self.references.insert(reference.clone());
            }
            Fact::ReferenceAttached { top_up, reference } => {
                self.top_ups.insert(*top_up);
                self.references.insert(reference.clone());
            }
            Fact::DisputeWon { top_up, deposit } => {
                self.top_ups.insert(*top_up);
                self.deposits.insert(*deposit);
            }
            Fact::TopUpBegun { top_up, .. }
            | Fact::TopUpFailed { top_up }
            | Fact::TopUpCancelled { top_up }
            | Fact::TopUpRefunded { top_up, .. }
            | Fact::TopUpDisputed { top_up, .. }
            | Fact::DisputeLost { top_up } => _ = self.top_ups.insert(*top_up),
            Fact::PayoutRequested { payout, partner, currency, .. } => {
                self.payouts.insert(*payout);
                self.partners.insert((*partner, *currency));
            }
            Fact::PayoutSettled { payout, .. } | Fact::PayoutCancelled { payout } => _ = self.payouts.insert(*payout),
            Fact::AgreementSet { partner, campaign, .. } => _ = self.agreements.insert((*partner, *campaign)),
            Fact::CampaignRegistered { .. }
            | Fact::CampaignUpdated { .. }
            | Fact::CampaignPaused { .. }
            | Fact::CampaignResumed { .. }
            | Fact::WrittenOff { .. }
            | Fact::DueSettled { .. }
            | Fact::LineKept(_) => {}
        }
    }
}
