-- Is the cache table still what was on the screen, on the server that was on it, and may our role remove rows from it?
-- $1 oid, $2 schema, $3 name, $4 relkind, $5 pg_postmaster_start_time(), $6 pg_is_in_recovery(), $7 system_identifier.
-- Answers always one row: name is null where the table is gone; same_name, shaped and may say the rest.
-- Since 13. Privilege: none. Locks: AccessShare on catalogs. Costs: under 1 ms.
SELECT server.same::pg_catalog.text AS same_server,
       (n.nspname = $2 AND c.relname = $3 AND c.relkind::pg_catalog.text = $4)::pg_catalog.text AS same_name,
       n.nspname::pg_catalog.text AS schema,
       c.relname::pg_catalog.text AS name,
       ((SELECT pg_catalog.count(*) FROM pg_catalog.pg_attribute a
          WHERE a.attrelid = c.oid AND NOT a.attisdropped
            AND (a.attname IN ('cache_key', 'cache_value')
                 OR a.attname = 'expires_at' AND a.atttypid = 1184)) = 3)::pg_catalog.text AS shaped,
       (pg_catalog.has_table_privilege(c.oid, 'SELECT') AND pg_catalog.has_table_privilege(c.oid, 'UPDATE')
        AND pg_catalog.has_table_privilege(c.oid, 'DELETE'))::pg_catalog.text AS may,
       current_user::pg_catalog.text AS role
FROM (SELECT pg_catalog.pg_postmaster_start_time() = $5::pg_catalog.timestamptz
         AND pg_catalog.pg_is_in_recovery() = $6::pg_catalog.bool
         AND (SELECT s.system_identifier::pg_catalog.text FROM pg_catalog.pg_control_system() s) = $7  --[identifier]
        AS same OFFSET 0) server
LEFT JOIN pg_catalog.pg_class c ON c.oid = $1::pg_catalog.oid
LEFT JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
