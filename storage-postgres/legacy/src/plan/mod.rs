//! What comes in, and what does not: from rows to one opening for each merchant, without any I/O.
//!
//! Whatever is not as it is in the tables is noted with its cause. The parts go in an order in which each can look back:
//! campaigns and agreements, deposits, lines of statements, leads; then balances and books are put together.

mod campaigns;
mod deposits;
mod lead_values;
mod leads;
mod lines;
mod rows;

use std::collections::{BTreeMap, BTreeSet};

use leadledger::{
    CampaignId, Currency, LeadId, LeadStatus, MerchantId, OpenBook, OpeningAgreement, OpeningLead, OpeningLine,
    PartnerId, Settings, Timestamp, to_decimal, to_minor,
};
use rust_decimal::Decimal;

use crate::report::{BookLine, BookState, Difference, Earned, Measure, Report, Total};
use crate::source::{Source, Table};
use campaigns::{CampaignPlan, Terms};
use deposits::DepositPlan;
use lines::LeadHistory;

/// Pending leads whose window has ended, of a campaign that validates by timeout.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum PastWindow {
    /// They come in as expired, as all others do.
    #[default]
    Expire,
    /// They come in as pending, and the ledger validates them at once, as of the end of their window.
    AsCampaign,
}

/// Pending leads that the balance does not cover.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Uncovered {
    /// The youngest are left out, until the balance covers the rest. Once there is money they can be created anew.
    #[default]
    LeaveOut,
    /// The balance comes in higher, by what is missing.
    Cover,
}

/// The partners' parts of captured leads of the past.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Earnings {
    /// They were paid elsewhere: nothing is owed.
    #[default]
    Settled,
    /// None was paid: all come in as owed, held or payable by the agreement's delay.
    Owed,
}

/// What the tables cannot tell and a person may.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PlanOptions {
    /// Pending leads past their window, where the campaign validates by timeout.
    pub past_window: PastWindow,
    /// Pending leads that the balance does not cover.
    pub uncovered: Uncovered,
    /// Partners' parts of the past.
    pub earnings: Earnings,
    /// The smallest automatic top-up, in centimes: that of the ledger's settings.
    pub minimum_auto_top_up_minor: i64,
}

impl Default for PlanOptions {
    fn default() -> Self {
        Self {
            past_window: PastWindow::default(),
            uncovered: Uncovered::default(),
            earnings: Earnings::default(),
            minimum_auto_top_up_minor: Settings::default().minimums(Currency::MAD).auto_top_up_minor,
        }
    }
}

/// One merchant's book, as it is to be opened.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Opening {
    /// Whose.
    pub merchant: MerchantId,
    /// The command.
    pub command: OpenBook,
}

/// What an import will do.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Plan {
    /// The books, by merchant.
    pub openings: Vec<Opening>,
    /// What comes in, what differs, what is left out.
    pub report: Report,
}

/// Plans the import of `source` at `now`, which must be the ledger's time.
pub fn plan(source: &Source, now: Timestamp, options: PlanOptions) -> Plan {
    let mut planning = Planning::new(source, now, options);
    planning.take_settings();
    planning.take_deposits();
    planning.take_agreements();
    planning.take_lines();
    planning.take_leads();
    planning.finish()
}

/// One merchant's book in the making.
#[derive(Default)]
struct BookPlan {
    campaigns: BTreeMap<CampaignId, CampaignPlan>,
    agreements: Vec<OpeningAgreement>,
    terms: BTreeMap<(PartnerId, Option<CampaignId>), Terms>,
    /// In the order in which they were opened.
    deposits: Vec<DepositPlan>,
    /// The deposit of each scope that leads draw on, by its place.
    in_use: BTreeMap<Option<CampaignId>, usize>,
    /// In the order of their creation.
    leads: Vec<OpeningLead>,
    lines: Vec<OpeningLine>,
}

struct Planning<'s> {
    source: &'s Source,
    now: Timestamp,
    options: PlanOptions,
    differences: Vec<Difference>,
    books: BTreeMap<MerchantId, BookPlan>,
    /// Whose settings a campaign has.
    owners: BTreeMap<CampaignId, BTreeSet<MerchantId>>,
    history: BTreeMap<LeadId, LeadHistory>,
    earned: BTreeMap<(MerchantId, PartnerId), (u64, i64)>,
}

impl<'s> Planning<'s> {
    fn new(source: &'s Source, now: Timestamp, options: PlanOptions) -> Self {
        Self {
            source,
            now,
            options,
            differences: Vec::new(),
            books: BTreeMap::new(),
            owners: BTreeMap::new(),
            history: BTreeMap::new(),
            earned: BTreeMap::new(),
        }
    }

