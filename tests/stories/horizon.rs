//! Who keeps vacuum from removing rows, and who keeps a transaction open: the one whose end would help is named, not who
//! merely follows.

use pgtriage::app::mode::Mode;
use pgtriage::diagnose::{Kind, Severity};
use pgtriage::model::activity::{Part, PreparedTransaction};
use pgtriage::model::relation::{Relation, VacuumProgress};
use pgtriage::model::replica::{Replication, Slot};
use pgtriage::model::server::Server;
use pgtriage::model::session::{Session, Sessions, State};

use super::findings::{churned, forgotten, relations, replicated, sessions};
use crate::stage::{Stage, activity, locks, replication, server, tables};

/// The transaction id that all of this is about.
const XID: &str = "8812345";

/// A client that has written, and says nothing more: it has an id, and no snapshot.
fn writer() -> Session {
    Session { xid: Some(XID.to_owned()), xmin: None, xmin_age: Some(18_000), ..locks::root() }
}

/// A statement of this moment, whose snapshot stands where that transaction began.
fn follower() -> Session {
    Session { xmin: Some(XID.to_owned()), xmin_age: Some(18_000), ..locks::session(4_000, 0.1, "SELECT 1") }
}

/// Its table, vacuumed a moment ago.
fn in_vain() -> Relation {
    Relation { autovacuum_s: Some(20.0), ..churned() }
}

fn prepared() -> PreparedTransaction {
    PreparedTransaction { xid: Some(XID.to_owned()), xid_age: Some(18_000), ..forgotten() }
}

fn churning(stage: &mut Stage, rows: Vec<Session>) {
    sessions(stage, rows);
    relations(stage, tables::calm_but(in_vain()));
}

#[test]
fn a_prepared_transaction_that_holds_the_horizon_is_named_with_the_sql_that_ends_it() {
    let mut stage = Stage::calm();
    activity::minute(&mut stage, |look, _| look.prepared = Part::Read(vec![prepared()]));
    // A statement of this moment stands where it stands.
    churning(&mut stage, vec![follower()]);
    let finding = stage.finding(Kind::Horizon);
    let fact = "prepared transaction tx'42 holds the horizon for 3h: vacuum removes no row of 1 table that died since";
    assert_eq!(finding.fact, fact);
    assert_eq!((finding.severity, finding.action), (Severity::Warning, None), "nothing of ours ends it");
    assert_eq!(finding.remedy.as_deref(), Some("ROLLBACK PREPARED 'tx''42';"));
    let dead = stage.finding(Kind::DeadRows);
    assert!(dead.fact.contains("vacuum in vain: prepared transaction tx'42 holds the horizon"), "{}", dead.fact);
    assert_eq!(stage.kinds(), [Kind::Horizon, Kind::DeadRows], "and it is not named once more as forgotten");
    stage.press("5");
    let says = "prepared transaction tx'42 (open 3h) holds back what a vacuum may remove";
    assert!(stage.wide().contains(says), "{}", stage.wide());
}

/// What the question before a vacuum warns of, on the first table of the list.
fn asked(mut stage: Stage) -> Vec<String> {
    stage.press("5 v");
    let Mode::Ask(prompt) = &stage.app.mode else { panic!("no question: {}", stage.wide()) };
    prompt.warnings().to_vec()
}

