//! Amounts, percents, the commission and the alert ladder: the arithmetic of DOMAIN.md 2, 3 and 5.
//!
//! Amounts are `i128` minor units, percents are counted in 0.0001 %, so that nothing is ever
//! rounded but the two products of [`commission`].

/// The largest amount and the largest balance, in minor units (DOMAIN.md 2).
pub const LIMIT: i128 = i64::MAX as i128;

/// Decimals of a percent: a rate or share has at most four (DOMAIN.md 3).
pub const PERCENT_PLACES: u32 = 4;

/// 100 %, in units of 0.0001 %.
pub const WHOLE: i128 = 1_000_000;

/// How many decimals a currency has. The model knows only the currencies that its stories use.
pub fn decimals(currency: &str) -> u32 {
    match currency {
        "JPY" => 0,
        "TND" => 3,
        _ => 2,
    }
}

/// A decimal text as an integer count of its `places`-th decimal; `None` where it has more
/// decimals than that, zeros aside. What passes even `i128` comes back as its largest value.
pub fn scaled(text: &str, places: u32) -> Option<i128> {
    let (negative, digits) = match text.strip_prefix('-') {
        Some(rest) => (true, rest),
        None => (false, text),
    };
    let (whole, fraction) = digits.split_once('.').unwrap_or((digits, ""));
    let fraction = fraction.trim_end_matches('0');
    if fraction.len() > places as usize {
        return None;
    }
    let all = format!("{whole}{fraction:0<width$}", width = places as usize);
    let count = all.parse().unwrap_or(i128::MAX);
    Some(if negative { -count } else { count })
}

/// Whether a decimal text stands for more than zero.
pub fn is_positive(text: &str) -> bool {
    !text.starts_with('-') && !is_zero(text)
}

/// Whether a decimal text stands for zero.
pub fn is_zero(text: &str) -> bool {
    !text.contains(|c: char| ('1'..='9').contains(&c))
}

/// Minor units as a decimal text with all of the currency's decimals.
pub fn show(minor: i128, places: u32) -> String {
    let sign = if minor < 0 { "-" } else { "" };
    let digits = format!("{:0>width$}", minor.abs(), width = places as usize + 1);
    let (whole, fraction) = digits.split_at(digits.len() - places as usize);
    let point = if places == 0 { "" } else { "." };
    format!("{sign}{whole}{point}{fraction}")
}

/// What a lead costs and who earns it (DOMAIN.md 3).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Commission {
    /// `percentage` or `fixed`.
    pub kind: &'static str,
    /// The whole commission, in minor units.
    pub total: i128,
    /// The partner's part, rounded once.
    pub partner_part: i128,
    /// The remainder.
    pub platform_part: i128,
}

/// The commission of a lead of `value`; `rate` and `share` in units of 0.0001 %.
pub fn commission(value: i128, rate: i128, threshold: i128, fixed: i128, share: i128) -> Commission {
    let (kind, total) = if value < threshold { ("percentage", part(value, rate)) } else { ("fixed", fixed) };
    let partner_part = part(total, share);
    Commission { kind, total, partner_part, platform_part: total - partner_part }
}

/// A percentage of an amount that is not negative, rounded half away from zero.
fn part(amount: i128, percent: i128) -> i128 {
    (2 * amount * percent + WHOLE) / (2 * WHOLE)
}

/// How near to its end a deposit is; ordered from best to worst (DOMAIN.md 5).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Level {
    /// Over 50 %.
    Healthy,
    /// Over 20 %.
    Attention,
    /// Over 10 %.
    Warning,
    /// Over nothing.
    Critical,
    /// Nothing left, or nothing to measure by.
    Depleted,
}

impl Level {
    /// The name that the vectors use.
    pub fn name(self) -> &'static str {
        ["healthy", "attention", "warning", "critical", "depleted"][self as usize]
    }
}

/// The level of a measure (balance or available) against its reference.
pub fn level(measure: i128, reference: i128) -> Level {
    if measure <= 0 || reference <= 0 {
        Level::Depleted
    } else if measure * 2 > reference {
        Level::Healthy
    } else if measure * 5 > reference {
        Level::Attention
    } else if measure * 10 > reference {
        Level::Warning
    } else {
        Level::Critical
    }
}
