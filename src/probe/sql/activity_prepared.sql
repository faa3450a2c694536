-- Answers: transactions that are prepared for two-phase commit, the oldest first: they hold locks and the horizon.
-- Since:   13. Privilege: none. Locks: AccessShare on pg_authid and pg_database while there is one. Cost: under 1 ms.
-- Whom they block is asked by prepared.sql, and only while they do.
SELECT encode(decode(replace(p.gid, E'\\', E'\\\\'), 'escape'), 'escape') AS gid,
       encode(decode(replace(pg_get_userbyid(p.ownerid)::text, E'\\', E'\\\\'), 'escape'), 'escape') AS owner,
       encode(decode(replace((SELECT d.datname::text FROM pg_catalog.pg_database d WHERE d.oid = p.dbid), E'\\', E'\\\\'), 'escape'), 'escape') AS database,
       extract(epoch FROM clock_timestamp() - p.prepared)::float8 AS age_s,
       p.transaction::text AS xid, age(p.transaction) AS xid_age
FROM pg_catalog.pg_prepared_xact() p
ORDER BY p.prepared
LIMIT 20
