//! Screens as text, in three sizes, from the incident of the fixture; styles of a few.

use std::fmt::Write;
use std::time::Duration;

use pgtriage::app::Display;
use pgtriage::message::{ActionStep, Event};
use pgtriage::model::{Link, ProbeError, Question, Snapshot};

use pgtriage::model::session::State;
use pgtriage::postgres::{At, ConnectError, ServerMessage};
use pgtriage::probe::plan::{Reach, barred, refusal};
use pgtriage::probe::seat::Refusal;

use crate::stage::{SIZES, Stage, alerts, cache, ink, locks, plans, progress, settings};

fn in_all_sizes(name: &str, stage: &mut Stage) {
    for (width, height) in SIZES {
        let screen = stage.screen(width, height);
        insta::assert_snapshot!(format!("{name}_{width}x{height}"), screen);
    }
}

const TABS: [(&str, &str); 9] = [
    ("1", "triage"),
    ("2", "connections"),
    ("3", "slow"),
    ("4", "locks"),
    ("5", "tables"),
    ("6", "replication"),
    ("7", "latency"),
    ("8", "cache"),
    ("9", "statements"),
];

#[test]
fn every_tab_in_three_sizes() {
    for (key, name) in TABS {
        let mut stage = Stage::incident();
        stage.press(key);
        in_all_sizes(name, &mut stage);
    }
}

#[test]
fn the_other_lists_of_tables_in_three_sizes() {
    let mut stage = Stage::incident();
    stage.press("5 o");
    in_all_sizes("indexes", &mut stage);
    stage.press("o");
    stage.see(progress::sessions());
    for scanned in [700_000, 705_500, 711_000] {
        let mut running = progress::running();
        running.rows[0] = progress::wraparound(scanned);
        stage.pass(3_000);
        stage.take(Question::Progress, Ok(Snapshot::Progress(running)));
    }
    in_all_sizes("progress", &mut stage);
    stage.press("Enter");
    in_all_sizes("detail-progress", &mut stage);
}

#[test]
fn details_in_three_sizes() {
    let mut stage = Stage::incident();
    stage.press("j j Enter");
    stage.take(Question::SessionLocks(locks::key(locks::ALTER)), Ok(Snapshot::SessionLocks(locks::held())));
    in_all_sizes("detail-session", &mut stage);
    stage.press("5 Enter");
    in_all_sizes("detail-table", &mut stage);
    stage.press("o Enter");
    in_all_sizes("detail-index", &mut stage);
    stage.press("6 Enter");
    in_all_sizes("detail-replica", &mut stage);
    stage.press("9 j Enter");
    in_all_sizes("detail-statement", &mut stage);
}

#[test]
fn what_opens_above_a_tab_in_three_sizes() {
    for (name, keys) in [
        ("help", "?"),
        ("prompt-cancel", "j j x"),
        ("prompt-terminate", "X"),
        ("marked", "j m m j m"),
        ("prompt-bulk", "M x"),
        ("outcome", "j m m j m x c a n c e l Space 3 Enter"),
        ("prompt-vacuum", "5 j j v"),
        ("picker-sort", "s"),
        ("picker-database", "5 d"),
        ("palette", ":"),
        ("refusal", "x"),
    ] {
        let mut stage = Stage::incident();
        stage.press(keys);
        in_all_sizes(name, &mut stage);
    }
    let mut stage = Stage::incident();
    stage.press("/");
    stage.type_text("user:deploy");
    in_all_sizes("filter", &mut stage);
    let mut stage = Stage::incident();
    stage.press("5 j j v y");
    stage.news(1, ActionStep::Started { pid: Some(9001) });
    in_all_sizes("job", &mut stage);
    stage.press("q");
    in_all_sizes("leave", &mut stage);
}

