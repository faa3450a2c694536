//! The application at one address: which of the known paths it has, and what they answer.
//!
//! A path that was given is asked and no other. Without one the paths are found once, and anew when one of them is gone.

use std::time::Duration;

use futures_util::future::join_all;
use reqwest::Url;

use super::PATIENCE;
use super::http::Client;
use crate::model::health::{Health, Reply};
use crate::model::{ProbeError, Question, Snapshot};
use crate::probe::pace::Source;

/// Paths by what they answer, the first that is there of each row. What readiness looks at matters most: `/health` of
/// FraiseQL 1 is well whatever becomes of its database, and its `/ready` is `/readiness` in FraiseQL 2.
const PATHS: [&[&str]; 2] = [&["ready", "readiness", "health/ready", "readyz"], &["health", "healthz"]];

/// Where there is none of these: that the process lives.
const LIVENESS: &[&str] = &["startup", "live", "health/live", "livez"];

/// One address.
#[derive(Debug)]
pub(super) struct Endpoint {
    /// As it is shown, and named in questions.
    shown: String,
    client: Client,
    /// The paths that are there; empty until one has answered.
    known: Vec<Url>,
}

impl Endpoint {
    pub(super) fn new(shown: String, client: Client) -> Self {
        Self { shown, client, known: Vec::new() }
    }

    /// True where the address names no path, or one that ends in `/`: what is below it is to be found.
    fn is_base(&self) -> bool {
        self.client.url.path().ends_with('/') && self.client.url.query().is_none()
    }

    async fn look(&mut self) -> Result<Health, ProbeError> {
        if !self.is_base() {
            return match self.client.reply(self.client.url.clone()).await {
                Some(reply) => answered(vec![reply]),
                None => Err(ProbeError::Absent("answers 404: no such path".to_owned())),
            };
        }
        if self.known.is_empty() {
            return self.find().await;
        }
        let replies = join_all(self.known.iter().map(|url| self.client.reply(url.clone()))).await;
        if replies.iter().any(Option::is_none) {
            self.known.clear();
        }
        let replies: Vec<Reply> = replies.into_iter().flatten().collect();
        if replies.is_empty() { self.find().await } else { answered(replies) }
    }

    /// Asks all paths, and keeps those that are there.
    async fn find(&mut self) -> Result<Health, ProbeError> {
        let mut found = Vec::new();
        for paths in PATHS {
            found.extend(self.first(paths).await);
        }
        if found.is_empty() {
            found.extend(self.first(LIVENESS).await);
        }
        if found.is_empty() {
            let all = PATHS.concat().join(", /");
            return Err(ProbeError::Absent(format!("no /{all}: give the path of its health endpoint")));
        }
        // Where nothing was heard it is not known which paths there are.
        if found.iter().any(|(_, reply)| reply.answer.is_ok()) {
            self.known = found.iter().map(|(url, _)| url.clone()).collect();
        }
        answered(found.into_iter().map(|(_, reply)| reply).collect())
    }

    /// The first path that is there, with its reply. One that hangs, or refuses, is there.
    async fn first(&self, paths: &[&str]) -> Option<(Url, Reply)> {
        for path in paths {
            let Ok(url) = self.client.url.join(path) else { continue };
            if let Some(reply) = self.client.reply(url.clone()).await {
                return Some((url, reply));
            }
        }
        None
    }
}

/// The replies; where no path said anything, why.
fn answered(replies: Vec<Reply>) -> Result<Health, ProbeError> {
    let mut errors = replies.iter().map(|reply| reply.answer.as_ref().err());
    match errors.next() {
        Some(Some(first)) if errors.all(|error| error.is_some()) => Err(first.clone()),
        Some(_) | None => Ok(Health { replies }),
    }
}

impl Source for Endpoint {
    fn question(&self) -> Question {
        Question::Health { endpoint: self.shown.clone() }
    }

    fn patience(&self) -> Duration {
        PATIENCE
    }

    async fn ask(&mut self) -> Result<Snapshot, ProbeError> {
        Ok(Snapshot::Health(Box::new(self.look().await?)))
    }
}
