//! Writing what changed: one statement for new entries and all that most entries change (its parts are in
//! `migrations/0004_functions.sql`), and one for each table that few batches change, whatever the number of books and rows.

use std::collections::HashMap;

use leadledger::{Book, Lead, LeadId, MerchantId};

use crate::rows::{self, LEAD_MOVES, columns, statement};
use crate::wire::{Kind, Param, Statement, Value, number};

const ENTRY: [Kind; 8] = [Kind::Id, Kind::Int, Kind::Int, Kind::Time, Kind::Text, Kind::Text, Kind::Text, Kind::Bytes];

const HEAD: [Kind; 10] =
    [Kind::Id, Kind::Int, Kind::Int, Kind::Bytes, Kind::Time, Kind::Int, Kind::Time, Kind::Int, Kind::Int, Kind::Flag];

/// What `write_books` takes.
const WRITTEN_COLUMNS: usize = 87;

/// The changed rows of one kind, of all books, as values.
macro_rules! changed {
    ($books:expr, $rows:ident, $values:ident) => {
        changed!($books, $rows, $values, |id, row| (*id, row))
    };
    ($books:expr, $rows:ident, $values:ident, |$id:ident, $row:ident| $arguments:expr) => {
        $books.iter().flat_map(|book| {
            let changes = book.$rows.changes().filter_map(|($id, row)| row.map(|$row| $arguments));
            changes.map(|(id, row)| rows::$values(book, id, row))
        })
    };
}

/// What is to be written of books that changed. `positions` are those of the books that are stored already.
pub(crate) fn statements<'b>(books: &[&'b Book], positions: &HashMap<MerchantId, i64>) -> Vec<Statement<'b>> {
    if books.is_empty() {
        return Vec::new();
    }
    let (stored, new): (Vec<&Book>, Vec<&Book>) = books.iter().partition(|book| positions.contains_key(&book.merchant));
    let mut statements = vec![write_books(books, &stored, positions)];
    let mut push = |statement: Option<Statement<'b>>| statements.extend(statement);
    push(new_heads(&new));
    macro_rules! upsert {
        ($table:ident, $rows:expr) => {
            push(rows::$table.write(sql!("{}", rows::$table.upsert()), $rows))
        };
    }
    upsert!(CAMPAIGNS, changed!(books, campaigns, campaign_values));
    upsert!(AGREEMENTS, changed!(books, agreements, agreement_values));
    upsert!(TOP_UPS, changed!(books, top_ups, top_up_values));
    upsert!(REFERENCES, changed!(books, references, reference_values, |id, row| (id, *row)));
    upsert!(PAYOUTS, changed!(books, payouts, payout_values));
    upsert!(DAYS, changed!(books, days, day_values, |key, row| (key, row)));
    upsert!(MISSED, changed!(books, missed, missed_values));
    push(no_longer_missed(books));
    let private = books.iter().flat_map(|book| book.new_private.iter().map(|row| rows::private_values(book, row)));
    push(rows::PRIVATE.write(sql!("{}", rows::PRIVATE.insert()), private));
    let opening = |book: &&'b Book| book.new_opening_private.iter();
    let private = books.iter().flat_map(|book| opening(book).map(|row| rows::private_values(book, row)));
    push(rows::OPENING_PRIVATE.write(sql!("{}", rows::OPENING_PRIVATE.insert()), private));
    push(erased(books, sql!("{}", erase_from(&rows::PRIVATE))));
    push(erased(books, sql!("{}", erase_from(&rows::OPENING_PRIVATE))));
    statements
}

/// The number of a book's last entry that is stored.
fn stored_seq(book: &Book) -> u64 {
    book.head.seq.saturating_sub(u64::try_from(book.new_entries.len()).unwrap_or(u64::MAX))
}

