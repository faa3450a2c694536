-- What is left of maintenance that did not come to its end?
-- $1 OID of the table, $2 the time before the statement.
-- Answers one row: whether the table was vacuumed since then, and its indexes that are not valid.
-- Since 13 (before 15 the statistics come up to half a second late). Privilege: none. Locks: AccessShare on catalogs.
-- Costs: under 1 ms.
SELECT (pg_catalog.pg_stat_get_last_vacuum_time($1::pg_catalog.oid) >= $2::pg_catalog.timestamptz)::pg_catalog.text AS vacuumed,
       (SELECT pg_catalog.string_agg(c.relname::pg_catalog.text, ', ' ORDER BY c.relname)
        FROM pg_catalog.pg_index i JOIN pg_catalog.pg_class c ON c.oid = i.indexrelid
        WHERE i.indrelid = $1::pg_catalog.oid AND NOT i.indisvalid) AS invalid
