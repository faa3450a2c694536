//! What the program was told: flags, environment and files become one [`Settings`].
//!
//! Plain data goes out. It connects to nothing and reads files only through [`Surroundings`].

mod audit;
mod bounds;
mod ceiling;
mod file;
mod health;
mod layer;
mod limits;
mod line;
mod markdown;
mod metrics;
pub mod option;
mod plan;
mod resolve;
mod rules;
mod secret;
mod surroundings;
mod value;
mod words;

use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::time::Duration;

use serde::Serialize;

pub use audit::{AuditLook, AuditRequest};
pub use bounds::{Bounds, Syslog};
pub use ceiling::{Ceiling, Place};
pub use health::{Dependency, Endpoint, Health, Pooler, Road};
pub use layer::Origin;
pub use limits::limits_markdown;
pub use markdown::options_markdown;
pub use metrics::{BasicAuth, Metrics, Prometheus};
pub use plan::PlanLogin;
pub use rules::{RulesLook, RulesRequest};
pub use secret::Secret;
pub use surroundings::{Actor, Surroundings};
pub use words::{AskPassword, Given, is_conninfo};

use crate::command::Reach;
use crate::diagnose::Limits;
use crate::guard::Policy;
use crate::keymap::Keymap;
use crate::keymap::source::{Source, SourceError};

/// A commented config file, which `--print-config` prints: the options, and the limits as their table has them.
#[must_use]
pub fn example() -> String {
    format!("{}{}", include_str!("config/example.toml"), limits::example())
}

/// What is to be done.
#[derive(Debug, Clone, PartialEq)]
pub enum Request {
    /// Open the console.
    Run(Box<Settings>),
    /// Look at the audit log and leave.
    Audit(AuditRequest),
    /// Look at alert rules and leave.
    Rules(Box<RulesRequest>),
    /// Print this and leave with success.
    Print(String),
}

/// Everything that was settled.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Settings {
    /// The target's name in the config file.
    pub target: Option<String>,
    /// What may be done, before it is known which server is meant.
    pub bounds: Bounds,
    /// The ceilings for servers by their names.
    #[serde(skip)]
    pub ceilings: Vec<Ceiling>,
    /// What was given of the connection.
    pub connection: Given,
    /// The login of its own that plans are made on; none: the console's.
    pub plan_login: Option<PlanLogin>,
    /// What is asked of Prometheus and of the cache table.
    pub metrics: Metrics,
    /// What is watched beside the database.
    pub health: Health,
    /// Time between two looks.
    pub refresh: Duration,
    /// From when on something is slow.
    pub slow_after: Duration,
    /// From when on something is a finding; what is slow is `slow_after`.
    pub limits: Limits,
    /// The keys.
    pub keymap: KeymapChoice,
    /// A file with panels in place of the built-in ones.
    pub panels: Option<PathBuf>,
    /// A folder with runbooks beside the built-in ones.
    pub runbooks: Option<PathBuf>,
    /// Rules, silences, and who hears of alerts.
    pub alerting: Alerting,
    /// Draw with ASCII only.
    pub ascii: bool,
    /// Draw without colour.
    pub no_color: bool,
    /// The audit log; none only where nothing may be done anyway.
    pub audit_file: Option<PathBuf>,
    /// Who acts.
    pub actor: Actor,
    /// What the user should know about the settings: sentences.
    pub warnings: Vec<String>,
}

/// What is evaluated beside the built-in rules, and who hears of it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Alerting {
    /// Prometheus rule files.
    pub rules: Vec<PathBuf>,
    /// Base address of Alertmanager; a user and password may stand in it.
    pub alertmanager: Option<Secret>,
    /// Whether a new critical alert rings the bell and stands in the title.
    pub bell: bool,
}

/// Which keymap.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub enum KeymapChoice {
    /// An embedded one of this name.
    Embedded(String),
    /// A file.
    File(PathBuf),
}

/// Settings that cannot be used. Each is one sentence for the terminal; the exit code is 2, as for any wrong usage.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ConfigError {
    /// The command line is not one of ours; the text is whole, with its `error:`.
    #[error("{0}")]
    Usage(String),
    /// A value of the command line or of the environment.
    #[error("error: {origin}: {message}")]
    Value {
        /// Which.
        origin: Origin,
        /// What is wrong with it.
        message: String,
    },
    /// Something in a file.
    #[error("error: {0}")]
    Source(#[from] SourceError),
    /// A file that cannot be read.
    #[error("error: {path}: {message}{}", .origin.as_ref().map_or_else(String::new, |o| format!(" ({o})")))]
    Read {
        /// Who named it; none where it is the usual one.
        origin: Option<Origin>,
        /// The file.
        path: String,
        /// The operating system's words.
        message: String,
    },
}

impl Settings {
    /// The same at a server that is known by these names: every ceiling that holds there bounds it.
    #[must_use]
    pub fn at(mut self, place: &Place) -> Self {
        for ceiling in self.ceilings.iter().filter(|ceiling| ceiling.holds(place)) {
            self.bounds = self.bounds.under(&ceiling.layer);
        }
        // From one database the tables and sessions of another are reached, too.
        for (ceiling, databases) in self.ceilings.iter().filter_map(|c| Some((c, c.beside(place)?))) {
            self.bounds = self.bounds.beside(&ceiling.layer, databases);
        }
        self
    }

    /// What may be done.
    #[must_use]
    pub fn policy(&self) -> Policy {
        self.bounds.policy
    }

    /// Why nothing may be done; none where something may be.
    #[must_use]
    pub fn read_only(&self) -> Option<&str> {
        let by = self.bounds.policy_by.as_deref();
        by.filter(|_| self.policy() == Policy::Observer)
    }

    /// The keymap, without the commands that reach further than what may be done.
    ///
    /// # Errors
    /// Where its file cannot be read, or is wrong.
    pub fn keymap(&self, surroundings: &Surroundings) -> Result<Keymap, ConfigError> {
        let keymap = match &self.keymap {
            KeymapChoice::Embedded(name) => Keymap::named(name).unwrap_or_else(|| {
                let message = format!("no keymap is called `{name}`");
                Err(SourceError { file: "keymap".to_owned(), line: 1, message })
            })?,
            KeymapChoice::File(path) => {
                let text = read_file(surroundings, path, None)?;
                Keymap::read(Source { name: &path.to_string_lossy(), text: &text })?
            }
        };
        Ok(keymap.within(match self.policy() {
            Policy::Observer => Reach::Reads,
            Policy::Operator => Reach::Writes,
            Policy::Admin => Reach::Heavy,
        }))
    }
}

/// Makes settings of the command line (with the program's name first) and of what is around.
///
/// # Errors
/// The first thing that is wrong, in a sentence that says where.
pub fn load(args: Vec<OsString>, surroundings: &Surroundings) -> Result<Request, ConfigError> {
    resolve::resolve(args, surroundings)
}

fn read_file(surroundings: &Surroundings, path: &Path, origin: Option<&Origin>) -> Result<String, ConfigError> {
    (surroundings.read)(path).map_err(|e| ConfigError::Read {
        origin: origin.cloned(),
        path: path.to_string_lossy().into_owned(),
        message: e.to_string(),
    })
}

#[cfg(test)]
mod tests;
