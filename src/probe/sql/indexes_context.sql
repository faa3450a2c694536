-- Answers: since when scans are counted, and whether that can be relied on: on a standby they are its own.
-- Since:   13. Privilege: none. Locks: AccessShare on pg_database. Cost: under 1 ms.
-- Where stats_reset is null (15 and later, before the first reset) they were counted since the server's start at least.
SELECT encode(decode(replace(current_database()::text, E'\\', E'\\\\'), 'escape'), 'escape') AS database,
       extract(epoch FROM clock_timestamp() - coalesce(r.reset, pg_postmaster_start_time()))::float8 AS counted_s,
       r.reset IS NOT NULL AS reset_known,
       pg_is_in_recovery() AS in_recovery,
       current_setting('track_counts') = 'on' AS counted
FROM (SELECT pg_stat_get_db_stat_reset_time((SELECT s.datid FROM pg_catalog.pg_stat_get_activity(pg_backend_pid()) s)) AS reset) r
