//! The table of options: each once, with its name, where it can be given, its kind, default and help. The command
//! line, the files, the environment, `--help` and the README's list derive from these rows.
//!
//! It reads nothing; what a row's kind makes of a text is in `value`.

use std::time::Duration;

/// Where an option can be given.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Place {
    /// As words of the command line, or in a file.
    Words,
    /// On the command line only.
    Line,
    /// On the command line and in the environment, for it is about the files themselves.
    Shell,
    /// On the command line, in the environment, in a file and in a target of it.
    Anywhere,
    /// In a file and in a target of it: a fact about the server, not a wish of who looks.
    Files,
    /// In the system's file only: it is not for the user to change.
    System,
}

impl Place {
    /// True where a flag of that name exists.
    #[must_use]
    pub fn is_flag(self) -> bool {
        matches!(self, Self::Line | Self::Shell | Self::Anywhere)
    }

    /// True where the environment is looked at.
    #[must_use]
    pub fn in_environment(self) -> bool {
        matches!(self, Self::Shell | Self::Anywhere)
    }

    /// True where every config file may hold it.
    #[must_use]
    pub fn in_files(self) -> bool {
        matches!(self, Self::Words | Self::Anywhere | Self::Files)
    }
}

/// What an option's value is; the text names it in `--help`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// On or off.
    Switch,
    /// Any text but the empty one.
    Text(&'static str),
    /// Texts of the form `NAME: VALUE`.
    Headers,
    /// Files; each as [`Kind::File`].
    Files,
    /// Addresses; each as [`Kind::Url`].
    Urls,
    /// Tables, one for each dependency.
    Dependencies,
    /// A file; `~/` is the home folder, and in a config file it is sought beside that file.
    File,
    /// A folder; written as a [`Kind::File`].
    Folder,
    /// An embedded keymap's name, or a file.
    Keymap,
    /// An `http://` or `https://` address.
    Url,
    /// A regular expression.
    Regex,
    /// What a metric's name begins with.
    Prefix,
    /// One of the workloads that the operations guide knows.
    Workload,
    /// A whole number above 0.
    Count,
    /// A whole number from 1 to 100.
    Percent,
    /// A span of time with these bounds.
    Time(Duration, Duration),
    /// A number of bytes, such as `1GB`.
    Bytes,
    /// A share, such as `80%`.
    Share,
    /// What may be done: a policy's name.
    Policy,
    /// A list of regular expressions, each for whole names.
    Patterns,
    /// On, off, or required.
    Syslog,
}

impl Kind {
    /// True where the flag can be given several times, and a file holds a list.
    #[must_use]
    pub fn is_list(self) -> bool {
        matches!(self, Self::Headers | Self::Files | Self::Urls)
    }

    /// What stands for the value in `--help`; nothing for a switch.
    #[must_use]
    pub fn placeholder(self) -> Option<&'static str> {
        match self {
            Self::Switch => None,
            Self::Text(name) => Some(name),
            Self::Headers => Some("NAME:VALUE"),
            Self::File | Self::Files => Some("FILE"),
            Self::Folder => Some("FOLDER"),
            Self::Keymap => Some("NAME|FILE"),
            Self::Url | Self::Urls => Some("URL"),
            Self::Dependencies => Some("[[dependency]]"),
            Self::Regex | Self::Patterns => Some("REGEX"),
            Self::Prefix => Some("PREFIX"),
            Self::Workload => Some("NAME"),
            Self::Count | Self::Percent => Some("N"),
            Self::Time(..) => Some("TIME"),
            Self::Bytes => Some("BYTES"),
            Self::Share => Some("SHARE"),
            Self::Policy => Some("POLICY"),
            Self::Syslog => Some("true|required"),
        }
    }
}

/// The heading that an option stands under.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Group {
    /// Which server.
    Connection,
    /// Metrics.
    Metrics,
    /// What is beside the database.
    Health,
    /// As whom plans are made.
    Plans,
    /// What may be done.
    Actions,
    /// What the screen is like.
    Screen,
    /// Files and the rest.
    Files,
}

