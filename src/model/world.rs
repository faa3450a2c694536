//! All that is known of one target: the last answer to each question, and the last failure beside it.

mod cost;
mod latest;
mod pairs;

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use serde::{Deserialize, Serialize};

pub use cost::{Cost, Spent};
pub use latest::Latest;

use super::Timestamp;
use super::activity::Activity;
use super::activity::delta::Delta;
use super::cache::{CacheTable, Lookups};
use super::error::ProbeError;
use super::health::{Contact, Health, State, Watched};
use super::horizon::Stands;
use super::index::Indexes;
use super::lock::LockGraph;
use super::panel::{PanelAnswer, ScrapeTarget};
use super::plan::{Plan, PlanOf};
use super::pooler::Pooler;
use super::progress::Running;
use super::question::{Question, Sample, Snapshot};
use super::relation::{ExactBloat, RelationKey, Relations};
use super::replica::{Replica, ReplicaKey, Replication};
use super::restart::Life;
use super::server::Server;
use super::session::{HeldLock, SessionKey, Sessions};
use super::setting::Settings;
use super::statement::rate::Interval;
use super::statement::{StatementText, Statements};
use super::text::ServerText;

/// The state of the connection that the reads use.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub enum Link {
    /// Dialling for the first time, or again.
    Connecting {
        /// Where, such as `db1:5432`.
        place: String,
        /// Since when.
        since: Timestamp,
        /// The attempt's number, from 1.
        attempt: u32,
        /// Why the last one failed.
        last_error: Option<String>,
        /// When the next attempt starts, while waiting for it.
        retry_at: Option<Timestamp>,
    },
    /// Answering.
    Up(LinkFacts),
}

/// What is known of a live connection.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LinkFacts {
    /// Where, such as `127.0.0.1:5432` or `/run/postgresql:5432`.
    pub place: String,
    /// TLS as it really is.
    pub tls: Tls,
    /// True behind a transaction pooler: a backend is not a client there.
    pub pooled: bool,
    /// Since when.
    pub since: Timestamp,
}

/// The protection of a connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Tls {
    /// A Unix socket: nothing to protect.
    Local,
    /// Plain text over the network.
    None,
    /// Encrypted, the server's certificate not verified.
    Unverified,
    /// Encrypted, certificate chain verified, host name not checked (`verify-ca`).
    ChainVerified,
    /// Encrypted, certificate and host name verified.
    Verified,
}

/// A standby that was seen and is gone.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Missing {
    /// Its last row.
    pub last: Replica,
    /// When it was last seen.
    pub seen: Timestamp,
}

/// Everything known of one target.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct World {
    /// The connection of the reads.
    pub link: Option<Link>,
    /// Where the newest connection led: what is not asked elsewhere is known of the server there.
    #[serde(skip)]
    pub place: Option<String>,
    /// The server.
    pub server: Latest<Server>,
    /// Whether it began anew meanwhile.
    #[serde(skip)]
    pub life: Life,
    /// Sessions.
    pub sessions: Latest<Sessions>,
    /// The lock graph of the last sessions.
    #[serde(skip)]
    pub graph: LockGraph,
    /// Locks of the sessions that were looked at.
    pub locks: Option<(SessionKey, Latest<Vec<HeldLock>>)>,
    /// Work that tells how far it is.
    #[serde(default)]
    pub progress: Latest<Running>,
    /// Tables.
    pub relations: Latest<Relations>,
    /// Indexes.
    #[serde(default)]
    pub indexes: Latest<Indexes>,
    /// The statement that makes the index that was looked at last, by the question that it answers.
    pub definition: Option<(Question, Latest<ServerText>)>,
    /// Exact bloat, where it was asked for.
    #[serde(with = "pairs")]
    pub exact: BTreeMap<u32, (RelationKey, Latest<ExactBloat>)>,
    /// The plan that was asked for last.
    #[serde(default)]
    pub plan: Option<(PlanOf, Latest<Plan>)>,
    /// Replication.
    pub replication: Latest<Replication>,
    /// The server as a whole.
    #[serde(default)]
    pub activity: Latest<Activity>,
    /// What happened between the last two looks at it; none where they cannot be compared.
    #[serde(skip)]
    pub activity_delta: Option<Delta>,
    /// Standbys seen before and now gone.
    #[serde(with = "pairs")]
    pub missing: BTreeMap<ReplicaKey, Missing>,
    /// Since when their horizons stand.
    #[serde(default)]
    pub stands: Stands,
    /// The settings.
    #[serde(default)]
    pub settings: Latest<Settings>,
    /// The cache table.
    pub cache: Latest<CacheTable>,
    /// The look-up counters one answer earlier, for a rate.
    pub cache_before: Option<(Lookups, Timestamp)>,
    /// The entries of `pg_stat_statements`; their texts are kept beside.
    #[serde(default)]
    pub statements: Latest<Statements>,
    /// What happened between the last two looks at them.
    #[serde(skip)]
    pub statements_interval: Interval,
    /// Their texts by `queryid`.
    #[serde(default)]
    pub statement_texts: BTreeMap<i64, StatementText>,
    /// Panels by id.
    pub panels: BTreeMap<String, Latest<PanelAnswer>>,
    /// Panels a week ago, by id.
    #[serde(default)]
    pub panels_before: BTreeMap<String, Latest<PanelAnswer>>,
    /// Scrape targets.
    pub targets: Latest<Vec<ScrapeTarget>>,
    /// The application's endpoints, by address.
    #[serde(default)]
    pub health: BTreeMap<String, Watched<Health>>,
    /// Dependencies, by name.
    #[serde(default)]
    pub dependencies: BTreeMap<String, Watched<Contact>>,
    /// pgbouncer.
    #[serde(default)]
    pub pooler: Watched<Pooler>,
    /// Server time that our questions took within the last minute.
    #[serde(skip)]
    pub spent: Vec<Spent>,
}

