//! Work that tells how far it is, in all databases: rows made into [`Running`].
//!
//! A relation has a name only where it is one of the database that we are in: an OID of another one may mean anything here.

use std::collections::BTreeMap;

use serde::de::DeserializeOwned;

use crate::model::progress::{Place, Progress, Running, Work};
use crate::model::session::Wait;
use crate::model::{ProbeError, ServerText};
use crate::postgres::Rows;

use super::row::{Row, pids, rows_of};
use super::seat::{Seat, optional};
use super::sessions::Memory;
use super::sql::{self, Value};

/// The names of relations by OID.
pub type Names = BTreeMap<u32, ServerText>;

/// Asks who is at such work; for names only where the catalog of them is not known to be locked.
///
/// # Errors
/// See [`ProbeError`].
pub async fn ask(seat: &mut Seat, memory: &mut Memory) -> Result<Running, ProbeError> {
    let rows = seat.ask(sql::PROGRESS, &[]).await?;
    let oids = to_name(&rows)?;
    let mut names = Names::new();
    if !oids.is_empty() && memory.may_ask_names() {
        let answer = seat.ask(sql::PROGRESS_NAMES, &[("oids", Value::Integers(&oids))]).await;
        if matches!(answer, Err(ProbeError::Locked(_))) {
            memory.leave_names();
        }
        if let Some(rows) = optional(answer)? {
            names = read_names(&rows)?;
        }
    }
    read(&rows, &names)
}

/// The relations of our own database among the rows.
///
/// # Errors
/// [`ProbeError::Shape`] where a column is missing or unreadable.
pub fn to_name(rows: &Rows) -> Result<Vec<u32>, ProbeError> {
    let mut oids: Vec<u32> = Vec::new();
    for row in rows_of(rows) {
        if row.flag("here")? {
            oids.extend(row.number::<u32>("relid")?);
            oids.extend(row.number::<u32>("index_relid")?);
        }
    }
    Ok(oids)
}

/// Reads the answer to `progress_names.sql`.
///
/// # Errors
/// [`ProbeError::Shape`] where a column is missing or unreadable.
pub fn read_names(rows: &Rows) -> Result<Names, ProbeError> {
    rows_of(rows).map(|row| Ok((row.need("oid")?, row.shown("name")?.unwrap_or_default()))).collect()
}

/// Reads the answer to `progress.sql`.
///
/// # Errors
/// [`ProbeError::Shape`] where a column is missing or unreadable.
pub fn read(rows: &Rows, names: &Names) -> Result<Running, ProbeError> {
    let rows: Vec<Progress> = rows_of(rows).map(|row| progress(&row, names)).collect::<Result<_, _>>()?;
    Ok(Running { hidden: rows.iter().filter(|row| row.hidden).count(), rows })
}

fn progress(row: &Row<'_>, names: &Names) -> Result<Progress, ProbeError> {
    let hidden = row.flag("hidden")?;
    let here = row.flag("here")?;
    let place = |column: &str| -> Result<Option<Place>, ProbeError> {
        let oid = row.number::<u32>(column)?;
        Ok(oid.map(|oid| Place { oid, here, name: names.get(&oid).filter(|_| here).cloned() }))
    };
    Ok(Progress {
        pid: row.need("pid")?,
        backend_start: row.string("backend_start")?,
        database: row.shown("database")?,
        relation: place("relid")?,
        index: place("index_relid")?,
        command: row.string("command")?,
        phase: row.string("phase")?,
        work: work(row, hidden)?,
        hidden,
        auto: row.flag("auto")?,
        wraparound: row.flag("wraparound")?,
        age_s: row.number("age_s")?,
        wait: match (row.string("wait_event_type")?, row.string("wait_event")?) {
            (Some(class), Some(event)) => Some(Wait { class, event }),
            _ => None,
        },
        blocked_by: pids(row.text("blocked_by")?.unwrap_or_default())?,
        pace: None,
    })
}

fn work(row: &Row<'_>, hidden: bool) -> Result<Work, ProbeError> {
    let figures = row.text("figures")?.filter(|_| !hidden);
    Ok(match row.text("work")?.unwrap_or_default() {
        "vacuum" => Work::Vacuum(figured(figures)?),
        "analyze" => Work::Analyze(figured(figures)?),
        "create_index" => Work::CreateIndex(figured(figures)?),
        "cluster" => Work::Cluster(figured(figures)?),
        "basebackup" => Work::BaseBackup(figured(figures)?),
        "copy" => Work::Copy(figured(figures)?),
        other => return Err(ProbeError::Shape(format!("work = {other}"))),
    })
}

/// The figures, which are all null where they are hidden.
fn figured<T: DeserializeOwned + Default>(json: Option<&str>) -> Result<T, ProbeError> {
    let Some(json) = json else { return Ok(T::default()) };
    serde_json::from_str(json).map_err(|error| ProbeError::Shape(format!("figures: {error}")))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::progress::figures::Vacuum;

    const COLUMNS: [&str; 16] = [
        "work",
        "pid",
        "relid",
        "index_relid",
        "command",
        "phase",
        "hidden",
        "figures",
        "database",
        "here",
        "backend_start",
        "auto",
        "wraparound",
        "age_s",
        "wait_event_type",
        "blocked_by",
    ];

    fn answer(row: &[(&str, &str)]) -> Rows {
        let columns: Vec<&str> = COLUMNS.iter().copied().chain(["wait_event"]).collect();
        let values: Vec<Option<&str>> =
            columns.iter().map(|c| row.iter().find(|(name, _)| name == c).map(|(_, value)| *value)).collect();
        Rows::made_up(&columns, &[&values])
    }

    #[test]
    fn an_oid_of_another_database_never_gets_a_name_of_ours() {
        let vacuum = [("work", "vacuum"), ("pid", "7"), ("relid", "16412"), ("figures", "{}"), ("here", "t")];
        let names = Names::from([(16_412, ServerText::from("orders"))]);
        let read_one = |row: &[(&str, &str)]| read(&answer(row), &names).unwrap().rows.remove(0).relation.unwrap();
        assert_eq!(read_one(&vacuum).name, Some("orders".into()));
        assert_eq!(to_name(&answer(&vacuum)), Ok(vec![16_412]));
        let elsewhere = [&vacuum[..4], &[("here", "f")]].concat();
        assert_eq!((read_one(&elsewhere).name, read_one(&elsewhere).oid), (None, 16_412));
        assert_eq!(to_name(&answer(&elsewhere)), Ok(Vec::new()));
    }

    #[test]
    fn hidden_figures_are_counted_and_those_of_a_version_that_lacks_them_stay_unknown() {
        let nulls = r#"{"heap_blks_total": null, "heap_blks_scanned": null}"#;
        let hidden = answer(&[("work", "vacuum"), ("pid", "7"), ("hidden", "t"), ("figures", nulls)]);
        assert_eq!(read(&hidden, &Names::new()).map(|r| r.hidden), Ok(1));
        let old = r#"{"heap_blks_total": 9, "max_dead_tuples": 291, "index_vacuum_count": 0}"#;
        let row = answer(&[("work", "vacuum"), ("pid", "7"), ("figures", old)]);
        let expected = Vacuum { heap_blks_total: 9, max_dead_tuples: Some(291), ..Vacuum::default() };
        assert_eq!(read(&row, &Names::new()).unwrap().rows[0].work, Work::Vacuum(expected));
        let unknown = answer(&[("work", "repack"), ("pid", "7"), ("figures", "{}")]);
        assert!(matches!(read(&unknown, &Names::new()), Err(ProbeError::Shape(_))));
    }
}
