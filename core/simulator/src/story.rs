//! Endless seeded stories: commands that chain on one another, and as often miss.
//!
//! The generator plays along on a [`Model`] of its own, and notes the ids that came to be; so most
//! commands meet something in a fitting state, and some meet nothing. It never learns what an engine
//! answered. Moods shift what is likely, so that a story goes deep before it goes wide.

use crate::dice::Dice;
use crate::model::Model;
use crate::money;
use serde_json::{Map, Value, json};

const START_MICROS: i64 = 1_767_600_000_000_000; // 2026-01-05T08:00:00Z
const SECOND_MICROS: i64 = 1_000_000;
const HOUR_MICROS: i64 = 3600 * SECOND_MICROS;
const DAY_MICROS: i64 = 24 * HOUR_MICROS;

/// Commands and how likely they are in each mood: selling, paying, operating, earning.
const WEIGHTS: [(&str, [u32; 4]); 32] = [
    ("register_campaign", [3, 2, 6, 1]),
    ("update_campaign", [1, 1, 4, 1]),
    ("pause_campaign", [1, 0, 5, 0]),
    ("resume_campaign", [3, 1, 6, 1]),
    ("set_agreement", [2, 1, 4, 6]),
    ("open_deposit", [6, 4, 8, 2]),
    ("top_up", [3, 8, 6, 1]),
    ("adjust_deposit", [1, 2, 8, 1]),
    ("suspend_deposit", [0, 1, 6, 0]),
    ("resume_deposit", [2, 2, 8, 1]),
    ("close_deposit", [0, 2, 6, 0]),
    ("set_alert_settings", [1, 1, 6, 0]),
    ("set_auto_top_up", [0, 1, 4, 0]),
    ("run_due", [2, 1, 3, 3]),
    ("create_lead", [40, 10, 14, 24]),
    ("validate_lead", [30, 5, 8, 24]),
    ("reject_lead", [5, 1, 2, 2]),
    ("convert_lead", [3, 0, 1, 4]),
    ("lose_lead", [2, 0, 1, 3]),
    ("reverse_lead", [3, 2, 2, 10]),
    ("erase_customer", [1, 0, 2, 1]),
    ("begin_top_up", [3, 16, 4, 0]),
    ("attach_reference", [0, 6, 1, 0]),
    ("succeed_top_up", [3, 18, 3, 0]),
    ("fail_top_up", [0, 3, 1, 0]),
    ("cancel_top_up", [0, 3, 1, 0]),
    ("refund_top_up", [2, 8, 2, 1]),
    ("dispute_top_up", [2, 8, 1, 1]),
    ("win_dispute", [0, 5, 1, 0]),
    ("lose_dispute", [0, 3, 1, 0]),
    ("payouts", [2, 2, 2, 24]),
    ("write_off", [0, 4, 3, 6]),
];

/// Stripe more than once, so that references meet.
const METHODS: [&str; 8] = ["stripe", "stripe", "stripe", "stripe", "cmi", "bank_transfer", "crypto", "manual"];
const SOURCES: [&str; 6] = ["instagram", "tiktok", "whatsapp", "facebook", "direct", "other"];

/// One command of a story, ready for [`crate::model::Model::step`] and for the engine.
#[derive(Clone, Debug, PartialEq)]
pub struct Step {
    /// The ledger's clock, in microseconds since 1970 (UTC).
    pub at_micros: i64,
    /// The idempotency key, scoped to the merchant.
    pub key: Option<String>,
    /// The merchant's id, as also found in `with`.
    pub merchant: String,
    /// The command, named as in the vectors.
    pub command: String,
    /// The command's fields, as in the vectors.
    pub with: Value,
}

/// An id that was used, and the currency it goes with.
#[derive(Clone)]
struct Note {
    id: String,
    currency: &'static str,
}

