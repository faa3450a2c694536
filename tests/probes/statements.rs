//! Every statement of the probes, as each version gets it, on real servers as each kind of role. It must not look at answers:
//! that they come, or are refused as they should be, is what it is about.
use super::asking::{client, run};
use crate::lab::{Lab, SERVERS, Wanted};
use pgtriage::probe::sql::{ALL, Script, Value};
use std::process::{Command, Stdio};
use tokio_postgres::{Client, SimpleQueryMessage};

/// What PostgreSQL answers where a role or a standby may not: SQLSTATE, or nothing where it answers.
fn refusal(script: Script, role: &str, standby: bool) -> Option<&'static str> {
    match script.name {
        // Unlogged tables cannot be read in recovery (feature_not_supported), and that is found before the right is.
        "cache_contents" if standby => Some("0A000"),
        "cache_contents" | "settings_files" if role != "postgres" => Some("42501"),
        "exact_bloat" | "activity_wal" if role == "plain" => Some("42501"),
        _ => None,
    }
}

async fn oid(client: &Client, name: &str) -> i64 {
    client.query_one("SELECT $1::text::regclass::oid::int8", &[&name]).await.expect("an answer").get(0)
}

async fn every_statement(major: i32, uri: &str, role: &str, standby: bool) {
    let client = client(uri).await;
    let (customers, cache) = (oid(&client, "customers").await, oid(&client, "fraiseql_cache").await);
    let (a, b) = (u32::try_from(customers).expect("an OID"), u32::try_from(cache).expect("an OID"));
    for script in ALL {
        let oids = [a, b];
        let (name, target) = match script.name {
            "cache_contents" => ("public", cache),
            "index_definition" => ("public", oid(&client, "customers_pkey").await),
            _ => ("public", customers),
        };
        let own =
            i64::from(client.query_one("SELECT pg_backend_pid()", &[]).await.expect("an answer").get::<_, i32>(0));
        let schema = if script.name == "cache" { Value::Text("") } else { Value::Name(name) };
        let table = if script.name == "cache" { Value::Text("fraiseql_cache") } else { Value::Name("fraiseql_cache") };
        let orders: &[&str] = if script.name == "relations" {
            &["dead", "dead_ratio", "size", "threshold", "freeze_age", "modified", "scanned", "name"]
        } else if script.name == "indexes" {
            &["faults", "size", "scans", "used", "table", "name"]
        } else if script.name == "statements" {
            &["total", "mean", "calls", "rows", "read", "temp", "wal"]
        } else {
            &[""]
        };
        for order in orders {
            let values = [
                ("limit", Value::Integer(200)),
                ("beside", Value::Integer(50)),
                ("known", Value::Integer(8)),
                ("order", Value::Text(order)),
                ("pid", Value::Integer(own)),
                ("backend_start", Value::Text("")),
                ("oids", Value::Integers(&oids)),
                ("oid", Value::Integer(target)),
                ("schema", schema),
                ("name", table),
                ("percent", Value::Real(100.0)),
                ("names", Value::Text("work_mem,log_statement")),
                ("pattern", Value::Text("fraiseql_cache")),
                ("keys", Value::Text("1,2")),
                ("words", Value::Text("customers")),
                ("path", Value::Text("public")),
                ("author", Value::Text("shop_api")),
            ];
            let sql = script.render(major, &values).expect("a statement");
            let answer = client.simple_query(&sql).await;
            let state = answer.as_ref().err().map(|e| e.code().map_or_else(|| e.to_string(), |c| c.code().to_owned()));
            let expected = refusal(*script, role, standby);
            let place = if standby { "standby" } else { "primary" };
            assert_eq!(state.as_deref(), expected, "{}.sql {order} on {major} {place} as {role}", script.name);
            if let Ok(messages) = answer {
                let rows = messages.iter().filter(|m| matches!(m, SimpleQueryMessage::Row(_))).count();
                let may_be_empty = ["activity_partitions", "activity_prepared", "activity_subscriptions", "plan_path", "prepared", "progress", "vacuum_progress", "replication", "slots", "session_locks", "settings_overrides"]
                        .contains(&script.name)
                        // The view is new in 16.
                        || script.name == "activity_io" && major < 16
                        // The OIDs are those of tables, the keys are nobody's; a role without rights may have no entry.
                        || ["statements", "statements_names", "statements_texts"].contains(&script.name);
                assert!(rows > 0 || may_be_empty, "{}.sql on {major} {place} as {role}: no row", script.name);
            }
        }
    }
}

async fn every_role(major: u32) {
    let Some(lab) = Lab::start(Wanted { postgres: Some(major), ..SERVERS }) else { return };
    let owner = client(&lab.uri("postgres")).await;
    // Column statistics, so that an estimate has something to go by; and a limit, so that there is one.
    run(&owner, "ANALYZE").await;
    run(&owner, "ALTER ROLE shop_api CONNECTION LIMIT 1000").await;
    let major = i32::try_from(major).expect("a small number");
    for role in ["plain", "monitor", "postgres"] {
        every_statement(major, &lab.uri(role), role, false).await;
        every_statement(major, &lab.standby_uri(role), role, true).await;
    }
}

#[tokio::test]
async fn every_statement_runs_on_13_as_every_role_on_primary_and_standby() {
    every_role(13).await;
}

#[tokio::test]
async fn every_statement_runs_on_15_as_every_role_on_primary_and_standby() {
    every_role(15).await;
}

#[tokio::test]
async fn every_statement_runs_on_18_as_every_role_on_primary_and_standby() {
    every_role(18).await;
}

#[test]
fn every_file_runs_in_psql_as_it_is() {
    let Some(lab) = Lab::start(Wanted { postgres: Some(18), ..crate::lab::PRIMARY }) else { return };
    let uri = lab.uri("postgres");
    let psql = |arguments: &[&str], input: &str| {
        let mut command = Command::new(lab.text("/postgres/psql"));
        command.args(["-X", "-q", "-A", "-t", "-v", "ON_ERROR_STOP=1", "-d", &uri]).args(arguments);
        let mut child =
            command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().expect("psql");
        std::io::Write::write_all(&mut child.stdin.take().expect("a pipe"), input.as_bytes()).expect("psql reads");
        let output = child.wait_with_output().expect("psql ends");
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8_lossy(&output.stdout).trim().to_owned()
    };
    let oid = format!("oid={}", psql(&["-c", "SELECT 'customers'::regclass::oid"], ""));
    for script in ALL {
        let schema = if script.name == "cache" { "schema=" } else { "schema=public" };
        let variables = [
            "limit=200",
            "beside=50",
            "known=8",
            "order=dead",
            "pid=1",
            "backend_start=",
            "oids=1,2",
            &oid,
            schema,
            "name=fraiseql_cache",
            "percent=100",
            "pattern=fraiseql_cache",
            "keys=1,2",
            "names=work_mem,log_statement",
            "words=customers",
            "path=public",
            "author=shop_api",
        ];
        let arguments: Vec<&str> = variables.iter().flat_map(|v| ["-v", v]).collect();
        psql(&arguments, script.source());
    }
}
