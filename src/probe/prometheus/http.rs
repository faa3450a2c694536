//! The HTTP side: one bounded request, and what its failure means.
//!
//! It knows the envelope of the API's answers and nothing of panels. It follows no redirect: credentials would travel
//! to an address that nobody gave.

use std::time::Duration;

use reqwest::header::{AUTHORIZATION, HeaderMap, HeaderName};
use reqwest::{Client, Response, StatusCode, Url};
use serde::Deserialize;
use serde::de::DeserializeOwned;

use super::range::{Axis, Matrix, Vector};
use super::settings::{PrometheusSettings, SettingsError};
use crate::model::{ProbeError, ServerText, Timestamp};
use crate::probe::client::{basic_authorization, is_loopback, last_words, secret_header, tls};

/// The most that is read of one answer. Eight series of a whole day at 15 s are 2 MB; more than this is a question that
/// would not have helped anybody.
const MOST_BYTES: usize = 4 << 20;

/// Longer words of a server are cut: a proxy may answer with a page.
const MOST_WORDS: usize = 300;

/// The query language's endpoints of one server.
#[derive(Debug)]
pub(in crate::probe) struct Api {
    client: Client,
    base: Url,
    place: String,
    timeout: Duration,
}

/// The data of an answer and what the server said beside it.
#[derive(Debug)]
pub(super) struct Answer<T> {
    pub data: T,
    pub notes: Vec<String>,
}

/// What every answer of the API is wrapped in.
#[derive(Deserialize)]
struct Envelope<T> {
    status: String,
    data: Option<T>,
    #[serde(default, rename = "errorType")]
    error_type: String,
    #[serde(default)]
    error: String,
    #[serde(default)]
    warnings: Vec<String>,
    /// VictoriaMetrics' word for an answer in which a storage node is missing.
    #[serde(default, rename = "isPartial")]
    partial: bool,
}

impl Api {
    pub(in crate::probe) fn new(settings: &PrometheusSettings) -> Result<Self, SettingsError> {
        let (base, place, basic) = address(&settings.url)?;
        let mut headers = HeaderMap::new();
        for (name, value) in &settings.headers {
            let fault = || SettingsError::Header(name.clone());
            let header = HeaderName::from_bytes(name.as_bytes()).map_err(|_| fault())?;
            headers.insert(header, secret_header(value.reveal()).ok_or_else(fault)?);
        }
        let basic = settings.basic.as_ref().map(|b| (b.user.clone(), b.password.reveal().to_owned())).or(basic);
        let authorization = match (&settings.bearer, basic) {
            (Some(token), _) => Some(format!("Bearer {}", token.reveal().trim())),
            (None, Some((user, password))) => Some(basic_authorization(&user, &password)),
            (None, None) => None,
        };
        if let Some(value) = authorization {
            let value = secret_header(&value).ok_or_else(|| SettingsError::Header("authorization".to_owned()))?;
            headers.insert(AUTHORIZATION, value);
        }
        let mut client = Client::builder()
            .tls_backend_preconfigured(tls(base.scheme() == "https", settings.ca_pem.as_deref())?)
            .default_headers(headers)
            .user_agent(concat!("pgtriage/", env!("CARGO_PKG_VERSION")))
            .redirect(reqwest::redirect::Policy::none())
            // The server is told `timeout` and says so itself; this is for one that says nothing.
            .timeout(settings.timeout + Duration::from_millis(500))
            .connect_timeout(settings.timeout.min(Duration::from_secs(3)));
        if is_loopback(&base) {
            client = client.no_proxy();
        }
        let client = client.build().map_err(|error| SettingsError::Client(last_words(&error)))?;
        Ok(Self { client, base, place, timeout: settings.timeout })
    }

    pub(super) fn place(&self) -> &str {
        &self.place
    }

    /// An expression at every point of an axis.
    pub(super) async fn range(&self, expr: &str, axis: Axis) -> Result<Answer<Matrix>, ProbeError> {
        let (start, end, step) = (axis.start.to_string(), axis.end.to_string(), axis.step.to_string());
        let query = [("query", expr), ("start", &start), ("end", &end), ("step", &step), ("timeout", &self.limit())];
        self.get("query_range", &query).await
    }

