-- Answers: the counters of pg_stat_statements, the first by what is sorted by, without the texts. A tag speaks of the
--          extension's version by the server that first came with it: 13 has 1.8, 14 1.9, 15 1.10, 17 1.11, 18 1.12.
-- Since:   1.3 of the extension. Privilege: pg_read_all_stats; without it other roles' entries have no queryid and are left out.
-- Locks:   none on tables; the list of entries, shared: a new statement waits for it for some milliseconds.
-- Cost:    25 ms and 700 kB for 5000 entries.
-- Try:     \set schema public  \set order total  \set limit 100
SELECT s.userid, s.dbid, s.queryid, s.calls, s.rows,
       s.toplevel, --[>=14]
       --: true AS toplevel, --[<14]
       s.total_exec_time, s.min_exec_time, s.max_exec_time, s.stddev_exec_time, s.total_plan_time, --[>=13]
       --: s.total_time AS total_exec_time, s.min_time AS min_exec_time, s.max_time AS max_exec_time, --[<13]
       --: s.stddev_time AS stddev_exec_time, NULL::float8 AS total_plan_time, --[<13]
       s.shared_blks_hit + s.local_blks_hit AS hit, s.shared_blks_read + s.local_blks_read AS read,
       s.shared_blks_dirtied + s.local_blks_dirtied AS dirtied, s.shared_blks_written + s.local_blks_written AS written,
       s.temp_blks_read + s.temp_blks_written AS temp,
       s.shared_blk_read_time + s.local_blk_read_time + s.temp_blk_read_time AS read_ms, --[>=17]
       s.shared_blk_write_time + s.local_blk_write_time + s.temp_blk_write_time AS write_ms, --[>=17]
       --: s.blk_read_time + s.temp_blk_read_time AS read_ms, s.blk_write_time + s.temp_blk_write_time AS write_ms, --[15-16]
       --: s.blk_read_time AS read_ms, s.blk_write_time AS write_ms, --[<15]
       s.wal_bytes::float8 AS wal_bytes, s.wal_fpi, --[>=13]
       --: NULL::float8 AS wal_bytes, NULL::int8 AS wal_fpi, --[<13]
       s.jit_generation_time + s.jit_inlining_time + s.jit_optimization_time + s.jit_emission_time AS jit_ms, --[>=15]
       --: NULL::float8 AS jit_ms, --[<15]
       extract(epoch FROM s.stats_since)::float8 AS since, extract(epoch FROM s.minmax_stats_since)::float8 AS minmax_since --[>=17]
       --: NULL::float8 AS since, NULL::float8 AS minmax_since --[<17]
FROM :"schema".pg_stat_statements(false) s
WHERE s.queryid IS NOT NULL
ORDER BY CASE :'order'
           WHEN 'calls' THEN s.calls::float8
           WHEN 'rows' THEN s.rows::float8
           WHEN 'read' THEN (s.shared_blks_read + s.local_blks_read)::float8
           WHEN 'temp' THEN (s.temp_blks_read + s.temp_blks_written)::float8
           WHEN 'wal' THEN s.wal_bytes::float8 --[>=13]
           WHEN 'mean' THEN s.total_exec_time / greatest(s.calls, 1) --[>=13]
           ELSE s.total_exec_time --[>=13]
           --: WHEN 'mean' THEN s.total_time / greatest(s.calls, 1) --[<13]
           --: ELSE s.total_time --[<13]
         END DESC NULLS LAST
LIMIT :limit
