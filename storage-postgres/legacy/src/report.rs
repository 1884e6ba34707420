//! What an import read, did and left out: totals before and after, each difference with its cause, each book.

use std::collections::BTreeMap;
use std::fmt::Write;

use leadledger::{Currency, MerchantId, PartnerId, to_decimal};
use rust_decimal::Decimal;
use serde_json::{Value, json};

use crate::cause::Cause;
use crate::source::Table;

/// What is counted or summed of a table.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Measure {
    /// Rows; of campaigns, those that come in.
    Rows(Table),
    /// `company_deposits.initial_amount`.
    Initial,
    /// `company_deposits.current_balance`.
    Balance,
    /// `company_deposits.reserved_amount`.
    Reserved,
    /// `deposit_transactions.amount`.
    LineAmount,
    /// `leads.estimated_value`.
    Value,
    /// `leads.commission_amount`.
    Commission,
    /// `leads.influencer_commission`.
    Part,
}

impl Measure {
    /// All of them, by table.
    pub const ALL: [Self; 12] = [
        Self::Rows(Table::Deposits),
        Self::Initial,
        Self::Balance,
        Self::Reserved,
        Self::Rows(Table::Transactions),
        Self::LineAmount,
        Self::Rows(Table::Leads),
        Self::Value,
        Self::Commission,
        Self::Part,
        Self::Rows(Table::Agreements),
        Self::Rows(Table::Settings),
    ];

    /// Whose it is.
    pub fn table(self) -> Table {
        match self {
            Self::Rows(table) => table,
            Self::Initial | Self::Balance | Self::Reserved => Table::Deposits,
            Self::LineAmount => Table::Transactions,
            Self::Value | Self::Commission | Self::Part => Table::Leads,
        }
    }

    /// The column, or `rows`.
    pub fn name(self) -> &'static str {
        match self {
            Self::Rows(_) => "rows",
            Self::Initial => "initial_amount",
            Self::Balance => "current_balance",
            Self::Reserved => "reserved_amount",
            Self::LineAmount => "amount",
            Self::Value => "estimated_value",
            Self::Commission => "commission_amount",
            Self::Part => "influencer_commission",
        }
    }

    /// A count as it is, a sum in dirhams.
    fn shown(self, sum: i128) -> String {
        match self {
            Self::Rows(_) => sum.to_string(),
            _ => amount(sum).to_string(),
        }
    }
}

fn amount(minor: i128) -> Decimal {
    // Beyond what an i64 holds no column can sum up to: numeric(10,2) ends below 10^8.
    to_decimal(i64::try_from(minor).unwrap_or(i64::MAX), Currency::MAD)
}

/// A total before and after. Amounts are in centimes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Total {
    /// In the tables.
    pub before: i128,
    /// In what comes in.
    pub after: i128,
}

/// Something that is not in the ledger as it is in the tables, or that a person should know.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Difference {
    /// Why, and what was done.
    pub cause: Cause,
    /// Whose; none where the row does not tell.
    pub merchant: Option<MerchantId>,
    /// Where.
    pub table: Table,
    /// The rows' ids; of agreements the partner's and the campaign's, of settings the campaign's.
    pub rows: Vec<String>,
    /// In the tables.
    pub before: String,
    /// In the ledger.
    pub after: String,
    /// Whether the rows are not in the ledger.
    pub left_out: bool,
    /// What it adds to the totals, or takes from them: amounts in centimes.
    pub changes: Vec<(Measure, i64)>,
}

impl Difference {
    pub(crate) fn new(
        cause: Cause,
        merchant: Option<MerchantId>,
        table: Table,
        rows: impl IntoIterator<Item = String>,
    ) -> Self {
        Self {
            cause,
            merchant,
            table,
            rows: rows.into_iter().collect(),
            before: String::new(),
            after: String::new(),
            left_out: false,
            changes: Vec::new(),
        }
    }

    pub(crate) fn was(mut self, before: impl ToString) -> Self {
        self.before = before.to_string();
        self
    }

    pub(crate) fn is(mut self, after: impl ToString) -> Self {
        self.after = after.to_string();
        self
    }

    pub(crate) fn by(mut self, measure: Measure, delta: i64) -> Self {
        if delta != 0 {
            self.changes.push((measure, delta));
        }
        self
    }

