//! The probes against real servers: every statement on every version, what a role sees, what a lock does, what a lost
//! connection looks like. It must not test how an answer is drawn.

mod activity;
pub mod asking;
mod ceilings;
mod entries;
mod forest;
mod horizon;
mod indexes;
mod lanes;
mod large;
mod locked;
mod plan_login;
mod plan_rights;
mod plans;
mod progress;
mod questions;
mod remedies;
mod restarts;
mod roles;
mod runbooks;
mod slots;
mod statements;
mod sync;
mod texts;
mod wal;
