-- Answers: for which roles and databases is one of the named settings another than the server's?
-- Since:   13. Privilege: none. Cost: under 1 ms.
-- Locks:   pg_db_role_setting, pg_database, pg_authid, AccessShare.
-- Texts of a shared catalog may be in any encoding, hence their bytes, escaped (see sessions.sql).
-- Try:     \set names work_mem,log_statement
SELECT split_part(c.line, '=', 1) AS name,
       encode(decode(replace(substr(c.line, strpos(c.line, '=') + 1), E'\\', E'\\\\'), 'escape'), 'escape') AS value,
       encode(decode(replace(d.datname::text, E'\\', E'\\\\'), 'escape'), 'escape') AS database,
       encode(decode(replace(r.rolname::text, E'\\', E'\\\\'), 'escape'), 'escape') AS role
FROM pg_catalog.pg_db_role_setting o
CROSS JOIN LATERAL unnest(o.setconfig) AS c(line)
LEFT JOIN pg_catalog.pg_database d ON d.oid = o.setdatabase
LEFT JOIN pg_catalog.pg_roles r ON r.oid = o.setrole
WHERE split_part(c.line, '=', 1) = ANY (string_to_array(:'names', ','))
ORDER BY name, database NULLS FIRST, role NULLS FIRST
