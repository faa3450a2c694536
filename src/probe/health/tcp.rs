//! One bounded exchange over TCP: dial, send, and read until what is expected came.
//!
//! It speaks no protocol of its own, and no TLS.

use std::time::Duration;

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::time::{Instant, timeout_at};

use super::timed_out;
use crate::model::ProbeError;
use crate::model::health::Contact;

/// The most that is read: what was expected comes first, or not at all.
const MOST_BYTES: usize = 4 << 10;

/// Dials `at` and waits for what is expected.
pub(super) async fn contact(
    at: &str,
    send: Option<&str>,
    expect: Option<&str>,
    within: Duration,
) -> Result<Contact, ProbeError> {
    let begun = Instant::now();
    let until = begun + within;
    let mut heard = Vec::new();
    let met = match timeout_at(until, exchange(at, send, expect, &mut heard)).await {
        Ok(Ok(met)) => met,
        Ok(Err(error)) => return Err(ProbeError::Unreachable(error.to_string())),
        Err(_) if heard.is_empty() => return Err(timed_out(within)),
        // It speaks, and not of this.
        Err(_) => false,
    };
    Ok(Contact::exchanged(&heard, expect.filter(|_| !met), begun.elapsed().as_secs_f64() * 1e3))
}

/// True where what is expected came, or nothing is.
async fn exchange(at: &str, send: Option<&str>, expect: Option<&str>, heard: &mut Vec<u8>) -> std::io::Result<bool> {
    let mut stream = TcpStream::connect(at).await?;
    if let Some(text) = send {
        stream.write_all(text.as_bytes()).await?;
    }
    let Some(expect) = expect.map(str::as_bytes) else { return Ok(true) };
    let mut buffer = [0; 512];
    while heard.len() < MOST_BYTES {
        let count = stream.read(&mut buffer).await?;
        if count == 0 {
            return Ok(false);
        }
        heard.extend_from_slice(buffer.get(..count).unwrap_or_default());
        if heard.windows(expect.len()).any(|window| window == expect) {
            return Ok(true);
        }
    }
    Ok(false)
}
