-- Answers: logical subscriptions of all databases: whether each is to run, runs, hears its publisher, and fails.
-- Since:   13; leader_pid since 16; errors are counted since 15, by pg_stat_subscription_stats.
-- Privilege: pg_read_all_stats (in pg_monitor); without it no worker is shown, which is none of "does not run".
-- Locks:   AccessShare on pg_subscription and pg_database. Cost: 1 ms.
-- A worker that crashes again and again shows as none at all, though its subscription is enabled. Before 15 an ordinary
-- role may not read pg_subscription.oid: of two that bear the same name, both have to be enabled to count as such.
WITH w AS MATERIALIZED (
  SELECT w.subid, w.subname, max(w.pid) FILTER (WHERE w.relid IS NULL) AS pid,
         max(w.last_msg_receipt_time) FILTER (WHERE w.relid IS NULL) AS heard
  FROM pg_catalog.pg_stat_subscription w
  WHERE w.leader_pid IS NULL --[>=16]
  GROUP BY w.subid, w.subname
)
SELECT w.subid AS oid, encode(decode(replace(w.subname::text, E'\\', E'\\\\'), 'escape'), 'escape') AS name,
       encode(decode(replace(s.datname, E'\\', E'\\\\'), 'escape'), 'escape') AS database, s.enabled,
       w.pid AS worker, extract(epoch FROM clock_timestamp() - w.heard)::float8 AS heard_s,
       --: NULL::int8 AS apply_errors, NULL::int8 AS sync_errors, NULL::float8 AS reset_s --[<15]
       e.apply_error_count AS apply_errors, e.sync_error_count AS sync_errors, extract(epoch FROM e.stats_reset)::float8 AS reset_s --[>=15]
FROM w
CROSS JOIN LATERAL (
  SELECT bool_and(s.subenabled) AS enabled, min(d.datname::text) AS datname
  FROM pg_catalog.pg_subscription s JOIN pg_catalog.pg_database d ON d.oid = s.subdbid
  --: WHERE s.subname = w.subname --[<15]
  WHERE s.oid = w.subid --[>=15]
) s
LEFT JOIN pg_catalog.pg_stat_subscription_stats e ON e.subid = w.subid --[>=15]
ORDER BY w.subname, w.subid
LIMIT 200
