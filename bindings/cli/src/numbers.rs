//! Amounts as the terminal's language writes them: digit by digit, never through a binary float.

use leadledger::Currency;
use num_format::{Grouping, Locale};
use rust_decimal::Decimal;

/// Languages that set a percent sign apart.
const SPACE_BEFORE_PERCENT: [&str; 13] = ["cs", "da", "de", "es", "fi", "fr", "lt", "nb", "ro", "ru", "sk", "sl", "sv"];

/// `fr` of `fr-MA`.
fn language(name: &str) -> &str {
    name.split('-').next().unwrap_or_default()
}

/// How numbers are written.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Numbers {
    /// `1234.50`, as in the locale `C`.
    Plain,
    /// As a language does.
    Of(Locale),
}

impl Numbers {
    /// Of this process's environment.
    pub(crate) fn of_environment() -> Self {
        Self::of(|name| std::env::var(name).ok())
    }

    /// The first of the variables that says something counts, as in POSIX.
    fn of(variable: impl Fn(&str) -> Option<String>) -> Self {
        let mut said = ["LC_ALL", "LC_MONETARY", "LC_NUMERIC", "LANG"].into_iter().filter_map(variable);
        Self::named(&said.find(|value| !value.is_empty()).unwrap_or_default())
    }

    /// Of `fr_MA.UTF-8`: the language in its country, else the language alone, else plain.
    fn named(locale: &str) -> Self {
        let name = locale.split(['.', '@']).next().unwrap_or_default().replace('_', "-");
        let language = language(&name);
        // That name means no language, and has separators of its own in the crate.
        if name == "POSIX" {
            return Self::Plain;
        }
        Locale::from_name(&name).or_else(|_| Locale::from_name(language)).map_or(Self::Plain, Self::Of)
    }

    /// An amount with its currency's decimals and code: `1 234,50 MAD`.
    pub(crate) fn money(self, mut amount: Decimal, currency: Currency) -> String {
        amount.rescale(currency.decimals());
        // The code stays on the amount's line.
        let space = if matches!(self, Self::Plain) { ' ' } else { '\u{a0}' };
        format!("{}{space}{currency}", self.decimal(amount))
    }

    /// A rate between 0 and 1 as percent with two decimals: `64,29 %`.
    pub(crate) fn rate(self, rate: Decimal) -> String {
        let mut percent = rate * Decimal::ONE_HUNDRED;
        percent.rescale(2);
        self.percent(percent)
    }

    /// What is already in percent, with the decimals that it has.
    pub(crate) fn percent(self, percent: Decimal) -> String {
        let space = match self {
            Self::Of(locale) if SPACE_BEFORE_PERCENT.contains(&language(locale.name())) => "\u{a0}",
            _ => "",
        };
        format!("{}{space}%", self.decimal(percent))
    }

    /// How many: `1 234`.
    pub(crate) fn count(self, count: u64) -> String {
        self.decimal(count.into())
    }

    /// A number with the decimals that it has.
    pub(crate) fn decimal(self, amount: Decimal) -> String {
        let Self::Of(locale) = self else { return amount.to_string() };
        let digits = amount.abs().to_string();
        let (whole, fraction) = digits.split_once('.').unwrap_or((&digits, ""));
        let minus = if amount.is_sign_negative() && !amount.is_zero() { locale.minus_sign() } else { "" };
        let point = if fraction.is_empty() { "" } else { locale.decimal() };
        format!("{minus}{}{point}{fraction}", grouped(whole, locale))
    }
}

