//! Asking: one task for each source, samples out on a channel.
//!
//! It never changes anything on a server and knows nothing of what is on the screen.

pub mod prometheus;

use crate::model::{Link, Sample};

/// What a probe tells the program.
#[derive(Debug, Clone, PartialEq)]
pub enum Report {
    /// An answer, or why there is none.
    Sample(Sample),
    /// The state of the connection changed.
    Link(Link),
}
