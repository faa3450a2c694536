//! What the question before the maintenance of a table says.

use crate::model::horizon::{lasting, open_transactions};
use crate::model::index::{Index, Validity};
use crate::model::relation::Relation;
use crate::model::unit::{Age, Bytes, short_count};
use crate::model::{ServerText, World};

use super::super::{Object, Task};
use super::{Preview, Row, Scene};

/// A transaction open for longer than this makes what works concurrently wait for so long that it gives up.
const WAITED_FOR_S: f64 = 10.0;

/// Describes `task` done to `target`.
pub(super) fn of(task: Task, target: &Object, scene: &Scene<'_>) -> Preview {
    let (shown, database) = (target.shown(), target.database());
    let list = scene.world.relations.get().filter(|list| list.database == *database);
    let found = target.table().and_then(|table| list?.find(table.key.oid));
    let mut rows = vec![Row { label: "target", text: what(target) }];
    let mut warnings = Vec::new();
    if let Some(relation) = found {
        rows.push(Row { label: "holds", text: holds(relation) });
        if let Some(last) = last(task, relation) {
            rows.push(Row { label: "last", text: last });
        }
        if let Some(lock) = &relation.barred {
            warnings.push(format!("{} of {} is held on it: it may give up behind that", mode(&lock.mode), lock.who()));
        } else if relation.locked {
            warnings.push("somebody holds or awaits an exclusive lock on it: it may give up behind that".to_owned());
        }
    }
    if let Object::Index { index, .. } = target
        && let Some(index) = scene.world.indexes.get().and_then(|list| list.find(&index.key))
    {
        rows.push(Row { label: "index", text: is(index) });
    }
    if let Object::Database { name, .. } = target {
        let bytes = list.and_then(|l| l.databases.iter().find(|d| d.name == *name)).and_then(|d| d.bytes);
        rows.push(Row { label: "holds", text: bytes.map_or("size not known".to_owned(), |b| Bytes(b).short()) });
    }
    rows.push(Row { label: "locks", text: locks(task, target).to_owned() });
    rows.extend(costs(task, target, found).map(|text| Row { label: "costs", text }));
    match task {
        Task::VacuumAnalyze => warnings.extend(held_back(database, scene)),
        Task::Analyze => {}
        Task::Reindex | Task::DropInvalid => warnings.extend(waits(database, scene.world)),
    }
    let name = typeable(&shown).unwrap_or_else(|| format!("oid {}", target.oid()));
    Preview { title: format!("{} {shown}?", title(task, target)), rows, listed: Vec::new(), warnings, name }
}

/// A lock's mode, as the server named it.
fn mode(word: &str) -> String {
    ServerText::from(word).head(40)
}

fn what(target: &Object) -> String {
    let database = target.database().head(64);
    match target {
        Object::Table(table) => format!("table {} in database {database}", table.shown()),
        Object::Index { index, table } => {
            format!("index {} of {} in database {database}", index.shown(), table.name.head(64))
        }
        Object::Database { .. } => format!("every table of database {database}, its catalogs too"),
    }
}

/// `INVALID, btree (created_at), 410 MB, 0 scans`
fn is(index: &Index) -> String {
    let validity = match index.validity {
        Validity::Valid => "",
        Validity::Invalid => "INVALID, writes go into it: ",
        Validity::NotReady => "INVALID, no write goes into it: ",
    };
    let size = index.size().map_or("size not known".to_owned(), |b| Bytes(b).short());
    let (method, columns) = (index.method.head(20), index.columns.head(80));
    format!("{validity}{method} ({columns}), {size}, {} scans", index.scans)
}

fn title(task: Task, target: &Object) -> &'static str {
    match (task, target) {
        (Task::VacuumAnalyze, Object::Database { .. }) => "VACUUM (ANALYZE) the whole database",
        (Task::VacuumAnalyze, _) => "VACUUM (ANALYZE)",
        (Task::Analyze, _) => "ANALYZE",
        (Task::Reindex, _) => "REINDEX CONCURRENTLY",
        (Task::DropInvalid, _) => "DROP the invalid index",
    }
}

/// The lock that it takes, and who queues behind it.
fn locks(task: Task, target: &Object) -> &'static str {
    match (task, target) {
        (Task::VacuumAnalyze, Object::Database { .. }) => {
            "SHARE UPDATE EXCLUSIVE, one table after the other: reads and writes go on; DDL, CREATE INDEX and other vacuums \
             of that table wait; what somebody else has locked is skipped"
        }
        (Task::VacuumAnalyze, _) => {
            "SHARE UPDATE EXCLUSIVE: reads and writes go on; DDL, CREATE INDEX and other vacuums wait; ACCESS EXCLUSIVE \
             for a moment at the end if it can give back free pages"
        }
        (Task::Analyze, _) => {
            "SHARE UPDATE EXCLUSIVE: reads and writes go on; DDL, CREATE INDEX, vacuums and other analyzes wait"
        }
        (Task::Reindex, _) => {
            "SHARE UPDATE EXCLUSIVE on the table to its end: reads and writes go on; DDL and vacuums, autovacuum too, wait"
        }
        (Task::DropInvalid, _) => {
            "SHARE UPDATE EXCLUSIVE on the table: reads and writes go on; DDL and vacuums wait until every transaction that \
             uses the table has ended"
        }
    }
}

