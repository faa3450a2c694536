//! A text that must not be seen: a password, a token, a connection string that may hold one.
//!
//! It hides from prints and records; it does not encrypt or forget.

use std::fmt;

use serde::{Serialize, Serializer};

/// A text that is written as `…` wherever values are printed or recorded.
#[derive(Clone, PartialEq, Eq)]
pub struct Secret(String);

impl Secret {
    /// Keeps `raw`.
    pub fn new(raw: impl Into<String>) -> Self {
        Self(raw.into())
    }

    /// The text itself, for the server that it is meant for.
    #[must_use]
    pub fn reveal(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("…")
    }
}

impl Serialize for Secret {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str("…")
    }
}
