//! 2 Connections: every session with its three ages, what it waits for, and whom it blocks.

mod totals;

use super::{age_cell, text_cell, text_key};
use crate::model::Tone;
use crate::model::lock::{LockGraph, Weight};
use crate::model::session::{Session, SessionKey, Sessions, State};
use crate::table::{Cell, Column, Direction, Row, SortKey, Width};
pub use totals::{Counts, Totals};

/// A session with its place in the lock graph.
#[derive(Debug, Clone, PartialEq)]
pub struct SessionRow {
    /// The session.
    pub session: Session,
    /// Who waits behind it, directly or through others.
    pub blocks: usize,
    /// How many of them could go on if it went.
    pub frees: usize,
    /// True where it may be fewer: others may lock the same row.
    pub unsure: bool,
    /// True where it blocks others and waits for nobody.
    pub root: bool,
    /// True where it is marked for an action on several.
    pub marked: bool,
}

impl Row for SessionRow {
    type Key = SessionKey;

    fn key(&self) -> SessionKey {
        self.session.key()
    }
}

impl SessionRow {
    /// Puts every session into its place in the graph.
    #[must_use]
    pub fn all(sessions: &Sessions, graph: &LockGraph) -> Vec<Self> {
        sessions.rows.iter().map(|session| Self::of(session, graph)).collect()
    }

    /// Puts one session into its place in the graph.
    #[must_use]
    pub fn of(session: &Session, graph: &LockGraph) -> Self {
        let Weight { blocks, frees, unsure } = graph.weight(session.pid);
        let root = blocks > 0 && graph.blockers_of(session.pid).is_empty();
        Self { blocks, frees, unsure, root, marked: false, session: session.clone() }
    }

    /// How much harm it does now: sessions held up first, then what it holds open, then what it does. Only the order
    /// counts, so the bands are set far apart.
    #[must_use]
    pub fn harm(&self) -> f64 {
        let s = &self.session;
        #[expect(clippy::cast_precision_loss, reason = "a count of sessions")]
        let blocks = self.blocks as f64;
        let xact = s.xact_s.unwrap_or(0.0).min(9e8);
        let query = s.query_s.unwrap_or(0.0).min(9e8);
        if self.root {
            return 4e15 + blocks * 1e9 + xact;
        }
        if self.blocks > 0 {
            return 3e15 + blocks * 1e9 + query;
        }
        if !s.is_client() {
            return query.min(1e3);
        }
        match s.state {
            Some(State::IdleInTransaction | State::IdleInTransactionAborted) => 2e12 + xact,
            Some(State::Active | State::Fastpath) => 1e12 + query,
            Some(State::Starting | State::Disabled) => 2e9,
            Some(State::Idle) => 1e9 - s.state_s.unwrap_or(0.0).min(9e8),
            None => 0.0,
        }
    }

    /// How loud the row is.
    #[must_use]
    pub fn tone(&self) -> Tone {
        let s = &self.session;
        if self.root {
            Tone::Critical
        } else if self.blocks > 0 || !s.blocked_by.is_empty() {
            Tone::Warning
        } else if s.state.is_some_and(State::is_idle_in_transaction) {
            Tone::Notice
        } else if s.is_active() {
            Tone::Plain
        } else {
            Tone::Faint
        }
    }

    fn mark(&self) -> Cell {
        let s = &self.session;
        if self.root {
            Cell::toned("‼", Tone::Critical)
        } else if self.blocks > 0 {
            Cell::toned("!", Tone::Warning)
        } else if !s.blocked_by.is_empty() {
            Cell::toned("·", Tone::Warning)
        } else {
            Cell::none()
        }
    }

    /// What it does, in a word.
    #[must_use]
    pub fn state_word(&self) -> String {
        self.state_cell().text
    }

