//! A real server: it starts, crashes, comes back, offers TLS, asks for passwords, and dies with its parent.

#![allow(clippy::unwrap_used)]

use std::io::{BufRead, BufReader};
use std::net::SocketAddr;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use leadledger_testbed::{Cluster, DATABASE, Fault, PASSWORD_ROLE, Pooler, SUPERUSER, Stop, Wire};

/// Set in the child of `it_dies_with_its_parent`: the folder to start a server in.
const CHILD: &str = "LEADLEDGER_TESTBED_CHILD";

fn address(port: u16) -> SocketAddr {
    ([127, 0, 0, 1], port).into()
}

fn connect(port: u16) -> Wire {
    Wire::connect(address(port), SUPERUSER, DATABASE).unwrap()
}

fn one(wire: &mut Wire, sql: &str) -> String {
    wire.query(sql).unwrap().remove(0).remove(0).unwrap()
}

#[test]
fn it_keeps_what_it_acknowledged() {
    let folder = tempfile::tempdir().unwrap();
    let start = Instant::now();
    let mut cluster = Cluster::start(folder.path()).unwrap();
    eprintln!("{} started within {:?}", cluster.version(), start.elapsed());
    assert_eq!(cluster.url(), format!("postgres://leadledger@127.0.0.1:{}/leadledger", cluster.port()));
    assert!(cluster.is_running());

    let mut wire = connect(cluster.port());
    for (setting, value) in
        [("fsync", "on"), ("synchronous_commit", "on"), ("full_page_writes", "on"), ("max_connections", "200")]
    {
        assert_eq!(one(&mut wire, &format!("SHOW {setting}")), value);
    }
    assert_eq!(
        one(&mut wire, "SELECT datcollate || datlocprovider::text FROM pg_database WHERE datname = 'leadledger'"),
        "Cc"
    );
    wire.query("CREATE TABLE t (i int)").unwrap();
    for (number, stop) in (1..).zip([None, Some(Stop::Immediate), Some(Stop::Fast)]) {
        wire.query(&format!("INSERT INTO t VALUES ({number})")).unwrap();
        match stop {
            None => cluster.kill().unwrap(),
            Some(stop) => cluster.stop(stop).unwrap(),
        }
        assert!(!cluster.is_running());
        assert!(wire.query("SELECT 1").is_err());
        cluster.restart().unwrap();
        wire = connect(cluster.port());
        assert_eq!(one(&mut wire, "SELECT count(*) FROM t"), number.to_string());
    }

    let url = cluster.url();
    drop(cluster);
    let again = Cluster::start(folder.path()).unwrap();
    assert_eq!(one(&mut connect(again.port()), "SELECT count(*) FROM t"), "3");
    assert_eq!(url.rsplit('/').next(), again.url().rsplit('/').next());
}

#[test]
fn tls_and_passwords() {
    let folder = tempfile::tempdir().unwrap();
    let cluster = Cluster::start(folder.path()).unwrap();
    let offered = Wire::offers_tls(address(cluster.port())).unwrap();
    assert_eq!(offered, cluster.ca_file().is_some(), "{}", cluster.version());
    assert!(offered || !cluster.version().contains("Debian"), "Debian's server has TLS");
    assert_eq!(offered, cluster.tls_url().is_some());
    assert_eq!(offered, cluster.tls_host() == Some("localhost"));

    let refused = Wire::connect(address(cluster.port()), PASSWORD_ROLE, DATABASE).unwrap_err();
    assert_eq!(refused, Fault::Unusable("the server asks with_password for a password".to_owned()));
    let nobody = Wire::connect(address(cluster.port()), "no_such_role", DATABASE).unwrap_err();
    assert!(matches!(nobody, Fault::Refused { code, .. } if code == "28000"));
}

#[test]
fn the_pooler_shares_connections() {
    let folder = tempfile::tempdir().unwrap();
    let cluster = Cluster::start(&folder.path().join("cluster")).unwrap();
    connect(cluster.port()).query("CREATE ROLE one LOGIN; CREATE ROLE two LOGIN").unwrap();
    let pooler = Pooler::start(&folder.path().join("pooler"), &cluster.url(), &["one"]).unwrap();
    assert_eq!(pooler.url_as("one"), format!("postgres://one@127.0.0.1:{}/leadledger", pooler.port()));

    let through = |role: &str| Wire::connect(address(pooler.port()), role, DATABASE);
    // The password is the pooler's to give.
    for role in ["one", SUPERUSER, PASSWORD_ROLE] {
        assert_eq!(one(&mut through(role).unwrap(), "SELECT current_user"), role);
    }
    assert!(through("two").is_err());
    pooler.add_role("two").unwrap();
    let start = Instant::now();
    while through("two").is_err() {
        assert!(start.elapsed() < Duration::from_secs(10));
        std::thread::sleep(Duration::from_millis(10));
    }

    // Fifty clients at once have no more than ten server connections, and a setting of one is seen by others.
    let mut clients: Vec<Wire> = (0..50).map(|_| through("one").unwrap()).collect();
    clients[0].query("SET lock_timeout = '1234ms'").unwrap();
    let seen = clients.iter_mut().map(|wire| one(wire, "SHOW lock_timeout")).filter(|value| value == "1234ms").count();
    assert!(seen > 0);
    let servers = "SELECT count(*) FROM pg_stat_activity WHERE usename = 'one'";
    assert!(one(&mut connect(cluster.port()), servers).parse::<u32>().unwrap() <= 10);
}

#[test]
fn the_pooler_speaks_tls() {
    let folder = tempfile::tempdir().unwrap();
    let cluster = Cluster::start(&folder.path().join("cluster")).unwrap();
    let pooler = Pooler::start_tls(&folder.path().join("pooler"), &cluster.url(), &[]).unwrap();
    assert!(Wire::offers_tls(address(pooler.port())).unwrap());
    assert!(Wire::connect(address(pooler.port()), SUPERUSER, DATABASE).is_err(), "a plain client");
    let expected = format!(
        "postgres://leadledger@localhost:{}/leadledger?sslmode=verify-full&sslrootcert={}",
        pooler.port(),
        pooler.ca_file().unwrap().display()
    );
    assert_eq!(pooler.url(), expected);
}

#[test]
fn it_dies_with_its_parent() {
    if let Some(folder) = std::env::var_os(CHILD) {
        let cluster = Cluster::start(folder.as_ref()).unwrap();
        println!("\nport {}", cluster.port());
        std::thread::sleep(Duration::from_mins(10));
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let mut child = Command::new(std::env::current_exe().unwrap())
        .args(["it_dies_with_its_parent", "--exact", "--nocapture"])
        .env(CHILD, folder.path())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
    let port = lines.find_map(|line| line.unwrap().strip_prefix("port ")?.parse().ok()).unwrap();
    connect(port);
    // SIGKILL.
    child.kill().unwrap();
    child.wait().unwrap();
    let start = Instant::now();
    // Its pid file goes last.
    while folder.path().join("data/postmaster.pid").exists() {
        assert!(start.elapsed() < Duration::from_secs(20));
        std::thread::sleep(Duration::from_millis(10));
    }
    eprintln!("gone {:?} after its parent", start.elapsed());
    assert!(Wire::connect(address(port), SUPERUSER, DATABASE).is_err());
}
