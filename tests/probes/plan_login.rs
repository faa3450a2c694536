//! Plans as a role of their own on real servers: that they come where the console's role gets none, what is said where they
//! do not, and which password is sent. It must not test what a plan is like.
use super::asking::{Asking, client, primary, run};
use crate::lab::Lab;
use pgtriage::model::plan::{Plan, PlanOf};
use pgtriage::model::{ProbeError, Question, ServerText, Snapshot};
use pgtriage::postgres::{Given, Process, resolve_as};
use pgtriage::probe::Report;
use std::os::unix::fs::MetadataExt;

/// A console as the lab's `oncall`, with the password of the lab's `scram`, which nobody asks `oncall` for.
struct Console<'a> {
    lab: &'a Lab,
    plan_user: (&'a str, Option<&'a str>),
}

impl Console<'_> {
    async fn plan(&self, author: &str, text: &str) -> Result<Plan, ProbeError> {
        let of =
            PlanOf { text: text.into(), database: Some("shop".into()), author: Some(author.into()), normalized: false };
        let uri = self.lab.uri("oncall").replace("oncall@", "oncall:lab%20secret@");
        let given = Given { words: vec![uri.clone()], ..Given::default() };
        let login = resolve_as(&given, self.plan_user, &Process).expect("a usable URI");
        let question = Question::Plan(Box::new(of));
        let mut asking = Asking::with_plan_login(&uri, Some(login), std::slice::from_ref(&question));
        match asking.sample(&question).await.answer {
            Ok(Snapshot::Plan(plan)) => Ok(*plan),
            Ok(other) => panic!("{other:?}"),
            Err(error) => Err(error),
        }
    }

    /// Why it is not let in.
    async fn barred(&self) -> String {
        match self.plan("shop_api", "SELECT 1").await {
            Err(why @ (ProbeError::Refused { .. } | ProbeError::Absent(_))) => why.to_string(),
            other => panic!("{other:?}"),
        }
    }
}

async fn plans_on(major: u32) {
    let Some(lab) = primary(major) else { return };
    let admin = client(&lab.uri("postgres")).await;
    let console = Console { lab: &lab, plan_user: ("oncall_plan", None) };

    // oncall may signal, and gets its plan all the same.
    let plan = console.plan("shop_api", "SELECT * FROM orders WHERE id = $1").await.expect("a plan");
    assert_eq!((plan.role.raw(), plan.database.raw()), ("oncall_plan", "shop"));
    assert_eq!(plan.root.index.as_ref().map(ServerText::raw), Some("orders_pkey"));

    // A right that is missing is told with what gives it, to that role.
    let denied = console.plan("shop_api", "DELETE FROM carts").await;
    assert_eq!(denied, Err(ProbeError::Denied { cure: "GRANT DELETE ON public.carts TO \"oncall_plan\"".to_owned() }));

    let denied = console.plan("shop_worker", "SELECT id FROM customers WHERE id = 42 FOR UPDATE").await;
    assert_eq!(
        denied,
        Err(ProbeError::Denied { cure: "GRANT UPDATE ON public.customers TO \"oncall_plan\"".to_owned() })
    );

    // Whoever may do too much is no more planned as than before, and hears what to do.
    for (role, words) in [("postgres", "all that a superuser may"), ("seat", "REPLICATION of seat, pg_signal_backend")]
    {
        let refused = Console { plan_user: (role, None), ..console }.plan("shop_api", "SELECT 1").await;
        let Err(ProbeError::Absent(refused)) = refused else { panic!("{role}: {refused:?}") };
        assert!(refused.contains(&format!("not planned as {role}")) && refused.contains(words), "{refused}");
        assert!(refused.contains("plan_user") && refused.contains("CREATE ROLE oncall_plan LOGIN"), "{refused}");
    }

    // A login that fails says what helps; the password of the console's role would open scram's door, and is not sent.
    let nobody = Console { plan_user: ("nobody", None), ..console }.barred().await;
    assert!(nobody.contains("did not let plan_user nobody in: "), "{nobody}");
    let without = Console { plan_user: ("scram", None), ..console }.barred().await;
    assert!(without.starts_with("plan_user scram needs a password: put it"), "{without}");
    let wrong = Console { plan_user: ("scram", Some("wrong")), ..console }.barred().await;
    assert!(wrong.contains("or plan_user scram has another password than") && wrong.ends_with("(28P01)"), "{wrong}");
    let right = Console { plan_user: ("scram", Some("lab secret")), ..console }.plan("shop_api", "SELECT 1").await;
    assert_eq!(right.expect("a plan").role.raw(), "scram");
    run(&admin, "REVOKE CONNECT ON DATABASE shop FROM public; GRANT CONNECT ON DATABASE shop TO oncall").await;
    let denied = console.plan("shop_api", "SELECT 1").await;
    let cure = "GRANT CONNECT ON DATABASE \"shop\" TO \"oncall_plan\"".to_owned();
    assert_eq!(denied, Err(ProbeError::Denied { cure }));
    run(&admin, "GRANT CONNECT ON DATABASE shop TO public").await;

    names_are_the_authors(&console, &admin).await;
}

