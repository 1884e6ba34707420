//! What every command must answer and leave behind, read from DOMAIN.md in the plainest way.
//!
//! Each command runs on a copy of its merchant's book, and the copy takes the book's place only
//! where nothing was refused: so a refused command changes nothing, whatever the order in which a
//! command checks and writes. Balances are sums of postings in one map, debit positive.

mod commands;
mod view;

use crate::money::{self, LIMIT, Level};
use serde_json::{Map, Value, json};
use std::collections::{BTreeMap, BTreeSet};

const HOUR_MICROS: i64 = 3_600_000_000;
const DAY_MICROS: i64 = 24 * HOUR_MICROS;
const HOME_CURRENCY: &str = "MAD";

/// The fields whose texts are decimals, so that `2000.0` and `2000.00` are one command.
const DECIMAL_FIELDS: [&str; 9] =
    ["amount", "received", "value", "threshold", "fixed", "minimum_value", "rate", "share", "default_share"];

type Refusal = &'static str;
type Answer = Map<String, Value>;

/// What one command answered, as the vectors tell it.
#[derive(Clone, Debug, PartialEq)]
pub struct Outcome {
    /// The answer's fields, or the code of the refusal.
    pub result: Result<Map<String, Value>, String>,
    /// Whether the answer is an earlier one, and this command did nothing.
    pub replayed: bool,
    /// The alerts raised (deposit, level), what fell due before the command included.
    pub alerts: Vec<(String, String)>,
    /// How often a remembered level improved, likewise.
    pub cleared: u32,
    /// How much fell due before the command: each an entry of its own.
    pub settled: u64,
}

/// Every merchant's book.
#[derive(Clone, Debug, Default)]
pub struct Model {
    books: BTreeMap<String, Book>,
}

impl Model {
    /// Plays one command of the merchant that `with` names, at `at_micros` since 1970 (UTC).
    ///
    /// Fields are trusted to be there and to be of their type, as in the vectors.
    pub fn step(&mut self, at_micros: i64, key: Option<&str>, command: &str, with: &Value) -> Outcome {
        let book = self.books.entry(text(with, "merchant").to_owned()).or_default();
        let now = at_micros.max(book.last_micros);
        (book.alerts, book.cleared) = (Vec::new(), 0);
        let due = book.settle(now);
        let (result, replayed) = book.decide(now, key, command, with, &due);
        book.outcome(result, replayed, &due)
    }

    /// What a look at a book does: what is due is settled, nothing else.
    pub fn look(&mut self, at_micros: i64, merchant: &str) -> Outcome {
        let book = self.books.entry(merchant.to_owned()).or_default();
        let now = at_micros.max(book.last_micros);
        (book.alerts, book.cleared) = (Vec::new(), 0);
        let due = book.settle(now);
        book.outcome(Ok(Answer::new()), false, &due)
    }

    /// A merchant's state as the vectors' `final` shows it, with what is due settled first;
    /// partners, platform and missed leads in MAD (see [`Model::state_in`]).
    pub fn state(&mut self, at_micros: i64, merchant: &str) -> Value {
        self.state_in(at_micros, merchant, HOME_CURRENCY)
    }

    /// The same, with partners, platform and missed leads in `currency`. Deposits, leads,
    /// campaigns and top-ups are those of all currencies.
    pub fn state_in(&mut self, at_micros: i64, merchant: &str, currency: &str) -> Value {
        let book = self.books.entry(merchant.to_owned()).or_default();
        book.settle(at_micros.max(book.last_micros));
        book.show(currency)
    }

    /// Checks the promises of DOMAIN.md 11 that a state alone can break; says what is broken.
    pub fn check(&self) -> Result<(), String> {
        self.books
            .iter()
            .try_for_each(|(merchant, book)| book.check().map_err(|broken| format!("merchant {merchant}: {broken}")))
    }
}

#[derive(Clone, Debug)]
struct Policy {
    minimum_value: i128,
    threshold: i128,
    fixed: i128,
    rate: i128,
    default_share: i128,
    minimum_quality: Option<i64>,
    window_hours: i64,
    auto_stop: bool,
    accept_on_timeout: bool,
}

