//! The faults, one function for each: it makes rows that add up, spoils one thing, and notes what the report has to say.
//! Places in the world's lists are used before anything is shuffled.

use leadledger_legacy::Cause;

use super::{CAPTURED, HOUR, MERCHANTS, NOW, Place, World, at, minor, money, some};

type Plant = fn(&mut World, Place);

/// How often each is planted.
const TIMES: usize = 2;

/// Plants every fault, in merchants that the dice choose.
pub fn all(world: &mut World) {
    for plant in PLANTS {
        for _ in 0..TIMES {
            let merchant = world.dice.below(MERCHANTS);
            plant(world, merchant);
        }
    }
}

const PLANTS: &[Plant] = &[
    several_active,
    depleted_before,
    suspended_before,
    reserved_wrong,
    reserved_null,
    balance_negative,
    balance_unreadable,
    initial_unusable,
    deposit_undated,
    deposit_status,
    depleted_with_money,
    depleted_and_right,
    recharge_too_small,
    recharge_without_amount,
    threshold,
    deposit_twice,
    chain_start,
    chain_break,
    line_sum,
    chain_end,
    chain_missing,
    line_orphan,
    line_merchant,
    line_lead,
    line_type,
    line_amount,
    line_time,
    line_method,
    line_reference,
    line_twice,
    deduction_lost,
    deduction_twice,
    deduction_for_nothing,
    merchantless,
    no_deposit,
    lead_status,
    partner_none,
    partner_none_pending,
    partner_both,
    commission_unreadable,
    lead_undated,
    commission_off,
    commission_type,
    part_off,
    part_above,
    share_none,
    value_unusable,
    source,
    source_null,
    score,
    text,
    time_unreadable,
    created_tomorrow,
    converted_tomorrow,
    undecided,
    decided_early,
    pending_decided,
    lost_unpaid,
    too_old,
    too_old_accepting,
    uncovered,
    lead_twice,
    leads_differ,
    bare_campaign,
    foreign_campaign,
    setting_null,
    setting_out,
    policy_out,
    settings_twice,
    settings_conflict,
    pause_unclear,
    agreements_asleep,
    agreement_status,
    agreement_partners,
    agreement_out,
    agreement_twice,
    agreement_conflict,
];

fn rejected(world: &mut World, merchant: Place) -> Place {
    world.lead(merchant, 0, "rejected")
}

fn captured(world: &mut World, merchant: Place) -> Place {
    let status = *world.dice.of(&CAPTURED);
    world.lead(merchant, 1, status)
}

/// A second deposit for the scope of an own one, newer.
fn second(world: &mut World, merchant: Place) -> (Place, Place, Place) {
    let (campaign, old) = world.campaign_with_deposit(merchant, 250_000);
    world.lead(merchant, campaign, "validated");
    let id = world.merchants[merchant].campaigns[campaign].id.clone();
    let new = world.deposit(merchant, Some(id), 400_000);
    world.merchants[merchant].campaigns[campaign].deposit = Some(new);
    world.lead(merchant, campaign, "validated");
    world.lead(merchant, campaign, "pending");
    (campaign, old, new)
}

fn several_active(world: &mut World, merchant: Place) {
    let (_, old, _) = second(world, merchant);
    world.expect(Cause::SeveralActive, merchant, [world.deposit_id(old)]);
}

fn depleted_before(world: &mut World, merchant: Place) {
    let (_, old, _) = second(world, merchant);
    let left = minor(&world.source.deposits[old].current_balance);
    world.line(merchant, old, "adjustment", -left, None);
    world.source.deposits[old].status = some("depleted");
    world.expect(Cause::Superseded, merchant, [world.deposit_id(old)]);
}

fn suspended_before(world: &mut World, merchant: Place) {
    let (_, old, new) = second(world, merchant);
    world.source.deposits[old].status = some("suspended");
    // The active one is in use, though it is the older.
    let (one, other) = (world.source.deposits[old].created_at.clone(), world.source.deposits[new].created_at.clone());
    world.source.deposits[old].created_at = other;
    world.source.deposits[new].created_at = one;
    world.expect(Cause::Superseded, merchant, [world.deposit_id(old)]);
}

