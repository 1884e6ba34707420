//! Rows as the schema keeps them, and the core's types that they stand for. What is read back is checked again: a
//! code or id that does not exist is corruption, not a default.

use chrono::NaiveDate;
use leadledger::figures::{BookCounts, Counts, Day, DayKey, Tally};
use leadledger::{
    Agreement, AutoTopUp, Basis, Campaign, CampaignId, CampaignSettings, CampaignStatus, Currency, Deposit, DepositId,
    DepositStatus, Head, Lead, LeadId, LeadStatus, LeadTerms, Level, MerchantId, Method, Missed, MissedDay, OnTimeout,
    PartPlace, PartnerAccounts, PartnerId, Payout, PayoutStatus, Percent, PlatformAccounts, Policy, Private,
    ReceiptNumber, Reference, ReferenceKind, Source, StoreError, Timestamp, TopUp, TopUpId, TopUpStatus,
};
use rusqlite::types::FromSql;
use rusqlite::{Row, RowIndex};
use uuid::Uuid;

use crate::error::{OrStoreError, corrupt};

/// Reads the columns of a row one after another.
pub(crate) struct Columns<'r, 's> {
    row: &'r Row<'s>,
    next: usize,
}

impl<'r, 's> Columns<'r, 's> {
    pub(crate) fn of(row: &'r Row<'s>) -> Self {
        Self { row, next: 0 }
    }

    pub(crate) fn get<T: FromSql>(&mut self) -> Result<T, StoreError>
    where
        usize: RowIndex,
    {
        let value = self.row.get(self.next).or_store_error();
        self.next += 1;
        value
    }

    /// A count: never negative.
    fn count(&mut self) -> Result<u64, StoreError> {
        u64::try_from(self.get::<i64>()?).map_err(corrupt)
    }

    pub(crate) fn id<T: From<Uuid>>(&mut self) -> Result<T, StoreError> {
        self.get::<[u8; 16]>().map(|bytes| Uuid::from_bytes(bytes).into())
    }

    fn optional_id<T: From<Uuid>>(&mut self) -> Result<Option<T>, StoreError> {
        Ok(self.get::<Option<[u8; 16]>>()?.map(|bytes| Uuid::from_bytes(bytes).into()))
    }

    fn currency(&mut self) -> Result<Currency, StoreError> {
        self.get::<String>()?.parse().map_err(corrupt)
    }

    fn percent(&mut self) -> Result<Percent, StoreError> {
        Percent::from_parts_per_million(self.get()?).ok_or_else(|| corrupt("a percentage above 100"))
    }

    fn optional_percent(&mut self) -> Result<Option<Percent>, StoreError> {
        let parts = self.get::<Option<u32>>()?;
        parts
            .map(|parts| Percent::from_parts_per_million(parts).ok_or_else(|| corrupt("a percentage above 100")))
            .transpose()
    }

    pub(crate) fn time(&mut self) -> Result<Timestamp, StoreError> {
        self.get().map(Timestamp::from_micros)
    }

    /// A code: the place of a value among all values of its type.
    fn code<T: Copy>(&mut self, all: &[T]) -> Result<T, StoreError> {
        let code: usize = self.get::<u8>()?.into();
        all.get(code).copied().ok_or_else(|| corrupt("an unknown code"))
    }
}

/// The code of a value: its place among all values of its type.
fn code<T: PartialEq>(all: &[T], value: T) -> i64 {
    let place = all.iter().position(|known| *known == value);
    place.and_then(|place| i64::try_from(place).ok()).unwrap_or(-1)
}

/// A lead's status as the schema codes it: `pending` is 0, as the partial indexes say.
pub(crate) fn status_code(status: LeadStatus) -> i64 {
    code(LeadStatus::ALL, status)
}

pub(crate) fn id_bytes(id: Uuid) -> [u8; 16] {
    id.into_bytes()
}

pub(crate) fn method_code(method: Method) -> i64 {
    code(Method::ALL, method)
}

