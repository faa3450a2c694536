//! What an option's kind makes of a text or of a TOML value, or the sentence that says why it cannot.
//!
//! It opens no file: a path is made absolute here and read by whoever needs what is in it.

use std::path::{Path, PathBuf};
use std::time::Duration;

use toml::Spanned;
use toml::de::DeValue;

use super::bounds::Syslog;
use super::health::{self, Dependency};
use super::option::Kind;
use crate::guard::{Pattern, Policy};
use crate::keymap::{EMBEDDED, source::did_you_mean};
use crate::model::baseline::WORKLOADS;

/// The most expressions in one list: each is tried on each name.
const MOST_PATTERNS: usize = 100;

/// A value of an option.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Value {
    /// On or off.
    Switch(bool),
    /// A text, path, address or expression.
    Text(String),
    /// Several texts.
    List(Vec<String>),
    /// A span of time.
    Time(Duration),
    /// A number.
    Count(u32),
    /// Bytes.
    Bytes(u64),
    /// A share in ten-thousandths: 80 % is 8000.
    Share(u32),
    /// What may be done.
    Policy(Policy),
    /// Names.
    Patterns(Vec<Pattern>),
    /// Whether the audit log is copied.
    Syslog(Syslog),
    /// Dependencies.
    Dependencies(Vec<Dependency>),
}

/// Where paths are meant from.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Base {
    /// The home folder, for `~/`.
    pub home: Option<PathBuf>,
    /// The folder of the config file; none for the command line and the environment, where the current one is meant.
    pub folder: Option<PathBuf>,
}

impl Base {
    /// The path that `text` means.
    #[must_use]
    pub fn path(&self, text: &str) -> PathBuf {
        match (text.strip_prefix("~/"), &self.home, &self.folder) {
            (Some(rest), Some(home), _) => home.join(rest),
            (_, _, Some(folder)) => folder.join(text),
            _ => PathBuf::from(text),
        }
    }
}

impl Kind {
    /// The value that `text` is.
    ///
    /// # Errors
    /// A sentence without its subject: ``"`1h` is more than 60s"``.
    pub fn read(self, text: &str, base: &Base) -> Result<Value, String> {
        if text.trim().is_empty() {
            return Err("is empty".to_owned());
        }
        let same = || Value::Text(text.to_owned());
        match self {
            Self::Switch => Ok(Value::Switch(is_on(text))),
            Self::Text(_) => Ok(same()),
            // A variable holds several, each on its line.
            Self::Headers => text
                .lines()
                .map(|line| header(line).map(|_| line.to_owned()))
                .collect::<Result<_, _>>()
                .map(Value::List),
            Self::Files => Ok(Value::List(text.lines().map(|line| shown_path(&base.path(line.trim()))).collect())),
            Self::File | Self::Folder => Ok(Value::Text(shown_path(&base.path(text)))),
            Self::Keymap => keymap(text, base),
            Self::Url => address(text).map(|()| same()),
            Self::Urls => {
                let lines = text.lines().map(str::trim).filter(|line| !line.is_empty());
                lines.map(|line| address(line).map(|()| line.to_owned())).collect::<Result<_, _>>().map(Value::List)
            }
            Self::Dependencies => Err(health::SECTION.to_owned()),
            Self::Regex => expression(text).map(|()| same()),
            Self::Prefix => prefix(text).map(|()| same()),
            Self::Workload => workload(text).map(|()| same()),
            Self::Count => match text.parse() {
                Ok(n) if n > 0 => Ok(Value::Count(n)),
                _ => Err(format!("`{text}` is no whole number above 0")),
            },
            Self::Percent => match text.parse() {
                Ok(n @ 1..=100) => Ok(Value::Count(n)),
                _ => Err(format!("`{text}` is no whole number from 1 to 100")),
            },
            Self::Time(least, most) => time(text, least, most).map(Value::Time),
            Self::Bytes => bytes(text).map(Value::Bytes),
            Self::Share => share(text).map(Value::Share),
            Self::Policy => policy(text).map(Value::Policy),
            Self::Syslog if text == "required" => Ok(Value::Syslog(Syslog::Required)),
            Self::Syslog => Err("is `true`, `false` or \"required\"".to_owned()),
            Self::Patterns => Ok(Value::Patterns(vec![pattern(text)?])),
        }
    }

