//! The statements that the probes send: one file each, chosen by version and filled in here.
//!
//! A file runs in psql as it is: parameters are psql variables, `:number`, `:'literal'` and `:"identifier"`, and they take
//! the same quoting here. A line that ends in `--[>=14]`, `--[<14]` or `--[14-17]` belongs to those major versions only; one
//! that does not belong to the newest is a comment for psql and begins with `--:`.
//! This module never connects and never guesses a value: what does not fit its place is an error.

use std::fmt::Write;
use std::iter::Peekable;
use std::str::Chars;

use crate::model::ProbeError;

/// A statement in a file of its own.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Script {
    /// Its file's name without `.sql`.
    pub name: &'static str,
    source: &'static str,
}

macro_rules! scripts {
    ($($constant:ident $file:literal,)*) => {
        $(
            #[doc = concat!("`", $file, ".sql`")]
            pub const $constant: Script =
                Script { name: $file, source: include_str!(concat!("sql/", $file, ".sql")) };
        )*
        /// Every statement there is, for the tests that run them all.
        pub const ALL: &[Script] = &[$($constant,)*];
    };
}

scripts! {
    ACTIVITY "activity",
    ACTIVITY_DATABASES "activity_databases",
    ACTIVITY_IO "activity_io",
    ACTIVITY_LIMITED "activity_limited",
    ACTIVITY_PARTITIONS "activity_partitions",
    ACTIVITY_PREPARED "activity_prepared",
    ACTIVITY_SUBSCRIPTIONS "activity_subscriptions",
    ACTIVITY_WAL "activity_wal",
    BLOAT "bloat",
    CACHE "cache",
    CACHE_CONTENTS "cache_contents",
    CACHE_LOOKUPS "cache_lookups",
    CACHE_SIZE "cache_size",
    DATABASES "databases",
    DATABASE_SIZES "database_sizes",
    EXACT_BLOAT "exact_bloat",
    EXACT_TARGET "exact_target",
    IDENTITY "identity",
    INDEXES "indexes",
    INDEXES_CONTEXT "indexes_context",
    INDEX_DEFINITION "index_definition",
    PLAN_PATH "plan_path",
    PLAN_REACH "plan_reach",
    PLAN_TABLES "plan_tables",
    PREPARED "prepared",
    PROGRESS "progress",
    PROGRESS_NAMES "progress_names",
    RELATIONS "relations",
    RELATIONS_CONTEXT "relations_context",
    REPLICATION "replication",
    SERVER "server",
    SETTINGS "settings",
    SETTINGS_FILES "settings_files",
    SETTINGS_OVERRIDES "settings_overrides",
    SESSIONS "sessions",
    SESSIONS_NOJOIN "sessions_nojoin",
    SESSION_LOCKS "session_locks",
    SLOTS "slots",
    STANDBY "standby",
    STATEMENTS "statements",
    STATEMENTS_CONTEXT "statements_context",
    STATEMENTS_INFO "statements_info",
    STATEMENTS_NAMES "statements_names",
    STATEMENTS_SCHEMA "statements_schema",
    STATEMENTS_TEXTS "statements_texts",
    VACUUM_PROGRESS "vacuum_progress",
}

