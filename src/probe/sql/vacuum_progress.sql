-- Answers: the vacuums that run now, in any database, and how far they are.
-- Since:   13. Privilege: pg_read_all_stats (in pg_monitor); without it other roles' vacuums have no table and are left out.
-- Locks:   AccessShare on pg_database and pg_authid. Cost: 1 ms.
SELECT p.pid, encode(decode(replace(p.datname::text, E'\\', E'\\\\'), 'escape'), 'escape') AS database,
       p.relid, p.phase, p.heap_blks_total AS blocks, p.heap_blks_scanned AS scanned, p.heap_blks_vacuumed AS vacuumed,
       p.index_vacuum_count AS index_passes,
       coalesce(a.backend_type = 'autovacuum worker', false) AS auto,
       coalesce(a.query LIKE 'autovacuum: %(to prevent wraparound)', false) AS wraparound,
       extract(epoch FROM clock_timestamp() - a.xact_start)::float8 AS running_s
FROM pg_catalog.pg_stat_progress_vacuum p
LEFT JOIN pg_catalog.pg_stat_activity a ON a.pid = p.pid
WHERE p.relid IS NOT NULL
ORDER BY p.pid
