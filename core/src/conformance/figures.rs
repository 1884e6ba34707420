//! Figures against a second, slower opinion: every one of them is counted again from the journal alone, lead by lead, on
//! random histories over seven weeks in which Casablanca's clocks change twice.

use std::collections::{BTreeMap, BTreeSet};

use chrono::{Days, NaiveDate};
use rust_decimal::{Decimal, RoundingStrategy};
use serde_json::{Value, json};
use uuid::Uuid;

use super::Case;
use super::ground::{Ground, entries, id, merchant};
use crate::alert::alert_level;
use crate::command::Command;
use crate::entry::{Fact, Recorded};
use crate::error::Error;
use crate::figures::MerchantFigures;
use crate::ids::{DepositId, LeadId, MerchantId, PartnerId};
use crate::lead::Source;
use crate::ledger::{Ledger, Options};
use crate::money::{Currency, to_decimal};
use crate::settings::Settings;
use crate::time::Timestamp;

pub(super) const CASES: &[Case] = &[
    ("figures are those counted again from the journal, on random histories", random_histories),
    ("figures count by the days of the zone that the host has set", other_zones),
    ("daily reports are refused before the first entry and beyond today", bounds),
    ("a lead reversed later is taken back from the day of its capture", reversed_later),
];

/// 2026-02-05T00:00:00Z: ten days before Casablanca puts its clocks back for Ramadan, and 45 before it puts them on.
const BEGIN: i64 = 1_770_249_600_000_000;

struct Dice(u64);

impl Dice {
    fn below(&mut self, sides: u64) -> u64 {
        // xorshift64*: good enough to pick commands, the same everywhere.
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        self.0.wrapping_mul(0x2545_F491_4F6C_DD1D) % sides
    }

    fn number(&mut self, kind: u32, of: u64) -> Uuid {
        let n = u32::try_from(self.below(of)).unwrap();
        id(kind + n)
    }
}

/// A command that somebody might send, most often one that is accepted.
fn command(dice: &mut Dice, who: MerchantId, leads: &mut u32) -> Command {
    let lead = |dice: &mut Dice, leads: u32| {
        let back = u32::try_from(dice.below(12)).unwrap();
        id::<Uuid>(10_000 + leads.saturating_sub(back))
    };
    let (name, mut with) = match dice.below(40) {
        0..16 => {
            *leads += 1;
            let value = 60 + dice.below(1_800);
            let source = Source::ALL[usize::try_from(dice.below(6)).unwrap()].name();
            let with = json!({
                "lead": id::<Uuid>(10_000 + *leads), "campaign": dice.number(200, 4), "partner": dice.number(9_001, 13),
                "value": value.to_string(), "source": source,
            });
            ("create_lead", with)
        }
        16..24 => {
            let score = (dice.below(4) > 0).then(|| 1 + dice.below(10));
            ("validate_lead", json!({ "lead": lead(dice, *leads), "score": score }))
        }
        24 | 25 => ("reject_lead", json!({ "lead": lead(dice, *leads), "reason": "no" })),
        26 | 27 => ("convert_lead", json!({ "lead": lead(dice, *leads) })),
        28 => ("lose_lead", json!({ "lead": lead(dice, *leads) })),
        29 | 30 => ("reverse_lead", json!({ "lead": lead(dice, *leads), "reason": "fraud" })),
        31 => ("top_up", json!({ "deposit": dice.number(100, 4), "amount": (100 + 10 * dice.below(60)).to_string() })),
        32 => {
            let amount = i64::try_from(dice.below(200)).unwrap() - 120;
            (
                "adjust_deposit",
                json!({ "deposit": dice.number(100, 4), "amount": amount.to_string(), "reason": "by hand" }),
            )
        }
        33 => {
            let (scope, deposit) = (dice.number(200, 4), dice.number(100, 8));
            ("open_deposit", json!({ "deposit": deposit, "campaign": scope, "amount": "2000" }))
        }
        34 => ("close_deposit", json!({ "deposit": dice.number(101, 7) })),
        35 => {
            let with = json!({ "top_up": dice.number(400, 9), "amount": "2500", "method": "stripe" });
            ("begin_top_up", with)
        }
        36 => {
            let top_up = dice.number(400, 9);
            let with = json!({ "top_up": top_up, "reference": format!("pi_{top_up}"), "received": "2500" });
            ("succeed_top_up", with)
        }
        37 => ("refund_top_up", json!({ "top_up": dice.number(400, 9), "amount": (1 + dice.below(900)).to_string() })),
        38 => {
            let name = ["dispute_top_up", "win_dispute", "lose_dispute"][usize::try_from(dice.below(3)).unwrap()];
            (name, json!({ "top_up": dice.number(400, 9) }))
        }
        _ => ("write_off", json!({ "reason": "gone" })),
    };
    with["merchant"] = json!(who);
    serde_json::from_value(json!({ "do": name, "with": with })).unwrap()
}

