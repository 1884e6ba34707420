//! Averages, rates and estimates out of whole counts: exact, rounded once. A rate over nothing is none, not zero.

use rust_decimal::Decimal;

use crate::lead;
use crate::money::Currency;

/// Decimals of a rate: 0.8333 is 83.33 %.
pub(super) const RATE_DECIMALS: u32 = 4;

/// `over / under`, rounded half away from zero to so many decimals; none over nothing, or beyond what a decimal holds.
pub(super) fn quotient(over: i128, under: i128, decimals: u32) -> Option<Decimal> {
    if under <= 0 {
        return None;
    }
    let scaled = over.checked_mul(10_i128.checked_pow(decimals)?)?;
    let (whole, rest) = (scaled.checked_div(under)?, scaled.checked_rem(under)?);
    let up = rest.unsigned_abs() >= under.unsigned_abs().checked_sub(rest.unsigned_abs())?;
    let rounded = if up { whole.checked_add(over.signum())? } else { whole };
    Decimal::try_from_i128_with_scale(rounded, decimals).ok()
}

/// A rate between counts.
pub(super) fn rate(over: u64, under: u64) -> Option<Decimal> {
    quotient(over.into(), under.into(), RATE_DECIMALS)
}

/// The average of a sum of minor units over so many things, rounded to the minor unit.
pub(super) fn average(sum_minor: i128, count: u64, currency: Currency) -> Option<Decimal> {
    quotient(sum_minor, count.into(), 0).map(|minor| minor_to_decimal(minor, currency))
}

fn minor_to_decimal(mut minor: Decimal, currency: Currency) -> Decimal {
    // A whole number, so that only its scale is to be set.
    minor.set_scale(currency.decimals()).unwrap_or_default();
    minor
}

/// A sum of minor units, which may be larger than any amount.
pub(super) fn sum(minor: i128, currency: Currency) -> Decimal {
    Decimal::try_from_i128_with_scale(minor, currency.decimals()).unwrap_or(Decimal::MAX)
}

/// See [`lead::times_left`](crate::lead::times_left): of what is there, which is never less than nothing.
pub(super) fn times_left(available: i128, count: u64, spent: i128) -> Option<u64> {
    u64::try_from(lead::times_left(available.max(0), count, spent)?).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quotients_round_half_away_from_zero_once() {
        for (over, under, decimals, expected) in [
            (5, 6, 4, Some("0.8333")),
            (2, 3, 4, Some("0.6667")),
            (1, 2, 0, Some("1")),
            (-1, 2, 0, Some("-1")),
            (-1, 3, 2, Some("-0.33")),
            (5, 2, 0, Some("3")),
            (49, 100, 0, Some("0")),
            (7, 7, 4, Some("1.0000")),
            (0, 7, 2, Some("0.00")),
            (7, 0, 2, None),
            (i128::MAX, 1, 0, None),
        ] {
            assert_eq!(quotient(over, under, decimals).map(|found| found.to_string()).as_deref(), expected);
        }
        assert_eq!(average(17_999, 3, Currency::MAD).unwrap().to_string(), "60.00");
        assert_eq!(average(10_001, 2, Currency::MAD).unwrap().to_string(), "50.01");
        assert_eq!(times_left(494_000, 1, 6_000), Some(82));
        assert_eq!((times_left(1, 0, 1), times_left(1, 1, 0), times_left(-5, 1, 1)), (None, None, Some(0)));
    }
}
