//! A book that begins with what was kept elsewhere: it is brought in whole by one entry, once, and then lives by the same
//! rules as any other.

use rust_decimal::Decimal;

use super::ground::{Ground, commit, entries, id, lead, merchant, partner, prepared, send, top_up};
use super::{Case, Damage};
use crate::account::Account;
use crate::alert::Level;
use crate::audit::AsOf;
use crate::campaign::{CampaignStatus, OnTimeout};
use crate::command::{
    CloseDeposit, Command, EraseCustomer, OpenBook, RejectLead, ReverseLead, RunDue, SetAgreement, ValidateLead,
};
use crate::deposit::DepositStatus;
use crate::entry::{Fact, Kind};
use crate::error::Error;
use crate::export::Which;
use crate::ids::{DepositId, LeadId, MerchantId};
use crate::lead::{Customer, Lead, LeadStatus, PartPlace, Source};
use crate::ledger::{Ledger, Options};
use crate::memory::MemoryStore;
use crate::money::Currency;
use crate::opening::{
    LineKind, OpeningAgreement, OpeningCampaign, OpeningDeposit, OpeningLead, OpeningLine, OpeningStatus,
};
use crate::store::{LeadOrder, LeadQuery};
use crate::text::{Line, Paragraph, Reference};
use crate::time::Timestamp;
use crate::top_up::Method;

pub(super) const CASES: &[Case] = &[
    ("an opening brings a book in by one entry, as in the memory store, and the check passes", brought_in),
    ("an opening is made once: by its key it is repeated, and otherwise refused", once),
    ("what came in lives on by the rules of any book", lives_on),
    ("leads of one opening keep their order in lists and before time", in_order),
    ("an opening that does not fit together is refused whole", refused),
    ("a text that came in with an opening is bound to it, and erased alone", texts),
    ("what came in is counted, explained, told as of its entry, exported and taken in again", read_as_any),
];

const MAIN: u32 = 1;
const OWN: u32 = 2;
const OLD: u32 = 3;
const DRY: u32 = 4;
/// Plain; with a deposit of its own, accepting; paused by a person; drawing on what is dry.
const CAMPAIGNS: [u32; 4] = [11, 12, 13, 14];
const PENDING: u32 = 20;
const CAPTURED: u32 = 30;
const OWED_LATE: u32 = 31;
const OWED: u32 = 32;
const REJECTED: u32 = 33;
const EXPIRED: u32 = 34;
const REVERSED: u32 = 35;
const CONVERTED: u32 = 36;
const LAST: u32 = 40;

fn money(text: &str) -> Decimal {
    text.parse().unwrap()
}

fn hours(ground: &Ground, hours: i64) -> Timestamp {
    Timestamp::from_micros(ground.now().micros() + hours * 3_600_000_000)
}

fn deposit(n: u32, campaign: Option<u32>, balance: &str, status: OpeningStatus) -> OpeningDeposit {
    let campaign = campaign.map(id);
    OpeningDeposit { campaign, status, ..OpeningDeposit::new(id(n), money(balance)) }
}

fn came(n: u32, campaign: u32, deposit: u32, status: LeadStatus, created_at: Timestamp) -> OpeningLead {
    OpeningLead {
        lead: id(n),
        campaign: id(campaign),
        partner: partner(1),
        deposit: id(deposit),
        value: money("600.00"),
        commission: money("60.00"),
        partner_part: money("18.00"),
        rate: Some(money("10")),
        share: money("30"),
        payout_delay_days: None,
        source: Some(Source::Tiktok),
        status,
        created_at,
        decided_at: None,
        converted_at: None,
        score: None,
        owed: false,
        customer: None,
        product: None,
        feedback: None,
        reason: None,
    }
}