impl Group {
    /// Its words.
    #[must_use]
    pub fn heading(self) -> &'static str {
        match self {
            Self::Connection => "Connection, as in psql",
            Self::Metrics => "Metrics and cache",
            Self::Health => "Health",
            Self::Plans => "Plans",
            Self::Actions => "Actions",
            Self::Screen => "Screen",
            Self::Files => "Files",
        }
    }
}

/// One row of the table of options.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Spec {
    /// The option.
    pub option: Opt,
    /// Its name: `--name`; in a file with `_` for `-`.
    pub name: &'static str,
    /// Its letter.
    pub short: Option<char>,
    /// Its heading.
    pub group: Group,
    /// Where it can be given.
    pub place: Place,
    /// What its value is.
    pub kind: Kind,
    /// The value where none is given.
    pub default: Option<&'static str>,
    /// One line.
    pub help: &'static str,
}

impl Spec {
    /// Its name in a file.
    #[must_use]
    pub fn key(&self) -> String {
        self.name.replace('-', "_")
    }

    /// Its name in the environment, where it has one.
    #[must_use]
    pub fn variable(&self) -> Option<String> {
        if !self.place.in_environment() {
            return None;
        }
        // The one that other programs agreed upon: https://no-color.org.
        if self.option == Opt::NoColor {
            return Some("NO_COLOR".to_owned());
        }
        Some(format!("PGTRIAGE_{}", self.key().to_uppercase()))
    }
}

