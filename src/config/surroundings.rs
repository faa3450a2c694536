//! What the program finds around it: environment, folders, files, and who runs it. The only place that asks the
//! operating system, so that a test brings its own.
//!
//! It decides nothing.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{self, Read as _};
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use serde::Serialize;

/// Reads a text file.
pub type Read = Box<dyn Fn(&Path) -> io::Result<String> + Send + Sync>;

/// Environment, folders, files, and who runs the program.
pub struct Surroundings {
    /// The environment, where it is UTF-8.
    pub vars: BTreeMap<String, String>,
    /// The home folder.
    pub home: Option<PathBuf>,
    /// The user by the operating system's own word, not by a variable that anybody can set.
    pub os_user: Option<String>,
    /// The name of this machine.
    pub host: Option<String>,
    /// The system's config file.
    pub system_config: PathBuf,
    /// How a file is read.
    pub read: Read,
    /// How the system's file is read: not where somebody else than root could have written it.
    pub read_system: Read,
}

impl Surroundings {
    /// The real ones.
    #[must_use]
    pub fn real() -> Self {
        let vars = std::env::vars_os().filter_map(|(k, v)| Some((k.into_string().ok()?, v.into_string().ok()?)));
        Self {
            vars: vars.collect(),
            home: std::env::home_dir().filter(|h| !h.as_os_str().is_empty()),
            os_user: whoami::username().ok(),
            host: whoami::hostname().ok(),
            system_config: PathBuf::from("/etc/pgtriage/config.toml"),
            read: Box::new(|path| std::fs::read_to_string(path)),
            read_system: Box::new(read_roots),
        }
    }

    /// A variable that is set to more than nothing.
    #[must_use]
    pub fn var(&self, name: &str) -> Option<&str> {
        self.vars.get(name).map(String::as_str).filter(|v| !v.is_empty())
    }

    /// A folder of the XDG specification: the variable where it is absolute (the specification voids others), else
    /// the folder under home.
    #[must_use]
    pub fn folder(&self, variable: &str, under_home: &str) -> Option<PathBuf> {
        let set = self.var(variable).map(PathBuf::from).filter(|p| p.is_absolute());
        set.or_else(|| Some(self.home.as_ref()?.join(under_home))).map(|p| p.join("pgtriage"))
    }

    /// Who acts, for the audit log.
    #[must_use]
    pub fn actor(&self) -> Actor {
        let first = |name| self.var(name).and_then(|v| v.split_whitespace().next()).map(str::to_owned);
        Actor {
            os_user: self.os_user.clone().or_else(|| first("LOGNAME")).or_else(|| first("USER")),
            sudo_user: first("SUDO_USER"),
            ssh_client: first("SSH_CLIENT").or_else(|| first("SSH_CONNECTION")),
            host: self.host.clone(),
        }
    }
}

/// Reads a file that root alone can have written: what bounds everybody must not be anybody's to write. The folder
/// counts too, since who may write in it can put another file there.
fn read_roots(path: &Path) -> io::Result<String> {
    let mut file = File::open(path)?;
    let folder = path.parent().map(std::fs::metadata).transpose()?;
    for (what, found) in [("", Some(file.metadata()?)), ("its folder ", folder)] {
        if let Some(why) = found.and_then(|found| not_roots(found.uid(), found.mode())) {
            return Err(io::Error::new(io::ErrorKind::PermissionDenied, format!("{what}{why}")));
        }
    }
    let mut text = String::new();
    file.read_to_string(&mut text)?;
    Ok(text)
}

/// Why a file of this owner and mode may hold what root did not write.
fn not_roots(uid: u32, mode: u32) -> Option<String> {
    match (uid, mode & 0o022) {
        (0, 0) => None,
        (0, _) => Some(format!("can be written by others than root (mode {:03o})", mode & 0o777)),
        (uid, _) => Some(format!("belongs to the user {uid}, not to root")),
    }
}

/// Who acts: what the audit log says beside the database role.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Actor {
    /// The user of the operating system.
    pub os_user: Option<String>,
    /// Who became that user by sudo. A variable: a hint, not a proof.
    pub sudo_user: Option<String>,
    /// The address that the session comes from. A variable: a hint, not a proof.
    pub ssh_client: Option<String>,
    /// This machine.
    pub host: Option<String>,
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use super::*;

    #[test]
    fn the_real_surroundings_know_who_and_where() {
        let real = Surroundings::real();
        assert!(real.actor().os_user.is_some_and(|u| !u.is_empty()));
        assert!(real.actor().host.is_some_and(|h| !h.is_empty()));
        assert!(real.system_config.is_absolute());
        assert!((real.read)(Path::new("/nowhere/at/all")).is_err());
        assert_eq!((real.read_system)(Path::new("/nowhere/at/all")).unwrap_err().kind(), io::ErrorKind::NotFound);
    }

    #[test]
    fn a_system_file_that_somebody_else_could_have_written_is_refused() {
        let table = [
            (0, 0o644, None),
            (0, 0o600, None),
            (0, 0o444, None),
            (0, 0o666, Some("can be written by others than root (mode 666)")),
            (0, 0o664, Some("can be written by others than root (mode 664)")),
            (1000, 0o644, Some("belongs to the user 1000, not to root")),
        ];
        for (uid, mode, why) in table {
            assert_eq!(not_roots(uid, 0o100_000 | mode).as_deref(), why, "{uid} {mode:o}");
        }
        // Root's own, as nearly every system has it, in a folder that is root's too.
        assert!(read_roots(Path::new("/etc/passwd")).is_ok_and(|text| !text.is_empty()));
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("config.toml");
        std::fs::write(&file, "policy = 'admin'").unwrap();
        let mode = |path: &Path, mode| std::fs::set_permissions(path, std::fs::Permissions::from_mode(mode)).unwrap();
        mode(&file, 0o644);
        mode(folder.path(), 0o777);
        let error = read_roots(&file).unwrap_err().to_string();
        assert!(error.contains("its folder can be written") || error.starts_with("belongs to"), "{error}");
    }
}
