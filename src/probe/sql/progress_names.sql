-- Answers: the names of these relations of the database that we are in, as one reads them; of a TOAST table also its table's.
-- Since:   13. Privilege: none. Locks: AccessShare on pg_class and pg_namespace; never on a relation. Cost: under 1 ms.
-- Try:     \set oids 1259,1249
SELECT c.oid,
       encode(decode(replace(CASE WHEN n.nspname = 'public' THEN '' ELSE n.nspname || '.' END || c.relname
                             || coalesce(' (TOAST of ' || t.relname || ')', ''), E'\\', E'\\\\'), 'escape'), 'escape') AS name
FROM pg_catalog.pg_class c
JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
LEFT JOIN pg_catalog.pg_class t ON c.relkind = 't' AND t.oid = substring(c.relname FROM '^pg_toast_([0-9]+)$')::int8::oid AND t.reltoastrelid = c.oid
WHERE c.oid IN (:oids)
