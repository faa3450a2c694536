//! What was looked at, and what could not be: hidden rows, missing sources, other databases. Each with its cure.
//!
//! An all-clear is worth what was seen: this theme finds nothing wrong itself.

mod storage;

use std::collections::BTreeMap;

use super::finding::Unchecked;
use super::health;
use super::host;
use super::memory;
use super::rule::Look;
use super::service;
use super::words::{counted, identifier};
use crate::model::activity::Part;
use crate::model::cache::CacheState;
use crate::model::health::{State as HealthState, Watched};
use crate::model::panel::Reading;
use crate::model::session::State;
use crate::model::unit::{Age, short_count};
use crate::model::{Latest, Link, ProbeError, ServerText, Timestamp, seconds_between};

/// Panels of the service that rules read.
const PANELS: [&str; 6] = ["p95", "error-ratio", "pool", "requests-waiting", "memory", "cache-hit-ratio"];

/// Panels of the hosts that rules read, and what they are of: `PostgreSQL` knows nothing of it.
const HOSTS: [(&str, &str); 5] = [
    ("disk-free", "free disk space"),
    (memory::USED, "memory in use"),
    (memory::KILLS, "processes ended for want of memory"),
    (host::USED, "processor in use"),
    (host::IO, "waiting for I/O"),
];

/// What brings their series.
pub const NODE_EXPORTER: &str = "have Prometheus read node_exporter on the server's host";

/// Why they are not judged where nothing tells whose host it is.
pub const ANY_HOST: &str = "which host is the server's is not known: no postgres_exporter runs on one";

/// What was not looked at.
pub fn unchecked(look: &Look<'_>) -> Vec<Unchecked> {
    let mut out = Vec::new();
    if let Some(why) = cut_off(look) {
        out.push(Unchecked::of("all of the server: its sessions, locks, tables, indexes, standbys, WAL", why, ""));
    } else {
        sessions(look, &mut out);
        storage::tables(look, &mut out);
        storage::indexes(look, &mut out);
        replication(look, &mut out);
        activity(look, &mut out);
    }
    cache(look, &mut out);
    panels(look, &mut out);
    beside(look, &mut out);
    shut(look, &mut out);
    out
}

/// Our role, as SQL writes it.
pub fn role(look: &Look<'_>) -> String {
    look.world.server.get().map_or_else(|| "our_role".to_owned(), |s| identifier(&s.user))
}

/// Why there is no newer answer, and what would cure that.
pub fn failed<T>(latest: &Latest<T>, look: &Look<'_>) -> Option<(String, String)> {
    let (error, since) = latest.error.as_ref()?;
    let cure = if let ProbeError::Denied { cure } = error { cure.clone() } else { String::new() };
    let words = ServerText::new(error.to_string()).head(120);
    Some((format!("{words}, for {}", Age(seconds_between(*since, look.now)).short()), cure))
}

/// Why nothing of the server is looked at, where an attempt to connect has failed: one reason, told once.
fn cut_off(look: &Look<'_>) -> Option<String> {
    let Some(Link::Connecting { since, last_error: Some(_), .. }) = &look.world.link else { return None };
    let before = if look.world.sessions.get().is_some() { "; what is shown of it is from before" } else { "" };
    Some(format!("no connection for {}{before}", Age(seconds_between(*since, look.now)).short()))
}

fn sessions(look: &Look<'_>, out: &mut Vec<Unchecked>) {
    let what = "sessions, locks, transactions, connections";
    if let Some((why, cure)) = failed(&look.world.sessions, look) {
        out.push(Unchecked::of(what, why, cure));
    }
    let Some((sessions, _)) = look.sessions() else {
        if look.world.sessions.error.is_none() {
            out.push(Unchecked::of(what, "no answer yet", ""));
        }
        return;
    };
    if sessions.hidden > 0 {
        let role = role(look);
        out.push(Unchecked::of(
            "what other roles' sessions do",
            format!("{} of {} are hidden from {role}", sessions.hidden, counted(sessions.rows.len(), "session")),
            format!("GRANT pg_monitor TO {role}"),
        ));
    }
    let untracked = sessions.rows.iter().filter(|s| s.state == Some(State::Disabled)).count();
    if untracked > 0 {
        let why = format!("{} report nothing: track_activities is off for them", counted(untracked, "session"));
        out.push(Unchecked::of("what some sessions do", why, "SET track_activities = on"));
    }
}

