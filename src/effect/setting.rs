//! `ALTER SYSTEM` of one setting and `pg_reload_conf`, and the look at what they came to.
//!
//! The server says whether the setting is still what was asked about and writes the statement; it is sent only if it is the
//! very text that the question showed. What is told afterwards was read in `pg_settings`. Nothing here is tried again.

use std::time::Duration;

use tokio::time::Instant;

use crate::guard::{Statement, Write, alter_cure, files_cure, reload_cure};
use crate::message::Outcome;
use crate::model::ServerText;
use crate::model::setting::Entry;
use crate::model::setting::value::{Kind, shown as value_shown};
use crate::postgres::{AskError, Link, Row};

use super::cancel::{OTHER_SERVER, failed, shown, words};
use super::session::{ask, cell};

/// How long each statement may take: `ALTER SYSTEM` writes and flushes a file of some lines.
const DEADLINE: Duration = Duration::from_secs(5);

/// How long the server has to read its files again. The postmaster does within milliseconds, and our session before its
/// next statement.
const RELOADED: Duration = Duration::from_secs(3);

/// Between two looks.
const AGAIN: Duration = Duration::from_millis(50);

/// Changes the setting, has the files read again, and says what is in force then.
pub(super) async fn send(link: &mut Link, write: &Write) -> (Outcome, Vec<String>) {
    let Write::Setting { name, .. } = write else { return nothing(Outcome::NotSent("not a setting".to_owned())) };
    let Some(check) = write.check() else { return nothing(Outcome::NotSent("nothing to check".to_owned())) };
    let asked = match ask(link, &check, DEADLINE).await {
        Ok(rows) => checked(rows.first(), write).map(|asked| (asked, cell(rows.first(), "may_reload") == Some("true"))),
        // It asks for nothing but what the file says that our role could read when the question was asked.
        Err(error) if error.is_privilege() => {
            let message = format!("the setting could not be checked: {}", shown(&words(&error)));
            Err(Outcome::Denied { message, cure: files_cure(&role(link).await.0) })
        }
        Err(error) => Err(Outcome::NotSent(format!("the setting could not be checked: {}", shown(&words(&error))))),
    };
    let asked = match asked {
        Ok((asked, true)) => asked,
        Ok((_, false)) => {
            let message = "our role may not have the files read again; nothing was sent".to_owned();
            return nothing(Outcome::Denied { message, cure: reload_cure(&role(link).await.0) });
        }
        Err(outcome) => return nothing(outcome),
    };
    let mut notices = match ask(link, &write.statement(), DEADLINE).await {
        Ok(rows) => rows.notices.iter().map(ToString::to_string).collect::<Vec<_>>(),
        Err(error) if error.is_privilege() => {
            let (role, version, managed) = role(link).await;
            let cure = alter_cure(name, &role, version, managed.as_deref());
            return nothing(Outcome::Denied { message: shown(&words(&error)), cure });
        }
        Err(error) => return nothing(not_altered(&error)),
    };
    let reload = Statement { sql: "SELECT pg_catalog.pg_reload_conf()".to_owned(), parameters: Vec::new() };
    match ask(link, &reload, DEADLINE).await {
        Ok(rows) => notices.extend(rows.notices.iter().map(ToString::to_string)),
        Err(error) => {
            let why = shown(&words(&error));
            let read = match error {
                AskError::Server(_) | AskError::Busy => "the files are not read again",
                // The request may have arrived, and the answer not.
                AskError::Lost { .. } | AskError::Deadline { .. } | AskError::Shape(_) => {
                    "whether the files were read again is not known"
                }
            };
            return (Outcome::Written(format!("written, but {read}: {why}")), notices);
        }
    }
    (in_force(link, write, &asked).await, notices)
}

