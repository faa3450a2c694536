//! A finding: one sentence of fact, one line of evidence, what to do, and how much harm it does.
//!
//! Plain data: who makes one is a rule of the theme that it belongs to.

use serde::{Deserialize, Serialize};

use super::health::ItemKey;
use crate::command::{Command, Tab};
use crate::model::alert::Labels;
use crate::model::relation::RelationKey;
use crate::model::replica::ReplicaKey;
use crate::model::session::SessionKey;
use crate::model::{ServerText, Timestamp, Tone};

macro_rules! kinds {
    ($($name:ident, $slug:literal, $role:ident, $runbook:expr, $doc:literal;)*) => {
        /// What is wrong: one kind per rule's verdict.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
        #[serde(rename_all = "kebab-case")]
        pub enum Kind {
            $(#[doc = $doc] $name,)*
        }

        impl Kind {
            /// All of them.
            pub const ALL: &[Self] = &[$(Self::$name,)*];

            /// Its name in reports.
            #[must_use]
            pub fn name(self) -> &'static str {
                match self { $(Self::$name => $slug,)* }
            }

            /// Whether it shows harm that something else may do.
            #[must_use]
            pub fn role(self) -> Role {
                match self { $(Self::$name => Role::$role,)* }
            }

            /// The runbook that it belongs to, by its id.
            #[must_use]
            pub fn runbook(self) -> Option<&'static str> {
                match self { $(Self::$name => $runbook,)* }
            }
        }
    };
}

/// The guide's runbook of a slow database.
const DATABASE: Option<&str> = Some("database-performance");
/// Its runbook of a cache that misses.
const CACHE: Option<&str> = Some("cache-performance");
/// Its runbook of memory that runs short.
const MEMORY: Option<&str> = Some("memory-pressure");

