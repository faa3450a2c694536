//! What the question before a change of a setting says: now → new, in force and in the file; when it takes effect; how it is
//! undone; what to mind.

use crate::model::setting::{Entry, Files, Setting, Settings, catalogue, value};

use super::{Preview, Row, Scene};
use crate::guard::Write;

/// Roles and databases that are named; the rest are counted.
const NAMED: usize = 3;

/// Describes a change. It is always confirmed by the setting's name: it is for everybody on the server.
pub(super) fn of(write: &Write, scene: &Scene<'_>) -> Preview {
    let Write::Setting { name, shown, was, to, undoes, .. } = write else { return reload(scene) };
    let settings = scene.world.settings.get();
    let row = settings.and_then(|settings| settings.get(name));
    let after = after(row, to);
    let mut rows = vec![
        Row { label: "value", text: format!("{shown} → {after}") },
        Row { label: "file", text: format!("postgresql.auto.conf: {} → {}", was.shown(), to.shown()) },
        Row { label: "takes", text: takes(row, shown) },
        Row { label: "undo", text: undo(write, was) },
    ];
    if let (None, Some(known)) = (undoes, catalogue::known(name)) {
        rows.push(Row { label: "why", text: known.why.to_owned() });
    }
    Preview {
        title: if undoes.is_some() {
            format!("Set {name} back for the whole server?")
        } else {
            format!("Change {name} for the whole server?")
        },
        rows,
        listed: Vec::new(),
        warnings: warnings(name, (row, to), settings, scene),
        name: name.clone(),
    }
}

/// Describes reading the files again.
fn reload(scene: &Scene<'_>) -> Preview {
    let settings = scene.world.settings.get();
    let waiting: Vec<String> = settings
        .map(|settings| settings.waiting().iter().map(|(name, now, then)| format!("{name} {now} → {then}")).collect())
        .unwrap_or_default();
    let changes = match settings.map(|settings| &settings.files) {
        Some(Files::Read) if waiting.is_empty() => {
            "nothing of ALTER SYSTEM waits; what else was changed in the files since the last reload".to_owned()
        }
        Some(Files::Read) => format!("{}, and what else was changed in the files", waiting.join(", ")),
        Some(Files::Hidden { .. }) | None => "whatever was changed in the files: our role may not read them".to_owned(),
    };
    Preview {
        title: "Have the server read its configuration files again?".to_owned(),
        rows: vec![
            Row { label: "changes", text: changes },
            Row {
                label: "files",
                text: "postgresql.conf and what it includes, postgresql.auto.conf, pg_hba.conf, pg_ident.conf"
                    .to_owned(),
            },
            Row { label: "undo", text: "none: each change in the files is undone there".to_owned() },
        ],
        listed: Vec::new(),
        warnings: faults(settings),
        name: "reload".to_owned(),
    }
}

/// The value in force afterwards, as far as it can be told.
fn after(row: Option<&Setting>, to: &Entry) -> String {
    let Some(row) = row else { return to.shown() };
    match to {
        Entry::Text(text) => value::read(row, text.raw()).map_or_else(|_| text.head(80), |value| value.text),
        Entry::Absent | Entry::Unknown => {
            let boot = row.boot.as_ref().map_or_else(String::new, |boot| format!(", else {}", row.show(boot)));
            format!("what postgresql.conf says{boot}")
        }
    }
}

fn takes(row: Option<&Setting>, shown: &str) -> String {
    match row.map(|row| row.context.as_str()) {
        Some("postmaster") => format!("effect with the next restart; until then {shown} stays in force"),
        Some("backend" | "superuser-backend") => "effect in sessions that begin after the reload".to_owned(),
        Some(_) | None => "effect with the reload, in running sessions too".to_owned(),
    }
}

fn undo(write: &Write, was: &Entry) -> String {
    let Write::Setting { name, undoes, .. } = write else { return String::new() };
    let back = match was {
        Entry::Text(_) => {
            let mut back = write.clone();
            if let Write::Setting { to, .. } = &mut back {
                *to = was.clone();
            }
            back.statement().shown()
        }
        Entry::Absent => format!("ALTER SYSTEM RESET {name}"),
        Entry::Unknown => {
            return "what stands in postgresql.auto.conf is not known, so it could not be put back".to_owned();
        }
    };
    if undoes.is_some() { back } else { format!("{back}: offered by the settings list, also at the next start") }
}

