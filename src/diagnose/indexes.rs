//! Indexes that cost without bringing anything, and tables that are read from end to end for want of one.
//!
//! One finding of each kind, of the worst; the rest are counted, and the list has them all. On a standby an index may be
//! built on the primary unseen, and scans are its own: nothing is said of indexes there.

use super::finding::{Finding, Harm, Kind, Severity, Target};
use super::partitioned::{attaching, lack, loss};
use super::rule::Look;
use super::words::{before, figure, of_i64, quoted, relation};
use crate::command::Command;
use crate::model::Timestamp;
use crate::model::index::{Covered, Fault, Index, Indexes, Remains, Validity};
use crate::model::relation::RelationKey;
use crate::model::unit::{Age, Bytes, short_count};

/// Seconds that a table has to be watched for before its scans come to a rate.
const WATCHED_S: f64 = 60.0;

/// Fewer scans of a table are one report, not a habit.
const SCANS: i64 = 5;

fn known<'a>(look: &Look<'a>) -> Option<(&'a Indexes, Timestamp)> {
    look.world.indexes.value.as_ref().filter(|(i, _)| !i.in_recovery).map(|(i, at)| (i, *at))
}

/// Those that are meant, the largest first.
fn worst(indexes: &Indexes, meant: impl Fn(&Index) -> bool) -> Vec<&Index> {
    let mut rows: Vec<&Index> = indexes.rows.iter().filter(|i| meant(i)).collect();
    rows.sort_by(|a, b| b.bytes.cmp(&a.bytes).then(a.oid.cmp(&b.oid)));
    rows
}

/// ` (and 3 more)`; where the answer was cut, at least so many.
fn more(indexes: &Indexes, found: &[&Index]) -> String {
    let wrong = indexes.rows.iter().filter(|i| !matches!(i.fault(), None | Some(Fault::Prefix))).count();
    let cut = of_i64(indexes.faults.invalid + indexes.faults.duplicate + indexes.faults.unused) > figure(wrong);
    match found.len().saturating_sub(1) {
        0 => String::new(),
        n if cut => format!(" (and at least {n} more)"),
        n => format!(" (and {n} more)"),
    }
}

fn target(indexes: &Indexes, index: &Index) -> Target {
    Target::Index(RelationKey { database: indexes.database.clone(), oid: index.oid })
}

fn size(index: &Index) -> String {
    index.size().map_or_else(|| "size unknown".to_owned(), |b| Bytes(b).short())
}

fn table(index: &Index) -> String {
    match &index.toast_of {
        Some(of) => format!("TOAST of {}", of.head(60)),
        None => index.table.head(60),
    }
}

/// What drops it without keeping writes out; raw.
fn dropping(index: &Index) -> String {
    format!("DROP INDEX CONCURRENTLY {}.{};", quoted(index.schema.raw()), quoted(index.name.raw()))
}

/// What failed builds, or drops, left.
pub fn invalid(look: &Look<'_>) -> Vec<Finding> {
    let Some((indexes, seen)) = known(look) else { return Vec::new() };
    let found = worst(indexes, |i| i.fault() == Some(Fault::Leftover));
    let Some(index) = found.first() else { return Vec::new() };
    let bound = index.needed.is_bound();
    let cost = match index.validity {
        Validity::NotReady => "no query uses it, nor is it kept up: it only takes space",
        Validity::Invalid | Validity::Valid => "no query uses it, yet every write goes into it",
    };
    let (todo, remedy) = if bound {
        ("a constraint, a replica identity or a partitioned index stands on it: REINDEX it on Tables", None)
    } else {
        let todo = match index.remains() {
            Some(Remains::Old) => "drop it, nothing else: a REINDEX CONCURRENTLY has replaced it, and did not end",
            Some(Remains::New) => {
                "drop it: a REINDEX CONCURRENTLY that did not end left it; what it was to replace stands as before"
            }
            None => "drop it, then build it again; the drop waits for transactions that use the table",
        };
        (todo, Some(dropping(index)))
    };
    // The guard would not have it while another index of the table is built.
    let may = !bound && index.builder.is_none() && index.rights.drop;
    vec![Finding {
        severity: Severity::Warning,
        fact: format!("index {} is INVALID, and nobody builds it{}", index.shown(), more(indexes, &found)),
        evidence: format!("{cost} · {} on {} ({})", size(index), table(index), index.columns.head(60)),
        todo: todo.to_owned(),
        remedy,
        harm: Harm { now: 0.0, coming: 0.2 },
        action: may.then_some(Command::DropInvalidIndex),
        ..Finding::of(Kind::InvalidIndex, "", seen, target(indexes, index))
    }]
}

