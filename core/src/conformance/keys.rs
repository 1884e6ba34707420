//! Idempotency: the same key and command give the same answer, once applied; and the private fields behind it.

use super::Case;
use super::ground::{CAMPAIGN, DEPOSIT, Ground, id, lead, merchant, partner, prepared, send, top_up};
use crate::command::{AdjustDeposit, CreateLead, EraseCustomer, OpenDeposit, RejectLead, ValidateLead};
use crate::error::Error;
use crate::ids::{LeadId, MerchantId};
use crate::lead::Customer;
use crate::ledger::Ledger;
use crate::text::{Line, Paragraph};

pub(super) const CASES: &[Case] = &[
    ("a repeated key gives the first answer and changes nothing", repeated),
    ("a key with another payload is a mismatch", other_payload),
    ("a key with other private fields is a mismatch, until they are erased", other_private),
    ("a refused command does not use its key up", refused),
    ("a key is one book's own", per_book),
    ("the same key from two ledgers at once is applied once", at_once),
    ("private fields are read back, and gone once erased", erased),
];

fn about(name: &str) -> Customer {
    Customer { name: Some(Line::new(name).unwrap()), ..Customer::default() }
}

fn named(who: MerchantId, name: &str) -> CreateLead {
    CreateLead { customer: Some(about(name)), ..lead(who, id(CAMPAIGN), id(10), "600.00") }
}

fn count(ledger: &Ledger, who: MerchantId) -> usize {
    ledger.events(who, 0, 10_000).wait().unwrap().len()
}

fn mismatch<T: std::fmt::Debug>(outcome: Result<T, Error>) {
    assert_eq!(outcome.unwrap_err().code(), "idempotency_mismatch");
}

fn repeated(ground: &Ground) {
    let who = merchant(1);
    let unnamed = || CreateLead::new(who, id(CAMPAIGN), partner(1), "600.00".parse().unwrap());
    let ledger = ground.ledger();
    send(&ledger, prepared(who));
    let first = ledger.create_lead(unnamed()).key("k").wait().unwrap();
    assert!(!first.replayed);
    for hour in [0, 1, 500] {
        // Also on another handle, and long after the lead expired.
        ground.at_hour(hour);
        for ledger in [ledger.clone(), ground.ledger()] {
            let again = ledger.create_lead(unnamed()).key("k").wait().unwrap();
            assert!(again.replayed);
            assert_eq!((again.answer, again.entry), (first.answer, first.entry.clone()));
        }
    }
    // The lead and its expiry; written otherwise, the amount is the same.
    let same = CreateLead { value: "600.0".parse().unwrap(), ..unnamed() };
    assert!(ledger.create_lead(same).key("k").wait().unwrap().replayed);
    assert_eq!(count(&ledger, who), 4);
    ledger.check(who).wait().unwrap();
}

fn other_payload(ground: &Ground) {
    let (ledger, who) = (ground.ledger(), merchant(1));
    send(&ledger, prepared(who));
    let command = || lead(who, id(CAMPAIGN), id(10), "600.00");
    ledger.create_lead(command()).key("k").wait().unwrap();
    let before = ledger.book(who).wait().unwrap();
    for other in [
        CreateLead { value: "600.01".parse().unwrap(), ..command() },
        CreateLead { partner: partner(2), ..command() },
        CreateLead { lead: None, ..command() },
        CreateLead { lead: Some(id(11)), ..command() },
        CreateLead { source: Some(crate::lead::Source::Other), ..command() },
        CreateLead { product: Some(Line::new("shoes").unwrap()), ..command() },
    ] {
        mismatch(ledger.create_lead(other).key("k").wait());
    }
    mismatch(ledger.submit(top_up(who, id(DEPOSIT), "100.00")).key("k").wait());
    mismatch(ledger.validate_lead(ValidateLead::new(who, id(10))).key("k").wait());
    assert_eq!(ledger.book(who).wait().unwrap(), before);
    assert!(ledger.create_lead(command()).key("k").wait().unwrap().replayed);
}

