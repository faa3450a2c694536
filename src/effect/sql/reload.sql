-- Has the server read its configuration files again, if it is the one that was on the screen.
-- $1 pg_postmaster_start_time(), $2 pg_is_in_recovery(), $3 system_identifier.
-- Answers always one row: reloaded is true (the postmaster was told) or null (not the server: nothing sent); asked is the
-- server's time before.
-- Since 13. Privilege: EXECUTE on pg_reload_conf(). Locks: none. Costs: under 1 ms.
SELECT (CASE WHEN server.same THEN pg_catalog.pg_reload_conf() END)::pg_catalog.text AS reloaded,
       server.same::pg_catalog.text AS same_server,
       server.asked::pg_catalog.text AS asked
FROM (SELECT pg_catalog.pg_postmaster_start_time() = $1::pg_catalog.timestamptz
         AND pg_catalog.pg_is_in_recovery() = $2::pg_catalog.bool
         AND (SELECT c.system_identifier::pg_catalog.text FROM pg_catalog.pg_control_system() c) = $3  --[identifier]
        AS same, pg_catalog.clock_timestamp() AS asked OFFSET 0) server
