//! One seed, one story: played on two ledgers that share books in a store which fails, and compared with the model at
//! every step.
//!
//! Whatever the store does, the engine must answer as the model does: so a failure is never an excuse, only a reason
//! to send the command again. With a key that is safe; without one the feed tells whether it happened.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Barrier};
use std::time::Duration;

use leadledger::{
    Currency, Cursor, DueSettled, Ledger, ManualClock, MemoryStore, MerchantId, Options, Pending, Read, Recorded,
    Store, Timestamp, answer_fields,
};
use serde_json::{Map, Value, json};

use crate::caller::{Difference, Given, TRIES, Told, difference, is_injected, plug, send, show, submit};
use crate::counters::Counters;
use crate::dice::Dice;
use crate::feed::{Feed, News};
use crate::finding::Finding;
use crate::model::{Model, Outcome};
use crate::store::{FaultyStore, Injuries, Injury, Weather};
use crate::story::{Step, Story};

const CURRENCIES: [&str; 3] = ["MAD", "JPY", "TND"];

/// How often the engine tries a batch again. Two things can go wrong in one of its attempts (the commit, and the look
/// at who moved the book on), so that [`Weather::passing`] with half as many failures never comes to the caller.
const RETRIES: u32 = 6;
const PASSING: u32 = RETRIES / 2;

/// What a story is played on: books that are empty at first.
#[derive(Clone, Copy)]
pub struct Ground<'g> {
    /// A handle on them, for each ledger that is opened.
    pub open: &'g dyn Fn() -> Arc<dyn Store>,
    /// Waits until the feed of all books gives all that is committed: others on the same server may hold it back.
    pub settle: &'g dyn Fn(),
    /// Whether failures are injected.
    pub fails: bool,
}

/// Plays `steps` steps of the story of `seed` in memory, with failures; adds what it did to `counters`.
pub fn simulate(seed: u64, steps: usize, counters: &mut Counters) -> Result<(), Box<Finding>> {
    let kept: Arc<dyn Store> = Arc::new(MemoryStore::new());
    simulate_on(Ground { open: &|| Arc::clone(&kept), settle: &|| {}, fails: true }, seed, steps, counters)
}

/// The same on any store.
pub fn simulate_on(ground: Ground<'_>, seed: u64, steps: usize, counters: &mut Counters) -> Result<(), Box<Finding>> {
    let mut simulation = Simulation::new(ground, seed);
    let played = simulation.play(steps);
    simulation.counters.add_injuries(&simulation.injuries);
    counters.add(&simulation.counters);
    played
}

/// One of the two replicas.
struct Side {
    store: Arc<FaultyStore>,
    ledger: Ledger,
}

impl Side {
    fn open(ground: Ground<'_>, injuries: &Arc<Injuries>, clock: &Arc<ManualClock>, due_step: usize) -> Self {
        let store = Arc::new(FaultyStore::new((ground.open)(), Arc::clone(injuries)));
        let options = Options { retries: RETRIES, first_pause: Duration::ZERO, due_step, ..Options::default() };
        let shared = (Arc::<FaultyStore>::clone(&store), Arc::<ManualClock>::clone(clock));
        let ledger = Ledger::with_shared(shared.0, shared.1, options).expect("this machine can start threads");
        Self { store, ledger }
    }
}

struct Simulation<'g> {
    ground: Ground<'g>,
    seed: u64,
    told: usize,
    dice: Dice,
    story: Story,
    model: Model,
    injuries: Arc<Injuries>,
    clock: Arc<ManualClock>,
    now_micros: i64,
    due_step: usize,
    sides: [Side; 2],
    /// A step that was told too early for a burst.
    ahead: Option<Step>,
    merchants: Vec<String>,
    feeds: BTreeMap<String, Feed>,
    /// The same entries, as a subscriber to all books sees them.
    all: (Option<Cursor>, BTreeMap<String, Feed>),
    /// Merchant and key to the answer that was given first.
    answers: BTreeMap<(String, String), Map<String, Value>>,
    counters: Counters,
}

