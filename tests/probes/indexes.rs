//! What is told of indexes: which is not valid, which is the same as another, and that nothing of it waits for a lock.
use super::asking::{ask, client, primary, run, with_database};
use pgtriage::model::index::{Fault, Index, IndexOrder, Indexes, Validity};
use pgtriage::model::{Question, Snapshot};
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
    assert!(began.elapsed() < Duration::from_secs(1), "it took {:?}", began.elapsed());
    assert!(named(&found, "held_pkey").locked && found.total > 260, "{}", found.total);
    assert!(found.faults.unused >= 260 && found.rows.len() <= 400, "{:?} {}", found.faults, found.rows.len());
    run(&holder, "ROLLBACK").await;
    run(&admin, "CREATE DATABASE bare TEMPLATE template0").await;
    let bare = indexes(&with_database(&uri, "bare"), IndexOrder::Faults).await;
    assert_eq!((bare.database.raw(), bare.total, bare.rows.len()), ("bare", 0, 0));
}
