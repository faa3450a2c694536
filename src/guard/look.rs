//! What the writer saw by itself where the list on the screen is too old to ask by: the same rules judge that instead.
//!
//! It looks at nothing itself, and says nothing of who waits behind whom: that stays as old as the list.

use serde::{Deserialize, Serialize};

use crate::model::Timestamp;
use crate::model::session::{Session, SessionKey};
use crate::model::world::Link;

use super::{Scene, ServerIdentity, Write, rule};

/// A list older than this is too old to ask by: three times the beat of a visible list.
pub(super) const OLD_S: f64 = 6.0;

/// A look of the writer's at the targets of an action.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Looked {
    /// When.
    pub at: Timestamp,
    /// What it saw, or why it could not look.
    pub answer: Result<Seen, String>,
}

/// What the writer saw.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Seen {
    /// The server that it saw it on.
    pub server: ServerIdentity,
    /// The targets that are still there, by their pid; one may be another session by now.
    pub sessions: Vec<Session>,
}

/// True where the writer is to look before anybody is asked: the action signals sessions, nothing that concerns every
/// action refuses it, and the list that it was chosen from is old or its connection is gone.
#[must_use]
pub fn needs_look(write: &Write, scene: &Scene<'_>) -> bool {
    let signals = write.look().is_some();
    let old = !scene.is_up() || scene.world.sessions.age_s(scene.now).is_none_or(|age| age > OLD_S);
    signals && old && rule::whatever_it_is(write, scene).is_none()
}

impl<'a> Scene<'a> {
    /// True while the reads have a connection.
    fn is_up(&self) -> bool {
        matches!(self.world.link, Some(Link::Up(_)))
    }

    /// The writer's look, unless the reads brought something newer since.
    pub(super) fn look(&self) -> Option<&'a Looked> {
        let newest = self.world.sessions.value.as_ref().map(|(_, at)| *at);
        self.looked.filter(|looked| !self.is_up() || newest.is_none_or(|newest| newest <= looked.at))
    }

    /// What the writer saw.
    pub(super) fn seen(&self) -> Option<&'a Seen> {
        self.look()?.answer.as_ref().ok()
    }

    /// That session as it was seen last.
    pub(super) fn session(&self, key: &SessionKey) -> Option<&'a Session> {
        let rows = match self.seen() {
            Some(seen) => &seen.sessions[..],
            None => self.world.sessions.get().map_or(&[][..], |list| &list.rows),
        };
        rows.iter().find(|session| session.key() == *key)
    }
}

#[cfg(test)]
mod tests {
    use super::super::{Policy, Refusal, Verdict, fixture, judge};
    use super::*;
    use crate::model::World;
    use crate::model::server::Server;
    use crate::model::session::State;

    fn looked(rows: Vec<Session>) -> Looked {
        let seen = Seen { server: ServerIdentity::of(&fixture::server()), sessions: rows };
        Looked { at: fixture::at(100), answer: Ok(seen) }
    }

    /// A world that was lost 99 seconds ago, and a cancel chosen from it.
    fn lost() -> (World, Write) {
        let mut world = fixture::world(vec![fixture::active(7)]);
        world.link = None;
        (world, Write::cancel(&fixture::active(7), &fixture::server()))
    }

    fn late(world: &World) -> Scene<'_> {
        Scene { now: fixture::at(100), ..fixture::scene(world) }
    }

    fn refusal(verdict: Verdict) -> Refusal {
        match verdict {
            Verdict::Refuse(refusal) => refusal,
            Verdict::Confirm(prompt) => panic!("not refused: {}", prompt.title()),
        }
    }

    #[test]
    fn a_signal_chosen_from_an_old_list_or_a_lost_one_wants_a_look_and_no_other_action_does() {
        let world = fixture::world(vec![fixture::active(7)]);
        let write = Write::cancel(&fixture::active(7), &fixture::server());
        let at = |s| Scene { now: fixture::at(s), ..fixture::scene(&world) };
        assert!(!needs_look(&write, &at(6)) && needs_look(&write, &at(7)));
        let (lost, _) = lost();
        assert!(needs_look(&write, &fixture::scene(&lost)));
        let vacuum = Write::vacuum(&fixture::relation(), &"shop".into(), &fixture::server());
        assert!(!needs_look(&vacuum, &at(7)));
        for refused in [Scene { policy: Policy::Observer, ..at(7) }, Scene { frozen: true, ..at(7) }] {
            assert!(!needs_look(&write, &refused), "what is refused anyway is not looked at");
        }
    }

    #[test]
    fn what_the_writer_saw_is_judged_instead_of_the_lost_list_by_the_same_rules() {
        let (world, write) = lost();
        assert_eq!(refusal(judge(write.clone(), &late(&world))), Refusal::NotConnected);
        let same = looked(vec![fixture::active(7)]);
        let scene = Scene { looked: Some(&same), ..late(&world) };
        let Verdict::Confirm(prompt) = judge(write.clone(), &scene) else { panic!("refused") };
        let seen = prompt.rows().iter().find(|row| row.label == "seen").map(|row| row.text.as_str());
        assert!(
            seen.is_some_and(|text| text.starts_with("looked just now by the writer's own connection")),
            "{seen:?}"
        );
        let idle = Session { state: Some(State::Idle), ..fixture::active(7) };
        let later = Session { query_start: Some("later".to_owned()), query: "SELECT 2".into(), ..fixture::active(7) };
        let gone = Refusal::SessionGone { pid: 7 };
        let now = Refusal::StatementChanged { pid: 7, now: "SELECT 2".into() };
        for (rows, expected) in [(vec![], gone), (vec![idle], Refusal::Idle { pid: 7 }), (vec![later], now)] {
            let looked = looked(rows);
            let scene = Scene { looked: Some(&looked), ..late(&world) };
            assert_eq!(refusal(judge(write.clone(), &scene)), expected);
        }
    }

    #[test]
    fn a_look_on_another_server_voids_the_action_and_one_that_failed_refuses_it_with_its_reason() {
        let (world, write) = lost();
        let other = Server { started: "2025-11-24 03:14:00+00".to_owned(), ..fixture::server() };
        let seen = Seen { server: ServerIdentity::of(&other), sessions: vec![fixture::active(7)] };
        let looked = Looked { at: fixture::at(100), answer: Ok(seen) };
        let scene = Scene { looked: Some(&looked), ..late(&world) };
        assert!(matches!(refusal(judge(write.clone(), &scene)), Refusal::ServerChanged { .. }));
        let looked = Looked { at: fixture::at(100), answer: Err("no slot".to_owned()) };
        let scene = Scene { looked: Some(&looked), ..late(&world) };
        let refusal = refusal(judge(write, &scene));
        assert_eq!(refusal, Refusal::NotLooked { why: "no slot".to_owned() });
        assert!(refusal.sentence().contains("no slot"));
    }

    #[test]
    fn what_the_reads_brought_after_the_look_counts_more() {
        let mut world = fixture::world(vec![fixture::active(7)]);
        let write = Write::cancel(&fixture::active(7), &fixture::server());
        let old = Looked { at: fixture::at(-1), answer: Err("no slot".to_owned()) };
        let scene = Scene { looked: Some(&old), ..fixture::scene(&world) };
        assert!(matches!(judge(write.clone(), &scene), Verdict::Confirm(_)));
        world.link = None;
        let scene = Scene { looked: Some(&old), ..fixture::scene(&world) };
        assert!(matches!(refusal(judge(write, &scene)), Refusal::NotLooked { .. }));
    }
}
