//! Whether the server began anew while it was looked at: stopped and started, or after one of its processes crashed.
//!
//! A crash leaves the postmaster, and the start that it tells, as they were (13, 15, 18): all other processes begin anew,
//! the checkpointer among them, which ends with the server alone.

use super::server::Server;
use super::session::{Session, Sessions};
use super::{Timestamp, seconds_between};

/// So much later than its question an answer may come, in seconds: the looks are timed by when they came.
const LATE_S: f64 = 5.0;

/// How the server began anew.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Cause {
    /// It was stopped, or died, and was started.
    Start,
    /// A process of it crashed; the postmaster ended all others and began anew.
    Crash,
}

/// The server began anew.
#[derive(Debug, Clone, PartialEq)]
pub struct Restart {
    /// How.
    pub cause: Cause,
    /// When that was seen.
    pub seen: Timestamp,
    /// For how many seconds it had run again by then.
    pub age_s: f64,
    /// For how many seconds it had run when it was last seen before.
    pub before_s: f64,
}

/// Since when a process of the server runs, as it was last seen.
#[derive(Debug, Clone, PartialEq)]
struct Seen {
    start: String,
    age_s: f64,
    at: Timestamp,
}

impl Seen {
    /// True where the process began after this look. Another server at the same address, behind a name that moved, mostly
    /// runs for longer: that is no restart.
    fn ended_before(&self, now: &Self) -> bool {
        self.start != now.start && now.age_s <= seconds_between(self.at, now.at) + LATE_S
    }
}

/// What is known of the life of a server.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Life {
    postmaster: Option<Seen>,
    identifier: Option<String>,
    checkpointer: Option<Seen>,
    restart: Option<Restart>,
}

impl Life {
    /// The last time that it began anew, if that was seen.
    #[must_use]
    pub fn restart(&self) -> Option<&Restart> {
        self.restart.as_ref()
    }

    /// Takes in what the server says of itself.
    pub fn hear(&mut self, server: &Server, at: Timestamp) {
        let identifier = server.system_identifier.clone();
        if self.identifier.is_some() && identifier.is_some() && self.identifier != identifier {
            *self = Self::default();
        }
        self.identifier = identifier.or(self.identifier.take());
        let now = Seen { start: server.started.clone(), age_s: server.uptime_s, at };
        let before = self.postmaster.replace(now.clone());
        if let Some(before) = before.filter(|before| before.ended_before(&now)) {
            let (age_s, before_s) = (now.age_s, before.age_s);
            self.restart = Some(Restart { cause: Cause::Start, seen: at, age_s, before_s });
        }
    }

    /// Takes in who is there, where our role sees the server's own processes.
    pub fn see(&mut self, sessions: &Sessions, at: Timestamp) {
        let checkpointer = |s: &&Session| s.backend_type.as_deref() == Some("checkpointer");
        let Some(session) = sessions.rows.iter().find(checkpointer) else { return };
        let (Some(start), Some(age_s)) = (session.backend_start.clone(), session.backend_s) else { return };
        let now = Seen { start, age_s, at };
        let before = self.checkpointer.replace(now.clone());
        let Some(before) = before.filter(|before| before.ended_before(&now)) else { return };
        // Where the whole server was started its checkpointer was, too: the server's word says so, before this one or after.
        let started = self.restart.as_ref().is_some_and(|r| r.cause == Cause::Start && r.seen > before.at);
        if !started {
            self.restart = Some(Restart { cause: Cause::Crash, seen: at, age_s, before_s: before.age_s });
        }
    }
}
