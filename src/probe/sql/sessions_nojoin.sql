-- Answers: as sessions.sql, but without the names of databases, roles and relations: their catalogs are locked.
-- Since:   13. Privilege: as sessions.sql.
-- Locks:   none in any catalog: it answers while somebody holds pg_authid, pg_database or pg_class ACCESS EXCLUSIVE.
-- Cost:    4 ms for 500 sessions.
WITH a AS MATERIALIZED (
  SELECT a.*, CASE WHEN a.wait_event_type = 'Lock' THEN pg_catalog.pg_blocking_pids(a.pid)
                   WHEN a.wait_event = 'SafeSnapshot' THEN pg_catalog.pg_safe_snapshot_blocking_pids(a.pid) END AS blockers
  FROM pg_catalog.pg_stat_get_activity(NULL) a
), k AS MATERIALIZED (
  SELECT * FROM pg_catalog.pg_locks WHERE EXISTS (SELECT 1 FROM a WHERE a.wait_event_type = 'Lock')
), l AS MATERIALIZED (
  SELECT DISTINCT ON (l.pid) l.pid, l.locktype, l.mode, l.relation,
         l.waitstart --[>=14]
         --: NULL::timestamptz AS waitstart --[<14]
  FROM k l
  WHERE NOT l.granted
  ORDER BY l.pid
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
)
SELECT a.pid, a.leader_pid, a.datid, a.usesysid, NULL AS datname, NULL AS usename,
       encode(decode(replace(a.application_name, E'\\', E'\\\\'), 'escape'), 'escape') AS application_name,
       host(a.client_addr) AS client_addr, a.client_port, a.backend_type, a.state, a.wait_event_type, a.wait_event,
       a.query_id, --[>=14]
       --: NULL::int8 AS query_id, --[<14]
       a.backend_xid::text AS backend_xid, a.backend_xmin::text AS backend_xmin, age(a.backend_xmin) AS xmin_age,
       to_char(a.backend_start AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"') AS backend_start,
       to_char(a.xact_start AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"') AS xact_start,
       to_char(a.query_start AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"') AS query_start,
       extract(epoch FROM t.now - a.backend_start)::float8 AS backend_s,
       extract(epoch FROM t.now - a.xact_start)::float8 AS xact_s,
       extract(epoch FROM t.now - a.query_start)::float8 AS query_s,
       extract(epoch FROM t.now - a.state_change)::float8 AS state_s,
       a.query = '<insufficient privilege>' AS hidden,
       a.pid = pg_backend_pid() AS self,
       encode(substring(decode(replace(a.query, E'\\', E'\\\\'), 'escape')
                        FOR CASE WHEN a.state = 'idle' THEN 2048 ELSE 16384 END), 'escape') AS query,
       array_to_string(a.blockers[1:64], ',') AS blocked_by, cardinality(a.blockers) AS blockers,
       l.locktype, l.mode, 'oid ' || l.relation AS relation,
       extract(epoch FROM t.now - coalesce(l.waitstart, a.query_start))::float8 AS waited_s,
       h.locktype AS held_locktype, h.mode AS held_mode, h.locks AS held, 'oid ' || h.relation AS held_relation
FROM a
CROSS JOIN (SELECT clock_timestamp() AS now) t
LEFT JOIN l ON l.pid = a.pid AND a.wait_event_type = 'Lock'
LEFT JOIN h ON h.pid = a.pid
ORDER BY a.pid
