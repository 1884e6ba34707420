//! Checkpoints in the background: what is in the write-ahead log goes to the file while commits go on, so that no
//! commit waits for megabytes to be copied. SQLite's own checkpoint within a commit stays as the bound on the log.

use std::path::Path;
use std::sync::mpsc::{SyncSender, sync_channel};
use std::thread::JoinHandle;

use leadledger::StoreError;

use crate::schema;

/// Journal entries between two checkpoints: a few megabytes of log.
const EVERY: u64 = 8_192;

/// The thread that makes them, until this is dropped.
#[derive(Debug)]
pub(crate) struct Checkpointer {
    wanted: Option<SyncSender<()>>,
    thread: Option<JoinHandle<()>>,
}

impl Checkpointer {
    pub(crate) fn start(path: &Path) -> Result<Self, StoreError> {
        let connection = schema::open_checkpointer(path)?;
        let (wanted, asked) = sync_channel::<()>(1);
        let run = move || {
            while let Ok(()) = asked.recv() {
                // Passive: it waits for nobody. What it cannot do now, a later one will.
                let _ = connection.query_row("PRAGMA wal_checkpoint(PASSIVE)", [], |_| Ok(()));
            }
        };
        let thread = std::thread::Builder::new().name("leadledger-checkpoint".to_owned()).spawn(run);
        let thread = thread.map_err(|fault| StoreError::Unavailable(format!("no thread: {fault}")))?;
        Ok(Self { wanted: Some(wanted), thread: Some(thread) })
    }

    /// Notes that `entries` were committed on top of `before`.
    pub(crate) fn committed(&self, before: u64, entries: u64) {
        if before / EVERY != before.saturating_add(entries) / EVERY
            && let Some(wanted) = &self.wanted
        {
            // One that is asked for and not begun yet serves as well.
            let _ = wanted.try_send(());
        }
    }
}

impl Drop for Checkpointer {
    fn drop(&mut self) {
        self.wanted = None;
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}
