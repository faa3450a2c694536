//! What the question before the maintenance of a table says.

use crate::model::relation::Relation;
use crate::model::session::Session;
use crate::model::unit::{Age, Bytes, short_count};
use crate::model::{ServerText, World};

use super::super::{Named, Task};
use super::{Preview, Row, Scene};

/// A transaction younger than this does not hold back a vacuum long enough to be worth a warning.
const HORIZON_S: f64 = 60.0;

/// Describes `task` done to `table`.
pub(super) fn of(task: Task, table: &Named, scene: &Scene<'_>) -> Preview {
    let (shown, database) = (table.shown(), &table.key.database);
    let list = scene.world.relations.get().filter(|list| list.database == *database);
    let found = list.and_then(|list| list.rows.iter().find(|r| r.oid == table.key.oid));
    let mut rows = vec![Row { label: "table", text: format!("{shown} in database {}", database.head(64)) }];
    let mut warnings = Vec::new();
    if let Some(relation) = found {
        rows.push(Row { label: "holds", text: holds(relation) });
        rows.push(Row { label: "last", text: last(task, relation) });
        if relation.locked {
            warnings.push("somebody holds or awaits an exclusive lock on it: it may give up behind that".to_owned());
        }
    }
    rows.push(Row { label: "locks", text: locks(task).to_owned() });
    if let Some(session) = horizon(database, scene.world).filter(|_| task == Task::VacuumAnalyze) {
        warnings.push(format!(
            "{} holds back what a vacuum may remove: its transaction is open {}",
            session.pid,
            Age(session.xact_s.unwrap_or_default()).exact()
        ));
    }
    let name = typeable(&shown).unwrap_or_else(|| format!("oid {}", table.key.oid));
    Preview { title: format!("{} {shown}?", title(task)), rows, listed: Vec::new(), warnings, name }
}

fn title(task: Task) -> &'static str {
    match task {
        Task::VacuumAnalyze => "VACUUM (ANALYZE)",
        Task::Analyze => "ANALYZE",
    }
}

/// The lock that it takes, and who queues behind it.
fn locks(task: Task) -> &'static str {
    match task {
        Task::VacuumAnalyze => {
            "SHARE UPDATE EXCLUSIVE: reads and writes go on; DDL, CREATE INDEX and other vacuums wait; ACCESS EXCLUSIVE \
             for a moment at the end if it can give back free pages"
        }
        Task::Analyze => {
            "SHARE UPDATE EXCLUSIVE: reads and writes go on; DDL, CREATE INDEX, vacuums and other analyzes wait"
        }
    }
}

/// `1.0 GB, 400k dead of 1.0M rows (40 %)`
fn holds(relation: &Relation) -> String {
    #[expect(clippy::cast_precision_loss, reason = "shown with at most four digits")]
    let (dead, all) = (relation.dead as f64, (relation.dead + relation.live) as f64);
    let share = relation.dead_ratio().map_or_else(String::new, |r| format!(" ({:.0} %)", r * 100.0));
    format!("{}, {} dead of {} rows{share}", Bytes(relation.bytes).short(), short_count(dead), short_count(all))
}

/// `vacuum never, autovacuum 2h ago`, or the same of analyze.
fn last(task: Task, relation: &Relation) -> String {
    let ago = |s: Option<f64>| s.map_or_else(|| "never".to_owned(), |s| format!("{} ago", Age(s).short()));
    let off = if relation.autovacuum_on { "" } else { " (off for this table)" };
    match task {
        Task::VacuumAnalyze => {
            format!("vacuum {}, autovacuum {}{off}", ago(relation.vacuum_s), ago(relation.autovacuum_s))
        }
        Task::Analyze => {
            format!("analyze {}, autoanalyze {}{off}", ago(relation.analyze_s), ago(relation.autoanalyze_s))
        }
    }
}

/// The session whose transaction has held the horizon of `database` for longest: dead rows newer than it stay. One
/// that has written but holds no snapshot counts as well; a session in another database does not.
fn horizon<'a>(database: &ServerText, world: &'a World) -> Option<&'a Session> {
    let sessions = world.sessions.get()?;
    let vacuums = world.relations.get().map_or(&[][..], |list| &list.vacuums);
    sessions
        .rows
        .iter()
        .filter(|s| s.database.as_ref() == Some(database) && (s.xid.is_some() || s.xmin.is_some()))
        .filter(|s| s.leader.is_none_or(|leader| leader == s.pid) && vacuums.iter().all(|v| v.pid != s.pid))
        .filter(|s| s.xact_s.is_some_and(|s| s > HORIZON_S))
        .max_by(|a, b| a.xact_s.unwrap_or_default().total_cmp(&b.xact_s.unwrap_or_default()))
}

/// The name where a keyboard can type it exactly as it is shown.
fn typeable(shown: &str) -> Option<String> {
    (shown.len() <= 64 && shown.chars().all(|c| c.is_ascii_graphic())).then(|| shown.to_owned())
}
