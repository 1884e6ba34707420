//! As much of PostgreSQL's protocol as it takes to ask whether a server answers, and to test the proxy. Not a client:
//! no TLS, no passwords.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::time::Duration;

use crate::fault::{Fault, Trying};

const PROTOCOL: i32 = 196_608;
const SSL_REQUEST: i32 = 80_877_103;
const WITHIN: Duration = Duration::from_secs(30);

/// The cells of one row; `None` is NULL.
pub type Row = Vec<Option<String>>;

/// A plain connection of a role that the server trusts.
#[derive(Debug)]
pub struct Wire {
    stream: TcpStream,
}

impl Wire {
    /// Connects and waits until the server is ready for queries.
    pub fn connect(address: SocketAddr, role: &str, database: &str) -> Result<Self, Fault> {
        let mut wire = Self::open(address)?;
        let mut body = PROTOCOL.to_be_bytes().to_vec();
        for text in ["user", role, "database", database, ""] {
            body.extend_from_slice(text.as_bytes());
            body.push(0);
        }
        wire.send_untagged(&body)?;
        loop {
            match wire.receive()? {
                (b'E', body) => return Err(refusal(&body)),
                (b'R', body) if body.get(..4) != Some(&[0; 4]) => {
                    return Err(Fault::Unusable(format!("the server asks {role} for a password")));
                }
                (b'Z', _) => return Ok(wire),
                _ => {}
            }
        }
    }

    /// Whether the server would speak TLS.
    pub fn offers_tls(address: SocketAddr) -> Result<bool, Fault> {
        let mut wire = Self::open(address)?;
        wire.send_untagged(&SSL_REQUEST.to_be_bytes())?;
        let mut answer = [0];
        wire.stream.read_exact(&mut answer).trying("the answer about TLS")?;
        Ok(answer == *b"S")
    }

    fn open(address: SocketAddr) -> Result<Self, Fault> {
        let what = || format!("connect to {address}");
        let stream = TcpStream::connect_timeout(&address, WITHIN).trying(what())?;
        stream.set_read_timeout(Some(WITHIN)).trying(what())?;
        stream.set_nodelay(true).trying(what())?;
        Ok(Self { stream })
    }

    /// The rows of a simple query, of all its statements.
    pub fn query(&mut self, sql: &str) -> Result<Vec<Row>, Fault> {
        self.send(&[(b'Q', &zero_ended(sql))])?;
        self.answer()
    }

    /// Sends messages in one write.
    pub fn send(&mut self, messages: &[(u8, &[u8])]) -> Result<(), Fault> {
        let mut bytes = Vec::new();
        for (tag, body) in messages {
            bytes.push(*tag);
            bytes.extend_from_slice(&length_of(body)?.to_be_bytes());
            bytes.extend_from_slice(body);
        }
        self.stream.write_all(&bytes).trying("send to the server")
    }

    /// Reads up to the next "ready for query": the rows until then, or the first error.
    pub fn answer(&mut self) -> Result<Vec<Row>, Fault> {
        let (mut rows, mut refused) = (Vec::new(), None);
        loop {
            match self.receive()? {
                (b'D', body) => rows.push(row(&body)),
                (b'E', body) => {
                    refused.get_or_insert_with(|| refusal(&body));
                }
                (b'Z', _) => return refused.map_or(Ok(rows), Err),
                _ => {}
            }
        }
    }

    /// The next message: its tag and body.
    pub fn receive(&mut self) -> Result<(u8, Vec<u8>), Fault> {
        let mut head = [0; 5];
        self.stream.read_exact(&mut head).trying("read from the server")?;
        let [tag, length @ ..] = head;
        let length = usize::try_from(u32::from_be_bytes(length)).unwrap_or_default();
        let mut body = vec![0; length.saturating_sub(4)];
        self.stream.read_exact(&mut body).trying("read from the server")?;
        Ok((tag, body))
    }

    fn send_untagged(&mut self, body: &[u8]) -> Result<(), Fault> {
        let mut bytes = length_of(body)?.to_be_bytes().to_vec();
        bytes.extend_from_slice(body);
        self.stream.write_all(&bytes).trying("send to the server")
    }
}

/// Text as the protocol writes it.
pub fn zero_ended(text: &str) -> Vec<u8> {
    let mut bytes = text.as_bytes().to_vec();
    bytes.push(0);
    bytes
}

fn length_of(body: &[u8]) -> Result<u32, Fault> {
    u32::try_from(body.len() + 4).map_err(|_| Fault::Unusable("a message is too long".to_owned()))
}

fn row(body: &[u8]) -> Row {
    let mut cells = Vec::new();
    let mut rest = body.get(2..).unwrap_or_default();
    while let Some((length, after)) = rest.split_first_chunk() {
        let Ok(length) = usize::try_from(i32::from_be_bytes(*length)) else {
            cells.push(None);
            rest = after;
            continue;
        };
        let (cell, after) = after.split_at_checked(length).unwrap_or((after, &[]));
        cells.push(Some(String::from_utf8_lossy(cell).into_owned()));
        rest = after;
    }
    cells
}

fn refusal(body: &[u8]) -> Fault {
    let field = |wanted: u8| {
        let found = body.split(|byte| *byte == 0).find(|field| field.first() == Some(&wanted));
        found.and_then(|field| field.get(1..)).map(|text| String::from_utf8_lossy(text).into_owned())
    };
    Fault::Refused { code: field(b'C').unwrap_or_default(), message: field(b'M').unwrap_or_default() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_and_refusals() {
        let body = [&[0, 3][..], &[0, 0, 0, 2], b"ab", &[255; 4], &[0, 0, 0, 0]].concat();
        assert_eq!(row(&body), [Some("ab".to_owned()), None, Some(String::new())]);
        let body = b"SFATAL\0C57P03\0Mstarting up\0\0";
        assert_eq!(refusal(body), Fault::Refused { code: "57P03".to_owned(), message: "starting up".to_owned() });
    }
}
