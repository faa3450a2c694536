//! The copy of each line in the system's log: what tells later that lines were cut off the end of the file.
//!
//! One datagram to the local socket, in the form that `syslog(3)` gives it. It writes no file, and does not decide what
//! becomes of an action without its copy.

use std::io;
use std::os::unix::net::UnixDatagram;
use std::path::Path;
use std::time::Duration;

use crate::model::Timestamp;

/// Facility `authpriv` (10), severity `notice` (5): a log that not everybody reads.
const PRIORITY: u8 = 10 * 8 + 5;

/// The most bytes of a message: rsyslog cuts at 8 KiB unless it was told otherwise. The hash stands before the line, so
/// that it survives.
const MOST: usize = 8000;

/// How long the socket may refuse for being full.
const PATIENCE: Duration = Duration::from_secs(1);

/// The message of a line, with the hash that the next line of the file will carry.
pub(super) fn message(at: Timestamp, pid: u32, hash: &str, line: &str) -> String {
    let mut message = format!("<{PRIORITY}>{} pgtriage[{pid}]: sha256={hash} {line}", at.strftime("%b %e %H:%M:%S"));
    if message.len() > MOST {
        let end = (0..=MOST).rev().find(|at| message.is_char_boundary(*at)).unwrap_or(0);
        message.truncate(end);
        message.push('…');
    }
    message
}

/// Hands it to whoever listens there.
pub(super) fn send(socket: &Path, message: &str) -> io::Result<()> {
    let ours = knock(socket)?;
    ours.send(message.as_bytes()).map(drop)
}

/// Whether somebody listens there.
pub(super) fn knock(socket: &Path) -> io::Result<UnixDatagram> {
    let ours = UnixDatagram::unbound()?;
    ours.set_write_timeout(Some(PATIENCE))?;
    ours.connect(socket)?;
    Ok(ours)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_message_is_cut_at_a_character_and_keeps_its_hash() {
        let short = message(Timestamp::UNIX_EPOCH, 42, "abc", "{}");
        assert_eq!(short, "<85>Jan  1 00:00:00 pgtriage[42]: sha256=abc {}");
        let long = message(Timestamp::UNIX_EPOCH, 42, "abc", &"é".repeat(MOST));
        assert!(long.len() <= MOST + '…'.len_utf8() && long.ends_with("é…"), "{}", long.len());
        assert!(long.contains("sha256=abc é"));
    }
}