kinds! {
    ServerLost, "server-lost", Cause, DATABASE, "There is no connection to the server.";
    NoAnswer, "no-answer", Cause, DATABASE, "The server lets us in, and does not say who is connected.";
    Restarted, "restarted", Cause, DATABASE, "The server began anew while it was looked at.";
    Blocker, "blocker", Cause, DATABASE, "A session, or a prepared transaction, that others wait for and that waits for nobody.";
    Queue, "queue", Cause, DATABASE, "A strong lock that is only waited for, and behind which others queue.";
    IdleTransaction, "idle-transaction", Cause, DATABASE, "Transactions whose clients do nothing.";
    LongTransaction, "long-transaction", Cause, DATABASE, "Transactions that work for long.";
    Horizon, "horizon", Cause, DATABASE, "What keeps vacuum from removing dead rows.";
    SlowStatements, "slow-statements", Cause, DATABASE, "Statements that run for long.";
    BusyStatements, "busy-statements", Cause, DATABASE, "Many statements that run for seconds.";
    Connections, "connections", Cause, DATABASE, "The server's connections run out.";
    ConnectionLimit, "connection-limit", Cause, DATABASE, "The connections that one role, or one database, may have run out.";
    Service, "service", Symptom, DATABASE, "The application says that it is not well, or says nothing.";
    BlindHealth, "blind-health", Symptom, DATABASE, "The application is well by its own word while its database does not answer us.";
    Dependency, "dependency", Cause, None, "Something that the application needs is not there.";
    PoolerQueue, "pooler-queue", Symptom, DATABASE, "Clients wait at pgbouncer for a server connection.";
    PoolerClients, "pooler-clients", Cause, DATABASE, "pgbouncer has nearly as many clients as it takes.";
    Latency, "latency", Symptom, DATABASE, "Answers of the service take long.";
    Errors, "errors", Symptom, DATABASE, "Answers of the service are errors.";
    HitRatio, "hit-ratio", Cause, CACHE, "The result cache finds little.";
    Pool, "pool", Symptom, DATABASE, "The service's pool of connections runs out.";
    Memory, "memory", Cause, MEMORY, "The service's memory grows.";
    MemoryShort, "memory-short", Cause, MEMORY, "A host or a container has little memory left, or its kernel ended a process for want of it.";
    ProcessorShort, "processor-short", Cause, DATABASE, "A host's cores are all in use, or a container is held back by its CPU limit.";
    IoWaits, "io-waits", Cause, DATABASE, "The server's host waits for I/O, and sessions with it.";
    Alert, "alert", Symptom, None, "An alert of the rules fires.";
    TargetDown, "target-down", Cause, None, "Prometheus cannot read from something.";
    SyncWait, "sync-wait", Cause, DATABASE, "Commits wait for a synchronous standby that does not confirm.";
    ReplicaGone, "replica-gone", Cause, None, "A standby that was here is gone.";
    ReplicaLag, "replica-lag", Cause, None, "A standby is behind.";
    SlotLost, "slot-lost", Cause, None, "A slot is invalid, or is about to lose the WAL that its reader needs.";
    SlotRetains, "slot-retains", Cause, None, "A slot keeps WAL.";
    ReplayPaused, "replay-paused", Cause, None, "Replay is paused on this standby.";
    StandbyBehind, "standby-behind", Cause, None, "This standby is behind, or hears nothing.";
    AutovacuumOff, "autovacuum-off", Cause, DATABASE, "Autovacuum is off for the whole server.";
    DeadRows, "dead-rows", Cause, DATABASE, "A table full of dead rows, with the reason why autovacuum does not help.";
    Bloat, "bloat", Cause, DATABASE, "A table that wastes much of its file.";
    InvalidIndex, "invalid-index", Cause, DATABASE, "A failed build left an index that no query uses.";
    DuplicateIndex, "duplicate-index", Cause, DATABASE, "A large index is the same as another one.";
    UnusedIndex, "unused-index", Cause, DATABASE, "A large index had no scan for long.";
    MissingIndex, "missing-index", Cause, DATABASE, "A large table is read from end to end again and again.";
    Wraparound, "wraparound", Cause, None, "Transaction or multixact ids of a database run out.";
    Archive, "archive", Cause, None, "The archive takes no WAL, or too little.";
    WalKept, "wal-kept", Symptom, None, "The WAL's directory holds more than the settings ask for.";
    Checkpoints, "checkpoints", Cause, DATABASE, "Checkpoints come one after the other, forced by WAL.";
    TempFiles, "temp-files", Cause, DATABASE, "Sorts and hashes spill into temporary files.";
    Deadlocks, "deadlocks", Cause, DATABASE, "Transactions wait for each other, and the server ends one.";
    Conflicts, "conflicts", Cause, None, "Replay cancels queries on this standby.";
    Disk, "disk", Cause, DATABASE, "A disk is full, or will be.";
    ExporterBlind, "exporter-blind", Cause, None, "The exporter cannot reach the server that answers us.";
    Waits, "waits", Symptom, DATABASE, "Many more sessions wait for something than a while ago.";
    Prepared, "prepared", Cause, DATABASE, "A transaction was prepared long ago and not ended.";
    Subscription, "subscription", Cause, None, "A logical subscription fails, does not run, or hears nothing.";
    CacheBacklog, "cache-backlog", Cause, CACHE, "Rows of the cache table have expired and are not removed.";
    Partitions, "partitions", Cause, None, "The last partition of a table of error tracking ends.";
    OwnCost, "own-cost", Cause, None, "Our own questions cost too much.";
    Gap, "gap", Cause, None, "For a while nothing was seen.";
}

/// Whether a finding can be the reason of others.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub enum Role {
    /// It does harm itself: something can be done about it.
    Cause,
    /// It shows harm, whose cause may stand beside it.
    Symptom,
}

/// How bad it is; from the harm done now, then from the harm coming.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Severity {
    /// Worth a look.
    Notice,
    /// It hurts some, or will.
    Warning,
    /// It hurts now, or within the hour.
    Critical,
}

impl Severity {
    /// How loud it is shown.
    #[must_use]
    pub fn tone(self) -> Tone {
        match self {
            Self::Notice => Tone::Notice,
            Self::Warning => Tone::Warning,
            Self::Critical => Tone::Critical,
        }
    }
}

/// How much harm it does.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize, Deserialize)]
pub struct Harm {
    /// Sessions or requests hit now, times the seconds that each has been hit for.
    pub now: f64,
    /// How near the harm is that has not happened: 1 is within the hour, 0 is some day.
    pub coming: f64,
}

/// Where the evidence is: a tab, and the row there.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum Target {
    /// A session's row on that tab.
    Session {
        /// Connections, Slow or Locks.
        tab: Tab,
        /// Which.
        key: SessionKey,
    },
    /// Several sessions in Connections.
    Sessions {
        /// Which to select.
        key: SessionKey,
        /// The filter that lists them.
        filter: String,
    },
    /// A table's row.
    Table(RelationKey),
    /// An index's row in the indexes of Tables.
    Index(RelationKey),
    /// A prepared transaction in Locks, by its identifier.
    Prepared(ServerText),
    /// A standby's row.
    Replica(ReplicaKey),
    /// A panel, by its id.
    Panel {
        /// Latency or Cache.
        tab: Tab,
        /// `PanelSpec::id`.
        id: String,
    },
    /// An alert, by its labels.
    Alert(Labels),
    /// An item of the health.
    Health(ItemKey),
    /// The figures that it rests on (`diagnose::figures`), in a view of their own above that tab: no row shows them.
    Figures(Tab),
    /// The list of Tables, sorted by that column: whichever come first.
    Ranked(String),
    /// A tab as a whole.
    Tab(Tab),
}

