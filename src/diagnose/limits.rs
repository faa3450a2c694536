//! From when on something is a finding: each limit once, with its name in the config, its unit, default and reason.
//!
//! It judges nothing.

use serde::{Deserialize, Serialize};

use crate::model::horizon::Patience;

/// What a limit is counted in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Unit {
    /// Seconds.
    Seconds,
    /// Bytes.
    Bytes,
    /// A share from 0 to 1.
    Share,
    /// A share that may be over 1.
    Times,
    /// A count.
    Count,
}

/// One row of the table of limits.
pub struct LimitSpec {
    /// Its name in the config.
    pub name: &'static str,
    /// What it is counted in.
    pub unit: Unit,
    /// Its default.
    pub default: f64,
    /// One line.
    pub help: &'static str,
    /// Sets it.
    pub set: fn(&mut Limits, f64),
}

macro_rules! limits {
    ($($name:ident, $unit:ident, $default:expr, $help:literal;)*) => {
        /// All limits.
        #[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
        pub struct Limits {
            $(#[doc = $help] pub $name: f64,)*
        }

        impl Default for Limits {
            fn default() -> Self {
                Self { $($name: $default,)* }
            }
        }

        /// The table of limits, in the order of the example config.
        pub const LIMITS: &[LimitSpec] = &[$(LimitSpec {
            name: stringify!($name),
            unit: Unit::$unit,
            default: $default,
            help: $help,
            set: |limits, value| limits.$name = value,
        },)*];
    };
}

const MB: f64 = 1_048_576.0;
const GB: f64 = 1_073_741_824.0;

limits! {
    blocked, Seconds, 2.0, "A session that waits longer than this for a lock is blocked: shorter waits are traffic.";
    blocked_harm, Seconds, 60.0, "From this on, all waits behind one session added up, it is critical.";
    slow, Seconds, 30.0, "A statement that runs longer is slow (`slow_after` sets it).";
    slow_many, Count, 3.0, "So many slow statements at once are a warning; fewer are worth a look.";
    slow_long, Seconds, 300.0, "One slow statement that runs longer than this is a warning, too.";
    busy, Seconds, 5.0, "A statement that runs longer counts as busy.";
    busy_many, Count, 10.0, "So many busy statements at once are a warning.";
    idle_transaction, Seconds, 60.0, "A transaction that waits longer for its client is worth a look.";
    idle_transaction_long, Seconds, 300.0, "From this on it is a warning.";
    long_transaction, Seconds, 900.0, "A working transaction that is open longer is worth a look.";
    horizon, Seconds, 60.0, "Who holds back vacuum's horizon longer than this is named, where tables wait to be cleaned.";
    horizon_age, Count, 1_000_000.0, "A horizon so many transactions old is named in any case; one of a tenth of that, where tables wait and nobody tells since when it is held.";
    connections, Share, 0.8, "So much of the connections that ordinary roles can have is a warning.";
    connections_full, Share, 0.95, "So much of them is critical.";
    baseline_times, Count, 4.0, "A p95 so many times that of the chosen workload, or of a week ago, is worth a look below its limit, too.";
    baseline_points, Share, 0.2, "A hit ratio so far below the workload's, or a week ago's, is worth a look above its limit, too.";
    memory_growth, Bytes, 100.0 * MB, "The service's memory grows by more than this an hour: worth a look; by ten times that: a warning.";
    memory_used, Share, 0.8, "A host or a container with so much of its memory in use is worth a look; with three quarters of the rest, a warning.";
    host_short, Seconds, 180.0, "What a host's processor and disks do is a mean over so long, up to a quarter of an hour: a moment is traffic.";
    cpu_used, Share, 0.9, "A host with so much of its cores in use is worth a look.";
    cpu_waiting, Share, 0.3, "If somebody waits for a core so much of the time, that is a warning; a container that its CPU limit holds back in so many of its periods is worth a look, in twice as many a warning.";
    io_waiting, Share, 0.4, "A host where somebody waits for I/O so much of the time, two sessions of the server among them, is worth a look.";
    io_sessions, Count, 4.0, "So many sessions that wait with it are a warning.";
    replica_gone, Seconds, 30.0, "A standby that is gone for longer is critical: shorter is a restart.";
    replica_bytes, Bytes, 64.0 * MB, "A standby that is so far behind is a warning.";
    replica_bytes_far, Bytes, GB, "From this on it is critical.";
    replica_lag, Seconds, 30.0, "A standby that replays so late is a warning.";
    slot_bytes, Bytes, GB, "A slot that keeps so much WAL is a warning.";
    dead_rows, Count, 10_000.0, "A table with fewer dead rows is none to speak of.";
    dead_share, Share, 0.2, "A table over autovacuum's threshold with this share of dead rows is worth a look.";
    dead_share_high, Share, 0.5, "From this share on it is a warning.";
    waste, Bytes, GB, "A table that wastes so much, and half of itself, is worth a look.";
    index_bytes, Bytes, 64.0 * MB, "A smaller index may be unused, or the same as another one: it is none to speak of.";
    index_unused, Seconds, 7.0 * 86_400.0, "An index without a scan is unused once scans were counted for so long: a week has seen what runs weekly.";
    scan_bytes, Bytes, 64.0 * MB, "A smaller table is well read from end to end.";
    scan_rows, Count, 10_000_000.0, "A larger one of which sequential scans read so many rows a minute is worth a look: an index may be missing.";
    freeze_share, Times, 1.5, "A database so far beyond `autovacuum_freeze_max_age`, or the multixact ids' own: its forced vacuum does not keep up.";
    unwell, Seconds, 10.0, "An application that fails for longer is critical: shorter is a restart.";
    pooler_wait, Seconds, 1.0, "A client that waits longer at pgbouncer for a server connection is a warning.";
    pooler_wait_long, Seconds, 10.0, "From this on it is critical: most clients are no more patient.";
    pooler_clients, Share, 0.9, "So much of pgbouncer's `max_client_conn` in use is a warning.";
    checkpoint_interval, Seconds, 120.0, "Forced checkpoints that come closer together on average are worth a look; four times closer, a warning.";
    temp_bytes, Bytes, 256.0 * MB, "So many bytes of temporary files a minute are worth a look; ten times as many, a warning.";
    deadlocks, Count, 1.0, "So many deadlocks within five minutes are worth a look; ten times as many, a warning.";
    conflicts, Count, 1.0, "So many queries that replay cancels on a standby within five minutes are worth a look; ten times as many, a warning.";
    archive_ready, Count, 100.0, "So many WAL files that wait to be archived are a warning; where the archive refuses them, critical.";
    wal_excess, Bytes, GB, "A WAL directory that holds so much more than `max_wal_size` and `wal_keep_size` is a warning.";
    disk_full, Seconds, 86_400.0, "A disk that is full sooner, at the rate of the last half hour, is a warning; within the hour, critical.";
    disk_free, Bytes, GB, "A disk with less room is a warning; with a tenth of it, critical.";
    waits, Count, 5.0, "So many sessions that wait on one event, four times the usual, are worth a look; four times as many, a warning.";
    prepared, Seconds, 300.0, "A transaction that was prepared longer ago is a warning.";
    subscription, Seconds, 10.0, "An enabled subscription that has no worker for longer is a warning.";
    cache_expired, Count, 10_000.0, "So many expired rows of the cache table are worth a look, where they are many of all.";
    cache_expired_share, Share, 0.5, "So much of all rows of the cache table has to have expired for that.";
    cache_lookups, Count, 100.0, "Of fewer look-ups of the cache within a minute no hit ratio is judged: they are chance.";
    partitions, Seconds, 7.0 * 86_400.0, "A table of error tracking whose last partition ends sooner is worth a look; one that has ended, a warning.";
    own_cost, Times, 0.05, "Our own questions take this share of one server process's time: worth knowing.";
}

/// Two limits of one figure, by their names: the second step must not lie below the first.
pub const STEPS: &[(&str, &str)] = &[
    ("idle_transaction", "idle_transaction_long"),
    ("connections", "connections_full"),
    ("replica_bytes", "replica_bytes_far"),
    ("dead_share", "dead_share_high"),
    ("pooler_wait", "pooler_wait_long"),
];

impl Limits {
    /// From when on it is worth a word that somebody holds the horizon, if tables wait for it. Where nobody tells since when,
    /// a tenth of the age that is named in any case is old.
    #[must_use]
    pub fn patience(&self) -> Patience {
        Patience { seconds: self.horizon, transactions: self.horizon_age / 10.0 }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_limit_sets_itself_and_says_what_it_is() {
        for spec in LIMITS {
            let mut limits = Limits::default();
            (spec.set)(&mut limits, spec.default);
            assert_eq!(limits, Limits::default(), "{}: the row's default is the field's", spec.name);
            (spec.set)(&mut limits, -7.0);
            assert_ne!(limits, Limits::default(), "{}", spec.name);
            assert!(spec.help.ends_with('.'), "{}", spec.name);
        }
    }

    #[test]
    fn each_second_step_lies_above_the_first_and_is_counted_as_it_is() {
        let named = |name: &str| LIMITS.iter().find(|s| s.name == name).unwrap();
        for (first, second) in STEPS {
            let (first, second) = (named(first), named(second));
            assert!(first.default < second.default && first.unit == second.unit, "{}", second.name);
        }
    }
}
