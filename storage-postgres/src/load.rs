//! Loading what a batch or a read needs and is not there yet: one statement for each kind of row, for all books at once.
//! What hangs on a row comes with it by outer joins.

use std::borrow::Borrow;
use std::collections::{BTreeMap, HashMap, HashSet};

use leadledger::{
    Book, Books, Currency, DueLoaded, Head, Key, Keyed, Lead, LeadId, MerchantId, Method, Needs, StoreError, Timestamp,
};
use tokio_postgres::Row;
use uuid::Uuid;

use crate::rows::{self, Table, statement};
use crate::wire::{Column, Columns, Kind, Param, Statement, Value, number};

/// Books on their way into memory.
#[derive(Debug)]
pub(crate) struct Loading<'n> {
    needs: &'n BTreeMap<MerchantId, Needs>,
    /// What is due at this moment is loaded too, at most so many leads of each book.
    due: Option<(Timestamp, usize)>,
    books: Books,
    /// Those of them that were kept, and may be out of date until their heads are known.
    kept: HashSet<MerchantId>,
    /// Each book's last position in the journal of all books.
    positions: HashMap<MerchantId, i64>,
    /// Those that were kept and are out of date: they are asked for anew.
    stale: HashSet<MerchantId>,
    /// Whether rows came of a book that had no head when it was asked for: another ledger began it meanwhile.
    moved: bool,
    /// Whose leads that are due were asked for, and how many came.
    due_found: BTreeMap<MerchantId, Vec<LeadId>>,
}

/// What was asked for, in the order of the statements.
#[derive(Clone, Copy, Debug)]
enum Asked {
    Campaigns,
    Deposits,
    Platform,
    Leads,
    Due,
    AllLeads,
    Missed,
    Terms,
    AllAgreements,
    AllEarnings,
    TopUps,
    AllTopUps,
    Payouts,
    AllPayouts,
    References,
    Keys,
    Private,
    Days,
    MissedDays,
}

/// Statements, and what each of them asks for.
#[derive(Debug, Default)]
pub(crate) struct Questions {
    asked: Vec<Asked>,
    pub(crate) statements: Vec<Statement<'static>>,
}

impl Questions {
    fn ask(&mut self, asked: Asked, statement: Option<Statement<'static>>) {
        if let Some(statement) = statement {
            self.asked.push(asked);
            self.statements.push(statement);
        }
    }

    /// The rows of whole books, or of their small sets.
    fn ask_all(&mut self, asked: Asked, sql: &'static str, merchants: &[Uuid]) {
        if !merchants.is_empty() {
            let params = vec![Param::Column(Column::ids(merchants.iter().copied()))];
            self.ask(asked, Some(Statement { sql: sql.into(), params }));
        }
    }
}

/// The heads of books.
pub(crate) fn look<'a>(merchants: impl IntoIterator<Item = MerchantId>) -> Statement<'a> {
    let sql = sql!("SELECT {} FROM books WHERE merchant_id = ANY ($1)", rows::BOOK);
    Statement { sql: sql.into(), params: vec![ids(merchants)] }
}

/// Merchants as a parameter.
pub(crate) fn ids<'a>(merchants: impl IntoIterator<Item = MerchantId>) -> Param<'a> {
    Param::Column(Column::ids(merchants.into_iter().map(|merchant| merchant.0)))
}

/// A lead, its partner's accounts and its deposit.
fn lead_columns() -> String {
    format!("{}, {}, {}", rows::LEADS.names("l."), rows::EARNINGS, rows::DEPOSITS.names("d."))
}

const LEAD_JOINS: &str = "LEFT JOIN partners p \
    ON p.merchant_id = l.merchant_id AND p.partner_id = l.partner_id AND p.currency = l.currency \
    LEFT JOIN deposits d ON d.merchant_id = l.merchant_id AND d.deposit_id = l.deposit_id";

/// Two ids, the first the merchant's.
const PAIR: [Kind; 2] = [Kind::Id, Kind::Id];

