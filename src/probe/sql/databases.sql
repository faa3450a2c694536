-- Answers: each database: backends, freeze age, deadlocks, spilled bytes. Sizes are asked apart (database_sizes.sql).
-- Since:   13. Privilege: none. Locks: AccessShare on pg_database. Cost: under 1 ms (13, 14: up to 30 ms).
SELECT d.oid, encode(decode(replace(d.datname::text, E'\\', E'\\\\'), 'escape'), 'escape') AS name,
       coalesce(s.numbackends, 0) AS backends, age(d.datfrozenxid) AS xid_age, mxid_age(d.datminmxid) AS mxid_age,
       coalesce(s.deadlocks, 0) AS deadlocks, coalesce(s.temp_bytes, 0) AS temp_bytes,
       d.datallowconn AS connectable, d.datname = current_database() AS current,
       current_setting('autovacuum_freeze_max_age')::int8 AS xid_forced_at,
       current_setting('autovacuum_multixact_freeze_max_age')::int8 AS mxid_forced_at
FROM pg_catalog.pg_database d
LEFT JOIN pg_catalog.pg_stat_database s ON s.datid = d.oid
ORDER BY d.datname
LIMIT 1000
