//! A made-up copy of the existing backend: merchants whose tables add up, in which faults are then planted one by one, each
//! of them noted. Everything follows from a seed.

#![allow(dead_code, clippy::unwrap_used, missing_docs, unreachable_pub)]

pub mod database;
pub mod plant;

use std::collections::BTreeMap;

use leadledger::{Currency, MerchantId, Timestamp, to_decimal};
use leadledger_legacy::{AgreementRow, Cause, DepositRow, LeadRow, SettingsRow, Source, TransactionRow};
use uuid::Uuid;

/// When the import is made: 2026-06-15T12:00:00Z.
pub const NOW: i64 = 1_781_524_800_000_000;
/// When the first row was written: 2026-01-05T08:00:00Z.
const START: i64 = 1_767_600_000_000_000;
pub const HOUR: i64 = 3_600_000_000;

pub const MERCHANTS: usize = 50;
pub const LEADS: usize = 20_000;

/// SplitMix64.
#[derive(Clone, Debug)]
pub struct Dice(u64);

impl Dice {
    pub fn new(seed: u64) -> Self {
        Self(seed)
    }

    pub fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    /// In `0..below`.
    pub fn below(&mut self, below: usize) -> usize {
        usize::try_from(self.next() % u64::try_from(below).unwrap()).unwrap()
    }

    pub fn of<'t, T>(&mut self, items: &'t [T]) -> &'t T {
        &items[self.below(items.len())]
    }

    pub fn chance(&mut self, percent: usize) -> bool {
        self.below(100) < percent
    }

    pub fn id(&mut self) -> String {
        let (high, low) = (self.next(), self.next());
        Uuid::from_u64_pair(high, low).to_string()
    }
}

#[allow(clippy::unnecessary_wraps)] // a column that is not null
pub fn some(text: impl ToString) -> Option<String> {
    Some(text.to_string())
}

pub fn money(minor: i64) -> Option<String> {
    some(to_decimal(minor, Currency::MAD))
}

#[allow(clippy::ref_option)] // as the rows have them
pub fn minor(text: &Option<String>) -> i64 {
    let amount = text.as_ref().unwrap().parse().unwrap();
    leadledger::to_minor(amount, Currency::MAD).unwrap()
}

/// A time as PostgreSQL spells it.
pub fn at(micros: i64) -> Option<String> {
    let time = Timestamp::from_micros(micros).to_string();
    let plain = time.trim_end_matches('Z').replace('T', " ");
    some(if plain.contains('.') { plain.trim_end_matches('0') } else { &plain })
}

/// Where a thing is in the world's lists.
pub type Place = usize;

#[derive(Clone, Debug)]
pub struct Campaign {
    pub id: String,
    /// In hundredths of a percent.
    pub rate: i64,
    pub fixed: i64,
    pub threshold: i64,
    pub window_hours: i64,
    pub accepts: bool,
    /// The deposit that its leads draw on.
    pub deposit: Option<Place>,
    /// Its row; none where it has none.
    pub row: Option<Place>,
}

impl Campaign {
    pub fn commission(&self, value: i64) -> i64 {
        if value < self.threshold { (value * self.rate + 5_000) / 10_000 } else { self.fixed }
    }
}

#[derive(Clone, Debug)]
pub struct Merchant {
    pub id: String,
    pub partners: Vec<String>,
    pub campaigns: Vec<Campaign>,
    pub wide: Option<Place>,
    clock: i64,
}

/// What the import should make of a merchant's tables.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Expected {
    pub balance: i64,
    pub reserved: i64,
    pub leads: usize,
}

/// A planted fault: its cause, its merchant, its rows.
pub type Planted = (Cause, Option<MerchantId>, Vec<String>);

pub struct World {
    pub dice: Dice,
    pub source: Source,
    pub merchants: Vec<Merchant>,
    pub planted: Vec<Planted>,
    /// Lines that are to be taken out.
    pub dropped: Vec<Place>,
    /// The merchants' merchant-wide deposits.
    wide: Vec<String>,
    pub expected: BTreeMap<MerchantId, Expected>,
}

pub const CAPTURED: [&str; 3] = ["validated", "converted", "lost"];

