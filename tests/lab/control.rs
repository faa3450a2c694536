//! `lab serve`: one line of JSON when ready, then a line for each command, and the many ways to end; it must not leave anything behind.
use crate::bench::{Bench, Setup};
use crate::cluster::Stop;
use crate::lines;
use crate::scenario::Play;
use anyhow::{Context, Result, bail};
use serde_json::{Value, json};
use std::io::Write as _;
use std::time::Duration;
use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio::time::{Instant, sleep_until};

/// No lab lives longer, whatever became of who started it.
const LIFE: Duration = Duration::from_secs(3600);

/// What ends a lab from outside: a signal, the end of the process that started it, or its age.
#[derive(Debug)]
pub struct Ends {
    signals: Vec<Signal>,
    parent: u32,
    deadline: Instant,
}

impl Ends {
    /// Looks out from now on.
    pub fn watch() -> Result<Self> {
        let kinds = [SignalKind::interrupt(), SignalKind::terminate(), SignalKind::hangup(), SignalKind::quit()];
        Ok(Self {
            signals: kinds.into_iter().map(signal).collect::<Result<_, _>>()?,
            parent: std::os::unix::process::parent_id(),
            deadline: Instant::now() + LIFE,
        })
    }

    /// Leaves ^C to someone else in the foreground.
    pub fn leave_interrupts(&mut self) {
        // Interrupt and quit; the handlers stay, so that the signals do not kill us.
        let mut index = 0;
        self.signals.retain(|_| {
            index += 1;
            index == 2 || index == 3
        });
    }

    /// Waits for it.
    pub async fn come(&mut self) {
        let mut look = tokio::time::interval(Duration::from_millis(300));
        loop {
            let signalled =
                futures_util::future::select_all(self.signals.iter_mut().map(|signal| Box::pin(signal.recv())));
            tokio::select! {
                _ = signalled => return,
                () = sleep_until(self.deadline) => return,
                _ = look.tick() => {
                    if std::os::unix::process::parent_id() != self.parent {
                        return;
                    }
                }
            }
        }
    }
}

/// Serves until standard input ends or something else does.
pub async fn serve(setup: Setup) -> Result<()> {
    let mut ends = Ends::watch()?;
    let mut lines = lines::read();
    // From here on the bench ends with this function, and everything with the bench.
    let mut bench = tokio::select! {
        bench = Bench::start(&setup) => bench?,
        () = ends.come() => return Ok(()),
    };
    say(&bench.describe())?;
    loop {
        let line = tokio::select! {
            line = lines.recv() => line,
            () = ends.come() => None,
        };
        let Some(line) = line else {
            return Ok(());
        };
        let answer = tokio::select! {
            answer = obey(&mut bench, &line) => answer,
            () = ends.come() => return Ok(()),
        };
        say(&answer.unwrap_or_else(|failure| json!({ "ok": false, "error": format!("{failure:#}") })))?;
    }
}

/// One line; nobody reading is a reason to end, not to panic.
fn say(line: &Value) -> Result<()> {
    writeln!(std::io::stdout(), "{line}").context("standard output")
}

/// Carries out one command.
async fn obey(bench: &mut Bench, line: &str) -> Result<Value> {
    let mut words = line.split_whitespace();
    let (verb, rest) = (words.next().unwrap_or_default(), words.next());
    let how = match rest {
        None | Some("fast") => Stop::Fast,
        Some(_) => Stop::Immediate,
    };
    let standby = |bench: &mut Bench| bench.standby.is_some().then_some(()).context("this lab has no standby");
    let mut answer = json!({ "ok": true });
    match verb {
        "scenario" => answer["scene"] = Play::begin(bench, rest.context("scenario NAME")?).await?,
        "calm" => Play::end(bench).await?,
        "stop-primary" => bench.primary.stop(how).await?,
        "start-primary" => bench.primary.start(&mut bench.folder).await?,
        "freeze-primary" => answer["processes"] = json!(bench.primary.signal_all("STOP")?),
        "thaw-primary" => answer["processes"] = json!(bench.primary.signal_all("CONT")?),
        "stop-standby" => {
            standby(bench)?;
            bench.standby_runs(false).await?;
        }
        "start-standby" => {
            standby(bench)?;
            bench.standby_runs(true).await?;
        }
        "stop-prometheus" => bench.series.as_mut().context("this lab has no Prometheus")?.stop().await?,
        "start-prometheus" => {
            let series = bench.series.as_mut().context("this lab has no Prometheus")?;
            series.start(&mut bench.folder).await?;
        }
        "stop-service" => bench.service.as_mut().context("this lab has no service")?.stop().await?,
        "start-service" => {
            let service = bench.service.as_mut().context("this lab has no service")?;
            service.resume(&mut bench.folder).await?;
        }
        "state" => answer["state"] = bench.state(),
        "describe" => answer["lab"] = bench.describe(),
        other => bail!("no command {other:?}"),
    }
    Ok(answer)
}
