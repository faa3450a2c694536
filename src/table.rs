//! One list for every tab: columns as data, rows sorted and filtered once per change, a selection that follows its row.
//!
//! It knows neither what a row is nor how a cell is drawn.

mod any;
pub mod filter;
pub mod measure;

use std::cmp::Ordering;

pub use any::AnyListing;
pub use filter::Filter;
pub use measure::Measure;

use crate::model::Tone;

/// Something that can stand in a list.
pub trait Row {
    /// Its identity: what the selection follows, whatever the order.
    type Key: Clone + PartialEq;

    /// Its identity.
    fn key(&self) -> Self::Key;
}

/// What a cell shows; the text is safe to draw.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Cell {
    /// The text.
    pub text: String,
    /// How much it asks for attention.
    pub tone: Tone,
}

impl Cell {
    /// A cell in the plain tone.
    pub fn plain(text: impl Into<String>) -> Self {
        Self { text: text.into(), tone: Tone::Plain }
    }

    /// A cell in that tone.
    pub fn toned(text: impl Into<String>, tone: Tone) -> Self {
        Self { text: text.into(), tone }
    }

    /// A cell for what does not apply.
    #[must_use]
    pub fn none() -> Self {
        Self { text: String::new(), tone: Tone::Faint }
    }
}

/// What a column sorts and compares by. What is not known stands last, in whichever direction.
#[derive(Debug, Clone, PartialEq)]
pub enum SortKey {
    /// Not known.
    Unknown,
    /// A figure: seconds, bytes, counts, ratios as 0 to 1.
    Number(f64),
    /// A name.
    Text(String),
}

impl SortKey {
    /// A figure that may not be known.
    #[must_use]
    pub fn number(figure: Option<f64>) -> Self {
        figure.filter(|f| !f.is_nan()).map_or(Self::Unknown, Self::Number)
    }

    fn rank(&self) -> u8 {
        match self {
            Self::Number(_) => 0,
            Self::Text(_) => 1,
            Self::Unknown => 2,
        }
    }

    /// The order in that direction; what is not known stays last.
    #[must_use]
    pub fn compare(&self, other: &Self, direction: Direction) -> Ordering {
        let order = match (self, other) {
            (Self::Number(a), Self::Number(b)) => a.total_cmp(b),
            (Self::Text(a), Self::Text(b)) => a.cmp(b),
            (Self::Unknown | Self::Number(_) | Self::Text(_), _) => return self.rank().cmp(&other.rank()),
        };
        match direction {
            Direction::Ascending => order,
            Direction::Descending => order.reverse(),
        }
    }
}

/// Which end comes first.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Direction {
    /// Small figures, early names.
    Ascending,
    /// Large figures, late names.
    Descending,
}

impl Direction {
    /// The other one.
    #[must_use]
    pub fn reversed(self) -> Self {
        match self {
            Self::Ascending => Self::Descending,
            Self::Descending => Self::Ascending,
        }
    }
}

/// How wide a column is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Width {
    /// That many cells.
    Fixed(u16),
    /// As its widest cell, between these bounds; so that short names leave room for the query.
    Fit(u16, u16),
    /// What the others leave, at least that share of the screen in percent.
    Rest(u16),
}

/// On which side a cell's text stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Align {
    /// Names and texts.
    Left,
    /// Figures.
    Right,
}

/// A column, declared once.
pub struct Column<R> {
    /// Its name in filters and in the picker.
    pub name: &'static str,
    /// Its title in the head of the table.
    pub title: &'static str,
    /// What it says, in one line.
    pub doc: &'static str,
    /// Its width.
    pub width: Width,
    /// The side of its text.
    pub align: Align,
    /// Which columns a narrow screen keeps: 0 always, the highest go first.
    pub rank: u8,
    /// The direction that it is first sorted in.
    pub first: Direction,
    /// What it shows.
    pub cell: fn(&R) -> Cell,
    /// What it sorts and filters by, raw.
    pub key: fn(&R) -> SortKey,
    /// What its figures are.
    pub measure: Measure,
    /// The share, 0 to 1, that its cells show behind their figure; what a filter in percents compares.
    pub share: Option<fn(&R) -> SortKey>,
}

impl<R> Column<R> {
    /// What columns of names and texts have in common.
    pub const TEXT: Self = Self {
        name: "",
        title: "",
        doc: "",
        width: Width::Fit(4, 40),
        align: Align::Left,
        rank: 0,
        first: Direction::Ascending,
        cell: |_| Cell::none(),
        key: |_| SortKey::Unknown,
        measure: Measure::Text,
        share: None,
    };

    /// What columns of figures have in common.
    pub const FIGURE: Self = Self {
        width: Width::Fixed(5),
        align: Align::Right,
        first: Direction::Descending,
        measure: Measure::Count,
        ..Self::TEXT
    };

    /// What columns of times have in common, shown and sorted in seconds.
    pub const AGE: Self = Self { measure: Measure::Seconds, ..Self::FIGURE };
}

/// Rows with an order, a filter and a selection.
pub struct Listing<R: Row + 'static> {
    columns: &'static [Column<R>],
    rows: Vec<R>,
    order: Vec<usize>,
    sort: usize,
    direction: Direction,
    filter: Filter,
    selected: Option<R::Key>,
    place: usize,
}

