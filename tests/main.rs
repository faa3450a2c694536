//! Everything that is tested from outside, in one binary: it links once.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a test fails by panicking, in its own body and in what it is made of"
)]

mod actions;
mod alerts;
mod architecture;
mod audit;
mod conninfo;
mod health;
mod hostile;
#[path = "support/lab.rs"]
mod lab;
mod lab_itself;
mod panels;
mod pictures;
mod probes;
mod readme;
mod road;
mod screens;
mod stage;
mod stories;
mod terminal;
