//! Writing what changed: every new entry, private text and row, within the caller's transaction.

use leadledger::{
    Book, Currency, Deposit, DepositId, Lead, LeadId, PartnerAccounts, PartnerId, PlatformAccounts, StoreError,
    Timestamp,
};
use rusqlite::{CachedStatement, Connection, params, params_from_iter};

use crate::error::{OrStoreError, corrupt};
use crate::load::{MARK_EVERY, Place};
use crate::rows::{self, LeadParts, Values, id_bytes, number};

/// The statements that most batches run many times, prepared once for a batch.
pub(crate) struct Commit<'c> {
    connection: &'c Connection,
    journal: CachedStatement<'c>,
    head: CachedStatement<'c>,
    lead_insert: CachedStatement<'c>,
    lead_update: CachedStatement<'c>,
    deposit: CachedStatement<'c>,
    platform: CachedStatement<'c>,
    partner: CachedStatement<'c>,
}

impl<'c> Commit<'c> {
    pub(crate) fn begin(connection: &'c Connection) -> Result<Self, StoreError> {
        let prepare = |sql: &str| connection.prepare_cached(sql).or_store_error();
        Ok(Self {
            connection,
            journal: prepare("INSERT INTO journal (book, previous, payload, hash) VALUES (?, ?, ?, ?)")?,
            head: prepare(
                "UPDATE books SET seq = ?, hash = ?, last_at = ?, day = ?, next_due = ?, receipt_year = ?, receipt_number = ?, \
                 last_row = ?, last_lead = ? WHERE no = ?",
            )?,
            lead_insert: prepare(rows::LEAD_INSERT)?,
            lead_update: prepare(
                "UPDATE leads SET status = ?, decided_at = ?, score = ?, part = ?, due_at = ? WHERE row = ?",
            )?,
            // What moves; the rest of a deposit is fixed at its opening.
            deposit: prepare(
                "UPDATE deposits SET balance = ?, reserved = ?, status = ?, level = ?, initial = ?, topped_up = ?, \
                 basis = ?, reference = ?, auto_threshold = ?, auto_amount = ?, auto_requested = ?, today = ? \
                 WHERE no = ?",
            )?,
            platform: prepare(
                "UPDATE platform SET commission = ?, receivable = ?, losses = ?, adjustments = ?, opening = ?, stripe = ?, cmi = ?, \
                 bank_transfer = ?, crypto = ?, manual = ?, counts = ? WHERE no = ?",
            )?,
            partner: prepare(
                "UPDATE partners SET held = ?, payable = ?, in_payout = ?, paid = ?, leads = ? WHERE no = ?",
            )?,
        })
    }

    /// Writes one book.
    pub(crate) fn write(&mut self, book: &Book, place: &mut Place) -> Result<(), StoreError> {
        let no = match place.no {
            Some(no) => no,
            None => self.insert_book(book, place)?,
        };
        self.write_campaigns(book, place, no)?;
        for (id, deposit) in book.deposits.changes() {
            if let Some(deposit) = deposit {
                self.write_deposit(*id, deposit, place, no)?;
            }
        }
        for (currency, accounts) in book.platform.changes() {
            if let Some(accounts) = accounts {
                self.write_platform(*currency, accounts, place, no)?;
            }
        }
        for (key, accounts) in book.partners.changes() {
            if let Some(accounts) = accounts {
                self.write_partner(*key, accounts, place, no)?;
            }
        }
        self.write_rare(book, no)?;
        self.write_journal(book, place, no)?;
        self.write_leads(book, place, no)?;
        self.write_head(book, place, no)
    }

    fn insert_book(&self, book: &Book, place: &mut Place) -> Result<i64, StoreError> {
        let sql = "INSERT INTO books (merchant, seq, hash, last_at) VALUES (?, 0, ?, 0)";
        let mut statement = self.connection.prepare_cached(sql).or_store_error()?;
        let no = statement.insert(params![id_bytes(book.merchant.0), book.head.hash]).or_store_error()?;
        place.no = Some(no);
        Ok(no)
    }

    fn write_head(&mut self, book: &Book, place: &Place, no: i64) -> Result<(), StoreError> {
        let head = &book.head;
        let changed = self.head.execute(params![
            number(head.seq),
            head.hash,
            head.last_at.micros(),
            head.day.map(rows::number_of_day),
            head.next_due.map(Timestamp::micros),
            head.receipt.map(|receipt| receipt.year),
            head.receipt.map(|receipt| receipt.number),
            place.last_row,
            place.last_lead,
            no,
        ]);
        exactly_one(changed, "book", no)
    }

