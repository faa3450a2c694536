//! The rules for removing the expired rows of the cache table.

use crate::model::cache::{CacheState, CacheTarget};

use super::super::statement::role_name;
use super::super::{Named, Refusal, Write};
use super::Case;

fn table<'a>(case: &Case<'a>) -> Option<&'a Named> {
    match case.write {
        Write::ExpireCache { table, .. } => Some(table),
        Write::Cancel { .. }
        | Write::Terminate { .. }
        | Write::Bulk(_)
        | Write::Maintain { .. }
        | Write::Setting { .. }
        | Write::Reload { .. } => None,
    }
}

/// The cache table as it was last looked at, if it is the one that was asked about.
fn target<'a>(case: &Case<'a>) -> Option<&'a CacheTarget> {
    let table = table(case)?;
    case.scene.world.cache.get()?.target.as_deref().filter(|target| target.oid == table.key.oid)
}

pub(super) fn standby(case: &Case<'_>) -> Option<Refusal> {
    table(case)?;
    case.write.server().in_recovery.then_some(Refusal::Standby)
}

/// Behind a transaction pooler the bounds of a batch are another client's as well.
pub(super) fn pooled(case: &Case<'_>) -> Option<Refusal> {
    table(case)?;
    case.link()?.pooled.then_some(Refusal::Pooled)
}

pub(super) fn gone(case: &Case<'_>) -> Option<Refusal> {
    let name = &table(case)?.name;
    let gone = case.scene.world.cache.get()?.state == CacheState::NoTable;
    gone.then(|| Refusal::TableGone { name: name.clone() })
}

/// Another table of that name, or another name.
pub(super) fn changed(case: &Case<'_>) -> Option<Refusal> {
    let table = table(case)?;
    let now = case.scene.world.cache.get()?.target.as_ref()?;
    let same = now.oid == table.key.oid && now.schema == table.schema && now.name == table.name;
    (!same).then(|| Refusal::TableChanged { name: table.name.clone(), now: now.name.clone() })
}

/// A row's place is known in its own partition only, and nothing of `FraiseQL` creates such a cache.
pub(super) fn partitioned(case: &Case<'_>) -> Option<Refusal> {
    let table = table(case)?;
    (table.kind != 'r').then(|| Refusal::Partitioned { name: table.name.clone() })
}

pub(super) fn not_permitted(case: &Case<'_>) -> Option<Refusal> {
    let table = table(case)?;
    let role = role_name(&case.server()?.user);
    let cure = || format!("GRANT SELECT, UPDATE, DELETE ON {} TO {role}", table.quoted());
    (!target(case)?.may_remove).then(|| Refusal::MayNotRemove { cure: cure() })
}

pub(super) fn nothing_expired(case: &Case<'_>) -> Option<Refusal> {
    let table = table(case)?;
    match &case.scene.world.cache.get()?.state {
        CacheState::Read(contents) if contents.expired == 0 => {
            Some(Refusal::NothingExpired { name: table.name.clone() })
        }
        CacheState::Read(_) | CacheState::NoTable | CacheState::Denied { .. } | CacheState::UnloggedOnStandby => None,
    }
}

pub(super) fn own_job(case: &Case<'_>) -> Option<Refusal> {
    let table = table(case)?;
    let same = |job: &Write| matches!(job, Write::ExpireCache { table: other, .. } if other.key == table.key);
    case.scene.jobs.iter().any(same).then(|| Refusal::OwnJob { name: table.name.clone() })
}

#[cfg(test)]
mod tests {
    use super::super::super::{Policy, Scene, Verdict, fixture, judge};
    use super::*;
    use crate::model::World;
    use crate::model::cache::{CacheContents, CacheTable};
    use crate::model::question::{Question, Snapshot};
    use crate::model::server::Server;
    use crate::model::world::Link;

    fn target() -> CacheTarget {
        CacheTarget {
            oid: 16_500,
            schema: "public".into(),
            name: "fraiseql_cache".into(),
            kind: 'r',
            clock: "2025-11-24 03:14:07.000001+00".to_owned(),
            may_remove: true,
            triggers: 0,
            references: 0,
            row_security: false,
        }
    }

