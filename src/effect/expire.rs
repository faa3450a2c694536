//! Removal of the expired rows of the cache table: a job on a connection of its own, batch by batch.
//!
//! Each batch is one statement and one transaction, bounded by the server, with a pause behind it: nobody waits for us for
//! longer than a batch takes. What expires after the question was asked is left alone. Nothing here is tried again.

use std::time::Duration;

use tokio::sync::watch;
use tokio::time::Instant;

use crate::guard::{Approved, EXPIRE_BATCH, Named, Write, role_name};
use crate::message::Outcome;
use crate::model::unit::Age;
use crate::model::{ServerText, Timestamp};
use crate::postgres::{AskError, Link};

use super::cancel::{OTHER_SERVER, failed, shown, words};
use super::journal::Journal;
use super::session::{Bounds, Road, ask, cell, open};

/// How long a batch may take. One of 1000 rows takes milliseconds where `expires_at` has its index.
const STATEMENT_TIMEOUT: Duration = Duration::from_secs(5);

/// How long a batch may wait for the table's lock; locked rows are left out.
const LOCK_TIMEOUT: Duration = Duration::from_millis(500);

/// How long we wait for an answer: a little longer than the server does.
const DEADLINE: Duration = Duration::from_secs(7);

/// The pause between two batches: at most half of the time is ours, and replicas and autovacuum keep up.
const PAUSE: Duration = Duration::from_millis(50);

/// The longest that it goes on: it is asked for again by whoever sees that there is more.
const LONGEST: Duration = Duration::from_secs(300);

/// A removal about to run.
pub(super) struct Job {
    pub(super) id: u64,
    pub(super) approved: Approved,
    pub(super) road: Road,
    pub(super) journal: Journal,
    /// Turns true when it is to be stopped.
    pub(super) stop: watch::Receiver<bool>,
}

/// What was removed so far.
#[derive(Debug, Default)]
struct Sum {
    rows: i64,
    batches: u32,
}

impl Sum {
    fn shown(&self) -> String {
        let of = |count: i64, one: &str, more: &str| format!("{count} {}", if count == 1 { one } else { more });
        format!("removed {} in {}", of(self.rows, "row", "rows"), of(self.batches.into(), "batch", "batches"))
    }
}

/// Why it ended.
enum End {
    /// A batch was not full: no more are to be had.
    Dry,
    /// As many were removed as the question said.
    Bound,
    Late,
    Stopped,
    Failed(AskError),
}

impl Job {
    /// Runs it from the connection to the line in the log; returns its number.
    pub(super) async fn run(mut self) -> u64 {
        let outcome = self.attempt().await;
        self.journal.ended(self.id, self.approved.write(), (outcome, Vec::new())).await;
        self.id
    }

    async fn attempt(&mut self) -> Outcome {
        let Write::ExpireCache { table, most, .. } = self.approved.write().clone() else {
            return Outcome::NotSent("no removal of expired rows".to_owned());
        };
        let bounds = Bounds { statement: STATEMENT_TIMEOUT, lock: LOCK_TIMEOUT };
        let opened = open(&self.road, Some(table.key.database.raw()), bounds).await;
        // Of several hosts it may be another than the writer's.
        if let Ok(link) = &opened {
            self.journal = self.journal.at(link.facts().at.to_string());
        }
        if let Err(error) = self.journal.intend(self.id, &self.approved).await {
            return Outcome::NotSent(error.to_string());
        }
        let mut link = match opened {
            Ok(link) => link,
            Err(why) => return Outcome::NotSent(why),
        };
        if *self.stop.borrow() {
            return Outcome::Cancelled("before it was sent".to_owned());
        }
        if let Err(outcome) = self.checked(&mut link, &table).await {
            return outcome;
        }
        self.journal.started(self.id, Some(link.facts().pid)).await;
        let (since, mut sum) = (Instant::now(), Sum::default());
        let end = self.batches(&mut link, most, &mut sum).await;
        let took = since.elapsed();
        self.told(&mut link, &table, end, (&sum, took)).await
    }

    /// Whether server, table and rights are still what was on the screen.
    async fn checked(&self, link: &mut Link, table: &Named) -> Result<(), Outcome> {
        let Some(check) = self.approved.write().check() else {
            return Err(Outcome::NotSent("nothing to check".to_owned()));
        };
        let rows = match ask(link, &check, DEADLINE).await {
            Ok(rows) => rows,
            Err(error) => {
                return Err(Outcome::NotSent(format!("the table could not be checked: {}", shown(&words(&error)))));
            }
        };
        let is = |column| cell(rows.first(), column) == Some("true");
        if !is("same_server") {
            return Err(Outcome::Changed(OTHER_SERVER.to_owned()));
        }
        let Some(name) = cell(rows.first(), "name") else { return Err(Outcome::Gone) };
        if !is("same_name") {
            let schema = cell(rows.first(), "schema").unwrap_or_default();
            return Err(Outcome::Changed(format!("it is now {}.{}; nothing was sent", shown(schema), shown(name))));
        }
        if !is("shaped") {
            return Err(Outcome::Changed("it no longer has the columns of a cache table; nothing was sent".to_owned()));
        }
        if !is("may") {
            let role = ServerText::from(cell(rows.first(), "role").unwrap_or_default());
            return Err(denied("the role may not remove rows from it".to_owned(), table, &role));
        }
        Ok(())
    }