/// Has the files read again, and says whether they were.
pub(super) async fn reload(link: &mut Link, write: &Write) -> (Outcome, Vec<String>) {
    let asked = match ask(link, &write.statement(), DEADLINE).await {
        Ok(rows) if cell(rows.first(), "reloaded") == Some("true") => {
            cell(rows.first(), "asked").unwrap_or_default().to_owned()
        }
        Ok(rows) if cell(rows.first(), "reloaded").is_some() => {
            return nothing(Outcome::Refused("the postmaster could not be told".to_owned()));
        }
        Ok(_) => return nothing(Outcome::Changed(OTHER_SERVER.to_owned())),
        Err(error) if error.is_privilege() => {
            let cure = reload_cure(&role(link).await.0);
            return nothing(Outcome::Denied { message: shown(&words(&error)), cure });
        }
        Err(error) => return nothing(failed(&error)),
    };
    let until = Instant::now() + RELOADED;
    let sql = include_str!("sql/files_after.sql");
    let plain: String =
        sql.lines().filter(|line| !line.ends_with("--[files]")).fold(String::new(), |t, l| t + l + "\n");
    loop {
        let statement = Statement { sql: plain.clone(), parameters: vec![Some(asked.clone())] };
        match ask(link, &statement, DEADLINE).await {
            Ok(rows) if cell(rows.first(), "loaded") == Some("true") => break,
            Ok(_) if Instant::now() < until => tokio::time::sleep(AGAIN).await,
            Ok(_) => {
                let faults = faults(link, &asked).await.map_or_else(String::new, |faults| format!(": {faults}"));
                let seconds = RELOADED.as_secs();
                return nothing(Outcome::Written(format!(
                    "told, but the files were not taken within {seconds} s{faults}"
                )));
            }
            Err(error) => {
                let why = shown(&words(&error));
                return nothing(Outcome::Unknown(format!("told to; whether it did could not be asked: {why}")));
            }
        }
    }
    nothing(match faults(link, &asked).await {
        Some(faults) => Outcome::Written(format!("the files were read again, but have faults: {faults}")),
        None => Outcome::Done("the files were read again".to_owned()),
    })
}

fn nothing(outcome: Outcome) -> (Outcome, Vec<String>) {
    (outcome, Vec::new())
}

/// Reads the one row of `setting.sql`; the server's time before the change, if it may be sent.
fn checked(row: Option<Row<'_>>, write: &Write) -> Result<String, Outcome> {
    let Write::Setting { now, was, exact, .. } = write else { return Err(Outcome::Gone) };
    if cell(row, "same_server") != Some("true") {
        return Err(Outcome::Changed(OTHER_SERVER.to_owned()));
    }
    let Some(value) = cell(row, "value") else { return Err(Outcome::Gone) };
    if value != now {
        let value = with_unit(row, value);
        return Err(Outcome::Changed(format!("somebody changed it: {value} is in force; nothing was sent")));
    }
    let entry = if *exact { cell(row, "entry") } else { cell(row, "was") };
    if entry != was.text().map(ServerText::raw) {
        let entry = entry.map_or(Entry::Absent, |text| Entry::Text(text.into())).shown();
        return Err(Outcome::Changed(format!("somebody changed postgresql.auto.conf: {entry}; nothing was sent")));
    }
    match cell(row, "statement") {
        Some(sql) if sql == write.statement().sql => Ok(cell(row, "asked").unwrap_or_default().to_owned()),
        Some(_) | None => Err(Outcome::Changed("the server writes another statement; nothing was sent".to_owned())),
    }
}

/// What a failed `ALTER SYSTEM` means. It changes the file by renaming a new one over it: there is no half of it.
fn not_altered(error: &AskError) -> Outcome {
    match error {
        AskError::Server(server) if server.sqlstate == "0A000" => {
            Outcome::Refused(format!("{}: its configuration is managed elsewhere", shown(&server.message)))
        }
        AskError::Server(_)
        | AskError::Lost { .. }
        | AskError::Deadline { .. }
        | AskError::Busy
        | AskError::Shape(_) => failed(error),
    }
}

