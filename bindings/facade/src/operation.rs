//! Everything that a ledger does beside commands, by name and with arguments by name: reads, figures, exports; and the
//! functions that need no ledger. Bindings make their methods of these tables.

use std::path::PathBuf;

use chrono::{NaiveDate, TimeDelta};
use leadledger::{
    AsOf, CampaignId, Currency, Cursor, DepositId, FieldShape, Format, LeadId, LeadOrder, LeadQuery, LeadStatus,
    Ledger, Level, MerchantId, PartnerId, PayoutId, Percent, Policy, PolicyTerms, Proof, Read, Refusal, Source,
    StatementOrder, Timestamp, TopUpId, Which, parse_decimal,
};
use rust_decimal::Decimal;
use serde::{Deserialize, Deserializer, Serialize};
use serde_json::{Map, Value};

use crate::choice::{AccountingFormat, Order, RealtimeChoice};
use crate::command::arguments;
use crate::fault::Fault;
use crate::file::write_file;
use crate::records::{
    AccountingReport, Balances, Book, Campaign, CheckAllReport, CheckReport, DueEverywhere, EntryPage, Explanation,
    ExportReport, ImportReport, JournalEntry, Lead, LeadPage, Payout, ProvenEntry, TopUp,
};
use crate::running::Running;
use crate::setup::migrate;

/// What an operation takes and gives.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct OperationShape {
    /// Its name.
    pub name: &'static str,
    /// What it does. Begins with a space, as doc comments do.
    pub about: &'static str,
    /// What it takes, the required first.
    pub fields: &'static [FieldShape],
    /// The Rust type of what it gives.
    pub gives: &'static str,
    /// Whether it takes as long as a file or a server does: of functions, those are not for a thread that must not wait.
    pub blocks: bool,
}

/// How many things a page has where nobody says.
const PAGE: usize = 100;

