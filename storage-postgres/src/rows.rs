//! Rows as the schema keeps them, and the core's types that they stand for.

use std::borrow::Cow;

use chrono::NaiveDate;
use leadledger::figures::{BookCounts, Counts, Day, DayKey, Tally};
use leadledger::{
    Agreement, AutoTopUp, Basis, Book, Campaign, CampaignId, CampaignSettings, CampaignStatus, Currency, Deposit,
    DepositId, DepositStatus, Head, Lead, LeadId, LeadStatus, LeadTerms, Level, MerchantId, Method, Missed, MissedDay,
    OnTimeout, PartPlace, PartnerAccounts, PartnerId, Payout, PayoutId, PayoutStatus, PlatformAccounts, Policy,
    Private, ReceiptNumber, Recorded, Reference, ReferenceKind, Source, StoreError, Timestamp, TopUp, TopUpId,
    TopUpStatus,
};
use uuid::Uuid;

use crate::error::corrupt;
use crate::wire::{Column, Columns, Kind, Param, Statement, Value, code, number};

/// A table that is written: its columns, of which the first `key` are its key.
pub(crate) struct Table {
    pub(crate) name: &'static str,
    pub(crate) columns: &'static [(&'static str, Kind)],
    pub(crate) key: usize,
}

impl Table {
    /// The names of the columns, each with `prefix` before it.
    pub(crate) fn names(&self, prefix: &str) -> String {
        let names: Vec<String> = self.columns.iter().map(|(name, _)| format!("{prefix}{name}")).collect();
        names.join(", ")
    }

    /// Inserts rows that are given as one array a column.
    pub(crate) fn insert(&self) -> String {
        let arrays: Vec<String> = (1..=self.columns.len()).map(|place| format!("${place}")).collect();
        format!("INSERT INTO {} ({}) SELECT * FROM unnest({})", self.name, self.names(""), arrays.join(", "))
    }

    /// Inserts them, or replaces those with the same key.
    pub(crate) fn upsert(&self) -> String {
        let (key, rest) = self.columns.split_at(self.key);
        let key: Vec<&str> = key.iter().map(|(name, _)| *name).collect();
        let sets: Vec<String> = rest.iter().map(|(name, _)| format!("{name} = excluded.{name}")).collect();
        format!("{} ON CONFLICT ({}) DO UPDATE SET {}", self.insert(), key.join(", "), sets.join(", "))
    }

    /// Rows as parameters of a statement.
    pub(crate) fn params<'a, const N: usize>(&self, rows: impl IntoIterator<Item = [Value<'a>; N]>) -> Vec<Param<'a>> {
        columns(self.columns.iter().map(|(_, kind)| *kind), rows)
    }

    /// A statement on rows; none where there are no rows.
    pub(crate) fn write<'a, const N: usize>(
        &self,
        sql: &'static str,
        rows: impl IntoIterator<Item = [Value<'a>; N]>,
    ) -> Option<Statement<'a>> {
        statement(sql, self.columns.iter().map(|(_, kind)| *kind), rows)
    }
}

/// Rows as parameters, one array a column.
pub(crate) fn columns<'a, const N: usize>(
    kinds: impl IntoIterator<Item = Kind>,
    rows: impl IntoIterator<Item = [Value<'a>; N]>,
) -> Vec<Param<'a>> {
    let rows = rows.into_iter();
    let mut columns: Vec<Column<'a>> =
        kinds.into_iter().map(|kind| Column::of(kind, rows.size_hint().1.unwrap_or(0))).collect();
    debug_assert_eq!(columns.len(), N);
    for row in rows {
        columns.iter_mut().zip(row).for_each(|(column, value)| column.push(value));
    }
    columns.into_iter().map(Param::Column).collect()
}

/// A statement on rows, one array a column; none where there are no rows.
pub(crate) fn statement<'a, const N: usize>(
    sql: &'static str,
    kinds: impl IntoIterator<Item = Kind>,
    rows: impl IntoIterator<Item = [Value<'a>; N]>,
) -> Option<Statement<'a>> {
    let mut rows = rows.into_iter().peekable();
    rows.peek()?;
    Some(Statement { sql: sql.into(), params: columns(kinds, rows) })
}

/// Whose row it is: the first column of every table.
pub(crate) fn merchant(columns: &mut Columns<'_>) -> Result<MerchantId, StoreError> {
    columns.id()
}

