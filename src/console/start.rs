//! From settings to a running console: the road, the probes, the writer where there may be one, the loop, and an
//! orderly end of all of them.

use std::io::{self, IsTerminal};
use std::path::Path;
use std::time::Duration;

use tokio::sync::{mpsc, watch};

use super::{Door, End, Started, Wires, run};
use crate::app::alerts::Alerting;
use crate::app::{App, Display, Setup};
use crate::config::{self, Settings};
use crate::diagnose::alert::{self, builtin::builtin};
use crate::diagnose::runbook::Runbook;
use crate::effect::{self, Road, WriterHandle, audit};
use crate::guard::Policy;
use crate::message::Event;
use crate::model::alert::RuleGroup;
use crate::model::health::Watchlist;
use crate::model::panel::{self, PanelSpec};
use crate::model::{Demand, Link, ServerText, Timestamp};
use crate::postgres::{self, Asking, ConnectError, Conninfo, ConninfoError, Lane, OwnPids, SessionSettings};
use crate::probe::PostgresProbe;
use crate::probe::alertmanager::Alertmanager;
use crate::probe::health::HealthProbe;
use crate::probe::prometheus::{Prometheus, PrometheusSettings, SettingsError};

/// Reports that may wait for the loop: more than the questions of one tab, so that no probe ever waits for a frame.
const REPORTS: usize = 256;

/// How long the first look whether the server wants a password may delay the first question. A server that takes longer
/// to say it than that is asked in earnest, and says it then.
const FIRST_LOOK: Duration = Duration::from_secs(5);

/// How long Alertmanager may take where no Prometheus says how long that is.
const ALERTMANAGER_TIMEOUT: Duration = Duration::from_secs(5);

