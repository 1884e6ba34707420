//! Decisions: `decide(&Book, &Command, now) -> Result<Entry, Refusal>`, pure, in DOMAIN.md's order of checks.
//!
//! The parent branches here; each noun's file checks and drafts. After the last check nothing can fail. What is due
//! must be settled before ([`settle_next`]), and the idempotency key looked up ([`crate::ledger`] does both).

mod campaigns;
mod deposits;
mod draft;
mod due;
mod leads;
mod openings;
mod payouts;
mod top_ups;

use rust_decimal::Decimal;

use crate::answer::DueSettled;
use crate::book::{Book, Missed};
use crate::command::Command;
use crate::deposit::Deposit;
use crate::entry::{Entry, Kind};
use crate::ids::{CampaignId, DepositId, LeadId};
use crate::money::{Currency, to_minor, to_positive_minor};
use crate::refusal::Refusal;
use crate::settings::Settings;
use crate::time::Timestamp;

pub(crate) use draft::Draft;
pub use due::settle_next;

/// What a command comes to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Decision {
    /// It is accepted with this entry.
    Accept(Entry),
    /// It is the repetition of the entry with this number, whose answer it gets; nothing changes.
    Repeat(u64),
}

/// A refusal, and the lead that it makes the platform miss.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refused {
    /// Why.
    pub refusal: Refusal,
    /// The lead, its day and commission, where it is refused for want of money.
    pub missed: Option<(LeadId, Missed)>,
}

impl From<Refusal> for Refused {
    fn from(refusal: Refusal) -> Self {
        Self { refusal, missed: None }
    }
}

/// Decides on `command`: what it would do to `book` at `now`, or why it is refused. `settled` is what was due on the
/// book and was settled on this command's behalf (the answer of `run_due`).
///
/// All ids of the command must be filled in.
pub fn decide(
    book: &Book,
    settings: &Settings,
    now: Timestamp,
    command: &Command,
    settled: DueSettled,
) -> Result<Decision, Refused> {
    // A book's time never runs backwards, whatever the clock does.
    let at = now.max(book.head.last_at);
    let draft = Draft::new(book, settings, at, Kind::of(command));
    let entry = match command {
        Command::RegisterCampaign(command) => campaigns::register(draft, command),
        Command::UpdateCampaign(command) => campaigns::update(draft, command),
        Command::PauseCampaign(command) => campaigns::pause(draft, command),
        Command::ResumeCampaign(command) => campaigns::resume(draft, command),
        Command::SetAgreement(command) => campaigns::set_agreement(draft, command),
        Command::OpenDeposit(command) => deposits::open(draft, command),
        Command::TopUpDeposit(command) => deposits::top_up(draft, command),
        Command::AdjustDeposit(command) => deposits::adjust(draft, command),
        Command::SetAlertSettings(command) => deposits::set_alert_settings(draft, command),
        Command::SetAutoTopUp(command) => deposits::set_auto_top_up(draft, command),
        Command::SuspendDeposit(command) => deposits::suspend(draft, command),
        Command::ResumeDeposit(command) => deposits::resume(draft, command),
        Command::CloseDeposit(command) => deposits::close(draft, command),
        Command::CreateLead(command) => return leads::create(draft, command).map(Decision::Accept),
        Command::ValidateLead(command) => leads::validate(draft, command),
        Command::RejectLead(command) => leads::reject(draft, command),
        Command::ConvertLead(command) => leads::convert(draft, command),
        Command::LoseLead(command) => leads::lose(draft, command),
        Command::ReverseLead(command) => leads::reverse(draft, command),
        Command::EraseCustomer(command) => leads::erase_customer(draft, command),
        Command::BeginTopUp(command) => top_ups::begin(draft, command),
        Command::AttachReference(command) => top_ups::attach_reference(draft, command),
        Command::SucceedTopUp(command) => return Ok(top_ups::succeed(draft, command)?),
        Command::FailTopUp(command) => top_ups::fail(draft, command),
        Command::CancelTopUp(command) => top_ups::cancel(draft, command),
        Command::RefundTopUp(command) => top_ups::refund(draft, command),
        Command::DisputeTopUp(command) => top_ups::dispute(draft, command),
        Command::WinDispute(command) => top_ups::win_dispute(draft, command),
        Command::LoseDispute(command) => top_ups::lose_dispute(draft, command),
        Command::WriteOff(command) => payouts::write_off(draft, command),
        Command::RequestPayout(command) => payouts::request(draft, command),
        Command::SettlePayout(command) => payouts::settle(draft, command),
        Command::CancelPayout(command) => payouts::cancel(draft, command),
        Command::RunDue(_) => due::run_due(draft, settled),
        Command::OpenBook(command) => openings::open(draft, command),
    };
    Ok(Decision::Accept(entry?))
}

/// An id that the ledger has filled in where the caller left it out.
fn filled<T>(id: Option<T>) -> T {
    id.expect("the ledger fills in the ids that a caller leaves out before it decides")
}

/// The currency of a command that may name a campaign and may say a currency: the campaign's, else what it says,
/// else MAD.
fn currency_of(book: &Book, campaign: Option<CampaignId>, said: Option<Currency>) -> Currency {
    let campaign = campaign.and_then(|id| book.campaigns.get(&id));
    campaign.map(|campaign| campaign.settings.policy.currency).or(said).unwrap_or(Currency::MAD)
}

/// The campaign that a command names exists, and has the currency that it says.
fn check_campaign(book: &Book, campaign: Option<CampaignId>, said: Option<Currency>) -> Result<(), Refusal> {
    let Some(id) = campaign else { return Ok(()) };
    let expected = book.campaigns.get(&id).ok_or(Refusal::CampaignNotFound)?.settings.policy.currency;
    match said {
        Some(given) if given != expected => Err(Refusal::CurrencyMismatch { expected, given }),
        _ => Ok(()),
    }
}

/// A positive amount in the currency of a deposit, which may not exist: then in MAD.
fn positive_in(deposit: Option<&Deposit>, amount: Decimal) -> Result<i64, Refusal> {
    to_positive_minor(amount, deposit.map_or(Currency::MAD, |deposit| deposit.currency))
}

/// A signed amount that is not zero, likewise.
fn signed_in(deposit: Option<&Deposit>, amount: Decimal) -> Result<i64, Refusal> {
    if amount.is_zero() {
        return Err(Refusal::InvalidAmount);
    }
    to_minor(amount, deposit.map_or(Currency::MAD, |deposit| deposit.currency))
}

/// A deposit that exists and is not closed.
fn open_deposit(book: &Book, id: DepositId) -> Result<&Deposit, Refusal> {
    let deposit = book.deposits.get(&id).ok_or(Refusal::DepositNotFound)?;
    if deposit.is_open() { Ok(deposit) } else { Err(Refusal::DepositClosed) }
}