/// A row's values, ready to be bound.
pub(crate) type Values = Vec<rusqlite::types::Value>;

macro_rules! values {
    ($($value:expr),* $(,)?) => { vec![$( rusqlite::types::Value::from($value) ),*] };
}

fn blob(id: Uuid) -> Vec<u8> {
    id.as_bytes().to_vec()
}

pub(crate) fn number(value: u64) -> i64 {
    // The core counts up from 1, one at a time.
    i64::try_from(value).unwrap_or(i64::MAX)
}

fn flag(value: bool) -> i64 {
    i64::from(value)
}

pub(crate) const BOOK: &str =
    "no, merchant, seq, hash, last_at, day, next_due, receipt_year, receipt_number, last_row, last_lead";

/// A book's row, and where its journal and leads end.
#[derive(Clone, Copy, Debug)]
pub(crate) struct BookRow {
    pub(crate) no: i64,
    pub(crate) merchant: MerchantId,
    pub(crate) head: Head,
    pub(crate) last_row: Option<i64>,
    pub(crate) last_lead: Option<i64>,
}

pub(crate) fn book_row(row: &Row<'_>) -> Result<BookRow, StoreError> {
    let mut columns = Columns::of(row);
    let (no, merchant) = (columns.get()?, columns.id()?);
    let (seq, hash, last_at) = (columns.count()?, columns.get()?, columns.time()?);
    let day = columns.get::<Option<i32>>()?.map(day_of_number).transpose()?;
    let next_due = columns.get::<Option<i64>>()?.map(Timestamp::from_micros);
    let receipt = columns.get::<Option<i32>>()?.zip(columns.get::<Option<u32>>()?);
    let receipt = receipt.map(|(year, number)| ReceiptNumber { year, number });
    Ok(BookRow {
        no,
        merchant,
        head: Head { seq, hash, last_at, day, next_due, receipt },
        last_row: columns.get()?,
        last_lead: columns.get()?,
    })
}

pub(crate) const CAMPAIGN: &str = "id, currency, policy_version, minimum_value, threshold, rate, fixed, default_share, \
     window_hours, minimum_quality, auto_stop, on_timeout, status";

pub(crate) fn campaign(row: &Row<'_>) -> Result<(CampaignId, Campaign), StoreError> {
    let mut columns = Columns::of(row);
    let id = columns.id()?;
    let policy = Policy {
        currency: columns.currency()?,
        version: columns.get()?,
        minimum_value_minor: columns.get()?,
        threshold_minor: columns.get()?,
        rate: columns.percent()?,
        fixed_minor: columns.get()?,
        default_share: columns.percent()?,
    };
    let settings = CampaignSettings {
        policy,
        window_hours: columns.get()?,
        minimum_quality: columns.get()?,
        auto_stop: columns.get()?,
        on_timeout: columns.code(OnTimeout::ALL)?,
    };
    Ok((id, Campaign { settings, status: columns.code(CampaignStatus::ALL)? }))
}

pub(crate) fn campaign_values(id: CampaignId, row: &Campaign) -> Values {
    let Campaign { settings, status } = row;
    let policy = settings.policy;
    values![
        blob(id.0),
        policy.currency.code().to_owned(),
        policy.version,
        policy.minimum_value_minor,
        policy.threshold_minor,
        policy.rate.parts_per_million(),
        policy.fixed_minor,
        policy.default_share.parts_per_million(),
        settings.window_hours,
        settings.minimum_quality.map(i64::from),
        flag(settings.auto_stop),
        code(OnTimeout::ALL, settings.on_timeout),
        code(CampaignStatus::ALL, *status),
    ]
}

pub(crate) const DEPOSIT: &str = "id, campaign, currency, status, balance, reserved, initial, topped_up, level, basis, \
     reference, auto_threshold, auto_amount, auto_requested, opened_seq, today";

