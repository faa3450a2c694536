-- Ends one session, if it is still there and does what was on the screen, on the server that was on it.
-- $1 pid, $2 backend_start, $3 xact_start (null outside of a transaction), $4 state (null for a worker that has none), $5 query_start (compared only while
-- a statement runs), $6 pg_postmaster_start_time(), $7 pg_is_in_recovery(), $8 system_identifier.
-- Answers always one row: signaled is true (since 14: it has ended; on 13: signal sent), false (it was gone by then, or,
-- since 14, it has not ended within 3 s) or null (not the target: nothing sent); same_session is null where it is gone.
-- No text of a query is returned: one that is invalid in our encoding would be an error after the signal.
-- Since 13; the time to wait since 14. Privilege: own role, pg_signal_backend, or superuser for a superuser's; pg_monitor
-- to see the timestamps. Locks: none. Costs: under 1 ms, and up to 3 s of waiting. Names no catalog table.
-- Outside a transaction only: the activity snapshot is cached within one. $1 is never -1, which stands for all backends.
-- The signal stands in a CASE of the select list and never in WHERE: the planner orders the terms of a WHERE as it
-- likes, and was seen to signal before it compared. What remains is the time between reading the slot and the signal.
SELECT (CASE WHEN server.same
              AND a.backend_start = $2::pg_catalog.timestamptz
              AND a.xact_start IS NOT DISTINCT FROM $3::pg_catalog.timestamptz
              AND a.state IS NOT DISTINCT FROM $4
              AND (a.state NOT IN ('active', 'fastpath function call') OR a.query_start IS NOT DISTINCT FROM $5::pg_catalog.timestamptz)
              AND a.pid <> pg_catalog.pg_backend_pid()
             THEN pg_catalog.pg_terminate_backend(a.pid
                  , 3000  --[>=14]
             ) END)::pg_catalog.text AS signaled,
       server.same::pg_catalog.text AS same_server,
       (a.backend_start = $2::pg_catalog.timestamptz)::pg_catalog.text AS same_session,
       a.state,
       (a.query = '<insufficient privilege>')::pg_catalog.text AS hidden
FROM (SELECT pg_catalog.pg_postmaster_start_time() = $6::pg_catalog.timestamptz
         AND pg_catalog.pg_is_in_recovery() = $7::pg_catalog.bool
         AND (SELECT c.system_identifier::pg_catalog.text FROM pg_catalog.pg_control_system() c) = $8  --[identifier]
        AS same OFFSET 0) server
LEFT JOIN pg_catalog.pg_stat_get_activity($1::pg_catalog.int4) a ON true
