//! Events that are no keys: samples, time, the connection, news of our actions.

use super::App;
use super::mode::Mode;
use super::runbook::told;
use crate::command::Command;
use crate::diagnose::History;
use crate::guard::{Signal, StatementKey, Write};
use crate::message::{ActionNews, ActionStep, EachOutcome, Effect, Event, Outcome, WriterState};
use crate::model::{Question, Shown, Timestamp, Tone};

impl App {
    /// Takes one event in, and says what is to be done outside.
    pub fn update(&mut self, event: Event) -> Vec<Effect> {
        match event {
            Event::Key { chord, at } => {
                self.now = self.now.max(at);
                return self.press(chord, at);
            }
            Event::Resized { width, height } => self.resize((width, height)),
            Event::Drawn { at, shown } => self.drawn(at, shown),
            Event::Tick { at } => {
                self.now = self.now.max(at);
                self.forget_notice();
                self.say_writer();
                // Answers grow old without a word.
                self.look();
            }
            Event::Sample(sample) => {
                self.now = self.now.max(sample.at);
                let heard = self.take_alerts(&sample);
                let (question, took) = (sample.question.clone(), sample.took);
                let rest_s = self.world.sessions.rest_s();
                self.world.take(sample);
                if question == Question::Sessions {
                    self.remember_sessions(took, rest_s);
                } else if question == Question::Activity {
                    self.remember_activity();
                } else if matches!(question, Question::Relations { .. }) {
                    self.remember_scans();
                } else if question == Question::Replication {
                    self.remember_replay();
                }
                if self.frozen.is_none() {
                    match question {
                        Question::Sessions => {
                            self.drop_gone_marks();
                            self.rebuild_sessions();
                        }
                        Question::Relations { .. } | Question::ExactBloat(_) => self.rebuild_tables(),
                        Question::Indexes { .. } => self.rebuild_indexes(),
                        Question::Progress => self.rebuild_progress(),
                        Question::Replication => self.rebuild_replicas(),
                        Question::Statements { .. } => self.rebuild_statements(),
                        Question::Server
                        | Question::SessionLocks(_)
                        | Question::IndexDefinition { .. }
                        | Question::Plan(_)
                        | Question::Settings
                        | Question::CacheTable
                        | Question::Activity
                        | Question::Panel { .. }
                        | Question::PanelBefore { .. }
                        | Question::Targets
                        | Question::Rules { .. }
                        | Question::OtherAlerts
                        | Question::Silences
                        | Question::Health { .. }
                        | Question::Dependency { .. }
                        | Question::Pooler => {}
                    }
                }
                self.look();
                return heard;
            }
            Event::Link(link) => {
                if self.world.connect(link) {
                    self.triage.history = History::default();
                    self.marks.clear();
                    let place = self.world.place.clone().unwrap_or_default();
                    self.say(format!("another server answers now: {place}"), Tone::Warning);
                    self.rebuild();
                }
                self.look();
            }
            Event::Writer(state) => self.take_writer(state),
            Event::Looked { id, looked } => return self.looked(id, &looked),
            Event::History(history) => self.history = history,
            Event::Action(news) => self.take_news(news),
        }
        Vec::new()
    }

    /// The window has another size. What was seen of a question counts no more: its lines are others.
    fn resize(&mut self, size: (u16, u16)) {
        if self.size == size {
            return;
        }
        self.size = size;
        match &mut self.mode {
            Mode::Ask(prompt) => prompt.resized(),
            Mode::Plan(view) => view.seen.forget(),
            Mode::Normal
            | Mode::Filter { .. }
            | Mode::Pick(_)
            | Mode::Detail { .. }
            | Mode::Help { .. }
            | Mode::Settings(_)
            | Mode::Outcome { .. }
            | Mode::Leave => {}
        }
    }

    /// A frame is on the screen: a question can be answered from then on, a text scrolls no further than it goes.
    fn drawn(&mut self, at: Timestamp, shown: Option<Shown>) {
        let legible = self.has_room_to_ask();
        let Some(shown) = shown else { return };
        match &mut self.mode {
            Mode::Ask(prompt) if legible => prompt.drawn(at, shown),
            Mode::Plan(view) if legible => view.drawn(at, shown),
            Mode::Help { scroll } | Mode::Outcome { scroll, .. } => *scroll = shown.above,
            // Of the tabs only Triage has a text below its list.
            Mode::Normal => self.triage.below = shown.above,
            Mode::Filter { .. }
            | Mode::Pick(_)
            | Mode::Detail { .. }
            | Mode::Settings(_)
            | Mode::Ask(_)
            | Mode::Plan(_)
            | Mode::Leave => {}
        }
    }