#[derive(Clone, Default)]
struct Notes {
    merchant: String,
    campaigns: Vec<Note>,
    deposits: Vec<Note>,
    leads: Vec<Note>,
    top_ups: Vec<Note>,
    payouts: Vec<Note>,
    /// The successes told, to be told again.
    successes: Vec<Value>,
    references: Vec<String>,
    past: Vec<Step>,
    /// A lead that was refused for a while, perhaps: to be tried again.
    refused_lead: Option<Note>,
    /// The state after this merchant's last step, in MAD.
    seen: Value,
    /// When something may fall due.
    due: Vec<i64>,
}

/// A seeded generator of endless steps: the same seed tells the same story.
#[derive(Clone)]
pub struct Story {
    dice: Dice,
    model: Model,
    clock_micros: i64,
    clock_jumps: bool,
    mood: usize,
    /// The merchant of this step.
    here: usize,
    books: Vec<Notes>,
    partners: Vec<String>,
    told: u64,
}

impl Story {
    /// A story of one to three merchants.
    pub fn new(seed: u64) -> Self {
        let mut story = Story {
            dice: Dice::new(seed),
            model: Model::default(),
            clock_micros: START_MICROS,
            clock_jumps: false,
            mood: 0,
            here: 0,
            books: Vec::new(),
            partners: Vec::new(),
            told: 0,
        };
        for _ in 0..=story.below(3) {
            let merchant = story.fresh_id();
            story.books.push(Notes { merchant, ..Notes::default() });
        }
        story.partners = (0..3).map(|_| story.fresh_id()).collect();
        story
    }

    /// Lets the clock step backwards now and then.
    #[must_use]
    pub fn with_clock_jumps(mut self) -> Self {
        self.clock_jumps = true;
        self
    }

    /// The merchants of this story.
    pub fn merchants(&self) -> Vec<String> {
        self.books.iter().map(|book| book.merchant.clone()).collect()
    }

    /// The next step; a story never ends.
    #[expect(clippy::should_implement_trait, reason = "a story never ends: there is no Option")]
    pub fn next(&mut self) -> Step {
        self.told += 1;
        if self.one_in(25) {
            self.mood = self.below(4) as usize;
        }
        self.here = self.below(self.books.len() as u64) as usize;
        let at_micros = self.tick();
        let before = self.books[self.here].clone();
        let step = match self.again() {
            Some(past) => Step { at_micros, ..past },
            None => self.fresh_step(at_micros),
        };
        self.play_along(&step, &before);
        step
    }

    /// Plays the step on the story's own model, and drops most of the notes of what did not come to be.
    fn play_along(&mut self, step: &Step, before: &Notes) {
        let outcome = self.model.step(step.at_micros, step.key.as_deref(), &step.command, &step.with);
        let seen = self.model.state(step.at_micros, &step.merchant);
        let keep_all = self.one_in(12);
        let book = &mut self.books[self.here];
        if !keep_all {
            let new_lead = (book.leads.len() > before.leads.len()).then(|| book.leads.last().cloned());
            for (section, notes, known) in [
                ("campaigns", &mut book.campaigns, before.campaigns.len()),
                ("deposits", &mut book.deposits, before.deposits.len()),
                ("leads", &mut book.leads, before.leads.len()),
                ("top_ups", &mut book.top_ups, before.top_ups.len()),
            ] {
                if notes.last().is_some_and(|note| seen[section][&note.id].is_null()) {
                    notes.truncate(known);
                }
            }
            if outcome.result.is_err() {
                book.payouts.truncate(before.payouts.len());
                book.refused_lead = new_lead.flatten().or(book.refused_lead.take());
            }
        }
        book.seen = seen;
        book.past.push(step.clone());
        if book.past.len() > 40 {
            book.past.remove(0);
        }
    }

    // Chance.

    fn below(&mut self, bound: u64) -> u64 {
        self.dice.below(bound)
    }

    fn one_in(&mut self, n: u64) -> bool {
        self.dice.one_in(n)
    }

    fn between(&mut self, low: i64, high: i64) -> i64 {
        self.dice.between(low, high)
    }

