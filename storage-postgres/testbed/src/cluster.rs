//! A private PostgreSQL server that can be killed and started again.

use std::fs::File;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use crate::account;
use crate::fault::{Fault, Trying};
use crate::home;
use crate::keeper::{Keeper, Kept, output};
use crate::place::{self, Place};
use crate::processes;
use crate::tls::{self, Certificates};
use crate::tools::{self, ServerPrograms};

/// The superuser.
pub const SUPERUSER: &str = "leadledger";
/// The database.
pub const DATABASE: &str = "leadledger";
/// The role that must give a password, by SCRAM.
pub const PASSWORD_ROLE: &str = "with_password";
/// Its password.
pub const PASSWORD: &str = "testbed-password";

/// A port, where one must be named.
const UNUSED: u16 = 1;
const STOPS_WITHIN: Duration = Duration::from_secs(30);

/// How a server is stopped.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stop {
    /// Transactions are rolled back, and all is written.
    Fast,
    /// Nothing is written; the next start recovers.
    Immediate,
}

/// A server with durable settings, in a folder of its own. Only its superuser and `with_password` exist; on the
/// loopback every role is trusted but `with_password`. It dies with this process, however that ends.
#[derive(Debug)]
pub struct Cluster {
    programs: ServerPrograms,
    place: Place,
    port: u16,
    authority: Option<PathBuf>,
    lock: Option<File>,
    keeper: Keeper,
}

impl Cluster {
    /// Starts the server whose data is in the folder; an empty one is initialised first. The folder comes to belong
    /// to the server's account. As root, where that account cannot reach it, a temporary folder takes its place,
    /// which is removed with the cluster (`folder` tells).
    pub fn start(folder: &Path) -> Result<Self, Fault> {
        Self::begin(folder, None)
    }

    /// With a folder that is removed when this process has gone.
    pub(crate) fn start_throwaway(folder: &Path, lock: &File) -> Result<Self, Fault> {
        Self::begin(folder, Some(lock.try_clone().trying("the run's lock")?))
    }

    fn begin(folder: &Path, lock: Option<File>) -> Result<Self, Fault> {
        let programs = tools::server_programs()?;
        let place = Place::of(folder)?;
        let data = place.folder.join("data");
        if !data.join("PG_VERSION").exists() {
            let template = template(&programs)?;
            let mut copy = Command::new("cp");
            copy.arg("-a").arg(template.join("data")).arg(&data).current_dir(&place.folder);
            output(account::run_as(&mut copy))?;
        }
        let certificates = Certificates::of(&place.folder)?;
        place.write("data/pg_hba.conf", &trust())?;
        place.write("data/postgresql.conf", &settings(&place.folder, UNUSED, Some(&certificates)))?;
        // It only tells a setting, and listens nowhere.
        let mut ask = Command::new(programs.program("postgres"));
        ask.args(["-C", "ssl", "-D"]).arg(&data).current_dir(&place.folder);
        // Built without OpenSSL, it refuses the setting.
        let tls = output(account::run_as(&mut ask)).is_ok().then_some(certificates);

        let (port, keeper) = place::on_free_port(|port| {
            place.write("data/postgresql.conf", &settings(&place.folder, port, tls.as_ref()))?;
            Ok((port, launch(&programs, &place, port, lock.as_ref())?))
        })?;
        Ok(Self { programs, place, port, authority: tls.map(|files| files.authority), lock, keeper })
    }

    /// Of the superuser, over TCP.
    pub fn url(&self) -> String {
        self.connect_as(SUPERUSER, None)
    }

    /// Of another role; the password is taken as it is (letters, digits and `-` only).
    pub fn connect_as(&self, role: &str, password: Option<&str>) -> String {
        let password = password.map(|password| format!(":{password}")).unwrap_or_default();
        format!("postgres://{role}{password}@127.0.0.1:{}/{DATABASE}", self.port)
    }

    /// Of the superuser over TLS, with the certificate verified; `None` where the server was built without TLS.
    pub fn tls_url(&self) -> Option<String> {
        self.ca_file().map(|authority| tls::url(SUPERUSER, self.port, DATABASE, authority))
    }

    /// On 127.0.0.1; the same after a restart.
    pub fn port(&self) -> u16 {
        self.port
    }

    /// The certificate of the authority that signed the server's; `None` where the server was built without TLS.
    pub fn ca_file(&self) -> Option<&Path> {
        self.authority.as_deref()
    }

