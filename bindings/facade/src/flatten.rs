//! The core's views made flat: what [`crate::records`] holds.

use leadledger::{
    BookView, CheckEnd, Currency, DepositId, LeadId, LeadStatus, LeadView, PayoutId, Recorded, StepEffect, Timestamp,
    TopUpId, hex, review_priority, to_decimal,
};

use crate::records::{
    AccountBalance, AccountingReport, Agreement, Balances, Book, BookMissed, BookPartner, BookPlatform, Campaign,
    CheckAllReport, CheckFailure, CheckReport, DepositBalance, EntryPage, Explanation, ExplanationEffect,
    ExplanationStep, ExportReport, ImportReport, JournalEntry, Lead, LeadPage, Moment, Payout, Posting, ProvenEntry,
    TopUp,
};

impl Lead {
    pub(crate) fn of(id: LeadId, row: &leadledger::Lead, now: Option<Timestamp>) -> Self {
        let money = |minor| to_decimal(minor, row.currency);
        let pending = row.status == LeadStatus::Pending;
        Self {
            id,
            campaign: row.campaign,
            partner: row.partner,
            deposit: row.deposit,
            currency: row.currency,
            source: row.source,
            value: money(row.value_minor),
            commission: money(row.commission_minor),
            partner_part: money(row.partner_minor),
            platform_part: money(row.platform_minor()),
            kind: row.terms.kind(),
            rate: row.terms.rate,
            share: row.terms.share,
            payout_delay_days: row.terms.payout_delay_days,
            policy_version: row.terms.policy_version,
            minimum_quality: row.terms.minimum_quality,
            on_timeout: row.terms.on_timeout,
            status: row.status,
            created_at: row.created_at,
            expires_at: row.expires_at(),
            decided_at: row.decided_at,
            score: row.score,
            part: row.part,
            matures_at: row.matures_at,
            review_priority: now.filter(|_| pending).map(|now| review_priority(row.expires_at().since(now))),
        }
    }
}

impl From<LeadView> for Lead {
    fn from(view: LeadView) -> Self {
        Self { review_priority: view.review_priority, ..Self::of(view.id, &view.lead, None) }
    }
}

impl From<leadledger::Page<LeadView>> for LeadPage {
    fn from(page: leadledger::Page<LeadView>) -> Self {
        Self { items: page.items.into_iter().map(Lead::from).collect(), next: page.next }
    }
}

impl From<leadledger::CampaignView> for Campaign {
    fn from(view: leadledger::CampaignView) -> Self {
        let (settings, policy) = (view.settings, view.settings.policy);
        let money = |minor| to_decimal(minor, policy.currency);
        Self {
            id: view.id,
            currency: policy.currency,
            policy_version: policy.version,
            minimum_value: money(policy.minimum_value_minor),
            threshold: money(policy.threshold_minor),
            rate: policy.rate,
            fixed: money(policy.fixed_minor),
            default_share: policy.default_share,
            validation_window_hours: settings.window_hours,
            minimum_quality: settings.minimum_quality,
            auto_stop: settings.auto_stop,
            on_timeout: settings.on_timeout,
            status: view.status,
        }
    }
}

impl TopUp {
    pub(crate) fn of(id: TopUpId, row: leadledger::TopUp) -> Self {
        let money = |minor| to_decimal(minor, row.currency);
        Self {
            id,
            method: row.method,
            campaign: row.campaign,
            currency: row.currency,
            amount: money(row.amount_minor),
            received: money(row.received_minor),
            refunded: money(row.refunded_minor),
            status: row.status,
            reference: row.reference.map(|reference| reference.to_string()),
            deposit: row.deposit,
            receipt: row.receipt.map(|receipt| receipt.to_string()),
        }
    }
}

impl Payout {
    pub(crate) fn of(id: PayoutId, row: leadledger::Payout) -> Self {
        let amount = to_decimal(row.amount_minor, row.currency);
        Self { id, partner: row.partner, currency: row.currency, amount, status: row.status }
    }
}