/// Everything that an opening can hold.
fn opening(ground: &Ground, who: MerchantId) -> OpenBook {
    let ago = |span: i64| hours(ground, -span);
    let decided = |n, status| OpeningLead {
        decided_at: Some(ago(100)),
        score: Some(8),
        ..came(n, CAMPAIGNS[0], MAIN, status, ago(150))
    };
    let text = |text: &str| Some(Paragraph::new(text).unwrap());
    let name = |name: &str| Some(Customer { name: Some(Line::new(name).unwrap()), ..Customer::default() });
    let mut opening = OpenBook::new(who, vec![], vec![], vec![], vec![], vec![]);
    opening.campaigns = CAMPAIGNS.map(|n| OpeningCampaign::new(id(n))).into();
    opening.campaigns[1].on_timeout = Some(OnTimeout::Accept);
    opening.campaigns[1].validation_window_hours = Some(48);
    opening.campaigns[2].paused = true;
    opening.campaigns[2].minimum_quality = Some(5);
    let share = money("40");
    opening.agreements = vec![
        OpeningAgreement { partner: partner(1), campaign: None, share, payout_delay_days: Some(14) },
        OpeningAgreement { partner: partner(2), campaign: Some(id(CAMPAIGNS[0])), share, payout_delay_days: None },
    ];
    let (old, active) = (OpeningStatus::Closed, OpeningStatus::Active);
    opening.deposits = vec![
        OpeningDeposit { moved_to: Some(id(MAIN)), ..deposit(OLD, None, "150.00", old) },
        OpeningDeposit {
            initial: Some(money("5000")),
            auto_threshold: Some(money("500")),
            auto_amount: Some(money("1000")),
            opened_at: Some(ago(900)),
            ..deposit(MAIN, None, "300.00", active)
        },
        OpeningDeposit {
            initial: Some(money("1000")),
            told: Some(Level::Attention),
            ..deposit(OWN, Some(CAMPAIGNS[1]), "400.00", OpeningStatus::Suspended)
        },
        OpeningDeposit { initial: Some(money("2000")), ..deposit(DRY, Some(CAMPAIGNS[3]), "0.00", active) },
    ];
    opening.leads = vec![
        OpeningLead { reason: text("a double"), ..decided(REJECTED, LeadStatus::Rejected) },
        OpeningLead { decided_at: Some(ago(78)), ..came(EXPIRED, CAMPAIGNS[0], MAIN, LeadStatus::Expired, ago(150)) },
        OpeningLead { customer: name("Amina"), feedback: text("good"), ..decided(CAPTURED, LeadStatus::Validated) },
        OpeningLead { payout_delay_days: Some(14), owed: true, ..decided(OWED_LATE, LeadStatus::Validated) },
        OpeningLead { payout_delay_days: Some(2), owed: true, ..decided(OWED, LeadStatus::Lost) },
        OpeningLead { decided_at: None, ..decided(REVERSED, LeadStatus::Reversed) },
        OpeningLead { converted_at: Some(ago(50)), partner: partner(2), ..decided(CONVERTED, LeadStatus::Converted) },
        OpeningLead { customer: name("Driss"), ..came(PENDING, CAMPAIGNS[0], MAIN, LeadStatus::Pending, ago(71)) },
        came(PENDING + 1, CAMPAIGNS[0], MAIN, LeadStatus::Pending, ago(70)),
        came(PENDING + 2, CAMPAIGNS[1], OWN, LeadStatus::Pending, ago(47)),
        came(LAST, CAMPAIGNS[2], MAIN, LeadStatus::Pending, ago(1)),
    ];
    opening.lines = vec![OpeningLine {
        line: uuid::Uuid::from_u128(77),
        deposit: id(OLD),
        kind: LineKind::Recharge,
        amount: money("150.00"),
        before: money("0"),
        after: money("149.99"),
        at: ago(800),
        lead: None,
        method: Some(Method::Cmi),
        reference: Some(Reference::new("pi_1").unwrap()),
    }];
    opening
}

fn open(ledger: &Ledger, ground: &Ground, who: MerchantId) {
    ledger.open_book(opening(ground, who)).key("import").wait().unwrap();
}

