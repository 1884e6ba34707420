//! Bad input, row by row: each is refused with its permanent code, changes nothing, and leaves the ledger usable.

#![allow(clippy::unwrap_used, clippy::panic, missing_docs)]

use std::sync::Arc;

use leadledger::{
    Command, Currency, Error, Key, Ledger, Line, ManualClock, MemoryStore, MerchantId, Options, Paragraph, Reference,
    Timestamp, parse_decimal,
};
use serde_json::{Value, json};

const MERCHANT: &str = "0190aaaa-0000-7000-8000-000000000001";
const DEPOSIT: &str = "0190aaaa-0000-7000-8000-000000000002";
const CAMPAIGN: &str = "0190aaaa-0000-7000-8000-000000000003";
const LEAD: &str = "0190aaaa-0000-7000-8000-000000000004";
const PARTNER: &str = "0190aaaa-0000-7000-8000-000000000005";
const TOP_UP: &str = "0190aaaa-0000-7000-8000-000000000006";
const NOBODY: &str = "0190aaaa-0000-7000-8000-00000000ffff";

struct Desk {
    ledger: Ledger,
    clock: Arc<ManualClock>,
    rows: usize,
}

/// The command's fields, all good: each row spoils one of them.
fn good(name: &str) -> Value {
    let fields = match name {
        "register_campaign" => json!({ "currency": "MAD" }),
        "update_campaign" | "pause_campaign" | "resume_campaign" => json!({ "campaign": CAMPAIGN }),
        "set_agreement" => json!({ "partner": PARTNER, "share": "40" }),
        "open_deposit" => json!({ "amount": "2000.00", "campaign": CAMPAIGN }),
        "top_up" => json!({ "deposit": DEPOSIT, "amount": "100.00" }),
        "adjust_deposit" => json!({ "deposit": DEPOSIT, "amount": "5.00", "reason": "a correction" }),
        "set_auto_top_up" => json!({ "deposit": DEPOSIT, "threshold": "500.00", "amount": "1000.00" }),
        "set_alert_settings" | "suspend_deposit" | "resume_deposit" | "close_deposit" => json!({ "deposit": DEPOSIT }),
        "create_lead" => json!({ "campaign": CAMPAIGN, "partner": PARTNER, "value": "600.00" }),
        "reject_lead" | "reverse_lead" => json!({ "lead": LEAD, "reason": "no answer" }),
        "validate_lead" | "convert_lead" | "lose_lead" | "erase_customer" => json!({ "lead": LEAD }),
        "begin_top_up" => json!({ "amount": "100.00", "method": "stripe" }),
        "attach_reference" => json!({ "top_up": TOP_UP, "reference": "pi_1" }),
        "succeed_top_up" => json!({ "top_up": TOP_UP, "reference": "pi_1", "received": "100.00" }),
        "write_off" => json!({ "reason": "gone" }),
        "request_payout" => json!({ "partner": PARTNER, "amount": "1.00" }),
        "settle_payout" | "cancel_payout" => json!({ "payout": NOBODY }),
        "run_due" => json!({}),
        "open_book" => json!({ "deposits": [{ "deposit": DEPOSIT, "balance": "10.00", "status": "active" }] }),
        _ => json!({ "top_up": TOP_UP }),
    };
    let mut fields = fields;
    fields["merchant"] = json!(MERCHANT);
    fields
}

fn spoilt(name: &str, field: &str, value: &Value) -> Value {
    let mut fields = good(name);
    fields[field] = value.clone();
    fields
}

impl Desk {
    fn new() -> Self {
        let clock = Arc::new(ManualClock::new("2026-01-05T08:00:00Z".parse().unwrap()));
        let ledger = Ledger::with_shared(Arc::new(MemoryStore::new()), clock.clone(), Options::default()).unwrap();
        let desk = Self { ledger, clock, rows: 0 };
        for (name, field, value) in [
            ("register_campaign", "campaign", CAMPAIGN),
            ("create_lead", "lead", LEAD),
            ("begin_top_up", "top_up", TOP_UP),
        ] {
            if name == "create_lead" {
                let mut open = spoilt("open_deposit", "deposit", &json!(DEPOSIT));
                open["campaign"] = Value::Null;
                desk.send("open_deposit", open).unwrap();
            }
            desk.send(name, spoilt(name, field, &json!(value))).unwrap();
        }
        desk
    }