/// A value for a variable. Its kind says where it may stand.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Value<'a> {
    /// For `:name`.
    Integer(i64),
    /// For `:name`; must be finite.
    Real(f64),
    /// For `:name`: at least one, separated by commas.
    Integers(&'a [u32]),
    /// For `:'name'`.
    Text(&'a str),
    /// For `:"name"`.
    Name(&'a str),
}

/// Why a statement could not be made.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ScriptError {
    /// The file asks for a variable that was not given.
    #[error("{0}: no value for :{1}")]
    Missing(&'static str, String),
    /// The value cannot stand in that place, or not at all.
    #[error("{0}: the value of :{1} does not fit its place")]
    Unfit(&'static str, String),
    /// A version tag that cannot be read.
    #[error("{0}: unknown version tag [{1}]")]
    Tag(&'static str, String),
}

impl From<ScriptError> for ProbeError {
    fn from(error: ScriptError) -> Self {
        Self::Shape(error.to_string())
    }
}

impl Script {
    /// The file as it is, comments included.
    #[must_use]
    pub fn source(&self) -> &'static str {
        self.source
    }

    /// The statement for one major version, without comments, its variables filled in.
    ///
    /// # Errors
    /// A variable without a value, a value that does not fit its place, a tag that cannot be read.
    pub fn render(&self, major: i32, values: &[(&str, Value<'_>)]) -> Result<String, ScriptError> {
        self.fill(&self.lines_of(major)?, values)
    }

    /// The lines that belong to one major version, without comments, the variables as they are.
    ///
    /// # Errors
    /// A tag that cannot be read.
    pub fn lines_of(&self, major: i32) -> Result<String, ScriptError> {
        let mut text = String::with_capacity(self.source.len());
        for line in self.source.lines() {
            let code = match tagged(line) {
                Some((code, tag)) => {
                    let applies = applies(tag, major).ok_or_else(|| ScriptError::Tag(self.name, tag.to_owned()))?;
                    if !applies {
                        continue;
                    }
                    code.trim_start().strip_prefix("--:").unwrap_or(code)
                }
                None if line.trim_start().starts_with("--") => continue,
                None => line,
            };
            text.push_str(code.trim_end());
            text.push('\n');
        }
        Ok(text)
    }

    /// Replaces the variables outside of literals and quoted identifiers, as psql does.
    fn fill(&self, text: &str, values: &[(&str, Value<'_>)]) -> Result<String, ScriptError> {
        let mut out = String::with_capacity(text.len());
        let mut rest = text.chars().peekable();
        let mut before = ' ';
        while let Some(c) = rest.next() {
            match c {
                '\'' | '"' => {
                    out.push(c);
                    copy_quoted(&mut rest, &mut out, c, c == '\'' && matches!(before, 'E' | 'e'));
                }
                ':' if rest.peek() == Some(&':') => {
                    rest.next();
                    out.push_str("::");
                }
                ':' => self.fill_one(&mut rest, &mut out, values)?,
                other => out.push(other),
            }
            before = c;
        }
        Ok(out)
    }

    fn fill_one(
        &self,
        rest: &mut Peekable<Chars<'_>>,
        out: &mut String,
        values: &[(&str, Value<'_>)],
    ) -> Result<(), ScriptError> {
        let quote = rest.next_if(|c| matches!(c, '\'' | '"'));
        let mut name = String::new();
        while let Some(c) =
            rest.next_if(|c| c.is_ascii_lowercase() || *c == '_' || (!name.is_empty() && c.is_ascii_digit()))
        {
            name.push(c);
        }
        let Some(quote) = quote else {
            if name.is_empty() {
                // A slice such as [1:64].
                out.push(':');
                return Ok(());
            }
            return self.push_value(out, &name, None, values);
        };
        rest.next_if_eq(&quote);
        self.push_value(out, &name, Some(quote), values)
    }

    fn push_value(
        &self,
        out: &mut String,
        name: &str,
        quote: Option<char>,
        values: &[(&str, Value<'_>)],
    ) -> Result<(), ScriptError> {
        let Some((_, value)) = values.iter().find(|(known, _)| *known == name) else {
            return Err(ScriptError::Missing(self.name, name.to_owned()));
        };
        let unfit = || ScriptError::Unfit(self.name, name.to_owned());
        match (quote, value) {
            (None, Value::Integer(figure)) => {
                let _ = write!(out, "{figure}");
            }
            (None, Value::Real(figure)) if figure.is_finite() => {
                let _ = write!(out, "{figure}");
            }
            (None, Value::Integers(figures)) if !figures.is_empty() => {
                for (nth, figure) in figures.iter().enumerate() {
                    let _ = write!(out, "{}{figure}", if nth == 0 { "" } else { "," });
                }
            }
            (Some('\''), Value::Text(text)) => out.push_str(&literal(text).ok_or_else(unfit)?),
            (Some('"'), Value::Name(text)) => out.push_str(&identifier(text).ok_or_else(unfit)?),
            _ => return Err(unfit()),
        }
        Ok(())
    }
}

/// A literal that means the same whatever `standard_conforming_strings` says; none for a text with a NUL, which no server
/// can hold.
#[must_use]
pub fn literal(text: &str) -> Option<String> {
    let quoted = text.replace('\'', "''");
    if text.contains('\0') {
        None
    } else if text.contains('\\') {
        Some(format!(" E'{}'", quoted.replace('\\', "\\\\")))
    } else {
        Some(format!("'{quoted}'"))
    }
}

/// A quoted identifier; none for an empty one or one with a NUL.
#[must_use]
pub fn identifier(text: &str) -> Option<String> {
    (!text.is_empty() && !text.contains('\0')).then(|| format!("\"{}\"", text.replace('"', "\"\"")))
}

fn copy_quoted(rest: &mut Peekable<Chars<'_>>, out: &mut String, quote: char, escapes: bool) {
    while let Some(c) = rest.next() {
        out.push(c);
        if c == quote {
            return;
        }
        if c == '\\' && escapes {
            out.extend(rest.next());
        }
    }
}

/// Code and tag of a line that ends in `--[tag]`.
fn tagged(line: &str) -> Option<(&str, &str)> {
    let (code, tag) = line.trim_end().strip_suffix(']')?.rsplit_once("--[")?;
    Some((code, tag))
}

/// Whether a tag holds for a major version; none where it cannot be read.
fn applies(tag: &str, major: i32) -> Option<bool> {
    if let Some(first) = tag.strip_prefix(">=") {
        Some(major >= first.parse().ok()?)
    } else if let Some(next) = tag.strip_prefix('<') {
        Some(major < next.parse().ok()?)
    } else {
        let (first, last) = tag.split_once('-')?;
        Some(major >= first.parse().ok()? && major <= last.parse().ok()?)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn script(source: &'static str) -> Script {
        Script { name: "test", source }
    }

    #[test]
    fn a_tag_chooses_the_lines_of_a_version() {
        let s = script("-- why\nSELECT 1\n  -- more\n, a --[>=14]\n--:, b --[<14]\n  --: , c --[14-17]\n");
        assert_eq!(s.render(13, &[]).unwrap(), "SELECT 1\n, b\n");
        assert_eq!(s.render(17, &[]).unwrap(), "SELECT 1\n, a\n , c\n");
        assert_eq!(s.render(18, &[]).unwrap(), "SELECT 1\n, a\n");
        assert_eq!(script("a --[14+]").render(18, &[]), Err(ScriptError::Tag("test", "14+".to_owned())));
    }

    #[test]
    fn each_kind_of_value_is_quoted_for_its_place() {
        let s = script("a = :n AND b = :'t' AND c IN (:list) FROM :\"s\".x(:r) -- not a tag");
        let values = [
            ("n", Value::Integer(-5)),
            ("t", Value::Text("o'clock")),
            ("list", Value::Integers(&[1, 2])),
            ("s", Value::Name("we\"ird")),
            ("r", Value::Real(0.5)),
        ];
        let made = s.render(15, &values).unwrap();
        assert_eq!(made, "a = -5 AND b = 'o''clock' AND c IN (1,2) FROM \"we\"\"ird\".x(0.5) -- not a tag\n");
    }

    #[test]
    fn a_backslash_cannot_end_a_literal_early() {
        assert_eq!(literal("\\' OR 1=1 --").unwrap(), " E'\\\\'' OR 1=1 --'");
        assert_eq!(literal("a\0b"), None);
        assert_eq!(identifier(""), None);
    }

    #[test]
    fn casts_slices_and_quoted_text_are_left_alone() {
        let text = "a::text, b[1:64], ':n', \"x:n\", E'\\':n', '\\'\n";
        assert_eq!(script(text).fill(text, &[]).unwrap(), text);
    }

    #[test]
    fn a_value_of_the_wrong_kind_is_refused_and_so_is_a_missing_one() {
        let s = script(":n");
        assert_eq!(s.render(15, &[("n", Value::Text("1; DROP"))]), Err(ScriptError::Unfit("test", "n".to_owned())));
        assert_eq!(s.render(15, &[("n", Value::Real(f64::NAN))]), Err(ScriptError::Unfit("test", "n".to_owned())));
        assert_eq!(s.render(15, &[("n", Value::Integers(&[]))]), Err(ScriptError::Unfit("test", "n".to_owned())));
        assert_eq!(s.render(15, &[]), Err(ScriptError::Missing("test", "n".to_owned())));
        assert!(script(":'n'").render(15, &[("n", Value::Integer(1))]).is_err());
    }

    #[test]
    fn every_file_says_what_it_answers_since_when_with_which_privilege_locks_and_cost() {
        for script in ALL {
            let head: String = script.source().lines().take_while(|l| l.starts_with("--")).collect();
            for word in ["-- Answers:", "Since:", "Privilege:", "Locks:", "Cost:"] {
                assert!(head.contains(word), "{}.sql does not say {word}", script.name);
            }
        }
    }

    #[test]
    fn every_file_is_one_statement_that_only_reads() {
        for script in ALL {
            let code: Vec<&str> = script.source().lines().filter(|l| !l.trim_start().starts_with("--")).collect();
            assert!(code.iter().all(|l| !l.contains(';')), "{}.sql holds a semicolon", script.name);
            let first = code.first().copied().unwrap_or_default();
            assert!(
                first.starts_with("SELECT") || first.starts_with("WITH"),
                "{}.sql begins with {first}",
                script.name
            );
            for line in code {
                assert_eq!(
                    line.contains("--"),
                    tagged(line).is_some(),
                    "{}.sql, comment in a line: {line}",
                    script.name
                );
            }
        }
    }

    #[test]
    fn every_file_is_for_psql_what_it_is_for_the_newest_version() {
        for script in ALL {
            for line in script.source().lines() {
                let hidden = line.trim_start().starts_with("--:");
                let belongs = tagged(line).map(|(_, tag)| applies(tag, 18).unwrap());
                assert_eq!(hidden, belongs == Some(false), "{}.sql: {line}", script.name);
            }
        }
    }

    #[test]
    fn every_file_is_in_the_list() {
        let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("src/probe/sql");
        let mut files: Vec<String> = std::fs::read_dir(folder)
            .unwrap()
            .map(|f| f.unwrap().file_name().into_string().unwrap().replace(".sql", ""))
            .collect();
        files.sort();
        let mut listed: Vec<&str> = ALL.iter().map(|s| s.name).collect();
        listed.sort_unstable();
        assert_eq!(files, listed);
    }
}
