-- Is the database still what was on the screen, on the server that was on it?
-- $1 oid, $2 name, $3 the statement, $4 pg_postmaster_start_time(), $5 pg_is_in_recovery(), $6 system_identifier.
-- Answers always one row: statement is null where this session is in another database than that one. Nobody is in the
-- way: tables that somebody else works on are skipped.
-- Since 13. Privilege: none. Locks: AccessShare on pg_database. Costs: under 1 ms.
SELECT CASE WHEN server.same AND d.oid = $1::pg_catalog.oid AND d.datname = $2 THEN $3::pg_catalog.text END AS statement,
       server.same::pg_catalog.text AS same_server,
       d.datname::pg_catalog.text AS name,
       pg_catalog.clock_timestamp()::pg_catalog.text AS asked_at
FROM (SELECT pg_catalog.pg_postmaster_start_time() = $4::pg_catalog.timestamptz
         AND pg_catalog.pg_is_in_recovery() = $5::pg_catalog.bool
         AND (SELECT s.system_identifier::pg_catalog.text FROM pg_catalog.pg_control_system() s) = $6  --[identifier]
        AS same OFFSET 0) server
LEFT JOIN pg_catalog.pg_database d ON d.datname = pg_catalog.current_database()