#[derive(Clone, Copy, Debug, PartialEq)]
enum Running {
    Active,
    PausedByHand,
    PausedByDepletion,
}

#[derive(Clone, Debug)]
struct Campaign {
    currency: String,
    policy: Policy,
    running: Running,
}

#[derive(Clone, Copy, Debug, PartialEq)]
enum Standing {
    Active,
    SuspendedByHand,
    SuspendedForDebt,
    Closed,
}

#[derive(Clone, Debug)]
struct Deposit {
    number: usize,
    currency: String,
    campaign: Option<String>,
    standing: Standing,
    reserved: i128,
    remembered: Level,
    by_available: bool,
    by_last_top_up: bool,
    initial: i128,
    after_last_top_up: i128,
}

#[derive(Clone, Debug)]
struct Lead {
    number: usize,
    currency: String,
    partner: String,
    deposit: String,
    status: &'static str,
    commission: i128,
    partner_part: i128,
    delay_days: i64,
    minimum_quality: Option<i64>,
    accept_on_timeout: bool,
    expires_at: i64,
    /// Set while the partner's part is held.
    matures_at: Option<i64>,
}

#[derive(Clone, Debug)]
struct TopUp {
    currency: String,
    campaign: Option<String>,
    method: String,
    status: &'static str,
    received: i128,
    left: i128,
    deposit: String,
    reference: String,
}

#[derive(Clone, Debug)]
struct Payout {
    currency: String,
    partner: String,
    amount: i128,
    status: &'static str,
}

#[derive(Default)]
struct Due {
    expired: u64,
    accepted: u64,
    matured: u64,
}

#[derive(Clone, Debug)]
struct Book {
    last_micros: i64,
    /// (currency, account) to the sum of its postings, debit positive.
    accounts: BTreeMap<(String, String), i128>,
    campaigns: BTreeMap<String, Campaign>,
    /// (partner, campaign or none) to share and delay in days.
    agreements: BTreeMap<(String, Option<String>), (i128, i64)>,
    deposits: BTreeMap<String, Deposit>,
    leads: BTreeMap<String, Lead>,
    top_ups: BTreeMap<String, TopUp>,
    payouts: BTreeMap<String, Payout>,
    /// (method, reference) to the top-up that has it.
    references: BTreeMap<(String, String), String>,
    /// (currency, partner) to what was ever paid out; there from the first captured lead.
    paid: BTreeMap<(String, String), i128>,
    /// Lead to currency and commission.
    missed: BTreeMap<String, (String, i128)>,
    /// Key to the command that used it and its answer.
    keys: BTreeMap<String, (Value, Answer)>,
    alerts: Vec<(String, String)>,
    cleared: u32,
}

impl Default for Book {
    fn default() -> Self {
        Book {
            last_micros: i64::MIN,
            accounts: BTreeMap::new(),
            campaigns: BTreeMap::new(),
            agreements: BTreeMap::new(),
            deposits: BTreeMap::new(),
            leads: BTreeMap::new(),
            top_ups: BTreeMap::new(),
            payouts: BTreeMap::new(),
            references: BTreeMap::new(),
            paid: BTreeMap::new(),
            missed: BTreeMap::new(),
            keys: BTreeMap::new(),
            alerts: Vec::new(),
            cleared: 0,
        }
    }
}

fn text<'a>(with: &'a Value, field: &str) -> &'a str {
    with[field].as_str().unwrap_or("")
}

fn optional(with: &Value, field: &str) -> Option<String> {
    with[field].as_str().map(str::to_owned)
}

fn method(with: &Value) -> String {
    optional(with, "method").unwrap_or_else(|| "manual".to_owned())
}

fn own_currency(with: &Value) -> String {
    optional(with, "currency").unwrap_or_else(|| HOME_CURRENCY.to_owned())
}

fn ensure(holds: bool, refusal: Refusal) -> Result<(), Refusal> {
    if holds { Ok(()) } else { Err(refusal) }
}

