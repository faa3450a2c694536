//! The columns of Locks: the forest, what each holds or waits for, whom it holds up, what helps.

use std::fmt::Write as _;

use super::{Advice, LockRow, Who};
use crate::app::tab::connections::short_mode;
use crate::app::tab::{age_cell, text_cell, text_key};
use crate::model::session::{Session, State};
use crate::model::{ServerText, Tone};
use crate::table::{Cell, Column, Direction, SortKey, Width};

impl LockRow {
    /// `├─ 4802`, `└─ 35 readers`: the rails, and who.
    fn branch(&self) -> String {
        let mut out = String::new();
        for (i, last) in self.rails.iter().enumerate() {
            let own = i + 1 == self.rails.len();
            out.push_str(match (own, last) {
                (true, true) => "└─ ",
                (true, false) => "├─ ",
                (false, true) => "   ",
                (false, false) => "│  ",
            });
        }
        out.push_str(&self.name());
        if self.more > 0 {
            let _ = write!(out, " +{}", self.more);
        }
        out
    }

    fn name(&self) -> String {
        match &self.who {
            Who::Session(row) => format!("{}{}", if row.marked { "*" } else { "" }, row.session.pid),
            Who::Alike { count, oldest, .. } => format!("{count} {}", kind(&oldest.session)),
            Who::Prepared(_) => "prepared".to_owned(),
            Who::Circle(pids) => format!("deadlock of {}", pids.len()),
            Who::Unseen(pid) => pid.to_string(),
        }
    }

    fn state(&self) -> String {
        match &self.who {
            Who::Session(row) if row.session.prevents_wraparound() => "wraparound".to_owned(),
            Who::Session(row) => row.state_word(),
            Who::Alike { open: true, .. } => "unfolded".to_owned(),
            Who::Alike { .. } => "⏎ unfolds".to_owned(),
            Who::Circle(_) | Who::Prepared(_) => String::new(),
            Who::Unseen(_) => "not seen".to_owned(),
        }
    }

    /// Seconds: how long it has waited; of who waits for nothing how long it holds its transaction or runs.
    fn age(&self) -> Option<f64> {
        match &self.who {
            Who::Session(row) | Who::Alike { oldest: row, .. } => {
                let s = &row.session;
                let idle = s.state.is_some_and(State::is_idle_in_transaction);
                let waited = s.waits_for.as_ref().and_then(|w| w.waited_s);
                waited.or(if idle { s.xact_s } else { s.query_s })
            }
            Who::Prepared(prepared) => prepared.as_ref().map(|p| p.age_s),
            Who::Circle(_) | Who::Unseen(_) => None,
        }
    }

    fn lock(&self) -> String {
        let session = match &self.who {
            Who::Session(row) | Who::Alike { oldest: row, .. } => &row.session,
            Who::Circle(_) => return "each waits for another of them".to_owned(),
            Who::Prepared(_) | Who::Unseen(_) => return String::new(),
        };
        if let Some(wait) = &session.waits_for {
            return format!("waits {}", lock(&wait.mode, &wait.locktype, wait.relation.as_ref()));
        }
        match (&session.holds, &session.wait) {
            (Some(held), _) => {
                let more = if held.locks > 1 { format!(" +{}", held.locks - 1) } else { String::new() };
                format!("holds {}{more}", lock(&held.mode, &held.locktype, held.relation.as_ref()))
            }
            (None, Some(wait)) if !session.blocked_by.is_empty() => {
                format!("waits {}", ServerText::from(wait.event.as_str()).head(24))
            }
            (None, _) => String::new(),
        }
    }

    fn text(&self) -> ServerText {
        match &self.who {
            Who::Session(row) | Who::Alike { oldest: row, .. } => row.session.query.clone(),
            Who::Prepared(Some(p)) => ServerText::new(format!("'{}' in {}", p.gid.raw(), p.database.raw())),
            Who::Prepared(None) => "one of several prepared transactions".into(),
            Who::Circle(pids) => {
                let list: Vec<String> = pids.iter().map(ToString::to_string).collect();
                ServerText::new(format!("{}: the server ends one after deadlock_timeout", list.join(", ")))
            }
            Who::Unseen(_) => "gone since, or one of our own".into(),
        }
    }

    fn person(&self) -> String {
        let session = match &self.who {
            Who::Session(row) => &row.session,
            Who::Prepared(Some(p)) => return format!("{}@{}", p.owner.head(20), p.database.head(20)),
            Who::Alike { .. } | Who::Prepared(None) | Who::Circle(_) | Who::Unseen(_) => return String::new(),
        };
        let name = |text: Option<&ServerText>| text.map_or_else(String::new, |t| t.head(20));
        let app = if session.application.is_empty() { String::new() } else { session.application.head(20) };
        match (&session.user, &session.database) {
            (None, None) => app,
            (user, database) => {
                let gap = if app.is_empty() { "" } else { " " };
                format!("{app}{gap}{}@{}", name(user.as_ref()), name(database.as_ref()))
            }
        }
    }

