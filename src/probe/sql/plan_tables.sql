-- Answers: of the tables and views with one of these names, what may our role do with each, how large is it, and who holds
--          or awaits ACCESS EXCLUSIVE on it?
-- Since:   13. Privilege: none. Locks: the catalogs and the lock table; none on the tables. Cost: 2 ms.
-- Try:     \set words orders \set right SELECT
WITH k AS MATERIALIZED (
  SELECT DISTINCT ON (l.relation) l.relation, l.pid, l.granted
  FROM pg_catalog.pg_locks l
  WHERE l.locktype = 'relation' AND l.mode = 'AccessExclusiveLock'
    AND l.database = (SELECT s.datid FROM pg_catalog.pg_stat_get_activity(pg_backend_pid()) s)
  ORDER BY l.relation, l.granted DESC, l.pid
)
SELECT n.nspname::text AS schema, c.relname::text AS name,
       quote_ident(n.nspname::text) AS quoted_schema, quote_ident(c.relname::text) AS quoted,
       CASE WHEN c.relkind IN ('r', 'm') THEN c.relpages::int8 * current_setting('block_size')::int8 END AS bytes,
       coalesce(has_schema_privilege(n.oid, 'USAGE'), true) AS enters,
       coalesce(has_any_column_privilege(c.oid, 'SELECT'), true) AS reads,
       coalesce(CASE WHEN :'right' = 'DELETE' THEN has_table_privilege(c.oid, 'DELETE')
                     ELSE has_any_column_privilege(c.oid, :'right') END, true) AS does,
       k.pid, k.granted
FROM pg_catalog.pg_class c
JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
LEFT JOIN k ON k.relation = c.oid
WHERE c.relname::text = ANY (string_to_array(:'words', chr(31))) AND c.relkind IN ('r', 'p', 'v', 'm', 'f')
ORDER BY 1, 2
LIMIT 200
