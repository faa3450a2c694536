//! Settings that may hold a secret: `pg_basebackup -R` writes a password into `primary_conninfo`, an archive command may
//! carry a key.
//!
//! It judges by a setting's name and by what its value looks like, and rather hides too much. What is offered to be changed
//! is a number or a word, and no secret: nothing of ours that could be undone is hidden.

/// What stands in place of such a value.
pub const HIDDEN: &str = "hidden: may hold a secret";

/// Parts of the names of settings whose value is one, or holds one.
const NAMES: [&str; 9] =
    ["conninfo", "password", "passwd", "passphrase", "secret", "token", "credential", "access_key", "api_key"];

/// Parts of values that hold one.
const VALUES: [&str; 11] = [
    "password",
    "passfile",
    "pgpass",
    "passwd",
    "passphrase",
    "pwd=",
    "secret",
    "token",
    "access_key",
    "api_key",
    "apikey",
];

/// The value, or what stands in its place.
#[must_use]
pub fn masked(name: &str, value: &str) -> String {
    if may_hold_one(name, value) { HIDDEN.to_owned() } else { value.to_owned() }
}

/// True where the value of that setting may hold a secret; an empty one holds none.
#[must_use]
pub fn may_hold_one(name: &str, value: &str) -> bool {
    let (name, lower) = (name.to_lowercase(), value.to_lowercase());
    let named = name.ends_with("key") || NAMES.iter().any(|part| name.contains(part));
    // postgres://user:x@db
    let has_user =
        |rest: &str| rest.split(|c: char| c.is_whitespace() || c == '\'').next().is_some_and(|to| to.contains('@'));
    let holds = VALUES.iter().any(|part| lower.contains(part)) || value.split("://").skip(1).any(has_user);
    !value.is_empty() && (named || holds)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_secret_is_known_by_its_settings_name_or_by_its_look() {
        for (name, value) in [
            ("primary_conninfo", "host=db1 user=rep"),
            ("primary_conninfo", "user=rep password='hunter2'"),
            ("ssl_passphrase_command", "echo hunter2"),
            ("app.api_key", "hunter2"),
            ("vault.key", "hunter2"),
            ("archive_command", "AWS_SECRET_ACCESS_KEY=hunter2 wal-g wal-push %p"),
            ("restore_command", "curl https://u:hunter2@store/%f"),
            ("recovery_end_command", "psql 'passfile=/root/.pgpass'"),
            ("app.dsn", "Host=db;Pwd=hunter2"),
        ] {
            assert_eq!(masked(name, value), HIDDEN, "{name} {value}");
        }
    }

    #[test]
    fn what_holds_none_is_shown() {
        for (name, value) in [
            ("primary_conninfo", ""),
            ("work_mem", "64MB"),
            ("archive_command", "cp %p /archive/%f"),
            ("ssl_key_file", "/etc/ssl/private/db.key"),
            ("restore_command", "curl https://store/%f"),
        ] {
            assert_eq!(masked(name, value), value, "{name}");
        }
        let known = super::super::catalogue::KNOWN;
        assert!(!known.iter().any(|known| may_hold_one(known.name, "64MB")), "what can be undone is never hidden");
    }
}
