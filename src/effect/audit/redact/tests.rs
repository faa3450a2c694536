//! Where a password may stand, and what must stay.

use std::sync::LazyLock;

use proptest::prelude::*;
use proptest::test_runner::Config;

use super::*;

#[test]
fn a_password_is_left_out_wherever_one_stands() {
    let table = [
        ("ALTER ROLE app PASSWORD 'hunter2'", "ALTER ROLE app PASSWORD '…'"),
        (
            "alter role app\n password\t'hunter2' valid until 'infinity'",
            "alter role app\n password\t'…' valid until '…'",
        ),
        ("CREATE USER u ENCRYPTED PASSWORD E'hun\\'ter2' LOGIN", "CREATE USER u ENCRYPTED PASSWORD E'…' LOGIN"),
        ("CREATE USER u PASSWORD 'hun''ter2';", "CREATE USER u PASSWORD '…';"),
        ("CREATE USER u PASSWORD /* no ' */ 'hunter2';", "CREATE USER u PASSWORD /* no ' */ '…';"),
        ("CREATE USER u PASSWORD -- it's\n 'hunter2'", "CREATE USER u PASSWORD -- it's\n '…'"),
        ("CREATE USER u PASSWORD $$hunter2$$ LOGIN", "CREATE USER u PASSWORD $$…$$ LOGIN"),
        ("CREATE USER u PASSWORD $x$hunter2$x$", "CREATE USER u PASSWORD $x$…$x$"),
        ("CREATE USER u PASSWORD U&'hunter2'", "CREATE USER u PASSWORD U&'…'"),
        ("ALTER ROLE app PASSWORD 'hunt", "ALTER ROLE app PASSWORD…"),
        ("ALTER ROLE app PASSWORD $$hunt", "ALTER ROLE app PASSWORD…"),
        (
            "CREATE USER MAPPING FOR u SERVER s OPTIONS (user 'u', password 'hunter2')",
            "CREATE USER MAPPING FOR u SERVER s OPTIONS (user 'u', password '…')",
        ),
        ("SELECT dblink_connect('host=db password=hunter2 user=u')", "SELECT dblink_connect('host=db password…')"),
        (
            "CREATE SUBSCRIPTION s CONNECTION 'host=db password=hunter2' PUBLICATION p",
            "CREATE SUBSCRIPTION s CONNECTION 'host=db password…' PUBLICATION p",
        ),
        ("SELECT dblink('postgres://u:hunter2@db/shop', 'q')", "SELECT dblink('postgres://u:…@db/shop', 'q')"),
        ("SELECT dblink('postgres://u:hunt@er2@db/shop', 'q')", "SELECT dblink('postgres://u:…@db/shop', 'q')"),
        ("ALTER ROLE app PASSWORD'hunter2'", "ALTER ROLE app PASSWORD'…'"),
        (r#"OPTIONS ("password" 'hunter2')"#, r#"OPTIONS ("password" '…')"#),
        ("SELECT dblink('password=''hunter2'' user=u')", "SELECT dblink('password…')"),
        ("SET x.sslpassword = 'hunter2'", "SET x.sslpassword = '…'"),
        ("PASSWORD 'hunter2' PASSWORD 'hunter2'", "PASSWORD '…' PASSWORD '…'"),
        (
            "UPDATE u SET password = crypt('hunter2', gen_salt('bf')) WHERE id = 7",
            "UPDATE u SET password = crypt('…', gen_salt('…')) WHERE id = 7",
        ),
        (
            "SELECT 1 FROM u WHERE password = md5('hunter2') AND name = 'app'; SELECT 'x'",
            "SELECT 1 FROM u WHERE password = md5('…') AND name = 'app'; SELECT 'x'",
        ),
        ("SELECT f(password => 'hunter2')", "SELECT f(password => '…')"),
        ("SELECT f(password := E'hunt\\'er2')", "SELECT f(password := E'…')"),
        (r#"SELECT '{"password":"hunter2"}'::jsonb"#, r#"SELECT '{"password…'::jsonb"#),
        (r#"{"user":"u","password" : "hunter2"}"#, r#"{"user":"u","password" : "…"}"#),
        ("SELECT set_config('app.password','hunter2', true)", "SELECT set_config('app.password','…', true)"),
        ("INSERT INTO u (name, password) VALUES ('a', 'hunter2')", "INSERT INTO u (name, password) VALUES ('…', '…')"),
        ("SELECT crypt('hunter2', u.password) = u.password", "SELECT crypt('…', u.password) = u.password"),
        ("SELECT 1 FROM u WHERE 'hunter2' = password", "SELECT 1 FROM u WHERE '…' = password"),
        ("DO $$BEGIN ALTER ROLE a PASSWORD 'hunter2'; END$$", "DO $$BEGIN ALTER ROLE a PASSWORD…$$"),
        ("could not connect: host=db password=hunter2 user=u", "could not connect: host=db password=… user=u"),
        ("the server can't take the password 'hunter2', don't", "the server can't take the password…"),
        (r"SELECT 'a\' password 'hunter2'", r"SELECT 'a\' password…"),
        ("SELECT 1 -- the password is hunter2\n, 'x'", "SELECT 1 -- the password…\n, '…'"),
    ];
    for (text, expected) in table {
        let out = redacted(text);
        assert_eq!(out, expected);
        assert!(!out.contains("hunt"), "{text}");
    }
}

#[test]
fn what_is_no_password_stays_as_it_is() {
    for text in [
        "SELECT 'PASSWORD' FROM t WHERE a = b",
        "SET password_encryption = 'scram-sha-256'",
        "ALTER ROLE app PASSWORD NULL",
        "ALTER ROLE app PASSWORD $1",
        "SELECT passwords, total FROM orders WHERE note = 'x'",
        "SELECT 'http://host:80/path', 'a@b'",
        "UPDATE u SET password = $1 WHERE name = $2",
        "it isn't there: 'x",
        "",
    ] {
        assert_eq!(redacted(text), text);
    }
}

/// What may stand before a secret, so that nothing but a literal tells where it ends.
const FORMS: [(&str, &str); 14] = [
    ("password '", "'"),
    ("password = '", "'"),
    ("password = crypt('", "', gen_salt('bf'))"),
    ("password = md5(salt || '", "')"),
    ("f(password => '", "')"),
    ("f(password := E'", "')"),
    ("'{\"password\":\"", "\"}'"),
    ("{\"password\" : \"", "\"}"),
    ("set_config('app.password','", "')"),
    ("set_config('app.password', $q$", "$q$)"),
    ("PASSWORD $$", "$$"),
    ("dblink('host=db password=", " user=u')"),
    ("dblink('password=''", "'' user=u')"),
    ("password=", " user=u"),
];

/// What may stand around it, whole or not.
const AROUND: [&str; 14] = [
    "",
    "SELECT 'a' ",
    "it's ",
    "; ",
    " AND ",
    " OR 'x' = y ",
    "/* ' */ ",
    "-- it's\n",
    "$$ ' $$ ",
    "$x$ ",
    "\"n\" ",
    "E'\\'' ",
    "'a\\' ",
    "(",
];

/// Made once: they cost more than the work.
static EXPRESSIONS: LazyLock<Expressions> = LazyLock::new(|| Expressions::new().unwrap());

proptest! {
    #![proptest_config(Config { cases: 1000, failure_persistence: None, ..Config::default() })]

    #[test]
    fn a_secret_after_any_form_never_stays_whatever_stands_around_it(
        form in 0..FORMS.len(),
        before in proptest::collection::vec(0..AROUND.len(), 0..4),
        after in proptest::collection::vec(0..AROUND.len(), 0..4),
        kept in 0..200_usize,
    ) {
        let (open, close) = FORMS[form];
        let words = |of: Vec<usize>| of.into_iter().map(|i| AROUND[i]).collect::<String>();
        let text = format!("{}{open}zqsecretqz{close}{}", words(before), words(after));
        let out = EXPRESSIONS.redacted(&text);
        prop_assert!(!out.contains("zqsecretqz"), "{text} → {out}");
        prop_assert!(may_hold_one(&text), "{text}");
        // As it is where the server's, or our, most is reached.
        let short: String = text.chars().take(kept).collect();
        let out = EXPRESSIONS.redacted(&short);
        prop_assert!(!out.contains("zqs"), "{short} → {out}");
    }
}

#[test]
fn a_text_that_cannot_hold_one_is_kept_without_a_look_and_no_other() {
    for text in ["SELECT id FROM orders WHERE status = 'paid' LIMIT 1", "signal sent", "UPDATE été SET a = 'x'", ""] {
        assert!(!may_hold_one(text), "{text}");
        assert_eq!(Expressions::new().unwrap().redacted(text), text, "and nothing of it would be left out");
    }
    for text in ["ALTER ROLE a PASSWORD 'x'", "paSSwd=secret", "my_paſſword = 'x'", "postgres://u:x@db/shop"] {
        assert!(may_hold_one(text), "{text}");
        assert!(redacted(text).contains(LEFT_OUT), "{text}");
    }
}
