//! What would have to be granted before a role may do a piece of maintenance.
//!
//! Only words: who may what is the server's to say, and each major says it differently.

use crate::model::ServerText;

use super::maintenance::{Object, Task};
use super::statement::role_name;

/// From this version on there is `MAINTAIN`, for one table or, by `pg_maintain`, for all.
const MAINTAIN_SINCE: i32 = 170_000;

/// Who owns what the work is done to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Owner<'a> {
    /// The role.
    pub name: &'a ServerText,
    /// Nobody grants a superuser's membership for a vacuum.
    pub superuser: bool,
}

/// The `GRANT` that `role` lacks to do `task` to `target` on a server of that `server_version_num`, or who may instead.
#[must_use]
pub fn cure(
    (task, target): (Task, &Object),
    owner: Option<Owner<'_>>,
    role: Option<&ServerText>,
    version: i32,
) -> String {
    let role = role.map_or_else(|| "our role".to_owned(), role_name);
    let by_name = owner.map_or_else(|| "its owner".to_owned(), |owner| role_name(owner.name));
    let database = role_name(target.database());
    let membership = match owner {
        Some(owner) if !owner.superuser => Some(format!("GRANT {by_name} TO {role}")),
        Some(_) | None => None,
    };
    match (task, target.table()) {
        // Dropping stays the owner's, also where MAINTAIN exists.
        (Task::DropInvalid, _) => {
            membership.unwrap_or_else(|| format!("only {by_name}, the owner of its schema, or a superuser may"))
        }
        (_, Some(table)) if version >= MAINTAIN_SINCE => {
            format!("GRANT MAINTAIN ON {}.{} TO {role}", role_name(&table.schema), role_name(&table.name))
        }
        (_, None) if version >= MAINTAIN_SINCE => format!("GRANT pg_maintain TO {role}"),
        (_, None) => format!("only the owner of database {database} or a superuser may vacuum all of it"),
        // The owner of the database may vacuum and analyze in it, but not reindex.
        (Task::Reindex, Some(_)) => membership.unwrap_or_else(|| format!("only {by_name} or a superuser may")),
        (Task::VacuumAnalyze | Task::Analyze, Some(_)) => membership
            .unwrap_or_else(|| format!("only {by_name}, the owner of database {database}, or a superuser may")),
    }
}

#[cfg(test)]
mod tests {
    use super::super::fixture;
    use super::*;

    #[test]
    fn the_cure_is_a_right_of_its_own_from_17_on_and_the_owners_before() {
        let table = Object::table_of(&"shop".into(), &fixture::relation());
        let (owner, role) = (ServerText::from("shop"), ServerText::from("on call"));
        let cure = |task, superuser, version| {
            super::cure((task, &table), Some(Owner { name: &owner, superuser }), Some(&role), version)
        };
        let cases = [
            (Task::VacuumAnalyze, false, 170_000, "GRANT MAINTAIN ON public.orders TO \"on call\""),
            (Task::Reindex, true, 180_004, "GRANT MAINTAIN ON public.orders TO \"on call\""),
            (Task::Analyze, false, 160_000, "GRANT shop TO \"on call\""),
            (Task::VacuumAnalyze, true, 130_000, "only shop, the owner of database shop, or a superuser may"),
            (Task::Reindex, true, 130_000, "only shop or a superuser may"),
            (Task::DropInvalid, false, 180_000, "GRANT shop TO \"on call\""),
            (Task::DropInvalid, true, 180_000, "only shop, the owner of its schema, or a superuser may"),
        ];
        for (task, superuser, version, expected) in cases {
            assert_eq!(cure(task, superuser, version), expected, "{task:?} on {version}");
        }
        let database = Object::Database { name: "shop".into(), oid: 5 };
        let all = |version| super::cure((Task::VacuumAnalyze, &database), None, Some(&role), version);
        assert_eq!(all(180_000), "GRANT pg_maintain TO \"on call\"");
        assert_eq!(all(150_000), "only the owner of database shop or a superuser may vacuum all of it");
    }
}
