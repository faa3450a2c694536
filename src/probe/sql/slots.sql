-- Answers: each replication slot, what it keeps from being removed, and whether it is still good. For one that is not, nothing
--          is kept, though 16 and later go on to show its positions.
-- Since:   13; conflicting since 16; inactive_since and invalidation_reason since 17.
-- Privilege: none. Locks: AccessShare on pg_database. Cost: under 1 ms.
SELECT s.slot_name::text AS name, s.slot_type AS kind,
       encode(decode(replace(s.database::text, E'\\', E'\\\\'), 'escape'), 'escape') AS database, s.active,
       CASE WHEN v.good THEN pg_wal_lsn_diff(l.cur, s.restart_lsn)::int8 END AS retained, s.wal_status, s.safe_wal_size AS safe,
       CASE WHEN v.good THEN s.xmin::text END AS xmin, CASE WHEN v.good THEN age(s.xmin) END AS xmin_age,
       CASE WHEN v.good THEN age(s.catalog_xmin) END AS catalog_xmin_age,
       --: NULL::float8 AS inactive_s, NULL AS invalidation --[<16]
       --: NULL::float8 AS inactive_s, CASE WHEN s.conflicting THEN 'conflicting' END AS invalidation --[16-16]
       extract(epoch FROM clock_timestamp() - s.inactive_since)::float8 AS inactive_s, s.invalidation_reason AS invalidation --[>=17]
FROM pg_catalog.pg_replication_slots s
CROSS JOIN (SELECT CASE WHEN pg_is_in_recovery() THEN pg_last_wal_replay_lsn() ELSE pg_current_wal_lsn() END AS cur) l
CROSS JOIN LATERAL (
  SELECT s.wal_status IS DISTINCT FROM 'lost'
         --: AND s.conflicting IS NOT TRUE --[16-16]
         AND s.invalidation_reason IS NULL --[>=17]
         AS good
) v
ORDER BY s.slot_name
