//! What may be written on the command line.

use clap::builder::{PossibleValuesParser, TypedValueParser};
use clap::{Args, Parser, Subcommand, ValueEnum};
use leadledger::{LeadStatus, Source};

const AFTER: &str = "\
Where a ledger is:
  sqlite:shop.db                                 a file in this folder
  sqlite:///var/lib/shop.db                      a file anywhere
  postgres://user:password@host/db?schema=NAME   a schema of a server; leadledger where it is left out
  memory:                                        nowhere: empty, and gone when the command ends

Exit codes:
  0  done
  1  a fault of the program itself, or the answer cannot be written
  2  the command line is not understood
  3  refused by the rules of the ledger; nothing changed
  4  invalid input: an id, a URL, a time zone, a day, a field, a file
  5  the store is unavailable now, or full
  6  the store cannot be used: foreign, outdated, newer, corrupt, read-only, misconfigured
  7  a check failed

Errors go to stderr as `error: MESSAGE (CODE)`, with --json as a JSON object. Amounts are written as the terminal's
language writes them (LC_ALL, LC_MONETARY, LC_NUMERIC, LANG); with --json they are strings such as \"1234.50\".";

/// A double-entry ledger for prepaid lead marketplaces
#[derive(Debug, Parser)]
#[command(name = "leadledger", version, after_help = AFTER)]
pub(crate) struct Cli {
    #[command(flatten)]
    pub(crate) global: Global,
    #[command(flatten)]
    pub(crate) format: Format,
    #[command(subcommand)]
    pub(crate) command: Command,
}

/// What every subcommand takes.
#[derive(Args, Debug)]
pub(crate) struct Global {
    /// Where the ledger is
    #[arg(long, global = true, value_name = "URL", env = "LEADLEDGER_URL", hide_env_values = true)]
    pub(crate) url: Option<String>,
    /// Where days and receipts' years begin, by its name in the IANA database
    #[arg(long, global = true, value_name = "NAME", default_value = "Africa/Casablanca")]
    pub(crate) time_zone: String,
}

/// How the answer is written. Not global, since `do` has a `--json` of its own.
#[derive(Args, Clone, Copy, Debug, Default)]
pub(crate) struct Format {
    /// Answers, and errors, as JSON
    #[arg(long)]
    pub(crate) json: bool,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    Init(Init),
    Migrate(Migrate),
    Status(Status),
    Figures(Figures),
    Leads(Leads),
    Statement(Statement),
    Explain(Explain),
    Balances(Balances),
    Tail(Tail),
    RunDue(RunDue),
    Check(Check),
    Proof(Proof),
    Export(Export),
    Import(Import),
    Play(Play),
    Do(Do),
    Completions(Completions),
}

/// Makes a store, or brings one up to date
#[derive(Args, Debug)]
#[command(after_help = "\
Examples:
  leadledger init --url sqlite:shop.db
  leadledger init --url postgres://owner@localhost/shop --merchants-of app.my_merchants

PostgreSQL: on a direct connection, as a role that may create a schema and roles.")]
pub(crate) struct Init {
    #[command(flatten)]
    pub(crate) setup: Setup,
    #[command(flatten)]
    pub(crate) format: Format,
}

/// Brings an existing store's schema up to date
#[derive(Args, Debug)]
#[command(after_help = "\
Examples:
  leadledger migrate --url postgres://owner@localhost/shop?schema=ledger
  leadledger migrate --realtime on

SQLite files are migrated whenever they are opened. PostgreSQL: as `leadledger init`.")]
pub(crate) struct Migrate {
    #[command(flatten)]
    pub(crate) setup: Setup,
    #[command(flatten)]
    pub(crate) format: Format,
}

