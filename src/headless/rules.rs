//! `pgtriage rules`: a rule file checked and evaluated once, or the built-in rules printed.

use crate::config::{ConfigError, RulesLook, RulesRequest, Surroundings};
use crate::diagnose::alert::board::Board;
use crate::diagnose::alert::builtin::builtin;
use crate::diagnose::alert::{parse, print};
use crate::model::{ProbeError, Timestamp};
use crate::probe::prometheus::{Prometheus, PrometheusSettings, SettingsError};
use crate::report::rules::{Report, json, text};

/// What is printed, and the exit code.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Answer {
    /// The text.
    pub text: String,
    /// The exit code.
    pub code: u8,
}

/// Why nothing could be looked at.
#[derive(Debug, thiserror::Error)]
pub enum RulesError {
    /// The file cannot be read.
    #[error("error: {0}: {1}")]
    File(String, String),
    /// The settings are wrong.
    #[error(transparent)]
    Config(#[from] ConfigError),
    /// The settings of Prometheus are wrong.
    #[error("error: --prometheus: {0}")]
    Prometheus(#[from] SettingsError),
    /// The built-in rules are broken.
    #[error("error: {0}")]
    Builtin(String),
}

/// Does what was asked.
///
/// # Errors
/// Where something that was given cannot be used.
pub async fn run(request: &RulesRequest, around: &Surroundings) -> Result<Answer, RulesError> {
    match &request.look {
        RulesLook::Print => {
            let groups = builtin(&request.metrics.variables()).map_err(|e| RulesError::Builtin(e.to_string()))?;
            Ok(Answer { text: print::yaml(&groups), code: 0 })
        }
        RulesLook::Test { file, json: as_json } => {
            let name = file.display().to_string();
            let read = (around.read)(file).map_err(|e| RulesError::File(name.clone(), e.to_string()))?;
            let report = test(&name, &read, request).await?;
            let text = if *as_json { json(&report) } else { text(&report) };
            Ok(Answer { text, code: report.code() })
        }
    }
}

async fn test(name: &str, read: &str, request: &RulesRequest) -> Result<Report, RulesError> {
    let groups = match parse(read, name) {
        Ok(groups) => groups,
        Err(faults) => return Ok(Report::faulty(name, faults.0)),
    };
    let mut board = Board::new(groups.clone());
    let Some(settings) = PrometheusSettings::of(&request.metrics) else {
        return Ok(Report { file: name.to_owned(), faults: Vec::new(), board, asked: None });
    };
    let prometheus = Prometheus::new(settings)?;
    let mut trouble: Option<ProbeError> = None;
    for group in &groups {
        let answer = match &trouble {
            // A server that is away is away for the next group, too.
            Some(away) => Err(away.clone()),
            None => prometheus.evaluate(group, None).await,
        };
        trouble = answer.as_ref().err().cloned();
        board.take(&group.key, &answer, Timestamp::now());
    }
    let asked = Some((prometheus.place().to_owned(), trouble));
    Ok(Report { file: name.to_owned(), faults: Vec::new(), board, asked })
}
