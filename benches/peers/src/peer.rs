//! What is compared: whoever appends events to streams.

use anyhow::Result;
use oms_servers::Server;
use sqlx::{PgPool, postgres::PgPoolOptions};
use std::sync::atomic::{AtomicU64, Ordering};

/// The same body for all, about 480 bytes of JSON.
pub fn body() -> serde_json::Value {
    let line = serde_json::json!({ "sku": "85123A", "name": "WHITE HANGING HEART T-LIGHT HOLDER", "quantity": 6, "unit_price": 255 });
    serde_json::json!({ "customer": "17850", "currency": "GBP", "country": "United Kingdom", "lines": [line, line, line, line] })
}

/// The kind of the event.
pub const KIND: &str = "OrderPlaced";

/// Somebody who appends.
pub trait Peer: Send + Sync + 'static {
    /// What one worker knows of its stream.
    type Stream: Send;

    /// Its name in the table.
    fn name(&self) -> &'static str;

    /// A stream that nobody has appended to; `worker` says which worker's.
    fn stream(&self, worker: usize) -> Self::Stream;

    /// Appends one event, and returns when it is durable.
    fn append(&self, stream: &mut Self::Stream) -> impl Future<Output = Result<()>> + Send;
}

/// A name that no stream had before.
pub fn fresh() -> String {
    static STREAMS: AtomicU64 = AtomicU64::new(0);
    format!("stream-{}", STREAMS.fetch_add(1, Ordering::Relaxed))
}

/// Makes a database for one peer, and gives its URL.
pub async fn database(server: &Server, name: &str) -> Result<String> {
    let pool = PgPool::connect(&server.url()).await?;
    sqlx::query(&format!("CREATE DATABASE {name}")).execute(&pool).await?;
    Ok(server.url().replace("/postgres", &format!("/{name}")))
}

/// As many connections as there are workers. Escape hatch: the peers take their own client's pool.
pub async fn pool(url: &str) -> Result<PgPool> {
    Ok(PgPoolOptions::new().max_connections(16).connect(url).await?)
}
