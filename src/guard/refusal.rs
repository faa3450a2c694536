//! Why an action does not run: one variant for each rule, and the sentence that a person reads.
//!
//! Decides nothing.

mod idle;
mod sentence;

use serde::{Deserialize, Serialize};

use crate::model::ServerText;
use crate::model::index::Builder;

use super::protection::Kind;
use super::weight::Policy;

/// Why an action does not run. Each names what would have to be otherwise.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum Refusal {
    /// The console was started to observe.
    ReadOnly,
    /// It weighs more than the policy allows.
    TooHeavy {
        /// The action.
        what: String,
        /// The policy.
        policy: Policy,
    },
    /// Its role, application or database is one that the settings protect.
    Protected {
        /// Which of them.
        kind: Kind,
        /// Its name.
        name: ServerText,
        /// Who says so.
        by: String,
    },
    /// The screen shows the past.
    Frozen,
    /// The reads have no connection, so nobody knows whether the screen is true.
    NotConnected,
    /// The list was too old to ask by, and the writer could not look either.
    NotLooked {
        /// Why not.
        why: String,
    },
    /// The server has not been identified yet.
    ServerUnknown,
    /// The server restarted, was promoted, or is another one.
    ServerChanged {
        /// What differs.
        what: String,
    },
    /// It is one of our own connections.
    OwnSession {
        /// Its pid.
        pid: i32,
    },
    /// The session is not in the newest list.
    SessionGone {
        /// Its pid.
        pid: i32,
    },
    /// The server hides the session's times and statement from our role, so it could not check what it signals.
    Hidden {
        /// Its pid.
        pid: i32,
        /// Our role.
        role: ServerText,
    },
    /// It is a superuser's, and our role is none.
    Superusers {
        /// Its pid.
        pid: i32,
        /// Our role.
        role: ServerText,
    },
    /// The session runs another statement than the one that was asked about.
    StatementChanged {
        /// Its pid.
        pid: i32,
        /// The head of what it runs now.
        now: ServerText,
    },
    /// The session to be terminated does something else than what was asked about.
    MovedOn {
        /// Its pid.
        pid: i32,
        /// What it does now: `state`.
        now: String,
    },
    /// The session to be terminated runs a statement, which a cancel may end.
    CancelFirst {
        /// Its pid.
        pid: i32,
    },
    /// An autovacuum that keeps the server from stopping at the wraparound limit.
    PreventsWraparound {
        /// Its pid.
        pid: i32,
    },
    /// Any other autovacuum worker.
    Autovacuum {
        /// Its pid.
        pid: i32,
    },
    /// A parallel worker: its leader is who runs the statement.
    ParallelWorker {
        /// Its pid.
        pid: i32,
        /// The leader's pid.
        leader: Option<i32>,
    },
    /// A walsender.
    Walsender {
        /// Its pid.
        pid: i32,
    },
    /// A worker of logical replication, or one of an extension.
    Worker {
        /// Its pid.
        pid: i32,
        /// `backend_type`.
        kind: String,
    },
    /// A process of the server itself.
    Background {
        /// Its pid.
        pid: i32,
        /// `backend_type`.
        kind: String,
    },
    /// Waiting for its client outside a transaction: nothing to cancel.
    Idle {
        /// Its pid.
        pid: i32,
    },
    /// Waiting for its client inside a transaction: nothing to cancel, yet it holds what it holds.
    IdleInTransaction {
        /// Its pid.
        pid: i32,
        /// How long its transaction is open, such as `12m03s`.
        open: Option<String>,
        /// Sessions that wait behind it.
        blocks: usize,
        /// Those of them who could go on without it.
        frees: usize,
        /// True where it may be fewer.
        unsure: bool,
    },
    /// The server does not tell what the session does, though our role may see it.
    StateUnknown {
        /// Its pid.
        pid: i32,
        /// `state`.
        state: String,
    },
    /// Everybody on the list of a bulk action is protected.
    NobodyLeft {
        /// How many were marked.
        marked: usize,
        /// The first one's sentence.
        why: String,
    },
    /// More sessions than one question may cover.
    TooMany {
        /// How many.
        count: usize,
    },
    /// The table is not in the newest list, which is a complete one.
    TableGone {
        /// Its name.
        name: ServerText,
    },
    /// The table has another name than the one that was asked about.
    TableChanged {
        /// The name that was asked about.
        name: ServerText,
        /// The name that it has now.
        now: ServerText,
    },
    /// Maintenance writes, and this server is a standby.
    Standby,
    /// Through a transaction pooler no session is our own, so neither is its `lock_timeout`.
    Pooled,
    /// A TOAST table: maintained with its table.
    Toast {
        /// Its table's name, where it is known.
        of: Option<ServerText>,
    },
    /// A catalog: the server reindexes none of them concurrently.
    Catalog {
        /// Its name.
        name: ServerText,
    },
    /// The index of a partitioned table: it has no storage of its own.
    PartitionedIndex {
        /// Its name.
        name: ServerText,
    },
    /// The index to be dropped is valid.
    IndexValid {
        /// Its name.
        name: ServerText,
    },
    /// A constraint, the replica identity or a partitioned index stands on the index to be dropped.
    IndexNeeded {
        /// Its name.
        name: ServerText,
    },
    /// Somebody builds or drops it, or another index of its table.
    IndexBuilding {
        /// Its name.
        name: ServerText,
        /// Who.
        by: Builder,
    },
    /// Our role lacks the right to it.
    NotPermitted {
        /// What, such as `vacuum public.orders`.
        what: String,
        /// What would have to be granted.
        cure: String,
    },
    /// Neither a table nor a materialized view.
    NotATable {
        /// Its name.
        name: ServerText,
    },
    /// A job of this console works on it already.
    OwnJob {
        /// Its name.
        name: ServerText,
    },
    /// The cache table is a partitioned one.
    Partitioned {
        /// Its name.
        name: ServerText,
    },
    /// Our role may not remove rows from the cache table.
    MayNotRemove {
        /// The `GRANT` that cures it.
        cure: String,
    },
    /// No row of the cache table had expired.
    NothingExpired {
        /// Its name.
        name: ServerText,
    },
    /// Somebody vacuums it already.
    AlreadyVacuumed {
        /// Who.
        pid: i32,
        /// True for an autovacuum worker.
        auto: bool,
    },
    /// An anti-wraparound autovacuum works on it.
    WraparoundVacuum {
        /// Who.
        pid: i32,
    },
    /// The setting is none of those that are changed from here.
    SettingNotOffered {
        /// Its name.
        name: String,
    },
    /// The setting is not in the newest list, or there is no list yet.
    SettingUnknown {
        /// Its name.
        name: String,
    },
    /// Through a pooler the server that checks may not be the one that is changed.
    SettingPooled,
    /// `allow_alter_system` is off.
    AlterSystemOff,
    /// Our role may not change the setting.
    MayNotAlter {
        /// Its name.
        name: String,
        /// What would allow it.
        cure: String,
    },
    /// Our role may not have the files read again.
    MayNotReload {
        /// What would allow it.
        cure: String,
    },
    /// The setting is another than the one that was asked about.
    SettingChanged {
        /// Its name.
        name: String,
        /// What it is now.
        now: String,
    },
    /// The server would not take the value.
    SettingInvalid {
        /// The setting.
        name: String,
        /// What it wants.
        wants: String,
    },
    /// That stands in `postgresql.auto.conf` already.
    SettingAlready {
        /// The setting.
        name: String,
        /// What stands there.
        entry: String,
    },
}
