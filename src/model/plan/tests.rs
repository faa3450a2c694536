//! One statement out of hostile texts; the shares of a plan's nodes.

use std::fmt::Write;

use proptest::prelude::{Just, Strategy, any, prop_oneof, proptest};
use proptest::test_runner::Config;

use super::one::{One, Unfit};
use super::{Feeds, Plan, Values, read};
use crate::model::text::ServerText;

fn unfit(text: &str) -> Unfit {
    One::of(text).expect_err(text)
}

#[test]
fn one_statement_is_taken_without_what_stands_behind_its_end() {
    let one = One::of(" ;; /* a */ SELECT $2, 'x;', \"Ord;ers\".Id FROM t -- b;\n WHERE a = $$;$$ ; -- c\n /* d */ ; ")
        .unwrap();
    assert_eq!(one.text, "/* a */ SELECT $2, 'x;', \"Ord;ers\".Id FROM t -- b;\n WHERE a = $$;$$");
    assert_eq!((one.verb, one.parameters), ("select", 2));
    let words: Vec<&str> = one.words.iter().map(String::as_str).collect();
    assert_eq!(words, ["Ord;ers", "a", "from", "id", "t", "where"]);
    for text in [
        "(SELECT 1) UNION (SELECT 2)",
        "values (1)",
        "TABLE t",
        "with x as (delete from t returning *) select",
        "MERGE INTO t",
    ] {
        assert!(One::of(text).is_ok(), "{text}");
    }
}

#[test]
fn nothing_hides_a_second_statement() {
    for text in [
        "SELECT 1; DROP TABLE t",
        "SELECT 1;;;SELECT 2",
        "SELECT '\\'; DROP TABLE t; --'",
        "SELECT E'\\''; DROP TABLE t",
        "SELECT E'a'\n'\\''; DROP TABLE t",
        "SELECT /* /* */ ; */ 1; DROP TABLE t",
        "SELECT 1 -- \r; DROP TABLE t",
        "SELECT 1 --\n; DROP TABLE t",
        "SELECT $$ $a$ $$; DROP TABLE t --$a$",
        "SELECT a$b$; DROP TABLE t --$b$",
        "SELECT $1$; DROP TABLE t --$1$",
        "SELECT U&\"a\"; DROP TABLE t",
        "SELECT 1e'\\''; DROP TABLE t",
        "SELECT fooE'\\'; DROP TABLE t --'",
        "( ; SELECT 1 ; DROP TABLE t",
        "SELECT 1 +--\n; DROP TABLE t",
        "SELECT 1 */* ; */; DROP TABLE t",
    ] {
        assert_eq!(unfit(text), Unfit::Several, "{text}");
    }
}

#[test]
fn what_does_not_end_and_what_has_no_plan_is_refused() {
    for text in
        ["SELECT 'a", "SELECT \"a", "SELECT /* /* */", "SELECT $a$ $$", "SELECT E'\\'", "SELECT E'\\", "SELECT U&'a"]
    {
        assert_eq!(unfit(text), Unfit::Unfinished, "{text}");
    }
    for text in [
        "ANALYZE SELECT 1",
        "(ANALYZE) SELECT 1",
        "ANALYSE t",
        "EXECUTE p",
        "DECLARE c CURSOR FOR SELECT 1",
        "CREATE TABLE t AS SELECT 1",
        "REFRESH MATERIALIZED VIEW v",
        "COPY t TO PROGRAM 'x'",
        "DO $$ $$",
        "CALL p()",
        "EXPLAIN ANALYZE DELETE FROM t",
        "\"select\" 1",
        "'select' 1",
        "$1",
        "\u{a0}SELECT 1",
        "\u{feff}SELECT 1",
        "selects 1",
        ") ANALYZE SELECT 1",
        ", ANALYZE true) DELETE FROM t",
    ] {
        assert_eq!(unfit(text), Unfit::Utility, "{text}");
    }
    assert_eq!(unfit(" -- \n /* */ ;;"), Unfit::Empty);
    assert_eq!(unfit("SELECT '\u{fffd}'"), Unfit::Unreadable);
    assert_eq!(unfit("SELECT 1\0"), Unfit::Unreadable);
    assert_eq!(unfit("SELECT $65536"), Unfit::Parameters);
}

