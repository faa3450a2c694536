-- Is the index still what was on the screen, on the server that was on it, and what is the statement that maintains it?
-- Neither REINDEX nor DROP takes an OID, so the server itself writes the statement from the name that the OID has now.
-- $1 oid, $2 schema, $3 name, $4 relkind, $5 the words before the name, $6 OID of its table,
-- $7 pg_postmaster_start_time(), $8 pg_is_in_recovery(), $9 system_identifier.
-- Answers always one row: statement is null where the index is gone (name is null) or no longer the same, and a DROP is
-- written only where keeps is null: of an index that is not valid and that nothing needs. busy_pid and busy_with tell who
-- works on its table; whoever builds an index holds the lock that is looked for, also where we may not see how far it is.
-- Since 13. Privilege: none; pg_monitor to see others' work. Locks: AccessShare on catalogs. Costs: 1 ms.
-- What remains is the time between this and the statement: a REINDEX that began and ended within it would have made the
-- index valid, and it would be dropped.
SELECT CASE WHEN server.same AND n.nspname = $2 AND c.relname = $3 AND c.relkind::pg_catalog.text = $4
             AND i.indrelid = $6::pg_catalog.oid AND ($5::pg_catalog.text NOT LIKE 'DROP %' OR keep.why IS NULL)
            THEN $5::pg_catalog.text || ' "' || pg_catalog.replace(n.nspname, '"', '""') || '"."'
                                     || pg_catalog.replace(c.relname, '"', '""') || '"' END AS statement,
       server.same::pg_catalog.text AS same_server,
       n.nspname::pg_catalog.text AS schema,
       c.relname::pg_catalog.text AS name,
       keep.why AS keeps,
       busy.who AS busy_pid,
       busy.doing AS busy_with,
       pg_catalog.clock_timestamp()::pg_catalog.text AS asked_at
FROM (SELECT pg_catalog.pg_postmaster_start_time() = $7::pg_catalog.timestamptz
         AND pg_catalog.pg_is_in_recovery() = $8::pg_catalog.bool
         AND (SELECT s.system_identifier::pg_catalog.text FROM pg_catalog.pg_control_system() s) = $9  --[identifier]
        AS same OFFSET 0) server
LEFT JOIN pg_catalog.pg_class c ON c.oid = $1::pg_catalog.oid
LEFT JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
LEFT JOIN pg_catalog.pg_index i ON i.indexrelid = c.oid
LEFT JOIN LATERAL (
  SELECT CASE WHEN i.indisvalid THEN 'it is valid'
              WHEN EXISTS (SELECT FROM pg_catalog.pg_constraint k WHERE k.conindid = i.indexrelid) THEN 'a constraint needs it'
              WHEN i.indisreplident THEN 'it is the replica identity'
              WHEN EXISTS (SELECT FROM pg_catalog.pg_inherits h WHERE h.inhrelid = i.indexrelid) THEN 'it belongs to a partitioned index'
         END AS why
) keep ON true
LEFT JOIN LATERAL (
  SELECT w.who, w.doing FROM (
    SELECT v.pid::pg_catalog.text AS who, 'vacuums its table' AS doing, 0 AS rank
      FROM pg_catalog.pg_stat_progress_vacuum v
     WHERE v.relid = i.indrelid AND v.datname = pg_catalog.current_database()
    UNION ALL SELECT a.pid::pg_catalog.text, 'analyzes its table', 0 FROM pg_catalog.pg_stat_progress_analyze a
     WHERE a.relid = i.indrelid AND a.datname = pg_catalog.current_database()
    UNION ALL SELECT b.pid::pg_catalog.text, 'builds an index of its table', 0 FROM pg_catalog.pg_stat_progress_create_index b
     WHERE b.relid = i.indrelid AND b.datname = pg_catalog.current_database()
    -- What a DROP INDEX CONCURRENTLY that waits holds; it made the index invalid itself.
    UNION ALL SELECT d.pid::pg_catalog.text, CASE WHEN x.query OPERATOR(pg_catalog.~*) 'drop\s+index' THEN 'drops it already'
                                                  ELSE 'holds ' || d.mode || ' on it' END, 1
      FROM pg_catalog.pg_locks d LEFT JOIN LATERAL pg_catalog.pg_stat_get_activity(d.pid) x ON true
     WHERE d.locktype = 'relation' AND d.relation = i.indexrelid AND d.granted AND d.mode = 'ShareUpdateExclusiveLock'
       AND d.database = (SELECT b.oid FROM pg_catalog.pg_database b WHERE b.datname = pg_catalog.current_database())
       AND d.pid IS DISTINCT FROM pg_catalog.pg_backend_pid()
    UNION ALL SELECT coalesce(l.pid::pg_catalog.text, 'a prepared transaction'), 'holds ' || l.mode || ' on its table', 2
      FROM pg_catalog.pg_locks l
     WHERE l.locktype = 'relation' AND l.relation = i.indrelid AND l.granted
       AND l.database = (SELECT d.oid FROM pg_catalog.pg_database d WHERE d.datname = pg_catalog.current_database())
       AND l.pid IS DISTINCT FROM pg_catalog.pg_backend_pid()
       AND l.mode IN ('ShareUpdateExclusiveLock', 'ShareLock', 'ShareRowExclusiveLock', 'ExclusiveLock', 'AccessExclusiveLock')
  ) w
  ORDER BY w.rank, w.who LIMIT 1
) busy ON true
