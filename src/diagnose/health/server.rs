//! The server as our own looks find it: how fast it answers, connections, standbys, autovacuum.
//!
//! It asks nothing of its own: each comes with a look that is taken anyway.

use super::{Item, ItemKey};
use crate::diagnose::finding::Severity;
use crate::diagnose::history::Beat;
use crate::diagnose::lag::{self, Own};
use crate::diagnose::rule::Look;
use crate::diagnose::{link, replication, standby};
use crate::model::health::State;
use crate::model::unit::{Age, Bytes};
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
    if link::full(look) {
        return item(Some(State::Failing), "every slot is taken".to_owned());
    }
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

/// This server as a standby, judged as the findings judge it; none on a primary.
pub(super) fn standby(look: &Look<'_>) -> Option<Item> {
    let (replication, seen) = look.world.replication.value.as_ref()?;
    let own = standby::judged(look, replication.standby.as_ref()?, *seen);
    let state = if own.is_unknown() { State::Unknown } else { graded(own.severity()) };
    let mut item = Item::of(ItemKey::Standby, "standby", state, own.words());
    if let Own::KeepsUp(old) = own {
        let old = Age(old).exact();
        item.fact(
            "replayed",
            format!("its last commit is {old} old: none came since, or one long transaction is loaded"),
            None,
        );
    }
    Some(item)
}

/// Standbys of this server, judged as the findings judge them; on one that is a standby itself, where it has any.
pub(super) fn standbys(look: &Look<'_>) -> Option<Item> {
    let item = |state: Option<State>, text: String| Item::of(ItemKey::Standbys, "standbys", state, text);
    let Some(replication) = look.world.replication.get() else {
        return Some(item(Some(State::Unknown), "not known yet".to_owned()));
    };
    let missing = &look.world.missing;
    let never = replication::never_seen(look);
    let (here, gone) = (replication.replicas.len(), missing.len() + never.map_or(0, |(count, _)| count));
    let late: Vec<_> = replication.replicas.iter().filter_map(|r| Some((r, lag::of(r, look.limits)?))).collect();
    let hidden = replication.replicas.iter().filter(|r| r.hidden).count();
    let mut grades: Vec<Severity> = late.iter().map(|(_, severity)| *severity).collect();
    grades.extend(missing.values().map(|m| replication::away(look, m.seen)));
    grades.extend(never.map(|(_, severity)| severity));
    let (text, state) = match here + gone {
        0 if replication.standby.is_some() => return None,
        0 if replication.lacks_sync() => ("none, a sync one asked".to_owned(), Some(State::Degraded)),
        0 => ("none".to_owned(), None),
        all => {
            let worst = graded(grades.iter().max().copied());
            let lacks_sync = replication.lacks_sync();
            let state = match worst {
                State::Ok if lacks_sync => State::Degraded,
                State::Ok if hidden > 0 => State::Unknown,
                State::Ok | State::Unknown | State::Degraded | State::Failing => worst,
            };
            let mut notes: Vec<String> = [(gone, "missing"), (late.len(), "behind"), (hidden, "hidden")]
                .into_iter()
                .filter(|(n, _)| *n > 0)
                .map(|(n, what)| format!("{n} {what}"))
                .collect();
            notes.extend(lacks_sync.then(|| "none sync".to_owned()));
            // The box has room for two of them.
            let all = if notes.len() > 1 { Vec::new() } else { vec![format!("{here} of {all}")] };
            ([all, notes].concat().join(", "), Some(state))
        }
    };
    let mut item = item(state, text);
    item.since = missing.values().map(|m| m.seen).min();
    for one in missing.values() {
        let ago = Age(seconds_between(one.seen, look.now)).exact();
        item.fact("missing", format!("{}, seen {ago} ago", one.last.application.head(60)), Some(State::Failing));
    }
    if let Some((count, severity)) = never {
        item.fact("missing", format!("{count}, gone before this console came"), Some(graded(Some(severity))));
    }
    for (r, severity) in late {
        let replays = r.replay_s.map_or_else(String::new, |s| format!(", replays {} late", Age(s).exact()));
        let total = Bytes(r.total.unwrap_or_default()).short();
        item.fact("behind", format!("{}: {total}{replays}", r.application.head(60)), Some(graded(Some(severity))));
    }
    Some(item)
}

/// The state that a finding of that severity stands for.
fn graded(severity: Option<Severity>) -> State {
    match severity {
        Some(Severity::Critical) => State::Failing,
        Some(Severity::Warning | Severity::Notice) => State::Degraded,
        None => State::Ok,
    }
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
