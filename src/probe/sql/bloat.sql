-- Answers: an estimate of the wasted space of the given tables, from pg_class and pg_stats.
-- Since:   13. Privilege: SELECT on the tables, or pg_read_all_data (14); without it pg_stats shows no row and no error.
-- Locks:   AccessShare on catalogs only. Cost: 32 ms for 200 tables; looked up table by table, since a join of pg_stats by
--          name took minutes with 10 000.
-- It sees what ANALYZE saw: rows that are dead and not yet vacuumed are no bloat to it. 24 bytes of page header, 4 of line
-- pointer and 23 of tuple header, padded to 8, are PostgreSQL's own.
-- Try:     \set oids 1,2,3
WITH t AS MATERIALIZED (
  SELECT c.oid, n.nspname, c.relname, c.reltuples, c.relpages, c.relnatts, current_setting('block_size')::int AS bs,
         coalesce(substring(array_to_string(c.reloptions, ' ') FROM 'fillfactor=([0-9]+)')::int, 100) AS ff
  FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
  WHERE c.oid IN (:oids) AND c.relkind IN ('r', 'm') AND c.relpages > 0
    AND c.reltuples >= 0 --[>=14]
    --: AND c.reltuples > 0 --[<14]
), e AS (
  SELECT t.*, w.n,
         4 + ceil((23 + CASE WHEN w.has_nulls THEN (7 + t.relnatts) / 8 ELSE 0 END) / 8.0) * 8 + ceil(w.width / 8.0) * 8 AS row_bytes
  FROM t CROSS JOIN LATERAL (
    SELECT coalesce(sum((1 - s.null_frac) * s.avg_width), 0) AS width, bool_or(s.null_frac > 0) AS has_nulls, count(*) AS n
    FROM pg_catalog.pg_stats s
    WHERE s.schemaname = t.nspname AND s.tablename = t.relname AND NOT s.inherited
    OFFSET 0) w
)
SELECT e.oid, e.relpages::int8 * e.bs AS real_bytes,
       (greatest(0, e.relpages - ceil(e.reltuples / greatest(1, floor((e.bs - 24) * e.ff / 100 / e.row_bytes)))) * e.bs)::int8 AS wasted_bytes,
       e.n AS known, e.reltuples = 0 AS empty,
       (SELECT count(*) FROM pg_catalog.pg_attribute a WHERE a.attrelid = e.oid AND a.attnum > 0 AND NOT a.attisdropped) AS columns
FROM e
