-- Cancels one statement of one backend, if both are still what was on the screen, on the server that was on it.
-- $1 pid, $2 backend_start, $3 query_start (null for a worker that has none), $4 pg_postmaster_start_time(), $5 pg_is_in_recovery(), $6 system_identifier.
-- Answers always one row: signaled is true (signal sent), false (it ended in between) or null (not the target: nothing
-- sent); same_session is null where the backend is gone.
-- No text of a query is returned: one that is invalid in our encoding would be an error after the signal. The state of a
-- worker, which waits for no client, is not compared.
-- Since 13. Privilege: own role, pg_signal_backend, or superuser for a superuser's; pg_monitor to see the timestamps.
-- Locks: none. Costs: under 1 ms. Names no catalog table, so that it works while pg_authid or pg_database is locked.
-- Outside a transaction only: the activity snapshot is cached within one. $1 is never -1, which stands for all backends.
-- The signal stands in a CASE of the select list and never in WHERE: the planner orders the terms of a WHERE as it
-- likes, and was seen to signal before it compared. What remains is the time between reading the slot and the signal.
SELECT (CASE WHEN server.same
              AND a.backend_start = $2::pg_catalog.timestamptz
              AND a.query_start IS NOT DISTINCT FROM $3::pg_catalog.timestamptz
              AND (a.state IN ('active', 'fastpath function call')
                   OR a.backend_type NOT IN ('client backend', 'walsender'))
              AND a.pid <> pg_catalog.pg_backend_pid()
             THEN pg_catalog.pg_cancel_backend(a.pid) END)::pg_catalog.text AS signaled,
       server.same::pg_catalog.text AS same_server,
       (a.backend_start = $2::pg_catalog.timestamptz)::pg_catalog.text AS same_session,
       a.state,
       (a.query = '<insufficient privilege>')::pg_catalog.text AS hidden
FROM (SELECT pg_catalog.pg_postmaster_start_time() = $4::pg_catalog.timestamptz
         AND pg_catalog.pg_is_in_recovery() = $5::pg_catalog.bool
         AND (SELECT c.system_identifier::pg_catalog.text FROM pg_catalog.pg_control_system() c) = $6  --[identifier]
        AS same OFFSET 0) server
LEFT JOIN pg_catalog.pg_stat_get_activity($1::pg_catalog.int4) a ON true
