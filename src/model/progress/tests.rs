//! Which phase has a share, that none is invented, and what two looks say of the time that is left.

use super::*;

fn at(second: i64) -> Timestamp {
    Timestamp::from_second(1_700_000_000 + second).unwrap()
}

fn row(work: Work, phase: &str) -> Progress {
    Progress {
        pid: 7,
        backend_start: Some("2025-11-24T03:00:00Z".to_owned()),
        database: Some("shop".into()),
        relation: Some(Place { oid: 16_412, here: true, name: Some("orders".into()) }),
        index: None,
        command: None,
        phase: Some(phase.to_owned()),
        work,
        hidden: false,
        auto: false,
        wraparound: false,
        age_s: Some(60.0),
        wait: None,
        blocked_by: Vec::new(),
        pace: None,
    }
}

fn vacuum(scanned: i64) -> Progress {
    let figures = Vacuum { heap_blks_total: 1000, heap_blks_scanned: scanned, ..Vacuum::default() };
    row(Work::Vacuum(figures), "scanning heap")
}

fn share(work: Work, phase: &str) -> Option<f64> {
    row(work, phase).measure().and_then(|m| m.share())
}

fn counted(work: Work, phase: &str) -> Option<(Unit, i64, Option<i64>)> {
    row(work, phase).measure().map(|m| (m.unit, m.done, m.total))
}

#[test]
fn a_share_is_one_of_the_phase_by_the_figures_of_that_phase() {
    let v = Vacuum {
        heap_blks_total: 200,
        heap_blks_scanned: 200,
        heap_blks_vacuumed: 50,
        indexes_total: Some(4),
        indexes_processed: Some(1),
        ..Vacuum::default()
    };
    assert_eq!(share(Work::Vacuum(v.clone()), "scanning heap"), Some(1.0));
    assert_eq!(share(Work::Vacuum(v.clone()), "vacuuming heap"), Some(0.25));
    let indexes = Some((Unit::Indexes, 1, Some(4)));
    assert_eq!(counted(Work::Vacuum(v.clone()), "vacuuming indexes"), indexes);
    assert_eq!(share(Work::Vacuum(v), "vacuuming indexes"), None, "a large index is not as much work as a small one");
    let a = Analyze { sample_blks_total: 400, sample_blks_scanned: 100, ..Analyze::default() };
    assert_eq!(share(Work::Analyze(a), "acquiring sample rows"), Some(0.25));
    let c = Rewrite { heap_blks_total: 10, heap_blks_scanned: 5, ..Rewrite::default() };
    assert_eq!(share(Work::Cluster(c), "seq scanning heap"), Some(0.5));
    let b = Backup { backup_total: Some(1000), backup_streamed: 250, ..Backup::default() };
    assert_eq!(share(Work::BaseBackup(b), "streaming database files"), Some(0.25));
    let copy = Copy { bytes_total: 100, bytes_processed: 40, tuples_processed: 3, ..Copy::default() };
    assert_eq!(share(Work::Copy(copy), ""), Some(0.4));
}

#[test]
fn no_share_is_invented_where_the_server_tells_none() {
    let none = [
        (Work::Vacuum(Vacuum::default()), "scanning heap"),
        (Work::Vacuum(Vacuum { heap_blks_total: 9, heap_blks_scanned: 9, ..Vacuum::default() }), "vacuuming indexes"),
        (Work::Vacuum(Vacuum { heap_blks_total: 9, heap_blks_scanned: 9, ..Vacuum::default() }), "truncating heap"),
        (Work::Analyze(Analyze::default()), "computing statistics"),
        (Work::Cluster(Rewrite { heap_tuples_scanned: 8, ..Rewrite::default() }), "sorting tuples"),
        (Work::BaseBackup(Backup::default()), "waiting for checkpoint to finish"),
        (Work::Copy(Copy::default()), ""),
    ];
    for (work, phase) in none {
        assert_eq!(counted(work.clone(), phase), None, "{work:?}");
    }
    let written = Rewrite { heap_tuples_scanned: 100, heap_tuples_written: 80, ..Rewrite::default() };
    assert_eq!(counted(Work::Cluster(written), "writing new heap"), Some((Unit::Rows, 80, None)));
    let endless = Backup { backup_streamed: 5, ..Backup::default() };
    assert_eq!(counted(Work::BaseBackup(endless), "streaming database files"), Some((Unit::Bytes, 5, None)));
}

