//! Plans on real servers: that they come, why they do not, and that nothing of what a text holds is ever run. It must not
//! test how a text is read.
use super::asking::{ask, client, primary, run};
use crate::lab::{Lab, SERVERS, Wanted};
use pgtriage::model::plan::{Plan, PlanOf, Values};
use pgtriage::model::{ProbeError, Question, ServerText, Snapshot};
use tokio_postgres::Client;

pub fn of(text: &str) -> PlanOf {
    PlanOf { text: text.into(), database: None, author: None, normalized: false }
}

pub async fn plan_of(uri: &str, of: PlanOf) -> Result<Plan, ProbeError> {
    match ask(uri, Question::Plan(Box::new(of))).await {
        Ok(Snapshot::Plan(plan)) => Ok(*plan),
        Ok(other) => panic!("{other:?}"),
        Err(error) => Err(error),
    }
}

async fn plan(uri: &str, text: &str) -> Result<Plan, ProbeError> {
    plan_of(uri, of(text)).await
}

async fn absent(uri: &str, text: &str) -> String {
    match plan(uri, text).await {
        Err(ProbeError::Absent(words)) => words,
        other => panic!("{text}: {other:?}"),
    }
}

fn kinds(plan: &Plan) -> Vec<&str> {
    plan.shares().iter().map(|placed| placed.node.kind.raw()).collect()
}

async fn count(client: &Client, sql: &str) -> i64 {
    client.query_one(sql, &[]).await.expect("an answer").get(0)
}

/// Functions that planning runs: one that fails, one that writes through another, one that signals whoever it may.
const HOSTILE: &str = "
    CREATE SCHEMA hostile; GRANT USAGE ON SCHEMA hostile TO public;
    CREATE TABLE hostile.written (at timestamptz); GRANT ALL ON hostile.written TO public;
    CREATE FUNCTION hostile.write() RETURNS int LANGUAGE plpgsql VOLATILE AS
      'BEGIN INSERT INTO hostile.written VALUES (now()); RETURN 1; END';
    CREATE FUNCTION hostile.hidden(int) RETURNS int LANGUAGE plpgsql IMMUTABLE AS
      'BEGIN RETURN hostile.write(); END';
    CREATE FUNCTION hostile.raises(int) RETURNS int LANGUAGE plpgsql IMMUTABLE AS
      'BEGIN RAISE EXCEPTION ''planned, %'', session_user; END';
    CREATE FUNCTION hostile.frees(int) RETURNS int LANGUAGE plpgsql IMMUTABLE AS
      'BEGIN PERFORM set_config(''transaction_read_only'', ''off'', true); RETURN hostile.write(); END';
    CREATE VIEW hostile.view AS SELECT * FROM public.orders WHERE id = hostile.hidden(1);
    GRANT SELECT ON hostile.view TO public;";