#[test]
fn a_plan_is_asked_for_without_analyze_and_for_any_values_where_there_are_parameters() {
    let literal = One::of("SELECT 1;").unwrap();
    let options = "FORMAT JSON, VERBOSE true, SETTINGS true, SUMMARY true";
    assert_eq!(literal.asking(), [format!("EXPLAIN ({options}) SELECT 1")]);
    let generic = One::of("DELETE FROM t WHERE a = $2 -- b").unwrap();
    let explain = format!("EXPLAIN ({options}) EXECUTE pgtriage_plan(NULL, NULL)");
    let asked = [
        "PREPARE pgtriage_plan AS DELETE FROM t WHERE a = $2 -- b",
        "SET LOCAL plan_cache_mode = 'force_generic_plan'",
        &explain,
    ];
    assert_eq!(generic.asking(), asked);
    for (one, major) in [(&literal, 13), (&generic, 15), (&generic, 18)] {
        let sql = one.sql(major);
        assert!(sql.starts_with("BEGIN READ ONLY;\n") && sql.ends_with("\nROLLBACK;\n"), "{sql}");
        assert!(!sql.to_lowercase().contains("analyze"), "{sql}");
    }
    assert!(generic.sql(16).contains("-- b\n;\n"), "a comment does not swallow the end: {}", generic.sql(16));
}

/// `schema.name SELECT UPDATE`, a line for each table.
fn tables(text: &str) -> Vec<String> {
    let line = |named: &super::named::Named| {
        let schema = named.schema.as_ref().map_or_else(String::new, |schema| format!("{schema}."));
        let rights: Vec<&str> = named.rights.iter().map(|right| right.word()).collect();
        format!("{schema}{} {}", named.name, rights.join(" "))
    };
    One::of(text).expect(text).tables.iter().map(line).collect()
}

#[test]
fn a_table_is_what_stands_where_one_is_named_with_the_rights_that_it_surely_takes() {
    for (text, expected) in [
        // Where a name stands for none: columns, functions, aliases, names of WITH.
        ("select acct.x, acct, 1 as acct from t2.acct as a where a.y in (acct, total)", &["t2.acct SELECT"][..]),
        (
            "select extract(year from day), x is distinct from y, trim(both from z) from \"Or ders\"",
            &["Or ders SELECT"],
        ),
        ("select * from f(x), s.g(y), unnest(z) as u (a, b), t", &["t SELECT"]),
        (
            "with recursive a as (select 1), b (x, y) as materialized (select 2) select * from a, s.b, c",
            &["c SELECT", "s.b SELECT"],
        ),
        ("with orders as (select * from orders) select * from orders", &[]),
        ("select a from t order by a using <, b using >, c limit 1", &["t SELECT"]),
        // Lists and joins.
        (
            "select * from a, only b, (c join d using (x, y)) join lateral (select 1 from e) on p = array[q, r], f where g",
            &["a SELECT", "b SELECT", "c SELECT", "d SELECT", "e SELECT", "f SELECT"],
        ),
        (
            "select (select max(x) from a), y from shop.public.b union table c",
            &["a SELECT", "c SELECT", "public.b SELECT"],
        ),
        ("select * from f() with ordinality as x, t", &["t SELECT"]),
        // What is locked.
        (
            "select * from a x join b on p, (c join d on q) for no key update of x, d nowait",
            &["a SELECT UPDATE", "b SELECT", "c SELECT", "d SELECT UPDATE"],
        ),
        (
            "select * from a, (select * from b where x in (select y from c)) s for share",
            &["a SELECT UPDATE", "b SELECT UPDATE", "c SELECT"],
        ),
        ("select for_update, share from a where key = 'for update'", &["a SELECT"]),
        // What is changed.
        (
            "with d as (delete from a where x returning 1), u as (update s.b set y = 1), i as (insert into c (z) values (1)) \
          select * from d, e",
            &["a SELECT DELETE", "c INSERT", "e SELECT", "s.b UPDATE"],
        ),
        ("update only a set x = 1 from b, c where y", &["a SELECT UPDATE", "b SELECT", "c SELECT"]),
        ("delete from a", &["a DELETE"]),
        ("delete from a using b join c using (x), d", &["a DELETE", "b SELECT", "c SELECT", "d SELECT"]),
        ("insert into a select * from b where x", &["a INSERT", "b SELECT"]),
        ("insert into a values (1) on conflict (x) do update set y = 2", &["a INSERT UPDATE"]),
        ("insert into a values (1) returning id", &["a SELECT INSERT"]),
        ("insert into a values (1) returning *", &["a SELECT INSERT"]),
        ("insert into a values (1) returning now()", &["a INSERT"]),
        ("insert into a values (1) returning 1", &["a INSERT"]),
        (
            "merge into a using b on x when matched then delete when not matched then insert values (1)",
            &["a SELECT INSERT DELETE", "b SELECT"],
        ),
        (
            "merge into a using (select * from b) s on x when matched then update set y = 1",
            &["a SELECT UPDATE", "b SELECT"],
        ),
    ] {
        assert_eq!(tables(text), expected, "{text}");
    }
}