/// What it takes of the machine.
fn costs(task: Task, target: &Object, found: Option<&Relation>) -> Option<String> {
    match task {
        Task::VacuumAnalyze => Some(
            "reads at full speed: a manual vacuum is not throttled unless vacuum_cost_delay is set for our role; no parallel \
             workers"
                .to_owned(),
        ),
        Task::Analyze => None,
        Task::Reindex => {
            let again = "as much disk again, and WAL, until the old is dropped";
            let indexes = |r: &Relation| match r.indexes {
                1 => "1 index".to_owned(),
                n => format!("{n} indexes"),
            };
            Some(match (target, found) {
                (Object::Table(_), Some(r)) => {
                    format!("builds {} anew, {} in all, TOAST beside: {again}", indexes(r), Bytes(r.index_bytes).short())
                }
                _ => format!("builds it anew: {again}"),
            })
        }
        Task::DropInvalid => Some("gives its disk back; no query uses it, yet each write still pays for it".to_owned()),
    }
}

/// What makes a concurrent build or drop wait, and what is left where it gives up.
fn waits(database: &ServerText, world: &World) -> Vec<String> {
    let left = "stopped or timed out it leaves an index that is not valid (…_ccnew, …_ccold), to be dropped".to_owned();
    let mut warnings: Vec<String> = open_transactions(database, world)
        .filter(|s| s.xact_s.is_some_and(|s| s > WAITED_FOR_S))
        .take(3)
        .map(|session| {
            let open = Age(session.xact_s.unwrap_or_default()).exact();
            format!("it may have to wait for {}, in a transaction for {open}: it gives up after 10 s", session.pid)
        })
        .collect();
    warnings.push(left);
    warnings
}

/// `1.0 GB, 400k dead of 1.0M rows (40 %)`
fn holds(relation: &Relation) -> String {
    #[expect(clippy::cast_precision_loss, reason = "shown with at most four digits")]
    let (dead, all) = (relation.dead as f64, relation.dead.saturating_add(relation.live) as f64);
    let share = relation.dead_ratio().map_or_else(String::new, |r| format!(" ({:.0} %)", r * 100.0));
    let size = relation.size().map_or("size not known, never vacuumed or analyzed".to_owned(), |b| Bytes(b).short());
    format!("{size}, {} dead of {} rows{share}", short_count(dead), short_count(all))
}

/// `vacuum never, autovacuum 2h ago`, or the same of analyze.
fn last(task: Task, relation: &Relation) -> Option<String> {
    let ago = |s: Option<f64>| s.map_or_else(|| "never".to_owned(), |s| format!("{} ago", Age(s).short()));
    let off = if relation.autovacuum_on { "" } else { " (off for this table)" };
    match task {
        Task::VacuumAnalyze => {
            Some(format!("vacuum {}, autovacuum {}{off}", ago(relation.vacuum_s), ago(relation.autovacuum_s)))
        }
        Task::Analyze => {
            Some(format!("analyze {}, autoanalyze {}{off}", ago(relation.analyze_s), ago(relation.autoanalyze_s)))
        }
        Task::Reindex | Task::DropInvalid => None,
    }
}

/// Who holds the horizon of `database`, so that dead rows newer than it stay; or that not everybody is seen who may.
fn held_back(database: &ServerText, scene: &Scene<'_>) -> Option<String> {
    let world = scene.world;
    if let Some((holder, age)) = lasting(database, world, &scene.patience) {
        #[expect(clippy::cast_precision_loss, reason = "shown with at most four digits")]
        let age = short_count(age as f64);
        let (name, how) = (holder.name(), holder.how(database));
        return Some(format!("{name} holds the horizon ({how}): no row goes that died in the last {age} transactions"));
    }
    let hidden = world.sessions.get().map_or(0, |sessions| sessions.hidden);
    (hidden > 0).then(|| {
        format!("{hidden} sessions are hidden from our role: one of them may hold the horizon, and nothing would go")
    })
}

/// The name where a keyboard can type it exactly as it is shown.
pub(super) fn typeable(shown: &str) -> Option<String> {
    (shown.len() <= 64 && shown.chars().all(|c| c.is_ascii_graphic())).then(|| shown.to_owned())
}
