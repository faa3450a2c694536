//! What was seen before, as far as findings need it: since when each is there, the beat of the sessions, and what the
//! server did from look to look.
//!
//! It has no clock: times are those of the samples.

use std::collections::{BTreeMap, VecDeque};
use std::time::Duration;

use super::finding::{Finding, FindingKey};
use crate::model::activity::delta::Delta;
use crate::model::relation::{Relation, Relations};
use crate::model::replica::Standby;
use crate::model::session::{Session, Sessions, State, Wait};
use crate::model::{ServerText, Timestamp, seconds_between};

/// How far back it goes, in seconds: what the sparklines of Triage span.
pub const SPAN_S: f64 = 1800.0;

/// Beats that are kept at most: half an hour at two a second would be more than any screen has cells.
const MOST_BEATS: usize = 3600;

/// A finding that is gone for less than this, in seconds, was never away: figures at a limit come and go.
const AWAY_S: f64 = 30.0;

/// Seconds that a finding may be away and is the same one still: panels are asked this often.
const MOMENT_S: f64 = 15.0;

/// Seconds without a look, of which there is one a second: nobody looked.
const PAUSE_S: f64 = 5.0;

/// Looks at one who vacuums that are kept: five minutes at the slowest pace of the sessions.
const MOST_LOOKS: usize = 60;

/// The sessions at one moment, in figures.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Beat {
    /// How long the answer took, in milliseconds.
    pub took_ms: f64,
    /// Client sessions, ours included.
    pub clients: usize,
    /// Of them active.
    pub active: usize,
    /// Backends of any kind that work and wait for nothing: on a processor, or queueing for one.
    pub running: usize,
    /// Backends of any kind that work.
    pub working: usize,
    /// Waiting for a lock.
    pub locked: usize,
    /// What active sessions wait for, by class, most first; what no backend waits for itself (`Client`, `Activity`)
    /// left out.
    pub waits: Vec<(String, usize)>,
    /// The same by event, such as `IO:DataFileRead`; heavyweight locks, which are told by who holds them, left out.
    pub events: Vec<(String, usize)>,
}

impl Beat {
    /// The figures of those sessions.
    #[must_use]
    pub fn of(sessions: &Sessions, took_ms: f64) -> Self {
        let mut beat = Self { took_ms, clients: sessions.own, ..Self::default() };
        // A walsender is active while it has nothing to send.
        let idles = |s: &Session| s.wait.as_ref().is_some_and(|wait| wait.class == "Activity");
        for s in sessions.rows.iter().filter(|s| s.is_active() && !idles(s)) {
            beat.working += 1;
            beat.running += usize::from(s.wait.is_none());
        }
        let mut waits: BTreeMap<&str, usize> = BTreeMap::new();
        let mut events: BTreeMap<String, usize> = BTreeMap::new();
        for s in sessions.rows.iter().filter(|s| s.is_client()) {
            beat.clients += 1;
            beat.active += usize::from(s.is_active());
            beat.locked += usize::from(!s.blocked_by.is_empty() || s.wait.as_ref().is_some_and(Wait::is_lock));
            if let (Some(State::Active), Some(wait)) = (s.state, &s.wait)
                && !matches!(wait.class.as_str(), "Client" | "Activity")
            {
                *waits.entry(wait.class.as_str()).or_default() += 1;
                if !matches!(wait.class.as_str(), "Lock" | "Timeout") {
                    *events.entry(format!("{}:{}", wait.class, wait.event)).or_default() += 1;
                }
            }
        }
        beat.waits = waits.into_iter().map(|(class, count)| (class.to_owned(), count)).collect();
        beat.waits.sort_by(|a, b| b.1.cmp(&a.1).then_with(|| a.0.cmp(&b.0)));
        beat.events = events.into_iter().collect();
        beat
    }
}

/// What sequential scans of a table have read, as its counters stood.
#[derive(Debug, Clone, Copy, PartialEq)]
struct Counters {
    at: Timestamp,
    scans: i64,
    rows: i64,
    /// Scans of its indexes; fewer after one was dropped.
    by_index: i64,
}

impl Counters {
    fn of(r: &Relation, at: Timestamp) -> Self {
        Self { at, scans: r.seq_scan, rows: r.seq_rows, by_index: r.idx_scan }
    }

    /// Counters only fall when they are reset.
    fn are_before(&self, later: &Self) -> bool {
        self.scans <= later.scans && self.rows <= later.rows
    }
}

