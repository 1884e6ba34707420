//! The tables of the existing backend, taken in from a server.

use serde_json::json;

use leadledger_testbed::server;

use crate::ground::{Store, run, server_sql};

const TABLES: &str = "
CREATE TABLE company_deposits (id uuid, merchant_id uuid, campaign_id uuid, initial_amount numeric(10,2),
    current_balance numeric(10,2), reserved_amount numeric(10,2), alert_threshold numeric(10,2), auto_recharge boolean,
    auto_recharge_amount numeric(10,2), status text, depleted_at timestamp, last_alert_sent timestamp, created_at timestamp);
CREATE TABLE deposit_transactions (id uuid, deposit_id uuid, merchant_id uuid, lead_id uuid, transaction_type text,
    amount numeric(10,2), balance_before numeric(10,2), balance_after numeric(10,2), payment_method text,
    payment_reference text, created_at timestamp);
CREATE TABLE leads (id uuid, campaign_id uuid, influencer_id uuid, commercial_id uuid, merchant_id uuid, product_id uuid,
    customer_name text, customer_email text, customer_phone text, customer_company text, customer_notes text, source text,
    estimated_value numeric(10,2), commission_amount numeric(10,2), commission_type text,
    influencer_percentage numeric(5,2), influencer_commission numeric(10,2), status text, quality_score integer,
    rejection_reason text, validated_at timestamp, conversion_date timestamp, created_at timestamp);
CREATE TABLE influencer_agreements (id uuid, merchant_id uuid, influencer_id uuid, commercial_id uuid, campaign_id uuid,
    commission_percentage numeric(5,2), payment_delay_days integer, status text);
CREATE TABLE campaign_settings (campaign_id uuid, merchant_id uuid, lead_generation_enabled boolean,
    auto_stop_on_depletion boolean, percentage_commission_rate numeric(5,2), fixed_commission_amount numeric(10,2),
    commission_threshold numeric(10,2), validation_timeout_hours integer, auto_validate_after_timeout boolean,
    minimum_quality_score integer);
";

const MERCHANT: &str = "00000000-0000-4000-8000-000000000001";

/// One merchant: 500.00 in its deposit, of which 10.00 too much are said to be reserved; a lead pending, one validated.
fn rows() -> String {
    let id = |n: u32| format!("'00000000-0000-4000-8000-{n:012}'");
    let (merchant, deposit, campaign, partner) = (id(1), id(2), id(3), id(4));
    format!(
        "INSERT INTO company_deposits VALUES ({deposit}, {merchant}, NULL, 1000, 500, 70, 500, false, NULL, 'active', NULL, \
             NULL, now() AT TIME ZONE 'UTC' - interval '9 days');
         INSERT INTO leads VALUES ({}, {campaign}, {partner}, NULL, {merchant}, NULL, 'Amina', NULL, NULL, NULL, NULL, \
             'instagram', 600, 60, 'percentage', 30, 18, 'pending', NULL, NULL, NULL, NULL, now() AT TIME ZONE 'UTC' - interval '1 hour');
         INSERT INTO leads VALUES ({}, {campaign}, {partner}, NULL, {merchant}, NULL, 'Driss', NULL, NULL, NULL, NULL, \
             'tiktok', 600, 60, 'percentage', 30, 18, 'validated', 8, NULL, now() AT TIME ZONE 'UTC' - interval '2 days', NULL, \
             now() AT TIME ZONE 'UTC' - interval '3 days')",
        id(5),
        id(6)
    )
}

#[test]
fn the_tables_of_the_existing_backend_come_in_once_with_a_report() {
    let schema = format!("old_{}", std::process::id());
    server_sql(&format!("CREATE SCHEMA {schema}; SET search_path = {schema}; {TABLES} {}", rows())).unwrap();
    let ground = Store::sqlite();
    assert!(ground.run(&["init"]).ok().contains("made"));
    let url = server().unwrap().url();
    let import = |more: &[&str]| {
        let arguments = [&["import", "--legacy", url, "--schema", schema.as_str()], more].concat();
        ground.run(&arguments)
    };
    // Looking changes nothing.
    let planned = import(&["--dry-run"]).ok();
    assert!(planned.contains("reserved"), "{planned}");
    assert_eq!(ground.run(&["status", "--json"]).json(), json!({ "merchants": [] }));

    let report = import(&["--json"]).json();
    let differences = report["differences"].as_array().unwrap();
    assert!(differences.iter().any(|difference| difference.to_string().contains("70.00")), "{report}");
    let status = ground.run(&["status", "--json"]).json();
    let deposit = &status["merchants"][0]["deposits"][0];
    assert_eq!((&deposit["balance"], &deposit["reserved"]), (&json!("500.00"), &json!("60.00")));
    let figures = ground.run(&["figures", MERCHANT, "--json"]).json();
    assert_eq!(figures["currencies"][0]["leads"]["generated"], 2);
    assert!(ground.run(&["check"]).ok().contains('1'));

    let before = ground.run(&["check", MERCHANT, "--json"]).json();
    import(&[]).ok();
    assert_eq!(ground.run(&["check", MERCHANT, "--json"]).json(), before);

    server_sql(&format!("ALTER TABLE {schema}.leads DROP COLUMN source; DROP TABLE {schema}.campaign_settings"))
        .unwrap();
    let told = import(&[]).failed(4);
    assert!(
        told.contains("legacy_schema") && told.contains("campaign_settings") && told.contains("leads.source"),
        "{told}"
    );
    server_sql(&format!("DROP SCHEMA {schema} CASCADE")).unwrap();
    assert!(run(&["import", "books.jsonl", "--legacy", "postgres://localhost/x"]).failed(2).contains("--legacy"));
}