impl<'n> Loading<'n> {
    /// `kept` are books that may still be as they are in the store.
    pub(crate) fn new(
        needs: &'n BTreeMap<MerchantId, Needs>,
        due: Option<(Timestamp, usize)>,
        mut kept: impl FnMut(MerchantId) -> Option<Box<Book>>,
    ) -> Self {
        let books = needs.iter().filter(|(_, needs)| !needs.everything);
        let books: Books = books.filter_map(|(merchant, _)| Some((*merchant, Ok(kept(*merchant)?)))).collect();
        let kept = books.keys().copied().collect();
        Self {
            needs,
            due,
            books,
            kept,
            positions: HashMap::new(),
            stale: HashSet::new(),
            moved: false,
            due_found: BTreeMap::new(),
        }
    }

    fn kept(&self, merchant: MerchantId) -> Option<&Book> {
        self.kept.get(&merchant)?;
        self.books.get(&merchant)?.as_ref().ok().map(|book| &**book)
    }

    /// What is to be asked for the books of `merchants`: all that is needed, less what is kept.
    pub(crate) fn questions(&mut self, merchants: &[MerchantId]) -> Questions {
        let (mut cold, mut due, mut whole) = (Vec::new(), Vec::new(), Vec::new());
        let (mut leads, mut missed, mut deposits) = (Vec::new(), Vec::new(), Vec::new());
        let (mut terms, mut private, mut private_of) = (Vec::new(), Vec::new(), Vec::new());
        let (mut missed_pages, mut reversals) = (Vec::new(), Vec::new());
        let mut figures = Questions::default();
        let (mut top_ups, mut payouts, mut references, mut keys) = (Vec::new(), Vec::new(), Vec::new(), Vec::new());
        let pair = |merchant: Uuid, id: Uuid| [Value::from(merchant), Value::from(id)];
        let text = |text: &str| Value::Text(Some(text.to_owned().into()));
        for (merchant, needs) in merchants.iter().filter_map(|merchant| self.needs.get_key_value(merchant)) {
            let who = merchant.0;
            if needs.everything {
                whole.push(who);
                continue;
            }
            let kept = self.kept(*merchant);
            if kept.is_none() {
                cold.push(who);
            }
            if let Some((now, _)) = self.due
                && kept.is_none_or(|book| book.is_due(now))
            {
                due.push(*merchant);
            }
            let unknown = |id: &&LeadId| !kept.is_some_and(|book| book.leads.knows(id));
            leads.extend(needs.leads.iter().filter(unknown).map(|id| pair(who, id.0)));
            missed.extend(needs.missed.iter().map(|id| pair(who, id.0)));
            let unknown = |id: &&leadledger::DepositId| !kept.is_some_and(|book| book.deposits.knows(id));
            deposits.extend(needs.deposits.iter().filter(unknown).map(|id| pair(who, id.0)));
            for key in &needs.agreements {
                let known = |book: &Book| {
                    let campaign = key.1.as_ref().and_then(|campaign| book.campaigns.get(campaign));
                    let currency = campaign.map_or(Currency::MAD, |campaign| campaign.settings.policy.currency);
                    book.agreements.knows(key) && (key.1.is_none() || book.partners.knows(&(key.0, currency)))
                };
                if !kept.is_some_and(known) {
                    let (every, campaign) = rows::campaign_or_every(key.1);
                    terms.push([who.into(), key.0.0.into(), every.into(), campaign.into(), Value::Text(None)]);
                }
            }
            for key in &needs.partners {
                if !kept.is_some_and(|book| book.partners.knows(key)) {
                    terms.push([who.into(), key.0.0.into(), false.into(), Value::Id(None), text(key.1.code())]);
                }
            }
            top_ups.extend(needs.top_ups.iter().map(|id| pair(who, id.0)));
            payouts.extend(needs.payouts.iter().map(|id| pair(who, id.0)));
            references.extend(needs.references.iter().map(|reference| [who.into(), text(reference.as_str())]));
            keys.extend(needs.keys.iter().map(|key| [who.into(), text(key.as_str())]));
            private.extend(needs.private.iter().map(|id| pair(who, id.0)));
            reversals.extend(needs.reversals.iter().map(|id| pair(who, id.0)));
            figures.figures(who, needs);
            private_of.extend(needs.private_of.iter().map(|seq| [who.into(), number(*seq).into()]));
            missed_pages.extend(needs.missed_page.map(|(after, limit)| missed_page(who, after, limit)));
        }
        let mut questions = Questions::default();
        questions.small(&cold);
        questions.small(&whole);
        questions.whole(&whole);
        if let Some((now, limit)) = self.due.filter(|_| !due.is_empty()) {
            let ids = Column::ids(due.iter().map(|merchant| merchant.0));
            let most = i64::try_from(limit.max(1)).unwrap_or(i64::MAX).saturating_add(1);
            let params = vec![Param::Column(ids), Param::Time(now), Param::Int(most)];
            questions.ask(Asked::Due, Some(Statement { sql: due_sql().into(), params }));
            self.due_found.extend(due.into_iter().map(|merchant| (merchant, Vec::new())));
        }
        let by_lead = sql!(
            "SELECT {}, {}, {} FROM load_leads($1, $2)",
            rows::LEADS.names("(l)."),
            rows::EARNINGS.replace("p.", "(p)."),
            rows::DEPOSITS.names("(d).")
        );
        questions.ask(Asked::Leads, statement(by_lead, PAIR, leads));
        questions.ask(Asked::Missed, statement(sql!("{}", by_pair(&rows::MISSED)), PAIR, missed));
        questions.ask(Asked::Deposits, statement(sql!("{}", by_pair(&rows::DEPOSITS)), PAIR, deposits));
        let sql = sql!(
            "SELECT merchant_id, partner_id, every_campaign, campaign_id, share, delay_days, currency, {} \
             FROM load_terms($1, $2, $3, $4, $5)",
            rows::EARNINGS.replace("p.", "(accounts).")
        );
        questions.ask(Asked::Terms, statement(sql, [Kind::Id, Kind::Id, Kind::Flag, Kind::Id, Kind::Text], terms));
        let sql = sql!(
            "SELECT {}, j.payload, j.hash, {} FROM unnest($1, $2) n (merchant_id, top_up_id) \
             JOIN top_ups t USING (merchant_id, top_up_id) \
             LEFT JOIN journal j ON j.merchant_id = t.merchant_id AND j.seq = t.succeeded_seq \
             LEFT JOIN deposits d ON d.merchant_id = t.merchant_id AND d.deposit_id = t.deposit_id",
            rows::TOP_UPS.names("t."),
            rows::DEPOSITS.names("d.")
        );
        questions.ask(Asked::TopUps, statement(sql, PAIR, top_ups));
        let sql = sql!(
            "SELECT {}, {} FROM unnest($1, $2) n (merchant_id, payout_id) JOIN payouts t USING (merchant_id, payout_id) \
             LEFT JOIN partners p ON p.merchant_id = t.merchant_id AND p.partner_id = t.partner_id \
                 AND p.currency = t.currency",
            rows::PAYOUTS.names("t."),
            rows::EARNINGS
        );
        questions.ask(Asked::Payouts, statement(sql, PAIR, payouts));
        let sql = sql!(
            "SELECT {} FROM unnest($1, $2) n (merchant_id, reference) \
             JOIN payment_references t USING (merchant_id, reference)",
            rows::REFERENCES.names("t.")
        );
        questions.ask(Asked::References, statement(sql, [Kind::Id, Kind::Text], references));
        let sql = sql!(
            "SELECT j.merchant_id, j.key, j.payload, j.hash, v.seq, v.lead_id, v.salt, v.text \
             FROM unnest($1, $2) n (merchant_id, key) \
             JOIN journal j ON j.merchant_id = n.merchant_id AND j.key = n.key AND j.key IS NOT NULL \
             LEFT JOIN private v ON v.merchant_id = j.merchant_id AND v.seq = j.seq"
        );
        questions.ask(Asked::Keys, statement(sql, [Kind::Id, Kind::Text], keys));
        let sql = sql!(
            "SELECT {0} FROM unnest($1, $2) n (merchant_id, lead_id) \
             JOIN private t ON t.merchant_id = n.merchant_id AND t.lead_id = n.lead_id AND t.lead_id IS NOT NULL \
             UNION ALL SELECT {0} FROM unnest($1, $2) n (merchant_id, lead_id) \
             JOIN opening_private t ON t.merchant_id = n.merchant_id AND t.lead_id = n.lead_id \
             ORDER BY merchant_id, seq",
            rows::PRIVATE.names("t.")
        );
        questions.ask(Asked::Private, statement(sql, PAIR, private));
        // The day on which a lead was decided is the first that ended after; its deposit's is the same.
        let sql = sql!(
            "SELECT {} FROM unnest($1, $2) n (merchant_id, lead_id) JOIN leads l USING (merchant_id, lead_id) \
             CROSS JOIN LATERAL (SELECT day FROM days w WHERE w.merchant_id = l.merchant_id AND w.currency = l.currency \
                 AND w.whole AND w.deposit_id = '{}' AND w.until >= l.decided_at ORDER BY day LIMIT 1) w \
             JOIN days t ON t.merchant_id = l.merchant_id AND t.currency = l.currency AND t.day = w.day \
                 AND (t.whole OR t.deposit_id = l.deposit_id)",
            rows::DAYS.names("t."),
            Uuid::nil()
        );
        questions.ask(Asked::Days, statement(sql, PAIR, reversals));
        questions.asked.append(&mut figures.asked);
        questions.statements.append(&mut figures.statements);
        let sql = sql!(
            "{} UNION ALL {} ORDER BY merchant_id, seq",
            by_entry(&rows::PRIVATE),
            by_entry(&rows::OPENING_PRIVATE)
        );
        questions.ask(Asked::Private, statement(sql, [Kind::Id, Kind::Int], private_of));
        for page in missed_pages {
            questions.ask(Asked::Missed, Some(page));
        }
        questions
    }