async fn plans_on(major: u32) {
    let Some(lab) = Lab::start(Wanted { postgres: Some(major), ..SERVERS }) else { return };
    let admin = client(&lab.uri("postgres")).await;
    run(&admin, "ALTER SYSTEM SET log_statement = 'all'").await;
    run(&admin, "SELECT pg_reload_conf()").await;
    let reporting = lab.uri("reporting");
    let version = i32::try_from(major).expect("a small number");

    // With constants, with parameters, and of what would change rows.
    let read =
        plan(&reporting, "SELECT * FROM orders WHERE total > 7 ORDER BY total LIMIT 5; -- end").await.expect("a plan");
    assert_eq!(kinds(&read), ["Limit", "Sort", "Seq Scan"]);
    assert_eq!(
        (read.values, read.major, read.role.raw(), read.database.raw()),
        (Values::Literal, version, "reporting", "shop")
    );
    assert!(read.search_path.raw().contains("public") && read.planning_ms.is_some(), "{read:?}");
    let scan = &read.root.inputs[0].inputs[0];
    assert!(read.bytes_of(scan).is_some_and(|bytes| bytes > 1 << 20), "{:?}", read.sizes);
    assert!(scan.facts.iter().any(|(label, _)| label == "Filter"), "{scan:?}");
    let generic =
        plan(&reporting, "SELECT * FROM orders WHERE customer_id = $1 AND status = $2").await.expect("a plan");
    assert_eq!(generic.values, Values::Generic);
    let before = count(&admin, "SELECT count(*) FROM carts").await;
    for text in ["DELETE FROM carts WHERE id < $1", "DELETE FROM carts", "UPDATE carts SET contents = 'x'"] {
        let write = plan(&lab.uri("shop_api"), text).await.expect("a plan");
        assert_eq!(write.root.kind.raw(), "ModifyTable", "{text}");
    }
    let insert = plan(&lab.uri("shop_api"), "WITH gone AS (DELETE FROM carts RETURNING id) SELECT * FROM gone").await;
    assert!(insert.is_ok(), "{insert:?}");
    assert_eq!(count(&admin, "SELECT count(*) FROM carts").await, before);

    // On a standby, and in another database.
    let standby = plan(&lab.standby_uri("reporting"), "SELECT * FROM orders WHERE id = $1").await.expect("a plan");
    assert_eq!(standby.root.index.as_ref().map(ServerText::raw), Some("orders_pkey"));
    let elsewhere = PlanOf { database: Some("billing".into()), ..of("SELECT * FROM invoices") };
    assert_eq!(plan_of(&reporting, elsewhere).await.expect("a plan").database.raw(), "billing");

    // What has no plan, and what the server does not know.
    assert!(absent(&reporting, "SELECT 1; DELETE FROM carts").await.contains("several"));
    assert!(absent(&reporting, "EXPLAIN ANALYZE DELETE FROM carts").await.contains("only SELECT"));
    assert!(absent(&reporting, "SELECT 'cut of").await.contains("in the middle"));
    let unknown = plan(&reporting, "SELECT * FROM nowhere").await;
    assert!(
        matches!(&unknown, Err(ProbeError::Refused { code, message }) if code == "42P01" && message.contains("search_path")),
        "{unknown:?}"
    );
    assert!(
        absent(&reporting, "SELECT * FROM orders WHERE $1 IS NULL").await.contains("parameter $1: nothing in the text")
    );

    // A right that is missing, with what gives it; the cure cures.
    let missing =
        |right: &str| Err(ProbeError::Denied { cure: format!("GRANT {right} ON public.orders TO \"plain\"") });
    let denied = plan(&lab.uri("plain"), "SELECT * FROM orders o WHERE id = 1").await;
    assert_eq!(denied, missing("SELECT"));
    run(&admin, "GRANT SELECT ON public.orders TO \"plain\"").await;
    assert!(plan(&lab.uri("plain"), "SELECT * FROM orders o WHERE id = 1").await.is_ok());
    assert_eq!(plan(&lab.uri("plain"), "UPDATE orders SET status = 'x'").await, missing("UPDATE"));

    // Behind a lock.
    let holder = client(&lab.uri("postgres")).await;
    run(&holder, "BEGIN; LOCK TABLE orders IN ACCESS EXCLUSIVE MODE").await;
    let pid: i32 = holder.query_one("SELECT pg_backend_pid()", &[]).await.expect("an answer").get(0);
    let locked = plan(&reporting, "SELECT * FROM orders").await;
    assert_eq!(locked, Err(ProbeError::Locked(format!("pid {pid} holds ACCESS EXCLUSIVE on public.orders"))));
    run(&holder, "ROLLBACK").await;

    nothing_is_run(&lab, &admin, major).await;
}

async fn nothing_is_run(lab: &Lab, admin: &Client, major: u32) {
    run(admin, HOSTILE).await;
    let reporting = lab.uri("reporting");
    // That planning runs them is why there is a rule: it fails with the function's own words.
    let raised = plan(&reporting, "SELECT hostile.raises(1)").await;
    assert!(
        matches!(&raised, Err(ProbeError::Refused { message, .. }) if message.contains("planned, reporting")),
        "{raised:?}"
    );
    for text in ["SELECT hostile.hidden(1)", "SELECT * FROM hostile.view", "SELECT hostile.frees(1)"] {
        let written = plan(&reporting, text).await;
        assert!(matches!(written, Err(ProbeError::Refused { .. })), "{text}: {written:?}");
    }
    assert_eq!(count(admin, "SELECT count(*) FROM hostile.written").await, 0);

    // Who may do too much does not even try.
    for (role, words) in [("postgres", "superuser"), ("oncall", "pg_signal_backend"), ("seat", "REPLICATION of seat")] {
        let refused = absent(&lab.uri(role), "SELECT hostile.raises(1)").await;
        assert!(refused.contains(words) && refused.contains(role), "{refused}");
    }
    run(admin, "GRANT EXECUTE ON FUNCTION pg_catalog.pg_reload_conf() TO reporting").await;
    assert!(absent(&reporting, "SELECT 1").await.contains("the right to call pg_reload_conf()"));
    run(admin, "REVOKE EXECUTE ON FUNCTION pg_catalog.pg_reload_conf() FROM reporting").await;
    let definer = "CREATE FUNCTION hostile.kill(int) RETURNS bool LANGUAGE sql SECURITY DEFINER AS 'SELECT pg_terminate_backend($1)';
                   REVOKE EXECUTE ON FUNCTION hostile.kill FROM public; GRANT EXECUTE ON FUNCTION hostile.kill TO reporting";
    run(admin, definer).await;
    assert!(absent(&reporting, "SELECT 1").await.contains("hostile.kill(integer)"));
    run(admin, "CREATE ROLE backdoor NOINHERIT; GRANT oncall TO backdoor; GRANT backdoor TO plain").await;
    assert!(absent(&lab.uri("plain"), "SELECT 1").await.contains("pg_signal_backend"), "whoever may become it");

    let log = lab.log("primary");
    let explained: Vec<&str> = log.lines().filter(|line| line.contains("EXPLAIN (")).collect();
    assert!(explained.len() > 5, "{major}: the log shows what was asked");
    assert!(explained.iter().all(|line| !line.to_uppercase().contains("ANALYZE")), "{explained:#?}");
    assert!(
        !log.contains("hostile.raises(1)\n") || !log.contains("statement: SELECT hostile.raises"),
        "never by itself"
    );
}

