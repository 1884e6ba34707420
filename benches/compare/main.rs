//! The engine on PostgreSQL against the cycle as today's backend does it, and against a bare bulk insert of the same rows:
//! on the same private server, in turns within one run. Absolute times on a shared machine drift by half.
//!
//! `leadledger-compare [--seconds N] [--rounds N] [--leads N]`; the table goes to standard output, the figures as JSON to
//! `target/bench/postgres.json`.

mod bare;
mod today;

use std::sync::Arc;
use std::time::Duration;

use leadledger_bench::{Fault, cycle, options};
use leadledger_postgres::{Migration, PostgresOptions, PostgresStore};
use serde_json::{Value, json};
use tokio_postgres::{Client, NoTls};

use crate::today::Way;

/// What to measure, and for how long.
struct Plan {
    length: Duration,
    rounds: usize,
    lanes: usize,
    /// Only the line of this number, from 0; one that is not there: only what follows.
    only: Option<usize>,
    /// Leads of the book that figures are read from.
    leads: u64,
}

fn plan() -> Result<Plan, Fault> {
    let lanes = PostgresOptions::default().lanes;
    let mut plan = Plan { length: Duration::from_secs(3), rounds: 3, lanes, only: None, leads: 1_000_000 };
    for (name, value) in options()? {
        match name.as_str() {
            "--seconds" => plan.length = Duration::from_secs(value.max(1)),
            "--rounds" => plan.rounds = usize::try_from(value.max(1))?,
            "--only" => plan.only = Some(usize::try_from(value)?),
            "--leads" => plan.leads = value.max(2_000),
            "--lanes" => plan.lanes = usize::try_from(value.max(1))?,
            _ => return Err(format!("unknown option {name}").into()),
        }
    }
    Ok(plan)
}

fn main() -> Result<(), Fault> {
    let plan = plan()?;
    let url = leadledger_testbed::server()?.url();
    println!("create + validate, PostgreSQL on this machine, fsync and synchronous_commit on; {} lanes", plan.lanes);
    println!("today: SELECT .. FOR UPDATE, one transaction a command, plain (and with prepared statements)");
    println!(
        "bare: the same rows into the same tables, arrays, prepared, one transaction a batch, nothing decided or read"
    );
    println!(
        "merchants callers   cycles/s   p50 us    p99 us  batch  today/s   times  prepared   times   bare/s  ratio  WAL \
         B/cycle  rows/cycle"
    );
    warm_up(&plan, url)?;
    let mut figures = Vec::new();
    let lines = [(1, 1), (1, 32), (1, 1_024), (1_000, 1), (1_000, 32), (1_000, 1_024)];
    for (number, (merchants, callers)) in lines.into_iter().enumerate() {
        if plan.only.is_none_or(|only| only == number) {
            figures.push(compare(&plan, url, merchants, callers)?);
        }
    }
    let server = Server::connect(url)?;
    let (few, many) = (Schema::new(&server, url, "few")?, Schema::new(&server, url, "many")?);
    let store = |schema: &Schema<'_>| {
        let options = PostgresOptions { schema: schema.name.clone(), ..PostgresOptions::default() };
        Ok::<_, Fault>(Arc::new(PostgresStore::open_with(url, options)?))
    };
    let read = leadledger_bench::figures::run(store(&few)?, store(&many)?, plan.leads)?;
    let report = json!({ "cycle": figures, "figures": read });
    std::fs::create_dir_all("target/bench")?;
    std::fs::write("target/bench/postgres.json", serde_json::to_string_pretty(&report)?)?;
    println!("figures: target/bench/postgres.json");
    Ok(())
}

/// A server that has run for a while writes its log into files that it has used before; one that is new makes each file
/// first, which takes longer than what is measured here.
fn warm_up(plan: &Plan, url: &str) -> Result<(), Fault> {
    let server = Server::connect(url)?;
    let schema = Schema::new(&server, url, "warm_up")?;
    let options = PostgresOptions { schema: schema.name.clone(), ..PostgresOptions::default() };
    cycle::run(Arc::new(PostgresStore::open_with(url, options)?), 1_024, 1_000, plan.length * 3)?;
    server.run("CHECKPOINT")
}

/// What the engine did, and what it cost the server.
struct Round {
    measured: cycle::Measured,
    wal_bytes: i64,
    rows: i64,
    today: u64,
    prepared: u64,
    bare: u64,
}