    fn state_cell(&self) -> Cell {
        let s = &self.session;
        if s.hidden {
            return Cell::toned("hidden", Tone::Notice);
        }
        let tone = self.tone();
        match (s.state, &s.backend_type) {
            (Some(state), Some(kind)) if kind == "client backend" => Cell::toned(state.short(), tone),
            (_, Some(kind)) => Cell::toned(short_backend(kind), Tone::Faint),
            (Some(state), None) => Cell::toned(state.short(), tone),
            (None, None) => Cell::none(),
        }
    }

    fn wait_cell(&self) -> Cell {
        let s = &self.session;
        let Some(wait) = &s.wait else { return Cell::none() };
        let text = match &s.waits_for {
            Some(lock) => match &lock.relation {
                Some(relation) => format!("{} {}", short_mode(&lock.mode), relation.head(60)),
                None => format!("{} {}", short_mode(&lock.mode), lock.locktype),
            },
            None => format!("{}:{}", wait.class, wait.event),
        };
        // A client that thinks is no wait of the server's.
        let tone = match wait.class.as_str() {
            "Lock" => Tone::Warning,
            "Client" | "Activity" => Tone::Faint,
            _ => Tone::Plain,
        };
        Cell::toned(text, tone)
    }
}

/// `AccessExclusiveLock` without the last word, which every mode has.
#[must_use]
pub fn short_mode(mode: &str) -> &str {
    mode.strip_suffix("Lock").unwrap_or(mode)
}

/// A background process in the room of a state.
fn short_backend(kind: &str) -> &str {
    match kind {
        "autovacuum worker" => "autovacuum",
        "autovacuum launcher" => "av launcher",
        "logical replication launcher" => "lr launcher",
        "parallel worker" => "parallel",
        "background writer" => "bgwriter",
        "client backend" => "client",
        other if other.starts_with("logical replication") => "lr worker",
        other => other,
    }
}

fn blocked_by(row: &SessionRow) -> String {
    let list = &row.session.blocked_by;
    let first = list.first().map(|pid| if *pid == 0 { "prepared".to_owned() } else { pid.to_string() });
    let more = row.session.blockers.saturating_sub(1);
    match first {
        Some(first) if more > 0 => format!("{first} +{more}"),
        Some(first) => first,
        None => String::new(),
    }
}

