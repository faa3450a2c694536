//! Facts: the figures that a runbook may name, each once, with its unit, what has to be asked for it, and how it is read.
//!
//! A fact that cannot be read says why and what would cure that; it is never a zero. Nothing is judged here.

mod activity;
mod host;
mod service;
mod sessions;
mod storage;

use std::fmt::Write as _;

use super::super::rule::Look;
use super::super::words::percent;
use crate::model::unit::{Age, Bytes, short_count};
use crate::model::{Latest, Link, Timestamp, seconds_between};

/// What a fact is counted in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Unit {
    /// A plain count.
    Count,
    /// A share from 0 to 1.
    Share,
    /// Seconds that something takes.
    Seconds,
    /// Seconds that something lasts.
    Age,
    /// Bytes.
    Bytes,
    /// Bytes an hour.
    Growth,
    /// Bytes a second.
    Flow,
    /// Events a second.
    Rate,
    /// How many times as much.
    Times,
}

impl Unit {
    /// A figure in this unit.
    #[must_use]
    pub fn shown(self, figure: f64) -> String {
        #[expect(clippy::cast_possible_truncation, reason = "bytes beyond 2^63 saturate")]
        let bytes = || Bytes(figure as i64).short();
        match self {
            Self::Count => short_count(figure),
            Self::Share => percent(figure),
            Self::Seconds if figure.abs() < 0.999_5 => format!("{:.0} ms", figure * 1e3),
            Self::Seconds => format!("{figure:.1} s"),
            Self::Age if figure.is_infinite() => "never".to_owned(),
            Self::Age => Age(figure).short(),
            Self::Bytes => bytes(),
            Self::Growth => format!("{} an hour", bytes()),
            Self::Flow => format!("{}/s", bytes()),
            Self::Rate => format!("{}/s", short_count(figure)),
            Self::Times => format!("×{figure:.1}"),
        }
    }

    /// What it is called in the list of facts.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Count => "count",
            Self::Share => "share, 0 to 1",
            Self::Seconds | Self::Age => "seconds",
            Self::Bytes => "bytes",
            Self::Growth => "bytes an hour",
            Self::Flow => "bytes a second",
            Self::Rate => "per second",
            Self::Times => "times",
        }
    }
}

/// What has to be asked so that a fact is known.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Asks {
    /// The sessions and the server.
    Sessions,
    /// What the server as a whole does.
    Activity,
    /// The tables.
    Relations,
    /// Standbys and slots.
    Replication,
    /// The settings.
    Settings,
    /// The cache table.
    CacheTable,
    /// A panel, by its id.
    Panel(&'static str),
    /// A panel a week before.
    PanelBefore(&'static str),
    /// Prometheus' targets.
    Targets,
}

/// Why a fact is not known, and what would cure that. Both can be drawn.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unknown {
    /// Why.
    pub why: String,
    /// The statement, setting or place that would tell; empty where only time does.
    pub cure: String,
}

impl Unknown {
    /// Not known, because of this.
    #[must_use]
    pub fn of(why: impl Into<String>, cure: impl Into<String>) -> Self {
        Self { why: why.into(), cure: cure.into() }
    }
}

/// A fact as it was read.
#[derive(Debug, Clone, PartialEq)]
pub struct Value {
    /// The figure, in the fact's unit.
    pub figure: f64,
    /// Where it is known to be no smaller only: why.
    pub at_least: Option<Unknown>,
    /// When the answer came that it is from.
    pub seen: Timestamp,
    /// What it is about, in a few words; can be drawn.
    pub note: String,
}

impl Value {
    fn of(figure: f64, seen: Timestamp) -> Self {
        Self { figure, at_least: None, seen, note: String::new() }
    }

    fn note(self, note: impl Into<String>) -> Self {
        Self { note: note.into(), ..self }
    }
}

/// A fact, or why it is not known.
pub type Known = Result<Value, Unknown>;

/// One row of the table of facts.
#[derive(Clone, Copy)]
pub struct FactSpec {
    /// Its name in a runbook.
    pub name: &'static str,
    /// What it is counted in.
    pub unit: Unit,
    /// What has to be asked.
    pub asks: &'static [Asks],
    /// One line.
    pub help: &'static str,
    read: fn(&Look<'_>) -> Known,
}

impl std::fmt::Debug for FactSpec {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.name)
    }
}

impl PartialEq for FactSpec {
    fn eq(&self, other: &Self) -> bool {
        self.name == other.name
    }
}

impl FactSpec {
    /// The fact of that name.
    #[must_use]
    pub fn named(name: &str) -> Option<&'static Self> {
        FACTS.iter().find(|fact| fact.name == name)
    }

    /// What it is now. A figure that is none (NaN) is not known.
    ///
    /// # Errors
    /// Why it is not known.
    pub fn read(&self, look: &Look<'_>) -> Known {
        (self.read)(look)
            .and_then(|value| if value.figure.is_nan() { Err(Unknown::of("NaN (no traffic)", "")) } else { Ok(value) })
    }
}

