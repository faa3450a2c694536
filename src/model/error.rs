//! Why a question has no answer. An error is state: it stands in its panel, with its age and its cure.

use serde::{Deserialize, Serialize};

/// What went wrong with one question. The variants are the differences that a reader must see.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, thiserror::Error)]
pub enum ProbeError {
    /// There is no connection to ask on; the words are the last that were heard.
    #[error("unreachable: {0}")]
    Unreachable(String),
    /// No answer within the time that the question may take.
    #[error("no answer within {0} s")]
    TimedOut(u32),
    /// The server gave up waiting for a lock (`lock_timeout`, SQLSTATE 55P03): somebody holds what we wanted to read.
    #[error("gave up behind a lock: {0}")]
    Locked(String),
    /// The role may not read this; `cure` is the statement that would allow it.
    #[error("no permission: {cure}")]
    Denied {
        /// The `GRANT` (or setting) that cures it.
        cure: String,
    },
    /// An extension, table or series that is not there; a fact, not a fault.
    #[error("{0}")]
    Absent(String),
    /// HTTP 401 or 403: the endpoint wants other credentials.
    #[error("{0}: credentials refused")]
    Unauthorized(String),
    /// The server refused the question with these words.
    #[error("{message} ({code})")]
    Refused {
        /// SQLSTATE or HTTP status.
        code: String,
        /// The server's words.
        message: String,
    },
    /// What was asked is at fault itself, in these words: an alert rule whose alerts are more than its group's limit.
    #[error("{0}")]
    Faulty(String),
    /// The answer did not have the shape that was asked for.
    #[error("unexpected answer: {0}")]
    Shape(String),
}
