-- Answers: entries of the cache table and how many of them are expired, in all (view is NULL and is_total) and by view, which is
--          the second part of the key.
-- Since:   13. Privilege: SELECT on the table. Locks: AccessShare on the table, as cache_size.sql.
-- Cost:    reads :percent of its pages, chosen so that a big table costs no more than a small one; the values themselves are not
--          read (pg_column_size looks at the pointer). The figures are scaled up by the reader.
-- Try:     \set schema public  \set name fraiseql_cache  \set percent 100
SELECT GROUPING(split_part(c.cache_key, ':', 2)) = 1 AS is_total, split_part(c.cache_key, ':', 2) AS view, count(*) AS rows,
       count(*) FILTER (WHERE c.expires_at <= now()) AS expired, coalesce(sum(pg_column_size(c.cache_value)), 0)::int8 AS bytes
FROM :"schema".:"name" c TABLESAMPLE SYSTEM (:percent)
GROUP BY GROUPING SETS ((), (split_part(c.cache_key, ':', 2)))
ORDER BY 1 DESC, 3 DESC, 2
LIMIT 21
