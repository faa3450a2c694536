//! A lab for a test: starts the program `lab`, speaks its lines, and ends it with the test; it must not know what a test wants of it.
//!
//! `cargo test` builds the program along; `cargo test --test main` alone does not: `cargo build --example lab` before it.
use serde_json::Value;
use std::io::{BufRead as _, BufReader, Write as _};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};

/// Set by `tests/all`: without it there are no servers, and a test that needs some is skipped, loudly.
const SWITCH: &str = "PGTRIAGE_LAB";

/// What a test wants of its lab: primary, standby, Prometheus and service unless it leaves some out.
#[derive(Clone, Copy, Debug, Default)]
pub struct Wanted {
    /// The major of PostgreSQL; the newest that is found unless told.
    pub postgres: Option<u32>,
    /// The scenario to begin with; calm unless told.
    pub scenario: Option<&'static str>,
    /// `standby`, `prometheus`, `service`.
    pub without: &'static [&'static str],
    /// `pgbouncer`, `victoriametrics`.
    pub with: &'static [&'static str],
}

/// Only a primary: the quickest to start.
pub const PRIMARY: Wanted =
    Wanted { postgres: None, scenario: None, without: &["standby", "prometheus", "service"], with: &[] };

/// A primary and its standby.
pub const SERVERS: Wanted = Wanted { without: &["prometheus", "service"], ..PRIMARY };

/// A running lab; dropping it ends and removes everything.
#[derive(Debug)]
pub struct Lab {
    process: Child,
    orders: Option<ChildStdin>,
    answers: BufReader<ChildStdout>,
    /// The line with which it said that it is ready.
    pub facts: Value,
}

impl Lab {
    /// Starts a lab; none, with a loud word, where there are no servers to test with. A lab that cannot start is a failure.
    pub fn start(wanted: Wanted) -> Option<Self> {
        if std::env::var_os(SWITCH).is_none() {
            skipped("needs real servers (run tests/all)");
            return None;
        }
        let mut command = Command::new(program());
        command.arg("serve").stdin(Stdio::piped()).stdout(Stdio::piped());
        if let Some(major) = wanted.postgres {
            command.arg(format!("--postgres={major}"));
        }
        if let Some(name) = wanted.scenario {
            command.arg(format!("--scenario={name}"));
        }
        for (flag, parts) in [("--without", wanted.without), ("--with", wanted.with)] {
            if !parts.is_empty() {
                command.arg(format!("{flag}={}", parts.join(",")));
            }
        }
        let mut process = command.spawn().expect("the example lab was built with the tests");
        let orders = process.stdin.take();
        let answers = BufReader::new(process.stdout.take().expect("a pipe"));
        let mut lab = Self { process, orders, answers, facts: Value::Null };
        lab.facts = lab.answer();
        Some(lab)
    }

    /// Gives a command (`scenario lock-pileup`, `calm`, `stop-primary immediate`, …) and its answer, which must be that it was done.
    pub fn command(&mut self, line: &str) -> Value {
        let answer = self.try_command(line);
        assert_eq!(answer["ok"], true, "{line}: {answer}");
        answer
    }

    /// Gives a command and its answer, whatever it is.
    pub fn try_command(&mut self, line: &str) -> Value {
        let orders = self.orders.as_mut().expect("the lab runs");
        writeln!(orders, "{line}").expect("the lab runs");
        self.answer()
    }

    /// The URI of the primary's database `shop` for a role: `postgres`, `plain`, `monitor`, `oncall`, `seat`, `scram`, `shop_api`, ….
    pub fn uri(&self, role: &str) -> String {
        self.text(&format!("/primary/uris/{role}"))
    }

    /// The same of the standby.
    pub fn standby_uri(&self, role: &str) -> String {
        self.text(&format!("/standby/uris/{role}"))
    }

    /// Where Prometheus answers.
    pub fn prometheus(&self) -> String {
        self.text("/prometheus/url")
    }

    /// Where the service answers.
    pub fn service(&self) -> String {
        self.text("/service/url")
    }

    /// The server log of `primary` or `standby`, as it is now.
    pub fn log(&self, server: &str) -> String {
        std::fs::read_to_string(self.text(&format!("/{server}/log"))).expect("a server log")
    }

    /// The folder where everything is.
    pub fn folder(&self) -> PathBuf {
        PathBuf::from(self.text("/folder"))
    }

    /// A text among the facts, by JSON pointer.
    pub fn text(&self, pointer: &str) -> String {
        let fact = self.facts.pointer(pointer).and_then(Value::as_str);
        fact.unwrap_or_else(|| panic!("no {pointer} in {}", self.facts)).to_owned()
    }

    /// The process of the lab itself.
    pub fn process(&mut self) -> &mut Child {
        &mut self.process
    }

    /// Ends it in good order; true if it left nothing.
    pub fn stop(mut self) -> bool {
        drop(self.orders.take());
        let status = self.process.wait().expect("the lab ends");
        status.success() && !self.folder().exists()
    }

    fn answer(&mut self) -> Value {
        let mut line = String::new();
        self.answers.read_line(&mut line).expect("a line of the lab");
        assert!(!line.is_empty(), "the lab ended: its words stand above");
        serde_json::from_str(&line).expect("a line of JSON")
    }
}

impl Drop for Lab {
    fn drop(&mut self) {
        drop(self.orders.take());
        let _status = self.process.wait();
    }
}

/// Whether `tests/all --long` runs: whether the tests that take more than a minute are wanted, too.
pub fn long() -> bool {
    let wanted = std::env::var_os(SWITCH).is_some_and(|value| value == "long");
    if !wanted {
        skipped("takes long (run tests/all --long)");
    }
    wanted
}

/// The program, which cargo puts beside the tests.
pub fn program() -> PathBuf {
    let own = std::env::current_exe().expect("this test has a path");
    let target = own.parent().and_then(Path::parent).expect("target/PROFILE/deps/TEST");
    target.join("examples/lab")
}

/// Past the test runner, which would swallow what a passing test says.
fn skipped(why: &str) {
    let name = std::thread::current().name().unwrap_or_default().to_owned();
    let line = format!("SKIPPED: {name} {why}\n");
    let _unseen = std::io::stderr().write_all(line.as_bytes());
}