/// Why the console cannot start.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// A setting, or the keymap that it names, is wrong.
    #[error(transparent)]
    Config(#[from] config::ConfigError),
    /// What was given of the connection is no connection.
    #[error("error: {0}")]
    Conninfo(#[from] ConninfoError),
    /// The panels file is wrong.
    #[error("error: {0}")]
    Panels(String),
    /// A rule file is wrong.
    #[error("error: {0}")]
    Rules(String),
    /// A runbook is wrong.
    #[error("error: --runbooks: {0}")]
    Runbooks(String),
    /// The address of Alertmanager is wrong.
    #[error("error: --alertmanager: {0}")]
    Alertmanager(SettingsError),
    /// An address or a certificate of what is watched beside the database is wrong.
    #[error("error: health: {0}")]
    Health(SettingsError),
    /// What was given of pgbouncer is no connection.
    #[error("error: {given_by}: {error}")]
    Pgbouncer {
        /// Where it was given.
        given_by: String,
        /// What is wrong with it.
        error: ConninfoError,
    },
    /// The settings of Prometheus are wrong.
    #[error("error: --prometheus: {0}")]
    Prometheus(#[from] SettingsError),
    /// Standard input or output is no terminal.
    #[error("error: the console needs a terminal on standard input and output")]
    NoTerminal,
    /// The terminal failed.
    #[error("error: terminal: {0}")]
    Terminal(#[from] io::Error),
}

/// Runs the console with these settings until it is left.
///
/// # Errors
/// Where something that was given cannot be used; the screen was not opened then.
pub async fn start(settings: Settings, around: &config::Surroundings) -> Result<End, StartError> {
    let panels = panels(settings.panels.as_deref(), around)?;
    let conninfo = postgres::resolve(&given(&settings.connection), &postgres::Process)?;
    let plan_login = plan_login(&settings, &conninfo)?;
    let place = place(&settings, &conninfo);
    let settings = settings.at(&place);
    let keymap = settings.keymap(around)?;
    let rules = rules(&settings, around)?;
    let (runbooks, mut said) =
        super::runbooks::load(settings.runbooks.as_deref(), &panels).map_err(StartError::Runbooks)?;
    // A password file that others may read is said once, whichever of the two looks into it.
    said.extend(
        plan_login.iter().flat_map(|login| &login.warnings).filter(|w| !conninfo.warnings.contains(w)).cloned(),
    );
    let prometheus = prometheus(&settings.metrics)?.map(|p| p.with_rules(rules.clone()));
    let alertmanager = alertmanager(&settings)?;
    let pooler = settings.health.pooler.as_ref().map(pooler).transpose()?;
    if !io::stdin().is_terminal() || !io::stdout().is_terminal() {
        return Err(StartError::NoTerminal);
    }
    let os_user = settings.actor.os_user.clone().unwrap_or_default();
    let watchlist = settings.health.watchlist(pooler.as_ref().map(|p| shown(&p.places())));
    let beside = HealthProbe::new(&settings.health, pooler, &os_user).map_err(StartError::Health)?;
    let audit = match (settings.policy(), &settings.audit_file) {
        (Policy::Operator | Policy::Admin, Some(path)) => {
            let audit = audit::Audit::new(path, auditor(&settings));
            Some(audit.copied_to(settings.bounds.syslog, Path::new(SYSLOG)))
        }
        (Policy::Operator | Policy::Admin | Policy::Observer, _) => None,
    };
    let plan_user = plan_login.as_ref().map(|login| login.user.as_str().into());
    let writes = audit.is_some();
    let parts = Parts { keymap, panels: panels.clone(), rules, runbooks, watchlist, said, plan_user, writes };
    let mut app = App::new(setup(&settings, &conninfo, parts));
    app.update(Event::Link(Link::Connecting {
        place: conninfo.places(),
        since: Timestamp::now(),
        attempt: 1,
        last_error: None,
        retry_at: None,
    }));
    let (demand, wanted) = watch::channel(Demand::default());
    let (report, reports) = mpsc::channel(REPORTS);
    let (news_in, news) = mpsc::channel(REPORTS);
    let door = Door {
        wanted: Box::pin(wants_password(conninfo.clone(), os_user.clone())),
        question: format!("Password for user {} at {}:", shown(&conninfo.user), shown(&conninfo.places())),
        refused: {
            let (conninfo, os_user) = (conninfo.clone(), os_user.clone());
            Box::new(move |password| {
                let mut conninfo = conninfo.clone();
                conninfo.set_password(password);
                Box::pin(refused(conninfo, os_user.clone()))
            })
        },
        begin: Box::new(move |password| {
            let mut conninfo = conninfo;
            if let Some(password) = password {
                conninfo.set_password(password);
            }
            let own = OwnPids::default();
            let probe = PostgresProbe {
                conninfo: conninfo.clone(),
                plan_login,
                os_user: os_user.clone(),
                own: own.clone(),
                cache_table: settings.metrics.cache_table,
                writer: effect::TEXTS,
            };
            let mut started = Started::default();
            started.probes.spawn(probe.run(wanted.clone(), report.clone()));
            started.probes.spawn(beside.run(wanted.clone(), report.clone()));
            if let Some(alertmanager) = alertmanager {
                started.probes.spawn(alertmanager.run(wanted.clone(), report.clone()));
            }
            if let Some(prometheus) = prometheus {
                started.probes.spawn(prometheus.run(panels, wanted, report));
            }
            let road = Road { conninfo, os_user, own };
            started.effects = audit.map(|audit| WriterHandle::start(effect::Setup { road, audit, news: news_in }));
            started
        }),
    };
    // It holds the whole world: kept on the heap, no frame of the stack has to.
    Ok(Box::pin(run(app, Wires { reports, news, demand, door })).await?)
}

/// Where the system's log listens, on every system that has one.
const SYSLOG: &str = "/dev/log";

fn shown(text: &str) -> String {
    ServerText::from(text).escaped()
}

struct Parts {
    keymap: crate::keymap::Keymap,
    panels: Vec<PanelSpec>,
    rules: Vec<RuleGroup>,
    watchlist: Watchlist,
    runbooks: Vec<Runbook>,
    /// What is to be said of them.
    said: Vec<String>,
    plan_user: Option<ServerText>,
    writes: bool,
}

/// All that the server is called: a ceiling may name it by any of it.
fn place(settings: &Settings, conninfo: &Conninfo) -> config::Place {
    let mut servers: Vec<String> = settings.target.iter().cloned().collect();
    for endpoint in &conninfo.endpoints {
        servers.extend(endpoint.names());
    }
    config::Place { servers, database: conninfo.database.clone() }
}

fn setup(settings: &Settings, conninfo: &Conninfo, parts: Parts) -> Setup {
    let who = settings.actor.os_user.clone().unwrap_or_else(|| "unknown".to_owned());
    let path = settings.audit_file.as_ref().map_or_else(String::new, |p| format!(", in {}", p.display()));
    Setup {
        refresh: settings.refresh,
        slow_after: settings.slow_after,
        limits: settings.limits,
        display: Display { colour: !settings.no_color, ascii: settings.ascii },
        keymap: parts.keymap,
        panels: parts.panels,
        workload: settings.metrics.workload.clone(),
        // Without a writer nothing can be done, whatever the settings say.
        policy: if parts.writes { settings.policy() } else { Policy::Observer },
        policy_by: settings.bounds.policy_by.clone(),
        plan_user: parts.plan_user,
        target: settings.target.clone().unwrap_or_else(|| conninfo.database.clone()),
        production: settings.bounds.production,
        protected: settings.bounds.protected.clone(),
        require_reason: settings.bounds.require_reason,
        logged_as: format!("{who}{path}"),
        prometheus: settings.metrics.prometheus.as_ref().map(|p| p.url.clone()),
        warnings: {
            let doubts = parts.rules.iter().flat_map(|g| &g.rules).filter_map(|r| r.doubt.as_ref());
            settings.warnings.iter().chain(&conninfo.warnings).chain(doubts).chain(&parts.said).cloned().collect()
        },
        runbooks: parts.runbooks,
        alerting: Alerting {
            rules: parts.rules,
            alertmanager: settings.alerting.alertmanager.is_some(),
            bell: settings.alerting.bell,
        },
        watchlist: parts.watchlist,
        now: Timestamp::now(),
    }
}

fn panels(file: Option<&Path>, around: &config::Surroundings) -> Result<Vec<PanelSpec>, StartError> {
    let Some(path) = file else {
        return panel::defaults().map_err(|e| StartError::Panels(e.to_string()));
    };
    let text = (around.read)(path).map_err(|e| StartError::Panels(format!("{}: {e}", path.display())))?;
    panel::parse(&text, &path.display().to_string()).map_err(|e| StartError::Panels(e.to_string()))
}

/// What the command line and the config files say, in the words of the connection. The config file's conninfo comes
/// first, so that everything else goes before it.
fn given(from: &config::Given) -> postgres::Given {
    let asking = match from.ask {
        config::AskPassword::AsNeeded => Asking::WhenNeeded,
        config::AskPassword::Never => Asking::Never,
        config::AskPassword::First => Asking::Always,
    };
    let dbname = from.dbname.as_ref().map(|d| d.reveal().to_owned());
    let Some(base) = &from.base else {
        let (host, port, user) = (from.host.clone(), from.port.clone(), from.user.clone());
        return postgres::Given { words: Vec::new(), host, port, user, dbname, asking };
    };
    let mut over = Vec::new();
    for (name, value) in [("host", &from.host), ("port", &from.port), ("user", &from.user)] {
        over.extend(value.as_ref().map(|v| format!("{name}={}", quoted(v))));
    }
    let mut words = Vec::new();
    match dbname {
        Some(text) if postgres::is_connection_string(&text) => words.push(text),
        Some(name) => over.push(format!("dbname={}", quoted(&name))),
        None => {}
    }
    if !over.is_empty() {
        words.insert(0, over.join(" "));
    }
    postgres::Given { words, dbname: Some(base.reveal().to_owned()), asking, ..postgres::Given::default() }
}

fn quoted(value: &str) -> String {
    format!("'{}'", value.replace('\\', "\\\\").replace('\'', "\\'"))
}

/// The way for plans, where they are made as a role of their own.
fn plan_login(settings: &Settings, conninfo: &Conninfo) -> Result<Option<Conninfo>, ConninfoError> {
    let login = settings.plan_login.as_ref().filter(|login| login.user != conninfo.user);
    let login = login.map(|login| (login.user.as_str(), login.password.as_ref().map(config::Secret::reveal)));
    login.map(|login| postgres::resolve_as(&given(&settings.connection), login, &postgres::Process)).transpose()
}

/// The built-in rules and those of the files that were named. PromQL that is not understood here is a warning: the
/// server has the last word.
fn rules(settings: &Settings, around: &config::Surroundings) -> Result<Vec<RuleGroup>, StartError> {
    let mut groups = builtin(&settings.metrics.variables()).map_err(|e| StartError::Rules(e.to_string()))?;
    for path in &settings.alerting.rules {
        let name = path.display().to_string();
        let text = (around.read)(path).map_err(|e| StartError::Rules(format!("{name}: {e}")))?;
        groups.extend(alert::parse(&text, &name).map_err(|e| StartError::Rules(e.to_string()))?);
    }
    Ok(groups)
}

fn alertmanager(settings: &Settings) -> Result<Option<Alertmanager>, StartError> {
    let Some(url) = &settings.alerting.alertmanager else { return Ok(None) };
    let timeout = settings.metrics.prometheus.as_ref().map_or(ALERTMANAGER_TIMEOUT, |p| p.timeout);
    Alertmanager::new(url.reveal(), timeout).map(Some).map_err(StartError::Alertmanager)
}

/// pgbouncer's console. Its database has one name: what the environment says of databases is not meant for it.
fn pooler(given: &config::Pooler) -> Result<Conninfo, StartError> {
    let told = given.conninfo.reveal();
    let wrong = |error| StartError::Pgbouncer { given_by: given.given_by.clone(), error };
    if !postgres::is_connection_string(told) {
        return Err(wrong(ConninfoError::MissingEquals(told.to_owned())));
    }
    let given = postgres::Given {
        words: vec![told.to_owned()],
        dbname: Some("dbname=pgbouncer".to_owned()),
        asking: Asking::Never,
        ..postgres::Given::default()
    };
    postgres::resolve(&given, &postgres::Process).map_err(wrong)
}

/// The client for the Prometheus of the settings.
fn prometheus(metrics: &config::Metrics) -> Result<Option<Prometheus>, SettingsError> {
    PrometheusSettings::of(metrics).map(Prometheus::new).transpose()
}

fn auditor(settings: &Settings) -> audit::Console {
    let actor = settings.actor.clone();
    audit::Console {
        user: actor.os_user.unwrap_or_else(|| "unknown".to_owned()),
        sudo_user: actor.sudo_user,
        ssh_client: actor.ssh_client,
        host: actor.host.unwrap_or_else(|| "unknown".to_owned()),
        pid: std::process::id(),
    }
}

/// Whether a password is to be typed: where that was asked for, and where the server says that it needs one and none is
/// known.
async fn wants_password(conninfo: Conninfo, os_user: String) -> bool {
    match conninfo.asking {
        Asking::Never => false,
        Asking::Always => true,
        Asking::WhenNeeded if conninfo.password.is_some() => false,
        Asking::WhenNeeded => matches!(first_look(&conninfo, &os_user).await, Some(e) if postgres::needs_password(&e)),
    }
}

/// The server's words where it does not accept the password; any other trouble is no reason to ask for another one.
async fn refused(conninfo: Conninfo, os_user: String) -> Option<String> {
    let error = first_look(&conninfo, &os_user).await?;
    postgres::refuses_password(&error).then(|| shown(&error.to_string()))
}

/// Why a first login did not work; none where it did, and where the server is too slow to say.
async fn first_look(conninfo: &Conninfo, os_user: &str) -> Option<ConnectError> {
    let settings = SessionSettings::of(Lane::Fast, os_user);
    match tokio::time::timeout(FIRST_LOOK, postgres::connect(conninfo, Lane::Fast, &settings)).await {
        Ok(Ok(link)) => {
            link.close().await;
            None
        }
        Ok(Err(error)) => Some(error),
        Err(_) => None,
    }
}
