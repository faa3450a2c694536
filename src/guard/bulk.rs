//! A signal to several sessions at once: the list that is frozen when the question is asked, and who is left out of it.
//!
//! Each target is judged as if it stood alone. Between question and answer the list may become shorter, never longer.

use serde::{Deserialize, Serialize};

use crate::model::ServerText;
use crate::model::server::Server;
use crate::model::session::{Session, SessionKey, State};

use super::write::{ServerIdentity, StatementKey, Who, Write};
use super::{Scene, rule};

/// The most sessions that one question covers. A list that nobody reads to its end is no question; and one statement
/// that signals so many takes some 30 ms on a server with 500 connections.
pub const BULK_MOST: usize = 100;

/// Which signal.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Signal {
    /// `pg_cancel_backend`.
    Cancel,
    /// `pg_terminate_backend`.
    Terminate,
}

impl Signal {
    /// `cancel` or `terminate`.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Cancel => "cancel",
            Self::Terminate => "terminate",
        }
    }
}

/// One session of the list: the same marks as of a single action.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct BulkTarget {
    /// The session.
    pub session: SessionKey,
    /// Its transaction: its `xact_start` as text; none outside of one.
    pub xact_start: Option<String>,
    /// Its statement, the last one where it is idle: its `query_start` as text.
    pub query_start: Option<String>,
    /// What it did.
    pub state: Option<State>,
    /// The statement's text as it was on the screen, for the audit log.
    pub query: ServerText,
    /// Whose session it is, as it was on the screen.
    pub who: Who,
}

impl BulkTarget {
    fn of(session: &Session) -> Self {
        Self {
            session: session.key(),
            xact_start: session.xact_start.clone(),
            query_start: session.query_start.clone(),
            state: session.state,
            query: session.query.clone(),
            who: Who::of(session),
        }
    }

    /// The statement that it runs.
    #[must_use]
    pub fn statement(&self) -> StatementKey {
        StatementKey { session: self.session.clone(), query_start: self.query_start.clone() }
    }

    /// The same signal to it alone: what the rules judge.
    pub(super) fn alone(&self, signal: Signal, server: &ServerIdentity) -> Write {
        let (session, query_start) = (self.session.clone(), self.query_start.clone());
        let (query, who, server) = (self.query.clone(), self.who.clone(), server.clone());
        match signal {
            Signal::Cancel => Write::Cancel { session, query_start, query, who, server },
            Signal::Terminate => {
                let (xact_start, state) = (self.xact_start.clone(), self.state);
                Write::Terminate { session, xact_start, query_start, state, query, who, server, waits: false }
            }
        }
    }
}

/// A marked session that is not signalled.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LeftOut {
    /// Its pid.
    pub pid: i32,
    /// Whose session it is.
    pub who: Who,
    /// The rule's sentence; safe to draw.
    pub why: String,
}

/// A signal to several sessions.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Bulk {
    /// Which.
    pub signal: Signal,
    /// To whom, in the order of the screen.
    pub targets: Vec<BulkTarget>,
    /// Who was marked as well, and why a rule left them out.
    pub left_out: Vec<LeftOut>,
    /// How many marked sessions the filter or the threshold hides: they are not part of it.
    pub hidden: usize,
    /// The server.
    pub server: ServerIdentity,
}

impl Write {
    /// Signals all of `sessions`; `hidden` more are marked but not on the screen.
    #[must_use]
    pub fn bulk<'a>(
        signal: Signal,
        sessions: impl IntoIterator<Item = &'a Session>,
        hidden: usize,
        server: &Server,
    ) -> Self {
        let targets = sessions.into_iter().map(BulkTarget::of).collect();
        Self::Bulk(Bulk { signal, targets, left_out: Vec::new(), hidden, server: ServerIdentity::of(server) })
    }
}

/// Leaves out of a bulk action whom a rule protects by now, and says why; other actions stay as they are.
pub(super) fn narrowed(write: Write, scene: &Scene<'_>) -> Write {
    let Write::Bulk(mut bulk) = write else { return write };
    for target in std::mem::take(&mut bulk.targets) {
        match rule::objection(&target.alone(bulk.signal, &bulk.server), scene) {
            None => bulk.targets.push(target),
            Some(refusal) => {
                bulk.left_out.push(LeftOut { pid: target.session.pid, who: target.who, why: refusal.sentence() });
            }
        }
    }
    Write::Bulk(bulk)
}
