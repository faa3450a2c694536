-- Answers: bytes of the cache table, its TOAST table and its indexes.
-- Since:   13. Privilege: none. Cost: under 1 ms.
-- Locks:   AccessShare on each: waits behind ACCESS EXCLUSIVE, so cache.sql looks first and lock_timeout bounds it.
-- Try:     \set oid 1
SELECT pg_total_relation_size(:oid) AS bytes, pg_relation_size(:oid) AS heap_bytes
