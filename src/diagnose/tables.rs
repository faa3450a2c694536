//! Tables full of dead rows, with the reason why autovacuum does not help; tables that waste their file.
//!
//! On a standby the statistics are its own, and nothing is said.

use super::finding::{Finding, Harm, Kind, Severity, Target};
use super::horizon;
use super::rule::Look;
use super::words::{figure, of_i64, percent, relation};
use crate::command::{Command, Tab};
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
    let Some((_, seen)) = known(look).filter(|(r, _)| !r.autovacuum) else { return Vec::new() };
    vec![Finding {
        severity: Severity::Warning,
        fact: "autovacuum is off for the whole server".to_owned(),
        evidence: "dead rows stay, and transaction ids run towards their end".to_owned(),
        todo: "turn it on; no restart is needed".to_owned(),
        remedy: Some("ALTER SYSTEM SET autovacuum = on; SELECT pg_reload_conf();".to_owned()),
        harm: Harm { now: 0.0, coming: 0.4 },
        ..Finding::of(Kind::AutovacuumOff, "", seen, Target::Tab(Tab::Tables))
    }]
}

/// Tables full of dead rows.
pub fn dead_rows(look: &Look<'_>) -> Vec<Finding> {
    let Some((relations, seen)) = known(look) else { return Vec::new() };
    let limits = look.limits;
    let mut rows: Vec<(&Relation, f64)> = relations
        .rows
        .iter()
        .filter(|r| of_i64(r.dead) >= limits.dead_rows && (r.vacuum_due() >= 1.0 || !r.autovacuum_on))
        .filter_map(|r| r.dead_ratio().map(|share| (r, share)))
        .filter(|r| r.1 >= limits.dead_share)
        .collect();
    rows.sort_by(|a, b| b.0.dead.cmp(&a.0.dead).then(a.0.oid.cmp(&b.0.oid)));
    rows.truncate(MOST);
    let found = rows.into_iter().map(|(r, share)| {
        let (reason, todo, action) = why(look, relations, r);
        let severity =
            if share >= limits.dead_share_high && action.is_some() { Severity::Warning } else { Severity::Notice };
        Finding {
            severity,
            fact: format!("{}: {} dead rows ({}), {reason}", relation(r), percent(share), short_count(of_i64(r.dead))),
            evidence: format!(
                "autovacuum begins at {} dead rows · last {} · {}",
                short_count(r.vacuum_threshold),
                vacuumed(r),
                Bytes(r.bytes).short()
            ),
            todo: todo.to_owned(),
            harm: Harm { now: 0.0, coming: 0.2 + share * 0.2 },
            action,
            ..Finding::of(Kind::DeadRows, r.oid.to_string(), seen, Target::Table(key(relations, r)))
        }
    });
    found.collect()
}

fn vacuumed(r: &Relation) -> String {
    [r.vacuum_s, r.autovacuum_s]
        .into_iter()
        .flatten()
        .reduce(f64::min)
        .map_or_else(|| "never vacuumed".to_owned(), |s| format!("vacuumed {} ago", Age(s).short()))
}

/// Why autovacuum does not help, what to do, and the action that fits.
fn why(look: &Look<'_>, relations: &Relations, r: &Relation) -> (String, &'static str, Option<Command>) {
    let vacuum = Some(Command::VacuumAnalyze);
    if let Some(v) = relations.vacuums.iter().find(|v| v.oid == r.oid && v.database == relations.database) {
        let long = v.running_s.map_or_else(String::new, |s| format!(" for {}", Age(s).short()));
        return (format!("a vacuum works on it{long}"), "let it end; its progress is on Tables", None);
    }
    if let Some(culprit) = horizon::culprit(look, r) {
        return (
            format!("vacuum in vain: {culprit}"),
            "end what holds the horizon first: until then no vacuum helps",
            None,
        );
    }
    if r.locked {
        return (
            "a lock on the table keeps vacuum out".to_owned(),
            "end what holds or awaits its AccessExclusiveLock first",
            None,
        );
    }
    if !r.autovacuum_on {
        return ("autovacuum is off for it".to_owned(), "vacuum it, and turn autovacuum_enabled on again", vacuum);
    }
    if !relations.autovacuum {
        return ("autovacuum is off".to_owned(), "turn autovacuum on; vacuum it now", vacuum);
    }
    let workers = autovacuums(relations);
    if relations.autovacuum_workers > 0 && figure(workers) >= of_i64(relations.autovacuum_workers) {
        return (
            format!("all {workers} autovacuum workers are busy elsewhere"),
            "vacuum it; then raise autovacuum_vacuum_cost_limit, or the workers (restart)",
            vacuum,
        );
    }
    (
        "autovacuum is due and has not come".to_owned(),
        "vacuum it; if it comes too late often: lower its scale factor, raise the cost limit",
        vacuum,
    )
}

/// Tables that waste much of their file, as the estimate says.
pub fn bloat(look: &Look<'_>) -> Vec<Finding> {
    let Some((relations, seen)) = known(look) else { return Vec::new() };
    let wasted = relations.rows.iter().filter_map(|r| {
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
