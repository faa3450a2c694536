//! What the answers say: who sees what, odd names, odd encodings, standbys, what is missing. It must not test connections.
use super::asking::{Asking, ask, client, primary, relations, run, sessions, with_database};
use crate::lab::{Lab, SERVERS, Wanted};
use pgtriage::model::cache::CacheState;
use pgtriage::model::relation::{RelationKey, RelationOrder, Relations};
use pgtriage::model::{ProbeError, Question, ServerText, Snapshot};

#[tokio::test]
async fn what_a_role_cannot_see_is_counted_and_what_would_cure_it_is_said() {
    let Some(lab) = primary(18) else { return };
    let admin = client(&lab.uri("postgres")).await;
    run(
        &admin,
        "SET application_name = 'watched'; CREATE ROLE \"odd \"\" one\" LOGIN; GRANT CREATE ON DATABASE shop TO plain",
    )
    .await;

    let (plain, monitor) = (sessions(&lab.uri("plain")).await, sessions(&lab.uri("monitor")).await);
    assert_eq!(monitor.hidden, 0);
    assert!(plain.hidden > 0 && plain.hidden == plain.rows.iter().filter(|s| s.hidden).count());
    assert!(plain.rows.iter().any(|s| s.hidden && s.user.as_ref().is_some_and(|u| u.raw() == "postgres")));

    for (role, quoted) in [("plain", "\"plain\""), ("odd%20%22%20one", "\"odd \"\" one\"")] {
        let uri = lab.uri("plain").replace("plain@", &format!("{role}@"));
        let oid = relations(&uri, RelationOrder::Name).await.rows.first().expect("a table").oid;
        let exact = ask(&uri, Question::ExactBloat(RelationKey { database: "shop".into(), oid })).await;
        assert_eq!(exact, Err(ProbeError::Denied { cure: format!("GRANT pg_stat_scan_tables TO {quoted}") }));
        let Ok(Snapshot::CacheTable(cache)) = ask(&uri, Question::CacheTable).await else { panic!("an answer") };
        let CacheState::Denied { cure, bytes } = cache.state else { panic!("{:?}", cache.state) };
        assert_eq!(cure, format!("GRANT SELECT ON \"public\".\"fraiseql_cache\" TO {quoted}"));
        assert!(bytes.is_some());
        assert!(cache.lookups.is_some_and(|l| l.hidden > 0), "{:?}", cache.lookups);
    }
    // The cure cures.
    run(&admin, "GRANT SELECT ON \"public\".\"fraiseql_cache\" TO \"plain\"; GRANT pg_stat_scan_tables TO \"plain\"")
        .await;
    let Ok(Snapshot::CacheTable(cache)) = ask(&lab.uri("plain"), Question::CacheTable).await else {
        panic!("an answer")
    };
    assert!(matches!(cache.state, CacheState::Read(_)));

    let Ok(Snapshot::Server(server)) = ask(&lab.uri("monitor"), Question::Server).await else { panic!("an answer") };
    assert!(server.rights.read_all_stats && server.rights.scan_tables);
    assert!(!server.rights.superuser && !server.rights.signal_backend && !server.rights.maintain);
    assert_eq!((server.major(), server.user.raw(), server.database.raw()), (18, "monitor", "shop"));
    assert!(server.system_identifier.is_some() && !server.in_recovery && server.query_size == 4096);
    let Ok(Snapshot::Server(server)) = ask(&lab.uri("postgres"), Question::Server).await else { panic!("an answer") };
    assert!(server.rights.superuser && server.rights.maintain && server.rights.read_all_data);
}

