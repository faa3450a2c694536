//! A console without a terminal, a server or a clock: keys given as text, samples from a fixture, time that passes when
//! it is told to, and the screen as text.
//!
//! It plays the part of `console`: it draws after each key and says so, as the loop does.

pub mod activity;
pub mod alerts;
pub mod cache;
pub mod charts;
pub mod health;
pub mod hostile;
pub mod indexes;
pub mod ink;
pub mod locks;
pub mod plans;
pub mod progress;
pub mod replication;
pub mod settings;
pub mod statements;
pub mod tables;

use std::time::Duration;

use pgtriage::app::{App, Display, Setup};
use pgtriage::command::{Reach, Tab};
use pgtriage::diagnose::{Finding, Kind, Limits};
use pgtriage::guard::Policy;
use pgtriage::keymap::{Chord, Keymap};
use pgtriage::message::{ActionNews, ActionStep, Effect, Event, WriterState};
use pgtriage::model::baseline::Workload;
use pgtriage::model::relation::Relations;
use pgtriage::model::replica::Replication;
use pgtriage::model::server::{Rights, Server};
use pgtriage::model::session::Sessions;
use pgtriage::model::world::{LinkFacts, Tls};
use pgtriage::model::{Link, ProbeError, Question, Sample, Shown, Snapshot, Timestamp, panel};
use pgtriage::view;
use ratatui::Terminal;
use ratatui::backend::TestBackend;
use ratatui::buffer::Buffer;

/// The sizes that every screen is looked at in: a wide one, the classic one, a telephone's.
pub const SIZES: [(u16, u16); 3] = [(160, 45), (80, 24), (40, 10)];

/// When the stories begin.
pub fn start() -> Timestamp {
    "2025-11-24T03:14:07Z".parse().unwrap()
}

/// The console on a stage.
pub struct Stage {
    /// The console.
    pub app: App,
    now: Timestamp,
    /// The list of sessions that came last.
    last: Option<Sessions>,
}

impl Stage {
    /// A console that may act, with colours, before anything was heard.
    pub fn new() -> Self {
        Self::with(|_| {})
    }

    /// The same, started to observe.
    pub fn read_only() -> Self {
        Self::with(|setup| {
            setup.policy = Policy::Observer;
            setup.policy_by = Some("--read-only".to_owned());
            setup.keymap = setup.keymap.clone().within(Reach::Reads);
        })
    }

    /// A console whose setup is changed first.
    pub fn with(change: impl FnOnce(&mut Setup)) -> Self {
        let mut setup = Setup {
            refresh: Duration::from_secs(2),
            slow_after: Duration::from_secs(30),
            limits: Limits::default(),
            display: Display { colour: true, ascii: false },
            keymap: Keymap::named("default").unwrap().unwrap(),
            panels: panel::defaults().unwrap(),
            workload: Workload::named("simple-crud"),
            policy: Policy::Admin,
            policy_by: None,
            plan_user: None,
            target: "db1:5432".to_owned(),
            production: false,
            protected: Vec::new(),
            require_reason: false,
            warnings: Vec::new(),
            logged_as: "alice, in ~/.local/state/pgtriage/audit.jsonl".to_owned(),
            prometheus: Some("http://prom:9090".to_owned()),
            runbooks: pgtriage::diagnose::runbook::builtin().unwrap(),
            alerting: pgtriage::app::alerts::Alerting::default(),
            watchlist: health::watchlist(),
            now: start(),
        };
        change(&mut setup);
        let writer = if setup.policy == Policy::Observer { WriterState::None } else { WriterState::Ready };
        let mut stage = Self { app: App::new(setup), now: start(), last: None };
        // Most stories are told of a list; those of Triage begin with its key.
        stage.app.tab = Tab::Connections;
        stage.event(Event::Writer(writer));
        stage.event(Event::Resized { width: 160, height: 45 });
        stage
    }

    /// A connected console on the whole incident: a pile-up of locks, tables, standbys, panels, the cache table.
    pub fn incident() -> Self {
        Self::new().filled()
    }

    /// A connected console on a server that is well.
    pub fn calm() -> Self {
        let mut stage = Self::new();
        stage.now += Duration::from_secs(1);
        stage.up().at_peace()
    }

    /// Everything that is asked for is well.
    pub fn at_peace(self) -> Self {
        let mut stage = self
            .server(server())
            .sessions(locks::calm())
            .relations(tables::calm())
            .indexes(indexes::calm())
            .replication(replication::calm())
            .cache(cache::calm());
        activity::take(&mut stage, activity::look(0));
        activity::take(&mut stage, activity::look(5));
        charts::calm(&mut stage);
        health::calm(&mut stage);
        stage
    }

