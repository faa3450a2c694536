//! Free ports on loopback; it must not hold them.
use anyhow::{Result, bail};
use std::hash::{BuildHasher as _, RandomState};
use std::net::TcpListener;

// Below the range from which Linux takes the ports of outgoing connections (32768 and up), so that a server that is stopped finds its
// port still free when it is started again.
const FIRST: u16 = 20_000;
const COUNT: u64 = 12_000;

/// A port of 127.0.0.1 on which nobody listens now.
pub fn free() -> Result<u16> {
    for attempt in 0..100_u32 {
        let random = RandomState::new().hash_one(attempt) % COUNT;
        let port = FIRST + u16::try_from(random)?;
        if TcpListener::bind(("127.0.0.1", port)).is_ok() {
            return Ok(port);
        }
    }
    bail!("no free port between {FIRST} and {}", u64::from(FIRST) + COUNT)
}
