//! Writing what changed: every new entry, private text and row, within the caller's transaction.

use leadledger::{Book, Currency, Lead, LeadId, StoreError, Timestamp};
use rusqlite::{Connection, params, params_from_iter};

use crate::error::OrStoreError;
use crate::load::{Loaded, MARK_EVERY};
use crate::rows::{self, LeadParts, Values};

pub(crate) fn write_book(connection: &Connection, loaded: &mut Loaded) -> Result<(), StoreError> {
    let no = match loaded.no {
        Some(no) => no,
        None => insert_book(connection, loaded)?,
    };
    write_small(connection, &loaded.book, no)?;
    write_journal(connection, loaded, no)?;
    write_leads(connection, loaded, no)?;
    write_head(connection, loaded, no)
}

fn insert_book(connection: &Connection, loaded: &mut Loaded) -> Result<i64, StoreError> {
    let sql = "INSERT INTO books (merchant, seq, hash, last_at) VALUES (?, 0, ?, 0)";
    let mut statement = connection.prepare_cached(sql).or_store_error()?;
    let hash = loaded.book.head.hash;
    let no = statement.insert(params![rows::id_bytes(loaded.book.merchant.0), hash]).or_store_error()?;
    loaded.no = Some(no);
    Ok(no)
}

fn write_head(connection: &Connection, loaded: &Loaded, no: i64) -> Result<(), StoreError> {
    let sql = "UPDATE books SET seq = ?, hash = ?, last_at = ?, next_due = ?, receipt_year = ?, receipt_number = ?, \
               last_row = ?, last_lead = ? WHERE no = ?";
    let head = &loaded.book.head;
    let mut statement = connection.prepare_cached(sql).or_store_error()?;
    let changed = statement
        .execute(params![
            i64::try_from(head.seq).unwrap_or(i64::MAX),
            head.hash,
            head.last_at.micros(),
            head.next_due.map(Timestamp::micros),
            head.receipt.map(|receipt| receipt.year),
            head.receipt.map(|receipt| receipt.number),
            loaded.last_row,
            loaded.last_lead,
            no,
        ])
        .or_store_error()?;
    if changed == 1 { Ok(()) } else { Err(crate::error::corrupt(format!("book row {no} is missing"))) }
}

fn write_journal(connection: &Connection, loaded: &mut Loaded, no: i64) -> Result<(), StoreError> {
    let sql = "INSERT INTO journal (book, previous, payload, hash) VALUES (?, ?, ?, ?)";
    let mut insert = connection.prepare_cached(sql).or_store_error()?;
    for recorded in &loaded.book.new_entries {
        let row = insert.insert(params![no, loaded.last_row, recorded.payload, recorded.hash]).or_store_error()?;
        loaded.last_row = Some(row);
        let seq = recorded.entry.seq;
        if seq.is_multiple_of(MARK_EVERY) {
            let sql = "INSERT INTO journal_marks (book, mark, row) VALUES (?, ?, ?)";
            let mark = i64::try_from(seq / MARK_EVERY).unwrap_or(i64::MAX);
            connection.prepare_cached(sql).or_store_error()?.execute(params![no, mark, row]).or_store_error()?;
        }
        if let Some(key) = &recorded.entry.key {
            let sql = "INSERT INTO keys (key, book, row) VALUES (?, ?, ?)";
            let mut statement = connection.prepare_cached(sql).or_store_error()?;
            statement.execute(params![key.as_str(), no, row]).or_store_error()?;
        }
        if recorded.entry.private_digest.is_some()
            && let Some(private) = loaded.book.new_private.iter().find(|private| private.seq == seq)
        {
            let sql = "INSERT INTO private (row, book, seq, lead, salt, text) VALUES (?, ?, ?, ?, ?, ?)";
            let mut statement = connection.prepare_cached(sql).or_store_error()?;
            let lead = private.lead.map(|lead| rows::id_bytes(lead.0));
            let seq = i64::try_from(seq).unwrap_or(i64::MAX);
            statement.execute(params![row, no, seq, lead, private.salt, private.text]).or_store_error()?;
        }
    }
    for (lead, seq) in &loaded.book.erased {
        let sql = "DELETE FROM private WHERE lead = ? AND book = ? AND seq < ?";
        let mut statement = connection.prepare_cached(sql).or_store_error()?;
        let seq = i64::try_from(*seq).unwrap_or(i64::MAX);
        statement.execute(params![rows::id_bytes(lead.0), no, seq]).or_store_error()?;
    }
    Ok(())
}

/// New leads are appended in the order of their creation, each with a pointer to the one before.
fn write_leads(connection: &Connection, loaded: &mut Loaded, no: i64) -> Result<(), StoreError> {
    let mut created: Vec<(LeadId, Lead)> = Vec::new();
    let sql = "UPDATE leads SET status = ?, decided_at = ?, score = ?, part = ?, due_at = ? WHERE row = ?";
    let mut update = connection.prepare_cached(sql).or_store_error()?;
    for (id, lead) in loaded.book.leads.changes() {
        let Some(lead) = lead else { continue };
        match loaded.lead_rows.get(id) {
            None => created.push((*id, *lead)),
            Some(row) => {
                let parts = LeadParts::of(lead);
                let params = params![parts.status, parts.decided_at, lead.score, parts.part, parts.due_at, row];
                if update.execute(params).or_store_error()? != 1 {
                    return Err(crate::error::corrupt(format!("lead row {row} is missing")));
                }
            }
        }
    }
    created.sort_unstable_by_key(|(_, lead)| lead.created_seq);
    let mut insert = connection.prepare_cached(rows::LEAD_INSERT).or_store_error()?;
    for (id, lead) in created {
        let parts = LeadParts::of(&lead);
        let terms = lead.terms;
        let row = insert
            .insert(params![
                no,
                loaded.last_lead,
                rows::id_bytes(lead.campaign.0),
                rows::id_bytes(lead.deposit.0),
                rows::id_bytes(id.0),
                rows::id_bytes(lead.partner.0),
                parts.source,
                lead.value_minor,
                lead.commission_minor,
                lead.partner_minor,
                terms.policy_version,
                parts.kind,
                terms.rate.parts_per_million(),
                terms.share.parts_per_million(),
                terms.payout_delay_days,
                terms.minimum_quality,
                parts.on_timeout,
                lead.created_at.micros(),
                terms.window_hours,
                i64::try_from(lead.created_seq).unwrap_or(i64::MAX),
                parts.status,
                parts.decided_at,
                lead.score,
                parts.part,
                parts.due_at,
            ])
            .or_store_error()?;
        loaded.last_lead = Some(row);
        loaded.lead_rows.insert(id, row);
    }
    Ok(())
}

