-- Answers: along which search_path does a session of this role in this database begin, where a setting of the role or of
--          the database says so? No row: none does.
-- Since:   13. Privilege: none. Locks: AccessShare on pg_db_role_setting, pg_roles and pg_database. Cost: 1 ms.
-- Try:     \set author shop_api
--
-- In the server's own order: the role in the database, the role, the database, all.
SELECT substr(c.setting, length('search_path=') + 1) AS search_path
FROM pg_catalog.pg_db_role_setting s
CROSS JOIN unnest(s.setconfig) AS c (setting)
WHERE left(c.setting, length('search_path=')) = 'search_path='
  AND s.setrole IN (0, (SELECT r.oid FROM pg_catalog.pg_roles r WHERE r.rolname::text = :'author'))
  AND s.setdatabase IN (0, (SELECT d.oid FROM pg_catalog.pg_database d WHERE d.datname = current_database()))
ORDER BY s.setrole = 0, s.setdatabase = 0
LIMIT 1
