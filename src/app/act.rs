//! From a command to an effect: asking for an action, taking an approved one, stopping a job.

use super::App;
use super::action::{Action, Job};
use super::look::Once;
use super::mode::{Mode, Subject};
use super::part::Part;
use super::tab::connections::SessionRow;
use super::tab::locks::LockRow;
use super::tab::tables::TableRow;
use crate::command::{Command, Tab};
use crate::guard::{
    Answer, Approved, Looked, Object, Policy, Prompt, Refusal, Scene, Signal, Task, Verdict, Write, judge, needs_look,
};
use crate::keymap::Chord;
use crate::message::Effect;
use crate::model::relation::RelationKey;
use crate::model::session::SessionKey;
use crate::model::{Question, Timestamp, Tone};
use crate::table::Row;

/// Columns and lines that a question needs: whom it hits, the statement's head, the answer. A telephone has 40×10.
const LEAST_TO_ASK: (u16, u16) = (30, 8);

impl App {
    /// True where a question can be read: in a smaller window than this its box is a frame without words, or nothing
    /// at all, and no key may answer what nobody saw.
    #[must_use]
    pub fn has_room_to_ask(&self) -> bool {
        let (width, height) = self.size;
        width >= LEAST_TO_ASK.0 && height >= LEAST_TO_ASK.1
    }

    /// The session that a command means: the one whose detail is open, or the selected one.
    #[must_use]
    pub fn current_session(&self) -> Option<&SessionRow> {
        if let Mode::Detail { of: Subject::Session(key), .. } = &self.mode {
            return self.session_row(key);
        }
        // An alert, the health, or the figures of a finding are about no session, whatever finding is selected below it.
        if matches!(self.mode, Mode::Detail { of: Subject::Alert(_) | Subject::Health(_) | Subject::Figures(_), .. }) {
            return None;
        }
        match self.tab {
            Tab::Connections => self.connections.current(),
            Tab::Slow => self.slow.current(),
            // What a finding is about, wherever its row stands.
            Tab::Triage => self.session_row(self.meant_finding()?.target.session()?),
            Tab::Locks => self.locks.current().and_then(LockRow::session).and_then(|s| self.session_row(&s.key())),
            Tab::Tables => self.session_row(&self.current_progress()?.key()),
            Tab::Replication | Tab::Latency | Tab::Cache | Tab::Statements => None,
        }
    }

    /// The row of that session, whatever the filter.
    #[must_use]
    pub fn session_row(&self, key: &SessionKey) -> Option<&SessionRow> {
        self.connections.all().iter().find(|r| r.key() == *key)
    }

    /// The row of that table, whatever the filter and the order.
    #[must_use]
    pub fn table_row(&self, key: &RelationKey) -> Option<&TableRow> {
        self.tables.all().iter().chain(&self.tables_beside).find(|r| r.key() == *key)
    }

    /// The table that a command means.
    #[must_use]
    pub fn current_table(&self) -> Option<&TableRow> {
        if let Mode::Detail { of: Subject::Table(key), .. } = &self.mode {
            return self.table_row(key);
        }
        if let Mode::Detail {
            of: Subject::Alert(_) | Subject::Health(_) | Subject::Figures(_) | Subject::Index(_),
            ..
        } = &self.mode
        {
            return None;
        }
        if self.tab == Tab::Triage {
            let key = self.meant_finding()?.target.table()?;
            return self.table_row(key);
        }
        if self.shows(Part::Tables) { self.tables.current() } else { None }
    }

    /// Asks about the marked sessions on the screen where there are some, else about the selected one.
    pub(super) fn ask_signal(&mut self, signal: Signal) -> Vec<Effect> {
        if self.world().server.get().is_none() {
            self.say("the server is not known yet: nothing can be done", Tone::Warning);
            return Vec::new();
        }
        if let Some(write) = self.signal_meant(signal) {
            return self.ask(write);
        }
        if self.tab == Tab::Tables {
            let words = self.no_session_of_progress();
            self.say(words, Tone::Notice);
            return Vec::new();
        }
        let about_none = self.meant_finding().is_none_or(|f| f.target.session().is_none());
        let words = match self.locks.current() {
            Some(row) if self.tab == Tab::Locks => row.no_target(),
            Some(_) | None if self.runbook().is_some() && about_none => {
                "nothing is found now that this step could act on"
            }
            Some(_) | None if self.tab == Tab::Triage && about_none => {
                "the selected finding is about no session that could be acted on"
            }
            Some(_) | None => "the selected session is gone: select another",
        };
        self.say(words, Tone::Notice);
        Vec::new()
    }

    /// The signal to the marked sessions on the screen where there are some, else to the selected one.
    pub(super) fn signal_meant(&self, signal: Signal) -> Option<Write> {
        let server = self.world().server.get()?;
        let marked = if matches!(self.mode, Mode::Detail { .. }) { Vec::new() } else { self.marked_visible() };
        if !marked.is_empty() {
            let hidden = self.marked() - marked.len();
            return Some(Write::bulk(signal, marked.into_iter().map(|row| &row.session), hidden, server));
        }
        let session = &self.current_session()?.session;
        Some(match signal {
            Signal::Cancel => Write::cancel(session, server),
            Signal::Terminate => Write::terminate(session, server),
        })
    }

