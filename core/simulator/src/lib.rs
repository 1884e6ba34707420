//! The auditor: a second, naive reading of DOMAIN.md, and stories to check the engine against it.
//!
//! [`model::Model`] says what every command must answer and leave behind; [`story::Story`] makes
//! endless seeded commands that reach deep. Nothing here shares code, types or ideas with the
//! engine: where the two disagree, one of them has misread DOMAIN.md.
//!
//! ```
//! use leadledger_simulator::{model::Model, story::Story};
//!
//! let (mut model, mut story) = (Model::default(), Story::new(7));
//! for _ in 0..100 {
//!     let step = story.next();
//!     model.step(step.at_micros, step.key.as_deref(), &step.command, &step.with);
//!     model.check().unwrap();
//! }
//! ```

#![forbid(unsafe_code)]
#![deny(missing_docs)]
#![allow(clippy::inconsistent_digit_grouping, reason = "2000_00 reads as 2000.00 in minor units")]

pub mod model;
pub mod money;
pub mod story;
