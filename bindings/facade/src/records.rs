//! What reads give, flat: amounts as decimals, hashes as hexadecimal text, lists instead of maps.

use chrono::NaiveDate;
use leadledger::{
    CampaignId, CampaignStatus, CommissionKind, Currency, DepositId, DepositView, LeadId, LeadStatus, Level,
    MerchantId, Method, OnTimeout, PartPlace, PartnerId, PayoutId, PayoutStatus, Percent, ReviewPriority, Source,
    Timestamp, TopUpId, TopUpStatus, shaped,
};
use rust_decimal::Decimal;
use serde::Serialize;
use serde_json::Value;

shaped! {
    /// A lead.
    #[derive(Clone, Debug, PartialEq, Eq, Serialize)]
    pub struct Lead {
        /// Its id.
        pub id: LeadId,
        /// The campaign it was brought for.
        pub campaign: CampaignId,
        /// Who brought it.
        pub partner: PartnerId,
        /// The deposit that pays for it.
        pub deposit: DepositId,
        /// The currency of all amounts here.
        pub currency: Currency,
        /// Where it came from.
        pub source: Source,
        /// Its estimated value.
        pub value: Decimal,
        /// The commission.
        pub commission: Decimal,
        /// The partner's part of it.
        pub partner_part: Decimal,
        /// The platform's part: the rest.
        pub platform_part: Decimal,
        /// How the commission was found.
        pub kind: CommissionKind,
        /// The rate in percent, where the commission is a percentage.
        pub rate: Option<Percent>,
        /// The partner's share in percent.
        pub share: Percent,
        /// Days between validation and payable.
        pub payout_delay_days: u32,
        /// The version of the campaign's policy that it took.
        pub policy_version: u32,
        /// The least score that validates it.
        pub minimum_quality: Option<u8>,
        /// What time alone does to it.
        pub on_timeout: OnTimeout,
        /// Where it stands.
        pub status: LeadStatus,
        /// When it was created.
        pub created_at: Timestamp,
        /// When time alone decides on it, while it is pending.
        pub expires_at: Timestamp,
        /// When it left `pending`.
        pub decided_at: Option<Timestamp>,
        /// The quality score, 1 to 10.
        pub score: Option<u8>,
        /// Where the partner's part is.
        pub part: PartPlace,
        /// When a held part becomes payable.
        pub matures_at: Option<Timestamp>,
        /// How urgent it is, while it is pending.
        pub review_priority: Option<ReviewPriority>,
    }

    /// A page of leads.
    #[derive(Clone, Debug, PartialEq, Eq, Serialize)]
    pub struct LeadPage {
        /// The leads.
        pub items: Vec<Lead>,
        /// Where the next page begins; none after the last.
        pub next: Option<Cursor>,
    }

    /// A campaign.
    #[derive(Clone, Debug, PartialEq, Eq, Serialize)]
    pub struct Campaign {
        /// Its id.
        pub id: CampaignId,
        /// The currency of all amounts here.
        pub currency: Currency,
        /// The version of its policy: 1 at registration, one more with each change.
        pub policy_version: u32,
        /// A lead below it is refused.
        pub minimum_value: Decimal,
        /// From this value on the commission is `fixed`.
        pub threshold: Decimal,
        /// Below the threshold: this percent of the value.
        pub rate: Percent,
        /// The commission from the threshold on.
        pub fixed: Decimal,
        /// The partner's percent of a commission where no agreement says another.
        pub default_share: Percent,
        /// Hours that a lead waits for validation.
        pub validation_window_hours: u32,
        /// The least score that validates.
        pub minimum_quality: Option<u8>,
        /// Whether depletion pauses it.
        pub auto_stop: bool,
        /// What time alone does to a pending lead.
        pub on_timeout: OnTimeout,
        /// Whether it takes leads, and who said that it does not.
        pub status: CampaignStatus,
    }

    /// A merchant's terms with one partner.
    #[derive(Clone, Debug, PartialEq, Eq, Serialize)]
    pub struct Agreement {
        /// The partner.
        pub partner: PartnerId,
        /// The campaign they are for; none: all that have no own.
        pub campaign: Option<CampaignId>,
        /// The partner's percent of a commission.
        pub share: Percent,
        /// Days between validation and payable.
        pub payout_delay_days: u32,
    }

    /// A top-up.
    #[derive(Clone, Debug, PartialEq, Eq, Serialize)]
    pub struct TopUp {
        /// Its id.
        pub id: TopUpId,
        /// The payment method.
        pub method: Method,
        /// The campaign whose deposit it is for; none: the merchant-wide one.
        pub campaign: Option<CampaignId>,
        /// The currency of all amounts here.
        pub currency: Currency,
        /// What was intended.
        pub amount: Decimal,
        /// What was received and credited.
        pub received: Decimal,
        /// What was refunded since.
        pub refunded: Decimal,
        /// Where it stands.
        pub status: TopUpStatus,
        /// The provider's reference: attached, then the one that succeeded.
        pub reference: Option<String>,
        /// The deposit that was credited last.
        pub deposit: Option<DepositId>,
        /// The receipt's number, once it succeeded.
        pub receipt: Option<String>,
    }

    /// A payout.
    #[derive(Clone, Debug, PartialEq, Eq, Serialize)]
    pub struct Payout {
        /// Its id.
        pub id: PayoutId,
        /// To whom.
        pub partner: PartnerId,
        /// The currency.
        pub currency: Currency,
        /// How much.
        pub amount: Decimal,
        /// Where it stands.
        pub status: PayoutStatus,
    }

    /// A partner's earnings in a book, in one currency; from the first captured lead.
    #[derive(Clone, Debug, PartialEq, Eq, Serialize)]
    pub struct BookPartner {
        /// Who.
        pub partner: PartnerId,
        /// The currency.
        pub currency: Currency,
        /// Captured, before the payout delay.
        pub held: Decimal,
        /// After it; negative where the partner owes.
        pub payable: Decimal,
        /// On its way out.
        pub in_payout: Decimal,
        /// Ever paid out.
        pub paid: Decimal,
    }

    /// The platform's accounts in a book, in one currency.
    #[derive(Clone, Debug, PartialEq, Eq, Serialize)]
    pub struct BookPlatform {
        /// The currency.
        pub currency: Currency,
        /// Commission earned.
        pub commission: Decimal,
        /// Written off.
        pub losses: Decimal,
        /// Given to merchants by correction.
        pub adjustments: Decimal,
        /// Owed by the merchant.
        pub receivable: Decimal,
    }

    /// Missed leads in a book, in one currency.
    #[derive(Clone, Debug, PartialEq, Eq, Serialize)]
    pub struct BookMissed {
        /// The currency.
        pub currency: Currency,
        /// How many.
        pub leads: u64,
        /// What they would have cost.
        pub commission: Decimal,
    }

    /// One merchant's whole book. Every list is ordered by id, or by currency.
    #[derive(Clone, Debug, PartialEq, Eq, Serialize)]
    pub struct Book {
        /// How many entries its journal has.
        pub entries: u64,
        /// Deposits, closed ones too.
        pub deposits: Vec<DepositView>,
        /// Leads.
        pub leads: Vec<Lead>,
        /// Campaigns.
        pub campaigns: Vec<Campaign>,
        /// Partners' terms.
        pub agreements: Vec<Agreement>,
        /// Partners' earnings.
        pub partners: Vec<BookPartner>,
        /// Top-ups.
        pub top_ups: Vec<TopUp>,
        /// Payouts.
        pub payouts: Vec<Payout>,
        /// The platform's accounts.
        pub platform: Vec<BookPlatform>,
        /// Missed leads.
        pub missed: Vec<BookMissed>,
    }

    /// Money on an account.
    #[derive(Clone, Debug, PartialEq, Eq, Serialize)]
    pub struct Posting {
        /// The account, such as `deposit:ID` or `platform:commission`.
        pub account: String,
        /// How much, debit positive.
        pub amount: Decimal,
    }

    /// An entry of a book's journal.
    #[derive(Clone, Debug, PartialEq, Eq, Serialize)]
    pub struct JournalEntry {
        /// Whose book.
        pub merchant: MerchantId,
        /// 1, 2, 3, ... within the book.
        pub seq: u64,
        /// When it happened: for what time alone did, the due time.
        pub at: Timestamp,
        /// The local day that began with it.
        pub day: Option<NaiveDate>,
        /// The command's name, or what time alone did.
        pub kind: String,
        /// The caller's idempotency key.
        pub key: Option<String>,
        /// The currency of the postings; none where no money moved.
        pub currency: Option<Currency>,
        /// The money that moved; they sum to zero.
        pub postings: Vec<Posting>,
        /// What else it says, as events.
        pub events: Vec<Event>,
        /// The exact text that was hashed.
        pub payload: String,
        /// SHA-256 of the previous entry's hash and the payload text, in hexadecimal digits.
        pub hash: String,
    }

    /// A page of all books' entries.
    #[derive(Clone, Debug, PartialEq, Eq, Serialize)]
    pub struct EntryPage {
        /// The entries.
        pub items: Vec<JournalEntry>,
        /// Where the next page begins; none where there was none yet.
        pub next: Option<Cursor>,
    }

    /// What a check that found no difference looked at.
    #[derive(Clone, Debug, PartialEq, Eq, Serialize)]
    pub struct CheckReport {
        /// Whose book.
        pub merchant: MerchantId,
        /// Entries replayed.
        pub entries: u64,
        /// Leads compared.
        pub leads: u64,
        /// Accounts whose balance is the sum of their postings.
        pub accounts: u64,
        /// The last entry's hash, in hexadecimal digits.
        pub head: String,
    }

    /// A book that does not pass its check, or could not be read.
    #[derive(Clone, Debug, PartialEq, Eq, Serialize)]
    pub struct CheckFailure {
        /// Whose book.
        pub merchant: MerchantId,
        /// The error's code: `check_failed`, or why it could not be checked.
        pub code: String,
        /// What is wrong, for people.
        pub message: String,
    }

    /// What a check of all books found.
    #[derive(Clone, Debug, PartialEq, Eq, Serialize)]
    pub struct CheckAllReport {
        /// Books looked at, failed ones too.
        pub books: u64,
        /// Entries replayed, of books that passed.
        pub entries: u64,
        /// Leads compared, of books that passed.
        pub leads: u64,
        /// Every book that failed, by merchant.
        pub failures: Vec<CheckFailure>,
        /// Whether every book was looked at and none failed.
        pub sound: bool,
        /// Why not all books could be looked at; none where they were.
        pub unlisted: Option<String>,
    }

    /// What was due in all books and was settled, counted in leads.
    #[derive(Clone, Debug, PartialEq, Eq, Serialize)]
    pub struct DueEverywhere {
        /// Leads that expired.
        pub expired: u64,
        /// Leads that were accepted by timeout.
        pub accepted: u64,
        /// Leads whose held part became payable.
        pub matured: u64,
        /// In how many books something was due.
        pub books: u64,
    }

    /// The entry that was a book's last one at a moment.
    #[derive(Clone, Debug, PartialEq, Eq, Serialize)]
    pub struct Moment {
        /// The entry's number.
        pub seq: u64,
        /// The entry's time.
        pub at: Timestamp,
        /// The entry's hash, in hexadecimal digits.
        pub hash: String,
    }

    /// The balance of an account at a past moment.
    #[derive(Clone, Debug, PartialEq, Eq, Serialize)]
    pub struct AccountBalance {
        /// The account, such as `deposit:ID` or `platform:commission`.
        pub account: String,
        /// The currency.
        pub currency: Currency,
        /// The sum of its postings, debit positive.
        pub debit: Decimal,
        /// The same in the sense in which people read it: what a deposit holds, a partner earned or the platform took is
        /// positive, and so is money at a provider, what the merchant owes, losses, and adjustments in its favour.
        pub balance: Decimal,
    }

    /// A deposit at a past moment.
    #[derive(Clone, Debug, PartialEq, Eq, Serialize)]
    pub struct DepositBalance {
        /// Its id.
        pub deposit: DepositId,
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
    #[derive(Clone, Debug, PartialEq, Eq, Serialize)]
    pub struct Balances {
        /// Whose book.
        pub merchant: MerchantId,
        /// The entry that was the last one.
        pub of: Moment,
        /// Every account that had a posting by then. Debits of one currency sum to zero.
        pub accounts: Vec<AccountBalance>,
        /// Every deposit that was opened by then.
        pub deposits: Vec<DepositBalance>,
    }

    /// What an export of the books wrote.
    #[derive(Clone, Debug, PartialEq, Eq, Serialize)]
    pub struct ExportReport {
        /// Books.
        pub books: u64,
        /// Journal entries.
        pub entries: u64,
        /// Private texts.
        pub private: u64,
        /// Missed leads.
        pub missed: u64,
        /// SHA-256 over all lines before the trailer, in hexadecimal digits.
        pub sha256: String,
    }

    /// What an import found, and what it wrote.
    #[derive(Clone, Debug, PartialEq, Eq, Serialize)]
    pub struct ImportReport {
        /// Books in the file.
        pub books: u64,
        /// Entries in the file.
        pub entries: u64,
        /// Private texts in the file.
        pub private: u64,
        /// Missed leads in the file.
        pub missed: u64,
        /// Books that were not there before, or not whole.
        pub new_books: u64,
        /// Entries that were not there before.
        pub new_entries: u64,
        /// SHA-256 over all lines before the trailer, in hexadecimal digits.
        pub sha256: String,
    }

    /// What an accounting export wrote.
    #[derive(Clone, Debug, PartialEq, Eq, Serialize)]
    pub struct AccountingReport {
        /// Books.
        pub books: u64,
        /// Transactions: entries that moved money.
        pub transactions: u64,
        /// Balances that the tool has to come to, one for each account and currency.
        pub balances: u64,
    }

    /// What a proof proves: that this entry stands in the journal whose head is named.
    #[derive(Clone, Debug, PartialEq, Eq, Serialize)]
    pub struct ProvenEntry {
        /// Whose book, as the proof says.
        pub merchant: MerchantId,
        /// The entry's number.
        pub seq: u64,
        /// The entry's time.
        pub at: Timestamp,
        /// The command's name, or what time alone did.
        pub kind: String,
        /// The entry's hash, in hexadecimal digits.
        pub hash: String,
        /// The number of the last entry of the journal.
        pub head_seq: u64,
        /// The hash of the last entry of the journal: to be compared with one noted elsewhere.
        pub head_hash: String,
    }

    /// One lead explained, from its creation to the last entry about it. It holds no personal data and no free text.
    #[derive(Clone, Debug, PartialEq, Eq, Serialize)]
    pub struct Explanation {
        /// Whose book.
        pub merchant: MerchantId,
        /// The lead.
        pub lead: LeadId,
        /// The book's last entry when this was told.
        pub of: Moment,
        /// Where the lead stands.
        pub status: LeadStatus,
        /// The campaign it was brought for.
        pub campaign: CampaignId,
        /// Who brought it.
        pub partner: PartnerId,
        /// The deposit that pays for it.
        pub deposit: DepositId,
        /// The currency of all amounts here.
        pub currency: Currency,
        /// Its estimated value.
        pub value: Decimal,
        /// How the commission was found.
        pub kind: CommissionKind,
        /// The commission.
        pub commission: Decimal,
        /// The partner's part of it.
        pub partner_part: Decimal,
        /// The platform's part: the rest.
        pub platform_part: Decimal,
        /// The version of the campaign's policy.
        pub policy_version: u32,
        /// The rate in percent, where the commission is a percentage.
        pub rate: Option<Percent>,
        /// The partner's share in percent.
        pub share: Percent,
        /// Where share and delay come from: `campaign_agreement`, `merchant_agreement`, `campaign_default`, `elsewhere`.
        pub share_from: String,
        /// The entry that made that agreement.
        pub share_from_seq: Option<u64>,
        /// Days between validation and payable.
        pub payout_delay_days: u32,
        /// When time alone decides on it, where nobody did before.
        pub expires_at: Timestamp,
        /// What time alone does then.
        pub on_timeout: OnTimeout,
        /// Where the partner's part is.
        pub part: PartPlace,
        /// When a held part becomes payable.
        pub matures_at: Option<Timestamp>,
        /// What happened, in order.
        pub steps: Vec<ExplanationStep>,
        /// The same in English sentences.
        pub text: String,
    }

    /// One entry of a lead's history.
    #[derive(Clone, Debug, PartialEq, Eq, Serialize)]
    pub struct ExplanationStep {
        /// The entry's number.
        pub seq: u64,
        /// The entry's time.
        pub at: Timestamp,
        /// The command's name, or what time alone did.
        pub kind: String,
        /// Who took it: `command` or `time`.
        pub by: String,
        /// The caller's idempotency key.
        pub key: Option<String>,
        /// What happened to the lead, such as `created`, `validated` or `matured`.
        pub event: String,
        /// What became of its reservation: `made`, `captured` or `released`.
        pub reservation: Option<String>,
        /// The money that moved.
        pub postings: Vec<Posting>,
        /// What else happened in the entry, because of it.
        pub effects: Vec<ExplanationEffect>,
    }

    /// What else happened in the entry of a step, because of it.
    #[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
    pub struct ExplanationEffect {
        /// `alert_raised`, `alert_cleared`, `campaign_paused`, `campaign_resumed` or `top_up_requested`.
        pub effect: String,
        /// The deposit, where it is about one.
        pub deposit: Option<DepositId>,
        /// The campaign, where it is about one.
        pub campaign: Option<CampaignId>,
        /// An alert's level.
        pub level: Option<Level>,
        /// The deposit's balance when the alert was raised.
        pub balance: Option<Decimal>,
        /// What of it no pending lead held.
        pub available: Option<Decimal>,
        /// What the level is measured against.
        pub reference: Option<Decimal>,
        /// What the host was asked for.
        pub amount: Option<Decimal>,
    }
}

/// Where a page ended.
pub type Cursor = leadledger::Cursor;
/// An event as its JSON says it.
pub type Event = Value;