pub(crate) const BOOK: &str = "merchant_id, seq, hash, last_at, day, next_due, receipt_year, receipt_number, position";

/// A book's head and its last position, without its merchant.
pub(crate) fn head(columns: &mut Columns<'_>) -> Result<(Head, i64), StoreError> {
    let (seq, hash, last_at) = (columns.int()?, columns.bytes()?, columns.time()?);
    let day = columns.optional_int()?.map(day_of_number).transpose()?;
    let next_due = columns.optional_time()?;
    let receipt = columns.optional_int()?.zip(columns.optional_int()?);
    let receipt = receipt.map(|(year, number)| ReceiptNumber { year, number });
    Ok((Head { seq, hash, last_at, day, next_due, receipt }, columns.int()?))
}

pub(crate) const CAMPAIGNS: Table = Table {
    name: "campaigns",
    columns: &[
        ("merchant_id", Kind::Id),
        ("campaign_id", Kind::Id),
        ("currency", Kind::Text),
        ("policy_version", Kind::Int),
        ("minimum_value_minor", Kind::Int),
        ("threshold_minor", Kind::Int),
        ("rate", Kind::Int),
        ("fixed_minor", Kind::Int),
        ("default_share", Kind::Int),
        ("window_hours", Kind::Int),
        ("minimum_quality", Kind::Int),
        ("auto_stop", Kind::Flag),
        ("on_timeout", Kind::Int),
        ("status", Kind::Int),
    ],
    key: 2,
};

pub(crate) fn campaign(columns: &mut Columns<'_>) -> Result<(CampaignId, Campaign), StoreError> {
    let id = columns.id()?;
    let policy = Policy {
        currency: columns.currency()?,
        version: columns.int()?,
        minimum_value_minor: columns.int()?,
        threshold_minor: columns.int()?,
        rate: columns.percent()?,
        fixed_minor: columns.int()?,
        default_share: columns.percent()?,
    };
    let settings = CampaignSettings {
        policy,
        window_hours: columns.int()?,
        minimum_quality: columns.optional_int()?,
        auto_stop: columns.flag()?,
        on_timeout: columns.code(OnTimeout::ALL)?,
    };
    Ok((id, Campaign { settings, status: columns.code(CampaignStatus::ALL)? }))
}

pub(crate) fn campaign_values<'a>(book: &Book, id: CampaignId, row: &'a Campaign) -> [Value<'a>; 14] {
    let Campaign { settings, status } = row;
    let policy = settings.policy;
    [
        book.merchant.0.into(),
        id.0.into(),
        (&settings.policy.currency).into(),
        policy.version.into(),
        policy.minimum_value_minor.into(),
        policy.threshold_minor.into(),
        policy.rate.into(),
        policy.fixed_minor.into(),
        policy.default_share.into(),
        settings.window_hours.into(),
        settings.minimum_quality.into(),
        settings.auto_stop.into(),
        code(OnTimeout::ALL, settings.on_timeout).into(),
        code(CampaignStatus::ALL, *status).into(),
    ]
}

pub(crate) const DEPOSITS: Table = Table {
    name: "deposits",
    columns: &[
        ("merchant_id", Kind::Id),
        ("deposit_id", Kind::Id),
        ("campaign_id", Kind::Id),
        ("currency", Kind::Text),
        ("status", Kind::Int),
        ("balance_minor", Kind::Int),
        ("reserved_minor", Kind::Int),
        ("initial_minor", Kind::Int),
        ("topped_up_minor", Kind::Int),
        ("level", Kind::Int),
        ("basis", Kind::Int),
        ("reference", Kind::Int),
        ("auto_threshold_minor", Kind::Int),
        ("auto_amount_minor", Kind::Int),
        ("auto_requested", Kind::Flag),
        ("opened_seq", Kind::Int),
        ("today", Kind::Text),
    ],
    key: 2,
};

