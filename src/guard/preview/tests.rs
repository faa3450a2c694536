//! What a question says in each situation.

use super::super::{Confirm, Prompt, Verdict, fixture, judge};
use super::super::{Object, Signal, Task};
use super::*;
use crate::model::relation::{Barrier, DatabaseTotals, Relation, Relations};
use crate::model::session::LockWait;

fn prompt(write: Write, scene: &Scene<'_>) -> Box<Prompt> {
    match judge(write, scene) {
        Verdict::Confirm(prompt) => prompt,
        Verdict::Refuse(refusal) => panic!("{}", refusal.sentence()),
    }
}

fn row<'a>(prompt: &'a Prompt, label: &str) -> &'a str {
    &prompt.rows().iter().find(|r| r.label == label).unwrap().text
}

/// A root 1, an `ALTER TABLE` 3 behind it, readers 4 and 5 behind that.
fn pile_up() -> World {
    let lock = LockWait {
        locktype: "relation".to_owned(),
        mode: "AccessExclusiveLock".to_owned(),
        relation: Some("orders".into()),
        waited_s: Some(540.0),
        shared: false,
    };
    let alter = Session {
        query: "ALTER TABLE orders ADD note text".into(),
        waits_for: Some(lock),
        ..fixture::waiting(3, &[1])
    };
    fixture::world(vec![fixture::active(1), alter, fixture::waiting(4, &[3]), fixture::waiting(5, &[3])])
}

fn of_pid(world: &World, pid: i32) -> Write {
    Write::cancel(world.sessions.get().unwrap().rows.iter().find(|s| s.pid == pid).unwrap(), &fixture::server())
}

#[test]
fn the_queued_alter_table_says_whom_it_frees_and_for_whom_it_waits() {
    let world = pile_up();
    let prompt = prompt(of_pid(&world, 3), &fixture::scene(&world));
    assert_eq!(prompt.title(), "Cancel the statement of backend 3?");
    assert_eq!(row(&prompt, "who"), "shop@shop, app=worker, 10.0.3.9:50112, connected 12m12s ago");
    assert_eq!(
        row(&prompt, "doing"),
        "active 12m02s, waits 9m00s for AccessExclusiveLock on orders: ALTER TABLE orders ADD note text"
    );
    assert_eq!(row(&prompt, "undoes"), "the statement and its transaction, open 12m03s; it has written nothing");
    assert_eq!(row(&prompt, "frees"), "2 waiting sessions (oldest 12m02s); it waits itself for 1");
    assert!(row(&prompt, "runs").contains("pg_cancel_backend"));
    assert_eq!(row(&prompt, "logged"), "as alice");
    assert!(prompt.warnings().is_empty());
}

#[test]
fn of_several_those_that_wait_for_a_standby_are_counted_as_not_undone() {
    let wait = Some(crate::model::session::Wait { class: "IPC".to_owned(), event: "SyncRep".to_owned() });
    let commit = |pid| Session { wait: wait.clone(), xid: Some(format!("88{pid}")), ..fixture::active(pid) };
    let writes = |pid| Session { xid: Some(format!("88{pid}")), ..fixture::active(pid) };
    let undoes = |sessions: Vec<Session>, signal| {
        let world = fixture::world(sessions.clone());
        let Write::Bulk(bulk) = Write::bulk(signal, &sessions, 0, &fixture::server()) else { panic!() };
        let preview = super::bulk::of(&bulk, &fixture::scene(&world));
        preview.rows.into_iter().find(|row| row.label == "undoes").map(|row| row.text).expect("it is said")
    };
    assert_eq!(
        undoes(vec![commit(1), commit(2)], Signal::Cancel),
        "nothing: all are done here and waiting for a standby; each client only stops waiting"
    );
    assert_eq!(
        undoes(vec![commit(1), commit(2), writes(3)], Signal::Cancel),
        "each statement and its transaction; 1 may have written: rolled back; 2 done here and waiting for a standby: not undone"
    );
    assert_eq!(
        undoes(vec![commit(1), commit(2)], Signal::Terminate),
        "2 done here and waiting for a standby: not undone; each client sees 57P01 and loses its session"
    );
    assert_eq!(
        undoes(vec![commit(1), writes(3)], Signal::Terminate),
        "2 open transactions, of which 1 may have written: rolled back; 1 done here and waiting for a standby: not undone; \
         each client sees 57P01 and loses its session"
    );
}

