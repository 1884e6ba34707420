//! A subscriber's acknowledgement over connections that break: it is there once, and the reader is never told that
//! somebody else has moved it.

#![allow(clippy::unwrap_used, missing_docs)]

mod common;

use std::net::{SocketAddr, ToSocketAddrs};

use common::{Schema, direct, pooled, settle};
use leadledger::{DepositId, Ledger, MerchantId, OpenDeposit, Options, SystemClock, TopUpDeposit};
use leadledger_postgres::PostgresStore;
use leadledger_testbed::{Cut, Proxy, Side};

fn proxy_to(url: &str) -> Proxy {
    let (_, place) = url.rsplit_once('@').unwrap();
    let place = place.split(['/', '?']).next().unwrap();
    let place = if place.contains(':') { place.to_owned() } else { format!("{place}:5432") };
    let upstream: SocketAddr = place.to_socket_addrs().unwrap().next().unwrap();
    Proxy::start(upstream).unwrap()
}

/// Cuts the connection at every message of an acknowledgement: the first one of a name, and a later one.
fn cut_everywhere(url: &str, sides: &[Side]) {
    let schema = Schema::reached_by(url);
    let (merchant, deposit) = (MerchantId::generate(), DepositId::generate());
    let elsewhere = schema.ledger();
    let mut opened = OpenDeposit::new(merchant, "5000.00".parse().unwrap());
    opened.deposit = Some(deposit);
    elsewhere.open_deposit(opened).wait().unwrap();
    for _ in 0..3 {
        elsewhere.top_up(TopUpDeposit::new(merchant, deposit, "100.00".parse().unwrap())).wait().unwrap();
    }
    settle();
    let proxy = proxy_to(url);
    let store = PostgresStore::open_with(&proxy.url(&schema.url).unwrap(), schema.options()).unwrap();
    let ledger = Ledger::with(store, SystemClock, Options::default()).unwrap();
    let (mut unknown, mut noticed) = (0, 0);
    for (n, side) in sides.iter().enumerate() {
        for message in 1.. {
            let name = format!("reader {n} {message}");
            let subscription = ledger.subscribe(&*name).wait().unwrap();
            let mut was_cut = false;
            for seq in 1..3 {
                assert_eq!(subscription.next(1).wait().unwrap()[0].seq, seq);
                proxy.arm(Cut::at(message, *side));
                let mut outcome = subscription.ack().wait();
                was_cut |= proxy.armed() == 0;
                proxy.disarm();
                while let Err(fault) = &outcome {
                    assert!(fault.is_transient(), "{name}: {fault}");
                    noticed += 1;
                    unknown += usize::from(fault.code() == "store_outcome_unknown");
                    outcome = subscription.ack().wait();
                }
                let after = elsewhere.subscribe(&*name).wait().unwrap().next(1).wait().unwrap();
                assert_eq!(after[0].seq, seq + 1, "{name}");
            }
            if !was_cut {
                break;
            }
        }
    }
    println!("follow: {} cuts, {noticed} noticed by the reader, {unknown} of them unknown", proxy.cuts());
    assert!(unknown > 0 && proxy.cuts() > 10);
}

#[test]
fn cuts() {
    cut_everywhere(direct(), &[Side::Before, Side::After, Side::AfterBeforeAnswer, Side::MidAnswer(7)]);
}

#[test]
fn cuts_behind_a_pooler() {
    cut_everywhere(pooled(), &[Side::Before, Side::AfterBeforeAnswer]);
}