fn reserved_wrong(world: &mut World, merchant: Place) {
    let (campaign, deposit) = world.campaign_with_deposit(merchant, 300_000);
    world.lead(merchant, campaign, "pending");
    let reserved = minor(&world.source.deposits[deposit].reserved_amount);
    world.source.deposits[deposit].reserved_amount = money(reserved + 1 + world.dice_i64(9_000));
    world.expect(Cause::ReservedWrong, merchant, [world.deposit_id(deposit)]);
}

fn reserved_null(world: &mut World, merchant: Place) {
    let (campaign, deposit) = world.campaign_with_deposit(merchant, 300_000);
    world.lead(merchant, campaign, "pending");
    world.source.deposits[deposit].reserved_amount = if world.dice.chance(50) { None } else { some("NaN") };
    world.expect(Cause::ReservedWrong, merchant, [world.deposit_id(deposit)]);
}

fn balance_negative(world: &mut World, merchant: Place) {
    let (_, deposit) = world.campaign_with_deposit(merchant, 300_000);
    world.line(merchant, deposit, "adjustment", -301_250, None);
    world.expected(merchant).balance += 1_250;
    world.expect(Cause::BalanceNegative, merchant, [world.deposit_id(deposit)]);
}

fn balance_unreadable(world: &mut World, merchant: Place) {
    let (_, deposit) = world.campaign_with_deposit(merchant, 300_000);
    world.source.deposits[deposit].current_balance = if world.dice.chance(50) { some("NaN") } else { None };
    world.expected(merchant).balance -= 300_000;
    world.expect(Cause::BalanceUnreadable, merchant, [world.deposit_id(deposit)]);
}

fn initial_unusable(world: &mut World, merchant: Place) {
    let (_, deposit) = world.campaign_with_deposit(merchant, 300_000);
    let bad = world.dice.of(&[None, some("0.00"), some("-5.00"), some("NaN")]).clone();
    world.source.deposits[deposit].initial_amount = bad;
    world.expect(Cause::InitialUnusable, merchant, [world.deposit_id(deposit)]);
}

fn deposit_undated(world: &mut World, merchant: Place) {
    // The older for it: the other stays in use.
    let (_, old, _) = second(world, merchant);
    world.source.deposits[old].created_at = if world.dice.chance(50) { None } else { some("-infinity") };
    world.expect(Cause::CreatedUnreadable, merchant, [world.deposit_id(old)]);
    world.expect(Cause::SeveralActive, merchant, [world.deposit_id(old)]);
}

fn deposit_status(world: &mut World, merchant: Place) {
    let (campaign, deposit) = world.campaign_with_deposit(merchant, 300_000);
    world.lead(merchant, campaign, "pending");
    world.source.deposits[deposit].status = if world.dice.chance(50) { some("frozen") } else { None };
    world.expect(Cause::DepositStatusUnknown, merchant, [world.deposit_id(deposit)]);
}

fn depleted_with_money(world: &mut World, merchant: Place) {
    let (_, deposit) = world.campaign_with_deposit(merchant, 300_000);
    world.source.deposits[deposit].status = some("depleted");
    world.expect(Cause::DepletedWithBalance, merchant, [world.deposit_id(deposit)]);
}

/// Nothing is wrong with a deposit that is depleted and empty, nor with one that is suspended.
fn depleted_and_right(world: &mut World, merchant: Place) {
    let (_, deposit) = world.campaign_with_deposit(merchant, 300_000);
    world.line(merchant, deposit, "adjustment", -300_000, None);
    let stopped = world.tick(merchant);
    world.source.deposits[deposit].status = some("depleted");
    world.source.deposits[deposit].depleted_at = at(stopped);
    let (_, deposit) = world.campaign_with_deposit(merchant, 300_000);
    world.source.deposits[deposit].status = some("suspended");
}

fn recharge_too_small(world: &mut World, merchant: Place) {
    recharge(world, merchant, some("999.99"));
}

fn recharge_without_amount(world: &mut World, merchant: Place) {
    recharge(world, merchant, None);
}

fn recharge(world: &mut World, merchant: Place, amount: Option<String>) {
    let (_, deposit) = world.campaign_with_deposit(merchant, 300_000);
    let row = &mut world.source.deposits[deposit];
    (row.auto_recharge, row.alert_threshold, row.auto_recharge_amount) = (some(true), some("500.00"), amount);
    world.expect(Cause::AutoRechargeUnusable, merchant, [world.deposit_id(deposit)]);
}