impl<R: Row + 'static> Listing<R> {
    /// An empty list, sorted by the column of that name.
    #[must_use]
    pub fn new(columns: &'static [Column<R>], sort: &str) -> Self {
        let sort = columns.iter().position(|c| c.name == sort).unwrap_or(0);
        let direction = columns.get(sort).map_or(Direction::Descending, |c| c.first);
        Self {
            columns,
            rows: Vec::new(),
            order: Vec::new(),
            sort,
            direction,
            filter: Filter::default(),
            selected: None,
            place: 0,
        }
    }

    /// Its columns.
    #[must_use]
    pub fn columns(&self) -> &'static [Column<R>] {
        self.columns
    }

    /// Puts new rows in; the selection follows its row.
    pub fn set(&mut self, rows: Vec<R>) {
        self.rows = rows;
        self.arrange();
    }

    /// Rows before the filter.
    #[must_use]
    pub fn total(&self) -> usize {
        self.rows.len()
    }

    /// Rows that the filter lets through.
    #[must_use]
    pub fn len(&self) -> usize {
        self.order.len()
    }

    /// True where the filter lets nothing through.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.order.is_empty()
    }

    /// The visible rows from `from` on, at most `most`.
    pub fn window(&self, from: usize, most: usize) -> impl Iterator<Item = &R> {
        self.order.iter().skip(from).take(most).filter_map(|i| self.rows.get(*i))
    }

    /// All rows, filtered or not, in no particular order.
    #[must_use]
    pub fn all(&self) -> &[R] {
        &self.rows
    }

    /// Where the cursor stands among the visible rows; none where the selected row is gone or there is none.
    #[must_use]
    pub fn cursor(&self) -> Option<usize> {
        match &self.selected {
            None => (!self.order.is_empty()).then_some(0),
            Some(key) => self.position(key),
        }
    }

    /// The row that the cursor was pinned to, whether it is there or not.
    #[must_use]
    pub fn selected(&self) -> Option<&R::Key> {
        self.selected.as_ref()
    }

    /// Where the cursor stood last: what keeps the page in place when the selected row is gone.
    #[must_use]
    pub fn place(&self) -> usize {
        self.cursor().unwrap_or(self.place).min(self.order.len().saturating_sub(1))
    }

    /// The row under the cursor. None where the selected row is gone: an action must not fall upon its neighbour.
    #[must_use]
    pub fn current(&self) -> Option<&R> {
        self.cursor().and_then(|at| self.order.get(at)).and_then(|i| self.rows.get(*i))
    }

    /// True where a row was selected and is there no more.
    #[must_use]
    pub fn selection_is_gone(&self) -> bool {
        self.selected.is_some() && self.cursor().is_none()
    }

    /// Moves the cursor by so many rows, and pins it to the row that it reaches.
    pub fn step(&mut self, by: isize) {
        // Where the selected row is gone, its neighbour has moved into its place: one step down selects that one.
        let from = match self.cursor() {
            Some(at) => at.saturating_add_signed(by),
            None if by > 0 => self.place.saturating_add_signed(by - 1),
            None => self.place.saturating_add_signed(by),
        };
        self.select_at(from);
    }

    /// Moves the cursor to that visible row, or to the last.
    pub fn select_at(&mut self, at: usize) {
        let at = at.min(self.order.len().saturating_sub(1));
        if let Some(row) = self.order.get(at).and_then(|i| self.rows.get(*i)) {
            self.selected = Some(row.key());
            self.place = at;
        }
    }

    /// Pins the cursor to that row.
    pub fn select(&mut self, key: R::Key) {
        self.selected = Some(key);
        self.place = self.cursor().unwrap_or(self.place);
    }

    /// Lets the cursor stand on the first row, whichever that is, as before anything was selected.
    pub fn unpin(&mut self) {
        self.selected = None;
        self.place = 0;
    }

    /// The column that it is sorted by, and the direction.
    #[must_use]
    pub fn sort(&self) -> (usize, Direction) {
        (self.sort, self.direction)
    }

    /// Sorts by the column at that index, in its own first direction.
    pub fn sort_by(&mut self, column: usize) {
        if let Some(c) = self.columns.get(column) {
            self.sort = column;
            self.direction = c.first;
            self.arrange();
        }
    }

    /// Turns the order round.
    pub fn reverse(&mut self) {
        self.direction = self.direction.reversed();
        self.arrange();
    }

    /// The filter.
    #[must_use]
    pub fn filter(&self) -> &Filter {
        &self.filter
    }

    /// Lets only what the filter matches through.
    pub fn set_filter(&mut self, filter: Filter) {
        self.filter = filter;
        self.arrange();
    }

    fn position(&self, key: &R::Key) -> Option<usize> {
        self.order.iter().position(|i| self.rows.get(*i).is_some_and(|r| r.key() == *key))
    }

    fn arrange(&mut self) {
        let Some(column) = self.columns.get(self.sort) else { return };
        let mut keyed: Vec<(SortKey, usize)> = self
            .rows
            .iter()
            .enumerate()
            .filter(|(_, row)| self.filter.matches(*row, self.columns))
            .map(|(i, row)| ((column.key)(row), i))
            .collect();
        keyed.sort_by(|a, b| a.0.compare(&b.0, self.direction).then(a.1.cmp(&b.1)));
        self.order = keyed.into_iter().map(|(_, i)| i).collect();
        if let Some(at) = self.cursor() {
            self.place = at;
        }
    }
}

/// The first visible one of `count` rows when `cursor` must be on a page of `height` rows: pages stand still, so that a
/// moving cursor repaints two lines and not forty; the last one is drawn up, so that the screen is full.
#[must_use]
pub fn page_start(cursor: usize, height: usize, count: usize) -> usize {
    let page = cursor.checked_div(height).unwrap_or(0) * height;
    page.min(count.saturating_sub(height))
}

#[cfg(test)]
mod tests;
