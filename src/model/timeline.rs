//! What happened, in the order in which it happened: plain sentences with their time, for whoever writes the incident
//! down.

use serde::{Deserialize, Serialize};

use super::Timestamp;

/// One line of it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct TimelineEntry {
    /// When.
    pub at: Timestamp,
    /// What, in a sentence. It may hold a server's words, or a file's: to be escaped where it is shown.
    pub what: String,
}