/// Those of partitioned tables that not every partition has its part of.
pub fn unattached(look: &Look<'_>) -> Vec<Finding> {
    let Some((indexes, seen)) = known(look) else { return Vec::new() };
    let found = worst(indexes, |i| i.fault() == Some(Fault::Unattached));
    let Some((index, parts)) = found.first().and_then(|i| Some((*i, i.partitions.as_ref()?))) else {
        return Vec::new();
    };
    let lacking = match parts.without() {
        0 => String::new(),
        n if n > 3 => format!(" · without: {} and {} more", parts.lacking.head(120), n - 3),
        _ => format!(" · without: {}", parts.lacking.head(120)),
    };
    vec![Finding {
        severity: Severity::Warning,
        fact: format!("partitioned index {} is INVALID: {}{}", index.shown(), lack(parts), more(indexes, &found)),
        evidence: format!("{} · on {} ({}){lacking}", loss(index), table(index), index.columns.head(60)),
        todo: attaching(parts),
        harm: Harm { now: 0.0, coming: 0.15 },
        ..Finding::of(Kind::InvalidIndex, "partitioned", seen, target(indexes, index))
    }]
}

/// The same index twice.
pub fn duplicate(look: &Look<'_>) -> Vec<Finding> {
    let Some((indexes, seen)) = known(look) else { return Vec::new() };
    let found = worst(indexes, |i| {
        i.fault() == Some(Fault::Duplicate) && !i.needed.is_bound() && of_i64(i.bytes) >= look.limits.index_bytes
    });
    let Some((index, Covered { by, .. })) = found.first().and_then(|i| Some((*i, i.covered.as_ref()?))) else {
        return Vec::new();
    };
    vec![Finding {
        fact: format!(
            "index {} ({}) is the same as {}{}",
            index.shown(),
            size(index),
            by.head(60),
            more(indexes, &found)
        ),
        evidence: format!("both are on {} ({}); every write goes into both", table(index), index.columns.head(60)),
        todo: "copy the SQL that drops one; it waits for transactions that use the table".to_owned(),
        remedy: Some(dropping(index)),
        harm: Harm { now: 0.0, coming: 0.05 },
        ..Finding::of(Kind::DuplicateIndex, "", seen, target(indexes, index))
    }]
}

/// Large ones that no query used for long.
pub fn unused(look: &Look<'_>) -> Vec<Finding> {
    let Some((indexes, seen)) = known(look) else { return Vec::new() };
    if !indexes.counted || indexes.counted_s < look.limits.index_unused {
        return Vec::new();
    }
    let found = worst(indexes, |i| i.fault() == Some(Fault::Unused) && of_i64(i.bytes) >= look.limits.index_bytes);
    let Some(index) = found.first() else { return Vec::new() };
    let writes = index.writes.map_or_else(String::new, |w| format!(" · {} writes into it", short_count(of_i64(w))));
    vec![Finding {
        fact: format!(
            "index {} ({}) has had no scan in {}{}",
            index.shown(),
            size(index),
            Age(indexes.counted_s).short(),
            more(indexes, &found)
        ),
        evidence: format!(
            "on {}{writes}; standbys count their own scans, and an index younger than the statistics looks unused, too",
            table(index)
        ),
        todo: "ask who built it, look on the standbys; then copy the SQL that drops it: to build it again takes long"
            .to_owned(),
        remedy: Some(dropping(index)),
        harm: Harm { now: 0.0, coming: 0.05 },
        ..Finding::of(Kind::UnusedIndex, "", seen, target(indexes, index))
    }]
}

/// Large tables that are read from end to end again and again.
pub fn missing(look: &Look<'_>) -> Vec<Finding> {
    let Some((relations, seen)) = look.world.relations.value.as_ref() else { return Vec::new() };
    let mut found: Vec<_> = relations
        .read()
        .filter(|r| of_i64(r.bytes) >= look.limits.scan_bytes)
        .filter_map(|r| {
            let read = look.history.scans(&relations.database, r, *seen)?;
            let much =
                read.seconds >= WATCHED_S && read.scans >= SCANS && read.rows_a_minute() >= look.limits.scan_rows;
            much.then_some((r, read))
        })
        .collect();
    found.sort_by(|a, b| b.1.rows_a_minute().total_cmp(&a.1.rows_a_minute()).then(a.0.oid.cmp(&b.0.oid)));
    let more = match found.len().saturating_sub(1) {
        0 => String::new(),
        n => format!(" (and {n} more)"),
    };
    let Some((r, read)) = found.first() else { return Vec::new() };
    vec![Finding {
        fact: format!(
            "{} ({}) is read from end to end: {} rows a minute by sequential scans{more}",
            relation(r),
            Bytes(r.bytes).short(),
            short_count(read.rows_a_minute())
        ),
        evidence: format!(
            "{} scans read {} rows in the last {}, {} more went by an index · it has {} · an index may be missing, or its queries want most rows",
            read.scans,
            short_count(of_i64(read.rows)),
            Age(read.seconds).short(),
            short_count(of_i64(read.by_index)),
            if r.indexes == 1 { "1 index".to_owned() } else { format!("{} indexes", r.indexes) }
        ),
        todo: "find its costly statements on Statements, and see by EXPLAIN what they filter by".to_owned(),
        since: before(*seen, Some(read.seconds)),
        harm: Harm { now: 0.0, coming: 0.1 },
        ..Finding::of(
            Kind::MissingIndex,
            "",
            *seen,
            Target::Table(RelationKey { database: relations.database.clone(), oid: r.oid }),
        )
    }]
}
