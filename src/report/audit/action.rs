//! The lines of each action joined: who did what to what, and what became of it.
//!
//! Every text in an [`Action`] is safe to print.

use std::collections::HashMap;

use crate::effect::audit::{Console, Ended, EndedRow, Entry, EventKind, Maintained, Place, Target};
use crate::model::unit::counted as counted_of;
use crate::model::{ServerText, Timestamp};

/// The most characters of a query in a row; the log holds it all.
const QUERY_MOST: usize = 60;

/// The most characters of any other word: a row is to be read.
const WORD_MOST: usize = 200;

/// One action, or one that was refused.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Action {
    /// The line that tells of it first.
    pub(super) line: u64,
    /// When that was.
    pub(super) time: String,
    /// Who sat at the console.
    pub(super) who: String,
    /// Where it was done.
    pub(super) place: String,
    /// `cancel`, `vacuum`.
    pub(super) what: &'static str,
    /// What it was done to.
    pub(super) target: String,
    reason: String,
    intended: bool,
    stopped: Option<String>,
    ended: Option<String>,
    verified: Option<String>,
}

impl Action {
    /// True where it was about to be sent and nobody recorded what became of it.
    pub(super) fn is_unknown(&self) -> bool {
        self.intended && self.ended.is_none()
    }

    /// The cells of its row.
    pub(super) fn cells(&self) -> [String; 7] {
        let ended = self.ended.clone().unwrap_or_else(|| "no outcome: unknown".to_owned());
        let outcome = [self.stopped.clone(), Some(ended), self.verified.clone()]
            .into_iter()
            .flatten()
            .collect::<Vec<_>>()
            .join("; ");
        let [time, who, place, target, reason] =
            [&self.time, &self.who, &self.place, &self.target, &self.reason].map(String::clone);
        [time, who, place, self.what.to_owned(), target, outcome, reason]
    }

    fn of(line: u64, entry: &Entry) -> Self {
        let (what, target) = target(&entry.target);
        let (who, place) = (who(&entry.console), place(&entry.server));
        Self { line, time: time(&entry.time), who, place, what, target, ..Self::default() }
    }

    fn learn(&mut self, entry: &Entry) {
        match entry.event {
            EventKind::Intent => {
                self.intended = true;
                self.reason = entry.reason.as_ref().map_or_else(String::new, |text| shown(text, WORD_MOST));
            }
            EventKind::Stop => {
                self.stopped = entry.stop.as_ref().map(|why| format!("stop asked for {}", shown(why, WORD_MOST)));
            }
            EventKind::Outcome => self.ended = entry.outcome.as_ref().map(ended),
            EventKind::Verified if entry.unverified.is_some() => {
                let why = entry.unverified.as_deref().unwrap_or_default();
                self.verified = Some(format!("not verified: {}", shown(why, WORD_MOST)));
            }
            EventKind::Verified => {
                let after = entry.after_ms.unwrap_or_default();
                // In the words of the screen: a cancel ends a statement, not its session.
                let (many, gone) = (matches!(entry.target, Target::Bulk { .. }), entry.gone == Some(true));
                let how = match (self.what == "cancel", many, gone) {
                    (true, false, true) => "the statement ended after",
                    (true, true, true) => "the statements ended after",
                    (true, false, false) => "the statement still runs after",
                    (true, true, false) => "still running after",
                    (false, _, true) => "gone after",
                    (false, _, false) => "still there after",
                };
                let left = match entry.left.len() {
                    0 => String::new(),
                    left => format!("{left} "),
                };
                self.verified = Some(format!("{left}{how} {}.{} s", after / 1000, after % 1000 / 100));
            }
            EventKind::Refused => {
                let why = entry.refusal.as_deref().unwrap_or_default();
                self.ended = Some(format!("refused: {}", shown(why, WORD_MOST)));
            }
        }
    }
}

/// All actions, in the order in which they began.
#[derive(Debug, Default)]
pub(super) struct Actions {
    list: Vec<Action>,
    by_id: HashMap<String, usize>,
    times: Option<(String, String)>,
}

impl Actions {
    /// Takes the next entry, which stands in this line.
    pub(super) fn take(&mut self, line: u64, entry: &Entry) {
        let time = shown(&entry.time, WORD_MOST);
        match &mut self.times {
            Some((_, last)) => *last = time,
            None => self.times = Some((time.clone(), time)),
        }
        let next = self.list.len();
        let at = *self.by_id.entry(entry.id.clone()).or_insert(next);
        if at == next {
            self.list.push(Action::of(line, entry));
        }
        if let Some(action) = self.list.get_mut(at) {
            action.learn(entry);
        }
    }

    pub(super) fn list(&self) -> &[Action] {
        &self.list
    }