fn threshold(world: &mut World, merchant: Place) {
    let (_, deposit) = world.campaign_with_deposit(merchant, 300_000);
    let row = &mut world.source.deposits[deposit];
    (row.auto_recharge, row.alert_threshold) = (some(false), some("750.00"));
    world.expect(Cause::ThresholdNotKept, merchant, [world.deposit_id(deposit)]);
}

fn deposit_twice(world: &mut World, merchant: Place) {
    let (_, deposit) = world.campaign_with_deposit(merchant, 300_000);
    let row = world.source.deposits[deposit].clone();
    world.source.deposits.push(row);
    world.expect(Cause::RowTwice, merchant, [world.deposit_id(deposit)]);
}

/// An own deposit with three payments after the first one; gives their lines.
fn paid(world: &mut World, merchant: Place) -> (Place, [Place; 3]) {
    let (_, deposit) = world.campaign_with_deposit(merchant, 300_000);
    let mut pay = |amount| world.line(merchant, deposit, "recharge", amount, None);
    (deposit, [pay(11_100), pay(22_200), pay(33_300)])
}

/// As if a line had never been written. Places must hold while planting goes on: it is taken out at the end.
fn drop_line(world: &mut World, line: Place) {
    world.dropped.push(line);
}

fn chain_start(world: &mut World, merchant: Place) {
    let (deposit, lines) = paid(world, merchant);
    let id = world.deposit_id(deposit);
    let first = world.source.transactions.iter().position(|row| row.deposit_id.as_ref() == Some(&id)).unwrap();
    drop_line(world, first);
    world.expect(Cause::ChainStart, merchant, [world.line_id(lines[0])]);
}

fn chain_break(world: &mut World, merchant: Place) {
    let (_, lines) = paid(world, merchant);
    drop_line(world, lines[1]);
    world.expect(Cause::ChainBreak, merchant, [world.line_id(lines[2])]);
}

fn line_sum(world: &mut World, merchant: Place) {
    let (_, lines) = paid(world, merchant);
    world.source.transactions[lines[1]].amount = some("22200.01");
    world.expect(Cause::LineSum, merchant, [world.line_id(lines[1])]);
}

fn chain_end(world: &mut World, merchant: Place) {
    let (deposit, _) = paid(world, merchant);
    let balance = minor(&world.source.deposits[deposit].current_balance);
    world.source.deposits[deposit].current_balance = money(balance - 3_333);
    world.expected(merchant).balance -= 3_333;
    world.expect(Cause::ChainEnd, merchant, [world.deposit_id(deposit)]);
}

fn chain_missing(world: &mut World, merchant: Place) {
    let (_, deposit) = world.campaign_with_deposit(merchant, 300_000);
    let last = world.source.transactions.len() - 1;
    drop_line(world, last);
    world.expect(Cause::ChainMissing, merchant, [world.deposit_id(deposit)]);
}

fn line_orphan(world: &mut World, merchant: Place) {
    let (_, lines) = paid(world, merchant);
    let mut row = world.source.transactions[lines[2]].clone();
    (row.id, row.deposit_id) = (some(world.dice.id()), some(world.dice.id()));
    let id = row.id.clone().unwrap();
    world.source.transactions.push(row);
    world.expect(Cause::LineOrphan, merchant, [id]);
}

fn line_merchant(world: &mut World, merchant: Place) {
    let (_, lines) = paid(world, merchant);
    let other = world.merchants[(merchant + 1) % MERCHANTS].id.clone();
    world.source.transactions[lines[0]].merchant_id = some(other);
    world.expect(Cause::LineMerchant, merchant, [world.line_id(lines[0])]);
}

fn line_lead(world: &mut World, merchant: Place) {
    let (deposit, _) = paid(world, merchant);
    let nobody = world.dice.id();
    let line = world.line(merchant, deposit, "deduction", -6_000, Some(&nobody));
    world.expect(Cause::LineLeadUnknown, merchant, [world.line_id(line)]);
}

