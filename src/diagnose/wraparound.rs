//! Transaction and multixact ids that run out, by database.
//!
//! At 1 of `autovacuum_freeze_max_age` a vacuum is forced, which is normal; far beyond it does not keep up.

use super::finding::{Finding, Harm, Kind, Severity, Target};
use super::rule::Look;
use super::words::{of_i64, percent};
use crate::command::Tab;
use crate::model::relation::DatabaseTotals;
use crate::model::unit::short_count;

/// Ids after which the server stops giving out new ones: 2^31 less the 3 million of its stop limit (1 million on 13).
const LAST_ID: f64 = 2_144_483_647.0;

/// From this share of all ids on it is critical: the warnings of the server begin 40 million before the end.
const CRITICAL_SHARE: f64 = 0.9;

/// From this share on it is a warning, whatever the forced vacuum does.
const WARNING_SHARE: f64 = 0.5;

/// Databases whose ids run out.
pub fn databases(look: &Look<'_>) -> Vec<Finding> {
    let Some((relations, seen)) = look.world.relations.value.as_ref() else { return Vec::new() };
    let forced_at = relations.rows.iter().map(|r| r.freeze_max_age).max().filter(|age| *age > 0);
    let found = relations.databases.iter().filter_map(|d| {
        let (age, what) = oldest(d);
        let share = age / LAST_ID;
        let late = forced_at.is_some_and(|at| of_i64(d.xid_age) >= of_i64(at) * look.limits.freeze_share);
        let severity = match () {
            () if share >= CRITICAL_SHARE => Severity::Critical,
            () if share >= WARNING_SHARE || late => Severity::Warning,
            () => return None,
        };
        let forced = forced_at.map_or_else(String::new, |at| {
            format!("; a vacuum is forced at {}", short_count(of_i64(at)))
        });
        Some(Finding {
            severity,
            fact: format!("database {}: {what} are {} old, {} of the way to the stop", d.name.head(40), short_count(age), percent(share)),
            evidence: format!("{} ids are left{forced}", short_count((LAST_ID - age).max(0.0))),
            todo: "see which tables are oldest on Tables, whether their vacuum runs, and what holds the horizon; VACUUM them in order of age".to_owned(),
            harm: Harm { now: 0.0, coming: share },
            ..Finding::of(Kind::Wraparound, d.name.raw(), *seen, Target::Tab(Tab::Tables))
        })
    });
    found.collect()
}

fn oldest(d: &DatabaseTotals) -> (f64, &'static str) {
    if d.mxid_age > d.xid_age { (of_i64(d.mxid_age), "multixact ids") } else { (of_i64(d.xid_age), "transaction ids") }
}
