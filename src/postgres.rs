//! The road to a PostgreSQL server: libpq's conventions, TLS, sessions with a purpose, answers as text.
//!
//! It must not know what is asked over it, nor when: questions are the probes', statements that change something the
//! writer's, and the pause between two dials its caller's.
//!
//! ```text
//! Given + Surroundings ──resolve──► Conninfo ──connect──► Link ──read/execute──► Rows
//!   options, words        service, environment,   hosts, TLS,      deadline, cancel,
//!                         password file           login, settings  notices, last words
//! ```

mod backoff;
mod error;
mod lane;
mod rows;

pub use backoff::BackOff;
pub use error::{AskError, At, ConnectError, ServerMessage, needs_password};
pub use lane::{Access, Lane, SessionSettings};
pub use rows::{Row, Rows};
