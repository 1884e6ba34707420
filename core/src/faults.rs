//! Faults to plant, so that the simulator can show that it would find them. Without the feature `planted-faults`
//! (which nothing but the simulator turns on) every question here is answered `false` at compile time.

#[cfg(feature = "planted-faults")]
use std::sync::atomic::{AtomicU8, Ordering};

/// A fault that the simulator must find.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum Fault {
    /// A batch whose acknowledgement was lost is applied again.
    DoubleApply = 1,
    /// The idempotency key is not looked up under the book's lock.
    KeyOutsideTransaction,
    /// A key is accepted again with another payload.
    KeyWithOtherPayload,
    /// What is due is not settled first, so that an expired lead can be captured.
    ExpiredCaptured,
    /// The platform's part is computed by its own rounding; the remainder of the split is lost.
    RemainderLost,
    /// A release is counted twice.
    ReleaseTwice,
    /// An alert is raised again although the level was told.
    AlertRepeated,
    /// An alert is not raised.
    AlertMissed,
    /// The event feed skips an entry.
    EventMissed,
    /// A refused command leaves an entry.
    RefusalLeavesTrace,
    /// Money resumes a campaign that a person paused.
    ResumesPersonsPause,
}

impl Fault {
    /// All of them.
    pub const ALL: [Self; 11] = [
        Self::DoubleApply,
        Self::KeyOutsideTransaction,
        Self::KeyWithOtherPayload,
        Self::ExpiredCaptured,
        Self::RemainderLost,
        Self::ReleaseTwice,
        Self::AlertRepeated,
        Self::AlertMissed,
        Self::EventMissed,
        Self::RefusalLeavesTrace,
        Self::ResumesPersonsPause,
    ];
}

#[cfg(feature = "planted-faults")]
static PLANTED: AtomicU8 = AtomicU8::new(0);

/// Plants one fault in this process, or none.
#[cfg(feature = "planted-faults")]
pub fn plant(fault: Option<Fault>) {
    PLANTED.store(fault.map_or(0, |fault| fault as u8), Ordering::SeqCst);
}

/// Whether this fault is planted.
#[cfg(feature = "planted-faults")]
pub(crate) fn planted(fault: Fault) -> bool {
    PLANTED.load(Ordering::Relaxed) == fault as u8
}

/// Whether this fault is planted: never.
#[cfg(not(feature = "planted-faults"))]
pub(crate) const fn planted(_: Fault) -> bool {
    false
}
