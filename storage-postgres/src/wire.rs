//! Values on the wire: what statements are given, one array a column, and what their rows give back. All is typed and
//! binary, so that no statement has to be prepared or named.

use std::borrow::Cow;

use bytes::BytesMut;
use leadledger::{Currency, Percent, StoreError, Timestamp};
use tokio_postgres::Row;
use tokio_postgres::types::{FromSql, IsNull, ToSql, Type, to_sql_checked};
use uuid::Uuid;

use crate::error::corrupt;

type Fault = Box<dyn std::error::Error + Sync + Send>;

/// A statement and its parameters.
#[derive(Debug)]
pub(crate) struct Statement<'a> {
    pub(crate) sql: Cow<'static, str>,
    pub(crate) params: Vec<Param<'a>>,
}

/// A parameter.
#[derive(Debug)]
pub(crate) enum Param<'a> {
    Int(i64),
    OptionalInt(Option<i64>),
    Time(Timestamp),
    Id(Uuid),
    OptionalId(Option<Uuid>),
    Text(Cow<'a, str>),
    Column(Column<'a>),
}

/// What a column holds.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Kind {
    Id,
    Int,
    Text,
    Bytes,
    Time,
    Flag,
}

/// One column of several rows.
#[derive(Debug)]
pub(crate) enum Column<'a> {
    Ids(Vec<Option<Uuid>>),
    Ints(Vec<Option<i64>>),
    Texts(Vec<Option<Cow<'a, str>>>),
    Bytes(Vec<Option<&'a [u8]>>),
    Times(Vec<Option<Micros>>),
    Flags(Vec<bool>),
}

/// One value of a row that is to be written.
#[derive(Debug)]
pub(crate) enum Value<'a> {
    Id(Option<Uuid>),
    Int(Option<i64>),
    Text(Option<Cow<'a, str>>),
    Bytes(&'a [u8]),
    Time(Option<Timestamp>),
    Flag(bool),
}

impl From<Uuid> for Value<'_> {
    fn from(id: Uuid) -> Self {
        Self::Id(Some(id))
    }
}

impl From<Option<Uuid>> for Value<'_> {
    fn from(id: Option<Uuid>) -> Self {
        Self::Id(id)
    }
}

impl From<Timestamp> for Value<'_> {
    fn from(time: Timestamp) -> Self {
        Self::Time(Some(time))
    }
}

impl From<Option<Timestamp>> for Value<'_> {
    fn from(time: Option<Timestamp>) -> Self {
        Self::Time(time)
    }
}

impl From<bool> for Value<'_> {
    fn from(flag: bool) -> Self {
        Self::Flag(flag)
    }
}

impl<'a> From<&'a str> for Value<'a> {
    fn from(text: &'a str) -> Self {
        Self::Text(Some(Cow::Borrowed(text)))
    }
}

impl From<String> for Value<'_> {
    fn from(text: String) -> Self {
        Self::Text(Some(Cow::Owned(text)))
    }
}

impl<'a> From<&'a [u8]> for Value<'a> {
    fn from(bytes: &'a [u8]) -> Self {
        Self::Bytes(bytes)
    }
}

impl<'a> From<&'a Currency> for Value<'a> {
    fn from(currency: &'a Currency) -> Self {
        Self::Text(Some(Cow::Borrowed(currency.code())))
    }
}

impl From<Percent> for Value<'_> {
    fn from(percent: Percent) -> Self {
        Self::Int(Some(percent.parts_per_million().into()))
    }
}

macro_rules! whole_numbers {
    ($($type:ty),*) => {$(
        impl From<$type> for Value<'_> {
            fn from(number: $type) -> Self {
                Self::Int(Some(number.into()))
            }
        }

        impl From<Option<$type>> for Value<'_> {
            fn from(number: Option<$type>) -> Self {
                Self::Int(number.map(Into::into))
            }
        }
    )*};
}
whole_numbers!(i64, i32, u32, u8);

/// A count from the core.
pub(crate) fn number(count: u64) -> i64 {
    // The core counts up from 1, one at a time.
    i64::try_from(count).unwrap_or(i64::MAX)
}

impl<'a> Column<'a> {
    pub(crate) fn of(kind: Kind, rows: usize) -> Self {
        match kind {
            Kind::Id => Self::Ids(Vec::with_capacity(rows)),
            Kind::Int => Self::Ints(Vec::with_capacity(rows)),
            Kind::Text => Self::Texts(Vec::with_capacity(rows)),
            Kind::Bytes => Self::Bytes(Vec::with_capacity(rows)),
            Kind::Time => Self::Times(Vec::with_capacity(rows)),
            Kind::Flag => Self::Flags(Vec::with_capacity(rows)),
        }
    }

