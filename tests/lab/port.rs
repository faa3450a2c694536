//! Free ports on loopback; it must not listen on them.
use anyhow::{Result, bail};
use std::hash::{BuildHasher as _, RandomState};
use std::net::TcpListener;
use std::os::linux::net::SocketAddrExt as _;
use std::os::unix::net::{SocketAddr, UnixListener};

// Below the range from which Linux takes the ports of outgoing connections (32768 and up), so that a server that is stopped finds its
// port still free when it is started again.
const FIRST: u16 = 20_000;
const COUNT: u64 = 12_000;

/// A port of 127.0.0.1 on which nobody listens now, and which no other lab is given while this process lives: until its server
/// listens, seconds may pass.
pub fn free() -> Result<u16> {
    for attempt in 0..100_u32 {
        let random = RandomState::new().hash_one(attempt) % COUNT;
        let port = FIRST + u16::try_from(random)?;
        // A name that is no file: the kernel forgets it with this process, however that ends.
        let name = SocketAddr::from_abstract_name(format!("pgtriage-lab-port-{port}"))?;
        let Ok(claim) = UnixListener::bind_addr(&name) else { continue };
        if TcpListener::bind(("127.0.0.1", port)).is_ok() {
            std::mem::forget(claim);
            return Ok(port);
        }
    }
    bail!("no free port between {FIRST} and {}", u64::from(FIRST) + COUNT)
}
