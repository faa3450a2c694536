//! What is known, as text for standard output. It asks no server and needs no terminal.

pub mod audit;
pub mod rules;
