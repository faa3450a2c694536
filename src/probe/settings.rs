//! The server's settings: `pg_settings`, what the configuration files hold where they may be read, and for whom a role's or
//! a database's own value goes before.
//!
//! It only reads; the files are parsed by the server, which alone knows what it would make of them.

use crate::model::setting::{Entry, Files, Kind, Override, Setting, Settings, catalogue};
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
    setting.entry = told(&setting);
    Ok(setting)
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
            setting.entry = Entry::Text(row.plain("setting")?.unwrap_or_default());
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
        let over = Override { role: row.shown("role")?, database: row.shown("database")?, value };
        if let Some(setting) = settings.rows.iter_mut().find(|setting| setting.name == name) {
            setting.overrides.push(over);
        }
    }
    Ok(())
}
