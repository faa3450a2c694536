//! Everything that a user can ask for: one row per command with its name, place and help. Keymaps, help, footer,
//! palette and README derive from these rows.
//!
//! A command names an intention, not a key, and says nothing of how it is done.

use serde::{Deserialize, Serialize};

/// A tab of the console; its number is its key.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub enum Tab {
    /// What is wrong, in order of harm, and what to do.
    Triage,
    /// Every live connection.
    Connections,
    /// What runs, or sits idle in a transaction, for too long.
    Slow,
    /// Who waits behind whom.
    Locks,
    /// Dead rows, bloat, vacuum.
    Tables,
    /// Standbys and slots.
    Replication,
    /// Prometheus: latency, throughput, errors, pool.
    Latency,
    /// The result cache.
    Cache,
    /// `pg_stat_statements`.
    Statements,
}

impl Tab {
    /// All tabs in the order of their numbers.
    pub const ALL: [Self; 9] = [
        Self::Triage,
        Self::Connections,
        Self::Slow,
        Self::Locks,
        Self::Tables,
        Self::Replication,
        Self::Latency,
        Self::Cache,
        Self::Statements,
    ];

    /// Its number, which is also its key.
    #[must_use]
    pub fn number(self) -> char {
        match self {
            Self::Triage => '1',
            Self::Connections => '2',
            Self::Slow => '3',
            Self::Locks => '4',
            Self::Tables => '5',
            Self::Replication => '6',
            Self::Latency => '7',
            Self::Cache => '8',
            Self::Statements => '9',
        }
    }

    /// Its title.
    #[must_use]
    pub fn title(self) -> &'static str {
        match self {
            Self::Triage => "Triage",
            Self::Connections => "Connections",
            Self::Slow => "Slow",
            Self::Locks => "Locks",
            Self::Tables => "Tables",
            Self::Replication => "Replication",
            Self::Latency => "Latency",
            Self::Cache => "Cache",
            Self::Statements => "Statements",
        }
    }
}

/// Where a command is offered.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Place {
    /// On every tab.
    Everywhere,
    /// On these tabs only.
    Tabs(&'static [Tab]),
}

impl Place {
    /// True where the command is offered on `tab`.
    #[must_use]
    pub fn holds(self, tab: Tab) -> bool {
        match self {
            Self::Everywhere => true,
            Self::Tabs(tabs) => tabs.contains(&tab),
        }
    }
}

/// What a command may do to a server.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Reach {
    /// Nothing: it moves, shows or reads.
    Reads,
    /// It asks for a guarded action, which may be a light one. An observer has no key for it.
    Writes,
    /// It asks for a guarded action that is always a heavy one. Only an admin has a key for it.
    Heavy,
}

/// One row of the table of commands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Spec {
    /// The command.
    pub command: Command,
    /// Its name in keymaps.
    pub name: &'static str,
    /// Where it is offered.
    pub place: Place,
    /// What it may do.
    pub reach: Reach,
    /// A word or two for the footer.
    pub brief: &'static str,
    /// One line for the help.
    pub help: &'static str,
}

