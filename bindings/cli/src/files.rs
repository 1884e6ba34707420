//! Files that the program writes: there whole or not at all, and never over another one unasked.

use std::io::{Error, ErrorKind, Write};
use std::path::{Path, PathBuf};

use leadledger::InvalidInput;
use leadledger_facade::write_file;

use crate::errors::Failure;

/// Where something goes.
pub(crate) enum Target {
    Stdout,
    File { path: PathBuf, force: bool },
}

impl Target {
    /// `-` is stdout. Refuses a file that is there, without `force`, before any work is done.
    pub(crate) fn of(text: &str, force: bool) -> Result<Self, Failure> {
        if text == "-" {
            return Ok(Self::Stdout);
        }
        let path = PathBuf::from(text);
        if !force && path.exists() {
            return Err(exists(&path));
        }
        Ok(Self::File { path, force })
    }

    pub(crate) const fn is_stdout(&self) -> bool {
        matches!(self, Self::Stdout)
    }

    /// Writes with `write`: into a file beside, which takes the name only once it is whole and on the disk.
    pub(crate) fn write<T>(&self, write: impl FnOnce(&mut dyn Write) -> Result<T, Failure>) -> Result<T, Failure> {
        let Self::File { path, force } = self else {
            let mut out = Noting { out: std::io::stdout().lock(), fault: None };
            let written = write(&mut out);
            let flushed = out.flush();
            // An export tells only the text of what happened to its output.
            return match out.fault {
                Some(kind) => Err(Failure::Output(Error::from(kind))),
                None => written.and_then(|written| Ok(flushed.map(|()| written)?)),
            };
        };
        write_file(path, *force, write)
    }
}

fn exists(path: &Path) -> Failure {
    let what = format!("{} is there already; --force writes over it", path.display());
    InvalidInput::new("file_exists", "out", what).into()
}

/// Remembers why it could not write: who has had enough of a pipe is no fault.
struct Noting<W> {
    out: W,
    fault: Option<ErrorKind>,
}

impl<W: Write> Noting<W> {
    fn note<T>(&mut self, done: std::io::Result<T>) -> std::io::Result<T> {
        done.inspect_err(|fault| {
            if fault.kind() != ErrorKind::Interrupted {
                self.fault = Some(fault.kind());
            }
        })
    }
}

impl<W: Write> Write for Noting<W> {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        let done = self.out.write(bytes);
        self.note(done)
    }

    fn flush(&mut self) -> std::io::Result<()> {
        let done = self.out.flush();
        self.note(done)
    }
}