/// A signed amount: precision, then size.
fn amount(with: &Value, field: &str, currency: &str) -> Result<i128, Refusal> {
    let minor = money::scaled(text(with, field), money::decimals(currency)).ok_or("amount_precision")?;
    ensure(minor.abs() <= LIMIT, "amount_too_large")?;
    Ok(minor)
}

fn positive_amount(with: &Value, field: &str, currency: &str) -> Result<i128, Refusal> {
    ensure(money::is_positive(text(with, field)), "invalid_amount")?;
    amount(with, field, currency)
}

fn reason(with: &Value) -> Result<(), Refusal> {
    ensure(!text(with, "reason").trim().is_empty(), "reason_required")
}

/// One of the configured minimums, which are MAD's; other currencies have none.
fn minimum(currency: &str, minor: i128) -> i128 {
    if currency == HOME_CURRENCY { minor } else { 0 }
}

fn minimum_opening(currency: &str) -> i128 {
    minimum(currency, 2000_00)
}

fn minimum_top_up(currency: &str) -> i128 {
    minimum(currency, 100_00)
}

fn percent(with: &Value, field: &str) -> Option<i128> {
    money::scaled(text(with, field), money::PERCENT_PLACES).filter(|p| (0..=money::WHOLE).contains(p))
}

/// `base` changed by the policy fields that are given.
fn policy(with: &Value, currency: &str, base: Policy) -> Result<Policy, Refusal> {
    let given = |field: &str| !with[field].is_null();
    let mut next = base;
    for (field, slot) in
        [("minimum_value", &mut next.minimum_value), ("threshold", &mut next.threshold), ("fixed", &mut next.fixed)]
    {
        if given(field) {
            let minor = money::scaled(text(with, field), money::decimals(currency));
            *slot = minor.filter(|m| (0..=LIMIT).contains(m)).ok_or("invalid_policy")?;
        }
    }
    for (field, slot) in [("rate", &mut next.rate), ("default_share", &mut next.default_share)] {
        if given(field) {
            *slot = percent(with, field).ok_or("invalid_policy")?;
        }
    }
    next.minimum_quality = with["minimum_quality"].as_i64().or(next.minimum_quality);
    next.window_hours = with["validation_window_hours"].as_i64().unwrap_or(next.window_hours);
    next.auto_stop = with["auto_stop"].as_bool().unwrap_or(next.auto_stop);
    if given("on_timeout") {
        next.accept_on_timeout = text(with, "on_timeout") == "accept";
    }
    let sound = next.fixed <= next.threshold
        && next.minimum_quality.is_none_or(|quality| (1..=10).contains(&quality))
        && next.window_hours > 0;
    ensure(sound, "invalid_policy")?;
    Ok(next)
}

/// The command as parsed: what two uses of one key are compared by.
fn parsed(command: &str, with: &Value) -> Value {
    let mut fields = with.as_object().cloned().unwrap_or_default();
    fields.retain(|_, value| !value.is_null());
    for field in DECIMAL_FIELDS {
        if let Some(Value::String(decimal)) = fields.get_mut(field)
            && decimal.contains('.')
        {
            *decimal = decimal.trim_end_matches('0').trim_end_matches('.').to_owned();
        }
    }
    json!([command, fields])
}

impl Book {
    fn outcome(&self, result: Result<Answer, Refusal>, replayed: bool, due: &Due) -> Outcome {
        Outcome {
            result: result.map_err(str::to_owned),
            replayed,
            alerts: self.alerts.clone(),
            cleared: self.cleared,
            settled: due.expired + due.accepted + due.matured,
        }
    }

