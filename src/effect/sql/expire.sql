-- Removes one batch of the rows of the cache table that had expired when the question was asked, if the name is still that
-- table's: each of its rows says so itself. Rows that somebody has locked are left to a later batch.
-- $1 oid, $2 the server's clock at the question, $3 rows at most.
-- Answers one row: how many were removed; fewer than $3 where no more are to be had.
-- Since 13. Privilege: SELECT, UPDATE (for FOR UPDATE) and DELETE. Locks: ROW EXCLUSIVE on the table, the rows.
-- Costs: 2 to 20 ms for 1000 rows through the index on expires_at; without one it reads the table until it has found them.
-- An entry that was written anew meanwhile has not expired any more: FOR UPDATE looks at it again.
WITH removed AS (
  DELETE FROM {table} d
  WHERE d.tableoid = $1::pg_catalog.oid
    AND d.ctid = ANY (ARRAY(SELECT e.ctid FROM {table} e
                            WHERE e.tableoid = $1::pg_catalog.oid AND e.expires_at < $2::pg_catalog.timestamptz
                            LIMIT $3::pg_catalog.int8 FOR UPDATE SKIP LOCKED))
  RETURNING 1)
SELECT pg_catalog.count(*)::pg_catalog.text AS removed FROM removed