impl World {
    /// Fifty merchants and twenty thousand leads, with every fault planted at least twice.
    pub fn new(seed: u64) -> Self {
        let mut world = Self {
            dice: Dice::new(seed),
            source: Source::default(),
            merchants: Vec::new(),
            planted: Vec::new(),
            dropped: Vec::new(),
            wide: Vec::new(),
            expected: BTreeMap::new(),
        };
        for number in 0..MERCHANTS {
            world.merchant(number);
        }
        plant::all(&mut world);
        while world.source.leads.len() < LEADS {
            let merchant = world.dice.below(MERCHANTS);
            world.any_lead(merchant);
        }
        world.shuffle();
        world
    }

    pub fn merchant_id(&self, merchant: Place) -> MerchantId {
        self.merchants[merchant].id.parse().unwrap()
    }

    pub fn expect(&mut self, cause: Cause, merchant: Place, rows: impl IntoIterator<Item = impl ToString>) {
        let rows = rows.into_iter().map(|row| row.to_string()).collect();
        self.planted.push((cause, Some(self.merchant_id(merchant)), rows));
    }

    pub fn expected(&mut self, merchant: Place) -> &mut Expected {
        let id = self.merchant_id(merchant);
        self.expected.entry(id).or_default()
    }

    fn merchant(&mut self, number: usize) -> Place {
        let id = self.dice.id();
        let partners = (0..3 + self.dice.below(3)).map(|_| self.dice.id()).collect();
        self.merchants.push(Merchant { id, partners, campaigns: Vec::new(), wide: None, clock: START });
        self.expected(number);
        let initial = 500_000 + 10_000 * self.dice_i64(100);
        let wide = self.deposit(number, None, initial);
        self.merchants[number].wide = Some(wide);
        for _ in 0..2 + self.dice.below(3) {
            self.campaign(number);
        }
        if self.dice.chance(40) {
            self.campaign_with_deposit(number, 300_000);
        }
        for partner in 0..2 {
            let partner = self.merchants[number].partners[partner].clone();
            let campaign = Some(self.merchants[number].campaigns[0].id.clone()).filter(|_| self.dice.chance(40));
            self.agreement(number, &partner, campaign);
        }
        number
    }

    pub fn dice_i64(&mut self, below: usize) -> i64 {
        i64::try_from(self.dice.below(below)).unwrap()
    }

    /// The merchant's time, moved on a little: no two moments are the same.
    pub fn tick(&mut self, merchant: Place) -> i64 {
        let step = 60_000_000 * (1 + self.dice_i64(90)) + self.dice_i64(1_000_000);
        let clock = &mut self.merchants[merchant].clock;
        *clock += step;
        assert!(*clock < NOW - 200 * HOUR, "the merchant's history is too long");
        *clock
    }

    /// A campaign with settings of its own, drawing on the merchant-wide deposit.
    pub fn campaign(&mut self, merchant: Place) -> Place {
        let threshold = *self.dice.of(&[80_000, 100_000, 50_000]);
        let campaign = Campaign {
            id: self.dice.id(),
            rate: *self.dice.of(&[1_000, 750, 1_250]),
            fixed: *self.dice.of(&[8_000, 5_000, threshold]),
            threshold,
            window_hours: *self.dice.of(&[48, 72, 96]),
            accepts: self.dice.chance(20),
            deposit: self.merchants[merchant].wide,
            row: Some(self.source.settings.len()),
        };
        let rate = format!("{}.{:02}", campaign.rate / 100, campaign.rate % 100);
        self.source.settings.push(SettingsRow {
            campaign_id: some(&campaign.id),
            merchant_id: some(&self.merchants[merchant].id),
            lead_generation_enabled: some(self.dice.chance(90)),
            auto_stop_on_depletion: some(self.dice.chance(80)),
            percentage_commission_rate: some(rate),
            fixed_commission_amount: money(campaign.fixed),
            commission_threshold: money(campaign.threshold),
            validation_timeout_hours: some(campaign.window_hours),
            auto_validate_after_timeout: some(campaign.accepts),
            minimum_quality_score: some(1 + self.dice.below(10)),
        });
        self.merchants[merchant].campaigns.push(campaign);
        self.merchants[merchant].campaigns.len() - 1
    }

    /// A campaign that no settings row tells of: with the defaults.
    pub fn bare_campaign(&mut self, merchant: Place, id: String) -> Place {
        let campaign = Campaign {
            id,
            rate: 1_000,
            fixed: 8_000,
            threshold: 80_000,
            window_hours: 72,
            accepts: false,
            deposit: self.merchants[merchant].wide,
            row: None,
        };
        self.merchants[merchant].campaigns.push(campaign);
        self.merchants[merchant].campaigns.len() - 1
    }

