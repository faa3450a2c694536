//! How much an action can undo, and how much a policy allows: the one place where both are said.
//!
//! It refuses nothing itself, and knows nothing of how a question is asked.

use serde::{Deserialize, Serialize};

use crate::model::relation::Relation;

use super::{Named, Object, Scene, Task, Write, twice};

/// A table above this is a heavy one: its vacuum reads for minutes to hours and is asked for by name. 10 GiB take about
/// two minutes at 100 MB/s.
pub(super) const HEAVY_BYTES: i64 = 10 << 30;

/// Expired rows up to this are removed in about ten seconds.
const LIGHT_ROWS: i64 = 100_000;

/// What may be done at all, from the least to the most.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Policy {
    /// Nothing: no writer exists.
    Observer,
    /// Light actions.
    Operator,
    /// Every guarded action, as far as the role's rights on the server go.
    Admin,
}

impl Policy {
    /// All of them, from the least to the most.
    pub const ALL: [Self; 3] = [Self::Observer, Self::Operator, Self::Admin];

    /// Its name in a config file.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Observer => "observer",
            Self::Operator => "operator",
            Self::Admin => "admin",
        }
    }

    /// True where an action of that weight may be asked for.
    #[must_use]
    pub fn allows(self, weight: Weight) -> bool {
        match (self, weight) {
            (Self::Observer, Weight::Light | Weight::Heavy) | (Self::Operator, Weight::Heavy) => false,
            (Self::Operator, Weight::Light) | (Self::Admin, Weight::Light | Weight::Heavy) => true,
        }
    }
}

/// How much an action can undo. A light one is confirmed by a key; a heavy one by its name, typed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Weight {
    /// A client can do the same again, and nothing else waits for it for long.
    Light,
    /// A client loses its session, or the server works for long.
    Heavy,
}

/// The weight of an action. A new one must say here what it weighs.
pub(super) fn of(write: &Write, scene: &Scene<'_>) -> Weight {
    match write {
        // What is no client works for somebody who is not asked.
        Write::Cancel { session, .. } if scene.session(session).is_some_and(|s| twice::reservation(s).is_some()) => {
            Weight::Heavy
        }
        Write::Cancel { .. } => Weight::Light,
        // What has expired is never read again, and a client computes it anew; but a hundred batches are a load.
        Write::ExpireCache { most, .. } if *most <= LIGHT_ROWS => Weight::Light,
        // What one cancel undoes, up to a hundred times: the list wants to be read. A setting is for everybody on the server,
        // and perhaps takes effect only after the next restart.
        Write::Terminate { .. }
        | Write::ExpireCache { .. }
        | Write::Bulk(_)
        | Write::Setting { .. }
        | Write::Reload { .. } => Weight::Heavy,
        Write::Maintain { task, target, .. } => match (task, target) {
            // It reads at most 300 blocks for each unit of the statistics target, however large the table is.
            (Task::Analyze, _) => Weight::Light,
            (Task::VacuumAnalyze, Object::Table(table)) => by_size(table, scene),
            (Task::VacuumAnalyze, Object::Index { .. } | Object::Database { .. })
            | (Task::Reindex | Task::DropInvalid, _) => Weight::Heavy,
        },
    }
}

/// A table that a list cut to its top has lost may be of any size.
fn by_size(table: &Named, scene: &Scene<'_>) -> Weight {
    let list = scene.world.relations.get().filter(|list| list.database == table.key.database);
    let found = list.and_then(|list| list.find(table.key.oid));
    if found.and_then(Relation::size).is_some_and(|bytes| bytes <= HEAVY_BYTES) { Weight::Light } else { Weight::Heavy }
}

#[cfg(test)]
mod tests {
    use super::super::{Confirm, Refusal, Verdict, fixture, judge};
    use super::*;
    use crate::model::World;
    use crate::model::relation::Relations;
    use crate::model::session::{Session, State};