/// Who may do what in a PostgreSQL schema.
#[derive(Args, Clone, Debug)]
pub(crate) struct Setup {
    /// PostgreSQL: the roles are NAME_owner, NAME_writer and NAME_reader
    #[arg(long, value_name = "NAME", default_value = "leadledger")]
    pub(crate) roles: String,
    /// PostgreSQL: the function that says which merchants a user may see
    #[arg(long, value_name = "SCHEMA.NAME")]
    pub(crate) merchants_of: Option<String>,
    /// PostgreSQL: whether commits are told to Supabase's Realtime
    #[arg(long, value_enum, default_value_t = Realtime::Keep)]
    pub(crate) realtime: Realtime,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
pub(crate) enum Realtime {
    /// As it is
    Keep,
    /// Yes, if the database has it
    On,
    /// No
    Off,
}

/// All merchants' open deposits, or one merchant's card
#[derive(Args, Debug)]
#[command(after_help = "\
Examples:
  leadledger status
  leadledger status 442a26ae-0f1e-5c1d-8a4a-d8421e3d1e5e
  leadledger status --json | jq '.merchants[].deposits[] | select(.level == \"depleted\")'")]
pub(crate) struct Status {
    /// Only this merchant
    pub(crate) merchant: Option<String>,
    #[command(flatten)]
    pub(crate) format: Format,
}

/// What a merchant, a partner or the platform made of it: leads, rates, money, trends
#[derive(Args, Debug)]
#[command(after_help = "\
Examples:
  leadledger figures
  leadledger figures 442a26ae-0f1e-5c1d-8a4a-d8421e3d1e5e
  leadledger figures 442a26ae-0f1e-5c1d-8a4a-d8421e3d1e5e --day 2026-11-22
  leadledger figures --partner 2fa6dafe-6c6b-5aa5-b7ff-24dd7dbeffa5
  leadledger figures MERCHANT --json | jq '.currencies[].leads.validation_rate'

All is net of reversals. Days are those of --time-zone, the same on which the books were kept. Rates are fractions of 1 in
JSON, and null over nothing.")]
pub(crate) struct Figures {
    /// This merchant's
    #[arg(conflicts_with_all = ["partner", "platform"])]
    pub(crate) merchant: Option<String>,
    /// This partner's, over all merchants
    #[arg(long, value_name = "ID", conflicts_with = "platform")]
    pub(crate) partner: Option<String>,
    /// The platform's, over all merchants; so it is without arguments
    #[arg(long)]
    pub(crate) platform: bool,
    /// The report of this day of the merchant's, YYYY-MM-DD
    #[arg(long, value_name = "DAY", requires = "merchant", conflicts_with = "yesterday")]
    pub(crate) day: Option<String>,
    /// The report of the merchant's last full day
    #[arg(long, requires = "merchant")]
    pub(crate) yesterday: bool,
    #[command(flatten)]
    pub(crate) format: Format,
}

/// A merchant's leads, newest first
#[derive(Args, Debug)]
#[command(after_help = "\
Examples:
  leadledger leads 442a26ae-0f1e-5c1d-8a4a-d8421e3d1e5e --pending
  leadledger leads 442a26ae-0f1e-5c1d-8a4a-d8421e3d1e5e --status validated --source tiktok --limit 20")]
pub(crate) struct Leads {
    /// Whose
    pub(crate) merchant: String,
    /// Only those that stand here
    #[arg(long, value_parser = names(LeadStatus::ALL.iter().map(|status| status.name())))]
    pub(crate) status: Option<String>,
    /// Only this campaign's
    #[arg(long, value_name = "ID")]
    pub(crate) campaign: Option<String>,
    /// Only this partner's
    #[arg(long, value_name = "ID")]
    pub(crate) partner: Option<String>,
    /// Only from here
    #[arg(long, value_parser = names(Source::ALL.iter().map(|source| source.name())))]
    pub(crate) source: Option<String>,
    /// Only pending ones, by review priority: the one that expires first before the others
    #[arg(long, conflicts_with = "status")]
    pub(crate) pending: bool,
    #[command(flatten)]
    pub(crate) page: Page,
    #[command(flatten)]
    pub(crate) format: Format,
}

/// A deposit's movements, newest first
#[derive(Args, Debug)]
#[command(after_help = "\
Examples:
  leadledger statement 442a26ae-0f1e-5c1d-8a4a-d8421e3d1e5e 42cbd32f-6f0b-5b7e-9ffb-6260c2a4fdc2
  leadledger statement MERCHANT DEPOSIT --limit 10 --json")]
pub(crate) struct Statement {
    /// Whose
    pub(crate) merchant: String,
    /// Which deposit
    pub(crate) deposit: String,
    #[command(flatten)]
    pub(crate) page: Page,
    #[command(flatten)]
    pub(crate) format: Format,
}

/// Which part of a list.
#[derive(Args, Debug)]
pub(crate) struct Page {
    /// At most so many
    #[arg(long, value_name = "N", default_value_t = 50, value_parser = clap::value_parser!(u32).range(1..))]
    pub(crate) limit: u32,
    /// What the page before gave as `next`
    #[arg(long, value_name = "CURSOR")]
    pub(crate) after: Option<String>,
}

/// Why a lead cost what it cost, and where the money went
#[derive(Args, Debug)]
#[command(after_help = "\
Examples:
  leadledger explain 442a26ae-0f1e-5c1d-8a4a-d8421e3d1e5e 9c035e99-e47c-51c9-8da0-11e6bc407cdf
  leadledger explain MERCHANT LEAD --json | jq '.steps[].event'")]
pub(crate) struct Explain {
    /// Whose
    pub(crate) merchant: String,
    /// Which lead
    pub(crate) lead: String,
    #[command(flatten)]
    pub(crate) format: Format,
}

/// Every balance of a book, now or at a past moment, summed from its journal
#[derive(Args, Debug)]
#[command(after_help = "\
Examples:
  leadledger balances 442a26ae-0f1e-5c1d-8a4a-d8421e3d1e5e
  leadledger balances 442a26ae-0f1e-5c1d-8a4a-d8421e3d1e5e --at '2026-11-22 18:00:00'
  leadledger balances MERCHANT --entry 4711 --json

A time is of --time-zone, or with an offset as in 2026-11-22T17:00:00Z.")]
pub(crate) struct Balances {
    /// Whose book
    pub(crate) merchant: String,
    /// Right after the last entry that is not later
    #[arg(long, value_name = "TIME", conflicts_with = "entry")]
    pub(crate) at: Option<String>,
    /// Right after the entry of this number
    #[arg(long, value_name = "SEQ")]
    pub(crate) entry: Option<u64>,
    #[command(flatten)]
    pub(crate) format: Format,
}

/// What happens, as it is committed, until Ctrl-C
#[derive(Args, Debug)]
#[command(after_help = "\
Examples:
  leadledger tail
  leadledger tail --from-start --merchant 442a26ae-0f1e-5c1d-8a4a-d8421e3d1e5e
  leadledger tail --json | jq -c 'select(.type == \"alert_raised\")'
  leadledger tail --as mails --json | ./send-mails

An entry gives one event or several, one line each. With --as, a name is remembered in the ledger with how far it has
got, and the next run goes on from there; a new name begins with the first entry. What was written is acknowledged
afterwards: an entry comes again where the run was cut off between the two. A name is one reader's.")]
pub(crate) struct Tail {
    /// Only this merchant's
    #[arg(long, value_name = "ID")]
    pub(crate) merchant: Option<String>,
    /// From the first entry on, not only new ones
    #[arg(long)]
    pub(crate) from_start: bool,
    /// As a subscriber whose place is remembered, in all books
    #[arg(long = "as", value_name = "NAME", conflicts_with_all = ["merchant", "from_start"])]
    pub(crate) name: Option<String>,
    /// Ends after the events of so many entries
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u64).range(1..))]
    pub(crate) limit: Option<u64>,
    #[command(flatten)]
    pub(crate) format: Format,
}

