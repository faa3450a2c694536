//! What the samples mean.
//!
//! Pure: no clock, no input, no output. It asks nobody and draws nothing.

pub mod alert;