    /// The key first, then the checks, on a copy.
    fn decide(
        &mut self,
        now: i64,
        key: Option<&str>,
        command: &str,
        with: &Value,
        due: &Due,
    ) -> (Result<Answer, Refusal>, bool) {
        let payload = parsed(command, with);
        if let Some((first, answer)) = key.and_then(|key| self.keys.get(key)) {
            return if *first == payload { (Ok(answer.clone()), true) } else { (Err("idempotency_mismatch"), false) };
        }
        // Keys only grow, and are the greater part of a book: they are not copied.
        let keys = std::mem::take(&mut self.keys);
        let mut trial = self.clone();
        self.keys = keys;
        let outcome = trial.run(now, command, with, due).and_then(|answer| {
            let fits = trial.accounts.values().all(|balance| balance.abs() <= LIMIT);
            ensure(fits, "amount_too_large").map(|()| answer)
        });
        match outcome {
            Ok(Some(answer)) => {
                trial.last_micros = now;
                trial.keys = std::mem::take(&mut self.keys);
                if let Some(key) = key {
                    trial.keys.insert(key.to_owned(), (payload, answer.clone()));
                }
                *self = trial;
                (Ok(answer), false)
            }
            Ok(None) => (Ok(Answer::new()), true),
            Err(code) => {
                self.missed = trial.missed;
                (Err(code), false)
            }
        }
    }

    /// `None` where the command was done before and is not to be done again.
    #[allow(clippy::panic, reason = "a command that the vectors do not name is a slip of whoever tells the story")]
    fn run(&mut self, now: i64, command: &str, with: &Value, due: &Due) -> Result<Option<Answer>, Refusal> {
        let answer = match command {
            "register_campaign" => self.register_campaign(with),
            "update_campaign" => self.update_campaign(with),
            "pause_campaign" => self.pause_campaign(with),
            "resume_campaign" => self.resume_campaign(with),
            "set_agreement" => self.set_agreement(with),
            "open_deposit" => self.open_deposit(with),
            "top_up" => self.top_up(with),
            "adjust_deposit" => self.adjust_deposit(with),
            "suspend_deposit" => self.suspend_deposit(with),
            "resume_deposit" => self.resume_deposit(with),
            "close_deposit" => self.close_deposit(with),
            "set_alert_settings" => self.set_alert_settings(with),
            "set_auto_top_up" => self.set_auto_top_up(with),
            "run_due" => Ok(json!({
                "expired": due.expired, "accepted": due.accepted, "matured": due.matured,
            })),
            "create_lead" => self.create_lead(now, with),
            "validate_lead" => self.validate_lead(now, with),
            "reject_lead" => self.reject_lead(with),
            "convert_lead" => self.conclude_lead(with, "converted"),
            "lose_lead" => self.conclude_lead(with, "lost"),
            "reverse_lead" => self.reverse_lead(with),
            "erase_customer" => self.lead(with).map(|_| json!({})),
            "begin_top_up" => self.begin_top_up(with),
            "attach_reference" => self.attach_reference(with),
            "succeed_top_up" => {
                if !self.succeed_top_up(with)? {
                    return Ok(None);
                }
                Ok(json!({}))
            }
            "fail_top_up" => self.move_top_up(with, "pending", "failed"),
            "cancel_top_up" => self.move_top_up(with, "pending", "cancelled"),
            "refund_top_up" => self.refund_top_up(with),
            "dispute_top_up" => self.dispute_top_up(with),
            "win_dispute" => self.win_dispute(with),
            "lose_dispute" => self.move_top_up(with, "disputed", "refunded"),
            "request_payout" => self.request_payout(with),
            "settle_payout" => self.end_payout(with, "paid"),
            "cancel_payout" => self.end_payout(with, "cancelled"),
            "write_off" => self.write_off(with),
            unknown => panic!("no such command: {unknown}"),
        }?;
        Ok(Some(answer.as_object().cloned().unwrap_or_default()))
    }

    // Time.

    /// Settles one after another what is due at `now`.
    fn settle(&mut self, now: i64) -> Due {
        let mut due = Due::default();
        while let Some((at, _, _, id)) = self.next_due().filter(|next| next.0 <= now) {
            self.last_micros = self.last_micros.max(at);
            let lead = self.leads[&id].clone();
            if lead.status != "pending" {
                let (held, payable) = (partner(&lead.partner, "held"), partner(&lead.partner, "payable"));
                self.post(&lead.currency, &[(held, lead.partner_part), (payable, -lead.partner_part)]);
                self.lead_mut(&id).matures_at = None;
                due.matured += 1;
            } else if lead.accept_on_timeout {
                self.capture(&id, at);
                due.accepted += 1;
            } else {
                self.release(&id, "expired");
                due.expired += 1;
            }
        }
        due
    }

