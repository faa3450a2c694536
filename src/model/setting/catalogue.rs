//! The settings that an incident asks for: what each is there for, what the operations guide suggests, what to mind.
//!
//! Only what stands here can be changed. Lists (`shared_preload_libraries`), texts, and what risks data (`fsync`,
//! `full_page_writes`) do not.

/// A setting that is offered.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Known {
    /// Its name.
    pub name: &'static str,
    /// What it belongs to.
    pub group: &'static str,
    /// The guide's value, in the server's form.
    pub guide: Option<&'static str>,
    /// What it is good for.
    pub why: &'static str,
    /// What to know before.
    pub caution: Option<&'static str>,
}

macro_rules! known {
    ($($group:literal: { $($name:ident $(=> $guide:literal)?, $why:literal $(! $caution:literal)?;)* })*) => {
        /// All of them, group by group.
        pub const KNOWN: &[Known] = &[$($(Known {
            name: stringify!($name),
            group: $group,
            guide: known!(@ $($guide)?),
            why: $why,
            caution: known!(@ $($caution)?),
        },)*)*];
    };
    (@ $value:literal) => { Some($value) };
    (@) => { None };
}

known! {
    "logging": {
        log_min_duration_statement => "1s", "logs each statement that took at least this long: which queries are slow"
            ! "a logged statement is logged with its values: personal data may come into the log; below a few milliseconds the log grows with the traffic";
        log_statement, "logs statements before they run: log_min_duration_statement tells more at less cost"
            ! "every statement with its values comes into the log: personal data, and a log that grows with the traffic until its disk is full";
        log_duration, "logs how long each statement took, without its text unless that is logged as well"
            ! "one line for each statement: the log grows with the traffic";
        log_lock_waits, "logs who waited longer than deadlock_timeout for a lock, and for whom";
        log_temp_files, "logs temporary files of at least this size: sorts and hashes that work_mem had no room for";
        log_autovacuum_min_duration, "logs each autovacuum that took at least this long, with what held it back";
        log_checkpoints, "logs each checkpoint with its cause and cost";
        log_connections, "logs each connection: who storms in" ! "one to three lines for each connection";
        log_disconnections, "logs each end of a session with its duration";
        log_min_duration_sample, "the same as log_min_duration_statement for a share of the statements";
        log_statement_sample_rate, "the share that log_min_duration_sample logs";
        log_min_error_statement, "from which severity on the statement that failed is logged";
        log_min_messages, "from which severity on messages are logged";
        log_parameter_max_length, "how much of each value a logged statement shows; 0 keeps values out of the log";
    }
    "autovacuum": {
        autovacuum, "whether dead rows are removed at all" ! "off: dead rows stay, tables grow, and only wraparound still starts a vacuum";
        autovacuum_max_workers => "6", "tables vacuumed at once" ! "they share one cost limit: more workers alone make each slower; raise autovacuum_vacuum_cost_limit with them";
        autovacuum_naptime => "20s", "pause between two looks at a database: shorter for tables that change fast";
        autovacuum_vacuum_threshold => "50", "dead rows that start a vacuum, beside the share";
        autovacuum_vacuum_scale_factor, "share of dead rows that starts a vacuum: 0.2 lets a large table grow by a fifth";
        autovacuum_vacuum_insert_threshold, "inserted rows that start a vacuum, beside the share";
        autovacuum_vacuum_insert_scale_factor, "share of inserted rows that starts a vacuum";
        autovacuum_analyze_threshold => "50", "changed rows that start an analyze, beside the share";
        autovacuum_analyze_scale_factor, "share of changed rows that starts an analyze";
        autovacuum_vacuum_cost_limit, "work between two pauses of all workers together: higher is faster";
        autovacuum_vacuum_cost_delay, "length of such a pause: 0 does not pause" ! "0 lets a vacuum take all of the disk that it can get";
        autovacuum_freeze_max_age, "age in transactions from which on a vacuum is forced";
        autovacuum_work_mem, "memory of each worker; -1: maintenance_work_mem" ! "each worker may take this much";
        autovacuum_worker_slots, "the most that autovacuum_max_workers can become without a restart";
        vacuum_cost_limit, "work between two pauses of a vacuum by hand, and of autovacuum where that says -1";
    }
    "memory": {
        work_mem => "128MB", "room of one sort or hash before it spills into temporary files"
            ! "each sort and each hash of each session may take this much: 100 busy sessions can take several hundred times it; for one report SET it in its session instead";
        maintenance_work_mem => "512MB", "room of a vacuum, a CREATE INDEX, a REINDEX" ! "each autovacuum worker may take this much, unless autovacuum_work_mem says less";
        hash_mem_multiplier, "how many times work_mem a hash may take";
        shared_buffers, "the server's own page cache";
        effective_cache_size, "what the planner takes for cached: it reserves nothing";
        temp_buffers, "room of a session's temporary tables" ! "each session may take this much";
        logical_decoding_work_mem, "room of each logical walsender before it spills";
    }
    "connections": {
        max_connections, "sessions in all" ! "raise it on every standby first: one with less than its primary stops replaying";
        superuser_reserved_connections, "slots kept for superusers";
        reserved_connections, "slots kept for pg_use_reserved_connections";
        statement_timeout, "ends statements that run longer; 0: none" ! "it ends migrations, dumps and reports, too: better for one role, ALTER ROLE … SET";
        lock_timeout, "ends waits for a lock that take longer; 0: none" ! "it ends waits of migrations and autovacuum's rivals alike: better for one role, ALTER ROLE … SET";
        idle_in_transaction_session_timeout, "ends sessions that sit in a transaction longer; 0: none" ! "its clients see FATAL 25P03 and lose the session";
        idle_session_timeout, "ends sessions that sit idle longer; 0: none" ! "pools lose their connections";
        transaction_timeout, "ends transactions that take longer; 0: none" ! "it ends dumps and migrations, too: better for one role, ALTER ROLE … SET";
        deadlock_timeout, "wait for a lock before a deadlock is looked for, and log_lock_waits logs";
        client_connection_check_interval, "how often a running statement's client is looked for; 0: never";
    }
    "replication and WAL": {
        max_wal_size, "WAL between two checkpoints: higher, fewer checkpoints" ! "pg_wal may grow this large, and beyond";
        min_wal_size, "WAL files kept to be used again";
        checkpoint_timeout, "the longest time between two checkpoints";
        checkpoint_completion_target, "share of that time over which a checkpoint is spread";
        max_slot_wal_keep_size, "WAL that a slot may hold back before it is given up; -1: all of the disk" ! "a standby whose slot is given up must be built anew";
        wal_keep_size, "WAL kept for standbys without a slot";
        max_wal_senders, "standbys and backups at once" ! "raise it on every standby first: one with less than its primary stops replaying";
        max_replication_slots, "slots in all";
        wal_sender_timeout, "silence before a standby is given up";
        synchronous_commit, "what a commit waits for" ! "off, local: commits may be lost by a crash or a failover; remote_apply: each waits for the standby";
        max_standby_streaming_delay, "how long replay waits for a standby's queries before it cancels them";
        hot_standby_feedback, "a standby's queries hold back the primary's vacuum instead of being cancelled" ! "a long query there bloats tables here";
    }
    "planner and I/O": {
        random_page_cost, "cost of a page read out of order: about 1.1 on solid state disks";
        effective_io_concurrency, "reads asked for ahead";
        max_parallel_workers_per_gather, "parallel workers of one plan node";
        max_parallel_workers, "parallel workers in all";
        max_worker_processes, "background workers in all" ! "raise it on every standby first: one with less than its primary stops replaying";
        jit, "compiles expensive expressions: off where planning mistakes make it cost seconds";
        default_statistics_target, "detail of ANALYZE's statistics";
        track_io_timing, "times reads and writes, for plans and pg_stat_statements";
        track_activity_query_size, "length at which pg_stat_activity cuts a statement";
    }
}