fn other_private(ground: &Ground) {
    let (ledger, who) = (ground.ledger(), merchant(1));
    send(&ledger, prepared(who));
    ledger.create_lead(named(who, "Amina")).key("k").wait().unwrap();
    let adjust =
        |reason: &str| AdjustDeposit::new(who, id(DEPOSIT), "5.00".parse().unwrap(), Paragraph::new(reason).unwrap());
    ledger.adjust_deposit(adjust("one")).key("reason").wait().unwrap();
    for ledger in [ledger.clone(), ground.ledger()] {
        mismatch(ledger.create_lead(named(who, "Amine")).key("k").wait());
        mismatch(ledger.create_lead(CreateLead { customer: None, ..named(who, "") }).key("k").wait());
        assert!(ledger.create_lead(named(who, "Amina")).key("k").wait().unwrap().replayed);
        mismatch(ledger.adjust_deposit(adjust("two")).key("reason").wait());
        assert!(ledger.adjust_deposit(adjust("one")).key("reason").wait().unwrap().replayed);
    }
    ledger.erase_customer(EraseCustomer::new(who, id(10))).wait().unwrap();
    for ledger in [ledger.clone(), ground.ledger()] {
        // What is erased can no longer be compared; the rest still is.
        assert!(ledger.create_lead(named(who, "Amine")).key("k").wait().unwrap().replayed);
        let other = CreateLead { value: "601.00".parse().unwrap(), ..named(who, "Amina") };
        mismatch(ledger.create_lead(other).key("k").wait());
        ledger.check(who).wait().unwrap();
    }
}

fn refused(ground: &Ground) {
    let (ledger, who) = (ground.ledger(), merchant(1));
    let open = |amount: &str| OpenDeposit::new(who, amount.parse().unwrap());
    assert_eq!(ledger.open_deposit(open("1999.99")).key("k").wait().unwrap_err().code(), "below_minimum");
    assert_eq!(count(&ledger, who), 0);
    assert!(!ledger.open_deposit(open("2000.00")).key("k").wait().unwrap().replayed);
    mismatch(ledger.open_deposit(open("1999.99")).key("k").wait());
    assert_eq!(count(&ledger, who), 1);
}

fn per_book(ground: &Ground) {
    let ledger = ground.ledger();
    for n in 1..4 {
        let opened = ledger.open_deposit(OpenDeposit::new(merchant(n), "2000.00".parse().unwrap()));
        assert!(!opened.key("k").wait().unwrap().replayed);
    }
    let keys = ["k ", "K", "k\u{301}", "é", &"x".repeat(255)];
    for key in keys {
        let payment = ledger.open_deposit(OpenDeposit::new(merchant(9), "2000.00".parse().unwrap())).key(key).wait();
        // Another key is another command: the deposit exists but for the first.
        assert_eq!(payment.is_ok(), key == keys[0], "{key:?}");
    }
}

fn at_once(ground: &Ground) {
    let who = merchant(1);
    send(&ground.ledger(), prepared(who));
    let ledgers = [ground.ledger(), ground.ledger()];
    std::thread::scope(|scope| {
        for ledger in ledgers.iter().chain(&ledgers) {
            scope.spawn(move || {
                for n in 0..20 {
                    let done = ledger.submit(top_up(who, id(DEPOSIT), "100.00")).key(format!("k{n}")).wait();
                    assert_eq!(done.unwrap().entry.lines()[0].1, 10_000);
                }
            });
        }
    });
    let deposit = ledgers[0].deposit(who, id(DEPOSIT)).wait().unwrap().unwrap();
    assert_eq!(deposit.balance.to_string(), "7000.00");
    assert_eq!(count(&ledgers[1], who), 22);
    ledgers[1].check(who).wait().unwrap();
}

fn erased(ground: &Ground) {
    let (ledger, who, other) = (ground.ledger(), merchant(1), merchant(2));
    let texts = |ledger: &Ledger, who, n| ledger.lead_texts(who, id::<LeadId>(n)).wait().unwrap();
    for who in [who, other] {
        send(&ledger, prepared(who));
        send(&ledger, [named(who, "Amina").into()]);
    }
    let reason = Paragraph::new("no answer").unwrap();
    send(&ledger, [RejectLead::new(who, id(10), reason.clone()).into()]);
    let found = texts(&ledger, who, 10).unwrap();
    assert_eq!((found.customer, found.reason), (Some(about("Amina")), Some(reason)));
    assert_eq!(texts(&ledger, who, 11), None);
    send(&ledger, [EraseCustomer::new(who, id(10)).into()]);
    for ledger in [ledger.clone(), ground.ledger()] {
        assert_eq!(texts(&ledger, who, 10), Some(crate::view::LeadTexts::default()));
        assert_eq!(texts(&ledger, other, 10).unwrap().customer, Some(about("Amina")), "another merchant's texts");
        ledger.check(who).wait().unwrap();
    }
    // Nothing of it was ever in the journal.
    let payloads = ledger.events(who, 0, 100).wait().unwrap();
    assert!(payloads.iter().all(|recorded| !recorded.payload.contains("Amina")));
    assert!(payloads.iter().all(|recorded| !recorded.payload.contains("no answer")));
}