    fn take_writer(&mut self, state: WriterState) {
        if self.writer != state {
            self.writer_unsaid = matches!(state, WriterState::Down(_));
        }
        self.writer = state;
        self.say_writer();
    }

    fn take_news(&mut self, news: ActionNews) {
        self.now = self.now.max(news.at);
        let Some(action) = self.actions.iter_mut().find(|a| a.id == news.id) else {
            if let ActionStep::Uncopied(why) = news.step {
                // Of an action that was refused.
                self.say(uncopied_words("a refusal", &why), Tone::Critical);
            }
            return;
        };
        let label = action.label.clone();
        let told = told(&news.step);
        let (text, tone) = match news.step {
            ActionStep::Started { pid } => {
                action.started = Some(news.at);
                if let Some(job) = &mut action.job {
                    job.pid = pid;
                }
                (format!("{label}: running"), Tone::Notice)
            }
            ActionStep::Progress(so_far) => (format!("{label}: {so_far}"), Tone::Notice),
            ActionStep::DeadRows { before, after } => {
                action.dead = Some((before, after));
                return;
            }
            ActionStep::Ended(outcome) => {
                let (text, tone) = outcome_words(&label, &outcome);
                action.outcome = Some(outcome);
                action.ended = Some(news.at);
                match action.in_vain() {
                    Some((database, at)) => (format!("{text}: {}", self.held_back(&database, at)), Tone::Warning),
                    None => (text, tone),
                }
            }
            ActionStep::Uncopied(why) => (uncopied_words(&label, &why), Tone::Critical),
            ActionStep::Unlogged(why) => {
                (format!("{label}: its outcome is NOT in the audit log: {why}"), Tone::Critical)
            }
            ActionStep::Verified { gone, after_ms } => {
                let cancelled = action.write.cancelled().is_some();
                let deaf = !gone && cancelled;
                action.deaf.extend(action.write.cancelled().filter(|_| deaf));
                let other = if deaf { self.other_key(Command::TerminateBackend) } else { String::new() };
                verified_words(&label, (cancelled, gone), &seconds(after_ms), &other)
            }
            ActionStep::Went { of, gone, after_ms } => {
                action.went.extend(gone.into_iter().map(|key| (key, after_ms)));
                let cancelled = matches!(&action.write, Write::Bulk(bulk) if bulk.signal == Signal::Cancel);
                let word = if cancelled { "ended" } else { "gone" };
                let said = format!("{label}: {} of {of} {word} within {}", action.went.len(), seconds(after_ms));
                action.verified = Some((said.clone(), Tone::Notice));
                (said, Tone::Notice)
            }
            ActionStep::VerifiedEach { of, left, after_ms } => {
                let cancelled = matches!(&action.write, Write::Bulk(bulk) if bulk.signal == Signal::Cancel);
                let other = if cancelled && !left.is_empty() {
                    self.other_key(Command::TerminateBackend)
                } else {
                    String::new()
                };
                let said = each_words(&label, cancelled, (of, &left), &seconds(after_ms), &other);
                if let Some(action) = self.actions.iter_mut().find(|a| a.id == news.id) {
                    action.deaf.extend(left.iter().filter(|_| cancelled).cloned());
                    action.left = Some(left);
                    action.verified = Some(said.clone());
                }
                said
            }
            ActionStep::Unverified(why) => {
                let said = (format!("{label}: whether it took effect could not be verified: {why}"), Tone::Warning);
                action.verified = Some(said.clone());
                said
            }
        };
        self.step_told(news.id, told, &text);
        self.say(text, tone);
    }
}

fn uncopied_words(label: &str, why: &str) -> String {
    format!("{label}: its line in the audit log has NO copy in the system's log: {why}")
}

