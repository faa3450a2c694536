//! The service by its metrics: cache and memory, and whether Prometheus itself can be believed.

use super::{Item, ItemKey};
use crate::diagnose::finding::Severity;
use crate::diagnose::rule::Look;
use crate::diagnose::{memory as short, service, sight};
use crate::model::health::State;
use crate::model::unit::{Age, short_count};
use crate::model::{ServerText, seconds_between};

/// A panel as an item; none where no Prometheus is named, or no such panel.
fn panel(look: &Look<'_>, key: ItemKey, name: &str, id: &str) -> Option<Item> {
    if !look.prometheus || !look.panels.iter().any(|panel| panel.id == id) {
        return None;
    }
    let Some(panel) = service::read(look, id) else {
        let why = match look.world.panels.get(id) {
            None => "not asked yet".to_owned(),
            Some(latest) => sight::blind(latest, look).unwrap_or_else(|| "its figure is old".to_owned()),
        };
        return Some(Item::of(key, name, State::Unknown, why));
    };
    let state = match panel.severity() {
        Some(Severity::Critical) => State::Failing,
        Some(Severity::Warning | Severity::Notice) => State::Degraded,
        None => State::Ok,
    };
    let mut item = Item::of(key, name, state, panel.text());
    item.fact("source", panel.source(), None);
    item.since = panel.since().filter(|_| state != State::Ok);
    Some(item)
}

pub(super) fn cache(look: &Look<'_>) -> Option<Item> {
    let mut item = panel(look, ItemKey::Cache, "cache", "cache-hit-ratio")?;
    if item.state != Some(State::Unknown) {
        item.text = format!("{} hits", item.text);
        if let Some(few) = service::look_ups(look).filter(|many| *many < look.limits.cache_lookups) {
            // As the finding judges it, or rather does not.
            item.state = None;
            item.text = format!("{} of {}/min", item.text, short_count(few.round()));
            item.since = None;
        }
    }
    Some(item)
}

pub(super) fn memory(look: &Look<'_>) -> Option<Item> {
    let mut item = panel(look, ItemKey::Memory, "memory", "memory")?;
    if let (Some(State::Ok), Some(found)) = (item.state, service::memory(look).first()) {
        item.state = Some(State::Degraded);
        item.text = format!("{}, grows", item.text);
        item.fact("growth", found.fact.clone(), Some(State::Degraded));
    }
    if let Some(found) = short::short(look).first() {
        let state = if found.severity == Severity::Critical { State::Failing } else { State::Degraded };
        item.text =
            if item.state == Some(State::Unknown) { "short".to_owned() } else { format!("{}, short", item.text) };
        item.state = Some(state);
        item.fact("in use", found.fact.clone(), Some(state));
    }
    Some(item)
}

pub(super) fn prometheus(look: &Look<'_>) -> Option<Item> {
    if !look.prometheus {
        return None;
    }
    let item = |state, text: String| Item::of(ItemKey::Prometheus, "prometheus", state, text);
    let targets = &look.world.targets;
    if let Some((error, since)) = &targets.error {
        let long = Age(seconds_between(*since, look.now)).short();
        let mut item = item(State::Failing, format!("no answer {long}"));
        item.since = Some(*since);
        item.fact("why", ServerText::new(error.to_string()).head(300), Some(State::Failing));
        return Some(item);
    }
    let Some(all) = targets.get() else { return Some(item(State::Unknown, "not asked yet".to_owned())) };
    let up = all.iter().filter(|t| t.up).count();
    let state = if up == all.len() { State::Ok } else { State::Degraded };
    let mut item = item(state, format!("reads {up} of {} targets", all.len()));
    for target in all.iter().filter(|t| !t.up) {
        let words = ServerText::new(format!("{} {}: {}", target.job, target.instance, target.error)).head(200);
        item.fact("not read", words, Some(State::Degraded));
    }
    Some(item)
}
