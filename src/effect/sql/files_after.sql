-- Have the files been read again since, and what is wrong in them?
-- $1 the server's time before.
-- Since 13. Privilege: for the errors SELECT on pg_file_settings and EXECUTE on pg_show_all_file_settings().
-- Locks: none. Costs: some ms. A line that only waits for a restart is not wrong.
SELECT (pg_catalog.pg_conf_load_time() > $1::pg_catalog.timestamptz)::pg_catalog.text AS loaded,
       (SELECT pg_catalog.string_agg(pg_catalog.concat(f.sourcefile, ' line ', f.sourceline, ': ', f.name, ': ', f.error), '; ')  --[files]
          FROM pg_catalog.pg_file_settings f LEFT JOIN pg_catalog.pg_settings s ON s.name = f.name  --[files]
         WHERE f.error IS NOT NULL AND s.pending_restart IS NOT TRUE) AS errors,  --[files]
       NULL AS nothing
