//! Tables full of dead rows, with the reason why autovacuum does not help; tables that waste their file.
//!
//! On a standby the statistics are its own, and nothing is said.

mod reason;

use self::reason::Reason;
use super::finding::{Finding, Harm, Kind, Severity, Target};
use super::rule::Look;
use super::words::{of_i64, percent, relation};
use crate::command::Tab;
use crate::model::Timestamp;
use crate::model::relation::{Relation, RelationKey, Relations};
use crate::model::unit::{Age, Bytes, short_count};

/// Tables that are named at most: the Tables tab has all.
const MOST: usize = 5;

fn known<'a>(look: &Look<'a>) -> Option<(&'a Relations, Timestamp)> {
    look.world.relations.value.as_ref().filter(|(r, _)| !r.in_recovery).map(|(r, at)| (r, *at))
}

/// Autovacuum workers at work.
pub fn autovacuums(relations: &Relations) -> usize {
    relations.vacuums.iter().filter(|v| v.auto).count()
}

fn key(relations: &Relations, r: &Relation) -> RelationKey {
    RelationKey { database: relations.database.clone(), oid: r.oid }
}

/// Autovacuum is off for the whole server.
pub fn autovacuum_off(look: &Look<'_>) -> Vec<Finding> {
    let Some((relations, seen)) = known(look).filter(|(r, _)| !r.autovacuum) else { return Vec::new() };
    let (setting, fact) = if relations.counted {
        ("autovacuum", "autovacuum is off for the whole server")
    } else {
        ("track_counts", "track_counts is off for the whole server: nothing tells autovacuum where to work")
    };
    vec![Finding {
        severity: Severity::Warning,
        fact: fact.to_owned(),
        evidence: "dead rows stay, and transaction ids run towards their end".to_owned(),
        todo: "turn it on; no restart is needed".to_owned(),
        remedy: Some(format!("ALTER SYSTEM SET {setting} = on; SELECT pg_reload_conf();")),
        harm: Harm { now: 0.0, coming: 0.4 },
        ..Finding::of(Kind::AutovacuumOff, "", seen, Target::Tab(Tab::Tables))
    }]
}

/// Tables full of dead rows.
pub fn dead_rows(look: &Look<'_>) -> Vec<Finding> {
    let Some((relations, seen)) = known(look) else { return Vec::new() };
    let limits = look.limits;
    let mut rows: Vec<(&Relation, f64)> = relations
        .fullest()
        .iter()
        .filter(|r| of_i64(r.dead) >= limits.dead_rows && (r.vacuum_due() >= 1.0 || !r.autovacuum_on))
        .filter_map(|r| r.dead_ratio().map(|share| (r, share)))
        .filter(|r| r.1 >= limits.dead_share)
        .collect();
    rows.sort_by(|a, b| b.0.dead.cmp(&a.0.dead).then(a.0.oid.cmp(&b.0.oid)));
    rows.truncate(MOST);
    let late_s = look.since(seen);
    let found = rows.into_iter().map(|(r, share)| {
        let Reason { why, seen: more, todo, action, remedy, grave } = reason::of(look, relations, r, late_s);
        let severity = if share >= limits.dead_share_high && grave { Severity::Warning } else { Severity::Notice };
        Finding {
            severity,
            fact: format!("{}: {} dead rows ({}), {why}", relation(r), percent(share), short_count(of_i64(r.dead))),
            evidence: format!(
                "{more}autovacuum begins at {} dead rows · {} · {}",
                short_count(r.vacuum_threshold),
                vacuumed(r, late_s),
                r.size().map_or_else(|| "size not known yet".to_owned(), |bytes| Bytes(bytes).short())
            ),
            todo,
            harm: Harm { now: 0.0, coming: 0.2 + share * 0.2 },
            action,
            remedy,
            ..Finding::of(Kind::DeadRows, r.oid.to_string(), seen, Target::Table(key(relations, r)))
        }
    });
    found.collect()
}

fn vacuumed(r: &Relation, late_s: f64) -> String {
    let ago = |s| format!("last vacuumed {} ago", Age(s + late_s).short());
    r.last_vacuum_s().map_or_else(|| "never vacuumed".to_owned(), ago)
}

/// Tables that waste much of their file, as the estimate says.
pub fn bloat(look: &Look<'_>) -> Vec<Finding> {
    let Some((relations, seen)) = known(look) else { return Vec::new() };
    let wasted = relations.fullest().iter().filter_map(|r| {
        let bloat = r.bloat.filter(|b| b.complete && of_i64(b.wasted_bytes) >= look.limits.waste)?;
        let share = of_i64(bloat.wasted_bytes) / of_i64(bloat.real_bytes.max(1));
        (share >= 0.5).then_some((r, bloat, share))
    });
    let mut rows: Vec<_> = wasted.collect();
    rows.sort_by(|a, b| b.1.wasted_bytes.cmp(&a.1.wasted_bytes).then(a.0.oid.cmp(&b.0.oid)));
    rows.truncate(MOST);
    let found = rows.into_iter().map(|(r, bloat, share)| Finding {
        fact: format!(
            "{} wastes about {} ({} of its file)",
            relation(r),
            Bytes(bloat.wasted_bytes).short(),
            percent(share)
        ),
        evidence: "an estimate from column statistics; dead rows count where they were seen by ANALYZE".to_owned(),
        todo: "measure it on Tables; pg_repack, or VACUUM FULL while nobody needs it, gives the space back".to_owned(),
        harm: Harm { now: 0.0, coming: 0.1 },
        ..Finding::of(Kind::Bloat, r.oid.to_string(), seen, Target::Table(key(relations, r)))
    });
    found.collect()
}
