//! The server as our own looks find it: how fast it answers, connections, standbys, autovacuum.
//!
//! It asks nothing of its own: each comes with a look that is taken anyway.

use super::{Item, ItemKey};
use crate::diagnose::history::Beat;
use crate::diagnose::rule::Look;
use crate::model::health::State;
use crate::model::unit::Age;
use crate::model::world::Link;
use crate::model::{ServerText, seconds_between};

/// An answer that takes longer than this, in milliseconds, is none of a server that is well: the look at all sessions
/// takes a few.
const SLOW_MS: f64 = 500.0;

pub(super) fn database(look: &Look<'_>) -> Item {
    let world = look.world;
    let item = |state, text: String| Item::of(ItemKey::Database, "database", state, text);
    let mut item = match &world.link {
        None => return item(Some(State::Unknown), "not asked yet".to_owned()),
        Some(Link::Connecting { since, last_error, attempt, .. }) => {
            let long = Age(seconds_between(*since, look.now)).short();
            let mut item = item(Some(State::Failing), format!("no connection {long}"));
            if last_error.is_none() {
                // Nobody has said no yet.
                item.state = Some(State::Unknown);
                item.text = format!("connecting {long}");
            }
            item.since = Some(*since);
            item.fact("attempt", attempt.to_string(), None);
            if let Some(words) = last_error {
                item.fact("why", ServerText::from(words.as_str()).head(300), Some(State::Failing));
            }
            item
        }
        Some(Link::Up(facts)) => {
            let mut item = match (&world.sessions.error, look.history.beats().next_back()) {
                (Some((error, since)), _) => {
                    let long = Age(seconds_between(*since, look.now)).short();
                    let mut item = item(Some(State::Failing), format!("no answer {long}"));
                    item.since = Some(*since);
                    item.fact("why", ServerText::new(error.to_string()).head(300), Some(State::Failing));
                    item
                }
                (None, Some((_, beat))) => {
                    let state = if beat.took_ms < SLOW_MS { State::Ok } else { State::Degraded };
                    item(Some(state), format!("answers in {:.1} ms", beat.took_ms))
                }
                (None, None) => item(Some(State::Unknown), "no answer yet".to_owned()),
            };
            item.fact("place", ServerText::from(facts.place.as_str()).head(80), None);
            item
        }
    };
    item.well = look.history.beats().next_back().map(|(at, _)| *at);
    if let Some(server) = world.server.get() {
        item.fact("version", server.version.head(80), None);
    }
    item
}

pub(super) fn connections(look: &Look<'_>) -> Item {
    let item = |state, text: String| Item::of(ItemKey::Connections, "connections", state, text);
    let (Some(sessions), Some(server)) = (look.world.sessions.get(), look.world.server.get()) else {
        return item(Some(State::Unknown), "not known yet".to_owned());
    };
    let beat = Beat::of(sessions, 0.0);
    let (used, slots) = (beat.clients, server.ordinary_slots());
    #[expect(clippy::cast_precision_loss, reason = "a share of connections")]
    let share = used as f64 / slots.max(1) as f64;
    let state = match () {
        () if share >= look.limits.connections_full => State::Failing,
        () if share >= look.limits.connections => State::Degraded,
        () => State::Ok,
    };
    item(Some(state), format!("{used} of {slots}, {} active", beat.active))
}

pub(super) fn standbys(look: &Look<'_>) -> Item {
    let item = |name: &str, state: Option<State>, text: String| Item::of(ItemKey::Standbys, name, state, text);
    let Some(replication) = look.world.replication.get() else {
        return item("standbys", Some(State::Unknown), "not known yet".to_owned());
    };
    if let Some(standby) = &replication.standby {
        let (text, state) = match (&standby.receiver, standby.paused) {
            (_, true) => ("replay is paused".to_owned(), State::Degraded),
            (Some(_), false) => match standby.lag_s {
                Some(s) => (format!("{} behind", Age(s).short()), State::Ok),
                None => ("lag unknown".to_owned(), State::Ok),
            },
            (None, false) if standby.receiver_hidden => ("receiver hidden".to_owned(), State::Unknown),
            (None, false) => ("receives nothing".to_owned(), State::Failing),
        };
        return item("this standby", Some(state), text);
    }
    let missing = &look.world.missing;
    let here = replication.replicas.len();
    if missing.is_empty() {
        return match here {
            0 => item("standbys", None, "none".to_owned()),
            here => item("standbys", Some(State::Ok), format!("{here} of {here}")),
        };
    }
    let gone = missing.len();
    let mut item = item("standbys", Some(State::Failing), format!("{here} of {}, {gone} missing", here + gone));
    item.since = missing.values().map(|m| m.seen).min();
    for one in missing.values() {
        let ago = Age(seconds_between(one.seen, look.now)).exact();
        item.fact("missing", format!("{}, seen {ago} ago", one.last.application.head(60)), Some(State::Failing));
    }
    item
}

pub(super) fn autovacuum(look: &Look<'_>) -> Item {
    let item = |state: Option<State>, text: String| Item::of(ItemKey::Autovacuum, "autovacuum", state, text);
    let Some(sessions) = look.world.sessions.get() else {
        return item(Some(State::Unknown), "not known yet".to_owned());
    };
    if sessions.hidden > 0 {
        return item(Some(State::Unknown), "hidden from this role".to_owned());
    }
    let busy = sessions.rows.iter().filter(|s| s.backend_type.as_deref() == Some("autovacuum worker")).count();
    match look.world.relations.get() {
        Some(r) if r.in_recovery => item(None, "none on a standby".to_owned()),
        Some(r) if !r.autovacuum => item(Some(State::Degraded), "is off".to_owned()),
        Some(r) => item(Some(State::Ok), format!("{busy} of {} at work", r.autovacuum_workers)),
        None => item(Some(State::Ok), format!("{busy} at work")),
    }
}