fn replication(look: &Look<'_>, out: &mut Vec<Unchecked>) {
    let what = "standbys and slots";
    if let Some((why, cure)) = failed(&look.world.replication, look) {
        out.push(Unchecked::of(what, why, cure));
    }
    let Some(replication) = look.world.replication.get() else {
        if look.world.replication.error.is_none() {
            out.push(Unchecked::of(what, "no answer yet", ""));
        }
        return;
    };
    if look.watchlist.standbys.is_none() && replication.standby.is_none() {
        out.push(Unchecked::of("how many standbys there should be", "nobody said", "--standbys N"));
    }
    let hidden = replication.replicas.iter().filter(|r| r.hidden).count();
    if hidden > 0 {
        let role = role(look);
        let why = format!("{} hidden from {role}", counted(hidden, "walsender"));
        out.push(Unchecked::of("how far behind standbys are", why, format!("GRANT pg_monitor TO {role}")));
    }
}

fn activity(look: &Look<'_>, out: &mut Vec<Unchecked>) {
    let what = "checkpoints, WAL, archive, deadlocks, temporary files";
    if let Some((why, cure)) = failed(&look.world.activity, look) {
        out.push(Unchecked::of(what, why, cure));
    }
    let Some(activity) = look.world.activity.get() else {
        if look.world.activity.error.is_none() {
            out.push(Unchecked::of(what, "no answer yet", ""));
        }
        return;
    };
    let role = role(look);
    if activity.wal_directory.is_none() {
        let what = "size of pg_wal and what waits for the archive";
        out.push(Unchecked::of(what, format!("{role} may not list it"), format!("GRANT pg_monitor TO {role}")));
    }
    let hidden = activity.subscriptions.rows().iter().filter(|s| s.hidden && s.enabled).count();
    if hidden > 0 {
        let what = format!("whether {} run", counted(hidden, "subscription"));
        out.push(Unchecked::of(
            what,
            format!("their workers are hidden from {role}"),
            format!("GRANT pg_monitor TO {role}"),
        ));
    }
    part(&activity.databases, "deadlocks, temporary files, cancelled queries", out);
    part(&activity.prepared, "prepared transactions", out);
    part(&activity.subscriptions, "subscriptions", out);
    part(&activity.partitioned, "partitions of error tracking", out);
    part(&activity.io, "who reads and writes", out);
    part(&activity.limited, "the CONNECTION LIMITs of roles and databases", out);
}

fn cache(look: &Look<'_>, out: &mut Vec<Unchecked>) {
    if let Some(cache) = look.world.cache.get()
        && let CacheState::Denied { cure, .. } = &cache.state
    {
        let what = format!("expired rows of cache table {}", cache.table.head(40));
        out.push(Unchecked::of(what, "our role may not read it", cure.clone()));
    }
}

/// A part of an answer that failed by itself.
fn part<T>(part: &Part<Vec<T>>, what: &str, out: &mut Vec<Unchecked>) {
    if let Part::Failed(error) = part {
        let cure = if let crate::model::ProbeError::Denied { cure } = error { cure.clone() } else { String::new() };
        out.push(Unchecked::of(what, ServerText::new(error.to_string()).head(120), cure));
    }
}

