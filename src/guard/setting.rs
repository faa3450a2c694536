//! Changes of settings as actions: from a typed value, or from what the log says stood before; and what would allow them.
//!
//! Nothing here judges.

use crate::model::ServerText;
use crate::model::server::Server;
use crate::model::setting::value::{self, Value};
use crate::model::setting::{Change, Entry, Setting};

use super::statement::role_name;
use super::{ServerIdentity, Write};

/// From this version on single settings can be granted.
const GRANTABLE: i32 = 150_000;

/// What is to become of an entry in `postgresql.auto.conf`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Wish {
    /// This value.
    Set(Value),
    /// No entry: what another file or the server itself says.
    Reset,
}

impl Wish {
    /// Reads what was typed: a value of the setting, or `default`.
    ///
    /// # Errors
    /// A sentence that says what the setting wants.
    pub fn read(setting: &Setting, typed: &str) -> Result<Self, String> {
        if typed.trim().eq_ignore_ascii_case("default") {
            return Ok(Self::Reset);
        }
        value::read(setting, typed).map(Self::Set)
    }
}

impl Write {
    /// Changes a setting of the whole server.
    #[must_use]
    pub fn setting(setting: &Setting, wish: &Wish, server: &Server) -> Self {
        let (to, expect) = match wish {
            Wish::Set(value) => (Entry::Text(ServerText::new(value.text.as_str())), Some(value.raw.clone())),
            Wish::Reset => (Entry::Absent, None),
        };
        changed(setting, (to, expect, None), server)
    }

    /// Takes a change back: to the very text that stood in the file, or to no entry. None where the log does not know it.
    #[must_use]
    pub fn undo(setting: &Setting, change: &Change, server: &Server) -> Option<Self> {
        let expect = match &change.was {
            Entry::Unknown => return None,
            Entry::Absent => None,
            Entry::Text(text) => value::read(setting, text.raw()).ok().map(|value| value.raw),
        };
        Some(changed(setting, (change.was.clone(), expect, Some(change.id.clone())), server))
    }

    /// Has the server read its configuration files again.
    #[must_use]
    pub fn reload(server: &Server) -> Self {
        Self::Reload { server: ServerIdentity::of(server) }
    }
}

fn changed(setting: &Setting, (to, expect, undoes): (Entry, Option<String>, Option<String>), server: &Server) -> Write {
    Write::Setting {
        name: setting.name.clone(),
        now: setting.value.clone(),
        shown: setting.shown(),
        was: setting.entry.clone(),
        exact: setting.exact,
        to,
        expect,
        undoes,
        server: ServerIdentity::of(server),
    }
}

/// What would allow our role to change that setting: from 15 on a right for each setting, before that a superuser's role.
#[must_use]
pub fn alter_cure(name: &str, role: &ServerText, version_num: i32, managed: Option<&str>) -> String {
    if let Some(managed) = managed {
        let managed = ServerText::from(managed).head(63);
        return format!("a managed service (role {managed}): change it where the service keeps its parameters");
    }
    let role = role_name(role);
    if version_num >= GRANTABLE {
        format!("GRANT ALTER SYSTEM ON PARAMETER {name} TO {role}")
    } else {
        format!("only a superuser may before 15; {role} is none")
    }
}

/// What would allow our role to see what stands in the files.
#[must_use]
pub fn files_cure(role: &ServerText) -> String {
    let role = role_name(role);
    format!(
        "GRANT SELECT ON pg_file_settings TO {role}; GRANT EXECUTE ON FUNCTION pg_show_all_file_settings() TO {role}"
    )
}

/// What would allow our role to have the files read again.
#[must_use]
pub fn reload_cure(role: &ServerText) -> String {
    format!("GRANT EXECUTE ON FUNCTION pg_reload_conf() TO {}", role_name(role))
}
