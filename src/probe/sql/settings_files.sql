-- Answers: what stands in the configuration files, line by line, and what is wrong there?
-- Since:   13. Privilege: SELECT on pg_file_settings and EXECUTE on pg_show_all_file_settings(): settings.sql tells.
-- Locks:   none. Cost: reads and parses the files, some ms.
SELECT f.name, f.setting, f.error, f.sourcefile, f.sourceline,
       coalesce(f.sourcefile LIKE '%/postgresql.auto.conf', false) AS auto
FROM pg_catalog.pg_file_settings f
ORDER BY f.seqno
