-- Who are we, on which version, and is it a managed service? Asked only after the server refused.
-- Since 13. Privilege: none. Locks: AccessShare on pg_authid. Costs: under 1 ms.
SELECT current_user::pg_catalog.text AS role,
       pg_catalog.current_setting('server_version_num') AS version,
       (SELECT pg_catalog.min(r.rolname::pg_catalog.text) FROM pg_catalog.pg_roles r
         WHERE r.rolname IN ('rds_superuser', 'cloudsqlsuperuser', 'azure_pg_admin')) AS managed