/// A piece of a statement in which a semicolon, a quote or a comment may hide, but which ends where it ends.
fn piece() -> impl Strategy<Value = String> {
    let inside = "[a-z;'\"$\\-/* \\n]{0,8}";
    prop_oneof![
        "[a-z_][a-z0-9_$]{0,6}".prop_map(|word| word),
        "[0-9]{1,4}".prop_map(|number| number),
        inside.prop_map(|text| format!("'{}'", text.replace('\'', "''"))),
        inside.prop_map(|text| format!("E'{}'", text.replace('\\', "\\\\").replace('\'', "\\'"))),
        inside.prop_map(|text| format!("\"{}\"", text.replace('"', "\"\""))),
        inside.prop_map(|text| format!("$q${}$q$", text.replace("$q", ""))),
        inside.prop_map(|text| format!("/*{}*/", text.replace(['/', '*'], ""))),
        inside.prop_map(|text| format!("--{}\n", text.replace('\n', ""))),
        (1_u32..90).prop_map(|number| format!("${number}")),
        proptest::sample::select(vec!["(", ")", ",", "=", "<>", "::", ".", "+", "->>"]).prop_map(str::to_owned),
    ]
}

fn body() -> impl Strategy<Value = String> {
    proptest::collection::vec(piece(), 0..8).prop_map(|pieces| pieces.join(" "))
}

/// What is likely to trip a lexer.
fn anything() -> impl Strategy<Value = String> {
    let bits = vec![
        "'", "''", "\"", "\\", "\\'", "E'", "e'", "U&'", "U&\"", "$$", "$a$", "$1", "$", "/*", "*/", "--", "\n", "\r",
        ";", " ", "(", ")", "SELECT", "select", "WITH", "ANALYZE", "DROP", "x", "1", "1e", "é", "\u{a0}", "\0", "B'",
        "N'", ",", "\u{b}",
    ];
    let bit = prop_oneof![8 => proptest::sample::select(bits).prop_map(str::to_owned), 1 => any::<char>().prop_map(String::from)];
    (prop_oneof![Just("SELECT "), Just("")], proptest::collection::vec(bit, 0..24))
        .prop_map(|(first, bits)| format!("{first}{}", bits.concat()))
}

proptest! {
    #![proptest_config(Config { cases: 2000, failure_persistence: None, ..Config::default() })]

    #[test]
    fn statements_are_counted_whatever_they_hold(bodies in proptest::collection::vec(body(), 1..4)) {
        let mut text = String::new();
        for body in &bodies {
            let _ = writeln!(text, "SELECT {body} ;");
        }
        let read = One::of(&text);
        if bodies.len() == 1 {
            assert_eq!(read.expect("one").text, format!("SELECT {}", bodies.concat()).trim());
        } else {
            assert_eq!(read, Err(Unfit::Several));
        }
        for utility in ["ANALYZE", "CREATE TABLE x AS", "EXECUTE", "EXPLAIN ANALYZE", "(ANALYZE)", ", ANALYZE)"] {
            let text = format!("{utility} SELECT {}", bodies.concat());
            assert!(One::of(&text).is_err(), "{text}");
        }
    }

    /// What is taken ends outside of every string and comment: whatever follows it is seen.
    #[test]
    fn what_is_taken_is_whole(text in anything()) {
        if let Ok(one) = One::of(&text) {
            assert!(text.contains(&one.text));
            assert_eq!(One::of(&one.text).expect("still one"), one);
            assert_eq!(One::of(&format!("{}\n; DROP TABLE t", one.text)), Err(Unfit::Several), "{text:?}");
            assert!(One::of(&format!("ANALYZE {}", one.text)).is_err());
        }
    }
}

fn plan(json: &str) -> Plan {
    let answer = read(json).unwrap();
    Plan {
        root: answer.root,
        values: Values::Literal,
        settings: answer.settings,
        planning_ms: answer.planning_ms,
        role: "monitor".into(),
        database: "shop".into(),
        search_path: "public".into(),
        major: 18,
        sizes: Vec::new(),
    }
}

fn node(kind: &str, feeds: &str, total: f64, rows: f64, inputs: &str) -> String {
    format!(
        r#"{{"Node Type": "{kind}", "Parent Relationship": "{feeds}", "Startup Cost": 0.0, "Total Cost": {total},
            "Plan Rows": {rows}, "Plan Width": 8, "Plans": [{inputs}]}}"#
    )
}

