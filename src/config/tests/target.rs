//! Words, targets, and which credentials go where.

use super::*;

fn shown(given: &Given) -> String {
    let text = |name: &str, value: Option<&str>| value.map_or_else(String::new, |v| format!("{name}={v} "));
    let secret = |s: &Option<Secret>| s.as_ref().map(|s| s.reveal().to_owned());
    let all = [
        text("base", secret(&given.base).map(|s| format!("[{s}]")).as_deref()),
        text("db", secret(&given.dbname).map(|s| format!("[{s}]")).as_deref()),
        text("host", given.host.as_deref()),
        text("port", given.port.as_deref()),
        text("user", given.user.as_deref()),
    ];
    all.concat().trim_end().to_owned()
}

#[test]
fn words_are_sorted_as_psql_does_and_a_target_goes_before_a_database() {
    let around = around().file(
        OWN,
        "conninfo = 'host=usual password=p'\n[target.shop]\nconninfo = 'host=db1 dbname=shop'\n[target.'shop 2']\nconninfo = 'host=db2'",
    );
    let table = [
        ("", "base=[host=usual password=p]"),
        ("shop", "base=[host=db1 dbname=shop]"),
        ("shop alice", "base=[host=db1 dbname=shop] user=alice"),
        ("shop -d other -p 5433", "base=[host=db1 dbname=shop] db=[other] port=5433"),
        ("shop -h replica2 -U bob", "base=[host=db1 dbname=shop] host=replica2 user=bob"),
        ("-d shop", "base=[host=usual password=p] db=[shop]"),
        ("-dshop", "base=[host=usual password=p] db=[shop]"),
        ("crm", "base=[host=usual password=p] db=[crm]"),
        ("crm alice", "base=[host=usual password=p] db=[crm] user=alice"),
        ("-U bob -d x", "base=[host=usual password=p] db=[x] user=bob"),
        ("-d crm alice", "base=[host=usual password=p] db=[crm] user=alice"),
        ("-p5433", "base=[host=usual password=p] port=5433"),
        ("--host=other crm", "db=[crm] host=other"),
        ("postgres://bob@db9/crm", "db=[postgres://bob@db9/crm]"),
        ("postgresql:///crm -U bob", "db=[postgresql:///crm] user=bob"),
        ("-d postgresql:///crm", "db=[postgresql:///crm]"),
        ("-d service=crm", "db=[service=crm]"),
        ("host=db9 dbname=shop", "db=[host=db9 dbname=shop]"),
        ("host=db9 -p 5433 dbname=shop", "db=[host=db9 dbname=shop] port=5433"),
    ];
    for (line, expected) in table {
        assert_eq!(shown(&around.run(line).connection), expected, "{line}");
    }
    for name in ["PGHOST", "PGHOSTADDR", "PGSERVICE"] {
        let elsewhere = around.clone().var(name, "db7");
        assert_eq!(shown(&elsewhere.run("").connection), "", "{name}");
        assert_eq!(shown(&elsewhere.run("shop").connection), "base=[host=db1 dbname=shop]", "{name}");
    }
    assert_eq!(around.run("shop").target.as_deref(), Some("shop"));
    assert_eq!(around.run("crm").target, None);
    assert_eq!(around.run("-d shop").target, None);
}

#[test]
fn a_value_with_a_blank_gets_the_quotes_back_that_the_shell_took() {
    let joined = |words: &[&str]| {
        let args = std::iter::once("pgtriage").chain(words.iter().copied()).map(OsString::from).collect();
        match load(args, &around().surroundings()) {
            Ok(Request::Run(settings)) => settings.connection.dbname.map(|d| d.reveal().to_owned()),
            other => panic!("{other:?}"),
        }
    };
    let table: [(&[&str], &str); 5] = [
        (&["host=a dbname=b"], "host=a dbname=b"),
        (&["host=a", "password=x y"], "host=a password='x y'"),
        (&["host=a", r"password=it's \ x"], r"host=a password='it\'s \\ x'"),
        (&["host=a", "password='x y'"], "host=a password='x y'"),
        (&["host=a dbname=b", "user=c"], "host=a dbname=b user=c"),
    ];
    for (words, expected) in table {
        assert_eq!(joined(words).as_deref(), Some(expected), "{words:?}");
    }
}

#[test]
fn of_two_password_flags_the_last_one_counts() {
    let table = [
        ("", AskPassword::AsNeeded),
        ("-w", AskPassword::Never),
        ("-W", AskPassword::First),
        ("-w -W", AskPassword::First),
        ("--password --no-password", AskPassword::Never),
        ("-W -W", AskPassword::First),
    ];
    for (line, ask) in table {
        assert_eq!(around().run(line).connection.ask, ask, "{line}");
    }
}

