//! The rules: one pure function each, tried in the order of one table.
//!
//! Order matters for what is told, not for what is allowed: an action runs only where no rule objects.

mod bulk;
mod cancel;
mod expire;
mod index;
mod maintain;
mod session;
mod setting;
mod terminate;

use crate::model::relation::{DatabaseRights, Relation, RelationKey, Relations};
use crate::model::server::Server;
use crate::model::session::Session;
use crate::model::world::{Link, LinkFacts};

use super::protection::{self, Care};
use super::{Named, Policy, Refusal, Scene, ServerIdentity, Write, weight};

/// What the rules look at.
#[derive(Clone, Copy)]
struct Case<'a> {
    write: &'a Write,
    scene: &'a Scene<'a>,
}

/// A rule: why not, if it objects. One that has nothing to say of an action says nothing.
type Rule = fn(&Case<'_>) -> Option<Refusal>;

/// All rules: what concerns every action, then whether the target is there and the same, then what it is.
const RULES: &[Rule] = &[
    read_only,
    too_heavy,
    frozen,
    not_connected,
    server_unknown,
    server_changed,
    protected,
    session::own,
    session::gone,
    session::parallel_worker,
    session::hidden,
    session::superusers,
    session::wraparound,
    session::asked_once,
    session::background,
    cancel::changed,
    cancel::idle_in_transaction,
    cancel::idle,
    terminate::moved_on,
    session::state_unknown,
    terminate::cancel_first,
    expire::standby,
    expire::pooled,
    expire::gone,
    expire::changed,
    expire::partitioned,
    expire::not_permitted,
    expire::nothing_expired,
    expire::own_job,
    maintain::standby,
    maintain::pooled,
    maintain::gone,
    maintain::changed,
    maintain::toast,
    index::gone,
    index::changed,
    index::valid,
    index::needed,
    index::building,
    maintain::unfit,
    maintain::catalog,
    maintain::own_job,
    maintain::wraparound,
    maintain::already,
    maintain::not_permitted,
    index::not_permitted,
    setting::not_offered,
    setting::pooled,
    setting::unseen,
    setting::alter_off,
    setting::not_permitted,
    setting::changed,
    setting::invalid,
    setting::already,
    bulk::nobody_left,
    bulk::too_many,
];

/// What is asked before anything is known of the target.
const WHATEVER_IT_IS: &[Rule] = &[read_only, too_heavy, frozen];

/// What is known of a setting before a value is typed.
const WHATEVER_THE_VALUE: &[Rule] =
    &[too_heavy, setting::not_offered, setting::pooled, setting::alter_off, setting::not_permitted];

/// What objects to changing a setting whatever its new value is.
pub(super) fn whatever_the_value(write: &Write, scene: &Scene<'_>) -> Option<Refusal> {
    let case = Case { write, scene };
    WHATEVER_THE_VALUE.iter().find_map(|rule| rule(&case))
}

/// What objects to the action whatever its target is by now.
pub(super) fn whatever_it_is(write: &Write, scene: &Scene<'_>) -> Option<Refusal> {
    let case = Case { write, scene };
    WHATEVER_IT_IS.iter().find_map(|rule| rule(&case))
}

/// The first objection.
pub(super) fn objection(write: &Write, scene: &Scene<'_>) -> Option<Refusal> {
    let case = Case { write, scene };
    RULES.iter().find_map(|rule| rule(&case))
}

impl<'a> Case<'a> {
    fn server(&self) -> Option<&'a Server> {
        self.scene.world.server.get()
    }

    fn link(&self) -> Option<&'a LinkFacts> {
        match &self.scene.world.link {
            Some(Link::Up(facts)) => Some(facts),
            Some(Link::Connecting { .. }) | None => None,
        }
    }

    /// The pid to be signalled.
    fn pid(&self) -> Option<i32> {
        self.write.session().map(|key| key.pid)
    }

    /// The session to be signalled, as it was seen last.
    fn session(&self) -> Option<&'a Session> {
        let key = self.write.session()?;
        self.scene.session(key)
    }

    /// The table to be maintained.
    fn table(&self) -> Option<&'a Named> {
        self.write.table()
    }

    /// Its identity.
    fn relation_key(&self) -> Option<&'a RelationKey> {
        self.table().map(|table| &table.key)
    }

    /// What is known of the database that is to be maintained as a whole.
    fn whole(&self) -> Option<&'a DatabaseRights> {
        let database = self.write.maintained()?.database();
        let list = self.scene.world.relations.get().filter(|r| r.database == *database)?;
        list.whole.as_ref()
    }

    /// The newest list of tables, if it is one of the table's own database.
    fn relations(&self) -> Option<&'a Relations> {
        let key = self.relation_key()?;
        self.scene.world.relations.get().filter(|r| r.database == key.database)
    }

    /// The table to be maintained, as the newest list, or what was read beside it, has it.
    fn relation(&self) -> Option<&'a Relation> {
        let key = self.relation_key()?;
        self.relations()?.find(key.oid)
    }
}

/// Read-only means that no writer exists; this refuses before anybody looks for one.
fn read_only(case: &Case<'_>) -> Option<Refusal> {
    (case.scene.policy == Policy::Observer).then_some(Refusal::ReadOnly)
}

/// An operator takes what weighs little.
fn too_heavy(case: &Case<'_>) -> Option<Refusal> {
    let policy = case.scene.policy;
    let allowed = policy.allows(weight::of(case.write, case.scene));
    (!allowed).then(|| Refusal::TooHeavy { what: case.write.shown(), policy })
}