fn shares(root: &str) -> Vec<(String, Option<i64>)> {
    let plan = plan(&format!(r#"[{{"Plan": {root}}}]"#));
    #[expect(clippy::cast_possible_truncation, reason = "percent")]
    let percent = |share: f64| (share * 100.0).round() as i64;
    plan.shares().iter().map(|p| (p.node.kind.raw().to_owned(), p.share.map(percent))).collect()
}

fn expected(of: &[(&str, Option<i64>)]) -> Vec<(String, Option<i64>)> {
    of.iter().map(|(kind, share)| ((*kind).to_owned(), *share)).collect()
}

#[test]
fn the_inner_side_of_a_loop_is_charged_for_each_outer_row() {
    let inputs = [node("Seq Scan", "Outer", 20.0, 10.0, ""), node("Index Scan", "Inner", 7.0, 1.0, "")].join(",");
    let read = shares(&node("Nested Loop", "", 100.0, 10.0, &inputs));
    assert_eq!(read, expected(&[("Nested Loop", Some(10)), ("Seq Scan", Some(20)), ("Index Scan", Some(70))]));
    // A Memoize that answers most of them costs less than that: no more than the join has.
    let inputs = [node("Seq Scan", "Outer", 20.0, 1000.0, ""), node("Memoize", "Inner", 7.0, 1.0, "")].join(",");
    let read = shares(&node("Nested Loop", "", 100.0, 10.0, &inputs));
    assert_eq!(read, expected(&[("Nested Loop", Some(0)), ("Seq Scan", Some(20)), ("Memoize", Some(80))]));
}

#[test]
fn under_a_limit_only_a_part_of_the_input_counts() {
    let inputs = node("Sort", "Outer", 1000.0, 500.0, &node("Seq Scan", "Outer", 750.0, 500.0, ""));
    let read = shares(&node("Limit", "", 10.0, 5.0, &inputs));
    assert_eq!(read, expected(&[("Limit", Some(0)), ("Sort", Some(25)), ("Seq Scan", Some(75))]));
}

#[test]
fn what_is_asked_by_an_expression_has_no_share_and_what_runs_before_has() {
    let inputs = [node("Aggregate", "SubPlan", 8.0, 1.0, ""), node("Result", "InitPlan", 30.0, 1.0, "")].join(",");
    let read = shares(&node("Seq Scan", "", 100.0, 10.0, &inputs));
    assert_eq!(read, expected(&[("Seq Scan", Some(70)), ("Aggregate", None), ("Result", Some(30))]));
    let read = shares(&node("Result", "", 0.0, 1.0, ""));
    assert_eq!(read, expected(&[("Result", None)]), "no share of nothing");
}

#[test]
fn what_is_not_known_is_kept_under_its_own_label() {
    let json = r#"[{"Plan": {"Node Type": "Quantum Scan", "Startup Cost": 0.5, "Total Cost": 9.25, "Plan Rows": 3, "Plan Width": 12,
        "Relation Name": "orders", "Schema": "public", "Alias": "o", "Entangled": true, "Cond": ["a", "b"], "Output": ["x"],
        "Plans": [{"Node Type": "Hash Join", "Parent Relationship": "SubPlan", "Subplan Name": "SubPlan 1", "Join Type": "Left",
          "Inner Unique": false, "Startup Cost": 0, "Total Cost": 1, "Plan Rows": 1, "Plan Width": 1}]},
        "Settings": {"work_mem": "64MB"}, "Planning Time": 0.125}]"#;
    let plan = plan(json);
    assert_eq!(plan.root.head(), "Quantum Scan on public.orders o");
    assert_eq!(plan.root.figures(), "(cost=0.50..9.25 rows=3 width=12)");
    let facts: Vec<(&str, &str)> = plan.root.facts.iter().map(|(k, v)| (k.as_str(), v.raw())).collect();
    assert_eq!(facts, [("Cond", "a, b"), ("Entangled", "true")]);
    let below = &plan.root.inputs[0];
    assert_eq!(
        (below.head(), &below.feeds),
        ("SubPlan 1: Hash Join Left".to_owned(), &Feeds::Asked("SubPlan 1".into()))
    );
    assert!(below.facts.is_empty(), "{:?}", below.facts);
    assert_eq!(plan.settings, [("work_mem".to_owned(), ServerText::from("64MB"))]);
    let text = plan.text();
    assert!(
        text.starts_with("Quantum Scan on public.orders o  (cost=0.50..9.25 rows=3 width=12)\n  Cond: a, b\n"),
        "{text}"
    );
    assert!(text.contains("\n  ->  SubPlan 1: Hash Join Left  (cost"), "{text}");
    assert!(text.ends_with("-- estimated, not run · with the constants of the text; as monitor in shop, search_path public, PostgreSQL 18\n"), "{text}");
}

#[test]
fn an_answer_that_is_no_plan_is_refused_in_words() {
    for json in ["", "[]", "{}", "[{\"Plan\": 1}]", "[{\"Plan\": {}}]", "[{\"Plan\": {\"Node Type\": \"X\"}}]"] {
        assert!(read(json).is_err(), "{json}");
    }
}