/// None where the row is that of an outer join that found nothing.
pub(crate) fn optional_deposit(columns: &mut Columns<'_>) -> Result<Option<(DepositId, Deposit)>, StoreError> {
    let Some(id) = columns.optional_id()? else { return Ok(None) };
    let mut deposit = Deposit {
        campaign: columns.optional_id()?,
        currency: columns.currency()?,
        status: columns.code(DepositStatus::ALL)?,
        balance_minor: columns.int()?,
        reserved_minor: columns.int()?,
        initial_minor: columns.int()?,
        topped_up_minor: columns.int()?,
        level: columns.code(&Level::ALL)?,
        basis: columns.code(Basis::ALL)?,
        reference: columns.code(ReferenceKind::ALL)?,
        auto_top_up: None,
        opened_seq: 0,
        today: Counts::default(),
    };
    let (threshold, amount): (Option<i64>, Option<i64>) = (columns.optional_int()?, columns.optional_int()?);
    let requested = columns.flag()?;
    deposit.auto_top_up = threshold.zip(amount).map(|(threshold_minor, amount_minor)| AutoTopUp {
        threshold_minor,
        amount_minor,
        requested,
    });
    deposit.opened_seq = columns.int()?;
    deposit.today = Counts::from_text(columns.text()?)?;
    if deposit.reserved_minor < 0 || deposit.reserved_minor > deposit.balance_minor {
        return Err(corrupt(format!("deposit {id} breaks 0 <= reserved <= balance")));
    }
    Ok(Some((id, deposit)))
}

pub(crate) fn deposit(columns: &mut Columns<'_>) -> Result<(DepositId, Deposit), StoreError> {
    optional_deposit(columns)?.ok_or_else(|| corrupt("a deposit without an id"))
}

pub(crate) fn deposit_values<'a>(book: &Book, id: DepositId, row: &'a Deposit) -> [Value<'a>; 17] {
    let auto = row.auto_top_up;
    [
        book.merchant.0.into(),
        id.0.into(),
        row.campaign.map(|campaign| campaign.0).into(),
        (&row.currency).into(),
        code(DepositStatus::ALL, row.status).into(),
        row.balance_minor.into(),
        row.reserved_minor.into(),
        row.initial_minor.into(),
        row.topped_up_minor.into(),
        row.level.priority().into(),
        code(Basis::ALL, row.basis).into(),
        code(ReferenceKind::ALL, row.reference).into(),
        auto.map(|auto| auto.threshold_minor).into(),
        auto.map(|auto| auto.amount_minor).into(),
        auto.is_some_and(|auto| auto.requested).into(),
        row.opened_seq.into(),
        row.today.to_text().into(),
    ]
}

pub(crate) const PLATFORM: Table = Table {
    name: "platform",
    columns: &[
        ("merchant_id", Kind::Id),
        ("currency", Kind::Text),
        ("commission_minor", Kind::Int),
        ("receivable_minor", Kind::Int),
        ("losses_minor", Kind::Int),
        ("adjustments_minor", Kind::Int),
        ("opening_minor", Kind::Int),
        ("stripe_minor", Kind::Int),
        ("cmi_minor", Kind::Int),
        ("bank_transfer_minor", Kind::Int),
        ("crypto_minor", Kind::Int),
        ("manual_minor", Kind::Int),
        ("counts", Kind::Text),
    ],
    key: 2,
};

pub(crate) fn platform(columns: &mut Columns<'_>) -> Result<(Currency, PlatformAccounts), StoreError> {
    let currency = columns.currency()?;
    let mut accounts = PlatformAccounts {
        commission_minor: columns.int()?,
        receivable_minor: columns.int()?,
        losses_minor: columns.int()?,
        adjustments_minor: columns.int()?,
        opening_minor: columns.int()?,
        ..PlatformAccounts::default()
    };
    for balance in &mut accounts.payments_minor {
        *balance = columns.int()?;
    }
    accounts.counts = BookCounts::from_text(columns.text()?)?;
    Ok((currency, accounts))
}

pub(crate) fn platform_values<'a>(book: &Book, currency: &'a Currency, row: &PlatformAccounts) -> [Value<'a>; 13] {
    let [stripe, cmi, bank_transfer, crypto, manual] = row.payments_minor;
    [
        book.merchant.0.into(),
        currency.into(),
        row.commission_minor.into(),
        row.receivable_minor.into(),
        row.losses_minor.into(),
        row.adjustments_minor.into(),
        row.opening_minor.into(),
        stripe.into(),
        cmi.into(),
        bank_transfer.into(),
        crypto.into(),
        manual.into(),
        row.counts.to_text().into(),
    ]
}