pub(crate) fn deposit(row: &Row<'_>) -> Result<(DepositId, Deposit), StoreError> {
    let mut columns = Columns::of(row);
    let id = columns.id()?;
    let mut deposit = Deposit {
        campaign: columns.optional_id()?,
        currency: columns.currency()?,
        status: columns.code(DepositStatus::ALL)?,
        balance_minor: columns.get()?,
        reserved_minor: columns.get()?,
        initial_minor: columns.get()?,
        topped_up_minor: columns.get()?,
        level: columns.code(&Level::ALL)?,
        basis: columns.code(Basis::ALL)?,
        reference: columns.code(ReferenceKind::ALL)?,
        auto_top_up: None,
        opened_seq: 0,
        today: Counts::default(),
    };
    let (threshold, amount): (Option<i64>, Option<i64>) = (columns.get()?, columns.get()?);
    let requested = columns.get()?;
    deposit.auto_top_up = threshold.zip(amount).map(|(threshold_minor, amount_minor)| AutoTopUp {
        threshold_minor,
        amount_minor,
        requested,
    });
    deposit.opened_seq = columns.get()?;
    deposit.today = Counts::from_text(&columns.get::<String>()?)?;
    if deposit.reserved_minor < 0 || deposit.reserved_minor > deposit.balance_minor {
        return Err(corrupt(format!("deposit {id} breaks 0 <= reserved <= balance")));
    }
    Ok((id, deposit))
}

/// What of a deposit may change and is coded.
pub(crate) struct DepositCodes {
    pub(crate) status: i64,
    pub(crate) level: i64,
    pub(crate) basis: i64,
    pub(crate) reference: i64,
    pub(crate) auto_threshold: Option<i64>,
    pub(crate) auto_amount: Option<i64>,
    pub(crate) auto_requested: i64,
}

impl DepositCodes {
    pub(crate) fn of(row: &Deposit) -> Self {
        let auto = row.auto_top_up;
        Self {
            status: code(DepositStatus::ALL, row.status),
            level: i64::from(row.level.priority()),
            basis: code(Basis::ALL, row.basis),
            reference: code(ReferenceKind::ALL, row.reference),
            auto_threshold: auto.map(|auto| auto.threshold_minor),
            auto_amount: auto.map(|auto| auto.amount_minor),
            auto_requested: flag(auto.is_some_and(|auto| auto.requested)),
        }
    }
}

pub(crate) fn deposit_values(id: DepositId, row: &Deposit) -> Values {
    let codes = DepositCodes::of(row);
    values![
        blob(id.0),
        row.campaign.map(|campaign| blob(campaign.0)),
        row.currency.code().to_owned(),
        codes.status,
        row.balance_minor,
        row.reserved_minor,
        row.initial_minor,
        row.topped_up_minor,
        codes.level,
        codes.basis,
        codes.reference,
        codes.auto_threshold,
        codes.auto_amount,
        codes.auto_requested,
        row.opened_seq,
        row.today.to_text(),
    ]
}

pub(crate) const PLATFORM: &str = "currency, commission, receivable, losses, adjustments, opening, stripe, cmi, \
     bank_transfer, crypto, manual, counts";

pub(crate) fn platform(row: &Row<'_>) -> Result<(Currency, PlatformAccounts), StoreError> {
    let mut columns = Columns::of(row);
    let currency = columns.currency()?;
    let mut accounts = PlatformAccounts {
        commission_minor: columns.get()?,
        receivable_minor: columns.get()?,
        losses_minor: columns.get()?,
        adjustments_minor: columns.get()?,
        opening_minor: columns.get()?,
        ..PlatformAccounts::default()
    };
    for balance in &mut accounts.payments_minor {
        *balance = columns.get()?;
    }
    accounts.counts = BookCounts::from_text(&columns.get::<String>()?)?;
    Ok((currency, accounts))
}

pub(crate) const PARTNER: &str = "partner, currency, held, payable, in_payout, paid, leads";

