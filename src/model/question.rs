//! What can be asked, how often it is wanted, and what an answer looks like.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::activity::Activity;
use super::alert::{GroupAnswer, Others, Silence};
use super::cache::CacheTable;
use super::error::ProbeError;
use super::health::{Contact, Health};
use super::index::{IndexOrder, Indexes};
use super::panel::{PanelAnswer, ScrapeTarget};
use super::plan::{Plan, PlanOf};
use super::pooler::Pooler;
use super::progress::Running;
use super::relation::{ExactBloat, RelationKey, RelationOrder, Relations};
use super::replica::Replication;
use super::server::Server;
use super::session::{HeldLock, SessionKey, Sessions};
use super::setting::Settings;
use super::statement::{StatementOrder, Statements};
use super::text::ServerText;
use super::{Timestamp, Tone};

/// One thing that can be asked of a server or of Prometheus.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Question {
    /// Who the server is and what our role may see.
    Server,
    /// All sessions, with who blocks whom.
    Sessions,
    /// The locks of one session.
    SessionLocks(SessionKey),
    /// The work of the whole server that tells how far it is.
    Progress,
    /// The tables of a database (none: the one connected to).
    Relations {
        /// Which database.
        database: Option<ServerText>,
        /// Ranked by.
        order: RelationOrder,
    },
    /// The indexes of a database (none: the one connected to).
    Indexes {
        /// Which database.
        database: Option<ServerText>,
        /// Ranked by.
        order: IndexOrder,
    },
    /// The statement that makes one index.
    IndexDefinition {
        /// Of which database (none: the one connected to).
        database: Option<ServerText>,
        /// Its OID.
        oid: u32,
    },
    /// Exact bloat of one table.
    ExactBloat(RelationKey),
    /// The plan of one statement, which is not run.
    Plan(Box<PlanOf>),
    /// Standbys, slots, upstream.
    Replication,
    /// What the server as a whole has done: transactions, checkpoints, WAL, the archive.
    Activity,
    /// The server's settings.
    Settings,
    /// The cache table and its look-ups.
    CacheTable,
    /// The entries of `pg_stat_statements`.
    Statements {
        /// Ranked by.
        order: StatementOrder,
    },
    /// One panel of Prometheus, by its id, over the last `span_s` seconds.
    Panel {
        /// `PanelSpec::id`.
        id: String,
        /// Seconds back from now.
        span_s: u32,
        /// Seconds between points.
        step_s: u32,
    },
    /// The same panel a week ago: what is usual at this hour.
    PanelBefore {
        /// `PanelSpec::id`.
        id: String,
        /// Seconds back from a week ago.
        span_s: u32,
        /// Seconds between points.
        step_s: u32,
    },
    /// The scrape targets of Prometheus.
    Targets,
    /// A group of our alert rules, by its key.
    Rules {
        /// `RuleGroup::key`.
        group: String,
    },
    /// The alerts that Prometheus evaluates itself.
    OtherAlerts,
    /// The active silences of Alertmanager.
    Silences,
    /// How the application is, by its own word.
    Health {
        /// Its address, as it is shown.
        endpoint: String,
    },
    /// Whether a dependency is there.
    Dependency {
        /// Its name.
        name: String,
    },
    /// The pools of pgbouncer.
    Pooler,
}

impl Question {
    /// True where it is not asked of the PostgreSQL server, and costs it nothing.
    #[must_use]
    pub fn is_elsewhere(&self) -> bool {
        let another = matches!(self, Self::Silences | Self::Health { .. } | Self::Dependency { .. } | Self::Pooler);
        another || self.is_prometheus()
    }

