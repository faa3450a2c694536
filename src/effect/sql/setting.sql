-- Is the setting still what was on the screen, on the server that was on it, and what is the statement that changes it?
-- ALTER SYSTEM takes no parameters and cannot run in a transaction, so the server itself writes the statement.
-- $1 name, $2 the value in force as reset_val, $3 the text to be written (null: RESET), $4 what stood in
-- postgresql.auto.conf (null: no entry), $5 pg_postmaster_start_time(), $6 pg_is_in_recovery(), $7 system_identifier.
-- Answers always one row: statement is null where it is no longer the same; asked is the server's time before it.
-- Since 13. Privilege: none; to read the file, SELECT on pg_file_settings and EXECUTE on pg_show_all_file_settings().
-- Locks: AccessShare on catalogs. Costs: some ms.
-- What remains is the time between this and the ALTER SYSTEM: who changes the same setting within it is overwritten.
SELECT CASE WHEN server.same AND s.reset_val = $2
             AND now.entry IS NOT DISTINCT FROM $4::pg_catalog.text  --[files]
            THEN 'ALTER SYSTEM '
                 || CASE WHEN $3::pg_catalog.text IS NULL THEN 'RESET ' || pg_catalog.quote_ident(s.name)
                         ELSE 'SET ' || pg_catalog.quote_ident(s.name) || ' = ' || pg_catalog.quote_literal($3::pg_catalog.text)
                    END
       END AS statement,
       server.same::pg_catalog.text AS same_server,
       s.reset_val AS value, s.unit, s.vartype,
       now.entry,  --[files]
       pg_catalog.has_function_privilege('pg_catalog.pg_reload_conf()', 'EXECUTE')::pg_catalog.text AS may_reload,
       pg_catalog.clock_timestamp()::pg_catalog.text AS asked,
       $4::pg_catalog.text AS was
FROM (SELECT pg_catalog.pg_postmaster_start_time() = $5::pg_catalog.timestamptz
         AND pg_catalog.pg_is_in_recovery() = $6::pg_catalog.bool
         AND (SELECT c.system_identifier::pg_catalog.text FROM pg_catalog.pg_control_system() c) = $7  --[identifier]
        AS same OFFSET 0) server
LEFT JOIN pg_catalog.pg_settings s ON s.name = $1
LEFT JOIN LATERAL (SELECT f.setting AS entry FROM pg_catalog.pg_file_settings f  --[files]
                    WHERE f.name = $1 AND f.sourcefile LIKE '%/postgresql.auto.conf'  --[files]
                    ORDER BY f.seqno DESC LIMIT 1) now ON true  --[files]
