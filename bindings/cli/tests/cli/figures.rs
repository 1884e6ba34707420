//! `figures`, on a store with a lead that was validated and one that is pending.

use serde_json::{Value, json};

use crate::ground::{DEPOSIT, MERCHANT, NOBODY, PARTNER, Ran, Store};

/// Of the story's first part; the merchant's figures are told three times.
pub(crate) fn the_story(store: &Store) {
    let merchant = store.run(&["figures", MERCHANT, "--json"]).json();
    assert_eq!((&merchant["merchant"], &merchant["time_zone"]), (&json!(MERCHANT), &json!("Africa/Casablanca")));
    let own = &merchant["currencies"][0];
    assert_eq!((&own["deposits"]["balance"], &own["deposits"]["spent"]), (&json!("4940.00"), &json!("60.00")));
    assert_eq!((&own["leads"]["validation_rate"], &own["money"]["roi"]), (&json!("1.0000"), &json!("-1.0000")));
    assert_eq!(own["money"]["cost_per_acquisition"], Value::Null);
    let text = store.run(&["figures", MERCHANT]).ok();
    let today = merchant["today"].as_str().unwrap();
    for line in [
        "  deposits, MAD\n",
        "    balance                       4940.00 MAD    paid in                       5000.00 MAD\n",
        "    pending                                 1      of them expired                       0\n",
        "    validated                               1    validation rate                   100.00%\n",
        "    commission paid                 60.00 MAD    a captured lead                 60.00 MAD\n",
        "      to partners                   18.00 MAD    an acquisition                          -\n",
        &format!("    {today}  [########################]  2        1    100.00%\n"),
        &format!("    {PARTNER}         1   60.00 MAD\n"),
        "    tiktok      1\n",
        "  missed for want of money: 0 leads, which would have cost 0.00 MAD\n",
    ] {
        assert!(text.contains(line), "{line:?} is not in {text}");
    }
    assert_eq!(text.matches("[------------------------]  0        0          -\n").count(), 6, "{text}");

    let day = store.run(&["figures", MERCHANT, "--day", today, "--json"]).json();
    assert_eq!((&day["day"], &day["complete"]), (&json!(today), &json!(false)));
    let own = &day["currencies"][0];
    assert_eq!((&own["closing_balance"], &own["commission"]), (&json!("4940.00"), &json!("60.00")));
    let text = store.run(&["figures", MERCHANT, "--day", today]).ok();
    assert!(text.starts_with(&format!("merchant {MERCHANT}, {today} Africa/Casablanca, not over yet\n")), "{text}");
    let line = "    ended with                    4940.00 MAD    refunded                         0.00 MAD\n";
    assert!(text.contains(line), "{text}");
    // The book began today.
    assert!(store.run(&["figures", MERCHANT, "--yesterday"]).failed(4).contains("(before_first_entry)"));

    let partner = store.run(&["figures", "--partner", PARTNER, "--json"]).json();
    assert_eq!((&partner["partner"], &partner["currencies"][0]["payable"]), (&json!(PARTNER), &json!("18.00")));
    let text = store.run(&["figures", "--partner", PARTNER]).ok();
    let line = "    merchants                               1    payable                         18.00 MAD\n";
    assert!(text.contains(line), "{text}");
    let nobody = store.run(&["figures", "--partner", NOBODY]).ok();
    assert!(nobody.ends_with("\nno merchant has a lead of this partner\n"), "{nobody}");

    let platform = store.run(&["figures", "--json"]).json();
    assert_eq!(platform["currencies"][0]["commission"], json!("42.00"));
    let same = store.run(&["figures", "--platform", "--json"]).json();
    assert_eq!(same["currencies"], platform["currencies"]);
    let text = store.run(&["figures"]).ok();
    for line in [
        "    income                          42.00 MAD    paid in                       5000.00 MAD\n",
        "  money at the providers\n    manual                        5000.00 MAD\n",
    ] {
        assert!(text.contains(line), "{line:?} is not in {text}");
    }
}

#[test]
fn rates_are_percent_in_the_terminals_language() {
    let store = Store::sqlite().prepared();
    store.send("validate_lead", json!({ "lead": crate::ground::LEAD }));
    for (locale, rate) in [("fr_FR.UTF-8", "100,00\u{a0}%"), ("en_US.UTF-8", "100.00%"), ("C", "100.00%")] {
        let mut command = store.command(&["figures", MERCHANT]);
        let text = Ran::of(command.env("LC_ALL", locale).output().unwrap()).ok();
        let line = text.lines().find(|line| line.contains("validation rate")).unwrap();
        assert!(line.ends_with(&format!(" {rate}")), "{locale}: {line:?}");
    }
}

#[test]
fn a_merchant_without_money_has_figures_too() {
    let store = Store::sqlite();
    store.run(&["init"]).ok();
    let empty = store.run(&["figures"]).ok();
    assert!(empty.ends_with("\nno payment came in yet\n"), "{empty}");
    store.send("register_campaign", json!({ "campaign": crate::ground::CAMPAIGN }));
    let text = store.run(&["figures", MERCHANT]).ok();
    assert!(text.ends_with("\nno payment came in yet\n"), "{text}");
    assert_eq!(store.run(&["figures", MERCHANT, "--json"]).json()["currencies"], json!([]));
}

#[test]
fn a_card_tells_what_depletion_paused_and_when_a_payment_is_asked_for() {
    let store = Store::sqlite().prepared();
    store.send("set_auto_top_up", json!({ "deposit": DEPOSIT, "threshold": "500.00", "amount": "2000.00" }));
    let card = store.run(&["status", MERCHANT]).ok();
    assert!(card.contains("  top-up     automatic: 2000.00 MAD below 500.00 MAD\n"), "{card}");
    store.send("validate_lead", json!({ "lead": crate::ground::LEAD }));
    store.send("adjust_deposit", json!({ "deposit": DEPOSIT, "amount": "-4940.00", "reason": "test" }));
    let card = store.run(&["status", MERCHANT]).ok();
    for line in [
        "  balance    0.00 MAD  [--------------------] 0.00% of 5000.00 MAD\n",
        "  level      Épuisé (depleted)\n",
        &format!("  paused     campaign {}, by depletion\n", crate::ground::CAMPAIGN),
    ] {
        assert!(card.contains(line), "{line:?} is not in {card}");
    }
    let json = store.run(&["status", MERCHANT, "--json"]).json();
    assert_eq!(json["deposits"][0]["paused_campaigns"], json!([crate::ground::CAMPAIGN]));
    assert_eq!(json["deposits"][0]["auto_top_up_amount"], json!("2000.00"));
    // On a terminal the level has its colour: here there is none.
    let tail = store.run(&["tail", "--from-start", "--limit", "6"]).ok();
    assert!(
        tail.contains("  alert_raised            deposit 42cbd32f..fdc2: depleted (Épuisé), 0.00 MAD of 5000.00 MAD\n"),
        "{tail}"
    );
    assert!(tail.contains("  campaign_paused         campaign d47e4f0f..206f, because of its deposit\n"), "{tail}");
    assert!(tail.contains("deposit 42cbd32f..fdc2: 2000.00 MAD is asked for\n"), "{tail}");
}
