//! The same rows written by bare rusqlite, without decisions, hashes or answers: appended in time order, with no index
//! by merchant on the hot tables. The engine keeps two indexes on leads, by id and by what is due; here the one by id,
//! which holds that an id is used once, can be left away too.

use std::path::Path;
use std::time::{Duration, Instant};

use rusqlite::{Connection, params};

use leadledger_bench::Fault;
use leadledger_bench::cycle::{COUNTS_BYTES, per_second};

const SCHEMA: &str = "
CREATE TABLE books (no INTEGER PRIMARY KEY, merchant BLOB NOT NULL, seq INTEGER NOT NULL, hash BLOB NOT NULL,
    last_at INTEGER NOT NULL, day INTEGER, next_due INTEGER, receipt_year INTEGER, receipt_number INTEGER, last_row INTEGER,
    last_lead INTEGER) STRICT;
CREATE TABLE journal (row INTEGER PRIMARY KEY, book INTEGER NOT NULL, previous INTEGER, payload TEXT NOT NULL,
    hash BLOB NOT NULL) STRICT;
CREATE TABLE deposits (no INTEGER PRIMARY KEY, book INTEGER NOT NULL, id BLOB NOT NULL, campaign BLOB,
    currency TEXT NOT NULL, status INTEGER NOT NULL, balance INTEGER NOT NULL, reserved INTEGER NOT NULL,
    initial INTEGER NOT NULL, topped_up INTEGER NOT NULL, level INTEGER NOT NULL, basis INTEGER NOT NULL,
    reference INTEGER NOT NULL, auto_threshold INTEGER, auto_amount INTEGER, auto_requested INTEGER NOT NULL,
    opened_seq INTEGER NOT NULL, today TEXT NOT NULL, CHECK (0 <= reserved AND reserved <= balance)) STRICT;
CREATE TABLE platform (book INTEGER PRIMARY KEY, currency TEXT NOT NULL, commission INTEGER NOT NULL,
    receivable INTEGER NOT NULL, losses INTEGER NOT NULL, adjustments INTEGER NOT NULL, stripe INTEGER NOT NULL,
    cmi INTEGER NOT NULL, bank_transfer INTEGER NOT NULL, crypto INTEGER NOT NULL, manual INTEGER NOT NULL,
    counts TEXT NOT NULL) STRICT;
CREATE TABLE partners (no INTEGER PRIMARY KEY, book INTEGER NOT NULL, partner BLOB NOT NULL, currency TEXT NOT NULL,
    held INTEGER NOT NULL, payable INTEGER NOT NULL, in_payout INTEGER NOT NULL, paid INTEGER NOT NULL,
    leads TEXT NOT NULL) STRICT;
CREATE TABLE leads (row INTEGER PRIMARY KEY, book INTEGER NOT NULL, previous INTEGER, id BLOB NOT NULL,
    campaign INTEGER NOT NULL, partner BLOB NOT NULL, deposit INTEGER NOT NULL, source INTEGER NOT NULL,
    value INTEGER NOT NULL, commission INTEGER NOT NULL, partner_part INTEGER NOT NULL,
    policy_version INTEGER NOT NULL, kind INTEGER NOT NULL, rate INTEGER NOT NULL, share INTEGER NOT NULL,
    delay_days INTEGER NOT NULL, minimum_quality INTEGER, on_timeout INTEGER NOT NULL, status INTEGER NOT NULL,
    created_at INTEGER NOT NULL, window_hours INTEGER NOT NULL, decided_at INTEGER, score INTEGER,
    part INTEGER NOT NULL, created_seq INTEGER NOT NULL, due_at INTEGER) STRICT;
";

/// As long as the engine's payloads of the two commands.
const CREATE_PAYLOAD_BYTES: usize = 358;
const VALIDATE_PAYLOAD_BYTES: usize = 333;

/// Whether the bare program keeps lead ids unique.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Ids {
    Unique,
    Unchecked,
}

