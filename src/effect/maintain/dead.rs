//! What a vacuum came to: the dead rows of its table before and after, as the server counts them.
//!
//! It does not know who holds them back.

use crate::guard::{Object, Statement, Task};
use crate::message::Outcome;
use crate::postgres::Link;

use super::super::session::{ask, cell};
use super::DEADLINE;
use super::ended::{LATE, looks};

/// Dead rows of the table that `task` vacuums; none where it vacuums none, or where they could not be asked.
pub(super) async fn before(link: &mut Link, task: Task, target: &Object, at: &str) -> Option<i64> {
    if task != Task::VacuumAnalyze || matches!(target, Object::Database { .. }) {
        return None;
    }
    look(link, target, at).await.map(|(dead, _)| dead)
}

/// The same after a vacuum that began after `at`, once the statistics are of then.
pub(super) async fn after(link: &mut Link, target: &Object, at: &str) -> Option<i64> {
    for _ in 0..looks(link) {
        let (dead, done) = look(link, target, at).await?;
        if done {
            return Some(dead);
        }
        tokio::time::sleep(LATE.0).await;
    }
    None
}

async fn look(link: &mut Link, target: &Object, at: &str) -> Option<(i64, bool)> {
    let oid = target.table()?.key.oid.to_string();
    let sql = include_str!("../sql/maintain_dead.sql").to_owned();
    let rows = ask(link, &Statement { sql, parameters: vec![Some(oid), Some(at.to_owned())] }, DEADLINE).await.ok()?;
    let dead = cell(rows.first(), "dead")?.parse().ok()?;
    Some((dead, cell(rows.first(), "done") == Some("true")))
}

/// The outcome with what became of the dead rows.
pub(super) fn told(outcome: Outcome, (before, after): (i64, i64)) -> Outcome {
    match outcome {
        Outcome::Done(words) if before > 0 && after > 0 => {
            Outcome::Done(format!("{words}; {before} dead rows before, {after} still there"))
        }
        Outcome::Done(words) if before > 0 => Outcome::Done(format!("{words}; {before} dead rows before, none now")),
        other @ (Outcome::Done(_)
        | Outcome::Each(_)
        | Outcome::Written(_)
        | Outcome::Gone
        | Outcome::Changed(_)
        | Outcome::Skipped(_)
        | Outcome::Denied { .. }
        | Outcome::TimedOut(_)
        | Outcome::Cancelled(_)
        | Outcome::Refused(_)
        | Outcome::NotSent(_)
        | Outcome::Unknown(_)) => other,
    }
}
