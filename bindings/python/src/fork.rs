//! Forks: a process that was forked has the memory of its parent's ledgers, but not their threads.

use std::mem::ManuallyDrop;
use std::sync::atomic::{AtomicU32, Ordering};

use crate::errors::{Failure, forked};

/// How many forks lie between the process that imported this and the present one.
static GENERATION: AtomicU32 = AtomicU32::new(0);

extern "C" fn in_child() {
    GENERATION.fetch_add(1, Ordering::Relaxed);
}

/// Counts forks from now on; whoever forks, through Python or not.
pub(crate) fn count() -> std::io::Result<()> {
    // SAFETY: the handler only adds to an atomic number, which is allowed between fork and exec.
    match unsafe { libc::pthread_atfork(None, None, Some(in_child)) } {
        0 => Ok(()),
        code => Err(std::io::Error::from_raw_os_error(code)),
    }
}

/// Something with threads or locks of its own, which a forked process has no use of: there it is neither used nor
/// dropped, since what it would wait for is not there.
pub(crate) struct Own<T> {
    generation: u32,
    value: ManuallyDrop<T>,
}

impl<T> Own<T> {
    pub(crate) fn new(value: T) -> Self {
        Self { generation: GENERATION.load(Ordering::Relaxed), value: ManuallyDrop::new(value) }
    }

    fn is_here(&self) -> bool {
        self.generation == GENERATION.load(Ordering::Relaxed)
    }

    /// Refuses in a forked process.
    pub(crate) fn get(&self) -> Result<&T, Failure> {
        if self.is_here() { Ok(&self.value) } else { Err(forked()) }
    }
}

impl<T> Drop for Own<T> {
    fn drop(&mut self) {
        if self.is_here() {
            // SAFETY: it is dropped here and nowhere else, and not used afterwards.
            unsafe { ManuallyDrop::drop(&mut self.value) };
        }
    }
}
