//! 9 Statements: the entries of `pg_stat_statements`, with their share of all and what they did since the last look.

use super::{text_cell, text_key};
use crate::model::statement::rate::Rates;
use crate::model::statement::{EntryKey, Statement, StatementOrder, Statements};
use crate::model::unit::{Bytes, short_count};
use crate::model::{ServerText, Tone, World};
use crate::table::{Cell, Column, Measure, Row, SortKey, Width};

/// Characters of a text that a list keeps: what a filter looks through.
const KEPT: usize = 2000;

/// An entry with what is known of it beside the counters.
#[derive(Debug, Clone, PartialEq)]
pub struct StatementRow {
    /// The counters.
    pub statement: Statement,
    /// The beginning of its text; none where it was not read yet.
    pub text: Option<ServerText>,
    /// The role's name.
    pub user: Option<ServerText>,
    /// The database's name.
    pub database: Option<ServerText>,
    /// What it did per second between the last two looks; none where that cannot be told.
    pub rates: Option<Rates>,
    /// Share of the execution time of all entries, 0 to 1.
    pub share: Option<f64>,
    /// Share of the execution time since the last look, 0 to 1.
    pub share_now: Option<f64>,
    /// Bytes of a block.
    pub block: i64,
}

impl Row for StatementRow {
    type Key = EntryKey;

    fn key(&self) -> EntryKey {
        self.statement.key
    }
}

impl StatementRow {
    /// All entries of the last answer but this console's own.
    #[must_use]
    pub fn all(statements: &Statements, world: &World, plan_user: Option<&ServerText>) -> Vec<Self> {
        let now = world.statements_interval.sum().map(|r| r.ms);
        let share = |part: f64, whole: f64| (whole > 0.0).then(|| part / whole);
        statements
            .entries
            .iter()
            .filter(|entry| !is_own(entry, statements, world, plan_user))
            .map(|entry| {
                let rates = world.statements_interval.rates(entry.key);
                let text = world.statement_texts.get(&entry.key.query);
                Self {
                    text: text.map(|t| ServerText::new(t.text.raw().chars().take(KEPT).collect::<String>())),
                    user: statements.users.get(&entry.key.user).cloned(),
                    database: statements.databases.get(&entry.key.database).cloned(),
                    share: share(entry.total_ms, statements.all.total_ms),
                    share_now: rates.zip(now).and_then(|(r, now)| share(r.ms, now)),
                    rates,
                    block: statements.block_size,
                    statement: entry.clone(),
                }
            })
            .collect()
    }

    /// How loud the row is: one that takes a large part of the time now, and more than an idle server's trifle.
    #[must_use]
    pub fn tone(&self) -> Tone {
        let (now, ms) = (self.share_now.unwrap_or(0.0), self.rates.map_or(0.0, |r| r.ms));
        if now >= 0.5 && ms >= 100.0 { Tone::Warning } else { Tone::Plain }
    }

    fn rate(&self, figure: fn(&Rates) -> f64) -> Option<f64> {
        self.rates.as_ref().map(figure)
    }

    #[expect(clippy::cast_precision_loss, reason = "blocks as bytes, shown in three digits")]
    fn blocks(&self, blocks: i64) -> f64 {
        blocks as f64 * self.block as f64
    }
}

/// True for a statement of this console: our role's, or of the one that plans are made as, and with the beginning of one
/// of ours.
#[must_use]
pub fn is_own(entry: &Statement, statements: &Statements, world: &World, plan_user: Option<&ServerText>) -> bool {
    let user = entry.key.user;
    let ours = user == statements.user_oid || plan_user.is_some_and(|role| statements.users.get(&user) == Some(role));
    ours && world.statement_texts.get(&entry.key.query).is_some_and(|t| t.own)
}

