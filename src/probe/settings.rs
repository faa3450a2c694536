//! The server's settings: `pg_settings`, what the configuration files hold where they may be read, and for whom a role's or
//! a database's own value goes before.
//!
//! It only reads; the files are parsed by the server, which alone knows what it would make of them.

use crate::model::setting::{Entry, Files, Kind, Override, Setting, Settings, catalogue, secret};
use crate::model::{ProbeError, ServerText};
use crate::postgres::Rows;

use super::row::{Row, first, rows_of};
use super::seat::{Seat, optional};
use super::sql::{self, Value, identifier};

/// What the server says of a line with a wrong value, in no language but this, and of one that only waits for a restart.
const NOT_APPLIED: &str = "setting could not be applied";

/// Asks for the settings of the catalogue.
///
/// # Errors
/// See [`ProbeError`]. Files and overrides that cannot be read are no error: what is not known is said.
pub async fn ask(seat: &mut Seat) -> Result<Settings, ProbeError> {
    let names = catalogue::names();
    let values = [("names", Value::Text(&names))];
    let rows = seat.ask(sql::SETTINGS, &values).await?;
    let mut settings = read(&rows)?;
    if settings.files == Files::Read {
        let files = optional(seat.ask(sql::SETTINGS_FILES, &[]).await)?;
        match &files {
            Some(files) => read_files(&mut settings, files)?,
            None => settings.files = hidden(&rows)?,
        }
    }
    if let Some(overrides) = optional(seat.ask(sql::SETTINGS_OVERRIDES, &values).await)? {
        read_overrides(&mut settings, &overrides)?;
    }
    Ok(settings)
}

/// Reads the answer to `settings.sql`; entries are told from where the values in force come from.
///
/// # Errors
/// [`ProbeError::Shape`] where a column is missing or unreadable.
pub fn read(rows: &Rows) -> Result<Settings, ProbeError> {
    let row = first(rows)?;
    let files = if row.flag("may_read_files")? { Files::Read } else { hidden(rows)? };
    let (may_reload, alter_off) = (row.flag("may_reload")?, row.flag("alter_off")?);
    let managed = row.string("managed")?;
    let rows = rows_of(rows).map(|row| setting(&row)).collect::<Result<Vec<_>, _>>()?;
    Ok(Settings { rows, files, errors: Vec::new(), may_reload, alter_off, managed })
}

fn hidden(rows: &Rows) -> Result<Files, ProbeError> {
    let user = first(rows)?.shown("user")?.unwrap_or_default();
    let role = identifier(user.raw()).unwrap_or_default();
    Ok(Files::Hidden {
        cure: format!(
            "GRANT SELECT ON pg_file_settings TO {role}; GRANT EXECUTE ON FUNCTION pg_show_all_file_settings() TO {role}"
        ),
    })
}

fn setting(row: &Row<'_>) -> Result<Setting, ProbeError> {
    let text = |column| row.string(column).map(Option::unwrap_or_default);
    let mut setting = Setting {
        name: text("name")?,
        value: text("value")?,
        unit: row.string("unit")?,
        kind: Kind::of(&text("vartype")?),
        context: text("context")?,
        source: text("source")?,
        file: row.plain("sourcefile")?,
        boot: row.string("boot_val")?,
        min: row.string("min_val")?,
        max: row.string("max_val")?,
        words: text("words")?.split(',').filter(|word| !word.is_empty()).map(str::to_owned).collect(),
        pending_restart: row.flag("pending_restart")?,
        may_alter: row.flag("may_alter")?,
        entry: Entry::Unknown,
        exact: false,
        error: None,
        overrides: Vec::new(),
    };
    setting.value = masked(&setting, &setting.value);
    setting.entry = told(&setting);
    Ok(setting)
}

/// What may hold a secret goes no further than here: not to the screen, a tape or a log.
fn masked(setting: &Setting, value: &str) -> String {
    if setting.kind == Kind::Text { secret::masked(&setting.name, value) } else { value.to_owned() }
}

/// What the value in force tells of the entry. `postgresql.auto.conf` is read last: where another file's line, or none, is
/// in force, it holds none.
fn told(setting: &Setting) -> Entry {
    if setting.pending_restart {
        return Entry::Unknown;
    }
    match (setting.source.as_str(), &setting.file) {
        ("configuration file", Some(_)) if setting.is_from_auto() => Entry::Text(ServerText::new(setting.shown())),
        ("configuration file", Some(_)) | ("default", _) => Entry::Absent,
        _ => Entry::Unknown,
    }
}

