//! What our role may do to a table, asked after the server would not do it.

use crate::guard::{Object, Owner, Statement, Task, cure};
use crate::model::ServerText;
use crate::postgres::Link;

use super::super::session::{ask, cell};
use super::DEADLINE;

/// From this version on there is `MAINTAIN`.
const MAINTAIN_SINCE: u32 = 170_000;

/// Ends a line of `maintain_rights.sql` that only such a server understands.
const MAINTAIN_TAG: &str = "--[>=17]";

/// What `maintain_rights.sql` answers.
#[derive(Debug, Default)]
pub(super) struct Rights {
    role: Option<ServerText>,
    owner: Option<ServerText>,
    owner_is_superuser: bool,
    may_vacuum: Option<bool>,
    may_reindex: Option<bool>,
}

/// Asks for our rights to the table that is worked on, or to the whole database.
pub(super) async fn rights(link: &mut Link, target: &Object) -> Rights {
    let all = include_str!("../sql/maintain_rights_all.sql");
    let one = include_str!("../sql/maintain_rights.sql");
    let (sql, parameters) = match target.table() {
        Some(table) => (one, vec![Some(table.key.oid.to_string())]),
        None => (all, Vec::new()),
    };
    let sql = for_version(sql, link.facts().version);
    let rows = ask(link, &Statement { sql, parameters }, DEADLINE).await.unwrap_or_default();
    let text = |column| cell(rows.first(), column).map(ServerText::from);
    let flag = |column| cell(rows.first(), column).map(|value| value == "true");
    Rights {
        role: text("role"),
        owner: text("owner"),
        owner_is_superuser: flag("owner_is_superuser") == Some(true),
        may_vacuum: flag("may_vacuum"),
        may_reindex: flag("may_reindex"),
    }
}

/// The statement without what that version does not know.
fn for_version(sql: &str, version: u32) -> String {
    let known = |line: &&str| version >= MAINTAIN_SINCE || !line.ends_with(MAINTAIN_TAG);
    sql.lines().filter(known).fold(String::new(), |text, line| text + line + "\n")
}

impl Rights {
    /// Whether it may do `task`; none where that could not be asked.
    pub(super) fn may(&self, task: Task) -> Option<bool> {
        match task {
            Task::VacuumAnalyze | Task::Analyze => self.may_vacuum,
            Task::Reindex | Task::DropInvalid => self.may_reindex,
        }
    }

    /// What would allow it.
    pub(super) fn cure(&self, link: &Link, task: Task, target: &Object) -> String {
        let owner = self.owner.as_ref().map(|name| Owner { name, superuser: self.owner_is_superuser });
        let version = i32::try_from(link.facts().version).unwrap_or(i32::MAX);
        cure((task, target), owner, self.role.as_ref(), version)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_server_before_17_is_not_asked_for_a_privilege_that_it_does_not_know() {
        for sql in [include_str!("../sql/maintain_rights.sql"), include_str!("../sql/maintain_rights_all.sql")] {
            let asks =
                |version| for_version(sql, version).lines().any(|l| !l.starts_with("--") && l.contains("aintain"));
            assert!(asks(170_000) || for_version(sql, 170_000).contains("'MAINTAIN'"));
            assert!(!asks(160_011) && !for_version(sql, 160_011).contains("'MAINTAIN'"));
        }
    }
}
