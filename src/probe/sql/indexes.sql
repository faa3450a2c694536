-- Answers: the indexes of this database: the first :limit by :order, besides them the first :limit that are wrong, how many
--          in all, and how many are wrong.
-- Since:   13; when one was last scanned: 16.
-- Privilege: none. A role without pg_read_all_stats sees that somebody builds an index of a table, not always which, and that
--          somebody may drop one, not that he does.
-- Locks:   AccessShare on catalogs; never on a table or an index. Sizes come from relpages, and columns from pg_attribute:
--          pg_relation_size() and pg_get_indexdef() wait behind ACCESS EXCLUSIVE.
-- Cost:    reads pg_index and pg_class once, and compares what begins with the same column of the same table: 94 to 114 ms for
--          20 000 indexes of 10 000 tables, 5 to 13 ms for ten (18). Asked every 10 s while it is looked at, every minute for
--          Triage, else every five.
-- Two are the same where columns, operator classes, collations, order, expressions, predicate and method are. Trees of
-- expressions hold the place in the text that they were written at (before 17), which makes no difference.
-- An index of a TOAST table is listed only where it is not valid: a REINDEX of its table may leave one. So is an index of a
-- partitioned table, which has no storage: CREATE INDEX ON ONLY leaves it invalid until each partition has one attached to it. No
-- REINDEX makes it valid (13 refuses it; 15 and 18 do it and leave it as it is), and nobody builds or drops one slowly.
-- REINDEX CONCURRENTLY holds a lock on every index that it builds, …_ccnew, and, once those have taken over the names, on every
-- index that it is about to drop, …_ccold (13, 15, 18).
-- Order:   faults, size, scans, used, table, name.
-- Try:     \set limit 200  \set order faults
WITH a AS MATERIALIZED (
  SELECT i.indexrelid, i.indrelid, i.indkey[0] AS head, c.relam, c.relname, c.relkind, c.relnamespace, c.relpages,
         i.indisvalid, i.indisready, i.indisunique, i.indisprimary, i.indisexclusion,
         h.inhrelid IS NOT NULL AS part, pg_stat_get_numscans(i.indexrelid) AS scans
  FROM pg_catalog.pg_index i
  JOIN pg_catalog.pg_class c ON c.oid = i.indexrelid
  LEFT JOIN pg_catalog.pg_inherits h ON h.inhrelid = i.indexrelid
  WHERE (c.relkind = 'i' OR c.relkind = 'I' AND NOT i.indisvalid) AND c.relpersistence <> 't'
    -- initdb's own relations have OIDs below 16384 (FirstNormalObjectId).
    AND i.indexrelid >= 16384
    AND c.relnamespace NOT IN (SELECT n.oid FROM pg_catalog.pg_namespace n WHERE n.nspname IN ('pg_catalog', 'information_schema'))
    AND (NOT i.indisvalid OR c.relnamespace <> (SELECT n.oid FROM pg_catalog.pg_namespace n WHERE n.nspname = 'pg_toast'))
), p AS MATERIALIZED (
  -- Those that begin with the same column as another one of their table; what they are is compared as text.
  SELECT a.*, i.indnatts, i.indnkeyatts, i.indisreplident, m.amname,
         i.indkey::text || ' ' AS keys, i.indclass::text || ' ' AS classes, i.indcollation::text || ' ' AS collations, i.indoption::text || ' ' AS options,
         coalesce(regexp_replace(i.indexprs::text, ':location -?\d+', '', 'g'), '') AS exprs,
         coalesce(regexp_replace(i.indpred::text, ':location -?\d+', '', 'g'), '') AS pred,
         i.indnullsnotdistinct AS nulls --[>=15]
         --: false AS nulls --[<15]
  FROM (SELECT a.*, count(*) OVER (PARTITION BY a.indrelid, a.head, a.relam) AS alike FROM a
        WHERE a.indisvalid AND a.indisready AND NOT a.indisexclusion) a
  JOIN pg_catalog.pg_index i ON i.indexrelid = a.indexrelid
  JOIN pg_catalog.pg_am m ON m.oid = a.relam
  WHERE a.alike > 1
), d AS MATERIALIZED (
  SELECT DISTINCT ON (x.indexrelid) x.indexrelid AS one, y.relname AS by, w.same
  -- One that begins with an expression is only compared to those with the same ones.
  FROM p x JOIN p y ON y.indrelid = x.indrelid AND y.head = x.head AND y.relam = x.relam AND y.pred = x.pred
                   AND CASE WHEN y.head = 0 THEN y.exprs ELSE '' END = CASE WHEN x.head = 0 THEN x.exprs ELSE '' END
                   AND y.indexrelid <> x.indexrelid
  CROSS JOIN LATERAL (
    SELECT x.keys = y.keys AND x.classes = y.classes AND x.collations = y.collations AND x.options = y.options
           AND x.indnkeyatts = y.indnkeyatts AND x.exprs = y.exprs AS same
    OFFSET 0
  ) w
  WHERE NOT x.indisprimary AND (NOT x.indisunique OR y.indisunique)
    AND CASE WHEN w.same
             -- What makes one of two alike the better one: what it is needed for, then its age.
             THEN (y.indisprimary::int, y.indisunique::int, y.indisreplident::int, x.indexrelid)
                > (0, x.indisunique::int, x.indisreplident::int, y.indexrelid) AND (NOT x.indisunique OR x.nulls = y.nulls)
             ELSE x.amname = 'btree' AND NOT x.indisunique AND NOT x.part AND x.exprs = ''
                  AND x.indnatts = x.indnkeyatts AND y.indnkeyatts >= x.indnkeyatts AND x.keys <> y.keys
                  AND starts_with(y.keys, x.keys) AND starts_with(y.classes, x.classes)
                  AND starts_with(y.collations, x.collations) AND starts_with(y.options, x.options) END
  ORDER BY x.indexrelid, w.same DESC, y.indisprimary DESC, y.indisunique DESC, y.indexrelid
), r AS MATERIALIZED (
  SELECT a.*, d.by, d.same,
         -- A constraint stands on none that is neither unique nor an exclusion's.
         CASE WHEN NOT a.indisvalid THEN 3 WHEN d.same THEN 2
              WHEN a.scans = 0 AND NOT a.indisunique AND NOT a.indisexclusion AND NOT a.part THEN 1 ELSE 0 END AS fault
  FROM a LEFT JOIN d ON d.one = a.indexrelid
), f AS MATERIALIZED (
  SELECT * FROM r WHERE r.fault > 0 ORDER BY r.fault DESC, r.relpages DESC, r.indexrelid LIMIT :limit
), o AS MATERIALIZED (
  SELECT * FROM r
  ORDER BY CASE :'order' WHEN 'faults' THEN -r.fault WHEN 'scans' THEN r.scans WHEN 'used' THEN -r.scans END,
           CASE WHEN :'order' IN ('table', 'name') THEN (SELECT n.nspname::text FROM pg_catalog.pg_namespace n WHERE n.oid = r.relnamespace) END,
           CASE WHEN :'order' = 'table' THEN (SELECT t.relname::text FROM pg_catalog.pg_class t WHERE t.oid = r.indrelid) END,
           CASE WHEN :'order' IN ('table', 'name') THEN r.relname::text END,
           r.relpages DESC, r.indexrelid
  LIMIT :limit
), s AS (
  SELECT o.* FROM o UNION ALL SELECT f.* FROM f WHERE f.indexrelid NOT IN (SELECT o.indexrelid FROM o)
), e AS MATERIALIZED (
  SELECT b.datid FROM pg_catalog.pg_stat_get_activity(pg_backend_pid()) b
), l AS MATERIALIZED (
  SELECT l.relation, l.pid, l.mode, l.granted FROM pg_catalog.pg_locks l, e WHERE l.locktype = 'relation' AND l.database = e.datid
), b AS MATERIALIZED (
  -- Who builds an index: which one may be hidden from us, but not that there is one, nor its locks.
  SELECT p.pid, p.index_relid, false AS drops, true AS sure FROM pg_catalog.pg_stat_progress_create_index p, e WHERE p.datid = e.datid
  UNION ALL
  -- A DROP INDEX CONCURRENTLY tells of no progress. Once its index is invalid it holds this lock on it, as little else does
  -- (ALTER INDEX … SET): where its text is hidden it is only perhaps one.
  SELECT l.pid, l.relation, true, coalesce(x.query ~* 'drop\s+index', false)
  FROM l LEFT JOIN LATERAL pg_catalog.pg_stat_get_activity(l.pid) x ON true
  WHERE l.granted AND l.mode = 'ShareUpdateExclusiveLock' AND l.pid IS NOT NULL AND l.pid <> pg_backend_pid()
    AND l.relation IN (SELECT s.indexrelid FROM s WHERE NOT s.indisvalid AND s.relkind = 'i')
    AND l.pid NOT IN (SELECT p.pid FROM pg_catalog.pg_stat_progress_create_index p)
)
SELECT s.indexrelid AS oid, s.indrelid AS table_oid, t.relkind::text AS table_kind, m.amname AS method,
       (SELECT count(*) FROM r) AS total, (SELECT count(*) FROM r WHERE r.fault = 3) AS invalid,
       (SELECT count(*) FROM r WHERE r.fault = 2) AS duplicate, (SELECT count(*) FROM r WHERE r.fault = 1) AS unused,
       encode(CASE WHEN getdatabaseencoding() IN ('UTF8', 'SQL_ASCII') THEN decode(replace(n.nspname::text, E'\\', E'\\\\'), 'escape')
                   ELSE convert_to(n.nspname::text, 'UTF8') END, 'escape') AS schema,
       encode(CASE WHEN getdatabaseencoding() IN ('UTF8', 'SQL_ASCII') THEN decode(replace(s.relname::text, E'\\', E'\\\\'), 'escape')
                   ELSE convert_to(s.relname::text, 'UTF8') END, 'escape') AS name,
       encode(CASE WHEN getdatabaseencoding() IN ('UTF8', 'SQL_ASCII') THEN decode(replace(t.relname::text, E'\\', E'\\\\'), 'escape')
                   ELSE convert_to(t.relname::text, 'UTF8') END, 'escape') AS table,
       encode(CASE WHEN getdatabaseencoding() IN ('UTF8', 'SQL_ASCII') THEN decode(replace(w.relname::text, E'\\', E'\\\\'), 'escape')
                   ELSE convert_to(w.relname::text, 'UTF8') END, 'escape') AS toast_of,
       encode(CASE WHEN getdatabaseencoding() IN ('UTF8', 'SQL_ASCII') THEN decode(replace(s.by::text, E'\\', E'\\\\'), 'escape')
                   ELSE convert_to(s.by::text, 'UTF8') END, 'escape') AS covered_by,
       encode(CASE WHEN getdatabaseencoding() IN ('UTF8', 'SQL_ASCII') THEN decode(replace(q.columns, E'\\', E'\\\\'), 'escape')
                   ELSE convert_to(q.columns, 'UTF8') END, 'escape') AS columns,
       encode(CASE WHEN getdatabaseencoding() IN ('UTF8', 'SQL_ASCII') THEN decode(replace(k.lacking, E'\\', E'\\\\'), 'escape')
                   ELSE convert_to(k.lacking, 'UTF8') END, 'escape') AS lacking,
       k.partitions, k.attached, k.unfit, k.foreign_tables,
       s.same, i.indpred IS NOT NULL AS partial,
       s.relpages::int8 * current_setting('block_size')::int8 AS bytes,
       s.indisvalid AS valid, s.indisready AS ready, s.indisprimary AS primary, s.indisunique AS unique,
       s.indisexclusion AS exclusion, s.indexrelid IN (SELECT k.conindid FROM pg_catalog.pg_constraint k) AS constraint, i.indisreplident AS replica_identity, s.part AS partition,
       s.scans, pg_stat_get_tuples_returned(s.indexrelid) AS entries_read, pg_stat_get_tuples_fetched(s.indexrelid) AS rows_fetched,
       extract(epoch FROM clock_timestamp() - pg_stat_get_lastscan(s.indexrelid))::float8 AS last_scan_s, --[>=16]
       --: NULL::float8 AS last_scan_s, --[<16]
       CASE WHEN NOT pg_is_in_recovery() THEN
         pg_stat_get_tuples_inserted(s.indrelid) + pg_stat_get_tuples_updated(s.indrelid) - pg_stat_get_tuples_hot_updated(s.indrelid)
       END AS writes,
       g.pid AS builder, g.this AS builds_this, g.drops,
       EXISTS (SELECT FROM l WHERE l.relation IN (s.indexrelid, s.indrelid) AND l.mode = 'AccessExclusiveLock') AS locked,
       encode(decode(replace(pg_get_userbyid(c.relowner)::text, E'\\', E'\\\\'), 'escape'), 'escape') AS owner,
       coalesce((SELECT z.rolsuper FROM pg_catalog.pg_roles z WHERE z.oid = c.relowner), false) AS owner_is_superuser,
       coalesce(pg_has_role(current_user, c.relowner, 'USAGE')
                OR has_table_privilege(s.indrelid, 'MAINTAIN') --[>=17]
                , false) AS may_reindex,
       coalesce(pg_has_role(current_user, c.relowner, 'USAGE') OR pg_has_role(current_user, n.nspowner, 'USAGE'), false) AS may_drop