impl<'g> Simulation<'g> {
    fn new(ground: Ground<'g>, seed: u64) -> Self {
        // Apart from the story's own dice.
        let mut dice = Dice::new(!seed);
        let mut story = Story::new(seed);
        if dice.one_in(3) {
            story = story.with_clock_jumps();
        }
        let injuries = Arc::new(Injuries::default());
        let clock = Arc::new(ManualClock::new(Timestamp::from_micros(0)));
        let due_step = dice.pick(&[1, 3, 512]);
        let sides = [0, 1].map(|_| Side::open(ground, &injuries, &clock, due_step));
        let merchants = story.merchants();
        Self {
            ground,
            seed,
            told: 0,
            dice,
            merchants,
            story,
            model: Model::default(),
            injuries,
            clock,
            now_micros: 0,
            due_step,
            sides,
            ahead: None,
            feeds: BTreeMap::new(),
            all: (None, BTreeMap::new()),
            answers: BTreeMap::new(),
            counters: Counters::default(),
        }
    }

    fn play(&mut self, steps: usize) -> Result<(), Box<Finding>> {
        while self.told < steps {
            self.interlude()?;
            let told = self.next_told();
            // Commands get into each other's way most where something is due: each settles it.
            let (bursts, twins, crashes) = if told.outcome.settled > 0 { (30, 40, 10) } else { (15, 12, 5) };
            match self.dice.below(100) {
                rolled if rolled < bursts => self.burst(told)?,
                rolled if rolled < bursts + twins => self.twins(told)?,
                rolled if rolled < bursts + twins + crashes => self.crash(told)?,
                _ => self.single(told)?,
            }
        }
        self.end()?;
        self.counters.seeds = 1;
        Ok(())
    }

    // Commands.

    /// The story's next step; sometimes without its key.
    fn next_told(&mut self) -> Told {
        let mut step = self.ahead.take().unwrap_or_else(|| self.story.next());
        if self.dice.one_in(12) {
            step.key = None;
        }
        self.tell(step)
    }

    /// Tells the model, and sets the clock.
    fn tell(&mut self, step: Step) -> Told {
        self.told += 1;
        self.counters.steps += 1;
        self.now_micros = step.at_micros;
        self.clock.set(Timestamp::from_micros(step.at_micros));
        let outcome = self.model.step(step.at_micros, step.key.as_deref(), &step.command, &step.with);
        Told { step, outcome }
    }

    /// One command, sent until it is answered, now to one ledger, now to the other.
    fn single(&mut self, told: Told) -> Result<(), Box<Finding>> {
        let budget = if self.dice.one_in(8) { 40 } else { PASSING };
        self.weather(&Weather::rough(budget));
        let doubts = self.injuries.doubts();
        let side = self.side();
        let mut given = self.send(side, &told.step);
        while given.doubted && given.result.is_err() && told.step.key.is_none() {
            // Without a key nobody may send it again before knowing.
            let merchant = merchant_of(&told.step.merchant);
            let seq = self.feed(&told.step.merchant).seq();
            let entries =
                self.read("events", &told.step.merchant, |ledger| ledger.events(merchant, seq, usize::MAX))?;
            if let Some(done) = entries.iter().find(|recorded| !recorded.entry.kind.is_of_time()) {
                given.result = Ok(answer_fields(&done.entry));
            } else {
                let resent = given.resent + 1;
                given = self.send(side, &told.step);
                given.resent += resent;
            }
        }
        self.count_doubts(doubts, given.doubted);
        self.compare(vec![(told, given)], false)
    }

