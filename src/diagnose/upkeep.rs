//! What somebody has to look after and nobody looks at: prepared transactions that were forgotten, subscriptions that
//! stand still, expired rows of the cache, partitions that end.

use super::finding::{Finding, FindingKey, Harm, Kind, Severity, Target};
use super::rule::Look;
use super::server::RECENT_S;
use super::words::{before, counted, figure, identifier, literal, of_i64, percent};
use super::{blockers, horizon};
use crate::command::Tab;
use crate::model::activity::delta::Delta;
use crate::model::activity::{Partitioned, PreparedTransaction, Subscription};
use crate::model::cache::CacheState;
use crate::model::unit::{Age, Bytes, short_count};
use crate::model::{Timestamp, seconds_between};

/// Transactions that were prepared long ago; one that blocks others, or that holds the horizon, is named as that.
pub fn prepared(look: &Look<'_>) -> Vec<Finding> {
    let Some((activity, seen)) = look.world.activity.value.as_ref() else { return Vec::new() };
    let blockers: Vec<FindingKey> = blockers::roots(look).into_iter().map(|f| f.key).collect();
    let blocks = |p: &PreparedTransaction| blockers.iter().any(|k| k.subject == format!("prepared {}", p.gid.raw()));
    let named = |p: &PreparedTransaction| blocks(p) || horizon::names(look, p);
    let old = |p: &&PreparedTransaction| p.age_s >= look.limits.prepared && !named(p);
    let rows: Vec<&PreparedTransaction> = activity.prepared.rows().iter().filter(old).collect();
    let Some(oldest) = rows.first() else { return Vec::new() };
    let more = if rows.len() > 1 { format!(" (the oldest of {})", rows.len()) } else { String::new() };
    let (owner, database) = (oldest.owner.head(24), oldest.database.head(24));
    vec![Finding {
        severity: Severity::Warning,
        fact: format!(
            "transaction {} was prepared {} ago and not ended{more}",
            oldest.gid.head(40),
            Age(oldest.age_s).short()
        ),
        evidence: format!(
            "by {owner} in {database} · it has no session, keeps its locks and the horizon, and outlives a restart"
        ),
        todo: format!(
            "its coordinator should COMMIT PREPARED it; else ROLLBACK PREPARED, as {owner} in {database}, undoes its part alone"
        ),
        remedy: oldest.exact.then(|| format!("ROLLBACK PREPARED {};", literal(oldest.gid.raw()))),
        since: before(*seen, Some(oldest.age_s)),
        harm: Harm { now: 0.0, coming: 0.5 },
        ..Finding::of(Kind::Prepared, "", *seen, Target::Figures(Tab::Triage))
    }]
}

/// What is wrong with a subscription.
struct Fault {
    severity: Severity,
    fact: String,
    todo: &'static str,
    since: Option<Timestamp>,
}

/// Subscriptions that fail, do not run, or hear nothing.
pub fn subscriptions(look: &Look<'_>) -> Vec<Finding> {
    let Some((activity, seen)) = look.world.activity.value.as_ref() else { return Vec::new() };
    let faults = activity.subscriptions.rows().iter().filter_map(|s| fault(look, s, *seen).map(|fault| (s, fault)));
    let found = faults.map(|(s, fault)| {
        let errors = match (s.apply_errors, s.sync_errors) {
            (Some(apply), Some(sync)) => format!(
                "{} applying and {} copying since its counters began",
                counted(usize::try_from(apply).unwrap_or(0), "error"),
                counted(usize::try_from(sync).unwrap_or(0), "error")
            ),
            _ => "before 15 its errors are only in the server's log".to_owned(),
        };
        Finding {
            severity: fault.severity,
            fact: format!("subscription {} {}", s.name.head(40), fault.fact),
            evidence: format!("in database {} · {errors}", s.database.head(40)),
            todo: fault.todo.to_owned(),
            since: fault.since,
            harm: Harm { now: 0.0, coming: 0.6 },
            ..Finding::of(Kind::Subscription, s.oid.to_string(), *seen, Target::Figures(Tab::Triage))
        }
    });
    found.collect()
}

fn fault(look: &Look<'_>, s: &Subscription, seen: Timestamp) -> Option<Fault> {
    let recent = || look.history.deltas().filter(|(at, _)| seconds_between(*at, seen) <= RECENT_S).map(|(_, d)| d);
    let errors: i64 = recent().filter_map(|d| d.subscription_errors.get(&s.oid)).fold(0, |a, b| a.saturating_add(*b));
    let log = "the server's log has its words: a row that is missing or there already, a table or a right that is missing, the publisher's address";
    if errors > 0 {
        let disabled = if s.enabled { "" } else { ", and is disabled" };
        let count = counted(usize::try_from(errors).unwrap_or(0), "error");
        let fact = format!("fails: {count} within five minutes{disabled}");
        return Some(Fault { severity: Severity::Warning, fact, todo: log, since: None });
    }
    if s.hidden {
        return None;
    }
    if !s.enabled {
        return disabled(s);
    }
    let stopped = |d: &&Delta| d.subscriptions_stopped.contains(&s.oid);
    let without_s: f64 = recent().collect::<Vec<_>>().into_iter().rev().take_while(stopped).map(|d| d.seconds).sum();
    if s.worker.is_none() && without_s >= look.limits.subscription {
        let fact = format!("is enabled and has no worker, for {} at least", Age(without_s).short());
        let since = before(seen, Some(without_s));
        return Some(Fault { severity: Severity::Warning, fact, todo: log, since });
    }
    let silent = s.heard_s.filter(|heard| *heard >= look.limits.replica_lag * 2.0)?;
    Some(Fault {
        severity: Severity::Warning,
        fact: format!("has heard nothing from its publisher for {}", Age(silent).short()),
        todo: "see whether the publisher and the network live, or one large transaction is being applied",
        since: before(seen, Some(silent)),
    })
}

