//! The rules for terminating a session: only where a cancel cannot help, or was seen to fail.

use crate::model::session::{Session, State};

use super::super::{Refusal, StatementKey, Write};
use super::Case;

/// The session that is to be terminated.
fn terminated<'a>(case: &Case<'a>) -> Option<&'a Session> {
    if matches!(case.write, Write::Terminate { .. }) { case.session() } else { None }
}

/// It does something else than what was asked about: its client went on, or another transaction began. An idle one may
/// have run any number of statements in between and is idle again: it loses the same.
pub(super) fn moved_on(case: &Case<'_>) -> Option<Refusal> {
    let Write::Terminate { xact_start, query_start, state, .. } = case.write else { return None };
    let session = terminated(case)?;
    let same = session.state == *state
        && session.xact_start == *xact_start
        && (!session.is_active() || session.query_start == *query_start);
    let now = session.state.map_or("unknown", State::word).to_owned();
    (!same).then_some(Refusal::MovedOn { pid: session.pid, now })
}

/// A cancel leaves the client its session, so it comes first. Which statements a cancel did not end the console knows by
/// having looked again.
pub(super) fn cancel_first(case: &Case<'_>) -> Option<Refusal> {
    let session = terminated(case)?;
    let statement = StatementKey { session: session.key(), query_start: session.query_start.clone() };
    let deaf = case.scene.deaf.contains(&statement);
    (session.is_active() && !deaf).then_some(Refusal::CancelFirst { pid: session.pid })
}

#[cfg(test)]
mod tests {
    use super::super::super::{Policy, Scene, Verdict, fixture, judge};
    use super::*;

    /// The verdict on terminating `session` as it is in the newest list.
    fn verdict(session: Session) -> Verdict {
        let write = Write::terminate(&session, &fixture::server());
        let world = fixture::world(vec![session]);
        judge(write, &fixture::scene(&world))
    }

    fn refusal(session: Session) -> Refusal {
        match verdict(session) {
            Verdict::Refuse(refusal) => refusal,
            Verdict::Confirm(_) => panic!("not refused"),
        }
    }

    fn in_state(state: State) -> Session {
        Session { state: Some(state), ..fixture::active(7) }
    }

    fn statement(session: &Session) -> StatementKey {
        StatementKey { session: session.key(), query_start: session.query_start.clone() }
    }

    #[test]
    fn a_session_that_no_cancel_can_help_may_be_terminated() {
        for state in [State::IdleInTransaction, State::IdleInTransactionAborted, State::Idle] {
            assert!(matches!(verdict(in_state(state)), Verdict::Confirm(_)), "{state:?}");
        }
        let fresh = Session { query_start: None, xact_start: None, query: "".into(), ..in_state(State::Idle) };
        assert!(matches!(verdict(fresh), Verdict::Confirm(_)), "one that never ran a statement");
    }

    #[test]
    fn a_statement_is_cancelled_first_and_only_one_that_was_seen_to_ignore_it_may_be_terminated() {
        for state in [State::Active, State::Fastpath] {
            let session = in_state(state);
            assert_eq!(refusal(session.clone()), Refusal::CancelFirst { pid: 7 });
            let write = Write::terminate(&session, &fixture::server());
            let (deaf, world) = ([statement(&session)], fixture::world(vec![session]));
            let scene = Scene { deaf: &deaf, ..fixture::scene(&world) };
            assert!(matches!(judge(write, &scene), Verdict::Confirm(_)));
        }
    }

    #[test]
    fn a_cancel_that_failed_on_another_statement_or_another_session_says_nothing_of_this_one() {
        let earlier = Session { query_start: Some("2025-11-24 03:00:00+00".to_owned()), ..fixture::active(7) };
        let deaf = [statement(&earlier), statement(&fixture::active(8))];
        let world = fixture::world(vec![fixture::active(7)]);
        let scene = Scene { deaf: &deaf, ..fixture::scene(&world) };
        let write = Write::terminate(&fixture::active(7), &fixture::server());
        assert_eq!(judge(write, &scene), Verdict::Refuse(Refusal::CancelFirst { pid: 7 }));
    }

