//! Choices that only the edges have; the others are the core's own.

use serde::{Deserialize, Serialize};

/// In which order leads are listed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Order {
    /// The last one created first.
    #[default]
    Newest,
    /// Pending ones only, the one that expires first before the others.
    ReviewPriority,
}

impl Order {
    /// All of them.
    pub const ALL: &'static [Self] = &[Self::Newest, Self::ReviewPriority];
}

/// Which tool's journal.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum AccountingFormat {
    /// hledger (1.25 or later).
    Hledger,
    /// beancount (3 or later).
    Beancount,
}

impl AccountingFormat {
    /// All of them.
    pub const ALL: &'static [Self] = &[Self::Hledger, Self::Beancount];
}

/// Whether commits are told to Supabase's Realtime.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RealtimeChoice {
    /// As it is; at first where it is possible.
    #[default]
    Keep,
    /// Where the server has it.
    On,
    /// Not.
    Off,
}

impl RealtimeChoice {
    /// All of them.
    pub const ALL: &'static [Self] = &[Self::Keep, Self::On, Self::Off];
}
