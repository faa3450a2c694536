//! The table of rules, and what each of them may look at.

use super::alert::board::Board;
use super::finding::Finding;
use super::history::History;
use super::limits::Limits;
use super::{
    alerts, blockers, connections, dependencies, disk, endpoints, horizon, host, indexes, link, memory, pooler,
    replication, server, service, slow, standby, sync, tables, transactions, upkeep, waits, wal, wraparound,
};
use crate::model::baseline::Workload;
use crate::model::health::Watchlist;
use crate::model::panel::PanelSpec;
use crate::model::session::{Session, Sessions};
use crate::model::{Timestamp, World, seconds_between};

/// All that a rule may look at.
#[derive(Clone, Copy)]
pub struct Look<'a> {
    /// What is known now.
    pub world: &'a World,
    /// What was seen before.
    pub history: &'a History,
    /// From when on something is a finding.
    pub limits: &'a Limits,
    /// The panels, for their limits and names.
    pub panels: &'a [PanelSpec],
    /// What the service should keep to, where somebody said so.
    pub workload: Option<&'a Workload>,
    /// The alerts as they stand.
    pub alerts: &'a Board,
    /// What is watched beside the database.
    pub watchlist: &'a Watchlist,
    /// True where a Prometheus was named.
    pub prometheus: bool,
    /// The time of the newest event.
    pub now: Timestamp,
}

impl<'a> Look<'a> {
    /// Why our role cannot signal that session, where it is known that it cannot.
    #[must_use]
    pub fn out_of_reach(&self, session: &Session) -> Option<String> {
        let server = self.world.server.get()?;
        if session.hidden {
            return Some(format!("for that {} needs pg_monitor", server.user.head(40)));
        }
        server.is_out_of_reach(session).then(|| format!("only a superuser may: {} is none", server.user.head(40)))
    }

    /// How long ago an answer came, in seconds: what it says of "ago" is so much longer ago by now.
    #[must_use]
    pub fn since(&self, at: Timestamp) -> f64 {
        seconds_between(at, self.now).max(0.0)
    }

    /// The last sessions, and when they were seen.
    #[must_use]
    pub fn sessions(&self) -> Option<(&'a Sessions, Timestamp)> {
        self.world.sessions.value.as_ref().map(|(sessions, at)| (sessions, *at))
    }

    /// The session of that pid.
    #[must_use]
    pub fn session(&self, pid: i32) -> Option<&'a Session> {
        self.world.sessions.get()?.rows.iter().find(|s| s.pid == pid)
    }
}

/// A rule: what it looks for, and the pure function that does.
pub struct Rule {
    /// Its theme and name.
    pub name: &'static str,
    /// What it finds.
    pub find: fn(&Look<'_>) -> Vec<Finding>,
}

macro_rules! rules {
    ($($theme:ident :: $name:ident),* $(,)?) => {
        /// All rules.
        pub const RULES: &[Rule] = &[$(Rule {
            name: concat!(stringify!($theme), " ", stringify!($name)),
            find: $theme::$name,
        },)*];
    };
}

rules! {
    link::lost,
    link::no_answer,
    link::restarted,
    link::own_cost,
    link::gap,
    blockers::roots,
    blockers::queues,
    transactions::idle,
    transactions::long,
    horizon::held,
    horizon::catalogs,
    slow::statements,
    slow::busy,
    connections::used,
    connections::limited,
    endpoints::failing,
    endpoints::degraded,
    endpoints::blind,
    dependencies::down,
    pooler::waiting,
    pooler::crowded,
    service::latency,
    service::errors,
    service::hit_ratio,
    service::pool,
    service::memory,
    memory::short,
    host::processor,
    host::disks,
    service::targets,
    alerts::burning,
    sync::waits,
    replication::gone,
    replication::fewer,
    replication::behind,
    replication::slots_kept,
    standby::paused,
    standby::behind,
    tables::autovacuum_off,
    tables::dead_rows,
    tables::bloat,
    indexes::invalid,
    indexes::unattached,
    indexes::duplicate,
    indexes::unused,
    indexes::missing,
    wraparound::databases,
    wal::archive,
    wal::kept,
    server::checkpoints,
    server::temp_files,
    server::deadlocks,
    server::conflicts,
    disk::fills,
    disk::exporter,
    waits::jumped,
    upkeep::prepared,
    upkeep::subscriptions,
    upkeep::cache_backlog,
    upkeep::partitions,
}
