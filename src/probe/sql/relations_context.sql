-- Answers: what the list of tables needs to be read rightly: on a standby its statistics are its own, and empty; and whether
--          our role may vacuum the whole database.
-- Since:   13. Privilege: none. Locks: AccessShare on pg_database. Cost: under 1 ms.
SELECT encode(decode(replace(current_database()::text, E'\\', E'\\\\'), 'escape'), 'escape') AS database,
       (SELECT s.datid FROM pg_catalog.pg_stat_get_activity(pg_backend_pid()) s) AS oid,
       (SELECT pg_has_role(current_user, d.datdba, 'USAGE') FROM pg_catalog.pg_database d WHERE d.datname = current_database())
         OR pg_has_role(current_user, 'pg_maintain', 'USAGE') --[>=17]
         AS may_vacuum,
       pg_is_in_recovery() AS in_recovery,
       current_setting('autovacuum') = 'on' AND current_setting('track_counts') = 'on' AS autovacuum,
       current_setting('track_counts') = 'on' AS counted,
       current_setting('autovacuum_max_workers')::int8 AS autovacuum_workers
