-- Cancels one statement of each of several backends, where it is still what was on the screen, on the server that was on
-- it: cancel.sql for a whole list, in one statement.
-- $1 pids, $2 backend_starts, $3 query_starts: arrays, one element for each; $4 pg_postmaster_start_time(),
-- $5 pg_is_in_recovery(), $6 system_identifier.
-- Answers one row for each: n counts from 1; signaled, the next two and hidden as in cancel.sql; denied is superuser or right
-- where the server would refuse the signal with an error, which would leave nobody knowing who was signalled before it.
-- Since 13. Privilege: own role, pg_signal_backend, or superuser for a superuser's; pg_monitor to see the timestamps.
-- Locks: none. Costs: 0.3 ms for each target with 500 connections. Names no catalog table (10 is the superuser of initdb,
-- whose rights every superuser has, and who is a member of that role).
-- The activity of all backends is read anew for each row (pg_stat_clear_snapshot), so that the last of the list is compared
-- as late as a single one. OFFSET 0 keeps it there, and the order of the list. No text of a query is returned: one that is
-- invalid in our encoding would be an error in the middle of the list.
SELECT t.n::pg_catalog.text AS n,
       (CASE WHEN server.same
              AND a.backend_start = t.backend_start
              AND a.query_start = t.query_start
              AND a.state IN ('active', 'fastpath function call')
              AND a.pid <> pg_catalog.pg_backend_pid()
              AND may.denied IS NULL
             THEN pg_catalog.pg_cancel_backend(a.pid) END)::pg_catalog.text AS signaled,
       server.same::pg_catalog.text AS same_server,
       (a.backend_start = t.backend_start)::pg_catalog.text AS same_session,
       (a.query_start = t.query_start AND a.state IN ('active', 'fastpath function call'))::pg_catalog.text AS same_target,
       a.state,
       (a.query = '<insufficient privilege>')::pg_catalog.text AS hidden,
       may.denied,
       current_user::pg_catalog.text AS role
FROM (SELECT pg_catalog.pg_postmaster_start_time() = $4::pg_catalog.timestamptz
         AND pg_catalog.pg_is_in_recovery() = $5::pg_catalog.bool
         AND (SELECT c.system_identifier::pg_catalog.text FROM pg_catalog.pg_control_system() c) = $6  --[identifier]
        AS same OFFSET 0) server
CROSS JOIN ROWS FROM (pg_catalog.unnest($1::pg_catalog.int4[]), pg_catalog.unnest($2::pg_catalog.timestamptz[]),
                      pg_catalog.unnest($3::pg_catalog.timestamptz[]))
           WITH ORDINALITY t(pid, backend_start, query_start, n)
CROSS JOIN LATERAL (SELECT pg_catalog.pg_stat_clear_snapshot() AS cleared, t.pid OFFSET 0) fresh
LEFT JOIN LATERAL pg_catalog.pg_stat_get_activity(fresh.pid) a ON true
CROSS JOIN LATERAL (SELECT CASE WHEN pg_catalog.current_setting('is_superuser') = 'on' THEN NULL
                                WHEN pg_catalog.pg_has_role(a.usesysid, 10::pg_catalog.oid, 'USAGE') THEN 'superuser'
                                WHEN NOT (pg_catalog.pg_has_role(a.usesysid, 'USAGE')
                                          OR pg_catalog.pg_has_role('pg_signal_backend', 'USAGE')) THEN 'right'
                           END AS denied OFFSET 0) may
