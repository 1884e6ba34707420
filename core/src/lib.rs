//! **leadledger**: an embeddable, double-entry ledger for prepaid lead marketplaces.
//!
//! Merchants prepay deposits; each lead that a partner brings reserves a commission; the merchant validates it (the
//! commission is captured and split between partner and platform), rejects it, or lets it expire. The core holds the
//! rules and the engine: no SQL, no sockets, no files, no runtime, and no clock inside a decision. Stores implement
//! [`Store`]; [`MemoryStore`] is the reference.
//!
//! A merchant's [`Book`] is a sequential state machine: [`decide`] makes an [`Entry`] of a command or refuses it,
//! [`Book::apply`] folds entries. The journal of entries is the truth, and its replay gives the stored state.

#![forbid(unsafe_code)]
#![deny(clippy::float_arithmetic, clippy::arithmetic_side_effects)]
#![cfg_attr(test, allow(clippy::unwrap_used, clippy::arithmetic_side_effects, clippy::panic))]

mod account;
mod agreement;
mod alert;
mod answer;
mod audit;
mod book;
mod campaign;
mod check;
mod command;
mod commission;
#[cfg(feature = "conformance")]
pub mod conformance;
mod decide;
mod delegate;
mod deposit;
mod entry;
mod error;
mod event;
mod export;
#[cfg_attr(not(feature = "planted-faults"), allow(dead_code))]
pub mod faults;
pub mod figures;
mod hex;
mod ids;
mod import;
mod lead;
mod ledger;
mod memory;
mod money;
mod opening;
mod pages;
mod payout;
mod percent;
mod refusal;
mod rows;
mod settings;
mod shape;
mod store;
mod text;
mod time;
mod top_up;
mod view;

pub use account::{Account, PartnerAccounts, PlatformAccounts, Posting, Postings};
pub use agreement::Agreement;
pub use alert::{Channel, Level, alert_level, channels_for};
pub use answer::{
    Answer, BookOpened, DepositClosed, DueSettled, LeadCreated, TopUpSucceeded, WrittenOff, answer_fields,
};
pub use audit::{
    AccountBalance, Actor, AsOf, Balances, CheckAllReport, CheckEnd, CheckFailure, CheckProgress, DepositBalance,
    Explanation, LeadEvent, Moment, PolicyInForce, Proof, ProofEntry, ProofError, ProofHead, ProvenEntry,
    ReservationChange, ShareSource, Step, StepEffect, StepPosting, verify_proof, verify_proof_against,
};
pub use book::{Book, Broken, DueLoaded, Head, Keyed, Missed, MissedDay, Private};
pub use campaign::{Campaign, CampaignSettings, CampaignStatus, OnTimeout};
pub use check::CheckReport;
pub use command::*;
pub use commission::{CommissionKind, CommissionPreview, Policy, PolicyTerms, Split, preview_commission};
pub use decide::{Decision, Refused, decide, settle_next};
pub use deposit::{AutoTopUp, Basis, Deposit, DepositStatus, ReferenceKind};
pub use entry::{Cause, Entry, Fact, Hash, Kind, Recorded, ShortHash, Texts, chain_hash, genesis_hash};
pub use error::{Error, InvalidInput, StoreError};
pub use event::{Event, EventBody};
pub use export::{
    AccountingReport, ExportError, ExportReport, Format, Progress, Stage, StatementOrder, Which, write_statement_csv,
};
pub use hex::{hex, unhex};
pub use ids::{CampaignId, DepositId, LeadId, MerchantId, PartnerId, PayoutId, TopUpId};
pub use import::{ImportError, ImportReport};
pub use lead::{
    Customer, Due, DueRank, Lead, LeadStatus, LeadTerms, PartPlace, ReviewPriority, Source, estimated_days_left,
    estimated_leads_left, review_priority,
};
pub use ledger::{Call, Changed, Done, Ledger, Options, Pending, Read, Subscription, Watch};
pub use memory::MemoryStore;
pub use money::{Currency, parse_decimal, to_decimal, to_minor};
pub use opening::{
    ImportedDeposit, ImportedLead, ImportedLine, LineKind, OpeningAgreement, OpeningCampaign, OpeningDeposit,
    OpeningLead, OpeningLine, OpeningStatus,
};
pub use payout::{Payout, PayoutStatus};
pub use percent::Percent;
pub use refusal::Refusal;
pub use rows::Rows;
pub use settings::{Minimums, Settings};
pub use shape::{CommandShape, FieldShape, RecordShape};
pub use store::{
    BookQuery, Books, Cursor, JournalQuery, LeadOrder, LeadQuery, Needs, Page, Scope, Store, Subscribers, Totals,
};
pub use text::{Key, Line, Paragraph, Reference, SubscriberName};
pub use time::{Clock, ManualClock, SystemClock, Timestamp};
pub use top_up::{Method, ReceiptNumber, TopUp, TopUpStatus};
pub use view::{
    BookView, CampaignView, DepositView, LeadTexts, LeadView, MissedView, PartnerView, PlatformView, Statement,
    StatementLine,
};