fn brought_in(ground: &Ground) {
    let (who, ledger) = (merchant(1), ground.ledger());
    let done = ledger.open_book(opening(ground, who)).key("import").wait().unwrap();
    let answer = done.answer;
    assert_eq!((answer.campaigns, answer.agreements, answer.deposits, answer.leads, answer.lines), (4, 2, 4, 11, 1));
    // 150 + 300 + 400, and two parts of 18 that are owed.
    assert_eq!(answer.brought_in, money("886.00"));
    assert_eq!((done.entry.kind, done.entry.seq), (Kind::OPEN_BOOK, 1));
    let model =
        Ledger::with_shared(std::sync::Arc::new(MemoryStore::new()), ground.clock.clone(), Options::default()).unwrap();
    open(&model, ground, who);
    let expected = model.book(who).wait().unwrap();
    for ledger in [ledger, ground.ledger()] {
        let book = ledger.book(who).wait().unwrap();
        assert_eq!(book, expected);
        let deposits = |n: u32| &book.deposits[&id::<DepositId>(n)];
        let main = deposits(MAIN);
        assert_eq!((main.balance, main.reserved), (money("450.00"), money("180.00")));
        assert_eq!((deposits(OLD).balance, deposits(OLD).status), (money("0.00"), DepositStatus::Closed));
        assert_eq!(deposits(OWN).status, DepositStatus::SuspendedByOperator);
        let status = |n: usize| book.campaigns[&id(CAMPAIGNS[n])].status;
        assert_eq!([0, 1, 2].map(status).map(CampaignStatus::name), ["active", "active", "paused"]);
        assert_eq!(status(3), CampaignStatus::PausedByDepletion);
        let row = |n: u32| book.leads[&id::<LeadId>(n)];
        assert_eq!((row(OWED_LATE).part, row(OWED).part), (PartPlace::Held, PartPlace::Payable));
        assert_eq!((row(CAPTURED).part, row(REVERSED).part), (PartPlace::Payable, PartPlace::Returned));
        assert!(row(REJECTED).created_seq < row(CAPTURED).created_seq && row(LAST).created_seq == 0);
        let earned = &ledger.partner(who, partner(1)).wait().unwrap()[0];
        assert_eq!((earned.held, earned.payable, earned.paid), (money("18.00"), money("18.00"), money("0.00")));
        let report = ledger.check(who).wait().unwrap();
        assert_eq!((report.entries, report.leads), (1, 11));
        let statement = ledger.statement(who, id(MAIN), None, 10).wait().unwrap().unwrap();
        let lines: Vec<_> = statement.lines.iter().map(|line| (line.seq, line.balance_after)).collect();
        assert_eq!((lines, statement.next), (vec![(1, money("450.00"))], None));
        assert!(ledger.statement(who, id(OLD), None, 10).wait().unwrap().unwrap().lines.is_empty());
        assert_eq!(
            ledger.deposits(who).wait().unwrap().iter().map(|row| row.id).collect::<Vec<_>>(),
            [id(MAIN), id(OWN), id(DRY)]
        );
    }
    let entry = entries(&*ground.store(), who).remove(0).entry;
    let sum: i64 = entry.lines().iter().filter(|(account, _)| *account == Account::Opening).map(|line| line.1).sum();
    assert_eq!(sum, 88_600);
    // The main deposit is low and was not told; its campaign-bound neighbour was told and has not become worse.
    let raised: Vec<_> = entry
        .facts
        .iter()
        .filter_map(|fact| match fact {
            Fact::AlertRaised { deposit, level, .. } => Some((*deposit, *level)),
            _ => None,
        })
        .collect();
    assert_eq!(raised, [(id(MAIN), Level::Critical), (id(DRY), Level::Depleted)]);
    assert!(entry.facts.iter().any(|fact| matches!(fact, Fact::AutoTopUpRequested { amount: 100_000, .. })));
    let payload = entry.to_payload();
    for private in ["Amina", "Driss", "a double", "good"] {
        assert!(!payload.contains(private), "the journal holds {private:?}");
    }
}

