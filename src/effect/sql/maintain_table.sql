-- Is the table still what was on the screen, on the server that was on it, and what is the statement that maintains it?
-- None of these statements takes an OID, so the server itself writes the statement from the names that the OID has now.
-- $1 oid, $2 schema, $3 name, $4 relkind, $5 the words before the name, $6 pg_postmaster_start_time(),
-- $7 pg_is_in_recovery(), $8 system_identifier.
-- Answers always one row: statement is null where the table is gone (name is null) or no longer the same; busy_pid
-- and busy_with tell who works on it, or on its TOAST table, already: all of these exclude each other (a role that sees
-- only its own statistics is not told).
-- Since 13. Privilege: none; pg_monitor to see others' work. Locks: AccessShare on catalogs. Costs: under 1 ms.
-- What remains is the time between this and the statement: a table renamed and replaced within it would be maintained.
SELECT CASE WHEN server.same AND n.nspname = $2 AND c.relname = $3 AND c.relkind::pg_catalog.text = $4
            THEN $5::pg_catalog.text || ' "' || pg_catalog.replace(n.nspname, '"', '""') || '"."'
                                     || pg_catalog.replace(c.relname, '"', '""') || '"' END AS statement,
       server.same::pg_catalog.text AS same_server,
       n.nspname::pg_catalog.text AS schema,
       c.relname::pg_catalog.text AS name,
       busy.pid::pg_catalog.text AS busy_pid,
       busy.doing AS busy_with,
       pg_catalog.clock_timestamp()::pg_catalog.text AS asked_at
FROM (SELECT pg_catalog.pg_postmaster_start_time() = $6::pg_catalog.timestamptz
         AND pg_catalog.pg_is_in_recovery() = $7::pg_catalog.bool
         AND (SELECT s.system_identifier::pg_catalog.text FROM pg_catalog.pg_control_system() s) = $8  --[identifier]
        AS same OFFSET 0) server
LEFT JOIN pg_catalog.pg_class c ON c.oid = $1::pg_catalog.oid
LEFT JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
LEFT JOIN LATERAL (
  SELECT w.pid, w.doing FROM (
    SELECT v.pid, v.relid, v.datname, 'vacuums it already' AS doing FROM pg_catalog.pg_stat_progress_vacuum v
    UNION ALL SELECT a.pid, a.relid, a.datname, 'analyzes it already' FROM pg_catalog.pg_stat_progress_analyze a
    UNION ALL SELECT i.pid, i.relid, i.datname, 'builds an index of it' FROM pg_catalog.pg_stat_progress_create_index i
    UNION ALL SELECT r.pid, r.relid, r.datname, 'rewrites it' FROM pg_catalog.pg_stat_progress_cluster r
  ) w
  WHERE w.relid IN (c.oid, c.reltoastrelid) AND w.datname = pg_catalog.current_database()
  ORDER BY w.pid LIMIT 1
) busy ON true
