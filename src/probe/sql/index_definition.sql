-- Answers: the statement that makes an index, where it can be had without waiting.
-- Since:   13. Privilege: none.
-- Locks:   AccessShare on catalogs, and on the table while pg_get_indexdef() runs: it waits behind ACCESS EXCLUSIVE on the table, held
--          or queued, so it is not called then; not behind a REINDEX, which locks the index alone (measured on 13, 15, 18). What
--          comes between the look and the call is bounded by lock_timeout.
-- Cost:    1 ms. Asked for the index whose detail is open.
-- Try:     \set oid 16384
SELECT w.locked,
       encode(CASE WHEN getdatabaseencoding() IN ('UTF8', 'SQL_ASCII') THEN decode(replace(d.text, E'\\', E'\\\\'), 'escape')
                   ELSE convert_to(d.text, 'UTF8') END, 'escape') AS definition
FROM pg_catalog.pg_index i
CROSS JOIN LATERAL (
  SELECT EXISTS (SELECT FROM pg_catalog.pg_locks l
                 WHERE l.locktype = 'relation' AND l.relation = i.indrelid AND l.mode = 'AccessExclusiveLock'
                   AND l.database = (SELECT a.datid FROM pg_catalog.pg_stat_get_activity(pg_backend_pid()) a)) AS locked
  OFFSET 0
) w
CROSS JOIN LATERAL (SELECT CASE WHEN NOT w.locked THEN pg_catalog.pg_get_indexdef(i.indexrelid) END AS text OFFSET 0) d
WHERE i.indexrelid = :oid
