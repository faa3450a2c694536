//! What the tests of the actions stand on: a world read from a real server, an approved action, a writer and its news.

use std::path::{Path, PathBuf};
use std::time::Duration;

use pgtriage::effect::audit::{Audit, Console, Entry, EventKind};
use pgtriage::effect::{Request, Road, Setup, WriterHandle};
use pgtriage::guard::{Answer, Approved, Confirm, Looked, Policy, Prompt, Scene, Verdict, Write, judge};
use pgtriage::keymap::{Chord, Key};
use pgtriage::message::{ActionNews, ActionStep, Event, Outcome, WriterState};
use pgtriage::model::question::{Question, Sample, Snapshot};
use pgtriage::model::server::Server;
use pgtriage::model::session::{Session, Sessions, State};
use pgtriage::model::world::{Link, LinkFacts, Tls};
use pgtriage::model::{ServerText, Shown, Timestamp, World};
use pgtriage::postgres::{Conninfo, Given, OwnPids, Process, resolve};
use tokio::sync::mpsc;
use tokio_postgres::{Client, NoTls};

pub async fn connect(uri: &str) -> Client {
    let (client, connection) = tokio_postgres::connect(uri, NoTls).await.expect("the server lets one in");
    tokio::spawn(connection);
    client
}

pub async fn text(client: &Client, sql: &str) -> Option<String> {
    let rows = client.query(sql, &[]).await.expect(sql);
    rows.first().and_then(|row| row.get(0))
}

/// The pid of a session.
pub async fn pid(client: &Client) -> i32 {
    client.query_one("SELECT pg_backend_pid()", &[]).await.expect("a pid").get(0)
}

