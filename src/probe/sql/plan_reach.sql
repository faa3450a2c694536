-- Answers: with what of this session's rights could a function that somebody else wrote do harm, though it runs in a
--          read-only transaction that is rolled back? And who are we? No rows but `self` and `database`: with none.
-- Since:   13. Privilege: none. Locks: AccessShare on pg_authid, pg_auth_members and pg_proc. Cost: 4 ms.
--
-- Planning runs functions (immutable ones on constants, stable ones for estimates and for partitions to be pruned, those of
-- operators on the values in pg_statistic), in views, policies and operators as well as in the text, and with the rights of
-- whoever plans. A transaction that reads only keeps them from writing rows; what these roles and functions may do
-- (signals, files, programs, slots, locks on every table) it does not. Membership counts without inheritance: a
-- function may SET ROLE. What pg_monitor may call only reads.
SELECT encode(decode(replace(r.rolname::text, E'\\', E'\\\\'), 'escape'), 'escape') AS name,
       CASE WHEN r.rolsuper THEN 'superuser' WHEN r.rolreplication THEN 'replication' ELSE 'role' END AS kind
FROM pg_catalog.pg_roles r
WHERE (r.rolsuper OR r.rolreplication
       OR r.rolname IN ('pg_execute_server_program', 'pg_read_server_files', 'pg_write_server_files', 'pg_signal_backend',
                        'pg_signal_autovacuum_worker', 'pg_checkpoint', 'pg_maintain', 'pg_write_all_data'))
  AND pg_has_role(session_user, r.oid, 'MEMBER')
UNION ALL
SELECT encode(decode(replace(p.oid::regprocedure::text, E'\\', E'\\\\'), 'escape'), 'escape'), 'function'
FROM pg_catalog.pg_proc p
WHERE p.proacl IS NOT NULL AND (p.pronamespace = 'pg_catalog'::regnamespace OR p.prosecdef)
  AND NOT pg_has_role(session_user, p.proowner, 'MEMBER')
  AND NOT has_function_privilege('pg_monitor', p.oid, 'EXECUTE')
  AND EXISTS (SELECT 1 FROM aclexplode(p.proacl) a
              WHERE a.privilege_type = 'EXECUTE' AND a.grantee <> 0 AND pg_has_role(session_user, a.grantee, 'MEMBER'))
UNION ALL
SELECT encode(decode(replace(session_user::text, E'\\', E'\\\\'), 'escape'), 'escape'), 'self'
UNION ALL
SELECT encode(decode(replace(current_database()::text, E'\\', E'\\\\'), 'escape'), 'escape'), 'database'
ORDER BY 2, 1