    /// By due time, then timeouts before maturities, then in order of creation.
    fn next_due(&self) -> Option<(i64, u8, usize, String)> {
        let timeouts = self.leads.iter().filter(|(_, lead)| lead.status == "pending");
        let timeouts = timeouts.map(|(id, lead)| (lead.expires_at, 0, lead.number, id));
        let held = self.leads.iter().filter_map(|(id, lead)| Some((lead.matures_at?, 1, lead.number, id)));
        let next = timeouts.chain(held).min();
        next.map(|(at, kind, number, id)| (at, kind, number, id.clone()))
    }

    // Accounts.

    fn post(&mut self, currency: &str, postings: &[(String, i128)]) {
        for (account, debit) in postings {
            *self.accounts.entry((currency.to_owned(), account.clone())).or_default() += debit;
        }
    }

    fn account(&self, currency: &str, name: &str) -> i128 {
        self.accounts.get(&(currency.to_owned(), name.to_owned())).copied().unwrap_or(0)
    }

    fn debt(&self, currency: &str) -> i128 {
        self.account(currency, "receivable:merchant")
    }

    fn balance(&self, deposit: &str) -> i128 {
        -self.account(&self.deposits[deposit].currency, &format!("deposit:{deposit}"))
    }

    fn available(&self, deposit: &str) -> i128 {
        self.balance(deposit) - self.deposits[deposit].reserved
    }

    fn payable(&self, currency: &str, whose: &str) -> i128 {
        -self.account(currency, &partner(whose, "payable"))
    }

    // Looking things up.

    fn deposit_mut(&mut self, id: &str) -> &mut Deposit {
        self.deposits.get_mut(id).expect("the id was found before")
    }

    fn lead_mut(&mut self, id: &str) -> &mut Lead {
        self.leads.get_mut(id).expect("the id was found before")
    }

    fn top_up_mut(&mut self, id: &str) -> &mut TopUp {
        self.top_ups.get_mut(id).expect("the id was found before")
    }

    fn campaign_mut(&mut self, with: &Value) -> Result<&mut Campaign, Refusal> {
        self.campaigns.get_mut(text(with, "campaign")).ok_or("campaign_not_found")
    }

    fn lead(&self, with: &Value) -> Result<(String, Lead), Refusal> {
        let (id, lead) = self.leads.get_key_value(text(with, "lead")).ok_or("lead_not_found")?;
        Ok((id.clone(), lead.clone()))
    }

    fn top_up_of(&self, with: &Value) -> Result<(String, TopUp), Refusal> {
        let (id, top_up) = self.top_ups.get_key_value(text(with, "top_up")).ok_or("top_up_not_found")?;
        Ok((id.clone(), top_up.clone()))
    }

    /// The deposit that a command names, where it is open.
    fn open_named(&self, with: &Value) -> Result<(String, Deposit), Refusal> {
        let named = self.deposits.get_key_value(text(with, "deposit"));
        let (id, deposit) = named.ok_or("deposit_not_found")?;
        ensure(deposit.standing != Standing::Closed, "deposit_closed")?;
        Ok((id.clone(), deposit.clone()))
    }

    /// The currency of a command: that of what it names, where that exists, else its own.
    fn currency_of(&self, with: &Value) -> String {
        let campaign = self.campaigns.get(text(with, "campaign")).map(|c| &c.currency);
        let deposit = self.deposits.get(text(with, "deposit")).map(|d| &d.currency);
        campaign.or(deposit).cloned().unwrap_or_else(|| own_currency(with))
    }

    /// The campaign that a command may name must be there and have the currency it may say.
    fn scope(&self, with: &Value, currency: &str) -> Result<Option<String>, Refusal> {
        let campaign = optional(with, "campaign");
        if let Some(id) = &campaign {
            ensure(self.campaigns.contains_key(id), "campaign_not_found")?;
            let said = optional(with, "currency");
            ensure(said.is_none_or(|said| said == currency), "currency_mismatch")?;
        }
        Ok(campaign)
    }

