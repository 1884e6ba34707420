//! Explanations of leads: every status, every source of a share, and the words to the letter for some.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use serde_json::Value;

use super::ground::{CAMPAIGN, DEPOSIT, Ground, commit, entries, id, lead, merchant, partner, prepared, scope, top_up};
use super::story::{LEADS, MISSED, on};
use super::{Case, Damage};
use crate::answer::DueSettled;
use crate::audit::{Explanation, LeadEvent, ShareSource};
use crate::campaign::OnTimeout;
use crate::command::{
    Command, ConvertLead, CreateLead, LoseLead, OpenDeposit, RegisterCampaign, RejectLead, ReverseLead, SetAgreement,
    UpdateCampaign, ValidateLead,
};
use crate::decide::{Decision, decide};
use crate::entry::{Fact, Recorded};
use crate::error::StoreError;
use crate::ids::{LeadId, MerchantId};
use crate::lead::LeadStatus;
use crate::ledger::{Ledger, Options};
use crate::percent::Percent;
use crate::settings::Settings;
use crate::store::{Books, JournalQuery, Page, Store};
use crate::text::Paragraph;

pub(super) const CASES: &[Case] = &[
    ("a lead of each status and kind is explained, with the terms it was created under", each_kind),
    ("explanations are these words", words),
    ("an explanation has every entry about its lead, in order", complete),
    ("a lead is explained without reading the whole journal", bounded),
    ("a lead with terms from elsewhere is explained as that", recorded_elsewhere),
    ("a lead whose row contradicts the journal is not explained", contradicted),
];

const PLAIN: u32 = 2;
const ACCEPTING: u32 = 3;
const COSTLY: u32 = 4;
const DRY: u32 = 5;

fn text(text: &str) -> Paragraph {
    Paragraph::new(text).unwrap()
}

fn create(who: MerchantId, campaign: u32, n: u32, by: u32, value: &str) -> Command {
    CreateLead { partner: partner(by), ..lead(who, id(campaign), id(n), value) }.into()
}

fn agree(who: MerchantId, by: u32, campaign: Option<u32>, share: &str, days: i64) -> Command {
    SetAgreement {
        campaign: campaign.map(id),
        payout_delay_days: Some(days),
        ..SetAgreement::new(who, partner(by), share.parse().unwrap())
    }
    .into()
}

fn validate(who: MerchantId, n: u32) -> Command {
    ValidateLead::new(who, id::<LeadId>(n)).into()
}

fn convert(who: MerchantId, n: u32) -> Command {
    ConvertLead::new(who, id::<LeadId>(n)).into()
}

fn reverse(who: MerchantId, n: u32) -> Command {
    ReverseLead::new(who, id::<LeadId>(n), text("a double")).into()
}

