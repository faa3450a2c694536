-- Is the table still what was on the screen, on the server that was on it, and what is the statement that vacuums it?
-- VACUUM takes no OID, so the server itself writes the statement from the names that the OID has now.
-- $1 oid, $2 schema, $3 name, $4 relkind, $5 pg_postmaster_start_time(), $6 pg_is_in_recovery(), $7 system_identifier.
-- Answers always one row: statement is null where the table is gone (name is null) or no longer the same; vacuumed_by
-- is the pid of a vacuum that works on it already (a role that sees only its own statistics is not told).
-- Since 13. Privilege: none; pg_monitor to see others' vacuums. Locks: AccessShare on catalogs. Costs: under 1 ms.
-- What remains is the time between this and the VACUUM: a table renamed and replaced within it would be vacuumed.
SELECT CASE WHEN server.same AND n.nspname = $2 AND c.relname = $3 AND c.relkind::pg_catalog.text = $4
            THEN 'VACUUM (ANALYZE) "' || pg_catalog.replace(n.nspname, '"', '""') || '"."'
                                      || pg_catalog.replace(c.relname, '"', '""') || '"' END AS statement,
       server.same::pg_catalog.text AS same_server,
       n.nspname::pg_catalog.text AS schema,
       c.relname::pg_catalog.text AS name,
       (SELECT pg_catalog.min(p.pid)::pg_catalog.text FROM pg_catalog.pg_stat_progress_vacuum p
         WHERE p.relid = c.oid AND p.datname = pg_catalog.current_database()) AS vacuumed_by
FROM (SELECT pg_catalog.pg_postmaster_start_time() = $5::pg_catalog.timestamptz
         AND pg_catalog.pg_is_in_recovery() = $6::pg_catalog.bool
         AND (SELECT s.system_identifier::pg_catalog.text FROM pg_catalog.pg_control_system() s) = $7  --[identifier]
        AS same OFFSET 0) server
LEFT JOIN pg_catalog.pg_class c ON c.oid = $1::pg_catalog.oid
LEFT JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
