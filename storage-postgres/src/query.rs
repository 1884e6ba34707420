//! Lists: a merchant's leads, and the journal forwards, backwards and over all books.

use leadledger::{
    BookQuery, Currency, Cursor, Head, JournalQuery, Lead, LeadId, LeadOrder, LeadQuery, LeadStatus, MerchantId, Page,
    PartnerAccounts, PartnerId, PlatformAccounts, Recorded, Source, StoreError, Timestamp,
};
use tokio_postgres::Row;
use uuid::Uuid;

use crate::error::corrupt;
use crate::load::{count, ids};
use crate::rows;
use crate::wire::{Columns, Param, Statement, code, number};

/// How many leads a page looks at, at most: a filter that admits few makes pages short, not slow.
const REACH: usize = 4_096;

/// Marks the cursors of one store's lists: one of another store is refused.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Marks {
    pub(crate) store: Uuid,
}

impl Marks {
    fn cursor(self, list: &str, fields: &[String]) -> Cursor {
        Cursor(format!("postgres:{}:{list}:{}", self.store.simple(), fields.join(":")))
    }

    /// A cursor's fields, where it is one of this store and this list.
    fn fields<'c, const N: usize>(self, cursor: &'c Cursor, list: &str) -> Result<[&'c str; N], StoreError> {
        let mut parts = cursor.0.split(':');
        let ours = parts.next() == Some("postgres")
            && parts.next().and_then(|store| Uuid::try_parse(store).ok()) == Some(self.store)
            && parts.next() == Some(list);
        let fields: Vec<&str> = parts.collect();
        let fields = <[&str; N]>::try_from(fields).ok().filter(|_| ours);
        fields.ok_or_else(|| StoreError::Foreign(format!("cursor {:?} is not of this list", cursor.0)))
    }
}

fn field<T: std::str::FromStr>(text: &str) -> Result<T, StoreError> {
    text.parse().map_err(|_| StoreError::Foreign(format!("{text:?} in a cursor is not what this list gave")))
}

const FILTERS: &str = "($4 IS NULL OR l.status = $4) AND ($5 IS NULL OR l.campaign_id = $5) \
    AND ($6 IS NULL OR l.partner_id = $6) AND ($7 IS NULL OR l.source = $7)";

/// From where the page before ended, or where the book says that nothing is due before: earlier entries of the index are of
/// leads that have moved on, and stay in it until the table is vacuumed.
const FROM_PLACE: &str = "(due_at, part, created_seq) > \
    (greatest($3, (SELECT next_due FROM books WHERE merchant_id = $1)), 0, \
     CASE WHEN $3 < (SELECT next_due FROM books WHERE merchant_id = $1) THEN '-9223372036854775808'::bigint ELSE $2 END)";

/// The statements behind a page of leads: the leads, and how far the page has looked.
pub(crate) fn leads<'q>(query: &LeadQuery, marks: Marks) -> Result<Vec<Statement<'q>>, StoreError> {
    let (page, reach) = match query.order {
        LeadOrder::Newest => (
            sql!(
                "SELECT {} FROM (SELECT * FROM leads WHERE merchant_id = $1 AND created_seq < $2 AND $3 IS NOT NULL \
                     ORDER BY created_seq DESC LIMIT {REACH}) l \
                 WHERE {FILTERS} ORDER BY l.created_seq DESC LIMIT $8",
                rows::LEADS.names("l.")
            ),
            sql!(
                "SELECT count(*), min(created_seq), now() FROM (SELECT created_seq FROM leads \
                     WHERE merchant_id = $1 AND created_seq < $2 AND $3 IS NOT NULL \
                     ORDER BY created_seq DESC LIMIT {REACH}) l"
            ),
        ),
        LeadOrder::ReviewPriority => (
            sql!(
                "SELECT {} FROM (SELECT * FROM leads WHERE merchant_id = $1 AND due_at IS NOT NULL AND status = 0 \
                     AND {FROM_PLACE} ORDER BY due_at, part, created_seq LIMIT {REACH}) l \
                 WHERE {FILTERS} ORDER BY l.due_at, l.part, l.created_seq LIMIT $8",
                rows::LEADS.names("l.")
            ),
            sql!(
                "SELECT count(*), max(created_seq) FILTER (WHERE last), max(due_at) FROM (SELECT due_at, created_seq, \
                     row_number() OVER (ORDER BY due_at, part, created_seq) = {REACH} AS last FROM leads \
                     WHERE merchant_id = $1 AND due_at IS NOT NULL AND status = 0 \
                     AND {FROM_PLACE} ORDER BY due_at, part, created_seq LIMIT {REACH}) l"
            ),
        ),
    };
    let (seq, due) = match (&query.after, query.order) {
        (None, LeadOrder::Newest) => (i64::MAX, Timestamp::MIN),
        (None, LeadOrder::ReviewPriority) => (0, Timestamp::MIN),
        (Some(cursor), LeadOrder::Newest) => {
            let [seq] = marks.fields(cursor, "newest")?;
            (field(seq)?, Timestamp::MIN)
        }
        (Some(cursor), LeadOrder::ReviewPriority) => {
            let [due, seq] = marks.fields(cursor, "review")?;
            (field(seq)?, Timestamp::from_micros(field(due)?))
        }
    };
    let place = || vec![Param::Id(query.merchant.0), Param::Int(seq), Param::Time(due)];
    let mut params = place();
    params.extend([
        Param::OptionalInt(query.status.map(|status| code(LeadStatus::ALL, status))),
        Param::OptionalId(query.campaign.map(|campaign| campaign.0)),
        Param::OptionalId(query.partner.map(|partner| partner.0)),
        Param::OptionalInt(query.source.map(|source| code(Source::ALL, source))),
        Param::Int(count(query.limit)),
    ]);
    let mut statements = vec![Statement { sql: page.into(), params }];
    // Where every lead within reach is on the page, a short page is the last.
    let filtered =
        query.status.is_some() || query.campaign.is_some() || query.partner.is_some() || query.source.is_some();
    if filtered || query.limit > REACH {
        statements.push(Statement { sql: reach.into(), params: place() });
    }
    Ok(statements)
}

