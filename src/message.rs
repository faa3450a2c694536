//! What goes in and out of the console's core, as plain data: [`Event`] from the world and the user to us, [`Effect`]
//! from us to the world.
//!
//! No closures, no handles: an event can be written down and played back.

use serde::{Deserialize, Serialize};

use crate::guard::{Approved, Looked, StatementKey, Write};
use crate::keymap::Chord;
use crate::model::setting::History;
use crate::model::world::Link;
use crate::model::{Sample, Shown, Timestamp};

/// Something happened.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub enum Event {
    /// A key was pressed.
    Key {
        /// Which.
        chord: Chord,
        /// When it was read.
        at: Timestamp,
    },
    /// The terminal has this size; `rows` of a list fit on it.
    Resized {
        /// Columns.
        width: u16,
        /// Lines.
        height: u16,
    },
    /// A frame is on the screen: what it shows can be answered from now on.
    Drawn {
        /// When it was flushed.
        at: Timestamp,
        /// How much it showed of an open text that is longer than its room; none where none is open, or nothing of it
        /// could be read.
        #[serde(default)]
        shown: Option<Shown>,
    },
    /// Time went on.
    Tick {
        /// Now.
        at: Timestamp,
    },
    /// An answer to a question.
    Sample(Sample),
    /// The connection of the reads changed.
    Link(Link),
    /// Whether actions can be taken at all changed: the writer's connection.
    Writer(WriterState),
    /// The writer looked at the targets of an action that nobody was asked about yet.
    Looked {
        /// The number that the effect carried.
        id: u64,
        /// What it saw.
        looked: Looked,
    },
    /// News of an action that we took.
    Action(ActionNews),
    /// What the audit log tells of settings that were changed from here.
    History(History),
}

/// The state of the writer's own connection.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum WriterState {
    /// No writer was built: read-only.
    None,
    /// Its connection is open and warm.
    Ready,
    /// It has no connection, for this reason.
    Down(String),
}

/// News of one action.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ActionNews {
    /// The number that the effect carried.
    pub id: u64,
    /// When.
    pub at: Timestamp,
    /// What.
    pub step: ActionStep,
}

/// A step in the life of an action.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub enum ActionStep {
    /// The audit line is on disk and the statement is on its way. A job runs from now on.
    Started {
        /// The backend that runs it, for a job.
        pid: Option<i32>,
    },
    /// A job has come so far, in words that are safe to draw: `removed 3000 rows in 3 batches`.
    Progress(String),
    /// The dead rows that a vacuum found, and those that it left; its end comes next.
    DeadRows {
        /// As they were counted before it.
        before: i64,
        /// And after it.
        after: i64,
    },
    /// It ended.
    Ended(Outcome),
    /// A cancelled statement or a terminated session was looked at again: is it still there?
    Verified {
        /// True if the target no longer runs that statement, or is no longer there.
        gone: bool,
        /// Milliseconds since the signal.
        after_ms: u64,
    },
    /// A look between found that some of those that a bulk action signalled have gone, and others not yet.
    Went {
        /// How many were signalled.
        of: usize,
        /// Who has gone since the look before.
        gone: Vec<StatementKey>,
        /// Milliseconds since the signal.
        after_ms: u64,
    },
    /// Those that a bulk action signalled were looked at again, for the last time.
    VerifiedEach {
        /// How many were signalled.
        of: usize,
        /// Who still runs that statement, or is still there.
        left: Vec<StatementKey>,
        /// Milliseconds since the signal.
        after_ms: u64,
    },
    /// Whether the target has gone could not be asked, for this reason.
    Unverified(String),
    /// It ended as was told, but the line that says so is not in the audit log, for this reason.
    Unlogged(String),
    /// A line of it is in the audit log and has no copy in the system's log, for this reason.
    Uncopied(String),
}

/// How an action ended: what the server did, not what was asked.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum Outcome {
    /// Done; for a cancel: the signal was sent, for a termination: that, or that the session has ended. The words say what exactly.
    Done(String),
    /// It was written, but is not in force, or not for everybody: the words say why.
    Written(String),
    /// One for each target of a bulk action, in the order of its list.
    Each(Vec<EachOutcome>),
    /// The target was no longer there.
    Gone,
    /// The target is there, but is no longer what was on the screen; nothing was sent.
    Changed(String),
    /// The server skipped it, with this warning.
    Skipped(String),
    /// Not permitted; `cure` is the statement that would allow it.
    Denied {
        /// The server's words.
        message: String,
        /// The `GRANT` that is missing.
        cure: String,
    },
    /// It gave up after this long, or behind a lock.
    TimedOut(String),
    /// The user stopped it; the words say how far it was.
    Cancelled(String),
    /// The server refused it with these words.
    Refused(String),
    /// It did not happen, because the audit line could not be written or no connection was to be had.
    NotSent(String),
    /// The connection was lost after the statement was sent: what the server did is not known.
    Unknown(String),
}

impl Outcome {
    /// What became of each target of a bulk action; nothing for any other.
    #[must_use]
    pub fn each(&self) -> &[EachOutcome] {
        if let Self::Each(each) = self { each } else { &[] }
    }
}

/// What became of one target of a bulk action.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct EachOutcome {
    /// Its pid.
    pub pid: i32,
    /// How it ended.
    pub outcome: Outcome,
}

/// Something is to be done outside the core.
#[derive(Debug, PartialEq, Serialize)]
pub enum Effect {
    /// Take a guarded action.
    Write {
        /// A number that its news will carry.
        id: u64,
        /// What `guard` approved.
        approved: Approved,
    },
    /// Look at the targets of an action on the writer's own connection, before anybody is asked.
    Look {
        /// A number that the answer will carry.
        id: u64,
        /// The action.
        write: Write,
    },
    /// Record in the audit log that an action was refused.
    RecordRefusal {
        /// What was asked for.
        write: Write,
        /// The refusal's sentence.
        refusal: String,
    },
    /// Stop the job of that number.
    StopJob {
        /// Its number.
        id: u64,
    },
    /// Put this text on the terminal's clipboard.
    Copy(String),
    /// Ring the terminal's bell.
    Bell,
    /// Show this in the terminal's title, safe to write; none gives it back what it showed before.
    Title(Option<String>),
    /// Leave.
    Quit,
}

/// News that an action did not happen, because of this.
#[must_use]
pub fn not_sent(id: u64, at: Timestamp, why: &str) -> Event {
    Event::Action(ActionNews { id, at, step: ActionStep::Ended(Outcome::NotSent(why.to_owned())) })
}

/// The writer could not look, because of this.
#[must_use]
pub fn not_looked(id: u64, at: Timestamp, why: &str) -> Event {
    Event::Looked { id, looked: Looked { at, answer: Err(why.to_owned()) } }
}
