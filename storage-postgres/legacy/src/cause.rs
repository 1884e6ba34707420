//! Why something in the ledger is not as it is in the tables: every cause has a code, and a rule that was followed.

macro_rules! causes {
    ($($(#[$doc:meta])* $name:ident = $code:literal, $rule:literal;)*) => {
        /// Why a row did not come in as it is, or what about it a person should know. Codes are permanent.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        #[allow(missing_docs)] // each one's rule says it
        pub enum Cause {$( #[doc = $rule] $name, )*}

        impl Cause {
            /// All of them.
            pub const ALL: &'static [Self] = &[$( Self::$name ),*];

            /// The permanent code.
            pub fn code(self) -> &'static str {
                match self {$( Self::$name => $code, )*}
            }

            /// What is the matter, and what was done.
            pub fn rule(self) -> &'static str {
                match self {$( Self::$name => $rule, )*}
            }
        }
    };
}

causes! {
    // Any table.
    IdUnusable = "id_unusable", "An id that the row needs is missing or is not a UUID: left out.";
    RowTwice = "row_twice", "The same row is there more than once: it counts once.";
    RowsDiffer = "rows_differ", "Rows with the same id differ, and nothing tells which one holds: all are left out.";
    ForeignCampaign = "foreign_campaign",
        "The campaign has settings with another merchant only: it comes in here too, with the defaults.";
    // Campaigns.
    CampaignWithoutSettings = "campaign_without_settings", "The campaign has no settings: it has the defaults.";
    SettingMissing = "setting_missing", "The value is null: the default holds.";
    SettingUnusable = "setting_unusable", "The value is out of its bounds: the default holds.";
    SettingsConflict = "settings_conflict", "The campaign has several, different settings: the defaults hold.";
    PauseUnclear = "pause_unclear",
        "The campaign is off and its deposit is empty, so that nothing tells whether a person paused it: it comes in as \
         paused by a person, and only a person resumes it.";
    // Agreements.
    AgreementNotActive = "agreement_not_active", "The agreement is not active: left out.";
    AgreementStatusUnknown = "agreement_status_unknown", "The agreement's status is unknown: left out.";
    AgreementUnusable = "agreement_unusable", "The share or the delay is out of its bounds: left out.";
    AgreementConflict = "agreement_conflict",
        "Several active agreements differ for the same partner and scope: all are left out, and the campaign's default \
         share applies until one is set.";
    // Partners, of agreements and of leads.
    PartnerMissing = "partner_missing", "Neither an influencer nor a commercial is named: left out.";
    PartnerDouble = "partner_double", "An influencer and a commercial are named, and they differ: left out.";
    // Deposits.
    SeveralActive = "several_active",
        "A newer deposit is active for the same scope: this one comes in as closed, its balance moved there.";
    Superseded = "superseded",
        "Another deposit is in use for the same scope: this one, depleted or suspended, comes in as closed, its balance \
         moved there.";
    ReservedWrong = "reserved_wrong", "What is reserved is not the sum over pending leads: that sum holds.";
    BalanceNegative = "balance_negative", "The balance is negative: it comes in as zero, and no debt with it.";
    BalanceUnreadable = "balance_unreadable", "The balance is no amount: it comes in as zero.";
    InitialUnusable = "initial_unusable", "The initial amount is no positive amount: levels are measured by the balance.";
    DepositStatusUnknown = "deposit_status_unknown", "The deposit's status is unknown: it comes in as suspended.";
    DepletedWithBalance = "depleted_with_balance",
        "The deposit says that it is depleted and has money: it comes in as active, and its level tells how low it is.";
    AutoRechargeUnusable = "auto_recharge_unusable",
        "The automatic recharge lacks a positive threshold, or an amount of at least 1000.00: it comes in switched off.";
    ThresholdNotKept = "threshold_not_kept",
        "The alert threshold is not the default: alerts go by levels of the initial amount instead.";
    // Lines of statements.
    ChainStart = "chain_start", "The first line does not begin at zero: lines before it are missing.";
    ChainBreak = "chain_break", "The line does not begin where the one before ends.";
    LineSum = "line_sum", "The balance before and the amount do not make the balance after.";
    ChainEnd = "chain_end", "The last line does not end at the deposit's balance: the balance holds.";
    ChainMissing = "chain_missing", "The deposit has had money and has no lines.";
    LineOrphan = "line_orphan", "The line's deposit is not there: left out.";
    LineMerchant = "line_merchant", "The line names another merchant than its deposit: it is kept with the deposit.";
    LineLeadUnknown = "line_lead_unknown", "The line names a lead that is not there: it is kept.";
    LineTypeUnknown = "line_type_unknown", "The line's type is unknown: left out.";
    LineUnreadable = "line_unreadable", "An amount or the time of the line cannot be read: left out.";
    MethodUnknown = "method_unknown", "The payment method is unknown: the line is kept without it.";
    ReferenceUnusable = "reference_unusable", "The payment reference is longer than 255: the line is kept without it.";
    DeductionDiffers = "deduction_differs",
        "The lines have taken another amount for this lead than its commission, if it is captured: nothing is corrected.";
    // Leads.
    NoDeposit = "no_deposit", "The merchant has no deposit for this campaign: left out.";
    LeadStatusUnknown = "lead_status_unknown", "The lead's status is unknown: left out.";
    CreatedUnreadable = "created_unreadable", "When it was created is not known: a deposit counts as the oldest, a lead is left out.";
    CommissionUnreadable = "commission_unreadable", "The commission is no amount: left out.";
    CommissionDiffers = "commission_differs",
        "The commission is not what the campaign's terms give for the value today: the row's holds.";
    CommissionTypeUnknown = "commission_type_unknown", "The commission's type is unknown: the threshold tells it.";
    PartDiffers = "part_differs", "The partner's part is not the share of the commission: the row's holds.";
    PartUnusable = "part_unusable", "The partner's part is no amount within the commission: it is computed from the share.";
    ShareUnusable = "share_unusable", "The partner's share is no percentage: that of the agreement, or of the campaign, holds.";
    ValueUnusable = "value_unusable", "The value is no amount: it comes in as zero.";
    SourceUnknown = "source_unknown", "The source is not in the list: it becomes `other`.";
    ScoreUnusable = "score_unusable", "The quality score is not 1 to 10: it comes in without one.";
    TextUnusable = "text_unusable", "The text is longer than the ledger takes: it comes in without it.";
    TimeUnreadable = "time_unreadable", "The time cannot be read: it comes in without it.";
    TimeInFuture = "time_in_future", "The time is still to come: it comes in as now.";
    DecidedUnknown = "decided_unknown", "When the lead was captured is not known: it comes in without that time.";
    PendingDecided = "pending_decided", "The lead is pending and has a time of validation: it comes in without that time.";
    DecidedBeforeCreated = "decided_before_created", "The lead was decided before it was created: it comes in as decided then.";
    LostWithoutCapture = "lost_without_capture",
        "The lead is lost without ever having been validated or paid for: it comes in as rejected.";
    PendingTooOld = "pending_too_old", "The lead is pending beyond its window: it comes in as expired.";
    PendingTooOldAccepting = "pending_too_old_accepting",
        "The lead is pending beyond its window, and its campaign would have validated it then: it comes in as expired, \
         unless the import is told to let the campaign have its way.";
    PendingUncovered = "pending_uncovered",
        "The balance does not cover the commission of this pending lead beside those of the older ones: left out.";
    BalanceRaised = "balance_raised",
        "The balance does not cover the pending leads: as the import was told, it comes in higher.";
    // The run.
    ChangedSince = "changed_since", "The book is there already, and the tables say something else by now: left as it is.";
    OtherBook = "other_book", "The merchant has a book that no import made: left as it is.";
    Refused = "refused", "The ledger refused the opening: the book is not there.";
}
