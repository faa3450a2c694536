//! Owns secrets: a password that does not print itself, and the prompt that asks for one without echo.
//!
//! It must not run once the screen is open: the prompt owns the terminal while it asks.

use std::fmt;
use std::io;

/// A password.
#[derive(Clone, PartialEq, Eq)]
pub struct Secret(String);

impl Secret {
    /// Takes a password in.
    #[must_use]
    pub fn new(text: impl Into<String>) -> Self {
        Self(text.into())
    }

    /// The password itself; only for handing it to a server.
    #[must_use]
    pub fn reveal(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret(…)")
    }
}

/// Asks on the terminal, without echo, with psql's words and the host besides.
///
/// # Errors
/// There is no terminal, or it was closed.
pub fn prompt_password(user: &str, host: &str) -> io::Result<Secret> {
    rpassword::prompt_password(format!("Password for user {user} at {host}: ")).map(Secret::new)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_secret_never_prints_itself() {
        assert_eq!(format!("{:?}", Secret::new("hunter2")), "Secret(…)");
    }
}