fn write_small(connection: &Connection, book: &Book, no: i64) -> Result<(), StoreError> {
    for (id, row) in book.campaigns.changes() {
        if let Some(row) = row {
            let sql = upsert("campaigns", rows::CAMPAIGN, "book, id");
            save(connection, &sql, no, rows::campaign_values(*id, row))?;
        }
    }
    for (id, row) in book.deposits.changes() {
        if let Some(row) = row {
            // What moves is updated in place; the rest changes with its own commands only.
            let sql = "UPDATE deposits SET balance = ?, reserved = ?, status = ?, level = ?, initial = ?, topped_up = ?, \
                       basis = ?, reference = ?, auto_threshold = ?, auto_amount = ?, auto_requested = ? \
                       WHERE book = ? AND id = ?";
            let values = rows::deposit_values(*id, row);
            let mut statement = connection.prepare_cached(sql).or_store_error()?;
            let order = [4, 5, 3, 8, 6, 7, 9, 10, 11, 12, 13];
            let mut params: Values = order.iter().filter_map(|place: &usize| values.get(*place).cloned()).collect();
            params.push(no.into());
            params.extend(values.first().cloned());
            if statement.execute(params_from_iter(params)).or_store_error()? == 0 {
                let sql = upsert("deposits", rows::DEPOSIT, "book, id");
                save(connection, &sql, no, values)?;
            }
        }
    }
    let mut currencies: Vec<Currency> = book.platform.changes().map(|((currency, _), _)| *currency).collect();
    currencies.sort_unstable();
    currencies.dedup();
    for currency in currencies {
        let sql = upsert("platform", rows::PLATFORM, "book, currency");
        save(connection, &sql, no, rows::platform_values(book, currency))?;
    }
    for (key, row) in book.partners.changes() {
        if let Some(row) = row {
            let sql = upsert("partners", rows::PARTNER, "book, partner, currency");
            save(connection, &sql, no, rows::partner_values(*key, row))?;
        }
    }
    for (key, row) in book.agreements.changes() {
        if let Some(row) = row {
            let sql = upsert("agreements", rows::AGREEMENT, "book, partner, campaign");
            save(connection, &sql, no, rows::agreement_values(*key, row))?;
        }
    }
    for (id, row) in book.top_ups.changes() {
        if let Some(row) = row {
            let sql = upsert("top_ups", rows::top_up_columns(), "book, id");
            save(connection, &sql, no, rows::top_up_values(*id, row))?;
        }
    }
    for ((method, reference), top_up) in book.references.changes() {
        if let Some(top_up) = top_up {
            let sql = upsert("payment_references", "method, reference, top_up", "book, method, reference");
            let values = rows::values![
                rows::method_code(*method),
                reference.as_str().to_owned(),
                rows::id_bytes(top_up.0).to_vec(),
            ];
            save(connection, &sql, no, values)?;
        }
    }
    for (id, row) in book.payouts.changes() {
        if let Some(row) = row {
            let sql = upsert("payouts", rows::PAYOUT, "book, id");
            save(connection, &sql, no, rows::payout_values(*id, row))?;
        }
    }
    for (id, row) in book.missed.changes() {
        match row {
            Some(row) => {
                let sql = upsert("missed", rows::MISSED, "book, lead");
                save(connection, &sql, no, rows::missed_values(*id, row))?;
            }
            None => {
                let sql = "DELETE FROM missed WHERE book = ? AND lead = ?";
                let mut statement = connection.prepare_cached(sql).or_store_error()?;
                statement.execute(params![no, rows::id_bytes(id.0)]).or_store_error()?;
            }
        }
    }
    Ok(())
}

/// A statement that inserts a row of `columns`, or replaces the one with the same `key`.
fn upsert(table: &str, columns: &str, key: &str) -> String {
    let names: Vec<&str> = columns.split(',').map(str::trim).collect();
    let marks = vec!["?"; names.len()].join(", ");
    let keys: Vec<&str> = key.split(',').map(str::trim).collect();
    let sets: Vec<String> =
        names.iter().filter(|name| !keys.contains(name)).map(|name| format!("{name} = excluded.{name}")).collect();
    format!(
        "INSERT INTO {table} (book, {columns}) VALUES (?, {marks}) ON CONFLICT ({key}) DO UPDATE SET {}",
        sets.join(", ")
    )
}

fn save(connection: &Connection, sql: &str, no: i64, values: Values) -> Result<(), StoreError> {
    let mut statement = connection.prepare_cached(sql).or_store_error()?;
    let params = std::iter::once(rusqlite::types::Value::from(no)).chain(values);
    statement.execute(params_from_iter(params)).or_store_error()?;
    Ok(())
}
