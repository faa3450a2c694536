//! What the program finds around it: environment, folders, files, and who runs it. The only place that asks the
//! operating system, so that a test brings its own.
//!
//! It decides nothing.

use std::collections::BTreeMap;
use std::ffi::OsStr;
use std::fs::{File, Metadata};
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

/// The most links on the way to a file, as Linux has it.
const MOST_LINKS: usize = 40;

/// Reads a file that root alone can have written: what bounds everybody must not be anybody's to write. Every folder on
/// the way to it counts too, on both sides of a link, since who may write in one can put another file there.
fn read_roots(path: &Path) -> io::Result<String> {
    // One that is not there is no matter of who may write above it.
    File::open(path)?;
    let mut file = File::open(trusted(path)?)?;
    refuse("", &file.metadata()?)?;
    let mut text = String::new();
    file.read_to_string(&mut text)?;
    Ok(text)
}

/// The path without links, after a look at each folder and each link on the way, as the system goes it.
fn trusted(path: &Path) -> io::Result<PathBuf> {
    let names = |path: &Path| path.iter().rev().map(OsStr::to_owned).collect::<Vec<_>>();
    // The next name stands last.
    let mut left = names(&std::path::absolute(path)?);
    let (mut at, mut links) = (PathBuf::from("/"), 0);
    while let Some(name) = left.pop() {
        if name == ".." {
            at.pop();
            continue;
        }
        let next = at.join(&name);
        let found = std::fs::symlink_metadata(&next)?;
        if found.is_symlink() {
            links += 1;
            if links > MOST_LINKS {
                return Err(io::Error::other("too many links"));
            }
            // Anybody may set no mode on a link, but whoever owns it can have made it.
            if found.uid() != 0 {
                return Err(denied(format!(
                    "the link {} belongs to the user {}, not to root",
                    next.display(),
                    found.uid()
                )));
            }
            left.extend(names(&std::fs::read_link(&next)?));
            continue;
        }
        at = next;
        if found.is_dir() {
            refuse(&format!("its folder {} ", at.display()), &found)?;
        }
    }
    Ok(at)
}

fn refuse(what: &str, found: &Metadata) -> io::Result<()> {
    // In a sticky folder, such as /tmp, nobody can replace what is root's.
    let is_sticky = found.is_dir() && found.mode() & 0o1000 != 0;
    let mode = if is_sticky { found.mode() & !0o022 } else { found.mode() };
    not_roots(found.uid(), mode).map_or(Ok(()), |why| Err(denied(format!("{what}{why}"))))
}

fn denied(why: String) -> io::Error {
    io::Error::new(io::ErrorKind::PermissionDenied, why)
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
        assert!(is_refused(&file, &format!("its folder {} can be written", folder.path().display())));
    }

    /// True where it is refused with these words; where the tests are not root's, that the folder is not root's either
    /// goes before.
    fn is_refused(file: &Path, words: &str) -> bool {
        let error = read_roots(file).unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::PermissionDenied);
        let error = error.to_string();
        let is_root = std::fs::metadata(file).is_ok_and(|found| found.uid() == 0);
        if is_root { error.contains(words) } else { error.contains("belongs to the user") }
    }

    #[test]
    fn a_link_does_not_hide_who_may_write_behind_it_nor_a_folder_what_is_above_it() {
        let folder = tempfile::tempdir().unwrap();
        let root = std::fs::canonicalize(folder.path()).unwrap();
        let mode = |path: &Path, mode| std::fs::set_permissions(path, std::fs::Permissions::from_mode(mode)).unwrap();
        for (name, bits) in [("etc", 0o755), ("open", 0o777), ("open/deep", 0o755), ("sticky", 0o1777)] {
            std::fs::create_dir(root.join(name)).unwrap();
            mode(&root.join(name), bits);
        }
        mode(&root, 0o755);
        for name in ["etc/whole.toml", "open/deep/real.toml", "sticky/roots.toml"] {
            std::fs::write(root.join(name), "policy = 'observer'").unwrap();
            mode(&root.join(name), 0o644);
        }
        let link = |to: &str, name: &str| std::os::unix::fs::symlink(to, root.join(name)).unwrap();
        link("../open/deep/real.toml", "etc/out.toml");
        link("whole.toml", "etc/in.toml");
        link("../etc/in.toml", "open/back.toml");
        link("../open/back.toml", "etc/through.toml");
        link("loop.toml", "etc/loop.toml");
        let open = format!("its folder {} can be written", root.join("open").display());
        for name in ["open/deep/real.toml", "etc/out.toml", "open/back.toml", "etc/through.toml"] {
            assert!(is_refused(&root.join(name), &open), "{name}");
        }
        if std::fs::metadata(&root).unwrap().uid() == 0 {
            for name in ["etc/whole.toml", "etc/in.toml", "sticky/roots.toml"] {
                assert_eq!(read_roots(&root.join(name)).unwrap(), "policy = 'observer'", "{name}");
            }
            assert!(read_roots(&root.join("etc/loop.toml")).is_err() && trusted(&root.join("etc/loop.toml")).is_err());
        }
    }
}
