//! One bounded `GET`: no redirect is followed, little of a body is read, and every way not to answer has its name.
//!
//! It knows no paths and judges no body.

use std::error::Error;
use std::time::Duration;

use reqwest::header::{ACCEPT, AUTHORIZATION, HeaderMap, HeaderValue};
use reqwest::{StatusCode, Url};
use tokio::time::{Instant, timeout};

use super::timed_out;
use crate::config;
use crate::model::health::{Body, Contact, Heard, Reply, read};
use crate::model::{ProbeError, ServerText};
use crate::probe::client::{basic_authorization, is_loopback, last_words, secret_header, tls};
use crate::probe::prometheus::SettingsError;

/// The most that is read of an answer. The longest that a real server gave is 2 kB.
const MOST_BYTES: usize = 64 << 10;

/// Characters of a server's words in an error.
const MOST_WORDS: usize = 200;

/// A client for one address.
#[derive(Debug)]
pub(super) struct Client {
    http: reqwest::Client,
    pub(super) url: Url,
    timeout: Duration,
}

/// An answer as it came.
struct Got {
    status: StatusCode,
    location: Option<String>,
    body: Vec<u8>,
    /// False where there was more.
    whole: bool,
}

impl Client {
    pub(super) fn new(
        at: &config::Endpoint,
        bearer: Option<&config::Secret>,
        ca_pem: Option<&str>,
        timeout: Duration,
    ) -> Result<Self, SettingsError> {
        let url = Url::parse(&at.url).map_err(|error| SettingsError::Url(at.url.clone(), error.to_string()))?;
        let mut headers = HeaderMap::from_iter([(ACCEPT, HeaderValue::from_static("application/json, */*;q=0.5"))]);
        let authorization = match (bearer, &at.basic) {
            (Some(token), _) => Some(format!("Bearer {}", token.reveal().trim())),
            (None, Some(basic)) => Some(basic_authorization(&basic.user, basic.password.reveal())),
            (None, None) => None,
        };
        if let Some(value) = authorization {
            let value = secret_header(&value).ok_or_else(|| SettingsError::Header("authorization".to_owned()))?;
            headers.insert(AUTHORIZATION, value);
        }
        let mut client = reqwest::Client::builder()
            .tls_backend_preconfigured(tls(url.scheme() == "https", ca_pem.map(str::as_bytes))?)
            .default_headers(headers)
            .user_agent(concat!("pgtriage/", env!("CARGO_PKG_VERSION")))
            .redirect(reqwest::redirect::Policy::none())
            // A connection that was kept says nothing of the next client, who has to dial.
            .pool_max_idle_per_host(0);
        if is_loopback(&url) {
            client = client.no_proxy();
        }
        let client = client.build().map_err(|error| SettingsError::Client(last_words(&error)))?;
        Ok(Self { http: client, url, timeout })
    }

    /// The reply of a path; none where there is no such path.
    pub(super) async fn reply(&self, url: Url) -> Option<Reply> {
        let path = url.path().to_owned();
        let begun = Instant::now();
        let answer = match self.get(url).await {
            Ok(got) if matches!(got.status, StatusCode::NOT_FOUND | StatusCode::METHOD_NOT_ALLOWED) => return None,
            Ok(got) => heard(got),
            Err(error) => Err(error),
        };
        Some(Reply { path, took_ms: milliseconds(begun), answer })
    }

    /// Asks a dependency: `status` and `expect` decide where they are given, else what the answer says of itself.
    pub(super) async fn contact(&self, status: Option<u16>, expect: Option<&str>) -> Result<Contact, ProbeError> {
        let begun = Instant::now();
        let got = self.get(self.url.clone()).await?;
        let took_ms = milliseconds(begun);
        if status.is_none() && expect.is_none() {
            let answer = heard(got)?;
            let reply = Reply { path: String::new(), took_ms, answer: Ok(answer) };
            return Ok(Contact { state: reply.state(), said: reply.said(), took_ms });
        }
        Ok(Contact::expected((got.status.as_u16(), &got.body), (status, expect), took_ms))
    }

    async fn get(&self, url: Url) -> Result<Got, ProbeError> {
        // From dialling to the last byte: a body that trickles is no answer either.
        timeout(self.timeout, self.exchange(url)).await.unwrap_or_else(|_| Err(timed_out(self.timeout)))
    }

    async fn exchange(&self, url: Url) -> Result<Got, ProbeError> {
        let mut response = self.http.get(url).send().await.map_err(|error| self.fault(&error))?;
        let status = response.status();
        let location = response.headers().get("location").and_then(|v| v.to_str().ok()).map(str::to_owned);
        let mut body = Vec::new();
        while let Some(chunk) = response.chunk().await.map_err(|error| self.fault(&error))? {
            body.extend_from_slice(&chunk);
            if body.len() > MOST_BYTES {
                body.truncate(MOST_BYTES);
                return Ok(Got { status, location, body, whole: false });
            }
        }
        Ok(Got { status, location, body, whole: true })
    }

    fn fault(&self, error: &reqwest::Error) -> ProbeError {
        let words = shown(&last_words(error));
        if error.is_timeout() {
            return timed_out(self.timeout);
        }
        if causes(error).any(<dyn Error>::is::<rustls::Error>) {
            // That we do not trust it says nothing of whether it works.
            return ProbeError::Refused { code: "TLS".to_owned(), message: words };
        }
        ProbeError::Unreachable(words)
    }
}

fn heard(got: Got) -> Result<Heard, ProbeError> {
    let status = got.status.as_u16();
    match got.status {
        StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN => Err(ProbeError::Unauthorized(format!("answers {status}"))),
        redirect if redirect.is_redirection() => {
            let to = got.location.map_or_else(|| "elsewhere".to_owned(), |to| shown(&to));
            Err(ProbeError::Refused { code: status.to_string(), message: format!("points to {to}: give that address") })
        }
        _ => Ok(Heard { status, body: if got.whole { read(&got.body) } else { Body::TooLong } }),
    }
}

/// A server's words on one line, safe to draw.
fn shown(words: &str) -> String {
    ServerText::from(words).head(MOST_WORDS)
}

fn milliseconds(begun: Instant) -> f64 {
    begun.elapsed().as_secs_f64() * 1e3
}

/// An error and all that it comes from; what an I/O error carries is a cause, too.
fn causes<'a>(error: &'a (dyn Error + 'static)) -> impl Iterator<Item = &'a (dyn Error + 'static)> {
    std::iter::successors(Some(error), |error: &&'a (dyn Error + 'static)| {
        let error: &'a (dyn Error + 'static) = *error;
        let carried = error.downcast_ref::<std::io::Error>().and_then(|io| io.get_ref());
        carried.map(|inner| inner as &(dyn Error + 'static)).or_else(|| error.source())
    })
}
