//! Order, selection and pages of a list.

use super::*;

#[derive(Clone)]
struct Thing(u32, f64, &'static str);

impl Row for Thing {
    type Key = u32;
    fn key(&self) -> u32 {
        self.0
    }
}

const COLUMNS: &[Column<Thing>] = &[
    Column {
        name: "age",
        title: "age",
        cell: |t| Cell::plain(format!("{}", t.1)),
        key: |t| SortKey::number(Some(t.1)),
        ..Column::FIGURE
    },
    Column {
        name: "name",
        title: "name",
        width: Width::Rest(5),
        cell: |t| Cell::plain(t.2),
        key: |t| SortKey::Text(t.2.to_owned()),
        ..Column::TEXT
    },
];

fn listing() -> Listing<Thing> {
    let mut l = Listing::new(COLUMNS, "age");
    l.set(vec![Thing(1, 5.0, "b"), Thing(2, 9.0, "a"), Thing(3, f64::NAN, "c")]);
    l
}

fn keys(l: &Listing<Thing>) -> Vec<u32> {
    l.window(0, 10).map(Row::key).collect()
}

#[test]
fn the_unknown_stands_last_in_both_directions() {
    let mut l = listing();
    assert_eq!(keys(&l), [2, 1, 3]);
    l.reverse();
    assert_eq!(keys(&l), [1, 2, 3]);
}

#[test]
fn the_selection_follows_its_row_when_the_order_changes() {
    let mut l = listing();
    l.step(1);
    assert_eq!(l.current().map(Row::key), Some(1));
    l.set(vec![Thing(1, 99.0, "b"), Thing(2, 9.0, "a")]);
    assert_eq!(l.cursor(), Some(0));
    assert_eq!(l.current().map(Row::key), Some(1));
}

#[test]
fn a_selection_that_is_gone_selects_nothing_until_the_cursor_moves() {
    let mut l = listing();
    l.select_at(1);
    l.set(vec![Thing(2, 9.0, "a"), Thing(3, 4.0, "c")]);
    assert!(l.selection_is_gone());
    assert!(l.current().is_none(), "an action must not fall upon the neighbour");
    l.step(1);
    assert_eq!(l.current().map(Row::key), Some(3), "the row that moved into its place");
}

#[test]
fn before_the_first_move_the_cursor_is_on_whatever_is_first() {
    let mut l = listing();
    assert_eq!(l.current().map(Row::key), Some(2));
    l.set(vec![Thing(1, 99.0, "b"), Thing(2, 9.0, "a")]);
    assert_eq!(l.current().map(Row::key), Some(1));
}

#[test]
fn pages_stand_still_while_the_cursor_moves_within_one() {
    assert_eq!([0, 9, 10, 19, 20].map(|c| page_start(c, 10, 30)), [0, 0, 10, 10, 20]);
    assert_eq!(page_start(5, 0, 30), 0);
}

#[test]
fn the_last_page_is_drawn_up_so_that_the_screen_is_full() {
    assert_eq!([0, 19, 20, 24].map(|c| page_start(c, 10, 25)), [0, 10, 15, 15]);
    assert_eq!(page_start(4, 10, 5), 0);
}
