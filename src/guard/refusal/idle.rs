//! The sentence for a session that sits in a transaction, with what waits behind it.
//!
//! Whether it may be signalled is for the rules to say.

use crate::model::lock::at_most;

/// What is told of a session that sits in a transaction: why no cancel, and what it costs.
pub(super) fn in_transaction(pid: i32, open: Option<&str>, (blocks, frees, unsure): (usize, usize, bool)) -> String {
    let since = open.map_or_else(String::new, |open| format!(" (open {open})"));
    let behind = match (blocks, frees) {
        (0, _) => String::new(),
        (blocks, frees) if frees == blocks && !unsure => format!("; it blocks {blocks}, all of whom it would free"),
        (blocks, frees) => format!("; it blocks {blocks}, of whom it would free {}", at_most(frees, unsure)),
    };
    format!(
        "{pid} is idle in a transaction{since}: a cancel cannot help an idle session, its client must go on or it must be \
         terminated{behind}"
    )
}