fn line_type(world: &mut World, merchant: Place) {
    let (_, lines) = paid(world, merchant);
    world.source.transactions[lines[1]].transaction_type = if world.dice.chance(50) { some("bonus") } else { None };
    world.expect(Cause::LineTypeUnknown, merchant, [world.line_id(lines[1])]);
}

fn line_amount(world: &mut World, merchant: Place) {
    let (_, lines) = paid(world, merchant);
    world.source.transactions[lines[1]].amount = if world.dice.chance(50) { some("NaN") } else { None };
    world.expect(Cause::LineUnreadable, merchant, [world.line_id(lines[1])]);
}

fn line_time(world: &mut World, merchant: Place) {
    let (deposit, lines) = paid(world, merchant);
    world.source.transactions[lines[2]].created_at = some("infinity");
    world.expect(Cause::LineUnreadable, merchant, [world.line_id(lines[2])]);
    // What cannot be placed leaves a gap: here at the end.
    world.expect(Cause::ChainEnd, merchant, [world.deposit_id(deposit)]);
}

fn line_method(world: &mut World, merchant: Place) {
    let (_, lines) = paid(world, merchant);
    world.source.transactions[lines[0]].payment_method = some("paypal");
    world.expect(Cause::MethodUnknown, merchant, [world.line_id(lines[0])]);
}

fn line_reference(world: &mut World, merchant: Place) {
    let (_, lines) = paid(world, merchant);
    world.source.transactions[lines[0]].payment_reference = some("x".repeat(256));
    world.expect(Cause::ReferenceUnusable, merchant, [world.line_id(lines[0])]);
}

fn line_twice(world: &mut World, merchant: Place) {
    let (_, lines) = paid(world, merchant);
    let row = world.source.transactions[lines[1]].clone();
    world.source.transactions.push(row);
    world.expect(Cause::RowTwice, merchant, [world.line_id(lines[1])]);
}

fn deduction_lost(world: &mut World, merchant: Place) {
    let lead = captured(world, merchant);
    let id = world.lead_id(lead);
    if world.source.leads[lead].status.as_deref() == Some("lost") {
        world.source.leads[lead].status = some("validated");
    }
    let line = world.source.transactions.iter().rposition(|row| row.lead_id.as_ref() == Some(&id)).unwrap();
    world.source.transactions[line].lead_id = None;
    world.expect(Cause::DeductionDiffers, merchant, [id]);
}

fn deduction_twice(world: &mut World, merchant: Place) {
    let lead = world.lead(merchant, 0, "validated");
    let (id, deposit) = (world.lead_id(lead), world.merchants[merchant].wide.unwrap());
    world.line(merchant, deposit, "deduction", -100, Some(&id));
    world.expect(Cause::DeductionDiffers, merchant, [id]);
}

fn deduction_for_nothing(world: &mut World, merchant: Place) {
    let lead = rejected(world, merchant);
    let (id, deposit) = (world.lead_id(lead), world.merchants[merchant].wide.unwrap());
    world.line(merchant, deposit, "deduction", -100, Some(&id));
    world.expect(Cause::DeductionDiffers, merchant, [id]);
}

/// A lead that is left out.
fn gone(world: &mut World, merchant: Place, lead: Place, cause: Cause) {
    world.expected(merchant).leads -= 1;
    world.expect(cause, merchant, [world.lead_id(lead)]);
}

fn merchantless(world: &mut World, merchant: Place) {
    let lead = rejected(world, merchant);
    world.source.leads[lead].merchant_id = None;
    world.expected(merchant).leads -= 1;
    world.planted.push((Cause::IdUnusable, None, vec![world.lead_id(lead)]));
}

/// A merchant who has leads and no deposit has no book.
fn no_deposit(world: &mut World, merchant: Place) {
    let lead = rejected(world, merchant);
    let nobody = world.dice.id();
    world.source.leads[lead].merchant_id = some(&nobody);
    world.source.leads[lead].status = some(*world.dice.of(&["rejected", "pending", "validated"]));
    world.expected(merchant).leads -= 1;
    world.planted.push((Cause::NoDeposit, Some(nobody.parse().unwrap()), vec![world.lead_id(lead)]));
}

