//! The same rows written into the same tables by a bare program: prepared statements, arrays, one transaction a batch, no
//! decisions, no locks, nothing read. As many connections as the engine keeps busy.

use std::time::{Duration, Instant};

use leadledger_bench::Fault;
use leadledger_bench::cycle::{COUNTS_BYTES, per_second};
use tokio_postgres::types::ToSql;
use tokio_postgres::{Client, NoTls, Statement};
use uuid::Uuid;

/// As long as the engine's payloads of the two commands.
const CREATE_PAYLOAD_BYTES: usize = 358;
const VALIDATE_PAYLOAD_BYTES: usize = 333;

const DAY: &str = "timestamptz '2026-01-05'";

struct Statements {
    journal: Statement,
    leads: Statement,
    moves: Statement,
    heads: Statement,
    deposits: Statement,
    platform: Statement,
    partners: Statement,
}

async fn prepare(client: &Client) -> Result<Statements, tokio_postgres::Error> {
    let [book, partner, deposit] = COUNTS_BYTES;
    Ok(Statements {
        journal: client
            .prepare(&format!(
                "INSERT INTO journal (merchant_id, seq, position, at, kind, payload, hash) \
                 SELECT m, s, 1, {DAY}, k, p, h FROM unnest($1::uuid[], $2::bigint[], $3::text[], $4::text[], $5::bytea[]) \
                     n (m, s, k, p, h)"
            ))
            .await?,
        leads: client
            .prepare(&format!(
                "INSERT INTO leads SELECT m, l, c, p, d, 'MAD', 5, 60000, 6000, 1800, 1, 100000, 300000, 0, NULL, 0, {DAY}, \
                 72, s, 0, NULL, NULL, 0, {DAY} \
                 FROM unnest($1::uuid[], $2::uuid[], $3::uuid[], $4::uuid[], $5::uuid[], $6::bigint[]) n (m, l, c, p, d, s)"
            ))
            .await?,
        moves: client
            .prepare(&format!(
                "UPDATE leads t SET status = 1, decided_at = {DAY}, score = 8, part = 2, due_at = NULL \
                 FROM unnest($1::uuid[], $2::uuid[]) n (m, l) WHERE t.merchant_id = n.m AND t.lead_id = n.l"
            ))
            .await?,
        heads: client
            .prepare(
                "UPDATE books t SET seq = n.s, hash = n.h, last_at = now() FROM unnest($1::uuid[], $2::bigint[], $3::bytea[]) \
                 n (m, s, h) WHERE t.merchant_id = n.m",
            )
            .await?,
        deposits: client
            .prepare(&format!(
                "UPDATE deposits t SET balance_minor = 5000000000000 - n.s, reserved_minor = 6000, today = rpad(n.s::text, {deposit}) \
                 FROM unnest($1::uuid[], $2::bigint[]) n (m, s) WHERE t.merchant_id = n.m"
            ))
            .await?,
        platform: client
            .prepare(&format!(
                "UPDATE platform t SET commission_minor = -n.s, manual_minor = n.s, counts = rpad(n.s::text, {book}) \
                 FROM unnest($1::uuid[], $2::bigint[]) n (m, s) WHERE t.merchant_id = n.m"
            ))
            .await?,
        partners: client
            .prepare(&format!(
                "UPDATE partners t SET payable_minor = n.s, leads = rpad(n.s::text, {partner}) \
                 FROM unnest($1::uuid[], $2::bigint[]) n (m, s) WHERE t.merchant_id = n.m"
            ))
            .await?,
    })
}

#[derive(Clone, Copy)]
struct Book {
    merchant: Uuid,
    campaign: Uuid,
    partner: Uuid,
    deposit: Uuid,
    seq: i64,
}

/// Cycles per second of `connections` that share `merchants`, in transactions of `batch` commands, into an empty migrated
/// schema.
pub(crate) fn run(
    url: &str,
    schema: &str,
    connections: usize,
    batch: usize,
    merchants: usize,
    length: Duration,
) -> Result<u64, Fault> {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build()?;
    runtime.block_on(async {
        let mut tasks = Vec::new();
        let mut writers = Vec::new();
        for number in 0..connections {
            let (client, driver) = tokio_postgres::connect(url, NoTls).await?;
            tokio::spawn(driver);
            client.batch_execute(&format!("SET search_path = {schema}; SET jit = off; SET enable_seqscan = off; SET enable_hashjoin = off; SET enable_mergejoin = off")).await?;
            let mut books = Vec::new();
            for _ in (number..merchants).step_by(connections) {
                let id = Uuid::now_v7;
                let book = Book { merchant: id(), campaign: id(), partner: id(), deposit: id(), seq: 2 };
                client.execute("INSERT INTO books VALUES ($1, 2, decode(repeat('00', 32), 'hex'), now(), 20000, now(), NULL, NULL, 1)", &[&book.merchant]).await?;
                client.execute("INSERT INTO deposits VALUES ($1, $2, NULL, 'MAD', 0, 5000000000000, 0, 1, 1, 0, 0, 0, NULL, NULL, false, 2, '')", &[&book.merchant, &book.deposit]).await?;
                client.execute("INSERT INTO platform VALUES ($1, 'MAD', 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, '')", &[&book.merchant]).await?;
                client.execute("INSERT INTO partners VALUES ($1, $2, 'MAD', 0, 0, 0, 0, '')", &[&book.merchant, &book.partner]).await?;
                books.push(book);
            }
            let statements = prepare(&client).await?;
            writers.push((client, statements, books));
        }
        let begun = Instant::now();
        for (client, statements, books) in writers {
            tasks.push(tokio::spawn(async move { write(&client, &statements, books, batch, begun, length).await }));
        }
        let mut cycles = 0;
        for task in tasks {
            cycles += task.await??;
        }
        Ok(per_second(cycles, begun.elapsed()))
    })
}