impl World {
    /// Takes the state of the connection in; true where it leads to another place than before, which of several hosts
    /// may do after a failover. What was known is then known of another server: its standbys are not missing here, and
    /// a difference of its counters and ours is no rate.
    pub fn connect(&mut self, link: Link) -> bool {
        let mut moved = false;
        if let Link::Up(facts) = &link {
            moved = self.place.as_ref().is_some_and(|place| *place != facts.place);
            if moved {
                let Self { panels, panels_before, targets, health, dependencies, pooler, spent, .. } =
                    std::mem::take(self);
                let kept = Self { panels, panels_before, targets, health, dependencies, ..Self::default() };
                *self = Self { pooler, spent, ..kept };
            }
            self.place = Some(facts.place.clone());
        }
        self.link = Some(link);
        moved
    }

    /// Takes one sample in.
    pub fn take(&mut self, sample: Sample) {
        let Sample { question, at, took, answer } = sample;
        // Where nobody answered the door, nothing was asked of the server.
        if !matches!(answer, Err(ProbeError::Unreachable(_))) {
            self.spend(&question, at, took);
        }
        match question {
            Question::Server => {
                let answer = answer.and_then(into_server);
                if let Ok(server) = &answer {
                    self.life.hear(server, at);
                }
                self.server.take_in(answer, at, took);
            }
            Question::Sessions => {
                let answer = answer.and_then(into_sessions);
                if let Ok(sessions) = &answer {
                    self.graph = LockGraph::of(&sessions.rows);
                    self.life.see(sessions, at);
                }
                self.sessions.take_in(answer, at, took);
            }
            Question::SessionLocks(key) => {
                let answer = answer.and_then(into_locks);
                match &mut self.locks {
                    Some((held, latest)) if *held == key => latest.take(answer, at),
                    Some(_) | None => {
                        let mut latest = Latest::default();
                        latest.take(answer, at);
                        self.locks = Some((key, latest));
                    }
                }
            }
            Question::Progress => {
                let answer = answer.and_then(into_progress).map(|now| now.after(self.progress.get(), at));
                self.progress.take_in(answer, at, took);
            }
            Question::Relations { .. } => self.relations.take_in(answer.and_then(into_relations), at, took),
            Question::Indexes { .. } => self.indexes.take_in(answer.and_then(into_indexes), at, took),
            Question::IndexDefinition { .. } => {
                let kept = self.definition.take().filter(|(asked, _)| *asked == question);
                let mut latest = kept.map(|(_, latest)| latest).unwrap_or_default();
                latest.take(answer.and_then(into_definition), at);
                self.definition = Some((question, latest));
            }
            Question::ExactBloat(key) => {
                let answer = answer.and_then(into_exact);
                let entry = self.exact.entry(key.oid).or_insert_with(|| (key.clone(), Latest::default()));
                if entry.0 != key {
                    *entry = (key, Latest::default());
                }
                entry.1.take(answer, at);
            }
            Question::Plan(of) => {
                let mut latest = Latest::default();
                latest.take(answer.and_then(into_plan), at);
                self.plan = Some((*of, latest));
            }
            Question::Replication => self.take_replication(answer.and_then(into_replication), at, took),
            Question::Activity => {
                let answer = answer.and_then(into_activity);
                if let Ok(now) = &answer {
                    self.activity_delta = self.activity.get().and_then(|before| Delta::between(before, now));
                }
                self.activity.take_in(answer, at, took);
            }
            Question::Settings => self.settings.take_in(answer.and_then(into_settings), at, took),
            Question::CacheTable => {
                let before = self.cache.value.as_ref().and_then(|(c, at)| c.lookups.map(|l| (l, *at)));
                let answer = answer.and_then(into_cache);
                if answer.is_ok() {
                    self.cache_before = before;
                }
                self.cache.take_in(answer, at, took);
            }
            Question::Statements { .. } => self.take_statements(answer.and_then(into_statements), at, took),
            Question::Panel { id, .. } => self.panels.entry(id).or_default().take(answer.and_then(into_panel), at),
            Question::PanelBefore { id, .. } => {
                self.panels_before.entry(id).or_default().take(answer.and_then(into_panel), at);
            }
            Question::Targets => self.targets.take(answer.and_then(into_targets), at),
            // Alerts have a state that no single answer holds: they are on the board.
            Question::Rules { .. } | Question::OtherAlerts | Question::Silences => {}
            Question::Health { endpoint } => {
                self.health.entry(endpoint).or_default().take(answer.and_then(into_health), at, Health::state);
            }
            Question::Dependency { name } => {
                let answer = answer.and_then(into_dependency);
                self.dependencies.entry(name).or_default().take(answer, at, |contact| contact.state);
            }
            Question::Pooler => self.pooler.take(answer.and_then(into_pooler), at, |_| State::Ok),
        }
    }