pub(crate) fn leads_page(
    query: &LeadQuery,
    marks: Marks,
    answers: &[Vec<Row>],
) -> Result<Page<(LeadId, Lead)>, StoreError> {
    let (page, reach) = match answers {
        [page] => (page, None),
        [page, reach] if !reach.is_empty() => (page, reach.first()),
        _ => return Err(corrupt("an answer to another question")),
    };
    let mut items = Vec::with_capacity(page.len());
    for row in page {
        let mut columns = Columns::of(row);
        rows::merchant(&mut columns)?;
        items.push(rows::lead(&mut columns)?);
    }
    let place = |seq: i64, due: i64| match query.order {
        LeadOrder::Newest => marks.cursor("newest", &[seq.to_string()]),
        LeadOrder::ReviewPriority => marks.cursor("review", &[due.to_string(), seq.to_string()]),
    };
    if items.len() == query.limit
        && let Some((_, last)) = items.last()
    {
        let next = place(last.created_seq, last.expires_at().micros());
        return Ok(Page { items, next: Some(next) });
    }
    // Fewer than asked for: either there are no more, or none within reach.
    let Some(row) = reach else { return Ok(Page { items, next: None }) };
    let mut columns = Columns::of(row);
    let looked: usize = columns.int()?;
    let next = match (columns.optional_int()?, columns.optional_time()?) {
        (Some(seq), Some(due)) if looked >= REACH && query.limit > 0 => Some(place(seq, due.micros())),
        _ => None,
    };
    Ok(Page { items, next })
}

/// Below the oldest transaction that still runs, nothing is to come.
const HORIZON: &str = "pg_snapshot_xmin(pg_current_snapshot())::text::bigint + xid_offset FROM meta";

pub(crate) fn journal<'q>(query: &JournalQuery, limit: usize, marks: Marks) -> Result<Statement<'q>, StoreError> {
    let limit = Param::Int(count(limit));
    Ok(match query {
        JournalQuery::After { merchant, seq } => Statement {
            sql: "SELECT merchant_id, payload, hash, seq FROM journal WHERE merchant_id = $1 AND seq > $2 \
                  ORDER BY seq LIMIT $3"
                .into(),
            params: vec![Param::Id(merchant.0), Param::Int(number(*seq)), limit],
        },
        JournalQuery::Before { merchant, seq } => Statement {
            sql: "SELECT merchant_id, payload, hash, seq FROM journal WHERE merchant_id = $1 AND seq < $2 \
                  ORDER BY seq DESC LIMIT $3"
                .into(),
            params: vec![Param::Id(merchant.0), Param::Int(seq.map_or(i64::MAX, number)), limit],
        },
        JournalQuery::All { after } => {
            let (position, merchant, seq) = place(after.as_ref(), marks)?;
            Statement {
                sql: sql!(
                    "SELECT merchant_id, payload, hash, seq, position FROM journal WHERE position >= $1 \
                     AND (position, merchant_id, seq) > ($1, $2, $3) AND position < (SELECT {HORIZON}) \
                     ORDER BY position, merchant_id, seq LIMIT $4"
                )
                .into(),
                params: vec![Param::Int(position), Param::Id(merchant), Param::Int(seq), limit],
            }
        }
        JournalQuery::End => Statement { sql: sql!("SELECT {HORIZON}").into(), params: Vec::new() },
    })
}

/// Where a reader of all books has got to.
fn place(after: Option<&Cursor>, marks: Marks) -> Result<(i64, Uuid, i64), StoreError> {
    let Some(cursor) = after else { return Ok((0, Uuid::nil(), 0)) };
    let [position, merchant, seq] = marks.fields(cursor, "all")?;
    Ok((field(position)?, field(merchant)?, field(seq)?))
}

