use super::super::{StatementOrder, StatementTotals, StatementsInfo};
use super::*;

fn entry(query: i64, calls: i64) -> Statement {
    #[expect(clippy::cast_precision_loss, reason = "small counts")]
    let total_ms = calls as f64 * 2.0;
    Statement {
        key: EntryKey { user: 10, database: 5, query, toplevel: true },
        calls,
        rows: calls * 3,
        total_ms,
        min_ms: 1.0,
        max_ms: 3.0,
        stddev_ms: 0.5,
        plan_ms: None,
        hit: 0,
        read: calls,
        dirtied: 0,
        written: 0,
        temp: 0,
        read_ms: 0.0,
        write_ms: 0.0,
        wal_bytes: None,
        wal_fpi: None,
        jit_ms: None,
        since: None,
        minmax_since: None,
    }
}

fn look(at_s: f64, entries: Vec<Statement>) -> Statements {
    let all = StatementTotals { entries: i64::try_from(entries.len()).unwrap(), ..StatementTotals::default() };
    Statements {
        database: "shop".into(),
        database_oid: 5,
        user_oid: 10,
        extension: "1.9".to_owned(),
        at_s,
        order: StatementOrder::Total,
        entries,
        all,
        hidden: StatementTotals::default(),
        info: Some(StatementsInfo { dealloc: 0, reset: Some("monday".to_owned()), reset_s: None }),
        max: None,
        track: "top".to_owned(),
        io_timing: true,
        planning: false,
        block_size: 8192,
        users: BTreeMap::new(),
        databases: BTreeMap::new(),
        texts: Vec::new(),
        texts_error: None,
    }
}

fn calls(interval: &Interval, query: i64) -> Option<f64> {
    interval.rates(entry(query, 0).key).map(|r| r.calls)
}

#[test]
fn a_rate_is_the_difference_by_the_servers_clock() {
    let interval = Interval::between(&look(100.0, vec![entry(1, 10)]), &look(104.0, vec![entry(1, 30)]));
    let rates = interval.rates(entry(1, 0).key).unwrap();
    assert!((rates.calls - 5.0).abs() < 1e-9 && (rates.ms - 10.0).abs() < 1e-9 && (rates.rows - 15.0).abs() < 1e-9);
    assert_eq!(interval.sum(), Some(rates));
}

#[test]
fn an_entry_that_is_new_began_within_the_interval_unless_the_earlier_list_was_cut() {
    let now = look(102.0, vec![entry(1, 10), entry(2, 8)]);
    let mut before = look(100.0, vec![entry(1, 10)]);
    assert_eq!(calls(&Interval::between(&before, &now), 2), Some(4.0));
    before.all.entries = 9;
    assert_eq!(calls(&Interval::between(&before, &now), 2), None);
    before.hidden.entries = 8;
    assert_eq!(calls(&Interval::between(&before, &now), 2), Some(4.0), "what is hidden was not cut");
}

#[test]
fn a_counter_that_went_down_has_no_rate_and_is_counted() {
    let before = look(100.0, vec![entry(1, 10), entry(2, 10)]);
    let interval = Interval::between(&before, &look(102.0, vec![entry(1, 3), entry(2, 12)]));
    assert_eq!((calls(&interval, 1), calls(&interval, 2), interval.restarted), (None, Some(1.0), 1));
}

#[test]
fn an_entry_that_came_back_with_more_than_it_had_is_told_by_its_beginning() {
    let since = |calls, since| Statement { since: Some(since), ..entry(1, calls) };
    let interval = Interval::between(&look(100.0, vec![since(10, 7.0)]), &look(102.0, vec![since(50, 101.0)]));
    assert_eq!((calls(&interval, 1), interval.restarted), (None, 1));
}

#[test]
fn a_reset_is_told_by_its_time_even_where_all_counters_grew() {
    let mut now = look(102.0, vec![entry(1, 30)]);
    now.info = Some(StatementsInfo { dealloc: 0, reset: Some("tuesday".to_owned()), reset_s: Some(0.5) });
    let interval = Interval::between(&look(100.0, vec![entry(1, 10)]), &now);
    assert!(interval.reset && interval.sum().is_none());
}

#[test]
fn without_the_time_of_a_reset_it_shows_where_all_went_down_or_away() {
    let without = |mut look: Statements| {
        look.info = None;
        look
    };
    let before = without(look(100.0, vec![entry(1, 10), entry(2, 10), entry(3, 4)]));
    let gone = without(look(102.0, vec![entry(1, 2), entry(9, 1)]));
    assert!(Interval::between(&before, &gone).reset);
    let one = without(look(102.0, vec![entry(1, 2), entry(2, 11), entry(3, 4)]));
    let interval = Interval::between(&before, &one);
    assert!(!interval.reset && interval.evictions.is_none());
    assert_eq!((calls(&interval, 1), calls(&interval, 2)), (None, Some(0.5)));
}

#[test]
fn evictions_are_counted_and_a_clock_that_went_back_gives_no_rate() {
    let mut now = look(102.0, vec![entry(1, 11)]);
    now.info = Some(StatementsInfo { dealloc: 3, reset: Some("monday".to_owned()), reset_s: None });
    assert_eq!(Interval::between(&look(100.0, vec![entry(1, 10)]), &now).evictions, Some(3));
    assert_eq!(Interval::between(&look(103.0, vec![entry(1, 10)]), &now), Interval::default());
}
