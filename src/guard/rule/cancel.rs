//! The rules for cancelling a statement.

use crate::model::session::{Session, State};
use crate::model::unit::Age;

use super::super::{Refusal, Write, twice};
use super::Case;

/// The session whose statement is to be cancelled.
fn cancelled<'a>(case: &Case<'a>) -> Option<&'a Session> {
    if matches!(case.write, Write::Cancel { .. }) { case.session() } else { None }
}

/// The statement that was asked about has ended, and another one began.
pub(super) fn changed(case: &Case<'_>) -> Option<Refusal> {
    let Write::Cancel { query_start, .. } = case.write else { return None };
    let session = cancelled(case)?;
    let runs = session.is_active() || twice::is_worker(session);
    (runs && session.query_start != *query_start)
        .then(|| Refusal::StatementChanged { pid: session.pid, now: session.query.clone() })
}

/// `pg_cancel_backend` answers true for it and does nothing: it would look like success.
pub(super) fn idle_in_transaction(case: &Case<'_>) -> Option<Refusal> {
    let session = cancelled(case)?;
    if twice::is_worker(session)
        || !matches!(session.state, Some(State::IdleInTransaction | State::IdleInTransactionAborted))
    {
        return None;
    }
    let weight = case.scene.world.graph.weight(session.pid);
    Some(Refusal::IdleInTransaction {
        pid: session.pid,
        open: session.xact_s.map(|s| Age(s).exact()),
        blocks: weight.blocks,
        frees: weight.frees,
        unsure: weight.unsure,
    })
}

pub(super) fn idle(case: &Case<'_>) -> Option<Refusal> {
    let session = cancelled(case)?;
    (session.state == Some(State::Idle) && !twice::is_worker(session)).then_some(Refusal::Idle { pid: session.pid })
}

#[cfg(test)]
mod tests {
    use super::super::super::{Scene, Verdict, fixture, judge};
    use super::*;

    /// The verdict on cancelling `session` as it is in the newest list.
    fn verdict(session: Session) -> Verdict {
        let write = Write::cancel(&session, &fixture::server());
        let world = fixture::world(vec![session]);
        judge(write, &fixture::scene(&world))
    }

    fn refusal(session: Session) -> Refusal {
        match verdict(session) {
            Verdict::Refuse(refusal) => refusal,
            Verdict::Confirm(_) => panic!("not refused"),
        }
    }

    fn of_type(kind: &str) -> Session {
        Session { backend_type: Some(kind.to_owned()), ..fixture::active(7) }
    }

    #[test]
    fn an_active_client_backend_may_be_cancelled() {
        assert!(matches!(verdict(fixture::active(7)), Verdict::Confirm(_)));
        assert!(matches!(verdict(Session { state: Some(State::Fastpath), ..fixture::active(7) }), Verdict::Confirm(_)));
    }

    #[test]
    fn a_session_of_our_own_is_not() {
        let world = fixture::world(vec![fixture::active(7)]);
        let write = Write::cancel(&fixture::active(7), &fixture::server());
        let scene = Scene { own_pids: &[6, 7], ..fixture::scene(&world) };
        assert_eq!(judge(write, &scene), Verdict::Refuse(Refusal::OwnSession { pid: 7 }));
    }

    #[test]
    fn a_session_that_left_the_newest_list_is_gone_and_so_is_one_whose_pid_was_given_away() {
        let write = Write::cancel(&fixture::active(7), &fixture::server());
        let other = Session { backend_start: Some("2025-11-24 03:13:00+00".to_owned()), ..fixture::active(7) };
        for rows in [vec![], vec![other]] {
            let world = fixture::world(rows);
            let verdict = judge(write.clone(), &fixture::scene(&world));
            assert_eq!(verdict, Verdict::Refuse(Refusal::SessionGone { pid: 7 }));
        }
    }

    #[test]
    fn a_parallel_worker_names_its_leader() {
        let session = Session { leader: Some(6), ..of_type("parallel worker") };
        assert_eq!(refusal(session), Refusal::ParallelWorker { pid: 7, leader: Some(6) });
        let leader = Session { leader: Some(7), ..fixture::active(7) };
        assert!(matches!(verdict(leader), Verdict::Confirm(_)), "a leader is its own leader and may be cancelled");
    }