/// Four campaigns (one in yen, one that accepts by timeout), deposits, terms.
fn begin(ledger: &Ledger, who: MerchantId) {
    let send = |name: &str, mut with: Value| {
        with["merchant"] = json!(who);
        let command: Command = serde_json::from_value(json!({ "do": name, "with": with })).unwrap();
        ledger.submit(command).wait().unwrap();
    };
    send("register_campaign", json!({ "campaign": id::<Uuid>(200) }));
    send(
        "register_campaign",
        json!({ "campaign": id::<Uuid>(201), "on_timeout": "accept", "validation_window_hours": 30 }),
    );
    let yen = json!({ "campaign": id::<Uuid>(202), "currency": "JPY", "threshold": "800", "fixed": "80" });
    send("register_campaign", yen);
    send("register_campaign", json!({ "campaign": id::<Uuid>(203), "auto_stop": false }));
    send("open_deposit", json!({ "deposit": id::<Uuid>(100), "amount": "3000" }));
    send("open_deposit", json!({ "deposit": id::<Uuid>(101), "campaign": id::<Uuid>(202), "amount": "9000" }));
    send("open_deposit", json!({ "deposit": id::<Uuid>(102), "campaign": id::<Uuid>(203), "amount": "2000" }));
    send("set_agreement", json!({ "partner": id::<Uuid>(9_002), "share": "45.5", "payout_delay_days": 3 }));
}

/// Plays so many random commands, and looks after every `every` of them.
fn history(ground: &Ground, ledger: &Ledger, seed: u64, commands: u32, every: u32, look: &mut dyn FnMut()) {
    let mut dice = Dice(seed);
    let merchants = [merchant(1), merchant(2)];
    let mut at = Timestamp::from_micros(BEGIN);
    ground.clock.set(at);
    let mut leads = [0; 2];
    merchants.iter().for_each(|who| begin(ledger, *who));
    for n in 1..=commands {
        if dice.below(3) == 0 {
            // Minutes, hours, or more than a day.
            let seconds = [600, 10_000, 70_000, 200_000][usize::try_from(dice.below(4)).unwrap()];
            at = Timestamp::from_micros(at.micros() + 1_000_000 * i64::try_from(1 + dice.below(seconds)).unwrap());
            ground.clock.set(at);
        }
        let one = usize::from(dice.below(4) == 0);
        let command = command(&mut dice, merchants[one], &mut leads[one]);
        match ledger.submit(command).wait() {
            Ok(_) | Err(Error::Refused(_)) => {}
            Err(fault) => panic!("seed {seed}: {fault}"),
        }
        if n % every == 0 {
            look();
        }
    }
}

