//! Owns the look at the process' surroundings: variables, the home directory, the user, and small files.
//!
//! It must not interpret any of it; a test puts its own in place of the process'.

use std::io;
use std::path::{Path, PathBuf};

/// What a file is, as far as the permission rules of libpq ask.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct FileFacts {
    /// A plain file rather than a directory, pipe or device.
    pub is_plain: bool,
    /// The permission bits, `0o777` at most.
    pub mode: u32,
    /// Who owns it.
    pub owner: u32,
}

/// Everything that resolving a connection may look at.
pub trait Surroundings {
    /// An environment variable; one that is not UTF-8 counts as absent.
    fn variable(&self, name: &str) -> Option<String>;
    /// The name of the operating system's user, which is libpq's default role.
    fn user(&self) -> Option<String>;
    /// What a path is.
    ///
    /// # Errors
    /// As the file system says.
    fn facts(&self, path: &Path) -> io::Result<FileFacts>;
    /// The text of a small file.
    ///
    /// # Errors
    /// As the file system says.
    fn read(&self, path: &Path) -> io::Result<String>;

    /// The home directory.
    fn home(&self) -> Option<PathBuf> {
        self.variable("HOME").filter(|home| !home.is_empty()).map(PathBuf::from)
    }
}

/// The real ones.
#[derive(Debug, Clone, Copy, Default)]
pub struct Process;

impl Surroundings for Process {
    fn variable(&self, name: &str) -> Option<String> {
        std::env::var(name).ok()
    }

    fn user(&self) -> Option<String> {
        whoami::username().ok()
    }

    fn facts(&self, path: &Path) -> io::Result<FileFacts> {
        use std::os::unix::fs::MetadataExt as _;
        let metadata = std::fs::metadata(path)?;
        Ok(FileFacts { is_plain: metadata.is_file(), mode: metadata.mode() & 0o777, owner: metadata.uid() })
    }

    fn read(&self, path: &Path) -> io::Result<String> {
        // A password in another encoding than UTF-8 has to survive as far as it can: it is looked up by its ASCII fields.
        std::fs::read(path).map(|bytes| String::from_utf8_lossy(&bytes).into_owned())
    }
}

#[cfg(test)]
pub mod fake {
    //! Surroundings made up by a test.

    use super::{FileFacts, Surroundings};
    use std::collections::BTreeMap;
    use std::io;
    use std::path::{Path, PathBuf};

    /// Variables and files of a made-up user `alice` at home in `/home/alice`.
    #[derive(Default)]
    pub struct Fake {
        variables: BTreeMap<String, String>,
        files: BTreeMap<PathBuf, (u32, String)>,
    }

    impl Fake {
        pub fn set(mut self, name: &str, value: &str) -> Self {
            self.variables.insert(name.to_owned(), value.to_owned());
            self
        }

        pub fn file(mut self, path: &str, mode: u32, text: &str) -> Self {
            self.files.insert(PathBuf::from(path), (mode, text.to_owned()));
            self
        }

        fn at(&self, path: &Path) -> io::Result<&(u32, String)> {
            self.files.get(path).ok_or_else(|| io::Error::from(io::ErrorKind::NotFound))
        }
    }

    impl Surroundings for Fake {
        fn variable(&self, name: &str) -> Option<String> {
            let home = (name == "HOME").then(|| "/home/alice".to_owned());
            self.variables.get(name).cloned().or(home)
        }

        fn user(&self) -> Option<String> {
            Some("alice".to_owned())
        }

        fn facts(&self, path: &Path) -> io::Result<FileFacts> {
            self.at(path).map(|(mode, _)| FileFacts { is_plain: true, mode: *mode, owner: 1000 })
        }

        fn read(&self, path: &Path) -> io::Result<String> {
            self.at(path).map(|(_, text)| text.clone())
        }
    }
}