fn panels(look: &Look<'_>, out: &mut Vec<Unchecked>) {
    if !look.prometheus {
        let what = "latency, errors, pool, cache hits and memory of the service; disk space, memory, processor and I/O of the host, which PostgreSQL does not know";
        out.push(Unchecked::of(what, "no Prometheus is named", "--prometheus URL"));
        return;
    }
    hosts(look, out);
    let mut by_reason: BTreeMap<(String, &str), Vec<String>> = BTreeMap::new();
    for spec in look.panels.iter().filter(|p| PANELS.contains(&p.id.as_str())) {
        let latest = look.world.panels.get(&spec.id);
        let why = latest.map_or(Some("not asked yet".to_owned()), |l| blind(l, look));
        if let Some(reason) = why.map(|why| (why, "")).or_else(|| not_judged(&spec.id, look)) {
            by_reason.entry(reason).or_default().push(ServerText::from(spec.title.as_str()).head(40));
        }
    }
    out.extend(by_reason.into_iter().map(|((why, cure), titles)| Unchecked::of(titles.join(", "), why, cure)));
}

/// Why the figure of a panel that has one is held to no limit, and what would cure that.
fn not_judged(id: &str, look: &Look<'_>) -> Option<(String, &'static str)> {
    let Some(panel) = service::read(look, id) else { return Some(("its figure is old".to_owned(), "")) };
    if panel.candidate.is_some_and(|c| c.unjudged) {
        let cure = if id == "pool" { "--pool-max N" } else { "" };
        return Some(("of how much it is a part, no server tells".to_owned(), cure));
    }
    let few = service::look_ups(look).filter(|many| id == "cache-hit-ratio" && *many < look.limits.cache_lookups);
    few.map(|many| (format!("{} look-ups within a minute are too few", short_count(many.round())), ""))
}

/// What stands beside the database, where nobody said where.
fn beside(look: &Look<'_>, out: &mut Vec<Unchecked>) {
    let list = look.watchlist;
    let pooled = matches!(&look.world.link, Some(Link::Up(facts)) if facts.pooled);
    let missing = [
        (list.endpoints.is_empty(), "the service's own health", "--health URL"),
        (list.dependencies.is_empty(), "what it depends on", "[[dependency]]"),
        (list.pooler.is_none() && pooled, "the pooler's queues", "--pgbouncer CONNINFO"),
    ];
    let missing = || missing.iter().filter(|(is, ..)| *is);
    if missing().next().is_some() {
        let what: Vec<&str> = missing().map(|(_, what, _)| *what).collect();
        let cure: Vec<&str> = missing().map(|(.., cure)| *cure).collect();
        out.push(Unchecked::of(what.join(", "), "no address is named", cure.join(", ")));
    }
}

/// What was asked beside the database and cannot be told.
fn shut(look: &Look<'_>, out: &mut Vec<Unchecked>) {
    let mut add = |what: String, error: &ProbeError, (token, ca): (&str, &str)| {
        let cure = match error {
            ProbeError::Unauthorized(_) => token.to_owned(),
            ProbeError::Refused { code, .. } if code == "TLS" => ca.to_owned(),
            ProbeError::Denied { cure } => ServerText::from(cure.as_str()).head(120),
            ProbeError::Unreachable(_)
            | ProbeError::TimedOut(_)
            | ProbeError::Locked(_)
            | ProbeError::Absent(_)
            | ProbeError::Refused { .. }
            | ProbeError::Faulty(_)
            | ProbeError::Shape(_) => String::new(),
        };
        out.push(Unchecked::of(what, ServerText::new(error.to_string()).head(120), cure));
    };
    let service = ("--health-token-file FILE", "--health-ca FILE");
    for address in &look.watchlist.endpoints {
        if let Some((error, _)) = unknown(look.world.health.get(address)) {
            add(format!("health of {}", health::host(address)), error, service);
        }
    }
    for name in &look.watchlist.dependencies {
        if let Some((error, _)) = unknown(look.world.dependencies.get(name)) {
            add(ServerText::from(name.as_str()).head(40), error, ("", "--health-ca FILE"));
        }
    }
    if let Some((error, _)) = unknown(Some(&look.world.pooler)) {
        add("pgbouncer's queues".to_owned(), error, ("a password for its console, in ~/.pgpass", "sslrootcert"));
    }
}

