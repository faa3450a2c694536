//! What is known: the nouns that the rest of the program speaks about, and the [`World`] that holds the last of each.
//!
//! Nothing here asks a server, draws, or knows what time it is; values arrive with their time.

pub mod activity;
pub mod alert;
pub mod baseline;
pub mod cache;
pub mod error;
pub mod health;
pub mod horizon;
pub mod index;
pub mod lock;
pub mod panel;
pub mod plan;
pub mod pooler;
pub mod progress;
pub mod question;
pub mod relation;
pub mod replica;
pub mod restart;
pub mod server;
pub mod session;
pub mod setting;
pub mod shown;
pub mod statement;
pub mod text;
pub mod timeline;
pub mod unit;
pub mod world;

pub use error::ProbeError;
pub use question::{Cadence, Demand, Question, Sample, Snapshot, Wanted};
pub use shown::{Scroll, Seen, Shown};
pub use text::ServerText;
pub use unit::Tone;
pub use world::{Latest, Link, World};

/// A point of time in UTC; it always arrives from outside, inside an event or a sample.
pub type Timestamp = jiff::Timestamp;

/// Seconds from `then` to `now`; never negative, so that a clock set back does not show an age below zero.
#[must_use]
pub fn seconds_between(then: Timestamp, now: Timestamp) -> f64 {
    now.duration_since(then).as_secs_f64().max(0.0)
}