pub(crate) const PARTNERS: Table = Table {
    name: "partners",
    columns: &[
        ("merchant_id", Kind::Id),
        ("partner_id", Kind::Id),
        ("currency", Kind::Text),
        ("held_minor", Kind::Int),
        ("payable_minor", Kind::Int),
        ("in_payout_minor", Kind::Int),
        ("paid_minor", Kind::Int),
        ("leads", Kind::Text),
    ],
    key: 3,
};

/// The balances of a partner's accounts, where an outer join may have found none.
pub(crate) const EARNINGS: &str = "p.held_minor, p.payable_minor, p.in_payout_minor, p.paid_minor, p.leads";

pub(crate) fn earnings(columns: &mut Columns<'_>) -> Result<Option<PartnerAccounts>, StoreError> {
    let Some(held_minor) = columns.optional_int()? else {
        columns.skip(4);
        return Ok(None);
    };
    Ok(Some(PartnerAccounts {
        held_minor,
        payable_minor: columns.int()?,
        in_payout_minor: columns.int()?,
        paid_minor: columns.int()?,
        leads: Tally::from_text(columns.text()?)?,
    }))
}

pub(crate) fn partner(
    columns: &mut Columns<'_>,
) -> Result<((PartnerId, Currency), Option<PartnerAccounts>), StoreError> {
    Ok(((columns.id()?, columns.currency()?), earnings(columns)?))
}

pub(crate) fn partner_values<'a>(book: &Book, key: &'a (PartnerId, Currency), row: &PartnerAccounts) -> [Value<'a>; 8] {
    [
        book.merchant.0.into(),
        key.0.0.into(),
        (&key.1).into(),
        row.held_minor.into(),
        row.payable_minor.into(),
        row.in_payout_minor.into(),
        row.paid_minor.into(),
        row.leads.to_text().into(),
    ]
}

pub(crate) const AGREEMENTS: Table = Table {
    name: "agreements",
    columns: &[
        ("merchant_id", Kind::Id),
        ("partner_id", Kind::Id),
        ("every_campaign", Kind::Flag),
        ("campaign_id", Kind::Id),
        ("share", Kind::Int),
        ("delay_days", Kind::Int),
    ],
    key: 4,
};

/// The columns for what an agreement is about: whether every campaign, and else which.
pub(crate) fn campaign_or_every(campaign: Option<CampaignId>) -> (bool, Uuid) {
    (campaign.is_none(), campaign.map_or(Uuid::nil(), |campaign| campaign.0))
}

pub(crate) fn agreement(columns: &mut Columns<'_>) -> Result<((PartnerId, Option<CampaignId>), Agreement), StoreError> {
    let partner = columns.id()?;
    let (every, campaign) = (columns.flag()?, columns.id()?);
    let campaign = Some(campaign).filter(|_| !every);
    Ok(((partner, campaign), Agreement { share: columns.percent()?, payout_delay_days: columns.int()? }))
}

/// A partner, for what the terms were asked (for nothing, for every campaign, for one), and the terms if there are any.
pub(crate) type Terms = ((PartnerId, Option<Option<CampaignId>>), Option<Agreement>);

pub(crate) fn terms(columns: &mut Columns<'_>) -> Result<Terms, StoreError> {
    let partner = columns.id()?;
    let (every, campaign) = (columns.flag()?, columns.optional_id()?);
    let about = if every { Some(None) } else { campaign.map(Some) };
    let (share, delay) = (columns.optional_percent()?, columns.optional_int()?);
    let agreement = share.zip(delay).map(|(share, payout_delay_days)| Agreement { share, payout_delay_days });
    Ok(((partner, about), agreement))
}

pub(crate) fn agreement_values<'a>(
    book: &Book,
    key: (PartnerId, Option<CampaignId>),
    row: &Agreement,
) -> [Value<'a>; 6] {
    let (every, campaign) = campaign_or_every(key.1);
    [
        book.merchant.0.into(),
        key.0.0.into(),
        every.into(),
        campaign.into(),
        row.share.into(),
        row.payout_delay_days.into(),
    ]
}