#[tokio::test]
async fn plans_are_made_and_nothing_is_run_on_13() {
    plans_on(13).await;
}

#[tokio::test]
async fn plans_are_made_and_nothing_is_run_on_15() {
    plans_on(15).await;
}

#[tokio::test]
async fn plans_are_made_and_nothing_is_run_on_18() {
    plans_on(18).await;
}

/// On a pooler, a plan leaves nothing behind: neither settings nor a prepared statement.
async fn behind_a_pooler(major: u32) {
    let wanted = Wanted { postgres: Some(major), with: &["pgbouncer"], ..crate::lab::PRIMARY };
    let Some(lab) = Lab::start(wanted) else { return };
    run(&client(&lab.uri("postgres")).await, "GRANT SELECT ON ALL TABLES IN SCHEMA public TO monitor").await;
    let uri = lab.text("/pgbouncer/uris/monitor");
    assert_eq!(kinds(&plan(&uri, "SELECT * FROM carts").await.expect("a plan")), ["Seq Scan"]);
    let generic = plan(&uri, "SELECT * FROM carts WHERE id = $1").await;
    assert!(matches!(&generic, Err(ProbeError::Absent(words)) if words.contains("pooler")), "{generic:?}");
    let other = client(&uri).await;
    run(&other, "DO $$ BEGIN IF current_setting('statement_timeout') <> '0' OR current_setting('transaction_read_only') <> 'off'
                 OR EXISTS (SELECT FROM pg_prepared_statements WHERE name ~ 'plan') THEN RAISE 'left behind'; END IF; END $$").await;
}

#[tokio::test]
async fn behind_a_pooler_a_plan_leaves_nothing_behind_on_15() {
    behind_a_pooler(15).await;
}

#[tokio::test]
async fn behind_a_pooler_a_plan_leaves_nothing_behind_on_18() {
    behind_a_pooler(18).await;
}

/// The server reads hostile texts as we do: what is taken for one statement is never two to it.
#[tokio::test]
async fn what_is_one_statement_here_is_one_to_the_server() {
    use pgtriage::model::plan::one::One;
    let Some(lab) = primary(18) else { return };
    let client = client(&lab.uri("plain")).await;
    let bits = [
        "'", "''", "\"", "\\'", "E'", "U&'", "$$", "$a$", "$1", "/*", "*/", "--", "\n", ";", " ", "x", "1e", ")", "(",
        "1",
    ];
    let (mut seed, mut taken) = (7_u64, 0);
    for _ in 0..4000 {
        let mut text = "SELECT 1".to_owned();
        for _ in 0..8 {
            seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            text.push_str(bits[usize::try_from(seed >> 33).expect("small") % bits.len()]);
        }
        let Ok(one) = One::of(&text) else { continue };
        taken += 1;
        if let Err(error) = client.prepare(&one.text).await {
            let said = error.as_db_error().map(|e| e.message().to_owned()).unwrap_or_default();
            assert!(!said.contains("multiple commands") && !said.contains("unterminated"), "{:?}: {said}", one.text);
        }
    }
    assert!(taken > 100, "{taken}");
}