    /// The open deposit of exactly this scope.
    fn open_for(&self, campaign: Option<&str>, currency: &str) -> Option<String> {
        let mut open = self.deposits.iter().filter(|(_, d)| d.standing != Standing::Closed);
        open.find(|(_, d)| d.campaign.as_deref() == campaign && d.currency == currency).map(|(id, _)| id.clone())
    }

    /// The deposit that a campaign draws on: its own, else the merchant-wide one.
    fn drawn_on_by(&self, campaign: &str) -> Option<String> {
        let currency = &self.campaigns[campaign].currency;
        self.open_for(Some(campaign), currency).or_else(|| self.open_for(None, currency))
    }

    fn drawing_on(&self, deposit: &str) -> Vec<String> {
        let drawing = |id: &&String| self.drawn_on_by(id).as_deref() == Some(deposit);
        self.campaigns.keys().filter(drawing).cloned().collect()
    }

    // Levels.

    fn level(&self, id: &str) -> Level {
        let deposit = &self.deposits[id];
        let measure = if deposit.by_available { self.available(id) } else { self.balance(id) };
        let reference = if deposit.by_last_top_up { deposit.after_last_top_up } else { deposit.initial };
        money::level(measure, reference)
    }

    /// Compares a deposit that moved with what was remembered of it.
    fn moved(&mut self, id: &str) {
        let (before, after) = (self.deposits[id].remembered, self.level(id));
        if self.deposits[id].standing != Standing::Closed && after > before {
            self.deposit_mut(id).remembered = after;
            self.alerts.push((id.to_owned(), after.name().to_owned()));
            if after == Level::Depleted {
                self.turn_campaigns(id, Running::Active, Running::PausedByDepletion);
            }
        }
        self.follow_up(id);
    }

    /// Takes note of a level that improved, never of one that fell.
    fn follow_up(&mut self, id: &str) {
        let (before, after) = (self.deposits[id].remembered, self.level(id));
        if self.deposits[id].standing != Standing::Closed && after < before {
            self.deposit_mut(id).remembered = after;
            self.cleared += 1;
            if before == Level::Depleted {
                self.turn_campaigns(id, Running::PausedByDepletion, Running::Active);
            }
        }
    }

    /// Pauses or resumes the campaigns that draw on a deposit.
    fn turn_campaigns(&mut self, deposit: &str, from: Running, to: Running) {
        for id in self.drawing_on(deposit) {
            let campaign = self.campaigns.get_mut(&id).expect("a key of this map");
            let may_turn = to == Running::Active || campaign.policy.auto_stop;
            if campaign.running == from && may_turn {
                campaign.running = to;
            }
        }
    }

    /// Only a reservation on a deposit measured by what is available moves its measure.
    fn reserve(&mut self, deposit: &str, change: i128) {
        self.deposit_mut(deposit).reserved += change;
        if change != 0 && self.deposits[deposit].by_available {
            self.moved(deposit);
        }
    }

    // Money in and out of deposits.

    /// Suspends deposits while there is debt, and ends that when there is none.
    fn suspend_by_debt(&mut self, currency: &str) {
        let indebted = self.debt(currency) > 0;
        let (from, to) = if indebted {
            (Standing::Active, Standing::SuspendedForDebt)
        } else {
            (Standing::SuspendedForDebt, Standing::Active)
        };
        let same = self.deposits.values_mut().filter(|d| d.currency == currency && d.standing == from);
        same.for_each(|deposit| deposit.standing = to);
    }

    /// A payment into a deposit, debt first.
    fn pay_in(&mut self, id: &str, amount: i128, method: &str) {
        let currency = self.deposits[id].currency.clone();
        let to_debt = self.debt(&currency).min(amount);
        let rest = amount - to_debt;
        self.post(
            &currency,
            &[
                (format!("payments:{method}"), amount),
                ("receivable:merchant".to_owned(), -to_debt),
                (format!("deposit:{id}"), -rest),
            ],
        );
        self.suspend_by_debt(&currency);
        if rest > 0 {
            let balance = self.balance(id);
            let deposit = self.deposit_mut(id);
            deposit.after_last_top_up = balance;
            if deposit.initial == 0 {
                deposit.initial = rest;
            }
            self.moved(id);
        }
    }