    fn note(&mut self, difference: Difference) {
        self.differences.push(difference);
    }

    fn book(&mut self, merchant: MerchantId) -> &mut BookPlan {
        self.books.entry(merchant).or_default()
    }

    fn finish(mut self) -> Plan {
        self.finish_deposits();
        let mut report = Report { differences: self.differences, ..Report::default() };
        for measure in Measure::ALL {
            report.totals.insert(measure, Total { before: before(self.source, measure), after: 0 });
        }
        let mut openings = Vec::new();
        for (merchant, book) in self.books {
            let deposits: Vec<_> = book.deposits.into_iter().map(|deposit| deposit.opening).collect();
            let campaigns: Vec<_> = book.campaigns.into_values().map(|campaign| campaign.opening).collect();
            if deposits.is_empty() && campaigns.is_empty() {
                continue;
            }
            let command = OpenBook::new(merchant, campaigns, book.agreements, deposits, book.leads, book.lines);
            count(&mut report.totals, &command);
            report.books.push(book_line(&command));
            openings.push(Opening { merchant, command });
        }
        let brought_in = self.options.earnings == Earnings::Owed;
        report.earned = self
            .earned
            .into_iter()
            .map(|((merchant, partner), (leads, part))| Earned {
                merchant,
                partner,
                leads,
                part: to_decimal(part, Currency::MAD),
                brought_in,
            })
            .collect();
        // Whatever the order of the rows was.
        let key = |found: &Difference| (found.cause, found.merchant, found.rows.clone(), found.before.clone());
        report.differences.sort_by_cached_key(key);
        Plan { openings, report }
    }
}

/// A total of the rows as they are, each on its own.
fn before(source: &Source, measure: Measure) -> i128 {
    let sum = |amounts: &mut dyn Iterator<Item = Vec<(Measure, i64)>>| {
        let amounts = amounts.flatten().filter(|(of, _)| *of == measure);
        amounts.map(|(_, amount)| i128::from(amount)).sum::<i128>()
    };
    match measure {
        Measure::Rows(table) => i128::try_from(source.rows(table)).unwrap_or(i128::MAX),
        _ => match measure.table() {
            Table::Deposits => sum(&mut source.deposits.iter().map(rows::of_deposit)),
            Table::Transactions => sum(&mut source.transactions.iter().map(rows::of_line)),
            Table::Leads => sum(&mut source.leads.iter().map(rows::of_lead)),
            Table::Agreements | Table::Settings => 0,
        },
    }
}

fn minor(amount: Decimal) -> i128 {
    // Every amount of an opening was made of centimes.
    to_minor(amount, Currency::MAD).map_or(0, i128::from)
}

/// Adds a book to the totals after.
fn count(totals: &mut BTreeMap<Measure, Total>, command: &OpenBook) {
    let mut add = |measure, amount: i128| totals.entry(measure).or_default().after += amount;
    let rows = |count: usize| i128::try_from(count).unwrap_or(i128::MAX);
    add(Measure::Rows(Table::Settings), rows(command.campaigns.len()));
    add(Measure::Rows(Table::Agreements), rows(command.agreements.len()));
    add(Measure::Rows(Table::Deposits), rows(command.deposits.len()));
    add(Measure::Rows(Table::Transactions), rows(command.lines.len()));
    add(Measure::Rows(Table::Leads), rows(command.leads.len()));
    for deposit in &command.deposits {
        add(Measure::Balance, minor(deposit.balance));
        add(Measure::Initial, deposit.initial.map_or(0, minor));
    }
    for line in &command.lines {
        add(Measure::LineAmount, minor(line.amount));
    }
    for lead in &command.leads {
        add(Measure::Value, minor(lead.value));
        add(Measure::Commission, minor(lead.commission));
        add(Measure::Part, minor(lead.partner_part));
        if lead.status == LeadStatus::Pending {
            add(Measure::Reserved, minor(lead.commission));
        }
    }
}

fn book_line(command: &OpenBook) -> BookLine {
    let pending = command.leads.iter().filter(|lead| lead.status == LeadStatus::Pending);
    BookLine {
        merchant: command.merchant,
        state: BookState::Planned,
        deposits: command.deposits.len(),
        leads: command.leads.len(),
        balance: command.deposits.iter().map(|deposit| deposit.balance).sum(),
        reserved: pending.map(|lead| lead.commission).sum(),
    }
}
