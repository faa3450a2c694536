-- Answers: what are the named settings, those that wait for a restart and those of postgresql.auto.conf, and what may
--          our role do with them? reset_val, since our own session sets bounds for itself.
-- Since:   13. Privilege: none; pg_read_all_settings (in pg_monitor) to see the file, and what is for superusers only.
-- Locks:   pg_authid, AccessShare. Cost: 1 to 3 ms.
-- Try:     \set names work_mem,log_statement
SELECT s.name, s.reset_val AS value, s.unit, s.vartype, s.context, s.source, s.sourcefile, s.boot_val, s.min_val, s.max_val,
       array_to_string(s.enumvals, ',') AS words, s.pending_restart,
       --: current_setting('is_superuser') = 'on' AS may_alter, --[<15]
       has_parameter_privilege(s.name, 'ALTER SYSTEM') AS may_alter, --[>=15]
       has_function_privilege('pg_catalog.pg_reload_conf'::regproc, 'EXECUTE') AS may_reload,
       has_function_privilege('pg_catalog.pg_show_all_file_settings()', 'EXECUTE')
         AND has_table_privilege('pg_catalog.pg_file_settings', 'SELECT') AS may_read_files,
       coalesce(current_setting('allow_alter_system', true), 'on') = 'off' AS alter_off,
       (SELECT min(r.rolname::text) FROM pg_catalog.pg_roles r
         WHERE r.rolname IN ('rds_superuser', 'cloudsqlsuperuser', 'azure_pg_admin')) AS managed,
       encode(decode(replace(current_user::text, E'\\', E'\\\\'), 'escape'), 'escape') AS "user"
FROM pg_catalog.pg_settings s
WHERE s.name = ANY (string_to_array(:'names', ',')) OR s.pending_restart OR s.sourcefile LIKE '%/postgresql.auto.conf'
ORDER BY s.name