    /// The value that `value` of a file is.
    ///
    /// # Errors
    /// As [`Kind::read`], and where TOML has another type there.
    pub fn read_toml(self, value: &DeValue<'_>, base: &Base) -> Result<Value, String> {
        match (self, value) {
            (Self::Syslog, DeValue::Boolean(on)) => Ok(Value::Syslog(if *on { Syslog::Copied } else { Syslog::Off })),
            (Self::Switch, DeValue::Boolean(on)) => Ok(Value::Switch(*on)),
            (Self::Switch, _) => Err("is `true` or `false`".to_owned()),
            (Self::Count | Self::Percent | Self::Time(..), DeValue::Integer(n)) => self.read(&n.to_string(), base),
            (Self::Count | Self::Percent | Self::Time(..), DeValue::Float(n)) => self.read(n.as_str(), base),
            (Self::Count | Self::Percent, _) => Err("is a whole number, without quotes".to_owned()),
            (Self::Headers, DeValue::Array(texts)) => {
                let mut all = Vec::new();
                for text in texts {
                    let text = text.get_ref().as_str().ok_or("is a list of texts in quotes")?;
                    header(text)?;
                    all.push(text.to_owned());
                }
                Ok(Value::List(all))
            }
            (Self::Files, DeValue::Array(texts)) => {
                let path = |text: &Spanned<DeValue<'_>>| {
                    let text = text.get_ref().as_str().filter(|t| !t.trim().is_empty());
                    text.map(|t| shown_path(&base.path(t))).ok_or_else(|| "is a list of files in quotes".to_owned())
                };
                texts.iter().map(path).collect::<Result<_, _>>().map(Value::List)
            }
            (Self::Urls, DeValue::Array(texts)) => {
                let url = |text: &Spanned<DeValue<'_>>| {
                    let text = text.get_ref().as_str().ok_or_else(|| "is a list of addresses in quotes".to_owned())?;
                    address(text).map(|()| text.to_owned())
                };
                texts.iter().map(url).collect::<Result<_, _>>().map(Value::List)
            }
            (Self::Dependencies, DeValue::Array(tables)) => health::dependencies(tables, base),
            (Self::Dependencies, _) => Err(health::SECTION.to_owned()),
            (Self::Patterns, DeValue::Array(texts)) if texts.len() <= MOST_PATTERNS => {
                let text = |value: &Spanned<DeValue<'_>>| value.get_ref().as_str().map(str::to_owned);
                let texts = texts.iter().map(|value| text(value).ok_or("is a list of texts in quotes".to_owned()));
                texts.map(|text| pattern(&text?)).collect::<Result<_, _>>().map(Value::Patterns)
            }
            (Self::Patterns, DeValue::Array(texts)) => {
                Err(format!("has {} expressions, more than {MOST_PATTERNS}", texts.len()))
            }
            (_, DeValue::String(text)) => self.read(text, base),
            (Self::Syslog, _) => Err("is `true`, `false` or \"required\"".to_owned()),
            (Self::Time(..), _) => Err("is a time such as \"2s\"".to_owned()),
            (Self::Bytes, _) => Err("is a size such as \"1GB\"".to_owned()),
            (Self::Share, _) => Err("is a share such as \"80%\"".to_owned()),
            _ => Err("is a text in quotes".to_owned()),
        }
    }
}

/// What a switch in the environment says: everything but these words is on.
fn is_on(text: &str) -> bool {
    !["0", "false", "no", "off"].contains(&text.trim().to_ascii_lowercase().as_str())
}

fn shown_path(path: &Path) -> String {
    path.to_string_lossy().into_owned()
}

/// Name and value of a header.
pub(super) fn header(text: &str) -> Result<(&str, &str), String> {
    match text.split_once(':') {
        Some((name, value)) if !name.trim().is_empty() && !value.trim().is_empty() => Ok((name.trim(), value.trim())),
        // The text may hold a credential: it is not repeated.
        _ => Err("is not of the form `NAME: VALUE`".to_owned()),
    }
}

fn keymap(text: &str, base: &Base) -> Result<Value, String> {
    let names = || EMBEDDED.iter().map(|(name, _)| *name);
    if names().any(|name| name == text) {
        return Ok(Value::Text(text.to_owned()));
    }
    // A name that is misspelt must not become a file that is missing.
    if text.contains('/') || Path::new(text).extension().is_some_and(|e| e == "toml") {
        return Ok(Value::Text(shown_path(&base.path(text))));
    }
    Err(format!("no keymap is called `{text}`{} (a file ends in .toml)", did_you_mean(text, names())))
}

fn pattern(text: &str) -> Result<Pattern, String> {
    Pattern::new(text).map_err(|reason| format!("`{text:.60}` {reason}"))
}