#[test]
fn runbooks_in_three_sizes() {
    let mut stage = Stage::incident();
    stage.press("1 r");
    in_all_sizes("runbook", &mut stage);
    stage.press("d j j j j");
    in_all_sizes("runbook-step", &mut stage);
    stage.press("G");
    in_all_sizes("runbook-end", &mut stage);
    stage.press("r");
    in_all_sizes("runbooks", &mut stage);
    let mut stage = Stage::with(|setup| setup.display = Display { colour: false, ascii: true }).filled();
    stage.press("1 r d j");
    in_all_sizes("ascii-runbook", &mut stage);
    for (name, colour) in [("colour", true), ("monochrome", false)] {
        let mut stage = Stage::with(|setup| setup.display = Display { colour, ascii: false }).filled();
        stage.press("1 r d");
        insta::assert_snapshot!(format!("style-{name}-runbook"), ink::styled(&stage.buffer(80, 24)));
    }
}

#[test]
fn a_plan_in_three_sizes() {
    let mut stage = plans::stage();
    stage.press("9 s");
    stage.type_text("ms/s");
    stage.press("Enter g e");
    in_all_sizes("plan-question", &mut stage);
    // Here it is read whole.
    let _ = stage.screen(160, 45);
    stage.drawn();
    stage.press("y");
    plans::answer(&mut stage, Ok(plans::plan()));
    in_all_sizes("plan", &mut stage);
    stage.press("e");
    let cure = "GRANT SELECT ON public.orders TO \"planner\"".to_owned();
    plans::answer(&mut stage, Err(ProbeError::Denied { cure }));
    in_all_sizes("plan-denied", &mut stage);
    stage.press("e");
    plans::answer(&mut stage, Ok(plans::plan()));
    stage.app.setup.display = Display { colour: false, ascii: true };
    insta::assert_snapshot!("plan-ascii", stage.screen(160, 45));
}

/// What `plan.rs` says at its longest, as it says it.
#[test]
fn why_there_is_no_plan_in_three_sizes() {
    let reach = Reach {
        role: "oncall".into(),
        database: "shop".into(),
        beyond: [
            "pg_signal_backend",
            "pg_read_server_files",
            "REPLICATION of oncall",
            "the right to call dblink(text)",
        ]
        .map(str::to_owned)
        .to_vec(),
    };
    let refused = |sqlstate: &str, message: &str| {
        let at = At::Socket("/run/postgresql/.s.PGSQL.5432".into());
        let server = ServerMessage {
            severity: "FATAL".to_owned(),
            sqlstate: sqlstate.to_owned(),
            message: message.to_owned(),
            detail: None,
            hint: None,
        };
        let cause = ConnectError::Auth { at, server, passfile: None };
        let error = ProbeError::Unreachable(cause.to_string());
        barred(Refusal { error, full: false, permanent: true, cause }, "oncall_plan")
    };
    let path = "relation \"parcels\" does not exist; names were looked up along search_path app, public, its author's \
                session may have another; or it is hidden: GRANT SELECT ON app.parcels TO \"oncall_plan\"; GRANT USAGE ON \
                SCHEMA app TO \"oncall_plan\"";
    let grants = "GRANT SELECT, UPDATE ON public.orders TO \"planner\"; GRANT SELECT ON public.order_items TO \"planner\"; \
                  GRANT USAGE ON SCHEMA warehouse TO \"planner\"";
    for (name, error) in [
        ("mighty", ProbeError::Absent(refusal(&reach).expect("refused"))),
        ("peer", refused("28000", "Peer authentication failed for user \"oncall_plan\"")),
        ("password", refused("28P01", "password authentication failed for user \"oncall_plan\"")),
        ("hidden", ProbeError::Refused { code: "42P01".to_owned(), message: path.to_owned() }),
        ("grants", ProbeError::Denied { cure: grants.to_owned() }),
    ] {
        let mut stage = plans::stage();
        stage.press("9 s");
        stage.type_text("ms/s");
        stage.press("Enter g e y");
        plans::answer(&mut stage, Err(error));
        in_all_sizes(&format!("no-plan-{name}"), &mut stage);
    }
    // What can be seen from here is said in the footer.
    for (name, query) in [("utility", "COMMIT"), ("cut", &*"SELECT ".repeat(200))] {
        let mut stage = plans::stage();
        let mut sessions = locks::pile_up();
        for session in &mut sessions.rows {
            session.query = query.into();
            session.state = session.state.map(|_| State::Active);
        }
        stage.see(sessions);
        stage.press("2 /");
        stage.type_text("pid:4802");
        stage.press("Enter e");
        in_all_sizes(&format!("no-plan-{name}"), &mut stage);
    }
}

