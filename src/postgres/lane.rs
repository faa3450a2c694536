//! Owns the lanes: how a session is named, and what it sets for itself so that it never makes an incident worse.
//!
//! It must not send anything: it writes the text that `dial` (direct) or `link` (pooled) sends.

use std::time::Duration;

/// PostgreSQL cuts an `application_name` off here (`NAMEDATALEN` − 1).
const NAME_BYTES: usize = 63;

/// What a session is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Lane {
    /// Sessions, locks, replication.
    Fast,
    /// Tables, statements.
    Slow,
    /// One deep scan, thrown away afterwards: a backend's memory never shrinks.
    Deep,
    /// One plan, in a transaction that is taken back; thrown away afterwards, too: planning may run others' functions.
    Plan,
    /// Whatever changes something; exists only where that is allowed.
    Writer,
}

impl Lane {
    /// Its name.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Fast => "fast",
            Self::Slow => "slow",
            Self::Deep => "deep",
            Self::Plan => "plan",
            Self::Writer => "writer",
        }
    }

    /// `pgtriage/fast alice`, so that a DBA who sees the session knows whose console it is; at most 63 bytes.
    ///
    /// What is not printable ASCII becomes `?`, as the server would make it.
    #[must_use]
    pub fn application_name(self, os_user: &str) -> String {
        let printable = |c: char| if c.is_ascii_graphic() || c == ' ' { c } else { '?' };
        let name = format!("pgtriage/{} {os_user}", self.as_str());
        name.trim_end().chars().map(printable).take(NAME_BYTES).collect()
    }
}

/// Whether a session may change anything.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Access {
    /// A seat belt: the server refuses most writes.
    ReadOnly,
    /// The writer's.
    ReadWrite,
}

/// What a session sets for itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SessionSettings {
    /// Who sits in front of the console; part of `application_name`.
    pub os_user: String,
    /// Bound of each statement; zero: none.
    pub statement_timeout: Duration,
    /// Bound of each wait for a lock; kept below the statement's, or the wrong error would be reported.
    pub lock_timeout: Duration,
    /// Bound of an open transaction that does nothing; zero: none.
    pub idle_in_transaction: Duration,
    /// May it change anything?
    pub access: Access,
}

impl SessionSettings {
    /// The usual ones of a lane.
    #[must_use]
    pub fn of(lane: Lane, os_user: &str) -> Self {
        let (statement, lock, access) = match lane {
            Lane::Fast => (2_000, 300, Access::ReadOnly),
            Lane::Slow => (15_000, 400, Access::ReadOnly),
            Lane::Deep => (60_000, 400, Access::ReadOnly),
            Lane::Plan => (3_000, 400, Access::ReadOnly),
            Lane::Writer => (10_000, 1_000, Access::ReadWrite),
        };
        Self {
            os_user: os_user.to_owned(),
            statement_timeout: Duration::from_millis(statement),
            lock_timeout: Duration::from_millis(lock),
            idle_in_transaction: Duration::from_secs(10),
            access,
        }
    }

    /// The settings by name, for a server with this `deadlock_timeout`.
    ///
    /// A reader gives up before the server looks for deadlocks, else its waits end up in the log (`log_lock_waits`).
    fn pairs(&self, deadlock_timeout: Duration) -> Vec<(&'static str, String)> {
        let below = |bound: Duration, value: Duration| if bound.is_zero() || value < bound { value } else { bound / 2 };
        let mut lock = below(self.statement_timeout, self.lock_timeout);
        if self.access == Access::ReadOnly {
            lock = below(deadlock_timeout, lock);
        }
        // Zero would switch the bound off.
        let lock = lock.max(Duration::from_millis(1));
        vec![
            ("statement_timeout", self.statement_timeout.as_millis().to_string()),
            ("lock_timeout", lock.as_millis().to_string()),
            ("idle_in_transaction_session_timeout", self.idle_in_transaction.as_millis().to_string()),
            // A database's owner may set a search path for all who come, and put functions and operators of their own on
            // it: ours must be the system's.
            ("search_path", "pg_catalog".to_owned()),
            ("jit", "off".to_owned()),
            ("max_parallel_workers_per_gather", "0".to_owned()),
        ]
    }

