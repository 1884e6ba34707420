//! Lists: a merchant's leads, and the journal forwards, backwards and over all books.

use leadledger::{
    BookQuery, Currency, Cursor, Head, JournalQuery, Lead, LeadId, LeadOrder, LeadQuery, MerchantId, Page,
    PartnerAccounts, PartnerId, PlatformAccounts, Recorded, StoreError,
};
use rusqlite::{Connection, params};

use crate::error::corrupt;
use crate::load::{book_row, each, one, row_of};
use crate::rows::{self, BookRow, Columns};

/// How many leads a page looks at, at most: a filter that admits few makes pages short, not slow.
const REACH: usize = 4_096;

pub(crate) fn leads(connection: &Connection, query: &LeadQuery) -> Result<Page<(LeadId, Lead)>, StoreError> {
    let Some(book) = book_row(connection, query.merchant)? else {
        return Ok(Page { items: Vec::new(), next: None });
    };
    match query.order {
        LeadOrder::Newest => newest(connection, &book, query),
        LeadOrder::ReviewPriority => by_review_priority(connection, &book, query),
    }
}

fn newest(connection: &Connection, book: &BookRow, query: &LeadQuery) -> Result<Page<(LeadId, Lead)>, StoreError> {
    let mut items = Vec::new();
    let mut next = match &query.after {
        None => book.last_lead,
        Some(cursor) => Some(parse(cursor, "lead")?.0),
    };
    let sql = sql!("SELECT {} FROM {} WHERE l.row = ? AND l.book = ?", rows::LEAD, rows::LEAD_FROM);
    let mut looked = 0;
    while let Some(place) = next
        && looked < REACH
        && items.len() < query.limit
    {
        let row = one(connection, sql, params![place, book.no], rows::lead)?;
        let row = row.ok_or_else(|| StoreError::Foreign("the cursor is of another list".to_owned()))?;
        next = row.previous;
        looked += 1;
        if query.admits(&row.lead) {
            items.push((row.id, row.lead));
        }
    }
    Ok(Page { items, next: next.map(|place| Cursor(format!("sqlite:lead:{place}:0"))) })
}

fn by_review_priority(
    connection: &Connection,
    book: &BookRow,
    query: &LeadQuery,
) -> Result<Page<(LeadId, Lead)>, StoreError> {
    let (due, seq) = match &query.after {
        None => (i64::MIN, 0),
        Some(cursor) => parse(cursor, "review")?,
    };
    let sql = sql!(
        "SELECT {} FROM {} WHERE l.book = ? AND l.due_at IS NOT NULL AND l.status = 0 AND (l.due_at, l.part, l.created_seq) > (?, 0, ?) \
         ORDER BY l.due_at, l.part, l.created_seq LIMIT ?",
        rows::LEAD,
        rows::LEAD_FROM.replace("leads l", "leads l INDEXED BY leads_due"),
    );
    let mut items = Vec::new();
    let (mut looked, mut last) = (0, None);
    let reach = i64::try_from(REACH).unwrap_or(i64::MAX);
    let mut statement = connection.prepare_cached(sql).map_err(|fault| crate::error::store_error(&fault))?;
    let mut found =
        statement.query(params![book.no, due, seq, reach]).map_err(|fault| crate::error::store_error(&fault))?;
    while items.len() < query.limit {
        let Some(row) = found.next().map_err(|fault| crate::error::store_error(&fault))? else {
            let more = looked == REACH;
            return Ok(Page { items, next: last.filter(|_| more) });
        };
        let row = rows::lead(row)?;
        looked += 1;
        let (due, seq) = (row.lead.expires_at().micros(), row.lead.created_seq);
        last = Some(Cursor(format!("sqlite:review:{due}:{seq}")));
        if query.admits(&row.lead) {
            items.push((row.id, row.lead));
        }
    }
    Ok(Page { items, next: last })
}

pub(crate) fn journal(
    connection: &Connection,
    query: &JournalQuery,
    limit: usize,
) -> Result<Page<Recorded>, StoreError> {
    match query {
        JournalQuery::After { merchant, seq } => {
            let Some(book) = book_row(connection, *merchant)? else { return Ok(none()) };
            let last = book.head.seq.min(seq.saturating_add(u64::try_from(limit).unwrap_or(u64::MAX)));
            let count = last.saturating_sub(*seq);
            let mut items = backwards(connection, &book, last, count)?;
            items.reverse();
            Ok(Page { items, next: None })
        }
        JournalQuery::Before { merchant, seq } => {
            let Some(book) = book_row(connection, *merchant)? else { return Ok(none()) };
            let last = seq.map_or(book.head.seq, |seq| book.head.seq.min(seq.saturating_sub(1)));
            let count = last.min(u64::try_from(limit).unwrap_or(u64::MAX));
            Ok(Page { items: backwards(connection, &book, last, count)?, next: None })
        }
        JournalQuery::All { after } => {
            let start = after.as_ref().map(|cursor| parse(cursor, "row")).transpose()?.map_or(0, |cursor| cursor.0);
            let (mut items, mut place) = (Vec::new(), start);
            // One writer at a time: a row that is visible has no earlier one to come.
            let sql = "SELECT j.row, b.merchant, j.payload, j.hash FROM journal j JOIN books b ON b.no = j.book \
                       WHERE j.row > ? ORDER BY j.row LIMIT ?";
            each(connection, sql, params![start, i64::try_from(limit).unwrap_or(i64::MAX)], |row| {
                let mut columns = Columns::of(row);
                place = columns.get()?;
                items.push(Recorded::from_row(columns.id()?, columns.get()?, columns.get()?)?);
                Ok(())
            })?;
            Ok(Page { items, next: Some(row_cursor(place)) })
        }
        JournalQuery::End => {
            let sql = "SELECT coalesce(max(row), 0) FROM journal";
            let last = one(connection, sql, params![], |row| Columns::of(row).get())?;
            Ok(Page { items: Vec::new(), next: Some(row_cursor(last.unwrap_or_default())) })
        }
    }
}