#[test]
fn prometheus_gets_what_was_given_for_it() {
    let around = around()
        .file("/home/ann/.config/pgtriage/token", "s3cret\n")
        .file("/ca.pem", "PEM")
        .file(
            OWN,
            "prometheus = 'https://m.example/p'\nprometheus_token_file = 'token'\nprometheus_header = ['X-Scope-OrgID: shop', 'X-B:2']\n\
             prometheus_ca = '/ca.pem'\nprometheus_timeout = 3\njob = 'shop-.*'\npostgres_job = 'pg'\nmetrics_prefix = 'shop'\npool_max = 20\ncache_table = 'app.cache'",
        );
    let metrics = around.run("").metrics;
    assert_eq!((metrics.job.as_deref(), metrics.postgres_job.as_deref()), (Some("shop-.*"), Some("pg")));
    assert_eq!((metrics.prefix.as_str(), metrics.pool_max), ("shop", Some(20)));
    assert_eq!(metrics.cache_table, "app.cache");
    let expected = Prometheus {
        url: "https://m.example/p".into(),
        bearer: Some(Secret::new("s3cret")),
        basic: None,
        headers: vec![("X-Scope-OrgID".into(), Secret::new("shop")), ("X-B".into(), Secret::new("2"))],
        ca_pem: Some("PEM".into()),
        timeout: Duration::from_secs(3),
    };
    assert_eq!(metrics.prometheus, Some(expected));

    let flags = around.run("--prometheus-header A:1 --prometheus-header B:2").metrics.prometheus.unwrap();
    assert_eq!(flags.headers, [("A".into(), Secret::new("1")), ("B".into(), Secret::new("2"))]);
    let lines = around.var("PGTRIAGE_PROMETHEUS_HEADER", "C: 3\nD: 4").run("").metrics.prometheus.unwrap();
    assert_eq!(lines.headers, [("C".into(), Secret::new("3")), ("D".into(), Secret::new("4"))]);
}

#[test]
fn credentials_do_not_go_to_another_prometheus_than_they_were_given_for() {
    let around = around().file("/t1", "one").file("/t2", "two").file(
        OWN,
        "prometheus = 'http://general'\nprometheus_token_file = '/t1'\nprometheus_header = 'X-A: 1'\n\
             [target.a]\nconninfo = 'host=a'\nprometheus = 'http://a'\n\
             [target.b]\nconninfo = 'host=b'\nprometheus = 'http://b'\nprometheus_token_file = '/t2'\n\
             [target.c]\nconninfo = 'host=c'",
    );
    let token =
        |around: &Around, line| around.run(line).metrics.prometheus.unwrap().bearer.map(|s| s.reveal().to_owned());
    assert_eq!(token(&around, "").as_deref(), Some("one"));
    assert_eq!(token(&around, "a"), None);
    assert_eq!(token(&around, "b").as_deref(), Some("two"));
    assert_eq!(token(&around, "c").as_deref(), Some("one"));
    assert_eq!(token(&around, "--prometheus http://else"), None);
    assert_eq!(token(&around, "--prometheus http://else --prometheus-token-file /t2").as_deref(), Some("two"));

    let with_variable = around.clone().var("PGTRIAGE_PROMETHEUS_TOKEN", "three");
    assert_eq!(token(&with_variable, "--prometheus http://else").as_deref(), Some("three"));
    assert_eq!(token(&with_variable, "b").as_deref(), Some("three"));
    assert_eq!(token(&with_variable, "--prometheus-token-file /t1").as_deref(), Some("one"));

    let a = around.run("a");
    assert!(a.metrics.prometheus.unwrap().headers.is_empty());
    let file = "/home/ann/.config/pgtriage/config.toml";
    assert_eq!(
        a.warnings,
        [
            format!("prometheus_token_file ({file}:2) is not used: it was given for another Prometheus"),
            format!("prometheus_header ({file}:3) is not used: it was given for another Prometheus"),
        ]
    );
}