impl Book {
    /// With `now`, pending leads have their priority.
    pub(crate) fn of(view: BookView, now: Option<Timestamp>) -> Self {
        Self {
            entries: view.entries,
            deposits: view.deposits.into_values().collect(),
            leads: view.leads.iter().map(|(id, row)| Lead::of(*id, row, now)).collect(),
            campaigns: view.campaigns.into_values().map(Campaign::from).collect(),
            agreements: view
                .agreements
                .into_iter()
                .map(|((partner, campaign), row)| Agreement {
                    partner,
                    campaign,
                    share: row.share,
                    payout_delay_days: row.payout_delay_days,
                })
                .collect(),
            partners: view
                .partners
                .into_iter()
                .map(|((partner, currency), row)| BookPartner {
                    partner,
                    currency,
                    held: row.held,
                    payable: row.payable,
                    in_payout: row.in_payout,
                    paid: row.paid,
                })
                .collect(),
            top_ups: view.top_ups.into_iter().map(|(id, row)| TopUp::of(id, row)).collect(),
            payouts: view.payouts.into_iter().map(|(id, row)| Payout::of(id, row)).collect(),
            platform: view
                .platform
                .into_iter()
                .map(|(currency, row)| BookPlatform {
                    currency,
                    commission: row.commission,
                    losses: row.losses,
                    adjustments: row.adjustments,
                    receivable: row.receivable,
                })
                .collect(),
            missed: view
                .missed
                .into_iter()
                .map(|(currency, row)| BookMissed { currency, leads: row.leads, commission: row.commission })
                .collect(),
        }
    }
}

impl From<Recorded> for JournalEntry {
    fn from(recorded: Recorded) -> Self {
        let events = leadledger::Event::of(&recorded).iter().map(leadledger::Event::to_json).collect();
        let entry = &recorded.entry;
        let postings = entry.postings.as_ref();
        let posting = |(account, minor): &(leadledger::Account, i64), currency| Posting {
            account: account.to_string(),
            amount: to_decimal(*minor, currency),
        };
        Self {
            merchant: recorded.merchant,
            seq: entry.seq,
            at: entry.at,
            day: entry.day,
            kind: entry.kind.name().to_owned(),
            key: entry.key.as_ref().map(ToString::to_string),
            currency: postings.map(leadledger::Postings::currency),
            postings: postings
                .map(|moved| moved.lines().iter().map(|line| posting(line, moved.currency())).collect())
                .unwrap_or_default(),
            events,
            hash: hex(&recorded.hash),
            payload: recorded.payload,
        }
    }
}

impl From<leadledger::Page<Recorded>> for EntryPage {
    fn from(page: leadledger::Page<Recorded>) -> Self {
        Self { items: page.items.into_iter().map(JournalEntry::from).collect(), next: page.next }
    }
}

impl From<leadledger::CheckReport> for CheckReport {
    fn from(report: leadledger::CheckReport) -> Self {
        let leadledger::CheckReport { merchant, entries, leads, accounts, head } = report;
        Self { merchant, entries, leads, accounts, head: hex(&head) }
    }
}

impl From<leadledger::CheckAllReport> for CheckAllReport {
    fn from(report: leadledger::CheckAllReport) -> Self {
        let sound = report.is_sound();
        let failure = |failure: leadledger::CheckFailure| CheckFailure {
            merchant: failure.merchant,
            code: failure.error.code().to_owned(),
            message: failure.error.to_string(),
        };
        Self {
            books: report.books,
            entries: report.entries,
            leads: report.leads,
            failures: report.failures.into_iter().map(failure).collect(),
            sound,
            unlisted: match report.end {
                CheckEnd::Complete => None,
                CheckEnd::Stopped(merchant) => Some(format!("stopped before merchant {merchant}")),
                CheckEnd::Unlisted(_, fault) => Some(fault.to_string()),
            },
        }
    }
}

impl From<leadledger::Moment> for Moment {
    fn from(moment: leadledger::Moment) -> Self {
        Self { seq: moment.seq, at: moment.at, hash: hex(&moment.hash) }
    }
}

impl From<leadledger::Balances> for Balances {
    fn from(balances: leadledger::Balances) -> Self {
        let account = |((currency, account), row): ((Currency, leadledger::Account), leadledger::AccountBalance)| {
            AccountBalance {
                account: account.to_string(),
                currency,
                debit: to_decimal(row.debit_minor, currency),
                balance: row.balance,
            }
        };
        let deposit = |(deposit, row): (DepositId, leadledger::DepositBalance)| DepositBalance {
            deposit,
            campaign: row.campaign,
            currency: row.currency,
            balance: row.balance,
            reserved: row.reserved,
            available: row.available,
            closed: row.closed,
        };
        Self {
            merchant: balances.merchant,
            of: balances.of.into(),
            accounts: balances.accounts.into_iter().map(account).collect(),
            deposits: balances.deposits.into_iter().map(deposit).collect(),
        }
    }
}

