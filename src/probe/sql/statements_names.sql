-- Answers: names of the roles and databases that entries of pg_stat_statements name by OID; one that was dropped has none.
-- Since:   13. Privilege: none. Locks: AccessShare on pg_authid and pg_database. Cost: under 1 ms.
-- Try:     \set keys 1,10
SELECT r.oid, encode(decode(replace(r.rolname::text, E'\\', E'\\\\'), 'escape'), 'escape') AS name, 'role' AS kind
FROM pg_catalog.pg_roles r WHERE r.oid = ANY (string_to_array(:'keys', ',')::oid[])
UNION ALL
SELECT d.oid, encode(decode(replace(d.datname::text, E'\\', E'\\\\'), 'escape'), 'escape'), 'database'
FROM pg_catalog.pg_database d WHERE d.oid = ANY (string_to_array(:'keys', ',')::oid[])
