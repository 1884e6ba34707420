//! Where one message ends and the next begins.

use std::io::{ErrorKind, Read};
use std::net::TcpStream;

const READ_BYTES: usize = 256 * 1024;

/// Whole messages out of a stream of bytes.
#[derive(Debug)]
pub(super) struct Messages {
    stream: TcpStream,
    scratch: Vec<u8>,
    bytes: Vec<u8>,
    /// How much of `bytes` was taken.
    taken: usize,
}

impl Messages {
    pub(super) fn of(stream: TcpStream) -> Self {
        Self { stream, scratch: vec![0; READ_BYTES], bytes: Vec::new(), taken: 0 }
    }

    /// The next whole message that is already here.
    pub(super) fn next_here(&mut self, tagged: bool) -> Option<Vec<u8>> {
        let rest = &self.bytes[self.taken..];
        let at = usize::from(tagged);
        let length = u32::from_be_bytes(rest.get(at..at + 4)?.try_into().ok()?);
        // A length counts itself; a shorter one is nonsense that the server shall judge.
        let end = at + usize::try_from(length).ok()?.max(4);
        let message = rest.get(..end)?.to_vec();
        self.taken += end;
        Some(message)
    }

    /// Reads more; `false` at the end.
    pub(super) fn read(&mut self) -> bool {
        self.bytes.drain(..self.taken);
        self.taken = 0;
        let read = loop {
            match self.stream.read(&mut self.scratch) {
                Err(fault) if fault.kind() == ErrorKind::Interrupted => {}
                outcome => break outcome.unwrap_or_default(),
            }
        };
        self.bytes.extend_from_slice(&self.scratch[..read]);
        read > 0
    }

    /// The next message, waited for.
    pub(super) fn next(&mut self, tagged: bool) -> Option<Vec<u8>> {
        loop {
            if let Some(message) = self.next_here(tagged) {
                return Some(message);
            }
            if !self.read() {
                return None;
            }
        }
    }
}
