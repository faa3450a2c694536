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

mod answer;
mod backoff;
mod conninfo;
mod console;
mod dial;
mod driver;
mod endpoint;
mod error;
mod escaped;
mod facts;
mod given;
mod kept;
mod keyword;
mod lane;
mod link;
mod login;
mod own;
mod params;
mod passfile;
mod password;
mod rows;
mod service;
mod surroundings;
mod tls;
mod uri;

pub use answer::Param;
pub use backoff::BackOff;
pub use conninfo::{Asking, Conninfo, ConninfoError, SessionAttrs};
pub use console::Console;
pub use dial::{connect, connect_console};
pub use driver::LastWords;
pub use endpoint::{Endpoint, Place};
pub use error::{AskError, At, ConnectError, ServerMessage, needs_password, refuses_password};
pub use escaped::{decoded, unescaped};
pub use facts::{Facts, QUESTION as FACTS_QUESTION};
pub use given::{Given, is_connection_string, resolve, resolve_as};
pub use lane::{Access, Lane, SessionSettings};
pub use link::{Canceller, Link};
pub use own::{OwnPid, OwnPids};
pub use password::Secret;
pub use rows::{Row, Rows};
pub use surroundings::{FileFacts, Process, Surroundings};
pub use tls::{SslMode, Tls};
