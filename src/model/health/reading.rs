//! What a health endpoint's body says, in whichever form: both generations of FraiseQL, the operations guide's own,
//! Spring's, health+json, a bare word.
//!
//! It must not guess: a word that it does not know is unknown, and a page is no health answer.

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::State;
use crate::model::text::ServerText;

/// Checks that are kept of one answer: more is not read by anybody.
const MOST_CHECKS: usize = 64;

/// Characters that are kept of one text.
const MOST_CHARACTERS: usize = 400;

/// Where an answer keeps its checks.
const CONTAINERS: [&str; 6] = ["checks", "components", "details", "dependencies", "services", "capabilities"];

/// Where it says why.
const REASONS: [&str; 7] = ["reason", "message", "error", "output", "detail", "description", "details"];

/// Words, by what they say; compared in lower case, with `_` for `-` and blanks.
const WORDS: [(State, &[&str]); 3] = [
    (
        State::Ok,
        &[
            "healthy",
            "ready",
            "alive",
            "ok",
            "up",
            "pass",
            "passing",
            "success",
            "true",
            "live",
            "started",
            "running",
            "connected",
            "available",
            "good",
        ],
    ),
    (State::Degraded, &["degraded", "warning", "warn", "starting", "partial", "draining", "slow"]),
    (
        State::Failing,
        &[
            "critical",
            "not_ready",
            "unhealthy",
            "fail",
            "failed",
            "failing",
            "failure",
            "error",
            "down",
            "false",
            "unavailable",
            "disconnected",
            "out_of_service",
            "timeout",
            "dead",
            "offline",
            "stopped",
        ],
    ),
];

/// What the body of an answer says.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub enum Body {
    /// Nothing.
    Empty,
    /// No JSON: its head.
    Text(ServerText),
    /// JSON.
    Json(Box<Told>),
    /// More than anybody reads.
    TooLong,
}

/// What a JSON answer tells.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Told {
    /// Its word for the whole.
    pub word: Option<ServerText>,
    /// What that word says; none where there is none.
    pub state: Option<State>,
    /// Why.
    pub reason: Option<ServerText>,
    /// Its parts.
    pub checks: Vec<Check>,
    /// The version that runs.
    pub version: Option<ServerText>,
    /// The schema that it serves.
    pub schema_hash: Option<ServerText>,
}

/// One part of an answer.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Check {
    /// Its name.
    pub name: ServerText,
    /// How it is.
    pub state: State,
    /// Its own words.
    pub said: ServerText,
}

impl Check {
    /// True where it is about the database.
    #[must_use]
    pub fn is_database(&self) -> bool {
        let name = self.name.raw().to_ascii_lowercase();
        ["database", "db", "postgres", "postgresql", "pg"].iter().any(|known| {
            name == *known || name.strip_prefix(known).is_some_and(|rest| rest.starts_with([':', '_', '-', '.']))
        })
    }
}

impl Body {
    /// What it says under a status that is no refusal.
    #[must_use]
    pub fn state(&self) -> State {
        match self {
            // A status alone is what most probes in the world look at.
            Self::Empty => State::Ok,
            Self::Text(text) if text.raw().starts_with(['<', '{']) => State::Unknown,
            Self::Text(text) => state_of(text.raw()).unwrap_or(State::Ok),
            Self::Json(told) => told.state(),
            Self::TooLong => State::Unknown,
        }
    }

    /// It in a few words, raw.
    #[must_use]
    pub fn said(&self) -> String {
        match self {
            Self::Empty => String::new(),
            Self::Text(text) if text.raw().starts_with('<') => "a page, no health answer".to_owned(),
            Self::Text(text) => text.raw().to_owned(),
            Self::Json(told) => told.said(),
            Self::TooLong => "more than is read of an answer".to_owned(),
        }
    }
}

impl Told {
    fn worst(&self) -> Option<State> {
        self.checks.iter().map(|check| check.state).filter(|state| *state != State::Unknown).max()
    }

    /// Its word for the whole; where that is a good one and a part is not well, it is no more than degraded.
    #[must_use]
    pub fn state(&self) -> State {
        match (self.state, self.worst()) {
            (Some(State::Ok), Some(State::Degraded | State::Failing)) => State::Degraded,
            (Some(state), _) => state,
            (None, _) if self.word.is_some() => State::Unknown,
            (None, Some(worst)) => worst,
            // JSON that says nothing of health: the status stands alone.
            (None, None) => State::Ok,
        }
    }

    /// The parts that are not well.
    #[must_use]
    pub fn bad(&self) -> Vec<&Check> {
        self.checks.iter().filter(|check| matches!(check.state, State::Degraded | State::Failing)).collect()
    }

    fn said(&self) -> String {
        let bad: Vec<String> = self
            .bad()
            .into_iter()
            .take(4)
            .map(|check| {
                let said = if check.said.is_empty() { check.state.word() } else { check.said.raw() };
                format!("{} {said}", check.name.raw())
            })
            .collect();
        let why = if bad.is_empty() { self.reason.as_ref().map(|r| r.raw().to_owned()) } else { Some(bad.join(", ")) };
        match (&self.word, why) {
            (Some(word), Some(why)) => format!("{}: {why}", word.raw()),
            (Some(word), None) => word.raw().to_owned(),
            (None, Some(why)) => why,
            (None, None) => String::new(),
        }
    }
}

