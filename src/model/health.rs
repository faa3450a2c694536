//! Health as somebody else tells it: what an application's endpoint answered, whether a dependency is there.
//!
//! It keeps the words raw and judges them by the rules of `reading`; it asks nobody, and knows nothing of the database.

mod contact;
mod reading;

use serde::{Deserialize, Serialize};

use super::error::ProbeError;
use super::text::ServerText;
use super::world::Latest;
use super::{Timestamp, Tone};

pub use contact::Contact;
pub use reading::{Body, Check, Told, read};

/// How something is; the worst is the greatest.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum State {
    /// It is well, by its own word.
    Ok,
    /// Nobody knows: it was not asked, or the answer says nothing of it.
    #[default]
    Unknown,
    /// It works, and says that something is wrong.
    Degraded,
    /// It does not work, or does not answer.
    Failing,
}

impl State {
    /// Its word.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Ok => "ok",
            Self::Unknown => "unknown",
            Self::Degraded => "degraded",
            Self::Failing => "failing",
        }
    }

    /// How loud it is shown.
    #[must_use]
    pub fn tone(self) -> Tone {
        match self {
            Self::Ok => Tone::Good,
            Self::Unknown => Tone::Faint,
            Self::Degraded => Tone::Warning,
            Self::Failing => Tone::Critical,
        }
    }

    /// What it means that there is no answer. Silence is a failure; a door that is shut to us, or a path that is not
    /// there, says nothing of what is behind it.
    #[must_use]
    pub fn of_error(error: &ProbeError) -> Self {
        match error {
            ProbeError::TimedOut(_) | ProbeError::Unreachable(_) | ProbeError::Shape(_) | ProbeError::Faulty(_) => {
                Self::Failing
            }
            ProbeError::Unauthorized(_)
            | ProbeError::Absent(_)
            | ProbeError::Denied { .. }
            | ProbeError::Locked(_)
            | ProbeError::Refused { .. } => Self::Unknown,
        }
    }
}

/// What is to be watched beside the database, by the names that stand on the screen.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Watchlist {
    /// Addresses of the application, without credentials.
    pub endpoints: Vec<String>,
    /// Names of dependencies.
    pub dependencies: Vec<String>,
    /// Where pgbouncer's console is.
    pub pooler: Option<String>,
    /// How many standbys the server should have.
    #[serde(default)]
    pub standbys: Option<u32>,
}

/// What an application's endpoint answered: one reply for each path that was asked.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Health {
    /// The replies, readiness first.
    pub replies: Vec<Reply>,
}

/// The reply of one path.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Reply {
    /// The path, such as `/ready`.
    pub path: String,
    /// From dialling to the last byte of the body, in milliseconds.
    pub took_ms: f64,
    /// What was heard.
    pub answer: Result<Heard, ProbeError>,
}

/// An answer over HTTP.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Heard {
    /// HTTP's status.
    pub status: u16,
    /// What the body says.
    pub body: Body,
}

impl Health {
    /// The worst of its replies.
    #[must_use]
    pub fn state(&self) -> State {
        self.worst().map_or(State::Unknown, Reply::state)
    }

    /// The reply that says the worst; of equals the first.
    #[must_use]
    pub fn worst(&self) -> Option<&Reply> {
        self.replies.iter().rev().max_by_key(|reply| reply.state())
    }

    /// What the application says of its database: the worst of the checks that name it; none where none does.
    #[must_use]
    pub fn database(&self) -> Option<State> {
        let checks = self.told().flat_map(|told| &told.checks);
        checks.filter(|check| check.is_database()).map(|check| check.state).max()
    }

    /// All checks, of whichever path.
    pub fn told(&self) -> impl Iterator<Item = &Told> {
        self.replies.iter().filter_map(|reply| {
            let heard = reply.answer.as_ref().ok()?;
            if let Body::Json(told) = &heard.body { Some(&**told) } else { None }
        })
    }

    /// The version and the schema that it serves, where it says so.
    #[must_use]
    pub fn serves(&self) -> (Option<&ServerText>, Option<&ServerText>) {
        (self.told().find_map(|t| t.version.as_ref()), self.told().find_map(|t| t.schema_hash.as_ref()))
    }

    /// The longest of its replies, in milliseconds.
    #[must_use]
    pub fn took_ms(&self) -> f64 {
        self.replies.iter().map(|reply| reply.took_ms).fold(0.0, f64::max)
    }
}

impl Reply {
    /// What it says.
    #[must_use]
    pub fn state(&self) -> State {
        match &self.answer {
            Ok(heard) => heard.state(),
            Err(error) => State::of_error(error),
        }
    }

    /// It in a few words, raw: `503 not_ready: database failed: …`, `no answer within 3 s`.
    #[must_use]
    pub fn said(&self) -> ServerText {
        match &self.answer {
            Ok(heard) => ServerText::new(heard.said()),
            Err(error) => ServerText::new(error.to_string()),
        }
    }
}

impl Heard {
    /// What status and body come to. The status has the last word where it refuses: a load balancer reads nothing else.
    #[must_use]
    pub fn state(&self) -> State {
        match self.status {
            200..=299 => self.body.state(),
            429 => State::Degraded,
            500..=599 => State::Failing,
            _ => State::Unknown,
        }
    }

    /// Where it is not well: the status and the names of what is bad, for a narrow row.
    #[must_use]
    pub fn brief(&self) -> ServerText {
        let bad = if let Body::Json(told) = &self.body { told.bad() } else { Vec::new() };
        if bad.is_empty() {
            return ServerText::new(self.said());
        }
        let status = if self.status == 200 { String::new() } else { format!("{} ", self.status) };
        ServerText::new(format!("{status}{}", bad.iter().map(|c| c.name.raw()).collect::<Vec<_>>().join(", ")))
    }

    fn said(&self) -> String {
        let body = self.body.said();
        match (self.status, body.is_empty()) {
            (200, false) => body,
            (status, false) => format!("{status} {body}"),
            (status, true) => format!("answers {status}"),
        }
    }
}

/// The last answer of something that is watched, since when it is as it is, and when it was well last.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Watched<T> {
    /// The last answer, and the last failure beside it.
    pub latest: Latest<T>,
    /// How it is.
    pub state: State,
    /// Since when.
    pub since: Option<Timestamp>,
    /// When it was well last.
    pub well: Option<Timestamp>,
    /// When the last word came, be it an answer or a failure.
    pub heard: Option<Timestamp>,
}

impl<T> Default for Watched<T> {
    fn default() -> Self {
        Self { latest: Latest::default(), state: State::Unknown, since: None, well: None, heard: None }
    }
}

impl<T> Watched<T> {
    /// Takes an answer or a failure in.
    pub fn take(&mut self, answer: Result<T, ProbeError>, at: Timestamp, judge: impl Fn(&T) -> State) {
        let state = match &answer {
            Ok(answer) => judge(answer),
            Err(error) => State::of_error(error),
        };
        if self.since.is_none() || state != self.state {
            self.since = Some(at);
        }
        if state == State::Ok {
            self.well = Some(at);
        }
        self.state = state;
        self.heard = Some(at);
        self.latest.take(answer, at);
    }

    /// The answer, where it is the last word.
    #[must_use]
    pub fn answer(&self) -> Option<&T> {
        if self.latest.error.is_some() { None } else { self.latest.get() }
    }
}

#[cfg(test)]
mod tests;