#[test]
fn what_has_committed_and_waits_for_a_standby_is_not_said_to_be_undone() {
    let wait = Some(crate::model::session::Wait { class: "IPC".to_owned(), event: "SyncRep".to_owned() });
    let commit = Session { wait, xid: Some("8812345".to_owned()), ..fixture::active(1) };
    let world = fixture::world(vec![commit.clone()]);
    let asked = prompt(of_pid(&world, 1), &fixture::scene(&world));
    assert_eq!(
        row(&asked, "undoes"),
        "nothing: it has committed here, and a failover may lose that; its client only stops waiting for the standby"
    );
    let scene = fixture::scene(&world);
    let Write::Terminate { session, who, query, .. } = Write::terminate(&commit, &fixture::server()) else { panic!() };
    let target = Target { who: &who, query: &query, found: Some(&commit) };
    let preview = terminate::of(session.pid, &target, &scene);
    let undoes = &preview.rows.iter().find(|row| row.label == "undoes").unwrap().text;
    assert!(undoes.starts_with("nothing: it has committed here"), "{undoes}");
    let half = Session { query: "prepare transaction 'tx42'".into(), ..commit };
    let world = fixture::world(vec![half]);
    let asked = self::prompt(of_pid(&world, 1), &fixture::scene(&world));
    assert!(row(&asked, "undoes").starts_with("nothing: it is prepared here"), "{}", row(&asked, "undoes"));
}

#[test]
fn what_another_blocker_keeps_waiting_is_not_promised() {
    let rows = vec![fixture::active(1), fixture::active(2), fixture::waiting(3, &[1, 2]), fixture::waiting(4, &[1])];
    let world = fixture::world(rows);
    let prompt = prompt(of_pid(&world, 1), &fixture::scene(&world));
    assert_eq!(row(&prompt, "frees"), "1 of 2 waiting behind it (oldest 12m02s) (2 remains)");
}

#[test]
fn a_prepared_transaction_that_remains_is_named_as_one() {
    let world = fixture::world(vec![fixture::active(1), fixture::waiting(3, &[0, 1])]);
    let prompt = prompt(of_pid(&world, 1), &fixture::scene(&world));
    assert_eq!(row(&prompt, "frees"), "0 of 1 waiting behind it (a prepared transaction remains)");
}

#[test]
fn a_transaction_that_has_written_says_so() {
    let world = fixture::world(vec![Session { xid: Some("8812345".to_owned()), ..fixture::active(1) }]);
    let prompt = prompt(of_pid(&world, 1), &fixture::scene(&world));
    assert!(row(&prompt, "undoes").ends_with("it may have written (xid 8812345): rolled back"));
    assert_eq!(row(&prompt, "frees"), "nobody waits behind it");
}

#[test]
fn behind_a_pooler_on_an_old_list_and_for_a_concurrent_build_it_warns() {
    let build = Session { query: "create index concurrently i on t (a)".into(), ..fixture::active(1) };
    let mut world = fixture::world(vec![build]);
    if let Some(Link::Up(facts)) = &mut world.link {
        facts.pooled = true;
    }
    let scene = Scene { now: fixture::at(12), ..fixture::scene(&world) };
    let prompt = prompt(of_pid(&world, 1), &scene);
    let [old, pooler, invalid] = prompt.warnings() else { panic!("{:?}", prompt.warnings()) };
    assert!(old.starts_with("this list is 12s old") && pooler.contains("pooler") && invalid.contains("invalid index"));
}

#[test]
fn hostile_text_is_escaped_in_every_line() {
    let hostile = Session {
        query: "SELECT '\u{1b}[2J'".into(),
        application: "\u{202e}app".into(),
        user: Some("a\u{7}b".into()),
        ..fixture::active(1)
    };
    let world = fixture::world(vec![hostile]);
    let scene = Scene { logged_as: "al\u{1b}ice", ..fixture::scene(&world) };
    let prompt = prompt(of_pid(&world, 1), &scene);
    for row in prompt.rows() {
        assert!(!row.text.chars().any(|c| c.is_control() || c == '\u{202e}'), "{row:?}");
    }
}

fn terminate(session: &Session) -> Write {
    Write::terminate(session, &fixture::server())
}

#[test]
fn a_termination_says_what_the_session_sits_on_and_what_its_client_loses() {
    let root = Session { state: Some(State::IdleInTransaction), xid: Some("8812345".to_owned()), ..fixture::active(1) };
    let world = fixture::world(vec![root.clone(), fixture::waiting(3, &[1])]);
    let prompt = prompt(terminate(&root), &fixture::scene(&world));
    assert_eq!(prompt.title(), "Terminate backend 1?");
    assert_eq!(row(&prompt, "who"), "shop@shop, app=worker, 10.0.3.9:50112, connected 12m12s ago");
    assert_eq!(row(&prompt, "doing"), "idle in transaction 12m02s; last: UPDATE orders SET total = 1");
    assert_eq!(
        row(&prompt, "undoes"),
        "its transaction, open 12m03s; it may have written (xid 8812345): rolled back; its client sees FATAL 57P01 and loses \
         the session with all that belongs to it"
    );
    assert_eq!(row(&prompt, "frees"), "1 waiting session (oldest 12m02s)");
    assert!(row(&prompt, "runs").contains("pg_terminate_backend"));
    assert_eq!(row(&prompt, "logged"), "as alice");
    assert_eq!(prompt.confirm(), &Confirm::Type("1".to_owned()));
}

