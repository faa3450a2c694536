//! What a client can ask of the service, each with its statements; it must not know of HTTP.
use super::Service;
use anyhow::Context as _;
use serde_json::{Value, json};
use std::error::Error;
use std::sync::Arc;
use std::time::Instant;
use thiserror::Error;
use tokio_postgres::types::{FromSql, Type};

/// The statement of FraiseQL's `PostgresCache`, by which a hit ratio can be read in `pg_stat_statements`.
const LOOK_UP: &str = "SELECT cache_value FROM fraiseql_cache WHERE cache_key=$1 AND expires_at > NOW()";
const KEEP: &str = "INSERT INTO fraiseql_cache (cache_key, cache_value, expires_at) VALUES ($1, $2::text::jsonb, NOW() + $3 * interval '1 second') \
                    ON CONFLICT (cache_key) DO UPDATE SET cache_value = EXCLUDED.cache_value, expires_at = EXCLUDED.expires_at";
const PRODUCT: &str = "SELECT p.name, p.price::text, count(i.order_id) AS sold FROM products p LEFT JOIN order_items i ON i.product_id = p.id \
                       WHERE p.id = $1 GROUP BY p.id";
const ORDERS: &str =
    "SELECT id, status, total::text FROM orders WHERE customer_id = $1 ORDER BY created_at DESC LIMIT 20";
const STATUS: &str = "UPDATE orders SET status = $2, updated_at = now() WHERE id = $1";
const STOCK: &str = "UPDATE products SET stock = stock - 1 WHERE id = $1";

/// Why a request got no data.
#[derive(Debug, Error)]
pub enum Failure {
    /// It is no JSON, or names no operation.
    #[error("the request cannot be read: {0}")]
    Parse(String),
    /// There is no such operation.
    #[error("Cannot query field \"{0}\" on type \"Query\"")]
    Validation(String),
    /// The database said no.
    #[error("{0:#}")]
    Execution(anyhow::Error),
}

/// A request that can be read.
#[derive(Clone, Debug)]
pub struct Request {
    operation: Operation,
    id: i32,
    visitor: u64,
}

/// The operations.
#[derive(Clone, Copy, Debug)]
enum Operation {
    Product,
    OrderList,
    Checkout,
}

impl Operation {
    const fn name(self) -> &'static str {
        match self {
            Self::Product => "Product",
            Self::OrderList => "OrderList",
            Self::Checkout => "Checkout",
        }
    }
}

impl Request {
    /// Reads `{"operationName": …, "variables": {"id": …, "visitor": …}}`.
    pub fn read(body: &[u8]) -> Result<Self, Failure> {
        let parsed: Value = serde_json::from_slice(body).map_err(|failure| Failure::Parse(failure.to_string()))?;
        let operation = match parsed["operationName"].as_str() {
            Some("Product") => Operation::Product,
            Some("OrderList") => Operation::OrderList,
            Some("Checkout") => Operation::Checkout,
            Some(other) => return Err(Failure::Validation(other.to_owned())),
            None => return Err(Failure::Parse("no operationName".to_owned())),
        };
        let number = |name: &str| parsed["variables"][name].as_u64().unwrap_or_default();
        Ok(Self {
            operation,
            id: i32::try_from(number("id")).map_err(|_| Failure::Validation("id".to_owned()))?,
            visitor: number("visitor"),
        })
    }
}

/// Answers a request and measures it.
pub async fn answer(service: Arc<Service>, request: Request) -> Result<Value, Failure> {
    let began = Instant::now();
    let answer = match request.operation {
        Operation::Product => product(&service, &request).await,
        Operation::OrderList => orders(&service, request.id).await,
        Operation::Checkout => checkout(&service, request.id).await,
    };
    let name = request.operation.name();
    service.metrics.query(name, began.elapsed(), answer.is_ok());
    answer.map_err(Failure::Execution)
}

async fn product(service: &Service, request: &Request) -> anyhow::Result<Value> {
    let deployment = service.deployment();
    let mut key = format!("fraiseql:product:id:{}", request.id);
    if deployment.key_per_visitor {
        key = format!("{key}:visitor:{}", request.visitor);
    }
    let lease = service.pool.lease().await?;
    let client = lease.client()?;
    let found = client.query_typed(LOOK_UP, &[(&key, Type::TEXT)]).await.context("cache")?;
    service.metrics.cache(!found.is_empty());
    if let Some(row) = found.first() {
        let Jsonb(value) = row.try_get(0)?;
        return Ok(value);
    }
    let rows = client.query_typed(PRODUCT, &[(&request.id, Type::INT4)]).await.context("product")?;
    let product = rows.first().context("no such product")?;
    let value = json!({
        "id": request.id,
        "name": product.try_get::<_, String>(0)?,
        "price": product.try_get::<_, String>(1)?,
        "sold": product.try_get::<_, i64>(2)?,
    });
    let keep: [(&(dyn tokio_postgres::types::ToSql + Sync), Type); 3] =
        [(&key, Type::TEXT), (&value.to_string(), Type::TEXT), (&deployment.ttl, Type::FLOAT8)];
    client.query_typed(KEEP, &keep).await.context("cache")?;
    Ok(value)
}

async fn orders(service: &Service, customer: i32) -> anyhow::Result<Value> {
    let lease = service.pool.lease().await?;
    let rows = lease.client()?.query_typed(ORDERS, &[(&customer, Type::INT4)]).await.context("orders")?;
    let orders = rows.iter().map(|row| {
        anyhow::Ok(json!({
            "id": row.try_get::<_, i32>(0)?,
            "status": row.try_get::<_, String>(1)?,
            "total": row.try_get::<_, String>(2)?,
        }))
    });
    Ok(Value::Array(orders.collect::<Result<_, _>>()?))
}

async fn checkout(service: &Service, order: i32) -> anyhow::Result<Value> {
    let lease = service.pool.lease().await?;
    let client = lease.client()?;
    let changed: [(&(dyn tokio_postgres::types::ToSql + Sync), Type); 2] =
        [(&order, Type::INT4), (&"paid", Type::TEXT)];
    client.query_typed(STATUS, &changed).await.context("orders")?;
    // Products that hardly anybody looks at, so that a calm shop keeps its hit ratio.
    let product = 401 + order % 1600;
    client.query_typed(STOCK, &[(&product, Type::INT4)]).await.context("products")?;
    let key = format!("fraiseql:product:id:{product}");
    let forgotten = client
        .execute_typed("DELETE FROM fraiseql_cache WHERE cache_key=$1", &[(&key, Type::TEXT)])
        .await
        .context("cache")?;
    service.metrics.invalidated(forgotten);
    Ok(json!({ "order": order, "status": "paid" }))
}

/// A jsonb value; the driver has none of its own without a feature.
struct Jsonb(Value);

impl FromSql<'_> for Jsonb {
    fn from_sql(_: &Type, raw: &[u8]) -> Result<Self, Box<dyn Error + Sync + Send>> {
        // One byte of version, then the text.
        let text = raw.get(1..).ok_or("an empty jsonb")?;
        Ok(Self(serde_json::from_slice(text)?))
    }

    fn accepts(kind: &Type) -> bool {
        *kind == Type::JSONB
    }
}