    /// Several commands at one moment, sent without waiting; each book's to one ledger.
    fn burst(&mut self, first: Told) -> Result<(), Box<Finding>> {
        let at_micros = first.step.at_micros;
        let mut burst = vec![first];
        for _ in 0..self.dice.below(7) {
            let step = self.story.next();
            if step.at_micros != at_micros {
                self.ahead = Some(step);
                break;
            }
            burst.push(self.tell(step));
        }
        self.counters.bursts += burst.len() as u64;
        self.weather(&Weather::passing(PASSING));
        let doubts = self.injuries.doubts();
        let sides: BTreeMap<String, usize> =
            self.merchants.clone().into_iter().map(|merchant| (merchant, self.side())).collect();
        // Behind a command that changes nothing and does not get through, all come into one batch.
        let held = self.dice.one_in(2).then(|| self.sides.each_ref().map(|side| side.store.hold()));
        let plugs = self.sides.each_ref().map(|side| side.ledger.submit(plug()).send());
        let sent: Vec<_> = burst
            .into_iter()
            .map(|told| {
                let pending = submit(&self.sides[sides[&told.step.merchant]].ledger, &told.step);
                (told, pending)
            })
            .collect();
        drop(held);
        for plug in plugs {
            let refused = plug.wait().err().map(|fault| fault.code());
            self.same("answer", "a lead that is not there", &json!("lead_not_found"), &json!(refused))?;
        }
        let answered: Vec<_> =
            sent.into_iter().map(|(told, pending)| (told, Given::of(pending.and_then(Pending::wait)))).collect();
        self.count_doubts(doubts, false);
        self.compare(answered, false)
    }

    /// The same command to both ledgers at once: two commands without a key, one with.
    fn twins(&mut self, one: Told) -> Result<(), Box<Finding>> {
        let other = self.tell(one.step.clone());
        self.counters.twins += 2;
        self.weather(&Weather::passing(PASSING));
        // What a ledger does not know of its commit matters most while the other one commits.
        let first = self.dice.pick(&[None, Some(Injury::AckLost), Some(Injury::Undone), Some(Injury::Undone)]);
        let side = self.side();
        if self.ground.fails {
            self.sides[side].store.set(self.dice.bits(), Weather { first, ..Weather::passing(PASSING) });
        }
        let doubts = self.injuries.doubts();
        let start = Barrier::new(2);
        let [mut first, mut second] = std::thread::scope(|scope| {
            let send = |side: usize| {
                let (ledger, step, start) = (&self.sides[side].ledger, &one.step, &start);
                scope.spawn(move || {
                    start.wait();
                    Given::of(submit(ledger, step).and_then(Pending::wait))
                })
            };
            [send(0), send(1)].map(|thread| thread.join().expect("sending does not panic"))
        });
        self.count_doubts(doubts, false);
        // Nobody can say which of the two came first.
        if difference(&one, &first, true).is_some() || difference(&other, &second, true).is_some() {
            std::mem::swap(&mut first, &mut second);
        }
        self.compare(vec![(one, first), (other, second)], true)
    }

    /// A process that dies with a command in its hands; the next one sends it again.
    fn crash(&mut self, told: Told) -> Result<(), Box<Finding>> {
        let side = self.side();
        let mut doubted = false;
        if told.step.key.is_some() && self.ground.fails {
            let injury = self.dice.pick(&[Injury::AckLost, Injury::Undone, Injury::Crash, Injury::Unavailable]);
            self.sides[side].store.set(self.dice.bits(), Weather::fatal(injury));
            let given = Given::of(submit(&self.sides[side].ledger, &told.step).and_then(Pending::wait));
            doubted = given.doubted;
            let lost = ["store_unavailable", "store_outcome_unknown"];
            if !matches!(&given.result, Err(code) if lost.contains(&code.as_str()) || code == "invalid_command") {
                let got = json!(given.result);
                return Err(self.finding("a crash", &show(&told.step), json!(lost), got));
            }
        }
        self.reopen(side);
        let mut given = self.send(side, &told.step);
        given.doubted |= doubted;
        given.resent += 1;
        self.counters.doubts_told += u64::from(doubted);
        self.compare(vec![(told, given)], false)
    }

    // What is compared.