#[test]
fn the_termination_of_an_idle_session_says_that_it_frees_but_a_slot() {
    let idle =
        Session { state: Some(State::Idle), xact_start: None, xact_s: None, query: "".into(), ..fixture::active(1) };
    let mut world = fixture::world(vec![idle.clone()]);
    let alone = prompt(terminate(&idle), &fixture::scene(&world));
    assert_eq!(row(&alone, "doing"), "idle 12m02s; last: nothing so far");
    assert!(row(&alone, "undoes").starts_with("no transaction is open; its client sees FATAL 57P01"));
    assert!(row(&alone, "frees").starts_with("only its slot"));
    // A lock of the session, not of a transaction.
    fixture::take_sessions(&mut world, vec![idle.clone(), fixture::waiting(2, &[1])]);
    let holder = prompt(terminate(&idle), &fixture::scene(&world));
    assert_eq!(row(&holder, "frees"), "1 waiting session (oldest 12m02s)");
}

#[test]
fn on_a_production_server_every_question_is_a_typed_one() {
    let world = fixture::world(vec![fixture::active(7)]);
    let scene = Scene { production: true, ..fixture::scene(&world) };
    assert_eq!(prompt(of_pid(&world, 7), &scene).confirm(), &Confirm::Type("7".to_owned()));
    let vacuum = || Write::vacuum(&fixture::relation(), &"shop".into(), &fixture::server());
    assert_eq!(prompt(vacuum(), &scene).confirm(), &Confirm::Type("public.orders".to_owned()));
    let elsewhere = fixture::scene(&world);
    assert!(matches!(prompt(of_pid(&world, 7), &elsewhere).confirm(), Confirm::Key(_)));
    assert!(matches!(prompt(vacuum(), &elsewhere).confirm(), Confirm::Key(_)));
}

#[test]
fn a_vacuum_says_what_the_table_holds_which_lock_it_takes_and_what_will_be_sent() {
    let world = fixture::world(Vec::new());
    let write = Write::vacuum(&fixture::relation(), &"shop".into(), &fixture::server());
    let prompt = prompt(write, &fixture::scene(&world));
    assert_eq!(prompt.title(), "VACUUM (ANALYZE) public.orders?");
    assert_eq!(row(&prompt, "target"), "table public.orders in database shop");
    assert_eq!(row(&prompt, "holds"), "1.0 GB, 400k dead of 1.0M rows (40 %)");
    assert_eq!(row(&prompt, "last"), "vacuum never, autovacuum 2h ago");
    assert!(row(&prompt, "locks").starts_with("SHARE UPDATE EXCLUSIVE"));
    assert_eq!(row(&prompt, "runs"), "VACUUM (ANALYZE, PARALLEL 0) \"public\".\"orders\"");
    assert!(matches!(prompt.confirm(), Confirm::Key(_)));
}

#[test]
fn an_analyze_is_a_light_question_however_large_the_table() {
    let relation = Relation { bytes: 1 << 40, ..fixture::relation() };
    let mut world = fixture::world(vec![Session { xmin: Some("1000".to_owned()), ..fixture::active(1) }]);
    fixture::take_relations(&mut world, Relations { rows: vec![relation.clone()], ..fixture::relations() });
    let write = Write::maintain(Task::Analyze, Object::table_of(&"shop".into(), &relation), &fixture::server());
    let prompt = prompt(write, &fixture::scene(&world));
    assert_eq!(prompt.title(), "ANALYZE public.orders?");
    assert_eq!(row(&prompt, "last"), "analyze never, autoanalyze never");
    assert_eq!(row(&prompt, "runs"), "ANALYZE \"public\".\"orders\"");
    assert_eq!(prompt.warnings(), &[] as &[String], "no horizon holds it back");
    assert!(matches!(prompt.confirm(), Confirm::Key(_)));
}

#[test]
fn a_reindex_says_what_it_takes_whom_it_waits_for_and_what_it_may_leave_and_wants_the_name_typed() {
    let holder = Session { xmin: Some("1000".to_owned()), ..fixture::active(1) };
    let brief = Session { xact_s: Some(3.0), ..Session { xid: Some("1001".to_owned()), ..fixture::active(2) } };
    let elsewhere = Session { database: Some("other".into()), ..Session { pid: 3, ..holder.clone() } };
    let world = fixture::world(vec![brief, elsewhere, holder]);
    let target = Object::table_of(&"shop".into(), &fixture::relation());
    let write = Write::maintain(Task::Reindex, target, &fixture::server());
    let prompt = prompt(write, &fixture::scene(&world));
    assert_eq!(prompt.title(), "REINDEX CONCURRENTLY public.orders?");
    assert!(row(&prompt, "costs").starts_with("builds 3 indexes anew, 300 MB in all"), "{}", row(&prompt, "costs"));
    let [waits, leaves] = prompt.warnings() else { panic!("{:?}", prompt.warnings()) };
    assert_eq!(waits, "it may have to wait for 1, in a transaction for 12m03s: it gives up after 10 s");
    assert!(leaves.contains("_ccnew"));
    assert_eq!(prompt.confirm(), &Confirm::Type("public.orders".to_owned()));
}