fn workload(text: &str) -> Result<(), String> {
    let names = || WORKLOADS.iter().map(|w| w.0);
    if names().any(|name| name == text) {
        return Ok(());
    }
    Err(format!("no workload is called `{text}`{}", did_you_mean(text, names())))
}

fn policy(text: &str) -> Result<Policy, String> {
    let words = || Policy::ALL.into_iter().map(Policy::word);
    Policy::ALL.into_iter().find(|policy| policy.word() == text).ok_or_else(|| {
        format!("no policy is called `{text}`{} (observer, operator, admin)", did_you_mean(text, words()))
    })
}

fn address(text: &str) -> Result<(), String> {
    let rest = text.strip_prefix("http://").or_else(|| text.strip_prefix("https://"));
    match rest {
        Some(rest) if !rest.starts_with('/') && !rest.is_empty() => Ok(()),
        // A password may be in it, so that it is not repeated.
        _ => Err("is no http:// or https:// address".to_owned()),
    }
}

fn expression(text: &str) -> Result<(), String> {
    regex::Regex::new(text).map(|_| ()).map_err(|e| {
        let e = e.to_string();
        let reason = e.lines().last().unwrap_or_default().trim_start_matches("error: ");
        format!("`{text}` is no regular expression: {reason}")
    })
}

fn prefix(text: &str) -> Result<(), String> {
    let starts = |c: char| c.is_ascii_alphabetic() || matches!(c, '_' | ':');
    if text.starts_with(starts) && text.chars().all(|c| starts(c) || c.is_ascii_digit()) {
        Ok(())
    } else {
        Err(format!("`{text}` cannot begin a metric's name"))
    }
}

/// A number with a unit, seconds where there is none.
fn time(text: &str, least: Duration, most: Duration) -> Result<Duration, String> {
    let text = text.trim();
    let (number, unit) = number_and_unit(text);
    let seconds = match unit {
        "ms" => 0.001,
        "" | "s" => 1.0,
        "m" | "min" => 60.0,
        "h" => 3600.0,
        _ => return Err(format!("`{text}` is no time; write `500ms`, `2s`, `1m` or `1h`")),
    };
    let span = number.parse::<f64>().ok().and_then(|n| Duration::try_from_secs_f64(n * seconds).ok());
    match span {
        None => Err(format!("`{text}` is no time; write `500ms`, `2s`, `1m` or `1h`")),
        Some(span) if span < least => Err(format!("`{text}` is less than {}", shown_time(least))),
        Some(span) if span > most => Err(format!("`{text}` is more than {}", shown_time(most))),
        Some(span) => Ok(span),
    }
}

/// A figure and the word behind it.
fn number_and_unit(text: &str) -> (&str, &str) {
    let unit_at = text.find(|c: char| !(c.is_ascii_digit() || c == '.')).unwrap_or(text.len());
    let (number, unit) = text.split_at(unit_at);
    (number, unit.trim())
}

/// Bytes with a unit of PostgreSQL's, which are powers of 1024 in whatever case.
fn bytes(text: &str) -> Result<u64, String> {
    let text = text.trim();
    let wrong = || format!("`{text}` is no size; write `512kB`, `64MB`, `1GB` or `2TB`");
    let (number, unit) = number_and_unit(text);
    let power = match unit.to_ascii_lowercase().as_str() {
        "b" => 0,
        "kb" => 1,
        "mb" => 2,
        "gb" => 3,
        "tb" => 4,
        _ => return Err(wrong()),
    };
    let size = number.parse::<f64>().map_err(|_| wrong())? * 1024_f64.powi(power);
    // Beyond this an exabyte begins, which no disk is.
    if !(1.0..=1e18).contains(&size) {
        return Err(wrong());
    }
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "between 1 and 1e18")]
    Ok(size as u64)
}

/// A share in ten-thousandths. A figure without `%` could be meant either way.
fn share(text: &str) -> Result<u32, String> {
    let text = text.trim();
    let wrong = || format!("`{text}` is no share; write `80%` or `0.5%`");
    let number = text.strip_suffix('%').ok_or_else(wrong)?.trim_end();
    let figure = number.parse::<f64>().map_err(|_| wrong())? * 100.0;
    // Hundredfold is more than any share that something is.
    if !(1.0..=1e6).contains(&figure) {
        return Err(wrong());
    }
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "between 1 and 1e6")]
    Ok(figure.round() as u32)
}

pub(super) fn shown_time(span: Duration) -> String {
    let ms = span.as_millis();
    if ms.is_multiple_of(3_600_000) && ms > 0 {
        format!("{}h", ms / 3_600_000)
    } else if ms.is_multiple_of(1000) {
        format!("{}s", ms / 1000)
    } else {
        format!("{ms}ms")
    }
}

