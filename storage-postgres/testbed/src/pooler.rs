//! A PgBouncer in transaction mode in front of a server: the strict stand-in for hosted poolers.

use std::fs::File;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

use crate::cluster::{PASSWORD, PASSWORD_ROLE};
use crate::fault::Fault;
use crate::keeper::{Keeper, Kept};
use crate::place::{self, Place};
use crate::target::Target;
use crate::tls::{self, Certificates};
use crate::tools;

/// A pooler that lends server connections for one transaction each, few of them, so that clients really share them.
/// Clients give no password; the server sees each client's own role. It dies with this process, however that ends.
#[derive(Debug)]
pub struct Pooler {
    place: Place,
    upstream: Target,
    port: u16,
    authority: Option<PathBuf>,
    roles: Mutex<Vec<String>>,
    keeper: Mutex<Keeper>,
}

impl Pooler {
    /// In front of the server at `upstream`; for that URL's role, the given ones and `with_password`.
    pub fn start(folder: &Path, upstream: &str, roles: &[&str]) -> Result<Self, Fault> {
        Self::begin(folder, upstream, roles, false, None)
    }

    /// The same, but clients must speak TLS, and verify a certificate of its own.
    pub fn start_tls(folder: &Path, upstream: &str, roles: &[&str]) -> Result<Self, Fault> {
        Self::begin(folder, upstream, roles, true, None)
    }

    pub(crate) fn begin(
        folder: &Path,
        upstream: &str,
        roles: &[&str],
        with_tls: bool,
        lock: Option<&File>,
    ) -> Result<Self, Fault> {
        let program = tools::pooler_program()?;
        let upstream = Target::parse(upstream)?;
        let place = Place::of(folder)?;
        let certificates = if with_tls { Some(Certificates::of(&place.folder)?) } else { None };
        let mut all = vec![upstream.role.clone(), PASSWORD_ROLE.to_owned()];
        all.extend(roles.iter().map(|role| (*role).to_owned()));
        place.write("roles.txt", &list(&upstream, &all))?;
        let log = place.folder.join("pooler.log");
        let (port, keeper) = place::on_free_port(|port| {
            let file = place.write("pooler.ini", &settings(&place.folder, &upstream, port, certificates.as_ref()))?;
            let mut command = program.command();
            command.arg(file);
            let throwaway = lock.map(|lock| (place.folder.as_path(), lock));
            // It keeps nothing, so that it need not end in peace.
            let mut keeper = Keeper::start(Kept { command, log: &log, last: "KILL", throwaway })?;
            place::ready(&mut keeper, "PgBouncer", &log, || {
                if with_tls {
                    return crate::wire::Wire::offers_tls(place::loopback(port)).map(drop);
                }
                place::answers(port, &upstream.role, &upstream.database)
            })?;
            Ok((port, keeper))
        })?;
        let authority = certificates.map(|files| files.authority);
        Ok(Self { place, upstream, port, authority, roles: Mutex::new(all), keeper: Mutex::new(keeper) })
    }

    /// Of the role that the server's URL names. With TLS, the certificate is verified.
    pub fn url(&self) -> String {
        self.url_as(&self.upstream.role)
    }

    /// Of another role, which it must have been told of.
    pub fn url_as(&self, role: &str) -> String {
        let database = &self.upstream.database;
        match &self.authority {
            None => format!("postgres://{role}@127.0.0.1:{}/{database}", self.port),
            Some(authority) => tls::url(role, self.port, database, authority),
        }
    }

    /// Lets clients of one more role connect.
    pub fn add_role(&self, role: &str) -> Result<(), Fault> {
        let mut roles = self.roles.lock().unwrap_or_else(PoisonError::into_inner);
        roles.push(role.to_owned());
        self.place.write("roles.txt", &list(&self.upstream, &roles))?;
        self.keeper.lock().unwrap_or_else(PoisonError::into_inner).signal("HUP");
        Ok(())
    }

    /// On 127.0.0.1.
    pub fn port(&self) -> u16 {
        self.port
    }

    /// The certificate of the authority that signed its own; `None` without TLS.
    pub fn ca_file(&self) -> Option<&Path> {
        self.authority.as_deref()
    }

    /// The host name in its certificate; `None` without TLS.
    pub fn tls_host(&self) -> Option<&'static str> {
        self.authority.as_ref().map(|_| tls::HOST)
    }

    /// What it wrote.
    pub fn log(&self) -> PathBuf {
        self.place.folder.join("pooler.log")
    }

    /// Whether its process lives.
    pub fn is_running(&self) -> bool {
        self.keeper.lock().unwrap_or_else(PoisonError::into_inner).is_running()
    }
}

/// Whom it lets in, with the passwords that it gives to the server on their behalf.
fn list(upstream: &Target, roles: &[String]) -> String {
    let quoted = |text: &str| text.replace('"', "\"\"");
    let password = |role: &str| match &upstream.password {
        Some(password) if role == upstream.role => password.clone(),
        _ if role == PASSWORD_ROLE => PASSWORD.to_owned(),
        _ => String::new(),
    };
    roles.iter().map(|role| format!("\"{}\" \"{}\"\n", quoted(role), quoted(&password(role)))).collect()
}

fn settings(folder: &Path, upstream: &Target, port: u16, tls: Option<&Certificates>) -> String {
    let Target { host, port: server_port, .. } = upstream;
    let roles = folder.join("roles.txt");
    let tls = tls.map(|Certificates { certificate, key, .. }| {
        let (certificate, key) = (certificate.display(), key.display());
        format!("client_tls_sslmode = require\nclient_tls_cert_file = {certificate}\nclient_tls_key_file = {key}\n")
    });
    format!(
        "[databases]\n* = host={host} port={server_port}\n[pgbouncer]\nlisten_addr = 127.0.0.1\nlisten_port = {port}\n\
         unix_socket_dir =\nauth_type = trust\nauth_file = {}\npool_mode = transaction\ndefault_pool_size = 10\n\
         max_client_conn = 1000\nignore_startup_parameters = extra_float_digits,options\n\
         server_tls_sslmode = prefer\nlog_connections = 0\nlog_disconnections = 0\n{}",
        roles.display(),
        tls.unwrap_or_default()
    )
}
