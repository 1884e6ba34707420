//! Commission: a campaign's policy, and what it makes of a lead's value (DOMAIN.md chapter 3).

use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};

use crate::money::{Currency, to_decimal, to_minor, to_positive_minor};
use crate::percent::Percent;
use crate::refusal::Refusal;
use crate::shaped;

/// Commission terms, amounts in minor units of `currency`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Policy {
    /// The currency of all amounts here.
    pub currency: Currency,
    /// 1 at registration, one more with each change.
    pub version: u32,
    /// A lead below it is refused.
    pub minimum_value_minor: i64,
    /// From this value on the commission is `fixed`.
    pub threshold_minor: i64,
    /// Below the threshold: this part of the value.
    pub rate: Percent,
    /// From the threshold on; never above it, so that a commission never exceeds its lead's value.
    pub fixed_minor: i64,
    /// The partner's part of the commission where no agreement says another.
    pub default_share: Percent,
}

shaped! {
    /// What a caller says of a policy; what is left out has DOMAIN.md's default, or stays as it is in an update.
    #[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
    #[serde(deny_unknown_fields)]
    pub struct PolicyTerms {
        /// Smallest value of a lead, in the campaign's currency.
        #[serde(default, with = "crate::money::decimal_text::option", skip_serializing_if = "Option::is_none")]
        pub minimum_value: Option<Decimal>,
        /// Where the fixed commission begins.
        #[serde(default, with = "crate::money::decimal_text::option", skip_serializing_if = "Option::is_none")]
        pub threshold: Option<Decimal>,
        /// Percent of the value below the threshold, 0..=100.
        #[serde(default, with = "crate::money::decimal_text::option", skip_serializing_if = "Option::is_none")]
        pub rate: Option<Decimal>,
        /// The fixed commission.
        #[serde(default, with = "crate::money::decimal_text::option", skip_serializing_if = "Option::is_none")]
        pub fixed: Option<Decimal>,
        /// The partner's percent of the commission, 0..=100.
        #[serde(default, with = "crate::money::decimal_text::option", skip_serializing_if = "Option::is_none")]
        pub default_share: Option<Decimal>,
    }
}

/// How a commission was found.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum CommissionKind {
    /// A part of the value.
    Percentage,
    /// The fixed amount.
    Fixed,
}

impl CommissionKind {
    /// All of them.
    pub const ALL: &'static [Self] = &[Self::Percentage, Self::Fixed];

    /// A commission that has a rate is a percentage.
    pub(crate) fn of(rate: Option<Percent>) -> Self {
        if rate.is_some() { Self::Percentage } else { Self::Fixed }
    }

    /// The name in JSON and in the stores.
    pub fn name(self) -> &'static str {
        match self {
            Self::Percentage => "percentage",
            Self::Fixed => "fixed",
        }
    }
}

/// A commission and its exact split, in minor units.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Split {
    /// How it was found.
    pub kind: CommissionKind,
    /// The whole.
    pub commission_minor: i64,
    /// The partner's part, rounded.
    pub partner_minor: i64,
    /// The platform's part: the remainder.
    pub platform_minor: i64,
}

shaped! {
    /// The answer to a preview, and to creating a lead.
    #[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
    pub struct CommissionPreview {
        /// How it was found.
        pub kind: CommissionKind,
        /// The whole commission, in the policy's currency.
        pub commission: Decimal,
        /// The partner's part.
        pub partner_part: Decimal,
        /// The platform's part.
        pub platform_part: Decimal,
    }
}

impl CommissionPreview {
    pub(crate) fn of(split: Split, currency: Currency) -> Self {
        Self {
            kind: split.kind,
            commission: to_decimal(split.commission_minor, currency),
            partner_part: to_decimal(split.partner_minor, currency),
            platform_part: to_decimal(split.platform_minor, currency),
        }
    }
}

