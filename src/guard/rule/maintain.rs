//! The rules for the maintenance of a table.

use crate::model::ServerText;
use crate::model::relation::VacuumProgress;

use super::super::{Named, Object, Owner, Refusal, Task, Write, cure};
use super::Case;

/// `FirstNormalObjectId`: what initdb made has an OID below it.
const FIRST_NORMAL_OID: u32 = 16_384;

/// Maintenance on a standby is an error (25006), and a standby gets its primary's by replay.
pub(super) fn standby(case: &Case<'_>) -> Option<Refusal> {
    maintained(case)?;
    let listed = case.relations().is_some_and(|r| r.in_recovery);
    (listed || case.write.server().in_recovery).then_some(Refusal::Standby)
}

/// Behind a transaction pooler `SET lock_timeout` reaches other clients and may not reach our statement; one without it
/// would wait without end, and everybody's DDL behind it.
pub(super) fn pooled(case: &Case<'_>) -> Option<Refusal> {
    maintained(case)?;
    case.link()?.pooled.then_some(Refusal::Pooled)
}

/// Gone only where a complete list of its database does not have it: a list cut to its top may have lost it to another
/// order.
pub(super) fn gone(case: &Case<'_>) -> Option<Refusal> {
    let (_, Object::Table(Named { name, .. })) = maintained(case)? else { return None };
    let list = case.relations()?;
    let complete = i64::try_from(list.rows.len()).is_ok_and(|rows| rows >= list.total);
    (complete && case.relation().is_none()).then(|| Refusal::TableGone { name: name.clone() })
}

/// Renamed, or its OID given to another table.
pub(super) fn changed(case: &Case<'_>) -> Option<Refusal> {
    let (_, Object::Table(Named { schema, name, .. })) = maintained(case)? else { return None };
    let relation = case.relation()?;
    let same = relation.name == *name && relation.schema == *schema;
    (!same).then(|| Refusal::TableChanged { name: name.clone(), now: relation.name.clone() })
}

/// Maintained with its table, which is what a person means; what a reindex of it left is dropped by itself.
pub(super) fn toast(case: &Case<'_>) -> Option<Refusal> {
    let (Task::VacuumAnalyze | Task::Analyze | Task::Reindex, _) = maintained(case)? else { return None };
    let toast = case.table()?.kind == 't';
    toast.then(|| Refusal::Toast { of: case.relation().and_then(|r| r.toast_of.clone()) })
}

/// What a task cannot be done to.
pub(super) fn unfit(case: &Case<'_>) -> Option<Refusal> {
    let (task, target) = maintained(case)?;
    match (task, target) {
        (Task::VacuumAnalyze | Task::Analyze | Task::Reindex, Object::Table(Named { kind: 'r' | 'm', .. }))
        | (Task::Reindex | Task::DropInvalid, Object::Index { index: Named { kind: 'i', .. }, .. })
        | (Task::VacuumAnalyze, Object::Database { .. }) => None,
        (Task::Reindex | Task::DropInvalid, Object::Index { index, .. }) => {
            Some(Refusal::PartitionedIndex { name: index.name.clone() })
        }
        (
            _,
            Object::Table(Named { name, .. })
            | Object::Index { index: Named { name, .. }, .. }
            | Object::Database { name, .. },
        ) => Some(Refusal::NotATable { name: name.clone() }),
    }
}

/// The server refuses it (0A000), for good reason: a catalog is read by every session.
pub(super) fn catalog(case: &Case<'_>) -> Option<Refusal> {
    let (Task::Reindex, target) = maintained(case)? else { return None };
    let table = target.table()?;
    (table.key.oid < FIRST_NORMAL_OID).then(|| Refusal::Catalog { name: table.name.clone() })
}

/// Known before the question where the catalog tells: the server would skip the table with a warning, or refuse.
pub(super) fn not_permitted(case: &Case<'_>) -> Option<Refusal> {
    let (task, target) = maintained(case)?;
    let (may, owner) = match (task, target) {
        (_, Object::Database { .. }) => (case.whole()?.vacuum, None),
        (Task::DropInvalid, _) => return None,
        (_, Object::Table(_) | Object::Index { .. }) => {
            let rights = case.relation()?.rights.as_ref()?;
            let may = if task == Task::Reindex { rights.reindex } else { rights.vacuum };
            (may, Some(Owner { name: &rights.owner, superuser: rights.owner_is_superuser }))
        }
    };
    let server = case.server()?;
    (!may).then(|| Refusal::NotPermitted {
        what: case.write.shown(),
        cure: cure((task, target), owner, Some(&server.user), server.version_num),
    })
}

