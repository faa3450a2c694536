//! What is watched beside the database: where it is said, what is refused, and where the token goes.

use super::*;

fn watched(around: &Around, line: &str) -> Health {
    around.run(line).health
}

fn urls(health: &Health) -> Vec<&str> {
    health.endpoints.iter().map(|e| e.url.as_str()).collect()
}

#[test]
fn addresses_come_from_flags_a_variable_a_file_and_a_target_and_one_that_is_named_twice_is_one() {
    let around = around()
        .file(OWN, "health = 'http://a'\n[target.shop]\nconninfo = 'host=db1'\nhealth = ['http://b', 'http://c']");
    assert_eq!(urls(&watched(&around, "")), ["http://a"]);
    assert_eq!(urls(&watched(&around, "shop")), ["http://b", "http://c"]);
    assert_eq!(
        urls(&watched(&around, "shop --health http://d --health http://e --health http://d")),
        ["http://d", "http://e"]
    );
    assert_eq!(
        urls(&watched(&around.clone().var("PGTRIAGE_HEALTH", "http://f\nhttp://g\n"), "")),
        ["http://f", "http://g"]
    );
    assert!(around.error("--health app-1:8000").contains("is no http:// or https:// address"));
}

#[test]
fn a_user_in_an_address_is_sent_and_not_shown() {
    let health = watched(&around(), "--health http://me:p%40ss@app:8000/ready");
    assert_eq!(urls(&health), ["http://app:8000/ready"]);
    assert_eq!(health.endpoints[0].basic.as_ref().map(|b| b.password.reveal()), Some("p@ss"));
    assert!(!format!("{health:?}").contains("p@ss"));
    assert_eq!(health.watchlist(None).endpoints, ["http://app:8000/ready"]);
}

#[test]
fn the_token_goes_to_those_that_were_named_beside_or_above_it() {
    let around = around()
        .file(
            OWN,
            "health = 'http://a'\nhealth_token_file = '/t'\n[target.shop]\nconninfo = 'host=db1'\nhealth = 'http://b'",
        )
        .file("/t", "s3cret\n");
    let token = |line: &str| watched(&around, line).bearer.map(|b| b.reveal().to_owned());
    assert_eq!(token("").as_deref(), Some("s3cret"));
    assert_eq!(token("shop"), None, "another service");
    assert!(
        around.run("shop").warnings.iter().any(|w| w.contains("health_token_file") && w.contains("another service"))
    );
    assert_eq!(token("--health http://c"), None);
    assert_eq!(token("--health http://c --health-token-file /t").as_deref(), Some("s3cret"));
    let by_variable = around.clone().var("PGTRIAGE_HEALTH_TOKEN", "v");
    assert_eq!(watched(&by_variable, "shop").bearer.map(|b| b.reveal().to_owned()).as_deref(), Some("v"));
    assert!(around.error("--health http://c --health-token-file /gone").contains("/gone"));
}

#[test]
fn dependencies_are_sections_of_the_file_or_of_a_target_whose_own_go_before() {
    let text = r#"
health_timeout = "2s"
[[dependency]]
name = "redis"
tcp = "cache-1:6379"
send = "PING\r\n"
expect = "+PONG"
timeout = "1s"
[[dependency]]
name = "mail"
http = "https://u:p@mail.example/health"
status = 204
[target.shop]
conninfo = "host=db1"
[[target.shop.dependency]]
name = "search"
tcp = "[::1]:9200"
"#;
    let around = around().file(OWN, text);
    let health = watched(&around, "");
    assert_eq!(health.timeout, Duration::from_secs(2));
    let redis = Road::Tcp { at: "cache-1:6379".to_owned(), send: Some("PING\r\n".to_owned()) };
    assert_eq!((&health.dependencies[0].road, health.dependencies[0].timeout), (&redis, Some(Duration::from_secs(1))));
    assert_eq!(health.dependencies[0].expect.as_deref(), Some("+PONG"));
    let Road::Http { at, status } = &health.dependencies[1].road else { panic!("{health:?}") };
    assert_eq!((at.url.as_str(), at.basic.is_some(), *status), ("https://mail.example/health", true, Some(204)));
    let names: Vec<String> = watched(&around, "shop").dependencies.into_iter().map(|d| d.name).collect();
    assert_eq!(names, ["search"]);
}

#[test]
fn a_dependency_that_cannot_be_is_refused_with_its_name_and_line() {
    let table = [
        ("tcp = 'a:1'", "dependency: number 1: it needs a `name`"),
        ("name = 'x'", "`x`: it needs `http = \"URL\"` or `tcp = \"HOST:PORT\"`"),
        ("name = 'x'\nhttp = 'http://a'\ntcp = 'a:1'", "`x`: `http` and `tcp` are two ways: choose one"),
        ("name = 'x'\ntcp = 'a'", "`x`: `tcp`: `a` is not of the form `HOST:PORT`"),
        ("name = 'x'\ntcp = 'a:99999'", "is not of the form `HOST:PORT`"),
        ("name = 'x'\nhttp = 'a:1'", "`x`: `http` is no http:// or https:// address"),
        ("name = 'x'\ntcp = 'a:1'\nstatus = 200", "`x`: `status` goes with `http`"),
        ("name = 'x'\nhttp = 'http://a'\nsend = 'x'", "`x`: `send` goes with `tcp`"),
        ("name = 'x'\nhttp = 'http://a'\nstatus = 99", "`x`: `status` is a status of HTTP, such as 200"),
        ("name = 'x'\nhttp = 'http://a'\nstatus = 'ok'", "`x`: `status` is a number"),
        ("name = 'x'\ntcp = 'a:1'\nexpects = 'y'", "`x`: no key is called `expects`; did you mean `expect`?"),
        ("name = 'x'\ntcp = 'a:1'\nexpect = ''", "`x`: `expect` is a text in quotes"),
        ("name = 'x'\ntcp = 'a:1'\ntimeout = '60s'", "`x`: `timeout` `60s` is more than 25s"),
        ("name = 'x'\ntcp = 'a:1'\n[[dependency]]\nname = 'x'\ntcp = 'b:1'", "two are called `x`"),
    ];
    for (text, message) in table {
        let error = around().file(OWN, &format!("[[dependency]]\n{text}")).error("");
        assert!(error.contains(message) && error.contains("config.toml:1: dependency"), "{text}: {error}");
    }
    assert!(around().file(OWN, "dependency = 'redis'").error("").contains("write [[dependency]], one for each"));
    assert!(around().file(OWN, "dependency = { name = 'x' }").error("").contains("write [[dependency]]"));
}

#[test]
fn pgbouncers_conninfo_may_hold_a_password_and_is_not_shown() {
    let settings = around().run("--pgbouncer postgresql://oncall:sesame@db1:6432/");
    assert_eq!(settings.health.pooler.as_ref().map(|p| p.given_by.as_str()), Some("--pgbouncer"));
    assert!(!format!("{settings:?}").contains("sesame"));
    let file = around().file(OWN, "refresh = 3\npgbouncer = 'host=a'").run("").health.pooler;
    assert_eq!(file.map(|p| p.given_by), Some(format!("{OWN}:2: pgbouncer")));
    let variable = around().var("PGTRIAGE_PGBOUNCER", "host=a").run("").health.pooler;
    assert_eq!(variable.map(|p| p.given_by).as_deref(), Some("PGTRIAGE_PGBOUNCER"));
}