#[test]
fn a_user_in_the_address_becomes_basic_authentication_and_leaves_the_address() {
    let prometheus = |line| around().run(line).metrics.prometheus.unwrap();
    let table = [
        ("--prometheus http://u:p%40ss@m:9090/x", "http://m:9090/x", Some(("u", "p@ss"))),
        ("--prometheus https://u@m", "https://m", Some(("u", ""))),
        ("--prometheus http://m/x@y", "http://m/x@y", None),
        ("--prometheus http://u:100%@m", "http://m", Some(("u", "100%"))),
    ];
    for (line, url, basic) in table {
        let read = prometheus(line);
        assert_eq!(read.url, url);
        let basic = basic.map(|(user, password)| BasicAuth { user: user.into(), password: Secret::new(password) });
        assert_eq!(read.basic, basic, "{line}");
    }
    let password =
        around().var("PGTRIAGE_PROMETHEUS_PASSWORD", "pw").run("--prometheus http://m --prometheus-user ann");
    let basic = BasicAuth { user: "ann".into(), password: Secret::new("pw") };
    assert_eq!(password.metrics.prometheus.unwrap().basic, Some(basic));
}

#[test]
fn a_workload_gives_figures_and_figures_of_ones_own_stand_in_place_of_its() {
    let workload = |file: &str| around().file(OWN, file).run("").metrics.workload;
    assert_eq!(workload("refresh = '2s'"), None);
    let crud = workload("workload = 'simple-crud'").unwrap();
    assert_eq!((crud.p95_s, crud.requests, crud.hit_ratio), (Some(0.05), Some(1000.0), Some(0.9)));
    let own = workload("workload = 'simple-crud'\nbaseline_p95_ms = 80").unwrap();
    assert_eq!((own.p95_s, own.requests), (Some(0.08), Some(1000.0)));
    let alone = workload("baseline_hit_percent = 92").unwrap();
    assert_eq!((alone.p95_s, alone.hit_ratio), (None, Some(0.92)));
}

#[test]
fn a_login_for_plans_gets_its_password_only_where_that_was_given_for_this_server_and_this_role() {
    let login = |around: &Around, line: &str| {
        let settings = around.run(line);
        let shown = settings.plan_login.map(|login| (login.user, login.password.map(|p| p.reveal().to_owned())));
        (shown, settings.warnings)
    };
    let own = "conninfo = 'host=usual'\nplan_user = 'planner'\nplan_password_file = 'plan.password'\n\
               [target.shop]\nconninfo = 'host=db1'\n\
               [target.crm]\nconninfo = 'host=db2'\nplan_user = 'crm_plan'\nplan_password_file = 'crm.password'";
    let around = around()
        .file(OWN, own)
        .file("/home/ann/.config/pgtriage/plan.password", "usual\n")
        .file("/home/ann/.config/pgtriage/crm.password", "of crm\n")
        .file("typed", "typed\n");
    let with = |user: &str, password: Option<&str>| Some((user.to_owned(), password.map(str::to_owned)));
    let table = [
        ("", with("planner", Some("usual"))),
        ("-d other", with("planner", Some("usual"))),
        ("shop", with("planner", None)),
        ("-h db9", with("planner", None)),
        ("host=db9", with("planner", None)),
        ("service=shop", with("planner", None)),
        ("--plan-user bob", with("bob", None)),
        ("--plan-user bob --plan-password-file typed", with("bob", Some("typed"))),
        ("-h db9 --plan-password-file typed", with("planner", Some("typed"))),
        ("crm", with("crm_plan", Some("of crm"))),
        ("crm -h db9", with("crm_plan", None)),
    ];
    for (line, expected) in table {
        let (found, warnings) = login(&around, line);
        let unused = format!("({OWN}:3) is not used: it was given for another server or role");
        let unused = unused.replace(":3", if line.starts_with("crm") { ":9" } else { ":3" });
        let warned = warnings.iter().any(|w| w.contains(&unused));
        assert_eq!(warned, expected.as_ref().is_some_and(|(_, password)| password.is_none()), "{line}: {warnings:?}");
        assert_eq!(found, expected, "{line}");
    }
    let elsewhere = around.clone().var("PGHOST", "db7");
    assert_eq!(login(&elsewhere, "").0, with("planner", None));
    let told = around.clone().var("PGTRIAGE_PLAN_PASSWORD", "told");
    assert_eq!(login(&told, "shop").0, with("planner", Some("told")));
    let gone = around.clone().broken("/home/ann/.config/pgtriage/plan.password", io::ErrorKind::NotFound);
    let (found, warnings) = login(&gone, "");
    assert_eq!(found, with("planner", None));
    assert!(warnings[0].ends_with("the login for plans is tried without it"), "{warnings:?}");
    assert_eq!(login(&super::around(), "").0, None);
    assert!(!format!("{:?}", around.run("")).contains("usual\""), "it is in no print");
}
