//! Settings of the incident's server, as the console would have read them.

use pgtriage::model::Snapshot;
use pgtriage::model::setting::{Entry, Files, Kind, Override, Setting, Settings};

fn row(name: &str, (value, unit): (&str, Option<&str>), kind: Kind, context: &str) -> Setting {
    Setting {
        name: name.to_owned(),
        value: value.to_owned(),
        unit: unit.map(str::to_owned),
        kind,
        context: context.to_owned(),
        source: "default".to_owned(),
        file: None,
        boot: Some(value.to_owned()),
        min: (kind == Kind::Integer).then(|| "-1".to_owned()),
        max: (kind == Kind::Integer).then(|| "2147483647".to_owned()),
        words: if kind == Kind::Enum { ["none", "ddl", "mod", "all"].map(str::to_owned).to_vec() } else { Vec::new() },
        pending_restart: false,
        may_alter: true,
        entry: Entry::Absent,
        exact: true,
        error: None,
        overrides: Vec::new(),
    }
}

fn settings() -> Settings {
    let mut workers = row("autovacuum_max_workers", ("3", None), Kind::Integer, "postmaster");
    (workers.pending_restart, workers.entry) = (true, Entry::Text("6".into()));
    let mut timeout = row("statement_timeout", ("0", Some("ms")), Kind::Integer, "user");
    timeout.source = String::from("session");
    timeout.overrides = vec![Override { role: Some("shop_api".into()), database: None, value: "30s".into() }];
    let mut naptime = row("autovacuum_naptime", ("15", Some("s")), Kind::Integer, "sighup");
    naptime.source = String::from("configuration file");
    naptime.file = Some("/etc/postgresql/15/main/postgresql.conf".into());
    Settings {
        rows: vec![
            workers,
            naptime,
            row("log_lock_waits", ("off", None), Kind::Bool, "superuser"),
            row("log_min_duration_statement", ("-1", Some("ms")), Kind::Integer, "superuser"),
            row("log_statement", ("none", None), Kind::Enum, "superuser"),
            row("max_connections", ("100", None), Kind::Integer, "postmaster"),
            timeout,
            row("work_mem", ("4096", Some("kB")), Kind::Integer, "user"),
        ],
        files: Files::Read,
        errors: Vec::new(),
        may_reload: true,
        alter_off: false,
        managed: None,
    }
}

/// Settings by a role that may change them; one waits for a restart, one is overridden.
pub fn known() -> Snapshot {
    Snapshot::Settings(Box::new(settings()))
}

/// The same with one that `ALTER SYSTEM` set: its value in its unit, its text in the file.
pub fn with(name: &str, value: &str, text: &str) -> Snapshot {
    let mut settings = settings();
    for row in settings.rows.iter_mut().filter(|row| row.name == name) {
        row.value = String::from(value);
        row.entry = Entry::Text(text.into());
        row.source = String::from("configuration file");
        row.file = Some("/var/lib/postgresql/15/main/postgresql.auto.conf".into());
    }
    Snapshot::Settings(Box::new(settings))
}

/// The same on a standby that `pg_basebackup -R` made: with a password in its `primary_conninfo`.
pub fn of_a_standby(password: &str) -> Snapshot {
    let mut settings = settings();
    let value = format!("user=rep password={password} host=db0");
    let mut conninfo = row("primary_conninfo", (&value, None), Kind::Text, "sighup");
    conninfo.source = String::from("configuration file");
    conninfo.entry = Entry::Text(value.as_str().into());
    settings.rows.push(conninfo);
    Snapshot::Settings(Box::new(settings))
}

/// The same by a role that may change none of them.
pub fn not_ours() -> Snapshot {
    let mut settings = settings();
    settings.rows.iter_mut().for_each(|row| row.may_alter = false);
    Snapshot::Settings(Box::new(settings))
}
