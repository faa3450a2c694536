//! The probes against real servers: every statement on every version, what a role sees, what a lock does, what a lost
//! connection looks like. It must not test how an answer is drawn.

mod activity;
pub mod asking;
mod entries;
mod forest;
mod indexes;
mod lanes;
mod large;
mod locked;
mod plans;
mod questions;
mod remedies;
mod roles;
mod runbooks;
mod statements;
