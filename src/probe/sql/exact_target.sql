-- Answers: may exact bloat of this table be measured now? No row: there is no such table here.
-- Since:   13. Privilege: none. Locks: the catalogs and the lock table. Cost: 1 ms.
-- Try:     \set oid 1
SELECT c.relkind::text AS kind, pg_is_in_recovery() AND c.relpersistence = 'u' AS unreadable,
       encode(decode(replace(current_user::text, E'\\', E'\\\\'), 'escape'), 'escape') AS "user",
       e.nspname::text AS tuple_schema,
       coalesce(pg_has_role(current_user, 'pg_stat_scan_tables', 'USAGE'), false) AS may,
       EXISTS (SELECT 1 FROM pg_catalog.pg_locks l
               WHERE l.locktype = 'relation' AND l.mode = 'AccessExclusiveLock' AND l.relation IN (c.oid, c.reltoastrelid)
                 AND l.database = (SELECT s.datid FROM pg_catalog.pg_stat_get_activity(pg_backend_pid()) s)) AS locked
FROM pg_catalog.pg_class c
LEFT JOIN (SELECT n.nspname FROM pg_catalog.pg_extension x JOIN pg_catalog.pg_namespace n ON n.oid = x.extnamespace
           WHERE x.extname = 'pgstattuple') e ON true
WHERE c.oid = :oid
