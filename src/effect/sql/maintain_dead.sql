-- How many dead rows has that table, as far as they are counted?
-- $1 OID of the table, $2 a time.
-- Answers one row: dead as in pg_stat_all_tables.n_dead_tup, and whether the table was vacuumed and analyzed since then.
-- Since 13 (before 15 the statistics come up to half a second late). Privilege: none. Locks: none. Costs: under 1 ms.
SELECT pg_catalog.pg_stat_get_dead_tuples($1::pg_catalog.oid)::pg_catalog.text AS dead,
       (pg_catalog.pg_stat_get_last_vacuum_time($1::pg_catalog.oid) >= $2::pg_catalog.timestamptz
        AND pg_catalog.pg_stat_get_last_analyze_time($1::pg_catalog.oid) >= $2::pg_catalog.timestamptz
       )::pg_catalog.text AS done