pub(crate) fn partner(row: &Row<'_>) -> Result<((PartnerId, Currency), PartnerAccounts), StoreError> {
    let mut columns = Columns::of(row);
    let key = (columns.id()?, columns.currency()?);
    let accounts = PartnerAccounts {
        held_minor: columns.get()?,
        payable_minor: columns.get()?,
        in_payout_minor: columns.get()?,
        paid_minor: columns.get()?,
        leads: Tally::from_text(&columns.get::<String>()?)?,
    };
    Ok((key, accounts))
}

/// The merchant of a row that says it in a column of that name.
pub(crate) fn merchant(row: &Row<'_>) -> Result<MerchantId, StoreError> {
    row.get::<_, [u8; 16]>("merchant").map(|bytes| Uuid::from_bytes(bytes).into()).or_store_error()
}

pub(crate) const AGREEMENT: &str = "partner, campaign, share, delay_days";

pub(crate) fn agreement(row: &Row<'_>) -> Result<((PartnerId, Option<CampaignId>), Agreement), StoreError> {
    let mut columns = Columns::of(row);
    let partner = columns.id()?;
    let campaign: Vec<u8> = columns.get()?;
    let campaign =
        if campaign.is_empty() { None } else { Some(CampaignId(Uuid::from_slice(&campaign).map_err(corrupt)?)) };
    let agreement = Agreement { share: columns.percent()?, payout_delay_days: columns.get()? };
    Ok(((partner, campaign), agreement))
}

pub(crate) fn scope_bytes(campaign: Option<CampaignId>) -> Vec<u8> {
    campaign.map(|campaign| blob(campaign.0)).unwrap_or_default()
}

pub(crate) fn agreement_values(key: (PartnerId, Option<CampaignId>), row: &Agreement) -> Values {
    values![blob(key.0.0), scope_bytes(key.1), row.share.parts_per_million(), row.payout_delay_days]
}

/// A lead's columns, with the ids behind the numbers of its campaign and deposit, and its campaign's currency.
pub(crate) const LEAD: &str = "l.row, l.previous, l.id, c.id, c.currency, l.partner, d.id, l.source, l.value, \
     l.commission, l.partner_part, l.policy_version, l.rate, l.share, l.delay_days, l.minimum_quality, \
     l.on_timeout, l.status, l.created_at, l.window_hours, l.decided_at, l.score, l.part, l.created_seq, l.due_at";

/// The tables behind [`LEAD`].
pub(crate) const LEAD_FROM: &str = "leads l JOIN campaigns c ON c.no = l.campaign JOIN deposits d ON d.no = l.deposit";

/// A lead's row, and where the one before is.
pub(crate) struct LeadRow {
    pub(crate) row: i64,
    pub(crate) previous: Option<i64>,
    pub(crate) id: LeadId,
    pub(crate) lead: Lead,
}

pub(crate) fn lead(row: &Row<'_>) -> Result<LeadRow, StoreError> {
    let mut columns = Columns::of(row);
    let (place, previous, id) = (columns.get()?, columns.get()?, columns.id()?);
    let (campaign, currency, partner, deposit) = (columns.id()?, columns.currency()?, columns.id()?, columns.id()?);
    let source = columns.code(Source::ALL)?;
    let (value_minor, commission_minor, partner_minor) = (columns.get()?, columns.get()?, columns.get()?);
    let (policy_version, rate, share) = (columns.get()?, columns.optional_percent()?, columns.percent()?);
    let (payout_delay_days, minimum_quality) = (columns.get()?, columns.get()?);
    let (on_timeout, status) = (columns.code(OnTimeout::ALL)?, columns.code(LeadStatus::ALL)?);
    let (created_at, window_hours) = (columns.time()?, columns.get()?);
    let decided_at = columns.get::<Option<i64>>()?.map(Timestamp::from_micros);
    let (score, part) = (columns.get()?, columns.code(PartPlace::ALL)?);
    let (created_seq, due_at) = (columns.get()?, columns.get::<Option<i64>>()?.map(Timestamp::from_micros));
    let lead = Lead {
        campaign,
        partner,
        deposit,
        currency,
        source,
        value_minor,
        commission_minor,
        partner_minor,
        terms: LeadTerms { policy_version, rate, share, payout_delay_days, minimum_quality, on_timeout, window_hours },
        status,
        created_at,
        decided_at,
        score,
        part,
        matures_at: due_at.filter(|_| part == PartPlace::Held),
        created_seq,
    };
    if lead.due().map(|due| due.at) != due_at {
        return Err(corrupt(format!("lead {id} is due at another time than its row says")));
    }
    Ok(LeadRow { row: place, previous, id, lead })
}