macro_rules! facts {
    ($($name:ident, $unit:ident, [$($asks:expr),+], $theme:ident, $help:literal;)*) => {
        /// The table of facts, in the order of the README.
        pub const FACTS: &[FactSpec] = &[$(FactSpec {
            name: stringify!($name),
            unit: Unit::$unit,
            asks: &[$($asks),+],
            help: $help,
            read: $theme::$name,
        },)*];
    };
}

use Asks::{Activity, CacheTable, Panel, PanelBefore, Relations, Replication, Sessions, Settings, Targets};

facts! {
    active_sessions, Count, [Sessions], sessions, "Client sessions that run a statement.";
    busy_statements, Count, [Sessions], sessions, "Statements that run longer than 5 s and wait for no lock; no maintenance.";
    slow_statements, Count, [Sessions], sessions, "The same, longer than `slow_after`.";
    longest_statement, Age, [Sessions], sessions, "How long the longest client statement runs.";
    blocked_sessions, Count, [Sessions], sessions, "Sessions that wait for a lock that another holds or awaits.";
    longest_wait, Age, [Sessions], sessions, "How long the longest of those waits.";
    idle_transactions, Count, [Sessions], sessions, "Transactions open over a minute whose client does nothing.";
    oldest_transaction, Age, [Sessions], sessions, "How long the oldest client transaction is open.";
    on_processor, Count, [Sessions], sessions, "Active sessions that wait for nothing: on the processor, or queueing for it.";
    waiting_for_io, Count, [Sessions], sessions, "Active sessions that wait for reads or writes of files, or for one who does.";
    connections, Count, [Sessions], sessions, "Client sessions, ours among them.";
    connections_share, Share, [Sessions], sessions, "Of the connections that ordinary roles can have.";
    rollback_share, Share, [Activity], activity, "Of the transactions of the last minutes, those that were undone: errors and timeouts among them.";
    deadlocks, Count, [Activity], activity, "Deadlocks of the last minutes.";
    temporary_files, Bytes, [Activity], activity, "Temporary files that sorts and hashes wrote within the last minutes.";
    bytes_read, Flow, [Activity], activity, "What the server's processes read into its buffers within the last minute, from the kernel's cache or a disk; from 16 on.";
    bytes_written, Flow, [Activity], activity, "What they write, from 18 on WAL included; without temporary files of sorts and hashes.";
    horizon_age, Count, [Sessions, Relations, Replication], storage, "Transactions since the oldest that vacuum must keep rows for.";
    dead_share_max, Share, [Relations], storage, "Dead rows of the worst table with over 10 000 of them.";
    tables_due, Count, [Relations], storage, "Tables over their autovacuum threshold.";
    autovacuum_off, Count, [Relations], storage, "1 where autovacuum is off for the whole server.";
    autovacuum_busy, Share, [Relations], storage, "Of the autovacuum workers, those at work.";
    scanned_tables, Count, [Relations], storage, "Tables over 10 000 rows that over 1000 sequential scans read, mostly, as a whole.";
    cache_rows, Count, [CacheTable], storage, "Entries of the cache table.";
    cache_expired_rows, Count, [CacheTable], storage, "Of them expired and still there.";
    cache_expired_share, Share, [CacheTable], storage, "The same as a share.";
    cache_bytes, Bytes, [CacheTable], storage, "Size of the cache table with its indexes.";
    query_logging, Count, [Settings], storage, "1 where an ALTER SYSTEM logs queries.";
    settings_waiting, Count, [Settings], storage, "Settings that wait for a restart.";
    replica_lag, Age, [Replication], storage, "How late the latest standby replays; on a standby, itself.";
    replica_lag_bytes, Bytes, [Replication], storage, "How far behind the farthest standby is.";
    replicas_missing, Count, [Replication], storage, "Standbys that were here and are gone.";
    p95, Seconds, [Panel("p95")], service, "95th percentile of the service's answers.";
    p99, Seconds, [Panel("p99")], service, "99th percentile.";
    p95_times_before, Times, [Panel("p95"), PanelBefore("p95")], service, "p95 against the median of a week ago.";
    requests, Rate, [Panel("throughput")], service, "Requests of the service.";
    error_share, Share, [Panel("error-ratio")], service, "Of the answers, those that are errors.";
    error_share_rise, Share, [Panel("error-ratio")], service, "How much larger that is in the last third of the half hour than in the first.";
    statement_time, Seconds, [Panel("db-time")], service, "Mean time of a statement, as the service or the exporter counts it.";
    pool_share, Share, [Panel("pool")], service, "Of the service's pool, connections in use.";
    pool_waiting, Count, [Panel("requests-waiting")], service, "Requests that wait for a connection of the pool.";
    pool_short, Count, [Panel("requests-waiting"), Sessions], service, "The same; 0 while a session waits for a lock for a second: the pool is not what is short.";
    hit_share, Share, [Panel("cache-hit-ratio"), CacheTable], service, "Cache look-ups that are hits; from pg_stat_statements where no metric tells.";
    hit_share_before, Share, [PanelBefore("cache-hit-ratio")], service, "The median of a week ago.";
    hit_share_lost, Share, [Panel("cache-hit-ratio"), PanelBefore("cache-hit-ratio")], service, "By how much it was larger a week ago.";
    cache_growth, Growth, [Panel("cache-size")], service, "Growth of the service's own cache in memory.";
    memory, Bytes, [Panel("memory")], service, "Memory of the service's largest process.";
    memory_growth, Growth, [Panel("memory")], service, "How fast the fastest growing process grows; 0 for waves and for less than 32 MB in all.";
    cpu, Share, [Panel("cpu")], service, "Processor time of the service; 1 is one core.";
    memory_used, Share, [Panel("memory-used")], host, "Memory in use of the host or container that has the least left; of the server's and the service's.";
    oom_kills, Count, [Panel("oom-kills")], host, "Processes that the kernel ended there for want of memory, within 15 minutes.";
    cpu_used, Share, [Panel("cpu-used")], host, "Of the cores of the host, or of the limit of the container, that has the least left, those in use.";
    cpu_waiting, Share, [Panel("cpu-waiting")], host, "How much of the time somebody waits there for a core; of a container, for its next period.";
    cores, Count, [Panel("cores")], host, "Cores of the server's host.";
    sessions_per_core, Times, [Panel("cores"), Sessions], host, "Active sessions that wait for nothing, for each core of the server's host.";
    io_waiting, Share, [Panel("io-waiting")], host, "How much of the time somebody waits for I/O on the server's hosts; where its kernel does not tell, how busy a disk is.";
    disk_time, Seconds, [Panel("disk-time")], host, "What a request to the slowest disk there takes, its wait in the queue included.";
    disk_free, Bytes, [Panel("disk-free")], host, "Room on the fullest disk of the server's hosts.";
    disk_used, Share, [Panel("disk-used")], host, "The same as a share in use.";
    disk_full_in, Age, [Panel("disk-free")], host, "How soon the first of them is full, at the rate of the last minutes.";
    targets_down, Count, [Targets], service, "Targets that Prometheus cannot read.";
}

