//! The console's state and how it changes: [`App::update`] takes an event and returns effects, [`App::demand`] says
//! what is to be asked.
//!
//! Pure: no clock, no input, no output. The same events always give the same screens, so a recording is a test.

mod acknowledge;
pub mod act;
pub mod action;
pub mod alerts;
mod copy;
pub mod demand;
mod fits;
mod list;
mod look;
mod mark;
pub mod mode;
pub mod notice;
mod pace;
pub mod part;
mod pick;
mod plan;
pub mod press;
mod rebuild;
pub mod runbook;
pub mod settings;
pub mod tab;
mod triage;
mod unfold;
pub mod update;
mod vacuum;

use std::collections::HashSet;
use std::time::Duration;

use crate::command::{Command, Tab};
use crate::diagnose::Limits;
use crate::diagnose::alert::board::Board;
use crate::diagnose::runbook::Runbook;
use crate::guard::{Policy, Protected, Scene, StatementKey, Write};
use crate::keymap::{Chord, Keymap};
use crate::message::WriterState;
use crate::model::baseline::Workload;
use crate::model::panel::{PanelSpec, PanelTab};
use crate::model::session::SessionKey;
use crate::model::setting::History;
use crate::model::timeline::TimelineEntry;
use crate::model::{ServerText, Timestamp, Tone, World};
use crate::table::Listing;
use action::Action;
use mode::Mode;
use notice::Notice;
use part::Part;
use runbook::Runbooks;
use tab::connections::{SessionRow, Totals};
use tab::indexes::IndexRow;
use tab::locks::{Likeness, LockRow};
use tab::progress::ProgressRow;
use tab::replication::ReplicaRow;
use tab::statements::StatementRow;
use tab::tables::TableRow;
use triage::Triage;

/// What the console is started with.
#[derive(Debug, Clone)]
pub struct Setup {
    /// Time between two looks at the visible tab.
    pub refresh: Duration,
    /// What runs longer than this is slow.
    pub slow_after: Duration,
    /// From when on something is a finding.
    pub limits: Limits,
    /// How it is drawn.
    pub display: Display,
    /// The keys; in read-only mode without those that write.
    pub keymap: Keymap,
    /// The panels of Latency and Cache.
    pub panels: Vec<PanelSpec>,
    /// What the service should keep to.
    pub workload: Option<Workload>,
    /// What may be done.
    pub policy: Policy,
    /// What lowered it, such as `--read-only`; none where nothing did.
    pub policy_by: Option<String>,
    /// As whom plans are made, where that is another role than the one that looks.
    pub plan_user: Option<ServerText>,
    /// The target's name on the first line, until the server has said more.
    pub target: String,
    /// True where the target was marked as production: its name is loud, its questions are typed ones.
    pub production: bool,
    /// Names that are left alone, or asked about by name.
    pub protected: Vec<Protected>,
    /// True where an action needs a reason.
    pub require_reason: bool,
    /// What is to be known of the settings: sentences, shown at the start.
    pub warnings: Vec<String>,
    /// As whom and where actions are logged.
    pub logged_as: String,
    /// Whether Prometheus was named.
    pub prometheus: Option<String>,
    /// The runbooks.
    pub runbooks: Vec<Runbook>,
    /// The rules that are evaluated, and who hears of them.
    pub alerting: alerts::Alerting,
    /// What is watched beside the database.
    pub watchlist: crate::model::health::Watchlist,
    /// Now.
    pub now: Timestamp,
}

/// How the screen is drawn.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Display {
    /// With colours.
    pub colour: bool,
    /// With ASCII characters only.
    pub ascii: bool,
}

/// What our actions so far mean for the next one.
struct Doings {
    /// Our jobs that run.
    jobs: Vec<Write>,
    /// The backends that run them.
    pids: Vec<i32>,
    /// Statements that a cancel did not end.
    deaf: Vec<StatementKey>,
}

