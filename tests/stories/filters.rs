//! Filters: what one reads in a cell can be typed, in its unit or without one, on every list; and a name that is no
//! column's is said.

use pgtriage::model::relation::{ExactBloat, RelationKey};
use pgtriage::model::{Question, Snapshot};
use pgtriage::table::{Filter, Listing, Measure, Row, SortKey};

use crate::stage::{SIZES, Stage, indexes, locks, progress, server, statements, tables};

/// A figure of a cell as it is shown, half of it and twice it, in the same unit.
fn around(shown: &str) -> Option<(String, String, String)> {
    let shown = shown.trim_start_matches('~');
    let digits = shown.find(|c: char| !(c.is_ascii_digit() || c == '.')).unwrap_or(shown.len());
    let (figure, unit) = shown.split_at(digits);
    let figure: f64 = figure.parse().ok()?;
    let unit: String = unit.trim_start().chars().take_while(|c| !c.is_whitespace()).collect();
    Some((format!("{figure}{unit}"), format!("{}{unit}", figure / 2.0), format!("{}{unit}", figure * 2.0 + 1.0)))
}

/// Tries each column of figures with what each of its cells shows; gives back how many cells were tried.
fn what_is_shown_can_be_typed<R: Row>(list: &Listing<R>) -> usize {
    let columns = list.columns();
    let passes = |text: &str, row: &R| Filter::parse(text, columns).unwrap().matches(row, columns);
    let mut tried = 0;
    for column in columns {
        let name = column.name;
        for row in list.all() {
            let shown = (column.cell)(row).text;
            let SortKey::Number(key) = (column.key)(row) else { continue };
            if column.measure == Measure::Text {
                // A rank that nobody sees: what is shown is no figure.
                assert!(Filter::parse(&format!("{name}>1"), columns).is_err(), "{name}");
                continue;
            }
            // While a vacuum runs, its progress stands in the place of the age.
            let progress = column.measure == Measure::Seconds && shown.contains('%');
            let Some((same, less, more)) = around(&shown).filter(|_| !progress) else { continue };
            tried += 1;
            assert!(passes(&format!("{name}={same}"), row), "{name}={same} of {shown}, {key}");
            assert!(passes(&format!("{name}<{more}"), row), "{name}<{more} of {shown}, {key}");
            assert!(!passes(&format!("{name}>{more}"), row), "{name}>{more} of {shown}, {key}");
            if key > 0.0 && !same.starts_with('0') {
                assert!(passes(&format!("{name}>{less}"), row), "{name}>{less} of {shown}, {key}");
                assert!(!passes(&format!("{name}<{less}"), row), "{name}<{less} of {shown}, {key}");
            }
            // A bare number has the unit that small figures are shown in.
            let unit = ["%", "ms", "s", "B", ""].into_iter().find(|u| same.ends_with(u)).unwrap_or_default();
            let bare = same.strip_suffix(unit).unwrap_or(&same);
            if bare.chars().all(|c| c.is_ascii_digit() || c == '.')
                && (column.measure, unit) != (Measure::Milliseconds, "s")
            {
                assert!(passes(&format!("{name}={bare}"), row), "{name}={bare} of {shown}, {key}");
            }
        }
    }
    tried
}

/// The first table, measured.
fn measure(stage: &mut Stage) {
    let relations = tables::relations();
    let key = RelationKey { database: relations.database, oid: relations.rows[0].oid };
    let exact = ExactBloat {
        key: key.clone(),
        table_bytes: 100 << 20,
        scanned_percent: 100.0,
        dead_bytes: 5 << 20,
        dead: 50_000,
        free_bytes: 60 << 20,
        free_percent: 60.0,
    };
    stage.take(Question::ExactBloat(key), Ok(Snapshot::ExactBloat(exact)));
}

#[test]
fn what_a_cell_shows_can_be_typed_as_a_filter_on_every_list() {
    let mut stage = Stage::incident();
    measure(&mut stage);
    let app = &stage.app;
    let tried = [
        ("connections", what_is_shown_can_be_typed(&app.connections), 60),
        ("slow", what_is_shown_can_be_typed(&app.slow), 60),
        ("locks", what_is_shown_can_be_typed(&app.locks), 4),
        ("tables", what_is_shown_can_be_typed(&app.tables), 40),
        ("replication", what_is_shown_can_be_typed(&app.replicas), 4),
    ];
    for (list, tried, least) in tried {
        assert!(tried >= least, "{list}: only {tried} cells");
    }
    let stage = Stage::incident().indexes(indexes::indexes());
    assert!(what_is_shown_can_be_typed(&stage.app.indexes) >= 10);
    let stage = Stage::new().up().server(server()).statements(statements::earlier()).statements(statements::read());
    assert!(what_is_shown_can_be_typed(&stage.app.statements) >= 40);
    let mut stage = Stage::incident();
    stage.take(Question::Progress, Ok(Snapshot::Progress(progress::running())));
    assert!(what_is_shown_can_be_typed(&stage.app.progress) >= 8);
}