    fn pick<T: Clone>(&mut self, all: &[T]) -> T {
        self.dice.pick(all)
    }

    fn fresh_id(&mut self) -> String {
        let (a, b) = (self.dice.bits(), self.dice.bits());
        format!(
            "{:08x}-{:04x}-4{:03x}-8{:03x}-{:012x}",
            a >> 32,
            (a >> 16) & 0xFFFF,
            a & 0xFFF,
            (b >> 48) & 0xFFF,
            b & 0xFFFF_FFFF_FFFF
        )
    }

    // Time and keys.

    /// From nothing to days; often to the microsecond at which something falls due.
    fn tick(&mut self) -> i64 {
        let now = self.clock_micros;
        let due = &mut self.books[self.here].due;
        due.retain(|at| *at > now);
        due.sort_unstable();
        let next_due = due.first().copied();
        let step = match self.below(100) {
            0..42 => 0,
            42..46 => 1,
            46..60 => self.between(1, 90) * SECOND_MICROS,
            60..85 => self.between(1, 120) * 60 * SECOND_MICROS,
            85..93 => self.between(1, 12) * HOUR_MICROS,
            93..98 => next_due.map_or(0, |at| at - now - self.between(0, 1)),
            98 => self.between(1, 3) * DAY_MICROS,
            _ => self.between(1, 20) * DAY_MICROS + self.between(0, DAY_MICROS),
        };
        self.clock_micros += step;
        if self.clock_jumps && self.one_in(30) {
            let jump = self.between(1, 2 * DAY_MICROS);
            if self.one_in(2) {
                self.clock_micros -= jump;
            }
            return now - jump;
        }
        self.clock_micros
    }

    /// A key used before: with the same command, in other digits, or with another command.
    fn again(&mut self) -> Option<Step> {
        if self.books[self.here].past.is_empty() || !self.one_in(14) {
            return None;
        }
        let past = self.books[self.here].past.clone();
        let mut step = self.pick(&past);
        match self.below(6) {
            0 | 1 => {}
            2 | 3 => {
                for field in ["amount", "received", "value"] {
                    if let Some(Value::String(decimal)) = step.with.get_mut(field)
                        && decimal.contains('.')
                    {
                        decimal.push('0');
                    }
                }
            }
            4 => {
                let other = self.fresh_step(step.at_micros);
                step = Step { key: step.key, ..other };
            }
            _ => {
                let fields = [("amount", json!("131.31")), ("value", json!("313.13")), ("score", json!(7))];
                for (field, other) in fields {
                    if let Some(value) = step.with.get_mut(field) {
                        *value = other;
                    }
                }
            }
        }
        Some(step)
    }

    // Ids.

    /// Mostly a recent one of these; now and then one that no command of this merchant made.
    fn known(&mut self, list: fn(&Notes) -> &Vec<Note>) -> Note {
        let notes = list(&self.books[self.here]).clone();
        if notes.is_empty() || self.one_in(30) {
            let other = self.below(self.books.len() as u64) as usize;
            let theirs = list(&self.books[other]).clone();
            if other != self.here && !theirs.is_empty() {
                return self.pick(&theirs);
            }
            return Note { id: self.fresh_id(), currency: "MAD" };
        }
        let recent = notes.len().saturating_sub(6);
        if self.one_in(4) { self.pick(&notes) } else { self.pick(&notes[recent..]) }
    }

    /// Mostly one that stands as the command wants it.
    fn fitting(&mut self, list: fn(&Notes) -> &Vec<Note>, section: &str, wanted: &[&str]) -> Note {
        let book = &self.books[self.here];
        let stands = |note: &&Note| {
            let entry = &book.seen[section][&note.id];
            let status = entry.as_str().or(entry["status"].as_str());
            status.is_some_and(|status| wanted.contains(&status))
        };
        let fitting: Vec<Note> = list(book).iter().filter(stands).cloned().collect();
        if fitting.is_empty() || self.one_in(4) { self.known(list) } else { self.pick(&fitting) }
    }