    /// Ids, none of them missing.
    pub(crate) fn ids(ids: impl IntoIterator<Item = Uuid>) -> Self {
        Self::Ids(ids.into_iter().map(Some).collect())
    }

    pub(crate) fn push(&mut self, value: Value<'a>) {
        match (self, value) {
            (Self::Ids(ids), Value::Id(id)) => ids.push(id),
            (Self::Ints(ints), Value::Int(int)) => ints.push(int),
            (Self::Texts(texts), Value::Text(text)) => texts.push(text),
            (Self::Bytes(column), Value::Bytes(bytes)) => column.push(Some(bytes)),
            (Self::Times(times), Value::Time(time)) => times.push(time.map(Micros)),
            (Self::Flags(flags), Value::Flag(flag)) => flags.push(flag),
            (column, value) => debug_assert!(false, "{value:?} does not belong into {column:?}"),
        }
    }
}

impl Param<'_> {
    pub(crate) fn sql_type(&self) -> Type {
        match self {
            Self::Int(_) | Self::OptionalInt(_) => Type::INT8,
            Self::Time(_) => Type::TIMESTAMPTZ,
            Self::Id(_) | Self::OptionalId(_) => Type::UUID,
            Self::Text(_) => Type::TEXT,
            Self::Column(Column::Ids(_)) => Type::UUID_ARRAY,
            Self::Column(Column::Ints(_)) => Type::INT8_ARRAY,
            Self::Column(Column::Texts(_)) => Type::TEXT_ARRAY,
            Self::Column(Column::Bytes(_)) => Type::BYTEA_ARRAY,
            Self::Column(Column::Times(_)) => Type::TIMESTAMPTZ_ARRAY,
            Self::Column(Column::Flags(_)) => Type::BOOL_ARRAY,
        }
    }
}

impl ToSql for Param<'_> {
    fn to_sql(&self, sql_type: &Type, out: &mut BytesMut) -> Result<IsNull, Fault> {
        match self {
            Self::Int(value) => value.to_sql(sql_type, out),
            Self::OptionalInt(value) => value.to_sql(sql_type, out),
            Self::Time(value) => Micros(*value).to_sql(sql_type, out),
            Self::Id(value) => value.to_sql(sql_type, out),
            Self::OptionalId(value) => value.to_sql(sql_type, out),
            Self::Text(value) => value.to_sql(sql_type, out),
            Self::Column(Column::Ids(column)) => column.to_sql(sql_type, out),
            Self::Column(Column::Ints(column)) => column.to_sql(sql_type, out),
            Self::Column(Column::Texts(column)) => column.to_sql(sql_type, out),
            Self::Column(Column::Bytes(column)) => column.to_sql(sql_type, out),
            Self::Column(Column::Times(column)) => column.to_sql(sql_type, out),
            Self::Column(Column::Flags(column)) => column.to_sql(sql_type, out),
        }
    }

    fn accepts(_: &Type) -> bool {
        // The type is the parameter's own.
        true
    }

    to_sql_checked!();
}

/// Between 1970 and 2000, where Postgres begins to count.
const EPOCHS_APART: i64 = 946_684_800_000_000;

/// A moment, as Postgres counts it: in microseconds, as the ledger does.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Micros(pub(crate) Timestamp);

impl ToSql for Micros {
    fn to_sql(&self, _: &Type, out: &mut BytesMut) -> Result<IsNull, Fault> {
        // Both ends of the ledger's time are far from the ends of the number.
        out.extend_from_slice(&(self.0.micros() - EPOCHS_APART).to_be_bytes());
        Ok(IsNull::No)
    }

    fn accepts(sql_type: &Type) -> bool {
        *sql_type == Type::TIMESTAMPTZ
    }

    to_sql_checked!();
}

impl FromSql<'_> for Micros {
    fn from_sql(_: &Type, raw: &[u8]) -> Result<Self, Fault> {
        let micros = i64::from_be_bytes(raw.try_into()?).checked_add(EPOCHS_APART).ok_or("a time out of range")?;
        let time = Timestamp::from_micros(micros);
        if time.micros() == micros { Ok(Self(time)) } else { Err("a time out of range".into()) }
    }

    fn accepts(sql_type: &Type) -> bool {
        *sql_type == Type::TIMESTAMPTZ
    }
}