/// Settles what is due now: leads expire or are accepted, held parts mature
#[derive(Args, Debug)]
#[command(after_help = "\
Examples:
  leadledger run-due
  leadledger run-due 442a26ae-0f1e-5c1d-8a4a-d8421e3d1e5e --json

Nothing goes wrong if this never runs: whoever looks at a book settles it first.")]
pub(crate) struct RunDue {
    /// Only this merchant's book
    pub(crate) merchant: Option<String>,
    #[command(flatten)]
    pub(crate) format: Format,
}

/// Replays journals and compares them with every stored row
#[derive(Args, Debug)]
#[command(after_help = "\
Examples:
  leadledger check
  leadledger check 442a26ae-0f1e-5c1d-8a4a-d8421e3d1e5e
  leadledger check --json | jq .failures

All books are looked at, whatever is found in one of them; exits with 7 where one of them fails. Of one merchant's book
the head is told: note it elsewhere, and `leadledger proof` is held against it.")]
pub(crate) struct Check {
    /// Only this merchant's book
    pub(crate) merchant: Option<String>,
    #[command(flatten)]
    pub(crate) format: Format,
}

/// Proves an entry to somebody who has no ledger, or verifies such a proof
#[derive(Args, Debug)]
#[command(after_help = "\
Examples:
  leadledger proof 442a26ae-0f1e-5c1d-8a4a-d8421e3d1e5e 4 --out entry-4.json
  leadledger proof --verify entry-4.json
  leadledger proof 442a26ae-0f1e-5c1d-8a4a-d8421e3d1e5e --verify entry-4.json --head $NOTED

