//! What each tab lists: a row type and its columns, built from the world. One file per tab; no drawing here.

pub mod connections;
pub mod indexes;
pub mod locks;
pub mod panels;
pub mod progress;
pub mod replication;
pub mod slow;
pub mod statements;
pub mod tables;
pub mod triage;

use crate::model::unit::Age;
use crate::model::{ServerText, Tone};
use crate::table::{Cell, SortKey};

/// Characters of a text that a cell ever needs: a wide screen's width, and a margin.
const HEAD: usize = 400;

fn text_cell(text: Option<&ServerText>, tone: Tone) -> Cell {
    text.map_or_else(Cell::none, |t| Cell::toned(t.head(HEAD), tone))
}

fn text_key(text: Option<&ServerText>) -> SortKey {
    text.filter(|t| !t.is_empty()).map_or(SortKey::Unknown, |t| SortKey::Text(t.raw().to_owned()))
}

fn age_cell(seconds: Option<f64>, tone: Tone) -> Cell {
    seconds.map_or_else(Cell::none, |s| Cell::toned(Age(s).short(), tone))
}
