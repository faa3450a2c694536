-- Answers: counters of each database, the busiest first: transactions, deadlocks, temporary files, cancelled queries.
-- Since:   13; confl_active_logicalslot since 16. Privilege: none.
-- Locks:   AccessShare on pg_database. Cost: 1 ms (13, 14: up to 30 ms).
-- The row without a name counts what belongs to no database.
SELECT d.datid AS oid, encode(decode(replace(d.datname::text, E'\\', E'\\\\'), 'escape'), 'escape') AS name,
       d.xact_commit AS commits, d.xact_rollback AS rollbacks, d.deadlocks, d.temp_files, d.temp_bytes,
       coalesce(c.confl_snapshot, 0) AS confl_snapshot, coalesce(c.confl_lock, 0) AS confl_lock,
       coalesce(c.confl_bufferpin, 0) AS confl_pin,
       coalesce(c.confl_tablespace, 0) + coalesce(c.confl_deadlock, 0)
         + coalesce(c.confl_active_logicalslot, 0) --[>=16]
         AS confl_other,
       extract(epoch FROM d.stats_reset)::float8 AS reset_s
FROM pg_catalog.pg_stat_database d
LEFT JOIN pg_catalog.pg_stat_database_conflicts c ON c.datid = d.datid
ORDER BY d.xact_commit + d.xact_rollback DESC, d.datid
LIMIT 200
