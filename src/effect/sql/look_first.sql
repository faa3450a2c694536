-- Which server is this, and what do these sessions do? Asked before a question where the reads are too old to ask by.
-- $1 pids: an array, one element for each.
-- Answers one row for each, with the marks of the server in all of them; pid is null where no backend has that pid.
-- Since 13. Privilege: pg_monitor for other roles' sessions; EXECUTE on pg_control_system() for the identifier.
-- Locks: none. Costs: 0.3 ms for each with 500 connections. Names no catalog table, so that it works while pg_authid or
-- pg_database is locked, and leaves out the names of role and database, which do not change in a session.
-- Texts may be in any encoding, hence their bytes, escaped. The times are written as the list of sessions has them.
SELECT server.started, server.in_recovery,
       server.system_identifier,  --[identifier]
       a.pid::pg_catalog.text AS pid, a.leader_pid::pg_catalog.text AS leader, a.backend_type, a.state,
       a.wait_event_type, a.wait_event, a.backend_xid::pg_catalog.text AS xid, a.backend_xmin::pg_catalog.text AS xmin,
       pg_catalog.to_char(a.backend_start AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"') AS backend_start,
       pg_catalog.to_char(a.xact_start AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"') AS xact_start,
       pg_catalog.to_char(a.query_start AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"') AS query_start,
       (EXTRACT(epoch FROM server.now - a.backend_start))::pg_catalog.text AS backend_s,
       (EXTRACT(epoch FROM server.now - a.xact_start))::pg_catalog.text AS xact_s,
       (EXTRACT(epoch FROM server.now - a.query_start))::pg_catalog.text AS query_s,
       (EXTRACT(epoch FROM server.now - a.state_change))::pg_catalog.text AS state_s,
       (a.query = '<insufficient privilege>')::pg_catalog.text AS hidden,
       pg_catalog.encode(pg_catalog.decode(pg_catalog.replace(a.application_name, E'\\', E'\\\\'), 'escape'), 'escape') AS application,
       pg_catalog.encode(pg_catalog.substring(pg_catalog.decode(pg_catalog.replace(a.query, E'\\', E'\\\\'), 'escape'), 1, 2048),
                         'escape') AS query
FROM (SELECT pg_catalog.to_char(pg_catalog.pg_postmaster_start_time() AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"') AS started,
             pg_catalog.pg_is_in_recovery()::pg_catalog.text AS in_recovery,
             (SELECT c.system_identifier::pg_catalog.text FROM pg_catalog.pg_control_system() c) AS system_identifier,  --[identifier]
             pg_catalog.clock_timestamp() AS now OFFSET 0) server
CROSS JOIN pg_catalog.unnest($1::pg_catalog.int4[]) WITH ORDINALITY t(pid, n)
LEFT JOIN LATERAL pg_catalog.pg_stat_get_activity(t.pid) a ON true
ORDER BY t.n
