//! What is no client and may be signalled all the same by who asks twice: walsenders, ordinary autovacuum workers, the
//! workers of logical replication and those of extensions. The first time it is said what would be lost.
//!
//! The server's own processes are none of them: they are never signalled.

use crate::model::session::Session;

use super::Refusal;

/// `backend_type` of what is the server's own, in any version since 13. What is not among these, and no client, an
/// extension brought along.
const SERVERS_OWN: &[&str] = &[
    "archiver",
    "autovacuum launcher",
    "background worker",
    "background writer",
    "checkpointer",
    "io worker",
    "logger",
    "logical replication launcher",
    "parallel worker",
    "slotsync worker",
    "standalone backend",
    "startup",
    "walreceiver",
    "walsummarizer",
    "walwriter",
];

/// Why it is not signalled at first; none for a client, and for what is never signalled.
pub(super) fn reservation(session: &Session) -> Option<Refusal> {
    let (pid, kind) = (session.pid, session.backend_type.as_deref()?);
    if session.is_client() || SERVERS_OWN.contains(&kind) || session.prevents_wraparound() {
        return None;
    }
    Some(match kind {
        "walsender" => Refusal::Walsender { pid },
        "autovacuum worker" => Refusal::Autovacuum { pid },
        _ => Refusal::Worker { pid, kind: kind.to_owned() },
    })
}

/// True for what takes a signal whatever its `state` says, or where it has none: a worker never waits for a client.
pub(super) fn is_worker(session: &Session) -> bool {
    matches!(reservation(session), Some(Refusal::Autovacuum { .. } | Refusal::Worker { .. }))
}

/// What a signal to it costs; none where it is none of these.
pub(super) fn loss(session: &Session) -> Option<&'static str> {
    reservation(session).and_then(|refusal| lost(&refusal))
}

/// What the sentence of a refusal says would be lost.
#[expect(clippy::wildcard_enum_match_arm, reason = "every other refusal holds however often one asks")]
fn lost(refusal: &Refusal) -> Option<&'static str> {
    Some(match refusal {
        Refusal::Walsender { .. } => "it would cut off a standby until that connects again, or a backup for good",
        Refusal::Autovacuum { .. } => {
            "it gives way by itself to whoever waits for its table longer than deadlock_timeout; stopped, it starts again \
             from the beginning"
        }
        Refusal::Worker { kind, .. } if kind.starts_with("logical replication") => {
            "its subscription stands still until it is started again, and then repeats what was not committed"
        }
        Refusal::Worker { .. } => "its work is broken off, and only who registered it knows whether it starts again",
        _ => return None,
    })
}

impl Refusal {
    /// True where asking for the same once more opens the question all the same.
    #[must_use]
    pub fn asks_twice(&self) -> bool {
        lost(self).is_some()
    }

    /// What would be lost; nothing where asking twice changes nothing.
    pub(super) fn lost(&self) -> &'static str {
        lost(self).unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use super::super::{Confirm, Policy, Scene, Signal, Verdict, Write, fixture, judge};
    use super::*;
    use crate::model::World;
    use crate::model::session::State;

    fn of_type(kind: &str, state: Option<State>) -> Session {
        Session { backend_type: Some(kind.to_owned()), state, xact_start: None, ..fixture::active(7) }
    }

    fn of(signal: Signal, session: &Session) -> Write {
        match signal {
            Signal::Cancel => Write::cancel(session, &fixture::server()),
            Signal::Terminate => Write::terminate(session, &fixture::server()),
        }
    }

    /// The verdict on the first press and on the second.
    fn verdicts(signal: Signal, session: &Session) -> [Verdict; 2] {
        let world = fixture::world(vec![session.clone()]);
        let key = session.key();
        [None, Some(&key)].map(|insists| judge(of(signal, session), &Scene { insists, ..fixture::scene(&world) }))
    }