/// A whole number of any width.
struct Int(i64);

impl FromSql<'_> for Int {
    fn from_sql(_: &Type, raw: &[u8]) -> Result<Self, Fault> {
        match raw.len() {
            2 => Ok(Self(i16::from_be_bytes(raw.try_into()?).into())),
            4 => Ok(Self(i32::from_be_bytes(raw.try_into()?).into())),
            _ => Ok(Self(i64::from_be_bytes(raw.try_into()?))),
        }
    }

    fn accepts(sql_type: &Type) -> bool {
        matches!(*sql_type, Type::INT2 | Type::INT4 | Type::INT8)
    }
}

/// Reads the columns of a row one after another. What is read back is checked again: a code or id that does not exist is
/// corruption, not a default.
pub(crate) struct Columns<'r> {
    row: &'r Row,
    next: usize,
}

impl<'r> Columns<'r> {
    pub(crate) fn of(row: &'r Row) -> Self {
        Self { row, next: 0 }
    }

    fn get<T: FromSql<'r>>(&mut self) -> Result<T, StoreError> {
        let value = self.row.try_get(self.next).map_err(corrupt);
        self.next += 1;
        value
    }

    /// Leaves columns out.
    pub(crate) fn skip(&mut self, columns: usize) {
        self.next += columns;
    }

    pub(crate) fn int<T: TryFrom<i64>>(&mut self) -> Result<T, StoreError> {
        T::try_from(self.get::<Int>()?.0).map_err(|_| corrupt("a number out of range"))
    }

    pub(crate) fn optional_int<T: TryFrom<i64>>(&mut self) -> Result<Option<T>, StoreError> {
        let int = self.get::<Option<Int>>()?;
        int.map(|int| T::try_from(int.0).map_err(|_| corrupt("a number out of range"))).transpose()
    }

    pub(crate) fn id<T: From<Uuid>>(&mut self) -> Result<T, StoreError> {
        self.get::<Uuid>().map(Into::into)
    }

    pub(crate) fn optional_id<T: From<Uuid>>(&mut self) -> Result<Option<T>, StoreError> {
        Ok(self.get::<Option<Uuid>>()?.map(Into::into))
    }

    pub(crate) fn text(&mut self) -> Result<&'r str, StoreError> {
        self.get()
    }

    pub(crate) fn optional_text(&mut self) -> Result<Option<&'r str>, StoreError> {
        self.get()
    }

    pub(crate) fn bytes<const N: usize>(&mut self) -> Result<[u8; N], StoreError> {
        self.get::<&[u8]>()?.try_into().map_err(|_| corrupt("bytes of another length"))
    }

    pub(crate) fn flag(&mut self) -> Result<bool, StoreError> {
        self.get()
    }

    pub(crate) fn time(&mut self) -> Result<Timestamp, StoreError> {
        self.get::<Micros>().map(|time| time.0)
    }

    pub(crate) fn optional_time(&mut self) -> Result<Option<Timestamp>, StoreError> {
        Ok(self.get::<Option<Micros>>()?.map(|time| time.0))
    }

    pub(crate) fn currency(&mut self) -> Result<Currency, StoreError> {
        self.text()?.parse().map_err(corrupt)
    }

    pub(crate) fn percent(&mut self) -> Result<Percent, StoreError> {
        Percent::from_parts_per_million(self.int()?).ok_or_else(|| corrupt("a percentage above 100"))
    }

    pub(crate) fn optional_percent(&mut self) -> Result<Option<Percent>, StoreError> {
        let parts = self.optional_int::<u32>()?;
        let percent = |parts| Percent::from_parts_per_million(parts).ok_or_else(|| corrupt("a percentage above 100"));
        parts.map(percent).transpose()
    }

    /// A code: the place of a value among all values of its type.
    pub(crate) fn code<T: Copy>(&mut self, all: &[T]) -> Result<T, StoreError> {
        let code: usize = self.int()?;
        all.get(code).copied().ok_or_else(|| corrupt("an unknown code"))
    }
}

/// The code of a value: its place among all values of its type.
pub(crate) fn code<T: PartialEq>(all: &[T], value: T) -> i64 {
    let place = all.iter().position(|known| *known == value);
    place.and_then(|place| i64::try_from(place).ok()).unwrap_or(-1)
}
