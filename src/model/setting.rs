//! Settings of a server: what is in force, what stands in `postgresql.auto.conf`, and who overrides it.
//!
//! It says what was read and what could not be; whether one may be changed is not its business.

pub mod catalogue;
pub mod change;
pub mod secret;
pub mod value;

use serde::{Deserialize, Serialize};

use super::text::ServerText;

pub use change::{Change, History};
pub use value::Kind;

/// What stands for one setting in `postgresql.auto.conf`, the file that `ALTER SYSTEM` writes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Entry {
    /// No entry: another file, or the built-in value, decides.
    Absent,
    /// This text.
    Text(ServerText),
    /// The file may not be read, and nothing else tells.
    Unknown,
}

impl Entry {
    /// `no entry`, `'1s'`, `not known`; safe to draw.
    #[must_use]
    pub fn shown(&self) -> String {
        match self {
            Self::Absent => "no entry".to_owned(),
            Self::Text(text) => format!("'{}'", text.head(80)),
            Self::Unknown => "not known".to_owned(),
        }
    }

    /// The text, where there is one.
    #[must_use]
    pub fn text(&self) -> Option<&ServerText> {
        match self {
            Self::Text(text) => Some(text),
            Self::Absent | Self::Unknown => None,
        }
    }
}

/// A value that `ALTER ROLE … SET` or `ALTER DATABASE … SET` puts in place of the server's.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Override {
    /// For this role; none for all.
    pub role: Option<ServerText>,
    /// In this database; none for all.
    pub database: Option<ServerText>,
    /// The value.
    pub value: ServerText,
}

impl Override {
    /// `role shop_api in database shop: 500ms`, safe to draw.
    #[must_use]
    pub fn shown(&self) -> String {
        let whom = match (&self.role, &self.database) {
            (Some(role), Some(database)) => format!("role {} in database {}", role.head(63), database.head(63)),
            (Some(role), None) => format!("role {}", role.head(63)),
            (None, Some(database)) => format!("database {}", database.head(63)),
            (None, None) => "all roles".to_owned(),
        };
        format!("{whom}: {}", self.value.head(63))
    }
}

/// One setting, as `pg_settings` has it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Setting {
    /// Its name.
    pub name: String,
    /// `reset_val`, in its unit: what a new session of our role starts with. Not `setting`: our own sessions set bounds
    /// for themselves.
    pub value: String,
    /// `unit`: `kB`, `8kB`, `MB`, `B`, `ms`, `s`, `min`.
    pub unit: Option<String>,
    /// `vartype`.
    pub kind: Kind,
    /// `context`: `postmaster` needs a restart.
    pub context: String,
    /// `source`: where the value in force comes from.
    pub source: String,
    /// `sourcefile`, where our role may see it.
    pub file: Option<ServerText>,
    /// `boot_val`: the built-in value.
    pub boot: Option<String>,
    /// `min_val`.
    pub min: Option<String>,
    /// `max_val`.
    pub max: Option<String>,
    /// `enumvals`.
    pub words: Vec<String>,
    /// True where the files hold another value that waits for a restart.
    pub pending_restart: bool,
    /// True where our role may `ALTER SYSTEM` it.
    pub may_alter: bool,
    /// What stands in `postgresql.auto.conf`.
    pub entry: Entry,
    /// True where that was read from the file; else it is what the value in force tells of it.
    pub exact: bool,
    /// What is wrong with its line in a file.
    pub error: Option<ServerText>,
    /// Who does not get the server's value.
    pub overrides: Vec<Override>,
}

impl Setting {
    /// Its value as the server shows it: `128MB`, `1s`.
    #[must_use]
    pub fn shown(&self) -> String {
        self.show(&self.value)
    }

    /// A value in its unit as the server shows it; safe to draw. One that may hold a secret is not shown.
    #[must_use]
    pub fn show(&self, raw: &str) -> String {
        if self.kind == Kind::Text && secret::may_hold_one(&self.name, raw) {
            return secret::HIDDEN.to_owned();
        }
        ServerText::new(value::shown(raw, self.kind, self.unit.as_deref())).head(80)
    }

    /// True where it can be changed from here: what stands in the catalogue, and is no text on this server.
    #[must_use]
    pub fn is_offered(&self) -> bool {
        catalogue::known(&self.name).is_some() && self.kind != Kind::Text && self.context != "internal"
    }

    /// True where only a restart changes it.
    #[must_use]
    pub fn needs_restart(&self) -> bool {
        self.context == "postmaster"
    }

    /// True where its entry in `postgresql.auto.conf` is what is in force.
    #[must_use]
    pub fn is_from_auto(&self) -> bool {
        self.file.as_ref().is_some_and(|file| file.raw().ends_with("postgresql.auto.conf"))
            || (self.exact && self.entry.text().is_some() && matches!(self.source.as_str(), "configuration file"))
    }
}

/// Whether the configuration files themselves could be read.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum Files {
    /// `pg_file_settings` was read.
    Read,
    /// Our role may not.
    Hidden {
        /// The `GRANT` that cures it.
        cure: String,
    },
}

/// The settings of one server.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Settings {
    /// By name.
    pub rows: Vec<Setting>,
    /// Whether the files could be read.
    pub files: Files,
    /// What is wrong in them, line by line.
    pub errors: Vec<ServerText>,
    /// True where our role may call `pg_reload_conf()`.
    pub may_reload: bool,
    /// True where the server allows no `ALTER SYSTEM` to anybody (`allow_alter_system`, 17 and later).
    pub alter_off: bool,
    /// A role that only a managed service has, such as `rds_superuser`.
    pub managed: Option<String>,
}

/// Settings that log queries, the preferred one first.
pub const QUERY_LOGGING: [&str; 3] = ["log_min_duration_statement", "log_statement", "log_duration"];

impl Settings {
    /// The setting of that name.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<&Setting> {
        self.rows.iter().find(|row| row.name == name)
    }

    /// What of the queries the server logs by somebody's `ALTER SYSTEM`, or by `log_statement` from wherever: `≥1s`,
    /// `all statements`; none where nothing. What `postgresql.conf` says of durations was meant to last.
    #[must_use]
    pub fn query_logging(&self) -> Option<String> {
        let mut said = Vec::new();
        if let Some(statement) = self.get("log_statement").filter(|s| s.value != "none") {
            said.push(format!("{} statements", statement.shown()));
        }
        let least = self.get("log_min_duration_statement").filter(|s| s.is_from_auto() && !s.value.starts_with('-'));
        said.extend(
            least.map(|s| if s.value == "0" { "every duration".to_owned() } else { format!("≥{}", s.shown()) }),
        );
        if self.get("log_duration").is_some_and(|s| s.is_from_auto() && s.value == "on") {
            said.push("durations".to_owned());
        }
        (!said.is_empty()).then(|| said.join(", "))
    }

    /// Settings whose entry is not what is in force, and will be after a reload: name, and both values as shown.
    #[must_use]
    pub fn waiting(&self) -> Vec<(&str, String, String)> {
        let of = |row: &'_ Setting| -> Option<(String, String)> {
            let text =
                row.entry.text().filter(|_| row.exact && !row.needs_restart() && row.source != "command line")?;
            let raw = value::read(row, text.raw()).ok()?.raw;
            let overridden = matches!(row.source.as_str(), "database" | "user" | "database user" | "client");
            (raw != row.value && !overridden && row.overrides.is_empty()).then(|| (row.shown(), row.show(&raw)))
        };
        self.rows.iter().filter_map(|row| of(row).map(|(now, then)| (row.name.as_str(), now, then))).collect()
    }
}