/// Asks until it is so: what another session does comes in its own time.
pub async fn until(client: &Client, sql: &str) {
    for _ in 0..1500 {
        if text(client, &format!("SELECT ({sql})::text")).await.as_deref() == Some("true") {
            return;
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    panic!("never came: {sql}");
}

pub async fn until_active(client: &Client, pid: i32, query: &str) {
    let sql =
        format!("EXISTS (SELECT FROM pg_stat_activity WHERE pid = {pid} AND state = 'active' AND query = '{query}')");
    until(client, &sql).await;
}

/// What the console would know of the server through `client`.
pub async fn server(client: &Client) -> Server {
    let sql = "SELECT pg_postmaster_start_time()::text, (SELECT system_identifier::text FROM pg_control_system()),
                      pg_is_in_recovery(), current_setting('server_version_num')::int4, current_user::text";
    let row = client.query_one(sql, &[]).await.expect("facts");
    Server {
        started: row.get(0),
        system_identifier: row.get(1),
        in_recovery: row.get(2),
        version_num: row.get(3),
        user: ServerText::new(row.get::<_, String>(4)),
        ..Server::default()
    }
}

/// What the console would know of one session through `client`.
pub async fn session(client: &Client, pid: i32) -> Session {
    let sql = "SELECT backend_type, state, backend_start::text, query_start::text, query, usename::text, datname::text,
                      xact_start::text
               FROM pg_stat_activity WHERE pid = $1";
    let row = client.query_one(sql, &[&pid]).await.expect("the session");
    let name = |column: usize| row.get::<_, Option<String>>(column).map(ServerText::new);
    let query: String = row.get(4);
    Session {
        pid,
        leader: None,
        database: name(6),
        user: name(5),
        application: ServerText::default(),
        client: None,
        client_port: None,
        backend_type: row.get(0),
        state: row.get::<_, Option<&str>>(1).and_then(State::parse),
        wait: None,
        query_id: None,
        xid: None,
        xmin: None,
        xmin_age: None,
        backend_start: row.get(2),
        xact_start: row.get(7),
        query_start: row.get(3),
        backend_s: None,
        xact_s: None,
        query_s: None,
        state_s: None,
        hidden: query == "<insufficient privilege>",
        query: ServerText::new(query),
        blocked_by: Vec::new(),
        blockers: 0,
        waits_for: None,
        holds: None,
    }
}

/// A world with these sessions.
pub fn world(server: &Server, rows: Vec<Session>) -> World {
    let now = Timestamp::now();
    let facts = LinkFacts { place: "lab".to_owned(), tls: Tls::None, pooled: false, since: now };
    let mut world = World { link: Some(Link::Up(facts)), ..World::default() };
    let sample = |question, snapshot| Sample { question, at: now, took: Duration::ZERO, answer: Ok(snapshot) };
    world.take(sample(Question::Server, Snapshot::Server(Box::new(server.clone()))));
    world.take(sample(Question::Sessions, Snapshot::Sessions(Sessions { rows, ..Sessions::default() })));
    world
}

pub fn scene(world: &World) -> Scene<'_> {
    Scene {
        world,
        policy: Policy::Admin,
        now: Timestamp::now(),
        frozen: false,
        opened_by: Chord::char('x'),
        jobs: &[],
        own_pids: &[],
        deaf: &[],
        production: false,
        protected: &[],
        require_reason: false,
        looked: None,
        insists: None,
        cannot_act: None,
        logged_as: "alice",
        patience: pgtriage::diagnose::Limits::default().patience(),
    }
}

/// Asks the question and answers it as a person does.
pub fn approve(write: Write, world: &World) -> Approved {
    approve_in(write, &scene(world))
}

/// The same in a scene of one's own.
pub fn approve_in(write: Write, scene: &Scene<'_>) -> Approved {
    let prompt = match judge(write, scene) {
        Verdict::Confirm(prompt) => prompt,
        Verdict::Refuse(refusal) => panic!("{}", refusal.sentence()),
    };
    confirm(prompt, scene)
}

fn confirm(mut prompt: Box<Prompt>, scene: &Scene<'_>) -> Approved {
    let drawn = Timestamp::now() - Duration::from_secs(2);
    prompt.drawn(drawn, Shown { above: 0, rows: 1, must: 1, of: 1 });
    let keys = match prompt.confirm() {
        Confirm::Key(chord) => vec![*chord],
        Confirm::Type(text) => text.chars().map(Chord::char).chain([Chord::plain(Key::Enter)]).collect(),
    };
    for key in keys {
        match prompt.answer(key, drawn + Duration::from_secs(1), scene) {
            Answer::Approved(approved) => return approved,
            Answer::Waiting(open) => prompt = open,
            other @ (Answer::Declined | Answer::Refused(..)) => panic!("{other:?}"),
        }
    }
    panic!("not confirmed");
}

/// An approved cancel of what `pid` runs now, as seen by `watcher`.
pub async fn approved_cancel(watcher: &Client, pid: i32) -> Approved {
    let (server, session) = (server(watcher).await, session(watcher, pid).await);
    let write = Write::cancel(&session, &server);
    approve(write, &world(&server, vec![session]))
}

/// An approved termination of `pid` as it is now, as seen by `watcher`.
pub async fn approved_termination(watcher: &Client, pid: i32) -> Approved {
    let (server, session) = (server(watcher).await, session(watcher, pid).await);
    let write = Write::terminate(&session, &server);
    approve(write, &world(&server, vec![session]))
}

pub fn conninfo(uri: &str) -> Conninfo {
    resolve(&Given { words: vec![uri.to_owned()], ..Given::default() }, &Process).expect("a connection string")
}

/// A writer, what it tells, and its log.
pub struct Hands {
    pub handle: WriterHandle,
    news: mpsc::Receiver<Event>,
    pub log: PathBuf,
    count: u64,
}

impl Hands {
    pub fn start(uri: &str, log: &Path) -> Self {
        let (sender, news) = mpsc::channel(64);
        let console = Console {
            user: "alice".to_owned(),
            sudo_user: Some("root".to_owned()),
            host: "jump".to_owned(),
            pid: std::process::id(),
            ..Console::default()
        };
        let handle = WriterHandle::start(Setup {
            road: Road { conninfo: conninfo(uri), os_user: "alice".to_owned(), own: OwnPids::default() },
            audit: Audit::new(log, console),
            news: sender,
        });
        Self { handle, news, log: log.to_owned(), count: 0 }
    }

    /// A writer that is connected and warm. A dial that took too long is followed by another one.
    pub async fn ready(uri: &str, log: &Path) -> Self {
        let mut hands = Self::start(uri, log);
        let give_up = tokio::time::Instant::now() + Duration::from_secs(60);
        loop {
            let state = hands.state().await;
            if state == WriterState::Ready {
                return hands;
            }
            assert!(tokio::time::Instant::now() < give_up, "{state:?}");
        }
    }

    /// Asks for it; returns its number.
    pub fn ask(&mut self, approved: Approved) -> u64 {
        self.count += 1;
        self.handle.ask(Request::Write { id: self.count, approved }).expect("the writer runs");
        self.count
    }

    /// Has the writer look at the targets of an action.
    pub async fn look(&mut self, write: &Write) -> Looked {
        self.count += 1;
        let (id, write) = (self.count, write.clone());
        self.handle.ask(Request::Look { id, write }).expect("the writer runs");
        loop {
            if let Event::Looked { id: of, looked } = self.event().await
                && of == id
            {
                return looked;
            }
        }
    }

    pub async fn event(&mut self) -> Event {
        tokio::time::timeout(Duration::from_secs(30), self.news.recv()).await.expect("news in time").expect("news")
    }

    /// The next state of the writer.
    pub async fn state(&mut self) -> WriterState {
        loop {
            if let Event::Writer(state) = self.event().await {
                return state;
            }
        }
    }

    /// The next step of an action.
    pub async fn step(&mut self) -> ActionStep {
        loop {
            if let Event::Action(ActionNews { step, .. }) = self.event().await {
                return step;
            }
        }
    }

    /// How the next action ends.
    pub async fn ended(&mut self) -> Outcome {
        loop {
            if let ActionStep::Ended(outcome) = self.step().await {
                return outcome;
            }
        }
    }

    /// The pid of the job that starts next.
    pub async fn started(&mut self) -> i32 {
        match self.step().await {
            ActionStep::Started { pid: Some(pid) } => pid,
            other @ (ActionStep::Started { .. }
            | ActionStep::Progress(_)
            | ActionStep::Ended(_)
            | ActionStep::Verified { .. }
            | ActionStep::DeadRows { .. }
            | ActionStep::Went { .. }
            | ActionStep::VerifiedEach { .. }
            | ActionStep::Unverified(_)
            | ActionStep::Unlogged(_)
            | ActionStep::Uncopied(_)) => panic!("{other:?}"),
        }
    }

    /// Asks for it and waits for its end.
    pub async fn take(&mut self, approved: Approved) -> Outcome {
        self.ask(approved);
        self.ended().await
    }
}

/// The lines of a log; one that is being written just now is none yet.
pub fn lines(log: &Path) -> Vec<Entry> {
    let text = std::fs::read_to_string(log).unwrap_or_default();
    let (whole, _being_written) = text.rsplit_once('\n').unwrap_or_default();
    whole.lines().map(|line| serde_json::from_str(line).expect(line)).collect()
}

/// Waits for the last line of a log to be so: the console is told how an action ended before the log is.
pub async fn last_line(log: &Path, wanted: impl Fn(&Entry) -> bool) {
    let until = tokio::time::Instant::now() + Duration::from_secs(20);
    while !lines(log).last().is_some_and(&wanted) {
        assert!(tokio::time::Instant::now() < until, "the last line is {:?}", lines(log).last());
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
}

/// Waits until a line of the last action tells of such an event: the console hears of it first.
pub async fn until_logged(log: &Path, event: EventKind) {
    for _ in 0..1000 {
        if last_action(log).iter().any(|(kind, _)| *kind == event) {
            return;
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    panic!("never logged: {event:?}");
}

/// The lines of the action that began last: what each tells, and the result where it has one. The outcome of the one
/// before may stand among them, since the console hears of an outcome before it is written.
pub fn last_action(log: &Path) -> Vec<(EventKind, Option<String>)> {
    let lines = lines(log);
    let id = lines.iter().rfind(|line| line.event == EventKind::Intent).map(|line| line.id.clone());
    let of_it = lines.into_iter().filter(|line| Some(&line.id) == id.as_ref());
    of_it.map(|line| (line.event, line.outcome.map(|outcome| outcome.result))).collect()
}
