//! What the log tells of settings: the changes that were made from here and not taken back.
//!
//! Pure: entries come in, one by one, in their order. Who changed what from elsewhere is in no log of ours.

use std::path::Path;

use crate::model::setting::{Change, Entry as FileEntry, History};
use crate::model::unit::counted;

use super::read::{Chain, walk};
use super::{AuditError, Entry, EventKind, Target};

/// The changes so far, oldest first.
#[derive(Debug, Default)]
pub struct Changes {
    standing: Vec<Change>,
    /// Actions that were sent and whose outcome has not been read yet, with what stood before.
    open: Vec<Change>,
    since: Option<String>,
}

impl Changes {
    /// Takes the next entry.
    pub fn take(&mut self, entry: &Entry) {
        self.since.get_or_insert_with(|| entry.time.clone());
        let Target::Setting { name, was, to, .. } = &entry.target else { return };
        match entry.event {
            EventKind::Intent => self.open.push(Change {
                id: entry.id.clone(),
                time: entry.time.clone(),
                who: format!("{}@{}", entry.console.user, entry.console.host),
                place: place(&entry.server.place),
                system_identifier: entry.identity.system_identifier.clone(),
                in_recovery: entry.identity.in_recovery,
                name: name.clone(),
                was: was.clone(),
                to: to.clone(),
                known: false,
            }),
            EventKind::Outcome => {
                let Some(at) = self.open.iter().position(|change| change.id == entry.id) else { return };
                let change = self.open.remove(at);
                let result = entry.outcome.as_ref().map_or("", |outcome| outcome.result.as_str());
                match result {
                    "done" | "written" => self.settle(Change { known: true, ..change }),
                    "unknown" => self.settle(change),
                    _ => {}
                }
            }
            EventKind::Stop | EventKind::Verified | EventKind::Refused => {}
        }
    }

    /// A change that was made, or may have been: one that puts back what stood before the first leaves nothing.
    fn settle(&mut self, change: Change) {
        let same = |standing: &Change| {
            standing.name == change.name
                && standing.is_of(Some(&change.place), change.system_identifier.as_deref(), change.in_recovery)
        };
        let Some(at) = self.standing.iter().position(same) else {
            // Without what stood before there is nothing to put back, but that it was changed is worth knowing.
            if change.was != change.to || change.was == FileEntry::Unknown {
                self.standing.push(change);
            }
            return;
        };
        let first = self.standing.remove(at);
        // What somebody else wrote in between is not ours to put back: then this is the first of our changes.
        let was =
            if change.was == first.to || change.was == FileEntry::Unknown { first.was } else { change.was.clone() };
        if was != change.to || !change.known {
            self.standing.push(Change { was, ..change });
        }
    }

    /// All that stand; those without an outcome may have been made.
    #[must_use]
    pub fn end(mut self) -> History {
        for change in std::mem::take(&mut self.open) {
            self.settle(change);
        }
        History { changes: self.standing, since: self.since, trouble: None }
    }
}

/// `db1:5432` of the words in which a line names where the writer was connected: as the first line of the screen has it.
fn place(words: &str) -> String {
    let quoted = |words: &str| words.split_once('"').map(|(inside, rest)| (inside.to_owned(), rest.to_owned()));
    if let Some((host, rest)) = words.strip_prefix("server at \"").and_then(quoted)
        && let Some((_, port)) = rest.rsplit_once("port ")
    {
        return if host.contains(':') { format!("[{host}]:{port}") } else { format!("{host}:{port}") };
    }
    let socket = words.strip_prefix("server on socket \"").and_then(quoted);
    let parts = socket.as_ref().and_then(|(path, _)| path.rsplit_once("/.s.PGSQL."));
    parts.map_or_else(|| words.to_owned(), |(folder, port)| format!("{folder}:{port}"))
}

/// Reads the log at `path`. One that is not there yet has nothing to tell; one that cannot be read says why.
#[must_use]
pub fn history(path: &Path) -> History {
    let mut changes = Changes::default();
    match walk(path, |_, entry| changes.take(&entry)) {
        Ok(chain) => History { trouble: trouble(&chain), ..changes.end() },
        Err(AuditError::File { source, .. }) if source.kind() == std::io::ErrorKind::NotFound => History::default(),
        Err(error) => History { trouble: Some(error.to_string()), ..History::default() },
    }
}

fn trouble(chain: &Chain) -> Option<String> {
    if chain.broken.is_some() {
        return Some("the audit log is not whole (`pgtriage audit verify`): changes may be missing from it".to_owned());
    }
    let torn = chain.unreadable.len();
    (torn > 0)
        .then(|| format!("{} of the audit log cannot be read: changes may be missing from it", counted(torn, "line")))
}