    /// Takes the heads as they are, and notes whose books are not as they were kept.
    pub(crate) fn take_heads(&mut self, found: &[Row]) -> Result<(), StoreError> {
        let mut heads: HashMap<MerchantId, Result<Head, StoreError>> = HashMap::with_capacity(found.len());
        for row in found {
            let mut columns = Columns::of(row);
            let merchant = rows::merchant(&mut columns)?;
            let head = rows::head(&mut columns).map(|(head, position)| {
                self.positions.insert(merchant, position);
                head
            });
            heads.insert(merchant, head);
        }
        for merchant in self.needs.keys() {
            let head = heads.remove(merchant);
            let fresh = match (self.books.get_mut(merchant), head) {
                (Some(Ok(kept)), Some(Ok(head))) if (kept.head.seq, kept.head.hash) == (head.seq, head.hash) => {
                    kept.head = head;
                    continue;
                }
                (kept, head) => {
                    if kept.is_some() {
                        self.kept.remove(merchant);
                        self.stale.insert(*merchant);
                    }
                    head
                }
            };
            let book = match fresh {
                Some(Ok(head)) if self.needs.get(merchant).is_some_and(|needs| needs.everything) => {
                    Ok(Book { head, ..Book::complete(*merchant) })
                }
                Some(Ok(head)) => Ok(Book::partial(*merchant, head)),
                Some(Err(fault)) => Err(fault),
                // Nothing is known of it, so everything is: it is empty.
                None => Ok(Book { due_loaded: DueLoaded::Some, ..Book::complete(*merchant) }),
            };
            self.books.insert(*merchant, book.map(Box::new));
        }
        Ok(())
    }

