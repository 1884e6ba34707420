//! Properties that hold for any input: money against formulas of another kind, random stories against their replay,
//! random interleavings of callers against the sum of what they were told.

#![allow(clippy::unwrap_used, clippy::panic, clippy::cast_possible_truncation, clippy::cast_sign_loss, missing_docs)]

use std::collections::BTreeMap;
use std::sync::Arc;

use leadledger::{
    Account, Book, Command, Currency, DepositId, DepositStatus, Entry, Event, LeadStatus, Ledger, ManualClock,
    MemoryStore, MerchantId, Options, Percent, Policy, PolicyTerms, Postings, Timestamp, alert_level, genesis_hash,
    parse_decimal, preview_commission, to_decimal, to_minor,
};
use proptest::prelude::*;
use proptest::test_runner::FileFailurePersistence;
use rust_decimal::{Decimal, RoundingStrategy};
use serde_json::{Value, json};
use uuid::Uuid;

const START: i64 = 1_767_600_000_000_000;

/// What a run finds is kept beside this file, and tried first from then on.
fn config() -> ProptestConfig {
    let kept = FileFailurePersistence::WithSource("regressions");
    ProptestConfig { failure_persistence: Some(Box::new(kept)), ..ProptestConfig::default() }
}

fn currency() -> impl Strategy<Value = Currency> {
    prop::sample::select(vec!["JPY", "MAD", "EUR", "TND", "CLF"]).prop_map(|code| code.parse().unwrap())
}

/// What an amount's text means, by its digits alone: the minor units, or the code of the refusal.
fn by_digits(negative: bool, whole: &str, fraction: &str, decimals: usize) -> Result<i64, &'static str> {
    let fraction = fraction.trim_end_matches('0');
    if fraction.len() > decimals {
        return Err("amount_precision");
    }
    let digits = format!("{whole}{fraction}{}", "0".repeat(decimals - fraction.len()));
    let digits = digits.trim_start_matches('0');
    let most = i64::MAX.to_string();
    if digits.len() > most.len() || (digits.len() == most.len() && digits > most.as_str()) {
        return Err("amount_too_large");
    }
    let minor: i64 = if digits.is_empty() { 0 } else { digits.parse().unwrap() };
    Ok(if negative { -minor } else { minor })
}

