-- Answers: transactions prepared for two-phase commit: they hold locks and the horizon without a session (pid 0 blocks).
-- Since:   13. Privilege: none. Locks: AccessShare on pg_authid and pg_database. Cost: under 1 ms.
SELECT encode(decode(replace(p.gid, E'\\', E'\\\\'), 'escape'), 'escape') AS gid,
       encode(decode(replace(p.owner::text, E'\\', E'\\\\'), 'escape'), 'escape') AS owner,
       encode(decode(replace(p.database::text, E'\\', E'\\\\'), 'escape'), 'escape') AS database,
       extract(epoch FROM clock_timestamp() - p.prepared)::float8 AS age_s
FROM pg_catalog.pg_prepared_xacts p
ORDER BY p.prepared
LIMIT 200