/// Looks until the server has read its files again, and says what that came to.
async fn in_force(link: &mut Link, write: &Write, asked: &str) -> Outcome {
    let Write::Setting { name, shown: before, .. } = write else { return Outcome::Gone };
    let until = Instant::now() + RELOADED;
    let sql = include_str!("sql/setting_after.sql").to_owned();
    loop {
        let parameters = vec![Some(name.clone()), Some(asked.to_owned())];
        match ask(link, &Statement { sql: sql.clone(), parameters }, DEADLINE).await {
            Ok(rows) if cell(rows.first(), "loaded") == Some("true") => return outcome(rows.first(), write),
            Ok(_) if Instant::now() < until => tokio::time::sleep(AGAIN).await,
            Ok(_) => {
                let faults = faults(link, asked).await.map_or_else(String::new, |faults| format!(": {faults}"));
                let seconds = RELOADED.as_secs();
                return Outcome::Written(format!(
                    "written, but the server did not take its files within {seconds} s{faults}; {before} stays in force"
                ));
            }
            Err(error) => {
                let why = shown(&words(&error));
                return Outcome::Written(format!("written; whether it is in force could not be asked: {why}"));
            }
        }
    }
}

/// Reads the one row of `setting_after.sql`.
fn outcome(row: Option<Row<'_>>, write: &Write) -> Outcome {
    let Write::Setting { shown: before, to, expect, .. } = write else { return Outcome::Gone };
    let value = cell(row, "value").unwrap_or_default();
    let now = with_unit(row, value);
    let source = cell(row, "source").unwrap_or_default();
    let count = |column| cell(row, column).and_then(|count| count.parse::<u32>().ok()).unwrap_or_default();
    let own = match source {
        "command line" => Some("by the server's command line"),
        "environment variable" => Some("by the server's environment"),
        "database" => Some("for our database by ALTER DATABASE … SET"),
        "user" => Some("for our role by ALTER ROLE … SET"),
        "database user" => Some("for our role in our database by ALTER ROLE … IN DATABASE … SET"),
        // Our session sets this one for itself, which hides where the value below comes from.
        "session" if count("ours") > 0 => Some("for our role or database by ALTER ROLE or ALTER DATABASE … SET"),
        _ => None,
    };
    if cell(row, "waits") == Some("true") {
        return Outcome::Written(format!(
            "written; needs a restart (pending_restart), until then {before} stays in force"
        ));
    }
    if let Some(own) = own {
        return Outcome::Written(format!("written, but overridden {own}: {now} is in force there"));
    }
    match (expect, to) {
        (Some(expect), _) if expect != value => {
            Outcome::Written(format!("written, but {now} is in force (source {})", shown(source)))
        }
        (_, Entry::Text(_)) => Outcome::Done(format!("in force: {now}{}", not_for(count("others")))),
        (_, Entry::Absent | Entry::Unknown) => {
            Outcome::Done(format!("in force: {now}, from {}{}", from(row, source), not_for(count("others"))))
        }
    }
}

/// Whom the server's value does not reach.
fn not_for(others: u32) -> String {
    match others {
        0 => String::new(),
        1 => ", but for one role or database with a value of its own".to_owned(),
        others => format!(", but for {others} roles or databases with values of their own"),
    }
}

/// Where a value without an entry comes from.
fn from(row: Option<Row<'_>>, source: &str) -> String {
    match (source, cell(row, "sourcefile")) {
        ("configuration file", Some(file)) => shown(file),
        ("default", _) => "the built-in default".to_owned(),
        (source, _) => shown(source),
    }
}

/// A value as the server shows it.
fn with_unit(row: Option<Row<'_>>, value: &str) -> String {
    let kind = Kind::of(cell(row, "vartype").unwrap_or_default());
    shown(&value_shown(value, kind, cell(row, "unit")))
}

/// What is wrong in the files; none where nothing is, or our role may not know.
async fn faults(link: &mut Link, asked: &str) -> Option<String> {
    let sql = include_str!("sql/files_after.sql").replace("--[files]", "");
    let rows = ask(link, &Statement { sql, parameters: vec![Some(asked.to_owned())] }, DEADLINE).await.ok()?;
    cell(rows.first(), "errors").map(shown)
}

/// Our role, the server's version, and the role that only a managed service has.
async fn role(link: &mut Link) -> (ServerText, i32, Option<String>) {
    let sql = include_str!("sql/setting_rights.sql").to_owned();
    let rows = ask(link, &Statement { sql, parameters: Vec::new() }, DEADLINE).await.unwrap_or_default();
    let text = |column| cell(rows.first(), column);
    let version = text("version").and_then(|version| version.parse().ok()).unwrap_or_default();
    (text("role").unwrap_or("our_role").into(), version, text("managed").map(str::to_owned))
}
