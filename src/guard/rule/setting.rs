//! The rules for changing a setting and for having the files read again.

use crate::model::setting::{Entry, Setting, Settings, catalogue, value};

use super::super::{Refusal, Write, alter_cure, reload_cure};
use super::Case;

/// What concerns settings only is known where they are.
fn settings<'a>(case: &Case<'a>) -> Option<&'a Settings> {
    match case.write {
        Write::Setting { .. } | Write::Reload { .. } => case.scene.world.settings.get(),
        Write::Cancel { .. }
        | Write::Terminate { .. }
        | Write::Bulk(_)
        | Write::Maintain { .. }
        | Write::ExpireCache { .. } => None,
    }
}

/// The setting to be changed, as it is in the newest list.
fn row<'a>(case: &Case<'a>) -> Option<&'a Setting> {
    let Write::Setting { name, .. } = case.write else { return None };
    settings(case)?.get(name)
}

/// What is not in the catalogue, or is a text on this server, is not changed from here: a list has quoting of its own, and
/// what risks data is nobody's remedy at night.
pub(super) fn not_offered(case: &Case<'_>) -> Option<Refusal> {
    let Write::Setting { name, .. } = case.write else { return None };
    let is_other = row(case).is_some_and(|row| !row.is_offered());
    (catalogue::known(name).is_none() || is_other).then(|| Refusal::SettingNotOffered { name: name.clone() })
}

/// Nobody changes what nobody has seen.
pub(super) fn unseen(case: &Case<'_>) -> Option<Refusal> {
    let Write::Setting { name, .. } = case.write else { return None };
    row(case).is_none().then(|| Refusal::SettingUnknown { name: name.clone() })
}

/// Behind a pooler each statement may go to another backend, and where it has several hosts to another server: then the
/// server that checked is not the one that is changed. A reload checks and acts in one statement.
pub(super) fn pooled(case: &Case<'_>) -> Option<Refusal> {
    let Write::Setting { .. } = case.write else { return None };
    case.link()?.pooled.then_some(Refusal::SettingPooled)
}

/// `allow_alter_system` off: the configuration is managed elsewhere, and what is written here would be lost there.
pub(super) fn alter_off(case: &Case<'_>) -> Option<Refusal> {
    let Write::Setting { .. } = case.write else { return None };
    settings(case)?.alter_off.then_some(Refusal::AlterSystemOff)
}

/// The server would refuse it as well; here the missing right is told before anything is typed.
pub(super) fn not_permitted(case: &Case<'_>) -> Option<Refusal> {
    let (settings, server) = (settings(case)?, case.server()?);
    match case.write {
        Write::Setting { name, .. } if !row(case)?.may_alter => Some(Refusal::MayNotAlter {
            name: name.clone(),
            cure: alter_cure(name, &server.user, server.version_num, settings.managed.as_deref()),
        }),
        Write::Setting { .. } | Write::Reload { .. } if !settings.may_reload => {
            Some(Refusal::MayNotReload { cure: reload_cure(&server.user) })
        }
        Write::Setting { .. }
        | Write::Reload { .. }
        | Write::Cancel { .. }
        | Write::Terminate { .. }
        | Write::Bulk(_)
        | Write::Maintain { .. }
        | Write::ExpireCache { .. } => None,
    }
}

/// Somebody changed it since it was asked about.
pub(super) fn changed(case: &Case<'_>) -> Option<Refusal> {
    let Write::Setting { name, now, was, exact, .. } = case.write else { return None };
    let row = row(case)?;
    if row.value != *now {
        return Some(Refusal::SettingChanged { name: name.clone(), now: row.shown() });
    }
    let entry = *exact && row.exact && row.entry != *was;
    entry.then(|| Refusal::SettingChanged { name: name.clone(), now: format!("{} in the file", row.entry.shown()) })
}

/// A value that the server would not take.
pub(super) fn invalid(case: &Case<'_>) -> Option<Refusal> {
    let Write::Setting { name, to: Entry::Text(to), .. } = case.write else { return None };
    let wants = value::read(row(case)?, to.raw()).err()?;
    Some(Refusal::SettingInvalid { name: name.clone(), wants })
}

/// It stands in the file already, as far as that is known.
pub(super) fn already(case: &Case<'_>) -> Option<Refusal> {
    let Write::Setting { name, was, to, .. } = case.write else { return None };
    let there = row(case)?;
    let wrong = there.error.is_some();
    (was == to && *was != Entry::Unknown && !wrong)
        .then(|| Refusal::SettingAlready { name: name.clone(), entry: to.shown() })
}

#[cfg(test)]
mod tests {
    use super::super::super::fixture::{scene, server, setting, settings, take, world};
    use super::super::super::{Scene, Verdict, Wish, judge};
    use super::*;
    use crate::model::World;
    use crate::model::question::{Question, Snapshot};
    use crate::model::setting::Kind;
    use crate::model::world::Link;

    fn change(name: &str, typed: &str) -> Write {
        let row = setting(name);
        Write::setting(&row, &Wish::read(&row, typed).unwrap(), &server())
    }

    fn with(change: impl FnOnce(&mut Settings)) -> World {
        let mut world = world(Vec::new());
        let mut known = settings();
        change(&mut known);
        take(&mut world, Question::Settings, Snapshot::Settings(Box::new(known)));
        world
    }

    fn verdict(write: Write, world: &World) -> Verdict {
        judge(write, &scene(world))
    }

    fn refused(write: Write, world: &World) -> Refusal {
        match verdict(write, world) {
            Verdict::Refuse(refusal) => refusal,
            Verdict::Confirm(prompt) => panic!("not refused: {}", prompt.title()),
        }
    }

