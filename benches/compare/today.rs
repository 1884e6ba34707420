//! The cycle as today's backend does it, but correct: in transactions, the deposit's row locked by `SELECT .. FOR UPDATE`,
//! each step a statement of its own. A caller has a connection of its own, or waits for one where there are more callers
//! than its pool has connections. Plain, the driver is given the text each time; prepared, each connection prepares its
//! statements once, which a pooler in transaction mode does not allow.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use leadledger_bench::Fault;
use leadledger_bench::cycle::per_second;
use tokio_postgres::types::ToSql;
use tokio_postgres::{Client, NoTls, Statement};
use uuid::Uuid;

/// Connections of its pool, at most.
const POOL: usize = 96;

/// Its tables, as far as the cycle touches them.
const SCHEMA: &str = "
DROP SCHEMA IF EXISTS today CASCADE;
CREATE SCHEMA today;
SET search_path = today;
CREATE TABLE company_deposits (id uuid PRIMARY KEY, merchant_id uuid NOT NULL, campaign_id uuid,
    initial_amount numeric(10,2) NOT NULL, current_balance numeric(10,2) NOT NULL, reserved_amount numeric(10,2) NOT NULL,
    status text NOT NULL, updated_at timestamp NOT NULL DEFAULT now());
CREATE INDEX ON company_deposits (merchant_id);
CREATE TABLE campaign_settings (campaign_id uuid PRIMARY KEY, merchant_id uuid NOT NULL,
    lead_generation_enabled boolean NOT NULL DEFAULT true, percentage_commission_rate numeric(5,2) NOT NULL DEFAULT 10,
    fixed_commission_amount numeric(10,2) NOT NULL DEFAULT 80, commission_threshold numeric(10,2) NOT NULL DEFAULT 800);
CREATE TABLE influencer_agreements (merchant_id uuid, influencer_id uuid, commission_percentage numeric(5,2), status text,
    PRIMARY KEY (merchant_id, influencer_id));
CREATE TABLE influencer_earnings (influencer_id uuid PRIMARY KEY, earned numeric(12,2) NOT NULL);
CREATE TABLE leads (id uuid PRIMARY KEY, campaign_id uuid NOT NULL, influencer_id uuid NOT NULL, merchant_id uuid NOT NULL,
    deposit_id uuid NOT NULL, source text NOT NULL, estimated_value numeric(10,2) NOT NULL,
    commission_amount numeric(10,2) NOT NULL, influencer_commission numeric(10,2) NOT NULL, status text NOT NULL,
    quality_score integer, created_at timestamp NOT NULL DEFAULT now(), validated_at timestamp);
CREATE INDEX ON leads (merchant_id, created_at);
CREATE TABLE deposit_transactions (id uuid PRIMARY KEY DEFAULT gen_random_uuid(), deposit_id uuid NOT NULL,
    merchant_id uuid NOT NULL, lead_id uuid, transaction_type text NOT NULL, amount numeric(10,2) NOT NULL,
    created_at timestamp NOT NULL DEFAULT now());
CREATE INDEX ON deposit_transactions (deposit_id, created_at);
";

/// What creates a lead, and which ids each statement is about.
const CREATE: [(&str, &[Id]); 6] = [
    ("SELECT lead_generation_enabled FROM today.campaign_settings WHERE campaign_id = $1", &[Id::Campaign]),
    (
        "SELECT status FROM today.influencer_agreements WHERE merchant_id = $1 AND influencer_id = $2",
        &[Id::Merchant, Id::Partner],
    ),
    (
        "SELECT id FROM today.company_deposits WHERE id = $1 AND status = 'active' \
         AND current_balance - reserved_amount >= 60.00 FOR UPDATE",
        &[Id::Deposit],
    ),
    (
        "INSERT INTO today.leads (id, campaign_id, influencer_id, merchant_id, deposit_id, source, estimated_value, \
         commission_amount, influencer_commission, status) VALUES ($1, $2, $3, $4, $5, 'other', 600, 60, 18, 'pending')",
        &[Id::Lead, Id::Campaign, Id::Partner, Id::Merchant, Id::Deposit],
    ),
    (
        "UPDATE today.company_deposits SET reserved_amount = reserved_amount + 60.00, updated_at = now() WHERE id = $1",
        &[Id::Deposit],
    ),
    (
        "INSERT INTO today.deposit_transactions (deposit_id, merchant_id, lead_id, transaction_type, amount) \
         VALUES ($1, $2, $3, 'reservation', 60.00)",
        &[Id::Deposit, Id::Merchant, Id::Lead],
    ),
];

/// What validates it.
const VALIDATE: [(&str, &[Id]); 6] = [
    ("SELECT status FROM today.leads WHERE id = $1 AND status = 'pending' FOR UPDATE", &[Id::Lead]),
    ("SELECT id FROM today.company_deposits WHERE id = $1 FOR UPDATE", &[Id::Deposit]),
    (
        "UPDATE today.company_deposits SET current_balance = current_balance - 60.00, \
         reserved_amount = reserved_amount - 60.00, updated_at = now() WHERE id = $1",
        &[Id::Deposit],
    ),
    ("UPDATE today.leads SET status = 'validated', quality_score = 8, validated_at = now() WHERE id = $1", &[Id::Lead]),
    ("UPDATE today.influencer_earnings SET earned = earned + 18.00 WHERE influencer_id = $1", &[Id::Partner]),
    (
        "INSERT INTO today.deposit_transactions (deposit_id, merchant_id, lead_id, transaction_type, amount) \
         VALUES ($1, $2, $3, 'deduction', -60.00)",
        &[Id::Deposit, Id::Merchant, Id::Lead],
    ),
];

