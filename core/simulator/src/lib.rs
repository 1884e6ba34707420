//! The auditor: a second, naive reading of DOMAIN.md, stories to check the engine against it, and the simulator that
//! plays them on ledgers whose store fails.
//!
//! [`model::Model`] says what every command must answer and leave behind; [`story::Story`] makes
//! endless seeded commands that reach deep. The two share no code, types or ideas with the
//! engine: where it and the model disagree, one of them has misread DOMAIN.md. [`simulate::simulate`]
//! brings them together, and [`hunt::hunt`] shows that it would see what goes wrong.
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
#![allow(
    clippy::cast_possible_truncation,
    clippy::cast_possible_wrap,
    clippy::cast_sign_loss,
    reason = "what is rolled and counted stays far within any integer"
)]

mod caller;
pub mod counters;
pub mod dice;
pub mod feed;
pub mod finding;
pub mod hunt;
pub mod model;
pub mod money;
pub mod simulate;
pub mod store;
pub mod story;
