//! A rate or share: a percentage in 0..=100 with at most four decimals (DOMAIN.md chapter 3).

use rust_decimal::Decimal;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::money::{parse_decimal, share_of};

/// A percentage in 0..=100, exact to four decimals.
///
/// ```
/// use leadledger::Percent;
/// assert_eq!(Percent::new("33.33".parse().unwrap()).unwrap().of_minor(10_000), 3333);
/// assert!(Percent::new("100.0001".parse().unwrap()).is_none());
/// assert!(Percent::new("7.00001".parse().unwrap()).is_none());
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Percent(u32);

impl Percent {
    /// From a decimal such as `7.5`; none where it is outside 0..=100 or has over four decimals (zeros aside).
    pub fn new(percent: Decimal) -> Option<Self> {
        let percent = percent.normalize();
        let factor = 10_i128.checked_pow(4_u32.checked_sub(percent.scale())?)?;
        let parts = percent.mantissa().checked_mul(factor)?;
        u32::try_from(parts).ok().filter(|parts| *parts <= 1_000_000).map(Self)
    }

    /// From whole percents, for constants.
    pub(crate) const fn whole(percent: u8) -> Self {
        Self((percent as u32).saturating_mul(10_000))
    }

    /// This share of `minor` units, rounded half away from zero.
    pub fn of_minor(self, minor: i64) -> i64 {
        share_of(minor, self.0)
    }

    /// The decimal, without trailing zeros.
    pub fn to_decimal(self) -> Decimal {
        Decimal::from_i128_with_scale(i128::from(self.0), 4).normalize()
    }

    /// Ten-thousandths of a percent, 0..=1,000,000: how the stores keep it.
    pub const fn parts_per_million(self) -> u32 {
        self.0
    }

    /// The inverse of [`Percent::parts_per_million`].
    pub const fn from_parts_per_million(parts: u32) -> Option<Self> {
        if parts <= 1_000_000 { Some(Self(parts)) } else { None }
    }
}

impl std::fmt::Display for Percent {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.to_decimal().fmt(f)
    }
}

impl Serialize for Percent {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Percent {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = std::borrow::Cow::<'de, str>::deserialize(deserializer)?;
        let percent = parse_decimal(&text).map_err(serde::de::Error::custom)?;
        Self::new(percent).ok_or_else(|| serde::de::Error::custom("a percentage outside 0..=100"))
    }
}