    /// Whose books are to be asked for anew. Until then, what was asked of them is left aside: all of it comes again.
    pub(crate) fn take_stale(&mut self) -> Vec<MerchantId> {
        self.stale.drain().collect()
    }

    /// Takes the answers to questions. A row that cannot be understood is its book's trouble.
    pub(crate) fn take_answers(&mut self, questions: &Questions, answers: &[Vec<Row>]) -> Result<(), StoreError> {
        for (asked, answer) in questions.asked.iter().zip(answers) {
            for row in answer {
                let mut columns = Columns::of(row);
                let merchant = rows::merchant(&mut columns)?;
                if self.stale.contains(&merchant) {
                    continue;
                }
                let Some(Ok(book)) = self.books.get_mut(&merchant) else { continue };
                let due = self.due_found.entry(merchant).or_default();
                match take(*asked, &mut columns, book, due) {
                    Ok(is_there) => self.moved |= is_there && !self.positions.contains_key(&merchant),
                    Err(fault) => _ = self.books.insert(merchant, Err(fault)),
                }
            }
        }
        Ok(())
    }

    /// Whether a book is of two moments, and all has to be asked anew. A book without a row cannot be locked.
    pub(crate) fn moved(&self) -> bool {
        self.moved
    }

    /// What was asked for and did not come does not exist.
    pub(crate) fn finish(&mut self) {
        for (merchant, needs) in self.needs {
            let Some(Ok(book)) = self.books.get_mut(merchant) else { continue };
            if needs.everything {
                continue;
            }
            if let Some((now, limit)) = self.due
                && book.is_due(now)
            {
                let found = self.due_found.get(merchant).map_or(&[][..], Vec::as_slice);
                let last = found.get(..limit.max(1)).filter(|loaded| loaded.len() < found.len());
                let last = last.and_then(|loaded| book.leads.get(loaded.last()?)?.due());
                book.due_loaded = last.map_or(DueLoaded::All, DueLoaded::UpTo);
            }
            absent(&mut book.leads, &needs.leads);
            absent(&mut book.missed, &needs.missed);
            absent(&mut book.deposits, &needs.deposits);
            absent(&mut book.agreements, &needs.agreements);
            absent(&mut book.partners, &needs.partners);
            absent(&mut book.top_ups, &needs.top_ups);
            absent(&mut book.payouts, &needs.payouts);
            absent(&mut book.keys, &needs.keys);
            for reference in &needs.references {
                absent(&mut book.references, Method::ALL.iter().map(|method| (*method, reference.clone())));
            }
        }
    }

