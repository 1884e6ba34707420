//! The tables as they are: every value as the server spells it, nothing understood yet.
//!
//! Text keeps what a type would lose or choke on: a `NaN`, an `infinity`, an amount with too many decimals is a row with
//! a fault, not the end of the import.

use leadledger_postgres::{ForeignTables, TextRow};

use crate::error::{ImportError, Missing};

/// How many rows one answer of the server holds.
const PAGE: usize = 5_000;

macro_rules! tables {
    ($(
        $(#[$doc:meta])*
        $table:ident = $name:literal, $rows:ident: $row:ident { $($column:ident),* $(,)? }
    )*) => {
        /// A table of the existing backend.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum Table {$( $(#[$doc])* $table, )*}

        impl Table {
            /// All of them.
            pub const ALL: &'static [Self] = &[$( Self::$table ),*];

            /// Its name in the database.
            pub fn name(self) -> &'static str {
                match self {$( Self::$table => $name, )*}
            }

            /// The columns that an import reads.
            pub fn columns(self) -> &'static [&'static str] {
                match self {$( Self::$table => &[$( stringify!($column) ),*], )*}
            }
        }

        $(
            $(#[$doc])*
            /// A row: each column as text, none where it is null.
            #[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
            #[allow(missing_docs)] // the columns' own names
            pub struct $row {$( pub $column: Option<String>, )*}

            impl From<TextRow> for $row {
                fn from(row: TextRow) -> Self {
                    let mut values = row.into_iter();
                    Self {$( $column: values.next().flatten(), )*}
                }
            }
            impl $row {
                /// The columns' values, in the order of [`Table::columns`].
                pub fn values(&self) -> Vec<Option<&String>> {
                    vec![$( self.$column.as_ref() ),*]
                }
            }
        )*

        /// Everything that was read, of one moment.
        #[derive(Clone, Debug, Default, PartialEq, Eq)]
        pub struct Source {$(
            $(#[$doc])*
            pub $rows: Vec<$row>,
        )*}

        impl Source {
            /// How many rows of a table there are.
            pub fn rows(&self, table: Table) -> usize {
                match table {$( Table::$table => self.$rows.len(), )*}
            }

            fn take(&mut self, table: Table, page: Vec<TextRow>) {
                match table {$( Table::$table => self.$rows.extend(page.into_iter().map($row::from)), )*}
            }
        }
    };
}

tables! {
    /// Deposits.
    Deposits = "company_deposits", deposits: DepositRow {
        id, merchant_id, campaign_id, initial_amount, current_balance, reserved_amount, alert_threshold, auto_recharge,
        auto_recharge_amount, status, depleted_at, last_alert_sent, created_at,
    }
    /// The lines of deposits' statements.
    Transactions = "deposit_transactions", transactions: TransactionRow {
        id, deposit_id, merchant_id, lead_id, transaction_type, amount, balance_before, balance_after, payment_method,
        payment_reference, created_at,
    }
    /// Leads.
    Leads = "leads", leads: LeadRow {
        id, campaign_id, influencer_id, commercial_id, merchant_id, product_id, customer_name, customer_email,
        customer_phone, customer_company, customer_notes, source, estimated_value, commission_amount, commission_type,
        influencer_percentage, influencer_commission, status, quality_score, rejection_reason, validated_at,
        conversion_date, created_at,
    }
    /// Merchants' terms with partners.
    Agreements = "influencer_agreements", agreements: AgreementRow {
        merchant_id, influencer_id, commercial_id, campaign_id, commission_percentage, payment_delay_days, status,
    }
    /// Campaigns' settings.
    Settings = "campaign_settings", settings: SettingsRow {
        campaign_id, merchant_id, lead_generation_enabled, auto_stop_on_depletion, percentage_commission_rate,
        fixed_commission_amount, commission_threshold, validation_timeout_hours, auto_validate_after_timeout,
        minimum_quality_score,
    }
}

/// Reads all tables of `schema` in one read-only snapshot, page by page. The address is a `postgres://` URL, direct or
/// through a pooler, with `sslmode` as for the PostgreSQL store. Row-level security that would hide rows is an error.
pub fn read(url: &str, schema: &str) -> Result<Source, ImportError> {
    let mut tables = ForeignTables::open(url).map_err(ImportError::Source)?;
    let missing = missing(&mut tables, schema)?;
    if !missing.is_empty() {
        return Err(ImportError::Schema { schema: schema.to_owned(), missing });
    }
    let mut source = Source::default();
    for table in Table::ALL {
        let columns: Vec<String> = table.columns().iter().map(|column| format!("{column}::text")).collect();
        let sql = format!("SELECT {} FROM {}.{}", columns.join(", "), quoted(schema), table.name());
        tables.each_page(&sql, PAGE, |page| source.take(*table, page)).map_err(ImportError::Source)?;
    }
    Ok(source)
}

/// A name as SQL takes it, whatever it holds.
fn quoted(name: &str) -> String {
    format!("\"{}\"", name.replace('"', "\"\""))
}

fn missing(tables: &mut ForeignTables, schema: &str) -> Result<Vec<Missing>, ImportError> {
    let sql = "SELECT c.relname::text, a.attname::text FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace \
               LEFT JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped \
               WHERE n.nspname = $1 AND c.relkind IN ('r', 'p', 'v', 'm', 'f')";
    let found = tables.rows(sql, &[schema]).map_err(ImportError::Source)?;
    let has = |table: &str, column: Option<&str>| {
        found.iter().any(|row| {
            let is = |place: usize, name: &str| row.get(place).is_some_and(|found| found.as_deref() == Some(name));
            is(0, table) && column.is_none_or(|column| is(1, column))
        })
    };
    let mut missing = Vec::new();
    for table in Table::ALL.iter().copied() {
        if !has(table.name(), None) {
            missing.push(Missing { table: table.name(), column: None });
            continue;
        }
        let absent = table.columns().iter().filter(|column| !has(table.name(), Some(column)));
        missing.extend(absent.map(|column| Missing { table: table.name(), column: Some(column) }));
    }
    Ok(missing)
}
