//! The tables as the existing backend has them, in a schema of a real server, filled with a world.

use leadledger_legacy::{Source, Table};
use tokio_postgres::{Client, NoTls};

/// LEGACY.md's columns, and a few that matter to nobody.
const TABLES: &str = "
CREATE TABLE company_deposits (id uuid, merchant_id uuid, campaign_id uuid, initial_amount numeric(10,2),
    current_balance numeric(10,2), reserved_amount numeric(10,2), alert_threshold numeric(10,2) DEFAULT 500,
    auto_recharge boolean, auto_recharge_amount numeric(10,2), status text, depleted_at timestamp,
    last_alert_sent timestamp, created_at timestamp, updated_at timestamp);
CREATE TABLE deposit_transactions (id uuid, deposit_id uuid, merchant_id uuid, lead_id uuid,
    transaction_type varchar(50), amount numeric(10,2), balance_before numeric(10,2), balance_after numeric(10,2),
    payment_method text, payment_reference text, description text, created_at timestamp);
CREATE TABLE leads (id uuid, campaign_id uuid, influencer_id uuid, commercial_id uuid, merchant_id uuid,
    product_id uuid, customer_name text, customer_email text, customer_phone text, customer_company text,
    customer_notes text, source text, estimated_value numeric(10,2), commission_amount numeric(10,2),
    commission_type text, influencer_percentage numeric(5,2), influencer_commission numeric(10,2), status text,
    quality_score integer, rejection_reason text, validated_at timestamp, conversion_date timestamp,
    created_at timestamp);
CREATE TABLE influencer_agreements (id uuid, merchant_id uuid, influencer_id uuid, commercial_id uuid,
    campaign_id uuid, commission_percentage numeric(5,2), payment_delay_days integer DEFAULT 14, status text);
CREATE TABLE campaign_settings (campaign_id uuid, merchant_id uuid, lead_generation_enabled boolean,
    auto_stop_on_depletion boolean, percentage_commission_rate numeric(5,2) DEFAULT 10.00,
    fixed_commission_amount numeric(10,2) DEFAULT 80.00, commission_threshold numeric(10,2) DEFAULT 800.00,
    validation_timeout_hours integer DEFAULT 72, auto_validate_after_timeout boolean,
    minimum_quality_score integer DEFAULT 5);
";

/// A schema of its own, dropped with this.
pub struct Database {
    pub schema: String,
    runtime: tokio::runtime::Runtime,
    client: Client,
}

pub fn url() -> &'static str {
    leadledger_testbed::server().unwrap().url()
}

impl Database {
    /// The empty tables.
    pub fn new(name: &str) -> Self {
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
        let (client, driver) = runtime.block_on(tokio_postgres::connect(url(), NoTls)).unwrap();
        runtime.spawn(driver);
        let database = Self { schema: format!("{name} {}", std::process::id()), runtime, client };
        database.run(&format!("CREATE SCHEMA \"{0}\"; SET search_path = \"{0}\"; {TABLES}", database.schema));
        database
    }

    pub fn run(&self, sql: &str) {
        self.runtime.block_on(self.client.batch_execute(sql)).unwrap();
    }

    /// The one value that a query gives, as text.
    pub fn text(&self, sql: &str) -> String {
        let messages = self.runtime.block_on(self.client.simple_query(sql)).unwrap();
        let rows = messages.into_iter().filter_map(|message| match message {
            tokio_postgres::SimpleQueryMessage::Row(row) => Some(row.get(0).unwrap_or("null").to_owned()),
            _ => None,
        });
        let rows: Vec<String> = rows.collect();
        assert_eq!(rows.len(), 1, "{sql}");
        rows[0].clone()
    }

    pub fn fill(&self, source: &Source) {
        macro_rules! fill {
            ($($table:ident: $rows:ident),*) => {$(
                for chunk in source.$rows.chunks(500) {
                    let rows: Vec<String> = chunk.iter().map(|row| {
                        let values: Vec<String> = row.values().into_iter().map(literal).collect();
                        format!("({})", values.join(", "))
                    }).collect();
                    let table = Table::$table;
                    let columns = table.columns().join(", ");
                    self.run(&format!("INSERT INTO {} ({columns}) VALUES {}", table.name(), rows.join(", ")));
                }
            )*};
        }
        fill!(Deposits: deposits, Transactions: transactions, Leads: leads, Agreements: agreements, Settings: settings);
    }
}

impl Drop for Database {
    fn drop(&mut self) {
        let sql = format!("DROP SCHEMA \"{}\" CASCADE", self.schema);
        if let Err(fault) = self.runtime.block_on(self.client.batch_execute(&sql)) {
            eprintln!("schema {:?} stays: {fault}", self.schema);
        }
    }
}

fn literal(value: Option<&String>) -> String {
    value.map_or_else(|| "NULL".to_owned(), |text| format!("'{}'", text.replace('\'', "''")))
}