    /// The host name in the server's certificate; `None` where the server was built without TLS.
    pub fn tls_host(&self) -> Option<&'static str> {
        self.authority.as_ref().map(|_| tls::HOST)
    }

    /// Where its data, its socket and its log are.
    pub fn folder(&self) -> &Path {
        &self.place.folder
    }

    /// What the server wrote since the folder exists.
    pub fn log(&self) -> PathBuf {
        log(&self.place)
    }

    /// What `postgres --version` says.
    pub fn version(&self) -> &str {
        &self.programs.version
    }

    /// Kills the server and all its backends with SIGKILL: a crash.
    pub fn kill(&mut self) -> Result<(), Fault> {
        let file = self.place.folder.join("data/postmaster.pid");
        let text = std::fs::read_to_string(&file).trying(file.display())?;
        let postmaster = text.lines().next().and_then(|line| line.trim().parse().ok());
        let postmaster = postmaster.ok_or_else(|| Fault::program("kill the server", "postmaster.pid has no number"))?;
        if self.is_running() {
            processes::kill_family(postmaster)?;
        }
        self.gone()
    }

    /// Stops it and waits until it has gone.
    pub fn stop(&mut self, how: Stop) -> Result<(), Fault> {
        self.keeper.signal(match how {
            Stop::Fast => "INT",
            Stop::Immediate => "QUIT",
        });
        self.gone()
    }

    /// Starts it again on the same data and port, after stopping it fast if it runs; waits until it takes queries.
    pub fn restart(&mut self) -> Result<(), Fault> {
        if self.is_running() {
            self.stop(Stop::Fast)?;
        }
        self.keeper = launch(&self.programs, &self.place, self.port, self.lock.as_ref())?;
        Ok(())
    }

    /// Whether the server's process lives.
    pub fn is_running(&mut self) -> bool {
        self.keeper.is_running()
    }

    fn gone(&mut self) -> Result<(), Fault> {
        if self.keeper.gone_within(STOPS_WITHIN) {
            return Ok(());
        }
        Err(Fault::TooLate(format!("the server still runs after {STOPS_WITHIN:?}")))
    }
}

impl Drop for Cluster {
    fn drop(&mut self) {
        if self.is_running() {
            let _ = self.stop(Stop::Fast);
        }
    }
}

fn log(place: &Place) -> PathBuf {
    place.folder.join("server.log")
}

fn launch(programs: &ServerPrograms, place: &Place, port: u16, lock: Option<&File>) -> Result<Keeper, Fault> {
    let mut command = Command::new(programs.program("postgres"));
    command.arg("-D").arg(place.folder.join("data")).env("LC_ALL", "C");
    let log = log(place);
    let throwaway = lock.map(|lock| (place.folder.as_path(), lock));
    let mut keeper = Keeper::start(Kept { command, log: &log, last: "QUIT", throwaway })?;
    place::ready(&mut keeper, "the server", &log, || place::answers(port, SUPERUSER, DATABASE))?;
    Ok(keeper)
}

/// An initialised cluster that was never started. Copying it takes a tenth of the time that making it takes.
fn template(programs: &ServerPrograms) -> Result<PathBuf, Fault> {
    let home = home::home()?;
    // The same version from another place may want other files; another user may not read this one's.
    let place: String = programs.program("").to_string_lossy().chars().filter(char::is_ascii_alphanumeric).collect();
    let name = format!("template-{}-{}-{place}", account::uid(), version_number(&programs.version));
    home::made_once(&home, &name, |folder| {
        account::hand_over(folder)?;
        let data = folder.join("data");
        let mut initdb = Command::new(programs.program("initdb"));
        initdb.args(["--username", SUPERUSER, "--encoding", "UTF8", "--locale-provider", "libc", "--locale", "C"]);
        initdb.args(["--auth", "trust", "--no-instructions", "--no-sync", "--pgdata"]).arg(&data);
        output(account::run_as(&mut initdb).current_dir(folder).env("LC_ALL", "C"))?;

        let sql = folder.join("roles.sql");
        let text = format!(
            "CREATE DATABASE {DATABASE}\nCREATE ROLE {PASSWORD_ROLE} LOGIN PASSWORD '{PASSWORD}'\n\
             GRANT CONNECT ON DATABASE {DATABASE} TO {PASSWORD_ROLE}\n"
        );
        std::fs::write(&sql, text).trying(sql.display())?;
        // A server for one: each line of its input is a statement.
        let mut single = Command::new(programs.program("postgres"));
        single.args(["--single", "-D"]).arg(&data).arg("postgres");
        single.stdin(File::open(&sql).trying(sql.display())?).current_dir(folder).env("LC_ALL", "C");
        output(account::run_as(&mut single)).map(drop)
    })
}

fn version_number(version: &str) -> &str {
    version.split_whitespace().find(|word| word.starts_with(|first: char| first.is_ascii_digit())).unwrap_or("unknown")
}

fn trust() -> String {
    let rules = [(PASSWORD_ROLE, "scram-sha-256"), ("all", "trust")];
    let lines = rules.map(|(role, method)| {
        format!("local all {role} {method}\nhost all {role} 127.0.0.1/32 {method}\nhost all {role} ::1/128 {method}\n")
    });
    lines.concat()
}

fn settings(folder: &Path, port: u16, tls: Option<&Certificates>) -> String {
    /// Of a Unix socket's path.
    const LONGEST: usize = 80;
    let quoted = |path: &Path| path.display().to_string().replace('\'', "''");
    let sockets = if folder.as_os_str().len() > LONGEST { String::new() } else { quoted(folder) };
    let tls = tls.map(|files| {
        let (certificate, key) = (quoted(&files.certificate), quoted(&files.key));
        format!("ssl = on\nssl_cert_file = '{certificate}'\nssl_key_file = '{key}'\n")
    });
    format!(
        "listen_addresses = '127.0.0.1'\nport = {port}\nunix_socket_directories = '{sockets}'\n\
         max_connections = 200\nshared_buffers = '256MB'\nmax_wal_size = '4GB'\n\
         min_wal_size = '1GB'\n\
         fsync = on\nsynchronous_commit = on\nfull_page_writes = on\n\
         password_encryption = 'scram-sha-256'\ntimezone = 'UTC'\nlog_timezone = 'UTC'\nlc_messages = 'C'\n\
         log_line_prefix = '%m [%p] %u '\n{}",
        tls.unwrap_or_default()
    )
}