A proof holds the texts of all entries from the one proven to the head, none with personal data. It is worth what its head
is worth: with --head, the proof must lead to the head that was noted elsewhere (`leadledger check MERCHANT` tells it).
Verifying needs no ledger; exits with 7 where the proof does not hold.")]
pub(crate) struct Proof {
    /// Whose book; to verify, whose it must be
    #[arg(required_unless_present = "verify")]
    pub(crate) merchant: Option<String>,
    /// The number of the entry
    #[arg(required_unless_present = "verify", conflicts_with = "verify")]
    pub(crate) seq: Option<u64>,
    /// Where the proof goes; - is stdout
    #[arg(long, value_name = "FILE", required_unless_present = "verify", conflicts_with = "verify")]
    pub(crate) out: Option<String>,
    /// Writes over a file that is there
    #[arg(long, requires = "out")]
    pub(crate) force: bool,
    /// Verifies this proof instead; - is stdin
    #[arg(long, value_name = "FILE")]
    pub(crate) verify: Option<String>,
    /// The hash of an entry of this book that was noted elsewhere, not before the proven one
    #[arg(long, value_name = "HEX", requires = "verify")]
    pub(crate) head: Option<String>,
    #[command(flatten)]
    pub(crate) format: Format,
}

/// Writes books out: to keep them, take them elsewhere, or look at them with other tools
#[derive(Args, Debug)]
#[command(after_help = "\
Examples:
  leadledger export --format jsonl --out books.jsonl
  leadledger export --format jsonl --without-private --merchant MERCHANT --out -
  leadledger export --format csv --merchant MERCHANT --deposit DEPOSIT --out statement.csv
  leadledger export --format hledger --out books.journal && hledger check --strict -f books.journal
  leadledger export --format beancount --out books.beancount && bean-check books.beancount