/// A rounded quotient, half away from zero, of what is not negative.
fn rounded(product: i128, divisor: i128) -> i128 {
    let (whole, rest) = (product / divisor, product % divisor);
    if rest * 2 >= divisor { whole + 1 } else { whole }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 2_000, ..config() })]

    #[test]
    fn amounts_are_read_by_their_digits(
        negative: bool,
        whole in "[0-9]{1,45}",
        fraction in prop_oneof![Just(String::new()), "[0-9]{1,5}", "[0-9]{1,45}", "[0-9]{0,3}0{1,40}"],
        currency in currency(),
    ) {
        let sign = if negative { "-" } else { "" };
        let point = if fraction.is_empty() { "" } else { "." };
        let text = format!("{sign}{whole}{point}{fraction}");
        let read = to_minor(parse_decimal(&text).unwrap(), currency).map_err(|refusal| refusal.code());
        let decimals = usize::try_from(currency.decimals()).unwrap();
        prop_assert_eq!(read, by_digits(negative, &whole, &fraction, decimals), "{}", text);
    }

    #[test]
    fn amounts_come_back_as_they_went(minor in (i64::MIN + 1)..=i64::MAX, currency in currency()) {
        let decimal = to_decimal(minor, currency);
        prop_assert_eq!(decimal.scale(), currency.decimals());
        prop_assert_eq!(to_minor(decimal, currency), Ok(minor));
        prop_assert_eq!(parse_decimal(&decimal.to_string()), Ok(decimal));
        prop_assert_eq!(parse_decimal(&format!("{decimal}")).map(|read| to_minor(read, currency)), Ok(Ok(minor)));
    }

    #[test]
    fn what_is_not_a_plain_decimal_is_refused(text in "[-+.eE0-9 ,_x\u{0660}a-f]{0,12}") {
        let plain = text.strip_prefix(['-', '+']).unwrap_or(&text);
        let parts: Vec<&str> = plain.split('.').collect();
        let digits = |part: &&str| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit());
        let is_plain = parts.len() <= 2 && parts.iter().all(digits);
        prop_assert_eq!(parse_decimal(&text).is_ok(), is_plain, "{:?}", text);
    }

    #[test]
    fn splits_are_exact(
        value in prop_oneof![1..100_000_i64, 1..i64::MAX],
        rate in 0..=1_000_000_u32,
        share in 0..=1_000_000_u32,
        threshold in prop_oneof![1..100_000_i64, 1..i64::MAX],
        fixed in 0..=1_000_000_i128,
    ) {
        let fixed = i64::try_from(i128::from(threshold) * fixed / 1_000_000).unwrap();
        let percent = |parts: u32| Decimal::new(i64::from(parts), 4);
        let policy = Policy::new(Currency::MAD, PolicyTerms {
            minimum_value: Some(Decimal::ZERO),
            threshold: Some(to_decimal(threshold, Currency::MAD)),
            rate: Some(percent(rate)),
            fixed: Some(to_decimal(fixed, Currency::MAD)),
            default_share: None,
        }).unwrap();
        let share_given = Percent::new(percent(share)).unwrap();
        let preview = preview_commission(&policy, share_given, to_decimal(value, Currency::MAD)).unwrap();
        let minor = |amount: Decimal| i128::from(to_minor(amount, Currency::MAD).unwrap());
        let commission = if value < threshold {
            rounded(i128::from(value) * i128::from(rate), 1_000_000)
        } else {
            i128::from(fixed)
        };
        prop_assert_eq!(minor(preview.commission), commission);
        prop_assert_eq!(minor(preview.partner_part), rounded(commission * i128::from(share), 1_000_000));
        prop_assert_eq!(preview.partner_part + preview.platform_part, preview.commission);
        prop_assert!(preview.platform_part >= Decimal::ZERO && preview.commission <= to_decimal(value, Currency::MAD));
        // A third way, in decimals, where they do not overflow.
        if value < threshold && value < 1_000_000_000_000 {
            let exact = to_decimal(value, Currency::MAD) * percent(rate) / Decimal::ONE_HUNDRED;
            let exact = exact.round_dp_with_strategy(2, RoundingStrategy::MidpointAwayFromZero);
            prop_assert_eq!(preview.commission, exact);
        }
    }

    #[test]
    fn levels_follow_the_fraction(
        reference in prop_oneof![Just(0_i64), 1..1_000_i64, 1..i64::MAX],
        balance in prop_oneof![Just(0_i64), -10..1_000_i64, 0..i64::MAX],
        near in prop::option::of((0..3_usize, -1..=1_i64)),
    ) {
        // Often at the very border.
        let balance = match near {
            Some((border, offset)) => (i128::from(reference) * [50, 20, 10][border] / 100) as i64 + offset,
            None => balance,
        };
        let above = |percent: i128| i128::from(balance) * 100 > i128::from(reference) * percent;
        let expected = match () {
            () if balance <= 0 || reference <= 0 => "depleted",
            () if above(50) => "healthy",
            () if above(20) => "attention",
            () if above(10) => "warning",
            () => "critical",
        };
        let money = |minor| to_decimal(minor, Currency::MAD);
        prop_assert_eq!(alert_level(money(balance), money(reference)).name(), expected);
    }

    #[test]
    fn postings_sum_to_zero_or_are_none(amounts in prop::collection::vec(-1_000..1_000_i64, 0..5), balanced: bool) {
        let mut amounts = amounts;
        if balanced {
            amounts.push(-amounts.iter().sum::<i64>());
        }
        let lines: Vec<_> = amounts.iter().map(|amount| (Account::Commission, *amount)).collect();
        let whole = amounts.iter().sum::<i64>() == 0 && !amounts.contains(&0);
        prop_assert_eq!(Postings::new(Currency::MAD, lines).is_some(), whole);
    }
}

/// One step of a random story; the numbers pick from small pools of ids, so that steps meet.
#[derive(Clone, Debug)]
struct Step {
    command: usize,
    ids: [u8; 3],
    minor: i64,
    number: i64,
    hours: u32,
}

