//! A list of which it does not matter what its rows are: moving, sorting and filtering are the same for all.

use super::{Direction, Filter, Listing, Row};

/// What every list can do.
pub trait AnyListing {
    /// Moves the cursor by so many rows.
    fn step(&mut self, by: isize);
    /// Moves the cursor to that visible row, or to the last.
    fn select_at(&mut self, at: usize);
    /// True where no row is shown.
    fn is_empty(&self) -> bool;
    /// The column that it is sorted by, and the direction.
    fn sort(&self) -> (usize, Direction);
    /// Sorts by the column at that index, in its own first direction.
    fn sort_by(&mut self, column: usize);
    /// Turns the order round.
    fn reverse(&mut self);
    /// What was typed as its filter.
    fn filter_text(&self) -> &str;
    /// Filters by that text.
    ///
    /// # Errors
    /// What is wrong with the text, in words.
    fn filter_by(&mut self, text: &str) -> Result<(), String>;
    /// Name and meaning of each column.
    fn column_docs(&self) -> Vec<(&'static str, &'static str)>;
}

impl<R: Row + 'static> AnyListing for Listing<R> {
    fn step(&mut self, by: isize) {
        Self::step(self, by);
    }

    fn select_at(&mut self, at: usize) {
        Self::select_at(self, at);
    }

    fn is_empty(&self) -> bool {
        Self::is_empty(self)
    }

    fn sort(&self) -> (usize, Direction) {
        Self::sort(self)
    }

    fn sort_by(&mut self, column: usize) {
        Self::sort_by(self, column);
    }

    fn reverse(&mut self) {
        Self::reverse(self);
    }

    fn filter_text(&self) -> &str {
        self.filter().text()
    }

    fn filter_by(&mut self, text: &str) -> Result<(), String> {
        self.set_filter(Filter::parse(text, self.columns())?);
        Ok(())
    }

    fn column_docs(&self) -> Vec<(&'static str, &'static str)> {
        self.columns().iter().map(|c| (c.name, c.doc)).collect()
    }
}