/// Two jobs of ours would wait for each other.
pub(super) fn own_job(case: &Case<'_>) -> Option<Refusal> {
    let (_, target) = maintained(case)?;
    let overlap = |other: &&Object| {
        let same_table = target.table().zip(other.table()).is_none_or(|(ours, theirs)| ours.key == theirs.key);
        other.database() == target.database() && same_table
    };
    let other = case.scene.jobs.iter().filter_map(Write::maintained).find(overlap)?;
    Some(Refusal::OwnJob { name: ServerText::new(other.shown()) })
}

fn maintained<'a>(case: &Case<'a>) -> Option<(Task, &'a Object)> {
    let Write::Maintain { task, target, .. } = case.write else { return None };
    Some((*task, target))
}

/// Never to be disturbed: the server stops taking writes if it does not come to its end.
pub(super) fn wraparound(case: &Case<'_>) -> Option<Refusal> {
    let running = running(case)?;
    running.wraparound.then_some(Refusal::WraparoundVacuum { pid: running.pid })
}

/// Two vacuums of one table exclude each other. An autovacuum that makes ours wait longer than `deadlock_timeout` gives
/// up and its work is lost.
pub(super) fn already(case: &Case<'_>) -> Option<Refusal> {
    let running = running(case)?;
    Some(Refusal::AlreadyVacuumed { pid: running.pid, auto: running.auto })
}

/// The vacuum that works on the table now. The list of them covers every database, so it counts whichever database's
/// tables are on the screen.
fn running<'a>(case: &Case<'a>) -> Option<&'a VacuumProgress> {
    let key = case.relation_key()?;
    let all = &case.scene.world.relations.get()?.vacuums;
    all.iter().find(|v| v.oid == key.oid && v.database == key.database)
}

#[cfg(test)]
mod tests {
    use super::super::super::{Scene, ServerIdentity, Verdict, fixture, judge};
    use super::*;
    use crate::model::relation::{DatabaseRights, Relation, Relations, TableRights};
    use crate::model::server::Server;
    use crate::model::world::Link;

    fn write() -> Write {
        Write::vacuum(&fixture::relation(), &"shop".into(), &fixture::server())
    }

    /// The verdict where the newest list of tables is this one.
    fn verdict(write: Write, relations: Relations) -> Verdict {
        let mut world = fixture::world(Vec::new());
        fixture::take_relations(&mut world, relations);
        judge(write, &fixture::scene(&world))
    }

    fn vacuum(auto: bool) -> VacuumProgress {
        VacuumProgress {
            pid: 99,
            database: "shop".into(),
            oid: 16_412,
            phase: "scanning heap".to_owned(),
            blocks: 10,
            scanned: 5,
            vacuumed: 0,
            index_passes: 0,
            auto,
            wraparound: false,
            running_s: None,
        }
    }

    #[test]
    fn a_table_and_a_materialized_view_may_be_vacuumed() {
        assert!(matches!(verdict(write(), fixture::relations()), Verdict::Confirm(_)));
        let mut relations = fixture::relations();
        relations.rows[0].kind = 'm';
        let write = Write::vacuum(&relations.rows[0], &"shop".into(), &fixture::server());
        assert!(matches!(verdict(write, relations), Verdict::Confirm(_)));
    }

    #[test]
    fn a_standby_does_not_vacuum() {
        let server = Server { in_recovery: true, ..fixture::server() };
        let mut world = fixture::world(Vec::new());
        fixture::take(
            &mut world,
            crate::model::Question::Server,
            crate::model::Snapshot::Server(Box::new(server.clone())),
        );
        let write = Write::vacuum(&fixture::relation(), &"shop".into(), &server);
        assert_eq!(*write.server(), ServerIdentity::of(&server));
        assert_eq!(judge(write, &fixture::scene(&world)), Verdict::Refuse(Refusal::Standby));
        let relations = Relations { in_recovery: true, ..fixture::relations() };
        assert_eq!(verdict(self::write(), relations), Verdict::Refuse(Refusal::Standby));
    }

    #[test]
    fn a_vacuum_through_a_transaction_pooler_is_refused() {
        let mut world = fixture::world(Vec::new());
        if let Some(Link::Up(facts)) = &mut world.link {
            facts.pooled = true;
        }
        assert_eq!(judge(write(), &fixture::scene(&world)), Verdict::Refuse(Refusal::Pooled));
    }

