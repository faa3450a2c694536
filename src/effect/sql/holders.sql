-- Who holds a lock on that table that a vacuum must wait for? Asked only after it gave up.
-- $1 oid.
-- Answers one row: the pids with their modes, or null.
-- Since 13. Privilege: none. Locks: none (pg_locks takes the lock manager's own for a moment). Costs: 1 to 20 ms.
SELECT pg_catalog.string_agg(l.pid || ' (' || l.mode || ')', ', ' ORDER BY l.pid) AS holders
FROM pg_catalog.pg_locks l
WHERE l.locktype = 'relation' AND l.relation = $1::pg_catalog.oid AND l.granted
  AND l.database = (SELECT d.oid FROM pg_catalog.pg_database d WHERE d.datname = pg_catalog.current_database())
  AND l.mode IN ('ShareUpdateExclusiveLock', 'ShareLock', 'ShareRowExclusiveLock', 'ExclusiveLock',
                 'AccessExclusiveLock')
