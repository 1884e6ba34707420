//! Loading a book's rows: what a batch or a read needs and is not there yet.

use std::collections::BTreeSet;
use std::sync::Arc;

use chrono::NaiveDate;
use foldhash::{HashMap, HashMapExt};
use leadledger::{
    Book, CampaignId, Currency, DepositId, DueLoaded, Head, Keyed, LeadId, MerchantId, Needs, PartnerId, Recorded,
    StoreError, Timestamp,
};
use rusqlite::{Connection, OptionalExtension, Params, Row, params};

use crate::error::OrStoreError;
use crate::rows::{self, BookRow, Columns};

/// A book, and where it is.
#[derive(Debug)]
pub(crate) struct Loaded {
    pub(crate) book: Box<Book>,
    pub(crate) place: Place,
}

/// The numbers of a book's rows.
#[derive(Debug)]
pub(crate) struct Place {
    /// None: never written.
    pub(crate) no: Option<i64>,
    /// It was loaded with all its rows (none, where it was never written): good for one batch, not to be kept.
    pub(crate) whole: bool,
    pub(crate) last_row: Option<i64>,
    pub(crate) last_lead: Option<i64>,
    /// The rows of the leads that are loaded and exist.
    pub(crate) lead_rows: HashMap<LeadId, i64>,
    pub(crate) campaigns: HashMap<CampaignId, i64>,
    pub(crate) deposits: HashMap<DepositId, i64>,
    pub(crate) platform: HashMap<Currency, i64>,
    pub(crate) partners: HashMap<(PartnerId, Currency), i64>,
}

impl Place {
    fn of(row: Option<&BookRow>) -> Self {
        Self {
            no: row.map(|row| row.no),
            whole: row.is_none(),
            last_row: row.and_then(|row| row.last_row),
            last_lead: row.and_then(|row| row.last_lead),
            lead_rows: HashMap::new(),
            campaigns: HashMap::new(),
            deposits: HashMap::new(),
            platform: HashMap::new(),
            partners: HashMap::new(),
        }
    }
}

impl Loaded {
    /// Forgets what commits may grow without bound, and what must be looked up anew.
    pub(crate) fn forget_large(&mut self) {
        self.book.leads.forget();
        self.book.missed.forget();
        self.book.due.clear();
        self.place.lead_rows.clear();
    }

    /// How many rows it keeps that grow with the book.
    pub(crate) fn weight(&self) -> usize {
        self.book.leads.known() + self.book.missed.known() + self.book.partners.known() + self.book.agreements.known()
    }
}

