//! Subscribers' cursors: read like everything else, moved by the one connection that writes.

use leadledger::{Cursor, StoreError, SubscriberName, Subscribers};
use rusqlite::{Connection, OptionalExtension, params};

use crate::SqliteStore;
use crate::error::OrStoreError;

impl Subscribers for SqliteStore {
    fn cursor(&self, name: &SubscriberName) -> Result<Option<Cursor>, StoreError> {
        self.read(|connection| {
            let mut statement =
                connection.prepare_cached("SELECT cursor FROM subscribers WHERE name = ?").or_store_error()?;
            let cursor = statement.query_row([name.as_str()], |row| row.get(0)).optional().or_store_error()?;
            Ok(cursor.map(Cursor))
        })
    }

    fn advance(&self, name: &SubscriberName, from: Option<&Cursor>, to: &Cursor) -> Result<bool, StoreError> {
        let mut writer = self.writer();
        let moved = writer.begin(&self.path).and_then(|()| {
            let moved = update(writer.connection(&self.path)?, name, from, to)?;
            if moved { writer.end() } else { Ok(()) }.map(|()| moved)
        });
        writer.roll_back();
        moved
    }
}

fn update(
    connection: &Connection,
    name: &SubscriberName,
    from: Option<&Cursor>,
    to: &Cursor,
) -> Result<bool, StoreError> {
    let rows = match from {
        None => {
            let sql = "INSERT INTO subscribers (name, cursor) VALUES (?, ?) ON CONFLICT DO NOTHING";
            connection.prepare_cached(sql).and_then(|mut insert| insert.execute(params![name.as_str(), to.0]))
        }
        Some(from) => {
            let sql = "UPDATE subscribers SET cursor = ?2 WHERE name = ?1 AND cursor = ?3";
            connection.prepare_cached(sql).and_then(|mut update| update.execute(params![name.as_str(), to.0, from.0]))
        }
    };
    Ok(rows.or_store_error()? == 1)
}
