-- Answers: which cluster is this? A primary and its standbys have the same identifier.
-- Since:   13. Privilege: EXECUTE on pg_control_system(), which some hosting takes away: hence apart from server.sql.
-- Locks:   none. Cost: reads pg_control, under 1 ms.
SELECT system_identifier::text AS system_identifier FROM pg_catalog.pg_control_system()