/// Reads the answer to `settings_files.sql` into the settings.
///
/// # Errors
/// [`ProbeError::Shape`] where a column is missing or unreadable.
pub fn read_files(settings: &mut Settings, files: &Rows) -> Result<(), ProbeError> {
    for setting in &mut settings.rows {
        (setting.entry, setting.exact) = (Entry::Absent, true);
    }
    for row in rows_of(files) {
        let name = row.string("name")?.unwrap_or_default();
        let setting = settings.rows.iter_mut().find(|setting| setting.name == name);
        let waits = setting.as_ref().is_some_and(|setting| setting.pending_restart);
        let error = row.plain("error")?.filter(|error| !(waits && error.raw() == NOT_APPLIED));
        if let Some(error) = &error {
            let file = row.plain("sourcefile")?.unwrap_or_default();
            let line = row.string("sourceline")?.unwrap_or_default();
            settings.errors.push(ServerText::new(format!("{} line {line}: {name}: {}", file.raw(), error.raw())));
        }
        let Some(setting) = setting else { continue };
        if row.flag("auto")? {
            let text = row.plain("setting")?.unwrap_or_default();
            setting.entry = Entry::Text(ServerText::new(masked(setting, text.raw())));
        }
        setting.error = error;
    }
    Ok(())
}

/// Reads the answer to `settings_overrides.sql` into the settings.
///
/// # Errors
/// [`ProbeError::Shape`] where a column is missing or unreadable.
pub fn read_overrides(settings: &mut Settings, overrides: &Rows) -> Result<(), ProbeError> {
    for row in rows_of(overrides) {
        let name = row.string("name")?.unwrap_or_default();
        let value = row.shown("value")?.unwrap_or_default();
        let (role, database) = (row.shown("role")?, row.shown("database")?);
        if let Some(setting) = settings.rows.iter_mut().find(|setting| setting.name == name) {
            let value = ServerText::new(masked(setting, value.raw()));
            setting.overrides.push(Override { role, database, value });
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_password_in_a_setting_goes_no_further_than_the_probe() {
        let value = "user=rep password=hunter2 host=db0";
        let of = |name: &'static str, value: &'static str, vartype: &'static str| {
            [
                ("name", Some(name)),
                ("value", Some(value)),
                ("unit", None),
                ("vartype", Some(vartype)),
                ("context", Some("sighup")),
                ("source", Some("configuration file")),
                ("sourcefile", Some("/data/postgresql.auto.conf")),
                ("boot_val", Some("")),
                ("min_val", None),
                ("max_val", None),
                ("words", None),
                ("pending_restart", Some("f")),
                ("may_alter", Some("t")),
                ("may_reload", Some("t")),
                ("may_read_files", Some("t")),
                ("alter_off", Some("f")),
                ("managed", None),
                ("user", Some("oncall")),
            ]
        };
        let rows = [of("primary_conninfo", value, "string"), of("log_statement", "ddl", "enum")];
        let columns = rows[0].map(|(column, _)| column);
        let cells = rows.map(|row| row.map(|(_, cell)| cell));
        let mut settings = read(&Rows::made_up(&columns, &[&cells[0], &cells[1]])).unwrap();
        let told = |settings: &Settings| format!("{settings:?}");
        assert!(!told(&settings).contains("hunter2"), "{settings:?}");
        let columns = ["name", "setting", "error", "sourcefile", "sourceline", "auto"];
        let line =
            |name, setting| [Some(name), Some(setting), None, Some("/data/postgresql.auto.conf"), Some("3"), Some("t")];
        let (conninfo, logged) = (line("primary_conninfo", value), line("log_statement", "ddl"));
        read_files(&mut settings, &Rows::made_up(&columns, &[&conninfo, &logged])).unwrap();
        let over = [Some("primary_conninfo"), Some(value), None, None];
        read_overrides(&mut settings, &Rows::made_up(&["name", "value", "database", "role"], &[&over])).unwrap();
        assert!(!told(&settings).contains("hunter2"), "{settings:?}");
        let hidden = settings.get("primary_conninfo").unwrap();
        assert_eq!((hidden.shown().as_str(), hidden.overrides.len()), (secret::HIDDEN, 1));
        let kept = settings.get("log_statement").unwrap();
        assert_eq!(
            (kept.value.as_str(), &kept.entry),
            ("ddl", &Entry::Text("ddl".into())),
            "to be put back to the letter"
        );
    }
}
