-- Answers: roles and databases that have a CONNECTION LIMIT, those first that have used most of it.
-- Since:   13. Privilege: none: pg_roles is for all, and of each session the server shows the role and the database.
-- Locks:   AccessShare on pg_authid, pg_db_role_setting, pg_database.
-- Cost:    2.4 ms with 80 sessions, and 6 with 2000 roles that have a limit (13; 18: 0.5, 2).
-- No limit holds for a superuser. -1 is none; a database that could not be dropped has -2 and lets nobody in.
-- The counts only rank them: what is taken is told by the sessions, which are seen more often.
WITH s AS MATERIALIZED (SELECT s.usesysid, s.datid FROM pg_catalog.pg_stat_get_activity(NULL) s)
SELECT l.is_role, encode(decode(replace(l.name::text, E'\\', E'\\\\'), 'escape'), 'escape') AS name, l.connections
FROM (
  SELECT true AS is_role, r.oid, r.rolname AS name, r.rolconnlimit::int8 AS connections, t.taken
  FROM pg_catalog.pg_roles r
  LEFT JOIN (SELECT s.usesysid, count(*) AS taken FROM s GROUP BY s.usesysid) t ON t.usesysid = r.oid
  WHERE r.rolconnlimit >= 0 AND r.rolcanlogin AND NOT r.rolsuper
  UNION ALL
  SELECT false, d.oid, d.datname, d.datconnlimit::int8, t.taken
  FROM pg_catalog.pg_database d
  LEFT JOIN (SELECT s.datid, count(*) AS taken FROM s GROUP BY s.datid) t ON t.datid = d.oid
  WHERE d.datconnlimit >= 0 AND d.datallowconn
) l
ORDER BY coalesce(l.taken, 0)::float8 / greatest(l.connections, 1) DESC, l.is_role, l.oid
LIMIT 100