/// Reads a body.
#[must_use]
pub fn read(body: &[u8]) -> Body {
    let body = body.trim_ascii();
    if body.is_empty() {
        return Body::Empty;
    }
    match serde_json::from_slice(body) {
        Ok(Value::Object(object)) => Body::Json(Box::new(told(&object))),
        Ok(Value::String(word)) => Body::Text(kept(&word)),
        Ok(Value::Bool(truth)) => Body::Text(kept(if truth { "true" } else { "false" })),
        Ok(_) | Err(_) => Body::Text(kept(&String::from_utf8_lossy(body))),
    }
}

/// What a word says; none where it is not known.
fn state_of(word: &str) -> Option<State> {
    let word = word.trim().to_lowercase().replace([' ', '-'], "_");
    WORDS.iter().find(|(_, words)| words.contains(&word.as_str())).map(|(state, _)| *state)
}

/// What the first word of a sentence says: `failed: couldn't get a connection after 30.00 sec`.
fn state_of_sentence(text: &str) -> Option<State> {
    state_of(text).or_else(|| state_of(text.split([':', ' ', ',', '(']).next().unwrap_or_default()))
}

fn kept(text: &str) -> ServerText {
    ServerText::new(text.chars().take(MOST_CHARACTERS).collect::<String>())
}

fn told(object: &Map<String, Value>) -> Told {
    let word = word_of(object);
    let mut told = Told {
        state: word.as_deref().and_then(state_of),
        word: word.as_deref().map(kept),
        reason: reason(object),
        checks: Vec::new(),
        version: text(object, &["version"]),
        schema_hash: text(object, &["schema_hash", "schemaHash"]),
    };
    for (name, value) in object {
        if CONTAINERS.contains(&name.as_str()) {
            contained(value, &mut told.checks);
        } else if value.is_object()
            && let Some((state, said)) = look(value)
        {
            told.checks.push(Check { name: kept(name), state, said });
        }
    }
    told.checks.truncate(MOST_CHECKS);
    told
}

/// The word for the whole. What is only a switch is a word, too: `{"healthy": false}`.
fn word_of(object: &Map<String, Value>) -> Option<String> {
    if let Some(Value::String(word)) = object.get("status").or_else(|| object.get("state")) {
        return Some(word.clone());
    }
    ["status", "healthy", "ready", "ok", "alive", "success"].iter().find_map(|key| {
        let truth = object.get(*key)?.as_bool()?;
        Some(match (truth, *key) {
            (true, _) => "ok".to_owned(),
            (false, "ready") => "not_ready".to_owned(),
            (false, _) => "unhealthy".to_owned(),
        })
    })
}

fn reason(object: &Map<String, Value>) -> Option<ServerText> {
    text(object, &REASONS)
}

fn text(object: &Map<String, Value>, keys: &[&str]) -> Option<ServerText> {
    let found = keys.iter().find_map(|key| object.get(*key)?.as_str().filter(|text| !text.is_empty()));
    found.map(kept)
}

fn contained(value: &Value, into: &mut Vec<Check>) {
    match value {
        Value::Object(parts) => {
            for (name, part) in parts.iter().take(MOST_CHECKS) {
                if let Some((state, said)) = look(part) {
                    into.push(Check { name: kept(name), state, said });
                }
            }
        }
        Value::Array(parts) => {
            for part in parts.iter().take(MOST_CHECKS).filter_map(Value::as_object) {
                let name = text(part, &["name", "service", "component", "check", "id"]).unwrap_or_default();
                if let Some((state, said)) = look_into(part) {
                    into.push(Check { name, state, said });
                }
            }
        }
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
}

/// How a part is, and its words; none where it says nothing of that.
fn look(value: &Value) -> Option<(State, ServerText)> {
    match value {
        Value::String(said) => Some((state_of_sentence(said).unwrap_or(State::Unknown), kept(said))),
        Value::Bool(truth) => Some((if *truth { State::Ok } else { State::Failing }, ServerText::default())),
        Value::Object(part) => look_into(part),
        // health+json measures one thing in several places.
        Value::Array(parts) => parts.iter().take(MOST_CHECKS).filter_map(look).max_by_key(|(state, _)| *state),
        Value::Null | Value::Number(_) => None,
    }
}

fn look_into(part: &Map<String, Value>) -> Option<(State, ServerText)> {
    let switch = |key: &str| part.get(key).and_then(Value::as_bool);
    if let Some(Value::String(word)) = part.get("status").or_else(|| part.get("state")) {
        let state = state_of_sentence(word).unwrap_or(State::Unknown);
        return Some((state, reason(part).unwrap_or_else(|| kept(word))));
    }
    for key in ["status", "healthy", "connected", "ok", "up", "ready", "available"] {
        if let Some(truth) = switch(key) {
            let state = if truth { State::Ok } else { State::Failing };
            let word = if truth { key.to_owned() } else { format!("not {key}") };
            return Some((state, reason(part).unwrap_or_else(|| kept(&word))));
        }
    }
    // A capability of FraiseQL 2: one that was started and does not serve is missed by somebody.
    match (switch("started"), switch("serving")) {
        (Some(true), Some(false)) => Some((State::Degraded, kept("started, not serving"))),
        (Some(true), _) | (_, Some(true)) => Some((State::Ok, kept("started"))),
        (Some(false) | None, _) => None,
    }
}