/// The failure that says nothing of what is behind it.
fn unknown<T>(watched: Option<&Watched<T>>) -> Option<&(ProbeError, Timestamp)> {
    watched.filter(|w| w.state == HealthState::Unknown)?.latest.error.as_ref()
}

/// What only an exporter on the host knows has a cure that the service's own figures have not; and figures of any host are
/// none of the server.
fn hosts(look: &Look<'_>, out: &mut Vec<Unchecked>) {
    let mut by_reason: BTreeMap<(String, &str), Vec<&str>> = BTreeMap::new();
    for (id, what) in HOSTS {
        let Some(spec) = look.panels.iter().find(|p| p.id == id) else { continue };
        let latest = look.world.panels.get(id);
        let reading = latest.and_then(|l| l.get()).map(|a| &a.reading);
        let unjudged = |by: usize| spec.candidates.get(by).is_some_and(|c| c.unjudged);
        let reason = match latest.map_or(Some("not asked yet".to_owned()), |l| blind(l, look)) {
            Some(why) => (why, if matches!(reading, Some(Reading::NoSeries)) { NODE_EXPORTER } else { "" }),
            None if matches!(reading, Some(Reading::Values { candidate, .. }) if unjudged(*candidate)) => {
                (ANY_HOST.to_owned(), "look at Latency")
            }
            None => continue,
        };
        by_reason.entry(reason).or_default().push(what);
    }
    for ((why, cure), what) in by_reason {
        out.push(Unchecked::of(format!("{}, which PostgreSQL does not know", what.join(", ")), why, cure));
    }
}

/// Why a panel has no figure.
pub fn blind(latest: &Latest<crate::model::panel::PanelAnswer>, look: &Look<'_>) -> Option<String> {
    if let Some((why, _)) = failed(latest, look) {
        return Some(why);
    }
    match latest.get().map(|a| (&a.reading, &a.unmeasured)) {
        None => Some("no answer yet".to_owned()),
        Some((Reading::NoSeries, Some(why))) => Some(ServerText::from(why.as_str()).head(100)),
        Some((Reading::NoSeries, None)) => Some("no such series".to_owned()),
        Some((Reading::NotANumber { .. }, _)) => Some("NaN (no traffic)".to_owned()),
        Some((Reading::Values { .. }, _)) => None,
    }
}

/// What was looked at, with counts.
pub fn checked(look: &Look<'_>) -> Vec<String> {
    let mut out = Vec::new();
    let world = look.world;
    if let Some(sessions) = world.sessions.get() {
        let seen = sessions.rows.len() - sessions.hidden.min(sessions.rows.len());
        out.push(format!("{} and their locks", counted(seen, "session")));
    }
    if let Some(relations) = world.relations.get() {
        out.push(storage::seen(look, relations));
    }
    if let Some(replication) = world.replication.get() {
        let (replicas, slots) = (replication.replicas.len(), replication.slots.len());
        let standbys = if replicas == 1 { "1 standby".to_owned() } else { format!("{replicas} standbys") };
        out.push(format!("{standbys}, {}", counted(slots, "slot")));
    }
    let rules_read = |id: &str| PANELS.contains(&id) || HOSTS.iter().any(|host| host.0 == id);
    let panels = look.panels.iter().filter(|p| rules_read(&p.id));
    let told = |id: &str| HOSTS.iter().any(|host| host.0 == id) || not_judged(id, look).is_none();
    let seen = |id: &str| world.panels.get(id).is_some_and(|l| blind(l, look).is_none());
    let read = panels.filter(|p| seen(&p.id) && told(&p.id)).count();
    if read > 0 {
        out.push(format!("{} from Prometheus", counted(read, "metric")));
    }
    out
}
