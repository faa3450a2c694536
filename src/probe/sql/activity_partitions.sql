-- Answers: until when each table of error tracking and tracing that is partitioned by time has a partition. Where the last
--          one has ended every row is refused, and the service that writes it swallows the error.
-- Since:   13. Privilege: none. Locks: AccessShare on catalogs. Cost: 2 ms.
-- The bound is read with relation 0: with its own, newer versions would wait for a lock on it.
SELECT p.oid, n.nspname::text AS schema, p.relname::text AS name, count(c.oid) AS partitions,
       coalesce(bool_or(b.bound = 'DEFAULT' OR b.upper IN ('MAXVALUE', '''infinity''')), false) AS endless,
       extract(epoch FROM max(CASE WHEN b.upper LIKE '''%' AND b.upper NOT LIKE '%infinity%'
                                   THEN trim(BOTH '''' FROM b.upper)::timestamptz END) - clock_timestamp())::float8 AS ends_s
FROM pg_catalog.pg_class p
JOIN pg_catalog.pg_namespace n ON n.oid = p.relnamespace
JOIN pg_catalog.pg_partitioned_table t ON t.partrelid = p.oid AND t.partstrat = 'r' AND t.partnatts = 1
-- date, timestamp, timestamptz
JOIN pg_catalog.pg_attribute k ON k.attrelid = p.oid AND k.attnum = t.partattrs[0] AND k.atttypid IN (1082, 1114, 1184)
LEFT JOIN pg_catalog.pg_inherits i ON i.inhparent = p.oid
LEFT JOIN pg_catalog.pg_class c ON c.oid = i.inhrelid
CROSS JOIN LATERAL (SELECT pg_get_expr(c.relpartbound, 0) AS bound,
                           substring(pg_get_expr(c.relpartbound, 0) FROM 'TO \((.*)\)$') AS upper) b
WHERE p.relkind = 'p' AND (p.relname LIKE 'tb\_error\_%' OR p.relname IN ('otel_traces', 'otel_metrics'))
GROUP BY p.oid, n.nspname, p.relname
ORDER BY p.relname, p.oid
LIMIT 50