#[test]
fn the_question_before_a_vacuum_names_whoever_holds_the_horizon_and_says_that_no_row_goes() {
    let says = |change: fn(&mut Stage), words: &str| {
        let mut stage = Stage::calm();
        churning(&mut stage, Vec::new());
        change(&mut stage);
        let warnings = asked(stage);
        assert!(warnings.iter().any(|w| w.starts_with(words)), "not: {words}\n{warnings:?}");
    };
    let died = "no row goes that died in the last";
    says(
        |stage| activity::minute(stage, |look, _| look.prepared = Part::Read(vec![prepared()])),
        &format!("prepared transaction tx'42 holds the horizon (open 3h): {died} 18k transactions"),
    );
    says(
        |stage| churning(stage, vec![writer()]),
        &format!("4711 holds the horizon (idle in transaction, open 12m): {died} 18k transactions"),
    );
    let elsewhere = |stage: &mut Stage| {
        churning(stage, vec![follower(), Session { database: Some("billing".into()), ..writer() }]);
    };
    says(elsewhere, "4711 holds the horizon (idle in transaction, open 12m, has written in billing): no row goes");
    says(
        |stage| {
            let slot =
                Slot { xmin: Some(XID.to_owned()), xmin_age: Some(218_000), ..replication::slot("old", false, 9) };
            let calm = replication::calm();
            replicated(stage, Replication { slots: vec![slot], ..calm });
        },
        &format!("slot old holds the horizon (inactive): {died} 218k transactions"),
    );
    says(
        |stage| {
            let mut calm = replication::calm();
            calm.replicas[0].slot = None;
            calm.replicas[0].xmin_age = Some(300_000);
            calm.slots.clear();
            replicated(stage, calm);
        },
        &format!("a query on standby replica-1 holds the horizon (by hot_standby_feedback): {died} 300k transactions"),
    );
    says(
        |stage| stage.see(Sessions { hidden: 3, ..Sessions::default() }),
        "3 sessions are hidden from our role: one of them may hold the horizon",
    );
    for nobody in [Vec::new(), vec![Session { xact_s: Some(20.0), ..writer() }]] {
        let mut stage = Stage::calm();
        churning(&mut stage, nobody);
        assert_eq!(asked(stage), Vec::<String>::new());
    }
}

#[test]
fn on_a_standby_nobody_holds_a_horizon_but_by_feedback_and_then_the_primarys() {
    for feedback in [false, true] {
        let mut stage = Stage::calm().server(Server { in_recovery: true, ..server() });
        activity::minute(&mut stage, |look, _| {
            look.in_recovery = true;
            look.bounds.feedback = feedback;
        });
        sessions(
            &mut stage,
            vec![Session { xid: None, xmin: Some(XID.to_owned()), xmin_age: Some(2_000_000), ..writer() }],
        );
        assert_eq!(stage.kinds().contains(&Kind::Horizon), feedback, "{:?}", stage.kinds());
        if feedback {
            let fact = &stage.finding(Kind::Horizon).fact;
            assert!(
                fact.ends_with(": by hot_standby_feedback vacuum on the primary removes nothing that died since"),
                "{fact}"
            );
        } else {
            assert!(stage.finding(Kind::IdleTransaction).todo.starts_with("it holds its locks; "));
        }
    }
}

#[test]
fn a_standby_that_follows_a_writer_here_is_not_blamed_for_it() {
    let mut stage = Stage::calm();
    let calm = replication::calm();
    let feedback = |slot: Slot| Slot { xmin: Some(XID.to_owned()), xmin_age: Some(218_000), ..slot };
    let slots = calm.slots.into_iter().map(feedback).collect();
    replicated(&mut stage, Replication { slots, ..calm });
    let mut old = writer();
    old.xmin_age = Some(217_000);
    churning(&mut stage, vec![old]);
    let finding = stage.finding(Kind::Horizon);
    assert!(finding.fact.starts_with("4711 idle in transaction holds the horizon for 12m"), "{}", finding.fact);
    // Without the writer it is the standby's own.
    churning(&mut stage, Vec::new());
    let finding = stage.finding(Kind::Horizon);
    assert!(finding.fact.starts_with("slot replica_1 holds the horizon"), "{}", finding.fact);
}

#[test]
fn a_writer_in_another_database_is_named_where_snapshots_here_follow_it() {
    let mut stage = Stage::calm();
    let elsewhere = Session { database: Some("billing".into()), ..writer() };
    churning(&mut stage, vec![follower(), elsewhere.clone()]);
    let finding = stage.finding(Kind::Horizon);
    assert!(finding.fact.starts_with("4711 idle in transaction holds the horizon for 12m"), "{}", finding.fact);
    assert!(
        finding.evidence.contains("shop@billing from 10.0.3.9 app=worker (in another database, but it has written")
    );
    churning(&mut stage, vec![elsewhere]);
    assert_eq!(stage.kinds(), [Kind::IdleTransaction, Kind::DeadRows], "by itself it holds nothing here");
}