    /// A campaign with a deposit of its own: whatever is planted there stays there.
    pub fn campaign_with_deposit(&mut self, merchant: Place, initial: i64) -> (Place, Place) {
        let campaign = self.campaign(merchant);
        let id = self.merchants[merchant].campaigns[campaign].id.clone();
        let deposit = self.deposit(merchant, Some(id), initial);
        self.merchants[merchant].campaigns[campaign].deposit = Some(deposit);
        let row = self.merchants[merchant].campaigns[campaign].row.unwrap();
        self.source.settings[row].lead_generation_enabled = some(true);
        (campaign, deposit)
    }

    pub fn deposit(&mut self, merchant: Place, campaign: Option<String>, initial: i64) -> Place {
        let created = self.tick(merchant);
        let auto = self.dice.chance(30);
        let place = self.source.deposits.len();
        let told = self.tick(merchant);
        self.source.deposits.push(DepositRow {
            id: some(self.dice.id()),
            merchant_id: some(&self.merchants[merchant].id),
            campaign_id: campaign,
            initial_amount: money(initial),
            current_balance: money(0),
            reserved_amount: Some("0.00".to_owned()).filter(|_| self.dice.chance(50)),
            alert_threshold: if auto {
                money(70_000)
            } else {
                Some("500.00".to_owned()).filter(|_| self.dice.chance(80))
            },
            auto_recharge: Some(auto.to_string()).filter(|_| auto || self.dice.chance(50)),
            auto_recharge_amount: Some("2000.00".to_owned()).filter(|_| auto),
            status: some("active"),
            depleted_at: None,
            last_alert_sent: at(told).filter(|_| self.dice.chance(30)),
            created_at: at(created),
        });
        self.line(merchant, place, "initial", initial, None);
        place
    }

    /// A line at the end of a deposit's statement; its balance follows.
    pub fn line(&mut self, merchant: Place, deposit: Place, kind: &str, amount: i64, lead: Option<&str>) -> Place {
        let time = self.tick(merchant);
        let before = minor(&self.source.deposits[deposit].current_balance);
        let paid = ["initial", "recharge"].contains(&kind);
        let row = TransactionRow {
            id: some(self.dice.id()),
            deposit_id: self.source.deposits[deposit].id.clone(),
            merchant_id: some(&self.merchants[merchant].id),
            lead_id: lead.map(str::to_owned),
            transaction_type: some(kind),
            amount: money(amount),
            balance_before: money(before),
            balance_after: money(before + amount),
            payment_method: Some((*self.dice.of(&["stripe", "cmi", "bank_transfer"])).to_owned()).filter(|_| paid),
            payment_reference: Some(format!("pi_{}", self.dice.below(1_000_000))).filter(|_| paid),
            created_at: at(time),
        };
        self.source.deposits[deposit].current_balance = money(before + amount);
        self.source.transactions.push(row);
        self.expected(merchant).balance += amount;
        self.source.transactions.len() - 1
    }

    pub fn agreement(&mut self, merchant: Place, partner: &str, campaign: Option<String>) -> Place {
        let influencer = self.dice.chance(60);
        self.source.agreements.push(AgreementRow {
            merchant_id: some(&self.merchants[merchant].id),
            influencer_id: Some(partner.to_owned()).filter(|_| influencer),
            commercial_id: Some(partner.to_owned()).filter(|_| !influencer),
            campaign_id: campaign,
            commission_percentage: some(*self.dice.of(&["25.00", "30.00", "42.50"])),
            payment_delay_days: Some("14".to_owned()).filter(|_| self.dice.chance(70)),
            status: some("active"),
        });
        self.source.agreements.len() - 1
    }

    fn available(&self, deposit: Place) -> i64 {
        let row = &self.source.deposits[deposit];
        minor(&row.current_balance) - row.reserved_amount.as_ref().map_or(0, |_| minor(&row.reserved_amount))
    }