/// One row, if there is one.
pub(crate) fn one<T>(
    connection: &Connection,
    sql: &str,
    params: impl Params,
    read: impl FnOnce(&Row<'_>) -> Result<T, StoreError>,
) -> Result<Option<T>, StoreError> {
    let mut statement = connection.prepare_cached(sql).or_store_error()?;
    let found = statement.query_row(params, |row| Ok(read(row))).optional().or_store_error()?;
    found.transpose()
}

/// All rows, in order.
pub(crate) fn each(
    connection: &Connection,
    sql: &str,
    params: impl Params,
    mut read: impl FnMut(&Row<'_>) -> Result<(), StoreError>,
) -> Result<(), StoreError> {
    let mut statement = connection.prepare_cached(sql).or_store_error()?;
    let mut rows = statement.query(params).or_store_error()?;
    while let Some(row) = rows.next().or_store_error()? {
        read(row)?;
    }
    Ok(())
}

pub(crate) fn book_row(connection: &Connection, merchant: MerchantId) -> Result<Option<BookRow>, StoreError> {
    let sql = sql!("SELECT {} FROM books WHERE merchant = ?", rows::BOOK);
    one(connection, sql, params![rows::id_bytes(merchant.0)], rows::book_row)
}

/// The book's row and its small sets: campaigns, open deposits, platform accounts.
pub(crate) fn load_small(connection: &Connection, merchant: MerchantId) -> Result<Loaded, StoreError> {
    let Some(row) = book_row(connection, merchant)? else {
        // Nothing is known of it, so everything is: it is empty.
        let book = Box::new(Book { due_loaded: DueLoaded::Some, ..Book::complete(merchant) });
        let place = Place::of(None);
        return Ok(Loaded { book, place });
    };
    let mut book = Box::new(Book::partial(merchant, row.head));
    let mut place = Place::of(Some(&row));
    let sql = sql!("SELECT {}, no FROM campaigns WHERE book = ?", rows::CAMPAIGN);
    each(connection, sql, params![row.no], |row| {
        let (id, campaign) = rows::campaign(row)?;
        book.campaigns.load(id, Some(campaign));
        place.campaigns.insert(id, row.get("no").or_store_error()?);
        Ok(())
    })?;
    let sql = sql!("SELECT {}, no FROM deposits WHERE book = ? AND status <> 3", rows::DEPOSIT);
    each(connection, sql, params![row.no], |row| {
        let (id, deposit) = rows::deposit(row)?;
        book.deposits.load(id, Some(deposit));
        place.deposits.insert(id, row.get("no").or_store_error()?);
        Ok(())
    })?;
    let sql = sql!("SELECT {}, no FROM platform WHERE book = ?", rows::PLATFORM);
    each(connection, sql, params![row.no], |row| {
        let (currency, accounts) = rows::platform(row)?;
        book.platform.load(currency, Some(accounts));
        place.platform.insert(currency, row.get("no").or_store_error()?);
        Ok(())
    })?;
    Ok(Loaded { book, place })
}

/// Loads what of `needs` is not loaded yet; with `due`, the first leads that are due too.
pub(crate) fn load_needs(
    connection: &Connection,
    loaded: &mut Loaded,
    needs: &Needs,
    due: Option<(Timestamp, usize)>,
) -> Result<(), StoreError> {
    let Some(no) = loaded.place.no else { return Ok(()) };
    if needs.everything {
        return load_everything(connection, loaded, no);
    }
    let mut deposits = needs.deposits.clone();
    let mut partners = needs.partners.clone();
    let mut touched: Vec<LeadId> = needs.leads.iter().copied().collect();
    for id in &needs.leads {
        load_lead(connection, loaded, no, *id)?;
    }
    if let Some((now, limit)) = due
        && loaded.book.is_due(now)
    {
        touched.extend(load_due(connection, loaded, no, limit)?);
    }
    for lead in touched.iter().filter_map(|id| loaded.book.leads.get(id)) {
        let partner = (lead.partner, lead.currency);
        if !loaded.book.partners.knows(&partner) {
            partners.insert(partner);
        }
        if !loaded.book.deposits.knows(&lead.deposit) {
            deposits.insert(lead.deposit);
        }
    }
    let book = &mut loaded.book;
    for id in &needs.missed {
        if !book.missed.knows(id) {
            let sql = sql!("SELECT {} FROM missed WHERE book = ? AND lead = ?", rows::MISSED);
            let row = one(connection, sql, params![no, rows::id_bytes(id.0)], rows::missed)?;
            book.missed.load(*id, row.map(|(_, missed)| missed));
        }
    }
    for id in &needs.agreements {
        if let Some(campaign) = &id.1 {
            let currency = book.campaigns.get(campaign).map(|campaign| campaign.settings.policy.currency);
            let earnings = (id.0, currency.unwrap_or(leadledger::Currency::MAD));
            if !book.partners.knows(&earnings) {
                partners.insert(earnings);
            }
        }
        if !book.agreements.knows(id) {
            let sql =
                sql!("SELECT {} FROM agreements WHERE book = ? AND partner = ? AND campaign = ?", rows::AGREEMENT);
            let params = params![no, rows::id_bytes(id.0.0), rows::scope_bytes(id.1)];
            let row = one(connection, sql, params, rows::agreement)?;
            book.agreements.load(*id, row.map(|(_, agreement)| agreement));
        }
    }
    for id in &needs.top_ups {
        let sql = sql!("SELECT {} FROM top_ups WHERE book = ? AND id = ?", rows::TOP_UP);
        let row = one(connection, sql, params![no, rows::id_bytes(id.0)], rows::top_up)?;
        let top_up = row.map(|(_, top_up)| top_up);
        if let Some(top_up) = &top_up {
            deposits.extend(top_up.deposit.filter(|id| !book.deposits.knows(id)));
            if let Some(seq) = top_up.succeeded_seq {
                let entry = entry_at(connection, no, book.merchant, &book.head, loaded.place.last_row, seq)?;
                book.successes.load(seq, entry.map(|recorded| recorded.entry));
            }
        }
        book.top_ups.load(*id, top_up);
    }
    for id in &needs.payouts {
        let sql = sql!("SELECT {} FROM payouts WHERE book = ? AND id = ?", rows::PAYOUT);
        let row = one(connection, sql, params![no, rows::id_bytes(id.0)], rows::payout)?;
        let payout = row.map(|(_, payout)| payout);
        partners.extend(payout.map(|payout| (payout.partner, payout.currency)));
        book.payouts.load(*id, payout);
    }
    for reference in &needs.references {
        for method in leadledger::Method::ALL {
            let sql = "SELECT top_up FROM payment_references WHERE book = ? AND method = ? AND reference = ?";
            let params = params![no, rows::method_code(*method), reference.as_str()];
            let owner = one(connection, sql, params, |row| Columns::of(row).id())?;
            book.references.load((*method, reference.clone()), owner);
        }
    }
    for key in &needs.keys {
        let keyed = load_key(connection, no, book.merchant, key.as_str())?;
        book.keys.load(key.clone(), keyed);
    }
    for id in deposits {
        if !book.deposits.knows(&id) {
            let sql = sql!("SELECT {}, no FROM deposits WHERE book = ? AND id = ?", rows::DEPOSIT);
            let row = one(connection, sql, params![no, rows::id_bytes(id.0)], |row| {
                Ok((rows::deposit(row)?.1, row.get::<_, i64>("no").or_store_error()?))
            })?;
            if let Some((_, number)) = row {
                loaded.place.deposits.insert(id, number);
            }
            book.deposits.load(id, row.map(|(deposit, _)| deposit));
        }
    }
    for key in partners {
        if !book.partners.knows(&key) {
            let sql =
                sql!("SELECT {}, no FROM partners WHERE book = ? AND partner = ? AND currency = ?", rows::PARTNER);
            let params = params![no, rows::id_bytes(key.0.0), key.1.code()];
            let row = one(connection, sql, params, |row| {
                Ok((rows::partner(row)?.1, row.get::<_, i64>("no").or_store_error()?))
            })?;
            if let Some((_, number)) = row {
                loaded.place.partners.insert(key, number);
            }
            book.partners.load(key, row.map(|(accounts, _)| accounts));
        }
    }
    for id in &needs.reversals {
        let Some(lead) = book.leads.get(id).copied() else { continue };
        // The day on which it was decided is the first that ended after; its deposit's comes right behind it.
        let sql = sql!(
            "SELECT {} FROM days WHERE book = ? AND currency = ? AND deposit IN (x'', ?) AND until >= ? \
             ORDER BY day, deposit LIMIT 2",
            rows::DAY
        );
        let decided_at = lead.decided_at.map(Timestamp::micros);
        each(connection, sql, params![no, lead.currency.code(), rows::id_bytes(lead.deposit.0), decided_at], |row| {
            load_day(book, row)
        })?;
    }
    if let Some((from, to)) = needs.days {
        load_days(connection, book, no, from, to)?;
    }
    if needs.all_partners {
        let sql = sql!("SELECT {} FROM partners WHERE book = ?", rows::PARTNER);
        each(connection, sql, params![no], |row| {
            let (key, accounts) = rows::partner(row)?;
            book.partners.load(key, Some(accounts));
            Ok(())
        })?;
    }
    if needs.missed_days {
        let sql = "SELECT currency, day, count(*), sum(commission >> 32), sum(commission & 4294967295) FROM missed \
                   WHERE book = ? GROUP BY currency, day";
        each(connection, sql, params![no], |row| {
            let (key, missed) = rows::missed_day(row)?;
            book.missed_days.insert(key, missed);
            Ok(())
        })?;
    }
    for id in &needs.private {
        let mut take = |sql| {
            each(connection, sql, params![rows::id_bytes(id.0), no], |row| {
                book.private.push(rows::private(row)?);
                Ok(())
            })
        };
        // A book's opening is its first entry.
        take(sql!("SELECT {} FROM opening_private WHERE lead = ? AND book = ?", rows::PRIVATE))?;
        take(sql!("SELECT {} FROM private WHERE lead = ? AND book = ? ORDER BY seq", rows::PRIVATE))?;
    }
    load_private_of(connection, loaded, no, &needs.private_of)?;
    if let Some((after, limit)) = needs.missed_page {
        let sql = sql!("SELECT {} FROM missed WHERE book = ? AND lead > ? ORDER BY lead LIMIT ?", rows::MISSED);
        let after = after.map(|after| rows::id_bytes(after.0).to_vec()).unwrap_or_default();
        each(connection, sql, params![no, after, i64::try_from(limit).unwrap_or(i64::MAX)], |row| {
            let (id, missed) = rows::missed(row)?;
            loaded.book.missed.load(id, Some(missed));
            Ok(())
        })?;
    }
    Ok(())
}

/// The private fields of entries, found by walking back through the journal from one to the next.
fn load_private_of(
    connection: &Connection,
    loaded: &mut Loaded,
    no: i64,
    seqs: &BTreeSet<u64>,
) -> Result<(), StoreError> {
    let mut found = Vec::with_capacity(seqs.len());
    let mut place: Option<(u64, i64)> = None;
    for seq in seqs.iter().rev() {
        let near = place.filter(|(at, _)| at - seq <= MARK_EVERY);
        let row = match near {
            Some((at, row)) => back(connection, no, row, at - seq)?,
            None => row_of(connection, no, &loaded.book.head, loaded.place.last_row, *seq)?,
        };
        let Some(row) = row else { continue };
        place = Some((*seq, row));
        let sql = sql!("SELECT {} FROM private WHERE row = ?", rows::PRIVATE);
        found.extend(one(connection, sql, params![row], rows::private)?);
    }
    let private = &mut loaded.book.private;
    // A book's opening is its first entry.
    if seqs.contains(&1) {
        let sql = sql!("SELECT {} FROM opening_private WHERE book = ?", rows::PRIVATE);
        each(connection, sql, params![no], |row| {
            private.push(rows::private(row)?);
            Ok(())
        })?;
    }
    private.extend(found.into_iter().rev());
    Ok(())
}

/// See [`Needs::days`].
fn load_days(
    connection: &Connection,
    book: &mut Book,
    no: i64,
    from: NaiveDate,
    to: NaiveDate,
) -> Result<(), StoreError> {
    let (from, to) = (rows::number_of_day(from), rows::number_of_day(to));
    let open = book.deposits.iter().filter(|(_, row)| row.is_open()).map(|(id, row)| (row.currency, Some(*id)));
    let spans: Vec<_> = book.platform.iter().map(|(currency, _)| (*currency, None)).chain(open).collect();
    let within =
        sql!("SELECT {} FROM days WHERE book = ? AND currency = ? AND deposit = ? AND day BETWEEN ? AND ?", rows::DAY);
    let before = sql!(
        "SELECT {} FROM days WHERE book = ? AND currency = ? AND deposit = ? AND day < ? ORDER BY day DESC LIMIT 1",
        rows::DAY
    );
    for (currency, deposit) in spans {
        let deposit = rows::deposit_bytes(deposit);
        each(connection, within, params![no, currency.code(), deposit, from, to], |row| load_day(book, row))?;
        each(connection, before, params![no, currency.code(), deposit, from], |row| load_day(book, row))?;
    }
    Ok(())
}

fn load_day(book: &mut Book, row: &Row<'_>) -> Result<(), StoreError> {
    let (key, day) = rows::day(row)?;
    // One that a batch has changed is newer than its row.
    if !book.days.knows(&key) {
        book.days.load(key, Some(day));
    }
    Ok(())
}

fn load_lead(connection: &Connection, loaded: &mut Loaded, no: i64, id: LeadId) -> Result<(), StoreError> {
    if loaded.book.leads.knows(&id) {
        return Ok(());
    }
    let sql = sql!("SELECT {} FROM {} WHERE l.id = ? AND l.book = ?", rows::LEAD, rows::LEAD_FROM);
    let row = one(connection, sql, params![rows::id_bytes(id.0), no], rows::lead)?;
    if let Some(row) = &row {
        loaded.place.lead_rows.insert(id, row.row);
    }
    loaded.book.load_lead(id, row.map(|row| row.lead));
    Ok(())
}

/// The first `limit` leads that time will move, in the order of [`leadledger::Due`]; what is already loaded stays as
/// it is.
fn load_due(connection: &Connection, loaded: &mut Loaded, no: i64, limit: usize) -> Result<Vec<LeadId>, StoreError> {
    let limit = limit.max(1);
    let mut found = Vec::new();
    let sql = sql!(
        "SELECT {} FROM {} WHERE l.book = ? AND l.due_at IS NOT NULL ORDER BY l.due_at, l.part, l.created_seq LIMIT ?",
        rows::LEAD,
        rows::LEAD_FROM.replace("leads l", "leads l INDEXED BY leads_due"),
    );
    let most = i64::try_from(limit).unwrap_or(i64::MAX).saturating_add(1);
    each(connection, sql, params![no, most], |row| {
        found.push(rows::lead(row)?);
        Ok(())
    })?;
    let more = found.len() > limit;
    found.truncate(limit);
    loaded.book.due_loaded = match found.last().and_then(|row| row.lead.due()) {
        Some(last) if more => DueLoaded::UpTo(last),
        _ => DueLoaded::All,
    };
    let ids = found.iter().map(|row| row.id).collect();
    for row in found {
        if !loaded.book.leads.knows(&row.id) {
            loaded.place.lead_rows.insert(row.id, row.row);
            loaded.book.load_lead(row.id, Some(row.lead));
        }
    }
    Ok(ids)
}

fn load_everything(connection: &Connection, loaded: &mut Loaded, no: i64) -> Result<(), StoreError> {
    let head = loaded.book.head;
    let mut book = Book { head, ..Book::complete(loaded.book.merchant) };
    for (id, row) in loaded.book.campaigns.iter() {
        book.campaigns.load(*id, Some(*row));
    }
    for (id, row) in loaded.book.platform.iter() {
        book.platform.load(*id, Some(*row));
    }
    macro_rules! all {
        ($rows:ident, $table:literal, $columns:expr, $read:path) => {
            let sql = sql!("SELECT {} FROM {} WHERE book = ?", $columns, $table);
            each(connection, sql, params![no], |row| {
                let (id, row) = $read(row)?;
                book.$rows.load(id, Some(row));
                Ok(())
            })?;
        };
    }
    all!(deposits, "deposits", rows::DEPOSIT, rows::deposit);
    all!(partners, "partners", rows::PARTNER, rows::partner);
    all!(agreements, "agreements", rows::AGREEMENT, rows::agreement);
    all!(top_ups, "top_ups", rows::TOP_UP, rows::top_up);
    all!(payouts, "payouts", rows::PAYOUT, rows::payout);
    all!(missed, "missed", rows::MISSED, rows::missed);
    all!(days, "days", rows::DAY, rows::day);
    let sql = "SELECT method, reference, top_up FROM payment_references WHERE book = ?";
    each(connection, sql, params![no], |row| {
        let (method, reference, top_up) = rows::reference(row)?;
        book.references.load((method, reference), Some(top_up));
        Ok(())
    })?;
    let mut take = |sql| {
        each(connection, sql, params![no], |row| {
            book.private.push(rows::private(row)?);
            Ok(())
        })
    };
    take(sql!("SELECT {} FROM opening_private WHERE book = ?", rows::PRIVATE))?;
    take(sql!("SELECT {} FROM private WHERE book = ? ORDER BY row", rows::PRIVATE))?;
    // By the pointers, since no index leads from a book to all its leads.
    let mut next = loaded.place.last_lead;
    let sql = sql!("SELECT {}, l.book FROM {} WHERE l.row = ?", rows::LEAD, rows::LEAD_FROM);
    while let Some(place) = next {
        let row = one(connection, sql, params![place], rows::lead)?;
        let row = row.ok_or_else(|| crate::error::corrupt(format!("lead row {place} is missing")))?;
        next = row.previous.filter(|previous| *previous < place);
        loaded.place.lead_rows.insert(row.id, row.row);
        book.load_lead(row.id, Some(row.lead));
    }
    *loaded.book = book;
    // It would take any row that comes later for one that does not exist.
    loaded.place.whole = true;
    Ok(())
}

fn load_key(connection: &Connection, no: i64, merchant: MerchantId, key: &str) -> Result<Option<Keyed>, StoreError> {
    let sql =
        "SELECT j.payload, j.hash, j.row FROM keys k JOIN journal j ON j.row = k.row WHERE k.key = ? AND k.book = ?";
    let found = one(connection, sql, params![key, no], |row| {
        let mut columns = Columns::of(row);
        let recorded = Recorded::from_row(merchant, columns.get()?, columns.get()?)?;
        Ok((recorded.entry, columns.get::<i64>()?))
    })?;
    let Some((entry, row)) = found else { return Ok(None) };
    let private = if entry.private_digest.is_some() {
        let sql = sql!("SELECT {} FROM private WHERE row = ?", rows::PRIVATE);
        one(connection, sql, params![row], rows::private)?
    } else {
        None
    };
    Ok(Some(Keyed { entry: Arc::clone(&entry), private }))
}

/// How many entries lie between two marks.
pub(crate) const MARK_EVERY: u64 = 64;

/// The row of a book's entry `seq`: from the nearest mark behind it, back by pointers.
pub(crate) fn row_of(
    connection: &Connection,
    no: i64,
    head: &Head,
    last_row: Option<i64>,
    seq: u64,
) -> Result<Option<i64>, StoreError> {
    if seq == 0 || seq > head.seq {
        return Ok(None);
    }
    let mark = seq.div_ceil(MARK_EVERY);
    let sql = "SELECT row FROM journal_marks WHERE book = ? AND mark = ?";
    let marked = one(connection, sql, params![no, i64::try_from(mark).unwrap_or(i64::MAX)], |row| {
        Columns::of(row).get::<i64>()
    })?;
    let (at, row) = match marked {
        Some(row) => (mark.saturating_mul(MARK_EVERY), Some(row)),
        None => (head.seq, last_row),
    };
    match row {
        Some(row) => back(connection, no, row, at.saturating_sub(seq)),
        None => Ok(None),
    }
}

/// The row that lies so many entries of the same book before `row`.
fn back(connection: &Connection, no: i64, row: i64, entries: u64) -> Result<Option<i64>, StoreError> {
    let mut statement =
        connection.prepare_cached("SELECT previous FROM journal WHERE row = ? AND book = ?").or_store_error()?;
    let mut at = Some(row);
    for _ in 0..entries {
        let Some(place) = at else { break };
        at = statement.query_row(params![place, no], |row| row.get(0)).optional().or_store_error()?.flatten();
    }
    Ok(at)
}

fn entry_at(
    connection: &Connection,
    no: i64,
    merchant: MerchantId,
    head: &Head,
    last_row: Option<i64>,
    seq: u64,
) -> Result<Option<Recorded>, StoreError> {
    let Some(row) = row_of(connection, no, head, last_row, seq)? else { return Ok(None) };
    one(connection, "SELECT payload, hash FROM journal WHERE row = ?", params![row], |row| {
        let mut columns = Columns::of(row);
        Recorded::from_row(merchant, columns.get()?, columns.get()?)
    })
}