/// Digits in groups of three from the right; in the Indian way, of two beyond the first three.
fn grouped(digits: &str, locale: Locale) -> String {
    let further = match locale.grouping() {
        Grouping::Standard => 3,
        Grouping::Indian => 2,
        Grouping::Posix => return digits.to_owned(),
    };
    let mut groups = Vec::new();
    let (mut rest, mut size) = (digits, 3);
    while rest.len() > size {
        let (before, group) = rest.split_at(rest.len() - size);
        groups.push(group);
        (rest, size) = (before, further);
    }
    groups.push(rest);
    groups.reverse();
    groups.join(locale.separator())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn money(locale: &str, amount: &str, currency: &str) -> String {
        Numbers::named(locale).money(amount.parse().unwrap(), currency.parse().unwrap())
    }

    #[test]
    fn amounts_are_written_as_the_language_writes_them() {
        for (locale, amount, currency, written) in [
            ("C", "1234567.50", "MAD", "1234567.50 MAD"),
            ("C.UTF-8", "1234.5", "MAD", "1234.50 MAD"),
            ("POSIX", "-1234.50", "MAD", "-1234.50 MAD"),
            ("", "1234.50", "MAD", "1234.50 MAD"),
            ("xx_YY", "1234.50", "MAD", "1234.50 MAD"),
            ("fr_FR.UTF-8", "1234.50", "MAD", "1\u{202f}234,50\u{a0}MAD"),
            ("fr", "-1234567.5", "MAD", "-1\u{202f}234\u{202f}567,50\u{a0}MAD"),
            ("fr_MA.UTF-8", "1234.50", "MAD", "1.234,50\u{a0}MAD"),
            ("ar_MA.UTF-8", "1234.50", "MAD", "1.234,50\u{a0}MAD"),
            ("ar_MA", "-1234.50", "MAD", "\u{200e}-1.234,50\u{a0}MAD"),
            ("en_US.UTF-8", "1234.50", "MAD", "1,234.50\u{a0}MAD"),
            ("en_GB@euro", "999.99", "EUR", "999.99\u{a0}EUR"),
            ("en_IN", "123456789.00", "INR", "12,34,56,789.00\u{a0}INR"),
            ("de_DE", "1000", "JPY", "1.000\u{a0}JPY"),
            ("fr", "0.000", "TND", "0,000\u{a0}TND"),
            ("fr", "-0.00", "MAD", "0,00\u{a0}MAD"),
            (
                "fr",
                "92233720368547758.07",
                "MAD",
                "92\u{202f}233\u{202f}720\u{202f}368\u{202f}547\u{202f}758,07\u{a0}MAD",
            ),
        ] {
            assert_eq!(money(locale, amount, currency), written, "{locale} {amount}");
        }
    }

    #[test]
    fn rates_are_percent_and_counts_are_grouped() {
        for (locale, rate, written) in [
            ("C", "0.6429", "64.29%"),
            ("fr_FR.UTF-8", "0.6429", "64,29\u{a0}%"),
            ("fr_FR.UTF-8", "-0.05", "-5,00\u{a0}%"),
            ("en_US.UTF-8", "23.6429", "2,364.29%"),
            ("de_DE", "1.0000", "100,00\u{a0}%"),
            ("ja_JP", "0", "0.00%"),
        ] {
            assert_eq!(Numbers::named(locale).rate(rate.parse().unwrap()), written, "{locale} {rate}");
        }
        assert_eq!(Numbers::named("fr_FR").count(1_234_567), "1\u{202f}234\u{202f}567");
        assert_eq!(Numbers::Plain.count(1_234_567), "1234567");
        assert_eq!(Numbers::named("en_US").percent("98.8".parse().unwrap()), "98.8%");
    }

    #[test]
    fn the_first_variable_that_says_something_counts() {
        for (variables, written) in [
            (&[("LANG", "fr_FR.UTF-8")][..], "1\u{202f}000"),
            (&[("LC_ALL", "C"), ("LANG", "fr_FR.UTF-8")], "1000"),
            (&[("LC_ALL", ""), ("LANG", "fr_FR.UTF-8")], "1\u{202f}000"),
            (&[("LC_MONETARY", "en_US"), ("LC_NUMERIC", "de_DE"), ("LANG", "fr_FR")], "1,000"),
            (&[("LC_NUMERIC", "de_DE"), ("LANG", "fr_FR")], "1.000"),
            (&[], "1000"),
        ] {
            let find = |name: &str| {
                let found = variables.iter().find(|(known, _)| *known == name);
                found.map(|(_, value)| (*value).to_owned())
            };
            assert_eq!(Numbers::of(find).decimal(Decimal::from(1000)), written, "{variables:?}");
        }
    }
}