    #[test]
    fn a_session_that_went_on_since_the_question_is_left_alone() {
        let asked = in_state(State::IdleInTransaction);
        let active = fixture::active(7);
        let other_start = || Some("2025-11-24 03:14:00+00".to_owned());
        let cases = [
            (asked.clone(), Session { state: Some(State::Active), ..asked.clone() }, "active"),
            (asked.clone(), Session { state: Some(State::Idle), xact_start: None, ..asked.clone() }, "idle"),
            (asked.clone(), Session { xact_start: other_start(), ..asked.clone() }, "idle in transaction"),
            (active.clone(), Session { query_start: other_start(), ..active.clone() }, "active"),
        ];
        for (asked, now, word) in cases {
            let write = Write::terminate(&asked, &fixture::server());
            let deaf = [statement(&asked), statement(&now)];
            let world = fixture::world(vec![now]);
            let scene = Scene { deaf: &deaf, ..fixture::scene(&world) };
            let expected = Refusal::MovedOn { pid: 7, now: word.to_owned() };
            assert_eq!(judge(write, &scene), Verdict::Refuse(expected));
        }
    }

    #[test]
    fn an_idle_transaction_in_which_another_statement_ran_is_still_the_same_one() {
        let asked = in_state(State::IdleInTransaction);
        let write = Write::terminate(&asked, &fixture::server());
        let now = Session { query_start: Some("2025-11-24 03:14:00+00".to_owned()), ..asked };
        let world = fixture::world(vec![now]);
        assert!(matches!(judge(write, &fixture::scene(&world)), Verdict::Confirm(_)));
    }

    #[test]
    fn what_is_no_client_is_not_terminated() {
        let of_type = |kind: &str| Session { backend_type: Some(kind.to_owned()), ..in_state(State::Idle) };
        let wraparound = Session {
            query: "autovacuum: VACUUM public.orders (to prevent wraparound)".into(),
            ..of_type("autovacuum worker")
        };
        let kind = "logical replication launcher".to_owned();
        let cases = [
            (of_type("walsender"), Refusal::Walsender { pid: 7 }),
            (of_type("autovacuum worker"), Refusal::Autovacuum { pid: 7 }),
            (wraparound, Refusal::PreventsWraparound { pid: 7 }),
            (of_type(&kind), Refusal::Background { pid: 7, kind }),
            (
                Session { leader: Some(6), ..of_type("parallel worker") },
                Refusal::ParallelWorker { pid: 7, leader: Some(6) },
            ),
        ];
        for (session, expected) in cases {
            assert_eq!(refusal(session), expected);
        }
    }

    #[test]
    fn what_cannot_be_seen_is_not_terminated() {
        let idle = || in_state(State::IdleInTransaction);
        let blind = Refusal::Hidden { pid: 7, role: "oncall".into() };
        assert_eq!(refusal(Session { hidden: true, ..idle() }), blind);
        assert_eq!(refusal(Session { backend_start: None, ..idle() }), blind);
        assert_eq!(refusal(Session { query_start: None, ..fixture::active(7) }), blind);
        for state in [Some(State::Disabled), Some(State::Starting), None] {
            let session = Session { state, ..fixture::active(7) };
            assert!(matches!(refusal(session), Refusal::StateUnknown { pid: 7, .. }));
        }
    }

    #[test]
    fn the_rules_of_all_actions_hold_for_it_too() {
        let session = in_state(State::IdleInTransaction);
        let write = Write::terminate(&session, &fixture::server());
        let (world, empty) = (fixture::world(vec![session]), fixture::world(Vec::new()));
        let scene = || fixture::scene(&world);
        let cases = [
            (Scene { policy: Policy::Observer, ..scene() }, Refusal::ReadOnly),
            (Scene { frozen: true, ..scene() }, Refusal::Frozen),
            (Scene { own_pids: &[7], ..scene() }, Refusal::OwnSession { pid: 7 }),
            (fixture::scene(&empty), Refusal::SessionGone { pid: 7 }),
        ];
        for (scene, expected) in cases {
            assert_eq!(judge(write.clone(), &scene), Verdict::Refuse(expected));
        }
    }
}