    /// The rows are left out, with these amounts.
    pub(crate) fn out(mut self, amounts: &[(Measure, i64)]) -> Self {
        self.left_out = true;
        self.changes.push((Measure::Rows(self.table), -i64::try_from(self.rows.len()).unwrap_or(i64::MAX)));
        amounts.iter().fold(self, |this, (measure, amount)| this.by(*measure, amount.saturating_neg()))
    }
}

/// What became of a merchant's book.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum BookState {
    /// It was planned, not yet made.
    Planned,
    /// It was made by this run.
    Made,
    /// An import has made it before; nothing was changed.
    There,
    /// It was begun otherwise; nothing was changed.
    Other,
    /// The ledger refused it, with this code.
    Refused(String),
}

impl BookState {
    /// The permanent name.
    pub fn name(&self) -> &str {
        match self {
            Self::Planned => "planned",
            Self::Made => "made",
            Self::There => "there",
            Self::Other => "other",
            Self::Refused(_) => "refused",
        }
    }
}

/// A merchant's book.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BookLine {
    /// Whose.
    pub merchant: MerchantId,
    /// What became of it.
    pub state: BookState,
    /// Deposits that come in.
    pub deposits: usize,
    /// Leads that come in.
    pub leads: usize,
    /// What their deposits hold.
    pub balance: Decimal,
    /// What pending leads hold of it.
    pub reserved: Decimal,
}

/// What captured leads of the past come to for a partner. The tables do not say whether it was paid.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Earned {
    /// With whom it was earned.
    pub merchant: MerchantId,
    /// Who earned it.
    pub partner: PartnerId,
    /// Captured leads.
    pub leads: u64,
    /// Their parts.
    pub part: Decimal,
    /// Whether it comes in as owed to the partner.
    pub brought_in: bool,
}

/// What an import comes to, planned or done.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Report {
    /// Rows and amounts by table, before and after.
    pub totals: BTreeMap<Measure, Total>,
    /// Every difference.
    pub differences: Vec<Difference>,
    /// Every book.
    pub books: Vec<BookLine>,
    /// What partners have earned in the past.
    pub earned: Vec<Earned>,
}

impl Report {
    /// The totals whose change the differences do not add up to: none, or the import has a fault.
    pub fn unexplained(&self) -> Vec<Measure> {
        let mut sums: BTreeMap<Measure, i128> = BTreeMap::new();
        for (measure, delta) in self.differences.iter().flat_map(|difference| &difference.changes) {
            *sums.entry(*measure).or_default() += i128::from(*delta);
        }
        let explained = |measure: &Measure| {
            let total = self.totals.get(measure).copied().unwrap_or_default();
            total.before + sums.get(measure).copied().unwrap_or(0) == total.after
        };
        Measure::ALL.into_iter().filter(|measure| !explained(measure)).collect()
    }

    /// How many books this run has made.
    pub fn made(&self) -> usize {
        self.in_state("made")
    }

    fn in_state(&self, name: &str) -> usize {
        self.books.iter().filter(|book| book.state.name() == name).count()
    }

    /// How many differences each cause has.
    pub fn counts(&self) -> BTreeMap<Cause, usize> {
        let mut counts = BTreeMap::new();
        for difference in &self.differences {
            *counts.entry(difference.cause).or_default() += 1;
        }
        counts
    }

    /// The whole report as JSON; amounts are strings.
    pub fn to_json(&self) -> Value {
        let totals = self.totals.iter().map(|(measure, total)| {
            json!({
                "table": measure.table().name(),
                "what": measure.name(),
                "before": measure.shown(total.before),
                "after": measure.shown(total.after),
            })
        });
        let differences = self.differences.iter().map(|found| {
            let changes = found.changes.iter().map(|(measure, delta)| {
                json!({
                    "table": measure.table().name(),
                    "what": measure.name(),
                    "by": measure.shown(i128::from(*delta)),
                })
            });
            json!({
                "cause": found.cause.code(),
                "merchant": found.merchant,
                "table": found.table.name(),
                "rows": found.rows,
                "before": found.before,
                "after": found.after,
                "left_out": found.left_out,
                "changes": changes.collect::<Vec<_>>(),
            })
        });
        let books = self.books.iter().map(|book| {
            let refused = match &book.state {
                BookState::Refused(code) => Some(code),
                _ => None,
            };
            json!({
                "merchant": book.merchant,
                "state": book.state.name(),
                "refusal": refused,
                "deposits": book.deposits,
                "leads": book.leads,
                "balance": book.balance.to_string(),
                "reserved": book.reserved.to_string(),
            })
        });
        let earned = self.earned.iter().map(|earned| {
            json!({
                "merchant": earned.merchant,
                "partner": earned.partner,
                "leads": earned.leads,
                "part": earned.part.to_string(),
                "brought_in": earned.brought_in,
            })
        });
        json!({
            "totals": totals.collect::<Vec<_>>(),
            "differences": differences.collect::<Vec<_>>(),
            "books": books.collect::<Vec<_>>(),
            "earned": earned.collect::<Vec<_>>(),
        })
    }

