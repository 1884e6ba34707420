//! A proxy that knows where PostgreSQL's messages begin, so that it can cut a connection at an exact point, count
//! round trips, and swallow everything.
//!
//! Connections must be plain: a client that asks for TLS is told that there is none. Messages of a connection's set-up
//! are not counted.

mod connection;
mod framing;

use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;

use crate::fault::{Fault, Trying};
use crate::place::loopback;
use connection::Connection;

/// Which connection to cut.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Which {
    /// The first that comes to the message.
    Any,
    /// The one of that number, counted from 1 as they were accepted.
    Number(usize),
    /// The next that is accepted.
    NextNew,
}

/// Where to cut, seen from the message.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Side {
    /// The server never gets the message.
    Before,
    /// The server gets it, and the connection is cut at once: whether it is carried out shows later.
    After,
    /// The server has answered it; the client gets nothing of the answer. After a message that the server need not
    /// answer yet (all but Query, Sync and FunctionCall) the same as `After`.
    AfterBeforeAnswer,
    /// The server has answered it up to "ready for query"; the client gets the first so many bytes of that, or all if
    /// it is shorter. Later messages of the client pass as long as the server is not ready.
    MidAnswer(usize),
}

/// One cut. Messages of the client are counted from 1, by connection, from when the cut is armed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Cut {
    /// Which connection.
    pub connection: Which,
    /// Which of its messages.
    pub message: u64,
    /// Where exactly.
    pub side: Side,
}

impl Cut {
    /// At that message of whichever connection comes to it first.
    pub fn at(message: u64, side: Side) -> Self {
        Self { connection: Which::Any, message, side }
    }
}

/// A cut that waits for its message.
#[derive(Debug)]
struct Armed {
    cut: Cut,
    /// The connections that there were, each with the messages that it had sent.
    sent: Vec<u64>,
}

/// A proxy in front of one server.
#[derive(Debug)]
pub struct Proxy {
    shared: Arc<Shared>,
    address: SocketAddr,
    acceptor: Option<JoinHandle<()>>,
}

#[derive(Debug)]
struct Shared {
    upstream: SocketAddr,
    state: Mutex<State>,
    released: Condvar,
}

#[derive(Debug, Default)]
struct State {
    closed: bool,
    held: bool,
    armed: Vec<Armed>,
    connections: Vec<Connection>,
    frontend_messages: u64,
    round_trips: u64,
    cuts: u64,
}

impl Proxy {
    /// Listens on 127.0.0.1 and passes everything on to the server, until it is told otherwise.
    pub fn start(upstream: SocketAddr) -> Result<Self, Fault> {
        let listener = TcpListener::bind(loopback(0)).trying("the proxy's port")?;
        let address = listener.local_addr().trying("the proxy's port")?;
        let shared = Arc::new(Shared { upstream, state: Mutex::default(), released: Condvar::new() });
        let acceptor = std::thread::spawn({
            let shared = Arc::clone(&shared);
            move || accept(&listener, &shared)
        });
        Ok(Self { shared, address, acceptor: Some(acceptor) })
    }

    /// Where clients connect.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// The server's URL with the proxy's address in it, and without its options.
    pub fn url(&self, url: &str) -> Result<String, Fault> {
        let target = crate::target::Target::parse(url)?;
        let who = url.split_once("://").and_then(|(_, rest)| rest.split('?').next()?.rsplit_once('@'));
        let who = who.map(|(who, _)| who).unwrap_or_default();
        Ok(format!("postgres://{who}@{}/{}?sslmode=disable", self.address, target.database))
    }

    /// Cuts once, when that comes to pass. Several may wait.
    pub fn arm(&self, cut: Cut) {
        let mut state = self.shared.state();
        let sent = state.connections.iter().map(Connection::sent).collect::<Vec<_>>();
        // Of the next new one, the number is known now.
        let connection = match cut.connection {
            Which::NextNew => Which::Number(sent.len() + 1),
            other => other,
        };
        state.armed.push(Armed { cut: Cut { connection, ..cut }, sent });
    }

    /// Takes back what has not come to pass.
    pub fn disarm(&self) {
        self.shared.state().armed.clear();
    }

    /// Cuts that wait.
    pub fn armed(&self) -> usize {
        self.shared.state().armed.len()
    }

    /// Cuts that came to pass.
    pub fn cuts(&self) -> u64 {
        self.shared.state().cuts
    }

    /// Messages passed on to the server, over all connections.
    pub fn frontend_messages(&self) -> u64 {
        self.shared.state().frontend_messages
    }

    /// How often a client wrote when it had its answers, and so had to wait for another: bursts of messages that the
    /// server answered, over all connections. Two statements sent in one burst are one. (A burst that arrives in
    /// pieces is one as long as the server has not answered all of the piece before.)
    pub fn round_trips(&self) -> u64 {
        self.shared.state().round_trips
    }

    /// Connections accepted so far.
    pub fn connections(&self) -> usize {
        self.shared.state().connections.len()
    }

    /// Ends every connection; new ones are taken.
    pub fn sever_all(&self) {
        let mut state = self.shared.state();
        state.connections.iter_mut().for_each(Connection::sever);
        drop(state);
        self.shared.released.notify_all();
    }

    /// Passes nothing on in either direction, and lets new connections wait: a black hole.
    pub fn hold(&self) {
        self.shared.state().held = true;
    }

    /// Ends `hold`: what was sent meanwhile is passed on.
    pub fn release(&self) {
        self.shared.state().held = false;
        self.shared.released.notify_all();
    }
}

impl Drop for Proxy {
    fn drop(&mut self) {
        self.shared.state().closed = true;
        self.sever_all();
        // Wakes the acceptor.
        drop(TcpStream::connect(self.address));
        if let Some(acceptor) = self.acceptor.take() {
            let _ = acceptor.join();
        }
    }
}

impl Shared {
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The state once nothing is held; `None` when the connection is over.
    fn flowing(&self, connection: usize) -> Option<MutexGuard<'_, State>> {
        let over = |state: &State| state.closed || state.connections[connection].is_severed();
        let state = self.released.wait_while(self.state(), |state| state.held && !over(state));
        let state = state.unwrap_or_else(PoisonError::into_inner);
        (!over(&state)).then_some(state)
    }
}

impl State {
    /// The cut, if one is armed for the message that the connection is about to send; it is then spent.
    fn due(&mut self, connection: usize, sent: u64) -> Option<Side> {
        let due = |armed: &Armed| {
            let meant = match armed.cut.connection {
                Which::Number(number) => number == connection + 1,
                Which::Any | Which::NextNew => true,
            };
            let before = armed.sent.get(connection).copied().unwrap_or_default();
            meant && sent + 1 == before + armed.cut.message
        };
        let place = self.armed.iter().position(due)?;
        self.cuts += 1;
        Some(self.armed.remove(place).cut.side)
    }
}

fn accept(listener: &TcpListener, shared: &Arc<Shared>) {
    for client in listener.incoming() {
        let mut state = shared.state();
        if state.closed {
            return;
        }
        let Ok(client) = client else { continue };
        let Ok(ours) = client.try_clone() else { continue };
        let number = state.connections.len();
        state.connections.push(Connection::of(ours));
        drop(state);
        let shared = Arc::clone(shared);
        std::thread::spawn(move || connection::serve(&shared, number, &client));
    }
}
