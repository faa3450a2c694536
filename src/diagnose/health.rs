//! How everything is at a glance, one item each: the server by our own look, the service by its endpoints and metrics,
//! what both need.
//!
//! What was not asked, or does not say, is unknown: it never reads as well. What is not configured is no item.

mod beside;
mod server;
mod service;

use serde::{Deserialize, Serialize};

use super::link;
use super::rule::Look;
use crate::model::health::State;
use crate::model::unit::Age;
use crate::model::world::Link;
use crate::model::{Latest, ProbeError, ServerText, Timestamp, seconds_between};

pub(super) use beside::{host, is_old};

/// What an item is about.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum ItemKey {
    /// The server.
    Database,
    /// The application at one address.
    Endpoint(String),
    /// Its dependency of that name.
    Dependency(String),
    /// pgbouncer.
    Pooler,
    /// Connections against the slots.
    Connections,
    /// This server as a standby.
    Standby,
    /// Standbys of this server.
    Standbys,
    /// Autovacuum.
    Autovacuum,
    /// The result cache.
    Cache,
    /// The service's memory.
    Memory,
    /// Prometheus.
    Prometheus,
}

/// One thing and how it is. All its texts are safe to draw.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Item {
    /// What it is about.
    pub key: ItemKey,
    /// What it is called.
    pub name: String,
    /// How it is; none where there is nothing to judge.
    pub state: Option<State>,
    /// It in a few words.
    pub text: String,
    /// Since when it is so.
    pub since: Option<Timestamp>,
    /// When it was well last, where that is known.
    pub well: Option<Timestamp>,
    /// All that is known of it.
    pub facts: Vec<Fact>,
}

/// One line of all that is known.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Fact {
    /// What it is.
    pub label: String,
    /// What is known of it.
    pub text: String,
    /// How it is, where it is to be judged.
    pub state: Option<State>,
}

impl Item {
    fn of(key: ItemKey, name: impl Into<String>, state: impl Into<Option<State>>, text: impl Into<String>) -> Self {
        let (name, text, state) = (name.into(), text.into(), state.into());
        Self { key, name, state, text, since: None, well: None, facts: Vec::new() }
    }

    fn fact(&mut self, label: &str, text: impl Into<String>, state: Option<State>) {
        self.facts.push(Fact { label: label.to_owned(), text: text.into(), state });
    }

    /// True where it is degraded or failing.
    #[must_use]
    pub fn is_bad(&self) -> bool {
        matches!(self.state, Some(State::Degraded | State::Failing))
    }
}

/// All items, in the order of the box.
pub(super) fn items(look: &Look<'_>) -> Vec<Item> {
    let mut items = vec![server::database(look)];
    items.extend(beside::endpoints(look));
    items.extend(beside::dependencies(look));
    items.extend(beside::pooler(look));
    let world = look.world;
    items.push(of_now(look, &world.sessions, server::connections(look)));
    items.extend(server::standby(look).map(|item| of_now(look, &world.replication, item)));
    items.extend(server::standbys(look).map(|item| of_now(look, &world.replication, item)));
    items.push(of_now(look, &world.sessions, server::autovacuum(look)));
    items.extend(service::cache(look));
    items.extend(service::memory(look));
    items.extend(service::prometheus(look));
    items
}

/// An item by one of our own looks: where that is not answered any more, it is how things were, and no word of how they
/// are. That every slot is taken is said by the refusal itself.
fn of_now<T>(look: &Look<'_>, latest: &Latest<T>, mut item: Item) -> Item {
    let Some((_, seen)) = &latest.value else { return item };
    if link::full(look) && item.key == ItemKey::Connections {
        return item;
    }
    if latest.error.is_some() || database_gone(look).is_some() {
        item.state = Some(State::Unknown);
        item.text = format!("{} ago: {}", Age(seconds_between(*seen, look.now)).short(), item.text);
        item.since = None;
    }
    item
}

/// Since when the database does not answer us; none while it does.
pub(super) fn database_gone(look: &Look<'_>) -> Option<Timestamp> {
    match &look.world.link {
        Some(Link::Connecting { since, last_error: Some(_), .. }) => Some(*since),
        Some(Link::Up(_)) => look.world.sessions.error.as_ref().map(|(_, since)| *since),
        Some(Link::Connecting { last_error: None, .. }) | None => None,
    }
}

/// Why there is no answer, raw. That nobody could be reached is told by the words of who tried.
pub(super) fn why(error: &ProbeError) -> ServerText {
    if let ProbeError::Unreachable(words) = error { words.as_str().into() } else { ServerText::new(error.to_string()) }
}

/// A text of a server, in so many characters.
fn safe(text: &ServerText, most: usize) -> String {
    text.head(most)
}
