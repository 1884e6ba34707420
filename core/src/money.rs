//! Money: an integer count of minor units in an ISO 4217 currency (DOMAIN.md chapter 2).
//!
//! Inside, amounts are `i64` minor units beside the currency of the thing they belong to. At every edge they are
//! [`Decimal`]s, and strings in JSON. Nothing here rounds except [`share_of`], once, half away from zero.

use rust_decimal::Decimal;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::error::InvalidInput;
use crate::refusal::Refusal;

/// An ISO 4217 currency.
///
/// ```
/// use leadledger::Currency;
/// assert_eq!("TND".parse::<Currency>().unwrap().decimals(), 3);
/// assert!("XYZ".parse::<Currency>().is_err());
/// ```
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Currency([u8; 3]);

/// Active ISO 4217 codes by their number of decimals.
const ZERO: &str = "BIF CLP DJF GNF ISK JPY KMF KRW PYG RWF UGX UYI VND VUV XAF XOF XPF";
const TWO: &str = "AED AFN ALL AMD AOA ARS AUD AWG AZN BAM BBD BDT BGN BMD BND BOB BOV BRL BSD BTN BWP BYN BZD CAD CDF \
    CHE CHF CHW CNY COP COU CRC CUP CVE CZK DKK DOP DZD EGP ERN ETB EUR FJD FKP GBP GEL GHS GIP GMD GTQ GYD HKD HNL \
    HTG HUF IDR ILS INR IRR JMD KES KGS KHR KPW KYD KZT LAK LBP LKR LRD LSL MAD MDL MGA MKD MMK MNT MOP MRU MUR MVR \
    MWK MXN MXV MYR MZN NAD NGN NIO NOK NPR NZD PAB PEN PGK PHP PKR PLN QAR RON RSD RUB SAR SBD SCR SDG SEK SGD SHP \
    SLE SOS SRD SSP STN SVC SYP SZL THB TJS TMT TOP TRY TTD TWD TZS UAH USD USN UYU UZS VED VES WST XCD XCG YER ZAR \
    ZMW ZWG";
const THREE: &str = "BHD IQD JOD KWD LYD OMR TND";
const FOUR: &str = "CLF UYW";

impl Currency {
    /// The Moroccan dirham, the default.
    pub const MAD: Self = Self(*b"MAD");

    /// All currencies.
    pub fn all() -> impl Iterator<Item = Self> {
        let codes = [ZERO, TWO, THREE, FOUR].into_iter().flat_map(str::split_whitespace);
        codes.filter_map(|code| code.as_bytes().try_into().ok().map(Self))
    }

    /// How many decimals an amount may have: MAD 2, JPY 0, TND 3.
    pub fn decimals(self) -> u32 {
        let code = self.code();
        match code {
            "MAD" | "EUR" | "USD" => 2,
            _ if ZERO.contains(code) => 0,
            _ if THREE.contains(code) => 3,
            _ if FOUR.contains(code) => 4,
            _ => 2,
        }
    }

    /// The three-letter code.
    pub fn code(&self) -> &str {
        std::str::from_utf8(&self.0).unwrap_or_default()
    }
}

impl std::str::FromStr for Currency {
    type Err = InvalidInput;
    fn from_str(text: &str) -> Result<Self, InvalidInput> {
        if text == "MAD" {
            return Ok(Self::MAD);
        }
        let known = Self::all().find(|currency| currency.code() == text);
        known.ok_or_else(|| InvalidInput::new("unknown_currency", "currency", "not an ISO 4217 code"))
    }
}

impl std::fmt::Display for Currency {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.code())
    }
}

impl std::fmt::Debug for Currency {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.code())
    }
}

impl Serialize for Currency {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.code())
    }
}

impl<'de> Deserialize<'de> for Currency {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = std::borrow::Cow::<'de, str>::deserialize(deserializer)?;
        text.parse().map_err(serde::de::Error::custom)
    }
}

/// An amount of `currency` in minor units: refused, never rounded, when it has more decimals than the currency has
/// (zeros aside) or does not fit.
pub fn to_minor(amount: Decimal, currency: Currency) -> Result<i64, Refusal> {
    let amount = amount.normalize();
    let spare = currency.decimals().checked_sub(amount.scale()).ok_or(Refusal::AmountPrecision { currency })?;
    let factor = 10_i128.checked_pow(spare).ok_or(Refusal::AmountTooLarge)?;
    let minor = amount.mantissa().checked_mul(factor).ok_or(Refusal::AmountTooLarge)?;
    match i64::try_from(minor) {
        Ok(minor) if minor != i64::MIN => Ok(minor),
        _ => Err(Refusal::AmountTooLarge),
    }
}

