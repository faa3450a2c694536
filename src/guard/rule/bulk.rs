//! The rules for a bulk action as a whole. Whom of its list a signal may hit is judged one by one, by the same rules as
//! when they stand alone.

use super::super::bulk::{BULK_MOST, Bulk};
use super::super::{Refusal, Write};
use super::Case;

fn bulk<'a>(case: &Case<'a>) -> Option<&'a Bulk> {
    match case.write {
        Write::Bulk(bulk) => Some(bulk),
        Write::Cancel { .. }
        | Write::Terminate { .. }
        | Write::Maintain { .. }
        | Write::ExpireCache { .. }
        | Write::Setting { .. }
        | Write::Reload { .. } => None,
    }
}

/// The rules protect everybody on the list.
pub(super) fn nobody_left(case: &Case<'_>) -> Option<Refusal> {
    let bulk = bulk(case).filter(|bulk| bulk.targets.is_empty())?;
    let why = bulk.left_out.first().map(|left| left.why.clone()).unwrap_or_default();
    Some(Refusal::NobodyLeft { marked: bulk.left_out.len(), why })
}

/// Nobody reads a longer list before they confirm it.
pub(super) fn too_many(case: &Case<'_>) -> Option<Refusal> {
    let count = bulk(case)?.targets.len();
    (count > BULK_MOST).then_some(Refusal::TooMany { count })
}

#[cfg(test)]
mod tests {
    use super::super::super::{Confirm, Policy, Prompt, Scene, Signal, Verdict, fixture, judge};
    use super::*;
    use crate::model::World;
    use crate::model::session::{Session, State};

    fn of_all(world: &World, signal: Signal) -> Write {
        Write::bulk(signal, &world.sessions.get().unwrap().rows, 0, &fixture::server())
    }

    fn prompt(verdict: Verdict) -> Box<Prompt> {
        match verdict {
            Verdict::Confirm(prompt) => prompt,
            Verdict::Refuse(refusal) => panic!("{}", refusal.sentence()),
        }
    }

    fn list(write: &Write) -> (Vec<i32>, Vec<i32>) {
        let Write::Bulk(bulk) = write else { panic!("{write:?}") };
        (bulk.targets.iter().map(|t| t.session.pid).collect(), bulk.left_out.iter().map(|l| l.pid).collect())
    }

    fn of_type(pid: i32, kind: &str) -> Session {
        Session { backend_type: Some(kind.to_owned()), ..fixture::active(pid) }
    }

    #[test]
    fn whom_a_rule_protects_is_left_out_with_its_reason_and_the_others_are_counted() {
        let idle = Session { state: Some(State::Idle), ..fixture::active(3) };
        let world = fixture::world(vec![fixture::active(1), of_type(2, "walsender"), idle, fixture::active(4)]);
        let prompt = prompt(judge(of_all(&world, Signal::Cancel), &fixture::scene(&world)));
        assert_eq!(list(prompt.write()), (vec![1, 4], vec![2, 3]));
        assert_eq!(prompt.title(), "Cancel 2 statements?");
        assert_eq!(prompt.confirm(), &Confirm::Type("cancel 2".to_owned()));
        let left: Vec<&str> = prompt.listed().iter().filter_map(|row| row.left_out.as_deref()).collect();
        assert!(
            matches!(left.as_slice(), [walsender, idle] if walsender.contains("walsender") && idle.contains("idle"))
        );
    }

    #[test]
    fn each_rule_of_the_single_action_holds_for_each_of_the_list() {
        let hidden = Session { hidden: true, ..fixture::active(2) };
        let urgent = Session {
            query: "autovacuum: VACUUM public.orders (to prevent wraparound)".into(),
            ..of_type(3, "autovacuum worker")
        };
        let protected = vec![
            hidden,
            urgent,
            of_type(4, "walsender"),
            of_type(5, "autovacuum worker"),
            of_type(6, "checkpointer"),
            Session { leader: Some(1), ..of_type(7, "parallel worker") },
            Session { state: Some(State::IdleInTransaction), ..fixture::active(8) },
            Session { state: Some(State::Disabled), ..fixture::active(9) },
            fixture::active(10),
        ];
        for session in protected {
            let pid = session.pid;
            let world = fixture::world(vec![fixture::active(1), session]);
            let scene = Scene { own_pids: &[10], ..fixture::scene(&world) };
            let prompt = prompt(judge(of_all(&world, Signal::Cancel), &scene));
            assert_eq!(list(prompt.write()), (vec![1], vec![pid]));
        }
        // A running statement is cancelled first, also in bulk.
        let sitting = Session { state: Some(State::IdleInTransaction), ..fixture::active(2) };
        let world = fixture::world(vec![fixture::active(1), sitting]);
        let prompt = prompt(judge(of_all(&world, Signal::Terminate), &fixture::scene(&world)));
        assert_eq!(list(prompt.write()), (vec![2], vec![1]));
    }

    #[test]
    fn a_list_of_which_nobody_may_be_signalled_is_refused_with_the_reason() {
        let world = fixture::world(vec![of_type(2, "walsender"), of_type(3, "checkpointer")]);
        let Verdict::Refuse(refusal) = judge(of_all(&world, Signal::Cancel), &fixture::scene(&world)) else {
            panic!("not refused")
        };
        assert!(matches!(&refusal, Refusal::NobodyLeft { marked: 2, why } if why.contains("walsender")), "{refusal:?}");
    }

    #[test]
    fn a_hundred_may_be_signalled_at_once_and_no_more() {
        let count = i32::try_from(BULK_MOST).unwrap();
        let world = fixture::world((1..=count + 1).map(fixture::active).collect());
        let verdict = judge(of_all(&world, Signal::Cancel), &fixture::scene(&world));
        assert_eq!(verdict, Verdict::Refuse(Refusal::TooMany { count: BULK_MOST + 1 }));
        let world = fixture::world((1..=count).map(fixture::active).collect());
        assert!(matches!(judge(of_all(&world, Signal::Cancel), &fixture::scene(&world)), Verdict::Confirm(_)));
    }

    #[test]
    fn what_concerns_every_action_refuses_the_whole_list() {
        let world = fixture::world(vec![fixture::active(1), fixture::active(2)]);
        let scene = || fixture::scene(&world);
        let cases = [
            (Scene { policy: Policy::Observer, ..scene() }, Refusal::ReadOnly),
            (
                Scene { policy: Policy::Operator, ..scene() },
                Refusal::TooHeavy { what: "cancel 2 sessions".to_owned(), policy: Policy::Operator },
            ),
            (Scene { frozen: true, ..scene() }, Refusal::Frozen),
        ];
        for (scene, expected) in cases {
            assert_eq!(judge(of_all(&world, Signal::Cancel), &scene), Verdict::Refuse(expected));
        }
    }
}