    /// An expression now.
    pub(super) async fn instant(&self, expr: &str) -> Result<Answer<Vector>, ProbeError> {
        self.get("query", &[("query", expr), ("timeout", &self.limit())]).await
    }

    /// An expression at a time, whatever its type; none is the server's now.
    pub(super) async fn instant_at<T: DeserializeOwned>(
        &self,
        expr: &str,
        at: Option<Timestamp>,
    ) -> Result<Answer<T>, ProbeError> {
        let limit = self.limit();
        let at = at.map(|at| format!("{}.{:03}", at.as_second(), at.subsec_millisecond()));
        let mut query = vec![("query", expr), ("timeout", limit.as_str())];
        query.extend(at.as_deref().map(|at| ("time", at)));
        self.get("query", &query).await
    }

    /// The raw samples of a range selector.
    pub(super) async fn samples(&self, expr: &str) -> Result<Answer<Matrix>, ProbeError> {
        self.get("query", &[("query", expr), ("timeout", &self.limit())]).await
    }

    fn limit(&self) -> String {
        format!("{}ms", self.timeout.as_millis())
    }

    /// One request to `/api/v1/…`.
    pub(super) async fn get<T: DeserializeOwned>(
        &self,
        path: &str,
        query: &[(&str, &str)],
    ) -> Result<Answer<T>, ProbeError> {
        let (status, envelope) = self.fetch::<Envelope<T>>(["api", "v1", path], query).await?;
        match envelope.data {
            Some(data) if envelope.status == "success" => {
                let mut notes: Vec<String> = envelope.warnings.iter().map(|w| shown(w)).collect();
                if envelope.partial {
                    notes.push("partial answer: a storage node is missing".to_owned());
                }
                Ok(Answer { data, notes })
            }
            Some(_) | None if envelope.error_type == "timeout" => Err(self.timed_out()),
            Some(_) | None => Err(refused(status, &envelope.error)),
        }
    }

    /// One request, and its answer read as JSON.
    pub(in crate::probe) async fn fetch<T: DeserializeOwned>(
        &self,
        path: [&str; 3],
        query: &[(&str, &str)],
    ) -> Result<(StatusCode, T), ProbeError> {
        let mut url = self.base.clone();
        if let Ok(mut segments) = url.path_segments_mut() {
            segments.pop_if_empty().extend(path);
        }
        let response = self.client.get(url).query(query).send().await.map_err(|error| self.fault(&error))?;
        let status = response.status();
        if matches!(status, StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN) {
            return Err(ProbeError::Unauthorized(self.place.clone()));
        }
        if status.is_redirection() {
            let to = response.headers().get("location").and_then(|v| v.to_str().ok()).unwrap_or("elsewhere");
            return Err(refused(status, &format!("{} points to {to}: give that address", self.place)));
        }
        let kind = response.headers().get("content-type").and_then(|v| v.to_str().ok()).unwrap_or("").to_owned();
        let body = self.body(response).await?;
        match serde_json::from_slice::<T>(&body) {
            Ok(answer) => Ok((status, answer)),
            Err(_) if !status.is_success() => Err(refused(status, &String::from_utf8_lossy(&body))),
            Err(error) if kind.contains("json") => Err(ProbeError::Shape(format!("{}: {error}", self.place))),
            Err(_) => {
                let kind = if kind.is_empty() { "no type" } else { &kind };
                Err(ProbeError::Shape(format!("{}: {}, not JSON", self.place, shown(kind))))
            }
        }
    }

    async fn body(&self, mut response: Response) -> Result<Vec<u8>, ProbeError> {
        let mut body = Vec::new();
        while let Some(chunk) = response.chunk().await.map_err(|error| self.fault(&error))? {
            if body.len() + chunk.len() > MOST_BYTES {
                let message = format!("{}: an answer of more than {} MB", self.place, MOST_BYTES >> 20);
                return Err(ProbeError::Refused { code: "422".to_owned(), message });
            }
            body.extend_from_slice(&chunk);
        }
        Ok(body)
    }

