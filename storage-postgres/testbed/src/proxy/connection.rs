//! One connection through the proxy: two threads, one for each direction, and what they know of each other.

use std::collections::VecDeque;
use std::io::Write;
use std::net::{Shutdown, TcpStream};
use std::sync::Arc;

use super::framing::Messages;
use super::{Shared, Side, State};

const SSL_REQUEST: u32 = 80_877_103;
const GSS_REQUEST: u32 = 80_877_104;

#[derive(Debug)]
pub(super) struct Connection {
    /// Both until it is severed.
    client: Option<TcpStream>,
    upstream: Option<TcpStream>,
    severed: bool,
    /// The server was ready once.
    set_up: bool,
    /// Messages passed on since.
    sent: u64,
    /// Messages that the server owes a "ready for query" each.
    owed: VecDeque<u8>,
    /// The client asked for answers without "ready for query".
    flushed: bool,
    /// The client wrote, and has not all its answers.
    in_round_trip: bool,
    withheld: Option<Withheld>,
}

/// An answer that the client shall not get, or not whole.
#[derive(Debug, Clone, Copy)]
struct Withheld {
    /// Answers before it, which it gets.
    answers_before: usize,
    /// Bytes of it that it gets still.
    bytes: usize,
}

impl Connection {
    pub(super) fn of(client: TcpStream) -> Self {
        Self {
            client: Some(client),
            upstream: None,
            severed: false,
            set_up: false,
            sent: 0,
            owed: VecDeque::new(),
            flushed: false,
            in_round_trip: false,
            withheld: None,
        }
    }

    pub(super) fn sent(&self) -> u64 {
        self.sent
    }

    pub(super) fn is_severed(&self) -> bool {
        self.severed
    }

    pub(super) fn sever(&mut self) {
        self.severed = true;
        for stream in [self.client.take(), self.upstream.take()].into_iter().flatten() {
            let _ = stream.shutdown(Shutdown::Both);
        }
    }
}

/// Carries one connection to its end.
pub(super) fn serve(shared: &Arc<Shared>, number: usize, client: &TcpStream) {
    // Nothing remains to be told to a client that goes.
    let _ = carry(shared, number, client);
    if let Some(connection) = shared.state().connections.get_mut(number) {
        connection.sever();
    }
}

fn carry(shared: &Arc<Shared>, number: usize, client: &TcpStream) -> Option<()> {
    client.set_nodelay(true).ok()?;
    drop(shared.flowing(number)?);
    let upstream = TcpStream::connect(shared.upstream).ok()?;
    upstream.set_nodelay(true).ok()?;
    shared.flowing(number)?.connections[number].upstream = Some(upstream.try_clone().ok()?);

    let mut frontend = Messages::of(client.try_clone().ok()?);
    let start = loop {
        let message = frontend.next(false)?;
        let code = message.get(4..8).and_then(|code| code.try_into().ok()).map(u32::from_be_bytes);
        if !matches!(code, Some(SSL_REQUEST | GSS_REQUEST)) {
            break message;
        }
        drop(shared.flowing(number)?);
        (&*client).write_all(b"N").ok()?;
    };
    drop(shared.flowing(number)?);
    (&upstream).write_all(&start).ok()?;

    let backend = std::thread::spawn({
        let (shared, client) = (Arc::clone(shared), client.try_clone().ok()?);
        let messages = Messages::of(upstream.try_clone().ok()?);
        move || {
            let _ = to_client(&shared, number, messages, &client);
            if let Some(connection) = shared.state().connections.get_mut(number) {
                connection.sever();
            }
        }
    });
    if to_server(shared, number, frontend, &upstream).is_none() {
        // A client that has said all it wants may still be owed answers.
        let _ = upstream.shutdown(Shutdown::Write);
    }
    let _ = backend.join();
    Some(())
}

