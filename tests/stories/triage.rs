//! The Triage tab: what is selected, where `Enter` leads, and whom an action hits.

use pgtriage::app::mode::Mode;
use pgtriage::command::Tab;
use pgtriage::diagnose::{Finding, Kind};
use pgtriage::guard::{Object, Write};
use pgtriage::message::{Effect, Event};

use crate::stage::{Stage, charts, locks, replication, tables};

fn on_triage() -> Stage {
    let mut stage = Stage::incident();
    stage.press("1");
    stage
}

#[test]
fn the_worst_is_selected_and_stands_in_full() {
    let mut stage = on_triage();
    let screen = stage.wide();
    for words in [
        "4711 idle in transaction 12m blocks 37 sessions",
        "shop@shop from 10.0.3.9 app=worker · last: UPDATE orders SET status",
        "cancel cannot help an idle session: terminate it (frees 37",
        "· X terminate",
        "Health",
        "Vitals",
    ] {
        assert!(screen.contains(words), "{words}\n{screen}");
    }
}

#[test]
fn enter_goes_to_the_row_that_shows_it_and_a_filter_that_hides_it_is_cleared_and_said() {
    let mut stage = Stage::incident();
    stage.press("4 /");
    stage.type_text("metabase");
    stage.press("Enter 1 Enter");
    assert_eq!(stage.app.tab, Tab::Locks);
    assert_eq!(stage.app.current_session().map(|r| r.session.pid), Some(locks::ROOT));
    assert!(stage.last_line().contains("the filter hid it and was cleared"), "{}", stage.last_line());
    let mut stage = on_triage();
    stage.press("j Enter");
    assert_eq!(stage.app.current_session().map(|r| r.session.pid), Some(locks::ALTER));
}

#[test]
fn enter_leads_to_a_panel_a_table_and_a_standby_too() {
    let mut stage = Stage::calm();
    charts::figures_of(&mut stage, "cache-hit-ratio", |_| Some(0.3));
    stage.press("1 Enter");
    assert_eq!(stage.app.tab, Tab::Cache);
    let selected = stage.app.visible_panels().nth(stage.app.panel[1]).map(|p| p.id.clone());
    assert_eq!(selected.as_deref(), Some("cache-hit-ratio"));
    let mut stage = Stage::calm().relations(tables::calm_but(tables::table(16_440, "carts", 12_000, 41_000)));
    stage.press("1 Enter");
    assert_eq!(stage.app.tab, Tab::Tables);
    assert_eq!(stage.app.current_table().map(|r| r.relation.oid), Some(16_440));
    let mut behind = replication::calm();
    behind.replicas.push(replication::replica("replica-3", 7_023, 3 << 30));
    let mut stage = Stage::calm().replication(behind);
    stage.press("1 Enter");
    assert_eq!(stage.app.replicas.current().map(|r| r.replica.pid), Some(7_023));
}

fn asked(stage: &Stage) -> Option<&Write> {
    if let Mode::Ask(prompt) = &stage.app.mode { Some(prompt.write()) } else { None }
}

#[test]
fn an_action_hits_what_the_selected_finding_is_about() {
    let mut stage = on_triage();
    assert_eq!(stage.press("X"), []);
    assert!(matches!(asked(&stage), Some(Write::Terminate { session, .. }) if session.pid == locks::ROOT));
    let mut stage = on_triage();
    stage.press("j x");
    assert!(matches!(asked(&stage), Some(Write::Cancel { session, .. }) if session.pid == locks::ALTER));
    let effects = stage.press("y");
    assert!(matches!(effects.as_slice(), [Effect::Write { .. }]), "{effects:?}");
    let mut stage = Stage::calm().relations(tables::calm_but(tables::table(16_440, "carts", 12_000, 41_000)));
    stage.press("1 v");
    assert!(matches!(asked(&stage), Some(Write::Maintain { target: Object::Table(t), .. }) if t.key.oid == 16_440));
}

#[test]
fn a_finding_about_no_session_offers_none_to_act_on() {
    let mut stage = Stage::calm();
    charts::figures_of(&mut stage, "p95", |_| Some(4.0));
    for key in ["x", "X"] {
        assert_eq!(stage.press(&format!("1 {key}")), []);
        assert!(asked(&stage).is_none());
        assert!(stage.last_line().contains("about no session"), "{}", stage.last_line());
    }
}

#[test]
fn when_the_selected_finding_is_over_no_action_falls_on_its_neighbour() {
    let mut stage = on_triage();
    stage.press("j k");
    assert_eq!(stage.app.current_finding().map(Finding::kind), Some(Kind::Blocker));
    let mut over = locks::pile_up();
    over.rows.retain(|s| s.pid != locks::ROOT);
    for s in &mut over.rows {
        s.blocked_by.retain(|pid| *pid != locks::ROOT);
        s.blockers = s.blocked_by.len();
    }
    stage.see(over);
    assert_eq!(stage.app.current_finding(), None);
    assert_eq!(stage.press("X y"), []);
    assert!(asked(&stage).is_none());
    assert!(stage.wide().contains("the selected finding is over"), "{}", stage.wide());
    // The key that goes down goes to the one that took its place.
    stage.press("j");
    assert!(stage.app.current_finding().is_some(), "{}", stage.wide());
}

