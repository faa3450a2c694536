//! What is said where a right for a plan is missing, on real servers: a `GRANT` that is needed and enough, or none. It must
//! not test how a text is read.
use super::asking::{client, primary, run};
use super::plans::{of, plan_of};
use crate::lab::Lab;
use pgtriage::model::ProbeError;
use pgtriage::model::plan::PlanOf;
use tokio_postgres::Client;

const SCHEMAS: &str = "
    CREATE SCHEMA t1; CREATE SCHEMA t2; CREATE SCHEMA t3; CREATE SCHEMA s2;
    CREATE TABLE t1.acct (id int); CREATE TABLE t2.acct (id int); CREATE TABLE t3.acct (id int);
    CREATE TABLE s2.orders (id int); CREATE TABLE s2.parcels (id int); CREATE TABLE t3.parcels (id int);
    CREATE TABLE t3.secret (id int); CREATE VIEW t1.opaque AS SELECT * FROM t3.secret; ALTER VIEW t1.opaque OWNER TO shop_owner;
    CREATE VIEW t1.nothing AS SELECT 1;
    GRANT USAGE ON SCHEMA t1, t2 TO plain; GRANT SELECT ON t1.opaque, t1.nothing TO plain; GRANT USAGE ON SCHEMA t3 TO shop_api;
    ALTER ROLE shop_api SET search_path = s2, t3, t2, t1, public;";

struct Console<'a> {
    lab: &'a Lab,
    admin: &'a Client,
}

impl Console<'_> {
    /// Why `plain` gets no plan of a statement of `author`.
    async fn denied(&self, of: &PlanOf) -> String {
        match plan_of(&self.lab.uri("plain"), of.clone()).await {
            Err(ProbeError::Denied { cure }) => cure,
            other => panic!("{of:?}: {other:?}"),
        }
    }

    /// That it is these rights, one after the other, and then there is a plan.
    async fn takes(&self, of: PlanOf, rights: &[&str]) {
        for right in rights {
            let cure = self.denied(&of).await;
            assert_eq!(cure, format!("GRANT {right} TO \"plain\""), "{of:?}");
            run(self.admin, &cure).await;
        }
        let plan = plan_of(&self.lab.uri("plain"), of.clone()).await;
        assert!(plan.is_ok(), "{of:?}: {plan:?}");
    }
}

fn by_shop_api(text: &str) -> PlanOf {
    PlanOf { author: Some("shop_api".into()), ..of(text) }
}