    /// The books, and their positions.
    pub(crate) fn into_books(self) -> (Books, HashMap<MerchantId, i64>) {
        (self.books, self.positions)
    }
}

impl Questions {
    /// Campaigns, deposits that are not closed, platform accounts: always loaded.
    fn small(&mut self, merchants: &[Uuid]) {
        let campaigns = sql!("SELECT {} FROM load_campaigns($1)", rows::CAMPAIGNS.names(""));
        self.ask_all(Asked::Campaigns, campaigns, merchants);
        let deposits = sql!("SELECT {} FROM load_open_deposits($1)", rows::DEPOSITS.names(""));
        self.ask_all(Asked::Deposits, deposits, merchants);
        let platform = sql!("SELECT {} FROM load_platform($1)", rows::PLATFORM.names(""));
        self.ask_all(Asked::Platform, platform, merchants);
    }

    /// What figures are made of, beside the small sets.
    fn figures(&mut self, merchant: Uuid, needs: &Needs) {
        if let Some((from, to)) = needs.days {
            let sql = sql!(
                "SELECT {} FROM (SELECT merchant_id, currency, true AS whole, uuid '{}' AS deposit_id FROM platform \
                     WHERE merchant_id = $1 UNION ALL SELECT merchant_id, currency, false, deposit_id FROM deposits \
                     WHERE merchant_id = $1 AND status <> 3) s \
                 CROSS JOIN LATERAL ((SELECT * FROM days d WHERE d.merchant_id = s.merchant_id \
                     AND d.currency = s.currency AND d.whole = s.whole AND d.deposit_id = s.deposit_id \
                     AND d.day BETWEEN $2 AND $3) UNION ALL (SELECT * FROM days d WHERE d.merchant_id = s.merchant_id \
                     AND d.currency = s.currency AND d.whole = s.whole AND d.deposit_id = s.deposit_id \
                     AND d.day < $2 ORDER BY d.day DESC LIMIT 1)) t",
                rows::DAYS.names("t."),
                Uuid::nil()
            );
            let day = |day| Param::Int(rows::number_of_day(day).into());
            let params = vec![Param::Id(merchant), day(from), day(to)];
            self.ask(Asked::Days, Some(Statement { sql: sql.into(), params }));
        }
        if needs.all_partners {
            self.ask_all(Asked::AllEarnings, sql!("{}", all_of(&rows::PARTNERS)), &[merchant]);
        }
        if needs.missed_days {
            let sql = "SELECT merchant_id, currency, day, count(*), sum(commission_minor)::text FROM missed \
                       WHERE merchant_id = ANY ($1) GROUP BY merchant_id, currency, day";
            self.ask_all(Asked::MissedDays, sql, &[merchant]);
        }
    }