    #[test]
    fn a_superusers_session_is_refused_unless_one_asks_who_is_one() {
        let write = Write::cancel(&fixture::active(7), &fixture::server());
        let judged = |superuser| {
            let mut world = fixture::world(vec![fixture::active(7)]);
            let (server, _) = world.server.value.as_mut().unwrap();
            server.superusers = vec!["postgres".into(), "shop".into()];
            server.rights.superuser = superuser;
            judge(write.clone(), &fixture::scene(&world))
        };
        let refusal = Refusal::Superusers { pid: 7, role: "oncall".into() };
        assert_eq!(judged(false), Verdict::Refuse(refusal));
        assert!(matches!(judged(true), Verdict::Confirm(_)));
    }

    #[test]
    fn a_session_whose_times_are_hidden_is_refused_with_the_grant() {
        let session = Session {
            hidden: true,
            backend_type: None,
            state: None,
            backend_start: None,
            query_start: None,
            query: "<insufficient privilege>".into(),
            ..fixture::active(7)
        };
        let refusal = refusal(session);
        assert_eq!(refusal, Refusal::Hidden { pid: 7, role: "oncall".into() });
        assert!(refusal.sentence().ends_with("GRANT pg_monitor TO oncall"), "{}", refusal.sentence());
    }

    #[test]
    fn a_client_without_a_query_start_is_refused_since_the_guarded_cancel_could_never_fire() {
        let session = Session { query_start: None, ..fixture::active(7) };
        assert!(matches!(refusal(session), Refusal::Hidden { .. }));
    }

    #[test]
    fn a_walsender_is_never_cancelled() {
        assert_eq!(refusal(of_type("walsender")), Refusal::Walsender { pid: 7 });
    }

    #[test]
    fn an_autovacuum_to_prevent_wraparound_is_told_from_the_others() {
        let vacuum = of_type("autovacuum worker");
        let urgent =
            Session { query: "autovacuum: VACUUM public.orders (to prevent wraparound)".into(), ..vacuum.clone() };
        assert_eq!(refusal(urgent), Refusal::PreventsWraparound { pid: 7 });
        assert_eq!(refusal(vacuum), Refusal::Autovacuum { pid: 7 });
    }

    #[test]
    fn a_process_of_the_server_is_not_a_client() {
        let session = Session { query_start: None, state: None, ..of_type("checkpointer") };
        assert_eq!(refusal(session), Refusal::Background { pid: 7, kind: "checkpointer".to_owned() });
    }

    #[test]
    fn a_session_that_began_another_statement_is_not_the_target_any_more() {
        let write = Write::cancel(&fixture::active(7), &fixture::server());
        let next = Session {
            query_start: Some("2025-11-24 03:14:00+00".to_owned()),
            query: "SELECT 1".into(),
            ..fixture::active(7)
        };
        let world = fixture::world(vec![next]);
        let expected = Refusal::StatementChanged { pid: 7, now: "SELECT 1".into() };
        assert_eq!(judge(write, &fixture::scene(&world)), Verdict::Refuse(expected));
    }

    #[test]
    fn an_idle_session_has_nothing_to_cancel() {
        let session = Session { state: Some(State::Idle), ..fixture::active(7) };
        assert_eq!(refusal(session), Refusal::Idle { pid: 7 });
    }

    #[test]
    fn an_idle_transaction_is_refused_with_what_it_blocks_and_would_free() {
        for state in [State::IdleInTransaction, State::IdleInTransactionAborted] {
            let root = Session { state: Some(state), ..fixture::active(7) };
            let write = Write::cancel(&root, &fixture::server());
            let world = fixture::world(vec![root, fixture::waiting(8, &[7]), fixture::waiting(9, &[7, 3])]);
            let Verdict::Refuse(refusal) = judge(write, &fixture::scene(&world)) else { panic!("not refused") };
            let open = Some("12m03s".to_owned());
            assert_eq!(refusal, Refusal::IdleInTransaction { pid: 7, open, blocks: 2, frees: 1, unsure: false });
            let sentence = refusal.sentence();
            assert!(sentence.contains("a cancel cannot help an idle session"), "{sentence}");
            assert!(sentence.ends_with("it blocks 2, of whom it would free 1"), "{sentence}");
        }
    }

    #[test]
    fn a_session_that_does_not_report_what_it_runs_is_refused() {
        for state in [Some(State::Disabled), Some(State::Starting), None] {
            let session = Session { state, ..fixture::active(7) };
            assert!(matches!(refusal(session), Refusal::StateUnknown { pid: 7, .. }));
        }
    }
}