#[test]
fn a_vacuum_that_began_after_its_holder_works_in_vain_and_one_from_before_does_not() {
    let told = |running_s| {
        let mut stage = Stage::calm();
        sessions(&mut stage, vec![writer()]);
        let mut all = tables::calm_but(in_vain());
        let works = tables::relations().vacuums.remove(0);
        all.vacuums = vec![VacuumProgress { oid: 16_440, running_s: Some(running_s), ..works }];
        relations(&mut stage, all);
        stage.finding(Kind::DeadRows).fact.clone()
    };
    assert!(told(1.0).contains("vacuum in vain: 4711 holds the horizon"), "{}", told(1.0));
    assert!(told(5_000.0).contains("a vacuum works on it for 1h"), "{}", told(5_000.0));
}

#[test]
fn a_transaction_that_works_statement_after_statement_is_long_and_not_idle() {
    let mut stage = Stage::calm();
    let chatty = Session { state: Some(State::IdleInTransaction), state_s: Some(0.2), ..locks::root() };
    sessions(&mut stage, vec![Session { xact_s: Some(400.0), ..chatty.clone() }]);
    assert_eq!(stage.kinds(), [], "open for seven minutes, silent for a moment");
    sessions(&mut stage, vec![Session { xact_s: Some(4_000.0), ..chatty.clone() }]);
    assert_eq!(stage.kinds(), [Kind::LongTransaction]);
    // It blocks somebody: its sentence says both.
    let waits = locks::session(5_000, 40.0, "UPDATE orders SET status = 'new' WHERE id = 42");
    sessions(&mut stage, vec![chatty, locks::behind(waits, &[locks::ROOT], "transactionid", "ShareLock")]);
    let finding = stage.finding(Kind::Blocker);
    assert!(
        finding.fact.starts_with("4711 idle in transaction 0.2s (open for 12m) blocks 1 session"),
        "{}",
        finding.fact
    );
}

#[test]
fn an_idle_transaction_is_said_to_hold_the_horizon_only_where_it_does() {
    let mut stage = Stage::calm();
    sessions(&mut stage, vec![locks::root()]);
    assert!(stage.finding(Kind::IdleTransaction).todo.starts_with("it holds its locks and the horizon; "));
    sessions(&mut stage, vec![Session { xid: None, xmin: None, xmin_age: None, ..locks::root() }]);
    assert!(stage.finding(Kind::IdleTransaction).todo.starts_with("it holds its locks; "));
}

/// Feedback of a standby, through its slot or without one, from that transaction on.
fn fed_back(through_slot: bool, xmin: &str, age: i64) -> Replication {
    let mut calm = replication::calm();
    let slot = &mut calm.slots[0];
    (slot.xmin, slot.xmin_age) = (Some(xmin.to_owned()), Some(age));
    if !through_slot {
        let replica = &mut calm.replicas[0];
        (replica.xmin, replica.xmin_age, replica.slot) = (Some(xmin.to_owned()), Some(age), None);
        calm.slots.clear();
    }
    calm
}

#[test]
fn a_query_on_a_standby_is_named_once_the_horizon_was_seen_to_stand_as_long_as_a_sessions_may() {
    for (through_slot, who) in
        [(true, "slot replica_1 holds the horizon"), (false, "a query on standby replica-1 holds")]
    {
        let looked = |moves: bool, age: i64, seconds: u64| {
            let mut stage = Stage::calm();
            churning(&mut stage, Vec::new());
            replicated(&mut stage, fed_back(through_slot, "700", age));
            stage.wait(seconds);
            replicated(&mut stage, fed_back(through_slot, if moves { "900" } else { "700" }, age));
            stage
        };
        let mut stage = looked(false, 5_000, 70);
        let fact = &stage.finding(Kind::Horizon).fact;
        assert!(fact.starts_with(who) && fact.ends_with("removes no row of 1 table that died since"), "{fact}");
        stage.press("5");
        assert!(stage.wide().contains("holds back what a vacuum may remove"), "{}", stage.wide());
        assert!(
            asked(stage).iter().any(|w| w.contains("holds the horizon")),
            "the question before a vacuum says so, too"
        );
        for (what, (moves, age, seconds)) in [
            ("it was seen for 40 s", (false, 5_000, 40)),
            ("it follows what happens", (true, 5_000, 70)),
            ("it is as far behind as one without a query", (false, 20, 70)),
        ] {
            let mut stage = looked(moves, age, seconds);
            assert!(!stage.kinds().contains(&Kind::Horizon), "{what}");
            stage.press("5");
            assert!(!stage.wide().contains("holds back what"), "{what}");
            assert_eq!(asked(stage), Vec::<String>::new(), "{what}");
        }
    }
}