    /// All the rest of a book, but for its journal.
    fn whole(&mut self, merchants: &[Uuid]) {
        self.ask_all(Asked::Deposits, sql!("{}", all_of(&rows::DEPOSITS)), merchants);
        self.ask_all(Asked::AllEarnings, sql!("{}", all_of(&rows::PARTNERS)), merchants);
        self.ask_all(Asked::AllAgreements, sql!("{}", all_of(&rows::AGREEMENTS)), merchants);
        self.ask_all(Asked::AllTopUps, sql!("{}", all_of(&rows::TOP_UPS)), merchants);
        self.ask_all(Asked::AllPayouts, sql!("{}", all_of(&rows::PAYOUTS)), merchants);
        self.ask_all(Asked::References, sql!("{}", all_of(&rows::REFERENCES)), merchants);
        self.ask_all(Asked::Missed, sql!("{}", all_of(&rows::MISSED)), merchants);
        self.ask_all(Asked::Days, sql!("{}", all_of(&rows::DAYS)), merchants);
        self.ask_all(Asked::AllLeads, sql!("{}", all_of(&rows::LEADS)), merchants);
        self.ask_all(Asked::Private, sql!("{}", all_of(&rows::OPENING_PRIVATE)), merchants);
        let sql = sql!("{} ORDER BY merchant_id, seq", all_of(&rows::PRIVATE));
        self.ask_all(Asked::Private, sql, merchants);
    }
}

/// The rows of a table by merchants.
fn all_of(table: &Table) -> String {
    format!("SELECT {} FROM {} WHERE merchant_id = ANY ($1)", table.names(""), table.name)
}

/// The rows of a table by merchant and id.
fn by_pair(table: &Table) -> String {
    let id = table.columns[1].0;
    format!(
        "SELECT {} FROM unnest($1, $2) n (merchant_id, {id}) JOIN {} t USING (merchant_id, {id})",
        table.names("t."),
        table.name
    )
}

/// A page of one merchant's missed leads.
fn missed_page(merchant: Uuid, after: Option<LeadId>, limit: usize) -> Statement<'static> {
    let first = sql!("{} ORDER BY lead_id LIMIT $2", all_of(&rows::MISSED));
    let next = sql!("{} AND lead_id > ($3)[1] ORDER BY lead_id LIMIT $2", all_of(&rows::MISSED));
    let mut params = vec![Param::Column(Column::ids([merchant])), Param::Int(count(limit))];
    params.extend(after.map(|after| Param::Column(Column::ids([after.0]))));
    Statement { sql: if after.is_some() { next } else { first }.into(), params }
}

/// The rows of a table of private texts by merchant and entry.
fn by_entry(table: &Table) -> String {
    format!(
        "SELECT {} FROM unnest($1, $2) n (merchant_id, seq) JOIN {} t USING (merchant_id, seq)",
        table.names("t."),
        table.name
    )
}

fn due_sql() -> &'static str {
    sql!(
        "SELECT {} FROM books b CROSS JOIN LATERAL (SELECT * FROM leads WHERE merchant_id = b.merchant_id \
             AND due_at >= b.next_due ORDER BY due_at, part, created_seq LIMIT $3) l {LEAD_JOINS} \
         WHERE b.merchant_id = ANY ($1) AND b.next_due <= $2 \
         ORDER BY l.merchant_id, l.due_at, l.part, l.created_seq",
        lead_columns()
    )
}

