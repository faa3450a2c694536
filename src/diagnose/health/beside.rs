//! What stands beside the database and was asked itself: the application's endpoints, dependencies, pgbouncer.
//!
//! What an answer says is the model's; here it becomes a row, and is held against what we know of the database.

use super::{Fact, Item, ItemKey, database_gone, safe, why};
use crate::diagnose::pooler::{is_crowded, state, whose};
use crate::diagnose::rule::Look;
use crate::model::health::{Body, Health, State, Watched};
use crate::model::pooler::Pooler;
use crate::model::unit::{Age, short_count};
use crate::model::{ServerText, seconds_between};

/// Seconds without a word after which nothing is known: no pause and no patience of the probes is as long.
const OLD_S: f64 = 60.0;

/// True where the last word is too old to be one of now.
pub(in crate::diagnose) fn is_old<T>(watched: &Watched<T>, look: &Look<'_>) -> bool {
    watched.heard.is_some_and(|at| seconds_between(at, look.now) > OLD_S)
}

/// An address without its scheme, for a name.
pub(in crate::diagnose) fn host(address: &str) -> String {
    let rest = address.split_once("://").map_or(address, |(_, rest)| rest);
    ServerText::from(rest.trim_end_matches('/')).head(40)
}

pub(super) fn endpoints(look: &Look<'_>) -> Vec<Item> {
    let all = &look.watchlist.endpoints;
    let name = |address: &str| if all.len() == 1 { "app".to_owned() } else { host(address) };
    all.iter().map(|address| endpoint(look, address, name(address))).collect()
}

fn endpoint(look: &Look<'_>, address: &str, name: String) -> Item {
    let key = ItemKey::Endpoint(address.to_owned());
    let mut item = watched(look, key, name, look.world.health.get(address));
    item.facts.insert(0, Fact { label: "address".to_owned(), text: host(address), state: None });
    let Some(watched) = look.world.health.get(address) else { return item };
    let Some(health) = watched.answer() else { return item };
    if let Some(worst) = health.worst().filter(|_| item.state != Some(State::Unknown)) {
        item.text = match &worst.answer {
            Ok(heard) if item.is_bad() => lasting(look, &item, &heard.brief()),
            Ok(_) => format!("{} {}", safe(&worst.said(), 40), milliseconds(health.took_ms())),
            Err(error) => lasting(look, &item, &why(error)),
        };
    }
    facts(health, &mut item);
    if let Some(gone) = database_gone(look)
        && item.state == Some(State::Ok)
        && watched.heard.is_some_and(|heard| heard > gone)
    {
        item.state = Some(State::Degraded);
        if health.database() == Some(State::Ok) {
            "says its database is well".clone_into(&mut item.text);
            item.fact("but", "this console does not reach the database", Some(State::Degraded));
        } else {
            "well, its database gone".clone_into(&mut item.text);
            item.fact("but", "the database does not answer, and this looks at none", Some(State::Degraded));
        }
    }
    item
}

fn facts(health: &Health, item: &mut Item) {
    for reply in &health.replies {
        let text = format!("{} in {}", safe(&reply.said(), 300), milliseconds(reply.took_ms));
        item.fact(&ServerText::from(reply.path.as_str()).head(40), text, Some(reply.state()));
        let Ok(heard) = &reply.answer else { continue };
        let Body::Json(told) = &heard.body else { continue };
        for check in &told.checks {
            let text = format!("{}: {} {}", safe(&check.name, 60), check.state.word(), safe(&check.said, 300));
            item.fact("check", text.trim_end(), Some(check.state));
        }
        if let Some(reason) = &told.reason {
            item.fact("reason", safe(reason, 300), None);
        }
    }
    let (version, schema) = health.serves();
    for (label, text) in [("version", version), ("schema", schema)] {
        if let Some(text) = text {
            item.fact(label, safe(text, 80), None);
        }
    }
}

pub(super) fn dependencies(look: &Look<'_>) -> Vec<Item> {
    let one = |name: &String| {
        let known = look.world.dependencies.get(name);
        let key = ItemKey::Dependency(name.clone());
        let mut item = watched(look, key, ServerText::from(name.as_str()).head(40), known);
        if let Some(contact) = known.and_then(Watched::answer) {
            if item.state != Some(State::Unknown) {
                item.text = if item.is_bad() {
                    lasting(look, &item, &contact.said)
                } else {
                    format!("{} {}", milliseconds(contact.took_ms), safe(&contact.said, 40))
                };
            }
            let text = format!("{} in {}", safe(&contact.said, 300), milliseconds(contact.took_ms));
            item.fact("answer", text, Some(contact.state));
        }
        item
    };
    look.watchlist.dependencies.iter().map(one).collect()
}