impl Policy {
    /// A new policy in `currency`: MAD has defaults for all terms, another currency must be given `threshold` and
    /// `fixed`. Refuses with `invalid_policy`.
    ///
    /// ```
    /// use leadledger::{Currency, Policy, PolicyTerms};
    /// let policy = Policy::new(Currency::MAD, PolicyTerms::default()).unwrap();
    /// assert_eq!(policy.fixed_minor, 8000);
    /// let refused = Policy::new("JPY".parse().unwrap(), PolicyTerms::default()).unwrap_err();
    /// assert_eq!(refused.code(), "invalid_policy");
    /// ```
    pub fn new(currency: Currency, terms: PolicyTerms) -> Result<Self, Refusal> {
        let mad = currency == Currency::MAD;
        let missing = |field| Err(Refusal::InvalidPolicy { field });
        let base = Self {
            currency,
            version: 0,
            minimum_value_minor: if mad { 5_000 } else { 0 },
            threshold_minor: if mad { 80_000 } else { i64::MAX },
            rate: Percent::whole(10),
            fixed_minor: if mad { 8_000 } else { 0 },
            default_share: Percent::whole(30),
        };
        let changed = base.changed(terms)?;
        match (mad, terms.threshold, terms.fixed) {
            (false, None, _) => missing("threshold"),
            (false, _, None) => missing("fixed"),
            _ => Ok(changed),
        }
    }

    /// This policy with other terms, and the next version. Refuses with `invalid_policy`.
    pub fn changed(self, terms: PolicyTerms) -> Result<Self, Refusal> {
        let amount = |field, given: Option<Decimal>, before| match given {
            None => Ok(before),
            Some(given) if given < Decimal::ZERO => Err(Refusal::InvalidPolicy { field }),
            Some(given) => match to_minor(given, self.currency) {
                Err(Refusal::AmountPrecision { .. }) => Err(Refusal::InvalidPolicy { field }),
                other => other,
            },
        };
        let percent = |field, given: Option<Decimal>, before| match given {
            None => Ok(before),
            Some(given) => Percent::new(given).ok_or(Refusal::InvalidPolicy { field }),
        };
        let policy = Self {
            currency: self.currency,
            version: self.version.saturating_add(1),
            minimum_value_minor: amount("minimum_value", terms.minimum_value, self.minimum_value_minor)?,
            threshold_minor: amount("threshold", terms.threshold, self.threshold_minor)?,
            rate: percent("rate", terms.rate, self.rate)?,
            fixed_minor: amount("fixed", terms.fixed, self.fixed_minor)?,
            default_share: percent("default_share", terms.default_share, self.default_share)?,
        };
        if policy.fixed_minor > policy.threshold_minor {
            return Err(Refusal::InvalidPolicy { field: "fixed" });
        }
        Ok(policy)
    }

    /// The commission of a lead of `value_minor` and its split by `share`.
    pub(crate) fn split(&self, value_minor: i64, share: Percent) -> Split {
        let (kind, commission_minor) = if value_minor < self.threshold_minor {
            (CommissionKind::Percentage, self.rate.of_minor(value_minor))
        } else {
            (CommissionKind::Fixed, self.fixed_minor)
        };
        let partner_minor = share.of_minor(commission_minor);
        Split { kind, commission_minor, partner_minor, platform_minor: commission_minor.saturating_sub(partner_minor) }
    }
}

/// What creating a lead of `value` would answer, without a ledger: the same commission, the same split.
/// Refuses as creating would: `invalid_amount`, `amount_precision`, `amount_too_large`, `value_below_minimum`.
///
/// ```
/// use leadledger::{Currency, Policy, PolicyTerms, preview_commission};
/// let policy = Policy::new(Currency::MAD, PolicyTerms::default()).unwrap();
/// let preview = preview_commission(&policy, policy.default_share, "600.00".parse().unwrap()).unwrap();
/// assert_eq!(preview.commission.to_string(), "60.00");
/// assert_eq!(preview.partner_part.to_string(), "18.00");
/// let refused = preview_commission(&policy, policy.default_share, "49.99".parse().unwrap()).unwrap_err();
/// assert_eq!(refused.code(), "value_below_minimum");
/// ```
pub fn preview_commission(policy: &Policy, share: Percent, value: Decimal) -> Result<CommissionPreview, Refusal> {
    let value_minor = to_positive_minor(value, policy.currency)?;
    if value_minor < policy.minimum_value_minor {
        return Err(Refusal::ValueBelowMinimum { minimum: to_decimal(policy.minimum_value_minor, policy.currency) });
    }
    Ok(CommissionPreview::of(policy.split(value_minor, share), policy.currency))
}
