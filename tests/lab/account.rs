//! Who runs the servers: ourselves, or, when we are root, an unprivileged account, since PostgreSQL refuses root; it must not
//! create accounts.
use anyhow::{Context, Result, bail};
use std::os::unix::fs::MetadataExt as _;
use std::os::unix::process::CommandExt as _;
use std::path::Path;
use std::process::Command;

/// The account that the servers, their files and the reaper belong to.
#[derive(Clone, Copy, Debug)]
pub struct Account {
    drop_to: Option<(u32, u32)>,
}

impl Account {
    /// Ourselves, or for root the account `postgres`, else `nobody`.
    pub fn pick() -> Result<Self> {
        if !is_root() {
            return Ok(Self { drop_to: None });
        }
        let accounts = std::fs::read_to_string("/etc/passwd").context("/etc/passwd")?;
        for wanted in ["postgres", "nobody"] {
            if let Some(ids) = accounts.lines().find_map(|line| ids_of(line, wanted)) {
                return Ok(Self { drop_to: Some(ids) });
            }
        }
        bail!("PostgreSQL refuses to run as root, and there is neither an account postgres nor nobody to run it as")
    }

    /// Whoever runs the lab.
    pub const fn ourselves() -> Self {
        Self { drop_to: None }
    }

    /// Whether it is not ourselves.
    pub const fn is_another(self) -> bool {
        self.drop_to.is_some()
    }

    /// Makes `command` run as this account.
    pub fn apply(self, command: &mut Command) {
        if let Some((user, group)) = self.drop_to {
            command.uid(user).gid(group);
        }
    }

    /// Gives `path` to this account.
    pub fn own(self, path: &Path) -> Result<()> {
        if let Some((user, group)) = self.drop_to {
            std::os::unix::fs::chown(path, Some(user), Some(group))
                .with_context(|| format!("chown {}", path.display()))?;
        }
        Ok(())
    }
}

/// Whether this process runs as root.
pub fn is_root() -> bool {
    std::fs::metadata("/proc/self").is_ok_and(|own| own.uid() == 0)
}

fn ids_of(line: &str, wanted: &str) -> Option<(u32, u32)> {
    let mut fields = line.split(':');
    if fields.next()? != wanted {
        return None;
    }
    let user = fields.nth(1)?.parse().ok()?;
    Some((user, fields.next()?.parse().ok()?))
}
