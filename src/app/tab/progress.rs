//! 5 Tables, its progress: who is at work that tells how far it is, in all databases, and what each waits for.

use super::{age_cell, text_cell, text_key};
use crate::model::progress::{Measure, Place, Progress, Running, Unit, Work};
use crate::model::session::SessionKey;
use crate::model::unit::{Age, Bytes, short_count};
use crate::model::{ServerText, Tone};
use crate::table::{self, Cell, Column, Direction, Row, SortKey, Width};

/// Cells of a bar.
const BAR: u8 = 10;

/// One backend at such work.
#[derive(Debug, Clone, PartialEq)]
pub struct ProgressRow {
    /// What it does.
    pub progress: Progress,
    /// True where it is a job of this console.
    pub ours: bool,
}

impl Row for ProgressRow {
    type Key = SessionKey;

    fn key(&self) -> SessionKey {
        self.progress.key()
    }
}

impl ProgressRow {
    /// All rows of the last answer; `ours` are the backends that run our jobs.
    #[must_use]
    pub fn all(running: &Running, ours: &[i32]) -> Vec<Self> {
        running.rows.iter().map(|p| Self { ours: ours.contains(&p.pid), progress: p.clone() }).collect()
    }

    /// What it runs, in PostgreSQL's own words.
    #[must_use]
    pub fn what(&self) -> String {
        let p = &self.progress;
        let word = match (&p.command, &p.work) {
            (Some(command), _) => ServerText::from(command.as_str()).head(40),
            (None, Work::Vacuum(_)) => "VACUUM".to_owned(),
            (None, Work::Analyze(_)) => "ANALYZE".to_owned(),
            (None, Work::CreateIndex(_)) => "CREATE INDEX".to_owned(),
            (None, Work::Cluster(_)) => "CLUSTER".to_owned(),
            (None, Work::BaseBackup(_)) => "base backup".to_owned(),
            (None, Work::Copy(_)) => "COPY".to_owned(),
        };
        match (self.ours, p.auto) {
            (true, _) => format!("ours: {word}"),
            // Only autovacuum does that.
            (false, true) if p.wraparound => format!("{word} to prevent wraparound"),
            (false, true) => format!("autovacuum: {word}"),
            (false, false) => word,
        }
    }

    /// On what: `database.relation`; an OID where a name cannot be known here.
    #[must_use]
    pub fn target(&self) -> String {
        let p = &self.progress;
        if matches!(p.work, Work::BaseBackup(_)) {
            return "the whole server".to_owned();
        }
        let database = p.database.as_ref().map_or_else(|| "?".to_owned(), |d| d.head(63));
        let on = match (&p.relation, &p.work) {
            (Some(Place { name: Some(name), .. }), _) => format!(".{}", name.head(120)),
            (Some(Place { oid, .. }), _) => format!(", oid {oid}"),
            (None, Work::Copy(_)) if !p.hidden => ", a query".to_owned(),
            (None, _) => ", hidden".to_owned(),
        };
        let index = p.index.as_ref().and_then(|i| i.name.as_ref()).map_or_else(String::new, |i| {
            // The schema is its table's.
            format!(" ({})", i.head(120))
        });
        format!("{database}{on}{index}")
    }

    /// What is known of how far it is: a bar with the share of its phase, else what was counted.
    #[must_use]
    pub fn far(&self) -> String {
        match self.progress.measure() {
            Some(measure) => measure.share().map_or_else(|| self.counted(&measure), bar),
            None => String::new(),
        }
    }

    /// Who stands in its way, each once: who holds the lock that it waits for, and whom an index build waits out.
    #[must_use]
    pub fn behind(&self) -> Vec<i32> {
        let p = &self.progress;
        let locker = p.locker().filter(|pid| !p.blocked_by.contains(pid));
        p.blocked_by.iter().copied().chain(locker).collect()
    }

    /// What was counted, in words.
    #[must_use]
    pub fn counted(&self, measure: &Measure) -> String {
        let amount = |n: i64| if measure.unit == Unit::Bytes { Bytes(n).short() } else { short_count(float(n)) };
        let of = measure
            .total
            .map_or_else(|| amount(measure.done), |t| format!("{} of {}", amount(measure.done), amount(t)));
        match measure.unit {
            Unit::Lockers => format!("{of} waited for"),
            Unit::Bytes => of,
            Unit::Blocks | Unit::Rows | Unit::Indexes | Unit::Statistics => format!("{of} {}", unit(measure.unit)),
        }
    }

    /// How long the phase may take still, or that nothing moves.
    fn left(&self) -> Cell {
        let (Some(measure), Some(pace)) = (self.progress.measure(), self.progress.pace) else { return Cell::none() };
        if let Some(still) = pace.still_s() {
            // Whoever waits for others has its reason on the screen already.
            let tone = if measure.unit == Unit::Lockers { Tone::Faint } else { Tone::Notice };
            return Cell::toned(format!("still {}", Age(still).short()), tone);
        }
        pace.left_s(&measure).map_or_else(Cell::none, |s| Cell::plain(format!("~{}", Age(s).short())))
    }

