//! Runbooks: from a finding to its steps, what betrays it, where keys lead, what is offered and what becomes of it.

use std::fmt::Write as _;
use std::time::Duration;

use pgtriage::app::App;
use pgtriage::app::mode::Mode;
use pgtriage::app::runbook::{Spot, StepOutcome};
use pgtriage::command::Tab;
use pgtriage::diagnose::Kind;
use pgtriage::diagnose::runbook::{FactSpec, Known, parse};
use pgtriage::guard::Write;
use pgtriage::keymap::source::Source;
use pgtriage::message::{ActionStep, Effect, Outcome};
use pgtriage::model::panel::Reading;
use pgtriage::model::session::Sessions;
use pgtriage::model::{Cadence, ProbeError, Question};

use crate::stage::{Stage, activity, cache, charts, hostile, locks, replication, server, tables};

/// The pile-up, with the runbook of its first finding open.
fn opened() -> Stage {
    let mut stage = Stage::incident();
    stage.press("1 r");
    stage
}

/// The step that the cursor is on, from 1.
fn step(stage: &Stage) -> usize {
    let spot = stage.app.runbook_progress().spot;
    let Spot::Step(at) = spot else { panic!("the cursor is on {spot:?}") };
    at + 1
}

/// The screen with every run of white space as one blank.
pub fn words(stage: &mut Stage) -> String {
    stage.wide().split_whitespace().collect::<Vec<_>>().join(" ")
}

fn timeline(app: &App) -> Vec<&str> {
    app.timeline.iter().map(|entry| entry.what.as_str()).collect()
}

pub fn fact(stage: &Stage, name: &str) -> Known {
    FactSpec::named(name).unwrap().read(&stage.app.shown_look())
}

/// Why a fact is not known, with its cure.
pub fn why(stage: &Stage, name: &str) -> (String, String) {
    let unknown = fact(stage, name).unwrap_err();
    (unknown.why, unknown.cure)
}

pub fn figure(stage: &Stage, name: &str) -> f64 {
    fact(stage, name).unwrap().figure
}

/// A count, which is a whole number.
fn count(stage: &Stage, name: &str) -> String {
    figure(stage, name).to_string()
}

#[test]
fn a_finding_says_that_it_has_a_runbook_and_r_opens_it_with_what_betrays_it() {
    let mut stage = Stage::incident();
    stage.press("1");
    assert!(stage.screen(220, 45).contains("· X terminate · r runbook"), "{}", stage.screen(220, 45));
    assert!(stage.last_line().contains("r runbook"), "{}", stage.last_line());
    stage.press("r");
    let screen = stage.wide();
    for line in [
        "Database performance degradation",
        "✓ The service's pool is in use",
        "96 % · by v2 pool (at least 80 %)",
        "✓ Requests wait for a connection of the pool",
        "✓ Sessions wait for locks",
        "37 (above 0)",
        "✗ The server's connections are taken",
        "48 % · 47 of 97 (above 80 %)",
        "Check the active connections",
        "active sessions 38",
        "Causes",
        "✓ Locks: somebody holds what the others need (37)",
        "✗ An index is missing, or no longer used (0; not above 0)",
        "✗ The pool is too small, or leaks (0 · 37 wait for locks",
        "SEV-2, within 15 minutes",
    ] {
        assert!(screen.contains(line), "{line}\n{screen}");
    }
    assert!(stage.screen(160, 55).contains("built in"), "{}", stage.screen(160, 55));
}

#[test]
fn requests_that_wait_for_the_pool_ask_for_a_larger_one_only_where_no_lock_is_the_reason() {
    let mut stage = opened();
    let growth = "Requests wait for the pool: more instances";
    assert!(figure(&stage, "pool_waiting") > 0.0 && figure(&stage, "pool_short") == 0.0);
    assert!(!stage.screen(220, 45).contains(growth), "{}", stage.screen(220, 45));
    stage.see(locks::calm());
    assert!((figure(&stage, "pool_short") - figure(&stage, "pool_waiting")).abs() < f64::EPSILON);
    assert!(stage.screen(220, 45).contains(growth), "{}", stage.screen(220, 45));
}