macro_rules! options {
    ($([$group:ident] $($variant:ident, $name:literal, $short:expr, $place:ident, $kind:expr, $default:expr, $help:literal;)*)*) => {
        /// An option.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
        pub enum Opt {
            $($(#[doc = concat!("`", $name, "`; its row says what it does.")] $variant,)*)*
        }

        /// The table of options, in the order of `--help`.
        pub const OPTIONS: &[Spec] = &[$($(Spec {
            option: Opt::$variant,
            name: $name,
            short: $short,
            group: Group::$group,
            place: Place::$place,
            kind: $kind,
            default: $default,
            help: $help,
        },)*)*];
    };
}

impl Opt {
    /// Its row.
    #[must_use]
    pub fn spec(self) -> &'static Spec {
        // The macro writes one row per variant, in the order of the variants.
        OPTIONS.get(self as usize).unwrap_or(&OPTIONS[0])
    }
}

/// Twice a second is as fast as eyes follow figures; once a minute is still a watch.
const REFRESH: Kind = Kind::Time(Duration::from_millis(500), Duration::from_secs(60));
/// Below a tenth of a second everything is slow; what runs for a day is not found by a threshold.
const SLOW: Kind = Kind::Time(Duration::from_millis(100), Duration::from_secs(24 * 3600));

/// FraiseQL 1 waits 30 s for its pool before it says that it is not ready: whoever waits longer than this hears of it no
/// sooner.
const PATIENCE: Kind = Kind::Time(Duration::from_secs(1), Duration::from_secs(25));

options! {
    [Connection]
    Conninfo, "conninfo", None, Words, Kind::Text("CONNINFO"), None, "A URI, key=value words, or a name: of a target in the config file, else of a database. A user may follow it.";
    Host, "host", Some('h'), Line, Kind::Text("HOST"), None, "Host name or socket directory.";
    Port, "port", Some('p'), Line, Kind::Text("PORT"), None, "Port.";
    Username, "username", Some('U'), Line, Kind::Text("NAME"), None, "User name.";
    Dbname, "dbname", Some('d'), Line, Kind::Text("NAME"), None, "Database, URI or key=value words; never a target.";
    NoPassword, "no-password", Some('w'), Line, Kind::Switch, None, "Never ask for a password.";
    Password, "password", Some('W'), Line, Kind::Switch, None, "Ask for the password before connecting.";
    Production, "production", None, Files, Kind::Switch, None, "Mark the server as production: its name is loud, its questions are typed ones.";

    [Metrics]
    Prometheus, "prometheus", None, Anywhere, Kind::Url, None, "Base address of Prometheus or of what speaks its API.";
    PrometheusTokenFile, "prometheus-token-file", None, Anywhere, Kind::File, None, "File with the bearer token. PGTRIAGE_PROMETHEUS_TOKEN holds the token itself.";
    PrometheusUser, "prometheus-user", None, Anywhere, Kind::Text("NAME"), None, "User for basic authentication.";
    PrometheusPasswordFile, "prometheus-password-file", None, Anywhere, Kind::File, None, "File with its password. PGTRIAGE_PROMETHEUS_PASSWORD holds the password itself.";
    PrometheusHeader, "prometheus-header", None, Anywhere, Kind::Headers, None, "Further header, such as `X-Scope-OrgID: shop`; repeatable.";
    PrometheusCa, "prometheus-ca", None, Anywhere, Kind::File, None, "Certificates (PEM) to trust besides the system's.";
    PrometheusTimeout, "prometheus-timeout", None, Anywhere, REFRESH, Some("5s"), "How long one panel may take to answer.";
    Job, "job", None, Anywhere, Kind::Regex, None, "The service's `job` label; without it series of other services may mix in.";
    PostgresJob, "postgres-job", None, Anywhere, Kind::Regex, None, "The `job` label of the server's postgres_exporter.";
    MetricsPrefix, "metrics-prefix", None, Anywhere, Kind::Prefix, Some("fraiseql"), "What the service's metrics begin with.";
    PoolMax, "pool-max", None, Anywhere, Kind::Count, None, "Size of the service's connection pool, which no FraiseQL server exports.";
    Workload, "workload", None, Anywhere, Kind::Workload, None, "What the service should keep to: `simple-crud`, `complex-queries`, `analytics`, `real-time`.";
    BaselineP95Ms, "baseline-p95-ms", None, Files, Kind::Count, None, "The p95 latency in milliseconds that it should keep to, in place of the workload's.";
    BaselineRequests, "baseline-requests", None, Files, Kind::Count, None, "The requests per second that it is made for, in place of the workload's.";
    BaselineHitPercent, "baseline-hit-percent", None, Files, Kind::Percent, None, "The per cent of cache look-ups that should be hits, in place of the workload's.";
    CacheTable, "cache-table", None, Anywhere, Kind::Text("TABLE"), Some("fraiseql_cache"), "FraiseQL's cache table, with its schema where that is not in the search_path.";
    Panels, "panels", None, Anywhere, Kind::File, None, "Panels of Latency and Cache, in place of the built-in ones.";
    Rules, "rules", None, Anywhere, Kind::Files, None, "Prometheus rule file whose alerts are evaluated beside the built-in ones; repeatable.";
    Runbooks, "runbooks", None, Anywhere, Kind::Folder, None, "Folder with runbooks of your own (*.toml); one with the id of a built-in one stands in its place.";
    Alertmanager, "alertmanager", None, Anywhere, Kind::Url, None, "Base address of Alertmanager, whose silences are shown.";

    [Health]
    Health, "health", None, Anywhere, Kind::Urls, None, "Address of the application, or of its health endpoint; repeatable.";
    HealthTokenFile, "health-token-file", None, Anywhere, Kind::File, None, "File with the bearer token for these. PGTRIAGE_HEALTH_TOKEN holds the token itself.";
    HealthCa, "health-ca", None, Anywhere, Kind::File, None, "Certificates (PEM) to trust besides the system's, of these and of dependencies.";
    HealthTimeout, "health-timeout", None, Anywhere, PATIENCE, Some("3s"), "How long an application or a dependency may take to answer.";
    Dependency, "dependency", None, Files, Kind::Dependencies, None, "`[[dependency]]`, one for each: `name`, and `http` or `tcp`; see Health and dependencies.";
    Standbys, "standbys", None, Anywhere, Kind::Count, None, "How many standbys the server should have: one that was gone before the console came is then told, too.";
    Pgbouncer, "pgbouncer", None, Anywhere, Kind::Text("CONNINFO"), None, "pgbouncer's admin console (database `pgbouncer`), as one of its `stats_users`.";

    [Plans]
    PlanUser, "plan-user", None, Anywhere, Kind::Text("NAME"), None, "Role that plans are made as, on a login of its own (see Roles to grant); its password may be in ~/.pgpass.";
    PlanPasswordFile, "plan-password-file", None, Anywhere, Kind::File, None, "File with its password. PGTRIAGE_PLAN_PASSWORD holds the password itself.";

    [Actions]
    Policy, "policy", None, Anywhere, Kind::Policy, None, "What may be done: `observer`, `operator` (light actions) or `admin`; without it admin. Flag and variable only lower it.";
    ReadOnly, "read-only", None, Anywhere, Kind::Switch, None, "Look only: no action can be taken, and no key leads to one. What says so once, nothing else lifts.";
    ProtectRoles, "protect-roles", None, Files, Kind::Patterns, None, "Roles whose sessions are left alone: a list of regular expressions for whole names.";
    ProtectApplications, "protect-applications", None, Files, Kind::Patterns, None, "The same of `application_name`.";
    ProtectDatabases, "protect-databases", None, Files, Kind::Patterns, None, "Databases whose sessions and tables are left alone.";
    ConfirmRoles, "confirm-roles", None, Files, Kind::Patterns, None, "Roles of which each question is a typed one.";
    ConfirmApplications, "confirm-applications", None, Files, Kind::Patterns, None, "The same of `application_name`.";
    ConfirmDatabases, "confirm-databases", None, Files, Kind::Patterns, None, "The same of databases.";
    RequireReason, "require-reason", None, Files, Kind::Switch, None, "No action without a reason, typed into its question.";
    AuditSyslog, "audit-syslog", None, Files, Kind::Syslog, None, "Copy each line of the audit log to the system's log: `true`, or `\"required\"` for no copy, no action.";
    AuditFile, "audit-file", None, System, Kind::File, None, "Where every action is recorded, in place of $XDG_STATE_HOME/pgtriage/audit.jsonl.";

    [Screen]
    Refresh, "refresh", None, Anywhere, REFRESH, Some("2s"), "Time between two looks: `2s`, `2`, `500ms`.";
    SlowAfter, "slow-after", None, Anywhere, SLOW, Some("30s"), "From when on a statement or an idle transaction is slow.";
    Keymap, "keymap", None, Anywhere, Kind::Keymap, Some("default"), "Keys: `default`, `vim`, `emacs`, or a file.";
    Ascii, "ascii", None, Anywhere, Kind::Switch, None, "Draw with ASCII only.";
    NoColor, "no-color", None, Anywhere, Kind::Switch, None, "Draw without colour.";
    NoBell, "no-bell", None, Anywhere, Kind::Switch, None, "No bell and no title of the terminal when a new critical alert fires.";

    [Files]
    Config, "config", None, Shell, Kind::File, None, "Config file, in place of $XDG_CONFIG_HOME/pgtriage/config.toml.";
    PrintConfig, "print-config", None, Line, Kind::Switch, None, "Print a commented config file and leave.";
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    #[test]
    fn each_option_finds_its_own_row() {
        for spec in OPTIONS {
            assert_eq!(spec.option.spec(), spec);
        }
    }

    #[test]
    fn names_letters_and_variables_are_unique_and_helps_are_sentences() {
        let names: HashSet<_> = OPTIONS.iter().map(|s| s.name).collect();
        let variables: HashSet<_> = OPTIONS.iter().filter_map(Spec::variable).collect();
        let letters: Vec<char> = OPTIONS.iter().filter_map(|s| s.short).collect();
        assert_eq!(names.len(), OPTIONS.len());
        assert_eq!(variables.len(), OPTIONS.iter().filter(|s| s.place.in_environment()).count());
        assert_eq!(letters.iter().collect::<HashSet<_>>().len(), letters.len());
        // Taken by --help and --version.
        assert!(!letters.contains(&'?') && !letters.contains(&'V'));
        for spec in OPTIONS {
            assert!(spec.help.ends_with('.'), "{}", spec.name);
            assert!(spec.default.is_none() || spec.kind != Kind::Switch, "{}: a switch is off", spec.name);
        }
    }
}