FILE is there whole or not at all, for this user only. See docs/export.md for the formats. Private texts are personal
data.")]
pub(crate) struct Export {
    /// jsonl can be imported again; csv is one deposit's statement; hledger and beancount are accounting journals
    #[arg(long, value_enum)]
    pub(crate) format: ExportFormat,
    /// Where it goes; - is stdout
    #[arg(long, value_name = "FILE")]
    pub(crate) out: String,
    /// Writes over a file that is there
    #[arg(long)]
    pub(crate) force: bool,
    /// Only this merchant's book
    #[arg(long, value_name = "ID")]
    pub(crate) merchant: Option<String>,
    /// csv: the deposit
    #[arg(long, value_name = "ID", requires = "merchant")]
    pub(crate) deposit: Option<String>,
    /// jsonl: leaves out customers' data and other free text
    #[arg(long)]
    pub(crate) without_private: bool,
    #[command(flatten)]
    pub(crate) json: Format,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum ExportFormat {
    Jsonl,
    Csv,
    Hledger,
    Beancount,
}

/// Takes in exported books, to the letter; or the tables of the existing backend
#[derive(Args, Debug)]
#[command(after_help = "\
Examples:
  leadledger init --url sqlite:new.db
  leadledger import books.jsonl --url sqlite:new.db
  leadledger import --legacy postgres://reader@localhost/old --dry-run --url sqlite:new.db
  leadledger import --legacy postgres://reader@localhost/old --url sqlite:new.db

The file is verified whole before anything is written. A book must be absent, or a beginning of the one in the file: an
import that was interrupted can be run again. Give no commands to a book before it is there whole.

The tables of the existing backend are read in one snapshot, and never written. Each merchant gets a book that begins with
one opening entry; a merchant that has one is left as it is. Every difference is in the report, with its cause
(docs/import.md).")]
pub(crate) struct Import {
    /// The file
    #[arg(required_unless_present = "legacy")]
    pub(crate) file: Option<std::path::PathBuf>,
    /// The PostgreSQL database of the existing backend
    #[arg(long, value_name = "URL", conflicts_with = "file")]
    pub(crate) legacy: Option<String>,
    /// The schema of its tables
    #[arg(long, value_name = "NAME", default_value = "public", requires = "legacy")]
    pub(crate) schema: String,
    /// Only say what would come in
    #[arg(long, requires = "legacy")]
    pub(crate) dry_run: bool,
    /// Partners' parts of captured leads were not paid: they come in as owed
    #[arg(long, requires = "legacy")]
    pub(crate) earnings_owed: bool,
    /// Balances come in higher where they do not cover the pending leads; else the youngest of these are left out
    #[arg(long, requires = "legacy")]
    pub(crate) cover_pending: bool,
    /// Leads past their window are validated where their campaign does so by timeout; else they come in as expired
    #[arg(long, requires = "legacy")]
    pub(crate) accept_overdue: bool,
    #[command(flatten)]
    pub(crate) format: Format,
}

/// Plays a story into the store, and compares what happens with what the story says
#[derive(Args, Debug)]
#[command(after_help = "\
Examples:
  leadledger play core/conformance/scenarios/01-down-the-alert-ladder.json --url memory:
  leadledger play story.json --url sqlite:try.db

The clock shows the times of the steps. A story whose merchants have books in the store is refused. Exits with 7 where
something else happens than the story says.")]
pub(crate) struct Play {
    /// A file in the format of core/conformance/scenarios
    pub(crate) story: std::path::PathBuf,
    #[command(flatten)]
    pub(crate) format: Format,
}

/// Sends any command to the ledger
#[derive(Args, Debug)]
#[command(after_help = "\
Examples:
  leadledger do --list
  leadledger do open_deposit --with '{\"merchant\": \"442a26ae-0f1e-5c1d-8a4a-d8421e3d1e5e\", \"amount\": \"5000.00\"}'
  leadledger do create_lead --json @lead.json --key form-4711
  echo '{\"merchant\": \"442a26ae-0f1e-5c1d-8a4a-d8421e3d1e5e\"}' | leadledger do run_due --json -

Amounts and percents are strings. Ids that are left out are made up, and told in the answer. With a key, the same command
again gives the first answer and changes nothing.")]
pub(crate) struct Do {
    /// Which command; `--list` tells them all
    #[arg(required_unless_present = "list")]
    pub(crate) command: Option<String>,
    /// Its fields as a JSON object; @FILE reads a file, - reads stdin
    #[arg(long, value_name = "FIELDS", conflicts_with = "list")]
    pub(crate) with: Option<String>,
    /// As --with, and answers in JSON; without FIELDS only that
    #[arg(long, value_name = "FIELDS", num_args = 0..=1)]
    pub(crate) json: Option<Option<String>>,
    /// Its idempotency key
    #[arg(long, conflicts_with = "list")]
    pub(crate) key: Option<String>,
    /// Lists all commands with their fields, or those of COMMAND
    #[arg(long)]
    pub(crate) list: bool,
}

/// Prints a script that completes this command line in a shell
#[derive(Args, Debug)]
#[command(after_help = "\
Examples:
  leadledger completions bash > ~/.local/share/bash-completion/completions/leadledger
  leadledger completions zsh > ~/.zfunc/_leadledger
  leadledger completions fish > ~/.config/fish/completions/leadledger.fish")]
pub(crate) struct Completions {
    /// Which shell
    #[arg(value_enum)]
    pub(crate) shell: Shell,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
pub(crate) enum Shell {
    Bash,
    Zsh,
    Fish,
}

/// A value out of the permanent names of something.
fn names(names: impl Iterator<Item = &'static str>) -> impl TypedValueParser<Value = String> {
    PossibleValuesParser::new(names.collect::<Vec<_>>())
}

impl Cli {
    /// Whether answers and errors are to be JSON, wherever that was said.
    pub(crate) fn wants_json(&self) -> bool {
        let format = match &self.command {
            Command::Init(Init { format, .. })
            | Command::Migrate(Migrate { format, .. })
            | Command::Status(Status { format, .. })
            | Command::Figures(Figures { format, .. })
            | Command::Leads(Leads { format, .. })
            | Command::Statement(Statement { format, .. })
            | Command::Explain(Explain { format, .. })
            | Command::Balances(Balances { format, .. })
            | Command::Tail(Tail { format, .. })
            | Command::RunDue(RunDue { format, .. })
            | Command::Check(Check { format, .. })
            | Command::Proof(Proof { format, .. })
            | Command::Export(Export { json: format, .. })
            | Command::Import(Import { format, .. })
            | Command::Play(Play { format, .. }) => *format,
            Command::Do(arguments) => Format { json: arguments.json.is_some() },
            Command::Completions(_) => Format::default(),
        };
        self.format.json || format.json
    }
}