/// Passes the client's messages on: all that came together in one write. `Some` when the rest is up to the other
/// direction.
fn to_server(shared: &Shared, number: usize, mut messages: Messages, mut upstream: &TcpStream) -> Option<()> {
    loop {
        let mut burst = messages.next(true)?;
        let mut state = shared.flowing(number)?;
        let mut cut = state.pass_to_server(number, &burst);
        if cut == Some(Side::Before) {
            burst.clear();
        }
        while cut.is_none() {
            let Some(message) = messages.next_here(true) else { break };
            cut = state.pass_to_server(number, &message);
            if cut != Some(Side::Before) {
                burst.extend_from_slice(&message);
            }
        }
        // A client gets answers only to what was sent, so nobody looks at the state before this is written.
        drop(state);
        upstream.write_all(&burst).ok()?;
        match cut {
            None | Some(Side::MidAnswer(_)) => {}
            Some(Side::Before | Side::After) => {
                shared.state().connections[number].sever();
                return None;
            }
            // The other direction cuts when the answer is there.
            Some(Side::AfterBeforeAnswer) => return Some(()),
        }
    }
}

/// Passes the server's messages on: all that came together in one write.
fn to_client(shared: &Shared, number: usize, mut messages: Messages, mut client: &TcpStream) -> Option<()> {
    loop {
        let mut message = messages.next(true)?;
        let mut state = shared.flowing(number)?;
        let mut given = Vec::new();
        let mut over = false;
        loop {
            let bytes = state.pass_to_client(number, &message, &mut over);
            given.extend_from_slice(message.get(..bytes).unwrap_or(&message));
            if over {
                break;
            }
            match messages.next_here(true) {
                Some(next) => message = next,
                None => break,
            }
        }
        drop(state);
        client.write_all(&given).ok()?;
        if over {
            return None;
        }
    }
}

fn is_answered(tag: u8) -> bool {
    matches!(tag, b'Q' | b'S' | b'F')
}

impl State {
    /// Counts a message of the client that goes to the server, unless the cut says that it does not.
    fn pass_to_server(&mut self, number: usize, message: &[u8]) -> Option<Side> {
        let tag = message.first().copied().unwrap_or_default();
        if !self.connections[number].set_up {
            return None;
        }
        let cut = self.due(number, self.connections[number].sent);
        if cut == Some(Side::Before) {
            return cut;
        }
        let connection = &mut self.connections[number];
        let answers_before = connection.owed.len();
        connection.sent += 1;
        self.frontend_messages += 1;
        // Terminate has no answer.
        if !connection.in_round_trip && tag != b'X' {
            connection.in_round_trip = true;
            self.round_trips += 1;
        }
        connection.flushed |= tag == b'H';
        if is_answered(tag) {
            connection.owed.push_back(tag);
        }
        let bytes = match cut? {
            Side::MidAnswer(bytes) => bytes,
            _ => 0,
        };
        connection.withheld = Some(Withheld { answers_before, bytes });
        match cut {
            Some(Side::AfterBeforeAnswer) if !is_answered(tag) => Some(Side::After),
            // What follows is passed as usual.
            Some(Side::MidAnswer(_)) => None,
            other => other,
        }
    }

    /// How many bytes of the server's message the client gets, and whether the connection is over after it.
    fn pass_to_client(&mut self, number: usize, message: &[u8], over: &mut bool) -> usize {
        let tag = message.first().copied().unwrap_or_default();
        let connection = &mut self.connections[number];
        if !connection.set_up {
            connection.set_up = tag == b'Z';
            return message.len();
        }
        match tag {
            b'Z' => {
                connection.owed.pop_front();
            }
            // The server wants data to copy, and takes no Sync that was sent before it.
            b'G' => {
                connection.owed.pop_front_if(|tag| *tag == b'S');
                connection.in_round_trip = false;
            }
            _ => {}
        }
        if connection.owed.is_empty() && (tag == b'Z' || connection.flushed) {
            connection.flushed = false;
            connection.in_round_trip = false;
        }
        match &mut connection.withheld {
            None => message.len(),
            Some(withheld) if withheld.answers_before > 0 => {
                withheld.answers_before -= usize::from(tag == b'Z');
                message.len()
            }
            Some(withheld) => {
                let bytes = withheld.bytes.min(message.len());
                withheld.bytes -= bytes;
                *over = tag == b'Z';
                bytes
            }
        }
    }
}