/// Names are looked up along the author's path, and what a path hides is told.
async fn names_are_the_authors(console: &Console<'_>, admin: &tokio_postgres::Client) {
    run(
        admin,
        "CREATE SCHEMA app; CREATE TABLE app.parcels (id int); ALTER ROLE shop_api SET search_path = app, public;
         CREATE SCHEMA shop_worker; GRANT USAGE ON SCHEMA shop_worker TO oncall_plan;
         CREATE TABLE shop_worker.orders (id int); GRANT SELECT ON shop_worker.orders TO oncall_plan",
    )
    .await;
    let schema = |plan: Plan| plan.root.schema.map(|schema| schema.raw().to_owned());
    let hidden = console.plan("shop_api", "SELECT * FROM parcels").await;
    let Err(ProbeError::Refused { code, message }) = hidden else { panic!("{hidden:?}") };
    assert_eq!(code, "42P01");
    let cure = "or it is hidden: GRANT SELECT ON app.parcels TO \"oncall_plan\"; GRANT USAGE ON SCHEMA app TO";
    assert!(message.contains("along search_path app, public, its author") && message.contains(cure), "{message}");
    run(admin, "GRANT USAGE ON SCHEMA app TO oncall_plan; GRANT SELECT ON app.parcels TO oncall_plan").await;
    let parcels = console.plan("shop_api", "SELECT * FROM parcels WHERE id = $1").await.expect("a plan");
    assert_eq!(parcels.search_path.raw(), "app, public");
    assert_eq!(schema(parcels).as_deref(), Some("app"));

    // $user is the author; the author's setting in this database goes before the others.
    let own = console.plan("shop_worker", "SELECT * FROM orders").await.expect("a plan");
    assert_eq!(own.search_path.raw(), "\"shop_worker\", public");
    assert_eq!(schema(own).as_deref(), Some("shop_worker"));
    run(
        admin,
        "ALTER DATABASE shop SET search_path = app; ALTER ROLE shop_worker IN DATABASE shop SET search_path = public;
         ALTER ROLE shop_worker SET search_path = nowhere",
    )
    .await;
    let nearest = console.plan("shop_worker", "SELECT * FROM orders").await.expect("a plan");
    assert_eq!(schema(nearest).as_deref(), Some("public"));
    let database = console.plan("reporting", "SELECT * FROM parcels").await.expect("a plan");
    assert_eq!(schema(database).as_deref(), Some("app"));

    // A path that leads to another set_config first leads our question nowhere else.
    run(
        admin,
        "CREATE FUNCTION app.set_config(text, text, bool) RETURNS text LANGUAGE plpgsql AS 'BEGIN RAISE ''caught''; END';
         ALTER DATABASE shop SET search_path = app, pg_catalog",
    )
    .await;
    assert!(console.plan("reporting", "SELECT * FROM parcels").await.is_ok());
}

#[tokio::test]
async fn who_may_signal_gets_plans_as_another_role_on_13() {
    plans_on(13).await;
}