#[test]
fn dropping_an_index_wants_the_name_of_the_index_and_says_whose_it_is() {
    let world = fixture::world(Vec::new());
    let write = Write::maintain(Task::DropInvalid, fixture::index(), &fixture::server());
    let prompt = prompt(write, &fixture::scene(&world));
    assert_eq!(row(&prompt, "target"), "index public.orders_pkey of orders in database shop");
    assert_eq!(prompt.confirm(), &Confirm::Type("public.orders_pkey".to_owned()));
}

#[test]
fn a_whole_database_is_vacuumed_after_its_name_was_typed() {
    let mut world =
        fixture::world(vec![Session { xmin: Some("1000".to_owned()), xmin_age: Some(340), ..fixture::active(1) }]);
    let shop = DatabaseTotals {
        name: "shop".into(),
        bytes: Some(61 << 30),
        backends: 1,
        xid_age: 1,
        mxid_age: 1,
        xid_forced_at: None,
        mxid_forced_at: None,
        deadlocks: 0,
        temp_bytes: 0,
        connectable: true,
    };
    fixture::take_relations(&mut world, Relations { databases: vec![shop], ..fixture::relations() });
    let target = Object::Database { name: "shop".into(), oid: 5 };
    let write = Write::maintain(Task::VacuumAnalyze, target, &fixture::server());
    let prompt = prompt(write, &fixture::scene(&world));
    assert_eq!(prompt.title(), "VACUUM (ANALYZE) the whole database shop?");
    assert_eq!(row(&prompt, "holds"), "61 GB");
    assert!(row(&prompt, "locks").contains("is skipped") && row(&prompt, "costs").contains("not throttled"));
    assert!(prompt.warnings()[0].contains("1 holds the horizon (active, open 12m)"));
    assert_eq!(prompt.confirm(), &Confirm::Type("shop".to_owned()));
}

#[test]
fn a_vacuum_warns_of_a_lock_and_of_an_old_transaction_in_the_same_database() {
    let holder = Session { xmin: Some("1000".to_owned()), xmin_age: Some(340), ..fixture::active(1) };
    let elsewhere =
        Session { database: Some("other".into()), xact_s: Some(9e5), xmin_age: Some(9_000), ..holder.clone() };
    let mut world = fixture::world(vec![elsewhere, holder]);
    let mut relations = fixture::relations();
    relations.rows[0].locked = true;
    fixture::take_relations(&mut world, relations);
    let write = Write::vacuum(&fixture::relation(), &"shop".into(), &fixture::server());
    let prompt = prompt(write, &fixture::scene(&world));
    let [locked, horizon] = prompt.warnings() else { panic!("{:?}", prompt.warnings()) };
    assert!(locked.contains("exclusive lock"));
    assert_eq!(horizon, "1 holds the horizon (active, open 12m): no row goes that died in the last 340 transactions");
}

#[test]
fn a_vacuum_names_whoever_holds_a_lock_that_keeps_it_out() {
    let mut world = fixture::world(Vec::new());
    let mut relations = fixture::relations();
    relations.rows[0].barred = Some(Barrier { pid: Some(4711), mode: "ShareLock".to_owned(), others: 2 });
    fixture::take_relations(&mut world, relations);
    let write = Write::vacuum(&fixture::relation(), &"shop".into(), &fixture::server());
    let prompt = prompt(write, &fixture::scene(&world));
    assert_eq!(prompt.warnings()[0], "ShareLock of 4711 and 2 others is held on it: it may give up behind that");
}

#[test]
fn a_large_table_is_confirmed_by_its_name_and_by_its_oid_where_that_cannot_be_typed() {
    for (name, typed) in [("orders", "public.orders"), ("odd name\u{1b}", "oid 16412")] {
        let relation =
            Relation { bytes: super::super::weight::HEAVY_BYTES + 1, name: name.into(), ..fixture::relation() };
        let write = Write::vacuum(&relation, &"shop".into(), &fixture::server());
        let mut world = fixture::world(Vec::new());
        let mut relations = fixture::relations();
        relations.rows[0] = relation;
        fixture::take_relations(&mut world, relations);
        assert_eq!(prompt(write, &fixture::scene(&world)).confirm(), &Confirm::Type(typed.to_owned()));
    }
}