#[test]
fn each_finding_opens_its_own_and_what_has_none_opens_the_list_best_first() {
    let mut stage = Stage::calm();
    charts::figures_of(&mut stage, "cache-hit-ratio", |_| Some(0.3));
    stage.press("1 r");
    assert_eq!(stage.app.runbook().map(|b| b.id.as_str()), Some("cache-performance"));
    assert!(stage.wide().contains("✓ The cache's hit rate has dropped"), "{}", stage.wide());
    let mut stage = Stage::calm();
    stage.press("4 r");
    let Mode::Pick(picker) = &stage.app.mode else { panic!("{:?}", stage.app.mode) };
    assert_eq!(picker.choices.len(), 3);
    let mut stage = opened();
    stage.press("r");
    let screen = stage.wide();
    let at = |title: &str| screen.find(title).unwrap_or_else(|| panic!("{title}\n{screen}"));
    assert!(at("Database performance degradation  4 of 7 met") < at("Cache performance issues "), "{screen}");
    stage.press("Down Enter");
    assert_ne!(stage.app.runbook().map(|b| b.id.as_str()), Some("database-performance"));
}

#[test]
fn enter_leads_to_the_finding_of_a_step_or_to_its_tab_and_r_leads_back_to_where_one_was() {
    let mut stage = opened();
    stage.press("Enter");
    assert_eq!(stage.app.tab, Tab::Connections);
    stage.press("r j");
    assert_eq!((stage.app.tab, step(&stage)), (Tab::Triage, 2));
    stage.press("Enter");
    assert_eq!(stage.app.tab, Tab::Locks);
    assert_eq!(stage.app.current_session().map(|r| r.session.pid), Some(locks::ALTER));
    stage.press("r j j Enter");
    assert_eq!(stage.app.tab, Tab::Latency);
    assert_eq!(stage.app.visible_panels().nth(stage.app.panel[0]).map(|p| p.id.as_str()), Some("pool"));
    stage.press("r");
    assert_eq!(step(&stage), 4);
    stage.press("Esc");
    assert!(stage.app.runbook().is_none() && stage.wide().contains("What is wrong"));
    stage.press("r");
    assert_eq!(step(&stage), 4, "where one was is kept");
    stage.press("1");
    assert!(stage.app.runbook().is_none(), "the key of Triage shows Triage");
}

#[test]
fn y_copies_the_text_of_a_step_and_says_where_there_is_none() {
    let mut stage = opened();
    assert_eq!(stage.press("Y"), []);
    assert!(stage.last_line().contains("nothing to copy"), "{}", stage.last_line());
    stage.press("j j j j");
    assert!(stage.wide().contains("Y copies: SQL. Risk: reads only"), "{}", stage.wide());
    let copied = stage.press("Y");
    assert!(matches!(copied.as_slice(), [Effect::Copy(sql)] if sql.starts_with("SELECT s.schemaname")), "{copied:?}");
    let copied = stage.press("y");
    assert!(matches!(copied.as_slice(), [Effect::Copy(t)] if t.contains("scanned_tables = ")), "{copied:?}");
}

#[test]
fn a_step_is_marked_done_skipped_or_failed_and_the_timeline_has_it() {
    let mut stage = opened();
    stage.press("d s f");
    assert_eq!(step(&stage), 4, "each mark leads on");
    let progress = stage.app.runbook_progress();
    let marks: Vec<StepOutcome> = progress.marks.values().map(|m| m.outcome).collect();
    assert_eq!(marks, [StepOutcome::Done, StepOutcome::Skipped, StepOutcome::Failed]);
    let screen = stage.wide();
    for mark in ["done 03:14:", "skipped 03:14:", "failed 03:14:"] {
        assert!(screen.contains(mark), "{mark}\n{screen}");
    }
    stage.press("g j d");
    assert_eq!(stage.app.runbook_progress().marks.len(), 2, "the same mark again is taken back");
    let name = "runbook Database performance degradation";
    assert_eq!(
        timeline(&stage.app),
        [
            format!("{name}: opened"),
            format!("{name}, step 1 (Check the active connections): done"),
            format!("{name}, step 2 (End what blocks the others): skipped"),
            format!("{name}, step 3 (Identify the slow queries): failed"),
            format!("{name}, step 1 (Check the active connections): no longer done"),
        ]
    );
    assert!(stage.app.timeline.iter().all(|entry| entry.at <= stage.now()));
    stage.press("Esc d");
    assert!(stage.last_line().contains("r opens one"), "{}", stage.last_line());
    assert_eq!(stage.app.timeline.len(), 5);
}

