//! The reading half: what is wanted is asked, each question on its lane, and what comes is reported.
//!
//! It never writes to a server and never decides what is wanted: the demand comes in, samples go out.

pub mod sql;