fn once(ground: &Ground) {
    let (who, ledger) = (merchant(1), ground.ledger());
    open(&ledger, ground, who);
    let before = ledger.book(who).wait().unwrap();
    let again = ground.ledger().open_book(opening(ground, who)).key("import").wait().unwrap();
    assert!(again.replayed && again.answer.leads == 11);
    let mut other = opening(ground, who);
    other.deposits[1].balance = money("300.01");
    let code = |call: Result<_, Error>| call.unwrap_err().code();
    assert_eq!(code(ledger.open_book(other).key("import").wait().map(|_| ())), "idempotency_mismatch");
    assert_eq!(code(ledger.open_book(opening(ground, who)).wait().map(|_| ())), "book_not_empty");
    assert_eq!(code(ledger.open_book(opening(ground, who)).key("another").wait().map(|_| ())), "book_not_empty");
    assert_eq!(ledger.book(who).wait().unwrap(), before);
    let begun = merchant(2);
    send(&ledger, prepared(begun));
    assert_eq!(code(ledger.open_book(opening(ground, begun)).wait().map(|_| ())), "book_not_empty");
    ledger.check(begun).wait().unwrap();
}

fn lives_on(ground: &Ground) {
    let (who, ledger) = (merchant(1), ground.ledger());
    open(&ledger, ground, who);
    let validate = |n: u32| ValidateLead { score: Some(9), ..ValidateLead::new(who, id(n)) };
    ledger.validate_lead(validate(PENDING)).wait().unwrap();
    // An hour later the accepting campaign's lead is validated, two later the next plain one expires.
    ground.at_hour(3);
    let book = ledger.book(who).wait().unwrap();
    assert_eq!(book.leads[&id(PENDING + 1)].status, LeadStatus::Expired);
    assert_eq!(book.leads[&id(PENDING + 2)].status, LeadStatus::Validated);
    assert_eq!(book.leads[&id(PENDING + 2)].decided_at, Some(hours(ground, -2)));
    let main = &book.deposits[&id(MAIN)];
    assert_eq!((main.balance, main.reserved), (money("390.00"), money("60.00")));
    let refused = ledger.validate_lead(validate(PENDING + 1)).wait().unwrap_err();
    assert_eq!(refused.code(), "lead_expired");
    // One that was not owed: what was paid out elsewhere is taken back from what is earned here.
    ledger.reverse_lead(ReverseLead::new(who, id(CAPTURED), Paragraph::new("fraud").unwrap())).wait().unwrap();
    ledger.reverse_lead(ReverseLead::new(who, id(OWED_LATE), Paragraph::new("fraud").unwrap())).wait().unwrap();
    let earned = &ledger.partner(who, partner(1)).wait().unwrap()[0];
    // 18 owed + 18 of each of the two leads validated here - 18 paid out elsewhere; held: 18 - 18.
    assert_eq!((earned.payable, earned.held), (money("36.00"), money("0.00")));
    assert_eq!(ledger.deposit(who, id(MAIN)).wait().unwrap().unwrap().balance, money("510.00"));
    // What is converted elsewhere can be reversed here; what was reversed there cannot be again.
    ledger.reverse_lead(ReverseLead::new(who, id(CONVERTED), Paragraph::new("returned").unwrap())).wait().unwrap();
    let again = ReverseLead::new(who, id(REVERSED), Paragraph::new("again").unwrap());
    assert_eq!(ledger.reverse_lead(again).wait().unwrap_err().code(), "invalid_transition");
    let taken = lead(who, id(CAMPAIGNS[0]), id(REJECTED), "600.00");
    assert_eq!(ledger.create_lead(taken).wait().unwrap_err().code(), "lead_exists");
    let created = ledger.create_lead(lead(who, id(CAMPAIGNS[0]), id(900), "600.00")).wait().unwrap();
    assert_eq!((created.answer.deposit, created.answer.partner_part), (id(MAIN), money("24.00")));
    send(
        &ledger,
        [
            Command::from(RejectLead::new(who, id(900), Paragraph::new("no").unwrap())),
            RejectLead::new(who, id(LAST), Paragraph::new("no").unwrap()).into(),
            EraseCustomer::new(who, id(PENDING)).into(),
            SetAgreement::new(who, partner(1), money("10")).into(),
            top_up(who, id(DRY), "1000.00"),
        ],
    );
    let closed = ledger.close_deposit(CloseDeposit::new(who, id(MAIN))).wait().unwrap();
    assert_eq!(closed.answer.paid_back, money("570.00"));
    let book = ledger.book(who).wait().unwrap();
    assert_eq!(book.campaigns[&id(CAMPAIGNS[3])].status, CampaignStatus::Active);
    let replaying = ground.ledger();
    assert_eq!(replaying.check(who).wait().unwrap().entries, book.entries);
    assert_eq!(
        replaying.open_book(opening_at_start(ground, who)).key("import").wait().map(|done| done.replayed),
        Ok(true)
    );
}

