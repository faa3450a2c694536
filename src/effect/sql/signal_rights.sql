-- Why may we not signal that backend? Asked only after the server refused.
-- $1 pid.
-- Answers one row: our role, whether it is in pg_signal_backend, whether the target's role is a superuser.
-- Since 13. Privilege: none. Locks: AccessShare on pg_authid. Costs: under 1 ms.
SELECT current_user::pg_catalog.text AS role,
       pg_catalog.pg_has_role(current_user, 'pg_signal_backend', 'USAGE')::pg_catalog.text AS may_signal,
       (SELECT r.rolsuper::pg_catalog.text FROM pg_catalog.pg_stat_get_activity($1::pg_catalog.int4) a
          JOIN pg_catalog.pg_roles r ON r.oid = a.usesysid) AS target_is_superuser