#[tokio::test]
async fn who_may_signal_gets_plans_as_another_role_on_15() {
    plans_on(15).await;
}

#[tokio::test]
async fn who_may_signal_gets_plans_as_another_role_on_18() {
    plans_on(18).await;
}

/// The session is ours while it lasts, no list shows it, and it is gone with the plan.
#[tokio::test]
async fn the_login_of_a_plan_is_counted_as_ours_and_ends_with_it_on_18() {
    let Some(lab) = primary(18) else { return };
    let admin = client(&lab.uri("postgres")).await;
    // Planning lasts as long as it may.
    run(
        &admin,
        "CREATE SCHEMA slow; GRANT USAGE ON SCHEMA slow TO public;
         CREATE FUNCTION slow.plan(int) RETURNS int LANGUAGE plpgsql IMMUTABLE AS 'BEGIN PERFORM pg_sleep(10); RETURN 1; END'",
    )
    .await;
    let uri = lab.uri("oncall");
    let given = Given { words: vec![uri.clone()], ..Given::default() };
    let login = resolve_as(&given, ("oncall_plan", None), &Process).expect("a usable URI");
    let of = PlanOf {
        text: "SELECT slow.plan(1)".into(),
        database: Some("shop".into()),
        author: Some("shop_api".into()),
        normalized: false,
    };
    let plan = Question::Plan(Box::new(of));
    let mut asking = Asking::with_plan_login(&uri, Some(login), &[Question::Sessions, plan.clone()]);
    let own = |sample: &pgtriage::model::Sample| match &sample.answer {
        Ok(Snapshot::Sessions(sessions)) => {
            assert!(sessions.rows.iter().all(|row| row.user != Some("oncall_plan".into())), "it is in no list");
            sessions.own
        }
        other => panic!("{other:?}"),
    };
    asking.sample_with(&Question::Sessions, |sample| own(sample) == 2).await;
    asking.want(&[Question::Sessions]);
    asking.sample_with(&Question::Sessions, |sample| own(sample) == 1).await;
}

/// Has the server read its files, and waits until it has: who comes in then comes in by them.
async fn read_again(uri: &str) {
    let admin = client(uri).await;
    let before: String = admin.query_one("SELECT clock_timestamp()::text", &[]).await.expect("an answer").get(0);
    run(&admin, "SELECT pg_reload_conf()").await;
    let read = format!("SELECT pg_conf_load_time() > '{before}'");
    // A new session has it from the postmaster.
    while !client(uri).await.query_one(&read, &[]).await.expect("an answer").get::<_, bool>(0) {
        tokio::time::sleep(std::time::Duration::from_millis(10)).await;
    }
}

/// In front of the lab's own lines of `pg_hba.conf`.
async fn let_in(uri: &str, admin: &tokio_postgres::Client, lines: &str) {
    let shown = |row: tokio_postgres::Row| std::path::PathBuf::from(row.get::<_, String>(0));
    let file = shown(admin.query_one("SHOW hba_file", &[]).await.expect("an answer"));
    let before = std::fs::read_to_string(&file).expect("the lab's own");
    let own: Vec<&str> = before.lines().filter(|line| !line.contains("oncall_plan")).collect();
    std::fs::write(&file, format!("{lines}\n{}\n", own.join("\n"))).expect("written");
    let wrong: i64 =
        admin.query_one("SELECT count(error) FROM pg_hba_file_rules", &[]).await.expect("an answer").get(0);
    assert_eq!(wrong, 0, "{lines}");
    read_again(uri).await;
}