macro_rules! commands {
    ($($variant:ident, $name:literal, $place:expr, $reach:ident, $brief:literal, $help:literal;)*) => {
        /// A command.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
        pub enum Command {
            $(#[doc = $help] $variant,)*
        }

        /// The table of commands, in the order of the help.
        pub const SPECS: &[Spec] = &[$(Spec {
            command: Command::$variant,
            name: $name,
            place: $place,
            reach: Reach::$reach,
            brief: $brief,
            help: $help,
        },)*];
    };
}

const LISTS: Place =
    Place::Tabs(&[Tab::Connections, Tab::Slow, Tab::Locks, Tab::Tables, Tab::Replication, Tab::Statements]);
/// Where a session can be meant; on Triage it is the one that the selected finding is about, on Tables the one whose progress
/// is selected.
const SESSIONS_MEANT: Place = Place::Tabs(&[Tab::Triage, Tab::Connections, Tab::Slow, Tab::Locks, Tab::Tables]);
const SESSIONS: Place = Place::Tabs(&[Tab::Connections, Tab::Slow, Tab::Locks]);
/// Where a statement can be meant whose plan is of use.
const STATEMENTS_MEANT: Place = Place::Tabs(&[Tab::Connections, Tab::Slow, Tab::Locks, Tab::Statements]);
const TABLES: Place = Place::Tabs(&[Tab::Tables]);
const JOBS: Place = Place::Tabs(&[Tab::Tables, Tab::Cache]);
/// Where a table or an index can be meant; on Triage it is the one that the selected finding is about.
const TABLES_MEANT: Place = Place::Tabs(&[Tab::Triage, Tab::Tables]);
const TRIAGE: Place = Place::Tabs(&[Tab::Triage]);
const COPIED: Place = Place::Tabs(&[
    Tab::Triage,
    Tab::Connections,
    Tab::Slow,
    Tab::Locks,
    Tab::Tables,
    Tab::Replication,
    Tab::Statements,
]);
const CHARTS: Place = Place::Tabs(&[Tab::Latency, Tab::Cache]);

commands! {
    ShowTriage, "show-triage", Place::Everywhere, Reads, "triage", "Go to Triage.";
    ShowConnections, "show-connections", Place::Everywhere, Reads, "connections", "Go to Connections.";
    ShowSlow, "show-slow", Place::Everywhere, Reads, "slow", "Go to Slow.";
    ShowLocks, "show-locks", Place::Everywhere, Reads, "locks", "Go to Locks.";
    ShowTables, "show-tables", Place::Everywhere, Reads, "tables", "Go to Tables.";
    ShowReplication, "show-replication", Place::Everywhere, Reads, "replication", "Go to Replication.";
    ShowLatency, "show-latency", Place::Everywhere, Reads, "latency", "Go to Latency.";
    ShowCache, "show-cache", Place::Everywhere, Reads, "cache", "Go to Cache.";
    ShowStatements, "show-statements", Place::Everywhere, Reads, "statements", "Go to Statements.";
    NextTab, "next-tab", Place::Everywhere, Reads, "next tab", "Go to the next tab.";
    PreviousTab, "previous-tab", Place::Everywhere, Reads, "previous tab", "Go to the previous tab.";

    CancelBackend, "cancel-backend", SESSIONS_MEANT, Writes, "cancel", "Cancel the selected session's statement (asks first).";
    TerminateBackend, "terminate-backend", SESSIONS_MEANT, Heavy, "terminate", "Terminate the session where no cancel helps (asks first).";
    VacuumAnalyze, "vacuum-analyze", TABLES_MEANT, Writes, "vacuum", "VACUUM (ANALYZE) the selected table (asks first).";
    ServerSettings, "server-settings", Place::Everywhere, Reads, "settings", "List the server's settings; Enter there changes one (asks first).";
    QueryLogging, "query-logging", Place::Everywhere, Heavy, "log queries", "Log slow statements, or undo that (asks first).";
    ReloadConfiguration, "reload-configuration", Place::Everywhere, Heavy, "reload files", "Have the server read its configuration files again (asks first).";
    Analyze, "analyze", TABLES, Writes, "analyze", "ANALYZE the selected table (asks first).";
    VacuumDatabase, "vacuum-database", TABLES, Heavy, "vacuum all", "VACUUM (ANALYZE) the whole database (asks first).";
    Reindex, "reindex", TABLES, Heavy, "reindex", "REINDEX CONCURRENTLY the selected table or index (asks first).";
    DropInvalidIndex, "drop-invalid-index", TABLES_MEANT, Heavy, "drop invalid", "Drop the selected index that a failed build left INVALID (asks first).";
    ExpireCache, "expire-cache", Place::Tabs(&[Tab::Cache]), Writes, "expire", "Remove the expired rows of the cache table (asks first).";
    CancelJob, "cancel-job", JOBS, Writes, "stop job", "Stop the job that this console started.";
    Mark, "mark", SESSIONS, Reads, "mark", "Mark or unmark the session: cancel and terminate then ask for all marked ones.";
    MarkAll, "mark-all", SESSIONS, Reads, "mark all", "Mark, or unmark, every row that the filter lets through.";
    ShowOutcome, "show-outcome", SESSIONS, Reads, "outcome", "Show what became of each session that was marked and signalled.";
    ShowPlan, "show-plan", STATEMENTS_MEANT, Reads, "plan", "Show the plan of the selected statement: EXPLAIN, never run (asks first where it is another role's).";
    ExactBloat, "exact-bloat", TABLES, Reads, "exact bloat", "Measure the selected table with pgstattuple.";

    ShowEvidence, "show-evidence", TRIAGE, Reads, "evidence", "Go to the row that shows what the finding says.";
    Runbook, "runbook", Place::Everywhere, Reads, "runbook", "Open the finding's runbook, or the one that was left; else, and in it, the list.";
    StepDone, "step-done", TRIAGE, Reads, "done", "In a runbook: mark the step as done, and go to the next; again takes it back.";
    StepSkipped, "step-skipped", TRIAGE, Reads, "skip", "In a runbook: mark the step as skipped.";
    StepFailed, "step-failed", TRIAGE, Reads, "failed", "In a runbook: mark the step as failed.";
    Acknowledge, "acknowledge", TRIAGE, Reads, "acknowledge", "List the alerts and acknowledge them in this console; in an alert's detail, that one.";
    ShowHealth, "show-health", TRIAGE, Reads, "health", "Show the health in full: every check, its words, since when.";
    OpenDetail, "open-detail", LISTS, Reads, "detail", "Open the selected row in full; unfold alike waiters.";
    Back, "back", Place::Everywhere, Reads, "back", "Close what is open; then clear the filter; then the marks.";
    Filter, "filter", LISTS, Reads, "filter", "Filter: text, !text, \"a:b\", /regex/, col:text, col>30s.";
    PickSort, "pick-sort", LISTS, Reads, "sort", "Choose the column to sort by.";
    ReverseSort, "reverse-sort", LISTS, Reads, "reverse", "Reverse the order.";
    RaiseThreshold, "raise-threshold", Place::Tabs(&[Tab::Slow]), Reads, "longer", "Show only what runs longer: raise the threshold.";
    LowerThreshold, "lower-threshold", Place::Tabs(&[Tab::Slow]), Reads, "shorter", "Show shorter ones too: lower the threshold.";
    NextView, "next-view", TABLES, Reads, "next list", "Go to the next list of Tables: its tables, its indexes, the progress of work on the server.";
    SwitchDatabase, "switch-database", TABLES, Reads, "database", "Look at the tables of another database.";

    SelectNext, "select-next", Place::Everywhere, Reads, "down", "Select the next row; scroll down.";
    SelectPrevious, "select-previous", Place::Everywhere, Reads, "up", "Select the previous row; scroll up.";
    SelectFirst, "select-first", Place::Everywhere, Reads, "first", "Select the first row.";
    SelectLast, "select-last", Place::Everywhere, Reads, "last", "Select the last row.";
    PageDown, "page-down", Place::Everywhere, Reads, "page down", "Go down a page.";
    PageUp, "page-up", Place::Everywhere, Reads, "page up", "Go up a page.";
    NextPanel, "next-panel", CHARTS, Reads, "next panel", "Select the next panel.";
    PreviousPanel, "previous-panel", CHARTS, Reads, "previous panel", "Select the previous panel.";

    CopyRow, "copy-row", COPIED, Reads, "copy", "Copy the selected row to the terminal's clipboard (OSC 52).";
    CopyQuery, "copy-query", COPIED, Reads, "copy text", "Copy the selected row's full query or name; in a detail, the SQL that it names, or that makes the index (OSC 52).";
    Freeze, "freeze", Place::Everywhere, Reads, "freeze", "Freeze the screen; sampling goes on, acting waits.";
    Faster, "faster", Place::Everywhere, Reads, "faster", "Refresh faster.";
    Slower, "slower", Place::Everywhere, Reads, "slower", "Refresh slower.";
    Reconnect, "reconnect", Place::Everywhere, Reads, "connect now", "Connect again now, without waiting for the next try.";
    ToggleZone, "toggle-zone", Place::Everywhere, Reads, "UTC/local", "Show times in UTC or in local time.";
    Palette, "palette", Place::Everywhere, Reads, "commands", "Find a command by name.";
    Help, "help", Place::Everywhere, Reads, "help", "Show the keys of this tab.";
    Quit, "quit", Place::Everywhere, Reads, "quit", "Leave (asks while a job of ours runs).";
}

impl Command {
    /// Its row.
    #[must_use]
    pub fn spec(self) -> &'static Spec {
        // The macro writes one row per variant, in the order of the variants.
        SPECS.get(self as usize).unwrap_or(&SPECS[0])
    }

    /// True for what a step of a runbook can offer to do: what asks first, and what measures or lists at one key. Moving about
    /// is no step.
    #[must_use]
    pub fn is_action(self) -> bool {
        self.spec().reach > Reach::Reads
            || matches!(
                self,
                Self::ServerSettings
                    | Self::ShowPlan
                    | Self::ExactBloat
                    | Self::ShowHealth
                    | Self::ShowOutcome
                    | Self::ShowLocks
                    | Self::Acknowledge
                    | Self::CopyQuery
                    | Self::Slower
                    | Self::Reconnect
            )
    }

    /// The command of that name.
    #[must_use]
    pub fn named(name: &str) -> Option<Self> {
        SPECS.iter().find(|s| s.name == name).map(|s| s.command)
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    #[test]
    fn each_command_finds_its_own_row() {
        for spec in SPECS {
            assert_eq!(spec.command.spec(), spec);
            assert_eq!(Command::named(spec.name), Some(spec.command));
        }
    }

    #[test]
    fn names_are_unique_and_helps_are_sentences() {
        let names: HashSet<_> = SPECS.iter().map(|s| s.name).collect();
        assert_eq!(names.len(), SPECS.len());
        for spec in SPECS {
            assert!(spec.help.ends_with('.'), "{}", spec.name);
            assert!(spec.brief.len() <= 14, "{}", spec.name);
        }
    }
}