pub(crate) fn journal_page(query: &JournalQuery, marks: Marks, answer: &[Row]) -> Result<Page<Recorded>, StoreError> {
    let cursor = |(position, merchant, seq): (i64, Uuid, i64)| {
        marks.cursor("all", &[position.to_string(), merchant.simple().to_string(), seq.to_string()])
    };
    if *query == JournalQuery::End {
        let horizon = answer.first().ok_or_else(|| corrupt("the schema has no meta row"))?;
        // Before every entry of that position: nothing is read from there on yet.
        let end = cursor((Columns::of(horizon).int()?, Uuid::nil(), 0));
        return Ok(Page { items: Vec::new(), next: Some(end) });
    }
    let all = match query {
        JournalQuery::All { after } => Some(place(after.as_ref(), marks)?),
        _ => None,
    };
    let mut items: Vec<Recorded> = Vec::with_capacity(answer.len());
    let mut last = all;
    for row in answer {
        let mut columns = Columns::of(row);
        let merchant = rows::merchant(&mut columns)?;
        let recorded = rows::optional_entry(&mut columns, merchant)?;
        let recorded = recorded.ok_or_else(|| corrupt("an entry without a payload"))?;
        let seq: u64 = columns.int()?;
        let before = items.last().map(|before| before.entry.seq);
        let expected = match query {
            JournalQuery::After { seq, .. } => before.unwrap_or(*seq).checked_add(1),
            JournalQuery::Before { .. } => before.map_or(Some(seq), |before| before.checked_sub(1)),
            JournalQuery::All { .. } | JournalQuery::End => Some(seq),
        };
        if recorded.entry.seq != seq || expected != Some(seq) {
            return Err(corrupt(format!("entry {} of {merchant} is missing or misplaced", expected.unwrap_or(seq))));
        }
        if all.is_some() {
            last = Some((columns.int()?, merchant.0, number(seq)));
        }
        items.push(recorded);
    }
    Ok(Page { items, next: last.map(cursor) })
}

pub(crate) fn books<'q>(query: &BookQuery, limit: usize) -> Statement<'q> {
    let limit = Param::Int(count(limit));
    match query {
        BookQuery::Due(now) => Statement {
            sql: sql!("SELECT {} FROM books WHERE next_due <= $1 ORDER BY next_due, merchant_id LIMIT $2", rows::BOOK)
                .into(),
            params: vec![Param::Time(*now), limit],
        },
        BookQuery::After(last) => Statement {
            sql: sql!(
                "SELECT {} FROM books WHERE $1 IS NULL OR merchant_id > $1 ORDER BY merchant_id LIMIT $2",
                rows::BOOK
            )
            .into(),
            params: vec![Param::OptionalId(last.map(|last| last.0)), limit],
        },
        BookQuery::Of(merchants) => Statement {
            sql: sql!("SELECT {} FROM books WHERE merchant_id = ANY ($1) ORDER BY merchant_id LIMIT $2", rows::BOOK)
                .into(),
            params: vec![ids(merchants.iter().copied()), limit],
        },
    }
}

pub(crate) fn partner<'q>(partner: PartnerId) -> Statement<'q> {
    Statement {
        sql: sql!(
            "SELECT {} FROM partners WHERE partner_id = $1 ORDER BY merchant_id, currency",
            rows::PARTNERS.names("")
        )
        .into(),
        params: vec![Param::Id(partner.0)],
    }
}

pub(crate) fn partner_rows(answer: &[Row]) -> Result<Vec<(MerchantId, Currency, PartnerAccounts)>, StoreError> {
    let mut found = Vec::with_capacity(answer.len());
    for row in answer {
        let mut columns = Columns::of(row);
        let merchant = rows::merchant(&mut columns)?;
        let ((_, currency), accounts) = rows::partner(&mut columns)?;
        found.extend(accounts.map(|accounts| (merchant, currency, accounts)));
    }
    Ok(found)
}

pub(crate) fn platform<'q>(after: Option<(MerchantId, Currency)>, limit: usize) -> Statement<'q> {
    let (merchant, currency) = match &after {
        None => (Uuid::nil(), String::new()),
        Some((merchant, currency)) => (merchant.0, currency.code().to_owned()),
    };
    Statement {
        sql: sql!(
            "SELECT {} FROM platform WHERE merchant_id >= $1 AND (merchant_id, currency) > ($1, $2) \
             ORDER BY merchant_id, currency LIMIT $3",
            rows::PLATFORM.names("")
        )
        .into(),
        params: vec![Param::Id(merchant), Param::Text(currency.into()), Param::Int(count(limit))],
    }
}

pub(crate) fn platform_rows(answer: &[Row]) -> Result<Vec<(MerchantId, Currency, PlatformAccounts)>, StoreError> {
    let read = |row| {
        let mut columns = Columns::of(row);
        let merchant = rows::merchant(&mut columns)?;
        let (currency, accounts) = rows::platform(&mut columns)?;
        Ok((merchant, currency, accounts))
    };
    answer.iter().map(read).collect()
}

pub(crate) fn heads(answer: &[Row]) -> Result<Vec<(MerchantId, Head)>, StoreError> {
    let head = |row| {
        let mut columns = Columns::of(row);
        Ok((rows::merchant(&mut columns)?, rows::head(&mut columns)?.0))
    };
    answer.iter().map(head).collect()
}