#[test]
fn the_action_of_a_step_is_asked_about_as_everywhere_and_its_outcome_is_the_steps() {
    let mut stage = opened();
    stage.press("j");
    assert!(stage.wide().contains("x cancel (asks first)"), "{}", stage.wide());
    assert_eq!(stage.press("x"), []);
    let Mode::Ask(prompt) = &stage.app.mode else { panic!("nothing was asked") };
    assert!(matches!(prompt.write(), Write::Cancel { session, .. } if session.pid == locks::ALTER));
    let effects = stage.press("y");
    let [Effect::Write { id, .. }] = effects.as_slice() else { panic!("{effects:?}") };
    let id = *id;
    assert_eq!(step(&stage), 2, "the runbook is there again");
    stage.news(id, ActionStep::Started { pid: None });
    stage.news(id, ActionStep::Ended(Outcome::Done("signal sent".to_owned())));
    assert_eq!(stage.app.runbook_progress().marks.get(&1).map(|m| m.outcome), Some(StepOutcome::Done));
    stage.news(id, ActionStep::Verified { gone: false, after_ms: 3000 });
    let progress = stage.app.runbook_progress();
    let mark = progress.marks.get(&1).unwrap();
    assert_eq!(mark.outcome, StepOutcome::Failed);
    assert!(mark.words.as_deref().unwrap().contains("the statement still runs"), "{mark:?}");
    let said = timeline(&stage.app);
    let tail: Vec<&str> = said.iter().rev().take(3).rev().copied().collect();
    assert!(tail[0].ends_with("step 2 (End what blocks the others): cancel 5120: confirmed"), "{tail:?}");
    assert!(tail[1].ends_with("cancel 5120: signal sent"), "{tail:?}");
    assert!(tail[2].contains("still runs"), "{tail:?}");
}

#[test]
fn an_action_that_was_declined_or_taken_elsewhere_is_none_of_the_step() {
    let mut stage = opened();
    stage.press("j x n");
    stage.press("2 j j x");
    let effects = stage.press("y");
    let [Effect::Write { id, .. }] = effects.as_slice() else { panic!("{effects:?}") };
    let id = *id;
    stage.news(id, ActionStep::Ended(Outcome::Done("signal sent".to_owned())));
    stage.press("r");
    assert_eq!(stage.app.runbook_progress().marks.len(), 0);
    assert_eq!(stage.app.timeline.len(), 1);
}

#[test]
fn a_key_that_a_step_does_not_offer_acts_on_nothing_behind_it() {
    let mut stage = opened();
    for keys in ["x", "X", "v", "L"] {
        assert_eq!(stage.press(keys), [], "{keys}");
        assert!(matches!(stage.app.mode, Mode::Normal), "{keys} asks");
        assert!(stage.last_line().contains("this step offers no"), "{keys}: {}", stage.last_line());
    }
    // The same keys act where they are offered.
    stage.press("j x");
    assert!(matches!(stage.app.mode, Mode::Ask(_)));
}

#[test]
fn a_command_of_another_tab_has_its_key_there_in_the_step_that_offers_it() {
    let mut stage = Stage::calm();
    charts::figures_of(&mut stage, "cache-hit-ratio", |_| Some(0.3));
    stage.press("1 r j j");
    assert_eq!(step(&stage), 3);
    assert!(stage.wide().contains("E expire (asks first)"), "{}", stage.wide());
    stage.press("E");
    assert!(matches!(&stage.app.mode, Mode::Ask(p) if matches!(p.write(), Write::ExpireCache { .. })));
    stage.press("Esc k E");
    assert!(matches!(stage.app.mode, Mode::Normal), "the step before offers nothing");
}

#[test]
fn read_only_nothing_is_offered_and_the_step_says_so() {
    let mut stage = Stage::read_only().filled();
    stage.press("1 r j");
    assert!(stage.wide().contains("cancel: not from here, read-only"), "{}", stage.wide());
    assert_eq!(stage.press("x"), []);
    assert!(matches!(stage.app.mode, Mode::Normal));
    assert!(stage.last_line().contains("read-only"), "{}", stage.last_line());
    let mut stage = Stage::with(|setup| {
        setup.policy = pgtriage::guard::Policy::Observer;
        setup.keymap = setup.keymap.clone().within(pgtriage::command::Reach::Reads);
    })
    .up()
    .at_peace();
    charts::figures_of(&mut stage, "cache-hit-ratio", |_| Some(0.3));
    stage.press("1 r j j E");
    assert!(stage.last_line().contains("read-only"), "{}", stage.last_line());
}

