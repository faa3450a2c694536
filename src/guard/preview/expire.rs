//! The question before the expired rows of the cache table are removed.

use crate::model::cache::{CacheState, CacheTable};
use crate::model::unit::{Bytes, short_count};

use super::super::prompt::Row;
use super::super::{EXPIRE_BATCH, Named, Scene};
use super::Preview;
use super::maintain::typeable;

/// Describes it; `most` rows at most that had expired at `before`.
pub(super) fn of(table: &Named, before: &str, most: i64, scene: &Scene<'_>) -> Preview {
    let shown = table.shown();
    let cache = scene.world.cache.get();
    let rows = vec![
        Row { label: "table", text: format!("{shown} in database {}", table.key.database.head(64)) },
        Row { label: "holds", text: cache.map(holds).unwrap_or_default() },
        Row {
            label: "removes",
            text: format!(
                "rows that had expired at {before}, {EXPIRE_BATCH} in each transaction, at most {most} and no longer than \
                 5 min; the space stays with the table, as dead rows until a vacuum"
            ),
        },
        Row {
            label: "locks",
            text: "ROW EXCLUSIVE and the rows of a batch, for milliseconds; rows that others have locked are left"
                .to_owned(),
        },
    ];
    Preview {
        title: format!("Remove the expired rows of {shown}?"),
        rows,
        listed: Vec::new(),
        warnings: cache.map(warnings).unwrap_or_default(),
        name: typeable(&shown).unwrap_or_else(|| format!("oid {}", table.key.oid)),
    }
}

#[expect(clippy::cast_precision_loss, reason = "shown with three digits")]
fn holds(cache: &CacheTable) -> String {
    match &cache.state {
        CacheState::Read(c) => {
            let about = if c.sampled { "about " } else { "" };
            let size = c.bytes.map_or_else(String::new, |bytes| format!("; {}", Bytes(bytes).short()));
            format!(
                "{about}{} rows, {about}{} of them expired{size}",
                short_count(c.rows as f64),
                short_count(c.expired as f64)
            )
        }
        CacheState::NoTable | CacheState::Denied { .. } | CacheState::UnloggedOnStandby => "not known".to_owned(),
    }
}

fn warnings(cache: &CacheTable) -> Vec<String> {
    let mut warnings = Vec::new();
    let Some(target) = &cache.target else { return warnings };
    if target.triggers > 0 {
        warnings.push(format!("{} of its triggers run for what is deleted", target.triggers));
    }
    if target.references > 0 {
        warnings.push(format!(
            "{} foreign keys refer to it: what refers to a removed row is deleted, set to NULL, or stops the batch",
            target.references
        ));
    }
    if target.row_security {
        warnings.push(
            "row-level security applies to our role: rows that it hides are neither counted nor removed".to_owned(),
        );
    }
    warnings
}
