-- Who is in the shop. The on-call roles come first; what each may do is what the tests are about.
CREATE ROLE plain LOGIN;                                          -- no rights at all
CREATE ROLE monitor LOGIN IN ROLE pg_monitor;                     -- sees, cannot signal
CREATE ROLE oncall LOGIN IN ROLE pg_monitor, pg_signal_backend;   -- sees and signals
CREATE ROLE oncall_plan LOGIN;                                    -- plans are made as it
CREATE ROLE scram LOGIN PASSWORD 'lab secret' IN ROLE pg_monitor; -- by password over TCP
CREATE ROLE seat LOGIN REPLICATION IN ROLE pg_monitor, pg_signal_backend;

CREATE ROLE shop_owner LOGIN;     -- owns the tables; migrations run as it
CREATE ROLE shop_api LOGIN;       -- the service's pool
CREATE ROLE shop_worker LOGIN;    -- background jobs
CREATE ROLE reporting LOGIN;      -- reads only
CREATE ROLE exporter LOGIN IN ROLE pg_monitor;
CREATE ROLE replicator LOGIN REPLICATION;

DO $$
BEGIN
  IF current_setting('server_version_num')::int >= 170000 THEN
    GRANT pg_maintain TO oncall;
  ELSE
    GRANT shop_owner TO oncall;   -- before 17 only an owner may vacuum
  END IF;
END
$$;