fn read_as_any(ground: &Ground) {
    let (who, ledger) = (merchant(1), ground.ledger());
    open(&ledger, ground, who);
    let opened = ledger.book(who).wait().unwrap();
    ground.at_hour(3);
    ledger.reverse_lead(ReverseLead::new(who, id(CONVERTED), Paragraph::new("returned").unwrap())).wait().unwrap();
    counted(&ledger, who);
    // Each of them began with the opening, and went on from there where it did.
    let book = ledger.book(who).wait().unwrap();
    for (lead, row) in &book.leads {
        let told = ledger.explain(who, *lead).wait().unwrap().unwrap();
        assert_eq!((told.steps[0].event.name(), told.steps[0].seq, told.status), ("imported", 1, row.status));
        let moved = opened.leads[lead].status != row.status;
        assert_eq!(told.steps.len(), 1 + usize::from(moved), "{told}");
        assert!(told.to_string().contains("came in from elsewhere"));
    }
    for (seq, book) in [(1, &opened), (book.entries, &book)] {
        let then = ledger.balances(who, AsOf::Entry(seq)).wait().unwrap();
        for (deposit, row) in &book.deposits {
            let held = then.deposits[deposit];
            assert_eq!((held.balance, held.reserved), (row.balance, row.reserved), "{deposit} at {seq}");
        }
    }
    let export = |ledger: &Ledger| {
        let mut file = Vec::new();
        ledger.export_jsonl(Which::All, true, &mut file, &mut |_| {}).unwrap();
        file
    };
    let file = export(&ledger);
    let other =
        Ledger::with_shared(std::sync::Arc::new(MemoryStore::new()), ground.clock.clone(), Options::default()).unwrap();
    other.import_jsonl(&mut std::io::Cursor::new(&file), &mut |_| {}).unwrap();
    assert_eq!(other.check(who).wait().unwrap(), ledger.check(who).wait().unwrap());
    assert_eq!(export(&other), file);
    for lead in [CAPTURED, REJECTED, PENDING] {
        let texts = ledger.lead_texts(who, id(lead)).wait().unwrap();
        assert_ne!(texts.clone().unwrap(), crate::view::LeadTexts::default());
        assert_eq!(other.lead_texts(who, id(lead)).wait().unwrap(), texts);
    }
    assert_eq!(other.merchant_figures(who).wait().unwrap(), ledger.merchant_figures(who).wait().unwrap());
}

/// Figures, against the rows of the leads.
fn counted(ledger: &Ledger, who: MerchantId) {
    let found = ledger.merchant_figures(who).wait().unwrap();
    let figures = found.currency(Currency::MAD).unwrap();
    let book = ledger.book(who).wait().unwrap();
    let count =
        |admits: &dyn Fn(&Lead) -> bool| u64::try_from(book.leads.values().filter(|row| admits(row)).count()).unwrap();
    let of = |status: LeadStatus| count(&|row| row.status == status);
    let leads = &figures.leads;
    assert_eq!((leads.generated, leads.pending), (count(&|_| true), of(LeadStatus::Pending)));
    assert_eq!((leads.validated, leads.converted), (of(LeadStatus::Validated), of(LeadStatus::Converted)));
    assert_eq!((leads.lost, leads.reversed), (of(LeadStatus::Lost), of(LeadStatus::Reversed)));
    assert_eq!(
        (leads.expired, leads.rejected),
        (of(LeadStatus::Expired), of(LeadStatus::Expired) + of(LeadStatus::Rejected))
    );
    let captured = book.leads.values().filter(|row| row.is_captured());
    let paid: i64 = captured.map(|row| row.commission_minor).sum();
    assert_eq!(figures.money.paid, crate::money::to_decimal(paid, Currency::MAD));
    // 850.00 in deposits, and four captured leads of 60.00, one of which was reversed here.
    let deposits = &figures.deposits;
    assert_eq!(deposits.brought_in, money("1090.00"));
    assert_eq!(deposits.balance, deposits.brought_in + deposits.deposited - deposits.paid_back - deposits.spent);
    let zone = chrono_tz::Africa::Casablanca;
    for trend in &figures.trends.days {
        let on = |at: Timestamp| at.local_date(zone) == trend.day;
        assert_eq!(trend.generated, count(&|row| on(row.created_at)), "created on {}", trend.day);
        assert_eq!(trend.decided, count(&|row| row.decided_at.is_some_and(on)), "decided on {}", trend.day);
    }
    assert!(figures.trends.days.iter().filter(|trend| trend.decided > 0).count() > 1);
}

