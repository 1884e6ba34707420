//! How answers look: tables, colours, amounts and times for people; JSON for programs.

use std::fmt::Write as _;
use std::io::{BufWriter, IsTerminal, Stdout, Write};

use anstyle::{AnsiColor, Color, RgbColor, Style};
use chrono_tz::Tz;
use leadledger::{Currency, Level, Timestamp};
use rust_decimal::Decimal;
use serde_json::Value;
use unicode_width::UnicodeWidthStr;

use crate::numbers::Numbers;

/// Which colours the terminal has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Colours {
    None,
    /// The sixteen that every terminal has.
    Ansi,
    True,
}

/// Where answers go.
pub(crate) struct Output {
    /// Answers as JSON.
    pub(crate) json: bool,
    /// Whether a person looks at it.
    pub(crate) terminal: bool,
    /// In which times are shown to people.
    pub(crate) zone: Tz,
    colours: Colours,
    numbers: Numbers,
    stdout: BufWriter<Stdout>,
}

impl Output {
    pub(crate) fn new(json: bool) -> Self {
        let terminal = std::io::stdout().is_terminal();
        Self {
            json,
            terminal,
            zone: leadledger::Settings::default().time_zone,
            colours: if terminal { Colours::of(|name| std::env::var(name).ok()) } else { Colours::None },
            numbers: Numbers::of_environment(),
            stdout: BufWriter::new(std::io::stdout()),
        }
    }

    /// A line for people.
    pub(crate) fn line(&mut self, line: impl std::fmt::Display) -> std::io::Result<()> {
        writeln!(self.stdout, "{line}")
    }

    /// A line for programs.
    pub(crate) fn json(&mut self, value: &Value) -> std::io::Result<()> {
        writeln!(self.stdout, "{value}")
    }

    /// The answer, in one of both forms.
    pub(crate) fn answer(&mut self, value: &Value, line: impl std::fmt::Display) -> std::io::Result<()> {
        if self.json { self.json(value) } else { self.line(line) }
    }

    /// Hands over what was written so far.
    pub(crate) fn flush(&mut self) -> std::io::Result<()> {
        self.stdout.flush()
    }

    /// Names and values under a title, in two columns of pairs.
    pub(crate) fn pairs(&mut self, title: &str, pairs: &[(&str, String)]) -> std::io::Result<()> {
        const LABEL: usize = 18;
        const VALUE: usize = 22;
        writeln!(self.stdout, "  {title}")?;
        // Down the left column, then down the right one.
        let half = pairs.len().div_ceil(2);
        let cell = |(label, value): &(&str, String)| {
            let padding = " ".repeat((LABEL + VALUE).saturating_sub(width(label) + width(value)));
            format!("{label} {padding}{value}")
        };
        for row in 0..half {
            let right = pairs.get(row + half).map(cell);
            let line = pairs.get(row).map(cell).into_iter().chain(right).collect::<Vec<_>>().join("    ");
            writeln!(self.stdout, "    {line}")?;
        }
        Ok(())
    }

    /// Columns under their titles, as wide as they must be.
    pub(crate) fn table(&mut self, columns: &[Column], rows: &[Vec<String>]) -> std::io::Result<()> {
        let titles: Vec<String> = columns.iter().map(|column| column.title().to_owned()).collect();
        let all = || std::iter::once(&titles).chain(rows);
        let widths: Vec<usize> = (0..columns.len())
            .map(|at| all().filter_map(|row| row.get(at)).map(|cell| width(cell)).max().unwrap_or(0))
            .collect();
        for row in all().filter(|row| row.iter().any(|cell| !cell.is_empty())) {
            let mut line = String::new();
            for ((cell, column), wide) in row.iter().zip(columns).zip(&widths) {
                let padding = " ".repeat(wide.saturating_sub(width(cell)));
                let (before, after) = if column.is_right() { (padding.as_str(), "") } else { ("", padding.as_str()) };
                let gap = if line.is_empty() { "" } else { "  " };
                let _ = write!(line, "{gap}{before}{cell}{after}");
            }
            writeln!(self.stdout, "{}", line.trim_end())?;
        }
        Ok(())
    }

