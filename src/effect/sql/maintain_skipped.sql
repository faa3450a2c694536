-- Which tables did a vacuum of the whole database leave out? It warns of those that the role may not vacuum, but passes
-- in silence over those that somebody had locked.
-- $1 the time before the statement.
-- Answers one row: how many, and the first three.
-- Since 13 (before 15 the statistics come up to half a second late). Privilege: none. Locks: AccessShare on catalogs.
-- Costs: 2 ms for 1000 tables.
SELECT pg_catalog.count(*)::pg_catalog.text AS skipped,
       pg_catalog.string_agg(t.name, ', ' ORDER BY t.name) FILTER (WHERE t.rank <= 3) AS first
FROM (SELECT n.nspname::pg_catalog.text || '.' || c.relname::pg_catalog.text AS name,
             pg_catalog.row_number() OVER (ORDER BY n.nspname, c.relname) AS rank
      FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
      WHERE c.relkind IN ('r', 'm') AND c.relpersistence <> 't'
        AND coalesce(pg_catalog.pg_stat_get_last_vacuum_time(c.oid), '-infinity') < $1::pg_catalog.timestamptz) t