/// The setting of that name, if it is offered.
#[must_use]
pub fn known(name: &str) -> Option<&'static Known> {
    KNOWN.iter().find(|known| known.name == name)
}

/// All names, with commas between them.
#[must_use]
pub fn names() -> String {
    KNOWN.iter().map(|known| known.name).collect::<Vec<_>>().join(",")
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    #[test]
    fn each_is_there_once_and_says_what_it_is_good_for() {
        let names: HashSet<_> = KNOWN.iter().map(|known| known.name).collect();
        assert_eq!(names.len(), KNOWN.len());
        for known in KNOWN {
            assert!(known.name.chars().all(|c| c.is_ascii_lowercase() || c == '_'), "{} needs no quoting", known.name);
            assert!(!known.why.is_empty() && !known.why.ends_with('.'), "{}", known.name);
        }
    }

    #[test]
    fn the_guides_settings_are_there_with_its_values() {
        for (name, value) in [
            ("autovacuum_max_workers", "6"),
            ("autovacuum_naptime", "20s"),
            ("autovacuum_vacuum_threshold", "50"),
            ("autovacuum_analyze_threshold", "50"),
            ("work_mem", "128MB"),
            ("maintenance_work_mem", "512MB"),
        ] {
            assert_eq!(known(name).and_then(|known| known.guide), Some(value), "{name}");
        }
        for name in ["log_statement", "log_duration"] {
            assert_eq!(known(name).map(|known| (known.guide, known.caution.is_some())), Some((None, true)), "{name}");
        }
    }

    #[test]
    fn nothing_that_risks_data_or_is_a_list_is_offered() {
        for name in
            ["fsync", "full_page_writes", "shared_preload_libraries", "synchronous_standby_names", "data_directory"]
        {
            assert_eq!(known(name), None, "{name}");
        }
    }
}
