-- Answers: where in this database pg_stat_statements lives. No row: it is not installed here.
-- Since:   13. Privilege: none. Locks: AccessShare on two catalogs. Cost: under 1 ms.
SELECT n.nspname::text AS schema
FROM pg_catalog.pg_extension e JOIN pg_catalog.pg_namespace n ON n.oid = e.extnamespace
WHERE e.extname = 'pg_stat_statements'