    fn table_of(bytes: i64, task: Task) -> (World, Write) {
        let relation = Relation { bytes, ..fixture::relation() };
        let write = Write::maintain(task, Object::table_of(&"shop".into(), &relation), &fixture::server());
        let mut world = fixture::world(Vec::new());
        fixture::take_relations(&mut world, Relations { rows: vec![relation], ..fixture::relations() });
        (world, write)
    }

    fn maintained(task: Task, target: Object) -> (World, Write) {
        (fixture::world(Vec::new()), Write::maintain(task, target, &fixture::server()))
    }

    fn cancel() -> (World, Write) {
        let write = Write::cancel(&fixture::active(7), &fixture::server());
        (fixture::world(vec![fixture::active(7)]), write)
    }

    fn terminate() -> (World, Write) {
        let idle = Session { state: Some(State::IdleInTransaction), ..fixture::active(7) };
        let write = Write::terminate(&idle, &fixture::server());
        (fixture::world(vec![idle]), write)
    }

    /// What becomes of an action under each policy: asked by a key, asked by name, or refused.
    fn under((world, write): &(World, Write), policy: Policy) -> &'static str {
        let scene = Scene { policy, ..fixture::scene(world) };
        match judge(write.clone(), &scene) {
            Verdict::Confirm(prompt) if matches!(prompt.confirm(), Confirm::Key(_)) => "key",
            Verdict::Confirm(_) => "typed",
            Verdict::Refuse(Refusal::ReadOnly) => "read-only",
            Verdict::Refuse(Refusal::TooHeavy { .. }) => "too heavy",
            Verdict::Refuse(other) => panic!("{other:?}"),
        }
    }

    #[test]
    fn each_policy_allows_what_its_weight_says_and_the_weight_says_how_it_is_asked() {
        let table = vec![
            (cancel(), ["read-only", "key", "key"]),
            (table_of(HEAVY_BYTES, Task::VacuumAnalyze), ["read-only", "key", "key"]),
            (table_of(HEAVY_BYTES + 1, Task::VacuumAnalyze), ["read-only", "too heavy", "typed"]),
            (table_of(HEAVY_BYTES + 1, Task::Analyze), ["read-only", "key", "key"]),
            (terminate(), ["read-only", "too heavy", "typed"]),
            (table_of(1, Task::Reindex), ["read-only", "too heavy", "typed"]),
            (maintained(Task::Reindex, fixture::index()), ["read-only", "too heavy", "typed"]),
            (maintained(Task::DropInvalid, fixture::index()), ["read-only", "too heavy", "typed"]),
            (
                maintained(Task::VacuumAnalyze, Object::Database { name: "shop".into(), oid: 5 }),
                ["read-only", "too heavy", "typed"],
            ),
        ];
        for (action, expected) in table {
            assert_eq!(Policy::ALL.map(|policy| under(&action, policy)), expected, "{}", action.1.shown());
        }
    }

    #[test]
    fn a_table_of_unknown_size_weighs_as_a_large_one() {
        let (mut world, write) = table_of(1, Task::VacuumAnalyze);
        fixture::take_relations(&mut world, Relations { rows: Vec::new(), total: 10_000, ..fixture::relations() });
        assert_eq!(under(&(world, write), Policy::Operator), "too heavy");
        let (mut world, write) = table_of(0, Task::VacuumAnalyze);
        assert_eq!(under(&(world.clone(), write.clone()), Policy::Operator), "key", "empty, and counted as that");
        let uncounted = Relation { bytes: 0, tuples: None, autovacuum_s: None, ..fixture::relation() };
        fixture::take_relations(&mut world, Relations { rows: vec![uncounted], ..fixture::relations() });
        assert_eq!(under(&(world, write), Policy::Operator), "too heavy", "relpages is 0 before the first vacuum");
    }

    #[test]
    fn a_policy_that_allows_more_allows_all_that_a_lesser_one_does() {
        for weight in [Weight::Light, Weight::Heavy] {
            let allowed = Policy::ALL.map(|policy| policy.allows(weight));
            assert!(allowed.is_sorted(), "{weight:?}: {allowed:?}");
        }
        assert!(Policy::ALL.is_sorted());
    }
}
