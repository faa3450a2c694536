//! The words of the command line that are no flags: a URI, `key=value` words, or a name and perhaps a user.
//!
//! It sorts them as psql does; what is in a conninfo is for the connection to read.

use serde::Serialize;

use super::ConfigError;
use super::secret::Secret;

/// When to ask for a password.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
pub enum AskPassword {
    /// When the server wants one and none is known.
    #[default]
    AsNeeded,
    /// Never (`-w`).
    Never,
    /// Before connecting (`-W`).
    First,
}

/// What the user gave of the connection. What is missing comes from `PG*` variables, service and password files; the
/// rules are libpq's.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Given {
    /// The conninfo of the config file (of the target, or the general one): every other field goes before it.
    pub base: Option<Secret>,
    /// What libpq takes for `dbname`: a database, or a URI or `key=value` words which go before `host`, `port` and
    /// `user`, as in psql.
    pub dbname: Option<Secret>,
    /// `-h`.
    pub host: Option<String>,
    /// `-p`.
    pub port: Option<String>,
    /// `-U`, or the word after the database.
    pub user: Option<String>,
    /// `-w`, `-W`.
    pub ask: AskPassword,
}

/// What the words are.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Sorted {
    /// A target of the config files.
    pub target: Option<String>,
    /// What libpq takes for `dbname`.
    pub dbname: Option<String>,
    /// A user.
    pub user: Option<String>,
}

/// True where libpq would read `text` as a connection string rather than as a database's name.
#[must_use]
pub fn is_conninfo(text: &str) -> bool {
    text.starts_with("postgres://") || text.starts_with("postgresql://") || text.contains('=')
}

/// Sorts the words. `dbname` and `user` are what `-d` and `-U` gave.
pub(super) fn sort(
    words: &[String],
    dbname: Option<&str>,
    user: Option<&str>,
    is_target: impl Fn(&str) -> bool,
) -> Result<Sorted, ConfigError> {
    let mut sorted = Sorted { target: None, dbname: dbname.map(str::to_owned), user: user.map(str::to_owned) };
    let mut rest = words.iter();
    match words {
        // No name holds `=` or `://` (`file` refuses such a target), so these are looked at first.
        [first, ..] if is_conninfo(first) => {
            if let Some(dbname) = dbname {
                return Err(usage(&format!("-d `{}` and `{}` both name a database", hidden(dbname), hidden(first))));
            }
            if let Some(other) = words.iter().skip(1).find(|w| !w.contains('=') || first.contains("://")) {
                return Err(usage(&format!("what is `{}` after a conninfo?", hidden(other))));
            }
            sorted.dbname = Some(joined(words));
            rest = [].iter();
        }
        [first, ..] if is_target(first) => {
            if dbname.is_some_and(is_conninfo) {
                return Err(usage(&format!("-d and the target `{first}` both name a server")));
            }
            sorted.target = Some(first.clone());
            rest.next();
        }
        _ => {}
    }
    // As psql: a word is the database if there is none yet, else the user; psql drops a third with a warning.
    for word in rest {
        if sorted.dbname.is_none() && sorted.target.is_none() {
            sorted.dbname = Some(word.clone());
        } else if sorted.user.is_none() {
            sorted.user = Some(word.clone());
        } else {
            return Err(usage(&format!("one word too many: `{word}`")));
        }
    }
    Ok(sorted)
}

fn usage(message: &str) -> ConfigError {
    ConfigError::Usage(format!("error: {message}"))
}

/// A conninfo in a message could show a password.
fn hidden(word: &str) -> &str {
    if is_conninfo(word) { "…" } else { word }
}

/// One conninfo of several words. The shell took the quotes away, so a value with a blank in it gets them back; a
/// single word is left alone, for it may hold several pairs.
fn joined(words: &[String]) -> String {
    if let [word] = words {
        return word.clone();
    }
    words.iter().map(|w| quoted(w)).collect::<Vec<_>>().join(" ")
}

fn quoted(word: &str) -> String {
    match word.split_once('=') {
        Some((key, value))
            if value.contains(char::is_whitespace) && !value.contains('=') && !value.starts_with('\'') =>
        {
            format!("{key}='{}'", value.replace('\\', "\\\\").replace('\'', "\\'"))
        }
        _ => word.to_owned(),
    }
}