fn warnings(
    name: &str,
    (row, to): (Option<&Setting>, &Entry),
    settings: Option<&Settings>,
    scene: &Scene<'_>,
) -> Vec<String> {
    let mut out = Vec::new();
    let known = catalogue::known(name);
    // Switching it off needs no warning of what it does when it is on.
    let off = to.text().is_none_or(|text| matches!(text.raw(), "-1" | "none"));
    let warned = known.and_then(|known| known.caution).filter(|_| !off);
    out.extend(warned.map(str::to_owned));
    let Some(row) = row else { return out };
    if matches!(row.source.as_str(), "command line" | "environment variable") {
        out.push(format!(
            "its value comes from the server's {}: what is written to the file does not count",
            row.source
        ));
    }
    if !row.overrides.is_empty() {
        let named: Vec<String> = row.overrides.iter().take(NAMED).map(crate::model::setting::Override::shown).collect();
        let more = row.overrides.len().saturating_sub(NAMED);
        let more = if more > 0 { format!(" and {more} more") } else { String::new() };
        out.push(format!("does not reach {}{more}", named.join(", ")));
    }
    if row.pending_restart {
        out.push("an earlier change of it still waits for a restart".to_owned());
    }
    if scene.world.server.get().is_some_and(|server| server.in_recovery) {
        out.push("this is a standby: the change is its own, its primary and other standbys keep theirs".to_owned());
    }
    let others: Vec<&str> = settings
        .map(Settings::waiting)
        .unwrap_or_default()
        .into_iter()
        .map(|(name, ..)| name)
        .filter(|other| *other != name)
        .collect();
    if !others.is_empty() {
        out.push(format!("the reload brings into force as well: {}", others.join(", ")));
    }
    out.extend(faults(settings));
    out
}

/// What is wrong in the files: a reload may then change less than it should, or nothing.
fn faults(settings: Option<&Settings>) -> Vec<String> {
    let first = settings.and_then(|settings| settings.errors.first());
    first
        .map(|error| format!("the files have a fault, so a reload may change nothing: {}", error.head(160)))
        .into_iter()
        .collect()
}

#[cfg(test)]
mod tests {
    use super::super::super::{Verdict, Wish, fixture, judge};
    use super::*;
    use crate::model::question::{Question, Snapshot};
    use crate::model::setting::Override;

    fn said(name: &str, typed: &str, change: impl FnOnce(&mut Setting)) -> String {
        let mut world = fixture::world(Vec::new());
        let mut known = fixture::settings();
        let at = known.rows.iter().position(|row| row.name == name).unwrap();
        change(&mut known.rows[at]);
        let row = known.rows[at].clone();
        fixture::take(&mut world, Question::Settings, Snapshot::Settings(Box::new(known)));
        let write = Write::setting(&row, &Wish::read(&row, typed).unwrap(), &fixture::server());
        let Verdict::Confirm(prompt) = judge(write, &fixture::scene(&world)) else { panic!("refused") };
        assert_eq!(*prompt.confirm(), crate::guard::Confirm::Type(name.to_owned()));
        let rows: Vec<String> = prompt.rows().iter().map(|row| format!("{} {}", row.label, row.text)).collect();
        format!("{}\n{}\n{}", prompt.title(), rows.join("\n"), prompt.warnings().join("\n"))
    }

    #[test]
    fn now_and_new_the_file_the_effect_and_the_way_back_are_shown() {
        let said = said("log_min_duration_statement", "500", |_| {});
        for words in [
            "Change log_min_duration_statement for the whole server?",
            "value -1 → 500ms",
            "file postgresql.auto.conf: no entry → '500ms'",
            "takes effect with the reload",
            "undo ALTER SYSTEM RESET log_min_duration_statement",
            "runs ALTER SYSTEM SET log_min_duration_statement = '500ms'",
            "personal data",
        ] {
            assert!(said.contains(words), "{words}: {said}");
        }
    }

    #[test]
    fn the_way_back_is_the_text_that_stood_there() {
        let said = said("work_mem", "default", |row| row.entry = Entry::Text("0.5GB".into()));
        assert!(said.contains("undo ALTER SYSTEM SET work_mem = '0.5GB'"), "{said}");
        assert!(said.contains("value 4MB → what postgresql.conf says, else 4MB"), "{said}");
    }

    #[test]
    fn what_will_not_take_effect_is_said_before() {
        let restart = said("max_connections", "200", |_| {});
        assert!(restart.contains("takes effect with the next restart; until then 100 stays in force"), "{restart}");
        let line = said("work_mem", "8MB", |row| row.source = "command line".to_owned());
        assert!(line.contains("the server's command line: what is written to the file does not count"), "{line}");
        let over = Override { role: Some("shop_api".into()), database: None, value: "64MB".into() };
        let over = said("work_mem", "8MB", |row| row.overrides = vec![over]);
        assert!(over.contains("does not reach role shop_api: 64MB"), "{over}");
    }

    #[test]
    fn query_logging_that_is_switched_off_needs_no_warning() {
        assert!(!said("log_min_duration_statement", "-1", |row| row.value = "0".to_owned()).contains("personal data"));
        assert!(said("log_statement", "all", |_| {}).contains("personal data"));
    }
}