    fn send(&self, name: &str, fields: Value) -> Result<bool, Error> {
        let command = Command::from_json(name, fields)?;
        self.ledger.submit(command).wait().map(|done| done.replayed)
    }

    fn merchant() -> MerchantId {
        MERCHANT.parse().unwrap()
    }

    /// Everything that there is.
    fn state(&self) -> (Value, Vec<String>) {
        let book = self.ledger.book(Self::merchant()).wait().unwrap().to_json(Currency::MAD);
        let events = self.ledger.all_events(None, usize::MAX).wait().unwrap().items;
        (book, events.into_iter().map(|recorded| recorded.payload).collect())
    }

    fn refuses(&mut self, name: &str, fields: Value, code: &str) {
        let before = self.state();
        let outcome = self.send(name, fields.clone());
        let got = outcome.as_ref().err().map_or("accepted", Error::code);
        assert_eq!(got, code, "{name} {fields}: {outcome:?}");
        assert_eq!(self.state(), before, "{name} {fields} left a trace");
        self.rows += 1;
    }
}

impl Drop for Desk {
    /// Whatever was tried, the ledger goes on.
    fn drop(&mut self) {
        if !std::thread::panicking() {
            assert!(self.rows > 5, "only {} rows", self.rows);
            self.send("create_lead", good("create_lead")).unwrap();
            self.send("validate_lead", good("validate_lead")).unwrap();
            self.ledger.check(Self::merchant()).wait().unwrap();
        }
    }
}

/// Fields that hold a positive amount of MAD.
const AMOUNTS: [(&str, &str); 9] = [
    ("open_deposit", "amount"),
    ("top_up", "amount"),
    ("create_lead", "value"),
    ("begin_top_up", "amount"),
    ("succeed_top_up", "received"),
    ("refund_top_up", "amount"),
    ("request_payout", "amount"),
    ("set_auto_top_up", "threshold"),
    ("set_auto_top_up", "amount"),
];

/// Fields that hold any other decimal.
const DECIMALS: [(&str, &str); 8] = [
    ("adjust_deposit", "amount"),
    ("register_campaign", "minimum_value"),
    ("register_campaign", "threshold"),
    ("register_campaign", "fixed"),
    ("register_campaign", "rate"),
    ("register_campaign", "default_share"),
    ("update_campaign", "rate"),
    ("set_agreement", "share"),
];

#[test]
fn amounts() {
    let mut desk = Desk::new();
    let zeros = "0".repeat(40);
    let rows = [
        ("0", "invalid_amount"),
        ("0.00", "invalid_amount"),
        ("-0", "invalid_amount"),
        ("-1", "invalid_amount"),
        ("-0.001", "invalid_amount"),
        (&format!("-1{zeros}"), "invalid_amount"),
        ("100.001", "amount_precision"),
        (&format!("1.{zeros}1"), "amount_precision"),
        (&format!("1{zeros}.001"), "amount_precision"),
        (&format!("1{zeros}.00001"), "amount_precision"),
        ("92233720368547758.08", "amount_too_large"),
        (&format!("1{zeros}"), "amount_too_large"),
        (&format!("1{zeros}.5"), "amount_too_large"),
        (&"9".repeat(100_000), "amount_too_large"),
    ];
    for (name, field) in AMOUNTS {
        for (text, code) in rows {
            desk.refuses(name, spoilt(name, field, &json!(text)), code);
        }
    }
    // A correction may be negative, but not zero, and never below what is there.
    for (text, code) in [
        ("0", "invalid_amount"),
        ("-0.00", "invalid_amount"),
        ("-0.001", "amount_precision"),
        (&format!("-1{zeros}"), "amount_too_large"),
        ("-1940.01", "insufficient_funds"),
        ("92233720368547758.07", "amount_too_large"),
    ] {
        desk.refuses("adjust_deposit", spoilt("adjust_deposit", "amount", &json!(text)), code);
    }
    // It fits alone, but not with what is there.
    desk.refuses("top_up", spoilt("top_up", "amount", &json!("92233720368547758.07")), "amount_too_large");
    // A yen has no decimals.
    let yen = json!({ "merchant": MERCHANT, "amount": "1.5", "currency": "JPY" });
    desk.refuses("open_deposit", yen, "amount_precision");
}