    /// The times of the first and of the last entry.
    pub(super) fn times(&self) -> Option<(&str, &str)> {
        self.times.as_ref().map(|(first, last)| (first.as_str(), last.as_str()))
    }
}

fn shown(text: &str, most: usize) -> String {
    shown_text(&ServerText::from(text), most)
}

fn shown_text(text: &ServerText, most: usize) -> String {
    let cut = if text.raw().chars().nth(most).is_some() { "…" } else { "" };
    format!("{}{cut}", text.head(most))
}

/// To the second, in UTC.
fn time(text: &str) -> String {
    text.parse::<Timestamp>().map_or_else(|_| shown(text, WORD_MOST), |time| format!("{time:.0}"))
}

/// `alice@jump`; `alice as root@jump` where `sudo` said so.
fn who(console: &Console) -> String {
    let by = console.sudo_user.as_ref().map_or_else(String::new, |by| format!("{by} as "));
    shown(&format!("{by}{}@{}", console.user, console.host), WORD_MOST)
}

/// `db1:5432/shop as oncall`.
fn place(place: &Place) -> String {
    shown(&format!("{}/{} as {}", place.place, place.database, place.role), WORD_MOST)
}

fn target(target: &Target) -> (&'static str, String) {
    match target {
        Target::Cancel { pid, who, query, .. } => ("cancel", session(*pid, [&who.user, &who.database], query)),
        Target::Terminate { pid, who, query, .. } => ("terminate", session(*pid, [&who.user, &who.database], query)),
        Target::Bulk { signal, targets, .. } => {
            let at_once = if targets.len() == 1 { "" } else { " at once" };
            (signal.word(), format!("{}{at_once}: {}", counted_of(targets.len(), "session"), pids(targets)))
        }
        Target::Vacuum(what) => ("vacuum", maintained(what)),
        Target::Analyze(what) => ("analyze", maintained(what)),
        Target::Expire { table, .. } => ("expire", maintained(table)),
        Target::Reindex(what) => ("reindex", maintained(what)),
        Target::DropIndex(what) => ("drop index", maintained(what)),
        Target::Setting { name, now, was, to, .. } => {
            let [now, was, to] = [now.clone(), was.shown(), to.shown()].map(|text| shown(&text, WORD_MOST));
            ("set", format!("{}, {now} in force: {was} → {to}", shown(name, WORD_MOST)))
        }
        Target::Reload {} => ("reload", "the configuration files".to_owned()),
    }
}

fn maintained(what: &Maintained) -> String {
    let [database, name] = [&what.database, &what.name].map(|text| shown_text(text, WORD_MOST));
    match &what.schema {
        Some(schema) => format!("{}.{name} in {database}", shown_text(schema, WORD_MOST)),
        None => format!("all of {database}"),
    }
}

fn session(pid: i32, who: [&Option<ServerText>; 2], query: &ServerText) -> String {
    let [user, database] =
        who.map(|name| name.as_ref().map_or_else(|| "?".to_owned(), |name| shown_text(name, WORD_MOST)));
    format!("pid {pid}, {user}@{database}: {}", shown_text(query, QUERY_MOST))
}

/// The pids of a bulk action, as many as a row holds.
fn pids(targets: &[Target]) -> String {
    let pid = |target: &Target| match target {
        Target::Cancel { pid, .. } | Target::Terminate { pid, .. } => Some(pid.to_string()),
        Target::Bulk { .. }
        | Target::Vacuum(_)
        | Target::Analyze(_)
        | Target::Expire { .. }
        | Target::Reindex(_)
        | Target::DropIndex(_)
        | Target::Setting { .. }
        | Target::Reload {} => None,
    };
    shown(&targets.iter().filter_map(pid).collect::<Vec<_>>().join(", "), WORD_MOST)
}

/// `5 done, 1 gone`.
fn counted(rows: &[EndedRow]) -> String {
    let mut counts: Vec<(&str, usize)> = Vec::new();
    for row in rows {
        match counts.iter_mut().find(|(result, _)| *result == row.ended.result) {
            Some((_, count)) => *count += 1,
            None => counts.push((&row.ended.result, 1)),
        }
    }
    counts.into_iter().map(|(result, count)| format!("{count} {result}")).collect::<Vec<_>>().join(", ")
}

fn ended(ended: &Ended) -> String {
    if !ended.rows.is_empty() {
        return shown(&counted(&ended.rows), WORD_MOST);
    }
    let message = ended.message.as_ref().filter(|message| !message.is_empty());
    let text = message.map_or_else(|| ended.result.clone(), |message| format!("{}: {message}", ended.result));
    shown(&text, WORD_MOST)
}
