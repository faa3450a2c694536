-- Answers: the receiving side: how far this standby is behind, and whether it still hears its primary.
-- Since:   13. Privilege: pg_read_all_stats (in pg_monitor); without it the receiver's row is empty but for its pid.
-- Locks:   none. Cost: under 1 ms.
-- The age of the last replayed transaction grows on an idle primary too (117 s seen on a standby that was level), and "0
-- when received = replayed" shows 0 with a dead primary. So: 0 only while the primary was heard within 30 s (idle
-- keepalives 7 s apart were seen), the age while streaming, and otherwise unknown.
SELECT pg_is_in_recovery() AS in_recovery,
       CASE WHEN pg_is_in_recovery() THEN pg_is_wal_replay_paused() END AS paused,
       pg_last_wal_receive_lsn()::text AS receive_lsn, pg_last_wal_replay_lsn()::text AS replay_lsn,
       CASE WHEN pg_is_in_recovery() THEN pg_last_wal_replay_lsn()::text ELSE pg_current_wal_lsn()::text END AS lsn,
       pg_wal_lsn_diff(pg_last_wal_receive_lsn(), pg_last_wal_replay_lsn())::int8 AS gap,
       CASE WHEN w.status = 'streaming' AND pg_last_wal_receive_lsn() = pg_last_wal_replay_lsn()
                 AND clock_timestamp() - w.last_msg_receipt_time < interval '30 s' THEN 0
            WHEN w.status = 'streaming' THEN extract(epoch FROM clock_timestamp() - pg_last_xact_replay_timestamp())::float8
       END AS lag_s,
       extract(epoch FROM clock_timestamp() - pg_last_xact_replay_timestamp())::float8 AS last_replay_s,
       w.pid IS NOT NULL AND w.status IS NULL AS receiver_hidden,
       w.status AS receiver, w.sender_host AS sender, w.sender_port, w.slot_name::text AS slot_name,
       extract(epoch FROM clock_timestamp() - w.last_msg_receipt_time)::float8 AS heard_s,
       (SELECT setting::int8 FROM pg_catalog.pg_settings WHERE name = 'max_slot_wal_keep_size') AS slot_keep_mb,
       current_setting('synchronous_standby_names') AS sync_names
FROM (SELECT 1) x LEFT JOIN pg_catalog.pg_stat_wal_receiver w ON true