/// Leads 10 to 22 of one book, told up to hour 74.
fn told(ground: &Ground, who: MerchantId) -> Ledger {
    let ledger = ground.ledger();
    let decimal = |text: &str| text.parse().unwrap();
    let campaign = |n| RegisterCampaign { campaign: Some(id(n)), ..RegisterCampaign::new(who) };
    let deposit = |n, campaign: Option<u32>, amount| OpenDeposit {
        campaign: campaign.map(id),
        ..OpenDeposit { deposit: Some(id(n)), ..OpenDeposit::new(who, decimal(amount)) }
    };
    let accepting = RegisterCampaign {
        on_timeout: Some(OnTimeout::Accept),
        validation_window_hours: Some(48),
        ..campaign(ACCEPTING)
    };
    let costly =
        RegisterCampaign { threshold: Some(decimal("2000")), fixed: Some(decimal("2000")), ..campaign(COSTLY) };
    let hours: [(u32, Vec<Command>); 8] = [
        (
            0,
            vec![
                agree(who, 2, None, "40", 2),
                agree(who, 3, None, "20", 0),
                campaign(PLAIN).into(),
                agree(who, 3, Some(PLAIN), "11", 3),
                agree(who, 3, Some(PLAIN), "12.5", 30),
                accepting.into(),
                costly.into(),
                deposit(DEPOSIT, None, "5000.00").into(),
                deposit(DRY, Some(COSTLY), "2000.00").into(),
            ],
        ),
        (
            1,
            vec![
                create(who, PLAIN, 10, 1, "600.00"),
                create(who, PLAIN, 11, 2, "2500.00"),
                create(who, PLAIN, 12, 3, "123.45"),
                create(who, ACCEPTING, 13, 3, "799.99"),
                create(who, PLAIN, 14, 1, "100.00"),
                create(who, PLAIN, 15, 1, "100.00"),
                create(who, PLAIN, 17, 2, "100.00"),
                create(who, PLAIN, 18, 2, "100.00"),
                create(who, COSTLY, 20, 1, "2000.00"),
                create(who, PLAIN, 21, 2, "100.00"),
                // What is agreed from here on leaves these leads alone.
                agree(who, 1, None, "50", 1),
                agree(who, 1, Some(PLAIN), "60", 1),
                agree(who, 2, Some(PLAIN), "99", 9),
                agree(who, 3, Some(PLAIN), "0", 0),
                UpdateCampaign { rate: Some(decimal("5")), ..UpdateCampaign::new(who, id(PLAIN)) }.into(),
                UpdateCampaign { rate: Some(decimal("6")), ..UpdateCampaign::new(who, id(PLAIN)) }.into(),
            ],
        ),
        (
            2,
            vec![
                ValidateLead { score: Some(8), ..ValidateLead::new(who, id(10)) }.into(),
                validate(who, 11),
                validate(who, 12),
                validate(who, 17),
                validate(who, 18),
                validate(who, 20),
            ],
        ),
        (
            3,
            vec![
                convert(who, 10),
                LoseLead::new(who, id::<LeadId>(12)).into(),
                reverse(who, 17),
                reverse(who, 20),
                create(who, PLAIN, 19, 1, "100.00"),
                create(who, ACCEPTING, 22, 1, "100.00"),
            ],
        ),
        (4, vec![RejectLead::new(who, id::<LeadId>(14), text("no answer")).into(), validate(who, 21)]),
        (60, vec![reverse(who, 11), convert(who, 18)]),
        (70, vec![create(who, PLAIN, 16, 1, "600.00")]),
        (74, vec![]),
    ];
    for (hour, commands) in hours {
        ground.at_hour(hour);
        for (place, command) in commands.into_iter().enumerate() {
            let call = ledger.submit(command);
            let call = if hour == 2 && place == 0 { call.key("form-1") } else { call };
            call.wait().unwrap();
        }
    }
    ledger
}

fn explained(ledger: &Ledger, who: MerchantId, n: u32) -> Explanation {
    ledger.explain(who, id(n)).wait().unwrap().unwrap()
}

/// What holds for any explanation.
fn holds(of: &Explanation) {
    assert_eq!(of.partner_part + of.platform_part, of.commission);
    assert!(of.policy.is_some_and(|policy| policy.agrees), "lead {}", of.lead);
    assert!(of.share_from != ShareSource::Elsewhere, "lead {}", of.lead);
    for step in &of.steps {
        let sum: rust_decimal::Decimal = step.postings.iter().map(|posting| posting.amount).sum();
        assert!(sum.is_zero());
    }
    let ends = of.steps.last().unwrap().event.name();
    let status = of.status.name();
    let fits = match (of.status, ends) {
        (LeadStatus::Pending, ends) => ends == "created",
        (LeadStatus::Validated, ends) => ["validated", "accepted", "matured"].contains(&ends),
        (LeadStatus::Converted | LeadStatus::Lost, "matured") => true,
        (_, ends) => ends == status,
    };
    assert!(fits, "lead {} is {status} and ends with {ends}", of.lead);
    amounts_are_text(&of.to_json());
    assert!(of.to_string().lines().all(|line| !line.ends_with(' ')));
}