pub(super) fn pooler(look: &Look<'_>) -> Option<Item> {
    let place = look.watchlist.pooler.as_ref()?;
    let known = &look.world.pooler;
    let mut item = watched(look, ItemKey::Pooler, "pgbouncer".to_owned(), Some(known));
    item.fact("place", ServerText::from(place.as_str()).head(80), None);
    let Some(seen) = known.answer() else { return Some(item) };
    if item.state != Some(State::Unknown) {
        let pools = seen.pools.iter().map(|pool| state(pool, look)).max();
        let room = if is_crowded(seen, look) { State::Degraded } else { State::Ok };
        item.state = pools.max(Some(room));
        item.text = pooler_words(seen, look);
    }
    item.fact("version", safe(&seen.version, 60), None);
    if let (Some(clients), Some(most)) = (seen.clients, seen.max_clients) {
        let state = is_crowded(seen, look).then_some(State::Degraded);
        item.fact("clients", format!("{clients} of {most} (max_client_conn)"), state);
    }
    for pool in &seen.pools {
        let size = pool.size.map_or_else(String::new, |size| format!(" of {size}"));
        let queue = match pool.clients_waiting {
            0 => "nobody waits".to_owned(),
            many => format!("{many} clients wait, the first for {}", Age(pool.max_wait_s).short()),
        };
        let mut text = format!(
            "{} as {}: {queue}; {}{size} server connections in use, {} idle",
            safe(&pool.database, 40),
            safe(&pool.user, 40),
            pool.servers_active,
            pool.servers_idle,
        );
        for (is, word) in [(pool.paused, ", PAUSED"), (pool.disabled, ", DISABLED")] {
            text.push_str(if is { word } else { "" });
        }
        item.fact("pool", text, Some(state(pool, look)));
    }
    Some(item)
}

fn pooler_words(seen: &Pooler, look: &Look<'_>) -> String {
    let Some(worst) = seen.worst() else { return "no pool yet".to_owned() };
    match () {
        () if worst.clients_waiting > 0 => {
            format!("{} wait {}: {}", seen.waiting(), Age(worst.max_wait_s).short(), whose(worst))
        }
        () if seen.pools.iter().any(|p| p.paused) => "paused".to_owned(),
        () if seen.pools.iter().any(|p| p.disabled) => "disabled".to_owned(),
        () if is_crowded(seen, look) => format!("{} clients, nearly full", seen.clients.unwrap_or_default()),
        () => {
            let busy: i64 = seen.pools.iter().map(|p| p.servers_active).sum();
            format!("none waits, {busy} in use")
        }
    }
}

/// What is told of anything that is watched: its state, and why there is no answer.
fn watched<T>(look: &Look<'_>, key: ItemKey, name: String, known: Option<&Watched<T>>) -> Item {
    let heard = known.and_then(|watched| Some((watched, watched.heard?)));
    let Some((watched, heard)) = heard else { return Item::of(key, name, State::Unknown, "not asked yet") };
    let mut item = Item::of(key, name, watched.state, String::new());
    (item.since, item.well) = (watched.since, watched.well);
    if let Some((error, _)) = &watched.latest.error {
        let words = why(error);
        item.text = lasting(look, &item, &words);
        item.fact("why", safe(&words, 300), Some(watched.state));
    }
    if is_old(watched, look) {
        let long = Age(seconds_between(heard, look.now)).short();
        item.state = Some(State::Unknown);
        item.text = format!("no word for {long}");
    }
    item
}

/// Words, and for how long they have been true.
fn lasting(look: &Look<'_>, item: &Item, words: &ServerText) -> String {
    let long = item.since.map_or_else(String::new, |since| Age(seconds_between(since, look.now)).short());
    // First what must not be cut off.
    format!("{long} {}", safe(words, 120)).trim().to_owned()
}

fn milliseconds(ms: f64) -> String {
    if ms < 9.95 { format!("{ms:.1} ms") } else { format!("{} ms", short_count(ms.round())) }
}
