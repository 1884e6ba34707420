//! A book with at least one row of every kind in every state, the same in every store: what excerpts and lists are
//! compared on. Its random salts differ, and so do its hashes; nothing else does.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::ground::{Ground, START, id, partner, send};
use crate::campaign::OnTimeout;
use crate::command::{
    AdjustDeposit, AttachReference, BeginTopUp, CancelPayout, CancelTopUp, CloseDeposit, Command, ConvertLead,
    CreateLead, DisputeTopUp, EraseCustomer, FailTopUp, LoseLead, OpenDeposit, PauseCampaign, RefundTopUp,
    RegisterCampaign, RejectLead, RequestPayout, ReverseLead, SetAgreement, SettlePayout, SucceedTopUp, SuspendDeposit,
    ValidateLead,
};
use crate::error::Error;
use crate::ids::{DepositId, LeadId, MerchantId, PayoutId, TopUpId};
use crate::lead::{Customer, Source};
use crate::ledger::Ledger;
use crate::memory::MemoryStore;
use crate::text::{Line, Paragraph, Reference};
use crate::time::{ManualClock, Timestamp};
use crate::top_up::Method;

/// Ids of the story, apart by kind.
pub(super) const MAIN: u32 = 101;
pub(super) const OWN: u32 = 102;
pub(super) const CLOSED: u32 = 103;
pub(super) const DRY: u32 = 104;
pub(super) const CAMPAIGNS: [u32; 4] = [201, 202, 203, 204];
pub(super) const LEADS: std::ops::Range<u32> = 300..330;
pub(super) const MISSED: u32 = 399;
pub(super) const TOP_UPS: std::ops::Range<u32> = 400..406;
pub(super) const PAYOUTS: std::ops::Range<u32> = 500..503;

/// Hours after the start at which the story ends.
pub(super) const END: u32 = 100;

fn text(text: &str) -> Paragraph {
    Paragraph::new(text).unwrap()
}

fn create(merchant: MerchantId, n: u32) -> Command {
    let place = n - LEADS.start;
    let campaign = CAMPAIGNS[usize::from(place % 4 == 1)];
    let value = format!("{}.50", 120 + 37 * place);
    let mut command = CreateLead::new(merchant, id(campaign), partner(1 + place % 3), value.parse().unwrap());
    command.lead = Some(id(n));
    command.source = Source::ALL.get(place as usize % Source::ALL.len()).copied();
    if place.is_multiple_of(4) {
        let name = Line::new(format!("Customer {place}")).unwrap();
        command.customer = Some(Customer { name: Some(name), ..Customer::default() });
    }
    command.into()
}