impl From<leadledger::ExportReport> for ExportReport {
    fn from(report: leadledger::ExportReport) -> Self {
        let leadledger::ExportReport { books, entries, private, missed, sha256 } = report;
        Self { books, entries, private, missed, sha256: hex(&sha256) }
    }
}

impl From<leadledger::ImportReport> for ImportReport {
    fn from(report: leadledger::ImportReport) -> Self {
        let leadledger::ImportReport { books, entries, private, missed, new_books, new_entries, sha256 } = report;
        Self { books, entries, private, missed, new_books, new_entries, sha256: hex(&sha256) }
    }
}

impl From<leadledger::AccountingReport> for AccountingReport {
    fn from(report: leadledger::AccountingReport) -> Self {
        Self { books: report.books, transactions: report.transactions, balances: report.balances }
    }
}

impl From<leadledger::ProvenEntry> for ProvenEntry {
    fn from(proven: leadledger::ProvenEntry) -> Self {
        Self {
            merchant: proven.merchant,
            seq: proven.entry.seq,
            at: proven.entry.at,
            kind: proven.entry.kind.name().to_owned(),
            hash: hex(&proven.hash),
            head_seq: proven.head.seq,
            head_hash: hex(&proven.head.hash),
        }
    }
}

impl From<StepEffect> for ExplanationEffect {
    fn from(effect: StepEffect) -> Self {
        let of = |effect: &str| Self { effect: effect.to_owned(), ..Self::default() };
        match effect {
            StepEffect::AlertRaised { deposit, level, balance, available, reference } => Self {
                deposit: Some(deposit),
                level: Some(level),
                balance: Some(balance),
                available: Some(available),
                reference: Some(reference),
                ..of("alert_raised")
            },
            StepEffect::AlertCleared { deposit, level } => {
                Self { deposit: Some(deposit), level: Some(level), ..of("alert_cleared") }
            }
            StepEffect::CampaignPaused { campaign } => Self { campaign: Some(campaign), ..of("campaign_paused") },
            StepEffect::CampaignResumed { campaign } => Self { campaign: Some(campaign), ..of("campaign_resumed") },
            StepEffect::TopUpRequested { deposit, amount } => {
                Self { deposit: Some(deposit), amount: Some(amount), ..of("top_up_requested") }
            }
        }
    }
}

impl From<leadledger::Explanation> for Explanation {
    fn from(told: leadledger::Explanation) -> Self {
        use leadledger::ShareSource::{CampaignAgreement, MerchantAgreement};
        let step = |step: &leadledger::Step| ExplanationStep {
            seq: step.seq,
            at: step.at,
            kind: step.kind.name().to_owned(),
            by: step.by.name().to_owned(),
            key: step.key.as_ref().map(ToString::to_string),
            event: step.event.name().to_owned(),
            reservation: step.event.reservation().map(|change| change.name().to_owned()),
            postings: step
                .postings
                .iter()
                .map(|posting| Posting { account: posting.account.to_string(), amount: posting.amount })
                .collect(),
            effects: step.effects.iter().copied().map(ExplanationEffect::from).collect(),
        };
        Self {
            merchant: told.merchant,
            lead: told.lead,
            of: told.of.into(),
            status: told.status,
            campaign: told.campaign,
            partner: told.partner,
            deposit: told.deposit,
            currency: told.currency,
            value: told.value,
            kind: told.kind(),
            commission: told.commission,
            partner_part: told.partner_part,
            platform_part: told.platform_part,
            policy_version: told.policy_version,
            rate: told.rate,
            share: told.share,
            share_from: told.share_from.name().to_owned(),
            share_from_seq: match told.share_from {
                CampaignAgreement { seq, .. } | MerchantAgreement { seq, .. } => Some(seq),
                _ => None,
            },
            payout_delay_days: told.payout_delay_days,
            expires_at: told.expires_at,
            on_timeout: told.on_timeout,
            part: told.part,
            matures_at: told.matures_at,
            steps: told.steps.iter().map(step).collect(),
            text: told.to_string(),
        }
    }
}
