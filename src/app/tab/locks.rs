//! 4 Locks: the forest of who waits behind whom, as rows; who of them is folded, and what helps with each.

mod columns;

pub use columns::COLUMNS;

use super::connections::SessionRow;
use crate::model::lock::forest::{self, Node, What};
use crate::model::lock::{LockGraph, Weight};
use crate::model::session::{Prepared, Session, SessionKey, Sessions, State};
use crate::model::{ServerText, Tone};
use crate::table::Row;

/// A row's identity: the selection follows it while the forest changes its shape.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum LockKey {
    /// A session, wherever it hangs.
    Session(SessionKey),
    /// Alike waiters, whoever comes and goes among them.
    Alike(Box<Likeness>),
    /// A prepared transaction.
    Prepared(ServerText),
    /// A deadlock of these.
    Circle(Vec<i32>),
    /// A blocker that is not among the sessions that we see.
    Unseen(i32),
}

/// What alike waiters have in common.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Likeness {
    locktype: String,
    mode: String,
    relation: Option<ServerText>,
    /// How many such groups stand before it.
    nth: usize,
}

/// Who stands in a row.
#[derive(Debug, Clone, PartialEq)]
pub enum Who {
    /// A session.
    Session(Box<SessionRow>),
    /// Alike waiters: how many, whether their lines are shown below, and the one that has waited longest.
    Alike {
        /// How many.
        count: usize,
        /// True where each has its line below.
        open: bool,
        /// Who has waited longest.
        oldest: Box<SessionRow>,
    },
    /// A prepared transaction; none where which one it is could not be read.
    Prepared(Option<Box<Prepared>>),
    /// A deadlock.
    Circle(Vec<i32>),
    /// A pid that is not among the sessions: one of ours, or gone since.
    Unseen(i32),
}

/// A line of the forest.
#[derive(Debug, Clone, PartialEq)]
pub struct LockRow {
    /// Its identity.
    pub key: LockKey,
    /// Who.
    pub who: Who,
    /// Its place, from the top.
    pub place: usize,
    /// For each level down to this one: whether it is the last there. Empty for a root, and where the list is no forest.
    pub rails: Vec<bool>,
    /// True where it waits for nobody.
    pub root: bool,
    /// Who waits behind it.
    pub blocks: usize,
    /// How many of them could go on if it went.
    pub frees: usize,
    /// True where it may be fewer: others may lock the same row.
    pub unsure: bool,
    /// Further blockers, beside the one that it hangs under.
    pub more: usize,
    /// True where a queue starts.
    pub starts_queue: bool,
}

impl Row for LockRow {
    type Key = LockKey;

    fn key(&self) -> LockKey {
        self.key.clone()
    }
}

/// What helps with a root or a head of a queue.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Advice {
    /// Cancel its statement.
    Cancel,
    /// Terminate it: no cancel reaches an idle session.
    Terminate,
    /// Only SQL helps, to be copied.
    Sql,
    /// Leave it: it keeps the server from stopping at the wraparound limit.
    Leave,
    /// Its cause is on the primary.
    Primary,
    /// The server ends it by itself.
    Wait,
    /// It has committed, and waits for a standby.
    Standby,
}

impl Advice {
    /// In the room of a cell.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Cancel => "▸ cancel",
            Self::Terminate => "▸ terminate",
            Self::Sql => "▸ SQL",
            Self::Leave => "▸ leave it",
            Self::Primary => "▸ primary",
            Self::Standby => "▸ standby",
            Self::Wait => "▸ wait",
        }
    }
}

/// How the forest is shown.
#[derive(Debug, Clone, Copy)]
pub struct Shape<'a> {
    /// Groups whose members have their own lines.
    pub unfolded: &'a [Likeness],
    /// The selected row: a group that holds it is open, so that it is never lost in one.
    pub selected: Option<&'a LockKey>,
    /// True where each session has its line and none hangs under another: for a filter or another order.
    pub flat: bool,
}

impl LockRow {
    /// All lines, top to bottom.
    #[must_use]
    pub fn all(sessions: &Sessions, graph: &LockGraph, shape: Shape<'_>) -> Vec<Self> {
        if graph.is_empty() {
            return Vec::new();
        }
        let mut rows = Vec::new();
        // Each prepared transaction is a root of its own.
        let split = graph.pids().contains(&0).then(|| LockGraph::split(sessions));
        let graph = split.as_ref().unwrap_or(graph);
        let book = Book { sessions, graph };
        let mut groups: Vec<Likeness> = Vec::new();
        for node in forest::of(&sessions.rows, graph) {
            match &node.what {
                What::One(pid) => rows.push(book.one(*pid, &node)),
                What::Circle(pids) => rows.extend(book.circle(pids, &node)),
                What::Alike(pids) => {
                    let Some(row) = book.alike(pids, &node, &mut groups, shape) else { continue };
                    let open = matches!(row.who, Who::Alike { open: true, .. });
                    rows.extend((!shape.flat).then_some(row));
                    if open || shape.flat {
                        rows.extend(pids.iter().enumerate().map(|(i, pid)| {
                            let mut rails = node.rails.clone();
                            rails.push(i + 1 == pids.len());
                            let below = Node { what: What::One(*pid), rails, starts_queue: false, ..node.clone() };
                            book.one(*pid, &below)
                        }));
                    }
                }
            }
        }
        for (place, row) in rows.iter_mut().enumerate() {
            row.place = place;
            if shape.flat {
                row.rails.clear();
            }
        }
        rows
    }

    /// The session of the row, where it is one, with its place and mark.
    #[must_use]
    pub fn row(&self) -> Option<&SessionRow> {
        match &self.who {
            Who::Session(row) => Some(row),
            Who::Alike { .. } | Who::Prepared(_) | Who::Circle(_) | Who::Unseen(_) => None,
        }
    }

