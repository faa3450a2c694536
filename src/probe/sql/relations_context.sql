-- Answers: what the list of tables needs to be read rightly: on a standby its statistics are its own, and empty.
-- Since:   13. Privilege: none. Locks: none. Cost: under 1 ms.
SELECT encode(decode(replace(current_database()::text, E'\\', E'\\\\'), 'escape'), 'escape') AS database,
       pg_is_in_recovery() AS in_recovery,
       current_setting('autovacuum') = 'on' AND current_setting('track_counts') = 'on' AS autovacuum,
       current_setting('autovacuum_max_workers')::int8 AS autovacuum_workers