#[test]
fn while_it_is_open_its_facts_are_asked_for() {
    let wants = |stage: &Stage, question: &Question| {
        stage.app.demand().wanted.iter().any(|w| w.question == *question && matches!(w.cadence, Cadence::Every(_)))
    };
    let mut stage = Stage::calm();
    charts::figures_of(&mut stage, "cache-hit-ratio", |_| Some(0.3));
    stage.press("1");
    let size = Question::Panel { id: "cache-size".to_owned(), span_s: 1800, step_s: 10 };
    let only = [size];
    assert!(only.iter().all(|q| !wants(&stage, q)));
    let pace = |stage: &Stage| {
        stage.app.demand().wanted.iter().find(|w| w.question == Question::CacheTable).map(|w| w.cadence)
    };
    let open = Some(Cadence::Every(Duration::from_secs(10)));
    assert_ne!(pace(&stage), open, "the cache table is looked at now and then");
    stage.press("r");
    assert!(only.iter().all(|q| wants(&stage, q)), "{:#?}", stage.app.demand());
    assert_eq!(pace(&stage), open);
    let panels = stage
        .app
        .demand()
        .wanted
        .into_iter()
        .filter_map(|w| if let Question::Panel { id, .. } = w.question { Some(id) } else { None });
    let mut ids: Vec<String> = panels.collect();
    ids.sort();
    let all = ids.len();
    ids.dedup();
    assert_eq!(ids.len(), all, "no panel is asked over two spans: the one would replace the other");
    stage.press("Esc");
    assert!(only.iter().all(|q| !wants(&stage, q)));
}

#[test]
fn each_reason_why_a_fact_is_not_known_is_told_with_its_cure() {
    let none = Stage::with(|setup| setup.prometheus = None).up().at_peace();
    assert_eq!(why(&none, "p95"), ("no Prometheus is named".to_owned(), "--prometheus URL".to_owned()));
    let starting = Stage::new();
    assert_eq!(why(&starting, "active_sessions").0, "no connection to the server");
    let up = Stage::new().up();
    assert_eq!(why(&up, "active_sessions").0, "no answer yet");
    assert_eq!(why(&up, "p95").0, "not asked yet");
    let mut stage = Stage::calm();
    charts::give(&mut stage, "p95", Ok(charts::answer(Reading::NotANumber { candidate: 0 })));
    assert_eq!(why(&stage, "p95").0, "NaN (no traffic)");
    let question = |id: &str| Question::Panel { id: id.to_owned(), span_s: 900, step_s: 5 };
    stage.take(question("pool"), Err(ProbeError::Unreachable("connection refused".to_owned())));
    assert!(why(&stage, "pool_share").0.starts_with("unreachable: connection refused, for "));
    stage.take(Question::CacheTable, Err(ProbeError::Denied { cure: "GRANT SELECT ON c TO oncall".to_owned() }));
    assert_eq!(why(&stage, "cache_rows").1, "GRANT SELECT ON c TO oncall");
    stage.wait(200);
    for name in ["active_sessions", "dead_share_max", "replica_lag", "memory"] {
        assert!(why(&stage, name).0.contains(" old"), "{name}: {:?}", why(&stage, name));
    }
    for (name, table) in cache::states() {
        let stage = Stage::new().up().cache(table);
        let known = fact(&stage, "cache_expired_rows");
        assert!(known.is_ok() || !known.unwrap_err().why.is_empty(), "{name}");
    }
    let mut stage = Stage::calm();
    let standby = pgtriage::model::relation::Relations { in_recovery: true, ..tables::calm() };
    stage = stage.relations(standby);
    assert_eq!(why(&stage, "dead_share_max").1, "look at the primary");
}

#[test]
fn a_source_that_is_clipped_says_at_least_and_hidden_sessions_leave_a_small_count_open() {
    let mut stage = Stage::calm();
    charts::figures_of(&mut stage, "p95", |_| Some(5.0));
    assert!(fact(&stage, "p95").unwrap().at_least.is_some());
    stage.press("1 r");
    assert!(stage.wide().contains("✓ GraphQL queries take 5 seconds and longer"), "{}", stage.wide());
    assert!(stage.wide().contains("≥5.0 s"), "{}", stage.wide());
    let mut stage = Stage::incident();
    stage.see(locks::hidden());
    assert!(fact(&stage, "active_sessions").unwrap().at_least.is_some());
    stage.press("4 r");
    stage.type_text("Database");
    stage.press("Enter");
    let screen = words(&mut stage);
    assert!(
        screen.contains("? Statements run longer than 5 seconds, and wait for no lock")
            && screen.contains("GRANT pg_monitor TO oncall"),
        "{screen}"
    );
    assert!(fact(&stage, "connections_share").unwrap().at_least.is_none(), "that a session is there is seen by all");
}