/// What the looks after a signal to several sessions are called.
fn each_words(
    label: &str,
    cancelled: bool,
    (of, left): (usize, &[StatementKey]),
    after: &str,
    other: &str,
) -> (String, Tone) {
    if left.is_empty() {
        let word = if cancelled { "ended" } else { "gone" };
        return (format!("{label}: {of} of {of} {word} within {after}"), Tone::Good);
    }
    let pids: Vec<String> = left.iter().take(8).map(|key| key.session.pid.to_string()).collect();
    let more = if left.len() > 8 { ", …" } else { "" };
    let still = if cancelled { "still run" } else { "are still there" };
    let (count, pids) = (left.len(), pids.join(", "));
    (format!("{label}: {count} of {of} {still} {after} after the signal: {pids}{more}{other}"), Tone::Warning)
}

/// `5 signals sent, 1 already gone, 1 no longer the same`: what a bulk action came to.
fn counted(each: &[EachOutcome]) -> String {
    let mut counts: Vec<(&str, usize)> = Vec::new();
    for one in each {
        let word = outcome_word(&one.outcome);
        match counts.iter_mut().find(|(known, _)| *known == word) {
            Some((_, count)) => *count += 1,
            None => counts.push((word, 1)),
        }
    }
    let words = counts.into_iter().map(|(word, count)| match (word, count) {
        ("signal sent", 2..) => format!("{count} signals sent"),
        _ => format!("{count} {word}"),
    });
    words.collect::<Vec<_>>().join(", ")
}

/// An outcome in a word or two, for a row of a table.
#[must_use]
pub fn outcome_word(outcome: &Outcome) -> &'static str {
    match outcome {
        Outcome::Done(_) => "signal sent",
        Outcome::Written(_) => "written, not in force",
        Outcome::Each(_) => "each",
        Outcome::Gone => "already gone",
        Outcome::Changed(_) => "no longer the same",
        Outcome::Skipped(_) => "skipped",
        Outcome::Denied { .. } => "not permitted",
        Outcome::TimedOut(_) => "timed out",
        Outcome::Cancelled(_) => "stopped",
        Outcome::Refused(_) => "refused by the server",
        Outcome::NotSent(_) => "not sent",
        Outcome::Unknown(_) => "unknown",
    }
}

/// What the look after a signal is called; `other` names what can still help.
fn verified_words(label: &str, (cancelled, gone): (bool, bool), after: &str, other: &str) -> (String, Tone) {
    match (cancelled, gone) {
        (true, true) => (format!("{label}: the statement ended after {after}"), Tone::Good),
        (true, false) => (format!("{label}: the statement still runs {after} after the cancel{other}"), Tone::Warning),
        (false, true) => (format!("{label}: gone after {after}"), Tone::Good),
        (false, false) => (format!("{label}: the session is still there {after} after the signal"), Tone::Warning),
    }
}

/// Milliseconds as seconds: `0.5 s`.
#[must_use]
#[expect(clippy::cast_precision_loss, reason = "milliseconds shown with one decimal")]
pub fn seconds(ms: u64) -> String {
    format!("{:.1} s", ms as f64 / 1000.0)
}

/// What an outcome is called: what the server did, not what was asked.
#[must_use]
pub fn outcome_words(label: &str, outcome: &Outcome) -> (String, Tone) {
    match outcome {
        Outcome::Done(words) => (format!("{label}: {words}"), Tone::Good),
        Outcome::Written(words) => (format!("{label}: {words}"), Tone::Warning),
        Outcome::Each(each) => {
            let all = each.iter().all(|one| matches!(one.outcome, Outcome::Done(_)));
            (format!("{label}: {}", counted(each)), if all { Tone::Good } else { Tone::Warning })
        }
        Outcome::Gone => (format!("{label}: already gone, nothing was sent"), Tone::Notice),
        Outcome::Changed(now) => (format!("{label}: not sent, it is no longer the same: {now}"), Tone::Warning),
        Outcome::Skipped(warning) => (format!("{label}: skipped by the server: {warning}"), Tone::Warning),
        Outcome::Denied { message, cure } => (format!("{label}: not permitted: {message} → {cure}"), Tone::Critical),
        Outcome::TimedOut(words) => (format!("{label}: timed out: {words}"), Tone::Warning),
        Outcome::Cancelled(words) => (format!("{label}: stopped: {words}"), Tone::Notice),
        Outcome::Refused(words) => (format!("{label}: refused by the server: {words}"), Tone::Critical),
        Outcome::NotSent(words) => (format!("{label}: NOT sent: {words}"), Tone::Critical),
        Outcome::Unknown(words) => (format!("{label}: outcome unknown: {words}"), Tone::Critical),
    }
}