    fn take_statements(&mut self, answer: Result<Statements, ProbeError>, at: Timestamp, took: Duration) {
        let answer = answer.map(|mut now| {
            let before = self.statements.get();
            let present: BTreeSet<i64> = now.entries.iter().map(|e| e.key.query).collect();
            self.statement_texts.retain(|query, _| present.contains(query));
            self.statement_texts.extend(std::mem::take(&mut now.texts).into_iter().map(|t| (t.query, t)));
            self.statements_interval = before.map(|b| Interval::between(b, &now)).unwrap_or_default();
            now
        });
        self.statements.take_in(answer, at, took);
    }

    fn take_replication(&mut self, answer: Result<Replication, ProbeError>, at: Timestamp, took: Duration) {
        let answer = answer.map(|now| now.after(self.replication.value.as_ref(), at));
        if let Ok(now) = &answer {
            let present: Vec<ReplicaKey> = now.replicas.iter().map(Replica::key).collect();
            if let Some((before, seen)) = &self.replication.value {
                for gone in before.replicas.iter().filter(|r| !present.contains(&r.key())) {
                    self.missing.entry(gone.key()).or_insert_with(|| Missing { last: gone.clone(), seen: *seen });
                }
            }
            self.missing.retain(|key, _| !present.contains(key));
            self.stands.follow(now, at);
        }
        self.replication.take_in(answer, at, took);
    }
}

macro_rules! into {
    ($name:ident, $variant:ident, $type:ty, $value:ident => $out:expr) => {
        fn $name(snapshot: Snapshot) -> Result<$type, ProbeError> {
            if let Snapshot::$variant($value) = snapshot {
                Ok($out)
            } else {
                Err(ProbeError::Shape(concat!("not ", stringify!($variant)).to_owned()))
            }
        }
    };
}

into!(into_server, Server, Server, v => *v);
into!(into_sessions, Sessions, Sessions, v => v);
into!(into_locks, SessionLocks, Vec<HeldLock>, v => v);
into!(into_progress, Progress, Running, v => v);
into!(into_relations, Relations, Relations, v => *v);
into!(into_indexes, Indexes, Indexes, v => *v);
into!(into_definition, IndexDefinition, ServerText, v => v);
into!(into_exact, ExactBloat, ExactBloat, v => v);
into!(into_plan, Plan, Plan, v => *v);
into!(into_replication, Replication, Replication, v => *v);
into!(into_activity, Activity, Activity, v => *v);
into!(into_settings, Settings, Settings, v => *v);
into!(into_cache, CacheTable, CacheTable, v => v);
into!(into_statements, Statements, Statements, v => *v);
into!(into_panel, Panel, PanelAnswer, v => v);
into!(into_targets, Targets, Vec<ScrapeTarget>, v => v);
into!(into_health, Health, Health, v => *v);
into!(into_dependency, Dependency, Contact, v => v);
into!(into_pooler, Pooler, Pooler, v => *v);