pub(crate) const LEADS: Table = Table {
    name: "leads",
    columns: &[
        ("merchant_id", Kind::Id),
        ("lead_id", Kind::Id),
        ("campaign_id", Kind::Id),
        ("partner_id", Kind::Id),
        ("deposit_id", Kind::Id),
        ("currency", Kind::Text),
        ("source", Kind::Int),
        ("value_minor", Kind::Int),
        ("commission_minor", Kind::Int),
        ("partner_minor", Kind::Int),
        ("policy_version", Kind::Int),
        ("rate", Kind::Int),
        ("share", Kind::Int),
        ("delay_days", Kind::Int),
        ("minimum_quality", Kind::Int),
        ("on_timeout", Kind::Int),
        ("created_at", Kind::Time),
        ("window_hours", Kind::Int),
        ("created_seq", Kind::Int),
        ("status", Kind::Int),
        ("decided_at", Kind::Time),
        ("score", Kind::Int),
        ("part", Kind::Int),
        ("due_at", Kind::Time),
    ],
    key: 2,
};

pub(crate) fn lead(columns: &mut Columns<'_>) -> Result<(LeadId, Lead), StoreError> {
    let id = columns.id()?;
    let (campaign, partner, deposit) = (columns.id()?, columns.id()?, columns.id()?);
    let (currency, source) = (columns.currency()?, columns.code(Source::ALL)?);
    let (value_minor, commission_minor, partner_minor) = (columns.int()?, columns.int()?, columns.int()?);
    let (policy_version, rate, share) = (columns.int()?, columns.optional_percent()?, columns.percent()?);
    let (payout_delay_days, minimum_quality) = (columns.int()?, columns.optional_int()?);
    let (on_timeout, created_at) = (columns.code(OnTimeout::ALL)?, columns.time()?);
    let (window_hours, created_seq) = (columns.int()?, columns.int()?);
    let (status, decided_at) = (columns.code(LeadStatus::ALL)?, columns.optional_time()?);
    let (score, part) = (columns.optional_int()?, columns.code(PartPlace::ALL)?);
    let due_at = columns.optional_time()?;
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
    Ok((id, lead))
}

fn due_at(row: &Lead) -> Option<Timestamp> {
    row.due().map(|due| due.at)
}

pub(crate) fn lead_values<'a>(book: &Book, id: LeadId, row: &'a Lead) -> [Value<'a>; 24] {
    let terms = row.terms;
    [
        book.merchant.0.into(),
        id.0.into(),
        row.campaign.0.into(),
        row.partner.0.into(),
        row.deposit.0.into(),
        (&row.currency).into(),
        code(Source::ALL, row.source).into(),
        row.value_minor.into(),
        row.commission_minor.into(),
        row.partner_minor.into(),
        terms.policy_version.into(),
        terms.rate.map(leadledger::Percent::parts_per_million).into(),
        terms.share.into(),
        terms.payout_delay_days.into(),
        terms.minimum_quality.into(),
        code(OnTimeout::ALL, terms.on_timeout).into(),
        row.created_at.into(),
        terms.window_hours.into(),
        row.created_seq.into(),
        code(LeadStatus::ALL, row.status).into(),
        row.decided_at.into(),
        row.score.into(),
        code(PartPlace::ALL, row.part).into(),
        due_at(row).into(),
    ]
}

/// What of a lead moves after its creation.
pub(crate) const LEAD_MOVES: [Kind; 7] = [Kind::Id, Kind::Id, Kind::Int, Kind::Time, Kind::Int, Kind::Int, Kind::Time];

pub(crate) fn lead_moves<'a>(book: &Book, id: LeadId, row: &Lead) -> [Value<'a>; 7] {
    [
        book.merchant.0.into(),
        id.0.into(),
        code(LeadStatus::ALL, row.status).into(),
        row.decided_at.into(),
        row.score.into(),
        code(PartPlace::ALL, row.part).into(),
        due_at(row).into(),
    ]
}

pub(crate) const TOP_UPS: Table = Table {
    name: "top_ups",
    columns: &[
        ("merchant_id", Kind::Id),
        ("top_up_id", Kind::Id),
        ("method", Kind::Int),
        ("campaign_id", Kind::Id),
        ("currency", Kind::Text),
        ("amount_minor", Kind::Int),
        ("received_minor", Kind::Int),
        ("refunded_minor", Kind::Int),
        ("status", Kind::Int),
        ("reference", Kind::Text),
        ("deposit_id", Kind::Id),
        ("receipt_year", Kind::Int),
        ("receipt_number", Kind::Int),
        ("succeeded_seq", Kind::Int),
        ("begun_seq", Kind::Int),
    ],
    key: 2,
};