    /// One string that opens a transaction in which another's statement is planned: bounded and read-only as ours are,
    /// but planned as its author's would be, with the server's own planner and search path, not with what we set for us.
    pub(super) fn planning(&self, deadlock_timeout: Duration) -> String {
        let theirs = ["search_path", "jit", "max_parallel_workers_per_gather"];
        let mut pairs = self.pairs(deadlock_timeout);
        pairs.retain(|(name, _)| !theirs.contains(name));
        // How we found the end of the statement's strings.
        pairs.push(("standard_conforming_strings", "on".to_owned()));
        let defaults = theirs.map(|name| format!("SET LOCAL {name} TO DEFAULT; ")).concat();
        format!("BEGIN READ ONLY; {}{defaults}", joined("SET LOCAL", &pairs))
    }

    /// One string that sets a session of our own.
    pub(super) fn session(&self, deadlock_timeout: Duration) -> String {
        let mut pairs = self.pairs(deadlock_timeout);
        if self.access == Access::ReadOnly {
            pairs.push(("default_transaction_read_only", "on".to_owned()));
        }
        joined("SET", &pairs)
    }

    /// One string that opens a transaction with the settings for itself: behind a pooler a
    /// session's `SET` would reach other clients.
    pub(super) fn transaction(&self, deadlock_timeout: Duration) -> String {
        let begin = match self.access {
            Access::ReadOnly => "BEGIN READ ONLY; ",
            Access::ReadWrite => "BEGIN; ",
        };
        format!("{begin}{}", joined("SET LOCAL", &self.pairs(deadlock_timeout)))
    }
}

fn joined(verb: &str, pairs: &[(&'static str, String)]) -> String {
    pairs.iter().fold(String::new(), |text, (name, value)| text + &format!("{verb} {name} = '{value}'; "))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_session_says_its_lane_and_its_user_in_63_bytes() {
        assert_eq!(Lane::Fast.application_name("alice"), "pgtriage/fast alice");
        assert_eq!(Lane::Writer.application_name(""), "pgtriage/writer");
        assert_eq!(Lane::Deep.application_name("Zoë"), "pgtriage/deep Zo?");
        assert_eq!(Lane::Slow.application_name(&"é".repeat(200)).len(), NAME_BYTES);
    }

    #[test]
    fn a_reader_waits_for_a_lock_shorter_than_its_statement_and_than_the_deadlock_check() {
        let mut settings = SessionSettings::of(Lane::Fast, "alice");
        let lock =
            |settings: &SessionSettings, deadlock: u64| settings.pairs(Duration::from_millis(deadlock))[1].1.clone();
        assert_eq!(lock(&settings, 1_000), "300");
        assert_eq!(lock(&settings, 200), "100");
        assert_eq!(lock(&settings, 1), "1");
        settings.statement_timeout = Duration::from_millis(300);
        assert_eq!(lock(&settings, 1_000), "150");
        settings.statement_timeout = Duration::ZERO;
        assert_eq!(lock(&settings, 1_000), "300");
    }

    #[test]
    fn every_lane_is_bounded_and_only_the_writer_may_write() {
        for lane in [Lane::Fast, Lane::Slow, Lane::Deep, Lane::Plan, Lane::Writer] {
            let settings = SessionSettings::of(lane, "alice");
            assert!(settings.lock_timeout < settings.statement_timeout);
            assert_eq!(settings.access == Access::ReadWrite, lane == Lane::Writer);
        }
    }

    #[test]
    fn a_plan_is_made_in_a_bounded_read_only_transaction_with_the_servers_own_planner() {
        let text = SessionSettings::of(Lane::Plan, "alice").planning(Duration::from_secs(1));
        assert!(text.starts_with("BEGIN READ ONLY; SET LOCAL statement_timeout = '3000'; "), "{text}");
        for words in ["lock_timeout = '400'", "search_path TO DEFAULT", "jit TO DEFAULT", "_gather TO DEFAULT"] {
            assert!(text.contains(words), "{words}: {text}");
        }
        assert!(!text.contains("'pg_catalog'") && !text.contains("'off'"), "{text}");
    }

    #[test]
    fn behind_a_pooler_nothing_is_set_beyond_the_transaction() {
        let settings = SessionSettings::of(Lane::Fast, "alice");
        let text = settings.transaction(Duration::from_secs(1));
        assert!(text.starts_with("BEGIN READ ONLY; SET LOCAL statement_timeout = '2000'; "), "{text}");
        assert!(text.split("; ").skip(1).filter(|s| !s.is_empty()).all(|s| s.starts_with("SET LOCAL ")), "{text}");
        assert!(settings.session(Duration::from_secs(1)).contains("SET default_transaction_read_only = 'on'"));
    }
}
