-- Answers: as sessions.sql, but without the names of databases, roles and relations: their catalogs are locked.
-- Since:   13. Privilege: as sessions.sql.
-- Locks:   none in any catalog: it answers while somebody holds pg_authid, pg_database or pg_class ACCESS EXCLUSIVE.
-- Cost:    a tenth less than sessions.sql. :known is what it is there.
WITH b AS MATERIALIZED (
  SELECT * FROM pg_catalog.pg_stat_get_activity(NULL) a
), k AS MATERIALIZED (
  SELECT * FROM pg_catalog.pg_locks WHERE EXISTS (SELECT 1 FROM b WHERE b.wait_event_type = 'Lock')
), a AS MATERIALIZED (
  SELECT b.*, CASE WHEN b.wait_event_type = 'Lock' OR b.pid IN (SELECT k.pid FROM k WHERE NOT k.granted)
                   THEN pg_catalog.pg_blocking_pids(b.pid)
                   WHEN b.wait_event = 'SafeSnapshot' THEN pg_catalog.pg_safe_snapshot_blocking_pids(b.pid) END AS blockers
  FROM b
), l AS MATERIALIZED (
  SELECT DISTINCT ON (l.pid) l.pid, l.locktype, l.mode, l.relation,
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
  SELECT DISTINCT ON (k.pid) k.pid, k.locktype, k.mode, k.relation, count(*) OVER (PARTITION BY k.pid) AS locks
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
  SELECT coalesce(l.pid, h.pid) AS pid, l.locktype, l.mode, l.waitstart, 'oid ' || l.relation AS relation,
         h.locktype AS held_locktype, h.mode AS held_mode, h.locks AS held, 'oid ' || h.relation AS held_relation
  FROM l
  FULL JOIN h ON h.pid = l.pid
)
SELECT a.pid, a.leader_pid, a.datid, a.usesysid, NULL AS datname, NULL AS usename,
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
