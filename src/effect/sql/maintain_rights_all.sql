-- May our role vacuum every table of this database? Asked only after a vacuum of all of them warned.
-- Answers one row: our role, and whether it has the rights of the database's owner, or those to maintain everything.
-- Since 13. Privilege: none. Locks: AccessShare on catalogs. Costs: under 1 ms.
SELECT current_user::pg_catalog.text AS role,
       (pg_catalog.pg_has_role(current_user, d.datdba, 'USAGE')
        OR pg_catalog.pg_has_role(current_user, 'pg_maintain', 'USAGE')  --[>=17]
       )::pg_catalog.text AS may_vacuum
FROM pg_catalog.pg_database d WHERE d.datname = pg_catalog.current_database()