#[test]
fn an_index_build_counts_blocks_then_rows_then_those_it_waits_for_and_nothing_while_it_sorts() {
    let built = |phase: &str, i: IndexBuild| counted(Work::CreateIndex(i), phase);
    let blocks = IndexBuild { blocks_total: 100, blocks_done: 25, ..IndexBuild::default() };
    assert_eq!(built("building index: scanning table", blocks.clone()), Some((Unit::Blocks, 25, Some(100))));
    assert_eq!(built("index validation: scanning table", blocks.clone()), Some((Unit::Blocks, 25, Some(100))));
    assert_eq!(built("building index", blocks), Some((Unit::Blocks, 25, Some(100))), "other access methods");
    let rows = IndexBuild { tuples_total: 900, tuples_done: 90, ..IndexBuild::default() };
    assert_eq!(built("building index: sorting live tuples", rows.clone()), None);
    assert_eq!(built("index validation: sorting tuples", rows.clone()), None);
    assert_eq!(built("building index: loading tuples in tree", rows), Some((Unit::Rows, 90, Some(900))));
    let lockers = IndexBuild { lockers_total: 3, lockers_done: 1, current_locker_pid: 42, ..IndexBuild::default() };
    let waits = row(Work::CreateIndex(lockers), "waiting for old snapshots");
    assert_eq!(waits.measure().map(|m| (m.unit, m.share())), Some((Unit::Lockers, None)));
    assert_eq!(waits.locker(), Some(42));
}

/// The last of these looks, one every `step` seconds.
fn seen(counts: &[i64], step: i64) -> Progress {
    let mut before: Option<Running> = None;
    for (nth, count) in counts.iter().enumerate() {
        let look = Running { rows: vec![vacuum(*count)], ..Running::default() };
        before = Some(look.after(before.as_ref(), at(i64::try_from(nth).unwrap() * step)));
    }
    before.unwrap().rows.remove(0)
}

fn left(row: &Progress) -> Option<f64> {
    row.pace.unwrap().left_s(&row.measure().unwrap())
}

#[test]
fn what_is_left_comes_from_looks_that_differ_and_are_some_seconds_apart() {
    assert_eq!(left(&seen(&[100], 2)), None, "one look has no pace");
    assert_eq!(left(&seen(&[100, 120], 2)), None, "two seconds are too few");
    assert_eq!(left(&seen(&[100, 120, 140], 2)), Some(86.0), "860 blocks at 10 a second");
    assert_eq!(left(&seen(&[100, 100, 100], 2)), None, "no step, no pace");
}

#[test]
fn a_pace_is_that_of_the_last_minute_and_a_standstill_is_told() {
    // Ten a second for a minute and a half, then one a second for as long.
    let fast: Vec<i64> = (0..10).map(|n| n * 10).collect();
    let slow: Vec<i64> = (1..10).map(|n| 90 + n).collect();
    let row = seen(&[fast, slow].concat(), 10);
    let rate = row.pace.unwrap().per_second(&row.measure().unwrap()).unwrap();
    assert!((rate - 0.1).abs() < 0.02, "{rate}");
    let still = seen(&[100, 120, 140, 140, 140, 140], 4);
    assert_eq!((still.pace.unwrap().still_s(), left(&still)), (Some(12.0), None));
}

#[test]
fn a_count_of_another_phase_pass_or_backend_begins_anew() {
    let first = Running { rows: vec![vacuum(100)], ..Running::default() }.after(None, at(0));
    let anew = |changed: Progress| {
        let now = Running { rows: vec![changed], ..Running::default() }.after(Some(&first), at(10));
        now.rows[0].pace == Some(Pace::after(None, now.rows[0].measure().unwrap().done, at(10)))
    };
    assert!(!anew(vacuum(150)), "this one goes on");
    assert!(anew(vacuum(50)), "it went back");
    assert!(anew(Progress { backend_start: None, ..vacuum(150) }));
    assert!(anew(Progress { relation: Some(Place { oid: 1, here: true, name: None }), ..vacuum(150) }));
    let figures = Vacuum { heap_blks_total: 1000, heap_blks_vacuumed: 150, ..Vacuum::default() };
    assert!(anew(row(Work::Vacuum(figures), "vacuuming heap")));
    let second = Vacuum { heap_blks_total: 1000, heap_blks_scanned: 150, index_vacuum_count: 1, ..Vacuum::default() };
    assert!(anew(row(Work::Vacuum(second), "scanning heap")));
}
