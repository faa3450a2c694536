-- Answers: how often pg_stat_statements threw entries out, and when all its counters were last reset.
-- Since:   1.9 of the extension (14). Privilege: none. Locks: none. Cost: under 1 ms.
-- Try:     \set schema public
SELECT i.dealloc, to_char(i.stats_reset AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"') AS reset, --[>=14]
       extract(epoch FROM clock_timestamp() - i.stats_reset)::float8 AS reset_s --[>=14]
FROM :"schema".pg_stat_statements_info i --[>=14]
--: SELECT i.dealloc, i.reset, i.reset_s --[<14]
--: FROM (SELECT NULL::int8 AS dealloc, NULL::text AS reset, NULL::float8 AS reset_s) i --[<14]
