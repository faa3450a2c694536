-- Is that session still there?
-- $1 pid, $2 backend_start.
-- Answers one row, present, or none where no backend has that pid; null where the server hides the session from us.
-- Since 13. Privilege: pg_monitor for other roles' sessions. Locks: none. Costs: under 1 ms.
SELECT (a.backend_start = $2::pg_catalog.timestamptz)::pg_catalog.text AS present
FROM pg_catalog.pg_stat_get_activity($1::pg_catalog.int4) a