/// The opening as it was made when the ground's clock stood at its start.
fn opening_at_start(ground: &Ground, who: MerchantId) -> OpenBook {
    ground.at_hour(0);
    opening(ground, who)
}

fn in_order(ground: &Ground) {
    let (who, ledger) = (merchant(1), ground.ledger());
    let mut opening = opening(ground, who);
    let at = hours(ground, -1);
    opening.deposits[1].balance = money("9000");
    // Of one moment, and their ids in no order.
    let ids: Vec<u32> = (0..70).map(|n| 500 + (n * 37) % 70).collect();
    opening.leads = ids.iter().map(|n| came(*n, CAMPAIGNS[0], MAIN, LeadStatus::Pending, at)).collect();
    ledger.open_book(opening).wait().unwrap();
    let created: Vec<u32> = vec![901, 902];
    let later: Vec<Command> = created.iter().map(|n| lead(who, id(CAMPAIGNS[0]), id(*n), "600.00").into()).collect();
    commit(&*ground.store(), ground.now(), &later);
    let all: Vec<LeadId> = ids.iter().chain(&created).map(|n| id(*n)).collect();
    for (order, limit) in [(LeadOrder::Newest, 7), (LeadOrder::Newest, 100), (LeadOrder::ReviewPriority, 9)] {
        let (mut seen, mut after) = (Vec::new(), None);
        loop {
            let query = LeadQuery { order, after, limit, ..LeadQuery::of(who) };
            let page = ledger.leads(query).wait().unwrap();
            seen.extend(page.items.iter().map(|lead| lead.id));
            after = page.next;
            if after.is_none() {
                break;
            }
        }
        if order == LeadOrder::Newest {
            seen.reverse();
        }
        assert_eq!(seen, all, "{order:?} by {limit}");
    }
    // Time takes them in the same order, over several commits.
    ground.at_hour(80);
    let small = ground.ledger_on(ground.store(), Options { due_step: 8, ..Options::default() });
    assert_eq!(small.run_due(RunDue::new(who)).wait().unwrap().answer.expired, 72);
    let expired: Vec<LeadId> = entries(&*ground.store(), who)
        .iter()
        .flat_map(|recorded| recorded.entry.facts.clone())
        .filter_map(|fact| match fact {
            Fact::LeadExpired { lead } => Some(lead),
            _ => None,
        })
        .collect();
    assert_eq!(expired, all);
    ledger.check(who).wait().unwrap();
}

type Spoil = fn(&mut OpenBook);

