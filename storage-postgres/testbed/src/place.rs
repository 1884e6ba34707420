//! What every server here needs: a folder that its account can reach, and a port that nobody has.

use std::fs::File;
use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use crate::account;
use crate::fault::{Fault, Trying};
use crate::keeper::{Keeper, last_lines};
use crate::wire::Wire;

/// Recovery after a crash included.
const READY_WITHIN: Duration = Duration::from_mins(1);

/// A server's folder, owned by its account.
#[derive(Debug)]
pub(crate) struct Place {
    pub(crate) folder: PathBuf,
    /// Instead of a folder that the account cannot reach; removed with this value.
    _instead: Option<tempfile::TempDir>,
}

impl Place {
    pub(crate) fn of(folder: &Path) -> Result<Self, Fault> {
        std::fs::create_dir_all(folder).trying(folder.display())?;
        let folder = folder.canonicalize().trying(folder.display())?;
        account::hand_over(&folder)?;
        if account::can_enter(&folder) {
            return Ok(Self { folder, _instead: None });
        }
        let instead = tempfile::Builder::new().prefix("leadledger-").tempdir().trying("a temporary folder")?;
        account::hand_over(instead.path())?;
        Ok(Self { folder: instead.path().to_path_buf(), _instead: Some(instead) })
    }

    /// Writes a file for the server.
    pub(crate) fn write(&self, name: &str, text: &str) -> Result<PathBuf, Fault> {
        let path = self.folder.join(name);
        let file = File::options().write(true).create(true).truncate(true).mode(0o600).open(&path);
        let written = file.and_then(|mut file| std::io::Write::write_all(&mut file, text.as_bytes()));
        written.trying(path.display())?;
        account::hand_over(&path)?;
        Ok(path)
    }
}

pub(crate) fn loopback(port: u16) -> SocketAddr {
    (Ipv4Addr::LOCALHOST, port).into()
}

/// A port that was free a moment ago: somebody else may take it first, so a start is tried again.
pub(crate) fn free_port() -> Result<u16, Fault> {
    let taken = TcpListener::bind(loopback(0)).and_then(|listener| listener.local_addr());
    taken.map(|address| address.port()).trying("a free port")
}

/// Starts on free ports until one is still free when the server takes it.
pub(crate) fn on_free_port<T>(mut start: impl FnMut(u16) -> Result<T, Fault>) -> Result<T, Fault> {
    const TRIES: usize = 5;
    let mut tries = 0;
    loop {
        tries += 1;
        match start(free_port()?) {
            // As PostgreSQL and PgBouncer name it.
            Err(Fault::Program { why, .. }) if tries < TRIES && why.to_lowercase().contains("already in use") => {}
            outcome => return outcome,
        }
    }
}

/// Waits until the server takes the role's queries.
pub(crate) fn ready(
    keeper: &mut Keeper,
    what: &str,
    log: &Path,
    connect: impl Fn() -> Result<(), Fault>,
) -> Result<(), Fault> {
    let start = Instant::now();
    loop {
        let Err(fault) = connect() else {
            return Ok(());
        };
        if !keeper.is_running() {
            return Err(Fault::program(format!("{what} ended"), last_lines(log)));
        }
        if start.elapsed() > READY_WITHIN {
            return Err(Fault::TooLate(format!("{what} is not ready after {READY_WITHIN:?}: {fault}")));
        }
        std::thread::sleep(Duration::from_millis(10));
    }
}

/// Whether queries are answered there.
pub(crate) fn answers(port: u16, role: &str, database: &str) -> Result<(), Fault> {
    Wire::connect(loopback(port), role, database)?.query("SELECT 1").map(drop)
}