/// Numbers in JSON are counts: never an amount, never a fraction.
fn amounts_are_text(json: &Value) {
    const COUNTS: [&str; 4] = ["seq", "policy_version", "payout_delay_days", "score"];
    match json {
        Value::Object(fields) => {
            for (name, value) in fields {
                assert!(!value.is_number() || COUNTS.contains(&name.as_str()), "{name}: {value}");
                amounts_are_text(value);
            }
        }
        Value::Array(items) => items.iter().for_each(amounts_are_text),
        _ => {}
    }
}

fn each_kind(ground: &Ground) {
    let who = merchant(1);
    let ledger = told(ground, who);
    let rows: [(u32, &str, &str, &str, &str, &str, &str); 13] = [
        // Lead, status, kind, source and its entry, share, commission and parts, what happened.
        (10, "converted", "percentage", "campaign_default", "30", "60.00 18.00 42.00", "created validated converted"),
        (
            11,
            "reversed",
            "fixed",
            "merchant_agreement 1",
            "40",
            "80.00 32.00 48.00",
            "created validated matured reversed",
        ),
        (12, "lost", "percentage", "campaign_agreement 5", "12.5", "12.35 1.54 10.81", "created validated lost"),
        (13, "validated", "percentage", "merchant_agreement 2", "20", "80.00 16.00 64.00", "created accepted"),
        (14, "rejected", "percentage", "campaign_default", "30", "10.00 3.00 7.00", "created rejected"),
        (15, "expired", "percentage", "campaign_default", "30", "10.00 3.00 7.00", "created expired"),
        (16, "pending", "percentage", "campaign_agreement 21", "60", "36.00 21.60 14.40", "created"),
        (17, "reversed", "percentage", "merchant_agreement 1", "40", "10.00 4.00 6.00", "created validated reversed"),
        (
            18,
            "converted",
            "percentage",
            "merchant_agreement 1",
            "40",
            "10.00 4.00 6.00",
            "created validated matured converted",
        ),
        (19, "pending", "percentage", "campaign_agreement 21", "60", "6.00 3.60 2.40", "created"),
        (20, "reversed", "fixed", "campaign_default", "30", "2000.00 600.00 1400.00", "created validated reversed"),
        (21, "validated", "percentage", "merchant_agreement 1", "40", "10.00 4.00 6.00", "created validated matured"),
        (22, "validated", "percentage", "merchant_agreement 20", "50", "10.00 5.00 5.00", "created accepted"),
    ];
    for (n, status, kind, source, share, money, events) in rows {
        let of = explained(&ledger, who, n);
        holds(&of);
        let from = match of.share_from {
            ShareSource::CampaignAgreement { seq, .. } | ShareSource::MerchantAgreement { seq, .. } => {
                format!("{} {seq}", of.share_from.name())
            }
            other => other.name().to_owned(),
        };
        let found = (
            of.status.name(),
            of.kind().name(),
            from.as_str(),
            of.share.to_string(),
            format!("{} {} {}", of.commission, of.partner_part, of.platform_part),
            of.steps.iter().map(|step| step.event.name()).collect::<Vec<_>>().join(" "),
        );
        assert_eq!(found, (status, kind, source, share.to_owned(), money.to_owned(), events.to_owned()), "lead {n}");
        let version = if [16, 19].contains(&n) { 3 } else { 1 };
        assert_eq!((of.policy_version, of.policy.unwrap().policy.version), (version, version), "lead {n}");
    }
    let statuses: BTreeSet<_> = rows.iter().map(|row| row.1).collect();
    assert_eq!(statuses.len(), LeadStatus::ALL.len());
}

fn words(ground: &Ground) {
    let who = merchant(1);
    let ledger = told(ground, who);
    let leads = [10, 11, 12, 16, 20, 22];
    // Ids are long: here they are short words.
    let names: BTreeMap<String, String> =
        [(PLAIN, "CAMPAIGN"), (ACCEPTING, "ACCEPTING"), (COSTLY, "COSTLY"), (DEPOSIT, "DEPOSIT"), (DRY, "DRY")]
            .into_iter()
            .chain(leads.map(|n| (n, "LEAD")))
            .map(|(n, name)| (id::<LeadId>(n).to_string(), name.to_owned()))
            .chain((1..4).map(|n| (partner(n).to_string(), format!("PARTNER{n}"))))
            .collect();
    let mut found = Vec::new();
    for n in leads {
        let text = explained(&ledger, who, n).to_string();
        found.push(names.iter().fold(text, |text, (id, name)| text.replace(id, name)));
    }
    assert_eq!(found.join("\n"), WORDS);
}