pub(crate) const LEAD_INSERT: &str = "INSERT INTO leads (book, previous, campaign, deposit, id, partner, source, value, \
     commission, partner_part, policy_version, rate, share, delay_days, minimum_quality, on_timeout, created_at, \
     window_hours, created_seq, status, decided_at, score, part, due_at) \
     VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)";

pub(crate) const TOP_UP: &str = "id, method, campaign, currency, amount, received, refunded, status, reference, deposit, receipt_year, receipt_no, \
     succeeded_seq, begun_seq";

pub(crate) fn top_up(row: &Row<'_>) -> Result<(TopUpId, TopUp), StoreError> {
    let mut columns = Columns::of(row);
    let id = columns.id()?;
    let mut top_up = TopUp {
        method: columns.code(Method::ALL)?,
        campaign: columns.optional_id()?,
        currency: columns.currency()?,
        amount_minor: columns.get()?,
        received_minor: columns.get()?,
        refunded_minor: columns.get()?,
        status: columns.code(TopUpStatus::ALL)?,
        reference: columns.get::<Option<String>>()?.map(Reference::new).transpose().map_err(corrupt)?,
        deposit: columns.optional_id()?,
        receipt: None,
        succeeded_seq: None,
        begun_seq: 0,
    };
    let receipt = columns.get::<Option<i32>>()?.zip(columns.get::<Option<u32>>()?);
    top_up.receipt = receipt.map(|(year, number)| ReceiptNumber { year, number });
    top_up.succeeded_seq = columns.get::<Option<i64>>()?.map(u64::try_from).transpose().map_err(corrupt)?;
    top_up.begun_seq = columns.count()?;
    Ok((id, top_up))
}

pub(crate) fn top_up_values(id: TopUpId, row: &TopUp) -> Values {
    values![
        blob(id.0),
        method_code(row.method),
        row.campaign.map(|campaign| blob(campaign.0)),
        row.currency.code().to_owned(),
        row.amount_minor,
        row.received_minor,
        row.refunded_minor,
        code(TopUpStatus::ALL, row.status),
        row.reference.as_ref().map(ToString::to_string),
        row.deposit.map(|deposit| blob(deposit.0)),
        row.receipt.map(|receipt| i64::from(receipt.year)),
        row.receipt.map(|receipt| i64::from(receipt.number)),
        row.succeeded_seq.map(number),
        number(row.begun_seq),
    ]
}

pub(crate) fn reference(row: &Row<'_>) -> Result<(Method, Reference, TopUpId), StoreError> {
    let mut columns = Columns::of(row);
    let method = columns.code(Method::ALL)?;
    let reference = Reference::new(columns.get::<String>()?).map_err(corrupt)?;
    Ok((method, reference, columns.id()?))
}

pub(crate) const PAYOUT: &str = "id, partner, currency, amount, status, requested_seq";

pub(crate) fn payout(row: &Row<'_>) -> Result<(leadledger::PayoutId, Payout), StoreError> {
    let mut columns = Columns::of(row);
    let id = columns.id()?;
    let payout = Payout {
        partner: columns.id()?,
        currency: columns.currency()?,
        amount_minor: columns.get()?,
        status: columns.code(PayoutStatus::ALL)?,
        requested_seq: columns.count()?,
    };
    Ok((id, payout))
}

