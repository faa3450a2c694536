-- Answers: what the server as a whole has done since its counters began: checkpoints, archive, WAL; and what bounds them.
-- Since:   13; the counters of checkpoints moved to pg_stat_checkpointer in 17; archive_library since 15.
-- Privilege: none; may_list says whether the WAL's directory may be listed (activity_wal.sql).
-- Locks:   none: no catalog is read. Cost: under 1 ms (13, 14: up to 30 ms).
-- The command of the archive may hold a password: only whether there is one leaves the server.
SELECT pg_is_in_recovery() AS in_recovery, extract(epoch FROM clock_timestamp())::float8 AS at_s,
       to_char(pg_postmaster_start_time() AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"') AS started,
       --: c.checkpoints_timed AS timed, c.checkpoints_req AS requested, c.checkpoint_write_time AS write_ms, c.checkpoint_sync_time AS sync_ms, --[<17]
       c.num_timed AS timed, c.num_requested AS requested, c.write_time AS write_ms, c.sync_time AS sync_ms, --[>=17]
       extract(epoch FROM c.stats_reset)::float8 AS checkpoints_reset_s,
       current_setting('archive_mode') <> 'off' AS archive_on,
       current_setting('archive_command') IN ('', '(disabled)')
         AND current_setting('archive_library') = '' --[>=15]
         AS without_command,
       a.archived_count, a.failed_count, a.last_archived_wal, a.last_failed_wal,
       extract(epoch FROM clock_timestamp() - a.last_archived_time)::float8 AS last_archived_s,
       extract(epoch FROM clock_timestamp() - a.last_failed_time)::float8 AS last_failed_s,
       extract(epoch FROM a.stats_reset)::float8 AS archiver_reset_s,
       CASE WHEN NOT pg_is_in_recovery() THEN pg_wal_lsn_diff(pg_current_wal_lsn(), '0/0')::int8 END AS wal_at,
       extract(epoch FROM current_setting('checkpoint_timeout')::interval)::float8 AS checkpoint_timeout_s,
       pg_size_bytes(current_setting('max_wal_size')) AS max_wal_size,
       pg_size_bytes(current_setting('wal_keep_size')) AS wal_keep_size,
       current_setting('work_mem') AS work_mem,
       current_setting('max_standby_streaming_delay') AS streaming_delay,
       current_setting('hot_standby_feedback') = 'on' AS feedback,
       has_function_privilege('pg_catalog.pg_ls_waldir()', 'EXECUTE')
         AND has_function_privilege('pg_catalog.pg_ls_archive_statusdir()', 'EXECUTE') AS may_list,
       pg_has_role(current_user, 'pg_read_all_stats', 'USAGE') AS read_all_stats
--: FROM pg_catalog.pg_stat_bgwriter c --[<17]
FROM pg_catalog.pg_stat_checkpointer c --[>=17]
CROSS JOIN pg_catalog.pg_stat_archiver a