    fn wait(&self) -> Cell {
        let behind = self.behind();
        if let Some(first) = behind.first() {
            let who = if *first == 0 { "a prepared transaction".to_owned() } else { first.to_string() };
            let more = behind.len() - 1;
            let more = if more > 0 { format!(" +{more}") } else { String::new() };
            return Cell::toned(format!("behind {who}{more}"), Tone::Warning);
        }
        let text = self.progress.wait.as_ref().map(|w| ServerText::from(format!("{}:{}", w.class, w.event).as_str()));
        text_cell(text.as_ref(), Tone::Faint)
    }

    /// How loud the row is.
    #[must_use]
    pub fn tone(&self) -> Tone {
        let p = &self.progress;
        if !self.behind().is_empty() {
            Tone::Warning
        } else if p.wraparound {
            Tone::Notice
        } else if self.ours {
            Tone::Good
        } else {
            Tone::Plain
        }
    }
}

/// In what is counted, in a word.
#[must_use]
pub fn unit(unit: Unit) -> &'static str {
    match unit {
        Unit::Blocks => "blocks",
        Unit::Rows => "rows",
        Unit::Bytes => "bytes",
        Unit::Indexes => "indexes",
        Unit::Statistics => "extended statistics",
        Unit::Lockers => "transactions",
    }
}

/// A share as a bar with its percents, neither of them rounded up: what is not done is not full.
#[must_use]
#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a share of 0 to 1, as whole cells")]
pub fn bar(share: f64) -> String {
    let full = usize::from((share * f64::from(BAR)).floor() as u8);
    let rest = usize::from(BAR).saturating_sub(full);
    format!("{}{} {:>3.0}%", "█".repeat(full), "░".repeat(rest), (share * 100.0).floor())
}

#[expect(clippy::cast_precision_loss, reason = "counts, shown in three digits")]
fn float(n: i64) -> f64 {
    n as f64
}

/// Columns of the progress.
pub const COLUMNS: &[Column<ProgressRow>] = &[
    Column {
        name: "pid",
        title: "pid",
        doc: "the backend that does it",
        width: Width::Fit(5, 8),
        cell: |r| Cell::toned(r.progress.pid.to_string(), r.tone()),
        key: |r| SortKey::Number(f64::from(r.progress.pid)),
        ..Column::FIGURE
    },
    Column {
        name: "what",
        title: "does",
        doc: "what it runs; autovacuum's own, and whether it prevents wraparound",
        width: Width::Rest(18),
        cell: |r| Cell::toned(r.what(), r.tone()),
        key: |r| SortKey::Text(r.what()),
        ..Column::TEXT
    },
    Column {
        name: "target",
        title: "on",
        doc: "database and relation; an OID where the relation is one of another database",
        width: Width::Fit(6, 28),
        rank: 1,
        cell: |r| Cell::plain(r.target()),
        key: |r| SortKey::Text(r.target()),
        ..Column::TEXT
    },
    Column {
        name: "phase",
        title: "phase",
        doc: "the phase, in PostgreSQL's own words",
        width: Width::Fit(5, 42),
        rank: 3,
        cell: |r| text_cell(r.progress.phase.as_deref().map(ServerText::from).as_ref(), Tone::Plain),
        key: |r| text_key(r.progress.phase.as_deref().map(ServerText::from).as_ref()),
        ..Column::TEXT
    },
    Column {
        name: "share",
        title: "done",
        doc: "the share of its phase; where the server tells none, what it counted",
        width: Width::Fit(8, 20),
        first: Direction::Descending,
        cell: |r| if r.progress.hidden { Cell::toned("hidden", Tone::Notice) } else { Cell::plain(r.far()) },
        key: |r| SortKey::number(r.progress.measure().and_then(|m| m.share())),
        measure: table::Measure::Share,
        ..Column::TEXT
    },
    Column {
        name: "left",
        title: "left",
        doc: "of this phase, at the pace of the last half minute to minute; or since when nothing moved",
        width: Width::Fit(0, 9),
        rank: 2,
        first: Direction::Ascending,
        cell: ProgressRow::left,
        key: |r| SortKey::number(r.progress.measure().and_then(|m| r.progress.pace?.left_s(&m))),
        ..Column::AGE
    },
    Column {
        name: "age",
        title: "age",
        doc: "since its statement began; of an autovacuum worker since it took up this table",
        rank: 1,
        cell: |r| age_cell(r.progress.age_s, Tone::Plain),
        key: |r| SortKey::number(r.progress.age_s),
        ..Column::AGE
    },
    Column {
        name: "wait",
        title: "waits",
        doc: "who blocks it, or what it waits for",
        width: Width::Fit(5, 26),
        rank: 4,
        cell: ProgressRow::wait,
        key: |r| SortKey::Text(r.wait().text),
        ..Column::TEXT
    },
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bar_is_full_only_where_all_is_done() {
        assert_eq!(bar(0.0), "░░░░░░░░░░   0%");
        assert_eq!(bar(0.429), "████░░░░░░  42%");
        assert_eq!(bar(0.999), "█████████░  99%");
        assert_eq!(bar(1.0), "██████████ 100%");
    }
}
