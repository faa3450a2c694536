-- Answers: transactions prepared for two-phase commit: they hold locks and the horizon without a session (pid 0 blocks); and
--          the sessions that wait for something that each of them holds, whatever the modes.
-- Since:   13. Privilege: none. Locks: AccessShare on pg_authid and pg_database; all partitions of the lock table, shared, for
--          microseconds. Cost: 2 ms; asked only while one of them blocks.
-- A prepared transaction's locks have no pid. They are found by that on its own transaction, whose virtualtransaction they
-- share: what that is has changed between versions.
WITH l AS MATERIALIZED (SELECT * FROM pg_catalog.pg_locks), w AS (
  SELECT own.transactionid::text AS xid, string_agg(DISTINCT wanted.pid::text, ',') AS waiters
  FROM l own
  JOIN l held ON held.pid IS NULL AND held.granted AND held.virtualtransaction = own.virtualtransaction
  JOIN l wanted ON NOT wanted.granted AND wanted.pid IS NOT NULL AND wanted.locktype = held.locktype
       AND (wanted.database, wanted.relation, wanted.page, wanted.tuple, wanted.virtualxid, wanted.classid, wanted.objid, wanted.objsubid)
           IS NOT DISTINCT FROM
           (held.database, held.relation, held.page, held.tuple, held.virtualxid, held.classid, held.objid, held.objsubid)
       AND wanted.transactionid::text IS NOT DISTINCT FROM held.transactionid::text
  WHERE own.pid IS NULL AND own.granted AND own.locktype = 'transactionid'
  GROUP BY own.transactionid::text
)
SELECT encode(decode(replace(p.gid, E'\\', E'\\\\'), 'escape'), 'escape') AS gid,
       encode(decode(replace(p.owner::text, E'\\', E'\\\\'), 'escape'), 'escape') AS owner,
       encode(decode(replace(p.database::text, E'\\', E'\\\\'), 'escape'), 'escape') AS database,
       extract(epoch FROM clock_timestamp() - p.prepared)::float8 AS age_s,
       (SELECT w.waiters FROM w WHERE w.xid = p.transaction::text LIMIT 1) AS waiters
FROM pg_catalog.pg_prepared_xacts p
ORDER BY p.prepared
LIMIT 200