fn refused(ground: &Ground) {
    let (who, ledger) = (merchant(1), ground.ledger());
    let rows: [(&str, Spoil); 26] = [
        ("invalid_opening", |book| *book = OpenBook::new(book.merchant, vec![], vec![], vec![], vec![], vec![])),
        ("invalid_policy", |book| book.campaigns[0].policy.rate = Some(money("101"))),
        ("invalid_policy", |book| book.campaigns[0].validation_window_hours = Some(0)),
        ("campaign_exists", |book| book.campaigns[0].campaign = book.campaigns[1].campaign),
        ("invalid_agreement", |book| book.agreements[0].share = money("-1")),
        ("campaign_not_found", |book| book.agreements[0].campaign = Some(id(999))),
        ("invalid_opening", |book| book.agreements[1] = book.agreements[0].clone()),
        ("invalid_amount", |book| book.deposits[1].balance = money("-0.01")),
        ("amount_precision", |book| book.deposits[1].balance = money("0.001")),
        ("amount_too_large", |book| book.deposits[1].balance = money("92233720368547758.07")),
        ("campaign_not_found", |book| book.deposits[1].campaign = Some(id(999))),
        ("deposit_exists", |book| book.deposits[0] = deposit(OLD, None, "150.00", OpeningStatus::Active)),
        ("deposit_exists", |book| book.deposits[3].deposit = book.deposits[1].deposit),
        ("invalid_opening", |book| book.deposits[0].moved_to = None),
        ("invalid_opening", |book| book.deposits[0].moved_to = Some(id(OLD))),
        ("invalid_opening", |book| book.deposits[1].moved_to = Some(id(OWN))),
        ("below_minimum", |book| book.deposits[1].auto_amount = Some(money("999.99"))),
        ("deposit_not_found", |book| book.leads[0].deposit = id(999)),
        ("campaign_not_found", |book| book.leads[0].campaign = id(999)),
        ("lead_exists", |book| book.leads[0].lead = book.leads[1].lead),
        ("invalid_opening", |book| book.leads[0].partner_part = money("60.01")),
        ("invalid_opening", |book| book.leads[0].created_at = Timestamp::MAX),
        ("invalid_opening", |book| book.leads[0].owed = true),
        ("invalid_score", |book| book.leads[2].score = Some(11)),
        ("insufficient_funds", |book| book.deposits[1].balance = money("29.99")),
        ("deposit_closed", |book| book.leads[7].deposit = id(OLD)),
    ];
    for (code, spoil) in rows {
        let mut spoilt = opening(ground, who);
        spoil(&mut spoilt);
        let said = ledger.open_book(spoilt).key("import").wait();
        assert_eq!(said.map(|_| ()).unwrap_err().code(), code);
    }
    assert!(entries(&*ground.store(), who).is_empty());
    // A refused command does not use its key up.
    open(&ledger, ground, who);
    assert_eq!(ledger.book(who).wait().unwrap().platform[&Currency::MAD].receivable, money("0.00"));
}

fn texts(ground: &Ground) {
    let (who, ledger) = (merchant(1), ground.ledger());
    open(&ledger, ground, who);
    open(&ledger, ground, merchant(2));
    let of = |ledger: &Ledger, who, n: u32| ledger.lead_texts(who, id(n)).wait().unwrap().unwrap();
    let name = |ledger: &Ledger, who, n: u32| of(ledger, who, n).customer.and_then(|customer| customer.name);
    assert_eq!(of(&ledger, who, CAPTURED).feedback.unwrap().as_str(), "good");
    assert_eq!(of(&ledger, who, REJECTED).reason.unwrap().as_str(), "a double");
    // What comes later stands beside it.
    ledger.reverse_lead(ReverseLead::new(who, id(CAPTURED), Paragraph::new("fraud").unwrap())).wait().unwrap();
    assert_eq!(of(&ledger, who, CAPTURED).reason.unwrap().as_str(), "fraud");
    assert_eq!(name(&ledger, who, CAPTURED).unwrap().as_str(), "Amina");
    ledger.erase_customer(EraseCustomer::new(who, id(CAPTURED))).wait().unwrap();
    let ledger = ground.ledger();
    assert_eq!(of(&ledger, who, CAPTURED), crate::view::LeadTexts::default());
    assert_eq!(name(&ledger, who, PENDING).unwrap().as_str(), "Driss");
    assert_eq!(name(&ledger, merchant(2), CAPTURED).unwrap().as_str(), "Amina");
    ledger.check(who).wait().unwrap();
    drop(ledger);
    if ground.damage(who, Damage::OpeningText) {
        match ground.ledger().check(who).wait() {
            Err(Error::CheckFailed { difference, .. }) => assert!(difference.contains("private text"), "{difference}"),
            other => panic!("a changed text is not found: {other:?}"),
        }
        ground.ledger().check(merchant(2)).wait().unwrap();
    }
}
