-- What became of a setting once the files were to be read again?
-- $1 name, $2 the server's time before.
-- Answers one row: loaded is true once the session that asks has read them since; by_role holds the settings of our own
-- role and database that go before the server's, others those of everybody else.
-- Since 13. Privilege: none. Locks: AccessShare on catalogs. Costs: 1 to 3 ms.
SELECT (pg_catalog.pg_conf_load_time() > $2::pg_catalog.timestamptz)::pg_catalog.text AS loaded,
       s.reset_val AS value, s.unit, s.vartype, s.source, s.sourcefile, s.pending_restart::pg_catalog.text AS waits,
       o.ours::pg_catalog.text AS ours, o.others::pg_catalog.text AS others
FROM pg_catalog.pg_settings s
CROSS JOIN (SELECT pg_catalog.count(*) FILTER (WHERE us.mine) AS ours,
                   pg_catalog.count(*) FILTER (WHERE NOT us.mine) AS others
              FROM pg_catalog.pg_db_role_setting d
             CROSS JOIN LATERAL pg_catalog.unnest(d.setconfig) AS c(line)
             CROSS JOIN LATERAL (SELECT (d.setrole = 0 OR d.setrole = (SELECT r.oid FROM pg_catalog.pg_roles r
                                                                        WHERE r.rolname = session_user))
                                    AND (d.setdatabase = 0 OR d.setdatabase = (SELECT b.oid FROM pg_catalog.pg_database b
                                                                                WHERE b.datname = pg_catalog.current_database()))
                                     AS mine) us
             WHERE pg_catalog.split_part(c.line, '=', 1) = $1) o
WHERE s.name = $1