/// The whole state.
pub struct App {
    /// What it was started with.
    pub setup: Setup,
    /// Time of the newest event.
    pub now: Timestamp,
    /// Columns and lines of the terminal.
    pub size: (u16, u16),
    /// The tab shown.
    pub tab: Tab,
    /// What is open above the tab.
    pub mode: Mode,
    /// Chords typed so far of a longer sequence.
    pub pending: Vec<Chord>,
    /// What is wrong.
    pub triage: Triage,
    /// Connections.
    pub connections: Listing<SessionRow>,
    /// Slow.
    pub slow: Listing<SessionRow>,
    /// Locks.
    pub locks: Listing<LockRow>,
    /// Groups of alike waiters whose members have their own lines.
    pub unfolded: Vec<Likeness>,
    /// Tables.
    pub tables: Listing<TableRow>,
    /// Tables that findings are about, and that the order of the list has cut away.
    tables_beside: Vec<TableRow>,
    /// Indexes.
    pub indexes: Listing<IndexRow>,
    /// Work that tells how far it is.
    pub progress: Listing<ProgressRow>,
    /// Which list of Tables is shown.
    pub part: Part,
    /// Replication.
    pub replicas: Listing<ReplicaRow>,
    /// Statements.
    pub statements: Listing<StatementRow>,
    /// Totals for the head of Connections.
    pub totals: Totals,
    /// The selected panel of Latency and of Cache.
    pub panel: [usize; 2],
    /// Slow threshold in seconds.
    pub slow_after_s: f64,
    /// Time between two looks at the visible tab.
    pub refresh: Duration,
    /// The database whose tables are shown; none: the one connected to.
    pub database: Option<ServerText>,
    /// True where times are shown in local time.
    pub local_time: bool,
    /// What just happened.
    pub notice: Option<Notice>,
    /// Actions of this run, oldest first.
    pub actions: Vec<Action>,
    /// The writer's connection.
    pub writer: WriterState,
    /// True while it was not yet said why that is down.
    writer_unsaid: bool,
    /// What the audit log tells of settings that were changed from here.
    pub history: History,
    /// What was done here, in order.
    pub timeline: Vec<TimelineEntry>,
    runbooks: Runbooks,
    marks: HashSet<SessionKey>,
    world: World,
    board: Board,
    frozen_alerts: Option<Box<Board>>,
    /// The terminal's title, where it is ours.
    title: Option<String>,
    frozen: Option<(Box<World>, Timestamp)>,
    opened_by: Chord,
    /// What waits for the writer's look, and how many looks there were.
    look: Option<look::Look>,
    looks: u64,
    /// What was refused with a reason that asking twice overrides; and what the key at hand asks for a second time.
    once: Option<look::Once>,
    insists: Option<look::Once>,
    next_action: u64,
    reconnect: u64,
    asked: demand::AskedOnce,
}

impl App {
    /// The console before anything was heard.
    #[must_use]
    pub fn new(setup: Setup) -> Self {
        let slow_after_s = setup.slow_after.as_secs_f64();
        let text = setup.warnings.join(" · ");
        let notice = (!text.is_empty()).then_some(Notice { text, tone: Tone::Warning, at: setup.now, of_row: false });
        Self {
            now: setup.now,
            size: (80, 24),
            tab: Tab::Triage,
            mode: Mode::Normal,
            pending: Vec::new(),
            triage: Triage::new(&setup.limits, slow_after_s),
            connections: Listing::new(tab::connections::COLUMNS, "harm"),
            slow: Listing::new(tab::connections::COLUMNS, "harm"),
            locks: Listing::new(tab::locks::COLUMNS, "forest"),
            unfolded: Vec::new(),
            tables: Listing::new(tab::tables::COLUMNS, "dead"),
            tables_beside: Vec::new(),
            indexes: Listing::new(tab::indexes::COLUMNS, "state"),
            progress: Listing::new(tab::progress::COLUMNS, "age"),
            part: Part::default(),
            replicas: Listing::new(tab::replication::COLUMNS, "total"),
            statements: Listing::new(tab::statements::COLUMNS, "total"),
            totals: Totals::default(),
            panel: [0, 0],
            slow_after_s,
            refresh: setup.refresh,
            database: None,
            local_time: false,
            notice,
            actions: Vec::new(),
            writer: WriterState::None,
            writer_unsaid: false,
            history: History::default(),
            timeline: Vec::new(),
            runbooks: Runbooks::of(setup.runbooks.clone()),
            marks: HashSet::new(),
            world: World::default(),
            board: Board::new(setup.alerting.rules.clone()),
            frozen_alerts: None,
            title: None,
            frozen: None,
            opened_by: Chord::plain(crate::keymap::Key::Esc),
            look: None,
            looks: 0,
            once: None,
            insists: None,
            next_action: 1,
            reconnect: 0,
            asked: demand::AskedOnce::default(),
            setup,
        }
    }

