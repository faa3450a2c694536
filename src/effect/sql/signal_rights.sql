-- Why may we not signal that backend? Asked only after the server refused.
-- $1 pid.
-- Answers one row: our role, whether it is in pg_signal_backend, whether the target's role is a superuser, whether it has
-- a role at all (an autovacuum worker has none), and whether a role may be granted that signals those (18).
-- Since 13. Privilege: none. Locks: AccessShare on pg_authid. Costs: under 1 ms.
SELECT current_user::pg_catalog.text AS role,
       pg_catalog.pg_has_role(current_user, 'pg_signal_backend', 'USAGE')::pg_catalog.text AS may_signal,
       (SELECT r.rolsuper::pg_catalog.text FROM pg_catalog.pg_stat_get_activity($1::pg_catalog.int4) a
          JOIN pg_catalog.pg_roles r ON r.oid = a.usesysid) AS target_is_superuser,
       (SELECT (a.usesysid IS NOT NULL)::pg_catalog.text
          FROM pg_catalog.pg_stat_get_activity($1::pg_catalog.int4) a) AS target_has_role,
       EXISTS (SELECT FROM pg_catalog.pg_roles r WHERE r.rolname = 'pg_signal_autovacuum_worker')::pg_catalog.text
           AS workers_may_be_granted