#[cfg(test)]
mod tests {
    use super::super::{Console, Ended, Place};
    use super::*;
    use crate::guard::ServerIdentity;

    fn entry(id: &str, event: EventKind, (name, was, to): (&str, FileEntry, FileEntry)) -> Entry {
        Entry {
            v: 1,
            time: format!("2025-11-24T03:14:0{}.000000Z", id.len()),
            id: id.to_owned(),
            event,
            console: Console { user: "alice".to_owned(), host: "jump".to_owned(), ..Console::default() },
            server: Place { place: "db1:5432".to_owned(), ..Place::default() },
            identity: ServerIdentity { system_identifier: Some("7".to_owned()), ..ServerIdentity::default() },
            target: Target::Setting { name: name.to_owned(), now: "-1".to_owned(), was, exact: true, to },
            sql: None,
            parameters: Vec::new(),
            confirmed: None,
            reason: None,
            refusal: None,
            stop: None,
            outcome: None,
            notices: Vec::new(),
            gone: None,
            left: Vec::new(),
            unverified: None,
            after_ms: None,
        }
    }

    fn text(text: &str) -> FileEntry {
        FileEntry::Text(text.into())
    }

    fn took(changes: &mut Changes, id: &str, (was, to): (FileEntry, FileEntry), result: Option<&str>) {
        changes.take(&entry(id, EventKind::Intent, ("work_mem", was.clone(), to.clone())));
        if let Some(result) = result {
            let mut line = entry(id, EventKind::Outcome, ("work_mem", was, to));
            line.outcome = Some(Ended { result: result.to_owned(), message: None, cure: None, rows: Vec::new() });
            changes.take(&line);
        }
    }

    /// What stands: before, now, whether it is known.
    fn standing(changes: Changes) -> Vec<(FileEntry, FileEntry, bool)> {
        changes.end().changes.into_iter().map(|change| (change.was, change.to, change.known)).collect()
    }

    #[test]
    fn a_change_stands_until_it_is_put_back() {
        let mut changes = Changes::default();
        took(&mut changes, "1", (FileEntry::Absent, text("1s")), Some("done"));
        took(&mut changes, "2", (text("1s"), text("5s")), Some("written"));
        assert_eq!(standing(changes), [(FileEntry::Absent, text("5s"), true)], "back to before the first");
        let mut changes = Changes::default();
        took(&mut changes, "1", (FileEntry::Absent, text("1s")), Some("done"));
        took(&mut changes, "2", (text("1s"), FileEntry::Absent), Some("done"));
        assert_eq!(standing(changes), []);
    }

    #[test]
    fn what_was_not_done_does_not_stand_and_what_may_have_been_done_does() {
        for result in ["denied", "changed", "not sent", "refused", "gone", "timed out"] {
            let mut changes = Changes::default();
            took(&mut changes, "1", (FileEntry::Absent, text("1s")), Some(result));
            assert_eq!(standing(changes), [], "{result}");
        }
        for result in [Some("unknown"), None] {
            let mut changes = Changes::default();
            took(&mut changes, "1", (FileEntry::Absent, text("1s")), result);
            assert_eq!(standing(changes), [(FileEntry::Absent, text("1s"), false)], "{result:?}");
        }
    }

    #[test]
    fn an_undo_of_which_nothing_is_known_leaves_the_change_standing() {
        let mut changes = Changes::default();
        took(&mut changes, "1", (FileEntry::Absent, text("1s")), Some("done"));
        took(&mut changes, "2", (text("1s"), FileEntry::Absent), None);
        assert_eq!(standing(changes), [(FileEntry::Absent, FileEntry::Absent, false)]);
    }

    #[test]
    fn what_somebody_else_wrote_in_between_is_what_is_put_back() {
        let mut changes = Changes::default();
        took(&mut changes, "1", (FileEntry::Absent, text("1s")), Some("done"));
        took(&mut changes, "2", (text("3s"), text("5s")), Some("done"));
        assert_eq!(standing(changes), [(text("3s"), text("5s"), true)]);
    }

    #[test]
    fn a_place_is_named_as_on_the_screen() {
        for (words, named) in [
            ("server at \"db1\" (10.0.0.1), port 5432", "db1:5432"),
            ("server at \"::1\", port 5433", "[::1]:5433"),
            ("server on socket \"/run/postgresql/.s.PGSQL.5432\"", "/run/postgresql:5432"),
            ("db1:5432", "db1:5432"),
        ] {
            assert_eq!(place(words), named);
        }
    }

    #[test]
    fn a_log_that_is_not_there_tells_nothing_and_one_that_is_no_file_says_so() {
        let folder = tempfile::tempdir().unwrap();
        assert_eq!(history(&folder.path().join("audit.jsonl")), History::default());
        assert!(history(folder.path()).trouble.is_some_and(|why| why.contains("not a regular file")));
    }
}
