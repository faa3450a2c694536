-- Answers: all sessions, what each waits for, and who blocks whom, in one statement and so in one snapshot.
-- Since:   13; query_id and waitstart since 14 (before: waited since the query's start, which is too much).
-- Privilege: pg_read_all_stats (in pg_monitor) to see more than the name of other roles' sessions.
-- Locks:   AccessShare on pg_authid, pg_database, pg_class; for each waiter all partitions of the lock table, shared, for
--          microseconds. Where one of the catalogs is locked, sessions_nojoin.sql answers instead.
-- Cost:    as a plan that is kept 2.6 ms of processor for 200 sessions, 5.9 for 500, 22 with 400 waiters (13; 15: 2.4, 5.4,
--          20; 18: 2.9, 5.6, 22), and as much where 490 hold 7 000 locks. The floor, counting the rows of
--          pg_stat_get_activity, is 0.7 and 1.6; of 400 waiters pg_blocking_pids takes half. Parsing and planning would add
--          1.5 to 2.5. pg_locks is read only when somebody waits.
--
-- The text of a session whose state has not changed for :known seconds is NULL: who asks has it from the look before. Where
-- it is not known a number of seconds that no session lives for brings it.
-- The text of a query is in the encoding of the session's database, not of ours: on a UTF-8 database left(query, n) fails
-- (18) or reads beyond the end (13) on a LATIN1 text, and convert_to() fails as well. decode(…, 'escape') looks at bytes
-- only; so its backslashes are doubled first, and the bytes are cut, not the text.
-- Of the locks that one holds and another awaits the strongest is sent, with their number.
-- Of several who lock a row together the server names only the one that the waiter waits for now. A waiter is marked `shared`
-- where its blocker may be such a one. What it wants its lock on the tuple tells. ExclusiveLock (an UPDATE that leaves the key
-- alone) waits for several only where they hold FOR SHARE; AccessExclusiveLock (DELETE, FOR UPDATE) also for one who updated
-- and for those who hold FOR KEY SHARE beside it, as foreign keys do, be it only once its turn in the queue has come;
-- whoever wants less has one blocker. Who locks rows of a table holds RowShareLock on it, who writes RowExclusiveLock. Counted
-- is who has a transaction id and waits for nothing, and the prepared as 0. Not seen is the doubt of a waiter who had locked
-- the row before: it takes no lock on the tuple.
-- A waiter that looks for a deadlock, as each does after deadlock_timeout, has no wait event for that moment: who awaits a
-- lock counts as well, unless it is the only one.
-- A row locked by 400 waiters has 80 000 edges: 64 blockers of each are sent, with their true number.
WITH b AS MATERIALIZED (
  SELECT * FROM pg_catalog.pg_stat_activity a
), k AS MATERIALIZED (
  SELECT * FROM pg_catalog.pg_locks WHERE EXISTS (SELECT 1 FROM b WHERE b.wait_event_type = 'Lock')
), a AS MATERIALIZED (
  SELECT b.*, CASE WHEN b.wait_event_type = 'Lock' OR b.pid IN (SELECT k.pid FROM k WHERE NOT k.granted)
                   THEN pg_catalog.pg_blocking_pids(b.pid)
                   WHEN b.wait_event = 'SafeSnapshot' THEN pg_catalog.pg_safe_snapshot_blocking_pids(b.pid) END AS blockers
  FROM b
), l AS MATERIALIZED (
  SELECT DISTINCT ON (l.pid) l.pid, l.locktype, l.mode, l.database, l.relation,
         l.waitstart --[>=14]
         --: NULL::timestamptz AS waitstart --[<14]
  FROM k l
  WHERE NOT l.granted
  ORDER BY l.pid
), r AS MATERIALIZED (
  SELECT k.database, k.relation, array_agg(DISTINCT coalesce(k.pid, 0)) AS pids,
         array_agg(DISTINCT coalesce(k.pid, 0)) FILTER (WHERE k.mode = 'RowShareLock') AS sharers
  FROM k
  WHERE k.locktype = 'relation' AND k.mode IN ('RowShareLock', 'RowExclusiveLock') AND k.granted
    AND k.relation = ANY (ARRAY(SELECT DISTINCT t.relation FROM k t WHERE t.locktype = 'tuple'))
    -- NOT IN is hashed. A join would be a nested loop: nobody has told the planner how many locks there are.
    AND coalesce(k.pid, 0) NOT IN (SELECT coalesce(w.pid, 0) FROM k w GROUP BY 1
                                   HAVING NOT bool_and(w.granted) OR NOT bool_or(w.locktype = 'transactionid'))
  GROUP BY k.database, k.relation
  HAVING bool_or(k.mode = 'RowShareLock')
), s AS MATERIALIZED (
  SELECT DISTINCT ON (t.pid) t.pid,
         CASE WHEN t.granted THEN CASE t.mode WHEN 'ExclusiveLock' THEN r.sharers ELSE r.pids END END AS among
  FROM k t
  JOIN r ON (r.database, r.relation) = (t.database, t.relation)
  WHERE t.locktype = 'tuple'
    AND (t.mode = 'AccessExclusiveLock' AND cardinality(r.pids) > 1
      OR t.mode = 'ExclusiveLock' AND t.granted AND cardinality(r.sharers) > 1)
  ORDER BY t.pid, t.granted
), h AS MATERIALIZED (
  SELECT DISTINCT ON (k.pid) k.pid, k.locktype, k.mode, k.database, k.relation, count(*) OVER (PARTITION BY k.pid) AS locks
  FROM k
  JOIN (SELECT DISTINCT locktype, database, relation, page, tuple, virtualxid, transactionid::text AS xid, classid, objid, objsubid
        FROM k WHERE NOT granted) w
    ON w.locktype = k.locktype AND coalesce(w.relation, w.objid, 0) = coalesce(k.relation, k.objid, 0)
   AND coalesce(w.xid, w.virtualxid, '') = coalesce(k.transactionid::text, k.virtualxid, '')
   AND (w.database, w.page, w.tuple, w.classid, w.objsubid)
       IS NOT DISTINCT FROM (k.database, k.page, k.tuple, k.classid, k.objsubid)
  WHERE k.granted AND k.mode <> 'SIReadLock'
  -- A lock on a relation says more than that on a transaction, which every writer holds on itself.
  ORDER BY k.pid, k.locktype = 'relation' DESC,
           array_position('{AccessExclusiveLock,ExclusiveLock,ShareRowExclusiveLock,ShareLock,ShareUpdateExclusiveLock,RowExclusiveLock}'::text[],
                          k.mode), k.relation
), x AS MATERIALIZED (
  SELECT coalesce(l.pid, h.pid) AS pid, l.locktype, l.mode, l.waitstart,
         encode(decode(replace(CASE WHEN n.nspname = 'public' THEN c.relname::text ELSE n.nspname || '.' || c.relname END,
                               E'\\', E'\\\\'), 'escape'), 'escape') AS relation,
         h.locktype AS held_locktype, h.mode AS held_mode, h.locks AS held,
         encode(decode(replace(CASE WHEN hn.nspname = 'public' THEN hc.relname::text ELSE hn.nspname || '.' || hc.relname END,
                               E'\\', E'\\\\'), 'escape'), 'escape') AS held_relation
  FROM l
  FULL JOIN h ON h.pid = l.pid
  LEFT JOIN pg_catalog.pg_class c ON c.oid = l.relation
       AND l.database IN (0, (SELECT s.datid FROM a s WHERE s.pid = pg_backend_pid()))
  LEFT JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
  LEFT JOIN pg_catalog.pg_class hc ON hc.oid = h.relation
       AND h.database IN (0, (SELECT s.datid FROM a s WHERE s.pid = pg_backend_pid()))
  LEFT JOIN pg_catalog.pg_namespace hn ON hn.oid = hc.relnamespace
)
SELECT a.pid, a.leader_pid, a.datid, a.usesysid,
       encode(decode(replace(a.datname::text, E'\\', E'\\\\'), 'escape'), 'escape') AS datname,
       encode(decode(replace(a.usename::text, E'\\', E'\\\\'), 'escape'), 'escape') AS usename,
       encode(decode(replace(a.application_name, E'\\', E'\\\\'), 'escape'), 'escape') AS application_name,
       host(a.client_addr) AS client_addr, a.client_port, a.backend_type, a.state, a.wait_event_type, a.wait_event,
       a.query_id, --[>=14]
       --: NULL::int8 AS query_id, --[<14]
       a.backend_xid::text AS backend_xid, a.backend_xmin::text AS backend_xmin,
       -- Who has written holds the horizon by its own id, without a snapshot: idle in a transaction at READ COMMITTED.
       greatest(age(a.backend_xmin), age(a.backend_xid)) AS xmin_age,
       to_char(a.backend_start AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"') AS backend_start,
       to_char(a.xact_start AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"') AS xact_start,
       to_char(a.query_start AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"') AS query_start,
       extract(epoch FROM t.now - a.backend_start)::float8 AS backend_s,
       extract(epoch FROM t.now - a.xact_start)::float8 AS xact_s,
       extract(epoch FROM t.now - a.query_start)::float8 AS query_s,
       extract(epoch FROM t.now - a.state_change)::float8 AS state_s,
       a.query = '<insufficient privilege>' AS hidden,
       a.pid = pg_backend_pid() AS self,
       CASE WHEN a.backend_type = 'client backend' AND t.now - a.state_change > :known * interval '1 s' THEN NULL
            ELSE encode(substring(decode(replace(a.query, E'\\', E'\\\\'), 'escape')
                                  FOR CASE WHEN a.state = 'idle' THEN 2048 ELSE 16384 END), 'escape') END AS query,
       array_to_string(a.blockers[1:64], ',') AS blocked_by, cardinality(a.blockers) AS blockers,
       x.locktype, x.mode, x.relation, extract(epoch FROM t.now - coalesce(x.waitstart, a.query_start))::float8 AS waited_s,
       x.held_locktype, x.held_mode, x.held, x.held_relation, coalesce(a.blockers && s.among, s.pid IS NOT NULL) AS shared
FROM a
CROSS JOIN (SELECT clock_timestamp() AS now) t
LEFT JOIN x ON x.pid = a.pid
LEFT JOIN s ON s.pid = a.pid
