//! Stories of settings: what is around, what is typed, what comes of it. No test sees the real environment.

mod audit;
mod bounds;
mod errors;
mod health;
mod help;
mod limits;
mod precedence;
mod target;

use std::collections::BTreeMap;
use std::io;
use std::path::{Path, PathBuf};

use super::*;

const OWN: &str = "/home/ann/.config/pgtriage/config.toml";
const SYSTEM: &str = "/etc/pgtriage/config.toml";

/// Surroundings that a test brings.
#[derive(Debug, Clone, Default)]
struct Around {
    vars: BTreeMap<String, String>,
    files: BTreeMap<PathBuf, Result<String, io::ErrorKind>>,
}

fn around() -> Around {
    Around::default()
}

impl Around {
    fn var(mut self, name: &str, value: &str) -> Self {
        self.vars.insert(name.to_owned(), value.to_owned());
        self
    }

    fn file(mut self, path: &str, text: &str) -> Self {
        self.files.insert(path.into(), Ok(text.to_owned()));
        self
    }

    fn broken(mut self, path: &str, kind: io::ErrorKind) -> Self {
        self.files.insert(path.into(), Err(kind));
        self
    }

    fn surroundings(&self) -> Surroundings {
        let read = |files: BTreeMap<PathBuf, Result<String, io::ErrorKind>>| -> surroundings::Read {
            Box::new(move |path: &Path| match files.get(path) {
                Some(Ok(text)) => Ok(text.clone()),
                Some(Err(kind)) => Err(io::Error::from(*kind)),
                None => Err(io::Error::from(io::ErrorKind::NotFound)),
            })
        };
        Surroundings {
            vars: self.vars.clone(),
            home: Some("/home/ann".into()),
            os_user: Some("ann".to_owned()),
            host: Some("jump1".to_owned()),
            system_config: SYSTEM.into(),
            read: read(self.files.clone()),
            read_system: read(self.files.clone()),
        }
    }

    fn request(&self, line: &str) -> Result<Request, String> {
        let args = std::iter::once("pgtriage").chain(line.split_whitespace()).map(OsString::from).collect();
        load(args, &self.surroundings()).map_err(|e| e.to_string())
    }

    /// The settings that a command line comes to; words are parted by blanks.
    fn run(&self, line: &str) -> Settings {
        match self.request(line) {
            Ok(Request::Run(settings)) => *settings,
            other => panic!("{line}: {other:?}"),
        }
    }

    fn error(&self, line: &str) -> String {
        match self.request(line) {
            Err(error) => error,
            Ok(other) => panic!("{line}: {other:?}"),
        }
    }
}

#[test]
fn nothing_said_is_the_defaults() {
    let settings = around().run("");
    assert_eq!(settings.connection, Given::default());
    assert_eq!(settings.refresh, Duration::from_secs(2));
    assert_eq!(settings.slow_after, Duration::from_secs(30));
    assert_eq!(settings.keymap, KeymapChoice::Embedded("default".into()));
    assert_eq!(settings.metrics.prometheus, None);
    assert_eq!(settings.metrics.prefix, "fraiseql");
    assert_eq!(settings.metrics.cache_table, "fraiseql_cache");
    assert_eq!(settings.policy(), Policy::Admin);
    assert_eq!(settings.audit_file, Some("/home/ann/.local/state/pgtriage/audit.jsonl".into()));
    assert_eq!((settings.ascii, settings.no_color, settings.bounds.production), (false, false, false));
    assert!(settings.warnings.is_empty());
}

#[test]
fn who_acts_is_the_users_own_name_and_where_they_came_from() {
    let around = around()
        .var("USER", "forged")
        .var("SUDO_USER", "bob")
        .var("SSH_CLIENT", "10.0.3.9 50112 22")
        .var("SSH_CONNECTION", "10.0.3.8 1 10.0.0.1 22");
    let actor = Actor {
        os_user: Some("ann".into()),
        sudo_user: Some("bob".into()),
        ssh_client: Some("10.0.3.9".into()),
        host: Some("jump1".into()),
    };
    assert_eq!(around.run("").actor, actor);

    let mut nameless = around.surroundings();
    nameless.os_user = None;
    assert_eq!(nameless.actor().os_user.as_deref(), Some("forged"));
}