#[test]
fn figures_are_those_of_the_world() {
    let stage = Stage::incident();
    let sessions: &Sessions = stage.app.world().sessions.get().unwrap();
    let active = sessions.rows.iter().filter(|s| s.is_client() && s.is_active()).count();
    assert_eq!(count(&stage, "active_sessions"), active.to_string());
    assert_eq!(count(&stage, "blocked_sessions"), "37");
    assert!((figure(&stage, "hit_share") - 0.66).abs() < 1e-9);
    assert_eq!(count(&stage, "replicas_missing"), "1");
    assert_eq!(count(&stage, "targets_down"), "1");
    assert!(figure(&stage, "dead_share_max") > 0.6);
    assert!(figure(&stage, "memory_growth") > 5e8);
    assert!(figure(&stage, "oldest_transaction") > 700.0);
    let calm = Stage::calm();
    for name in ["blocked_sessions", "slow_statements", "replicas_missing", "memory_growth", "targets_down"] {
        assert_eq!(count(&calm, name), "0", "{name}");
    }
    let gone = Stage::new().up().server(server()).replication(replication::before());
    assert_eq!(count(&gone, "replicas_missing"), "0");
}

#[test]
fn what_the_server_did_is_added_up_over_the_last_minutes() {
    let mut stage = Stage::new().up().server(server());
    assert_eq!(why(&stage, "deadlocks").0, "no answer yet");
    activity::take(&mut stage, activity::look(0));
    assert_eq!(why(&stage, "deadlocks").0, "only one look so far");
    stage.wait(10);
    let mut later = activity::look(10);
    activity::shop(&mut later).deadlocks += 3;
    activity::shop(&mut later).temp_bytes += 1 << 20;
    activity::shop(&mut later).rollbacks += 1_000_000;
    activity::take(&mut stage, later);
    assert_eq!(count(&stage, "deadlocks"), "3");
    assert!(fact(&stage, "deadlocks").unwrap().note.starts_with("in the last 10s"));
    assert_eq!(count(&stage, "temporary_files"), (1 << 20).to_string());
    let undone = figure(&stage, "rollback_share");
    assert!(undone > 0.9 && undone <= 1.0, "{undone}");
}

#[test]
fn where_no_metric_tells_the_hit_rate_is_that_of_the_look_ups() {
    let mut stage = Stage::with(|setup| setup.prometheus = None).up().server(server()).cache(cache::earlier());
    assert_eq!(why(&stage, "hit_share").0, "no Prometheus is named");
    stage.wait(5);
    let stage = stage.cache(cache::read());
    let value = fact(&stage, "hit_share").unwrap();
    assert!(value.note.contains("look-ups in "), "{value:?}");
    assert!((0.0..=1.0).contains(&value.figure));
}

#[test]
fn a_frozen_screen_keeps_the_values_and_nothing_is_done_from_it() {
    let mut stage = opened();
    stage.press("Space");
    let mut calm = locks::flowing();
    calm.rows.retain(|s| s.pid < locks::ROOT);
    stage.see(calm);
    assert!(words(&mut stage).contains("✓ Sessions wait for locks 37 (above 0)"), "{}", stage.wide());
    stage.press("j x");
    assert!(!matches!(stage.app.mode, Mode::Ask(_)));
}

#[test]
fn on_a_small_screen_it_begins_with_what_betrays_it_and_all_of_it_can_be_reached() {
    let mut stage = Stage::incident();
    let _ = stage.screen(40, 10);
    stage.press("1 r");
    assert_eq!(stage.app.runbook_progress().spot, Spot::Head);
    let mut seen = String::new();
    for _ in 0..80 {
        seen.push_str(&stage.screen(40, 10));
        stage.press("PgDn");
    }
    let all = seen.split_whitespace().collect::<Vec<_>>().join(" ");
    for part in ["Sessions wait for locks", "End what blocks the others", "Tune autovacuum"] {
        assert!(all.contains(part), "{part}");
    }
    stage.press("G");
    assert!(stage.screen(40, 10).contains("Causes"), "{}", stage.screen(40, 10));
    stage.press("g j j");
    assert_eq!(step(&stage), 2);
    assert!(stage.screen(40, 10).contains("2 End what blocks the others"), "{}", stage.screen(40, 10));
}