/// Cycles per second in transactions of `batch` commands, over `merchants`, for `length`.
pub(crate) fn run(file: &Path, batch: i64, merchants: i64, length: Duration, ids: Ids) -> Result<u64, Fault> {
    let connection = Connection::open(file)?;
    connection.pragma_update(None, "journal_mode", "wal")?;
    connection.pragma_update(None, "synchronous", "full")?;
    connection.pragma_update(None, "cache_size", -32_768)?;
    connection.pragma_update(None, "wal_autocheckpoint", 8_192)?;
    connection.set_prepared_statement_cache_capacity(32);
    connection.execute_batch(SCHEMA)?;
    if ids == Ids::Unique {
        connection.execute_batch("CREATE UNIQUE INDEX leads_by_id ON leads (id, book)")?;
    }
    let id = || uuid::Uuid::now_v7().into_bytes();
    connection.execute_batch("BEGIN IMMEDIATE")?;
    for no in 1..=merchants {
        connection.execute(
            "INSERT INTO books VALUES (?, ?, 0, ?, 0, 20000, 0, NULL, NULL, NULL, NULL)",
            params![no, id(), [0_u8; 32]],
        )?;
        let sql = "INSERT INTO deposits VALUES (?, ?, ?, NULL, 'MAD', 0, 5000000000000, 0, 1, 1, 0, 0, 0, NULL, NULL, 0, 2, '')";
        connection.execute(sql, params![no, no, id()])?;
        connection.execute("INSERT INTO platform VALUES (?, 'MAD', 0, 0, 0, 0, 0, 0, 0, 0, 0, '')", params![no])?;
        connection.execute("INSERT INTO partners VALUES (?, ?, ?, 'MAD', 0, 0, 0, 0, '')", params![no, no, id()])?;
    }
    connection.execute_batch("COMMIT")?;
    let (create_payload, validate_payload) = ("c".repeat(CREATE_PAYLOAD_BYTES), "v".repeat(VALIDATE_PAYLOAD_BYTES));
    let partner = id();
    let [book_counts, partner_counts, deposit_counts] = COUNTS_BYTES.map(|bytes| "n".repeat(bytes));
    let (mut cycles, mut turn, mut time) = (0_u64, 0_i64, 1_767_600_000_000_000_i64);
    let mut open: Vec<(i64, i64)> = Vec::new();
    let begun = Instant::now();
    while begun.elapsed() < length {
        connection.prepare_cached("BEGIN IMMEDIATE")?.execute([])?;
        let mut touched = Vec::new();
        let creates = if batch == 1 { i64::from(open.is_empty()) } else { batch / 2 };
        let validated = if batch == 1 && creates == 1 { Vec::new() } else { std::mem::take(&mut open) };
        let mut journal =
            connection.prepare_cached("INSERT INTO journal (book, previous, payload, hash) VALUES (?, ?, ?, ?)")?;
        for (no, row) in &validated {
            time += 10;
            journal.execute(params![no, row, validate_payload, [7_u8; 32]])?;
            let sql = "UPDATE leads SET status = ?, decided_at = ?, score = ?, part = ?, due_at = ? WHERE row = ?";
            let due: Option<i64> = None;
            connection.prepare_cached(sql)?.execute(params![1, time, 8, 2, due, row])?;
            touched.push(*no);
        }
        for _ in 0..creates {
            time += 10;
            turn += 1;
            let no = turn % merchants + 1;
            journal.execute(params![no, turn, create_payload, [7_u8; 32]])?;
            let sql = "INSERT INTO leads (book, previous, id, campaign, partner, deposit, source, value, commission, \
                       partner_part, policy_version, kind, rate, share, delay_days, minimum_quality, on_timeout, status, \
                       created_at, window_hours, part, created_seq, due_at) \
                       VALUES (?, ?, ?, ?, ?, ?, 5, 60000, 6000, 1800, 1, 0, 100000, 300000, 0, NULL, 0, 0, ?, 72, 0, ?, ?)";
            let row =
                connection.prepare_cached(sql)?.insert(params![no, turn, id(), no, partner, no, time, turn, time])?;
            open.push((no, row));
            touched.push(no);
        }
        touched.sort_unstable();
        touched.dedup();
        for no in touched {
            let sql = "UPDATE deposits SET balance = ?, reserved = ?, status = ?, level = ?, initial = ?, topped_up = ?, \
                       basis = ?, reference = ?, auto_threshold = ?, auto_amount = ?, auto_requested = ?, today = ? WHERE no = ?";
            let none: Option<i64> = None;
            let balance = 5_000_000_000_000_i64 - turn;
            connection.prepare_cached(sql)?.execute(params![
                balance,
                turn % 7,
                0,
                0,
                1,
                1,
                0,
                0,
                none,
                none,
                0,
                deposit_counts,
                no
            ])?;
            let sql = "UPDATE platform SET commission = ?, receivable = ?, losses = ?, adjustments = ?, stripe = ?, \
                       cmi = ?, bank_transfer = ?, crypto = ?, manual = ?, counts = ? WHERE book = ?";
            connection.prepare_cached(sql)?.execute(params![turn, 0, 0, 0, 0, 0, 0, 0, balance, book_counts, no])?;
            let sql = "UPDATE partners SET held = ?, payable = ?, in_payout = ?, paid = ?, leads = ? WHERE no = ?";
            connection.prepare_cached(sql)?.execute(params![0, turn, 0, 0, partner_counts, no])?;
            let sql = "UPDATE books SET seq = ?, hash = ?, last_at = ?, day = ?, next_due = ?, receipt_year = ?, \
                       receipt_number = ?, last_row = ?, last_lead = ? WHERE no = ?";
            let hash = [9_u8; 32];
            connection
                .prepare_cached(sql)?
                .execute(params![turn, hash, time, 20_000, time, none, none, turn, turn, no])?;
        }
        connection.prepare_cached("COMMIT")?.execute([])?;
        cycles += u64::try_from(validated.len())?;
    }
    Ok(per_second(cycles, begun.elapsed()))
}