impl Target {
    /// The tab that it is on.
    #[must_use]
    pub fn tab(&self) -> Tab {
        match self {
            Self::Session { tab, .. } | Self::Panel { tab, .. } | Self::Figures(tab) | Self::Tab(tab) => *tab,
            Self::Sessions { .. } => Tab::Connections,
            Self::Table(_) | Self::Index(_) | Self::Ranked(_) => Tab::Tables,
            Self::Prepared(_) => Tab::Locks,
            Self::Replica(_) => Tab::Replication,
            Self::Alert(_) | Self::Health(_) => Tab::Triage,
        }
    }

    /// The session that it is about.
    #[must_use]
    pub fn session(&self) -> Option<&SessionKey> {
        if let Self::Session { key, .. } | Self::Sessions { key, .. } = self { Some(key) } else { None }
    }

    /// The table that it is about.
    #[must_use]
    pub fn table(&self) -> Option<&RelationKey> {
        if let Self::Table(key) = self { Some(key) } else { None }
    }

    /// The index that it is about.
    #[must_use]
    pub fn index(&self) -> Option<&RelationKey> {
        if let Self::Index(key) = self { Some(key) } else { None }
    }
}

/// A finding's identity from one look to the next.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub struct FindingKey {
    /// Its kind.
    pub kind: Kind,
    /// What it is about within the kind: a pid with its start, an OID, a name; empty where there is only one.
    pub subject: String,
}

/// Something that is wrong. All its texts are safe to draw.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Finding {
    /// What it is.
    pub key: FindingKey,
    /// How bad.
    pub severity: Severity,
    /// One sentence, with figures.
    pub fact: String,
    /// One line that shows it.
    pub evidence: String,
    /// What to do.
    pub todo: String,
    /// SQL to copy that helps where no action of ours does. It is raw: for the clipboard, not for the screen.
    pub remedy: Option<String>,
    /// Since when: by the figures themselves, or else since it was first found.
    pub since: Option<Timestamp>,
    /// When the newest answer came that it rests on.
    pub seen: Timestamp,
    /// How much harm it does.
    pub harm: Harm,
    /// Where the evidence is.
    pub target: Target,
    /// The command that fits.
    pub action: Option<Command>,
}

impl Finding {
    /// A finding worth a look, its words still missing.
    #[must_use]
    pub fn of(kind: Kind, subject: impl Into<String>, seen: Timestamp, target: Target) -> Self {
        Self {
            key: FindingKey { kind, subject: subject.into() },
            severity: Severity::Notice,
            fact: String::new(),
            evidence: String::new(),
            todo: String::new(),
            remedy: None,
            since: None,
            seen,
            harm: Harm::default(),
            target,
            action: None,
        }
    }

    /// Its kind.
    #[must_use]
    pub fn kind(&self) -> Kind {
        self.key.kind
    }

    /// The id of the runbook that it belongs to.
    #[must_use]
    pub fn runbook(&self) -> Option<&'static str> {
        self.key.kind.runbook()
    }

    /// The worst first: by severity, causes before what only shows harm, then by the harm now, by the harm coming, and
    /// by identity, so that no two looks at the same world differ.
    #[must_use]
    pub fn rank(&self, other: &Self) -> std::cmp::Ordering {
        other
            .severity
            .cmp(&self.severity)
            .then(self.key.kind.role().cmp(&other.key.kind.role()))
            .then(other.harm.now.total_cmp(&self.harm.now))
            .then(other.harm.coming.total_cmp(&self.harm.coming))
            .then_with(|| self.key.cmp(&other.key))
    }
}

/// What could not be looked at, and what would cure that. Its texts are safe to draw.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Unchecked {
    /// What was not checked.
    pub what: String,
    /// Why.
    pub why: String,
    /// The statement or setting that would change it; empty where only time does.
    pub cure: String,
}

impl Unchecked {
    /// Something that was not checked.
    #[must_use]
    pub fn of(what: impl Into<String>, why: impl Into<String>, cure: impl Into<String>) -> Self {
        Self { what: what.into(), why: why.into(), cure: cure.into() }
    }
}