#[test]
fn hostile_texts_of_ones_own_runbook_are_shown_and_not_obeyed() {
    for text in hostile::TEXTS {
        let mut escaped = String::new();
        for c in text.chars() {
            write!(escaped, "\\U{:08X}", u32::from(c)).unwrap();
        }
        let file = format!(
            "id = \"own\"\ntitle = \"t{escaped}\"\nsummary = \"s{escaped}\"\nescalation = \"{escaped}\"\n\
             [[detect]]\nsays = \"{escaped}\"\nelsewhere = \"{escaped}\"\n\
             [[step]]\ntitle = \"x{escaped}\"\ntext = \"{escaped}\"\n[step.copy]\nwhat = \"w{escaped}\"\nrisk = \"r\"\ntext = \"c{escaped}\"\n\
             [[cause]]\nsays = \"{escaped}\"\ntext = \"{escaped}\"\n"
        );
        let book = parse(Source { name: text, text: &file }, &[]).unwrap();
        let mut stage = Stage::with(|setup| setup.runbooks = vec![book]).filled();
        for keys in ["4 r", "Enter", "d", "j", "j", "r"] {
            stage.press(keys);
            for (width, height) in crate::stage::SIZES {
                let screen = stage.screen(width, height);
                let bad =
                    screen.chars().find(|c| c.is_control() && *c != '\n' || "\u{202e}\u{2066}\u{200f}".contains(*c));
                assert_eq!(bad, None, "{text:?} after {keys}");
            }
        }
    }
}

#[test]
fn a_finding_opens_ones_own_runbook_that_is_about_it_and_none_that_is_not() {
    let text = "id = \"vacuum\"\ntitle = \"Our vacuum\"\nsummary = \"Ours.\"\n\
                [[detect]]\nsays = \"a\"\nelsewhere = \"b\"\n\
                [[step]]\ntitle = \"x\"\ntext = \"y\"\nfindings = [\"idle-transaction\"]\n";
    let own = parse(Source { name: "vacuum.toml", text }, &[]).unwrap();
    let mut stage = Stage::with(|setup| setup.runbooks.push(own)).at_peace();
    super::findings::idle(&mut stage);
    stage.press("1 r");
    assert_eq!(stage.app.runbook().map(|book| book.id.as_str()), Some("vacuum"));
    // Another one was left on the way; what is selected now belongs to none.
    stage.press("Esc");
    let mut stage = Stage::calm();
    super::findings::pile_up(&mut stage);
    stage.press("1 r j Enter");
    stage.see(crate::stage::locks::calm_but(Vec::new()));
    super::findings::slot_kept(&mut stage);
    stage.press("1 Esc");
    assert_eq!(stage.app.current_finding().map(pgtriage::diagnose::Finding::kind), Some(Kind::SlotRetains));
    stage.press("r");
    assert_eq!(stage.app.runbook().map(|book| book.id.clone()), None);
    assert!(matches!(stage.app.mode, Mode::Pick(_)), "{:?}", stage.app.mode);
}

#[test]
fn settings_that_are_changed_from_a_step_are_the_steps() {
    let mut stage = opened();
    stage.take(Question::Settings, Ok(crate::stage::settings::known()));
    stage.press("j j j j j L");
    assert!(matches!(stage.app.mode, Mode::Settings(_)), "{:?}", stage.app.mode);
    stage.press("Enter");
    let Mode::Ask(prompt) = &stage.app.mode else { panic!("nothing was asked: {}", stage.last_line()) };
    assert!(matches!(prompt.write(), Write::Setting { .. }));
    stage.pass(500);
    stage.type_text("log_min_duration_statement");
    let effects = stage.press("Enter");
    let [Effect::Write { id, .. }] = effects.as_slice() else { panic!("{effects:?}") };
    let id = *id;
    stage.news(id, ActionStep::Ended(Outcome::Written("waits for a restart".to_owned())));
    assert_eq!(stage.app.runbook_progress().marks.get(&5).map(|m| m.outcome), Some(StepOutcome::Failed));
}
