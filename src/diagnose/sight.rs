//! What was looked at, and what could not be: hidden rows, missing sources, other databases. Each with its cure.
//!
//! An all-clear is worth what was seen: this theme finds nothing wrong itself.

use std::collections::BTreeMap;

use super::finding::Unchecked;
use super::health::host;
use super::rule::Look;
use super::words::{counted, identifier};
use crate::model::activity::Part;
use crate::model::cache::CacheState;
use crate::model::health::{State as HealthState, Watched};
use crate::model::panel::Reading;
use crate::model::session::State;
use crate::model::unit::Age;
use crate::model::{Latest, Link, ProbeError, ServerText, Timestamp, seconds_between};

/// Panels that rules read.
const PANELS: [&str; 7] = ["p95", "error-ratio", "pool", "requests-waiting", "memory", "cache-hit-ratio", "disk-free"];

/// The panel of room on the disk.
const DISK: &str = "disk-free";

/// What was not looked at.
pub fn unchecked(look: &Look<'_>) -> Vec<Unchecked> {
    let mut out = Vec::new();
    sessions(look, &mut out);
    tables(look, &mut out);
    indexes(look, &mut out);
    replication(look, &mut out);
    activity(look, &mut out);
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

fn tables(look: &Look<'_>, out: &mut Vec<Unchecked>) {
    let what = "tables, vacuum, wraparound";
    if let Some((why, cure)) = failed(&look.world.relations, look) {
        out.push(Unchecked::of(what, why, cure));
    }
    let Some(relations) = look.world.relations.get() else {
        if look.world.relations.error.is_none() {
            out.push(Unchecked::of(what, "no answer yet", ""));
        }
        return;
    };
    if relations.in_recovery {
        out.push(Unchecked::of("dead rows and vacuum", "a standby's statistics are its own", "look at the primary"));
    }
    if relations.not_estimable > 0 {
        let cure = match look.world.server.get() {
            Some(server) if server.major() < 14 => format!("GRANT SELECT on them TO {}", role(look)),
            _ => format!("GRANT pg_read_all_data TO {}", role(look)),
        };
        let tables = counted(usize::try_from(relations.not_estimable).unwrap_or(0), "table");
        out.push(Unchecked::of(format!("bloat of {tables}"), "column statistics are hidden or missing", cure));
    }
    let others = relations.databases.iter().filter(|d| d.connectable && d.name != relations.database).count();
    if others > 0 {
        let others = counted(others, "other database");
        out.push(Unchecked::of(
            format!("tables and indexes of {others}"),
            "one database is looked at",
            "choose it on Tables",
        ));
    }
}

fn indexes(look: &Look<'_>, out: &mut Vec<Unchecked>) {
    let what = "indexes";
    if let Some((why, cure)) = failed(&look.world.indexes, look) {
        out.push(Unchecked::of(what, why, cure));
    }
    let Some(indexes) = look.world.indexes.get() else {
        if look.world.indexes.error.is_none() {
            out.push(Unchecked::of(what, "no answer yet", ""));
        }
        return;
    };
    if indexes.in_recovery {
        let why = "whether one is being built is known to the primary, and scans here are this standby's own";
        out.push(Unchecked::of("invalid, duplicate and unused indexes", why, "look at the primary"));
    } else if !indexes.counted {
        out.push(Unchecked::of("unused indexes", "scans are not counted", "track_counts = on"));
    } else if indexes.counted_s < look.limits.index_unused {
        let why = format!("scans were counted for {} only, as far as is known", Age(indexes.counted_s).short());
        out.push(Unchecked::of("unused indexes", why, ""));
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
        let why = format!("{role} may not list it");
        out.push(Unchecked::of(
            "size of pg_wal and what waits for the archive",
            why,
            format!("GRANT pg_monitor TO {role}"),
        ));
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
        let what = "latency, errors, pool, cache hits and memory of the service; free disk space, which PostgreSQL does not know";
        out.push(Unchecked::of(what, "no Prometheus is named", "--prometheus URL"));
        return;
    }
    disk(look, out);
    let mut by_reason: BTreeMap<String, Vec<String>> = BTreeMap::new();
    let told = |id: &str| PANELS.contains(&id) && id != DISK;
    for spec in look.panels.iter().filter(|p| told(&p.id)) {
        let latest = look.world.panels.get(&spec.id);
        if let Some(why) = latest.map_or(Some("not asked yet".to_owned()), |l| blind(l, look)) {
            by_reason.entry(why).or_default().push(ServerText::from(spec.title.as_str()).head(40));
        }
    }
    out.extend(by_reason.into_iter().map(|(why, titles)| Unchecked::of(titles.join(", "), why, "")));
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
            | ProbeError::Shape(_) => String::new(),
        };
        out.push(Unchecked::of(what, ServerText::new(error.to_string()).head(120), cure));
    };
    let service = ("--health-token-file FILE", "--health-ca FILE");
    for address in &look.watchlist.endpoints {
        if let Some((error, _)) = unknown(look.world.health.get(address)) {
            add(format!("health of {}", host(address)), error, service);
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

/// Room on the disk has a cure that the service's own figures have not; and disks of any host are none of the server.
fn disk(look: &Look<'_>, out: &mut Vec<Unchecked>) {
    let Some(spec) = look.panels.iter().find(|p| p.id == DISK) else { return };
    let what = "free disk space, which PostgreSQL does not know";
    let latest = look.world.panels.get(DISK);
    if let Some(why) = latest.map_or(Some("not asked yet".to_owned()), |l| blind(l, look)) {
        let absent = matches!(latest.and_then(|l| l.get()).map(|a| &a.reading), Some(Reading::NoSeries));
        let cure = if absent { "have Prometheus read node_exporter on the server's host" } else { "" };
        out.push(Unchecked::of(what, why, cure));
        return;
    }
    if let Some(Reading::Values { candidate, .. }) = latest.and_then(|l| l.get()).map(|a| &a.reading)
        && spec.candidates.get(*candidate).is_some_and(|c| c.unjudged)
    {
        let why = "which host is the server's is not known: no postgres_exporter runs on one";
        out.push(Unchecked::of(what, why, "look at Free disk space on Latency"));
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
        let indexes = world.indexes.get().filter(|i| i.database == relations.database);
        let indexes = indexes.map_or_else(String::new, |i| match i.total {
            1 => " and 1 index".to_owned(),
            n => format!(" and {n} indexes"),
        });
        let tables = counted(relations.rows.len(), "table");
        out.push(format!("{tables}{indexes} of {}", relations.database.head(24)));
    }
    if let Some(replication) = world.replication.get() {
        let (replicas, slots) = (replication.replicas.len(), replication.slots.len());
        let standbys = if replicas == 1 { "1 standby".to_owned() } else { format!("{replicas} standbys") };
        out.push(format!("{standbys}, {}", counted(slots, "slot")));
    }
    let panels = look.panels.iter().filter(|p| PANELS.contains(&p.id.as_str()));
    let read = panels.filter(|p| world.panels.get(&p.id).is_some_and(|l| blind(l, look).is_none())).count();
    if read > 0 {
        out.push(format!("{} of the service", counted(read, "metric")));
    }
    out
}