#[test]
fn without_a_home_nothing_could_be_recorded_so_nothing_can_be_done() {
    let mut homeless = around().surroundings();
    homeless.home = None;
    let Ok(Request::Run(settings)) = load(vec!["pgtriage".into()], &homeless) else { panic!("it runs") };
    assert_eq!(settings.read_only(), Some("there is no folder for the audit log: HOME is not set"));
    assert_eq!(settings.audit_file, None);

    homeless.vars.insert("XDG_STATE_HOME".into(), "/var/state".into());
    let Ok(Request::Run(settings)) = load(vec!["pgtriage".into()], &homeless) else { panic!("it runs") };
    assert_eq!(settings.policy(), Policy::Admin);
    assert_eq!(settings.audit_file, Some("/var/state/pgtriage/audit.jsonl".into()));
}

#[test]
fn xdg_folders_count_where_they_are_absolute() {
    let file = "refresh = 7";
    let set = around().var("XDG_CONFIG_HOME", "/cfg").file("/cfg/pgtriage/config.toml", file);
    assert_eq!(set.run("").refresh, Duration::from_secs(7));
    let relative =
        around().var("XDG_CONFIG_HOME", "cfg").file("cfg/pgtriage/config.toml", file).file(OWN, "refresh = 8");
    assert_eq!(relative.run("").refresh, Duration::from_secs(8));
}

#[test]
fn no_secret_is_printed_or_recorded() {
    let around = around()
        .file(OWN, "conninfo = 'password=hunter2'\nprometheus_header = 'X-Key: hunter2'")
        .var("PGTRIAGE_PROMETHEUS_TOKEN", "hunter2")
        .var("PGTRIAGE_PROMETHEUS_PASSWORD", "hunter2");
    for line in [
        "--prometheus http://m --prometheus-user u --prometheus-header X-Key:hunter2",
        "--prometheus http://u:hunter2@m postgres://u:hunter2@db/shop",
    ] {
        let settings = around.run(line);
        assert!(!format!("{settings:?}").contains("hunter2"), "{settings:?}");
        assert!(!serde_json::to_string(&settings).unwrap().contains("hunter2"));
    }
    assert_eq!(around.run("").connection.base.unwrap().reveal(), "password=hunter2");
}

#[test]
fn the_keymap_is_read_where_it_is_needed_and_loses_its_writes_in_read_only() {
    use crate::command::{Command, Tab};
    let mine = "inherit = 'default'\n[slow]\n'W' = 'cancel-backend'\n";
    let around = around().file("/home/ann/.config/pgtriage/mine.toml", mine).file(OWN, "keymap = 'mine.toml'");
    let keys = |line| {
        let keymap = around.run(line).keymap(&around.surroundings()).unwrap();
        keymap.chords_of(Command::CancelBackend, Tab::Slow).iter().map(ToString::to_string).collect::<Vec<_>>()
    };
    assert_eq!(keys(""), ["W", "x"]);
    assert_eq!(keys("--keymap vim"), ["x"]);
    assert!(keys("--read-only").is_empty());

    let missing = around.run("--keymap ./other.toml").keymap(&around.surroundings());
    assert_eq!(missing.unwrap_err().to_string(), "error: ./other.toml: entity not found");
    let wrong = around.clone().file("w.toml", "[slow]\nx = 'cancel'").run("--keymap w.toml");
    let around = around.file("w.toml", "[slow]\nx = 'cancel'");
    assert_eq!(
        wrong.keymap(&around.surroundings()).unwrap_err().to_string(),
        "error: w.toml:2: no command is called `cancel`"
    );
}