/// What the eye chose on a frozen screen may no longer be so.
fn frozen(case: &Case<'_>) -> Option<Refusal> {
    case.scene.frozen.then_some(Refusal::Frozen)
}

/// Without a connection of the reads only what the writer saw by itself tells what is so.
fn not_connected(case: &Case<'_>) -> Option<Refusal> {
    match case.scene.look().map(|looked| &looked.answer) {
        Some(Ok(_)) => None,
        Some(Err(why)) => Some(Refusal::NotLooked { why: why.clone() }),
        None => case.link().is_none().then_some(Refusal::NotConnected),
    }
}

fn server_unknown(case: &Case<'_>) -> Option<Refusal> {
    let known = case.server().is_some_and(|server| !server.started.is_empty());
    (!known).then_some(Refusal::ServerUnknown)
}

/// Names that the settings say are left alone.
fn protected(case: &Case<'_>) -> Option<Refusal> {
    let (rule, name) = protection::hit(case.write, case.scene, Care::Refused)?;
    Some(Refusal::Protected { kind: rule.kind, name: name.clone(), by: rule.by.clone() })
}

/// The fuse: an action asked for before a restart, a promotion or a switch to another server is void after it.
fn server_changed(case: &Case<'_>) -> Option<Refusal> {
    let seen = case.scene.seen().map(|seen| seen.server.clone());
    let (asked, now) = (case.write.server(), seen.or_else(|| case.server().map(ServerIdentity::of))?);
    let what = if asked.system_identifier.is_some()
        && now.system_identifier.is_some()
        && asked.system_identifier != now.system_identifier
    {
        "this one has another system identifier".to_owned()
    } else if asked.in_recovery != now.in_recovery {
        format!("it is now a {}", if now.in_recovery { "standby" } else { "primary" })
    } else if asked.started != now.started {
        format!("it started at {}", now.started)
    } else {
        return None;
    };
    Some(Refusal::ServerChanged { what })
}

#[cfg(test)]
mod tests {
    use super::super::{Verdict, fixture, judge};
    use super::*;
    use crate::model::World;
    use crate::model::question::{Question, Snapshot};
    use crate::model::session::State;

    fn refusal(verdict: Verdict) -> Refusal {
        match verdict {
            Verdict::Refuse(refusal) => refusal,
            Verdict::Confirm(prompt) => panic!("not refused: {}", prompt.title()),
        }
    }

    /// An action on the first session of a world that allows it.
    fn cancel() -> (World, Write) {
        let world = fixture::world(vec![fixture::active(4711)]);
        let write = Write::cancel(&fixture::active(4711), &fixture::server());
        assert!(matches!(judge(write.clone(), &fixture::scene(&world)), Verdict::Confirm(_)), "allowed to begin with");
        (world, write)
    }

    #[test]
    fn nothing_runs_in_read_only_mode() {
        let (world, write) = cancel();
        let scene = Scene { policy: Policy::Observer, ..fixture::scene(&world) };
        assert_eq!(refusal(judge(write, &scene)), Refusal::ReadOnly);
    }

    #[test]
    fn an_operator_takes_no_heavy_action() {
        let idle = Session { state: Some(State::IdleInTransaction), ..fixture::active(7) };
        let write = Write::terminate(&idle, &fixture::server());
        let world = fixture::world(vec![idle]);
        let scene = Scene { policy: Policy::Operator, ..fixture::scene(&world) };
        let expected = Refusal::TooHeavy { what: "terminate 7".to_owned(), policy: Policy::Operator };
        assert_eq!(refusal(judge(write.clone(), &scene)), expected);
        assert!(matches!(judge(write, &fixture::scene(&world)), Verdict::Confirm(_)), "an admin may");
    }

    #[test]
    fn nothing_runs_from_a_frozen_screen() {
        let (world, write) = cancel();
        let scene = Scene { frozen: true, ..fixture::scene(&world) };
        assert_eq!(refusal(judge(write, &scene)), Refusal::Frozen);
    }

    #[test]
    fn nothing_runs_while_the_reads_are_not_connected() {
        let (mut world, write) = cancel();
        world.link = None;
        assert_eq!(refusal(judge(write, &fixture::scene(&world))), Refusal::NotConnected);
    }

    #[test]
    fn nothing_runs_on_a_server_that_has_not_said_who_it_is() {
        let (mut world, write) = cancel();
        world.server = crate::model::Latest::default();
        assert_eq!(refusal(judge(write, &fixture::scene(&world))), Refusal::ServerUnknown);
    }

    #[test]
    fn a_restart_a_promotion_and_another_server_void_the_action() {
        let started = Server { started: "2025-11-24 03:14:00+00".to_owned(), ..fixture::server() };
        let promoted = Server { in_recovery: true, ..fixture::server() };
        let other = Server { system_identifier: Some("1".to_owned()), ..fixture::server() };
        let changes = [
            (started, "it started at 2025-11-24 03:14:00+00"),
            (promoted, "it is now a standby"),
            (other, "this one has another system identifier"),
        ];
        for (server, what) in changes {
            let (mut world, write) = cancel();
            fixture::take(&mut world, Question::Server, Snapshot::Server(Box::new(server)));
            let expected = Refusal::ServerChanged { what: what.to_owned() };
            assert_eq!(refusal(judge(write, &fixture::scene(&world))), expected);
        }
    }

    #[test]
    fn a_system_identifier_that_may_not_be_read_is_not_a_change() {
        let (mut world, write) = cancel();
        let server = Server { system_identifier: None, ..fixture::server() };
        fixture::take(&mut world, Question::Server, Snapshot::Server(Box::new(server)));
        assert!(matches!(judge(write, &fixture::scene(&world)), Verdict::Confirm(_)));
    }
}