fn step() -> impl Strategy<Value = Step> {
    let minor = prop_oneof![8 => 1..300_000_i64, 2 => 200_000..2_000_000_i64, 1 => -5..5_i64];
    // What makes leads and moves them comes more often.
    let often = ["create_lead", "validate_lead", "reject_lead", "reverse_lead", "top_up", "succeed_top_up"];
    let often = often.map(|name| Command::NAMES.iter().position(|known| *known == name).unwrap());
    let command = prop_oneof![0..Command::NAMES.len(), prop::sample::select(often.to_vec())];
    (command, any::<[u8; 3]>(), minor, 0..12_i64, prop_oneof![4 => Just(0_u32), 1 => 0..60_u32])
        .prop_map(|(command, ids, minor, number, hours)| Step { command, ids, minor, number, hours })
}

fn pool(kind: u128, n: u8, size: u8) -> Uuid {
    Uuid::from_u128(0x0190_0000_0000_7000_8000_0000_0000_0000 | kind << 16 | u128::from(n % size))
}

/// The step's command, whatever the ledger will say to it.
fn command_of(step: &Step, merchant: MerchantId) -> Command {
    let name = Command::NAMES[step.command];
    let [a, b, c] = step.ids;
    let amount = to_decimal(step.minor, Currency::MAD).to_string();
    let (campaign, deposit) = (pool(1, a, 2), pool(2, b, 3));
    let (partner, lead) = (pool(3, c, 2), pool(4, a ^ b, 40));
    let (top_up, payout) = (pool(5, a, 6), pool(6, b, 4));
    let scope = if c.is_multiple_of(3) { json!(campaign) } else { Value::Null };
    let mut with = match name {
        "register_campaign" => json!({ "campaign": campaign, "on_timeout": if b > 127 { "accept" } else { "expire" } }),
        "update_campaign" => json!({ "campaign": campaign, "rate": step.number.to_string() }),
        "pause_campaign" | "resume_campaign" => json!({ "campaign": campaign }),
        "set_agreement" => json!({
            "partner": partner, "share": (step.number * 9).to_string(), "payout_delay_days": step.number % 3,
        }),
        "open_deposit" => json!({ "deposit": deposit, "amount": amount, "campaign": scope }),
        "top_up" => json!({ "deposit": deposit, "amount": amount }),
        "adjust_deposit" => {
            let signed = to_decimal(if a > 127 { -step.minor } else { step.minor }, Currency::MAD);
            json!({ "deposit": deposit, "amount": signed.to_string(), "reason": "a correction" })
        }
        "set_alert_settings" => json!({ "deposit": deposit, "basis": "available", "reference": "last_top_up" }),
        "set_auto_top_up" => json!({ "deposit": deposit, "threshold": amount, "amount": "1000" }),
        "suspend_deposit" | "resume_deposit" | "close_deposit" => json!({ "deposit": deposit }),
        "create_lead" => json!({ "campaign": campaign, "partner": partner, "value": amount, "lead": lead }),
        "validate_lead" => json!({ "lead": lead, "score": step.number }),
        "reject_lead" | "reverse_lead" => json!({ "lead": lead, "reason": "no answer" }),
        "convert_lead" | "lose_lead" | "erase_customer" => json!({ "lead": lead }),
        "begin_top_up" => json!({ "top_up": top_up, "amount": amount, "method": "cmi", "campaign": scope }),
        "attach_reference" => json!({ "top_up": top_up, "reference": format!("r{}", b % 8) }),
        "succeed_top_up" => json!({
            "top_up": top_up, "reference": format!("r{}", b % 8), "received": amount, "deposit": deposit,
        }),
        "win_dispute" => json!({ "top_up": top_up, "deposit": deposit }),
        "fail_top_up" | "cancel_top_up" | "refund_top_up" | "dispute_top_up" | "lose_dispute" => {
            json!({ "top_up": top_up })
        }
        "write_off" => json!({ "reason": "gone", "partner": if a > 127 { json!(partner) } else { Value::Null } }),
        "request_payout" => json!({ "partner": partner, "amount": amount, "payout": payout }),
        "settle_payout" | "cancel_payout" => json!({ "payout": payout }),
        _ => json!({}),
    };
    with["merchant"] = json!(merchant);
    Command::from_json(name, with).unwrap()
}

fn ledger(clock: &Arc<ManualClock>, options: Options) -> Ledger {
    Ledger::with_shared(Arc::new(MemoryStore::new()), clock.clone(), options).unwrap()
}