    fn write_journal(&mut self, book: &Book, place: &mut Place, no: i64) -> Result<(), StoreError> {
        let mut private = book.new_private.iter().peekable();
        for recorded in &book.new_entries {
            let values = params![no, place.last_row, recorded.payload, recorded.hash];
            let row = self.journal.insert(values).or_store_error()?;
            place.last_row = Some(row);
            let seq = recorded.entry.seq;
            if seq.is_multiple_of(MARK_EVERY) {
                let sql = "INSERT INTO journal_marks (book, mark, row) VALUES (?, ?, ?)";
                self.run(sql, params![no, number(seq / MARK_EVERY), row])?;
            }
            if let Some(key) = &recorded.entry.key {
                self.run("INSERT INTO keys (key, book, row) VALUES (?, ?, ?)", params![key.as_str(), no, row])?;
            }
            if let Some(private) = private.next_if(|private| private.seq == seq) {
                let sql = "INSERT INTO private (row, book, seq, lead, salt, text) VALUES (?, ?, ?, ?, ?, ?)";
                let lead = private.lead.map(|lead| id_bytes(lead.0));
                self.run(sql, params![row, no, number(seq), lead, private.salt, private.text])?;
            }
        }
        for private in &book.new_opening_private {
            let sql = "INSERT INTO opening_private (lead, book, seq, salt, text) VALUES (?, ?, ?, ?, ?)";
            let lead = private.lead.map(|lead| id_bytes(lead.0));
            self.run(sql, params![lead, no, number(private.seq), private.salt, private.text])?;
        }
        for (lead, seq) in &book.erased {
            let erase = |sql| self.run(sql, params![id_bytes(lead.0), no, number(*seq)]);
            erase("DELETE FROM private WHERE lead = ? AND book = ? AND seq < ?")?;
            erase("DELETE FROM opening_private WHERE lead = ? AND book = ? AND seq < ?")?;
        }
        Ok(())
    }

    /// New leads are appended in the order of their creation, each with a pointer to the one before.
    fn write_leads(&mut self, book: &Book, place: &mut Place, no: i64) -> Result<(), StoreError> {
        let mut created: Vec<(LeadId, &Lead)> = Vec::new();
        for (id, lead) in book.leads.changes() {
            let Some(lead) = lead else { continue };
            match place.lead_rows.get(id) {
                None => created.push((*id, lead)),
                Some(row) => {
                    let parts = LeadParts::of(lead);
                    let values = params![parts.status, parts.decided_at, lead.score, parts.part, parts.due_at, row];
                    exactly_one(self.lead_update.execute(values), "lead", *row)?;
                }
            }
        }
        created.sort_unstable_by_key(|(_, lead)| lead.created_seq);
        for (id, lead) in created {
            let parts = LeadParts::of(lead);
            let terms = lead.terms;
            let unknown = || corrupt(format!("lead {id} is of a campaign or deposit without a row"));
            let values = params![
                no,
                place.last_lead,
                place.campaigns.get(&lead.campaign).ok_or_else(unknown)?,
                place.deposits.get(&lead.deposit).ok_or_else(unknown)?,
                id_bytes(id.0),
                id_bytes(lead.partner.0),
                parts.source,
                lead.value_minor,
                lead.commission_minor,
                lead.partner_minor,
                terms.policy_version,
                terms.rate.map(leadledger::Percent::parts_per_million),
                terms.share.parts_per_million(),
                terms.payout_delay_days,
                terms.minimum_quality,
                parts.on_timeout,
                lead.created_at.micros(),
                terms.window_hours,
                lead.created_seq,
                parts.status,
                parts.decided_at,
                lead.score,
                parts.part,
                parts.due_at,
            ];
            let row = self.lead_insert.insert(values).or_store_error()?;
            place.last_lead = Some(row);
            place.lead_rows.insert(id, row);
        }
        Ok(())
    }

    fn write_campaigns(&self, book: &Book, place: &mut Place, no: i64) -> Result<(), StoreError> {
        for (id, row) in book.campaigns.changes() {
            if let Some(row) = row {
                self.save(
                    sql!("{}", upsert("campaigns", rows::CAMPAIGN, "book, id")),
                    no,
                    rows::campaign_values(*id, row),
                )?;
                if !place.campaigns.contains_key(id) {
                    let number =
                        self.number("SELECT no FROM campaigns WHERE book = ? AND id = ?", params![no, id_bytes(id.0)])?;
                    place.campaigns.insert(*id, number);
                }
            }
        }
        Ok(())
    }

    fn write_deposit(&mut self, id: DepositId, row: &Deposit, place: &mut Place, no: i64) -> Result<(), StoreError> {
        let Some(number) = place.deposits.get(&id) else {
            self.save(sql!("{}", upsert("deposits", rows::DEPOSIT, "book, id")), no, rows::deposit_values(id, row))?;
            let number =
                self.number("SELECT no FROM deposits WHERE book = ? AND id = ?", params![no, id_bytes(id.0)])?;
            place.deposits.insert(id, number);
            return Ok(());
        };
        let codes = rows::DepositCodes::of(row);
        let changed = self.deposit.execute(params![
            row.balance_minor,
            row.reserved_minor,
            codes.status,
            codes.level,
            row.initial_minor,
            row.topped_up_minor,
            codes.basis,
            codes.reference,
            codes.auto_threshold,
            codes.auto_amount,
            codes.auto_requested,
            row.today.to_text(),
            number,
        ]);
        exactly_one(changed, "deposit", *number)
    }