#[tokio::test]
async fn what_is_not_there_is_a_fact_and_says_what_would_bring_it() {
    let Some(lab) = primary(15) else { return };
    let uri = lab.uri("postgres");
    run(&client(&uri).await, "CREATE DATABASE bare TEMPLATE template0").await;
    let uri = with_database(&uri, "bare");
    run(&client(&uri).await, "CREATE TABLE t (a int)").await;
    let oid = relations(&uri, RelationOrder::Dead).await.rows.first().expect("a table").oid;
    let exact = ask(&uri, Question::ExactBloat(RelationKey { database: "bare".into(), oid })).await;
    let Err(ProbeError::Absent(words)) = exact else { panic!("{exact:?}") };
    assert!(words.ends_with("CREATE EXTENSION pgstattuple"), "{words}");
    let gone = ask(&uri, Question::ExactBloat(RelationKey { database: "bare".into(), oid: 1 })).await;
    assert!(matches!(gone, Err(ProbeError::Absent(_))));
    let Ok(Snapshot::CacheTable(cache)) = ask(&uri, Question::CacheTable).await else { panic!("an answer") };
    assert_eq!((cache.state, cache.lookups, cache.database.raw()), (CacheState::NoTable, None, "bare"));
    assert!(matches!(cache.lookups_error, Some(ProbeError::Absent(words)) if words.contains("CREATE EXTENSION")));
}

#[tokio::test]
async fn odd_names_of_tables_and_databases_arrive_as_they_are() {
    let Some(lab) = primary(18) else { return };
    let uri = lab.uri("postgres");
    let admin = client(&uri).await;
    let names = [
        "quo\"te",
        "apo'strophe",
        "a.b",
        "new\nline",
        "tab\tand \u{1b}[31m",
        "\\back\\\\slash",
        "UPPER case",
        &"漢".repeat(21),
    ];
    run(&admin, "CREATE SCHEMA \"s.\"\"x\"").await;
    for name in names {
        let quoted = name.replace('"', "\"\"");
        run(&admin, &format!("CREATE TABLE \"s.\"\"x\".\"{quoted}\" AS SELECT g FROM generate_series(1, 100) g")).await;
    }
    run(&admin, "ANALYZE").await;
    run(&admin, "CREATE DATABASE \"da\"\"ta.b\\ase\"").await;
    let answer = relations(&uri, RelationOrder::Name).await;
    let mut found: Vec<&str> = answer.rows.iter().filter(|r| r.schema.raw() == "s.\"x").map(|r| r.name.raw()).collect();
    found.sort_unstable();
    let mut expected = names.to_vec();
    expected.sort_unstable();
    assert_eq!(found, expected);
    let odd = answer.rows.iter().find(|r| r.name.raw() == "quo\"te").expect("the table");
    assert!(odd.bloat.is_some_and(|b| b.complete), "{odd:?}");
    assert_eq!(odd.tuples, Some(100.0));

    let other = Question::Relations { database: Some("da\"ta.b\\ase".into()), order: RelationOrder::Dead };
    let Ok(Snapshot::Relations(answer)) = ask(&uri, other).await else { panic!("an answer") };
    assert_eq!((answer.database.raw(), answer.total), ("da\"ta.b\\ase", 0));
    let bytes: Vec<_> = answer.databases.iter().filter(|d| d.name.raw() == "da\"ta.b\\ase").map(|d| d.bytes).collect();
    assert!(matches!(bytes[..], [Some(bytes)] if bytes > 1 << 20), "{bytes:?}");
}

async fn foreign_bytes(major: u32) {
    let Some(lab) = primary(major) else { return };
    let uri = lab.uri("postgres");
    let admin = client(&uri).await;
    for (name, encoding) in [("latin", "LATIN1"), ("ascii", "SQL_ASCII")] {
        run(
            &admin,
            &format!("CREATE DATABASE {name} TEMPLATE template0 ENCODING '{encoding}' LC_COLLATE 'C' LC_CTYPE 'C'"),
        )
        .await;
    }
    // The driver speaks UTF-8; the server stores LATIN1. The last character is the one that left() falls over.
    let latin = client(&with_database(&uri, "latin")).await;
    run(&latin, "CREATE TABLE \"caf\u{e9}\" (a int)").await;
    run(&latin, "SELECT 'back\\slash' -- caf\u{e9}, encore un caf\u{e9}").await;
    for database in ["shop", "latin", "ascii"] {
        let seen = sessions(&with_database(&uri, database)).await;
        let session = seen.rows.iter().find(|s| s.database.as_ref().is_some_and(|d| d.raw() == "latin"));
        let query = session.map(|s| s.query.raw());
        assert_eq!(
            query,
            Some("SELECT 'back\\slash' -- caf\u{e9}, encore un caf\u{e9}"),
            "{major}, seen from {database}"
        );
    }
    let answer = relations(&with_database(&uri, "latin"), RelationOrder::Name).await;
    assert!(answer.rows.iter().any(|r| r.name.raw() == "caf\u{e9}"));

    // Bytes that are no text of any encoding we know.
    let ascii = client(&with_database(&uri, "ascii")).await;
    run(&ascii, "DO $$ BEGIN EXECUTE 'CREATE TABLE \"x' || chr(233) || '\" (a int)'; END $$").await;
    let answer = relations(&with_database(&uri, "ascii"), RelationOrder::Name).await;
    assert!(answer.rows.iter().any(|r| r.name.raw() == "x\u{e9}"), "{:?}", answer.rows);
}