fn random_histories(ground: &Ground) {
    let (ledger, store) = (ground.ledger(), ground.store());
    let seed = 0x51AB_1E5E_ED00_0001;
    let (mut compared, mut days) = (0, BTreeSet::new());
    history(ground, &ledger, seed, 480, 40, &mut || {
        for who in [merchant(1), merchant(2)] {
            let found = ledger.merchant_figures(who).wait().unwrap();
            let journal = entries(&*store, who);
            let story = Story::of(&journal, "Africa/Casablanca");
            let missed = ledger.book(who).wait().unwrap().missed;
            for figures in &found.currencies {
                let mut expected = story.figures(figures.currency, ground.now());
                let missed = missed.get(&figures.currency).copied().unwrap_or_default();
                expected["trends"]["missed"] =
                    json!({ "leads": missed.leads, "commission": money(missed.commission, figures.currency) });
                same(&json!(figures), &expected, &format!("seed {seed:#x}, {who}, {}", figures.currency));
                compared += 1;
            }
            for deposit in &story.deposits {
                let card = ledger.balance_card(who, *deposit.0).wait().unwrap().unwrap();
                let expected = story.estimates(*deposit.0, card.available, ground.now());
                let what = format!("seed {seed:#x}, deposit {}", deposit.0);
                same(&json!([card.leads_left, card.days_left]), &expected, &what);
            }
            for back in [0, 1, 2, 5, 11] {
                let day = found.today.checked_sub_days(Days::new(back)).unwrap();
                if day >= story.day(journal[0].entry.at) {
                    days.insert(day);
                    let report = ledger.daily_report(who, day).wait().unwrap();
                    for figures in &report.currencies {
                        let found = json!(figures);
                        let expected = story.report(figures.currency, day);
                        for (name, value) in expected.as_object().unwrap() {
                            same(&found[name], value, &format!("seed {seed:#x}, {who}, {day}, {name}"));
                        }
                    }
                }
            }
        }
        both_sides(&ledger, &*store, ground.now());
    });
    assert!(compared > 40 && days.len() > 15, "{compared} compared, {} days", days.len());
    for who in [merchant(1), merchant(2)] {
        ledger.check(who).wait().unwrap();
    }
}

/// Partners' and the platform's figures, over both books.
fn both_sides(ledger: &Ledger, store: &dyn crate::store::Store, now: Timestamp) {
    let stories = [merchant(1), merchant(2)].map(|who| Story::of(&entries(store, who), "Africa/Casablanca"));
    let platform = ledger.platform_figures().wait().unwrap();
    assert_eq!(platform.at, now);
    for figures in &platform.currencies {
        let currency = figures.currency;
        let leads: Vec<&Told> = stories.iter().flat_map(|story| story.leads.values()).collect();
        same(&json!(figures.leads), &lead_figures(&leads, currency, |_| true), "the platform's leads");
        let total = |of: fn(&Story, Currency) -> Decimal| {
            money(stories.iter().map(|story| of(story, currency)).sum(), currency)
        };
        same(&json!(figures.deposited), &total(|story, currency| story.paid(currency, |_| true, 0)), "deposited");
        let books = [merchant(1), merchant(2)].map(|who| ledger.book(who).wait().unwrap());
        let holds = |book: &crate::view::BookView| {
            let deposits = book.deposits.values().filter(|row| row.currency == currency).map(|row| row.balance);
            let partners = book.partners.values().filter(|row| row.currency == currency);
            deposits.chain(partners.map(|row| row.held + row.payable + row.in_payout)).sum::<Decimal>()
        };
        assert_eq!(figures.owed, books.iter().map(holds).sum::<Decimal>());
    }
    for n in 0..13 {
        let partner: PartnerId = id(9_001 + n);
        let found = ledger.partner_figures(partner).wait().unwrap();
        for figures in &found.currencies {
            let leads: Vec<&Told> = stories.iter().flat_map(|story| story.leads.values()).collect();
            let expected = lead_figures(&leads, figures.currency, |told| told.partner == partner);
            same(&json!(figures.leads), &expected, "a partner's leads");
            let own = leads.iter().filter(|told| told.partner == partner && told.currency == figures.currency);
            let earned: Decimal = own.filter(|told| told.is_captured()).map(|told| told.part).sum();
            assert_eq!(figures.earned, earned);
            assert_eq!(
                figures.earned,
                figures.held + figures.payable + figures.in_payout + figures.paid
                    - figures_written_off(&stories, partner, figures.currency)
            );
        }
    }
}

fn figures_written_off(stories: &[Story; 2], partner: PartnerId, currency: Currency) -> Decimal {
    let of = |story: &Story| story.written_off.get(&(partner, currency)).copied().unwrap_or_default();
    stories.iter().map(of).sum()
}