    /// `1 234,50 MAD`.
    pub(crate) fn money(&self, amount: Decimal, currency: Currency) -> String {
        self.numbers.money(amount, currency)
    }

    /// A rate as percent; `-` over nothing.
    pub(crate) fn rate(&self, rate: Option<Decimal>) -> String {
        rate.map_or_else(none, |rate| self.numbers.rate(rate))
    }

    /// What is already in percent; `-` of nothing.
    pub(crate) fn percent(&self, percent: Option<Decimal>) -> String {
        percent.map_or_else(none, |percent| self.numbers.percent(percent))
    }

    /// How many.
    pub(crate) fn count(&self, count: u64) -> String {
        self.numbers.count(count)
    }

    /// An amount that may be missing.
    pub(crate) fn some_money(&self, amount: Option<Decimal>, currency: Currency) -> String {
        amount.map_or_else(none, |amount| self.money(amount, currency))
    }

    /// A number with its own decimals, that may be missing.
    pub(crate) fn some_decimal(&self, number: Option<Decimal>) -> String {
        number.map_or_else(none, |number| self.numbers.decimal(number))
    }

    /// An estimate: `~ 42`.
    pub(crate) fn about(&self, count: Option<u64>) -> String {
        count.map_or_else(none, |count| format!("~\u{a0}{}", self.count(count)))
    }

    /// To the second, in the ledger's time zone.
    pub(crate) fn time(&self, at: Timestamp) -> String {
        at.to_utc().with_timezone(&self.zone).format("%Y-%m-%d %H:%M:%S").to_string()
    }

    /// `text` as a badge in the colour of a level, which is seen on dark and on light terminals.
    pub(crate) fn on_level(&self, level: Level, text: &str) -> String {
        let Some(style) = self.colours.of_level(level) else { return text.to_owned() };
        format!("{style} {text} {style:#}")
    }
}

impl Drop for Output {
    fn drop(&mut self) {
        // Who ends well has flushed; who failed has said so.
        let _ = self.stdout.flush();
    }
}

/// A column of a table.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Column {
    /// Words, from the left.
    Text(&'static str),
    /// Numbers, to the right.
    Number(&'static str),
}

impl Column {
    const fn title(self) -> &'static str {
        match self {
            Self::Text(title) | Self::Number(title) => title,
        }
    }

    const fn is_right(self) -> bool {
        matches!(self, Self::Number(_))
    }
}

impl Colours {
    /// Of a terminal with these variables.
    fn of(variable: impl Fn(&str) -> Option<String>) -> Self {
        let says = |name: &str| variable(name).filter(|value| !value.is_empty());
        if says("NO_COLOR").is_some() || says("TERM").is_none_or(|term| term == "dumb") {
            return Self::None;
        }
        match says("COLORTERM").as_deref() {
            Some("truecolor" | "24bit") => Self::True,
            _ => Self::Ansi,
        }
    }

    fn of_level(self, level: Level) -> Option<Style> {
        let background: Color = match self {
            Self::None => return None,
            Self::Ansi => ansi(level).into(),
            Self::True => rgb(level.hex()).into(),
        };
        let text =
            if matches!(level, Level::Critical | Level::Depleted) { AnsiColor::BrightWhite } else { AnsiColor::Black };
        Some(Style::new().bg_color(Some(background)).fg_color(Some(text.into())))
    }
}

/// The nearest of the sixteen colours; yellow is orange on most terminals, and bright yellow is yellow.
const fn ansi(level: Level) -> AnsiColor {
    match level {
        Level::Healthy => AnsiColor::Green,
        Level::Attention => AnsiColor::BrightYellow,
        Level::Warning => AnsiColor::Yellow,
        Level::Critical => AnsiColor::Red,
        Level::Depleted => AnsiColor::Black,
    }
}

/// Of `#rrggbb`.
fn rgb(hex: &str) -> RgbColor {
    let part =
        |at: usize| hex.get(at..at + 2).and_then(|digits| u8::from_str_radix(digits, 16).ok()).unwrap_or_default();
    RgbColor(part(1), part(3), part(5))
}

