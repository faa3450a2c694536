//! A probe for a test: started on a URI, told what is wanted, listened to. It must not know what a test expects.
use crate::lab::Lab;
use pgtriage::model::relation::{RelationOrder, Relations};
use pgtriage::model::session::Sessions;
use pgtriage::model::{Cadence, Demand, Link, ProbeError, Question, Sample, Snapshot, Wanted};
use pgtriage::postgres::{Conninfo, Given, OwnPids, Process, resolve};
use pgtriage::probe::{PostgresProbe, Report};
use std::time::Duration;
use tokio::sync::{mpsc, watch};
use tokio::task::JoinHandle;
use tokio_postgres::{Client, NoTls};

/// Long enough for two busy cores; a test that passes never waits so long.
const PATIENCE: Duration = Duration::from_secs(20);

/// A running probe.
pub struct Asking {
    demand: watch::Sender<Demand>,
    reports: mpsc::Receiver<Report>,
    pub own: OwnPids,
    task: JoinHandle<()>,
}

impl Drop for Asking {
    fn drop(&mut self) {
        self.task.abort();
    }
}

impl Asking {
    pub fn of(uri: &str, questions: &[Question]) -> Self {
        Self::with_plan_login(uri, None, questions)
    }

    /// The same where plans have a login of their own.
    pub fn with_plan_login(uri: &str, plan_login: Option<Conninfo>, questions: &[Question]) -> Self {
        let (demand, wanted) = watch::channel(Demand::default());
        let (say, reports) = mpsc::channel(16);
        let own = OwnPids::default();
        let probe = PostgresProbe {
            conninfo: conninfo(uri),
            plan_login,
            os_user: "tester".to_owned(),
            own: own.clone(),
            cache_table: "fraiseql_cache".to_owned(),
            writer: pgtriage::effect::TEXTS,
        };
        let asking = Self { demand, reports, own, task: tokio::spawn(probe.run(wanted, say)) };
        asking.want(questions);
        asking
    }

    /// Wants these from now on, each twice a second.
    pub fn want(&self, questions: &[Question]) {
        let every = |question: &Question| Wanted {
            question: question.clone(),
            cadence: Cadence::Every(Duration::from_millis(500)),
        };
        self.demand.send_modify(|demand| demand.wanted = questions.iter().map(every).collect());
    }

    /// As the key that connects again does.
    pub fn reconnect(&self) {
        self.demand.send_modify(|demand| demand.reconnect += 1);
    }

    pub async fn report(&mut self) -> Report {
        tokio::time::timeout(PATIENCE, self.reports.recv()).await.expect("a report in time").expect("the probe lives")
    }

    /// The next answer to that question.
    pub async fn sample(&mut self, question: &Question) -> Sample {
        loop {
            if let Report::Sample(sample) = self.report().await
                && sample.question == *question
            {
                return sample;
            }
        }
    }

    /// The next answer to that question that `good` accepts.
    pub async fn sample_with(&mut self, question: &Question, good: impl Fn(&Sample) -> bool) -> Sample {
        let give_up = tokio::time::Instant::now() + PATIENCE;
        loop {
            let sample = self.sample(question).await;
            if good(&sample) {
                return sample;
            }
            assert!(tokio::time::Instant::now() < give_up, "the last was {sample:?}");
        }
    }

    /// The next word about the link.
    pub async fn link(&mut self) -> Link {
        loop {
            if let Report::Link(link) = self.report().await {
                return link;
            }
        }
    }

    pub async fn up(&mut self) {
        while !matches!(self.link().await, Link::Up(_)) {}
    }
}

pub fn conninfo(uri: &str) -> Conninfo {
    let given = Given { words: vec![uri.to_owned()], ..Given::default() };
    resolve(&given, &Process).expect("a usable URI")
}

/// Asks one question once; again where there was no answer in time, since a machine that stands still for a moment says
/// nothing of the question. What waits for a lock has no answer then, either.
pub async fn ask(uri: &str, question: Question) -> Result<Snapshot, ProbeError> {
    let give_up = tokio::time::Instant::now() + PATIENCE;
    loop {
        let answer = Asking::of(uri, std::slice::from_ref(&question)).sample(&question).await.answer;
        if !matches!(answer, Err(ProbeError::TimedOut(_))) || tokio::time::Instant::now() > give_up {
            return answer;
        }
    }
}

pub async fn sessions(uri: &str) -> Sessions {
    match ask(uri, Question::Sessions).await {
        Ok(Snapshot::Sessions(sessions)) => sessions,
        other => panic!("{other:?}"),
    }
}

pub fn by(order: RelationOrder) -> Question {
    Question::Relations { database: None, order }
}

pub async fn relations(uri: &str, order: RelationOrder) -> Relations {
    match ask(uri, by(order)).await {
        Ok(Snapshot::Relations(relations)) => *relations,
        other => panic!("{other:?}"),
    }
}

/// A session of the test's own.
pub async fn client(uri: &str) -> Client {
    let (client, connection) = tokio_postgres::connect(uri, NoTls).await.expect("the server lets one in");
    tokio::spawn(connection);
    client
}

pub async fn run(client: &Client, sql: &str) {
    client.batch_execute(sql).await.unwrap_or_else(|error| panic!("{sql}: {error:?}"));
}

/// Starts a statement that will wait, and returns once it does.
pub async fn queue(client: Client, sql: &'static str, watcher: &Client) -> JoinHandle<()> {
    let pid: i32 = client.query_one("SELECT pg_backend_pid()", &[]).await.expect("an answer").get(0);
    let waiting = tokio::spawn(async move {
        let _given_up_by_the_test = client.batch_execute(sql).await;
    });
    let asked = "SELECT coalesce((SELECT wait_event_type = 'Lock' FROM pg_stat_get_activity($1) a), false)";
    let give_up = tokio::time::Instant::now() + PATIENCE;
    while !watcher.query_one(asked, &[&pid]).await.expect("an answer").get::<_, bool>(0) {
        assert!(tokio::time::Instant::now() < give_up, "{sql} never waited");
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    waiting
}

/// The same URI for another database or role.
pub fn with_database(uri: &str, database: &str) -> String {
    let (road, _) = uri.rsplit_once('/').expect("a URI with a database");
    format!("{road}/{database}")
}

/// A primary of that major, or nothing where there are no servers to test with.
pub fn primary(major: u32) -> Option<Lab> {
    Lab::start(crate::lab::Wanted { postgres: Some(major), ..crate::lab::PRIMARY })
}