fn lead_status(world: &mut World, merchant: Place) {
    let lead = rejected(world, merchant);
    let bad = world.dice.of(&[some("archived"), some("expired"), some("reversed"), None]).clone();
    world.source.leads[lead].status = bad;
    gone(world, merchant, lead, Cause::LeadStatusUnknown);
}

fn partner_none(world: &mut World, merchant: Place) {
    let lead = captured(world, merchant);
    let row = &mut world.source.leads[lead];
    (row.influencer_id, row.commercial_id) = (None, None);
    gone(world, merchant, lead, Cause::PartnerMissing);
}

fn partner_none_pending(world: &mut World, merchant: Place) {
    let lead = world.lead(merchant, 0, "pending");
    let row = &mut world.source.leads[lead];
    (row.influencer_id, row.commercial_id) = (None, None);
    let commission = minor(&row.commission_amount);
    world.expected(merchant).reserved -= commission;
    gone(world, merchant, lead, Cause::PartnerMissing);
}

fn partner_both(world: &mut World, merchant: Place) {
    let lead = rejected(world, merchant);
    let [one, other] = [world.dice.id(), world.dice.id()];
    let row = &mut world.source.leads[lead];
    (row.influencer_id, row.commercial_id) = (some(&one), some(other));
    gone(world, merchant, lead, Cause::PartnerDouble);
    // The same twice is no contradiction.
    let lead = rejected(world, merchant);
    let row = &mut world.source.leads[lead];
    (row.influencer_id, row.commercial_id) = (some(&one), some(one));
}

fn commission_unreadable(world: &mut World, merchant: Place) {
    let lead = rejected(world, merchant);
    let bad = world.dice.of(&[some("NaN"), some("-60.00"), None]).clone();
    world.source.leads[lead].commission_amount = bad;
    gone(world, merchant, lead, Cause::CommissionUnreadable);
}

fn lead_undated(world: &mut World, merchant: Place) {
    let lead = rejected(world, merchant);
    world.source.leads[lead].created_at = if world.dice.chance(50) { None } else { some("infinity") };
    gone(world, merchant, lead, Cause::CreatedUnreadable);
}

fn commission_off(world: &mut World, merchant: Place) {
    let lead = rejected(world, merchant);
    let row = &mut world.source.leads[lead];
    // A cent more, as floats make it; the part stays what it was.
    let before = minor(&row.commission_amount);
    row.commission_amount = money(before + 1);
    let share = minor(&row.influencer_percentage);
    row.influencer_commission = money(((before + 1) * share + 5_000) / 10_000);
    world.expect(Cause::CommissionDiffers, merchant, [world.lead_id(lead)]);
}

fn commission_type(world: &mut World, merchant: Place) {
    let lead = captured(world, merchant);
    world.source.leads[lead].commission_type = if world.dice.chance(50) { some("flat") } else { None };
    world.expect(Cause::CommissionTypeUnknown, merchant, [world.lead_id(lead)]);
}

fn part_off(world: &mut World, merchant: Place) {
    let lead = captured(world, merchant);
    let part = minor(&world.source.leads[lead].influencer_commission);
    world.source.leads[lead].influencer_commission = money(part + 1);
    world.expect(Cause::PartDiffers, merchant, [world.lead_id(lead)]);
}

fn part_above(world: &mut World, merchant: Place) {
    let lead = captured(world, merchant);
    let commission = minor(&world.source.leads[lead].commission_amount);
    let bad = world.dice.of(&[money(commission + 1), money(-1), some("NaN"), None]).clone();
    world.source.leads[lead].influencer_commission = bad;
    world.expect(Cause::PartUnusable, merchant, [world.lead_id(lead)]);
}

fn share_none(world: &mut World, merchant: Place) {
    let lead = captured(world, merchant);
    world.source.leads[lead].influencer_percentage = if world.dice.chance(50) { None } else { some("130.00") };
    world.expect(Cause::ShareUnusable, merchant, [world.lead_id(lead)]);
}

fn value_unusable(world: &mut World, merchant: Place) {
    let lead = captured(world, merchant);
    let bad = world.dice.of(&[some("NaN"), some("-1.00"), None]).clone();
    world.source.leads[lead].estimated_value = bad;
    world.expect(Cause::ValueUnusable, merchant, [world.lead_id(lead)]);
}