    #[test]
    fn who_asks_twice_is_asked_by_name_with_what_would_be_lost() {
        let quiet = Session { query_start: None, ..of_type("pg_cron launcher", None) };
        let waiting = of_type("logical replication apply worker", Some(State::Idle));
        let walsender = of_type("walsender", Some(State::Active));
        let vacuum = of_type("autovacuum worker", Some(State::Active));
        let cases = [
            (Signal::Cancel, vacuum),
            (Signal::Terminate, walsender.clone()),
            (Signal::Cancel, walsender),
            (Signal::Terminate, waiting.clone()),
            (Signal::Cancel, waiting),
            (Signal::Cancel, quiet.clone()),
            (Signal::Terminate, quiet),
        ];
        for (signal, session) in cases {
            let [first, second] = verdicts(signal, &session);
            let Verdict::Refuse(refusal) = first else { panic!("not refused at first: {session:?}") };
            assert!(refusal.asks_twice(), "{refusal:?}");
            let Verdict::Confirm(prompt) = second else { panic!("{signal:?} {session:?}: {second:?}") };
            assert_eq!(prompt.confirm(), &Confirm::Type("7".to_owned()), "also of a cancel");
            assert_eq!(prompt.warnings().first(), Some(&refusal.sentence()));
        }
    }

    #[test]
    fn what_is_the_servers_own_is_never_signalled_however_often_one_asks() {
        let urgent = Session {
            query: "autovacuum: VACUUM public.orders (to prevent wraparound)".into(),
            ..of_type("autovacuum worker", Some(State::Active))
        };
        let parallel = Session { leader: Some(6), ..of_type("parallel worker", Some(State::Active)) };
        let own = SERVERS_OWN.iter().map(|kind| of_type(kind, None));
        for session in own.chain([urgent, parallel]) {
            for (signal, verdict) in [Signal::Cancel, Signal::Terminate]
                .map(|s| (s, verdicts(s, &session)))
                .into_iter()
                .flat_map(|(s, verdicts)| verdicts.map(|v| (s, v)))
            {
                let Verdict::Refuse(refusal) = verdict else { panic!("{signal:?} {session:?}") };
                assert!(!refusal.asks_twice(), "{refusal:?}");
            }
        }
    }

    #[test]
    fn asking_twice_for_one_session_is_not_asking_for_another_nor_for_a_list() {
        let session = of_type("walsender", Some(State::Active));
        let world = fixture::world(vec![session.clone()]);
        let other = Session { backend_start: Some("earlier".to_owned()), ..session.clone() }.key();
        let scene = Scene { insists: Some(&other), ..fixture::scene(&world) };
        assert_eq!(judge(of(Signal::Cancel, &session), &scene), Verdict::Refuse(Refusal::Walsender { pid: 7 }));
        let key = session.key();
        let scene = Scene { insists: Some(&key), ..fixture::scene(&world) };
        let bulk = Write::bulk(Signal::Cancel, [&session], 0, &fixture::server());
        assert!(matches!(judge(bulk, &scene), Verdict::Refuse(Refusal::NobodyLeft { .. })));
    }

    #[test]
    fn an_operator_may_not() {
        let session = of_type("autovacuum worker", Some(State::Active));
        let (world, key): (World, _) = (fixture::world(vec![session.clone()]), session.key());
        let scene = Scene { policy: Policy::Operator, insists: Some(&key), ..fixture::scene(&world) };
        let verdict = judge(of(Signal::Cancel, &session), &scene);
        assert!(matches!(verdict, Verdict::Refuse(Refusal::TooHeavy { .. })), "{verdict:?}");
    }

    #[test]
    fn an_autovacuum_that_went_on_to_another_table_is_not_the_one_that_was_asked_about() {
        let asked = of_type("autovacuum worker", Some(State::Active));
        let now = Session { query_start: Some("later".to_owned()), ..asked.clone() };
        let (world, key) = (fixture::world(vec![now]), asked.key());
        let scene = Scene { insists: Some(&key), ..fixture::scene(&world) };
        let verdict = judge(of(Signal::Cancel, &asked), &scene);
        assert!(matches!(verdict, Verdict::Refuse(Refusal::StatementChanged { .. })), "{verdict:?}");
    }
}
