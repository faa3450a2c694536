-- How many of the rows that had expired when the question was asked are still there? Asked once, at the end.
-- $1 oid, $2 the server's clock at the question.
-- Answers one row: their number, no more than 10001.
-- Since 13. Privilege: SELECT. Locks: ACCESS SHARE. Costs: up to 10 ms through the index on expires_at.
SELECT pg_catalog.count(*)::pg_catalog.text AS remaining
FROM (SELECT 1 FROM {table} e
      WHERE e.tableoid = $1::pg_catalog.oid AND e.expires_at < $2::pg_catalog.timestamptz LIMIT 10001) x