/// A positive amount: what is zero or negative is `invalid_amount`, before its precision is looked at.
pub(crate) fn to_positive_minor(amount: Decimal, currency: Currency) -> Result<i64, Refusal> {
    if amount <= Decimal::ZERO {
        return Err(Refusal::InvalidAmount);
    }
    to_minor(amount, currency)
}

/// The decimal of `minor` units, always with the currency's number of decimals (`60.00`).
pub fn to_decimal(minor: i64, currency: Currency) -> Decimal {
    Decimal::from_i128_with_scale(i128::from(minor), currency.decimals())
}

/// The largest mantissa of a [`Decimal`] that does not end in zero: with as many decimals as a currency can have it is
/// beyond every amount.
const LARGEST_ODD: i128 = 79_228_162_514_264_337_593_543_950_331;

/// Parses a decimal from text, without a limit to its length: what [`Decimal`] cannot hold becomes a value that
/// meets the same refusal (too precise, else too large), so that `1` followed by forty zeros is `amount_too_large`.
pub fn parse_decimal(text: &str) -> Result<Decimal, InvalidInput> {
    let fault = || InvalidInput::new("invalid_decimal", "amount", "not a plain decimal such as 600.00");
    let (negative, digits) = match text.strip_prefix('-') {
        Some(rest) => (true, rest),
        None => (false, text.strip_prefix('+').unwrap_or(text)),
    };
    let (whole, fraction) = digits.split_once('.').unwrap_or((digits, ""));
    let all_digits = |part: &str| part.bytes().all(|byte| byte.is_ascii_digit());
    if whole.is_empty() || !all_digits(whole) || !all_digits(fraction) || digits.ends_with('.') {
        return Err(fault());
    }
    let (whole, fraction) = (whole.trim_start_matches('0'), fraction.trim_end_matches('0'));
    let mut amount = if whole.len().saturating_add(fraction.len()) > 28 {
        let scale = u32::try_from(fraction.len()).unwrap_or(u32::MAX).min(28);
        Decimal::from_i128_with_scale(LARGEST_ODD, scale)
    } else {
        let whole = if whole.is_empty() { "0" } else { whole };
        let text = if fraction.is_empty() { whole.to_owned() } else { format!("{whole}.{fraction}") };
        text.parse().map_err(|_| fault())?
    };
    amount.set_sign_negative(negative);
    Ok(amount)
}

/// `minor x parts_per_million`, rounded half away from zero to the minor unit, once. `minor` is not negative.
pub(crate) fn share_of(minor: i64, parts_per_million: u32) -> i64 {
    let product = i128::from(minor).saturating_mul(i128::from(parts_per_million)).saturating_add(500_000);
    i64::try_from(product.saturating_div(1_000_000)).unwrap_or(i64::MAX)
}

/// Decimals as strings in JSON; a JSON number is refused, since it would have gone through a binary float.
pub(crate) mod decimal_text {
    use super::{Decimal, parse_decimal};
    use serde::{Deserialize, Deserializer, Serializer};
    use std::borrow::Cow;

    pub(crate) fn serialize<S: Serializer>(value: &Decimal, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&value.normalize().to_string())
    }

    pub(crate) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Decimal, D::Error> {
        parse_decimal(&Cow::<'de, str>::deserialize(deserializer)?).map_err(serde::de::Error::custom)
    }

    pub(crate) mod option {
        use super::{Cow, Decimal, Deserialize, Deserializer, Serializer, parse_decimal};

        #[allow(clippy::ref_option)] // serde's signature
        pub(crate) fn serialize<S: Serializer>(value: &Option<Decimal>, serializer: S) -> Result<S::Ok, S::Error> {
            match value {
                Some(value) => super::serialize(value, serializer),
                None => serializer.serialize_none(),
            }
        }

        pub(crate) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Decimal>, D::Error> {
            let text = Option::<Cow<'de, str>>::deserialize(deserializer)?;
            text.map(|text| parse_decimal(&text)).transpose().map_err(serde::de::Error::custom)
        }
    }
}