    #[test]
    fn a_setting_of_the_catalogue_may_be_changed_and_the_files_read_again() {
        let world = with(|_| {});
        assert!(matches!(verdict(change("work_mem", "128MB"), &world), Verdict::Confirm(_)));
        assert!(matches!(verdict(Write::reload(&server()), &world), Verdict::Confirm(_)));
    }

    #[test]
    fn what_is_not_in_the_catalogue_or_is_a_text_here_is_refused() {
        let world = with(|known| {
            known.rows.push(Setting { name: "fsync".to_owned(), kind: Kind::Bool, ..setting("work_mem") });
        });
        let fsync = Setting { name: "fsync".to_owned(), kind: Kind::Bool, ..setting("work_mem") };
        let write = Write::setting(&fsync, &Wish::read(&fsync, "off").unwrap(), &server());
        assert_eq!(refused(write, &world), Refusal::SettingNotOffered { name: "fsync".to_owned() });
        let world = with(|known| known.rows[0].kind = Kind::Text);
        let name = settings().rows[0].name.clone();
        let write = Write::setting(&setting(&name), &Wish::Reset, &server());
        assert_eq!(refused(write, &world), Refusal::SettingNotOffered { name });
    }

    #[test]
    fn a_setting_that_was_not_seen_is_refused() {
        let world = with(|known| known.rows.clear());
        assert_eq!(
            refused(change("work_mem", "128MB"), &world),
            Refusal::SettingUnknown { name: "work_mem".to_owned() }
        );
    }

    #[test]
    fn through_a_pooler_a_setting_is_refused_and_a_reload_is_not() {
        let mut world = with(|_| {});
        if let Some(Link::Up(facts)) = &mut world.link {
            facts.pooled = true;
        }
        assert_eq!(refused(change("work_mem", "128MB"), &world), Refusal::SettingPooled);
        assert!(matches!(verdict(Write::reload(&server()), &world), Verdict::Confirm(_)));
    }

    #[test]
    fn where_the_server_allows_no_alter_system_none_is_sent() {
        let world = with(|known| known.alter_off = true);
        assert_eq!(refused(change("work_mem", "128MB"), &world), Refusal::AlterSystemOff);
        assert!(matches!(verdict(Write::reload(&server()), &world), Verdict::Confirm(_)));
    }

    #[test]
    fn a_missing_right_is_told_with_what_grants_it() {
        let world = with(|known| known.rows.iter_mut().for_each(|row| row.may_alter = false));
        let cure = "GRANT ALTER SYSTEM ON PARAMETER work_mem TO oncall".to_owned();
        assert_eq!(
            refused(change("work_mem", "128MB"), &world),
            Refusal::MayNotAlter { name: "work_mem".to_owned(), cure }
        );
        let world = with(|known| known.may_reload = false);
        let cure = "GRANT EXECUTE ON FUNCTION pg_reload_conf() TO oncall".to_owned();
        assert_eq!(refused(change("work_mem", "128MB"), &world), Refusal::MayNotReload { cure: cure.clone() });
        assert_eq!(refused(Write::reload(&server()), &world), Refusal::MayNotReload { cure });
    }

    #[test]
    fn the_cure_depends_on_the_version_and_on_who_runs_the_server() {
        assert_eq!(
            alter_cure("jit", &"oncall".into(), 140_000, None),
            "only a superuser may before 15; oncall is none"
        );
        let managed = alter_cure("jit", &"oncall".into(), 160_000, Some("rds_superuser"));
        assert!(managed.contains("where the service keeps its parameters"), "{managed}");
    }

    #[test]
    fn a_setting_that_somebody_changed_since_is_refused() {
        let find = |known: &mut Settings| known.rows.iter().position(|row| row.name == "work_mem").unwrap();
        let world = with(|known| {
            let at = find(known);
            known.rows[at].value = "8192".to_owned();
        });
        let expected = Refusal::SettingChanged { name: "work_mem".to_owned(), now: "8MB".to_owned() };
        assert_eq!(refused(change("work_mem", "128MB"), &world), expected);
        let world = with(|known| {
            let at = find(known);
            known.rows[at].entry = Entry::Text("64MB".into());
        });
        assert!(
            matches!(refused(change("work_mem", "128MB"), &world), Refusal::SettingChanged { .. }),
            "not reloaded yet"
        );
    }

    #[test]
    fn a_value_that_the_server_would_not_take_is_refused() {
        let world = with(|_| {});
        let mut write = change("work_mem", "128MB");
        if let Write::Setting { to, .. } = &mut write {
            *to = Entry::Text("12 parsecs".into());
        }
        assert!(matches!(refused(write, &world), Refusal::SettingInvalid { .. }));
    }

    #[test]
    fn what_stands_in_the_file_already_is_not_written_again() {
        let written = |known: &mut Settings| {
            for row in &mut known.rows {
                row.entry = Entry::Text("128MB".into());
            }
        };
        let world = with(written);
        let row = world.settings.get().unwrap().get("work_mem").unwrap().clone();
        let write = |typed: &str| Write::setting(&row, &Wish::read(&row, typed).unwrap(), &server());
        let expected = Refusal::SettingAlready { name: "work_mem".to_owned(), entry: "'128MB'".to_owned() };
        assert_eq!(refused(write("128MB"), &world), expected);
        assert!(matches!(verdict(write("64MB"), &world), Verdict::Confirm(_)));
        assert!(matches!(verdict(write("default"), &world), Verdict::Confirm(_)));
        let frozen = Scene { frozen: true, ..scene(&world) };
        assert_eq!(judge(write("64MB"), &frozen), Verdict::Refuse(Refusal::Frozen));
    }
}
