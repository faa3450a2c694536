//! Owns `~/.pgpass`: may it be used, and which of its lines is about this connection.
//!
//! It must not fail a connection: a file that may not be used is a warning, as in libpq.

use super::password::Secret;
use super::surroundings::Surroundings;
use std::path::{Path, PathBuf};

/// What a line of the file is looked up by.
#[derive(Debug, Clone, Copy)]
pub struct Wanted<'a> {
    /// The host as given; `localhost` stands for the default socket directory.
    pub host: &'a str,
    /// The port, in digits.
    pub port: &'a str,
    /// The database.
    pub database: &'a str,
    /// The role.
    pub user: &'a str,
}

/// The file that libpq would look into.
pub fn path(given: Option<&str>, around: &dyn Surroundings) -> Option<PathBuf> {
    match given {
        Some(path) => Some(PathBuf::from(path)),
        None => around.home().map(|home| home.join(".pgpass")),
    }
}

/// The text of the file if it may be used, else libpq's warning if it deserves one.
///
/// # Errors
/// The warning: not a plain file, or others may read it.
pub fn text(path: &Path, around: &dyn Surroundings) -> Result<Option<String>, String> {
    let Ok(facts) = around.facts(path) else { return Ok(None) };
    if !facts.is_plain {
        return Err(format!("password file \"{}\" is not a plain file", path.display()));
    }
    if facts.mode & 0o077 != 0 {
        return Err(format!(
            "password file \"{}\" has group or world access; permissions should be u=rw (0600) or less",
            path.display()
        ));
    }
    Ok(around.read(path).ok())
}

/// The password of the first line that matches.
pub fn find(text: &str, wanted: Wanted<'_>) -> Option<Secret> {
    text.lines().filter(|line| !line.starts_with('#')).find_map(|line| {
        let rest = after_field(line, wanted.host)?;
        let rest = after_field(rest, wanted.port)?;
        let rest = after_field(rest, wanted.database)?;
        let rest = after_field(rest, wanted.user)?;
        Some(Secret::new(unescaped(rest.trim_end_matches('\r'))))
    })
}

/// What follows the first field and its colon, if the field is `*` or spells `token`.
fn after_field<'a>(line: &'a str, token: &str) -> Option<&'a str> {
    if let Some(rest) = line.strip_prefix("*:") {
        return Some(rest);
    }
    let mut chars = line.chars();
    let mut expected = token.chars();
    loop {
        let mut c = chars.next()?;
        if c == ':' {
            return expected.next().is_none().then_some(chars.as_str());
        }
        if c == '\\' {
            c = chars.next()?;
        }
        if expected.next() != Some(c) {
            return None;
        }
    }
}

/// The password up to the next bare colon, without its backslashes.
fn unescaped(text: &str) -> String {
    let mut chars = text.chars();
    let mut password = String::new();
    while let Some(c) = chars.next().filter(|c| *c != ':') {
        password.push(if c == '\\' { chars.next().unwrap_or(c) } else { c });
    }
    password
}

#[cfg(test)]
mod tests {
    use super::super::surroundings::fake::Fake;
    use super::*;

    const WANTED: Wanted<'_> = Wanted { host: "db:1", port: "5432", database: r"a\b", user: "alice" };

    fn found(text: &str) -> Option<String> {
        find(text, WANTED).map(|secret| secret.reveal().to_owned())
    }

    #[test]
    fn the_first_matching_line_answers() {
        assert_eq!(found("*:*:*:bob:no\n*:5432:*:alice:first\n*:*:*:*:second").as_deref(), Some("first"));
        assert_eq!(found("*:*:*:alice"), None);
        assert_eq!(found("x*:*:*:*:no"), None);
    }

    #[test]
    fn colons_and_backslashes_are_escaped() {
        assert_eq!(found(r"db\:1:5432:a\\b:alice:p\:q\\:rest").as_deref(), Some(r"p:q\"));
        assert_eq!(found(r"db:1:5432:a\\b:alice:x"), None);
        assert_eq!(found("*:*:*:*:tail\\").as_deref(), Some("tail\\"));
    }

    #[test]
    fn comments_are_skipped_and_carriage_returns_dropped() {
        assert_eq!(found("#*:*:*:*:no\r\n*:*:*:*:yes\r\n").as_deref(), Some("yes"));
    }

    #[test]
    fn a_file_that_others_may_read_is_not_used() {
        let around = Fake::default().file("/p", 0o640, "*:*:*:*:x").file("/q", 0o600, "*:*:*:*:x");
        assert!(text(Path::new("/p"), &around).expect_err("refused").contains("group or world access"));
        assert!(text(Path::new("/q"), &around).expect("usable").is_some());
        assert_eq!(text(Path::new("/none"), &around), Ok(None));
    }
}
