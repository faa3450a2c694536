//! Alerts: rule files, the built-in rules, and the state that each rule is in.
//!
//! It evaluates no PromQL: what an expression came to arrives as [`crate::model::alert::RuleAnswer`].

pub mod board;
pub mod builtin;
pub mod duration;
mod file;
pub mod format;
pub mod humanize;
pub mod print;
pub mod promql;
pub mod state;
pub mod template;
mod yaml;

pub use file::{RuleError, RuleErrors, parse};
