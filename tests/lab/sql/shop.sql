-- The shop: tens of thousands of rows, owned by shop_owner.
CREATE EXTENSION pg_stat_statements;
CREATE EXTENSION pgstattuple;
GRANT CREATE ON SCHEMA public TO shop_owner;
SET ROLE shop_owner;

CREATE TABLE customers (
  id int PRIMARY KEY, name text NOT NULL, email text NOT NULL, country text NOT NULL, created_at timestamptz NOT NULL);
CREATE TABLE products (
  id int PRIMARY KEY, name text NOT NULL, price numeric(10,2) NOT NULL, stock int NOT NULL);
CREATE TABLE orders (
  id int PRIMARY KEY, customer_id int NOT NULL, status text NOT NULL, total numeric(10,2) NOT NULL,
  created_at timestamptz NOT NULL, updated_at timestamptz NOT NULL);
CREATE TABLE order_items (
  order_id int NOT NULL, line int NOT NULL, product_id int NOT NULL, quantity int NOT NULL);
CREATE TABLE carts (
  id int PRIMARY KEY, customer_id int NOT NULL, contents text NOT NULL, updated_at timestamptz NOT NULL);
CREATE TABLE events (
  id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, kind text NOT NULL, body text NOT NULL, at timestamptz NOT NULL DEFAULT now());

INSERT INTO customers SELECT g, 'Customer ' || g, 'customer' || g || '@shop.example',
  (ARRAY['CH','DE','FR','IT','AT'])[1 + g % 5], now() - g * interval '1 hour' FROM generate_series(1, 5000) g;
INSERT INTO products SELECT g, 'Product ' || g, (5 + g % 200)::numeric, 1000000 FROM generate_series(1, 2000) g;
INSERT INTO orders SELECT g, 1 + g % 5000, (ARRAY['paid','packed','shipped','delivered'])[1 + g % 4], (10 + g % 500)::numeric,
  now() - g * interval '1 minute', now() - g * interval '1 minute' FROM generate_series(1, 30000) g;
INSERT INTO order_items SELECT 1 + g % 30000, 1 + g / 30000, 1 + (g * 7) % 2000, 1 + g % 3 FROM generate_series(0, 59999) g;
INSERT INTO carts SELECT g, 1 + g % 5000, repeat('x', 200), now() FROM generate_series(1, 10000) g;
-- After the rows: checked once for all of them instead of row by row.
ALTER TABLE orders ADD FOREIGN KEY (customer_id) REFERENCES customers;
ALTER TABLE order_items ADD PRIMARY KEY (order_id, line), ADD FOREIGN KEY (order_id) REFERENCES orders,
  ADD FOREIGN KEY (product_id) REFERENCES products;
CREATE INDEX orders_customer_idx ON orders (customer_id, created_at DESC);
CREATE INDEX orders_status_idx ON orders (status);
RESET ROLE;

-- As FraiseQL's PostgresCache makes it on its first use, by the role of the service.
GRANT CREATE ON SCHEMA public TO shop_api;
SET ROLE shop_api;
CREATE UNLOGGED TABLE IF NOT EXISTS fraiseql_cache (cache_key TEXT PRIMARY KEY, cache_value JSONB NOT NULL, expires_at TIMESTAMPTZ NOT NULL);
CREATE INDEX fraiseql_cache_expires_idx ON fraiseql_cache (expires_at);
RESET ROLE;
-- A cache that has been in use for a while.
INSERT INTO fraiseql_cache
SELECT 'fraiseql:product:id:' || p.id, jsonb_build_object('id', p.id, 'name', p.name, 'price', p.price), now() + (60 + p.id % 240) * interval '1 second'
FROM products p WHERE p.id <= 300;

GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA public TO shop_api, shop_worker;
GRANT SELECT ON customers, products, orders, order_items, carts, events TO reporting;
GRANT SELECT ON customers, products, orders, order_items, carts, events, fraiseql_cache TO oncall;
GRANT SELECT ON ALL TABLES IN SCHEMA public TO oncall_plan;
GRANT UPDATE, DELETE ON fraiseql_cache TO oncall;   -- to remove what has expired
