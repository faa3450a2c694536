//! All tests that run the program or real servers, as one binary; it holds no test of its own.
#![expect(clippy::expect_used, clippy::panic, reason = "a test that cannot go on must fail")]

#[path = "support/lab.rs"]
mod lab;
mod lab_itself;
mod probes;