    /// The world that is shown: the live one, or the one that was frozen.
    #[must_use]
    pub fn world(&self) -> &World {
        self.frozen.as_ref().map_or(&self.world, |f| &f.0)
    }

    /// The world as it is known now, also while the screen is frozen.
    #[must_use]
    pub fn live(&self) -> &World {
        &self.world
    }

    /// Since when the screen is frozen.
    #[must_use]
    pub fn frozen_since(&self) -> Option<Timestamp> {
        self.frozen.as_ref().map(|f| f.1)
    }

    /// The time that the screen speaks of: ages of what is frozen do not grow.
    #[must_use]
    pub fn shown_now(&self) -> Timestamp {
        self.frozen_since().unwrap_or(self.now)
    }

    /// The panels of the visible tab.
    pub fn visible_panels(&self) -> impl Iterator<Item = &PanelSpec> {
        let tab = match self.tab {
            Tab::Latency => Some(PanelTab::Latency),
            Tab::Cache => Some(PanelTab::Cache),
            Tab::Connections
            | Tab::Slow
            | Tab::Locks
            | Tab::Tables
            | Tab::Replication
            | Tab::Statements
            | Tab::Triage => None,
        };
        self.setup.panels.iter().filter(move |p| Some(p.tab) == tab)
    }

    /// The action that runs as a job, if one does.
    #[must_use]
    pub fn running_job(&self) -> Option<&Action> {
        self.actions.iter().rev().find(|a| a.job.is_some() && a.is_running())
    }

    /// True where this command can be used here and now.
    #[must_use]
    pub fn offers(&self, command: Command) -> bool {
        let spec = command.spec();
        spec.place.holds(self.tab) && !self.setup.keymap.chords_of(command, self.tab).is_empty()
    }

    /// The keys of a command on this tab, as they are shown; empty where it has none.
    #[must_use]
    pub fn key_of(&self, command: Command) -> String {
        self.setup.keymap.chords_of(command, self.tab).first().map_or_else(String::new, ToString::to_string)
    }

    /// What an action is judged by.
    fn scene<'a>(&'a self, opened_by: Chord, doings: &'a Doings) -> Scene<'a> {
        Scene {
            world: &self.world,
            policy: self.setup.policy,
            now: self.now,
            frozen: self.frozen.is_some(),
            opened_by,
            jobs: &doings.jobs,
            own_pids: &doings.pids,
            deaf: &doings.deaf,
            production: self.setup.production,
            protected: &self.setup.protected,
            require_reason: self.setup.require_reason,
            looked: None,
            insists: None,
            cannot_act: if let WriterState::Down(why) = &self.writer { Some(why) } else { None },
            logged_as: &self.setup.logged_as,
            patience: self.triage.limits.patience(),
        }
    }

    /// What our actions so far mean for the next one.
    fn doings(&self) -> Doings {
        let running = self.actions.iter().filter(|a| a.is_running());
        Doings {
            jobs: running.clone().filter(|a| a.job.is_some()).map(|a| a.write.clone()).collect(),
            pids: running.filter_map(|a| a.job.as_ref()?.pid).collect(),
            deaf: self.actions.iter().flat_map(|a| a.deaf.iter().cloned()).collect(),
        }
    }

    /// True while a line of text is being typed, so that what is pasted is text too.
    #[must_use]
    pub fn takes_text(&self) -> bool {
        let reasoning = || matches!(&self.mode, Mode::Ask(prompt) if prompt.reason().is_open());
        matches!(self.mode, Mode::Filter { .. } | Mode::Pick(_) | Mode::Settings(_)) || reasoning()
    }
}
