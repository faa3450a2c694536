-- May our role vacuum that table as its owner would? Asked only after the server warned instead of vacuuming.
-- $1 oid.
-- Answers one row: our role, the version, the table's owner, whether that is a superuser, whether our role has its
-- rights or those of the database's owner.
-- Since 13. Privilege: none. Locks: AccessShare on catalogs. Costs: under 1 ms.
SELECT current_user::pg_catalog.text AS role,
       pg_catalog.current_setting('server_version_num') AS version,
       o.rolname::pg_catalog.text AS owner,
       o.rolsuper::pg_catalog.text AS owner_is_superuser,
       (pg_catalog.pg_has_role(current_user, c.relowner, 'USAGE')
        OR pg_catalog.pg_has_role(current_user, d.datdba, 'USAGE'))::pg_catalog.text AS may
FROM pg_catalog.pg_class c
JOIN pg_catalog.pg_roles o ON o.oid = c.relowner
JOIN pg_catalog.pg_database d ON d.datname = pg_catalog.current_database()
WHERE c.oid = $1::pg_catalog.oid
