//! The rules for an index: what the list tells before anybody is asked. The server looks at all of it again.

use crate::model::index::{Index, Validity};

use super::super::{Named, Object, Owner, Refusal, Task, Write, cure};
use super::Case;

/// Gone only where a complete list of its database does not have it.
pub(super) fn gone(case: &Case<'_>) -> Option<Refusal> {
    let (_, name) = maintained(case)?;
    let list = case.scene.world.indexes.get().filter(|list| list.database == name.key.database)?;
    let complete = i64::try_from(list.rows.len()).is_ok_and(|rows| rows >= list.total);
    (complete && listed(case).is_none()).then(|| Refusal::TableGone { name: name.name.clone() })
}

/// Renamed, or its OID given to another one.
pub(super) fn changed(case: &Case<'_>) -> Option<Refusal> {
    let (_, Named { schema, name, .. }) = maintained(case)?;
    let index = listed(case)?;
    let same = index.name == *name && index.schema == *schema;
    (!same).then(|| Refusal::TableChanged { name: name.clone(), now: index.name.clone() })
}

/// What is valid may be what every query lives on.
pub(super) fn valid(case: &Case<'_>) -> Option<Refusal> {
    let index = dropped(case)?;
    (index.validity == Validity::Valid).then(|| Refusal::IndexValid { name: index.name.clone() })
}

/// A constraint, the replica identity or a partitioned index stands on it.
pub(super) fn needed(case: &Case<'_>) -> Option<Refusal> {
    let index = dropped(case)?;
    index.needed.is_bound().then(|| Refusal::IndexNeeded { name: index.name.clone() })
}

/// Somebody builds or drops it, or another one of its table: a leftover of theirs is not one yet.
pub(super) fn building(case: &Case<'_>) -> Option<Refusal> {
    let index = listed(case)?;
    Some(Refusal::IndexBuilding { name: index.name.clone(), by: index.builder? })
}

/// Known before the question: dropping is the owner's, also where `MAINTAIN` exists.
pub(super) fn not_permitted(case: &Case<'_>) -> Option<Refusal> {
    let Write::Maintain { task, target, .. } = case.write else { return None };
    let rights = &listed(case)?.rights;
    let may = if *task == Task::DropInvalid { rights.drop } else { rights.reindex };
    let server = case.server()?;
    let owner = Owner { name: &rights.owner, superuser: rights.owner_is_superuser };
    (!may).then(|| Refusal::NotPermitted {
        what: case.write.shown(),
        cure: cure((*task, target), Some(owner), Some(&server.user), server.version_num),
    })
}

fn maintained<'a>(case: &Case<'a>) -> Option<(Task, &'a Named)> {
    let Write::Maintain { task, target: Object::Index { index, .. }, .. } = case.write else { return None };
    Some((*task, index))
}

/// The index as it is in the newest list of its database.
fn listed<'a>(case: &Case<'a>) -> Option<&'a Index> {
    let (_, index) = maintained(case)?;
    case.scene.world.indexes.get()?.find(&index.key)
}

/// The same where it is to be dropped.
fn dropped<'a>(case: &Case<'a>) -> Option<&'a Index> {
    let (task, _) = maintained(case)?;
    listed(case).filter(|_| task == Task::DropInvalid)
}

#[cfg(test)]
mod tests {
    use super::super::super::{Verdict, fixture, judge};
    use super::*;
    use crate::model::index::{Builder, IndexOrder, IndexRights, Indexes, Needed, Partitions};
    use crate::model::{Question, Snapshot};

    fn leftover() -> Index {
        Index {
            oid: 16_418,
            schema: "public".into(),
            name: "orders_pkey".into(),
            partitions: None,
            table_oid: 16_412,
            table: "orders".into(),
            table_kind: 'r',
            toast_of: None,
            method: "btree".into(),
            columns: "id".into(),
            partial: false,
            bytes: 8_192,
            validity: Validity::Invalid,
            needed: Needed::default(),
            scans: 0,
            last_scan_s: None,
            entries_read: 0,
            rows_fetched: 0,
            writes: None,
            covered: None,
            builder: None,
            locked: false,
            rights: IndexRights { owner: "shop".into(), owner_is_superuser: false, reindex: true, drop: true },
        }
    }

    fn verdict(task: Task, rows: Vec<Index>) -> Verdict {
        let mut world = fixture::world(Vec::new());
        let total = i64::try_from(rows.len()).unwrap();
        let indexes = Indexes { database: "shop".into(), rows, total, ..Indexes::default() };
        let question = Question::Indexes { database: None, order: IndexOrder::Faults };
        fixture::take(&mut world, question, Snapshot::Indexes(Box::new(indexes)));
        judge(Write::maintain(task, fixture::index(), &fixture::server()), &fixture::scene(&world))
    }

