//! The labs that these tests share, one test at a time in each, and a second way into the server; it must not know the console.

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use tokio::runtime::{Builder, Runtime};
use tokio_postgres::{Client, Config, NoTls, SimpleQueryMessage};

use super::driver::PATIENCE;
use crate::lab::{Lab, PRIMARY, Wanted};

static SMALL: Mutex<Option<Lab>> = Mutex::new(None);
static WHOLE: Mutex<Option<Lab>> = Mutex::new(None);

/// A lab that is ours until the test ends. It ends with the test binary: its standard input is a pipe from us.
pub struct Scene {
    guard: MutexGuard<'static, Option<Lab>>,
}

impl Scene {
    /// A primary alone.
    pub fn small() -> Option<Self> {
        Self::of(&SMALL, PRIMARY)
    }

    /// A primary, its standby, Prometheus and the service.
    pub fn whole() -> Option<Self> {
        Self::of(&WHOLE, Wanted::default())
    }

    fn of(shared: &'static Mutex<Option<Lab>>, wanted: Wanted) -> Option<Self> {
        // A test that failed left its incident behind, not a broken lab.
        let mut guard = shared.lock().unwrap_or_else(PoisonError::into_inner);
        if guard.is_none() {
            *guard = Some(Lab::start(wanted)?);
        }
        let mut scene = Self { guard };
        let lab = scene.lab();
        lab.try_command("thaw-primary");
        lab.try_command("start-primary");
        lab.command("calm");
        Some(scene)
    }

    pub fn lab(&mut self) -> &mut Lab {
        self.guard.as_mut().expect("it was started")
    }

    /// Plays a scenario.
    pub fn play(&mut self, scenario: &str) {
        self.lab().command(&format!("scenario {scenario}"));
    }

    pub fn uri(&mut self, role: &str) -> String {
        self.lab().uri(role)
    }

    /// A session of our own.
    pub fn sql(&mut self, role: &str) -> Sql {
        Sql::open(&self.uri(role))
    }

    /// The part of the server's log that was written since it was `length` long.
    pub fn log_since(&mut self, length: usize) -> String {
        self.lab().log("primary").get(length..).unwrap_or_default().to_owned()
    }
}

/// A session beside the console's, asked from a test that is no future.
pub struct Sql {
    runtime: Runtime,
    client: Client,
}

impl Sql {
    pub fn open(uri: &str) -> Self {
        Self::try_open(uri).expect("the server lets one in")
    }

    pub fn try_open(uri: &str) -> Result<Self, tokio_postgres::Error> {
        Self::try_by(&uri.parse()?)
    }

    pub fn by(config: &Config) -> Self {
        Self::try_by(config).expect("the server lets one in")
    }

    fn try_by(config: &Config) -> Result<Self, tokio_postgres::Error> {
        let runtime = Builder::new_multi_thread().worker_threads(1).enable_all().build().expect("a runtime");
        let client = runtime.block_on(async {
            let (client, connection) = config.connect(NoTls).await?;
            tokio::spawn(connection);
            Ok::<_, tokio_postgres::Error>(client)
        })?;
        Ok(Self { runtime, client })
    }

    /// Runs statements.
    pub fn run(&self, sql: &str) {
        self.runtime.block_on(self.client.batch_execute(sql)).expect(sql);
    }

    /// Has the server log every statement, or no longer.
    pub fn log_statements(&self, all: bool) {
        self.run(if all { "ALTER SYSTEM SET log_statement = 'all'" } else { "ALTER SYSTEM RESET log_statement" });
        self.run("SELECT pg_reload_conf()");
        self.until(&format!("current_setting('log_statement') {} 'all'", if all { "=" } else { "<>" }), 5);
    }

    /// Runs a statement that may wait for ever, in the background.
    pub fn begin(&self, sql: &str) {
        // The future borrows nothing that ends before the runtime does: the request is written at its first poll.
        let sent = self.client.simple_query(sql);
        let _pending = self.runtime.block_on(async { tokio::time::timeout(Duration::from_millis(200), sent).await });
    }

    /// The first value of the answer.
    pub fn text(&self, sql: &str) -> Option<String> {
        let messages = self.runtime.block_on(self.client.simple_query(sql)).expect(sql);
        messages.iter().find_map(|message| {
            if let SimpleQueryMessage::Row(row) = message { row.get(0).map(str::to_owned) } else { None }
        })
    }

    pub fn number(&self, sql: &str) -> i64 {
        self.text(sql).and_then(|text| text.parse().ok()).unwrap_or_else(|| panic!("no number: {sql}"))
    }

    /// Asks until it is so.
    pub fn until(&self, condition: &str, seconds: u64) {
        let deadline = Instant::now() + Duration::from_secs(seconds * PATIENCE);
        while self.text(&format!("SELECT ({condition})::text")).as_deref() != Some("true") {
            assert!(Instant::now() < deadline, "never so: {condition}");
            std::thread::sleep(Duration::from_millis(20));
        }
    }
}
