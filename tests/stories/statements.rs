//! Statements: what is asked, what is said where figures are not the whole truth, what is copied.

use pgtriage::message::Effect;
use pgtriage::model::statement::{StatementOrder, StatementTotals, Statements, StatementsInfo};
use pgtriage::model::{ProbeError, Question};

use crate::stage::{Stage, server, statements};

/// The tab after one look and another that was changed.
fn after(change: impl FnOnce(&mut Statements)) -> Stage {
    let mut later = statements::read();
    change(&mut later);
    let mut stage = Stage::new().up().server(server()).statements(statements::earlier()).statements(later);
    stage.press("9");
    stage
}

fn asked(stage: &Stage) -> Option<StatementOrder> {
    stage
        .app
        .demand()
        .wanted
        .iter()
        .find_map(|w| if let Question::Statements { order } = w.question { Some(order) } else { None })
}

#[test]
fn only_the_visible_tab_asks_and_the_server_ranks_by_what_is_sorted_by() {
    let mut stage = after(|_| {});
    assert_eq!(asked(&stage), Some(StatementOrder::Total));
    stage.press("s");
    stage.type_text("temp");
    stage.press("Enter");
    assert_eq!(asked(&stage), Some(StatementOrder::Temp));
    stage.press("2");
    assert_eq!(asked(&stage), None);
}

#[test]
fn sorted_by_what_happens_now_the_hot_statement_comes_first_and_can_be_copied_whole() {
    let mut stage = after(|_| {});
    stage.press("s");
    stage.type_text("ms/s");
    stage.press("Enter g");
    assert_eq!(stage.app.current_statement().map(|r| r.statement.key.query), Some(statements::HOT));
    let text = "SELECT * FROM orders WHERE status = $1 ORDER BY created_at DESC LIMIT $2";
    assert_eq!(stage.press("Y"), [Effect::Copy(text.to_owned())]);
    stage.press("Enter");
    assert_eq!(stage.press("Y"), [Effect::Copy(text.to_owned())], "in the detail, too");
    assert!(stage.wide().contains("track_io_timing is off: not measured"), "{}", stage.wide());
}

#[test]
fn a_reset_is_said_and_no_rate_is_made_of_it() {
    let mut stage = after(|s| {
        s.info = Some(StatementsInfo { dealloc: 0, reset: Some("now".to_owned()), reset_s: Some(2.0) });
    });
    let screen = stage.wide();
    assert!(screen.contains("the counters were reset 2.0s ago"), "{screen}");
    assert!(!screen.contains("over the last") && !screen.contains("ms/s,"), "{screen}");
    assert!(screen.contains("of this console's own are left out") && !screen.contains("left out,"), "{screen}");
    assert!(stage.app.statements.all().iter().all(|r| r.rates.is_none()));
}

#[test]
fn what_was_thrown_out_is_said_with_the_setting_that_helps() {
    let mut stage = after(|s| {
        s.info = s.info.clone().map(|info| StatementsInfo { dealloc: 7, ..info });
    });
    assert!(
        stage.wide().contains("7 times since the last look): raise pg_stat_statements.max = 5000"),
        "{}",
        stage.wide()
    );
}

#[test]
fn what_is_hidden_is_counted_with_its_share_and_its_cure() {
    let mut stage = after(|s| {
        s.hidden = StatementTotals { entries: 41, calls: 9, total_ms: s.all.total_ms };
        s.all.total_ms *= 2.0;
    });
    let words = "41 statements of other roles are hidden, 50% of the time: GRANT pg_read_all_stats TO oncall";
    assert!(stage.wide().contains(words), "{}", stage.wide());
}

#[test]
fn a_list_that_was_cut_says_of_how_many_it_is_and_ranked_by_what() {
    let mut stage = after(|s| s.all.entries = 48_000);
    assert!(stage.wide().contains("6 of 48000 statements, the first by total time"), "{}", stage.wide());
}

#[test]
fn our_own_are_left_out_but_nobody_elses_who_sends_the_same_text() {
    let mut stage = after(|_| {});
    let listed = |stage: &Stage| stage.app.statements.all().iter().any(|r| r.statement.key.query == 6);
    assert!(!listed(&stage) && stage.wide().contains("1 of this console's own are left out"), "{}", stage.wide());
    assert!(listed(&after(|s| s.user_oid = 1)));
}

#[test]
fn what_is_missing_is_said_where_the_list_would_be() {
    let mut stage = Stage::new().up().server(server());
    stage.press("9");
    assert!(stage.wide().contains("waiting for the first answer"));
    let words = "pg_stat_statements is installed, but not loaded";
    let question = Question::Statements { order: StatementOrder::Total };
    stage.take(question, Err(ProbeError::Absent(words.to_owned())));
    assert!(stage.wide().contains(words) && !stage.wide().contains("no statement has ended"), "{}", stage.wide());
}
