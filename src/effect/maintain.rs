//! Maintenance: a job on a connection of its own, in the database of what it is done to.
//!
//! The server says whether the target is still the one that was asked about and writes the statement; it is sent only if
//! it is the very text that the question showed. Nothing here is tried again.

mod dead;
mod ended;
mod rights;

use std::time::{Duration, Instant};

use tokio::sync::watch;

use crate::guard::{Approved, Object, Task, Write};
use crate::message::Outcome;
use crate::postgres::{AskError, Link, Row, Rows};

use super::cancel::{OTHER_SERVER, shown, words};
use super::journal::Journal;
use super::session::{Bounds, Road, ask, cell, open};
use ended::End;

/// How long the questions before and after the statement may take.
const DEADLINE: Duration = Duration::from_secs(5);

/// How long the server may take to stop after it was asked to; it listens between two pages.
const STOPPING: Duration = Duration::from_secs(10);

/// The pause between two requests to stop.
const STOP_AGAIN: Duration = Duration::from_secs(1);

/// The most warnings that are logged of one statement: a vacuum of a whole database may warn of each table.
const NOTICES_MOST: usize = 50;

/// How long to queue for a lock. A vacuum waits for the table's own, and everybody's DDL queues behind it. What goes on
/// concurrently waits in the same way for each transaction that is older than it: that is ordinary, stands in nobody's way
/// but of DDL and vacuums, and takes as long as the service's transactions do, unless one of them sits idle.
fn lock_timeout(task: Task) -> Duration {
    match task {
        Task::VacuumAnalyze | Task::Analyze => Duration::from_secs(2),
        Task::Reindex | Task::DropInvalid => Duration::from_secs(10),
    }
}

/// Maintenance about to run.
pub(super) struct Job {
    pub(super) id: u64,
    pub(super) approved: Approved,
    pub(super) road: Road,
    pub(super) journal: Journal,
    /// Turns true when it is to be stopped.
    pub(super) stop: watch::Receiver<bool>,
}

/// What the server wrote once it had looked at the target.
struct Checked {
    sql: String,
    /// The server's time then.
    at: String,
}

impl Job {
    /// Runs it from the connection to the line in the log; returns its number.
    pub(super) async fn run(mut self) -> u64 {
        let ended = self.attempt().await;
        self.journal.ended(self.id, self.approved.write(), ended).await;
        self.id
    }

    async fn attempt(&mut self) -> (Outcome, Vec<String>) {
        let Write::Maintain { task, target, .. } = self.approved.write().clone() else {
            return nothing(Outcome::NotSent("no maintenance".to_owned()));
        };
        // No limit on the statement itself: it takes as long as the table is large, and it can be stopped. One that works
        // concurrently must not be cut short by a clock: it would leave an invalid index.
        let bounds = Bounds { statement: Duration::ZERO, lock: lock_timeout(task) };
        let opened = open(&self.road, Some(target.database().raw()), bounds).await;
        // Of several hosts it may be another than the writer's.
        if let Ok(link) = &opened {
            self.journal = self.journal.at(link.facts().at.to_string());
        }
        if let Err(error) = self.journal.intend(self.id, &self.approved).await {
            return nothing(Outcome::NotSent(error.to_string()));
        }
        let mut link = match opened {
            Ok(link) => link,
            Err(why) => return nothing(Outcome::NotSent(why)),
        };
        if link.facts().pooled {
            let why = "this connection goes through a transaction pooler, where its lock_timeout may be another's";
            return nothing(Outcome::NotSent(why.to_owned()));
        }
        if *self.stop.borrow() {
            return nothing(Outcome::Cancelled("before it was sent".to_owned()));
        }
        let checked = match self.checked(&mut link, &target).await {
            Ok(checked) => checked,
            Err(outcome) => return nothing(outcome),
        };
        let dead = dead::before(&mut link, task, &target, &checked.at).await;
        self.journal.started(self.id, Some(link.facts().pid)).await;
        let since = Instant::now();
        let done = self.run_or_stop(&mut link, &checked.sql).await;
        let notices = match &done {
            Ok(rows) => rows.notices.clone(),
            Err(_) => link.notices(),
        };
        let mut said: Vec<String> = notices.iter().take(NOTICES_MOST).map(ToString::to_string).collect();
        if notices.len() > NOTICES_MOST {
            said.push(format!("and {} more", notices.len() - NOTICES_MOST));
        }
        let end = End {
            task,
            target: &target,
            asked_at: &checked.at,
            took: since.elapsed(),
            stopped: *self.stop.borrow(),
            done,
            notices,
        };
        let mut outcome = end.outcome(&mut link).await;
        if let (Some(before), Outcome::Done(_)) = (dead, &outcome)
            && let Some(after) = dead::after(&mut link, &target, &checked.at).await
        {
            self.journal.dead_rows(self.id, (before, after)).await;
            outcome = dead::told(outcome, (before, after));
        }
        (outcome, said)
    }

    /// The statement, if server and target are still what was on the screen and nobody works on it.
    async fn checked(&self, link: &mut Link, target: &Object) -> Result<Checked, Outcome> {
        let write = self.approved.write();
        let Some(check) = write.check() else { return Err(Outcome::NotSent("nothing to check".to_owned())) };
        match ask(link, &check, DEADLINE).await {
            Ok(rows) => statement(rows.first(), &write.statement().sql, target),
            Err(error) => Err(Outcome::NotSent(format!("the target could not be checked: {}", shown(&words(&error))))),
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

/// Reads the one row of `maintain_table.sql` and its like.
fn statement(row: Option<Row<'_>>, shown_before: &str, target: &Object) -> Result<Checked, Outcome> {
    if cell(row, "same_server") != Some("true") {
        return Err(Outcome::Changed(OTHER_SERVER.to_owned()));
    }
    let Some(name) = cell(row, "name") else { return Err(Outcome::Gone) };
    if let (Some(pid), Some(doing)) = (cell(row, "busy_pid"), cell(row, "busy_with")) {
        return Err(Outcome::Changed(format!("{} {}; nothing was sent", shown(pid), shown(doing))));
    }
    match cell(row, "statement") {
        Some(sql) if sql == shown_before => {
            Ok(Checked { sql: sql.to_owned(), at: cell(row, "asked_at").unwrap_or_default().to_owned() })
        }
        Some(_) | None => Err(Outcome::Changed(match (target, cell(row, "keeps")) {
            (Object::Database { .. }, _) => {
                format!("database {} is another one than that; nothing was sent", shown(name))
            }
            (Object::Index { index, .. }, Some(why)) if index.name.raw() == name => {
                format!("{}; nothing was sent", shown(why))
            }
            (Object::Table(_) | Object::Index { .. }, _) => {
                let schema = cell(row, "schema").unwrap_or_default();
                format!("it is now {}.{}; nothing was sent", shown(schema), shown(name))
            }
        })),
    }
}