    /// Asks about the maintenance of the selected table or index.
    pub(super) fn ask_maintenance(&mut self, task: Task) -> Vec<Effect> {
        if self.world().server.get().is_none() {
            self.say("the server is not known yet: nothing can be done", Tone::Warning);
            return Vec::new();
        }
        let Some(write) = self.maintenance_meant(task) else {
            let what = if task == Task::DropInvalid { "index" } else { "table" };
            self.say(format!("no {what} is selected"), Tone::Notice);
            return Vec::new();
        };
        if self.is_busy() { Vec::new() } else { self.ask(write) }
    }

    /// The maintenance of the selected table or index.
    pub(super) fn maintenance_meant(&self, task: Task) -> Option<Write> {
        let server = self.world().server.get()?;
        let index = self.current_index().map(|row| Object::index_of(&row.database, &row.index));
        let table = self.current_table().map(|row| Object::table_of(&row.database, &row.relation));
        let target = match task {
            Task::Reindex => index.or(table),
            Task::DropInvalid => index,
            Task::VacuumAnalyze | Task::Analyze => table,
        };
        Some(Write::maintain(task, target?, server))
    }

    /// Asks about a vacuum of all tables of the database that is shown.
    pub(super) fn ask_vacuum_database(&mut self) -> Vec<Effect> {
        match self.vacuum_meant() {
            Ok(write) => {
                if self.is_busy() {
                    Vec::new()
                } else {
                    self.ask(write)
                }
            }
            Err(why) => {
                self.say(format!("{why}: nothing can be done"), Tone::Warning);
                Vec::new()
            }
        }
    }