/// The rows that the filter lets through on that tab.
fn filtered(stage: &mut Stage, tab: &str, text: &str) -> (usize, String) {
    stage.press(tab);
    stage.press("/ C-u");
    stage.type_text(text);
    let said = stage.last_line();
    stage.press("Enter");
    let app = &stage.app;
    let len = match tab {
        "2" => app.connections.len(),
        "3" => app.slow.len(),
        "5" => app.tables.len(),
        _ => app.statements.len(),
    };
    (len, said)
}

#[test]
fn a_time_in_seconds_is_one_in_milliseconds_too() {
    let mut stage = Stage::new().up().server(server()).statements(statements::earlier()).statements(statements::read());
    let total = stage.app.statements.total();
    let mut over = |text: &str| filtered(&mut stage, "9", text).0;
    for [bare, unit] in
        [["mean>1000", "mean>1s"], ["mean>0.5", "mean>500us"], ["total>60000", "total>1m"], ["max<20", "max<20ms"]]
    {
        let rows = over(bare);
        assert_eq!(over(unit), rows, "{unit}");
    }
    assert_eq!(over("mean>1d"), 0);
    assert!((1..total).contains(&over("share>10")), "percents");
    assert_eq!(over("share>10%"), over("share>10"));
}

#[test]
fn a_heading_is_a_name_and_of_two_that_column_is_meant_which_holds_what_is_asked() {
    let mut stage = Stage::incident();
    let (conn, said) = filtered(&mut stage, "2", "conn>30s");
    assert!(conn > 0 && !said.contains("no column"), "{said}");
    assert_eq!(filtered(&mut stage, "2", "session>30s").0, conn);
    let (old, _) = filtered(&mut stage, "2", "query>5m");
    assert!((1..stage.app.connections.total()).contains(&old));
    assert_eq!(filtered(&mut stage, "2", "query_age>5m").0, old);
    assert_eq!(filtered(&mut stage, "2", "query:alter").0, 1, "the text");
    assert_eq!(filtered(&mut stage, "2", "statement:alter").0, 1);
    assert!(filtered(&mut stage, "2", "waits:accessshare").0 > 30);
    assert_eq!(filtered(&mut stage, "2", "db:shop").0, filtered(&mut stage, "2", "database:shop").0);
    let (dead, _) = filtered(&mut stage, "5", "dead%>5%");
    assert!((1..stage.app.tables.total()).contains(&dead));
    assert_eq!(filtered(&mut stage, "5", "dead%>5").0, dead, "shown in percents, and typed so");
    assert_eq!(filtered(&mut stage, "5", "dead_ratio>5%").0, dead);
}

#[test]
fn a_name_that_is_no_columns_is_said_and_text_with_a_sign_is_found_all_the_same() {
    let mut stage = Stage::incident();
    let all = stage.app.connections.total();
    let said = filtered(&mut stage, "2", "bogus:1").1;
    assert!(said.contains("no column is called bogus: "), "{said}");
    assert!(said.contains("session, wait, user, database"), "{said}");
    assert!(stage.last_line().contains("no column is called bogus"), "and Enter does not keep it");
    stage.press("Esc");
    assert_eq!(stage.app.connections.len(), all);
    let mut rows = vec![locks::session(77, 3.0, "SELECT x::int FROM t WHERE id>5 AND a=1")];
    rows[0].wait = Some(pgtriage::model::session::Wait { class: "Client".into(), event: "ClientRead".into() });
    let mut stage = Stage::calm().sessions(locks::calm_but(rows));
    for text in ["x::int", "\"id>5\"", "\"a=1\"", "!\"a=2\" x::int", "/id>5/", "query:id>5", "Client:ClientRead x::"] {
        let (rows, said) = filtered(&mut stage, "2", text);
        assert_eq!(rows, 1, "{text}: {said}\n{}", stage.wide());
    }
}

#[test]
fn a_list_fills_the_screen_whichever_row_is_selected_and_after_rows_went() {
    let many = |n: i32| locks::calm_but((0..n).map(|i| locks::session(30_000 + i, 5.0, "SELECT 1")).collect());
    let mut stage = Stage::calm().sessions(many(89));
    let shown = |stage: &mut Stage, size: (u16, u16)| {
        stage.screen(size.0, size.1).lines().filter(|l| l.contains("SELECT 1")).count()
    };
    for size in SIZES {
        stage.press("2 g");
        let full = shown(&mut stage, size);
        stage.press("G");
        let screen = stage.screen(size.0, size.1);
        let total = stage.app.connections.len();
        assert!(screen.contains(&format!("-{total} of {total}")) || size.0 == 40, "{screen}");
        // The last rows are background workers: the page is full where no line below the list is blank.
        let list: Vec<&str> = screen.lines().skip(4).collect();
        let blank = list.iter().filter(|l| l.trim().is_empty()).count();
        assert_eq!(blank, 0, "{full} rows before; at {size:?}:\n{screen}");
        // And where most of them went while the cursor stood at the end.
        stage.press("g");
        stage.see(many(89));
    }
    let mut stage = Stage::calm().sessions(many(89));
    stage.press("2 G");
    stage.see(many(40));
    let screen = stage.screen(80, 24);
    assert_eq!(screen.lines().skip(4).filter(|l| l.trim().is_empty()).count(), 0, "{screen}");
}
