//! What of tables and indexes was looked at, and what was not.

use super::super::finding::Unchecked;
use super::super::rule::Look;
use super::super::words::counted;
use super::{failed, role};
use crate::model::relation::Relations;
use crate::model::unit::Age;

/// Counters that are younger than this do not tell what is dead in a table: autovacuum has not been everywhere since.
const FORGOTTEN_S: f64 = 3600.0;

/// How many tables were judged.
fn judged(relations: &Relations) -> i64 {
    i64::try_from(relations.read().count()).unwrap_or(i64::MAX)
}

/// `200 of 4312 tables and 61 indexes of shop`.
pub fn seen(look: &Look<'_>, relations: &Relations) -> String {
    let indexes = look.world.indexes.get().filter(|i| i.database == relations.database);
    let indexes = indexes.map_or_else(String::new, |i| match i.total {
        1 => " and 1 index".to_owned(),
        n => format!(" and {n} indexes"),
    });
    let read = relations.read().count();
    let tables = if judged(relations) < relations.total {
        format!("{read} of {} tables", relations.total)
    } else {
        counted(read, "table")
    };
    format!("{tables}{indexes} of {}", relations.database.head(24))
}

/// What of tables was not looked at.
pub fn tables(look: &Look<'_>, out: &mut Vec<Unchecked>) {
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
    let left = relations.total.saturating_sub(judged(relations));
    if left > 0 {
        let what = format!("{left} of {} tables", relations.total);
        out.push(Unchecked::of(what, "the ones with the fewest dead rows and scans", ""));
    }
    if relations.in_recovery {
        out.push(Unchecked::of("dead rows and vacuum", "a standby's statistics are its own", "look at the primary"));
    }
    if !relations.counted {
        let what = "new dead rows, deadlocks, temporary files";
        out.push(Unchecked::of(what, "they are not counted", "track_counts = on"));
    }
    let of_it = look.world.indexes.value.as_ref().filter(|(i, _)| i.database == relations.database);
    let counted_s = of_it.map(|(i, at)| i.counted_s + look.since(*at));
    if let Some(seconds) = counted_s.filter(|s| relations.counted && !relations.in_recovery && *s < FORGOTTEN_S) {
        let why = format!(
            "rows were counted for {} only, as far as is known: a crash or a reset forgets",
            Age(seconds).short()
        );
        out.push(Unchecked::of("dead rows from before", why, "ANALYZE counts them anew"));
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

/// What of indexes was not looked at.
pub fn indexes(look: &Look<'_>, out: &mut Vec<Unchecked>) {
    let what = "indexes";
    if let Some((why, cure)) = failed(&look.world.indexes, look) {
        out.push(Unchecked::of(what, why, cure));
    }
    let Some((indexes, at)) = look.world.indexes.value.as_ref() else {
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
        let counted_s = indexes.counted_s + look.since(*at);
        let why = format!("scans were counted for {} only, as far as is known", Age(counted_s).short());
        out.push(Unchecked::of("unused indexes", why, ""));
    }
}