#[tokio::test]
async fn texts_of_another_encoding_neither_fail_nor_get_lost_on_13() {
    foreign_bytes(13).await;
}

#[tokio::test]
async fn texts_of_another_encoding_neither_fail_nor_get_lost_on_18() {
    foreign_bytes(18).await;
}

#[tokio::test]
async fn a_standby_is_seen_from_both_ends() {
    let Some(lab) = Lab::start(Wanted { postgres: Some(15), ..SERVERS }) else { return };
    let mut asking = Asking::of(&lab.uri("monitor"), &[Question::Replication]);
    let streaming = |answer: &Result<Snapshot, ProbeError>| matches!(answer, Ok(Snapshot::Replication(r)) if r.replicas.iter().any(|r| r.state.as_deref() == Some("streaming") && r.total == Some(0)));
    let sample = asking.sample_with(&Question::Replication, |s| streaming(&s.answer)).await;
    let Ok(Snapshot::Replication(primary)) = sample.answer else { panic!("an answer") };
    assert!(primary.standby.is_none() && primary.lsn.is_some());
    assert!(primary.slots.iter().any(|s| s.active && s.kind == "physical" && s.wal_status.is_some()));
    assert!(primary.replicas.iter().all(|r| !r.hidden && r.slot.is_some()));

    let mut asking = Asking::of(&lab.standby_uri("monitor"), &[Question::Replication]);
    let level = |answer: &Result<Snapshot, ProbeError>| matches!(answer, Ok(Snapshot::Replication(r)) if r.standby.as_ref().is_some_and(|s| s.receiver.as_deref() == Some("streaming")));
    let sample = asking.sample_with(&Question::Replication, |s| level(&s.answer)).await;
    let Ok(Snapshot::Replication(standby)) = sample.answer else { panic!("an answer") };
    let own = standby.standby.expect("the receiving side");
    assert!(!own.paused && !own.receiver_hidden && own.heard_s.is_some() && own.slot.is_some());

    // What a role without rights gets is marked, never an all-clear.
    let Ok(Snapshot::Replication(hidden)) = ask(&lab.uri("plain"), Question::Replication).await else {
        panic!("an answer")
    };
    assert!(hidden.replicas.iter().all(|r| r.hidden && r.total.is_none()) && !hidden.replicas.is_empty());
    let answer = ask(&lab.standby_uri("plain"), Question::Replication).await;
    let Ok(Snapshot::Replication(hidden)) = answer else { panic!("{answer:?}") };
    assert!(hidden.standby.is_some_and(|s| s.receiver_hidden && s.lag_s.is_none()));

    let answer = ask(&lab.standby_uri("postgres"), Question::CacheTable).await;
    assert!(matches!(answer, Ok(Snapshot::CacheTable(c)) if c.state == CacheState::UnloggedOnStandby));
    let answer = relations(&lab.standby_uri("postgres"), RelationOrder::Size).await;
    assert!(answer.in_recovery && answer.total > 5);
}