#[test]
fn the_settings_in_three_sizes() {
    let mut stage = Stage::incident();
    stage.take(Question::Settings, Ok(settings::known()));
    stage.press("P");
    in_all_sizes("settings", &mut stage);
    stage.type_text("work_mem");
    stage.press("Enter");
    stage.type_text("lots");
    stage.press("Enter");
    in_all_sizes("settings-value", &mut stage);
    stage.press("C-u");
    stage.type_text("128MB");
    stage.press("Enter");
    in_all_sizes("prompt-setting", &mut stage);
}

/// The connection is lost for eight seconds.
fn lost(mut stage: Stage) -> Stage {
    let words = "FATAL: terminating connection due to administrator command";
    let link = Link::Connecting {
        place: "db1:5432".to_owned(),
        since: stage.now(),
        attempt: 3,
        last_error: Some(words.to_owned()),
        retry_at: Some(stage.now() + Duration::from_secs(12)),
    };
    stage.event(Event::Link(link));
    for question in [Question::Sessions, Question::Replication] {
        stage.take(question, Err(ProbeError::Unreachable(words.to_owned())));
    }
    stage.wait(8);
    stage
}

#[test]
fn what_cannot_be_seen_in_three_sizes() {
    let mut stage = lost(Stage::incident());
    in_all_sizes("lost", &mut stage);
    stage.press("6");
    in_all_sizes("lost-replication", &mut stage);
    in_all_sizes("starting", &mut Stage::new());
    in_all_sizes("refused-at-the-start", &mut lost(Stage::new()));
    let mut stage = Stage::incident();
    stage.see(locks::hidden());
    in_all_sizes("hidden", &mut stage);
    let mut calm = locks::flowing();
    calm.rows.retain(|s| s.pid < locks::ROOT && s.pid != locks::REPORT);
    stage.see(calm);
    stage.press("3");
    in_all_sizes("calm", &mut stage);
    in_all_sizes("read-only", &mut Stage::read_only().filled());
}

/// One alert fires, one is pending, one has no data, one is Prometheus' own, one is silenced.
fn with_alerts() -> Stage {
    let mut stage = alerts::stage();
    let sees = |rule: &pgtriage::model::alert::AlertRule| {
        Some(match rule.name.as_str() {
            "CheckoutFails" => alerts::holds(4.25, &[("job", "shop")]),
            "LowCacheHitRate" => alerts::holds(0.6612, &[]),
            "QueueGrows" => alerts::holds(130.0, &[]),
            "HighErrorRate" => (Vec::new(), pgtriage::model::alert::Seen::NotANumber),
            _ => alerts::quiet(),
        })
    };
    alerts::all(&mut stage, sees);
    stage.wait(240);
    alerts::all(&mut stage, sees);
    alerts::others(&mut stage, "DiskFull");
    alerts::silence(&mut stage, "QueueGrows");
    stage
}

#[test]
fn alerts_in_three_sizes() {
    let mut stage = with_alerts();
    in_all_sizes("alerts", &mut stage);
    stage.press("Enter");
    in_all_sizes("alert-detail", &mut stage);
    stage.press("Esc A");
    in_all_sizes("alerts-acknowledged", &mut stage);
    stage.app.setup.display = Display { colour: false, ascii: true };
    insta::assert_snapshot!("alerts-ascii", stage.screen(160, 45));
}

