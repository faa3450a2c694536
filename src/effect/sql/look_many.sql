-- Do these backends still run those statements, or are these sessions still there?
-- $1 pids, $2 backend_starts, $3 query_starts: arrays, one element for each; a query_start of null asks for the session.
-- Answers one row for each: n counts from 1, pid is null where the backend is gone; there is null then, and where the server
-- hides the session from us.
-- Since 13. Privilege: pg_monitor for other roles' sessions. Locks: none. Costs: 1 to 30 ms.
SELECT t.n::pg_catalog.text AS n, a.pid::pg_catalog.text AS pid,
       (a.backend_start = t.backend_start
        AND (t.query_start IS NULL
             OR (a.query_start = t.query_start AND a.state IN ('active', 'fastpath function call')))
       )::pg_catalog.text AS there
FROM ROWS FROM (pg_catalog.unnest($1::pg_catalog.int4[]), pg_catalog.unnest($2::pg_catalog.timestamptz[]),
                pg_catalog.unnest($3::pg_catalog.timestamptz[]))
     WITH ORDINALITY t(pid, backend_start, query_start, n)
LEFT JOIN LATERAL pg_catalog.pg_stat_get_activity(t.pid) a ON true
