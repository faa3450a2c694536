//! Why an action does not run: one variant for each rule, and the sentence that a person reads.
//!
//! Decides nothing.

use serde::{Deserialize, Serialize};

use crate::model::ServerText;

use super::bulk::BULK_MOST;
use super::protection::Kind;
use super::statement::role_name;
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

impl Refusal {
    /// What a person is told; safe to draw.
    #[must_use]
    #[expect(clippy::too_many_lines, reason = "a table: one sentence for each refusal")]
    pub fn sentence(&self) -> String {
        match self {
            Self::ReadOnly => "read-only: this console takes no action".to_owned(),
            Self::TooHeavy { what, policy } => format!(
                "the policy `{}` allows light actions only, such as a cancel or the vacuum of a table up to 10 GB; not: \
                 {what}",
                policy.word()
            ),
            Self::Protected { kind, name, by } => {
                format!("the {} {} is protected ({by}): it is left alone", kind.word(), name.head(64))
            }
            Self::Frozen => "the screen is frozen: acting waits until it shows the present again".to_owned(),
            Self::NotConnected => "not connected: what is on the screen may no longer be so".to_owned(),
            Self::ServerUnknown => "the server has not said yet who it is".to_owned(),
            Self::ServerChanged { what } => format!("not the server that was asked about: {what}"),
            Self::OwnSession { pid } => format!("{pid} is a connection of this console"),
            Self::SessionGone { pid } => format!("{pid} is gone"),
            Self::Hidden { pid, role } => format!(
                "the server hides from us what {pid} runs and since when, so it could not check that it hits the \
                 right one: GRANT pg_monitor TO {}",
                role_name(role)
            ),
            Self::StatementChanged { pid, now } => {
                format!("{pid} has finished that statement and now runs: {}", now.head(80))
            }
            Self::MovedOn { pid, now } => {
                format!(
                    "{pid} has gone on since it was asked about: it is now {}",
                    ServerText::from(now.as_str()).head(40)
                )
            }
            Self::CancelFirst { pid } => format!(
                "{pid} runs a statement: cancel it first; it may be terminated once a cancel from here was seen not to \
                 end that statement within 3 s"
            ),
            Self::PreventsWraparound { pid } => format!(
                "{pid} is an autovacuum to prevent wraparound: it starts again if it is stopped, and without it the \
                 server stops taking writes"
            ),
            Self::Autovacuum { pid } => format!(
                "{pid} is an autovacuum worker: it gives way by itself to whoever waits for its table longer than \
                 deadlock_timeout"
            ),
            Self::ParallelWorker { pid, leader } => match leader {
                Some(leader) => format!("{pid} is a parallel worker: its leader, {leader}, is the session to act on"),
                None => format!("{pid} is a parallel worker: its leader is the session to act on"),
            },
            Self::Walsender { pid } => format!("{pid} is a walsender: to stop it would cut off a standby or a backup"),
            Self::Background { pid, kind } => {
                format!("{pid} is no client but a process of the server ({})", ServerText::from(kind.as_str()).head(40))
            }
            Self::Idle { pid } => format!("{pid} is idle: it runs nothing that a cancel could stop"),
            Self::IdleInTransaction { pid, open, blocks, frees } => {
                idle_in_transaction(*pid, open.as_deref(), (*blocks, *frees))
            }
            Self::StateUnknown { pid, state } => format!(
                "the server does not tell what {pid} runs (state {}), so it could not check what it stops",
                ServerText::from(state.as_str()).head(40)
            ),
            Self::NobodyLeft { marked, why } => {
                format!("none of the {marked} marked sessions may be signalled; the first: {why}")
            }
            Self::TooMany { count } => {
                format!("{count} sessions at once are too many: mark at most {BULK_MOST}, or narrow the filter")
            }
            Self::TableGone { name } => format!("{} is gone", name.head(64)),
            Self::TableChanged { name, now } => format!("{} is now {}", name.head(64), now.head(64)),
            Self::Standby => "a standby maintains nothing itself: what its primary does comes by replay".to_owned(),
            Self::Pooled => {
                "through a transaction pooler no maintenance could be bounded: a lock_timeout set there is \
                             another client's as well; connect to the server directly"
                    .to_owned()
            }
            Self::Toast { of: Some(of) } => format!("a TOAST table is maintained with its table: {}", of.head(64)),
            Self::Toast { of: None } => "a TOAST table is maintained with its table".to_owned(),
            Self::Catalog { name } => format!(
                "{} is a system catalog: the server reindexes none of them concurrently, and otherwise nobody could read \
                 it meanwhile",
                name.head(64)
            ),
            Self::PartitionedIndex { name } => {
                format!("{} belongs to a partitioned table: act on the indexes of its partitions", name.head(64))
            }
            Self::NotPermitted { what, cure } => format!("our role may not {what}: {cure}"),
            Self::NotATable { name } => format!("{} is neither a table nor a materialized view", name.head(64)),
            Self::OwnJob { name } => format!("{} is being worked on already, from here", name.head(64)),
            Self::AlreadyVacuumed { pid, auto: true } => {
                format!("autovacuum ({pid}) works on it already; a second vacuum would make it give up")
            }
            Self::AlreadyVacuumed { pid, auto: false } => format!("{pid} vacuums it already"),
            Self::WraparoundVacuum { pid } => {
                format!("an autovacuum to prevent wraparound ({pid}) works on it: it must not be held up")
            }
            Self::SettingNotOffered { name } => {
                format!("{name} is not changed from here: a list, a text, or nothing that an incident asks for")
            }
            Self::SettingUnknown { name } => format!("{name} has not been read yet, or is no setting of this server"),
            Self::SettingPooled => {
                "through a transaction pooler the server that was checked may not be the one that is \
                                    changed: connect to the server directly"
                    .to_owned()
            }
            Self::AlterSystemOff => {
                "the server takes no ALTER SYSTEM (allow_alter_system = off): its configuration is \
                                     managed elsewhere, change it there"
                    .to_owned()
            }
            Self::MayNotAlter { name, cure } => format!("our role may not change {name}: {cure}"),
            Self::MayNotReload { cure } => format!("our role may not have the files read again: {cure}"),
            Self::SettingChanged { name, now } => {
                format!("{name} was changed since it was asked about: it is now {now}")
            }
            Self::SettingInvalid { name, wants } => format!("{name} does not take that: {wants}"),
            Self::SettingAlready { name, entry } => {
                format!("nothing to do: postgresql.auto.conf has {entry} for {name} already")
            }
        }
    }
}

/// What is told of a session that sits in a transaction: why no cancel, and what it costs.
fn idle_in_transaction(pid: i32, open: Option<&str>, (blocks, frees): (usize, usize)) -> String {
    let since = open.map_or_else(String::new, |open| format!(" (open {open})"));
    let behind = match (blocks, frees) {
        (0, _) => String::new(),
        (blocks, frees) if frees == blocks => format!("; it blocks {blocks}, all of whom it would free"),
        (blocks, frees) => format!("; it blocks {blocks}, of whom it would free {frees}"),
    };
    format!(
        "{pid} is idle in a transaction{since}: a cancel cannot help an idle session, its client must go on or it must be \
         terminated{behind}"
    )
}
