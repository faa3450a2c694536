-- Answers: the tables, materialized views and TOAST tables of this database: the first :limit by :order, marked `listed`, and
--          how many in all. Whatever the order is, also the first :limit by dead rows, marked `fullest`, and the :beside others
--          over 1 MB of which sequential scans read most, marked `beside`: an index may be missing where nothing is dead.
-- Since:   13; thresholds by each version's own formula (18: capped, and inserts weighted by the unfrozen part).
-- Privilege: none. Locks: AccessShare on pg_class, pg_namespace, pg_index, pg_database and pg_authid; never on a table. Sizes come from relpages, since
--          pg_relation_size() waits behind ACCESS EXCLUSIVE.
-- Cost:    ranks all by one figure, and the larger ones by a second, then reads the rest for those shown: under 100 ms for
--          10 000 tables.
-- Order:   dead, dead_ratio, size, threshold, freeze_age, modified, scanned, name.
-- Try:     \set limit 200  \set beside 50  \set order dead
WITH g AS MATERIALIZED (
  SELECT current_setting('autovacuum_vacuum_threshold')::float8 AS vt,
         current_setting('autovacuum_vacuum_scale_factor')::float8 AS vs,
         current_setting('autovacuum_vacuum_max_threshold')::float8 AS vmax, --[>=18]
         --: (-1)::float8 AS vmax, --[<18]
         current_setting('autovacuum_vacuum_insert_threshold')::float8 AS it,
         current_setting('autovacuum_vacuum_insert_scale_factor')::float8 AS isf,
         current_setting('autovacuum_analyze_threshold')::float8 AS at,
         current_setting('autovacuum_analyze_scale_factor')::float8 AS asf,
         current_setting('autovacuum_freeze_max_age')::int8 AS fma,
         current_setting('block_size')::int8 AS bs
), w AS MATERIALIZED (
  SELECT c.oid, r.*
  FROM pg_catalog.pg_class c
  CROSS JOIN LATERAL (
    SELECT max(x.option_value) FILTER (WHERE x.option_name = 'autovacuum_enabled') AS o_enabled,
           max(x.option_value::float8) FILTER (WHERE x.option_name = 'autovacuum_vacuum_threshold') AS o_vt,
           max(x.option_value::float8) FILTER (WHERE x.option_name = 'autovacuum_vacuum_scale_factor') AS o_vs,
           max(x.option_value::float8) FILTER (WHERE x.option_name = 'autovacuum_vacuum_max_threshold') AS o_vmax,
           max(x.option_value::float8) FILTER (WHERE x.option_name = 'autovacuum_vacuum_insert_threshold') AS o_it,
           max(x.option_value::float8) FILTER (WHERE x.option_name = 'autovacuum_vacuum_insert_scale_factor') AS o_isf,
           max(x.option_value::float8) FILTER (WHERE x.option_name = 'autovacuum_analyze_threshold') AS o_at,
           max(x.option_value::float8) FILTER (WHERE x.option_name = 'autovacuum_analyze_scale_factor') AS o_asf,
           max(x.option_value::int8) FILTER (WHERE x.option_name = 'autovacuum_freeze_max_age') AS o_fma
    FROM pg_catalog.pg_options_to_table(c.reloptions) x
    WHERE x.option_name LIKE 'autovacuum%'
  ) r
  WHERE c.reloptions IS NOT NULL AND c.relkind IN ('r', 'm', 't')
), o AS MATERIALIZED (
  SELECT c.oid, n.nspname, c.relname, c.relpages, pg_stat_get_dead_tuples(c.oid) AS dead,
         CASE :'order' WHEN 'dead_ratio' THEN pg_stat_get_live_tuples(c.oid)::float8
                       WHEN 'threshold' THEN coalesce(w.o_vt, g.vt) + coalesce(w.o_vs, g.vs) * greatest(c.reltuples, 0)
                       WHEN 'freeze_age' THEN CASE WHEN c.relfrozenxid <> '0'::xid THEN age(c.relfrozenxid) END
                       WHEN 'modified' THEN pg_stat_get_mod_since_analyze(c.oid)
                       WHEN 'scanned' THEN pg_stat_get_tuples_returned(c.oid) END AS figure,
         CASE WHEN :'order' = 'threshold' THEN coalesce(w.o_vmax, g.vmax) END AS vmax,
         CASE WHEN c.relkind <> 't' AND c.relpages * g.bs > 1048576 THEN pg_stat_get_tuples_returned(c.oid) END AS scanned
  FROM pg_catalog.pg_class c
  JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
  CROSS JOIN g
  LEFT JOIN w ON w.oid = c.oid AND :'order' = 'threshold'
  WHERE c.relkind IN ('r', 'm', 't') AND c.relpersistence <> 't'
    -- initdb's own relations, among them the TOAST tables of the catalogs, have OIDs below 16384 (FirstNormalObjectId).
    AND c.oid >= 16384 AND n.nspname NOT IN ('pg_catalog', 'information_schema')
), k AS MATERIALIZED (
  SELECT o.oid, o.nspname, o.relname, o.relpages, o.dead,
         CASE WHEN :'order' = 'dead_ratio' THEN o.dead >= 1000 END AS many,
         CASE :'order' WHEN 'dead' THEN o.dead::float8
                       WHEN 'size' THEN o.relpages
                       WHEN 'dead_ratio' THEN o.dead / nullif(o.dead + o.figure, 0)
                       WHEN 'threshold' THEN o.dead / nullif(CASE WHEN o.vmax >= 0 THEN least(o.vmax, o.figure) ELSE o.figure END, 0)
                       WHEN 'freeze_age' THEN o.figure
                       WHEN 'modified' THEN o.figure
                       WHEN 'scanned' THEN o.figure END AS key,
         CASE WHEN :'order' <> 'name' THEN o.relpages END AS pages
  FROM o
  ORDER BY many DESC NULLS LAST, key DESC NULLS LAST, pages DESC NULLS LAST, o.nspname, o.relname
  LIMIT :limit
), d AS MATERIALIZED (
  -- The order `dead` of above: then they are the same.
  SELECT o.oid
  FROM o
  ORDER BY o.dead DESC NULLS LAST, o.relpages DESC NULLS LAST, o.nspname, o.relname
  LIMIT :limit
), b AS MATERIALIZED (
  SELECT o.oid
  FROM o
  WHERE o.scanned > 0 AND o.oid NOT IN (SELECT d.oid FROM d)
  ORDER BY o.scanned DESC, o.oid
  LIMIT :beside
), a AS MATERIALIZED (
  SELECT o.oid, o.nspname, o.relname, o.relpages, o.dead, k.many, k.key, k.pages,
         k.oid IS NOT NULL AS listed, d.oid IS NOT NULL AS fullest, b.oid IS NOT NULL AS beside
  FROM o LEFT JOIN k ON k.oid = o.oid LEFT JOIN d ON d.oid = o.oid LEFT JOIN b ON b.oid = o.oid
  WHERE k.oid IS NOT NULL OR d.oid IS NOT NULL OR b.oid IS NOT NULL
), f AS (
  SELECT a.*, c.relkind, c.relowner, c.reltuples, c.relfrozenxid, c.relminmxid,
         CASE WHEN c.relkind = 't' THEN substring(c.relname FROM '^pg_toast_([0-9]+)$')::int8::oid END AS parent,
         w.o_enabled, coalesce(w.o_vmax, g.vmax) AS vmax,
         coalesce(w.o_vt, g.vt) + coalesce(w.o_vs, g.vs) * greatest(c.reltuples, 0) AS vac,
         CASE WHEN coalesce(w.o_it, g.it) >= 0
              THEN coalesce(w.o_it, g.it) + coalesce(w.o_isf, g.isf) * greatest(c.reltuples, 0)
                   * CASE WHEN c.relpages > 0 AND c.relallfrozen > 0 --[>=18]
                          THEN 1 - least(c.relallfrozen, c.relpages)::float8 / c.relpages ELSE 1 END --[>=18]
         END AS insert_threshold,
         coalesce(w.o_at, g.at) + coalesce(w.o_asf, g.asf) * greatest(c.reltuples, 0) AS analyze_threshold,
         least(coalesce(w.o_fma, g.fma), g.fma) AS freeze_max_age, g.bs
  FROM a JOIN pg_catalog.pg_class c ON c.oid = a.oid LEFT JOIN w ON w.oid = a.oid CROSS JOIN g
), x AS MATERIALIZED (
  -- A vacuum takes ShareUpdateExclusiveLock: these modes keep it out. While one is at work the lock is its own, or its workers'.
  SELECT l.relation, bool_or(l.mode = 'AccessExclusiveLock') AS locked,
         bool_or(l.granted) AND NOT bool_or(l.granted AND v.pid IS NOT NULL) AS barred,
         (array_agg(coalesce(w.leader_pid, l.pid) ORDER BY coalesce(w.leader_pid, l.pid), l.mode) FILTER (WHERE l.granted))[1] AS pid,
         (array_agg(l.mode ORDER BY coalesce(w.leader_pid, l.pid), l.mode) FILTER (WHERE l.granted))[1] AS mode,
         count(DISTINCT coalesce(w.leader_pid::text, l.pid::text, l.virtualtransaction)) FILTER (WHERE l.granted) AS holders
  FROM pg_catalog.pg_locks l
  LEFT JOIN (SELECT DISTINCT p.pid FROM pg_stat_get_progress_info('VACUUM') p) v ON v.pid = l.pid
  LEFT JOIN (SELECT s.pid, s.leader_pid FROM pg_catalog.pg_stat_get_activity(NULL) s WHERE s.leader_pid IS NOT NULL) w ON w.pid = l.pid
  WHERE l.locktype = 'relation'
    AND (l.mode = 'AccessExclusiveLock'
         OR l.granted AND l.mode IN ('ShareUpdateExclusiveLock', 'ShareLock', 'ShareRowExclusiveLock', 'ExclusiveLock'))
    AND l.database = (SELECT s.datid FROM pg_catalog.pg_stat_get_activity(pg_backend_pid()) s)
  GROUP BY l.relation
)
SELECT f.oid, f.relkind::text AS kind, (SELECT count(*) FROM o) AS total, f.listed, f.fullest, f.beside,
       encode(CASE WHEN getdatabaseencoding() IN ('UTF8', 'SQL_ASCII') THEN decode(replace(f.nspname::text, E'\\', E'\\\\'), 'escape')
                   ELSE convert_to(f.nspname::text, 'UTF8') END, 'escape') AS schema,
       encode(CASE WHEN getdatabaseencoding() IN ('UTF8', 'SQL_ASCII') THEN decode(replace(f.relname::text, E'\\', E'\\\\'), 'escape')
                   ELSE convert_to(f.relname::text, 'UTF8') END, 'escape') AS name,
       encode(CASE WHEN getdatabaseencoding() IN ('UTF8', 'SQL_ASCII') THEN decode(replace(p.relname::text, E'\\', E'\\\\'), 'escape')
                   ELSE convert_to(p.relname::text, 'UTF8') END, 'escape') AS toast_of,
       f.relpages::int8 * f.bs AS bytes,
       f.reltuples::float8 AS tuples, --[>=14]
       --: nullif(f.reltuples, 0)::float8 AS tuples, --[<14]
       pg_stat_get_live_tuples(f.oid) AS live, f.dead,
       pg_stat_get_mod_since_analyze(f.oid) AS modified, pg_stat_get_ins_since_vacuum(f.oid) AS inserted,
       extract(epoch FROM c.now - pg_stat_get_last_vacuum_time(f.oid))::float8 AS vacuum_s,
       extract(epoch FROM c.now - pg_stat_get_last_autovacuum_time(f.oid))::float8 AS autovacuum_s,
       extract(epoch FROM c.now - pg_stat_get_last_analyze_time(f.oid))::float8 AS analyze_s,
       extract(epoch FROM c.now - pg_stat_get_last_autoanalyze_time(f.oid))::float8 AS autoanalyze_s,
       pg_stat_get_numscans(f.oid) AS seq_scan, pg_stat_get_tuples_returned(f.oid) AS seq_rows,
       coalesce(y.scans, 0)::int8 AS idx_scan, coalesce(y.count, 0) AS indexes, coalesce(y.pages, 0)::int8 * f.bs AS index_bytes,
       coalesce(lower(f.o_enabled) NOT IN ('false', 'off', 'no', '0', 'f', 'n'), true) AS autovacuum_on,
       CASE WHEN f.vmax >= 0 THEN least(f.vmax, f.vac) ELSE f.vac END AS vacuum_threshold,
       f.insert_threshold, f.analyze_threshold,
       CASE WHEN f.relfrozenxid <> '0'::xid THEN age(f.relfrozenxid) END AS xid_age,
       CASE WHEN f.relminmxid <> '0'::xid THEN mxid_age(f.relminmxid) END AS mxid_age,
       f.freeze_max_age, coalesce(x.locked, false) AS locked,
       coalesce(x.barred, false) AS barred, x.pid AS holder, x.mode AS held, x.holders,
       encode(decode(replace(pg_get_userbyid(f.relowner)::text, E'\\', E'\\\\'), 'escape'), 'escape') AS owner,
       coalesce((SELECT r.rolsuper FROM pg_catalog.pg_roles r WHERE r.oid = f.relowner), false) AS owner_is_superuser,
       coalesce(pg_has_role(current_user, f.relowner, 'USAGE')
                OR has_table_privilege(f.oid, 'MAINTAIN') --[>=17]
                , false) AS may_reindex,
       coalesce(pg_has_role(current_user, f.relowner, 'USAGE')
                OR has_table_privilege(f.oid, 'MAINTAIN') --[>=17]
                OR (SELECT pg_has_role(current_user, d.datdba, 'USAGE') FROM pg_catalog.pg_database d
                    WHERE d.datname = current_database()), false) AS may_vacuum
FROM f
LEFT JOIN LATERAL (
  SELECT sum(pg_stat_get_numscans(i.indexrelid)) AS scans, count(*) AS count, sum(p.relpages) AS pages
  FROM pg_catalog.pg_index i JOIN pg_catalog.pg_class p ON p.oid = i.indexrelid WHERE i.indrelid = f.oid
) y ON true
CROSS JOIN (SELECT clock_timestamp() AS now) c
LEFT JOIN pg_catalog.pg_class p ON p.oid = f.parent AND p.reltoastrelid = f.oid
LEFT JOIN x ON x.relation = f.oid
ORDER BY f.listed DESC, f.many DESC NULLS LAST, f.key DESC NULLS LAST, f.pages DESC NULLS LAST, f.nspname, f.relname