/// What the story does at each hour.
fn chapters(merchant: MerchantId) -> BTreeMap<u32, Vec<Command>> {
    let mut accepting = RegisterCampaign::new(merchant);
    accepting.campaign = Some(id(CAMPAIGNS[1]));
    accepting.on_timeout = Some(OnTimeout::Accept);
    accepting.validation_window_hours = Some(48);
    let mut costly = RegisterCampaign::new(merchant);
    costly.campaign = Some(id(CAMPAIGNS[2]));
    costly.threshold = Some("1500".parse().unwrap());
    costly.fixed = Some("1500".parse().unwrap());
    let plain = |n| RegisterCampaign { campaign: Some(id(n)), ..RegisterCampaign::new(merchant) };
    let deposit = |n, campaign, amount: &str| OpenDeposit {
        campaign,
        method: Some(Method::Stripe),
        ..OpenDeposit { deposit: Some(id(n)), ..OpenDeposit::new(merchant, amount.parse().unwrap()) }
    };
    let agree = |n, share: &str, days| SetAgreement {
        payout_delay_days: Some(days),
        ..SetAgreement::new(merchant, partner(n), share.parse().unwrap())
    };
    let lead = |n: u32| -> LeadId { id(n) };
    let validate = |n, score| ValidateLead { score, ..ValidateLead::new(merchant, lead(n)) };
    let begin = |n, amount: &str| BeginTopUp {
        top_up: Some(id(n)),
        ..BeginTopUp::new(merchant, amount.parse().unwrap(), Method::Stripe)
    };
    let reference = |n: u32| Reference::new(format!("pi_{n}")).unwrap();
    let succeed =
        |n, amount: &str| SucceedTopUp::new(merchant, id::<TopUpId>(n), reference(n), amount.parse().unwrap());
    let payout = |n, amount: &str| RequestPayout {
        payout: Some(id(n)),
        ..RequestPayout::new(merchant, partner(1), amount.parse().unwrap())
    };
    let mut hours: BTreeMap<u32, Vec<Command>> = BTreeMap::new();
    hours.insert(
        0,
        vec![
            plain(CAMPAIGNS[0]).into(),
            accepting.into(),
            costly.into(),
            plain(CAMPAIGNS[3]).into(),
            PauseCampaign::new(merchant, id(CAMPAIGNS[3])).into(),
            agree(2, "40", 2).into(),
            SetAgreement { campaign: Some(id(CAMPAIGNS[0])), ..agree(3, "12.5", 30) }.into(),
            deposit(MAIN, None, "20000.00").into(),
            deposit(OWN, Some(id(CAMPAIGNS[1])), "5000.00").into(),
            deposit(CLOSED, Some(id(CAMPAIGNS[3])), "2500.00").into(),
            CloseDeposit::new(merchant, id::<DepositId>(CLOSED)).into(),
            deposit(DRY, Some(id(CAMPAIGNS[2])), "2000.00").into(),
        ],
    );
    for (hour, range) in [(1, 300..315), (2, 315..325), (80, 325..330)] {
        hours.entry(hour).or_default().extend(range.map(|n| create(merchant, n)));
    }
    hours.entry(3).or_default().extend([
        validate(300, Some(8)).into(),
        ValidateLead { feedback: Some(text("good")), ..validate(301, Some(9)) }.into(),
        validate(302, None).into(),
        validate(304, Some(1)).into(),
        validate(305, Some(5)).into(),
        validate(307, Some(5)).into(),
        validate(308, Some(10)).into(),
        RejectLead::new(merchant, lead(310), text("no answer")).into(),
        RejectLead::new(merchant, lead(311), text("double")).into(),
        ConvertLead::new(merchant, lead(301)).into(),
        LoseLead::new(merchant, lead(302)).into(),
        ReverseLead::new(merchant, lead(304), text("fraud")).into(),
        EraseCustomer::new(merchant, lead(304)).into(),
        AdjustDeposit::new(merchant, id(MAIN), "-12.34".parse().unwrap(), text("a correction")).into(),
    ]);
    hours.entry(4).or_default().extend([
        begin(400, "1000.00").into(),
        AttachReference::new(merchant, id(400), reference(400)).into(),
        succeed(400, "1000.00").into(),
        RefundTopUp { amount: Some("250.00".parse().unwrap()), ..RefundTopUp::new(merchant, id(400)) }.into(),
        begin(401, "500.00").into(),
        FailTopUp::new(merchant, id(401)).into(),
        begin(402, "500.00").into(),
        CancelTopUp::new(merchant, id(402)).into(),
        begin(403, "700.00").into(),
        succeed(403, "700.00").into(),
        DisputeTopUp::new(merchant, id(403)).into(),
        begin(404, "800.00").into(),
        AttachReference::new(merchant, id(404), reference(404)).into(),
        begin(405, "900.00").into(),
        succeed(405, "900.00").into(),
        RefundTopUp::new(merchant, id(405)).into(),
    ]);
    hours.entry(5).or_default().extend([
        payout(500, "1.00").into(),
        SettlePayout { method: Some(Method::BankTransfer), ..SettlePayout::new(merchant, id::<PayoutId>(500)) }.into(),
        payout(501, "0.50").into(),
        CancelPayout::new(merchant, id(501)).into(),
        payout(502, "0.25").into(),
        // Takes all that its deposit has, so that the next one is missed.
        CreateLead {
            lead: Some(id(MISSED - 1)),
            ..CreateLead::new(merchant, id(CAMPAIGNS[2]), partner(1), "1500.00".parse().unwrap())
        }
        .into(),
    ]);
    hours.insert(END, vec![SuspendDeposit::new(merchant, id(OWN)).into()]);
    hours
}

/// Tells the story of one merchant, from the ground's start to [`END`].
pub(super) fn tell(ledger: &Ledger, clock: &ManualClock, merchant: MerchantId) {
    tell_watched(ledger, clock, merchant, &mut || {});
}

/// [`tell`], with a look after each command.
pub(super) fn tell_watched(ledger: &Ledger, clock: &ManualClock, merchant: MerchantId, look: &mut dyn FnMut()) {
    for (hour, commands) in chapters(merchant) {
        clock.set(Timestamp::from_micros(START).plus_hours(hour));
        for command in commands {
            send(ledger, [command]);
            look();
        }
        if hour == 5 {
            let missed = CreateLead {
                lead: Some(id(MISSED)),
                ..CreateLead::new(merchant, id(CAMPAIGNS[2]), partner(1), "1500.00".parse().unwrap())
            };
            match ledger.create_lead(missed).wait() {
                Err(Error::Refused(refusal)) => assert_eq!(refusal.code(), "insufficient_funds"),
                other => panic!("a lead beyond the money is not missed: {other:?}"),
            }
        }
    }
}

/// The same story in a memory store, settled as far as in `ground`.
pub(super) fn in_memory(merchants: &[MerchantId]) -> (Arc<MemoryStore>, Ledger) {
    let store = Arc::new(MemoryStore::new());
    let clock = Arc::new(ManualClock::new(Timestamp::from_micros(START)));
    let ledger = Ledger::with_shared(store.clone(), clock.clone(), crate::ledger::Options::default()).unwrap();
    tell_all(&ledger, &clock, merchants);
    (store, ledger)
}

/// The story of each merchant in `ground`, and a ledger on it.
pub(super) fn on(ground: &Ground, merchants: &[MerchantId]) -> Ledger {
    let ledger = ground.ledger();
    tell_all(&ledger, &ground.clock, merchants);
    ledger
}

fn tell_all(ledger: &Ledger, clock: &ManualClock, merchants: &[MerchantId]) {
    for merchant in merchants {
        tell(ledger, clock, *merchant);
    }
    for merchant in merchants {
        // Settles what is due by the end.
        ledger.deposits(*merchant).wait().unwrap();
    }
}
