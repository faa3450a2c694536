-- Answers: where in this database pg_stat_statements lives and in which version; whether the server has loaded its library.
--          No schema: it is not installed here.
-- Since:   13. Privilege: none. Locks: AccessShare on two catalogs. Cost: under 1 ms.
SELECT n.nspname::text AS schema, e.extversion AS version,
       current_setting('pg_stat_statements.max', true) IS NOT NULL AS loaded,
       encode(decode(replace(current_database()::text, E'\\', E'\\\\'), 'escape'), 'escape') AS database
FROM (SELECT 1) one
LEFT JOIN pg_catalog.pg_extension e ON e.extname = 'pg_stat_statements'
LEFT JOIN pg_catalog.pg_namespace n ON n.oid = e.extnamespace