fn source(world: &mut World, merchant: Place) {
    let lead = captured(world, merchant);
    world.source.leads[lead].source = some(*world.dice.of(&["linkedin", "Instagram", ""]));
    world.expect(Cause::SourceUnknown, merchant, [world.lead_id(lead)]);
}

fn source_null(world: &mut World, merchant: Place) {
    let lead = captured(world, merchant);
    world.source.leads[lead].source = None;
    world.expect(Cause::SourceUnknown, merchant, [world.lead_id(lead)]);
}

fn score(world: &mut World, merchant: Place) {
    let lead = captured(world, merchant);
    world.source.leads[lead].quality_score = some(*world.dice.of(&[0, 11, -3]));
    world.expect(Cause::ScoreUnusable, merchant, [world.lead_id(lead)]);
}

fn text(world: &mut World, merchant: Place) {
    let lead = rejected(world, merchant);
    let row = &mut world.source.leads[lead];
    row.customer_name = some("é".repeat(256));
    row.rejection_reason = some("x".repeat(4_001));
    // The longest that fits.
    row.customer_email = some("é".repeat(255));
    world.expect(Cause::TextUnusable, merchant, [world.lead_id(lead)]);
    world.expect(Cause::TextUnusable, merchant, [world.lead_id(lead)]);
}

fn time_unreadable(world: &mut World, merchant: Place) {
    let lead = world.lead(merchant, 0, "converted");
    world.source.leads[lead].conversion_date = some("infinity");
    world.expect(Cause::TimeUnreadable, merchant, [world.lead_id(lead)]);
}

fn created_tomorrow(world: &mut World, merchant: Place) {
    let lead = world.lead(merchant, 0, "pending");
    world.source.leads[lead].created_at = at(NOW + 5 * HOUR);
    world.expect(Cause::TimeInFuture, merchant, [world.lead_id(lead)]);
}

fn converted_tomorrow(world: &mut World, merchant: Place) {
    let lead = world.lead(merchant, 0, "converted");
    world.source.leads[lead].conversion_date = at(NOW + 1);
    world.expect(Cause::TimeInFuture, merchant, [world.lead_id(lead)]);
}

fn undecided(world: &mut World, merchant: Place) {
    let lead = captured(world, merchant);
    world.source.leads[lead].validated_at = None;
    world.expect(Cause::DecidedUnknown, merchant, [world.lead_id(lead)]);
}

fn decided_early(world: &mut World, merchant: Place) {
    let lead = captured(world, merchant);
    world.source.leads[lead].validated_at = some("2020-02-29 23:59:59.5");
    world.expect(Cause::DecidedBeforeCreated, merchant, [world.lead_id(lead)]);
}

fn pending_decided(world: &mut World, merchant: Place) {
    let lead = world.lead(merchant, 0, "pending");
    world.source.leads[lead].validated_at = at(NOW - HOUR);
    world.expect(Cause::PendingDecided, merchant, [world.lead_id(lead)]);
}

fn lost_unpaid(world: &mut World, merchant: Place) {
    let lead = rejected(world, merchant);
    let row = &mut world.source.leads[lead];
    (row.status, row.validated_at) = (some("lost"), None);
    world.expect(Cause::LostWithoutCapture, merchant, [world.lead_id(lead)]);
}

/// Pending for so long that its window has ended, to the hour.
fn old(world: &mut World, merchant: Place, accepts: bool) -> Place {
    let campaign = world.campaign(merchant);
    let row = world.merchants[merchant].campaigns[campaign].row.unwrap();
    world.source.settings[row].auto_validate_after_timeout = some(accepts);
    let lead = world.lead(merchant, campaign, "pending");
    let window = world.merchants[merchant].campaigns[campaign].window_hours;
    let past = world.dice_i64(100) * HOUR;
    world.source.leads[lead].created_at = at(NOW - window * HOUR - past);
    let commission = minor(&world.source.leads[lead].commission_amount);
    world.expected(merchant).reserved -= commission;
    lead
}

fn too_old(world: &mut World, merchant: Place) {
    let lead = old(world, merchant, false);
    world.expect(Cause::PendingTooOld, merchant, [world.lead_id(lead)]);
}