/// One row per fact: its name, unit and meaning. The README holds this text and a test compares.
#[must_use]
pub fn facts_markdown() -> String {
    let mut out = String::from("| fact | unit | what it is |\n|---|---|---|\n");
    for FactSpec { name, unit, help, .. } in FACTS {
        // Writing to a String does not fail.
        let _ = writeln!(out, "| `{name}` | {} | {help} |", unit.name());
    }
    out
}

/// The value of an answer of the server that is not too old, or why there is none.
fn fresh<'a, T>(latest: &'a Latest<T>, look: &Look<'_>, late_s: f64) -> Result<(&'a T, Timestamp), Unknown> {
    if !matches!(look.world.link, Some(Link::Up(_))) {
        return Err(Unknown::of("no connection to the server", ""));
    }
    fresh_elsewhere(latest, look, late_s)
}

/// The same of an answer that comes without the server.
fn fresh_elsewhere<'a, T>(latest: &'a Latest<T>, look: &Look<'_>, late_s: f64) -> Result<(&'a T, Timestamp), Unknown> {
    if let Some((why, cure)) = super::super::sight::failed(latest, look) {
        return Err(Unknown { why, cure });
    }
    let Some((value, seen)) = latest.value.as_ref() else { return Err(Unknown::of("no answer yet", "")) };
    let age = seconds_between(*seen, look.now);
    if age > late_s {
        return Err(Unknown::of(format!("the last answer is {} old", Age(age).short()), ""));
    }
    Ok((value, *seen))
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn names_are_unique_and_helps_are_sentences() {
        let names: BTreeSet<&str> = FACTS.iter().map(|f| f.name).collect();
        assert_eq!(names.len(), FACTS.len());
        for fact in FACTS {
            assert!(fact.help.ends_with('.'), "{}", fact.name);
            assert!(!fact.asks.is_empty(), "{}", fact.name);
            assert_eq!(FactSpec::named(fact.name), Some(fact));
        }
    }

    #[test]
    fn figures_are_written_in_their_unit() {
        let table = [
            (Unit::Count, 12.0, "12"),
            (Unit::Share, 0.834, "83 %"),
            (Unit::Seconds, 0.05, "50 ms"),
            (Unit::Seconds, 4.14, "4.1 s"),
            (Unit::Age, 723.0, "12m"),
            (Unit::Age, f64::INFINITY, "never"),
            (Unit::Growth, 104_857_600.0, "100 MB an hour"),
            (Unit::Flow, 104_857_600.0, "100 MB/s"),
            (Unit::Rate, 210.0, "210/s"),
            (Unit::Times, 82.04, "×82.0"),
        ];
        for (unit, figure, shown) in table {
            assert_eq!(unit.shown(figure), shown);
        }
    }
}
