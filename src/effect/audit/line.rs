//! The shape of a line: plain fields with plain names, to be read with `jq` as well as by this program.
//!
//! Version 1. A field may be added; none changes its meaning. Nothing here touches a file.

use serde::{Deserialize, Serialize};

use super::ended::Ended;
use super::maintained::Maintained;
use super::redact::redacted;
use crate::guard::{Approved, Bulk, BulkTarget, Confirm, LeftOut, ServerIdentity, Signal, Task, Who, Write};
use crate::keymap::{Chord, Key};
use crate::message::Outcome;
use crate::model::session::State;
use crate::model::setting::{Entry as FileEntry, secret};
use crate::model::{ServerText, Timestamp};

/// The version of the format.
const VERSION: u32 = 1;

/// The most characters of a query that a line keeps: a server may send up to a megabyte of it, and a line is written
/// under a lock.
const QUERY_MOST: usize = 8192;

/// The same where a line tells of up to a hundred.
const QUERY_OF_MANY: usize = 1024;

/// Who sits at the console. The values are read from the environment elsewhere and passed in.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Console {
    /// The operating system's user.
    pub user: String,
    /// Who became that user, where `sudo` said so.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sudo_user: Option<String>,
    /// From where that user is logged in, where `sshd` said so.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ssh_client: Option<String>,
    /// The host that the console runs on.
    pub host: String,
    /// The console's process id.
    pub pid: u32,
}

/// Where the writer is connected, or was to connect.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Place {
    /// Such as `db1:5432`.
    pub place: String,
    /// Database.
    pub database: String,
    /// Role.
    pub role: String,
}

/// What a line tells.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum EventKind {
    /// A confirmed action is about to be sent. Without an outcome of the same id nobody knows what became of it.
    Intent,
    /// A job was asked to stop.
    Stop,
    /// How it ended.
    Outcome,
    /// Whether a cancelled statement, or a terminated session, has gone.
    Verified,
    /// An action that was asked for and not allowed.
    Refused,
}

/// What an action is done to.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase", tag = "action")]
pub enum Target {
    /// One statement of one backend.
    Cancel {
        /// Its pid.
        pid: i32,
        /// Its `backend_start`.
        backend_start: Option<String>,
        /// The statement's `query_start`.
        query_start: Option<String>,
        /// Who runs it.
        who: Who,
        /// The statement, as the server sent it, cut at 8192 characters and without passwords.
        query: ServerText,
    },
    /// One session.
    Terminate {
        /// Its pid.
        pid: i32,
        /// Its `backend_start`.
        backend_start: Option<String>,
        /// Its transaction's `xact_start`.
        xact_start: Option<String>,
        /// Its last statement's `query_start`.
        query_start: Option<String>,
        /// Its `state`.
        state: Option<String>,
        /// Whose it is.
        who: Who,
        /// The statement, as the server sent it, cut at 8192 characters and without passwords.
        query: ServerText,
    },
    /// Several of these.
    Bulk {
        /// Which signal.
        signal: Signal,
        /// Each target; its query is cut at 1024 characters.
        targets: Vec<Target>,
        /// Who was marked and is protected by a rule, and which.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        left_out: Vec<LeftOut>,
        /// How many marked sessions were not on the screen.
        hidden: usize,
    },
    /// One relation, or a whole database, vacuumed.
    Vacuum(Maintained),
    /// One relation, analyzed.
    Analyze(Maintained),
    /// The cache table, from which expired rows are removed.
    Expire {
        /// The table.
        #[serde(flatten)]
        table: Maintained,
        /// What had expired by then, by the server's clock.
        before: String,
        /// Rows at most.
        most: i64,
    },
    /// One table or index, reindexed.
    Reindex(Maintained),
    /// One index that was not valid, dropped.
    #[serde(rename = "drop index")]
    DropIndex(Maintained),
    /// One setting: enough to put it back.
    Setting {
        /// Its name.
        name: String,
        /// The value that was in force, as the server shows it.
        now: String,
        /// What stood in `postgresql.auto.conf`.
        was: FileEntry,
        /// True where that was read from the file.
        exact: bool,
        /// What is to stand there.
        to: FileEntry,
    },
    /// The configuration files.
    Reload {},
}

