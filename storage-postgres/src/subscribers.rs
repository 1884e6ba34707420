//! Subscribers' cursors: read and moved on the connections for reads, so that no batch has to wait.

use leadledger::{Cursor, StoreError, SubscriberName, Subscribers};

use crate::link::{Fault, Link};
use crate::wire::{Columns, Param, Statement};
use crate::{BEGIN, PostgresStore, millis};

impl Subscribers for PostgresStore {
    fn cursor(&self, name: &SubscriberName) -> Result<Option<Cursor>, StoreError> {
        let sql = "SELECT cursor FROM subscribers WHERE name = $1".into();
        let answers = self.read(&[Statement { sql, params: vec![Param::Text(name.as_str().into())] }])?;
        let row = answers.first().and_then(|rows| rows.first());
        row.map(|row| Ok(Cursor(Columns::of(row).text()?.to_owned()))).transpose()
    }

    fn advance(&self, name: &SubscriberName, from: Option<&Cursor>, to: &Cursor) -> Result<bool, StoreError> {
        let mut params = vec![Param::Text(name.as_str().into()), Param::Text(to.0.as_str().into())];
        let sql = match from {
            None => "INSERT INTO subscribers (name, cursor) VALUES ($1, $2) ON CONFLICT DO NOTHING RETURNING cursor",
            Some(from) => {
                params.push(Param::Text(from.0.as_str().into()));
                "UPDATE subscribers SET cursor = $2 WHERE name = $1 AND cursor = $3 RETURNING cursor"
            }
        };
        self.write_one(&Statement { sql: sql.into(), params })
    }
}

impl PostgresStore {
    /// Runs one statement in a transaction of its own, on a connection for reads; says whether it met a row. The commit
    /// goes apart: a connection that was closed while it was idle is found before anything can have been written.
    fn write_one(&self, statement: &Statement<'_>) -> Result<bool, StoreError> {
        let begin = format!(
            "{BEGIN}; SET LOCAL search_path = {}, pg_temp; SET LOCAL statement_timeout = {}; \
             SET LOCAL lock_timeout = {}; SET LOCAL idle_in_transaction_session_timeout = {}",
            self.options.schema,
            millis(self.options.statement_timeout),
            millis(self.options.lock_timeout),
            millis(self.options.patience()),
        );
        let met = |link: &mut Link| {
            let answers = link.exchange(Some(&begin), std::slice::from_ref(statement), None)?;
            Ok::<bool, Fault>(answers.first().is_some_and(|rows| !rows.is_empty()))
        };
        let mut turn = self.readers.take();
        let was_idle = turn.link.is_some();
        let mut link = turn.link.take().map_or_else(|| self.connect(), Ok)?;
        let mut outcome = met(&mut link);
        if was_idle && outcome.as_ref().is_err_and(Fault::lost_connection) {
            link = self.connect()?;
            outcome = met(&mut link);
        }
        // Until it is put back, a link that is dropped ends its transaction.
        if let Ok(true) = outcome {
            let committed = link.exchange(None, &[], Some("COMMIT"));
            turn.link = Some(link).filter(|_| committed.is_ok());
            return committed.map(|_| true).map_err(|fault| fault.commit_error());
        }
        let usable = outcome.as_ref().err().is_none_or(Fault::leaves_connection);
        if usable && link.exchange(None, &[], Some("ROLLBACK")).is_ok() {
            turn.link = Some(link);
        }
        outcome.map_err(|fault| fault.store_error())
    }
}