/// Behind a row of the journal.
fn row_cursor(row: i64) -> Cursor {
    Cursor(format!("sqlite:row:{row}:0"))
}

fn none<T>() -> Page<T> {
    Page { items: Vec::new(), next: None }
}

/// `count` entries from `last` back, by their pointers.
fn backwards(connection: &Connection, book: &BookRow, last: u64, count: u64) -> Result<Vec<Recorded>, StoreError> {
    let mut items = Vec::new();
    let mut next = row_of(connection, book.no, &book.head, book.last_row, last)?;
    let mut expected = last;
    let sql = "SELECT payload, hash, previous FROM journal WHERE row = ? AND book = ?";
    for _ in 0..count {
        let place = next.ok_or_else(|| corrupt(format!("entry {expected} has no row")))?;
        let found = one(connection, sql, params![place, book.no], |row| {
            let mut columns = Columns::of(row);
            let recorded = Recorded::from_row(book.merchant, columns.get()?, columns.get()?)?;
            Ok((recorded, columns.get::<Option<i64>>()?))
        })?;
        let (recorded, previous) = found.ok_or_else(|| corrupt(format!("journal row {place} is missing")))?;
        if recorded.entry.seq != expected {
            return Err(corrupt(format!("journal row {place} holds entry {}, not {expected}", recorded.entry.seq)));
        }
        items.push(recorded);
        expected = expected.saturating_sub(1);
        next = previous;
    }
    Ok(items)
}

pub(crate) fn books(
    connection: &Connection,
    query: &BookQuery,
    limit: usize,
) -> Result<Vec<(MerchantId, Head)>, StoreError> {
    let most = i64::try_from(limit).unwrap_or(i64::MAX);
    let mut books = Vec::new();
    let mut take = |row: &rusqlite::Row<'_>| {
        let book = rows::book_row(row)?;
        books.push((book.merchant, book.head));
        Ok(())
    };
    match query {
        BookQuery::Due(now) => {
            let sql = sql!("SELECT {} FROM books WHERE next_due <= ? ORDER BY next_due, merchant LIMIT ?", rows::BOOK);
            each(connection, sql, params![now.micros(), most], take)?;
        }
        BookQuery::After(last) => {
            let sql = sql!("SELECT {} FROM books WHERE merchant > ? ORDER BY merchant LIMIT ?", rows::BOOK);
            let last = last.map(|last| rows::id_bytes(last.0).to_vec()).unwrap_or_default();
            each(connection, sql, params![last, most], take)?;
        }
        BookQuery::Of(merchants) => {
            let sql = sql!("SELECT {} FROM books WHERE merchant = ?", rows::BOOK);
            for merchant in merchants {
                each(connection, sql, params![rows::id_bytes(merchant.0)], &mut take)?;
            }
            books.truncate(limit);
        }
    }
    Ok(books)
}

pub(crate) fn partner(
    connection: &Connection,
    partner: PartnerId,
) -> Result<Vec<(MerchantId, Currency, PartnerAccounts)>, StoreError> {
    let sql = sql!(
        "SELECT {}, b.merchant FROM partners p JOIN books b ON b.no = p.book WHERE p.partner = ? \
         ORDER BY b.merchant, p.currency",
        rows::PARTNER
    );
    let mut found = Vec::new();
    each(connection, sql, params![rows::id_bytes(partner.0)], |row| {
        let ((_, currency), accounts) = rows::partner(row)?;
        found.push((rows::merchant(row)?, currency, accounts));
        Ok(())
    })?;
    Ok(found)
}

pub(crate) fn platform(
    connection: &Connection,
    after: Option<(MerchantId, Currency)>,
    limit: usize,
) -> Result<Vec<(MerchantId, Currency, PlatformAccounts)>, StoreError> {
    let sql = sql!(
        "SELECT {}, b.merchant FROM books b JOIN platform p ON p.book = b.no WHERE b.merchant >= ?1 \
         AND (b.merchant, p.currency) > (?1, ?2) ORDER BY b.merchant, p.currency LIMIT ?3",
        rows::PLATFORM
    );
    let (merchant, currency) = match &after {
        None => (Vec::new(), ""),
        Some((merchant, currency)) => (rows::id_bytes(merchant.0).to_vec(), currency.code()),
    };
    let mut found = Vec::new();
    each(connection, sql, params![merchant, currency, i64::try_from(limit).unwrap_or(i64::MAX)], |row| {
        let (currency, accounts) = rows::platform(row)?;
        found.push((rows::merchant(row)?, currency, accounts));
        Ok(())
    })?;
    Ok(found)
}

/// A cursor's two numbers, where it is one of ours and of this list.
fn parse(cursor: &Cursor, list: &str) -> Result<(i64, i64), StoreError> {
    let numbers = cursor.0.strip_prefix("sqlite:").and_then(|rest| rest.strip_prefix(list)?.strip_prefix(':'));
    let numbers = numbers.and_then(|numbers| numbers.split_once(':'));
    let numbers = numbers.and_then(|(one, other)| Some((one.parse().ok()?, other.parse().ok()?)));
    numbers.ok_or_else(|| StoreError::Foreign(format!("cursor {:?} is not of this list", cursor.0)))
}