#[test]
fn what_is_no_decimal() {
    let mut desk = Desk::new();
    let texts = [
        "", " ", "1e5", "1E5", "NaN", "nan", "inf", "-inf", " 1", "1 ", "+1.", "1.", ".5", "-", "+", "--1", "+-1",
        "1,5", "1_000", "1 000", "0x10", "1.2.3", "\u{661}", "1\0", "½", "1/2", "100 MAD",
    ];
    for (name, field) in AMOUNTS.into_iter().chain(DECIMALS) {
        for text in texts {
            desk.refuses(name, spoilt(name, field, &json!(text)), "invalid_command");
        }
        // Numbers would have gone through a binary float.
        for value in [json!(100), json!(100.5), json!(true), json!(["100"]), json!({ "amount": "100" })] {
            desk.refuses(name, spoilt(name, field, &value), "invalid_command");
        }
    }
    for text in texts {
        assert_eq!(parse_decimal(text).unwrap_err().code(), "invalid_decimal", "{text:?}");
    }
}

#[test]
fn percents_and_policies() {
    let mut desk = Desk::new();
    let zeros = "0".repeat(40);
    let percents = ["-0.0001", "-1", "100.0001", "101", "1.00001", &format!("1{zeros}"), &format!("1.{zeros}1")];
    for percent in percents {
        for (name, field, code) in [
            ("register_campaign", "rate", "invalid_policy"),
            ("register_campaign", "default_share", "invalid_policy"),
            ("update_campaign", "rate", "invalid_policy"),
            ("update_campaign", "default_share", "invalid_policy"),
            ("set_agreement", "share", "invalid_agreement"),
        ] {
            desk.refuses(name, spoilt(name, field, &json!(percent)), code);
        }
    }
    for name in ["register_campaign", "update_campaign"] {
        for (field, value) in [
            ("minimum_value", json!("-0.01")),
            ("minimum_value", json!("0.001")),
            ("threshold", json!("-1")),
            ("threshold", json!("79.99")),
            ("fixed", json!("800.01")),
            ("fixed", json!("-0.01")),
            ("validation_window_hours", json!(0)),
            ("validation_window_hours", json!(-1)),
            ("validation_window_hours", json!(4_294_967_296_i64)),
            ("minimum_quality", json!(0)),
            ("minimum_quality", json!(11)),
            ("minimum_quality", json!(i64::MIN)),
        ] {
            desk.refuses(name, spoilt(name, field, &value), "invalid_policy");
        }
        let huge = format!("1{}", "0".repeat(40));
        desk.refuses(name, spoilt(name, "threshold", &json!(huge)), "amount_too_large");
    }
    for days in [-1, i64::MIN, 4_294_967_296, i64::MAX] {
        let fields = spoilt("set_agreement", "payout_delay_days", &json!(days));
        desk.refuses("set_agreement", fields, "invalid_agreement");
    }
}

#[test]
fn scores_and_reasons() {
    let mut desk = Desk::new();
    for score in [0, 11, -1, 256, i64::MAX, i64::MIN] {
        desk.refuses("validate_lead", spoilt("validate_lead", "score", &json!(score)), "invalid_score");
    }
    let beyond: Value = serde_json::from_str("99999999999999999999999").unwrap();
    for score in [json!("8"), json!(8.5), json!(true), json!(u64::MAX), beyond] {
        desk.refuses("validate_lead", spoilt("validate_lead", "score", &score), "invalid_command");
    }
    for name in ["reject_lead", "reverse_lead", "adjust_deposit", "write_off"] {
        for reason in ["", " ", "\t\r\n", "\u{a0}\u{2003}"] {
            desk.refuses(name, spoilt(name, "reason", &json!(reason)), "reason_required");
        }
        let mut without = good(name);
        without.as_object_mut().unwrap().remove("reason");
        desk.refuses(name, without, "reason_required");
        desk.refuses(name, spoilt(name, "reason", &Value::Null), "invalid_command");
    }
}

