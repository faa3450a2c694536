//! What is told of indexes: which is not valid, which is the same as another, and that nothing of it waits for a lock.
use super::asking::{ask, client, primary, run, with_database};
use pgtriage::model::index::{Builder, Fault, Index, IndexOrder, Indexes, Partitions, Remains, Validity};
use pgtriage::model::{ProbeError, Question, ServerText, Snapshot};
use std::time::{Duration, Instant};

async fn indexes(uri: &str, order: IndexOrder) -> Indexes {
    match ask(uri, Question::Indexes { database: None, order }).await {
        Ok(Snapshot::Indexes(indexes)) => *indexes,
        other => panic!("{other:?}"),
    }
}

fn named<'a>(indexes: &'a Indexes, name: &str) -> &'a Index {
    indexes.rows.iter().find(|i| i.name.raw() == name).unwrap_or_else(|| panic!("no {name} among {:#?}", indexes.rows))
}

/// Expressions and predicates are written at different places of their statements, which makes them no others.
const ALIKE: &str = "CREATE TABLE alike (a int, b int, c text, d int);
    CREATE INDEX alike_a ON alike (a); CREATE INDEX alike_a_again ON alike (a); CREATE INDEX alike_a_desc ON alike (a DESC);
    CREATE INDEX alike_dc ON alike (d, c); CREATE INDEX alike_d ON alike (d); CREATE INDEX alike_d_with ON alike (d) INCLUDE (a);
    CREATE INDEX alike_low ON alike (lower(c)); CREATE INDEX alike_lower_again ON alike (lower(c)); CREATE INDEX alike_up ON alike (upper(c));
    CREATE INDEX alike_p ON alike (b) WHERE a > 5; CREATE INDEX alike_part_again ON alike (b) WHERE a > 5; CREATE INDEX alike_p6 ON alike (b) WHERE a > 6;
    CREATE INDEX alike_c ON alike (c); CREATE INDEX alike_c_pattern ON alike (c text_pattern_ops); CREATE INDEX alike_c_c ON alike (c COLLATE \"C\");
    CREATE TABLE keyed (id int PRIMARY KEY, n int UNIQUE); CREATE INDEX keyed_id ON keyed (id); CREATE INDEX keyed_n_more ON keyed (n, id)";

async fn what_is_wrong_is_told(major: u32) {
    let Some(lab) = primary(major) else { return };
    let uri = lab.uri("postgres");
    let admin = client(&uri).await;
    run(&admin, ALIKE).await;
    run(&admin, "CREATE TABLE twice (\"odd \"\" column\" int); INSERT INTO twice VALUES (1), (1)").await;
    let failed =
        admin.batch_execute("CREATE UNIQUE INDEX CONCURRENTLY \"left \"\" over\" ON twice (\"odd \"\" column\")").await;
    assert!(failed.is_err(), "the values are not unique");
    // A client hears of a failure before its session has let go of the locks; not of what comes next.
    run(&admin, "SELECT 1").await;

    for role in ["postgres", "monitor", "plain"] {
        let found = indexes(&lab.uri(role), IndexOrder::Faults).await;
        assert_eq!((found.database.raw(), found.in_recovery, found.counted), ("shop", false, true), "{role}");
        let left = named(&found, "left \" over");
        assert_eq!(
            (left.fault(), left.table.raw(), left.columns.raw()),
            (Some(Fault::Leftover), "twice", "odd \" column")
        );
        assert!(left.validity != Validity::Valid && left.needed.unique, "{left:?}");
        assert_eq!(found.faults.invalid, 1, "{role}");
        let alike = |name: &str| named(&found, name).covered.clone().map(|c| (c.by.raw().to_owned(), c.same));
        for (name, by, same) in [
            ("alike_a_again", "alike_a", true),
            ("alike_lower_again", "alike_low", true),
            ("alike_part_again", "alike_p", true),
            ("keyed_id", "keyed_pkey", true),
            ("alike_d", "alike_dc", false),
        ] {
            assert_eq!(alike(name), Some((by.to_owned(), same)), "{name} on {major} as {role}");
        }
        for name in [
            "alike_a",
            "alike_a_desc",
            "alike_dc",
            "alike_d_with",
            "alike_low",
            "alike_up",
            "alike_p",
            "alike_p6",
            "alike_c",
            "alike_c_pattern",
            "alike_c_c",
            "keyed_pkey",
            "keyed_n_key",
            "keyed_n_more",
        ] {
            assert_eq!(alike(name), None, "{name} on {major} as {role}");
        }
        assert!(named(&found, "keyed_n_key").needed.constraint && named(&found, "keyed_pkey").needed.primary);
        assert_eq!(named(&found, "alike_d_with").columns.raw(), "d, INCLUDE a");
        let rights = &left.rights;
        assert_eq!((rights.owner.raw(), rights.owner_is_superuser), ("postgres", true));
        assert_eq!((rights.reindex, rights.drop), (role == "postgres", role == "postgres"), "{role}");
    }
    being_built_is_told_from_left_over(&lab, major).await;
    a_reindex_builds_and_then_drops(&lab, major).await;
    a_partitioned_index_waits_for_its_partitions(&lab, major).await;
    being_dropped_is_told_from_left_over(&lab, major).await;
}

/// A drop makes its index invalid, and then waits for a transaction that has written to the table.
async fn being_dropped_is_told_from_left_over(lab: &crate::lab::Lab, major: u32) {
    let uri = lab.uri("postgres");
    let (watcher, holder, dropper) = (client(&uri).await, client(&uri).await, client(&uri).await);
    run(&watcher, "CREATE TABLE used (a int, b int); CREATE INDEX used_a ON used (a); CREATE INDEX used_b ON used (b)")
        .await;
    run(&watcher, "UPDATE pg_index SET indisvalid = false WHERE indexrelid = 'used_b'::regclass").await;
    run(&holder, "BEGIN; INSERT INTO used VALUES (1)").await;
    let pid: i32 = dropper.query_one("SELECT pg_backend_pid()", &[]).await.expect("an answer").get(0);
    let dropping = super::asking::queue(dropper, "/* tidy */ DROP  INDEX CONCURRENTLY used_a", &watcher).await;
    for (role, sure) in [("postgres", true), ("monitor", true), ("plain", false)] {
        let found = indexes(&lab.uri(role), IndexOrder::Faults).await;
        let expected = Builder { pid, this: sure.then_some(true), drops: true };
        let used = named(&found, "used_a");
        assert_eq!(used.fault(), Some(Fault::Building(expected)), "on {major} as {role}");
        let other = named(&found, "used_b");
        let at_another = Builder { this: Some(false), ..expected };
        assert_eq!((other.fault(), other.builder), (Some(Fault::Leftover), Some(at_another)), "on {major} as {role}");
        assert_eq!(named(&found, "left \" over").builder, None, "nobody works on its table");
    }
    run(&holder, "ROLLBACK").await;
    dropping.await.expect("the drop ended");
    let found = indexes(&uri, IndexOrder::Faults).await;
    assert!(found.rows.iter().all(|i| i.name.raw() != "used_a"), "it is gone");
    assert_eq!(named(&found, "used_b").builder, None);
}

/// A REINDEX CONCURRENTLY waits for who has written before it builds, and for who reads before it drops what it has replaced.
/// Terminated, it leaves either; the next one leaves those alone.
async fn a_reindex_builds_and_then_drops(lab: &crate::lab::Lab, major: u32) {
    let uri = lab.uri("postgres");
    let (watcher, holder) = (client(&uri).await, client(&uri).await);
    run(
        &watcher,
        "CREATE TABLE again (a int, b int); CREATE INDEX again_a ON again (a); CREATE INDEX again_b ON again (b)",
    )
    .await;
    for (held, left, drops) in
        [("INSERT INTO again VALUES (1)", "ccnew", false), ("SELECT * FROM again", "ccold", true)]
    {
        // Of the second time the first one's leftovers are still there.
        for (nth, before) in [("", None), ("1", Some(format!("again_a_{left}")))] {
            run(&holder, &format!("BEGIN; {held}")).await;
            let worker = client(&uri).await;
            let pid: i32 = worker.query_one("SELECT pg_backend_pid()", &[]).await.expect("an answer").get(0);
            let working = super::asking::queue(worker, "REINDEX TABLE CONCURRENTLY again", &watcher).await;
            for role in ["postgres", "monitor", "plain"] {
                let found = indexes(&lab.uri(role), IndexOrder::Faults).await;
                for column in ["a", "b"] {
                    let at_work = Builder { pid, this: Some(true), drops };
                    let name = format!("again_{column}_{left}{nth}");
                    let fault = named(&found, &name).fault();
                    assert_eq!(fault, Some(Fault::Building(at_work)), "{name} on {major} as {role}");
                }
                if let Some(before) = &before {
                    let earlier = named(&found, before);
                    assert_eq!(earlier.fault(), Some(Fault::Leftover), "{before} on {major} as {role}: {earlier:?}");
                }
            }
            let gone = "SELECT pg_terminate_backend($1)";
            watcher.query_one(gone, &[&pid]).await.expect("it is terminated");
            working.await.expect("it ended");
            // Its client hears of the end before its locks are gone.
            let there = "SELECT EXISTS (SELECT FROM pg_stat_activity WHERE pid = $1)";
            while watcher.query_one(there, &[&pid]).await.expect("an answer").get::<_, bool>(0) {}
            run(&holder, "ROLLBACK").await;
            let found = indexes(&uri, IndexOrder::Faults).await;
            let row = named(&found, &format!("again_b_{left}{nth}"));
            assert_eq!((row.fault(), row.builder), (Some(Fault::Leftover), None), "on {major}");
            let remains = if drops { Remains::Old } else { Remains::New };
            assert_eq!(row.remains(), Some(remains), "on {major}");
            assert_eq!(named(&found, "again_b").validity, Validity::Valid, "on {major}");
        }
    }
    run(&watcher, "DROP TABLE again").await;
}

/// `ON ONLY` leaves it invalid; each partition's own index, attached, makes it valid, and nobody ever builds it.
async fn a_partitioned_index_waits_for_its_partitions(lab: &crate::lab::Lab, major: u32) {
    let (uri, name) = (lab.uri("postgres"), "moments_at");
    let watcher = client(&uri).await;
    run(
        &watcher,
        "CREATE TABLE moments (at int) PARTITION BY RANGE (at);
         CREATE TABLE \"moments \"\" 1\" PARTITION OF moments FOR VALUES FROM (0) TO (10);
         CREATE TABLE moments_2 PARTITION OF moments FOR VALUES FROM (10) TO (20) PARTITION BY RANGE (at);
         CREATE TABLE moments_2a PARTITION OF moments_2 FOR VALUES FROM (10) TO (20);
         CREATE INDEX moments_at ON ONLY moments (at)",
    )
    .await;
    // Whoever builds another index of the table, or attaches one, builds none of this.
    let holder = client(&uri).await;
    run(&holder, "BEGIN; CREATE INDEX other ON moments (at, (at + 1))").await;
    for role in ["postgres", "monitor", "plain"] {
        let found = indexes(&lab.uri(role), IndexOrder::Faults).await;
        let row = named(&found, name);
        let lacking = ServerText::from("moments \" 1, moments_2");
        let expected = Partitions { all: 2, lacking, ..Partitions::default() };
        assert_eq!((row.fault(), row.builder), (Some(Fault::Unattached), None), "on {major} as {role}");
        assert_eq!((row.partitions.clone(), row.table_kind), (Some(expected), 'p'), "on {major} as {role}");
    }
    run(&holder, "ROLLBACK").await;
    let parts = async || named(&indexes(&uri, IndexOrder::Faults).await, name).partitions.clone().expect("partitioned");
    run(&watcher, "CREATE INDEX one ON \"moments \"\" 1\" (at); ALTER INDEX moments_at ATTACH PARTITION one").await;
    run(&watcher, "CREATE INDEX two ON ONLY moments_2 (at); ALTER INDEX moments_at ATTACH PARTITION two").await;
    let all = Partitions { all: 2, attached: 2, invalid: 1, ..Partitions::default() };
    assert_eq!(parts().await, all, "that of the second is not valid itself, on {major}");
    let refused = watcher.batch_execute("REINDEX INDEX CONCURRENTLY moments_at").await;
    assert_eq!(refused.is_err(), major < 14, "{refused:?}");
    assert_eq!(parts().await, all, "a REINDEX has changed nothing on {major}");
    run(&watcher, "CREATE INDEX two_a ON moments_2a (at); ALTER INDEX two ATTACH PARTITION two_a").await;
    let found = indexes(&uri, IndexOrder::Name).await;
    assert!(found.rows.iter().all(|i| ![name, "two"].contains(&i.name.raw())), "both are valid now, on {major}");
    run(&watcher, "CREATE EXTENSION postgres_fdw; CREATE SERVER far FOREIGN DATA WRAPPER postgres_fdw").await;
    run(&watcher, "CREATE TABLE mixed (at int) PARTITION BY RANGE (at)").await;
    run(&watcher, "CREATE FOREIGN TABLE mixed_1 PARTITION OF mixed FOR VALUES FROM (0) TO (10) SERVER far").await;
    run(&watcher, "CREATE INDEX mixed_at ON ONLY mixed (at)").await;
    let found = indexes(&uri, IndexOrder::Faults).await;
    let foreign = Partitions { all: 1, foreign: 1, lacking: "mixed_1".into(), ..Partitions::default() };
    assert_eq!(named(&found, "mixed_at").partitions, Some(foreign), "on {major}");
    run(&watcher, "DROP TABLE mixed, moments").await;
}

/// A build waits for a transaction that has written to its table; it holds a lock there that everybody sees.
async fn being_built_is_told_from_left_over(lab: &crate::lab::Lab, major: u32) {
    let uri = lab.uri("postgres");
    let (watcher, holder, builder) = (client(&uri).await, client(&uri).await, client(&uri).await);
    run(&watcher, "CREATE TABLE busy (a int)").await;
    run(&holder, "BEGIN; INSERT INTO busy VALUES (1)").await;
    let building = super::asking::queue(builder, "CREATE INDEX CONCURRENTLY busy_a ON busy (a)", &watcher).await;
    for (role, sure) in [("postgres", true), ("monitor", true), ("plain", false)] {
        let found = indexes(&lab.uri(role), IndexOrder::Faults).await;
        let Some(Fault::Building(builder)) = named(&found, "busy_a").fault() else {
            panic!("{:?} on {major} as {role}", named(&found, "busy_a"));
        };
        assert_eq!(builder.this, sure.then_some(true), "on {major} as {role}");
        let left = named(&found, "left \" over");
        assert_eq!((left.fault(), left.builder), (Some(Fault::Leftover), None), "nobody works on its table");
    }
    run(&holder, "ROLLBACK").await;
    building.await.expect("the build ended");
    let found = indexes(&uri, IndexOrder::Faults).await;
    assert_eq!(named(&found, "busy_a").validity, Validity::Valid);
}

#[tokio::test]
async fn what_is_wrong_with_an_index_is_told_to_every_role_on_13() {
    what_is_wrong_is_told(13).await;
}

#[tokio::test]
async fn what_is_wrong_with_an_index_is_told_to_every_role_on_15() {
    what_is_wrong_is_told(15).await;
}

#[tokio::test]
async fn what_is_wrong_with_an_index_is_told_to_every_role_on_18() {
    what_is_wrong_is_told(18).await;
}

/// Behind a lock of the table it is not asked for; a REINDEX locks the index alone, which does not hinder it.
async fn definitions_wait_behind_no_lock(uri: &str) {
    let admin = client(uri).await;
    run(
        &admin,
        "CREATE TABLE \"de\"\"fined\" (a int, b text); CREATE INDEX de_b ON \"de\"\"fined\" (lower(b)) WHERE a > 5",
    )
    .await;
    let oid: u32 = admin.query_one("SELECT 'de_b'::regclass::oid", &[]).await.expect("an answer").get(0);
    let question = || Question::IndexDefinition { database: None, oid };
    let sql = "CREATE INDEX de_b ON public.\"de\"\"fined\" USING btree (lower(b)) WHERE (a > 5)";
    for (lock, free) in [("SELECT 1", true), ("REINDEX INDEX de_b", true), ("LOCK TABLE \"de\"\"fined\"", false)] {
        let holder = client(uri).await;
        run(&holder, &format!("BEGIN; {lock}")).await;
        let began = Instant::now();
        match ask(uri, question()).await {
            Ok(Snapshot::IndexDefinition(text)) => assert!(free && text.raw() == sql, "{lock}: {text:?}"),
            Err(ProbeError::Locked(words)) => assert!(!free && words.contains("ACCESS EXCLUSIVE"), "{lock}: {words}"),
            other => panic!("{lock}: {other:?}"),
        }
        // Who waited for the lock would do so for the lane's 15 s.
        assert!(began.elapsed() < Duration::from_secs(6), "{lock}: it took {:?}", began.elapsed());
        run(&holder, "ROLLBACK").await;
    }
    // A queued lock is one, too.
    let (reader, waiter) = (client(uri).await, client(uri).await);
    run(&reader, "BEGIN; SELECT * FROM \"de\"\"fined\"").await;
    let waiting = super::asking::queue(waiter, "ALTER TABLE \"de\"\"fined\" ADD COLUMN c int", &admin).await;
    assert!(matches!(ask(uri, question()).await, Err(ProbeError::Locked(_))));
    run(&reader, "ROLLBACK").await;
    waiting.await.expect("it went on");
    run(&admin, "DROP INDEX de_b").await;
    assert!(matches!(ask(uri, question()).await, Err(ProbeError::Absent(_))));
}

#[tokio::test]
async fn the_list_of_indexes_waits_behind_no_lock_and_counts_what_it_cuts() {
    let Some(lab) = primary(18) else { return };
    let uri = lab.uri("postgres");
    let admin = client(&uri).await;
    run(&admin, "CREATE TABLE held (a int PRIMARY KEY); CREATE TABLE many (a int)").await;
    run(&admin, "DO $$ BEGIN FOR i IN 1..260 LOOP EXECUTE format('CREATE INDEX many_%s ON many ((a + %s))', i, i); END LOOP; END $$").await;
    let holder = client(&uri).await;
    run(&holder, "BEGIN; ALTER TABLE held ADD COLUMN b int; REINDEX TABLE held").await;
    let began = Instant::now();
    let found = indexes(&uri, IndexOrder::Name).await;
    // Who waited for the lock would do so for the lane's 15 s.
    assert!(began.elapsed() < Duration::from_secs(6), "it took {:?}", began.elapsed());
    assert!(named(&found, "held_pkey").locked && found.total > 260, "{}", found.total);
    assert!(found.faults.unused >= 260 && found.rows.len() <= 400, "{:?} {}", found.faults, found.rows.len());
    run(&holder, "ROLLBACK").await;
    definitions_wait_behind_no_lock(&uri).await;
    run(&admin, "CREATE DATABASE bare TEMPLATE template0").await;
    let bare = indexes(&with_database(&uri, "bare"), IndexOrder::Faults).await;
    assert_eq!((bare.database.raw(), bare.total, bare.rows.len()), ("bare", 0, 0));
}
