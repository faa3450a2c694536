-- Brings into this session's caches what pg_cancel_backend looks up: the roles of all sessions, and whether ours may
-- signal. It asks pg_authid for the target's role, and would wait there while somebody holds it exclusively.
-- Answers one row: how many roles, of sessions at this moment.
-- Since 13. Privilege: none. Locks: AccessShare on pg_authid and pg_auth_members where they are not cached yet.
-- Costs: 1 to 3 ms with 500 sessions.
SELECT pg_catalog.count(DISTINCT pg_catalog.pg_get_userbyid(a.usesysid))::pg_catalog.text AS roles,
       pg_catalog.pg_has_role('pg_signal_backend', 'USAGE')::pg_catalog.text AS may_signal
FROM pg_catalog.pg_stat_get_activity(NULL) a