#[test]
fn texts() {
    let mut desk = Desk::new();
    // The field, its longest text, and how a text of it is spelt.
    let customer = |field: &'static str| move |text: &str| ("customer", json!({ field: text }));
    type Spelt = Box<dyn Fn(&str) -> (&'static str, Value)>;
    let plain = |field: &'static str| -> Spelt { Box::new(move |text| (field, json!(text))) };
    let rows: Vec<(&str, usize, Spelt)> = vec![
        ("create_lead", 255, plain("product")),
        ("create_lead", 255, Box::new(customer("name"))),
        ("create_lead", 255, Box::new(customer("email"))),
        ("create_lead", 255, Box::new(customer("phone"))),
        ("create_lead", 255, Box::new(customer("company"))),
        ("create_lead", 4_000, Box::new(customer("notes"))),
        ("validate_lead", 4_000, plain("feedback")),
        ("reject_lead", 4_000, plain("reason")),
        ("reverse_lead", 4_000, plain("reason")),
        ("adjust_deposit", 4_000, plain("reason")),
        ("write_off", 4_000, plain("reason")),
        ("open_deposit", 255, plain("reference")),
        ("top_up", 255, plain("reference")),
        ("close_deposit", 255, plain("reference")),
        ("attach_reference", 255, plain("reference")),
        ("succeed_top_up", 255, plain("reference")),
        ("settle_payout", 255, plain("reference")),
    ];
    for (name, longest, spelt) in rows {
        for (text, code) in [
            ("a\0b".to_owned(), "text_has_nul"),
            ("\0".to_owned(), "text_has_nul"),
            ("x".repeat(longest + 1), "text_too_long"),
            ("é".repeat(longest + 1), "text_too_long"),
            ("x".repeat(1_000_000), "text_too_long"),
        ] {
            let (field, value) = spelt(&text);
            let fields = spoilt(name, field, &value);
            // The code of the text itself is told in the message.
            let message = Command::from_json(name, fields.clone()).unwrap_err().to_string();
            assert!(message.contains(code), "{name} {field}: {message}");
            desk.refuses(name, fields, "invalid_command");
        }
        let (field, value) = spelt(&"é".repeat(longest));
        assert!(Command::from_json(name, spoilt(name, field, &value)).is_ok(), "{name} {field}: the longest text");
    }
    let code = |outcome: Result<(), leadledger::InvalidInput>| outcome.unwrap_err().code();
    for (text, key) in [("", "text_empty"), ("\0", "text_has_nul"), (&"x".repeat(256), "text_too_long")] {
        assert_eq!(code(Key::new(text).map(|_| ())), key);
        assert_eq!(code(Reference::new(text).map(|_| ())), key);
        let before = desk.state();
        let command = Command::from_json("top_up", good("top_up")).unwrap();
        assert_eq!(desk.ledger.submit(command).key(text).wait().unwrap_err().code(), key);
        assert_eq!(desk.state(), before);
    }
    assert_eq!(code(Line::new("x".repeat(256)).map(|_| ())), "text_too_long");
    assert_eq!(code(Paragraph::new("x".repeat(4_001)).map(|_| ())), "text_too_long");
}

#[test]
fn shapes() {
    let mut desk = Desk::new();
    for name in Command::NAMES {
        assert!(Command::from_json(name, good(name)).is_ok(), "{name}");
        desk.refuses(name, spoilt(name, "surprise", &json!(1)), "invalid_command");
        desk.refuses(name, spoilt(name, "merchant", &json!("not an id")), "invalid_command");
        for fields in [json!(null), json!([]), json!("text"), json!(1), json!({})] {
            desk.refuses(name, fields, "invalid_command");
        }
    }
    for name in ["", "create_leads", "CREATE_LEAD", "createLead", "create_lead\0", "drop table"] {
        desk.refuses(name, good("create_lead"), "unknown_command");
    }
    for currency in ["XYZ", "mad", "", "MADX", "M\0D", "DH", "BTC"] {
        for name in ["open_deposit", "begin_top_up", "request_payout", "write_off", "register_campaign"] {
            desk.refuses(name, spoilt(name, "currency", &json!(currency)), "invalid_command");
        }
        assert_eq!(currency.parse::<Currency>().unwrap_err().code(), "unknown_currency");
    }
    for (name, field, value) in [
        ("begin_top_up", "method", json!("paypal")),
        ("create_lead", "source", json!("Instagram")),
        ("create_lead", "customer", json!({ "nom": "Amina" })),
        ("create_lead", "customer", json!("Amina")),
        ("set_alert_settings", "basis", json!("reserved")),
        ("register_campaign", "on_timeout", json!("reject")),
        ("register_campaign", "auto_stop", json!("yes")),
        ("create_lead", "lead", json!("0190aaaa")),
        ("create_lead", "lead", json!(7)),
    ] {
        desk.refuses(name, spoilt(name, field, &value), "invalid_command");
    }
}

#[test]
fn unknown_ids() {
    let mut desk = Desk::new();
    for (field, code, names) in [
        (
            "campaign",
            "campaign_not_found",
            &[
                "update_campaign",
                "pause_campaign",
                "resume_campaign",
                "set_agreement",
                "open_deposit",
                "create_lead",
                "begin_top_up",
            ][..],
        ),
        (
            "deposit",
            "deposit_not_found",
            &[
                "top_up",
                "adjust_deposit",
                "set_alert_settings",
                "set_auto_top_up",
                "suspend_deposit",
                "resume_deposit",
                "close_deposit",
            ],
        ),
        (
            "lead",
            "lead_not_found",
            &["validate_lead", "reject_lead", "convert_lead", "lose_lead", "reverse_lead", "erase_customer"],
        ),
        (
            "top_up",
            "top_up_not_found",
            &[
                "attach_reference",
                "succeed_top_up",
                "fail_top_up",
                "cancel_top_up",
                "refund_top_up",
                "dispute_top_up",
                "win_dispute",
                "lose_dispute",
            ],
        ),
        ("payout", "payout_not_found", &["settle_payout", "cancel_payout"]),
    ] {
        for name in names {
            desk.refuses(name, spoilt(name, field, &json!(NOBODY)), code);
            // What is there is not there for another merchant.
            let mut elsewhere = good(name);
            elsewhere["merchant"] = json!(NOBODY);
            let code = if *name == "set_agreement" || *name == "begin_top_up" { continue } else { code };
            desk.refuses(name, elsewhere, code);
        }
    }
    desk.refuses("request_payout", spoilt("request_payout", "partner", &json!(NOBODY)), "insufficient_funds");
    desk.refuses("write_off", spoilt("write_off", "partner", &json!(NOBODY)), "nothing_owed");
}

#[test]
fn keys_used_again() {
    let mut desk = Desk::new();
    let send = |desk: &Desk, name: &str, fields| {
        let command = Command::from_json(name, fields).unwrap();
        desk.ledger.submit(command).key("the key").wait().map(|done| done.replayed)
    };
    assert_eq!(send(&desk, "top_up", good("top_up")), Ok(false));
    let before = desk.state();
    for name in Command::NAMES.iter().filter(|name| **name != "top_up") {
        assert_eq!(send(&desk, name, good(name)).unwrap_err().code(), "idempotency_mismatch", "{name}");
        desk.rows += 1;
    }
    let other = spoilt("top_up", "amount", &json!("100.01"));
    assert_eq!(send(&desk, "top_up", other).unwrap_err().code(), "idempotency_mismatch");
    assert_eq!(send(&desk, "top_up", spoilt("top_up", "amount", &json!("+0100.0000"))), Ok(true));
    assert_eq!(desk.state(), before);
}

/// Time cannot be refused: where a balance would overflow by time alone, the part stays held, and nothing stops.
#[test]
fn what_time_alone_cannot_do() {
    let mut desk = Desk::new();
    let most = "90000000000000000.00";
    let policy = json!({ "merchant": MERCHANT, "campaign": NOBODY, "threshold": most, "fixed": most });
    desk.send("register_campaign", policy).unwrap();
    let part =
        |days: u32| json!({ "merchant": MERCHANT, "partner": PARTNER, "share": "100", "payout_delay_days": days });
    for (lead, days, method) in [(1, 0, "stripe"), (2, 1, "cmi"), (3, 1, "crypto")] {
        let lead = format!("0190bbbb-0000-7000-8000-00000000000{lead}");
        // What is held fits; the third one's part is small, and due after the one that cannot mature.
        let value = if method == "crypto" { "60.00" } else { most };
        desk.send("set_agreement", part(days)).unwrap();
        let pay = json!({ "merchant": MERCHANT, "deposit": DEPOSIT, "amount": most, "method": method });
        desk.send("top_up", pay).unwrap();
        let create =
            json!({ "merchant": MERCHANT, "campaign": NOBODY, "partner": PARTNER, "value": value, "lead": lead });
        desk.send("create_lead", create).unwrap();
        desk.send("validate_lead", json!({ "merchant": MERCHANT, "lead": lead })).unwrap();
    }
    desk.clock.set("2026-01-06T08:00:00Z".parse::<Timestamp>().unwrap());
    for _ in 0..6 {
        desk.refuses("convert_lead", good("convert_lead"), "invalid_transition");
    }
    let partner = desk.ledger.partner(Desk::merchant(), PARTNER.parse().unwrap()).wait().unwrap();
    assert_eq!(
        (partner[0].held.to_string(), partner[0].payable.to_string()),
        (most.to_owned(), "90000000000000006.00".to_owned())
    );
}
