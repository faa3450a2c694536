//! What the application needs beside the database, by name; and pgbouncer, where it does not answer.
//!
//! Whom it hits is not known here: the application's own word says that.

use super::finding::{Finding, Harm, Kind, Severity, Target};
use super::health::{ItemKey, is_old, why};
use super::rule::Look;
use crate::model::health::{State, Watched};
use crate::model::unit::Age;
use crate::model::{ServerText, seconds_between};

/// Dependencies that fail, or say that something is wrong.
pub fn down(look: &Look<'_>) -> Vec<Finding> {
    let known = look.watchlist.dependencies.iter().filter_map(|name| {
        let watched = look.world.dependencies.get(name)?;
        let said = watched.answer().map(|contact| contact.said.head(160));
        finding(look, watched, said, (ItemKey::Dependency(name.clone()), ServerText::from(name.as_str()).head(40)))
    });
    let pooler = look.watchlist.pooler.is_some().then_some(&look.world.pooler);
    let pooler = pooler.and_then(|watched| finding(look, watched, None, (ItemKey::Pooler, "pgbouncer".to_owned())));
    known.chain(pooler).collect()
}

fn finding<T>(
    look: &Look<'_>,
    watched: &Watched<T>,
    said: Option<String>,
    (key, name): (ItemKey, String),
) -> Option<Finding> {
    let (since, heard) = (watched.since?, watched.heard?);
    if is_old(watched, look) {
        return None;
    }
    let (severity, word) = match watched.state {
        State::Failing => (Severity::Warning, "is down"),
        State::Degraded => (Severity::Notice, "is degraded"),
        State::Ok | State::Unknown => return None,
    };
    let error = watched.latest.error.as_ref().map(|(error, _)| why(error).head(160));
    let long = seconds_between(since, look.now);
    let evidence = match watched.well {
        Some(at) => format!("well last at {}", at.strftime("%H:%M:%SZ")),
        None => "not well since it was asked first".to_owned(),
    };
    Some(Finding {
        severity,
        fact: format!("{name} {word} for {}: {}", Age(long).short(), error.or(said)?),
        evidence,
        todo: if key == ItemKey::Pooler {
            "whoever connects through it is cut off from the database: see its process and its log".to_owned()
        } else {
            "see whether it runs, and whether this console reaches it where the application does".to_owned()
        },
        since: Some(since),
        harm: Harm { now: long.max(1.0), coming: 0.5 },
        ..Finding::of(Kind::Dependency, name, heard, Target::Health(key))
    })
}