fn same(found: &Value, expected: &Value, what: &str) {
    assert_eq!(found, expected, "{what}: found the first, counted the second");
}

fn money(amount: Decimal, currency: Currency) -> Value {
    let mut amount = amount;
    amount.rescale(currency.decimals());
    json!(amount.to_string())
}

/// A lead as the journal tells it.
#[derive(Clone)]
struct Told {
    partner: PartnerId,
    deposit: DepositId,
    currency: Currency,
    source: Source,
    value: Decimal,
    commission: Decimal,
    part: Decimal,
    created: NaiveDate,
    status: &'static str,
    decided: Option<NaiveDate>,
    score: Option<u8>,
}

impl Told {
    fn is_captured(&self) -> bool {
        ["validated", "converted", "lost"].contains(&self.status)
    }
}

/// What happened to money: what kind, when, where, how much.
struct Moved {
    kind: &'static str,
    day: NaiveDate,
    currency: Currency,
    amount: Decimal,
}

/// A book as its journal tells it.
struct Story {
    zone: chrono_tz::Tz,
    leads: BTreeMap<LeadId, Told>,
    /// By deposit: its currency, whether it is open, its balance, what is reserved, its reference, when it was opened.
    deposits: BTreeMap<DepositId, (Currency, bool, Decimal, Decimal, Decimal, NaiveDate)>,
    moved: Vec<Moved>,
    events: Vec<(&'static str, NaiveDate, Currency)>,
    /// The balance of all deposits by day, as it was after that day's last entry.
    balances: BTreeMap<(Currency, NaiveDate), Decimal>,
    first_day: BTreeMap<Currency, NaiveDate>,
    written_off: BTreeMap<(PartnerId, Currency), Decimal>,
}

impl Story {
    fn of(journal: &[Recorded], zone: &str) -> Self {
        let mut story = Self {
            zone: zone.parse().unwrap(),
            leads: BTreeMap::new(),
            deposits: BTreeMap::new(),
            moved: Vec::new(),
            events: Vec::new(),
            balances: BTreeMap::new(),
            first_day: BTreeMap::new(),
            written_off: BTreeMap::new(),
        };
        journal.iter().for_each(|recorded| story.take(recorded));
        story
    }

    fn day(&self, at: Timestamp) -> NaiveDate {
        at.to_utc().with_timezone(&self.zone).date_naive()
    }