/// The words to the letter, of a lead that was converted, one of a fixed commission that was reversed after its
/// maturity, one that was rounded, one that is pending, one that emptied its deposit, one that was accepted.
const WORDS: &str = include_str!("explanations.txt");

/// The lead that a fact is about, erasures aside.
fn about(fact: &Fact) -> Option<LeadId> {
    match fact {
        Fact::LeadCreated { lead, .. }
        | Fact::LeadValidated { lead, .. }
        | Fact::LeadRejected { lead }
        | Fact::LeadExpired { lead }
        | Fact::LeadConverted { lead }
        | Fact::LeadLost { lead }
        | Fact::LeadReversed { lead, .. }
        | Fact::PartMatured { lead, .. } => Some(*lead),
        _ => None,
    }
}

fn complete(ground: &Ground) {
    let who = merchant(1);
    let ledger = on(ground, &[who]);
    let all = entries(&*ground.store(), who);
    let mut events = BTreeSet::new();
    for n in LEADS.chain([MISSED - 1]) {
        let of = explained(&ledger, who, n);
        holds(&of);
        let ours = all.iter().filter(|recorded| recorded.entry.facts.iter().any(|fact| about(fact) == Some(id(n))));
        let expected: Vec<_> = ours.map(|recorded| (recorded.entry.seq, recorded.entry.kind.name())).collect();
        let found: Vec<_> = of.steps.iter().map(|step| (step.seq, step.kind.name())).collect();
        assert_eq!(found, expected, "lead {n}");
        events.extend(of.steps.iter().map(|step| step.event.name()));
    }
    assert_eq!(events.len(), 9, "{events:?}");
    assert!(ledger.explain(who, id(MISSED)).wait().unwrap().is_none(), "a missed lead is none");
    assert!(ledger.explain(merchant(2), id(LEADS.start)).wait().unwrap().is_none(), "no other merchant's lead");
}

/// A store that counts the entries that it gives.
struct Counting {
    inner: Arc<dyn Store>,
    entries: AtomicUsize,
}

crate::delegate_totals!(Counting, inner);
crate::delegate_subscribers!(Counting, inner);

impl Store for Counting {
    crate::delegate_store!(inner: transact, book, leads, books);

    fn journal(&self, query: &JournalQuery, limit: usize) -> Result<Page<Recorded>, StoreError> {
        let page = self.inner.journal(query, limit)?;
        self.entries.fetch_add(page.items.len(), Ordering::SeqCst);
        Ok(page)
    }
}

