//! What this console's log tells of settings that were changed and not changed back.
//!
//! It is told here and read elsewhere: nothing in here opens a file.

use serde::{Deserialize, Serialize};

use super::Entry;

/// A change of ours that nobody undid from here.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Change {
    /// The action's id in the log.
    pub id: String,
    /// When it was confirmed, in UTC.
    pub time: String,
    /// Who did it: `alice@jump`.
    pub who: String,
    /// Where, such as `db1:5432`.
    pub place: String,
    /// The server's `system_identifier`, where it was known.
    pub system_identifier: Option<String>,
    /// True where that was a standby: it shares its identifier with its primary.
    pub in_recovery: bool,
    /// The setting.
    pub name: String,
    /// What stood in `postgresql.auto.conf` before the first of our changes.
    pub was: Entry,
    /// What our last change wrote there.
    pub to: Entry,
    /// False where nobody recorded what became of it.
    pub known: bool,
}

impl Change {
    /// True where it was made on the server at `place` with that identity.
    #[must_use]
    pub fn is_of(&self, place: Option<&str>, system_identifier: Option<&str>, in_recovery: bool) -> bool {
        match (self.system_identifier.as_deref(), system_identifier) {
            (Some(then), Some(now)) if then != now => false,
            // Where a standby was promoted, its place tells that it is the same one.
            (Some(_), Some(_)) if self.in_recovery == in_recovery => true,
            (Some(_) | None, Some(_) | None) => place == Some(self.place.as_str()),
        }
    }
}

/// What the log tells, and what it cannot.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct History {
    /// The changes that stand, oldest first.
    pub changes: Vec<Change>,
    /// Time of its first line: what was done before is in no file that was read.
    pub since: Option<String>,
    /// Why it could not be read, or not all of it.
    pub trouble: Option<String>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_change_belongs_to_its_server_and_not_to_the_standby_beside_it() {
        let change = Change {
            id: "1".to_owned(),
            time: String::new(),
            who: String::new(),
            place: "db1:5432".to_owned(),
            system_identifier: Some("7".to_owned()),
            in_recovery: false,
            name: "work_mem".to_owned(),
            was: Entry::Absent,
            to: Entry::Text("128MB".into()),
            known: true,
        };
        assert!(change.is_of(Some("127.0.0.1:5432"), Some("7"), false), "by another name");
        assert!(change.is_of(Some("db1:5432"), None, false), "its identifier may not be read today");
        assert!(change.is_of(Some("db1:5432"), Some("7"), true), "it is a standby by now");
        assert!(!change.is_of(Some("db2:5432"), Some("7"), true), "its standby has a file of its own");
        assert!(!change.is_of(Some("db1:5432"), Some("8"), false), "another server at the same place");
        assert!(!change.is_of(Some("db2:5432"), None, false));
    }
}