    /// The whole report for people.
    pub fn to_text(&self) -> String {
        let mut text = self.summary();
        for (cause, _) in self.counts() {
            line(&mut text, format_args!("\n{}: {}", cause.code(), cause.rule()));
            for found in self.differences.iter().filter(|found| found.cause == cause) {
                let merchant = found.merchant.map_or_else(|| "?".to_owned(), |merchant| merchant.to_string());
                let rows = found.rows.join(", ");
                let out = if found.left_out { " LEFT OUT" } else { "" };
                let changes: Vec<String> = found
                    .changes
                    .iter()
                    .map(|(measure, delta)| format!("{} {}", measure.name(), measure.shown(i128::from(*delta))))
                    .collect();
                let changes = if changes.is_empty() { String::new() } else { format!(" [{}]", changes.join(", ")) };
                line(
                    &mut text,
                    format_args!(
                        "  merchant {merchant} {} {rows}: {} -> {}{out}{changes}",
                        found.table.name(),
                        found.before,
                        found.after
                    ),
                );
            }
        }
        line(&mut text, format_args!("\nBooks:"));
        for book in &self.books {
            let state = match &book.state {
                BookState::Refused(code) => format!("refused ({code})"),
                state => state.name().to_owned(),
            };
            line(
                &mut text,
                format_args!(
                    "  {} {state}: {} deposits, {} leads, balance {}, reserved {}",
                    book.merchant, book.deposits, book.leads, book.balance, book.reserved
                ),
            );
        }
        line(&mut text, format_args!("\nParts of captured leads (these tables do not say whether they were paid):"));
        for earned in &self.earned {
            let done = if earned.brought_in { "brought in as owed" } else { "not brought in" };
            line(
                &mut text,
                format_args!(
                    "  merchant {} partner {}: {} leads, {} {done}",
                    earned.merchant, earned.partner, earned.leads, earned.part
                ),
            );
        }
        text
    }

    /// The totals, the causes with their counts, and how many books there are.
    pub fn summary(&self) -> String {
        let mut text = String::new();
        line(
            &mut text,
            format_args!("{:<22} {:<22} {:>16} {:>16} {:>16}", "table", "what", "before", "after", "difference"),
        );
        for (measure, total) in &self.totals {
            line(
                &mut text,
                format_args!(
                    "{:<22} {:<22} {:>16} {:>16} {:>16}",
                    measure.table().name(),
                    measure.name(),
                    measure.shown(total.before),
                    measure.shown(total.after),
                    measure.shown(total.after - total.before)
                ),
            );
        }
        let left_out = self.differences.iter().filter(|found| found.left_out).count();
        line(&mut text, format_args!("\n{} differences, {left_out} of them left out:", self.differences.len()));
        for (cause, count) in self.counts() {
            line(&mut text, format_args!("{count:>7} {}", cause.code()));
        }
        let states = ["planned", "made", "there", "other", "refused"];
        let states: Vec<String> = states.iter().map(|state| format!("{} {state}", self.in_state(state))).collect();
        line(&mut text, format_args!("\n{} books: {}", self.books.len(), states.join(", ")));
        let sum = |brought_in: bool| {
            let parts = self.earned.iter().filter(|earned| earned.brought_in == brought_in);
            parts.map(|earned| earned.part).sum::<Decimal>()
        };
        line(
            &mut text,
            format_args!("Parts of captured leads: {} not brought in, {} brought in as owed", sum(false), sum(true)),
        );
        text
    }
}

fn line(text: &mut String, arguments: std::fmt::Arguments<'_>) {
    // A String takes whatever is written to it.
    let _ = writeln!(text, "{arguments}");
}
