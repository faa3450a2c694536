//! Maintenance: a job on a connection of its own, in the database of what it is done to.
//!
//! The server says whether the target is still the one that was asked about and writes the statement; it is sent only if
//! it is the very text that the question showed. Nothing here is tried again.

use std::time::{Duration, Instant};

use tokio::sync::watch;

use crate::guard::{Approved, Object, Statement, Task, Write, role_name};
use crate::message::Outcome;
use crate::model::ServerText;
use crate::model::relation::RelationKey;
use crate::model::unit::Age;
use crate::postgres::{AskError, Link, Row, Rows, ServerMessage};

use super::cancel::{OTHER_SERVER, failed, shown, words};
use super::journal::Journal;
use super::session::{Bounds, Road, ask, cell, open};

/// How long to queue for the table's lock. While we queue, everybody's DDL on that table queues behind us.
const LOCK_TIMEOUT: Duration = Duration::from_secs(2);

/// How long the questions before and after the statement may take.
const DEADLINE: Duration = Duration::from_secs(5);

/// How long the server may take to stop after it was asked to; it listens between two pages.
const STOPPING: Duration = Duration::from_secs(10);

/// The pause between two requests to stop.
const STOP_AGAIN: Duration = Duration::from_secs(1);

/// Maintenance about to run.
pub(super) struct Job {
    pub(super) id: u64,
    pub(super) approved: Approved,
    pub(super) road: Road,
    pub(super) journal: Journal,
    /// Turns true when it is to be stopped.
    pub(super) stop: watch::Receiver<bool>,
}

impl Job {
    /// Runs it from the connection to the line in the log; returns its number.
    pub(super) async fn run(mut self) -> u64 {
        let ended = self.attempt().await;
        self.journal.ended(self.id, self.approved.write(), ended).await;
        self.id
    }

    async fn attempt(&mut self) -> (Outcome, Vec<String>) {
        let Write::Maintain { task, target: Object::Table(table), .. } = self.approved.write().clone() else {
            return nothing(Outcome::NotSent("no maintenance".to_owned()));
        };
        let relation = table.key;
        // No limit on the statement itself: it takes as long as the table is large, and it can be stopped.
        let bounds = Bounds { statement: Duration::ZERO, lock: LOCK_TIMEOUT };
        let opened = open(&self.road, Some(relation.database.raw()), bounds).await;
        if let Err(error) = self.journal.intend(self.id, &self.approved).await {
            return nothing(Outcome::NotSent(error.to_string()));
        }
        let mut link = match opened {
            Ok(link) => link,
            Err(why) => return nothing(Outcome::NotSent(why)),
        };
        if *self.stop.borrow() {
            return nothing(Outcome::Cancelled);
        }
        let sql = match self.checked(&mut link).await {
            Ok(sql) => sql,
            Err(outcome) => return nothing(outcome),
        };
        self.journal.started(self.id, Some(link.facts().pid)).await;
        let since = Instant::now();
        let done = self.run_or_stop(&mut link, &sql).await;
        let notices = match &done {
            Ok(rows) => rows.notices.clone(),
            Err(_) => link.notices(),
        };
        let said = notices.iter().map(ToString::to_string).collect();
        let end = End { task, took: since.elapsed(), stopped: *self.stop.borrow(), done, notices };
        (end.outcome(&mut link, &relation).await, said)
    }

    /// The statement, if server and table are still what was on the screen and nobody works on the table.
    async fn checked(&self, link: &mut Link) -> Result<String, Outcome> {
        let write = self.approved.write();
        let Some(check) = write.check() else { return Err(Outcome::NotSent("nothing to check".to_owned())) };
        match ask(link, &check, DEADLINE).await {
            Ok(rows) => statement(rows.first(), &write.statement().sql),
            Err(error) => Err(Outcome::NotSent(format!("the table could not be checked: {}", shown(&words(&error))))),
        }
    }