    /// The kinds of what is found, the worst first.
    pub fn kinds(&self) -> Vec<Kind> {
        self.app.triage.diagnosis.findings.iter().map(Finding::kind).collect()
    }

    /// The finding of that kind.
    pub fn finding(&self, kind: Kind) -> &Finding {
        let found = self.app.triage.diagnosis.findings.iter().find(|f| f.kind() == kind);
        found.unwrap_or_else(|| panic!("no {kind:?} among {:#?}", self.app.triage.diagnosis.findings))
    }

    /// The whole incident for this console.
    pub fn filled(mut self) -> Self {
        self.now += Duration::from_secs(1);
        let mut stage = self
            .up()
            .server(server())
            .sessions(locks::pile_up())
            .relations(tables::relations())
            .indexes(indexes::indexes())
            .replication(replication::before())
            .replication(replication::after())
            .cache(cache::earlier())
            .statements(statements::earlier());
        activity::take(&mut stage, activity::look(0));
        stage.wait(5);
        activity::take(&mut stage, activity::look(5));
        let mut stage = stage.sessions(locks::pile_up()).cache(cache::read()).statements(statements::read());
        charts::feed(&mut stage);
        health::feed(&mut stage);
        stage
    }

    /// The connection is up.
    pub fn up(mut self) -> Self {
        let facts = LinkFacts { place: "db1:5432".to_owned(), tls: Tls::Verified, pooled: false, since: start() };
        self.event(Event::Link(Link::Up(facts)));
        self
    }

    /// The server has said who it is.
    pub fn server(mut self, server: Server) -> Self {
        self.take(Question::Server, Ok(Snapshot::Server(Box::new(server))));
        self
    }

    /// A list of sessions came.
    pub fn sessions(mut self, sessions: Sessions) -> Self {
        self.see(sessions);
        self
    }

    /// A list of tables came.
    pub fn relations(mut self, relations: Relations) -> Self {
        let question = Question::Relations { database: None, order: relations.order };
        self.take(question, Ok(Snapshot::Relations(Box::new(relations))));
        self
    }

    /// A list of indexes came.
    pub fn indexes(mut self, indexes: pgtriage::model::index::Indexes) -> Self {
        let question = Question::Indexes { database: None, order: indexes.order };
        let answer = Ok(Snapshot::Indexes(Box::new(indexes)));
        self.event(Event::Sample(Sample { question, at: self.now, took: Duration::ZERO, answer }));
        self
    }

    /// The indexes were looked at, and all are well but this one.
    pub fn index_wrong(&mut self, oid: u32) {
        let wrong = indexes::indexes().rows.into_iter().find(|i| i.oid == oid).unwrap();
        let answer = indexes::calm_but(wrong);
        let question = Question::Indexes { database: None, order: answer.order };
        self.take(question, Ok(Snapshot::Indexes(Box::new(answer))));
    }

    /// Replication was looked at.
    pub fn replication(mut self, replication: Replication) -> Self {
        self.take(Question::Replication, Ok(Snapshot::Replication(Box::new(replication))));
        self
    }

    /// The cache table was looked at.
    pub fn cache(mut self, table: pgtriage::model::cache::CacheTable) -> Self {
        self.take(Question::CacheTable, Ok(Snapshot::CacheTable(table)));
        self
    }

    /// `pg_stat_statements` was looked at.
    pub fn statements(mut self, statements: pgtriage::model::statement::Statements) -> Self {
        let question = Question::Statements { order: statements.order };
        self.take(question, Ok(Snapshot::Statements(Box::new(statements))));
        self
    }

    /// A list of sessions comes.
    pub fn see(&mut self, sessions: Sessions) {
        self.last = Some(sessions.clone());
        self.take(Question::Sessions, Ok(Snapshot::Sessions(sessions)));
    }

    /// The last list of sessions comes once more.
    pub fn see_again(&mut self) {
        if let Some(sessions) = self.last.clone() {
            self.see(sessions);
        }
    }

    /// An answer comes, or the reason why there is none.
    pub fn take(&mut self, question: Question, answer: Result<Snapshot, ProbeError>) {
        self.now += Duration::from_millis(40);
        let sample = Sample { question, at: self.now, took: Duration::from_millis(3), answer };
        self.event(Event::Sample(sample));
    }

    /// News of action number `id`.
    pub fn news(&mut self, id: u64, step: ActionStep) {
        self.event(Event::Action(ActionNews { id, at: self.now, step }));
    }

    /// Any event; only keys may have effects.
    pub fn event(&mut self, event: Event) {
        assert_eq!(self.app.update(event), [], "only keys have effects");
    }

    /// Now, on this stage.
    pub fn now(&self) -> Timestamp {
        self.now
    }

    /// So many milliseconds go by between two events.
    pub fn pass(&mut self, milliseconds: u64) {
        self.now += Duration::from_millis(milliseconds);
    }

