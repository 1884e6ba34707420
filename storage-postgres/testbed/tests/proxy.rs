//! The proxy cuts where it is told and counts what passes, in front of a server made of a few lines and of a real one.

#![allow(clippy::unwrap_used)]

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, mpsc};
use std::time::Duration;

use leadledger_testbed::{Cut, DATABASE, Proxy, SUPERUSER, Side, Which, Wire, server, zero_ended};

/// Says that it is ready, then answers each Query and Sync with "complete" and "ready", and counts what it got.
struct Fake {
    address: SocketAddr,
    got: Arc<AtomicU64>,
}

const READY: &[u8] = b"Z\0\0\0\x05I";
const COMPLETE: &[u8] = b"C\0\0\0\x09DONE\0";

impl Fake {
    fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let got = Arc::new(AtomicU64::new(0));
        let counts = Arc::clone(&got);
        std::thread::spawn(move || {
            for stream in listener.incoming() {
                let got = Arc::clone(&counts);
                std::thread::spawn(move || serve(stream.unwrap(), &got));
            }
        });
        Self { address, got }
    }

    fn got(&self) -> u64 {
        self.got.load(Ordering::SeqCst)
    }

    /// Waits: what a cut connection had sent before arrives in its own time.
    fn gets(&self, messages: u64) {
        for _ in 0..1000 {
            if self.got() == messages {
                return;
            }
            std::thread::sleep(Duration::from_millis(5));
        }
        assert_eq!(self.got(), messages);
    }
}

/// Reads what has a length; `None` at the end.
fn message(stream: &mut TcpStream, tagged: bool) -> Option<u8> {
    let mut head = vec![0; 4 + usize::from(tagged)];
    stream.read_exact(&mut head).ok()?;
    let length = u32::from_be_bytes(head[head.len() - 4..].try_into().unwrap());
    stream.read_exact(&mut vec![0; usize::try_from(length).unwrap() - 4]).ok()?;
    Some(head[0])
}

fn serve(mut stream: TcpStream, got: &AtomicU64) -> Option<()> {
    message(&mut stream, false)?;
    stream.write_all(b"R\0\0\0\x08\0\0\0\0").ok()?;
    stream.write_all(READY).ok()?;
    loop {
        let tag = message(&mut stream, true)?;
        got.fetch_add(1, Ordering::SeqCst);
        if matches!(tag, b'Q' | b'S') {
            stream.write_all(&[COMPLETE, READY].concat()).ok()?;
        }
    }
}

fn through(proxy: &Proxy) -> Wire {
    Wire::connect(proxy.address(), SUPERUSER, DATABASE).unwrap()
}

/// The tags of what the client gets, until it gets nothing more.
fn tags(wire: &mut Wire) -> String {
    std::iter::from_fn(|| wire.receive().ok()).map(|(tag, _)| char::from(tag)).collect()
}