#[test]
fn the_cache_table_in_each_of_its_states() {
    let mut heads = String::new();
    for (name, table) in cache::states() {
        let mut stage = Stage::with(|setup| setup.prometheus = None).up().cache(table);
        stage.press("8");
        let screen = stage.screen(120, 8);
        let lines = screen.lines().skip(2).take(4).collect::<Vec<_>>().join("\n");
        writeln!(heads, "{name}\n{lines}").unwrap();
    }
    insta::assert_snapshot!("cache-states", heads);
}

#[test]
fn a_screen_in_ascii_is_ascii_in_every_cell() {
    let ascii = || Stage::with(|setup| setup.display = Display { colour: false, ascii: true });
    let mut screens = Vec::new();
    for (key, _) in TABS {
        for more in ["", "Enter", "?", "s", ":", "/", "j j x", "X", "j j v", "Space", "5 d", "r d j"] {
            let mut stage = ascii().filled();
            stage.press(&format!("{key} {more}"));
            screens.push(stage);
        }
    }
    screens.push(lost(ascii().filled()));
    for stage in &mut screens {
        for (width, height) in SIZES {
            let screen = stage.screen(width, height);
            let strange: Vec<&str> = screen.lines().filter(|line| !line.is_ascii()).collect();
            assert!(strange.is_empty(), "{strange:#?}");
        }
    }
    let mut stage = ascii().filled();
    in_all_sizes("ascii-connections", &mut stage);
    stage.press("7");
    in_all_sizes("ascii-latency", &mut stage);
}

#[test]
fn styles_with_colour_and_without() {
    for (name, colour) in [("colour", true), ("monochrome", false)] {
        let new = || Stage::with(|setup| setup.display = Display { colour, ascii: false });
        let mut stage = new().filled();
        insta::assert_snapshot!(format!("style-{name}-connections"), ink::styled(&stage.buffer(80, 24)));
        stage.press("j j x");
        insta::assert_snapshot!(format!("style-{name}-prompt"), ink::styled(&stage.buffer(80, 24)));
        let mut stage = lost(new().filled());
        insta::assert_snapshot!(format!("style-{name}-lost"), ink::styled(&stage.buffer(80, 24)));
        stage.press("6");
        insta::assert_snapshot!(format!("style-{name}-replication"), ink::styled(&stage.buffer(80, 24)));
    }
}

#[test]
fn without_colour_no_cell_has_one() {
    for (key, _) in TABS {
        let mut stage = Stage::with(|setup| setup.display = Display { colour: false, ascii: false }).filled();
        stage.press(key);
        let coloured = stage
            .buffer(160, 45)
            .content
            .iter()
            .filter(|c| c.fg != ratatui::style::Color::Reset || c.bg != ratatui::style::Color::Reset)
            .count();
        assert_eq!(coloured, 0, "tab {key}");
    }
}

#[test]
fn the_query_has_at_least_sixty_cells_at_160_columns() {
    let mut stage = Stage::incident();
    let mut sessions = locks::pile_up();
    let digits = |n: usize| "0123456789".chars().cycle().take(n).collect::<String>();
    let text = digits(200);
    for s in &mut sessions.rows {
        s.query = text.as_str().into();
        s.user = Some("a_role_with_a_long_name".into());
        s.database = Some("a_database_with_a_long_name".into());
        s.application = "an_application_with_a_long_name".into();
    }
    stage.see(sessions);
    for key in ["2", "3"] {
        stage.press(key);
        assert!(stage.screen(160, 45).contains(&digits(59)), "{}", stage.screen(160, 45));
        let narrow = stage.screen(80, 24);
        assert!(narrow.contains(&digits(29)), "{narrow}");
        let tiny = stage.screen(40, 10);
        let rows = tiny.lines().filter(|l| l.contains(&digits(10))).count();
        assert!(rows >= 3 && tiny.contains("4711"), "rows with pid and query at 40×10:\n{tiny}");
    }
}
