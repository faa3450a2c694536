//! What the end of a piece of maintenance means: what was done, what was skipped, what is left of it.
//!
//! It sends nothing that changes anything: it asks the server what is there now.

use std::fmt::Write as _;
use std::time::Duration;

use crate::guard::{Object, Statement, Task};
use crate::message::Outcome;
use crate::model::unit::Age;
use crate::postgres::{AskError, Link, Rows, ServerMessage};

use super::super::cancel::{failed, shown, words};
use super::super::session::{ask, cell};
use super::rights::rights;
use super::{DEADLINE, lock_timeout};

/// Before this version statistics go through a collector, which may be half a second behind.
const SHARED_STATISTICS: u32 = 150_000;

/// The pause between two looks at statistics that may be late, and how many looks there are.
pub(super) const LATE: (Duration, usize) = (Duration::from_millis(300), 4);

/// How the statement ended.
pub(super) struct End<'a> {
    pub(super) task: Task,
    pub(super) target: &'a Object,
    /// The server's time before it began.
    pub(super) asked_at: &'a str,
    pub(super) took: Duration,
    /// True where we asked for its end.
    pub(super) stopped: bool,
    pub(super) done: Result<Rows, AskError>,
    pub(super) notices: Vec<ServerMessage>,
}

impl End<'_> {
    /// What it means. A `VACUUM` or `ANALYZE` that the role may not do *succeeds* with a warning, so success is a command
    /// that completed without one.
    pub(super) async fn outcome(self, link: &mut Link) -> Outcome {
        match &self.done {
            Ok(_) => self.completed(link).await,
            Err(error) if error.is_cancelled() && self.stopped => {
                let remains = self.remains(link).await;
                Outcome::Cancelled(remains.unwrap_or_else(|| format!("after {}", self.took())))
            }
            // Somebody else's doing: nothing is unknown about a statement that the server says it cancelled.
            Err(error) if error.is_cancelled() => Outcome::Refused(self.with_remains(link, shown(&words(error))).await),
            Err(error) if error.is_lock_timeout() => {
                let behind = self.behind(link).await;
                Outcome::TimedOut(self.with_remains(link, behind).await)
            }
            Err(error) if error.is_privilege() => {
                let message = shown(&words(error));
                Outcome::Denied { message, cure: rights(link, self.target).await.cure(link, self.task, self.target) }
            }
            Err(error) => {
                let outcome = failed(error);
                if let Outcome::Refused(why) = outcome {
                    return Outcome::Refused(self.with_remains(link, why).await);
                }
                outcome
            }
        }
    }

    fn took(&self) -> String {
        Age(self.took.as_secs_f64()).exact()
    }

    fn finished(&self) -> String {
        format!("finished in {}", self.took())
    }

    async fn completed(&self, link: &mut Link) -> Outcome {
        if matches!(self.target, Object::Database { .. }) {
            return self.of_many(link).await;
        }
        let Some(first) = self.notices.iter().find(|notice| notice.is_warning()) else {
            return Outcome::Done(self.finished());
        };
        let message = shown(&first.message);
        if first.sqlstate == "55P03" {
            return Outcome::Skipped(message);
        }
        // The words differ between versions and languages, so the rights decide: what the role may not do was skipped.
        let rights = rights(link, self.target).await;
        match rights.may(self.task) {
            Some(true) if !first.message.contains("skipping") => {
                Outcome::Done(format!("{}, with a warning: {message}", self.finished()))
            }
            Some(false) => Outcome::Denied { cure: rights.cure(link, self.task, self.target), message },
            Some(true) | None => Outcome::Skipped(message),
        }
    }

    /// The end of the vacuum of a whole database: it passes over tables, some of them in silence.
    async fn of_many(&self, link: &mut Link) -> Outcome {
        let mut text = self.finished();
        if let Some(skipped) = self.skipped(link).await {
            let _ = write!(text, "; {skipped}");
        }
        let rights = rights(link, self.target).await;
        match rights.may(self.task) {
            Some(false) => Outcome::Denied { cure: rights.cure(link, self.task, self.target), message: text },
            Some(true) | None => Outcome::Done(text),
        }
    }

    /// The tables that a vacuum of them all left out; none where there are none.
    async fn skipped(&self, link: &mut Link) -> Option<String> {
        let sql = include_str!("../sql/maintain_skipped.sql").to_owned();
        let statement = Statement { sql, parameters: vec![Some(self.asked_at.to_owned())] };
        let mut last = None;
        for _ in 0..looks(link) {
            let Ok(rows) = ask(link, &statement, DEADLINE).await else {
                return Some("which tables it left out could not be asked".to_owned());
            };
            let count = cell(rows.first(), "skipped").filter(|count| *count != "0")?;
            let first = shown(cell(rows.first(), "first").unwrap_or_default());
            let and_more = if count.parse::<u64>().is_ok_and(|count| count > 3) { ", …" } else { "" };
            last = Some(format!(
                "{count} not vacuumed, locked by somebody or without the right to them: {first}{and_more}"
            ));
            if link.facts().version < SHARED_STATISTICS {
                tokio::time::sleep(LATE.0).await;
            }
        }
        last
    }

    /// What it gave up behind.
    async fn behind(&self, link: &mut Link) -> String {
        let waited = lock_timeout(self.task).as_secs();
        let Some(table) = self.target.table() else { return format!("gave up after {waited} s behind a lock") };
        let statement = Statement {
            sql: include_str!("../sql/holders.sql").to_owned(),
            parameters: vec![Some(table.key.oid.to_string())],
        };
        let asked = ask(link, &statement, DEADLINE).await.unwrap_or_default();
        match (self.task, cell(asked.first(), "holders")) {
            (_, Some(by)) => format!("gave up after {waited} s behind a lock of {}", shown(by)),
            (Task::VacuumAnalyze | Task::Analyze, None) => format!("gave up after {waited} s behind a lock"),
            (Task::Reindex | Task::DropInvalid, None) => {
                format!("gave up after it had waited {waited} s for a transaction that began before it")
            }
        }
    }

    async fn with_remains(&self, link: &mut Link, text: String) -> String {
        match self.remains(link).await {
            Some(remains) => format!("{text}; {remains}"),
            None => text,
        }
    }

    /// What is there now of what did not come to its end; none where there is nothing to say, or where it could not be
    /// asked.
    async fn remains(&self, link: &mut Link) -> Option<String> {
        let Some(table) = self.target.table() else {
            return Some("the tables that it had done by then are done".to_owned());
        };
        let statement = Statement {
            sql: include_str!("../sql/maintain_remains.sql").to_owned(),
            parameters: vec![Some(table.key.oid.to_string()), Some(self.asked_at.to_owned())],
        };
        let looks = looks(link);
        for look in 1..=looks {
            let rows = ask(link, &statement, DEADLINE).await.ok()?;
            match self.task {
                Task::VacuumAnalyze if cell(rows.first(), "vacuumed") == Some("true") => {
                    return Some("the table was vacuumed before that, its analyze is not done".to_owned());
                }
                Task::VacuumAnalyze if look < looks => tokio::time::sleep(LATE.0).await,
                Task::VacuumAnalyze | Task::Analyze => return None,
                Task::Reindex | Task::DropInvalid => {
                    let invalid = shown(cell(rows.first(), "invalid")?);
                    return Some(format!("not valid on its table now, to be dropped: {invalid}"));
                }
            }
        }
        None
    }
}

/// How often statistics are looked at before what they say is believed.
pub(super) fn looks(link: &Link) -> usize {
    if link.facts().version < SHARED_STATISTICS { LATE.1 } else { 1 }
}