    /// Runs the statement to its end; once it is to be stopped, asks the server to cancel it and still waits for what
    /// the server says.
    async fn run_or_stop(&mut self, link: &mut Link, sql: &str) -> Result<Rows, AskError> {
        let canceller = link.canceller();
        let mut stop = self.stop.clone();
        let stopping = async move {
            // The sender lives as long as the writer; without one nobody can ask for a stop any more.
            if stop.wait_for(|stop| *stop).await.is_err() {
                std::future::pending::<()>().await;
            }
            // A request that comes before the statement stops nothing, so it is made again until the session ends it.
            let until = tokio::time::Instant::now() + STOPPING;
            loop {
                let asked = canceller.cancel().await;
                if tokio::time::Instant::now() >= until {
                    return asked;
                }
                tokio::time::sleep(STOP_AGAIN).await;
            }
        };
        tokio::select! {
            ended = link.execute(sql, &[], None) => ended,
            asked = stopping => {
                let reason = asked.err().unwrap_or_else(|| "asked to stop, the server has not said that it did".to_owned());
                Err(AskError::Lost { reason, sqlstate: None })
            }
        }
    }
}

fn nothing(outcome: Outcome) -> (Outcome, Vec<String>) {
    (outcome, Vec::new())
}

/// Reads the one row of `maintain_table.sql`.
fn statement(row: Option<Row<'_>>, shown_before: &str) -> Result<String, Outcome> {
    if cell(row, "same_server") != Some("true") {
        return Err(Outcome::Changed(OTHER_SERVER.to_owned()));
    }
    let Some(name) = cell(row, "name") else { return Err(Outcome::Gone) };
    if let (Some(pid), Some(doing)) = (cell(row, "busy_pid"), cell(row, "busy_with")) {
        return Err(Outcome::Changed(format!("{pid} {doing} it already; nothing was sent")));
    }
    match cell(row, "statement") {
        Some(sql) if sql == shown_before => Ok(sql.to_owned()),
        Some(_) | None => {
            let schema = cell(row, "schema").unwrap_or_default();
            Err(Outcome::Changed(format!("it is now {}.{}; nothing was sent", shown(schema), shown(name))))
        }
    }
}

/// How the statement ended.
struct End {
    task: Task,
    took: Duration,
    stopped: bool,
    done: Result<Rows, AskError>,
    notices: Vec<ServerMessage>,
}

impl End {
    /// What it means. A `VACUUM` or `ANALYZE` that the role may not do *succeeds* with a warning, so success is a command
    /// that completed without one.
    async fn outcome(self, link: &mut Link, relation: &RelationKey) -> Outcome {
        let warning = self.notices.iter().find(|notice| notice.is_warning());
        match (self.done, warning) {
            (Ok(_), None) => Outcome::Done(finished(self.took)),
            (Ok(_), Some(warning)) => warned(link, relation, warning, self.took).await,
            (Err(error), _) if error.is_cancelled() && self.stopped => Outcome::Cancelled,
            // Somebody else's doing: nothing is unknown about a statement that the server says it cancelled.
            (Err(error), _) if error.is_cancelled() => Outcome::Refused(shown(&words(&error))),
            (Err(error), _) if error.is_lock_timeout() => {
                let mut words = behind(link, relation).await;
                // The ANALYZE half takes its lock anew after the VACUUM half has committed.
                if self.task == Task::VacuumAnalyze && self.took > LOCK_TIMEOUT * 2 {
                    words.push_str("; it had run for ");
                    words.push_str(&Age(self.took.as_secs_f64()).exact());
                    words.push_str(": the vacuum may be done, the analyze is not");
                }
                Outcome::TimedOut(words)
            }
            (Err(error), _) if error.is_privilege() => {
                let cure = cure(&rights(link, relation).await, relation);
                Outcome::Denied { message: shown(&words(&error)), cure }
            }
            (Err(error), _) => failed(&error),
        }
    }
}