    /// The vacuum of the database that is shown, or why there is none to speak of.
    pub(super) fn vacuum_meant(&self) -> Result<Write, &'static str> {
        let (Some(server), Some(relations)) = (self.world().server.get(), self.world().relations.get()) else {
            return Err("the database is not known yet");
        };
        let Some(whole) = &relations.whole else { return Err("the database's identity is not known") };
        let target = Object::Database { name: relations.database.clone(), oid: whole.oid };
        Ok(Write::maintain(Task::VacuumAnalyze, target, server))
    }

    /// Says so where a job of ours runs: one at a time.
    fn is_busy(&mut self) -> bool {
        let label = self.running_job().map(|job| job.label.clone());
        if let Some(label) = &label {
            self.say(format!("{label} still runs: one at a time"), Tone::Notice);
        }
        label.is_some()
    }

    /// Asks about the expired rows of the cache table.
    pub(super) fn ask_expiry(&mut self) -> Vec<Effect> {
        if self.world().server.get().is_none() {
            self.say("the server is not known yet: nothing can be done", Tone::Warning);
            return Vec::new();
        }
        let Some(write) = self.expiry_meant() else {
            self.say("there is no cache table that could be looked at", Tone::Notice);
            return Vec::new();
        };
        if self.is_busy() { Vec::new() } else { self.ask(write) }
    }

    /// The removal of the cache table's expired rows.
    pub(super) fn expiry_meant(&self) -> Option<Write> {
        let world = self.world();
        Write::expire_cache(world.cache.get()?, world.server.get()?)
    }

    pub(super) fn ask(&mut self, write: Write) -> Vec<Effect> {
        let insists = self.insists.take().is_some_and(|once| once.is_of(&write));
        if needs_look(&write, &self.scene(self.opened_by, &self.doings())) {
            return self.look_first(write, insists);
        }
        self.judged(write, None, insists)
    }

    /// What the guard says of it; `looked` is what the writer saw where it had to look first.
    pub(super) fn judged(&mut self, write: Write, looked: Option<&Looked>, insists: bool) -> Vec<Effect> {
        let doings = self.doings();
        let scene =
            Scene { looked, insists: write.session().filter(|_| insists), ..self.scene(self.opened_by, &doings) };
        match judge(write.clone(), &scene) {
            Verdict::Confirm(prompt) => {
                // What was said before is not part of the question.
                self.notice = None;
                self.mode = Mode::Ask(prompt);
                Vec::new()
            }
            Verdict::Refuse(refusal) => self.refused(write, &refusal),
        }
    }

    pub(super) fn refused(&mut self, write: Write, refusal: &Refusal) -> Vec<Effect> {
        let sentence = refusal.sentence();
        let other = other_way(refusal).map_or_else(String::new, |command| self.other_key(command));
        let again = refusal.asks_twice() && write.session().is_some();
        let again = if again { format!("; {} again asks all the same", self.opened_by) } else { String::new() };
        self.say_of_row(format!("{sentence}{other}{again}"), Tone::Warning);
        if !again.is_empty() {
            let said = self.notice.as_ref().map_or_else(String::new, |notice| notice.text.clone());
            self.once = Once::of(&write, &said, self.now);
        }
        vec![Effect::RecordRefusal { write, refusal: sentence }]
    }

    /// `; X terminates it (asks first)`: how the key of `command` is named where another could not help; nothing where
    /// it has none.
    pub(super) fn other_key(&self, command: Command) -> String {
        if self.offers(command) {
            format!("; {} {}s it (asks first)", self.key_of(command), command.spec().brief)
        } else {
            String::new()
        }
    }

    /// A key whose command the policy does not allow: nobody is asked, and what it would have asked about is owed to the log.
    /// An observer has no writer, and so no log.
    pub(super) fn barred(&mut self, command: Command) -> Vec<Effect> {
        let by = self.setup.policy_by.as_ref().map_or_else(String::new, |by| format!(" ({by})"));
        let brief = command.spec().brief;
        let (words, meant) = match self.setup.policy {
            Policy::Observer => (format!("read-only{by}: no {brief}, nor any other action"), None),
            Policy::Operator | Policy::Admin => {
                (format!("operator{by}: light actions only, no {brief}"), self.meant(command))
            }
        };
        self.say(words.clone(), Tone::Notice);
        meant.map(|write| Effect::RecordRefusal { write, refusal: words }).into_iter().collect()
    }

    /// What a command would ask about; none where nothing is selected, or where it only opens what asks later.
    #[expect(clippy::wildcard_enum_match_arm, reason = "no other command asks for what is always heavy")]
    fn meant(&self, command: Command) -> Option<Write> {
        match command {
            Command::TerminateBackend => self.signal_meant(Signal::Terminate),
            Command::Reindex => self.maintenance_meant(Task::Reindex),
            Command::DropInvalidIndex => self.maintenance_meant(Task::DropInvalid),
            Command::VacuumDatabase => self.vacuum_meant().ok(),
            Command::ReloadConfiguration => self.world().server.get().map(Write::reload),
            _ => None,
        }
    }

    /// `at` is the key's own time, not the newest of all events: where the clock was set back, that one stands still
    /// far ahead of the frame's, and any key would come late enough to be deliberate.
    pub(super) fn answer(&mut self, mut prompt: Box<Prompt>, chord: Chord, at: Timestamp) -> Vec<Effect> {
        if let Some(by) = self.moves(chord).filter(|_| prompt.leaves(chord)) {
            prompt.scroll(by);
            self.mode = Mode::Ask(prompt);
            return Vec::new();
        }
        let doings = self.doings();
        match prompt.answer(chord, at, &self.scene(self.opened_by, &doings)) {
            Answer::Approved(approved) => self.approved(approved),
            Answer::Refused(refusal, write) => self.refused(write, &refusal),
            Answer::Declined => {
                self.say("nothing was done", Tone::Faint);
                Vec::new()
            }
            Answer::Waiting(prompt) => {
                self.mode = Mode::Ask(prompt);
                Vec::new()
            }
        }
    }

    fn approved(&mut self, approved: Approved) -> Vec<Effect> {
        let id = self.next_action;
        self.next_action += 1;
        let job = approved.write().is_job().then(Job::default);
        let write = approved.write().clone();
        let (label, bulk) = (write.shown(), matches!(write, Write::Bulk(_)));
        self.say(format!("{label}: sending"), Tone::Faint);
        self.step_acts(id, &label);
        self.actions.push(Action {
            id,
            label,
            at: self.now,
            write,
            job,
            deaf: Vec::new(),
            outcome: None,
            started: None,
            dead: None,
            ended: None,
            went: Vec::new(),
            left: None,
            verified: None,
        });
        if bulk {
            self.mode = Mode::Outcome { id, scroll: 0 };
        }
        vec![Effect::Write { id, approved }]
    }

    /// Opens what became of the last action on several sessions.
    pub(super) fn open_outcome(&mut self) {
        match self.actions.iter().rev().find(|a| matches!(a.write, Write::Bulk(_))) {
            Some(action) => self.mode = Mode::Outcome { id: action.id, scroll: 0 },
            None => self.say("no action on several sessions was taken", Tone::Faint),
        }
    }

    pub(super) fn stop_job(&mut self) -> Vec<Effect> {
        if let Some(job) = self.running_job() {
            return vec![Effect::StopJob { id: job.id }];
        }
        self.say("no job of ours is running", Tone::Faint);
        Vec::new()
    }

    pub(super) fn measure_bloat(&mut self) {
        let Some(row) = self.current_table() else {
            self.say("no table is selected", Tone::Notice);
            return;
        };
        let (key, name) = (row.key(), row.full_name());
        self.asked.ask(Question::ExactBloat(key));
        self.say(format!("measuring {name}"), Tone::Faint);
    }
}

/// The command that can help where the one that was refused cannot.
#[expect(clippy::wildcard_enum_match_arm, reason = "every other refusal holds for both")]
fn other_way(refusal: &Refusal) -> Option<Command> {
    match refusal {
        Refusal::Idle { .. } | Refusal::IdleInTransaction { .. } => Some(Command::TerminateBackend),
        Refusal::CancelFirst { .. } => Some(Command::CancelBackend),
        _ => None,
    }
}
