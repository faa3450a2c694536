//! pgtriage: what is wrong with this PostgreSQL, and the one safe thing to do about it.
//!
//! ```text
//!    reads    PostgreSQL ─┐
//!             Prometheus ─┴─► probe ──► model ──► app ──► view ──► screen
//!                                                 ▲ │
//!    asks               keys ─► keymap ─► command ─┘ │
//!                                                    ▼
//!    writes   PostgreSQL ◄── effect ◄── guard ◄──────┘
//! ```
//!
//! Row one reads, row three writes, and the middle has no clock, no input and no output: time arrives inside events.
//! So a test is a story told in keys and samples. One module, `effect::writer`, sends a statement that changes
//! anything, and it takes nothing but what `guard` approved.

pub mod app;
pub mod command;
pub mod config;
pub mod console;
pub mod diagnose;
pub mod effect;
pub mod guard;
pub mod headless;
pub mod keymap;
pub mod message;
pub mod model;
pub mod postgres;
pub mod probe;
pub mod report;
pub mod table;
pub mod view;
