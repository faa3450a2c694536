-- Answers: the texts of these entries of pg_stat_statements, one for each queryid.
-- Since:   1.3 of the extension. Privilege: pg_read_all_stats; without it those of other roles are not among them.
-- Locks:   as statements.sql. Cost: reads the whole file of texts: 22 ms for 5000 entries with 4.4 MB.
-- Try:     \set schema public  \set keys 1,2
SELECT DISTINCT ON (s.queryid) s.queryid, left(s.query, 16384) AS query, length(s.query) > 16384 AS cut
FROM :"schema".pg_stat_statements(true) s
WHERE s.queryid = ANY (string_to_array(:'keys', ',')::int8[])
ORDER BY s.queryid