pub(crate) fn payout_values(id: leadledger::PayoutId, row: &Payout) -> Values {
    values![
        blob(id.0),
        blob(row.partner.0),
        row.currency.code().to_owned(),
        row.amount_minor,
        code(PayoutStatus::ALL, row.status),
        number(row.requested_seq),
    ]
}

pub(crate) const MISSED: &str = "lead, day, currency, commission";

pub(crate) fn missed(row: &Row<'_>) -> Result<(LeadId, Missed), StoreError> {
    let mut columns = Columns::of(row);
    let id = columns.id()?;
    Ok((
        id,
        Missed { day: day_of_number(columns.get()?)?, currency: columns.currency()?, commission_minor: columns.get()? },
    ))
}

pub(crate) fn missed_values(id: LeadId, row: &Missed) -> Values {
    values![blob(id.0), number_of_day(row.day), row.currency.code().to_owned(), row.commission_minor]
}

pub(crate) fn number_of_day(day: NaiveDate) -> i64 {
    day.to_epoch_days().into()
}

fn day_of_number(days: i32) -> Result<NaiveDate, StoreError> {
    NaiveDate::from_epoch_days(days).ok_or_else(|| corrupt("a day out of range"))
}

pub(crate) const DAY: &str = "currency, deposit, day, until, counts";

pub(crate) fn day(row: &Row<'_>) -> Result<(DayKey, Day), StoreError> {
    let mut columns = Columns::of(row);
    let currency = columns.currency()?;
    let deposit: Vec<u8> = columns.get()?;
    let deposit = if deposit.is_empty() { None } else { Some(DepositId(Uuid::from_slice(&deposit).map_err(corrupt)?)) };
    let key = DayKey { currency, deposit, day: day_of_number(columns.get()?)? };
    let (until, counts) = (columns.time()?, columns.get::<String>()?);
    Ok((key, Day::from_text(until, &counts)?))
}

pub(crate) fn deposit_bytes(deposit: Option<DepositId>) -> Vec<u8> {
    deposit.map(|deposit| blob(deposit.0)).unwrap_or_default()
}

pub(crate) fn day_values(key: DayKey, row: &Day) -> Values {
    values![
        key.currency.code().to_owned(),
        deposit_bytes(key.deposit),
        number_of_day(key.day),
        row.until.micros(),
        row.to_text(),
    ]
}

/// Missed leads of a day.
pub(crate) fn missed_day(row: &Row<'_>) -> Result<((Currency, NaiveDate), MissedDay), StoreError> {
    let mut columns = Columns::of(row);
    let key = (columns.currency()?, day_of_number(columns.get()?)?);
    let leads = columns.count()?;
    // Two halves of each amount: SQLite's sums are as narrow as its numbers.
    let (high, low): (i64, i64) = (columns.get()?, columns.get()?);
    let commission_minor = (i128::from(high) << 32) + i128::from(low);
    Ok((key, MissedDay { leads, commission_minor }))
}

pub(crate) const PRIVATE: &str = "seq, lead, salt, text";

pub(crate) fn private(row: &Row<'_>) -> Result<Private, StoreError> {
    let mut columns = Columns::of(row);
    Ok(Private { seq: columns.count()?, lead: columns.optional_id()?, salt: columns.get()?, text: columns.get()? })
}

/// A lead's codes.
pub(crate) struct LeadParts {
    pub(crate) on_timeout: i64,
    pub(crate) source: i64,
    pub(crate) status: i64,
    pub(crate) part: i64,
    pub(crate) due_at: Option<i64>,
    pub(crate) decided_at: Option<i64>,
}

impl LeadParts {
    pub(crate) fn of(lead: &Lead) -> Self {
        Self {
            on_timeout: code(OnTimeout::ALL, lead.terms.on_timeout),
            source: code(Source::ALL, lead.source),
            status: status_code(lead.status),
            part: code(PartPlace::ALL, lead.part),
            due_at: lead.due().map(|due| due.at.micros()),
            decided_at: lead.decided_at.map(Timestamp::micros),
        }
    }
}