impl Target {
    fn bulk(bulk: &Bulk) -> Self {
        let target = |target: &BulkTarget| {
            let (pid, backend_start) = (target.session.pid, target.session.backend_start.clone());
            let (query_start, who) = (target.query_start.clone(), target.who.clone());
            let query = cut_at(&target.query, QUERY_OF_MANY);
            match bulk.signal {
                Signal::Cancel => Self::Cancel { pid, backend_start, query_start, who, query },
                Signal::Terminate => {
                    let state = target.state.map(|state| State::word(state).to_owned());
                    let xact_start = target.xact_start.clone();
                    Self::Terminate { pid, backend_start, xact_start, query_start, state, who, query }
                }
            }
        };
        let targets = bulk.targets.iter().map(target).collect();
        let left_out = bulk.left_out.iter().map(|one| LeftOut { why: redacted(&one.why), ..one.clone() }).collect();
        Self::Bulk { signal: bulk.signal, targets, left_out, hidden: bulk.hidden }
    }

    /// The target of an action.
    #[must_use]
    pub fn of(write: &Write) -> Self {
        match write {
            Write::Cancel { session, query_start, query, who, .. } => Self::Cancel {
                pid: session.pid,
                backend_start: session.backend_start.clone(),
                query_start: query_start.clone(),
                who: who.clone(),
                query: cut(query),
            },
            Write::Terminate { session, xact_start, query_start, state, query, who, .. } => Self::Terminate {
                pid: session.pid,
                backend_start: session.backend_start.clone(),
                xact_start: xact_start.clone(),
                query_start: query_start.clone(),
                state: state.map(|state| State::word(state).to_owned()),
                who: who.clone(),
                query: cut(query),
            },
            Write::Maintain { task, target, .. } => match task {
                Task::VacuumAnalyze => Self::Vacuum(Maintained::of(target)),
                Task::Analyze => Self::Analyze(Maintained::of(target)),
                Task::Reindex => Self::Reindex(Maintained::of(target)),
                Task::DropInvalid => Self::DropIndex(Maintained::of(target)),
            },
            Write::Bulk(bulk) => Self::bulk(bulk),
            Write::ExpireCache { table, before, most, .. } => {
                Self::Expire { table: Maintained::named(table), before: before.clone(), most: *most }
            }
            Write::Setting { name, shown, was, exact, to, .. } => Self::Setting {
                name: name.clone(),
                now: secret::masked(name, shown),
                was: without_secret(name, was),
                exact: *exact,
                to: without_secret(name, to),
            },
            Write::Reload { .. } => Self::Reload {},
        }
    }
}

fn without_secret(name: &str, entry: &FileEntry) -> FileEntry {
    match entry {
        FileEntry::Text(text) => FileEntry::Text(ServerText::new(secret::masked(name, text.raw()))),
        FileEntry::Absent | FileEntry::Unknown => entry.clone(),
    }
}

fn cut(query: &ServerText) -> ServerText {
    cut_at(query, QUERY_MOST)
}

fn cut_at(query: &ServerText, most: usize) -> ServerText {
    ServerText::new(redacted(&query.raw().chars().take(most).collect::<String>()))
}

/// How an action was confirmed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Confirmation {
    /// `key y`, or `typed orders`.
    pub by: String,
    /// When its question was first on the screen.
    pub shown: Timestamp,
    /// When it was confirmed.
    pub at: Timestamp,
}

impl Confirmation {
    fn of(approved: &Approved) -> Self {
        let by = match approved.by() {
            Confirm::Key(Chord { key: Key::Char(c), .. }) => format!("key {c}"),
            Confirm::Key(chord) => format!("key {:?}", chord.key),
            Confirm::Type(text) => format!("typed {text}"),
        };
        Self { by, shown: approved.shown(), at: approved.at() }
    }
}