fn compare(plan: &Plan, url: &str, merchants: usize, callers: usize) -> Result<Value, Fault> {
    let mut rounds = Vec::new();
    for _ in 0..plan.rounds {
        rounds.push(round(plan, url, merchants, callers)?);
    }
    rounds.sort_by_key(|round| round.measured.cycles_per_second * 1_000 / round.today.max(1));
    let round = rounds.get(rounds.len() / 2).ok_or("no rounds")?;
    let ratio = |to: u64| {
        let percent = round.measured.cycles_per_second * 100 / to.max(1);
        format!("{}.{:02}", percent / 100, percent % 100)
    };
    println!(
        "{merchants:>9} {callers:>7} {:>10} {:>8} {:>9} {:>6} {:>8} {:>7} {:>9} {:>7} {:>8} {:>6} {:>12} {:>11}",
        round.measured.cycles_per_second,
        round.measured.p50_micros,
        round.measured.p99_micros,
        round.measured.batch,
        round.today,
        ratio(round.today),
        round.prepared,
        ratio(round.prepared),
        round.bare,
        ratio(round.bare),
        round.wal_bytes,
        format!("{}.{}", round.rows / 10, round.rows % 10),
    );
    Ok(json!({
        "merchants": merchants,
        "callers": callers,
        "cycles_per_second": round.measured.cycles_per_second,
        "p50_micros": round.measured.p50_micros,
        "p99_micros": round.measured.p99_micros,
        "commands_per_commit": round.measured.batch,
        "today_cycles_per_second": round.today,
        "times_today": ratio(round.today),
        "today_prepared_cycles_per_second": round.prepared,
        "times_today_prepared": ratio(round.prepared),
        "bare_cycles_per_second": round.bare,
        "ratio_to_bare": ratio(round.bare),
        "wal_bytes_per_cycle": round.wal_bytes,
        "tenths_of_rows_per_cycle": round.rows,
    }))
}

/// A schema that is dropped with it.
struct Schema<'s> {
    name: String,
    server: &'s Server,
}

impl<'s> Schema<'s> {
    fn new(server: &'s Server, url: &str, name: &str) -> Result<Self, Fault> {
        let schema = Self { name: format!("bench_{name}"), server };
        server.run(&format!("DROP SCHEMA IF EXISTS {} CASCADE", schema.name))?;
        PostgresStore::migrate(url, &Migration { schema: schema.name.clone(), ..Migration::default() })?;
        Ok(schema)
    }
}

impl Drop for Schema<'_> {
    fn drop(&mut self) {
        // The next run drops it if this one cannot.
        let _ = self.server.run(&format!("DROP SCHEMA IF EXISTS {} CASCADE", self.name));
    }
}

fn round(plan: &Plan, url: &str, merchants: usize, callers: usize) -> Result<Round, Fault> {
    let server = Server::connect(url)?;
    server.run("CHECKPOINT")?;
    let today = today::run(url, Way::Plain, callers, merchants, plan.length)?;
    let prepared = today::run(url, Way::Prepared, callers, merchants, plan.length)?;
    let schema = Schema::new(&server, url, "engine")?;
    let options = PostgresOptions { schema: schema.name.clone(), lanes: plan.lanes, ..PostgresOptions::default() };
    let store = Arc::new(PostgresStore::open_with(url, options)?);
    server.run("CHECKPOINT")?;
    let wal = server.number("SELECT pg_current_wal_lsn() - '0/0'")?;
    let measured = cycle::run(store, callers, merchants, plan.length)?;
    let wal = server.number("SELECT pg_current_wal_lsn() - '0/0'")? - wal;
    let cycles = server.number(&format!("SELECT count(*) FROM {}.leads WHERE status = 1", schema.name))?.max(1);
    let written = format!(
        "SELECT sum(n_tup_ins + n_tup_upd + n_tup_del)::bigint FROM pg_stat_user_tables WHERE schemaname = '{}'",
        schema.name
    );
    // The server counts a little behind; how far does not matter to a tenth of a row.
    let rows = server.number(&written)? * 10 / cycles;
    drop(schema);
    let schema = Schema::new(&server, url, "bare")?;
    server.run("CHECKPOINT")?;
    let connections = if merchants == 1 { 1 } else { plan.lanes.min(callers) };
    let batch = usize::try_from(measured.batch)?;
    let bare = bare::run(url, &schema.name, connections, batch, merchants, plan.length)?;
    Ok(Round { measured, wal_bytes: wal / cycles, rows, today, prepared, bare })
}

/// A connection for what is beside the measurement.
struct Server {
    client: Client,
    runtime: tokio::runtime::Runtime,
}

impl Server {
    fn connect(url: &str) -> Result<Self, Fault> {
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build()?;
        let (client, driver) = runtime.block_on(tokio_postgres::connect(url, NoTls))?;
        runtime.spawn(driver);
        Ok(Self { client, runtime })
    }

    fn run(&self, sql: &str) -> Result<(), Fault> {
        Ok(self.runtime.block_on(self.client.batch_execute(sql))?)
    }

    fn number(&self, sql: &str) -> Result<i64, Fault> {
        let sql = format!("SELECT ({sql})::bigint");
        let row = self.runtime.block_on(self.client.query_one(&sql, &[]))?;
        Ok(row.get(0))
    }
}
