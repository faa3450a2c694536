-- A second database, so that "this database" is never "the server".
GRANT CREATE ON SCHEMA public TO shop_owner;
SET ROLE shop_owner;
CREATE TABLE invoices (id int PRIMARY KEY, order_id int NOT NULL, amount numeric(10,2) NOT NULL, paid boolean NOT NULL);
CREATE TABLE payments (id int PRIMARY KEY, invoice_id int NOT NULL REFERENCES invoices, at timestamptz NOT NULL);
INSERT INTO invoices SELECT g, g, (10 + g % 500)::numeric, g % 10 <> 0 FROM generate_series(1, 10000) g;
INSERT INTO payments SELECT g, g, now() - g * interval '1 minute' FROM generate_series(1, 9000) g WHERE g % 10 <> 0;
GRANT SELECT, INSERT, UPDATE ON invoices, payments TO shop_worker;
GRANT SELECT ON invoices, payments TO oncall, oncall_plan, reporting;
RESET ROLE;