fn write_books<'b>(books: &[&'b Book], stored: &[&'b Book], positions: &HashMap<MerchantId, i64>) -> Statement<'b> {
    let leads = |are_new: bool| {
        books.iter().flat_map(move |book| {
            let stored = stored_seq(book);
            let changes = book.leads.changes().filter_map(|(id, lead)| lead.map(|lead| (*book, *id, lead)));
            // Those of an opening come before every entry, and with a book of which nothing is stored.
            let is_new =
                move |lead: &Lead| stored == 0 || u64::try_from(lead.created_seq).is_ok_and(|seq| seq > stored);
            changes.filter(move |(_, _, lead)| is_new(lead) == are_new)
        })
    };
    let values = |(book, id, lead): (&'b Book, LeadId, &'b Lead)| rows::lead_values(book, id, lead);
    let moves = |(book, id, lead): (&'b Book, LeadId, &'b Lead)| rows::lead_moves(book, id, lead);
    let groups = [
        columns(ENTRY, entries(books, positions)),
        columns(HEAD, stored.iter().map(|book| head_values(book))),
        rows::DEPOSITS.params(changed!(books, deposits, deposit_values)),
        rows::PLATFORM.params(changed!(books, platform, platform_values, |id, row| (id, row))),
        rows::PARTNERS.params(changed!(books, partners, partner_values, |id, row| (id, row))),
        rows::LEADS.params(leads(true).map(values)),
        columns(LEAD_MOVES, leads(false).map(moves)),
    ];
    let params: Vec<Param<'b>> = groups.into_iter().flatten().collect();
    let sql = sql!(
        "SELECT write_books({})",
        (1..=WRITTEN_COLUMNS).map(|place| format!("${place}")).collect::<Vec<_>>().join(", ")
    );
    debug_assert_eq!(params.len(), WRITTEN_COLUMNS);
    Statement { sql: sql.into(), params }
}

fn entries<'s, 'b>(
    books: &'s [&'b Book],
    positions: &'s HashMap<MerchantId, i64>,
) -> impl Iterator<Item = [Value<'b>; 8]> + use<'s, 'b> {
    books.iter().flat_map(|book| {
        let before = positions.get(&book.merchant).copied().unwrap_or(0);
        book.new_entries.iter().map(move |recorded| {
            let entry = &recorded.entry;
            [
                book.merchant.0.into(),
                number(entry.seq).into(),
                before.into(),
                entry.at.into(),
                entry.kind.name().into(),
                Value::Text(entry.key.as_ref().map(|key| key.as_str().into())),
                recorded.payload.as_str().into(),
                recorded.hash.as_slice().into(),
            ]
        })
    })
}

fn head_values(book: &Book) -> [Value<'_>; 10] {
    let head = &book.head;
    [
        book.merchant.0.into(),
        number(stored_seq(book)).into(),
        number(head.seq).into(),
        head.hash.as_slice().into(),
        head.last_at.into(),
        head.day.map(rows::number_of_day).into(),
        head.next_due.into(),
        head.receipt.map(|receipt| receipt.year).into(),
        head.receipt.map(|receipt| receipt.number).into(),
        (!book.new_entries.is_empty()).into(),
    ]
}

fn new_heads<'b>(books: &[&'b Book]) -> Option<Statement<'b>> {
    let sql = "INSERT INTO books (merchant_id, seq, hash, last_at, day, next_due, receipt_year, receipt_number, position) \
               SELECT n.merchant_id, n.seq, n.hash, n.last_at, n.day, n.next_due, n.receipt_year, \
                   n.receipt_number, \
                   CASE WHEN n.moved THEN pg_current_xact_id()::text::bigint + m.xid_offset ELSE 0 END \
               FROM meta m, unnest($1, $2, $3, $4, $5, $6, $7, $8, $9, $10) \
                   n (merchant_id, before, seq, hash, last_at, day, next_due, receipt_year, receipt_number, moved)";
    statement(sql, HEAD, books.iter().map(|book| head_values(book)))
}

fn no_longer_missed<'b>(books: &[&'b Book]) -> Option<Statement<'b>> {
    let sql = "DELETE FROM missed t USING unnest($1, $2) n (merchant_id, lead_id) \
               WHERE t.merchant_id = n.merchant_id AND t.lead_id = n.lead_id";
    let rows = books.iter().flat_map(|book| {
        let gone = book.missed.changes().filter(|(_, row)| row.is_none());
        gone.map(|(id, _)| [book.merchant.0.into(), id.0.into()])
    });
    statement(sql, [Kind::Id, Kind::Id], rows)
}

fn erase_from(table: &rows::Table) -> String {
    format!(
        "DELETE FROM {} t USING unnest($1, $2, $3) n (merchant_id, lead_id, seq) \
         WHERE t.merchant_id = n.merchant_id AND t.lead_id = n.lead_id AND t.lead_id IS NOT NULL AND t.seq < n.seq",
        table.name
    )
}

fn erased<'b>(books: &[&'b Book], sql: &'static str) -> Option<Statement<'b>> {
    let rows = books.iter().flat_map(|book| {
        book.erased.iter().map(|(lead, seq)| [book.merchant.0.into(), lead.0.into(), number(*seq).into()])
    });
    statement(sql, [Kind::Id, Kind::Id, Kind::Int], rows)
}