    /// Compares answers, then what the feeds of these books say, then (now and then) the books.
    fn compare(&mut self, answered: Vec<(Told, Given)>, together: bool) -> Result<(), Box<Finding>> {
        self.weather(&Weather::passing(PASSING));
        for (told, given) in &answered {
            if let Some((what, expected, got)) = difference(told, given, together) {
                let what = format!("{what} of {}", told.step.command);
                return Err(self.finding(&what, &show(&told.step), expected, got));
            }
            self.count(told, given);
        }
        self.same("panics", "the engine", &json!(0), &json!(self.injuries.panics()))?;
        let merchants: BTreeSet<String> = answered.iter().map(|(told, _)| told.step.merchant.clone()).collect();
        for merchant in merchants {
            let mine: Vec<_> = answered.iter().filter(|(told, _)| told.step.merchant == merchant).collect();
            let steps: Vec<_> = mine.iter().map(|(told, _)| (Some(&told.step), &told.outcome)).collect();
            self.compare_feed(&merchant, &steps)?;
            for (told, given) in mine {
                self.compare_repeat(&told.step, given)?;
            }
            if self.dice.one_in(3) {
                self.compare_state(&merchant)?;
            }
        }
        Ok(())
    }

    /// The entries since the last look are those that the model made, in order.
    fn compare_feed(&mut self, merchant: &str, expected: &[(Option<&Step>, &Outcome)]) -> Result<(), Box<Finding>> {
        let news = self.news(merchant)?;
        let about = match expected {
            [(None, _)] => format!("a look at {merchant}"),
            steps => steps.iter().filter_map(|(step, _)| step.map(show)).collect::<Vec<_>>().join(", "),
        };
        let commands: Vec<_> = expected
            .iter()
            .filter(|(_, outcome)| outcome.result.is_ok() && !outcome.replayed)
            .filter_map(|(step, _)| step.map(|step| json!([step.command, step.key])))
            .collect();
        let got: Vec<_> = news.commands.iter().map(|one| json!([one.entry.kind.name(), one.entry.key])).collect();
        self.same("entries", &about, &json!(commands), &json!(got))?;
        let settled: u64 = expected.iter().map(|(_, outcome)| outcome.settled).sum();
        self.same("due entries", &about, &json!(settled), &json!(news.settled))?;
        let alerts: Vec<_> = expected.iter().flat_map(|(_, outcome)| outcome.alerts.clone()).collect();
        self.same("alerts", &about, &json!(alerts), &json!(news.alerts))?;
        let cleared: u32 = expected.iter().map(|(_, outcome)| outcome.cleared).sum();
        self.same("alerts cleared", &about, &json!(cleared), &json!(news.cleared))?;
        self.counters.alerts += news.alerts.len() as u64;
        self.counters.cleared += u64::from(news.cleared);
        self.counters.settled += settled;
        for command in news.commands {
            if let Some(key) = &command.entry.key {
                self.answers.insert((merchant.to_owned(), key.to_string()), answer_fields(&command.entry));
            }
        }
        Ok(())
    }

    /// The same key gives the same answer, to the letter.
    fn compare_repeat(&self, step: &Step, given: &Given) -> Result<(), Box<Finding>> {
        let first = step.key.as_ref().and_then(|key| self.answers.get(&(step.merchant.clone(), key.clone())));
        match (&given.result, first) {
            (Ok(fields), Some(first)) => self.same("repeated answer", &show(step), &json!(first), &json!(fields)),
            _ => Ok(()),
        }
    }

    /// A whole book, in every currency. What is due is settled first, by the model as by the engine.
    fn compare_state(&mut self, merchant: &str) -> Result<(), Box<Finding>> {
        let looked = self.model.look(self.now_micros, merchant);
        let id = merchant_of(merchant);
        let view = self.read("book", merchant, |ledger| ledger.book(id))?;
        self.compare_feed(merchant, &[(None, &looked)])?;
        self.same("entries", merchant, &json!(self.feed(merchant).seq()), &json!(view.entries))?;
        for currency in CURRENCIES {
            let expected = self.model.state_in(self.now_micros, merchant, currency);
            let got = view.to_json(currency.parse::<Currency>().expect("a currency"));
            if let Some((section, expected, got)) = first_difference(&expected, &got) {
                return Err(self.finding(&format!("{section} in {currency}"), merchant, expected, got));
            }
        }
        self.counters.states += 1;
        Ok(())
    }