    fn take(&mut self, recorded: &Recorded) {
        let entry = &recorded.entry;
        let day = self.day(entry.at);
        let currency = entry.postings.as_ref().map_or(Currency::MAD, crate::account::Postings::currency);
        let payments: i64 = entry
            .lines()
            .iter()
            .filter(|(account, _)| matches!(account, crate::account::Account::Payments(_)))
            .map(|(_, amount)| *amount)
            .sum();
        let paid = to_decimal(payments, currency);
        let kind = match entry.kind.name() {
            "open_deposit" | "top_up" | "succeed_top_up" => Some(("deposited", paid)),
            "refund_top_up" | "dispute_top_up" | "win_dispute" => Some(("refunded", -paid)),
            "close_deposit" => Some(("paid_back", -paid)),
            "adjust_deposit" => {
                let moved = entry.lines().iter().find(|line| matches!(line.0, crate::account::Account::Deposit(_)));
                Some(("adjusted", to_decimal(-moved.unwrap().1, currency)))
            }
            _ => None,
        };
        if let Some((kind, amount)) = kind {
            self.moved.push(Moved { kind, day, currency, amount });
            self.first_day.entry(currency).or_insert(day);
        }
        for fact in &entry.facts {
            match fact {
                Fact::DepositOpened { deposit, currency, .. } => {
                    let zero = Decimal::ZERO;
                    self.deposits.insert(*deposit, (*currency, true, zero, zero, zero, day));
                }
                Fact::LeadCreated { lead, partner, deposit, currency, source, value, commission, part, .. } => {
                    let of = |minor| to_decimal(minor, *currency);
                    let told = Told {
                        partner: *partner,
                        deposit: *deposit,
                        currency: *currency,
                        source: *source,
                        value: of(*value),
                        commission: of(*commission),
                        part: of(*part),
                        created: day,
                        status: "pending",
                        decided: None,
                        score: None,
                    };
                    self.deposits.get_mut(deposit).unwrap().3 += told.commission;
                    self.leads.insert(*lead, told);
                }
                Fact::LeadValidated { lead, score, .. } => {
                    self.decide(*lead, "validated", day);
                    self.leads.get_mut(lead).unwrap().score = *score;
                }
                Fact::LeadRejected { lead } => self.decide(*lead, "rejected", day),
                Fact::LeadExpired { lead } => self.decide(*lead, "expired", day),
                Fact::LeadConverted { lead } => self.end(*lead, "converted", day),
                Fact::LeadLost { lead } => self.end(*lead, "lost", day),
                Fact::LeadReversed { lead, .. } => self.end(*lead, "reversed", day),
                Fact::WrittenOff { partner: Some(partner), currency, amount } => {
                    *self.written_off.entry((*partner, *currency)).or_default() += to_decimal(*amount, *currency);
                }
                _ => {}
            }
        }
        for (account, amount) in entry.lines() {
            if let crate::account::Account::Deposit(deposit) = account {
                self.deposits.get_mut(deposit).unwrap().2 -= to_decimal(*amount, currency);
            }
        }
        for fact in &entry.facts {
            match fact {
                Fact::PaidIn { deposit, credited, .. } => {
                    let row = self.deposits.get_mut(deposit).unwrap();
                    if row.4.is_zero() {
                        row.4 = to_decimal(*credited, currency);
                    }
                }
                Fact::DepositClosed { deposit, .. } => self.deposits.get_mut(deposit).unwrap().1 = false,
                _ => {}
            }
        }
        for currency in [Currency::MAD, "JPY".parse().unwrap()] {
            let all = self.deposits.values().filter(|row| row.0 == currency).map(|row| row.2).sum();
            self.balances.insert((currency, day), all);
        }
    }

    fn decide(&mut self, lead: LeadId, status: &'static str, day: NaiveDate) {
        let told = self.leads.get_mut(&lead).unwrap();
        (told.status, told.decided) = (status, Some(day));
        self.deposits.get_mut(&told.deposit).unwrap().3 -= told.commission;
    }

    fn end(&mut self, lead: LeadId, status: &'static str, day: NaiveDate) {
        let told = self.leads.get_mut(&lead).unwrap();
        told.status = status;
        self.events.push((status, day, told.currency));
    }

    fn paid(&self, currency: Currency, admits: impl Fn(NaiveDate) -> bool, kind: usize) -> Decimal {
        let kind = ["deposited", "refunded", "paid_back", "adjusted"][kind];
        let own =
            self.moved.iter().filter(|moved| moved.kind == kind && moved.currency == currency && admits(moved.day));
        own.map(|moved| moved.amount).sum()
    }

    /// Commission captured on days that `admits` lets pass, and how many leads.
    fn captured(&self, admits: impl Fn(&Told) -> bool) -> (Decimal, u64) {
        let own = self.leads.values().filter(|told| told.is_captured() && admits(told));
        own.fold((Decimal::ZERO, 0), |(sum, count), told| (sum + told.commission, count + 1))
    }