/// TLS on, with a certificate of an authority of its own, and one for `oncall`; where that and its key are.
async fn with_certificates(uri: &str, admin: &tokio_postgres::Client) -> (String, String) {
    let data: String = admin.query_one("SHOW data_directory", &[]).await.expect("an answer").get(0);
    let path = |name: &str| format!("{data}/{name}");
    let openssl = |words: &[&str]| {
        let done = std::process::Command::new("openssl").args(words).output().expect("openssl runs");
        assert!(done.status.success(), "{}", String::from_utf8_lossy(&done.stderr));
    };
    let (crt, key, own, own_key) = (path("server.crt"), path("server.key"), path("oncall.crt"), path("oncall.key"));
    let made = ["req", "-x509", "-newkey", "rsa:2048", "-nodes"];
    openssl(&[&made[..], &["-subj", "/CN=lab", "-keyout", &key, "-out", &crt]].concat());
    let signed = ["-subj", "/CN=oncall", "-keyout", &own_key, "-out", &own, "-CA", &crt, "-CAkey", &key];
    openssl(&[&made[..], &signed].concat());
    let owner = std::fs::metadata(&data).expect("the lab's own");
    for file in [&key, &crt] {
        std::os::unix::fs::chown(file, Some(owner.uid()), Some(owner.gid())).expect("given");
    }
    run(admin, "ALTER SYSTEM SET ssl = on").await;
    run(admin, "ALTER SYSTEM SET ssl_ca_file = 'server.crt'").await;
    read_again(uri).await;
    (own, own_key)
}

/// A console whose own role comes in by what the role of the plans is refused for goes on; the plan says why there is none.
#[tokio::test]
async fn a_plan_login_that_peer_or_a_certificate_refuses_is_told_in_plain_words_and_nothing_else_suffers_on_15() {
    let Some(lab) = primary(15) else { return };
    let uri = lab.uri("postgres");
    let admin = client(&uri).await;
    let (own, key) = with_certificates(&uri, &admin).await;
    let sockets: String = admin.query_one("SHOW unix_socket_directories", &[]).await.expect("an answer").get(0);
    let port: String = admin.query_one("SHOW port", &[]).await.expect("an answer").get(0);
    let socket = format!("host={sockets} port={port} user=oncall dbname=shop");
    let open = format!("host=127.0.0.1 port={port} user=oncall dbname=shop");
    let tls = format!("{open} sslmode=require");
    let certified = format!("{tls} sslcert={own} sslkey={key}");
    let peer = "local all oncall_plan peer";
    let cert = "hostssl all oncall_plan 127.0.0.1/32 cert";
    for (line, words, said) in [
        (peer, &socket, "Peer authentication failed for user \"oncall_plan\""),
        (cert, &tls, "connection requires a valid client certificate"),
        // The console shows the certificate of its own role.
        (cert, &certified, "ertificate authentication failed for user \"oncall_plan\""),
        ("host all oncall_plan 127.0.0.1/32 reject", &open, "pg_hba.conf rejects connection"),
    ] {
        let_in(&uri, &admin, line).await;
        let given = Given { words: vec![words.clone()], ..Given::default() };
        let login = resolve_as(&given, ("oncall_plan", None), &Process).expect("usable words");
        let of = PlanOf {
            text: "SELECT 1".into(),
            database: Some("shop".into()),
            author: Some("shop_api".into()),
            normalized: false,
        };
        let plan = Question::Plan(Box::new(of));
        let mut asking = Asking::with_plan_login(words, Some(login), &[Question::Sessions, plan.clone()]);
        let (code, message) = match asking.sample(&plan).await.answer {
            Err(ProbeError::Refused { code, message }) => (code, message),
            other => panic!("{line}: {other:?}"),
        };
        assert_eq!(code, "28000", "{message}");
        assert!(message.starts_with("the server did not let plan_user oncall_plan in: "), "{message}");
        assert!(message.contains(said) && message.contains("pg_hba.conf must let it in from here"), "{message}");
        for _ in 0..3 {
            let Ok(Snapshot::Sessions(sessions)) = asking.sample(&Question::Sessions).await.answer else {
                panic!("the sessions, while {line}")
            };
            assert!(sessions.rows.iter().all(|row| row.user != Some("oncall_plan".into())), "{line}");
            assert_eq!(sessions.own, 1, "nothing is left of the attempt: {line}");
        }
        while let Ok(report) = tokio::time::timeout(std::time::Duration::from_millis(50), asking.report()).await {
            assert!(!matches!(report, Report::Link(_)), "the link is untouched by {line}: {report:?}");
        }
    }
}
