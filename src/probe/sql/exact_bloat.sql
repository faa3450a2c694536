-- Answers: dead and free bytes of one table, measured.
-- Since:   13, extension pgstattuple; TOAST tables since 14. Privilege: pg_stat_scan_tables (in pg_monitor).
-- Locks:   AccessShare on the table: waits behind ACCESS EXCLUSIVE, so exact_target.sql comes first and lock_timeout bounds it.
-- Cost:    reads every page that is not all-visible: seconds to minutes on a big table never vacuumed.
-- Try:     \set schema public  \set oid 1
SELECT table_len AS table_bytes, scanned_percent, dead_tuple_len AS dead_bytes, dead_tuple_count AS dead,
       approx_free_space AS free_bytes, approx_free_percent AS free_percent
FROM :"schema".pgstattuple_approx(:oid)