/// The server's ranking that a column asks for; a rate is ranked here, among all that the server sends.
#[must_use]
pub fn order_of(column: &str) -> StatementOrder {
    match column {
        "mean" | "max" => StatementOrder::Mean,
        "calls" | "calls/s" => StatementOrder::Calls,
        "rows" | "rows/s" => StatementOrder::Rows,
        "read" | "read/s" | "hit" => StatementOrder::Read,
        "temp" => StatementOrder::Temp,
        "wal" => StatementOrder::Wal,
        _ => StatementOrder::Total,
    }
}

/// A time in milliseconds in five or so cells: `0.04ms`, `12ms`, `3.2s`, `14m`, `3h`.
#[must_use]
pub fn short_ms(ms: f64) -> String {
    if ms < 0.995 {
        format!("{ms:.2}ms")
    } else if ms < 9.95 {
        format!("{ms:.1}ms")
    } else if ms < 999.5 {
        format!("{ms:.0}ms")
    } else {
        crate::model::unit::Age(ms / 1000.0).short()
    }
}

fn count(figure: Option<f64>) -> Cell {
    figure.map_or_else(Cell::none, |f| Cell::plain(short_count(f)))
}

/// A size, where there is one: a column of `0 B` would hide the rows that have some.
fn bytes(figure: f64) -> Cell {
    #[expect(clippy::cast_possible_truncation, reason = "bytes, shown in three digits")]
    let shown = Bytes(figure as i64).short();
    if figure > 0.0 { Cell::plain(shown) } else { Cell::toned("·", Tone::Faint) }
}

fn percent(share: Option<f64>, tone: Tone) -> Cell {
    share.map_or_else(Cell::none, |s| Cell::toned(format!("{:.0}%", s * 100.0), tone))
}

#[expect(clippy::cast_precision_loss, reason = "counters, to sort by and to show in three digits")]
fn figure(n: i64) -> f64 {
    n as f64
}

macro_rules! column {
    ($name:literal, $title:literal, $measure:ident, $width:literal, $rank:literal, $doc:literal, $cell:expr, $key:expr) => {
        Column {
            name: $name,
            title: $title,
            doc: $doc,
            width: Width::Fixed($width),
            rank: $rank,
            cell: $cell,
            key: $key,
            measure: Measure::$measure,
            ..Column::FIGURE
        }
    };
}

macro_rules! name {
    ($name:literal, $doc:literal, $field:ident) => {
        Column {
            name: $name,
            title: $name,
            doc: $doc,
            width: Width::Fit(4, 12),
            rank: 4,
            cell: |r: &StatementRow| text_cell(r.$field.as_ref(), Tone::Faint),
            key: |r: &StatementRow| text_key(r.$field.as_ref()),
            ..Column::TEXT
        }
    };
}

