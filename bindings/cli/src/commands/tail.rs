//! `tail`: what happens in all books, or in one, as it is committed.

use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};
use std::time::Duration;

use leadledger::{Event, Ledger, MerchantId};
use leadledger_facade::{Family, Fault};

use crate::cli::Tail;
use crate::commands::optional_id;
use crate::errors::Failure;
use crate::events::line;
use crate::output::Output;

/// How many entries one read gives at most.
const PAGE: usize = 1_000;
/// How long to wait before looking again, and how long Ctrl-C waits at most.
const PAUSE: Duration = Duration::from_millis(200);

pub(crate) fn run(ledger: &Ledger, arguments: &Tail, out: &mut Output) -> Result<(), Failure> {
    let merchant: Option<MerchantId> = optional_id("merchant", arguments.merchant.as_deref())?;
    let mut tail = Tailing { interrupted: interruption()?, left: arguments.limit.unwrap_or(u64::MAX), out };
    match (&arguments.name, merchant) {
        (Some(name), _) => tail.subscriber(ledger, name),
        (None, Some(merchant)) => tail.book(ledger, merchant, arguments.from_start),
        (None, None) => tail.all(ledger, arguments.from_start),
    }
}

/// Gives something when the user has enough.
fn interruption() -> Result<Receiver<()>, Fault> {
    let (sender, receiver) = channel();
    // Who has ended already needs no further signal.
    let handler = move || _ = sender.send(());
    ctrlc::set_handler(handler)
        .map_err(|error| Fault::new(Family::Internal, "internal", format!("no handler for Ctrl-C: {error}")))?;
    Ok(receiver)
}

struct Tailing<'o> {
    interrupted: Receiver<()>,
    /// How many more entries are asked for.
    left: u64,
    out: &'o mut Output,
}

impl Tailing<'_> {
    /// All books.
    fn all(&mut self, ledger: &Ledger, from_start: bool) -> Result<(), Failure> {
        let mut after = if from_start { None } else { Some(ledger.events_end().wait()?) };
        loop {
            let page = ledger.all_events(after, PAGE).wait()?;
            let none = page.items.is_empty();
            let events: Vec<Event> = page.items.iter().flat_map(Event::of).collect();
            self.tell(&events)?;
            after = page.next;
            if self.is_over(none) {
                return Ok(());
            }
        }
    }

    /// One book: from its first entry, or from the moment when the watch began.
    fn book(&mut self, ledger: &Ledger, merchant: MerchantId, from_start: bool) -> Result<(), Failure> {
        let mut watch = ledger.watch(merchant).wait()?;
        let mut seq = if from_start { 0 } else { watch.seq() };
        while seq < watch.seq() {
            let before_watch = usize::try_from(watch.seq() - seq).unwrap_or(PAGE).min(PAGE);
            let page = ledger.events(merchant, seq, before_watch).wait()?;
            let Some(last) = page.last() else { break };
            seq = last.entry.seq;
            let events: Vec<Event> = page.iter().flat_map(Event::of).collect();
            self.tell(&events)?;
            if self.is_over(false) {
                return Ok(());
            }
        }
        loop {
            let events = watch.next(PAUSE)?.unwrap_or_default();
            self.tell(&events)?;
            // The watch has waited already.
            if self.is_over(false) {
                return Ok(());
            }
        }
    }

    /// All books, from where this name has got to. What was written is acknowledged afterwards.
    fn subscriber(&mut self, ledger: &Ledger, name: &str) -> Result<(), Failure> {
        let subscription = ledger.subscribe(name).wait()?;
        loop {
            // Whole entries, and no more than are written: those that are not stay for the next run.
            let limit = usize::try_from(self.left).unwrap_or(PAGE).min(PAGE);
            let events = subscription.next(limit).wait()?;
            self.tell(&events)?;
            subscription.ack().wait()?;
            if self.is_over(events.is_empty()) {
                return Ok(());
            }
        }
    }

    /// Writes the events of as many entries as are still asked for.
    fn tell(&mut self, events: &[Event]) -> std::io::Result<()> {
        for entry in events.chunk_by(|one, next| (one.merchant, one.seq) == (next.merchant, next.seq)) {
            if self.left == 0 {
                break;
            }
            for event in entry {
                if self.out.json {
                    self.out.json(&event.to_json())?;
                } else {
                    let line = line(event, self.out);
                    self.out.line(line)?;
                }
            }
            self.left -= 1;
        }
        self.out.flush()
    }

    /// Whether that was all; where there was nothing, after a pause.
    fn is_over(&self, nothing: bool) -> bool {
        let pause = if nothing { PAUSE } else { Duration::ZERO };
        self.left == 0 || self.interrupted.recv_timeout(pause) != Err(RecvTimeoutError::Timeout)
    }
}