    /// Time goes on, second by second, as the loop tells it.
    pub fn wait(&mut self, seconds: u64) {
        for _ in 0..seconds {
            self.now += Duration::from_secs(1);
            self.event(Event::Tick { at: self.now });
        }
    }

    /// True while the reads bring a list every two seconds.
    fn is_live(&self) -> bool {
        let world = self.app.live();
        let young = world.sessions.age_s(self.now).is_some_and(|age| age < 3.0);
        young && world.sessions.error.is_none() && matches!(world.link, Some(Link::Up(_)))
    }

    /// The reads go on while somebody types: the same list comes again before it is old.
    fn go_on(&mut self) {
        let due = self.app.live().sessions.age_s(self.now).is_some_and(|age| age > 2.0);
        if let Some(sessions) = self.last.clone().filter(|_| due) {
            let answer = Ok(Snapshot::Sessions(sessions));
            let sample = Sample { question: Question::Sessions, at: self.now, took: Duration::ZERO, answer };
            self.event(Event::Sample(sample));
        }
    }

    /// Keys as a person presses them: half a second apart, each answered by a frame. `j`, `Enter`, `C-c`, `Space` …. A list
    /// that was fresh before stays so.
    pub fn press(&mut self, keys: &str) -> Vec<Effect> {
        let mut effects = Vec::new();
        let live = self.is_live();
        for chord in chords(keys) {
            self.now += Duration::from_millis(500);
            if live {
                self.go_on();
            }
            effects.extend(self.app.update(Event::Key { chord, at: self.now }));
            self.drawn();
        }
        effects
    }

    /// Keys that arrive together, as from a paste or over a slow link: the frame comes after the last.
    pub fn burst(&mut self, keys: &str) -> Vec<Effect> {
        self.now += Duration::from_millis(500);
        let effects =
            chords(keys).into_iter().flat_map(|chord| self.app.update(Event::Key { chord, at: self.now })).collect();
        self.drawn();
        effects
    }

    /// A text is typed, character by character.
    pub fn type_text(&mut self, text: &str) -> Vec<Effect> {
        let live = self.is_live();
        text.chars()
            .flat_map(|c| {
                self.now += Duration::from_millis(100);
                if live {
                    self.go_on();
                }
                self.app.update(Event::Key { chord: Chord::char(c), at: self.now })
            })
            .collect()
    }

    /// A frame is drawn and flushed.
    pub fn drawn(&mut self) {
        let (width, height) = self.app.size;
        let shown = drawn(&self.app, width, height).1;
        self.event(Event::Drawn { at: self.now, shown });
    }

    /// The cells of the screen in that size.
    pub fn buffer(&mut self, width: u16, height: u16) -> Buffer {
        self.event(Event::Resized { width, height });
        draw(&self.app, width, height)
    }

    /// The screen as text in that size.
    pub fn screen(&mut self, width: u16, height: u16) -> String {
        ink::text(&self.buffer(width, height))
    }

    /// The screen as text, wide enough that nothing is cut.
    pub fn wide(&mut self) -> String {
        self.screen(160, 45)
    }

    /// The last line, where notices and keys stand.
    pub fn last_line(&mut self) -> String {
        self.wide().lines().last().unwrap_or_default().to_owned()
    }
}

/// Draws one frame.
pub fn draw(app: &App, width: u16, height: u16) -> Buffer {
    drawn(app, width, height).0
}

/// Draws one frame, and how much it shows of an open text.
pub fn drawn(app: &App, width: u16, height: u16) -> (Buffer, Option<Shown>) {
    let mut terminal = Terminal::new(TestBackend::new(width, height)).unwrap();
    let mut shown = None;
    terminal.draw(|frame| shown = view::draw(app, frame)).unwrap();
    (terminal.backend().buffer().clone(), shown)
}

fn chords(keys: &str) -> Vec<Chord> {
    keys.split_whitespace().map(|key| key.parse().unwrap()).collect()
}

/// The server of the incident, seen by a role that is in `pg_monitor`.
pub fn server() -> Server {
    Server {
        version_num: 150_018,
        version: "15.18 (Debian 15.18-1.pgdg13+1)".into(),
        in_recovery: false,
        started: "2025-11-12 01:02:03.456789+00".to_owned(),
        uptime_s: 1_044_724.0,
        system_identifier: Some("7300000000000000001".to_owned()),
        cluster_name: "shop-prod".into(),
        database: "shop".into(),
        user: "oncall".into(),
        max_connections: 100,
        superuser_reserved: 3,
        reserved: 0,
        query_size: 1024,
        rights: Rights { read_all_stats: true, signal_backend: true, ..Rights::default() },
        superusers: vec!["postgres".into()],
        statements_schema: Some("public".into()),
        tuple_schema: None,
    }
}