async fn write(
    client: &Client,
    with: &Statements,
    mut books: Vec<Book>,
    batch: usize,
    begun: Instant,
    length: Duration,
) -> Result<u64, tokio_postgres::Error> {
    let (create_payload, validate_payload) = ("c".repeat(CREATE_PAYLOAD_BYTES), "v".repeat(VALIDATE_PAYLOAD_BYTES));
    let hash = [7_u8; 32];
    let (mut open, mut turn, mut cycles) = (Vec::<(usize, Uuid)>::new(), 0, 0);
    while begun.elapsed() < length && !books.is_empty() {
        let creates = if batch == 1 { usize::from(open.is_empty()) } else { batch / 2 };
        let validated = if batch == 1 && creates == 1 { Vec::new() } else { std::mem::take(&mut open) };
        let mut touched: Vec<usize> = Vec::new();
        let (mut merchants, mut seqs, mut kinds, mut payloads, mut hashes) =
            (Vec::new(), Vec::new(), Vec::new(), Vec::new(), Vec::new());
        let mut entry = |book: &mut Book, kind: &'static str| {
            book.seq += 1;
            merchants.push(book.merchant);
            seqs.push(book.seq);
            kinds.push(kind);
            payloads.push(if kind == "create_lead" { create_payload.as_str() } else { validate_payload.as_str() });
            hashes.push(&hash[..]);
        };
        let (mut move_merchants, mut move_leads) = (Vec::new(), Vec::new());
        for (place, lead) in &validated {
            let Some(book) = books.get_mut(*place) else { continue };
            entry(book, "validate_lead");
            move_merchants.push(book.merchant);
            move_leads.push(*lead);
            touched.push(*place);
        }
        let mut created: [Vec<Uuid>; 5] = Default::default();
        let mut created_seqs = Vec::new();
        for _ in 0..creates {
            let place = turn % books.len();
            turn += 1;
            let Some(book) = books.get_mut(place) else { continue };
            entry(book, "create_lead");
            let lead = Uuid::now_v7();
            let ids = [book.merchant, lead, book.campaign, book.partner, book.deposit];
            created.iter_mut().zip(ids).for_each(|(column, id)| column.push(id));
            created_seqs.push(book.seq);
            open.push((place, lead));
            touched.push(place);
        }
        touched.sort_unstable_by_key(|place| books.get(*place).map(|book| book.merchant));
        touched.dedup();
        let touched: Vec<Book> = touched.iter().filter_map(|place| books.get(*place).copied()).collect();
        let ids: Vec<Uuid> = touched.iter().map(|book| book.merchant).collect();
        let numbers: Vec<i64> = touched.iter().map(|book| book.seq).collect();
        let heads: Vec<&[u8]> = touched.iter().map(|_| &hash[..]).collect();
        let journal: [&(dyn ToSql + Sync); 5] = [&merchants, &seqs, &kinds, &payloads, &hashes];
        let [merchant, lead, campaign, partner, deposit] = &created;
        let leads: [&(dyn ToSql + Sync); 6] = [merchant, lead, campaign, partner, deposit, &created_seqs];
        let moves: [&(dyn ToSql + Sync); 2] = [&move_merchants, &move_leads];
        let head: [&(dyn ToSql + Sync); 3] = [&ids, &numbers, &heads];
        let state: [&(dyn ToSql + Sync); 2] = [&ids, &numbers];
        let all = async {
            futures::try_join!(
                client.batch_execute("BEGIN"),
                client.execute(&with.journal, &journal),
                client.execute(&with.heads, &head),
                client.execute(&with.deposits, &state),
                client.execute(&with.platform, &state),
                client.execute(&with.partners, &state),
                async { if lead.is_empty() { Ok(0) } else { client.execute(&with.leads, &leads).await } },
                async { if move_leads.is_empty() { Ok(0) } else { client.execute(&with.moves, &moves).await } },
                client.batch_execute("COMMIT"),
            )
        };
        all.await?;
        cycles += u64::try_from(validated.len()).unwrap_or(0);
    }
    Ok(cycles)
}