pub(crate) fn top_up(columns: &mut Columns<'_>) -> Result<(TopUpId, TopUp), StoreError> {
    let id = columns.id()?;
    let mut top_up = TopUp {
        method: columns.code(Method::ALL)?,
        campaign: columns.optional_id()?,
        currency: columns.currency()?,
        amount_minor: columns.int()?,
        received_minor: columns.int()?,
        refunded_minor: columns.int()?,
        status: columns.code(TopUpStatus::ALL)?,
        reference: columns.optional_text()?.map(Reference::new).transpose().map_err(corrupt)?,
        deposit: columns.optional_id()?,
        receipt: None,
        succeeded_seq: None,
        begun_seq: 0,
    };
    let receipt = columns.optional_int()?.zip(columns.optional_int()?);
    top_up.receipt = receipt.map(|(year, number)| ReceiptNumber { year, number });
    top_up.succeeded_seq = columns.optional_int()?;
    top_up.begun_seq = columns.int()?;
    Ok((id, top_up))
}

pub(crate) fn top_up_values<'a>(book: &Book, id: TopUpId, row: &'a TopUp) -> [Value<'a>; 15] {
    [
        book.merchant.0.into(),
        id.0.into(),
        code(Method::ALL, row.method).into(),
        row.campaign.map(|campaign| campaign.0).into(),
        (&row.currency).into(),
        row.amount_minor.into(),
        row.received_minor.into(),
        row.refunded_minor.into(),
        code(TopUpStatus::ALL, row.status).into(),
        Value::Text(row.reference.as_ref().map(|reference| Cow::Borrowed(reference.as_str()))),
        row.deposit.map(|deposit| deposit.0).into(),
        row.receipt.map(|receipt| receipt.year).into(),
        row.receipt.map(|receipt| receipt.number).into(),
        row.succeeded_seq.map(number).into(),
        number(row.begun_seq).into(),
    ]
}

pub(crate) const REFERENCES: Table = Table {
    name: "payment_references",
    columns: &[("merchant_id", Kind::Id), ("reference", Kind::Text), ("method", Kind::Int), ("top_up_id", Kind::Id)],
    key: 3,
};

pub(crate) fn reference(columns: &mut Columns<'_>) -> Result<((Method, Reference), TopUpId), StoreError> {
    let reference = Reference::new(columns.text()?).map_err(corrupt)?;
    Ok(((columns.code(Method::ALL)?, reference), columns.id()?))
}

pub(crate) fn reference_values<'a>(book: &Book, key: &'a (Method, Reference), row: TopUpId) -> [Value<'a>; 4] {
    [book.merchant.0.into(), key.1.as_str().into(), code(Method::ALL, key.0).into(), row.0.into()]
}

pub(crate) const PAYOUTS: Table = Table {
    name: "payouts",
    columns: &[
        ("merchant_id", Kind::Id),
        ("payout_id", Kind::Id),
        ("partner_id", Kind::Id),
        ("currency", Kind::Text),
        ("amount_minor", Kind::Int),
        ("status", Kind::Int),
        ("requested_seq", Kind::Int),
    ],
    key: 2,
};

pub(crate) fn payout(columns: &mut Columns<'_>) -> Result<(PayoutId, Payout), StoreError> {
    let id = columns.id()?;
    let payout = Payout {
        partner: columns.id()?,
        currency: columns.currency()?,
        amount_minor: columns.int()?,
        status: columns.code(PayoutStatus::ALL)?,
        requested_seq: columns.int()?,
    };
    Ok((id, payout))
}

pub(crate) fn payout_values<'a>(book: &Book, id: PayoutId, row: &'a Payout) -> [Value<'a>; 7] {
    [
        book.merchant.0.into(),
        id.0.into(),
        row.partner.0.into(),
        (&row.currency).into(),
        row.amount_minor.into(),
        code(PayoutStatus::ALL, row.status).into(),
        number(row.requested_seq).into(),
    ]
}

pub(crate) const MISSED: Table = Table {
    name: "missed",
    columns: &[
        ("merchant_id", Kind::Id),
        ("lead_id", Kind::Id),
        ("day", Kind::Int),
        ("currency", Kind::Text),
        ("commission_minor", Kind::Int),
    ],
    key: 2,
};