/// Columns of Connections and Slow. The query takes what the others leave.
pub const COLUMNS: &[Column<SessionRow>] = &[
    Column {
        name: "mark",
        title: "",
        doc: "marked by hand, for one action on several",
        // No column where nothing is marked.
        width: Width::Fit(0, 1),
        first: Direction::Descending,
        cell: |r| if r.marked { Cell::toned("*", Tone::Notice) } else { Cell::none() },
        key: |r| if r.marked { SortKey::Text("marked".to_owned()) } else { SortKey::Unknown },
        ..Column::TEXT
    },
    Column {
        name: "harm",
        title: "",
        doc: "who holds up others, then what holds a transaction open, then what runs",
        // Two cells: in ASCII the mark of a root is `!!`.
        width: Width::Fixed(2),
        first: Direction::Descending,
        cell: SessionRow::mark,
        key: |r| SortKey::Number(r.harm()),
        ..Column::TEXT
    },
    Column {
        name: "pid",
        title: "pid",
        doc: "process id",
        width: Width::Fit(4, 8),
        first: Direction::Ascending,
        cell: |r| Cell::toned(r.session.pid.to_string(), r.tone()),
        key: |r| SortKey::Number(f64::from(r.session.pid)),
        ..Column::FIGURE
    },
    Column {
        name: "blocks",
        title: "blocks",
        doc: "sessions that wait behind it, directly or through others",
        width: Width::Fit(2, 6),
        rank: 1,
        cell: |r| if r.blocks == 0 { Cell::none() } else { Cell::toned(r.blocks.to_string(), r.tone()) },
        #[expect(clippy::cast_precision_loss, reason = "a count of sessions")]
        key: |r| if r.blocks == 0 { SortKey::Unknown } else { SortKey::Number(r.blocks as f64) },
        ..Column::FIGURE
    },
    Column {
        name: "blocked",
        title: "behind",
        doc: "the pid that it waits for, and how many more",
        width: Width::Fit(0, 12),
        rank: 3,
        first: Direction::Descending,
        cell: |r| Cell::toned(blocked_by(r), Tone::Warning),
        #[expect(clippy::cast_precision_loss, reason = "a count of sessions")]
        key: |r| if r.session.blockers == 0 { SortKey::Unknown } else { SortKey::Number(r.session.blockers as f64) },
        ..Column::TEXT
    },
    Column {
        name: "state",
        title: "state",
        doc: "what the session does",
        width: Width::Fit(6, 12),
        cell: SessionRow::state_cell,
        key: |r| match (r.session.state, &r.session.backend_type) {
            (Some(state), _) => SortKey::Text(state.word().to_owned()),
            (None, Some(kind)) => SortKey::Text(kind.clone()),
            (None, None) => SortKey::Unknown,
        },
        ..Column::TEXT
    },
    Column {
        name: "xact",
        title: "xact",
        doc: "age of the open transaction",
        width: Width::Fixed(4),
        rank: 1,
        cell: |r| age_cell(r.session.xact_s, r.tone()),
        key: |r| SortKey::number(r.session.xact_s),
        ..Column::AGE
    },
    Column {
        name: "query_age",
        title: "query",
        doc: "age of the statement; of the last one for an idle session",
        width: Width::Fixed(5),
        rank: 1,
        cell: |r| age_cell(r.session.query_s, if r.session.is_active() { r.tone() } else { Tone::Faint }),
        key: |r| SortKey::number(r.session.query_s),
        ..Column::AGE
    },
    Column {
        name: "session",
        title: "conn",
        doc: "age of the connection",
        width: Width::Fixed(4),
        rank: 5,
        cell: |r| age_cell(r.session.backend_s, Tone::Faint),
        key: |r| SortKey::number(r.session.backend_s),
        ..Column::AGE
    },
    Column {
        name: "wait",
        title: "waits for",
        doc: "the awaited lock and its relation, or the wait event",
        width: Width::Fit(0, 24),
        rank: 2,
        cell: SessionRow::wait_cell,
        key: |r| {
            r.session.wait.as_ref().map_or(SortKey::Unknown, |w| SortKey::Text(format!("{}:{}", w.class, w.event)))
        },
        ..Column::TEXT
    },
    Column {
        name: "user",
        title: "user",
        doc: "role",
        width: Width::Fit(4, 12),
        rank: 4,
        cell: |r| text_cell(r.session.user.as_ref(), Tone::Faint),
        key: |r| text_key(r.session.user.as_ref()),
        ..Column::TEXT
    },
    Column {
        name: "database",
        title: "db",
        doc: "database",
        width: Width::Fit(2, 10),
        rank: 6,
        cell: |r| text_cell(r.session.database.as_ref(), Tone::Faint),
        key: |r| text_key(r.session.database.as_ref()),
        ..Column::TEXT
    },
    Column {
        name: "app",
        title: "app",
        doc: "application_name",
        width: Width::Fit(0, 14),
        rank: 4,
        cell: |r| text_cell(Some(&r.session.application), Tone::Faint),
        key: |r| text_key(Some(&r.session.application)),
        ..Column::TEXT
    },
    Column {
        name: "client",
        title: "client",
        doc: "client address; behind a pooler the pooler's",
        width: Width::Fit(0, 15),
        rank: 7,
        cell: |r| Cell::toned(r.session.client.clone().unwrap_or_default(), Tone::Faint),
        key: |r| r.session.client.clone().map_or(SortKey::Unknown, SortKey::Text),
        ..Column::TEXT
    },
    Column {
        name: "query",
        title: "statement",
        doc: "text of the statement; of the last one for an idle session",
        width: Width::Rest(38),
        cell: |r| text_cell(Some(&r.session.query), if r.session.is_active() { r.tone() } else { Tone::Faint }),
        key: |r| text_key(Some(&r.session.query)),
        ..Column::TEXT
    },
];
