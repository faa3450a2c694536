-- Answers: each connected standby or logical subscriber, how far it is in bytes at each stage and in time.
-- Since:   13. Privilege: pg_read_all_stats (in pg_monitor); without it state and positions are NULL.
-- Locks:   AccessShare on pg_authid and pg_database. Cost: 2 ms.
-- The times become NULL when idle and keep their last value while replay is paused: bytes decide.
SELECT r.pid, encode(decode(replace(r.usename::text, E'\\', E'\\\\'), 'escape'), 'escape') AS usename, r.application_name, host(r.client_addr) AS client_addr, r.state, r.sync_state,
       s.slot_name::text AS slot_name, r.replay_lsn::text AS replay_lsn,
       pg_wal_lsn_diff(l.cur, r.sent_lsn)::int8 AS unsent,
       pg_wal_lsn_diff(r.sent_lsn, r.write_lsn)::int8 AS unwritten,
       pg_wal_lsn_diff(r.write_lsn, r.flush_lsn)::int8 AS unflushed,
       pg_wal_lsn_diff(r.flush_lsn, r.replay_lsn)::int8 AS unreplayed,
       pg_wal_lsn_diff(l.cur, r.replay_lsn)::int8 AS total,
       extract(epoch FROM r.write_lag)::float8 AS write_s,
       extract(epoch FROM r.flush_lag)::float8 AS flush_s,
       extract(epoch FROM r.replay_lag)::float8 AS replay_s,
       extract(epoch FROM clock_timestamp() - r.reply_time)::float8 AS reply_s,
       coalesce(r.backend_xmin, s.xmin)::text AS xmin, age(coalesce(r.backend_xmin, s.xmin)) AS xmin_age,
       r.state IS NULL AS hidden
FROM pg_catalog.pg_stat_replication r
CROSS JOIN (SELECT CASE WHEN pg_is_in_recovery() THEN pg_last_wal_receive_lsn() ELSE pg_current_wal_lsn() END AS cur) l
LEFT JOIN pg_catalog.pg_replication_slots s ON s.active_pid = r.pid
ORDER BY r.application_name, r.pid