#[cfg(test)]
mod tests {
    use super::super::option::{OPTIONS, Opt};
    use super::*;

    fn read(option: Opt, text: &str) -> Result<Value, String> {
        let base = Base { home: Some("/home/ann".into()), folder: Some("/home/ann/.config/pgtriage".into()) };
        option.spec().kind.read(text, &base)
    }

    #[test]
    fn texts_become_values() {
        let text = |t: &str| Value::Text(t.to_owned());
        let time = |ms| Value::Time(Duration::from_millis(ms));
        let table = [
            (Opt::Refresh, "2s", time(2000)),
            (Opt::Refresh, "2", time(2000)),
            (Opt::Refresh, " 1.5 s", time(1500)),
            (Opt::Refresh, "500ms", time(500)),
            (Opt::Refresh, "1m", time(60_000)),
            (Opt::SlowAfter, "24h", time(86_400_000)),
            (Opt::SlowAfter, "2min", time(120_000)),
            (Opt::PoolMax, "20", Value::Count(20)),
            (Opt::ReadOnly, "1", Value::Switch(true)),
            (Opt::ReadOnly, "yes", Value::Switch(true)),
            (Opt::ReadOnly, "anything", Value::Switch(true)),
            (Opt::ReadOnly, "0", Value::Switch(false)),
            (Opt::ReadOnly, "FALSE", Value::Switch(false)),
            (Opt::ReadOnly, "no", Value::Switch(false)),
            (Opt::ReadOnly, "off", Value::Switch(false)),
            (Opt::Keymap, "vim", text("vim")),
            (Opt::Keymap, "mine.toml", text("/home/ann/.config/pgtriage/mine.toml")),
            (Opt::Keymap, "~/keys/mine.toml", text("/home/ann/keys/mine.toml")),
            (Opt::Panels, "/srv/panels.toml", text("/srv/panels.toml")),
            (Opt::Prometheus, "https://metrics.example/prometheus", text("https://metrics.example/prometheus")),
            (Opt::PrometheusHeader, "X-Scope-OrgID: shop", Value::List(vec!["X-Scope-OrgID: shop".into()])),
            (Opt::Job, "shop|shop-.*", text("shop|shop-.*")),
            (Opt::MetricsPrefix, "shop_api", text("shop_api")),
        ];
        for (option, written, value) in table {
            assert_eq!(read(option, written), Ok(value), "{option:?} {written}");
        }
    }

    #[test]
    fn what_cannot_be_is_refused_with_a_sentence() {
        let table = [
            (Opt::Refresh, "100ms", "`100ms` is less than 500ms"),
            (Opt::Refresh, "61", "`61` is more than 60s"),
            (Opt::SlowAfter, "25h", "`25h` is more than 24h"),
            (Opt::Refresh, "-2s", "`-2s` is no time; write `500ms`, `2s`, `1m` or `1h`"),
            (Opt::Refresh, "1.2.3", "`1.2.3` is no time; write `500ms`, `2s`, `1m` or `1h`"),
            (Opt::Refresh, "2 weeks", "`2 weeks` is no time; write `500ms`, `2s`, `1m` or `1h`"),
            (Opt::Refresh, "inf", "`inf` is no time; write `500ms`, `2s`, `1m` or `1h`"),
            (Opt::Refresh, " ", "is empty"),
            (Opt::PoolMax, "0", "`0` is no whole number above 0"),
            (Opt::PoolMax, "many", "`many` is no whole number above 0"),
            (Opt::Keymap, "vi", "no keymap is called `vi`; did you mean `vim`? (a file ends in .toml)"),
            (Opt::Keymap, "nano", "no keymap is called `nano` (a file ends in .toml)"),
            (Opt::Prometheus, "localhost:9090", "is no http:// or https:// address"),
            (Opt::Prometheus, "http://", "is no http:// or https:// address"),
            (Opt::PrometheusHeader, "X-Scope-OrgID", "is not of the form `NAME: VALUE`"),
            (Opt::Job, "shop(", "`shop(` is no regular expression: unclosed group"),
            (Opt::MetricsPrefix, "9lives", "`9lives` cannot begin a metric's name"),
        ];
        for (option, written, message) in table {
            assert_eq!(read(option, written), Err(message.to_owned()), "{option:?} {written}");
        }
    }

    #[test]
    fn every_default_is_a_value() {
        for spec in OPTIONS {
            if let Some(default) = spec.default {
                assert!(spec.kind.read(default, &Base::default()).is_ok(), "{}", spec.name);
            }
        }
    }
}