/// What must hold of a merchant's journal and book, whatever happened.
fn hold(ledger: &Ledger, merchant: MerchantId) -> Result<usize, TestCaseError> {
    let view = ledger.book(merchant).wait().unwrap();
    let mut replayed = Book::complete(merchant);
    prop_assert_eq!(replayed.head.hash, genesis_hash(merchant));
    let mut sums: BTreeMap<Account, i64> = BTreeMap::new();
    for recorded in ledger.events(merchant, 0, usize::MAX).wait().unwrap() {
        let entry = &recorded.entry;
        prop_assert_eq!(entry.to_payload(), recorded.payload.clone());
        prop_assert_eq!(&Entry::from_payload(&recorded.payload).unwrap(), &**entry);
        let events = Event::of(&recorded);
        prop_assert!(!events.is_empty(), "an entry that says nothing: {}", recorded.payload);
        for event in events {
            prop_assert_eq!(Event::from_json(&event.to_json()), Ok(event));
        }
        prop_assert_eq!(entry.lines().iter().map(|line| line.1).sum::<i64>(), 0);
        for (account, amount) in entry.lines() {
            *sums.entry(*account).or_default() += amount;
        }
        replayed.apply(entry, recorded.hash).unwrap();
    }
    prop_assert_eq!(replayed.head.seq, view.entries);
    for (account, sum) in &sums {
        prop_assert_eq!(replayed.balance_minor(Currency::MAD, *account), *sum, "{}", account);
    }
    prop_assert_eq!(replayed.leads.iter().count(), view.leads.len());
    for (id, lead) in replayed.leads.iter() {
        prop_assert_eq!(&view.leads[id], lead);
    }
    for (id, deposit) in &view.deposits {
        let pending = view.leads.values().filter(|lead| lead.status == LeadStatus::Pending && lead.deposit == *id);
        let reserved = pending.map(|lead| lead.commission_minor).sum();
        prop_assert_eq!(deposit.reserved, to_decimal(reserved, Currency::MAD));
        prop_assert!(Decimal::ZERO <= deposit.reserved && deposit.reserved <= deposit.balance);
        let balance = sums.get(&Account::Deposit(*id)).map_or(0, |sum| -sum);
        prop_assert_eq!(deposit.balance, to_decimal(balance, Currency::MAD));
        prop_assert!(deposit.status != DepositStatus::Closed || deposit.balance.is_zero());
    }
    let report = ledger.check(merchant).wait();
    prop_assert!(report.is_ok(), "{:?}", report);
    Ok(sums.len())
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 150, ..config() })]

    #[test]
    fn replay_gives_the_state(steps in prop::collection::vec(step(), 1..120)) {
        let clock = Arc::new(ManualClock::new(Timestamp::from_micros(START)));
        let ledger = ledger(&clock, Options { due_step: 3, ..Options::default() });
        let merchant = MerchantId(pool(9, 1, 2));
        let mut now = Timestamp::from_micros(START);
        for name in ["register_campaign", "open_deposit"] {
            let command = Command::NAMES.iter().position(|known| *known == name).unwrap();
            let first = Step { command, ids: [0, 0, 1], minor: 500_000, number: 0, hours: 0 };
            ledger.submit(command_of(&first, merchant)).wait().unwrap();
        }
        for step in &steps {
            now = now.plus_hours(step.hours);
            clock.set(now);
            ledger.run_due_everywhere(10).wait().unwrap();
            let entries = ledger.book(merchant).wait().unwrap().entries;
            let outcome = ledger.submit(command_of(step, merchant)).wait();
            let after = ledger.book(merchant).wait().unwrap();
            match outcome {
                Ok(done) => prop_assert_eq!(after.entries, entries + u64::from(!done.replayed)),
                Err(leadledger::Error::Refused(_)) => prop_assert_eq!(after.entries, entries),
                Err(fault) => prop_assert!(false, "{:?}: {}", step, fault),
            }
        }
        prop_assert!(hold(&ledger, merchant)? > 0);
    }

    #[test]
    fn entries_are_read_back_at_any_time(micros in any::<i64>(), minor in 200_000..i64::MAX) {
        let clock = Arc::new(ManualClock::new(Timestamp::from_micros(micros)));
        let ledger = ledger(&clock, Options::default());
        let merchant = MerchantId(pool(9, 1, 2));
        let opened = leadledger::OpenDeposit::new(merchant, to_decimal(minor, Currency::MAD));
        let done = ledger.open_deposit(opened).key("k").wait().unwrap();
        prop_assert_eq!(done.entry.at, Timestamp::from_micros(micros));
        prop_assert_eq!(&Entry::from_payload(&done.entry.to_payload()).unwrap(), &*done.entry);
        hold(&ledger, merchant)?;
    }
}

