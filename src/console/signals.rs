//! Signals: those that end the console, the one that suspends it.

use std::io;

use tokio::signal::unix::{Signal, SignalKind, signal};

/// SIGTSTP on Linux, the BSDs and macOS do not agree on its number.
const TSTP: i32 = rustix::process::Signal::TSTP.as_raw();

/// What a signal asks for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Wish {
    /// Leave; the signal's number.
    End(i32),
    /// Give the terminal back and stop, until continued.
    Suspend,
}

/// The signals that are listened to.
pub struct Signals {
    terminate: Signal,
    hangup: Signal,
    interrupt: Signal,
    quit: Signal,
    suspend: Signal,
}

impl Signals {
    /// Takes them over from their defaults, which would leave the terminal raw.
    ///
    /// # Errors
    /// The system does not let us.
    pub fn listen() -> io::Result<Self> {
        Ok(Self {
            terminate: signal(SignalKind::terminate())?,
            hangup: signal(SignalKind::hangup())?,
            interrupt: signal(SignalKind::interrupt())?,
            quit: signal(SignalKind::quit())?,
            suspend: signal(SignalKind::from_raw(TSTP))?,
        })
    }

    /// The next one.
    pub async fn next(&mut self) -> Wish {
        tokio::select! {
            _ = self.terminate.recv() => Wish::End(SignalKind::terminate().as_raw_value()),
            _ = self.hangup.recv() => Wish::End(SignalKind::hangup().as_raw_value()),
            _ = self.interrupt.recv() => Wish::End(SignalKind::interrupt().as_raw_value()),
            _ = self.quit.recv() => Wish::End(SignalKind::quit().as_raw_value()),
            _ = self.suspend.recv() => Wish::Suspend,
        }
    }
}

/// Stops this process group, as the terminal's suspend key would have; returns once continued.
pub fn stop_ourselves() {
    // SIGSTOP cannot be caught, so it works although SIGTSTP is taken over. To the process alone: a shell that
    // started us sees its job stop either way.
    let _ = rustix::process::kill_process(rustix::process::getpid(), rustix::process::Signal::STOP);
}