/// One that somebody disabled is as somebody wants it; one that has failed may have been disabled by its own error
/// (`disable_on_error`), which the server does not tell apart.
fn disabled(s: &Subscription) -> Option<Fault> {
    let errors = s.apply_errors.unwrap_or(0).saturating_add(s.sync_errors.unwrap_or(0));
    (errors > 0).then(|| Fault {
        severity: Severity::Warning,
        fact: "is disabled, and has failed before".to_owned(),
        todo: "if its own error did it (disable_on_error), the server's log has the cause: mend it, then ALTER SUBSCRIPTION … \
               ENABLE in its database",
        since: None,
    })
}

/// Rows of the cache that have expired and were not removed.
pub fn cache_backlog(look: &Look<'_>) -> Vec<Finding> {
    let Some((cache, seen)) = look.world.cache.value.as_ref() else { return Vec::new() };
    let CacheState::Read(contents) = &cache.state else { return Vec::new() };
    let share = of_i64(contents.expired) / of_i64(contents.rows.max(1));
    if of_i64(contents.expired) < look.limits.cache_expired || share < look.limits.cache_expired_share {
        return Vec::new();
    }
    let about = if contents.sampled { "about " } else { "" };
    let size = contents.bytes.map_or_else(String::new, |b| format!(" · {} in all", Bytes(b).short()));
    let most = contents.views.iter().max_by_key(|v| v.expired);
    let most = most.map_or_else(String::new, |v| {
        format!(
            "most of view {}: {} of {}",
            v.view.head(40),
            short_count(of_i64(v.expired)),
            short_count(of_i64(v.rows))
        )
    });
    vec![Finding {
        fact: format!(
            "cache table {}: {about}{} of {} rows have expired ({})",
            cache.table.head(40),
            short_count(of_i64(contents.expired)),
            short_count(of_i64(contents.rows)),
            percent(share)
        ),
        evidence: format!("{}{size}", if most.is_empty() { "by view it is not known".to_owned() } else { most }),
        todo: "the service's own cleaning does not run or keep up; remove them on Cache (`expire`)".to_owned(),
        harm: Harm { now: 0.0, coming: 0.1 },
        ..Finding::of(Kind::CacheBacklog, "", *seen, Target::Tab(Tab::Cache))
    }]
}

/// Tables of error tracking whose last partition ends.
pub fn partitions(look: &Look<'_>) -> Vec<Finding> {
    let Some((activity, seen)) = look.world.activity.value.as_ref() else { return Vec::new() };
    // On a standby they are the primary's, and found there too; it is the same truth.
    let ending = activity.partitioned.rows().iter().filter(|p| !p.endless).filter_map(|p| Some((p, end(look, p)?)));
    let mut rows: Vec<(&Partitioned, f64)> = ending.collect();
    rows.sort_by(|a, b| a.1.total_cmp(&b.1).then(a.0.oid.cmp(&b.0.oid)));
    let Some((worst, left)) = rows.first().copied() else { return Vec::new() };
    let name = format!("{}.{}", identifier(&worst.schema), identifier(&worst.name));
    let fact = match () {
        () if worst.partitions == 0 => format!("{name} has no partition: every row is refused"),
        () if left <= 0.0 => {
            format!("the last partition of {name} ended {} ago: every row is refused", Age(-left).short())
        }
        () => format!("the last partition of {name} ends in {}", Age(left).short()),
    };
    let others: Vec<String> = rows.iter().skip(1).take(3).map(|(p, _)| p.name.head(40)).collect();
    let and = if figure(rows.len()) > 1.0 { format!("so it is with {} · ", others.join(", ")) } else { String::new() };
    vec![Finding {
        severity: if left <= 0.0 { Severity::Warning } else { Severity::Notice },
        fact,
        evidence: format!(
            "{and}{}; the service swallows such errors, and its error tracking goes blind",
            counted(usize::try_from(worst.partitions).unwrap_or(0), "partition")
        ),
        todo: format!("CREATE TABLE … PARTITION OF {name} FOR VALUES FROM … TO …, and a job that does so in time"),
        harm: Harm { now: 0.0, coming: 0.3 },
        ..Finding::of(Kind::Partitions, "", *seen, Target::Figures(Tab::Triage))
    }]
}

/// Seconds until a table takes no more rows; none where that is far.
fn end(look: &Look<'_>, p: &Partitioned) -> Option<f64> {
    let left = if p.partitions == 0 { 0.0 } else { p.ends_s? };
    (left <= look.limits.partitions).then_some(left)
}