/// What sequential scans of a table read over some time.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Scans {
    /// Over how many seconds.
    pub seconds: f64,
    /// How many.
    pub scans: i64,
    /// Rows.
    pub rows: i64,
    /// How many scans of its indexes there were meanwhile.
    pub by_index: i64,
}

impl Scans {
    /// Rows that they read in a minute.
    #[must_use]
    #[expect(clippy::cast_precision_loss, reason = "a rate, to be compared and shown in short")]
    pub fn rows_a_minute(&self) -> f64 {
        if self.seconds > 0.0 { self.rows as f64 / self.seconds * 60.0 } else { 0.0 }
    }
}

/// How replay on this standby moves, from look to look.
#[derive(Debug, Clone, PartialEq)]
pub struct Replay {
    at: Timestamp,
    replayed: Option<String>,
    /// Seconds since the last commit that was replayed.
    age_s: Option<f64>,
    /// Since when it stands where it stands.
    pub stands: Timestamp,
    /// True where it has come to another commit since the look before: the age of that is how late replay is.
    pub commits: bool,
}

impl Replay {
    fn of(before: Option<&Self>, standby: &Standby, at: Timestamp) -> Self {
        let (replayed, age_s) = (standby.replay_lsn.clone(), standby.last_replay_s);
        let stands = before.filter(|b| b.replayed == replayed).map_or(at, |b| b.stands);
        let grown = |b: &Self| b.age_s.zip(age_s).map(|(then, now)| now - then - seconds_between(b.at, at));
        // The same commit grows old by the time between the looks, less what the clocks and the road make of it.
        let commits = before.and_then(grown).is_some_and(|grown| grown < -1.0);
        Self { at, replayed, age_s, stands, commits }
    }
}

/// What was seen before.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct History {
    /// Since when each finding was said to be there, at the earliest, and when it was there last.
    found: BTreeMap<FindingKey, (Timestamp, Timestamp)>,
    /// When somebody looked last.
    looked: Option<Timestamp>,
    /// The sessions, oldest first.
    beats: VecDeque<(Timestamp, Beat)>,
    /// Spans within which no sessions were seen: from, to.
    gaps: VecDeque<(Timestamp, Timestamp)>,
    /// What the server as a whole did between two looks, oldest first; spans of which that is not known are missing.
    deltas: VecDeque<(Timestamp, Delta)>,
    /// How replay moves, on a standby.
    replay: Option<Replay>,
    /// The database of the tables below.
    database: ServerText,
    /// The scans of each table as they were a while ago, and as they were later: the earlier ones move up to the later
    /// ones after half the span.
    scans: BTreeMap<u32, (Counters, Counters)>,
    /// Of each session that vacuums, by its pid and start: whether it slept in its cost delay, look by look, the oldest first.
    sleeps: BTreeMap<(i32, Option<String>), VecDeque<bool>>,
}

impl History {
    /// Since when that finding was said to be there, at the earliest.
    #[must_use]
    pub fn first_found(&self, key: &FindingKey) -> Option<Timestamp> {
        self.found.get(key).map(|f| f.0)
    }

    /// The same of a finding that was there until now, or a moment ago.
    #[must_use]
    pub fn found_till(&self, key: &FindingKey, now: Timestamp) -> Option<Timestamp> {
        self.found.get(key).filter(|f| seconds_between(f.1, now) < MOMENT_S).map(|f| f.0)
    }

    /// The sessions of the last half hour, oldest first.
    #[must_use]
    pub fn beats(&self) -> impl DoubleEndedIterator<Item = &(Timestamp, Beat)> {
        self.beats.iter()
    }

    /// Spans of the last half hour within which no sessions were seen.
    #[must_use]
    pub fn gaps(&self) -> impl DoubleEndedIterator<Item = &(Timestamp, Timestamp)> {
        self.gaps.iter()
    }

    /// What the server as a whole did between two looks of the last half hour, oldest first, each with when it ended.
    #[must_use]
    pub fn deltas(&self) -> impl DoubleEndedIterator<Item = &(Timestamp, Delta)> {
        self.deltas.iter()
    }

    /// Takes in what the server did since the look before, where that is known.
    pub fn mark(&mut self, delta: Option<Delta>, at: Timestamp) {
        self.deltas.extend(delta.map(|delta| (at, delta)));
        while self.deltas.len() > MOST_BEATS
            || self.deltas.front().is_some_and(|(then, _)| seconds_between(*then, at) > SPAN_S)
        {
            self.deltas.pop_front();
        }
    }