#[test]
fn who_hides_since_when_it_is_open_is_judged_by_its_age_in_every_place_alike() {
    for (age, named) in [(99_000, false), (100_000, true)] {
        let mut stage = Stage::calm();
        let hidden = Session { hidden: true, xact_s: None, xmin_age: Some(age), ..writer() };
        churning(&mut stage, vec![hidden]);
        assert_eq!(stage.kinds().contains(&Kind::Horizon), named, "{age}: {:?}", stage.kinds());
        stage.press("5");
        assert_eq!(stage.wide().contains("holds back what a vacuum may remove"), named, "{age}");
        assert_eq!(asked(stage).iter().any(|w| w.contains("holds the horizon")), named, "{age}");
    }
}

/// A logical slot holds no row of a table, and the catalogs of all databases.
#[test]
fn a_logical_slot_that_stands_is_named_as_who_keeps_the_catalogs() {
    let with = |age: Option<i64>, own: Option<i64>, reason: Option<&str>| {
        let mut all = crate::stage::replication::calm();
        all.slots.push(pgtriage::model::replica::Slot {
            kind: "logical".to_owned(),
            database: Some("shop".into()),
            catalog_xmin_age: age,
            xmin_age: own,
            invalidation: reason.map(str::to_owned),
            ..crate::stage::replication::slot("warehouse", false, 1 << 20)
        });
        let mut databases = crate::stage::tables::calm();
        databases.databases[0].xid_age = 1_500_000_000;
        Stage::calm().replication(all).relations(databases)
    };
    let mut stage = with(Some(1_400_000_000), None, None);
    let finding = stage.finding(Kind::Horizon).clone();
    assert!(finding.fact.starts_with("slot warehouse holds the horizon of the system catalogs"), "{}", finding.fact);
    assert!(
        finding
            .evidence
            .starts_with("catalog_xmin 1.4G transactions old, logical slot of database shop, has no reader"),
        "{}",
        finding.evidence
    );
    assert_eq!(finding.remedy.as_deref(), Some("SELECT pg_drop_replication_slot('warehouse');"));
    let ids = stage.finding(Kind::Wraparound).evidence.clone();
    assert!(ids.ends_with("; slot warehouse keeps the catalogs 1.4G transactions back"), "{ids}");
    let key = finding.key.clone();
    let shown = format!("{:?}", stage.app.figures_of(&key));
    assert!(shown.contains("slot warehouse") && shown.contains("catalog_xmin 1.4G transactions back"), "{shown}");
    stage.press("1");
    assert!(stage.wide().contains("slot warehouse holds the horizon"), "{}", stage.wide());
    // A young one, one that holds the tables as far back and is named for those, and one that is invalid hold nothing more.
    for (age, own, reason) in
        [(Some(1_000), None, None), (Some(1_400), Some(1_400), None), (Some(1_400_000_000), None, Some("wal_removed"))]
    {
        let stage = with(age, own, reason);
        assert!(!stage.kinds().contains(&Kind::Horizon), "{age:?} {own:?} {reason:?}");
        assert!(!stage.finding(Kind::Wraparound).evidence.contains("catalogs"));
    }
}

#[test]
fn where_another_holds_it_as_far_back_no_vacuum_is_promised_from_the_end_of_the_first() {
    let todo = |other: Session| {
        let mut stage = Stage::calm();
        churning(&mut stage, vec![writer(), other]);
        let finding = stage.finding(Kind::Horizon);
        assert!(finding.fact.starts_with("4711 idle in transaction holds the horizon"), "{finding:?}");
        finding.todo.clone()
    };
    let reader = Session {
        xid: None,
        xmin: Some(XID.to_owned()),
        xmin_age: Some(17_000),
        xact_s: Some(300.0),
        state_s: Some(300.0),
        ..Session { pid: 4_900, ..locks::root() }
    };
    let says = todo(reader.clone());
    let then = "then 4900 (idle in transaction, open 5m) holds it, 17k transactions back: end that, too";
    assert!(says.ends_with(then), "{says}");
    // One that came lately, or far later, is no hindrance.
    for other in [Session { xact_s: Some(1.0), ..reader.clone() }, Session { xmin_age: Some(500), ..reader }] {
        let says = todo(other);
        assert!(says.ends_with("then autovacuum does its work"), "{says}");
    }
}
