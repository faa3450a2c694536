//! Transaction and multixact ids that run out, by database.
//!
//! At 1 of `autovacuum_freeze_max_age`, or of `autovacuum_multixact_freeze_max_age`, a vacuum is forced, which is normal; far
//! beyond it does not keep up.

use super::finding::{Finding, Harm, Kind, Severity, Target};
use super::rule::Look;
use super::words::{of_i64, percent};
use crate::command::Tab;
use crate::model::relation::{DatabaseTotals, Relations};
use crate::model::unit::short_count;

/// Ids after which the server stops giving out new ones: 2^31 less the 3 million of its stop limit (1 million on 13).
pub const LAST_ID: f64 = 2_144_483_647.0;

/// From this share of all ids on it is critical: the warnings of the server begin 40 million before the end.
const CRITICAL_SHARE: f64 = 0.9;

/// From this share on it is a warning, whatever the forced vacuum does.
const WARNING_SHARE: f64 = 0.5;

/// A forced vacuum that does not keep up is a warning from this share on: where `autovacuum_freeze_max_age` is set far
/// below its default of 200 million, years may be left.
const LATE_SHARE: f64 = 0.1;

/// Databases whose ids run out: transaction ids, and multixact ids, which rows that several transactions lock use up.
pub fn databases(look: &Look<'_>) -> Vec<Finding> {
    let Some((relations, seen)) = look.world.relations.value.as_ref() else { return Vec::new() };
    let found = relations.databases.iter().flat_map(|d| {
        [
            (d.xid_age, d.xid_forced_at, "transaction ids", d.name.raw().to_owned(), tables(relations, d)),
            // No column of Tables tells these.
            (
                d.mxid_age,
                d.mxid_forced_at,
                MULTIXACT,
                format!("{} multixact", d.name.raw()),
                Target::Figures(Tab::Triage),
            ),
        ]
        .into_iter()
        .filter_map(|(age, forced_at, what, subject, target)| {
            let ids = Ids { age: of_i64(age), forced_at: forced_at.map(of_i64).filter(|at| *at > 0.0), what };
            let multixact = what == MULTIXACT;
            let finding = Finding::of(Kind::Wraparound, subject, *seen, target);
            let severity = ids.severity(look)?;
            let held = if multixact { String::new() } else { catalogs(look) };
            Some(ids.told(d, severity, &held, finding))
        })
    });
    found.collect()
}

const MULTIXACT: &str = "multixact ids";

/// The slot that keeps the catalogs of every database from being frozen, where it does so for long.
fn catalogs(look: &Look<'_>) -> String {
    super::horizon::of_catalogs(look).map_or_else(String::new, |(slot, age)| {
        format!("; slot {} keeps the catalogs {} transactions back", slot.name.head(40), short_count(of_i64(age)))
    })
}

/// The tables of the database that is looked at, the oldest first; of another one no table is known.
fn tables(relations: &Relations, d: &DatabaseTotals) -> Target {
    let here = d.name == relations.database;
    if here { Target::Ranked("freeze".to_owned()) } else { Target::Figures(Tab::Triage) }
}

/// The ids of a database that one counter gives out.
struct Ids {
    age: f64,
    /// From which age on a vacuum is forced.
    forced_at: Option<f64>,
    what: &'static str,
}

impl Ids {
    fn share(&self) -> f64 {
        self.age / LAST_ID
    }

    fn severity(&self, look: &Look<'_>) -> Option<Severity> {
        let late = self.forced_at.is_some_and(|at| self.age >= at * look.limits.freeze_share);
        match self.share() {
            share if share >= CRITICAL_SHARE => Some(Severity::Critical),
            share if share >= WARNING_SHARE || (late && share >= LATE_SHARE) => Some(Severity::Warning),
            _ => late.then_some(Severity::Notice),
        }
    }

    fn told(&self, d: &DatabaseTotals, severity: Severity, held: &str, finding: Finding) -> Finding {
        let share = self.share();
        let forced =
            self.forced_at.map_or_else(String::new, |at| format!("; a vacuum is forced at {}", short_count(at)));
        Finding {
            severity,
            fact: format!(
                "database {}: {} are {} old, {} of the way to the stop",
                d.name.head(40),
                self.what,
                short_count(self.age),
                percent(share)
            ),
            evidence: format!("{} ids are left{forced}{held}", short_count((LAST_ID - self.age).max(0.0))),
            todo: if d.connectable {
                "see which tables are oldest on Tables, whether their vacuum runs, and what holds the horizon; VACUUM them in \
                 order of age"
            } else {
                "nobody may connect to it, and autovacuum alone vacuums it: see whether its workers run, and what holds the \
                 horizon"
            }
            .to_owned(),
            harm: Harm { now: 0.0, coming: share },
            ..finding
        }
    }
}