    fn figures(&self, currency: Currency, now: Timestamp) -> Value {
        let today = self.day(now);
        let back = |days| today.checked_sub_days(Days::new(days)).unwrap();
        let leads: Vec<&Told> = self.leads.values().filter(|told| told.currency == currency).collect();
        let open: Vec<_> = self.deposits.values().filter(|row| row.0 == currency && row.1).collect();
        let (balance, reserved): (Decimal, Decimal) =
            (open.iter().map(|row| row.2).sum(), open.iter().map(|row| row.3).sum());
        let (paid, captured) = self.captured(|told| told.currency == currency);
        let parts: Decimal = leads.iter().filter(|told| told.is_captured()).map(|told| told.part).sum();
        let converted: Vec<_> = leads.iter().filter(|told| told.status == "converted").collect();
        let value: Decimal = converted.iter().map(|told| told.value).sum();
        let week =
            self.captured(|told| told.currency == currency && (back(7)..=back(1)).contains(&told.decided.unwrap()));
        let history = self.first_day.get(&currency).map_or(0, |first| (today - *first).num_days().min(7));
        let days: Vec<Value> = (0..7)
            .rev()
            .map(|days| {
                let day = back(days);
                let decided: Vec<_> = leads.iter().filter(|told| told.decided == Some(day)).collect();
                let good = decided.iter().filter(|told| told.is_captured()).count();
                json!({
                    "day": day,
                    "generated": leads.iter().filter(|told| told.created == day).count(),
                    "decided": decided.len(),
                    "validation_rate": ratio(good, decided.len()),
                })
            })
            .collect();
        let mut partners: BTreeMap<PartnerId, (Decimal, u64)> = BTreeMap::new();
        for told in leads.iter().filter(|told| told.is_captured()) {
            let own = partners.entry(told.partner).or_default();
            *own = (own.0 + told.commission, own.1 + 1);
        }
        let mut partners: Vec<_> = partners.into_iter().collect();
        partners.sort_by(|one, other| (other.1, one.0).cmp(&(one.1, other.0)));
        let partners: Vec<_> = partners
            .iter()
            .take(10)
            .map(|(partner, (sum, count))| json!({ "partner": partner, "captured": count, "commission": money(*sum, currency) }))
            .collect();
        let count = |source| leads.iter().filter(|told| told.source == source).count();
        let mut sources: Vec<_> = Source::ALL.iter().map(|source| (count(*source), source)).collect();
        sources.retain(|(count, _)| *count > 0);
        sources.sort_by_key(|(count, _)| std::cmp::Reverse(*count));
        let sources: Vec<_> =
            sources.iter().map(|(count, source)| json!({ "source": source.name(), "leads": count })).collect();
        let worst = open.iter().map(|row| alert_level(row.2, row.4)).max();
        json!({
            "currency": currency,
            "deposits": {
                "balance": money(balance, currency),
                "reserved": money(reserved, currency),
                "available": money(balance - reserved, currency),
                "brought_in": money(Decimal::ZERO, currency),
                "deposited": money(self.paid(currency, |_| true, 0), currency),
                "refunded": money(self.paid(currency, |_| true, 1), currency),
                "paid_back": money(self.paid(currency, |_| true, 2), currency),
                "adjusted": money(self.paid(currency, |_| true, 3), currency),
                "spent": money(paid, currency),
                "worst_level": worst,
                "days_left": lasts(balance - reserved, history, week.0),
            },
            "leads": lead_figures(&leads, currency, |_| true),
            "money": {
                "paid": money(paid, currency),
                "partners": money(parts, currency),
                "platform": money(paid - parts, currency),
                "average_commission": mean(paid, captured, currency),
                "cost_per_acquisition": mean(paid, converted.len() as u64, currency),
                "roi": if paid.is_zero() { Value::Null } else { json!(rounded((value - paid) / paid, 4).to_string()) },
            },
            "trends": { "days": days, "top_partners": partners, "top_sources": sources },
        })
    }

    fn estimates(&self, id: DepositId, available: Decimal, now: Timestamp) -> Value {
        let today = self.day(now);
        let back = |days| today.checked_sub_days(Days::new(days)).unwrap();
        let own = |told: &Told| told.deposit == id;
        let month = self.captured(|told| own(told) && told.decided.unwrap() >= back(29));
        let week = self.captured(|told| own(told) && (back(7)..=back(1)).contains(&told.decided.unwrap()));
        if !self.deposits[&id].1 {
            return json!([null, null]);
        }
        let opened = self.deposits[&id].5;
        let (sum, count) = if month.1 == 0 { (Decimal::from(60), 1) } else { month };
        json!([
            lasts(available, i64::try_from(count).unwrap(), sum),
            lasts(available, (today - opened).num_days().min(7), week.0)
        ])
    }