    /// The deposit to be opened by a payment, where one has to be.
    fn deposit_to_open(&mut self, currency: &'static str) -> String {
        let used = self.books[self.here].deposits.clone();
        if !used.is_empty() && self.one_in(8) {
            return self.pick(&used).id;
        }
        self.new_or_used(|n| &mut n.deposits, currency)
    }

    /// Mostly a new id, noted; now and then one used before.
    fn new_or_used(&mut self, list: fn(&mut Notes) -> &mut Vec<Note>, currency: &'static str) -> String {
        let used = list(&mut self.books[self.here]).clone();
        if !used.is_empty() && self.one_in(25) {
            return self.pick(&used).id;
        }
        let id = self.fresh_id();
        self.new_note(list, Note { id, currency })
    }

    fn new_note(&mut self, list: fn(&mut Notes) -> &mut Vec<Note>, note: Note) -> String {
        let id = note.id.clone();
        list(&mut self.books[self.here]).push(note);
        id
    }

    /// For a lead that was refused: the host tries the same id again.
    fn new_or_retried_lead(&mut self, currency: &'static str) -> String {
        if let Some(refused) = self.books[self.here].refused_lead.clone()
            && self.one_in(8)
        {
            return self.new_note(|n| &mut n.leads, refused);
        }
        self.new_or_used(|n| &mut n.leads, currency)
    }

    fn partner(&mut self) -> String {
        let partners = self.partners.clone();
        self.pick(&partners)
    }