#[derive(Clone, Copy)]
enum Id {
    Merchant,
    Campaign,
    Partner,
    Deposit,
    Lead,
}

/// A merchant, its campaign and deposit, and the partner who brings its leads.
#[derive(Clone, Copy)]
struct Shop {
    merchant: Uuid,
    campaign: Uuid,
    partner: Uuid,
    deposit: Uuid,
}

/// How statements are sent.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Way {
    Plain,
    Prepared,
}

/// A connection, with its statements where they are prepared.
struct Connection {
    client: Client,
    prepared: Vec<Statement>,
}

impl Connection {
    async fn open(url: &str, way: Way) -> Result<Self, tokio_postgres::Error> {
        let (client, driver) = tokio_postgres::connect(url, NoTls).await?;
        tokio::spawn(driver);
        let mut prepared = Vec::new();
        if way == Way::Prepared {
            for (sql, _) in CREATE.iter().chain(&VALIDATE) {
                prepared.push(client.prepare(sql).await?);
            }
        }
        Ok(Self { client, prepared })
    }

    async fn transaction(
        &self,
        statements: &[(&str, &[Id])],
        first: usize,
        shop: Shop,
        lead: Uuid,
    ) -> Result<(), Fault> {
        self.client.batch_execute("BEGIN").await?;
        for (number, (sql, ids)) in statements.iter().enumerate() {
            let ids: Vec<Uuid> = ids
                .iter()
                .map(|id| match id {
                    Id::Merchant => shop.merchant,
                    Id::Campaign => shop.campaign,
                    Id::Partner => shop.partner,
                    Id::Deposit => shop.deposit,
                    Id::Lead => lead,
                })
                .collect();
            let params: Vec<&(dyn ToSql + Sync)> = ids.iter().map(|id| id as _).collect();
            let touched = match self.prepared.get(first + number) {
                Some(prepared) => self.client.execute(prepared, &params).await?,
                None => self.client.execute(*sql, &params).await?,
            };
            if touched != 1 {
                return Err(format!("{sql} met {touched} rows").into());
            }
        }
        self.client.batch_execute("COMMIT").await?;
        Ok(())
    }
}

/// Cycles per second.
pub(crate) fn run(url: &str, way: Way, callers: usize, merchants: usize, length: Duration) -> Result<u64, Fault> {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build()?;
    runtime.block_on(async {
        let (first, driver) = tokio_postgres::connect(url, NoTls).await?;
        tokio::spawn(driver);
        first.batch_execute(SCHEMA).await?;
        let mut shops = Vec::with_capacity(merchants);
        for _ in 0..merchants {
            let id = Uuid::now_v7;
            let shop = Shop { merchant: id(), campaign: id(), partner: id(), deposit: id() };
            first
                .batch_execute(&format!(
                    "INSERT INTO today.company_deposits VALUES ('{}', '{}', NULL, 50000000, 50000000, 0, 'active');
                     INSERT INTO today.campaign_settings VALUES ('{}', '{}');
                     INSERT INTO today.influencer_agreements VALUES ('{}', '{}', 30, 'active');
                     INSERT INTO today.influencer_earnings VALUES ('{}', 0)",
                    shop.deposit,
                    shop.merchant,
                    shop.campaign,
                    shop.merchant,
                    shop.merchant,
                    shop.partner,
                    shop.partner
                ))
                .await?;
            shops.push(shop);
        }
        let shops = Arc::new(shops);
        let mut connections = Vec::new();
        for _ in 0..callers.min(POOL) {
            connections.push(Connection::open(url, way).await?);
        }
        let (cycles, turn) = (Arc::new(AtomicU64::new(0)), Arc::new(AtomicUsize::new(0)));
        let mut tasks = Vec::new();
        let begun = Instant::now();
        for connection in connections {
            let (shops, cycles, turn) = (Arc::clone(&shops), Arc::clone(&cycles), Arc::clone(&turn));
            tasks.push(tokio::spawn(async move {
                while begun.elapsed() < length {
                    let next = turn.fetch_add(1, Ordering::Relaxed);
                    let Some(shop) = shops.get(next % shops.len()).copied() else { break };
                    let lead = Uuid::now_v7();
                    let create =
                        connection.transaction(&CREATE, 0, shop, lead).await.map_err(|fault| fault.to_string());
                    create?;
                    let validate = connection.transaction(&VALIDATE, CREATE.len(), shop, lead).await;
                    validate.map_err(|fault| fault.to_string())?;
                    cycles.fetch_add(1, Ordering::Relaxed);
                }
                Ok::<(), String>(())
            }));
        }
        for task in tasks {
            task.await??;
        }
        let done = per_second(cycles.load(Ordering::Relaxed), begun.elapsed());
        first.batch_execute("DROP SCHEMA today CASCADE").await?;
        Ok(done)
    })
}