async fn rights_on(major: u32) {
    let Some(lab) = primary(major) else { return };
    let admin = client(&lab.uri("postgres")).await;
    run(&admin, SCHEMAS).await;
    // Another session's table of the same name.
    let other = client(&lab.uri("postgres")).await;
    run(&other, "CREATE TEMP TABLE orders (id int); CREATE TEMP TABLE acct (id int)").await;
    let console = Console { lab: &lab, admin: &admin };

    // The schema is written, or is the first of the path that our role may enter.
    let written = "SELECT * FROM t2.acct WHERE EXISTS (SELECT FROM t1.nothing)";
    console.takes(of(written), &["SELECT ON t2.acct"]).await;
    run(&admin, "REVOKE ALL ON t2.acct FROM plain").await;
    console.takes(by_shop_api("SELECT * FROM acct"), &["SELECT ON t2.acct"]).await;
    console.takes(of("SELECT acct.id, acct FROM t1.acct"), &["SELECT ON t1.acct"]).await;
    // Of two that it may not enter, the first that the author may.
    let hidden = plan_of(&lab.uri("plain"), by_shop_api("SELECT * FROM parcels")).await;
    let Err(ProbeError::Refused { message, .. }) = hidden else { panic!("{hidden:?}") };
    let cure = "hidden: GRANT SELECT ON t3.parcels TO \"plain\"; GRANT USAGE ON SCHEMA t3 TO \"plain\"";
    assert!(message.ends_with(cure), "{message}");

    // Each table takes what the statement does with it.
    console.takes(of("SELECT id FROM orders FOR UPDATE OF orders"), &["SELECT, UPDATE ON public.orders"]).await;
    let with = "WITH d AS (DELETE FROM order_items WHERE order_id = 1 RETURNING 1) SELECT * FROM d, products";
    let rights = ["SELECT, DELETE ON public.order_items", "SELECT ON public.products"];
    let (first, second) = if console.denied(&of(with)).await.contains("order_items") { (0, 1) } else { (1, 0) };
    console.takes(of(with), &[rights[first], rights[second]]).await;
    console.takes(of("UPDATE carts SET contents = 'x'"), &["UPDATE ON public.carts"]).await;
    console.takes(of("UPDATE carts SET contents = contents || 'x'"), &["SELECT ON public.carts"]).await;
    let insert = "INSERT INTO events (kind, body) SELECT status, status FROM orders RETURNING id";
    console.takes(of(insert), &["SELECT, INSERT ON public.events"]).await;
    run(&admin, "GRANT SELECT (id, name) ON customers TO plain").await;
    if major >= 15 {
        let merge = "MERGE INTO customers c USING orders o ON o.id = c.id WHEN MATCHED THEN DELETE";
        console.takes(of(merge), &["DELETE ON public.customers"]).await;
    }

    // What cannot be told is not guessed.
    let temporary = "SELECT nspname::text FROM pg_namespace WHERE oid = pg_my_temp_schema()";
    let temporary: String = other.query_one(temporary, &[]).await.expect("an answer").get(0);
    let theirs = console.denied(&of(&format!("SELECT * FROM {temporary}.orders"))).await;
    assert!(theirs.starts_with("permission denied for") && !theirs.contains("GRANT"), "{theirs}");
    run(&admin, "REVOKE ALL ON orders FROM plain").await;
    let twice = console.denied(&of("WITH orders AS (SELECT * FROM orders) SELECT * FROM orders")).await;
    assert!(twice.starts_with("permission denied for table orders; what to grant"), "{twice}");
    assert!(twice.contains("\\dp *.orders in psql") && !twice.contains("GRANT"), "{twice}");
    let column = console.denied(&of("SELECT email FROM customers")).await;
    assert!(column.starts_with("permission denied for table customers; what") && !column.contains("GRANT"), "{column}");
    let below = console.denied(&of("SELECT * FROM t1.opaque")).await;
    assert!(below.starts_with("permission denied for") && !below.contains("GRANT"), "{below}");
}

#[tokio::test]
async fn what_a_plan_lacks_is_what_is_granted_on_13() {
    rights_on(13).await;
}

#[tokio::test]
async fn what_a_plan_lacks_is_what_is_granted_on_15() {
    rights_on(15).await;
}

#[tokio::test]
async fn what_a_plan_lacks_is_what_is_granted_on_18() {
    rights_on(18).await;
}

/// `pg_stat_statements` keeps a text that no server takes back.
#[tokio::test]
async fn a_text_without_the_constants_that_it_must_have_says_where_there_is_one_with_them_on_18() {
    let Some(lab) = primary(18) else { return };
    let reporting = client(&lab.uri("reporting")).await;
    run(&reporting, "SELECT id FROM orders WHERE created_at > now() - interval '1 day' AND status = 'x'").await;
    let admin = client(&lab.uri("postgres")).await;
    let kept = "SELECT query FROM pg_stat_statements WHERE query LIKE 'SELECT id FROM orders WHERE created_at%'";
    let kept: String = admin.query_one(kept, &[]).await.expect("it is kept").get(0);
    let uri = lab.uri("reporting");
    let words = match plan_of(&uri, PlanOf { normalized: true, ..of(&kept) }).await {
        Err(ProbeError::Absent(words)) => words,
        other => panic!("{kept}: {other:?}"),
    };
    assert!(
        words.contains("as after interval or date") && words.contains("on Connections or Slow while it"),
        "{words}"
    );
    assert!(words.ends_with("(syntax error at or near \"$1\", 42601)"), "{words}");
    // A text that is not its, and an error that is not about a constant.
    for of in [of(&kept), PlanOf { normalized: true, ..of("SELECT id FROM FROM orders WHERE id = $1") }] {
        let refused = plan_of(&uri, of).await;
        assert!(matches!(&refused, Err(ProbeError::Refused { code, .. }) if code == "42601"), "{refused:?}");
    }
}