/// Columns of Statements.
pub const COLUMNS: &[Column<StatementRow>] = &[
    column!(
        "total",
        "total",
        Milliseconds,
        6,
        1,
        "execution time in all, since the counters began",
        |r| Cell::plain(short_ms(r.statement.total_ms)),
        |r| SortKey::Number(r.statement.total_ms)
    ),
    column!(
        "share",
        "share",
        Share,
        5,
        0,
        "share of the execution time of all statements",
        |r| percent(r.share, Tone::Plain),
        |r| SortKey::number(r.share)
    ),
    column!(
        "ms/s",
        "ms/s",
        Count,
        5,
        0,
        "milliseconds of execution per second since the last look: 1000 is one backend busy all the time",
        |r| r.rates.map_or_else(Cell::none, |rates| Cell::toned(short_count(rates.ms), r.tone())),
        |r| SortKey::number(r.rate(|x| x.ms))
    ),
    column!(
        "calls",
        "calls",
        Count,
        5,
        3,
        "calls that ended",
        |r| Cell::plain(short_count(figure(r.statement.calls))),
        |r| { SortKey::Number(figure(r.statement.calls)) }
    ),
    column!(
        "calls/s",
        "calls/s",
        Count,
        7,
        1,
        "calls per second since the last look",
        |r| count(r.rate(|x| x.calls)),
        |r| { SortKey::number(r.rate(|x| x.calls)) }
    ),
    column!(
        "mean",
        "mean",
        Milliseconds,
        6,
        0,
        "execution time of one call on average",
        |r| r.statement.mean_ms().map_or_else(Cell::none, |m| Cell::plain(short_ms(m))),
        |r| SortKey::number(r.statement.mean_ms())
    ),
    column!("max", "max", Milliseconds, 6, 4, "the longest call", |r| Cell::plain(short_ms(r.statement.max_ms)), |r| {
        SortKey::Number(r.statement.max_ms)
    }),
    column!(
        "rows",
        "rows",
        Count,
        5,
        5,
        "rows returned or changed",
        |r| Cell::plain(short_count(figure(r.statement.rows))),
        |r| SortKey::Number(figure(r.statement.rows))
    ),
    column!(
        "rows/s",
        "rows/s",
        Count,
        6,
        3,
        "rows per second since the last look",
        |r| count(r.rate(|x| x.rows)),
        |r| { SortKey::number(r.rate(|x| x.rows)) }
    ),
    column!(
        "read",
        "read",
        Bytes,
        6,
        3,
        "bytes of blocks read from outside the buffers",
        |r| bytes(r.blocks(r.statement.read)),
        |r| SortKey::Number(r.blocks(r.statement.read))
    ),
    column!(
        "read/s",
        "read/s",
        Bytes,
        6,
        2,
        "the same per second since the last look",
        |r| r.rate(|x| x.read).map_or_else(Cell::none, |x| bytes(x * figure(r.block))),
        |r| SortKey::number(r.rate(|x| x.read).map(|x| x * figure(r.block)))
    ),
    column!(
        "hit",
        "hit",
        Share,
        4,
        5,
        "share of blocks that were in the buffers",
        |r| percent(r.statement.hit_ratio(), Tone::Plain),
        |r| SortKey::number(r.statement.hit_ratio())
    ),
    column!(
        "temp",
        "temp",
        Bytes,
        6,
        3,
        "bytes of temporary blocks read and written: sorts and hashes that did not fit work_mem",
        |r| bytes(r.blocks(r.statement.temp)),
        |r| SortKey::Number(r.blocks(r.statement.temp))
    ),
    column!("wal", "WAL", Bytes, 6, 5, "bytes of WAL", |r| r.statement.wal_bytes.map_or_else(Cell::none, bytes), |r| {
        SortKey::number(r.statement.wal_bytes)
    }),
    name!("user", "the role that ran it", user),
    name!("database", "the database that it ran in", database),
    Column {
        name: "statement",
        title: "statement",
        doc: "its text, constants replaced by $n; (nested) where it ran inside a function",
        width: Width::Rest(30),
        cell: |r| {
            let nested = if r.statement.key.toplevel { "" } else { "(nested) " };
            match &r.text {
                Some(text) => Cell::toned(format!("{nested}{}", text.head(super::HEAD)), r.tone()),
                None => Cell::toned(format!("{nested}text not read yet"), Tone::Faint),
            }
        },
        key: |r| text_key(r.text.as_ref()),
        ..Column::TEXT
    },
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_time_is_written_in_few_characters() {
        let shown: Vec<String> = [0.0, 0.044, 0.999, 4.25, 12.4, 999.0, 3_200.0, 900_000.0].map(short_ms).into();
        assert_eq!(shown, ["0.00ms", "0.04ms", "1.0ms", "4.2ms", "12ms", "999ms", "3.2s", "15m"]);
    }

    #[test]
    fn every_figure_that_the_server_ranks_by_is_reached_by_a_column() {
        for order in StatementOrder::ALL {
            assert!(COLUMNS.iter().any(|c| order_of(c.name) == order), "{order:?}");
        }
    }
}