fn finished(took: Duration) -> String {
    format!("finished in {}", Age(took.as_secs_f64()).exact())
}

/// Tells a warning that stands for a refusal from one that came beside the work. The words differ between versions and
/// languages, so the rights decide: what the role may not do was skipped.
async fn warned(link: &mut Link, relation: &RelationKey, warning: &ServerMessage, took: Duration) -> Outcome {
    let message = shown(&warning.message);
    if warning.sqlstate == "55P03" {
        return Outcome::Skipped(message);
    }
    let rights = rights(link, relation).await;
    match rights.may {
        Some(true) if !warning.message.contains("skipping") => {
            Outcome::Done(format!("{}, with a warning: {message}", finished(took)))
        }
        Some(false) => Outcome::Denied { cure: cure(&rights, relation), message },
        Some(true) | None => Outcome::Skipped(message),
    }
}

/// Who holds what it gave up behind.
async fn behind(link: &mut Link, relation: &RelationKey) -> String {
    let statement = about(relation, include_str!("sql/holders.sql"));
    let asked = ask(link, &statement, DEADLINE).await.unwrap_or_default();
    let by = cell(asked.first(), "holders").map_or_else(String::new, |by| format!(" of {}", shown(by)));
    format!("gave up after {} s behind a lock{by}", LOCK_TIMEOUT.as_secs())
}

fn about(relation: &RelationKey, sql: &str) -> Statement {
    Statement { sql: sql.to_owned(), parameters: vec![Some(relation.oid.to_string())] }
}

/// What `maintain_rights.sql` answers.
#[derive(Debug, Default)]
struct Rights {
    role: Option<String>,
    version: Option<i32>,
    owner: Option<String>,
    owner_is_superuser: bool,
    may: Option<bool>,
}

async fn rights(link: &mut Link, relation: &RelationKey) -> Rights {
    let statement = about(relation, include_str!("sql/maintain_rights.sql"));
    let rows = ask(link, &statement, DEADLINE).await.unwrap_or_default();
    let text = |column| cell(rows.first(), column);
    Rights {
        role: text("role").map(str::to_owned),
        version: text("version").and_then(|version| version.parse().ok()),
        owner: text("owner").map(str::to_owned),
        owner_is_superuser: text("owner_is_superuser") == Some("true"),
        may: text("may").map(|may| may == "true"),
    }
}

/// What would allow it: from 17 on a right of its own, before that only the owner's.
fn cure(rights: &Rights, relation: &RelationKey) -> String {
    let name = |text: &Option<String>, or: &str| {
        text.as_ref().map_or_else(|| or.to_owned(), |t| role_name(&ServerText::from(t.as_str())))
    };
    let (role, owner) = (name(&rights.role, "our role"), name(&rights.owner, "its owner"));
    match rights.version {
        Some(version) if version >= 170_000 => format!("GRANT pg_maintain TO {role}"),
        Some(_) | None if rights.owner_is_superuser => {
            let database = role_name(&relation.database);
            format!("only {owner}, the owner of database {database}, or a superuser may")
        }
        Some(_) | None => format!("GRANT {owner} TO {role}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_cure_is_a_right_of_its_own_from_17_on_and_the_owners_before() {
        let key = RelationKey { database: "shop".into(), oid: 1 };
        let rights = |version, owner_is_superuser| Rights {
            role: Some("on call".to_owned()),
            version: Some(version),
            owner: Some("shop".to_owned()),
            owner_is_superuser,
            may: Some(false),
        };
        assert_eq!(cure(&rights(170_000, false), &key), "GRANT pg_maintain TO \"on call\"");
        assert_eq!(cure(&rights(160_000, false), &key), "GRANT shop TO \"on call\"");
        assert_eq!(cure(&rights(130_000, true), &key), "only shop, the owner of database shop, or a superuser may");
    }
}
