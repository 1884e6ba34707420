//! A subscriber to one book's entries: each once, in order, without a gap, each carrying the hash of the one before.

use leadledger::{Entry, Fact, Hash, MerchantId, Recorded, Timestamp, chain_hash, genesis_hash};

/// How far one book's entries were seen.
#[derive(Clone, Debug, PartialEq)]
pub struct Feed {
    merchant: MerchantId,
    seq: u64,
    hash: Hash,
    at: Timestamp,
}

/// What new entries say, in the model's words.
#[derive(Debug, Default)]
pub struct News {
    /// Commands that were accepted.
    pub commands: Vec<Recorded>,
    /// How often time alone did something.
    pub settled: u64,
    /// Deposit and level.
    pub alerts: Vec<(String, String)>,
    /// How often a remembered level improved.
    pub cleared: u32,
}

impl Feed {
    /// Before the first entry.
    pub fn new(merchant: MerchantId) -> Self {
        Self { merchant, seq: 0, hash: genesis_hash(merchant), at: Timestamp::MIN }
    }

    /// The last entry's number.
    pub fn seq(&self) -> u64 {
        self.seq
    }

    /// Takes the next entry; says what is wrong with it.
    pub fn take(&mut self, next: &Recorded) -> Result<(), String> {
        let entry = &next.entry;
        let place = format!("entry {} ({}) after {}", entry.seq, entry.kind.name(), self.seq);
        let holds = |holds: bool, what: &str| if holds { Ok(()) } else { Err(format!("{place}: {what}")) };
        holds(next.merchant == self.merchant, "another merchant's")?;
        holds(entry.seq == self.seq + 1, "not the next number")?;
        holds(entry.at >= self.at, "earlier than the one before")?;
        holds(chain_hash(&self.hash, &next.payload) == next.hash, "not chained to the one before")?;
        let reread = Entry::from_payload(&next.payload);
        holds(reread.as_ref() == Ok(entry.as_ref()), "not what its payload says")?;
        (self.seq, self.hash, self.at) = (entry.seq, next.hash, entry.at);
        Ok(())
    }
}

impl News {
    /// Reads one more entry.
    pub fn add(&mut self, recorded: Recorded) {
        for fact in &recorded.entry.facts {
            match fact {
                Fact::AlertRaised { deposit, level, .. } => {
                    self.alerts.push((deposit.to_string(), level.name().to_owned()));
                }
                Fact::AlertCleared { .. } => self.cleared += 1,
                _ => {}
            }
        }
        if recorded.entry.kind.is_of_time() {
            self.settled += 1;
        } else {
            self.commands.push(recorded);
        }
    }
}