#[test]
fn after_a_selected_finding_is_over_the_next_incident_is_told_in_full() {
    let mut stage = on_triage();
    stage.press("j k");
    let again = locks::pile_up();
    // Something small stays, so that the list is never empty.
    stage.see(locks::calm());
    let small = stage.kinds().len();
    stage.wait(4);
    stage.see(locks::calm());
    if small > 0 {
        assert!(stage.wide().contains("the selected finding is over"), "{}", stage.wide());
        assert_eq!(stage.press("X y"), [], "no neighbour is hit meanwhile");
    }
    for _ in 0..4 {
        stage.wait(2);
        stage.see(locks::calm());
    }
    assert!(stage.app.current_finding().is_some(), "the worst of what is left is in full: {}", stage.wide());
    stage.see(again);
    assert_eq!(stage.app.current_finding().map(Finding::kind), Some(Kind::Blocker), "{}", stage.wide());
    assert!(stage.wide().contains("→ cancel cannot help"), "{}", stage.wide());
}

#[test]
fn a_frozen_screen_keeps_its_findings_and_cannot_act() {
    let mut stage = on_triage();
    stage.press("Space");
    stage.see(locks::calm());
    stage.wait(5);
    assert_eq!(stage.kinds().first(), Some(&Kind::Blocker));
    let effects = stage.press("X");
    assert!(matches!(effects.as_slice(), [Effect::RecordRefusal { .. }]), "{effects:?}");
    stage.press("Space");
    assert!(!stage.kinds().contains(&Kind::Blocker), "{:?}", stage.kinds());
}

#[test]
fn what_no_action_helps_has_its_sql_to_copy() {
    let mut paused = replication::calm();
    paused.slots.push(replication::slot("warehouse", false, 14 << 30));
    let mut stage = Stage::calm().replication(paused);
    stage.press("1");
    assert!(stage.wide().contains("Y copies the SQL"), "{}", stage.wide());
    let effects = stage.press("Y");
    assert_eq!(effects, [Effect::Copy("SELECT pg_drop_replication_slot('warehouse');".to_owned())]);
}

#[test]
fn the_tabs_say_from_anywhere_where_it_burns() {
    let mut stage = Stage::incident();
    stage.press("8");
    let tabs = stage.wide().lines().nth(1).unwrap_or_default().to_owned();
    assert!(tabs.contains("1 Triage‼"), "{tabs}");
    assert!(tabs.contains("4 Locks‼2"), "{tabs}");
    let mut calm = Stage::calm();
    let tabs = calm.wide().lines().nth(1).unwrap_or_default().to_owned();
    assert!(!tabs.contains('‼') && !tabs.contains('!'), "{tabs}");
}

#[test]
fn what_was_not_checked_is_reached_below_the_last_finding() {
    for (width, height) in [(80, 24), (40, 10)] {
        let mut stage = on_triage();
        stage.event(Event::Resized { width, height });
        let first = stage.screen(width, height);
        assert!(first.contains("more lines"), "{first}");
        let findings = stage.app.triage.findings.len();
        let (mut seen, mut keys) = (first.clone(), 0);
        while stage.screen(width, height).contains("more lines") && keys < 200 {
            stage.press("j");
            seen.push_str(&stage.screen(width, height));
            keys += 1;
        }
        let whats: Vec<String> = stage.app.triage.diagnosis.unchecked.iter().map(|u| u.what.clone()).collect();
        assert!(!whats.is_empty() && keys > findings);
        let words: String = seen.split_whitespace().collect::<Vec<_>>().join(" ");
        for what in &whats {
            assert!(words.contains(&format!("not checked: {what}")), "{width}×{height}: {what}\n{seen}");
        }
        let last = stage.screen(width, height);
        assert!(!last.contains("more lines"), "the end is reached: {last}");
        stage.press("j j j k");
        assert!(stage.screen(width, height).contains("2 more lines"), "no key is lost beyond the end");
        assert_eq!(
            stage.app.triage.findings.cursor(),
            Some(findings - 1),
            "the selection stays until its lines are back"
        );
        stage.press("g");
        assert_eq!((stage.app.triage.findings.cursor(), stage.app.triage.below), (Some(0), 0));
        stage.press("G G");
        assert!(!stage.screen(width, height).contains("more lines"), "{}", stage.screen(width, height));
    }
}

#[test]
fn on_a_calm_server_the_list_of_what_was_not_checked_scrolls_too() {
    let mut stage = Stage::calm();
    stage.press("1");
    stage.event(Event::Resized { width: 40, height: 8 });
    assert!(stage.screen(40, 8).contains("more lines"), "{}", stage.screen(40, 8));
    stage.press("j");
    assert_eq!(stage.app.triage.below, 1);
    stage.press("G");
    assert!(!stage.screen(40, 8).contains("more lines"), "{}", stage.screen(40, 8));
    stage.press("g");
    assert_eq!(stage.app.triage.below, 0);
}
