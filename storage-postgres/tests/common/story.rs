//! A book with rows of every kind, under ids of its own, every command of it with a key.

use std::sync::Arc;

use leadledger::{Command, Done, Error, Ledger, ManualClock, MerchantId, Timestamp};
use serde_json::{Value, json};
use uuid::Uuid;

/// Who the story is about.
#[derive(Clone, Debug)]
pub struct Told {
    pub merchant: MerchantId,
    pub campaigns: Vec<Uuid>,
    pub deposits: Vec<Uuid>,
    pub leads: Vec<Uuid>,
    pub missed: Uuid,
    pub top_ups: Vec<Uuid>,
    pub payouts: Vec<Uuid>,
    pub partners: Vec<Uuid>,
    pub references: Vec<String>,
    pub keys: Vec<String>,
}

impl Told {
    /// All ids that must not be seen in another book, as text.
    pub fn ids(&self) -> Vec<String> {
        let lists = [&self.campaigns, &self.deposits, &self.leads, &self.top_ups, &self.payouts, &self.partners];
        let ids = lists.into_iter().flatten().chain([&self.missed, &self.merchant.0]);
        ids.map(Uuid::to_string).chain(self.references.iter().cloned()).collect()
    }
}

/// A clock at 2026-01-05T08:00:00Z.
pub fn clock() -> Arc<ManualClock> {
    Arc::new(ManualClock::new(Timestamp::from_micros(1_767_600_000_000_000)))
}

/// Any command, from its name and its fields without the merchant.
pub fn send(
    ledger: &Ledger,
    merchant: MerchantId,
    name: &str,
    fields: &Value,
    key: Option<&str>,
) -> Result<Done<()>, Error> {
    let mut fields = fields.clone();
    fields["merchant"] = json!(merchant);
    let call = ledger.submit(Command::from_json(name, fields).unwrap());
    match key {
        Some(key) => call.key(key).wait(),
        None => call.wait(),
    }
}

/// Tells the story now; leads stay pending, so that something will be due.
pub fn tell(ledger: &Ledger, merchant: MerchantId) -> Told {
    let ids = |count: usize| (0..count).map(|_| Uuid::now_v7()).collect::<Vec<_>>();
    let (c, d, l) = (ids(4), ids(4), ids(11));
    let (top_ups, payouts, p) = (ids(6), ids(3), ids(2));
    let references: Vec<String> = (0..4).map(|n| format!("pi_{n}_{}", l[0])).collect();
    let mut keys: Vec<String> = Vec::new();
    let mut say = |name: &str, fields: Value| {
        let key = format!("key-{}-{}", keys.len(), l[0]);
        let done = send(ledger, merchant, name, &fields, Some(&key));
        assert_eq!(done.map(|done| done.replayed), Ok(false), "{name} {fields}");
        keys.push(key);
    };
    say("register_campaign", json!({ "campaign": c[0] }));
    say("register_campaign", json!({ "campaign": c[1], "on_timeout": "accept", "validation_window_hours": 24 }));
    say("register_campaign", json!({ "campaign": c[2], "threshold": "1500", "fixed": "1500" }));
    say("register_campaign", json!({ "campaign": c[3] }));
    say("pause_campaign", json!({ "campaign": c[3] }));
    say("set_agreement", json!({ "partner": p[0], "share": "40", "payout_delay_days": 2 }));
    say("set_agreement", json!({ "partner": p[1], "share": "50", "campaign": c[0] }));
    say("open_deposit", json!({ "deposit": d[0], "amount": "10000.00", "method": "stripe", "reference": "first" }));
    say("open_deposit", json!({ "deposit": d[1], "amount": "3000.00", "campaign": c[1] }));
    say("open_deposit", json!({ "deposit": d[2], "amount": "2000.00", "campaign": c[2] }));
    say("open_deposit", json!({ "deposit": d[3], "amount": "2500.00", "campaign": c[3] }));
    say("close_deposit", json!({ "deposit": d[3] }));
    say("set_auto_top_up", json!({ "deposit": d[0], "threshold": "500.00", "amount": "1000.00" }));
    for (n, lead) in l.iter().enumerate() {
        let customer = json!({ "name": format!("Customer {n}"), "email": format!("{n}@{merchant}.example") });
        let (campaign, value) = match n {
            8 => (c[1], "400.00".to_owned()),
            9 => (c[2], "1500.00".to_owned()),
            _ => (c[0], format!("{}.50", 200 + 37 * n)),
        };
        say(
            "create_lead",
            json!({ "lead": lead, "campaign": campaign, "partner": p[n % 2], "value": value, "source": "instagram",
                    "customer": customer, "product": "a house" }),
        );
    }
    let missed = Uuid::now_v7();
    let fields = json!({ "lead": missed, "campaign": c[2], "partner": p[0], "value": "1500.00" });
    assert_eq!(send(ledger, merchant, "create_lead", &fields, None).unwrap_err().code(), "insufficient_funds");
    for (n, score) in [(0, 8), (1, 9), (2, 5), (3, 10), (4, 7)] {
        say("validate_lead", json!({ "lead": l[n], "score": score, "feedback": "good" }));
    }
    say("reject_lead", json!({ "lead": l[5], "reason": "no answer" }));
    say("convert_lead", json!({ "lead": l[0] }));
    say("lose_lead", json!({ "lead": l[1] }));
    say("reverse_lead", json!({ "lead": l[2], "reason": "a double" }));
    say("erase_customer", json!({ "lead": l[5] }));
    say("adjust_deposit", json!({ "deposit": d[0], "amount": "-12.34", "reason": "a correction" }));
    for (n, method) in ["stripe", "stripe", "cmi", "stripe", "crypto", "bank_transfer"].into_iter().enumerate() {
        say("begin_top_up", json!({ "top_up": top_ups[n], "amount": "700.00", "method": method }));
    }
    say("attach_reference", json!({ "top_up": top_ups[0], "reference": references[0] }));
    for (n, reference) in [(1, 1), (3, 2), (5, 3)] {
        let reference = &references[reference];
        say("succeed_top_up", json!({ "top_up": top_ups[n], "reference": reference, "received": "700.00" }));
    }
    say("fail_top_up", json!({ "top_up": top_ups[2] }));
    say("cancel_top_up", json!({ "top_up": top_ups[4] }));
    say("dispute_top_up", json!({ "top_up": top_ups[3] }));
    say("refund_top_up", json!({ "top_up": top_ups[5], "amount": "100.00" }));
    for (n, amount) in ["1.00", "0.50", "0.25"].into_iter().enumerate() {
        say("request_payout", json!({ "payout": payouts[n], "partner": p[1], "amount": amount }));
    }
    say("settle_payout", json!({ "payout": payouts[0], "method": "bank_transfer" }));
    say("cancel_payout", json!({ "payout": payouts[1] }));
    Told { merchant, campaigns: c, deposits: d, leads: l, missed, top_ups, payouts, partners: p, references, keys }
}
