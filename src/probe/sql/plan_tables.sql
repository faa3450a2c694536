-- Answers: of the tables and views with one of these names in a schema that is among them or on the path, what may our role
--          do with each, how large is it, and who holds or awaits ACCESS EXCLUSIVE on it?
-- Since:   13. Privilege: none. Locks: the catalogs and the lock table; none on the tables. Cost: 2 ms.
-- Try:     \set words orders \set path public \set author shop_api
--
-- A temporary table is another session's: ours makes none. `held`: on some column; `whole`: on the table.
WITH k AS MATERIALIZED (
  SELECT DISTINCT ON (l.relation) l.relation, l.pid, l.granted
  FROM pg_catalog.pg_locks l
  WHERE l.locktype = 'relation' AND l.mode = 'AccessExclusiveLock'
    AND l.database = (SELECT s.datid FROM pg_catalog.pg_stat_get_activity(pg_backend_pid()) s)
  ORDER BY l.relation, l.granted DESC, l.pid
), w AS MATERIALIZED (
  SELECT string_to_array(:'words', chr(31)) AS words, string_to_array(:'path', chr(31)) AS path,
         (SELECT r.oid FROM pg_catalog.pg_roles r WHERE r.rolname::text = :'author') AS author
)
SELECT n.nspname::text AS schema, c.relname::text AS name,
       quote_ident(n.nspname::text) AS quoted_schema, quote_ident(c.relname::text) AS quoted,
       CASE WHEN c.relkind IN ('r', 'm') THEN c.relpages::int8 * current_setting('block_size')::int8 END AS bytes,
       array_position(w.path, n.nspname::text) AS place,
       coalesce(has_schema_privilege(n.oid, 'USAGE'), true) AS enters,
       coalesce(has_schema_privilege(w.author, n.oid, 'USAGE'), true) AS author_enters,
       concat_ws(',', CASE WHEN has_any_column_privilege(c.oid, 'SELECT') THEN 'SELECT' END,
                 CASE WHEN has_any_column_privilege(c.oid, 'INSERT') THEN 'INSERT' END,
                 CASE WHEN has_any_column_privilege(c.oid, 'UPDATE') THEN 'UPDATE' END,
                 CASE WHEN has_table_privilege(c.oid, 'DELETE') THEN 'DELETE' END) AS held,
       concat_ws(',', CASE WHEN has_table_privilege(c.oid, 'SELECT') THEN 'SELECT' END,
                 CASE WHEN has_table_privilege(c.oid, 'INSERT') THEN 'INSERT' END,
                 CASE WHEN has_table_privilege(c.oid, 'UPDATE') THEN 'UPDATE' END,
                 CASE WHEN has_table_privilege(c.oid, 'DELETE') THEN 'DELETE' END) AS whole,
       k.pid, k.granted
FROM w
CROSS JOIN pg_catalog.pg_class c
JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
LEFT JOIN k ON k.relation = c.oid
WHERE c.relname::text = ANY (string_to_array(:'words', chr(31))) AND c.relkind IN ('r', 'p', 'v', 'm', 'f') AND c.relpersistence <> 't'
  AND n.nspname::text = ANY (w.words || w.path)
ORDER BY 1, 2
LIMIT 200
