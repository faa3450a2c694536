//! The lab's temporary folder and the reaper that ends what runs in it and removes it, also after kill -9 of the lab; it must
//! not be outlived by anything.
use crate::account::Account;
use crate::process;
use anyhow::{Context, Result};
use std::io::Write as _;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, Command, Stdio};

const REAPER: &str = include_str!("reaper.sh");

/// A folder that ends with its holder: dropping it stops everything that works in it.
#[derive(Debug)]
pub struct Folder {
    path: PathBuf,
    account: Account,
    reaper: Child,
    pipe: Option<ChildStdin>,
}

impl Folder {
    /// Makes the folder and starts its reaper.
    pub fn create(account: Account) -> Result<Self> {
        let parent = parent(account)?;
        let path = tempfile::Builder::new()
            .prefix("pgtriage-lab.")
            .permissions(std::fs::Permissions::from_mode(0o755))
            .tempdir_in(&parent)
            .with_context(|| format!("no folder can be made in {}", parent.display()))?
            .keep();
        account.own(&path)?;
        // A session of its own, so that neither ^C nor the end of the terminal reaches it; the account of the servers, since a
        // process may look at another only where it owns it.
        let mut command = Command::new("setsid");
        command
            .args(["sh", "-c", REAPER, "pgtriage-lab-reaper"])
            .arg(&path)
            .current_dir("/")
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .stderr(Stdio::null());
        account.apply(&mut command);
        let mut reaper = command.spawn().context("setsid (of util-linux) is needed")?;
        let pipe = reaper.stdin.take();
        Ok(Self { path, account, reaper, pipe })
    }

    /// Where it is.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// The account that owns it.
    pub fn account(&self) -> Account {
        self.account
    }

    /// Makes a folder inside it, owned by the account.
    pub fn subfolder(&self, name: &str, mode: u32) -> Result<PathBuf> {
        let path = self.path.join(name);
        std::fs::create_dir(&path).with_context(|| format!("mkdir {}", path.display()))?;
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(mode))?;
        self.account.own(&path)?;
        Ok(path)
    }

    /// Writes a file inside it, owned by the account.
    pub fn write(&self, name: &str, text: &str) -> Result<PathBuf> {
        let path = self.path.join(name);
        std::fs::write(&path, text).with_context(|| format!("write {}", path.display()))?;
        self.account.own(&path)?;
        Ok(path)
    }

    /// A command that runs `program` in this folder as the account, in a session of its own, its output appended to `NAME.log`;
    /// the reaper is told of the program first, so that it ends it whatever happens to us.
    pub fn command(&mut self, name: &str, program: &Path) -> Result<Command> {
        let program = self.declare(program)?;
        process::prepare(self, name, &program, self.account)
    }

    /// The same for a program of our own, as ourselves: the servers' account need not be able to read where it lies. As it may
    /// then be out of the reaper's reach, it must end by itself with its standard input.
    pub fn own_command(&mut self, name: &str, program: &Path) -> Result<Command> {
        let program = self.declare(program)?;
        process::prepare(self, name, &program, Account::ourselves())
    }

    fn declare(&mut self, program: &Path) -> Result<PathBuf> {
        let program = program.canonicalize().with_context(|| program.display().to_string())?;
        if let Some(pipe) = &mut self.pipe {
            writeln!(pipe, "{}", program.display()).context("the reaper has gone")?;
        }
        Ok(program)
    }

    /// The log that a command of that name writes.
    pub fn log(&self, name: &str) -> PathBuf {
        self.path.join(format!("{name}.log"))
    }
}

/// `TMPDIR`, unless the account could not remove a folder there.
fn parent(account: Account) -> Result<PathBuf> {
    let wanted = std::env::temp_dir().canonicalize().context("TMPDIR")?;
    let mode = |path: &Path| path.metadata().map_or(0, |facts| facts.permissions().mode());
    let open = mode(&wanted) & 0o003 == 0o003 && wanted.ancestors().all(|folder| mode(folder) & 0o001 != 0);
    if account.is_another() && !open {
        return Ok(PathBuf::from("/tmp"));
    }
    Ok(wanted)
}

impl Drop for Folder {
    fn drop(&mut self) {
        drop(self.pipe.take());
        if let Err(failure) = self.reaper.wait() {
            eprintln!("lab: the reaper of {}: {failure}", self.path.display());
        }
        if self.path.exists() {
            eprintln!("lab: {} could not be removed", self.path.display());
        }
    }
}
