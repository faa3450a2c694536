//! Lines of standard input as a channel; it must not understand them.
use std::io::BufRead as _;
use tokio::sync::mpsc;

/// Reads them, blank ones left out, until standard input ends: by a thread of its own, since a read of it cannot be given up.
pub fn read() -> mpsc::Receiver<String> {
    let (sender, receiver) = mpsc::channel(16);
    std::thread::spawn(move || {
        for line in std::io::stdin().lock().lines() {
            let Ok(line) = line else { return };
            if !line.trim().is_empty() && sender.blocking_send(line).is_err() {
                return;
            }
        }
    });
    receiver
}