    /// Removes batch after batch, until something ends it.
    async fn batches(&mut self, link: &mut Link, most: i64, sum: &mut Sum) -> End {
        let statement = self.approved.write().statement();
        let until = Instant::now() + LONGEST;
        loop {
            if *self.stop.borrow() {
                return End::Stopped;
            }
            if sum.rows >= most {
                return End::Bound;
            }
            if Instant::now() >= until {
                return End::Late;
            }
            let removed = match ask(link, &statement, DEADLINE).await {
                Ok(rows) => cell(rows.first(), "removed").and_then(|n| n.parse().ok()).unwrap_or(0),
                Err(error) => return End::Failed(error),
            };
            sum.rows += removed;
            sum.batches += u32::from(removed > 0);
            if removed < EXPIRE_BATCH {
                return End::Dry;
            }
            self.journal.progress(self.id, sum.shown()).await;
            // Whoever stops it does not wait for the pause; without a sender nobody can any more.
            let _ = tokio::time::timeout(PAUSE, self.stop.wait_for(|stop| *stop)).await;
        }
    }

    /// How it ended, in the words of what the server did.
    async fn told(&self, link: &mut Link, table: &Named, end: End, (sum, took): (&Sum, Duration)) -> Outcome {
        let removed = format!("{} in {}", sum.shown(), Age(took.as_secs_f64()).exact());
        match end {
            End::Failed(error) if error.is_lock_timeout() || error.is_cancelled() => {
                Outcome::TimedOut(format!("{}; {removed} before", shown(&words(&error))))
            }
            End::Failed(error) if error.is_privilege() => {
                behind(denied(shown(&words(&error)), table, &ServerText::default()), &removed)
            }
            End::Failed(error) => behind(failed(&error), &removed),
            End::Stopped if sum.rows == 0 => Outcome::Cancelled("nothing was removed".to_owned()),
            // Renamed and replaced in between: then its name leads to rows of another table, none of which says that it
            // is ours.
            End::Dry if sum.rows == 0 => match self.checked(link, table).await {
                Ok(()) => Outcome::Done(format!("{removed}; {}", self.left(link).await)),
                Err(outcome) => outcome,
            },
            End::Dry => Outcome::Done(format!("{removed}; {}", self.left(link).await)),
            End::Bound => Outcome::Done(format!("{removed}, as many as the question said; {}", self.left(link).await)),
            End::Late => {
                let limit = Age(LONGEST.as_secs_f64()).short();
                Outcome::Done(format!("ended after {limit}: {removed}; {}", self.left(link).await))
            }
            End::Stopped => Outcome::Done(format!("stopped: {removed}; {}", self.left(link).await)),
        }
    }

    /// What is left of the rows that had expired when the question was asked.
    async fn left(&self, link: &mut Link) -> String {
        let Some(statement) = self.approved.write().remainder() else { return String::new() };
        let Write::ExpireCache { before, .. } = self.approved.write() else { return String::new() };
        // More expire while it runs: the screen counts those, too.
        let then = clock(before);
        let rows = ask(link, &statement, DEADLINE).await.unwrap_or_default();
        match cell(rows.first(), "remaining").and_then(|n| n.parse::<i64>().ok()) {
            Some(0) => format!("none of those that had expired at {then} is left"),
            Some(left) if left > 10_000 => format!("more than 10000 of those that had expired at {then} are left"),
            Some(left) => {
                format!("{left} of those that had expired at {then} left: locked by others, or added since")
            }
            None => "what is left could not be counted".to_owned(),
        }
    }
}

/// The time of day in UTC of a server's timestamp; the timestamp where it cannot be read.
fn clock(timestamp: &str) -> String {
    timestamp.parse::<Timestamp>().map_or_else(|_| shown(timestamp), |time| time.strftime("%H:%M:%SZ").to_string())
}

fn denied(message: String, table: &Named, role: &ServerText) -> Outcome {
    let role = if role.is_empty() { "our role".to_owned() } else { role_name(role) };
    Outcome::Denied { message, cure: format!("GRANT SELECT, UPDATE, DELETE ON {} TO {role}", table.quoted()) }
}

/// The end of a batch with what the batches before it have removed for good.
fn behind(outcome: Outcome, removed: &str) -> Outcome {
    let with = |words: String| format!("{words}; {removed} before the last batch");
    match outcome {
        Outcome::Unknown(why) => Outcome::Unknown(with(why)),
        Outcome::Refused(why) => Outcome::Refused(with(why)),
        Outcome::TimedOut(why) => Outcome::TimedOut(with(why)),
        Outcome::Changed(why) => Outcome::Changed(with(why)),
        Outcome::NotSent(why) => Outcome::NotSent(with(why)),
        Outcome::Denied { message, cure } => Outcome::Denied { message: with(message), cure },
        other @ (Outcome::Done(_)
        | Outcome::Each(_)
        | Outcome::Written(_)
        | Outcome::Gone
        | Outcome::Skipped(_)
        | Outcome::Cancelled(_)) => other,
    }
}

#[cfg(test)]
mod behind_tests {
    use super::*;

    #[test]
    fn a_servers_time_is_told_as_the_screens_clock_is() {
        assert_eq!(clock("2025-11-24 03:14:07.123456+00"), "03:14:07Z");
        assert_eq!(clock("2025-11-24 08:44:07.5+05:30"), "03:14:07Z");
        assert_eq!(clock("infinity"), "infinity");
    }

    #[test]
    fn whatever_stops_a_batch_what_went_before_is_told() {
        let denied = Outcome::Denied { message: "no".to_owned(), cure: "GRANT".to_owned() };
        for outcome in [denied, Outcome::Refused("a foreign key".to_owned()), Outcome::Unknown("lost".to_owned())] {
            assert!(
                format!("{:?}", behind(outcome, "removed 3 rows")).contains("removed 3 rows before the last batch")
            );
        }
    }
}
