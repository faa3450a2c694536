-- Answers: is there a cache table of this name, and may our role read it? No row: there is none.
-- Since:   13. Privilege: none. Locks: the catalogs and the lock table. Cost: 1 ms.
-- Without a schema the first on the role's own search path is meant (ours is pg_catalog alone), else any. Names are compared, not parsed by the
-- server: to_regclass() fails on odd names up to 15 and on a schema without USAGE.
-- Try:     \set schema ''  \set name fraiseql_cache
SELECT c.oid, n.nspname::text AS schema, c.relname::text AS name,
       encode(decode(replace(current_user::text, E'\\', E'\\\\'), 'escape'), 'escape') AS "user",
       encode(decode(replace(current_database()::text, E'\\', E'\\\\'), 'escape'), 'escape') AS database,
       has_schema_privilege(n.oid, 'USAGE') AS may_use,
       has_table_privilege(c.oid, 'SELECT') AS may_select,
       pg_is_in_recovery() AND c.relpersistence = 'u' AS unreadable,
       (SELECT count(*) FROM pg_catalog.pg_attribute a WHERE a.attrelid = c.oid AND NOT a.attisdropped
          AND a.attname IN ('cache_key', 'cache_value', 'expires_at')) = 3 AS shaped,
       c.relkind::text AS kind, to_char(clock_timestamp() AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"') AS clock,
       has_table_privilege(c.oid, 'SELECT') AND has_table_privilege(c.oid, 'UPDATE') AND has_table_privilege(c.oid, 'DELETE') AS may_remove,
       (SELECT count(*) FROM pg_catalog.pg_trigger t
         WHERE t.tgrelid = c.oid AND NOT t.tgisinternal AND t.tgenabled <> 'D' AND t.tgtype & 8 <> 0) AS triggers,
       (SELECT count(*) FROM pg_catalog.pg_constraint k WHERE k.contype = 'f' AND k.confrelid = c.oid) AS "references",
       row_security_active(c.oid) AS row_security,
       (SELECT sum(p.relpages)::int8 FROM pg_catalog.pg_class p
         WHERE p.oid = c.oid OR p.oid IN (SELECT t.relid FROM pg_catalog.pg_partition_tree(c.oid) t))
         * current_setting('block_size')::int8 AS bytes,
       EXISTS (SELECT 1 FROM pg_catalog.pg_locks l
               WHERE l.locktype = 'relation' AND l.mode = 'AccessExclusiveLock'
                 AND (l.relation IN (c.oid, c.reltoastrelid)
                      OR c.relkind = 'p' AND l.relation IN (SELECT t.relid FROM pg_catalog.pg_partition_tree(c.oid) t)
                      OR l.relation IN (SELECT i.indexrelid FROM pg_catalog.pg_index i WHERE i.indrelid IN (c.oid, c.reltoastrelid)))
                 AND l.database = (SELECT s.datid FROM pg_catalog.pg_stat_get_activity(pg_backend_pid()) s)) AS locked
FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
WHERE c.relname = :'name' AND c.relkind IN ('r', 'p') AND c.relpersistence <> 't'
  AND (:'schema' = '' OR n.nspname = :'schema')
ORDER BY array_position(string_to_array(replace(replace((SELECT s.reset_val FROM pg_catalog.pg_settings s WHERE s.name = 'search_path'),
                                                        '"', ''), '$user', current_user::text), ', '), n.nspname::text), n.nspname
LIMIT 1