    /// True where Prometheus is asked.
    #[must_use]
    pub fn is_prometheus(&self) -> bool {
        match self {
            Self::Panel { .. } | Self::PanelBefore { .. } | Self::Targets | Self::Rules { .. } | Self::OtherAlerts => {
                true
            }
            Self::Server
            | Self::Sessions
            | Self::SessionLocks(_)
            | Self::Progress
            | Self::Relations { .. }
            | Self::Indexes { .. }
            | Self::IndexDefinition { .. }
            | Self::ExactBloat(_)
            | Self::Plan(_)
            | Self::Replication
            | Self::Activity
            | Self::Statements { .. }
            | Self::CacheTable
            | Self::Settings
            | Self::Silences
            | Self::Health { .. }
            | Self::Dependency { .. }
            | Self::Pooler => false,
        }
    }
}

/// The pause after an answer is at least so many times as long as the answer took: one question then takes no more than a
/// tenth of a backend's time, however slow the server has become.
const REST: u32 = 9;

/// The longest such pause.
const LONGEST_REST: Duration = Duration::from_secs(60);

/// The longest such pause after a single slow answer.
const FIRST_REST: Duration = Duration::from_secs(5);

/// How long a question rests after an answer that took so long, and the one before it that. A single slow answer may be a
/// machine that stood still for a moment: it must not keep us from looking for long. The second in a row is the server's pace.
#[must_use]
pub fn rest(before: Duration, took: Duration) -> Duration {
    let lasting = before.min(took).saturating_mul(REST).min(LONGEST_REST);
    lasting.max(took.saturating_mul(REST).min(FIRST_REST))
}

/// How often a question is wanted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Cadence {
    /// Again, this long after the last answer.
    Every(Duration),
    /// Once for each new number.
    Once(u64),
}

/// A question and its cadence.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Wanted {
    /// What.
    pub question: Question,
    /// How often.
    pub cadence: Cadence,
}

/// All that is wanted now; published to the probes whenever it changes.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Demand {
    /// In order of importance.
    pub wanted: Vec<Wanted>,
    /// Raised by the key that connects again at once.
    pub reconnect: u64,
}

/// An answer.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub enum Snapshot {
    /// To [`Question::Server`].
    Server(Box<Server>),
    /// To [`Question::Sessions`].
    Sessions(Sessions),
    /// To [`Question::SessionLocks`].
    SessionLocks(Vec<HeldLock>),
    /// To [`Question::Progress`].
    Progress(Running),
    /// To [`Question::Relations`].
    Relations(Box<Relations>),
    /// To [`Question::Indexes`].
    Indexes(Box<Indexes>),
    /// To [`Question::IndexDefinition`].
    IndexDefinition(ServerText),
    /// To [`Question::ExactBloat`].
    ExactBloat(ExactBloat),
    /// To [`Question::Plan`].
    Plan(Box<Plan>),
    /// To [`Question::Replication`].
    Replication(Box<Replication>),
    /// To [`Question::Activity`].
    Activity(Box<Activity>),
    /// To [`Question::Settings`].
    Settings(Box<Settings>),
    /// To [`Question::CacheTable`].
    CacheTable(CacheTable),
    /// To [`Question::Statements`].
    Statements(Box<Statements>),
    /// To [`Question::Panel`] and [`Question::PanelBefore`].
    Panel(PanelAnswer),
    /// To [`Question::Targets`].
    Targets(Vec<ScrapeTarget>),
    /// To [`Question::Rules`].
    Rules(GroupAnswer),
    /// To [`Question::OtherAlerts`].
    OtherAlerts(Others),
    /// To [`Question::Silences`].
    Silences(Vec<Silence>),
    /// To [`Question::Health`].
    Health(Box<Health>),
    /// To [`Question::Dependency`].
    Dependency(Contact),
    /// To [`Question::Pooler`].
    Pooler(Box<Pooler>),
}

/// A question's answer, with when it was given and what it cost.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Sample {
    /// What was asked.
    pub question: Question,
    /// When the answer arrived, by our clock.
    pub at: Timestamp,
    /// How long it took, by our clock.
    pub took: Duration,
    /// What came.
    pub answer: Result<Snapshot, ProbeError>,
}

impl Sample {
    /// How this answer should look at a glance.
    #[must_use]
    pub fn tone(&self) -> Tone {
        if self.answer.is_ok() { Tone::Good } else { Tone::Warning }
    }
}