fn bounded(ground: &Ground) {
    let (who, store) = (merchant(1), ground.store());
    let campaign = RegisterCampaign { campaign: Some(id(PLAIN)), ..RegisterCampaign::new(who) };
    let deposit = OpenDeposit { deposit: Some(id(DEPOSIT)), ..OpenDeposit::new(who, "5000.00".parse().unwrap()) };
    commit(&*store, ground.now(), &[campaign.into(), deposit.into(), agree(who, 1, None, "30", 1)]);
    let payments = |hour| {
        let many: Vec<_> = (0..300).map(|_| top_up(who, id(DEPOSIT), "100.00")).collect();
        commit(&*store, ground.at_hour(hour), &many);
    };
    payments(1);
    commit(&*store, ground.at_hour(2), &[create(who, PLAIN, 10, 1, "600.00")]);
    payments(3);
    commit(&*store, ground.at_hour(4), &[validate(who, 10)]);
    payments(5);
    ground.at_hour(28);
    let ledger = ground.ledger();
    ledger.deposits(who).wait().unwrap();
    payments(29);
    let counting = Arc::new(Counting { inner: ground.store(), entries: AtomicUsize::new(0) });
    let ledger = ground.ledger_on(Arc::clone(&counting) as Arc<dyn Store>, Options::default());
    let of = explained(&ledger, who, 10);
    let events: Vec<_> = of.steps.iter().map(|step| (step.seq, step.event)).collect();
    let validated = LeadEvent::Validated { score: None };
    assert_eq!(events, [(304, LeadEvent::Created), (605, validated), (906, LeadEvent::Matured)]);
    assert_eq!(of.of.seq, 1_206);
    // The agreement is 300 entries before the lead: those are read. The rest is found by number and by time.
    let read = counting.entries.load(Ordering::SeqCst);
    assert!((303..450).contains(&read), "{read} entries were read");

    // An agreement of today that may be older than the lead, but not older than its campaign.
    let late = RegisterCampaign { campaign: Some(id(COSTLY)), ..RegisterCampaign::new(who) };
    let created = create(who, COSTLY, 11, 4, "600.00");
    commit(&*store, ground.now(), &[late.into(), created, agree(who, 4, Some(COSTLY), "50", 0)]);
    counting.entries.store(0, Ordering::SeqCst);
    assert_eq!(explained(&ledger, who, 11).share_from, ShareSource::CampaignDefault);
    let read = counting.entries.load(Ordering::SeqCst);
    assert!((1..40).contains(&read), "{read} entries were read");
}

/// A lead as an import may record it: nothing of it is what the campaign's policy or an agreement gives.
fn recorded_elsewhere(ground: &Ground) {
    let (who, store) = (merchant(1), ground.store());
    commit(&*store, ground.now(), &prepared(who));
    let record = |n: u32, change: fn(&mut Fact)| {
        let mut scope = scope(ground.now());
        let command = create(who, CAMPAIGN, n, 1, "600.00");
        scope.books.entry(who).or_default().add(&command, None);
        let work = &mut |books: &mut Books| {
            let book = books.get_mut(&who).unwrap().as_mut().unwrap();
            let decided = decide(book, &Settings::default(), ground.now(), &command, DueSettled::default());
            let Ok(Decision::Accept(mut entry)) = decided else { panic!("refused") };
            change(&mut entry.facts[0]);
            book.record(entry, None).unwrap();
        };
        store.transact(0, &scope, work).unwrap();
    };
    record(10, |fact| {
        if let Fact::LeadCreated { commission, part, share, .. } = fact {
            (*commission, *part, *share) = (7_700, 7_700, Percent::whole(100));
        }
    });
    record(11, |fact| {
        if let Fact::LeadCreated { rate, .. } = fact {
            *rate = Some(Percent::whole(11));
        }
    });
    let other_rate = explained(&ground.ledger(), who, 11);
    assert_eq!((other_rate.share_from, other_rate.policy.unwrap().agrees), (ShareSource::CampaignDefault, false));
    let of = explained(&ground.ledger(), who, 10);
    assert_eq!((of.share_from, of.policy.unwrap().agrees), (ShareSource::Elsewhere, false));
    let text = of.to_string();
    for sentence in [
        "10 % of 600.00 MAD is 60.00 MAD; the commission or its parts were recorded from elsewhere.",
        "The partner's share of it is 100 %: recorded from elsewhere; no agreement in force gave it.",
        "The partner's part is 77.00 MAD, the platform's the rest, 0.00 MAD; together they are 77.00 MAD.",
    ] {
        assert!(text.contains(sentence), "{text}");
    }
}

fn contradicted(ground: &Ground) {
    let who = merchant(1);
    drop(on(ground, &[who]));
    if !ground.damage(who, Damage::Lead) {
        return;
    }
    let ledger = ground.ledger();
    let outcomes: BTreeSet<_> =
        LEADS.map(|n| ledger.explain(who, id(n)).wait().map_or_else(|fault| fault.code(), |_| "explained")).collect();
    assert_eq!(outcomes, ["check_failed", "explained"].into());
}