    fn write_platform(
        &mut self,
        currency: Currency,
        row: &PlatformAccounts,
        place: &mut Place,
        no: i64,
    ) -> Result<(), StoreError> {
        let number = match place.platform.get(&currency) {
            Some(number) => *number,
            None => {
                let sql = "INSERT INTO platform (book, currency, commission, receivable, losses, adjustments, opening, stripe, cmi, \
                           bank_transfer, crypto, manual, counts) VALUES (?, ?, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, '{}') \
                           ON CONFLICT DO UPDATE SET book = excluded.book RETURNING no";
                let number = self.number(sql, params![no, currency.code()])?;
                place.platform.insert(currency, number);
                number
            }
        };
        let [stripe, cmi, bank_transfer, crypto, manual] = row.payments_minor;
        let changed = self.platform.execute(params![
            row.commission_minor,
            row.receivable_minor,
            row.losses_minor,
            row.adjustments_minor,
            row.opening_minor,
            stripe,
            cmi,
            bank_transfer,
            crypto,
            manual,
            row.counts.to_text(),
            number,
        ]);
        exactly_one(changed, "platform", number)
    }

    fn write_partner(
        &mut self,
        key: (PartnerId, Currency),
        row: &PartnerAccounts,
        place: &mut Place,
        no: i64,
    ) -> Result<(), StoreError> {
        let number = match place.partners.get(&key) {
            Some(number) => *number,
            None => {
                let sql = "INSERT INTO partners (book, partner, currency, held, payable, in_payout, paid, leads) \
                           VALUES (?, ?, ?, 0, 0, 0, 0, '{}') \
                           ON CONFLICT DO UPDATE SET book = excluded.book RETURNING no";
                let number = self.number(sql, params![no, id_bytes(key.0.0), key.1.code()])?;
                place.partners.insert(key, number);
                number
            }
        };
        let leads = row.leads.to_text();
        let values = params![row.held_minor, row.payable_minor, row.in_payout_minor, row.paid_minor, leads, number];
        exactly_one(self.partner.execute(values), "partner", number)
    }

    /// What few batches change.
    fn write_rare(&self, book: &Book, no: i64) -> Result<(), StoreError> {
        for (key, row) in book.agreements.changes() {
            if let Some(row) = row {
                let sql = sql!("{}", upsert("agreements", rows::AGREEMENT, "book, partner, campaign"));
                self.save(sql, no, rows::agreement_values(*key, row))?;
            }
        }
        for (id, row) in book.top_ups.changes() {
            if let Some(row) = row {
                let sql = sql!("{}", upsert("top_ups", rows::TOP_UP, "book, id"));
                self.save(sql, no, rows::top_up_values(*id, row))?;
            }
        }
        for ((method, reference), top_up) in book.references.changes() {
            if let Some(top_up) = top_up {
                let sql = "INSERT INTO payment_references (book, method, reference, top_up) VALUES (?, ?, ?, ?) \
                           ON CONFLICT DO UPDATE SET top_up = excluded.top_up";
                self.run(sql, params![no, rows::method_code(*method), reference.as_str(), id_bytes(top_up.0)])?;
            }
        }
        for (id, row) in book.payouts.changes() {
            if let Some(row) = row {
                let sql = sql!("{}", upsert("payouts", rows::PAYOUT, "book, id"));
                self.save(sql, no, rows::payout_values(*id, row))?;
            }
        }
        for (key, row) in book.days.changes() {
            if let Some(row) = row {
                let sql = sql!("{}", upsert("days", rows::DAY, "book, currency, deposit, day"));
                self.save(sql, no, rows::day_values(*key, row))?;
            }
        }
        for (id, row) in book.missed.changes() {
            match row {
                Some(row) => {
                    let sql = sql!("{}", upsert("missed", rows::MISSED, "book, lead"));
                    self.save(sql, no, rows::missed_values(*id, row))?;
                }
                None => self.run("DELETE FROM missed WHERE book = ? AND lead = ?", params![no, id_bytes(id.0)])?,
            }
        }
        Ok(())
    }

    fn number(&self, sql: &str, params: impl rusqlite::Params) -> Result<i64, StoreError> {
        self.connection.prepare_cached(sql).or_store_error()?.query_row(params, |row| row.get(0)).or_store_error()
    }

    fn run(&self, sql: &str, params: impl rusqlite::Params) -> Result<(), StoreError> {
        self.connection.prepare_cached(sql).or_store_error()?.execute(params).or_store_error()?;
        Ok(())
    }

    fn save(&self, sql: &str, no: i64, values: Values) -> Result<(), StoreError> {
        self.run(sql, params_from_iter(std::iter::once(rusqlite::types::Value::from(no)).chain(values)))
    }
}

/// An update that meets no row, or several, has found a file that is not as it was written.
fn exactly_one(changed: rusqlite::Result<usize>, what: &str, no: i64) -> Result<(), StoreError> {
    if changed.or_store_error()? == 1 { Ok(()) } else { Err(corrupt(format!("{what} row {no} is missing"))) }
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
