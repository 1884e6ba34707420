//! The server that the tests of one process share.

use std::sync::OnceLock;

use crate::cluster::Cluster;
use crate::fault::Fault;
use crate::home::{self, Run};
use crate::pooler::Pooler;

/// The URL of a server to use instead of a private one.
pub const URL_VARIABLE: &str = "LEADLEDGER_TEST_POSTGRES";
/// The URL of a transaction-mode pooler in front of it.
pub const POOLER_VARIABLE: &str = "LEADLEDGER_TEST_PGBOUNCER";
/// A URL that leads to it over TLS, with `sslmode=verify-full&sslrootcert=FILE`.
pub const TLS_VARIABLE: &str = "LEADLEDGER_TEST_POSTGRES_TLS";
/// The roles that the private poolers let in, besides that of the server's URL and `with_password`. They need not
/// exist.
pub const ROLES: [&str; 5] = ["anon", "authenticated", "authenticator", "service_role", "leadledger_app"];

/// A server, with a pooler in front and a way in over TLS, each started when it is first asked for and not given by a
/// variable. All that was started dies with the process, and its files are removed.
#[derive(Debug)]
pub struct TestServer {
    url: String,
    run: OnceLock<Result<Run, Fault>>,
    cluster: Option<Cluster>,
    pooler: OnceLock<Result<Way, Fault>>,
    tls: OnceLock<Result<Way, Fault>>,
}

/// A URL, and what serves it if that is ours.
#[derive(Debug)]
struct Way {
    url: String,
    pooler: Option<Pooler>,
}

/// The one of this process.
pub fn server() -> Result<&'static TestServer, Fault> {
    static SERVER: OnceLock<Result<TestServer, Fault>> = OnceLock::new();
    SERVER.get_or_init(TestServer::begin).as_ref().map_err(Clone::clone)
}

impl TestServer {
    fn begin() -> Result<Self, Fault> {
        let run = OnceLock::new();
        let (url, cluster) = match given(URL_VARIABLE)? {
            Some(url) => (url, None),
            None => {
                let cluster = {
                    let run = folder(&run)?;
                    Cluster::start_throwaway(&run.folder.join("cluster"), &run.lock)?
                };
                (cluster.url(), Some(cluster))
            }
        };
        Ok(Self { url, run, cluster, pooler: OnceLock::new(), tls: OnceLock::new() })
    }

    /// Straight to the server, as superuser if it is private.
    pub fn url(&self) -> &str {
        &self.url
    }

    /// Through a pooler in transaction mode.
    pub fn pooled_url(&self) -> Result<&str, Fault> {
        self.pooled().map(|way| way.url.as_str())
    }

    /// The private pooler; `None` where the variable gives one.
    pub fn pooler(&self) -> Result<Option<&Pooler>, Fault> {
        self.pooled().map(|way| way.pooler.as_ref())
    }

    /// Over TLS, with the certificate verified; where the private server has no TLS, through a pooler that has.
    pub fn tls_url(&self) -> Result<&str, Fault> {
        let way = self.tls.get_or_init(|| {
            let own = || self.cluster.as_ref().and_then(Cluster::tls_url);
            match given(TLS_VARIABLE)?.or_else(own) {
                Some(url) => Ok(Way { url, pooler: None }),
                None => self.in_front("pooler-tls", true),
            }
        });
        way.as_ref().map(|way| way.url.as_str()).map_err(Clone::clone)
    }

    /// The private server; `None` where the variable gives one.
    pub fn cluster(&self) -> Option<&Cluster> {
        self.cluster.as_ref()
    }

    fn pooled(&self) -> Result<&Way, Fault> {
        let way = self.pooler.get_or_init(|| match given(POOLER_VARIABLE)? {
            Some(url) => Ok(Way { url, pooler: None }),
            None => self.in_front("pooler", false),
        });
        way.as_ref().map_err(Clone::clone)
    }

    fn in_front(&self, name: &str, with_tls: bool) -> Result<Way, Fault> {
        let run = folder(&self.run)?;
        let pooler = Pooler::begin(&run.folder.join(name), &self.url, &ROLES, with_tls, Some(&run.lock))?;
        Ok(Way { url: pooler.url(), pooler: Some(pooler) })
    }
}

fn folder(run: &OnceLock<Result<Run, Fault>>) -> Result<&Run, Fault> {
    run.get_or_init(home::run).as_ref().map_err(Clone::clone)
}

/// The variable's value; an empty one is none.
fn given(variable: &str) -> Result<Option<String>, Fault> {
    match std::env::var(variable) {
        Ok(value) => Ok(Some(value).filter(|value| !value.is_empty())),
        Err(std::env::VarError::NotPresent) => Ok(None),
        Err(fault) => Err(Fault::Unusable(format!("{variable}: {fault}"))),
    }
}
