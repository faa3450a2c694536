-- Answers: who has read and written relations (and, since 18, WAL) since the counters began, by kind of process: bytes, and
--          the time it took, which is 0 where track_io_timing (of WAL: track_wal_io_timing) was off.
-- Since:   16; bytes and WAL since 18: before, everything goes by pages. Privilege: none.
-- Locks:   none: no catalog is read. Cost: 1 ms (79 rows before they are summed in 18, 30 in 16).
-- A read may have been answered by the kernel's cache. Temporary files of sorts and hashes are not in here.
--: SELECT clock_timestamp()::text AS who, false AS wal, 0 AS read, 0 AS written, 0 AS read_ms, 0 AS write_ms, 0 AS reset_s WHERE false --[<16]
SELECT s.backend_type AS who, --[>=16]
       --: false AS wal, --[16-17]
       s.object = 'wal' AS wal, --[>=18]
       --: coalesce(sum(s.reads * s.op_bytes), 0)::int8 AS read, --[16-17]
       --: coalesce(sum((coalesce(s.writes, 0) + coalesce(s.extends, 0)) * s.op_bytes), 0)::int8 AS written, --[16-17]
       coalesce(sum(s.read_bytes), 0)::int8 AS read, --[>=18]
       coalesce(sum(coalesce(s.write_bytes, 0) + coalesce(s.extend_bytes, 0)), 0)::int8 AS written, --[>=18]
       coalesce(sum(s.read_time), 0) AS read_ms, --[>=16]
       coalesce(sum(coalesce(s.write_time, 0) + coalesce(s.extend_time, 0) + coalesce(s.fsync_time, 0)), 0) AS write_ms, --[>=16]
       extract(epoch FROM max(s.stats_reset))::float8 AS reset_s --[>=16]
FROM pg_catalog.pg_stat_io s --[>=16]
GROUP BY 1, 2 --[>=16]
ORDER BY 1, 2 --[>=16]