    /// Takes in how far this standby has replayed; none on a primary.
    pub fn follow(&mut self, standby: Option<&Standby>, at: Timestamp) {
        self.replay = standby.map(|s| Replay::of(self.replay.as_ref(), s, at));
    }

    /// How replay moves, on a standby.
    #[must_use]
    pub fn replay(&self) -> Option<&Replay> {
        self.replay.as_ref()
    }

    /// Takes in who sleeps in the cost delay of its vacuum.
    pub fn doze(&mut self, sessions: &Sessions) {
        let mut before = std::mem::take(&mut self.sleeps);
        for s in sessions.rows.iter().filter(|s| !s.hidden) {
            let key = (s.pid, s.backend_start.clone());
            let sleeps = s.wait.as_ref().is_some_and(Wait::is_cost_delay);
            let auto = s.backend_type.as_deref() == Some("autovacuum worker");
            let known = before.remove(&key);
            if sleeps || auto || known.is_some() && s.is_active() {
                let mut looks = known.unwrap_or_default();
                looks.push_back(sleeps);
                if looks.len() > MOST_LOOKS {
                    looks.pop_front();
                }
                self.sleeps.insert(key, looks);
            }
        }
    }

    /// At how many looks that session slept in its cost delay, and how many looks there were, of late.
    #[must_use]
    pub fn slept(&self, s: &Session) -> (usize, usize) {
        let looks = self.sleeps.get(&(s.pid, s.backend_start.clone()));
        looks.map_or((0, 0), |looks| (looks.iter().filter(|asleep| **asleep).count(), looks.len()))
    }

    /// Takes in how often tables were read from end to end.
    pub fn count(&mut self, relations: &Relations, at: Timestamp) {
        if self.database != relations.database {
            self.database = relations.database.clone();
            self.scans.clear();
        }
        for r in relations.read() {
            let now = Counters::of(r, at);
            let (then, later) = self.scans.entry(r.oid).or_insert((now, now));
            if !then.are_before(&now) || !later.are_before(&now) || seconds_between(later.at, at) > SPAN_S {
                (*then, *later) = (now, now);
            } else if seconds_between(later.at, at) > SPAN_S / 2.0 {
                (*then, *later) = (*later, now);
            }
        }
        self.scans.retain(|_, (_, later)| seconds_between(later.at, at) <= SPAN_S);
    }

    /// What sequential scans of that table, as it was at that moment, have read since it was seen a while ago.
    #[must_use]
    pub fn scans(&self, database: &ServerText, r: &Relation, at: Timestamp) -> Option<Scans> {
        let (then, _) = self.scans.get(&r.oid).filter(|_| self.database == *database)?;
        let now = Counters::of(r, at);
        then.are_before(&now).then(|| Scans {
            seconds: seconds_between(then.at, at),
            scans: now.scans - then.scans,
            rows: now.rows - then.rows,
            by_index: (now.by_index - then.by_index).max(0),
        })
    }

    /// Somebody looks. What was found is not away while nobody looked: the screen was frozen, or the machine asleep.
    pub fn wake(&mut self, now: Timestamp) {
        let before = self.looked.replace(now);
        if let Some(pause) = before.map(|before| seconds_between(before, now)).filter(|pause| *pause >= PAUSE_S) {
            for (_, last) in self.found.values_mut() {
                *last += Duration::from_secs_f64(pause);
            }
        }
    }

    /// Remembers which findings were there.
    pub fn remember(&mut self, findings: &[Finding], at: Timestamp) {
        for finding in findings {
            // It was told with what is remembered of it, unless it began anew.
            self.found.insert(finding.key.clone(), (finding.since.unwrap_or(finding.seen), at));
        }
        self.found.retain(|_, (_, last)| seconds_between(*last, at) < AWAY_S);
    }

    /// Takes a beat in. `late_s` is from when on an answer is late: a longer pause is a gap.
    pub fn see(&mut self, beat: Beat, at: Timestamp, late_s: f64) {
        if let Some((before, _)) = self.beats.back()
            && seconds_between(*before, at) > late_s
        {
            self.gaps.push_back((*before, at));
        }
        self.beats.push_back((at, beat));
        while self.beats.len() > MOST_BEATS
            || self.beats.front().is_some_and(|(then, _)| seconds_between(*then, at) > SPAN_S)
        {
            self.beats.pop_front();
        }
        while self.gaps.front().is_some_and(|(_, to)| seconds_between(*to, at) > SPAN_S) {
            self.gaps.pop_front();
        }
    }
}
