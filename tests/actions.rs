//! The guarded actions on real servers, from the question to the audit line: each outcome is what the server did.
//!
//! The way in is the console's own: a world, a question, a key; nothing here makes an approval of its own.

pub mod bench;
mod bulk;
mod cancel;
mod expire;
mod foreign;
mod killed;
mod log;
mod maintain;
mod matrix;
mod own;
mod race;
mod reindex;
mod road;
mod settings;
mod terminate;
mod twice;