/// Takes one row of a book, its merchant already read. Says whether it is there: terms are answered with nulls where there
/// are none.
fn take(asked: Asked, columns: &mut Columns<'_>, book: &mut Book, due: &mut Vec<LeadId>) -> Result<bool, StoreError> {
    match asked {
        Asked::Campaigns => {
            let (id, row) = rows::campaign(columns)?;
            book.campaigns.load(id, Some(row));
        }
        Asked::Deposits => {
            let (id, row) = rows::deposit(columns)?;
            book.deposits.load(id, Some(row));
        }
        Asked::Platform => {
            let (currency, row) = rows::platform(columns)?;
            book.platform.load(currency, Some(row));
        }
        Asked::Leads => _ = take_lead(columns, book)?,
        Asked::Due => due.push(take_lead(columns, book)?),
        Asked::AllLeads => {
            let (id, lead) = rows::lead(columns)?;
            book.load_lead(id, Some(lead));
        }
        Asked::Missed => {
            let (id, row) = rows::missed(columns)?;
            book.missed.load(id, Some(row));
        }
        Asked::Terms => {
            let (key, agreement) = rows::terms(columns)?;
            let (currency, earnings) = (columns.currency()?, rows::earnings(columns)?);
            let is_there = agreement.is_some() || earnings.is_some();
            if let Some(campaign) = key.1 {
                book.agreements.load((key.0, campaign), agreement);
            }
            // Terms for every campaign are in no currency.
            if key.1 != Some(None) {
                book.partners.load((key.0, currency), earnings);
            }
            return Ok(is_there);
        }
        Asked::AllAgreements => {
            let (key, row) = rows::agreement(columns)?;
            book.agreements.load(key, Some(row));
        }
        Asked::AllEarnings => {
            let (key, row) = rows::partner(columns)?;
            book.partners.load(key, row);
        }
        Asked::TopUps => {
            let (id, row) = rows::top_up(columns)?;
            let success = rows::optional_entry(columns, book.merchant)?;
            if let Some(seq) = row.succeeded_seq {
                book.successes.load(seq, success.map(|recorded| recorded.entry));
            }
            columns.skip(1);
            if let Some(deposit) = row.deposit {
                let found = rows::optional_deposit(columns)?;
                book.deposits.load(deposit, found.map(|(_, row)| row));
            }
            book.top_ups.load(id, Some(row));
        }
        Asked::AllTopUps => {
            let (id, row) = rows::top_up(columns)?;
            book.top_ups.load(id, Some(row));
        }
        Asked::Payouts => {
            let (id, row) = rows::payout(columns)?;
            book.partners.load((row.partner, row.currency), rows::earnings(columns)?);
            book.payouts.load(id, Some(row));
        }
        Asked::AllPayouts => {
            let (id, row) = rows::payout(columns)?;
            book.payouts.load(id, Some(row));
        }
        Asked::References => {
            let (key, row) = rows::reference(columns)?;
            book.references.load(key, Some(row));
        }
        Asked::Keys => {
            let key = Key::new(columns.text()?).map_err(crate::error::corrupt)?;
            let recorded = rows::optional_entry(columns, book.merchant)?;
            let private = rows::optional_private(columns)?;
            let keyed = recorded.map(|recorded| Keyed { entry: recorded.entry, private });
            book.keys.load(key, keyed);
        }
        Asked::Private => book.private.extend(rows::optional_private(columns)?),
        Asked::Days => {
            let (key, row) = rows::day(columns)?;
            book.days.load(key, Some(row));
        }
        Asked::MissedDays => {
            let (key, row) = rows::missed_day(columns)?;
            book.missed_days.insert(key, row);
        }
    }
    Ok(true)
}

/// A lead, with its partner's accounts and its deposit.
fn take_lead(columns: &mut Columns<'_>, book: &mut Book) -> Result<LeadId, StoreError> {
    let (id, lead): (LeadId, Lead) = rows::lead(columns)?;
    book.partners.load((lead.partner, lead.currency), rows::earnings(columns)?);
    columns.skip(1);
    let found = rows::optional_deposit(columns)?;
    book.deposits.load(lead.deposit, found.map(|(_, row)| row));
    book.load_lead(id, Some(lead));
    Ok(id)
}

/// Notes that rows which are not known by now do not exist.
fn absent<K, V, I>(rows: &mut leadledger::Rows<K, V>, keys: I)
where
    K: Clone + Eq + std::hash::Hash + std::fmt::Debug,
    I: IntoIterator,
    I::Item: Borrow<K>,
{
    for key in keys {
        if !rows.knows(key.borrow()) {
            rows.load(key.borrow().clone(), None);
        }
    }
}

/// A count as a parameter: a number that no row can have for one that does not fit.
pub(crate) fn count(count: usize) -> i64 {
    number(u64::try_from(count).unwrap_or(u64::MAX))
}
