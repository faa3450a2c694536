-- Answers: who is this server, what does it allow, and what may our role see there?
-- Since:   13. Privilege: none. Locks: the catalogs that every statement reads. Cost: under 1 ms.
-- Texts of a shared catalog may be in any encoding, hence their bytes, escaped (see sessions.sql).
SELECT current_setting('server_version_num')::int4 AS version_num,
       current_setting('server_version') AS version,
       pg_is_in_recovery() AS in_recovery,
       to_char(pg_postmaster_start_time() AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"') AS started,
       extract(epoch FROM clock_timestamp() - pg_postmaster_start_time())::float8 AS uptime_s,
       current_setting('cluster_name') AS cluster_name,
       encode(decode(replace(current_database()::text, E'\\', E'\\\\'), 'escape'), 'escape') AS database,
       encode(decode(replace(current_user::text, E'\\', E'\\\\'), 'escape'), 'escape') AS "user",
       current_setting('max_connections')::int8 AS max_connections,
       current_setting('superuser_reserved_connections')::int8 AS superuser_reserved,
       --: 0 AS reserved, --[<16]
       current_setting('reserved_connections')::int8 AS reserved, --[>=16]
       pg_size_bytes(current_setting('track_activity_query_size')) AS query_size_bytes,
       current_setting('is_superuser') = 'on' AS superuser,
       -- Whom none but their like may signal; a name with a line break in it matches nobody.
       (SELECT string_agg(encode(decode(replace(r.rolname::text, E'\\', E'\\\\'), 'escape'), 'escape'), E'\n')
        FROM pg_catalog.pg_roles r WHERE r.rolsuper) AS superusers,
       pg_has_role(current_user, 'pg_read_all_stats', 'USAGE') AS read_all_stats,
       pg_has_role(current_user, 'pg_signal_backend', 'USAGE') AS signal_backend,
       pg_has_role(current_user, 'pg_stat_scan_tables', 'USAGE') AS scan_tables,
       --: current_setting('is_superuser') = 'on' AS read_all_data, --[<14]
       pg_has_role(current_user, 'pg_read_all_data', 'USAGE') AS read_all_data, --[>=14]
       --: current_setting('is_superuser') = 'on' AS maintain, --[<17]
       pg_has_role(current_user, 'pg_maintain', 'USAGE') AS maintain, --[>=17]
       (SELECT n.nspname::text FROM pg_catalog.pg_extension e JOIN pg_catalog.pg_namespace n ON n.oid = e.extnamespace
        WHERE e.extname = 'pg_stat_statements') AS statements_schema,
       (SELECT n.nspname::text FROM pg_catalog.pg_extension e JOIN pg_catalog.pg_namespace n ON n.oid = e.extnamespace
        WHERE e.extname = 'pgstattuple') AS tuple_schema