    fn open(
        &mut self,
        id: &str,
        campaign: Option<String>,
        currency: &str,
        amount: i128,
        method: &str,
    ) -> Result<(), Refusal> {
        ensure(!self.deposits.contains_key(id), "deposit_exists")?;
        let deposit = Deposit {
            number: self.deposits.len(),
            currency: currency.to_owned(),
            campaign,
            standing: Standing::Active,
            reserved: 0,
            remembered: Level::Healthy,
            by_available: false,
            by_last_top_up: false,
            initial: 0,
            after_last_top_up: 0,
        };
        self.deposits.insert(id.to_owned(), deposit);
        self.pay_in(id, amount, method);
        self.moved(id);
        if self.deposits[id].remembered != Level::Depleted {
            self.turn_campaigns(id, Running::PausedByDepletion, Running::Active);
        }
        Ok(())
    }

    /// Takes money back out: its own deposit first, then the others, then debt.
    fn take_out(&mut self, top_up: &TopUp, amount: i128) {
        let currency = top_up.currency.as_str();
        let mut order: Vec<(bool, usize, String)> = self
            .deposits
            .iter()
            .filter(|(_, d)| d.standing != Standing::Closed && d.currency == currency)
            .map(|(id, d)| (*id != top_up.deposit, d.number, id.clone()))
            .collect();
        order.sort();
        let mut missing = amount;
        self.post(currency, &[(format!("payments:{}", top_up.method), -amount)]);
        for (_, _, id) in order {
            let taken = self.available(&id).min(missing);
            if taken > 0 {
                missing -= taken;
                self.post(currency, &[(format!("deposit:{id}"), taken)]);
                self.moved(&id);
            }
        }
        self.post(currency, &[("receivable:merchant".to_owned(), missing)]);
        self.suspend_by_debt(currency);
    }

    /// Credits the open deposit of a top-up's scope, or opens it; gives the deposit.
    fn credit(&mut self, top_up: &TopUp, amount: i128, with: &Value) -> Result<String, Refusal> {
        if let Some(id) = self.open_for(top_up.campaign.as_deref(), &top_up.currency) {
            self.pay_in(&id, amount, &top_up.method);
            return Ok(id);
        }
        let id = text(with, "deposit").to_owned();
        self.open(&id, top_up.campaign.clone(), &top_up.currency, amount, &top_up.method)?;
        Ok(id)
    }

    // Leads.

    /// Captures a pending lead's reservation and splits it.
    fn capture(&mut self, id: &str, at: i64) {
        let lead = self.leads[id].clone();
        let bucket = if lead.delay_days > 0 { "held" } else { "payable" };
        self.deposit_mut(&lead.deposit).reserved -= lead.commission;
        self.post_commission(&lead, bucket, 1);
        self.paid.entry((lead.currency.clone(), lead.partner.clone())).or_default();
        let stored = self.lead_mut(id);
        stored.status = "validated";
        stored.matures_at = (lead.delay_days > 0).then(|| at + lead.delay_days * DAY_MICROS);
    }

    fn release(&mut self, id: &str, status: &'static str) {
        let lead = self.leads[id].clone();
        self.lead_mut(id).status = status;
        self.reserve(&lead.deposit, -lead.commission);
    }

    /// Moves a lead's commission from its deposit to those who earn it, or back.
    fn post_commission(&mut self, lead: &Lead, bucket: &str, direction: i128) {
        let platform_part = lead.commission - lead.partner_part;
        self.post(
            &lead.currency,
            &[
                (format!("deposit:{}", lead.deposit), direction * lead.commission),
                (partner(&lead.partner, bucket), -direction * lead.partner_part),
                ("platform:commission".to_owned(), -direction * platform_part),
            ],
        );
        if lead.commission != 0 {
            self.moved(&lead.deposit);
        }
    }
}

fn partner(id: &str, bucket: &str) -> String {
    format!("partner:{id}:{bucket}")
}
