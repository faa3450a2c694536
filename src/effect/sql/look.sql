-- Does that backend still run that statement?
-- $1 pid, $2 backend_start, $3 query_start.
-- Answers one row, running, or none where the backend is gone; null where the server hides the session from us.
-- Since 13. Privilege: pg_monitor for other roles' sessions. Locks: none. Costs: under 1 ms.
SELECT (a.backend_start = $2::pg_catalog.timestamptz
        AND a.query_start IS NOT DISTINCT FROM $3::pg_catalog.timestamptz
        AND (a.state IN ('active', 'fastpath function call')
             OR a.backend_type NOT IN ('client backend', 'walsender')))::pg_catalog.text AS running
FROM pg_catalog.pg_stat_get_activity($1::pg_catalog.int4) a
