-- Answers: what the counters of pg_stat_statements need to be read rightly: the time, sums over all entries, those that are
--          hidden from our role, and what is tracked. A tag speaks of the extension's version, as in statements.sql.
-- Since:   1.3 of the extension. Privilege: none. Locks: as statements.sql. Cost: 5 ms for 5000 entries.
-- Try:     \set schema public
SELECT (SELECT d.oid FROM pg_catalog.pg_database d WHERE d.datname = current_database()) AS database_oid,
       (SELECT r.oid FROM pg_catalog.pg_roles r WHERE r.rolname = current_user) AS user_oid,
       count(*) AS entries, coalesce(sum(s.calls), 0)::int8 AS calls,
       count(*) FILTER (WHERE s.queryid IS NULL) AS hidden,
       coalesce(sum(s.calls) FILTER (WHERE s.queryid IS NULL), 0)::int8 AS hidden_calls,
       coalesce(sum(s.total_exec_time), 0) AS total_ms, coalesce(sum(s.total_exec_time) FILTER (WHERE s.queryid IS NULL), 0) AS hidden_ms, --[>=13]
       --: coalesce(sum(s.total_time), 0) AS total_ms, coalesce(sum(s.total_time) FILTER (WHERE s.queryid IS NULL), 0) AS hidden_ms, --[<13]
       current_setting('pg_stat_statements.max', true)::int8 AS max,
       coalesce(current_setting('pg_stat_statements.track', true), '') AS track,
       coalesce(current_setting('pg_stat_statements.track_planning', true) = 'on', false) AS planning,
       current_setting('track_io_timing') = 'on' AS io_timing,
       current_setting('block_size')::int8 AS block_size,
       extract(epoch FROM clock_timestamp())::float8 AS at_s
FROM :"schema".pg_stat_statements(false) s
