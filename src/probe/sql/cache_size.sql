-- Answers: bytes of the cache table, its partitions, their TOAST tables and indexes; a partitioned table has none of its own.
-- Since:   13. Privilege: none. Cost: under 1 ms.
-- Locks:   AccessShare on each: waits behind ACCESS EXCLUSIVE, so cache.sql looks first and lock_timeout bounds it.
-- Try:     \set oid 1
SELECT sum(pg_total_relation_size(p.relid))::int8 AS bytes, sum(pg_relation_size(p.relid))::int8 AS heap_bytes
FROM (SELECT :oid::oid AS relid UNION SELECT t.relid FROM pg_catalog.pg_partition_tree(:oid) t) p