fn too_old_accepting(world: &mut World, merchant: Place) {
    let lead = old(world, merchant, true);
    world.expect(Cause::PendingTooOldAccepting, merchant, [world.lead_id(lead)]);
}

fn uncovered(world: &mut World, merchant: Place) {
    let (campaign, deposit) = world.campaign_with_deposit(merchant, 900_000);
    let leads: Vec<Place> = (0..3).map(|_| world.lead(merchant, campaign, "pending")).collect();
    for (place, lead) in leads.iter().enumerate() {
        world.source.leads[*lead].created_at = at(NOW - (10 - i64::try_from(place).unwrap()) * HOUR);
    }
    // Enough for the oldest one, and no more.
    let commission = |world: &World, lead: Place| minor(&world.source.leads[lead].commission_amount);
    let balance = minor(&world.source.deposits[deposit].current_balance);
    let keeps = commission(world, leads[0]);
    world.line(merchant, deposit, "adjustment", keeps - balance, None);
    for lead in &leads[1..] {
        let commission = commission(world, *lead);
        world.expected(merchant).reserved -= commission;
        gone(world, merchant, *lead, Cause::PendingUncovered);
    }
}

fn lead_twice(world: &mut World, merchant: Place) {
    let lead = captured(world, merchant);
    let row = world.source.leads[lead].clone();
    world.source.leads.push(row);
    world.expect(Cause::RowTwice, merchant, [world.lead_id(lead)]);
}

fn leads_differ(world: &mut World, merchant: Place) {
    let lead = rejected(world, merchant);
    let mut row = world.source.leads[lead].clone();
    row.customer_notes = some("another");
    world.source.leads.push(row);
    world.expected(merchant).leads -= 1;
    let id = world.lead_id(lead);
    world.expect(Cause::RowsDiffer, merchant, [id.clone(), id]);
}

fn bare_campaign(world: &mut World, merchant: Place) {
    let id = world.dice.id();
    let campaign = world.bare_campaign(merchant, id.clone());
    world.lead(merchant, campaign, "validated");
    world.lead(merchant, campaign, "pending");
    world.expect(Cause::CampaignWithoutSettings, merchant, [id]);
}

fn foreign_campaign(world: &mut World, merchant: Place) {
    let other = (merchant + 1) % MERCHANTS;
    let theirs = world.campaign(other);
    let id = world.merchants[other].campaigns[theirs].id.clone();
    let campaign = world.bare_campaign(merchant, id.clone());
    world.lead(merchant, campaign, "rejected");
    world.expect(Cause::ForeignCampaign, merchant, [id]);
}

fn setting(world: &mut World, merchant: Place) -> (Place, Place, String) {
    let campaign = world.campaign(merchant);
    let plan = &world.merchants[merchant].campaigns[campaign];
    (campaign, plan.row.unwrap(), plan.id.clone())
}

fn setting_null(world: &mut World, merchant: Place) {
    let (_, row, id) = setting(world, merchant);
    let row = &mut world.source.settings[row];
    (row.minimum_quality_score, row.auto_stop_on_depletion) = (None, None);
    world.expect(Cause::SettingMissing, merchant, [&id]);
    world.expect(Cause::SettingMissing, merchant, [&id]);
}

fn setting_out(world: &mut World, merchant: Place) {
    let (_, row, id) = setting(world, merchant);
    let row = &mut world.source.settings[row];
    (row.minimum_quality_score, row.validation_timeout_hours) = (some(11), some(0));
    world.expect(Cause::SettingUnusable, merchant, [&id]);
    world.expect(Cause::SettingUnusable, merchant, [&id]);
}

fn policy_out(world: &mut World, merchant: Place) {
    let (campaign, row, id) = setting(world, merchant);
    let bad = *world.dice.of(&[("150.00", "80.00"), ("10.00", "900.00"), ("-1.00", "80.00")]);
    let row = &mut world.source.settings[row];
    (row.percentage_commission_rate, row.fixed_commission_amount) = (some(bad.0), some(bad.1));
    row.commission_threshold = some("800.00");
    let plan = &mut world.merchants[merchant].campaigns[campaign];
    (plan.rate, plan.fixed, plan.threshold) = (1_000, 8_000, 80_000);
    world.lead(merchant, campaign, "validated");
    world.expect(Cause::SettingUnusable, merchant, [id]);
}