    fn refused(task: Task, index: Index) -> Refusal {
        match verdict(task, vec![index]) {
            Verdict::Refuse(refusal) => refusal,
            Verdict::Confirm(prompt) => panic!("not refused: {}", prompt.title()),
        }
    }

    #[test]
    fn a_leftover_may_be_dropped_and_reindexed() {
        for task in [Task::DropInvalid, Task::Reindex] {
            assert!(matches!(verdict(task, vec![leftover()]), Verdict::Confirm(_)), "{task:?}");
        }
    }

    #[test]
    fn what_is_valid_is_never_dropped_and_may_be_reindexed() {
        let valid = Index { validity: Validity::Valid, ..leftover() };
        let expected = Refusal::IndexValid { name: "orders_pkey".into() };
        assert_eq!(refused(Task::DropInvalid, valid.clone()), expected);
        assert!(matches!(verdict(Task::Reindex, vec![valid]), Verdict::Confirm(_)));
    }

    #[test]
    fn what_something_stands_on_is_not_dropped() {
        let all = [
            Needed { constraint: true, ..Needed::default() },
            Needed { primary: true, ..Needed::default() },
            Needed { exclusion: true, ..Needed::default() },
            Needed { replica_identity: true, ..Needed::default() },
            Needed { partition: true, ..Needed::default() },
        ];
        for needed in all {
            let refusal = refused(Task::DropInvalid, Index { needed, ..leftover() });
            assert_eq!(refusal, Refusal::IndexNeeded { name: "orders_pkey".into() }, "{needed:?}");
        }
        let unique = Needed { unique: true, ..Needed::default() };
        assert!(matches!(
            verdict(Task::DropInvalid, vec![Index { needed: unique, ..leftover() }]),
            Verdict::Confirm(_)
        ));
    }

    #[test]
    fn the_index_of_a_partitioned_table_is_neither_dropped_nor_reindexed() {
        let partitioned = Index { partitions: Some(Partitions::default()), table_kind: 'p', ..leftover() };
        let mut world = fixture::world(Vec::new());
        let indexes =
            Indexes { database: "shop".into(), rows: vec![partitioned.clone()], total: 1, ..Indexes::default() };
        let question = Question::Indexes { database: None, order: IndexOrder::Faults };
        fixture::take(&mut world, question, Snapshot::Indexes(Box::new(indexes)));
        for task in [Task::DropInvalid, Task::Reindex] {
            let write = Write::maintain(task, Object::index_of(&"shop".into(), &partitioned), &fixture::server());
            let expected = Refusal::PartitionedIndex { name: "orders_pkey".into() };
            assert_eq!(judge(write, &fixture::scene(&world)), Verdict::Refuse(expected), "{task:?}");
        }
    }

    #[test]
    fn what_is_built_now_is_left_alone_also_where_it_is_not_known_which_one_is() {
        for this in [Some(true), Some(false), None] {
            for drops in [false, true] {
                let by = Builder { pid: 99, this, drops };
                let busy = Index { builder: Some(by), ..leftover() };
                for task in [Task::DropInvalid, Task::Reindex] {
                    let expected = Refusal::IndexBuilding { name: "orders_pkey".into(), by };
                    assert_eq!(refused(task, busy.clone()), expected, "{task:?}");
                }
            }
        }
    }

    #[test]
    fn one_that_is_gone_or_renamed_is_another_one() {
        let gone = Refusal::TableGone { name: "orders_pkey".into() };
        assert_eq!(verdict(Task::DropInvalid, Vec::new()), Verdict::Refuse(gone));
        let renamed = Index { name: "kept".into(), ..leftover() };
        let expected = Refusal::TableChanged { name: "orders_pkey".into(), now: "kept".into() };
        assert_eq!(refused(Task::DropInvalid, renamed), expected);
    }

    #[test]
    fn dropping_takes_the_owners_right_and_reindexing_its_own() {
        let rights = IndexRights { drop: false, ..leftover().rights };
        let Refusal::NotPermitted { cure, .. } = refused(Task::DropInvalid, Index { rights, ..leftover() }) else {
            panic!("permitted")
        };
        assert_eq!(cure, "GRANT shop TO oncall");
        let rights = IndexRights { reindex: false, ..leftover().rights };
        assert!(matches!(refused(Task::Reindex, Index { rights, ..leftover() }), Refusal::NotPermitted { .. }));
    }
}