    /// A lead whose row, lines and reservation add up; pending ones are young.
    pub fn lead(&mut self, merchant: Place, campaign: Place, status: &str) -> Place {
        let plan = self.merchants[merchant].campaigns[campaign].clone();
        let (deposit, id) = (plan.deposit.unwrap(), self.dice.id());
        let value = 5_000 + self.dice_i64(200_000);
        let commission = plan.commission(value);
        let share = *self.dice.of(&[2_500, 3_000, 4_000]);
        let part = (commission * share + 5_000) / 10_000;
        if self.available(deposit) < commission {
            self.line(merchant, deposit, "recharge", 1_000_000, None);
        }
        let (mut created, mut decided, mut converted) = (self.tick(merchant), None, None);
        match status {
            "pending" => {
                created = NOW - HOUR - self.dice_i64(40) * HOUR - self.dice_i64(1_000_000);
                let reserved = &mut self.source.deposits[deposit].reserved_amount;
                *reserved = money(reserved.as_ref().map_or(0, |_| minor(reserved)) + commission);
                self.expected(merchant).reserved += commission;
            }
            "rejected" => decided = Some(self.tick(merchant)).filter(|_| self.dice.chance(50)),
            _ => {
                decided = Some(self.tick(merchant));
                self.line(merchant, deposit, "deduction", -commission, Some(&id));
                converted = (status == "converted").then(|| self.tick(merchant));
            }
        }
        let influencer = self.dice.chance(60);
        let partner = self.dice.of(&self.merchants[merchant].partners.clone()).clone();
        let number = self.dice.below(1_000_000);
        let kind = if value < plan.threshold { "percentage" } else { "fixed" };
        self.source.leads.push(LeadRow {
            id: some(&id),
            campaign_id: some(&plan.id),
            influencer_id: Some(partner.clone()).filter(|_| influencer),
            commercial_id: Some(partner).filter(|_| !influencer),
            merchant_id: some(&self.merchants[merchant].id),
            product_id: Some(self.dice.id()).filter(|_| number.is_multiple_of(3)),
            customer_name: some(format!("Customer O'{number} \\ é")),
            customer_email: Some(format!("c{number}@example.org")).filter(|_| !number.is_multiple_of(4)),
            customer_phone: Some(format!("+2126{number:08}")).filter(|_| !number.is_multiple_of(5)),
            customer_company: None,
            customer_notes: Some("prefers the morning\nand Arabic: مرحبا".to_owned())
                .filter(|_| number.is_multiple_of(7)),
            source: some(*self.dice.of(&["instagram", "tiktok", "whatsapp", "facebook", "direct", "other"])),
            estimated_value: money(value),
            commission_amount: money(commission),
            commission_type: some(kind),
            influencer_percentage: some(format!("{}.{:02}", share / 100, share % 100)),
            influencer_commission: money(part),
            status: some(status),
            quality_score: Some((1 + self.dice.below(10)).to_string()).filter(|_| decided.is_some()),
            rejection_reason: Some("no answer".to_owned()).filter(|_| status == "rejected"),
            validated_at: decided.and_then(at),
            conversion_date: converted.and_then(at),
            created_at: at(created),
        });
        self.expected(merchant).leads += 1;
        self.source.leads.len() - 1
    }

    /// A lead of any kind in the merchant's first campaigns.
    pub fn any_lead(&mut self, merchant: Place) {
        let campaign = self.dice.below(2);
        let status = match self.dice.below(100) {
            0..5 => "pending",
            5..25 => "rejected",
            25..65 => "validated",
            65..85 => "converted",
            _ => "lost",
        };
        self.lead(merchant, campaign, status);
    }

    pub fn lead_id(&self, lead: Place) -> String {
        self.source.leads[lead].id.clone().unwrap()
    }

    pub fn line_id(&self, line: Place) -> String {
        self.source.transactions[line].id.clone().unwrap()
    }

    pub fn deposit_id(&self, deposit: Place) -> String {
        self.source.deposits[deposit].id.clone().unwrap()
    }

    /// A merchant's merchant-wide deposit.
    pub fn deposit_of(&self, merchant: Place) -> leadledger::DepositId {
        self.wide[merchant].parse().unwrap()
    }

    /// Tables have no order.
    fn shuffle(&mut self) {
        self.wide = self.merchants.iter().map(|merchant| self.deposit_id(merchant.wide.unwrap())).collect();
        self.dropped.sort_unstable();
        while let Some(line) = self.dropped.pop() {
            self.source.transactions.remove(line);
        }
        macro_rules! shuffle {
            ($($rows:ident),*) => {$(
                for place in (1..self.source.$rows.len()).rev() {
                    let other = self.dice.below(place + 1);
                    self.source.$rows.swap(place, other);
                }
            )*};
        }
        shuffle!(deposits, transactions, leads, agreements, settings);
    }
}