    #[test]
    fn a_table_missing_from_a_complete_list_is_gone_but_one_missing_from_a_cut_list_may_be_there() {
        let empty = Relations { rows: Vec::new(), total: 0, ..fixture::relations() };
        assert_eq!(verdict(write(), empty), Verdict::Refuse(Refusal::TableGone { name: "orders".into() }));
        let cut = Relations { rows: Vec::new(), total: 10_000, ..fixture::relations() };
        assert!(matches!(verdict(write(), cut), Verdict::Confirm(_)), "the server looks again");
        let other = Relations { database: "other".into(), rows: Vec::new(), total: 0, ..Relations::default() };
        assert!(matches!(verdict(write(), other), Verdict::Confirm(_)), "the list is another database's");
    }

    #[test]
    fn a_table_renamed_since_is_another_one() {
        let mut relations = fixture::relations();
        relations.rows[0].name = "orders_old".into();
        let expected = Refusal::TableChanged { name: "orders".into(), now: "orders_old".into() };
        assert_eq!(verdict(write(), relations), Verdict::Refuse(expected));
        let mut relations = fixture::relations();
        relations.rows[0].schema = "archive".into();
        assert!(matches!(verdict(write(), relations), Verdict::Refuse(Refusal::TableChanged { .. })));
    }

    #[test]
    fn a_toast_table_names_its_table() {
        let mut relations = fixture::relations();
        relations.rows[0].kind = 't';
        relations.rows[0].toast_of = Some("orders".into());
        let write = Write::vacuum(&relations.rows[0], &"shop".into(), &fixture::server());
        assert_eq!(verdict(write, relations), Verdict::Refuse(Refusal::Toast { of: Some("orders".into()) }));
    }

    #[test]
    fn what_is_no_table_is_refused() {
        let mut relations = fixture::relations();
        relations.rows[0].kind = 'v';
        let write = Write::vacuum(&relations.rows[0], &"shop".into(), &fixture::server());
        assert_eq!(verdict(write, relations), Verdict::Refuse(Refusal::NotATable { name: "orders".into() }));
    }

    fn maintain(task: Task, target: Object) -> Write {
        Write::maintain(task, target, &fixture::server())
    }

    fn whole() -> Object {
        Object::Database { name: "shop".into(), oid: 5 }
    }

    #[test]
    fn each_task_is_done_only_to_what_it_can_be_done_to() {
        let table = || Object::table_of(&"shop".into(), &fixture::relation());
        let allowed = [
            (Task::VacuumAnalyze, whole()),
            (Task::Analyze, table()),
            (Task::Reindex, table()),
            (Task::Reindex, fixture::index()),
            (Task::DropInvalid, fixture::index()),
        ];
        for (task, target) in allowed {
            let verdict = verdict(maintain(task, target), fixture::relations());
            assert!(matches!(verdict, Verdict::Confirm(_)), "{task:?}: {verdict:?}");
        }
        let unfit = [
            (Task::Analyze, whole(), "shop"),
            (Task::Reindex, whole(), "shop"),
            (Task::DropInvalid, table(), "orders"),
            (Task::VacuumAnalyze, fixture::index(), "orders_pkey"),
        ];
        for (task, target, name) in unfit {
            let expected = Refusal::NotATable { name: name.into() };
            assert_eq!(verdict(maintain(task, target), fixture::relations()), Verdict::Refuse(expected), "{task:?}");
        }
    }

    #[test]
    fn the_index_of_a_partitioned_table_has_no_storage_of_its_own() {
        let Object::Index { mut index, table } = fixture::index() else { panic!("an index") };
        index.kind = 'I';
        for task in [Task::Reindex, Task::DropInvalid] {
            let target = Object::Index { index: index.clone(), table: table.clone() };
            let expected = Refusal::PartitionedIndex { name: "orders_pkey".into() };
            assert_eq!(verdict(maintain(task, target), fixture::relations()), Verdict::Refuse(expected));
        }
    }

    #[test]
    fn a_catalog_is_vacuumed_but_not_reindexed() {
        let catalog = Relation { oid: 1259, name: "pg_class".into(), ..fixture::relation() };
        let target = || Object::table_of(&"shop".into(), &catalog);
        let relations = || Relations { rows: vec![catalog.clone()], ..fixture::relations() };
        let expected = Refusal::Catalog { name: "pg_class".into() };
        assert_eq!(verdict(maintain(Task::Reindex, target()), relations()), Verdict::Refuse(expected));
        assert!(matches!(verdict(maintain(Task::VacuumAnalyze, target()), relations()), Verdict::Confirm(_)));
    }