#[tokio::test]
async fn the_server_ranks_tables_before_it_cuts_the_list() {
    let Some(lab) = primary(18) else { return };
    let uri = lab.uri("postgres");
    let admin = client(&uri).await;
    run(&admin, "CREATE SCHEMA many; DO $$ BEGIN FOR i IN 1..300 LOOP EXECUTE format('CREATE TABLE many.t%s (a int)', i); END LOOP; END $$").await;
    run(&admin, "CREATE TABLE zz_last (a int, b text) WITH (autovacuum_enabled = off, autovacuum_vacuum_threshold = 7, autovacuum_vacuum_scale_factor = 0)").await;
    run(&admin, "ALTER TABLE zz_last ALTER b SET STORAGE PLAIN; INSERT INTO zz_last SELECT g, repeat('x', 3000) FROM generate_series(1, 2000) g").await;
    run(&admin, "VACUUM ANALYZE zz_last").await;
    run(&admin, "DELETE FROM zz_last WHERE a <= 1500").await;
    // The statistics of a session arrive within a second of its transaction's end (PGSTAT_MIN_INTERVAL).
    let mut asking = Asking::of(&uri, &[super::asking::by(RelationOrder::Dead)]);
    let sample = asking
        .sample_with(&super::asking::by(RelationOrder::Dead), |s| {
            matches!(&s.answer, Ok(Snapshot::Relations(r)) if r.rows.first().is_some_and(|r| r.name.raw() == "zz_last" && r.dead > 0))
        })
        .await;
    let Ok(Snapshot::Relations(answer)) = sample.answer else { panic!("an answer") };
    assert_eq!(answer.rows.len(), 200);
    assert!(answer.total > 300, "{}", answer.total);
    let first = answer.rows.first().expect("a row");
    // n_live_tup is not compared: ANALYZE right after a load counts its rows twice.
    assert_eq!((first.dead, first.autovacuum_on), (1500, false));
    assert!((first.vacuum_threshold - 7.0).abs() < f64::EPSILON && first.vacuum_due() > 200.0);
    assert!(first.vacuum_s.is_some_and(|s| s < 20.0) && first.autovacuum_s.is_none());
    for order in [RelationOrder::DeadRatio, RelationOrder::Threshold, RelationOrder::Size] {
        let rows = relations(&uri, order).await.rows;
        assert!(rows.iter().take(3).any(|r| r.name.raw() == "zz_last"), "{order:?}: {:?}", rows.first());
    }
    let rows = relations(&uri, RelationOrder::Scanned).await.rows;
    assert!(rows.first().is_some_and(|r| r.seq_rows > 0) && rows.is_sorted_by(|a, b| a.seq_rows >= b.seq_rows));
    // By name it is beyond the cut: it comes beside the list, since it is large and was read from end to end.
    let by_name = relations(&uri, RelationOrder::Name).await;
    assert_eq!(by_name.rows.first().map(|r| r.schema.raw()), Some("many"));
    assert!(by_name.rows.len() == 200 && by_name.rows.iter().all(|r| r.name.raw() != "zz_last"));
    assert!(by_name.read().any(|r| r.name.raw() == "zz_last" && r.seq_rows > 0), "{:?}", by_name.scanned);
    // What is judged is the same, however the list is ranked.
    assert!(answer.dead.is_empty() && by_name.dead.len() == 200, "{}", by_name.dead.len());
    assert_eq!(by_name.dead.iter().max_by_key(|r| r.dead).map(|r| (r.name.raw(), r.dead)), Some(("zz_last", 1500)));
    assert_eq!(by_name.dead.iter().find(|r| r.name.raw() == "zz_last").map(|r| r.bloat), Some(first.bloat));
    let judged = |all: &Relations| all.read().map(|r| r.oid).collect::<std::collections::BTreeSet<_>>();
    assert_eq!(judged(&by_name), judged(&relations(&uri, RelationOrder::Dead).await));
    assert_eq!(by_name.not_estimable, answer.not_estimable);
    assert!(by_name.scanned.iter().all(|r| r.kind != 't' && r.bytes > 1 << 20), "{:?}", by_name.scanned);
    assert_eq!(by_name.total, answer.total);
    run(
        &admin,
        "CREATE TABLE fat (b text); ALTER TABLE fat ALTER b SET STORAGE EXTERNAL; \
         INSERT INTO fat SELECT repeat('x', 3000) FROM generate_series(1, 3000)",
    )
    .await;
    run(&admin, "VACUUM fat").await;
    let by_size = relations(&uri, RelationOrder::Size).await.rows;
    let toast = by_size.iter().find(|r| r.kind == 't').expect("a TOAST table");
    assert_eq!(toast.toast_of.as_ref().map(ServerText::raw), Some("fat"));
}