    fn cache(target: Option<CacheTarget>, expired: i64) -> CacheTable {
        CacheTable {
            table: "fraiseql_cache".into(),
            database: "shop".into(),
            state: CacheState::Read(CacheContents { rows: 90_000, expired, ..CacheContents::default() }),
            lookups: None,
            lookups_error: None,
            target: target.map(Box::new),
        }
    }

    fn world(cache: CacheTable) -> World {
        let mut world = fixture::world(Vec::new());
        fixture::take(&mut world, Question::CacheTable, Snapshot::CacheTable(cache));
        world
    }

    fn write(server: &Server) -> Write {
        Write::expire_cache(&cache(Some(target()), 31_007), server).unwrap()
    }

    /// The verdict where the cache table is now this one.
    fn verdict(now: CacheTable) -> Verdict {
        judge(write(&fixture::server()), &fixture::scene(&world(now)))
    }

    #[test]
    fn what_is_expired_may_be_removed_and_how_much_of_it_is_said() {
        let Verdict::Confirm(prompt) = verdict(cache(Some(target()), 31_007)) else { panic!("refused") };
        let Write::ExpireCache { most, before, .. } = prompt.write() else { panic!("another action") };
        assert_eq!((*most, before.as_str()), (32_000, "2025-11-24 03:14:07.000001+00"));
    }

    #[test]
    fn each_rule_refuses_what_it_is_for() {
        let name = || "fraiseql_cache".into();
        let other = CacheTarget { oid: 1, ..target() };
        let renamed = CacheTarget { name: "old_cache".into(), ..target() };
        let closed = CacheTarget { may_remove: false, ..target() };
        let none = CacheTable { state: CacheState::NoTable, target: None, ..cache(None, 0) };
        let cure = "GRANT SELECT, UPDATE, DELETE ON \"public\".\"fraiseql_cache\" TO oncall".to_owned();
        for (now, expected) in [
            (none, Refusal::TableGone { name: name() }),
            (cache(Some(other), 9), Refusal::TableChanged { name: name(), now: name() }),
            (cache(Some(renamed), 9), Refusal::TableChanged { name: name(), now: "old_cache".into() }),
            (cache(Some(closed), 9), Refusal::MayNotRemove { cure }),
            (cache(Some(target()), 0), Refusal::NothingExpired { name: name() }),
        ] {
            assert_eq!(verdict(now), Verdict::Refuse(expected));
        }
        let partitioned = cache(Some(CacheTarget { kind: 'p', ..target() }), 9);
        let write = Write::expire_cache(&partitioned, &fixture::server()).unwrap();
        let verdict = judge(write, &fixture::scene(&world(partitioned)));
        assert_eq!(verdict, Verdict::Refuse(Refusal::Partitioned { name: name() }));
    }

    #[test]
    fn not_on_a_standby_not_through_a_pooler_not_twice_and_not_by_an_observer() {
        let standby = Server { in_recovery: true, ..fixture::server() };
        let mut world = world(cache(Some(target()), 9));
        let allowed = write(&fixture::server());
        let scene = Scene { policy: Policy::Observer, ..fixture::scene(&world) };
        assert_eq!(judge(allowed.clone(), &scene), Verdict::Refuse(Refusal::ReadOnly));
        let jobs = [allowed.clone()];
        let scene = Scene { jobs: &jobs, ..fixture::scene(&world) };
        assert_eq!(judge(allowed.clone(), &scene), Verdict::Refuse(Refusal::OwnJob { name: "fraiseql_cache".into() }));
        if let Some(Link::Up(facts)) = &mut world.link {
            facts.pooled = true;
        }
        assert_eq!(judge(allowed, &fixture::scene(&world)), Verdict::Refuse(Refusal::Pooled));
        let mut world = self::world(cache(Some(target()), 9));
        fixture::take(&mut world, Question::Server, Snapshot::Server(Box::new(standby.clone())));
        assert_eq!(judge(write(&standby), &fixture::scene(&world)), Verdict::Refuse(Refusal::Standby));
    }
}
