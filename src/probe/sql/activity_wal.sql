-- Answers: how much the WAL's directory holds, and how many of its files wait to be archived.
-- Since:   13. Privilege: EXECUTE on both functions (in pg_monitor); activity.sql asks for it first.
-- Locks:   none. Cost: reads two directories: 2 ms with 64 files, 20 ms with 5000.
SELECT (SELECT coalesce(sum(w.size), 0)::int8 FROM pg_catalog.pg_ls_waldir() w) AS bytes,
       (SELECT count(*) FROM pg_catalog.pg_ls_archive_statusdir() s WHERE s.name LIKE '%.ready') AS ready
