-- Answers: who is at work that tells how far it is, in any database: vacuums, analyzes, index builds, rewrites, base backups,
--          copies; each with its figures by PostgreSQL's own names, with what it waits for, and who blocks it.
-- Since:   13; copies 14. The figures of a vacuum changed in 17; the time that it slept is told since 18.
-- Privilege: pg_read_all_stats (in pg_monitor); without it other roles' work has no figures, and is told to be hidden.
-- Locks:   AccessShare on pg_database. The names of relations are in progress_names.sql.
-- Cost:    1 to 2 ms: all of it is in shared memory. The lock table is read only for what waits for a lock.
-- An autovacuum worker's text is in the encoding of its database: it is looked through as bytes.
WITH p AS MATERIALIZED (
  SELECT v.pid, v.datid, v.datname, v.relid, v.phase, v.phase IS NULL AS hidden, 'vacuum' AS work, NULL::oid AS index_relid, NULL::text AS command,
         json_build_object('heap_blks_total', v.heap_blks_total, 'heap_blks_scanned', v.heap_blks_scanned,
           --: 'max_dead_tuples', v.max_dead_tuples, 'num_dead_tuples', v.num_dead_tuples, --[<17]
           'max_dead_tuple_bytes', v.max_dead_tuple_bytes, 'dead_tuple_bytes', v.dead_tuple_bytes, --[>=17]
           'num_dead_item_ids', v.num_dead_item_ids, 'indexes_total', v.indexes_total, 'indexes_processed', v.indexes_processed, --[>=17]
           'delay_time', v.delay_time, --[>=18]
           'heap_blks_vacuumed', v.heap_blks_vacuumed, 'index_vacuum_count', v.index_vacuum_count) AS figures
  FROM pg_catalog.pg_stat_progress_vacuum v
  UNION ALL
  SELECT a.pid, a.datid, a.datname, a.relid, a.phase, a.phase IS NULL, 'analyze', NULL, NULL,
         json_build_object('sample_blks_total', a.sample_blks_total, 'sample_blks_scanned', a.sample_blks_scanned,
           'ext_stats_total', a.ext_stats_total, 'ext_stats_computed', a.ext_stats_computed,
           'delay_time', a.delay_time, --[>=18]
           'child_tables_total', a.child_tables_total, 'child_tables_done', a.child_tables_done)
  FROM pg_catalog.pg_stat_progress_analyze a
  UNION ALL
  SELECT i.pid, i.datid, i.datname, i.relid, i.phase, i.phase IS NULL, 'create_index', nullif(i.index_relid, 0), i.command,
         json_build_object('lockers_total', i.lockers_total, 'lockers_done', i.lockers_done, 'current_locker_pid', i.current_locker_pid,
           'blocks_total', i.blocks_total, 'blocks_done', i.blocks_done, 'tuples_total', i.tuples_total, 'tuples_done', i.tuples_done,
           'partitions_total', i.partitions_total, 'partitions_done', i.partitions_done)
  FROM pg_catalog.pg_stat_progress_create_index i
  UNION ALL
  SELECT c.pid, c.datid, c.datname, c.relid, c.phase, c.phase IS NULL, 'cluster', nullif(c.cluster_index_relid, 0), c.command,
         json_build_object('heap_tuples_scanned', c.heap_tuples_scanned, 'heap_tuples_written', c.heap_tuples_written,
           'heap_blks_total', c.heap_blks_total, 'heap_blks_scanned', c.heap_blks_scanned, 'index_rebuild_count', c.index_rebuild_count)
  FROM pg_catalog.pg_stat_progress_cluster c
  UNION ALL
  SELECT b.pid, NULL, NULL, NULL, b.phase, b.phase IS NULL, 'basebackup', NULL, NULL,
         json_build_object('backup_total', b.backup_total, 'backup_streamed', b.backup_streamed,
           'tablespaces_total', b.tablespaces_total, 'tablespaces_streamed', b.tablespaces_streamed)
  FROM pg_catalog.pg_stat_progress_basebackup b
  UNION ALL --[>=14]
  SELECT y.pid, y.datid, y.datname, nullif(y.relid, 0), NULL, y.command IS NULL, 'copy', NULL, y.command, --[>=14]
         json_build_object('type', y.type, 'bytes_processed', y.bytes_processed, 'bytes_total', y.bytes_total, --[>=14]
           'tuples_skipped', y.tuples_skipped, --[>=17]
           'tuples_processed', y.tuples_processed, 'tuples_excluded', y.tuples_excluded) --[>=14]
  FROM pg_catalog.pg_stat_progress_copy y --[>=14]
)
SELECT p.work, p.pid, p.relid, p.index_relid, p.command, p.phase, p.hidden, p.figures::text AS figures,
       encode(decode(replace(p.datname::text, E'\\', E'\\\\'), 'escape'), 'escape') AS database,
       coalesce(p.datid = e.datid, false) AS here,
       to_char(s.backend_start AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"') AS backend_start,
       coalesce(s.backend_type = 'autovacuum worker', false) AS auto,
       coalesce(s.backend_type = 'autovacuum worker'
                AND position('(to prevent wraparound)'::bytea IN decode(replace(s.query, E'\\', E'\\\\'), 'escape')) > 0, false) AS wraparound,
       extract(epoch FROM clock_timestamp() - coalesce(s.query_start, s.backend_start))::float8 AS age_s,
       s.wait_event_type, s.wait_event,
       array_to_string(CASE WHEN s.wait_event_type = 'Lock' THEN pg_catalog.pg_blocking_pids(p.pid) END, ',') AS blocked_by
FROM p
CROSS JOIN LATERAL (SELECT a.datid FROM pg_catalog.pg_stat_get_activity(pg_backend_pid()) a) e
LEFT JOIN LATERAL pg_catalog.pg_stat_get_activity(p.pid) s ON true
ORDER BY p.pid