    fn currency(&mut self) -> &'static str {
        match self.below(12) {
            0 => "JPY",
            1 => "TND",
            _ => "MAD",
        }
    }

    // Amounts.

    fn shown(currency: &str, minor: i64) -> Value {
        json!(money::show(i128::from(minor), money::decimals(currency)))
    }

    /// An amount of the state last seen, in minor units; zero where it is not there.
    fn exactly(&self, path: &[&str], currency: &str) -> i64 {
        let seen = path.iter().fold(&self.books[self.here].seen, |value, field| &value[field]);
        let minor = money::scaled(seen.as_str().unwrap_or("0"), money::decimals(currency));
        minor.and_then(|minor| i64::try_from(minor).ok()).unwrap_or(0)
    }

    /// Wrong in one of the ways in which an amount can be.
    fn wrong_amount(&mut self, currency: &str) -> Value {
        let zeros = "0".repeat(money::decimals(currency) as usize);
        json!(match self.below(6) {
            0 => "0".to_owned(),
            1 => money::show(-1200, money::decimals(currency)),
            2 => format!("120.{zeros}5"),
            3 => money::show(money::LIMIT + 1, money::decimals(currency)),
            4 => money::show(money::LIMIT, money::decimals(currency)),
            _ => format!("-0.{zeros}7"),
        })
    }

    /// Near a border, round, or anything from `low` to `high` minor units.
    fn amount(&mut self, currency: &str, borders: &[i64], low: i64, high: i64) -> Value {
        match self.below(30) {
            0 => self.wrong_amount(currency),
            1 => {
                let minor = i128::from(self.between(low, high));
                json!(money::show(minor * 10, money::decimals(currency) + 1))
            }
            2..11 => {
                let minor = self.pick(borders) + self.pick(&[0, 0, 0, 0, 1, -1]);
                Self::shown(currency, minor.max(1))
            }
            _ => {
                let minor = self.between(low, high);
                Self::shown(currency, minor)
            }
        }
    }

    fn opening_amount(&mut self, currency: &str) -> Value {
        match currency {
            "MAD" if self.one_in(12) => Self::shown("MAD", 1999_99),
            "MAD" => self.amount("MAD", &[2000_00, 2000_00, 2000_00, 5000_00], 2000_00, 3500_00),
            _ => self.amount(currency, &[1, 20_000, 100_000], 1, 60_000),
        }
    }

    fn top_up_amount(&mut self, currency: &str) -> Value {
        match currency {
            "MAD" => self.amount("MAD", &[100_00, 100_00, 2000_00], 90_00, 1500_00),
            _ => self.amount(currency, &[1, 10_000], 1, 30_000),
        }
    }

    fn value(&mut self, currency: &str) -> Value {
        match currency {
            "JPY" => self.amount("JPY", &[8000, 500, 1235], 100, 20_000),
            "TND" => self.amount("TND", &[250_000, 15_000, 100_005], 10_000, 500_000),
            _ => self.amount("MAD", &[50_00, 800_00, 1000_00, 5000_00, 10_00], 60_00, 6000_00),
        }
    }

    fn reason(&mut self) -> Value {
        let reasons = ["doublon", "correction", "litige", "fraude", "geste commercial"];
        json!(if self.one_in(12) { self.pick(&["", "  "]) } else { self.pick(&reasons) })
    }

    fn reference(&mut self, method: &str) -> String {
        let used = self.books[self.here].references.clone();
        if !used.is_empty() && self.one_in(12) {
            return self.pick(&used);
        }
        let reference = format!("{method}_{}", self.told);
        self.books[self.here].references.push(reference.clone());
        reference
    }

    fn may_fall_due(&mut self, at_micros: i64) {
        let due = &mut self.books[self.here].due;
        if due.len() < 200 {
            due.push(at_micros);
        }
    }

    // Commands.

    fn fresh_step(&mut self, at_micros: i64) -> Step {
        let command = self.command();
        let Value::Object(mut with) = self.fields(command, at_micros) else { unreachable!("fields are an object") };
        let merchant = self.books[self.here].merchant.clone();
        with.insert("merchant".to_owned(), json!(merchant));
        let key = (!self.one_in(20)).then(|| format!("k{}", self.told));
        Step { at_micros, key, merchant, command: command.to_owned(), with: Value::Object(with) }
    }

    fn command(&mut self) -> &'static str {
        let book = &self.books[self.here];
        if book.campaigns.is_empty() {
            return "register_campaign";
        }
        if book.deposits.is_empty() && !self.one_in(6) {
            return "open_deposit";
        }
        let total: u32 = WEIGHTS.iter().map(|(_, weights)| weights[self.mood]).sum();
        let mut at = self.below(u64::from(total)) as u32;
        let mut chosen = "run_due";
        for (command, weights) in WEIGHTS {
            if at < weights[self.mood] {
                chosen = command;
                break;
            }
            at -= weights[self.mood];
        }
        match chosen {
            "payouts" => self.pick(&["request_payout", "request_payout", "settle_payout", "cancel_payout"]),
            other => other,
        }
    }

    fn fields(&mut self, command: &str, at_micros: i64) -> Value {
        match command {
            "register_campaign" => self.register_campaign(),
            "update_campaign" => {
                let campaign = self.known(|n| &n.campaigns);
                let mut with = self.policy(campaign.currency, false);
                with.insert("campaign".to_owned(), json!(campaign.id));
                Value::Object(with)
            }
            "pause_campaign" => {
                json!({ "campaign": self.fitting(|n| &n.campaigns, "campaigns", &["active"]).id })
            }
            "resume_campaign" => {
                json!({ "campaign": self.fitting(|n| &n.campaigns, "campaigns", &["paused"]).id })
            }
            "set_agreement" => self.set_agreement(),
            "open_deposit" => self.open_deposit(),
            "top_up" | "adjust_deposit" | "suspend_deposit" | "resume_deposit" | "close_deposit"
            | "set_alert_settings" | "set_auto_top_up" => self.on_deposit(command),
            "create_lead" => self.create_lead(at_micros),
            "validate_lead" | "reject_lead" | "convert_lead" | "lose_lead" | "reverse_lead" | "erase_customer" => {
                self.on_lead(command, at_micros)
            }
            "begin_top_up" => self.begin_top_up(),
            "succeed_top_up" => self.succeed_top_up(),
            "attach_reference" | "fail_top_up" | "cancel_top_up" | "refund_top_up" | "dispute_top_up"
            | "win_dispute" | "lose_dispute" => self.on_top_up(command),
            "request_payout" => {
                let currency = self.currency();
                let amount = match currency {
                    "MAD" => self.amount("MAD", &[24_00, 18_00, 300_00, 1], 10, 60_00),
                    _ => self.amount(currency, &[37, 240, 3_000], 1, 1_000),
                };
                let payout = self.new_or_used(|n| &mut n.payouts, currency);
                let whose = self.partner();
                let mut with = json!({ "payout": payout, "partner": whose, "amount": amount });
                let payable = self.exactly(&["partners", &whose, "payable"], "MAD");
                if currency == "MAD" && payable > 0 && self.one_in(3) {
                    with["amount"] = Self::shown("MAD", payable + self.pick(&[0, 0, 0, 1]));
                }
                if currency != "MAD" {
                    with["currency"] = json!(currency);
                }
                with
            }
            "settle_payout" | "cancel_payout" => {
                let mut with = json!({ "payout": self.known(|n| &n.payouts).id });
                if command == "settle_payout" && self.one_in(3) {
                    with["method"] = json!(self.pick(&METHODS));
                }
                with
            }
            "write_off" => {
                let mut with = json!({ "reason": self.reason() });
                let partners = self.partners.clone();
                let owing = |whose: &&String| self.exactly(&["partners", whose, "payable"], "MAD") < 0;
                let owing: Vec<String> = partners.iter().filter(owing).cloned().collect();
                if !owing.is_empty() && self.one_in(2) {
                    with["partner"] = json!(self.pick(&owing));
                } else if self.one_in(2) {
                    with["partner"] = json!(self.partner());
                }
                let currency = self.currency();
                if currency != "MAD" {
                    with["currency"] = json!(currency);
                }
                with
            }
            _ => json!({}),
        }
    }

    fn register_campaign(&mut self) -> Value {
        let currency = self.currency();
        let campaign = self.new_or_used(|n| &mut n.campaigns, currency);
        let mut with = self.policy(currency, true);
        with.insert("campaign".to_owned(), json!(campaign));
        if currency != "MAD" {
            with.insert("currency".to_owned(), json!(currency));
        }
        Value::Object(with)
    }

    /// Some of a policy's fields, mostly sound ones; often with commissions that drain a deposit.
    fn policy(&mut self, currency: &str, whole: bool) -> Map<String, Value> {
        let mut with = Map::new();
        let mut set = |field: &str, value: Value| {
            with.insert(field.to_owned(), value);
        };
        let pairs: &[(&str, &str)] = match currency {
            "JPY" => &[("8000", "800"), ("8000", "8000"), ("1", "0"), ("5000", "4999")],
            "TND" => &[("250.000", "25.000"), ("250.000", "250.000"), ("100.005", "99.999")],
            _ => &[
                ("1000.00", "1000.00"),
                ("500.00", "500.00"),
                ("420.00", "199.99"),
                ("1000.00", "99.99"),
                ("2000.00", "400.00"),
                ("80.00", "80.01"),
            ],
        };
        let (threshold, fixed) = self.pick(pairs);
        let incomplete = currency != "MAD" && self.one_in(15);
        if self.one_in(2) || (whole && currency != "MAD") {
            set("threshold", json!(threshold));
            if !incomplete {
                set("fixed", json!(fixed));
            }
        }
        if self.one_in(3) {
            let rates = ["0", "7.5", "12.34", "33.33", "50", "100", "9.9999", "10.0000", "0.12340"];
            set("rate", json!(self.pick(&rates)));
        }
        if self.one_in(5) {
            set("default_share", json!(self.pick(&["0", "33.33", "45.5", "100", "20.0001"])));
        }
        if self.one_in(3) {
            let minimum = self.pick(&[0, 500, 50_00, 10_000]);
            set("minimum_value", Self::shown(currency, minimum));
        }
        if self.one_in(5) {
            set("minimum_quality", json!(self.between(1, 10)));
        }
        if self.one_in(2) {
            set("validation_window_hours", json!(self.pick(&[1, 2, 24, 24, 48, 100])));
        }
        if self.one_in(4) {
            set("auto_stop", json!(self.one_in(2)));
        }
        if self.one_in(3) {
            set("on_timeout", json!(self.pick(&["accept", "accept", "expire"])));
        }
        if self.one_in(20) {
            let wrong = [
                ("rate", json!("100.0001")),
                ("rate", json!("-1")),
                ("rate", json!("5.00001")),
                ("default_share", json!("101")),
                ("minimum_value", json!("-1")),
                ("minimum_value", json!("1.0001")),
                ("minimum_quality", json!(0)),
                ("minimum_quality", json!(11)),
                ("validation_window_hours", json!(0)),
            ];
            let (field, value) = self.pick(&wrong);
            set(field, value);
        }
        with
    }

    fn set_agreement(&mut self) -> Value {
        let shares = ["0", "20", "30", "33.3333", "45.5", "100", "90", "100.01", "-5", "12.34567"];
        let pool = if self.one_in(4) { &shares[..] } else { &shares[..7] };
        let mut with = json!({ "partner": self.partner(), "share": self.pick(pool) });
        if !self.one_in(3) {
            with["payout_delay_days"] = json!(self.pick(&[0, 1, 1, 3, 7, 14, -1]));
        }
        if self.one_in(2) {
            with["campaign"] = json!(self.known(|n| &n.campaigns).id);
        }
        with
    }

    /// The campaign that money is for, or none, with the currency it has and the one it is said to have.
    fn scope(&mut self) -> (Map<String, Value>, &'static str) {
        let mut with = Map::new();
        let currency = if self.one_in(2) {
            let campaign = self.known(|n| &n.campaigns);
            with.insert("campaign".to_owned(), json!(campaign.id));
            campaign.currency
        } else {
            self.currency()
        };
        let said = if self.one_in(20) { "TND" } else { currency };
        let campaign_says = with.contains_key("campaign");
        if (said != "MAD" && !campaign_says) || said != currency || (campaign_says && self.one_in(8)) {
            with.insert("currency".to_owned(), json!(said));
        }
        (with, if campaign_says { currency } else { said })
    }

    fn open_deposit(&mut self) -> Value {
        let (mut with, currency) = self.scope();
        let amount = self.opening_amount(currency);
        let deposit = self.new_or_used(|n| &mut n.deposits, currency);
        with.insert("deposit".to_owned(), json!(deposit));
        with.insert("amount".to_owned(), amount);
        if self.one_in(4) {
            with.insert("method".to_owned(), json!(self.pick(&METHODS)));
        }
        Value::Object(with)
    }

    fn on_deposit(&mut self, command: &str) -> Value {
        let wanted: &[&str] = match command {
            "resume_deposit" => &["suspended"],
            _ => &["active", "suspended"],
        };
        let Note { id, currency } = self.fitting(|n| &n.deposits, "deposits", wanted);
        let available = self.exactly(&["deposits", &id, "available"], currency);
        let mut with = json!({ "deposit": id });
        match command {
            "top_up" => {
                with["amount"] = self.top_up_amount(currency);
                if self.one_in(4) {
                    with["method"] = json!(self.pick(&METHODS));
                }
            }
            "adjust_deposit" => {
                let bound = if currency == "MAD" { 1500_00 } else { 20_000 };
                let minor = self.between(-bound, bound);
                with["amount"] = match self.below(12) {
                    0 => self.wrong_amount(currency),
                    1 => Self::shown(currency, -available - 1),
                    2..4 if available != 0 => Self::shown(currency, -available),
                    _ => Self::shown(currency, minor),
                };
                with["reason"] = self.reason();
            }
            "close_deposit" if self.one_in(3) => with["method"] = json!(self.pick(&METHODS)),
            "set_alert_settings" => {
                if !self.one_in(3) {
                    with["basis"] = json!(self.pick(&["balance", "available", "available"]));
                }
                if !self.one_in(3) {
                    with["reference"] = json!(self.pick(&["initial", "last_top_up", "last_top_up"]));
                }
            }
            "set_auto_top_up" => {
                with["threshold"] = self.amount(currency, &[500_00], 1, 900_00);
                with["amount"] = self.amount(currency, &[1000_00], 900_00, 3000_00);
            }
            _ => {}
        }
        with
    }

    fn create_lead(&mut self, at_micros: i64) -> Value {
        let campaign = self.fitting(|n| &n.campaigns, "campaigns", &["active"]);
        let value = self.value(campaign.currency);
        let lead = self.new_or_retried_lead(campaign.currency);
        for hours in [1, 24, 48, 72] {
            self.may_fall_due(at_micros + hours * HOUR_MICROS);
        }
        let mut with = json!({
            "lead": lead, "campaign": campaign.id, "partner": self.partner(), "value": value,
        });
        if !self.one_in(4) {
            with["source"] = json!(self.pick(&SOURCES));
        }
        with
    }

    fn on_lead(&mut self, command: &str, at_micros: i64) -> Value {
        let wanted: &[&str] = match command {
            "validate_lead" | "reject_lead" => &["pending"],
            "reverse_lead" => &["validated", "converted", "lost"],
            _ => &["validated"],
        };
        let mut with = json!({ "lead": self.fitting(|n| &n.leads, "leads", wanted).id });
        match command {
            "validate_lead" => {
                self.may_fall_due(at_micros + DAY_MICROS);
                if self.one_in(20) {
                    with["score"] = json!(self.pick(&[0, 11, -1]));
                } else if !self.one_in(5) {
                    with["score"] = json!(self.pick(&[1, 5, 6, 7, 8, 9, 10, 10, 10, 10]));
                }
            }
            "reject_lead" | "reverse_lead" => with["reason"] = self.reason(),
            _ => {}
        }
        with
    }

    fn begin_top_up(&mut self) -> Value {
        let (mut with, currency) = self.scope();
        let amount = if self.one_in(2) { self.opening_amount(currency) } else { self.top_up_amount(currency) };
        let top_up = self.new_or_used(|n| &mut n.top_ups, currency);
        with.insert("top_up".to_owned(), json!(top_up));
        with.insert("amount".to_owned(), amount);
        with.insert("method".to_owned(), json!(self.pick(&METHODS)));
        Value::Object(with)
    }

    fn succeed_top_up(&mut self) -> Value {
        let told = self.books[self.here].successes.clone();
        if !told.is_empty() && self.one_in(5) {
            let mut with = self.pick(&told[told.len().saturating_sub(8)..]);
            if self.one_in(4) {
                with["received"] = json!("1999");
            }
            return with;
        }
        let Note { id, currency } = self.fitting(|n| &n.top_ups, "top_ups", &["pending", "failed", "cancelled"]);
        let received = if self.one_in(2) { self.opening_amount(currency) } else { self.top_up_amount(currency) };
        let with = json!({
            "top_up": id,
            "reference": self.reference("ref"),
            "received": received,
            "deposit": self.deposit_to_open(currency),
        });
        self.books[self.here].successes.push(with.clone());
        with
    }

    fn on_top_up(&mut self, command: &str) -> Value {
        let wanted: &[&str] = match command {
            "refund_top_up" | "dispute_top_up" => &["succeeded"],
            "win_dispute" | "lose_dispute" => &["disputed"],
            _ => &["pending"],
        };
        let Note { id, currency } = self.fitting(|n| &n.top_ups, "top_ups", wanted);
        let mut with = json!({ "top_up": id });
        match command {
            "attach_reference" => with["reference"] = json!(self.reference("att")),
            "refund_top_up" if !self.one_in(3) => {
                with["amount"] = self.amount(currency, &[100_00, 2000_00], 1, 1800_00);
            }
            "win_dispute" => with["deposit"] = json!(self.deposit_to_open(currency)),
            _ => {}
        }
        with
    }
}
