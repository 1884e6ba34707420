//! One connection, driven by the thread that uses it: what is to be said is sent at once, and all answers are awaited, so
//! that an exchange costs one round trip however many statements it has.
//!
//! The connection is polled only while somebody waits for it. So an exchange begins and ends in one thread, without
//! hand-overs, and a link that is dropped closes its socket there and then: a transaction that was open ends with it.

use std::future::{Future, poll_fn};
use std::pin::{Pin, pin};
use std::task::Poll;
use std::time::Duration;

use futures_util::future::join_all;
use leadledger::StoreError;
use tokio::runtime::{Handle, Runtime};
use tokio_postgres::types::{ToSql, Type};
use tokio_postgres::{Client, NoTls, Row};

use crate::address::Address;
use crate::error::{gave_way, is_answer, leaves_connection, store_error};
use crate::wire::Statement;

type Driver = Pin<Box<dyn Future<Output = Result<(), tokio_postgres::Error>> + Send>>;

/// See the module's text.
pub(crate) struct Link {
    client: Client,
    driver: Option<Driver>,
    /// None only while it is dropped.
    runtime: Option<Runtime>,
    patience: Duration,
}

impl std::fmt::Debug for Link {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Link").field("open", &self.driver.is_some()).finish_non_exhaustive()
    }
}

/// Why an exchange failed.
#[derive(Debug)]
pub(crate) enum Fault {
    Driver(tokio_postgres::Error),
    Silence(Duration),
}

impl Fault {
    /// What it means where nothing of the exchange can have been committed.
    pub(crate) fn store_error(&self) -> StoreError {
        match self {
            Self::Driver(fault) => store_error(fault),
            Self::Silence(patience) => StoreError::Unavailable(format!("no answer within {patience:?}")),
        }
    }

    /// What it means where the exchange ended with a commit: that is rolled back if the server answered that something
    /// before it failed, or that the commit itself did; otherwise nobody knows.
    pub(crate) fn commit_error(&self) -> StoreError {
        match self {
            Self::Driver(fault) if is_answer(fault) => store_error(fault),
            _ => StoreError::Unknown(self.store_error().to_string()),
        }
    }

    /// Whether the transaction gave way to another one, and may be begun anew.
    pub(crate) fn gave_way(&self) -> bool {
        matches!(self, Self::Driver(fault) if is_answer(fault) && gave_way(fault))
    }

    /// Whether the connection was lost, and not merely silent.
    pub(crate) fn lost_connection(&self) -> bool {
        matches!(self, Self::Driver(fault) if !leaves_connection(fault))
    }

    /// Whether the connection can be used again.
    pub(crate) fn leaves_connection(&self) -> bool {
        matches!(self, Self::Driver(fault) if leaves_connection(fault))
    }
}

impl Link {
    /// Connects, within the address's time-out.
    pub(crate) fn open(address: &Address, connect_timeout: Duration, patience: Duration) -> Result<Self, StoreError> {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .map_err(|fault| StoreError::Unavailable(format!("no runtime: {fault}")))?;
        let connect = async {
            Ok::<(Client, Driver), tokio_postgres::Error>(match &address.tls {
                None => {
                    let (client, driver) = address.config.connect(NoTls).await?;
                    (client, Box::pin(driver))
                }
                Some(tls) => {
                    let (client, driver) = address.config.connect(tls.clone()).await?;
                    (client, Box::pin(driver))
                }
            })
        };
        // The driver's own time-out is for each address of a host, and not for what is said first.
        let connected = block_on(&runtime, async { tokio::time::timeout(connect_timeout, connect).await });
        let (client, driver) = match connected {
            Ok(Ok(connected)) => connected,
            Ok(Err(fault)) => return Err(store_error(&fault)),
            Err(_) => return Err(StoreError::Unavailable(format!("no connection within {connect_timeout:?}"))),
        };
        Ok(Self { client, driver: Some(driver), runtime: Some(runtime), patience })
    }

    /// Says everything at once and waits for all answers: `begin`, the statements, `end`. Gives the statements' rows.
    pub(crate) fn exchange(
        &mut self,
        begin: Option<&str>,
        statements: &[Statement<'_>],
        end: Option<&str>,
    ) -> Result<Vec<Vec<Row>>, Fault> {
        type Answer<'a> = Pin<Box<dyn Future<Output = Result<Vec<Row>, tokio_postgres::Error>> + Send + 'a>>;
        let Self { client, driver, runtime, patience } = self;
        let client = &*client;
        let plain = |sql: &'_ str| -> Answer<'_> {
            let sql = sql.to_owned();
            Box::pin(async move { client.batch_execute(&sql).await.map(|()| Vec::new()) })
        };
        let params: Vec<Vec<(&(dyn ToSql + Sync), Type)>> = statements
            .iter()
            .map(|statement| statement.params.iter().map(|param| (param as _, param.sql_type())).collect())
            .collect();
        let mut answers: Vec<Answer<'_>> = Vec::with_capacity(statements.len() + 2);
        answers.extend(begin.map(plain));
        for (statement, params) in statements.iter().zip(&params) {
            answers.push(Box::pin(client.query_typed(&statement.sql, params)));
        }
        answers.extend(end.map(plain));
        let count = answers.len();
        let all = async {
            let mut answers = pin!(join_all(answers));
            poll_fn(|context| {
                if let Poll::Ready(answers) = answers.as_mut().poll(context) {
                    return Poll::Ready(answers);
                }
                // Once it has ended, nothing more is answered, and the driver's futures say so.
                if let Some(polled) = driver.as_mut()
                    && polled.as_mut().poll(context).is_ready()
                {
                    *driver = None;
                }
                answers.as_mut().poll(context)
            })
            .await
        };
        let patience = *patience;
        let Some(runtime) = runtime else {
            return Err(Fault::Silence(Duration::ZERO));
        };
        let Ok(answers) = block_on(runtime, async { tokio::time::timeout(patience, all).await }) else {
            return Err(Fault::Silence(patience));
        };
        let mut rows = Vec::with_capacity(count);
        for answer in answers {
            rows.push(answer.map_err(Fault::Driver)?);
        }
        if end.is_some() {
            rows.pop();
        }
        if begin.is_some() {
            rows.remove(0);
        }
        Ok(rows)
    }
}

impl Drop for Link {
    fn drop(&mut self) {
        // The socket belongs to the runtime's reactor; and a runtime may not be waited for within another one.
        self.driver = None;
        if let Some(runtime) = self.runtime.take() {
            runtime.shutdown_background();
        }
    }
}

/// Runs a future to its end, also where the calling thread belongs to a runtime of the host's.
fn block_on<F: Future + Send>(runtime: &Runtime, future: F) -> F::Output
where
    F::Output: Send,
{
    if Handle::try_current().is_err() {
        return runtime.block_on(future);
    }
    std::thread::scope(|scope| {
        let done = scope.spawn(|| runtime.block_on(future)).join();
        done.unwrap_or_else(|panic| std::panic::resume_unwind(panic))
    })
}