/// One line of the log.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Entry {
    /// The version of the format.
    pub v: u32,
    /// When, in UTC, to the microsecond.
    pub time: String,
    /// What links the lines of one action.
    pub id: String,
    /// What the line tells.
    pub event: EventKind,
    /// Who sits at the console.
    pub console: Console,
    /// Where the writer is connected.
    pub server: Place,
    /// The server that the question was about.
    pub identity: ServerIdentity,
    /// What the action is done to.
    pub target: Target,
    /// The statement that is sent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sql: Option<String>,
    /// The values of its parameters.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub parameters: Vec<Option<String>>,
    /// How it was confirmed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub confirmed: Option<Confirmation>,
    /// Why it was done, in the words of who confirmed it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// Why it was refused.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub refusal: Option<String>,
    /// Why it was asked to stop: by a key, or since the console ended.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub stop: Option<String>,
    /// How it ended.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub outcome: Option<Ended>,
    /// What the server said meanwhile: warnings and notices.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub notices: Vec<String>,
    /// True where the cancelled statement, or the terminated session, has gone.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub gone: Option<bool>,
    /// Who of a bulk action's targets was still there.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub left: Vec<i32>,
    /// Why nobody could look whether the target has gone.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub unverified: Option<String>,
    /// Milliseconds from the signal to that look.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub after_ms: Option<u64>,
}

/// What every line of an action has in common.
#[derive(Debug, Clone)]
pub(in crate::effect) struct Head<'a> {
    /// What links its lines.
    pub(in crate::effect) id: &'a str,
    /// When.
    pub(in crate::effect) at: Timestamp,
    /// Who.
    pub(in crate::effect) console: &'a Console,
    /// Where.
    pub(in crate::effect) place: &'a Place,
}

impl Entry {
    fn new(head: &Head<'_>, event: EventKind, write: &Write) -> Self {
        Self {
            v: VERSION,
            time: format!("{:.6}", head.at),
            id: head.id.to_owned(),
            event,
            console: head.console.clone(),
            server: head.place.clone(),
            identity: write.server().clone(),
            target: Target::of(write),
            sql: None,
            parameters: Vec::new(),
            confirmed: None,
            reason: None,
            refusal: None,
            stop: None,
            outcome: None,
            notices: Vec::new(),
            gone: None,
            left: Vec::new(),
            unverified: None,
            after_ms: None,
        }
    }

    /// The line before the statement.
    pub(in crate::effect) fn intent(head: &Head<'_>, approved: &Approved) -> Self {
        let statement = approved.write().statement();
        Self {
            sql: Some(statement.sql),
            parameters: statement.parameters,
            confirmed: Some(Confirmation::of(approved)),
            reason: approved.reason().map(str::to_owned),
            ..Self::new(head, EventKind::Intent, approved.write())
        }
    }

    /// The line before a job is stopped.
    pub(in crate::effect) fn stop(head: &Head<'_>, write: &Write, why: &str) -> Self {
        Self { stop: Some(why.to_owned()), ..Self::new(head, EventKind::Stop, write) }
    }

    /// The line after it.
    pub(in crate::effect) fn outcome(head: &Head<'_>, write: &Write, outcome: &Outcome, notices: Vec<String>) -> Self {
        let notices = notices.into_iter().map(|text| redacted(&text)).collect();
        Self { outcome: Some(Ended::of(outcome)), notices, ..Self::new(head, EventKind::Outcome, write) }
    }

    /// The line of a later look at what was signalled.
    pub(in crate::effect) fn verified(head: &Head<'_>, write: &Write, gone: bool, after_ms: u64) -> Self {
        Self { gone: Some(gone), after_ms: Some(after_ms), ..Self::new(head, EventKind::Verified, write) }
    }

    /// The same for a bulk action: who of its targets is `left`.
    pub(in crate::effect) fn verified_each(head: &Head<'_>, write: &Write, left: Vec<i32>, after_ms: u64) -> Self {
        let verified = Self::verified(head, write, left.is_empty(), after_ms);
        Self { left, ..verified }
    }

    /// The line that says why nobody could look.
    pub(in crate::effect) fn unverified(head: &Head<'_>, write: &Write, why: &str) -> Self {
        Self { unverified: Some(why.to_owned()), ..Self::new(head, EventKind::Verified, write) }
    }

    /// The line of an action that was not allowed.
    pub(in crate::effect) fn refused(head: &Head<'_>, write: &Write, refusal: &str) -> Self {
        Self { refusal: Some(redacted(refusal)), ..Self::new(head, EventKind::Refused, write) }
    }
}