    fn report(&self, currency: Currency, day: NaiveDate) -> Value {
        let leads: Vec<&Told> = self.leads.values().filter(|told| told.currency == currency).collect();
        let decided: Vec<_> = leads.iter().filter(|told| told.decided == Some(day)).collect();
        let of = |status: &str| decided.iter().filter(|told| told.status == status).count();
        let good: Vec<_> = decided.iter().filter(|told| told.is_captured()).collect();
        let happened = |what: &str| {
            self.events.iter().filter(|(kind, on, of)| *kind == what && *on == day && *of == currency).count()
        };
        let at_end = |day: NaiveDate| {
            let last = self.balances.range(..=(currency, day)).rev().find(|((of, _), _)| *of == currency);
            last.map_or(Decimal::ZERO, |(_, balance)| *balance)
        };
        let moved = |kind| money(self.paid(currency, |on| on == day, kind), currency);
        json!({
            "opening_balance": money(at_end(day.pred_opt().unwrap()), currency),
            "closing_balance": money(at_end(day), currency),
            "generated": leads.iter().filter(|told| told.created == day).count(),
            "validated": good.len(),
            "rejected": of("rejected") + of("expired"),
            "expired": of("expired"),
            "validation_rate": ratio(good.len(), decided.len()),
            "converted": happened("converted"),
            "lost": happened("lost"),
            "reversed": happened("reversed"),
            "commission": money(good.iter().map(|told| told.commission).sum(), currency),
            "deposited": moved(0),
            "refunded": moved(1),
            "paid_back": moved(2),
            "adjusted": moved(3),
        })
    }
}

fn lead_figures(leads: &[&Told], currency: Currency, admits: impl Fn(&Told) -> bool) -> Value {
    let own: Vec<_> = leads.iter().filter(|told| told.currency == currency && admits(told)).collect();
    let of = |status: &str| own.iter().filter(|told| told.status == status).count();
    let captured = own.iter().filter(|told| told.is_captured()).count();
    let decided = own.len() - of("pending");
    let scores: Vec<u64> =
        own.iter().filter(|told| told.is_captured()).filter_map(|told| told.score).map(u64::from).collect();
    let score = Decimal::from(scores.iter().sum::<u64>());
    let average = (!scores.is_empty()).then(|| rounded(score / Decimal::from(scores.len()), 2).to_string());
    json!({
        "generated": own.len(),
        "pending": of("pending"),
        "validated": of("validated"),
        "ever_validated": captured,
        "rejected": of("rejected") + of("expired"),
        "expired": of("expired"),
        "converted": of("converted"),
        "lost": of("lost"),
        "reversed": of("reversed"),
        "validation_rate": ratio(captured, decided),
        "conversion_rate": ratio(of("converted"), captured),
        "average_score": average,
        "average_value": mean(own.iter().map(|told| told.value).sum(), own.len() as u64, currency),
    })
}

fn rounded(amount: Decimal, decimals: u32) -> Decimal {
    let mut amount = amount.round_dp_with_strategy(decimals, RoundingStrategy::MidpointAwayFromZero);
    amount.rescale(decimals);
    amount
}

fn ratio(over: usize, under: usize) -> Value {
    if under == 0 {
        return Value::Null;
    }
    json!(rounded(Decimal::from(over) / Decimal::from(under), 4).to_string())
}

fn mean(sum: Decimal, count: u64, currency: Currency) -> Value {
    if count == 0 {
        return Value::Null;
    }
    json!(rounded(sum / Decimal::from(count), currency.decimals()).to_string())
}

/// floor(available x count / spent).
fn lasts(available: Decimal, count: i64, spent: Decimal) -> Value {
    if count == 0 || spent <= Decimal::ZERO {
        return Value::Null;
    }
    let times = (available * Decimal::from(count) / spent).floor();
    json!(u64::try_from(times).unwrap())
}

fn other_zones(ground: &Ground) {
    // Half a day ahead, and half a day behind: hardly an entry is on the same day in both.
    for (zone, who) in [("Pacific/Kiritimati", merchant(1)), ("Pacific/Pago_Pago", merchant(2))] {
        let settings = Settings { time_zone: zone.parse().unwrap(), ..Settings::default() };
        let ledger = ground.ledger_on(ground.store(), Options { settings, ..Options::default() });
        let mut dice = Dice(7);
        let (mut leads, mut at) = (0, Timestamp::from_micros(BEGIN));
        ground.clock.set(at);
        begin(&ledger, who);
        for _ in 0..150 {
            at = at.plus_hours(u32::try_from(dice.below(6)).unwrap());
            ground.clock.set(at);
            let _ = ledger.submit(command(&mut dice, who, &mut leads)).wait();
        }
        let found: MerchantFigures = ledger.merchant_figures(who).wait().unwrap();
        assert_eq!(found.time_zone, zone);
        let story = Story::of(&entries(&*ground.store(), who), zone);
        for figures in found.currencies {
            let mut expected = story.figures(figures.currency, at);
            expected["trends"]["missed"] = json!(figures.trends.missed);
            same(&json!(figures), &expected, zone);
        }
        ledger.check(who).wait().unwrap();
    }
}

fn bounds(ground: &Ground) {
    let (ledger, who) = (ground.ledger(), merchant(1));
    let day = |text: &str| text.parse::<NaiveDate>().unwrap();
    let code = |day| ledger.daily_report(who, day).wait().unwrap_err().code();
    ground.clock.set(Timestamp::from_micros(BEGIN));
    assert_eq!(code(day("2026-02-05")), "before_first_entry");
    begin(&ledger, who);
    for (text, expected) in [
        ("2026-02-04", "before_first_entry"),
        ("0001-01-01", "before_first_entry"),
        ("2026-02-06", "day_not_begun"),
        ("9999-12-31", "day_not_begun"),
    ] {
        assert_eq!(code(day(text)), expected, "{text}");
    }
    for far in [NaiveDate::MIN, NaiveDate::MAX] {
        assert!(ledger.daily_report(who, far).wait().is_err());
    }
    let report = ledger.daily_report(who, day("2026-02-05")).wait().unwrap();
    assert!(!report.complete && report.currencies[1].opening_balance.is_zero());
    // An unknown merchant or partner has no figures, and no deposit a card.
    assert!(ledger.merchant_figures(merchant(9)).wait().unwrap().currencies.is_empty());
    assert!(ledger.partner_figures(id(9_999)).wait().unwrap().currencies.is_empty());
    assert_eq!(ledger.balance_card(who, id(9_999)).wait().unwrap(), None);
    assert!(ledger.pending_leads(who, None, 10).wait().unwrap().items.is_empty());
}

fn reversed_later(ground: &Ground) {
    let (ledger, who) = (ground.ledger(), merchant(1));
    ground.clock.set(Timestamp::from_micros(BEGIN));
    begin(&ledger, who);
    let send = |name: &str, mut with: Value| {
        with["merchant"] = json!(who);
        ledger.submit(serde_json::from_value(json!({ "do": name, "with": with })).unwrap()).wait().unwrap();
    };
    let lead = json!({ "lead": id::<Uuid>(10_001), "campaign": id::<Uuid>(200), "partner": id::<Uuid>(9_001), "value": "600" });
    send("create_lead", lead);
    send("validate_lead", json!({ "lead": id::<Uuid>(10_001) }));
    ground.clock.set(Timestamp::from_micros(BEGIN).plus_days(5));
    let captured = |day: &str| {
        let report = ledger.daily_report(who, day.parse().unwrap()).wait().unwrap();
        let mad = report.currencies.into_iter().find(|report| report.currency == Currency::MAD).unwrap();
        (mad.validated, mad.commission.to_string(), mad.reversed, mad.validation_rate.map(|rate| rate.to_string()))
    };
    assert_eq!(captured("2026-02-05"), (1, "60.00".to_owned(), 0, Some("1.0000".to_owned())));
    send("reverse_lead", json!({ "lead": id::<Uuid>(10_001), "reason": "double" }));
    assert_eq!(captured("2026-02-05"), (0, "0.00".to_owned(), 0, Some("0.0000".to_owned())));
    assert_eq!(captured("2026-02-10"), (0, "0.00".to_owned(), 1, None));
    // Through another handle as well, which has not seen the day.
    let elsewhere = ground.ledger();
    elsewhere.check(who).wait().unwrap();
    assert_eq!(elsewhere.merchant_figures(who).wait().unwrap(), ledger.merchant_figures(who).wait().unwrap());
}