    fn next(&self) -> &'static str {
        self.advice().map_or("", Advice::word)
    }

    fn queue(&self) -> &'static str {
        if self.starts_queue { "← queue starts here" } else { "" }
    }
}

/// `AccessExclusive orders`; what is no relation by its kind.
fn lock(mode: &str, locktype: &str, relation: Option<&ServerText>) -> String {
    let mode = ServerText::from(short_mode(mode)).head(30);
    let locktype = ServerText::from(locktype).head(24);
    match (locktype.as_str(), relation) {
        ("relation", Some(relation)) => format!("{mode} {}", relation.head(60)),
        ("tuple", Some(relation)) => format!("row of {}", relation.head(60)),
        ("transactionid", _) => "transactionid".to_owned(),
        (kind, Some(relation)) => format!("{mode} {kind} {}", relation.head(60)),
        (kind, None) => format!("{mode} {kind}"),
    }
}

/// What alike waiters are called.
fn kind(session: &Session) -> &'static str {
    match session.waits_for.as_ref().map(|w| (w.locktype.as_str(), w.mode.as_str())) {
        Some(("relation", "AccessShareLock")) => "readers",
        Some(("relation", "RowShareLock" | "RowExclusiveLock")) => "writers",
        Some(_) | None => "waiters",
    }
}

#[expect(clippy::cast_precision_loss, reason = "a count of sessions")]
fn count(figure: usize) -> SortKey {
    SortKey::Number(figure as f64)
}

/// Columns of Locks.
pub const COLUMNS: &[Column<LockRow>] = &[
    Column {
        name: "forest",
        title: "pid",
        doc: "who waits behind whom, the root that costs most session seconds first; +1 where it waits for one more",
        width: Width::Fit(4, 34),
        cell: |r| Cell::toned(r.branch(), r.tone()),
        key: |r| count(r.place),
        ..Column::TEXT
    },
    Column {
        name: "state",
        title: "state",
        doc: "what the session does",
        width: Width::Fit(0, 12),
        rank: 3,
        cell: |r| Cell::toned(r.state(), r.tone()),
        key: |r| SortKey::Text(r.state()),
        ..Column::TEXT
    },
    Column {
        name: "age",
        title: "age",
        doc: "how long it has waited; of who waits for nobody how old its transaction or statement is",
        width: Width::Fixed(4),
        rank: 2,
        cell: |r| age_cell(r.age(), r.tone()),
        key: |r| SortKey::number(r.age()),
        ..Column::AGE
    },
    Column {
        name: "who",
        title: "who",
        doc: "application, role and database",
        width: Width::Fit(0, 26),
        rank: 6,
        cell: |r| Cell::toned(r.person(), Tone::Faint),
        key: |r| SortKey::Text(r.person()),
        ..Column::TEXT
    },
    Column {
        name: "lock",
        title: "lock",
        doc: "the lock that it waits for, or holds while others wait for it",
        width: Width::Fit(0, 36),
        rank: 2,
        cell: |r| Cell::toned(r.lock(), r.tone()),
        key: |r| SortKey::Text(r.lock()),
        ..Column::TEXT
    },
    Column {
        name: "blocks",
        title: "blocks",
        doc: "sessions that wait behind it, directly or through others",
        width: Width::Fit(2, 6),
        rank: 1,
        cell: |r| if r.blocks == 0 { Cell::none() } else { Cell::toned(r.blocks.to_string(), r.tone()) },
        key: |r| count(r.blocks),
        ..Column::FIGURE
    },
    Column {
        name: "frees",
        title: "frees",
        doc: "how many of them could go on if it alone went: whose every blocker ends with it; ≤ where others may share the row",
        width: Width::Fit(2, 5),
        rank: 3,
        cell: |r| {
            let known = r.blocks > 0 && matches!(r.who, Who::Session(_) | Who::Prepared(_) | Who::Unseen(_));
            if known {
                Cell::toned(if r.unsure { format!("≤{}", r.frees) } else { r.frees.to_string() }, r.tone())
            } else {
                Cell::none()
            }
        },
        key: |r| count(r.frees),
        ..Column::FIGURE
    },
    Column {
        name: "next",
        title: "what helps",
        doc: "what helps with a root, and with the head of a queue",
        width: Width::Fit(0, 11),
        cell: |r| Cell::toned(r.next(), r.tone()),
        key: |r| SortKey::Text(r.next().to_owned()),
        ..Column::TEXT
    },
    Column {
        name: "queue",
        title: "",
        doc: "where a queue starts: a strong lock that is itself only awaited",
        width: Width::Fit(0, 19),
        rank: 4,
        first: Direction::Descending,
        cell: |r| Cell::toned(r.queue(), r.tone()),
        key: |r| SortKey::Text(r.queue().to_owned()),
        ..Column::TEXT
    },
    Column {
        name: "query",
        title: "statement",
        doc: "text of the statement; of the last one for an idle session",
        width: Width::Rest(12),
        rank: 5,
        cell: |r| text_cell(Some(&r.text()), if r.root { Tone::Faint } else { Tone::Plain }),
        key: |r| text_key(Some(&r.text())),
        ..Column::TEXT
    },
];
