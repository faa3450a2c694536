//! Facts of tables, the cache table, settings and standbys.

use super::super::super::rule::Look;
use super::super::super::words::{counted, figure, of_i64, relation};
use super::super::super::{horizon, tables};
use super::{Known, Unknown, Value, fresh};
use crate::model::cache::{CacheContents, CacheState};
use crate::model::relation::{Relation, Relations};
use crate::model::unit::{Age, short_count};
use crate::model::{ServerText, Timestamp, seconds_between};

/// Older answers, in seconds, are none of now: tables are asked once a minute, settings twice.
const LATE_S: f64 = 180.0;

/// Rows from which on a sequential scan is worth an index.
const MANY_ROWS: f64 = 10_000.0;

/// Sequential scans since the statistics began, from which on they are a habit: the guide's figure.
const MANY_SCANS: i64 = 1000;

fn known<'a>(look: &Look<'a>) -> Result<(&'a Relations, Timestamp), Unknown> {
    let (relations, at) = fresh(&look.world.relations, look, LATE_S)?;
    if relations.in_recovery {
        return Err(Unknown::of("a standby's statistics are its own", "look at the primary"));
    }
    Ok((relations, at))
}

/// A figure over the tables that were read: there may be more.
fn of_read(relations: &Relations, at: Timestamp, value: f64) -> Value {
    let read = relations.read().count();
    let cut = relations.total > i64::try_from(read).unwrap_or(i64::MAX);
    let at_least = cut.then(|| Unknown::of(format!("{read} of {} tables were read", relations.total), ""));
    Value { at_least, ..Value::of(value, at) }
}

fn count(look: &Look<'_>, which: impl Fn(&Relation) -> bool) -> Known {
    let (relations, at) = known(look)?;
    let found: Vec<&Relation> = relations.read().filter(|r| which(r)).collect();
    let value = of_read(relations, at, figure(found.len()));
    let names: Vec<String> = found.iter().take(3).map(|r| relation(r)).collect();
    Ok(value.note(names.join(", ")))
}

pub fn horizon_age(look: &Look<'_>) -> Known {
    let (_, at) = fresh(&look.world.sessions, look, LATE_S)?;
    let age = horizon::age(look);
    Ok(Value::of(age.map_or(0.0, of_i64), at).note("transactions"))
}

pub fn dead_share_max(look: &Look<'_>) -> Known {
    let (relations, at) = known(look)?;
    let large = relations.read().filter(|r| of_i64(r.dead) >= look.limits.dead_rows);
    let worst = large.filter_map(|r| r.dead_ratio().map(|share| (r, share))).max_by(|a, b| a.1.total_cmp(&b.1));
    let value = of_read(relations, at, worst.map_or(0.0, |w| w.1));
    Ok(match worst {
        Some((r, _)) => value.note(format!("{}, {} dead rows", relation(r), short_count(of_i64(r.dead)))),
        None => value.note(format!("no table has over {} dead rows", short_count(look.limits.dead_rows))),
    })
}

pub fn tables_due(look: &Look<'_>) -> Known {
    count(look, |r| r.vacuum_due() >= 1.0)
}

pub fn autovacuum_off(look: &Look<'_>) -> Known {
    let (relations, at) = known(look)?;
    Ok(Value::of(f64::from(u8::from(!relations.autovacuum)), at))
}

pub fn autovacuum_busy(look: &Look<'_>) -> Known {
    let (relations, at) = known(look)?;
    let (busy, workers) = (tables::autovacuums(relations), relations.autovacuum_workers);
    if workers <= 0 {
        return Err(Unknown::of("the number of autovacuum workers is not known", ""));
    }
    Ok(Value::of(figure(busy) / of_i64(workers), at).note(format!("{busy} of {workers}")))
}

pub fn scanned_tables(look: &Look<'_>) -> Known {
    count(look, |r| {
        let rows = r.tuples.unwrap_or_else(|| of_i64(r.live));
        let per_scan = of_i64(r.seq_rows) / of_i64(r.seq_scan.max(1));
        rows >= MANY_ROWS && r.seq_scan > MANY_SCANS && per_scan >= rows / 2.0
    })
}

fn cache<'a>(look: &Look<'a>) -> Result<(&'a CacheContents, Timestamp), Unknown> {
    let (cache, at) = fresh(&look.world.cache, look, LATE_S)?;
    match &cache.state {
        CacheState::Read(contents) => Ok((contents, at)),
        CacheState::NoTable => {
            let why = format!("no table {} in {}", cache.table.head(60), cache.database.head(60));
            Err(Unknown::of(why, "--cache-table TABLE, where the cache is in PostgreSQL"))
        }
        CacheState::Denied { cure, .. } => Err(Unknown::of("no permission", ServerText::from(cure.as_str()).escaped())),
        CacheState::UnloggedOnStandby => {
            Err(Unknown::of("an unlogged table is not readable on a standby", "look at the primary"))
        }
    }
}

/// A count of its rows; of a table that was read in part it is known to be no smaller.
fn rows(look: &Look<'_>, of: impl Fn(&CacheContents) -> i64) -> Known {
    let (contents, at) = cache(look)?;
    let at_least = contents.sampled.then(|| Unknown::of("only a part of the table was counted", ""));
    Ok(Value { at_least, ..Value::of(of_i64(of(contents)), at) })
}