    #[test]
    fn without_the_right_the_missing_grant_is_named_before_the_question() {
        let rights = |vacuum, reindex| TableRights { owner: "shop".into(), owner_is_superuser: false, vacuum, reindex };
        let verdict = |task, rights| {
            let mut relations = fixture::relations();
            relations.rows[0].rights = Some(rights);
            verdict(maintain(task, Object::table_of(&"shop".into(), &fixture::relation())), relations)
        };
        for task in [Task::VacuumAnalyze, Task::Analyze, Task::Reindex] {
            let what = format!("{} public.orders", task.word());
            let expected = Refusal::NotPermitted { what, cure: "GRANT shop TO oncall".to_owned() };
            assert_eq!(verdict(task, rights(false, false)), Verdict::Refuse(expected));
            assert!(matches!(verdict(task, rights(true, true)), Verdict::Confirm(_)));
        }
        // The owner of the database may vacuum what is not his, and not reindex it.
        assert!(matches!(verdict(Task::VacuumAnalyze, rights(true, false)), Verdict::Confirm(_)));
        assert!(matches!(verdict(Task::Reindex, rights(true, false)), Verdict::Refuse(Refusal::NotPermitted { .. })));
    }

    #[test]
    fn a_whole_database_is_vacuumed_only_by_who_may_vacuum_all_of_it() {
        let verdict = |vacuum| {
            let relations = Relations { whole: Some(DatabaseRights { oid: 5, vacuum }), ..fixture::relations() };
            verdict(maintain(Task::VacuumAnalyze, whole()), relations)
        };
        assert!(matches!(verdict(true), Verdict::Confirm(_)));
        let cure = "only the owner of database shop or a superuser may vacuum all of it".to_owned();
        let expected = Refusal::NotPermitted { what: "vacuum shop".to_owned(), cure };
        assert_eq!(verdict(false), Verdict::Refuse(expected));
    }

    #[test]
    fn a_job_of_ours_on_a_table_and_one_on_its_database_exclude_each_other() {
        let world = fixture::world(Vec::new());
        let judged = |write, job| {
            let jobs = [job];
            judge(write, &Scene { jobs: &jobs, ..fixture::scene(&world) })
        };
        let all = || maintain(Task::VacuumAnalyze, whole());
        assert!(matches!(judged(write(), all()), Verdict::Refuse(Refusal::OwnJob { .. })));
        assert!(matches!(judged(all(), write()), Verdict::Refuse(Refusal::OwnJob { .. })));
        let index = maintain(Task::Reindex, fixture::index());
        assert!(matches!(judged(write(), index), Verdict::Refuse(Refusal::OwnJob { .. })), "an index of the table");
    }

    #[test]
    fn a_table_that_a_job_of_ours_works_on_is_refused() {
        let world = fixture::world(Vec::new());
        let jobs = [write()];
        let scene = Scene { jobs: &jobs, ..fixture::scene(&world) };
        assert_eq!(judge(write(), &scene), Verdict::Refuse(Refusal::OwnJob { name: "public.orders".into() }));
        let jobs = [Write::vacuum(&fixture::relation(), &"other".into(), &fixture::server())];
        let scene = Scene { jobs: &jobs, ..fixture::scene(&world) };
        assert!(matches!(judge(write(), &scene), Verdict::Confirm(_)), "the same OID of another database");
    }

    #[test]
    fn a_table_that_is_being_vacuumed_is_refused_with_the_pid() {
        for auto in [true, false] {
            let relations = Relations { vacuums: vec![vacuum(auto)], ..fixture::relations() };
            assert_eq!(verdict(write(), relations), Verdict::Refuse(Refusal::AlreadyVacuumed { pid: 99, auto }));
        }
        let elsewhere = VacuumProgress { database: "other".into(), ..vacuum(true) };
        let relations = Relations { vacuums: vec![elsewhere], ..fixture::relations() };
        assert!(matches!(verdict(write(), relations), Verdict::Confirm(_)), "the same OID of another database");
    }

    #[test]
    fn a_vacuum_to_prevent_wraparound_is_not_disturbed() {
        let urgent = VacuumProgress { wraparound: true, ..vacuum(true) };
        let relations = Relations { vacuums: vec![urgent], ..fixture::relations() };
        assert_eq!(verdict(write(), relations), Verdict::Refuse(Refusal::WraparoundVacuum { pid: 99 }));
    }
}