/// How many cells of a terminal a text takes; escape sequences of colours take none.
fn width(text: &str) -> usize {
    let mut wide = 0;
    for (number, part) in text.split('\u{1b}').enumerate() {
        let shown = if number == 0 { part } else { part.split_once('m').map_or("", |(_, shown)| shown) };
        wide += shown.width();
    }
    wide
}

/// Text from outside, without what would control the terminal.
pub(crate) fn visible(text: &str) -> String {
    let shown = |c: char| if c.is_control() { c.escape_default().collect() } else { c.to_string() };
    text.chars().map(shown).collect()
}

/// Writes a text that was asked for, as it is.
pub(crate) fn print(text: &str) -> std::io::Result<()> {
    let mut stdout = std::io::stdout();
    stdout.write_all(text.as_bytes())?;
    stdout.flush()
}

/// What stands for nothing.
fn none() -> String {
    "-".to_owned()
}

/// The ends of an id, which tell it from others: those that were made at the same time begin alike.
pub(crate) fn short(id: impl std::fmt::Display) -> String {
    let id = id.to_string();
    match (id.get(..8), id.get(32..)) {
        (Some(first), Some(last)) => format!("{first}..{last}"),
        _ => id,
    }
}

/// `[####------]`: a part of a whole in so many cells, rounded down; full only where it is all.
pub(crate) fn bar(part: Decimal, whole: Decimal, cells: u32) -> String {
    let filled = (1..=cells).filter(|cell| part * Decimal::from(cells) >= whole * Decimal::from(*cell)).count();
    let filled = if whole > Decimal::ZERO && part > Decimal::ZERO { filled } else { 0 };
    let empty = usize::try_from(cells).unwrap_or_default() - filled;
    format!("[{}{}]", "#".repeat(filled), "-".repeat(empty))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn colours_are_for_terminals_that_have_them() {
        for (variables, colours) in [
            (&[("TERM", "xterm-256color"), ("COLORTERM", "truecolor")][..], Colours::True),
            (&[("TERM", "xterm")], Colours::Ansi),
            (&[("TERM", "xterm"), ("NO_COLOR", "")], Colours::Ansi),
            (&[("TERM", "xterm"), ("NO_COLOR", "1")], Colours::None),
            (&[("TERM", "dumb")], Colours::None),
            (&[("COLORTERM", "truecolor")], Colours::None),
        ] {
            let find = |name: &str| {
                let found = variables.iter().find(|(known, _)| *known == name);
                found.map(|(_, value)| (*value).to_owned())
            };
            assert_eq!(Colours::of(find), colours, "{variables:?}");
        }
    }

    #[test]
    fn every_level_has_its_own_colour_and_takes_no_room() {
        for colours in [Colours::Ansi, Colours::True] {
            let shown = Level::ALL.map(|level| {
                let style = colours.of_level(level).unwrap();
                let text = format!("{style}x{style:#}");
                assert_eq!(width(&text), 1, "{text:?}");
                text
            });
            assert_eq!(shown.iter().collect::<std::collections::BTreeSet<_>>().len(), 5, "{shown:?}");
        }
        assert_eq!(rgb("#f97316"), RgbColor(0xf9, 0x73, 0x16));
        assert!(Colours::None.of_level(Level::Healthy).is_none());
    }

    #[test]
    fn bars_are_full_only_where_all_is_there() {
        for (part, whole, expected) in [
            ("0", "5000", "[----------]"),
            ("499.99", "5000", "[----------]"),
            ("500", "5000", "[#---------]"),
            ("4999.99", "5000", "[#########-]"),
            ("5000", "5000", "[##########]"),
            ("9000", "5000", "[##########]"),
            ("10", "0", "[----------]"),
        ] {
            assert_eq!(bar(part.parse().unwrap(), whole.parse().unwrap(), 10), expected, "{part} of {whole}");
        }
    }

    #[test]
    fn text_from_outside_does_not_control_the_terminal() {
        assert_eq!(visible("caf\u{e9}\u{1b}[31m\u{7}\r\n"), "caf\u{e9}\\u{1b}[31m\\u{7}\\r\\n");
    }
}
