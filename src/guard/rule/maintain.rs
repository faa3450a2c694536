//! The rules for the maintenance of a table.

use crate::model::relation::VacuumProgress;

use super::super::{Named, Refusal, Write};
use super::Case;

/// Maintenance on a standby is an error (25006), and a standby gets its primary's by replay.
pub(super) fn standby(case: &Case<'_>) -> Option<Refusal> {
    is_maintenance(case)?;
    let listed = case.relations().is_some_and(|r| r.in_recovery);
    (listed || case.write.server().in_recovery).then_some(Refusal::Standby)
}

/// Behind a transaction pooler `SET lock_timeout` reaches other clients and may not reach our statement; one without it
/// would wait without end, and everybody's DDL behind it.
pub(super) fn pooled(case: &Case<'_>) -> Option<Refusal> {
    is_maintenance(case)?;
    case.link()?.pooled.then_some(Refusal::Pooled)
}

/// Gone only where a complete list of its database does not have it: a list cut to its top may have lost it to another
/// order.
pub(super) fn gone(case: &Case<'_>) -> Option<Refusal> {
    let Named { name, .. } = case.table()?;
    let list = case.relations()?;
    let complete = i64::try_from(list.rows.len()).is_ok_and(|rows| rows >= list.total);
    (complete && case.relation().is_none()).then(|| Refusal::TableGone { name: name.clone() })
}

/// Renamed, or its OID given to another table.
pub(super) fn changed(case: &Case<'_>) -> Option<Refusal> {
    let Named { schema, name, .. } = case.table()?;
    let relation = case.relation()?;
    let same = relation.name == *name && relation.schema == *schema;
    (!same).then(|| Refusal::TableChanged { name: name.clone(), now: relation.name.clone() })
}

/// Maintained with its table, which is what a person means.
pub(super) fn toast(case: &Case<'_>) -> Option<Refusal> {
    let toast = case.table()?.kind == 't';
    toast.then(|| Refusal::Toast { of: case.relation().and_then(|r| r.toast_of.clone()) })
}

pub(super) fn not_a_table(case: &Case<'_>) -> Option<Refusal> {
    let Named { kind, name, .. } = case.table()?;
    (!matches!(kind, 'r' | 'm')).then(|| Refusal::NotATable { name: name.clone() })
}

pub(super) fn own_job(case: &Case<'_>) -> Option<Refusal> {
    let Named { key, name, .. } = case.table()?;
    let ours = case.scene.jobs.iter().filter_map(Write::table).any(|table| table.key == *key);
    ours.then(|| Refusal::OwnJob { name: name.clone() })
}

fn is_maintenance(case: &Case<'_>) -> Option<()> {
    matches!(case.write, Write::Maintain { .. }).then_some(())
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
    use crate::model::relation::Relations;
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

    #[test]
    fn a_table_that_a_job_of_ours_works_on_is_refused() {
        let world = fixture::world(Vec::new());
        let jobs = [write()];
        let scene = Scene { jobs: &jobs, ..fixture::scene(&world) };
        assert_eq!(judge(write(), &scene), Verdict::Refuse(Refusal::OwnJob { name: "orders".into() }));
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