macro_rules! table {
    (
        $(#[$doc:meta])* $table:ident, $start:ident($($ledger:ident: $ledger_type:ty)?) -> $running:ty;
        $(
            $(#[doc = $about:literal])*
            $(#[blocks = $blocks:literal])?
            $name:ident(
                $( $(#[doc = $required_about:literal])* $(#[serde($($required_serde:tt)*)])? $required:ident: $required_type:ty, )*
                ;
                $( $(#[doc = $optional_about:literal])* $(#[serde($($optional_serde:tt)*)])? $optional:ident: $optional_type:ty, )*
            ) -> $gives:ty $body:block
        )*
    ) => {
        $(#[$doc])*
        pub const $table: &[OperationShape] = &[$( OperationShape {
            name: stringify!($name),
            about: concat!($( $about, "\n" ),*),
            fields: &[
                $( FieldShape {
                    name: stringify!($required),
                    form: stringify!($required_type),
                    required: true,
                    about: concat!($( $required_about ),*),
                }, )*
                $( FieldShape {
                    name: stringify!($optional),
                    form: stringify!($optional_type),
                    required: false,
                    about: concat!($( $optional_about ),*),
                }, )*
            ],
            gives: stringify!($gives),
            blocks: false $( || $blocks )?,
        } ),*];

        /// Begins the operation of this name. Refuses arguments as [`crate::command`] does.
        pub(crate) fn $start(
            $($ledger: $ledger_type,)?
            name: &str,
            given: Map<String, Value>,
        ) -> Result<$running, Fault> {
            match name {$(
                stringify!($name) => {
                    #[derive(Deserialize)]
                    #[serde(deny_unknown_fields)]
                    struct Given {
                        $( $(#[serde($($required_serde)*)])? $required: $required_type, )*
                        $( $(#[serde($($optional_serde)*)])? #[serde(default)] $optional: Option<$optional_type>, )*
                    }
                    let fields = $table.iter().find(|shape| shape.name == name).map_or(&[][..], |shape| shape.fields);
                    let Given { $($required,)* $($optional,)* } = arguments(name, fields, given)?;
                    $body
                }
            )*
                _ => Err(leadledger::InvalidInput::new("unknown_operation", "name", format!("no operation {name:?}")).into()),
            }
        }
    };
}

fn limit(limit: Option<usize>) -> usize {
    limit.unwrap_or(PAGE)
}

/// What a read gives, made flat by `flat`.
#[allow(clippy::unnecessary_wraps)] // as every body in the table does
fn read<T: Send + 'static, F: Serialize + 'static>(read: Read<T>, flat: fn(T) -> F) -> Result<Running, Fault> {
    Ok(Running::read(read, flat))
}

fn same<T>(value: T) -> T {
    value
}

fn which(merchant: Option<MerchantId>) -> Which {
    merchant.map_or(Which::All, Which::One)
}

table! {
    /// What a ledger tells and exports.
    READS, start_read(ledger: &Ledger) -> Running;

    /// A deposit; none where this merchant has none with this id.
    deposit(
        /// Whose book.
        merchant: MerchantId,
        /// The deposit.
        deposit: DepositId,
    ;) -> Option<DepositView> { read(ledger.deposit(merchant, deposit), same) }

    /// A merchant's open deposits, in the order in which they were opened.
    deposits(
        /// Whose book.
        merchant: MerchantId,
    ;) -> Vec<DepositView> { read(ledger.deposits(merchant), same) }

    /// A lead; none where this merchant has none with this id.
    lead(
        /// Whose book.
        merchant: MerchantId,
        /// The lead.
        lead: LeadId,
    ;) -> Option<Lead> { read(ledger.lead(merchant, lead), |view| view.map(Lead::from)) }

    /// Personal data and free text of a lead, as far as they are not erased; none where there is no such lead.
    lead_texts(
        /// Whose book.
        merchant: MerchantId,
        /// The lead.
        lead: LeadId,
    ;) -> Option<LeadTexts> { read(ledger.lead_texts(merchant, lead), same) }

    /// A page of a merchant's leads, of at least one.
    leads(
        /// Whose book.
        merchant: MerchantId,
    ;
        /// Only these.
        status: LeadStatus,
        /// Only this campaign's.
        campaign: CampaignId,
        /// Only this partner's.
        partner: PartnerId,
        /// Only from here.
        source: Source,
        /// In which order; the newest first where left out.
        order: Order,
        /// Where the page before ended: its `next`.
        after: Cursor,
        /// At most so many; 100 where left out.
        limit: usize,
    ) -> LeadPage {
        let order = match order.unwrap_or_default() {
            Order::Newest => LeadOrder::Newest,
            Order::ReviewPriority => LeadOrder::ReviewPriority,
        };
        let limit = self::limit(limit);
        let query = LeadQuery { merchant, status, campaign, partner, source, order, after, limit };
        read(ledger.leads(query), LeadPage::from)
    }

    /// A page of a deposit's statement, newest first; none where this merchant has no such deposit.
    statement(
        /// Whose book.
        merchant: MerchantId,
        /// The deposit.
        deposit: DepositId,
    ;
        /// Where the page before ended: its `next`.
        after: Cursor,
        /// At most so many lines; 100 where left out.
        limit: usize,
    ) -> Option<Statement> { read(ledger.statement(merchant, deposit, after, self::limit(limit)), same) }

    /// A partner's earnings with one merchant, by currency; from the first captured lead.
    partner(
        /// Whose book.
        merchant: MerchantId,
        /// Who brought the leads.
        partner: PartnerId,
    ;) -> Vec<PartnerView> { read(ledger.partner(merchant, partner), same) }

    /// A merchant's campaigns, by id.
    campaigns(
        /// Whose book.
        merchant: MerchantId,
    ;) -> Vec<Campaign> {
        read(ledger.campaigns(merchant), |views| views.into_iter().map(Campaign::from).collect::<Vec<_>>())
    }

    /// A top-up; none where this merchant has none with this id.
    top_up_state(
        /// Whose book.
        merchant: MerchantId,
        /// The top-up.
        top_up: TopUpId,
    ;) -> Option<TopUp> {
        let found = ledger.top_up_state(merchant, top_up);
        Ok(Running::read(found, move |row| row.map(|row| TopUp::of(top_up, row))))
    }

    /// A payout; none where this merchant has none with this id.
    payout_state(
        /// Whose book.
        merchant: MerchantId,
        /// The payout.
        payout: PayoutId,
    ;) -> Option<Payout> {
        let found = ledger.payout_state(merchant, payout);
        Ok(Running::read(found, move |row| row.map(|row| Payout::of(payout, row))))
    }

    /// One merchant's whole book. Grows with the book: for checks and small books.
    book(
        /// Whose book.
        merchant: MerchantId,
    ;) -> Book {
        let now = ledger.now();
        Ok(Running::read(ledger.book(merchant), move |view| Book::of(view, Some(now))))
    }

    /// One book's journal entries after `seq` (0 for the first), in order.
    events(
        /// Whose book.
        merchant: MerchantId,
        /// The entry after which to begin.
        seq: u64,
        /// At most so many.
        limit: usize,
    ;) -> Vec<JournalEntry> {
        read(ledger.events(merchant, seq, limit), |found| found.into_iter().map(JournalEntry::from).collect::<Vec<_>>())
    }

    /// A page of all books' journal entries, each book's in order.
    all_events(;
        /// Where the page before ended: its `next`; the first entry where left out.
        after: Cursor,
        /// At most so many; 100 where left out.
        limit: usize,
    ) -> EntryPage { read(ledger.all_events(after, self::limit(limit)), EntryPage::from) }

    /// Where the journal over all books ends now, for `all_events`: what is committed from now on comes after it.
    events_end(;) -> Cursor { read(ledger.events_end(), same) }

    /// Replays a book's journal and compares it with every stored row. Fails with `check_failed` and the first difference.
    check(
        /// Whose book.
        merchant: MerchantId,
    ;) -> CheckReport { read(ledger.check(merchant), CheckReport::from) }

    /// Checks all books, and goes on after one that fails or cannot be read: the report has every failure.
    check_all(;) -> CheckAllReport {
        read(ledger.check_all(|_| std::ops::ControlFlow::Continue(())), CheckAllReport::from)
    }

    /// Merchants who have a book, by id.
    merchants(;
        /// After this one.
        after: MerchantId,
        /// At most so many; 100 where left out.
        limit: usize,
    ) -> Vec<MerchantId> { read(ledger.merchants(after, self::limit(limit)), same) }

    /// Settles what is due in all books, and says what that was, and in how many books.
    run_due_everywhere(
        /// In at most so many books.
        most: usize,
    ;) -> DueEverywhere {
        read(ledger.run_due_everywhere(most), |(due, books)| DueEverywhere {
            expired: due.expired,
            accepted: due.accepted,
            matured: due.matured,
            books: books as u64,
        })
    }

    /// What a merchant sees (DOMAIN.md chapter 9), by currency: deposits, leads, money, trends. Net of reversals.
    merchant_figures(
        /// Whose.
        merchant: MerchantId,
    ;) -> MerchantFigures { read(ledger.merchant_figures(merchant), same) }

    /// A deposit's card: what is in it, how low that is, and how long it lasts; none where there is no such deposit.
    balance_card(
        /// Whose book.
        merchant: MerchantId,
        /// The deposit.
        deposit: DepositId,
    ;) -> Option<BalanceCard> { read(ledger.balance_card(merchant, deposit), same) }

    /// A page of the leads that wait for the merchant, the one that expires first before the others.
    pending_leads(
        /// Whose book.
        merchant: MerchantId,
    ;
        /// Where the page before ended: its `next`.
        after: Cursor,
        /// At most so many; 100 where left out.
        limit: usize,
    ) -> LeadPage { read(ledger.pending_leads(merchant, after, self::limit(limit)), LeadPage::from) }

    /// What happened on one local day, by currency.
    daily_report(
        /// Whose book.
        merchant: MerchantId,
        /// The day, in the ledger's time zone.
        day: NaiveDate,
    ;) -> DailyReport { read(ledger.daily_report(merchant, day), same) }

    /// A partner's figures over all merchants, by currency.
    partner_figures(
        /// Whose.
        partner: PartnerId,
    ;) -> PartnerFigures { read(ledger.partner_figures(partner), same) }

    /// The platform's figures over all merchants, by currency.
    platform_figures(;) -> PlatformFigures { read(ledger.platform_figures(), same) }

    /// Every balance of a book at a past moment, as a sum over its journal, whose hashes are verified on the way.
    balances(
        /// Whose book.
        merchant: MerchantId,
        /// Right after the entry of this number, or at this moment.
        #[serde(deserialize_with = "as_of")]
        as_of: AsOf,
    ;) -> Balances { read(ledger.balances(merchant, as_of), Balances::from) }

    /// The whole book as `book` would have shown it at a past moment, by replay. Missed leads are not in it.
    book_at(
        /// Whose book.
        merchant: MerchantId,
        /// Right after the entry of this number, or at this moment.
        #[serde(deserialize_with = "as_of")]
        as_of: AsOf,
    ;) -> Book { read(ledger.book_at(merchant, as_of), |view| Book::of(view, None)) }

    /// Why a lead cost what it cost and where the money went; none where this merchant has no such lead.
    explain(
        /// Whose book.
        merchant: MerchantId,
        /// The lead.
        lead: LeadId,
    ;) -> Option<Explanation> { read(ledger.explain(merchant, lead), |told| told.map(Explanation::from)) }

    /// A proof that an entry stands in a book's journal, as JSON text, for `verify_proof` and `verify_proof_against`.
    proof(
        /// Whose book.
        merchant: MerchantId,
        /// The entry's number.
        seq: u64,
    ;) -> String { read(ledger.proof(merchant, seq), |proof| proof.to_json()) }

    /// Writes books into a file, to the letter, as JSON lines: whole or not at all.
    #[blocks = true]
    export_jsonl(
        /// The file.
        path: PathBuf,
    ;
        /// Only this merchant's book.
        merchant: MerchantId,
        /// Without personal data and free text where false.
        with_private: bool,
        /// Whether a file that is there is written over; no where left out.
        over: bool,
    ) -> ExportReport {
        let ledger = ledger.clone();
        Ok(Running::blocking(move || {
            write_file::<_, Fault>(&path, over.unwrap_or(false), |out| {
                let told = &mut |_| {};
                Ok(ledger.export_jsonl(which(merchant), with_private.unwrap_or(true), out, told)?)
            })
            .map(ExportReport::from)
        }))
    }

    /// Takes in books that `export_jsonl` wrote, to the letter. Everything is verified before anything is written; an import
    /// that was interrupted can be run again.
    #[blocks = true]
    import_jsonl(
        /// The file.
        path: PathBuf,
    ;) -> ImportReport {
        let ledger = ledger.clone();
        Ok(Running::blocking(move || {
            let file = std::fs::File::open(&path).map_err(|fault| {
                let what = format!("{}: {fault}", path.display());
                Fault::from(leadledger::InvalidInput::new("file_unreadable", "path", what))
            })?;
            let report = ledger.import_jsonl(&mut std::io::BufReader::new(file), &mut |_| {})?;
            Ok(ImportReport::from(report))
        }))
    }

    /// Writes a deposit's whole statement as CSV, oldest first, and says how many lines there are. Refuses with
    /// `deposit_not_found`.
    #[blocks = true]
    export_statement_csv(
        /// Whose book.
        merchant: MerchantId,
        /// The deposit.
        deposit: DepositId,
        /// The file.
        path: PathBuf,
    ;
        /// Whether a file that is there is written over; no where left out.
        over: bool,
    ) -> u64 {
        let ledger = ledger.clone();
        Ok(Running::blocking(move || {
            write_file::<_, Fault>(&path, over.unwrap_or(false), |out| {
                let order = StatementOrder::OldestFirst;
                let lines = ledger.export_statement_csv(merchant, deposit, order, out)?;
                Ok(lines.ok_or(Refusal::DepositNotFound)?)
            })
        }))
    }

    /// Writes books as a journal for hledger or beancount, with every balance for the tool to verify.
    #[blocks = true]
    export_accounting(
        /// The file.
        path: PathBuf,
        /// Which tool's journal.
        format: AccountingFormat,
    ;
        /// Only this merchant's book.
        merchant: MerchantId,
        /// Whether a file that is there is written over; no where left out.
        over: bool,
    ) -> AccountingReport {
        let ledger = ledger.clone();
        let format = match format {
            AccountingFormat::Hledger => Format::Hledger,
            AccountingFormat::Beancount => Format::Beancount,
        };
        Ok(Running::blocking(move || {
            write_file::<_, Fault>(&path, over.unwrap_or(false), |out| {
                Ok(ledger.export_accounting(format, which(merchant), out, &mut |_| {})?)
            })
            .map(AccountingReport::from)
        }))
    }
}

fn decimal<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Decimal, D::Error> {
    parse_decimal(&String::deserialize(deserializer)?).map_err(serde::de::Error::custom)
}

fn decimal_or_none<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Decimal>, D::Error> {
    let text = Option::<String>::deserialize(deserializer)?;
    text.map(|text| parse_decimal(&text)).transpose().map_err(serde::de::Error::custom)
}

fn micros<'de, D: Deserializer<'de>>(deserializer: D) -> Result<TimeDelta, D::Error> {
    Ok(TimeDelta::microseconds(i64::deserialize(deserializer)?))
}

fn as_of<'de, D: Deserializer<'de>>(deserializer: D) -> Result<AsOf, D::Error> {
    match Value::deserialize(deserializer)? {
        Value::Number(seq) => {
            seq.as_u64().map(AsOf::Entry).ok_or_else(|| serde::de::Error::custom("not an entry's number"))
        }
        other => serde_json::from_value::<Timestamp>(other).map(AsOf::Time).map_err(serde::de::Error::custom),
    }
}

fn gives<T: Serialize>(value: T) -> Result<Value, Fault> {
    crate::running::flat(value)
}

fn proof_of(text: &str) -> Result<Proof, Fault> {
    Ok(Proof::from_json(text)?)
}

table! {
    /// What needs no ledger.
    FUNCTIONS, start_function() -> Value;

    /// Makes the store at `url` ready, or brings its schema up to date: PostgreSQL needs that before a ledger is opened there,
    /// on a direct connection; a SQLite file is brought up to date by opening it, too. See docs/postgres.md.
    #[blocks = true]
    migrate(
        /// Where the ledger is kept.
        url: String,
    ;
        /// PostgreSQL: the roles are named `<roles>_owner`, `<roles>_writer` and `<roles>_reader`; `leadledger` where left out.
        roles: String,
        /// PostgreSQL: a function of the host's, `schema.name`, that gives the merchants that the user of Supabase's role
        /// `authenticated` may see.
        merchants_of: String,
        /// PostgreSQL: whether commits are told to Supabase's Realtime.
        realtime: RealtimeChoice,
    ) -> Ready { gives(migrate(&url, roles, merchants_of, realtime.unwrap_or_default())?) }

    /// What creating a lead of `value` would answer: the same commission, the same split. The terms that are left out have
    /// DOMAIN.md's defaults (chapter 3); a currency other than MAD must be given `threshold` and `fixed`. Refuses with
    /// `invalid_amount`, `amount_precision`, `amount_too_large`, `value_below_minimum`, `invalid_policy`, `invalid_agreement`.
    preview_commission(
        /// The lead's estimated value.
        #[serde(deserialize_with = "decimal")]
        value: Decimal,
    ;
        /// The partner's percent of the commission; `default_share` where left out.
        #[serde(deserialize_with = "decimal_or_none")]
        share: Decimal,
        /// The currency; MAD where left out.
        currency: Currency,
        /// Smallest value of a lead.
        #[serde(deserialize_with = "decimal_or_none")]
        minimum_value: Decimal,
        /// Where the fixed commission begins.
        #[serde(deserialize_with = "decimal_or_none")]
        threshold: Decimal,
        /// Percent of the value below the threshold.
        #[serde(deserialize_with = "decimal_or_none")]
        rate: Decimal,
        /// The fixed commission.
        #[serde(deserialize_with = "decimal_or_none")]
        fixed: Decimal,
        /// The partner's percent of the commission where no agreement says another.
        #[serde(deserialize_with = "decimal_or_none")]
        default_share: Decimal,
    ) -> CommissionPreview {
        let terms = PolicyTerms { minimum_value, threshold, rate, fixed, default_share };
        let policy = Policy::new(currency.unwrap_or(Currency::MAD), terms)?;
        let share = match share {
            None => policy.default_share,
            Some(share) => Percent::new(share).ok_or(Refusal::InvalidAgreement { field: "share" })?,
        };
        gives(leadledger::preview_commission(&policy, share, value)?)
    }

    /// The level of a balance against its reference, both of one currency, compared exactly.
    alert_level(
        /// What is left.
        #[serde(deserialize_with = "decimal")]
        balance: Decimal,
        /// What it is measured against.
        #[serde(deserialize_with = "decimal")]
        reference: Decimal,
    ;) -> Level { gives(leadledger::alert_level(balance, reference)) }

    /// Where an alert of a level is told; nowhere for `healthy`.
    channels_for(
        /// The level.
        level: Level,
    ;) -> Vec<Channel> { gives(leadledger::channels_for(level)) }

    /// How urgent a pending lead is: under 24 hours left `high`, under 48 hours `medium`, else `low`.
    review_priority(
        /// How long until time alone decides on it.
        #[serde(deserialize_with = "micros")]
        left: TimeDelta,
    ;) -> ReviewPriority { gives(leadledger::review_priority(left)) }

    /// Leads that `available` still pays for: floor(available / average commission of the last 30 days, else 60.00). None
    /// where that average is zero.
    estimated_leads_left(
        /// What no pending lead holds.
        #[serde(deserialize_with = "decimal")]
        available: Decimal,
        /// The commission of the leads captured in those days.
        #[serde(deserialize_with = "decimal")]
        captured: Decimal,
        /// How many these were.
        leads: u64,
    ;) -> Option<Decimal> { gives(leadledger::estimated_leads_left(available, captured, leads)) }

    /// Days that `available` lasts: floor(available / average captured a day). None without any capture.
    estimated_days_left(
        /// What no pending lead holds.
        #[serde(deserialize_with = "decimal")]
        available: Decimal,
        /// The commission of the leads captured in those days.
        #[serde(deserialize_with = "decimal")]
        captured: Decimal,
        /// Full local days of history, at most the last seven.
        full_days: u64,
    ;) -> Option<Decimal> { gives(leadledger::estimated_days_left(available, captured, full_days)) }

    /// Verifies that a proof holds in itself, and says what it proves. Whether its head is the book's is still to be
    /// compared: `verify_proof_against` does that. Fails with `proof_..` codes.
    verify_proof(
        /// The proof's JSON text.
        proof: String,
    ;) -> ProvenEntry { gives(ProvenEntry::from(leadledger::verify_proof(&proof_of(&proof)?)?)) }

    /// Verifies a proof against a head that was noted elsewhere.
    verify_proof_against(
        /// The proof's JSON text.
        proof: String,
        /// Whose book it has to be.
        merchant: MerchantId,
        /// The trusted head's hash, in 64 hexadecimal digits.
        head: String,
    ;) -> ProvenEntry {
        let head = crate::hash_of(&head)?;
        gives(ProvenEntry::from(leadledger::verify_proof_against(&proof_of(&proof)?, merchant, &head)?))
    }
}

/// Computes the function of this name. Refuses with `unknown_operation`, and as the function does.
///
/// ```
/// let given = serde_json::json!({ "value": "600.00" }).as_object().unwrap().clone();
/// let preview = leadledger_facade::function("preview_commission", given).unwrap();
/// assert_eq!((&preview["commission"], &preview["partner_part"]), (&"60.00".into(), &"18.00".into()));
/// ```
pub fn function(name: &str, given: Map<String, Value>) -> Result<Value, Fault> {
    start_function(name, given)
}