/// A message of the client: its tag and body.
type Message = (u8, &'static [u8]);

#[test]
fn it_cuts_where_it_is_told() {
    const QUERY: Message = (b'Q', b"x\0");
    const PARSE: Message = (b'P', b"\0\0\0\0");
    const SYNC: Message = (b'S', b"");
    // What is sent in one burst, where it is cut, what the server gets, and what the client gets.
    let cases: [(&[Message], u64, Side, u64, &str); 13] = [
        (&[QUERY], 1, Side::Before, 0, ""),
        (&[QUERY], 1, Side::AfterBeforeAnswer, 1, ""),
        (&[QUERY], 1, Side::MidAnswer(0), 1, ""),
        (&[QUERY], 1, Side::MidAnswer(9), 1, ""),
        (&[QUERY], 1, Side::MidAnswer(10), 1, "C"),
        (&[QUERY], 1, Side::MidAnswer(15), 1, "C"),
        (&[QUERY], 1, Side::MidAnswer(16), 1, "CZ"),
        (&[QUERY], 1, Side::MidAnswer(99), 1, "CZ"),
        // Of three in a burst the answers before the cut come whole.
        (&[QUERY, QUERY, QUERY], 3, Side::AfterBeforeAnswer, 3, "CZCZ"),
        (&[QUERY, QUERY, QUERY], 2, Side::AfterBeforeAnswer, 2, "CZ"),
        (&[PARSE, PARSE, SYNC], 3, Side::AfterBeforeAnswer, 3, ""),
        (&[PARSE, PARSE, SYNC], 2, Side::AfterBeforeAnswer, 2, ""),
        // The client may have to end its burst before there is an answer.
        (&[PARSE, PARSE, SYNC], 1, Side::MidAnswer(12), 3, "C"),
    ];
    for (burst, message, side, got, given) in cases {
        let fake = Fake::start();
        let proxy = Proxy::start(fake.address).unwrap();
        let mut wire = through(&proxy);
        proxy.arm(Cut::at(message, side));
        wire.send(burst).unwrap();
        assert_eq!(tags(&mut wire), given, "{burst:?} {message} {side:?}");
        fake.gets(got);
        assert_eq!((proxy.frontend_messages(), proxy.cuts(), proxy.armed()), (got, 1, 0), "{side:?}");
        // Once only.
        through(&proxy).query("x").unwrap();
        assert_eq!(proxy.cuts(), 1);
    }
}

#[test]
fn between_two_messages() {
    for (side, got) in [(Side::Before, 1), (Side::After, 2)] {
        let fake = Fake::start();
        let proxy = Proxy::start(fake.address).unwrap();
        let mut wire = through(&proxy);
        proxy.arm(Cut::at(2, side));
        wire.query("x").unwrap();
        assert!(wire.query("x").is_err());
        fake.gets(got);
        assert_eq!(proxy.cuts(), 1);
    }
}

#[test]
fn it_cuts_the_connection_that_is_meant() {
    let fake = Fake::start();
    let proxy = Proxy::start(fake.address).unwrap();
    let (mut one, mut two) = (through(&proxy), through(&proxy));
    two.query("x").unwrap();
    proxy.arm(Cut { connection: Which::Number(2), message: 2, side: Side::Before });
    proxy.arm(Cut { connection: Which::NextNew, message: 1, side: Side::Before });
    for _ in 0..3 {
        one.query("x").unwrap();
    }
    two.query("x").unwrap();
    assert!(two.query("x").is_err());
    assert_eq!((proxy.cuts(), proxy.armed()), (1, 1));
    assert!(through(&proxy).query("x").is_err());
    through(&proxy).query("x").unwrap();
    one.query("x").unwrap();
    assert_eq!((proxy.cuts(), proxy.armed(), proxy.connections()), (2, 0, 4));

    proxy.arm(Cut::at(1, Side::Before));
    proxy.disarm();
    one.query("x").unwrap();
    proxy.sever_all();
    assert!(one.query("x").is_err());
    through(&proxy).query("x").unwrap();
}

#[test]
fn it_holds_and_releases() {
    let fake = Fake::start();
    let proxy = Proxy::start(fake.address).unwrap();
    let mut old = through(&proxy);
    proxy.hold();
    let (done, waits) = mpsc::channel();
    let address = proxy.address();
    let (old_done, new_done) = (done.clone(), done);
    std::thread::spawn(move || old_done.send(old.query("x").is_ok()).unwrap());
    std::thread::spawn(move || {
        new_done.send(Wire::connect(address, SUPERUSER, DATABASE).unwrap().query("x").is_ok()).unwrap();
    });
    assert!(waits.recv_timeout(Duration::from_millis(300)).is_err());
    assert_eq!(fake.got(), 0);
    proxy.release();
    for _ in 0..2 {
        assert!(waits.recv_timeout(Duration::from_secs(10)).unwrap());
    }
    // A connection that is held can be severed all the same.
    let mut held = through(&proxy);
    proxy.hold();
    held.send(&[(b'Q', b"x\0")]).unwrap();
    proxy.sever_all();
    assert_eq!(tags(&mut held), "");
}

#[test]
fn round_trips_of_a_real_server() {
    let server = server().unwrap();
    let upstream: SocketAddr = server.url().split(['@', '/']).nth(3).unwrap().parse().unwrap();
    let proxy = Proxy::start(upstream).unwrap();
    let mut wire = through(&proxy);
    assert_eq!((proxy.round_trips(), proxy.frontend_messages()), (0, 0));
    wire.query("SELECT 1").unwrap();
    wire.query("SELECT generate_series(1, 100000)").unwrap();
    assert_eq!((proxy.round_trips(), proxy.frontend_messages()), (2, 2));

    let parse = [&b"\0"[..], &zero_ended("SELECT 7"), &[0, 0]].concat();
    let (bind, execute) = ([0; 8], [0; 5]);
    let statement: [(u8, &[u8]); 4] = [(b'P', &parse), (b'B', &bind), (b'E', &execute), (b'S', b"")];
    wire.send(&statement).unwrap();
    assert_eq!(wire.answer().unwrap(), [[Some("7".to_owned())]]);
    assert_eq!((proxy.round_trips(), proxy.frontend_messages()), (3, 6));

    // Two statements, each with its Sync, in one burst: one round trip.
    wire.send(&[statement, statement].concat()).unwrap();
    wire.answer().unwrap();
    wire.answer().unwrap();
    assert_eq!((proxy.round_trips(), proxy.frontend_messages()), (4, 14));

    // Flush asks for answers too.
    wire.send(&[(b'P', &parse), (b'H', b"")]).unwrap();
    assert_eq!(wire.receive().unwrap().0, b'1');
    wire.send(&statement[1..]).unwrap();
    wire.answer().unwrap();
    assert_eq!(proxy.round_trips(), 6);

    // Copying in is two: the server says that it is ready for the data.
    wire.query("CREATE TEMP TABLE t (i int)").unwrap();
    wire.send(&[(b'Q', b"COPY t FROM STDIN\0")]).unwrap();
    assert_eq!(wire.receive().unwrap().0, b'G');
    wire.send(&[(b'd', b"1\n2\n"), (b'c', b"")]).unwrap();
    wire.answer().unwrap();
    assert_eq!(wire.query("SELECT count(*) FROM t").unwrap(), [[Some("2".to_owned())]]);
    assert_eq!(proxy.round_trips(), 10);
    wire.send(&[(b'X', b"")]).unwrap();
    assert_eq!((tags(&mut wire).as_str(), proxy.round_trips()), ("", 10));
}

#[test]
fn a_lost_acknowledgement_of_a_real_server() {
    let server = server().unwrap();
    let upstream: SocketAddr = server.url().split(['@', '/']).nth(3).unwrap().parse().unwrap();
    let proxy = Proxy::start(upstream).unwrap();
    let mut wire = through(&proxy);
    wire.query("CREATE TABLE lost (i int)").unwrap();
    for (side, there) in [(Side::Before, 0), (Side::AfterBeforeAnswer, 1), (Side::MidAnswer(5), 1)] {
        let mut wire = through(&proxy);
        proxy.arm(Cut::at(3, side));
        wire.query("BEGIN").unwrap();
        wire.query("INSERT INTO lost VALUES (1)").unwrap();
        assert!(wire.query("COMMIT").is_err(), "{side:?}");
        let rows = through(&proxy).query("SELECT count(*) FROM lost").unwrap();
        assert_eq!(rows, [[Some(there.to_string())]], "{side:?}");
        through(&proxy).query("TRUNCATE lost").unwrap();
    }
    wire.query("DROP TABLE lost").unwrap();
    let url = proxy.url(server.url()).unwrap();
    assert_eq!(url, format!("postgres://leadledger@{}/leadledger?sslmode=disable", proxy.address()));
}