/// What one caller was told, of one merchant.
#[derive(Default)]
struct Told {
    paid_in: i64,
    spent: i64,
    entries: u64,
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 24, ..config() })]

    #[test]
    fn callers_at_once_lose_nothing_and_double_nothing(
        scripts in prop::collection::vec(prop::collection::vec((0..6_u8, 0..3_u8, 0..12_u8), 1..60), 2..9),
        batch in 1..40_usize,
        queue in 1..20_usize,
    ) {
        let clock = Arc::new(ManualClock::new(Timestamp::from_micros(START)));
        let ledger = ledger(&clock, Options { batch, queue, ..Options::default() });
        let merchants: Vec<_> = (0..3).map(|n| MerchantId(pool(9, n, 3))).collect();
        let deposit = DepositId(pool(2, 0, 3));
        let campaign = leadledger::CampaignId(pool(1, 0, 2));
        for who in &merchants {
            let mut open = leadledger::OpenDeposit::new(*who, "2000.00".parse().unwrap());
            open.deposit = Some(deposit);
            ledger.open_deposit(open).wait().unwrap();
            let mut register = leadledger::RegisterCampaign::new(*who);
            register.campaign = Some(campaign);
            ledger.register_campaign(register).wait().unwrap();
        }
        let run = |script: &[(u8, u8, u8)]| {
            let mut told: BTreeMap<MerchantId, Told> = BTreeMap::new();
            let mut sent = Vec::new();
            for (what, who, place) in script {
                let who = merchants[usize::from(*who)];
                let lead = leadledger::LeadId(pool(4, *place, 12));
                let partner = leadledger::PartnerId(pool(3, 0, 2));
                // Every caller uses the same keys and ids: who comes second gets the first one's answer, or a refusal.
                let (command, key): (Command, _) = match what {
                    0 | 1 => {
                        let mut command =
                            leadledger::CreateLead::new(who, campaign, partner, "600.00".parse().unwrap());
                        command.lead = Some(lead);
                        (command.into(), format!("create {place}"))
                    }
                    2 => (leadledger::ValidateLead::new(who, lead).into(), format!("validate {place}")),
                    3 => (
                        leadledger::RejectLead::new(who, lead, "no".try_into().unwrap()).into(),
                        format!("reject {place}"),
                    ),
                    _ => (
                        leadledger::TopUpDeposit::new(who, deposit, "100.00".parse().unwrap()).into(),
                        format!("pay {place}"),
                    ),
                };
                sent.push((who, ledger.submit(command).key(key).send()));
                if sent.len() > usize::from(*place) {
                    sent.drain(..).for_each(|(who, pending)| note(told.entry(who).or_default(), pending, deposit));
                }
            }
            sent.into_iter().for_each(|(who, pending)| note(told.entry(who).or_default(), pending, deposit));
            told
        };
        let told: Vec<_> = std::thread::scope(|scope| {
            let threads: Vec<_> = scripts.iter().map(|script| scope.spawn(|| run(script))).collect();
            threads.into_iter().map(|thread| thread.join().unwrap()).collect()
        });
        for who in &merchants {
            let sum = |field: fn(&Told) -> i64| told.iter().filter_map(|told| told.get(who)).map(field).sum::<i64>();
            let view = ledger.book(*who).wait().unwrap();
            let expected = to_decimal(200_000 + sum(|told| told.paid_in) - sum(|told| told.spent), Currency::MAD);
            prop_assert_eq!(view.deposits[&deposit].balance, expected);
            prop_assert_eq!(view.entries, 2 + sum(|told| i64::try_from(told.entries).unwrap()) as u64);
            hold(&ledger, *who)?;
        }
    }
}

/// Waits for an answer, and adds what it says was done now.
fn note(told: &mut Told, pending: leadledger::Pending<()>, deposit: DepositId) {
    match pending.wait() {
        Ok(done) if !done.replayed => {
            told.entries += 1;
            for (account, amount) in done.entry.lines() {
                if *account == Account::Deposit(deposit) {
                    told.paid_in += (-amount).max(0);
                    told.spent += (*amount).max(0);
                }
            }
        }
        Ok(_) | Err(leadledger::Error::Refused(_)) => {}
        Err(fault) => panic!("{fault}"),
    }
}