    // Between commands.

    fn interlude(&mut self) -> Result<(), Box<Finding>> {
        self.weather(&Weather::passing(PASSING));
        if self.dice.one_in(40) {
            let side = self.side();
            self.reopen(side);
        }
        if self.dice.one_in(12) {
            let merchant = self.dice.pick(&self.merchants);
            self.compare_state(&merchant)?;
        }
        if self.dice.one_in(60) {
            self.run_due_everywhere()?;
        }
        if self.dice.one_in(30) {
            self.follow_all()?;
        }
        if self.dice.one_in(100) {
            let merchant = self.dice.pick(&self.merchants);
            self.check(&merchant)?;
        }
        Ok(())
    }

    fn run_due_everywhere(&mut self) -> Result<(), Box<Finding>> {
        // A failed run may have settled some of it: only one that never fails can be counted.
        self.weather(&Weather::FAIR);
        let merchants = self.merchants.clone();
        let looked: Vec<_> = merchants.iter().map(|merchant| self.model.look(self.now_micros, merchant)).collect();
        let most = merchants.len();
        let (DueSettled { expired, accepted, matured }, _) =
            self.read("run_due_everywhere", "all books", |ledger| ledger.run_due_everywhere(most))?;
        let settled: u64 = looked.iter().map(|looked| looked.settled).sum();
        self.same("run_due_everywhere", "all books", &json!(settled), &json!(expired + accepted + matured))?;
        for (merchant, looked) in merchants.iter().zip(&looked) {
            self.compare_feed(merchant, &[(None, looked)])?;
        }
        Ok(())
    }

    /// Reads on in the feed of all books.
    fn follow_all(&mut self) -> Result<(), Box<Finding>> {
        loop {
            let limit = self.dice.below(40) + 1;
            let after = self.all.0.clone();
            let page =
                self.read("all_events", "all books", |ledger| ledger.all_events(after.clone(), limit as usize))?;
            let end = page.items.is_empty();
            for recorded in page.items {
                let merchant = recorded.merchant;
                let feed = self.all.1.entry(merchant.to_string()).or_insert_with(|| Feed::new(merchant));
                if let Err(wrong) = feed.take(&recorded) {
                    return Err(self.finding(
                        "all_events",
                        &merchant.to_string(),
                        json!("the next entry"),
                        json!(wrong),
                    ));
                }
            }
            self.all.0 = page.next;
            if end {
                return Ok(());
            }
        }
    }

    fn check(&mut self, merchant: &str) -> Result<(), Box<Finding>> {
        let id = merchant_of(merchant);
        let report = self.read("check", merchant, |ledger| ledger.check(id))?;
        self.same("entries checked", merchant, &json!(self.feed(merchant).seq()), &json!(report.entries))?;
        self.counters.checks += 1;
        Ok(())
    }

    fn end(&mut self) -> Result<(), Box<Finding>> {
        for merchant in self.merchants.clone() {
            self.weather(&Weather::passing(PASSING));
            self.compare_state(&merchant)?;
            self.check(&merchant)?;
        }
        (self.ground.settle)();
        self.follow_all()?;
        for merchant in self.merchants.clone() {
            let seen = self.feed(&merchant);
            let all = self.all.1.remove(&merchant).unwrap_or_else(|| Feed::new(merchant_of(&merchant)));
            if all != seen {
                let (seen, all) = (json!(seen.seq()), json!(all.seq()));
                return Err(self.finding("feed of all books", &merchant, seen, all));
            }
        }
        Ok(())
    }

    // Tools.

    fn side(&mut self) -> usize {
        usize::from(self.dice.one_in(2))
    }

    fn weather(&mut self, weather: &Weather) {
        let weather = if self.ground.fails { weather } else { &Weather::FAIR };
        for side in &self.sides {
            side.store.set(self.dice.bits(), weather.clone());
        }
    }

    /// Sends a command, first to `side`.
    fn send(&self, side: usize, step: &Step) -> Given {
        send([&self.sides[side].ledger, &self.sides[1 - side].ledger], step)
    }

