//! The programs without a terminal: they ask once, print, and leave.
//!
//! They start no writer: nothing here can act on a server.

pub mod rules;