pub fn cache_rows(look: &Look<'_>) -> Known {
    rows(look, |contents| contents.rows)
}

pub fn cache_expired_rows(look: &Look<'_>) -> Known {
    rows(look, |contents| contents.expired)
}

pub fn cache_expired_share(look: &Look<'_>) -> Known {
    let (contents, at) = cache(look)?;
    let note = format!("{} of {}", short_count(of_i64(contents.expired)), short_count(of_i64(contents.rows)));
    if contents.rows == 0 {
        return Err(Unknown::of("the cache table is empty", ""));
    }
    Ok(Value::of(of_i64(contents.expired) / of_i64(contents.rows), at).note(note))
}

pub fn cache_bytes(look: &Look<'_>) -> Known {
    let (cache, at) = fresh(&look.world.cache, look, LATE_S)?;
    let bytes = match &cache.state {
        CacheState::Read(CacheContents { bytes, .. }) | CacheState::Denied { bytes, .. } => *bytes,
        CacheState::NoTable | CacheState::UnloggedOnStandby => None,
    };
    let Some(bytes) = bytes else {
        self::cache(look)?;
        return Err(Unknown::of("its size is not known: it is locked", ""));
    };
    Ok(Value::of(of_i64(bytes), at))
}

pub fn query_logging(look: &Look<'_>) -> Known {
    let (settings, at) = fresh(&look.world.settings, look, LATE_S)?;
    let logged = settings.query_logging();
    let value = Value::of(f64::from(u8::from(logged.is_some())), at);
    Ok(value.note(logged.map_or_else(|| "not logged".to_owned(), |l| ServerText::from(l.as_str()).head(80))))
}

pub fn settings_waiting(look: &Look<'_>) -> Known {
    let (settings, at) = fresh(&look.world.settings, look, LATE_S)?;
    let waiting = settings.waiting();
    let names: Vec<String> = waiting.iter().take(3).map(|w| ServerText::from(w.0).head(40)).collect();
    Ok(Value::of(figure(waiting.len()), at).note(names.join(", ")))
}

pub fn replica_lag(look: &Look<'_>) -> Known {
    let (replication, at) = fresh(&look.world.replication, look, LATE_S)?;
    if let Some(standby) = &replication.standby {
        let Some(late) = standby.lag_s else { return Err(Unknown::of("this standby does not say how late it is", "")) };
        return Ok(Value::of(late, at).note("this standby"));
    }
    visible(look)?;
    // The server reports no lag for a standby that has caught up and hears nothing new.
    let late = replication.replicas.iter().map(|r| (r, r.replay_s.unwrap_or(0.0)));
    let Some((r, late)) = late.max_by(|a, b| a.1.total_cmp(&b.1)) else { return Err(nobody(look)) };
    Ok(Value::of(late, at).note(r.application.head(40)))
}

pub fn replica_lag_bytes(look: &Look<'_>) -> Known {
    let (replication, at) = fresh(&look.world.replication, look, LATE_S)?;
    if let Some(standby) = &replication.standby {
        let gap = standby.gap.ok_or_else(|| Unknown::of("this standby does not say how far behind it is", ""))?;
        return Ok(Value::of(of_i64(gap), at).note("received and not replayed here"));
    }
    visible(look)?;
    let behind = replication.replicas.iter().filter_map(|r| r.total.map(|total| (r, total)));
    let Some((r, total)) = behind.max_by_key(|b| b.1) else { return Err(nobody(look)) };
    Ok(Value::of(of_i64(total), at).note(r.application.head(40)))
}

/// What the walsenders do must be visible.
fn visible(look: &Look<'_>) -> Result<(), Unknown> {
    let hidden = look.world.replication.get().map_or(0, |r| r.replicas.iter().filter(|r| r.hidden).count());
    if hidden == 0 {
        return Ok(());
    }
    let role = super::super::super::sight::role(look);
    Err(Unknown::of(
        format!("{} hidden from {role}", counted(hidden, "walsender")),
        format!("GRANT pg_monitor TO {role}"),
    ))
}

fn nobody(look: &Look<'_>) -> Unknown {
    let missing = look.world.missing.len();
    let why = if missing > 0 {
        format!("{} gone, none is connected", counted(missing, "standby"))
    } else {
        "no standby is connected".to_owned()
    };
    Unknown::of(why, "")
}

pub fn replicas_missing(look: &Look<'_>) -> Known {
    let (_, at) = fresh(&look.world.replication, look, LATE_S)?;
    let missing = &look.world.missing;
    let names: Vec<String> = missing.values().take(3).map(|m| m.last.application.head(40)).collect();
    let longest = missing.values().map(|m| seconds_between(m.seen, look.now)).fold(0.0, f64::max);
    let note = if missing.is_empty() {
        "none since this console began".to_owned()
    } else {
        format!("{}, {} ago", names.join(", "), Age(longest).short())
    };
    Ok(Value::of(figure(missing.len()), at).note(note))
}
