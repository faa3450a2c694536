-- May our role vacuum, reindex or drop in that table's stead? Asked only after the server refused, or warned instead of
-- doing it.
-- $1 OID of the table.
-- Answers one row: our role, the table's owner, whether that is a superuser, whether our role may vacuum and analyze it
-- (its owner's or the database's rights, or MAINTAIN), and whether it may reindex it.
-- Since 13. Privilege: none. Locks: AccessShare on catalogs. Costs: under 1 ms.
SELECT current_user::pg_catalog.text AS role,
       o.rolname::pg_catalog.text AS owner,
       o.rolsuper::pg_catalog.text AS owner_is_superuser,
       (may.own OR pg_catalog.pg_has_role(current_user, d.datdba, 'USAGE'))::pg_catalog.text AS may_vacuum,
       may.own::pg_catalog.text AS may_reindex
FROM pg_catalog.pg_class c
JOIN pg_catalog.pg_roles o ON o.oid = c.relowner
JOIN pg_catalog.pg_database d ON d.datname = pg_catalog.current_database()
CROSS JOIN LATERAL (
  SELECT pg_catalog.pg_has_role(current_user, c.relowner, 'USAGE')
      OR pg_catalog.has_table_privilege(c.oid, 'MAINTAIN')  --[>=17]
      AS own
) may
WHERE c.oid = $1::pg_catalog.oid
