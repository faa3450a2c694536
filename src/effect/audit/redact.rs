//! Passwords in a text that is kept: what stands where SQL, connection strings and addresses have one is left out.
//!
//! It leaves out too much rather than too little, and knows no other secret: a key in an `INSERT` stays.

use regex::Regex;

/// What stands in place of what was left out.
const LEFT_OUT: &str = "…";

/// The expressions and what each leaves of its match. A literal that was cut off ends with the text. A backslash always
/// takes the next character along, as in an `E''` literal.
const RULES: [(&str, &str); 6] = [
    // Within a literal, where quotation marks are doubled: dblink('password=''x'' user=u').
    (r"(?i)(\w*password\s*=\s*)''[^']*''", "${1}…"),
    // PASSWORD 'x', password = 'x', PASSWORD E'x', OPTIONS ("password" 'x').
    (r#"(?is)(\w*password\b(?:[\s=:"]|/\*.*?\*/|--[^\n]*\n)+)(?:e|u&|n)?'(?:[^'\\]|\\.|'')*(?:'|\\?\z)"#, "${1}'…'"),
    // PASSWORD'x', which is SQL as well; but 'PASSWORD' is only a word.
    (r"(?is)((?:^|[^\w'])password)'(?:[^'\\]|\\.|'')*(?:'|\\?\z)", "${1}'…'"),
    // PASSWORD $$x$$, with or without a tag.
    (r"(?is)(\w*password\b(?:[\s=]|/\*.*?\*/|--[^\n]*\n)*)(\$\w*\$).*?(?:\$\w*\$|\z)", "${1}${2}…${2}"),
    // host=db password=x
    (r#"(?i)(\w*password\s*=\s*)[^\s'"$)…][^\s'")]*"#, "${1}…"),
    // postgres://user:x@db
    (r#"(://[^\s:/@'"]*:)[^\s@'"]+(@|\z)"#, "${1}…${2}"),
];

/// The text without passwords.
pub(super) fn redacted(text: &str) -> String {
    let mut out = text.to_owned();
    for (expression, kept) in RULES {
        // Each is one: a test uses them all. Without it nothing may be kept.
        let Ok(expression) = Regex::new(expression) else { return LEFT_OUT.to_owned() };
        out = expression.replace_all(&out, kept).into_owned();
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_password_is_left_out_wherever_one_stands() {
        let table = [
            ("ALTER ROLE app PASSWORD 'hunter2'", "ALTER ROLE app PASSWORD '…'"),
            (
                "alter role app\n password\t'hunter2' valid until 'infinity'",
                "alter role app\n password\t'…' valid until 'infinity'",
            ),
            ("CREATE USER u ENCRYPTED PASSWORD E'hun\\'ter2' LOGIN", "CREATE USER u ENCRYPTED PASSWORD '…' LOGIN"),
            ("CREATE USER u PASSWORD 'hun''ter2';", "CREATE USER u PASSWORD '…';"),
            ("CREATE USER u PASSWORD /* no ' */ 'hunter2';", "CREATE USER u PASSWORD /* no ' */ '…';"),
            ("CREATE USER u PASSWORD -- it's\n 'hunter2'", "CREATE USER u PASSWORD -- it's\n '…'"),
            ("CREATE USER u PASSWORD $$hunter2$$ LOGIN", "CREATE USER u PASSWORD $$…$$ LOGIN"),
            ("CREATE USER u PASSWORD $x$hunter2$x$", "CREATE USER u PASSWORD $x$…$x$"),
            ("CREATE USER u PASSWORD U&'hunter2'", "CREATE USER u PASSWORD '…'"),
            ("ALTER ROLE app PASSWORD 'hunt", "ALTER ROLE app PASSWORD '…'"),
            ("ALTER ROLE app PASSWORD $$hunt", "ALTER ROLE app PASSWORD $$…$$"),
            (
                "CREATE USER MAPPING FOR u SERVER s OPTIONS (user 'u', password 'hunter2')",
                "CREATE USER MAPPING FOR u SERVER s OPTIONS (user 'u', password '…')",
            ),
            (
                "SELECT dblink_connect('host=db password=hunter2 user=u')",
                "SELECT dblink_connect('host=db password=… user=u')",
            ),
            (
                "CREATE SUBSCRIPTION s CONNECTION 'host=db password=hunter2' PUBLICATION p",
                "CREATE SUBSCRIPTION s CONNECTION 'host=db password=…' PUBLICATION p",
            ),
            ("SELECT dblink('postgres://u:hunter2@db/shop', 'q')", "SELECT dblink('postgres://u:…@db/shop', 'q')"),
            ("ALTER ROLE app PASSWORD'hunter2'", "ALTER ROLE app PASSWORD'…'"),
            (r#"OPTIONS ("password" 'hunter2')"#, r#"OPTIONS ("password" '…')"#),
            ("SELECT dblink('password=''hunter2'' user=u')", "SELECT dblink('password=… user=u')"),
            ("SET x.sslpassword = 'hunter2'", "SET x.sslpassword = '…'"),
            ("PASSWORD 'hunter2' PASSWORD 'hunter2'", "PASSWORD '…' PASSWORD '…'"),
        ];
        for (text, expected) in table {
            assert_eq!(redacted(text), expected);
            assert!(!redacted(text).contains("hunt"), "{text}");
        }
    }

    #[test]
    fn what_is_no_password_stays_as_it_is() {
        for text in [
            "SELECT 'PASSWORD' FROM t WHERE a = 'b'",
            "SET password_encryption = 'scram-sha-256'",
            "ALTER ROLE app PASSWORD NULL",
            "ALTER ROLE app PASSWORD $1",
            "SELECT passwords, total FROM orders WHERE note = 'x'",
            "SELECT 'http://host:80/path', 'a@b'",
            "",
        ] {
            assert_eq!(redacted(text), text);
        }
    }
}