    fn fault(&self, error: &reqwest::Error) -> ProbeError {
        if error.is_timeout() && !error.is_connect() {
            self.timed_out()
        } else {
            ProbeError::Unreachable(format!("{}: {}", self.place, shown(&last_words(error))))
        }
    }

    fn timed_out(&self) -> ProbeError {
        ProbeError::TimedOut(u32::try_from(self.timeout.as_secs().max(1)).unwrap_or(u32::MAX))
    }
}

fn refused(status: StatusCode, words: &str) -> ProbeError {
    let words = shown(words);
    let message =
        if words.is_empty() { status.canonical_reason().unwrap_or("no reason given").to_owned() } else { words };
    ProbeError::Refused { code: status.as_u16().to_string(), message }
}

/// A server's words on one line, safe to draw.
fn shown(words: &str) -> String {
    ServerText::from(words).head(MOST_WORDS)
}

/// The base, `host:port`, and the credentials that stood in the address.
#[expect(clippy::type_complexity, reason = "three parts of one address, taken apart at one place")]
fn address(raw: &str) -> Result<(Url, String, Option<(String, String)>), SettingsError> {
    // The address is repeated in the error, so it must not carry what stood before the `@`.
    let public = raw.rsplit_once('@').map_or(raw, |(_, host)| host);
    let fault = |why: &str| SettingsError::Url(public.to_owned(), why.to_owned());
    let mut url = Url::parse(raw).map_err(|error| fault(&error.to_string()))?;
    if !matches!(url.scheme(), "http" | "https") {
        return Err(fault("the scheme is another"));
    }
    let host = url.host_str().ok_or_else(|| fault("no host"))?.to_owned();
    let place = format!("{host}:{}", url.port_or_known_default().unwrap_or(80));
    let decoded = |part: &str| percent_decoded(part);
    let basic =
        (!url.username().is_empty()).then(|| (decoded(url.username()), decoded(url.password().unwrap_or_default())));
    if url.set_username("").is_err() || url.set_password(None).is_err() {
        return Err(fault("no host"));
    }
    url.set_query(None);
    url.set_fragment(None);
    Ok((url, place, basic))
}

fn percent_decoded(part: &str) -> String {
    let mut out = Vec::with_capacity(part.len());
    let mut bytes = part.bytes();
    while let Some(byte) = bytes.next() {
        let mut ahead = bytes.clone();
        let pair = (byte == b'%').then(|| Some([ahead.next()?, ahead.next()?])).flatten();
        let value = pair.and_then(|p| u8::from_str_radix(std::str::from_utf8(&p).ok()?, 16).ok());
        if let Some(value) = value {
            out.push(value);
            bytes = ahead;
        } else {
            out.push(byte);
        }
    }
    String::from_utf8_lossy(&out).into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn credentials_in_the_address_become_a_header_and_leave_the_address() {
        let (url, place, basic) = address("https://me:p%40ss@metrics.example/prometheus/").unwrap();
        assert_eq!(url.as_str(), "https://metrics.example/prometheus/");
        assert_eq!(place, "metrics.example:443");
        assert_eq!(basic, Some(("me".to_owned(), "p@ss".to_owned())));
    }

    #[test]
    fn an_address_that_is_refused_does_not_show_its_password() {
        for raw in ["ftp://me:secret@host/", "http://me:secret@ho st/", "me:secret@host"] {
            let error = address(raw).unwrap_err().to_string();
            assert!(!error.contains("secret"), "{error}");
        }
    }

    #[test]
    fn a_ca_file_without_a_certificate_is_refused() {
        let mut settings = PrometheusSettings::new("https://127.0.0.1:9090");
        settings.ca_pem = Some(b"not a certificate".to_vec());
        assert!(matches!(Api::new(&settings), Err(SettingsError::Ca(_))));
        settings.ca_pem = None;
        assert!(Api::new(&settings).is_ok());
    }
}
