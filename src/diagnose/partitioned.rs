//! An index of a partitioned table that is not valid: why, what is lost by it and what makes it valid, for its finding and
//! its detail. It finds nothing.

use crate::model::index::{Index, Partitions};

/// Why the index of a partitioned table is not valid.
#[must_use]
pub fn lack(parts: &Partitions) -> String {
    match parts.without() {
        0 if parts.invalid > 0 => {
            format!("of the {} indexes of its partitions {} not valid", parts.all, are(parts.invalid))
        }
        0 => format!("the indexes of all {} partitions are attached, one became valid only then", parts.all),
        n => format!("{n} of {} partitions {} no index attached to it", parts.all, if n == 1 { "has" } else { "have" }),
    }
}

fn are(n: i64) -> String {
    if n == 1 { "1 is".to_owned() } else { format!("{n} are") }
}

/// What is lost by that: nobody scans the index itself, only those of the partitions.
#[must_use]
pub fn loss(index: &Index) -> &'static str {
    if index.needed.unique {
        "no ON CONFLICT and no foreign key can rest on it, and a partition without its part keeps nothing unique"
    } else {
        "queries use the parts that are there; a partition without one is read from end to end"
    }
}

/// What makes it valid. No REINDEX does, and to drop it drops the indexes of its partitions, too.
#[must_use]
pub fn attaching(parts: &Partitions) -> String {
    let words = match parts.without() {
        0 if parts.invalid > 0 => {
            "REINDEX those that are not valid, then ALTER INDEX … ATTACH PARTITION once more for one of them"
        }
        // Measured: 15.18 and 18.4 look again, 13.23 does not.
        0 => "ALTER INDEX … ATTACH PARTITION once more for one of them: newer minor releases then look again",
        n if parts.foreign >= n => {
            "a foreign table can have no index, so this one stays INVALID; CREATE INDEX without ONLY makes one that is valid"
        }
        _ => "build it on those CONCURRENTLY, then ALTER INDEX … ATTACH PARTITION each: the last one makes it valid",
    };
    words.to_owned()
}