fn settings_twice(world: &mut World, merchant: Place) {
    let (_, row, id) = setting(world, merchant);
    let row = world.source.settings[row].clone();
    world.source.settings.push(row);
    world.expect(Cause::RowTwice, merchant, [id]);
}

fn settings_conflict(world: &mut World, merchant: Place) {
    let (campaign, row, id) = setting(world, merchant);
    let mut row = world.source.settings[row].clone();
    row.validation_timeout_hours = some(1);
    world.source.settings.push(row);
    let plan = &mut world.merchants[merchant].campaigns[campaign];
    (plan.rate, plan.fixed, plan.threshold, plan.window_hours) = (1_000, 8_000, 80_000, 72);
    world.lead(merchant, campaign, "validated");
    world.expect(Cause::SettingsConflict, merchant, [&id, &id]);
}

fn pause_unclear(world: &mut World, merchant: Place) {
    let (campaign, deposit) = world.campaign_with_deposit(merchant, 300_000);
    world.line(merchant, deposit, "adjustment", -300_000, None);
    let plan = world.merchants[merchant].campaigns[campaign].clone();
    let row = &mut world.source.settings[plan.row.unwrap()];
    (row.lead_generation_enabled, row.auto_stop_on_depletion) = (some(false), some(true));
    world.expect(Cause::PauseUnclear, merchant, [plan.id]);
}

/// An agreement of a partner of its own, and the name that the report gives it.
fn agreement(world: &mut World, merchant: Place) -> (Place, String) {
    let partner = world.dice.id();
    let campaign = world.merchants[merchant].campaigns[0].id.clone();
    let campaign = Some(campaign).filter(|_| world.dice.chance(50));
    let name = format!("{partner}/{}", campaign.clone().unwrap_or_else(|| "every campaign".to_owned()));
    (world.agreement(merchant, &partner, campaign), name)
}

fn agreements_asleep(world: &mut World, merchant: Place) {
    for status in ["pending", "suspended", "terminated"] {
        let (row, name) = agreement(world, merchant);
        world.source.agreements[row].status = some(status);
        world.expect(Cause::AgreementNotActive, merchant, [name]);
    }
}

fn agreement_status(world: &mut World, merchant: Place) {
    let (row, name) = agreement(world, merchant);
    world.source.agreements[row].status = if world.dice.chance(50) { some("draft") } else { None };
    world.expect(Cause::AgreementStatusUnknown, merchant, [name]);
}

fn agreement_partners(world: &mut World, merchant: Place) {
    let (row, name) = agreement(world, merchant);
    let other = world.dice.id();
    let (partner, _) = name.split_once('/').unwrap();
    let row = &mut world.source.agreements[row];
    (row.influencer_id, row.commercial_id) = (some(partner), some(other));
    world.expect(Cause::PartnerDouble, merchant, [&name]);
    let (row, name) = agreement(world, merchant);
    let row = &mut world.source.agreements[row];
    (row.influencer_id, row.commercial_id) = (None, None);
    let (_, scope) = name.split_once('/').unwrap();
    world.expect(Cause::PartnerMissing, merchant, [format!("null/{scope}")]);
}

fn agreement_out(world: &mut World, merchant: Place) {
    for (share, delay) in [("100.01", "14"), ("NaN", "14"), ("30.00", "-1")] {
        let (row, name) = agreement(world, merchant);
        let row = &mut world.source.agreements[row];
        (row.commission_percentage, row.payment_delay_days) = (some(share), some(delay));
        world.expect(Cause::AgreementUnusable, merchant, [name]);
    }
}

fn agreement_twice(world: &mut World, merchant: Place) {
    let (row, name) = agreement(world, merchant);
    let row = world.source.agreements[row].clone();
    world.source.agreements.push(row);
    world.expect(Cause::RowTwice, merchant, [name]);
}

fn agreement_conflict(world: &mut World, merchant: Place) {
    let (row, name) = agreement(world, merchant);
    let mut row = world.source.agreements[row].clone();
    row.commission_percentage = some("99.00");
    world.source.agreements.push(row);
    world.expect(Cause::AgreementConflict, merchant, [&name, &name]);
}