FROM s
JOIN pg_catalog.pg_index i ON i.indexrelid = s.indexrelid
JOIN pg_catalog.pg_class c ON c.oid = s.indexrelid
JOIN pg_catalog.pg_class t ON t.oid = s.indrelid
JOIN pg_catalog.pg_namespace n ON n.oid = s.relnamespace
JOIN pg_catalog.pg_am m ON m.oid = s.relam
LEFT JOIN pg_catalog.pg_class w ON t.relkind = 't' AND w.oid = substring(t.relname FROM '^pg_toast_([0-9]+)$')::int8::oid AND w.reltoastrelid = t.oid
CROSS JOIN LATERAL (
  SELECT string_agg(CASE WHEN u.nth = i.indnkeyatts + 1 THEN 'INCLUDE ' ELSE '' END || coalesce(x.attname::text, '(expression)'), ', ' ORDER BY u.nth) AS columns
  FROM unnest(i.indkey::int2[]) WITH ORDINALITY u(att, nth)
  LEFT JOIN pg_catalog.pg_attribute x ON x.attrelid = s.indrelid AND x.attnum = u.att AND u.att <> 0
) q
LEFT JOIN LATERAL (
  SELECT v.pid, v.drops, v.this FROM (
    SELECT b.pid, b.drops OR bool_or(l.relation = s.indexrelid) AND s.relname ~ '_ccold[0-9]*$' AS drops,
           -- What has such a name and is not locked is left of another REINDEX, also where it is hidden what he builds.
           CASE WHEN b.index_relid = s.indexrelid OR bool_or(l.relation = s.indexrelid) THEN nullif(b.sure, false)
                WHEN b.index_relid <> 0 OR s.relname ~ '_cc(new|old)[0-9]*$' THEN false END AS this
    FROM b JOIN l ON l.pid = b.pid AND l.granted AND l.relation IN (s.indrelid, s.indexrelid)
    WHERE NOT s.indisvalid AND s.relkind = 'i'
    GROUP BY b.pid, b.index_relid, b.drops, b.sure
  ) v
  -- Sure of this one, then perhaps this one, then another one of its table.
  ORDER BY coalesce(v.this::int * 2, 1) DESC, v.pid LIMIT 1
) g ON true
LEFT JOIN LATERAL (
  -- A partition that is being detached counts no more.
  SELECT count(*) AS partitions, count(x.indexrelid) AS attached, count(*) FILTER (WHERE NOT x.indisvalid) AS unfit,
         count(*) FILTER (WHERE x.indexrelid IS NULL AND y.relkind = 'f') AS foreign_tables,
         array_to_string((array_agg(y.relname::text ORDER BY y.relname) FILTER (WHERE x.indexrelid IS NULL))[1:3], ', ') AS lacking
  FROM pg_catalog.pg_inherits h
  JOIN pg_catalog.pg_class y ON y.oid = h.inhrelid
  LEFT JOIN (pg_catalog.pg_inherits j JOIN pg_catalog.pg_index x ON x.indexrelid = j.inhrelid) ON j.inhparent = s.indexrelid AND x.indrelid = h.inhrelid
  WHERE h.inhparent = s.indrelid
    AND NOT h.inhdetachpending --[>=14]
) k ON s.relkind = 'I'
