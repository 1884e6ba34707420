//! The server that a process shares.

#![allow(clippy::unwrap_used)]

use leadledger_testbed::{DATABASE, SUPERUSER, Wire, server};

fn query(url: &str, sql: &str) -> String {
    let place = url.split('@').nth(1).unwrap().split('/').next().unwrap();
    let mut wire = Wire::connect(place.parse().unwrap(), SUPERUSER, DATABASE).unwrap();
    wire.query(sql).unwrap().remove(0).remove(0).unwrap()
}

#[test]
fn three_ways_lead_to_one_server() {
    let server = server().unwrap();
    let by = "SELECT system_identifier FROM pg_control_system()";
    assert_eq!(query(server.url(), by), query(server.pooled_url().unwrap(), by));
    let tls = server.tls_url().unwrap();
    assert!(tls.contains("@localhost:") && tls.contains("sslmode=verify-full&sslrootcert="), "{tls}");
    let (_, authority) = tls.split_once("sslrootcert=").unwrap();
    assert!(std::fs::read_to_string(authority).unwrap().starts_with("-----BEGIN CERTIFICATE-----"));
}

#[test]
fn it_is_the_same_for_all() {
    assert_eq!(server().unwrap().url(), server().unwrap().url());
    assert_eq!(server().unwrap().pooled_url(), server().unwrap().pooled_url());
}