    /// The session of the row, where it is one.
    #[must_use]
    pub fn session(&self) -> Option<&Session> {
        self.row().map(|row| &row.session)
    }

    /// The session, or the one that stands for many.
    #[must_use]
    pub fn shown(&self) -> Option<&SessionRow> {
        match &self.who {
            Who::Session(row) | Who::Alike { oldest: row, .. } => Some(row),
            Who::Prepared(_) | Who::Circle(_) | Who::Unseen(_) => None,
        }
    }

    /// What helps here; none for who only waits, and where what would help is not known.
    #[must_use]
    pub fn advice(&self) -> Option<Advice> {
        let session = match &self.who {
            Who::Prepared(_) => return Some(Advice::Sql),
            Who::Circle(_) => return Some(Advice::Wait),
            Who::Unseen(_) => return None,
            Who::Alike { .. } => return self.starts_queue.then_some(Advice::Cancel),
            Who::Session(row) => &row.session,
        };
        if session.prevents_wraparound() {
            return (self.blocks > 0).then_some(Advice::Leave);
        }
        if session.backend_type.as_deref() == Some("startup") {
            return Some(Advice::Primary);
        }
        if !self.root {
            return self.starts_queue.then_some(Advice::Cancel);
        }
        if session.awaits_standby() {
            return Some(Advice::Standby);
        }
        match session.state {
            Some(State::IdleInTransaction | State::IdleInTransactionAborted | State::Idle) => Some(Advice::Terminate),
            Some(State::Active | State::Fastpath) => Some(Advice::Cancel),
            Some(State::Starting | State::Disabled) | None => None,
        }
    }

    /// Why no session can be signalled here.
    #[must_use]
    pub fn no_target(&self) -> &'static str {
        match &self.who {
            Who::Session(_) => "the selected session is gone: select another",
            Who::Alike { .. } => "many wait here: Enter gives each its line, then select one",
            Who::Prepared(_) => "a prepared transaction has no session: only SQL ends it",
            Who::Circle(_) => "a deadlock: the server ends one of them after deadlock_timeout; or select one below",
            Who::Unseen(_) => "it is not among the sessions that we see: it is gone, or one of our own",
        }
    }

    /// How loud the row is.
    #[must_use]
    pub fn tone(&self) -> Tone {
        if self.root || matches!(self.who, Who::Circle(_)) {
            Tone::Critical
        } else if self.starts_queue || self.blocks > 0 {
            Tone::Warning
        } else {
            Tone::Plain
        }
    }
}

/// What a line is made from.
struct Book<'a> {
    sessions: &'a Sessions,
    graph: &'a LockGraph,
}

impl Book<'_> {
    fn row(&self, pid: i32) -> Option<SessionRow> {
        let session = self.sessions.rows.iter().find(|s| s.pid == pid)?;
        Some(SessionRow::of(session, self.graph))
    }

    fn one(&self, pid: i32, node: &Node) -> LockRow {
        let weight = self.graph.weight(pid);
        let (key, who) = match self.row(pid) {
            Some(row) => (LockKey::Session(row.key()), Who::Session(Box::new(row))),
            None if pid <= 0 => {
                let at = pid.checked_neg().and_then(|n| usize::try_from(n).ok()?.checked_sub(1));
                let which = at.and_then(|at| self.sessions.prepared.get(at)).cloned().map(Box::new);
                let gid = which.as_ref().map_or_else(ServerText::default, |p| p.gid.clone());
                (LockKey::Prepared(gid), Who::Prepared(which))
            }
            None => (LockKey::Unseen(pid), Who::Unseen(pid)),
        };
        let Weight { blocks, frees, unsure } = weight;
        LockRow { blocks, frees, unsure, ..line(key, who, node) }
    }

    fn circle(&self, pids: &[i32], node: &Node) -> Option<LockRow> {
        let blocks = self.graph.blocks(*pids.first()?).len() + 1;
        Some(LockRow { blocks, ..line(LockKey::Circle(pids.to_vec()), Who::Circle(pids.to_vec()), node) })
    }

    fn alike(&self, pids: &[i32], node: &Node, before: &mut Vec<Likeness>, shape: Shape<'_>) -> Option<LockRow> {
        let oldest = self.row(*pids.first()?)?;
        let lock = oldest.session.waits_for.as_ref()?;
        let mut likeness = Likeness {
            locktype: lock.locktype.clone(),
            mode: lock.mode.clone(),
            relation: lock.relation.clone(),
            nth: 0,
        };
        likeness.nth = before.iter().filter(|b| Likeness { nth: 0, ..(*b).clone() } == likeness).count();
        before.push(likeness.clone());
        let selected = match shape.selected {
            Some(LockKey::Session(key)) => pids.contains(&key.pid),
            Some(_) | None => false,
        };
        let open = selected || shape.unfolded.contains(&likeness);
        let outside = |pid: &i32| self.graph.blocks(*pid).iter().filter(|w| !pids.contains(w)).count();
        let blocks = pids.iter().map(outside).max().unwrap_or(0);
        let who = Who::Alike { count: pids.len(), open, oldest: Box::new(oldest) };
        Some(LockRow { blocks, ..line(LockKey::Alike(Box::new(likeness)), who, node) })
    }
}

fn line(key: LockKey, who: Who, node: &Node) -> LockRow {
    LockRow {
        key,
        who,
        place: 0,
        root: node.rails.is_empty(),
        rails: node.rails.clone(),
        blocks: 0,
        frees: 0,
        unsure: false,
        more: node.more,
        starts_queue: node.starts_queue,
    }
}