    fn reopen(&mut self, side: usize) {
        self.sides[side] = Side::open(self.ground, &self.injuries, &self.clock, self.due_step);
        self.counters.reopened += 1;
    }

    fn feed(&self, merchant: &str) -> Feed {
        self.feeds.get(merchant).cloned().unwrap_or_else(|| Feed::new(merchant_of(merchant)))
    }

    /// The entries of a book since the last look, read from either ledger in pages of any size.
    fn news(&mut self, merchant: &str) -> Result<News, Box<Finding>> {
        let id = merchant_of(merchant);
        let mut feed = self.feed(merchant);
        let mut news = News::default();
        loop {
            let limit = self.dice.below(8) as usize + 1;
            let seq = feed.seq();
            let page: Vec<Recorded> = self.read("events", merchant, |ledger| ledger.events(id, seq, limit))?;
            if page.is_empty() {
                break;
            }
            for recorded in page {
                if let Err(wrong) = feed.take(&recorded) {
                    return Err(self.finding("events", merchant, json!("the next entry"), json!(wrong)));
                }
                self.counters.entries += 1;
                news.add(recorded);
            }
        }
        self.feeds.insert(merchant.to_owned(), feed);
        Ok(news)
    }

    /// Reads from one of the ledgers until it answers.
    fn read<T: Send + 'static>(
        &mut self,
        what: &str,
        about: &str,
        read: impl Fn(&Ledger) -> Read<T>,
    ) -> Result<T, Box<Finding>> {
        let side = self.side();
        let mut fault = None;
        for _ in 0..TRIES {
            match read(&self.sides[side].ledger).wait() {
                Ok(found) => return Ok(found),
                Err(last) if is_injected(&last) => fault = Some(last),
                Err(last) => {
                    fault = Some(last);
                    break;
                }
            }
        }
        let got = fault.map_or(Value::Null, |fault| json!(fault.to_string()));
        Err(self.finding(what, about, json!("an answer"), got))
    }

    fn same(&self, what: &str, about: &str, expected: &Value, got: &Value) -> Result<(), Box<Finding>> {
        if expected == got {
            return Ok(());
        }
        Err(self.finding(what, about, expected.clone(), got.clone()))
    }

    #[expect(clippy::unnecessary_box_returns, reason = "it is always an error, and too large for one unboxed")]
    fn finding(&self, what: &str, about: &str, expected: Value, got: Value) -> Box<Finding> {
        let (what, about) = (what.to_owned(), about.to_owned());
        Box::new(Finding { seed: self.seed, step: self.told, what, about, expected, got })
    }

    fn count(&mut self, told: &Told, given: &Given) {
        self.counters.resent += given.resent;
        match &told.outcome.result {
            Err(code) => *self.counters.refused.entry(code.clone()).or_default() += 1,
            Ok(_) if told.outcome.replayed => self.counters.replayed += 1,
            Ok(_) => self.counters.accepted += 1,
        }
    }

    fn count_doubts(&mut self, before: u64, told: bool) {
        if told {
            self.counters.doubts_told += 1;
        } else if self.injuries.doubts() > before {
            self.counters.doubts_resolved += 1;
        }
    }
}

fn merchant_of(id: &str) -> MerchantId {
    id.parse().expect("a story's ids are UUIDs")
}

/// The first row of two states that differs: its section, and the two rows.
fn first_difference(expected: &Value, got: &Value) -> Option<Difference> {
    for (section, rows) in expected.as_object().into_iter().flatten() {
        let others = &got[section];
        if rows == others {
            continue;
        }
        let row = |rows: &Value, id: &String| rows.get(id).map(|row| json!({ id: row })).unwrap_or_default();
        let ids = [rows, others].into_iter().filter_map(Value::as_object).flat_map(Map::keys);
        let differing = ids.map(|id| (row(rows, id), row(others, id))).find(|(one, other)| one != other);
        let (expected, got) = differing.unwrap_or_else(|| (rows.clone(), others.clone()));
        return Some((section.clone(), expected, got));
    }
    None
}