pub(crate) fn missed(columns: &mut Columns<'_>) -> Result<(LeadId, Missed), StoreError> {
    let id = columns.id()?;
    let day = day_of_number(columns.int()?)?;
    Ok((id, Missed { day, currency: columns.currency()?, commission_minor: columns.int()? }))
}

pub(crate) fn missed_values<'a>(book: &Book, id: LeadId, row: &'a Missed) -> [Value<'a>; 5] {
    [
        book.merchant.0.into(),
        id.0.into(),
        number_of_day(row.day).into(),
        (&row.currency).into(),
        row.commission_minor.into(),
    ]
}

pub(crate) fn number_of_day(day: NaiveDate) -> i32 {
    day.to_epoch_days()
}

fn day_of_number(days: i32) -> Result<NaiveDate, StoreError> {
    NaiveDate::from_epoch_days(days).ok_or_else(|| corrupt("a day out of range"))
}

/// Missed leads of a day.
pub(crate) fn missed_day(columns: &mut Columns<'_>) -> Result<((Currency, NaiveDate), MissedDay), StoreError> {
    let key = (columns.currency()?, day_of_number(columns.int()?)?);
    // A sum may be larger than any amount: it comes as its digits.
    let (leads, sum) = (columns.int()?, columns.text()?);
    Ok((key, MissedDay { leads, commission_minor: sum.parse().map_err(corrupt)? }))
}

pub(crate) const DAYS: Table = Table {
    name: "days",
    columns: &[
        ("merchant_id", Kind::Id),
        ("currency", Kind::Text),
        ("whole", Kind::Flag),
        ("deposit_id", Kind::Id),
        ("day", Kind::Int),
        ("until", Kind::Time),
        ("counts", Kind::Text),
    ],
    key: 5,
};

pub(crate) fn day(columns: &mut Columns<'_>) -> Result<(DayKey, Day), StoreError> {
    let currency = columns.currency()?;
    let (whole, deposit) = (columns.flag()?, columns.id()?);
    let key = DayKey { currency, deposit: Some(deposit).filter(|_| !whole), day: day_of_number(columns.int()?)? };
    let until = columns.time()?;
    Ok((key, Day::from_text(until, columns.text()?)?))
}

pub(crate) fn day_values<'a>(book: &Book, key: &'a DayKey, row: &Day) -> [Value<'a>; 7] {
    [
        book.merchant.0.into(),
        (&key.currency).into(),
        key.deposit.is_none().into(),
        key.deposit.map_or(Uuid::nil(), |deposit| deposit.0).into(),
        number_of_day(key.day).into(),
        row.until.into(),
        row.to_text().into(),
    ]
}

pub(crate) const PRIVATE: Table = Table {
    name: "private",
    columns: &[
        ("merchant_id", Kind::Id),
        ("seq", Kind::Int),
        ("lead_id", Kind::Id),
        ("salt", Kind::Bytes),
        ("text", Kind::Text),
    ],
    key: 2,
};

pub(crate) const OPENING_PRIVATE: Table = Table {
    name: "opening_private",
    columns: &[
        ("merchant_id", Kind::Id),
        ("seq", Kind::Int),
        ("lead_id", Kind::Id),
        ("salt", Kind::Bytes),
        ("text", Kind::Text),
    ],
    key: 3,
};

/// None where the row is that of an outer join that found nothing.
pub(crate) fn optional_private(columns: &mut Columns<'_>) -> Result<Option<Private>, StoreError> {
    let Some(seq) = columns.optional_int()? else { return Ok(None) };
    let (lead, salt) = (columns.optional_id()?, columns.bytes()?);
    Ok(Some(Private { seq, lead, salt, text: columns.text()?.to_owned() }))
}

pub(crate) fn private_values<'a>(book: &Book, row: &'a Private) -> [Value<'a>; 5] {
    [
        book.merchant.0.into(),
        number(row.seq).into(),
        row.lead.map(|lead| lead.0).into(),
        row.salt.as_slice().into(),
        row.text.as_str().into(),
    ]
}

/// An entry; none where the row is that of an outer join that found nothing.
pub(crate) fn optional_entry(columns: &mut Columns<'_>, merchant: MerchantId) -> Result<Option<Recorded>, StoreError> {
    let Some(payload) = columns.optional_text()? else {
        columns.skip(1);
        return Ok(None);
    };
    Recorded::from_row(merchant, payload.to_owned(), columns.bytes()?).map(Some)
}
